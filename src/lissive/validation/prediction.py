"""Predictions on record: what a trial that has not reported will find, written down before it does.

A record is one JSON file, dated, with its own hash and that of the record before it, so that a later change of either
shows; beside it stands the same for people to read.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import field_validator, model_validator

from lissive.arrays import FloatArray
from lissive.calibrate.baseline import shipped_baseline
from lissive.case.fact import one_of
from lissive.case.vocabulary import causes, modelled_causes
from lissive.errors import DesignError
from lissive.files import write_text
from lissive.marked import read_marked
from lissive.trials.design import Design
from lissive.trials.parts import EVENTS, MEASURES, field
from lissive.trials.people import DRAWS, draws
from lissive.trials.published import Observed, Published, PublishedTrial
from lissive.trials.reproduce import Row as FigureRow
from lissive.trials.reproduce import reproduce_published, stamp
from lissive.typed import Row, raise_all, refuse, typed
from lissive.validation.pool import pool_weight, pooled
from lissive.validation.proper import told
from lissive.version import __version__
from lissive.versions import data_versions

FORMAT = 2
"""Since 2 the pool of model and baseline stands beside them."""
NO_MODEL = "no model for this cause, no prediction"
FIELDS = "format made trial protocol design figures no_prediction made_from previous hash".split()


class Protocol(Row):
    """A trial that has not reported: what can be read of its plan, and what had to be assumed."""

    trial: str = field("Name.", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)
    title: str = field("Title.")
    registry: str = field("Number in a registry of trials.", "", max_length=80)
    doi: str = field("Of the protocol.", "", max_length=200)
    cause: str = field("Cause of the complaint, as cases name it.")
    people: str = field("Who takes part, in the protocol's words.", "")
    not_reported: str = field("How it was checked that it has not reported, and when.")
    sources: tuple[str, ...] = field("What was read.", ())
    assumed: tuple[str, ...] = field("What the sources do not say and was assumed.", ())
    design: Design | None = field("The design (default: none, where there is no model of the cause).", None)

    @field_validator("cause")
    @classmethod
    def _known(cls, value: str) -> str:
        return one_of("cause", value, tuple(causes()), do="correct the value.")

    @model_validator(mode="after")
    def _can_be_predicted(self) -> Self:
        raise_all(self._wrong())
        return self

    def _wrong(self) -> Iterator[Any]:
        if self.cause in modelled_causes() and self.design is None:
            yield refuse("is missing.", "a design, as of `lissive trial run`.", "add it.", field="design")
        elif self.design is not None and self.design.population.cause != self.cause:
            yield refuse(
                f"is {self.cause}, and the design's population has {self.design.population.cause}.",
                "the same cause in both.",
                "correct one of the two.",
                field="cause",
            )


def read_protocol(path: str | Path) -> Protocol:
    """The protocol in a file; a design alone is one of which nothing more is said.

    Raises       DesignError with every finding.
    """
    path = Path(path)
    data, lines = read_marked(path, wrong=DesignError, example="trial: a")
    if "population" not in data:
        return typed(data, lines, path, Protocol, DesignError, thing="the protocol")
    design = typed(data, lines, path, Design, DesignError, thing="the design")
    return Protocol(
        trial=design.trial,
        title=design.title,
        cause=design.population.cause,
        not_reported="Not stated.",
        design=design,
    )


# -- the figures -------------------------------------------------------------------------------------
def figures(design: Design) -> tuple[Observed, ...]:
    """What such a trial would publish: each endpoint by arm, and against the control; the primary one between all."""
    sizes = _sizes(design)
    found = []
    for place, endpoint in enumerate(design.endpoints):
        week = None if endpoint.at_week == design.weeks else endpoint.at_week
        rated = endpoint.measure in MEASURES and MEASURES[endpoint.measure].kind != "impression"
        kind = "mean" if endpoint.measure == "dose" else "share"
        kind = "change" if rated and not endpoint.falls_by_pct else kind
        if endpoint.measure == "failure":
            continue
        each: list[tuple[str, str | None, str]] = [(arm, None, kind) for arm in design.arms]
        if kind in ("change", "share") and endpoint.measure not in EVENTS:
            between = "difference" if kind == "change" else "odds_ratio"
            each += [(a, b, between) for a, b in _pairs(design, everybody=place == 0)]
        found += [
            Observed(
                design.trial, arm, other, endpoint.name, statistic, 0.0, None, None,
                sizes[arm] + (sizes[other] if other and not design.crossover else 0), week, "derived",
                f"{endpoint.name}.{arm}.{other}.{statistic}",
            )
            for arm, other, statistic in each
        ]  # fmt: skip
    return tuple(found)


def _pairs(design: Design, *, everybody: bool) -> list[tuple[str, str | None]]:
    active = [arm for arm in design.arms if arm != design.control]
    pairs: list[tuple[str, str | None]] = [(arm, design.control) for arm in active]
    return pairs + ([(b, a) for a, b in itertools.combinations(active, 2)] if everybody else [])


def _sizes(design: Design) -> dict[str, int]:
    """Randomised to each arm."""
    total = design.patients or (design.run_in.patients if design.run_in else None) or 1
    if design.crossover:
        return dict.fromkeys(design.arms, total)
    shares = design.shares
    return {arm: max(1, total * shares.get(arm, 0) // sum(shares.values())) for arm in design.arms}


def predict_trial(
    protocol: Protocol,
    *,
    made: datetime.date,
    previous: str = "",
    replicates: int = 200,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """The record, ready to be written.

    Parameters
    ----------
    made : today.      previous : hash of the record before it.

    Raises       DesignError where the trial cannot be simulated.
    """
    design = protocol.design if protocol.cause in modelled_causes() else None
    rows: list[dict[str, Any]] = []
    if design is not None:
        trial = PublishedTrial(protocol.trial, "unreported", protocol.title, design, figures(design), ())
        found = reproduce_published(
            Published("", (trial,), ()),
            replicates=replicates,
            seed=seed,
            responses=draws(replicates, seed),
            threads=threads,
            progress=progress,
        )
        if not found.rows:
            raise DesignError(found.skipped[0].why, where=protocol.trial, do="change the design.")
        rows = [_figure(row, shipped_baseline().samples(design, row.observed)) for row in found.rows]
    record = {
        "format": FORMAT,
        "made": made.isoformat(),
        "trial": protocol.trial,
        "protocol": protocol.model_dump(mode="json", exclude={"design"}),
        "design": None if design is None else design.model_dump(mode="json"),
        "figures": rows,
        "no_prediction": "" if design is not None else NO_MODEL,
        "made_from": {
            "lissive": __version__,
            "stamp": stamp(),
            "posterior_sha256": hashlib.sha256(DRAWS.read_bytes()).hexdigest(),
            "pool_weight": pool_weight(),
            "baseline_trials": list(shipped_baseline().trials),
            "replicates": replicates,
            "seed": seed,
            "data_versions": data_versions("model", "evidence"),
        },
        "previous": previous,
    }
    return {**record, "hash": hash_of(record)}


def _figure(row: FigureRow, baseline: FloatArray | None) -> dict[str, Any]:
    def said(values: FloatArray | None) -> dict[str, Any] | None:
        if values is None:
            return None
        each = told(one, values)
        return {"predicted": each.predicted, "pi90": [each.lower, each.upper]}

    one, names = row.observed, ("arm", "against", "endpoint", "statistic", "week", "n")
    return {
        **{name: getattr(one, name) for name in names},
        "model": said(row.values),
        "baseline": said(baseline),
        "pooled": None if baseline is None else said(pooled(row.values, baseline, pool_weight())),
    }


def hash_of(record: Mapping[str, Any]) -> str:
    """SHA-256 of all but the hash itself, whatever the order of its fields."""
    content = {name: value for name, value in record.items() if name != "hash"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()


# -- files -------------------------------------------------------------------------------------------
def name_of(record: Mapping[str, Any]) -> str:
    return f"{record['made']}-{record['trial']}"


def refuse_to_overwrite(folder: Path, name: str) -> None:
    """Raises DesignError where a prediction of this name is on record: it is never replaced."""
    for path in (folder / f"{name}.json", folder / f"{name}.md"):
        if path.exists():
            raise DesignError(
                "A prediction of this trial is on record for today; predictions are never replaced.",
                where=str(path),
                do="make another one on another day, or name another folder.",
            )


def last_hash(folder: Path) -> str:
    """Hash of the latest record of a folder; empty where it has none."""
    return str(records(folder)[-1][1].get("hash", "")) if records(folder) else ""


def records(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """All records of a folder, in the order of the chain: by date, then each after the one it names.

    Raises       DesignError for a file that is no record.
    """
    read = [(path, _read(path)) for path in sorted(folder.glob("*.json"))]
    ordered: list[tuple[Path, dict[str, Any]]] = []
    last = ""
    while read:
        after = next((each for each in read if each[1]["previous"] == last), read[0])
        read.remove(after)
        ordered.append(after)
        last = after[1]["hash"]
    return ordered


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        record = None
    if not isinstance(record, dict) or set(record) != set(FIELDS):
        raise DesignError(
            "The file is no prediction, or fields of it are missing.",
            where=str(path),
            allowed=f"{', '.join(FIELDS)}.",
            do="restore it as it was written.",
        )
    return record


def write_record(record: Mapping[str, Any], folder: Path, markdown: str) -> list[Path]:
    """The JSON and its page."""
    refuse_to_overwrite(folder, name_of(record))
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1, sort_keys=False, allow_nan=False) + "\n"
    stem = folder / name_of(record)
    return [
        write_text(stem.with_name(f"{stem.name}.json"), text),
        write_text(stem.with_name(f"{stem.name}.md"), markdown),
    ]


def tampered(folder: Path, markdown: Callable[[Mapping[str, Any]], str]) -> list[DesignError]:
    """What of a folder's records is no longer as it was written; empty where all are.

    Parameters
    ----------
    markdown : makes the page of a record.
    """
    found = []
    last = ""
    for path, record in records(folder):
        page = path.with_suffix(".md")
        if hash_of(record) != record["hash"]:
            found.append(_changed(path, "Its content does not have the hash that it states."))
        if record["previous"] != last:
            found.append(_changed(path, "The record before it is not the one that it names."))
        if name_of(record) != path.stem:
            found.append(_changed(path, f"Its name is not {name_of(record)}, its date and trial."))
        if not page.is_file() or page.read_text(encoding="utf-8") != markdown(record):
            found.append(_changed(page, "The page is not that of its record."))
        last = record["hash"]
    return found


def _changed(path: Path, what: str) -> DesignError:
    return DesignError(what, where=str(path), do="restore it as it was written.")
