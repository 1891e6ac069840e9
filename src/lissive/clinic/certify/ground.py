"""What a decision rests on: the clause of the rule in force, and each fact with who stated it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from django.db import models

from lissive import fingerprint
from lissive.access import Answer, Facts, decide, jurisdiction
from lissive.access.answer import Fired
from lissive.access.routes import said as word_of
from lissive.access.rule import DATA, Version
from lissive.clinic.models import Case, Visit
from lissive.clinic.visit.record import STAMP
from lissive.clinic.visit.standing import answer_of, facts_of, place_of
from lissive.report.words import upper_first


@cache
def rules_sha256() -> str:
    """Hash of all tables of access law, with their names: what a decision was made by."""
    files = sorted(each for each in DATA.rglob("*") if each.is_file())
    parts = (each.relative_to(DATA).as_posix().encode() + b"\0" + each.read_bytes() for each in files)
    return fingerprint.of_bytes(b"\0".join(parts), 64)


@dataclass(frozen=True)
class Ground:
    """The law of the place on a day, held against what is known of this visit."""

    facts: Facts
    answer: Answer
    version: Version | None
    """None where no rule was in force."""


def ground_of(visit: Visit, on: datetime.date) -> Ground:
    """Raises CaseError, or RuleError where the case has no place of which there are rules."""
    models.prefetch_related_objects([visit.practitioner], "credentials")
    answer = answer_of(visit, on)
    place = jurisdiction(place_of(visit))
    version = next((each for each in place.versions if each.id == answer.rule), None)
    return Ground(facts_of(visit), answer, version)


# -- the clause ------------------------------------------------------------------------------------
def clauses(found: Ground) -> list[dict[str, Any]]:
    """Each clause that is met, as it is kept with a decision; the rule itself where none is."""
    answer, version = found.answer, found.version
    common = {
        "rule": answer.rule or "",
        "rules_sha256": rules_sha256(),
        "on": answer.on.isoformat(),
        "status": answer.status,
        "checked": None if answer.checked is None else answer.checked.isoformat(),
    }
    if answer.fired:
        return [{**_clause(each), **common} for each in answer.fired]
    if version is None:
        return [{"what": f"No rule of {answer.name} is in force on that day.", **_EMPTY, **common}]
    source = version.sources[0].url if version.sources else ""
    what = {
        "what": "no clause of the rule is met",
        "quote": version.quote or "",
        "citation": version.citations[0],
        "source": source,
        "provenance": version.known("quote"),
        "node": WHOLE,
    }
    return [{**what, **common}]


WHOLE = "rule"
"""In the place of a clause: the rule as a whole, or that there is none. It is chosen in a form, so it is not empty."""
_EMPTY = {"quote": "", "citation": "", "source": "", "provenance": "recalled", "node": WHOLE}


def _clause(fired: Fired) -> dict[str, Any]:
    return {
        "what": fired.what,
        "quote": fired.quote or "",
        "citation": fired.citation,
        "source": fired.source_url or "",
        "provenance": fired.provenance,
        "node": fired.node,
    }


# -- a second practitioner -------------------------------------------------------------------------
def second_needed(found: Ground, on: datetime.date) -> str:
    """Why the law asks for a second practitioner for this person; empty where it does not."""
    against = decide(replace(found.facts, second_practitioner=False), found.answer.jurisdiction, on)
    version = found.version
    if "second_practitioner" not in against.blocks or version is None:
        return ""
    rule, age = version.second_practitioner_below, found.facts.age
    why = version.minors_caregiver or ""
    if age is not None and age >= version.minor_below and rule is not None:
        why = f"adults below {rule.age} need a second practitioner"
    doubt = "" if version.known("minors_caregiver") == "read" else " (unverified)"
    return f"{upper_first(why)}. {version.citations[0]}{doubt}."[:500]


# -- the facts -------------------------------------------------------------------------------------
STATED: Mapping[str, tuple[str, ...]] = {
    "age": ("person.age_years",),
    "resident": ("place.residence",),
    "dx": ("spasm.cause", "history.conditions"),
    "symptoms.muscle_spasms": ("spasm.spasms_per_day", "spasm.severity_nrs"),
    "symptoms.muscle_spasms.cause": ("spasm.cause",),
    "symptoms.muscle_spasms.months": ("spasm.since",),
    "symptoms.muscle_spasms.severe": ("spasm.severe",),
    "symptoms.muscle_spasms.persistent": ("spasm.persistent",),
    "symptoms.spasticity": ("spasm.spasticity_nrs",),
    "symptoms.pain": ("spasm.pain_nrs",),
}
"""A fact of the law to the fields of a case from which it comes."""


def facts_rested_on(visit: Visit, found: Ground) -> list[dict[str, Any]]:
    """The facts that the status rests on, and the diagnosis and age whatever it rests on, with who stated each."""
    names = dict.fromkeys((*found.answer.depends_on, "dx", "age"))
    return [_fact(visit, found.facts, name) for name in names]


def _fact(visit: Visit, facts: Facts, name: str) -> dict[str, Any]:
    label, value = _words(facts, name)
    return {"field": name, "label": label, "value": value, **_who(visit, name)}


def _words(facts: Facts, name: str) -> tuple[str, str]:
    """What a fact is called, and what is known of it."""
    head, _, rest = name.partition(".")
    if head == "dx":
        return "Diagnoses", ", ".join(word_of(each) for each in facts.dx) or "none stated"
    if head == "symptoms":
        symptom, _, attribute = rest.partition(".")
        one = facts.symptoms.get(symptom)
        label = upper_first(word_of(symptom))
        if not attribute:
            is_open = symptom in facts.symptoms and one is None
            return label, "not known" if is_open else _plain(symptom in facts.symptoms)
        value = getattr(one, attribute, None) if attribute in ("cause", "months") else None
        if attribute not in ("cause", "months") and one is not None:
            value = one.attributes.get(attribute)
        return f"{label}: {word_of(attribute)}", _plain(value)
    if head == "flags":
        return upper_first(word_of(rest)), _plain(facts.flags.get(rest))
    value = getattr(facts, head, None)
    return upper_first(word_of(head)), f"{value:g} years" if head == "age" and value else _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}"
    return "not known" if value is None else word_of(str(value))


def _who(visit: Visit, name: str) -> dict[str, str]:
    """Who stated it, and when: the visit's record before the case; of a case without a note of it who began it."""
    judged = visit.record.get("adjectives", {})
    if judged.get(name, {}).get("value") is not None:
        return {word: str(judged.get(word, "")) for word in STAMP}
    case = visit.case
    assert case is not None
    notes = [case.stated[field] for field in _fields(name) if field in case.stated]
    if notes:
        return max(notes, key=_at)
    return {"by": _began(case), "as": "when the case was begun", "at": case.opened.isoformat()}


def _at(note: dict[str, str]) -> str:
    return note.get("at", "")


def _fields(name: str) -> Iterator[str]:
    if name.startswith("flags."):
        yield name
    yield from STATED.get("dx" if name.startswith("dx") else name, ())


def _began(case: Case) -> str:
    return "" if case.opened_by is None else case.opened_by.shown_name
