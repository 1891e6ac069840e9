"""Absolute effects at a stated baseline risk: risks, and numbers needed to treat.

NNTB: number needed to treat for one more to benefit; NNTH: for one more to be harmed. Where the interval of the risk
difference includes zero, the numbers run from one through infinity to the other (Altman, BMJ 1998;317:1309).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lissive.errors import EvidenceError
from lissive.evidence.effect import COUNTED, LABELS

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Absolute:
    """At one baseline risk, which is taken as known: the intervals are the effect's alone."""

    baseline: float
    risk: float
    risk_ci: tuple[float, float]
    benefit: float
    """Risk difference, signed so that positive is benefit."""
    benefit_ci: tuple[float, float]
    baseline_from: str = "as asked"

    @property
    def nnt(self) -> float:
        """Positive: NNTB. Negative: NNTH. inf: no difference."""
        return _over(self.benefit)

    @property
    def nnt_ci(self) -> tuple[float, float]:
        """At the ends of the interval, the better one first; of different signs where infinity lies between."""
        return _over(self.benefit_ci[1]), _over(self.benefit_ci[0])

    def words(self) -> str:
        """As `NNTB 5 (3 to 12)`, or `NNTB 10 (NNTB 4 to infinity to NNTH 20)`."""
        best, worst = self.nnt_ci
        if self.benefit_ci[0] <= 0.0 <= self.benefit_ci[1]:
            if self.benefit_ci[0] == 0.0 == self.benefit_ci[1]:
                return "no difference"
            ends = [
                _named(best) if self.benefit_ci[1] > 0 else "",
                _named(worst) if self.benefit_ci[0] < 0 else "",
            ]
            left, right = ends
            return f"{_named(self.nnt)} ({' to '.join(e for e in (left, 'infinity', right) if e)})"
        low, high = sorted((abs(best), abs(worst)))
        return f"{_named(self.nnt)} ({_count(low)} to {_count(high)})"

    def to_json(self) -> dict[str, Any]:
        return {
            "baseline_risk": self.baseline,
            "baseline_from": self.baseline_from,
            "risk": self.risk,
            "risk_ci": list(self.risk_ci),
            "benefit_per_1000": 1000 * self.benefit,
            "benefit_per_1000_ci": [1000 * end for end in self.benefit_ci],
            "nnt": self.nnt if math.isfinite(self.nnt) else None,
            "nnt_ci": [end if math.isfinite(end) else None for end in self.nnt_ci],
            "nnt_words": self.words(),
        }


def absolute(
    measure: str, estimate: float, ci: tuple[float, float], baseline: float, better: str
) -> Absolute:
    """The effect at a baseline risk, 0 to 1.

    Raises       EvidenceError where the measure is not of events, or the risk not between 0 and 1.
    """
    if measure not in COUNTED:
        raise EvidenceError(
            f"A number needed to treat needs a binary outcome, and a {LABELS[measure]} is of a continuous one.",
            allowed=f"{', '.join(COUNTED)}.",
            do="choose a binary outcome, such as responders_30pct.",
        )
    if not 0.0 < baseline < 1.0:
        raise EvidenceError(
            f"The baseline risk is {baseline:g}.",
            where="--baseline-risk",
            allowed="a proportion above 0 and below 1, such as 0.25.",
            do="correct it.",
        )
    risk = _risk(measure, estimate, baseline)
    if abs(risk - baseline) < _ROUNDING:  # an odds ratio of 1.0000000000000002 needs nobody treated
        risk = baseline
    low, high = (_risk(measure, end, baseline) for end in ci)
    sign = 1.0 if better == "higher" else -1.0
    ends = sorted((sign * (low - baseline), sign * (high - baseline)))
    return Absolute(baseline, risk, (low, high), sign * (risk - baseline), (ends[0], ends[1]))


def _risk(measure: str, effect: float, baseline: float) -> float:
    if measure == "RD":
        return min(1.0, max(0.0, baseline + effect))
    if measure == "RR":
        return min(1.0, baseline * effect)
    if math.isinf(effect):
        return 1.0
    return effect * baseline / (1.0 - baseline + effect * baseline)


def _over(difference: float) -> float:
    return 1.0 / difference if difference else math.inf


def _named(number: float) -> str:
    if math.isinf(number):
        return "no difference"
    return f"{'NNTB' if number > 0 else 'NNTH'} {_count(abs(number))}"


def _count(number: float) -> str:
    """Whole persons, rounded up as is usual; never below 1."""
    return "infinity" if math.isinf(number) else f"{max(1, math.ceil(number - 1e-9)):d}"
