"""A virtual trial from screening to the last visit: run-in, selection, wash-out, randomisation, periods.

Replicates are run side by side, in chunks; who is in the chunk changes nobody's numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.errors import DesignError
from lissive.simulation.run import Settings
from lissive.simulation.streams import uniforms
from lissive.trials import blocks
from lissive.trials.blocks import choose, entering, strata
from lissive.trials.design import Design
from lissive.trials.enrol import (
    NOBODY,
    WEEK,
    Enrolled,
    enrol,
    enrolment,
    go_through_run_in,
    length,
    tolerances,
    treat,
)
from lissive.trials.observe import (
    NO_EFFECT,
    Flow,
    Records,
    Seeds,
    TrialData,
    chances,
    days_filled,
    dizzy_in,
    failure_day,
    left_of,
    measured,
)
from lissive.trials.parts import IMPRESSIONS
from lissive.trials.people import TABLES, People, Response, with_kinetics
from lissive.trials.placebo import renew


def conduct(
    design: Design,
    replicates: Sequence[int],
    *,
    seed: int = 1,
    responses: Sequence[Response] | None = None,
    all_on: str | None = None,
    people: Sequence[People] | None = None,
    settings: Settings | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[TrialData]:
    """Carry the trial out, once for each number in `replicates`:

    1. Screen people and enrol those who meet the criteria.
    2. Treat all of them in a run-in, keep the responders, and wash the drug out, where the design says so.
    3. Randomise: in permuted blocks, within strata.
    4. Treat everybody for each period, by `advance_days`, with a wash-out in between.
    5. Observe: visits, discontinuation, events.

    Parameters
    ----------
    responses : one for each replicate; the tables' own if not given, with kinetics drawn for each.
    all_on : arm that everybody is assigned to, whatever was drawn: the other side of a counterfactual pair.
    people : those enrolled, one group for each replicate, where `recruit` was called before.
    progress : called with the proportion that is done.

    Raises       DesignError where nobody is enrolled or responds, or too few for the number to be randomised.
    """
    settings = settings or Settings(tolerances(design))
    if people is None:
        if responses is None:
            drawn = with_kinetics([TABLES] * (max(replicates, default=-1) + 1), seed)
            responses = [drawn[r] for r in replicates]
        if entering(design) > blocks.PATIENTS_AT_ONCE:
            both = zip(replicates, responses, strict=True)
            return [_in_blocks(design, r, each, seed, settings, all_on, progress) for r, each in both]
        found = enrol(design, replicates, responses, seed, settings)
    else:
        found = enrolment(design, people, [go_through_run_in(design, people, settings)])
    run, total = found.run, length(design)
    if progress:
        run.on_day = lambda seen: progress(run.day / total)
    stratum = strata(run)
    group = _allocation(design, run.seeds(), stratum, all_on)
    records = _through_periods(run, found.screening, group, stratum)
    good = run.batch.status == 0
    return [
        _one(
            each, records, run.replicate_index == k, good, found.screened[k], found.entered[k],
            found.left_run_in[k],
        )
        for k, each in enumerate(run.people)
    ]  # fmt: skip


def _in_blocks(
    design: Design,
    replicate: int,
    response: Response,
    seed: int,
    settings: Settings,
    all_on: str | None,
    progress: Callable[[float], None] | None,
) -> TrialData:
    """One replicate of many patients, with the same numbers as all at once."""
    chosen = choose(design, replicate, response, seed, settings)
    people, n, total = chosen.people, len(chosen.people), length(design)
    group = _allocation(design, [(people.seed, np.arange(n))], chosen.stratum, all_on)
    parts, good = [], []
    for block in blocks.parts_of(n):
        found = go_through_run_in(design, [people.take(block)], settings)
        assert len(found.run) == len(block)  # all of them were kept before
        if progress:
            found.run.on_day = _share_of(progress, found.run, block, n, total)
        parts.append(_through_periods(found.run, found.screening, group[block], chosen.stratum[block]))
        good.append(found.run.batch.status == 0)
    everybody = np.ones(n, bool)
    counts = chosen.screened, chosen.entered, chosen.left_run_in
    return _one(people, Records.joined(parts), everybody, np.concatenate(good), *counts)


def _share_of(
    progress: Callable[[float], None], run: Enrolled, block: IntArray, n: int, total: int
) -> Callable[[Any], None]:
    return lambda seen: progress((block[0] + len(block) * run.day / total) / n)


def _through_periods(
    run: Enrolled, screening: Mapping[str, FloatArray], group: IntArray, stratum: IntArray
) -> Records:
    """From randomisation to the end."""
    design = run.design
    treatment = _treatments(design, group)
    start = run.day
    starts = []
    for period in range(treatment.shape[1]):
        if period and design.crossover:
            treat(run, NOBODY, design.crossover.washout_days)
        starts.append(run.day)
        renew(run, period + (design.run_in is not None))
        treat(run, treatment[:, period], design.days, keep_dose=period == 0 and _keeps_dose(design))
    run.on_day = lambda _: None  # the other holds the run, which would outlive its chunk
    return Records(
        screening_id=run.screening_id,
        group=group,
        stratum=stratum,
        treatment=treatment,
        screening=screening,
        **_observed(run, start, starts),
    )


def _keeps_dose(design: Design) -> bool:
    """Whether the run-in dose is continued: not after a wash-out."""
    return design.run_in is not None and design.run_in.keep_dose and not design.run_in.washout_days


def _allocation(design: Design, seeds: Seeds, stratum: IntArray, all_on: str | None) -> IntArray:
    """(patient,) place in `design.shares`, by permuted blocks."""
    named = design.shares
    shares = np.repeat(np.arange(len(named)), list(named.values()))
    if all_on is not None:
        if all_on not in named:
            raise DesignError(
                f"Nobody is randomised to {all_on}.",
                where="all_on",
                allowed=f"{', '.join(named)}.",
                do="name one of these arms or sequences.",
            )
        return np.full(len(stratum), list(named).index(all_on))
    # small ratios in blocks of at least four; a ratio that is the arms' very sizes is one block
    block = np.tile(shares, max(1, -(-4 // len(shares)))) if len(shares) <= 8 else shares
    group = np.zeros(len(stratum), np.int64)
    for seed, everybody in seeds:
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


def _treatments(design: Design, group: IntArray) -> IntArray:
    """(patient, period) place in `design.arms`."""
    sequences = design.crossover.sequences if design.crossover else [[name] for name in design.shares]
    arms = list(design.arms)
    chosen: IntArray = np.array([[arms.index(name) for name in sequence] for sequence in sequences])[group]
    return chosen


# -- what was seen ------------------------------------------------------------------------------------
def _observed(run: Enrolled, start: int, starts: Sequence[int]) -> dict[str, Any]:
    """The fields of `Records` that are observed, in periods that begin on `starts` after randomisation on `start`."""
    design = run.design
    visits = [round(week * WEEK) for week in design.visits_weeks]
    days = np.array(starts)[:, None] + visits  # (period, visit)
    left, why = left_of(
        run.means[start:], run.batch.kernel.outputs, run.seeds(), run.screening_id, run.limit, start
    )
    if not design.drop_out:
        left, why = np.full(len(left), np.inf), np.zeros(len(why), np.int64)
    relief = run.observed(design.relief, start - 1)
    failed = failure_day(design, run.ratings, run.levels, start, relief)
    if any(each.leaves for each in design.endpoints):
        why = np.where(failed < left, NO_EFFECT, why)
        left = np.minimum(left, failed)
    # nobody is seen before a period of a crossover that they did not come to, nor after they left
    there = left[:, None] > np.array(starts) - start
    gone = left[:, None, None] < days - start

    def at_visits(one: Callable[[int, int], Any]) -> Any:
        """(patient, period, visit) of what is found for a period's first day and a visit's day."""
        found = [[one(s, day) for day in row] for s, row in zip(starts, days.tolist(), strict=True)]
        return np.moveaxis(np.array(found), 2, 0)

    baseline, values = {}, {}
    for name in measured(design):
        if design.after_dose_h is None:
            before = np.stack([run.observed(name, s - 1) for s in starts], axis=1)
            seen = at_visits(lambda _, day: run.observed(name, day - 1))  # noqa: B023
        else:
            # (before and after, patient, period, visit): means of the period's days until the visit
            pair = np.moveaxis(at_visits(lambda s, day: np.transpose(run.around_doses(name, s, day))), 3, 0)  # noqa: B023
            before = pair[0, :, :, -1]
            seen = before[:, :, None] + pair[1] - pair[0]
        baseline[name] = np.where(there, before, np.nan)
        values[name] = np.where(gone, np.nan, seen)
    hazard = run.levels("dizziness_hazard", run.day - 1, run.day)
    chance = chances(run.seeds(), run.screening_id, "dizziness, period 0")
    dose = at_visits(lambda s, day: np.mean(run.taken[max(day - WEEK, s) : day], axis=0))
    return {
        "baseline": baseline,
        "values": values,
        "dose": np.where(gone, np.nan, dose),
        "filled": at_visits(lambda s, day: days_filled(run.ratings, day - 1, design.diary_days)),
        "left": left,
        "left_why": why,
        "dizzy": dizzy_in(hazard, chance, left, start, starts, design.days),
        "failed_day": np.minimum(failed, left),
    }


def _one(
    people: People,
    records: Records,
    mine: BoolArray,
    good: BoolArray,
    screened: int,
    entered: int,
    left_run_in: int,
) -> TrialData:
    """One replicate; patients whose equations could not be solved are counted and left out.

    mine, good : (patient,) whether they are of this replicate, and whether they could be solved.
    """
    randomised, members = int(mine.sum()), np.flatnonzero(mine & good)
    entered, left_run_in = int(entered), int(left_run_in)
    flow = Flow(
        screened=int(screened),
        entered=entered,
        left_run_in=left_run_in,
        not_kept=entered - left_run_in - randomised,
        randomised=len(members),
        failed=randomised - len(members),
    )
    rating = people.response.rating()
    impression = {name: rating[f"{name}_share"] for name in IMPRESSIONS}
    return TrialData(**records.of(members), replicate=people.replicate, impression=impression, flow=flow)
