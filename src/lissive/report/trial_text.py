"""A virtual trial's answer as plain text, as a clinician or a trialist would read it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lissive.case import causes
from lissive.case.products import product
from lissive.report.table import Table, as_text, table
from lissive.report.words import count, paragraphs, percent, span, upper_first, wrapped
from lissive.trials.design import ESTIMANDS, MODELLED, Design
from lissive.trials.disposition import Count
from lissive.trials.endpoint import BINARY, TIME
from lissive.trials.parts import EVENTS, MEASURES, Endpoint
from lissive.trials.people import of_cause
from lissive.trials.summary import ArmAnswer, ComparisonAnswer, DoseAnswer, TrialAnswer

LIMITS = (
    "These are simulated patients. The ranges over replicates show chance, variation between trials "
    "(trials/between.tsv) and what the fit to concentrations left uncertain of the kinetics "
    "(model/parameters/fitted.tsv), given that the model is right; model uncertainty is not in them. No trial of "
    "exactly this design has been compared with the model; agreement with published trials: lissive trial reproduce. "
    "Assumptions: "
    "docs/concepts/trials.md. Not a basis for treating anybody."
)
STRATEGIES = {
    "while_on_treatment": "while on treatment",
    "hypothetical": "hypothetical, assuming no discontinuation",
    "treatment_policy": "treatment policy, whether treatment is continued or not",
    "composite": "composite, discontinuation counts as no improvement",
}
MULTIPLICITY = {"holm": "Holm", "fixed_sequence": "fixed sequence"}
SPENDING = {"obrien_fleming": "O'Brien and Fleming", "pocock": "Pocock"}
ENOUGH, WISHED = 100, 0.8
"""Replicates from which power is worth reading, and the power that trials are usually planned for."""
WORTH_SAYING = 0.01
"""Proportion of replicates that favour the control from which it is said."""
INDENT = "   "


def trial_text(answer: TrialAnswer) -> str:
    """The whole answer of `lissive trial run`."""
    design = answer.design
    arms = table("", "|", [[name, arm_label(design, name)] for name in _given(answer)])
    return paragraphs(
        [
            _head(answer),
            "Arms\n" + as_text(arms, indent=INDENT),
            _main_result(answer),
            _disposition(answer),
            _arms(answer),
            _comparisons(answer),
            _looks(answer),
            _dose(answer),
            wrapped(limits(design)),
            _next(answer),
        ]
    )


def limits(*designs: Design) -> str:
    """What the numbers do not hold."""
    unknown = [causes()[name] for name in {each.population.cause: 0 for each in designs} if of_cause(name)]
    if not unknown:
        return LIMITS
    return (
        f"No trial of a cannabinoid in {' or '.join(unknown)} is fitted: each replicate draws the drug's effect around "
        f"none (trials/causes.tsv), so that in about half of them the drug does worse than placebo. {LIMITS}"
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
    design = answer.design
    first, alpha = answer.comparisons[0], design.analysis.alpha
    lines = [f"Primary endpoint: {endpoint_label(first.endpoint)}, week {first.week:g}"]
    for row in answer.comparisons:
        if (row.endpoint, row.week, row.method) != (first.endpoint, first.week, first.method):
            continue
        text = f"{row.arm} vs {row.against}, {measured_by(row)}: "
        if row.estimate is None:
            text += "not estimable in any replicate."
        else:
            text += (
                f"{'median' if row.measure.endswith('ratio') else 'mean'} estimate {estimate_of(row, row.estimate)} "
                f"(5th-95th percentile over replicates {range_of(row)}); "
                f"power {percent(row.power)} ({_criterion(design, alpha)})."
            )
            if row.control_better >= WORTH_SAYING:
                text += f" {upper_first(row.against)} is better with p < {alpha:g} in {percent(row.control_better)}."
        lines.append(wrapped(text, INDENT))
    return "\n".join(lines)


def _criterion(design: Design, alpha: float) -> str:
    """What a replicate has to show of the primary endpoint."""
    plan = design.analysis
    if plan.non_inferiority_margin is not None:
        return (
            f"non-inferior: upper limit of the {percent(1 - alpha)} CI below {plan.non_inferiority_margin:g}"
        )
    if plan.interim:
        return f"over {len(plan.interim.at) + 1} looks, two-sided alpha {alpha:g} in all"
    return f"p < {alpha:g} in favour of the arm"


def _looks(answer: TrialAnswer) -> str:
    """Interim looks: boundaries, and how often the trial stops there."""
    if not answer.looks or answer.design.analysis.interim is None:
        return ""
    rows = [[row.arm, f"{row.n}", f"{row.z:.3f}", f"{row.p:.2g}", percent(row.stops)] for row in answer.looks]
    found = table(
        "",
        "|randomised|boundary, z|p|reached here first",
        rows,
        "randomised|boundary, z|p|reached here first",
    )
    lines = [f"Interim looks ({SPENDING[answer.design.analysis.interim.spending]}, by alpha spending)"]
    lines.append(as_text(found, indent=INDENT, rule=False))
    for arm in dict.fromkeys(row.arm for row in answer.looks):
        mine = [row for row in answer.looks if row.arm == arm]
        early = sum(row.n * row.stops for row in mine[:-1])
        rest = 1.0 - sum(row.stops for row in mine[:-1])
        lines.append(
            wrapped(
                f"{arm}: {early + rest * mine[-1].n:.0f} participants on average until the trial stops, those apart "
                "who are enrolled while a look's last participants are followed up.",
                INDENT,
            )
        )
    return "\n".join(lines)


def _disposition(answer: TrialAnswer) -> str:
    flow, run_in = answer.flow, answer.design.run_in
    rows = [["Screened", mean_range(flow.screened)]]
    if run_in and not run_in.established:
        rows.append(["Enrolled in the run-in", mean_range(flow.entered)])
        rows.append(["Discontinued in the run-in", mean_range(flow.left_run_in)])
        rows.append([not_randomised(answer.design), mean_range(flow.not_kept)])
    rows.append(["Randomised", mean_range(flow.randomised)])
    if flow.short:
        rows.append(
            [f"Replicates with fewer than the {answer.design.patients} to be randomised", f"{flow.short}"]
        )
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
            as_text(table("", "|n", rows, "n"), indent=INDENT, rule=False),
            "",
            as_text(Table("", ("", *labels), by_group, frozenset(labels)), indent=INDENT, rule=False),
        ]
    )


def not_randomised(design: Design) -> str:
    """Who finished the run-in and was not randomised."""
    return "Not randomised: non-responders" if design.run_in and design.run_in.keep else "Not randomised"


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
    note = f"SD: between participants, of those with a value. {_estimand(design)}"
    if any(each.measure == "failure" for each in design.endpoints):
        note += " Discontinuation counts as treatment failure."
    return f"Results by arm\n{as_text(found, indent=INDENT, rule=False)}\n{wrapped(note, INDENT)}"


def _estimand(design: Design) -> str:
    """How missing visits are handled, and what it is an estimate of."""
    strategy, method = ESTIMANDS[design.analysis.missing]
    text = f"Missing visits: {method}. Estimand (ICH E9(R1)): {STRATEGIES[strategy]}."
    if design.analysis.missing in MODELLED:
        text += " A missing responder counts as none."
    return text


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
        numbers = [estimate_of(row, row.estimate), range_of(row), ci_of(row), percent(row.power)]
        rows.append([shown, f"{row.week:g}", *arm, row.measure or f"{row.method} test", *numbers])
        notes += [f"- {label}, {row.arm}, in {n} of {answer.replicates} replicates: {why}."
                  for why, n in row.notes.items()]  # fmt: skip
        if row.control_better >= WORTH_SAYING:
            notes.append(
                f"- {label}, {row.arm}: in {percent(row.control_better)} of replicates {row.against} is better with "
                f"p < {alpha:g}."
            )
    methods = dict.fromkeys(f"{row.measure}: {row.method}" for row in found if row.measure)
    legend = (
        "estimate: mean over replicates (of ratios the median). 5-95 %: percentiles of the estimate over "
        f"replicates. CI: mean (of ratios median) of the limits that each trial would publish. power: proportion of "
        f"replicates with p < {alpha:g} in favour of the arm (either way of adverse events, discontinuation and a test "
        f"alone); of the primary endpoint: {_criterion(answer.design, alpha)}. "
        f"Methods: {'; '.join(methods)}."
    )
    for row in found:
        if row.power_adjusted is not None:
            how = MULTIPLICITY[answer.design.analysis.multiplicity]
            legend += (
                f" Key secondary, {endpoint_label(row.endpoint)}, {row.arm}: power {percent(row.power_adjusted)} where "
                f"the primary endpoint is significant too ({how})."
            )
    shown_table = table("", "|".join(head), rows, f"week|estimate|5-95 %|{ci}|power")
    return "\n".join(
        [
            f"{arms[0] if len(arms) == 1 else 'Each arm'} vs {found[0].against}",
            as_text(shown_table, indent=INDENT, rule=False),
            *(wrapped(line, INDENT) for line in (legend, *notes)),
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
        found, indent=INDENT, rule=False
    )


def _dose_cell(row: DoseAnswer | None) -> str:
    if row is None or row.units is None:
        return "-"
    return f"{row.units:.1f}" + ("" if row.sd is None else f" [{row.sd:.1f}]")


def _next(answer: TrialAnswer) -> str:
    """What the reader may do now."""
    lines: list[str] = []
    if answer.replicates < ENOUGH:
        lines.append("- Power needs more replicates: --replicates 200 or more.")
    if answer.comparisons and answer.comparisons[0].power < WISHED:
        lines.append("- Sample size for 80 and 90 % power: lissive trial power DESIGN")
    lines.append(
        "- Compare with a published trial of similar design before relying on it: lissive trial reproduce"
    )
    return "Next steps\n" + "\n".join(wrapped(line, INDENT) for line in lines)


# -- numbers -----------------------------------------------------------------------------------------
def _fixed(x: float | None, *, sign: bool = False) -> str:
    """Two decimals, as changes of a rating and ratios are published."""
    if x is None:
        return "-"
    text = f"{x:+.2f}" if sign else f"{x:.2f}"
    return text if abs(x) < 1000 else f"{x:.2g}"


def estimate_of(row: ComparisonAnswer, x: float | None) -> str:
    return _fixed(x, sign=row.measure == "difference")


def _between(row: ComparisonAnswer, ends: Sequence[float | None]) -> str:
    return "-" if None in ends else span(*(estimate_of(row, end) for end in ends))


def range_of(row: ComparisonAnswer) -> str:
    return _between(row, (row.p05, row.p95))


def ci_of(row: ComparisonAnswer) -> str:
    return _between(row, row.ci)


# -- what names are called -------------------------------------------------------------------------
KINDS = {
    "parallel": "parallel groups",
    "enriched": "enriched enrolment: run-in responders are randomised after a wash-out",
    "withdrawal": "randomised withdrawal: run-in on the drug, then randomised continuation or withdrawal",
    "crossover": "crossover: each participant receives the treatments in sequence",
}
TITRATIONS = {
    "self": "self-titrated",
    "free": "self-titrated, any steps",
    "label": "titrated by the label",
    "fixed": "fixed dose",
}
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
        if run_in.established:
            kept = f", improved by {run_in.keep.falls_by_pct:g} %" if run_in.keep else ""
            parts.append(f"after {units(run_in.weeks, 'week')} of use of {run_in.arm} in ordinary care{kept}")
        else:
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
