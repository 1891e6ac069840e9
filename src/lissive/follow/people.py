"""Virtual people like the case's on the doses that were really taken: what the drug does to each, apart from placebo.

The equations are solved without a response to being treated; it is put on afterwards, as the model has it, many times
for each solved person. So few solutions stand for many people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lissive.arrays import FloatArray, IntArray
from lissive.case import Case
from lissive.forecast.predict import DRAWS, RTOL, patients_like
from lissive.forecast.treatment import Treatment
from lissive.model.equations import Equations
from lissive.simulation.engine import Batch, Tolerances, build
from lissive.simulation.run import to_doses
from lissive.simulation.schedule import Regimen, Schedule, doses

DAY = 24.0
OUTPUTS = ("NRS", "active_tone", "acute", "spasm_ratio", "spasm_bother", "pain", "pain_aim", "intoxication")
OUTCOMES = {
    "spasticity_nrs": "NRS0",
    "spasms": "spasms0",
    "severity": "severity0",
    "pain_nrs": "pain0",
}
"""What may be judged, and the model's baseline of it. Sleep follows two of them, and is only shown."""


@dataclass(frozen=True)
class Levels:
    """Of some people, by day: level over the untreated level before, with and without what the drug does."""

    drug: FloatArray
    """(person, day)"""
    without: FloatArray
    """(person, day) the same placebo response, and no effect of the drug."""


@dataclass(frozen=True)
class People:
    """Solved people, by day from the first dose on."""

    outputs: dict[str, FloatArray]
    """Output to (person, day) daily means."""
    parameters: dict[str, FloatArray]
    rating: dict[str, FloatArray]
    believing: FloatArray
    """(day,) 1 where treatment is taken, 0 after it was stopped."""
    batch: Batch | None = None
    """Where the equations stand after the last day."""

    def __len__(self) -> int:
        return len(self.outputs["acute"])

    @property
    def days(self) -> int:
        return int(self.outputs["acute"].shape[1])

    @property
    def answer(self) -> IntArray:
        """(person,) which posterior draw of the calibration each has."""
        result: IntArray = np.arange(len(self)) % min(DRAWS, len(self))
        return result

    def take(self, members: IntArray) -> People:
        return People(
            {name: value[members] for name, value in self.outputs.items()},
            {name: value[members] for name, value in self.parameters.items()},
            {name: value[members] for name, value in self.rating.items()},
            self.believing,
            None if self.batch is None else self.batch.take(members),
        )


def first_people(
    case: Case, plan: Treatment, equations: Equations, schedule: Schedule, days: int, *, numbers: range, seed: int,
    threads: int,
) -> People:  # fmt: skip
    """People of these numbers, through `days` of this schedule; those that fail are left out."""
    assert case.spasm.cause is not None
    given = {**plan.given, "placebo_on": 0.0, "in_trial": 0.0}
    drawn = patients_like(replace(plan, given=given), case.spasm.cause, len(numbers), seed, numbers.start)
    parameters, rating = drawn.parameters, drawn.rating
    kernel = build(equations, list(OUTPUTS))
    batch = kernel.start(len(numbers), parameters, tolerances=Tolerances(rtol=RTOL))
    outputs = _advance(batch, schedule, days, threads)
    people = People(outputs, parameters, rating, np.ones(days), batch)
    # whole sets of posterior draws, so that place modulo DRAWS stays the draw
    if (batch.status != 0).any():
        people = _without_failed(people, batch.status)
    return people


def _without_failed(people: People, status: IntArray) -> People:
    """A failed person is replaced by the next one with the same posterior draw."""
    n, places = len(people), np.arange(len(people))
    for k in np.flatnonzero(status):
        peers = np.arange(k % DRAWS, n, DRAWS)
        good = peers[status[peers] == 0]
        places[k] = good[k % len(good)] if len(good) else int(np.flatnonzero(status == 0)[0])
    return people.take(places)


def _advance(batch: Batch, schedule: Schedule, days: int, threads: int) -> dict[str, FloatArray]:
    n, begin = len(batch), float(batch.time.max())
    edges = begin + DAY * np.arange(days + 1)
    regimen = to_doses(Regimen.same(schedule, n), batch.kernel)
    seen = batch.advance(edges[-1], regimen, edges=edges, stop=True, threads=threads)
    return {name: seen.mean[:, :, k] for k, name in enumerate(OUTPUTS)}


def go_on(people: People, schedule: Schedule | None, days: int, threads: int) -> People:
    """The same people further on: on the schedule (times from the first dose), or stopped."""
    assert people.batch is not None
    batch = people.batch.take(np.arange(len(people)))
    later = _advance(
        batch, doses([], 0, 0.0) if schedule is None else _after(schedule, people.days * DAY), days, threads
    )
    outputs = {name: np.concatenate([value, later[name]], axis=1) for name, value in people.outputs.items()}
    believing = np.concatenate([people.believing, np.full(days, float(schedule is not None))])
    return People(outputs, people.parameters, people.rating, believing, batch)


def _after(schedule: Schedule, begin: float) -> Schedule:
    late = schedule.time >= begin
    return Schedule(schedule.time[late], schedule.action[late], schedule.target[late], schedule.value[late])


def followed(target: FloatArray, rate: FloatArray, start: float) -> FloatArray:
    """(person, day) daily means of x' = rate·(target - x), the target constant within each day; the exact solution.

    rate : (person,) [1/h].
    """
    keep = np.exp(-rate * DAY)
    mean = -np.expm1(-rate * DAY) / (rate * DAY)
    x = np.full(len(target), start)
    days = np.empty_like(target)
    for day in range(target.shape[1]):
        aim = target[:, day]
        days[:, day] = aim + (x - aim) * mean
        x = aim + (x - aim) * keep
    return days


@dataclass(frozen=True)
class Placebo:
    """(person,) response to being treated: its full size, and the rate [1/h] at which it comes and goes."""

    most: FloatArray
    rate: FloatArray


def placebo_of(people: People, outcome: str, partner: IntArray) -> Placebo:
    """The placebo response of each person's partner, who has the same posterior draw."""
    kind, own = "pain" if outcome == "pain_nrs" else "spasm", people.parameters
    return Placebo(own[f"max_placebo_{kind}"][partner], np.log(2.0) / own[f"HT_placebo_{kind}"][partner])


def levels(people: People, outcome: str, response: Placebo) -> Levels:
    """What each person's level does, with this placebo response.

    An effect of the drug that makes people feel treated (unblinding) counts as placebo, on both sides.
    """
    own, seen = people.parameters, people.outputs
    unblinded = people.believing * (1.0 + (own["psi"] / own["V_full"])[:, None] * seen["intoxication"])
    placebo = followed(response.most[:, None] * unblinded, response.rate, 0.0)
    acute = seen["acute"]
    if outcome == "spasticity_nrs":
        passive = own["f_passive"][:, None]
        tone = acute * (passive + (1.0 - passive) * seen["active_tone"])
        return Levels(
            seen["NRS"] / own["NRS0"][:, None] - followed(tone * placebo, own["k_NRS"], 0.0),
            followed(acute * (1.0 - placebo), own["k_NRS"], 1.0),
        )
    if outcome == "pain_nrs":
        aim = seen["pain_aim"] / own["pain0"][:, None]
        return Levels(
            seen["pain"] / own["pain0"][:, None] - followed(aim * placebo, own["k_pain"], 0.0),
            followed(acute * (1.0 - placebo), own["k_pain"], 1.0),
        )
    rest = np.exp(-own["w_placebo_spasm"][:, None] * placebo)
    if outcome == "spasms":
        return Levels(seen["spasm_ratio"] * rest, acute * rest)
    # the day's mean of how much spasms bother, back to the number that bothers so much, and on with placebo
    slope = own["slope_bother"][:, None]
    number = (seen["spasm_bother"] / (2.0 - seen["spasm_bother"])) ** (1.0 / slope)
    each = (number * rest, acute * rest)
    return Levels(*(2.0 / (1.0 + x**-slope) * (1.0 - placebo) for x in each))


def partners(people: People, times: int) -> Sequence[IntArray]:
    """For each time, everybody's partner: another person with the same posterior draw, each time another one."""
    n = len(people)
    step = min(DRAWS, n)
    places = np.arange(n)
    sets = max(1, n // step)
    return [(places + step * (k % sets)) % (step * sets) if n % step == 0 else places for k in range(times)]
