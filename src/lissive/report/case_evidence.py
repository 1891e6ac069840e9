"""What trials found, for a case: on the screen, and whole."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from lissive.case import product
from lissive.case_answer import CaseAnswer
from lissive.case_answer.findings import Finding
from lissive.case_answer.gates import more_or_fewer
from lissive.evidence.answer_types import Result
from lissive.evidence.case_answer import CaseEvidence, CaseFigure, InWords
from lissive.evidence.claim import JUDGED, Claim
from lissive.evidence.words import outcomes
from lissive.report.effect_words import (
    DESIGN_NAMES,
    either_sign,
    finding,
    k_words,
    participants,
    pooled_words,
    predicted,
    said_too_words,
)
from lissive.report.words import UNVERIFIED, UNVERIFIED_NOTE, count, listed, upper_first, wrapped

_INDENT = "   "
# -- on the screen ---------------------------------------------------------------------------------
_MOST = 10
"""Lines of trials on the screen."""
_IN_WORDS = 2
"""So many rows may be words alone."""
_NAME, _FIGURE, _INTERVAL, _FOUND, _CERTAINTY = 23, 7, 18, 50, 8
"""Widths of its columns: name and people within what was found."""
_SHORTER = {
    "withdrawals_ae": "stopped (side effects)",
    "stiffness_relief": "stiffness relieved",
    "ashworth": "Ashworth (0 to 4)",
    "spasm_severity": "spasm severity (0-10)",
    "walk_10m": "timed walk, 10 m [s]",
    "pain_nrs": "pain (0-10)",
    "spasticity_nrs": "spasticity (0-10)",
    "sleep_nrs": "sleep trouble (0-10)",
    "fiq": "FIQ (0 to 100)",
}
"""Outcome, and its label where lines are short."""


def trials_lines(answer: CaseAnswer, *, spelt: bool = False) -> Iterator[str]:
    """A row for each complaint, the guideline after harm; each item may have several lines.

    Columns stand in line on the screen; spelt, a row names what it holds, for a page whose type is not of one width.
    """
    if not answer.trials:
        yield from answer.evidence.not_known[:1]
    planned = answer.case.plan.product
    only_words = all(one.words for one in answer.trials)
    items: list[str] = []
    of = "" if planned is None else _bare(product(planned).label)
    for one in (one for place, one in enumerate(answer.trials) if place < _IN_WORDS or not one.words):
        new = listed(map(_bare, one.products))
        head = [f"With {new}:"] if new not in (of, "") else []
        sign = f"  {_direction(one)}"
        is_new = sign.strip() and not (one.words and only_words) and not any(sign in item for item in items)
        items.append("\n".join([*head, *_row(one, spelt), *([sign] if is_new else [])]))
        of = new
    if answer.trials:
        are_people = any(one.absolute is not None for one in answer.trials)
        what = f"{'Of 100 people, drug / placebo' if are_people else 'Drug minus placebo'} (95 % CI)"
        if only_words:
            directions = dict.fromkeys(filter(None, map(_direction, answer.trials)))
            what = f"Drug against placebo{f' ({listed(directions)})' if directions else ''}"
        items[0] = f"{what}{'.' if spelt else '; certainty; trials, people'}\n{items[0]}"
    if answer.guideline is not None and answer.guideline.source:
        items.insert(min(3, len(items)), f"Guideline: {answer.guideline.text}.")
    while sum(each.count("\n") + 1 for each in items) > _MOST:
        items.pop()
    yield from items


def _row(one: Finding, spelt: bool) -> Iterator[str]:
    """Name, with the drug and without, interval, certainty, trials and participants; below it whose analysis it is."""
    mark = UNVERIFIED if one.unverified else ""
    name = upper_first(_SHORTER.get(one.outcome) or _label(one)) + mark
    if one.absolute is not None:
        interval = more_or_fewer(one.absolute)
        interval = interval if len(interval) <= _INTERVAL else interval.replace(" to ", "-")
        people = f"{100 * one.absolute.risk:.0f} / {100 * one.absolute.baseline:.0f}"
        figures = f"{people}, {interval}" if spelt else f"{people:<{_FIGURE}} {interval}"
    elif one.difference is not None:
        figures = "{:.2g} ({:.2g} to {:.2g})".format(*one.difference)
    else:
        words = re.sub(r"in favour(?! of)", "in favour of the drug", re.sub(r" \(n \d+\)", "", one.words))
        name = f"{upper_first(one.complaint)} {one.said_as}".strip() + mark
        figures = words
    certainty = "unclear" if one.includes_none and one.certainty in ("moderate", "high") else one.certainty
    if spelt:
        judged = f"; certainty {certainty}" if certainty else ""
        people = "" if one.n is None else f", {count(round(one.n), 'person', 'people')}"
        yield f"{name}: {figures}{judged}; {count(one.k, 'trial')}{people}"
    else:
        size = f"{one.k}" if one.n is None else f"{one.k}, {one.n:.0f}"
        found = [f"{name:<{_NAME}} {figures}"]
        if one.words and one.absolute is None and one.difference is None:
            found = textwrap.wrap(f"{name}: {figures}", _FOUND, subsequent_indent="  ")
        yield f"{found[0]:<{_FOUND}} {certainty:<{_CERTAINTY}} {size}"
        yield from found[1:]
    if one.design == "enriched":
        yield "  run-in responders only"
    if one.unsigned:
        yield f"  the unknown sign of {one.unsigned} could change this"
    if one.pooled is not None and one.pooled[1] is not None:
        yield f"  {one.source}; pool of {one.pooled[0]}: {more_or_fewer(one.pooled[1])}"


def _direction(one: Finding) -> str:
    """Which way of its figures is the better one; nothing of events, which are benefit or harm, and of words alone."""
    is_lower = one.outcome in outcomes() and outcomes()[one.outcome].better == "lower"
    if one.absolute is None and one.difference is not None:
        return f"{'below' if is_lower else 'above'} 0 favours the drug"
    return "lower is better" if one.said_as and is_lower else ""


def _label(one: Finding) -> str:
    label = outcomes()[one.outcome].label.removesuffix(" (patient-reported)")
    return label.replace("improved by ", "").replace("or more", "better")


def _bare(label: str) -> str:
    """A product without what it consists of."""
    return label.split(" (")[0]


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
    kind = f", {len(fitting)} of {found.product_label}" if found.product_label else ""
    names = f": {', '.join(fitting)}" if fitting else ""
    head = f"3  Evidence for {found.cause_label}: {count(len(trials), 'controlled trial')}{kind}"
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
            lines += [wrapped(each, "       ") for each in said_too_words(row.answer)]
            lines += [wrapped(each, "     ") for each in either_sign(row.answer, _drug(row))]
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
    size = f", {participants(pooled)}" if pooled.n_stated_by else ""
    of = f"{_design_name(result.design)}, {k_words(result.studies)}{size}{_weeks(result, weeks)}"
    text = f"- {of}: {pooled_words(pooled)}, "
    text += finding(result, figure.answer.outcome, _drug(figure))
    if result.prediction_beyond_scale:
        text += f"; prediction interval {predicted(result)}"
    elif pooled.prediction_interval is not None:
        text += f"; 95 % prediction interval {predicted(result)}"
    text += f"; certainty by rule: {result.certainty}" if result.certainty else ""
    return f"{text}."


def _drug(figure: CaseFigure) -> str:
    return "that product" if figure.of_all_products else "the drug"


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
        f"{row.claim} {row.verdict_label.upper()} (certainty {row.certainty_words}): {row.answer} "
        f"{row.certainty_reason} [{row.id}]".replace("  ", " ")
        for row in rows
    ]
    head = f"Popular claims relevant to this case (certainty: {JUDGED}; in full: lissive evidence show ID):"
    return _list(head, lines)


def _list(head: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return "\n".join([wrapped(head, _INDENT), *(wrapped(f"- {line}", _INDENT) for line in lines)])
