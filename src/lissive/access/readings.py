"""The register of what was read: by file, version and field, when, in which source, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lissive.access._table import read_table
from lissive.access.load import DATA

KINDS = ("primary", "secondary", "not_read_here")
"""The law or its agency; somebody's account of it; taken over from a reader's note, and not read again."""


@dataclass(frozen=True)
class Reading:
    """One source, as far as one version rests on it."""

    read: str | None
    """The day; None where it was not read again."""
    code: str
    version: str
    fields: tuple[str, ...]
    kind: str
    url: str | None
    found: str


def read_readings(path: Path) -> tuple[Reading, ...]:
    """The rows of a file; RuleError with file and line of what is wrong."""
    found = []
    for row in read_table(path, ("read", "code", "version", "fields", "kind", "url", "found")):
        if row["kind"] not in KINDS:
            raise row.error(f"kind is {row['kind']!r}.", allowed=f"{', '.join(KINDS)}.")
        if (row["read"] == "-") != (row["kind"] == "not_read_here"):
            raise row.error(
                "has a day of reading and was not read, or the other way.", do="correct read or kind."
            )
        found.append(
            Reading(
                None if row["read"] == "-" else row["read"],
                row["code"],
                row["version"],
                () if row["fields"] == "-" else row.parts("fields"),
                row["kind"],
                None if row["url"] == "-" else row["url"],
                row["found"],
            )
        )
    return tuple(found)


@cache
def readings() -> tuple[Reading, ...]:
    """The register that comes with lissive."""
    return read_readings(DATA / "readings.tsv")
