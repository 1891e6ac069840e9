"""Proper scores of what was said of a figure beforehand, and the linear pool of two who say something of it.

The best expected score is that of the forecaster who says what is true (Gneiting and Raftery, J Am Stat Assoc
2007;102:359). CRPS is the mean absolute error of a whole distribution; the interval score is the width of the 90 %
interval and twenty times what lies outside it; less is better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lissive.arrays import FloatArray
from lissive.trials.published import Observed

ALPHA = 0.1
"""Of a 90 % interval."""
TENTHS = {"share": 10.0}
"""Shares and ratings are scored in points of ten, so that one mean may be taken over them; ratios, doses and spreads by
their logarithm."""


def crps(values: FloatArray, observed: float) -> float:
    """Continuous ranked probability score of the distribution that a sample is of: E|X - y| - E|X - X'|/2.

    X' is another value than X (Ferro 2014, Q J R Meteorol Soc 140:1917): so a small sample is not scored worse than
    a large one of the same distribution.

    >>> crps(np.array([1.0, 3.0]), 1.0), crps(np.array([2.0]), 5.0)
    (0.0, 3.0)
    """
    x = np.sort(np.asarray(values, dtype=float))
    # half of E|X - X'|: in order, each value is above those before it and below those after it
    spread = float((x * (2.0 * np.arange(len(x)) + 1.0 - len(x))).sum()) / (len(x) * max(len(x) - 1, 1))
    return float(np.abs(x - observed).mean()) - spread


def interval_score(lower: float, upper: float, observed: float, alpha: float = ALPHA) -> float:
    """Width, and 2/alpha times how far the observed is outside.

    >>> interval_score(0.0, 1.0, 0.5), interval_score(0.0, 1.0, 1.5)
    (1.0, 11.0)
    """
    outside = max(lower - observed, 0.0, observed - upper)
    return upper - lower + 2.0 / alpha * outside


@dataclass(frozen=True)
class Told:
    """What was said of one figure beforehand, and its scores on the scale of scoring."""

    predicted: float
    """Mean; of ratios the median."""
    lower: float
    upper: float
    """90 % predictive interval."""
    inside: bool
    crps: float
    interval_score: float


def told(observed: Observed, values: FloatArray) -> Told:
    """Scores of draws of a figure, as it is published."""
    x = values[np.isfinite(values)]
    lower, upper = np.quantile(x, [0.05, 0.95])
    middle = np.median(x) if observed.statistic.endswith("_ratio") else x.mean()
    on = _scale(observed)
    y, low, high = (float(on(np.array(each))) for each in (observed.value, lower, upper))
    return Told(
        float(middle), float(lower), float(upper), bool(lower <= observed.value <= upper),
        crps(on(x), y), interval_score(low, high, y),
    )  # fmt: skip


def _scale(observed: Observed) -> Callable[[FloatArray], FloatArray]:
    if observed.statistic in ("change_sd", "sd", "odds_ratio", "hazard_ratio") or observed.endpoint == "dose":
        return lambda x: np.log(np.maximum(x, 1e-6))
    factor = 2.5 if observed.endpoint == "ashworth" else TENTHS.get(observed.statistic, 1.0)
    return lambda x: factor * x


@dataclass(frozen=True)
class Scores:
    """Means over figures."""

    n: int
    coverage: float
    crps: float
    interval_score: float


def scores(found: Sequence[Told]) -> Scores | None:
    """None of no figure."""
    if not found:
        return None
    means = np.array([(each.inside, each.crps, each.interval_score) for each in found]).mean(axis=0)
    return Scores(len(found), *(float(each) for each in means))
