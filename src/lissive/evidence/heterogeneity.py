"""How much the true effects of studies differ: τ² by three estimators, and its interval.

REML is the highest restricted likelihood; DL (DerSimonian and Laird 1986) and PM (Paule and Mandel 1982)
are by moments.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def dersimonian_laird(y: Array, v: Array, q: float | None = None) -> float:
    """`q` where it is taken about another figure than that of inverse variances."""
    w = 1.0 / v
    if q is None:
        q = _q_at(y, v, 0.0)
    spread = float(w.sum() - (w**2).sum() / w.sum())
    return max(0.0, (q - (len(y) - 1)) / spread)


def _q_at(y: Array, v: Array, t2: float) -> float:
    """Generalised Q: falls as τ² rises."""
    w = 1.0 / (v + t2)
    mean = (w * y).sum() / w.sum()
    return float((w * (y - mean) ** 2).sum())


def _paule_mandel(y: Array, v: Array) -> float:
    """Where the generalised Q is its own expectation."""
    return _root(lambda t2: _q_at(y, v, t2) - (len(y) - 1), y, v)


def _reml(y: Array, v: Array) -> float:
    """Maximum of the restricted likelihood: the best of a grid, then where its slope is zero beside that.

    Fisher scoring, as it is usual, may stop at a local maximum, or go to and fro without end.
    """
    import numpy as np
    from scipy.optimize import brentq, minimize_scalar

    unit = _unit(y, v)
    if unit == 0.0:
        return 0.0
    grid = np.concatenate([[0.0], unit * np.logspace(-6, 2, 65)])
    values = np.array([_minus_restricted(t2, y, v) for t2 in grid])
    best = int(values.argmin())
    if best == 0:
        return 0.0
    low, high = float(grid[best - 1]), float(grid[min(best + 1, len(grid) - 1)])
    if _slope(low, y, v) > 0.0 > _slope(high, y, v):
        return float(brentq(_slope, low, high, args=(y, v), xtol=1e-15 * unit, rtol=1e-13))
    found = minimize_scalar(_minus_restricted, args=(y, v), bounds=(low, high), method="bounded")
    return float(found.x)


def _minus_restricted(t2: float, y: Array, v: Array) -> float:
    import numpy as np

    total = v + t2
    w = 1.0 / total
    return float(0.5 * (np.log(total).sum() + np.log(w.sum())) + 0.5 * _q_at(y, v, t2))


def _slope(t2: float, y: Array, v: Array) -> float:
    """Twice the derivative of the restricted log-likelihood."""
    w = 1.0 / (v + t2)
    mean = (w * y).sum() / w.sum()
    return float(-w.sum() + (w**2).sum() / w.sum() + (w**2 * (y - mean) ** 2).sum())


def _unit(y: Array, v: Array) -> float:
    """A size that τ² can have: its scale is the effects' own."""
    return float(y.var(ddof=1) + v.mean()) if y.var() > 0 else 0.0


def _root(falling: Callable[[float], float], y: Array, v: Array) -> float:
    """Where a function that falls with τ² is zero; 0 where it starts below, inf where it never gets there."""
    if falling(0.0) <= 0.0:
        return 0.0
    from scipy.optimize import brentq

    high = float(v.mean()) + float(y.var())
    for _ in range(60):
        if falling(high) < 0.0:
            return float(brentq(falling, 0.0, high, xtol=1e-14 * high, rtol=1e-13))
        high *= 4.0
    return math.inf


def q_profile(y: Array, v: Array, level: float) -> tuple[float, float]:
    """Interval of τ²: all values at which Q is no surprise (Viechtbauer 2007)."""
    from scipy.special import chdtri

    df, tail = len(y) - 1, (1.0 - level) / 2.0
    ends = [float(chdtri(df, upper)) for upper in (tail, 1.0 - tail)]
    low, high = (_root(lambda t2, end=end: _q_at(y, v, t2) - end, y, v) for end in ends)  # type: ignore[misc]
    return low, high


TAU2: Mapping[str, Callable[[Any, Any], float]] = {
    "REML": _reml,
    "DL": dersimonian_laird,
    "PM": _paule_mandel,
}
