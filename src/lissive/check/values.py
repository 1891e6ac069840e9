"""Checks of the values: units, distributions, ends and ranges."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lissive.check.tables import PARAMETERS, Fault, Row, Tables
from lissive.errors import UnitError
from lissive.table import rows_of
from lissive.units import factor

_DISTRIBUTIONS = "fixed lognormal logitnormal normal bernoulli".split()


@cache
def _counts() -> frozenset[str]:
    """Units of what is counted or rated, of which no registry knows."""
    return frozenset(row["unit"] for row in rows_of(Path(__file__).with_name("counts.tsv")))


def units(tables: Tables) -> Iterator[Fault]:
    for table, row in tables.rows():
        if "unit" in row.cells and "key" not in row.cells and not _is_unit(row["unit"], table.is_yaml):
            yield row.where, f"{row['unit']!r} is not a known unit."


@cache
def _is_unit(text: str, may_be_empty: bool) -> bool:
    if text in _counts() or text in ("1", "-"):
        return True
    if not text:
        return may_be_empty
    parts = text.split("/")
    plain = "/".join("1" if part in _counts() else part for part in parts)  # as in spray/day
    try:
        factor(plain, plain)
    except UnitError:
        return False
    return True


def one_unit(tables: Tables) -> Iterator[Fault]:
    first: dict[str, Row] = {}
    for table in tables.folder(PARAMETERS):
        for row in table.rows:
            if row["name"] and "unit" in row.cells:
                other = first.setdefault(row["name"], row)
                if other["unit"] != row["unit"]:
                    yield (
                        row.where,
                        f"{row['name']} is in {row['unit']!r} here and in {other['unit']!r} at {other.where}.",
                    )


def distribution(tables: Tables) -> Iterator[Fault]:
    for _, row in tables.rows():
        if "distribution" in row.cells:
            yield from ((row.where, f"{row['name']} {what}") for what in _wrong_distribution(row))


def _wrong_distribution(row: Row) -> Iterator[str]:
    kind, spread, value = row["distribution"], _number(row["spread"]), _number(row["value"])
    if kind not in _DISTRIBUTIONS:
        yield f"has the distribution {kind!r}; one of {', '.join(_DISTRIBUTIONS)}."
    elif kind == "fixed":
        if row["spread"]:
            yield f"is fixed and has a spread of {row['spread']}."
    elif not spread > 0:
        yield f"is {kind} and has no spread over 0."
    if kind == "lognormal" and value <= 0:
        yield f"is lognormal and its value {row['value']} is not over 0."
    if kind == "logitnormal" and not 0 < value < 1:
        yield f"is logitnormal and its value {row['value']} is not between 0 and 1."
    if kind == "bernoulli" and not (value == 0 and spread < 1):
        yield "is bernoulli: its value must be 0, and its spread a proportion."


@cache
def _column_ends() -> dict[tuple[str, str], tuple[float, float, str]]:
    """Table and column to the ends that no cell of it can pass, and what the column holds."""
    return {
        (row["table"], row["column"]): (
            float(row["lower"] or -math.inf),
            float(row["upper"] or math.inf),
            row["note"],
        )
        for row in rows_of(Path(__file__).with_name("ends.tsv"))
    }


def ends(tables: Tables) -> Iterator[Fault]:
    for (place, column), (lower, upper, note) in _column_ends().items():
        for row in tables.rows_of(place):
            value = _number(row[column])
            if value < lower or value > upper:
                allowed = f"{lower:g} to {upper:g}" if math.isfinite(lower) and math.isfinite(upper) else ""
                allowed = allowed or (f"{lower:g} or more" if math.isfinite(lower) else f"up to {upper:g}")
                yield row.where, f"{column} is {row[column]}; {allowed}. {note}"


def correlations(tables: Tables) -> Iterator[Fault]:
    """Pairs of two fitted parameters, each pair once, all of them possible together."""
    table = tables.get(f"{PARAMETERS}/fitted_correlation.tsv")
    if table is None:
        return
    names = [row["name"] for row in tables.rows_of(f"{PARAMETERS}/fitted.tsv")]
    matrix = np.eye(len(names))
    first: dict[frozenset[str], str] = {}
    for row in table.rows:
        pair = (row["name"], row["other"])
        if unknown := [name for name in pair if name not in names]:
            yield row.where, f"{unknown[0]!r} is not in fitted.tsv."
        elif pair[0] == pair[1]:
            yield row.where, f"{pair[0]} stands beside itself."
        elif (before := first.setdefault(frozenset(pair), row.where)) != row.where:
            yield row.where, f"the pair {pair[0]} and {pair[1]} comes twice; first at {before}."
        else:
            i, k = (names.index(name) for name in pair)
            matrix[i, k] = matrix[k, i] = _number(row["correlation"])
    # of a single pair the ends are the business of `ends`; here several together
    if np.isfinite(matrix).all() and np.abs(matrix).max(initial=0.0) <= 1 and _least(matrix) < -1e-3:
        yield f"{table.shown}:1", "these correlations cannot all be together: their matrix is not positive."


def _least(matrix: npt.NDArray[np.float64]) -> float:
    return float(np.linalg.eigvalsh(matrix).min(initial=0.0))


def bounds(tables: Tables) -> Iterator[Fault]:
    yield from _ends(tables, "bounds.tsv", "the ends that it cannot pass")


def ranges(tables: Tables) -> Iterator[Fault]:
    yield from _ends(tables, "ranges.tsv", "the range of the literature")


def _ends(tables: Tables, name: str, what: str) -> Iterator[Fault]:
    ends = {row["name"]: row for row in tables.rows_of(f"{PARAMETERS}/{name}")}
    for row in ends.values():
        if not _number(row["lower"]) < _number(row["upper"]):
            yield row.where, f"{row['name']}: lower {row['lower']} is not below upper {row['upper']}."
    for other in tables.folder(PARAMETERS):
        for row in other.rows:
            end = ends.get(row["name"])
            if end is None or "value" not in row.cells:
                continue
            if _number(row["value"]) < _number(end["lower"]) or _number(row["value"]) > _number(end["upper"]):
                yield (
                    row.where,
                    f"{row['name']} = {row['value']} {row['unit']} lies outside {what}, "
                    f"{end['lower']} to {end['upper']} ({end.where}).",
                )


def _number(text: str) -> float:
    """The number, or one that is neither over nor below any other where the cell holds none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
