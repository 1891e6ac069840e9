"""What the words of an answer on access are called on screen and on paper."""

from __future__ import annotations

from collections.abc import Mapping

from lissive.access.answer import Answer

STATUS: Mapping[str, str] = {
    "eligible": "eligible",
    "eligible_at_discretion": "at the practitioner's discretion",
    "unknown": "unknown: facts are missing",
    "not_eligible": "not eligible",
}
"""From most to least."""

PROCEDURAL: Mapping[str, str] = {
    "ok": "visit and practitioner as the rule asks",
    "blocked": "blocked as the visit is planned",
    "unknown": "visit or practitioner not settled",
}


def blocks_said(answer: Answer) -> str:
    """The procedural answer, with what stands in the way.

    >>> from datetime import date
    >>> blocks_said(Answer("US-KY", "Kentucky", date(2025, 3, 1), "eligible", "blocked", ("residency",)))
    'blocked: residency'
    """
    if answer.procedural == "ok":
        return "ok"
    return f"{answer.procedural}: {', '.join(each.replace('_', ' ') for each in answer.blocks)}".removesuffix(
        ": "
    )
