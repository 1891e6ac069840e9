"""Popular claims, each checked against trials: verdict, certainty, key numbers, what would change it.

>>> claim_of("neuroprotection").verdict
'not_shown'

The certainty is this project's own GRADE-style judgement, not a published rating.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from lissive.errors import EvidenceError
from lissive.evidence.read import DATA, Cited, marked
from lissive.evidence.words import NOT_USED, causes, known, outcomes, table
from lissive.given import text_of
from lissive.marked import Loc, marked_text
from lissive.typed import Row, refuse, typed

CLAIMS = DATA / "claims.yaml"
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
    reasoning: str = Field(min_length=1)
    numbers: tuple[KeyNumber, ...] = Field(min_length=1)
    would_change: str = Field(min_length=1)
    caveats: str = ""
    advice_for_model: str = ""

    @property
    def verdict_label(self) -> str:
        if self.of_mechanism and self.verdict in _FAVOURABLE:
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
        ):
            for word in words:
                try:
                    known(field.removesuffix("s"), word, allowed)
                except EvidenceError as error:
                    line = lines.get(("claims", k, field), 1)
                    found.append(EvidenceError(f"{claim.id}: {error.what}", where=f"{path}:{line}"))
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
    from lissive.evidence.claim import matches

    return tuple(each.claim for each in matches(about))


def claim_of(id: str) -> Claim | None:
    """The claim of this id."""
    return next((claim for claim in shipped_claims() if claim.id == id), None)


# -- the claims that answer a text in plain words ---------------------------------------------------
# What a text asserts beyond its subject (a cure, a replacement, safety, a product, a condition) are its marks
# (claim_marks.tsv); only claims that are about all of them can answer it: never a weaker or neighbouring one. Among
# those the most similar in wording is taken: synonyms are merged (synonyms.tsv), words count the more, the fewer claims
# they stand in. Nothing is learned.

_LEAST, _LEAST_FAVOURABLE, _BESIDE = 0.3, 0.5, 0.75
"""Share of what was asked that a claim has to have in common with it; more, where its verdict is favourable; and the
share of the best one's to stand beside it."""
_NAMED = 0.3
"""Added to the similarity where the claim is about what the text names, in proportion to the marks."""
_COMPLAINT = {"spasm", "stiff", "intense"}
"""What every claim is about, whichever of them it names."""
_COVERED = 0.2
"""Added in proportion to the words of the claim that are in the text: one that says more than was asked is further."""
_FAVOURABLE = ("supported", "partly")
_NOT = re.compile(
    r"\b(?:not|no|never|nobody|none|cannot|without|neither|hardly|barely|n't|impossible|useless|ineffective|in vain|"
    r"nothing(?! (?:beats|like|works|else|better))|minimal|negligible|(?:low|lower|small) risk|little (?:effect|benefit|risk|harm|danger|evidence))\b|n't\b|\bfew\b|\bfail\w* to\b|\bwaste of\b"
)
_UNTRUE = re.compile(r"\bmyth\b|\buntrue\b|\bnonsense\b|\b(?:not|n't) true\b|\bfalse (?:that|to)\b|\bis false\b")
_FADES = re.compile(r"\bstop\w* working\b|\bwear\w* off\b|\blos(?:e|es|ing) (?:its|their) effect")
_HARM = re.compile(r"\b(?:risk|danger|harm|hurt|problem)(?!less)\w*|\bunsafe|\bimpair|\bbad idea|\bcareful|\bavoid")
_TAKEN_WITH = re.compile(r"\b(?:mix|combin|tak(?:e|en|ing)|us(?:e|ed|ing)|together|go(?:es)? well|fine|safe)\w*\b")
"""Taken together, which affirms that a medicine does not interact."""
_HARMLESS = re.compile(rf"\b(?:no|not|cannot|without|never|\w+n't) (?:\w+ ){{0,2}}(?:{_HARM.pattern})")
"""A denial of harm, which affirms that something is safe."""
_LESS = re.compile(
    r"\b(?:not|n't|never) (?:\w+ )?(?:as|so) (?:strong|bad|severe|intense|frequent|often|pain|violent|stiff|tight)\w*"
    r"|\bno (?:longer|worse)\b"
)
"""Less of a symptom, which denies no effect."""
_COMMON = {"relief", "causal", "cannabinoid", "inflammatory_cause"}
"""Marks that any claim may answer that does not bar them."""
_STRONGER = {"stop_spasms", "prevent", "everyone"}
"""Marks that a claim may answer whose verdict is that not even less is shown."""
_STATED_OTHERWISE = ("failed", "cbd", "cure")
"""Marks with words of denial that deny nothing of a cannabinoid: other drugs that did not work, CBD without THC, never
a spasm again."""
_OTHER = {"other_remedy", "painkiller", "physiotherapy"}
_COMPARING = {"cannabinoid", "replace", "superior", "failed"}
"""Marks of treatments that no claim is about, and with which one they are compared with a cannabinoid."""


@dataclass(frozen=True)
class Match:
    """A claim that answers a text."""

    claim: Claim
    similarity: float
    """From 0 on; 1 is all of the wording."""
    opposed: bool
    """Whether the text seems to say the opposite of the claim: one of them is a denial."""

    def to_json(self) -> dict[str, Any]:
        return {**self.claim.to_json(), "similarity": self.similarity, "opposed": self.opposed}


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((row["mark"], re.compile(row["pattern"])) for row in table("claim_marks"))


def marks_of(text: str) -> frozenset[str]:
    """What a text asserts or names beyond its subject.

    >>> sorted(marks_of("It replaces baclofen"))
    ['baclofen', 'replace']
    """
    return frozenset(_marked(text))


def _marked(text: str) -> dict[str, frozenset[str]]:
    """Each mark of a text, with the concepts of the words that stand for it."""
    folded, found = " ".join(text.lower().replace("’", "'").split()), {}
    for mark, pattern in _patterns():
        if (match := pattern.search(folded)) is not None:
            words = "" if ".*" in pattern.pattern else _whole(folded, *match.span())
            found[mark] = found.get(mark, frozenset()) | concepts(words)
    return found


def _whole(text: str, start: int, end: int) -> str:
    """The words of a text that a stretch of it touches."""
    return text[text.rfind(" ", 0, start) + 1 : end] + re.split(r"[^a-z]", text[end:], maxsplit=1)[0]


def _may_answer(claim: Claim, marks: frozenset[str]) -> bool:
    if marks & set(claim.bars) or (marks & _OTHER and not marks & _COMPARING):
        return False
    named = marks & set(causes())
    about = marks - named - _COMMON - (_STRONGER if claim.verdict in ("not_shown", "not_tested") else set())
    if about - {*claim.marks, *claim.needs} or (claim.needs and not marks & set(claim.needs)):
        return False
    return not named or not claim.causes or named <= {*claim.causes, *claim.marks, *claim.needs}


def matches(text: str, claims: Sequence[Claim] | None = None) -> list[Match]:
    """Claims that answer a text, the most similar first; none where none does.

    >>> matches("marijuana cures cancer")
    []
    """
    text = text_of("text", text, wrong=EvidenceError, example="cannabis heals MS")
    every = shipped_claims() if claims is None else claims
    asked, marked = concepts(text), _marked(text)
    marks = frozenset(marked)
    texts = [(concepts(f"{each.claim} {each.id.replace('_', ' ')}"), concepts(each.answer)) for each in every]
    weight = {
        word: math.log((1 + len(every)) / (0.5 + sum(word in title for title, _ in texts))) for word in asked
    }
    total = sum(weight.values())
    answers = [_may_answer(each, marks) for each in every]
    besides = _COMPLAINT.union(
        *(marked[each] for each in marks & set(causes())),
        *(
            title
            for each, fits, (title, _) in zip(every, answers, texts, strict=True)
            if fits and each.verdict in _FAVOURABLE and not each.of_mechanism
        ),
    )
    found = []
    for claim, fits, (title, more) in zip(every, answers, texts, strict=True):
        if not fits or not (asked & title or marks & set(claim.needs)):
            continue
        title = title.union(*(marked[each] for each in marks & {*claim.needs, *claim.marks, *claim.causes}))
        favourable = claim.verdict in _FAVOURABLE
        if favourable and asked & _known() - title - besides:
            continue
        shared = sum(weight[word] * (1.0 if word in title else 0.6) for word in asked & (title | more))
        share = shared / total if total else 0.0
        score = share + _NAMED * len(marks & {*claim.needs, *claim.causes}) / max(1, len(marks - _COMMON))
        covered = len(asked & title) / max(1, len(title))
        if (share if favourable else score) >= (_LEAST_FAVOURABLE if favourable else _LEAST):
            opposed = _denies(text, claim.needs) != _denies(claim.claim, claim.needs)
            found.append(Match(claim, score + _COVERED * covered, opposed))
    best = max((each.similarity for each in found), default=0.0)
    near = [each for each in found if each.similarity >= _BESIDE * best]
    return sorted(near, key=lambda each: -each.similarity)


def _denies(text: str, about: Iterable[str]) -> bool:
    """Whether a text is a denial; `about` are the needs of the claim that it is set beside."""
    rest = _LESS.sub(" ", text.lower().replace("’", "'"))
    for mark, pattern in _patterns():
        if mark in _STATED_OTHERWISE and not pattern.pattern.startswith("^"):
            rest = pattern.sub(" ", rest)
    if any(mark == "failed" and pattern.search(rest) for mark, pattern in _patterns()):
        return False
    turns = [_NOT, _UNTRUE, _FADES]
    if "interactions" in about:
        turns += [_HARM, _TAKEN_WITH]
    elif not {"safe", "driving"}.isdisjoint(about):
        turns += [_HARM]
    rest = _HARMLESS.sub(" ", rest)
    return sum(bool(each.search(rest)) for each in turns) % 2 == 1


@cache
def _means() -> Mapping[str, str]:
    """Word to what it stands for."""
    return {word: row["means"] for row in table("synonyms") for word in row["words"].split()}


@cache
def _known() -> frozenset[str]:
    """What any word of the table stands for: an effect, a condition or a drug."""
    return frozenset(part for meaning in _means().values() for part in meaning.split())


@cache
def concepts(text: str) -> frozenset[str]:
    """What the words of a text stand for, without those that say nothing here."""
    means = _means()
    found: set[str] = set()
    for word in re.findall(r"[a-z]+", text.lower().replace("anti-", "anti").replace("neuro-", "neuro")):
        meaning = means.get(word) or means.get(_stem(word)) or _stem(word)
        found.update(part for part in meaning.split() if part != NOT_USED)
    return frozenset(found)


def _stem(word: str) -> str:
    """Without the usual endings.

    >>> _stem("protects"), _stem("protective"), _stem("cells")
    ('protect', 'protect', 'cell')
    """
    for ending in ("ations", "ation", "ives", "ive", "ions", "ion", "ing", "ers", "er", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
