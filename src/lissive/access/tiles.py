"""Where each jurisdiction stands on the map of tiles: one square each, whatever its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from lissive.access._table import read_table

GROUPS = ("state", "territory", "country")


@dataclass(frozen=True)
class Tile:
    """A square of the map, by column and row within its group."""

    code: str
    group: str
    column: int
    row: int


def read_tiles(path: Path) -> dict[str, Tile]:
    """The tiles of a table by code.

    Raises
    ------
    RuleError with file and line: a code twice, two tiles in one place, an unknown group, a place that is none.
    """
    found: dict[str, Tile] = {}
    for row in read_table(path, ("code", "group", "column", "row")):
        if row["group"] not in GROUPS:
            raise row.error(f"group is {row['group']!r}.", allowed=f"{', '.join(GROUPS)}.")
        if not (row["column"].isdecimal() and row["row"].isdecimal()):
            raise row.error("column and row are not both whole numbers of 0 or more.")
        tile = Tile(row["code"], row["group"], int(row["column"]), int(row["row"]))
        if tile.code in found:
            raise row.error(f"Duplicate code {tile.code}.", do="keep one of the two.")
        for other in found.values():
            if (other.group, other.column, other.row) == (tile.group, tile.column, tile.row):
                raise row.error(f"{tile.code} has the same place as {other.code}.", do="move one of the two.")
        found[tile.code] = tile
    return found


@cache
def tiles() -> Mapping[str, Tile]:
    """The place of every jurisdiction."""
    return MappingProxyType(read_tiles(Path(__file__).parent / "tiles.tsv"))
