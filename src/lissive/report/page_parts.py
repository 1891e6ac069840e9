"""What a page is put together from: pictures with their words and the table behind them."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from lissive.report.validation_tables import Table


@dataclass(frozen=True)
class Shown:
    """One figure of a page."""

    title: str
    text: str
    pictures: tuple[Markup, ...]
    table: Table | None
    letters: tuple[tuple[str, str], ...] = ()
    """What the letters in it stand for."""
    wide: bool = False


def cell_class(table: Table, column: int, cell: str) -> Markup:
    """Attribute of a table's cell: numbers to the right, verdicts in colour as well as words, long texts broad."""
    names = []
    if table.head[column] in table.numeric:
        names.append("n")
    if table.head[column] in ("verdict", "met?"):
        names.append("met" if cell.startswith("met") else "not" if cell.startswith("not met") else "")
    if len(cell) > 60 and not isinstance(cell, Markup):
        names.append("long")
    words = " ".join(name for name in names if name)
    return Markup(' class="{}"').format(words) if words else Markup("")
