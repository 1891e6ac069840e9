"""Visits that nobody saw: mixed models for repeated measures (MMRM), and multiple imputation.

Neither is in statsmodels in the form that trials use. The model has one residual covariance, unstructured, for the
visits of all participants, and for each visit its own intercept, treatment effect and slope of each covariate; it is
fitted by restricted maximum likelihood (Fisher scoring), with the covariance and degrees of freedom of Kenward and
Roger (Biometrics 1997;53:983) for the treatment effect. All participants with the same visits share every matrix, so
that a trial of hundreds is a few small products of matrices.

Imputation is by the same model fitted to bootstrap samples (approximately Bayesian), each completed trial analysed by
ANCOVA, and the results pooled by Rubin's rules with the degrees of freedom of Barnard and Rubin.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lissive.arrays import AnyArray, BoolArray, FloatArray, IntArray
from lissive.trials.fits import (
    CONFOUNDED,
    Estimate,
    Term,
    as_arm,
    design_of,
    estimate_of,
    nothing,
    quiet,
    too_few,
)

MOST_STEPS, CLOSE, ROUGH = 60, 1e-8, 1e-3
"""Steps of scoring, and the change of the covariance, as a proportion, at which they end; of a bootstrap sample, whose
own error is far larger, the second."""


@dataclass(frozen=True)
class _Pattern:
    """All participants with the same visits."""

    visits: BoolArray
    x: FloatArray
    """(participant, covariate)"""
    y: FloatArray
    """(participant, visit), NaN where not seen."""
    xx: FloatArray


@dataclass(frozen=True)
class Fit:
    """What one fit found."""

    beta: FloatArray
    """(visit, covariate)"""
    sigma: FloatArray
    """(visit, visit)"""
    phi: FloatArray
    """Covariance of beta, visits outside: (visit * covariate, the same)."""
    converged: bool


def _patterns(y: FloatArray, x: FloatArray) -> list[_Pattern]:
    seen = ~np.isnan(y)
    keys, which = np.unique(seen, axis=0, return_inverse=True)
    found = []
    for k, visits in enumerate(keys):
        mine = which.ravel() == k
        if visits.any():
            found.append(_Pattern(visits, x[mine], y[mine], x[mine].T @ x[mine]))
    return found


def _inverse(sigma: FloatArray, visits: BoolArray) -> FloatArray:
    """Of the part of the covariance that was seen, zero elsewhere."""
    whole = np.zeros_like(sigma)
    whole[np.ix_(visits, visits)] = np.linalg.inv(sigma[np.ix_(visits, visits)])
    return whole


def _beta(patterns: list[_Pattern], inverses: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """(visit, covariate) generalised least squares, and its covariance."""
    t, q = len(patterns[0].visits), patterns[0].x.shape[1]
    left, right = np.zeros((t * q, t * q)), np.zeros((t, q))
    for each, a in zip(patterns, inverses, strict=True):
        left += np.kron(a, each.xx)
        right += a @ np.nan_to_num(each.y).T @ each.x
    phi = np.linalg.inv(left)
    return (phi @ right.ravel()).reshape(t, q), phi


def _units(t: int) -> list[FloatArray]:
    """The derivative of the covariance by each of its entries, on and below the diagonal."""
    found = []
    for row, column in zip(*np.tril_indices(t), strict=True):
        one = np.zeros((t, t))
        one[row, column] = one[column, row] = 1.0
        found.append(one)
    return found


def fit(y: FloatArray, x: FloatArray, start: FloatArray | None = None, close: float = CLOSE) -> Fit:
    """Fit the model by restricted maximum likelihood.

    Parameters
    ----------
    y : (participant, visit), NaN where not seen; each visit was seen of more participants than there are covariates.
    x : (participant, covariate), a constant among them.
    start : (visit, visit) covariance to start from.
    close : change of the covariance, as a proportion of its largest variance, at which the search ends.
    """
    patterns, t = _patterns(y, x), y.shape[1]
    units = _units(t)
    sigma = _first(y, x) if start is None else start
    converged = False
    for _ in range(MOST_STEPS):
        inverses = [_inverse(sigma, each.visits) for each in patterns]
        beta, phi = _beta(patterns, inverses)
        score, information = _score(patterns, inverses, beta, phi, units)
        step = np.linalg.solve(information, score)
        new = sigma + sum(s * u for s, u in zip(step, units, strict=True))
        scale = 1.0
        while np.linalg.eigvalsh(new)[0] <= 1e-10 * np.trace(sigma) and scale > 1e-6:
            scale /= 2.0
            new = sigma + scale * sum(s * u for s, u in zip(step, units, strict=True))
        change = np.abs(new - sigma).max() / np.abs(np.diag(sigma)).max()
        sigma = new
        if change < close:
            converged = True
            break
    inverses = [_inverse(sigma, each.visits) for each in patterns]
    beta, phi = _beta(patterns, inverses)
    return Fit(beta, sigma, phi, converged)


def _first(y: FloatArray, x: FloatArray) -> FloatArray:
    """Residual variances of each visit alone, with a correlation of one half."""
    sd = []
    for column in y.T:
        there = ~np.isnan(column)
        beta, *_ = np.linalg.lstsq(x[there], column[there], rcond=None)
        sd.append(math.sqrt(max(float(np.var(column[there] - x[there] @ beta)), 1e-8)))
    correlation = np.full((len(sd), len(sd)), 0.5) + 0.5 * np.eye(len(sd))
    return np.outer(sd, sd) * correlation


def _score(
    patterns: list[_Pattern],
    inverses: list[FloatArray],
    beta: FloatArray,
    phi: FloatArray,
    units: list[FloatArray],
) -> tuple[FloatArray, FloatArray]:
    """The score of the restricted likelihood by each entry, and the information of the likelihood."""
    t, q = beta.shape
    cube = phi.reshape(t, q, t, q)
    pull, information = np.zeros((t, t)), np.zeros((len(units), len(units)))
    for each, a in zip(patterns, inverses, strict=True):
        residual = np.where(np.isnan(each.y), 0.0, each.y - each.x @ beta.T)
        spread = residual.T @ residual + np.einsum("aibj,ij->ab", cube, each.xx)
        pull += a @ spread @ a - len(each.x) * a
        parts = np.array([a @ u for u in units])
        information += 0.5 * len(each.x) * np.einsum("kab,lba->kl", parts, parts)
    return np.array([0.5 * float((pull * u).sum()) for u in units]), information


def _kenward_roger(y: FloatArray, x: FloatArray, found: Fit, contrast: FloatArray) -> tuple[float, float]:
    """Variance of a contrast of beta, corrected, and its degrees of freedom.

    P and Q are the paper's, of which only what the contrast asks for is worked out: u is phi times the contrast.
    """
    patterns, units = _patterns(y, x), np.array(_units(y.shape[1]))
    phi, k, (t, q) = found.phi, len(units), found.beta.shape
    u = phi @ contrast
    cube, square = phi.reshape(t, q, t, q), u.reshape(t, q)
    p = np.zeros((k, t * q, t * q))
    of_q, information = np.zeros((k, k)), np.zeros((k, k))
    for each in patterns:
        a = _inverse(found.sigma, each.visits)
        parts = a @ units @ a
        p -= np.array([np.kron(part, each.xx) for part in parts])
        products = np.einsum("iab,jbc->ijac", parts, units @ a, optimize=True)
        of_q += np.einsum("ijab,ab->ij", products, square @ each.xx @ square.T)
        information += 0.5 * len(each.x) * np.einsum("iab,jab->ij", parts, units)
        information -= np.einsum("ijab,ab->ij", products, np.einsum("aibj,ij->ab", cube, each.xx))
    sides = phi @ p
    information += 0.5 * np.einsum("iab,jba->ij", sides, sides)
    w = np.linalg.inv(information)
    pulled = p @ u
    plain = float(contrast @ u)
    adjusted = plain + 2.0 * float((w * (of_q - pulled @ phi @ pulled.T)).sum())
    slopes = pulled @ u
    return adjusted, 2.0 * plain**2 / float(slopes @ w @ slopes)


def _columns(
    values: AnyArray, base: AnyArray, treated: AnyArray, others: list[FloatArray]
) -> tuple[FloatArray, FloatArray, str]:
    """(participant, visit) changes, (participant, covariate) with the treatment as column 1, and why there are none."""
    values, base, arm = np.asarray(values, float), np.asarray(base, float), as_arm(treated)
    usable = np.isfinite(base) & np.isfinite(arm) & np.isfinite(values).any(axis=1)
    change = (values - base[:, None])[usable]
    if note := too_few(arm[usable]):
        return change, np.zeros((0, 0)), note
    x = design_of(arm[usable], [base[usable], *(each[usable] for each in others)])
    if x is None:
        return change, np.zeros((0, 0)), CONFOUNDED
    for k in range(change.shape[1]):
        there = np.isfinite(change[:, k])
        if there.sum() <= x.shape[1] + 1 or np.linalg.matrix_rank(x[there]) < x.shape[1]:
            return change, x, "too few participants at a visit for the model"
    return change, x, ""


def _term(value: float, variance: float, df: float, alpha: float) -> Term:
    from scipy.stats import t as student

    se = math.sqrt(variance)
    by = float(student.ppf(1.0 - alpha / 2.0, df)) * se
    return Term(value, se, 2.0 * float(student.sf(abs(value) / se, df)), value - by, value + by)


def mmrm(
    values: AnyArray,
    base: AnyArray,
    treated: AnyArray,
    *,
    visit: int = -1,
    others: list[FloatArray] | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """Mean difference of change at a visit, treated minus control, by a mixed model for repeated measures.

    Parameters
    ----------
    values : (participant, visit) in the measure's unit, NaN where not seen; all visits are used.
    base : (participant,) baseline, in the same unit.
    treated : (participant,) 1 treated, 0 control.
    visit : place of the visit that is compared.
    others : more covariates, (participant,) each.
    alpha : 1 minus the confidence level.
    """
    change, x, note = _columns(values, base, treated, others or [])
    if note:
        return nothing("MMRM", len(change), note)
    try:
        with quiet():
            found = fit(change, x)
            if not found.converged:
                return nothing("MMRM", len(change), "the model does not converge")
            contrast = np.zeros(found.beta.shape)
            contrast[visit, 1] = 1.0
            variance, df = _kenward_roger(change, x, found, contrast.ravel())
    except np.linalg.LinAlgError:
        return nothing("MMRM", len(change), "the covariance of the visits is singular")
    if not (variance > 0 and df > 0):
        return nothing("MMRM", len(change), "no variance")
    return estimate_of("MMRM", _term(float(found.beta[visit, 1]), variance, df, alpha), len(change))


# -- multiple imputation --------------------------------------------------------------------------------
def imputed(
    values: AnyArray,
    base: AnyArray,
    treated: AnyArray,
    *,
    draws: FloatArray,
    jumping: BoolArray | None = None,
    visit: int = -1,
    others: list[FloatArray] | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """The same difference by multiple imputation: ANCOVA of each completed trial, pooled by Rubin's rules.

    Parameters
    ----------
    draws : (imputation, participant, 1 + visits) numbers between 0 and 1: the bootstrap and the imputed values.
    jumping : (participant, visit) visits after discontinuation, at which the treated are imputed as the control arm is
        (jump to reference); without them, as those of their own arm who stayed (missing at random).
    """
    method = "multiple imputation" if jumping is None else "jump to reference"
    arm = as_arm(treated)
    change, x, note = _columns(values, base, treated, others or [])
    if note:
        return nothing(method, len(change), note)
    usable = (
        np.isfinite(np.asarray(base, float)) & np.isfinite(arm) & np.isfinite(np.asarray(values)).any(axis=1)
    )
    draws = draws[:, usable]
    jump = np.zeros(change.shape, bool)
    if jumping is not None:
        jump = jumping[usable] & (x[:, 1] == 1)[:, None]
    try:
        with quiet():
            start = fit(change, x).sigma
            pairs = [_ancova(full[:, visit], x) for full in _completed(change, x, jump, draws, start)]
    except np.linalg.LinAlgError:
        return nothing(method, len(change), "the covariance of the visits is singular")
    if len(pairs) < 2:
        return nothing(method, len(change), "the model cannot be fitted to bootstrap samples")
    found = np.array(pairs)
    value, variance, df = rubin(found[:, 0], found[:, 1], len(change) - x.shape[1])
    if not variance > 0:
        return nothing(method, len(change), "no variance")
    return estimate_of(method, _term(value, variance, df, alpha), len(change))


def _completed(
    change: FloatArray, x: FloatArray, jump: BoolArray, draws: FloatArray, start: FloatArray
) -> Iterator[FloatArray]:
    """Completed trials, one for each bootstrap sample to which the model can be fitted."""
    from scipy.special import ndtri

    n = len(change)
    for each in draws:
        sample = _within_arms(each[:, 0], x[:, 1])
        try:
            found = fit(change[sample], x[sample], start, ROUGH)
        except np.linalg.LinAlgError:
            continue
        mean = x @ found.beta.T
        control = x.copy()
        control[:, 1] = 0.0
        mean = np.where(jump, control @ found.beta.T, mean)
        full, z = change.copy(), ndtri(each[:, 1:])
        for pattern in np.unique(np.isnan(change), axis=0):
            if not pattern.any():
                continue
            mine = np.flatnonzero((np.isnan(change) == pattern).all(axis=1))
            seen = ~pattern
            slope = np.linalg.solve(found.sigma[np.ix_(seen, seen)], found.sigma[np.ix_(seen, pattern)]).T
            rest = found.sigma[np.ix_(pattern, pattern)] - slope @ found.sigma[np.ix_(seen, pattern)]
            expected = (
                mean[np.ix_(mine, pattern)]
                + (change[np.ix_(mine, seen)] - mean[np.ix_(mine, seen)]) @ slope.T
            )
            full[np.ix_(mine, pattern)] = expected + z[np.ix_(mine, pattern)] @ np.linalg.cholesky(rest).T
        if n and np.isfinite(full).all():
            yield full


def _within_arms(u: FloatArray, arm: FloatArray) -> IntArray:
    """Places of a bootstrap sample that has as many of each arm."""
    sample = np.empty(len(arm), np.int64)
    for code in np.unique(arm):
        mine = np.flatnonzero(arm == code)
        sample[mine] = mine[(u[mine] * len(mine)).astype(np.int64)]
    return sample


def _ancova(change: FloatArray, x: FloatArray) -> tuple[float, float]:
    """The treatment's coefficient and its variance."""
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ (x.T @ change)
    residual = change - x @ beta
    return float(beta[1]), float(inverse[1, 1] * (residual @ residual) / (len(x) - x.shape[1]))


def rubin(values: FloatArray, variances: FloatArray, df: float) -> tuple[float, float, float]:
    """Pooled value, its variance and degrees of freedom (Barnard and Rubin, Biometrika 1999;86:948).

    Parameters
    ----------
    df : degrees of freedom of the complete data.

    >>> value, variance, df = rubin(np.array([1.0, 1.2, 0.8]), np.array([0.1, 0.1, 0.1]), 98.0)
    >>> round(value, 3), round(variance, 4), round(df, 2)
    (1.0, 0.1533, 13.08)
    """
    m = len(values)
    within, between = float(np.mean(variances)), float(np.var(values, ddof=1))
    total = within + (1.0 + 1.0 / m) * between
    share = (1.0 + 1.0 / m) * between / total if total > 0 else 0.0
    seen = (df + 1.0) / (df + 3.0) * df * (1.0 - share)
    if share < 1e-12:
        return float(np.mean(values)), total, seen
    old = (m - 1.0) / share**2
    return float(np.mean(values)), total, old * seen / (old + seen)
