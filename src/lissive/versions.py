"""Versions of the data: each data set has a date and a hash of its files, in `versions.tsv`, and in every answer.

    python -m lissive.versions      a new hash, and today's date, for each data set whose files have changed

>>> sorted(data_versions("rules")["rules"])[-2:]
['hash', 'version']
"""

from __future__ import annotations

import csv
import datetime
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, overload

PACKAGE = Path(__file__).parent
TABLE = PACKAGE / "versions.tsv"
_DIGITS = 12


class DataSet(NamedTuple):
    """A row of the table."""

    name: str
    version: str
    """Day of the last change."""
    hash: str
    """Of its files on that day."""
    files: str
    """Patterns below the package, with blanks between."""
    about: str


@cache
def data_sets() -> dict[str, DataSet]:
    """All of them, by name."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows)
        return {row[0]: DataSet(*row) for row in rows}


def files_of(name: str) -> list[Path]:
    """The files of a data set, in the order of their names."""
    patterns = data_sets()[name].files.split()
    found = {path for each in patterns for path in PACKAGE.glob(each) if path.is_file()}
    return sorted(found, key=lambda path: path.relative_to(PACKAGE).as_posix())


@cache
def hash_of(name: str) -> str:
    """Of names and contents as they are here and now; ends of lines do not count."""
    digest = hashlib.sha256()
    for path in files_of(name):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:_DIGITS]


def data_versions(*names: str) -> dict[str, dict[str, Any]]:
    """What JSON says of these data sets, or of all: version and hash; `changed` where the files were changed since."""
    found: dict[str, dict[str, Any]] = {}
    for name in names or data_sets():
        held, now = data_sets()[name], hash_of(name)
        found[name] = {
            "version": held.version,
            "hash": now,
            **({} if now == held.hash else {"changed": True}),
        }
    return found


def newest() -> str:
    """The day of the newest of all, where no more fits; with a + where any was changed since."""
    every = data_versions().values()
    changed = "+" if any("changed" in each for each in every) else ""
    return f"{max(each['version'] for each in every)}{changed}"


def data_line(*names: str) -> str:
    """The same at the foot of a text: one sentence."""
    said = [
        f"{name} {each['version']} ({each['hash'][:8]}{', changed since' if 'changed' in each else ''})"
        for name, each in data_versions(*names).items()
    ]
    return f"Data: {', '.join(said)}."


@overload
def stamped(data: Mapping[str, Any], *names: str) -> dict[str, Any]: ...
@overload
def stamped(data: list[Any], *names: str) -> list[Any]: ...
def stamped(data: Any, *names: str) -> Any:
    """An answer as plain data, with what these data sets were. In a list, which has no fields, each row has it."""
    if isinstance(data, list):
        return [stamped(each, *names) for each in data]
    return {**data, "data_versions": data_versions(*names)}


def renew(today: datetime.date) -> list[str]:
    """Write the hashes of now, and `today` where one differs. Returns the names of those that did."""
    moved = [name for name, each in data_sets().items() if hash_of(name) != each.hash]
    rows = [
        each._replace(version=today.isoformat(), hash=hash_of(name)) if name in moved else each
        for name, each in data_sets().items()
    ]
    TABLE.write_text(
        "".join("\t".join(row) + "\n" for row in [("data_set", *DataSet._fields[1:]), *rows]),
        encoding="utf-8",
    )
    data_sets.cache_clear()
    return moved


if __name__ == "__main__":
    print(", ".join(renew(datetime.datetime.now(datetime.UTC).date())) or "Nothing has changed.")
