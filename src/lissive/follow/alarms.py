"""What a diary says that has to be looked at, whatever the benefit: words of harm, doses over the label, the case's own
contraindications, rising use, ratings that are worse than before.

Words are searched in side effects and notes, and in all texts of a row that was left out.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from lissive.case import Case
from lissive.case.products import Product
from lissive.follow.advise import WEEK, decisions
from lissive.follow.answer import Alarm, Rule
from lissive.follow.diary import DOSED, Diary, Dose, LeftOut, columns
from lissive.follow.doses import Taken, units_of
from lissive.follow.update import Observed
from lissive.follow.words import named, watched
from lissive.safety import safety_of


def alarms(diary: Diary, taken: Taken, what: Product, case: Case) -> tuple[Alarm, ...]:
    """All alarms of a diary but that of its ratings (`of_ratings`)."""
    return (
        *of_the_case(case),
        *in_words(diary, taken.start),
        *_over_the_label(diary, taken, what, case),
        *_rising(taken),
    )


def of_the_case(case: Case) -> Iterator[Alarm]:
    """What the case itself says against its product: contraindications, and major cautions."""
    for flag in safety_of(case).flags:
        about, advice = ", ".join(flag.substances), flag.advice.rstrip(".")
        if flag.severity == "contraindicated":
            yield Alarm("contraindicated", f"contraindicated: {about}", (), advice)
        elif flag.kind == "caution" and flag.severity == "major":
            against = flag.advice.startswith(("Do not use", "Do not start"))
            yield Alarm("unsafe" if against else "caution", f"caution: {about}", (), advice)


def not_checked(case: Case) -> Iterator[str]:
    """What may speak against its product and was not looked at."""
    found = safety_of(case)
    stated = [*(each.name for each in found.unknown_drugs), *found.unchecked_conditions]
    if stated:
        yield f"Not checked, as it is in no table: {', '.join(stated)}."
    if found.decisive:
        yield f"Not stated, so that nothing here says that the product may be taken: {', '.join(found.decisive)}."


# -- words ------------------------------------------------------------------------------------------
def in_words(diary: Diary, start: datetime.date) -> Iterator[Alarm]:
    """Words of harm. Those of the week before treatment count where they speak against beginning."""
    said = [(day.date, day.rows, text) for day in diary.days for text in (day.side_effects, day.note) if text]
    said += [(_when(each, start), (each.row,), each.said) for each in diary.left_out if each.said]
    for row in watched():
        hits = [
            (date, numbers, word)
            for date, numbers, text in said
            if (date >= start or row["before"] == "yes") and (word := named(text, row["words"].split(";")))
        ]
        if hits:
            words = ", ".join(dict.fromkeys(word for _, _, word in hits))
            numbers = tuple(dict.fromkeys(number for _, mine, _ in hits for number in mine))
            days = len({date for date, _, _ in hits})
            early = ", before the first dose" if all(date < start for date, _, _ in hits) else ""
            text = f"{row['text']}{early}: {days} {'day' if days == 1 else 'days'} ({words})"
            yield Alarm(row["id"], text, tuple(sorted(numbers)), row["do"])


def _when(row: LeftOut, start: datetime.date) -> datetime.date:
    """The day of a row; with a dose in it, it is under treatment even before the first dose that could be read."""
    return start if row.date is None or any(row.amounts.values()) else row.date


# -- doses ------------------------------------------------------------------------------------------
def _over_the_label(diary: Diary, taken: Taken, what: Product, case: Case) -> Iterator[Alarm]:
    limit = what.label_limit(case.person.weight_kg)
    if limit is not None and (over := int((taken.units > limit).sum())):
        text = f"more than the label's {limit:g} a day on {over} {'day' if over == 1 else 'days'}"
        yield Alarm("above_label", text, (), "go back to the label's dose")
    high = []
    for each in diary.left_out:
        beyond = any(value > columns()[name].high for name, value in each.amounts.items())
        if beyond or (limit is not None and units_of((_dose(each),), what) > limit):
            high.append((each.row, ", ".join(f"{name} {value:g}" for name, value in each.amounts.items())))
    if high:
        text = (
            f"a row that was left out has a dose that is too high: {'; '.join(said for _, said in high[:3])}"
        )
        yield Alarm("dose_to_check", text, tuple(row for row, _ in high), "ask whether so much was taken")


def _dose(row: LeftOut) -> Dose:
    sprays, thc, cbd = (row.amounts.get(name, 0.0) for name in DOSED)
    return Dose(None, sprays, thc, cbd)


def _rising(taken: Taken) -> Iterator[Alarm]:
    """Over the two weeks before, or little by little since the two weeks after titration."""
    figure = decisions()
    first = int(figure["titration_days"])
    if taken.days < first + 2 * WEEK or taken.ended:
        return
    now = taken.units[-2 * WEEK :].mean()
    since = [("the two weeks before", taken.units[-4 * WEEK : -2 * WEEK].mean())]
    if taken.days >= first + 4 * WEEK:
        since.append(("the two weeks after titration", taken.units[first : first + 2 * WEEK].mean()))
    for when, before in since:
        if before > 0 and now >= figure["rise_share"] * before:
            text = f"rising use: {before:.1f} a day in {when}, {now:.1f} a day in the last two weeks"
            yield Alarm("rising_use", text, (), "ask why; look for tolerance, and for use beyond the symptom")
            return


# -- ratings ----------------------------------------------------------------------------------------
def of_ratings(
    observed: Observed, taken: Taken, baseline: float | None, threshold: float, rule: Rule | None
) -> Iterator[Alarm]:
    """The last week is worse than before treatment by as much as would be a benefit [%], or nothing is left of the
    fall for which the rule was met."""
    seen = observed.value[observed.day >= max(taken.days - WEEK, 0)]
    if not baseline or taken.ended or len(seen) < decisions()["week_least"]:
        return
    now, label = float(seen.mean()), columns()[observed.outcome].label
    do = "look for a relapse, an infection or another cause; do not raise the dose before"
    if now >= baseline * (1.0 + threshold / 100.0):
        yield Alarm(
            "worse", f"{label} is worse than before treatment: {baseline:.1f}, then {now:.1f}", (), do
        )
    elif rule is not None and rule.met and now >= baseline:
        text = f"nothing is left of the fall in {label}: {baseline:.1f} before treatment, {now:.1f} in the last week"
        yield Alarm("effect_lost", text, (), do)
