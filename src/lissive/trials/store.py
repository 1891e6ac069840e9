"""What of a run lies on disk: of each chunk of replicates a record of what was found, and its patients as Parquet.

A record carries checksums of itself and of its patients. A chunk of which either is lost or damaged is made again.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lissive.errors import DesignError
from lissive.files import atomic_path, clear_temporary

if TYPE_CHECKING:
    import pandas as pd

RECORD, PATIENTS = "replicates", "patients"
"""Folders below --out: what was found in each chunk, and the patients of each chunk."""
PARTS = (RECORD, PATIENTS)
_NAME = re.compile(r"\d{5,}-\d{5,}")
"""Of a part: its first and its last replicate, from 1."""

Part = dict[str, Any]
Say = Callable[[str], None]


def found(folder: Path, stamp: str, resume: bool, say: Say | None = None) -> dict[int, Part]:
    """Chunks that are finished and whole, by their first replicate.

    Parameters
    ----------
    say : told of each part that is damaged.

    Raises       DesignError where there are parts and `resume` is not asked for, or they are of another run.
    """
    for each in (folder, *(folder / name for name in PARTS)) if resume else ():
        clear_temporary(each)
    records = list(_records(folder))
    if not records:
        return {}
    if not resume:
        raise DesignError(
            f"The folder holds {len(records)} parts of a run.",
            where=str(folder),
            allowed="an empty or new folder.",
            do="add --resume to go on with that run, or name another folder.",
        )
    whole: dict[int, Part] = {}
    for path in records:
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
    patients = _patients(path)
    if not patients.is_file():
        raise ValueError(f"there is no {patients}")
    if _sum(patients.read_bytes()) != part["patients"]:
        raise ValueError(f"the checksum of {patients} is another")
    return part


def keep(folder: Path, stamp: str, chunk: Sequence[int], part: Part, table: pd.DataFrame) -> None:
    """Patients first, then the record that says that the chunk is finished; a shorter one of before goes."""
    name = f"{chunk[0] + 1:05d}-{chunk[-1] + 1:05d}"
    for each in PARTS:
        (folder / each).mkdir(parents=True, exist_ok=True)
    record = folder / RECORD / f"{name}.json"
    patients = _patients(record)
    with atomic_path(patients) as place:
        table.to_parquet(place, index=False)
    body = _without_nan({"stamp": stamp, "patients": _sum(patients.read_bytes()), **part})
    text = json.dumps(body, allow_nan=False)
    with atomic_path(record) as place:
        place.write_text(json.dumps({"sha256": _sum(text.encode()), "part": body}), encoding="utf-8")
    for other in _records(folder):
        if other != record and other.name.startswith(f"{chunk[0] + 1:05d}-"):
            other.unlink()
            _patients(other).unlink(missing_ok=True)


def start_anew(folder: Path) -> None:
    """Take away the parts of an earlier run."""
    for record in _records(folder):
        record.unlink()
        _patients(record).unlink(missing_ok=True)


def patients_of(folder: Path) -> list[Path]:
    """The files with the patients of a finished run."""
    return [_patients(record) for record in _records(folder)]


def _records(folder: Path) -> Iterator[Path]:
    place = folder / RECORD
    yield from (path for path in sorted(place.glob("*.json")) if _NAME.fullmatch(path.stem))


def _patients(record: Path) -> Path:
    return record.parents[1] / PATIENTS / f"{record.stem}.parquet"


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
