"""Fluctuation of a rating over weeks, an autocorrelated Gaussian course seen with error: a Kalman filter over days.

The course is that of simulation/ratings.py: standard deviation `sd`, correlation exp(-days/memory).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lissive.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class Course:
    """(row,) figures of each row's course, and of the error with which it is seen."""

    sd: FloatArray
    memory: FloatArray
    """[day]"""
    error_var: FloatArray
    """(row, observation) or (row, 1)"""

    def take(self, rows: IntArray) -> Course:
        return Course(self.sd[rows], self.memory[rows], self.error_var[rows])


def whitened(course: Course, day: IntArray, *values: FloatArray) -> tuple[FloatArray, tuple[FloatArray, ...]]:
    """Values as independent standard normal numbers, were they this course with its error: the innovations, scaled.

    Parameters
    ----------
    day : (observation,) not falling; several may be on one day.
    values : (observation, row, partner) each; all are filtered alike.

    Returns
    -------
    (row,) log determinant of the covariance, and the whitened values.
    """
    error = np.broadcast_to(course.error_var, (len(course.sd), len(day)))
    variance = course.sd**2
    determinant = np.zeros(len(course.sd))
    means = [np.zeros(each.shape[1:]) for each in values]
    out = tuple(np.empty(each.shape) for each in values)
    for j in range(len(day)):
        if j:
            keep = np.exp(-(day[j] - day[j - 1]) / course.memory)
            variance = keep**2 * variance + course.sd**2 * (1.0 - keep**2)
            means = [mean * keep[:, None] for mean in means]
        total = variance + error[:, j]
        gain = variance / total
        for k, each in enumerate(values):
            innovation = each[j] - means[k]
            out[k][j] = innovation / np.sqrt(total)[:, None]
            means[k] = means[k] + gain[:, None] * innovation
        variance = variance * (1.0 - gain)
        determinant += np.log(total)
    return determinant, out


def smoothed(
    course: Course, day: IntArray, value: FloatArray, grid: IntArray, random: np.random.Generator | None
) -> FloatArray:
    """(row, day of the grid) the course given what was seen: a draw of it, or with no `random` its mean.

    Parameters
    ----------
    day : (observation,) days within the grid.      value : (row, observation)
    grid : (day,) every day from the first to the last.
    """
    rows = len(course.sd)
    error = np.broadcast_to(course.error_var, (rows, len(day)))
    keep = np.exp(-1.0 / course.memory)
    fresh = course.sd**2 * (1.0 - keep**2)
    mean, variance = np.zeros(rows), course.sd**2
    means, variances = np.empty((rows, len(grid))), np.empty((rows, len(grid)))
    at: dict[int, list[int]] = {}
    for j, when in enumerate(day.tolist()):
        at.setdefault(when, []).append(j)
    for t, when in enumerate(grid.tolist()):
        if t:
            mean, variance = keep * mean, keep**2 * variance + fresh
        for j in at.get(when, ()):
            gain = variance / (variance + error[:, j])
            mean, variance = mean + gain * (value[:, j] - mean), variance * (1.0 - gain)
        means[:, t], variances[:, t] = mean, variance
    noise = np.zeros((rows, len(grid))) if random is None else random.standard_normal((rows, len(grid)))
    found = np.empty((rows, len(grid)))
    found[:, -1] = means[:, -1] + np.sqrt(variances[:, -1]) * noise[:, -1]
    for t in range(len(grid) - 2, -1, -1):
        ahead = keep**2 * variances[:, t] + fresh
        back = variances[:, t] * keep / ahead
        left = variances[:, t] * (1.0 - back * keep)
        found[:, t] = (
            means[:, t] + back * (found[:, t + 1] - keep * means[:, t]) + np.sqrt(left) * noise[:, t]
        )
    return found
