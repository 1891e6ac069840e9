"""What is asked and what is answered: the facts about one person, what a dated rule says about them, and its days."""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Any, Literal

from lissive.errors import RuleError
from lissive.given import day_of, kind_of, list_of, number_of

# -- answers ---------------------------------------------------------------------------------------
NOTICE = (
    "Not legal advice: this reports what a dated rule says about the facts given; a practitioner decides."
)

Status = Literal["not_eligible", "unknown", "eligible_at_discretion", "eligible"]
Procedural = Literal["ok", "blocked", "unknown"]
Confidence = Literal["high", "moderate", "low"]


class Level(IntEnum):
    """How far a clause is met: not eligible < unknown < at discretion < eligible."""

    N = 0
    U = 1
    D = 2
    E = 3

    @property
    def status(self) -> Status:
        """The word of the answer.

        >>> Level.D.status
        'eligible_at_discretion'
        """
        words: tuple[Status, ...] = ("not_eligible", "unknown", "eligible_at_discretion", "eligible")
        return words[self]


@dataclass(frozen=True)
class Symptom:
    """One symptom. An attribute that is None, or is not there, is unknown."""

    attributes: Mapping[str, bool | None] = field(default_factory=dict)
    """Statutory adjective (severe, persistent, painful ...) to whether it holds."""
    cause: str | None = None
    """A diagnosis, `idiopathic` (looked for, none found), or `unknown`, which is what None is too."""
    months: float | None = None
    """For how long [months]."""


@dataclass(frozen=True)
class Asked:
    """The product that is planned."""

    product: str
    """A licensed medicine, or a form of a programme's product, as products.tsv of access has them."""
    thc_mg: float | None = None
    """THC in one dose [mg]."""
    cbd_mg: float | None = None
    """CBD in one dose [mg]."""


@dataclass(frozen=True)
class Facts:
    """One person and one visit. What is None is unknown; a diagnosis or symptom that is not listed is absent."""

    age: float | None = None
    """[years]"""
    resident: bool | None = None
    visitor_card: bool | None = None
    """Whether a visitor holds a card of their home."""
    dx: tuple[str, ...] = ()
    dx_complete: bool = True
    """False where there may be diagnoses that are not in `dx`: what is not listed is then unknown."""
    symptoms: Mapping[str, Symptom | None] = field(default_factory=dict)
    """Name to symptom; None where it is unknown whether it is there."""
    flags: Mapping[str, bool] = field(default_factory=dict)
    """Further facts; one that is not there is unknown."""
    practitioner: str | None = None
    visit: str | None = None
    """in_person, video, audio or home."""
    initial: bool | None = None
    """Whether this is the first certification; None counts as the first."""
    ends: datetime.date | None = None
    """Day that the practitioner sets as the certification's last."""
    doubts: tuple[str, ...] = ()
    """What was entered and is not in the table of conditions, as cautions."""
    specialty: bool | None = None
    """Whether the practitioner is a specialist in the condition."""
    waiver: bool | None = None
    """Whether the practitioner holds a waiver for first visits by video."""
    guardian: bool | None = None
    """Whether a parent or guardian acts for a minor."""
    second_practitioner: bool | None = None
    """Whether a second practitioner agrees."""
    caregiver: bool | None = None
    moved_from: str | None = None
    """The jurisdiction in which a certificate was issued before a move."""
    certified_on: datetime.date | None = None
    """When that certificate was issued."""
    product: Asked | None = None

    def __post_init__(self) -> None:
        if self.age is not None:
            number_of("age", self.age, wrong=RuleError, least=0, most=120)
        if self.ends is not None:
            day_of("ends", self.ends, wrong=RuleError)
        for name in ("dx", "symptoms"):
            list_of(name, getattr(self, name), str, wrong=RuleError, do="give words of the vocabulary.")
        for name, symptom in self.symptoms.items():
            if symptom is not None:
                kind_of(f"symptoms.{name}", symptom, Symptom, wrong=RuleError, do="give a Symptom, or None.")


@dataclass(frozen=True)
class Fired:
    """A clause that is met."""

    node: str
    """Place in the rule's logic, as `all_of[0].dx_any`."""
    what: str
    """What was met, in words."""
    quote: str | None
    """Wording of the law, at most 25 words; None where it is not at hand."""
    citation: str
    source_url: str | None
    provenance: str
    """read, or recalled: quoted from memory, unverified."""


@dataclass(frozen=True)
class Missing:
    """A fact that is not known, and what it would change."""

    fact: str
    """Dotted name, as `symptoms.muscle_spasms.persistent`."""
    asks: str
    """What has to be found out, in words."""
    would_change_to: Status
    """The status if the fact is as the rule wants it (and those in `needs_also` too)."""
    if_not: Status
    """The status if it is not."""
    needs_also: tuple[str, ...] = ()
    """Other missing facts without which this one changes nothing."""


@dataclass(frozen=True)
class Alternative:
    """Another route."""

    route: str
    text: str
    status: Status | None = None
    """What it would come to, as far as that is known."""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Caution:
    """Why the answer may not hold."""

    kind: str
    text: str


ProductStatus = Literal["obtainable", "not_obtainable", "unknown", "not_asked"]
Route = Literal["prescription", "programme", "adult_use", "over_the_counter"]
Said = Literal["yes", "no", "unknown"]
Indication = Literal["labelled", "off_label", "none"]


@dataclass(frozen=True)
class Cited:
    """Where something was read."""

    title: str
    url: str | None
    provenance: str
    """read, or recalled: quoted from memory, unverified."""
    kind: str
    """primary: the law or its agency; secondary: an account of it; none: no source."""


@dataclass(frozen=True)
class Product:
    """Whether the planned product, in its form, can be had there on that day, and by which route."""

    asked: str | None = None
    status: ProductStatus = "not_asked"
    route: Route | None = None
    indication: Indication | None = None
    """Whether a licensed medicine's label covers it; none where there is no label; None where not known."""
    schedule: str | None = None
    """The federal schedule, in the US: I to V, or none."""
    by_video: Said = "unknown"
    until: datetime.date | None = None
    """The last day of what by_video says, where it ends."""
    why: str = ""
    nearest: tuple[str, ...] = ()
    """Products that can be had there instead, the nearest first."""
    sources: tuple[Cited, ...] = ()


@dataclass(frozen=True)
class Point:
    """One thing that federal law says on that day."""

    topic: str
    text: str
    citation: str
    source_url: str | None
    provenance: str
    kind: str
    """Of the source: primary, secondary or none."""
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True)
class Federal:
    """What federal law says on that day, beside the state's rule."""

    product_class: str
    """What the schedule is of."""
    schedule: str | None
    tele_prescribing: Said
    """Whether a scheduled medicine may be prescribed by video without a visit in person."""
    points: tuple[Point, ...] = ()
    checked: datetime.date | None = None


@dataclass(frozen=True)
class On:
    """A day that follows from the answer."""

    what: str
    on: datetime.date


@dataclass(frozen=True)
class Answer:
    """What the rule in force on one day says about one person, and how far to trust it."""

    jurisdiction: str
    name: str
    on: datetime.date
    """The day for which the answer holds."""
    status: Status
    procedural: Procedural
    blocks: tuple[str, ...] = ()
    rule: str | None = None
    fired: tuple[Fired, ...] = ()
    missing: tuple[Missing, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    requirements: tuple[str, ...] = ()
    """What the visit has to keep to, where that is still open: kind of visit, practitioner, consent."""
    next_steps: tuple[str, ...] = ()
    cautions: tuple[Caution, ...] = ()
    expires: datetime.date | None = None
    """When a certification issued that day would expire."""
    confidence: Confidence = "low"
    as_of: str | None = None
    """To when the rule's sources show it, as far as they say: a year, month or day."""
    checked: datetime.date | None = None
    """When the rule was last checked."""
    depends_on: tuple[str, ...] = ()
    """The facts that the status rests on; no other fact changes it."""
    product: Product = Product()
    federal: Federal | None = None
    """None outside the US."""
    sources_to: str | None = None
    """To which month the rule's sources go, YYYY-MM; None where none says."""
    dates: tuple[On, ...] = ()
    """Days that follow where the person can be certified, in their order."""
    notice: str = NOTICE

    def to_json(self) -> dict[str, Any]:
        """Plain data, with days as text."""
        from dataclasses import asdict

        found: dict[str, Any] = _plain(asdict(self))
        return found


def _plain(value: Any) -> Any:
    """Days as text, all the way down."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Node:
    """A part of the rule's logic with its verdict."""

    verdict: Level
    text: str
    children: tuple[Node, ...] = ()
    facts: tuple[str, ...] = ()
    """The facts that it asked for."""

    def to_json(self) -> dict[str, Any]:
        """Plain data; the verdict by its status' word."""
        children = [each.to_json() for each in self.children]
        return {
            "verdict": self.verdict.status,
            "text": self.text,
            "facts": list(self.facts),
            "children": children,
        }


# -- days ------------------------------------------------------------------------------------------
_PART = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
DAYS_PER_MONTH = 365.2425 / 12
"""Mean length of a month of the Gregorian calendar [d]."""


@lru_cache(maxsize=4096)
def span(text: str) -> tuple[datetime.date, datetime.date] | None:
    """First and last day that a date can mean, or None where it is no date.

    >>> span("2020-02")
    (datetime.date(2020, 2, 1), datetime.date(2020, 2, 29))
    """
    match = _PART.fullmatch(text)
    if not match:
        return None
    year, month, day = int(match[1]), match[2], match[3]
    try:
        if day:
            one = datetime.date(year, int(month), int(day))
            return one, one
        if month:
            last = calendar.monthrange(year, int(month))[1]
            return datetime.date(year, int(month), 1), datetime.date(year, int(month), last)
        return datetime.date(year, 1, 1), datetime.date(year, 12, 31)
    except (ValueError, calendar.IllegalMonthError):
        return None


def is_day(text: str) -> bool:
    """Whether it is one day, in full.

    >>> is_day("2019-02-29"), is_day("2020-02-29"), is_day("2020-02")
    (False, True, False)
    """
    found = span(text)
    return found is not None and len(text) == 10


def day(text: str) -> datetime.date:
    """The day that a checked text means; of a month or year the first."""
    found = span(text)
    if found is None:
        raise ValueError(text)
    return found[0]


def has_begun(when: str | None, on: datetime.date) -> bool | None:
    """Whether something that begins `when` is in force; None where the day may lie on either side.

    >>> has_begun("2020-03", datetime.date(2020, 3, 15)) is None
    True
    """
    if when is None:
        return True
    found = span(when)
    if found is None:
        return None  # `unknown`
    first, last = found
    if first == last:
        return on >= first
    return False if on < first else True if on > last else None


def days_later(on: datetime.date, days: int) -> datetime.date | None:
    """The day so many days later, or before; None where the calendar, from year 1 to 9999, has none.

    >>> days_later(datetime.date(2024, 2, 28), 2), days_later(datetime.date(9999, 12, 31), 1)
    (datetime.date(2024, 3, 1), None)
    """
    number = on.toordinal() + days
    last = datetime.date.max.toordinal()
    return datetime.date.fromordinal(number) if 1 <= number <= last else None


def months_later(on: datetime.date, months: int) -> datetime.date | None:
    """The same day of a later month, or that month's last; None after the year 9999.

    >>> months_later(datetime.date(2024, 1, 31), 1)
    datetime.date(2024, 2, 29)
    """
    count = on.year * 12 + on.month - 1 + months
    year, month = divmod(count, 12)
    if year > datetime.MAXYEAR:
        return None
    last = calendar.monthrange(year, month + 1)[1]
    return datetime.date(year, month + 1, min(on.day, last))
