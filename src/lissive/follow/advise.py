"""What follows from it: the published rule where there is one, alarms, the dose inside its limits, and the advice."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from lissive.arrays import FloatArray
from lissive.case import Case
from lissive.case.products import Product
from lissive.case_answer.tables import cited, rows
from lissive.follow.answer import Advice, Alarm, Benefit, DoseNow, Rule
from lissive.follow.diary import Day, Diary
from lissive.follow.doses import Taken
from lissive.follow.update import Observed, Posterior
from lissive.table import constants, rows_of

HERE = Path(__file__).parent
WEEK = 7
ONE_ARM = (
    "A diary without a comparison hardly tells the drug's own effect from placebo, from ups and downs, and "
    "from "
    "regression to the mean: much of this probability was there before the diary. Periods with and without "
    "the drug "
    "in random order tell more (lissive follow plan --n-of-1)."
)


def decisions() -> dict[str, float]:
    """The figures of decisions.tsv."""
    return constants(HERE / "decisions.tsv")


def source_of(name: str) -> str:
    """Where a figure of decisions.tsv comes from."""
    row = next(row for row in rows_of(HERE / "decisions.tsv") if row["name"] == name)
    known = "unverified" if "recalled" in row["provenance"] else row["provenance"]
    return known if row["source"] == "-" else f"{row['source']}; {known}"


# -- the published rule -------------------------------------------------------------------------------
def rule_of(
    case: Case, observed: Observed, taken: Taken, baseline: float | None, found: Posterior, threshold: float
) -> Rule | None:
    """The rule of the label, only where it is published: for its cause, its product and its rating."""
    row = next(
        (r for r in rows("review") if (r["cause"], r["product"]) == (case.spasm.cause, case.plan.product)),
        None,
    )
    if row is None or observed.outcome != "spasticity_nrs":
        return None
    weeks, needed = int(row["weeks"]), float(row["fall"])
    due = taken.start + datetime.timedelta(days=weeks * WEEK)
    last = weeks * WEEK
    seen = observed.value[(observed.day >= last - WEEK) & (observed.day < last)]
    fall = None
    if baseline and taken.days >= last and len(seen) >= decisions()["week_least"]:
        fall = 100.0 * (1.0 - float(seen.mean()) / baseline)
    missed = _missed(found, baseline, last, needed / 100.0, threshold / 100.0) if taken.days >= last else None
    return Rule(
        weeks,
        due.isoformat(),
        None if fall is None else round(fall, 1),
        None if fall is None else fall >= needed,
        needed,
        missed,
        cited(row["source"]),
    )


def _missed(
    found: Posterior, baseline: float | None, last: int, needed: float, threshold: float
) -> float | None:
    """Of people with the threshold's effect at the rule's week, the proportion whose fall seems smaller than needed.

    People as before the diary, with this baseline; a baseline week and the rule's week are rated daily.
    """
    if not baseline:
        return None
    part = slice(last - WEEK, last)
    x = np.stack([each.drug[:, part].mean(axis=1) for each in found.drawn], axis=1)
    responds = found.effect(until=last) >= threshold
    if not responds.any():
        return None
    days = np.concatenate([np.arange(-WEEK, 0), np.arange(last - WEEK, last)])
    average = np.kron(np.eye(2), np.full((1, WEEK), 1.0 / WEEK))
    random = np.random.default_rng(0)
    noise = np.empty((*x.shape, 2))
    answer = found.people.answer
    for k in np.unique(answer):
        figure = {name: float(value[k]) for name, value in found.people.rating.items()}
        lag = np.abs(days[:, None] - days[None])
        every = figure["course_sd"] ** 2 * np.exp(-lag / figure["course_days"])
        root = np.linalg.cholesky(
            average @ (every + figure["rating_sd"] ** 2 * np.eye(len(days))) @ average.T
        )
        mine = answer == k
        noise[mine] = random.standard_normal((int(mine.sum()), x.shape[1], 2)) @ root.T
    before, after = (
        np.clip(baseline + noise[..., 0], 0.1, 10.0),
        np.clip(baseline * x + noise[..., 1], 0.0, 10.0),
    )
    fall: FloatArray = 1.0 - after / before
    return float((fall[responds] < needed).mean())


# -- alarms -------------------------------------------------------------------------------------------
@cache
def _watched() -> tuple[dict[str, str], ...]:
    return tuple(rows_of(HERE / "alarms.tsv"))


_HARMLESS = re.compile(
    r"\s+(?:asleep|ill|back|short|behind|(?:in|of) (?:\w+ )?(?:pain|spasms?|stiffness|spasticity))\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:no|not|without|never|kein\w*)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)


def alarms(diary: Diary, taken: Taken, what: Product, case: Case) -> tuple[Alarm, ...]:
    """What the diary says that has to be looked at; words are searched in side effects and notes."""
    return tuple(_alarms(diary, taken, what, case))


def _alarms(diary: Diary, taken: Taken, what: Product, case: Case) -> Iterator[Alarm]:
    treated = [day for day in diary.days if day.date >= taken.start]
    for row in _watched():
        hits = [(day, word) for day in treated if (word := _named(day, row["words"].split(";")))]
        if hits:
            words = ", ".join(dict.fromkeys(word for _, word in hits))
            numbers = tuple(number for day, _ in hits for number in day.rows)
            text = f"{row['text']}: {len(hits)} {'day' if len(hits) == 1 else 'days'} ({words})"
            yield Alarm(row["id"], text, numbers, row["do"])
    limit = what.label_limit(case.person.weight_kg)
    if limit is not None and (over := [k for k in range(taken.days) if taken.units[k] > limit]):
        text = f"more than the label's {limit:g} a day on {len(over)} {'day' if len(over) == 1 else 'days'}"
        yield Alarm("above_label", text, (), "go back to the label's dose")
    yield from _rising(taken)


def _named(day: Day, words: list[str]) -> str:
    """The first of the words that the day has and does not deny."""
    for text in (day.side_effects, day.note):
        for word in words:
            for hit in re.finditer(rf"\b{re.escape(word)}\w*", text, re.IGNORECASE):
                if not (_DENIED.search(text[: hit.start()]) or _HARMLESS.match(text, hit.end())):
                    return hit[0].lower()
    return ""


def _rising(taken: Taken) -> Iterator[Alarm]:
    figure = decisions()
    if taken.days < figure["titration_days"] + 2 * WEEK:
        return
    before, now = taken.units[-4 * WEEK : -2 * WEEK].mean(), taken.units[-2 * WEEK :].mean()
    if before > 0 and now >= figure["rise_share"] * before:
        text = f"rising use: {before:.1f} a day, then {now:.1f} a day over the last two weeks"
        yield Alarm("rising_use", text, (), "ask why; look for tolerance, and for use beyond the symptom")


# -- advice -------------------------------------------------------------------------------------------
def stops(found: tuple[Alarm, ...]) -> bool:
    """Whether an alarm by itself means to stop."""
    stopping = {row["id"] for row in _watched() if row["stops"] == "yes"}
    return any(each.id in stopping for each in found)


def advise(
    taken: Taken,
    rated: int,
    benefit: Benefit,
    rule: Rule | None,
    found: tuple[Alarm, ...],
    dose: tuple[float, float | None],
    *,
    fitted: bool,
) -> tuple[Advice, tuple[str, ...]]:
    """The advice, and the reasons in order: alarms, then the published rule, then the probability.

    fitted : whether trials of this product in this cause were fitted on; else the probability is assumed.
    """
    figure, p = decisions(), benefit.value
    said = (
        f"probability that the drug itself takes off {benefit.threshold:g} % or more: {p:.2f} "
        f"({benefit.prior:.2f} before the diary)"
    )
    if stops(found):
        return "stop", (next(each.text for each in found), said)
    harm = [each.text for each in found if each.id in ("intoxication", "falls", "above_label")]
    if taken.days < figure["early_before"]:
        early = f"{taken.days} days of treatment; nothing is advised before {figure['early_before']:g}"
        return ("change", (*harm, early, said)) if harm else ("too_early", (early, said))
    if rule is not None and rule.met is not None:
        fall = (
            f"the rating fell {rule.fall_pct:g} % by week {rule.weeks}; the label's rule asks for "
            f"{rule.needed_pct:g} %"
        )
        if not rule.met:
            beside: tuple[str, ...] = ()
            if rule.missed_responder is not None:
                missed = round(100 * rule.missed_responder)
                beside = (
                    f"of people like this one whom the drug itself helps so much, {missed} of 100 would not meet it",
                )
            return "stop", (fall, said, *beside)
        counts_all = "the rule counts placebo, and ups and downs, with the drug"
        return ("change" if harm else "continue"), (*harm, fall, said, counts_all)
    if harm:
        return "change", (*harm, said)
    if rated < figure["rated_least"]:
        return "too_early", (f"{rated} entries during treatment; {figure['rated_least']:g} are needed", said)
    if not fitted:
        return "continue", (
            "the model cannot say whether it works: no trial of this product in this cause was fitted on for this "
            "rating, so the probability below is assumed and no ground for advice",
            "compare periods with and without the drug (lissive follow plan --n-of-1)",
        )
    if p >= figure["continue_from"]:
        return "continue", (said,)
    if p < figure["stop_below"]:
        return "stop", (said,)
    now, limit = dose
    if limit is not None and now + 1 <= limit:
        return "change", (said, "the dose is below the label's maximum")
    return "continue", (said, "neither shown nor ruled out: compare periods with and without the drug")


def dose_now(case: Case, what: Product, taken: Taken, advice: Advice, found: tuple[Alarm, ...]) -> DoseNow:
    """The dose and what may be advised of it: never more than the label's maximum."""
    unit = "sprays a day" if what.counted_in == "spray" else "mg a day"
    limit, now = what.label_limit(case.person.weight_kg), taken.recent
    if limit is None:
        text = "no label states a dose of this product: none is advised"
    elif advice == "stop":
        text = "stop; other medicines are not to be changed at the same time"
    elif now > limit:
        text = f"go back to the label's maximum of {limit:g} {unit} or less"
    elif any(each.id in ("intoxication", "falls") for each in found):
        text = "lower the dose"
    elif advice == "change":
        text = f"may be raised slowly, to {limit:g} {unit} at most, if it is well tolerated"
    else:
        text = f"keep the dose; the label's maximum is {limit:g} {unit}"
    return DoseNow(round(now, 2), unit, limit, text)
