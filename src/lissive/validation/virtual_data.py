"""The virtual data set: what a clinic would measure of the typical patient, in units of its standard error."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.errors import ParameterError
from lissive.model import load
from lissive.model.parameters import load_parameters
from lissive.simulation.engine import Tolerances, build
from lissive.simulation.run import to_doses
from lissive.simulation.schedule import Regimen
from lissive.simulation.solve import model_hash
from lissive.validation.scenario import DAY, daily
from lissive.validation.tables import named, numbers, rows
from lissive.validation.uncertain import uncertain

TINY = 1e-9
"""Below this share of the largest, a change of an observation is arithmetic."""


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
            )
    return tuple(
        _Condition(name, row, tuple(_series(each, row) for each in data if each["condition"] == name))
        for name, row in found.items()
    )


def _series(row: Mapping[str, str], condition: Mapping[str, str]) -> _Series:
    error = float(row["sd"]) / float(condition["people"]) ** 0.5
    return _Series(row["output"], row["what"], row["over"], np.array(numbers(row["at"])), error)
