"""How two arms of a trial are compared: regression by statsmodels; times to an event are in `fits`.

All columns are 1-D arrays of one length, one entry a patient (in `crossover`, a patient and period). A row with a
missing value (NaN) in any column that is used is left out. What cannot be estimated is NaN, and the note says why:
no data, however odd, raises or warns, since a trial among hundreds that shows nothing is a result too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lissive.arrays import AnyArray, FloatArray, IntArray
from lissive.trials.fits import (
    CONFOUNDED,
    LEAST_EXCESS,
    ROUNDING,
    Estimate,
    Term,
    adds,
    as_arm,
    codes_of,
    complete,
    design_of,
    dummies,
    estimate_of,
    most_likely,
    nothing,
    quiet,
    sound,
    term_of,
    too_few,
)

# ---- Differences ----


def _least_squares(
    method: str,
    values: FloatArray,
    design: FloatArray,
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
        return nothing(method, n, "too few patients for the model")
    with quiet():
        result = model.fit()
        if result.ssr <= values.size * (ROUNDING * largest) ** 2:
            return nothing(method, n, "no variance")
        return estimate_of(method, term_of(result, place, alpha), n)


def ancova(
    change: AnyArray,
    baseline: AnyArray,
    treated: AnyArray,
    *,
    strata: AnyArray | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """Mean difference of change, treated minus control, adjusted for baseline and strata.

    Parameters
    ----------
    change : (n,) change from baseline, in the measure's unit.
    baseline : (n,) in the same unit; left out of the model where all have the same.
    treated : (n,) 1 treated, 0 control.
    strata : (n,) labels of any type.
    alpha : 1 minus the confidence level.
    """
    change, baseline, arm, *labels = complete(
        change, baseline, as_arm(treated), *([] if strata is None else [codes_of(strata)])
    )
    n = change.size
    if note := too_few(arm):
        return nothing("ANCOVA", n, note)
    design = design_of(arm, [baseline, *(column for codes in labels for column in dummies(codes))])
    if design is None:
        return nothing("ANCOVA", n, CONFOUNDED)
    return _least_squares("ANCOVA", change, design, 1, n=n, alpha=alpha, largest=float(np.abs(change).max()))


def _within(column: FloatArray, patient: IntArray) -> FloatArray:
    """A column less each patient's own mean."""
    means = np.bincount(patient, column) / np.bincount(patient)
    return np.asarray(column - means[patient])


def crossover(
    values: AnyArray,
    sequence: AnyArray,
    treatment: AnyArray,
    subject: AnyArray,
    period: AnyArray,
    *,
    alpha: float = 0.05,
) -> Estimate:
    """Mean difference within patients, treated minus control, adjusted for period; no carry-over is assumed.

    Least squares with a fixed effect for each patient, taken out by subtracting the patient's mean; with two
    periods this is the analysis of the patients' differences. Patients with one period only say nothing.

    Parameters
    ----------
    values : (rows,) in the measure's unit; a row is a patient and period.
    sequence : (rows,) labels of any type. The patients' effects hold the sequences'; but with one sequence alone
        treatment and period are confounded.
    treatment : (rows,) 1 treated, 0 control.
    subject : (rows,) labels of any type.
    period : (rows,) labels of any type.
    alpha : 1 minus the confidence level.
    """
    values, arm, subject, period, sequence = complete(
        values, as_arm(treatment), codes_of(subject), codes_of(period), codes_of(sequence)
    )
    if subject.size:
        paired = np.bincount(subject.astype(int))[subject.astype(int)] > 1
        values, arm, subject, period, sequence = (
            column[paired] for column in (values, arm, subject, period, sequence)
        )
    patients, patient = np.unique(subject, return_inverse=True)
    n = patients.size
    if n < 3:
        return nothing("crossover", n, "fewer than 3 patients with two periods")
    if note := too_few(arm):
        return nothing("crossover", n, note)
    if np.unique(sequence).size < 2:
        return nothing("crossover", n, "one sequence only: treatment and period are confounded")
    design = np.column_stack([_within(column, patient) for column in (arm, *dummies(period))])
    if not adds(design, 0):
        return nothing("crossover", n, "treatment is confounded with period and patient")
    largest = float(np.abs(values).max())
    return _least_squares(
        "crossover", _within(values, patient), design, 0, n=n, alpha=alpha, largest=largest, absorbed=n
    )


# ---- Ratios ----


def odds_ratio(
    hit: AnyArray, treated: AnyArray, *, baseline: AnyArray | None = None, alpha: float = 0.05
) -> Estimate:
    """Ratio of the odds of a hit (a responder, a side effect), treated to control, by logistic regression.

    Where an arm has hits only or none, or the baseline parts hits from the others, the likelihood has no maximum:
    then the 2×2 table with 0.5 added to each cell, not adjusted for the baseline.

    Parameters
    ----------
    hit : (n,) 1 yes, 0 no.
    treated : (n,) 1 treated, 0 control.
    baseline : (n,) a covariate, in any unit.
    alpha : 1 minus the confidence level.
    """
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.stats.contingency_tables import Table2x2

    method = "logistic regression"
    hit, arm, *covariates = complete(as_arm(hit), as_arm(treated), *([] if baseline is None else [baseline]))
    if note := too_few(arm):
        return nothing(method, hit.size, note)
    if hit.all() or not hit.any():
        return nothing(method, hit.size, "all have the event" if hit.all() else "no events")
    design = design_of(arm, covariates)
    if design is None:
        return nothing(method, hit.size, CONFOUNDED)
    cells = np.array([[np.sum((arm == a) & (hit == h)) for h in (1, 0)] for a in (1, 0)], dtype=float)
    if cells.all():
        term = most_likely(lambda: Logit(hit, design, check_rank=False).fit(disp=0), alpha)
        if term is not None:
            return estimate_of(method, term, hit.size)
    note = (
        "the baseline separates those with the event completely"
        if cells.all()
        else "a cell of the 2×2 table is empty"
    )
    table = Table2x2(cells + 0.5)
    term = Term(
        *map(float, (table.log_oddsratio, table.log_oddsratio_se, table.log_oddsratio_pvalue())),
        *map(float, table.log_oddsratio_confint(alpha)),
    )
    return estimate_of(method, term, hit.size, f"{note}: 2×2 table with 0.5 added to each cell")


def paired_odds_ratio(
    hit: AnyArray, treatment: AnyArray, subject: AnyArray, period: AnyArray, *, alpha: float = 0.05
) -> Estimate:
    """Ratio of the odds of a hit within patients, treated to control, adjusted for period.

    Conditional logistic regression: only patients whose periods differ say anything. With two periods this is Gart's
    analysis; without an effect of period, McNemar's ratio of those who hit on one arm alone. Where the likelihood has
    no maximum, that ratio with 0.5 added to either number, and the exact test's p.

    Parameters
    ----------
    hit : (rows,) 1 yes, 0 no; a row is a patient and period.
    treatment : (rows,) 1 treated, 0 control.
    subject, period : (rows,) labels of any type.
    alpha : 1 minus the confidence level.
    """
    from statsmodels.discrete.conditional_models import ConditionalLogit

    method = "conditional logistic regression"
    hit, arm, subject, period = complete(as_arm(hit), as_arm(treatment), codes_of(subject), codes_of(period))
    patient = np.unique(subject, return_inverse=True)[1]
    rows, hits = np.bincount(patient), np.bincount(patient, hit)
    tells = ((hits > 0) & (hits < rows))[patient]
    n = int((rows > 1).sum())
    if n < 3:
        return nothing(method, n, "fewer than 3 patients with two periods")
    if not tells.any():
        return nothing(method, n, "no discordant pairs between periods")
    hit, arm, period = (column[tells] for column in (hit, arm, period))
    patient = np.unique(patient[tells], return_inverse=True)[1]
    design = np.column_stack([arm, *dummies(period)])
    if np.unique(arm[hit == 1]).size == 2 and adds(
        np.column_stack([_within(column, patient) for column in design.T]), 0
    ):
        try:
            with quiet():
                term = term_of(ConditionalLogit(hit, design, groups=patient).fit(disp=0), 0, alpha)
            if sound(term):
                return estimate_of(method, term, n)
        except (ValueError, ArithmeticError):  # a singular matrix is a ValueError
            pass
    return _mcnemar(hit, arm, n, alpha)


def _mcnemar(hit: FloatArray, arm: FloatArray, n: int, alpha: float) -> Estimate:
    """Hits on one arm alone over those on the other alone, 0.5 added to each, not adjusted for period; exact p."""
    from scipy.stats import binomtest, norm

    first, second = int(((hit == 1) & (arm == 1)).sum()), int(((hit == 1) & (arm == 0)).sum())
    log, se = math.log((first + 0.5) / (second + 0.5)), math.sqrt(1 / (first + 0.5) + 1 / (second + 0.5))
    z = float(norm.ppf(1 - alpha / 2))
    p = float(binomtest(first, first + second).pvalue)
    term = Term(log, se, p, log - z * se, log + z * se)
    note = "too few discordant pairs: McNemar's ratio with 0.5 added, not adjusted for period"
    return estimate_of("conditional logistic regression", term, n, note)


def rate_ratio(
    counts: AnyArray,
    days: AnyArray,
    treated: AnyArray,
    *,
    baseline_rate: AnyArray | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """Ratio of rates, treated to control, by negative binomial regression with its dispersion estimated.

    Counts that vary no more than Poisson's have no dispersion to estimate: then Poisson regression with robust errors.
    With no event in one arm the ratio has no finite estimate; the p-value is then the robust score test's.

    Parameters
    ----------
    counts : (n,) events over the days; one below zero is missing.
    days : (n,) with a diary; none is missing.
    treated : (n,) 1 treated, 0 control.
    baseline_rate : (n,) events a day before treatment; its covariate is log(rate + 0.5).
    alpha : 1 minus the confidence level.
    """
    method = "negative binomial"
    columns = [counts, days, as_arm(treated), *([] if baseline_rate is None else [baseline_rate])]
    counts, days, arm, *rates = complete(*columns)
    proper = np.logical_and.reduce([days > 0, *(column >= 0 for column in (counts, *rates))])
    counts, days, arm, *rates = (column[proper] for column in (counts, days, arm, *rates))
    if note := too_few(arm):
        return nothing(method, counts.size, note)
    if not counts.any():
        return nothing(method, counts.size, "no events")
    design = design_of(arm, [np.log(rate + 0.5) for rate in rates])
    if design is None:
        return nothing(method, counts.size, CONFOUNDED)
    return _rates(counts, design, np.log(days), alpha)


def _rates(counts: FloatArray, design: FloatArray, offset: FloatArray, alpha: float) -> Estimate:
    """The first of the models of counts that can be fitted; the design's column 1 is the treatment."""
    from statsmodels.discrete.discrete_model import NegativeBinomial, Poisson

    method, n, arm = "negative binomial", counts.size, design[:, 1]
    data: dict[str, Any] = {"offset": offset, "check_rank": False}
    for code, name in ((1, "treated"), (0, "control")):
        if not counts[arm == code].any():
            p = _score_test(lambda: Poisson(counts, np.delete(design, 1, axis=1), **data), arm)
            note = f"no events in the {name} arm: no finite ratio; p from a score test"
            return nothing(method, n, note, p)
    # Where the dispersion is at its limit, zero, it depends on rounding whether the fit says that it has converged.
    term = most_likely(
        lambda: NegativeBinomial(counts, design, **data).fit(disp=0, maxiter=100),
        alpha,
        least=LEAST_EXCESS / counts.mean(),
    )
    if term is not None:
        return estimate_of(method, term, n)
    # Each patient a cluster: HC1, which statsmodels takes for HC0 in this model.
    robust = {"disp": 0, "cov_type": "cluster", "cov_kwds": {"groups": np.arange(n)}}
    term = most_likely(lambda: Poisson(counts, design, **data).fit(**robust), alpha)
    if term is not None:
        return estimate_of(method, term, n, "no negative binomial fit: Poisson with robust errors")
    return nothing(method, n, "neither negative binomial nor Poisson regression can be fitted")


def paired_rate_ratio(
    counts: AnyArray,
    days: AnyArray,
    treatment: AnyArray,
    subject: AnyArray,
    period: AnyArray,
    *,
    alpha: float = 0.05,
) -> Estimate:
    """Ratio of rates, treated to control, in a crossover: negative binomial regression, adjusted for period.

    Generalised estimating equations with patients as clusters (exchangeable correlation); the dispersion is estimated
    by moments, the errors are robust and corrected for few clusters (Mancl and DeRouen), and the test is Student's.
    Where the correlation cannot be estimated, the working correlation is none; robust errors hold under it as well.

    Parameters
    ----------
    counts, days : (rows,) events, and days with a diary; a row is a patient and period.
    treatment : (rows,) 1 treated, 0 control.
    subject, period : (rows,) labels of any type.
    alpha : 1 minus the confidence level.
    """
    from scipy.stats import t as student

    method = "negative binomial GEE"
    columns = complete(counts, days, as_arm(treatment), codes_of(subject), codes_of(period))
    proper = (columns[1] > 0) & (columns[0] >= 0)
    counts, days, arm, subject, period = (column[proper] for column in columns)
    patients, rows = np.unique(subject, return_counts=True)
    n = int((rows > 1).sum())
    if n < 3:
        return nothing(method, n, "fewer than 3 patients with two periods")
    if note := too_few(arm):
        return nothing(method, n, note)
    for code, name in ((1, "treated"), (0, "control")):
        if not counts[arm == code].any():
            return nothing(method, n, f"no events in the {name} arm: no finite ratio")
    design = design_of(arm, dummies(period))
    df = patients.size - (0 if design is None else design.shape[1])
    if design is None or df < 1:
        return nothing(method, n, CONFOUNDED)
    order = np.argsort(subject, kind="stable")
    data = (counts[order], design[order], subject[order])
    for structure in ("exchangeable", "independence"):
        value, se = _clustered_rates(*data, np.log(days[order]), structure)
        by = float(student.ppf(1 - alpha / 2, df)) * se
        p = 2 * float(student.sf(abs(value) / se, df)) if se > 0 else math.nan
        term = Term(value, se, p, value - by, value + by)
        if sound(term):
            note = "" if structure == "exchangeable" else "no fit with exchangeable correlation: independence"
            return estimate_of(method, term, n, note)
    return nothing(method, n, "the equations have no solution")


def _clustered_rates(
    counts: FloatArray, design: FloatArray, patient: FloatArray, offset: FloatArray, structure: str
) -> tuple[float, float]:
    """The treatment's log rate ratio and its robust error, by this working correlation; NaN without a solution."""
    import statsmodels.api as sm

    kind = {"exchangeable": sm.cov_struct.Exchangeable, "independence": sm.cov_struct.Independence}[structure]
    more: dict[str, Any] = {"offset": offset, "cov_struct": kind()}  # the second fit goes on from the first's
    data: tuple[Any, ...] = (counts, design, patient)
    try:
        with quiet():
            mean = sm.GEE(*data, family=sm.families.Poisson(), **more).fit().fittedvalues
            spread = float(np.mean(((counts - mean) ** 2 - mean) / mean**2))
            family = sm.families.NegativeBinomial(alpha=max(spread, LEAST_EXCESS / float(counts.mean())))
            result = sm.GEE(*data, family=family, **more).fit(cov_type="bias_reduced")
            return float(result.params[1]), float(result.bse[1])
    except (ValueError, ArithmeticError):
        return math.nan, math.nan


def _score_test(model: Callable[[], Any], arm: FloatArray) -> float:
    """Two-sided p of adding the treatment to a model without it, by robust errors."""
    try:
        with quiet():
            _, p = model().fit(disp=0).score_test(exog_extra=arm[:, None], cov_type="HC0")
    except (ValueError, ArithmeticError):
        return math.nan
    return float(np.squeeze(p))


# ---- Many trials ----


def power(p_values: Sequence[float] | FloatArray, alpha: float) -> tuple[float, float, float]:
    """Share of trials with p below alpha, with Wilson's 95 % limits; NaN where there is no trial.

    Parameters
    ----------
    p_values : (trials,); NaN, a trial that gave none, is not below alpha.
    alpha : the level of the test, two-sided.
    """
    from statsmodels.stats.proportion import proportion_confint

    p_values = np.asarray(p_values, dtype=float)
    if not p_values.size:
        return (math.nan, math.nan, math.nan)
    below = int(np.sum(p_values < alpha))
    lower, upper = proportion_confint(below, p_values.size, alpha=0.05, method="wilson")
    # at none and at all, the limit is that, but for rounding
    return (
        below / p_values.size,
        float(lower) if below else 0.0,
        float(upper) if below < p_values.size else 1.0,
    )
