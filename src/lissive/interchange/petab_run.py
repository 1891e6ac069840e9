"""A PEtab problem's model run under its conditions, at the nominal parameters.

Each pair of a pre-equilibration and a simulation condition is a subject of one run. A value that a condition or the
parameter table gives takes the place of the model's own, and of its initial assignment. After a pre-equilibration the
states begin where it ended, unless the simulation condition itself gives them.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.arrays import FloatArray, IntArray
from lissive.errors import InterchangeError
from lissive.interchange.petab_tables import Problem
from lissive.interchange.settable import PREFIX, settable
from lissive.model.equations import Equations
from lissive.model.read import read_sbml
from lissive.simulation.solve import simulate

if TYPE_CHECKING:
    import pandas as pd

STEADY = 1e-6
"""A steady state is reached where ten times as long a time changes no state by more than this share of it."""
DECADES = 8
"""So often at most the time is made ten times as long; it begins with the last time of a measurement."""


@dataclass(frozen=True)
class Experiment:
    """One way in which the model is run."""

    before: str
    """Condition in whose steady state it begins; empty: the model's own start."""
    during: str

    def __str__(self) -> str:
        return f"{self.during} after {self.before}" if self.before else self.during


def experiments_of(rows: pd.DataFrame) -> list[Experiment]:
    """(measurement,)"""
    before = rows.get("preequilibrationConditionId")
    given = [None] * len(rows) if before is None else before.tolist()
    starts = ["" if b is None or b != b else str(b) for b in given]
    return [Experiment(b, str(d)) for b, d in zip(starts, rows["simulationConditionId"], strict=True)]


class Values:
    """What the tables give: parameters by their nominal value, and each condition's values."""

    def __init__(self, problem: Problem, ids: Mapping[str, str]) -> None:
        import pandas as pd

        self.problem, self.ids = problem, ids
        given = pd.to_numeric(problem.parameters["nominalValue"], errors="coerce").astype(float)
        self.nominal = {str(name): float(value) for name, value in given.items()}
        self.columns = [name for name in problem.conditions.columns if name != "conditionName"]
        where = str(problem.path)
        if empty := [name for name, value in self.nominal.items() if not math.isfinite(value)]:
            raise InterchangeError(
                f"the nominalValue of {empty[0]} is not a number.",
                where=where,
                do="give the value at which the model is to be simulated.",
            )
        if unknown := [name for name in self.columns if name not in ids and name not in self.nominal]:
            raise InterchangeError(
                f"the condition table has a column {unknown[0]}, which the model does not have.",
                where=where,
                allowed="ids of the model's parameters, species and compartments.",
                do="correct the column.",
            )
        self._own = {str(name): self._row(str(name)) for name in problem.conditions.index}

    def own(self, condition: str) -> dict[str, float]:
        """What a condition itself gives; an empty cell gives nothing."""
        return self._own[condition]

    def _row(self, condition: str) -> dict[str, float]:
        row = self.problem.conditions.loc[condition]
        given = {name: self.number(row[name], f"condition {condition}, {name}") for name in self.columns}
        return {name: value for name, value in given.items() if not math.isnan(value)}

    def all(self, condition: str) -> dict[str, float]:
        return self.nominal | self.own(condition)

    def to_model(self, condition: str) -> dict[str, float]:
        """All that the tables give to the model under a condition."""
        return {name: value for name, value in self.all(condition).items() if name in self.ids}

    def number(self, cell: Any, what: str, names: Mapping[str, float] | None = None) -> float:
        """A number, or the value of the parameter that a cell names."""
        known, text = self.nominal if names is None else names, str(cell).strip()
        try:
            return float(text)
        except ValueError:
            if text in known:
                return known[text]
        raise InterchangeError(
            f"{what}: {text} is neither a number nor a parameter of the parameter table.",
            where=str(self.problem.path),
            do="correct it, or add the parameter.",
        )


class Runs:
    """text : the model's SBML    select : ids whose values are wanted    how : tolerances and threads"""

    def __init__(
        self, problem: Problem, values: Values, text: str, select: Sequence[str], how: Mapping[str, Any]
    ) -> None:
        self.problem, self.values, self.text, self.how = problem, values, text, how
        self.select = list(select)
        self.at = problem.measurements["time"].to_numpy(float)
        self.longest = max((t for t in self.at if math.isfinite(t)), default=0.0) or 1.0
        self.row_of = experiments_of(problem.measurements)
        self.experiments = list(dict.fromkeys(self.row_of))
        self._models: dict[tuple[str, ...], Equations] = {}

    def model(self, given: Sequence[str]) -> Equations:
        """The model with these values as parameters that a run may set."""
        key = tuple(sorted(given))
        if key not in self._models:
            name = str(self.problem.model)
            self._models[key] = read_sbml(settable(self.text, name, key), name)
        return self._models[key]

    @cached_property
    def states(self) -> list[str]:
        return list(self.model(()).states)

    def seen(self) -> dict[str, FloatArray]:
        """id to its value at each measurement."""
        found = {name: np.full(len(self.at), np.nan) for name in self.select}
        given = self.given()
        lasting = {each for each, time in zip(self.row_of, self.at, strict=True) if math.isinf(time)}
        for group in _alike(given, lasting):
            member = np.array([each in group for each in self.row_of])
            times = self.at[member]
            grid = np.unique(times[np.isfinite(times)])
            run = self._run({e: given[e] for e in group}, self.select, grid, group[0] in lasting)
            place = {each: k for k, each in enumerate(group)}
            who = [place[each] for each, ours in zip(self.row_of, member, strict=True) if ours]
            for name in self.select:
                found[name][member] = run[name][who, np.searchsorted(grid, times)]
        return found

    def given(self) -> dict[Experiment, dict[str, float]]:
        """What each experiment begins with."""
        settled = self._settled()
        given = {}
        for each in self.experiments:
            values = self.values.to_model(each.during)
            if each.before:
                own = self.values.own(each.during)
                kept = {
                    name: value for name, value in values.items() if name in own or name not in self.states
                }
                values = settled[each.before] | kept
            given[each] = values
        return given

    def _settled(self) -> dict[str, dict[str, float]]:
        """Condition to its steady state, for those in which an experiment begins."""
        needed = dict.fromkeys(each.before for each in self.experiments if each.before)
        given = {before: self.values.to_model(before) for before in needed}
        found: dict[str, dict[str, float]] = {}
        for group in _alike(given):
            run = self._run({b: given[b] for b in group}, self.states, np.array([]), True)
            for k, before in enumerate(group):
                found[before] = {name: float(run[name][k, 0]) for name in self.states}
        return found

    def _run(
        self, given: Mapping[Any, Mapping[str, float]], select: Sequence[str], grid: FloatArray, steady: bool
    ) -> dict[str, FloatArray]:
        """id to (subject, time): its values at `grid`, and after them in the steady state if that is asked for."""
        import pandas as pd

        rows = [{PREFIX + name: value for name, value in row.items()} for row in given.values()]
        people = pd.DataFrame(rows, index=range(len(rows)))
        ladder = self.longest * 10.0 ** np.arange(DECADES + 1) if steady else np.array([])
        names = list(dict.fromkeys([*select, *(self.states if steady else ())]))
        keys = [self.values.ids[name] for name in names]
        model = self.model(list(next(iter(given.values()))))
        data = simulate(
            model,
            subjects=people,
            times=np.concatenate([grid, ladder]),
            select=list(dict.fromkeys(keys)),
            **self.how,
        )
        times = data["time"].values
        raw = {name: data[key].values for name, key in zip(names, keys, strict=True)}
        at_grid = np.searchsorted(times, grid)
        looks = np.tile(at_grid, (len(rows), 1))
        if steady:
            at_ladder = np.searchsorted(times, ladder)
            states = np.stack([raw[name] for name in self.states], axis=-1)[:, at_ladder]
            last = _reached(states)
            if (stuck := np.flatnonzero(last < 0)).size:
                self._no_steady_state(
                    list(given)[stuck[0]], states[stuck[0]], str(data["message"].values[stuck[0]])
                )
            looks = np.column_stack([looks, at_ladder[last]])
        elif (ended := np.flatnonzero(data["status"].values)).size:
            raise InterchangeError(
                f"the run of {list(given)[ended[0]]} ended: {data['message'].values[ended[0]]}.",
                where=str(self.problem.path),
                allowed="runs that reach the last measurement.",
                do="do what the message says, or correct the nominal values.",
            )
        return {name: np.take_along_axis(raw[name], looks, axis=1) for name in select}

    def _no_steady_state(self, which: Any, states: FloatArray, why: str) -> None:
        seen = states[np.isfinite(states).all(axis=1)]  # (time, state), until the run ended
        moves = ""
        if len(seen) > 1:
            share = np.abs(seen[-1] - seen[-2]) / (np.abs(seen[-1]) + np.finfo(float).tiny)
            after = self.longest * 10.0 ** (len(seen) - 1)
            moves = f": {self.states[int(np.argmax(share))]} still changes after {after:g}"
        raise InterchangeError(
            f"{which} reaches no steady state{moves}. {why}".strip(),
            where=str(self.problem.path),
            allowed="a condition under which all states come to rest.",
            do="take the pre-equilibration (or the time inf) out, or correct the model.",
        )


def _reached(states: FloatArray) -> IntArray:
    """(subject,) the first time of (subject, time, state) at which a state is steady; -1 where none is."""
    size = np.fmax(np.abs(states[:, 1:]), np.abs(states[:, :-1]))
    largest = np.nan_to_num(np.abs(states), nan=0.0).max(axis=1, keepdims=True)
    rest = np.abs(np.diff(states, axis=1)) <= STEADY * size + 1e-12 * largest
    steady = rest.all(axis=2)
    return np.where(steady.any(axis=1), steady.argmax(axis=1) + 1, -1)


def _alike(given: Mapping[Any, Mapping[str, float]], lasting: Container[Any] = ()) -> Iterator[list[Any]]:
    """Those to whom the same ids are given, so that one model serves them, and who are run equally long."""
    groups: dict[tuple[frozenset[str], bool], list[Any]] = {}
    for each, values in given.items():
        groups.setdefault((frozenset(values), each in lasting), []).append(each)
    yield from groups.values()
