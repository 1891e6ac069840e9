"""An n-of-1 trial for this person: pairs of periods with and without the drug, in random order within each pair.

The first days of each period are not analysed: so long takes what is left of the drug, its tolerance and its
effect to go, by the model. Power is the model's too: for people like this one whom the drug truly helps.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter
from scipy.special import ndtr, ndtri

from lissive.arrays import FloatArray
from lissive.case import Case
from lissive.errors import DiaryError, SimulationError
from lissive.follow.advise import decisions
from lissive.follow.alarms import of_the_case
from lissive.follow.diary import LATEST
from lissive.follow.people import OUTCOMES, People, first_people, go_on, levels, placebo_of
from lissive.forecast import complaint
from lissive.forecast.predict import DRAWS
from lissive.forecast.treatment import Treatment, treatment
from lissive.given import day_of, number_of, threads_of, whole
from lissive.model import load
from lissive.simulation.schedule import Schedule, doses
from lissive.versions import stamped

ON_DAYS, OFF_DAYS = 28, 28
MOST_DAYS = 90
"""Of a period."""
GONE, OF_PEOPLE = 0.1, 0.9
"""The washout ends when a tenth of the effect is left in nine of ten people."""
SUBJECTS = 200
ON, OFF = "on", "off"


@dataclass(frozen=True)
class Period:
    """Some days with the drug, or without."""

    pair: int
    kit: str
    """What a blinded person knows of it."""
    treatment: str
    first: datetime.date
    last: datetime.date
    analysed_from: datetime.date


@dataclass(frozen=True)
class NOf1Plan:
    """The schedule, and what it can tell."""

    case: str
    product: str
    outcome: str
    pairs: int
    days: int
    """Of a period."""
    washout: int
    """Days at the start of a period that are not analysed."""
    blinded: bool
    periods: tuple[Period, ...]
    threshold: float
    power: float
    """Chance that the 95 % interval excludes no difference, in people with the threshold's effect."""
    power_by_pairs: dict[int, float]
    smallest_sd: float
    """SD of the estimated difference, in the outcome's unit: median over what is uncertain of the noise."""
    seed: int
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        for each in data["periods"]:
            each.update({name: each[name].isoformat() for name in ("first", "last", "analysed_from")})
        return stamped(data, "model")


def read_plan(path: Path) -> NOf1Plan:
    """A plan as `to_json` gives it.

    Raises       DiaryError for a file that is none.
    """
    allowed, do = "the plan.json that `lissive follow plan --n-of-1 --out FOLDER` writes.", "name that file."
    try:
        found = _AS_WRITTEN.validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no plan of an n-of-1 trial"
        raise DiaryError(
            f"The plan cannot be read: {why}.", where=str(path), allowed=allowed, do=do
        ) from None
    number_of("threshold", found.threshold, wrong=DiaryError, least=1.0, most=100.0)
    if not found.periods or any(_wrong(found.periods)):
        raise DiaryError(
            "A period of the plan is wrong, or there is none.", where=str(path), allowed=allowed, do=do
        )
    return found


_AS_WRITTEN = TypeAdapter(NOf1Plan)


def _wrong(periods: tuple[Period, ...]) -> Iterator[bool]:
    """Of each period whether it is not as `_periods` makes them: one after another, none over 90 days."""
    before = datetime.date.min
    for each in periods:
        in_order = before < each.first <= each.analysed_from <= each.last
        yield each.treatment not in (ON, OFF) or not in_order or (each.last - each.first).days >= MOST_DAYS
        before = each.last


def plan_n_of_1(
    case: Case,
    *,
    start: datetime.date,
    pairs: int = 3,
    days: int | None = None,
    outcome: str | None = None,
    threshold: float | None = None,
    blinded: bool = False,
    seed: int = 1,
    threads: int | None = None,
) -> NOf1Plan:
    """A schedule of pairs, its washout and its power.

    Parameters
    ----------
    days : of one period; the washout and 10 days to be analysed, if not given.
    outcome : the rating to judge by; if not given, the cause's complaint, else spasticity, else severity if only that
        is stated.
    threshold : reduction by the drug itself that the trial is to find [%].

    Raises       CaseError where the plan does not say enough; DiaryError for a period shorter than its washout.
    """
    pairs = whole("pairs", pairs, wrong=DiaryError, least=2, most=10)
    start = day_of("start", start, wrong=DiaryError)
    if start > LATEST:
        raise DiaryError(f"start is {start}.", where="start", allowed=f"up to {LATEST}.", do="start earlier.")
    seed = whole("seed", seed, wrong=SimulationError, least=0)
    rated = [each for each in OUTCOMES if each != "spasms"]
    if outcome is None:
        named, own = complaint(case.spasm.cause).outcome, case.spasm
        usual = (
            "severity" if own.spasticity_nrs is None and own.severity_nrs is not None else "spasticity_nrs"
        )
        outcome = named if named in rated else usual
    if outcome not in rated:
        raise DiaryError(
            f"outcome is {outcome!r}.",
            where="outcome",
            allowed=f"{', '.join(rated)}.",
            do="choose one of these.",
        )
    figure = decisions()
    share = figure[f"threshold {outcome}"] if threshold is None else threshold
    share = number_of("threshold", share, wrong=DiaryError, least=1.0, most=100.0)
    equations = load("lissive")
    plan = treatment(case, equations)
    people, off = _on_then_off(case, plan, threads_of(threads, wrong=SimulationError), seed)
    gone = _washout(off, outcome)
    washout = OFF_DAYS if gone is None else gone
    length = washout + 10 if days is None else whole("days", days, wrong=DiaryError, least=3, most=MOST_DAYS)
    if length < washout + 3:
        raise DiaryError(
            f"days is {length}, and the washout of this plan takes {washout}.",
            where="days",
            allowed=f"{washout + 3} or more.",
            do="give more days for a period, or leave days out: then it is long enough.",
        )
    order = [bool(each) for each in np.random.default_rng([seed, 3]).integers(0, 2, pairs)]
    periods = _periods(order, start, length, washout, seed)
    noted = {
        n: _power(people, outcome, case, n, length, washout, share / 100.0)
        for n in sorted({2, 3, 4, 5, 6, pairs})
    }
    return NOf1Plan(
        case.case, plan.product.name, outcome, pairs, length, washout, blinded, periods, share,
        noted[pairs][0], {n: power for n, (power, _) in noted.items()}, noted[pairs][1], seed,
        (*_against(case), *_notes(plan, gone, blinded)),
    )  # fmt: skip


def _against(case: Case) -> Iterator[str]:
    """What the case itself says against its product."""
    for each in of_the_case(case):
        yield f"{each.text.upper() if each.id == 'contraindicated' else each.text.capitalize()}. {each.do}."


def _notes(plan: Treatment, washout: int | None, blinded: bool) -> tuple[str, ...]:
    hidden = (
        "Blinded: a pharmacy prepares the kits, and keeps the key. People often tell THC by its effects; "
        "ask at the end of "
        "each period which it was."
        if blinded
        else "Not blinded: placebo response and expectation go with the drug and are part of the difference."
    )
    first = (
        f"By the model the effect is not gone within {OFF_DAYS} days, or there is none on this rating: the washout is "
        f"the longest that is planned, {OFF_DAYS} days."
        if washout is None
        else f"The first {washout} days of each period are not analysed: by the model, a tenth or less of the effect "
        "is then left in nine of ten people (kinetics, tolerance and the slow answer of the rating)."
    )
    return (
        first,
        hidden,
        "Start on a steady dose that is tolerated, within the label; go up and down as it says. Not for "
        "people in whom "
        "stopping is dangerous. Stop for any alarm.",
        *plan.notes,
    )


def _daily(plan: Treatment, days: int) -> Schedule:
    """The plan's dose, the largest of its titration, every day."""
    one = plan.dosing.schedules[max(plan.dosing.first, *plan.dosing.ceilings, 0)]
    parts = [
        doses([], 0, 0.0),
        *(Schedule(one.time + 24.0 * k, one.action, one.target, one.value) for k in range(days)),
    ]
    time, action, target, value = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("time", "action", "target", "value")
    )
    return Schedule(time, action, target, value)


def _on_then_off(case: Case, plan: Treatment, threads: int, seed: int) -> tuple[People, People]:
    people = first_people(
        case,
        plan,
        load("lissive"),
        _daily(plan, ON_DAYS),
        ON_DAYS,
        numbers=range(SUBJECTS),
        seed=seed,
        threads=threads,
    )
    return people, go_on(people, None, OFF_DAYS, threads)


def _effect(people: People, outcome: str) -> FloatArray:
    """(person, day) what the drug takes off."""
    both = levels(people, outcome, placebo_of(people, outcome, np.arange(len(people))))
    return 1.0 - both.drug / both.without


def _washout(off: People, outcome: str) -> int | None:
    """Days after the last dose until a tenth of the effect is left in nine of ten people; whole days, 1 or more.

    None where nobody has an effect, or it stays.
    """
    effect = _effect(replace(off, believing=np.ones(off.days)), outcome)
    steady = effect[:, ON_DAYS - 7 : ON_DAYS].mean(axis=1)
    some = steady > 0.01
    if not some.any():
        return None
    left = effect[some, ON_DAYS:] / steady[some, None]
    gone = (np.abs(left) <= GONE).mean(axis=0) >= OF_PEOPLE
    return int(np.argmax(gone)) + 1 if gone.any() else None


def _periods(
    order: list[bool], start: datetime.date, length: int, washout: int, seed: int
) -> tuple[Period, ...]:
    found: list[Period] = []
    for pair, first_on in enumerate(order):
        for k, treatment_ in enumerate((ON, OFF) if first_on else (OFF, ON)):
            begin = start + datetime.timedelta(days=length * len(found))
            found.append(
                Period(
                    pair + 1, f"{pair + 1}{'AB'[k]}", treatment_, begin,
                    begin + datetime.timedelta(days=length - 1), begin + datetime.timedelta(days=washout),
                )
            )  # fmt: skip
    return tuple(found)


def _power(
    people: People, outcome: str, case: Case, pairs: int, length: int, washout: int, share: float
) -> tuple[float, float]:
    """Power over people with the threshold's effect and what is uncertain of the noise; and the median SD.

    The difference is estimated by generalised least squares with a level, a trend, and carry-over.
    """
    stated = {
        "spasticity_nrs": case.spasm.spasticity_nrs,
        "severity": case.spasm.severity_nrs,
        "pain_nrs": case.spasm.pain_nrs,
    }
    effect = _effect(people, outcome)[:, -7:].mean(axis=1)
    helped = effect >= share
    level = stated[outcome] or float(np.median(people.parameters[OUTCOMES[outcome]]))
    delta = level * (effect[helped] if helped.any() else np.array([share]))
    order = [k % 2 == 0 for k in range(pairs)]
    on = np.repeat(
        [side for first in order for side in ((True, False) if first else (False, True))], length
    ).astype(float)
    within = np.tile(np.arange(length), 2 * pairs)
    kept = within >= washout
    day = np.arange(len(on))[kept].astype(float)
    before = np.concatenate([np.zeros(length), on[:-length]])[kept]
    design = np.column_stack([np.ones(len(day)), (day - day.mean()) / 100.0, on[kept], before])
    lag = np.abs(day[:, None] - day[None])
    sd = []
    for k in range(min(DRAWS, len(people))):
        rating = {name: float(value[k]) for name, value in people.rating.items()}
        noise = rating["course_sd"] ** 2 * np.exp(-lag / rating["course_days"]) + rating[
            "rating_sd"
        ] ** 2 * np.eye(len(day))
        precision = design.T @ np.linalg.solve(noise, design) + np.diag([0.0, 0.0, 0.0, 1.0])
        sd.append(float(np.sqrt(np.linalg.inv(precision)[2, 2])))
    ratio = delta[:, None] / np.array(sd)[None]
    cut = float(ndtri(0.975))
    return float((ndtr(ratio - cut) + ndtr(-ratio - cut)).mean()), float(np.median(sd))
