"""The other question: may this visit certify it? Kind of visit, kind of practitioner, residence.

What is still open, as a visit that is not yet arranged, blocks nothing: what it then has to keep to is a
requirement. What is stated is held against the rule; where the rule is not known, so is the answer. A rule in words
that no clause decides (of a minor or who may be one, of a visitor, a waiver, a speciality) makes it unknown, never ok.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lissive.access.answer import Facts, Procedural
from lissive.access.dates import has_begun
from lissive.access.rule import Practitioner, Version
from lissive.access.vocabulary import limits

BLOCKED: Literal["blocked"] = "blocked"
UNKNOWN: Literal["unknown"] = "unknown"


@dataclass(frozen=True)
class Procedure:
    """Whether the visit can certify, what stands in its way, and what it has to keep to."""

    procedural: Procedural
    blocks: tuple[str, ...]
    requirements: tuple[str, ...]
    recalled: tuple[str, ...]
    """Unverified fields on which a block rests."""


Check = tuple[Procedural, str, str]
"""Outcome, the block's word, and the field of the rule that it rests on."""


def procedure(facts: Facts, version: Version, on: datetime.date, *, certifies_self: bool) -> Procedure:
    """What the version says of this visit.

    Parameters
    ----------
    certifies_self : the person certifies themselves, so that there need be no visit.
    """
    checks = [*_age(facts), *_residence(facts, version, on)]
    if not certifies_self:
        checks += [*_practitioner(facts, version, on), *_visit(facts, version, on)]
    outcomes = {outcome for outcome, _, _ in checks}
    procedural: Procedural = "blocked" if BLOCKED in outcomes else "unknown" if UNKNOWN in outcomes else "ok"
    kept = [(word, field) for outcome, word, field in checks if outcome == procedural and word]
    recalled = tuple(field for _, field in kept if version.known(field) == "recalled")
    needed = () if certifies_self else tuple(_requirements(facts, version, on))
    return Procedure(
        procedural, tuple(word for word, _ in kept), (*needed, *_minor(facts, version)), recalled
    )


# -- age -------------------------------------------------------------------------------------------
def _is_minor(facts: Facts) -> bool:
    return facts.age is not None and facts.age < limits()["adult_age"]


def _age(facts: Facts) -> Iterator[Check]:
    """What a rule asks for a minor (a second physician, a guardian) is words; whether it is met is not known.

    Who may be a minor cannot be surer than one who is.
    """
    if facts.age is None:
        yield UNKNOWN, "age_unknown", "minors_caregiver"
    elif _is_minor(facts):
        yield UNKNOWN, "minor", "minors_caregiver"


# -- residence -------------------------------------------------------------------------------------
def _residence(facts: Facts, version: Version, on: datetime.date) -> Iterator[Check]:
    if facts.resident is not False:
        return
    rule = version.reciprocity
    recognised = None if rule is None else rule.recognised
    if rule is not None and recognised:
        recognised = has_begun(rule.begins, on)
    if recognised is None:
        yield UNKNOWN, "residency", "reciprocity"
    elif not recognised or facts.visitor_card is False:
        yield BLOCKED, "residency", "reciprocity"
    elif facts.visitor_card is None or version.known("reciprocity") == "recalled":
        yield UNKNOWN, "residency", "reciprocity"


# -- practitioner ----------------------------------------------------------------------------------
def _practitioner(facts: Facts, version: Version, on: datetime.date) -> Iterator[Check]:
    if facts.practitioner is None:
        return
    if version.practitioners is None:
        yield UNKNOWN, "practitioner_unknown", "practitioners"
        return
    allowed = may_certify(facts.practitioner, version, on)
    if allowed is None:
        yield UNKNOWN, "practitioner_unknown", "practitioners"
    elif not allowed:
        yield BLOCKED, "practitioner_type", "practitioners"


def may_certify(kind: str, version: Version, on: datetime.date) -> bool | None:
    """Whether a kind of practitioner may certify on that day; None where it is not known."""
    each = {_type(entry): entry for entry in version.practitioners or ()}
    if kind in each:
        return _in_force(each[kind], on)
    if kind == "specialist" and "MD" in each:
        return _in_force(each["MD"], on)  # a specialist is a physician
    if kind in ("MD", "DO") and "specialist" in each:
        return None  # a specialist or not: it is not said
    other = each.get("other")
    if other is None or _in_force(other, on, limited=False) is False:
        return False
    return None


def _type(entry: str | Practitioner) -> str:
    return entry if isinstance(entry, str) else str(entry.type)


def _in_force(entry: str | Practitioner, on: datetime.date, *, limited: bool = True) -> bool | None:
    if isinstance(entry, str):
        return True
    begun = has_begun(entry.begins, on)
    return None if begun and limited and entry.only else begun


def certifiers(version: Version, on: datetime.date) -> tuple[str, ...]:
    """The kinds of practitioner who may certify on that day, with their limits in words."""
    found = []
    for entry in version.practitioners or ():
        if _in_force(entry, on, limited=False) is not False and _type(entry) != "other":
            only = "" if isinstance(entry, str) or not entry.only else f" ({entry.only})"
            found.append(f"{_type(entry)}{only}")
    return tuple(found)


# -- visit -----------------------------------------------------------------------------------------
def _visit(facts: Facts, version: Version, on: datetime.date) -> Iterator[Check]:
    if facts.visit not in ("video", "audio"):
        return
    allowed = by_video(version, on, renewal=facts.initial is False)
    if facts.visit == "audio" and allowed:
        allowed = None  # the rules say telehealth, and not whether sound alone is enough
    if allowed is None:
        yield UNKNOWN, "telehealth_unknown", "telehealth"
    elif not allowed:
        which = "renewal" if facts.initial is False else "initial"
        yield BLOCKED, f"telehealth_{which}_not_allowed", "telehealth"


def by_video(version: Version, on: datetime.date, *, renewal: bool = False) -> bool | None:
    """Whether a visit by video is enough on that day; None where it is not known."""
    rule = version.telehealth
    if rule is None:
        return None
    if renewal:
        return rule.renewal
    first = has_begun(rule.begins, on) if rule.initial else rule.initial
    return None if first and rule.only else first


def _requirements(facts: Facts, version: Version, on: datetime.date) -> Iterator[str]:
    """What the visit has to keep to, as far as it is not arranged yet."""
    if facts.visit is None and by_video(version, on, renewal=facts.initial is False) is False:
        begins = version.telehealth.begins if version.telehealth and version.telehealth.initial else None
        rule = f"by telehealth from {begins} on" if begins else version.telehealth and version.telehealth.note
        note = version.in_person or rule
        yield f"Visit in person{f' ({note})' if note else ''}."
    if facts.practitioner is None and (kinds := certifiers(version, on)):
        note = f"; {version.practitioners_note}" if version.practitioners_note else ""
        yield f"Certified by {', '.join(kinds)}{note}."


def _minor(facts: Facts, version: Version) -> Iterator[str]:
    if _is_minor(facts) and version.minors_caregiver:
        yield f"Minors: {version.minors_caregiver}."
