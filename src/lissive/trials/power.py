"""Power: of a design at several sizes, and the size that a power needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri

from lissive.arrays import BoolArray, FloatArray
from lissive.errors import DesignError
from lissive.given import threads_of, whole
from lissive.simulation.run import Settings
from lissive.trials.conduct import conduct
from lissive.trials.design import Design, planned
from lissive.trials.endpoint import against_control, first_of
from lissive.trials.enrol import tolerances
from lissive.trials.estimate import power as share_of
from lissive.trials.parts import MOST_PATIENTS, Endpoint, replicates_of
from lissive.trials.people import Response, draws
from lissive.trials.run import chunks, provenance_of, run_trial
from lissive.trials.summary import (
    ComparisonAnswer,
    Provenance,
    Results,
    comparisons,
    succeeded,
)

# -- power by size -------------------------------------------------------------------------------------
LARGE = 8
"""A ratio of more shares than this is the arms' very sizes, and is shared out anew for another size."""


@dataclass(frozen=True, kw_only=True)
class PowerPoint(ComparisonAnswer):
    """One arm against the control in trials of one size."""

    n: int
    """As asked for; see `PowerAnswer.size_is`."""
    randomised: float


@dataclass(frozen=True)
class PowerAnswer:
    """The answer of `lissive trial power`."""

    design: Design
    endpoint: str
    week: float
    size_is: str
    """What a size counts."""
    alpha: float
    assurance: bool
    replicates: int
    seed: int
    points: tuple[PowerPoint, ...]
    provenance: Provenance
    needed: tuple[Needed, ...] = ()
    """Sizes that were solved for; else empty."""

    def to_json(self) -> dict[str, Any]:
        """Plain data, without NaN."""
        return {
            "trial": self.design.trial,
            "kind": self.design.kind,
            "design": self.design.model_dump(mode="json"),
            "endpoint": self.endpoint,
            "week": self.week,
            "size_is": self.size_is,
            "alpha": self.alpha,
            "assurance": self.assurance,
            "replicates": self.replicates,
            "seed": self.seed,
            "points": [{"n": each.n, "randomised": each.randomised, **asdict(each)} for each in self.points],
            "needed": [asdict(each) for each in self.needed],
            "provenance": asdict(self.provenance),
        }


def power(
    design: Design | str | Path,
    sizes: Sequence[int],
    *,
    endpoint: str | None = None,
    assurance: bool = False,
    replicates: int = 200,
    seed: int | None = None,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> PowerAnswer:
    """Power by trial size, for the primary endpoint or the one that is named.

    Parameters
    ----------
    design : a design, or the path of its file.
    sizes : totals of patients: randomised, or entering the run-in where all that it keeps are randomised.
    endpoint : name, as spasticity_nrs_responders_30pct; where it comes at several visits, name@week.
    assurance : sample each replicate's parameters from the posterior.
    seed : random seed; the design's, or 1, if not given.
    progress : called with the number of patients simulated, of `replicates * sum(sizes)`.

    Raises       DesignError where a size or the endpoint cannot be, or a trial of that size cannot be simulated.
    """
    design, seed = planned(design, seed)
    sizes = [whole(f"sizes[{k}]", n, wrong=DesignError) for k, n in enumerate(_sizes(sizes))]
    replicates = replicates_of(replicates)
    chosen = chosen_endpoint(design, endpoint)
    designs = [sized(design, n) for n in sizes]
    responses = draws(replicates, seed) if assurance else None
    points: list[PowerPoint] = []
    found: Results | None = None
    before = 0
    for n, each in zip(sizes, designs, strict=True):
        found = run_trial(
            each,
            replicates=replicates,
            seed=seed,
            responses=responses,
            threads=threads,
            progress=_part_of(progress, before, n),
        )
        points += _points(found, n, chosen)
        before += n * replicates
    assert found is not None
    week = design.week_of(chosen)
    return PowerAnswer(
        design, chosen.name, week, size_is(design), design.analysis.alpha, assurance, replicates, seed,
        tuple(points), found.provenance,
    )  # fmt: skip


def _sizes(sizes: Any) -> list[Any]:
    if not isinstance(sizes, Iterable) or isinstance(sizes, str | bytes) or not (every := list(sizes)):
        raise DesignError(
            f"sizes is {sizes!r}.",
            where="sizes",
            allowed="a list of numbers of patients, as [40, 80, 160].",
            do="write one or more.",
        )
    return every


def size_is(design: Design) -> str:
    """What a size counts."""
    return "randomised" if design.patients is not None else "entering the run-in"


def _part_of(progress: Callable[[float], None] | None, before: int, n: int) -> Callable[[float], None] | None:
    return None if progress is None else lambda done: progress(before + done * n)


def chosen_endpoint(design: Design, name: str | None) -> Endpoint:
    """The endpoint of this name, or of this name@week; the primary one if none is named."""
    if len(design.arms) < 2:
        raise DesignError(
            "has one arm, so that there is no comparison.",
            where="arms",
            allowed="two or more.",
            do="add a control arm.",
        )
    able = [each for each in design.endpoints if each.measure != "dose"]
    if name is None and able:
        return able[0]
    named = design.endpoint_named(name) if name is not None else None
    if named:
        return named
    raise DesignError(
        f"{name!r} is not an endpoint of this design." if name else "No endpoint is compared between arms.",
        where="--endpoint" if name else "endpoints",
        allowed=f"{', '.join(each.name for each in able)}." if able else "an endpoint other than the dose.",
        do="name one of these, or add it to the design's endpoints.",
    )


def sized(design: Design, n: int) -> Design:
    """The design with another number of patients; the run-in grows and shrinks with them."""
    groups, least = len(design.shares), design.least_patients
    if n > MOST_PATIENTS:
        raise DesignError(
            f"is {n}.", where="--n", allowed=f"{least} to {MOST_PATIENTS} patients.", do="lower it."
        )
    if n < least:
        raise DesignError(
            f"is {n}, fewer than one patient for each of {groups} {'sequences' if design.crossover else 'arms'}.",
            where="--n",
            allowed=f"{least} or more.",
            do="raise it.",
        )
    change: dict[str, Any] = {}
    run_in = design.run_in
    if design.patients is None:
        assert run_in is not None
        change["run_in"] = run_in.model_copy(update={"patients": n})
    else:
        change["patients"] = n
        if run_in and run_in.patients:
            entering = -(-run_in.patients * n // design.patients)
            change["run_in"] = run_in.model_copy(update={"patients": entering})
    if design.ratio and sum(design.ratio.values()) > LARGE and design.patients is not None:
        change["ratio"] = _shared_out(design, n)
    return design.model_copy(update=change)


def _shared_out(design: Design, n: int) -> dict[str, int]:
    """`n` patients over the arms by their shares, the largest remainders first."""
    total = sum(design.ratio.values())
    exact = {name: share * n / total for name, share in design.ratio.items()}
    whole = {name: int(each) for name, each in exact.items()}
    short = n - sum(whole.values())
    for name in sorted(exact, key=lambda each: whole[each] - exact[each])[:short]:
        whole[name] += 1
    return whole


def _points(results: Results, n: int, endpoint: Endpoint) -> list[PowerPoint]:
    """One arm against the control a row; of several methods the design's first."""
    design = results.design
    week = design.week_of(endpoint)
    randomised = sum(flow.randomised for flow in results.flows.values()) / results.replicates
    first: dict[str, ComparisonAnswer] = {}
    for row in comparisons(results):
        if (row.endpoint, row.week) == (endpoint.name, week):
            first.setdefault(row.arm, row)
    return [PowerPoint(**vars(row), n=n, randomised=randomised) for row in first.values()]


# -- the size that a power needs -------------------------------------------------------------------------
GOALS = (0.8, 0.9)
MOST_NEEDED = 3000
"""Participants beyond which no size is looked for."""
_SIZES, _RESAMPLED, _ENLARGED = 12, 400, 4
"""Sizes at which each replicate is analysed, bootstrap samples of replicates, and how often the trial is enlarged."""


@dataclass(frozen=True)
class Needed:
    """How many participants one arm's comparison needs for a power."""

    arm: str
    power: float
    n: int | None
    """None where no size up to the largest one has it."""
    ci: tuple[int | None, int | None]
    """95 % Monte-Carlo interval: bootstrap over the replicates. An end that is beyond the largest size is None."""
    largest: int
    """The largest size that was simulated."""
    control_better: float = 0.0
    """Proportion of replicates of that size with p < alpha in favour of the control."""


def sample_size(
    design: Design | str | Path,
    *,
    endpoint: str | None = None,
    assurance: bool = False,
    replicates: int = 200,
    seed: int | None = None,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> PowerAnswer:
    """How many participants have to be randomised for a power of 80 and of 90 %.

    The design is simulated at its own size, and at larger ones until the power is reached, or until the control is
    better in so many replicates that no size will reach it. Each replicate is analysed with its first n participants,
    for a range of n: participants come in permuted blocks, so that these are a trial of that size. The size needed is
    read from a probit line over the logarithm of n.

    Parameters
    ----------
    progress : called with the proportion that is done of the simulation at the present size.

    Raises       DesignError where the design does not say how many are randomised.
    """
    design, seed = planned(design, seed)
    replicates = replicates_of(replicates, least=20)
    chosen = chosen_endpoint(design, endpoint)
    if design.patients is None:
        raise DesignError(
            "is missing: all responders are randomised.",
            where="patients",
            allowed="the number randomised, from which the search starts.",
            do="add it, or name sizes by --n.",
        )
    settings = Settings(tolerances(design), threads_of(threads, wrong=DesignError))
    responses = draws(replicates, seed) if assurance else None
    for _ in range(_ENLARGED + 1):
        assert design.patients is not None
        sizes, rows, worse = _hits(design, chosen, replicates, seed, responses, settings, progress)
        needed = [_needed(arm, goal, sizes, hits, worse[arm]) for arm, hits in rows.items() for goal in GOALS]
        short = [each for each in needed if each.n is None]
        hopeless = all(_hopeless(worse[each.arm]) for each in short)
        if hopeless or design.patients >= MOST_NEEDED:
            break
        design = sized(design, _larger(design.patients, sizes, rows))
    return PowerAnswer(
        design, chosen.name, design.week_of(chosen), size_is(design), design.analysis.alpha, assurance, replicates,
        seed, tuple(_curve(design, chosen, sizes, rows)), provenance_of(design, seed, responses), tuple(needed),
    )  # fmt: skip


def _hits(
    design: Design,
    endpoint: Endpoint,
    replicates: int,
    seed: int,
    responses: Sequence[Response] | None,
    settings: Settings,
    progress: Callable[[float], None] | None,
) -> tuple[list[int], dict[str, BoolArray], dict[str, BoolArray]]:
    """Sizes, arm to (replicate, size) whether a trial of that size shows what it was to show, and arm to (replicate,)
    whether one of the largest size shows the control to be better."""
    assert design.patients is not None
    sizes = _grid(design)
    designs = [sized(design, n) for n in sizes]
    arms = [name for name in design.arms if name != design.control]
    found = {arm: np.zeros((replicates, len(sizes)), bool) for arm in arms}
    worse = {arm: np.zeros(replicates, bool) for arm in arms}
    for chunk in chunks(design, replicates):
        mine = None if responses is None else [responses[r] for r in chunk]
        for data in conduct(design, chunk, seed=seed, responses=mine, settings=settings):
            for k, each in enumerate(designs):
                part = first_of(data, sizes[k])
                compared = against_control(each, part, endpoint)
                for arm, good in succeeded(each, compared).items():
                    found[arm][data.replicate, k] = good
            for row in compared:  # of the largest size
                worse[row.arm][data.replicate] |= (
                    row.favours_control and row.estimate.p < design.analysis.alpha
                )
        if progress:
            progress((chunk[-1] + 1) / replicates)
    return sizes, {arm: hits for arm, hits in found.items() if hits.any() or len(found) == 1}, worse


def _hopeless(worse: BoolArray) -> bool:
    """Whether the control is better so often that the lowest goal is out of reach: of more participants it only
    becomes surer."""
    return share_of(np.where(worse, 0.0, 1.0), 0.5)[1] > 1.0 - min(GOALS)


def _grid(design: Design) -> list[int]:
    """Sizes up to the design's own, in whole blocks."""
    assert design.patients is not None
    block = design.least_patients if design.least_patients <= LARGE else 1
    least = min(max(12, 3 * design.least_patients), design.patients)
    wanted = np.geomspace(least, design.patients, _SIZES)
    return sorted(
        {*(max(int(n // block) * block, design.least_patients) for n in wanted[:-1]), design.patients}
    )


def _line(sizes: Sequence[int], shares: FloatArray, replicates: int, goal: float) -> tuple[float, float]:
    """Intercept and slope of the probit of power over the logarithm of the size, near the goal."""
    smoothed = (shares * replicates + 0.5) / (replicates + 1.0)
    z, x = ndtri(smoothed), np.log(sizes)
    weight = np.exp(-(z**2)) / (smoothed * (1.0 - smoothed))
    near = np.abs(z - ndtri(goal)) < 1.0
    if near.sum() < 3:
        near = np.argsort(np.abs(z - ndtri(goal)))[:3]
    x, z, weight = x[near], z[near], weight[near]
    mean_x, mean_z = np.average(x, weights=weight), np.average(z, weights=weight)
    spread = float((weight * (x - mean_x) ** 2).sum())
    slope = float((weight * (x - mean_x) * (z - mean_z)).sum()) / spread if spread > 0 else 0.0
    return float(mean_z - slope * mean_x), slope


def _size_for(sizes: Sequence[int], shares: FloatArray, replicates: int, goal: float) -> float:
    """The size with this power; infinite where it does not rise towards it."""
    intercept, slope = _line(sizes, shares, replicates, goal)
    return float(np.exp(min((ndtri(goal) - intercept) / slope, 50.0))) if slope > 1e-6 else np.inf


def _needed(arm: str, goal: float, sizes: Sequence[int], hits: BoolArray, worse: BoolArray) -> Needed:
    replicates, largest = len(hits), sizes[-1]
    rng = np.random.default_rng(1)
    own = _size_for(sizes, hits.mean(axis=0), replicates, goal)
    again = [
        _size_for(sizes, hits[rng.integers(0, replicates, replicates)].mean(axis=0), replicates, goal)
        for _ in range(_RESAMPLED)
    ]
    low, n, high = (
        None if size > 1.02 * largest else int(np.ceil(size))
        for size in (
            np.quantile(again, 0.025, method="lower"),
            own,
            np.quantile(again, 0.975, method="higher"),
        )
    )
    return Needed(arm, goal, n, (low, high), largest, float(worse.mean()))


def _larger(now: int, sizes: Sequence[int], rows: dict[str, BoolArray]) -> int:
    """The size to try next: somewhat above where the highest power is expected, within bounds."""
    expected = max(
        (_size_for(sizes, hits.mean(axis=0), len(hits), max(GOALS)) for hits in rows.values()), default=np.inf
    )
    return int(min(max(1.5 * expected, 1.5 * now), 5 * now, MOST_NEEDED))


def _curve(
    design: Design, endpoint: Endpoint, sizes: Sequence[int], rows: dict[str, BoolArray]
) -> Iterable[PowerPoint]:
    for arm, hits in rows.items():
        for n, column in zip(sizes, hits.T, strict=True):
            share, low, high = share_of(np.where(column, 0.0, 1.0), 0.5)
            yield PowerPoint(
                endpoint.name, design.week_of(endpoint), arm, design.control, "", "", None, None, None, (None, None),
                share, (low, high), len(column), {}, None, n=n, randomised=n,
            )  # fmt: skip
