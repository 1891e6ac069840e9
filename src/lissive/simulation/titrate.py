"""Feedback dosing: each day is decided on from what the day before brought.

A policy is a plain NumPy function `policy(day, taken, seen) -> taken next day`, all of shape (subject,):

    def steady(day, taken, seen):
        return np.where(seen["intoxication"].maximum > 50, taken - 1, taken)

`seen[output]` has `.mean`, `.maximum`, `.minimum` of the day. The solver never calls Python within a step; a
decision time is a stop for everybody, so a closed-loop run gives the same bits as its doses known beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from lissive.errors import SimulationError
from lissive.simulation.engine import Kernel
from lissive.simulation.run import Settings, to_doses
from lissive.simulation.schedule import Regimen, Schedule
from lissive.simulation.streams import Floats
from lissive.table import rows_of

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Day:
    """One output over one day, each (subject,)."""

    mean: Floats
    maximum: Floats
    minimum: Floats


Policy = Callable[[int, Whole, Mapping[str, Day]], Whole]
"""Day just ended (1 is the first), units taken on it, and what it brought; to the units of the next day."""


@dataclass(frozen=True)
class Diary:
    """What a closed-loop run gives back.

    taken : (subject, day) units        mean, maximum, minimum : (subject, day, output)
    status, steps : (subject,)
    """

    outputs: tuple[str, ...]
    taken: Whole
    mean: Floats
    maximum: Floats
    minimum: Floats
    status: Whole
    steps: Whole


def day_by_day(
    kernel: Kernel,
    days: int,
    schedules: Sequence[Schedule],
    policy: Policy,
    *,
    parameters: Mapping[str, Any],
    subjects: int,
    first_units: int,
    scale: Floats | None = None,
    settings: Settings | None = None,
    day_length: float = 24.0,
    progress: Callable[[int], None] | None = None,
) -> Diary:
    """Run all subjects day by day; after each day the policy says how many units the next one has.

    Parameters
    ----------
    schedules : what n units a day look like, for n = 0, 1, 2, ...; times from the day's start.
    first_units : units on the first day.
    scale : (subject,) factor of all doses; 0 is placebo.
    progress : called with the number of each day that is done.
    """
    settings = settings or Settings()
    batch = kernel.start(subjects, parameters, tolerances=settings.tolerances)
    scale = np.ones(subjects) if scale is None else scale
    n_out = len(kernel.outputs)
    taken = np.zeros((subjects, days), dtype=np.int64)
    mean, top, low = (np.empty((subjects, days, n_out)) for _ in range(3))
    units = np.full(subjects, first_units, dtype=np.int64)
    for d in range(days):
        if d:
            seen = {
                name: Day(mean[:, d - 1, k], top[:, d - 1, k], low[:, d - 1, k])
                for k, name in enumerate(kernel.outputs)
            }
            units = _decided(policy(d, units, seen), len(schedules) - 1, d)
        start, end = d * day_length, (d + 1) * day_length
        doses = to_doses(Regimen(tuple(schedules), units, scale, np.full(subjects, start)), kernel)
        day = batch.advance(end, doses, edges=[start, end], stop=True, threads=settings.threads)
        taken[:, d] = units
        mean[:, d], top[:, d], low[:, d] = day.mean[:, 0], day.maximum[:, 0], day.minimum[:, 0]
        if progress:
            progress(d + 1)
    return Diary(kernel.outputs, taken, mean, top, low, batch.status.copy(), batch.steps.copy())


def _decided(units: Any, most: int, day: int) -> Whole:
    units = np.asarray(units)
    chosen: Whole = units.astype(np.int64)
    if not np.issubdtype(units.dtype, np.integer) or units.min(initial=0) < 0 or units.max(initial=0) > most:
        raise SimulationError(
            f"After day {day} the policy asks for {units.min()} to {units.max()} units ({units.dtype}).",
            where="policy",
            allowed=f"whole numbers from 0 to {most}, the schedules that there are.",
        )
    return chosen


@cache
def thresholds() -> Mapping[str, float]:
    """The numbers by which the usual policy decides, from titration.tsv."""
    return {row["name"]: float(row["value"]) for row in rows_of(Path(__file__).parent / "titration.tsv")}


def willing(u: Floats, limit: Mapping[str, Any], allowed: Any) -> Whole:
    """(subject,) the most units a day that each is ready to take.

    What people are told is the most is what they measure themselves by: who may take 48 sprays goes further than who
    may take 12, also where neither end is reached.

    Parameters
    ----------
    u : (subject,) numbers between 0 and 1.      allowed : the most units a day, one number or (subject,).
    """
    told = (np.maximum(allowed, 1) / limit["willing_at"]) ** limit["cap_share"]
    drawn = limit["willing"] * told * np.exp(limit["willing_spread"] * ndtri(u))
    most: Whole = np.maximum(np.rint(drawn), 1).astype(np.int64)
    return most


def titrated(
    ceilings: Sequence[int],
    baseline: Floats,
    *,
    effect: str = "NRS",
    harm: str = "intoxication",
    most: Whole | None = None,
    felt: Floats | None = None,
    limit: Mapping[str, Any] | None = None,
) -> Policy:
    """The label's titration with feedback: up by one at most each day until relieved or the label's end.

    Parameters
    ----------
    ceilings : the most units for day 1, 2, ...; after the last of them nobody goes up any more.
    baseline : (subject,) the effect's value without treatment; lower is better.
    effect, harm : outputs that are looked at (the day's mean, the day's maximum).
    most : (subject,) units a day beyond which a person will not go, see `willing`.
    limit : figures of `thresholds`, each one number or (subject,); the table's if not given.
    felt : (subject, day) how far the rating is from the model's level; people go by what they feel.
    """

    def policy(day: int, taken: Whole, seen: Mapping[str, Day]) -> Whole:
        ceiling: Any = ceilings[day] if day < len(ceilings) else taken
        if most is not None:
            ceiling = np.minimum(ceiling, most)
        level = seen[effect].mean if felt is None else seen[effect].mean + felt[:, day - 1]
        return next_units(taken, seen[harm].maximum, level / baseline, ceiling, limit or thresholds())

    return policy


def next_units(
    taken: Whole, worst: Floats, relief: Floats, ceiling: Any, limit: Mapping[str, Any], step: Any = 1
) -> Whole:
    """Units of the next day: down where the day was too much, up where it was not and relief is wanting.

    Parameters
    ----------
    worst : (subject,) the day's highest intoxication [VAS].      relief : (subject,) rating over its baseline.
    ceiling : most units that going up may reach; who has more keeps them.
    limit : the figures of `thresholds`, each one number or (subject,).
    """
    up = (worst < limit["raise_below"]) & (relief > limit["relieved_share"])
    raised = np.minimum(taken + step, np.maximum(ceiling, taken))
    down = np.maximum(taken - step, 0)
    decided: Whole = np.where(worst > limit["lower_above"], down, np.where(up, raised, taken))
    return decided


def fixed(units: int) -> Policy:
    """The same every day."""
    return lambda day, taken, seen: np.full_like(taken, units)
