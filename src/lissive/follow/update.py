"""What a diary says of one person: weights of virtual people, with level, noise and slow fluctuation integrated out.

A rating of day d is  level · x(d) + fluctuation(d) + error(d):  x is what drug and placebo do, fluctuation an
autocorrelated course over weeks (also what is called drift), error that of each rating; both as in
simulation/ratings.tsv. All but x is Gaussian and is integrated in closed form, so a weight depends on x alone. Counts
of spasms are taken to the log scale, where their negative binomial likelihood is Gaussian around its mode; so is that
of a rating at an end of the scale, of which is known only that it lies there or beyond.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_ndtr, logsumexp

from lissive.arrays import FloatArray, IntArray
from lissive.follow.people import Levels, People, levels, partners, placebo_of

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
class Given:
    """(person, partner) what is known of the untreated level, or its logarithm, if all else is: normal."""

    level: FloatArray
    level_sd: FloatArray


@dataclass(frozen=True)
class Posterior:
    """Weighted people; a draw is a person with a placebo response (person, partner)."""

    observed: Observed
    people: People
    drawn: tuple[Levels, ...]
    """By partner."""
    log_likelihood: FloatArray
    """(person, partner)"""
    given: Given
    course: Course
    """(person,)"""
    working: FloatArray
    """(observation,) ratings; of counts, the working values on the log scale."""

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
            [
                1.0 - each.drug[:, part].mean(axis=1) / each.without[:, part].mean(axis=1)
                for each in self.drawn
            ],
            axis=1,
        )


def drawn_levels(people: People, outcome: str) -> tuple[Levels, ...]:
    """Levels of everybody with the placebo response of each partner."""
    return tuple(
        levels(people, outcome, placebo_of(people, outcome, each)) for each in partners(people, PARTNERS)
    )


def update(people: People, observed: Observed, drawn: tuple[Levels, ...] | None = None) -> Posterior:
    """Weigh the people by the diary.

    drawn : `drawn_levels`, where they are known already.
    """
    drawn = drawn or drawn_levels(people, observed.outcome)
    working, course = _working(observed, people.rating)
    x = np.stack([_at(each.drug, observed.day).T for each in drawn], axis=-1)
    fit, given = _marginal(x, working, observed, course)
    return Posterior(observed, people, drawn, fit, given, course, working)


def _at(x: FloatArray, day: IntArray) -> FloatArray:
    """(person, observation); 1 before treatment."""
    return np.where(day < 0, 1.0, x[:, np.maximum(day, 0)])


def _working(observed: Observed, rating: Mapping[str, FloatArray]) -> tuple[FloatArray, Course]:
    """Values on the scale on which they are Gaussian, and the course with its error there.

    Of counts these are the working values of iterated weighted least squares, at the mode of a smooth course.
    """
    sd, memory = rating["count_course_sd" if observed.is_count else "course_sd"], rating["course_days"]
    if not observed.is_count:
        return _uncensored(observed, Course(sd, memory, rating["rating_sd"][:, None] ** 2))
    k, y = float(np.median(rating["count_dispersion"])), observed.value
    # over the course's own spread: the level's, and what drug and placebo may do to it
    wide = np.sqrt(np.median(sd) ** 2 + observed.level_log_sd**2)
    prior = Course(np.array([wide]), np.array([np.median(memory)]), np.ones((1, 1)))
    eta = _mode(
        np.full(len(y), np.log(max(float(y.mean()), 0.1))), observed.day, prior, float(np.log(observed.level)),
        lambda eta: (eta + (y - np.exp(eta)) / np.exp(eta), np.exp(-eta) + k), (-5.0, 7.0),
    )  # fmt: skip
    mean = np.exp(eta)
    error = np.broadcast_to(1.0 / mean + k, (len(sd), len(y)))
    return eta + (y - mean) / mean, Course(sd, memory, error)


def _mode(
    eta: FloatArray, day: IntArray, prior: Course, middle: float,
    working: Callable[[FloatArray], tuple[FloatArray, FloatArray]], limits: tuple[float, float],
) -> FloatArray:  # fmt: skip
    """Iterated weighted least squares: the mode of a smooth course given working values and variances at `eta`."""
    grid = np.arange(day.min(), day.max() + 1)
    for _ in range(30):
        value, variance = working(eta)
        path = smoothed(replace(prior, error_var=variance[None]), day, (value - middle)[None], grid, None)[0]
        new = middle + path[day - grid[0]]
        done, eta = np.abs(new - eta).max() < 1e-6, np.clip(new, *limits)
        if done:
            break
    return eta


def _uncensored(observed: Observed, course: Course) -> tuple[FloatArray, Course]:
    """Ratings, where those at an end of the scale are Gaussian around the mode of what they may stand for."""
    y, error = observed.value, float(np.sqrt(np.median(course.error_var)))
    end = (y <= 0.0) | (y >= SCALE)
    if not end.any():
        return y, course
    half = 0.5 if (y == np.rint(y)).all() else 0.0  # a whole number stands for all that is rounded to it
    sign, bound = np.where(y <= 0.0, -1.0, 1.0), np.where(y <= 0.0, half, SCALE - half)

    def working(eta: FloatArray) -> tuple[FloatArray, FloatArray]:
        value, variance = censored(sign * (eta - bound) / error)
        return np.where(end, eta + sign * error * value, y), np.where(end, error**2 * variance, error**2)

    wide = float(np.sqrt(np.median(course.sd) ** 2 + LEVEL_SD**2))
    prior = Course(np.array([wide]), np.array([np.median(course.memory)]), np.ones((1, 1)))
    value, variance = working(_mode(y, observed.day, prior, LEVEL_MEAN, working, (-SCALE, 2.0 * SCALE)))
    return value, replace(course, error_var=np.where(end[None], variance[None], course.error_var))


def censored(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Step and variance of the Gaussian that has the slope and curvature of log Φ at z, in units of the error."""
    mills = np.exp(-0.5 * z**2 - 0.5 * np.log(2.0 * np.pi) - log_ndtr(z))
    curvature = np.maximum(mills * (mills + z), 1e-6)
    return mills / curvature, 1.0 / curvature


def _marginal(x: FloatArray, y: FloatArray, observed: Observed, course: Course) -> tuple[FloatArray, Given]:
    """(person, partner) log likelihood with the level integrated out, and what is then known of the level.

    x : (observation, person, partner)
    """
    if observed.is_count:
        left, design = y[:, None, None] - np.log(x), np.ones((len(y), x.shape[1], 1))
        middle, sd = float(np.log(observed.level)), observed.level_log_sd
    else:
        left, design = np.broadcast_to(y[:, None, None], (len(y), x.shape[1], 1)), x
        middle, sd = LEVEL_MEAN, float(LEVEL_SD)
    determinant, (white_y, white_x) = whitened(course, observed.day, left, design)
    precision = 1.0 / sd**2 + (white_x**2).sum(axis=0)
    level = (middle / sd**2 + (white_x * white_y).sum(axis=0)) / precision
    fit = (white_y**2).sum(axis=0) + middle**2 / sd**2 - precision * level**2
    fit = fit + determinant[:, None] + np.log(precision * sd**2)
    return -0.5 * fit, Given(level, np.broadcast_to(1.0 / np.sqrt(precision), level.shape))


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
    days: IntArray
    course: FloatArray
    """(draw, day) fluctuation; of counts, of the logarithm."""


def sampled(found: Posterior, n: int, days: IntArray, random: np.random.Generator) -> Sampled:
    """`n` draws of person, placebo response, level, and fluctuation on these days, all from the first to the last."""
    place = resampled(found.weights, n)
    person, partner = np.unravel_index(place, found.log_likelihood.shape)
    at = (person, partner)
    level = found.given.level[at] + found.given.level_sd[at] * random.standard_normal(n)
    rows = [found.drawn[p].drug[k] for k, p in zip(person, partner, strict=True)]
    x = _at(np.stack(rows), found.observed.day)
    seen = level[:, None] + np.log(x) if found.observed.is_count else level[:, None] * x
    course = smoothed(found.course.take(person), found.observed.day, found.working - seen, days, random)
    return Sampled(person, partner, np.exp(level) if found.observed.is_count else level, days, course)


def expected(found: Posterior, draw: Sampled, x: FloatArray) -> FloatArray:
    """(draw, day) what would be rated or counted on average on these days; x: (draw, day)."""
    if found.observed.is_count:
        rate: FloatArray = draw.level[:, None] * x * np.exp(draw.course)
        return rate
    return np.clip(draw.level[:, None] * x + draw.course, 0.0, SCALE)


def effective(log_weights: FloatArray) -> float:
    """Effective sample size, (Σw)²/Σw².

    >>> round(effective(np.zeros(100)), 6)
    100.0
    """
    w = log_weights - logsumexp(log_weights)
    return float(np.exp(-logsumexp(2.0 * w)))


def pareto_k(log_weights: FloatArray) -> float:
    """Pareto's k, the shape of the tail of the weights; NaN where they are all but equal, or too few.

    Over 0.7 there are too few draws where the posterior is (Vehtari, Simpson, Gelman, Yao, Gabry 2024, J Mach Learn
    Res 25:72); the tail's fit is Zhang and Stephens 2009 (Technometrics 51:316), as in the loo package.
    """
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


@dataclass(frozen=True)
class Course:
    """Fluctuation of a rating over weeks, as of simulation/ratings.py: (row,) figures of each row's course, and of the
    error with which it is seen. The correlation is exp(-days/memory)."""

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
