"""Many replicates of a trial: in chunks, finished ones kept on disk, resumed after an interruption."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lissive.chunks import How, carry_out, room_on_disk
from lissive.errors import DesignError
from lissive.files import atomic_path, clear_temporary, new_folder
from lissive.fingerprint import of_bytes
from lissive.given import list_of, path_of, threads_of
from lissive.model import load
from lissive.model.parameters import load_parameters
from lissive.simulation.days import thresholds
from lissive.simulation.engine import METHOD
from lissive.simulation.origin import model_hash
from lissive.simulation.ratings import figures
from lissive.simulation.run import Settings
from lissive.trials.blocks import PATIENTS_AT_ONCE, entering
from lissive.trials.conduct import conduct
from lissive.trials.design import Design, planned
from lissive.trials.endpoint import ArmResult, ArmRow, Comparison, GroupFlow, analyse, arms_of, groups_of
from lissive.trials.enrol import tolerances
from lissive.trials.fits import Estimate
from lissive.trials.observe import Flow, TrialData
from lissive.trials.parts import replicates_of
from lissive.trials.people import Response, between_trials, of_cause
from lissive.trials.store import (
    PARTS,
    PATIENTS,
    RECORD,
    patient_tables,
    patients_file,
    records,
    write_patients,
)
from lissive.trials.summary import Provenance, Results, Solver
from lissive.version import __version__
from lissive.versions import data_versions

if TYPE_CHECKING:
    import pandas as pd

ALSO = (
    "case/products.tsv",
    "case/titration.tsv",
    "model/parameters/people.tsv",
    "model/parameters/genotypes.tsv",
    "model/parameters/bounds.tsv",
    "model/parameters/fitted.tsv",
    "model/parameters/fitted_correlation.tsv",
    "trials/measures.tsv",
)
"""Tables of the package that a run rests on beside its parameters."""
_KEPT = "Finished replicates are kept: run it again with --resume."
Part = dict[str, Any]
Say = Callable[[str], None]


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
    cluster: str | None = None,
) -> Results:
    """Simulate the trial `replicates` times and analyse each.

    Parameters
    ----------
    design : a design, or the path of its file.
    seed : random seed; the design's, or 1, if not given.
    responses : one for each replicate, as drawn from a posterior; the tables' own if not given, with kinetics drawn.
    folder : where each finished chunk is kept, patients as Parquet; nothing is written if not given.
    resume : resume the run in `folder`, of the same design, seed and model.
    progress : called with the number of replicates done, in parts of one.
    say : called with each part in `folder` that is lost or damaged, and made again.
    cluster : `local`, or the address of a Dask scheduler, whose workers make the chunks; needs `folder`.

    Raises       DesignError where the trial cannot be simulated, or `folder` holds another one.
    """
    design, seed = planned(design, seed)
    replicates = replicates_of(replicates)
    folder = None if folder is None else path_of(folder, wrong=DesignError, name="folder")
    if responses is not None:
        responses = _answers(responses, replicates)
    settings = Settings(tolerances(design), threads_of(threads, wrong=DesignError))
    stamp = stamp_of(design, seed, responses)
    done = found_in(folder, stamp, resume, say) if folder else {}
    if cluster is not None:
        how = How(cluster, progress=progress, say=say or (lambda _: None))
        done = _on_cluster(design, replicates, seed, responses, folder, stamp, done, how)
    found = _Found()
    example: TrialData | None = None
    for chunk in chunks(design, replicates):
        part = done.get(chunk[0])
        if part is None or len(part["flows"]) < len(chunk):
            within = _within(progress, chunk)
            mine = None if responses is None else [responses[r] for r in chunk]
            trials = conduct(design, chunk, seed=seed, responses=mine, settings=settings, progress=within)
            example = example or trials[0]
            new = _Found.of(design, trials)
            if folder:
                with room_on_disk(folder, lambda: _KEPT):
                    keep(folder, stamp, chunk, new.plain(), patient_tables(design, trials))
        else:
            new = _Found.read(part, chunk)
        found.add(new)
        if progress:
            progress(chunk[-1] + 1)
    return Results(
        design, seed, found.flows, tuple(found.groups), tuple(found.arms), tuple(found.comparisons),
        provenance_of(design, seed, responses), example,
    )  # fmt: skip


def _on_cluster(
    design: Design,
    replicates: int,
    seed: int,
    responses: Sequence[Response] | None,
    folder: Path | None,
    stamp: str,
    done: Mapping[int, Part],
    how: How,
) -> dict[int, Part]:
    """All chunks, once workers have made those that are not there yet; each chunk with one thread."""
    if folder is None:
        raise DesignError(
            "A run on a cluster needs a folder, in which workers keep their chunks.",
            where="--cluster",
            do="add --out FOLDER, on a file system that all workers share.",
        )
    every = list(chunks(design, replicates))
    missing = [c for c in every if c[0] not in done or len(done[c[0]]["flows"]) < len(c)]
    before, progress = len(every) - len(missing), how.progress
    task = partial(_conduct, design, seed, folder.resolve(), stamp)
    arguments = [(chunk, None if responses is None else [responses[r] for r in chunk]) for chunk in missing]

    def told(count: int) -> None:
        if progress:
            progress(replicates * (before + count) / len(every))

    with new_folder(folder / RECORD), new_folder(folder / PATIENTS):
        carry_out(task, arguments, folder, how, lambda: any(records(folder)), told)
    return found_in(folder, stamp, True, how.say)


def _conduct(
    design: Design,
    seed: int,
    folder: Path,
    stamp: str,
    argument: tuple[list[int], list[Response] | None],
) -> None:
    """One chunk, kept; on a worker."""
    chunk, responses = argument
    settings = Settings(tolerances(design), 1)
    trials = conduct(design, chunk, seed=seed, responses=responses, settings=settings)
    keep(folder, stamp, chunk, _Found.of(design, trials).plain(), patient_tables(design, trials))


def _answers(responses: Any, replicates: int) -> list[Response]:
    answers = list_of(
        "responses", responses, Response, wrong=DesignError, do="draw them with posterior.draws."
    )
    if len(answers) < replicates:
        raise DesignError(
            f"There are {len(answers)} responses for {replicates} replicates.",
            where="responses",
            allowed="one for each replicate.",
            do="draw as many as there are replicates, or leave responses out.",
        )
    return answers


def chunks(design: Design, replicates: int) -> Iterator[list[int]]:
    """Replicates that are run side by side; how many there are in all changes no chunk but the last."""
    size = max(1, PATIENTS_AT_ONCE // entering(design))
    for first in range(0, replicates, size):
        yield list(range(first, min(first + size, replicates)))


def _within(progress: Callable[[float], None] | None, chunk: Sequence[int]) -> Callable[[float], None] | None:
    return None if progress is None else lambda share: progress(chunk[0] + share * len(chunk))


@dataclass
class _Found:
    """What replicates found, as it comes in."""

    flows: dict[int, Flow] = field(default_factory=dict)
    groups: list[GroupFlow] = field(default_factory=list)
    arms: list[ArmRow] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)

    @classmethod
    def of(cls, design: Design, trials: Sequence[TrialData]) -> _Found:
        return cls(
            {each.replicate: each.flow for each in trials},
            [row for each in trials for row in groups_of(design, each)],
            [row for each in trials for row in arms_of(design, each)],
            [row for each in trials for row in analyse(design, each)],
        )

    @classmethod
    def read(cls, part: Mapping[str, Any], chunk: Sequence[int]) -> _Found:
        """What is kept of the chunk's replicates; a part on disk may hold more of them."""

        def rows(name: str) -> Iterator[dict[str, Any]]:
            return (row for row in part[name] if chunk[0] <= row["replicate"] <= chunk[-1])

        return cls(
            {r: Flow(**part["flows"][str(r)]) for r in chunk},
            [GroupFlow(**row) for row in rows("groups")],
            [ArmRow(**{**row, "result": ArmResult(**row["result"])}) for row in rows("arms")],
            [Comparison(**{**row, "estimate": Estimate(**row["estimate"])}) for row in rows("comparisons")],
        )

    def plain(self) -> dict[str, Any]:
        """What is kept of a chunk beside its patients: it goes to disk and back unchanged."""
        return {
            "flows": {str(r): asdict(flow) for r, flow in self.flows.items()},
            **{
                name: [asdict(row) for row in getattr(self, name)]
                for name in ("groups", "arms", "comparisons")
            },
        }

    def add(self, other: _Found) -> None:
        self.flows.update(other.flows)
        for name in ("groups", "arms", "comparisons"):
            getattr(self, name).extend(getattr(other, name))


# -- what of a run lies on disk -------------------------------------------------------------------------------
def found_in(folder: Path, stamp: str, resume: bool, say: Say | None = None) -> dict[int, Part]:
    """Chunks that are finished and whole, by their first replicate.

    Parameters
    ----------
    say : told of each part that is damaged.

    Raises       DesignError where there are parts and `resume` is not asked for, or they are of another run.
    """
    for each in (folder, *(folder / name for name in PARTS)) if resume else ():
        clear_temporary(each)
    kept = list(records(folder))
    if not kept:
        return {}
    if not resume:
        raise DesignError(
            f"The folder holds {len(kept)} parts of a run.",
            where=str(folder),
            allowed="an empty or new folder.",
            do="add --resume to go on with that run, or name another folder.",
        )
    whole: dict[int, Part] = {}
    for path in kept:
        try:
            part = _read(path)
        except (OSError, ValueError, LookupError, TypeError) as error:
            if say:
                say(f"{path}: this part of the run is damaged ({error}); it is made again.")
            continue
        if part["stamp"] != stamp:
            raise DesignError(
                "The folder holds a run of another design, seed or model.",
                where=str(path),
                allowed="the same as now.",
                do="name another folder.",
            )
        first = min(int(r) for r in part["flows"])
        if len(part["flows"]) > len(whole.get(first, {"flows": ()})["flows"]):
            whole[first] = part
    return whole


def _read(path: Path) -> Part:
    """A record as it was written. Raises ValueError, or what comes of it, where it or its patients are not whole."""
    said = json.loads(path.read_text(encoding="utf-8"))
    if _sum(json.dumps(said["part"]).encode()) != said["sha256"]:
        raise ValueError("its checksum is another")
    part: Part = _with_nan(said["part"])
    numbers = sorted(int(r) + 1 for r in part["flows"])
    if f"{numbers[0]:05d}-{numbers[-1]:05d}" != path.stem:
        raise ValueError("it is of other replicates than its name says")
    patients = patients_file(path)
    if not patients.is_file():
        raise ValueError(f"there is no {patients}")
    if _sum_of(patients) != part["patients"]:
        raise ValueError(f"the checksum of {patients} is another")
    return part


def keep(folder: Path, stamp: str, chunk: Sequence[int], part: Part, tables: Iterable[pd.DataFrame]) -> None:
    """Patients first, then the record that says that the chunk is finished; a shorter one of before goes."""
    name = f"{chunk[0] + 1:05d}-{chunk[-1] + 1:05d}"
    for each in PARTS:
        (folder / each).mkdir(parents=True, exist_ok=True)
    record = folder / RECORD / f"{name}.json"
    patients = patients_file(record)
    write_patients(tables, patients)
    body = _without_nan({"stamp": stamp, "patients": _sum_of(patients), **part})
    text = json.dumps(body, allow_nan=False)
    with atomic_path(record) as place:
        place.write_text(json.dumps({"sha256": _sum(text.encode()), "part": body}), encoding="utf-8")
    for other in records(folder):
        if other != record and other.name.startswith(f"{chunk[0] + 1:05d}-"):
            other.unlink()
            patients_file(other).unlink(missing_ok=True)


def start_anew(folder: Path) -> None:
    """Take away the parts of an earlier run."""
    for record in records(folder):
        record.unlink()
        patients_file(record).unlink(missing_ok=True)


def _sum_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# -- numbers that JSON has not ------------------------------------------------------------------------
_INFINITE = {"inf": math.inf, "-inf": -math.inf}


def _without_nan(value: Any) -> Any:
    """JSON has no NaN and nothing infinite: null and a word stand for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, dict):
        return {name: _without_nan(each) for name, each in value.items()}
    return [_without_nan(each) for each in value] if isinstance(value, list) else value


def _with_nan(value: Any) -> Any:
    """The other way: in these records nothing else is null, and no other text is `inf`."""
    if value is None:
        return math.nan
    if isinstance(value, dict):
        return {name: _with_nan(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_nan(each) for each in value]
    return _INFINITE.get(value, value) if isinstance(value, str) else value


# -- what it rests on -------------------------------------------------------------------------------------------
def stamp_of(design: Design, seed: int, responses: Sequence[Response] | None) -> str:
    """What a run rests on, the tables too; another one does not go on with it."""
    people = {
        name: (each.value, each.distribution, each.spread)
        for name, each in load_parameters(design.population.cause).items()
    }
    tables = [people, thresholds(), figures(), dict(between_trials()), of_cause(design.population.cause)]
    answers = [dict(each.values) for each in responses or ()]
    rests = [design.model_dump(mode="json"), seed, model_hash(load("lissive")), tables, answers, __version__]
    package = Path(__file__).parents[1]
    files = b"".join((package / each).read_bytes() for each in ALSO)
    return of_bytes(json.dumps(rests, sort_keys=True).encode() + files, 16)


def provenance_of(design: Design, seed: int, responses: Sequence[Response] | None) -> Provenance:
    """What a run of this design, seed and responses is made with."""
    stamp, hashed = stamp_of(design, seed, responses), model_hash(load("lissive"))
    solver = Solver(METHOD, tolerances(design).rtol)
    data = data_versions("model")
    return Provenance(__version__, design.trial, stamp, seed, "lissive", hashed, solver, data)
