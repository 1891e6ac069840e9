"""What the visit entails there on that day: who may certify, course, look-ups, form, fee, validity, records.

The dated table of requirements comes first; where it has nothing on a point, the rule's own fields speak. What is
memory says "unverified", and what was found later than the day that is asked for says so.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from lissive.access.answer import Answer, Facts
from lissive.access.procedure import by_video, certifiers
from lissive.access.requirements import ORDER, dated, steps_of
from lissive.access.rule import Jurisdiction, Version
from lissive.access.vocabulary import limits

UNVERIFIED = "unverified"
NOTHING = "No data on the visit: ask the programme."
UNREAD_CAREGIVER = "Whether a caregiver has to register was not read: ask the programme."


@dataclass(frozen=True)
class Step:
    """One thing that the visit entails."""

    kind: str
    text: str
    provenance: str
    """read, or recalled: quoted from memory, unverified."""
    citation: str
    source_url: str | None
    note: str
    """Why it may not hold on the day, or nothing."""

    @property
    def said(self) -> str:
        """The step in a line, with its doubts."""
        doubts = [UNVERIFIED] if self.provenance == "recalled" else []
        doubts += [self.note] if self.note else []
        cited = f" [{self.citation}]" if self.citation else ""
        doubt = f" ({'; '.join(doubts)})" if doubts else ""
        return f"{self.text}{cited}{doubt}"


def visit_steps(jurisdiction: Jurisdiction, version: Version, on: datetime.date) -> tuple[Step, ...]:
    """All that is known of the visit, in its order.

    Parameters
    ----------
    version : the rule in force on the day `on`.
    """
    steps = [
        Step(
            each.kind,
            each.text,
            each.provenance,
            each.citation,
            each.source.url,
            dated(each, on) or each.note,
        )
        for each in steps_of(jurisdiction.code, on)
    ]
    have = {each.kind for each in steps}
    steps += [each for each in _from_rule(version, on) if each.kind not in have]
    return tuple(sorted(steps, key=lambda each: ORDER.index(each.kind)))


_FIELDS = (
    ("visit", "in_person", "Visit in person: {}."),
    ("registration", "registry_card", "Registry card: {}."),
    ("fee", "fee", "Fee: {}."),
    ("supply", "limit", "Supply: {}."),
    ("products", "product_limits", "Products: {}."),
    ("minors", "minors_caregiver", "Minors and caregivers: {}."),
)
"""Kind of step, field of the rule, and how it is said."""


def _from_rule(version: Version, on: datetime.date) -> Iterator[Step]:
    """What the rule itself says of the visit on that day."""
    url = version.sources[0].url if version.sources else None
    cited = version.citations[0]

    def step(kind: str, field: str, text: str) -> Step:
        return Step(kind, text, version.known(field), cited, url, "")

    if version.practitioners:
        note = f"; {version.practitioners_note}" if version.practitioners_note else ""
        yield step("who", "practitioners", f"Who may certify: {', '.join(certifiers(version, on))}{note}.")
    if version.telehealth is not None and version.telehealth.initial is not None:
        yield step("visit", "telehealth", f"First visit by telehealth {_allowed(version, on)}.")
    for kind, field, text in _FIELDS:
        value = getattr(version, field)
        if value:
            yield step(kind, field, text.format(str(value).removesuffix(".")))
    if version.certification_validity_months is not None:
        months = version.certification_validity_months
        yield step("validity", "certification_validity", f"Valid {months} months.")
    elif version.certification_validity_days is not None:
        days = version.certification_validity_days
        yield step("validity", "certification_validity", f"Valid {days} days.")


def _allowed(version: Version, on: datetime.date) -> str:
    allowed, begins = by_video(version, on), version.telehealth.begins if version.telehealth else None
    if allowed is None:
        return f"may be allowed: it is from {begins} on, of which the day is not known"
    if allowed and version.telehealth and version.telehealth.needs:
        return f"is allowed where the practitioner holds a {version.telehealth.needs}"
    later = f" until {begins}" if begins else ""
    return "is allowed" if allowed else f"is not allowed{later}"


def next_steps(facts: Facts, jurisdiction: Jurisdiction, version: Version, answer: Answer) -> tuple[str, ...]:
    """What comes next for this person, in lines; empty where nobody may certify as things are.

    Steps for minors are said of a minor, and where the age is not known; those for caregivers of a minor and of
    anybody who may have one; renewals where it is no first visit.
    """
    if answer.status == "not_eligible":
        return ()
    if facts.resident is False:  # the resident's card, fee and certification are not the visitor's
        return (_of_visitor(version).said,)
    steps = visit_steps(jurisdiction, version, answer.on)
    kept = [each for each in steps if _concerns(each.kind, facts)]
    unread = facts.caregiver is True and not any(each.kind == "caregivers" for each in kept)
    return (*(each.said for each in kept), *((UNREAD_CAREGIVER,) if unread else ())) or (NOTHING,)


def _of_visitor(version: Version) -> Step:
    rule = version.reciprocity
    note = rule.note if rule is not None and rule.note else "the rule for visitors was not read"
    url = version.sources[0].url if version.sources else None
    return Step("who", f"Visitors: {note}.", version.known("reciprocity"), version.citations[0], url, "")


def _concerns(kind: str, facts: Facts) -> bool:
    is_minor = facts.age is None or facts.age < limits()["minor_steps_below"]
    if kind == "minors":
        return is_minor
    if kind == "caregivers":
        return is_minor or facts.caregiver is not False
    if kind == "renewal":
        return facts.initial is False
    return True
