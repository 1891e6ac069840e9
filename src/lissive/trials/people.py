"""Screening and enrolment.

Patient k of a replicate is the same person whatever else the design says: each of their numbers comes from a stream
of its own, at their own place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from lissive.arrays import FloatArray, IntArray
from lissive.errors import DesignError
from lissive.simulation.draw import draw, tables
from lissive.simulation.streams import uniforms
from lissive.trials.design import Design
from lissive.trials.measures import MEASURES
from lissive.trials.observe import screening_ratings
from lissive.trials.response import Response


@dataclass(frozen=True)
class People:
    """Those enrolled, of one replicate."""

    replicate: int
    seed: int
    screening_id: IntArray
    parameters: Mapping[str, FloatArray]
    """Model parameter to (patient,)."""
    screening: Mapping[str, FloatArray]
    screened: int
    response: Response

    def __len__(self) -> int:
        return len(self.screening_id)


def seed_of(seed: int, replicate: int) -> int:
    """A replicate's own seed.

    >>> seed_of(1, 2) != seed_of(1, 3)
    True
    """
    return int.from_bytes(hashlib.sha256(f"trial {seed}/{replicate}".encode()).digest()[:8], "big")


def recruit(design: Design, replicate: int, *, seed: int, response: Response) -> People:
    """Draw people until as many are enrolled as the design needs.

    Raises       DesignError where screening ends before that.
    """
    own = seed_of(seed, replicate)
    run_in = design.run_in
    needed = (run_in.patients if run_in and run_in.patients else design.patients) or 0
    limit = design.population.most_screened
    asked, let_in = 0, np.zeros(0, np.int64)
    parts: list[tuple[Mapping[str, FloatArray], Mapping[str, FloatArray]]] = []
    while len(let_in) < needed and asked < limit:
        block = _block(
            needed - len(let_in), len(let_in), asked, limit - asked, bool(design.population.inclusion)
        )
        drawn = _drawn(design, own, response, asked, block)
        numbers = np.arange(asked, asked + block)
        ratings = screening_ratings(design, own, numbers, drawn, response)
        fits = _fits(design, ratings)
        let_in = np.concatenate([let_in, numbers[fits]])
        parts.append(({k: v[fits] for k, v in drawn.items()}, {k: v[fits] for k, v in ratings.items()}))
        asked += block
    if len(let_in) < needed:
        said = ", ".join(
            f"{name} {f'from {r.at_least:g} ' if r.at_least is not None else ''}"
            f"{f'to {r.at_most:g}' if r.at_most is not None else ''}".strip()
            for name, r in design.population.inclusion.items()
        )
        raise DesignError(
            f"{asked} were screened, {len(let_in)} of them met the criteria ({said}), and {needed} are needed.",
            where="population.inclusion",
            allowed="criteria that enough patients meet.",
            do="widen inclusion, correct population.baseline, or raise population.most_screened.",
        )
    parameters = {name: np.concatenate([p[name] for p, _ in parts])[:needed] for name in parts[0][0]}
    ratings = {name: np.concatenate([r[name] for _, r in parts])[:needed] for name in parts[0][1]}
    return People(replicate, own, let_in[:needed], parameters, ratings, int(let_in[needed - 1]) + 1, response)


def _block(missing: int, found: int, asked: int, left: int, choosy: bool) -> int:
    """How many to ask next."""
    if not choosy:
        return min(missing, left)
    share = max(found / asked, 0.02) if asked else 0.8
    return min(int(missing / share * 1.1) + 8, left)


def _drawn(design: Design, own: int, response: Response, first: int, n: int) -> dict[str, FloatArray]:
    """(patient,) values of all parameters of people number `first` and on."""
    population = design.population
    given: dict[str, float] = {
        "placebo_on": 1.0,
        "in_trial": 1.0,
        "healing_on": 1.0,
        "heavy_user": float(population.heavy_users),
    }
    if population.fed is not None:
        given["fed"] = float(population.fed)
    people = draw(
        n,
        seed=own,
        cause=population.cause,
        given=given,
        first=first,
        typical=response.typical(tables(population.cause)[0], own),
        spread=response.spread(),
    )
    values = people.columns(n)
    for measure, wanted in population.baseline.items():
        u = uniforms(own, f"parameter: {MEASURES[measure].baseline}", n, first)
        values[MEASURES[measure].baseline] = _between(u, wanted.mean, wanted.sd, measure)
    return values


def _between(u: FloatArray, mean: float, sd: float, measure: str) -> FloatArray:
    """Normal, cut off at the ends of the measure; just above its lower end, as a share of it is taken."""
    top = MEASURES[measure].upper
    lower = 0.05 * mean if mean else 0.05
    if sd == 0.0:
        return np.full(len(u), min(max(mean, lower), top))
    low, high = ndtr((lower - mean) / sd), ndtr((top - mean) / sd)
    values: FloatArray = mean + sd * ndtri(low + u * (high - low))
    return values


def _fits(design: Design, ratings: Mapping[str, FloatArray]) -> Any:
    fits = np.ones(len(next(iter(ratings.values()))), dtype=bool)
    for name, wanted in design.population.inclusion.items():
        if wanted.at_least is not None:
            fits &= ratings[name] >= wanted.at_least
        if wanted.at_most is not None:
            fits &= ratings[name] <= wanted.at_most
    return fits
