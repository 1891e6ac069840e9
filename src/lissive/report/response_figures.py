"""What a calibration on trials learnt: priors beside posteriors, and ranks of simulation-based calibration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.report.figure import save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lissive.calibrate.response import Posterior
    from lissive.calibrate.sbc import Ranks

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
