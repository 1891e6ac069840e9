"""What the tests of estimate share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lissive.trials.fits import Estimate

NAN = math.nan


def arms(n: int) -> Any:
    return np.repeat([0.0, 1.0], n // 2)


def rating(n: int = 80, seed: int = 1) -> dict[str, Any]:
    """Change, baseline and arm of a trial of ratings."""
    rng = np.random.default_rng(seed)
    baseline = rng.normal(6, 1.5, n)
    change = rng.normal(0, 2, n) - 0.4 * baseline - 1.1 * arms(n)
    return {"change": change, "baseline": baseline, "treated": arms(n)}


def spasms(n: int = 200, seed: int = 1, ratio: float = 0.6) -> dict[str, Any]:
    """Counts over a week, with dispersion 0.5."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(2, 2, n) + 0.2
    mean = 7 * 0.8 * (rate + 0.5) * np.where(arms(n) == 1, ratio, 1)
    counts = rng.negative_binomial(2, 2 / (2 + mean)).astype(float)
    return {"counts": counts, "days": np.full(n, 7.0), "treated": arms(n), "baseline_rate": rate}


def hits(n: int = 120, seed: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    baseline = rng.normal(6, 1.5, n)
    chance = 1 / (1 + np.exp(-(0.3 * (baseline - 6) - 1 + 0.8 * arms(n))))
    return {"hit": (rng.random(n) < chance).astype(float), "treated": arms(n), "baseline": baseline}


def failures(n: int = 120, seed: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    time = rng.exponential(60 * np.exp(0.6 * arms(n)))
    return {"time": np.ceil(np.minimum(time, 84)), "failed": (time < 84).astype(float), "treated": arms(n)}


def numbers(estimate: Estimate) -> list[float]:
    return [getattr(estimate, name) for name in ("value", "lower", "upper", "se", "p")]
