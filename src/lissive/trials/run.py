"""Many replicates of a trial: in chunks, finished ones kept on disk, resumed after an interruption."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lissive.errors import DesignError
from lissive.fingerprint import of_bytes
from lissive.given import list_of, path_of, threads_of
from lissive.model import load
from lissive.model.parameters import load_parameters
from lissive.simulation.engine import Tolerances
from lissive.simulation.ratings import figures
from lissive.simulation.run import Settings
from lissive.simulation.solve import model_hash
from lissive.simulation.titrate import thresholds
from lissive.trials._fits import Estimate
from lissive.trials.adam import patient_table
from lissive.trials.analyse import ArmRow, Comparison, GroupFlow, analyse, arms_of, groups_of
from lissive.trials.conduct import RTOL, conduct
from lissive.trials.data import Flow, TrialData
from lissive.trials.design import Design
from lissive.trials.endpoint import ArmResult
from lissive.trials.read import planned
from lissive.trials.response import Response, between_trials
from lissive.trials.size import replicates_of
from lissive.trials.store import found as found_in
from lissive.trials.store import keep
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


@dataclass(frozen=True)
class Solver:
    method: str
    rtol: float


@dataclass(frozen=True)
class Provenance:
    """What a run was made with."""

    lissive: str
    design: str
    stamp: str
    seed: int
    model: str
    model_hash: str
    solver: Solver


@dataclass(frozen=True)
class Results:
    """What all replicates found."""

    design: Design
    seed: int
    flows: Mapping[int, Flow]
    groups: tuple[GroupFlow, ...]
    arms: tuple[ArmRow, ...]
    comparisons: tuple[Comparison, ...]
    provenance: Provenance
    example: TrialData | None = None
    """The first replicate simulated now, patient by patient."""

    @property
    def replicates(self) -> int:
        return len(self.flows)


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
    settings = Settings(Tolerances(rtol=RTOL), threads_of(threads, wrong=DesignError))
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
    return Provenance(__version__, design.trial, stamp, seed, "lissive", hashed, Solver("RODAS 4(3)", RTOL))
