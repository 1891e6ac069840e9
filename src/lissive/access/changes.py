"""Which rules changed within a time, and whose answer they change."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lissive.access.answer import Facts, Procedural, Status
from lissive.access.dates import day, days_later, span
from lissive.access.decide import decide
from lissive.access.federal import federal_rules
from lissive.access.load import rules
from lissive.access.rule import Jurisdiction, Practitioner, Version
from lissive.access.say import clause_text


@dataclass(frozen=True)
class Change:
    """One change, with what it does to a person's answer where one is given."""

    on: datetime.date
    """The day, or the first of the month or year where no more is known."""
    jurisdiction: str
    rule: str
    what: str
    citation: str
    before: tuple[Status, Procedural] | None = None
    after: tuple[Status, Procedural] | None = None

    @property
    def changes_answer(self) -> bool:
        """Whether the person's answer is another one after it."""
        return self.before != self.after

    def to_json(self) -> dict[str, Any]:
        """Plain data; before and after are null where no person is given."""
        said = {
            name: None if pair is None else {"status": pair[0], "procedural": pair[1]}
            for name, pair in (("before", self.before), ("after", self.after))
        }
        return {
            "on": self.on.isoformat(),
            "jurisdiction": self.jurisdiction,
            "rule": self.rule,
            "what": self.what,
            "citation": self.citation,
            **said,
        }


def changes(since: datetime.date, until: datetime.date, facts: Facts | None = None) -> tuple[Change, ...]:
    """Every change from a day to a day, both within, in order of date; federal law is that of `US`."""
    found = [
        change
        for place in rules().values()
        for version in place.versions
        for change in _of_version(place, version, facts)
        if since <= change.on <= until
    ]
    found += [each for each in _federal() if since <= each.on <= until]
    return tuple(sorted(found, key=lambda each: (each.on, each.jurisdiction)))


def _of_version(place: Jurisdiction, version: Version, facts: Facts | None) -> Iterator[Change]:
    seen = set()
    for when, what in _dated(version):
        if when is None or (days := span(when)) is None or (days[0], what) in seen:
            continue
        on = days[0]
        own = version.begins is None or on >= day(version.begins)
        if not own or (version.ends is not None and on > day(version.ends)):
            continue  # an earlier version has it
        seen.add((on, what))
        before, after = _answers(facts, place.code, on)
        yield Change(on, place.code, version.id, what, "; ".join(version.citations), before, after)


def _dated(version: Version) -> Iterator[tuple[str | None, str]]:
    """Each day of a version, and what begins on it."""
    yield version.begins, "a new version of the rule"
    for clause in version.logic.walk():
        if clause.begins:
            yield clause.begins, f"the rule lists: {clause_text(clause)}"
    if version.telehealth and version.telehealth.initial:
        yield version.telehealth.begins, "a first visit by telehealth is allowed"
    if version.reciprocity and version.reciprocity.recognised:
        yield version.reciprocity.begins, "visitors are recognised"
    for each in version.practitioners or ():
        if isinstance(each, Practitioner):
            yield each.begins, f"{each.type} may certify"


def _answers(
    facts: Facts | None, code: str, on: datetime.date
) -> tuple[tuple[Status, Procedural] | None, tuple[Status, Procedural] | None]:
    if facts is None:
        return None, None
    found = [decide(facts, code, each) for each in (days_later(on, -1) or on, on)]
    return (found[0].status, found[0].procedural), (found[1].status, found[1].procedural)


def _federal() -> Iterator[Change]:
    for rule in federal_rules().rules:
        if rule.begins is not None:
            of = f" ({rule.of})" if rule.of else ""
            yield Change(day(rule.begins), "US", f"{rule.topic}{of}", rule.text, rule.citation)
