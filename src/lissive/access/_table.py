"""Tables of access: a mistake in one is a RuleError."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lissive import table
from lissive.errors import RuleError
from lissive.table import TableRow


def read_table(path: Path, columns: Sequence[str]) -> list[TableRow]:
    """The rows of a table that has exactly these columns, in this order."""
    return table.read_table(path, columns, RuleError, TableRow)
