"""Patients of a virtual trial on their way: days of treatment, each decided on from the day before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.case import label_titration
from lissive.errors import DesignError
from lissive.simulation.dosing import clock, day_of
from lissive.simulation.engine import Batch, Doses, Kernel, Seen, Tolerances
from lissive.simulation.run import Settings, to_doses
from lissive.simulation.schedule import Regimen, Schedule, doses
from lissive.simulation.titrate import next_units, willing
from lissive.trials.design import Design
from lissive.trials.measures import MEASURES
from lissive.trials.observe import BEFORE, Ratings
from lissive.trials.parts import Arm

RTOL = 1e-2
"""Mean ratings of an arm move by less than 1e-4 between this and 1e-4, far below the error of any trial."""
NOBODY = -1
"""Treatment of those who are given nothing."""


@dataclass
class Running:
    """Patients on their way, all replicates of a chunk together."""

    kernel: Kernel
    batch: Batch
    parameters: dict[str, FloatArray]
    replicate_index: IntArray
    """(patient,) place of the replicate in the chunk."""
    screening_id: IntArray
    ratings: Ratings
    limit: dict[str, FloatArray]
    """Figures of titration, (patient,) each."""
    ready: FloatArray
    """(patient,) numbers between 0 and 1: each one's quantile of the maximum acceptable dose."""
    units: IntArray
    day: int
    history: list[FloatArray]
    """A day: (patient, output) means."""
    units_by_day: list[IntArray]
    perceived_baseline: FloatArray
    """(patient,) rating before everything, by which relief is judged."""

    def take(self, members: IntArray) -> None:
        """Keep these patients only."""
        self.batch = self.batch.take(members)
        self.parameters = {k: v[members] for k, v in self.parameters.items()}
        self.limit = {k: v[members] for k, v in self.limit.items()}
        self.ratings = self.ratings.take(members)
        self.history = [each[members] for each in self.history]
        self.units_by_day = [each[members] for each in self.units_by_day]
        for name in ("replicate_index", "screening_id", "ready", "units", "perceived_baseline"):
            setattr(self, name, getattr(self, name)[members])

    def levels(self, output: str, last: int, days: int) -> FloatArray:
        """(patient, day) daily means of a model's output, over the days that end with `last`; baseline before 0."""
        k = self.kernel.outputs.index(output)
        return np.stack(
            [self.history[max(BEFORE + d, 0)][:, k] for d in range(last + 1 - days, last + 1)], axis=1
        )


def advance_days(
    design: Design,
    run: Running,
    treatment: IntArray,
    days: int,
    settings: Settings | None,
    on_day: Callable[[], None] | None,
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
    most = willing(run.ready, run.limit, plan.cap)
    if not keep_dose:
        run.units = plan.first
    run.units = np.where(given, np.minimum(run.units, plan.cap), 0)
    k_harm = run.kernel.outputs.index("intoxication")
    k_relief = run.kernel.outputs.index(MEASURES[design.relief].output)
    course = run.ratings.course[design.relief]
    for d in range(days):
        seen_day = _one_day(run, template, offset, treatment, settings)
        run.history.append(seen_day.mean[:, 0])
        run.units_by_day.append(run.units.copy())
        perceived = run.history[-1][:, k_relief] + course[:, BEFORE + run.day]
        wished = next_units(
            run.units,
            seen_day.maximum[:, 0, k_harm],
            perceived / run.perceived_baseline,
            np.minimum(plan.ceiling(d + 1), most),
            run.limit,
            plan.step,
        )
        run.units = np.where(given & plan.titrated, np.minimum(wished, plan.cap), run.units)
        run.day += 1
        if on_day:
            on_day()


def _one_day(
    run: Running, template: Doses, offset: IntArray, treatment: IntArray, settings: Settings
) -> Seen:
    start, end = run.day * 24.0, (run.day + 1) * 24.0
    today = replace(template, which=offset[treatment] + run.units, shift=np.full(len(run.units), start))
    return run.batch.advance(end, today, edges=[start, end], stop=True, threads=settings.threads)


def _schedules(kernel: Kernel, arms: Sequence[Arm]) -> tuple[tuple[Schedule, ...], IntArray]:
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


def _tell_model(run: Running, arms: Sequence[Arm], treatment: IntArray) -> None:
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


@dataclass(frozen=True)
class _Titration:
    """How each patient may go up; all (patient,)."""

    titrated: BoolArray
    first: IntArray
    cap: IntArray
    step: IntArray
    step_days: IntArray
    last_day: IntArray
    label: FloatArray
    """(patient, day) the label's most units."""

    @classmethod
    def of(cls, arms: Sequence[Arm], treatment: IntArray, days: int) -> _Titration:
        def column(values: list[int]) -> IntArray:
            result: IntArray = np.array([*values, 0])[treatment]
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

    def ceiling(self, day: int) -> IntArray:
        """(patient,) most units that going up may reach on this day, from 0."""
        may = (day % self.step_days == 0) & (day <= self.last_day)
        most: IntArray = np.where(may, np.minimum(self.label[:, day], self.cap), 0)
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
