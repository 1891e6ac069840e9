"""A diary's cells as they stand in the file: CSV (commas, semicolons or tabs), XLSX, or JSON, unchanged."""

from __future__ import annotations

import csv
import datetime
import io
import json
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lissive.errors import DiaryError
from lissive.given import path_of

MOST_BYTES = 20_000_000
MOST_ROWS, MOST_COLUMNS = 20_000, 200
MOST_UNPACKED, MOST_CELLS = 100_000_000, 2_000_000
"""Of a spreadsheet."""
ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".json")
_SHORTER = "keep only the rows and columns of the diary."
_AGAIN = "open it in a spreadsheet and save it as CSV UTF-8."
_DAYS = '[{"date": "2026-05-01", "spasticity_nrs": 6, "sprays": 4}, ...].'


@dataclass(frozen=True)
class Cells:
    """The header, and each row under its number in the file (the first after a header is 2; in JSON, 1)."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Any, ...]], ...]


def read_cells(path: str | Path) -> Cells:
    """The cells of a diary.

    Raises       DiaryError for a file that is none, is too large, or has no header.
    """
    path = path_of(path, wrong=DiaryError)
    if path.suffix.lower() not in ENDINGS:
        raise DiaryError(
            f"Unsupported file extension {path.suffix!r}.", where=str(path), allowed=f"{', '.join(ENDINGS)}.",
            do="save the diary as CSV, or correct the ending of its name.",
        )  # fmt: skip
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DiaryError("There is no such file.", where=str(path), do="correct the path.") from None
    except OSError as error:
        raise DiaryError(
            f"It cannot be read: {error.strerror}.",
            where=str(path),
            allowed="a file that you may read.",
            do="name such a file, or change its permissions.",
        ) from None
    return cells_of(data, path)


def cells_of(data: bytes, path: Path) -> Cells:
    """The cells of a file's content; `path` is its name, whose ending says what it is."""
    ending = path.suffix.lower()
    if len(data) > MOST_BYTES:
        raise _too_large(path, f"{len(data)} bytes", MOST_BYTES)
    if ending == ".json":
        cells = _json(data, path)
    else:
        table = _sheet(data, path) if ending in (".xlsx", ".xls", ".ods") else _csv(data, path)
        cells = _with_header(table, path)
    if len(cells.rows) > MOST_ROWS:
        raise _too_large(path, f"{len(cells.rows)} rows", MOST_ROWS)
    if len(cells.header) > MOST_COLUMNS:
        raise _too_large(path, f"{len(cells.header)} columns", MOST_COLUMNS)
    return cells


def _too_large(path: Path, size: str, most: int) -> DiaryError:
    return DiaryError(f"The file has {size}.", where=str(path), allowed=f"up to {most}.", do=_SHORTER)


def _text(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DiaryError(
            "It is not valid UTF-8 text.", where=str(path), do="save it as CSV UTF-8, or as XLSX."
        ) from None


def _csv(data: bytes, path: Path) -> list[Sequence[Any]]:
    text = _text(data, path)
    first = text.split("\n", 1)[0]
    # a header has no numbers, so what is there most often is what separates
    separator = max((",", ";", "\t"), key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise DiaryError(
            f"It is not a valid CSV: {error}.",
            where=str(path),
            allowed="a row of cells for each day.",
            do=_AGAIN,
        ) from None


def _sheet(data: bytes, path: Path) -> list[Sequence[Any]]:
    if find_spec("python_calamine") is None:
        raise DiaryError(
            "Spreadsheets need python-calamine, which is not installed.",
            where=str(path),
            do="install it (pip install 'lissive[diary]'), or save the sheet as CSV.",
        )
    from python_calamine import CalamineError, load_workbook

    _looked_through(data, path)
    try:
        book = load_workbook(io.BytesIO(data))
        names = [each.name for each in book.sheets_metadata]
        filled = [
            (name, rows)
            for name in names
            if (rows := book.get_sheet_by_name(name).to_python(skip_empty_area=False))
        ]
    except (CalamineError, OSError, ValueError) as error:
        raise DiaryError(
            f"The spreadsheet cannot be read: {error}.",
            where=str(path),
            allowed="an undamaged XLSX, XLS or ODS, without a password.",
            do=_AGAIN,
        ) from None
    if len(filled) > 1:
        raise DiaryError(
            f"The file has {len(filled)} sheets with data ({', '.join(name for name, _ in filled)}).",
            where=str(path),
            allowed="one sheet.",
            do="save the diary's sheet as a file of its own.",
        )
    return list(filled[0][1]) if filled else []


_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_PLACE = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")
_ERROR = re.compile(rb"""\bt=["']e["']""")


def _looked_through(data: bytes, path: Path) -> None:
    """What the reader of spreadsheets does not say of an XLSX: it takes memory for every cell up to the last one,
    whatever is far away, and gives an error or a formula without its value as an empty cell."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            size = sum(each.file_size for each in book.infolist())
            if size > MOST_UNPACKED:
                raise _too_large(path, f"{size} bytes unpacked", MOST_UNPACKED)
            sheets = [book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error):
        return  # no XLSX, or a broken one: the reader says so
    for sheet in sheets:
        rows = columns = 1
        for cell in _CELL.finditer(sheet):
            if not (place := _PLACE.search(cell[1])):
                continue
            name = f"{place[1].decode()}{place[2].decode()}"
            rows, columns = max(rows, int(place[2])), max(columns, _column(place[1]))
            if rows * columns > MOST_CELLS:
                raise DiaryError(
                    f"There is a cell {name}, far from the diary.", where=str(path),
                    allowed=f"up to {MOST_CELLS} cells to the last one.",
                    do="delete the rows and columns outside of the diary, or save it as CSV.",
                )  # fmt: skip
            if _ERROR.search(cell[1]) or (b"<f" in (cell[2] or b"") and b"<v" not in cell[2]):
                raise DiaryError(
                    f"Cell {name} holds an error, or a formula without its value.", where=str(path),
                    allowed="numbers, texts and dates.", do="write the number there, or leave it empty.",
                )  # fmt: skip


def _column(letters: bytes) -> int:
    """
    >>> _column(b"A"), _column(b"Z"), _column(b"AA"), _column(b"XFD")
    (1, 26, 27, 16384)
    """
    number = 0
    for each in letters:
        number = 26 * number + each - 64
    return number


def _with_header(table: list[Sequence[Any]], path: Path) -> Cells:
    if not table or _is_blank(table[0]):
        raise DiaryError(
            "The first row is empty; it has to name the columns.",
            where=f"{path}:1",
            allowed="date,spasms,severity,spasticity_nrs,pain_nrs,sleep_nrs,sprays,side_effects,note.",
            do="write the names of the columns there: date, and those that the diary has.",
        )
    header = [str(each).strip() for each in table[0]]
    full = len(header)
    while header and not header[-1] and all(_is_blank(row[len(header) - 1 : full]) for row in table[1:]):
        header.pop()
    # columns that are empty all through are no columns; a row of another length stays so, and is found out
    rows = [
        (k, tuple(row[: len(header)] if len(row) == full else row))
        for k, row in enumerate(table[1:], start=2)
        if not _is_blank(row)
    ]
    return Cells(tuple(header), tuple(rows))


def _is_blank(row: Sequence[Any]) -> bool:
    return all(each is None or str(each).strip() == "" for each in row)


def _json(data: bytes, path: Path) -> Cells:
    try:
        found = json.loads(_text(data, path), parse_constant=str, parse_int=_int, object_pairs_hook=_once)
    except RecursionError:
        raise _no_days(path, "Invalid JSON: lists within lists, too deep.") from None
    except ValueError as error:
        raise _no_days(path, f"Invalid JSON: {error}.") from None
    rows = found["days"] if isinstance(found, dict) and [*found] == ["days"] else found
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise _no_days(path, "It is not a list of days.")
    header = tuple(dict.fromkeys(name for row in rows for name in row))
    return Cells(header, tuple((k, tuple(row.get(name) for name in header)) for k, row in enumerate(rows, 1)))


def _no_days(path: Path, what: str) -> DiaryError:
    do = "write it as shown, a pair of braces for each day, or save the diary as CSV."
    return DiaryError(what, where=str(path), allowed=_DAYS, do=do)


def _int(digits: str) -> int | str:
    """A number of more digits than any cell may have stays text, and is left out as such."""
    return int(digits) if len(digits) < 100 else digits


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{sorted(twice)[0]!r} is given twice in one row")
    return dict(pairs)


def shown(value: Any) -> str:
    """A cell as messages show it, not longer than a line."""
    text = value.isoformat() if isinstance(value, datetime.date) else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
