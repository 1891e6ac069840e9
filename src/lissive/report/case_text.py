"""A case on one screen.

The answer first, what could hurt before what may help. A part holds whole items. Where the screen is full, the last
items of the least needed parts are left out, never one on safety, and the last line says where they are.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lissive.access.answer import Answer
from lissive.access.cases import why_not
from lissive.case import product
from lissive.case_answer import INTENDED_USE, CaseAnswer
from lissive.case_answer.bottom_line import is_advice
from lissive.case_answer.findings import leading
from lissive.case_answer.gates import beside_trials, beyond_trials, figure_of
from lissive.case_answer.next_step import BEFORE
from lissive.case_answer.usual_care import UsualCare
from lissive.evidence.answer_types import Absolute, Result
from lissive.evidence.case_answer import CaseFigure
from lissive.forecast import ForecastAnswer, ForecastNeeds
from lissive.report.access_text import STATUS, caution_text, visit_text
from lissive.report.case_evidence import trials_lines
from lissive.report.case_parts import plan_line, who
from lissive.report.words import UNVERIFIED, difference, listed, signed, span, upper_first, wrapped
from lissive.safety import Flag, SafetyAnswer
from lissive.versions import newest

WIDTH, LINES = 80, 26
_LABEL = 13
_BOLD, _ALARM, _PLAIN = "\033[1m", "\033[1;31m", "\033[0m"
_MAY_GO = (
    ("NOT KNOWN", 0),
    ("SAFETY", 0),
    ("TRIALS", 4),
    ("THIS PERSON", 3),
    ("ACCESS", 1),
    ("USUAL CARE", 0),
    ("TRIALS", 3),
    ("THIS PERSON", 2),
    ("TRIALS", 2),
    ("TRIALS", 1),
)
"""Where items are left out, in this order, and how many stay. Of safety none is: what is not stated is counted then."""
_EXPLAINED = 3
"""Up to so many flags of one severity below major are said with what may happen; beyond, with their substances."""
_BRIEF = {
    "current drugs": "drugs",
    "other conditions": "conditions",
    "family history of psychosis": "family psychosis",
}
"""What the case does not state, in fewer words."""
_STATED = 2
"""Of what the case does not say on safety, so much is named where all that may forbid it does not fit."""
_NAMED = 3
"""Of the parts that are cut, so many are named; more would not fit on the line."""


@dataclass
class Part:
    """A label, and items below each other."""

    label: str
    items: list[str]

    def lines(self) -> list[str]:
        if not self.items:
            return []
        indent = " " * _LABEL
        pieces = [piece for item in self.items for piece in item.split("\n")]
        lines = [line for piece in pieces for line in wrapped(piece, indent, "  ", WIDTH).split("\n")]
        return [f"{self.label:<{_LABEL}}{lines[0][_LABEL:]}", *lines[1:]]


def screen(answer: CaseAnswer, *, colour: bool = False) -> str:
    """The whole screen; in colour, labels are bold and what is contraindicated is red."""
    parts = parts_of(answer)
    grave = [_grave(flag) for flag in answer.safety.flags if _is_grave(flag)]
    most = LINES + len(Part("", grave).lines())
    lines = _laid_out(answer, parts, [])
    lost: list[str] = []
    for label, least in _MAY_GO:
        if (label, least) == _MAY_GO[-1]:  # only where two lines for each grave flag do not hold it
            most = max(most, LINES + 2 * len(grave))
        part = next(each for each in parts if each.label == label)
        if label == "SAFETY":
            if len(lines) > most and answer.safety.unstated:
                part.items[-1] = _unstated(answer.safety, _STATED)
                lines = _laid_out(answer, parts, lost)
            continue
        while len(lines) > most and len(part.items) > least:
            part.items.pop()
            lost += [] if label.lower() in lost else [label.lower()]
            lines = _laid_out(answer, parts, lost)
    return "\n".join(_coloured(line) if colour else line for line in lines)


def parts_of(answer: CaseAnswer, *, whole: bool = False) -> list[Part]:
    """The short answer in its order, nothing left out; with whole, its caution too is not cut."""
    return [
        Part("BOTTOM LINE", [answer.bottom_line.text]),
        Part("CASE", [who(answer.case, brief=True)]),
        Part("PLAN", [plan_line(answer.case, may_dose=answer.gates.may_dose)]),
        Part("ACCESS", list(_access(answer, whole))),
        Part("SAFETY", list(_safety(answer.safety))),
        Part("TRIALS", list(trials_lines(answer))),
        Part("THIS PERSON", list(_person(answer))),
        Part("USUAL CARE", list(_usual_care(answer.usual_care))),
        Part("NEXT", list(_next(answer))),
        Part("NOT KNOWN", list(_not_known(answer))),
    ]


def _laid_out(answer: CaseAnswer, parts: Sequence[Part], lost: Sequence[str]) -> list[str]:
    cut = (
        f"Left out: more on {listed(lost) if len(lost) <= _NAMED else f'{len(lost)} parts'}. " if lost else ""
    )
    is_marked = any(UNVERIFIED in item for part in parts for item in part.items)
    marks = f"{UNVERIFIED} unverified. " if is_marked else ""
    paragraphs = [
        *("\n".join(part.lines()) for part in parts if part.items),
        wrapped(f"{marks}{cut}More: --full.", width=WIDTH),
        f"Decision support, not a prescription ({INTENDED_USE}). Data: {newest()}.",
    ]
    return [line for each in paragraphs for line in each.split("\n")]


def _coloured(line: str) -> str:
    label = line[:_LABEL].strip()
    if line[_LABEL:].startswith("CONTRAINDICATED"):
        return f"{_BOLD}{line[:_LABEL]}{_ALARM}{line[_LABEL:]}{_PLAIN}"
    return f"{_BOLD}{line[:_LABEL]}{_PLAIN}{line[_LABEL:]}" if label.isupper() else line


# -- may they have it ------------------------------------------------------------------------------
def _access(answer: CaseAnswer, whole: bool) -> Iterator[str]:
    found, planned = answer.access, answer.case.plan.product
    asked = "" if planned is None else f" Product: {_OBTAINABLE.get(answer.gates.product, 'NOT CHECKED')}."
    if found is None:
        yield f"Not answered, because {why_not(answer.case)}.{asked}"
    else:
        status = "whether eligible is not known" if found.status == "unknown" else STATUS[found.status]
        if answer.gates.by_prescription:
            label = ", OFF LABEL" if answer.gates.off_label else ""
            video = {"unknown": "not known"}.get(found.product.by_video, found.product.by_video)
            yield (
                f"{found.name}: on prescription{label}, without the cannabis programme; by video: {video}. "
                "Who may prescribe it was not checked."
            )
            return
        yield f"{found.name}: {status}; visit: {visit_text(found, answer.case)}.{asked}{_since(found)}"
        yield from _doubt(found, whole)


_WEIGHTY = (
    "no_rule_in_force not_covered incomplete near_change boundary_uncertain pending_bill moved not_in_table facts "
    "conflict limited after_last_check"
).split()
"""Kinds of caution, the one that may change the answer most first; it alone is printed."""
_CAUTION = 100


def _since(found: Answer) -> str:
    """When the law was last checked, and how far the texts go where that is long before."""
    if found.checked is None:
        return ""
    is_old = any(each.kind == "law_may_have_changed" for each in found.cautions)
    texts = f"in texts to {found.sources_to}" if found.sources_to else "in undated texts"
    return f" Law checked {found.checked}{f', {texts}: later changes not seen' if is_old else ''}."


def _doubt(found: Answer, whole: bool) -> Iterator[str]:
    cautions = [each for kind in _WEIGHTY for each in found.cautions if each.kind == kind]
    if cautions:
        more = f" {len(cautions) - 1} more{' below' if whole else ': --access'}." if cautions[1:] else ""
        text = caution_text(cautions[0]).rstrip(".")
        if not whole:
            text = textwrap.shorten(re.sub(r" \([^)]*\)", "", text), _CAUTION, placeholder=" …").rstrip(".")
        first = text[:1].lower() if text[1:2].islower() else text[:1]
        yield f"Caution: {first}{text[1:]}{'' if text.endswith('…') else '.'}{more}"


_OBTAINABLE = {
    "obtainable": "can be had there",
    "not_obtainable": "CANNOT be had there",
    "unknown": "not known",
}


# -- what could hurt -------------------------------------------------------------------------------
def _is_grave(flag: Flag) -> bool:
    return flag.severity in ("contraindicated", "major")


def _safety(found: SafetyAnswer) -> Iterator[str]:
    """Each grave flag on a line of its own, advice last, the others in one; none is left out."""
    for flag in sorted(filter(_is_grave, found.flags), key=is_advice):
        yield _grave(flag)
    for severity in ("moderate", "minor"):
        if flags := [flag for flag in found.flags if flag.severity == severity]:
            said = [flag.short if flag.short and len(flags) <= _EXPLAINED else _about(flag) for flag in flags]
            yield f"{upper_first(severity)}: {'; '.join(dict.fromkeys(said))}."
    if found.asks:
        yield f"ASK {'; '.join(found.asks)}."
    if found.unknown_drugs:
        drugs = [
            f"{each.name} ({each.meant[0]}?)" if each.meant else each.name for each in found.unknown_drugs
        ]
        yield f"Unknown names, NOT CHECKED: {', '.join(drugs)}."
    if found.without_flag:
        yield f"Interactions unknown (no rule in the tables): {', '.join(found.without_flag)}."
    if not found.flags:
        yield "No flag in what the case states; nothing here says that it is safe."
    if found.unchecked_conditions:
        named = ", ".join(each.replace("_", " ") for each in found.unchecked_conditions)
        yield f"STATED BUT NOT CHECKED (no rule in the tables): {named}."
    if found.unstated:
        yield _unstated(found, len(found.decisive) or _STATED)


def _unstated(found: SafetyAnswer, most: int) -> str:
    """What the case does not say: what may forbid a product comes first."""
    named = ", ".join(_BRIEF.get(each, each) for each in found.unstated[:most])
    more = len(found.unstated) - most
    return f"Not stated, so not checked: {named}{f' and {more} more' if more > 0 else ''}."


def _grave(flag: Flag) -> str:
    return f"{flag.severity.upper()}{' advice' if is_advice(flag) else ''}: {flag.short or _about(flag)}"


def _about(flag: Flag) -> str:
    """What it is about; in its own words where that is one thing alone."""
    if len(flag.substances) == 1 and flag.short:
        return flag.short
    return " + ".join(word.replace("_", " ") for word in flag.substances)


# -- this person -----------------------------------------------------------------------------------
def _person(answer: CaseAnswer) -> Iterator[str]:
    gate, cause = answer.gates, answer.case.spasm.cause
    if gate.product == "not_obtainable":
        yield "No forecast: the planned product cannot be had there."
    elif gate.unfit:
        yield f"No forecast: {gate.unfit}."
    elif cause is None or answer.case.plan.product is None:
        yield f"No number: the case {'names no cause' if cause is None else 'plans no product'}."
    elif isinstance(answer.forecast, ForecastNeeds) and any(
        each.no_model and each.field == "plan.product" for each in answer.forecast.needs
    ):
        yield f"No forecast: {product(answer.case.plan.product).label} is not in the model."
    elif gate.calibrated != "trials":
        yield (
            "No number: the model was fitted on trials of other products in this cause."
            if gate.calibrated == "prior"
            else "No number: the model was fitted on no trial in this cause."
        )
    elif isinstance(answer.forecast, ForecastNeeds):
        needed = ", ".join(each.field for each in answer.forecast.needs)
        yield f"No forecast: the case does not state {needed}." if needed else "Not simulated."
    elif answer.forecast.failed == answer.forecast.subjects:
        yield "No simulated person could be followed to the end."
    else:
        yield from _simulated(answer, answer.forecast)


def _simulated(answer: CaseAnswer, forecast: ForecastAnswer) -> Iterator[str]:
    gate, week = answer.gates, forecast.weeks[-1]
    is_stated = answer.case.spasm.spasticity_nrs is not None
    start = "with these starting values" if is_stated else "(the case states no spasticity NRS)"
    when = "now" if is_stated else "at the start"
    leads = leading(answer.trials, "responders_30pct")
    yield f"Simulated people {start}; age, sex: no effect."
    if "spasticity_nrs" in gate.numbers:
        one = forecast.outcomes["spasticity_nrs"]
        drug, placebo, gap = (one.of(side).mean[-1] for side in ("active", "placebo", "difference"))
        found = figure_of(answer.evidence, "spasticity_nrs") if beside_trials(forecast) else None
        beside = _beside(found, differs=beyond_trials(forecast, answer.evidence, leads))
        yield (
            f"Spasticity NRS ({when} {one.active.mean[0]:.1f}), means in week {week}: drug {drug:.1f}, "
            f"placebo {placebo:.1f}, {difference(drug, placebo, gap)}{beside}."
        )
        if instead := forecast.baseline.get("spasticity_nrs"):
            yield (
                "A meta-regression of the trials predicts this better than the model: difference "
                f"{signed(instead.mean)} (90 % {span(signed(instead.p05), signed(instead.p95))})."
            )
    if gate.complaint.outcome not in gate.numbers:
        yield f"{upper_first(gate.complaint.label)}: no number; the fitted trials do not count them."
    if "spasticity_nrs" in gate.numbers:
        hit, share = forecast.responders["30pct_week12"], figure_of(answer.evidence, "responders_30pct")
        if hit is not None:
            people = leads or (share and share[1].absolute)
            trials = _shares(people) if people else ""
            yield (
                f"30 % better in week 12: {100 * hit.active:.0f} of 100, placebo {100 * hit.placebo:.0f}"
                f"{trials}."
            )


def _beside(found: tuple[CaseFigure, Result] | None, *, differs: bool) -> str:
    """The trials' mean difference, beside a simulated one; where they differ, which to go by."""
    is_mean = found is not None and found[0].answer.measure == "MD"
    mark = UNVERIFIED if found is not None and found[0].answer.unverified else ""
    said = [f"trials {found[1].pooled.estimate:+.2f}{mark}"] if found is not None and is_mean else []
    said += ["rely on TRIALS"] if differs else []
    return f" ({': '.join(said)})" if said else ""


def _shares(found: Absolute) -> str:
    return f" (trials {100 * found.risk:.0f} and {100 * found.baseline:.0f})"


# -- what else, what next, what is not known -------------------------------------------------------
def _usual_care(rows: Sequence[UsualCare]) -> Iterator[str]:
    if not rows:
        yield "Nothing on usual treatment of this cause is in the tables."
        return
    said = []
    for heads, words in (
        ("Had", ("taking", "tried")),
        ("Not tried", ("not_tried",)),
        ("Whether tried is not stated", ("unknown",)),
    ):
        if mine := [each for each in rows if each.tried in words]:
            known = "" if heads == "Had" else f" ({mine[0].known}{_unread(mine[0])})"
            names = [f"{each.treatment}{_danger(each)}" for each in mine[1:]]
            said.append(f"{heads}: {', '.join([f'{mine[0].treatment}{known}', *names])}.")
    yield " ".join(said)


def _danger(row: UsualCare) -> str:
    """What is known of a treatment that may do grave harm is never left out."""
    return f" ({row.known}{_unread(row)})" if "grave" in row.known and row.tried != "taking" else ""


def _unread(row: UsualCare) -> str:
    return f" {UNVERIFIED}" if row.provenance == "recalled" else ""


def _next(answer: CaseAnswer) -> Iterator[str]:
    """What has to be settled before, as one item; a day counts from the case's own, as if treatment began on it."""
    if before := [step.what for step in answer.next if step.after == BEFORE]:
        yield f"{upper_first(BEFORE)}: {'; '.join(before)}."
    for step in answer.next:
        rule = " (label)" if step.source else ""
        if step.on is not None:
            yield f"{step.on.isoformat()}, after {step.after}: {step.what}{rule}."
        elif step.after != BEFORE:
            yield f"{upper_first(step.what)}{rule}{'' if step.after == 'now' else f' ({step.after})'}."


def _not_known(answer: CaseAnswer) -> Iterable[str]:
    yield "How this person will respond: trials report averages of groups."
    if answer.guideline is not None and not answer.guideline.source:
        yield f"What guidelines say: {answer.guideline.text}."
    first = ("No controlled trial of", "Related conditions")
    yield from (line for line in answer.evidence.not_known if line.startswith(first))
