"""Between-study variance: τ² by four estimators, and its interval.

REML is the highest restricted likelihood; DL (DerSimonian and Laird 1986) and PM (Paule and Mandel 1982)
are by moments; SJ (Sidik and Jonkman 2005) in two steps from the variance of the effects.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lissive.arrays import FloatArray


def dersimonian_laird(y: FloatArray, v: FloatArray, q: float | None = None) -> float:
    """`q` where it is taken about another estimate than that of inverse variances."""
    w = 1.0 / v
    if q is None:
        q = _q_at(y, v, 0.0)
    spread = float(w.sum() - (w**2).sum() / w.sum())
    return max(0.0, (q - (len(y) - 1)) / spread)


def _q_at(y: FloatArray, v: FloatArray, t2: float) -> float:
    """Generalised Q: falls as τ² rises."""
    w = 1.0 / (v + t2)
    mean = (w * y).sum() / w.sum()
    return float((w * (y - mean) ** 2).sum())


def _paule_mandel(y: FloatArray, v: FloatArray) -> float:
    """Where the generalised Q equals its expectation."""
    return _root(lambda t2: _q_at(y, v, t2) - (len(y) - 1), y, v)


def _sidik_jonkman(y: FloatArray, v: FloatArray) -> float:
    crude = float(y.var())
    return crude * _q_at(y, v, crude) / (len(y) - 1)


def _reml(y: FloatArray, v: FloatArray) -> float:
    """Maximum of the restricted likelihood: the best of a grid, then where its slope is zero beside that.

    Fisher scoring, the usual way, may stop at a local maximum or oscillate.
    """
    import numpy as np

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
        return _zero(lambda t2: _slope(t2, y, v), low, high)
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(_minus_restricted, args=(y, v), bounds=(low, high), method="bounded")
    return float(found.x)


def _minus_restricted(t2: float, y: FloatArray, v: FloatArray) -> float:
    import numpy as np

    total = v + t2
    w = 1.0 / total
    return float(0.5 * (np.log(total).sum() + np.log(w.sum())) + 0.5 * _q_at(y, v, t2))


def _slope(t2: float, y: FloatArray, v: FloatArray) -> float:
    """Twice the derivative of the restricted log-likelihood."""
    w = 1.0 / (v + t2)
    mean = (w * y).sum() / w.sum()
    return float(-w.sum() + (w**2).sum() / w.sum() + (w**2 * (y - mean) ** 2).sum())


def _unit(y: FloatArray, v: FloatArray) -> float:
    """A plausible size of τ², on the scale of the effects."""
    return float(y.var(ddof=1) + v.mean()) if y.var() > 0 else 0.0


def _root(falling: Callable[[float], float], y: FloatArray, v: FloatArray) -> float:
    """Where a function that decreases with τ² is zero; 0 where it starts below, inf where it never reaches zero."""
    if falling(0.0) <= 0.0:
        return 0.0
    high = float(v.mean()) + float(y.var())
    for _ in range(60):
        if falling(high) < 0.0:
            return _zero(falling, 0.0, high)
        high *= 4.0
    return math.inf


def _zero(falling: Callable[[float], float], low: float, high: float) -> float:
    """Root of a function positive at `low` and negative at `high`, by secants and bisection in turn.

    Loading SciPy's takes longer than pooling all studies.
    """
    above, below = falling(low), falling(high)
    for k in range(400):
        middle = (low + high) / 2
        if k % 2 and above > below:
            secant = low + (high - low) * above / (above - below)
            middle = secant if low < secant < high else middle
        if not low < middle < high or high - low <= 1e-14 * high:
            break
        at = falling(middle)
        low, above, high, below = (middle, at, high, below) if at > 0.0 else (low, above, middle, at)
    return (low + high) / 2


def q_profile(y: FloatArray, v: FloatArray, level: float) -> tuple[float, float]:
    """Confidence interval of τ² by the Q profile: all values that Q does not reject (Viechtbauer 2007)."""
    from scipy.special import chdtri

    df, tail = len(y) - 1, (1.0 - level) / 2.0
    ends = [float(chdtri(df, upper)) for upper in (tail, 1.0 - tail)]
    low, high = (_root(lambda t2, end=end: _q_at(y, v, t2) - end, y, v) for end in ends)  # type: ignore[misc]
    return low, high


TAU2: Mapping[str, Callable[[FloatArray, FloatArray], float]] = {
    "REML": _reml,
    "DL": dersimonian_laird,
    "PM": _paule_mandel,
    "SJ": _sidik_jonkman,
}
