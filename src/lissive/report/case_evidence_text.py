"""The evidence of a case as text: figures with designs apart, what trials say in words, claims, what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lissive.evidence.answer_types import Result
from lissive.evidence.case_answer import CaseEvidence, CaseFigure, InWords
from lissive.evidence.claim import Claim
from lissive.report.pool_words import counted, interval, number, people
from lissive.report.words import count, upper_first, wrapped

_INDENT = "   "
_DESIGNS = {
    "parallel": "parallel groups",
    "enriched": "enriched (responders to the drug alone)",
    "withdrawal": "withdrawal",
    "crossover": "crossover",
}
_WHICH = {
    "benefit": "better with {drug}",
    "harm": "worse with {drug}",
    "either": "no difference is within it",
}


def case_evidence_text(found: CaseEvidence) -> str:
    """Section 2 of a case."""
    parts = [_head(found), *_topics(found)]
    if found.near_studies and not found.controlled:
        names = ", ".join(each.study.id for each in found.near_studies)
        parts.append(wrapped(f"Studied near it, and not the same: {names}.", _INDENT))
    parts += [_claims(found.claims), _list("What is not known:", found.not_known)]
    parts.append(
        wrapped("Every number with its source: lissive evidence show ID; lissive evidence pool.", _INDENT)
    )
    return "\n".join(part for part in parts if part)


def _head(found: CaseEvidence) -> str:
    if found.cause is None:
        return "2  Evidence: the case names no cause."
    trials = found.controlled
    fitting = [each.study.id for each in trials if each.fits_product]
    if not trials:
        return f"2  Evidence for {found.cause_label}: no controlled trial."
    kind = f" of {found.product_label}" if found.product_label else ""
    names = f": {', '.join(fitting)}" if fitting else ""
    head = (
        f"2  Evidence for {found.cause_label}: {count(len(trials), 'controlled trial')}, {len(fitting)}{kind}"
    )
    return wrapped(f"{head}{names}.", hanging=_INDENT)


def _topics(found: CaseEvidence) -> list[str]:
    """A paragraph for each thing that patients ask about, in the order of its table."""
    have = {row.topic for row in found.pooled} | {row.topic for row in found.in_words}
    return [_topic(topic, found) for topic in found.topics if topic in have]


def _topic(topic: str, found: CaseEvidence) -> str:
    """Figures and words of the planned product, then those of others: what others found does not stand first."""
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
    where = "In no figure" if beside else "Without a figure"
    return f"{where}, of other products:" if other else f"{where}:"


def _figure_head(row: CaseFigure, planned: str | None) -> str:
    """What is pooled, in which unit, of which products; a figure of other products says so before its number."""
    answer = row.answer
    unit = f" in {answer.outcome.unit}" if answer.measure == "MD" else ""
    products = ", ".join(row.products)
    other = ""
    if row.of_all_products and products:
        other = f"Of other products only: {products}. " if planned else f"Of {products}. "
    mark = f" [{len(answer.unverified)} of {answer.k} quoted from memory]" if answer.unverified else ""
    label = "" if answer.outcome.label == row.topic else f"{answer.outcome.label}, "
    return f"{other}{upper_first(label + answer.measure_label)}{unit}{mark}:"


def _design(result: Result, figure: CaseFigure, weeks: Mapping[str, float | str | None]) -> str:
    """One design's figure: designs answer different questions, and are not put together here."""
    pooled, measure = result.pooled, result.pooled.measure
    drug = "that product" if figure.of_all_products else "the drug"
    size = f", {people(pooled)}" if pooled.n_stated_by else ""
    of = f"{_DESIGNS.get(result.design, result.design)}, {counted(result.studies)}{size}{_weeks(result, weeks)}"
    text = f"- {of}: {number(pooled.estimate, measure)} ({interval(pooled.ci, measure)}), "
    text += _WHICH[result.direction].format(drug=drug)
    if result.prediction_beyond_scale:
        text += f"; {counted(result.studies)} cannot tell what a further one would find"
    elif pooled.prediction_interval is not None:
        text += f"; in a further study {interval(pooled.prediction_interval, measure)}"
    return f"{text}."


def _weeks(result: Result, weeks: Mapping[str, float | str | None]) -> str:
    """How long a single study was; three days say little of twelve weeks."""
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
    head = "Popular claims that bear on it (certainty is our own judgement; more of one: lissive evidence show ID):"
    return _list(head, lines)


def _list(head: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return "\n".join([wrapped(head, _INDENT), *(wrapped(f"- {line}", _INDENT) for line in lines)])
