"""What trials found for one case, a row for each complaint: with the drug and without, how certain, of how many."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lissive.case import Case
from lissive.case_answer.gates import Gates, figure_of
from lissive.case_answer.tables import rows
from lissive.evidence.answer_types import Absolute, Result
from lissive.evidence.case_answer import CaseEvidence, CaseFigure, InWords
from lissive.evidence.claim import claim_of
from lissive.evidence.effect import COUNTED
from lissive.evidence.read import shipped_reviews
from lissive.evidence.result import absolute
from lissive.evidence.words import product_label, table

HARM = "adverse events"
_LATER = (HARM, "sleep", "walking")
"""Topics that stand after what the cause is asked about; harm before the last of it."""
SMALL = 5
"""Below so many trials, a published analysis of individual patients leads."""
_BARE = re.compile(r"(\w+ )?-?[\d.]+$|.*was not read")
"""A figure of one group, or a p value: beside nothing it says nothing."""


@dataclass(frozen=True)
class Finding:
    """One complaint. People of a hundred where events were counted, else a mean difference, else words."""

    complaint: str
    outcome: str
    """Empty where a trial reports words alone."""
    products: tuple[str, ...]
    """Labels of what was given."""
    is_planned: bool
    certainty: str
    """high, moderate, low, very low: of the claim that it bears on, or of the estimate where that is lower; empty where
    neither was judged."""
    k: int
    n: float | None
    source: str
    """The trial, or the analysis of individual patients; empty where this project pooled several."""
    absolute: Absolute | None = None
    difference: tuple[float, float, float] | None = None
    """Mean difference and its interval, in the outcome's unit; below 0 lower with the drug."""
    words: str = ""
    said_as: str = ""
    """What figures in words are: change, or end."""
    unverified: bool = False
    design: str = ""
    unsigned: str = ""
    """Trials left out because their sign is not known, where one of their signs would change the finding."""
    pooled: tuple[int, Absolute | None] | None = None
    """Beside individual patients: this project's own pool, its k and its risk."""

    @property
    def includes_none(self) -> bool:
        """Whether the interval includes no effect."""
        if self.absolute is not None:
            low, high = sorted(self.absolute.risk_ci)
            return low <= self.absolute.baseline <= high
        return self.difference is not None and self.difference[1] <= 0.0 <= self.difference[2]

    def to_json(self) -> dict[str, Any]:
        plain = asdict(self) | {"absolute": None if self.absolute is None else self.absolute.to_json()}
        k, risk = self.pooled or (0, None)
        return plain | {"pooled": None if risk is None else {"k": k, "absolute": risk.to_json()}}


@dataclass(frozen=True)
class Guideline:
    """What a guideline says of the planned product in this cause."""

    text: str
    source: str


def findings(case: Case, evidence: CaseEvidence, gate: Gates) -> tuple[Finding, ...]:
    """The complaint first, then the second benefit and harm, then the rest; of the planned product where it has any."""
    if not evidence.controlled:
        return ()
    topics = [each for each in gate.complaint.topics if each not in _LATER]
    found = {topic: _topic(case, evidence, topic) for topic in (*topics, *_LATER)}
    told = [each for topic in topics if (each := found[topic]) is not None]
    later = [each for topic in _LATER if (each := found[topic]) is not None]
    harm = [each for each in later if each.complaint == _label(HARM)]
    return (*told[:2], *harm, *told[2:], *(each for each in later if each not in harm))


def leading(found: Sequence[Finding], outcome: str) -> Absolute | None:
    """People of a hundred by the analysis of individual patients that leads there; None where the pool does."""
    return next((each.absolute for each in found if each.outcome == outcome and each.pooled), None)


def guideline(case: Case) -> Guideline | None:
    """None where the case names no cause."""
    cause, planned = case.spasm.cause, case.plan.product or "none"
    if cause is None:
        return None
    mine = [row for row in rows("guidelines") if row["cause"] in (cause, "any")]
    row = next(row for row in mine if row["products"] == "any" or planned in row.parts("products"))
    return Guideline(row["text"], row["source"])


def _label(topic: str) -> str:
    return next((row["label"] for row in rows("complaints") if row["topic"] == topic), topic)


def _certainty(case: Case, topic: str) -> str:
    """In MS that of the claim on the complaint, elsewhere that of the claim on the cause; of harm always its own."""
    claim = next((row["claim"] for row in rows("complaints") if row["topic"] == topic), "")
    if case.spasm.cause != "multiple_sclerosis" and topic != HARM:
        claim = next((row["claim"] for row in rows("bottom_lines") if row["cause"] == case.spasm.cause), "")
    found = claim_of(claim) if claim else None
    return "" if found is None or found.certainty == "not_graded" else found.certainty_label


_CERTAIN = ("", "very low", "low", "moderate", "high")


def _lower(one: str, other: str) -> str:
    """The certainty of the claim, or of the estimate itself where that is lower; where one is not judged, the other."""
    return min((each for each in (one, other) if each), key=_CERTAIN.index, default="")


def _topic(case: Case, evidence: CaseEvidence, topic: str) -> Finding | None:
    """The figure that says most: of the planned product first, people before points, numbers before words."""
    words = [row["outcome"] for row in table("case_outcomes") if row["topic"] == topic]
    made = [each for word in words if (each := _figure(case, evidence, topic, word)) is not None]
    made += [_in_words(case, evidence, topic, each) for each in _worded(evidence, topic)]
    return min(
        made, key=lambda each: (not each.is_planned, each.absolute is None, bool(each.words)), default=None
    )


def _worded(evidence: CaseEvidence, topic: str) -> Iterator[InWords]:
    """The first of the planned product, and the first of others; of those without enrichment where there are such."""
    enriched = {each.study.id for each in evidence.studies if each.study.design == "enriched"}
    mine = [
        each
        for each in evidence.in_words
        if each.topic == topic and not _BARE.match(each.text) and each.unused.either is None
    ]
    mine.sort(key=lambda each: each.unused.study in enriched)
    for fits in (True, False):
        yield from [each for each in mine if each.fits_product == fits][:1]


def _in_words(case: Case, evidence: CaseEvidence, topic: str, row: InWords) -> Finding:
    study = next(each.study for each in evidence.studies if each.study.id == row.unused.study)
    return Finding(
        _label(topic),
        row.unused.outcome,
        (row.product_label,) if row.product_label else (),
        row.fits_product,
        _lower(_certainty(case, topic), "low"),  # one trial's words bear no more
        1,
        study.people,
        study.label,
        words=row.text,
        said_as=_said_as(row),
        unverified=row.unused.provenance == "recalled",
    )


def _said_as(row: InWords) -> str:
    cited = " ".join(each.what for each in row.unused.cited)
    return next((what for what in ("change", "end") if f".{what}_mean" in cited), "")


def _figure(case: Case, evidence: CaseEvidence, topic: str, outcome: str) -> Finding | None:
    found = figure_of(evidence, outcome)
    if found is None or found[0].answer.measure == "SMD":
        return None
    figure, result = found
    pooled, risk = result.pooled, result.absolute
    if risk is None and figure.answer.measure in COUNTED:
        return None  # a ratio without a risk that it starts from says nothing of people
    labels = {each.study.id: each.study.label for each in evidence.studies}
    own = Finding(
        _label(topic),
        outcome,
        _products(figure, result.studies),
        not figure.of_all_products and case.plan.product is not None,
        _lower(_certainty(case, topic), "" if result.certainty is None else result.certainty.word),
        pooled.k,
        pooled.n if pooled.n_stated_by else None,
        labels.get(result.studies[0], "") if len(result.studies) == 1 else "",
        risk,
        None if risk is not None else (pooled.estimate, *pooled.ci),
        unverified=bool(set(figure.answer.unverified) & set(result.studies)),
        design=result.design,
        unsigned=_unsigned(figure, result),
    )
    return _individual(case, own, figure) if pooled.k < SMALL else own


def _unsigned(figure: CaseFigure, result: Result) -> str:
    flipping = [
        each for each in figure.answer.either_sign if each.flips and each.result.design == result.design
    ]
    return ", ".join(dict.fromkeys(label for each in flipping for label in each.labels))


def _products(figure: CaseFigure, studies: Sequence[str]) -> tuple[str, ...]:
    """What the trials of one design gave."""
    mine = [row.comparison for row in figure.answer.studies if row.effect.study in studies]
    return tuple(dict.fromkeys(product_label(word) for each in mine for word in each.products if word))


def _individual(case: Case, own: Finding, figure: CaseFigure) -> Finding:
    """A published analysis of individual patients, where the tables name one; the pool stands beside it.

    Its ratio is put on the pool's own risk without the drug, whose mark stays.
    """
    asked = (case.spasm.cause, own.products, own.outcome, figure.answer.measure)
    row = next(
        (
            row
            for row in rows("reviews")
            if (row["cause"], (product_label(row["product"]),), row["outcome"], row["measure"]) == asked
        ),
        None,
    )
    if row is None or own.design == "enriched":
        return own
    review = next(each for each in shipped_reviews() if each.id == row["review"])
    result = next(each for each in review.data["outcomes"] if each["outcome"] == row["result"])
    estimate, (low, high) = result["pooled"]["value"], result["ci"]["value"]
    by = f"individual patients ({_family(review.id)})"
    risk, n = own.absolute, review.data["N"]["value"]
    k = int(re.match(r"\d+", review.data["population"])[0])  # type: ignore[index]
    if risk is None:
        shown = {"difference": (estimate, low, high), "unverified": False}
    else:
        better = figure.answer.outcome.better
        shown = {"absolute": absolute(row["measure"], estimate, (low, high), risk.baseline, better)}
    shown["certainty"] = _certainty(case, figure.topic)  # of the analysis itself, which the claim rests on
    return Finding(**{**vars(own), **shown, "k": k, "n": n, "source": by, "pooled": (own.k, risk)})


def _family(id: str) -> str:
    """Author and year of a review's id."""
    author, year, *_ = id.split("_")
    return f"{author.capitalize()} {year}"
