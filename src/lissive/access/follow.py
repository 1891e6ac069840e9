"""The days that follow where a person can be certified: of the certification, the card, the application, a visit."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from lissive.access.answer import Facts, On
from lissive.access.dates import days_later, months_later
from lissive.access.logic import person
from lissive.access.rule import Version


@dataclass(frozen=True)
class Days:
    """When a certification of that day expires, and every day that applies."""

    expires: datetime.date | None = None
    every: tuple[On, ...] = ()


def follow(facts: Facts, version: Version, on: datetime.date) -> Days:
    """The days of a certification issued on a day; of a visitor, the end of the pass."""
    if facts.resident is False:
        return Days(None, tuple(_of_visitor(version, on)))
    expires = _expires(facts, version, on)
    found = [*_of_resident(facts, version, on)]
    if expires is not None:
        found.append(On("certification expires", expires))
    return Days(expires, tuple(sorted(found, key=lambda each: each.on)))


def _of_visitor(version: Version, on: datetime.date) -> Iterator[On]:
    days = version.reciprocity.pass_days if version.reciprocity else None
    if days is not None and (end := days_later(on, days)) is not None:
        yield On("visitor's pass of that day ends", end)


def _of_resident(facts: Facts, version: Version, on: datetime.date) -> Iterator[On]:
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
