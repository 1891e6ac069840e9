"""The evidence of a case as text: estimates by design, results reported in words, claims, what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lissive.evidence.answer_types import Result
from lissive.evidence.case_answer import CaseEvidence, CaseFigure, InWords
from lissive.evidence.claim import JUDGED, Claim
from lissive.report.pool_words import k_words, participants, pooled_words, predicted
from lissive.report.words import UNVERIFIED, UNVERIFIED_NOTE, count, upper_first, wrapped

_INDENT = "   "
_DESIGNS = {
    "parallel": "parallel groups",
    "enriched": "enriched enrolment (run-in responders only)",
    "withdrawal": "randomised withdrawal",
    "crossover": "crossover",
}
_WHICH = {
    "benefit": "favours {drug}",
    "harm": "favours control",
    "either": "95 % CI includes no effect",
}


def case_evidence_text(found: CaseEvidence) -> str:
    """Part 3 of a case."""
    parts = [_head(found), *_topics(found)]
    if found.near_studies and not found.controlled:
        names = ", ".join(each.study.id for each in found.near_studies)
        parts.append(wrapped(f"Studies in related conditions, not equivalent: {names}.", _INDENT))
    if any(row.answer.unverified for row in found.pooled):
        parts.append(wrapped(f"{UNVERIFIED_NOTE}.", _INDENT))
    parts += [_claims(found.claims), _list("What is not known:", found.not_known)]
    parts.append(
        wrapped(
            "Sources of all numbers: lissive evidence show ID; full meta-analysis: lissive evidence pool.",
            _INDENT,
        )
    )
    return "\n".join(part for part in parts if part)


def _head(found: CaseEvidence) -> str:
    if found.cause is None:
        return "3  Evidence: the case names no cause."
    trials = found.controlled
    fitting = [each.study.id for each in trials if each.fits_product]
    if not trials:
        return f"3  Evidence for {found.cause_label}: no controlled trial."
    kind = f" of {found.product_label}" if found.product_label else ""
    names = f": {', '.join(fitting)}" if fitting else ""
    head = (
        f"3  Evidence for {found.cause_label}: {count(len(trials), 'controlled trial')}, {len(fitting)}{kind}"
    )
    return wrapped(f"{head}{names}.", hanging=_INDENT)


def _topics(found: CaseEvidence) -> list[str]:
    """A paragraph for each topic, in the order of its table."""
    have = {row.topic for row in found.pooled} | {row.topic for row in found.in_words}
    return [_topic(topic, found) for topic in found.topics if topic in have]


def _topic(topic: str, found: CaseEvidence) -> str:
    """Results of the planned product, then those of others."""
    figures = [row for row in found.pooled if row.topic == topic]
    in_words = [row for row in found.in_words if row.topic == topic]
    weeks = {each.study.id: each.study.weeks for each in found.studies}
    lines = [f"{_INDENT}{upper_first(topic)}"]
    for other in (False, True):
        mine = [row for row in figures if row.of_all_products == other]
        words = [row for row in in_words if row.fits_product != other]
        for row in mine:
            lines.append(wrapped(_figure_head(row, found.product), "     "))
            lines += [wrapped(_design(each, row, weeks), "     ") for each in row.answer.by_design]
        if words:
            lines.append(wrapped(_words_head(bool(mine), other and found.product is not None), "     "))
            lines += [wrapped(_words(each), "     ") for each in words]
    return "\n".join(lines)


def _words_head(beside: bool, other: bool) -> str:
    where = "Not pooled" if beside else "No extractable estimate"
    return f"{where}, other products:" if other else f"{where}:"


def _figure_head(row: CaseFigure, planned: str | None) -> str:
    """What is pooled, in which unit, of which products; other products than the planned one are named first."""
    answer = row.answer
    unit = f" in {answer.outcome.unit}" if answer.measure == "MD" else ""
    products = ", ".join(row.products)
    other = ""
    if row.of_all_products and products:
        other = f"Other products only ({products}). " if planned else f"{upper_first(products)}. "
    mark = f" ({UNVERIFIED} {len(answer.unverified)} of {answer.k} unverified)" if answer.unverified else ""
    label = "" if answer.outcome.label == row.topic else f"{answer.outcome.label}, "
    return f"{other}{upper_first(label + answer.measure_label)}{unit}{mark}:"


def _design(result: Result, figure: CaseFigure, weeks: Mapping[str, float | str | None]) -> str:
    """One design's estimate: designs answer different questions and are not pooled here."""
    pooled = result.pooled
    drug = "that product" if figure.of_all_products else "the drug"
    size = f", {participants(pooled)}" if pooled.n_stated_by else ""
    of = f"{_DESIGNS.get(result.design, result.design)}, {k_words(result.studies)}{size}{_weeks(result, weeks)}"
    text = f"- {of}: {pooled_words(pooled)}, "
    text += _WHICH[result.direction].format(drug=drug)
    if result.prediction_beyond_scale:
        text += f"; prediction interval {predicted(result)}"
    elif pooled.prediction_interval is not None:
        text += f"; 95 % prediction interval {predicted(result)}"
    return f"{text}."


def _weeks(result: Result, weeks: Mapping[str, float | str | None]) -> str:
    """Duration of a single study."""
    long = weeks.get(result.studies[0]) if result.pooled.k == 1 else None
    if long is None:
        return ""
    return f", {long}" if isinstance(long, str) else f", {long:g} weeks"


def _words(row: InWords) -> str:
    product = f", {row.product_label}" if row.product_label and not row.fits_product else ""
    return f"- {row.unused.study}{product}, {row.unused.key}: {row.text}"


def _claims(rows: Sequence[Claim]) -> str:
    lines = [
        f"{row.claim} {row.verdict_label.upper()} (certainty {row.certainty_label}): {row.answer} [{row.id}]"
        for row in rows
    ]
    head = f"Popular claims relevant to this case (certainty: {JUDGED}; in full: lissive evidence show ID):"
    return _list(head, lines)


def _list(head: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return "\n".join([wrapped(head, _INDENT), *(wrapped(f"- {line}", _INDENT) for line in lines)])
