"""Figures of a validation. Each takes rows of a validation, or a curve, draws, and computes nothing.

A shape says calibration (round) or held out (square), a fill read (full) or unverified (hollow): what hue says
is said twice. Colours are Okabe and Ito's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from lissive.report.inline_svg import settings
from lissive.report.validation_tables import is_miss
from lissive.report.validation_words import label, metric
from lissive.report.words import marked
from lissive.validation.score import RATIO_LIMITS, Curve, Point, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HUES = {"calibration": "#0072B2", "validation": "#D55E00"}
SHAPES = {"calibration": "o", "validation": "s"}
BLUE, ORANGE, GREY, FAINT = "#0072B2", "#D55E00", "#555555", "#bbbbbb"
FAR = 2.0
"""Points beyond this fold carry a letter."""
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def drawn(width: float, height: float, draw: Callable[[Axes], object]) -> Figure:
    """A figure of one panel, inches."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with settings():
        figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.05))
        ax = figure.subplots()
        draw(ax)
        ax.spines[["top", "right"]].set_visible(False)
        figure.draw_without_rendering()  # places everything now, while the settings hold
    return figure


def mark(split: str, provenance: str) -> dict[str, Any]:
    """Marker of a point: shape and hue by split, fill by provenance."""
    hue = HUES[split]
    return {
        "marker": SHAPES[split],
        "markersize": 5.0,
        "markeredgecolor": hue,
        "markerfacecolor": "white" if provenance == "recalled" else hue,
        "linestyle": "none",
    }


def plain_log(axis: Any) -> None:
    """A logarithmic axis with plain numbers at its decades (and between them, where it is short)."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    decades = math.log10(high / low)
    steps = (1.0, 2.0, 5.0) if decades < 1.6 else (1.0, 3.0) if decades < 2.2 else (1.0,)
    axis.set_major_locator(LogLocator(base=10.0, subs=steps, numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def far(rows: Sequence[Row]) -> list[tuple[str, Row]]:
    """Letter and row of each that is beyond FAR-fold, the farthest first, as many as there are letters."""
    sizes = {k: abs(math.log(row.fold)) for k, row in enumerate(rows)}
    chosen = sorted((k for k in sizes if sizes[k] > math.log(FAR)), key=lambda k: -sizes[k])
    return [(letter, rows[k]) for letter, k in zip(LETTERS, chosen, strict=False)]


def plot_predicted(rows: Sequence[Row], *, ax: Axes) -> Axes:
    """Predicted over observed, both logarithmic, with the line of identity and those of 1.25- and 2-fold."""
    ax.set_xscale("log")
    ax.set_yscale("log")
    every = [x for row in rows for x in (row.observed, row.predicted)]
    low, high = min(every) / 2.0, max(every) * 2.0
    for fold, style in ((1.0, "-"), (1.25, "--"), (2.0, ":")):
        for side in {fold, 1.0 / fold}:
            ax.plot([low, high], [low * side, high * side], color=GREY, linewidth=0.7, linestyle=style)
    for row in rows:
        ends = [max(end, low) for end in row.pi90]
        ax.plot([row.observed] * 2, ends, color=HUES[row.split], linewidth=0.6, alpha=0.55)
    for row in rows:
        ax.plot([row.observed], [row.predicted], **mark(row.split, row.provenance))
    _letters(rows, low, high, ax)
    ax.set(xlim=(low, high), ylim=(low, high), xlabel="observed", ylabel="predicted")
    plain_log(ax.xaxis)
    plain_log(ax.yaxis)
    return ax


def _letters(rows: Sequence[Row], low: float, high: float, ax: Axes) -> None:
    """A letter beside each far point, on the side away from identity, moved on where another stands already."""
    span = math.log(high / low)
    placed: list[tuple[float, float]] = []
    for letter, row in far(rows):
        side = 1 if row.fold > 1.0 else -1
        x, y = (math.log(value / low) / span for value in (row.observed, row.predicted))
        x, y = x - 0.014 * side, y + 0.014 * side
        for _ in range(6):
            x, y = x - 0.016 * side, y + 0.016 * side
            if all(abs(x - i) > 0.028 or abs(y - j) > 0.04 for i, j in placed):
                break
        placed.append((x, y))
        ax.annotate(letter, (x, y), xycoords="axes fraction", ha="center", va="center", fontsize=8)


def plot_ratios(rows: Sequence[Row], *, ax: Axes) -> Axes:
    """A line for each ratio: the observed in the band that is good, the predicted with its interval."""
    low, high = RATIO_LIMITS
    ax.set_xscale("log")
    for k, row in enumerate(rows):
        seen, bad = row.observed, is_miss(row)
        ax.barh(k, seen * (high - low), left=seen * low, height=0.34, color="#dddddd", linewidth=0)
        ax.plot([seen] * 2, [k - 0.22, k + 0.22], color="black", linewidth=1.6)
        hue = ORANGE if bad else BLUE
        ax.plot(row.pi90, [k, k], color=hue, linewidth=1.0)
        ax.plot(
            [row.predicted], [k], marker="X" if bad else "o", markersize=6 if bad else 5, color=hue,
            markerfacecolor="white" if row.provenance == "recalled" else hue,
        )  # fmt: skip
        ax.annotate(
            label(row), (0.0, k - 0.42), xycoords=("axes fraction", "data"),
            fontsize=7.5, va="center", fontweight="bold" if bad else "normal",
        )  # fmt: skip
    ax.set_ylim(len(rows) - 0.4, -0.8)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.axvline(1.0, color=FAINT, linewidth=0.6, linestyle=":", zorder=0)
    ax.set_xlabel("ratio")
    plain_log(ax.xaxis)
    return ax


def plot_curve(curve: Curve, *, ax: Axes, log: bool) -> Axes:
    """Median and 90 % band of the people, and the published points."""
    if log:
        ax.set_yscale("log")
    ax.fill_between(curve.times, curve.p05, curve.p95, color=BLUE, alpha=0.2, linewidth=0)
    ax.plot(curve.times, curve.median, color=BLUE, linewidth=1.5)
    for point in curve.points:
        ax.plot([point.time], [point.value], **_point_mark(point))
    if curve.lloq > 0.0:
        ax.axhline(curve.lloq, color=GREY, linewidth=0.9, linestyle=":")
    ax.set(xlim=(0.0, float(curve.times[-1])), xlabel="time [h]", ylabel=f"{curve.analyte} [{curve.unit}]")
    if log:
        ax.set_ylim(*log_limits(curve))
        plain_log(ax.yaxis)
    else:
        ax.set_ylim(0.0)
    return ax


def _point_mark(point: Point) -> dict[str, Any]:
    """A peak is a triangle, whatever its split."""
    style = mark(point.split, point.provenance)
    return style | ({"marker": "^", "markersize": 6.0} if point.what == "peak" else {})


def log_limits(curve: Curve) -> tuple[float, float]:
    """Ends of a logarithmic axis: all points, and the curve down to a thousandth of its peak."""
    top = max(float(curve.p95.max()), *(point.value for point in curve.points), 1e-6)
    low = min(point.value for point in curve.points)
    floor = min(low / 3.0, max(float(curve.median[-1]) / 3.0, top / 1000.0))
    return floor, top * 1.6


def letters_of_points(rows: Sequence[Row]) -> tuple[tuple[str, str], ...]:
    """The letters of a figure of predictions, and what they stand for."""
    return tuple((letter, marked(f"{row.study} {metric(row)}", row.provenance)) for letter, row in far(rows))
