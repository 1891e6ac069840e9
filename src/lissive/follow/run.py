"""The follow-up of one person: their diary against virtual people like them on the same doses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from lissive.arrays import FloatArray, IntArray
from lissive.case import Case, Product
from lissive.errors import DiaryError, SimulationError
from lissive.follow.advise import ONE_ARM, advise, decisions, dose_now, rule_of, source_of
from lissive.follow.alarms import LANGUAGES, alarms, of_ratings
from lissive.follow.answer import (
    Ahead,
    Alarm,
    Baseline,
    Benefit,
    Diagnostics,
    Fit,
    FollowAnswer,
    OutcomeAhead,
)
from lissive.follow.diary import RATED, Diary, columns
from lissive.follow.doses import Taken, assumed, schedule_of, taken_of
from lissive.follow.people import OUTCOMES, Levels, People, first_people, go_on, levels, partners, placebo_of
from lissive.follow.update import PARTNERS, SCALE, Observed, Posterior, Sampled, expected, sampled, update
from lissive.forecast import calibration, complaint, fitted_outcomes
from lissive.forecast.answer import Quantiles
from lissive.forecast.predict import DRAWS
from lissive.forecast.treatment import treatment
from lissive.given import threads_of, whole
from lissive.model import load
from lissive.simulation.draw import tables
from lissive.simulation.origin import model_hash
from lissive.simulation.schedule import Schedule
from lissive.version import __version__
from lissive.versions import data_versions

SAMPLES = 1000
"""Draws of the posterior that a forecast is shown from."""
MOST_CHUNKS = 3
FOR_EACH = 4
"""Virtual people for each virtual patient of a forecast: a diary leaves about one in four of them."""
WEEK = 7
_STATED = {
    "spasms": "spasms_per_day",
    "severity": "severity_nrs",
    "spasticity_nrs": "spasticity_nrs",
    "pain_nrs": "pain_nrs",
}
INTERVAL = (
    "between posterior draws of this person, with the error of a week's ratings; that the model itself is "
    "wrong is "
    "not included"
)


def follow_up(
    case: Case,
    diary: Diary,
    *,
    weeks: int = 8,
    outcome: str | None = None,
    threshold: float | None = None,
    subjects: int = 4000,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> FollowAnswer:
    """Is it working for this person, and what now.

    Parameters
    ----------
    weeks : to look ahead.
    outcome : the column to judge by; if not given, one that trials of the product were fitted on, else the complaint.
    threshold : reduction by the drug itself that counts as a benefit [%]; decisions.tsv has the default.
    subjects : virtual people, in whole sets of posterior draws; more are drawn where they are too few.
    progress : is called with the number of people that are solved.

    Raises       CaseError where the plan does not say enough; DiaryError where the diary does not.
    """
    weeks = whole("weeks", weeks, wrong=DiaryError, most=52)
    subjects = whole("subjects", subjects, wrong=SimulationError)
    seed = whole("seed", seed, wrong=SimulationError, least=0)
    equations = load("lissive")
    plan = treatment(case, equations)
    taken = taken_of(diary, plan.product)
    of_diary = alarms(diary, taken, plan.product, case)
    judged = _judged(case, diary, taken, outcome, of_diary)
    observed, baseline = observe(case, diary, taken, judged)
    schedule = schedule_of(equations, taken, plan.product, continuing=weeks * WEEK)
    days = np.arange(min(int(observed.day.min()), 0), taken.days + weeks * WEEK)
    size = -(-subjects // DRAWS) * DRAWS
    chunks: list[People] = []
    limit = decisions()
    while True:
        solved = first_people(
            case, plan, equations, schedule, taken.days, seed=seed,
            numbers=range(size * len(chunks), size * len(chunks) + size),
            threads=threads_of(threads, wrong=SimulationError),
        )  # fmt: skip
        chunks.append(replace(solved, believing=taken.treated))
        if progress:
            progress(size * len(chunks))
        found = update(_joined(chunks), observed)
        reliable = found.ess >= min(limit["ess_least"], 0.2 * size) and not found.khat > limit["khat_most"]
        if reliable or len(chunks) == MOST_CHUNKS:
            break
    share = (limit[f"threshold {judged}"] if threshold is None else threshold) / 100.0
    benefit = _benefit(found, share, judged, threshold, taken.until)
    rule = rule_of(case, observed, taken, baseline.mean, found, 100.0 * share)
    alarm = (
        *of_diary,
        *of_ratings(observed, taken, baseline.mean, 100.0 * share, rule),
    )
    rated = int((observed.day >= 0).sum())
    dose = (taken.recent, plan.product.label_limit(case.person.weight_kg))
    fitted = judged in fitted_outcomes(case.spasm.cause, plan.product.name) and not taken.mixed
    advice, why = advise(
        taken, rated, benefit, rule, alarm, dose,
        fitted=fitted, baseline=baseline.mean,
    )  # fmt: skip
    draw = sampled(found, SAMPLES, days, np.random.default_rng(seed))
    khat = found.khat
    return FollowAnswer(
        case=case.case,
        product=plan.product.name,
        outcome=judged,
        label=columns()[judged].label,
        treated_days=taken.days,
        rated_days=rated,
        baseline=baseline,
        advice=advice,
        why=why,
        fitted=fitted and baseline.mean != 0,
        probability_benefit=benefit,
        effect_pct=_effect(found, taken.until),
        rule_4_week=rule,
        dose=dose_now(case, plan.product, taken, advice, alarm),
        forecast=_ahead(
            chunks, found, draw, schedule, weeks, judged, threads_of(threads, wrong=SimulationError), seed
        ),
        fit=_fit(found, draw, seed),
        diagnostics=Diagnostics(
            round(found.ess, 1), None if np.isnan(khat) else round(khat, 3), len(found.people), bool(reliable)
        ),
        alarms=alarm,
        used=diary.used,
        left_out=diary.left_out,
        import_lines=diary.lines,
        side_effects=_written(diary, taken),
        calibrated=calibration(case.spasm.cause, plan.product.name),
        notes=_notes(case, diary, plan.product, taken, baseline, judged, bool(reliable), plan.notes),
        provenance={
            "lissive_version": __version__,
            "data_versions": data_versions("model"),
            "model_hash": model_hash(equations),
            "seed": seed,
            "subjects": len(found.people),
            "diary": diary.path,
        },
    )


# -- what is judged -----------------------------------------------------------------------------------
def _judged(case: Case, diary: Diary, taken: Taken, outcome: str | None, found: tuple[Alarm, ...]) -> str:
    """The column to judge by; alarms are said even where there is none."""
    counts = {name: sum(name in d.ratings for d in diary.days if d.date >= taken.start) for name in OUTCOMES}
    if outcome is not None and outcome not in OUTCOMES:
        raise DiaryError(
            f"outcome is {outcome!r}.",
            where="outcome",
            allowed=f"{', '.join(OUTCOMES)}.",
            do="choose one of these.",
        )
    wanted = (
        [outcome]
        if outcome
        else [
            *(name for name in fitted_outcomes(case.spasm.cause, case.plan.product) if name in OUTCOMES),
            {"spasms_per_day": "spasms"}.get(name := complaint(case.spasm.cause).outcome, name),
            *OUTCOMES,
        ]
    )
    enough = decisions()["week_least"]
    for name in wanted:
        if counts[name] >= enough:
            return name
    alarm = "".join(f" ALARM: {each.text}: {each.do}." for each in found)
    has = ", ".join(f"{counts[name]} of {name}" for name in dict.fromkeys(wanted))
    raise DiaryError(
        f"The diary has {has} since the first dose.{diary.without}{alarm}",
        where=diary.path,
        allowed=f"{enough:g} entries or more{'' if outcome else ' of one of them'}.",
        do="go on with the diary, rated every day.",
    )


def observe(case: Case, diary: Diary, taken: Taken, outcome: str) -> tuple[Observed, Baseline]:
    """The entries of one outcome, and the time before treatment: a week of diary, or what the case recalls."""
    rated = [(d, d.ratings[outcome]) for d in diary.days if outcome in d.ratings]
    pairs = [((d.date - taken.start).days, value) for d, value in rated]
    before = [value for day, value in pairs if day < 0]
    stated = getattr(case.spasm, _STATED[outcome])
    if before:
        text = f"{len(before)} days of diary before the first dose"
        if len(before) < decisions()["week_least"]:
            text += "; a week is asked for, so what the drug does is told less well"
        found = Baseline("diary", len(before), float(np.mean(before)), text)
    elif stated is not None:
        pairs.insert(0, (-1, stated))
        text = (
            f"no diary before the first dose. The {stated:g} that the case states is taken as one rating, "
            "recalled at a "
            "bad time: part of the fall from it is regression to the mean, not an effect"
        )
        found = Baseline("recalled", 0, float(stated), text)
    else:
        found = Baseline("none", 0, None, "nothing is known of the time before the first dose")
    assert case.spasm.cause is not None
    row = tables(case.spasm.cause)[0]["spasms0"]
    day, value = (np.array(column) for column in zip(*pairs, strict=True))
    return Observed(outcome, day, value.astype(float), row.spread or 1.0, row.value), found


# -- numbers ------------------------------------------------------------------------------------------
def _joined(chunks: list[People]) -> People:
    if len(chunks) == 1:
        return chunks[0]
    first = chunks[0]
    return People(
        {name: np.concatenate([each.outputs[name] for each in chunks]) for name in first.outputs},
        {name: np.concatenate([each.parameters[name] for each in chunks]) for name in first.parameters},
        {name: np.concatenate([each.rating[name] for each in chunks]) for name in first.rating},
        first.believing,
    )


def _benefit(found: Posterior, share: float, outcome: str, given: float | None, until: int) -> Benefit:
    helped = found.effect(until=until) >= share
    worse = update(found.people, _gaps_as_bad_days(found), found.drawn)
    return Benefit(
        round(100.0 * share, 1),
        float((found.weights * helped).sum()),
        float(helped.mean()),
        outcome,
        source_of(f"threshold {outcome}") if given is None else "as asked",
        float((worse.weights * helped).sum()),
    )


def _gaps_as_bad_days(found: Posterior) -> Observed:
    """The diary with an entry on each day without one since the first dose: the fit, worse by a rating's error."""
    seen = found.observed
    gaps = np.setdiff1d(np.arange(found.people.days), seen.day)
    mean = (found.weights[..., None] * np.stack([each.drug[:, gaps] for each in found.drawn], axis=1)).sum(
        (0, 1)
    )
    level = float((found.weights * found.given.level).sum())
    error = float(np.median(found.people.rating["rating_sd"]))
    if seen.is_count:
        filled = np.rint(np.exp(level) * mean * (1.0 + error / (SCALE / 2.0)))
    else:
        filled = np.clip(level * mean + error, 0.0, SCALE)
    day, value = np.concatenate([seen.day, gaps]), np.concatenate([seen.value, filled])
    order = np.argsort(day, kind="stable")
    return replace(seen, day=day[order], value=value[order])


def _effect(found: Posterior, until: int) -> dict[str, tuple[float, float, float]]:
    effect, weights = 100.0 * found.effect(until=until).ravel(), found.weights.ravel()
    order = np.argsort(effect)
    total = np.cumsum(weights[order])

    def at(p: float) -> float:
        return float(effect[order][min(int(np.searchsorted(total, p)), len(order) - 1)])

    prior = np.quantile(effect, (0.05, 0.5, 0.95))
    return {
        "prior": (float(prior[0]), float(prior[1]), float(prior[2])),
        "posterior": (at(0.05), at(0.5), at(0.95)),
    }


@dataclass(frozen=True)
class _Futures:
    going_on: Levels
    stopping: Levels


def _futures(
    chunks: list[People], found: Posterior, draw: Sampled, schedule: Schedule, days: int, threads: int
) -> _Futures:
    """Levels of each draw through the diary and on, with and without the drug; only people drawn are solved."""
    used, back = np.unique(draw.person, return_inverse=True)
    size = len(chunks[0])
    sides = []
    partner = np.stack(partners(found.people, PARTNERS))[draw.partner, draw.person]
    response = placebo_of(found.people, found.observed.outcome, partner)
    for each in (schedule, None):
        parts = [
            go_on(chunk.take(used[used // size == k] - size * k), each, days, threads)
            for k, chunk in enumerate(chunks)
            if (used // size == k).any()
        ]
        sides.append(levels(_joined(parts).take(back), found.observed.outcome, response))
    return _Futures(*sides)


def _ahead(
    chunks: list[People], found: Posterior, draw: Sampled, schedule: Schedule, weeks: int, outcome: str,
    threads: int, seed: int,
) -> Ahead:  # fmt: skip
    future = _futures(chunks, found, draw, schedule, weeks * WEEK, threads)
    late = draw.days >= found.people.days
    part = replace(draw, course=draw.course[:, late])
    random = np.random.default_rng([seed, 1])
    n = len(draw.person)
    error = _error_sd(found, draw)[:, None] / np.sqrt(WEEK) * random.standard_normal((n, weeks))
    sides, means = [], []
    for each in (future.going_on, future.stopping):
        x = each.drug[:, found.people.days :]
        week = expected(found, part, x).reshape(n, weeks, WEEK).mean(axis=2)
        means.append(week)
        if (
            found.observed.is_count
        ):  # a week's mean of counts, about which a negative binomial is near Gaussian
            spread = np.sqrt((week + _dispersion(found, draw)[:, None] * week**2) / WEEK)
            sides.append(np.maximum(week + spread * random.standard_normal((n, weeks)), 0.0))
        else:
            sides.append(np.clip(week + error, 0.0, SCALE))
    column = columns()[outcome]
    shown = OutcomeAhead(column.label, column.unit, *map(_quantiles, (*sides, means[0] - means[1])))
    return Ahead(outcome, tuple(range(1, weeks + 1)), {outcome: shown}, INTERVAL)


def _error_sd(found: Posterior, draw: Sampled) -> FloatArray:
    return found.people.rating["rating_sd"][draw.person]


def _dispersion(found: Posterior, draw: Sampled) -> FloatArray:
    return found.people.rating["count_dispersion"][draw.person]


def _quantiles(values: FloatArray) -> Quantiles:
    rows = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0)
    return Quantiles(*(tuple(row.tolist()) for row in (*rows, values.mean(axis=0))))


def _fit(found: Posterior, draw: Sampled, seed: int) -> Fit:
    """What one day's entry would be on each day of the diary, beside what it was."""
    random = np.random.default_rng([seed, 2])
    past = draw.days < found.people.days
    day: IntArray = draw.days[past]
    drawn = np.stack([found.drawn[p].drug[k] for k, p in zip(draw.person, draw.partner, strict=True)])
    x = np.where(day < 0, 1.0, drawn[:, np.maximum(day, 0)])
    mean = expected(found, replace(draw, course=draw.course[:, past]), x)
    if found.observed.is_count:
        k = _dispersion(found, draw)[:, None]
        one = random.negative_binomial(1.0 / k, 1.0 / (1.0 + k * mean)).astype(float)
    else:
        one = np.clip(mean + _error_sd(found, draw)[:, None] * random.standard_normal(mean.shape), 0.0, SCALE)
    low, middle, high = np.quantile(one, (0.05, 0.5, 0.95), axis=0)
    seen = dict(zip(found.observed.day.tolist(), found.observed.value.tolist(), strict=True))
    return Fit(
        tuple(day.tolist()),
        tuple(seen.get(each) for each in day.tolist()),
        tuple(low.tolist()),
        tuple(middle.tolist()),
        tuple(high.tolist()),
    )


def _written(diary: Diary, taken: Taken) -> dict[str, int]:
    """Side effects since the first dose, as written, the most frequent first."""
    days = [day.side_effects for day in diary.days if day.date >= taken.start and day.side_effects]
    return dict(Counter(days).most_common())


def _notes_of_rows(diary: Diary, taken: Taken) -> Iterator[str]:
    if diary.days[0].date == taken.start:
        yield (
            f"The diary begins with a dose, so {taken.start} counts as the first day of treatment. If treatment began "
            "before, the day of the label's rule, the doses so far and the effect are wrong: add those rows."
        )
    if early := [
        each.row
        for each in diary.left_out
        if each.date and each.date < taken.start and any(each.amounts.values())
    ]:
        yield (
            f"Row {early[0]}, which was left out, has a dose before {taken.start}, which counts as the first day of "
            "treatment: correct that row."
        )
    dosed = {day.date for day in diary.days if day.doses is not None}
    if part := len(dosed & {each.date for each in diary.left_out}):
        days = "1 day" if part == 1 else f"{part} days"
        yield f"On {days} a row was left out and another one was used: the dose of such a day is too small."
    if diary.dropped_columns:
        yield f"Columns left out as asked: {', '.join(diary.dropped_columns)}."
    if any(day.side_effects or day.note for day in diary.days):
        yield f"Alarms are found by words, in {LANGUAGES}; read what was written."


def _notes(
    case: Case,
    diary: Diary,
    what: Product,
    taken: Taken,
    baseline: Baseline,
    outcome: str,
    reliable: bool,
    more: tuple[str, ...],
) -> tuple[str, ...]:
    notes = [ONE_ARM]
    if baseline.kind == "recalled":
        notes.append(f"Baseline: {baseline.text}.")
    elif baseline.kind == "none" or baseline.days < decisions()["week_least"]:
        notes.append(f"Baseline: {baseline.text}. Keep a diary for a week before treatment.")
    notes += [*assumed(taken, what), *_notes_of_rows(diary, taken)]
    others = [name for name in RATED if name != outcome and any(name in day.ratings for day in diary.days)]
    if others:
        notes.append(
            f"Judged by {columns()[outcome].label} alone. Kept, but not used: {', '.join(others)}; on bad "
            "days they rise "
            "together, and the model would take them as independent."
        )
    if outcome not in fitted_outcomes(case.spasm.cause, case.plan.product):
        notes.append(
            "No trial of this product in this cause was fitted on for this outcome: the prior is assumed."
        )
    if not reliable:
        notes.append(
            "Few of the virtual people are like this diary (see ess and khat): the probability and the "
            "ranges are rough."
        )
    return (*notes, *more)
