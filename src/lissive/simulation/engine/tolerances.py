"""How closely a solution is followed, and for how many steps at most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lissive.errors import SimulationError

MAX_STEPS = 10_000_000
"""Taken and refused together, of one subject, if not given: some ten seconds of a small model."""


@dataclass(frozen=True)
class Tolerances:
    """How closely the solution is followed.

    The error of a step in state y may be atol + rtol * max(|y|, peak_share * largest |y| so far). So a
    depot that decays to nothing stops steering the step, without a scale being told for each state.
    """

    rtol: float = 1e-4
    atol: float = 0.0
    peak_share: float = 1e-3
    first_step: float = 1e-3
    """Length of the first step after the start, in the model's time."""
    max_steps: int = MAX_STEPS

    def __post_init__(self) -> None:
        checks = {
            "rtol": (0.0 < self.rtol <= 0.1, "over 0 and at most 0.1"),
            "atol": (0.0 <= self.atol < np.inf, "0 or more"),
            "peak_share": (0.0 <= self.peak_share <= 1.0, "0 to 1"),
            "first_step": (0.0 < self.first_step < np.inf, "over 0"),
            "max_steps": (self.max_steps >= 1, "1 or more"),
        }
        for name, (holds, allowed) in checks.items():
            if not holds:
                raise SimulationError(
                    f"{name} is {getattr(self, name)}.",
                    where=name,
                    allowed=f"{allowed}.",
                    do="correct the value.",
                )
