"""An n-of-1 trial analysed: a hierarchical Bayesian model of the pairs, with trend, carry-over and autocorrelation.

    y = level(pair) + trend·day + effect(pair)·on + carry·(on in the period before) + error

Effects of pairs are normal around the person's own effect; errors of days are correlated by an autoregression. Given
the variances' ratios and the correlation, all else is conjugate (normal-inverse-gamma) and integrated in closed form;
those are summed over on a grid. So there is no sampler, and nothing to converge.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln, logsumexp, stdtr

from lissive.arrays import FloatArray, IntArray
from lissive.errors import DiaryError
from lissive.follow.alarms import in_words
from lissive.follow.answer import Alarm
from lissive.follow.diary import Diary, columns
from lissive.follow.n_of_1 import ON, Period
from lissive.versions import stamped

RATIOS = (0.0, 0.15, 0.3, 0.5, 0.8, 1.2)
"""SD of the effects, and of the levels, of pairs over that of a day's error: the grid, equal weights (assumed)."""
CORRELATIONS = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
"""Of the errors of two days running: the grid, equal weights (assumed)."""
CARRY_SD = 0.5
"""Prior SD of carry-over, over that of a day's error (assumed)."""
_RATED = ("rating", "count")
LEAST = 4
"""Entries that each treatment needs."""


@dataclass(frozen=True)
class NOf1Answer:
    """The difference on minus off, in the outcome's unit; under 0 is better."""

    outcome: str
    label: str
    unit: str
    difference: float
    interval_90: tuple[float, float]
    interval_95: tuple[float, float]
    probability_better: float
    threshold: float
    """A reduction of so much [% of the level without the drug] counts."""
    probability_benefit: float
    level_off: float
    carry_over: float
    trend_per_week: float
    pairs: tuple[tuple[int, float | None, float | None], ...]
    """Pair, mean on, mean off."""
    days_used: int
    days_left_out: int
    """Of washouts, and outside of all periods."""
    notes: tuple[str, ...]
    alarms: tuple[Alarm, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return stamped(asdict(self), "model")


@dataclass(frozen=True)
class Fitted:
    """Mixture of Student's t distributions, one for each point of the grid."""

    weights: FloatArray
    mean: FloatArray
    """(point, coefficient): level, trend a day, effect, carry-over."""
    scale: FloatArray
    degrees: float

    def probability_below(self, k: int, at: float) -> float:
        return float((self.weights * stdtr(self.degrees, (at - self.mean[:, k]) / self.scale[:, k])).sum())

    def quantile(self, k: int, p: float) -> float:
        """By bisection."""
        width = 40.0 * self.scale[:, k].max()
        low, high = self.mean[:, k].min() - width, self.mean[:, k].max() + width
        for _ in range(100):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.probability_below(k, middle) < p else (low, middle)
        return float(0.5 * (low + high))

    def average(self, k: int) -> float:
        return float((self.weights * self.mean[:, k]).sum())


def fit_pairs(
    y: FloatArray, day: IntArray, on: FloatArray, pair: IntArray, before: FloatArray,
    ratios: Sequence[float] = RATIOS, correlations: Sequence[float] = CORRELATIONS,
) -> Fitted:  # fmt: skip
    """The posterior of level, trend, effect and carry-over.

    Parameters
    ----------
    on : 1 with the drug, 0 without.      before : the same of the period before; 0 in the first.
    """
    centre = float(day.mean())
    design = np.column_stack([np.ones(len(y)), day - centre, on, before])
    own = (pair[:, None] == np.unique(pair)[None]).astype(float)
    levels, effects = own @ own.T, (own * on[:, None]) @ (own * on[:, None]).T
    lag = np.abs(day[:, None] - day[None])
    prior = np.diag([0.0, 0.0, 0.0, 1.0 / CARRY_SD**2])
    n, flat = len(y), 3
    fits, means, scales = [], [], []
    for rho, of_level, of_effect in itertools.product(correlations, ratios, ratios):
        covariance = (rho**lag if rho else np.eye(n)) + of_level**2 * levels + of_effect**2 * effects
        root = np.linalg.cholesky(covariance)
        white = np.linalg.solve(root, np.column_stack([design, y]))
        x, z = white[:, :-1], white[:, -1]
        precision = x.T @ x + prior
        mean = np.linalg.solve(precision, x.T @ z)
        rest = float(z @ z - mean @ precision @ mean)
        fits.append(
            -np.log(np.diag(root)).sum()
            - 0.5 * np.linalg.slogdet(precision)[1]
            - 0.5 * (n - flat) * np.log(rest)
        )
        means.append(mean)
        scales.append(np.sqrt(rest / (n - flat) * np.diag(np.linalg.inv(precision))))
    fit = np.array(fits) + gammaln(0.5 * (n - flat))
    return Fitted(np.exp(fit - logsumexp(fit)), np.array(means), np.array(scales), float(n - flat))


def _fits_exactly(y: FloatArray, day: IntArray, on: FloatArray) -> bool:
    """Whether level, trend and treatment leave no error at all: its variance would be 0, and nothing is estimated."""
    design = np.column_stack([np.ones(len(y)), day, on])
    return bool(np.abs(y - design @ np.linalg.lstsq(design, y)[0]).max() < 1e-9)


def analyse_n_of_1(
    diary: Diary,
    periods: Sequence[Period],
    *,
    outcome: str = "spasticity_nrs",
    threshold: float,
    blinded: bool = False,
) -> NOf1Answer:
    """The difference between the periods with and without the drug.

    blinded : placebo is written as the drug is.

    Raises       DiaryError where an outcome is not rated enough in both.
    """
    if outcome not in columns() or columns()[outcome].kind not in _RATED:
        allowed = f"{', '.join(name for name, each in columns().items() if each.kind in _RATED)}."
        raise DiaryError(
            f"outcome is {outcome!r}.", where="outcome", allowed=allowed, do="choose one of these."
        )
    rated = {d.date: d.ratings[outcome] for d in diary.days if outcome in d.ratings}
    start = min(each.first for each in periods)
    rows, previous = [], 0.0
    for each in sorted(periods, key=lambda one: one.first):
        now = float(each.treatment == ON)
        for k in range((each.last - each.first).days + 1):
            date = each.first + datetime.timedelta(days=k)
            if date in rated and date >= each.analysed_from:
                rows.append((rated[date], (date - start).days, now, each.pair, previous))
        previous = now
    counted = [sum(row[2] == side for row in rows) for side in (1.0, 0.0)]
    if min(counted) < LEAST:
        raise DiaryError(
            f"{outcome} is rated on {counted[0]} days with the drug and {counted[1]} without, washouts left "
            f"out.{diary.without}",
            where=diary.path, allowed=f"{LEAST} or more of each.", do="check that the dates are those of the plan.",
        )  # fmt: skip
    y, day, on, pair, before = (np.array(column) for column in zip(*rows, strict=True))
    if _fits_exactly(y, day, on):
        raise DiaryError(
            f"{outcome} does not vary from day to day beyond treatment and trend, so chance cannot be told from the "
            "drug.",
            where=diary.path, allowed="ratings that vary.", do="rate each day anew, or judge by another column.",
        )  # fmt: skip
    found = fit_pairs(y.astype(float), day.astype(np.int64), on, pair.astype(np.int64), before)
    off = found.average(0)
    cut = -threshold / 100.0 * off
    means = [
        (
            int(p),
            *(
                float(y[(pair == p) & (on == side)].mean()) if ((pair == p) & (on == side)).any() else None
                for side in (1, 0)
            ),
        )
        for p in np.unique(pair)
    ]
    return NOf1Answer(
        outcome, columns()[outcome].label, columns()[outcome].unit, found.average(2),
        (found.quantile(2, 0.05), found.quantile(2, 0.95)), (found.quantile(2, 0.025), found.quantile(2, 0.975)),
        found.probability_below(2, 0.0), threshold, found.probability_below(2, cut), off, found.average(3),
        7.0 * found.average(1), tuple(means), len(y), len(rated) - len(y),  # type: ignore[arg-type]
        tuple(_notes(periods, {int(p) for p in pair})),
        (*in_words(diary, start), *_other_doses(diary, periods, set(rated), blinded=blinded)),
    )  # fmt: skip


def _other_doses(
    diary: Diary, periods: Sequence[Period], rated: set[datetime.date], *, blinded: bool
) -> Iterator[Alarm]:
    """Days whose doses, as written, are not those of the plan."""
    written = {
        day.date: sum(each.sprays + each.thc_mg + each.cbd_mg for each in day.doses)
        for day in diary.days
        if day.doses is not None and day.date in rated
    }
    wrong = [
        date
        for each in periods
        for date, dose in written.items()
        if each.analysed_from <= date <= each.last
        and (dose == 0 if each.treatment == ON else dose > 0 and not blinded)
    ]
    if wrong:
        text = f"the doses written are not the plan's on {len(wrong)} of the days used, the first on {min(wrong)}"
        yield Alarm("other_doses", text, (), "find out what was taken before you use the difference")


def _notes(periods: Sequence[Period], pairs: set[int]) -> Iterator[str]:
    if missing := sorted({each.pair for each in periods} - pairs):
        yield f"Pairs without an entry that can be used: {', '.join(map(str, missing))}."
    yield "Entries of washout days are left out."
    yield "Each pair may have its own effect; the difference is the person's."
