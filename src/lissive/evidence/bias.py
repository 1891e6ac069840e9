"""Small-study effects, and pooled estimates that are not credible."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from lissive.errors import EvidenceError
from lissive.evidence.comparison import RATIOS
from lissive.evidence.effect import LABELS, Effect
from lissive.evidence.words import table


@cache
def limits() -> dict[str, float]:
    """Numbers of limits.tsv and of assumptions.tsv, by name."""
    return {row["name"]: float(row["value"]) for each in ("limits", "assumptions") for row in table(each)}


@dataclass(frozen=True)
class Egger:
    """Egger's test: does the effect depend on its standard error?"""

    k: int
    intercept: float
    """Of effect over standard error on 1 over standard error: 0 for a symmetric funnel."""
    se: float
    t: float
    df: int
    p: float
    limit_y: float
    """Effect predicted for a study without sampling error, on the scale of analysis."""


def check_funnel(effects: Sequence[Effect]) -> None:
    """Raises EvidenceError with the reason where there are too few studies for a funnel."""
    least, k = (
        int(limits()["funnel_least"]),
        len({each.study for each in effects}),
    )  # arms of one study are no more studies
    if k < least:
        raise EvidenceError(
            f"{k} {'study is' if k == 1 else 'studies are'} too few for a funnel plot or Egger's test: with fewer than "
            f"{least}, neither can distinguish chance from publication bias (Sterne and others, BMJ 2011;343:d4002).",
            allowed=f"{least} studies or more.",
            do="judge each study by its own size and funding.",
        )


def egger(effects: Sequence[Effect]) -> Egger:
    """Egger's regression, by least squares on k − 2 degrees of freedom.

    Raises       EvidenceError below the least number of studies, or where all have the same standard error.
    """
    check_funnel(effects)
    import numpy as np
    from scipy.special import stdtr

    se = np.array([each.se for each in effects])
    precision, standard = 1.0 / se, np.array([each.y for each in effects]) / se
    k, spread = len(effects), float(((precision - precision.mean()) ** 2).sum())
    if spread <= 1e-12 * float((precision**2).sum()):
        raise EvidenceError(
            "All studies have the same standard error: Egger's regression is not estimable.",
            allowed="studies of different sizes.",
        )
    slope = float(((precision - precision.mean()) * standard).sum()) / spread
    intercept = float(standard.mean()) - slope * float(precision.mean())
    rest = float(((standard - intercept - slope * precision) ** 2).sum()) / (k - 2)
    error = math.sqrt(rest * float((precision**2).sum()) / (k * spread))
    t = intercept / error if error > 0 else math.copysign(math.inf, intercept)
    return Egger(k, intercept, error, t, k - 2, float(2.0 * stdtr(k - 2, -abs(t))), slope)


def why_unbelievable(
    measure: str, estimate: float, ci: tuple[float, float] | None = None, i2: float | None = None
) -> str:
    """Why a pooled estimate is rejected; empty where it is credible.

    >>> why_unbelievable("SMD", -0.25)
    ''
    """
    reasons = []
    most = limits()["largest_smd"]
    if measure == "SMD" and abs(estimate) > most:
        reasons.append(
            f"a standardised mean difference of {estimate:g} puts the groups {abs(estimate):g} standard deviations "
            f"apart, and more than {most:g} is implausible: changes within one group were pooled, or standard errors "
            "taken for standard deviations"
        )
    if measure == "RD" and abs(estimate) > 1:
        reasons.append(f"a risk difference of {estimate:g} is beyond 1")
    if measure in RATIOS and estimate <= 0:
        reasons.append(f"its {LABELS[measure]}, {estimate:g}, is impossible")
    if ci is not None and not ci[0] <= estimate <= ci[1]:
        reasons.append(f"its interval, {ci[0]:g} to {ci[1]:g}, does not include it")
    if i2 is not None and i2 > limits()["most_i2"]:
        reasons.append(f"I² of {i2:g} % means that the studies did not measure the same thing")
    return "; ".join(reasons)
