"""A cheap stand-in for the trial simulator: each published figure as a smooth function of the parameters.

Second-order polynomials by adaptive ridge regression. Each run that they learn from has patients of its own, so that
what is learnt is the population's answer and not that of one draw; the error of one run averages out over all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lissive.arrays import FloatArray, IntArray

PENALTIES = 10.0 ** np.arange(-4.0, 4.5, 0.5)
AGAIN = 2
"""How often a figure is learnt again: more changes nothing."""
FAINT = 0.05
"""What is left of the weight of a parameter that moved nothing."""


INTERACTION = 0.15
"""Weight of a product of two parameters: what one does rarely hangs much on another, so the penalty holds it harder."""


def features(x: FloatArray) -> FloatArray:
    """(run, feature): 1, each parameter, each square around its mean, each product of two, from standard scales.

    >>> features(np.array([[2.0, 3.0]])).round(2).tolist()
    [[1.0, 2.0, 3.0, 3.0, 0.9, 8.0]]
    """
    rows, columns = np.triu_indices(x.shape[1])
    same = rows == columns
    products = (x[:, rows] * x[:, columns] - same) * np.where(same, 1.0, INTERACTION)
    return np.concatenate([np.ones((len(x), 1)), x, products], axis=1)


@dataclass(frozen=True)
class Emulator:
    """coefficients : (feature, figure)      error : (figure,) standard error of what it says of a population's figure
    noise : (figure,) standard deviation of one run around it"""

    coefficients: FloatArray
    error: FloatArray
    noise: FloatArray
    explained: FloatArray
    """(figure,) share of the variance between runs that is told beforehand (leave-one-out); noise limits it."""
    together: FloatArray
    """(figure, figure) correlation of what is left of the runs' figures: chance, where they are of the same people."""

    def __call__(self, x: FloatArray) -> FloatArray:
        """(run, figure) from (run, parameter)."""
        told: FloatArray = features(x) @ self.coefficients
        return told

    def slopes(self, x: FloatArray, places: IntArray) -> FloatArray:
        """(run, place, figure) how what it says changes with these parameters."""
        _, linear, square = self.forms
        bent = x @ square[:, places].reshape(len(square), -1)
        found: FloatArray = linear[places] + 2.0 * bent.reshape(len(x), len(places), -1)
        return found

    @cached_property
    def forms(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The same polynomial as constants, linear forms and symmetric quadratic forms of each figure."""
        figures = self.coefficients.shape[1]
        n = int((np.sqrt(1 + 8 * len(self.coefficients)) - 3) / 2)
        products = self.coefficients[1 + n :]
        rows, columns = np.triu_indices(n)
        same = rows == columns
        square = np.zeros((n, n, figures))
        square[rows, columns] += products * np.where(same, 0.5, 0.5 * INTERACTION)[:, None]
        square[columns, rows] += products * np.where(same, 0.5, 0.5 * INTERACTION)[:, None]
        return self.coefficients[0] - products[same].sum(axis=0), self.coefficients[1 : 1 + n], square


def learn(x: FloatArray, y: FloatArray) -> Emulator:
    """The emulator of runs; its penalty is chosen for each figure by leave-one-out.

    A figure depends on few of the parameters. So each is learnt again, with what is made of a parameter held the harder
    the less it moved the figure before (an adaptive ridge): its error is that of a polynomial of few parameters.

    Parameters
    ----------
    x : (run, parameter) on standard scales.      y : (run, figure); a figure that is NaN in a run is left out there.
    """
    from threadpoolctl import threadpool_limits

    phi = features(x)
    coefficients = np.zeros((phi.shape[1], y.shape[1]))
    error, noise, explained = (np.zeros(y.shape[1]) for _ in range(3))
    there = np.isfinite(y)
    # small matrices: threads of the linear algebra cost more than they save
    with threadpool_limits(1):
        # figures that are there in the same runs share the first decomposition
        for rows in np.unique(there.T, axis=0):
            mine = np.flatnonzero((there == rows[:, None]).all(axis=0))
            parts = _decomposed(phi[rows])
            for k in mine:
                found = _one(parts, phi[rows], y[rows, k])
                for _ in range(AGAIN):
                    weight = _weights(found[0], x.shape[1])
                    weighted = phi[rows] * weight
                    found = _one(_decomposed(weighted), weighted, y[rows, k])
                    found = (found[0] * weight, *found[1:])
                coefficients[:, k], error[k], noise[k], explained[k] = found
    return Emulator(coefficients, error, noise, explained, _correlation(y - phi @ coefficients))


def _correlation(rest: FloatArray) -> FloatArray:
    """(figure, figure) from the runs that have both."""
    there = np.isfinite(rest)
    rest = np.where(there, rest, 0.0)
    both = rest.T @ rest
    squares = (rest**2).T @ there  # of a figure, over the runs that have the other one too
    found: FloatArray = both / np.sqrt(np.maximum(squares * squares.T, 1e-300))
    return found


def _weights(beta: FloatArray, n: int) -> FloatArray:
    """(feature,) how freely each may be used: a parameter's by what it moved, a product's by both of its parameters."""
    rows, columns = np.triu_indices(n)
    same = rows == columns
    products = beta[1 + n :] ** 2 * np.where(same, 2.0, INTERACTION**2)
    moved = beta[1 : 1 + n] ** 2 + np.bincount(rows, products, n) + np.bincount(columns, products * ~same, n)
    moved = np.sqrt(moved)
    weight = moved / max(float(moved.max()), 1e-300) + FAINT
    return np.concatenate([[1.0], weight, weight[rows] * np.where(same, 1.0, weight[columns])])


def _decomposed(phi: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Left singular vectors, squares of singular values, and the hat matrix's diagonal for each penalty."""
    square, u = np.linalg.eigh(phi @ phi.T)
    square = np.maximum(square, 0.0)
    shrink = square / (square + PENALTIES[:, None])
    return u, square, shrink @ (u**2).T


def _one(
    parts: tuple[FloatArray, FloatArray, FloatArray], phi: FloatArray, y: FloatArray
) -> tuple[FloatArray, float, float, float]:
    u, square, hats = parts
    mean = y.mean()
    told = u.T @ (y - mean)
    shrinks = square / (square + PENALTIES[:, None])
    left_out = (y - mean - (shrinks * told) @ u.T) / np.maximum(1.0 - hats, 1e-12)
    scores = (left_out**2).mean(axis=1)
    best = int(np.argmin(scores))
    beta: FloatArray = phi.T @ (u @ (told / (square + PENALTIES[best])))
    beta[0] += mean  # the first feature is 1
    noise = float(np.sqrt(scores[best]))
    told_before = 1.0 - float(scores[best]) / max(float(y.var()), 1e-300)
    return beta, noise * float(np.sqrt(hats[best].mean())), noise, told_before
