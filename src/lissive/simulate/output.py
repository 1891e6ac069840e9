"""What a run gives back: one dataset, with units, status and provenance; and its way to a file.

>>> import numpy as np
>>> run = dataset(np.ones((1, 2, 1)), [0.0, 1.0], [1], ["[S1]"], units={"[S1]": "nmol/L"})
>>> run["[S1]"].sel(subject=1).values.tolist(), run["[S1]"].attrs["units"]
([1.0, 1.0], 'nmol/L')
"""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from lissive.errors import SimulationError
from lissive.version import __version__

if TYPE_CHECKING:
    import xarray as xr

DIMENSIONS = ("subject", "time")
_TAKEN = (*DIMENSIONS, "status", "message")
_ROWS_AT_ONCE = 1_000_000


def dataset(
    values: Any,
    times: Any,
    subjects: Sequence[int | str],
    outputs: Sequence[str],
    units: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    status: Any = None,
    provenance: Mapping[str, Any] | None = None,
    *,
    messages: Sequence[str] | None = None,
) -> xr.Dataset:
    """Results with their dimensions, units and doubts.

    Parameters
    ----------
    values : (subject, time, output).
    times : (time,) in the unit `units["time"]`.
    subjects : (subject,) IDs.
    outputs : (output,) ids, as `S1` (amount), `[S1]` (concentration), `k`.
    units, labels : id to unit, and to a name that a reader knows; absent where unknown.
    status : (subject,) whole numbers, 0 where the run went well; all 0 if not given.
    provenance : model name and content hash, seed, solver settings ...; the version is added.
    messages : (subject,) why a run did not go well; empty where it did.
    """
    import xarray as xr

    values, times = np.asarray(values, dtype=float), np.asarray(times, dtype=float)
    n = len(subjects)
    codes = np.zeros(n, np.int32) if status is None else np.asarray(status, dtype=np.int32)
    said = np.array([""] * n if messages is None else [str(each) for each in messages], dtype=np.str_)
    _check_shapes(values, times, n, outputs, codes, said)
    units, labels = units or {}, labels or {}
    about = {"lissive_version": __version__, **(provenance or {})}
    data: dict[str, Any] = {
        name: (DIMENSIONS, values[:, :, i], _attributes(name, units, labels))
        for i, name in enumerate(outputs)
    }
    data["status"] = (
        "subject",
        codes,
        {"long_name": "0: the run of this subject went well; else see message"},
    )
    data["message"] = ("subject", said, {"long_name": "why the run of this subject did not go well"})
    coords = {
        "subject": ("subject", np.asarray(subjects), {"long_name": "ID of the simulated subject"}),
        "time": ("time", times, _attributes("time", units, {"time": "time", **labels})),
    }
    plain = {key: _plain(value) for key, value in about.items()}
    return xr.Dataset(data, coords, {**plain, "provenance": json.dumps(about, default=str)})


def _check_shapes(values: Any, times: Any, n: int, outputs: Sequence[str], codes: Any, said: Any) -> None:
    if values.shape != (n, len(times), len(outputs)):
        raise SimulationError(
            f"values has the shape {values.shape}.",
            where="dataset",
            allowed=f"(subject, time, output), here {(n, len(times), len(outputs))}.",
        )
    for name, array in {"status": codes, "messages": said}.items():
        if array.shape != (n,):
            raise SimulationError(f"{name} has the shape {array.shape}.", where="dataset", allowed=f"{(n,)}.")
    if taken := [name for name in outputs if name in _TAKEN]:
        raise SimulationError(
            f"The output {taken[0]} has the name of a column of the result.",
            where="dataset",
            allowed=f"any name but {', '.join(_TAKEN)}.",
            do="leave it out of the selection, or rename it in the model.",
        )
    if len(set(outputs)) < len(outputs):
        twice = next(name for name in outputs if list(outputs).count(name) > 1)
        raise SimulationError(f"The output {twice} is selected twice.", where="dataset", do="select it once.")


def _attributes(name: str, units: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, str]:
    found = {"units": units.get(name), "long_name": labels.get(name)}
    return {key: value for key, value in found.items() if value}


def _plain(value: Any) -> str | int | float:
    """What every file format keeps as it is; other values as JSON."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return json.dumps(value, default=str)
    return value


# -- files ------------------------------------------------------------------------------------------
@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A place beside `path` to write to, a file or a folder; it becomes `path` once all went well.

    After an error or an interruption nothing new is there, and what `path` was before it still is.
    The place has the same ending, for writers that go by it.
    """
    path = Path(path)
    if path.is_dir() and not _is_store(path):
        raise SimulationError(
            "there is a folder of this name.",
            where=str(path),
            allowed="a new name, a file, or a Zarr store that is to be replaced.",
            do="choose another name.",
        )
    if not path.parent.is_dir():
        raise SimulationError(
            f"There is no folder {path.parent}.", where=str(path), do="make the folder, or correct the path."
        )
    place = path.with_name(f".{path.stem[:80]}.{uuid.uuid4().hex[:12]}{path.suffix}")
    old = place.with_name(f"{place.name}.old")
    try:
        yield place
        if path.is_dir():  # a folder cannot be replaced in one go: it steps aside first
            os.replace(path, old)
        try:
            os.replace(place, path)
        except BaseException:
            if old.exists():
                os.replace(old, path)
            raise
    finally:
        for left in (place, old):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def _is_store(folder: Path) -> bool:
    """Whether a folder is a Zarr store, or empty."""
    return folder.suffix == ".zarr" and (
        not any(folder.iterdir()) or any((folder / name).exists() for name in (".zgroup", "zarr.json"))
    )


def write(data: xr.Dataset, path: str | Path) -> None:
    """Write a dataset: .csv (its units and provenance in NAME.meta.json beside it), .parquet, .nc, .zarr.

    Raises
    ------
    SimulationError for another ending, a folder that is not there, or a package that is not installed.
    """
    path = Path(path)
    if path.suffix not in _WRITERS:
        raise SimulationError(
            f"The ending {path.suffix!r} names no format.", where=str(path), allowed=f"{', '.join(_WRITERS)}."
        )
    writer, packages = _WRITERS[path.suffix]
    if missing := [name for name in packages if importlib.util.find_spec(name) is None]:
        raise SimulationError(
            f"To write {path.suffix}, the package {missing[0]} is needed.",
            where=str(path),
            do='pip install "lissive[files]"',
        )
    with atomic_path(path) as place:
        writer(data, place, path)


def meta(data: xr.Dataset) -> dict[str, Any]:
    """Units, names, provenance, and the subjects whose run did not go well."""
    columns = {str(name): dict(data[name].attrs) for name in ("subject", "time", *_outputs(data))}
    status, messages = data["status"].values, data["message"].values
    failed = [
        {"subject": data["subject"].values[i].item(), "status": int(status[i]), "message": str(messages[i])}
        for i in np.flatnonzero(status)
    ]
    about = json.loads(data.attrs.get("provenance", "{}"))
    return {"columns": columns, "provenance": about, "subjects": data.sizes["subject"], "failed": failed}


def _outputs(data: xr.Dataset) -> list[str]:
    return [str(name) for name in data.data_vars if name not in _TAKEN]


def _tidy(data: xr.Dataset) -> Iterator[dict[str, Any]]:
    """Columns `subject, time, outputs`, one row a subject and time, some subjects at once."""
    times, subjects = data["time"].values, data["subject"].values
    several = max(1, _ROWS_AT_ONCE // max(len(times), 1))
    for start in range(0, max(len(subjects), 1), several):
        part = slice(start, start + several)
        yield {
            "subject": np.repeat(subjects[part], len(times)),
            "time": np.tile(times, len(subjects[part])),
            **{name: data[name].values[part].ravel() for name in _outputs(data)},
        }


def _write_csv(data: xr.Dataset, place: Path, path: Path) -> None:
    rows = _rows_by_arrow if importlib.util.find_spec("pyarrow") else _rows_by_pandas
    with place.open("wb") as file:
        header = io.StringIO()
        csv.writer(header, lineterminator="\n").writerow(["subject", "time", *_outputs(data)])
        file.write(header.getvalue().encode())
        for columns in _tidy(data):
            rows(columns, file)
    with atomic_path(path.with_suffix(".meta.json")) as beside:
        beside.write_text(json.dumps(meta(data), indent=1) + "\n", encoding="utf-8")


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


def _write_parquet(data: xr.Dataset, place: Path, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    about = {"lissive": json.dumps(meta(data))}
    writer = None
    try:
        for columns in _tidy(data):
            arrays = {name: pa.array(column) for name, column in columns.items()}
            fields = [pa.field(n, a.type, metadata=dict(data[n].attrs) or None) for n, a in arrays.items()]
            schema = pa.schema(fields, metadata=about)
            writer = writer or pq.ParquetWriter(place, schema)
            writer.write_table(pa.Table.from_arrays(list(arrays.values()), schema=schema))
    finally:
        if writer is not None:
            writer.close()


def _write_netcdf(data: xr.Dataset, place: Path, path: Path) -> None:
    encoding: dict[Any, Any] = {name: {"zlib": True, "complevel": 1} for name in _outputs(data)}
    data.to_netcdf(place, engine="h5netcdf", encoding=encoding)


def _write_zarr(data: xr.Dataset, place: Path, path: Path) -> None:
    # Format 2: its specification has texts, and every reader of Zarr knows it.
    data.to_zarr(place, mode="w", zarr_format=2, consolidated=True)


_Writer = Callable[["xr.Dataset", Path, Path], None]
_WRITERS: dict[str, tuple[_Writer, tuple[str, ...]]] = {
    ".csv": (_write_csv, ()),
    ".parquet": (_write_parquet, ("pyarrow",)),
    ".nc": (_write_netcdf, ("h5netcdf", "h5py")),
    ".zarr": (_write_zarr, ("zarr",)),
}
