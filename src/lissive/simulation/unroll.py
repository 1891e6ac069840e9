"""From the rows of one subject in a dosing table to their schedule: ADDL, II, lags, infusions, resets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from lissive.arrays import FloatArray, IntArray
from lissive.errors import EventError
from lissive.simulation.schedule import ADD, RATE, RESET, STOP, Schedule, SteadyState

MOST_OVERLAPS = 1_000
"""Infusions that run at once in a steady state."""

_SAME = 1e-12
"""Times closer than this share of the numbers that they were added up from are one."""


class Record(NamedTuple):
    """One row, checked."""

    time: float
    evid: int
    amount: float = 0.0
    target: int = -1
    rate: float = 0.0
    """0 at once, over 0 an infusion, below 0 an infusion whose rate is a parameter."""
    length: float = 0.0
    interval: float = 0.0
    additional: int = 0
    ss: int = 0
    lag: float = 0.0

    @property
    def dosed(self) -> bool:
        return self.evid in (1, 4)


class ByParameter(NamedTuple):
    """The rate of infusions into one state, where it is a parameter of the model."""

    own: FloatArray
    """(record,) as each record has it."""
    breaks: FloatArray
    """(break,) times at which it changes, increasing."""
    values: FloatArray
    """(break + 1,) up to each of them, and after the last."""


Rates = Mapping[int, ByParameter]
"""By place of the state."""


class Unrolled(NamedTuple):
    schedule: Schedule
    ranks: IntArray
    """(record,) how many rows of the schedule come before the record acts."""


def unroll(
    records: Sequence[Record], anchors: FloatArray | None = None, rates: Rates | None = None
) -> Unrolled:
    """The schedule of one subject's records, which are in the order of the table.

    At one time infusions end first, then doses that fall due (additional and lagged ones), then records follow
    each other as in the table. A reset, and a steady state that takes the place of the present (SS=1), also end
    the infusions that run and call off all doses of earlier records that are still to come, as in NONMEM.

    anchors : further times, beside those of the records, that a dose which falls due there does not miss by a
        rounding error.
    """
    own = np.array([record.time for record in records])
    near: FloatArray = np.unique(own if anchors is None else np.concatenate([own, anchors])).astype(float)
    if all(r.evid not in (3, 4) and r.rate == 0 and not r.ss for r in records):
        return _unroll_plain(records, near)
    return _unroll_any(records, near, rates or {})


def _due(record: Record, anchors: FloatArray) -> FloatArray:
    """Times at which a record's doses begin."""
    if record.amount == 0:
        return np.zeros(0)
    lag, count = record.lag, record.additional + 1
    if record.ss and record.lag >= record.interval:  # an earlier dose of the endless series is still to come
        lag, count = lag - record.interval, count + 1
    if not math.isfinite(record.time + lag + count * record.interval):
        raise EventError(
            f"The doses of the row at TIME {record.time:g} go on without end.",
            where="II",
            do="check II and ADDL.",
        )
    times = np.array(record.time + lag + np.arange(count) * record.interval, dtype=np.float64)
    return snapped(times, anchors, abs(record.time) + lag)


def snapped(times: FloatArray, anchors: FloatArray, size: float = 0.0) -> FloatArray:
    """`times`, each as the anchor that it misses by no more than a rounding error.

    anchors : increasing.      size : of numbers that the times were added up from.

    >>> snapped(np.array([0.1 + 2 * 0.1, 1.0]), np.array([0.3, 2.0])).tolist()
    [0.3, 1.0]
    """
    moved = times.copy()
    place = np.clip(np.searchsorted(anchors, times), 1, max(len(anchors) - 1, 1))
    for near in (anchors[place - 1], anchors[np.minimum(place, len(anchors) - 1)]):
        np.copyto(moved, near, where=abs(times - near) <= _SAME * (size + abs(times)))
    return moved


def _unroll_plain(records: Sequence[Record], anchors: FloatArray) -> Unrolled:
    """Doses at once and stops only, which most tables are: the same as `_unroll_any`, on whole columns."""
    due = [_due(record, anchors) if record.dosed else np.zeros(0) for record in records]
    n = len(records)
    row = np.concatenate([np.arange(n), np.repeat(np.arange(n), [len(times) for times in due])])
    time, evid, amount, target = (np.array(c) for c in list(zip(*records, strict=True))[:4])
    when = np.concatenate([time, *due])
    order = np.lexsort((row, when))  # a record itself comes before its dose, as it is before it here
    row, is_dose = row[order], order >= n
    given = is_dose | (evid[row] == 2)
    ranks = np.zeros(n, dtype=np.int64)
    ranks[row[~is_dose]] = (np.cumsum(given) - given)[~is_dose]
    row, when, is_dose = row[given], when[order][given], is_dose[given]
    schedule = Schedule(
        when,
        np.where(is_dose, ADD, STOP),
        np.where(is_dose, target[row], -1),
        np.where(is_dose, amount[row], 0.0),
    )
    return Unrolled(schedule, ranks)


@dataclass
class _Sweep:
    """The subject as time goes on: rows so far, infusions that run, doses that are called off."""

    ranks: IntArray
    rows: list[tuple[float, int, int, float]] = field(default_factory=list)
    steady: list[SteadyState] = field(default_factory=list)
    running: dict[Any, tuple[int, float]] = field(default_factory=dict)
    input: dict[int, float] = field(default_factory=dict)
    called_off: int = -1
    """Doses of records before this one are not given any more."""

    def act(self, time: float, record: int, evid: int) -> None:
        self.ranks[record] = len(self.rows)
        if evid == 2:
            self.rows.append((time, STOP, -1, 0.0))
        elif evid in (3, 4):
            self.rows.append((time, RESET, -1, 0.0))
            self.running.clear()
            self.input.clear()
            self.called_off = record

    def give(self, time: float, record: int, target: int, amount: float) -> None:
        if record >= self.called_off:
            self.rows.append((time, ADD, target, amount))

    def start(self, time: float, record: int, target: int, rate: float, key: Any) -> None:
        if record >= self.called_off:
            self.running[key] = (target, rate)
            self.turn(time, target)

    def change(self, time: float, rate: float, key: Any) -> None:
        if key in self.running:
            target, _ = self.running[key]
            self.running[key] = (target, rate)
            self.turn(time, target)

    def end(self, time: float, key: Any) -> None:
        if key in self.running:
            target, _ = self.running.pop(key)
            self.turn(time, target)

    def settle(self, time: float, record: int, request: dict[str, Any], still: list[Any]) -> None:
        asked = SteadyState(time=time, before=len(self.rows), **request)
        self.steady.append(asked)
        if asked.mode == 1:
            self.running.clear()
            self.called_off = record
        self.running.update(dict.fromkeys(still, (asked.target, asked.rate)))
        for target in sorted({asked.target, *self.input}):
            self.turn(time, target)

    def turn(self, time: float, target: int) -> None:
        """A row that brings the input of `target` to what runs now; exactly 0 where nothing does."""
        total = math.fsum(rate for into, rate in self.running.values() if into == target)
        change = total - self.input.get(target, 0.0)
        if change != 0:
            self.rows.append((time, RATE, target, change))
            self.input[target] = self.input.get(target, 0.0) + change


Item = tuple[float, int, int, int, str, tuple[Any, ...]]
"""time, phase (0 what ends, 1 what acts), record, part, what, of what."""


def _unroll_any(records: Sequence[Record], anchors: FloatArray, rates: Rates) -> Unrolled:
    queue: list[Item] = []
    for r, record in enumerate(records):
        queue.append((record.time, 1, r, 0, "act", (r, record.evid)))
        if not record.dosed:
            continue
        if record.ss:
            rate = record.rate if record.rate >= 0 else float(rates[record.target].own[r])
            queue += _settled(r, record, rate)
        for k, start in enumerate(_due(record, anchors).tolist()):
            if record.rate < 0:
                queue += _infused(r, k, record, start, rates[record.target])
            elif record.rate > 0 and start + record.length > start:
                queue.append((start, 1, r, 2, "start", (r, record.target, record.rate, (r, k))))
                queue.append((start + record.length, 0, r, 0, "end", ((r, k),)))
            else:
                queue.append((start, 1, r, 2, "give", (r, record.target, record.amount)))
    queue.sort(key=lambda item: item[:4])
    sweep = _Sweep(np.zeros(len(records), dtype=np.int64))
    for time, _, _, _, what, arguments in queue:
        getattr(sweep, what)(time, *arguments)
    return Unrolled(_schedule(sweep), sweep.ranks)


def _settled(r: int, record: Record, rate: float) -> Iterator[Item]:
    """The request of a steady state, and the ends of infusions of its series that have not ended by then."""
    cycle = record.interval
    lag = record.lag - cycle if cycle and record.lag >= cycle else record.lag
    length = record.length if record.rate >= 0 else record.amount / rate
    earlier = range(1, math.ceil((length + lag) / cycle) if cycle > 0 and rate > 0 else 0)
    if len(earlier) > MOST_OVERLAPS:
        raise EventError(
            f"At the steady state of TIME {record.time:g} {len(earlier)} infusions run at once.",
            where="RATE",
            allowed=f"up to {MOST_OVERLAPS}.",
            do="check AMT, RATE, DUR and II, or the parameter that RATE -1 takes.",
        )
    ends = {(r, -k): record.time + lag - k * cycle + length for k in earlier}
    still = [key for key, end in ends.items() if end > record.time]
    request = {"amount": record.amount, "target": record.target, "rate": rate, "interval": cycle}
    yield record.time, 1, r, 1, "settle", (r, {**request, "mode": record.ss, "lag": lag}, still)
    for key in still:
        yield ends[key], 0, r, 0, "end", (key,)


def _infused(r: int, k: int, record: Record, start: float, rate: ByParameter) -> Iterator[Item]:
    """An infusion whose rate is a parameter: it goes on, at the rate of each time, until all is given."""
    place = int(np.searchsorted(rate.breaks, start, side="right"))
    now, rest, key = start, record.amount, (r, k)
    changes: list[Item] = []
    while place < len(rate.breaks) and rest > rate.values[place] * (rate.breaks[place] - now):
        rest -= float(rate.values[place] * (rate.breaks[place] - now))
        now, place = float(rate.breaks[place]), place + 1
        changes.append((now, 0, r, 0, "change", (float(rate.values[place]), key)))
    end = now + rest / float(rate.values[place])
    if end <= start:  # over within a rounding error
        yield start, 1, r, 2, "give", (r, record.target, record.amount)
        return
    first = float(rate.values[place - len(changes)])
    yield start, 1, r, 2, "start", (r, record.target, first, key)
    yield from changes
    yield end, 0, r, 1, "end", (key,)


def _schedule(sweep: _Sweep) -> Schedule:
    time, action, target, value = zip(*sweep.rows, strict=True) if sweep.rows else ((), (), (), ())
    return Schedule(np.array(time), np.array(action), np.array(target), np.array(value), tuple(sweep.steady))
