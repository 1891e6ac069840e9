"""What a trial gets to see of its patients: ratings with their error, diaries with gaps, counts, assessments.

Every random number belongs to (patient, measure, day), so more visits or another arm change nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import nbinom

from lissive.arrays import FloatArray, IntArray
from lissive.simulation.ratings import by_day, stretches
from lissive.trials.design import Design
from lissive.trials.measures import IMPRESSIONS, MEASURES, Measure
from lissive.trials.response import Response

BEFORE = 28
"""Days of ratings kept before day 0: screening takes the last of them."""


def measured(design: Design) -> tuple[str, ...]:
    """All measures that the design asks for somewhere, impressions as the rating behind them."""
    named = [each.measure for each in design.endpoints if each.measure in MEASURES]
    named += [*design.population.inclusion, design.relief, *(each.measure for each in design.strata)]
    if design.run_in and design.run_in.keep:
        named.append(design.run_in.keep.measure)
    return tuple(dict.fromkeys(design.relief if each in IMPRESSIONS else each for each in named))


@dataclass
class Ratings:
    """The random side of all ratings of some patients.

    course, error, chance : measure to (patient, day), day 0 at place BEFORE; error is a standard normal number,
        chance one between 0 and 1. filled : (patient, day) whether the diary was kept.
    """

    course: dict[str, FloatArray]
    error: dict[str, FloatArray]
    chance: dict[str, FloatArray]
    filled: FloatArray
    figure: dict[str, FloatArray]
    """Figures of ratings.tsv, (patient,) each."""

    def take(self, members: IntArray) -> Ratings:
        """These patients alone."""

        def of(every: dict[str, FloatArray]) -> dict[str, FloatArray]:
            return {name: values[members] for name, values in every.items()}

        return Ratings(
            of(self.course), of(self.error), of(self.chance), self.filled[members], of(self.figure)
        )


def ratings_of(design: Design, seed: int, screening_id: IntArray, days: int, response: Response) -> Ratings:
    """All random numbers of these patients from BEFORE days before the start to `days` after it."""
    figure = response.rating()
    total = BEFORE + days
    course: dict[str, FloatArray] = {}
    error: dict[str, FloatArray] = {}
    chance: dict[str, FloatArray] = {}
    for name in measured(design):
        kind = MEASURES[name].kind
        if kind == "rating":
            sd, memory = figure["course_sd"], figure["course_days"]
            course[name] = stretches(seed, name, screening_id, total, sd=sd, memory=memory)
        if kind in ("rating", "assessed"):
            error[name] = ndtri(by_day(seed, f"error: {name}", screening_id, total))
        if kind == "count":
            chance[name] = by_day(seed, f"count: {name}", screening_id, total)
    filled = (by_day(seed, "diary", screening_id, total) < design.diary_compliance).astype(float)
    return Ratings(
        course,
        error,
        chance,
        filled,
        {name: np.full(len(screening_id), value) for name, value in figure.items()},
    )


def joined(parts: Sequence[Ratings]) -> Ratings:
    """Patients of several replicates as one."""

    def one(name: str) -> dict[str, FloatArray]:
        return {k: np.concatenate([getattr(p, name)[k] for p in parts]) for k in getattr(parts[0], name)}

    return Ratings(
        one("course"), one("error"), one("chance"), np.concatenate([p.filled for p in parts]), one("figure")
    )


def observe_visit(design: Design, ratings: Ratings, name: str, levels: FloatArray, last: int) -> FloatArray:
    """(patient,) what is observed of a measure on day `last`.

    Parameters
    ----------
    levels : (patient, day) the model's daily means of the days that end with `last`; as many as a diary is looked at.
    last : day, counted from the start; -1 is the day before it.
    """
    measure = MEASURES[name]
    once = measure.kind == "assessed" or (design.rated_at_visits and measure.kind == "rating")
    days = 1 if once else levels.shape[1]
    place = slice(BEFORE + last + 1 - days, BEFORE + last + 1)
    each = _days(measure, ratings, name, levels[:, -days:], place)
    if once:
        return each[:, 0]
    filled = ratings.filled[:, place]
    count = filled.sum(axis=1)
    total = (each * filled).sum(axis=1)
    mean: FloatArray = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
    return mean


def days_filled(ratings: Ratings, last: int, days: int) -> IntArray:
    """(patient,) days of diary behind a visit."""
    filled: IntArray = (
        ratings.filled[:, BEFORE + last + 1 - days : BEFORE + last + 1].sum(axis=1).astype(np.int64)
    )
    return filled


def _days(measure: Measure, ratings: Ratings, name: str, levels: FloatArray, place: slice) -> FloatArray:
    """(patient, day) one observation a day."""
    figure = ratings.figure
    if measure.kind == "count":
        dispersion = figure["count_dispersion"][:, None]
        u = ratings.chance[name][:, place]
        counts: FloatArray = nbinom.ppf(u, 1.0 / dispersion, 1.0 / (1.0 + dispersion * levels))
        return counts
    if measure.kind == "assessed":
        sd = figure["walk_sd" if name == "walk_timed" else "ashworth_sd"]
        value = levels + sd[:, None] * ratings.error[name][:, place]
    else:
        value = levels + ratings.course[name][:, place]
        value = value + figure["rating_sd"][:, None] * ratings.error[name][:, place]
    return np.clip(value, measure.lower, measure.upper)


def screening_ratings(
    design: Design,
    seed: int,
    screening_id: IntArray,
    parameters: Mapping[str, FloatArray],
    response: Response,
) -> dict[str, FloatArray]:
    """Measure to (patient,): what inclusion looks at, before everything."""
    ratings = ratings_of(design, seed, screening_id, 0, response)
    found = {"": np.zeros(len(screening_id))}
    for name in design.population.inclusion:
        level = np.repeat(parameters[MEASURES[name].baseline][:, None], design.diary_days, axis=1)
        found[name] = observe_visit(design, ratings, name, level, -1)
    return found
