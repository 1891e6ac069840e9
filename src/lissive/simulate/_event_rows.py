"""A dosing table as columns of numbers, checked; every mistake with its file and line."""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lissive.errors import EventError

Floats = npt.NDArray[np.float64]

COLUMNS = ("ID", "TIME", "EVID", "AMT", "CMT", "RATE", "II", "ADDL", "SS")
"""What is read; ID and TIME must be there."""

_ASIDE = ("DV", "MDV")
_MISSING = {"", ".", "NA"}
_MOST_ADDITIONAL = 1_000_000
_MOST_OVERLAPS = 1_000
_SHOWN = 10

Finding = tuple[int, str, str, str]
"""row, what, allowed, what to do."""


@dataclass(frozen=True)
class Table:
    """Cells as they stand: columns by their name in capitals, and where each row is."""

    source: str
    columns: Mapping[str, Sequence[Any]]
    where: Sequence[str]
    notes: tuple[str, ...]


def from_csv(path: Path) -> Table:
    """The cells of a comma-separated file. Empty lines and lines that begin with # are skipped."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise EventError("There is no such file.", where=str(path), do="correct the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise EventError(f"The file cannot be read: {error}.", where=str(path)) from error
    reader = csv.reader(text.splitlines(keepends=True), skipinitialspace=True)
    rows, where = [], []
    for row in reader:
        if not any(cell.strip() for cell in row) or row[0].startswith("#"):
            continue
        rows.append([cell.strip() for cell in row])
        where.append(f"{path}:{reader.line_num}")
    if not rows:
        raise EventError("The file is empty.", where=str(path), allowed=f"a header with {' '.join(COLUMNS)}.")
    header = rows[0]
    for row, at in zip(rows, where, strict=True):
        if len(row) != len(header):
            raise EventError(
                f"The row has {len(row)} cells, but the header has {len(header)}.",
                where=at,
                do="write . for a cell that is empty, and a point in decimal numbers.",
            )
    cells = list(zip(*rows[1:], strict=True)) or [() for _ in header]
    return _named(str(path), header, cells, where[1:], where[0])


def from_frame(frame: Any) -> Table:
    """The cells of a pandas DataFrame."""
    header = [str(name) for name in frame.columns]
    cells = [frame.iloc[:, i].tolist() for i in range(len(header))]
    where = [f"events, row {i}" for i in range(1, len(frame) + 1)]
    return _named("events", header, cells, where, "events, header")


def _named(
    source: str, header: Sequence[str], cells: Sequence[Sequence[Any]], where: Sequence[str], top: str
) -> Table:
    capitals = [name.upper() for name in header]
    known = [name for name in header if name.upper() in (*COLUMNS, *_ASIDE)]
    upper = [name for name in known if name.isupper()]
    if (upper and len(upper) < len(known)) or any(not (n.isupper() or n.islower()) for n in known):
        raise EventError(
            f"The header mixes capitals and small letters: {' '.join(known)}.",
            where=top,
            allowed="all in capitals or all in small letters.",
        )
    if twice := sorted({name for name in capitals if name in COLUMNS and capitals.count(name) > 1}):
        raise EventError(f"The column {twice[0]} is there twice.", where=top, do="keep one of the two.")
    others = [name for name in header if name.upper() not in COLUMNS]
    for name in others:
        _refuse_typo(name, capitals, top)
    for name in ("ID", "TIME"):
        if name not in capitals:
            raise EventError(
                f"There is no column {name}.",
                where=top,
                allowed=f"{' '.join(COLUMNS)}, separated by commas; ID and TIME must be there.",
                do=f"add {name}.",
            )
    notes = (f"Not used: {', '.join(others)}.",) if others else ()
    columns = {name: cell for name, cell in zip(capitals, cells, strict=True) if name in COLUMNS}
    return Table(source, columns, where, notes)


def _refuse_typo(name: str, capitals: Sequence[str], top: str) -> None:
    """A stranger that is much like a column which is not there is taken for that column, misspelt."""
    absent = [column for column in COLUMNS if column not in capitals]
    if name.upper() in _ASIDE or not (
        like := difflib.get_close_matches(name.upper(), absent, n=1, cutoff=0.8)
    ):
        return
    raise EventError(
        f"The column {name} is unknown. Did you mean {like[0]}?",
        where=top,
        allowed=f"{' '.join(COLUMNS)}; other columns are left aside.",
        do=f"name it {like[0]}, or otherwise if it is something else.",
    )


# -- cells to numbers -------------------------------------------------------------------------------
@dataclass(frozen=True)
class Rows:
    """A checked table: columns of numbers, one entry a row."""

    ids: list[int | str]
    time: Floats
    evid: Floats
    amt: Floats
    target: npt.NDArray[np.int64]
    """place in Equations.states; -1 where the row gives no dose."""
    rate: Floats
    ii: Floats
    addl: Floats
    ss: Floats
    notes: tuple[str, ...]


def check(table: Table, targets: Mapping[str, int]) -> Rows:
    """The table as numbers, or all that is wrong with it."""
    n = len(table.where)
    if n == 0:
        raise EventError("The table has no rows.", where=table.source, do="add one row for each event.")
    findings: list[Finding] = []
    col = {name: _numbers(table, name, findings) for name in COLUMNS if name not in ("ID", "CMT")}
    _report(table, findings)  # what is no number cannot be checked further
    notes = list(table.notes)
    if "EVID" not in table.columns:
        col["EVID"] = np.where((col["AMT"] != 0) | (col["RATE"] != 0), 1.0, 0.0)
        notes.append("There is no column EVID: rows with an AMT or RATE are doses, the others observations.")
    ids = _ids(table, findings)
    dosed = np.isin(col["EVID"], (1, 4))
    target = _targets(table, targets, dosed, findings, notes)
    for one_check in CHECKS:
        findings += one_check(col, dosed)
    findings += _order(ids, col["TIME"])
    _report(table, findings)
    numbers = {name.lower(): col[name] for name in ("TIME", "EVID", "AMT", "RATE", "II", "ADDL", "SS")}
    return Rows(ids=ids, target=target, notes=tuple(notes), **numbers)


def _report(table: Table, findings: list[Finding]) -> None:
    if not findings:
        return
    findings.sort(key=lambda finding: finding[0])
    errors = [
        EventError(what, where=table.where[row], allowed=allowed, do=do)
        for row, what, allowed, do in findings[:_SHOWN]
    ]
    if len(findings) == 1:
        raise errors[0]
    more = len(findings) - len(errors)
    raise EventError("\n".join([*map(str, errors), *([f"... and {more} more like these."] if more else [])]))


def _is_missing(cell: Any) -> bool:
    return cell is None or (cell in _MISSING if isinstance(cell, str) else cell != cell)


def _numbers(table: Table, name: str, findings: list[Finding]) -> Floats:
    """A column as numbers; 0 where a cell is empty or the column is not there."""
    cells = table.columns.get(name, ())
    values = np.zeros(len(table.where))
    if all(isinstance(cell, str) for cell in cells) and "_" not in "".join(cells):
        try:  # the good case at once; what is wrong is looked for below
            quick = np.array(
                ["0" if cell in _MISSING and name != "TIME" else cell for cell in cells], dtype=float
            )
        except ValueError:
            quick = np.full(1, math.nan)
        if len(quick) == len(values) and np.isfinite(quick).all():
            return quick
    for row, cell in enumerate(cells):
        if _is_missing(cell):
            if name == "TIME":
                findings.append((row, "TIME is empty.", "a number.", "write the time of the event."))
            continue
        value = _number(cell)
        if value is None:
            findings.append(
                (row, f"{name} is {cell!r}.", "a number.", "write a number, or . for an empty cell.")
            )
        else:
            values[row] = value
    return values


def _number(cell: Any) -> float | None:
    try:
        value = float(cell)
    except (TypeError, ValueError):
        return None
    plain = not (isinstance(cell, str) and "_" in cell)  # Python's 1_000 is a slip here
    return value if plain and math.isfinite(value) else None


def _ids(table: Table, findings: list[Finding]) -> list[int | str]:
    cells = table.columns["ID"]
    for row, cell in enumerate(cells):
        if _is_missing(cell):
            findings.append((row, "ID is empty.", "a number or a name.", "write whose event it is."))
    named = {cell: _id(cell) for cell in set(cells)}
    return [named[cell] for cell in cells]


def _id(cell: Any) -> int | str:
    number = _number(cell)
    return int(number) if number is not None and number.is_integer() else str(cell)


def _targets(
    table: Table,
    targets: Mapping[str, int],
    dosed: npt.NDArray[np.bool_],
    findings: list[Finding],
    notes: list[str],
) -> npt.NDArray[np.int64]:
    """Places in Equations.states of what CMT says, by name or by number."""
    names = list(targets)
    place = np.full(len(dosed), -1, dtype=np.int64)
    cells = table.columns.get("CMT")
    said: dict[Any, int | Finding] = {}
    implied = False
    for row in _each(dosed):
        cell = None if cells is None else cells[row]
        if _is_missing(cell) or _number(cell) == 0:
            cell, implied = 1, True
        if cell not in said:
            said[cell] = _target(cell, names, targets)
        found = said[cell]
        if isinstance(found, int):
            place[row] = found
        else:
            findings.append((row, *found[1:]))
    if implied and names:
        notes.append(f"Where CMT is absent or 0, doses go to {names[0]}, the first that can be dosed.")
    return place


def _target(cell: Any, names: list[str], targets: Mapping[str, int]) -> int | Finding:
    number = _number(cell)
    if number is not None and number.is_integer() and 1 <= number <= len(names):
        return targets[names[int(number) - 1]]
    if isinstance(cell, str) and cell in targets:
        return targets[cell]
    like = difflib.get_close_matches(str(cell), names, n=1) if number is None else []
    hint = f" Did you mean {like[0]}?" if like else ""
    known = ", ".join(f"{i} {name}" for i, name in enumerate(names, start=1))
    allowed = (
        f"{known}; by number or by name." if names else "nothing: the model has no species that can be dosed."
    )
    return (-1, f"CMT {cell} is no compartment that can be dosed.{hint}", allowed, "correct CMT.")


# -- checks: columns and which rows are doses, to findings ------------------------------------------
Columns = Mapping[str, Floats]
Check = Callable[[Columns, npt.NDArray[np.bool_]], Iterator[Finding]]


def _each(bad: npt.NDArray[np.bool_]) -> Iterator[int]:
    return (int(row) for row in np.flatnonzero(bad))


def _check_evid(col: Columns, dosed: npt.NDArray[np.bool_]) -> Iterator[Finding]:
    for row in _each(~np.isin(col["EVID"], (0, 1, 2, 3, 4))):
        allowed = "0 observation, 1 dose, 2 other, 3 reset, 4 reset and dose."
        yield row, f"EVID is {col['EVID'][row]:g}.", allowed, "correct EVID."


def _check_amount(col: Columns, dosed: npt.NDArray[np.bool_]) -> Iterator[Finding]:
    amt = col["AMT"]
    for row in _each(amt < 0):
        yield row, f"AMT is {amt[row]:g}.", "more than 0 for a dose.", "correct AMT."
    constant = (col["SS"] == 1) & (col["RATE"] > 0) & (col["II"] == 0)
    for row in _each(dosed & (amt == 0) & ~constant):
        yield (
            row,
            "AMT is missing for a dose.",
            "more than 0; or 0 with RATE, SS=1 and II=0, a constant infusion.",
            "write the amount, or EVID 0 if the row is an observation.",
        )
    for row in _each(np.isin(col["EVID"], (0, 2, 3)) & (amt > 0)):
        yield (
            row,
            f"AMT is {amt[row]:g} in a row with EVID {col['EVID'][row]:g}, which gives no dose.",
            "AMT 0, or EVID 1 or 4.",
            "write EVID 1 if the row is a dose.",
        )


def _check_rate(col: Columns, dosed: npt.NDArray[np.bool_]) -> Iterator[Finding]:
    rate = col["RATE"]
    do = "write the rate; the infusion lasts AMT/RATE."
    for row in _each(rate < 0):
        named = {-1.0: "the rate", -2.0: "the duration"}.get(float(rate[row]))
        why = f" That asks for {named} as a parameter of the model, which is not read." if named else ""
        yield row, f"RATE is {rate[row]:g}.{why}", "0 for a dose at once, or more than 0.", do


def _check_interval(col: Columns, dosed: npt.NDArray[np.bool_]) -> Iterator[Finding]:
    ii, addl, ss = col["II"], col["ADDL"], col["SS"]
    for row in _each(ii < 0):
        yield row, f"II is {ii[row]:g}.", "0 or more.", "correct II."
    for row in _each((addl < 0) | (addl % 1 != 0) | (addl > _MOST_ADDITIONAL)):
        allowed = f"a whole number, 0 to {_MOST_ADDITIONAL}."
        yield row, f"ADDL is {addl[row]:g}.", allowed, "write how many more doses follow."
    for row in _each((addl > 0) & (ii == 0)):
        yield (
            row,
            f"ADDL is {addl[row]:g}, but II is 0.",
            "II more than 0 with ADDL.",
            "write the interval in II.",
        )
    for row in _each((addl > 0) & ~dosed):
        what = f"ADDL is {addl[row]:g} in a row that gives no dose."
        yield row, what, "ADDL with EVID 1 or 4.", "take ADDL out, or correct EVID."
    for row in _each(~np.isin(ss, (0, 1, 2))):
        yield row, f"SS is {ss[row]:g}.", "0, 1 in place of the present state, 2 added to it.", "correct SS."
    for row in _each((ss > 0) & ~dosed):
        yield (
            row,
            f"SS is {ss[row]:g} in a row that gives no dose.",
            "SS with EVID 1 or 4.",
            "correct SS or EVID.",
        )
    for row in _each(dosed & (ss > 0) & (ii == 0) & (col["AMT"] > 0)):
        yield row, f"SS is {ss[row]:g}, but II is 0.", "II more than 0 with SS.", "write the interval in II."
    with np.errstate(divide="ignore", invalid="ignore"):
        overlaps = col["AMT"] / col["RATE"] / ii
    for row in _each((ss > 0) & (col["RATE"] > 0) & (ii > 0) & (overlaps > _MOST_OVERLAPS)):
        what = f"At this steady state {overlaps[row]:.0f} infusions run at once."
        yield row, what, f"up to {_MOST_OVERLAPS}.", "check AMT, RATE and II."


CHECKS: tuple[Check, ...] = (_check_evid, _check_amount, _check_rate, _check_interval)


def _order(ids: Sequence[int | str], time: Floats) -> Iterator[Finding]:
    """Rows of one ID are together, and their times do not fall."""
    seen: set[int | str] = set()
    for row, subject in enumerate(ids):
        if row and subject == ids[row - 1]:
            if time[row] < time[row - 1]:
                what = f"TIME falls from {time[row - 1]:g} to {time[row]:g} within ID {subject}."
                yield row, what, "times that do not fall.", "sort the rows of each ID by TIME."
        elif subject in seen:
            what = f"ID {subject} comes again after other IDs."
            yield row, what, "the rows of one ID together.", "sort the table by ID and TIME."
        seen.add(subject)
