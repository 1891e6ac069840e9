"""Other routes than the one that was decided on: those that this person meets or nearly meets."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from lissive.access.answer import Alternative, Facts, Level
from lissive.access.conditions import conditions
from lissive.access.dates import day
from lissive.access.logic import evaluate, person
from lissive.access.rule import Jurisdiction, Version
from lissive.access.say import clause_text
from lissive.access.verdict import Verdict, questions
from lissive.access.vocabulary import flags, limits

ADULT_USE = ("medical_and_adult_use", "medical_prescription_and_adult_use")


def alternatives(
    facts: Facts, place: Jurisdiction, version: Version | None, on: datetime.date, verdict: Verdict
) -> tuple[Alternative, ...]:
    """Clauses that are met beside, or would be by what may be there as well; a later rule; adult use."""
    found = [*_adult_use(facts, place, on)]
    if verdict.level < Level.E:
        found = [*_limbs(verdict), *_approvals(verdict), *_later(facts, place, on, verdict), *found]
    return tuple(found)


def _limbs(verdict: Verdict, most: Level = Level.E) -> Iterator[Alternative]:
    """Clauses on pain, or on the other of spasm and spasticity, of which the facts say nothing.

    Parameters
    ----------
    most : the level that what stands beside such a clause allows.
    """
    clause = verdict.clause
    if clause is not None and clause.kind in ("any_of", "all_of"):
        for each in verdict.children:
            beside = [other.level for other in verdict.children if other is not each]
            allowed = min(most, *beside) if clause.kind == "all_of" and beside else most
            if allowed > Level.N:
                yield from _limbs(each, allowed)
        return
    if clause is None or clause.kind != "symptom" or verdict.level is not Level.N:
        return
    plain = _plain(clause.symptom or "")
    if plain not in ("pain", "muscle_spasms", "spasticity") or not _is_absent(verdict):
        return
    needs = (f"symptoms.{clause.symptom}", *(f"flags.{name}" for name in clause.requires))
    yield Alternative(clause.symptom or "", f"If there is {clause_text(clause)}.", most.status, needs)


def _plain(word: str) -> str:
    condition = conditions().get(word)
    return condition.base if condition is not None and condition.base else word


def _is_absent(verdict: Verdict) -> bool:
    """Whether the clause failed because the symptom is not there, and not for how it is."""
    asked = list(questions(verdict))
    return any(
        each.level is Level.N and each.fact.count(".") == 1 and each.fact.startswith("symptoms.")
        for each in asked
    )


def _approvals(verdict: Verdict) -> Iterator[Alternative]:
    """Facts that count as no unless stated, and that would change the result."""
    for name in dict.fromkeys(each.fact for each in questions(verdict) if each.level is Level.N):
        flag = flags().get(name.removeprefix("flags."))
        if flag is not None and flag.absent_is_no and (reached := _turned(verdict, name)) > verdict.level:
            yield Alternative(flag.name, f"It depends on {flag.asks}.", reached.status, (name,))


def _turned(verdict: Verdict, fact: str) -> Level:
    """The level if one fact that does not hold did."""
    if verdict.op == "ask":
        return Level.E if verdict.fact == fact else verdict.level
    if not verdict.children:
        return verdict.level
    levels = [_turned(each, fact) for each in verdict.children]
    return max(levels) if verdict.op == "max" else min(levels)


def _later(facts: Facts, place: Jurisdiction, on: datetime.date, verdict: Verdict) -> Iterator[Alternative]:
    """The next version, where it begins soon and says more."""
    for version in place.versions:
        if version.begins is None or day(version.begins) <= on:
            continue
        begins = day(version.begins)
        if (begins - on).days <= limits()["next_version_days"]:
            level = evaluate(version.logic, person(facts, begins)).level
            if level > verdict.level:
                text = (
                    f"{version.id} is in force from {begins.isoformat()}: {level.status.replace('_', ' ')}."
                )
                yield Alternative("later_rule", text, level.status)
        return


def _adult_use_age(place: Jurisdiction) -> int:
    return limits()["adult_use_age"] if place.code.startswith("US-") else limits()["adult_age"]


def adult_use_begun(facts: Facts, place: Jurisdiction, on: datetime.date) -> str | None:
    """Since when adults may use it without a medical reason, in words; None where this person may not."""
    age = _adult_use_age(place)
    if facts.age is not None and facts.age < age:
        return None
    for each in place.programme_status:
        begun = each.begins is None or day(each.begins) <= on
        if begun and (each.ends is None or on <= day(each.ends)) and each.status in ADULT_USE:
            memory = "" if each.provenance == "read" else " (unverified date)"
            since = f"since {each.begins}" if each.begins else ""
            return f" at {age} or older, {since}{memory}"
    return None


def _adult_use(facts: Facts, place: Jurisdiction, on: datetime.date) -> Iterator[Alternative]:
    if (begun := adult_use_begun(facts, place, on)) is not None:
        needs = ("age",) if facts.age is None else ()
        yield Alternative(
            f"adult_use_{_adult_use_age(place)}_plus",
            f"Adult use without a medical reason{begun}.",
            None,
            needs,
        )
