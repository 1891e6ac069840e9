"""The visit there on that day: what the certification says, what is entailed, and the days that follow from it.

The dated tables come first; where they have nothing on a point, the rule's own fields speak. What is memory says
"unverified", and what was found later than the day that is asked for says so.

>>> from datetime import date
>>> [each.months for each in steps_of("US-NY", date(2026, 2, 18)) if each.kind == "validity"]
[12]
>>> [each.months for each in steps_of("US-NY", date(2026, 2, 19)) if each.kind == "validity"]
[24]
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from lissive.access.answer import Answer, Facts, On, day, days_later, is_day, months_later
from lissive.access.conditions import limits
from lissive.access.logic import person
from lissive.access.procedure import by_video, certifiers
from lissive.access.rule import DATA, Jurisdiction, Version, read_table
from lissive.table import TableRow
from lissive.typed import nearest

# -- rows of the tables ----------------------------------------------------------------------------
COMMON = "common"
"""The shape that the programmes share, where a place has no form of its own in the table."""
AS_OF = "2026-11"
"""The month in which the tables were made; what has no day of its own is as of then."""
PARTS = ("practitioner", "patient", "condition", "statements", "recommendation", "minors", "form")
NEEDS = ("required", "optional", "where_applies")
WHEN = ("", "minor", "caregiver", "hiv", "terminal")
"""When a field that is not always asked applies."""
FILLS = (
    "", "practitioner", "age", "residence", "condition", "symptom", "severity", "since", "past_treatments",
    "present_treatments", "product", "form", "dose", "visit",
)  # fmt: skip
"""What of a case fills a field; nothing where the case format has it not."""
ORDER = (
    "who", "course", "relationship", "visit", "pmp", "form", "registration", "fee", "validity", "renewal", "supply",
    "products", "minors", "caregivers", "records", "conflicts",
)  # fmt: skip
"""The kinds of step, in the order of the visit."""


@dataclass(frozen=True)
class Origin:
    """Where something was read."""

    title: str
    kind: str
    """primary: the law or its agency; secondary: an account of it; none: from memory."""
    seen: datetime.date | None
    """When it was read, where that was noted."""
    url: str | None


@dataclass(frozen=True)
class Dated:
    """Something that held in one place from a day to a day, with where it was read."""

    place: str
    since: datetime.date | None
    until: datetime.date | None
    citation: str
    provenance: str
    source: Origin
    note: str

    def holds(self, on: datetime.date) -> bool:
        """Whether it held on that day, as far as its days are known."""
        return (self.since is None or self.since <= on) and (self.until is None or on <= self.until)


@dataclass(frozen=True)
class FormField(Dated):
    """One field of a certification."""

    id: str
    part: str
    label: str
    need: str
    when: str
    below_age: int | None
    """Age [years] below which it applies, of a field for minors; None: that of the method."""
    fills: str


@dataclass(frozen=True)
class Requirement(Dated):
    """One thing that the visit entails."""

    kind: str
    text: str
    months: int | None
    """Of a validity."""


def read_sources(path: Path) -> dict[str, Origin]:
    """The sources of a table by key."""
    return {
        row["key"]: Origin(
            row["citation"], _word(row, "kind", KINDS), _day(row, "seen"), _or_none(row, "url")
        )
        for row in read_table(path, ("key", "citation", "kind", "seen", "url"))
    }


KINDS = ("primary", "secondary", "none")


def read_fields(path: Path, sources: Mapping[str, Origin]) -> tuple[FormField, ...]:
    """The fields of a table.

    Raises       RuleError with file and line: an unknown word, source or day, one field twice on the same day.
    """
    columns = (
        "in", "id", "part", "label", "need", "when", "below_age", "fills", "since", "until", "citation", "provenance",
        "source", "note",
    )  # fmt: skip
    found: list[FormField] = []
    for row in read_table(path, columns):
        one = FormField(
            **_dated(row, sources),
            id=row["id"],
            part=_word(row, "part", PARTS),
            label=row["label"],
            need=_word(row, "need", NEEDS),
            when=_word(row, "when", WHEN),
            below_age=_whole(row, "below_age"),
            fills=_word(row, "fills", FILLS),
        )
        if any(_overlap(one, each) for each in found if (each.place, each.id) == (one.place, one.id)):
            raise row.error(
                f"{one.id!r} of {one.place} is defined twice for some of the same days.",
                do="end the earlier one before the later one begins.",
            )
        found.append(one)
    return tuple(found)


def read_steps(path: Path, sources: Mapping[str, Origin]) -> tuple[Requirement, ...]:
    """The steps of a table; raises as `read_fields` does."""
    columns = ("in", "kind", "text", "months", "since", "until", "citation", "provenance", "source", "note")
    return tuple(
        Requirement(
            **_dated(row, sources),
            kind=_word(row, "kind", ORDER),
            text=row["text"],
            months=_whole(row, "months"),
        )
        for row in read_table(path, columns)
    )


# -- cells -----------------------------------------------------------------------------------------
def _dated(row: TableRow, sources: Mapping[str, Origin]) -> dict[str, Any]:
    since, until, key = _day(row, "since"), _day(row, "until"), row["source"]
    if since is not None and until is not None and until < since:
        raise row.error(f"until is {until}, before since, {since}.", do="correct one of the two.")
    if key not in sources:
        raise row.error(
            f"source is {key!r}, which is not in visit_sources.tsv.{nearest(key, sources)}",
            do="add it there, or correct the key.",
        )
    known = _word(row, "provenance", ("read", "recalled"))
    if known == "read" and sources[key].kind == "none":
        raise row.error("provenance is read, and the source is none.", do="name it, or write recalled.")
    return {
        "place": row["in"],
        "since": since,
        "until": until,
        "citation": row["citation"],
        "provenance": known,
        "source": sources[key],
        "note": row["note"],
    }


def _word(row: TableRow, column: str, allowed: Sequence[str]) -> str:
    if (said := row[column]) not in allowed:
        words = ", ".join(each for each in allowed if each)
        raise row.error(f"{column} is {said!r}.{nearest(said, allowed)}", allowed=f"{words}.")
    return said


def _or_none(row: TableRow, column: str) -> str | None:
    return None if row[column] in ("", "-") else row[column]


def _day(row: TableRow, column: str) -> datetime.date | None:
    if (said := _or_none(row, column)) is not None and not is_day(said):
        raise row.error(f"{column} is {said!r}.", allowed="a valid date, as in 2026-02-19.")
    return None if said is None else day(said)


def _whole(row: TableRow, column: str) -> int | None:
    if (said := _or_none(row, column)) is not None and not (said.isdecimal() and 1 <= int(said) <= 120):
        raise row.error(f"{column} is {said!r}.", allowed="1 to 120.")
    return None if said is None else int(said)


def _overlap(one: Dated, other: Dated) -> bool:
    first = max(each.since or datetime.date.min for each in (one, other))
    return first <= min(each.until or datetime.date.max for each in (one, other))


# -- what holds there on that day --------------------------------------------------------------------
@cache
def visit_sources() -> Mapping[str, Origin]:
    """The sources that come with lissive."""
    return MappingProxyType(read_sources(DATA / "visit_sources.tsv"))


@cache
def form_fields() -> tuple[FormField, ...]:
    """The fields of all forms that come with lissive."""
    return read_fields(DATA / "form_fields.tsv", visit_sources())


@cache
def visit_requirements() -> tuple[Requirement, ...]:
    """The steps of all visits that come with lissive."""
    return read_steps(DATA / "visit_steps.tsv", visit_sources())


D = TypeVar("D", bound=Dated)


def _there(rows: Iterable[D], place: str, on: datetime.date) -> tuple[D, ...]:
    return tuple(row for row in rows if row.place == place and row.holds(on))


def fields_of(place: str, on: datetime.date) -> tuple[FormField, ...]:
    """The fields of the certification there on that day; the common shape where the table has no form of theirs."""
    return _there(form_fields(), place, on) or _there(form_fields(), COMMON, on)


def steps_of(place: str, on: datetime.date) -> tuple[Requirement, ...]:
    """What the visit entails there on that day, in its order; empty where the table has nothing."""
    found = _there(visit_requirements(), place, on)
    return tuple(sorted(found, key=lambda each: ORDER.index(each.kind)))


def dated(row: Dated, on: datetime.date) -> str:
    """A remark where it is not known whether the row held on that day; else nothing."""
    if row.since is None and row.until is None and on.isoformat()[:7] < AS_OF:
        return f"as found in {AS_OF}; whether it held on {on} is not known"
    return ""


# -- what comes next -------------------------------------------------------------------------------
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
    steps += [each for each in _from_rule(jurisdiction.code, version, on) if each.kind not in have]
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


def _from_rule(code: str, version: Version, on: datetime.date) -> Iterator[Step]:
    """What the rule itself says of the visit on that day."""
    url = version.sources[0].url if version.sources else None
    cited = version.citations[0]

    certify = "certify" if code.startswith("US") else "certify or prescribe"

    def step(kind: str, field: str, text: str) -> Step:
        return Step(kind, text, version.known(field), cited, url, "")

    if version.practitioners:
        note = f"; {version.practitioners_note}" if version.practitioners_note else ""
        yield step("who", "practitioners", f"Who may {certify}: {', '.join(certifiers(version, on))}{note}.")
    if version.telehealth is not None and version.telehealth.initial is not None:
        yield step("visit", "telehealth", f"First visit by telehealth {_allowed(version, on)}.")
    for kind, field, text in _FIELDS:
        value = getattr(version, field)
        if value:
            yield step(kind, field, text.format(str(value).removesuffix(".")))
    if version.certification_validity_months is not None:
        months = version.certification_validity_months
        yield step("validity", "certification_validity", f"Valid {months} month{'' if months == 1 else 's'}.")
    elif version.certification_validity_days is not None:
        days = version.certification_validity_days
        yield step("validity", "certification_validity", f"Valid {days} day{'' if days == 1 else 's'}.")


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
        return (visitor_step(version).said,)
    steps = visit_steps(jurisdiction, version, answer.on)
    kept = [each for each in steps if concerns(each.kind, facts)]
    unread = facts.caregiver is True and not any(each.kind == "caregivers" for each in kept)
    return (*(each.said for each in kept), *((UNREAD_CAREGIVER,) if unread else ())) or (NOTHING,)


def visitor_step(version: Version) -> Step:
    """The rule for visitors."""
    rule = version.reciprocity
    note = rule.note if rule is not None and rule.note else "the rule for visitors was not read"
    url = version.sources[0].url if version.sources else None
    return Step("who", f"Visitors: {note}.", version.known("reciprocity"), version.citations[0], url, "")


def concerns(kind: str, facts: Facts) -> bool:
    """Whether a kind of step is of this person: of a minor, of one with a caregiver, of a renewal."""
    is_minor = facts.age is None or facts.age < limits()["minor_steps_below"]
    if kind == "minors":
        return is_minor
    if kind == "caregivers":
        return is_minor or facts.caregiver is not False
    if kind == "renewal":
        return facts.initial is False
    return True


# -- the days that follow --------------------------------------------------------------------------
@dataclass(frozen=True)
class Days:
    """When a certification of that day expires, and every day that applies."""

    expires: datetime.date | None = None
    every: tuple[On, ...] = ()


def follow(facts: Facts, version: Version, on: datetime.date) -> Days:
    """The days of a certification issued on a day; of a visitor, the end of the pass."""
    if facts.resident is False:
        return Days(None, tuple(_days_of_visitor(version, on)))
    expires = _expires(facts, version, on)
    found = [*_days_of_resident(facts, version, on)]
    if expires is not None:
        found.append(On("certification expires", expires))
    return Days(expires, tuple(sorted(found, key=lambda each: each.on)))


def _days_of_visitor(version: Version, on: datetime.date) -> Iterator[On]:
    days = version.reciprocity.pass_days if version.reciprocity else None
    if days is not None and (end := days_later(on, days)) is not None:
        yield On("visitor's pass of that day ends", end)


def _days_of_resident(facts: Facts, version: Version, on: datetime.date) -> Iterator[On]:
    if version.apply_within_days is not None and (by := days_later(on, version.apply_within_days)):
        yield On("certification lapses unless the state has been applied to or has enrolled", by)
    if version.card_validity_months is not None and (end := months_later(on, version.card_validity_months)):
        yield On("card issued that day expires", end)
    if facts.ends is not None:
        yield On("last day that the practitioner set", facts.ends)


def _expires(facts: Facts, version: Version, on: datetime.date) -> datetime.date | None:
    """The day on which a certification issued on this day expires, or the earlier that the practitioner sets."""
    if version.no_expiry_if_terminal and any(word.startswith("terminal_") for word in person(facts, on).had):
        return facts.ends
    ends = [facts.ends]
    if version.certification_validity_days is not None:
        ends.append(days_later(on, version.certification_validity_days))
    if version.certification_validity_months is not None:
        ends.append(months_later(on, version.certification_validity_months))
    return min((end for end in ends if end is not None), default=None)
