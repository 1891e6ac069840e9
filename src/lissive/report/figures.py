"""Figures: what they are drawn with, how they are written, those of a forecast, and those of a calibration on trials.

Each draws a typed answer and computes nothing. Colours are Okabe and Ito's; what hue says is said twice.
"""

from __future__ import annotations

import io
import json
import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup, escape

from lissive.files import atomic_path, write_csv, write_text
from lissive.forecast.answer import ForecastAnswer, Quantiles, Side
from lissive.report.effect_words import p_value
from lissive.report.words import count, signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lissive.calibrate.response import Posterior
    from lissive.calibrate.sbc import Ranks

BLUE, ORANGE, GREY, FAINT, INK = "#0072B2", "#D55E00", "#555555", "#bbbbbb", "#1b1b1b"
"""Okabe and Ito's, and what stands back."""
_EVERY: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "lissive",
    "text.parse_math": False,  # a $ in a name is a $, not the start of a formula
}
_ON_A_PAGE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so that texts take the same space everywhere
    "font.size": 8.0,
    "axes.linewidth": 0.6,
    "path.simplify_threshold": 0.3,
}


@contextmanager
def plainly(more: Mapping[Any, Any] = MappingProxyType({})) -> Iterator[None]:
    """What every figure is drawn and written with."""
    from matplotlib import rc_context

    with rc_context({**_EVERY, **more}), warnings.catch_warnings():
        # A letter that the font has not is a box in PNG; SVG keeps it.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from")
        yield


def settings() -> AbstractContextManager[None]:
    """What figures of a page are drawn and written with."""
    return plainly(_ON_A_PAGE)


_HEAD = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_IDS = re.compile(r'(\bid="|url\(#|href="#)')
_PLACES = re.compile(r'\b(?:d|x|y|transform|points|width|height)="[^"]*"')
_DIGITS = re.compile(r"(\.\d{2})\d+")
_OPEN = re.compile(r"<svg[^>]*>")
_BOX = re.compile(r'viewBox="[^"]*"')
_FAMILY = re.compile(r" font-family: [^;\"]*;")
"""The page has its own."""


def inline_svg(figure: Figure, name: str, alt_text: str) -> Markup:
    """The figure as an `<svg>` element.

    Parameters
    ----------
    name : unlike that of any other figure of the page; ids start with it.
    alt_text : the figure in a sentence.
    """
    place = io.StringIO()
    with settings():
        figure.savefig(place, format="svg", metadata={"Date": None}, transparent=True)
    text = _METADATA.sub("", _HEAD.sub("", place.getvalue()))
    text = _IDS.sub(rf"\g<1>{name}-", text)
    text = _PLACES.sub(lambda found: _DIGITS.sub(r"\1", found[0]), text)
    text = _FAMILY.sub("", text)
    box = _BOX.search(text)
    start = f'<svg {box[0] if box else ""} role="img" aria-label="{escape(alt_text)}">'
    return Markup(_OPEN.sub(lambda _: start, text, count=1).strip())


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


def plain_log(axis: Any) -> None:
    """A logarithmic axis with plain numbers at its decades (and between them, where it is short)."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    decades = math.log10(high / low)
    steps = (1.0, 2.0, 5.0) if decades < 1.6 else (1.0, 3.0) if decades < 2.2 else (1.0,)
    axis.set_major_locator(LogLocator(base=10.0, subs=steps, numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis.set_minor_formatter(NullFormatter())


# -- a forecast ------------------------------------------------------------------------------------
ARMS: tuple[Side, Side] = ("placebo", "active")
HUES: Mapping[Side, str] = {"active": BLUE, "placebo": ORANGE}
DASHES: Mapping[Side, str] = {"active": "-", "placebo": "--"}
LABELS: Mapping[Side, str] = {"active": "drug", "placebo": "placebo"}
PLASMA = ("thc_plasma", "oh_thc_plasma", "cbd_plasma")
SIDE_EFFECTS = ("dizziness", "stopped_early", "intoxication_vas")
RATED = ("spasms_per_day", "spasticity_nrs", "pain_nrs", "sleep_nrs", "walk_rated_nrs", "ashworth")
BETTER = 0.30
"""The relative reduction that trials call a response."""
_NAME, _ABOVE, _HALF = 62.0, 7.0, 5.0
"""Points of the name of a line: its length, from the line to its middle, half its height."""
VISIBLE = 0.05
"""Concentrations below this [ng/mL] have no panel: an axis of 0 to 0.0004 shows nothing."""


@dataclass(frozen=True)
class TrialEffect:
    """What trials of the planned product found, drug minus placebo."""

    estimate: float
    ci: tuple[float, float]
    of: str
    """How many trials and participants."""


def course_panel(ax: Axes, forecast: ForecastAnswer, name: str, *, arms: Sequence[Side] = ARMS) -> None:
    """Means by week as lines; beside the last week the 5th to 95th (thin) and 25th to 75th percentile (thick)."""
    from matplotlib.ticker import MaxNLocator

    outcome, weeks = forecast.outcomes[name], forecast.weeks
    scale = 100.0 if outcome.unit == "probability" else 1.0
    last, top = weeks[-1], scale * max(max(outcome.of(arm).p95) for arm in arms)
    step = max(last, 1) * 0.035
    means = {arm: [scale * x for x in outcome.of(arm).mean] for arm in arms}
    for k, arm in enumerate(arms):
        q, at = outcome.of(arm), last + step * (k + 1)
        ax.plot(weeks, means[arm], color=HUES[arm], linestyle=DASHES[arm], linewidth=1.6)
        ax.plot(
            [at, at], [scale * q.p05[-1], scale * q.p95[-1]], color=HUES[arm], linewidth=0.8, clip_on=False
        )
        ax.plot([at, at], [scale * q.p25[-1], scale * q.p75[-1]], color=HUES[arm], linewidth=3.2, clip_on=False,
                solid_capstyle="butt")  # fmt: skip
    high = {"NRS": 10.0, "score": 4.0, "VAS": 100.0}.get(outcome.unit)
    ax.set_ylim(0, high if high is not None else max(1.05 * top, 1.0 if scale == 1 else 10.0))
    ax.set_xlim(0, last + step * (len(arms) + 0.6))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, steps=[1, 2, 4, 10]))
    ax.set_xticks([t for t in ax.get_xticks() if 0 <= t <= last])
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5))
    ax.spines[["top", "right"]].set_visible(False)
    _name_lines(ax, weeks, means, lambda x: f"{x:.0f} %" if scale > 1 else f"{x:.1f}")


def _name_lines(
    ax: Axes, weeks: Sequence[int], means: Mapping[Side, list[float]], text: Callable[[float], str]
) -> None:
    """Each line's name and last value over or under the end of the lines: never on a line, never under the axis."""
    width, height = (72.0 * size / ax.figure.dpi for size in (ax.bbox.width, ax.bbox.height))
    low, high = ax.get_xlim()
    start = max(weeks[-1] - (high - low) * _NAME / width, weeks[0])
    per_unit = height / ax.get_ylim()[1]
    ends = {}
    for arm, mean in means.items():
        under = [
            np.interp(start, weeks, mean),
            *(y for week, y in zip(weeks, mean, strict=True) if week > start),
        ]
        ends[arm] = (float(min(under)) * per_unit, float(max(under)) * per_unit)
    *lower, upper = sorted(means, key=lambda arm: means[arm][-1])
    at = {upper: ends[upper][1] + _ABOVE}
    for arm in lower:
        bottom, top = ends[arm]
        at[arm] = bottom - _ABOVE
        if at[arm] < _HALF:  # no space over the axis
            at[arm] = top + _ABOVE
            if at[arm] + _HALF > ends[upper][0]:  # nor between the lines
                at |= {arm: ends[upper][1] + _ABOVE, upper: ends[upper][1] + 2.4 * _ABOVE}
    for arm, y in at.items():
        ax.annotate(
            f"{LABELS[arm]} {text(means[arm][-1])}",
            (weeks[-1], y / per_unit),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            color=HUES[arm],
            fontweight="bold",
        )


def effect_figure(
    forecast: ForecastAnswer, name: str, trials: TrialEffect | None, *, narrow: bool = False
) -> Figure:
    """The complaint: its course with the line of a response; beside it the difference, as forecast and as in trials."""
    outcome = forecast.outcomes[name]
    size = (3.5, 4.6 if trials else 3.0) if narrow else (7.1, 2.5)
    shape: tuple[int, int] = (1, 1) if trials is None else (2, 1) if narrow else (1, 2)
    # space for the words below and above, in inches
    grid: dict[str, Any] = {
        "left": 0.035,
        "right": 0.985,
        "bottom": 0.44 / size[1],
        "top": 1 - 0.23 / size[1],
    }
    grid |= {"left": 0.07, "hspace": 0.38} if narrow else {"wspace": 0.06}
    if trials is not None:
        grid["height_ratios" if narrow else "width_ratios"] = [1.8, 1]
    with settings():
        figure = _canvas(size)
        axes = figure.subplots(*shape, squeeze=False, gridspec_kw=grid).ravel()
        course_panel(axes[0], forecast, name)
        start = outcome.active.mean[0]
        axes[0].axhline((1 - BETTER) * start, color=GREY, linewidth=0.7, linestyle=(0, (1, 2)))
        axes[0].annotate(
            f"30 % less than at the start: {(1 - BETTER) * start:.1f}",
            (0, (1 - BETTER) * start),
            xytext=(3, -7),
            textcoords="offset points",
            color=GREY,
            fontsize=7,
            va="center",
        )
        axes[0].set_title(f"{outcome.label}, mean", loc="left", fontsize=8.5, fontweight="bold")
        axes[0].set_xlabel("week of treatment")
        if trials is not None:
            _difference_panel(axes[1], outcome.difference.mean[-1], trials, forecast.weeks[-1])
    return figure


def _difference_panel(ax: Axes, simulated: float, trials: TrialEffect, week: int) -> None:
    rows = [
        (1.0, BLUE, "o", simulated, None, f"this forecast: {signed(simulated, 2)}", f"mean, week {week}"),
        (0.0, INK, "D", trials.estimate, trials.ci,
         f"trials: {trials.estimate:+.2f} ({trials.ci[0]:+.2f} to {trials.ci[1]:+.2f})", trials.of),
    ]  # fmt: skip
    ax.axvline(0.0, color=GREY, linewidth=0.7)
    for y, hue, shape, value, ci, text, below in rows:
        if ci is not None:
            ax.plot(ci, [y, y], color=hue, linewidth=1.4, solid_capstyle="butt")
        ax.plot([value], [y], marker=shape, color=hue, markersize=6, linestyle="none")
        ax.annotate(text, (0, y + 0.36), xycoords=("axes fraction", "data"), color=hue, fontweight="bold")
        ax.annotate(below, (0, y + 0.18), xycoords=("axes fraction", "data"), color=GREY, fontsize=7)
    ends = [simulated, *trials.ci, 0.0]
    margin = 0.12 * (max(ends) - min(ends))
    ax.set_xlim(min(ends) - margin, max(ends) + margin)
    ax.set_ylim(-0.35, 1.65)
    ax.set_yticks([])
    ax.set_title("Drug minus placebo", loc="left", fontsize=8.5, fontweight="bold")
    for at, side, text in ((0, "left", "← drug better"), (1, "right", "placebo better →")):
        ax.annotate(
            text,
            (at, 0),
            xycoords="axes fraction",
            xytext=(0, -23),
            textcoords="offset points",
            ha=side,
            va="center",
        )
    ax.spines[["top", "right", "left"]].set_visible(False)


def small_figure(forecast: ForecastAnswer, name: str, *, arms: Sequence[Side] = ARMS) -> Figure:
    """One outcome, small."""
    outcome = forecast.outcomes[name]
    unit = {"probability": " [%]", "ng/mL": " [ng/mL]"}.get(outcome.unit, "")

    def draw(ax: Axes) -> None:
        course_panel(ax, forecast, name, arms=arms)
        label = outcome.label.replace(" in plasma, mean", "")  # the heading over these panels says it
        ax.set_title(f"{label}{unit}", loc="left", fontsize=8, fontweight="bold")
        ax.set_xlabel("week of treatment")

    with settings():
        figure = _canvas((2.4, 1.75))
        draw(figure.subplots(gridspec_kw={"left": 0.125, "right": 0.98, "bottom": 0.235, "top": 0.88}))
    return figure


def visible(forecast: ForecastAnswer, names: Sequence[str]) -> tuple[str, ...]:
    """Those of these outcomes that have anything to show."""
    outcomes = forecast.outcomes
    return tuple(
        name
        for name in names
        if (q := outcomes[name].active).p95 and max(q.p95) > (VISIBLE if name in PLASMA else 0.0)
    )


def forecast_caption(forecast: ForecastAnswer, *, calibrated: bool, drug_only: bool = False) -> str:
    """What a figure shows, of how many, and what the model was fitted on."""
    patients = count(forecast.subjects - forecast.failed, "virtual patient")
    arms = "with the drug" if drug_only else "each simulated with drug and with placebo"
    said = (
        f"{patients}, {arms}. Lines: means. Bars beside the last week: 25th to 75th (thick) and 5th to 95th "
        "percentile (thin) of virtual patients, a prediction interval, which leaves out model error."
    )
    fitted = (
        _FITTED[forecast.calibrated]
        if calibrated
        else "NOT CALIBRATED: fitted on no trial of this outcome here."
    )
    return said if drug_only else f"{said} {fitted}"


_FITTED = {
    "trials": "Calibrated: response fitted to trials of this product in this cause.",
    "prior": "NOT CALIBRATED: response fitted to trials of other products in this cause.",
    "none": "NOT CALIBRATED: response fitted to trials in MS, none in this cause.",
}


def _canvas(size: tuple[float, float]) -> Figure:
    """With fixed margins: a layout by content takes longer than the figure itself."""
    from matplotlib.figure import Figure

    return Figure(figsize=size)


def save(figure: Figure, folder: Path, stem: str) -> list[Path]:
    """The figure as PNG and SVG, each whole or not at all."""
    paths = [folder / f"{stem}.png", folder / f"{stem}.svg"]
    for path in paths:
        with atomic_path(path) as place, plainly():
            figure.savefig(place, dpi=130, metadata={"Date": None} if path.suffix == ".svg" else None)
    return paths


# -- files -----------------------------------------------------------------------------------------
def write_weeks(forecast: ForecastAnswer, path: Path) -> Path:
    """A row for each outcome, arm and week, with the quantiles."""
    sides: tuple[Side, ...] = ("active", "placebo", "difference")
    rows: list[list[Any]] = [["outcome", "unit", "arm", "week", *(each.name for each in fields(Quantiles))]]
    for name, outcome in forecast.outcomes.items():
        for side in sides:
            by_week = zip(*astuple(outcome.of(side)), strict=True)
            for week, numbers in zip(forecast.weeks, by_week, strict=False):  # none where no run went well
                rows.append([name, outcome.unit, side, week, *(f"{x:.6g}" for x in numbers)])
    return write_csv(path, rows)


def write_json(answer: Mapping[str, Any], path: Path) -> Path:
    """The whole answer."""
    return write_text(path, json.dumps(answer, indent=1))


# -- a calibration on trials -----------------------------------------------------------------------
COLUMNS = 6
PRIOR, POSTERIOR = "#9aa0a6", "#0b6e99"


def write_prior_posterior(posterior: Posterior, folder: Path) -> list[Path]:
    """prior_posterior.png and .svg: each parameter on the scale of its fit, prior grey, posterior coloured."""
    rows = -(-len(posterior.priors) // COLUMNS)
    figure, axes = _figure(rows, COLUMNS, 2.3, 1.75)
    z = np.linspace(-3.5, 3.5, 141)
    for k, axis in enumerate(axes.ravel()):
        if k >= len(posterior.priors):
            axis.axis("off")
            continue
        prior = posterior.priors[k]
        axis.fill_between(z, np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi), color=PRIOR, alpha=0.5, lw=0)
        for chain in posterior.z[..., k]:
            count, edges = np.histogram(chain, bins=40, range=(-3.5, 3.5), density=True)
            axis.plot((edges[1:] + edges[:-1]) / 2, count, color=POSTERIOR, lw=0.9)
        ticks = [-2, 0, 2]
        axis.set_xticks(ticks, [f"{float(f'{prior.at(t):.2g}'):g}" for t in ticks], fontsize=7)
        axis.set_yticks([])
        axis.set_title(prior.name, fontsize=7.5)
        for side in ("top", "left", "right"):
            axis.spines[side].set_visible(False)
    figure.suptitle("Grey: prior. Lines: posterior, one for each independent ensemble.", fontsize=9)
    return save(figure, folder, "prior_posterior")


def write_ranks(ranks: Ranks, folder: Path) -> list[Path]:
    """sbc_ranks.png and .svg: histograms of the ranks with the band in which even ranks lie."""
    from scipy.stats import binom

    from lissive.calibrate.sbc import BINS, DRAWS

    figure, axes = _figure(1, len(ranks.parameters), 3.1, 2.5)
    low, high = binom.ppf([0.005, 0.995], len(ranks.ranks), 1.0 / BINS)
    for k, axis in enumerate(axes[0]):
        axis.axhspan(low, high, color=PRIOR, alpha=0.35, lw=0)
        axis.hist(ranks.ranks[:, k], bins=BINS, range=(0, DRAWS + 1), color=POSTERIOR)
        name = ranks.parameters[k]
        axis.set_title(f"{name}\n{p_value(ranks.p_values()[name])}", fontsize=9)
        axis.set_xlabel("rank of the true value", fontsize=8)
    axes[0][0].set_ylabel("simulated trials", fontsize=8)
    figure.suptitle("Even ranks stay within the grey band (99 %)", fontsize=9)
    return save(figure, folder, "sbc_ranks")


def _figure(rows: int, columns: int, width: float, height: float) -> tuple[Figure, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)
