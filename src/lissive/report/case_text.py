"""A case as plain text: who and what is planned, the answers on one screen, and the parts whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lissive.access.cases import why_not
from lissive.case import Case, causes, product
from lissive.case_answer import INTENDED_USE, CaseAnswer
from lissive.case_answer.gates import beside_trials, beyond_trials, figure_of, of_hundred
from lissive.case_answer.next_step import BEFORE
from lissive.case_answer.usual_care import UsualCare
from lissive.evidence.absolute import Absolute
from lissive.evidence.answer_types import Result
from lissive.evidence.case_answer import CaseEvidence, CaseFigure, InWords
from lissive.evidence.effect import COUNTED
from lissive.evidence.words import outcomes
from lissive.evidence.words import table as evidence_table
from lissive.forecast import ForecastAnswer, ForecastNeeds
from lissive.report.access_text import STATUS, access_part, procedural_text
from lissive.report.case_parts import case_evidence_text, forecast_text, safety_lines
from lissive.report.words import UNVERIFIED, count, listed, paragraphs, upper_first, wrapped
from lissive.safety import Flag, SafetyAnswer
from lissive.safety.person import STATED

LIMITS = (
    "Decision support and research software: not a prescription. Response was fitted to published trials in multiple "
    "sclerosis (few, most of them industry-sponsored); for other causes it is assumed. The ranges show variability "
    "between virtual patients and parameter uncertainty, not model error. Intended use: " + INTENDED_USE
)
PARTS = ("access", "safety", "evidence", "forecast")
"""The parts of a case that can be asked for whole, in order."""


def case_text(answer: CaseAnswer, parts: Collection[str] = PARTS) -> str:
    """These parts whole."""
    case = answer.case
    texts = {
        "access": lambda: access_part(case, answer.access),
        "safety": lambda: safety_part(answer.safety),
        "evidence": lambda: case_evidence_text(answer.evidence),
        "forecast": lambda: forecast_text(case, answer.forecast),
    }
    shown = [texts[part]() for part in PARTS if part in parts]
    return paragraphs([headline(case, may_dose=answer.gates.may_dose), *shown, wrapped(LIMITS, "   ")])


def safety_part(found: SafetyAnswer) -> str:
    """Part 2 of a case."""
    return "\n".join(["2  Safety", *(f"   {line}".rstrip() for line in safety_lines(found))])


def headline(case: Case, *, may_dose: bool = True) -> str:
    """Who, and what is planned."""
    over = f"\nBeyond the label; reason: {case.plan.override}" if case.plan.override and may_dose else ""
    return f"{who(case)}\nPlan: {plan_line(case, may_dose=may_dose)}{over}"


def who(case: Case, *, brief: bool = False) -> str:
    """Who it is about, and as of when; in brief without weight and place."""
    person = case.person
    sex = {"female": "woman", "male": "man", None: "person"}[person.sex]
    about = [
        sex if person.age_years is None else f"{sex} aged {person.age_years:g}",
        "" if person.weight_kg is None or brief else f"{person.weight_kg:g} kg",
        "" if case.spasm.cause is None else causes()[case.spasm.cause],
        "" if case.place.residence is None or brief else case.place.residence,
    ]
    asked = "" if case.as_of is None else f", as of {case.as_of}"
    return f"{case.case}{asked}: {_listed(about)}"


def plan_line(case: Case, *, may_dose: bool = True) -> str:
    """What is planned; without its dose where none may be shown."""
    plan = case.plan
    planned = [
        "product not stated" if plan.product is None else product(plan.product).label,
        _how(case) if may_dose else "",
        "" if plan.weeks is None else count(plan.weeks, "week"),
    ]
    return "none stated" if plan.product is None and not any(planned[1:]) else _listed(planned)


def _listed(parts: list[str]) -> str:
    return ", ".join(part for part in parts if part)


def _how(case: Case) -> str:
    """The dose as it is planned, as far as it is said."""
    plan = case.plan
    if plan.titration == "label":
        limit = "" if plan.max_sprays_per_day is None else f" up to {plan.max_sprays_per_day} sprays a day"
        return f"label titration{limit}"
    if plan.sprays_per_day is not None:
        return f"{plan.sprays_per_day} sprays a day"
    if plan.dose is None:
        return ""
    inhaled = plan.product is not None and product(plan.product).route == "inhaled"
    dose = f"{plan.dose} THC" if inhaled and plan.dose.endswith("mg") else plan.dose
    return dose if plan.doses_per_day is None else f"{dose} {plan.doses_per_day} times a day"


# -- one screen ------------------------------------------------------------------------------------
# The answer first, what could hurt before what may help. A part holds whole items. Where the screen is full, the last
# items of the least needed parts are left out, never one on safety, and the last line says where they are.
WIDTH, LINES = 80, 26
_LABEL = 13
_BOLD, _ALARM, _PLAIN = "\033[1m", "\033[1;31m", "\033[0m"
_MAY_GO = (
    ("NOT KNOWN", 0),
    ("TRIALS", 3),
    ("THIS PERSON", 3),
    ("TRIALS", 2),
    ("USUAL CARE", 0),
    ("THIS PERSON", 2),
)
"""Where items are left out, in this order, and how many stay."""
_EXPLAINED = 3
"""Up to so many flags of one severity below major are said with what may happen; beyond, with their substances."""
_STATED = 2
"""Of what the case does not say on safety, how much is named here."""
_NAMED = 3
"""Of the parts that are cut, so many are named; more would not fit on the line."""
_SHORTER = {"withdrawals_ae": "stopped for adverse events"}
"""Outcome, and its label where lines are short."""


@dataclass
class Part:
    """A label, and items below each other."""

    label: str
    items: list[str]

    def lines(self) -> list[str]:
        if not self.items:
            return []
        indent = " " * _LABEL
        lines = [line for item in self.items for line in wrapped(item, indent, "  ", WIDTH).split("\n")]
        return [f"{self.label:<{_LABEL}}{lines[0][_LABEL:]}", *lines[1:]]


def screen(answer: CaseAnswer, *, colour: bool = False) -> str:
    """The whole screen; in colour, labels are bold and what is contraindicated is red."""
    parts = parts_of(answer)
    grave = [_grave(flag) for flag in answer.safety.flags if _is_grave(flag)]
    most = LINES + len(Part("", grave).lines())
    lines = _laid_out(answer, parts, [])
    lost: list[str] = []
    for label, least in _MAY_GO:
        part = next(each for each in parts if each.label == label)
        while len(lines) > most and len(part.items) > least:
            part.items.pop()
            lost += [] if label.lower() in lost else [label.lower()]
            lines = _laid_out(answer, parts, lost)
    return "\n".join(_coloured(line) if colour else line for line in lines)


def parts_of(answer: CaseAnswer) -> list[Part]:
    """The short answer in its order, nothing left out."""
    return [
        Part("BOTTOM LINE", [answer.bottom_line.text]),
        Part("CASE", [who(answer.case, brief=True)]),
        Part("PLAN", [plan_line(answer.case, may_dose=answer.gates.may_dose)]),
        Part("ACCESS", list(_access(answer))),
        Part("SAFETY", list(_safety(answer.safety))),
        Part("TRIALS", list(_trials(answer))),
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
        f"Decision support, not a prescription. Intended use: {INTENDED_USE}",
    ]
    return [line for each in paragraphs for line in each.split("\n")]


def _coloured(line: str) -> str:
    label = line[:_LABEL].strip()
    if line[_LABEL:].startswith("CONTRAINDICATED"):
        return f"{_BOLD}{line[:_LABEL]}{_ALARM}{line[_LABEL:]}{_PLAIN}"
    return f"{_BOLD}{line[:_LABEL]}{_PLAIN}{line[_LABEL:]}" if label.isupper() else line


# -- may they have it ------------------------------------------------------------------------------
def _access(answer: CaseAnswer) -> Iterator[str]:
    found, planned = answer.access, answer.case.plan.product
    asked = "" if planned is None else f" Product: {_OBTAINABLE.get(answer.gates.product, 'NOT CHECKED')}."
    if found is None:
        yield f"Not answered, because {why_not(answer.case)}.{asked}"
    else:
        status = "whether eligible is not known" if found.status == "unknown" else STATUS[found.status]
        doubts = f" {count(len(found.cautions), 'caution')}." if found.cautions else ""
        if answer.gates.by_prescription:
            label = ", OFF LABEL" if answer.gates.off_label else ""
            video = {"unknown": "not known"}.get(found.product.by_video, found.product.by_video)
            yield (
                f"{found.name}: on prescription{label}, without the cannabis programme; by video: {video}. Whether "
                f"this practitioner may prescribe it was not checked.{doubts}"
            )
            return
        yield f"{found.name}: {status}; visit: {procedural_text(found)}.{asked}{doubts}"


_OBTAINABLE = {
    "obtainable": "can be had there",
    "not_obtainable": "CANNOT be had there",
    "unknown": "not known",
}


# -- what could hurt -------------------------------------------------------------------------------
def _is_grave(flag: Flag) -> bool:
    return flag.severity in ("contraindicated", "major")


def _safety(found: SafetyAnswer) -> Iterator[str]:
    """Each grave flag on a line of its own, the others in one; none is left out."""
    for flag in found.flags:
        if _is_grave(flag):
            yield _grave(flag)
    for severity in ("moderate", "minor"):
        if flags := [flag for flag in found.flags if flag.severity == severity]:
            said = [flag.short if flag.short and len(flags) <= _EXPLAINED else _about(flag) for flag in flags]
            yield f"{upper_first(severity)}: {'; '.join(dict.fromkeys(said))}."
    if found.unknown_drugs:
        yield f"Unknown names, not checked: {', '.join(each.name for each in found.unknown_drugs)}."
    if found.without_flag:
        yield f"Interactions unknown (no rule in the tables): {', '.join(found.without_flag)}."
    if not found.flags:
        yield "No flag in what the case states; nothing here says that it is safe."
    stated = [
        each.removeprefix(STATED).split("(")[0] for each in found.not_assessed if each.startswith(STATED)
    ]
    if stated:
        named = ", ".join(each.strip().replace("_", " ") for each in stated)
        yield f"STATED BUT NOT CHECKED (no rule in the tables): {named}."
    silent = [each for each in found.not_assessed if not each.startswith(STATED)]
    if silent:
        more = len(silent) - _STATED
        named = ", ".join(silent[:_STATED])
        yield f"Not stated, so not checked: {named}{f' and {more} more' if more > 0 else ''}."


def _grave(flag: Flag) -> str:
    return f"{flag.severity.upper()}: {flag.short or _about(flag)}"


def _about(flag: Flag) -> str:
    """What it is about; in its own words where that is one thing alone."""
    if len(flag.substances) == 1 and flag.short:
        return flag.short
    return " + ".join(word.replace("_", " ") for word in flag.substances)


# -- what trials found -----------------------------------------------------------------------------
def _trials(answer: CaseAnswer) -> Iterator[str]:
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


# -- this person -----------------------------------------------------------------------------------
def _person(answer: CaseAnswer) -> Iterator[str]:
    gate, cause = answer.gates, answer.case.spasm.cause
    if gate.product == "not_obtainable":
        yield "No forecast: the planned product cannot be had there."
    elif cause is None or answer.case.plan.product is None:
        yield f"No number: the case {'names no cause' if cause is None else 'plans no product'}."
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
    is_stated = answer.case.spasm.spasticity_nrs is not None
    start = "with these starting values" if is_stated else "(the case states no spasticity NRS)"
    when = "now" if is_stated else "at the start"
    yield f"Simulated people {start}; age, sex: no effect."
    if "spasticity_nrs" in gate.numbers:
        one = forecast.outcomes["spasticity_nrs"]
        drug, placebo, gap = (one.of(side).mean[-1] for side in ("active", "placebo", "difference"))
        found = figure_of(answer.evidence, "spasticity_nrs") if beside_trials(forecast) else None
        beside = _beside(found, differs=beyond_trials(forecast, answer.evidence))
        yield (
            f"Spasticity NRS ({when} {one.active.mean[0]:.1f}), means in week {week}: drug {drug:.1f}, "
            f"placebo {placebo:.1f}, difference {gap:+.1f}{beside}."
        )
    if gate.complaint.outcome not in gate.numbers:
        yield f"{upper_first(gate.complaint.label)}: no number; the fitted trials do not count them."
    if "spasticity_nrs" in gate.numbers:
        hit, share = forecast.responders["30pct_week12"], figure_of(answer.evidence, "responders_30pct")
        if hit is not None:
            trials = "" if share is None or share[1].absolute is None else _shares(share[1].absolute)
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
    first = ("No controlled trial of", "Related conditions")
    yield from (line for line in answer.evidence.not_known if line.startswith(first))
