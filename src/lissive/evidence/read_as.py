"""Figures of uncertain meaning (read_as.tsv).

`use` is sign (the sign of its differences is not known: the groups' means are used where there are any; otherwise the
difference is shown, not pooled, and either sign is tried beside the pool), or subgroup (of a part of the participants:
shown, not pooled, as a per-protocol figure is).
"""

from __future__ import annotations

from collections.abc import Mapping

from lissive.evidence.comparison import Given
from lissive.evidence.read import Located
from lissive.evidence.words import table

USES = ("sign", "subgroup")


def why_unsigned(entry: Located, outcome: str, given: Given) -> str:
    """Why the sign of a stated difference is not known; empty where it is."""
    row = _row(entry.id, outcome)
    if row is not None and row["use"] == "sign":
        return row["why"]
    convention = (getattr(entry.row, "outcomes", None) or {}).get("sign_convention")
    if isinstance(convention, str) and "not" in convention and given.measure == "MD":
        return f"sign of its differences uncertain: {convention}"
    return ""


def subgroup_of(study: str, outcome: str) -> str:
    """The subgroup that a study's figures of an outcome are of; empty where they are of all."""
    row = _row(study, outcome)
    return row["why"] if row is not None and row["use"] == "subgroup" else ""


def _row(study: str, outcome: str) -> Mapping[str, str] | None:
    return next((row for row in table("read_as") if (row["study"], row["outcome"]) == (study, outcome)), None)
