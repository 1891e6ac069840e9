"""The follow-up of one person: what their diary shows, what the model tells of it where it may, and the advice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from lissive.case import Case, Product, causes, product
from lissive.errors import CaseError, DiaryError, SimulationError
from lissive.follow.advise import (
    ALONE,
    NO_PLAN,
    ONE_ARM,
    PLAN,
    advise,
    change_seen,
    decisions,
    dose_now,
    rule_of,
    source_of,
)
from lissive.follow.alarms import alarms, in_words, not_checked, of_ratings, of_the_case
from lissive.follow.answer import Alarm, Baseline, Change, Fit, FollowAnswer
from lissive.follow.diary import RATED, Diary, columns
from lissive.follow.doses import Taken, assumed, taken_of, unmodelled
from lissive.follow.people import OUTCOMES
from lissive.follow.predict import predict
from lissive.follow.update import Observed
from lissive.follow.words import LANGUAGES, alarmed, beside
from lissive.forecast import calibration, complaint, fitted_outcomes
from lissive.forecast.treatment import needs
from lissive.given import threads_of, whole
from lissive.simulation.draw import tables
from lissive.version import __version__
from lissive.versions import data_versions

FOR_EACH = 4
"""Virtual people for each virtual patient of a forecast: a diary leaves about one in four of them."""
_STATED = {
    "spasms": "spasms_per_day",
    "severity": "severity_nrs",
    "spasticity_nrs": "spasticity_nrs",
    "pain_nrs": "pain_nrs",
}


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

    Of a case for which the model makes no prediction (`unpredicted`) the diary is read and checked in the same way, and
    what would rest on the model is None.

    Raises       CaseError where the plan names no product; DiaryError where the diary does not say enough.
    """
    weeks = whole("weeks", weeks, wrong=DiaryError, most=52)
    subjects = whole("subjects", subjects, wrong=SimulationError)
    seed = whole("seed", seed, wrong=SimulationError, least=0)
    threads = threads_of(threads, wrong=SimulationError)
    what, taken = _treated(case, diary)
    of_diary = alarms(diary, taken, what, case)
    judged = _judged(case, diary, taken, outcome, of_diary)
    observed, baseline = observe(case, diary, taken, judged)
    without = unpredicted(case, judged)
    if not without and (others := unmodelled(taken)):
        without = f"the diary has {' and '.join(others)}, of which there is no model"
    percent = decisions()[f"threshold {judged}"] if threshold is None else threshold
    source = source_of(f"threshold {judged}") if threshold is None else "as asked"
    told = None if without else predict(
        case, observed, taken, weeks=weeks, share=percent / 100.0, source=source, subjects=subjects, seed=seed,
        threads=threads, progress=progress,
    )  # fmt: skip
    rule = rule_of(case, observed, taken, baseline.mean, told.posterior if told else None, percent)
    seen = dict(_seen(case, diary, taken))
    alarm = (*of_diary, *of_ratings(observed, taken, baseline.mean, percent, rule))
    if without:  # no rating says more than another
        alarm += tuple(_of_the_others(case, diary, taken, set(seen) - {judged}))
    rated = int((observed.day >= 0).sum())
    fitted = told is not None and not taken.mixed
    advice, why = advise(
        taken, rated, told.benefit if told else None, rule, alarm,
        (taken.recent, what.label_limit(case.person.weight_kg)), fitted=fitted, baseline=baseline.mean,
        fall=seen[judged].fall_pct if seen[judged].entries >= decisions()["week_least"] else None, without=without,
    )  # fmt: skip
    return FollowAnswer(
        case=case.case,
        product=what.name,
        outcome=judged,
        label=columns()[judged].label,
        treated_days=taken.days,
        rated_days=rated,
        baseline=baseline,
        seen=seen,
        advice=advice,
        why=why,
        fitted=fitted and baseline.mean != 0,
        no_prediction=without or None,
        probability_benefit=told.benefit if told else None,
        effect_pct=told.effect_pct if told else None,
        rule_4_week=rule,
        dose=dose_now(case, what, taken, advice, alarm),
        forecast=told.forecast if told else None,
        fit=told.fit if told else _diary_alone(observed, taken),
        diagnostics=told.diagnostics if told else None,
        alarms=alarm,
        used=diary.used,
        left_out=diary.left_out,
        import_lines=diary.lines,
        side_effects=_written(diary, taken),
        calibrated=calibration(case.spasm.cause, what.name),
        notes=(
            ONE_ARM if told else f"{ALONE} {NO_PLAN if needs(case) else PLAN}",
            *not_checked(case),
            *_notes(diary, what, taken, baseline, judged),
            *((_ENDED,) if told and taken.until < taken.days else ()),
            *((_ROUGH,) if told and not told.diagnostics.reliable else ()),
            *(told.notes if told else ()),
        ),
        provenance={
            "lissive_version": __version__,
            "data_versions": data_versions("model"),
            "model_hash": told.model if told else None,
            "seed": seed if told else None,
            "subjects": told.diagnostics.draws if told else None,
            "diary": diary.path,
        },
    )


def unpredicted(case: Case, outcome: str) -> str:
    """Why the model makes no prediction for this rating of a case; empty where it makes one."""
    cause, what = case.spasm.cause, product(case.plan.product or "")
    if missing := needs(case):
        if missing[0].no_model:
            named = {"spasm.cause": causes().get(cause or "", ""), "plan.product": what.label}
            lacking = [f"there is no model of {named[each.field]}" for each in missing]
            return "; ".join(lacking)
        lacks = "; ".join(f"{each.field}, {each.what}" for each in missing)
        return f"the case lacks what a prediction needs: {lacks}"
    fitted = [name for name in fitted_outcomes(cause, what.name) if name in OUTCOMES]
    if outcome in fitted:
        return ""
    about = f"{what.label} in {causes()[cause or '']}"
    if not fitted:
        return f"the model was fitted on no trial of {about}"
    return (
        f"the model was fitted on trials of {about} for {' and '.join(fitted)} (--outcome), not for "
        f"{columns()[outcome].label}"
    )


# -- what is judged -----------------------------------------------------------------------------------
def _treated(case: Case, diary: Diary) -> tuple[Product, Taken]:
    """The product and what was taken of it; alarms are said even where that is not known."""
    try:
        if case.plan.product is None:
            raise CaseError(
                "The case names no product, so it is not known what the doses of the diary are.",
                where=case.case,
                do="add plan.product to the case.",
            )
        what = product(case.plan.product)
        return what, taken_of(diary, what)
    except (CaseError, DiaryError) as error:
        found = (*of_the_case(case), *in_words(diary, diary.days[0].date))
        raise beside(error, _said(found)) from None


def _said(found: tuple[Alarm, ...]) -> str:
    return alarmed((each.text, each.do) for each in found)


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
    has = ", ".join(f"{counts[name]} of {name}" for name in dict.fromkeys(wanted))
    raise DiaryError(
        f"The diary has {has} since the first dose.{diary.without}{_said(found)}",
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
    day, value = (np.array(column) for column in zip(*pairs, strict=True))
    seen = Observed(outcome, day, value.astype(float))
    if unpredicted(case, outcome):
        return seen, found
    row = tables(case.spasm.cause or "")[0]["spasms0"]
    return replace(seen, level_log_sd=row.spread or 1.0, level=row.value), found


def _seen(case: Case, diary: Diary, taken: Taken) -> Iterator[tuple[str, Change]]:
    for name in OUTCOMES:
        if any(name in day.ratings for day in diary.days):
            observed, baseline = observe(case, diary, taken, name)
            yield name, change_seen(observed, taken, baseline.mean)


def _of_the_others(case: Case, diary: Diary, taken: Taken, names: Iterable[str]) -> Iterator[Alarm]:
    for name in sorted(names):
        observed, baseline = observe(case, diary, taken, name)
        yield from of_ratings(observed, taken, baseline.mean, decisions()[f"threshold {name}"], None)


def _diary_alone(observed: Observed, taken: Taken) -> Fit:
    """The diary by day, with nothing beside it."""
    days = range(min(int(observed.day.min()), 0), taken.days)
    seen = dict(zip(observed.day.tolist(), observed.value.tolist(), strict=True))
    return Fit(tuple(days), tuple(seen.get(each) for each in days), None, None, None)


# -- what has to be known -----------------------------------------------------------------------------


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


def _notes(diary: Diary, what: Product, taken: Taken, baseline: Baseline, outcome: str) -> Iterator[str]:
    if baseline.kind == "recalled":
        yield f"Baseline: {baseline.text}."
    elif baseline.kind == "none" or baseline.days < decisions()["week_least"]:
        yield f"Baseline: {baseline.text}. Keep a diary for a week before treatment."
    yield from assumed(taken, what)
    yield from _notes_of_rows(diary, taken)
    others = [name for name in RATED if name != outcome and any(name in day.ratings for day in diary.days)]
    if others:
        yield (
            f"Judged by {columns()[outcome].label} alone. Kept, but not used: {', '.join(others)}; on bad days they "
            "rise together, so they do not count as more evidence."
        )


_ENDED = "The effect is that of the last week with the drug; the weeks ahead with it take that week's dose."
_ROUGH = "Few of the virtual people are like this diary (see ess and khat): the probability and the ranges are rough."
