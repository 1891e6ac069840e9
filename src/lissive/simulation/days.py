"""People on their way through days of treatment: the one loop of forecasts and virtual trials.

The solver never calls Python within a step; midnight is a stop for everybody, so a run that is decided on day by day
gives the same bits as one whose doses were known beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri

from lissive.arrays import FloatArray, IntArray
from lissive.simulation.engine import Batch, Seen
from lissive.simulation.repeats import Repeats
from lissive.simulation.run import to_doses
from lissive.simulation.schedule import Regimen, Schedule
from lissive.table import rows_of


@cache
def thresholds() -> Mapping[str, float]:
    """The numbers by which people decide on their dose, from titration.tsv."""
    return {row["name"]: float(row["value"]) for row in rows_of(Path(__file__).parent / "titration.tsv")}


def willing(u: FloatArray, limit: Mapping[str, Any], allowed: Any) -> IntArray:
    """(subject,) the most units a day that each is ready to take.

    What people are told is the most is what they measure themselves by: who may take 48 sprays goes further than who
    may take 12, also where neither end is reached, and those who may take 48 differ more. A share of people, `to_cap`,
    is ready to take all that is allowed.

    Parameters
    ----------
    u : (subject,) numbers between 0 and 1.      allowed : the most units a day, one number or (subject,).
    """
    told = np.maximum(allowed, 1) / limit["willing_at"]
    rest = 1.0 - limit["to_cap"]
    spread = limit["willing_spread"] * told ** limit["cap_spread"]
    drawn = (
        limit["willing"]
        * told ** limit["cap_share"]
        * np.exp(spread * ndtri(np.minimum(u / rest, 1.0 - EPS)))
    )
    most: IntArray = np.maximum(np.rint(np.where(u > rest, allowed, drawn)), 1).astype(np.int64)
    return most


EPS = 1e-12


def next_units(
    taken: IntArray,
    worst: FloatArray,
    relief: FloatArray,
    ceiling: Any,
    limit: Mapping[str, Any],
    step: Any = 1,
) -> IntArray:
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
    decided: IntArray = np.where(worst > limit["lower_above"], down, np.where(up, raised, taken))
    return decided


DAY = 24.0
HARM = "intoxication"
"""The output whose highest value of a day, if felt as too much, brings the dose down."""
UNKNOWN = 1 << 30
"""Units that are bearable until a day was too much."""


@dataclass(frozen=True)
class Group:
    """What some people take: an arm of a trial, one side of a forecast, nothing."""

    schedules: tuple[Schedule, ...]
    """A day with n units, for n = 0, 1, 2, ...; times from midnight. Nobody takes more than the last has."""
    first: int = 0
    """Units on the first day."""
    ceilings: tuple[int, ...] = ()
    """The most units that going up may reach on day 1, 2, ...; after the last nobody goes up. Empty: a fixed dose."""
    step: int = 1
    """Units of one step up or down."""
    placebo: bool = False
    """The same units, without effect."""
    missed: frozenset[int] = frozenset()
    """Days, from 0, on which nothing is taken."""
    free: bool = False
    """Steps have no limit: people go up or down by a share of what they take (`raise_by`) where that is more."""

    @property
    def most(self) -> int:
        return len(self.schedules) - 1


@dataclass(kw_only=True)
class Running:
    """People on their way. `take` keeps some of them only."""

    batch: Batch
    relief: str
    """The model's output by which people judge relief."""
    before: FloatArray
    """(patient, output) before the first day."""
    baseline: FloatArray
    """(patient,) rating before everything, by which relief is judged."""
    felt: FloatArray
    """(patient, day) how far the rating of relief is from the model's level; people go by what they feel."""
    limit: Mapping[str, FloatArray]
    """Figures of titration, (patient,) each, see `thresholds`."""
    ready: FloatArray
    """(patient,) numbers between 0 and 1: each one's quantile of the maximum acceptable dose."""
    threads: int = 1
    repeats: bool = False
    """Whether days that all but repeat the ones before are extrapolated (see `repeats`); else each is solved."""
    today: Callable[[int, IntArray], Mapping[str, FloatArray]] | None = None
    """From a day and places of patients to their values of what differs from day to day in how a dose is taken up;
    not together with `repeats`."""
    looks: tuple[float, ...] = ()
    """Clock times [h], increasing, at which each day is looked at beside its means; days are then all solved."""
    on_day: Callable[[Seen], None] = lambda seen: None
    """Called at the end of each day with what it brought."""
    units: IntArray = field(init=False)
    """(patient,) today."""
    bearable: IntArray = field(init=False)
    """(patient,) the fewest units that were too much to go up from; nobody goes beyond them again."""
    day: int = field(default=0, init=False)
    """Days that are over."""
    means: list[FloatArray] = field(default_factory=list, init=False)
    """Of each day: (patient, output)."""
    taken: list[IntArray] = field(default_factory=list, init=False)
    """Of each day: (patient,) units."""
    looked: list[FloatArray] = field(default_factory=list, init=False)
    """Of each day: (patient, look, output)."""

    def __post_init__(self) -> None:
        self.units = np.zeros(len(self), np.int64)
        self.bearable = np.full(len(self), UNKNOWN)

    def __len__(self) -> int:
        return len(self.batch)

    def output(self, name: str) -> int:
        """The place of a model's output."""
        return self.batch.kernel.outputs.index(name)

    def take(self, members: IntArray) -> None:
        """Keep these people only."""
        self.batch = self.batch.take(members)
        self.limit = {name: values[members] for name, values in self.limit.items()}
        self.means = [each[members] for each in self.means]
        self.taken = [each[members] for each in self.taken]
        self.looked = [each[members] for each in self.looked]
        for name in ("before", "baseline", "felt", "ready", "units", "bearable"):
            setattr(self, name, getattr(self, name)[members])


def advance_days(
    run: Running, groups: Sequence[Group], group: IntArray, days: int, *, keep_dose: bool = False
) -> None:
    """Move everybody on by some days. Each day:

    1. Dose: everybody's units of the day become doses at clock times, as their group takes them; of a placebo, none.
    2. Day: the model's equations are solved from midnight to midnight, through these doses.
    3. Rating: people feel the day's mean level, as their within-subject fluctuation changes it.
    4. Next dose: where the day was too much they go down; where it was not, and relief is wanting, they go up, as far
       as the group's schedule and their own readiness allow (`next_units`, `willing`), and not beyond a dose that was
       once too much: being used to it by now, they do not try again. By one step, or, where steps have no limit, by a
       share of what they take.
    5. The day's means and the units taken are kept; `run.on_day` sees all of it.

    Parameters
    ----------
    group : (patient,) place in `groups`.
    keep_dose : begin with the units of the day before, and not with the group's first.
    """
    table = tuple(schedule for each in groups for schedule in each.schedules)
    places = np.cumsum([0, *(len(each.schedules) for each in groups)])[:-1][group]
    cap, step, first = (
        np.array([getattr(each, name) for each in groups])[group] for name in ("most", "step", "first")
    )
    titrated, free = (
        np.array(of)[group] for of in zip(*((bool(g.ceilings), g.free) for g in groups), strict=True)
    )
    ceilings = np.zeros((len(groups), days + 1), np.int64)
    for k, each in enumerate(groups):
        ceilings[k, : len(each.ceilings)] = each.ceilings[: days + 1]
    real = np.array([not each.placebo for each in groups])[group]
    everybody = np.ones(len(run))
    template = to_doses(Regimen(table, np.zeros(len(run), int), everybody, 0 * everybody), run.batch.kernel)
    most = willing(run.ready, run.limit, cap)
    harm, relief = run.output(HARM), run.output(run.relief)
    run.units = np.minimum(run.units if keep_dose else first, cap)
    run.bearable = run.bearable if keep_dose else np.full(len(run), UNKNOWN)
    # a condition on time could switch within days that are not looked at
    solved = run.looks or run.batch.kernel.switches
    repeats = Repeats.of(run.batch) if run.repeats and not solved else None
    for d in range(days):
        start = run.day * DAY
        takes = np.array([d not in each.missed for each in groups])[group]
        if run.today and (dosed := np.flatnonzero(real & takes)).size:
            run.batch.change(dosed, run.today(run.day, dosed))
        today = replace(template, which=places + (real & takes) * run.units, shift=np.full(len(run), start))
        edges = (start, start + DAY)
        if repeats:
            seen = repeats.advance(run.batch, today, takes * run.units, edges, run.threads)
        else:
            times = [start + hour for hour in run.looks]
            seen = run.batch.advance(
                edges[1], today, times=times, edges=edges, stop=True, threads=run.threads
            )
        run.means.append(seen.mean[:, 0])
        run.taken.append(takes * run.units)
        run.looked.append(seen.values)
        felt = seen.mean[:, 0, relief] + run.felt[:, run.day]
        worst = seen.maximum[:, 0, harm]
        too_much = worst >= run.limit["raise_below"]
        run.bearable = np.where(too_much, np.minimum(run.bearable, run.units), run.bearable)
        ceiling = np.minimum(np.minimum(ceilings[group, d + 1], cap), np.minimum(most, run.bearable))
        by = np.maximum(step, np.rint(free * run.limit["raise_by"] * run.units)).astype(np.int64)
        wished = next_units(run.units, worst, felt / run.baseline, ceiling, run.limit, by)
        run.units = np.where(titrated, np.minimum(wished, cap), run.units)
        run.day += 1
        run.on_day(seen)
    if repeats:
        repeats.finish(run.batch, run.day * DAY)
