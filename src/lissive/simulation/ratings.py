"""Ratings as people would give them: fluctuation over weeks around their own level, and the error of
each rating. Shared by forecasts and virtual trials.

>>> stretches(1, "pain", np.arange(3), 10, sd=1.0, memory=28.0).shape
(3, 10)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from lissive.arrays import FloatArray, IntArray
from lissive.errors import SimulationError
from lissive.simulation.streams import stretches_of
from lissive.table import rows_of

MOST_DAYS = 1024
"""Each subject has a stretch of this many numbers of a stream: more days disturb nobody's."""


@cache
def figures() -> Mapping[str, float]:
    """The figures of ratings.tsv by name."""
    return {row["name"]: float(row["value"]) for row in rows_of(Path(__file__).parent / "ratings.tsv")}


def by_day(seed: int, purpose: str, subjects: IntArray, days: int) -> FloatArray:
    """(subject, day) numbers over 0 and below 1; subject number and day alone say which.

    subjects : numbers of the subjects, from 0, in any order.
    Raises       SimulationError for more days than there are numbers of.
    """
    if days > MOST_DAYS:
        raise SimulationError(
            f"The run has {days} days.",
            where="days",
            allowed=f"up to {MOST_DAYS} from screening to the end.",
            do="simulate fewer weeks.",
        )
    return stretches_of(seed, purpose, subjects, days, MOST_DAYS)


def stretches(
    seed: int,
    purpose: str,
    subjects: IntArray,
    days: int,
    *,
    sd: float | FloatArray,
    memory: float | FloatArray,
) -> FloatArray:
    """(subject, day) how far a rating is from the person's own level: correlated noise that nobody treats.

    Parameters
    ----------
    sd : its standard deviation over time [the rating's unit], one or (subject,).
    memory : its correlation time [days], one or (subject,).
    """
    keep = np.broadcast_to(np.exp(-1.0 / np.asarray(memory, float)), len(subjects))
    course = ndtri(by_day(seed, f"course: {purpose}", subjects, days))
    new = np.sqrt(1.0 - keep**2)
    for day in range(1, days):
        course[:, day] = keep * course[:, day - 1] + new * course[:, day]
    scaled: FloatArray = course * np.broadcast_to(sd, len(subjects))[:, None]
    return scaled
