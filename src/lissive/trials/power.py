"""How the power of a trial hangs on its size: the same design, carried out with other numbers of patients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lissive.errors import DesignError
from lissive.given import whole
from lissive.trials.design import Design
from lissive.trials.parts import Endpoint
from lissive.trials.posterior import draws
from lissive.trials.run import Results, is_design, run_trial
from lissive.trials.size import MOST_PATIENTS, replicates_of
from lissive.trials.summary import comparisons

LARGE = 8
"""A ratio of more shares than this is the arms' very sizes, and is shared out anew for another size."""


def power_curve(
    design: Design,
    sizes: Sequence[int],
    *,
    endpoint: str | None = None,
    assurance: bool = False,
    replicates: int = 200,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Share of trials of each size that find something, of the primary endpoint or the one that is named.

    Parameters
    ----------
    sizes : totals of patients: randomised, or entering the run-in where all that it keeps are randomised.
    endpoint : name, as spasticity_nrs_responders_30pct; where it comes at several visits, name@week.
    assurance : each replicate draws its parameters from what the calibration left uncertain.
    progress : told how many patients have been simulated, of all of them `replicates * sum(sizes)`.

    Raises       DesignError where a size or the endpoint cannot be, or a trial of that size cannot be carried out.
    """
    is_design(design)
    sizes = [whole(f"sizes[{k}]", n, wrong=DesignError) for k, n in enumerate(_sizes(sizes))]
    replicates = replicates_of(replicates)
    seed = whole("seed", seed, wrong=DesignError, least=0)
    chosen = chosen_endpoint(design, endpoint)
    designs = [sized(design, n) for n in sizes]
    responses = draws(replicates, seed) if assurance else None
    points: list[dict[str, Any]] = []
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
    return {
        "trial": design.trial,
        "kind": design.kind,
        "design": design.model_dump(mode="json"),
        "endpoint": chosen.name,
        "week": week,
        "size_is": size_is(design),
        "alpha": design.analysis.alpha,
        "assurance": assurance,
        "replicates": replicates,
        "seed": seed,
        "points": points,
        "provenance": dict(found.provenance),
    }


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
            "has one arm, which nothing is compared with.",
            where="arms",
            allowed="two or more.",
            do="add the arm that it is compared with.",
        )
    able = [each for each in design.endpoints if each.measure != "dose"]
    if name is None and able:
        return able[0]
    for each in able:
        week = design.visits_weeks[-1] if each.at_week is None else each.at_week
        if name in (each.name, f"{each.name}@{week:g}"):
            return each
    raise DesignError(
        f"{name!r} is no endpoint that arms are compared by." if name else "No endpoint compares arms.",
        where="--endpoint" if name else "endpoints",
        allowed=f"{', '.join(each.name for each in able)}." if able else "one that is not the dose.",
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


def _points(results: Results, n: int, endpoint: Endpoint) -> list[dict[str, Any]]:
    """One arm against the control a row; of several methods the design's first."""
    design = results.design
    week = design.visits_weeks[-1] if endpoint.at_week is None else endpoint.at_week
    randomised = sum(flow.randomised for flow in results.flows.values()) / results.replicates
    found: list[dict[str, Any]] = []
    for row in comparisons(results):
        known = any(row["arm"] == other["arm"] for other in found)
        if (row["endpoint"], row["week"]) != (endpoint.name, week) or known:
            continue
        found.append({"n": n, "randomised": randomised, **row})
    return found
