"""Feedback dosing: how many units people take on a day after what the day before brought."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri

from lissive.arrays import FloatArray, IntArray
from lissive.table import rows_of


@cache
def thresholds() -> Mapping[str, float]:
    """The numbers by which the usual policy decides, from titration.tsv."""
    return {row["name"]: float(row["value"]) for row in rows_of(Path(__file__).parent / "titration.tsv")}


def willing(u: FloatArray, limit: Mapping[str, Any], allowed: Any) -> IntArray:
    """(subject,) the most units a day that each is ready to take.

    What people are told is the most is what they measure themselves by: who may take 48 sprays goes further than who
    may take 12, also where neither end is reached.

    Parameters
    ----------
    u : (subject,) numbers between 0 and 1.      allowed : the most units a day, one number or (subject,).
    """
    told = (np.maximum(allowed, 1) / limit["willing_at"]) ** limit["cap_share"]
    drawn = limit["willing"] * told * np.exp(limit["willing_spread"] * ndtri(u))
    most: IntArray = np.maximum(np.rint(drawn), 1).astype(np.int64)
    return most


def next_units(
    taken: IntArray,
    worst: FloatArray,
    relief: FloatArray,
    ceiling: Any,
    limit: Mapping[str, Any],
    step: Any = 1,
) -> IntArray:
    """Units of the next day: down where the day was too much, up where it was not and relief is wanting.

    Parameters
    ----------
    worst : (subject,) the day's highest intoxication [VAS].      relief : (subject,) rating over its baseline.
    ceiling : most units that going up may reach; who has more keeps them.
    limit : the figures of `thresholds`, each one number or (subject,).
    """
    up = (worst < limit["raise_below"]) & (relief > limit["relieved_share"])
    raised = np.minimum(taken + step, np.maximum(ceiling, taken))
    down = np.maximum(taken - step, 0)
    decided: IntArray = np.where(worst > limit["lower_above"], down, np.where(up, raised, taken))
    return decided
