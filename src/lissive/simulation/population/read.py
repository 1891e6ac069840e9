"""A population model as a table: one number a row, under NONMEM's names.

    kind,parameter,value,form,with,reference
    theta,CL,5,lognormal,,            typical value; form: how individual values lie around it
    omega,CL,0.09,,,                  variance between subjects, of eta
    omega,CL,0.03,,plasma,            covariance of the etas of CL and plasma
    iov,CL,0.02,,,                    variance between occasions, of kappa
    covariate,CL,0.75,power,WT,70     effect of the column WT on the typical value, 1 at the reference
    sigma,[C],0.04,proportional,,     variance of the residual error of an output

Individual values, with P the typical value: lognormal P exp(eta), normal P + eta, logit: the logit of P plus eta.
Effects: power (x/ref)^b, linear 1 + b (x - ref), exponential exp(b (x - ref)); the typical value is multiplied by them.
Residual error: proportional f (1 + eps), additive f + eps, exponential f exp(eps).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lissive.arrays import FloatArray
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

    def error(self, what: str, allowed: str = "", do: str = "") -> ParameterError:
        return ParameterError(what, where=self.where, allowed=allowed, do=do)


@dataclass(frozen=True)
class Variances:
    """Variances and covariances of normal numbers, by parameter."""

    names: tuple[str, ...]
    root: FloatArray
    """(name, name) lower Cholesky factor."""


@dataclass(frozen=True)
class Population:
    """A population model, checked."""

    thetas: Mapping[str, Line]
    effects: Mapping[str, tuple[Line, ...]]
    """Parameter to its covariates."""
    omega: Variances
    iov: Variances
    sigmas: Mapping[str, tuple[Line, ...]]
    """Output to its residual errors."""
    forms: Mapping[str, str]
    """Parameter to the distribution of its individual values; of those that vary."""
    source: str = "population"

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(self.thetas)

    @property
    def covariates(self) -> tuple[str, ...]:
        """Columns that the typical values need."""
        return tuple(dict.fromkeys(row.other for rows in self.effects.values() for row in rows))


def read_population(given: Any) -> Population:
    """The table, checked for itself; `refuse_unknown` checks its names against a model.

    given : path of a comma-separated file, or a DataFrame.

    Raises       ParameterError with all that is wrong, each with its line.
    """
    source, top, header, rows = _cells(given)
    findings: list[ParameterError] = _header(header, top)
    if findings:
        raise _all(findings)
    lines = []
    for where, cells in rows:
        try:
            lines.append(_line(where, dict(zip(header, cells, strict=True))))
        except ParameterError as error:
            findings.append(error)
    if not lines and not findings:
        raise ParameterError("The table has no rows.", where=source, do="add a row for each THETA.")
    by_kind = {kind: [line for line in lines if line.kind == kind] for kind in FORMS}
    findings += _twice(lines)
    thetas = {line.parameter: line for line in by_kind["theta"]}
    if not findings:
        findings += _without_theta(lines, thetas)
    omega, iov = (_matrix(by_kind[kind], kind, findings) for kind in ("omega", "iov"))
    vary = {*omega.names, *iov.names}
    forms = {name: line.form or "lognormal" for name, line in thetas.items() if name in vary or line.form}
    findings += _impossible(thetas, forms, by_kind["sigma"])
    if findings:
        raise _all(findings)
    return Population(
        thetas,
        _grouped(by_kind["covariate"]),
        omega,
        iov,
        _grouped(by_kind["sigma"]),
        forms,
        source,
    )


def refuse_unknown(population: Population, parameters: Iterable[str], outputs: Iterable[str]) -> None:
    """Raises ParameterError for names that the model does not have.

    parameters : that may be set, initial values among them.      outputs : that may be selected.
    """
    findings = []
    sigmas = [row for rows in population.sigmas.values() for row in rows]
    for rows, known, what in (
        (population.thetas.values(), list(parameters), "parameter or state"),
        (sigmas, list(outputs), "output"),
    ):
        for row in rows:
            if row.parameter not in known:
                some = ", ".join(known[:30]) + (f" and {len(known) - 30} more" if len(known) > 30 else "")
                findings.append(
                    row.error(
                        f"{row.parameter} is no {what} of the model that a run may set."
                        if what[0] == "p"
                        else f"{row.parameter} is no {what} of the model.",
                        f"{some}.",
                        (nearest(row.parameter, known).strip() or "correct the name."),
                    )
                )
    if findings:
        raise _all(findings)


def _all(findings: Sequence[ParameterError]) -> ParameterError:
    return findings[0] if len(findings) == 1 else ParameterError.all_of(findings)


def _grouped(lines: Sequence[Line]) -> dict[str, tuple[Line, ...]]:
    found: dict[str, tuple[Line, ...]] = {}
    for line in lines:
        found[line.parameter] = (*found.get(line.parameter, ()), line)
    return found


# -- cells ------------------------------------------------------------------------------------------
Cells = list[tuple[str, list[Any]]]
"""Where each row is, and its cells."""


def _cells(given: Any) -> tuple[str, str, list[str], Cells]:
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
        raise ParameterError("There is no such file.", where=str(path), do="correct the path.") from None
    except (OSError, ValueError, csv.Error) as fault:
        raise ParameterError(f"The file cannot be read: {fault}.", where=str(path)) from None
    if not rows:
        raise ParameterError("The file is empty.", where=str(path), allowed=f"a header: {','.join(COLUMNS)}.")
    top, header = rows[0]
    for where, row in rows:
        if len(row) != len(header):
            raise ParameterError(
                f"The row has {len(row)} cells, but the header has {len(header)}.",
                where=where,
                do="leave a cell empty, but keep its comma.",
            )
    return str(path), top, [name.lower() for name in header], [*rows[1:]]


def _header(header: Sequence[str], top: str) -> list[ParameterError]:
    known = (*COLUMNS, *KEPT)
    allowed = f"{', '.join(COLUMNS)}; and, without effect, {', '.join(KEPT)}."
    findings = [
        ParameterError(f"Unknown column {name!r}.{nearest(name, known)}", where=top, allowed=allowed)
        for name in header
        if name not in known
    ]
    findings += [
        ParameterError(f"There is no column {name}.", where=top, allowed=allowed, do=f"add {name}.")
        for name in COLUMNS[:3]
        if name not in header
    ]
    if len(set(header)) < len(header):
        findings.append(ParameterError("A column is there twice.", where=top, do="keep one of the two."))
    return findings


def _line(where: str, cells: Mapping[str, Any]) -> Line:
    def text(name: str) -> str:
        cell = cells.get(name)
        return "" if cell is None or str(cell).strip() in MISSING else str(cell).strip()

    def wrong(what: str, allowed: str = "", do: str = "correct the cell.") -> ParameterError:
        return ParameterError(what, where=where, allowed=allowed, do=do)

    kind, form = text("kind").lower(), text("form").lower()
    if kind not in FORMS:
        raise wrong(f"kind is {text('kind')!r}.{nearest(kind, FORMS)}", f"{', '.join(FORMS)}.")
    if not text("parameter"):
        raise wrong("parameter is empty.", "an id of the model; of a sigma row an output.")
    value = number_of(cells.get("value"))
    if value is None:
        raise wrong(f"value is {text('value')!r}.", "a finite number, with a point.")
    if form and form not in FORMS[kind]:
        allowed = f"{', '.join(FORMS[kind])}." if FORMS[kind] else f"nothing in an {kind} row."
        raise wrong(f"form is {text('form')!r} in a {kind} row.{nearest(form, FORMS[kind])}", allowed)
    if not form and kind in ("covariate", "sigma"):
        raise wrong(f"form is empty in a {kind} row.", f"{', '.join(FORMS[kind])}.")
    other, reference = text("with"), number_of(cells.get("reference"))
    if kind == "covariate" and (not other or reference is None):
        empty = "with is empty" if not other else f"reference is {text('reference')!r}"
        raise wrong(
            f"{empty} in a covariate row.",
            "with: the covariate's column; reference: the number at which the effect is 1.",
        )
    if kind in ("theta", "sigma") and other:
        raise wrong(f"with is {other!r} in a {kind} row.", "nothing; or an omega, iov or covariate row.")
    if kind != "covariate" and text("reference"):
        raise wrong(f"reference is {text('reference')!r} in a {kind} row.", "nothing; or a covariate row.")
    if form == "power" and reference is not None and reference <= 0:
        raise wrong(f"reference is {reference:g} of a power.", "over 0.")
    if value < 0 and (kind == "sigma" or (kind in ("omega", "iov") and other in ("", text("parameter")))):
        raise wrong(f"The variance of {text('parameter')} is {value:g}.", "0 or more: a variance, no SD.")
    other = "" if kind in ("omega", "iov") and other == text("parameter") else other
    return Line(where, kind, text("parameter"), value, form, other, reference)


# -- checks -----------------------------------------------------------------------------------------
def _twice(lines: Sequence[Line]) -> Iterator[ParameterError]:
    seen: dict[Any, Line] = {}
    for line in lines:
        pair = (
            tuple(sorted((line.parameter, line.other)))
            if line.kind in ("omega", "iov")
            else (line.parameter, line.other)
        )
        key = (line.kind, pair, line.form if line.kind == "sigma" else "")
        if key in seen:
            what = f"{line.kind} of {line.parameter}{' with ' + line.other if line.other else ''}"
            yield line.error(f"The {what} is given twice, at {seen[key].where} too.", do="keep one.")
        seen[key] = line


def _without_theta(lines: Sequence[Line], thetas: Mapping[str, Line]) -> Iterator[ParameterError]:
    known = f"{', '.join(thetas) or 'none yet'}."
    for line in lines:
        names = [] if line.kind in ("theta", "sigma") else [line.parameter]
        names += [line.other] if line.kind in ("omega", "iov") and line.other else []
        for name in names:
            if name not in thetas:
                yield line.error(
                    f"{name} has no theta row.{nearest(name, thetas)}",
                    f"parameters with a theta row: {known}",
                    f"add theta,{name} with its typical value, or correct the name.",
                )


def _matrix(lines: Sequence[Line], kind: str, findings: list[ParameterError]) -> Variances:
    """The variances as a Cholesky factor; what cannot be goes to the findings."""
    variance = {line.parameter: line.value for line in lines if not line.other}
    names = tuple(name for name, value in variance.items() if value > 0)
    place = {name: k for k, name in enumerate(names)}
    matrix = np.diag([variance[name] for name in names]).reshape(len(names), len(names))
    for line in lines:
        if not line.other or line.value == 0:
            continue
        if missing := [name for name in (line.parameter, line.other) if name not in place]:
            findings.append(
                line.error(
                    f"A covariance with {missing[0]}, which has no {kind} variance over 0.",
                    do=f"add the row {kind},{missing[0]} with its variance.",
                )
            )
            continue
        i, k = place[line.parameter], place[line.other]
        most = float(np.sqrt(matrix[i, i] * matrix[k, k]))
        if abs(line.value) >= most:
            findings.append(
                line.error(
                    f"The {kind} of {line.parameter} and {line.other} is {line.value:g}, a correlation of "
                    f"{line.value / most:.3g}.",
                    f"a covariance between {-most:.6g} and {most:.6g}, the square root of the two variances' product.",
                    "correct it: the matrix is not positive definite.",
                )
            )
            continue
        matrix[i, k] = matrix[k, i] = line.value
    try:
        return Variances(names, np.linalg.cholesky(matrix) if names else matrix)
    except np.linalg.LinAlgError:
        least = float(np.linalg.eigvalsh(matrix)[0])
        first = next(line for line in lines if line.other)
        findings.append(
            first.error(
                f"The {kind} matrix of {', '.join(names)} is not positive definite: "
                f"its smallest eigenvalue is {least:.3g}.",
                "a positive definite matrix.",
                "check the covariances, or leave one out.",
            )
        )
        return Variances((), np.zeros((0, 0)))


def _impossible(
    thetas: Mapping[str, Line], forms: Mapping[str, str], sigmas: Sequence[Line]
) -> Iterator[ParameterError]:
    holds: dict[str, tuple[Callable[[float], bool], str]] = {
        "lognormal": (lambda x: x > 0, "over 0"),
        "logit": (lambda x: 0 < x < 1, "between 0 and 1"),
    }
    for name, form in forms.items():
        right, allowed = holds.get(form, (lambda x: True, ""))
        if not right(thetas[name].value):
            yield thetas[name].error(
                f"The typical value of {name} is {thetas[name].value:g}, and its form is {form}.",
                f"{allowed} with {form}; or another form: {', '.join(DISTRIBUTIONS)}.",
            )
    for line in sigmas:
        others = [each for each in sigmas if each.parameter == line.parameter and each is not line]
        if line.form == "exponential" and others:
            yield line.error(
                f"{line.parameter} has an exponential error, and {others[0].form} too.",
                "exponential alone; or proportional and additive.",
            )
