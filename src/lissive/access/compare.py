"""The same person in every jurisdiction on one day."""

from __future__ import annotations

import datetime
from typing import Any

from lissive.access.answer import Answer, Facts
from lissive.access.decide import decide
from lissive.access.load import rules
from lissive.access.tiles import tiles


def compare(facts: Facts, on: datetime.date) -> tuple[Answer, ...]:
    """What each jurisdiction's rule of that day says, by code; those of one country's states together."""
    every = rules()
    return tuple(decide(facts, code, on, every) for code in sorted(every, key=_place))


def _place(code: str) -> tuple[int, str]:
    return (_GROUPS.index(group_of(code)), code)


_GROUPS = ("state", "territory", "country")


def group_of(code: str) -> str:
    """`state`, `territory` or `country`; what has no tile goes by its code."""
    found = tiles().get(code)
    if found is not None:
        return found.group
    return "state" if "-" in code else "country"


def compared(answers: tuple[Answer, ...], on: datetime.date) -> dict[str, Any]:
    """The comparison as plain data: how many have each answer, and every answer in full."""
    counts = dict.fromkeys(("eligible", "eligible_at_discretion", "unknown", "not_eligible"), 0)
    for each in answers:
        counts[each.status] += 1
    return {
        "on": on.isoformat(),
        "counts": counts,
        "blocked": [each.jurisdiction for each in answers if each.procedural == "blocked"],
        "answers": [{**each.to_json(), "group": group_of(each.jurisdiction)} for each in answers],
        "notice": answers[0].notice if answers else "",
    }
