"""A virtual trial from screening to the last visit: run-in, selection, wash-out, randomisation, periods.

Replicates are run side by side, in chunks; who is in the chunk changes nobody's numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lissive.case import label_titration
from lissive.errors import DesignError
from lissive.model import load
from lissive.simulate.dosing import clock, day_of
from lissive.simulate.engine import Batch, Doses, Kernel, Seen, Tolerances, build
from lissive.simulate.ratings import MOST_DAYS
from lissive.simulate.run import Settings, to_doses
from lissive.simulate.schedule import Regimen, Schedule, doses
from lissive.simulate.streams import Floats, uniforms
from lissive.simulate.titrate import next_units, willing
from lissive.trials.data import TrialData, Truths, Whole
from lissive.trials.design import Arm, Design
from lissive.trials.measures import MEASURES
from lissive.trials.observe import BEFORE, Ratings, days_filled, joined, measured, ratings_of, seen
from lissive.trials.outcome import failure_day, left_of, split_by_replicate
from lissive.trials.people import People, recruit
from lissive.trials.response import TABLES, Response

WEEK = 7
EVENTS_OUT = ("intoxication", "dizziness_hazard", "leave_adverse", "leave_effect", "dropout_hazard")
RTOL = 1e-2
"""Mean ratings of an arm move by less than 1e-4 between this and 1e-4, far below the error of any trial."""
NOBODY = -1
"""Treatment of those who are given nothing."""

Progress = Callable[[float], None]


@dataclass
class _Running:
    """Patients on their way, all replicates of a chunk together."""

    kernel: Kernel
    batch: Batch
    parameters: dict[str, Floats]
    which: Whole
    """(patient,) place of the replicate in the chunk."""
    number: Whole
    ratings: Ratings
    limit: dict[str, Floats]
    """Figures of titration, (patient,) each."""
    most: Whole
    """(patient,) units a day that each is ready to take."""
    units: Whole
    day: int
    history: list[Floats]
    """A day: (patient, output) means."""
    taken: list[Whole]
    felt0: Floats
    """(patient,) rating before everything, by which relief is judged."""

    def take(self, members: Whole) -> None:
        """Go on with these alone."""
        self.batch = self.batch.take(members)
        self.parameters = {k: v[members] for k, v in self.parameters.items()}
        self.limit = {k: v[members] for k, v in self.limit.items()}
        self.ratings = self.ratings.take(members)
        self.history = [each[members] for each in self.history]
        self.taken = [each[members] for each in self.taken]
        for name in ("which", "number", "most", "units", "felt0"):
            setattr(self, name, getattr(self, name)[members])

    def levels(self, output: str, last: int, days: int) -> Floats:
        """(patient, day) daily means of a model's output, over the days that end with `last`; baseline before 0."""
        k = self.kernel.outputs.index(output)
        return np.stack(
            [self.history[max(BEFORE + d, 0)][:, k] for d in range(last + 1 - days, last + 1)], axis=1
        )


def conduct(
    design: Design,
    replicates: Sequence[int],
    *,
    seed: int = 1,
    responses: Sequence[Response] | None = None,
    all_on: str | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> list[TrialData]:
    """Carry the trial out, once for each number in `replicates`.

    Parameters
    ----------
    responses : one for each replicate; the tables' own if not given.
    all_on : name of an arm that everybody is put on, whatever was drawn: the other side of a counterfactual pair.
    progress : told the share that is done.

    Raises       DesignError where nobody is let in or kept, or too few for what is to be randomised.
    """
    answers = list(responses or [TABLES] * len(replicates))
    people = [recruit(design, r, seed=seed, response=a) for r, a in zip(replicates, answers, strict=True)]
    total = _length(design)
    run = _begin(design, people, total, settings or Settings(Tolerances(rtol=RTOL)))
    told = (lambda: progress(run.day / total)) if progress else None
    entered = np.bincount(run.which, minlength=len(people))
    screening = {
        name: seen(design, run.ratings, name, _levels(run, design, name, -1), -1) for name in measured(design)
    }
    left_early, kept = _run_in(design, run, screening, settings, told, people)
    screening = {name: values[kept] for name, values in screening.items()}
    group = _allocation(design, people, run, all_on)
    treatment = _treatments(design, group)
    start = run.day
    starts = []
    for period in range(treatment.shape[1]):
        if period and design.crossover and design.crossover.washout_days:
            _days(design, run, np.full(len(run.units), NOBODY), design.crossover.washout_days, settings, told)
        starts.append(run.day)
        keep_dose = period == 0 and _keeps_dose(design)
        _days(
            design, run, treatment[:, period], round(design.weeks * WEEK), settings, told, keep_dose=keep_dose
        )
    return _data(design, run, people, screening, group, treatment, start, starts, entered, left_early)


def _keeps_dose(design: Design) -> bool:
    """Whether the dose found in the run-in is gone on with: not after days without."""
    return design.run_in is not None and design.run_in.keep_dose and not design.run_in.washout_days


def _length(design: Design) -> int:
    """Days from the start to the end."""
    run_in = design.run_in.weeks * WEEK + design.run_in.washout_days if design.run_in else 0
    cross = design.crossover
    periods = len(cross.sequences[0]) if cross else 1
    total = (
        run_in + periods * round(design.weeks * WEEK) + (periods - 1) * (cross.washout_days if cross else 0)
    )
    if total + BEFORE > MOST_DAYS:
        raise DesignError(
            f"The trial lasts {total} days.",
            where="weeks",
            allowed=f"up to {MOST_DAYS - BEFORE} days in all.",
        )
    return total


def outputs(design: Design) -> tuple[str, ...]:
    """What is asked of the model."""
    return tuple(dict.fromkeys([*(MEASURES[name].output for name in measured(design)), *EVENTS_OUT]))


def _begin(design: Design, people: Sequence[People], total: int, settings: Settings) -> _Running:
    kernel = build(load("lissive"), outputs(design))
    names = people[0].parameters
    parameters = {name: np.concatenate([each.parameters[name] for each in people]) for name in names}
    which = np.concatenate([np.full(len(each), k) for k, each in enumerate(people)])
    batch = kernel.start(len(which), parameters, tolerances=settings.tolerances)
    before = batch.advance(0.0, times=[0.0], threads=settings.threads).values[:, 0]
    ratings = joined([ratings_of(design, p.seed, p.number, total, p.response) for p in people])
    limits = [p.response.titration() for p in people]
    limit = {name: np.array([each[name] for each in limits])[which] for name in limits[0]}
    ready = np.concatenate(
        [uniforms(p.seed, "titration: willing", int(p.number[-1]) + 1)[p.number] for p in people]
    )
    run = _Running(
        kernel, batch, parameters, which, np.concatenate([p.number for p in people]), ratings, limit,
        willing(ready, limit), np.zeros(len(which), np.int64), 0, [before] * BEFORE, [], np.zeros(len(which)),
    )  # fmt: skip
    felt = seen(design, run.ratings, design.relief, _levels(run, design, design.relief, -1), -1)
    level = run.levels(MEASURES[design.relief].output, -1, 1)[:, 0]
    run.felt0 = np.maximum(np.where(np.isnan(felt), level, felt), 0.5)
    return run


def _levels(run: _Running, design: Design, name: str, last: int) -> Floats:
    return run.levels(MEASURES[name].output, last, design.diary_days)


# -- days of treatment -----------------------------------------------------------------------------
def _days(
    design: Design,
    run: _Running,
    treatment: Whole,
    days: int,
    settings: Settings | None,
    told: Callable[[], None] | None,
    *,
    keep_dose: bool = False,
) -> None:
    """Go on for some days; `treatment` is (patient,) place in `design.arms`, or NOBODY."""
    settings = settings or Settings(Tolerances(rtol=RTOL))
    arms = list(design.arms.values())
    table, offset = _schedules(run.kernel, arms)
    given = treatment >= 0
    _tell_model(run, arms, treatment)
    scale = np.where(given & ~np.array([arm.placebo for arm in arms])[treatment], 1.0, 0.0)
    template = to_doses(Regimen(table, np.zeros(len(given), int), scale, np.zeros(len(given))), run.kernel)
    plan = _Titration.of(arms, treatment, days)
    if not keep_dose:
        run.units = plan.first
    run.units = np.where(given, np.minimum(run.units, plan.cap), 0)
    k_harm = run.kernel.outputs.index("intoxication")
    k_relief = run.kernel.outputs.index(MEASURES[design.relief].output)
    course = run.ratings.course[design.relief]
    for d in range(days):
        seen_day = _one_day(run, template, offset, treatment, settings)
        run.history.append(seen_day.mean[:, 0])
        run.taken.append(run.units.copy())
        felt = run.history[-1][:, k_relief] + course[:, BEFORE + run.day]
        wished = next_units(
            run.units,
            seen_day.maximum[:, 0, k_harm],
            felt / run.felt0,
            np.minimum(plan.ceiling(d + 1), run.most),
            run.limit,
            plan.step,
        )
        run.units = np.where(given & plan.titrated, np.minimum(wished, plan.cap), run.units)
        run.day += 1
        if told:
            told()


def _one_day(run: _Running, template: Doses, offset: Whole, treatment: Whole, settings: Settings) -> Seen:
    start, end = run.day * 24.0, (run.day + 1) * 24.0
    today = replace(template, which=offset[treatment] + run.units, shift=np.full(len(run.units), start))
    return run.batch.advance(end, today, edges=[start, end], stop=True, threads=settings.threads)


def _schedules(kernel: Kernel, arms: Sequence[Arm]) -> tuple[tuple[Schedule, ...], Whole]:
    """A day with 0, 1, 2, ... units of each arm, and where each arm's begin; the last is a day with nothing."""
    table: list[Schedule] = []
    offset = []
    equations = kernel.equations
    for arm in arms:
        offset.append(len(table))
        for n in range(arm.most_per_day + 1):
            if arm.product is None:
                table.append(doses([], 0, 0.0))
                continue
            times = clock(arm.what, n, arm.doses_per_day)
            table.append(day_of(equations, arm.what, times, thc_mg=arm.thc_mg, cbd_mg=arm.cbd_mg))
    table.append(doses([], 0, 0.0))
    return tuple(table), np.array([*offset, len(table) - 1])  # the place of NOBODY is the last


def _tell_model(run: _Running, arms: Sequence[Arm], treatment: Whole) -> None:
    """What the model has to know of a treatment beside its doses."""
    product = np.array([arm.product or "" for arm in arms] + [""])[treatment]
    new = {
        "placebo_on": (treatment >= 0).astype(float),
        "smoked": (product == "smoked").astype(float),
        "oil_CBD": (product == "cbd_oral_solution").astype(float),
    }
    if all((run.parameters[name] == value).all() for name, value in new.items()):
        return
    run.parameters |= new
    run.batch.give(run.parameters)


@dataclass(frozen=True)
class _Titration:
    """How each patient may go up; all (patient,)."""

    titrated: Truths
    first: Whole
    cap: Whole
    step: Whole
    step_days: Whole
    last_day: Whole
    label: Floats
    """(patient, day) the label's most units."""

    @classmethod
    def of(cls, arms: Sequence[Arm], treatment: Whole, days: int) -> _Titration:
        def column(values: list[int]) -> Whole:
            result: Whole = np.array([*values, 0])[treatment]
            return result

        fixed = [arm.titration == "fixed" for arm in arms]
        label = np.array([_label_days(arm, days + 1) for arm in arms] + [[0] * (days + 1)])
        return cls(
            column([int(not each) for each in fixed]).astype(bool),
            column(
                [arm.most_per_day if f else arm.first_per_day for arm, f in zip(arms, fixed, strict=True)]
            ),
            column([arm.most_per_day for arm in arms]),
            np.maximum(column([arm.step for arm in arms]), 1),
            np.maximum(column([arm.step_days for arm in arms]), 1),
            column([arm.titration_days or days + 1 for arm in arms]),
            label[treatment],
        )

    def ceiling(self, day: int) -> Whole:
        """(patient,) most units that going up may reach on this day, from 0."""
        may = (day % self.step_days == 0) & (day < self.last_day)
        most: Whole = np.where(may, np.minimum(self.label[:, day], self.cap), 0)
        return most


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


# -- before and at randomisation ----------------------------------------------------------------------
def _run_in(
    design: Design,
    run: _Running,
    screening: Mapping[str, Floats],
    settings: Settings | None,
    told: Callable[[], None] | None,
    people: Sequence[People],
) -> tuple[Whole, Whole]:
    """Through the run-in and the wash-out; gives (replicate,) how many left in it, and the places that were kept."""
    if design.run_in is None:
        return np.zeros(len(people), np.int64), np.arange(len(run.units))
    plan = design.run_in
    place = list(design.arms).index(plan.arm)
    _days(design, run, np.full(len(run.units), place), plan.weeks * WEEK, settings, told)
    left, _ = left_of(run.history[BEFORE:], run.kernel.outputs, _seeds(people, run), run.number, run.limit, 0)
    stayed = ~np.isfinite(left) if design.drop_out else np.ones(len(left), bool)
    kept = stayed & (run.batch.status == 0)
    if plan.keep:
        name = plan.keep.measure
        now = seen(design, run.ratings, name, _levels(run, design, name, run.day - 1), run.day - 1)
        kept &= now <= (1.0 - plan.keep.falls_by_pct / 100.0) * screening[name]
    members = _enough(design, run, kept, people)
    gone = np.bincount(run.which[~stayed], minlength=len(people))
    run.take(members)
    if plan.washout_days:
        _days(design, run, np.full(len(run.units), NOBODY), plan.washout_days, settings, told)
    return gone, members


def _enough(design: Design, run: _Running, kept: Truths, people: Sequence[People]) -> Whole:
    """Places of those who are randomised: the first that were kept, as many as the design says."""
    members = []
    for k, each in enumerate(people):
        mine = np.flatnonzero((run.which == k) & kept)
        needed = design.patients or len(design.shares)
        if len(mine) < needed:
            assert design.run_in is not None
            raise DesignError(
                f"In replicate {each.replicate + 1}, {each.screened} people were screened, {len(each)} entered the "
                f"run-in and it kept {len(mine)}; {needed} are to be randomised.",
                where="run_in.keep" if not len(mine) else "run_in.patients",
                allowed="a run-in that keeps enough of those who enter it.",
                do="raise run_in.patients, lower run_in.keep.falls_by_pct, or leave `patients` out to randomise "
                "all who are kept.",
            )
        members.append(mine[: design.patients] if design.patients else mine)
    return np.concatenate(members)


def _seeds(people: Sequence[People], run: _Running) -> list[tuple[int, Whole]]:
    """Each replicate's seed and the places of its patients."""
    return [(each.seed, np.flatnonzero(run.which == k)) for k, each in enumerate(people)]


def _allocation(design: Design, people: Sequence[People], run: _Running, all_on: str | None) -> Whole:
    """(patient,) place in `design.shares`, by permuted blocks."""
    shares = np.repeat(np.arange(len(design.shares)), list(design.shares.values()))
    if all_on is not None:
        return np.full(len(run.units), list(design.shares).index(all_on))
    # small ratios in blocks of at least four; a ratio that is the arms' very sizes is one block
    block = np.tile(shares, max(1, -(-4 // len(shares)))) if len(shares) <= 8 else shares
    group = np.zeros(len(run.units), np.int64)
    for seed, members in _seeds(people, run):
        n = len(members)
        u = uniforms(seed, "allocation", n)
        order = np.lexsort((u, np.arange(n) // len(block)))
        drawn = np.resize(block, n)
        mine = np.empty(n, np.int64)
        mine[order] = drawn
        group[members] = mine
    return group


def _treatments(design: Design, group: Whole) -> Whole:
    """(patient, period) place in `design.arms`."""
    arms = list(design.arms)
    if design.crossover:
        order = np.array([[arms.index(name) for name in sequence] for sequence in design.crossover.sequences])
        chosen: Whole = order[group]
        return chosen
    places = np.array([arms.index(name) for name in design.shares])
    single: Whole = places[group][:, None]
    return single


# -- what was seen ------------------------------------------------------------------------------------
def _data(
    design: Design,
    run: _Running,
    people: Sequence[People],
    screening: Mapping[str, Floats],
    group: Whole,
    treatment: Whole,
    start: int,
    starts: Sequence[int],
    entered: Whole,
    left_early: Whole,
) -> list[TrialData]:
    visits = [round(week * WEEK) for week in design.visits_weeks]
    names = measured(design)
    seeds = _seeds(people, run)
    left, why = left_of(
        run.history[BEFORE + start :], run.kernel.outputs, seeds, run.number, run.limit, start
    )
    if not design.drop_out:
        left, why = np.full(len(left), np.inf), np.zeros(len(why), np.int64)
    good = run.batch.status == 0
    baseline, values, dose, filled = {}, {}, [], []
    for name in names:
        before = [seen(design, run.ratings, name, _levels(run, design, name, s - 1), s - 1) for s in starts]
        # nobody is seen before a period of a crossover that they did not come to
        there = left[:, None] > np.array(starts)[None] - start
        baseline[name] = np.where(there, np.stack(before, axis=1), np.nan)
        at = [
            [
                seen(design, run.ratings, name, _levels(run, design, name, s + v - 1), s + v - 1)
                for v in visits
            ]
            for s in starts
        ]
        values[name] = np.moveaxis(np.array(at), 2, 0)
    for s in starts:
        dose.append([np.mean(run.taken[max(s + v - WEEK, s) : s + v], axis=0) for v in visits])
        filled.append([days_filled(run.ratings, s + v - 1, design.diary_days) for v in visits])
    gone = left[:, None, None] < np.array([[s - start + v for v in visits] for s in starts])[None]
    values = {name: np.where(gone, np.nan, each) for name, each in values.items()}
    units = np.where(gone, np.nan, np.moveaxis(np.array(dose), 2, 0))
    failed = failure_day(design, run.ratings, run.levels, start, baseline, left)
    return split_by_replicate(
        design, run, people, good, screening, baseline, values, units,
        np.moveaxis(np.array(filled), 2, 0), group, treatment, left, why, failed, entered, left_early, start, starts,
    )  # fmt: skip
