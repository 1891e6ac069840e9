"""A virtual trial's answer as plain text, as a clinician or a trialist would read it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from lissive.report.trial_words import (
    KINDS,
    arm_label,
    cause_label,
    count,
    endpoint_label,
    measured_by,
    shape,
    week_of,
)
from lissive.report.validation_text import aligned
from lissive.trials.design import Design
from lissive.trials.power import PowerAnswer
from lissive.trials.summary import ArmAnswer, ComparisonAnswer, DoseAnswer, TrialAnswer

LIMITS = (
    "These are simulated patients. The ranges over replicates show chance, and how trials differ beyond it "
    "(trials/between.tsv), if the model is right; they do not show how sure the model is. It has not been tested "
    "against a trial that was carried out by exactly this design; how near it comes to published ones: lissive trial "
    "reproduce. What it assumes: docs/concepts/trials.md. Not a basis for treating anybody."
)
_WIDTH = 110
MISSING = {
    "locf": "For a visit that is missing, the last one before it stands.",
    "observed": "Who is missing at a visit is left out of it.",
    "baseline": "Who is missing at a visit counts as unchanged.",
}
ENOUGH, WISHED = 100, 0.8
"""Replicates from which a share is worth reading, and the power that trials are usually planned for."""


def trial_text(answer: TrialAnswer) -> str:
    """The whole answer of `lissive trial run`."""
    design = answer.design
    parts = [
        _head(design, answer),
        "Arms\n" + _table([[name, arm_label(design, name)] for name in _given(answer)]),
        _main_result(answer),
        _flow(answer),
        _arms(design, answer),
        _comparisons(answer),
        _dose(answer),
        _wrapped(LIMITS, ""),
        _next(answer),
    ]
    return "\n\n".join(part for part in parts if part)


def _head(design: Design, answer: TrialAnswer) -> str:
    n = answer.replicates
    return (
        f"{design.trial}: {design.title}".rstrip(": ")
        + f"\n{KINDS[design.kind].capitalize()}.\n{cause_label(design).capitalize()}; {shape(design)}.\n"
        + f"Carried out {n} time{'' if n == 1 else 's'} on simulated patients, seed {answer.seed}."
    )


def _given(answer: TrialAnswer) -> list[str]:
    """Arms that anybody was put into, and that of the run-in."""
    run_in = answer.design.run_in
    there = {row.arm for row in answer.arms} | ({run_in.arm} if run_in else set())
    return [name for name in answer.design.arms if name in there]


# -- the parts ---------------------------------------------------------------------------------------
def _main_result(answer: TrialAnswer) -> str:
    """The primary endpoint in a sentence for each arm."""
    lines = []
    for row in answer.comparisons:
        first = answer.comparisons[0]
        if (row.endpoint, row.week, row.method) != (
            first.endpoint,
            first.week,
            first.method,
        ):
            continue
        said = f"{row.arm} against {row.against}, {measured_by(row)}"
        if row.estimate is None:
            lines.append(f"{said}: no replicate has an estimate.")
            continue
        lines.append(
            f"{said}: {_num(row.estimate, sign=_signed(row))} on average, {_range(row)} in 90 % of replicates; "
            f"p < {answer.design.analysis.alpha:g} in {_pct(row.power)} of them."
        )
    if not lines:
        return ""
    head = f"Primary endpoint: {endpoint_label(first.endpoint)}, week {first.week:g}"
    return head + "\n" + "\n".join(_wrapped(line) for line in lines)


def _flow(answer: TrialAnswer) -> str:
    flow, run_in = answer.flow, answer.design.run_in
    rows = [["Screened", count(flow.screened)]]
    if run_in:
        rows.append(["Entered the run-in", count(flow.entered)])
        rows.append(["Left in the run-in", count(flow.left_run_in)])
        rows.append([_not_kept(answer), count(flow.not_kept)])
    rows.append(["Randomised", count(flow.randomised)])
    if flow.failed.max:
        rows.append(["Equations not solved, left out", count(flow.failed)])
    groups = flow.groups
    table = [["", *(each.label for each in groups)]]
    rows_of = {
        "Randomised": [each.randomised for each in groups],
        "Left: side effects": [each.adverse for each in groups],
        "Left: no effect": [each.no_effect for each in groups],
        "Left: other reasons": [each.other for each in groups],
        "Completed": [each.completed for each in groups],
    }
    table += [[label, *map(count, numbers)] for label, numbers in rows_of.items()]
    head = "Who came how far" + (" (mean over replicates, range)" if answer.replicates > 1 else "")
    return f"{head}\n{_table(rows, {1})}\n\n{_table(table, range(1, len(groups) + 1))}"


def _not_kept(answer: TrialAnswer) -> str:
    """Those whom a run-in lets go; with a fixed number to be randomised also those beyond it."""
    surplus = " or not needed" if answer.design.patients is not None else ""
    run_in = answer.design.run_in
    return f"Not kept: no response{surplus}" if run_in and run_in.keep else f"Not kept{surplus}"


def _arms(design: Design, answer: TrialAnswer) -> str:
    """Each endpoint at its own visit."""
    table = [["", "week", "arm", "n", "before", "change [SD]", "share"]]
    shown = {(each.name, week_of(design, each)) for each in design.endpoints if each.measure != "dose"}
    last = None
    for row in answer.arms:
        if (row.endpoint, row.week) not in shown:
            continue
        label = endpoint_label(row.endpoint)
        table.append(["" if label == last else label, f"{row.week:g}", row.arm, *_shown(row)])
        last = label
    if len(table) == 1:
        return ""
    note = f"SD: between patients. {MISSING[design.analysis.missing]}"
    if any(each.measure == "failure" for each in design.endpoints):
        note += " Who left counts as a treatment failure."
    return f"What each arm shows\n{_table(table, {1, 3, 4, 5, 6})}\n{_wrapped(note)}"


def _shown(row: ArmAnswer) -> list[str]:
    """n, before, change [SD], share."""
    n = f"{row.n:.0f}"
    before = "" if row.base is None else f"{row.base:.1f}"
    if row.kind in ("hit", "time"):
        return [n, before, "", _pct(row.mean)]
    sd = "" if row.sd is None else f" [{row.sd:.2f}]"
    return [n, before, f"{_num(row.change, sign=True)}{sd}", ""]


def _comparisons(answer: TrialAnswer) -> str:
    rows, alpha = answer.comparisons, answer.design.analysis.alpha
    if not rows:
        return ""
    arms = list(dict.fromkeys(row.arm for row in rows))
    heads = ["", "week", "arm", "measure", "estimate", "5-95 %", f"{_pct(1 - alpha)} CI", "power"]
    table, notes, last = [heads], [], None
    for row in rows:
        label = endpoint_label(row.endpoint)
        numbers = [_num(row.estimate, sign=_signed(row)), _range(row), _ci(row), _pct(row.power)]
        what = row.measure or f"{row.method} test"
        table.append(["" if label == last else label, f"{row.week:g}", row.arm, what, *numbers])
        last = label
        notes += [f"- {label}, {row.arm}, in {n} of {answer.replicates} replicates: {why}."
                  for why, n in row.notes.items()]  # fmt: skip
    methods = dict.fromkeys(f"{row.measure}: {row.method}" for row in rows if row.measure)
    said = (
        "estimate: mean over replicates (of ratios the geometric mean). 5-95 %: of the estimate over replicates. CI: "
        f"the mean of the limits that each trial would publish. power: share of replicates with p < {alpha:g}. "
        f"Methods: {'; '.join(methods)}."
    )
    if len(arms) == 1:
        table = [[*row[:2], *row[3:]] for row in table]
    head = f"{arms[0] if len(arms) == 1 else 'Each arm'} against {rows[0].against}"
    lines = [_wrapped(said), *(_wrapped(note) for note in notes)]
    return (
        f"{head}\n{_table(table, {1, *range(3, 8)} if len(arms) == 1 else {1, *range(4, 8)})}\n"
        + "\n".join(lines)
    )


def _dose(answer: TrialAnswer) -> str:
    """Units a day over the week before each visit; mg of THC or CBD at the last."""
    weeks = sorted({row.week for row in answer.dose})
    table = [["", *(f"week {week:g}" for week in weeks), "at the end"]]
    for arm in dict.fromkeys(row.arm for row in answer.dose):
        rows = {row.week: row for row in answer.dose if row.arm == arm}
        last = rows[weeks[-1]]
        contents = [f"{mg:.3g} mg {name}" for mg, name in ((last.thc_mg, "THC"), (last.cbd_mg, "CBD")) if mg]
        cells = [_dose_cell(rows.get(week)) for week in weeks]
        table.append([arm, *cells, ", ".join([f"{last.counted}s", *contents])])
    if len(table) == 1:
        return ""
    return "Dose reached: units a day, mean [SD], of those who are still there\n" + _table(
        table, range(1, len(weeks) + 1)
    )


def _dose_cell(row: DoseAnswer | None) -> str:
    if row is None or row.units is None:
        return "-"
    return f"{row.units:.1f}" + ("" if row.sd is None else f" [{row.sd:.1f}]")


def _next(answer: TrialAnswer) -> str:
    """What the reader may do now."""
    lines = []
    if answer.replicates < ENOUGH:
        lines.append(
            f"{answer.replicates} replicates say little of power: --replicates 200 or more."
            if answer.replicates > 1
            else "One replicate is one trial as chance has it: --replicates 200 shows what chance does."
        )
    first = answer.comparisons[0] if answer.comparisons else None
    if first and first.power < WISHED:
        lines.append("How many patients would it take? lissive trial power DESIGN --n 100,200,400")
    lines.append(
        "Hold the design against a trial that was carried out by a similar one before you rely on it."
    )
    return "What to do next\n" + "\n".join(_wrapped(f"- {line}") for line in lines)


# -- how power hangs on size -------------------------------------------------------------------------
def power_text(answer: PowerAnswer) -> str:
    """The whole answer of `lissive trial power`."""
    design = answer.design
    alpha = answer.alpha
    table = [["patients", "randomised", "arm", "power", "95 % interval", "estimate", "5-95 %"]]
    for row in answer.points:
        low, high = row.power_ci
        table.append(
            [
                f"{row.n}",
                f"{row.randomised:.0f}",
                row.arm,
                _pct(row.power),
                f"{_pct(low)} to {_pct(high)}",
                _num(row.estimate, sign=_signed(row)),
                _range(row),
            ]
        )
    points = answer.points
    how = f" ({measured_by(points[0])}, against {points[0].against})" if points else ""
    parts = [
        f"{design.trial}: {design.title}".rstrip(": ")
        + f"\nPower for {endpoint_label(answer.endpoint)}, week {answer.week:g}{how}.\n"
        + f"{answer.replicates} simulated trials of each size, seed {answer.seed}.",
        _table(table, {0, 1, 3, 4, 5, 6}),
        _wrapped(_power_notes(answer, alpha)),
        _wrapped(LIMITS, ""),
    ]
    return "\n\n".join(parts)


def _power_notes(answer: PowerAnswer, alpha: float) -> str:
    said = [
        f"patients: {answer.size_is}. power: share of trials with two-sided p < {alpha:g}, with Wilson's interval "
        "for the number of trials that were simulated."
    ]
    if answer.assurance:
        said.append(
            "Assurance: each trial draws its parameters from what the calibration left uncertain, so that the share "
            "allows for that too; it does not tend to 1 as trials grow."
        )
    else:
        said.append(
            "Each trial has a placebo response and an effect of its own around the tables' parameters: if the drug "
            "does less than these say, the power is less. --assurance allows for what the calibration left uncertain."
        )
    said.append(
        f"Type I error: were there no effect, about {_pct(alpha)} of trials of any size would have p < {alpha:g}."
    )
    return " ".join(said)


# -- numbers -----------------------------------------------------------------------------------------
def _signed(row: ComparisonAnswer) -> bool:
    return row.measure == "difference"


def _num(x: float | None, *, sign: bool = False) -> str:
    if x is None:
        return "-"
    text = f"{x:+.2f}" if sign else f"{x:.2f}"
    return text if abs(x) < 1000 else f"{x:.2g}"


def _range(row: ComparisonAnswer) -> str:
    if row.p05 is None:
        return "-"
    return f"{_num(row.p05, sign=_signed(row))} to {_num(row.p95, sign=_signed(row))}"


def _ci(row: ComparisonAnswer) -> str:
    low, high = row.ci
    if low is None or high is None:
        return "-"
    return f"{_num(low, sign=_signed(row))} to {_num(high, sign=_signed(row))}"


def _pct(share: float | None) -> str:
    if share is None:
        return "-"
    return f"{100 * share:.0f} %" if 0.01 <= share <= 0.99 or share in (0.0, 1.0) else f"{100 * share:.1f} %"


def _table(rows: Sequence[Sequence[str]], right: Any = ()) -> str:
    return textwrap.indent(aligned(rows, right=set(right)), "   ")


def _wrapped(text: str, indent: str = "   ") -> str:
    more = "  " if text.startswith("- ") else ""
    return textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent + more)
