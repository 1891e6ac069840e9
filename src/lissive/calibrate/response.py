"""How people respond, fitted on published trials: parameters, their uncertainty, and what rests on what.

The trial simulator is run at parameters spread over the priors; an emulator learns each published figure from these
runs; an ensemble sampler (emcee) draws from the posterior on the emulator; a second wave of runs, where the posterior
is, sharpens the emulator, and a last one does so where the structure is that ships. Chosen over simulation-based
inference because figures of a trial are few and smooth, over ensemble Kalman inversion because its spread is no
posterior, and over sampling the simulator because one run of all trials takes seconds.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm, qmc

from lissive.arrays import BoolArray, FloatArray
from lissive.calibrate.emulator import Emulator, learn
from lissive.calibrate.prior import Prior
from lissive.calibrate.response_data import Datum, data_of, to_scale
from lissive.calibrate.response_likelihood import Restriction, target_of
from lissive.errors import DesignError, StudyError
from lissive.simulation.engine import Tolerances
from lissive.simulation.run import Settings
from lissive.table import rows_of
from lissive.trials.conduct import conduct
from lissive.trials.design import Design
from lissive.trials.enrol import RTOL
from lissive.trials.observe import TrialData
from lissive.trials.people import BETWEEN, MOVED, People, Response, recruit
from lissive.trials.published import PublishedTrial
from lissive.trials.reproduce import run_replicates, statistic

Say = Callable[[str], None]
KEPT = 2000
"""Draws of each ensemble that are kept."""
SUM_BETWEEN = tuple(f"{BETWEEN}{kind}" for kind in MOVED)


@dataclass(frozen=True)
class Effort:
    """How much is run: the whole calibration, or a small one."""

    runs: tuple[int, ...] = (320, 320)
    """Runs of the simulator in each wave."""
    last: int = 480
    """Runs in the region of the structure that ships."""
    patients: int = 40
    """Virtual patients of each arm in a run."""
    steps: int = 4000
    burn: int = 2500
    walkers: int = 64
    ensembles: int = 4


SMOKE = Effort(runs=(40,), patients=12, steps=300, burn=200, walkers=20, ensembles=2)


@dataclass(frozen=True)
class Posterior:
    """z : (ensemble, draw, parameter) on the priors' standard scale"""

    priors: tuple[Prior, ...]
    data: tuple[Datum, ...]
    trials: tuple[PublishedTrial, ...]
    emulator: Emulator
    z: FloatArray
    log_probability: FloatArray
    acceptance: FloatArray
    chains: FloatArray
    """(ensemble, step, walker, parameter) thinned, in order, to judge convergence by."""
    seed: int
    x: FloatArray
    """(run, parameter) where the simulator was run, on the priors' standard scale."""
    y: FloatArray
    """(run, figure) what it found there, on the scales of the fit."""

    @property
    def values(self) -> FloatArray:
        """(ensemble, draw, parameter) in the parameters' units."""
        return np.stack([p.at(self.z[..., k]) for k, p in enumerate(self.priors)], axis=-1)


@cache
def priors() -> tuple[Prior, ...]:
    """All parameters that are fitted on trials."""
    rows = rows_of(Path(__file__).parent / "priors_response.tsv")
    return tuple(
        Prior(row["name"], row["scale"], float(row["value"]), float(row["sd"]), source=row["source"])
        for row in rows
    )


def response_at(wanted: Sequence[Prior], z: FloatArray, *, centre: bool = False) -> Response:
    """The answer at one point; with `centre`, of a trial that is as trials are on average."""
    values = {p.name: float(p.at(z[k])) for k, p in enumerate(wanted)}
    return Response({**values, **dict.fromkeys(SUM_BETWEEN, 0.0)} if centre else values)


LONGEST = 52.0
"""Weeks; a longer trial costs more than it tells, and is predicted only."""


def fitted_on(trials: Sequence[PublishedTrial]) -> list[PublishedTrial]:
    """The trials that a fit uses: split calibration, and not of years."""
    return [t for t in trials if t.split == "calibration" and t.design.weeks <= LONGEST]


def fit_response(
    trials: Sequence[PublishedTrial],
    *,
    seed: int = 1,
    effort: Effort | None = None,
    wanted: Sequence[Prior] | None = None,
    threads: int = 1,
    say: Say = lambda _: None,
) -> Posterior:
    """Fit on all figures of these trials.

    Raises
    ------
    StudyError
        Where a trial may not be fitted on, or none says anything.
    """
    effort, wanted = effort or Effort(), tuple(wanted or priors())
    data = data_of(trials)
    if not data:
        raise StudyError(
            "There is no calibration figure.",
            where="trials",
            allowed="a trial with split: calibration.",
            do="give the file of a trial with a figure that can be fitted on.",
        )
    wanted_trials = [t for k, t in enumerate(trials) if any(d.trial == k for d in data)]
    data = data_of(wanted_trials)
    x = spread_over(effort.runs[0], len(wanted), seed)
    simulator = Simulator(wanted_trials, data, wanted, seed, effort.patients, threads, say)
    y = simulator.figures(x)
    if (never := ~np.isfinite(y).any(axis=0)).any():
        first_lost = data[int(np.argmax(never))].observed
        raise StudyError(
            f"{first_lost.printed} is a figure that no virtual trial of this design has.",
            where=first_lost.trial,
            do="take it out, or give it in another form.",
        )
    emulator = learn(x, y)
    for wave, runs in enumerate(effort.runs[1:], start=2):
        say("second wave: the region of the posterior")
        draws = sample(data, wanted, emulator, seed, replace(effort, ensembles=1))[0]
        more = _near(draws, runs, seed + wave)
        first = len(x)
        y = np.concatenate([y, simulator.figures(more, first)])
        x = np.concatenate([x, more])
        emulator = learn(x, y)
    say("posterior")
    draws, logp, accepted, chains = sample(data, wanted, emulator, seed, effort)
    fitted = tuple(data), tuple(wanted_trials)
    return Posterior(wanted, *fitted, emulator, draws, logp, accepted, chains, seed, x, y)


def refined(
    posterior: Posterior,
    within: Restriction,
    effort: Effort,
    *,
    threads: int = 1,
    say: Say = lambda _: None,
) -> Posterior:
    """The posterior of a structure that is nested in the whole one, after a last wave of runs in its own region.

    Fixed parameters lie at the edge of where the emulator has learnt until then, and there it is biased.
    """
    say("last wave: the region of the structure that ships")
    fitted = posterior.data, posterior.priors
    start = posterior.z.reshape(-1, len(posterior.priors))
    once = replace(effort, ensembles=1)
    near = sample(*fitted, posterior.emulator, posterior.seed, once, within=within, start=start)[0]
    more = _near(near, effort.last, posterior.seed + len(effort.runs) + 1)
    simulator = Simulator(posterior.trials, *fitted, posterior.seed, effort.patients, threads, say)
    x = np.concatenate([posterior.x, more])
    y = np.concatenate([posterior.y, simulator.figures(more, len(posterior.x))])
    emulator = learn(x, y)
    say("posterior")
    start = near.reshape(-1, len(posterior.priors))
    longer = replace(
        effort, steps=2 * effort.steps, burn=2 * effort.burn
    )  # at the usual length R-hat was 1.07
    z, logp, accepted, chains = sample(*fitted, emulator, posterior.seed, longer, within=within, start=start)
    return replace(
        posterior, emulator=emulator, z=z, log_probability=logp, acceptance=accepted, chains=chains, x=x, y=y
    )


def spread_over(runs: int, parameters: int, seed: int) -> FloatArray:
    """(run, parameter) a Latin hypercube over the priors, a little wider than they are."""
    u = qmc.LatinHypercube(parameters, rng=np.random.default_rng(seed)).random(runs)
    z: FloatArray = 1.15 * norm.ppf(u)
    return z


def _near(draws: FloatArray, runs: int, seed: int) -> FloatArray:
    """(run, parameter) around the posterior, half as wide again."""
    flat = draws.reshape(-1, draws.shape[-1])
    chosen = flat[np.random.default_rng(seed).integers(0, len(flat), runs)]
    centre = flat.mean(axis=0)
    near: FloatArray = centre + 1.5 * (chosen - centre)
    return near


# -- the simulator ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Simulator:
    """Virtual trials that are looked at as the published ones were; each run has patients of its own."""

    trials: Sequence[PublishedTrial]
    data: Sequence[Datum]
    wanted: Sequence[Prior]
    seed: int
    patients: int
    """On each arm."""
    threads: int
    say: Say

    def figures(self, x: FloatArray, first: int = 0) -> FloatArray:
        """(run, figure) on the scales of the fit, for (run, parameter) points, by the same patients on every arm.

        first : number of the first run.
        """
        y = np.full((len(x), len(self.data)), np.nan)
        responses = [response_at(self.wanted, z, centre=True) for z in x]
        size = max(1, 8000 // self.patients)
        for place, trial in enumerate(self.trials):
            self.say(f"{trial.id}: {len(x)} runs")
            mine = [k for k, datum in enumerate(self.data) if datum.trial == place]
            for start in range(0, len(x), size):
                part = {first + r: responses[r] for r in range(start, min(start + size, len(x)))}
                design = _sized(trial, self.patients)
                for r, every in self._runs(design, part):
                    for k in mine:
                        observed = self.data[k].observed
                        found = statistic(design, every, observed)
                        y[r - first, k] = to_scale(observed, found, self.patients)
        return y

    def _runs(
        self, design: Design, responses: Mapping[int, Response]
    ) -> Iterator[tuple[int, dict[str, TrialData]]]:
        """Each run that can be simulated at its parameters: its number, and what it is on each arm."""
        people = [p for r, answer in responses.items() if (p := _recruited(design, r, self.seed, answer))]
        arms = list(design.shares) if not design.crossover else [None]
        settings = Settings(Tolerances(rtol=RTOL), self.threads)
        for each, found in zip(people, _on_each_arm(design, arms, people, settings), strict=True):
            if found is not None:  # nobody could be kept at these parameters: not learnt from
                yield each.replicate, {arm: found.get(arm, found[arms[0]]) for arm in design.arms}


def _recruited(design: Design, number: int, seed: int, response: Response) -> People | None:
    """Those who are enrolled; None where too few can be, at these parameters."""
    try:
        return recruit(design, number, seed=seed, response=response)
    except DesignError:
        return None


def _on_each_arm(
    design: Design, arms: Sequence[str | None], people: Sequence[People], settings: Settings
) -> list[dict[str | None, TrialData] | None]:
    """For each group of people, arm to the trial with everybody on it; None where the trial cannot be simulated."""

    def carried_out(groups: Sequence[People]) -> list[dict[str | None, TrialData] | None]:
        numbers = [each.replicate for each in groups]
        found = {arm: conduct(design, numbers, all_on=arm, people=groups, settings=settings) for arm in arms}
        return [{arm: found[arm][i] for arm in arms} for i in range(len(groups))]

    return run_replicates(carried_out, people)


def _sized(trial: PublishedTrial, patients: int) -> Design:
    """The design with so many patients on each arm; a run-in is entered by enough to keep about as many."""
    design = trial.design
    if design.run_in is None:
        return design.model_copy(update={"patients": patients})
    keeps = 2.5 if design.run_in.keep else 1.0
    run_in = design.run_in.model_copy(update={"patients": int(keeps * patients)})
    return design.model_copy(update={"patients": None, "run_in": run_in})


# -- the posterior --------------------------------------------------------------------------------------
def sample(
    data: Sequence[Datum],
    wanted: Sequence[Prior],
    emulator: Emulator,
    seed: int,
    effort: Effort,
    *,
    within: Restriction | None = None,
    without: BoolArray | None = None,
    start: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Draws of independent ensembles.

    Parameters
    ----------
    within : the structure; all parameters are free if not given.      without : (trial,) those that are left out.
    start : (draw, parameter) of a posterior near by, to begin with; around the priors' centres if not given.

    Returns
    -------
    (ensemble, draw, parameter) draws, (ensemble, draw) log probability, proportion of accepted moves, and (ensemble,
    step, walker, parameter) what convergence is judged by.
    """
    from threadpoolctl import threadpool_limits

    here = within or Restriction.none(len(wanted))
    # small matrices: threads of the linear algebra cost more than they save
    with threadpool_limits(1):
        target = target_of(data, wanted, emulator, within=here, without=without)
        free = None if start is None else start[:, here.slope.argmax(axis=1)]
        draws, logs, accepted, chains = _sample(len(here.slope), target, seed, effort, free)
    return here.whole(draws), logs, accepted, here.whole(chains)


def _sample(
    n: int,
    target: Callable[[FloatArray], FloatArray],
    seed: int,
    effort: Effort,
    start: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    import emcee

    chains, logs, accepted, rows = [], [], [], []
    for ensemble in range(effort.ensembles):
        rng = np.random.default_rng([seed, ensemble])
        walkers = max(effort.walkers, 2 * n + 2)
        sampler = emcee.EnsembleSampler(
            walkers,
            n,
            target,
            vectorize=True,
            moves=[(emcee.moves.DEMove(), 0.8), (emcee.moves.DESnookerMove(), 0.2)],
        )
        sampler.random_state = np.random.RandomState(rng.integers(2**31)).get_state()
        begin = 0.5 * rng.standard_normal((walkers, n))
        if start is not None:
            begin = start[rng.choice(len(start), walkers, replace=False)]
        sampler.run_mcmc(begin, effort.burn + effort.steps, skip_initial_state_check=True)
        # draws of all walkers, in an order that mixes them
        chosen = rng.permutation(effort.steps * walkers)[:KEPT]
        chains.append(sampler.get_chain(discard=effort.burn, flat=True)[chosen])
        logs.append(sampler.get_log_prob(discard=effort.burn, flat=True)[chosen])
        rows.append(sampler.get_chain(discard=effort.burn, thin=max(1, effort.steps // 200)))
        accepted.append(sampler.acceptance_fraction.mean())
    return np.stack(chains), np.stack(logs), np.array(accepted), np.stack(rows)


def the_arviz() -> Any:
    """The library, without its announcement of a later version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import arviz
    return arviz
