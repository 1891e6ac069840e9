"""What a diary says of one person: weights of virtual people, with level, noise and slow fluctuation integrated out.

A rating of day d is  level · x(d) + fluctuation(d) + error(d):  x is what drug and placebo do to this person (people.py),
fluctuation an autocorrelated course over weeks (also what is called drift), error that of each rating; both as
in simulation/ratings.tsv. All but x is Gaussian and is integrated in closed form, so a weight depends on x alone.
Counts of spasms are taken to the log scale, where their negative binomial likelihood is Gaussian around its mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, solve_triangular
from scipy.special import logsumexp

from lissive.arrays import FloatArray, IntArray
from lissive.follow.people import Levels, People, levels, partners, placebo_of
from lissive.follow.psis import effective, pareto_k

PARTNERS = 16
"""Placebo responses that each solved person is given."""
SCALE = 10.0
LEVEL_MEAN, LEVEL_SD = SCALE / 2.0, SCALE / np.sqrt(12.0)
"""Of an untreated rating before anything is known: mean and SD of any level on 0 to 10 alike."""


@dataclass(frozen=True)
class Observed:
    """What the diary has of one outcome."""

    outcome: str
    day: IntArray
    """(observation,) days from the first dose; negative: before treatment."""
    value: FloatArray
    """As written: ratings, or counts."""
    level_log_sd: float = 0.0
    """Of counts: SD of the log of the level between people; their mean is `level`."""
    level: float = 0.0

    @property
    def is_count(self) -> bool:
        return self.outcome == "spasms"


@dataclass(frozen=True)
class Noise:
    """Covariances of one posterior draw of the calibration."""

    root: FloatArray
    """Lower Cholesky factor of the covariance of the observations, given their level."""
    gain: FloatArray
    """(day, observation) of the fluctuation on the days of interest, from what is observed less the level."""
    course_root: FloatArray
    """Root of what is left open of it."""


@dataclass(frozen=True)
class Posterior:
    """Weighted people; a draw is a person with a placebo response (person, partner)."""

    observed: Observed
    people: People
    drawn: tuple[Levels, ...]
    """By partner."""
    log_likelihood: FloatArray
    """(person, partner)"""
    level_mean: FloatArray
    level_sd: FloatArray
    """(person, partner) of the untreated level, or its logarithm, given all else."""
    noise: tuple[Noise, ...]
    days: IntArray
    """Days of interest of `noise`."""
    working: FloatArray
    """(observation,) ratings; of counts, the working values on the log scale."""
    error_var: FloatArray
    """(draw of the calibration,) variance of one rating's error."""

    @property
    def weights(self) -> FloatArray:
        """(person, partner), of sum 1."""
        found: FloatArray = np.exp(self.log_likelihood - logsumexp(self.log_likelihood))
        return found

    @property
    def by_person(self) -> FloatArray:
        """(person,) log weights."""
        found: FloatArray = logsumexp(self.log_likelihood, axis=1)
        return found

    @property
    def ess(self) -> float:
        return effective(self.by_person)

    @property
    def khat(self) -> float:
        return pareto_k(self.by_person)

    def effect(self, last: int = 7, until: int | None = None) -> FloatArray:
        """(person, partner) what the drug takes off the level that there would be without it, mean of the last days."""
        end = self.people.days if until is None else until
        part = slice(max(0, end - last), end)
        return np.stack(
            [1.0 - each.drug[:, part].mean(axis=1) / each.without[:, part].mean(axis=1) for each in self.drawn], axis=1
        )


def update(people: People, observed: Observed, days: IntArray) -> Posterior:
    """Weigh the people by the diary.

    Parameters
    ----------
    days : on which the fluctuation will be asked for, from the first dose.
    """
    every = partners(people, PARTNERS)
    drawn = tuple(
        levels(people, observed.outcome, placebo_of(people, observed.outcome, each)) for each in every
    )
    answer, answers = people.answer, int(people.answer.max()) + 1
    figure = [{name: float(value[k]) for name, value in people.rating.items()} for k in range(answers)]
    working, spread = _working(observed, figure)
    noise = tuple(_noise(observed, each, spread, days) for each in figure)
    fit = np.empty((3, len(people), len(drawn)))
    for k in range(answers):
        members = np.flatnonzero(answer == k)
        x = np.stack([_at(each.drug[members], observed.day) for each in drawn], axis=1)
        flat = _marginal(x.reshape(-1, x.shape[-1]), working, observed, noise[k].root)
        fit[:, members] = np.stack(flat).reshape(3, len(members), -1)
    error_var = np.array([each["rating_sd"] ** 2 for each in figure])
    return Posterior(observed, people, drawn, *fit, noise, days, working, error_var)


def _at(x: FloatArray, day: IntArray) -> FloatArray:
    """(person, observation); 1 before treatment."""
    return np.where(day < 0, 1.0, x[:, np.maximum(day, 0)])


def course_sd(observed: Observed, figure: Mapping[str, float]) -> float:
    """SD of the fluctuation: of counts, on the log scale, as large in proportion as that of a rating in mid-scale.

    The model's counts have none. With none, each flare and remission would be laid to the treatment.
    """
    return figure["course_sd"] / LEVEL_MEAN if observed.is_count else figure["course_sd"]


def _noise(observed: Observed, figure: Mapping[str, float], spread: FloatArray | None, days: IntArray) -> Noise:
    sd, memory = course_sd(observed, figure), figure["course_days"]

    def covariance(a: IntArray, b: IntArray) -> FloatArray:
        result: FloatArray = sd**2 * np.exp(-np.abs(a[:, None] - b[None]) / memory)
        return result

    own = figure["rating_sd"] ** 2 if spread is None else spread
    root = np.linalg.cholesky(covariance(observed.day, observed.day) + np.diag(np.broadcast_to(own, len(observed.day))))
    across = covariance(days, observed.day)
    gain = cho_solve((root, True), across.T).T
    left = covariance(days, days) - gain @ across.T
    return Noise(root, gain, np.linalg.cholesky(left + 1e-9 * np.eye(len(days))))


def _working(
    observed: Observed, figure: list[dict[str, float]]
) -> tuple[FloatArray, FloatArray | None]:
    """Values on the scale on which they are Gaussian; of counts their variance there too (iterated to the mode)."""
    if not observed.is_count:
        return observed.value, None
    one = {name: float(np.median([each[name] for each in figure])) for name in figure[0]}
    k, day, y = one["count_dispersion"], observed.day, observed.value
    smooth = course_sd(observed, one) ** 2 * np.exp(-np.abs(day[:, None] - day[None]) / one["course_days"])
    # over the level's own spread, and over what drug and placebo may do to it in weeks
    smooth = smooth + observed.level_log_sd**2 + 0.25 * np.exp(-np.abs(day[:, None] - day[None]) / one["course_days"])
    middle = np.log(max(observed.level, 0.1))
    eta = np.full(len(y), np.log(max(y.mean(), 0.1)))
    for _ in range(20):
        mean = np.exp(eta)
        variance = 1.0 / mean + k
        z = eta + (y - mean) / mean
        new = middle + smooth @ np.linalg.solve(smooth + np.diag(variance), z - middle)
        if np.abs(new - eta).max() < 1e-8:
            break
        eta = new
    mean = np.exp(eta)
    return eta + (y - mean) / mean, 1.0 / mean + k


def _marginal(
    x: FloatArray, y: FloatArray, observed: Observed, root: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(draw,) log likelihood with the level integrated out, and the level's mean and SD."""
    if observed.is_count:
        left, design = y[None] - np.log(x), np.ones_like(x)
        middle, sd = np.log(observed.level), observed.level_log_sd
    else:
        left, design = np.broadcast_to(y, x.shape), x
        middle, sd = LEVEL_MEAN, LEVEL_SD
    white_x = solve_triangular(root, design.T, lower=True)
    white_y = solve_triangular(root, left.T, lower=True)
    precision = 1.0 / sd**2 + (white_x**2).sum(axis=0)
    mean = (middle / sd**2 + (white_x * white_y).sum(axis=0)) / precision
    fit = (white_y**2).sum(axis=0) + middle**2 / sd**2 - precision * mean**2
    constant = 2.0 * np.log(np.diag(root)).sum() + np.log(sd**2)
    return -0.5 * (fit + constant + np.log(precision)), mean, 1.0 / np.sqrt(precision)


def resampled(weights: FloatArray, n: int, u: float = 0.5) -> IntArray:
    """`n` places drawn in proportion to their weight, evenly (systematic resampling)."""
    points = (np.arange(n) + u) / n
    found: IntArray = np.minimum(np.searchsorted(np.cumsum(weights.ravel()), points), weights.size - 1)
    return found


@dataclass(frozen=True)
class Sampled:
    """Draws of the posterior."""

    person: IntArray
    partner: IntArray
    level: FloatArray
    """(draw,) the untreated level."""
    course: FloatArray
    """(draw, day) fluctuation on the days of interest; of counts, of the logarithm."""


def sampled(found: Posterior, n: int, random: np.random.Generator) -> Sampled:
    """`n` draws of person, placebo response, level and fluctuation."""
    place = resampled(found.weights, n)
    person, partner = np.unravel_index(place, found.log_likelihood.shape)
    at = (person, partner)
    level = found.level_mean[at] + found.level_sd[at] * random.standard_normal(n)
    answer = found.people.answer[person]
    course = np.empty((n, len(found.days)))
    for k in np.unique(answer):
        mine = np.flatnonzero(answer == k)
        noise = found.noise[k]
        x = np.stack([found.drawn[p].drug[i] for i, p in zip(person[mine], partner[mine], strict=True)])
        seen = _at(x, found.observed.day)
        expected = level[mine, None] + np.log(seen) if found.observed.is_count else level[mine, None] * seen
        left = found.working[None] - expected
        course[mine] = left @ noise.gain.T + random.standard_normal((len(mine), len(found.days))) @ noise.course_root.T
    return Sampled(person, partner, np.exp(level) if found.observed.is_count else level, course)


def expected(found: Posterior, draw: Sampled, x: FloatArray) -> FloatArray:
    """(draw, day) what would be rated or counted on average on the days of interest; x: (draw, day)."""
    if found.observed.is_count:
        rate: FloatArray = draw.level[:, None] * x * np.exp(draw.course)
        return rate
    return np.clip(draw.level[:, None] * x + draw.course, 0.0, SCALE)
