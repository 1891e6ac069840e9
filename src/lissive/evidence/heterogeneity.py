"""How studies differ: τ² by four estimators and its interval, one covariate, size; and estimates that are not credible.

REML is the highest restricted likelihood; DL (DerSimonian and Laird 1986) and PM (Paule and Mandel 1982)
are by moments; SJ (Sidik and Jonkman 2005) in two steps from the variance of the effects.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from lissive.errors import EvidenceError
from lissive.evidence.comparison import RATIOS
from lissive.evidence.effect import LABELS, Effect
from lissive.evidence.read import Studies
from lissive.evidence.words import table
from lissive.publications.tables import number

if TYPE_CHECKING:
    from lissive.arrays import FloatArray


def dersimonian_laird(y: FloatArray, v: FloatArray, q: float | None = None) -> float:
    """`q` where it is taken about another estimate than that of inverse variances."""
    w = 1.0 / v
    if q is None:
        q = _q_at(y, v, 0.0)
    spread = float(w.sum() - (w**2).sum() / w.sum())
    return max(0.0, (q - (len(y) - 1)) / spread)


def _q_at(y: FloatArray, v: FloatArray, t2: float) -> float:
    """Generalised Q: falls as τ² rises."""
    w = 1.0 / (v + t2)
    mean = (w * y).sum() / w.sum()
    return float((w * (y - mean) ** 2).sum())


def _paule_mandel(y: FloatArray, v: FloatArray) -> float:
    """Where the generalised Q equals its expectation."""
    return _root(lambda t2: _q_at(y, v, t2) - (len(y) - 1), y, v)


def _sidik_jonkman(y: FloatArray, v: FloatArray) -> float:
    crude = float(y.var())
    return crude * _q_at(y, v, crude) / (len(y) - 1)


def _reml(y: FloatArray, v: FloatArray) -> float:
    """Maximum of the restricted likelihood: the best of a grid, then where its slope is zero beside that.

    Fisher scoring, the usual way, may stop at a local maximum or oscillate.
    """
    import numpy as np

    unit = _unit(y, v)
    if unit == 0.0:
        return 0.0
    grid = np.concatenate([[0.0], unit * np.logspace(-6, 2, 65)])
    values = np.array([_minus_restricted(t2, y, v) for t2 in grid])
    best = int(values.argmin())
    if best == 0:
        return 0.0
    low, high = float(grid[best - 1]), float(grid[min(best + 1, len(grid) - 1)])
    if _slope(low, y, v) > 0.0 > _slope(high, y, v):
        return _zero(lambda t2: _slope(t2, y, v), low, high)
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(_minus_restricted, args=(y, v), bounds=(low, high), method="bounded")
    return float(found.x)


def _minus_restricted(t2: float, y: FloatArray, v: FloatArray) -> float:
    import numpy as np

    total = v + t2
    w = 1.0 / total
    return float(0.5 * (np.log(total).sum() + np.log(w.sum())) + 0.5 * _q_at(y, v, t2))


def _slope(t2: float, y: FloatArray, v: FloatArray) -> float:
    """Twice the derivative of the restricted log-likelihood."""
    w = 1.0 / (v + t2)
    mean = (w * y).sum() / w.sum()
    return float(-w.sum() + (w**2).sum() / w.sum() + (w**2 * (y - mean) ** 2).sum())


def _unit(y: FloatArray, v: FloatArray) -> float:
    """A plausible size of τ², on the scale of the effects."""
    return float(y.var(ddof=1) + v.mean()) if y.var() > 0 else 0.0


def _root(falling: Callable[[float], float], y: FloatArray, v: FloatArray) -> float:
    """Where a function that decreases with τ² is zero; 0 where it starts below, inf where it never reaches zero."""
    if falling(0.0) <= 0.0:
        return 0.0
    high = float(v.mean()) + float(y.var())
    for _ in range(60):
        if falling(high) < 0.0:
            return _zero(falling, 0.0, high)
        high *= 4.0
    return math.inf


def _zero(falling: Callable[[float], float], low: float, high: float) -> float:
    """Root of a function positive at `low` and negative at `high`, by secants and bisection in turn.

    Loading SciPy's takes longer than pooling all studies.
    """
    above, below = falling(low), falling(high)
    for k in range(400):
        middle = (low + high) / 2
        if k % 2 and above > below:
            secant = low + (high - low) * above / (above - below)
            middle = secant if low < secant < high else middle
        if not low < middle < high or high - low <= 1e-14 * high:
            break
        at = falling(middle)
        low, above, high, below = (middle, at, high, below) if at > 0.0 else (low, above, middle, at)
    return (low + high) / 2


def q_profile(y: FloatArray, v: FloatArray, level: float) -> tuple[float, float]:
    """Confidence interval of τ² by the Q profile: all values that Q does not reject (Viechtbauer 2007)."""
    from scipy.special import chdtri

    df, tail = len(y) - 1, (1.0 - level) / 2.0
    ends = [float(chdtri(df, upper)) for upper in (tail, 1.0 - tail)]
    low, high = (_root(lambda t2, end=end: _q_at(y, v, t2) - end, y, v) for end in ends)  # type: ignore[misc]
    return low, high


TAU2: Mapping[str, Callable[[FloatArray, FloatArray], float]] = {
    "REML": _reml,
    "DL": dersimonian_laird,
    "PM": _paule_mandel,
    "SJ": _sidik_jonkman,
}


# -- meta-regression on one covariate ---------------------------------------------------------------
# A mixed-effects model with τ² by REML and t on k − 2 with Knapp and Hartung's errors, as metafor's rma(mods = ~x,
# test = "knha"). It compares trials, not persons, and shows association, not cause.

FEW = 10
"""Fewer studies than this and a slope is not to be relied on (Cochrane Handbook 10.11.5.1)."""


@dataclass(frozen=True)
class Regression:
    """Effect as a straight line of one covariate, on the scale of analysis."""

    covariate: str
    k: int
    intercept: float
    slope: float
    """Change of the effect per unit; of a ratio's logarithm."""
    slope_se: float
    slope_low: float
    slope_high: float
    p: float
    tau2: float
    """That is left."""
    explained: float | None
    """Percent of τ² without the covariate; None where that is zero."""
    q: float
    """Residual heterogeneity."""
    left_out: tuple[str, ...] = ()
    """Studies that do not state the covariate."""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "left_out": list(self.left_out)}


def values_of(studies: Studies, covariate: str) -> Mapping[str, float]:
    """Study to the value of a covariate: `duration_weeks`, or a name under a trial's `covariates`."""
    found = {}
    for entry in studies.trials:
        row: Any = entry.row
        stated = (
            row.duration_weeks if covariate == "duration_weeks" else (row.covariates or {}).get(covariate)
        )
        if (value := number(stated)) is not None:
            found[entry.id] = value
    if found:
        return found
    rows: list[Any] = [entry.row for entry in studies.trials]
    every = [{"duration_weeks": row.duration_weeks, **(row.covariates or {})} for row in rows]
    names = dict.fromkeys(name for each in every for name in each if number(each[name]) is not None)
    raise EvidenceError(
        f"No trial states a number for the covariate {covariate!r}.",
        where="--covariate",
        allowed=f"{', '.join(names)}." if names else "",
        do="correct it, or state it in your file: covariates: {dose_mg: 10}.",
    )


def regress(
    effects: Sequence[Effect], values: Mapping[str, float], covariate: str, *, level: float = 0.95
) -> Regression:
    """The effects against the covariate of their studies.

    Raises       EvidenceError below three studies with the covariate, or where all have the same value.
    """
    import numpy as np
    from scipy.special import stdtr, stdtrit

    used = [each for each in effects if each.study in values]
    x = np.array([values[each.study] for each in used], dtype=float)
    if len(used) < 3 or float(np.ptp(x)) == 0.0:
        raise EvidenceError(
            f"{len(used)} studies with {len(set(x))} different values of {covariate} give no slope.",
            where="--covariate",
            allowed="three studies or more, of two values or more.",
            do="leave --covariate out, or choose another.",
        )
    y, v = np.array([each.y for each in used]), np.array([each.v for each in used])
    design = np.column_stack([np.ones(len(x)), x])
    t2 = _reml_of_line(y, v, design)
    beta, covariance, rest = _fit(y, v, design, t2)
    df = len(used) - 2
    error = math.sqrt(float(covariance[1, 1]) * rest / df)
    half = float(stdtrit(df, 0.5 + level / 2.0)) * error
    slope = float(beta[1])
    alone = TAU2["REML"](y, v)
    return Regression(
        covariate=covariate,
        k=len(used),
        intercept=float(beta[0]),
        slope=slope,
        slope_se=error,
        slope_low=slope - half,
        slope_high=slope + half,
        p=float(2.0 * stdtr(df, -abs(slope) / error)) if error else 0.0,
        tau2=t2,
        explained=max(0.0, 100.0 * (alone - t2) / alone) if alone > 0 else None,
        q=_fit(y, v, design, 0.0)[2],
        left_out=tuple(each.label for each in effects if each.study not in values),
    )


def _fit(y: FloatArray, v: FloatArray, x: FloatArray, t2: float) -> tuple[FloatArray, FloatArray, float]:
    """Weighted least squares: coefficients, their covariance, and the weighted sum of squares that is left."""
    import numpy as np

    w = 1.0 / (v + t2)
    covariance = np.linalg.inv((x.T * w) @ x)
    beta = covariance @ (x.T @ (w * y))
    return beta, np.asarray(covariance, dtype=np.float64), float((w * (y - x @ beta) ** 2).sum())


def _reml_of_line(y: FloatArray, v: FloatArray, x: FloatArray) -> float:
    """Maximum of the restricted likelihood: the best of a grid, then between its neighbours."""
    import numpy as np
    from scipy.optimize import minimize_scalar

    def height(t2: float) -> float:
        covariance, rest = _fit(y, v, x, t2)[1:]
        return float(np.log(v + t2).sum() - np.linalg.slogdet(covariance)[1] + rest)

    grid = np.concatenate([[0.0], float(y.var() + v.mean()) * np.logspace(-6, 2, 65)])
    best = int(np.argmin([height(t2) for t2 in grid]))
    if best == 0:
        return 0.0
    ends = (float(grid[best - 1]), float(grid[min(best + 1, len(grid) - 1)]))
    found = minimize_scalar(height, bounds=ends, method="bounded", options={"xatol": 1e-12})
    return float(found.x)


# -- small-study effects, and pooled estimates that are not credible --------------------------------
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
            where="effects",
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
            where="effects",
            allowed="studies of different sizes.",
            do="judge each study by its own size and funding.",
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
