"""Tables of this package: a mistake in one is a SafetyError with its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

from lissive import table
from lissive.errors import SafetyError
from lissive.safety.answer import Source
from lissive.table import TableRow
from lissive.typed import nearest

HERE = Path(__file__).parent
PROVENANCE = ("read", "unverified")


class Row(TableRow):
    """One line of a table."""

    def one_of(self, column: str, allowed: Iterable[str]) -> str:
        known = list(allowed)
        if self[column] not in known:
            raise self.error(
                f"{column} is {self[column]!r}.{nearest(self[column], known)}", allowed=f"{', '.join(known)}."
            )
        return self[column]

    def cited(self, sources: Iterable[str], column: str = "source") -> tuple[str, ...]:
        """The keys of the sources; `-` is none."""
        known = list(sources)
        keys = tuple(key for key in self.parts(column) if key != "-")
        for key in keys:
            if key not in known:
                raise self.error(
                    f"source {key!r} is not in sources.tsv.{nearest(key, known)}",
                    do="add the source there, or correct the key.",
                )
        return keys


def read_rows(path: Path, columns: Sequence[str]) -> list[Row]:
    """The rows of a table that has exactly these columns."""
    return table.read_table(path, columns, SafetyError, Row)


def read_table(path: Path, columns: Sequence[str], key: str) -> list[Row]:
    """The same, no two with the same key."""
    rows = read_rows(path, columns)
    seen: set[str] = set()
    for row in rows:
        if not row[key] or row[key] in seen:
            raise row.error(f"{key} {row[key]!r} is empty or comes twice.", do="keep one row for each.")
        seen.add(row[key])
    return rows


@cache
def sources() -> MappingProxyType[str, Source]:
    """Every source of these tables, by key."""
    rows = read_table(HERE / "sources.tsv", ("key", "citation", "url", "seen"), "key")
    return MappingProxyType({row["key"]: Source(row["citation"], row["url"], row["seen"]) for row in rows})


_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def day_read(keys: Sequence[str]) -> str:
    """The last day on which one of these sources was read; empty where none was."""
    return max((day for key in keys for day in _DAY.findall(sources()[key].seen)), default="")


_SMALL = frozenset(("of", "the", "a", "an"))


def plain(text: str) -> str:
    """A name without case, punctuation, and small words.

    >>> plain("Family_history of  psychosis"), plain("St. John's wort")
    ('family history psychosis', 'st johns wort')
    """
    words = re.sub(r"[^a-z0-9]+", " ", re.sub(r"['’]", "", text.lower())).split()
    return " ".join(word for word in words if word not in _SMALL)
