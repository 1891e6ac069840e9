"""What the studies say for one case: studies of its cause and product, figures, claims, and what is not known.

case_evidence(read_case("examples/ms-uk.yaml")) -> CaseEvidence, the `evidence` of `lissive case`
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

from lissive.case import Case
from lissive.errors import EvidenceError
from lissive.evidence.answer import answer_of
from lissive.evidence.answer_types import PooledAnswer
from lissive.evidence.catalog import StudyEntry, listed
from lissive.evidence.claim import Claim, shipped_claims
from lissive.evidence.comparing import every
from lissive.evidence.comparison import Unused
from lissive.evidence.read import Studies, shipped_studies
from lissive.evidence.words import (
    OTHER,
    causes,
    near_causes,
    outcomes,
    product_label,
    products,
    studied_as,
    table,
    topic_of,
)
from lissive.given import kind_of

_STUDY = "id label kind cause design product products people weeks outcomes in_words not_compared".split()
_FIGURE = (
    "outcome outcome_label unit better measure measure_label k n estimate ci prediction_interval "
    "prediction_beyond_scale i2 direction by_design either_sign recalled provenance notes said_too"
).split()
_DESIGN = (
    "design studies k n n_stated_by estimate ci prediction_interval prediction_beyond_scale i2 direction certainty"
).split()
_CLAIM = "id claim verdict verdict_label answer certainty certainty_by".split()
_ALWAYS = ("safety",)
_OF_OPIOIDS = ("opioid_instead", "opioid_sparing")


@dataclass(frozen=True)
class CaseStudy:
    """One study of the cause."""

    study: StudyEntry
    fits_product: bool

    def to_json(self) -> dict[str, Any]:
        row = self.study.to_json()
        return {**{name: row[name] for name in _STUDY}, "fits_product": self.fits_product}


@dataclass(frozen=True)
class CaseFigure:
    """One outcome pooled; each design by itself in `answer.by_design`."""

    topic: str
    answer: PooledAnswer
    products: tuple[str, ...]
    """Labels of the products of its studies."""
    of_all_products: bool
    """Whether no trial of this cause has numbers of the planned product, or none is planned."""

    def to_json(self) -> dict[str, Any]:
        row = self.answer.to_json()
        kept = {name: row[name] for name in _FIGURE}
        kept["by_design"] = [{name: each[name] for name in _DESIGN} for each in row["by_design"]]
        return {
            "topic": self.topic,
            **kept,
            "studies": [each.effect.study for each in self.answer.studies],
            "products": list(self.products),
            "of_all_products": self.of_all_products,
        }


@dataclass(frozen=True)
class InWords:
    """What one trial reports that is not pooled."""

    unused: Unused
    topic: str
    product: str
    fits_product: bool

    @property
    def product_label(self) -> str:
        return product_label(self.product)

    @property
    def text(self) -> str:
        """What is reported, headed by the subgroup where it is of one."""
        return f"{self.unused.kind}: {self.unused.text}" if self.unused.kind else self.unused.text

    def to_json(self) -> dict[str, Any]:
        return {
            "study": self.unused.study,
            "outcome": self.unused.outcome,
            "key": self.unused.key,
            "topic": self.topic,
            "product": self.product,
            "product_label": self.product_label,
            "fits_product": self.fits_product,
            "said": self.text,
            "reason": self.unused.reason,
        }


@dataclass(frozen=True)
class CaseEvidence:
    """The evidence of a case."""

    cause: str | None
    product: str | None
    """The planned product, as trials have it: an oil is an oral cannabis extract."""
    topics: tuple[str, ...]
    """What a case is answered on, in the order of the table; `other` last."""
    claims: tuple[Claim, ...]
    not_known: tuple[str, ...]
    studies: tuple[CaseStudy, ...] = ()
    near_studies: tuple[CaseStudy, ...] = ()
    """Of related causes, which are not equivalent."""
    pooled: tuple[CaseFigure, ...] = ()
    in_words: tuple[InWords, ...] = ()

    @property
    def cause_label(self) -> str | None:
        return None if self.cause is None else causes()[self.cause]

    @property
    def product_label(self) -> str | None:
        word = self.product
        if word is None or (self.cause is None and word not in products()):
            return None
        return product_label(word)

    @property
    def controlled(self) -> tuple[CaseStudy, ...]:
        """Trials of the cause with a control group."""
        return tuple(each for each in self.studies if each.study.is_controlled)

    def to_json(self) -> dict[str, Any]:
        claims = [each.to_json() for each in self.claims]
        return {
            "cause": self.cause,
            "cause_label": self.cause_label,
            "product": self.product,
            "product_label": self.product_label,
            "studies": [each.to_json() for each in self.studies],
            "near_studies": [each.to_json() for each in self.near_studies],
            "topics": list(self.topics),
            "pooled": [each.to_json() for each in self.pooled],
            "in_words": [each.to_json() for each in self.in_words],
            "claims": [{name: row[name] for name in _CLAIM} for row in claims],
            "not_known": list(self.not_known),
        }


def case_evidence(case: Case, studies: Studies | None = None) -> CaseEvidence:
    """Figures are of the planned product where a trial has it in this cause, and of all products where none has;
    `of_all_products` says which."""
    kind_of("case", case, Case, wrong=EvidenceError, do="read it with read_case(FILE).")
    base = shipped_studies() if studies is None else studies
    cause, planned = _studied_cause(case), case.plan.product
    product = None if planned is None else studied_as(planned)
    topics = (*dict.fromkeys(row["topic"] for row in table("case_outcomes")), OTHER)
    claims = tuple(claim for claim in shipped_claims() if _bears(claim, case))
    if cause is None:
        unknown = "The case states no cause of the spasms; trial results differ between causes."
        return CaseEvidence(None, product, topics, claims, (unknown,))
    rows = listed(base, cause=cause)
    controlled = [row for row in rows if row.is_controlled]
    asked = [row["outcome"] for row in table("case_outcomes") if row["figure"] == "yes"]
    pooled = _shipped_figure if studies is None else partial(_figure, studies)
    figures = tuple(each for word in asked if (each := pooled(word, cause, product)) is not None)
    return CaseEvidence(
        cause,
        product,
        topics,
        claims,
        tuple(_not_known(cause, product, rows, figures)),
        studies=tuple(_study(row, product) for row in rows),
        near_studies=tuple(
            _study(row, product) for word in near_causes(cause) for row in listed(base, cause=word)
        ),
        pooled=figures,
        in_words=tuple(_in_words(base, controlled, product)),
    )


def _studied_cause(case: Case) -> str | None:
    """The cause as trials have it: low back pain is chronic where that is stated, or after three months."""
    cause, since = case.spasm.cause, case.spasm.since
    lasting = since is not None and case.as_of is not None and (case.as_of - since).days > CHRONIC_DAYS
    if cause == "low_back_pain" and (lasting or "chronic_pain" in (case.history.conditions or ())):
        return "chronic_low_back_pain"
    return cause


CHRONIC_DAYS = 91
"""Pain is chronic where it has lasted longer than three months (IASP's classification for ICD-11, Pain 2019;160:28)."""


def _study(row: StudyEntry, product: str | None) -> CaseStudy:
    return CaseStudy(row, product is not None and product in row.products)


def _figure(studies: Studies, outcome: str, cause: str, product: str | None) -> CaseFigure | None:
    """One outcome pooled; None where no trial of this cause has numbers of it."""
    known = product if product in products() else None
    mine = None if known is None else answer_of(studies, outcome, cause=cause, product=known)
    is_mine = mine is not None and mine.k > 0
    answer = mine if mine is not None and is_mine else answer_of(studies, outcome, cause=cause)
    if not answer.k:
        return None
    given = _labels(word for row in answer.studies for word in row.comparison.products)
    return CaseFigure(topic_of(outcome), answer, given, not is_mine)


@lru_cache(maxsize=512)
def _shipped_figure(outcome: str, cause: str, product: str | None) -> CaseFigure | None:
    """The same for every case of a cause and a product: pooled once in a process that answers many."""
    return _figure(shipped_studies(), outcome, cause, product)


def _labels(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(product_label(word) for word in dict.fromkeys(words) if word)


def _in_words(studies: Studies, controlled: Sequence[StudyEntry], product: str | None) -> list[InWords]:
    """What trials of this cause report that is not pooled: words, as most without an effect do, p values, subgroups.

    Those of the planned product come first. A trial that reports nothing usable is listed with the reason.
    """
    made, unused = every(studies)
    by_id = {row.id: row for row in controlled}
    found: dict[tuple[str, str], Unused] = {}
    for each in unused:
        if each.study in by_id and each.text and each.outcome and _is_said(each.outcome):
            found.setdefault((each.study, each.key), each)
    shown = {study for study, _ in found} | {each.study for each in made}
    for each in unused:
        if each.study in by_id and each.study not in shown and each.cited:
            found.setdefault((each.study, each.key), replace(each, text=f"not pooled: {each.reason}"))
    rows = []
    for each in found.values():
        mine = _study(by_id[each.study], product)
        rows.append(InWords(each, topic_of(each.outcome), mine.study.product, mine.fits_product))
    return sorted(rows, key=lambda row: not row.fits_product)


def _is_said(outcome: str) -> bool:
    """Whether words on it are shown: pain on each trial's own scale has those of pain."""
    return outcomes()[outcome].kind != "scale" or topic_of(outcome) != "pain"


def _bears(claim: Claim, case: Case) -> bool:
    """Whether a claim is about this cause, or about what this person has tried or takes."""
    if claim.of_other_treatment:
        return False
    if claim.id in _ALWAYS:
        return True
    if claim.id in _OF_OPIOIDS:
        return case.history.opioids in ("past", "current")
    if claim.id == "after_failure" and not case.history.tried:
        return False
    return case.spasm.cause is not None and case.spasm.cause in claim.causes


def _not_known(
    cause: str, product: str | None, rows: Sequence[StudyEntry], found: Sequence[CaseFigure]
) -> list[str]:
    """rows : all studies of the cause, those without a control group too."""
    label = causes()[cause]
    trials = [row for row in rows if row.is_controlled]
    if not trials:
        near = [causes()[word] for word in near_causes(cause)]
        lines = [
            f"No controlled trial in {label} was found: the planned treatment has not been tested in it."
        ]
        if near:
            lines.append(f"Related conditions that were studied, not equivalent: {', '.join(near)}.")
        return lines
    lines = []
    if product is not None and not any(product in row.products for row in trials):
        name = product_label(product)
        other = [row.label for row in rows if not row.is_controlled and product in row.products]
        lines.append(
            f"No controlled trial of {name} in {label} has a comparison that is used here; see {', '.join(other)}."
            if other
            else f"No controlled trial of {name} in {label} was found."
        )
    have = {each.answer.outcome.word for each in found}
    core = [row["outcome"] for row in table("case_outcomes") if row["core"] == "yes"]
    lacking = [outcomes()[word].label for word in core if word not in have]
    if lacking:
        lines.append(f"No pooled estimate in this cause: {', '.join(lacking)}.")
    if any(each.of_all_products for each in found) and product is not None:
        names = ", ".join(each.answer.outcome.label for each in found if each.of_all_products)
        lines.append(f"Only of other products than the planned one: {names}.")
    recalled = sorted({study for each in found for study in each.answer.unverified})
    if recalled:
        lines.append(f"Unverified (quoted from memory, source not checked): {', '.join(recalled)}.")
    lines.append("How this person will respond: trials report averages of groups.")
    return lines
