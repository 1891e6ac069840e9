"""What trials found, for a case: on the screen, and whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from lissive.case import product
from lissive.case_answer import CaseAnswer
from lissive.case_answer.gates import figure_of, of_hundred
from lissive.evidence.answer_types import Result
from lissive.evidence.case_answer import CaseEvidence, CaseFigure, InWords
from lissive.evidence.claim import JUDGED, Claim
from lissive.evidence.effect import COUNTED
from lissive.evidence.words import outcomes
from lissive.evidence.words import table as evidence_table
from lissive.report.effect_words import DESIGN_NAMES, finding, k_words, participants, pooled_words, predicted
from lissive.report.words import UNVERIFIED, UNVERIFIED_NOTE, count, upper_first, wrapped

_INDENT = "   "
_SHORTER = {"withdrawals_ae": "stopped for adverse events"}
"""Outcome, and its label where lines are short."""


# -- on the screen ---------------------------------------------------------------------------------
def trials_lines(answer: CaseAnswer) -> Iterator[str]:
    """The complaint first, then what else trials measured of it, then what people stop for."""
    evidence, topics, planned = answer.evidence, answer.gates.complaint.topics, answer.case.plan.product
    if not evidence.controlled:
        yield from evidence.not_known[:1]
        return
    stopped = _figure(evidence, "withdrawals_ae", planned)
    for place, topic in enumerate(topics):
        found = _topic(evidence, topic, planned, is_complaint=place == 0)
        if place == min(1, len(topics) - 1):  # harm stands beside the first benefit
            found[1:1] = [stopped] if stopped else []
        yield from found


def _topic(evidence: CaseEvidence, topic: str, planned: str | None, *, is_complaint: bool) -> list[str]:
    """Two lines at most: of the planned product where it has any; people before points, numbers before words."""
    words = [row["outcome"] for row in evidence_table("case_outcomes") if row["topic"] == topic]
    words.sort(key=lambda word: (one := figure_of(evidence, word)) is None or one[1].absolute is None)
    found: list[tuple[bool, str]] = []
    for word in words:
        figure = figure_of(evidence, word)
        if (
            figure is not None
            and figure[0].answer.measure != "SMD"
            and (text := _figure(evidence, word, planned))
        ):
            found.append((figure[0].of_all_products, text))
    labels = {each.study.id: each.study.label for each in evidence.studies}
    for row in [each for each in evidence.in_words if each.topic == topic and not _BARE.match(each.text)][:1]:
        other = f", {_bare(row.product_label)}" if row.product_label and not row.fits_product else ""
        said = f"{upper_first(topic)}{_of_words(row)} ({labels[row.unused.study]}{other})."
        if all(is_other and row.fits_product for is_other, _ in found):
            found.append((not row.fits_product, said))
    if not found and is_complaint:
        return [f"{upper_first(topic)}: no result in trials of this cause."]
    mine = [text for is_other, text in found if not is_other]
    return (mine or [text for _, text in found])[:2]


_BARE = re.compile(r"(\w+ )?-?[\d.]+$")
"""A figure of one group, or a p value: beside nothing it says nothing."""


def _of_words(row: InWords) -> str:
    """What a trial reports in words, or as changes, which need their scale."""
    text = re.sub(r"in favour(?! of)", "in favour of the drug", row.text)
    word = row.unused.outcome
    for column, what in _MEANS.items():
        if word is not None and any(each.what.endswith(column) for each in row.unused.cited):
            return f", {what} in {outcomes()[word].unit}: {text}"
    return f": {text}"


_MEANS = {".change_mean": "mean change", ".end_mean": "mean at the end"}


def _figure(evidence: CaseEvidence, outcome: str, planned: str | None) -> str:
    """One pooled outcome: in people of a hundred where events were counted, else as the mean difference."""
    found = figure_of(evidence, outcome)
    if found is None:
        return ""
    figure, result = found
    mark = UNVERIFIED if figure.answer.unverified else ""
    label = (
        _SHORTER.get(outcome, figure.answer.outcome.label)
        .removesuffix(" (patient-reported)")
        .replace("or more", "")
        .strip()
    )
    head = f"{upper_first(label)}{_of(figure, planned)}{_enriched(result.design)}{mark}"
    if result.absolute is not None:
        return f"{head}: {of_hundred(result.absolute)}."
    if figure.answer.measure in COUNTED:
        return ""  # a ratio without a risk that it starts from says nothing of people
    pooled, measure = result.pooled, figure.answer.measure_label
    low, high = (f"{end:.2f}" for end in pooled.ci)
    most = outcomes()[outcome].upper
    is_plain = measure != "mean difference" or most is None or "NRS" in label
    scale = "" if is_plain else f", points of {most:g}"
    return f"{head}: {measure} {pooled.estimate:.2f} (95 % CI {low} to {high}){scale}."


def _of(figure: CaseFigure, planned: str | None) -> str:
    """Which products a figure is of, where they are not called as the planned one is."""
    if planned is not None and tuple(map(_bare, figure.products)) == (_bare(product(planned).label),):
        return ""
    return f" with {_bare(figure.products[0])}" if len(figure.products) == 1 else " with several products"


def _bare(label: str) -> str:
    """A product without what it consists of."""
    return label.split(" (")[0]


def _enriched(design: str) -> str:
    return ", run-in responders only" if design == "enriched" else ""


# -- whole -----------------------------------------------------------------------------------------
def case_evidence_text(found: CaseEvidence) -> str:
    """Part 3 of a case."""
    parts = [_evidence_head(found), *_topics(found)]
    if found.near_studies and not found.controlled:
        names = ", ".join(each.study.id for each in found.near_studies)
        parts.append(wrapped(f"Studies in related conditions, not equivalent: {names}.", _INDENT))
    if any(row.answer.unverified for row in found.pooled):
        parts.append(wrapped(f"{UNVERIFIED_NOTE}.", _INDENT))
    parts += [_claim_lines(found.claims), _list("What is not known:", found.not_known)]
    parts.append(
        wrapped(
            "Sources of all numbers: lissive evidence show ID; full meta-analysis: lissive evidence pool.",
            _INDENT,
        )
    )
    return "\n".join(part for part in parts if part)


def _evidence_head(found: CaseEvidence) -> str:
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
    return [_whole_topic(topic, found) for topic in found.topics if topic in have]


def _whole_topic(topic: str, found: CaseEvidence) -> str:
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
    of = f"{_design_name(result.design)}, {k_words(result.studies)}{size}{_weeks(result, weeks)}"
    text = f"- {of}: {pooled_words(pooled)}, "
    text += finding(result, drug)
    if result.prediction_beyond_scale:
        text += f"; prediction interval {predicted(result)}"
    elif pooled.prediction_interval is not None:
        text += f"; 95 % prediction interval {predicted(result)}"
    return f"{text}."


def _design_name(design: str) -> str:
    name = DESIGN_NAMES.get(design, design)
    return f"{name} (run-in responders only)" if design == "enriched" else name


def _weeks(result: Result, weeks: Mapping[str, float | str | None]) -> str:
    """Duration of a single study."""
    long = weeks.get(result.studies[0]) if result.pooled.k == 1 else None
    if long is None:
        return ""
    return f", {long}" if isinstance(long, str) else f", {long:g} weeks"


def _words(row: InWords) -> str:
    product = f", {row.product_label}" if row.product_label and not row.fits_product else ""
    return f"- {row.unused.study}{product}, {row.unused.key}: {row.text}"


def _claim_lines(rows: Sequence[Claim]) -> str:
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
