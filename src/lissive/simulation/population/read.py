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

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.errors import ParameterError
from lissive.simulation.population.lines import (
    DISTRIBUTIONS,
    FORMS,
    Line,
    cells_of,
    faults_of_header,
    line_of,
)
from lissive.typed import nearest


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
    source, top, header, rows = cells_of(given)
    findings: list[ParameterError] = faults_of_header(header, top)
    if findings:
        raise _all(findings)
    lines = []
    for where, cells in rows:
        try:
            lines.append(line_of(where, dict(zip(header, cells, strict=True))))
        except ParameterError as error:
            findings.append(error)
    if not lines and not findings:
        raise ParameterError(
            "The table has no rows.",
            where=source,
            allowed="a theta row for each parameter, and more rows after need.",
            do="add a row below the header, such as theta,CL,5.",
        )
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
                        f"correct the name.{nearest(row.parameter, known)}",
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


# -- checks -------------------------------------------------------------------------------------------
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
            yield line.error(
                f"The {what} is given twice, at {seen[key].where} too.",
                "one row for each.",
                "keep one of the two rows.",
            )
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
                    f"a covariance of two parameters that each have an {kind} row of their own.",
                    f"add the row {kind},{missing[0]} with its variance, or take this one out.",
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
                "correct the value, or write another form.",
            )
    for line in sigmas:
        others = [each for each in sigmas if each.parameter == line.parameter and each is not line]
        if line.form == "exponential" and others:
            yield line.error(
                f"{line.parameter} has an exponential error, and {others[0].form} too.",
                "exponential alone; or proportional and additive.",
                "take one of the two rows out.",
            )
