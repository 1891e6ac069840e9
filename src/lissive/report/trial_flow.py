"""The CONSORT diagram of a virtual trial: who took part, and who left why. It computes nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lissive.trials.disposition import Count, GroupDisposition
    from lissive.trials.summary import TrialAnswer

WIDTH, SIDE, GAP, LINE = 2.2, 1.9, 0.35, 0.165
"""Of a box, of one beside its group, between boxes, and of a line of text [inches]."""
PITCH = WIDTH / 2 + GAP + SIDE + GAP / 2
"""From one group to the next."""

Box = Sequence[str]


def flow_figure(answer: TrialAnswer, note: str) -> Figure:
    """Screened, run-in, randomised, and what became of each group; beside it those who were excluded."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from lissive.report.figures import settings

    trunk, groups = _trunk(answer), answer.flow.groups
    randomised = people([group.randomised.mean for group in groups], round(answer.flow.randomised.mean))
    columns = [_column(group, n) for group, n in zip(groups, randomised, strict=True)]
    first, gone, last = (max(_height(column[k]) for column in columns) for k in range(3))
    # the trunk is in the middle, with space beside it for those who are excluded; a group's own stand right of it
    width = max(len(groups) * PITCH + GAP, 3 * WIDTH + 2 * GAP)
    down = sum(_height(box) for box, _ in trunk) + sum(_space(beside) for _, beside in trunk[:-1])
    total = GAP / 2 + down + GAP + first + gone + GAP + last + 0.5
    with settings():
        figure = Figure(figsize=(width, total))
        FigureCanvasAgg(figure)
        ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        ax.set(xlim=(0, width), ylim=(0, total))
        ax.axis("off")
        middle = width / 2
        bottom = _draw_trunk(ax, trunk, middle, total - GAP / 2)
        fork = bottom - GAP / 2
        left = (width - len(groups) * PITCH) / 2 + WIDTH / 2 + GAP / 4
        places = [left + k * PITCH for k in range(len(groups))]
        ax.plot([middle, middle], [bottom, fork], color="black", linewidth=0.8)
        ax.plot([min(middle, *places), max(middle, *places)], [fork, fork], color="black", linewidth=0.8)
        for x, (who, left_out, end) in zip(places, columns, strict=True):
            top = fork - GAP / 2
            _arrow(ax, (x, fork), (x, top))
            _draw_box(ax, who, x, top)
            lower = top - first - gone - GAP
            _arrow(ax, (x, top - _height(who)), (x, lower))
            at = top - first - GAP / 2 - gone / 2
            _arrow(ax, (x, at), (x + GAP, at))
            _draw_box(ax, left_out, x + GAP + SIDE / 2, at + _height(left_out) / 2, SIDE)
            _draw_box(ax, end, x, lower)
        ax.text(GAP / 2, 0.12, textwrap.fill(note, 130), fontsize=6.5, color="#555555")
    return figure


def _trunk(answer: TrialAnswer) -> list[tuple[Box, Box]]:
    """Boxes down to randomisation, each with the one beside the arrow to the next; empty where nobody is excluded."""
    flow, run_in = answer.flow, answer.design.run_in
    excluded = round(flow.screened.mean) - round(flow.entered.mean)
    out = [f"Excluded: {excluded}"] if excluded > 0 else []
    found: list[tuple[Box, Box]] = [([f"Screened: {_whole(flow.screened)}"], out)]
    if run_in and not run_in.established:
        out_of = round(flow.entered.mean) - round(flow.randomised.mean + flow.failed.mean)
        left, not_kept = people([flow.left_run_in.mean, flow.not_kept.mean], out_of)
        gone = [
            f"Discontinued: {_whole(flow.left_run_in, left)}",
            f"Not randomised: {_whole(flow.not_kept, not_kept)}",
        ]
        entered = [f"Run-in on {run_in.arm}", f"Enrolled: {_whole(flow.entered)}"]
        found.append((entered, [line for line in gone if not line.endswith(": 0")]))
    unsolved = [f"Equations not solved: {_whole(flow.failed)}"] if flow.failed.max else []
    found.append(([f"Randomised: {_whole(flow.randomised)}"], unsolved))
    return found


def _column(group: GroupDisposition, randomised: int) -> tuple[Box, Box, Box]:
    """Boxes of one group: who, beside it who discontinued and why, and who completed."""
    counts = (group.adverse, group.no_effect, group.other, group.completed)
    *left, completed = map(_whole, counts, people([each.mean for each in counts], randomised))
    reasons = ("adverse events", "lack of efficacy", "other reasons")
    return (
        [group.label, f"Randomised: {_whole(group.randomised, randomised)}"],
        ["Discontinued", *(f"{label}: {number}" for label, number in zip(reasons, left, strict=True))],
        [f"Completed: {completed}"],
    )


def people(means: Sequence[float], total: int) -> list[int]:
    """Means as whole people that add up: rounded down, and the largest remainders up.

    >>> people([2.3, 0.1, 1.5, 56.1], 60)
    [2, 0, 2, 56]
    """
    whole = [int(mean) for mean in means]
    order = sorted(range(len(means)), key=lambda k: whole[k] - means[k])
    for k in order[: max(total - sum(whole), 0)]:
        whole[k] += 1
    return whole


def _whole(number: Count, mean: int | None = None) -> str:
    """Whole people: the mean as it is given, else rounded, and the range over replicates."""
    shown = f"{number.mean:.0f}" if mean is None else f"{mean}"
    return shown if number.min == number.max else f"{shown} ({number.min} to {number.max})"


def _height(box: Box) -> float:
    return LINE * len(box) + 0.16


def _space(beside: Box) -> float:
    """Between two boxes, with one beside the arrow."""
    return max(GAP, _height(beside) + 0.12 if beside else 0.0)


def _draw_trunk(ax: Axes, trunk: Sequence[tuple[Box, Box]], x: float, top: float) -> float:
    """From above to below; gives where the last box ends."""
    for k, (box, beside) in enumerate(trunk):
        _draw_box(ax, box, x, top)
        bottom = top - _height(box)
        if k == len(trunk) - 1:
            return bottom
        space = _space(beside)
        _arrow(ax, (x, bottom), (x, bottom - space))
        if beside:
            at = bottom - space / 2
            side = x + WIDTH / 2 + GAP / 2 + WIDTH / 2
            _arrow(ax, (x, at), (side - WIDTH / 2, at))
            _draw_box(ax, beside, side, at + _height(beside) / 2)
        top = bottom - space
    return top


def _draw_box(ax: Axes, lines: Box, x: float, top: float, width: float = WIDTH) -> None:
    from matplotlib.patches import Rectangle

    height = _height(lines)
    ax.add_patch(
        Rectangle(
            (x - width / 2, top - height), width, height, facecolor="white", edgecolor="black", linewidth=0.8
        )
    )
    for k, line in enumerate(lines):
        bold = "bold" if k == 0 and ":" not in line else "normal"
        ax.text(
            x, top - 0.08 - LINE * (k + 0.5), line, ha="center", va="center", fontsize=7.5, fontweight=bold
        )


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "black", "linewidth": 0.8,
                                            "shrinkA": 0, "shrinkB": 0, "mutation_scale": 8})  # fmt: skip
