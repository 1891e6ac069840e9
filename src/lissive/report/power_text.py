"""Power, sample size and designs side by side, as plain text."""

from __future__ import annotations

from collections.abc import Iterator

from lissive.report.table import as_text, table
from lissive.report.trial_text import (
    INDENT,
    WORTH_SAYING,
    ci_of,
    endpoint_label,
    estimate_of,
    limits,
    mean_range,
    measured_by,
    range_of,
    title,
)
from lissive.report.words import count, paragraphs, percent, span, wrapped
from lissive.trials.power import Needed, PowerAnswer
from lissive.trials.side_by_side import CompareAnswer
from lissive.trials.summary import TrialAnswer

_COMPARED = (
    "Numbers of participants: mean over replicates (range). estimate: mean over replicates (of ratios the median), and "
    "the confidence limits that a trial would publish. Power: in favour of the arm, with the 95 % CI for the number of "
    "replicates (Wilson); better: in favour of the control."
)


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
            *([] if answer.needed else [estimate_of(row, row.estimate), range_of(row)]),
        ]
        for row in points
    ]
    how = f" ({measured_by(points[0])}, vs {points[0].against})" if points and not answer.needed else ""
    more = "" if answer.needed else "|estimate|5-95 %"
    found = table("", f"n|randomised|arm|power|95 % CI{more}", rows, f"n|randomised|power|95 % CI{more}")
    size = "" if answer.needed else " of each size"
    return paragraphs(
        [
            f"{title(answer.design)}\n{'Assurance' if answer.assurance else 'Power'} for "
            f"{endpoint_label(answer.endpoint)}, week {answer.week:g}{how}.\n"
            f"{count(answer.replicates, 'simulated replicate')}{size}, random seed {answer.seed}.",
            "\n".join(_needed(each, answer) for each in answer.needed),
            as_text(found, indent=INDENT, rule=False),
            wrapped(_power_notes(answer), INDENT),
            wrapped(limits(answer.design)),
        ]
    )


def _needed(row: Needed, answer: PowerAnswer) -> str:
    """The size for a power, with its Monte-Carlo interval."""
    if row.n is None:
        goal, better = f"{row.arm}, {percent(row.power)}", percent(row.control_better)
        text = f"{goal}: not reached with up to {row.largest} randomised."
        if row.control_better > 1.0 - row.power:
            text = (
                f"{goal}: reached at no size. With {row.largest} randomised, {answer.design.control} is better with "
                f"p < {answer.alpha:g} in {better} of replicates."
            )
        return wrapped(text, INDENT)
    low, high = (f"over {row.largest}" if end is None else f"{end}" for end in row.ci)
    return f"{INDENT}{row.arm}, {percent(row.power)}: {row.n} randomised (95 % Monte-Carlo interval {low} to {high})."


def compare_text(answer: CompareAnswer) -> str:
    """The whole answer of `lissive trial compare`."""
    names = [each.design.trial for each in answer.answers]
    names = [f"{name} ({k})" if names.count(name) > 1 else name for k, name in enumerate(names, 1)]
    columns = [dict(_compared(each)) for each in answer.answers]
    labels = list(dict.fromkeys(label for column in columns for label in column))
    rows = [[label, *(column.get(label, "-") for column in columns)] for label in labels]
    first = answer.answers[0]
    return paragraphs(
        [
            f"{count(first.replicates, 'simulated replicate')} of each design, random seed {first.seed}.",
            as_text(table("", "|".join(["", *names]), rows, "|".join(names)), indent=INDENT, rule=False),
            wrapped(_COMPARED, INDENT),
            wrapped(limits(*(each.design for each in answer.answers))),
        ]
    )


def _compared(answer: TrialAnswer) -> Iterator[tuple[str, str]]:
    """Label and cell of each row of one design."""
    design, flow = answer.design, answer.flow
    yield "design", design.kind
    yield "screened", mean_range(flow.screened)
    yield "randomised", mean_range(flow.randomised)
    if flow.short:
        yield "replicates that fell short", f"{flow.short}"
    completed = sum(group.completed.mean for group in flow.groups)
    yield "completed", f"{completed:.0f}"
    periods = len(design.crossover.sequences[0]) if design.crossover else 1
    yield "weeks of treatment", f"{design.weeks * periods:g}"
    if answer.comparisons:
        first = answer.comparisons[0]
        yield "primary endpoint", f"{endpoint_label(first.endpoint)}, week {first.week:g}"
    for row in answer.comparisons:
        if row.measure:
            arm = "" if len({each.arm for each in answer.comparisons}) == 1 else f", {row.arm}"
            label = f"{endpoint_label(row.endpoint)}{arm}"
            yield f"{label}: {row.measure}", f"{estimate_of(row, row.estimate)} ({ci_of(row)})"
            better = row.control_better >= WORTH_SAYING
            against = f"; {row.against} better {percent(row.control_better)}" if better else ""
            yield f"{label}: power", f"{percent(row.power)} ({span(*map(percent, row.power_ci))}){against}"


def _power_notes(answer: PowerAnswer) -> str:
    alpha = answer.alpha
    text = [
        f"n: participants {answer.size_is}. power: proportion of replicates with two-sided p < {alpha:g} in favour of "
        "the arm (of adverse events either way); 95 % CI: Wilson's, for the number of replicates."
    ]
    if answer.assurance:
        text.append(
            "Assurance: each replicate has parameters of its own, of response and kinetics, from the posteriors of "
            "the calibrations, so that parameter uncertainty is in the power; it does not tend to 1 as trials grow."
        )
    else:
        text.append(
            "Each replicate has kinetics of its own, as the fit to concentrations left them uncertain, and a placebo "
            "response and an effect of its own around the tables' parameters (between-trial random effects). If the "
            "true effect is smaller, power is lower: --assurance includes the uncertainty of the response."
        )
    text.append(
        f"Type I error: with no effect, about {percent(alpha)} of trials of any size have p < {alpha:g}, half of them "
        "in favour of the arm."
    )
    return " ".join(text)
