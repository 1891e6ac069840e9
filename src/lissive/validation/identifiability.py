"""What clinical data can tell of the parameters, and which of them no such data can tell apart.

A virtual data set (identifiability_conditions.tsv, identifiability_data.tsv) of what a clinic measures is
differentiated by the logarithm of every uncertain parameter. One row of the matrix is one mean of a group of
people, in units of its standard error; so a singular value is the number of standard errors by which the data
move as the parameters go along its direction by 1 in the logarithm, and its inverse is what the data leave open."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.errors import ParameterError, SimulationError
from lissive.model import load
from lissive.model.parameters import load_parameters
from lissive.simulation.engine import Tolerances, build
from lissive.simulation.origin import model_hash
from lissive.simulation.run import to_doses
from lissive.simulation.schedule import Regimen
from lissive.validation.scenario import DAY, Contraction, contraction, daily, named, numbers, rows, uncertain
from lissive.validation.sensitivity import plain

Model = Callable[[FloatArray], FloatArray]
"""(sample, parameter) logarithms to (sample, observation) in units of the standard error."""


@dataclass(frozen=True)
class Direction:
    """One singular vector of the matrix, in the logarithms of the parameters."""

    value: float
    """Singular value."""
    loadings: Mapping[str, float]
    """Parameter to its part of the vector of length 1; the largest part is over 0."""

    @property
    def sd(self) -> float:
        """Standard deviation that the data alone leave along it."""
        return 1.0 / self.value if self.value > 0.0 else float("inf")


@dataclass(frozen=True)
class Group:
    """Parameters that are suspected of standing in for each other, and what the data say of it."""

    name: str
    title: str
    members: tuple[str, ...]
    spectrum: tuple[float, ...]
    """Singular values of the members' columns, largest first, all other parameters known."""
    condition: float
    """Largest over smallest singular value."""
    likeness: float
    """Smallest over largest singular value of the columns brought to length 1; 0 where two act as one."""
    unseen: tuple[Direction, ...]
    """Directions that are not seen, least seen first; of a group that can be separated, the least seen one."""
    worst_sd: float
    """Standard deviation left along the least seen direction, all other parameters known."""
    worst_sd_others_free: float
    """The same while all other parameters are as uncertain as they are."""
    why: str
    """structural: never, however many people; practical: not with so many people; others: not while the rest is
    uncertain; seen: the members can be separated."""
    separated_by: str

    @property
    def inseparable(self) -> bool:
        return self.why != "seen"


@dataclass(frozen=True)
class Identifiability:
    """The matrix and what follows from it."""

    parameters: tuple[str, ...]
    """That move at least one observation."""
    unmoved: tuple[str, ...]
    """Uncertain parameters that no observation depends on."""
    observations: tuple[str, ...]
    matrix: FloatArray
    """(observation, parameter) standard errors for each 1 in the logarithm of the parameter."""
    prior_sd: Mapping[str, float]
    """Parameter to the standard deviation of its logarithm beforehand."""
    spectrum: FloatArray
    """Singular values with each parameter in units of its prior standard deviation, largest first."""
    seen: int
    """Directions of which the data say more than is known beforehand."""
    least: tuple[Direction, ...]
    """The least seen directions, in units of the prior standard deviations; least seen first."""
    expected: tuple[Contraction, ...]
    """What these data would make of the prior standard deviations, to first order."""
    alike: tuple[Mapping[str, float], ...]
    """Parameters that act as one number, each with its power in it: only that product is ever seen."""
    groups: tuple[Group, ...]
    provenance: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Plain data; what is no finite number is None."""
        result = {name: getattr(self, name) for name in self.__dataclass_fields__}
        result["least"] = [asdict(each) for each in self.least]
        result["expected"] = [asdict(each) for each in self.expected]
        result["groups"] = [{**asdict(each), "inseparable": each.inseparable} for each in self.groups]
        return {name: plain(value) for name, value in result.items()}


def derivatives(model: Model, centre: FloatArray, step: float) -> FloatArray:
    """(observation, parameter) central differences of a model around `centre` (parameter,), in one batch."""
    n = len(centre)
    moves = step * np.concatenate([np.eye(n), -np.eye(n)])
    found = model(centre + moves)
    if not np.isfinite(found).all():
        raise SimulationError(
            "A run beside the typical patient did not go well.",
            where="identifiability",
            allowed="runs that all end well.",
            do="lower step in identifiability_limits.tsv.",
        )
    result: FloatArray = ((found[:n] - found[n:]) / (2.0 * step)).T
    return result


def directions(matrix: FloatArray, names: Sequence[str]) -> tuple[Direction, ...]:
    """All singular directions of a matrix (observation, parameter), the best seen first.

    >>> alike = np.array([[2.0, 2.0], [1.0, 1.0]])
    >>> [round(x, 3) for x in directions(alike, ["a", "b"])[1].loadings.values()]
    [0.707, -0.707]
    """
    _, values, vectors = np.linalg.svd(matrix, full_matrices=True)
    values = np.pad(values, (0, len(names) - len(values)))
    # Below this a singular value is rounding, and its direction is not seen at all.
    values = np.where(values > values.max(initial=0.0) * max(matrix.shape) * np.finfo(float).eps, values, 0.0)
    turned = [vector * (1.0 if vector[np.argmax(np.abs(vector))] > 0.0 else -1.0) for vector in vectors]
    return tuple(
        Direction(float(value), dict(zip(names, (float(x) for x in vector), strict=True)))
        for value, vector in zip(values, turned, strict=True)
    )


def judged(
    matrix: FloatArray,
    names: Sequence[str],
    members: Sequence[str],
    prior_sd: Mapping[str, float],
    *,
    name: str = "",
    title: str = "",
    separated_by: str = "",
) -> Group:
    """Whether data with this matrix (observation, parameter) can tell the members of a group apart.

    Raises
    ------
    ParameterError
        For a member that is not among the names, or fewer than two members.
    """
    if len(members) < 2 or (wrong := [each for each in members if each not in names]):
        raise ParameterError(
            f"{wrong[0]} is no uncertain parameter." if len(members) > 1 else "A group needs two members.",
            where=f"identifiability_groups.tsv: {name}",
            allowed=f"{', '.join(names)}.",
            do="correct the members of this group.",
        )
    chosen = [list(names).index(each) for each in members]
    columns = matrix[:, chosen]
    found = directions(columns, members)
    values = np.array([each.value for each in found])
    likeness = _likeness(columns)
    left = _left_open(matrix, chosen, np.array([prior_sd[each] for each in names]))
    limit = limits()["worst_sd"]
    if likeness < limits()["structural_ratio"]:
        why = "structural"
    else:
        why = "practical" if found[-1].sd > limit else "others" if left > limit else "seen"
    unseen = [each for each in reversed(found) if each.sd > limit or each.value < likeness * values[0]]
    return Group(
        name,
        title,
        tuple(members),
        tuple(float(value) for value in values),
        float(values[0] / values[-1]) if values[-1] > 0.0 else float("inf"),
        likeness,
        tuple(unseen) or found[-1:],
        found[-1].sd,
        left,
        why,
        separated_by,
    )


def assessed(
    matrix: FloatArray,
    names: Sequence[str],
    observations: Sequence[str],
    prior_sd: Mapping[str, float],
    groups: Sequence[Mapping[str, str]],
    *,
    least: int = 8,
    provenance: Mapping[str, Any] | None = None,
) -> Identifiability:
    """All that follows from a matrix (observation, parameter).

    Parameters
    ----------
    groups : rows of group, title, members (between spaces) and separated_by.
    least : how many of the least seen directions to keep.
    """
    moved = np.abs(matrix).max(axis=0, initial=0.0) > 0.0
    kept = tuple(each for each, moves in zip(names, moved, strict=True) if moves)
    sd = np.array([prior_sd[each] for each in kept])
    scaled = matrix[:, moved] * sd
    found = directions(scaled, kept)
    values = np.array([each.value for each in found])
    after = np.sqrt(np.diag(np.linalg.inv(np.eye(len(kept)) + scaled.T @ scaled)))
    return Identifiability(
        kept,
        tuple(each for each, moves in zip(names, moved, strict=True) if not moves),
        tuple(observations),
        matrix[:, moved],
        {each: prior_sd[each] for each in kept},
        values,
        int((values > limits()["seen"]).sum()),
        tuple(reversed(found[-least:])),
        contraction(dict(zip(kept, sd, strict=True)), dict(zip(kept, sd * after, strict=True))),
        _alike(matrix[:, moved], kept),
        tuple(
            judged(matrix, names, row["members"].split(), prior_sd, name=row["group"], title=row["title"],
                   separated_by=row["separated_by"])
            for row in groups
        ),
        provenance or {},
    )  # fmt: skip


def identifiability(
    *, log_sd: Mapping[str, float] | None = None, threads: int | None = None
) -> Identifiability:
    """Identifiability of the shipped model by the virtual data set of this package's tables.

    Parameters
    ----------
    log_sd : parameter to the standard deviation of its logarithm (logit for a share), where one is known.

    Raises
    ------
    ParameterError
        For a wrong `log_sd`, or a table that does not go with the model.
    """

    data = VirtualData(log_sd=log_sd, threads=threads)
    matrix = derivatives(data.run, data.centre, limits()["step"])
    return assessed(
        matrix, data.names, data.observations, data.prior_sd, rows("identifiability_groups.tsv"),
        provenance=data.provenance,
    )  # fmt: skip


@cache
def limits() -> Mapping[str, float]:
    """The numbers by which it is judged, from identifiability_limits.tsv."""
    return {name: float(value) for name, value in named("identifiability_limits.tsv").items()}


def _alike(matrix: FloatArray, names: Sequence[str]) -> tuple[Mapping[str, float], ...]:
    """Sets of columns that point the same way or the opposite way; powers relative to the strongest of the set."""
    length = np.linalg.norm(matrix, axis=0)
    unit = matrix / length
    cosine = unit.T @ unit
    left = [int(i) for i in np.argsort(-length, kind="stable")]
    result = []
    while left:
        first = left[0]
        same = [i for i in left if i == first or abs(cosine[first, i]) > limits()["alike"]]
        left = [i for i in left if i not in same]
        if len(same) > 1:
            result.append(
                {names[i]: float(np.sign(cosine[first, i]) * length[i] / length[first]) for i in same}
            )
    return tuple(result)


def _likeness(columns: FloatArray) -> float:
    """0 where a combination of the columns is never seen; 1 where they have nothing in common."""
    length = np.linalg.norm(columns, axis=0)
    if (length == 0.0).any():
        return 0.0
    values = np.linalg.svd(columns / length, compute_uv=False)
    return float(values[-1] / values[0]) if len(columns) >= columns.shape[1] else 0.0


def _left_open(matrix: FloatArray, chosen: Sequence[int], prior_sd: FloatArray) -> float:
    """Largest standard deviation left among the chosen, nothing known of them, the others as known as they are."""
    others = [k for k in range(matrix.shape[1]) if k not in chosen]
    mine, rest = matrix[:, chosen], matrix[:, others] * prior_sd[others]
    # What the uncertainty of the others adds to the errors of the observations
    spread = np.eye(len(matrix)) + rest @ rest.T
    information = mine.T @ np.linalg.solve(spread, mine)
    smallest = float(np.linalg.eigvalsh(information)[0])
    rounding = len(matrix) * np.finfo(float).eps * float(np.trace(information))
    return 1.0 / float(np.sqrt(smallest)) if smallest > rounding else float("inf")


# -- the virtual data set --------------------------------------------------------------------------
@dataclass(frozen=True)
class _Series:
    """One output of one condition."""

    output: str
    what: str
    """log, value, or risk (of a cumulative hazard)."""
    over: str
    """hour: at that hour; day: mean of that day."""
    at: FloatArray
    error: float
    """Standard error of the mean of the people."""


@dataclass(frozen=True)
class _Condition:
    name: str
    row: Mapping[str, str]
    series: tuple[_Series, ...]


class VirtualData:
    """The conditions, ready to be run for many values of the parameters at once."""

    def __init__(self, *, log_sd: Mapping[str, float] | None = None, threads: int | None = None) -> None:
        self._equations, self._conditions = load("lissive"), _conditions()
        cause = named("sensitivity_scenario.tsv")["cause"]
        asked = [series.output for condition in self._conditions for series in condition.series]
        self._asked = tuple(dict.fromkeys(asked))
        self._typical = {name: row.value for name, row in load_parameters(cause).items()} | {"in_trial": 1.0}
        found = uncertain(self._equations, self._asked, cause=cause, log_sd=log_sd)
        self._inputs = [each for each in found if each.value > 0.0]
        """A parameter of 0 has no logarithm."""
        self.names = tuple(each.name for each in self._inputs)
        self.prior_sd = {each.name: each.log_sd for each in self._inputs}
        self.centre = np.log([each.value for each in self._inputs])
        self.observations = tuple(
            f"{condition.name}: {series.output} at {series.over} {at:g}"
            for condition in self._conditions
            for series in condition.series
            for at in series.at
        )
        self._threads = threads or os.cpu_count() or 1
        self._tolerances = Tolerances(rtol=float(named("identifiability_limits.tsv")["rtol"]))
        self._kernel = build(self._equations, self._asked)
        self.provenance: dict[str, Any] = {
            "model": self._equations.name,
            "model_hash": model_hash(self._equations),
            "conditions": [dict(condition.row) for condition in self._conditions],
            "limits": dict(named("identifiability_limits.tsv")),
        }

    def run(self, logarithms: FloatArray) -> FloatArray:
        """(sample, observation) for (sample, parameter) logarithms; NaN where a run did not go well."""
        values = {name: np.exp(logarithms[:, i]) for i, name in enumerate(self.names)}
        parts = [self._condition(condition, values, len(logarithms)) for condition in self._conditions]
        return np.concatenate(parts, axis=1)

    def _condition(self, condition: _Condition, values: Mapping[str, FloatArray], samples: int) -> FloatArray:
        row = condition.row
        days = int(row["days"])
        schedule = daily(
            self._equations,
            row["route"],
            float(row["thc_mg"]),
            float(row["cbd_mg"]),
            numbers(row["hours"]),
            days,
        )
        mine = {**self._typical, **values, "placebo_on": float(row["placebo_on"])}
        batch = self._kernel.start(samples, mine, tolerances=self._tolerances)
        hours = sorted({float(at) for each in condition.series if each.over == "hour" for at in each.at})
        end = max([DAY * days, *hours])
        whole_days = DAY * np.arange(days + 1)
        doses = to_doses(Regimen.same(schedule, samples), self._kernel)
        seen = batch.advance(end, doses, times=hours, edges=whole_days, threads=self._threads)
        parts = []
        for each in condition.series:
            k = self._asked.index(each.output)
            if each.over == "day":
                raw = seen.mean[:, each.at.astype(int) - 1, k]
            else:
                raw = seen.values[:, np.searchsorted(hours, each.at), k]
            parts.append(_onto(each.what, raw) / each.error)
        result = np.concatenate(parts, axis=1)
        result[batch.status != 0] = np.nan
        return result


def _onto(what: str, raw: FloatArray) -> FloatArray:
    if what == "value":
        return raw
    result: FloatArray = np.log(raw) if what == "log" else 1.0 - np.exp(-raw)
    return result


def _conditions() -> tuple[_Condition, ...]:
    data = rows("identifiability_data.tsv")
    found = {row["condition"]: row for row in rows("identifiability_conditions.tsv")}
    for number, row in enumerate(data, start=2):
        if row["condition"] not in found or row["what"] not in ("log", "value", "risk"):
            raise ParameterError(
                f"{row['condition']}, {row['what']} is not known.",
                where=f"identifiability_data.tsv:{number}",
                allowed=f"{', '.join(found)}; log, value, risk.",
                do="correct condition and what in this row.",
            )
    return tuple(
        _Condition(name, row, tuple(_series(each, row) for each in data if each["condition"] == name))
        for name, row in found.items()
    )


def _series(row: Mapping[str, str], condition: Mapping[str, str]) -> _Series:
    error = float(row["sd"]) / float(condition["people"]) ** 0.5
    return _Series(row["output"], row["what"], row["over"], np.array(numbers(row["at"])), error)
