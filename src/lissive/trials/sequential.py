"""Several tests in one trial: looks before its end (group-sequential), and key secondary endpoints behind the primary.

Boundaries follow from how much of alpha may be spent by when (Lan and DeMets, Biometrika 1983;70:659), by integrating
the joint normal distribution of the looks' statistics (Armitage, McPherson and Rowe, J R Stat Soc A 1969;132:235).

>>> [round(z, 3) for z in boundaries([0.5, 1.0], 0.05, "obrien_fleming")]
[2.963, 1.969]
>>> [round(z, 3) for z in boundaries([0.5, 1.0], 0.05, "pocock")]
[2.157, 2.201]
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from lissive.arrays import FloatArray

_POINTS = 1201
"""Of the grid of a statistic between the boundaries, an odd number for Simpson's rule."""
_WIDEST = 8.0
"""Where the grid ends though the boundary is further out: nothing is there."""


@dataclass(frozen=True)
class LookAnswer:
    """One look at the primary endpoint, of one arm; the last is the analysis at the end."""

    arm: str
    share: float
    """Of the participants to be randomised."""
    n: int
    z: float
    """Boundary."""
    p: float
    """Two-sided p below which the trial stops."""
    stops: float
    """Proportion of replicates that stop here."""


def spent(share: float, alpha: float, spending: str) -> float:
    """Two-sided alpha that may be spent by this share of the information.

    >>> round(spent(1.0, 0.05, "pocock"), 10), round(spent(1.0, 0.05, "obrien_fleming"), 10)
    (0.05, 0.05)
    """
    if spending == "pocock":
        return alpha * math.log(1.0 + (math.e - 1.0) * share)
    return 4.0 * float(ndtr(ndtri(alpha / 4.0) / math.sqrt(share)))  # half of it on each side


def boundaries(shares: Sequence[float], alpha: float, spending: str) -> list[float]:
    """(look,) values of |z| from which a look rejects, symmetric.

    Parameters
    ----------
    shares : information at each look over that of the whole trial, increasing; the last is 1.
    alpha : two-sided, of the whole trial.
    spending : obrien_fleming or pocock.
    """
    found: list[float] = []
    grid, density = (
        np.zeros(1),
        np.ones(1),
    )  # of the score z * sqrt(share) of those who go on, with its weights
    before, used = 0.0, 0.0
    for share in shares:
        now = spent(share, alpha, spending)
        sd = math.sqrt(share - before)

        def left(z: float, share: float = share, sd: float = sd, grid: FloatArray = grid, density: FloatArray = density,
                 goal: float = now - used) -> float:  # fmt: skip
            limit = z * math.sqrt(share)
            beyond = ndtr((grid - limit) / sd) + ndtr((-limit - grid) / sd)
            return float((density * beyond).sum()) - goal

        z = float(brentq(left, 1e-6, 40.0, xtol=1e-10))
        found.append(z)
        limit = min(z, _WIDEST) * math.sqrt(share)
        new = np.linspace(-limit, limit, _POINTS)
        weights = np.full(_POINTS, 2.0)
        weights[1::2], weights[[0, -1]] = 4.0, 1.0
        weights *= (new[1] - new[0]) / 3.0
        step = (new[:, None] - grid[None]) / sd
        density = weights * (np.exp(-0.5 * step**2) @ density) / (sd * math.sqrt(2.0 * math.pi))
        grid, before, used = new, share, now
    return found


def after_primary(primary: float, secondary: Sequence[float], method: str) -> list[float]:
    """Adjusted p of the key secondary endpoints, which are tested only where the primary is significant.

    holm : as a family, by Holm.      fixed_sequence : in their order, each only after the one before it.
    A p that is not known counts as 1.

    >>> after_primary(0.01, [0.04, 0.02], "holm"), after_primary(0.03, [0.01, 0.04, 0.02], "fixed_sequence")
    ([0.04, 0.04], [0.03, 0.04, 0.04])
    """
    gate, *each = (1.0 if math.isnan(p) else float(p) for p in (primary, *secondary))
    if method == "holm" and each:
        from statsmodels.stats.multitest import multipletests

        each = [float(p) for p in multipletests(each, method="holm")[1]]
    elif method == "fixed_sequence":
        each = [float(p) for p in np.maximum.accumulate(each)] if each else []
    return [max(gate, p) for p in each]
