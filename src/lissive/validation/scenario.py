"""The scenario that sensitivity is judged in, and how well each number of the model is known there.

A typical patient, with the drug and, the same one, without: sensitivity_scenario.tsv and sensitivity_outputs.tsv.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.special import expit, logit

from lissive.arrays import FloatArray
from lissive.case import product
from lissive.errors import ParameterError
from lissive.model import load
from lissive.model.equations import Equations
from lissive.model.parameters import DEFAULT_CAUSE, Parameter, load_parameters, load_ranges
from lissive.simulation.dosing import day_of
from lissive.simulation.engine import Tolerances, build
from lissive.simulation.run import to_doses
from lissive.simulation.schedule import Regimen, Schedule
from lissive.table import rows_of
from lissive.typed import nearest

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

        Parameters
        ----------
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


# -- how well each number is known -----------------------------------------------------------------
# A range for the typical value, by how the number was come by: uncertainty about the typical person, not the spread
# between people. The law is uniform on the scale of the parameter (logarithm; logit for shares; plain where the range
# starts at 0), as wide as gives the standard deviation in question. What counts, in this order: a standard deviation
# handed over (as from a calibration), uncertainty_exceptions.tsv, a range of the literature, and
# uncertainty_rules.tsv by provenance.
HERE = Path(__file__).parent


def rows(name: str) -> list[dict[str, str]]:
    """The lines of one table of this folder, column to cell."""
    return rows_of(HERE / name)


@cache
def named(name: str) -> Mapping[str, str]:
    """A table of `name` and `value`, as text."""
    return {row["name"]: row["value"] for row in rows(name)}


def numbers(cell: str) -> list[float]:
    """A cell of numbers between spaces.

    >>> numbers("8 12.5")
    [8.0, 12.5]
    """
    return [float(word) for word in cell.split()]


HALF_WIDTH = math.sqrt(3.0)
"""A uniform law of standard deviation 1 reaches this far to either side."""


@dataclass(frozen=True)
class Uncertain:
    """One parameter and what its typical value may be."""

    name: str
    value: float
    unit: str
    scale: str
    """`log`, `logit` or `linear`: where the law is uniform."""
    lower: float
    upper: float
    basis: str
    """Where the range comes from: `given`, `exception`, `literature`, or the provenance that the rule is for."""

    def at(self, share: FloatArray) -> FloatArray:
        """Values at these shares (0 to 1) of the range, on its scale."""
        low, high = (_onto(self.scale, end) for end in (self.lower, self.upper))
        x = low + share * (high - low)
        if self.scale == "linear":
            return x
        result: FloatArray = np.exp(x) if self.scale == "log" else expit(x)
        return result

    @property
    def log_sd(self) -> float:
        """Standard deviation of the value's logarithm; at a share or a plain range, of its linear part."""
        sd = (_onto(self.scale, self.upper) - _onto(self.scale, self.lower)) / (2.0 * HALF_WIDTH)
        if self.scale == "logit":
            return sd * (1.0 - self.value)
        return sd if self.scale == "log" else sd / self.value


def uncertain(
    equations: Equations,
    outputs: Iterable[str],
    *,
    cause: str = DEFAULT_CAUSE,
    log_sd: Mapping[str, float] | None = None,
) -> tuple[Uncertain, ...]:
    """Every parameter of uncertain value that one of the outputs depends on, in the order of the tables.

    Parameters
    ----------
    outputs : ids of the model.
    log_sd : parameter to the standard deviation of its logarithm (of its logit, for a share), where one is
        known, as after a calibration.

    Raises
    ------
    ParameterError
        For a name in `log_sd` that is none of these, or a number not over 0.
    """
    known, log_sd = load_parameters(cause), dict(log_sd or {})
    needed = depends_on(equations, outputs)
    found = []
    for name, row in known.items():
        if name in needed and (one := _range(row, log_sd.get(name))) is not None:
            found.append(one)
    for name, sd in log_sd.items():
        if name not in known or not 0.0 < sd < math.inf:
            raise ParameterError(
                f"{name} has a standard deviation of {sd}.",
                where="log_sd",
                allowed="parameters of the model, each with a finite number over 0.",
                do="correct the name or the number, or leave it out: then the table's own spread is used.",
            )
    return tuple(found)


def depends_on(equations: Equations, outputs: Iterable[str]) -> frozenset[str]:
    """The parameters that these outputs depend on, through whatever states."""
    unknown = [name for name in outputs if name not in equations.quantities]
    if unknown:
        raise ParameterError(
            f"{unknown[0]} is not a quantity of model {equations.name}.{nearest(unknown[0], equations.quantities)}",
            where="outputs",
            allowed="states, rules and reactions of the model, as its file names them.",
            do="correct the name.",
        )
    place = {name: k for k, name in enumerate(equations.states)}
    seen: set[str] = set()
    todo = set(equations.graph.symbols([equations.quantities[name] for name in outputs]))
    while todo:
        name = todo.pop()
        seen.add(name)
        if name in place:
            roots = [equations.rates[place[name]], equations.initial[place[name]]]
            todo |= equations.graph.symbols(roots) - seen
    return frozenset(seen & set(equations.parameters))


def within_liver(
    values: Mapping[str, FloatArray], typical: Mapping[str, float]
) -> tuple[dict[str, FloatArray], int]:
    """The values with CL_THC held below what the liver's blood can carry, and how many were held.

    Independent ranges know nothing of that limit, beyond which the intrinsic clearance of a well-stirred liver is
    infinite.

    Parameters
    ----------
    values : parameter to (sample,) values; the others are typical.
    """
    result = dict(values)
    involved = ("CL_THC", "BP_THC", "Q_liver")
    if not all(name in typical for name in involved) or not any(name in values for name in involved):
        return result, 0
    share = float(named("sensitivity_scenario.tsv")["most_liver_extraction"])
    clearance, ratio, flow = (np.asarray(values.get(name, typical[name])) for name in involved)
    most = share * ratio * flow
    held = np.broadcast_to(clearance > most, np.broadcast_shapes(clearance.shape, most.shape))
    if held.any():
        result["CL_THC"] = np.where(held, most, clearance)
    return result, int(held.sum())


def _range(row: Parameter, given: float | None) -> Uncertain | None:
    """What one row may be; None where it is no unknown: fixed by definition, zero, or observed in the person."""
    exception = _exceptions().get(row.name)
    if row.provenance == "fixed" or (exception and exception["use"] == "out"):
        return None
    stated = _stated(row.name)
    if row.value <= 0.0 and stated is None:
        return None
    share = row.name in _fractions() or row.distribution == "logitnormal"
    scale = "logit" if share and 0.0 < row.value < 1.0 else "log"
    if given is not None:
        return _around(row, scale, given, "given")
    if exception and exception["use"] == "sd":
        return _around(row, scale, float(exception["sd"]), "exception")
    if stated is not None:
        # A value that was fitted since may lie outside of what used to be stated.
        low, high = min(stated[0], row.value), max(stated[1], row.value)
        scale = "linear" if low <= 0.0 else "log" if high >= 1.0 else scale
        basis = "exception" if exception else "literature"
        return Uncertain(row.name, row.value, row.unit, scale, low, high, basis)
    return _around(row, scale, _rules()[row.provenance], row.provenance)


def _around(row: Parameter, scale: str, sd: float, basis: str) -> Uncertain:
    """The value with so much standard deviation on its scale."""
    centre, reach = _onto(scale, row.value), HALF_WIDTH * sd
    back = math.exp if scale == "log" else lambda x: float(expit(x))
    return Uncertain(row.name, row.value, row.unit, scale, back(centre - reach), back(centre + reach), basis)


def _onto(scale: str, value: float) -> float:
    if scale == "linear":
        return value
    return math.log(value) if scale == "log" else float(logit(value))


def _stated(name: str) -> tuple[float, float] | None:
    exception = _exceptions().get(name)
    if exception and exception["use"] == "range":
        return float(exception["lower"]), float(exception["upper"])
    literature = load_ranges().get(name)
    return None if literature is None else (literature.lower, literature.upper)


@cache
def _exceptions() -> Mapping[str, dict[str, str]]:
    return {row["name"]: row for row in rows("uncertainty_exceptions.tsv")}


@cache
def _fractions() -> frozenset[str]:
    return frozenset(row["name"] for row in rows("uncertainty_fractions.tsv"))


@cache
def _rules() -> Mapping[str, float]:
    """Provenance to standard deviation; a recalled figure without a rule of its own goes by its word."""
    found = {row["of"]: float(row["sd"]) for row in rows("uncertainty_rules.tsv")}
    return {**{f"{word} (recalled)": sd for word, sd in found.items()}, **found}


# -- what a calibration has learned ----------------------------------------------------------------
@dataclass(frozen=True)
class Contraction:
    """One parameter before and after."""

    name: str
    prior_sd: float
    posterior_sd: float
    contraction: float
    """1 - (posterior/prior)²: 1 where it is known now, 0 where nothing was learned, below 0 where less is known."""
    word: str
    """learned, partly, or not learned."""


def contraction(prior_sd: Mapping[str, float], posterior_sd: Mapping[str, float]) -> tuple[Contraction, ...]:
    """What was learned of each parameter of `posterior_sd`, on one scale (as the logarithm) for both.

    Raises
    ------
    ParameterError
        Where one has no prior, or a standard deviation cannot be.

    >>> [(row.name, row.contraction, row.word) for row in contraction({"k": 0.5}, {"k": 0.25})]
    [('k', 0.75, 'partly')]
    """
    result = []
    for name, after in posterior_sd.items():
        before = prior_sd.get(name, math.nan)
        if not (0.0 < before < math.inf and 0.0 <= after < math.inf):
            raise ParameterError(
                f"{name} has a standard deviation of {before} before and of {after} after.",
                where="contraction",
                allowed="a number over 0 before, 0 or more after.",
                do="give the prior of this parameter, or leave it out.",
            )
        share = 1.0 - (after / before) ** 2
        result.append(Contraction(name, float(before), float(after), share, _word(share)))
    return tuple(result)


def _word(share: float) -> str:
    limit = named("identifiability_limits.tsv")
    if share > float(limit["learned"]):
        return "learned"
    return "not learned" if share < float(limit["not_learned"]) else "partly"
