"""A dosing table as columns of numbers, checked; every mistake with its file and line."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.errors import EventError
from lissive.model.equations import Equations
from lissive.simulation.event_cells import (
    COLUMNS,
    MISSING,
    MODIFIERS,
    Table,
    is_missing,
    is_plain,
    other_columns,
    refuse_clash,
)
from lissive.simulation.unroll import MOST_OVERLAPS

_MOST_ADDITIONAL = 1_000_000
_SHOWN = 10

BY_PARAMETER = -1.0
"""RATE of an infusion whose rate is a parameter of the model."""

Finding = tuple[int, str, str, str]
"""row, what, allowed, what to do."""


@dataclass(frozen=True)
class Rows:
    """A checked table: columns of numbers, one entry a row."""

    ids: list[int | str]
    occasion: IntArray
    """From 1 on; a new one begins where TIME starts again after a reset."""
    time: FloatArray
    evid: FloatArray
    amt: FloatArray
    """What reaches the compartment: AMT times F."""
    target: IntArray
    """place in Equations.states; -1 where the row gives no dose."""
    rate: FloatArray
    """0 at once, over 0 an infusion, BY_PARAMETER."""
    length: FloatArray
    """How long an infusion lasts; 0 where RATE is BY_PARAMETER."""
    ii: FloatArray
    addl: FloatArray
    ss: FloatArray
    lag: FloatArray
    varying: Mapping[str, FloatArray]
    """Parameter of the model to its values; NaN where a cell is empty."""
    carried: Mapping[str, Sequence[Any]]
    """Columns that are not used."""
    notes: tuple[str, ...]


def check(table: Table, equations: Equations, used: Container[str] = ()) -> Rows:
    """The table as numbers, or all that is wrong with it. used : other columns that somebody reads, in capitals."""
    if not len(table):
        raise EventError(
            "The table has no rows.",
            where=table.source,
            allowed="a row for each dose and each observation.",
            do="add rows below the header.",
        )
    refuse_clash(table, equations)
    parameters, carried = other_columns(table, equations)
    findings: list[Finding] = []
    names = [name for name in (*COLUMNS, *MODIFIERS) if name not in ("ID", "CMT", "ALAG")]
    col = {name: _numbers(table, name, findings) for name in names}
    if "ALAG" in table.columns:
        col["LAG"] = _numbers(table, "ALAG", findings)
    varying = {
        parameter: _floats(table.others[name], name, findings) for parameter, name in parameters.items()
    }
    _report(table, findings)  # what is no number cannot be checked further
    notes = _notes(table, parameters, [name for name in carried if name.upper() not in used])
    if "EVID" not in table.columns:
        col["EVID"] = np.where((col["AMT"] != 0) | (col["RATE"] != 0), 1.0, 0.0)
        notes.append("There is no column EVID: rows with an AMT or RATE are doses, the others observations.")
    ids = _ids(table, findings)
    dosed = np.isin(col["EVID"], (1, 4))
    target = _targets(table, equations.dose_targets, dosed, findings, notes)
    with np.errstate(all="ignore"):
        absorbed = col["AMT"] * col["F"]
        rate, length = _infusions(col, absorbed)
        sizes = {"GIVEN": absorbed + rate, "LENGTH": length}
    for one_check in CHECKS:
        findings += one_check({**col, **sizes}, dosed)
    findings += _modelled(equations, target, dosed & (col["RATE"] == BY_PARAMETER))
    occasion = _occasions(ids, col["TIME"], col["EVID"], findings)
    _report(table, findings)
    if occasion.max() > 1:
        notes.append("Where TIME starts again after EVID 3 or 4, a new occasion of the subject begins.")
    numbers = {name.lower(): col[name] for name in ("TIME", "EVID", "II", "ADDL", "SS", "LAG")}
    return Rows(
        ids=ids,
        occasion=occasion,
        amt=absorbed,
        target=target,
        rate=rate,
        length=length,
        varying=varying,
        carried={name: table.others[name] for name in carried},
        notes=tuple(notes),
        **numbers,
    )


def _infusions(col: Columns, absorbed: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rate and length of each row: F lengthens an infusion of a given RATE, and strengthens one of a given DUR."""
    lasting = col["DUR"]
    by_length = np.where((lasting > 0) & (col["RATE"] <= 0), absorbed / lasting, 0.0)
    rate = np.where(col["RATE"] == BY_PARAMETER, BY_PARAMETER, np.maximum(col["RATE"], by_length))
    length = np.where(rate > 0, np.where(by_length > 0, lasting, absorbed / rate), 0.0)
    return rate, length


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


def _notes(table: Table, parameters: Mapping[str, str], carried: Sequence[str]) -> list[str]:
    notes = []
    if carried:
        notes.append(f"Not used, only carried to the result: {', '.join(carried)}.")
    if other := [f"{name} is {parameter}" for parameter, name in parameters.items() if name != parameter]:
        notes.append(f"Taken for parameters of the model in other letters: {', '.join(other)}.")
    return notes


# -- cells to numbers -------------------------------------------------------------------------------
def _numbers(table: Table, name: str, findings: list[Finding]) -> FloatArray:
    """A column as numbers; where a cell is empty or the column is not there 0, of F 1."""
    if name not in table.columns:
        return np.full(len(table), 1.0 if name == "F" else 0.0)
    values = _floats(table.columns[name], name, findings)
    empty = np.isnan(values)
    if name == "TIME":
        findings += [
            (row, "TIME is empty.", "a number.", "write the time of the event.")
            for row in _each(empty)
            if is_missing(table.columns["TIME"][row])
        ]
    values[empty] = 1.0 if name == "F" else 0.0
    return values


def _floats(cells: Sequence[Any], name: str, findings: list[Finding]) -> FloatArray:
    """Cells as numbers; NaN where one is empty."""
    values = np.full(len(cells), math.nan)
    if all(type(cell) is float for cell in cells) and not np.isinf(cells).any():
        return np.array(cells, dtype=float)
    if all(isinstance(cell, str) for cell in cells) and "_" not in "".join(cells):
        try:  # the good case at once; what is wrong is looked for below
            quick = np.array(["nan" if cell in MISSING else cell for cell in cells], dtype=float)
        except ValueError:
            quick = np.full(1, math.inf)
        said = [cell for cell in cells if cell.strip("+-").lower() == "nan"]
        if len(quick) == len(values) and not np.isinf(quick).any() and not said:
            return quick
    for row, cell in enumerate(cells):
        if is_missing(cell):
            continue
        value = number_of(cell)
        if value is None:
            findings.append(
                (row, f"{name} is {shown(cell)}.", "a number.", "write a number, or . for an empty cell.")
            )
        else:
            values[row] = value
    return values


def shown(cell: Any) -> str:
    """A cell as a message has it, however long it is."""
    text = repr(cell)
    return text if len(text) <= 60 else f"{text[:57]}..."


def number_of(cell: Any) -> float | None:
    """A cell as a finite number, or None."""
    try:
        value = float(cell)
    except (TypeError, ValueError, OverflowError):
        return None
    plain = not (isinstance(cell, str) and "_" in cell)  # Python's 1_000 is a slip here
    return value if plain and math.isfinite(value) else None


def _ids(table: Table, findings: list[Finding]) -> list[int | str]:
    cells = table.columns["ID"]
    for row, cell in enumerate(cells):
        if is_missing(cell) or not is_plain(cell):
            what = "ID is empty." if is_missing(cell) else f"ID is {shown(cell)}."
            findings.append((row, what, "a number or a name.", "write whose event it is."))
    _report(table, findings)
    named = {cell: id_of(cell) for cell in set(cells)}
    return [named[cell] for cell in cells]


def id_of(cell: Any) -> int | str:
    """An ID as it is compared: 1, 1.0 and "1" are one. Beyond 2^53, where doubles run together, it is a name."""
    number = number_of(cell)
    is_whole = number is not None and number.is_integer() and abs(number) <= 2**53
    return int(number) if number is not None and is_whole else str(cell).strip()


def _targets(
    table: Table,
    targets: Mapping[str, int],
    dosed: BoolArray,
    findings: list[Finding],
    notes: list[str],
) -> IntArray:
    """Places in Equations.states of what CMT says, by name or by number."""
    names = list(targets)
    place = np.full(len(dosed), -1, dtype=np.int64)
    cells = table.columns.get("CMT")
    said: dict[Any, int | Finding] = {}
    implied = False
    for row in _each(dosed):
        cell = None if cells is None else cells[row]
        if is_missing(cell) or number_of(cell) == 0:
            cell, implied = 1, True
        known = cell if is_plain(cell) else shown(cell)
        if known not in said:
            said[known] = _target(known, names, targets)
        found = said[known]
        if isinstance(found, int):
            place[row] = found
        else:
            findings.append((row, *found[1:]))
    if implied and names:
        notes.append(f"Where CMT is absent or 0, doses go to {names[0]}, the first that can be dosed.")
    return place


def _target(cell: Any, names: list[str], targets: Mapping[str, int]) -> int | Finding:
    number = number_of(cell)
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
    return (-1, f"CMT {str(cell)[:60]} is no compartment that can be dosed.{hint}", allowed, "correct CMT.")


# -- checks: columns and which rows are doses, to findings ------------------------------------------
Columns = Mapping[str, FloatArray]
Check = Callable[[Columns, BoolArray], Iterator[Finding]]


def _each(bad: BoolArray) -> Iterator[int]:
    return (int(row) for row in np.flatnonzero(bad))


def _check_evid(col: Columns, dosed: BoolArray) -> Iterator[Finding]:
    for row in _each(~np.isin(col["EVID"], (0, 1, 2, 3, 4))):
        allowed = "0 observation, 1 dose, 2 other, 3 reset, 4 reset and dose."
        yield row, f"EVID is {col['EVID'][row]:g}.", allowed, "correct EVID."


def _check_amount(col: Columns, dosed: BoolArray) -> Iterator[Finding]:
    amt = col["AMT"]
    for row in _each(amt < 0):
        yield row, f"AMT is {amt[row]:g}.", "more than 0 for a dose.", "correct AMT."
    for row in _each(dosed & (amt == 0) & ~_constant(col)):
        yield (
            row,
            "AMT is missing for a dose.",
            "more than 0; or 0 with RATE, SS 1 or 2 and II 0, a constant infusion.",
            "write the amount, or EVID 0 if the row is an observation.",
        )
    for row in _each(np.isin(col["EVID"], (0, 2, 3)) & (amt > 0)):
        yield (
            row,
            f"AMT is {amt[row]:g} in a row with EVID {col['EVID'][row]:g}, which gives no dose.",
            "AMT 0, or EVID 1 or 4.",
            "write EVID 1 if the row is a dose.",
        )


def _constant(col: Columns) -> BoolArray:
    """Rows that are the steady state of a constant infusion."""
    by_rate = (col["RATE"] > 0) | (col["RATE"] == BY_PARAMETER)
    found: BoolArray = (col["AMT"] == 0) & (col["SS"] > 0) & by_rate & (col["II"] == 0)
    return found


def _check_rate(col: Columns, dosed: BoolArray) -> Iterator[Finding]:
    rate, lasting = col["RATE"], col["DUR"]
    for row in _each((rate < 0) & ~np.isin(rate, (-1, -2))):
        allowed = (
            "0 at once, over 0 the rate, -1 the model's parameter R_ of the compartment, -2 as DUR says."
        )
        yield row, f"RATE is {rate[row]:g}.", allowed, "correct RATE."
    for row in _each(dosed & (rate == -2) & (lasting == 0)):
        what = "RATE is -2, which takes the duration from DUR, but DUR is empty."
        yield row, what, "DUR over 0 with RATE -2.", "write how long the infusion lasts in DUR."
    for row in _each(dosed & (lasting < 0)):
        yield row, f"DUR is {lasting[row]:g}.", "over 0, or empty.", "write how long the infusion lasts."
    for row in _each(dosed & (lasting > 0) & ((rate > 0) | (rate == BY_PARAMETER))):
        yield (
            row,
            f"RATE is {rate[row]:g} and DUR is {lasting[row]:g}: each says how long the infusion lasts.",
            "RATE; or DUR, with RATE 0 or -2.",
            "take one of the two out.",
        )


def _check_modifiers(col: Columns, dosed: BoolArray) -> Iterator[Finding]:
    share, lag = col["F"], col["LAG"]
    for row in _each(dosed & (share <= 0)):
        yield row, f"F is {share[row]:g}.", "over 0; empty for 1.", "write which part of AMT is absorbed."
    for row in _each(dosed & ~np.isfinite(col["GIVEN"] + col["LENGTH"])):
        what = "The dose is too large, or its infusion too long, for a number."
        yield row, what, "amounts and times below 1e300.", "check AMT, F, RATE and DUR."
    for row in _each(dosed & (lag < 0)):
        yield row, f"LAG is {lag[row]:g}.", "0 or more.", "write how long after TIME the dose begins."
    for row in _each(dosed & _constant(col) & ((share != 1) | (lag > 0) | (col["DUR"] > 0))):
        what = "F, LAG and DUR do not act on a constant infusion (AMT 0), in NONMEM neither."
        yield row, what, "them empty in this row.", "take them out, and write the rate that is meant."


def _check_interval(col: Columns, dosed: BoolArray) -> Iterator[Finding]:
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
        overlaps, lagged = col["LENGTH"] / ii, col["LAG"] / ii
    for row in _each((ss > 0) & (ii > 0) & (overlaps > MOST_OVERLAPS)):
        what = f"At this steady state {overlaps[row]:.0f} infusions run at once."
        yield row, what, f"up to {MOST_OVERLAPS}.", "check AMT, RATE, DUR and II."
    for row in _each(dosed & (ss > 0) & (ii > 0) & (lagged > 1)):
        what = f"LAG is {col['LAG'][row]:g}, more than II, {ii[row]:g}, at a steady state."
        yield row, what, "a LAG of up to II with SS, as in NONMEM.", "check LAG and II."


CHECKS: tuple[Check, ...] = (_check_evid, _check_amount, _check_rate, _check_modifiers, _check_interval)


def rate_name(equations: Equations, target: int) -> str:
    """The parameter that RATE -1 takes for a dose into this state."""
    return f"R_{equations.states[target]}"


def _modelled(equations: Equations, target: IntArray, modelled: BoolArray) -> Iterator[Finding]:
    for row in _each(modelled & (target >= 0)):
        name = rate_name(equations, int(target[row]))
        if name not in equations.parameters:
            yield (
                row,
                f"RATE is -1, which takes the rate from the parameter {name}, but the model has none.",
                f"a model with the parameter {name}; or the rate itself in RATE.",
                f"add {name} to the model, or write the rate.",
            )


def _occasions(
    ids: Sequence[int | str], time: FloatArray, evid: FloatArray, findings: list[Finding]
) -> IntArray:
    """Rows of one ID are together; where their times fall, a reset begins a new occasion."""
    seen: set[int | str] = set()
    occasion = np.ones(len(ids), dtype=np.int64)
    for row, subject in enumerate(ids):
        if row and subject == ids[row - 1]:
            occasion[row] = occasion[row - 1]
            if time[row] < time[row - 1]:
                occasion[row] += 1
                if evid[row] not in (3, 4) and evid[row - 1] != 3:
                    what = f"TIME falls from {time[row - 1]:g} to {time[row]:g} within ID {subject}."
                    allowed = "times that do not fall, except where EVID is 3 or 4, a new occasion."
                    findings.append((row, what, allowed, "sort the rows of each ID by TIME."))
        elif subject in seen:
            what = f"ID {subject} comes again after other IDs."
            findings.append((row, what, "the rows of one ID together.", "sort the table by ID and TIME."))
        seen.add(subject)
    return occasion
