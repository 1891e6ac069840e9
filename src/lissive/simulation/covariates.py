"""Columns of a dosing table beside the doses: parameters that vary in time, and columns that are only carried.

At its own time a row has its own values. Between two rows a parameter has the value of the next one (`nocb`,
next observation carried backward, as in NONMEM) or of the one before (`locf`, last observation carried forward);
before the first row and after the last it has theirs.

>>> between([0.0, 6.0, 12.0], np.array([[5.0, 5.0, 10.0]]), "nocb")
[(2, 6.0, True)]
>>> between([0.0, 6.0, 12.0], np.array([[5.0, 5.0, 10.0]]), "locf")
[(2, 12.0, False)]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lissive.arrays import FloatArray, IntArray
from lissive.errors import EventError
from lissive.simulation.unroll import ByParameter

MODES = ("nocb", "locf")


def check_mode(mode: Any) -> None:
    """Raises EventError for a way that there is not."""
    if mode not in MODES:
        raise EventError(
            f"covariates is {mode!r}.",
            where="covariates",
            allowed="nocb, the next row's value, as in NONMEM; or locf, the last row's.",
            do="write one of the two, or leave it out for nocb.",
        )


def filled(values: FloatArray, mode: str) -> FloatArray:
    """Without empty cells: each takes the next value that is given (nocb) or the last one (locf), else the other.

    values : (row,) of one subject; NaN where a cell is empty. All NaN stays as it is.

    >>> filled(np.array([np.nan, 5.0, np.nan, 7.0, np.nan]), "nocb").tolist()
    [5.0, 5.0, 7.0, 7.0, 7.0]
    """
    given = np.flatnonzero(~np.isnan(values))
    if not len(given):
        return values
    rows = np.arange(len(values))
    if mode == "nocb":
        place = np.searchsorted(given, rows, side="left")
    else:
        place = np.searchsorted(given, rows, side="right") - 1
    result: FloatArray = values[given[np.clip(place, 0, len(given) - 1)]]
    return result


def between(time: Sequence[float], values: FloatArray, mode: str) -> list[tuple[int, float, bool]]:
    """Where the values change: the row whose values hold from there on, when, and whether after all else then.

    values : (parameter, row).
    """
    changes: list[tuple[int, float, bool]] = []
    if (values == values[:, :1]).all():
        return changes
    now = 0
    for row in range(1, len(time)):
        if (values[:, row] == values[:, now]).all():
            continue
        later = time[row] > time[row - 1]
        late = mode == "nocb" and later
        changes.append((row, time[row - 1] if late else time[row], late))
        now = row
    return changes


def rates(time: Sequence[float], values: FloatArray, mode: str) -> ByParameter:
    """A parameter that is the rate of infusions, at all times. values : (row,)."""
    changes = between(time, values[None], mode)
    last: dict[float, float] = {when: float(values[row]) for row, when, _ in changes}
    return ByParameter(values, np.array(list(last)), np.array([values[0], *last.values()]))


def at_times(time: Sequence[float], times: FloatArray, mode: str) -> IntArray:
    """The row whose values hold at each of `times`; at a row's own time the last row there."""
    rows = np.asarray(time)
    own = np.searchsorted(rows, times, side="right") - 1
    if mode == "nocb":
        next_one = np.searchsorted(rows, times, side="left")
        is_own = (own >= 0) & (rows[np.maximum(own, 0)] == times)
        own = np.where(is_own, own, next_one)
    result: IntArray = np.clip(own, 0, len(rows) - 1)
    return result
