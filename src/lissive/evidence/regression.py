"""Meta-regression on one covariate: does the effect change with the duration, or the dose, of the trials?

A mixed-effects model with τ² by REML and t on k − 2 with Knapp and Hartung's errors, as metafor's rma(mods = ~x,
test = "knha"). It compares trials, not persons, and shows association, not cause.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lissive.errors import EvidenceError
from lissive.evidence.effect import Effect
from lissive.evidence.heterogeneity import TAU2
from lissive.evidence.read import Studies
from lissive.publications.tables import number

if TYPE_CHECKING:
    from lissive.arrays import FloatArray

FEW = 10
"""Fewer studies than this and a slope is not to be relied on (Cochrane Handbook 10.11.5.1)."""


@dataclass(frozen=True)
class Regression:
    """Effect as a straight line of one covariate, on the scale of analysis."""

    covariate: str
    k: int
    intercept: float
    slope: float
    """Change of the effect per unit; of a ratio's logarithm."""
    slope_se: float
    slope_low: float
    slope_high: float
    p: float
    tau2: float
    """That is left."""
    explained: float | None
    """Percent of τ² without the covariate; None where that is zero."""
    q: float
    """Residual heterogeneity."""
    left_out: tuple[str, ...] = ()
    """Studies that do not state the covariate."""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "left_out": list(self.left_out)}


def values_of(studies: Studies, covariate: str) -> Mapping[str, float]:
    """Study to the value of a covariate: `duration_weeks`, or a name under a trial's `covariates`."""
    found = {}
    for entry in studies.trials:
        row: Any = entry.row
        stated = (
            row.duration_weeks if covariate == "duration_weeks" else (row.covariates or {}).get(covariate)
        )
        if (value := number(stated)) is not None:
            found[entry.id] = value
    if found:
        return found
    names = dict.fromkeys(
        name for entry in studies.trials for name in getattr(entry.row, "covariates", None) or ()
    )
    raise EvidenceError(
        f"No trial states a number for the covariate {covariate!r}.",
        where="--covariate",
        allowed=f"{', '.join(('duration_weeks', *names))}.",
        do="correct it, or state it in your file: covariates: {dose_mg: 10}.",
    )


def regress(
    effects: Sequence[Effect], values: Mapping[str, float], covariate: str, *, level: float = 0.95
) -> Regression:
    """The effects against the covariate of their studies.

    Raises       EvidenceError below three studies with the covariate, or where all have the same value.
    """
    import numpy as np
    from scipy.special import stdtr, stdtrit

    used = [each for each in effects if each.study in values]
    x = np.array([values[each.study] for each in used], dtype=float)
    if len(used) < 3 or float(np.ptp(x)) == 0.0:
        raise EvidenceError(
            f"{len(used)} studies with {len(set(x))} different values of {covariate} give no slope.",
            where="--covariate",
            allowed="three studies or more, of two values or more.",
            do="leave --covariate out, or choose another.",
        )
    y, v = np.array([each.y for each in used]), np.array([each.v for each in used])
    design = np.column_stack([np.ones(len(x)), x])
    t2 = _reml(y, v, design)
    beta, covariance, rest = _fit(y, v, design, t2)
    df = len(used) - 2
    error = math.sqrt(float(covariance[1, 1]) * rest / df)
    half = float(stdtrit(df, 0.5 + level / 2.0)) * error
    slope = float(beta[1])
    alone = TAU2["REML"](y, v)
    return Regression(
        covariate=covariate,
        k=len(used),
        intercept=float(beta[0]),
        slope=slope,
        slope_se=error,
        slope_low=slope - half,
        slope_high=slope + half,
        p=float(2.0 * stdtr(df, -abs(slope) / error)) if error else 0.0,
        tau2=t2,
        explained=max(0.0, 100.0 * (alone - t2) / alone) if alone > 0 else None,
        q=_fit(y, v, design, 0.0)[2],
        left_out=tuple(each.label for each in effects if each.study not in values),
    )


def _fit(y: FloatArray, v: FloatArray, x: FloatArray, t2: float) -> tuple[FloatArray, FloatArray, float]:
    """Weighted least squares: coefficients, their covariance, and the weighted sum of squares that is left."""
    import numpy as np

    w = 1.0 / (v + t2)
    covariance = np.linalg.inv((x.T * w) @ x)
    beta = covariance @ (x.T @ (w * y))
    return beta, np.asarray(covariance, dtype=np.float64), float((w * (y - x @ beta) ** 2).sum())


def _reml(y: FloatArray, v: FloatArray, x: FloatArray) -> float:
    """Maximum of the restricted likelihood: the best of a grid, then between its neighbours."""
    import numpy as np
    from scipy.optimize import minimize_scalar

    def height(t2: float) -> float:
        covariance, rest = _fit(y, v, x, t2)[1:]
        return float(np.log(v + t2).sum() - np.linalg.slogdet(covariance)[1] + rest)

    grid = np.concatenate([[0.0], float(y.var() + v.mean()) * np.logspace(-6, 2, 65)])
    best = int(np.argmin([height(t2) for t2 in grid]))
    if best == 0:
        return 0.0
    ends = (float(grid[best - 1]), float(grid[min(best + 1, len(grid) - 1)]))
    found = minimize_scalar(height, bounds=ends, method="bounded", options={"xatol": 1e-12})
    return float(found.x)
