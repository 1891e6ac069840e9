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
from dataclasses import astuple, fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup, escape

from lissive.files import atomic_path, write_csv, write_text
from lissive.forecast.answer import ForecastAnswer, Quantiles, Side
from lissive.report.words import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lissive.calibrate.response import Posterior
    from lissive.calibrate.sbc import Ranks

BLUE, ORANGE, GREY, FAINT = "#0072B2", "#D55E00", "#555555", "#bbbbbb"
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
_FONT = re.compile(r"font: (?:(?:bold|italic|\d{3}) )*([\d.]+)px [^;\"]*")


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
    text = _FONT.sub(r"font-size: \1px", text)
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
        axis.set_xticks(ticks, [f"{prior.at(t):.2g}" for t in ticks], fontsize=7)
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
        axis.set_title(f"{ranks.parameters[k]}\np = {ranks.p_values()[ranks.parameters[k]]:.2f}", fontsize=9)
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
