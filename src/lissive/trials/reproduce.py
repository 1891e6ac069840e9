"""Published trials again, in virtual patients: each published figure beside its predictive interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from lissive.arrays import FloatArray
from lissive.chunks import HERE, How, run_chunks
from lissive.errors import DesignError
from lissive.evidence import TRIALS
from lissive.fingerprint import of_bytes
from lissive.given import kind_of, list_of, threads_of, whole
from lissive.model import load
from lissive.simulation.origin import model_hash
from lissive.simulation.run import Settings
from lissive.trials.blocks import PATIENTS_AT_ONCE
from lissive.trials.conduct import conduct
from lissive.trials.design import Design, need_analysis
from lissive.trials.endpoint import COUNT, ArmResult, arm_result, column
from lissive.trials.enrol import tolerances
from lissive.trials.fits import hazard_ratio
from lissive.trials.observe import TrialData
from lissive.trials.parts import Endpoint, replicates_of
from lissive.trials.people import DRAWS, Response
from lissive.trials.published import Observed, Published, PublishedTrial, Skipped
from lissive.trials.run import stamp_of
from lissive.typed import nearest

RATIOS = ("odds_ratio", "hazard_ratio")
T = TypeVar("T")
S = TypeVar("S")


LEAST_REPLICATES = 20
"""With fewer there are no 5 % and 95 % points."""


@dataclass(frozen=True)
class Row:
    """One published figure and what virtual trials of the same size say of it."""

    observed: Observed
    split: str
    kind: str
    """parallel, enriched, withdrawal, crossover"""
    predicted: float
    """Mean over replicates; of ratios the median."""
    lower: float
    upper: float
    """90 % predictive interval: chance, people, trials and parameters."""
    values: FloatArray = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)
    """(replicate,); NaN in a replicate without such a figure."""

    @property
    def inside(self) -> bool:
        return bool(self.lower <= self.observed.value <= self.upper)

    @property
    def width_ratio(self) -> float | None:
        """Width of the predictive interval over that of the published 95 % interval, of a difference."""
        if self.observed.statistic != "difference" or self.observed.ci is None:
            return None
        published = self.observed.ci[1] - self.observed.ci[0]
        return (self.upper - self.lower) / published if published > 0 else None


@dataclass(frozen=True)
class Agreement:
    """How many published figures are within their predictive intervals."""

    n: int
    inside: int
    width_ratio: float | None
    """Mean over differences, see `Row.width_ratio`; None without one."""


@dataclass(frozen=True)
class Reproduction:
    """Published figures beside virtual ones."""

    rows: tuple[Row, ...]
    skipped: tuple[Skipped, ...]
    replicates: int
    trials: tuple[PublishedTrial, ...]

    @property
    def by_split(self) -> dict[str, Agreement]:
        """Split to its agreement, in the order of the rows."""
        splits = dict.fromkeys(row.split for row in self.rows)
        return {split: _agreement([row for row in self.rows if row.split == split]) for split in splits}

    @property
    def assumed(self) -> dict[str, tuple[str, ...]]:
        """Trial to what was assumed where its paper is silent."""
        return {trial.id: tuple(trial.assumed) for trial in self.trials}

    def to_json(self) -> dict[str, Any]:
        """Plain data, without NaN."""
        return {
            "endpoints": [_row_json(row) for row in self.rows],
            "skipped": [{"trial": s.trial, "what": s.what, "why": s.why} for s in self.skipped],
            "summary": {"n": len(self.rows), "inside": sum(row.inside for row in self.rows)},
            "summary_by_split": {split: asdict(found) for split, found in self.by_split.items()},
            "replicates": self.replicates,
            "assumed": self.assumed,
        }


def _agreement(rows: Sequence[Row]) -> Agreement:
    widths = [row.width_ratio for row in rows if row.width_ratio is not None]
    return Agreement(len(rows), sum(row.inside for row in rows), float(np.mean(widths)) if widths else None)


def _row_json(row: Row) -> dict[str, Any]:
    o = row.observed
    return {
        "trial": o.trial,
        "arm": o.arm,
        "against": o.against,
        "endpoint": o.endpoint,
        "statistic": o.statistic,
        "week": o.week,
        "observed": o.value,
        "observed_ci95": None if o.ci is None else list(o.ci),
        "provenance": o.provenance,
        "predicted": row.predicted,
        "pi90": [row.lower, row.upper],
        "inside": row.inside,
        "split": row.split,
        "design": row.kind,
        "printed": o.printed,
    }


def chosen(published: Published, only: Sequence[str]) -> Published:
    """These trials alone; all where none is named.

    Raises       DesignError for one that is not in the file, or of which nothing can be simulated.
    """
    only = list_of("only", only, str, wrong=DesignError, do="name trials, as ['wade_2004'].")
    if not only:
        return published
    known = [trial.id for trial in published.trials]
    for name in only:
        if name not in known:
            why = "; ".join(f"{s.what}: {s.why}" for s in published.skipped if s.trial == name)
            raise DesignError(
                f"{name} {f'cannot be simulated: {why}.' if why else f'is not in the file.{nearest(name, known)}'}",
                where="--only",
                allowed=f"{', '.join(known)}.",
                do="name one of these, or leave --only out for all.",
            )
    return replace(
        published,
        trials=tuple(t for t in published.trials if t.id in only),
        skipped=tuple(s for s in published.skipped if s.trial in only),
    )


def reproduce_published(
    published: Published,
    *,
    replicates: int = 200,
    seed: int = 1,
    responses: Sequence[Response] | None = None,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
    folder: Path | None = None,
    how: How = HERE,
) -> Reproduction:
    """Simulate each trial `replicates` times at its published size.

    Parameters
    ----------
    responses : one for each replicate, drawn from the posterior; the tables' own if not given.
    progress : called with the proportion that is done.
    folder : where each finished chunk is kept; nothing is written if not given.
    how : where chunks are worked on, and whether those in `folder` are continued.

    Raises       DesignError for fewer replicates than an interval needs.
    """
    need_analysis()
    kind_of("published", published, Published, wrong=DesignError, do="read it with read_published(FILE).")
    replicates = replicates_of(replicates, least=LEAST_REPLICATES)
    seed = whole("seed", seed, wrong=DesignError, least=0)
    threads = threads_of(threads, wrong=DesignError)
    weight = np.array([_size(trial) for trial in published.trials], dtype=float)
    chunks = None
    if folder is not None:
        chunks = _chunks_in(folder, published.trials, replicates, seed, responses, threads, how)
    rows: list[Row] = []
    skipped = list(published.skipped)
    for k, trial in enumerate(published.trials):
        base, share = weight[:k].sum() / weight.sum(), weight[k] / weight.sum()
        within = None if progress is None else _part(progress, float(base), float(share))
        try:
            if chunks is None:
                values = _figures(trial, replicates, seed, responses, threads, within)
            else:
                values = np.concatenate([_read_chunk(path) for path in chunks[trial.id]])
        except DesignError as error:
            skipped.append(Skipped(trial.id, "all", str(error)))
            continue
        for i, observed in enumerate(trial.observed):
            row = _row(trial, observed, values[:, i])
            if row is None:
                skipped.append(
                    Skipped(trial.id, observed.printed, "virtual trials of this size have no such figure")
                )
            else:
                rows.append(row)
    return Reproduction(tuple(rows), tuple(skipped), replicates, published.trials)


def _part(progress: Callable[[float], None], base: float, share: float) -> Callable[[float], None]:
    return lambda done: progress(base + share * done)


def _until_full(design: Design) -> Design:
    """Screened until the published number is randomised: who entered the paper's run-in is a result then."""
    if design.run_in is None or design.run_in.patients is None or design.patients is None:
        return design
    return design.model_copy(update={"run_in": design.run_in.model_copy(update={"patients": None})})


def _entering(trial: PublishedTrial) -> int:
    return max(
        (trial.design.run_in.patients if trial.design.run_in else None) or 0, trial.design.patients or 0, 1
    )


def _size(trial: PublishedTrial) -> float:
    design = trial.design
    periods = len(design.crossover.sequences[0]) if design.crossover else 1
    return _entering(trial) * (design.weeks * periods + (design.run_in.weeks if design.run_in else 0))


def _figures(
    trial: PublishedTrial,
    replicates: int,
    seed: int,
    responses: Sequence[Response] | None,
    threads: int,
    within: Callable[[float], None] | None,
) -> FloatArray:
    """(replicate, figure); NaN in a replicate that could not be simulated."""
    found = []
    for chunk in _chunks_of(trial, replicates):
        found.append(_of_chunk(trial, chunk, seed, _answers(responses, chunk), threads))
        if within:
            within((chunk[-1] + 1) / replicates)
    return np.concatenate(found)


def _chunks_of(trial: PublishedTrial, replicates: int) -> Iterator[range]:
    size = max(1, PATIENTS_AT_ONCE // _entering(trial))
    for first in range(0, replicates, size):
        yield range(first, min(first + size, replicates))


def _answers(responses: Sequence[Response] | None, chunk: range) -> list[Response] | None:
    return None if responses is None else [responses[r % len(responses)] for r in chunk]


def _of_chunk(
    trial: PublishedTrial, chunk: range, seed: int, answers: Sequence[Response] | None, threads: int
) -> FloatArray:
    """(replicate of the chunk, figure)"""
    values = np.full((len(chunk), len(trial.observed)), np.nan)
    design = _until_full(trial.design)
    settings = Settings(tolerances(design), threads)

    def carried_out(numbers: Sequence[int]) -> list[TrialData]:
        mine = None if answers is None else [answers[r - chunk[0]] for r in numbers]
        return conduct(design, numbers, seed=seed, responses=mine, settings=settings)

    for data in run_replicates(carried_out, chunk):
        if data is not None:
            every = dict.fromkeys(design.arms, data)
            values[data.replicate - chunk[0]] = [statistic(design, every, each) for each in trial.observed]
    return values


# -- chunks on disk, of all trials at once --------------------------------------------------------------
def _chunks_in(
    folder: Path,
    trials: Sequence[PublishedTrial],
    replicates: int,
    seed: int,
    responses: Sequence[Response] | None,
    threads: int,
    how: How,
) -> dict[str, list[Path]]:
    """Trial to its chunks, once all are made."""
    cores = threads if how.cluster is None else 1
    chunks = {
        f"{trial.id}-{chunk[0] + 1:05d}.npz": (trial, chunk, seed, _answers(responses, chunk), cores)
        for trial in trials
        for chunk in _chunks_of(trial, replicates)
    }
    inputs = [[t.id, repr(t.observed), stamp_of(t.design, seed, responses)] for t in trials]
    paths = iter(run_chunks(_write_chunk, chunks, folder, inputs=[inputs, replicates], how=how))
    return {trial.id: [next(paths) for _ in _chunks_of(trial, replicates)] for trial in trials}


def _write_chunk(argument: tuple[Any, ...], place: Path) -> None:
    try:
        kept: dict[str, Any] = {"values": _of_chunk(*argument)}
    except DesignError as error:  # of this trial: it is skipped, the others are not
        kept = {"error": str(error)}
    with place.open("wb") as file:
        np.savez(file, **kept)


def _read_chunk(path: Path) -> FloatArray:
    with np.load(path, allow_pickle=False) as kept:
        if "error" in kept:
            raise DesignError(str(kept["error"]))
        values: FloatArray = kept["values"]
        return values


def _row(trial: PublishedTrial, observed: Observed, values: FloatArray) -> Row | None:
    there = values[np.isfinite(values)]
    if len(there) < len(values) / 2:
        return None
    lower, upper = np.quantile(there, [0.05, 0.95])
    ratio = observed.statistic in ("odds_ratio", "hazard_ratio")
    mean = float(np.median(there) if ratio else there.mean())
    return Row(observed, trial.split, trial.design.kind, mean, float(lower), float(upper), values)


def stamp() -> str:
    """What an answer about the shipped trials rests on, short."""
    here = Path(__file__).parent
    tables = [
        DRAWS,
        TRIALS,
        here / "between.tsv",
        here / "causes.tsv",
        here.parent / "simulation" / "ratings.tsv",
    ]
    digest = of_bytes(b"".join(path.read_bytes() for path in tables), 12)
    return f"model {model_hash(load('lissive'))[:12]}, draws and trials {digest}"


def run_replicates(carried_out: Callable[[Sequence[T]], list[S]], replicates: Sequence[T]) -> list[S | None]:
    """All replicates together; where one of them cannot be simulated, each by itself, and None for that one."""
    if not replicates:
        return []
    try:
        return list(carried_out(replicates))
    except DesignError:
        if len(replicates) == 1:
            return [None]
        return [found for each in replicates for found in run_replicates(carried_out, [each])]


# -- a published figure, calculated from a virtual trial in the way in which it was from the real one -----------
def endpoint_of(design: Design, observed: Observed) -> Endpoint:
    """The design's endpoint that the figure is of, at the figure's visit."""
    found = next(each for each in design.endpoints if each.name == observed.endpoint)
    week = observed.week if observed.week in design.visits_weeks else None
    return found.model_copy(update={"at_week": week})


def statistic(design: Design, data: Mapping[str, TrialData], observed: Observed) -> float:
    """The figure in one virtual trial; NaN where it has none.

    data : arm to the trial; the same for all arms, or each with everybody on that arm (a counterfactual set).
    """
    if observed.against is None:
        return _of_one(_arm(design, data, observed, observed.arm, observed.n), observed)
    of_mine, of_other = _shared(design, data, observed)
    mine = _arm(design, data, observed, observed.arm, of_mine)
    other = _arm(design, data, observed, observed.against, of_other)
    if observed.statistic == "difference":
        return mine.mean - other.mean
    if observed.statistic == "odds_ratio":
        return float(np.exp(_log_odds(mine) - _log_odds(other)))
    if observed.statistic == "hazard_ratio":
        return _hazard_ratio(design, data[observed.arm], observed)
    raise ValueError(observed.statistic)


def _shared(
    design: Design, data: Mapping[str, TrialData], observed: Observed
) -> tuple[int | None, int | None]:
    """How many patients of a comparison are in each of its arms: in proportion to those who were randomised."""
    if observed.n is None or design.crossover:
        return observed.n, observed.n
    arms = list(design.arms)
    sizes = [(data[str(a)].treatment == arms.index(str(a))).sum() for a in (observed.arm, observed.against)]
    mine = round(observed.n * float(sizes[0]) / max(float(sum(sizes)), 1.0))
    return mine, observed.n - mine


def _arm(
    design: Design, data: Mapping[str, TrialData], observed: Observed, arm: str, most: int | None
) -> ArmResult:
    """One arm; no more patients than the paper had, as a figure may be of a part of them."""
    col = column(design, data[arm], endpoint_of(design, observed))
    place = list(design.arms).index(arm)
    rows = np.flatnonzero(col.of(place))
    if most is not None and len(rows) > most:
        value = col.value.copy()
        value[rows[most:]] = np.nan
        col = replace(col, value=value)
    return arm_result(col, place)


def _of_one(result: ArmResult, observed: Observed) -> float:
    if result.kind == COUNT:  # its mean is a level
        return result.mean - result.base if observed.statistic == "change" else result.mean
    if observed.statistic == "end":
        return result.mean + result.base
    if observed.statistic in ("change_sd", "sd"):
        return result.sd
    return result.mean


def _log_odds(result: ArmResult) -> float:
    hits = result.mean * result.n
    return float(np.log((hits + 0.5) / (result.n - hits + 0.5)))


def _hazard_ratio(design: Design, data: TrialData, observed: Observed) -> float:
    col = column(design, data, endpoint_of(design, observed))
    arms = list(design.arms)
    rows = np.isin(col.treatment, [arms.index(observed.arm), arms.index(str(observed.against))])
    treated = (col.treatment[rows] == arms.index(observed.arm)).astype(float)
    return hazard_ratio(col.value[rows], col.failed[rows], treated).value
