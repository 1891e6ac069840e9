"""Tables of this room: tab-separated, with a header, every mistake said with its line."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lissive.errors import CaseError
from lissive.typed import nearest

T = TypeVar("T")

PROVENANCE = ("measured", "calculated", "fitted", "fixed", "assumed", "unknown")
"""How a figure came to be; ` (recalled)` may follow where it was quoted from memory."""


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    where: str
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def error(self, what: str, *, allowed: str = "", do: str = "") -> CaseError:
        return CaseError(what, where=self.where, allowed=allowed, do=do)

    def number(self, column: str, kind: Callable[[str], float] = float) -> float:
        """The finite number of 0 or more in a cell."""
        try:
            value = kind(self.cells[column])
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= 0):
            whole = "a whole number" if kind is int else "a number"
            raise self.error(f"{column} is {self.cells[column]!r}.", allowed=f"{whole} of 0 or more.")
        return value

    def check_provenance(self, sources: Iterable[str]) -> None:
        word = self["provenance"].removesuffix(" (recalled)")
        if word not in PROVENANCE:
            raise self.error(
                f"provenance is {self['provenance']!r}.",
                allowed=f"{', '.join(PROVENANCE)}; each may be followed by ' (recalled)'.",
            )
        if self["source"] not in (known := list(sources)):
            raise self.error(
                f"source {self['source']!r} is not in sources.tsv.{nearest(self['source'], known)}",
                do="add the source there, or correct the key.",
            )


def read_table(path: Path, columns: Sequence[str]) -> list[Row]:
    """The rows of a table that has exactly these columns, in this order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0].split("\t") != list(columns):
        raise CaseError(
            "The header is not what it should be.",
            where=f"{path}:1",
            allowed=f"{' '.join(columns)}, by tabs.",
        )
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if len(cells) != len(columns):
            raise CaseError(
                f"The line has {len(cells)} cells.",
                where=f"{path}:{number}",
                allowed=f"{len(columns)} cells, by tabs: {' '.join(columns)}.",
            )
        rows.append(Row(f"{path}:{number}", dict(zip(columns, cells, strict=True))))
    return rows
