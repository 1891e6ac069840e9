"""The way to the mode: the model as a straight line around where one is, everything else as it is.

The robust cost bends sharply, so that a plain Gauss-Newton step creeps; and the model is dear. So each set of the
model's derivatives is used up: the cost that a linear model would have is minimised to the end.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import least_squares

from lissive.arrays import FloatArray

REACH = 0.7
"""Of a logarithm or logit: as far as one step goes, a factor of two. Beyond, a straight line says little."""
HALVINGS = 6


def best_nearby(
    cost: Callable[[FloatArray, FloatArray], FloatArray],
    x: FloatArray,
    logs: FloatArray,
    slopes: FloatArray,
    ends: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray]:
    """The step from `x` to the least of the sum of squares of `cost` were the model linear, and standard errors.

    Parameters
    ----------
    cost : from parameters and the residuals of the model to what is squared.
    logs, slopes : (residual,) and (residual, parameter) of the model at `x`.
    """
    within = np.maximum(ends[0], x - REACH), np.minimum(ends[1], x + REACH)
    found = least_squares(
        lambda at: cost(at, logs + slopes @ (at - x)),
        x,
        jac="3-point",
        bounds=within,
        method="dogbox",
        ftol=1e-10,
        xtol=1e-8,
        gtol=1e-8,
    )
    return found.x - x, np.sqrt(np.diag(np.linalg.inv(found.jac.T @ found.jac)))


def downhill(
    cost: Callable[[FloatArray], FloatArray],
    x: FloatArray,
    step: FloatArray,
    ends: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """Where the step leads, or as much of it as lowers the cost; `x` itself where none of it does."""
    here = np.sum(cost(x) ** 2)
    for k in range(HALVINGS):
        there: FloatArray = np.clip(x + step / 2**k, *ends)
        if np.sum(cost(there) ** 2) < here:
            return there
    return x
