"""Simulation-based calibration of the fit on trials, on a small case: does it find what was put in?

Parameters are drawn from their priors, one real-sized trial is simulated with each, the fit is done on that trial's
figures, and the true value is ranked among the posterior's draws. Where the fit is right the ranks are even.
After Talts et al. 2018, arXiv:1804.06788.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import chisquare

from lissive.arrays import FloatArray
from lissive.calibrate.emulator import learn
from lissive.calibrate.response import Effort, Say, Simulator, priors, response_at, sample, spread_over
from lissive.calibrate.response_data import Datum, data_of, to_scale
from lissive.simulation.engine import Tolerances
from lissive.simulation.run import Settings
from lissive.simulation.streams import normals
from lissive.trials.conduct import conduct
from lissive.trials.enrol import RTOL
from lissive.trials.people import Response
from lissive.trials.published import PublishedTrial
from lissive.trials.reproduce import statistic

PARAMETERS = ("gain_tone", "max_placebo_spasm", "titration willing")
TRIAL = "collin_2007"
DRAWS = 99
"""Draws of each posterior, far enough apart to be nearly independent; ranks run from 0 to this."""
BINS = 10
EFFORT = Effort(runs=(600,), patients=60, steps=500, burn=300, walkers=24, ensembles=1)
"""All sets are fitted on one emulator, so what it is wrong by is in all ranks alike: it has to be well learnt."""


@dataclass(frozen=True)
class Ranks:
    """ranks : (data set, parameter), from 0 to DRAWS"""

    parameters: tuple[str, ...]
    ranks: FloatArray

    def p_values(self) -> dict[str, float]:
        """Parameter to how likely ranks as uneven as these are where the fit is right."""
        counts = {
            name: np.histogram(self.ranks[:, k], bins=BINS, range=(0, DRAWS + 1))[0]
            for k, name in enumerate(self.parameters)
        }
        return {name: float(chisquare(found).pvalue) for name, found in counts.items()}


def calibration_ranks(
    trial: PublishedTrial,
    *,
    sets: int = 200,
    seed: int = 1,
    effort: Effort = EFFORT,
    threads: int = 1,
    say: Say = lambda _: None,
) -> Ranks:
    """Ranks of the true values in the posteriors of `sets` simulated trials of this design and size."""
    wanted = tuple(p for p in priors() if p.name in PARAMETERS)
    # comparisons are what their arms are, and a spread that one implies is that of both arms: neither is of one arm
    data = [d for d in data_of([trial]) if d.observed.against is None and d.observed in trial.observed]
    x = spread_over(effort.runs[0], len(wanted), seed)
    y = Simulator([trial], data, wanted, seed, effort.patients, threads, say).figures(x)
    emulator = learn(x, y)
    data = [_own_error(d, float(emulator.noise[k]), effort.patients) for k, d in enumerate(data)]
    truth = np.stack([normals(seed, f"sbc: {p.name}", sets) for p in wanted], axis=1)
    say(f"{sets} trials")
    observed = _simulated(trial, data, [response_at(wanted, z, centre=True) for z in truth], seed, threads)
    ranks = np.empty(truth.shape)
    for k in range(sets):
        mine = [replace(d, value=v) for d, v in zip(data, observed[k], strict=True) if np.isfinite(v)]
        there = np.isfinite(observed[k])
        part = replace(
            emulator,
            coefficients=emulator.coefficients[:, there],
            error=emulator.error[there],
            noise=emulator.noise[there],
            together=emulator.together[np.ix_(there, there)],
        )
        draws = sample(mine, wanted, part, seed + k, effort)[0].reshape(-1, len(wanted))
        chosen = draws[np.linspace(0, len(draws) - 1, DRAWS).round().astype(int)]
        ranks[k] = (chosen < truth[k]).sum(axis=0)
        say(f"fit {k + 1} of {sets}")
    return Ranks(tuple(p.name for p in wanted), ranks)


def _own_error(datum: Datum, noise: float, patients: int) -> Datum:
    """With the error that a simulated trial of this size has, and none of memory."""
    error = noise * float(np.sqrt(patients / (datum.observed.n or patients)))
    return replace(datum, sampled={datum.observed.arm: error}, alone=0.0)


def _simulated(
    trial: PublishedTrial, data: Sequence[Datum], responses: Sequence[Response], seed: int, threads: int
) -> FloatArray:
    """(data set, figure) of trials of the published size, on the scales of the fit."""
    sets = len(responses)
    values = np.full((sets, len(data)), np.nan)
    size = max(1, 6000 // (trial.design.patients or 1))
    settings = Settings(Tolerances(rtol=RTOL), threads)
    for first in range(0, sets, size):
        part = range(first, min(first + size, sets))
        numbers = [1_000_000 + r for r in part]  # other patients than the emulator learnt from
        mine = [responses[r] for r in part]
        for found in conduct(trial.design, numbers, seed=seed, responses=mine, settings=settings):
            every = dict.fromkeys(trial.design.arms, found)
            values[found.replicate - 1_000_000] = [
                to_scale(d.observed, statistic(trial.design, every, d.observed)) for d in data
            ]
    return values
