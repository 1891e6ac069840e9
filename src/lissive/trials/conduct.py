"""A virtual trial from screening to the last visit: run-in, selection, wash-out, randomisation, periods.

Replicates are run side by side, in chunks; who is in the chunk changes nobody's numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.case import label_titration
from lissive.errors import DesignError
from lissive.model import load
from lissive.model.equations import Equations
from lissive.simulation.days import Group, Running, advance_days
from lissive.simulation.dosing import ROUTES, clock, day_of
from lissive.simulation.engine import Tolerances, build
from lissive.simulation.ratings import MOST_DAYS
from lissive.simulation.run import Settings
from lissive.simulation.schedule import doses
from lissive.simulation.streams import uniforms
from lissive.trials.design import Design
from lissive.trials.observe import (
    BEFORE,
    Flow,
    Ratings,
    Records,
    Seeds,
    TrialData,
    chances,
    days_filled,
    dizzy_in,
    failure_day,
    joined,
    left_of,
    measured,
    observe_visit,
    ratings_of,
)
from lissive.trials.parts import IMPRESSIONS, MEASURES, Arm, check_memory
from lissive.trials.people import TABLES, People, Response, recruit

RTOL = 1e-2
"""Mean ratings of an arm move by less than 1e-4 between this and 1e-4, far below the error of any trial."""
WEEK = 7
NOBODY = -1
"""Treatment of those who are given nothing: the last of the groups."""
NOTHING = Group((doses([], 0, 0.0),))
EVENTS_OUT = ("intoxication", "dizziness_hazard", "leave_adverse", "leave_effect", "dropout_hazard")


@dataclass(kw_only=True)
class Enrolled(Running):
    """Patients of a trial on their way, all replicates of a chunk together."""

    design: Design
    people: Sequence[People]
    """Those enrolled, of each replicate."""
    parameters: dict[str, FloatArray]
    replicate_index: IntArray
    """(patient,) place in `people`."""
    screening_id: IntArray
    ratings: Ratings

    def take(self, members: IntArray) -> None:
        super().take(members)
        self.parameters = {k: v[members] for k, v in self.parameters.items()}
        self.ratings = self.ratings.take(members)
        self.replicate_index, self.screening_id = self.replicate_index[members], self.screening_id[members]

    def levels(self, output: str, last: int, days: int) -> FloatArray:
        """(patient, day) daily means of a model's output, over the days that end with `last`; baseline before 0."""
        k = self.output(output)
        return np.stack(
            [(self.means[d] if d >= 0 else self.before)[:, k] for d in range(last + 1 - days, last + 1)],
            axis=1,
        )

    def observed(self, measure: str, last: int) -> FloatArray:
        """(patient,) what is observed of a measure on day `last`; -1 is the day before the start."""
        level = self.levels(MEASURES[measure].output, last, self.design.diary_days)
        return observe_visit(self.design, self.ratings, measure, level, last)

    def seeds(self) -> Seeds:
        """Each replicate's seed and the places of its patients."""
        return [(each.seed, np.flatnonzero(self.replicate_index == k)) for k, each in enumerate(self.people)]

    def count(self, which: BoolArray | None = None) -> IntArray:
        """(replicate,) how many patients, of all or of some."""
        index = self.replicate_index if which is None else self.replicate_index[which]
        return np.bincount(index, minlength=len(self.people))


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
    if progress:
        run.on_day = lambda seen: progress(run.day / total)
    entered = run.count()
    screening = {name: run.observed(name, -1) for name in measured(design)}
    left_early, kept = _run_in(run, screening)
    screening = {name: values[kept] for name, values in screening.items()}
    stratum = _strata(run)
    group = _allocation(run, stratum, all_on)
    treatment = _treatments(design, group)
    start = run.day
    starts = []
    for period in range(treatment.shape[1]):
        if period and design.crossover:
            _treat(run, NOBODY, design.crossover.washout_days)
        starts.append(run.day)
        _treat(run, treatment[:, period], design.days, keep_dose=period == 0 and _keeps_dose(design))
    records = Records(
        screening_id=run.screening_id,
        group=group,
        stratum=stratum,
        treatment=treatment,
        screening=screening,
        **_observed(run, start, starts),
    )
    return _by_replicate(run, records, entered, left_early)


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


def _begin(design: Design, people: Sequence[People], total: int, settings: Settings) -> Enrolled:
    # of each patient and day: levels, random numbers of what is measured, units taken and the label's
    columns = len(outputs(design)) + 2 * len(measured(design)) + 3
    where = "patients" if design.run_in is None else "run_in.patients"
    check_memory(sum(map(len, people)), total + BEFORE, columns, where)
    kernel = build(load("lissive"), outputs(design))
    parameters = {
        name: np.concatenate([each.parameters[name] for each in people]) for name in people[0].parameters
    }
    which = np.repeat(np.arange(len(people)), [len(each) for each in people])
    batch = kernel.start(len(which), parameters, tolerances=settings.tolerances)
    ratings = joined([ratings_of(design, p.seed, p.screening_id, total, p.response.rating()) for p in people])
    limits = [p.response.titration() for p in people]
    ready = [
        uniforms(p.seed, "titration: willing", int(p.screening_id[-1]) + 1)[p.screening_id] for p in people
    ]
    run = Enrolled(
        batch=batch,
        relief=MEASURES[design.relief].output,
        before=batch.advance(0.0, times=[0.0], threads=settings.threads).values[:, 0],
        baseline=np.zeros(len(which)),
        felt=ratings.course[design.relief][:, BEFORE:],
        limit={name: np.array([each[name] for each in limits])[which] for name in limits[0]},
        ready=np.concatenate(ready),
        threads=settings.threads,
        repeats=True,
        design=design,
        people=people,
        parameters=parameters,
        replicate_index=which,
        screening_id=np.concatenate([p.screening_id for p in people]),
        ratings=ratings,
    )
    rated, level = run.observed(design.relief, -1), run.before[:, run.output(run.relief)]
    run.baseline = np.maximum(np.where(np.isnan(rated), level, rated), 0.5)
    return run


# -- treatment ----------------------------------------------------------------------------------------
def _treat(run: Enrolled, treatment: IntArray | int, days: int, *, keep_dose: bool = False) -> None:
    """Go on for some days; `treatment` is (patient,) place in `design.arms`, or NOBODY."""
    if not days:
        return
    arms = list(run.design.arms.values())
    chosen = np.broadcast_to(treatment, len(run))
    _tell_model(run, arms, chosen)
    groups = [*(_group(run.batch.kernel.equations, arm, days) for arm in arms), NOTHING]
    advance_days(run, groups, chosen, days, keep_dose=keep_dose)


def _group(equations: Equations, arm: Arm, days: int) -> Group:
    """An arm as its patients take it."""
    most = arm.most_per_day
    if arm.product is None:
        schedules = NOTHING.schedules * (most + 1)
    else:
        schedules = tuple(
            day_of(
                equations,
                ROUTES[arm.what.route],
                clock(arm.what, n, arm.doses_per_day),
                thc_mg=arm.thc_mg,
                cbd_mg=arm.cbd_mg,
            )
            for n in range(most + 1)
        )
    if arm.titration == "fixed":
        return Group(schedules, most, placebo=arm.placebo)
    last = arm.titration_days or days
    label = _label_days(arm, days + 1)
    may = [day % arm.step_days == 0 and day <= last for day in range(days + 1)]
    ceilings = tuple(most if up else 0 for most, up in zip(label, may, strict=True))
    return Group(schedules, arm.first_per_day, ceilings, arm.step, arm.placebo)


def _label_days(arm: Arm, days: int) -> list[int]:
    """The label's most units on each day; after its last day nobody goes up."""
    if arm.titration != "label" or arm.product is None:
        return [arm.most_per_day] * days
    steps = [day.total for day in label_titration(arm.product)]
    if not steps:
        raise DesignError(
            f"is 'label', but {arm.product} has no label titration.", where="arms", allowed="self, fixed."
        )
    return [*steps, *[0] * days][:days]


def _tell_model(run: Enrolled, arms: Sequence[Arm], treatment: IntArray) -> None:
    """What the model has to know of a treatment beside its doses."""
    product = np.array([arm.product or "" for arm in arms] + [""])[treatment]
    # who is given nothing, and knows it, has no response to being treated
    believed = np.array([float(arm.product is not None or arm.placebo) for arm in arms] + [0.0])
    new = {
        "placebo_on": believed[treatment],
        "smoked": (product == "flower_smoked").astype(float),
        "oil_CBD": (product == "cannabidiol_solution").astype(float),
    }
    if all((run.parameters[name] == value).all() for name, value in new.items()):
        return
    run.parameters |= new
    run.batch.give(run.parameters)


# -- before and at randomisation ----------------------------------------------------------------------
def _run_in(run: Enrolled, screening: Mapping[str, FloatArray]) -> tuple[IntArray, IntArray]:
    """Through the run-in and the wash-out; gives (replicate,) how many left in it, and the places that were kept."""
    design = run.design
    if design.run_in is None:
        return np.zeros(len(run.people), np.int64), np.arange(len(run))
    plan = design.run_in
    _treat(run, list(design.arms).index(plan.arm), plan.weeks * WEEK)
    left, _ = left_of(run.means, run.batch.kernel.outputs, run.seeds(), run.screening_id, run.limit, 0)
    stayed = ~np.isfinite(left) if design.drop_out else np.ones(len(left), bool)
    kept = stayed & (run.batch.status == 0)
    now = np.full(len(kept), np.nan)
    if plan.keep:
        now = run.observed(plan.keep.measure, run.day - 1)
        kept &= now <= (1.0 - plan.keep.falls_by_pct / 100.0) * screening[plan.keep.measure]
    gone = run.count(~stayed)
    loses = plan.washout_loses_pct if plan.keep else None
    members = _enough(run, kept) if loses is None else np.flatnonzero(kept)
    run.take(members)
    _treat(run, NOBODY, plan.washout_days)
    if loses is not None and plan.keep:
        name = plan.keep.measure
        back = run.observed(name, run.day - 1) - now[members]
        lost = back >= loses / 100.0 * (screening[name] - now)[members]
        places = _enough(run, lost)
        run.take(places)
        members = members[places]
    return gone, members


def _enough(run: Enrolled, kept: BoolArray) -> IntArray:
    """Places of those who are randomised: the first that were kept, as many as the design says."""
    members, design = [], run.design
    for k, each in enumerate(run.people):
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


def _strata(run: Enrolled) -> IntArray:
    """(patient,) number of the stratum, from the ratings just before randomisation."""
    number = np.zeros(len(run), np.int64)
    for k, each in enumerate(run.design.strata):
        number += (run.observed(each.measure, run.day - 1) >= each.cut).astype(np.int64) << k
    return number


def _allocation(run: Enrolled, stratum: IntArray, all_on: str | None) -> IntArray:
    """(patient,) place in `design.shares`, by permuted blocks."""
    named = run.design.shares
    shares = np.repeat(np.arange(len(named)), list(named.values()))
    if all_on is not None:
        if all_on not in named:
            raise DesignError(
                f"Nobody is randomised to {all_on}.", where="all_on", allowed=f"{', '.join(named)}."
            )
        return np.full(len(run), list(named).index(all_on))
    # small ratios in blocks of at least four; a ratio that is the arms' very sizes is one block
    block = np.tile(shares, max(1, -(-4 // len(shares)))) if len(shares) <= 8 else shares
    group = np.zeros(len(run), np.int64)
    for seed, everybody in run.seeds():
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
    # nobody is seen before a period of a crossover that they did not come to, nor after they left
    there = left[:, None] > np.array(starts) - start
    gone = left[:, None, None] < days - start

    def at_visits(one: Callable[[int, int], Any]) -> Any:
        """(patient, period, visit) of what is found for a period's first day and a visit's day."""
        found = [[one(s, day) for day in row] for s, row in zip(starts, days.tolist(), strict=True)]
        return np.moveaxis(np.array(found), 2, 0)

    baseline, values = {}, {}
    for name in measured(design):
        before = np.stack([run.observed(name, s - 1) for s in starts], axis=1)
        baseline[name] = np.where(there, before, np.nan)
        values[name] = np.where(gone, np.nan, at_visits(lambda _, day: run.observed(name, day - 1)))  # noqa: B023
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
        "failed_day": failure_day(design, run.ratings, run.levels, start, baseline, left),
    }


def _by_replicate(
    run: Enrolled, records: Records, entered: IntArray, left_early: IntArray
) -> list[TrialData]:
    """One TrialData a replicate; patients whose equations could not be solved are counted and left out."""
    good = run.batch.status == 0

    def one(k: int, people: People) -> TrialData:
        randomised = int((run.replicate_index == k).sum())
        mine = np.flatnonzero((run.replicate_index == k) & good)
        flow = Flow(
            screened=people.screened,
            entered=int(entered[k]),
            left_run_in=int(left_early[k]),
            not_kept=int(entered[k] - left_early[k] - randomised),
            randomised=len(mine),
            failed=randomised - len(mine),
        )
        rating = people.response.rating()
        impression = {name: rating[f"{name}_share"] for name in IMPRESSIONS}
        return TrialData(**records.of(mine), replicate=people.replicate, impression=impression, flow=flow)

    return [one(k, each) for k, each in enumerate(run.people)]
