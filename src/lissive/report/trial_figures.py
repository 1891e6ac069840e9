"""The files of a virtual trial: the answer, its tables, its figures. Figures compute nothing.

Colours are Okabe and Ito's; an arm's line style differs as well, and its name stands at its line.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lissive.files import write_csv
from lissive.report.figures import FAINT, GREY, drawn, save, write_json
from lissive.report.trial_flow import flow_figure
from lissive.report.trial_text import endpoint_label
from lissive.trials.store import Band

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lissive.trials.power import PowerAnswer
    from lissive.trials.store import Curves, Survival
    from lissive.trials.summary import TrialAnswer

Looks = Mapping[str, Mapping[str, Any]]
_DRUGS = (("#0072B2", "-"), ("#009E73", "-."), ("#CC79A7", (0, (5, 1))), ("#E69F00", (0, (3, 1, 1, 1))))
_CONTROL = ("#D55E00", "--")


def looks(arms: Sequence[str], control: str) -> Looks:
    """Colour and line of each arm; the control's is always the same."""
    others = [arm for arm in arms if arm != control]
    found = {arm: _DRUGS[k % len(_DRUGS)] for k, arm in enumerate(others)} | {control: _CONTROL}
    return {arm: {"color": found[arm][0], "linestyle": found[arm][1]} for arm in arms}


def change_figure(curves: Curves, look: Looks, note: str) -> Figure:
    """Mean change by visit, with the band in which 90 % of replicates are; below it how many were seen."""

    def draw(ax: Axes) -> None:
        weeks = curves.weeks
        ax.axhline(0.0, color=FAINT, linewidth=0.8)
        if len(weeks) == 2:  # one visit: no course to draw a line of
            _points(ax, curves, look)
        else:
            _lines(ax, weeks, curves.change, look, marker="o")
            _week_ticks(ax, weeks)
            ax.set(xlim=(0, weeks[-1]), xlabel="week")
            _below(ax, weeks, curves.n, look, "seen")
        ax.set_ylabel("mean change from baseline")
        ax.annotate("↓ improvement", (0.012, 0.03), xycoords="axes fraction", color=GREY, fontsize=8)
        base = ", ".join(f"{arm} {mean:.1f} [{sd:.1f}]" for arm, (mean, sd) in curves.baseline.items())
        _titles(
            ax, endpoint_label(curves.measure), f"{note}\nBaseline, mean [SD between participants]: {base}."
        )

    return drawn(6.4, 4.4, draw)


def _points(ax: Axes, curves: Curves, look: Looks) -> None:
    """Each arm's mean at the only visit, with its band as a bar, side by side."""
    for k, (arm, band) in enumerate(curves.change.items()):
        mean, low, high = band.mean[-1], band.p05[-1], band.p95[-1]
        if mean is not None and low is not None and high is not None:
            ends = [[mean - low], [high - mean]]
            ax.errorbar(k, mean, yerr=ends, marker="o", markersize=6, capsize=5, color=look[arm]["color"])
    ax.set_xticks(range(len(curves.change)), [f"{arm}\nn = {curves.n[arm][-1]}" for arm in curves.change])
    ax.set(xlim=(-0.6, len(curves.change) - 0.4), xlabel=f"week {curves.weeks[-1]:g}")


def _below(
    ax: Axes, at: Sequence[float], counts: Mapping[str, Sequence[int]], look: Looks, what: str
) -> None:
    """Rows of numbers below the axis, one an arm, as under a Kaplan-Meier curve."""
    near = [k for k in range(len(at)) if k == 0 or at[k] - at[k - 1] >= at[-1] / 25]
    ax.annotate(f"n {what}", (0.0, 0.0), xytext=(-12, -44), xycoords="axes fraction", textcoords="offset points",
                fontsize=7, color=GREY, ha="right", annotation_clip=False)  # fmt: skip
    for row, (arm, numbers) in enumerate(counts.items()):
        for k in near:
            ax.annotate(str(numbers[k]), (at[k], 0.0), xytext=(0, -44 - 11 * row), xycoords=("data", "axes fraction"),
                        textcoords="offset points", fontsize=7, color=look[arm]["color"], ha="center",
                        annotation_clip=False)  # fmt: skip


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
    """Proportion without treatment failure, by day; below it how many are at risk."""

    def draw(ax: Axes) -> None:
        weeks = [day / 7.0 for day in found.days]
        weeks.append(1.02 * weeks[-1])  # a little beyond the end, where the last failures are known
        shares = {arm: _percent(_and_last(band)) for arm, band in found.arms.items()}
        _lines(ax, weeks, shares, look, at=0.5, step=True)
        for arm, band in shares.items():
            end = band.mean[-1]
            if found.censored[arm] and end is not None:
                ax.plot(weeks[-1], end, marker="|", markersize=9, markeredgewidth=2, clip_on=False,
                        color=look[arm]["color"])  # fmt: skip
        ax.set(xlim=(0, weeks[-1]), ylim=(0, 100), xlabel="week", ylabel="without treatment failure [%]")
        step, end_week = max(round(weeks[-2] / 6), 1), int(weeks[-2])
        places = list(range(0, end_week + 1, step))
        ax.set_xticks(places)
        counts = {arm: [each[7 * week] for week in places] for arm, each in found.at_risk.items()}
        _below(ax, places, counts, look, "at risk")
        _titles(
            ax,
            "Time to treatment failure",
            f"{note}\nTicks: censored at the end; discontinuation is failure.",
        )

    return drawn(6.4, 4.4, draw)


def patients_figure(curves: Curves, look: Looks, note: str) -> Figure:
    """Every patient of one replicate, an arm a panel; the thick line is the mean of those observed."""
    import numpy as np
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    from lissive.report.figures import settings

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
            last = np.where(there.any(axis=1), rows.shape[1] - 1 - there[:, ::-1].argmax(axis=1), 0)
            gone = np.flatnonzero((last < rows.shape[1] - 1) & there.any(axis=1))
            ax.plot(np.array(weeks)[last[gone]], rows[gone, last[gone]], "x", color="black", markersize=4,
                    markeredgewidth=0.9, zorder=5)  # fmt: skip
            mean = np.where(there, rows, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
            ax.plot(weeks, mean, color="white", linewidth=4.5)
            ax.plot(weeks, mean, color=look[arm]["color"], linewidth=2.5)
            of_all = f", the first of {curves.n[arm][0]}" if len(rows) < curves.n[arm][0] else ""
            ax.set_title(f"{arm}, n = {len(rows)}{of_all}", fontsize=8, loc="left", color=look[arm]["color"])
            ax.set(xlim=(0, weeks[-1]), xlabel="week")
            _week_ticks(ax, weeks)
            ax.spines[["top", "right"]].set_visible(False)
        axes[0].set_ylabel(endpoint_label(curves.measure))
        axes[0].set_ylim(bottom=0)
        figure.suptitle(_broken(note), x=0.01, ha="left", fontsize=8, color=GREY)
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
            sizes, color = [p.n for p in mine], look[arm]["color"]
            low, power, high = ([100.0 * x for x in each] for each in zip(
                *((p.power_ci[0], p.power, p.power_ci[1]) for p in mine), strict=True))  # fmt: skip
            ax.fill_between(sizes, low, high, color=color, alpha=0.18, linewidth=0)
            ax.plot(sizes, power, marker="o", markersize=4, linewidth=1.5, **look[arm])
            if len(sizes) == 1:
                ax.vlines(sizes, low, high, color=color)
            ax.annotate(arm, (sizes[-1], power[-1]), xytext=(6, 0), textcoords="offset points", va="center",
                        color=color, annotation_clip=False)  # fmt: skip
        for each in answer.needed:
            if each.n is not None:
                ax.plot([each.n, each.n], [0, 100 * each.power], color=look[each.arm]["color"], linewidth=0.8)
                ax.annotate(str(each.n), (each.n, 0), xytext=(3, 4), textcoords="offset points", fontsize=8)
        ax.set(ylim=(0, 100), xlabel=f"participants {answer.size_is}")
        ax.set_ylabel("assurance [%]" if answer.assurance else "power [%]")
        ax.set_xlim(left=0)
        if not answer.needed:
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


def _and_last(band: Band) -> Band:
    """The band with its end once more."""
    return Band(*([*each, each[-1]] for each in (band.mean, band.p05, band.p95)))


def _percent(band: Band) -> Band:
    low, mean, high = (
        [None if x is None else 100.0 * x for x in each] for each in (band.p05, band.mean, band.p95)
    )
    return Band(mean, low, high)


def _broken(note: str) -> str:
    """Each line of a note in as many as fit above a panel."""
    return "\n".join(textwrap.fill(line, 110) for line in note.split("\n"))


def _titles(ax: Axes, title: str, note: str) -> None:
    note = _broken(note)
    ax.set_title(title, loc="left", fontsize=9, fontweight="bold", pad=18 + 9 * note.count("\n"))
    ax.annotate(note, (0.0, 1.0), xytext=(0, 6), xycoords="axes fraction", textcoords="offset points",
                fontsize=7, color=GREY, annotation_clip=False)  # fmt: skip


# -- files -----------------------------------------------------------------------------------------
FIGURES = "change responders patients flow failure".split()
RUN_FILES = [
    "trial.json",
    "endpoints.csv",
    *(f"{stem}.{kind}" for stem in FIGURES for kind in ("png", "svg")),
]
POWER_FILES = [f"power.{kind}" for kind in ("json", "csv", "png", "svg")]
ENDPOINTS = "endpoint week arm kind n base mean change sd p05 p95".split()
POINTS = "n randomised arm against endpoint week method measure power estimate p05 p95 estimated".split()


def write_table(rows: Iterable[object], columns: Sequence[str], path: Path) -> Path:
    """A row for each of `rows`, a column for each of these of its fields; what is None is left empty."""
    return write_csv(path, [columns, *([getattr(row, name) for name in columns] for row in rows)])


_PATIENTS = "Each line a participant of the first replicate; x: last visit before discontinuation."


def write_trial(folder: Path, answer: TrialAnswer) -> list[Path]:
    """Besides patients and replicates, which are written as the run goes: JSON, tables,"""
    from lissive.trials.store import curves

    design, n = answer.design, answer.replicates
    found = curves(folder, design, n)
    look = looks(list(design.arms), design.control)
    stamp = _stamp(answer)
    band = (f"Line: mean over {n} replicates; band: 90 % of them.\n" if n > 1 else "One replicate.\n") + stamp
    once = band.replace("Line:", "Point:").replace("band:", "bar:") if len(found.weeks) == 2 else band
    over = f"Mean over {n} replicates, rounded to whole people (range). " if n > 1 else "One replicate. "
    drawn = {
        "change": change_figure(found, look, once),
        "responders": responder_figure(found, look, band),
        "patients": patients_figure(found, look, f"{_PATIENTS}\n{stamp}"),
        "flow": flow_figure(answer, f"{over}{stamp}"),
    }
    if found.without_failure:
        drawn["failure"] = failure_figure(found.without_failure, look, band)
    return [
        write_json(answer.to_json(), folder / "trial.json"),
        write_table(answer.arms, ENDPOINTS, folder / "endpoints.csv"),
        *(path for stem, figure in drawn.items() for path in save(figure, folder, stem)),
    ]


def write_power(folder: Path, answer: PowerAnswer) -> list[Path]:
    """The curve as JSON, table and figure."""

    look = looks(list(answer.design.arms), answer.design.control)
    band = "band: their Monte-Carlo error (Wilson's 95 % CI)"
    note = f"{answer.replicates} replicates of each size; {band}.\n{_stamp(answer)}"
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_json(answer.to_json(), folder / "power.json"),
        write_table(answer.points, POINTS, folder / "power.csv"),
        *save(power_figure(answer, look, note), folder, "power"),
    ]


def _stamp(answer: TrialAnswer | PowerAnswer) -> str:
    return f"Simulated patients. lissive {answer.provenance.lissive}, {answer.design.trial}, random seed {answer.seed}."
