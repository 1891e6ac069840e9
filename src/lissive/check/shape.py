"""Checks of form: letters, tabs, headings, numbers, rows that come twice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from lissive.check.tables import PARAMETERS, Fault, Row, Table, Tables
from lissive.table import rows_of

_NUMBERS = frozenset("value spread lower upper sd se".split())
"""Columns that hold numbers in every table, also in one that headings.tsv does not name."""

_ODD = {"\ufeff": "a byte order mark", "\ufffd": "a letter that is no UTF-8", "\r": "a carriage return",
        "\xa0": "a blank that does not break", "\u200b": "a blank of no width"}  # fmt: skip


@dataclass(frozen=True)
class Heading:
    """What headings.tsv says of a table."""

    columns: tuple[str, ...]
    key: tuple[str, ...]
    """Columns that no two rows share."""
    numbers: frozenset[str]


@cache
def _headings() -> dict[str, Heading]:
    return {
        row["table"]: Heading(
            tuple(row["columns"].split()), tuple(row["key"].split()), frozenset(row["numbers"].split())
        )
        for row in rows_of(Path(__file__).with_name("headings.tsv"))
    }


def heading_of(table: Table) -> Heading | None:
    """What is known of this table: the first line of headings.tsv that its place fits."""
    return next((each for pattern, each in _headings().items() if fnmatch(table.place, pattern)), None)


def is_named(place: str) -> bool:
    """Whether headings.tsv names this very table, not only tables like it."""
    return place in _headings()


def letters(tables: Tables) -> Iterator[Fault]:
    for table in tables:
        for number, line in enumerate(table.text.split("\n"), start=1):
            for sign, what in _ODD.items():
                if sign in line:
                    yield f"{table.shown}:{number}", f"{what} stands in the line."


def blanks(tables: Tables) -> Iterator[Fault]:
    for table in tables:
        if table.is_yaml:
            continue
        lines = table.text.split("\n")
        if lines[-1]:
            yield f"{table.shown}:{len(lines)}", "the last line does not end with a newline."
        for number, line in enumerate(lines if lines[-1] else lines[:-1], start=1):
            if not line.strip():
                yield f"{table.shown}:{number}", "the line is empty."
            elif padded := next((cell for cell in line.split("\t") if cell != cell.strip()), None):
                yield f"{table.shown}:{number}", f"blanks stand around {padded.strip()!r}."


def heading(tables: Tables) -> Iterator[Fault]:
    for table in tables:
        if table.is_yaml:
            continue
        where, known = f"{table.shown}:1", heading_of(table)
        twice = sorted({name for name in table.columns if name and table.columns.count(name) > 1})
        if not all(table.columns):
            yield where, "a column has no name."
        if twice:
            yield where, f"the column {twice[0]} comes twice."
        if known is not None and table.columns != known.columns:
            yield (
                where,
                f"the columns are {' '.join(table.columns)}, and should be {' '.join(known.columns)}.",
            )


def cells(tables: Tables) -> Iterator[Fault]:
    for table in tables:
        for row in () if table.is_yaml else table.rows:
            if row.count != len(table.columns):
                yield row.where, f"{row.count} cells in a table of {len(table.columns)} columns."


def numbers(tables: Tables) -> Iterator[Fault]:
    for table in tables:
        known = heading_of(table)
        columns = _NUMBERS if known is None else known.numbers
        for row in table.rows:
            for column in sorted(columns & set(row.cells)):
                if not _is_number(row, column, table.is_yaml, may_be_several=known is None):
                    yield row.where, f"{column} is {row[column]!r}, no finite number."


def _is_number(row: Row, column: str, is_yaml: bool, may_be_several: bool) -> bool:
    text = row[column]
    if text == "":
        return column != "value" or is_yaml
    if column == "value" and row["unit"] == "-":  # a text, as the name of a product
        return True
    try:
        return all(math.isfinite(float(word)) for word in (text.split() if may_be_several else [text]))
    except ValueError:  # YAML tells a number from a text by itself, and writes `.nan` and `.inf`
        return is_yaml and text.lower().lstrip("+-") not in (".nan", ".inf")


def twice(tables: Tables) -> Iterator[Fault]:
    for table in tables:
        if not table.is_yaml:
            yield from _twice_in(table)
    yield from _twice_in_the_model(tables)


def _twice_in(table: Table) -> Iterator[Fault]:
    known = heading_of(table)
    key = known.key if known is not None else table.columns  # else: the very same row
    first: dict[tuple[str, ...], str] = {}
    for row in table.rows:
        mine = tuple(row[column] for column in key)
        if mine in first:
            yield row.where, f"{' '.join(mine) if known else 'the row'} comes twice; first at {first[mine]}."
        first.setdefault(mine, row.where)


def _twice_in_the_model(tables: Tables) -> Iterator[Fault]:
    """A parameter stands in one table only, whichever module that is."""
    from lissive.model.parameters import MODULES

    first: dict[str, tuple[Table, Row]] = {}
    for name in (*MODULES, "causes"):
        table = tables.get(f"{PARAMETERS}/{name}.tsv")
        for row in table.rows if table else ():
            other, place = first.setdefault(row["name"], (table, row))  # type: ignore[arg-type]
            if other is not table:
                yield row.where, f"{row['name']} comes twice; first at {place.where}."
