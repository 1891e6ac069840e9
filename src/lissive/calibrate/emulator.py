"""A cheap stand-in for the trial simulator: each published figure as a smooth function of the parameters.

Second-order polynomials by ridge regression. Each run that they learn from has patients of its own, so that what is
learnt is the population's answer and not that of one draw; the error of one run averages out over all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lissive.simulate.streams import Floats

PENALTIES = 10.0 ** np.arange(-2.0, 4.5, 0.5)


def features(x: Floats) -> Floats:
    """(run, feature): 1, each parameter, each product of two, from (run, parameter) on standard scales.

    >>> features(np.array([[2.0, 3.0]])).tolist()
    [[1.0, 2.0, 3.0, 4.0, 6.0, 9.0]]
    """
    rows, columns = np.triu_indices(x.shape[1])
    return np.concatenate([np.ones((len(x), 1)), x, x[:, rows] * x[:, columns]], axis=1)


@dataclass(frozen=True)
class Emulator:
    """coefficients : (feature, figure)      error : (figure,) standard error of what it says of a population's figure
    noise : (figure,) standard deviation of one run around it"""

    coefficients: Floats
    error: Floats
    noise: Floats
    explained: Floats
    """(figure,) share of the variance between runs that is told beforehand (leave-one-out); noise limits it."""

    def __call__(self, x: Floats) -> Floats:
        """(run, figure) from (run, parameter)."""
        told: Floats = features(x) @ self.coefficients
        return told


def learn(x: Floats, y: Floats) -> Emulator:
    """The emulator of runs; its penalty is chosen for each figure by leave-one-out.

    x : (run, parameter) on standard scales.      y : (run, figure); a figure that is NaN in a run is left out there.
    """
    phi = features(x)
    coefficients = np.zeros((phi.shape[1], y.shape[1]))
    error, noise, explained = (np.zeros(y.shape[1]) for _ in range(3))
    for k in range(y.shape[1]):
        there = np.isfinite(y[:, k])
        coefficients[:, k], error[k], noise[k], explained[k] = _one(phi[there], y[there, k])
    return Emulator(coefficients, error, noise, explained)


def _one(phi: Floats, y: Floats) -> tuple[Floats, float, float, float]:
    mean = y.mean()
    u, s, vt = np.linalg.svd(phi, full_matrices=False)
    told = u.T @ (y - mean)
    best: tuple[float, Floats, Floats] | None = None
    for penalty in PENALTIES:
        shrink = s**2 / (s**2 + penalty)
        hat = np.einsum("ij,j,ij->i", u, shrink, u)
        left_out = (y - mean - u @ (shrink * told)) / np.maximum(1.0 - hat, 1e-3)
        score = float(np.mean(left_out**2))
        if best is None or score < best[0]:
            best = score, shrink, hat
    assert best is not None
    score, shrink, hat = best
    beta: Floats = vt.T @ (shrink / s * told)
    beta[0] += mean  # the first feature is 1
    noise = float(np.sqrt(score))
    return beta, noise * float(np.sqrt(hat.mean())), noise, 1.0 - score / max(float(y.var()), 1e-300)
