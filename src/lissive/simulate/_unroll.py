"""From the rows of one subject in a dosing table to their schedule: ADDL, II, infusions, resets."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lissive.simulate.schedule import ADD, RATE, RESET, STOP, Schedule, SteadyState

Row = tuple[float, int, float, int, float, float, int, int]
"""time, evid, amount, target, rate, interval, additional, steady state."""


@dataclass
class _Sweep:
    """The subject as time goes on: rows so far, infusions that run, doses that are called off."""

    rows: list[tuple[float, int, int, float]] = field(default_factory=list)
    steady: list[SteadyState] = field(default_factory=list)
    running: dict[Any, tuple[int, float]] = field(default_factory=dict)
    input: dict[int, float] = field(default_factory=dict)
    called_off: int = -1
    """Additional doses of records up to here are not given any more."""

    def stop(self, time: float, *_: Any) -> None:
        self.rows.append((time, STOP, -1, 0.0))

    def reset(self, time: float, record: int) -> None:
        self.rows.append((time, RESET, -1, 0.0))
        self.running.clear()
        self.input.clear()
        self.called_off = record

    def start(self, time: float, record: int, target: int, amount: float, rate: float, key: Any) -> None:
        if key[1] > 0 and record < self.called_off:
            return
        if rate > 0 and time + amount / rate > time:
            self.running[key] = (target, rate)
            self.turn(time, target)
        else:
            self.rows.append((time, ADD, target, amount))

    def end(self, time: float, key: Any) -> None:
        if key in self.running:
            target, _ = self.running.pop(key)
            self.turn(time, target)

    def settle(
        self, time: float, record: int, request: SteadyState, still: dict[Any, tuple[int, float]]
    ) -> None:
        self.steady.append(request)
        if request.mode == 1:
            self.running.clear()
            self.called_off = record
        self.running.update(still)
        for target in sorted({request.target, *self.input}):
            self.turn(time, target)

    def turn(self, time: float, target: int) -> None:
        """A row that brings the input of `target` to what runs now; exactly 0 where nothing does."""
        total = math.fsum(rate for into, rate in self.running.values() if into == target)
        change = total - self.input.get(target, 0.0)
        if change != 0:
            self.rows.append((time, RATE, target, change))
            self.input[target] = self.input.get(target, 0.0) + change


def unroll(records: list[Row]) -> Schedule:
    """The schedule of one subject's records, which are in the order of the table.

    At one time infusions end first; then records follow each other as in the table. A reset, and a steady
    state that takes the place of the present (SS=1), also end the infusions that run and call off the
    additional doses of earlier records, as in NONMEM.
    """
    if records and all(evid in (1, 2) and rate == 0 and not ss for _, evid, _, _, rate, _, _, ss in records):
        return _unroll_plain(records)
    return _unroll_any(records)


def _unroll_plain(records: list[Row]) -> Schedule:
    """Doses at once and stops only, which most tables are: the same as `_unroll_any`, on whole columns."""
    time, evid, amount, target, _, interval, additional, _ = (np.array(c) for c in zip(*records, strict=True))
    times = np.where(evid == 1, additional, 0).astype(int) + 1
    row = np.repeat(np.arange(len(records)), times)
    k = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    when = time[row] + k * interval[row]
    row, when = (column[np.argsort(when, kind="stable")] for column in (row, when))
    dosed = evid[row] == 1
    return Schedule(
        when.astype(float),
        np.where(dosed, ADD, STOP),
        np.where(dosed, target[row], -1),
        np.where(dosed, amount[row], 0.0),
    )


def _unroll_any(records: list[Row]) -> Schedule:
    queue: list[tuple[float, int, int, int, str, Any]] = []  # time, phase, record, part, what, of what
    for r, (time, evid, amount, target, rate, interval, additional, ss) in enumerate(records):
        if evid == 2:
            queue.append((time, 1, r, 0, "stop", ()))
        if evid in (3, 4):
            queue.append((time, 1, r, 0, "reset", (r,)))
        if evid not in (1, 4):
            continue
        length = amount / rate if rate > 0 else 0.0
        if ss:
            queue.append((time, 1, r, 1, "settle", (r, records[r])))
            earlier = range(1, math.ceil(length / interval) if interval > 0 else 0)
            queue += [(time - k * interval + length, 0, r, 0, "end", ((r, -k),)) for k in earlier]
        if amount == 0:
            continue
        for k in range(additional + 1):
            start = time + k * interval
            queue.append((start, 1, r, 2, "start", (r, target, amount, rate, (r, k))))
            if length > 0:
                queue.append((start + length, 0, r, 0, "end", ((r, k),)))
    queue.sort(key=lambda item: item[:4])
    return _schedule(_swept(queue))


def _swept(queue: list[tuple[float, int, int, int, str, Any]]) -> _Sweep:
    sweep = _Sweep()
    for time, _, _, _, what, arguments in queue:
        if what == "settle":
            r, row = arguments
            _, _, amount, target, rate, interval, _, ss = row
            request = SteadyState(time, amount, target, rate, interval, ss, before=len(sweep.rows))
            sweep.settle(time, r, request, _still_running(r, row))
        else:
            getattr(sweep, what)(time, *arguments)
    return sweep


def _still_running(record: int, row: Row) -> dict[Any, tuple[int, float]]:
    """Infusions of an endless series that have not ended when the next one begins."""
    time, _, amount, target, rate, interval, _, _ = row
    if rate <= 0 or interval <= 0:
        return {}
    length = amount / rate
    earlier = range(1, math.ceil(length / interval))
    return {(record, -k): (target, rate) for k in earlier if time - k * interval + length > time}


def _schedule(sweep: _Sweep) -> Schedule:
    if not sweep.rows:
        return Schedule(
            np.zeros(0), np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0), tuple(sweep.steady)
        )
    time, action, target, value = zip(*sweep.rows, strict=True)
    return Schedule(
        np.array(time),
        np.array(action, np.int32),
        np.array(target, np.int32),
        np.array(value),
        tuple(sweep.steady),
    )
