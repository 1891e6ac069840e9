"""What happens to a subject, as columns; and which subject follows what.

>>> week = doses([0.0, 24.0, 48.0], target=0, amount=2.5)
>>> week.time.tolist(), week.value.tolist()
([0.0, 24.0, 48.0], [2.5, 2.5, 2.5])
>>> Regimen.same(week, subjects=3).which.tolist()
[0, 0, 0]
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from lissive.arrays import FloatArray, IntArray
from lissive.errors import EventError

Places = npt.NDArray[np.int32]

ADD, RATE, RESET, STOP = 0, 1, 2, 3
"""Add an amount · change the rate of input by · all to the start and all inputs off · only a stop."""


@dataclass(frozen=True)
class SteadyState:
    """A request: at `time`, before row `before` of the schedule, bring the subject to a steady state.

    It is the state just before one more dose of an endless series: `amount` into `target` every
    `interval`, at once (`rate` 0) or at this rate. With an `interval` of 0 the input is constant, at `rate`.
    The dose that follows, and infusions of the series that still run, are rows of the schedule.
    """

    time: float
    amount: float
    target: int
    rate: float
    interval: float
    mode: int
    """1: the steady state takes the place of the present state; 2: it is added to it."""
    before: int
    lag: float = 0.0
    """Doses of the series begin so long after `time`, less one interval and two and so on; under `interval`."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """Events of one subject, by time; those at one time are in the order in which they happen."""

    time: FloatArray
    """(event,) [model time], not falling."""
    action: Places
    """(event,) ADD, RATE, RESET or STOP."""
    target: Places
    """(event,) place in Equations.states; -1 for RESET and STOP."""
    value: FloatArray
    """(event,) ADD: the amount; RATE: the change of the rate of input [amount/time], up or down; else 0."""
    steady: tuple[SteadyState, ...] = ()

    def __post_init__(self) -> None:
        kinds = {"time": np.float64, "action": np.int32, "target": np.int32, "value": np.float64}
        for name, kind in kinds.items():
            column = np.array(
                getattr(self, name), dtype=kind, ndmin=1
            )  # a copy, so that nobody else can change it
            column.flags.writeable = False
            object.__setattr__(self, name, column)
        if len({self.time.shape, self.action.shape, self.target.shape, self.value.shape}) != 1:
            raise EventError(
                "The columns of a schedule have different lengths.",
                where="Schedule",
                allowed="one value for each event in time, action, target and value.",
                do="make them of one length.",
            )
        if not (np.isfinite(self.time).all() and np.isfinite(self.value).all()):
            raise EventError(
                "A schedule has a time or a value that is no finite number.",
                where="Schedule",
                allowed="finite numbers.",
                do="correct that row, or leave it out.",
            )
        if (np.diff(self.time) < 0).any():
            at = int(np.argmax(np.diff(self.time) < 0))
            raise EventError(
                f"Time falls from {self.time[at]:g} to {self.time[at + 1]:g}.",
                where=f"Schedule, row {at + 1}",
                do="sort the rows by time.",
            )

    def __len__(self) -> int:
        return len(self.time)

    @cached_property
    def digest(self) -> str:
        """The same for two schedules that say the same."""
        columns = b"".join(column.tobytes() for column in (self.time, self.action, self.target, self.value))
        return hashlib.sha256(columns + repr(self.steady).encode()).hexdigest()

    @property
    def infused(self) -> tuple[int, ...]:
        """Places in Equations.states that have an input at some time."""
        by_rate = {int(target) for target in self.target[self.action == RATE]}
        return tuple(sorted(by_rate | {each.target for each in self.steady if each.rate > 0}))

    @property
    def dosed(self) -> tuple[int, ...]:
        """Places in Equations.states that are given something, at once or by rate."""
        given = (self.target >= 0) & (self.value != 0.0)
        return tuple(sorted({*self.target[given].tolist(), *(each.target for each in self.steady)}))


@dataclass(frozen=True, eq=False)
class Regimen:
    """Which schedule each subject follows; doses times `scale`, times plus `shift`."""

    schedules: tuple[Schedule, ...]
    which: IntArray
    """(subject,) place in `schedules`."""
    scale: FloatArray
    """(subject,) factor of every amount and rate."""
    shift: FloatArray
    """(subject,) [model time] added to every time."""

    def __post_init__(self) -> None:
        for name, kind in {"which": np.int64, "scale": np.float64, "shift": np.float64}.items():
            column = np.array(getattr(self, name), dtype=kind, ndmin=1)
            column.flags.writeable = False
            object.__setattr__(self, name, column)
        if not self.which.shape == self.scale.shape == self.shift.shape:
            raise EventError(
                "which, scale and shift have different lengths.",
                where="Regimen",
                allowed="one value for each subject in each.",
                do="make them of one length.",
            )
        if len(self.which) and not (self.which.min() >= 0 and self.which.max() < len(self.schedules)):
            raise EventError(
                f"which runs from {self.which.min()} to {self.which.max()}.",
                where="Regimen",
                allowed=f"0 to {len(self.schedules) - 1}, the places of the schedules.",
                do="correct which, or add the schedule that it names.",
            )
        if not (np.isfinite(self.scale).all() and np.isfinite(self.shift).all() and (self.scale >= 0).all()):
            raise EventError(
                "scale or shift has a value that cannot be.",
                where="Regimen",
                allowed="scale 0 or more; finite.",
                do="correct the subject's scale and shift.",
            )

    def __len__(self) -> int:
        return len(self.which)

    @classmethod
    def same(cls, schedule: Schedule, subjects: int) -> Regimen:
        """All subjects on one schedule."""
        return cls((schedule,), np.zeros(subjects, int), np.ones(subjects), np.zeros(subjects))

    @property
    def infused(self) -> tuple[int, ...]:
        """Places in Equations.states that some schedule has an input for."""
        return tuple(sorted({place for schedule in self.schedules for place in schedule.infused}))


@dataclass(frozen=True)
class Halt:
    """A place where a run pauses: at `time`, before row `before` of its schedule."""

    time: float
    before: int
    do: SteadyState | int | None
    """A steady state to come to; the column of parameters that holds from here on; or None, to look."""
    late: bool = False
    """After all that is seen at this time, not before."""


@dataclass(frozen=True, eq=False)
class Course:
    """A schedule, where it pauses, and when the subject is observed."""

    schedule: Schedule
    halts: tuple[Halt, ...]
    """In the order in which they come."""
    times: FloatArray
    """(time,) increasing; seen without a pause, each after all that the schedule has at it."""
    looks: Places
    """(observation,) its place in `times`, or len(times) and on for halts that look, in their order."""
    begin: float
    """When the run begins."""


def doses(times: Any, target: int, amount: Any) -> Schedule:
    """A schedule of amounts put at once into one state.

    Parameters
    ----------
    times : (event,) [model time], in any order.
    target : place in Equations.states.
    amount : number or (event,) [the model's unit of amount].
    """
    when = np.atleast_1d(np.asarray(times, dtype=float))
    try:
        how_much = np.broadcast_to(np.asarray(amount, dtype=float), when.shape)
    except ValueError:
        raise EventError(
            f"There are {len(when)} times and {np.size(amount)} amounts.",
            where="doses",
            allowed="one amount, or one for each time.",
            do="add the amounts or times that are missing.",
        ) from None
    if (how_much < 0).any():
        raise EventError(
            f"An amount is {how_much.min():g}.",
            where="doses",
            allowed="0 or more.",
            do="leave the dose out, or correct its sign.",
        )
    order = np.argsort(when, kind="stable")
    n = len(when)
    return Schedule(when[order], np.full(n, ADD, np.int32), np.full(n, target, np.int32), how_much[order])
