"""What comparisons of two arms share: their result, columns without gaps, fits that are sound or said not to be; and
times to an event in two arms, by lifelines. Other comparisons are in `estimate`.

All columns are 1-D arrays of one length, one entry a patient (in `crossover`, a patient and period). A row with a
missing value (NaN) in any column that is used is left out. What cannot be estimated is NaN, and the note says why:
no data, however odd, raises or warns, since a trial among hundreds that shows nothing is a result too.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lissive.arrays import AnyArray, FloatArray

MEASURES = {
    "ANCOVA": "difference",
    "logistic regression": "odds ratio",
    "conditional logistic regression": "odds ratio",
    "negative binomial": "rate ratio",
    "negative binomial GEE": "rate ratio",
    "Cox": "hazard ratio",
    "log-rank": "",
    "crossover": "difference",
    "MMRM": "difference",
    "multiple imputation": "difference",
    "jump to reference": "difference",
}
"""Method to what it measures: always treated against control."""

# A logarithm of a ratio is known better than the first only where nothing varies, and worse than the second only where
# the likelihood rises without end: the optimiser then stops somewhere on its flat part.
LEAST_SE, MOST_SE = 1e-8, 100.0
# What a model leaves over of the largest value, root mean square, that is rounding only.
ROUNDING = 1e-10

# Variance over the mean's own, as a part of it, below which counts are Poisson's.
LEAST_EXCESS = 0.01


@dataclass(frozen=True)
class Estimate:
    """What one comparison of two arms gives."""

    method: str
    """As MEASURES has them."""
    measure: str
    """difference, odds ratio, rate ratio, hazard ratio, or empty for a test alone."""
    value: float
    """Treated against control; a difference has the unit of what is compared. NaN where it cannot be estimated."""
    lower: float
    upper: float
    """Confidence limits."""
    se: float
    """On the scale on which the estimate is normal: the logarithm for ratios."""
    p: float
    """Two-sided."""
    n: int
    """Patients used."""
    note: str
    """Why there is no estimate, or what was done instead; else empty."""


class Term(NamedTuple):
    """The treatment's coefficient in a fit, on the scale on which it is normal."""

    value: float
    se: float
    p: float
    lower: float
    upper: float


# ---- What the methods share ----


@contextmanager
def quiet() -> Iterator[None]:
    """Whether a fit is sound is read from the fit itself, not from warnings.

    statsmodels puts its own filters first as it is imported: import it before this, not within.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def complete(*columns: AnyArray) -> list[FloatArray]:
    """Columns as floats, and of them the rows in which all are finite."""
    floats = [np.asarray(column, dtype=float) for column in columns]
    keep = np.logical_and.reduce([np.isfinite(column) for column in floats])
    return [column[keep] for column in floats]


def as_arm(treated: AnyArray) -> FloatArray:
    """1 treated, 0 control, NaN unknown."""
    floats = np.asarray(treated, dtype=float)
    return np.where(np.isnan(floats), np.nan, floats != 0)


def codes_of(labels: AnyArray) -> FloatArray:
    """Numbers from 0 for labels of any type; NaN for NaN."""
    labels = np.asarray(labels)
    known = labels == labels
    codes = np.full(labels.shape, np.nan)
    codes[known] = np.unique(labels[known], return_inverse=True)[1]
    return codes


def dummies(codes: FloatArray) -> list[FloatArray]:
    """A column for each label but the first."""
    return [(codes == code).astype(float) for code in np.unique(codes)[1:]]


def too_few(treated: FloatArray) -> str:
    """Why there is nothing to compare; empty where there is."""
    if treated.size < 3:
        return "fewer than 3 patients"
    if not treated.any():
        return "nobody in the treated arm"
    return "nobody in the control arm" if treated.all() else ""


def design_of(treated: FloatArray, covariates: Sequence[FloatArray]) -> FloatArray | None:
    """Constant, treatment, and each covariate that varies, scaled; None where they tell the treatment too.

    Scaling changes no estimate of the treatment, and makes the fits and the checks on them independent of units.
    """
    columns = [np.ones(treated.size), treated]
    for covariate in covariates:
        sd = covariate.std()
        if sd > 1e-12 * np.abs(covariate).max():
            columns.append((covariate - covariate.mean()) / sd)
    design = np.column_stack(columns)
    return design if adds(design, 1) else None


def adds(design: FloatArray, place: int) -> bool:
    """Whether a column is more than a sum of the others: only then has it a coefficient of its own."""
    others = np.delete(design, place, axis=1)
    rank = np.linalg.matrix_rank
    return bool(rank(design) > (rank(others) if others.shape[1] else 0))


def nothing(method: str, n: int, note: str, p: float = math.nan) -> Estimate:
    return Estimate(method, MEASURES[method], math.nan, math.nan, math.nan, math.nan, p, n, note)


def estimate_of(method: str, term: Term, n: int, note: str = "") -> Estimate:
    measure = MEASURES[method]
    values = np.array([term.value, term.lower, term.upper])
    if measure.endswith("ratio"):
        with np.errstate(over="ignore"):
            values = np.exp(values)
    value, lower, upper = map(float, values)
    return Estimate(method, measure, value, lower, upper, term.se, term.p, n, note)


def term_of(result: Any, place: int, alpha: float) -> Term:
    """A coefficient of a result of statsmodels."""
    lower, upper = result.conf_int(alpha)[place]
    values = (result.params[place], result.bse[place], result.pvalues[place], lower, upper)
    return Term(*map(float, values))


def sound(term: Term) -> bool:
    """Whether a logarithm of a ratio, with its error, comes from a likelihood that has a maximum."""
    return bool(np.isfinite(term).all()) and LEAST_SE < term.se < MOST_SE


def most_likely(fit: Callable[[], Any], alpha: float, least: float = -math.inf) -> Term | None:
    """The treatment's term of a fit by maximum likelihood; None where that fails, or its last parameter is too low."""
    try:
        with quiet():
            result = fit()
            if not result.mle_retvals["converged"] or result.params[-1] < least:
                return None
            term = term_of(result, 1, alpha)
    except (ValueError, ArithmeticError):  # a singular matrix is a ValueError
        return None
    return term if sound(term) else None


CONFOUNDED = "treatment is confounded with the covariates"


# ---- Times to an event ----


def _not_estimable(time: FloatArray, failed: FloatArray, arm: FloatArray) -> str:
    """Why the times say nothing of the arms; empty where they do."""
    if note := too_few(arm):
        return note
    if not failed.any():
        return "no events"
    first = time[failed == 1].min()
    at_risk = time >= first
    # Who is at risk later is at risk at the first event: if nothing is estimable then, nothing is later.
    if np.unique(arm[at_risk]).size < 2:
        return "the arms are never at risk together"
    return "all at risk fail at once" if failed[at_risk & (time == first)].sum() == at_risk.sum() else ""


def hazard_ratio(time: AnyArray, failed: AnyArray, treated: AnyArray, *, alpha: float = 0.05) -> Estimate:
    """Ratio of hazards, treated to control, by Cox regression (Efron's handling of ties).

    Where the ratio has no finite estimate (events in one arm only, say), the p-value is the log-rank test's.

    Parameters
    ----------
    time : (n,) to the event or the last that is known, in days or any unit.
    failed : (n,) 1 event, 0 censored.
    treated : (n,) 1 treated, 0 control.
    alpha : 1 minus the confidence level.
    """
    import pandas as pd
    from lifelines import CoxPHFitter

    time, failed, arm = complete(time, as_arm(failed), as_arm(treated))
    if note := _not_estimable(time, failed, arm):
        return nothing("Cox", time.size, note)
    if np.unique(arm[failed == 1]).size == 2:
        table = pd.DataFrame({"time": time, "failed": failed, "treated": arm})
        try:
            with quiet():
                fit = CoxPHFitter(alpha=alpha).fit(table, "time", "failed")
                value, se, p = fit.summary.loc["treated", ["coef", "se(coef)", "p"]]
                term = Term(*map(float, (value, se, p, *fit.confidence_intervals_.to_numpy()[0])))
            if sound(term):
                return estimate_of("Cox", term, time.size)
        except (ValueError, ArithmeticError):  # lifelines' ConvergenceError is a ValueError
            pass
    p = log_rank(time, failed, arm).p
    return nothing("Cox", time.size, "no finite ratio; p from the log-rank test", p)


def log_rank(time: AnyArray, failed: AnyArray, treated: AnyArray) -> Estimate:
    """The log-rank test of two arms: a p-value alone.

    Parameters
    ----------
    time : (n,) to the event or the last that is known, in days or any unit.
    failed : (n,) 1 event, 0 censored.
    treated : (n,) 1 treated, 0 control.
    """
    from lifelines.statistics import logrank_test

    time, failed, arm = complete(time, as_arm(failed), as_arm(treated))
    if note := _not_estimable(time, failed, arm):
        return nothing("log-rank", time.size, note)
    first, second = arm == 1, arm == 0
    with quiet():
        test = logrank_test(time[first], time[second], failed[first], failed[second])
    return nothing("log-rank", time.size, "", float(test.p_value))
