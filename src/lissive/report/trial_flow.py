"""Participant disposition of a virtual trial, as a CONSORT diagram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lissive.report.trial_words import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lissive.trials.summary import GroupDisposition, TrialAnswer

WIDTH, GAP, LINE = 2.2, 0.35, 0.165
"""Of a box, between boxes, and of a line of text [inches]."""

Box = Sequence[str]


def flow_figure(answer: TrialAnswer, note: str) -> Figure:
    """Screened, run-in, randomised, and what became of each group; beside it those who were excluded."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from lissive.report.inline_svg import settings

    trunk, groups = _trunk(answer), answer.flow.groups
    columns = [_column(group) for group in groups]
    below = [max(_height(column[k]) for column in columns) for k in range(3)]
    # the trunk is in the middle, with space beside it for those who are excluded
    width = max(len(groups) * (WIDTH + GAP) + GAP, 3 * WIDTH + 2 * GAP)
    down = sum(_height(box) for box, _ in trunk) + sum(_space(beside) for _, beside in trunk[:-1])
    total = GAP / 2 + down + GAP / 2 + GAP / 2 + sum(below) + 2 * GAP + 0.4
    with settings():
        figure = Figure(figsize=(width, total))
        FigureCanvasAgg(figure)
        ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        ax.set(xlim=(0, width), ylim=(0, total))
        ax.axis("off")
        middle = width / 2
        bottom = _draw_trunk(ax, trunk, middle, total - GAP / 2)
        left = (width - len(groups) * (WIDTH + GAP) + GAP) / 2 + WIDTH / 2
        fork = bottom - GAP / 2
        ax.plot([middle, middle], [bottom, fork], color="black", linewidth=0.8)
        places = [left + k * (WIDTH + GAP) for k in range(len(groups))]
        ax.plot([min(middle, *places), max(middle, *places)], [fork, fork], color="black", linewidth=0.8)
        for x, column in zip(places, columns, strict=True):
            top = fork
            for k, box in enumerate(column):
                start = top
                top = fork - GAP / 2 - sum(below[:k]) - k * GAP
                _arrow(ax, (x, start), (x, top))
                _draw_box(ax, box, x, top)
                top -= _height(box)
        ax.text(GAP / 2, 0.12, note, fontsize=6.5, color="#555555")
    return figure


def _trunk(answer: TrialAnswer) -> list[tuple[Box, Box]]:
    """Boxes down to randomisation, each with the one beside the arrow to the next; empty where nobody is excluded."""
    flow, run_in = answer.flow, answer.design.run_in
    excluded = flow.screened.mean - flow.entered.mean
    out = (
        [f"Excluded: {excluded:.1f}" if excluded < 20 else f"Excluded: {excluded:.0f}"]
        if excluded > 0
        else []
    )
    found: list[tuple[Box, Box]] = [([f"Screened: {count(flow.screened)}"], out)]
    if run_in:
        gone = [f"Discontinued: {count(flow.left_run_in)}", f"Not randomised: {count(flow.not_kept)}"]
        entered = [f"Run-in on {run_in.arm}", f"Enrolled: {count(flow.entered)}"]
        found.append((entered, [line for line in gone if not line.endswith(": 0")]))
    unsolved = [f"Equations not solved: {count(flow.failed)}"] if flow.failed.max else []
    found.append(([f"Randomised: {count(flow.randomised)}"], unsolved))
    return found


def _column(group: GroupDisposition) -> tuple[Box, Box, Box]:
    """Boxes of one group: who, who discontinued and why, who completed."""
    left = (
        ("adverse events", group.adverse),
        ("lack of efficacy", group.no_effect),
        ("other reasons", group.other),
    )
    return (
        [group.label, f"Randomised: {count(group.randomised)}"],
        ["Discontinued", *(f"{label}: {count(number)}" for label, number in left)],
        [f"Completed: {count(group.completed)}"],
    )


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


def _draw_box(ax: Axes, lines: Box, x: float, top: float) -> None:
    from matplotlib.patches import Rectangle

    height = _height(lines)
    ax.add_patch(
        Rectangle(
            (x - WIDTH / 2, top - height), WIDTH, height, facecolor="white", edgecolor="black", linewidth=0.8
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
