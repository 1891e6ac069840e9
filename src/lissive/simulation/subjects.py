"""Who is simulated: a number of subjects, or a table with a row for each."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.errors import ParameterError, SimulationError
from lissive.given import whole
from lissive.model.equations import Equations
from lissive.simulation.event_cells import is_missing, is_plain
from lissive.simulation.event_rows import id_of
from lissive.simulation.events import EventTable
from lissive.simulation.limits import afford
from lissive.simulation.planned import is_frame
from lissive.typed import nearest

if TYPE_CHECKING:
    import pandas as pd


def subjects_of(
    equations: Equations, given: Any, table: EventTable | None, seed: int, also: Sequence[str]
) -> tuple[int, Sequence[int | str], dict[str, Any], tuple[str, ...]]:
    """How many, IDs, each subject's own parameters, and which are drawn instead, for some subjects at a time.

    also : columns that a table may have besides parameters.
    """
    if given is None:
        ids: Sequence[int | str] = list(table.subjects) if table else [1]
        return len(ids), ids, {}, ()
    if is_frame(given):
        ids, own = _table_of_subjects(equations, given, also)
        return len(ids), ids, own, ()
    count = whole("subjects", given, wrong=SimulationError)
    ids = range(1, count + 1)
    if table and len(table.subjects) == count:
        ids = list(table.subjects)
    if equations.name != "lissive":
        return count, ids, {}, ()
    from lissive.simulation.draw import draw

    return count, ids, {}, draw(1, seed=seed).drawn


def outside(given: Mapping[str, Any]) -> list[str]:
    """Values for the shipped model that no study has."""
    from lissive.model.parameters import load_ranges

    notes = []
    for name, known in load_ranges().items():
        values = np.ravel(given.get(name, ()))
        beyond = values[(values < known.lower) | (values > known.upper)]
        if len(beyond):
            what = f"{len(beyond)} of {len(values)} values lie" if len(values) > 1 else f"{beyond[0]:g} lies"
            notes.append(
                f"{name}: {what} outside the range of the literature, {known.lower:g} to {known.upper:g} "
                f"{known.unit}; the model has not been tested there."
            )
    return notes


def refuse_impossible(equations: Equations, given: Mapping[str, Any], ids: Sequence[int | str]) -> None:
    """Refuse values beyond which the shipped model's equations mean nothing, as a clearance over the liver's flow.

    Parameters
    ----------
    given : parameter to a number, or to (subject, ...) numbers; the others keep the model's.
    ids : of the subjects, for the message.

    Raises       ParameterError with the first of them, the limit and why it is one.
    """
    from lissive.model.parameters import load_limits

    def value_of(name: str) -> Any:
        return np.asarray(given.get(name, equations.parameters.get(name)), float)

    for name, (factors, why) in load_limits().items():
        named = [each for each in factors if each in equations.parameters]
        if not any(each in given for each in (name, *named)):
            continue
        most: Any = 1.0
        for each in factors:
            most = most * _by_subject(value_of(each) if each in named else np.asarray(float(each)))
        value, most = np.broadcast_arrays(_by_subject(value_of(name)), most)
        wrong = np.argwhere(value >= most)
        if len(wrong):
            place = tuple(wrong[0])
            whose = f" for ID {ids[place[0]]}" if len(value) > 1 else ""
            said = f", {'*'.join(factors)}" if named else ""
            raise ParameterError(
                f"{name} is {value[place]:.6g}{whose}. {why}",
                where=name,
                allowed=f"below {most[place]:.6g}{said}.",
                do=f"lower {name}{f', or raise {named[-1]}' if named else ''}.",
            )


def _by_subject(values: FloatArray) -> FloatArray:
    """(subject, value)"""
    return values.reshape(len(values) if values.ndim else 1, -1)


def impossible(equations: Equations, outputs: Sequence[str], values: FloatArray) -> list[str]:
    """Amounts and concentrations of the shipped model that are below 0 by more than the solver's error.

    values : (subject, time, output).
    """
    sizes = np.abs(np.nan_to_num(values)).max(axis=1, keepdims=True, initial=0.0)
    below = (values < -1e-4 * sizes).any(axis=(0, 1))
    names = [
        name
        for name, wrong in zip(outputs, below, strict=True)
        if wrong and equations.units.get(name) in _AMOUNTS
    ]
    return (
        [
            f"Below 0, which cannot be: {', '.join(names)}. The parameters of these runs are impossible together: do "
            "not use them."
        ]
        if names
        else []
    )


_AMOUNTS = ("nmol", "nmol/L", "ng/mL")


def afford_subjects(subjects: int, equations: Equations, values: int, replicates: int = 1) -> None:
    """values : that each subject will have."""
    own = 2 * len(equations.parameters) + 4 * len(equations.states) + 64
    less = "ask for fewer subjects, output times or quantities."
    each = 8 * (4 * values + own)
    if replicates > 1:
        less = "ask for fewer replicates."
        afford(replicates, subjects * each, what="replicates", where="replicates", do=less)
    afford(subjects, each, what="subjects", where="subjects", do=less)


def _table_of_subjects(
    equations: Equations, given: Any, also: Sequence[str]
) -> tuple[list[int | str], dict[str, Any]]:
    import pandas as pd

    where = given.attrs.get(_PATH, "subjects")
    if not len(given):
        raise SimulationError(
            "the table has no subjects.",
            where=where,
            allowed="a row for each subject.",
            do="add rows below the heading.",
        )
    _refuse_columns(list(given.columns), _heading(given))
    if wrong := [k for k, i in enumerate(given.get("ID", ())) if is_missing(i) or not is_plain(i)]:
        raise SimulationError(
            f"an ID is {given['ID'].iloc[wrong[0]]!r}.",
            where=_place(given, wrong[0]),
            allowed="numbers or names.",
            do="give the subject an ID, or leave the column ID out.",
        )
    ids: list[int | str] = (
        [id_of(i) for i in given["ID"]] if "ID" in given else list(range(1, len(given) + 1))
    )
    if len(set(ids)) < len(ids):
        row = next(k for k in range(len(ids)) if ids[k] in ids[:k])
        raise SimulationError(
            f"ID {ids[row]} comes twice.",
            where=_place(given, row),
            allowed="one row for each subject.",
            do="correct the ID, or leave the row out.",
        )
    own = given.drop(columns="ID", errors="ignore")
    known = [*equations.parameters, *also]
    unknown = [name for name in own if name not in known]
    if unknown:
        raise SimulationError(
            f'the column "{unknown[0]}" is no parameter of model {equations.name}, and no initial value.'
            f"{nearest(unknown[0], known)}",
            where=_heading(given),
            allowed=f"ID, {', '.join(known)}; a state, for its initial amount, or [state].",
            do="separate columns by commas."
            if ";" in str(unknown[0])
            else "correct the name, or leave the column out.",
        )
    for name in own:
        numbers = pd.to_numeric(own[name].astype(str), errors="coerce")
        if not np.isfinite(numbers).all():
            row = int(np.flatnonzero(~np.isfinite(numbers))[0])
            raise SimulationError(
                f"{name} is {own[name].iloc[row]}.",
                where=_place(given, row),
                allowed="a finite number.",
                do="correct the cell.",
            )
    return ids, {str(name): own[name].astype(float).to_numpy() for name in own}


_PATH, _LINES = "path", "lines"
"""Where a table was read, and the lines of its heading and its rows, for messages."""


def _place(given: Any, row: int) -> str:
    """Where a row of the table is."""
    path = given.attrs.get(_PATH)
    return f"{path}:{given.attrs[_LINES][row + 1]}" if path else f"subjects, row {row + 1}"


def _heading(given: Any) -> str:
    return _place(given, -1) if _PATH in given.attrs else "subjects"


def _refuse_columns(names: Sequence[Any], where: str) -> None:
    if twice := [name for k, name in enumerate(names) if name in names[:k]]:
        raise SimulationError(
            f"the column {twice[0]} comes twice.",
            where=where,
            allowed="each column once.",
            do="leave one of them out.",
        )


def read_subjects(path: Path) -> pd.DataFrame:
    """A comma-separated table; rows that do not fit the heading are refused, not shifted."""
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [(number, row) for number, row in enumerate(csv.reader(file), start=1) if row]
    except (OSError, ValueError, csv.Error) as fault:
        why = fault.strerror if isinstance(fault, OSError) else str(fault)
        raise SimulationError(
            f"it cannot be read ({why}).",
            where=str(path),
            allowed="a number of subjects, or a comma-separated table with a row for each.",
            do="correct the path.",
        ) from None
    if not rows:
        raise SimulationError(
            "the file is empty.",
            where=str(path),
            allowed="a heading and a row each.",
            do="write the heading, and a row for each subject.",
        )
    header = [cell.strip() for cell in rows[0][1]]
    for line, row in rows[1:]:
        empty = sum(not cell.strip() for cell in row)
        if len(row) != len(header) or empty:
            raise SimulationError(
                f"{len(row)} cells, {empty} of them empty, below a heading of {len(header)}.",
                where=f"{path}:{line}",
                allowed="one value for each column.",
                do="write the values that are missing, or leave the row or the column out.",
            )
    _refuse_columns(header, f"{path}:{rows[0][0]}")
    table = pd.DataFrame([row for _, row in rows[1:]], columns=header)
    table.attrs |= {_PATH: str(path), _LINES: [line for line, _ in rows]}
    return table
