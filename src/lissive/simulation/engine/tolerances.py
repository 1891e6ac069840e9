"""How closely a solution is followed, and for how many steps at most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lissive.errors import SimulationError

LEAST_RTOL = 2.3e-14
"""100 times the rounding of double precision, SciPy's least too (scipy.integrate.solve_ivp). Below it only steps
and their rounding are added: dA/dt = -0.3 A over 10 units of time takes 303 steps at 2.3e-14 and is right within 2e-14;
at 1e-20 it takes 1.4 million and is right within 3e-13."""
MAX_STEPS = 10_000_000
"""Taken and refused together, of one subject, if not given: some ten seconds of a small model."""
_RTOL = "give 1e-4 to 1e-12; double precision holds 16 digits, of which a run of many steps loses some."


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
            "rtol": (LEAST_RTOL <= self.rtol <= 0.1, f"{LEAST_RTOL:g} to 0.1", _RTOL),
            "atol": (
                0.0 <= self.atol < np.inf,
                "0 or more",
                "give 0, or an amount that is negligible.",
            ),
            "peak_share": (0.0 <= self.peak_share <= 1.0, "0 to 1", "give a share of the largest size."),
            "first_step": (0.0 < self.first_step < np.inf, "over 0", "give the length of a first step."),
            "max_steps": (self.max_steps >= 1, "1 or more", "give more steps."),
        }
        for name, (holds, allowed, do) in checks.items():
            if not holds:
                raise SimulationError(
                    f"{name} is {getattr(self, name)}.",
                    where=name,
                    allowed=f"{allowed}.",
                    do=do,
                )
