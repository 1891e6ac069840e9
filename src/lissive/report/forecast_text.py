"""The forecast of a case as text: medians by week, ranges, responders, dose, trial results, what was sampled."""

from __future__ import annotations

from lissive.case import Case, causes
from lissive.forecast.answer import ForecastAnswer, ForecastNeeds, Quantiles, Side
from lissive.forecast.score import RESPONSES
from lissive.report.table import as_text, table
from lissive.report.words import UNVERIFIED, UNVERIFIED_NOTE, count, paragraphs, percent, span, wrapped

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
        said = "\n".join([*_responders(forecast), _dose(forecast)])
        numbers = [weekly_table(forecast), forecast_table(forecast), said]
    return paragraphs(
        [wrapped(head, hanging=_INDENT), *numbers, _found(forecast, case.plan.product or ""), _open(forecast)]
    )


def _not_calibrated(case: Case, forecast: ForecastAnswer) -> str:
    """What has to be known before any of it is read."""
    if forecast.calibrated == "trials":
        return ""
    cause = "" if case.spasm.cause is None else causes()[case.spasm.cause]
    on = f"no trial in {cause}"
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


def weekly_table(forecast: ForecastAnswer) -> str:
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
    return as_text(table("", head, rows), indent=_INDENT)


def forecast_table(forecast: ForecastAnswer) -> str:
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
    return as_text(table("", " | ".join(heads), rows), indent=_INDENT)


def _range(q: Quantiles, week: int, unit: str) -> str:
    low, high = (_value(values[week], unit) for values in (q.p05, q.p95))
    return f"{_value(q.median[week], unit)} ({span(low, high)})"


def _value(x: float, unit: str) -> str:
    """With the decimals that its scale bears: a rating of 0 to 10 has one, of 0 to 100 none."""
    if unit == "probability":
        return percent(x)
    return f"{x:.0f}" if unit == "VAS" else f"{x:.1f}"


def _responders(forecast: ForecastAnswer) -> list[str]:
    lines = []
    for name, (reduction, week) in RESPONSES.items():
        found = forecast.responders[name]
        said = f"Spasticity NRS reduced by {100 * reduction:.0f} % or more at week {week}: "
        if found is None:
            said += "the plan ends before."
        else:
            said += (
                f"{percent(found.active)} with the drug, {percent(found.placebo)} with placebo; "
                f"difference {100 * found.difference:.0f} percentage points."
            )
        lines.append(wrapped(said, _INDENT))
    gap = forecast.outcomes["spasticity_nrs"].difference
    low, high = f"{gap.p05[-1]:+.1f}", f"{gap.p95[-1]:+.1f}"
    said = (
        f"Spasticity NRS, drug minus placebo in the same virtual patient, week {forecast.weeks[-1]}: mean "
        f"{gap.mean[-1]:+.1f}, as trials report it; median {gap.median[-1]:+.1f} (5th to 95th percentile "
        f"{span(low, high)})."
    )
    return [*lines, wrapped(said, _INDENT)]


def _dose(forecast: ForecastAnswer) -> str:
    q, unit = forecast.dose.active, forecast.dose.unit
    return (
        f"{_INDENT}Dose in the last week: median {q.median[-1]:.1f} {unit} (5th to 95th percentile "
        f"{span(f'{q.p05[-1]:.1f}', f'{q.p95[-1]:.1f}')}; mean {q.mean[-1]:.1f})."
    )


def _found(forecast: ForecastAnswer, product: str) -> str:
    """Results of trials, to be read before a simulation is believed."""
    rows = forecast.found_in_trials
    if not rows:
        return "   No trial of this cause of spasm is in the tables: what is forecast has not been tested."
    lines = ["Trial results; where the forecast shows a larger effect, rely on the trials:"]
    for row in rows:
        other = "" if row.product in ("any", product) else f"[of another product, {row.product}] "
        mark = UNVERIFIED if "recalled" in row.provenance else ""
        lines.append(f"- {other}{row.found} ({row.source}){mark}")
    if not any(row.product == product for row in rows):
        lines.append(f"- No trial of {product} for this cause is listed here.")
    if any("recalled" in row.provenance for row in rows):
        lines.append(UNVERIFIED_NOTE)
    return "\n".join(wrapped(line, _INDENT) for line in lines)


def _open(forecast: ForecastAnswer) -> str:
    lines = []
    if forecast.failed:
        lines.append(f"{count(forecast.failed, 'virtual patient')} could not be simulated and excluded:")
        lines += [f"- patient {number}: {why}" for number, why in list(forecast.failures.items())[:5]]
    drawn = [_FACTS[name] for name in forecast.drawn if name in _FACTS]
    if drawn:
        lines.append(f"Unknown in the case, so sampled for each virtual patient: {', '.join(drawn)}.")
    return "\n".join(wrapped(line, _INDENT) for line in [*lines, *forecast.notes])
