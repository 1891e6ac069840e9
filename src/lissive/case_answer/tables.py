"""The tables of this package, as rows of text."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lissive.errors import CaseError
from lissive.table import TableRow, read_table

_COLUMNS = {
    "bottom_lines": "cause products benefit claim text",
    "usual_care": "cause treatment names known source provenance",
    "review": "cause product weeks fall of source provenance",
    "complaints": "topic label claim",
    "guidelines": "cause products text source provenance",
    "reviews": "cause product outcome review result measure",
    "sources": "key citation url seen",
}


@cache
def rows(name: str) -> tuple[TableRow, ...]:
    """The rows of NAME.tsv."""
    path = Path(__file__).parent / f"{name}.tsv"
    return tuple(read_table(path, _COLUMNS[name].split(), CaseError, TableRow))


def cited(keys: str) -> str:
    """The citations of the sources of a row, with their addresses."""
    known = {row["key"]: row for row in rows("sources")}
    found = (known[key] for key in keys.split(";"))
    return "; ".join(
        f"{row['citation']}{', ' * bool(row['url'])}{row['url']}" + f" [{row['seen']}]" * (row["seen"] != "-")
        for row in found
    )
