"""Dosing tables in the manner of NONMEM: `ID TIME EVID AMT CMT RATE II ADDL SS F LAG DUR`.

EVID: 0 observation, 1 dose, 2 other (a stop), 3 reset, 4 reset and dose. CMT: the id of a species, or its
number among those that can be dosed. AMT is in the model's unit of amount. RATE > 0 is an infusion that lasts
AMT/RATE; -1 takes the rate from the model's parameter R_ and the compartment's id, -2 the duration from DUR.
ADDL more doses follow, each II after the one before. SS=1 puts the steady state of the dose in place of the
present state, SS=2 adds it; then the dose is given. SS with AMT=0, RATE>0 and II=0 is the steady state of a
constant infusion, which ends there. F is the part of AMT that is absorbed: it leaves RATE as it is, and so
lengthens or shortens the infusion, and leaves DUR as it is. LAG (or ALAG) is how long after TIME the dose and
its additional doses begin. `.` is empty. A column named like a parameter is its value in time (`covariates`).

At one time: infusions end, then doses that fall due (additional and lagged ones), then rows follow each other as
in the table; output times that no row of the table asks for come last. A reset (EVID 3, 4) and SS=1 call off what
earlier rows have still to give. Where TIME starts again after a reset, a new occasion begins.

>>> from lissive.model.equations import Equations
>>> from lissive.model.expression import Graph
>>> import pandas as pd
>>> model = Equations("a", Graph(), ("gut",), (0,), (0,), {}, {}, dose_targets={"gut": 0})
>>> columns = "ID TIME EVID AMT II ADDL".split()
>>> rows = pd.DataFrame([[1, 0, 1, 5, 12, 2], [1, 30, 0, 0, 0, 0]], columns=columns)
>>> table = read_events(rows, model)
>>> regimen_of(table).schedules[0].time.tolist(), table.runs[0].observed.tolist()
([0.0, 12.0, 24.0], [30.0])
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.arrays import FloatArray, IntArray
from lissive.errors import EventError
from lissive.files import atomic_path, write_rows
from lissive.model.equations import Equations
from lissive.simulation.covariates import check_mode, filled
from lissive.simulation.event_cells import COLUMNS, from_csv, from_frame
from lissive.simulation.event_rows import Rows, check
from lissive.simulation.limits import afford
from lissive.simulation.schedule import (
    ADD,
    RATE,
    RESET,
    STOP,
    Course,
    Halt,
    Regimen,
    Schedule,
    SteadyState,
    doses,
)
from lissive.simulation.unroll import Rates, Record, unroll

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ADD",
    "COLUMNS",
    "RATE",
    "RESET",
    "STOP",
    "EventTable",
    "Regimen",
    "Run",
    "Schedule",
    "SteadyState",
    "course_of",
    "doses",
    "export_events",
    "read_events",
    "regimen_of",
]


@dataclass(frozen=True, eq=False)
class Run:
    """One subject on one occasion: their rows of a dosing table."""

    subject: int | str
    occasion: int
    records: tuple[Record, ...]
    """In the order of the table; many runs may share them."""
    varying: Mapping[str, FloatArray]
    """Parameter to its (record,) values; all NaN where this subject has none."""
    carried: Mapping[str, Sequence[Any]]
    """Column that is not used to its (record,) cells."""
    first: int = 0
    """Place of its first row in the table."""

    @cached_property
    def time(self) -> tuple[float, ...]:
        return tuple(record.time for record in self.records)

    @cached_property
    def seen(self) -> IntArray:
        """The records that are observations."""
        return np.array([r for r, record in enumerate(self.records) if record.evid == 0], dtype=np.int64)

    @property
    def observed(self) -> FloatArray:
        """Times of the observation rows."""
        return np.array(self.time)[self.seen]


@dataclass(frozen=True, eq=False)
class EventTable:
    """A dosing table, read."""

    runs: tuple[Run, ...]
    """In the order of the table."""
    covariates: str
    """How parameters vary between rows: nocb or locf."""
    notes: tuple[str, ...] = ()
    """What was left aside or taken for granted, in sentences."""
    source: Path | None = None
    """The file that it was read from."""

    def place(self, run: Run, record: int) -> str:
        """Where a row is, `file:line`; for this the file is read again, and no line numbers are kept."""
        row = run.first + record
        return from_csv(self.source).where[row] if self.source else f"events, row {row + 1}"

    @cached_property
    def subjects(self) -> tuple[int | str, ...]:
        """IDs in the order of the table."""
        return tuple(dict.fromkeys(run.subject for run in self.runs))

    @property
    def varying(self) -> tuple[str, ...]:
        """Parameters of the model that have a column."""
        return tuple(self.runs[0].varying)

    @property
    def carried(self) -> tuple[str, ...]:
        """Columns that are not used."""
        return tuple(self.runs[0].carried)

    def values(self) -> dict[str, FloatArray]:
        """Parameter that has a column to its values in all rows."""
        return {name: np.concatenate([run.varying[name] for run in self.runs]) for name in self.varying}

    @cached_property
    def _by_subject(self) -> dict[int | str, list[Run]]:
        runs: dict[int | str, list[Run]] = {}
        for run in self.runs:
            runs.setdefault(run.subject, []).append(run)
        return runs

    def only(self, subject_ids: Sequence[int | str]) -> EventTable:
        """The rows of these subjects alone."""
        return replace(self, runs=tuple(run for mine in self.of(subject_ids) for run in mine))

    def of(self, subject_ids: Sequence[int | str]) -> list[list[Run]]:
        """The runs of each of these subjects."""
        runs = self._by_subject
        if missing := [subject for subject in subject_ids if subject not in runs]:
            some = ", ".join(str(subject) for subject in self.subjects[:10])
            raise EventError(
                f"ID {missing[0]} has no rows in the dosing table.",
                where="ID",
                allowed=f"{some}{', and more' if len(self.subjects) > 10 else ''}.",
                do="add its rows, or leave the subject out.",
            )
        return [runs[subject] for subject in subject_ids]


def read_events(
    table: str | Path | pd.DataFrame,
    equations: Equations,
    covariates: str = "nocb",
    used: Container[str] = (),
) -> EventTable:
    """A dosing table, checked.

    Parameters
    ----------
    table : a comma-separated file, or a DataFrame.
    covariates : value of a parameter between two rows: `nocb` the next row's, `locf` the last row's.

    Raises       EventError with all mistakes (the first ten in full), each with its line.
    """
    check_mode(covariates)
    if isinstance(table, str | Path):
        _afford_rows(Path(table))
    cells = from_csv(Path(table)) if isinstance(table, str | Path) else from_frame(table)
    said: list[str] = []
    if equations.name == "lissive":
        from lissive.simulation.products import in_compartments

        cells, said = in_compartments(cells, equations)
    rows = check(cells, equations, used)
    shared: dict[tuple[Record, ...], tuple[Record, ...]] = {}
    runs = []
    for start, stop in _blocks(rows):
        records = _records(rows, slice(start, stop))
        runs.append(
            Run(
                rows.ids[start],
                int(rows.occasion[start]),
                shared.setdefault(records, records),
                {name: filled(values[start:stop], covariates) for name, values in rows.varying.items()},
                {name: cells[start:stop] for name, cells in rows.carried.items()},
                start,
            )
        )
    notes = [*said, *rows.notes]
    if rows.varying:
        which = "next" if covariates == "nocb" else "last"
        names = ", ".join(rows.varying)
        notes.append(
            f"Time-varying parameters ({covariates}: between rows the {which} row's value holds): {names}."
        )
    return EventTable(
        tuple(runs), covariates, tuple(notes), Path(table) if isinstance(table, str | Path) else None
    )


_BYTES_A_ROW = 450
"""Memory that a row takes, measured with 40,000 subjects of 26 rows each."""


def _afford_rows(path: Path) -> None:
    """Refuse a table that would take more than the memory: it is held whole, whatever the result's format."""
    try:
        with path.open("rb") as file:
            rows = sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))
    except (OSError, ValueError):  # said where it is read
        return
    do = "run some of the IDs at a time. Random numbers go by the place of an ID in its table."
    afford(rows, _BYTES_A_ROW, what="rows of events", where=str(path), do=do)


def _blocks(rows: Rows) -> Iterator[tuple[int, int]]:
    """Rows of one subject on one occasion."""
    start = 0
    for row in range(1, len(rows.ids) + 1):
        if row == len(rows.ids) or (rows.ids[row], rows.occasion[row]) != (
            rows.ids[start],
            rows.occasion[start],
        ):
            yield start, row
            start = row


def _records(rows: Rows, part: slice) -> tuple[Record, ...]:
    columns = (
        rows.time[part],
        rows.evid[part].astype(int),
        rows.amt[part],
        rows.target[part],
        rows.rate[part],
        rows.length[part],
        rows.ii[part],
        rows.addl[part].astype(int),
        rows.ss[part].astype(int),
        rows.lag[part],
    )
    return tuple(Record(*row) for row in zip(*(column.tolist() for column in columns), strict=True))


def course_of(
    records: Sequence[Record],
    *,
    grid: FloatArray | None = None,
    changes: Sequence[tuple[int, float, bool]] = (),
    rates: Rates | None = None,
) -> Course:
    """The course of one subject's records.

    Parameters
    ----------
    grid : output times; if not given, the observation rows are what is seen.
    changes : where parameters change (see `covariates.between`); each begins a further column of theirs.
    rates : of infusions whose rate is a parameter.
    """
    schedule, ranks = unroll(records, grid, rates)
    steady = iter(schedule.steady)
    halts: list[tuple[int, float, Halt]] = []  # row of the schedule, place among the records
    for r, record in enumerate(records):
        if record.ss:
            request = next(steady)
            halts.append((request.before, r, Halt(record.time, request.before, request)))
        elif record.evid == 0 and grid is None:
            halts.append((int(ranks[r]), r, Halt(record.time, int(ranks[r]), None)))
    for column, (r, time, late) in enumerate(changes, start=1):
        before = int(np.searchsorted(schedule.time, time, side="right")) if late else int(ranks[r])
        halts.append((before, r - 0.5, Halt(time, before, column, late)))
    halts.sort(key=lambda halt: halt[:2])
    kept, looked = _pauses([halt for *_, halt in halts], schedule)
    if grid is not None:
        return Course(schedule, kept, grid, np.arange(len(grid), dtype=np.int32), records[0].time)
    times = np.unique(np.array([time for time in looked if time is not None], dtype=float))
    looks, pauses = [], len(times)
    for at in looked:
        looks.append(pauses if at is None else int(np.searchsorted(times, at)))
        pauses += at is None
    return Course(schedule, kept, times, np.array(looks, dtype=np.int32), records[0].time)


def _pauses(halts: Sequence[Halt], schedule: Schedule) -> tuple[tuple[Halt, ...], list[float | None]]:
    """Halts that are needed; and for each look its time where nothing follows it then, so that none is needed."""
    kept: list[Halt] = []
    looked: list[float | None] = []
    for halt in reversed(halts):
        dose_follows = halt.before < len(schedule) and schedule.time[halt.before] == halt.time
        halt_follows = bool(kept) and kept[-1].time == halt.time and not kept[-1].late
        needed = halt.do is not None or dose_follows or halt_follows
        if needed:
            kept.append(halt)
        if halt.do is None:
            looked.append(None if needed else halt.time)
    return tuple(reversed(kept)), looked[::-1]


def regimen_of(table: EventTable, subject_ids: Sequence[int | str] | None = None) -> Regimen:
    """The regimen of these subjects of a table, in this order; of all of them if none are named.

    Raises       EventError for an ID that has no rows, and where a rate is a parameter of the model.
    """
    runs = [run for each in table.of(table.subjects if subject_ids is None else subject_ids) for run in each]
    known: dict[tuple[Record, ...], int] = {}
    schedules: list[Schedule] = []
    for run in runs:
        if any(record.rate < 0 for record in run.records):
            raise EventError(
                "RATE is -1, which takes a parameter of the model.",
                where="regimen_of",
                allowed="rates that are numbers.",
                do="write the rates as numbers, or give the table to simulate(events=...).",
            )
        if run.records not in known:
            known[run.records] = len(schedules)
            schedules.append(unroll(run.records).schedule)
    n = len(runs)
    return Regimen(
        tuple(schedules), np.array([known[run.records] for run in runs], int), np.ones(n), np.zeros(n)
    )


# -- export -----------------------------------------------------------------------------------------
def export_events(
    regimen: Regimen, equations: Equations, path: str | Path, subject_ids: Sequence[int | str] | None = None
) -> None:
    """Write a regimen as a dosing table that NONMEM's kin and `read_events` read.

    Infusions that overlap in one compartment are written as one after the other, with the same input in sum.

    Raises
    ------
    EventError for steady states of infusions, which such a table cannot hold apart from their doses.
    """
    ids = list(range(1, len(regimen) + 1)) if subject_ids is None else list(subject_ids)
    used = {int(place) for schedule in regimen.schedules for place in schedule.target if place >= 0}
    if stray := used - set(equations.dose_targets.values()):
        raise EventError(
            f"{', '.join(equations.states[place] for place in sorted(stray))} cannot be dosed in this model.",
            where="export_events",
            allowed=f"{', '.join(equations.dose_targets)}.",
            do="dose one of these.",
        )
    if len(ids) != len(regimen):
        raise EventError(
            f"There are {len(ids)} IDs for {len(regimen)} subjects.",
            where="subject_ids",
            allowed="one ID for each subject.",
            do="give as many, or leave them out.",
        )
    number = {place: i for i, place in enumerate(equations.dose_targets.values(), start=1)}
    with atomic_path(path) as place, place.open("w", newline="", encoding="utf-8") as file:
        rows: list[Sequence[Any]] = [COLUMNS]
        for subject, which, scale, shift in zip(
            ids, regimen.which, regimen.scale, regimen.shift, strict=True
        ):
            for time, evid, amount, target, rate, interval, mode in _lines(regimen.schedules[which]):
                into = number[target] if target >= 0 else "."
                numbers = [repr(float(x)) for x in (amount * scale, rate * scale, interval)]
                when = repr(float(time + shift))
                rows.append([subject, when, evid, numbers[0], into, numbers[1], numbers[2], 0, mode])
        write_rows(file, rows)


def _is_followed_by_its_dose(request: SteadyState, schedule: Schedule) -> bool:
    at = request.before
    return (
        request.rate == request.lag == 0
        and at < len(schedule)
        and (schedule.action[at], schedule.target[at], schedule.value[at])
        == (ADD, request.target, request.amount)
    )


Line = tuple[float, int, float, int, float, float, int]


def _lines(schedule: Schedule) -> list[Line]:
    """time, EVID, amount, target, rate, II, SS of the rows that make this schedule."""
    lines: list[Line] = []
    level: dict[int, tuple[float, float, int]] = {}  # target: since when, at what rate, its place in lines
    requests = {request.before: request for request in schedule.steady}
    if not all(_is_followed_by_its_dose(request, schedule) for request in schedule.steady):
        raise EventError(
            "The steady state of an infusion or of a lagged dose cannot be written in a dosing table.",
            where="export_events",
            do="keep the table that it was read from.",
        )

    def close(target: int, until: float) -> None:
        since, rate, place = level.pop(target)
        lines[place] = (since, 1, rate * (until - since), target, rate, 0.0, 0)

    columns = (schedule.time, schedule.action, schedule.target, schedule.value)
    for i, (time, action, target, value) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
        if action == ADD:
            request = requests.get(i)
            lines.append(
                (time, 1, value, target, 0.0, *((request.interval, request.mode) if request else (0.0, 0)))
            )
        elif action == RATE:
            rate = value
            if target in level:
                rate += level[target][1]
                close(target, time)
            if rate > 0:
                level[target] = (time, rate, len(lines))
                lines.append((time, 1, 0.0, target, rate, 0.0, 0))
        else:
            if action == RESET:
                for each in list(level):
                    close(each, time)
            lines.append((time, 3 if action == RESET else 2, 0.0, -1, 0.0, 0.0, 0))
    return [line for line in lines if line[1] != 1 or line[2] > 0]
