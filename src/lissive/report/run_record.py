"""What a written run says of itself: the model, its outputs, what was dosed, given and sampled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lissive.errors import SimulationError

ALLOWED = (
    "a shipped model by name, a model's file (.ant, .xml), what `lissive simulate` wrote (.csv, .parquet, .nc, "
    ".zarr), or the JSON or the folder that `lissive case` wrote."
)
_NEEDED = ("model", "model_hash", "outputs", "dosed", "given", "drawn")


@dataclass(frozen=True)
class Record:
    """A run, as its provenance has it."""

    path: Path
    model: str
    model_hash: str
    model_file: str | None
    """Where a model that does not come with lissive was read."""
    cause: str | None
    outputs: tuple[str, ...]
    dosed: tuple[str, ...]
    given: Mapping[str, float | None]
    """Parameters that the user or the case set; null where subjects differ."""
    drawn: tuple[str, ...]
    case: Mapping[str, Any] | None
    """Of a case: product, whether it was titrated, CYP2C9 genotype, medicines that the tables know."""
    version: str


def read_record(path: Path) -> Record:
    """The record of a run.

    Raises       SimulationError where it is not a run of lissive, or does not state what it is based on.
    """
    about = _provenance(path)
    if missing := [name for name in _NEEDED if name not in about]:
        raise SimulationError(
            f"the run does not state its {', '.join(missing)}.",
            where=str(path),
            do="run it again with this version of lissive; a case without a forecast has nothing to cite.",
        )
    try:
        return _record(path, about)
    except (TypeError, AttributeError, ValueError):  # the right names, and something else under them
        raise SimulationError("It is not a run of lissive.", where=str(path), allowed=ALLOWED) from None


def _record(path: Path, about: Mapping[str, Any]) -> Record:
    return Record(
        path,
        str(about["model"]),
        str(about["model_hash"]),
        about.get("model_file"),
        about.get("cause"),
        tuple(about["outputs"]),
        tuple(about["dosed"]),
        dict(about["given"]),
        tuple(about["drawn"]),
        about.get("case"),
        str(about.get("lissive_version", "")),
    )


def _provenance(path: Path) -> Mapping[str, Any]:
    reader = _READERS.get(path.suffix)
    if path.is_dir() and path.suffix != ".zarr":
        path, reader = path / "forecast.json", _from_json
    if reader is None or not path.exists():
        fault = "does not exist" if reader else "is neither a run nor a model"
        raise SimulationError(f'"{path}" {fault}.', allowed=ALLOWED, do="correct the name or the path.")
    try:
        about = reader(path)
    except (OSError, ValueError, KeyError, RecursionError) as fault:  # what the readers of the formats raise
        raise SimulationError(
            f"it cannot be read as a run ({fault}).", where=str(path), allowed=ALLOWED
        ) from None
    if not isinstance(about, dict):
        raise SimulationError("It is not a run of lissive.", where=str(path), allowed=ALLOWED)
    return about


def _from_json(path: Path) -> Any:
    answer = json.loads(path.read_text(encoding="utf-8"))
    return answer.get("provenance") if isinstance(answer, dict) else None


def _from_csv(path: Path) -> Any:
    """Beside a table stands what it cannot hold itself."""
    return _from_json(path.with_suffix(".meta.json"))


def _from_parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    about = pq.read_schema(path).metadata or {}
    return json.loads(about[b"lissive"])["provenance"]


def _from_netcdf(path: Path) -> Any:
    import xarray as xr

    with xr.open_dataset(path, engine="h5netcdf") as data:
        return json.loads(data.attrs["provenance"])


def _from_zarr(path: Path) -> Any:
    return json.loads(json.loads((path / ".zattrs").read_text(encoding="utf-8"))["provenance"])


_READERS = {
    ".json": _from_json,
    ".csv": _from_csv,
    ".parquet": _from_parquet,
    ".nc": _from_netcdf,
    ".zarr": _from_zarr,
}
