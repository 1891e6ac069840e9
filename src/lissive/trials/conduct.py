"""A virtual trial from screening to the last visit: run-in, selection, wash-out, randomisation, periods.

Replicates are run side by side, in chunks; who is in the chunk changes nobody's numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.errors import DesignError
from lissive.model import load
from lissive.simulation.engine import Tolerances, build
from lissive.simulation.ratings import MOST_DAYS
from lissive.simulation.run import Settings
from lissive.simulation.streams import uniforms
from lissive.trials.data import TrialData
from lissive.trials.days import NOBODY, RTOL, Running, advance_days
from lissive.trials.design import Design
from lissive.trials.measures import MEASURES
from lissive.trials.observe import BEFORE, days_filled, joined, measured, observe_visit, ratings_of
from lissive.trials.outcome import failure_day, left_of, split_by_replicate
from lissive.trials.people import People, recruit
from lissive.trials.response import TABLES, Response
from lissive.trials.size import check_memory

WEEK = 7
EVENTS_OUT = ("intoxication", "dizziness_hazard", "leave_adverse", "leave_effect", "dropout_hazard")
Progress = Callable[[float], None]
T = TypeVar("T")
S = TypeVar("S")


def conduct(
    design: Design,
    replicates: Sequence[int],
    *,
    seed: int = 1,
    responses: Sequence[Response] | None = None,
    all_on: str | None = None,
    people: Sequence[People] | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> list[TrialData]:
    """Carry the trial out, once for each number in `replicates`.

    Parameters
    ----------
    responses : one for each replicate; the tables' own if not given.
    all_on : arm that everybody is assigned to, whatever was drawn: the other side of a counterfactual pair.
    people : those enrolled, one group for each replicate, where `recruit` was called before.
    progress : called with the proportion that is done.

    Raises       DesignError where nobody is enrolled or responds, or too few for the number to be randomised.
    """
    answers = list(responses or [TABLES] * len(replicates))
    if people is None:
        people = [recruit(design, r, seed=seed, response=a) for r, a in zip(replicates, answers, strict=True)]
    total = _length(design)
    run = _begin(design, people, total, settings or Settings(Tolerances(rtol=RTOL)))
    on_day = (lambda: progress(run.day / total)) if progress else None
    entered = np.bincount(run.replicate_index, minlength=len(people))
    screening = {
        name: observe_visit(design, run.ratings, name, _levels(run, design, name, -1), -1)
        for name in measured(design)
    }
    left_early, kept = _run_in(design, run, screening, settings, on_day, people)
    screening = {name: values[kept] for name, values in screening.items()}
    group = _allocation(design, people, run, all_on)
    treatment = _treatments(design, group)
    start = run.day
    starts = []
    for period in range(treatment.shape[1]):
        if period and design.crossover and design.crossover.washout_days:
            advance_days(
                design, run, np.full(len(run.units), NOBODY), design.crossover.washout_days, settings, on_day
            )
        starts.append(run.day)
        keep_dose = period == 0 and _keeps_dose(design)
        advance_days(design, run, treatment[:, period], design.days, settings, on_day, keep_dose=keep_dose)
    return _data(design, run, people, screening, group, treatment, start, starts, entered, left_early)


def run_replicates(carried_out: Callable[[Sequence[T]], list[S]], replicates: Sequence[T]) -> list[S | None]:
    """All replicates together; where one of them cannot be simulated, each by itself, and None for that one."""
    if not replicates:
        return []
    try:
        return list(carried_out(replicates))
    except DesignError:
        if len(replicates) == 1:
            return [None]
        return [found for each in replicates for found in run_replicates(carried_out, [each])]


def _keeps_dose(design: Design) -> bool:
    """Whether the run-in dose is continued: not after a wash-out."""
    return design.run_in is not None and design.run_in.keep_dose and not design.run_in.washout_days


def _length(design: Design) -> int:
    """Days from the start to the end."""
    run_in = design.run_in.weeks * WEEK + design.run_in.washout_days if design.run_in else 0
    cross = design.crossover
    periods = len(cross.sequences[0]) if cross else 1
    total = run_in + periods * design.days + (periods - 1) * (cross.washout_days if cross else 0)
    if total + BEFORE > MOST_DAYS:
        raise DesignError(
            f"The trial lasts {total} days.",
            where="weeks",
            allowed=f"up to {MOST_DAYS - BEFORE} days in total.",
        )
    return total


def outputs(design: Design) -> tuple[str, ...]:
    """What is asked of the model."""
    return tuple(dict.fromkeys([*(MEASURES[name].output for name in measured(design)), *EVENTS_OUT]))


def _check_memory(design: Design, people: Sequence[People], total: int) -> None:
    """What is kept of each patient and day: levels, random numbers of what is measured, units taken and the label's."""
    columns = len(outputs(design)) + 2 * len(measured(design)) + 3
    largest = max(people, key=lambda each: each.screened)
    where = "patients" if design.run_in is None else "run_in.patients"
    check_memory(sum(map(len, people)), largest.screened, total, columns, where)


def _begin(design: Design, people: Sequence[People], total: int, settings: Settings) -> Running:
    _check_memory(design, people, total)
    kernel = build(load("lissive"), outputs(design))
    names = people[0].parameters
    parameters = {name: np.concatenate([each.parameters[name] for each in people]) for name in names}
    which = np.concatenate([np.full(len(each), k) for k, each in enumerate(people)])
    batch = kernel.start(len(which), parameters, tolerances=settings.tolerances)
    before = batch.advance(0.0, times=[0.0], threads=settings.threads).values[:, 0]
    ratings = joined([ratings_of(design, p.seed, p.screening_id, total, p.response) for p in people])
    limits = [p.response.titration() for p in people]
    limit = {name: np.array([each[name] for each in limits])[which] for name in limits[0]}
    ready = np.concatenate(
        [uniforms(p.seed, "titration: willing", int(p.screening_id[-1]) + 1)[p.screening_id] for p in people]
    )
    run = Running(
        kernel, batch, parameters, which, np.concatenate([p.screening_id for p in people]), ratings, limit,
        ready, np.zeros(len(which), np.int64), 0, [before] * BEFORE, [], np.zeros(len(which)),
    )  # fmt: skip
    perceived = observe_visit(design, run.ratings, design.relief, _levels(run, design, design.relief, -1), -1)
    level = run.levels(MEASURES[design.relief].output, -1, 1)[:, 0]
    run.perceived_baseline = np.maximum(np.where(np.isnan(perceived), level, perceived), 0.5)
    return run


def _levels(run: Running, design: Design, name: str, last: int) -> FloatArray:
    return run.levels(MEASURES[name].output, last, design.diary_days)


# -- before and at randomisation ----------------------------------------------------------------------
def _run_in(
    design: Design,
    run: Running,
    screening: Mapping[str, FloatArray],
    settings: Settings | None,
    on_day: Callable[[], None] | None,
    people: Sequence[People],
) -> tuple[IntArray, IntArray]:
    """Through the run-in and the wash-out; gives (replicate,) how many left in it, and the places that were kept."""
    if design.run_in is None:
        return np.zeros(len(people), np.int64), np.arange(len(run.units))
    plan = design.run_in
    place = list(design.arms).index(plan.arm)
    advance_days(design, run, np.full(len(run.units), place), plan.weeks * WEEK, settings, on_day)
    left, _ = left_of(
        run.history[BEFORE:], run.kernel.outputs, _seeds(people, run), run.screening_id, run.limit, 0
    )
    stayed = ~np.isfinite(left) if design.drop_out else np.ones(len(left), bool)
    kept = stayed & (run.batch.status == 0)
    now = np.full(len(kept), np.nan)
    if plan.keep:
        now = observe_visit(
            design, run.ratings, plan.keep.measure, _latest(run, design, plan.keep.measure), run.day - 1
        )
        kept &= now <= (1.0 - plan.keep.falls_by_pct / 100.0) * screening[plan.keep.measure]
    gone = np.bincount(run.replicate_index[~stayed], minlength=len(people))
    loses = plan.washout_loses_pct if plan.keep else None
    members = _enough(design, run, kept, people) if loses is None else np.flatnonzero(kept)
    run.take(members)
    if plan.washout_days:
        advance_days(design, run, np.full(len(run.units), NOBODY), plan.washout_days, settings, on_day)
    if loses is not None and plan.keep:
        name = plan.keep.measure
        back = (
            observe_visit(design, run.ratings, name, _latest(run, design, name), run.day - 1) - now[members]
        )
        lost = back >= loses / 100.0 * (screening[name] - now)[members]
        places = _enough(design, run, lost, people)
        run.take(places)
        members = members[places]
    return gone, members


def _latest(run: Running, design: Design, name: str) -> FloatArray:
    return _levels(run, design, name, run.day - 1)


def _enough(design: Design, run: Running, kept: BoolArray, people: Sequence[People]) -> IntArray:
    """Places of those who are randomised: the first that were kept, as many as the design says."""
    members = []
    for k, each in enumerate(people):
        mine = np.flatnonzero((run.replicate_index == k) & kept)
        needed = design.patients or len(design.shares)
        if len(mine) < needed:
            assert design.run_in is not None
            raise DesignError(
                f"In replicate {each.replicate + 1}, {each.screened} were screened, {len(each)} entered the run-in "
                f"and {len(mine)} responded; {needed} are to be randomised.",
                where="run_in.keep" if not len(mine) else "run_in.patients",
                allowed="a run-in with enough responders.",
                do="raise run_in.patients, lower run_in.keep.falls_by_pct, or omit `patients` to randomise all "
                "responders.",
            )
        members.append(mine[: design.patients] if design.patients else mine)
    return np.concatenate(members)


def _seeds(people: Sequence[People], run: Running) -> list[tuple[int, IntArray]]:
    """Each replicate's seed and the places of its patients."""
    return [(each.seed, np.flatnonzero(run.replicate_index == k)) for k, each in enumerate(people)]


def _allocation(design: Design, people: Sequence[People], run: Running, all_on: str | None) -> IntArray:
    """(patient,) place in `design.shares`, by permuted blocks."""
    shares = np.repeat(np.arange(len(design.shares)), list(design.shares.values()))
    if all_on is not None:
        if all_on not in design.shares:
            raise DesignError(
                f"Nobody is randomised to {all_on}.", where="all_on", allowed=f"{', '.join(design.shares)}."
            )
        return np.full(len(run.units), list(design.shares).index(all_on))
    # small ratios in blocks of at least four; a ratio that is the arms' very sizes is one block
    block = np.tile(shares, max(1, -(-4 // len(shares)))) if len(shares) <= 8 else shares
    group = np.zeros(len(run.units), np.int64)
    stratum = _strata(design, run)
    for seed, everybody in _seeds(people, run):
        for each in np.unique(stratum[everybody]):
            members = everybody[stratum[everybody] == each]
            group[members] = _blocks(block, len(members), seed, f" in stratum {each}" if each else "")
    return group


def _blocks(block: IntArray, n: int, seed: int, where: str) -> IntArray:
    """(patient,) the block again and again, each time in an order of its own."""
    u = uniforms(seed, f"allocation{where}", n)
    order = np.lexsort((u, np.arange(n) // len(block)))
    drawn = np.resize(block, n)
    if len(block) > 8 and (rest := n % len(block)):  # of a large block that is cut, a random part
        last = uniforms(seed, f"allocation{where}: last block", len(block))
        drawn[n - rest :] = block[np.argsort(last)][:rest]
    mine = np.empty(n, np.int64)
    mine[order] = drawn
    return mine


def _strata(design: Design, run: Running) -> IntArray:
    """(patient,) number of the stratum, from the ratings just before randomisation."""
    number = np.zeros(len(run.units), np.int64)
    for k, each in enumerate(design.strata):
        now = observe_visit(
            design, run.ratings, each.measure, _levels(run, design, each.measure, run.day - 1), run.day - 1
        )
        number += (now >= each.cut).astype(np.int64) << k
    return number


def _treatments(design: Design, group: IntArray) -> IntArray:
    """(patient, period) place in `design.arms`."""
    arms = list(design.arms)
    if design.crossover:
        order = np.array([[arms.index(name) for name in sequence] for sequence in design.crossover.sequences])
        chosen: IntArray = order[group]
        return chosen
    places = np.array([arms.index(name) for name in design.shares])
    single: IntArray = places[group][:, None]
    return single


# -- what was seen ------------------------------------------------------------------------------------
def _data(
    design: Design,
    run: Running,
    people: Sequence[People],
    screening: Mapping[str, FloatArray],
    group: IntArray,
    treatment: IntArray,
    start: int,
    starts: Sequence[int],
    entered: IntArray,
    left_early: IntArray,
) -> list[TrialData]:
    visits = [round(week * WEEK) for week in design.visits_weeks]
    names = measured(design)
    seeds = _seeds(people, run)
    left, why = left_of(
        run.history[BEFORE + start :], run.kernel.outputs, seeds, run.screening_id, run.limit, start
    )
    if not design.drop_out:
        left, why = np.full(len(left), np.inf), np.zeros(len(why), np.int64)
    good = run.batch.status == 0
    baseline, values, dose, filled = {}, {}, [], []
    for name in names:
        before = [
            observe_visit(design, run.ratings, name, _levels(run, design, name, s - 1), s - 1) for s in starts
        ]
        # nobody is seen before a period of a crossover that they did not come to
        there = left[:, None] > np.array(starts)[None] - start
        baseline[name] = np.where(there, np.stack(before, axis=1), np.nan)
        at = [
            [
                observe_visit(design, run.ratings, name, _levels(run, design, name, s + v - 1), s + v - 1)
                for v in visits
            ]
            for s in starts
        ]
        values[name] = np.moveaxis(np.array(at), 2, 0)
    for s in starts:
        dose.append([np.mean(run.units_by_day[max(s + v - WEEK, s) : s + v], axis=0) for v in visits])
        filled.append([days_filled(run.ratings, s + v - 1, design.diary_days) for v in visits])
    gone = left[:, None, None] < np.array([[s - start + v for v in visits] for s in starts])[None]
    values = {name: np.where(gone, np.nan, each) for name, each in values.items()}
    units = np.where(gone, np.nan, np.moveaxis(np.array(dose), 2, 0))
    failed = failure_day(design, run.ratings, run.levels, start, baseline, left)
    return split_by_replicate(
        design, run, people, good, screening, baseline, values, units,
        np.moveaxis(np.array(filled), 2, 0), group, treatment, left, why, failed, entered, left_early, start, starts,
    )  # fmt: skip
