"""Tables of this package: a mistake in one is a CaseError."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from lissive import table
from lissive.errors import CaseError
from lissive.table import TableRow
from lissive.typed import nearest

T = TypeVar("T")

PROVENANCE = ("measured", "calculated", "fitted", "fixed", "assumed", "unknown")
"""How a figure came to be; ` (recalled)` may follow where it was quoted from memory."""


class Row(TableRow):
    """One line of a table."""

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
    return table.read_table(path, columns, CaseError, Row)
