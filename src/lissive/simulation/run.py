"""Subjects on their schedules through a kernel, steady states included.

`follow` is the open loop: all doses are known. The closed loop is in `days`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.simulation.engine import STATUS, Batch, Doses, Kernel, Tolerances
from lissive.simulation.schedule import ADD, RATE, RESET, STOP, Course, Halt, Regimen, Schedule, SteadyState

NOT_STEADY = 4
MEANING = {
    **STATUS,
    NOT_STEADY: "did not reach a steady state in {cycles} cycles; give the earlier doses as rows (ADDL) instead of SS",
}
"""What a subject's status means; the engine's, and one more."""

MOST_REASONS = 100
"""So many runs that ended are looked into; of the others the kind is said."""


DEVICES = ("cpu", "gpu")


@dataclass(frozen=True)
class Settings:
    """How a run is done; part of its provenance."""

    tolerances: Tolerances = field(default_factory=Tolerances)
    threads: int = 1
    device: str = "cpu"
    """What the subjects are solved on: one of DEVICES."""
    ss_rtol: float = 1e-6
    """A steady state is reached when no state changes by more than this share in one interval."""
    ss_cycles: int = 1000
    constant_cycle: float = 24.0
    """Interval by which a constant infusion is looked at [model time]."""
    seed: int = 1
    """Of the order of the model's own events where their priorities are equal."""


@dataclass(frozen=True)
class Result:
    """values : (subject, time, output)    status : (subject,)    steps : (subject,)

    reasons : subject to why its run ended, for the first MOST_REASONS that did not go well.
    """

    values: FloatArray
    status: IntArray
    steps: IntArray
    reasons: Mapping[int, str] = field(default_factory=dict)


def to_doses(regimen: Regimen, kernel: Kernel, rows: Sequence[slice] | None = None) -> Doses:
    """A regimen as the engine takes it; `rows` picks a part of each schedule."""
    inputs = {kernel.states.index(name): i for i, name in enumerate(kernel.inputs)}
    parts: list[list[Any]] = [[], [], [], []]
    start = [0]
    for k, schedule in enumerate(regimen.schedules):
        part = slice(None) if rows is None else rows[k]
        target = schedule.target[part].astype(np.int64)
        is_rate = schedule.action[part] == RATE
        target[is_rate] = [inputs[int(place)] for place in target[is_rate]]
        for column, piece in zip(
            parts, (schedule.time[part], schedule.action[part], target, schedule.value[part]), strict=True
        ):
            column.append(piece)
        start.append(start[-1] + len(target))
    time, action, target, value = (np.concatenate([*column, np.zeros(1)]) for column in parts)
    whole = (action.astype(np.int64), target.astype(np.int64))
    return Doses(
        time, *whole, value, np.array(start, dtype=np.int64), regimen.which, regimen.scale, regimen.shift
    )


def follow(
    kernel: Kernel,
    regimen: Regimen,
    parameters: Mapping[str, Any],
    times: FloatArray,
    settings: Settings,
) -> Result:
    """All subjects of a regimen, observed at `times` (increasing, from 0 on).

    A run starts at 0, or with the first event where that is earlier.
    """
    courses = [_course(schedule, times) for schedule in regimen.schedules]
    return follow_courses(kernel, regimen, courses, parameters, settings)


def _course(schedule: Schedule, times: FloatArray) -> Course:
    steady = schedule.steady
    halts = tuple(Halt(each.time, each.before, each) for each in steady)
    first = min([*schedule.time[:1], *(each.time for each in steady[:1])], default=0.0)
    return Course(schedule, halts, times, np.arange(len(times), dtype=np.int32), float(first))


def follow_courses(
    kernel: Kernel,
    regimen: Regimen,
    courses: Sequence[Course],
    parameters: Mapping[str, Any],
    settings: Settings,
    varying: Mapping[str, FloatArray] | None = None,
    first: int = 0,
) -> Result:
    """All subjects of a regimen, each observed as the course of its schedule says.

    courses : one for each schedule of the regimen.
    varying : parameter to (subject, column) values; the first column holds at the start.
    first : number of the first subject, where these are not all.
    """
    subjects, varying = len(regimen), varying or {}
    most = max((len(courses[which].looks) for which in regimen.which), default=0)
    values = np.full((subjects, most, len(kernel.outputs)), np.nan)
    reasons: dict[int, str] = {}
    status, steps = np.zeros(subjects, np.int64), np.zeros(subjects, np.int64)
    fixed = {name: np.broadcast_to(np.asarray(v, float), subjects) for name, v in parameters.items()}
    for group, times in _groups(regimen, courses):
        used, which = np.unique(regimen.which[group], return_inverse=True)
        part = Regimen(
            tuple(regimen.schedules[w] for w in used), which, regimen.scale[group], regimen.shift[group]
        )
        member = _Members(
            part,
            [courses[w] for w in used],
            {name: value[group] for name, value in fixed.items()},
            {name: value[group] for name, value in varying.items()},
        )
        batch = kernel.start(len(part), member.parameters(0), t0=member.begin, tolerances=settings.tolerances)
        batch.chance(settings.seed, group + first)
        found = _through(batch, member, times, settings)
        at_pauses = np.arange(len(times), found.shape[1])
        places = [
            np.concatenate([np.searchsorted(times, each.times), at_pauses])[each.looks]
            for each in member.courses
        ]
        for k, (s, w) in enumerate(zip(group, which, strict=True)):
            values[s, : len(places[w])] = found[k, places[w]]
        status[group], steps[group] = batch.status, batch.steps
        ended = np.flatnonzero(batch.status)[: MOST_REASONS - len(reasons)]
        reasons |= {int(group[s]): reason(batch, int(s), settings) for s in ended}
    return Result(values, status, steps, reasons)


def reason(batch: Batch, subject: int, settings: Settings) -> str:
    """Why the run of a subject did not go well."""
    if batch.status[subject] == NOT_STEADY:
        at = f"{batch.time[subject]:g} {batch.kernel.equations.time_unit}".strip()
        return f"{MEANING[NOT_STEADY].format(cycles=settings.ss_cycles)} (asked for by time {at})"
    return batch.why(subject)


@dataclass(frozen=True)
class _Members:
    """Subjects who pause together."""

    regimen: Regimen
    courses: Sequence[Course]
    fixed: Mapping[str, FloatArray]
    """(subject,)"""
    varying: Mapping[str, FloatArray]
    """(subject, column)"""

    def parameters(self, column: int) -> dict[str, FloatArray]:
        """What holds in a column of the parameters that vary, and all others."""
        return {**self.fixed, **{name: value[:, column] for name, value in self.varying.items()}}

    @property
    def begin(self) -> float:
        return min(0.0, self.courses[0].begin + float(self.regimen.shift[0]))

    @property
    def halts(self) -> list[tuple[float, bool, SteadyState | int | None]]:
        return [
            (each.time + float(self.regimen.shift[0]), each.late, each.do) for each in self.courses[0].halts
        ]


_TOGETHER = 16
"""So many subjects at least run side by side, though they are seen at different times."""


def _groups(regimen: Regimen, courses: Sequence[Course]) -> Iterator[tuple[IntArray, FloatArray]]:
    """Subjects who begin and pause together, and all times at which one of them is seen."""
    seen: dict[int, bytes] = {}
    together: dict[Any, dict[bytes, list[int]]] = {}
    for s, (which, shift) in enumerate(zip(regimen.which, regimen.shift, strict=True)):
        course = courses[which]
        key = (
            min(0.0, course.begin + shift),
            tuple(
                (h.time + shift, h.late, "" if isinstance(h.do, SteadyState) else h.do) for h in course.halts
            ),
        )
        if id(course.times) not in seen:
            seen[id(course.times)] = course.times.tobytes()
        together.setdefault(key, {}).setdefault(seen[id(course.times)], []).append(s)
    for alike in together.values():
        members: list[int] = []
        times: list[FloatArray] = []
        for at, (stream, more) in enumerate(alike.items(), start=1):
            members += more
            times.append(np.frombuffer(stream))
            if len(members) >= _TOGETHER or at == len(alike):
                yield np.array(members), times[0] if len(times) == 1 else np.unique(np.concatenate(times))
                members, times = [], []


def _through(batch: Batch, members: _Members, times: FloatArray, settings: Settings) -> FloatArray:
    """One group from its start to the end, pausing where its courses do: what is seen on the way, then at pauses."""
    on_the_way, at_pauses = [], []
    done, seen_to, column = float(batch.time[0]), 0, 0
    for k, (end, late, do) in enumerate([*members.halts, (math.inf, True, 0)]):
        last = end == math.inf
        end = max([done, *times[-1:]]) if last else end
        upto = int(np.searchsorted(times, end, side="right" if late else "left"))
        inside = times[seen_to:upto]
        rows = [_piece(course, k) for course in members.courses]
        seen = batch.advance(
            end,
            to_doses(members.regimen, batch.kernel, rows),
            times=inside if do is not None else np.append(inside, end),
            stop=not last,
            more=not late,
            threads=settings.threads,
        ).values
        on_the_way.append(seen[:, : len(inside)])
        done, seen_to = end, upto
        if last:
            break
        if do is None:
            at_pauses.append(seen[:, -1:])
        elif isinstance(do, SteadyState):
            _settle(batch, members, members.parameters(column), k, end, settings)
        else:
            column = do
            batch.give(members.parameters(column))
    return np.concatenate([*on_the_way, *at_pauses], axis=1)


def _piece(course: Course, k: int) -> slice:
    """The rows between the pause before and the k-th one."""
    bounds = [0, *(each.before for each in course.halts), len(course.schedule)]
    return slice(bounds[k], bounds[k + 1])


def _settle(
    batch: Batch,
    subjects: _Members,
    parameters: Mapping[str, FloatArray],
    k: int,
    now: float,
    settings: Settings,
) -> None:
    """Bring every subject to the steady state that its schedule asks for, cycle by cycle.

    Inputs that run are left to the schedule, which says what of them goes on.
    """
    regimen = subjects.regimen
    for which, course in enumerate(subjects.courses):
        members, request = np.flatnonzero(regimen.which == which), course.halts[k].do
        assert isinstance(request, SteadyState)
        mine = {name: value[members] for name, value in parameters.items()}
        found = _steady_state(batch.kernel, request, now, mine, regimen.scale[members], settings)
        new, y = batch.y.copy(), found.y
        if request.mode == 2:
            # what is there already, and what an endless series adds to the undosed state
            y = y + batch.y[members] - batch.kernel.start(len(members), mine, t0=now).y
        new[members] = y
        batch.put(new)
        batch.steps[members] += found.steps
        fresh = batch.status[members] == 0
        batch.status[members[fresh]] = found.status[fresh]


@dataclass(frozen=True)
class _Steady:
    """y : (subject, state) just before the next dose      status, steps : (subject,)"""

    y: FloatArray
    status: IntArray
    steps: IntArray


def _steady_state(
    kernel: Kernel,
    request: SteadyState,
    now: float,
    parameters: Mapping[str, Any],
    scale: FloatArray,
    settings: Settings,
) -> _Steady:
    """An endless series, cycle by cycle until what is still to come is less than ss_rtol of each state."""
    n = len(scale)
    cycle = request.interval or settings.constant_cycle
    start = now - cycle
    schedule = _one_cycle(request, start, cycle)
    doses = to_doses(Regimen((schedule,), np.zeros(n, int), scale, np.zeros(n)), kernel)
    batch = kernel.start(n, parameters, t0=start, tolerances=settings.tolerances)
    lasting = _lasting(kernel)
    largest, change = np.abs(batch.y), np.full(batch.y.shape, np.inf)
    steady = np.zeros(n, dtype=bool)
    for cycles in range(1, settings.ss_cycles + 1):
        before, last = batch.y.copy(), change
        batch.advance(now, doses, stop=True, threads=settings.threads)
        largest = np.maximum(largest, np.abs(batch.y))
        change = np.abs(batch.y - before)
        # each cycle changes less by this share, so the changes to come add up to a geometric series
        share = np.divide(change, last, out=np.zeros_like(change), where=last > 0)
        ahead = change / np.maximum(1.0 - share, 1e-4)
        steady = (ahead <= settings.ss_rtol * largest)[:, lasting].all(axis=1)
        if (steady | (batch.status != 0)).all():
            break
        guess = batch.y.copy()
        if cycles % 10 == 0:  # all that is still to come at once, where it shrinks; what follows checks it
            shrinks = (share > 0.0) & (share < 0.9999)
            guess += np.where(
                shrinks, (batch.y - before) * share / (1.0 - np.where(shrinks, share, 0.0)), 0.0
            )
        batch.put(guess, time=start, inputs_off=True)
    status = np.where(batch.status != 0, batch.status, np.where(steady, 0, NOT_STEADY))
    return _Steady(batch.y, status, batch.steps)


def _one_cycle(request: SteadyState, start: float, cycle: float) -> Schedule:
    """What goes on in one interval; an infusion longer than it, or begun late in it, overlaps with the next."""
    rows = []
    if request.rate == 0.0:
        rows = [(start + request.lag, ADD, request.target, request.amount)]
    elif request.interval == 0.0:
        rows = [(start, RATE, request.target, request.rate), (start + cycle, STOP, -1, 0.0)]
    else:
        overlapping, rest = divmod(request.amount / request.rate, cycle)
        on, off = request.lag, request.lag + rest
        rows = [(start, RATE, request.target, request.rate * (overlapping + (off > cycle)))]
        changes = [(on, request.rate), (off - cycle if off > cycle else off, -request.rate)]
        rows += [(start + at, RATE, request.target, by) for at, by in sorted(changes) if rest > 0]
    time, action, target, value = zip(*rows, strict=True)
    return Schedule(np.array(time), np.array(action), np.array(target), np.array(value))


def _lasting(kernel: Kernel) -> BoolArray:
    """States that some rate rests on. Others only count (amounts excreted, say) and never settle."""
    g = kernel.equations.graph
    used = g.symbols(kernel.equations.rates)
    return np.array([name in used for name in kernel.states])


__all__ = [
    "ADD",
    "MEANING",
    "NOT_STEADY",
    "RATE",
    "RESET",
    "STOP",
    "Result",
    "Settings",
    "follow",
    "follow_courses",
    "to_doses",
]
