"""Model and baseline together: the linear pool of what the two say of a figure, a mixture of their distributions.

One weight for all figures: the one whose pool predicts calibration trials best, each without itself (stacking: Yao et
al., Bayesian Anal 2018;13:917). A pool scores no worse than the weighted mean of its parts' CRPS, and the better the
more they differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from lissive.arrays import FloatArray
from lissive.calibrate.baseline import patients_of
from lissive.files import write_text
from lissive.table import rows_of
from lissive.trials.published import Observed
from lissive.validation.proper import Scores, Told, scores, told

POOL = Path(__file__).parents[1] / "calibrate" / "found" / "pool.tsv"
HEAD = ("model_weight", "n", "inside", "crps", "interval_score")
WEIGHTS = tuple(k / 10 for k in range(11))
NESTED = "chosen without each trial"
POINTS = 1000
"""Of a pool: quantiles of its parts in proportion."""
Pair = tuple[Observed, FloatArray, FloatArray]
"""A figure, and draws of the model and of the baseline."""


def pooled(model: FloatArray, baseline: FloatArray, weight: float) -> FloatArray:
    """(point,) of the mixture; `weight` is the model's. Draws that are not finite are left out.

    >>> float(pooled(np.array([1.0]), np.array([2.0]), 0.75).mean())
    1.25
    """
    mine = round(POINTS * weight)
    return np.concatenate([_points(model, mine), _points(baseline, POINTS - mine)])


def _points(draws: FloatArray, n: int) -> FloatArray:
    at: FloatArray = (np.arange(n) + 0.5) / max(n, 1)
    return np.asarray(np.quantile(draws[np.isfinite(draws)], at)) if n else at


@cache
def pool_weight(path: Path = POOL) -> float:
    """The model's, in the pool with the best CRPS."""
    rows = [row for row in rows_of(path) if row["model_weight"] != NESTED]
    return float(min(rows, key=lambda row: float(row["crps"]))["model_weight"])


def write_pool(found: Sequence[Pair], folder: Path) -> Path:
    """Scores of the pool for each weight, and of weights that were chosen without the trial they are scored on."""
    every = [[told(observed, pooled(model, base, w)) for observed, model, base in found] for w in WEIGHTS]
    groups = np.array([patients_of(observed.trial) for observed, *_ in found])
    nested: list[Told] = []
    crps = np.array([[one.crps for one in row] for row in every])
    for group in dict.fromkeys(groups.tolist()):
        here = groups == group
        chosen = every[int(np.argmin(crps[:, ~here].sum(axis=1)))]
        nested += [chosen[k] for k in np.flatnonzero(here)]
    names = [*(f"{weight:g}" for weight in WEIGHTS), NESTED]
    lines = [HEAD, *(_line(name, scores(row)) for name, row in zip(names, [*every, nested], strict=True))]
    return write_text(folder / POOL.name, "".join("\t".join(line) + "\n" for line in lines))


def _line(name: str, found: Scores | None) -> tuple[str, ...]:
    assert found is not None
    numbers = (found.coverage, found.crps, found.interval_score)
    return name, str(found.n), *(f"{each:.4g}" for each in numbers)
