"""One table, three printers: plain text for a terminal, Markdown for a repository, a page's template for HTML.

>>> one = table("Doses", "arm|mg a day", [["drug", "22"], ["placebo", "-"]], "mg a day")
>>> print(as_text(one))
arm      mg a day
-----------------
drug           22
placebo         -"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from lissive.report.words import MARKS, WIDTH
from lissive.version import __version__

Cells = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A heading for each column, rows of cells; a row of one cell runs across. `numeric` columns go to the right."""

    caption: str
    head: Cells
    rows: tuple[Cells, ...]
    numeric: frozenset[str] = frozenset()


def table(caption: str, head: str, rows: Iterable[Sequence[str]], numeric: str = "") -> Table:
    """`head` and `numeric` are names of columns between bars."""
    names = tuple(name.strip() for name in head.split("|"))
    right = frozenset(name.strip() for name in numeric.split("|") if name.strip())
    return Table(caption, names, tuple(tuple(row) for row in rows), right)


def as_text(one: Table, *, indent: str = "", last: int = 0, rule: bool = True) -> str:
    """Columns side by side, without the caption.

    Parameters
    ----------
    last : the last column is wrapped below itself in what WIDTH leaves, but to no fewer characters than this; 0: never
    rule : a line below the heading; without a heading (all names empty) there is neither
    """
    headed = any(one.head)
    rows = [one.head, *one.rows] if headed else list(one.rows)
    full = [row for row in rows if len(row) == len(one.head)]
    widths = [max((len(row[k]) for row in full), default=0) for k in range(len(one.head))]
    right = {k for k, name in enumerate(one.head) if name in one.numeric}
    lines = [line for row in rows for line in _laid_out(row, widths, right, last)]
    if headed and rule:
        lines.insert(1, "-" * max(map(len, lines)))
    return textwrap.indent("\n".join(lines), indent)


def _laid_out(row: Cells, widths: Sequence[int], right: set[int], last: int) -> list[str]:
    if len(row) != len(widths):
        return ["  ".join(row)]
    cells = [
        c.rjust(w) if k in right else c.ljust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True))
    ]
    if not last:
        return ["  ".join(cells).rstrip()]
    start = sum(width + 2 for width in widths[:-1])
    tail = textwrap.wrap(row[-1], max(last, WIDTH - start), break_long_words=False) or [""]
    first = "".join(f"{cell}  " for cell in cells[:-1]) + tail[0]
    return [first.rstrip(), *(" " * start + more for more in tail[1:])]


def as_markdown(one: Table) -> str:
    """The caption, then the table; that there is none where it has no rows."""
    if not one.rows:
        return f"{one.caption}: none."
    rule = ["--:" if name in one.numeric else "---" for name in one.head]
    head = [f"{one.caption}.", ""] if one.caption else []
    lines = [_markdown_line(one.head), _markdown_line(rule), *map(_markdown_line, one.rows)]
    return "\n".join([*head, *lines])


def _markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_markdown_cell, cells))} |"


def _markdown_cell(text: str) -> str:
    """Text that cannot be taken for Markdown's own signs."""
    plain = " ".join(text.split())
    for sign in ("\\", "|", "*", "_", "[", "]", "<", "`"):
        plain = plain.replace(sign, f"\\{sign}")
    return plain


# -- parts of a page -------------------------------------------------------------------------------
HERE = Path(__file__).parent
LONG = 60
"""A text of more characters than this gets a broad column."""


def page(
    template: str, css: str, content: Mapping[str, Any], *, folder: Path = HERE, **filters: Callable[..., Any]
) -> str:
    """A page that needs nothing but itself: a name that is not given is an error, and every text is escaped.

    Parameters
    ----------
    template, css : files of `folder`.
    content : what the template names, besides `css`, `version`, `marks`, and `kind` and `broad` of its tables.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    environment.globals |= {"kind": cell_class, "broad": is_broad, "version": __version__, "marks": MARKS}
    style = Markup((folder / css).read_text(encoding="utf-8").strip())
    return environment.get_template(template).render(content, css=style)


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


PHONE = 52
"""Characters beside each other on a phone."""


def is_broad(table: Table) -> bool:
    """Whether a table has sentences in it or is too wide for a phone; there its rows are then shown as cards."""
    cells = [
        [str(cell.striptags()) if isinstance(cell, Markup) else cell for cell in row] for row in table.rows
    ]
    full = [row for row in cells if len(row) == len(table.head)]
    width = sum(max(map(len, column)) + 2 for column in zip(*full, strict=True))
    return width > PHONE or any(_is_long(cell) for row in table.rows for cell in row)


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
