"""Dosing tables in the manner of NONMEM: `ID TIME EVID AMT CMT RATE II ADDL SS`.

EVID: 0 observation, 1 dose, 2 other (a stop), 3 reset, 4 reset and dose. CMT: the id of a species, or its
number among those that can be dosed. AMT is in the model's unit of amount. RATE > 0 is an infusion that lasts
AMT/RATE. ADDL more doses follow, each II after the one before. SS=1 puts the steady state of the dose in
place of the present state, SS=2 adds it; then the dose is given. SS=1 with AMT=0, RATE>0 and II=0 is the
steady state of a constant infusion, which ends there. Columns are all in capitals or all in small letters;
`.` is empty.

At one time: infusions end, then rows follow each other as in the table, then the subject is observed.

>>> from lissive.model.equations import Equations
>>> from lissive.model.expression import Graph
>>> import pandas as pd
>>> model = Equations("a", Graph(), ("gut",), (0,), (0,), {}, {}, dose_targets={"gut": 0})
>>> columns = "ID TIME EVID AMT II ADDL".split()
>>> rows = pd.DataFrame([[1, 0, 1, 5, 12, 2], [1, 30, 0, 0, 0, 0]], columns=columns)
>>> table = read_events(rows, model)
>>> regimen_of(table).schedules[0].time.tolist(), table.observations[0].tolist()
([0.0, 12.0, 24.0], [30.0])
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.errors import EventError
from lissive.files import atomic_path, write_rows
from lissive.model.equations import Equations
from lissive.simulate._event_rows import COLUMNS, Rows, check, from_csv, from_frame
from lissive.simulate._unroll import unroll
from lissive.simulate.schedule import (
    ADD,
    RATE,
    RESET,
    STOP,
    EventTable,
    Floats,
    Regimen,
    Schedule,
    SteadyState,
    doses,
    regimen_of,
    share,
)

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
    "Schedule",
    "SteadyState",
    "doses",
    "export_events",
    "read_events",
    "regimen_of",
]


def read_events(table: str | Path | pd.DataFrame, equations: Equations) -> EventTable:
    """A dosing table as schedules.

    Parameters
    ----------
    table : a comma-separated file, or a data frame.
    equations : the model; `dose_targets` says what can be dosed, and in which order it is numbered.

    Raises
    ------
    EventError with file and line; the first ten findings at once.
    """
    cells = from_csv(Path(table)) if isinstance(table, str | Path) else from_frame(table)
    rows = check(cells, equations.dose_targets)
    subjects, known, each, observed = [], {}, [], []
    for subject, start, stop in _blocks(rows.ids):
        subjects.append(subject)
        records = _records(rows, start, stop)
        doses_only = tuple(record for record in records if record[1] != 0)
        if doses_only not in known:  # most subjects share their rows, so these are unrolled once
            known[doses_only] = unroll(list(doses_only))
        each.append(known[doses_only])
        observed.append(_frozen([record[0] for record in records if record[1] == 0]))
    schedules, which = share(each)
    return EventTable(tuple(subjects), schedules, which, tuple(observed), rows.notes)


def _blocks(ids: Sequence[int | str]) -> Iterator[tuple[int | str, int, int]]:
    start = 0
    for subject, rows in groupby(ids):
        stop = start + sum(1 for _ in rows)
        yield subject, start, stop
        start = stop


def _records(
    rows: Rows, start: int, stop: int
) -> list[tuple[float, int, float, int, float, float, int, int]]:
    part = slice(start, stop)
    columns = (
        rows.time[part],
        rows.evid[part].astype(int),
        rows.amt[part],
        rows.target[part],
        rows.rate[part],
        rows.ii[part],
        rows.addl[part].astype(int),
        rows.ss[part].astype(int),
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _frozen(times: list[float]) -> Floats:
    array = np.array(times, dtype=float)
    array.flags.writeable = False
    return array


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
        )
    if len(ids) != len(regimen):
        raise EventError(f"There are {len(ids)} IDs for {len(regimen)} subjects.", where="subject_ids")
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
        request.rate == 0
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
            "The steady state of an infusion cannot be written in a dosing table.",
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
