"""Figures of a forecast. Each draws the typed answer and computes nothing.

Colours are Okabe and Ito's, one fixed colour an arm; line style differs as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lissive.report.inline_svg import plainly
from lissive.report.words import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lissive.forecast.answer import ForecastAnswer, Side

STYLE: Mapping[str, Mapping[str, Any]] = {
    "active": {"color": "#0072B2", "linestyle": "-"},
    "placebo": {"color": "#D55E00", "linestyle": "--"},
}
ARM_LABELS = {"active": "drug", "placebo": "placebo"}

PANELS = (
    "spasms_per_day",
    "spasticity_nrs",
    "pain_nrs",
    "intoxication_vas",
    "dizziness",
    "thc_plasma",
    "oh_thc_plasma",
    "cbd_plasma",
)
_BASELINE_ONLY = ("thc_plasma", "oh_thc_plasma", "cbd_plasma")
_RATINGS = ("spasticity_nrs", "pain_nrs")


_QUANTITY = {
    "spasms_per_day": "spasms",
    "spasticity_nrs": "spasticity",
    "pain_nrs": "pain",
    "intoxication_vas": "feeling high",
    "dizziness": "dizziness",
    "thc_plasma": "THC in plasma",
    "oh_thc_plasma": "11-OH-THC in plasma",
    "cbd_plasma": "CBD in plasma",
}


def plot_outcome(forecast: ForecastAnswer, name: str, *, ax: Axes, arms: Sequence[Side]) -> Axes:
    """One outcome by week: median, 50 % and 90 % bands between virtual patients."""
    from matplotlib.ticker import MaxNLocator

    weeks, outcome = forecast.weeks, forecast.outcomes[name]
    for arm in arms:
        q, style = outcome.of(arm), STYLE[arm]
        ax.fill_between(weeks, q.p05, q.p95, color=style["color"], alpha=0.15, linewidth=0)
        ax.fill_between(weeks, q.p25, q.p75, color=style["color"], alpha=0.25, linewidth=0)
        ax.plot(weeks, q.median, linewidth=2, **style)
    _label_lines(ax, weeks, {arm: outcome.of(arm).median for arm in arms})
    ax.set_title(outcome.label, fontsize=9, loc="left")
    ax.set_ylabel(f"{_QUANTITY.get(name, name)} [{outcome.unit}]", fontsize=8)
    ax.set_xlim(weeks[0], weeks[-1])
    ax.set_ylim(0, 10 if name in _RATINGS else None)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 4, 10]))
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _label_lines(ax: Axes, weeks: Sequence[int], lines: Mapping[str, Sequence[float]]) -> None:
    """Each line's name at its right end, apart from the other's."""
    ends = sorted((values[-1], arm) for arm, values in lines.items())
    for k, (height, arm) in enumerate(ends):
        offset = 7 if k == len(ends) - 1 or height <= 0 else -7
        ax.annotate(
            ARM_LABELS[arm],
            (weeks[-1], height),
            xytext=(-3, offset),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8,
            color=STYLE[arm]["color"],
        )


def forecast_figure(forecast: ForecastAnswer, title: str, caption: str) -> Figure:
    """The forecast on one page: eight outcomes by week."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with plainly():
        figure = Figure(figsize=(12, 6.6), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(2, 4).ravel()
        for ax, name in zip(axes, PANELS, strict=True):
            arms: tuple[Side, ...] = ("active",) if name in _BASELINE_ONLY else ("placebo", "active")
            plot_outcome(forecast, name, ax=ax, arms=arms)
        for ax in axes[4:]:
            ax.set_xlabel("week")
        figure.suptitle(title, x=0.01, ha="left", fontsize=12)
        figure.supxlabel(caption, x=0.01, ha="left", fontsize=8)
    return figure


_FITTED = {
    "trials": "Response fitted to trials of this product in this cause.",
    "prior": "NOT CALIBRATED: response fitted to trials of other products in this cause.",
    "none": "NOT CALIBRATED: response fitted to trials in MS, none in this cause.",
}


def forecast_caption(forecast: ForecastAnswer, provenance: Mapping[str, Any]) -> str:
    """What the lines and bands are, and how the figure is made again."""
    patients = count(forecast.subjects - forecast.failed, "virtual patient")
    return (
        f"Line: median; bands: 25th to 75th and 5th to 95th percentile of {patients}, each with drug "
        f"and with placebo. {_FITTED[forecast.calibrated]} "
        f"lissive {provenance['lissive_version']}, seed {provenance['seed']}."
    )


def save(figure: Figure, folder: Path, stem: str) -> list[Path]:
    """The figure as PNG and SVG, each whole or not at all."""
    from lissive.files import atomic_path

    paths = [folder / f"{stem}.png", folder / f"{stem}.svg"]
    for path in paths:
        with atomic_path(path) as place, plainly():
            figure.savefig(place, dpi=130, metadata={"Date": None} if path.suffix == ".svg" else None)
    return paths
