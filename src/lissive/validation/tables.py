"""The tables that sensitivity and identifiability rest on: tab-separated, with a header."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lissive.table import rows_of

HERE = Path(__file__).parent


def rows(name: str) -> list[dict[str, str]]:
    """The lines of one table of this folder, column to cell."""
    return rows_of(HERE / name)


@cache
def named(name: str) -> Mapping[str, str]:
    """A table of `name` and `value`, as text."""
    return {row["name"]: row["value"] for row in rows(name)}


def numbers(cell: str) -> list[float]:
    """A cell of numbers between spaces.

    >>> numbers("8 12.5")
    [8.0, 12.5]
    """
    return [float(word) for word in cell.split()]
