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
from lissive.access.dates import day, has_begun
from lissive.access.rule import Practitioner, Span, Version

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
    checks = [*_residence(facts, version, on)]
    if not certifies_self:
        checks += [*_practitioner(facts, version, on), *_visit(facts, version, on)]
    checks += [*_of_minor(facts, version), *_of_young_adult(facts, version, on)]
    outcomes = {outcome for outcome, _, _ in checks}
    procedural: Procedural = "blocked" if BLOCKED in outcomes else "unknown" if UNKNOWN in outcomes else "ok"
    kept = [(word, field) for outcome, word, field in checks if outcome == procedural and word]
    recalled = tuple(field for _, field in kept if version.known(field) == "recalled")
    needed = () if certifies_self else tuple(_requirements(facts, version, on))
    return Procedure(
        procedural, tuple(word for word, _ in kept), (*needed, *_minor(facts, version)), recalled
    )


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
    allowed = may_certify(facts.practitioner, version, on, specialty=facts.specialty)
    if allowed is None:
        yield UNKNOWN, "practitioner_unknown", "practitioners"
    elif not allowed:
        yield BLOCKED, "practitioner_type", "practitioners"


def may_certify(
    kind: str, version: Version, on: datetime.date, *, specialty: bool | None = None
) -> bool | None:
    """Whether a kind of practitioner may certify on that day; None where it is not known.

    Parameters
    ----------
    specialty : whether a physician is a specialist in the condition.
    """
    each = {_type(entry): entry for entry in version.practitioners or ()}
    if kind in each:
        return _in_force(each[kind], on)
    if kind == "specialist" and "MD" in each:
        return _in_force(each["MD"], on)  # a specialist is a physician
    if kind in ("MD", "DO") and "specialist" in each:
        return specialty  # a specialist or not: unknown where it is not said
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
    if facts.visit == "audio" and allowed:  # telehealth may not say whether sound alone is enough
        allowed = version.telehealth.audio if version.telehealth else None
    if allowed is None:
        yield UNKNOWN, "telehealth_unknown", "telehealth"
    elif not allowed:
        which = "renewal" if facts.initial is False else "initial"
        yield BLOCKED, f"telehealth_{which}_not_allowed", "telehealth"
    elif facts.initial is not False and (held := needs_waiver(facts, version)) is not True:
        yield (UNKNOWN, "waiver", "telehealth") if held is None else (BLOCKED, "waiver", "telehealth")


def needs_waiver(facts: Facts, version: Version) -> bool | None:
    """Whether the waiver that a first visit by video needs is held; True where none is needed."""
    return facts.waiver if version.telehealth and version.telehealth.needs else True


def by_video(version: Version, on: datetime.date, *, renewal: bool = False) -> bool | None:
    """Whether a visit by video is enough on that day; None where it is not known."""
    rule = version.telehealth
    if rule is None:
        return None
    if renewal:
        return None if rule.renewal_seen and on < day(rule.renewal_seen) else rule.renewal
    first = has_begun(rule.begins, on) if rule.initial else rule.initial
    if first is False and rule.emergency and _within(rule.emergency, on):
        return None
    return first


def _within(span: Span, on: datetime.date) -> bool:
    return has_begun(span.begins, on) is not False and has_begun(span.until, on) is not True


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


def is_minor(facts: Facts, version: Version) -> bool:
    """Whether the person is too young to be certified without a parent or guardian."""
    return facts.age is not None and facts.age < version.minor_below


def _of_minor(facts: Facts, version: Version) -> Iterator[Check]:
    """What a minor needs besides: a guardian, a second practitioner, one of fewer kinds."""
    if facts.age is None:  # who may be a minor cannot be surer than one who is
        yield UNKNOWN, "age_unknown", "minors_caregiver"
    if not is_minor(facts, version):
        return
    if version.minors_caregiver is None:
        yield UNKNOWN, "minor", "minors_caregiver"
        return
    needed = [("guardian", facts.guardian)]
    if version.minor_second_practitioner:
        needed.append(("second_practitioner", facts.second_practitioner))
    for word, there in needed:
        if there is not True:
            yield UNKNOWN if there is None else BLOCKED, word, "minors_caregiver"
    if version.minor_paediatric:
        yield UNKNOWN, "paediatrician", "minors_caregiver"
    few = version.minor_practitioners
    if few and facts.practitioner is not None and facts.practitioner not in few:
        yield BLOCKED, "practitioner_type", "minors_caregiver"


def _of_young_adult(facts: Facts, version: Version, on: datetime.date) -> Iterator[Check]:
    """A second practitioner for adults below an age, where the rule asks for one."""
    rule = version.second_practitioner_below
    if rule is None or facts.age is None or is_minor(facts, version) or facts.age >= rule.age:
        return
    if has_begun(rule.begins, on) is not False and facts.second_practitioner is not True:
        yield (
            UNKNOWN if facts.second_practitioner is None else BLOCKED,
            "second_practitioner",
            "minors_caregiver",
        )


def _minor(facts: Facts, version: Version) -> Iterator[str]:
    if is_minor(facts, version) and version.minors_caregiver:
        yield f"Minors: {version.minors_caregiver}."
