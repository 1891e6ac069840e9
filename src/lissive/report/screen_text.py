"""The answers for a case on one screen: the answer first, what could hurt before what may help.

A part holds whole items. Where the screen is full, the last items of the least needed parts are left out, never one on
safety, and the last line says where they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lissive.access.of_case import why_not
from lissive.case import causes, product
from lissive.case_answer import INTENDED_USE, CaseAnswer
from lissive.case_answer.gates import beyond_trials, figure_of, of_hundred
from lissive.case_answer.usual_care import UsualCare
from lissive.evidence.case_answer import CaseFigure
from lissive.evidence.words import table as evidence_table
from lissive.forecast import ForecastAnswer, ForecastNeeds
from lissive.report.access_text import STATUS, procedural_text
from lissive.report.case_text import plan_line, who
from lissive.report.words import UNVERIFIED, count, listed, upper_first, wrapped
from lissive.safety import Flag, SafetyAnswer

WIDTH, LINES = 80, 26
_LABEL = 13
_BOLD, _ALARM, _PLAIN = "\033[1m", "\033[1;31m", "\033[0m"
_FIRST_TO_GO = ("NOT KNOWN", "USUAL CARE", "TRIALS", "THIS PERSON", "ACCESS")
"""Where items are left out first; each of them keeps its first."""
PARTS = "--access, --safety, --evidence, --forecast"


@dataclass
class Part:
    """A label, and items below each other."""

    label: str
    items: list[str]

    def lines(self) -> list[str]:
        indent = " " * _LABEL
        lines = [line for item in self.items for line in wrapped(item, indent, "  ", WIDTH).split("\n")]
        return [f"{self.label:<{_LABEL}}{lines[0][_LABEL:]}", *lines[1:]]


def screen(answer: CaseAnswer, *, colour: bool = False) -> str:
    """The whole screen; in colour, labels are bold and what is contraindicated is red."""
    parts = [
        Part("BOTTOM LINE", [answer.bottom_line.text]),
        Part("PLAN", [plan_line(answer.case, may_dose=answer.gates.may_dose)]),
        Part("ACCESS", list(_access(answer))),
        Part("SAFETY", list(_safety(answer.safety))),
        Part("TRIALS", list(_trials(answer))),
        Part("THIS PERSON", list(_person(answer))),
        Part("USUAL CARE", list(_usual_care(answer.usual_care))),
        Part("NEXT", [_next(answer)]),
        Part("NOT KNOWN", list(_not_known(answer))),
    ]
    more = len([flag for flag in answer.safety.flags if _is_grave(flag)]) if answer.safety else 0
    left_out = _fit(parts, LINES + more - 3)
    last = [
        f"{'Left out here: ' + ', '.join(left_out) + '. ' if left_out else ''}In full: --full, or {PARTS}.",
        f"Decision support, not a prescription. Intended use: {INTENDED_USE}",
    ]
    lines = [wrapped(who(answer.case), width=WIDTH, hanging="  "), *(line for part in parts for line in part.lines())]
    lines += [wrapped(each, width=WIDTH) for each in last]
    return "\n".join(_coloured(line) if colour else line for line in lines)


def _fit(parts: Sequence[Part], most: int) -> list[str]:
    """Take items away until the parts have no more lines than that; the parts that lost one."""
    lost: list[str] = []
    for label in _FIRST_TO_GO:
        part = next(each for each in parts if each.label == label)
        while sum(len(each.lines()) for each in parts) > most and len(part.items) > 1:
            part.items.pop()
            lost += [label.lower()] if label.lower() not in lost else []
    return lost


def _coloured(line: str) -> str:
    label = line[:_LABEL].strip()
    if line[_LABEL:].startswith("CONTRAINDICATED"):
        return f"{_BOLD}{line[:_LABEL]}{_ALARM}{line[_LABEL:]}{_PLAIN}"
    return f"{_BOLD}{line[:_LABEL]}{_PLAIN}{line[_LABEL:]}" if label.isupper() else line


# -- may they have it ------------------------------------------------------------------------------
def _access(answer: CaseAnswer) -> Iterator[str]:
    found = answer.access
    if found is None:
        yield f"Not answered, because {why_not(answer.case)}."
    else:
        yield f"{upper_first(STATUS[found.status])} in {found.name}. Visit: {procedural_text(found)}."
    if answer.case.plan.product is not None:
        label = product(answer.case.plan.product).label
        said = {
            "obtainable": f"{upper_first(label)} can be had there.",
            "not_obtainable": f"{upper_first(label)} cannot be had there.",
        }.get(answer.gates.product, f"Whether {label} can be had there was not checked.")
        yield said
    if found is not None and found.missing:
        yield f"To find out: {found.missing[0].asks}."
    if found is not None and found.cautions:
        yield f"{count(len(found.cautions), 'caution')}; {found.confidence} confidence."


# -- what could hurt -------------------------------------------------------------------------------
def _is_grave(flag: Flag) -> bool:
    return flag.severity in ("contraindicated", "major")


def _safety(found: SafetyAnswer | None) -> Iterator[str]:
    """Each grave flag on a line of its own, the others in one; none is left out."""
    if found is None:
        yield "Not checked: nothing here says that it is safe."
        return
    for flag in found.flags:
        if _is_grave(flag):
            yield f"{flag.severity.upper()}: {_short(flag)}"
    for severity in ("moderate", "minor"):
        if flags := [flag for flag in found.flags if flag.severity == severity]:
            yield f"{upper_first(severity)}: {'; '.join(map(_short, flags))}."
    if found.unknown_drugs:
        yield f"Unknown names, not checked: {', '.join(each.name for each in found.unknown_drugs)}."
    if not found.flags:
        yield "No flag in what the case states."
    if found.not_assessed:
        yield f"Not stated: {', '.join(found.not_assessed)}."


def _short(flag: Flag) -> str:
    return getattr(flag, "short", "") or " + ".join(word.replace("_", " ") for word in flag.substances)


# -- what trials found -----------------------------------------------------------------------------
def _trials(answer: CaseAnswer) -> Iterator[str]:
    """The complaint first, then what else trials measured of it, then what people stop for."""
    evidence, topics = answer.evidence, answer.gates.complaint.topics
    if not evidence.controlled:
        yield from evidence.not_known[:2]
        return
    outcomes = [row["outcome"] for row in evidence_table("case_outcomes") if row["figure"] == "yes"]
    for place, topic in enumerate(topics):
        shown = [text for word in outcomes if (text := _figure(answer, word, topic))]
        in_words = [each for each in evidence.in_words if each.topic == topic]
        if not shown and in_words:
            one = in_words[0]
            other = "" if one.fits_product or not one.product_label else f", {one.product_label}"
            shown = [f"{upper_first(topic)}: {one.unused.study}{other}: {one.text}."]
        elif not shown and place == 0:
            shown = [f"{upper_first(topic)}: no result in trials of this cause."]
        yield from shown[:2]
    if stopped := _figure(answer, "withdrawals_ae", "adverse events"):
        yield stopped


def _figure(answer: CaseAnswer, outcome: str, topic: str) -> str:
    """One pooled outcome: in people of a hundred where events were counted, else as the mean difference."""
    found = figure_of(answer.evidence, outcome)
    if found is None or found[0].topic != topic:
        return ""
    figure, result = found
    mark = UNVERIFIED if figure.answer.unverified else ""
    head = f"{upper_first(figure.answer.outcome.label)}{_of(figure)}{_enriched(result.design)}{mark}"
    if result.absolute is not None:
        return f"{head}: {of_hundred(result.absolute)}."
    pooled, measure = result.pooled, figure.answer.measure_label
    low, high = (f"{end:.2f}" for end in pooled.ci)
    return f"{head}: {measure} {pooled.estimate:.2f} (95 % CI {low} to {high}), k = {pooled.k}."


def _of(figure: CaseFigure) -> str:
    return f", other products ({', '.join(figure.products)})" if figure.of_all_products else ""


def _enriched(design: str) -> str:
    return ", run-in responders only" if design == "enriched" else ""


# -- this person -----------------------------------------------------------------------------------
def _person(answer: CaseAnswer) -> Iterator[str]:
    gate, cause = answer.gates, answer.case.spasm.cause
    if gate.product == "not_obtainable":
        yield "No forecast: the planned product cannot be had there."
    elif cause is None:
        yield "No number: the case names no cause."
    elif gate.calibrated != "trials":
        fitted = "other products in this cause" if gate.calibrated == "prior" else "other causes"
        yield f"No number for this person: the model was fitted on trials of {fitted}."
    elif isinstance(answer.forecast, ForecastNeeds):
        needed = ", ".join(each.field for each in answer.forecast.needs)
        yield f"No forecast: the case does not state {needed}." if needed else "Not simulated."
    elif answer.forecast.failed == answer.forecast.subjects:
        yield "No simulated person could be followed to the end."
    else:
        yield from _simulated(answer, answer.forecast)


def _simulated(answer: CaseAnswer, forecast: ForecastAnswer) -> Iterator[str]:
    gate, week = answer.gates, forecast.weeks[-1]
    people = count(forecast.subjects - forecast.failed, "simulated person", "simulated people")
    yield f"{people} with these starting values; age and sex change nothing."
    if gate.complaint.outcome not in gate.numbers:
        yield f"{upper_first(gate.complaint.label)}: no number; the trials that were fitted do not count them."
    if "spasticity_nrs" in gate.numbers:
        one = forecast.outcomes["spasticity_nrs"]
        drug, placebo, gap = (one.of(side).mean[-1] for side in ("active", "placebo", "difference"))
        beyond = "; larger than in trials: rely on TRIALS" if beyond_trials(forecast, answer.evidence) else ""
        yield (
            f"Spasticity NRS, now {one.active.mean[0]:.1f}, mean in week {week}: {drug:.1f} with the drug, "
            f"{placebo:.1f} with placebo, difference {gap:+.1f}{beyond}."
        )
        hit = forecast.responders["30pct_week12"]
        if hit is not None:
            yield (
                f"Improved by 30 % in week 12, of 100: {100 * hit.active:.0f} with the drug, "
                f"{100 * hit.placebo:.0f} with placebo."
            )


# -- what else, what next, what is not known -------------------------------------------------------
def _usual_care(rows: Sequence[UsualCare]) -> Iterator[str]:
    if not rows:
        yield "Nothing on usual treatment of this cause is in the tables."
        return
    said = []
    for heads, words in (("Had", ("taking", "tried")), ("Not tried", ("not_tried",)), ("Not stated", ("unknown",))):
        if mine := [each for each in rows if each.tried in words]:
            known = "" if heads == "Had" else f" ({mine[0].known}{_unread(mine[0])})"
            names = [each.treatment for each in mine]
            said.append(f"{heads}: {', '.join([f'{names[0]}{known}', *names[1:]])}.")
    yield " ".join(said)


def _unread(row: UsualCare) -> str:
    return f" {UNVERIFIED}" if row.provenance == "recalled" else ""


def _next(answer: CaseAnswer) -> str:
    said = []
    for step in answer.next:
        when = step.after if step.on is None else f"{step.on.isoformat()}, if started on {answer.case.as_of}"
        when = "" if when == "now" else f" ({when})"
        said.append(f"{upper_first(step.what)}{when}.")
    return " ".join(said)


def _not_known(answer: CaseAnswer) -> Iterable[str]:
    yield "How this person will respond: trials report averages of groups."
    yield from [
        line
        for line in answer.evidence.not_known
        if line.startswith(("No pooled", "No controlled trial of", "Unverified"))
    ]
