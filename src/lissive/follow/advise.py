"""What follows from it: the published rule where there is one, alarms, the dose inside its limits, and the advice."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lissive.arrays import FloatArray
from lissive.case import Case
from lissive.case.products import Product
from lissive.case_answer.tables import cited, rows
from lissive.follow.answer import Advice, Alarm, Benefit, Change, DoseNow, Rule
from lissive.follow.diary import columns
from lissive.follow.doses import Taken
from lissive.follow.update import Observed, Posterior
from lissive.follow.words import watched
from lissive.table import constants, rows_of

HERE = Path(__file__).parent
WEEK = 7
PLAN = "Periods with and without the drug in random order tell more (lissive follow plan --n-of-1)."
NO_PLAN = (
    "Periods with and without the drug in random order would tell more; how long the drug is still felt after it was "
    "stopped is not known here, so agree on them with the prescriber."
)
ONE_ARM = (
    "A diary without a comparison hardly tells the drug's own effect from placebo, from ups and downs, and from "
    f"regression to the mean: much of this probability was there before the diary. {PLAN}"
)
ALONE = "A diary alone cannot tell the drug from placebo, from ups and downs, or from time."


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
    case: Case,
    observed: Observed,
    taken: Taken,
    baseline: float | None,
    found: Posterior | None,
    threshold: float,
) -> Rule | None:
    """The rule of the label, only where it is published: for its cause, its product and its rating.

    found : None where the model makes no prediction; then it is not told how often the rule misses a responder.
    """
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
    is_due = taken.days >= last
    unchecked = _unchecked(taken, baseline, len(seen), last) if is_due else ""
    fall = None
    if baseline and is_due and not unchecked:
        fall = 100.0 * (1.0 - float(seen.mean()) / baseline)
    return Rule(
        weeks,
        due.isoformat(),
        None if fall is None else round(fall, 1),
        None if fall is None else fall >= needed,
        needed,
        _missed(found, baseline, last, needed / 100.0, threshold / 100.0) if is_due and found else None,
        cited(row["source"]),
        unchecked,
    )


def _unchecked(taken: Taken, baseline: float | None, entries: int, last: int) -> str:
    """Why the rule of the week before day `last` cannot be checked; empty where it can."""
    least, week = decisions()["week_least"], slice(last - WEEK, last)
    if baseline is None:
        return "nothing is known of the time before the first dose"
    if baseline == 0:
        return "the rating was 0 before treatment and cannot fall"
    if any(taken.others[week.start : last]):
        return "another product was taken in that week"
    if not taken.treated[week].all():
        return "in that week, or part of it, no dose had been taken for a week or more"
    return f"that week has {entries} of the {least:g} entries that are needed" if entries < least else ""


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


# -- what the diary shows by itself -------------------------------------------------------------------
def change_seen(observed: Observed, taken: Taken, baseline: float | None) -> Change:
    """Means of one rating, with nothing said of why they differ."""
    day, value = observed.day, observed.value
    week = value[(day >= max(taken.days - WEEK, 0)) & (day < taken.days)]
    now = float(week.mean()) if len(week) else None
    since = (day >= 0) & (day < taken.days)
    off = taken.treated[day[since]] == 0.0
    sides = [value[since][part] for part in (off, ~off)] if off.any() and not off.all() else []
    return Change(
        columns()[observed.outcome].label,
        baseline,
        now,
        len(week),
        100.0 * (1.0 - now / baseline) if baseline and now is not None else None,
        tuple((float(each.mean()), len(each)) for each in sides) or None,
    )


# -- advice -------------------------------------------------------------------------------------------
def stops(found: tuple[Alarm, ...]) -> bool:
    """Whether an alarm by itself means to stop."""
    stopping = {row["id"] for row in watched() if row["stops"] == "yes"} | {"contraindicated"}
    return any(each.id in stopping for each in found)


HARM = ("unsafe", "pregnancy", "intoxication", "falls", "above_label", "worse", "effect_lost")
"""Alarms that ask for a change of the dose or the plan."""


def change_of(before: float, now: float) -> str:
    """
    >>> change_of(8.0, 6.0), change_of(5.0, 6.0), change_of(5.0, 5.0)
    ('fell 25 %', 'rose 20 %', 'did not change')
    """
    pct = round(100.0 * (1.0 - now / before), 1)
    return f"fell {pct:g} %" if pct > 0 else f"rose {-pct:g} %" if pct < 0 else "did not change"


def advise(
    taken: Taken,
    rated: int,
    benefit: Benefit | None,
    rule: Rule | None,
    found: tuple[Alarm, ...],
    dose: tuple[float, float | None],
    *,
    fitted: bool,
    baseline: float | None = None,
    fall: float | None = None,
    without: str = "",
) -> tuple[Advice, tuple[str, ...]]:
    """The advice, and the reasons in order: alarms, then the published rule, then the probability.

    benefit : None where the model makes no prediction; `without` says why.
    fitted : whether the probability may decide: trials of this product in this cause were fitted, no other was taken.
    baseline : mean before treatment; None where unknown.
    fall : of the rating from then to the last week [%], whatever it came from; None where unknown.
    """
    figure = decisions()
    if stops(found):
        return "stop", (*(each.text for each in found if stops((each,))), *_probability(benefit, ()))
    harm = [each.text for each in found if each.id in HARM]
    said = _probability(benefit, [each.text for each in found if each.id not in HARM])
    if taken.ended:
        off = f"no dose was taken on the last {taken.ended} days: whether to begin again is a new decision"
        return "change", (*harm, off, *said)
    if taken.days < figure["early_before"]:
        early = f"{taken.days} days of treatment; nothing is advised before {figure['early_before']:g}"
        return ("change", (*harm, early, *said)) if harm else ("too_early", (early, *said))
    if rule is not None and rule.met is not None:
        return _by_the_rule(rule, harm, said, mixed=taken.mixed)
    unchecked = (f"the label's rule cannot be checked: {rule.unchecked}",) if rule and rule.unchecked else ()
    if harm:
        return "change", (*harm, *unchecked, *said)
    if rated < figure["rated_least"]:
        return "too_early", (f"{rated} entries during treatment; {figure['rated_least']:g} are needed", *said)
    if benefit is None or not fitted or baseline == 0:
        others = [each.text for each in found]
        return "cannot_say", (*_cannot_say(taken, baseline, without), *unchecked, *others, COMPARE)
    p = benefit.value
    if p >= figure["continue_from"]:
        return "continue", (*unchecked, *said)
    if p < figure["stop_below"]:
        return "stop", (*unchecked, *said)
    if fall is not None and fall >= figure["response"]:
        responds = f"the rating fell {fall:.0f} %, a response as trials count it: the dose is not raised then"
        return "continue", (*unchecked, responds, *said, f"neither shown nor ruled out: {COMPARE}")
    now, limit = dose
    if limit is not None and now + 1 <= limit and not found and not any(taken.others[-WEEK:]):
        return "change", (*unchecked, *said, "the dose is below the label's maximum")
    return "continue", (*unchecked, *said, f"neither shown nor ruled out: {COMPARE}")


COMPARE = "compare periods with and without the drug"


def _probability(benefit: Benefit | None, more: Sequence[str]) -> tuple[str, ...]:
    """The probability, where there is one, with other alarms in the same sentence."""
    if benefit is None:
        return tuple(more)
    p = (
        f"probability that the drug itself takes off {benefit.threshold:g} % or more: {benefit.value:.2f} "
        f"({benefit.prior:.2f} before the diary)"
    )
    return ("; ".join([p, *more]),)


def _cannot_say(taken: Taken, baseline: float | None, without: str) -> Iterator[str]:
    if without:
        yield f"no prediction by the model: {without}"
        yield f"{ALONE[0].lower()}{ALONE[1:].rstrip('.')}"
    elif taken.mixed:
        yield (
            "another product was taken too: no trial of that was fitted, so the probability below is no ground for "
            "advice"
        )
    if baseline == 0:
        yield "the rating was 0 before treatment, so it cannot show a benefit: judge by another one (--outcome)"


def _by_the_rule(
    rule: Rule, harm: list[str], said: tuple[str, ...], *, mixed: bool
) -> tuple[Advice, tuple[str, ...]]:
    assert rule.fall_pct is not None
    fall = f"the rating {change_of(100.0, 100.0 - rule.fall_pct)} by week {rule.weeks}; the label's rule asks for "
    fall += f"a fall of {rule.needed_pct:g} %"
    if not rule.met:
        beside: tuple[str, ...] = ()
        if rule.missed_responder is not None:
            missed = round(100 * rule.missed_responder)
            beside = (
                f"of people like this one whom the drug itself helps so much, {missed} of 100 would not meet it",
            )
        return "stop", (*harm, fall, *said, *beside)
    counts_all = "the rule counts placebo, and ups and downs, with the drug"
    if mixed:
        counts_all += "; another product was taken too"
    return ("change" if harm else "cannot_say" if mixed else "continue"), (*harm, fall, *said, counts_all)


def dose_now(case: Case, what: Product, taken: Taken, advice: Advice, found: tuple[Alarm, ...]) -> DoseNow:
    """The dose and what may be advised of it: never more than the label's maximum."""
    unit = "sprays a day" if what.counted_in == "spray" else "mg a day"
    limit, now = what.label_limit(case.person.weight_kg), taken.recent
    ids = {each.id for each in found}
    if taken.ended:
        text = f"none was taken on the last {taken.ended} days; to begin again, as at the first time"
    elif advice == "stop":
        text = "stop; other medicines are not to be changed at the same time"
    elif limit is not None and now > limit:
        text = f"go back to the label's maximum of {limit:g} {unit} or less"
    elif ids & {"intoxication", "falls"}:
        text = "lower the dose"
    elif any(taken.others[-WEEK:]):
        text = "another product than the case's is taken: none is advised"
    elif limit is None:
        text = "no dose of a label is known here for this product: none is advised"
    elif advice == "change" and not found:
        text = f"may be raised slowly, to {limit:g} {unit} at most, if it is well tolerated"
    elif advice in ("change", "cannot_say"):
        text = f"do not raise the dose; the label's maximum is {limit:g} {unit}"
    else:
        text = f"keep the dose; the label's maximum is {limit:g} {unit}"
    return DoseNow(round(now, 2), unit, limit, text, taken.ended)
