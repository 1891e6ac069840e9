"""The scenario that sensitivity is judged in: a typical patient, with the drug and, the same one, without.

It and the outputs stand in sensitivity_scenario.tsv and sensitivity_outputs.tsv.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from lissive.arrays import FloatArray
from lissive.case import product
from lissive.model import load
from lissive.model.equations import Equations
from lissive.model.parameters import load_parameters
from lissive.simulation.dosing import day_of
from lissive.simulation.engine import Tolerances, build
from lissive.simulation.run import to_doses
from lissive.simulation.schedule import Regimen, Schedule
from lissive.validation.tables import named, numbers, rows
from lissive.validation.uncertain import within_liver

DAY, WEEK = 24.0, 168.0
SAMPLES_AT_ONCE = 2048
"""Runs of one batch, with the drug; as many more without."""


@dataclass(frozen=True)
class Output:
    """One row of sensitivity_outputs.tsv."""

    name: str
    output: str
    over: str
    """mean of the last week; day_area, 24 h of that mean; maximum or risk (of a cumulative hazard) of it all."""
    contrast: str
    """ratio to placebo, difference from it, or alone."""
    label: str
    unit: str


@cache
def outputs() -> tuple[Output, ...]:
    """All that sensitivity is asked for, in order."""
    return tuple(Output(**row) for row in rows("sensitivity_outputs.tsv"))


def daily(
    equations: Equations, route: str, thc_mg: float, cbd_mg: float, hours: Sequence[float], days: int
) -> Schedule:
    """THC and CBD [mg] at these clock hours of each day, into the depots of a route (spray, oral, lung)."""
    times = np.add.outer(DAY * np.arange(days), np.asarray(hours, float)).ravel()
    return day_of(equations, route, times, thc_mg=thc_mg, cbd_mg=cbd_mg)


class Scenario:
    """The scenario, ready to be run for many values of the parameters at once."""

    def __init__(self, *, rtol: float = 1e-4, threads: int = 1) -> None:
        table = named("sensitivity_scenario.tsv")
        self.equations, self.cause = load("lissive"), table["cause"]
        self.days = 7 * int(table["weeks"])
        self.typical = {name: row.value for name, row in load_parameters(self.cause).items()}
        self.typical |= {name: float(table[name]) for name in ("placebo_on", "in_trial")}
        self.asked = tuple(dict.fromkeys(output.output for output in outputs()))
        self._kernel = build(self.equations, self.asked)
        self._tolerances, self._threads = Tolerances(rtol=rtol), threads
        what, hours = product(table["product"]), numbers(table["hours"])
        sprays = float(table["sprays_per_day"]) / len(hours)
        thc, cbd = sprays * (what.thc_mg_per_unit or 0.0), sprays * (what.cbd_mg_per_unit or 0.0)
        drug = daily(self.equations, "spray", thc, cbd, hours, self.days)
        self._schedules = (drug, daily(self.equations, "spray", 0.0, 0.0, hours, self.days))
        self.held = 0
        """Samples so far whose THC clearance was held below the liver's blood flow."""

    def run(self, values: Mapping[str, FloatArray], samples: int) -> FloatArray:
        """(sample, output) of the typical patient with these parameters; NaN where a run did not go well.

        values : parameter to (sample,) values; the others are typical.
        """
        values, held = within_liver(values, self.typical)
        self.held += held
        end = DAY * self.days
        both = {name: np.tile(np.broadcast_to(value, samples), 2) for name, value in values.items()}
        batch = self._kernel.start(2 * samples, {**self.typical, **both}, tolerances=self._tolerances)
        arms = np.repeat([0, 1], samples)
        regimen = Regimen(self._schedules, arms, np.ones(2 * samples), np.zeros(2 * samples))
        seen = batch.advance(
            end, to_doses(regimen, self._kernel), edges=[0.0, end - WEEK, end], threads=self._threads
        )
        failed = (batch.status != 0).reshape(2, samples).any(axis=0)
        result = np.stack([self._measure(each, seen.mean, seen.maximum) for each in outputs()], axis=1)
        result[failed] = np.nan
        return result

    def _measure(self, output: Output, mean: FloatArray, maximum: FloatArray) -> FloatArray:
        """(sample,) one output, from (arm and sample, bin, quantity)."""
        k = self.asked.index(output.output)
        both = mean[:, 1, k]
        if output.over == "day_area":
            both = DAY * both
        elif output.over == "maximum":
            both = maximum[:, :, k].max(axis=1)
        elif output.over == "risk":  # the hazard only grows, so its maximum is its end
            both = 1.0 - np.exp(-maximum[:, 1, k])
        active, placebo = np.split(both, 2)
        if output.contrast == "alone":
            return active
        result: FloatArray = active / placebo if output.contrast == "ratio" else active - placebo
        return result
