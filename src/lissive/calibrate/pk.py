"""Kinetic parameters from published concentrations, by maximum a posteriori.

Only observations whose split is `calibration` are taken; anything else is refused. Priors and the ranges that
physiology allows are in priors_pk.tsv. Every arm is simulated with the same 96 people throughout, so that the cost is
nearly a smooth function of the parameters. The search starts at the priors and is never told what the tables have for
a fitted parameter: the same studies give the same result whatever was fitted before."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import least_squares
from scipy.special import ndtri

from lissive.arrays import FloatArray
from lissive.calibrate.likelihood import Errors, fit_errors, whitened
from lissive.calibrate.prior import Prior
from lissive.errors import StudyError
from lissive.model.parameters import load_parameters
from lissive.studies import Arm, Observation
from lissive.studies.observation import ANALYTES, INFINITE, KINDS, kind_of
from lissive.studies.run import SHARES, all_times, measure, simulate_arm, statistic
from lissive.table import rows_of

PEOPLE = 96
ROUNDS = 24
"""At most; in each, one step of the parameters and then the errors that go with them."""
CLOSE = 0.02
"""Standard errors: the search ends where no parameter would move by more, so that two searches that end by the same
mode end within 0.04 of each other. Less is within what roughness is left."""
UNMEASURED = float(np.log(10.0))
"""Residual where no simulated person has the measure: as wrong as tenfold."""
STEP = 0.05
"""Of the logarithm, for derivatives; small steps would see what jumps are left, as where a slope gets another point."""
MEASURES = {"Cmax", "AUC", "conc", "CL", "Tmax"}
"""Half-lives are left out: they depend on limits of quantification that studies rarely print."""
PRODUCTS = {"F_THC_oral": "Fa_THC_oral", "F_THC_spray": "Fa_THC_spray"}
"""What studies report is the product of Fa (its name here), Fg and FH: that is where the knowledge is."""
IN_DATA = 0.05
"""A parameter rests on a study that has at least this share of all that the data say about it."""


@dataclass(frozen=True)
class Fit:
    """A posterior around its mode, on the priors' scales."""

    priors: tuple[Prior, ...]
    mode: FloatArray
    """(parameter,) on the scale of the prior."""
    covariance: FloatArray
    errors: Errors
    """Standard deviations of the drug's published means."""
    rests_on: Mapping[str, tuple[str, ...]]
    """Parameter to the studies that inform it."""
    recalled: Mapping[str, float]
    """Parameter to the share of its information that is unverified."""

    @property
    def values(self) -> dict[str, float]:
        return {p.name: float(p.from_scale(x)) for p, x in zip(self.priors, self.mode, strict=True)}

    @property
    def sd(self) -> dict[str, float]:
        return dict(zip((p.name for p in self.priors), np.sqrt(np.diag(self.covariance)), strict=True))


@cache
def priors() -> tuple[Prior, ...]:
    """What is known of each fitted parameter beforehand."""
    return tuple(p for p in _all_priors() if p.name not in PRODUCTS)


@cache
def _all_priors() -> tuple[Prior, ...]:
    kinds = load_parameters()

    def scale(name: str) -> str:
        known = name not in PRODUCTS and (kinds[name].distribution == "logitnormal" or name in SHARES)
        return "logit" if known else "log"

    return tuple(
        Prior(
            row["name"],
            scale(row["name"]),
            float(row["value"]),
            float(row["sd"]),
            float(row["lower"]),
            float(row["upper"]),
            row["source"],
        )
        for row in rows_of(Path(__file__).parent / "priors_pk.tsv")
    )


def usable(observations: Sequence[Observation]) -> list[Observation]:
    """Those that say something about the parameters: means and medians of single conditions.

    Raises
    ------
    StudyError
        If one of them may not be fitted on.
    """
    for one in observations:
        if one.split != "calibration":
            raise StudyError(
                f"{one.label} has split {one.split}.",
                where=one.study,
                allowed="split calibration; everything else is for checking the fit.",
                do="leave it out.",
            )
    whole = {(o.study, o.analyte) for o in observations if o.measure == "AUC" and o.window[1] == INFINITE}
    return [
        one
        for one in observations
        if one.measure in MEASURES
        and one.reference is None
        and not (one.measure == "CL" and (one.study, one.analyte) in whole)  # the same number once more
    ]


def fit_pk(
    observations: Sequence[Observation],
    *,
    given: Sequence[Prior] | None = None,
    people: int = PEOPLE,
    rounds: int = ROUNDS,
    start: Mapping[str, float] | None = None,
    say: Callable[[str], None] | None = None,
) -> dict[str, Fit]:
    """CBD, THC and THC-COOH to the mode of its posterior, its curvature, and what each parameter rests on.

    One after the other, and what was found stands: CBD slows what becomes of THC, THC does nothing to CBD, and
    THC-COOH, which has no effect on either, follows from THC.

    Parameters
    ----------
    start : where the search begins in place of the priors, as to see whether an earlier result is still the mode.

    Raises
    ------
    StudyError
        For an observation that may not be fitted on.
    """
    data = usable(observations)
    known = tuple(given or priors())
    values = {p.name: p.value for p in known}
    fits: dict[str, Fit] = {}
    for drug in KINDS:
        mine = [o for o in data if kind_of(o.analyte) == drug]
        own = tuple(p for p in known if kind_of(p.name) == drug)
        if mine and own:
            residuals = _residuals(mine, own, values, people)
            fits[drug] = _fit_drug(drug, mine, own, residuals, rounds, start, say or (lambda _: None))
            values |= fits[drug].values
    return fits


def _fit_drug(
    drug: str,
    observations: Sequence[Observation],
    known: tuple[Prior, ...],
    residuals: Callable[[FloatArray], FloatArray],
    rounds: int,
    start: Mapping[str, float] | None,
    say: Callable[[str], None],
) -> Fit:
    centre = np.array([p.to_scale(p.value) for p in known])
    scale = np.array([p.sd for p in known])
    ends = (
        np.array([p.to_scale(p.lower) for p in known]),
        np.array([p.to_scale(p.upper) for p in known]),
    )

    def cost(at: FloatArray, logs: FloatArray, now: Errors) -> FloatArray:
        data = whitened(observations, logs, now)
        return np.concatenate([data, (at - centre) / scale, _known_products(known, at)])

    x, errors = centre, Errors()
    if start is not None:
        x = np.array([p.to_scale(start[p.name]) for p in known])
        errors = fit_errors(observations, residuals(x))
    for turn in range(rounds):
        now = partial(cost, now=errors)
        step, se = best_nearby(now, x, residuals(x), _jacobian(residuals, x, ends), ends)
        far = float(np.max(np.abs(step) / se))
        say(f"{drug}, round {turn + 1}: a step of {far:.3f} standard errors, {errors}")
        there = x if far < CLOSE else downhill(partial(_cost_at, now, residuals), x, step, ends)
        if np.array_equal(there, x):
            break
        x, errors = there, fit_errors(observations, residuals(there))
    return _posterior(known, observations, residuals, x, errors, ends)


def _cost_at(
    cost: Callable[[FloatArray, FloatArray], FloatArray],
    residuals: Callable[[FloatArray], FloatArray],
    at: FloatArray,
) -> FloatArray:
    return cost(at, residuals(at))


def _residuals(
    observations: Sequence[Observation], known: tuple[Prior, ...], others: Mapping[str, float], people: int
) -> Callable[[FloatArray], FloatArray]:
    """From parameters on the scale of the fit to log(observed / predicted), with the same people each time.

    What was asked once is remembered: derivatives at one place serve all errors.
    """
    seen = np.log([o.value for o in observations])
    predict = predictor(observations, people)
    fixed = dict(others)
    found: dict[bytes, FloatArray] = {}

    def residuals(x: FloatArray) -> FloatArray:
        if x.tobytes() not in found:
            values = {p.name: float(p.from_scale(each)) for p, each in zip(known, x, strict=True)}
            logs: FloatArray = seen - np.log(np.maximum(predict(fixed | values), 1e-12))
            found[x.tobytes()] = np.where(np.isfinite(logs), logs, UNMEASURED)
        return found[x.tobytes()]

    return residuals


def _known_products(known: Sequence[Prior], x: FloatArray) -> FloatArray:
    """(product,) how far reported bioavailabilities are from their priors, in standard deviations."""
    values = {p.name: float(p.from_scale(each)) for p, each in zip(known, x, strict=True)}
    table = load_parameters()
    result = []
    for prior in _all_priors():
        fraction = PRODUCTS.get(prior.name)
        if fraction in values and {"CL_THC", "Fg_THC"} <= values.keys():
            # well-stirred liver: CL = BP Q (1 - FH)
            escaped = 1.0 - values["CL_THC"] / (table["BP_THC"].value * table["Q_liver"].value)
            product = values[fraction] * values["Fg_THC"] * max(escaped, 1e-3)
            result.append((np.log(product) - np.log(prior.value)) / prior.sd)
    return np.array(result)


def _jacobian(
    function: Callable[[FloatArray], FloatArray], at: FloatArray, ends: tuple[FloatArray, FloatArray]
) -> FloatArray:
    """(residual, parameter) central differences, kept inside the ends."""
    low, high = ends

    def column(k: int) -> FloatArray:
        up, down = at.copy(), at.copy()
        up[k], down[k] = min(at[k] + STEP, high[k]), max(at[k] - STEP, low[k])
        result: FloatArray = (function(up) - function(down)) / (up[k] - down[k])
        return result

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # columns do not depend on each other
        return np.stack(list(pool.map(column, range(len(at)))), axis=1)


def _posterior(
    known: tuple[Prior, ...],
    observations: Sequence[Observation],
    residuals: Callable[[FloatArray], FloatArray],
    x: FloatArray,
    errors: Errors,
    ends: tuple[FloatArray, FloatArray],
) -> Fit:
    """Curvature at the mode (Gauss-Newton), and whose residuals it comes from."""
    slopes = _jacobian(lambda at: whitened(observations, residuals(at), errors), x, ends)
    before = np.diag([p.sd**-2.0 for p in known])
    if len(_known_products(known, x)):
        products = _jacobian(lambda at: _known_products(known, at), x, ends)
        before = before + products.T @ products
    covariance: Any = np.linalg.inv(slopes.T @ slopes + before)
    told = slopes**2
    memory = np.array([o.provenance == "recalled" for o in observations])
    rests, recalled = {}, {}
    for k, prior in enumerate(known):
        total = max(float(told[:, k].sum()), 1e-12)
        by_study: dict[str, float] = {}
        for share, one in zip(told[:, k] / total, observations, strict=True):
            by_study[one.study] = by_study.get(one.study, 0.0) + float(share)
        informed = total * prior.sd**2 > IN_DATA
        order = sorted(by_study, key=lambda study: -by_study[study])
        rests[prior.name] = tuple(s for s in order if by_study[s] >= IN_DATA) if informed else ()
        recalled[prior.name] = float(told[memory, k].sum() / total) if informed else 0.0
    return Fit(known, x, covariance, errors, rests, recalled)


# -- the way to the mode ---------------------------------------------------------------------------
# The robust cost bends sharply, so that a plain Gauss-Newton step creeps; and the model is dear. So each set of the
# model's derivatives is used up: the cost that a linear model would have is minimised to the end.
REACH = 0.7
"""Of a logarithm or logit: as far as one step goes, a factor of two. Beyond, a straight line says little."""
HALVINGS = 6


def best_nearby(
    cost: Callable[[FloatArray, FloatArray], FloatArray],
    x: FloatArray,
    logs: FloatArray,
    slopes: FloatArray,
    ends: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray]:
    """The step from `x` to the least of the sum of squares of `cost` were the model linear, and standard errors.

    Parameters
    ----------
    cost : from parameters and the residuals of the model to what is squared.
    logs, slopes : (residual,) and (residual, parameter) of the model at `x`.
    """
    within = np.maximum(ends[0], x - REACH), np.minimum(ends[1], x + REACH)
    found = least_squares(
        lambda at: cost(at, logs + slopes @ (at - x)),
        x,
        jac="3-point",
        bounds=within,
        method="dogbox",
        ftol=1e-10,
        xtol=1e-8,
        gtol=1e-8,
    )
    return found.x - x, np.sqrt(np.diag(np.linalg.inv(found.jac.T @ found.jac)))


def downhill(
    cost: Callable[[FloatArray], FloatArray],
    x: FloatArray,
    step: FloatArray,
    ends: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """Where the step leads, or as much of it as lowers the cost; `x` itself where none of it does."""
    here = np.sum(cost(x) ** 2)
    for k in range(HALVINGS):
        there: FloatArray = np.clip(x + step / 2**k, *ends)
        if np.sum(cost(there) ** 2) < here:
            return there
    return x


# -- what the model says of the observations -------------------------------------------------------
# The same people each time, and no jumps where none need be. A time on a grid and a sharp limit of quantification
# make a mean or a median jump as one person steps over it, by more than a standard error is worth. Here peaks are
# looked for between times, and limits are as blurred as assays are.
SEED = 1
FINE = np.round(np.concatenate([np.arange(0.0, 0.5, 0.01), np.arange(0.5, 12.0, 0.05)]), 2)
"""Where peaks are looked for [h]; the first ones come within minutes."""
LIMITS: FloatArray = np.exp(0.2 * ndtri((np.arange(8) + 0.5) / 8))
"""Factors on a limit of quantification: there an assay may err by 20 %."""
POWER = {"Cmax": 1.0, "AUC": 1.0, "CL": -1.0}
"""What is measured goes with this power of the concentrations."""


@dataclass(frozen=True)
class _Plan:
    """An arm, when it is looked at, and what is asked of it."""

    arm: Arm
    times: FloatArray
    asked: tuple[tuple[int, Observation], ...]


def predictor(
    observations: Sequence[Observation], people: int
) -> Callable[[Mapping[str, float]], FloatArray]:
    """From typical values that take the place of the tables' to (observation,) what the model says of each."""
    plans = _plans(observations, people)

    def predict(parameters: Mapping[str, float]) -> FloatArray:
        result = np.empty(len(observations))
        for plan in plans:
            every = (
                np.union1d(plan.times, FINE) if any(o.group == "time" for _, o in plan.asked) else plan.times
            )
            values = simulate_arm(plan.arm, every, 1, seed=SEED, parameters=parameters, evenly=True)
            for k, one in plan.asked:
                each = peak_time if one.group == "time" else blurred
                wanted = np.isin(every, FINE if one.group == "time" else plan.times)
                found = each(one, plan.arm, every[wanted], values[:, wanted])
                result[k] = statistic(one.stat, found[None, :])[0]
        return result

    return predict


def _plans(observations: Sequence[Observation], people: int) -> list[_Plan]:
    asked: dict[str, list[tuple[int, Observation]]] = {}
    for k, one in enumerate(observations):
        asked.setdefault(repr(one.arm), []).append((k, one))
    plans = []
    for mine in asked.values():
        arm = mine[0][1].arm
        times = all_times(arm, [o for o in observations if o.study == arm.study])
        plans.append(_Plan(replace(arm, n=people), times, tuple(mine)))
    return plans


def blurred(one: Observation, arm: Arm, times: FloatArray, values: FloatArray) -> FloatArray:
    """(subject and limit,) what was measured, each person by each of the limits that the assay may have had."""
    if one.measure not in POWER or not arm.lloq.get(one.analyte):
        return measure(one, arm, times, values)
    scaled = (values / LIMITS[:, None, None, None]).reshape(-1, *values.shape[1:])
    back = np.repeat(LIMITS ** POWER[one.measure], len(values))
    result: FloatArray = back * measure(one, arm, times, scaled)
    return result


def peak_time(one: Observation, arm: Arm, times: FloatArray, values: FloatArray) -> FloatArray:
    """(subject and limit,) time of the highest concentration: of the top of the parabola through the highest three.

    NaN where nothing can be quantified.
    """
    c = values[:, :, ANALYTES.index(one.analyte)] * arm.matrix.get(one.analyte, 1.0)
    at = np.clip(c.argmax(axis=1), 1, len(times) - 2)
    before, here, after = (c[np.arange(len(c)), at + k] for k in (-1, 0, 1))
    t0, t1, t2 = (times[at + k] for k in (-1, 0, 1))
    rise, fall = (here - before) / (t1 - t0), (after - here) / (t2 - t1)
    curved = fall < rise
    bend = np.where(curved, fall - rise, -1.0) / (t2 - t0)
    top = np.where(curved, np.clip((t0 + t1) / 2 - rise / (2 * bend), t0, t2), t1)
    seen = c.max(axis=1) >= np.maximum(LIMITS[:, None] * arm.lloq.get(one.analyte, 0.0), 1e-12)
    return np.where(seen, top, np.nan).ravel()
