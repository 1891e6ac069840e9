"""Virtual patients: the parameters of people like the one in question, drawn from the model's tables.

A parameter that is given is the same for all; one with a distribution is drawn, each from its own stream, so
that adding one disturbs no other. Where a rating has ends, its distribution is cut off there, not piled up.

How much of a dose is taken up, and how fast, differs between people and between days of one person
(occasions.tsv). People who are looked at once have all of that variance. Of people who are followed, `lasting` draws
the part that stays, and `on_day` what each day adds.

>>> people = draw(100, seed=3, given={"weight": 68.0})
>>> people.parameters["weight"], people.parameters["NRS0"].shape, "weight" in people.drawn
(68.0, (100,), False)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from lissive.arrays import FloatArray
from lissive.errors import ParameterError
from lissive.model.parameters import (
    DEFAULT_CAUSE,
    Parameter,
    load_bounds,
    load_genotypes,
    load_parameters,
    load_people,
)
from lissive.simulation.streams import even, uniforms
from lissive.table import constants

GENOTYPE, FED = "cyp2c9_activity", "fed"


@dataclass(frozen=True)
class Patients:
    """Virtual patients as the solver takes them."""

    parameters: Mapping[str, float | FloatArray]
    """Model parameter to one value for all, or to (subject,) values."""
    drawn: tuple[str, ...]
    """What was drawn, so that nobody takes it for known."""

    def __len__(self) -> int:
        return max((np.size(v) for v in self.parameters.values()), default=0)

    def columns(self, subjects: int) -> dict[str, FloatArray]:
        """Every parameter as (subject,) values of its own."""
        return {
            name: np.broadcast_to(np.asarray(value, float), subjects).copy()
            for name, value in self.parameters.items()
        }


@dataclass(frozen=True)
class Centres:
    """Of parameters whose distribution is not to be the tables': the same for all, or (subject,) values."""

    typical: Mapping[str, float | FloatArray] = field(default_factory=dict)
    """Parameter to its centre."""
    spread: Mapping[str, float | FloatArray] = field(default_factory=dict)


AS_TABLES = Centres()


def draw(
    subjects: int,
    *,
    seed: int = 1,
    cause: str = DEFAULT_CAUSE,
    given: Mapping[str, float] | None = None,
    unknown: tuple[str, ...] = ("weight", GENOTYPE, FED),
    first: int = 0,
    evenly: bool = False,
    own: Centres = AS_TABLES,
    lasting: bool = False,
) -> Patients:
    """Parameters of `subjects` virtual patients with this cause of spasm.

    Parameters
    ----------
    given : what is known of them, the same for all [the table's unit].
    unknown : facts about the person that are drawn where they are not given.
    first : number of the first patient; patient k is the same person however many others are drawn.
    evenly : spread each parameter evenly over its distribution (Latin hypercube), for averages over few patients;
        patient k then depends on how many are drawn.
    own : distributions that are not to be the tables'; a patient keeps their place within each.
    lasting : of how much is taken up only what stays from day to day; transit times stay whole.

    Raises       ParameterError for a name that the model does not have.
    """
    given, typical, spread = given or {}, own.typical, own.spread
    rows, people, bounds = tables(cause)
    if wrong := [name for name in (*given, *typical, *spread) if name not in rows]:
        raise ParameterError(
            f"{wrong[0]} is no parameter of the model.",
            where=wrong[0],
            allowed=f"{', '.join(rows)}.",
            do="correct the name.",
        )
    values: dict[str, float | FloatArray] = {}
    drawn = []

    def chance(purpose: str) -> FloatArray:
        u = uniforms(seed, purpose, subjects, first)
        return even(u) if evenly else u

    for name, row in rows.items():
        if name in given:
            values[name] = float(given[name])
        elif name == GENOTYPE and GENOTYPE in unknown:
            values[name] = _genotypes(chance("person: cyp2c9"), people)
            drawn.append(name)
        elif name == FED and FED in unknown:
            values[name] = (chance("person: fed") < people[FED].value).astype(float)
            drawn.append(name)
        elif name in people and name in unknown:
            values[name] = _spread(people[name], chance(f"person: {name}"))
            drawn.append(name)
        elif row.distribution == "fixed":
            values[name] = typical.get(name, row.value)
        else:
            u = chance(f"parameter: {name}")
            ends = bounds.get(name, (-np.inf, np.inf))
            wide = spread.get(name, row.spread or 0.0)
            if lasting and 0.0 < (stays := 1.0 - occasions().get(name, 0.0)) < 1.0:
                wide = wide * np.sqrt(stays)
            values[name] = _spread(row, u, *ends, centre=typical.get(name), spread=wide)
            drawn.append(name)
    return Patients(values, tuple(drawn))


@cache
def occasions() -> Mapping[str, float]:
    """Parameter to the proportion of its variance that is between days of one person."""
    return constants(Path(__file__).with_name("occasions.tsv"))


def on_day(
    day: int,
    people: Mapping[str, FloatArray],
    drawn: tuple[str, ...],
    *,
    seed: int,
    own: Centres = AS_TABLES,
    first: int = 0,
) -> dict[str, FloatArray]:
    """What people drawn with `lasting` have on one day, of what differs from day to day.

    people : parameter to (subject,) values.      drawn : those of them that were drawn.
    first : number of the first of them.
    """
    rows = tables(DEFAULT_CAUSE)[0]  # of these, no cause has its own
    found = {}
    for name in (name for name in occasions() if name in drawn):
        share, row = occasions()[name], rows[name]
        middle = people[name] if share < 1.0 else own.typical.get(name, row.value)
        wide = own.spread.get(name, row.spread or 0.0) * np.sqrt(share)
        u = uniforms(seed, f"occasion: {name}, day {day}", len(people[name]), first)
        found[name] = _spread(row, u, centre=middle, spread=wide)
    return found


@cache
def tables(
    cause: str,
) -> tuple[Mapping[str, Parameter], Mapping[str, Parameter], Mapping[str, tuple[float, float]]]:
    """Parameters, people and bounds as shipped, read once: a trial draws its patients in many parts."""
    return load_parameters(cause), load_people(), load_bounds()


def _spread(
    row: Parameter,
    u: FloatArray,
    lower: float = -np.inf,
    upper: float = np.inf,
    *,
    centre: float | FloatArray | None = None,
    spread: float | FloatArray | None = None,
) -> FloatArray:
    """Values of a distribution at the quantiles `u` of its part between the bounds."""
    scale = (row.spread or 0.0) if spread is None else spread
    if row.distribution == "bernoulli":
        return (u < scale).astype(float)
    middle = _transformed(row, row.value if centre is None else centre)
    low, high = (ndtr((_transformed(row, end) - middle) / scale) for end in (lower, upper))
    x: FloatArray = middle + scale * ndtri(low + u * (high - low))
    if row.distribution == "lognormal":
        return np.exp(x)
    return expit(x) if row.distribution == "logitnormal" else x


def _transformed(row: Parameter, x: float | FloatArray) -> Any:
    if row.distribution == "lognormal":
        with np.errstate(divide="ignore"):
            return np.log(np.maximum(x, 0.0))
    return logit(np.clip(x, 0.0, 1.0)) if row.distribution == "logitnormal" else x


@cache
def _activities() -> Mapping[str, float]:
    """Genotype to its activity, read once."""
    return {name: each.value for name, each in load_genotypes().items()}


def _genotypes(u: FloatArray, people: Mapping[str, Parameter]) -> FloatArray:
    """(subject,) activity of CYP2C9, genotypes by Hardy and Weinberg."""
    share = {"*2": people["cyp2c9_allele_2"].value, "*3": people["cyp2c9_allele_3"].value}
    share["*1"] = 1.0 - sum(share.values())
    known = _activities()
    pairs = [(a, b) for a in ("*1", "*2", "*3") for b in ("*1", "*2", "*3") if a <= b]
    odds = np.array([share[a] * share[b] * (1 if a == b else 2) for a, b in pairs])
    activity = np.array([known[f"{a}/{b}"] for a, b in pairs])
    chosen = np.searchsorted(np.cumsum(odds), u, side="right")
    result: FloatArray = activity[np.minimum(chosen, len(pairs) - 1)]
    return result
