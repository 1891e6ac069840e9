"""What a renewal asks: all that the last case knew, field by field, until it was stated for the new one."""

from __future__ import annotations

import datetime

from lissive.case.ask import every_question
from lissive.clinic.models import Case
from lissive.clinic.questions import AGE, state_of
from lissive.web.state import FLAG, State

ANEW = (
    *("spasm.severe", "spasm.persistent"),
    *("spasm.spasms_per_day", "spasm.severity_nrs", "spasm.spasticity_nrs", "spasm.pain_nrs"),
)
"""Judgements and ratings of the day: what was said before says nothing of today."""
SETTLED = ("as_of", AGE, "place.visit", "place.practitioner")
"""They follow from the new visit."""


def fields_of(old: Case) -> list[str]:
    """What is asked: all that the last case knew or left open, in the order of the questions."""
    state = State(old.data, frozenset(old.passed))
    names = [each.field for each in every_question()]
    names += [f"{FLAG}{name}" for name in old.data.get("flags") or {}]
    names += [name for name in old.passed if name.startswith(FLAG) and name not in names]
    return [name for name in names if name not in SETTLED and state.is_settled(name)]


def is_answered(case: Case, field: str) -> bool:
    """Whether it was stated for this case, and not only taken over from the last one."""
    at = case.stated.get(field, {}).get("at", "")
    return bool(at) and datetime.datetime.fromisoformat(at) >= case.opened


def open_fields(case: Case, old: Case) -> list[str]:
    """What the renewal has still to ask; what no longer applies after another answer is not asked."""
    now = state_of(case).case
    known = {each.field: each for each in every_question()}
    return [
        name
        for name in fields_of(old)
        if not is_answered(case, name) and (name not in known or known[name].applies(now))
    ]
