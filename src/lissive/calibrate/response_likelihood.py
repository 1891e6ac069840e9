"""How likely published figures of trials are, given what the emulator says of them.

The figures of a trial share its own placebo response and effect: each shifts them all by what the emulator says that
this parameter does, so their covariance is that of the figures themselves (`response_data.covariance`) plus one rank
for each. Phases of one publication have the same patients, and are one trial here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.calibrate.baseline import patients_of
from lissive.calibrate.emulator import Emulator
from lissive.calibrate.prior import Prior
from lissive.calibrate.response_data import Datum, covariance
from lissive.table import constants
from lissive.trials.people import BETWEEN, MOVED

EDGE = 4.0
"""Standard deviations of the prior beyond which nothing is looked at: the emulator knows nothing there."""
WEEK = 7
Target = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Likelihood:
    """Log likelihoods of the trials' figures for (walker, parameter) points on the priors' standard scale."""

    wanted: Sequence[Prior]
    emulator: Emulator
    value: FloatArray
    whitener: FloatArray
    """(figure, figure) that makes the figures' own errors independent and of unit variance."""
    log_determinant: FloatArray
    """(trial,) of the errors' covariance."""
    of_trial: FloatArray
    """(figure, trial) 1 where a figure belongs to it."""
    moves: Sequence[tuple[int, IntArray]]
    """Of each way in which trials differ: the place of its standard deviation, and of the parameters that it moves."""

    def by_trial(self, z: FloatArray) -> FloatArray:
        """(walker, trial)"""
        told, shifts = self.expected(z)
        rest = (self.value - told) @ self.whitener.T
        return low_rank(rest, shifts @ self.whitener.T, self.of_trial) - 0.5 * self.log_determinant

    def expected(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(walker, figure) of the mean trial, and (way, walker, figure) what is added by one standard deviation of each
        way in which trials differ."""
        sd = np.array([p.sd for p in self.wanted])
        told = self.emulator(z)
        square = self.emulator.forms[2]
        shifts = np.zeros((len(self.moves), *told.shape))
        for shift, (omega, places) in zip(shifts, self.moves, strict=True):
            by = self.wanted[omega].at(z[:, omega])[:, None] / sd[places]
            shift += np.einsum("wi,wif->wf", by, self.emulator.slopes(z, places))
            shift += np.einsum("wi,wj,ijf->wf", by, by, square[np.ix_(places, places)])
        return told, shifts


def likelihood_of(data: Sequence[Datum], wanted: Sequence[Prior], emulator: Emulator) -> Likelihood:
    of_trial = np.stack([np.isin(np.arange(len(data)), mine) for mine in groups(data).values()], axis=1)
    trials = range(of_trial.shape[1])
    spread = covariance(data, emulator.together) + np.diag(emulator.error**2)
    whitener, log_determinant = np.zeros_like(spread), np.zeros(len(trials))
    for k in trials:
        mine = np.flatnonzero(of_trial[:, k])
        block = spread[np.ix_(mine, mine)]
        whitener[np.ix_(mine, mine)] = np.linalg.inv(np.linalg.cholesky(block))
        log_determinant[k] = np.linalg.slogdet(block)[1]
    names = [p.name for p in wanted]
    moves = [
        (names.index(BETWEEN + kind), np.array([names.index(n) for n in MOVED[kind] if n in names], int))
        for kind in MOVED
        if BETWEEN + kind in names
    ]
    value = np.array([d.value for d in data])
    return Likelihood(wanted, emulator, value, whitener, log_determinant, of_trial.astype(float), moves)


def groups(data: Sequence[Datum]) -> dict[str, list[int]]:
    """Publication to the places of its figures: its phases have the same patients."""
    found: dict[str, list[int]] = {}
    for place, datum in enumerate(data):
        found.setdefault(patients_of(datum.observed.trial), []).append(place)
    return found


def low_rank(rest: FloatArray, shifts: FloatArray, of_trial: FloatArray) -> FloatArray:
    """(walker, trial) log likelihood of normal figures whose covariance is 1 on the diagonal plus one rank a shift.

    Inverse and determinant by the Woodbury identity: matrices are as small as there are shifts.

    Parameters
    ----------
    rest : (walker, figure)      shifts : (shift, walker, figure)      of_trial : (figure, trial) 1 where it belongs.
    """
    quad = rest**2 @ of_trial
    if len(shifts):
        b = np.moveaxis((shifts * rest) @ of_trial, 0, -1)
        inner = np.stack([(shifts * each) @ of_trial for each in shifts], axis=-1)
        inner = np.moveaxis(inner, 0, -2) + np.eye(len(shifts))
        quad = quad - (b * np.linalg.solve(inner, b[..., None])[..., 0]).sum(axis=-1)
        quad = quad + np.log(np.linalg.det(inner))
    result: FloatArray = -0.5 * quad
    return result


def target_of(
    data: Sequence[Datum],
    wanted: Sequence[Prior],
    emulator: Emulator,
    *,
    within: Restriction | None = None,
    without: BoolArray | None = None,
) -> Target:
    """(walker, free parameter) to (walker,) log posterior, up to a constant.

    Parameters
    ----------
    within : the structure; all parameters are free if not given.      without : (trial,) those that are left out.
    """
    likelihood, retest = likelihood_of(data, wanted, emulator), retest_of(wanted)
    here = within or Restriction.none(len(wanted))
    weight = np.ones(likelihood.of_trial.shape[1]) if without is None else (~without).astype(float)

    def target(free: FloatArray) -> FloatArray:
        inside = (np.abs(free) < EDGE).all(axis=1)
        free = np.clip(free, -EDGE, EDGE)
        z = here.whole(free)
        fits = likelihood.by_trial(z) @ weight
        return np.where(inside, fits - 0.5 * (free**2).sum(axis=1) + retest(z), -np.inf)

    return target


@dataclass(frozen=True)
class Restriction:
    """A structure that is nested in the whole one: some parameters are fixed, or follow another one.

    z = offset + free @ slope, on the priors' standard scale.
    """

    offset: FloatArray
    slope: FloatArray
    """(free parameter, parameter)"""

    @classmethod
    def none(cls, parameters: int) -> Restriction:
        return cls(np.zeros(parameters), np.eye(parameters))

    @classmethod
    def of(cls, wanted: Sequence[Prior], fixed: dict[str, float], follows: dict[str, str]) -> Restriction:
        """fixed : parameter to its value.      follows : parameter to the one whose value it has, on the same scale."""
        names = [p.name for p in wanted]
        free = [k for k, name in enumerate(names) if name not in fixed and name not in follows]
        offset, slope = np.zeros(len(names)), np.zeros((len(free), len(names)))
        slope[np.arange(len(free)), free] = 1.0
        for name, value in fixed.items():
            p = wanted[names.index(name)]
            offset[names.index(name)] = (p.to_scale(value) - p.to_scale(p.value)) / p.sd
        for name, other in follows.items():
            mine, its = wanted[names.index(name)], wanted[names.index(other)]
            offset[names.index(name)] = (its.to_scale(its.value) - mine.to_scale(mine.value)) / mine.sd
            slope[free.index(names.index(other)), names.index(name)] = its.sd / mine.sd
        return cls(offset, slope)

    def whole(self, free: FloatArray) -> FloatArray:
        """(walker, parameter) from (walker, free parameter)."""
        return np.clip(self.offset + free @ self.slope, -EDGE, EDGE)


@cache
def retest() -> Mapping[str, float]:
    """What is known of two weeks' ratings of an untreated person (retest.tsv)."""
    return constants(Path(__file__).parent / "retest.tsv")


def retest_spread(wanted: Sequence[Prior], z: FloatArray) -> FloatArray | None:
    """(walker,) standard deviation of a week's mean rating within a person; None where what it needs is not fitted."""
    names = [p.name for p in wanted]
    needed = ("rating course_sd", "rating rating_sd", "rating course_days")
    if not set(needed) <= set(names):
        return None
    course_sd, rating_sd, days = (wanted[k].at(z[:, k]) for k in map(names.index, needed))
    # two means of a week: the average of the correlation over all pairs of their days
    within_week = np.abs(np.subtract.outer(np.arange(WEEK), np.arange(WEEK)))
    apart = np.abs(retest()["days_apart"] + np.subtract.outer(np.arange(WEEK), np.arange(WEEK)))
    same, other = (np.exp(-each / days[:, None, None]).mean(axis=(1, 2)) for each in (within_week, apart))
    spread: FloatArray = np.sqrt(course_sd**2 * (same - other) + rating_sd**2 / retest()["diary_days"])
    return spread


def retest_of(wanted: Sequence[Prior]) -> Callable[[FloatArray], FloatArray]:
    """Log likelihood of how much two weeks' ratings of an untreated person differ."""

    def log_likelihood(z: FloatArray) -> FloatArray:
        spread = retest_spread(wanted, z)
        if spread is None:
            return np.zeros(len(z))
        off: FloatArray = np.log(spread / retest()["within_sd"]) / retest()["error"]
        return -0.5 * off**2

    return log_likelihood
