"""The arms of a trial: which is control, how many participants each has, and which one a name means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lissive.publications import words
from lissive.publications.tables import Figure, figure, number, plain
from lissive.table import rows_of

N_MEANS = ("n_analysed", "n_primary", "n_treated", "n_randomised", "n_completed", "n", "n_enrolled")
"""Fields with the number of participants of a mean, the best first."""
N_HARMS = ("n_treated", "n_randomised", "n_analysed", "n_completed", "n")
"""The same for adverse events, which are of all treated participants."""
_GENERIC = ("active", "drug", "treatment", "verum", "cannabinoid")


@cache
def role(arm: str) -> str:
    """control, total, or active."""
    folded = arm.lower().strip()
    found = [
        (at.start(), k, row["role"])
        for k, row in enumerate(rows_of(Path(__file__).with_name("arms.tsv")))
        if (at := re.search(row["match"], folded))
    ]
    return min(found)[2] if found else "active"


def normal(name: object) -> str:
    """A name as it is compared: small letters, without what joins them."""
    return re.sub(r"[^a-z0-9]+", "", re.sub(r"[&+:]", "and", str(name).lower()))


def match_arm(name: object, arms: Iterable[str], control: str | None) -> str | None:
    """The arm that a name means: its own, its substance's other name, or `active` where there is one only.

    >>> match_arm("thc", ["THC", "CBD", "placebo"], "placebo"), match_arm("drug", ["CBD", "placebo"], "placebo")
    ('THC', 'CBD')
    >>> match_arm("dronabinol", ["THC", "CBD"], None), match_arm("baclofen", ["THC"], None) is None
    ('THC', True)
    """
    said, arms = normal(name), list(arms)
    if exact := next((arm for arm in arms if normal(arm) == said), None):
        return exact
    active = [arm for arm in arms if arm != control]
    if said in _GENERIC and len(active) == 1:
        return active[0]
    if said in ("control", "placebo") and control:
        return control
    meant = words.find("content", name)
    if meant is None or meant.word != str(name).strip().lower():
        return None
    same = [arm for arm in active if (word := words.find("content", arm)) and word.means == meant.means]
    return same[0] if len(same) == 1 else None


def split_field(field: str, arms: Iterable[str], control: str | None) -> tuple[str, str]:
    """The arm that the name of a field starts with, and the rest of the name; no arm where it starts with none.

    >>> split_field("placebo_change_mean", ["THC", "placebo"], "placebo"), split_field("diff", ["THC"], None)
    (('placebo', 'change_mean'), ('', 'diff'))
    """
    parts, known = field.split("_"), list(arms)
    for k in range(len(parts), 0, -1):
        if arm := match_arm("_".join(parts[:k]), known, control):
            return arm, "_".join(parts[k:])
    return "", field


def people(rows: Iterable[Any], arm: str, fields: tuple[str, ...], *, crossover: bool) -> Figure | None:
    """Participants of an arm of these rows: in a crossover all of them; `` is the whole trial."""
    named = [(k, row, str(plain(row.get("arm")))) for k, row in enumerate(rows) if isinstance(row, Mapping)]
    mine = [each for each in named if arm and normal(each[2]) == normal(arm)]
    if not mine and (not arm or crossover):
        mine = [each for each in named if role(each[2]) == "total"] or named[:1]
    if not mine and role(arm) == "active":  # one active arm, under another name
        others = [each for each in named if role(each[2]) == "active"]
        mine = others if len(others) == 1 else []
    for name in fields:
        for k, row, _ in mine:
            if number(plain(row.get(name))) is not None:
                return figure(f"arms[{k}].{name}", row[name])
    return None


def is_split(*said: str) -> bool:
    """Whether a group is one part of a control that a review divides among the arms that are compared with it.

    said : the group's name, and where its figures are printed.
    """
    return any("split" in each for each in said)
