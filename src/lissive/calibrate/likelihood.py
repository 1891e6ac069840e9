"""How far predictions may be from published means: within a study, and from study to study.

The logarithm of a published mean over its prediction is the sum of a study's own level, the same for all
concentrations of one substance in it (standard deviation `between`), and of an error of its own (`within`). The
standard error of the mean, from who happened to take part, is partly shared too, as the same people stand behind all
means of an arm. A robust cost keeps single contradictory numbers from ruling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from lissive.arrays import FloatArray, IntArray
from lissive.studies import Observation
from lissive.table import constants

_ASSUMED = constants(Path(__file__).with_name("assumptions.tsv"))
USUAL_CV, RECALLED_WIDER = _ASSUMED["usual_CV"], _ASSUMED["recalled_wider"]
SAME_PEOPLE = _ASSUMED["same_people"]
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


def blocks(observations: Sequence[Observation]) -> list[IntArray]:
    """Places of the observations that share a study's level; a time has none and stands alone."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for k, one in enumerate(observations):
        own = (str(k),) if one.group == "time" else ()
        groups.setdefault((one.study, one.analyte, *own), []).append(k)
    return [np.array(places) for places in groups.values()]


def own_error(one: Observation, errors: Errors) -> float:
    """Standard deviation of the log of one published mean, without what it shares with others of its study."""
    time = one.group == "time"
    alone = _of_people(one) ** 2 * (1.0 if time else 1.0 - SAME_PEOPLE)
    grid = BETWEEN_SAMPLES if time else 0.0
    return float(np.sqrt(_wider(one) ** 2 * (errors.within**2 + grid**2) + alone))


def _of_people(one: Observation) -> float:
    """Standard deviation of the log of a mean that comes from who took part."""
    return _wider(one) * (one.cv or USUAL_CV) / float(np.sqrt(one.arm.n))


def _wider(one: Observation) -> float:
    return RECALLED_WIDER if one.provenance == "recalled" else 1.0


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
    people = level * np.array([_of_people(observations[k]) for k in places])
    shared = errors.between**2 * np.outer(level, level) + SAME_PEOPLE * np.outer(people, people)
    root: FloatArray = np.asarray(np.linalg.cholesky(own + shared), dtype=float)
    return root


def fit_errors(observations: Sequence[Observation], logs: FloatArray) -> Errors:
    """Both standard deviations that make the residuals most likely, each at least 0.05.

    Every study counts alike, however many rows it has. So few studies would often be most likely without any
    difference at all; the logarithm of both is added, which keeps them from zero (Chung, Psychometrika 2013;78:685).
    """

    groups = blocks(observations)
    rows = len(observations) / max(len(groups), 1)

    def cost(x: FloatArray) -> float:
        errors = Errors(float(np.exp(x[0])), float(np.exp(x[1])))
        total = 0.0
        for places in groups:
            root = _root(observations, places, errors)
            z = np.linalg.solve(root, logs[places])
            # Student's t with 4 degrees of freedom: outliers do not set the scale
            fits = np.log(np.diag(root)).sum() + 2.5 * np.log1p(z**2 / 4.0).sum()
            total += float(fits) * rows / len(places)
        return total - float(x.sum())

    best = minimize(cost, np.log([START, START]), method="L-BFGS-B", bounds=[(np.log(0.05), np.log(1.0))] * 2)
    return Errors(float(np.exp(best.x[0])), float(np.exp(best.x[1])))
