"""Checks of where numbers come from: words of provenance, keys of sources."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lissive.check.tables import PARAMETERS, Fault, Row, Table, Tables
from lissive.model.parameters import PROVENANCE, RECALLED

SOURCES = "sources.tsv"


def _base(row: Row) -> str:
    return row["provenance"].removesuffix(RECALLED)


def provenance(tables: Tables) -> Iterator[Fault]:
    for table in tables:
        for row in table.rows:
            if "provenance" in row.cells and _base(row) not in PROVENANCE:
                yield (
                    row.where,
                    f"provenance is {row['provenance']!r}; one of {', '.join(PROVENANCE)}, "
                    f"with '{RECALLED.strip()}' or without.",
                )


def measured(tables: Tables) -> Iterator[Fault]:
    yield from _without_source(tables, "measured", "who measured it")


def fitted(tables: Tables) -> Iterator[Fault]:
    yield from _without_source(tables, "fitted", "the data that it was fitted to")


def _without_source(tables: Tables, word: str, what: str) -> Iterator[Fault]:
    for table in tables:
        for row in table.rows:
            if "source" in row.cells and _base(row) == word and not keys(row):
                yield row.where, f"it is {word}, and source does not name {what}."


def keys(row: Row) -> list[str]:
    """What a row names as its sources: keys, or in rooms that have none a citation in words."""
    return [key.strip() for key in row["source"].split(";") if key.strip() not in ("", "-")]


def _sources(tables: Tables, room: str) -> list[Table]:
    """The tables in which a room's keys may stand: its own, and the model's."""
    found = (tables.get(f"{each}/{SOURCES}") for each in dict.fromkeys((room, PARAMETERS)))
    return [table for table in found if table is not None]


def sources_known(tables: Tables) -> Iterator[Fault]:
    for table in tables:
        sources = _sources(tables, table.room)
        known = {row["key"] for each in sources for row in each.rows}
        has_own = any(each.room == table.room for each in sources)
        for row in table.rows if sources else ():
            for key in keys(row):
                # a citation in words has a blank; only a room without sources of its own may give one
                if key not in known and (has_own or " " not in key):
                    yield row.where, f"source {key!r} is not in {sources[0].shown}."


def sources_used(tables: Tables) -> Iterator[Fault]:
    for sources in (table for table in tables if table.name == SOURCES):
        rows = [row for table in tables if sources in _sources(tables, table.room) for row in _citing(table)]
        used = {key for row in rows for key in keys(row)}
        notes = " ".join(row["note"] for row in rows)  # a source that contradicts a number stands there
        for row in sources.rows:
            if row["key"] not in used and not re.search(rf"\b{re.escape(row['key'])}\b", notes):
                yield row.where, f"no row names the source {row['key']!r}."


def _citing(table: Table) -> tuple[Row, ...]:
    return () if table.name == SOURCES else table.rows


def sources_written(tables: Tables) -> Iterator[Fault]:
    for sources in (table for table in tables if table.name == SOURCES):
        for row in sources.rows:
            if row["citation"] in ("", "-"):
                yield row.where, f"{row['key']} has no citation."
            if not re.fullmatch(r"-?|10\.\d{4,}/\S+", row["doi"]):
                yield row.where, f"{row['doi']!r} is no DOI."
            if not re.fullmatch(r"-?|https?://\S+", row["url"]):
                yield row.where, f"{row['url']!r} is no address."
