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

from lissive.access.answer import (
    Caution,
    Confidence,
    Facts,
    Level,
    Procedural,
    day,
    days_later,
    has_begun,
    months_later,
    span,
)
from lissive.access.conditions import limits
from lissive.access.logic import Verdict, evaluate, person
from lissive.access.rule import Jurisdiction, Practitioner, Span, Version, rules
from lissive.errors import RuleError

# -- the visit as it is stated ---------------------------------------------------------------------
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


# -- how far to trust it ---------------------------------------------------------------------------
def sources_to(version: Version) -> str | None:
    """The month to which the sources of a version go, at least; None where none says.

    A year alone counts from its first month.
    """
    found = [version.as_of, *(each.source_as_of for each in version.sources)]
    months = [days[0].isoformat()[:7] for each in found if each and (days := span(each))]
    return max(months, default=None)


def confidence(version: Version, on: datetime.date, how: Procedure | None) -> Confidence:
    """That of the rule, or less: low where what decides is unverified or undated, moderate where it is old.

    Parameters
    ----------
    how : the procedural answer, where it counts.
    """
    blocked = how is not None and how.procedural == "blocked" and how.recalled
    month = sources_to(version)
    if blocked or version.known("logic") == "recalled" or month is None:
        return "low"
    words: dict[str, Confidence] = {"high": "high", "medium": "moderate", "low": "low"}
    found = words[version.confidence]
    if found == "high" and version.ends is None and is_old(month, on):
        return "moderate"
    return found


def is_old(month: str, on: datetime.date) -> bool:
    """Whether sources of that month are too old for a question about this day."""
    days = span(month)
    until = months_later(days[1], limits()["fresh_months"]) if days else None
    return until is not None and on > until


def last_answerable(verified: str) -> datetime.date:
    """The last day of which something can be said, by the day of the last check."""
    return months_later(day(verified), limits()["fresh_months"]) or datetime.date.max


def refuse_late(on: datetime.date) -> None:
    """Raises RuleError for a day so long after the last check that nothing can be said of every place."""
    last = min(last_answerable(place.verified) for place in rules().values())
    if on > last:
        raise RuleError(
            f"is {on.isoformat()}, long after the rules were last checked.",
            where="--on",
            allowed=f"{last.isoformat()} or earlier.",
            do="correct the day, or use a version of lissive with newer rules.",
        )


# -- why it may not hold ---------------------------------------------------------------------------
Others = tuple[tuple[str, Level], ...]


def cautions(
    facts: Facts,
    place: Jurisdiction,
    version: Version,
    on: datetime.date,
    verdict: Verdict,
    how: Procedure,
    others: Others,
) -> tuple[Caution, ...]:
    """All that a reader of the answer has to know, the gravest first."""
    return (
        *boundary(others),
        *_after_last_check(place, on),
        *_moved(facts, place),
        *_near_change(facts, place, version, on, verdict),
        *_stated(version, on),
        *_recalled(version, how),
        *_stale(version, on),
        *_of_facts(facts, version, on, verdict),
    )


def boundary(others: Others) -> Iterator[Caution]:
    """What it may come to as well, where the day of a change is not known exactly."""
    if others:
        said = "; ".join(f"{name}: {level.status.replace('_', ' ')}" for name, level in others)
        text = (
            f"The exact day of a change is not known; the less favourable result is given. Otherwise: {said}."
        )
        yield Caution("boundary_uncertain", text)


def _after_last_check(place: Jurisdiction, on: datetime.date) -> Iterator[Caution]:
    """Where the check is old for that day, or a change that was known was to begin after it."""
    checked = day(place.verified)
    since = (on - checked).days
    known = [each for each in place.versions if each.begins and checked < day(each.begins) <= on]
    for each in known:
        text = f"The rule was to change on {each.begins}; that it did was not checked since {place.verified}."
        yield Caution("after_last_check", text)
    if since > limits()["check_days"] and not known:
        text = f"The rules were last checked on {place.verified}, {since} days before that day; they may have changed."
        yield Caution("after_last_check", text)


def _moved(facts: Facts, place: Jurisdiction) -> Iterator[Caution]:
    if facts.moved_from is not None and facts.moved_from != place.code:
        since = f" of {facts.certified_on}" if facts.certified_on else ""
        text = (
            f"The certificate{since} is that of {facts.moved_from}. Anyone who has moved needs a certification here, "
            "unless the rule for visitors covers the time until then."
        )
        yield Caution("moved", text)


def _near_change(
    facts: Facts, place: Jurisdiction, version: Version, on: datetime.date, verdict: Verdict
) -> Iterator[Caution]:
    near = limits()["near_change_days"]
    for each in place.versions:
        if each.begins is None:
            continue
        begins = day(each.begins)
        if abs((on - begins).days) <= near:
            when = "changed" if begins <= on else "changes"
            memory = ", unverified date" if each.from_provenance == "recalled" else ""
            yield Caution("near_change", f"The rule {when} on {begins.isoformat()} ({each.id}{memory}).")
    if any(clause.begins for clause in version.logic.walk()):
        for shift in (-near, near):
            moved = days_later(on, shift) or on
            if evaluate(version.logic, person(facts, moved)).level != verdict.level:
                side = "after" if shift > 0 else "before"
                yield Caution(
                    "near_change", f"A clause that decides this takes effect within {near} days {side}."
                )


def _stated(version: Version, on: datetime.date) -> Iterator[Caution]:
    for each in version.cautions:
        begun = each.begins is None or on >= day(each.begins)
        if begun and (each.until is None or on <= day(each.until)):
            yield Caution(each.kind, each.text)


def _recalled(version: Version, how: Procedure) -> Iterator[Caution]:
    if version.known("logic") == "recalled":
        yield Caution("recalled_fields", "The rule itself is unverified.")
    if how.recalled:
        fields = " and ".join(dict.fromkeys(how.recalled))
        yield Caution(
            "recalled_fields", f"The requirement that is not met rests on unverified data: {fields}."
        )


def _stale(version: Version, on: datetime.date) -> Iterator[Caution]:
    if version.ends is not None:
        return
    old = limits()["stale_days"]
    if version.as_of is None:
        yield Caution(
            "law_may_have_changed",
            "No text that was read says of which day it is; later changes may not be in it.",
        )
    elif (on - day(version.as_of)).days > old:
        text = (
            f"The texts that were read go to {version.as_of}, more than {old} days earlier; "
            "later changes may not be in them."
        )
        yield Caution("law_may_have_changed", text)


def _of_facts(facts: Facts, version: Version, on: datetime.date, verdict: Verdict) -> Iterator[Caution]:
    for text in facts.doubts:
        yield Caution("not_in_table", text)
    causes = {symptom.cause for symptom in facts.symptoms.values() if symptom and symptom.cause}
    unlisted = tuple(sorted(causes - {*facts.dx, "idiopathic", "unknown"}))
    if unlisted and verdict.level < Level.E:
        from dataclasses import replace

        more = replace(facts, dx=(*facts.dx, *unlisted))
        if evaluate(version.logic, person(more, on)).level > verdict.level:
            names = ", ".join(unlisted)
            yield Caution(
                "facts",
                f"{names} is stated as a cause and not as a diagnosis (dx); as a diagnosis it would change this.",
            )
