"""What a run gives back: one dataset, with units, status and provenance; and its way to a file.

>>> import numpy as np
>>> run = dataset(np.ones((1, 2, 1)), [0.0, 1.0], Rows([1]), ["[S1]"], units={"[S1]": "nmol/L"})
>>> run["[S1]"].sel(subject=1).values.tolist(), run["[S1]"].attrs["units"]
([1.0, 1.0], 'nmol/L')
"""

from __future__ import annotations

import errno
import importlib.util
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from lissive.errors import SimulationError
from lissive.extras import need
from lissive.files import Beside, atomic_path, cell, keep_inputs, write_rows
from lissive.simulation import limits
from lissive.version import __version__

if TYPE_CHECKING:
    import xarray as xr

DIMENSIONS = ("subject", "time")
RECORD = "record"
"""In place of "time" where each subject is observed at rows of their own."""

_TAKEN = (*DIMENSIONS, RECORD, "occasion", "status", "message")
_ROWS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Rows:
    """The subjects of a result."""

    ids: Sequence[int | str]
    """(subject,)"""
    status: Any = None
    """(subject,) whole numbers, 0 where the run went well; all 0 if not given."""
    messages: Sequence[str] | None = None
    """(subject,) why a run did not go well; empty where it did."""
    occasions: Sequence[int] | None = None
    """(subject,) which occasion of theirs a row is, where some have several."""


def dataset(
    values: Any,
    times: Any,
    rows: Rows,
    outputs: Sequence[str],
    *,
    units: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    provenance: Mapping[str, Any] | None = None,
    carried: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Results with their dimensions, units and doubts.

    Parameters
    ----------
    values : (subject, time, output).
    times : (time,) in the unit `units["time"]`; or (subject, record) where each subject has their own, NaN after
        the last.
    rows : who they are, and how their runs went.
    outputs : (output,) ids, as `S1` (amount), `[S1]` (concentration), `k`.
    units, labels : id to unit, and to a name that a reader knows; absent where unknown.
    provenance : model name and content hash, seed, solver settings ...; the version is added.
    carried : name to (subject, time) numbers or texts that are passed on as they are.
    """
    import xarray as xr

    values, times = np.asarray(values, dtype=float), np.asarray(times, dtype=float)
    n = len(rows.ids)
    codes = np.zeros(n, np.int32) if rows.status is None else np.asarray(rows.status, dtype=np.int32)
    said = np.array(
        [""] * n if rows.messages is None else [str(each) for each in rows.messages], dtype=np.str_
    )
    _check_shapes(values, times, n, outputs, codes, said)
    units, labels = units or {}, labels or {}
    about = {"lissive_version": __version__, **(provenance or {})}
    dims = DIMENSIONS if times.ndim == 1 else (DIMENSIONS[0], RECORD)
    data: dict[str, Any] = {
        name: (dims, values[:, :, i], _attributes(name, units, labels)) for i, name in enumerate(outputs)
    }
    data["status"] = (
        "subject",
        codes,
        {"long_name": "0: the run of this subject went well; else see message"},
    )
    data["message"] = ("subject", said, {"long_name": "why the run of this subject did not go well"})
    coords: dict[str, Any] = {
        "subject": ("subject", np.asarray(rows.ids), {"long_name": "ID of the simulated subject"}),
        "time": (
            "time" if times.ndim == 1 else dims,
            times,
            _attributes("time", units, {"time": "time", **labels}),
        ),
    }
    if rows.occasions is not None:
        about_it = {"long_name": "occasion of the subject, from 1 on"}
        coords["occasion"] = ("subject", np.asarray(rows.occasions), about_it)
    for name, column in (carried or {}).items():
        free = name if name not in {*_TAKEN, *outputs} else f"events_{name}"
        coords[free] = (dims, column, {"long_name": f"column {name} of the events"})
    plain = {key: _plain(value) for key, value in about.items()}
    return xr.Dataset(data, coords, {**plain, "provenance": json.dumps(about, default=str)})


def _check_shapes(values: Any, times: Any, n: int, outputs: Sequence[str], codes: Any, said: Any) -> None:
    if values.shape != (n, times.shape[-1], len(outputs)) or (times.ndim > 1 and len(times) != n):
        raise SimulationError(
            f"values has the shape {values.shape}.",
            where="dataset",
            allowed=f"(subject, time, output), here {(n, times.shape[-1], len(outputs))}.",
            do="give values, times and outputs of one run.",
        )
    for name, array in {"status": codes, "messages": said}.items():
        if array.shape != (n,):
            raise SimulationError(
                f"{name} has the shape {array.shape}.",
                where="dataset",
                allowed=f"{(n,)}.",
                do="give one for each subject.",
            )
    refuse_names(outputs)


def refuse_names(outputs: Sequence[str]) -> None:
    """Outputs that cannot stand in one result."""
    if taken := [name for name in outputs if name in _TAKEN]:
        raise SimulationError(
            f"The output {taken[0]} has the name of a column of the result.",
            where="select",
            allowed=f"any name but {', '.join(_TAKEN)}.",
            do="leave it out of the selection, or rename it in the model.",
        )
    if len(set(outputs)) < len(outputs):
        twice = next(name for name in outputs if list(outputs).count(name) > 1)
        raise SimulationError(
            f"The output {twice} is selected twice.",
            where="select",
            allowed="each output once.",
            do="select it once.",
        )


def _attributes(name: str, units: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, str]:
    found = {"units": units.get(name), "long_name": labels.get(name)}
    return {key: value for key, value in found.items() if value}


def counting(data: xr.Dataset, counted: Sequence[Sequence[Any]]) -> xr.Dataset:
    """The dataset with notes that count: each a text with {} for its numbers, and the numbers. See `told`."""
    about = {**json.loads(data.attrs["provenance"]), "counted": list(counted)}
    return data.assign_attrs(provenance=json.dumps(about, default=str))


def told(data: xr.Dataset) -> xr.Dataset:
    """The dataset with what was counted among its notes; only a part of a run has it apart."""
    about = _told(json.loads(data.attrs["provenance"]))
    return data.assign_attrs(notes=_plain(about["notes"]), provenance=json.dumps(about, default=str))


def _told(about: dict[str, Any]) -> dict[str, Any]:
    said = [text.format(*numbers) for text, *numbers in about.pop("counted", ()) if numbers[0]]
    return {**about, "notes": [*about["notes"], *said]} if said else about


def _plain(value: Any) -> str | int | float:
    """What every file format keeps as it is; other values as JSON."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return json.dumps(value, default=str)
    return value


# -- files ------------------------------------------------------------------------------------------
def write(data: xr.Dataset, path: str | Path, *, force: bool = False) -> None:
    """Write a dataset: .csv (its units and provenance in NAME.meta.json beside it), .parquet, .nc, .zarr.

    Parameters
    ----------
    force : write over a NAME.meta.json that is no result of this function, too.

    Raises
    ------
    SimulationError for another ending, a folder that is not there, or a package that is not installed.
    """
    write_parts(lambda: iter([data]), Path(path), force=force)


Parts = Callable[[], Iterator["xr.Dataset"]]
"""A run, some subjects at a time, from the first on whenever it is called."""


def write_parts(parts: Parts, path: Path, *, force: bool = False) -> Summed:
    """The same of a run that is never in memory as a whole."""
    check_writer(path)
    keep_inputs([path], reads=(), beside=written_beside(path), force=force)
    whole = summed(parts())
    with atomic_path(path) as place:
        _WRITERS[path.suffix][0](parts, whole, place, path)
    return whole


def check_writer(path: Path) -> None:
    """Refuse a file that cannot be written, before anything is computed."""
    if path.suffix not in _WRITERS:
        raise SimulationError(
            f"Unsupported file extension {path.suffix!r}.",
            where=str(path),
            allowed=f"{', '.join(_WRITERS)}.",
            do="give the result a name with one of these extensions.",
        )
    packages = _WRITERS[path.suffix][1]
    need("files", f"A {path.suffix} file", where=str(path), wrong=SimulationError, among={"files": packages})


def written_beside(path: Path) -> Beside | None:
    """What `write` writes beside a file of this name."""
    about = path.with_suffix(".meta.json")
    return Beside([about], about, '"lissive_version"') if path.suffix == ".csv" else None


@dataclass(frozen=True)
class Summed:
    """What is said of a run as a whole."""

    meta: Mapping[str, Any]
    """Units, names, provenance, and the subjects whose run did not go well."""
    failures: Mapping[str, str]
    """Subject, with the occasion where some have several, to why."""
    times: int
    outputs: Sequence[str]
    widths: Mapping[str, Any]
    """Column of texts to a type of text that takes all of them."""
    size: int
    """Bytes of all arrays."""


def meta(data: xr.Dataset) -> Mapping[str, Any]:
    """Units, names, provenance, and the subjects whose run did not go well, of a whole run."""
    return summed(iter([data])).meta


def summed(parts: Iterator[xr.Dataset]) -> Summed:
    """Each part read once; of their provenance the steps are added up, all notes kept, the rest is the same in all."""
    first, failed, failures, subjects, steps, size = None, [], {}, 0, 0, 0
    widths: dict[str, Any] = {}
    notes: dict[str, None] = {}
    counted: dict[str, list[int]] = {}
    for data in parts:
        first = data if first is None else first
        subjects += data.sizes["subject"]
        size += data.nbytes
        each = json.loads(data.attrs.get("provenance", "{}"))
        steps += each.get("steps", 0)
        notes |= dict.fromkeys(each.get("notes", ()))
        for text, *numbers in each.get("counted", ()):
            counted[text] = [
                a + b for a, b in zip(counted.get(text, [0] * len(numbers)), numbers, strict=True)
            ]
        for name in ("subject", "message"):
            if data[name].dtype.kind == "U":
                widths[name] = max(widths.get(name, np.dtype("U1")), data[name].dtype)
        status, messages = data["status"].values, data["message"].values
        for i in np.flatnonzero(status):
            subject, why = data["subject"].values[i].item(), str(messages[i])
            failed.append({"subject": subject, "status": int(status[i]), "message": why})
            occasion = f", occasion {data['occasion'].values[i]}" if "occasion" in data.coords else ""
            failures[f"{subject}{occasion}"] = why
    assert first is not None
    about = json.loads(first.attrs.get("provenance", "{}"))
    about |= {"notes": list(notes)} if "notes" in about else {}
    about = _told({**about, "counted": [[text, *numbers] for text, numbers in counted.items()]})
    meta = {
        "columns": {name: dict(first[name].attrs) for name in _written(first)},
        "provenance": {**about, **({"steps": steps} if "steps" in about else {})},
        "subjects": subjects,
        "failed": failed,
    }
    return Summed(meta, failures, first["time"].shape[-1], _outputs(first), widths, size)


def _outputs(data: xr.Dataset) -> list[str]:
    return [str(name) for name in data.data_vars if name not in _TAKEN]


def _written(data: xr.Dataset) -> list[str]:
    """Columns of a tidy table, in order."""
    beside = [str(name) for name in data.coords if name not in (*DIMENSIONS, "occasion")]
    occasion = ["occasion"] if "occasion" in data.coords else []
    return ["subject", *occasion, "time", *_outputs(data), *beside]


def _tidy(data: xr.Dataset) -> Iterator[dict[str, Any]]:
    """Columns of `_written`, one row a subject and time, some subjects at once."""
    names, subjects = _written(data), len(data["subject"])
    rows = data["time"].shape[-1]
    several = max(1, _ROWS_AT_ONCE // max(rows, 1))
    for start in range(0, max(subjects, 1), several):
        part = slice(start, start + several)
        times = np.broadcast_to(data["time"].values, (subjects, rows))[part]
        there = ~np.isnan(times)
        yield {
            name: times[there]
            if name == "time"
            else np.broadcast_to(data[name].values[part][:, None], times.shape)[there]
            if data[name].ndim == 1
            else data[name].values[part][there]
            for name in names
        }


def _write_csv(parts: Parts, whole: Summed, place: Path, path: Path) -> None:
    rows = _rows_by_arrow if importlib.util.find_spec("pyarrow") else _rows_by_pandas
    with place.open("wb") as file:
        header = io.StringIO()
        write_rows(header, [whole.meta["columns"]])
        file.write(header.getvalue().encode())
        for data in parts():
            if data["subject"].dtype.kind == "U":
                data = data.assign_coords(subject=[cell(each) for each in data["subject"].values.tolist()])
            for columns in _tidy(data):
                rows({name: _guarded(column) for name, column in columns.items()}, file)
    with atomic_path(path.with_suffix(".meta.json")) as beside:
        beside.write_text(json.dumps(whole.meta, indent=1) + "\n", encoding="utf-8")


def _guarded(column: Any) -> Any:
    """Texts that a spreadsheet would take for a formula get an apostrophe before them."""
    if column.dtype.kind not in "OU":
        return column
    return np.array([cell(each) for each in column], dtype=object)


def _rows_by_pandas(columns: dict[str, Any], file: BinaryIO) -> None:
    import pandas as pd

    pd.DataFrame(columns).to_csv(file, index=False, header=False, lineterminator="\n")


def _rows_by_arrow(columns: dict[str, Any], file: BinaryIO) -> None:
    """The same rows, more than ten times as fast."""
    import pyarrow as pa
    from pyarrow.csv import WriteOptions, write_csv

    arrays = [pa.array(column, from_pandas=True) for column in columns.values()]  # no number is an empty cell
    table = pa.Table.from_arrays(arrays, names=list(columns))
    write_csv(table, file, WriteOptions(include_header=False, quoting_style="needed"))


def _write_parquet(parts: Parts, whole: Summed, place: Path, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    about, writer = {"lissive": json.dumps(whole.meta)}, None
    try:
        for columns in (each for data in parts() for each in _tidy(data)):
            arrays = {name: pa.array(column) for name, column in columns.items()}
            attributes = whole.meta["columns"]
            fields = [pa.field(n, a.type, metadata=attributes[n] or None) for n, a in arrays.items()]
            schema = pa.schema(fields, metadata=about)
            writer = writer or pq.ParquetWriter(place, schema)
            writer.write_table(pa.Table.from_arrays(list(arrays.values()), schema=schema))
    finally:
        if writer is not None:
            writer.close()


def _write_netcdf(parts: Parts, whole: Summed, place: Path, path: Path) -> None:
    """The first part as it is, and what the others have of each variable behind it."""
    free = limits.disk(place.parent)
    if whole.size + _OF_ITSELF > free:  # HDF5 ends the process where the disk is full
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place))
    encoding: dict[Any, Any] = {name: {"zlib": True, "complevel": 1} for name in whole.outputs}
    end = 0
    for k, data in enumerate(parts()):
        start, end = end, end + data.sizes["subject"]
        if not k:
            several = end < whole.meta["subjects"]
            how: dict[str, Any] = {"unlimited_dims": ["subject"]} if several else {}
            _said(data, whole).to_netcdf(place, engine="h5netcdf", encoding=encoding, **how)
            continue
        _append(data, place, slice(start, end))


_OF_ITSELF = 1 << 18
"""Bytes that a file has beside its arrays."""


def _append(data: xr.Dataset, place: Path, rows: slice) -> None:
    import h5netcdf

    with h5netcdf.File(place, "a") as file:
        file.resize_dimension("subject", rows.stop)
        for name, each in data.variables.items():
            if "subject" in each.dims:
                texts = each.dtype.kind in "OU"
                file[str(name)][rows] = each.values.astype(object) if texts else each.values


def _write_zarr(parts: Parts, whole: Summed, place: Path, path: Path) -> None:
    # Format 2: its specification has texts, and every reader of Zarr knows it.
    for k, data in enumerate(parts()):
        data = data.assign({name: data[name].astype(kind) for name, kind in whole.widths.items()})
        how: dict[str, Any] = {"append_dim": "subject"} if k else {"mode": "w"}
        _said(data, whole).to_zarr(place, zarr_format=2, consolidated=True, **how)


def _said(data: xr.Dataset, whole: Summed) -> xr.Dataset:
    """A part with what is said of the run as a whole."""
    about = whole.meta["provenance"]
    said = {name: _plain(value) for name, value in about.items()}
    return data.assign_attrs(said, provenance=json.dumps(about, default=str)) if said else data


_Writer = Callable[[Parts, Summed, Path, Path], None]
_WRITERS: dict[str, tuple[_Writer, tuple[str, ...]]] = {
    ".csv": (_write_csv, ()),
    ".parquet": (_write_parquet, ("pyarrow",)),
    ".nc": (_write_netcdf, ("h5netcdf", "h5py")),
    ".zarr": (_write_zarr, ("zarr",)),
}
