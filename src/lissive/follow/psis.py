"""How well weighted draws stand for a posterior: effective sample size, and Pareto's k of the largest weights.

Vehtari, Simpson, Gelman, Yao, Gabry 2024 (J Mach Learn Res 25:72); the tail's fit is Zhang and Stephens 2009
(Technometrics 51:316), as in the loo package. k over 0.7: too few draws where the posterior is.

>>> round(effective(np.zeros(100)), 6)
100.0
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from lissive.arrays import FloatArray


def effective(log_weights: FloatArray) -> float:
    """Effective sample size, (Σw)²/Σw²."""
    w = log_weights - logsumexp(log_weights)
    return float(np.exp(-logsumexp(2.0 * w)))


def pareto_k(log_weights: FloatArray) -> float:
    """Shape of the tail of the weights; NaN where they are all but equal, or too few."""
    n = len(log_weights)
    tail = int(np.ceil(min(0.2 * n, 3.0 * np.sqrt(n))))
    ordered = np.sort(log_weights - log_weights.max())
    cut = max(ordered[-tail - 1], np.log(np.finfo(float).tiny))
    beyond = ordered[ordered > cut]
    if len(beyond) <= 4:
        return float("nan")
    exceed = np.exp(beyond) - np.exp(cut)
    if exceed[-1] <= 0.0 or (exceed[-1] - exceed[0]) < np.finfo(float).eps:
        return float("nan")
    k = _shape(exceed)
    m = len(exceed)
    return float((m * k + 10.0 * 0.5) / (m + 10.0))  # weakly towards 0.5, as loo and arviz do


def _shape(x: FloatArray) -> float:
    """Shape of a generalised Pareto distribution, from sorted exceedances."""
    n = len(x)
    points = 30 + int(np.sqrt(n))
    b = 1.0 - np.sqrt(points / (np.arange(1, points + 1) - 0.5))
    b = b / (3.0 * x[int(n / 4 + 0.5) - 1]) + 1.0 / x[-1]
    k = np.log1p(-b[:, None] * x).mean(axis=1)
    fit = n * (np.log(-(b / k)) - k - 1.0)
    weights = 1.0 / np.exp(fit - fit[:, None]).sum(axis=1)
    kept = weights >= 10.0 * np.finfo(float).eps
    b_mean = float((b[kept] * weights[kept]).sum() / weights[kept].sum())
    return float(np.log1p(-b_mean * x).mean())
