"""The power of a trial by its size: the same design, simulated with other numbers of patients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lissive.errors import DesignError
from lissive.given import whole
from lissive.trials.design import Design
from lissive.trials.parts import Endpoint
from lissive.trials.posterior import draws
from lissive.trials.read import planned
from lissive.trials.run import Provenance, Results, run_trial
from lissive.trials.size import MOST_PATIENTS, replicates_of
from lissive.trials.summary import ComparisonAnswer, comparisons

LARGE = 8
"""A ratio of more shares than this is the arms' very sizes, and is shared out anew for another size."""


@dataclass(frozen=True)
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
            progress=_within(progress, before, n),
        )
        points += _points(found, n, chosen)
        before += n * replicates
    assert found is not None
    week = design.visits_weeks[-1] if chosen.at_week is None else chosen.at_week
    return PowerAnswer(
        design, chosen.name, week, size_is(design), design.analysis.alpha, assurance, replicates, seed,
        tuple(points), found.provenance,
    )  # fmt: skip


def _sizes(sizes: Any) -> list[Any]:
    if not isinstance(sizes, Iterable) or isinstance(sizes, str | bytes) or not (every := list(sizes)):
        raise DesignError(
            f"sizes is {sizes!r}.",
            allowed="a list of numbers of patients, as [40, 80, 160].",
            do="write one or more.",
        )
    return every


def size_is(design: Design) -> str:
    """What a size counts."""
    return "randomised" if design.patients is not None else "entering the run-in"


def _within(progress: Callable[[float], None] | None, before: int, n: int) -> Callable[[float], None] | None:
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
    for each in able:
        week = design.visits_weeks[-1] if each.at_week is None else each.at_week
        if name in (each.name, f"{each.name}@{week:g}"):
            return each
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
    week = design.visits_weeks[-1] if endpoint.at_week is None else endpoint.at_week
    randomised = sum(flow.randomised for flow in results.flows.values()) / results.replicates
    first: dict[str, ComparisonAnswer] = {}
    for row in comparisons(results):
        if (row.endpoint, row.week) == (endpoint.name, week):
            first.setdefault(row.arm, row)
    return [PowerPoint(**vars(row), n=n, randomised=randomised) for row in first.values()]
