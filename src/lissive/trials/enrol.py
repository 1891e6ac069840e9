"""Patients of a trial on their way: who is enrolled, what they are given, the run-in and who is kept for randomisation.

A design says how many are randomised. Screening goes on until they are: people enter in rounds, each as large as what
is still missing, and the first who are kept are randomised, in the order of screening. How large the rounds are
changes nobody: who would have come after the last who was needed was never screened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.case import label_titration
from lissive.errors import DesignError
from lissive.model import load
from lissive.model.equations import Equations
from lissive.simulation.days import Group, Running, advance_days
from lissive.simulation.dosing import ROUTES, clock, day_of
from lissive.simulation.engine import Batch, Tolerances, build
from lissive.simulation.ratings import MOST_DAYS
from lissive.simulation.run import Settings
from lissive.simulation.schedule import doses
from lissive.simulation.streams import uniforms
from lissive.trials.design import Design
from lissive.trials.observe import (
    AFTER,
    BEFORE,
    Ratings,
    Seeds,
    joined,
    left_of,
    measured,
    observe_visit,
    observed_days,
    ratings_of,
)
from lissive.trials.parts import MEASURES, Arm, check_memory
from lissive.trials.people import People, Response, fits, recruit
from lissive.trials.placebo import renew
from lissive.trials.rounds import Entered, first_kept, first_round, missing

RTOL = 1e-2
"""Mean ratings of an arm move by less than 1e-4 between this and 1e-4, far below the error of any trial."""
RTOL_INHALED = 1e-3
"""What is inhaled peaks within minutes: at RTOL its peaks, and so intoxication, came out 4 to 7 % too high."""
REPEATS = True
"""Days of a steady dose are extrapolated, see `simulation/repeats.py`."""
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

    def around_doses(self, measure: str, first: int, end: int) -> tuple[FloatArray, FloatArray]:
        """(patient,) what is observed of a measure before and after the dose: means of days `first` to `end` - 1."""
        k = self.output(MEASURES[measure].output)
        levels = np.stack([self.looked[d][:, :, k] for d in range(first, end)], axis=1)
        place = slice(BEFORE + first, BEFORE + end)
        before, after = (
            observed_days(MEASURES[measure], self.ratings, name, levels[:, :, look], place, within_day=True)
            for look, name in enumerate((measure, f"{measure} {AFTER}"))
        )
        return before.mean(axis=1), after.mean(axis=1)

    def seeds(self) -> Seeds:
        """Each replicate's seed and the places of its patients."""
        return [(each.seed, np.flatnonzero(self.replicate_index == k)) for k, each in enumerate(self.people)]

    def count(self, which: BoolArray | None = None) -> IntArray:
        """(replicate,) how many patients, of all or of some."""
        index = self.replicate_index if which is None else self.replicate_index[which]
        return np.bincount(index, minlength=len(self.people))

    @classmethod
    def joined(cls, parts: Sequence[Enrolled], people: Sequence[People]) -> Enrolled:
        """The patients of several runs, which have all got to the same day, as one."""
        first = parts[0]
        if len(parts) == 1:
            return first

        def one(name: str) -> Any:
            return np.concatenate([getattr(each, name) for each in parts])

        def of(name: str) -> dict[str, FloatArray]:
            return {
                key: np.concatenate([getattr(each, name)[key] for each in parts])
                for key in getattr(first, name)
            }

        days = range(first.day)
        ratings = joined([each.ratings for each in parts])
        run = cls(
            batch=Batch.joined([each.batch for each in parts]),
            relief=first.relief,
            before=one("before"),
            baseline=one("baseline"),
            felt=ratings.course[first.design.relief][:, BEFORE:],
            limit=of("limit"),
            ready=one("ready"),
            threads=first.threads,
            repeats=first.repeats,
            looks=first.looks,
            design=first.design,
            people=people,
            parameters=of("parameters"),
            replicate_index=one("replicate_index"),
            screening_id=one("screening_id"),
            ratings=ratings,
        )
        run.units, run.bearable, run.day = one("units"), one("bearable"), first.day
        run.means = [np.concatenate([each.means[d] for each in parts]) for d in days]
        run.taken = [np.concatenate([each.taken[d] for each in parts]) for d in days]
        run.looked = [np.concatenate([each.looked[d] for each in parts]) for d in days]
        return run


def length(design: Design) -> int:
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
            do="shorten weeks, the run-in, the wash-outs or the number of periods.",
        )
    return total


def tolerances(design: Design) -> Tolerances:
    """As close as what is taken asks for."""
    inhaled = any(
        arm.product and not arm.placebo and arm.what.route == "inhaled" for arm in design.arms.values()
    )
    return Tolerances(rtol=RTOL_INHALED if inhaled else RTOL)


def outputs(design: Design) -> tuple[str, ...]:
    """What is asked of the model."""
    return tuple(dict.fromkeys([*(MEASURES[name].output for name in measured(design)), *EVENTS_OUT]))


def looks(design: Design) -> tuple[float, ...]:
    """Clock times [h] at which people are looked at: at the day's dose, and some hours after it."""
    if design.after_dose_h is None:
        return ()
    arm = next(each for each in design.arms.values() if each.product is not None)
    at = float(clock(arm.what, 1, 1)[0])
    return at, at + design.after_dose_h


def begin(design: Design, people: Sequence[People], settings: Settings) -> Enrolled:
    total = length(design)
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
    ratings = joined(
        [ratings_of(design, p.seed, p.screening_id, total, p.response.rating(p.seed)) for p in people]
    )
    limits = [p.response.titration(p.seed) for p in people]
    ready = [
        uniforms(p.seed, "titration: willing", int(p.screening_id.max(initial=-1)) + 1)[p.screening_id]
        for p in people
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
        repeats=REPEATS,
        looks=looks(design),
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
def treat(run: Enrolled, treatment: IntArray | int, days: int, *, keep_dose: bool = False) -> None:
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
    free = arm.titration == "free"
    return Group(schedules, arm.first_per_day, ceilings, arm.step, arm.placebo, free=free)


def _label_days(arm: Arm, days: int) -> list[int]:
    """The label's most units on each day; after its last day nobody goes up."""
    if arm.titration != "label" or arm.product is None:
        return [arm.most_per_day] * days
    steps = [day.total for day in label_titration(arm.product)]
    if not steps:
        raise DesignError(
            f"is 'label', but {arm.product} has no label titration.",
            where="arms",
            allowed="self, fixed.",
            do="write titration: self or titration: fixed.",
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


# -- until enough are randomised ----------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Round(Entered):
    """The same, with those who are kept on their way."""

    run: Enrolled
    screening: Mapping[str, FloatArray]
    """Measure to (patient,) of those kept, before everything."""


@dataclass(frozen=True)
class Enrolment:
    """Those to be randomised, and how many were screened, entered and left for it, (replicate,) each."""

    run: Enrolled
    screening: Mapping[str, FloatArray]
    screened: IntArray
    entered: IntArray
    left_run_in: IntArray


def enrol(
    design: Design,
    replicates: Sequence[int],
    responses: Sequence[Response],
    seed: int,
    settings: Settings,
) -> Enrolment:
    """Screen, treat in the run-in and keep people, until as many can be randomised as the design says.

    Raises       DesignError where nobody can be randomised in any replicate.
    """
    needed = [first_round(design)] * len(replicates)
    everybody: list[People] = []
    rounds: list[Round] = []
    while any(needed):
        after = [each.screened for each in everybody] or [0] * len(replicates)
        asked = [
            recruit(design, r, seed=seed, response=a, needed=n, first=f)
            for r, a, n, f in zip(replicates, responses, needed, after, strict=True)
        ]
        rounds.append(go_through_run_in(design, asked, settings))
        everybody = asked if not everybody else [replace(old, screened=new.screened) for old, new in
                                                 zip(everybody, asked, strict=True)]  # fmt: skip
        needed = missing(design, rounds, everybody)
    return enrolment(design, everybody, rounds)


def enrolment(design: Design, people: Sequence[People], rounds: Sequence[Round]) -> Enrolment:
    """The first who were kept, as many as the design says; and who had to be screened for them."""
    run = Enrolled.joined([each.run for each in rounds], people)
    members, counts = first_kept(design, people, rounds)
    screening = {
        name: np.concatenate([each.screening[name] for each in rounds])[members]
        for name in rounds[0].screening
    }
    run.take(members)
    return Enrolment(run, screening, *counts)


def go_through_run_in(design: Design, people: Sequence[People], settings: Settings) -> Round:
    """Through the run-in and the wash-out; the run that comes back is of those who were kept."""
    run = begin(design, people, settings)
    screening = {name: run.observed(name, -1) for name in measured(design)}
    index, number = run.replicate_index, run.screening_id
    left, members = np.zeros(len(run), bool), np.arange(len(run))
    if design.run_in is not None and len(run):
        left, members = _run_in(run, screening)
    kept = np.zeros(len(index), bool)
    kept[members] = True
    return Round(
        run=run,
        screening={name: v[members] for name, v in screening.items()},
        replicate_index=index,
        screening_id=number,
        left=left,
        kept=kept,
    )


def _run_in(run: Enrolled, screening: Mapping[str, FloatArray]) -> tuple[BoolArray, IntArray]:
    """(patient,) who left in it, and the places of those who were kept."""
    design, plan = run.design, run.design.run_in
    assert plan is not None
    renew(run, 0)
    treat(run, list(design.arms).index(plan.arm), plan.weeks * WEEK)
    left, _ = left_of(run.means, run.batch.kernel.outputs, run.seeds(), run.screening_id, run.limit, 0)
    stayed = ~np.isfinite(left) if design.drop_out else np.ones(len(left), bool)
    kept = stayed & (run.batch.status == 0)
    now = np.full(len(kept), np.nan)
    if plan.keep:
        now = run.observed(plan.keep.measure, run.day - 1)
        kept &= now <= (1.0 - plan.keep.falls_by_pct / 100.0) * screening[plan.keep.measure]
    if plan.established:
        kept &= fits(
            design, {name: run.observed(name, run.day - 1) for name in design.population.inclusion}, len(kept)
        )
    members = np.flatnonzero(kept)
    run.take(members)
    treat(run, NOBODY, plan.washout_days)
    if plan.washout_loses_pct is not None and plan.keep:
        back = run.observed(plan.keep.measure, run.day - 1) - now[members]
        lost = back >= plan.washout_loses_pct / 100.0 * (screening[plan.keep.measure] - now)[members]
        places = np.flatnonzero(lost)
        run.take(places)
        members = members[places]
    return ~stayed, members
