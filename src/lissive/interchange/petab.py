"""How likely a PEtab problem's measurements are at its nominal parameters.

log-likelihood of a measurement m, simulated as s, with noise sigma, on the scale t of its observable's transformation:
    normal    -ln(sqrt(2 pi) sigma) - ((t(m) - t(s))/sigma)^2/2 + ln t'(m)
    laplace   -ln(2 sigma) - |t(m) - t(s)|/sigma + ln t'(m)
chi-squared is the sum of ((t(m) - t(s))/sigma)^2. Priors of parameters are in neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.errors import InterchangeError
from lissive.files import atomic_path
from lissive.interchange import need
from lissive.interchange.petab_run import Runs, Values, experiments_of
from lissive.interchange.petab_tables import Problem, read_problem
from lissive.interchange.record import claim, keep, made_of
from lissive.interchange.settable import meanings
from lissive.model.equations import TIME
from lissive.model.read import load, text_of
from lissive.simulation.engine import METHOD

if TYPE_CHECKING:
    import pandas as pd

RTOL = 1e-9
"""Relative tolerance: fits compare likelihoods in the fourth digit and beyond, and a problem next to unbounded growth
(Crauste 2017) magnifies the error of a step by 20,000."""


@dataclass(frozen=True)
class Fit:
    """What a problem's model says of its measurements; all arrays (measurement,)."""

    problem: Problem
    simulation: FloatArray
    noise: FloatArray
    residual: FloatArray
    """(measurement - simulation)/noise, on the scale of the observable's transformation."""
    log_likelihoods: FloatArray
    experiments: int
    """Pairs of a pre-equilibration and a simulation condition."""

    @property
    def chi_squared(self) -> float:
        return float((self.residual**2).sum())

    @property
    def log_likelihood(self) -> float:
        return float(self.log_likelihoods.sum())

    @property
    def table(self) -> pd.DataFrame:
        """PEtab's simulation table: the measurement table with what was simulated."""
        rows = self.problem.measurements.rename(columns={"measurement": "simulation"})
        return rows.assign(simulation=self.simulation)


def fit(
    of: str | Path | Problem, *, rtol: float = RTOL, atol: float = 0.0, threads: int | None = None
) -> Fit:
    """Simulate the PEtab problem of a YAML file at its nominal parameters.

    Raises       a LissiveError for what cannot be run: a table, a formula, a model out of scope, a steady state that
                 is not reached.
    """
    need("petab", "PEtab problems")
    problem = of if isinstance(of, Problem) else read_problem(Path(of))
    formulas, runs = _asked(problem, rtol, atol, threads)
    simulation, noise = formulas.values(runs.seen(), [each.during for each in runs.row_of])
    residual, each = _judged(problem, simulation, noise)
    return Fit(problem, simulation, noise, residual, each, len(runs.experiments))


def runs_of(problem: Problem, *, rtol: float = RTOL, threads: int | None = 1) -> Runs:
    """The runs that `fit` makes, without the likelihood: what the observables' formulas use, by `seen()`."""
    return _asked(problem, rtol, 0.0, threads)[1]


def _asked(problem: Problem, rtol: float, atol: float, threads: int | None) -> tuple[_Formulas, Runs]:
    load(problem.model)  # what is out of scope in it is told with its line
    text, name = text_of(problem.model)
    values = Values(problem, meanings(text, name))
    formulas = _Formulas(problem, values)
    formulas.check()
    how = {"rtol": rtol, "atol": atol, "threads": threads}
    return formulas, Runs(problem, values, text, formulas.needed, how)


def fit_to_file(path: Path, out: Path, *, force: bool = False, **how: Any) -> dict[str, Any]:
    """`fit`, with PEtab's table of what was simulated as a file; gives what is reported."""
    need("petab", "PEtab problems")
    problem = read_problem(path)
    digest = made_of(problem.files, how)
    claim(out, digest, reads=problem.files, force=force)
    found = fit(problem, **how)
    about = {
        "problem": str(path),
        "measurements": len(found.simulation),
        "conditions": found.experiments,
        "log_likelihood": found.log_likelihood,
        "chi_squared": found.chi_squared,
        "solver": {"method": METHOD, "rtol": RTOL, "atol": 0.0, **how},
    }
    with atomic_path(out) as place:
        found.table.to_csv(place, sep="\t", index=False)
        keep(out, digest, about)
    return about


# -- formulas -----------------------------------------------------------------------------------------
class _Formulas:
    """The observables' formulas and their noise."""

    def __init__(self, problem: Problem, values: Values) -> None:
        self.problem, self.tables = problem, values
        used = dict.fromkeys(problem.measurements["observableId"])
        self.formulas = {
            (name, column): self._read(name, column) for name in used for column in ("observable", "noise")
        }
        free = [str(s) for f in self.formulas.values() for s in f.free_symbols]
        self.needed = [name for name in dict.fromkeys(free) if name in values.ids]

    def check(self) -> None:
        """Whether every symbol has a meaning, before anything is run."""
        nothing = {name: np.zeros(len(self.problem.measurements)) for name in self.needed}
        self.values(nothing, [each.during for each in experiments_of(self.problem.measurements)])

    def _read(self, name: str, column: str) -> Any:
        from petab.v1.math import sympify_petab

        given = self.problem.observables.loc[name, f"{column}Formula"]
        try:
            return sympify_petab(given)
        except (ValueError, TypeError, AttributeError) as fault:
            raise InterchangeError(
                f"{column}Formula of {name} cannot be read ({' '.join(str(fault).split())}).",
                where=str(self.problem.path),
                do="correct the formula in the observable table.",
            ) from None

    def values(self, seen: Mapping[str, FloatArray], during: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        """What is simulated for each measurement, and its noise."""
        rows = self.problem.measurements
        found = {column: np.full(len(rows), np.nan) for column in ("observable", "noise")}
        for name in dict.fromkeys(rows["observableId"]):
            at = np.flatnonzero((rows["observableId"] == name).to_numpy())
            known = {each: value[at] for each, value in seen.items()}
            known[TIME] = rows["time"].to_numpy(float)[at]
            for column in found:
                whole = known | self._others(self.formulas[name, column], name, column, known, at, during)
                found[column][at] = self._evaluated(name, column, whole)
                known[name] = found[column][at]  # noise may be in proportion to what is simulated
        return found["observable"], found["noise"]

    def _others(
        self,
        formula: Any,
        name: str,
        column: str,
        known: Mapping[str, FloatArray],
        at: Sequence[int] | Any,
        during: Sequence[str],
    ) -> dict[str, FloatArray]:
        """Symbols that the model does not have: placeholders of the rows, and parameters of the tables."""
        found = {}
        for symbol in (str(s) for s in formula.free_symbols):
            if symbol in known:
                continue
            number = symbol.removeprefix(f"{column}Parameter").removesuffix(f"_{name}")
            if symbol == f"{column}Parameter{number}_{name}" and number.isdigit():
                found[symbol] = np.array([self._placed(column, int(number), i, during[i]) for i in at])
            else:
                found[symbol] = np.array([self._given(symbol, name, column, during[i]) for i in at])
        return found

    def _placed(self, column: str, number: int, row: int, condition: str) -> float:
        """What a measurement's row puts in the place of `observableParameterN_...`."""
        cells = self.problem.measurements.get(f"{column}Parameters")
        cell = None if cells is None else cells.iloc[row]
        parts = [] if cell is None or cell != cell else str(cell).split(";")
        what = f"measurement {row + 1}, {column}Parameters"
        if len(parts) < number:
            raise InterchangeError(
                f"{what} has {len(parts)} entries, and the formula asks for number {number}.",
                where=str(self.problem.path),
                do="add what is missing, with semicolons between.",
            )
        return self.tables.number(parts[number - 1], what, self.tables.all(condition))

    def _given(self, symbol: str, name: str, column: str, condition: str) -> float:
        known = self.tables.all(condition)
        if symbol not in known:
            raise InterchangeError(
                f"{column}Formula of {name} has {symbol}, which neither the model nor the tables have.",
                where=str(self.problem.path),
                do="correct the formula, or add it to the parameter table.",
            )
        return known[symbol]

    def _evaluated(self, name: str, column: str, known: Mapping[str, FloatArray]) -> Any:
        import sympy

        formula = self.formulas[name, column]
        symbols = sorted(formula.free_symbols, key=str)
        function: Callable[..., Any] = sympy.lambdify(symbols, formula, "numpy")
        with np.errstate(all="ignore"):
            return function(*(known[str(symbol)] for symbol in symbols))


# -- likelihood -----------------------------------------------------------------------------------------
_SCALES: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "lin": (lambda x: x, np.ones_like),
    "log": (np.log, lambda x: 1.0 / x),
    "log10": (np.log10, lambda x: 1.0 / (x * np.log(10.0))),
}
"""An observable's transformation and its slope."""


def _judged(problem: Problem, simulation: FloatArray, noise: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(measurement,) residuals and log-likelihoods."""
    rows = problem.measurements
    measured = rows["measurement"].to_numpy(float)
    scales = _each(problem, "observableTransformation", "lin")
    kinds = _each(problem, "noiseDistribution", "normal")
    _refuse(problem, ~(np.isfinite(noise) & (noise > 0)), "the noise is {:g}", noise, "a number over 0.")
    _refuse(problem, ~np.isfinite(simulation), "what is simulated is {:g}", simulation, "a number.")
    for what, value in (("what was measured", measured), ("what is simulated", simulation)):
        wrong = (scales != "lin") & ~(value > 0)
        _refuse(
            problem,
            wrong,
            f"{what} is {{:g}}, and its observable is on a log scale",
            value,
            "a value over 0.",
        )
    residual, each = np.zeros(len(rows)), np.zeros(len(rows))
    for scale, (to_scale, slope) in _SCALES.items():
        at = scales == scale
        residual[at] = (to_scale(measured[at]) - to_scale(simulation[at])) / noise[at]
        each[at] = np.log(slope(measured[at])) - np.log(noise[at])
    normal = kinds == "normal"
    each[normal] -= 0.5 * np.log(2.0 * np.pi) + 0.5 * residual[normal] ** 2
    each[~normal] -= np.log(2.0) + np.abs(residual[~normal])
    return residual, each


def _each(problem: Problem, column: str, usual: str) -> Any:
    """(measurement,) what a column of the observable table says; where it says nothing, the usual."""
    names = problem.measurements["observableId"]
    if column not in problem.observables:
        return np.full(len(names), usual)
    return problem.observables[column].reindex(names).fillna(usual).to_numpy(str)


def _refuse(problem: Problem, wrong: Any, what: str, value: FloatArray, allowed: str) -> None:
    if not wrong.any():
        return
    row = int(np.flatnonzero(wrong)[0])
    of = problem.measurements["observableId"].iloc[row]
    raise InterchangeError(
        f"measurement {row + 1} ({of}): {what.format(value[row])}.",
        where=str(problem.path),
        allowed=allowed,
        do="correct the measurement, its noise or its transformation.",
    )
