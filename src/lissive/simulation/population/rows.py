"""A population run as NONMEM's rows: a row for each dose, and one for each observation and output.

    REP ID TIME EVID AMT CMT RATE II ADDL SS DVID DV PRED IPRED MDV ...

AMT is what is absorbed (AMT times F). Doses have no PRED, IPRED and DV; `.` is empty. DVID numbers the outputs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.errors import SimulationError
from lissive.extras import need
from lissive.files import atomic_path, cell, keep_inputs, write_text
from lissive.model.equations import Equations
from lissive.simulation.event_cells import is_missing
from lissive.simulation.events import Run
from lissive.simulation.layout import Layout
from lissive.simulation.output import written_beside
from lissive.simulation.population.draw import Individuals
from lissive.simulation.population.result import DV, PRED

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

FORMATS = (".csv", ".parquet")
"""Files that hold rows; the others hold the dataset."""
OBSERVED = "DV_OBSERVED"
"""The column DV of the events, beside the simulated one."""
_LAST = 1 << 40
"""Place of an output time that no row of the events asks for: after all rows of that time."""
_FIRST = "REP ID TIME EVID AMT CMT RATE II ADDL SS LAG DVID DV PRED IPRED MDV".split()
_DOSES = "AMT CMT RATE II ADDL SS".split()
_NUMBERS = {"REP", "EVID", "DVID", "MDV", "LAG", *_DOSES}


def nonmem_rows(
    run: xr.Dataset, runs: Sequence[Run], people: Individuals, equations: Equations, layout: Layout
) -> pd.DataFrame:
    """The rows, subject by subject; their columns are the same in any part of a run.

    runs : of each subject and occasion, as `Asked.runs` has them; empty without a table.
    """
    import pandas as pd

    outputs = list(json.loads(run.attrs["provenance"])["population"]["dvid"])
    parts = [_observations(run, runs, name, k, people) for k, name in enumerate(outputs, start=1)]
    tables = [pd.DataFrame(part) for part in (_doses(run, runs, people, equations), *parts)]
    columns = list(dict.fromkeys(name for each in parts for name in each))
    table = pd.concat([each for each in tables if len(each)] or tables[-1:], ignore_index=True)
    table = table.sort_values(["_run", "_time", "_place", "DVID"], kind="stable", ignore_index=True)
    empty = {"REP": people.replicates == 1, "LAG": not layout.lag} | dict.fromkeys(_DOSES, not layout.doses)
    first = [name for name in _FIRST if not empty.get(name)]
    names = [*first, *(name for name in columns if name not in _FIRST and name[0] != "_")]
    table = table.reindex(columns=names)
    kinds = {name: float if name in (*_DOSES, "LAG") else int for name in first if name in _NUMBERS}
    return table.astype(kinds)


def _beside(run: xr.Dataset) -> dict[str, str]:
    """Coordinates that are columns, and the columns' names."""
    found = {str(name): str(name) for name in run.coords if name not in ("subject", "time", "replicate")}
    return {
        name: OBSERVED if name.upper() == "DV" else f"{name}_" if name in _FIRST else name for name in found
    }


def _observations(
    run: xr.Dataset, runs: Sequence[Run], output: str, dvid: int, people: Individuals
) -> dict[str, Any]:
    shape = run[output].shape
    times = np.broadcast_to(run["time"].values, shape)
    there = ~np.isnan(times)
    place = np.full(shape, _LAST)
    if people.by_rows:
        for row, each in zip(place, runs, strict=True):
            row[: len(each.seen)] = each.seen

    def column(values: Any) -> Any:
        values = np.asarray(values)
        return np.broadcast_to(values[:, None] if values.ndim == 1 else values, shape)[there]

    return {
        "_run": column(np.arange(shape[0])),
        "_time": np.zeros(int(there.sum())) if people.by_rows else times[there],
        "_place": place[there],
        "REP": column(run["replicate"].values) if "replicate" in run.coords else 0,
        "ID": column(run["subject"].values),
        "TIME": times[there],
        "EVID": 0,
        "DVID": dvid,
        "DV": column(run[f"{DV}{output}"].values) if f"{DV}{output}" in run else np.nan,
        "PRED": column(run[f"{PRED}{output}"].values),
        "IPRED": column(run[output].values),
        "MDV": 0,
        **{shown: column(run[name].values) for name, shown in _beside(run).items()},
    }


def _doses(run: xr.Dataset, runs: Sequence[Run], people: Individuals, equations: Equations) -> dict[str, Any]:
    """The rows that are no observations; with what is known of their subject."""
    which = {id(each.records): [r for r, x in enumerate(each.records) if x.evid] for each in runs}
    rows = [(k, each, which[id(each.records)]) for k, each in enumerate(runs)]
    if not any(len(places) for *_, places in rows):
        return {"_run": []}
    records = [each.records[r] for _, each, places in rows for r in places]
    of_run = np.repeat([k for k, *_ in rows], [len(places) for *_, places in rows])
    time, evid, amount, target, rate, _, interval, additional, ss, lag = (
        np.array(column) for column in zip(*records, strict=True)
    )
    number = {place: k for k, place in enumerate(equations.dose_targets.values(), start=1)}
    dosed = np.isin(evid, (1, 4))
    found = {
        "_run": of_run,
        "_time": np.zeros(len(time)) if people.by_rows else time,
        "_place": np.concatenate([places for *_, places in rows]),
        "REP": run["replicate"].values[of_run] if "replicate" in run.coords else 0,
        "ID": run["subject"].values[of_run],
        "TIME": time,
        "EVID": evid,
        "AMT": np.where(dosed, amount, np.nan),
        "CMT": np.where(dosed, [number.get(place, np.nan) for place in target.tolist()], np.nan),
        **{"RATE": rate, "II": interval, "ADDL": additional, "SS": ss, "LAG": lag, "DVID": 0, "MDV": 1},
    }
    for name, shown in _beside(run).items():
        if run[name].dims == ("subject",):
            found[shown] = run[name].values[of_run]
        elif name in rows[0][1].carried and shown != OBSERVED:
            cells = [each.carried[name][r] for _, each, places in rows for r in places]
            numeric = run[name].dtype.kind == "f"
            found[shown] = [np.nan if is_missing(x) else float(x) if numeric else str(x) for x in cells]
        elif (parameter := people.named.get(name, name)) in rows[0][1].varying:
            found[shown] = np.concatenate([each.varying[parameter][places] for _, each, places in rows])
    return found


def check_rows_writer(path: Path) -> None:
    """Refuse a file that cannot be written, before anything is computed."""
    if path.suffix == ".parquet":
        packages = {"files": ("pyarrow",)}
        need("files", "A .parquet file", where=str(path), wrong=SimulationError, among=packages)


def write_tables(
    tables: Iterable[pd.DataFrame], about: Mapping[str, Any], path: Path, *, force: bool = False
) -> None:
    """The rows as .csv, with what is known of the run in NAME.meta.json beside it, or as .parquet, which holds both.

    tables : rows of some subjects at a time, in order.
    """
    check_rows_writer(path)
    keep_inputs([path], reads=(), beside=written_beside(path), force=force)
    with atomic_path(path) as place:
        (_write_parquet if path.suffix == ".parquet" else _write_csv)(tables, about, place)
    if path.suffix == ".csv":
        write_text(path.with_suffix(".meta.json"), json.dumps(about, indent=1) + "\n")


def _write_parquet(tables: Iterable[pd.DataFrame], about: Mapping[str, Any], place: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    try:
        for table in tables:
            plain = pa.Table.from_pandas(table, preserve_index=False)
            schema = plain.schema.with_metadata({"lissive": json.dumps(about)})
            writer = writer or pq.ParquetWriter(place, schema)
            writer.write_table(plain.cast(writer.schema))
    finally:
        if writer is not None:
            writer.close()


def _write_csv(tables: Iterable[pd.DataFrame], about: Mapping[str, Any], place: Path) -> None:
    with place.open("w", encoding="utf-8", newline="") as file:
        for k, table in enumerate(tables):
            texts = {str(name): table[name].map(cell) for name in table if table[name].dtype == object}
            table.assign(**texts).to_csv(
                file, index=False, header=not k, na_rep=".", float_format="%.10g", lineterminator="\n"
            )
