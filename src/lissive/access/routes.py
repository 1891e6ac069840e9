"""By which routes: a rule's clauses in words, other routes beside the one decided on, and the planned product's own.

A licensed medicine is answered by its own route, a prescription, and not by the state's programme. What nobody has
read is unknown, and never "obtainable".
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from lissive.access import federal as us
from lissive.access.answer import (
    Alternative,
    Asked,
    Cited,
    Facts,
    Indication,
    Level,
    Procedural,
    Product,
    Said,
    Status,
    day,
)
from lissive.access.conditions import conditions, flags, implied, limits
from lissive.access.facts import Kind, products
from lissive.access.federal import Form, Medicine, form, medicine, medicines, origin
from lissive.access.logic import Verdict, cause_text, duration_text, evaluate, person, questions
from lissive.access.procedure import by_video as by_video_there
from lissive.access.procedure import needs_waiver
from lissive.access.rule import Clause, Jurisdiction, Version
from lissive.access.spelling import spelled


# -- clauses in words ------------------------------------------------------------------------------
def said(word: str) -> str:
    """A word of the vocabulary as one reads it.

    >>> said("multiple_sclerosis")
    'multiple sclerosis'
    """
    return spelled(word)


def clause_text(clause: Clause, verdict: Verdict | None = None) -> str:
    """What a clause asks; with the verdict, also which of several met it."""
    text = _TEXTS[clause.kind](clause)
    if verdict is not None and verdict.met and clause.kind in ("dx_any", "symptom_any", "cause_of_symptom"):
        text = (
            f"{said(verdict.met)} ({text})" if len(clause.dx_any or clause.symptom_any or "xx") > 1 else text
        )
    parts = [text]
    if clause.age_min is not None and clause.kind != "age_min":
        parts.append(f"at {clause.age_min} or older")
    if clause.requires:
        parts.append(f"requires: {', '.join(said(each) for each in clause.requires)}")
    if clause.begins:
        parts.append(f"from {clause.begins}")
    if clause.until:
        parts.append(f"until {clause.until}")
    return "; ".join(parts)


def _diagnoses(clause: Clause) -> str:
    words = [said(word) for word in clause.dx_any or ()]
    shown = ", ".join(words[:6]) + (f" and {len(words) - 6} more" if len(words) > 6 else "")
    return f"a listed diagnosis: {shown}" if len(words) > 1 else words[0]


def _symptom(clause: Clause) -> str:
    named = clause.symptom_any or (clause.symptom or "",)
    words = [said(word) for word in named if not any(word in implied([o]) for o in named if o != word)]
    parts = [" or ".join(words)]
    if clause.severity:
        parts.append(f" {clause.severity_logic} ".join(said(each) for each in clause.severity))
    if clause.cause == "none_required":
        parts.append("whatever the cause")
    elif clause.cause is not None:
        parts.append(f"caused by {cause_text(clause.cause)}")
    if how_long := duration_text(clause):
        parts.append(f"for {how_long}")
    return ", ".join(parts)


def _caused(clause: Clause) -> str:
    words = ", ".join(said(word) for word in clause.cause_of_symptom or ())
    return f"an injury or condition that has resulted in one of: {words}"


_TEXTS: dict[str, Callable[[Clause], str]] = {
    "any_of": lambda clause: "any of",
    "all_of": lambda clause: "all of",
    "dx_any": _diagnoses,
    "symptom": _symptom,
    "symptom_any": _symptom,
    "cause_of_symptom": _caused,
    "flag": lambda clause: said(clause.flag or ""),
    "discretion": lambda clause: f"the practitioner's discretion: {said(clause.discretion or '')}",
    "self_certify": lambda clause: "self-certification",
    "never": lambda clause: "no route",
    "unread": lambda clause: f"not read: {clause.unread}",
    "age_min": lambda clause: f"{clause.age_min} years or older",
}


# -- other routes ----------------------------------------------------------------------------------
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


# -- the planned product ---------------------------------------------------------------------------
YES = ("eligible", "eligible_at_discretion")


def product_verdict(
    facts: Facts,
    place: Jurisdiction,
    version: Version | None,
    on: datetime.date,
    status: Status,
    procedural: Procedural,
    blocks: tuple[str, ...] = (),
) -> Product:
    """What becomes of the product that is asked for.

    Parameters
    ----------
    status : whether the person may be certified there.
    procedural, blocks : whether the visit as stated can certify, and what stands in its way.
    """
    asked = facts.product
    if asked is None:
        return Product()
    kind = products()[asked.product]
    if kind.is_medicine:
        found = _medicine(facts, asked, place.code[:2], on)
    else:
        found = _for_this_person(_form(facts, asked, kind, place, version, on, status), procedural, blocks)
    if found.status == "obtainable":
        return found
    nearest = tuple(_nearest(facts, kind, place, version, on, status))
    return replace(found, nearest=() if procedural == "blocked" and _PERSONAL & {*blocks} else nearest)


_PERSONAL = frozenset({"residency", "guardian", "second_practitioner"})
"""Barriers of the person, and not only of the visit as it is planned."""


def _for_this_person(found: Product, procedural: Procedural, blocks: tuple[str, ...]) -> Product:
    if found.status != "obtainable" or not _PERSONAL & {*blocks}:
        return found
    if procedural == "blocked":
        why = "The programme has this form, but is not open to this person as things are stated."
        return replace(found, status="not_obtainable", route=None, why=why)
    why = f"{found.why} Whether the programme is open to this person is not known."
    return replace(found, status="unknown", why=why)


# -- licensed medicines ------------------------------------------------------------------------------
def _medicine(facts: Facts, asked: Asked, country: str, on: datetime.date) -> Product:
    row = medicine(asked.product, country, on)
    schedule = us.schedule_of(asked.product, on) if country == "US" else None
    said = schedule.schedule if schedule else None
    if row is None:
        why = f"Whether {products()[asked.product].text} is authorised there on that day was not read."
        return Product(asked.product, "unknown", "prescription", schedule=said, why=why)
    sources = (origin(row), *((us.cited(schedule),) if schedule else ()))
    found = Product(asked.product, "unknown", "prescription", schedule=said, why=row.text, sources=sources)
    if row.status in ("not_authorised", "not_marketed"):
        bare: Indication | None = "none" if row.status == "not_authorised" else None
        return replace(found, status="not_obtainable", route=None, indication=bare, by_video="no")
    indication = _indication(facts, row, on)
    if row.provenance != "read" or row.status == "not_read":
        return replace(found, indication=indication)
    video, until, by = _prescribed_by_video(said, on) if country == "US" else ("unknown", None, ())
    found = replace(found, indication=indication, by_video=video, until=until, sources=(*sources, *by))
    if indication == "labelled" or row.off_label is True:
        return replace(found, status="obtainable")
    return replace(found, why=f"{row.text} {_NOT_LABELLED[indication]}")


_NOT_LABELLED: Mapping[str | None, str] = {
    "off_label": "The label does not cover this person, and whether it may be prescribed beyond it was not read.",
    None: "Whether the label covers this person is not known from the facts.",
}


def _indication(facts: Facts, row: Medicine, on: datetime.date) -> Indication | None:
    if row.label is None:
        return None
    level = evaluate(medicines().labels[row.label], person(facts, on)).level
    return "labelled" if level is Level.E else "off_label" if level is Level.N else None


def _prescribed_by_video(
    schedule: str | None, on: datetime.date
) -> tuple[Said, datetime.date | None, tuple[Cited, ...]]:
    """By federal law; a medicine on no schedule is left to the state, which was not read."""
    if schedule in (None, "none", "I"):
        return "unknown", None, ()
    said, rule = us.by_video(on)
    until = datetime.date.fromisoformat(rule.ends) if rule is not None and rule.ends else None
    return said, until, (us.cited(rule),) if rule is not None else ()


# -- products of a programme ---------------------------------------------------------------------------
def _form(
    facts: Facts,
    asked: Asked,
    kind: Kind,
    place: Jurisdiction,
    version: Version | None,
    on: datetime.date,
    status: Status,
) -> Product:
    none = version is None or version.logic.kind == "never"
    row = None if none else form(place.code, kind.form, on)
    schedule = us.schedule_of(us.ADULT if none else us.STATE, on) if place.code.startswith("US-") else None
    video = _certified_by_video(facts, version, on) if version is not None else "unknown"
    sources = (*((row.source,) if row else ()), *((us.cited(schedule),) if schedule else ()))
    base = Product(
        asked.product,
        "unknown",
        "programme",
        "none",
        schedule.schedule if schedule else None,
        video,
        sources=sources,
    )
    if none or status == "not_eligible":
        return _by_adult_use(facts, base, place, on)
    if row is None:
        return replace(base, why=f"Which forms the programme has on that day was not read: {kind.text}.")
    if (barred := _barred(facts, asked, kind, row)) is not None:
        return replace(base, status="not_obtainable", route=None, by_video="no", why=barred)
    if row.source.provenance != "read":
        return replace(base, why=f"{_sentence(row.note)} That is unverified.")
    if row.age_min is not None and facts.age is None:
        return replace(base, why=f"It depends on the age: {row.age_min} or older.")
    if row.thc_max_mg is not None and asked.thc_mg is None:
        note = f"{_sentence(row.note)} How much THC a dose has is not stated."
    else:
        note = _sentence(row.note)
    if status not in YES:
        return replace(
            base, why=f"The programme has this form, but whether the person qualifies is not known. {note}"
        )
    return replace(base, status="obtainable", why=f"The programme has this form: {kind.text}. {note}")


def _barred(facts: Facts, asked: Asked, kind: Kind, row: Form) -> str | None:
    """Why it cannot be had, or None."""
    if not row.allowed and row.source.provenance == "read":
        return f"The programme has no {kind.text}. {_sentence(row.note)}"
    if not row.allowed:
        return None
    if row.age_min is not None and facts.age is not None and facts.age < row.age_min:
        return f"Only at {row.age_min} or older. {_sentence(row.note)}"
    if row.thc_max_mg is not None and asked.thc_mg is not None and asked.thc_mg > row.thc_max_mg:
        return (
            f"{asked.thc_mg:g} mg THC is more than the limit of {row.thc_max_mg:g} mg. {_sentence(row.note)}"
        )
    return None


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:]}."


def _by_adult_use(facts: Facts, base: Product, place: Jurisdiction, on: datetime.date) -> Product:
    """No programme for this person; where adult use is lawful, whether it can be bought was not read."""
    begun = adult_use_begun(facts, place, on)
    if begun is None:
        why = "The programme is not open to this person on that day."
        return replace(base, status="not_obtainable", route=None, by_video="no", why=why)
    why = f"Not by the programme. Adult use is lawful{begun}; whether this form is sold was not read."
    schedule = us.schedule_of(us.ADULT, on) if place.code.startswith("US-") else None
    return replace(
        base, route="adult_use", by_video="unknown", why=why, schedule=schedule.schedule if schedule else None
    )


def _certified_by_video(facts: Facts, version: Version, on: datetime.date) -> Said:
    renewal = facts.initial is False
    allowed = by_video_there(version, on, renewal=renewal)
    if version.known("telehealth") == "recalled":
        return "unknown"
    if allowed and not renewal:
        allowed = needs_waiver(facts, version)
    return "unknown" if allowed is None else "yes" if allowed else "no"


def _nearest(
    facts: Facts, kind: Kind, place: Jurisdiction, version: Version | None, on: datetime.date, status: Status
) -> Iterator[str]:
    """What can be had instead, the nearest first."""
    for name in kind.nearest:
        other = products()[name]
        asked = Asked(name)
        if other.is_medicine:
            found = _medicine(facts, asked, place.code[:2], on)
        else:
            found = _form(facts, asked, other, place, version, on, status)
        if found.status == "obtainable":
            yield name
