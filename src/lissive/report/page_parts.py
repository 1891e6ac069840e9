"""Parts of a page: figures with their text alternatives and the tables behind them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from lissive.report.table import Table

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
LONG = 60
"""A text of more characters than this gets a broad column."""


def templates() -> Environment:
    """The templates of pages: a name that is not given is an error, and every text is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass(frozen=True)
class Shown:
    """One figure of a page."""

    title: str
    text: str
    pictures: tuple[Markup, ...]
    table: Table | None
    letters: tuple[tuple[str, str], ...] = ()
    """What the letters in it mean."""
    wide: bool = False


def is_broad(table: Table) -> bool:
    """Whether a table has sentences in it; on a phone its rows are then shown as cards."""
    return any(_is_long(cell) for row in table.rows for cell in row)


def _is_long(cell: str) -> bool:
    return len(cell) > LONG and not isinstance(cell, Markup)


def cell_class(table: Table, column: int, cell: str) -> Markup:
    """Attribute of a table's cell: numbers to the right, verdicts in colour as well as words, long texts broad."""
    names = []
    if table.head[column] in table.numeric:
        names.append("n")
    if table.head[column] in ("verdict", "met?"):
        names.append("met" if cell.startswith("met") else "not" if cell.startswith("not met") else "")
    if _is_long(cell):
        names.append("long")
    words = " ".join(name for name in names if name)
    return Markup(' class="{}"').format(words) if words else Markup("")
