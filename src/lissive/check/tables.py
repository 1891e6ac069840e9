"""What the checks look at: tables and model texts as they stand in the files, wrong ones included.

Nothing is refused here. A row with too many or too few cells is a row; the checks say what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from lissive.errors import LissiveError

PACKAGE = Path(__file__).parents[1]
PARAMETERS = "model/parameters"
TEXTS = "model/text"

Fault = tuple[str, str]
"""`file:line`, and what is wrong there."""


@dataclass(frozen=True)
class Row:
    """One line of a table, or one mapping of a YAML file."""

    where: str
    """`file:line`."""
    cells: Mapping[str, str]
    count: int
    """How many cells stand on the line."""

    def __getitem__(self, column: str) -> str:
        """The cell; empty where there is none."""
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Table:
    """One file."""

    place: str
    """In the package, as `model/parameters/thc.tsv`."""
    shown: str
    """As messages call it."""
    text: str
    columns: tuple[str, ...]
    """Of the heading; empty for YAML, whose rows have the keys that they have."""
    rows: tuple[Row, ...]

    @property
    def folder(self) -> str:
        return self.place.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.place.rpartition("/")[2]

    @property
    def is_yaml(self) -> bool:
        return not self.name.endswith(".tsv")


@dataclass(frozen=True)
class Tables:
    """All tables, and the texts that the model is made of."""

    tables: tuple[Table, ...]
    texts: Mapping[str, str]
    """Name of a file in model/text to what stands in it."""

    def __iter__(self) -> Iterator[Table]:
        return iter(self.tables)

    def get(self, place: str) -> Table | None:
        return next((table for table in self.tables if table.place == place), None)

    def rows_of(self, place: str) -> tuple[Row, ...]:
        """The rows of one table; none where it is not there."""
        table = self.get(place)
        return table.rows if table else ()

    def rows(self) -> Iterator[tuple[Table, Row]]:
        """Every row, with its table."""
        return ((table, row) for table in self.tables for row in table.rows)

    def folder(self, name: str) -> list[Table]:
        return [table for table in self.tables if table.folder == name]

    @property
    def row_count(self) -> int:
        return sum(len(table.rows) for table in self.tables)


def from_texts(files: Mapping[str, str], shown: Mapping[str, str] | None = None) -> Tables:
    """Tables and model texts from what stands in the files, by their places in the package."""
    names = shown or {}
    tables = [
        _table(place, names.get(place, place), text)
        for place, text in files.items()
        if not place.endswith(".ant")
    ]
    texts = {place.rpartition("/")[2]: text for place, text in files.items() if place.endswith(".ant")}
    return Tables(tuple(tables), texts)


def shipped(parameters: Path | None = None) -> Tables:
    """Every table that ships with the package.

    Parameters
    ----------
    parameters : a folder of tables to be looked at in place of `model/parameters`.

    Raises
    ------
    LissiveError
        Where that folder is not there, or has no tables.
    """
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(_files())}
    if parameters is not None:
        mine = sorted(parameters.glob("*.tsv")) if parameters.is_dir() else []
        if not mine:
            raise LissiveError(
                "there are no tables.",
                where=str(parameters),
                allowed="a folder with tables (.tsv), as a changed copy of the model's parameters.",
                do="correct the path.",
            )
        paths = {place: path for place, path in paths.items() if not place.startswith(f"{PARAMETERS}/")}
        paths |= {f"{PARAMETERS}/{path.name}": path for path in mine}
    files = {place: path.read_bytes().decode("utf-8", errors="replace") for place, path in paths.items()}
    return from_texts(files, {place: _shown(path) for place, path in paths.items()})


def _files() -> Iterator[Path]:
    yield from PACKAGE.glob("**/*.tsv")
    yield from PACKAGE.glob("studies/**/*.yaml")
    yield from PACKAGE.glob("access/data/*/*.yaml")
    yield from PACKAGE.glob("access/data/coverage.yaml")
    yield from PACKAGE.glob("evidence/data/*.yaml")
    yield from PACKAGE.glob(f"{TEXTS}/*.ant")


def _shown(path: Path) -> str:
    """The path as one would type it from here."""
    here = Path.cwd()
    return os.path.relpath(path, here) if path.resolve().is_relative_to(here) else str(path)


@lru_cache(maxsize=512)
def _table(place: str, shown: str, text: str) -> Table:
    if place.endswith(".tsv"):
        columns, rows = _tab_separated(text, shown)
        return Table(place, shown, text, columns, tuple(rows))

    found = (Row(f"{shown}:{line}", cells, len(cells)) for line, cells in yaml_rows(text))
    return Table(place, shown, text, (), tuple(found))


def _tab_separated(text: str, shown: str) -> tuple[tuple[str, ...], Iterable[Row]]:
    lines = text.split("\n")
    columns = tuple(lines[0].rstrip("\r").split("\t"))
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():  # an empty line is the business of the check of blanks
            cells = line.rstrip("\r").split("\t")
            rows.append(Row(f"{shown}:{number}", dict(zip(columns, cells, strict=False)), len(cells)))
    return columns, rows


# -- the mappings of a YAML file -------------------------------------------------------------------
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
"""The files come with lissive: libyaml reads them ten times as fast."""


def yaml_rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and plain cells of each mapping that has any, from the top down; nothing where it is not YAML.

    >>> list(yaml_rows("- id: a\\n  dose:\\n    value: 2\\n    unit: mg\\n"))
    [(1, {'id': 'a'}), (3, {'value': '2', 'unit': 'mg'})]
    """
    try:
        top = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError:
        return
    if top is not None:
        yield from _rows(top)


def _rows(node: yaml.Node) -> Iterator[tuple[int, dict[str, str]]]:
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _rows(each)
    elif isinstance(node, yaml.MappingNode):
        cells = {
            str(key.value): "" if value.tag.endswith(":null") else str(value.value)
            for key, value in node.value
            if isinstance(value, yaml.ScalarNode)
        }
        if cells:
            yield node.start_mark.line + 1, cells
        for _, value in node.value:
            yield from _rows(value)
