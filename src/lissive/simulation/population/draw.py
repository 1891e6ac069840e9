"""Individuals of a population model: etas, kappas, covariates, residual errors.

Each random number is keyed by seed, purpose and the subject's place, so that subject i of N is subject i of M.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import expit, logit, ndtri

from lissive.arrays import FloatArray, IntArray
from lissive.errors import ParameterError
from lissive.simulation.covariates import filled
from lissive.simulation.event_cells import is_missing
from lissive.simulation.event_rows import id_of, number_of, shown
from lissive.simulation.events import EventTable, Run
from lissive.simulation.planned import Vary
from lissive.simulation.population.lines import Line
from lissive.simulation.population.read import Population, Variances
from lissive.simulation.streams import normals, stretches_of

OCCASION = "OCC"
"""The column of the events that numbers occasions."""
_MOST = 1 << 24
"""Observations that a subject can have: each has a stretch of so many numbers."""


def column_of(table: EventTable | None, name: str) -> str | None:
    """The column of the events that goes by this name, in any letters where only one does."""
    names = [*table.varying, *table.carried] if table else []
    alike = [each for each in names if each.upper() == name.upper()]
    return name if name in names else alike[0] if len(alike) == 1 else None


@dataclass(frozen=True, eq=False)
class Individuals:
    """Who is simulated: as many subjects as `ids`, replicate after replicate."""

    population: Population
    table: EventTable | None
    runs: Sequence[Sequence[Run]]
    """(subject,) their rows of the events; empty without a table."""
    ids: Sequence[int | str]
    columns: Mapping[str, Any]
    """Column of the table of subjects to (subject,) numbers."""
    seed: int
    replicates: int
    named: Mapping[str, str]
    """Initial value to the parameter that it is."""
    by_rows: bool
    """Whether subjects are observed at rows of their own."""
    each: int
    """Subjects of one replicate."""
    first: int = 0
    """Place of the first of these among all subjects of all replicates."""

    def part(self, part: range, table: EventTable | None) -> Individuals:
        """Those at these places alone: what they are, and which parameters change in time, is as among all."""
        here = slice(part.start, part.stop)
        columns = {n: np.broadcast_to(np.asarray(v), len(self))[here] for n, v in self.columns.items()}
        found = replace(
            self,
            table=table,
            runs=self.runs[here],
            ids=self.ids[here],
            columns=columns,
            first=self.first + part.start,
        )
        found.__dict__["by_record"] = self.by_record
        found.__dict__["covariates"] = {
            name: None if values is None else values[here] for name, values in self.covariates.items()
        }
        return found

    def __len__(self) -> int:
        return len(self.ids)

    # -- random numbers ---------------------------------------------------------------------------------
    def _correlated(self, what: str, of: Variances) -> dict[str, FloatArray]:
        """Name to (subject,) normal numbers with these variances."""
        z = [self._normals(f"{what.format(name=name)}") for name in of.names]
        return {
            name: sum((of.root[i, k] * z[k] for k in range(i + 1)), np.zeros(len(self)))
            for i, name in enumerate(of.names)
        }

    def _normals(self, purpose: str) -> FloatArray:
        each, stop = self.each, self.first + len(self)
        parts = []
        for r in range(self.first // each, -(-stop // each)):
            start = max(self.first - r * each, 0)
            count = min(stop - r * each, each) - start
            parts.append(normals(self.seed, f"{purpose}{replicate_of(r)}", count, start))
        return np.concatenate(parts)

    @cached_property
    def etas(self) -> dict[str, FloatArray]:
        """Parameter to (subject,) etas."""
        return self._correlated("eta: {name}", self.population.omega)

    @cached_property
    def _kappas(self) -> dict[int | str, dict[str, FloatArray]]:
        """Occasion to parameter to (subject,) kappas."""
        occasions: set[int | str] = {k for mine in self.runs for run in mine for k in self._occasions(run)}
        return {
            k: self._correlated(f"kappa: {{name}}, occasion {k}", self.population.iov)
            for k in occasions or {1}
        }

    # -- the table --------------------------------------------------------------------------------------
    def _occasions(self, run: Run) -> Sequence[int | str]:
        """(record,) the occasion of each."""
        found: Sequence[int | str] = self._read(run, OCCASION, self._occasions_of)
        return found

    def _occasions_of(self, run: Run) -> list[int | str]:
        column = column_of(self.table, OCCASION)
        if column is None or not self.population.iov.names:
            return [run.occasion] * len(run.records)
        cells = run.carried.get(column, run.varying.get(column, ()))
        if empty := [k for k, cell in enumerate(cells) if is_missing(cell)]:
            assert self.table is not None
            raise ParameterError(
                f"{column} is empty for ID {run.subject} at TIME {run.time[empty[0]]:g}.",
                where=self.table.place(run, empty[0]),
                allowed="the number of the occasion in each row, since the population has iov rows.",
                do="write it, or take the iov rows out.",
            )
        return [id_of(cell) for cell in cells]

    def _covariate(self, run: Run, column: str) -> FloatArray:
        """(record,) values of a column of the events, empty cells filled as for parameters."""
        assert self.table is not None
        table = self.table
        if column in run.varying:
            return run.varying[column]

        def numbers(run: Run) -> FloatArray:
            found = np.full(len(run.records), np.nan)
            for k, cell in enumerate(run.carried[column]):
                number = None if is_missing(cell) else number_of(cell)
                if number is None and not is_missing(cell):
                    raise ParameterError(
                        f"{column} is {shown(cell)} for ID {run.subject} at TIME {run.time[k]:g}.",
                        where=table.place(run, k),
                        allowed="a number: the population has it as a covariate.",
                        do="write a number; a group is coded as 0 or 1.",
                    )
                found[k] = np.nan if number is None else number
            return filled(found, table.covariates)

        values: FloatArray = self._read(run, f"covariate {column}", numbers)
        return values

    @cached_property
    def _memory(self) -> dict[tuple[int, str], Any]:
        return {}

    def _read(self, run: Run, what: str, how: Callable[[Run], Any]) -> Any:
        """Each run's column is read once, though replicates and subjects may share it."""
        key = (id(run), what)
        if key not in self._memory:
            self._memory[key] = how(run)
        return self._memory[key]

    @cached_property
    def covariates(self) -> dict[str, FloatArray | None]:
        """Covariate to (subject,) values; None where it changes in time."""
        found: dict[str, FloatArray | None] = {}
        for rows in self.population.effects.values():
            for row in rows:
                found[row.other] = self._whose(row)
        return found

    def _whose(self, row: Line) -> FloatArray | None:
        column = column_of(self.table, row.other)
        if row.other in self.columns:
            return np.broadcast_to(np.asarray(self.columns[row.other], float), len(self))
        if column is None:
            known = [*self.columns, *(self.table.varying if self.table else ())]
            known += self.table.carried if self.table else ()
            raise row.error(
                f"The covariate {row.other} of {row.parameter} has no column.",
                f"a column of the events or of the table of subjects: {', '.join(known) or 'they have none'}.",
                f"add the column {row.other}, or correct the name.",
            )
        values = np.empty(len(self))
        for s, mine in enumerate(self.runs):
            own = np.concatenate([self._covariate(run, column) for run in mine])
            if np.isnan(own).any():
                raise row.error(
                    f"{row.other} is empty in the rows of ID {self.ids[s]}.",
                    "a number in at least one row of each occasion.",
                    f"write it in the column {column} of the events.",
                )
            if (own != own[0]).any():
                return None
            values[s] = own[0]
        return values

    @cached_property
    def by_record(self) -> tuple[str, ...]:
        """Parameters of the population that may differ between the rows of one subject."""
        several = any(len({k for run in mine for k in self._occasions(run)}) > 1 for mine in self.runs)
        changing = {name for name, values in self.covariates.items() if values is None}
        return tuple(
            name
            for name in self.population.parameters
            if (several and name in self.population.iov.names)
            or any(row.other in changing for row in self.population.effects.get(name, ()))
        )

    # -- values -----------------------------------------------------------------------------------------
    def own(self, typical: bool = False) -> dict[str, FloatArray]:
        """Parameter to (subject,) values, of those that stay; `typical`: with etas and kappas of 0."""
        found = {}
        for name in self.population.parameters:
            if name in self.by_record:
                continue
            by = 0.0 if typical else self.etas.get(name, 0.0)
            if not typical and name in self.population.iov.names:  # one occasion for all of a subject's rows
                label = [self._occasions(mine[0])[0] if mine else 1 for mine in self.runs] or [1] * len(self)
                by = by + np.array([self._kappas[k][name][s] for s, k in enumerate(label)])
            effects = self.population.effects.get(name, ())
            given = {row.other: self.covariates[row.other] for row in effects}
            found[name] = np.broadcast_to(
                self._individual(name, given, by, lambda k: self.ids[k]), len(self)
            ).copy()
        return found

    def parameters(self, typical: bool = False) -> dict[str, FloatArray]:
        """As `own`, under the parameters' names in the equations."""
        return {self.named.get(name, name): values for name, values in self.own(typical).items()}

    def vary(self, typical: bool = False) -> Vary | None:
        """What differs between the rows of a subject; None where nothing does."""
        if not self.by_record:
            return None

        def of(s: int, run: Run) -> dict[str, FloatArray]:
            found = {}
            for name in self.by_record:
                by = np.zeros(len(run.records))
                if not typical:
                    by = by + (self.etas[name][s] if name in self.etas else 0.0)
                    if name in self.population.iov.names:
                        by = by + [self._kappas[k][name][s] for k in self._occasions(run)]
                given = {
                    row.other: self._at(s, run, row.other) for row in self.population.effects.get(name, ())
                }
                value = self._individual(name, given, by, lambda k: run.subject)
                found[self.named.get(name, name)] = value
            return found

        return of

    def everyone(self) -> dict[str, FloatArray]:
        """Parameter to all its individual values, also of those that differ between the rows of a subject."""
        vary = self.vary()
        each = [vary(s, run) for s, mine in enumerate(self.runs) for run in mine] if vary else []
        return self.parameters() | {
            name: np.concatenate([of[name] for of in each]) for name in (each or [{}])[0]
        }

    def _at(self, s: int, run: Run, covariate: str) -> Any:
        constant = self.covariates[covariate]
        column = column_of(self.table, covariate)
        if constant is not None or column is None:
            return None if constant is None else constant[s]
        return self._covariate(run, column)

    def _individual(
        self, name: str, given: Mapping[str, Any], by: Any, whose: Callable[[int], int | str]
    ) -> FloatArray:
        """Individual values: the typical one, its covariates, and how far they lie from it."""
        theta, form = self.population.thetas[name], self.population.forms.get(name, "")
        typical = np.full(np.broadcast(by, *given.values()).shape, theta.value)
        for row in self.population.effects.get(name, ()):
            typical = typical * effect(row, given[row.other], whose)
        low, high = {"lognormal": (0.0, np.inf), "logit": (0.0, 1.0)}.get(form, (-np.inf, np.inf))
        wrong = np.flatnonzero(~((typical > low) & (typical < high)))
        if len(wrong):
            k = int(wrong[0])
            said = ", ".join(f"{c} {np.broadcast_to(v, typical.shape)[k]:g}" for c, v in given.items())
            raise theta.error(
                f"With {said} the typical value of {name} is {typical.ravel()[k]:.6g} for ID {whose(k)}.",
                f"over 0{' and below 1' if form == 'logit' else ''}, as its form is {form}.",
                "check the covariate's coefficient and its values.",
            )
        if form == "lognormal":
            return np.asarray(typical * np.exp(by))
        return np.asarray(expit(logit(typical) + by) if form == "logit" else typical + by)


def effect(row: Line, x: Any, whose: Callable[[int], int | str]) -> Any:
    """The factor by which a covariate changes a typical value."""
    assert row.reference is not None
    x = np.asarray(x, float)
    if row.form == "power":
        if (x <= 0).any():
            k = int(np.flatnonzero(np.ravel(x) <= 0)[0])
            raise row.error(
                f"{row.other} is {np.ravel(x)[k]:g} for ID {whose(k)}, and its effect on {row.parameter} is a power.",
                "over 0.",
                "correct the value, or take another form.",
            )
        return (x / row.reference) ** row.value
    by = row.value * (x - row.reference)
    return 1.0 + by if row.form == "linear" else np.exp(by)


def replicate_of(r: int) -> str:
    """What the purpose of a random number adds in a further replicate."""
    return f", replicate {r + 1}" if r else ""


# -- residual error -----------------------------------------------------------------------------------
def with_error(
    people: Individuals, output: str, values: FloatArray, subject: IntArray, occasion: IntArray
) -> FloatArray:
    """DV of one output: (run, time) values with their residual error.

    subject : (run,) place among the people.      occasion : (run,) from 1 on.
    """
    each, place = people.each, people.first + subject
    found = values.copy()
    for row in people.population.sigmas[output]:
        epsilon = np.zeros(values.shape)
        for r, k, runs in _alike(place // each, occasion):
            purpose = f"epsilon: {row.form} {output}{f', occasion {k}' if k > 1 else ''}{replicate_of(r)}"
            u = stretches_of(people.seed, purpose, place[runs] % each, values.shape[1], _MOST)
            epsilon[runs] = np.sqrt(row.value) * ndtri(u)
        if row.form == "exponential":
            return np.asarray(values * np.exp(epsilon))
        found = found + (values * epsilon if row.form == "proportional" else epsilon)
    return found


def _alike(replicate: IntArray, occasion: IntArray) -> Iterator[tuple[int, int, IntArray]]:
    for r, k in sorted({*zip(replicate.tolist(), occasion.tolist(), strict=True)}):
        yield r, k, np.flatnonzero((replicate == r) & (occasion == k))
