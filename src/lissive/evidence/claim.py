"""Popular claims, each checked against trials: verdict, certainty, key numbers, what would change it.

>>> claim_of("neuroprotection").verdict
'not_shown'

The certainty is this project's own GRADE-style judgement, not a published rating.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from lissive.errors import EvidenceError
from lissive.evidence.read import DATA, Cited, marked
from lissive.evidence.words import causes, known, outcomes, products, table
from lissive.marked import Loc, marked_text
from lissive.typed import Row, refuse, typed

CLAIMS = DATA / "claims.yaml"
FAVOURABLE = ("supported", "partly")
VERDICTS: Mapping[str, str] = {
    "supported": "supported by trials",
    "partly": "partly supported",
    "not_shown": "not shown",
    "not_tested": "not tested",
    "contradicted": "contradicted",
}
_AS_MECHANISM = "{} as a mechanism, which is no benefit shown"
MARKS: Mapping[str, Literal["yes", "maybe", "unsure", "no"]] = {
    "contradicted": "no",
    "not_shown": "unsure",
    "not_tested": "unsure",
    "partly": "maybe",
    "supported": "yes",
}
"""How a verdict is marked, the worst first."""
JUDGED = "GRADE-style judgement by this project, not a published rating"
_EXAMPLE = "claims: [{id: a, claim: It helps., verdict: not_tested, ...}]"


class KeyNumber(Row):
    """One key number, and where it comes from."""

    what: str = Field(min_length=1)
    value: float | int | str | tuple[float | int, ...]
    provenance: Literal["read", "derived", "recalled"]
    source_url: str = ""
    pointer: str = ""
    formula: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _sourced(self) -> KeyNumber:
        if self.provenance == "read" and not (self.source_url and self.pointer):
            raise refuse("A number with provenance read needs source_url and pointer.", do="add them.")
        if self.provenance == "derived" and not self.formula:
            raise refuse("A number with provenance derived needs its formula.", do="add it.")
        return self

    @property
    def cited(self) -> Cited:
        return Cited(
            self.what, self.value, self.provenance, self.source_url, self.pointer or self.formula, self.note
        )


@dataclass(frozen=True)
class Conflict:
    """Where two sources disagree on an entry, and which is kept (conflicts.tsv)."""

    entry: str
    about: str
    said: str
    against: str
    kept: str


def conflicts_of(id: str) -> tuple[Conflict, ...]:
    """The conflicts of a study, review or claim."""
    return tuple(Conflict(**row) for row in table("conflicts") if row["entry"] == id)


class Claim(Row):
    """One claim. `causes` and `outcomes` are words of the tables; no causes means any cause.

    `marks`, `needs` and `bars` are words of claim_marks.tsv: what a text may assert to be answered by it, of what it
    has to assert one, and what it must not assert.
    """

    id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    claim: str = Field(min_length=1)
    verdict: Literal["supported", "partly", "not_shown", "not_tested", "contradicted"]
    answer: str = Field(min_length=1)
    certainty: Literal["high", "moderate", "low", "very_low", "not_graded"]
    by_rule: str = ""
    """Certainty by rule (`answer.by_rule`) of what can be pooled on it; empty where nothing can."""
    certainty_note: str = ""
    """Why its certainty is not that by rule."""
    causes: tuple[str, ...]
    outcomes: tuple[str, ...]
    of_mechanism: bool = False
    """Whether it says how a drug acts, and not that it helps."""
    marks: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    bars: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    """Products that its verdict is of by results that no comparison gives; of others the trials' estimates tell."""
    reasoning: str = Field(min_length=1)
    numbers: tuple[KeyNumber, ...] = Field(min_length=1)
    would_change: str = Field(min_length=1)
    caveats: str = ""
    advice_for_model: str = ""

    @property
    def verdict_label(self) -> str:
        if self.of_mechanism and self.verdict in FAVOURABLE:
            return _AS_MECHANISM.format(VERDICTS[self.verdict].removesuffix(" by trials"))
        return VERDICTS[self.verdict]

    @property
    def mark(self) -> Literal["yes", "maybe", "unsure", "no"]:
        """How its verdict is marked; a mechanism that is supported is no benefit that is."""
        mark = MARKS[self.verdict]
        return "maybe" if self.of_mechanism and mark == "yes" else mark

    @property
    def of_other_treatment(self) -> bool:
        """Whether it is about another drug than a cannabinoid."""
        return "cannabinoid" in self.bars

    @property
    def certainty_label(self) -> str:
        return self.certainty.replace("_", " ")

    @property
    def differs(self) -> bool:
        """Whether its certainty is another than that by rule."""
        return self.by_rule not in ("", self.certainty_label, f"at most {self.certainty_label}")

    @property
    def certainty_words(self) -> str:
        """Both, where they differ: `moderate; by rule very low to at most high`."""
        return f"{self.certainty_label}; by rule {self.by_rule}" if self.differs else self.certainty_label

    @property
    def certainty_reason(self) -> str:
        """A sentence on why they differ; empty where they do not."""
        return f"Why the two certainties differ: {self.certainty_note}." if self.differs else ""

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        return conflicts_of(self.id)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": "claim",
            "claim": self.claim,
            "verdict": self.verdict,
            "verdict_label": self.verdict_label,
            "answer": self.answer,
            "certainty": self.certainty,
            "certainty_by_rule": self.by_rule,
            "certainty_note": self.certainty_note,
            "certainty_by": JUDGED,
            "causes": list(self.causes),
            "outcomes": list(self.outcomes),
            "reasoning": self.reasoning,
            "numbers": [asdict(each.cited) for each in self.numbers],
            "would_change": self.would_change,
            "conflicts": [asdict(each) for each in self.conflicts],
        }


class ClaimsFile(Row):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True, allow_inf_nan=False)

    claims: tuple[Claim, ...]


def claims_of(text: str, path: Path) -> tuple[Claim, ...]:
    """The claims of a file that ships, from its text; none where it is of something else."""
    data, lines = marked_text(text, path, wrong=EvidenceError, example=_EXAMPLE, shipped=True)
    return _typed(data, lines, path) if "claims" in data else ()


@cache
def shipped_claims() -> tuple[Claim, ...]:
    """The claims that come with Lissive, in the order of the file."""
    data, lines = marked(CLAIMS, True, _EXAMPLE)
    return _typed(data, lines, CLAIMS)


def _typed(data: Any, lines: Mapping[Loc, int], path: Path) -> tuple[Claim, ...]:
    made = typed(data, lines, path, ClaimsFile, EvidenceError, thing="the file of claims").claims
    found: list[EvidenceError] = []
    for k, claim in enumerate(made):
        for field, words, allowed in (
            ("causes", claim.causes, causes()),
            ("outcomes", claim.outcomes, outcomes()),
            ("marks", claim.marks, _marks()),
            ("needs", claim.needs, _marks()),
            ("bars", claim.bars, _marks()),
            ("products", claim.products, products()),
        ):
            for word in words:
                try:
                    known(field.removesuffix("s"), word, allowed)
                except EvidenceError as error:
                    line = lines.get(("claims", k, field), 1)
                    where, what = f"{path}:{line}", f"{claim.id}: {error.what}"
                    found.append(EvidenceError(what, where=where, allowed=error.allowed, do=error.do))
    if found:
        raise EvidenceError.all_of(found)
    return made


def _marks() -> frozenset[str]:
    return frozenset(row["mark"] for row in table("claim_marks"))


def claims(about: str | None = None) -> tuple[Claim, ...]:
    """The claims that match a text in plain words, none if none matches; all claims without a text.

    >>> [claim.id for claim in claims("cannabis protects nerve cells")]
    ['neuroprotection']
    """
    if about is None:
        return shipped_claims()
    from lissive.evidence.claim_match import matches

    return tuple(each.claim for each in matches(about))


def claim_of(id: str) -> Claim | None:
    """The claim of this id."""
    return next((claim for claim in shipped_claims() if claim.id == id), None)
