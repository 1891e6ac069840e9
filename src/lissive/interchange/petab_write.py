"""A model and a table of what was measured, or simulated, as a PEtab problem (version 1).

The table has a column for the subject, one for the time, and columns named like what the model computes. A column of
a parameter that a run may set is a condition, so it has to be constant in each subject; every other one is an
observable with a normal error.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lissive.errors import InterchangeError
from lissive.fingerprint import of_texts
from lissive.interchange.dosed import dosed
from lissive.interchange.record import claim, whole_folder
from lissive.interchange.settable import meanings
from lissive.model.check import to_sbml
from lissive.model.equations import Equations
from lissive.model.read import load, text_of

SUBJECT, TIMES = ("subject", "id"), ("time",)
_ASIDE = ("status", "message", "occasion")
"""Columns of a run that say nothing of the model; they have to be empty or 0."""


@dataclass(frozen=True)
class Asked:
    """What a problem is made from."""

    model: str
    data: Path
    sd: Mapping[str, float]
    """Observable's column to the standard deviation of its error; "" for all others."""
    estimate: Mapping[str, tuple[float, float]]
    """Parameter to estimate to its bounds."""
    events: Path | None = None
    """Doses that all subjects have, which become events of the model."""


def sds_of(text: str) -> dict[str, float]:
    """Column to its standard deviation, from one number or NAME=NUMBER,...

    >>> sds_of("0.1"), sds_of("A=0.1, [A]=2")
    ({'': 0.1}, {'A': 0.1, '[A]': 2.0})
    """
    found = {}
    for part in text.split(","):
        name, _, number = part.rpartition("=")
        found[name.strip()] = _option("--sd", number, part, "numbers over 0, as '0.1' or 'A=0.1,[B]=2'.")
    return found


def bounds_of(text: str | None) -> dict[str, tuple[float, float]]:
    """Parameter to its bounds.

    >>> bounds_of("k=0.01:10")
    {'k': (0.01, 10.0)}
    """
    found = {}
    allowed = "bounds over 0 and rising, as 'k=0.01:10,CL=1:20'."
    for part in text.split(",") if text else ():
        name, _, ends = part.partition("=")
        low, _, high = ends.partition(":")
        found[name.strip()] = (
            _option("--estimate", low, part, allowed),
            _option("--estimate", high, part, allowed),
        )
        if found[name.strip()][0] >= found[name.strip()][1]:
            raise InterchangeError(
                f"{part!r} has no bounds.",
                where="--estimate",
                allowed=allowed,
                do="write the lower bound, a colon and the upper bound.",
            )
    return found


def _option(option: str, number: str, part: str, allowed: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise InterchangeError(
            f"{part.strip()!r} is no number over 0.", where=option, allowed=allowed, do="correct the number."
        )
    return value


def write_petab(asked: Asked, out: Path, *, force: bool = False) -> dict[str, int]:
    """The folder with model.xml, four tables and problem.yaml; gives how many rows each table has.

    Raises       a LissiveError for a table that does not fit the model, a folder that is taken.
    """
    load(asked.model)
    text, name = text_of(asked.model)
    sbml, equations = dosed(to_sbml(text, name), name, asked.events)
    header, rows = _read(asked.data)
    tables = _Tables(asked, equations, sbml, header, rows).all()
    texts = {"model.xml": sbml, **{f"{kind}.tsv": _tsv(table) for kind, table in tables.items()}}
    texts["problem.yaml"] = _YAML
    digest = of_texts(*texts, *texts.values())[:16]
    claim(out, digest, reads=[asked.model, asked.data, asked.events], force=force)
    with whole_folder(out, digest, {"made_from": [str(asked.model), str(asked.data)]}) as place:
        for file, content in texts.items():
            (place / file).write_text(content, encoding="utf-8")
    return {kind: len(table) - 1 for kind, table in tables.items()}


_YAML = """format_version: 1
parameter_file: parameters.tsv
problems:
- condition_files: [conditions.tsv]
  measurement_files: [measurements.tsv]
  observable_files: [observables.tsv]
  sbml_files: [model.xml]
"""

Rows = list[list[Any]]


class _Tables:
    def __init__(
        self,
        asked: Asked,
        equations: Equations,
        sbml: str,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
    ) -> None:
        self.asked, self.equations, self.rows, self.header = asked, equations, rows, header
        self.meaning = meanings(sbml, asked.model)
        plain, self.compartments = _constants(sbml)
        self.parameters = [name for name in plain if name in equations.parameters]  # no event changes them
        self.subject, self.time = self._column(SUBJECT), self._column(TIMES)
        named = {k: column for k, column in enumerate(header) if k not in (self.subject, self.time)}
        for k, column in list(named.items()):
            if column in _ASIDE:
                self._aside(k, named.pop(k))
            elif column not in equations.quantities or column.strip("[]") not in self.meaning:
                allowed = [key for key in equations.quantities if key.strip("[]") in self.meaning]
                raise self._wrong(
                    1,
                    f"{column} is no species, compartment or parameter of the model {equations.name}.",
                    f"{SUBJECT[0]}, {TIMES[0]}, {', '.join(allowed[:20])}{' ...' * (len(allowed) > 20)}.",
                )
        self.conditions = {k: c for k, c in named.items() if c in self.parameters}
        self.observed = {k: c for k, c in named.items() if c not in self.parameters}
        if not self.observed:
            raise self._wrong(
                1, "no column is an observable.", "a species, a concentration [S] or a computed quantity."
            )
        self._check_names()

    def _wrong(
        self, line: int, what: str, allowed: str = "", do: str = "correct the table."
    ) -> InterchangeError:
        return InterchangeError(what, where=f"{self.asked.data}:{line}", allowed=allowed, do=do)

    def _column(self, names: Sequence[str]) -> int:
        found = [k for k, each in enumerate(self.header) if each.lower() in names]
        if len(found) != 1:
            raise self._wrong(1, f"{len(found)} columns are called {' or '.join(names)}.", "one.")
        return found[0]

    def _aside(self, k: int, column: str) -> None:
        usual = ("", "1") if column == "occasion" else ("", "0")
        for line, row in enumerate(self.rows, start=2):
            if row[k] not in usual:
                raise self._wrong(line, f"{column} is {row[k]!r}.", "runs that went well, of one occasion.")

    def _check_names(self) -> None:
        free = [name for name in self.parameters if name not in self.conditions.values()]
        if stray := [name for name in self.asked.estimate if name not in free]:
            raise InterchangeError(
                f"{stray[0]} cannot be estimated.",
                where="--estimate",
                allowed=f"{', '.join(free)}.",
                do="name one of these, or leave it out.",
            )
        if stray := [name for name in self.asked.sd if name and name not in self.observed.values()]:
            raise InterchangeError(
                f"{stray[0]} is no observable.",
                where="--sd",
                allowed=f"{', '.join(self.observed.values())}.",
                do="correct the name.",
            )
        if "" not in self.asked.sd and (
            bare := [c for c in self.observed.values() if c not in self.asked.sd]
        ):
            raise InterchangeError(
                f"{bare[0]} has no standard deviation.",
                where="--sd",
                allowed="one number, or NAME=NUMBER for each.",
                do=f"add {bare[0]}=NUMBER.",
            )

    def all(self) -> dict[str, Rows]:
        subjects = list(dict.fromkeys(row[self.subject] for row in self.rows))
        ids = {each: f"subject_{re.sub(r'[^0-9A-Za-z_]', '_', each)}" for each in subjects}
        if len(set(ids.values())) < len(ids):
            ids = {each: f"subject_{k}" for k, each in enumerate(subjects, start=1)}
        return {
            "conditions": self._conditions(ids),
            "observables": self._observables(),
            "measurements": self._measurements(ids),
            "parameters": self._parameters(),
        }

    def _conditions(self, ids: Mapping[str, str]) -> Rows:
        table: Rows = [["conditionId", "conditionName", *self.conditions.values()]]
        for each, name in ids.items():
            table.append([name, f"subject {each}", *(self._constant(each, k) for k in self.conditions)])
        return table

    def _constant(self, subject: str, k: int) -> str:
        found = {row[k]: n for n, row in enumerate(self.rows, start=2) if row[self.subject] == subject}
        if len(found) > 1:
            line = max(found.values())
            raise self._wrong(
                line,
                f"the parameter {self.header[k]} changes within subject {subject}.",
                "one value for each subject; PEtab has no values that change in time.",
            )
        value = next(iter(found))
        self._number(value, next(iter(found.values())), self.header[k])
        return value

    def _number(self, cell: str, line: int, column: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self._wrong(line, f"{column} is {cell!r}.", "a finite number.")
        return value

    def _observables(self) -> Rows:
        table: Rows = [
            [
                "observableId",
                "observableName",
                "observableFormula",
                "observableTransformation",
                "noiseFormula",
                "noiseDistribution",
            ]
        ]
        for column in self.observed.values():
            sd = self.asked.sd.get(column, self.asked.sd.get(""))
            table.append([_observable(column), column, self._formula(column), "lin", repr(sd), "normal"])
        return table

    def _formula(self, column: str) -> str:
        name = column.strip("[]")
        if self.meaning.get(name, column) == column:
            return name
        size = self.compartments[name]
        return f"{name} / {size}" if column.startswith("[") else f"{name} * {size}"

    def _measurements(self, ids: Mapping[str, str]) -> Rows:
        table: Rows = [["observableId", "simulationConditionId", "measurement", "time"]]
        for k, column in self.observed.items():
            for line, row in enumerate(self.rows, start=2):
                if row[k] == "":
                    continue
                time = self._number(row[self.time], line, "time")
                if time < 0:
                    raise self._wrong(line, f"time is {row[self.time]}.", "0 or more.")
                value = self._number(row[k], line, column)
                table.append([_observable(column), ids[row[self.subject]], repr(value), repr(time)])
        return table

    def _parameters(self) -> Rows:
        table: Rows = [
            ["parameterId", "parameterScale", "lowerBound", "upperBound", "nominalValue", "estimate"]
        ]
        for name in self.parameters:
            if name not in self.conditions.values():
                low, high = self.asked.estimate.get(name, ("", ""))
                value = repr(float(self.equations.parameters[name]))
                table.append([name, "lin", low, high, value, int(name in self.asked.estimate)])
        return table


def _constants(sbml: str) -> tuple[list[str], dict[str, str]]:
    """Parameters that are plain numbers; and each species' compartment."""
    import libsbml

    model = libsbml.readSBMLFromString(sbml).getModel()
    ruled = {each.getVariable() for each in model.getListOfRules()}
    ruled |= {each.getSymbol() for each in model.getListOfInitialAssignments()}
    plain = [
        each.getId()
        for each in model.getListOfParameters()
        if each.getId() not in ruled and each.isSetValue()
    ]
    return plain, {each.getId(): each.getCompartment() for each in model.getListOfSpecies()}


def _observable(column: str) -> str:
    return (
        f"observable_concentration_{column.strip('[]')}" if column.startswith("[") else f"observable_{column}"
    )


def _tsv(table: Rows) -> str:
    file = io.StringIO()
    csv.writer(file, delimiter="\t", lineterminator="\n").writerows(table)
    return file.getvalue()


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file) if row]
    except (OSError, ValueError, csv.Error) as fault:
        raise InterchangeError(
            f"it cannot be read ({fault}).",
            where=str(path),
            allowed="a comma-separated table.",
            do="correct the path, or save the table as CSV in UTF-8.",
        ) from None
    if len(rows) < 2:
        raise InterchangeError(
            "the table has no rows.",
            where=str(path),
            allowed="a heading, and a row each.",
            do="add rows below the heading.",
        )
    wrong = [line for line, row in enumerate(rows, start=1) if len(row) != len(rows[0])]
    if wrong:
        raise InterchangeError(
            f"the row has {len(rows[wrong[0] - 1])} cells below a heading of {len(rows[0])}.",
            where=f"{path}:{wrong[0]}",
            allowed="as many cells as the heading has.",
            do="write . for a cell that is empty.",
        )
    return rows[0], rows[1:]
