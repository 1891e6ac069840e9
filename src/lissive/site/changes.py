"""What changed lately in the law of all places, and federal law of the United States by date."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from lissive.access.answer import day, days_later
from lissive.access.cases import Change, changes
from lissive.access.decide import decide
from lissive.access.federal import CLASSES, Rule, federal_rules
from lissive.access.routes import said
from lissive.access.rule import rules
from lissive.report.access_text import STATUS
from lissive.report.table import table
from lissive.report.words import upper_first
from lissive.site.build import Page, joined, link, unverified, verdict
from lissive.site.law import LATELY, STANDARD, Place, last_checked, places, standard_person, what_changed


def pages(on: datetime.date, codes: Sequence[str] | None = None) -> Iterator[Page]:
    """Both; of the places of the codes, or of all."""
    every = places(on, codes)
    lately = changes(days_later(on, -LATELY) or on, on)
    content = _changes(every, lately, on)
    yield Page("law/changes.html", "What changed lately", "changes.html.j2", last_checked(every), content)
    title = "Federal law of the United States"
    read = f"Last checked on {federal_rules().verified}."
    yield Page("law/federal.html", title, "federal.html.j2", read, _federal(on))


def _changes(every: Sequence[Place], lately: Sequence[Change], on: datetime.date) -> dict[str, Any]:
    there = {each.rule.code: each for each in every}
    rows = []
    for each in reversed(lately):
        place = there.get(each.jurisdiction)
        moved = ""
        if place is not None:
            before, after = (
                decide(standard_person(), each.jurisdiction, day).status
                for day in (days_later(each.on, -1) or each.on, each.on)
            )
            moved = (
                f" The standard person: from {STATUS[before]} to {STATUS[after]}." if before != after else ""
            )
        name = Markup('<a href="{}">{}</a>').format(
            place.href if place else "federal.html", place.rule.name if place else "United States"
        )
        rows.append((each.on.isoformat(), name, f"{what_changed(each)}{moved}", each.citation, _known(each)))
    pending = [
        (place.href, place.rule.name, bill)
        for place in every
        if place.version
        for bill in place.version.pending
    ]
    return {
        "since": days_later(on, -LATELY),
        "person": STANDARD,
        "table": table("Changes, the latest first", "day|place|what|law|how it is known", rows),
        "pending": pending,
    }


def _known(change: Change) -> str:
    """As on the page of the place: the confidence, whether the law's words are quoted, what was not read."""
    place = rules().get(change.jurisdiction)
    version = next((each for each in place.versions if each.id == change.rule), None) if place else None
    if version is None:
        return ""
    quoted = "quoted" if version.quote and version.known("quote") == "read" else "not quoted"
    doubts = [each.text for each in version.cautions if each.kind == "incomplete"]
    return " ".join([f"Confidence in the reading: {version.confidence}. The law's words: {quoted}.", *doubts])


def _open(begins: str | None, ends: str | None) -> str:
    return f"from {begins}" if begins else f"until {ends}" if ends else "no day stated"


_TOPICS = {
    "schedule": "Schedules", "hemp": "Hemp", "tele_prescribing": "Prescribing by video", "state_lines": "State lines",
    "firearms": "Firearms", "driving_work": "Driving for work", "federal_property": "Federal property",
}  # fmt: skip


def _gaps(rules: Sequence[Rule]) -> Iterator[tuple[str, str, str | None]]:
    """Days between one rule of a class and the next for which no rule is in the data: begin, end, class."""
    for before, after in pairwise(sorted(rules, key=lambda each: (each.of or "", each.begins or ""))):
        if before.of == after.of and before.ends and after.begins:
            begins, ends = (
                days_later(datetime.date.fromisoformat(before.ends), 1),
                days_later(day(after.begins), -1),
            )
            if begins and ends and begins <= ends:
                yield begins.isoformat(), ends.isoformat(), before.of


def _federal(on: datetime.date) -> dict[str, Any]:
    file = federal_rules()

    def row(rule: Rule) -> tuple[str, ...]:
        source = file.sources[rule.read_in]
        of = f" ({CLASSES.get(rule.of, said(rule.of))})" if rule.of else ""
        now = verdict("in force", "yes") if rule.holds(on) else "not on this day"
        kind = "" if source.kind == "primary" else " (secondary source)" if source.kind == "secondary" else ""
        return (
            f"{upper_first(rule.text)}{of}{unverified(rule.provenance)}",
            f"{rule.begins} to {rule.ends}" if rule.begins and rule.ends else _open(rule.begins, rule.ends),
            now,
            joined([rule.citation, joined(["[", link(source.title, source.url), "]"], ""), kind]),
        )

    def rows(topic: str) -> Iterator[tuple[str, ...]]:
        of_topic = [each for each in file.rules if each.topic == topic]
        yield from map(row, of_topic)
        for begins, ends, of in _gaps(of_topic):
            now = "on this day" if begins <= on.isoformat() <= ends else "not on this day"
            yield (
                f"Not recorded{f' ({CLASSES.get(of, said(of))})' if of else ''}.",
                f"{begins} to {ends}",
                now,
                "",
            )

    topics = [
        (
            topic,
            name,
            table(name, "rule|days|on this day|source", rows(topic)),
        )
        for topic, name in _TOPICS.items()
    ]
    doubts = [each.text for each in file.cautions if each.begins <= on.isoformat()]
    return {"topics": topics, "doubts": doubts}
