"""What the model says of the observations of a fit, and how far that may be from published means.

The same people are simulated each time, and there are no jumps where none need be. A time on a grid and a sharp limit
of quantification make a mean or a median jump as one person steps over it, by more than a standard error is worth. Here
peaks are looked for between times, and limits are as blurred as assays are.

The logarithm of a published mean over its prediction is the sum of a study's own level, the same for all
concentrations of one drug in it (standard deviation `between`), and of an error of its own (`within`, together
with the standard error of the mean). A robust cost keeps single contradictory numbers from ruling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtri

from lissive.arrays import FloatArray, IntArray
from lissive.studies import Arm, Observation
from lissive.studies.observation import ANALYTES
from lissive.studies.run import all_times, measure, simulate_arm, statistic
from lissive.table import constants

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


_ASSUMED = constants(Path(__file__).with_name("assumptions.tsv"))
USUAL_CV, RECALLED_WIDER = _ASSUMED["usual_CV"], _ASSUMED["recalled_wider"]
KNEE = 1.0
"""Standard deviations from where on a residual costs its size, not its square (soft L1). Published means differ
with heavy tails, and the field scores by the mean absolute logarithm."""
BETWEEN_SAMPLES = 0.15
"""Error of the log of a time of the peak that sampling every half hour to hour brings: about width/√12."""
START = 0.25
"""First guess of both standard deviations of the logarithm."""


@dataclass(frozen=True)
class Errors:
    """Standard deviations of logarithms."""

    between: float = START
    within: float = START


def drug_of(one: Observation) -> str:
    return "CBD" if "CBD" in one.analyte else "THC"


def blocks(observations: Sequence[Observation]) -> list[IntArray]:
    """Places of the observations that share a study's level; a time has none and stands alone."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for k, one in enumerate(observations):
        own = (str(k),) if one.group == "time" else ()
        groups.setdefault((one.study, one.analyte, *own), []).append(k)
    return [np.array(places) for places in groups.values()]


def own_error(one: Observation, errors: Errors) -> float:
    """Standard deviation of the log of one published mean, without the study's level."""
    mean = (one.cv or USUAL_CV) / np.sqrt(one.arm.n)
    wider = RECALLED_WIDER if one.provenance == "recalled" else 1.0
    grid = BETWEEN_SAMPLES if one.group == "time" else 0.0
    return float(wider * np.sqrt(errors.within**2 + mean**2 + grid**2))


def whitened(observations: Sequence[Observation], logs: FloatArray, errors: Errors) -> FloatArray:
    """Residuals `logs` made independent and of unit variance, then robust: nearly a Laplace distribution's."""
    result = np.empty(len(observations))
    for places in blocks(observations):
        result[places] = np.linalg.solve(_root(observations, places, errors), logs[places])
    return np.sign(result) * KNEE * np.sqrt(2.0 * (np.sqrt(1.0 + (result / KNEE) ** 2) - 1.0))


def _root(observations: Sequence[Observation], places: IntArray, errors: Errors) -> FloatArray:
    own: FloatArray = np.diag([own_error(observations[k], errors) ** 2 for k in places])
    kinds = [observations[k].group for k in places]
    # a study whose concentrations are high has low clearances
    level = np.array([{"time": 0.0, "clearance": -1.0}.get(kind, 1.0) for kind in kinds])
    shared = errors.between**2 * np.outer(level, level)
    root: FloatArray = np.asarray(np.linalg.cholesky(own + shared), dtype=float)
    return root


def fit_errors(observations: Sequence[Observation], logs: FloatArray) -> Errors:
    """Both standard deviations that make the residuals most likely, each at least 0.05."""

    def cost(x: FloatArray) -> float:
        errors = Errors(float(np.exp(x[0])), float(np.exp(x[1])))
        total = 0.0
        for places in blocks(observations):
            root = _root(observations, places, errors)
            z = np.linalg.solve(root, logs[places])
            # Student's t with 4 degrees of freedom: outliers do not set the scale
            total += float(np.log(np.diag(root)).sum() + 2.5 * np.log1p(z**2 / 4.0).sum())
        return total

    best = minimize(cost, np.log([START, START]), method="L-BFGS-B", bounds=[(np.log(0.05), np.log(1.0))] * 2)
    return Errors(float(np.exp(best.x[0])), float(np.exp(best.x[1])))
