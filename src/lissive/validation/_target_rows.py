"""The tables of targets: what was observed, and which run of the model it is held against; mistakes by line.

`targets.tsv` has a row for each observation and `target_arms.tsv` a row for each run. Sources are keys of the
model's own table of sources or of `target_sources.tsv`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lissive.errors import ParameterError
from lissive.model import load
from lissive.model.parameters import MODULES, Source, load_causes, load_parameters, load_sources
from lissive.table import TableRow, read_table

FOLDER = Path(__file__).parent
TARGET_COLUMNS = (
    "number id module kind observation low high tolerance unit arm against measure output provenance"
    " set_by_hand constants source why_unmet"
).split()
ARM_COLUMNS = "arm model cause doses days every settings patients note".split()
SOURCE_COLUMNS = "key citation doi url".split()

KINDS = ("observed", "model")
"""Seen in people; or computed by another program with a published model, so that meeting it proves only the copy."""
PROVENANCE = ("read", "recalled", "derived", "assumed")
TOLERANCES = ("reported", "rounding", "assumed", "-")
"""Where the range comes from: the source, the digits that it prints, or nobody but us."""
MODELS = ("lissive", "benson2014")
NONE = "-"

_DOSE = re.compile(r"(\w+) ([\d.]+)(?: mg)? at ([\d.,]+) on (\d+) days?")


@dataclass(frozen=True)
class Dose:
    """The same amount at the same hours of each of so many days."""

    into: str
    """A depot of the model, or a product that is counted in sprays."""
    amount: float
    """mg into a depot of a drug, sprays of a product, else the state's own unit."""
    hours: tuple[float, ...]
    days: int


@dataclass(frozen=True)
class Arm:
    """One run of a model."""

    name: str
    model: str
    cause: str
    doses: tuple[Dose, ...]
    days: float
    every: float
    """Hours between the times that are looked at."""
    settings: Mapping[str, float]
    patients: int
    """0 is the typical person with the table's doses; else virtual patients who titrate by the label."""


@dataclass(frozen=True)
class Target:
    """One row of targets.tsv."""

    number: str
    """The number of the demand that the row belongs to; `-` where it is one more."""
    id: str
    module: str
    kind: str
    observation: str
    low: float | None
    high: float | None
    tolerance: str
    unit: str
    arm: str
    against: str
    measure: str
    output: tuple[str, ...]
    provenance: str
    constants: tuple[str, ...]
    """Constants of the model, or of the published one, that were set with this observation in view."""
    sources: tuple[str, ...]
    why_unmet: str
    where: str


def load_arms(folder: Path = FOLDER) -> dict[str, Arm]:
    """Runs by name.

    Raises       ParameterError with file and line.
    """
    found: dict[str, Arm] = {}
    for where, cells in _rows(folder / "target_arms.tsv", ARM_COLUMNS):
        arm = _arm(cells, where)
        if arm.name in found:
            raise ParameterError(f"duplicate arm {arm.name}.", where=where)
        found[arm.name] = arm
    return found


def load_target_sources(folder: Path = FOLDER) -> dict[str, Source]:
    """Sources of the model and of the targets, by key."""
    known = load_sources()
    for where, cells in _rows(folder / "target_sources.tsv", SOURCE_COLUMNS):
        if cells["key"] in known:
            raise ParameterError(f"duplicate source {cells['key']}.", where=where)
        known[cells["key"]] = Source(**cells)
    return known


def load_targets(folder: Path = FOLDER) -> dict[str, Target]:
    """Targets by id, in the table's order.

    Raises       ParameterError with file and line.
    """
    arms, sources = load_arms(folder), load_target_sources(folder)
    own, published = frozenset(load_parameters()), frozenset(load("benson2014").parameters)
    found: dict[str, Target] = {}
    for where, cells in _rows(folder / "targets.tsv", TARGET_COLUMNS):
        target = _target(cells, where)
        _check(target, cells, arms, sources)
        _check_constants(target, cells, published if target.module == "benson2014" else own)
        if target.id in found:
            raise ParameterError(f"duplicate target {target.id}.", where=where)
        found[target.id] = target
    return found


def _rows(path: Path, columns: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Place (`file:line`) and cells of each row."""
    for row in read_table(path, columns, ParameterError, TableRow, shown=path.name):
        yield row.where, row.cells


def _target(cells: Mapping[str, str], where: str) -> Target:
    plain = {name: cells[name] for name in "number id module kind observation tolerance unit".split()}
    return Target(
        **plain,
        low=_bound(cells["low"], "low", where),
        high=_bound(cells["high"], "high", where),
        arm=cells["arm"],
        against=cells["against"],
        measure=cells["measure"],
        output=_words(cells["output"]),
        provenance=cells["provenance"],
        constants=_words(cells["constants"]),
        sources=_words(cells["source"]),
        why_unmet=cells["why_unmet"],
        where=where,
    )


def _words(cell: str) -> tuple[str, ...]:
    return () if cell == NONE else tuple(cell.split())


def _bound(cell: str, column: str, where: str) -> float | None:
    return None if cell == NONE else _number(cell, column, where)


def _number(cell: str, column: str, where: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ParameterError(f"{column} is {cell!r}.", where=where, allowed="a number.")
    return value


def _check(
    row: Target, cells: Mapping[str, str], arms: Mapping[str, Arm], sources: Mapping[str, Source]
) -> None:
    """What one row says goes together."""
    choices = {
        "kind": KINDS,
        "tolerance": TOLERANCES,
        "provenance": PROVENANCE,
        "set_by_hand": ("yes", "no"),
        "module": (*MODULES, "benson2014"),
        "arm": (*arms, NONE),
        "against": (*arms, NONE),
    }
    for column, allowed in choices.items():
        if cells[column] not in allowed:
            raise ParameterError(
                f"{column} is {cells[column]!r}.", where=row.where, allowed=f"{', '.join(allowed)}."
            )
    if (row.low is None) != (row.high is None) or (row.low or 0.0) > (row.high or 0.0):
        raise ParameterError(
            f"The range runs from {row.low} to {row.high}.",
            where=row.where,
            allowed="low to high, or neither.",
        )
    for key in row.sources:
        if key not in sources:
            raise ParameterError(f"source {key!r} is in no table of sources.", where=row.where)
    if row.why_unmet == NONE and (row.arm == NONE or row.low is None):
        raise ParameterError("A target without a run needs a reason (why_unmet).", where=row.where)


def _check_constants(row: Target, cells: Mapping[str, str], known: frozenset[str]) -> None:
    """Constants are named where a target was used to set them, and nowhere else."""
    for name in row.constants:
        if name not in known:
            raise ParameterError(f"{name} is not a parameter of the model.", where=row.where)
    if (cells["set_by_hand"] == "yes") != bool(row.constants):
        raise ParameterError(
            f"set_by_hand is {cells['set_by_hand']} and the constants are {' '.join(row.constants) or 'none'}.",
            where=row.where,
            allowed="constants where set_by_hand is yes, and nowhere else.",
        )


def _arm(cells: Mapping[str, str], where: str) -> Arm:
    if cells["model"] not in MODELS:
        raise ParameterError(f"model is {cells['model']!r}.", where=where, allowed=f"{', '.join(MODELS)}.")
    causes = load_causes() if cells["model"] == "lissive" else {NONE: {}}
    if cells["cause"] not in causes:
        raise ParameterError(f"cause is {cells['cause']!r}.", where=where, allowed=f"{', '.join(causes)}.")
    return Arm(
        cells["arm"],
        cells["model"],
        cells["cause"],
        tuple(_dose(text, where) for text in cells["doses"].split("; ") if text != NONE),
        _number(cells["days"], "days", where),
        _number(cells["every"], "every", where),
        dict(_setting(text, where) for text in cells["settings"].split() if text != NONE),
        int(_number(cells["patients"], "patients", where)),
    )


def _dose(text: str, where: str) -> Dose:
    match = _DOSE.fullmatch(text)
    if not match:
        raise ParameterError(
            f"The dose {text!r} is not understood.",
            where=where,
            allowed="as in 'THC_oral 10 mg at 8,20 on 14 days'; several by '; '.",
        )
    hours = tuple(_number(hour, "an hour of the doses", where) for hour in match[3].split(","))
    return Dose(match[1], _number(match[2], "the amount", where), hours, int(match[4]))


def _setting(text: str, where: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, _number(value, f"the setting {name}", where)
