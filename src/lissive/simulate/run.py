"""Subjects on their schedules through a kernel, steady states included.

`follow` is the open loop: all doses are known. The closed loop is in `titrate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lissive.simulate.engine import STATUS, Batch, Doses, Kernel, Tolerances
from lissive.simulate.schedule import ADD, RATE, RESET, STOP, Regimen, Schedule, SteadyState

Floats = npt.NDArray[np.float64]

NOT_STEADY = 4
MEANING = {
    **STATUS,
    NOT_STEADY: "did not reach a steady state in {cycles} cycles; give the earlier doses as rows (ADDL) instead of SS",
}
"""What a subject's status means; the engine's, and one more."""

MOST_REASONS = 100
"""So many runs that ended are looked into; of the others the kind is said."""


@dataclass(frozen=True)
class Settings:
    """How a run is done; part of its provenance."""

    tolerances: Tolerances = field(default_factory=Tolerances)
    threads: int = 1
    ss_rtol: float = 1e-6
    """A steady state is reached when no state changes by more than this share in one interval."""
    ss_cycles: int = 1000
    constant_cycle: float = 24.0
    """Interval by which a constant infusion is looked at [model time]."""


@dataclass(frozen=True)
class Result:
    """values : (subject, time, output)    status : (subject,)    steps : (subject,)

    reasons : subject to why its run ended, for the first MOST_REASONS that did not go well.
    """

    values: Floats
    status: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]
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
    times: Floats,
    settings: Settings,
) -> Result:
    """All subjects of a regimen, observed at `times` (increasing, from 0 on).

    A run starts at 0, or with the first event where that is earlier.
    """
    subjects = len(regimen)
    values = np.full((subjects, len(times), len(kernel.outputs)), np.nan)
    reasons: dict[int, str] = {}
    status, steps = np.zeros(subjects, np.int64), np.zeros(subjects, np.int64)
    for group, moments in _groups(regimen):
        part = Regimen(regimen.schedules, regimen.which[group], regimen.scale[group], regimen.shift[group])
        mine = {
            name: np.broadcast_to(np.asarray(value, float), subjects)[group]
            for name, value in parameters.items()
        }
        begin = _begin(part)
        batch = kernel.start(len(part), mine, t0=begin, tolerances=settings.tolerances)
        values[group] = _through(batch, part, mine, times, moments, settings)
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


def _begin(regimen: Regimen) -> float:
    first = [
        min([*s.time[:1], *(each.time for each in s.steady[:1])], default=0.0) for s in regimen.schedules
    ]
    return float(
        min([0.0, *(first[w] + shift for w, shift in zip(regimen.which, regimen.shift, strict=True))])
    )


def _groups(regimen: Regimen) -> list[tuple[npt.NDArray[np.int64], tuple[float, ...]]]:
    """Subjects whose steady states are asked for at the same times, with those times."""
    groups: dict[tuple[float, ...], list[int]] = {}
    asked = [tuple(each.time for each in s.steady) for s in regimen.schedules]
    for s, (which, shift) in enumerate(zip(regimen.which, regimen.shift, strict=True)):
        groups.setdefault(tuple(t + shift for t in asked[which]), []).append(s)
    return [(np.array(subjects), moments) for moments, subjects in groups.items()]


def _through(
    batch: Batch,
    regimen: Regimen,
    parameters: Mapping[str, Any],
    times: Floats,
    moments: tuple[float, ...],
    settings: Settings,
) -> Floats:
    """One group from 0 to the last time, halting at each moment for its steady state."""
    pieces = []
    done = float(batch.time[0])
    for k in range(len(moments) + 1):
        last = k == len(moments)
        end = max(float(times[-1]), done) if last else moments[k]
        inside = times[(times >= done) & ((times <= end) if last else (times < end))]
        rows = [_piece(schedule, k) for schedule in regimen.schedules]
        seen = batch.advance(
            end, to_doses(regimen, batch.kernel, rows), times=inside, stop=not last, threads=settings.threads
        )
        pieces.append(seen.values)
        if not last:
            _settle(batch, regimen, parameters, k, end, settings)
        done = end
    return np.concatenate(pieces, axis=1)


def _piece(schedule: Schedule, k: int) -> slice:
    """The rows between the steady state before and the k-th one."""
    bounds = [0, *(each.before for each in schedule.steady), len(schedule)]
    return slice(bounds[min(k, len(bounds) - 2)], bounds[min(k + 1, len(bounds) - 1)])


def _settle(
    batch: Batch, regimen: Regimen, parameters: Mapping[str, Any], k: int, now: float, settings: Settings
) -> None:
    """Bring every subject to the steady state that its schedule asks for, cycle by cycle.

    Inputs that run are left to the schedule, which says what of them goes on.
    """
    asked = [schedule.steady[k] if k < len(schedule.steady) else None for schedule in regimen.schedules]
    for which, request in enumerate(asked):
        members = np.flatnonzero(regimen.which == which)
        if request is None or not len(members):
            continue
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

    y: Floats
    status: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]


def _steady_state(
    kernel: Kernel,
    request: SteadyState,
    now: float,
    parameters: Mapping[str, Any],
    scale: Floats,
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
    """What goes on in one interval; an infusion longer than it overlaps with those before."""
    rows = []
    if request.rate == 0.0:
        rows = [(start, ADD, request.target, request.amount)]
    elif request.interval == 0.0:
        rows = [(start, RATE, request.target, request.rate), (start + cycle, STOP, -1, 0.0)]
    else:
        overlapping, rest = divmod(request.amount / request.rate, cycle)
        rows = [(start, RATE, request.target, request.rate * (overlapping + (rest > 0)))]
        if rest > 0:
            rows.append((start + rest, RATE, request.target, -request.rate))
    time, action, target, value = zip(*rows, strict=True)
    return Schedule(np.array(time), np.array(action), np.array(target), np.array(value))


def _lasting(kernel: Kernel) -> npt.NDArray[np.bool_]:
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
    "to_doses",
]
