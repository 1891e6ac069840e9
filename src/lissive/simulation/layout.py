"""What the result of a run looks like, whichever of its subjects are in it: so that parts fit together.

One subject's rows do not say how many another has, or whether a column holds numbers in all of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lissive.arrays import FloatArray, IntArray
from lissive.simulation.covariates import at_times
from lissive.simulation.event_cells import is_missing
from lissive.simulation.event_rows import number_of as number_in
from lissive.simulation.events import EventTable, Run

_OF_A_ROW = ("DV", "MDV")
"""Columns that are true of their own row only."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Of all subjects together."""

    times: FloatArray | None
    """(time,) that all are observed at; None where subjects have times of their own."""
    rows: int
    """The most observations that a subject has."""
    runs_before: IntArray
    """(subject + 1,) runs of the subjects before each; of one replicate. Empty where each has as many."""
    each: int = 1
    """Runs of a subject, where each has as many."""
    several: bool = False
    """Whether somebody has several occasions."""
    texts: bool = False
    """Whether an ID is a text."""
    numeric: frozenset[str] = frozenset()
    """Columns that are carried and hold only numbers."""
    dosed: tuple[int, ...] = ()
    """Places in Equations.states that are given something."""
    doses: bool = False
    """Whether there are rows that are no observations ..."""
    lag: bool = False
    """... and whether one of them has a lag."""
    notes: tuple[str, ...] = ()


def layout_of(
    table: EventTable | None, ids: Sequence[int | str], grid: FloatArray | None, replicates: int
) -> Layout:
    """ids : of the subjects of one replicate."""
    texts = not isinstance(ids, range) and any(isinstance(each, str) for each in ids)
    none = np.zeros(0, np.int64)
    if table is None:
        assert grid is not None
        return Layout(grid, len(grid), none, texts=texts)
    alike = len(table.subjects) == 1
    whose = [list(table.runs)] if alike else table.of(ids)
    runs = [run for mine in whose for run in mine]
    records = {id(run.records): run.records for run in runs}
    rows = [record for each in records.values() for record in each]
    return Layout(
        times=_shared(runs) if grid is None else grid,
        rows=max(len(run.seen) for run in runs) if grid is None else len(grid),
        runs_before=none if alike else np.cumsum([0, *map(len, whose)]),
        each=len(table.runs),
        several=max(run.occasion for run in runs) > 1,
        texts=texts,
        numeric=frozenset(name for name in table.carried if _all_numbers(runs, name)),
        dosed=tuple(sorted({row.target for row in rows if row.dosed and (row.amount or row.ss)})),
        doses=any(row.evid for row in rows),
        lag=any(row.lag > 0 for row in rows),
        notes=_notes(table, ids, runs, grid, replicates),
    )


def _shared(runs: Sequence[Run]) -> FloatArray | None:
    first = runs[0].observed
    alike = (np.diff(first) > 0).all() and all(np.array_equal(first, run.observed) for run in runs)
    return first if alike else None


def _all_numbers(runs: Sequence[Run], name: str) -> bool:
    return all(is_missing(cell) or number_in(cell) is not None for run in runs for cell in run.carried[name])


def _notes(
    table: EventTable,
    ids: Sequence[int | str],
    runs: Sequence[Run],
    grid: FloatArray | None,
    replicates: int,
) -> tuple[str, ...]:
    notes = []
    one, count = len(table.subjects) == 1, len(ids) * replicates
    known = ids if isinstance(ids, range) else set(ids)
    if one and count > 1:
        notes.append(f"The rows of ID {table.subjects[0]} are for all {count} subjects.")
    elif left := [each for each in table.subjects if each not in known]:
        notes.append(f"Not among the subjects, and left out: {_some('ID', left)}.")
    alike = count if one else replicates
    if grid is not None and (seen := alike * sum(len(run.seen) for run in runs)):
        notes.append(
            f"Output times are given, so the {seen} observation rows (EVID 0) of the events are no output times."
        )
    if grid is None and (unseen := [run.subject for run in runs if not len(run.seen)]):
        notes.append(
            f"Without observation rows (EVID 0), and so without a row in the result: {_some('ID', unseen)}."
        )
    return tuple(notes)


def _some(name: str, ids: Sequence[int | str]) -> str:
    few = ", ".join(str(each) for each in ids[:10])
    return f"{name} {few}" + (f" and {len(ids) - 10} more" if len(ids) > 10 else "")


# -- what stands beside the values ------------------------------------------------------------------
def seen_times(layout: Layout, runs: Sequence[Run]) -> FloatArray:
    """(time,) that all have; or (run, record) times of the observation rows, NaN after a run's last."""
    if layout.times is not None:
        return layout.times
    result = np.full((len(runs), layout.rows), np.nan)
    for row, run in zip(result, runs, strict=True):
        row[: len(run.seen)] = run.observed
    return result


def padded(values: FloatArray, layout: Layout) -> FloatArray:
    """(run, record, output) values with as many records as the layout has, NaN after a run's last."""
    more = layout.rows - values.shape[1]
    return np.pad(values, ((0, 0), (0, more), (0, 0)), constant_values=np.nan) if more else values


def carried(
    layout: Layout, table: EventTable, runs: Sequence[Run], grid: FloatArray | None
) -> dict[str, Any]:
    """Column that is not used to (run, record or time): numbers, or texts where not all are numbers.

    At output times that no row asks for it has the value of the row that parameters would be taken from; DV and
    MDV are true of their own row only.
    """
    result: dict[str, Any] = {}
    for name in table.carried:
        numeric = name in layout.numeric
        result[name] = np.full(
            (len(runs), layout.rows), math.nan if numeric else "", dtype=float if numeric else object
        )
        for run, row in zip(runs, result[name], strict=True):
            cells = [_plain(cell, numeric) for cell in run.carried[name]]
            place, rows = np.arange(len(run.seen)), run.seen
            if grid is not None:
                place, rows = np.arange(len(grid)), at_times(run.time, grid, table.covariates)
                if name.upper() in _OF_A_ROW:
                    place, rows = _own_rows(run, grid)
            row[place] = np.array(cells, dtype=row.dtype)[rows]
    return result


def _plain(cell: Any, numeric: bool) -> float | str:
    if is_missing(cell):
        return math.nan if numeric else ""
    return float(cell) if numeric else str(cell)


def _own_rows(run: Run, grid: FloatArray) -> tuple[IntArray, IntArray]:
    """Output times that are those of an observation row, and the row."""
    time = run.observed
    place = np.minimum(np.searchsorted(grid, time), len(grid) - 1)
    same = grid[place] == time
    return place[same], run.seen[same]
