"""Figures of sensitivity and identifiability.

Each takes a result, draws, and computes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lissive.arrays import FloatArray
from lissive.report.validation_figures import BLUE, GREY, ORANGE, plain_log

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lissive.validation.identifiability import Identifiability
    from lissive.validation.sensitivity import Sensitivity
    from lissive.validation.uncertain import Contraction

MOST = 10
"""Bars of a figure."""


def by_sobol(result: Sensitivity, k: int) -> list[int]:
    """Places in Sobol's inputs of those with the largest total index of output `k`, the largest first."""
    return _largest(result.sobol.total[k])


def by_morris(result: Sensitivity, k: int) -> list[int]:
    """Places in the inputs of those with the largest mean effect on output `k`, the largest first."""
    return _largest(result.morris.mu_star[k])


def _largest(sizes: FloatArray) -> list[int]:
    known = np.nan_to_num(sizes, posinf=0.0)
    return [int(i) for i in np.argsort(-known, kind="stable")[:MOST]]


def plot_sobol(result: Sensitivity, k: int, *, ax: Axes) -> Axes:
    """Total indices with their 95 % intervals."""
    found, chosen = result.sobol, by_sobol(result, k)
    _bars(ax, found.inputs, found.total[k], found.total_conf[k], chosen, BLUE)
    ax.set_xlabel("total index (Sobol)", loc="right")
    return ax


def plot_morris(result: Sensitivity, k: int, *, ax: Axes) -> Axes:
    """Mean size of the effect over an input's whole range, with its 95 % interval."""
    found, chosen = result.morris, by_morris(result, k)
    _bars(ax, found.inputs, found.mu_star[k], found.mu_star_conf[k], chosen, ORANGE)
    ax.set_xlabel("mean elementary effect (Morris µ*)", loc="right")
    return ax


def _bars(
    ax: Axes,
    names: Sequence[str],
    sizes: FloatArray,
    errors: FloatArray,
    chosen: Sequence[int],
    hue: str,
) -> None:
    """Bars to the right, the first chosen on top; lengths are not below 0."""
    places = list(range(len(chosen)))
    length, spread = (np.nan_to_num(each, posinf=0.0)[chosen] for each in (sizes, errors))
    ax.barh(places, length, height=0.62, color=hue, alpha=0.75, linewidth=0)
    ax.errorbar(length, places, xerr=spread, fmt="none", ecolor="black", elinewidth=0.8, capsize=2)
    ax.set_yticks(places, [names[i] for i in chosen])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(chosen) - 0.4, -0.6)
    ax.set_xlim(0.0)


def plot_spectrum(result: Identifiability, limit: float, *, ax: Axes) -> Axes:
    """Singular values of the matrix, in units of the prior SD; above the line the data say more than the prior."""
    values = result.spectrum
    shown = np.maximum(values, values.max() * 1e-9)
    ax.set_yscale("log")
    ax.plot(np.arange(1, len(values) + 1), shown, marker="o", markersize=3, linewidth=0.8, color=BLUE)
    ax.axhline(limit, color=GREY, linewidth=0.8, linestyle="--")
    ax.annotate(
        "prior", (len(values), limit), ha="right", va="bottom", fontsize=8, xytext=(0, 2),
        textcoords="offset points",
    )  # fmt: skip
    ax.set(xlabel="direction", ylabel="singular value")
    plain_log(ax.yaxis)
    return ax


def plot_contraction(found: Sequence[Contraction], *, ax: Axes) -> Axes:
    """Prior (hollow) and posterior (full) SD of each parameter."""
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
