"""Figures of what the clinical outputs hang on, and of what data can tell; each draws and computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lissive.report.validation_figures import BLUE, GREY, ORANGE, plain_log

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lissive.validate.contraction import Contraction
    from lissive.validate.identifiability import Identifiability
    from lissive.validate.sensitivity import Sensitivity

MOST = 10
"""Bars of a figure."""


def by_sobol(result: Sensitivity, k: int) -> list[int]:
    """Places in Sobol's inputs of those with the largest total index of output `k`, the largest first."""
    return [int(i) for i in np.argsort(-result.sobol.total[k], kind="stable")[:MOST]]


def by_morris(result: Sensitivity, k: int) -> list[int]:
    """Places in the inputs of those with the largest mean effect on output `k`, the largest first."""
    return [int(i) for i in np.argsort(-result.morris.mu_star[k], kind="stable")[:MOST]]


def plot_sobol(result: Sensitivity, k: int, *, ax: Axes) -> Axes:
    """Total indices with their 95 % intervals."""
    chosen = by_sobol(result, k)
    _bars(
        ax,
        [result.sobol.inputs[i] for i in chosen],
        [float(result.sobol.total[k, i]) for i in chosen],
        [float(result.sobol.total_conf[k, i]) for i in chosen],
        BLUE,
    )
    ax.set_xlabel("share of variance, total index (Sobol)", loc="right")
    return ax


def plot_morris(result: Sensitivity, k: int, *, ax: Axes) -> Axes:
    """Mean size of the effect over an input's whole range, with its 95 % interval."""
    chosen = by_morris(result, k)
    _bars(
        ax,
        [result.morris.inputs[i] for i in chosen],
        [float(result.morris.mu_star[k, i]) for i in chosen],
        [float(result.morris.mu_star_conf[k, i]) for i in chosen],
        ORANGE,
    )
    ax.set_xlabel("mean effect over the range (Morris µ*)", loc="right")
    return ax


def _bars(ax: Axes, names: Sequence[str], sizes: Sequence[float], errors: Sequence[float], hue: str) -> None:
    """Bars to the right, the first on top; lengths are not below 0."""
    places = list(range(len(names)))
    spread = np.nan_to_num(np.array(errors))
    ax.barh(places, sizes, height=0.62, color=hue, alpha=0.75, linewidth=0)
    ax.errorbar(sizes, places, xerr=spread, fmt="none", ecolor="black", elinewidth=0.8, capsize=2)
    ax.set_yticks(places, names)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlim(0.0)


def plot_spectrum(result: Identifiability, limit: float, *, ax: Axes) -> Axes:
    """Singular values of the matrix, in units of what is known beforehand; above the line the data teach something."""
    values = result.spectrum
    shown = np.maximum(values, values.max() * 1e-9)
    ax.set_yscale("log")
    ax.plot(np.arange(1, len(values) + 1), shown, marker="o", markersize=3, linewidth=0.8, color=BLUE)
    ax.axhline(limit, color=GREY, linewidth=0.8, linestyle="--")
    ax.annotate(
        "known beforehand", (len(values), limit), ha="right", va="bottom", fontsize=8, xytext=(0, 2),
        textcoords="offset points",
    )  # fmt: skip
    ax.set(xlabel="direction, the best seen first", ylabel="singular value")
    plain_log(ax.yaxis)
    return ax


def plot_contraction(found: Sequence[Contraction], *, ax: Axes) -> Axes:
    """What was known of each parameter before (hollow) and after (full)."""
    for k, row in enumerate(found):
        ax.plot([row.posterior_sd, row.prior_sd], [k, k], color="#999999", linewidth=1.0)
        ax.plot([row.prior_sd], [k], marker="o", markersize=5, color=ORANGE, markerfacecolor="white")
        ax.plot([row.posterior_sd], [k], marker="o", markersize=5, color=BLUE)
    ax.set_yticks(range(len(found)), [row.name for row in found])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(found) - 0.4, -0.6)
    ax.set_xlim(0.0)
    ax.set_xlabel("SD of the logarithm, or logit of a share", loc="right")
    return ax
