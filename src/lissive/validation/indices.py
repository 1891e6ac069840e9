"""Morris' elementary effects and Sobol's indices of any function on the unit cube, by SALib.

A function takes (sample, input) shares from 0 to 1 and gives (sample, output) values.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.errors import LissiveError, SimulationError

Function = Callable[[FloatArray], FloatArray]
LEVELS = 4
"""Levels of Morris' grid: 0, 1/3, 2/3 and 1; a step is two of them."""


@dataclass(frozen=True)
class Morris:
    """Elementary effects, as change of the output over the whole range of the input. Each is (output, input)."""

    inputs: tuple[str, ...]
    mu_star: FloatArray
    """Mean size of the effect."""
    mu_star_conf: FloatArray
    """Half width of its 95 % interval."""
    mu: FloatArray
    sigma: FloatArray
    """Standard deviation of the effect: how much it depends on where one stands (curvature, interaction)."""
    trajectories: int
    dropped: int
    """Trajectories left out because a run did not go well."""


@dataclass(frozen=True)
class Sobol:
    """Shares of the output's variance. Each is (output, input)."""

    inputs: tuple[str, ...]
    first: FloatArray
    """By the input alone."""
    first_conf: FloatArray
    """Half width of its 95 % interval."""
    total: FloatArray
    """By the input, alone and with others."""
    total_conf: FloatArray
    variance: FloatArray
    """(output,) variance while these inputs vary."""
    base: int
    dropped: int


def morris(function: Function, inputs: Sequence[str], *, trajectories: int, seed: int) -> Morris:
    """Screen the inputs of a function; needs (inputs + 1) runs for each trajectory.

    Raises       LissiveError without SALib; SimulationError where there is nothing to be screened.
    """
    if trajectories < 2:
        raise SimulationError(f"trajectories is {trajectories}.", where="trajectories", allowed="2 or more.")
    sample, analyze = _salib("sample.morris").sample, _salib("analyze.morris").analyze
    problem = _problem(inputs)
    points = sample(problem, trajectories, num_levels=LEVELS, seed=seed)
    points, values, dropped = _whole(points, function(points), len(inputs) + 1)
    found = [analyze(problem, points, column, num_levels=LEVELS, seed=seed) for column in values.T]
    mu_star, conf, mu, sigma = (
        np.array([[float(x) for x in each[key]] for each in found])
        for key in ("mu_star", "mu_star_conf", "mu", "sigma")
    )
    return Morris(tuple(inputs), mu_star, conf, mu, sigma, trajectories, dropped)


def sobol(function: Function, inputs: Sequence[str], *, base: int, seed: int, resamples: int = 200) -> Sobol:
    """Divide the variance of a function's outputs; needs base × (inputs + 2) runs.

    base : points of the scrambled Sobol sequence, a power of two.
    resamples : of the bootstrap that the confidence intervals come from.
    Raises       LissiveError without SALib; SimulationError where it cannot be done as asked.
    """
    if base < 2 or base & (base - 1):
        raise SimulationError(f"base is {base}.", where="base", allowed="2, 4, 8, ..., a power of two.")
    sample, analyze = _salib("sample.sobol").sample, _salib("analyze.sobol").analyze
    problem = _problem(inputs)
    points = sample(problem, base, calc_second_order=False, scramble=True, seed=seed)
    _, values, dropped = _whole(points, function(points), len(inputs) + 2)
    variance = values.var(axis=0)
    tables = np.zeros((4, values.shape[1], len(inputs)))
    for k in np.flatnonzero(variance > 0.0):
        # SALib takes a seed of 0 for none
        each = analyze(problem, values[:, k], calc_second_order=False, num_resamples=resamples, seed=seed + 1)
        tables[:, k] = [each[key] for key in ("S1", "S1_conf", "ST", "ST_conf")]
    first, first_conf, total, total_conf = tables
    return Sobol(tuple(inputs), first, first_conf, total, total_conf, variance, base, dropped)


def ranked(effect: FloatArray, most: int) -> tuple[int, ...]:
    """Places of the inputs with the largest effects, each output by its own measure, at most `most`.

    effect : (output, input), as Morris.mu_star. An input counts by the output that it matters to most.

    >>> ranked(np.array([[9.0, 1.0, 0.0], [0.0, 0.1, 0.3]]), 2)
    (0, 2)
    """
    largest = effect.max(axis=1, keepdims=True)
    score = np.divide(effect, largest, out=np.zeros_like(effect), where=largest > 0).max(axis=0)
    order = np.argsort(-score, kind="stable")[:most]
    return tuple(sorted(int(i) for i in order if score[i] > 0))


def _whole(points: FloatArray, values: FloatArray, block: int) -> tuple[FloatArray, FloatArray, int]:
    """Points and values without the blocks (trajectories, crossed samples) in which a run failed."""
    good = np.logical_and.reduce(np.isfinite(values).reshape(-1, block * values.shape[1]), axis=1)
    if good.sum() < 2:
        raise SimulationError(
            f"Of {len(good)} blocks of runs, {int(good.sum())} went well.",
            allowed="at least 2.",
            do="narrow the ranges of the parameters, or take more samples.",
        )
    keep = np.repeat(good, block)
    return points[keep], values[keep], int((~good).sum())


def _problem(inputs: Sequence[str]) -> dict[str, Any]:
    if not inputs or len(set(inputs)) < len(inputs):
        raise SimulationError(
            f"The inputs are {', '.join(inputs) or 'none'}.",
            where="inputs",
            allowed="one or more, each once.",
        )
    return {"num_vars": len(inputs), "names": list(inputs), "bounds": [[0.0, 1.0]] * len(inputs)}


def _salib(module: str) -> Any:
    try:
        return importlib.import_module(f"SALib.{module}")
    except ModuleNotFoundError as fault:
        if (fault.name or "").partition(".")[0] != "SALib":
            raise
        raise LissiveError(
            "Sensitivity analysis needs SALib, which is not installed.",
            do="pip install 'lissive[sensitivity]'",
        ) from None
