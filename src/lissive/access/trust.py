"""How far to trust an answer: what it rests on, and how old that is."""

from __future__ import annotations

import datetime

from lissive.access.answer import Confidence
from lissive.access.dates import day, months_later, span
from lissive.access.procedure import Procedure
from lissive.access.rule import Version
from lissive.access.vocabulary import limits


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
