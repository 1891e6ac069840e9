"""Tab-separated tables with a header; every mistake with its line, as the error of the package that reads them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from lissive.errors import LissiveError


@dataclass(frozen=True)
class TableRow:
    """One line of a table."""

    where: str
    cells: dict[str, str]
    wrong: type[LissiveError]
    """What a mistake in it is."""

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def parts(self, column: str, separator: str | None = None) -> tuple[str, ...]:
        """The entries of a cell that holds several; by blanks, or by another separator."""
        return tuple(part for each in self[column].split(separator) if (part := each.strip()))

    def error(self, what: str, *, allowed: str = "", do: str = "correct this row.") -> LissiveError:
        return self.wrong(what, where=self.where, allowed=allowed, do=do)


R = TypeVar("R", bound=TableRow)


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a table that comes with lissive, column to cell; `lissive check` has looked at its shape."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@cache
def constants(path: Path) -> dict[str, float]:
    """The numbers of a table `name value unit provenance source note` that comes with lissive, by name."""
    return {row["name"]: float(row["value"]) for row in rows_of(path)}


def read_table(
    path: Path, columns: Sequence[str], wrong: type[LissiveError], kind: type[R], *, shown: str = ""
) -> list[R]:
    """The rows of a table that has exactly these columns, in this order; each a `kind`.

    shown : what the file is called in messages; its path if not given.

    Raises       `wrong` for another header, or a line with more or fewer cells.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    named, place = " ".join(columns), shown or str(path)
    if not lines or lines[0].split("\t") != list(columns):
        raise wrong(
            "The header is not what it should be.",
            where=f"{place}:1",
            allowed=f"{named}, by tabs.",
            do="write this header.",
        )
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if len(cells) != len(columns):
            raise wrong(
                f"The line has {len(cells)} cells.",
                where=f"{place}:{number}",
                allowed=f"{len(columns)} cells, by tabs: {named}.",
                do="write a cell for each column; an empty one keeps its tab.",
            )
        rows.append(kind(f"{place}:{number}", dict(zip(columns, cells, strict=True)), wrong))
    return rows
