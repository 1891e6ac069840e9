"""A case in full: who and what is planned, and its parts whole."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lissive.case import Case, causes, product
from lissive.case_answer import INTENDED_USE, CaseAnswer
from lissive.case_answer.bottom_line import is_advice
from lissive.forecast.answer import ForecastAnswer, ForecastNeeds, Quantiles, Side
from lissive.forecast.score import RESPONSES
from lissive.report.access_text import access_part
from lissive.report.case_evidence import case_evidence_text
from lissive.report.table import Table, as_text, table
from lissive.report.words import (
    UNVERIFIED,
    UNVERIFIED_NOTE,
    count,
    paragraphs,
    percent,
    signed,
    span,
    wrapped,
)
from lissive.safety import SEVERITIES, Flag, SafetyAnswer
from lissive.versions import data_line

LIMITS = (
    "Decision support and research software: not a prescription. Response was fitted to published trials in multiple "
    "sclerosis (few, some of them known to be paid for by the maker); for other causes it is assumed. The ranges show "
    "variability between virtual patients and parameter uncertainty, not model error. Intended use: "
    + INTENDED_USE
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
    return paragraphs(
        [headline(case, may_dose=answer.gates.may_dose), *shown, wrapped(f"{LIMITS}. {data_line()}", "   ")]
    )


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
    words = ("girl", "boy") if person.age_years is not None and person.age_years < 18 else ("woman", "man")
    sex = {"female": words[0], "male": words[1], None: "person"}[person.sex]
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
    if plan.titration not in (None, "fixed"):
        return TITRATIONS[plan.titration]
    return plan.dose_text()


TITRATIONS = {
    "start_low": "start low (consensus, routine: CBD first)",
    "start_low_conservative": "start low (consensus, conservative: CBD first)",
    "start_low_rapid": "start low (consensus, rapid: THC and CBD)",
}
"""How a published titration is called."""


# -- forecast --------------------------------------------------------------------------------------
_INDENT = "   "
_ROWS = (
    "spasms_per_day",
    "spasticity_nrs",
    "pain_nrs",
    "sleep_nrs",
    "walk_rated_nrs",
    "ashworth",
    "intoxication_vas",
    "dizziness",
    "stopped_early",
    "thc_plasma",
    "thc_plasma_peak",
    "oh_thc_plasma",
    "cbd_plasma",
)
_PLAIN = ("probability", "NRS", "VAS", "score", "1/day", "1")
"""Units that the label says already."""
_WEEKLY = {
    "spasms_per_day": "spasms/day",
    "spasticity_nrs": "spasticity NRS",
    "pain_nrs": "pain NRS",
    "intoxication_vas": "high VAS",
    "dizziness": "dizziness",
    "thc_plasma": "THC ng/mL",
    "oh_thc_plasma": "11-OH-THC ng/mL",
    "cbd_plasma": "CBD ng/mL",
}
_DRUG_ONLY = ("thc_plasma", "oh_thc_plasma", "cbd_plasma")
_ARMS: tuple[Side, Side] = ("active", "placebo")
_FACTS = {
    "weight": "weight",
    "cyp2c9_activity": "CYP2C9 genotype",
    "fed": "with or without food",
    "spasms0": "spasms per day",
    "NRS0": "spasticity NRS",
    "pain0": "pain NRS",
}
"""Model parameters that a case states, as a clinician calls them."""


NOT_CALIBRATED = "NOT CALIBRATED: a simulation, not what this person may expect."


def forecast_text(case: Case, forecast: ForecastAnswer | ForecastNeeds) -> str:
    """Part 4 of a case."""
    if isinstance(forecast, ForecastNeeds):
        return _needs(forecast)
    head = (
        f"4  Forecast{_not_calibrated(case, forecast)}: {count(forecast.subjects, 'virtual patient')} with this "
        "person's starting values, each simulated with the drug and with placebo; age and sex change nothing."
    )
    numbers = ["   No virtual patient could be simulated; there are no results."]
    if forecast.failed < forecast.subjects:
        tables = [
            as_text(each, indent=_INDENT) for each in (weekly_table(forecast), forecast_table(forecast))
        ]
        numbers = [*tables, _lines(forecast_lines(forecast))]
    found, left = found_lines(forecast, case.plan.product or ""), open_lines(forecast)
    parts = [*numbers, _lines(found)]
    if forecast.calibrated != "trials":  # what trials found is read before what is not tested on them
        parts = [
            _lines(found),
            f"{_INDENT}{NOT_CALIBRATED}",
            *numbers,
        ]
    return paragraphs([wrapped(head, hanging=_INDENT), *parts, _lines(left)])


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(wrapped(line, _INDENT) for line in lines)


def _not_calibrated(case: Case, forecast: ForecastAnswer) -> str:
    """What has to be known before any of it is read."""
    if forecast.calibrated == "trials":
        return ""
    cause = "" if case.spasm.cause is None else causes()[case.spasm.cause]
    on = f"no trial in {cause}; effects of the drug are drawn around none"
    if forecast.calibrated == "prior":
        on = f"no trial of this product in {cause}"
    return f", NOT CALIBRATED (fitted on {on})"


def _needs(forecast: ForecastNeeds) -> str:
    if forecast.why_not:
        return f"4  Forecast: not made; {forecast.why_not}."
    lines = [wrapped(f"- {each.field}: {each.what}", _INDENT) for each in forecast.needs]
    if any(each.no_model for each in forecast.needs):
        return "\n".join(["4  Forecast: no forecast.", *lines])
    return "\n".join(["4  Forecast: not made. The case does not state everything that it needs:", *lines])


def weekly_table(forecast: ForecastAnswer) -> Table:
    """Medians by week (from week 12 on every fourth), with drug and with placebo; plasma with drug alone."""
    rows = []
    for week in forecast.weeks:
        if week > 12 and week % 4 and week != forecast.weeks[-1]:
            continue
        row = ["baseline" if week == 0 else f"week {week}"]
        for name in _WEEKLY:
            one = forecast.outcomes[name]
            arms = _ARMS[:1] if name in _DRUG_ONLY else _ARMS
            row.append(" / ".join(_value(one.of(arm).median[week], one.unit) for arm in arms))
        rows.append(row)
    head = " | ".join(["median, drug / placebo", *_WEEKLY.values()])
    return table("Medians by week", head, rows)


def forecast_table(forecast: ForecastAnswer) -> Table:
    """Median and 90 % prediction interval at baseline and in two weeks of treatment, with drug and with placebo."""
    last = forecast.weeks[-1]
    shown = sorted({week for week in (4, last) if week <= last})
    heads = ["median (5th to 95th percentile)", "baseline"]
    for week in shown:
        heads += [f"week {week}: drug", "placebo"]
    rows = []
    for name in _ROWS:
        one = forecast.outcomes[name]
        unit = "" if one.unit in _PLAIN else f" [{one.unit}]"
        row = [f"{one.label}{unit}", _value(one.active.median[0], one.unit)]
        row += [_range(one.of(arm), week, one.unit) for week in shown for arm in _ARMS]
        rows.append(row)
    return table("Medians and 90 % prediction intervals", " | ".join(heads), rows)


def _range(q: Quantiles, week: int, unit: str) -> str:
    low, high = (_value(values[week], unit) for values in (q.p05, q.p95))
    return f"{_value(q.median[week], unit)} ({span(low, high)})"


def _value(x: float, unit: str) -> str:
    """With the decimals that its scale bears: a rating of 0 to 10 has one, of 0 to 100 none."""
    if unit == "probability":
        return percent(x)
    return f"{x:.0f}" if unit == "VAS" else f"{x:.1f}"


def forecast_lines(forecast: ForecastAnswer) -> list[str]:
    """Responders, the mean difference and the dose, a sentence each."""
    lines = []
    for name, (reduction, week) in RESPONSES.items():
        found = forecast.responders[name]
        said = f"Spasticity NRS reduced by {100 * reduction:.0f} % or more at week {week}: "
        if found is None:
            said += "the plan ends before."
        else:
            points = round(100 * found.active) - round(100 * found.placebo)
            said += (
                f"{percent(found.active)} with the drug, {percent(found.placebo)} with placebo; "
                f"difference {points} percentage point{'' if abs(points) == 1 else 's'}."
            )
        lines.append(said)
    gap = forecast.outcomes["spasticity_nrs"].difference
    low, high = signed(gap.p05[-1]), signed(gap.p95[-1])
    said = (
        f"Spasticity NRS, drug minus placebo in the same virtual patient, week {forecast.weeks[-1]}: mean "
        f"{signed(gap.mean[-1])}, as trials report it; median {signed(gap.median[-1])} (5th to 95th percentile "
        f"{span(low, high)})."
    )
    return [*lines, said, *_baseline_lines(forecast), _dose(forecast)]


def _baseline_lines(forecast: ForecastAnswer) -> list[str]:
    """Of outcomes that a simple meta-regression predicts better than the model, its figure."""
    lines = []
    for name, one in forecast.baseline.items():
        outcome = forecast.outcomes[name]
        numbers = [one.mean, one.p05, one.p95]
        mean, low, high = (
            signed(100 * x, 0) if outcome.unit == "probability" else signed(x) for x in numbers
        )
        unit = " percentage points" if outcome.unit == "probability" else ""
        lines.append(
            f"{outcome.label}: a meta-regression of the trials predicts these better than the model does (mean error "
            f"{one.baseline_crps:.2f} against {one.model_crps:.2f}); it gives a mean difference, drug minus placebo, "
            f"of {mean}{unit} at week {one.week} (90 % prediction interval for a trial {span(low, high)})."
        )
    return lines


def _dose(forecast: ForecastAnswer) -> str:
    q, unit = forecast.dose.active, forecast.dose.unit
    return (
        f"Dose in the last week: median {q.median[-1]:.1f} {unit} (5th to 95th percentile "
        f"{span(f'{q.p05[-1]:.1f}', f'{q.p95[-1]:.1f}')}; mean {q.mean[-1]:.1f})."
    )


def found_lines(forecast: ForecastAnswer, planned: str) -> list[str]:
    """Results of trials, to be read before a simulation is believed."""
    rows = forecast.found_in_trials
    if not rows:
        return ["No trial of this cause of spasm is in the tables: what is forecast has not been tested."]
    lines = ["Trial results; where the forecast shows a larger effect, rely on the trials:"]
    for row in rows:
        other = "" if row.product in ("any", planned) else f"[of another product, {row.product}] "
        mark = UNVERIFIED if "recalled" in row.provenance else ""
        lines.append(f"- {other}{row.found} ({row.source}){mark}")
    if not any(row.product == planned for row in rows):
        label = product(planned).label if planned else "the plan"
        lines.append(f"- This list has no trial of {label[:1].lower()}{label[1:]}; see Evidence.")
    if any("recalled" in row.provenance for row in rows):
        lines.append(UNVERIFIED_NOTE)
    return lines


def open_lines(forecast: ForecastAnswer) -> list[str]:
    """What failed, what was sampled, and what has to be known to read the numbers."""
    lines = []
    if forecast.failed:
        lines.append(f"{count(forecast.failed, 'virtual patient')} could not be simulated and excluded:")
        lines += [f"- patient {number}: {why}" for number, why in list(forecast.failures.items())[:5]]
    drawn = [_FACTS[name] for name in forecast.drawn if name in _FACTS]
    if drawn:
        lines.append(f"Unknown in the case, so sampled for each virtual patient: {', '.join(drawn)}.")
    return [*lines, *forecast.notes]


# -- what could hurt -------------------------------------------------------------------------------
_WIDTH = 80
_MEANS = {
    "contraindicated": "do not use",
    "major": "avoid, or only with a plan agreed first",
    "moderate": "use with caution and watch",
    "minor": "be aware",
}


def safety_lines(answer: SafetyAnswer) -> list[str]:
    """The whole section, a line each, of at most 80 characters.

    Flags come first, the most severe first; then names that are in no table; then what the case does not say.
    """
    lines = [*_item(_flags_head(answer)), ""]
    for severity in SEVERITIES:
        found = answer.worst(severity)
        if found:
            lines += [f"{severity.upper()}: {_MEANS[severity]}", *_flag_lines(found), ""]
    lines += [line for each in answer.asks for line in _item(f"ASK {each}: the case does not say it.")]
    lines += _unknown(answer)
    if answer.without_flag:
        names = ", ".join(answer.without_flag)
        lines += _item(f"No rule in these tables: {names}. That is not proof of no interaction.")
    if answer.unchecked_conditions:
        lines += _item(
            f"STATED BUT NOT CHECKED: {', '.join(answer.unchecked_conditions)}. No rule in these tables."
        )
    if answer.unstated:
        lines += _item(f"NOT ASSESSED, as the case does not say it: {', '.join(answer.unstated)}.")
    if answer.cited:
        lines += ["", "Sources (addresses: --json, or src/lissive/safety/sources.tsv):"]
    for key, source in answer.cited.items():
        lines += _item(f"{key}: {source.citation} [{source.seen}]", "  ")
    return [*lines, "Decision support, not a prescription."]


def _flags_head(answer: SafetyAnswer) -> str:
    if not answer.flags:
        return "Safety: no flag from what the case says. See what was not assessed."
    return f"Safety: {flag_counts(answer)}"


def flag_counts(answer: SafetyAnswer) -> str:
    """How many flags of each severity; advice is counted apart, as the bottom line does."""
    advice = [flag for flag in answer.flags if is_advice(flag)]
    flags = [flag for flag in answer.flags if not is_advice(flag)]
    numbers = [(sum(flag.severity == each for flag in flags), each) for each in SEVERITIES]
    counts = [f"{n} {each}" for n, each in numbers if n]
    counts += [f"{len(advice)} on not stopping a medicine"] if advice else []
    return f"{count(len(answer.flags), 'flag')}: {', '.join(counts)}"


def _flag_lines(flags: Sequence[Flag]) -> list[str]:
    lines = []
    for flag in flags:
        lines += _item(f"- {flag.short} [{', '.join(flag.substances)}]")
        watch = f" Watch: {flag.watch}" if flag.watch else ""
        lines += _item(f"Why: {flag.mechanism}", "  ")
        lines += _item(f"Do: {flag.advice}{watch}", "  ")
        lines += _item(f"Source ({flag.provenance}): {', '.join(flag.sources)}", "  ")
    return lines


def _unknown(answer: SafetyAnswer) -> list[str]:
    lines = []
    for each in answer.unknown_drugs:
        meant = f" Did you mean {' or '.join(each.meant)}?" if each.meant else ""
        lines += _item(f"UNKNOWN DRUG {each.name}: its interactions were not looked up.{meant}")
    return [*lines, ""] if lines else []


def _item(text: str, indent: str = "") -> list[str]:
    return wrapped(text, indent, None if text.startswith("- ") else "  ", width=_WIDTH).split("\n")
