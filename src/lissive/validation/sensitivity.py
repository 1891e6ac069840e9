"""Global sensitivity of the clinical outputs: the parameters that they depend on.

First every uncertain parameter is moved alone to either end of its range (the tornado). Those that move anything
are screened by Morris' method; the most influential then share out the variance by Sobol's indices.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lissive.arrays import BoolArray, FloatArray
from lissive.errors import SimulationError
from lissive.extras import need
from lissive.simulation.origin import model_hash
from lissive.simulation.streams import uniforms
from lissive.validation.scenario import (
    SAMPLES_AT_ONCE,
    Output,
    Scenario,
    Uncertain,
    named,
    outputs,
    uncertain,
)

QUANTILES = (0.05, 0.5, 0.95)
LEAST_RUNS = "at least 2 that went well."
NARROWER = "narrow the ranges of the parameters, or take more samples."
UNMOVED = 1e-9
"""A change of an output below this share of it is arithmetic, not influence."""


@dataclass(frozen=True)
class Size:
    """How much is run."""

    trajectories: int
    """Of Morris' method."""
    base: int
    """Points of the Sobol sequence, a power of two."""
    most: int
    """Inputs that Sobol's indices are made for, at most."""
    together: int
    """Samples in which all inputs vary together."""


SIZES: Mapping[str, Size] = {"full": Size(40, 2048, 14, 2000), "quick": Size(4, 32, 6, 64)}


@dataclass(frozen=True)
class SensitivityProvenance:
    """What an analysis was made with."""

    scenario: Mapping[str, str]
    model: str
    model_hash: str
    seed: int
    size: Size
    rtol: float
    given: tuple[str, ...]
    """Parameters whose standard deviation was given."""
    runs: int
    """Each with the drug and without."""
    failed: int
    held_to_liver_flow: int
    """Samples whose THC clearance was held below the liver's blood flow."""


@dataclass(frozen=True)
class Sensitivity:
    """What the outputs depend on. Arrays are (output, input) unless they say otherwise."""

    outputs: tuple[Output, ...]
    inputs: tuple[Uncertain, ...]
    """That move at least one output in this scenario."""
    idle: tuple[str, ...]
    """Uncertain numbers that the outputs depend on, but not in this scenario."""
    typical: FloatArray
    """(output,) with all inputs at their values."""
    low: FloatArray
    """Output with one input at the lower end of its range."""
    high: FloatArray
    quantiles: FloatArray
    """(output, quantile) with all inputs varying together; see QUANTILES."""
    covered: FloatArray
    """(output,) variance while the Sobol inputs vary, over the variance while all do."""
    morris: Morris
    sobol: Sobol
    provenance: SensitivityProvenance

    def to_json(self) -> dict[str, Any]:
        """Plain data; what is no finite number is None."""
        names = [each.name for each in self.inputs]
        result = {
            "outputs": [asdict(each) for each in self.outputs],
            "inputs": [asdict(each) for each in self.inputs],
            "idle": list(self.idle),
            "typical": plain(self.typical),
            "tornado": {"inputs": names, "low": plain(self.low), "high": plain(self.high)},
            "quantiles": {"of": list(QUANTILES), "values": plain(self.quantiles)},
            "covered": plain(self.covered),
            "provenance": asdict(self.provenance),
        }
        for name, part in (("morris", self.morris), ("sobol", self.sobol)):
            result[name] = {key: plain(value) for key, value in vars(part).items()}
        return result


def sensitivity(
    size: str | Size = "full",
    *,
    seed: int = 1,
    log_sd: Mapping[str, float] | None = None,
    threads: int | None = None,
    rtol: float = 1e-4,
    progress: Callable[[int], None] | None = None,
) -> Sensitivity:
    """Global sensitivity of the outputs of sensitivity_outputs.tsv in the scenario of sensitivity_scenario.tsv.

    Parameters
    ----------
    size : `full`, `quick`, or a Size.
    log_sd : parameter to the standard deviation of its logarithm (logit for a share), where one is known.
    progress : called with the per cent that is done, 0 to 100.

    Raises
    ------
    LissiveError
        Without SALib.
    ParameterError
        For a wrong `log_sd`.
    SimulationError
        For a wrong size.
    """
    need("sensitivity", "Sensitivity analysis")
    run = _size(size)
    scenario = Scenario(rtol=rtol, threads=threads or os.cpu_count() or 1)
    known = uncertain(scenario.equations, scenario.asked, cause=scenario.cause, log_sd=log_sd)
    runner = _Runner(scenario, progress)
    runner.plan(1 + 2 * len(known))
    typical, low, high = _one_by_one(runner, known)
    moves = _moves(typical, low, high)
    inputs = tuple(each for each, moved in zip(known, moves, strict=True) if moved)
    screened, divided, together = _sampled(runner, inputs, run, seed)
    whole = together.var(axis=0)
    return Sensitivity(
        outputs(),
        inputs,
        tuple(each.name for each, moved in zip(known, moves, strict=True) if not moved),
        typical,
        low[:, moves],
        high[:, moves],
        np.quantile(together, QUANTILES, axis=0).T,
        np.divide(divided.variance, whole, out=np.zeros_like(whole), where=whole > 0),
        screened,
        divided,
        SensitivityProvenance(
            scenario=dict(named("sensitivity_scenario.tsv")),
            model=scenario.equations.name,
            model_hash=model_hash(scenario.equations),
            seed=seed,
            size=run,
            rtol=rtol,
            given=tuple(sorted(log_sd or {})),
            runs=runner.done,
            failed=runner.failed,
            held_to_liver_flow=scenario.held,
        ),
    )


def _size(size: str | Size) -> Size:
    if isinstance(size, str) and size not in SIZES:
        raise SimulationError(
            f"size is {size!r}.", where="size", allowed=f"{', '.join(SIZES)}.", do="name one, or give a Size."
        )
    run = SIZES[size] if isinstance(size, str) else size
    if run.together < 2 or run.most < 1:
        raise SimulationError(
            f"size is {run}.",
            where="size",
            allowed="together 2 or more; most 1 or more.",
            do="raise the number.",
        )
    return run


class _Runner:
    """Runs samples in batches, counts them, and says how far it has come."""

    def __init__(self, scenario: Scenario, progress: Callable[[int], None] | None) -> None:
        self.scenario, self._progress = scenario, progress
        self.done = self.failed = self._planned = 0

    def plan(self, runs: int) -> None:
        """So many are still to come."""
        self._planned = self.done + runs

    def function(self, inputs: tuple[Uncertain, ...]) -> Callable[[FloatArray], FloatArray]:
        """(sample, input) shares of the ranges to (sample, output)."""
        return lambda shares: self.run(
            {each.name: each.at(shares[:, i]) for i, each in enumerate(inputs)}, len(shares)
        )

    def run(self, values: Mapping[str, FloatArray], samples: int) -> FloatArray:
        """(sample, output); a batch at a time, so that memory stays small."""
        parts = []
        for start in range(0, samples, SAMPLES_AT_ONCE):
            part = {name: value[start : start + SAMPLES_AT_ONCE] for name, value in values.items()}
            count = min(SAMPLES_AT_ONCE, samples - start)
            parts.append(self.scenario.run(part, count))
            self.done += count
            self.failed += int(np.isnan(parts[-1]).any(axis=1).sum())
            if self._progress:
                self._progress(min(100, 100 * self.done // max(self._planned, 1)))
        return np.concatenate(parts)


def _sampled(
    runner: _Runner, inputs: tuple[Uncertain, ...], size: Size, seed: int
) -> tuple[Morris, Sobol, FloatArray]:
    """Morris over all inputs, Sobol over those that it finds to matter, and samples with all of them varying."""
    names, most = [each.name for each in inputs], min(size.most, len(inputs))
    runner.plan(size.trajectories * (len(inputs) + 1) + size.together + size.base * (most + 2))
    screened = morris(runner.function(inputs), names, trajectories=size.trajectories, seed=seed)
    together = _together(runner, inputs, size.together, seed)
    chosen = tuple(inputs[i] for i in ranked(screened.mu_star, most))
    divided = sobol(runner.function(chosen), [each.name for each in chosen], base=size.base, seed=seed)
    return screened, divided, together


def _one_by_one(runner: _Runner, inputs: tuple[Uncertain, ...]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Typical outputs (output,), and with each input alone at its lower and upper end (output, input)."""
    n = len(inputs)
    values = {}
    for i, each in enumerate(inputs):
        column = np.full(1 + 2 * n, each.value)
        column[1 + i], column[1 + n + i] = each.lower, each.upper
        values[each.name] = column
    found = runner.run(values, 1 + 2 * n)
    if np.isnan(found[0]).any():
        raise SimulationError(
            "The typical patient could not be simulated.",
            where="sensitivity",
            allowed="a model that runs with its own parameters.",
            do="run lissive simulate with this model: it says why.",
        )
    return found[0], found[1 : 1 + n].T, found[1 + n :].T


def _moves(typical: FloatArray, low: FloatArray, high: FloatArray) -> BoolArray:
    """(input,) whether either end of an input's range changes any output."""
    change = np.fmax(np.abs(low - typical[:, None]), np.abs(high - typical[:, None]))
    still = change <= UNMOVED * np.abs(typical)[:, None]  # a run that failed is no sign of stillness
    result: BoolArray = ~np.logical_and.reduce(still, axis=0)
    return result


def _together(runner: _Runner, inputs: tuple[Uncertain, ...], samples: int, seed: int) -> FloatArray:
    """(sample, output) with all inputs drawn at once, without the runs that failed."""
    values = {each.name: each.at(uniforms(seed, f"sensitivity: {each.name}", samples)) for each in inputs}
    found = runner.run(values, samples)
    kept: FloatArray = found[np.isfinite(found).all(axis=1)]
    if len(kept) < 2:
        raise SimulationError(
            "No run with all inputs varying went well.", where="sensitivity", allowed=LEAST_RUNS, do=NARROWER
        )
    return kept


def plain(value: Any) -> Any:
    """Arrays as lists, in which what is no finite number is None; other things as they are."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value


# -- Morris and Sobol, by SALib --------------------------------------------------------------------
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

    Raises
    ------
    LissiveError
        Without SALib.
    SimulationError
        Where there is nothing to be screened.
    """
    if trajectories < 2:
        raise SimulationError(
            f"trajectories is {trajectories}.",
            where="trajectories",
            allowed="2 or more.",
            do=f"give more; the full analysis takes {SIZES['full'].trajectories}.",
        )
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

    Parameters
    ----------
    base : points of the scrambled Sobol sequence, a power of two.
    resamples : of the bootstrap that the confidence intervals come from.

    Raises
    ------
    LissiveError
        Without SALib.
    SimulationError
        Where it cannot be done as asked.
    """
    if base < 2 or base & (base - 1):
        power = 1 << max(base - 1, 1).bit_length()
        raise SimulationError(
            f"base is {base}.", where="base", allowed="2, 4, 8, ..., a power of two.", do=f"give {power}."
        )
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

    Parameters
    ----------
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
            where="function",
            allowed=LEAST_RUNS,
            do=NARROWER,
        )
    keep = np.repeat(good, block)
    return points[keep], values[keep], int((~good).sum())


def _problem(inputs: Sequence[str]) -> dict[str, Any]:
    if not inputs or len(set(inputs)) < len(inputs):
        raise SimulationError(
            f"The inputs are {', '.join(inputs) or 'none'}.",
            where="inputs",
            allowed="one or more, each once.",
            do="name each input once.",
        )
    return {"num_vars": len(inputs), "names": list(inputs), "bounds": [[0.0, 1.0]] * len(inputs)}


def _salib(module: str) -> Any:
    need("sensitivity", "Sensitivity analysis")
    return importlib.import_module(f"SALib.{module}")
