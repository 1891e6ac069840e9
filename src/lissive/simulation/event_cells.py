"""A dosing table as cells: which column is which, and where each row stands."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lissive.errors import EventError
from lissive.model.equations import Equations

COLUMNS = ("ID", "TIME", "EVID", "AMT", "CMT", "RATE", "II", "ADDL", "SS")
"""What is read; ID and TIME must be there."""

MODIFIERS = ("F", "LAG", "ALAG", "DUR")
"""What changes a dose, where it is there; ALAG is another name of LAG."""

_OF_A_COMPARTMENT = re.compile(r"(F|D|R|A?LAG)\d+")
"""NONMEM's parameters F1, D1, R1 and ALAG1."""

MISSING = {"", ".", "NA"}


@dataclass(frozen=True)
class Table:
    """Cells as they stand, by column, and where each row is."""

    source: str
    top: str
    """Where the header is."""
    columns: Mapping[str, Sequence[Any]]
    """Columns that are read, by their name in capitals."""
    written: Mapping[str, str]
    """Their names as they are written."""
    others: Mapping[str, Sequence[Any]]
    """All other columns, by their name as it is written."""
    where: Sequence[str]

    def __len__(self) -> int:
        return len(self.where)


def is_missing(cell: Any) -> bool:
    if isinstance(cell, str):
        return cell in MISSING
    return cell is None or (is_plain(cell) and cell != cell)


def is_plain(cell: Any) -> bool:
    """Whether it is a text, a number or a date, not a list or the like."""
    return isinstance(cell, str) or (isinstance(cell, Hashable) and not isinstance(cell, tuple | frozenset))


_FILE = "a comma-separated file"


def from_csv(path: Path) -> Table:
    """The cells of a comma-separated file. Empty lines and lines that begin with # are skipped."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise EventError(
            "There is no such file.", where=str(path), allowed=f"{_FILE}.", do="correct the path."
        ) from None
    except (OSError, ValueError) as error:
        raise EventError(
            f"The file cannot be read: {error}.",
            where=str(path),
            allowed=f"{_FILE}, text in UTF-8.",
            do="save the table as CSV in UTF-8, or check the path.",
        ) from None
    reader = csv.reader(text.splitlines(keepends=True), skipinitialspace=True)
    rows, where = [], []
    try:
        for row in reader:
            if not any(cell.strip() for cell in row) or row[0].startswith("#"):
                continue
            rows.append([cell.strip() for cell in row])
            where.append(f"{path}:{reader.line_num}")
    except csv.Error as error:
        raise EventError(
            f"The row cannot be read: {error}.",
            where=f"{path}:{reader.line_num}",
            allowed=f"cells of up to {csv.field_size_limit()} characters, separated by commas.",
            do="shorten the cell, or close its quotation marks.",
        ) from None
    if not rows:
        raise EventError(
            "The file is empty.",
            where=str(path),
            allowed=f"a header with {' '.join(COLUMNS)}.",
            do="write the header, and a row for each event.",
        )
    header = rows[0]
    for row, at in zip(rows, where, strict=True):
        if len(row) != len(header):
            raise EventError(
                f"The row has {len(row)} cells, but the header has {len(header)}.",
                where=at,
                allowed=f"{len(header)} cells in each row, one for each column of the header.",
                do="write . for a cell that is empty, and a point in decimal numbers.",
            )
    cells = list(zip(*rows[1:], strict=True)) or [() for _ in header]
    return _named(str(path), where[0], header, cells, where[1:])


def from_frame(frame: Any) -> Table:
    """The cells of a pandas DataFrame."""
    header = [str(name).strip() for name in frame.columns]
    cells = [frame.iloc[:, i].tolist() for i in range(len(header))]
    where = [f"events, row {i}" for i in range(1, len(frame) + 1)]
    return _named("events", "events, header", header, cells, where)


def _named(
    source: str, top: str, header: Sequence[str], cells: Sequence[Sequence[Any]], where: Sequence[str]
) -> Table:
    known = (*COLUMNS, *MODIFIERS)
    columns: dict[str, Sequence[Any]] = {}
    written: dict[str, str] = {}
    others: dict[str, Sequence[Any]] = {}
    for name, column in zip(header, cells, strict=True):
        capitals = name.upper()
        if not name and all(is_missing(cell) for cell in column):
            continue  # a comma at the end of each line
        if not name:
            raise EventError(
                "A column has no name.",
                where=top,
                allowed="a name above each column.",
                do="name it, or leave it out.",
            )
        if capitals in columns or name in others:
            raise EventError(
                f"The column {name} is there twice.",
                where=top,
                allowed="each column once, in capitals or small letters.",
                do="keep one of the two.",
            )
        if capitals in known:
            columns[capitals], written[capitals] = column, name
        else:
            others[name] = column
    if "LAG" in columns and "ALAG" in columns:
        raise EventError(
            "LAG and ALAG are two names of one thing.",
            where=top,
            allowed="one of them.",
            do="keep one of the two.",
        )
    for name in ("ID", "TIME"):
        if name not in columns:
            _refuse_typo(others, [name], top)
            raise EventError(
                f"There is no column {name}.",
                where=top,
                allowed=f"{' '.join(COLUMNS)}, separated by commas; ID and TIME must be there.",
                do=f"add {name}.",
            )
    return Table(source, top, columns, written, others, where)


# -- which column is what ---------------------------------------------------------------------------
def refuse_clash(table: Table, equations: Equations) -> None:
    """A column of the dose whose name the model has too could mean either."""
    own = [name for name in equations.quantities if name not in equations.states and name[0] != "["]
    for column, written in table.written.items():
        clash = [name for name in own if name == written or (column in MODIFIERS and name.upper() == column)]
        if clash and column not in ("ID", "TIME"):
            raise EventError(
                f"The column {written} changes a dose, but model {equations.name} has {clash[0]} of its own.",
                where=table.top,
                allowed=f"a column {written} with a model that has no parameter of this name.",
                do=f"rename {clash[0]} in the model, or leave the column out.",
            )


def other_columns(table: Table, equations: Equations) -> tuple[dict[str, str], list[str]]:
    """Parameter to the column with its values; and the columns that nothing in the model is named after."""
    parameters: dict[str, str] = {}
    carried = []
    for name in table.others:
        alike = [p for p in equations.parameters if p.upper() == name.upper()]
        found = [name] if name in alike else alike
        if not found:
            if name in equations.quantities:
                raise EventError(
                    f"The column {name} is named like something that model {equations.name} computes.",
                    where=table.top,
                    allowed=f"parameters: {', '.join(equations.parameters) or 'none'}; or other names.",
                    do="rename the column.",
                )
            carried.append(name)
        elif len(found) > 1 or found[0] in parameters:
            raise EventError(
                f"The column {name} could be {' or '.join(found)} of model {equations.name}"
                + (f", for which {parameters[found[0]]} is there too." if len(found) == 1 else "."),
                where=table.top,
                allowed=f"one column for each of {', '.join(found)}.",
                do="name one column for each parameter, as the parameter is written.",
            )
        else:
            parameters[found[0]] = name
    _refuse_misread(table, carried)
    return parameters, carried


def _refuse_misread(table: Table, names: Sequence[str]) -> None:
    """Columns that nobody reads, but that look as if they were to change a dose."""
    for name in names:
        if _OF_A_COMPARTMENT.fullmatch(name.upper()):
            raise EventError(
                f"The column {name} is not read: here F, LAG and DUR are columns of a dose, not of a compartment.",
                where=table.top,
                allowed="F, LAG (or ALAG), DUR; RATE -1 with a parameter R_ and the name of the compartment.",
                do="name it so, or otherwise if it is something else.",
            )
    absent = [name for name in (*COLUMNS, *MODIFIERS) if name not in table.columns and len(name) > 2]
    _refuse_typo(names, absent, table.top)


def _refuse_typo(names: Sequence[str] | Mapping[str, Any], absent: Sequence[str], top: str) -> None:
    """A stranger that is much like a column which is not there is taken for that column, misspelt."""
    for name in names:
        like = difflib.get_close_matches(name.upper(), absent, n=1, cutoff=0.85)
        if like and like[0][0] == name[0].upper():
            raise EventError(
                f"The column {name} is unknown. Did you mean {like[0]}?",
                where=top,
                allowed=f"{' '.join((*COLUMNS, *MODIFIERS))}, and parameters of the model; others are not used.",
                do=f"name it {like[0]}, or otherwise if it is something else.",
            )
