"""Data sets of the field, and what other programs make of them.

BCG: Colditz and others 1994, 13 trials of the vaccine; metafor's dat.bcg. The results are those that metafor prints
(README, manual) and those that its own tests compare with Stata's metan. Length of stay after stroke and lidocaine:
Normand, Stat Med 1999;18:321, tables III, VII to IX. Read in 2026-11.
"""

from __future__ import annotations

import math

from lissive.evidence.comparison import Comparison, Group
from lissive.evidence.effect import Effect, effect

BCG = (
    (4, 119, 11, 128),
    (6, 300, 29, 274),
    (3, 228, 11, 209),
    (62, 13536, 248, 12619),
    (33, 5036, 47, 5761),
    (180, 1361, 372, 1079),
    (8, 2537, 10, 619),
    (505, 87886, 499, 87892),
    (29, 7470, 45, 7232),
    (17, 1699, 65, 1600),
    (186, 50448, 141, 27197),
    (5, 2493, 3, 2338),
    (27, 16886, 29, 17825),
)
"""Cases and others among the vaccinated, then among controls."""
LIDOCAINE = (
    (39, 2, 43, 1),
    (44, 4, 44, 4),
    (107, 6, 110, 4),
    (103, 7, 100, 5),
    (110, 7, 106, 3),
    (154, 11, 146, 4),
)
"""People and deaths with lidocaine, then without."""
STAY = (
    (155, 55, 47, 156, 75, 64),
    (31, 27, 7, 32, 29, 4),
    (75, 64, 17, 71, 119, 29),
    (18, 66, 20, 18, 137, 48),
    (8, 14, 8, 13, 18, 11),
    (57, 19, 7, 52, 18, 4),
    (34, 52, 45, 33, 41, 34),
    (110, 21, 16, 183, 31, 27),
    (60, 30, 27, 52, 23, 20),
)
"""People, mean days and deviation with specialised care, then with usual care."""


def comparison(
    study: str, active: Group, control: Group, design: str = "parallel", **more: object
) -> Comparison:
    return Comparison(study, study, "outcome", "cause", design, active=active, control=control, **more)  # type: ignore[arg-type]


def counts(
    study: str, a: float, b: float, c: float, d: float, design: str = "parallel", **more: object
) -> Comparison:
    return comparison(study, Group("active", a + b, a), Group("control", c + d, c), design, **more)


def bcg(measure: str) -> list[Effect]:
    return [effect(counts(f"s{k}", *row), measure) for k, row in enumerate(BCG)]


def lidocaine() -> list[Effect]:
    return [effect(counts(f"s{k}", a, n - a, c, m - c), "RD") for k, (n, a, m, c) in enumerate(LIDOCAINE)]


def stay() -> list[Effect]:
    """With one deviation for both groups, as the paper has it."""
    found = []
    for k, (n, x, s, m, y, t) in enumerate(STAY):
        both = math.sqrt(((n - 1) * s**2 + (m - 1) * t**2) / (n + m - 2))
        pair = (Group("active", n, mean=x, sd=both), Group("control", m, mean=y, sd=both))
        found.append(effect(comparison(f"s{k}", *pair), "MD"))
    return found
