"""A diary as typed days, or what is wrong with each row of it; nothing is corrected or dropped in silence.

    diary = read_diary("diary.csv", today=datetime.date.today())
    diary.days[0].ratings["spasticity_nrs"], diary.left_out

A row that cannot be used is left out whole, and `left_out` says which and why. Column names that are not known stop the
import with a mapping to confirm.
"""

from __future__ import annotations

import datetime
import difflib
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lissive.errors import DiaryError
from lissive.follow.cells import Cells, cells_of, read_cells, shown
from lissive.follow.values import Fault, day_of, hour_of, rough
from lissive.follow.words import beside, warned
from lissive.simulation.dosing import ROUTES
from lissive.table import rows_of

DROP = "-"
"""In a mapping: the column is left out, and the import says so."""
RATED = ("spasms", "severity", "spasticity_nrs", "pain_nrs", "sleep_nrs")
DOSED = ("sprays", "thc_mg", "cbd_mg")
_AS_READ = {"spray": "sprays", "1/day": "a day"}
EARLIEST, LATEST = datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)
"""Days that are asked for or written in a diary."""


@dataclass(frozen=True)
class Column:
    """One column that a diary may have."""

    name: str
    kind: str
    low: float
    high: float
    unit: str
    label: str
    aliases: tuple[str, ...]


@cache
def columns() -> Mapping[str, Column]:
    """The columns of a diary, in order."""
    return MappingProxyType(
        {
            row["column"]: Column(
                row["column"],
                row["kind"],
                float(row["low"] or "nan"),
                float(row["high"] or "nan"),
                row["unit"],
                row["label"],
                tuple(part for part in row["aliases"].split(";") if part),
            )
            for row in rows_of(Path(__file__).parent / "columns.tsv")
        }
    )


@dataclass(frozen=True)
class Dose:
    """What was taken at one time; `hour` is None where no time is given."""

    hour: float | None = None
    sprays: float = 0.0
    thc_mg: float = 0.0
    cbd_mg: float = 0.0
    product: str = ""
    route: str = ""
    batch: str = ""


@dataclass(frozen=True)
class Day:
    """One day of a diary."""

    date: datetime.date
    rows: tuple[int, ...]
    ratings: Mapping[str, float]
    """Column to value; what was left blank is not in it."""
    doses: tuple[Dose, ...] | None
    """None where no dose was written, which is not the same as a dose of 0."""
    side_effects: str = ""
    note: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A row that was not used, and why; what it says of harm and of doses is still looked at."""

    row: int
    why: str
    date: datetime.date | None = None
    said: str = ""
    """Its texts, whatever column they stand in."""
    amounts: Mapping[str, float] = field(default_factory=dict)
    """Column of a dose to its number, in range or not."""


@dataclass(frozen=True)
class Diary:
    """All days that could be read, by date, and what was left out."""

    path: str
    days: tuple[Day, ...]
    used: int
    """Rows."""
    left_out: tuple[LeftOut, ...]
    dropped_columns: tuple[str, ...] = ()
    lines: tuple[str, ...] = field(default=())
    """What was imported, to be printed."""

    @property
    def without(self) -> str:
        """Which rows were left out, as the end of a message that there is too little."""
        if not self.left_out:
            return ""
        first = self.left_out[0]
        return f" Rows left out: {len(self.left_out)}; the first is row {first.row}: {first.why}."


def read_diary(
    path: str | Path,
    *,
    today: datetime.date,
    mapping: Mapping[str, str] | None = None,
    decimal_comma: bool = False,
    us_dates: bool = False,
) -> Diary:
    """The diary in a CSV, XLSX or JSON file.

    Parameters
    ----------
    today : a day after it is a mistake.
    mapping : column of the file to column of a diary, or to `-` for one that is to be left out.
    decimal_comma : numbers are written 6,5.
    us_dates : days are written month/day/year, as 05/01/2026 for the first of May.

    Raises       DiaryError where the columns are not known, or no row can be used.
    """
    cells = read_cells(path)
    with _refusing(cells):
        return _read(cells, path, today, mapping or {}, decimal_comma, us_dates)


def diary_of(text: str, *, today: datetime.date, name: str = "diary.csv") -> Diary:
    """The diary in the text of a CSV file, as `read_diary` reads it; `name` stands in messages."""
    cells = cells_of(text.encode(), Path(name))
    with _refusing(cells):
        return _read(cells, name, today, {}, False, False)


@contextmanager
def _refusing(cells: Cells) -> Iterator[None]:
    """Of a diary that is refused, what its texts say of harm is in the message."""
    try:
        yield
    except DiaryError as error:
        texts = [cell for _, row in cells.rows for cell in row if isinstance(cell, str)]
        raise beside(error, warned(texts)) from None


def _read(
    cells: Cells,
    path: str | Path,
    today: datetime.date,
    mapping: Mapping[str, str],
    decimal_comma: bool,
    us_dates: bool,
) -> Diary:
    places, dropped = _places(cells.header, mapping, str(path))
    reader = _Reader(places, today, decimal_comma, us_dates)
    read: list[tuple[int, dict[str, Any]]] = []
    left_out: list[LeftOut] = []
    for number, row in cells.rows:
        values, faults = reader.row(row, len(cells.header))
        if faults:
            left_out.append(reader.left(number, row, values, faults))
        else:
            read.append((number, values))
    if not any(name in places for name in RATED):
        raise DiaryError(
            "The diary rates nothing.",
            where=f"{path}:1",
            allowed=f"one or more of {', '.join(RATED)}.",
            do="add the column that was rated, or name it with --map.",
        )
    days, doubled = _days(read)
    left_out = sorted([*left_out, *doubled], key=lambda each: each.row)
    if not days:
        listed = "\n".join(f"{path}:{each.row}: {each.why}" for each in left_out[:20])
        more = f"\n... and {len(left_out) - 20} more rows" if len(left_out) > 20 else ""
        raise DiaryError(
            f"No row can be used.\n{listed}{more}." if left_out else "There is no row under the header.",
            where=str(path),
            allowed="one or more rows, each with a date.",
            do="correct these rows." if left_out else "write a row for each day.",
        )
    used = sum(len(day.rows) for day in days)
    found = Diary(str(path), days, used, tuple(left_out), dropped)
    return Diary(**{**vars(found), "lines": tuple(_import_lines(found))})


def _import_lines(diary: Diary) -> Iterator[str]:
    first, last = diary.days[0].date, diary.days[-1].date
    span = (last - first).days + 1
    gaps = span - len(diary.days)
    yield (
        f"{diary.path}: {diary.used} rows used ({len(diary.days)} days, {first} to {last}; {gaps} days "
        "without a row), "
        f"{len(diary.left_out)} left out."
    )
    for name in RATED:
        if count := sum(name in day.ratings for day in diary.days):
            yield f"  {columns()[name].label}: {count} days"
    yield f"  doses: {sum(day.doses is not None for day in diary.days)} days"
    if diary.dropped_columns:
        yield f"  columns left out as asked: {', '.join(diary.dropped_columns)}"
    for each in diary.left_out:
        yield f"  row {each.row} left out: {each.why}"


# -- columns ------------------------------------------------------------------------------------------
def _places(
    header: tuple[str, ...], mapping: Mapping[str, str], where: str
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Column of a diary to its place in the file."""
    known = columns()
    for mine, target in mapping.items():
        if mine not in header:
            raise DiaryError(f"--map names the column {mine!r}, which the file does not have.", where=where,
                             allowed=f"{', '.join(header)}.", do="correct the name left of =.")  # fmt: skip
        if target != DROP and target not in known:
            raise DiaryError(f"--map leads to {target!r}.", where=where, allowed=f"{', '.join(known)}, or -.",
                             do="correct the name right of =; - leaves the column out.")  # fmt: skip
    named = [mapping.get(name, _plain(name) if _plain(name) in known else "") for name in header]
    unknown = [name for name, target in zip(header, named, strict=True) if not target]
    if unknown or "date" not in named:
        _propose(header, named, unknown, where)
    twice = {target for target in named if target != DROP and named.count(target) > 1}
    if twice:
        raise DiaryError(f"Duplicate column {', '.join(sorted(twice))}.", where=f"{where}:1", do="keep one.")
    dropped = tuple(name for name, target in zip(header, named, strict=True) if target == DROP)
    return {target: k for k, target in enumerate(named) if target != DROP}, dropped


def _plain(name: str) -> str:
    return re.sub(r"[\s\-]+", "_", name.strip().lower())


def _propose(header: tuple[str, ...], named: list[str], unknown: list[str], where: str) -> None:
    """Raise the mapping that may be meant; it is for the user to confirm."""
    taken = {each for each in named if each}
    pairs = []
    for name in unknown:
        target = _nearest(name, taken) or DROP
        taken.add(target)
        pairs.append(f"{name}={target}")
    if 2 * header.count("") >= len(header):
        raise DiaryError(
            f"The first row does not name the columns: it has {len(header)} cells, and {header.count('')} are empty.",
            where=f"{where}:1", allowed=f"{', '.join(columns())}.",
            do="delete the rows above the names of the columns.",
        )  # fmt: skip
    lacks = "" if "date" in taken else " There is no column of dates."
    quoted = ",".join(pairs)
    raise DiaryError(
        f"Unknown column names: {', '.join(map(repr, unknown))}.{lacks}" if unknown else lacks.strip(),
        where=f"{where}:1",
        allowed=f"{', '.join(columns())}.",
        do=f'check this mapping and give it: --map "{quoted}" (- leaves a column out).'
        if pairs
        else "name it.",
    )


def _nearest(name: str, taken: set[str]) -> str:
    words = {alias: each.name for each in columns().values() for alias in (each.name, *each.aliases)}
    free = [word for word, target in words.items() if target not in taken]
    plain = re.sub(r"[^\w]+|_+(?=$)", "_", _plain(name)).strip("_")
    within = [word for word in free if len(word) > 3 and word in plain]
    found = (
        difflib.get_close_matches(plain, free, n=1, cutoff=0.72) or sorted(within, key=len, reverse=True)[:1]
    )
    return words[found[0]] if found else ""


# -- cells --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Reader:
    places: Mapping[str, int]
    today: datetime.date
    decimal_comma: bool
    us_dates: bool

    def row(self, row: tuple[Any, ...], width: int) -> tuple[dict[str, Any], list[str]]:
        """Column to value, and what is wrong."""
        values: dict[str, Any] = {}
        faults: list[str] = []
        if len(row) != width:  # a comma too many or too few moves all that follows it
            return {}, [f"the row has {len(row)} cells, the header {width}"]
        for name, place in self.places.items():
            raw = row[place] if place < len(row) else None
            raw = raw.strip() if isinstance(raw, str) else raw
            if raw is None or raw == "":
                continue
            try:
                values[name] = self._value(columns()[name], raw)
            except Fault as fault:
                faults.append(f"{name} is {shown(raw)}{fault}")
        if "date" not in values and not faults:
            faults.append("date is missing")
        return values, faults

    def left(self, number: int, row: tuple[Any, ...], values: dict[str, Any], faults: list[str]) -> LeftOut:
        """A row with faults, and what can still be read in it."""
        said = "; ".join(cell for cell in row if isinstance(cell, str) and cell.strip())
        cells = {name: row[k] for name, k in self.places.items() if k < len(row)}
        amounts = {name: value for name in DOSED if (value := rough(cells.get(name))) is not None}
        return LeftOut(number, "; ".join(faults), values.get("date"), said, amounts)

    def _value(self, column: Column, raw: Any) -> Any:
        if column.kind == "date":
            return self._date(raw)
        if column.kind == "time":
            return hour_of(raw)
        if column.kind == "text":
            return str(raw)
        if column.kind == "route":
            if (word := str(raw).lower()) not in ROUTES:
                raise Fault(f". Allowed: {', '.join(ROUTES)}")
            return word
        return self._number(column, raw)

    def _date(self, raw: Any) -> datetime.date:
        day = raw
        if isinstance(raw, datetime.datetime):
            if raw.time() != datetime.time():
                raise Fault(", a moment. Write the day, as 2026-05-01, and the time in its own column")
            day = raw.date()
        elif not isinstance(raw, datetime.date):
            day = day_of(raw, us=self.us_dates)
        if day > self.today:
            raise Fault(f", in the future (today is {self.today})")
        if day < EARLIEST:
            raise Fault(f". Allowed: {EARLIEST} or later")
        found: datetime.date = day
        return found

    def _number(self, column: Column, raw: Any) -> float:
        text = str(raw)
        if isinstance(raw, str) and re.fullmatch(r"[+-]?\d+,\d+", text):
            if not self.decimal_comma:
                raise Fault(", with a decimal comma. Write 6.5, or add --decimal-comma if all numbers are so")
            text = text.replace(",", ".")
        plain = not isinstance(raw, bool) and re.fullmatch(
            r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", text, re.ASCII
        )
        value = float(text) if plain else math.nan
        whole = column.kind in ("count", "whole")
        if not (column.low <= value <= column.high) or (whole and value != int(value)):
            kind = "a whole number, " if whole else ""
            if shape := re.fullmatch(r"(\d+) ?(/ ?10|(?:-|–|to) ?\d+)", text):
                one = shape[1] if "/" in shape[2] else "one number"
                raise Fault(f". Write {one}. Allowed: {kind}{column.low:g} to {column.high:g}")
            raise Fault(
                f". Allowed: {kind}{column.low:g} to {column.high:g} {_AS_READ.get(column.unit, column.unit)}"
            )
        return value


# -- days ---------------------------------------------------------------------------------------------
def _days(rows: list[tuple[int, dict[str, Any]]]) -> tuple[tuple[Day, ...], list[LeftOut]]:
    """Rows by day; several on one day only where each has a time, and rates no thing twice."""
    by_day: dict[datetime.date, list[tuple[int, dict[str, Any]]]] = {}
    for number, values in rows:
        by_day.setdefault(values["date"], []).append((number, values))
    days, left_out = [], []
    for date in sorted(by_day):
        mine = by_day[date]
        if why := _doubled(date, mine):
            left_out += [
                LeftOut(number, why, date, _texts(values), {n: values[n] for n in DOSED if n in values})
                for number, values in mine
            ]
        else:
            days.append(_day(date, mine))
    return tuple(days), left_out


def _doubled(date: datetime.date, rows: list[tuple[int, dict[str, Any]]]) -> str:
    if len(rows) == 1:
        return ""
    numbers = f"rows {', '.join(str(number) for number, _ in rows)}"
    if not all("time" in values for _, values in rows):
        return f"date {date} has {len(rows)} rows ({numbers}). Keep one, or give each dose its time"
    for name in RATED:
        if sum(name in values for _, values in rows) > 1:
            return f"{name} is given more than once on {date} ({numbers}). Keep one"
    return ""


def _texts(values: dict[str, Any]) -> str:
    return "; ".join(values[name] for name in ("side_effects", "note") if name in values)


def _day(date: datetime.date, rows: list[tuple[int, dict[str, Any]]]) -> Day:
    ratings = {name: values[name] for _, values in rows for name in RATED if name in values}
    dosed = [values for _, values in rows if any(name in values for name in DOSED)]
    doses = tuple(
        Dose(
            values.get("time"),
            values.get("sprays", 0.0),
            values.get("thc_mg", 0.0),
            values.get("cbd_mg", 0.0),
            values.get("product", ""),
            values.get("route", ""),
            values.get("batch", ""),
        )
        for values in dosed
    )
    texts = {name: "; ".join(v[name] for _, v in rows if name in v) for name in ("side_effects", "note")}
    return Day(date, tuple(n for n, _ in rows), MappingProxyType(ratings), doses if dosed else None, **texts)
