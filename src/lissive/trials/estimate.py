"""How two arms of a trial are compared: regression by statsmodels, survival by lifelines.

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
import numpy.typing as npt

Column = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

MEASURES = {
    "ANCOVA": "difference",
    "logistic regression": "odds ratio",
    "negative binomial": "rate ratio",
    "Cox": "hazard ratio",
    "log-rank": "",
    "crossover": "difference",
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


class _Term(NamedTuple):
    """The treatment's coefficient in a fit, on the scale on which it is normal."""

    value: float
    se: float
    p: float
    lower: float
    upper: float


# ---- What the methods share ----


@contextmanager
def _quiet() -> Iterator[None]:
    """Whether a fit is sound is read from the fit itself, not from warnings.

    statsmodels puts its own filters first as it is imported: import it before this, not within.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _complete(*columns: Column) -> list[Floats]:
    """Columns as floats, and of them the rows in which all are finite."""
    floats = [np.asarray(column, dtype=float) for column in columns]
    keep = np.logical_and.reduce([np.isfinite(column) for column in floats])
    return [column[keep] for column in floats]


def _arm(treated: Column) -> Floats:
    """1 treated, 0 control, NaN unknown."""
    floats = np.asarray(treated, dtype=float)
    return np.where(np.isnan(floats), np.nan, floats != 0)


def _codes(labels: Column) -> Floats:
    """Numbers from 0 for labels of any type; NaN for NaN."""
    labels = np.asarray(labels)
    known = labels == labels
    codes = np.full(labels.shape, np.nan)
    codes[known] = np.unique(labels[known], return_inverse=True)[1]
    return codes


def _dummies(codes: Floats) -> list[Floats]:
    """A column for each label but the first."""
    return [(codes == code).astype(float) for code in np.unique(codes)[1:]]


def _too_few(treated: Floats) -> str:
    """Why there is nothing to compare; empty where there is."""
    if treated.size < 3:
        return "fewer than 3 patients"
    if not treated.any():
        return "nobody in the treated arm"
    return "nobody in the control arm" if treated.all() else ""


def _design(treated: Floats, covariates: Sequence[Floats]) -> Floats | None:
    """Constant, treatment, and each covariate that varies, scaled; None where they tell the treatment too.

    Scaling changes no estimate of the treatment, and makes the fits and the checks on them independent of units.
    """
    columns = [np.ones(treated.size), treated]
    for covariate in covariates:
        sd = covariate.std()
        if sd > 1e-12 * np.abs(covariate).max():
            columns.append((covariate - covariate.mean()) / sd)
    design = np.column_stack(columns)
    return design if _adds(design, 1) else None


def _adds(design: Floats, place: int) -> bool:
    """Whether a column is more than a sum of the others: only then has it a coefficient of its own."""
    others = np.delete(design, place, axis=1)
    rank = np.linalg.matrix_rank
    return bool(rank(design) > (rank(others) if others.shape[1] else 0))


def _nothing(method: str, n: int, note: str, p: float = math.nan) -> Estimate:
    return Estimate(method, MEASURES[method], math.nan, math.nan, math.nan, math.nan, p, n, note)


def _estimate(method: str, term: _Term, n: int, note: str = "") -> Estimate:
    measure = MEASURES[method]
    values = np.array([term.value, term.lower, term.upper])
    if measure.endswith("ratio"):
        with np.errstate(over="ignore"):
            values = np.exp(values)
    value, lower, upper = map(float, values)
    return Estimate(method, measure, value, lower, upper, term.se, term.p, n, note)


def _term(result: Any, place: int, alpha: float) -> _Term:
    """A coefficient of a result of statsmodels."""
    lower, upper = result.conf_int(alpha)[place]
    values = (result.params[place], result.bse[place], result.pvalues[place], lower, upper)
    return _Term(*map(float, values))


def _sound(term: _Term) -> bool:
    """Whether a logarithm of a ratio, with its error, comes from a likelihood that has a maximum."""
    return bool(np.isfinite(term).all()) and LEAST_SE < term.se < MOST_SE


def _most_likely(fit: Callable[[], Any], alpha: float, least: float = -math.inf) -> _Term | None:
    """The treatment's term of a fit by maximum likelihood; None where that fails, or its last parameter is too low."""
    try:
        with _quiet():
            result = fit()
            if not result.mle_retvals["converged"] or result.params[-1] < least:
                return None
            term = _term(result, 1, alpha)
    except (ValueError, ArithmeticError):  # a singular matrix is a ValueError
        return None
    return term if _sound(term) else None


CONFOUNDED = "the covariates tell the treatment: they cannot be told apart"


# ---- Differences ----


def _least_squares(
    method: str,
    values: Floats,
    design: Floats,
    place: int,
    *,
    n: int,
    alpha: float,
    largest: float,
    absorbed: int = 0,
) -> Estimate:
    """Ordinary least squares, with `absorbed` degrees of freedom spent before; `largest` is the data's size."""
    from statsmodels.regression.linear_model import OLS

    model = OLS(values, design)
    model.df_resid -= absorbed
    if model.df_resid < 1:
        return _nothing(method, n, "too few patients for the model")
    with _quiet():
        result = model.fit()
        if result.ssr <= values.size * (ROUNDING * largest) ** 2:
            return _nothing(method, n, "no variance")
        return _estimate(method, _term(result, place, alpha), n)


def ancova(
    change: Column, baseline: Column, treated: Column, *, strata: Column | None = None, alpha: float = 0.05
) -> Estimate:
    """Mean difference of change, treated minus control, adjusted for baseline and strata.

    Args:
        change: (n,) change from baseline, in the measure's unit.
        baseline: (n,) in the same unit; left out of the model where all have the same.
        treated: (n,) 1 treated, 0 control.
        strata: (n,) labels of any type.
        alpha: 1 minus the confidence level.
    """
    change, baseline, arm, *labels = _complete(
        change, baseline, _arm(treated), *([] if strata is None else [_codes(strata)])
    )
    n = change.size
    if note := _too_few(arm):
        return _nothing("ANCOVA", n, note)
    design = _design(arm, [baseline, *(column for codes in labels for column in _dummies(codes))])
    if design is None:
        return _nothing("ANCOVA", n, CONFOUNDED)
    return _least_squares("ANCOVA", change, design, 1, n=n, alpha=alpha, largest=float(np.abs(change).max()))


def _within(column: Floats, patient: npt.NDArray[np.int64]) -> Floats:
    """A column less each patient's own mean."""
    means = np.bincount(patient, column) / np.bincount(patient)
    return np.asarray(column - means[patient])


def crossover(
    values: Column,
    sequence: Column,
    treatment: Column,
    subject: Column,
    period: Column,
    *,
    alpha: float = 0.05,
) -> Estimate:
    """Mean difference within patients, treated minus control, adjusted for period; no carry-over is assumed.

    Least squares with a fixed effect for each patient, taken out by subtracting the patient's mean; with two
    periods this is the analysis of the patients' differences. Patients with one period only say nothing.

    Args:
        values: (rows,) in the measure's unit; a row is a patient and period.
        sequence: (rows,) labels of any type. The patients' effects hold the sequences'; but with one sequence alone
            treatment and period cannot be told apart.
        treatment: (rows,) 1 treated, 0 control.
        subject: (rows,) labels of any type.
        period: (rows,) labels of any type.
        alpha: 1 minus the confidence level.
    """
    values, arm, subject, period, sequence = _complete(
        values, _arm(treatment), _codes(subject), _codes(period), _codes(sequence)
    )
    if subject.size:
        paired = np.bincount(subject.astype(int))[subject.astype(int)] > 1
        values, arm, subject, period, sequence = (
            column[paired] for column in (values, arm, subject, period, sequence)
        )
    patients, patient = np.unique(subject, return_inverse=True)
    n = patients.size
    if n < 3:
        return _nothing("crossover", n, "fewer than 3 patients with two periods")
    if note := _too_few(arm):
        return _nothing("crossover", n, note)
    if np.unique(sequence).size < 2:
        return _nothing("crossover", n, "one sequence only: treatment and period cannot be told apart")
    design = np.column_stack([_within(column, patient) for column in (arm, *_dummies(period))])
    if not _adds(design, 0):
        return _nothing("crossover", n, "treatment cannot be told from period and patient")
    largest = float(np.abs(values).max())
    return _least_squares(
        "crossover", _within(values, patient), design, 0, n=n, alpha=alpha, largest=largest, absorbed=n
    )


# ---- Ratios ----


def odds_ratio(
    hit: Column, treated: Column, *, baseline: Column | None = None, alpha: float = 0.05
) -> Estimate:
    """Ratio of the odds of a hit (a responder, a side effect), treated to control, by logistic regression.

    Where an arm has hits only or none, or the baseline parts hits from the others, the likelihood has no maximum:
    then the 2×2 table with 0.5 added to each cell, not adjusted for the baseline.

    Args:
        hit: (n,) 1 yes, 0 no.
        treated: (n,) 1 treated, 0 control.
        baseline: (n,) a covariate, in any unit.
        alpha: 1 minus the confidence level.
    """
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.stats.contingency_tables import Table2x2

    method = "logistic regression"
    hit, arm, *covariates = _complete(_arm(hit), _arm(treated), *([] if baseline is None else [baseline]))
    if note := _too_few(arm):
        return _nothing(method, hit.size, note)
    if hit.all() or not hit.any():
        return _nothing(method, hit.size, "everybody hit" if hit.all() else "nobody hit")
    design = _design(arm, covariates)
    if design is None:
        return _nothing(method, hit.size, CONFOUNDED)
    cells = np.array([[np.sum((arm == a) & (hit == h)) for h in (1, 0)] for a in (1, 0)], dtype=float)
    if cells.all():
        term = _most_likely(lambda: Logit(hit, design, check_rank=False).fit(disp=0), alpha)
        if term is not None:
            return _estimate(method, term, hit.size)
    note = (
        "the baseline parts those hit from the others" if cells.all() else "a cell of the 2×2 table is empty"
    )
    table = Table2x2(cells + 0.5)
    term = _Term(
        *map(float, (table.log_oddsratio, table.log_oddsratio_se, table.log_oddsratio_pvalue())),
        *map(float, table.log_oddsratio_confint(alpha)),
    )
    return _estimate(method, term, hit.size, f"{note}: 2×2 table with 0.5 added to each cell")


def rate_ratio(
    counts: Column,
    days: Column,
    treated: Column,
    *,
    baseline_rate: Column | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """Ratio of rates, treated to control, by negative binomial regression with its dispersion estimated.

    Counts that vary no more than Poisson's have no dispersion to estimate: then Poisson regression with robust errors.
    With no event in one arm the ratio has no finite estimate; the p-value is then the robust score test's.

    Args:
        counts: (n,) events over the days; one below zero is missing.
        days: (n,) with a diary; none is missing.
        treated: (n,) 1 treated, 0 control.
        baseline_rate: (n,) events a day before treatment; its covariate is log(rate + 0.5).
        alpha: 1 minus the confidence level.
    """
    method = "negative binomial"
    columns = [counts, days, _arm(treated), *([] if baseline_rate is None else [baseline_rate])]
    counts, days, arm, *rates = _complete(*columns)
    proper = np.logical_and.reduce([days > 0, *(column >= 0 for column in (counts, *rates))])
    counts, days, arm, *rates = (column[proper] for column in (counts, days, arm, *rates))
    if note := _too_few(arm):
        return _nothing(method, counts.size, note)
    if not counts.any():
        return _nothing(method, counts.size, "no events")
    design = _design(arm, [np.log(rate + 0.5) for rate in rates])
    if design is None:
        return _nothing(method, counts.size, CONFOUNDED)
    return _rates(counts, design, np.log(days), alpha)


def _rates(counts: Floats, design: Floats, offset: Floats, alpha: float) -> Estimate:
    """The first of the models of counts that can be fitted; the design's column 1 is the treatment."""
    from statsmodels.discrete.discrete_model import NegativeBinomial, Poisson

    method, n, arm = "negative binomial", counts.size, design[:, 1]
    data: dict[str, Any] = {"offset": offset, "check_rank": False}
    for code, name in ((1, "treated"), (0, "control")):
        if not counts[arm == code].any():
            p = _score_test(lambda: Poisson(counts, np.delete(design, 1, axis=1), **data), arm)
            note = f"no events in the {name} arm: no finite ratio; p from a score test"
            return _nothing(method, n, note, p)
    # Where the dispersion is at its limit, zero, it hangs on rounding whether the fit says that it has converged.
    term = _most_likely(
        lambda: NegativeBinomial(counts, design, **data).fit(disp=0, maxiter=100),
        alpha,
        least=LEAST_EXCESS / counts.mean(),
    )
    if term is not None:
        return _estimate(method, term, n)
    # Each patient a cluster: HC1, which statsmodels takes for HC0 in this model.
    robust = {"disp": 0, "cov_type": "cluster", "cov_kwds": {"groups": np.arange(n)}}
    term = _most_likely(lambda: Poisson(counts, design, **data).fit(**robust), alpha)
    if term is not None:
        return _estimate(method, term, n, "no negative binomial fit: Poisson with robust errors")
    return _nothing(method, n, "neither negative binomial nor Poisson regression can be fitted")


def _score_test(model: Callable[[], Any], arm: Floats) -> float:
    """Two-sided p of adding the treatment to a model without it, by robust errors."""
    try:
        with _quiet():
            _, p = model().fit(disp=0).score_test(exog_extra=arm[:, None], cov_type="HC0")
    except (ValueError, ArithmeticError):
        return math.nan
    return float(np.squeeze(p))


# ---- Times to an event ----


def _untold(time: Floats, failed: Floats, arm: Floats) -> str:
    """Why the times say nothing of the arms; empty where they do."""
    if note := _too_few(arm):
        return note
    if not failed.any():
        return "no events"
    first = time[failed == 1].min()
    at_risk = time >= first
    # Who is at risk later is at risk at the first event: if nothing can be told then, nothing can later.
    if np.unique(arm[at_risk]).size < 2:
        return "the arms are never at risk together"
    return "all at risk fail at once" if failed[at_risk & (time == first)].sum() == at_risk.sum() else ""


def hazard_ratio(time: Column, failed: Column, treated: Column, *, alpha: float = 0.05) -> Estimate:
    """Ratio of hazards, treated to control, by Cox regression (Efron's handling of ties).

    Where the ratio has no finite estimate (events in one arm only, say), the p-value is the log-rank test's.

    Args:
        time: (n,) to the event or the last that is known, in days or any unit.
        failed: (n,) 1 event, 0 censored.
        treated: (n,) 1 treated, 0 control.
        alpha: 1 minus the confidence level.
    """
    import pandas as pd
    from lifelines import CoxPHFitter

    time, failed, arm = _complete(time, _arm(failed), _arm(treated))
    if note := _untold(time, failed, arm):
        return _nothing("Cox", time.size, note)
    if np.unique(arm[failed == 1]).size == 2:
        table = pd.DataFrame({"time": time, "failed": failed, "treated": arm})
        try:
            with _quiet():
                fit = CoxPHFitter(alpha=alpha).fit(table, "time", "failed")
                value, se, p = fit.summary.loc["treated", ["coef", "se(coef)", "p"]]
                term = _Term(*map(float, (value, se, p, *fit.confidence_intervals_.to_numpy()[0])))
            if _sound(term):
                return _estimate("Cox", term, time.size)
        except (ValueError, ArithmeticError):  # lifelines' ConvergenceError is a ValueError
            pass
    p = log_rank(time, failed, arm).p
    return _nothing("Cox", time.size, "no finite ratio; p from the log-rank test", p)


def log_rank(time: Column, failed: Column, treated: Column) -> Estimate:
    """The log-rank test of two arms: a p-value alone.

    Args:
        time: (n,) to the event or the last that is known, in days or any unit.
        failed: (n,) 1 event, 0 censored.
        treated: (n,) 1 treated, 0 control.
    """
    from lifelines.statistics import logrank_test

    time, failed, arm = _complete(time, _arm(failed), _arm(treated))
    if note := _untold(time, failed, arm):
        return _nothing("log-rank", time.size, note)
    first, second = arm == 1, arm == 0
    with _quiet():
        test = logrank_test(time[first], time[second], failed[first], failed[second])
    return _nothing("log-rank", time.size, "", float(test.p_value))


def survival(time: Column, failed: Column, at: Sequence[float] | Floats) -> tuple[float, ...]:
    """Kaplan and Meier's share without an event, at each time of `at`; NaN where there is nobody.

    After the last time that is known of anybody, the share stays as it was.

    Args:
        time: (n,) to the event or the last that is known, in days or any unit.
        failed: (n,) 1 event, 0 censored.
        at: (m,) times, in the same unit.
    """
    from lifelines import KaplanMeierFitter

    time, failed = _complete(time, _arm(failed))
    if not time.size or not len(at):
        return (math.nan,) * len(at)
    with _quiet():
        shares = KaplanMeierFitter().fit(time, failed).survival_function_at_times(np.asarray(at, dtype=float))
    return tuple(map(float, shares))


# ---- Many trials ----


def power(p_values: Sequence[float] | Floats, alpha: float) -> tuple[float, float, float]:
    """Share of trials with p below alpha, with Wilson's 95 % limits; NaN where there is no trial.

    Args:
        p_values: (trials,); NaN, a trial that gave none, is not below alpha.
        alpha: the level of the test, two-sided.
    """
    from statsmodels.stats.proportion import proportion_confint

    p_values = np.asarray(p_values, dtype=float)
    if not p_values.size:
        return (math.nan, math.nan, math.nan)
    below = int(np.sum(p_values < alpha))
    lower, upper = proportion_confint(below, p_values.size, alpha=0.05, method="wilson")
    return (below / p_values.size, float(lower), float(upper))
