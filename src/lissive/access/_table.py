"""Tables of this room: tab-separated, with a header, every mistake said with its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lissive.errors import RuleError


@dataclass(frozen=True)
class TableRow:
    """One line of a table."""

    where: str
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def parts(self, column: str, separator: str | None = None) -> tuple[str, ...]:
        """The entries of a cell that holds several; by blanks, or by another separator."""
        return tuple(part for each in self[column].split(separator) if (part := each.strip()))

    def error(self, what: str, *, allowed: str = "", do: str = "") -> RuleError:
        return RuleError(what, where=self.where, allowed=allowed, do=do)


def read_table(path: Path, columns: Sequence[str]) -> list[TableRow]:
    """The rows of a table that has exactly these columns, in this order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    named = " ".join(columns)
    if not lines or lines[0].split("\t") != list(columns):
        raise RuleError(
            "The header is not what it should be.", where=f"{path}:1", allowed=f"{named}, by tabs."
        )
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if len(cells) != len(columns):
            raise RuleError(
                f"The line has {len(cells)} cells.",
                where=f"{path}:{number}",
                allowed=f"{len(columns)} cells, by tabs: {named}.",
            )
        rows.append(TableRow(f"{path}:{number}", dict(zip(columns, cells, strict=True))))
    return rows
