"""The arms of a trial: which is control, and how many participants each has."""

from __future__ import annotations

import re
from typing import Any

from lissive.evidence.comparison import Cited
from lissive.evidence.read import Located, cite, number
from lissive.evidence.words import find

N_MEANS = ("n_analysed", "n_primary", "n_treated", "n_randomised", "n_completed", "n", "n_enrolled")
"""Fields with the number of participants of a mean, the best first."""
N_HARMS = ("n_treated", "n_randomised", "n_analysed", "n_completed", "n")
"""The same for adverse events, which are of all treated participants."""


def role(arm: str) -> str:
    """control, total, or active."""
    found = find("arms", arm)
    return found.word if found else "active"


def people_of(entry: Located, arm: str) -> float | None:
    """Participants analysed in an arm; None where that is not known, or it is not a trial."""
    return people_in(entry, arm, N_MEANS)[0] if entry.kind == "trial" else None


def people_in(entry: Located, arm: str, fields: tuple[str, ...]) -> tuple[float | None, Cited]:
    """Participants of an arm: in a crossover all of them; `` is the whole trial."""
    row: Any = entry.row
    rows = list(enumerate(row.arms or ()))
    mine = [(k, each) for k, each in rows if arm and _same(str(each.get("arm")), arm)]
    design = find("designs", row.design or "")
    if not mine and (not arm or (design and design.word == "crossover")):
        mine = [(k, each) for k, each in rows if role(str(each.get("arm"))) == "total"] or rows[:1]
    if not mine and role(arm) == "active":  # one active arm, under another name
        others = [(k, each) for k, each in rows if role(str(each.get("arm"))) == "active"]
        mine = others if len(others) == 1 else []
    for name in fields:
        for k, each in mine:
            if (n := number(each.get(name))) is not None:
                return n, cite(f"arms[{k}].{name}", each[name])
    return None, Cited("n", None, "derived")


def _same(one: str, other: str) -> bool:
    """Whether two names are of one arm: the same letters and digits."""
    return re.sub(r"\W|_", "", one.lower()) == re.sub(r"\W|_", "", other.lower())
