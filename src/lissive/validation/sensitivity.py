"""Global sensitivity of the clinical outputs: the parameters that they depend on.

First every uncertain parameter is moved alone to either end of its range (the tornado). Those that move anything
are screened by Morris' method; the most influential then share out the variance by Sobol's indices.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lissive.arrays import BoolArray, FloatArray
from lissive.errors import SimulationError
from lissive.simulation.solve import model_hash
from lissive.simulation.streams import uniforms
from lissive.validation.indices import Morris, Sobol, morris, ranked, sobol
from lissive.validation.scenario import SAMPLES_AT_ONCE, Output, Scenario, outputs
from lissive.validation.tables import named
from lissive.validation.uncertain import Uncertain, uncertain

QUANTILES = (0.05, 0.5, 0.95)
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
    LissiveError without SALib; ParameterError for a wrong `log_sd`; SimulationError for a wrong size.
    """
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
        raise SimulationError(f"size is {size!r}.", where="size", allowed=", ".join(SIZES))
    run = SIZES[size] if isinstance(size, str) else size
    if run.together < 2 or run.most < 1:
        raise SimulationError(f"size is {run}.", where="size", allowed="together 2 or more; most 1 or more.")
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
        raise SimulationError("The typical patient could not be simulated.", where="sensitivity")
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
        raise SimulationError("No run with all inputs varying went well.", where="sensitivity")
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
