"""Figures of a virtual trial. Each takes what `trials.kept` or `trials.power` gives, draws, and computes nothing.

Colours are Okabe and Ito's; an arm's line style differs as well, and its name stands at its line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lissive.report.trial_words import endpoint_label
from lissive.report.validation_figures import FAINT, GREY, drawn
from lissive.trials.store import Band

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lissive.trials.run import PowerAnswer
    from lissive.trials.store import Curves, Survival

Looks = Mapping[str, Mapping[str, Any]]
_DRUGS = (("#0072B2", "-"), ("#009E73", "-."), ("#CC79A7", (0, (5, 1))), ("#E69F00", (0, (3, 1, 1, 1))))
_CONTROL = ("#D55E00", "--")


def looks(arms: Sequence[str], control: str) -> Looks:
    """Colour and line of each arm; the control's is always the same."""
    others = [arm for arm in arms if arm != control]
    found = {arm: _DRUGS[k % len(_DRUGS)] for k, arm in enumerate(others)} | {control: _CONTROL}
    return {arm: {"color": found[arm][0], "linestyle": found[arm][1]} for arm in arms}


def change_figure(curves: Curves, look: Looks, note: str) -> Figure:
    """Mean change by visit, with the band in which 90 % of replicates are."""

    def draw(ax: Axes) -> None:
        weeks = curves.weeks
        ax.axhline(0.0, color=FAINT, linewidth=0.8)
        _lines(ax, weeks, curves.change, look, marker="o")
        ax.set(xlim=(0, weeks[-1]), xlabel="week", ylabel="mean change from baseline")
        _week_ticks(ax, weeks)
        _titles(ax, endpoint_label(curves.measure), note)

    return drawn(6.4, 4.0, draw)


def responder_figure(curves: Curves, look: Looks, note: str) -> Figure:
    """Responder curve: proportion of participants improved by at least so many percent."""

    def draw(ax: Axes) -> None:
        shares = {arm: _percent(band) for arm, band in curves.responders.items()}
        for fall in (20, 30, 50):
            ax.axvline(fall, color=FAINT, linewidth=0.8, linestyle=":")
        _lines(ax, curves.falls_pct, shares, look, at=0.3)
        ax.set(xlim=(0, 100), ylim=(0, 100), xlabel="improvement from baseline of at least [%]")
        ax.set_ylabel("participants [%]")
        ax.set_xticks(range(0, 101, 10))
        _titles(ax, f"{endpoint_label(curves.measure)}, week {curves.week:g}", note)

    return drawn(6.4, 4.0, draw)


def failure_figure(found: Survival, look: Looks, note: str) -> Figure:
    """Proportion without treatment failure, by day."""

    def draw(ax: Axes) -> None:
        weeks = [day / 7.0 for day in found.days]
        shares = {arm: _percent(band) for arm, band in found.arms.items()}
        _lines(ax, weeks, shares, look, at=0.5, step=True)
        ax.set(xlim=(0, weeks[-1]), ylim=(0, 100), xlabel="week", ylabel="without treatment failure [%]")
        _titles(ax, "Time to treatment failure", note)

    return drawn(6.4, 4.0, draw)


def patients_figure(curves: Curves, look: Looks, note: str) -> Figure:
    """Every patient of one replicate, an arm a panel; the thick line is the mean of those observed."""
    import numpy as np
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    from lissive.report.inline_svg import settings

    arms, weeks = list(curves.example), curves.weeks
    with settings():
        engine = ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.05)
        figure = Figure(figsize=(max(3.2 * len(arms), 4.8), 4.0), layout=engine)
        axes = figure.subplots(1, len(arms), sharey=True, squeeze=False)[0]
        for ax, arm in zip(axes, arms, strict=True):
            rows = np.array(curves.example[arm], dtype=float)
            alpha = min(0.5, max(0.12, 8.0 / len(rows)))
            ax.plot(weeks, rows.T, color=look[arm]["color"], linewidth=0.6, alpha=alpha)
            there = ~np.isnan(rows)
            mean = np.where(there, rows, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
            ax.plot(weeks, mean, color="white", linewidth=4.5)
            ax.plot(weeks, mean, color=look[arm]["color"], linewidth=2.5)
            ax.set_title(f"{arm}, n = {len(rows)}", fontsize=8, loc="left", color=look[arm]["color"])
            ax.set(xlim=(0, weeks[-1]), xlabel="week")
            _week_ticks(ax, weeks)
            ax.spines[["top", "right"]].set_visible(False)
        axes[0].set_ylabel(endpoint_label(curves.measure))
        axes[0].set_ylim(bottom=0)
        figure.suptitle(note, x=0.01, ha="left", fontsize=8, color=GREY)
        figure.draw_without_rendering()
    return figure


def power_figure(answer: PowerAnswer, look: Looks, note: str) -> Figure:
    """Power by sample size, with Wilson's 95 % interval."""

    def draw(ax: Axes) -> None:
        points = answer.points
        for goal in (80, 90):
            ax.axhline(goal, color=FAINT, linewidth=0.8, linestyle=":")
        for arm in dict.fromkeys(point.arm for point in points):
            mine = [point for point in points if point.arm == arm]
            sizes, power = [p.n for p in mine], [100.0 * p.power for p in mine]
            ends = [[100.0 * (p.power - p.power_ci[0]) for p in mine],
                    [100.0 * (p.power_ci[1] - p.power) for p in mine]]  # fmt: skip
            ax.errorbar(
                sizes, power, yerr=ends, marker="o", markersize=4, capsize=3, linewidth=1.5, **look[arm]
            )
            ax.annotate(arm, (sizes[-1], power[-1]), xytext=(6, 0), textcoords="offset points", va="center",
                        color=look[arm]["color"], annotation_clip=False)  # fmt: skip
        ax.set(ylim=(0, 100), xlabel=f"participants {answer.size_is}")
        ax.set_ylabel(f"replicates with p < {answer.alpha:g} [%]")
        ax.set_xlim(left=0)
        ax.set_xticks(sorted({point.n for point in points}))
        what = "Assurance" if answer.assurance else "Power"
        _titles(ax, f"{what}: {endpoint_label(answer.endpoint)}, week {answer.week:g}", note)

    return drawn(6.4, 4.0, draw)


# -- what the figures share --------------------------------------------------------------------------
def _lines(
    ax: Axes,
    x: Sequence[float],
    arms: Mapping[str, Band],
    look: Looks,
    *,
    marker: str = "",
    at: float | None = None,
    step: bool = False,
) -> None:
    """A line and a band for each arm, its name at the end or at a proportion of the length."""
    import numpy as np

    place = len(x) - 1 if at is None else int(at * (len(x) - 1))
    ends = []
    for arm, band in arms.items():
        mean, low, high = (np.array(each, dtype=float) for each in (band.mean, band.p05, band.p95))
        how: Any = "post" if step else None
        drawstyle: Any = "steps-post" if step else "default"
        ax.fill_between(x, low, high, color=look[arm]["color"], alpha=0.18, linewidth=0, step=how)
        (line,) = ax.plot(x, mean, linewidth=1.8, marker=marker, markersize=4, drawstyle=drawstyle)
        line.set(**look[arm], label=arm)
        ends.append((float(mean[place]), arm))
    ends.sort()
    if at is None:
        _names_at_end(ax, x[-1], ends, look)
    elif len(ends) > 2:
        ax.legend(frameon=False)
    else:
        _names_beside(ax, x[place], ends, look)


def _names_at_end(ax: Axes, x: float, ends: Sequence[tuple[float, str]], look: Looks) -> None:
    """Right of the lines, each above the one below it."""
    low, high = ax.get_ylim()
    least, last = 0.055 * (high - low), -float("inf")
    for height, arm in ends:
        last = max(height, last + least)
        ax.annotate(arm, (x, last), xytext=(5, 0), textcoords="offset points", va="center",
                    color=look[arm]["color"], fontweight="bold", annotation_clip=False)  # fmt: skip


def _names_beside(ax: Axes, x: float, ends: Sequence[tuple[float, str]], look: Looks) -> None:
    """One right above its line, one left below."""
    for k, (height, arm) in enumerate(ends):
        above = k == len(ends) - 1
        ax.annotate(arm, (x, height), xytext=(10, 9) if above else (-10, -9), textcoords="offset points", va="center",
                    ha="left" if above else "right", color=look[arm]["color"], fontweight="bold")  # fmt: skip


def _week_ticks(ax: Axes, weeks: Sequence[float]) -> None:
    """At the visits, unless their numbers would touch."""
    if all(later - earlier >= weeks[-1] / 16 for earlier, later in pairwise(weeks)):
        ax.set_xticks(weeks)


def _percent(band: Band) -> Band:
    low, mean, high = (
        [None if x is None else 100.0 * x for x in each] for each in (band.p05, band.mean, band.p95)
    )
    return Band(mean, low, high)


def _titles(ax: Axes, title: str, note: str) -> None:
    ax.set_title(title, loc="left", fontsize=9, fontweight="bold", pad=18)
    ax.annotate(note, (0.0, 1.0), xytext=(0, 6), xycoords="axes fraction", textcoords="offset points",
                fontsize=7, color=GREY, annotation_clip=False)  # fmt: skip
