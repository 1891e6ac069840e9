"""What a trial gets to see of its patients: ratings with their error, diaries with gaps, counts, assessments; events
beside ratings (discontinuation, dizziness, treatment failure); and its data, everybody who was randomised, as observed.

Every random number belongs to (patient, measure, day), so more visits or another arm change nobody's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from scipy.special import ndtri

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.simulation.ratings import by_day, stretches
from lissive.simulation.streams import uniforms
from lissive.trials.design import Design
from lissive.trials.parts import IMPRESSIONS, MEASURES, Measure

STAYED, ADVERSE, NO_EFFECT, OTHER = 0, 1, 2, 3
WHY_LEFT = {STAYED: "", ADVERSE: "side effects", NO_EFFECT: "no effect", OTHER: "other"}


@dataclass(frozen=True)
class Flow:
    """Participant flow, as a CONSORT diagram counts it."""

    screened: int
    entered: int
    """Enrolled: into the run-in, or else to randomisation."""
    left_run_in: int
    not_kept: int
    """Completed the run-in and were not randomised."""
    randomised: int
    failed: int
    """Virtual patients whose equations could not be solved; they are left out of everything."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """What was observed of everybody who was randomised, of one replicate or of several together.

    Ratings are in the measure's unit and as observed: with the error of ratings, diary days left blank, and nothing
    (NaN) after somebody left. A parallel trial has one period.
    """

    screening_id: IntArray
    """(patient,) number at screening, from 0."""
    group: IntArray
    """(patient,) place in `design.shares`: the arm, or in a crossover the sequence."""
    stratum: IntArray
    """(patient,) number of the stratum at randomisation; all 0 where there are none."""
    treatment: IntArray
    """(patient, period) place in `design.arms`."""
    screening: Mapping[str, FloatArray]
    """Measure to (patient,): before everything."""
    baseline: Mapping[str, FloatArray]
    """Measure to (patient, period): just before the period."""
    values: Mapping[str, FloatArray]
    """Measure to (patient, period, visit)."""
    filled: IntArray
    """(patient, period, visit) days of diary behind a visit's values."""
    dose: FloatArray
    """(patient, period, visit) units a day over the week before."""
    left: FloatArray
    """(patient,) days since randomisation; infinite who stayed."""
    left_why: IntArray
    """(patient,) see WHY_LEFT."""
    dizzy: BoolArray
    """(patient, period)"""
    failed_day: FloatArray
    """(patient,) days from randomisation to treatment failure; infinite where none. All NaN if not asked for."""

    def __len__(self) -> int:
        return len(self.screening_id)

    @property
    def periods(self) -> int:
        return int(self.treatment.shape[1])

    @classmethod
    def joined(cls, parts: Sequence[Records]) -> Records:
        """The patients of all parts, in order."""

        def one(values: Sequence[Any]) -> Any:
            if isinstance(values[0], Mapping):
                return {name: np.concatenate([each[name] for each in values]) for name in values[0]}
            return np.concatenate(values)

        return cls(**{each.name: one([getattr(p, each.name) for p in parts]) for each in fields(Records)})

    def of(self, members: IntArray) -> dict[str, Any]:
        """Every field, of these patients alone."""

        def part(value: Any) -> Any:
            return {k: v[members] for k, v in value.items()} if isinstance(value, Mapping) else value[members]

        return {each.name: part(getattr(self, each.name)) for each in fields(Records)}


@dataclass(frozen=True, kw_only=True)
class TrialData(Records):
    """One replicate of a trial."""

    replicate: int
    impression: Mapping[str, float]
    """Measure to the improvement, as a proportion, from which these patients rate themselves so."""
    flow: Flow


AFTER = "after the dose"
"""Of a measure: the second of two assessments on one day."""
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


def ratings_of(
    design: Design, seed: int, screening_id: IntArray, days: int, figure: Mapping[str, float]
) -> Ratings:
    """All random numbers of these patients from BEFORE days before the start to `days` after it.

    figure : those of ratings.tsv.
    """
    total = BEFORE + days
    course: dict[str, FloatArray] = {}
    error: dict[str, FloatArray] = {}
    chance: dict[str, FloatArray] = {}
    for name in measured(design):
        kind = MEASURES[name].kind
        if kind in ("rating", "count"):
            sd, memory = figure["course_sd" if kind == "rating" else "count_course_sd"], figure["course_days"]
            course[name] = stretches(seed, name, screening_id, total, sd=sd, memory=memory)
        if kind in ("rating", "assessed"):
            error[name] = ndtri(by_day(seed, f"error: {name}", screening_id, total))
            if design.after_dose_h is not None:
                again = f"{name} {AFTER}"
                error[again] = ndtri(by_day(seed, f"error: {again}", screening_id, total))
                if name in course:
                    course[again] = course[name]
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
    each = observed_days(measure, ratings, name, levels[:, -days:], place, at_visit=once)
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


def observed_days(
    measure: Measure,
    ratings: Ratings,
    name: str,
    levels: FloatArray,
    place: slice,
    *,
    at_visit: bool = False,
    within_day: bool = False,
) -> FloatArray:
    """(patient, day) one observation a day; `within_day`: at a visit, to be compared with another of the same day."""
    figure = ratings.figure
    if measure.kind == "count":
        mean = in_stretches(levels, ratings.course[name][:, place], figure["count_course_sd"][:, None])
        return counts_of(ratings.chance[name][:, place], mean, figure["count_dispersion"][:, None])
    if measure.kind == "assessed":
        ashworth = "ashworth_day_sd" if within_day else "ashworth_sd"
        sd = figure["walk_sd" if measure.measure == "walk_timed" else ashworth]
        value = levels + sd[:, None] * ratings.error[name][:, place]
    else:
        value = levels + ratings.course[name][:, place]
        sd = figure["visit_sd" if at_visit or within_day else "rating_sd"]
        value = value + sd[:, None] * ratings.error[name][:, place]
    return np.clip(value, measure.lower, measure.upper)


def in_stretches(levels: FloatArray, course: FloatArray, sd: FloatArray) -> FloatArray:
    """Expected counts with within-subject fluctuation: `course` moves their logarithm, and the mean is the level's."""
    moved: FloatArray = levels * np.exp(course - 0.5 * sd**2)
    return moved


def counts_of(u: FloatArray, mean: FloatArray, dispersion: FloatArray) -> FloatArray:
    """Quantiles `u` of negative binomial counts, whose variance is the mean plus `dispersion` times its square.

    The distribution is added up from none on, for all at once: daily counts are small, and quantiles of scipy's take
    ten times as long.
    """
    size = np.broadcast_to(1.0 / dispersion, u.shape).ravel()
    share = (mean / (size.reshape(u.shape) + mean)).ravel()
    found = np.full(u.size, np.nan)
    left = np.flatnonzero(np.isfinite(share))
    size, share, wanted = size[left], share[left], u.ravel()[left]
    each = (1.0 - share) ** size
    total, k = each.copy(), 0
    while left.size:
        more = total < wanted
        if k >= MOST_COUNT or not more.all():
            found[left[~more]] = k
            if k >= MOST_COUNT:
                found[left[more]] = k
                break
            left = left[more]
            size, share, wanted, each, total = (part[more] for part in (size, share, wanted, each, total))
        each = each * share * (k + size) / (k + 1)
        k += 1
        total = total + each
    return found.reshape(u.shape)


MOST_COUNT = 10_000
"""No day has more; rounding could otherwise leave a sum for ever below a quantile next to 1."""
HOURS = 24.0
Seeds = Sequence[tuple[int, IntArray]]


def chances(seeds: Seeds, screening_id: IntArray, purpose: str) -> FloatArray:
    """(patient,) one number each between 0 and 1."""
    u = np.empty(len(screening_id))
    for seed, members in seeds:
        if len(members):
            u[members] = uniforms(seed, purpose, int(screening_id[members].max()) + 1)[screening_id[members]]
    return u


def left_of(
    history: Sequence[FloatArray],
    outputs: Sequence[str],
    seeds: Seeds,
    screening_id: IntArray,
    limit: Mapping[str, FloatArray],
    start: int,
) -> tuple[FloatArray, IntArray]:
    """(patient,) days until each leaves, infinite who stays, and why.

    Parameters
    ----------
    history : a day: (patient, output) means; the first is day `start`.
    """
    part = {name: np.stack([day[:, outputs.index(name)] for day in history], axis=1) * HOURS for name in
            ("dropout_hazard", "leave_adverse", "leave_effect")}  # fmt: skip
    so_far = np.cumsum(part["dropout_hazard"], axis=1)
    threshold = -np.log(chances(seeds, screening_id, f"leaves: from day {start}"))
    gone = so_far >= threshold[:, None]
    day = np.argmax(gone, axis=1)
    leaves = gone.any(axis=1)
    rows = np.arange(len(day))
    hazard = {name: values[rows, day] for name, values in part.items()}
    other = hazard["dropout_hazard"] - hazard["leave_adverse"] - hazard["leave_effect"]
    adverse = hazard["leave_adverse"] + limit["other_adverse"] * other
    u = chances(seeds, screening_id, f"leaves: why, from day {start}") * hazard["dropout_hazard"]
    reason = np.where(u < adverse, ADVERSE, np.where(u < adverse + hazard["leave_effect"], NO_EFFECT, OTHER))
    return np.where(leaves, day + 1.0, np.inf), np.where(leaves, reason, STAYED)


WEEK = 7


def failure_day(
    design: Design,
    ratings: Ratings,
    levels: Callable[[str, int, int], FloatArray],
    start: int,
    baseline: FloatArray,
) -> FloatArray:
    """(patient,) days from randomisation to treatment failure; infinite where none, NaN where it is not asked for.

    Failure is a mean of the week's diary that has risen by the share (and the points, if the design gives any) since
    the week before randomisation, in so many weeks in a row; it is known at the end of the last of them. Weeks are
    counted from randomisation. One bad week is none: where no week need be confirmed, a quarter of participants
    whose level stays at 4 are over a limit of 20 % in the first, half of them within four.

    Parameters
    ----------
    baseline : (patient,) rating before randomisation.
    """
    wanted = next((e for e in design.endpoints if e.measure == "failure"), None)
    if wanted is None:
        return np.full(len(baseline), np.nan)
    name, weeks = design.relief, design.days // WEEK
    total = weeks * WEEK
    level = levels(MEASURES[name].output, start + total - 1, total)
    place = slice(BEFORE + start, BEFORE + start + total)
    by_week = (len(baseline), weeks, WEEK)
    filled = ratings.filled[:, place].reshape(by_week)
    each = observed_days(MEASURES[name], ratings, name, level, place).reshape(by_week) * filled
    n = filled.sum(axis=2)
    mean = np.divide(each.sum(axis=2), n, out=np.full(n.shape, -np.inf), where=n > 0)
    rise = np.maximum(baseline * (wanted.rises_by_pct or 0.0) / 100.0, wanted.rises_by or 0.0)
    over = mean >= (baseline + rise)[:, None]
    row = over.astype(np.int64)
    for week in range(1, weeks):
        row[:, week] = np.where(over[:, week], row[:, week - 1] + 1, 0)
    failed = row >= wanted.weeks_in_a_row
    day: FloatArray = np.where(failed.any(axis=1), (np.argmax(failed, axis=1) + 1.0) * WEEK, np.inf)
    return day


def dizzy_in(
    hazard: FloatArray, chance: FloatArray, left: FloatArray, start: int, starts: Sequence[int], days: int
) -> BoolArray:
    """(patient, period) whether anybody was dizzy before leaving.

    How prone somebody is stays theirs: who was dizzy in the run-in is not newly dizzy after it.

    Parameters
    ----------
    hazard : (patient, day) [1/h] from the very start.      chance : (patient,) see `chances`.
    start : day of randomisation.      starts : days on which periods of `days` begin.
    """

    def risk(first: int, last: int, stays: FloatArray) -> FloatArray:
        there = np.arange(first, last)[None] < stays[:, None]
        total: FloatArray = (hazard[:, first:last] * HOURS * there).sum(axis=1)
        return total

    before = risk(0, start, np.full(len(left), np.inf)) if start else np.zeros(len(left))
    known = chance < 1.0 - np.exp(-before)
    found = []
    for s in starts:
        so_far = before + risk(s, s + days, left + start)
        found.append((chance < 1.0 - np.exp(-so_far)) & ~known)
    result: BoolArray = np.stack(found, axis=1)
    return result
