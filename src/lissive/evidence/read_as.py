"""Figures of uncertain meaning: what is entered in their place, or whose they are (read_as.tsv).

`use` is value (entered in place of the printed difference), groups (the means of the arms are used), or subgroup (of a
part of the participants: shown, not pooled, as a per-protocol figure is).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lissive.evidence.comparison import Given
from lissive.evidence.read import Located
from lissive.evidence.words import table

USES = ("value", "groups", "subgroup")


def read_as(entry: Located, outcome: str, given: Given) -> tuple[Given | None, list[str]]:
    """What is entered in place of a stated difference whose meaning is not certain, and why; None for nothing."""
    row = _row(entry.id, outcome)
    if row is not None and row["use"] == "groups":
        return None, [row["why"]]
    if row is not None and row["use"] == "value":
        shift = float(row["value"]) - given.estimate
        ends = [None if each is None else each + shift for each in (given.low, given.high)]
        return replace(given, estimate=float(row["value"]), low=ends[0], high=ends[1]), [row["why"]]
    convention = (getattr(entry.row, "outcomes", None) or {}).get("sign_convention")
    if isinstance(convention, str) and "not" in convention and given.measure == "MD":
        return None, [f"sign of its differences uncertain: {convention}"]
    return given, []


def subgroup_of(study: str, outcome: str) -> str:
    """The subgroup that a study's figures of an outcome are of; empty where they are of all."""
    row = _row(study, outcome)
    return row["why"] if row is not None and row["use"] == "subgroup" else ""


def _row(study: str, outcome: str) -> Mapping[str, str] | None:
    return next((row for row in table("read_as") if (row["study"], row["outcome"]) == (study, outcome)), None)
