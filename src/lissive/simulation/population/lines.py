"""Rows of a population's table: each cell checked for itself, every mistake with its file and line."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lissive.errors import ParameterError
from lissive.simulation.event_cells import MISSING
from lissive.simulation.event_rows import number_of
from lissive.typed import nearest

DISTRIBUTIONS = ("lognormal", "normal", "logit")
EFFECTS = ("power", "linear", "exponential")
ERRORS = ("proportional", "additive", "exponential")
FORMS: Mapping[str, tuple[str, ...]] = {
    "theta": DISTRIBUTIONS,
    "omega": (),
    "iov": (),
    "covariate": EFFECTS,
    "sigma": ERRORS,
}
"""Kind of a row to the words that its form may be."""
COLUMNS = ("kind", "parameter", "value", "form", "with", "reference")
KEPT = ("unit", "fix", "source", "note")
"""Columns that change nothing."""


@dataclass(frozen=True)
class Line:
    """One row of the table."""

    where: str
    kind: str
    parameter: str
    value: float
    form: str = ""
    other: str = ""
    """Column `with`: the other parameter of a covariance, the column of a covariate."""
    reference: float | None = None

    def error(self, what: str, allowed: str, do: str) -> ParameterError:
        return ParameterError(what, where=self.where, allowed=allowed, do=do)


Cells = list[tuple[str, list[Any]]]
"""Where each row is, and its cells."""
_FILE = "a comma-separated file"


def cells_of(given: Any) -> tuple[str, str, list[str], Cells]:
    """The source, where its heading is, the heading in small letters, and the rows below it."""
    if hasattr(given, "columns") and hasattr(given, "iloc"):
        header = [str(name).strip().lower() for name in given.columns]
        table = [
            [None if cell != cell else cell for cell in row]
            for row in given.itertuples(index=False, name=None)
        ]
        return (
            "population",
            "population, header",
            header,
            [(f"population, row {k}", row) for k, row in enumerate(table, 1)],
        )
    if not isinstance(given, str | Path):
        raise ParameterError(
            f"population is {type(given).__name__}.",
            where="population",
            allowed="the path of a comma-separated file, or a DataFrame.",
            do="give one of the two.",
        )
    path = Path(given)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True)
            rows = [
                (f"{path}:{reader.line_num}", [cell.strip() for cell in row])
                for row in reader
                if any(cell.strip() for cell in row) and not row[0].startswith("#")
            ]
    except FileNotFoundError:
        raise ParameterError(
            "There is no such file.", where=str(path), allowed=f"{_FILE}.", do="correct the path."
        ) from None
    except (OSError, ValueError, csv.Error) as fault:
        raise ParameterError(
            f"The file cannot be read: {fault}.",
            where=str(path),
            allowed=f"{_FILE}, text in UTF-8.",
            do="save the table as CSV in UTF-8, or check the path.",
        ) from None
    if not rows:
        raise ParameterError(
            "The file is empty.",
            where=str(path),
            allowed=f"{_FILE} with the header {','.join(COLUMNS)}.",
            do="write the header, and below it a theta row for each parameter.",
        )
    top, header = rows[0]
    for where, row in rows:
        if len(row) != len(header):
            raise ParameterError(
                f"The row has {len(row)} cells, but the header has {len(header)}.",
                where=where,
                allowed=f"{len(header)} cells in each row, one for each column of the header.",
                do="leave a cell empty, but keep its comma; put a text with a comma in quotation marks.",
            )
    return str(path), top, [name.lower() for name in header], [*rows[1:]]


def faults_of_header(header: Sequence[str], top: str) -> list[ParameterError]:
    known = (*COLUMNS, *KEPT)
    allowed = f"{', '.join(COLUMNS)}; and, without effect, {', '.join(KEPT)}."
    if len(header) == 1 and header[0] not in known:
        return [
            ParameterError(
                f"There is one column, {header[0]!r}.",
                where=top,
                allowed=allowed,
                do="separate columns by commas.",
            )
        ]
    findings = [
        ParameterError(
            f"Unknown column {name!r}.{nearest(name, known)}",
            where=top,
            allowed=allowed,
            do="correct its name, or take the column out.",
        )
        for name in header
        if name not in known
    ]
    findings += [
        ParameterError(
            f"There is no column {name}.", where=top, allowed=allowed, do=f"add the column {name}."
        )
        for name in COLUMNS[:3]
        if name not in header
    ]
    return findings + [
        ParameterError(
            f"There are {header.count(name)} columns {name}.",
            where=top,
            allowed="each column once.",
            do="keep one of them.",
        )
        for name in dict.fromkeys(header)
        if header.count(name) > 1
    ]


def line_of(where: str, cells: Mapping[str, Any]) -> Line:
    def text(name: str) -> str:
        cell = cells.get(name)
        return "" if cell is None or str(cell).strip() in MISSING else str(cell).strip()

    def wrong(what: str, allowed: str, do: str) -> ParameterError:
        return ParameterError(what, where=where, allowed=allowed, do=do)

    kind, form = text("kind").lower(), text("form").lower()
    if kind not in FORMS:
        raise wrong(
            f"kind is {text('kind')!r}.{nearest(kind, FORMS)}",
            f"{', '.join(FORMS)}.",
            "write in kind what the number is.",
        )
    if not text("parameter"):
        raise wrong(
            "parameter is empty.",
            "an id of the model; of a sigma row an output.",
            "write in parameter what the number belongs to.",
        )
    value = number_of(cells.get("value"))
    if value is None:
        raise wrong(
            f"value is {text('value')!r}.",
            "a finite number, with a point.",
            "write the number alone; its unit may stand in the column unit.",
        )
    if form and form not in FORMS[kind]:
        raise wrong(
            f"form is {text('form')!r} in {_a(kind)} row.{nearest(form, FORMS[kind])}",
            f"{', '.join(FORMS[kind]) or 'nothing'}.",
            "write one of them." if FORMS[kind] else "leave form empty here: the form is in the theta row.",
        )
    if not form and kind in ("covariate", "sigma"):
        raise wrong(f"form is empty in a {kind} row.", f"{', '.join(FORMS[kind])}.", "write one of them.")
    other, reference = text("with"), number_of(cells.get("reference"))
    if kind == "covariate" and (not other or reference is None):
        empty = "with is empty" if not other else f"reference is {text('reference')!r}"
        raise wrong(
            f"{empty} in a covariate row.",
            "with: the covariate's column; reference: the number at which the effect is 1.",
            f"fill in {'with' if not other else 'reference'}.",
        )
    if kind in ("theta", "sigma") and other:
        raise wrong(
            f"with is {other!r} in a {kind} row.",
            "nothing; or an omega, iov or covariate row.",
            "leave with empty, or correct kind.",
        )
    if kind != "covariate" and text("reference"):
        raise wrong(
            f"reference is {text('reference')!r} in {_a(kind)} row.",
            "nothing; or a covariate row.",
            "leave reference empty, or correct kind.",
        )
    if form == "power" and reference is not None and reference <= 0:
        raise wrong(
            f"reference is {reference:g} of a power.",
            "over 0.",
            "give a reference over 0, or take the form linear or exponential.",
        )
    if value < 0 and (kind == "sigma" or (kind in ("omega", "iov") and other in ("", text("parameter")))):
        raise wrong(
            f"The variance of {text('parameter')} is {value:g}.",
            "0 or more: a variance, no SD.",
            "give the square of the standard deviation.",
        )
    other = "" if kind in ("omega", "iov") and other == text("parameter") else other
    return Line(where, kind, text("parameter"), value, form, other, reference)


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'io' else 'a'} {kind}"
