"""Many replicates of a trial: in chunks, finished ones kept on disk, resumed after an interruption; and its power by
size: the same design, simulated with other numbers of patients."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lissive.errors import DesignError
from lissive.fingerprint import of_bytes
from lissive.given import list_of, path_of, threads_of, whole
from lissive.model import load
from lissive.model.parameters import load_parameters
from lissive.simulation.days import thresholds
from lissive.simulation.ratings import figures
from lissive.simulation.run import Settings
from lissive.simulation.solve import model_hash
from lissive.trials.conduct import conduct
from lissive.trials.design import Design, planned
from lissive.trials.endpoint import ArmResult, ArmRow, Comparison, GroupFlow, analyse, arms_of, groups_of
from lissive.trials.enrol import tolerances
from lissive.trials.fits import Estimate
from lissive.trials.observe import Flow, TrialData
from lissive.trials.parts import MOST_PATIENTS, Endpoint, replicates_of
from lissive.trials.people import Response, between_trials, draws
from lissive.trials.store import found as found_in
from lissive.trials.store import keep, patient_table
from lissive.trials.summary import ComparisonAnswer, Provenance, Results, Solver, comparisons
from lissive.version import __version__

ALSO = (
    "case/products.tsv",
    "case/titration.tsv",
    "model/parameters/people.tsv",
    "model/parameters/genotypes.tsv",
    "model/parameters/bounds.tsv",
    "trials/measures.tsv",
)
"""Tables of the package that a run rests on beside its parameters."""
PATIENTS_AT_ONCE = 6000


def run_trial(
    design: Design | str | Path,
    *,
    replicates: int = 200,
    seed: int | None = None,
    responses: Sequence[Response] | None = None,
    folder: Path | None = None,
    resume: bool = False,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Results:
    """Simulate the trial `replicates` times and analyse each.

    Parameters
    ----------
    design : a design, or the path of its file.
    seed : random seed; the design's, or 1, if not given.
    responses : one for each replicate, as drawn from a posterior; the tables' own if not given.
    folder : where each finished chunk is kept, patients as Parquet; nothing is written if not given.
    resume : resume the run in `folder`, of the same design, seed and model.
    progress : called with the number of replicates done, in parts of one.
    say : called with each part in `folder` that is lost or damaged, and made again.

    Raises       DesignError where the trial cannot be simulated, or `folder` holds another one.
    """
    design, seed = planned(design, seed)
    replicates = replicates_of(replicates)
    folder = None if folder is None else path_of(folder, wrong=DesignError, name="folder")
    if responses is not None:
        responses = _answers(responses, replicates)
    settings = Settings(tolerances(design), threads_of(threads, wrong=DesignError))
    stamp = _stamp(design, seed, responses)
    done = found_in(folder, stamp, resume, say) if folder else {}
    found = _Found()
    example: TrialData | None = None
    for chunk in _chunks(design, replicates):
        part = done.get(chunk[0])
        if part is None or len(part["flows"]) < len(chunk):
            within = _within(progress, chunk)
            mine = None if responses is None else [responses[r] for r in chunk]
            trials = conduct(design, chunk, seed=seed, responses=mine, settings=settings, progress=within)
            example = example or trials[0]
            part = _record(design, trials)
            if folder:
                keep(folder, stamp, chunk, part, patient_table(design, trials))
        found.read(part, chunk)
        if progress:
            progress(chunk[-1] + 1)
    return Results(
        design, seed, found.flows, tuple(found.groups), tuple(found.arms), tuple(found.comparisons),
        _provenance(design, seed, stamp), example,
    )  # fmt: skip


def _answers(responses: Any, replicates: int) -> list[Response]:
    answers = list_of(
        "responses", responses, Response, wrong=DesignError, do="draw them with posterior.draws."
    )
    if len(answers) < replicates:
        raise DesignError(
            f"There are {len(answers)} responses for {replicates} replicates.",
            allowed="one for each replicate.",
            do="draw as many as there are replicates, or leave responses out.",
        )
    return answers


def _chunks(design: Design, replicates: int) -> Iterator[list[int]]:
    """Replicates that are run side by side; how many there are in all changes no chunk but the last."""
    run_in = design.run_in.patients if design.run_in else None
    size = max(1, PATIENTS_AT_ONCE // (run_in or design.patients or 1))
    for first in range(0, replicates, size):
        yield list(range(first, min(first + size, replicates)))


def _within(progress: Callable[[float], None] | None, chunk: Sequence[int]) -> Callable[[float], None] | None:
    return None if progress is None else lambda share: progress(chunk[0] + share * len(chunk))


def _record(design: Design, trials: Sequence[TrialData]) -> dict[str, Any]:
    """What is kept of a chunk beside its patients; plain data, so that it goes to disk and back unchanged."""
    return {
        "flows": {str(each.replicate): asdict(each.flow) for each in trials},
        "groups": [asdict(row) for each in trials for row in groups_of(design, each)],
        "arms": [asdict(row) for each in trials for row in arms_of(design, each)],
        "comparisons": [asdict(row) for each in trials for row in analyse(design, each)],
    }


class _Found:
    """What the chunks found, as it comes in."""

    def __init__(self) -> None:
        self.flows: dict[int, Flow] = {}
        self.groups: list[GroupFlow] = []
        self.arms: list[ArmRow] = []
        self.comparisons: list[Comparison] = []

    def read(self, part: Mapping[str, Any], chunk: Sequence[int]) -> None:
        """Take the chunk's replicates; a part on disk may hold more of them."""

        def rows(name: str) -> Iterator[dict[str, Any]]:
            return (row for row in part[name] if chunk[0] <= row["replicate"] <= chunk[-1])

        self.flows.update({r: Flow(**part["flows"][str(r)]) for r in chunk})
        self.groups.extend(GroupFlow(**row) for row in rows("groups"))
        self.arms.extend(ArmRow(**{**row, "result": ArmResult(**row["result"])}) for row in rows("arms"))
        self.comparisons.extend(
            Comparison(**{**row, "estimate": Estimate(**row["estimate"])}) for row in rows("comparisons")
        )


# -- what it rests on -------------------------------------------------------------------------------------------
def _stamp(design: Design, seed: int, responses: Sequence[Response] | None) -> str:
    """What a run rests on, the tables too; another one does not go on with it."""
    people = {
        name: (each.value, each.distribution, each.spread)
        for name, each in load_parameters(design.population.cause).items()
    }
    tables = [people, thresholds(), figures(), dict(between_trials())]
    answers = [dict(each.values) for each in responses or ()]
    rests = [design.model_dump(mode="json"), seed, model_hash(load("lissive")), tables, answers, __version__]
    package = Path(__file__).parents[1]
    files = b"".join((package / each).read_bytes() for each in ALSO)
    return of_bytes(json.dumps(rests, sort_keys=True).encode() + files, 16)


def _provenance(design: Design, seed: int, stamp: str) -> Provenance:
    hashed = model_hash(load("lissive"))
    return Provenance(
        __version__,
        design.trial,
        stamp,
        seed,
        "lissive",
        hashed,
        Solver("RODAS 4(3)", tolerances(design).rtol),
    )


# -- power by size -------------------------------------------------------------------------------------
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
            progress=_part_of(progress, before, n),
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
