"""How a visit stands before the law: the facts of its case and of the visit itself, and what blocks a signature.

All that is peculiar to a place is data of `lissive.access`; nothing here names one.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.utils import timezone

from lissive.access import Answer, Facts, Symptom, decide, facts_of_case, jurisdiction
from lissive.case import Case, make_case
from lissive.case_answer.bottom_line import to_settle
from lissive.clinic.dates.asked import open_fields
from lissive.clinic.forms import age_on, day_text, place_text
from lissive.clinic.models import Credential, Decision, Practitioner, User, Visit, VisitKind
from lissive.clinic.visit.law import (
    Clause,
    asks_pregnancy,
    block_words,
    clause_of,
    credentials_on,
    is_adjective,
    is_judged,
    is_lookup_duty,
    question_of,
    rule_on,
)
from lissive.clinic.visit.record import DOCUMENTS, corrections, kind_of, said
from lissive.clinic.visit.record import standing as still_said
from lissive.clinic.zones import clock_text
from lissive.errors import CaseError, RuleError
from lissive.safety import safety_of
from lissive.safety.answer import Flag


@dataclass(frozen=True)
class Block:
    """One reason why a visit cannot go on to a signature, as a sentence with its clause."""

    why: str
    clause: str = ""
    source: str = ""
    part: str = ""
    """Of the record, where it is settled; or case, credentials, decision, second."""
    is_open: bool = False
    """It is still to be done or asked in the visit; else it stands against the visit as it is."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


# -- the facts -------------------------------------------------------------------------------------
def stated_in(visit: Visit, part: str, name: str) -> str:
    """A word of the case as it is kept, also of one that this version cannot read; empty where there is none."""
    inside = visit.case.data.get(part) if visit.case else None
    word = inside.get(name) if isinstance(inside, Mapping) else None
    return word if isinstance(word, str) else ""


def residence_of(visit: Visit) -> str:
    """Where the patient lives, by the case, else by the patient's details."""
    return stated_in(visit, "place", "residence") or visit.patient.residence or ""


def place_of(visit: Visit) -> str:
    """Where it is certified: where the patient lives, or the programme that a visitor asks for."""
    return str(said(visit, "programme").get("code") or residence_of(visit))


def law_of(visit: Visit) -> str:
    """The same, where there are tables of its law; else empty."""
    try:
        return jurisdiction(place_of(visit)).code
    except RuleError:
        return ""


def where_of(visit: Visit) -> str:
    """Where the patient is during the visit, as recorded, or as stated before."""
    return str(said(visit, "place").get("code") or visit.place or "")


def decision_of(visit: Visit) -> Decision | None:
    return getattr(visit, "decision", None)


def facts_of(visit: Visit) -> Facts:
    """What is known of the person and of this visit. Raises CaseError where this version cannot read the case."""
    assert visit.case is not None
    residence, second = residence_of(visit), decision_of(visit)
    facts = facts_of_case(make_case(visit.case.data), away=bool(residence) and place_of(visit) != residence)
    place = place_of(visit)
    holds = {each for each in ("specialty", "waiver") if current(visit.practitioner, each, place, visit.day)}
    return replace(
        _judged(facts, still_said(visit, "adjectives")),
        age=age_on(visit.patient.born, visit.day),
        practitioner=visit.practitioner.profession,
        visit=kind_of(visit),
        initial=visit.renews_id is None,
        # what is not on record is not known: it never becomes a no
        specialty=True if "specialty" in holds else None,
        waiver=True if "waiver" in holds else None,
        guardian=said(visit, "minor").get("guardian_present"),
        visitor_card=said(visit, "programme").get("home_card"),
        second_practitioner=None if second is None else second.second_agrees,
    )


def _judged(facts: Facts, judged: Mapping[str, Any]) -> Facts:
    """With what the practitioner judged in the visit."""
    symptoms, flags = dict(facts.symptoms), dict(facts.flags)
    for fact, one in judged.items():
        part, _, name = fact.partition(".")
        value = one.get("value")
        if value is None:
            continue
        if part == "flags":
            flags[name] = value
            continue
        symptom, _, adjective = name.partition(".")
        known = symptoms.get(symptom)
        if adjective and (known is not None or value):
            known = known or Symptom()
            symptoms[symptom] = replace(known, attributes={**known.attributes, adjective: value})
        elif not adjective and value:
            symptoms[symptom] = known or Symptom()
        elif not adjective:
            symptoms.pop(symptom, None)
    return replace(facts, symptoms=symptoms, flags=flags)


def answer_of(visit: Visit, on: datetime.date) -> Answer:
    """What the law of the place says of this visit on that day. Raises RuleError where there is no such place."""
    return decide(facts_of(visit), jurisdiction(place_of(visit)).code, on)


# -- credentials -----------------------------------------------------------------------------------
def held(practitioner: Practitioner, kind: str, place: str) -> list[Credential]:
    """Credentials of a kind that hold at a place; of a licence the place must be named."""
    places = (place,) if kind == Credential.Kind.LICENCE else ("", place)
    return [each for each in practitioner.credentials.all() if each.kind == kind and each.place in places]


def current(practitioner: Practitioner, kind: str, place: str, on: datetime.date) -> Credential | None:
    """One that holds there on that day; of those that say how long, the longest."""
    may_be = [each for each in held(practitioner, kind, place) if _holds(each, on)]
    return max(may_be, key=lambda each: each.expires or datetime.date.max, default=None)


MUST_END = (Credential.Kind.LICENCE, Credential.Kind.CONTROLLED)
"""What always runs out: without its day it is not known to hold."""


def _holds(one: Credential, on: datetime.date) -> bool:
    if one.issued is not None and one.issued > on:
        return False
    return one.kind not in MUST_END if one.expires is None else one.expires >= on


def _credential(practitioner: Practitioner, kind: str, place: str, on: datetime.date) -> str:
    """What is wrong with a credential there on that day, as a sentence; empty where one holds."""
    if current(practitioner, kind, place, on):
        return ""
    name = Credential.Kind(kind).label.partition(" (")[0]
    what = f"{name[:1].lower()}{name[1:]}"
    ended = [each for each in held(practitioner, kind, place) if each.expires and each.expires < on]
    there = place_text(place)
    if ended:
        last = max(each.expires for each in ended if each.expires)
        return f"The {what} of {practitioner.name} for {there} expired on {day_text(last)}."
    if any(each.expires is None for each in held(practitioner, kind, place)):
        return f"The {what} of {practitioner.name} for {there} has no day of expiry on record."
    if held(practitioner, kind, place):
        return f"The {what} of {practitioner.name} for {there} is not in force yet."
    return f"{practitioner.name} has no {what} for {there} on record."


def second_lacks(user: User, visit: Visit, on: datetime.date) -> str:
    """Why this user cannot be the second practitioner there on that day, as a sentence; empty where they can."""
    who = Practitioner.objects.filter(user=user).prefetch_related("credentials").first()
    if who is None:
        return f"{user.shown_name} is not on the list of practitioners, with a licence on record."
    return _credential(who, Credential.Kind.LICENCE, jurisdiction(place_of(visit)).code, on)


def _lacks(visit: Visit, kind: str, place: str, on: datetime.date) -> str:
    """What is wrong with a credential on that day, or was on the day of a visit that is not signed yet."""
    why = _credential(visit.practitioner, kind, place, on)
    if why or visit.day == on or visit.status == Visit.Status.DONE:
        return why
    then = _credential(visit.practitioner, kind, place, visit.day)
    return f"On the day of the visit, {day_text(visit.day)}: {then}" if then else ""


def _credentials(visit: Visit, place: str, on: datetime.date) -> Iterator[Block]:
    where, licence = where_of(visit), Credential.Kind.LICENCE
    clause = clause_of(place, on, "who")
    if why := _lacks(visit, licence, place, on):
        yield Block(why, clause.text, clause.source, "credentials")
    if where and where != place and (why := _lacks(visit, licence, where, on)):
        yield Block(f"The patient is in {place_text(where)} during the visit. {why}", part="place")
    for kind, asked in credentials_on(place, on).items():
        if why := _lacks(visit, kind, place, on):
            yield Block(why, asked.text, asked.source, "credentials")


# -- what blocks -----------------------------------------------------------------------------------
def blocks_of(visit: Visit, on: datetime.date) -> tuple[Block, ...]:
    """Every reason why this visit cannot be certified on that day, what stands against it first."""
    found: dict[str, Block] = {}
    try:
        for each in _blocks(visit, on):
            found.setdefault(each.why, each)
    except CaseError as error:
        found[""] = Block(f"This version cannot read the case. {error}", part="case")
    except RuleError as error:
        found[""] = Block(f"The law of the place is not known here. {error}", part="case")
    return tuple(sorted(found.values(), key=lambda each: each.is_open))


def stands_against(visit: Visit, on: datetime.date) -> tuple[Block, ...]:
    """Those that nothing within the visit settles."""
    return tuple(each for each in blocks_of(visit, on) if not each.is_open)


def _blocks(visit: Visit, on: datetime.date) -> Iterator[Block]:
    if visit.case is None:
        yield Block(
            "There is no case yet: the intake or the practitioner begins one.", part="case", is_open=True
        )
        return
    place = place_of(visit)
    if not place:
        yield Block("Where the patient lives is not known: it decides which law applies.", part="case")
        return
    answer = answer_of(visit, on)
    yield from _law(visit, answer, on)
    yield from _credentials(visit, answer.jurisdiction, on)
    yield from _identity(visit, on)
    if not said(visit, "place").get("code"):
        yield Block(
            "Where the patient is during the visit has not been recorded.", part="place", is_open=True
        )
    yield from _corrected(visit)
    yield from _record(visit, answer, on)
    if visit.renews is not None and (left := len(open_fields(visit.case, visit.renews.case))):
        what = "1 question of the renewal is" if left == 1 else f"{left} questions of the renewal are"
        yield Block(f"{what} open: what changed since the last certificate.", part="renewal", is_open=True)


def _law(visit: Visit, answer: Answer, on: datetime.date) -> Iterator[Block]:
    """Who is not eligible, what is not known of that, and what the visit and the practitioner lack."""
    place, name = answer.jurisdiction, answer.name
    if answer.status == "not_eligible" and "no_programme" not in answer.blocks:
        clause = clause_of(place, on, "rule")
        yield Block(
            f"On the facts so far, the law of {name} does not cover it.", clause.text, clause.source, "case"
        )
    if answer.status == "unknown":
        yield from _unknown(visit, answer, on)
    for word in answer.blocks:
        if word == "paediatrician" and "pediatr" in visit.practitioner.specialty.lower().replace("ae", "e"):
            continue
        row = block_words().get(word)
        if row is None:
            yield Block(f"The rule of {name} is not met: {word.replace('_', ' ')}.")
            continue
        by = VisitKind(kind_of(visit)).label.lower()
        why = row["why"].format(place=name, visit=by, profession=visit.practitioner.profession)
        clause = clause_of(place, on, row["step"])
        is_open = row["is_open"] == "yes" and answer.procedural == "unknown"
        yield Block(why, clause.text, clause.source, row["part"], is_open)
    if answer.procedural != "ok" and not answer.blocks:
        yield Block(f"It is not known whether this visit is enough in {name}.")


def _unknown(visit: Visit, answer: Answer, on: datetime.date) -> Iterator[Block]:
    clause = clause_of(answer.jurisdiction, on, "rule")
    for each in answer.missing:
        part = "adjectives" if is_judged(each.fact) else "case"
        yield Block(f"Still to be found out: {each.asks}.", clause.text, clause.source, part, is_open=True)
    if not answer.missing:
        doubts = " ".join(each.text for each in answer.cautions)
        yield Block(f"The tables do not say whether the law of {answer.name} covers it. {doubts}".strip())


def to_handle(case: Case) -> list[Flag]:
    """What safety says of the case that has to be handled before a signature."""
    found = safety_of(case)
    return [*found.worst("contraindicated"), *to_settle(found)]


def _identity(visit: Visit, on: datetime.date) -> Iterator[Block]:
    one = said(visit, "identity")
    if one.get("matched") is None:
        yield Block("The patient's identity has not been checked.", part="identity", is_open=True)
        return
    if not one["matched"]:
        yield Block("The document does not match the person.", part="identity")
    if one.get("expires") and datetime.date.fromisoformat(one["expires"]) < visit.day:
        day = day_text(datetime.date.fromisoformat(one["expires"]))
        yield Block(
            f"{DOCUMENTS.get(one.get('document', ''), 'Document')}: it expired on {day}.", part="identity"
        )


def unread(visit: Visit) -> list[dict[str, Any]]:
    """Corrections of the patient's answers that the practitioner has not read."""
    return corrections(visit)[int(said(visit, "corrections").get("read") or 0) :]


def to_compare(visit: Visit) -> list[str]:
    """What the patient answers otherwise than the case has it, as questions; until a practitioner has compared them."""
    from lissive.clinic.intake.done import differences

    intake = getattr(visit, "intake", None)
    sent = 0 if intake is None or not intake.done else max(1, len(intake.sent))
    if int(said(visit, "corrections").get("compared") or 0) >= sent:
        return []
    return [each.ask for each in differences(visit) if each.can_take]


def _corrected(visit: Visit) -> Iterator[Block]:
    if asks := to_compare(visit):
        words = ", ".join(f"“{each}”" for each in asks)
        why = f"The patient answers otherwise than the case has it: {words}. Compare the two."
        yield Block(why, part="answers", is_open=True)
    if new := unread(visit):
        at = timezone.localtime(datetime.datetime.fromisoformat(new[-1]["at"]))
        why = f"The patient corrected answers on {day_text(at.date())}, {clock_text(at)}: read what changed."
        yield Block(why, part="corrections", is_open=True)
    decision = decision_of(visit)
    changed = [datetime.datetime.fromisoformat(each["at"]) for each in corrections(visit) if each["changed"]]
    if decision is not None and changed and decision.at < changed[-1]:
        why = "The decision was made before the patient corrected answers: decide again."
        yield Block(why, part="decision", is_open=True)


def _record(visit: Visit, answer: Answer, on: datetime.date) -> Iterator[Block]:
    """What has to be in the record before a signature."""
    assert visit.case is not None
    place, facts = answer.jurisdiction, facts_of(visit)
    rule = rule_on(place, on)

    def to_do(why: str, part: str, clause: Clause | None = None) -> Block:
        clause = clause or Clause()
        return Block(why, clause.text, clause.source, part, is_open=True)

    pmp, is_duty = said(visit, "pmp"), is_lookup_duty(place, on)
    if not pmp.get("finding") and (not pmp or pmp.get("duty") == "duty") and is_duty:
        why = "The prescription monitoring programme has not been looked into."
        yield to_do(why, "pmp", clause_of(place, on, "pmp"))
    for fact in answer.depends_on:  # that there is a symptom the case says; what it is like, the practitioner
        if is_adjective(fact) and still_said(visit, "adjectives").get(fact, {}).get("value") is None:
            clause = clause_of(place, on, "rule")
            yield to_do(f"Still to be judged: {question_of(fact)}.", "adjectives", clause)
    handled = still_said(visit, "safety")
    for flag in to_handle(make_case(visit.case.data)):
        if flag.id not in handled:
            yield to_do(f"Safety, not handled yet: {flag.short or ' + '.join(flag.substances)}.", "safety")
    if not (found := still_said(visit, "findings")).get("text") or not found.get("diagnosis"):
        yield to_do("Findings and diagnosis are not written down.", "findings")
    if (
        visit.patient.sex != "male"
        and (asked := asks_pregnancy(place, on))
        and not still_said(visit, "pregnancy")
    ):
        yield to_do("Whether the patient is pregnant is not recorded.", "pregnancy", asked)
    is_minor = rule is not None and facts.age is not None and facts.age < rule.minor_below
    capacity = said(visit, "capacity").get("has")
    if capacity is False and said(visit, "minor").get("guardian_present") is not True:
        yield Block("The patient cannot consent, and nobody is there who acts for them.", part="minor")
    if capacity is None and not is_minor:
        yield to_do("Whether the patient can consent is not recorded.", "capacity")
    decision = decision_of(visit)
    if decision is None or not decision.second_needed:
        return
    if decision.second_agrees is not True or decision.second_by is None:
        does_not = decision.second_agrees is False
        why = "The second practitioner does not agree." if does_not else "A second practitioner has to agree."
        yield Block(why, part="second", is_open=not does_not)
    elif why := second_lacks(decision.second_by, visit, on):
        yield Block(f"The second practitioner agreed. {why}", part="second")
