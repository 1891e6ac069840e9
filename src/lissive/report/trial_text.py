"""A virtual trial's answer as plain text, as a clinician or a trialist would read it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lissive.case import causes
from lissive.case.products import product
from lissive.report.table import Table, as_text, table
from lissive.report.words import count, paragraphs, percent, span, upper_first, wrapped
from lissive.trials.design import Design
from lissive.trials.endpoint import BINARY, TIME
from lissive.trials.parts import EVENTS, MEASURES, Endpoint
from lissive.trials.run import PowerAnswer
from lissive.trials.summary import ArmAnswer, ComparisonAnswer, Count, DoseAnswer, TrialAnswer

LIMITS = (
    "These are simulated patients. The ranges over replicates show chance and variation between trials "
    "(trials/between.tsv), given that the model is right; model uncertainty is not in them. No trial of exactly this "
    "design has been compared with the model; agreement with published trials: lissive trial reproduce. Assumptions: "
    "docs/concepts/trials.md. Not a basis for treating anybody."
)
MISSING = {
    "locf": "Missing visits: last observation carried forward.",
    "observed": "Missing visits: observed cases only.",
    "baseline": "Missing visits: baseline observation carried forward.",
}
ENOUGH, WISHED = 100, 0.8
"""Replicates from which power is worth reading, and the power that trials are usually planned for."""
_INDENT = "   "


def trial_text(answer: TrialAnswer) -> str:
    """The whole answer of `lissive trial run`."""
    design = answer.design
    arms = table("", "|", [[name, arm_label(design, name)] for name in _given(answer)])
    return paragraphs(
        [
            _head(answer),
            "Arms\n" + as_text(arms, indent=_INDENT),
            _main_result(answer),
            _disposition(answer),
            _arms(answer),
            _comparisons(answer),
            _dose(answer),
            wrapped(LIMITS),
            _next(answer),
        ]
    )


def _head(answer: TrialAnswer) -> str:
    design = answer.design
    return (
        f"{title(design)}\n{upper_first(KINDS[design.kind])}.\n{upper_first(cause_label(design))}; {shape(design)}.\n"
        f"{count(answer.replicates, 'simulated replicate')}, random seed {answer.seed}."
    )


def title(design: Design) -> str:
    return f"{design.trial}: {design.title}".rstrip(": ")


def _given(answer: TrialAnswer) -> list[str]:
    """Arms that anybody was randomised to, and that of the run-in."""
    run_in = answer.design.run_in
    there = {row.arm for row in answer.arms} | ({run_in.arm} if run_in else set())
    return [name for name in answer.design.arms if name in there]


# -- the parts ---------------------------------------------------------------------------------------
def _main_result(answer: TrialAnswer) -> str:
    """The primary endpoint in a sentence for each arm."""
    if not answer.comparisons:
        return ""
    first, alpha = answer.comparisons[0], answer.design.analysis.alpha
    lines = [f"Primary endpoint: {endpoint_label(first.endpoint)}, week {first.week:g}"]
    for row in answer.comparisons:
        if (row.endpoint, row.week, row.method) != (first.endpoint, first.week, first.method):
            continue
        text = f"{row.arm} vs {row.against}, {measured_by(row)}: "
        if row.estimate is None:
            text += "not estimable in any replicate."
        else:
            text += (
                f"mean estimate {_estimate(row, row.estimate)} (5th-95th percentile over replicates {_range(row)}); "
                f"power {percent(row.power)} (p < {alpha:g})."
            )
        lines.append(wrapped(text, _INDENT))
    return "\n".join(lines)


def _disposition(answer: TrialAnswer) -> str:
    flow, run_in = answer.flow, answer.design.run_in
    rows = [["Screened", mean_range(flow.screened)]]
    if run_in:
        rows.append(["Enrolled in the run-in", mean_range(flow.entered)])
        rows.append(["Discontinued in the run-in", mean_range(flow.left_run_in)])
        rows.append([not_randomised(answer.design), mean_range(flow.not_kept)])
    rows.append(["Randomised", mean_range(flow.randomised)])
    if flow.failed.max:
        rows.append(["Left out: equations not solved", mean_range(flow.failed)])
    groups = {
        "Randomised": [each.randomised for each in flow.groups],
        "Discontinued: adverse events": [each.adverse for each in flow.groups],
        "Discontinued: lack of efficacy": [each.no_effect for each in flow.groups],
        "Discontinued: other reasons": [each.other for each in flow.groups],
        "Completed": [each.completed for each in flow.groups],
    }
    labels = tuple(each.label for each in flow.groups)
    by_group = tuple((label, *map(mean_range, numbers)) for label, numbers in groups.items())
    over = " (mean over replicates, range)" if answer.replicates > 1 else ""
    return "\n".join(
        [
            f"Participant disposition{over}",
            as_text(table("", "|n", rows, "n"), indent=_INDENT, rule=False),
            "",
            as_text(Table("", ("", *labels), by_group, frozenset(labels)), indent=_INDENT, rule=False),
        ]
    )


def not_randomised(design: Design) -> str:
    """Who finished the run-in and was not randomised; with a fixed number to be randomised also those beyond it."""
    reasons = ["non-responders"] if design.run_in and design.run_in.keep else []
    reasons += ["trial full"] if design.patients is not None else []
    return f"Not randomised: {' or '.join(reasons)}" if reasons else "Not randomised"


def _arms(answer: TrialAnswer) -> str:
    """Each endpoint at its own visit."""
    design = answer.design
    shown = {(each.name, week_of(design, each)) for each in design.endpoints if each.measure != "dose"}
    chosen = [row for row in answer.arms if (row.endpoint, row.week) in shown]
    if not chosen:
        return ""
    rows = [
        [label, f"{row.week:g}", row.arm, *_arm_cells(row)]
        for label, row in zip(_once(endpoint_label(row.endpoint) for row in chosen), chosen, strict=True)
    ]
    found = table(
        "", "|week|arm|n|baseline|change [SD]|proportion", rows, "week|n|baseline|change [SD]|proportion"
    )
    note = f"SD: between participants. {MISSING[design.analysis.missing]}"
    if any(each.measure == "failure" for each in design.endpoints):
        note += " Discontinuation counts as treatment failure."
    return f"Results by arm\n{as_text(found, indent=_INDENT, rule=False)}\n{wrapped(note, _INDENT)}"


def _once(labels: Iterable[str]) -> list[str]:
    """A label where it changes, else nothing."""
    each = list(labels)
    return ["" if k and label == each[k - 1] else label for k, label in enumerate(each)]


def _arm_cells(row: ArmAnswer) -> list[str]:
    """n, baseline, change [SD], proportion."""
    n = f"{row.n:.0f}"
    base = "" if row.base is None else f"{row.base:.1f}"
    if row.kind in (BINARY, TIME):
        return [n, base, "", percent(row.mean)]
    sd = "" if row.sd is None else f" [{row.sd:.2f}]"
    return [n, base, f"{_fixed(row.change, sign=True)}{sd}", ""]


def _comparisons(answer: TrialAnswer) -> str:
    found, alpha = answer.comparisons, answer.design.analysis.alpha
    if not found:
        return ""
    arms = list(dict.fromkeys(row.arm for row in found))
    ci = f"{percent(1 - alpha)} CI"
    head = ["", "week", *(["arm"] if len(arms) > 1 else []), "measure", "estimate", "5-95 %", ci, "power"]
    rows, notes = [], []
    labels = [endpoint_label(row.endpoint) for row in found]
    for shown, label, row in zip(_once(labels), labels, found, strict=True):
        arm = [row.arm] if len(arms) > 1 else []
        numbers = [_estimate(row, row.estimate), _range(row), _ci(row), percent(row.power)]
        rows.append([shown, f"{row.week:g}", *arm, row.measure or f"{row.method} test", *numbers])
        notes += [f"- {label}, {row.arm}, in {n} of {answer.replicates} replicates: {why}."
                  for why, n in row.notes.items()]  # fmt: skip
    methods = dict.fromkeys(f"{row.measure}: {row.method}" for row in found if row.measure)
    legend = (
        "estimate: mean over replicates (of ratios the median). 5-95 %: percentiles of the estimate over "
        f"replicates. CI: mean (of ratios median) of the limits that each trial would publish. power: proportion of "
        f"replicates with p < {alpha:g}. Methods: {'; '.join(methods)}."
    )
    shown_table = table("", "|".join(head), rows, f"week|estimate|5-95 %|{ci}|power")
    return "\n".join(
        [
            f"{arms[0] if len(arms) == 1 else 'Each arm'} vs {found[0].against}",
            as_text(shown_table, indent=_INDENT, rule=False),
            *(wrapped(line, _INDENT) for line in (legend, *notes)),
        ]
    )


def _dose(answer: TrialAnswer) -> str:
    """Units a day over the week before each visit; mg of THC or CBD at the last."""
    if not answer.dose:
        return ""
    weeks = sorted({row.week for row in answer.dose})
    rows = []
    for arm in dict.fromkeys(row.arm for row in answer.dose):
        mine = {row.week: row for row in answer.dose if row.arm == arm}
        last = mine[weeks[-1]]
        contents = [f"{mg:.3g} mg {name}" for mg, name in ((last.thc_mg, "THC"), (last.cbd_mg, "CBD")) if mg]
        cells = [_dose_cell(mine.get(week)) for week in weeks]
        rows.append([arm, *cells, ", ".join([f"{last.counted}s", *contents])])
    visits = "|".join(f"week {week:g}" for week in weeks)
    found = table("", f"|{visits}|at the last visit", rows, visits)
    return "Dose: units a day, mean [SD], participants still in the trial\n" + as_text(
        found, indent=_INDENT, rule=False
    )


def _dose_cell(row: DoseAnswer | None) -> str:
    if row is None or row.units is None:
        return "-"
    return f"{row.units:.1f}" + ("" if row.sd is None else f" [{row.sd:.1f}]")


def _next(answer: TrialAnswer) -> str:
    """What the reader may do now."""
    lines = []
    if answer.replicates < ENOUGH:
        lines.append("- Power needs more replicates: --replicates 200 or more.")
    if answer.comparisons and answer.comparisons[0].power < WISHED:
        lines.append("- Sample size: lissive trial power DESIGN --n 100,200,400")
    lines.append(
        "- Compare with a published trial of similar design before relying on it: lissive trial reproduce"
    )
    return "Next steps\n" + "\n".join(wrapped(line, _INDENT) for line in lines)


# -- power by sample size ----------------------------------------------------------------------------
def power_text(answer: PowerAnswer) -> str:
    """The whole answer of `lissive trial power`."""
    points = answer.points
    rows = [
        [
            f"{row.n}",
            f"{row.randomised:.0f}",
            row.arm,
            percent(row.power),
            span(*map(percent, row.power_ci)),
            _estimate(row, row.estimate),
            _range(row),
        ]
        for row in points
    ]
    how = f" ({measured_by(points[0])}, vs {points[0].against})" if points else ""
    numeric = "n|randomised|power|95 % CI|estimate|5-95 %"
    found = table("", "n|randomised|arm|power|95 % CI|estimate|5-95 %", rows, numeric)
    return paragraphs(
        [
            f"{title(answer.design)}\nPower for {endpoint_label(answer.endpoint)}, week {answer.week:g}{how}.\n"
            f"{count(answer.replicates, 'simulated replicate')} of each size, random seed {answer.seed}.",
            as_text(found, indent=_INDENT, rule=False),
            wrapped(_power_notes(answer), _INDENT),
            wrapped(LIMITS),
        ]
    )


def _power_notes(answer: PowerAnswer) -> str:
    alpha = answer.alpha
    text = [
        f"n: participants {answer.size_is}. power: proportion of replicates with two-sided p < {alpha:g}; 95 % CI: "
        "Wilson's, for the number of replicates."
    ]
    if answer.assurance:
        text.append(
            "Assurance: each replicate has parameters of its own from the posterior of the calibration, so that "
            "parameter uncertainty is in the power; it does not tend to 1 as trials grow."
        )
    else:
        text.append(
            "Each replicate has a placebo response and an effect of its own around the tables' parameters "
            "(between-trial random effects). If the true effect is smaller, power is lower: --assurance includes "
            "parameter uncertainty."
        )
    text.append(
        f"Type I error: with no effect, about {percent(alpha)} of trials of any size have p < {alpha:g}."
    )
    return " ".join(text)


# -- numbers -----------------------------------------------------------------------------------------
def _fixed(x: float | None, *, sign: bool = False) -> str:
    """Two decimals, as changes of a rating and ratios are published."""
    if x is None:
        return "-"
    text = f"{x:+.2f}" if sign else f"{x:.2f}"
    return text if abs(x) < 1000 else f"{x:.2g}"


def _estimate(row: ComparisonAnswer, x: float | None) -> str:
    return _fixed(x, sign=row.measure == "difference")


def _between(row: ComparisonAnswer, ends: Sequence[float | None]) -> str:
    return "-" if None in ends else span(*(_estimate(row, end) for end in ends))


def _range(row: ComparisonAnswer) -> str:
    return _between(row, (row.p05, row.p95))


def _ci(row: ComparisonAnswer) -> str:
    return _between(row, row.ci)


# -- what names are called -------------------------------------------------------------------------
KINDS = {
    "parallel": "parallel groups",
    "enriched": "enriched enrolment: run-in responders are randomised after a wash-out",
    "withdrawal": "randomised withdrawal: run-in on the drug, then randomised continuation or withdrawal",
    "crossover": "crossover: each participant receives the treatments in sequence",
}
TITRATIONS = {"self": "self-titrated", "label": "titrated by the label", "fixed": "fixed dose"}
_RESPONDERS = re.compile(r"(.+)_responders_([\d.]+)pct")


def endpoint_label(name: str) -> str:
    """An endpoint as a reader knows it.

    >>> endpoint_label("spasticity_nrs_responders_30pct")
    'Spasticity NRS (0-10), 30 % responders'
    """
    if found := _RESPONDERS.fullmatch(name):
        return f"{endpoint_label(found[1])}, {found[2]} % responders"
    return MEASURES[name].label if name in MEASURES else EVENTS.get(name, name)


def arm_label(design: Design, name: str) -> str:
    """What an arm is given."""
    arm = design.arms[name]
    if arm.product is None:
        return "no treatment"
    label = product(arm.product).label
    if arm.placebo:
        return f"placebo of {label}, up to {units(arm.most_per_day, arm.units_counted)} a day"
    contents = [
        f"{amount * arm.most_per_day:g} mg {what}"
        for amount, what in ((arm.thc_mg, "THC"), (arm.cbd_mg, "CBD"))
        if amount
    ]
    most = units(arm.most_per_day, arm.units_counted)
    return f"{label}, up to {most} a day ({', '.join(contents) or 'empty'}), {TITRATIONS[arm.titration]}"


def units(n: float, counted: str) -> str:
    """A number of units.

    >>> units(1, "spray"), units(12, "spray")
    ('1 spray', '12 sprays')
    """
    return f"{n:g} {counted}{'' if n == 1 else 's'}"


def week_of(design: Design, endpoint: Endpoint) -> float:
    """The visit at which an endpoint is compared."""
    return design.visits_weeks[-1] if endpoint.at_week is None else endpoint.at_week


def cause_label(design: Design) -> str:
    return causes()[design.population.cause]


def shape(design: Design) -> str:
    """How long the parts last."""
    parts = []
    if design.run_in:
        run_in = design.run_in
        kept = f", {run_in.keep.falls_by_pct:g} % responders randomised" if run_in.keep else ""
        parts.append(f"run-in of {units(run_in.weeks, 'week')} on {run_in.arm}{kept}")
        if run_in.washout_days:
            parts.append(f"wash-out of {run_in.washout_days} days")
    if design.crossover:
        periods = len(design.crossover.sequences[0])
        days = design.crossover.washout_days
        between = f", wash-out of {days} days between periods" if days else ""
        parts.append(f"{periods} periods of {units(design.weeks, 'week')}{between}")
    else:
        parts.append(units(design.weeks, "week"))
    return "; ".join(parts)


def measured_by(row: ComparisonAnswer) -> str:
    """Method and measure of a comparison."""
    return f"{row.measure}, {row.method}" if row.measure else f"{row.method} test"


def mean_range(number: Count) -> str:
    """Mean and range; a number that is the same in all replicates alone."""
    if number.min == number.max:
        return f"{number.min:.0f}"
    mean = f"{number.mean:.1f}" if number.mean < 20 else f"{number.mean:.0f}"
    return f"{mean} ({number.min:.0f} to {number.max:.0f})"
