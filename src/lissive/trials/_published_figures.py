"""Standard errors of published figures from what is printed beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from lissive.trials._published_parts import Entry, Figure, is_number, least_certain, plain

_NORMAL = NormalDist()
_CI_FIELDS = {"ci": 0.95, "ci_95": 0.95, "ci95": 0.95, "ci_90": 0.90, "ci90": 0.90, "ci_99": 0.99}


@dataclass(frozen=True)
class Precision:
    """How sure a figure is. `ci` is of 95 %; both are on the printed scale (the error of a ratio on the log scale)."""

    error: float | None
    ci: tuple[float, float] | None
    provenance: str


NOTHING = Precision(None, None, "read")


def precision(
    entry: Entry,
    row: Mapping[str, Any],
    estimate: float,
    *,
    n: int | None = None,
    prefix: str = "",
    log: bool = False,
) -> Precision:
    """Standard error and interval of the estimate of a row: from its interval, its error, its spread or its p value.

    Parameters
    ----------
    n : people that a spread is of.      prefix : of the names of spread and error (change_sd).
    log : whether the estimate is a ratio.
    """
    for field, level in _CI_FIELDS.items():
        ends = plain(row.get(field))
        if isinstance(ends, tuple) and len(ends) == 2 and all(is_number(each) for each in ends):
            low, high = float(ends[0]), float(ends[1])
            if log and low <= 0:
                continue
            width = math.log(high / low) if log else high - low
            error = width / (2 * _NORMAL.inv_cdf(0.5 + level / 2))
            return Precision(error or None, (low, high) if level == 0.95 else None, _said(entry, row, field))
    for field in (f"{prefix}se", "se"):
        if (figure := entry.figure(row.get(field), row)) and figure.value > 0:
            if not log and is_sd(figure) and n:
                entry.assume(
                    f"What is printed as the standard error of {field} is taken as a standard deviation."
                )
                return Precision(figure.value / math.sqrt(n), None, figure.provenance)
            return Precision(figure.value, None, figure.provenance)
    if log:
        return _from_p(entry, row, math.log(estimate)) if estimate > 0 else NOTHING
    for field in (f"{prefix}sd", "sd", "diff_sd"):
        figure = entry.figure(row.get(field), row)
        if figure and figure.value > 0 and n:
            return Precision(figure.value / math.sqrt(n), None, figure.provenance)
    return _from_p(entry, row, estimate)


def is_sd(figure: Figure) -> bool:
    """Whether what is printed as a standard error is said to be a standard deviation.

    >>> is_sd(Figure(11.1, "read", "printed as SE; magnitude is an SD")), is_sd(Figure(0.3, "read", ""))
    (True, False)
    """
    return any(said in figure.note for said in ("is an SD", "SD is meant", "SD meant", "are SDs", "is SD"))


def _said(entry: Entry, row: Mapping[str, Any], field: str) -> str:
    """The provenance of an interval, which is no number itself."""
    node = row[field]
    provenance = node.get("provenance") if isinstance(node, Mapping) else None
    figure = entry.figure({"value": 0.0, "provenance": provenance} if provenance else 0.0, row)
    return figure.provenance if figure else "read"


def _from_p(entry: Entry, row: Mapping[str, Any], effect: float) -> Precision:
    """The error at which the effect has its two-sided p value; nothing where that is a bound or 1."""
    figure = entry.figure(row.get("p"), row)
    if not figure or not 0.0 < figure.value < 1.0 or not effect:
        return NOTHING
    error = abs(effect) / _NORMAL.inv_cdf(1.0 - figure.value / 2.0)
    return Precision(error, None, least_certain(figure.provenance, "derived"))


def share_error(share: float, n: int) -> float:
    """Binomial standard error, with half a person added to each side so that nobody of 30 is not certain.

    >>> round(share_error(0.5, 100), 3), share_error(0.0, 30) > 0.02
    (0.05, True)
    """
    p = (share * n + 0.5) / (n + 1.0)
    return math.sqrt(p * (1.0 - p) / n)
