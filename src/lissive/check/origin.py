"""Checks of where numbers come from: words of provenance, keys of sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from lissive.check.tables import PARAMETERS, Fault, Row, Table, Tables
from lissive.model.parameters import PROVENANCE, RECALLED
from lissive.table import rows_of


@cache
def _own_words() -> dict[str, tuple[str, ...]]:
    """Tables of what was observed, and their words of how a figure was come by."""
    return {
        row["table"]: tuple(row["words"].split()) for row in rows_of(Path(__file__).with_name("words.tsv"))
    }


def _words(table: Table) -> tuple[str, ...]:
    """The words that a table may use: its own, else those of the model's tables."""
    own = (words for pattern, words in _own_words().items() if fnmatch(table.place, pattern))
    return next(own, PROVENANCE)


def _base(row: Row) -> str:
    return row["provenance"].removesuffix(RECALLED)


def provenance(tables: Tables) -> Iterator[Fault]:
    for table in tables:
        words = _words(table)
        ending = f", with '{RECALLED.strip()}' or without" if words is PROVENANCE else ""
        for row in table.rows:
            unsaid = table.is_yaml and row["provenance"] == ""  # null, where the value is null too
            word = _base(row) if words is PROVENANCE else row["provenance"]
            if "provenance" in row.cells and word not in words and not unsaid:
                yield row.where, f"provenance is {row['provenance']!r}; one of {', '.join(words)}{ending}."


def measured(tables: Tables) -> Iterator[Fault]:
    yield from _without_source(tables, "measured", "who measured it")


def fitted(tables: Tables) -> Iterator[Fault]:
    yield from _without_source(tables, "fitted", "the data that it was fitted to")


def _without_source(tables: Tables, word: str, what: str) -> Iterator[Fault]:
    for _, row in tables.rows():
        if "source" in row.cells and _base(row) == word and not keys(row):
            yield row.where, f"it is {word}, and source does not name {what}."


def keys(row: Row) -> list[str]:
    """What a row names as its sources: keys, or in packages that have none a citation in words."""
    return [key.strip() for key in row["source"].split(";") if key.strip() not in ("", "-")]


def _sources(tables: Tables, folder: str) -> list[Table]:
    """The tables in which a folder's keys may stand: its own, and the model's."""
    return [
        table
        for each in dict.fromkeys((folder, PARAMETERS))
        for table in tables.folder(each)
        if _is_list(table)
    ]


def _is_list(table: Table) -> bool:
    """Whether a table is one of sources, as sources.tsv is."""
    return {"key", "citation"} <= set(table.columns)


def _named(table: Table, has_own: bool) -> Iterator[tuple[Row, list[str]]]:
    """Rows with the keys that they name; in a folder with sources of its own, blanks may part them too.

    A folder without may give a citation in words instead of a key.
    """
    for row in () if _is_list(table) else table.rows:
        yield row, [key for each in keys(row) for key in (each.split() if has_own else [each])]


def sources_known(tables: Tables) -> Iterator[Fault]:
    for table in tables:
        sources = _sources(tables, table.folder)
        known = {row["key"] for each in sources for row in each.rows}
        has_own = any(each.folder == table.folder for each in sources)
        for row, named in _named(table, has_own) if sources else ():
            for key in named:
                if key not in known and (has_own or " " not in key):
                    yield row.where, f"source {key!r} is not in {sources[0].shown}."


def sources_used(tables: Tables) -> Iterator[Fault]:
    for sources in (table for table in tables if _is_list(table)):
        used, notes = set[str](), ""
        for table in tables:
            lists = _sources(tables, table.folder)
            for row, named in _named(table, any(each.folder == table.folder for each in lists)):
                if sources in lists:
                    used.update(named)
                    notes += f" {row['note']}"  # a source that contradicts a number stands there
        for row in sources.rows:
            if row["key"] not in used and not re.search(rf"\b{re.escape(row['key'])}\b", notes):
                yield row.where, f"no row names the source {row['key']!r}."


def sources_written(tables: Tables) -> Iterator[Fault]:
    for sources in (table for table in tables if _is_list(table)):
        for row in sources.rows:
            if row["citation"] in ("", "-"):
                yield row.where, f"{row['key']} has no citation."
            if not re.fullmatch(r"-?|10\.\d{4,}/\S+", row["doi"]):
                yield row.where, f"{row['doi']!r} is no DOI."
            if not re.fullmatch(r"-?|https?://\S+", row["url"]):
                yield row.where, f"{row['url']!r} is no address."
