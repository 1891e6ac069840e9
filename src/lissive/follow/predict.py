"""What the model tells of a diary: virtual people like the case's on the same doses, weighed by what was written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lissive.arrays import FloatArray, IntArray
from lissive.case import Case
from lissive.follow.advise import decisions
from lissive.follow.answer import Ahead, Benefit, Diagnostics, Fit, OutcomeAhead
from lissive.follow.diary import columns
from lissive.follow.doses import Taken, schedule_of
from lissive.follow.people import Levels, People, first_people, go_on, levels, partners, placebo_of
from lissive.follow.update import PARTNERS, SCALE, Observed, Posterior, Sampled, expected, sampled, update
from lissive.forecast.answer import Quantiles
from lissive.forecast.predict import DRAWS
from lissive.forecast.treatment import treatment
from lissive.model import load
from lissive.simulation.origin import model_hash
from lissive.simulation.schedule import Schedule

SAMPLES = 1000
"""Draws of the posterior that a forecast is shown from."""
MOST_CHUNKS = 3
WEEK = 7
INTERVAL = (
    "between posterior draws of this person, with the error of a week's ratings; that the model itself is wrong is "
    "not included"
)


@dataclass(frozen=True)
class Predicted:
    """What rests on the model."""

    posterior: Posterior
    benefit: Benefit
    effect_pct: dict[str, tuple[float, float, float]]
    forecast: Ahead
    fit: Fit
    diagnostics: Diagnostics
    notes: tuple[str, ...]
    """What the model assumes of the case."""
    model: str
    """Hash of its equations."""


def predict(
    case: Case, observed: Observed, taken: Taken, *, weeks: int, share: float, source: str, subjects: int, seed: int,
    threads: int, progress: Callable[[int], None] | None = None,
) -> Predicted:  # fmt: skip
    """Solve virtual people until enough of them are like the diary, and what they say.

    Parameters
    ----------
    share : of the level without the drug that counts as a benefit.
    source : of that share.
    subjects : virtual people to begin with, in whole sets of posterior draws.
    """
    equations = load("lissive")
    plan = treatment(case, equations)
    schedule = schedule_of(equations, taken, plan.product, continuing=weeks * WEEK)
    size = -(-subjects // DRAWS) * DRAWS
    chunks: list[People] = []
    limit = decisions()
    while True:
        solved = first_people(
            case, plan, equations, schedule, taken.days, seed=seed,
            numbers=range(size * len(chunks), size * len(chunks) + size), threads=threads,
        )  # fmt: skip
        chunks.append(replace(solved, believing=taken.treated))
        if progress:
            progress(size * len(chunks))
        found = update(_joined(chunks), observed)
        reliable = found.ess >= min(limit["ess_least"], 0.2 * size) and not found.khat > limit["khat_most"]
        if reliable or len(chunks) == MOST_CHUNKS:
            break
    days = np.arange(min(int(observed.day.min()), 0), taken.days + weeks * WEEK)
    draw = sampled(found, SAMPLES, days, np.random.default_rng(seed))
    khat = found.khat
    return Predicted(
        found,
        _benefit(found, share, source, taken.until),
        _effect(found, taken.until),
        _ahead(chunks, found, draw, schedule, weeks, threads, seed),
        _fit(found, draw, seed),
        Diagnostics(
            round(found.ess, 1), None if np.isnan(khat) else round(khat, 3), len(found.people), bool(reliable)
        ),
        plan.notes,
        model_hash(equations),
    )


def _joined(chunks: list[People]) -> People:
    if len(chunks) == 1:
        return chunks[0]
    first = chunks[0]
    return People(
        {name: np.concatenate([each.outputs[name] for each in chunks]) for name in first.outputs},
        {name: np.concatenate([each.parameters[name] for each in chunks]) for name in first.parameters},
        {name: np.concatenate([each.rating[name] for each in chunks]) for name in first.rating},
        first.believing,
    )


def _benefit(found: Posterior, share: float, source: str, until: int) -> Benefit:
    helped = found.effect(until=until) >= share
    worse = update(found.people, _gaps_as_bad_days(found), found.drawn)
    return Benefit(
        round(100.0 * share, 1),
        float((found.weights * helped).sum()),
        float(helped.mean()),
        found.observed.outcome,
        source,
        float((worse.weights * helped).sum()),
    )


def _gaps_as_bad_days(found: Posterior) -> Observed:
    """The diary with an entry on each day without one since the first dose: the fit, worse by a rating's error."""
    seen = found.observed
    gaps = np.setdiff1d(np.arange(found.people.days), seen.day)
    mean = (found.weights[..., None] * np.stack([each.drug[:, gaps] for each in found.drawn], axis=1)).sum(
        (0, 1)
    )
    level = float((found.weights * found.given.level).sum())
    error = float(np.median(found.people.rating["rating_sd"]))
    if seen.is_count:
        filled = np.rint(np.exp(level) * mean * (1.0 + error / (SCALE / 2.0)))
    else:
        filled = np.clip(level * mean + error, 0.0, SCALE)
    day, value = np.concatenate([seen.day, gaps]), np.concatenate([seen.value, filled])
    order = np.argsort(day, kind="stable")
    return replace(seen, day=day[order], value=value[order])


def _effect(found: Posterior, until: int) -> dict[str, tuple[float, float, float]]:
    effect, weights = 100.0 * found.effect(until=until).ravel(), found.weights.ravel()
    order = np.argsort(effect)
    total = np.cumsum(weights[order])

    def at(p: float) -> float:
        return float(effect[order][min(int(np.searchsorted(total, p)), len(order) - 1)])

    prior = np.quantile(effect, (0.05, 0.5, 0.95))
    return {
        "prior": (float(prior[0]), float(prior[1]), float(prior[2])),
        "posterior": (at(0.05), at(0.5), at(0.95)),
    }


@dataclass(frozen=True)
class _Futures:
    going_on: Levels
    stopping: Levels


def _futures(
    chunks: list[People], found: Posterior, draw: Sampled, schedule: Schedule, days: int, threads: int
) -> _Futures:
    """Levels of each draw through the diary and on, with and without the drug; only people drawn are solved."""
    used, back = np.unique(draw.person, return_inverse=True)
    size = len(chunks[0])
    sides = []
    partner = np.stack(partners(found.people, PARTNERS))[draw.partner, draw.person]
    response = placebo_of(found.people, found.observed.outcome, partner)
    for each in (schedule, None):
        parts = [
            go_on(chunk.take(used[used // size == k] - size * k), each, days, threads)
            for k, chunk in enumerate(chunks)
            if (used // size == k).any()
        ]
        sides.append(levels(_joined(parts).take(back), found.observed.outcome, response))
    return _Futures(*sides)


def _ahead(
    chunks: list[People], found: Posterior, draw: Sampled, schedule: Schedule, weeks: int, threads: int, seed: int
) -> Ahead:  # fmt: skip
    future = _futures(chunks, found, draw, schedule, weeks * WEEK, threads)
    late = draw.days >= found.people.days
    part = replace(draw, course=draw.course[:, late])
    random = np.random.default_rng([seed, 1])
    n = len(draw.person)
    error = _error_sd(found, draw)[:, None] / np.sqrt(WEEK) * random.standard_normal((n, weeks))
    sides, means = [], []
    for each in (future.going_on, future.stopping):
        x = each.drug[:, found.people.days :]
        week = expected(found, part, x).reshape(n, weeks, WEEK).mean(axis=2)
        means.append(week)
        if (
            found.observed.is_count
        ):  # a week's mean of counts, about which a negative binomial is near Gaussian
            spread = np.sqrt((week + _dispersion(found, draw)[:, None] * week**2) / WEEK)
            sides.append(np.maximum(week + spread * random.standard_normal((n, weeks)), 0.0))
        else:
            sides.append(np.clip(week + error, 0.0, SCALE))
    outcome = found.observed.outcome
    column = columns()[outcome]
    shown = OutcomeAhead(column.label, column.unit, *map(_quantiles, (*sides, means[0] - means[1])))
    return Ahead(outcome, tuple(range(1, weeks + 1)), {outcome: shown}, INTERVAL)


def _error_sd(found: Posterior, draw: Sampled) -> FloatArray:
    return found.people.rating["rating_sd"][draw.person]


def _dispersion(found: Posterior, draw: Sampled) -> FloatArray:
    return found.people.rating["count_dispersion"][draw.person]


def _quantiles(values: FloatArray) -> Quantiles:
    rows = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0)
    return Quantiles(*(tuple(row.tolist()) for row in (*rows, values.mean(axis=0))))


def _fit(found: Posterior, draw: Sampled, seed: int) -> Fit:
    """What one day's entry would be on each day of the diary, beside what it was."""
    random = np.random.default_rng([seed, 2])
    past = draw.days < found.people.days
    day: IntArray = draw.days[past]
    drawn = np.stack([found.drawn[p].drug[k] for k, p in zip(draw.person, draw.partner, strict=True)])
    x = np.where(day < 0, 1.0, drawn[:, np.maximum(day, 0)])
    mean = expected(found, replace(draw, course=draw.course[:, past]), x)
    if found.observed.is_count:
        k = _dispersion(found, draw)[:, None]
        one = random.negative_binomial(1.0 / k, 1.0 / (1.0 + k * mean)).astype(float)
    else:
        one = np.clip(mean + _error_sd(found, draw)[:, None] * random.standard_normal(mean.shape), 0.0, SCALE)
    low, middle, high = np.quantile(one, (0.05, 0.5, 0.95), axis=0)
    seen = dict(zip(found.observed.day.tolist(), found.observed.value.tolist(), strict=True))
    return Fit(
        tuple(day.tolist()),
        tuple(seen.get(each) for each in day.tolist()),
        tuple(low.tolist()),
        tuple(middle.tolist()),
        tuple(high.tolist()),
    )
