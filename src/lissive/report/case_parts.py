"""The parts of a case whole: safety, evidence, forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lissive.case import Case, causes
from lissive.evidence.answer_types import Result
from lissive.evidence.case_answer import CaseEvidence, CaseFigure, InWords
from lissive.evidence.claim import JUDGED, Claim
from lissive.forecast.answer import ForecastAnswer, ForecastNeeds, Quantiles, Side
from lissive.forecast.score import RESPONSES
from lissive.report.pool_text import DESIGN_NAMES, finding, k_words, participants, pooled_words, predicted
from lissive.report.table import Table, as_text, table
from lissive.report.words import (
    UNVERIFIED,
    UNVERIFIED_NOTE,
    count,
    paragraphs,
    percent,
    span,
    upper_first,
    wrapped,
)
from lissive.safety import SEVERITIES, Flag, SafetyAnswer

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
        tables = [
            as_text(each, indent=_INDENT) for each in (weekly_table(forecast), forecast_table(forecast))
        ]
        numbers = [*tables, _lines(forecast_lines(forecast))]
    found, left = found_lines(forecast, case.plan.product or ""), open_lines(forecast)
    return paragraphs([wrapped(head, hanging=_INDENT), *numbers, _lines(found), _lines(left)])


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(wrapped(line, _INDENT) for line in lines)


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
            said += (
                f"{percent(found.active)} with the drug, {percent(found.placebo)} with placebo; "
                f"difference {100 * found.difference:.0f} percentage points."
            )
        lines.append(said)
    gap = forecast.outcomes["spasticity_nrs"].difference
    low, high = f"{gap.p05[-1]:+.1f}", f"{gap.p95[-1]:+.1f}"
    said = (
        f"Spasticity NRS, drug minus placebo in the same virtual patient, week {forecast.weeks[-1]}: mean "
        f"{gap.mean[-1]:+.1f}, as trials report it; median {gap.median[-1]:+.1f} (5th to 95th percentile "
        f"{span(low, high)})."
    )
    return [*lines, said, _dose(forecast)]


def _dose(forecast: ForecastAnswer) -> str:
    q, unit = forecast.dose.active, forecast.dose.unit
    return (
        f"Dose in the last week: median {q.median[-1]:.1f} {unit} (5th to 95th percentile "
        f"{span(f'{q.p05[-1]:.1f}', f'{q.p95[-1]:.1f}')}; mean {q.mean[-1]:.1f})."
    )


def found_lines(forecast: ForecastAnswer, product: str) -> list[str]:
    """Results of trials, to be read before a simulation is believed."""
    rows = forecast.found_in_trials
    if not rows:
        return ["No trial of this cause of spasm is in the tables: what is forecast has not been tested."]
    lines = ["Trial results; where the forecast shows a larger effect, rely on the trials:"]
    for row in rows:
        other = "" if row.product in ("any", product) else f"[of another product, {row.product}] "
        mark = UNVERIFIED if "recalled" in row.provenance else ""
        lines.append(f"- {other}{row.found} ({row.source}){mark}")
    if not any(row.product == product for row in rows):
        lines.append(f"- No trial of {product} for this cause is listed here.")
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
    lines = [_flags_head(answer), ""]
    for severity in SEVERITIES:
        found = answer.worst(severity)
        if found:
            lines += [f"{severity.upper()}: {_MEANS[severity]}", *_flag_lines(found), ""]
    lines += _unknown(answer)
    if answer.without_flag:
        names = ", ".join(answer.without_flag)
        lines += _item(f"No rule in these tables: {names}. That is not proof of no interaction.")
    if answer.not_assessed:
        lines += _item(f"NOT ASSESSED, as the case does not say it: {', '.join(answer.not_assessed)}.")
    if answer.cited:
        lines += ["", "Sources (addresses: --json, or src/lissive/safety/sources.tsv):"]
    for key, source in answer.cited.items():
        lines += _item(f"{key}: {source.citation} [{source.seen}]", "  ")
    return [*lines, "Decision support, not a prescription."]


def _flags_head(answer: SafetyAnswer) -> str:
    if not answer.flags:
        return "Safety: no flag from what the case says. See what was not assessed."
    counts = [f"{len(found)} {each}" for each in SEVERITIES if (found := answer.worst(each))]
    return f"Safety: {count(len(answer.flags), 'flag')} ({', '.join(counts)})"


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


# -- what trials found -----------------------------------------------------------------------------
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
