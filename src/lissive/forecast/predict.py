"""What may happen to this person: virtual patients matched to them, each with the drug and with placebo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.case import Case
from lissive.errors import CaseError, SimulationError
from lissive.forecast.treatment import Treatment, modelled_as, treatment
from lissive.given import kind_of, number_of, threads_of, whole
from lissive.model import load
from lissive.simulation.days import Running, advance_days
from lissive.simulation.draw import Centres, draw, on_day
from lissive.simulation.engine import METHOD, Kernel, Seen, Tolerances, build
from lissive.simulation.limits import afford
from lissive.simulation.origin import origin
from lissive.simulation.ratings import stretches
from lissive.simulation.run import MEANING, Settings
from lissive.simulation.solve import model_hash
from lissive.simulation.streams import normals, uniforms
from lissive.table import rows_of
from lissive.trials.observe import counts_of
from lissive.trials.parts import MEASURES
from lissive.trials.people import BETWEEN, MOVED, Response, draws, seed_of

DRAWS = 40
"""Posterior draws that are shared out over the patients."""


@dataclass(frozen=True)
class Patients:
    """(subject,) columns of everything that a run needs of its patients."""

    parameters: dict[str, FloatArray]
    titration: dict[str, FloatArray]
    rating: dict[str, FloatArray]
    drawn: tuple[str, ...]
    own: Centres
    first: int = 0
    """Number of the first patient."""


def patients_like(plan: Treatment, cause: str, subjects: int, seed: int, first: int = 0) -> Patients:
    """`subjects` patients from number `first` on; number s has posterior draw s modulo DRAWS, however many others are
    sampled."""
    posterior = [_on_average(each) for each in draws(min(DRAWS, first + subjects), seed)]
    draw_index = np.arange(first, first + subjects) % len(posterior)
    typical, spread, titration, rating = (
        _columns(rows, draw_index)
        for rows in (
            [each.typical(cause, seed_of(seed, k)) for k, each in enumerate(posterior)],
            [each.spread() for each in posterior],
            [each.titration() for each in posterior],
            [each.rating() for each in posterior],
        )
    )
    own = Centres(typical, spread)
    people = draw(
        subjects,
        seed=seed,
        cause=cause,
        given=plan.given,
        unknown=plan.unknown,
        first=first,
        own=own,
        lasting=True,
    )
    return Patients(people.columns(subjects), titration, rating, people.drawn, own, first)


def _on_average(response: Response) -> Response:
    """Outside of trials: the between-trial random effects are 0."""
    return Response({**response.values, **{f"{BETWEEN}{kind}": 0.0 for kind in MOVED}})


def _columns(rows: list[dict[str, float]], draw_index: IntArray) -> dict[str, FloatArray]:
    return {name: np.array([row[name] for row in rows])[draw_index] for name in rows[0]}


ARMS = ("active", "placebo")
DAYS = 7
RTOL = 3e-3
"""Of what is shown, means then move by less than 0.1 % and percentiles by 0.3 % of the largest from 1e-6 on, peaks in
plasma after smoking the most. A trial of sprays may be coarser; its RTOL would be 4 % off there."""


@dataclass(frozen=True)
class Outcome:
    """One row of outcomes.tsv."""

    name: str
    output: str
    over_week: str
    """mean or maximum of the week's days, or risk: one minus exp of a cumulative hazard at its end."""
    label: str
    unit: str


@cache
def outcomes() -> tuple[Outcome, ...]:
    """All outcomes of a forecast, in order."""
    return tuple(Outcome(**row) for row in rows_of(Path(__file__).parent / "outcomes.tsv"))


@dataclass(frozen=True)
class Forecast:
    """Simulated weeks of virtual patients like the one in the case.

    weekly : outcome to (arm, subject, week 0 to n); week 0 is before treatment. Ratings have
        within-subject fluctuation and the error of each rating (simulation/ratings.tsv); the drug and placebo side
        of a pair share both, so their difference is the effect of treatment
    taken : (arm, subject, day) units taken
    """

    case: Case
    treatment: Treatment
    weekly: Mapping[str, FloatArray]
    taken: IntArray
    status: IntArray
    """(arm, subject); 0: simulated without error."""
    drawn: tuple[str, ...]
    provenance: Mapping[str, Any]

    @property
    def weeks(self) -> int:
        return self.treatment.weeks

    @property
    def subjects(self) -> int:
        return int(self.status.shape[1])

    @property
    def good(self) -> BoolArray:
        """(subject,) both runs of the pair succeeded; only these are analysed."""
        result: BoolArray = (self.status == 0).all(axis=0)
        return result

    def failures(self) -> dict[int, str]:
        """Subject number (from 1) to why it could not be simulated."""
        worst = self.status.max(axis=0)
        return {int(s) + 1: MEANING[int(worst[s])] for s in np.flatnonzero(worst)}


def predict(
    case: Case,
    *,
    subjects: int = 1000,
    seed: int = 1,
    threads: int | None = None,
    rtol: float = RTOL,
    progress: Callable[[int], None] | None = None,
) -> Forecast:
    """Simulate `subjects` virtual patients like the case's, each on its treatment and on placebo.

    Raises       CaseError where the plan does not say enough to be run; SimulationError for a number that cannot be.
    """
    kind_of(
        "case",
        case,
        Case,
        wrong=CaseError,
        do="read it with read_case(FILE), or make it with make_case(DATA).",
    )
    subjects = whole("subjects", subjects, wrong=SimulationError)
    seed = whole("seed", seed, wrong=SimulationError, least=0)
    rtol = number_of("rtol", rtol, wrong=SimulationError)
    settings = Settings(Tolerances(rtol=rtol), threads_of(threads, wrong=SimulationError))
    equations = load("lissive")
    plan = treatment(case, equations)
    assert case.spasm.cause is not None
    sides = [plan, replace(plan, dosing=replace(plan.dosing, placebo=True))]
    done = follow(sides, case.spasm.cause, plan.weeks, subjects, seed, settings, progress)
    return Forecast(
        case,
        plan,
        done.weekly,
        done.taken,
        done.status,
        done.drawn,
        {
            "model": equations.name,
            "model_hash": model_hash(equations),
            "seed": seed,
            "subjects": subjects,
            "solver": {"method": METHOD, "rtol": rtol},
            "steps": done.steps,
            **origin(equations, _outputs(), plan.dosing.schedules, plan.given, done.drawn, case.spasm.cause),
            "case": _rows_used(case, plan),
        },
    )


@dataclass(frozen=True)
class Followed:
    """The same virtual patients under several treatments."""

    weekly: Mapping[str, FloatArray]
    """Outcome to (side, subject, week 0 to n)."""
    last_day: Mapping[str, FloatArray]
    """Outcome to (side, subject): of the last day alone, as the model has it."""
    taken: IntArray
    """(side, subject, day) units."""
    status: IntArray
    """(side, subject)."""
    drawn: tuple[str, ...]
    steps: int


def _outputs() -> list[str]:
    return list(dict.fromkeys(outcome.output for outcome in outcomes()))


def follow(
    sides: Sequence[Treatment],
    cause: str,
    weeks: int,
    subjects: int,
    seed: int,
    settings: Settings,
    progress: Callable[[int], None] | None = None,
) -> Followed:
    """`subjects` virtual patients, each under every one of the treatments: they differ in nothing else.

    Some at a time, so that the memory of their days does not grow with their number.
    """
    # of each subject what is shown, by week and side, and the units of each day; twice while it is put together
    each = 16 * len(sides) * (len(outcomes()) * (weeks + 2) + weeks * DAYS)
    afford(subjects, each, what="subjects", where="subjects", do="ask for fewer subjects or weeks.")
    starts = range(0, subjects, AT_ONCE)

    def told(k: int) -> Callable[[int], None] | None:
        return None if progress is None else lambda day: progress((k * weeks * DAYS + day) // len(starts))

    parts = [
        _follow(sides, cause, weeks, min(AT_ONCE, subjects - first), seed, settings, told(k), first)
        for k, first in enumerate(starts)
    ]
    return parts[0] if len(parts) == 1 else _joined(parts)


AT_ONCE = 2000
"""Subjects that are simulated side by side."""


def _joined(parts: list[Followed]) -> Followed:
    return Followed(
        {name: np.concatenate([each.weekly[name] for each in parts], axis=1) for name in parts[0].weekly},
        {name: np.concatenate([each.last_day[name] for each in parts], axis=1) for name in parts[0].last_day},
        np.concatenate([each.taken for each in parts], axis=1),
        np.concatenate([each.status for each in parts], axis=1),
        parts[0].drawn,
        sum(each.steps for each in parts),
    )


def _follow(
    sides: Sequence[Treatment],
    cause: str,
    weeks: int,
    subjects: int,
    seed: int,
    settings: Settings,
    progress: Callable[[int], None] | None,
    first: int,
) -> Followed:
    """Patients from number `first` on."""
    equations, n = load("lissive"), len(sides)
    people = [patients_like(plan, cause, subjects, seed, first) for plan in sides]
    course = {name: _course(seed, name, people[0].rating, weeks, first) for name in (*rated(), *counted())}
    run = _begin(build(equations, _outputs()), people, course["spasticity_nrs"], seed, settings)
    maxima: list[FloatArray] = []

    def on_day(seen: Seen) -> None:
        maxima.append(seen.maximum[:, 0])
        if progress:
            progress(run.day)

    run.on_day = on_day
    advance_days(run, [each.dosing for each in sides], np.repeat(np.arange(n), subjects), weeks * DAYS)
    run.on_day = lambda _: None  # the other holds the run, which would outlive its chunk
    last_day = {
        each.name: _of_days(each, (run.means if each.over_week == "mean" else maxima)[-1:], run).reshape(
            n, subjects
        )
        for each in outcomes()
    }
    return Followed(
        _observed(_weekly(run, maxima, subjects), course, people[0].rating, seed, first),
        last_day,
        np.stack(run.taken, axis=1).reshape(n, subjects, -1),
        run.batch.status.reshape(n, subjects).copy(),
        people[0].drawn,
        int(run.batch.steps.sum()),
    )


def _begin(
    kernel: Kernel, people: Sequence[Patients], felt: FloatArray, seed: int, settings: Settings
) -> Running:
    """Every patient once for each side: all who are to have the first treatment, then the same ones again."""
    subjects, n = len(felt), len(people)
    first = people[0]
    both = {name: np.concatenate([each.parameters[name] for each in people]) for name in first.parameters}

    def today(day: int, members: IntArray) -> dict[str, FloatArray]:
        own = on_day(day, first.parameters, first.drawn, seed=seed, own=first.own, first=first.first)
        return {name: values[members % subjects] for name, values in own.items()}

    batch = kernel.start(n * subjects, both, tolerances=settings.tolerances)
    return Running(
        batch=batch,
        relief="NRS",
        before=batch.advance(0.0, times=[0.0]).values[:, 0],
        baseline=both["NRS0"],
        felt=np.tile(felt, (n, 1)),
        limit={name: np.tile(value, n) for name, value in first.titration.items()},
        ready=np.tile(uniforms(seed, "titration: willing", subjects, first.first), n),
        threads=settings.threads,
        today=today,
    )


def _rows_used(case: Case, plan: Treatment) -> dict[str, Any]:
    """Rows of the tables of products, genotypes and interactions that a forecast used."""
    medicines = [name for each in case.history.current or () for name in modelled_as(each.drug)]
    return {
        "product": plan.product.name,
        "titrated": bool(plan.dosing.ceilings),
        "cyp2c9": case.person.cyp2c9 if "cyp2c9_activity" in plan.given else None,
        "medicines": medicines,
    }


def _weekly(run: Running, maxima: Sequence[FloatArray], subjects: int) -> dict[str, FloatArray]:
    """Each outcome by week from its output by day."""
    result = {}
    for outcome in outcomes():
        days = _of_days(outcome, run.means if outcome.over_week == "mean" else maxima, run)
        days = days.reshape(len(days), -1, DAYS)
        week = days.mean(axis=2) if outcome.over_week == "mean" else days.max(axis=2)
        start = _of_days(outcome, [run.before], run)
        result[outcome.name] = np.concatenate([start, week], axis=1).reshape(-1, subjects, week.shape[1] + 1)
    return result


def _of_days(outcome: Outcome, source: Sequence[FloatArray], run: Running) -> FloatArray:
    """(patient, day) of one outcome; a hazard only grows, so its day's maximum is its end."""
    k = run.output(outcome.output)
    days: FloatArray = np.stack([day[:, k] for day in source], axis=1)
    return 1.0 - np.exp(-days) if outcome.over_week == "risk" else days


def rated() -> tuple[str, ...]:
    """Outcomes that patients rate."""
    return tuple(o.name for o in outcomes() if o.name in MEASURES and MEASURES[o.name].kind == "rating")


def counted() -> tuple[str, ...]:
    """Outcomes that patients count."""
    return tuple(o.name for o in outcomes() if o.name in MEASURES and MEASURES[o.name].kind == "count")


def _course(seed: int, name: str, rating: Mapping[str, FloatArray], weeks: int, first: int = 0) -> FloatArray:
    """(subject, day) within-subject fluctuation of a rating or of a count's logarithm, relative to the baseline week.

    What the case states includes the fluctuation at baseline.
    """
    kind = "count_course_sd" if name in counted() else "course_sd"
    sd, memory = rating[kind], rating["course_days"]
    days = stretches(seed, name, np.arange(first, first + len(sd)), (weeks + 1) * DAYS, sd=sd, memory=memory)
    course: FloatArray = days[:, DAYS:] - days[:, :DAYS].mean(axis=1, keepdims=True)
    if name in counted():  # on average the count is the level's: half the variance is taken off its logarithm
        keep = np.exp(-1.0 / memory)[:, None, None]
        week, each = np.arange(DAYS), np.arange(DAYS, days.shape[1])
        within = (keep ** np.abs(week[:, None] - week)).mean(axis=(1, 2))
        since = (keep ** (each[:, None] - week)).mean(axis=2)
        course -= 0.5 * (sd**2)[:, None] * (1.0 + within[:, None] - 2.0 * since)
    return course


def _observed(
    weekly: dict[str, FloatArray],
    course: Mapping[str, FloatArray],
    rating: Mapping[str, FloatArray],
    seed: int,
    first: int,
) -> dict[str, FloatArray]:
    """Ratings and counts as people would record them."""
    ratings = {name: course[name] for name in rated()}
    counts = {name: course[name] for name in counted()}
    weekly = _rated(weekly, ratings, rating["rating_sd"], seed, first)
    return _counted(weekly, counts, rating["count_dispersion"], seed, first)


def _counted(
    weekly: dict[str, FloatArray],
    course: Mapping[str, FloatArray],
    dispersion: FloatArray,
    seed: int,
    first: int = 0,
) -> dict[str, FloatArray]:
    """Counts as recorded: seven days of a negative binomial count, with within-subject fluctuation, over seven.

    The sum of seven such days with one mean is negative binomial, too, with a seventh of the dispersion.
    """
    for name, days in course.items():
        values = weekly[name]
        sides, subjects, columns = values.shape
        stretch = np.exp(days).reshape(subjects, columns - 1, DAYS).mean(axis=2)
        weeks = range(1, columns)
        u = np.stack([uniforms(seed, f"count: {name}, week {w}", subjects, first) for w in weeks], axis=1)
        for side in range(sides):
            sums = counts_of(u, DAYS * values[side, :, 1:] * stretch, dispersion[:, None] / DAYS)
            values[side, :, 1:] = sums / DAYS
    return weekly


def _rated(
    weekly: dict[str, FloatArray],
    course: Mapping[str, FloatArray],
    rating_sd: FloatArray,
    seed: int,
    first: int = 0,
) -> dict[str, FloatArray]:
    """Ratings as recorded: a week's is the mean of its days, within the ends of the scale."""
    error = rating_sd[:, None] / np.sqrt(DAYS)
    for name, days in course.items():
        values, measure = weekly[name], MEASURES[name]
        _, subjects, columns = values.shape
        fluctuation = days.reshape(subjects, columns - 1, DAYS).mean(axis=2)
        noise = np.stack(
            [normals(seed, f"error: {name}, week {w}", subjects, first) for w in range(1, columns)], axis=1
        )
        values[:, :, 1:] = np.clip(
            values[:, :, 1:] + fluctuation + error * noise, measure.lower, measure.upper
        )
    return weekly
