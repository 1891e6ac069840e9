"""A population run as NONMEM's rows: a row for each dose, and one for each observation and output.

    REP ID TIME EVID AMT CMT RATE II ADDL SS DVID DV PRED IPRED MDV ...

AMT is what is absorbed (AMT times F). Doses have no PRED, IPRED and DV; `.` is empty. DVID numbers the outputs.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.errors import SimulationError
from lissive.files import atomic_path, cell, keep_inputs
from lissive.model.equations import Equations
from lissive.simulation.event_rows import number_of
from lissive.simulation.output import meta, written_beside
from lissive.simulation.planned import Planned
from lissive.simulation.population.draw import Individuals
from lissive.simulation.population.result import DV, PRED

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

FORMATS = (".csv", ".parquet")
"""Files that hold rows; the others hold the dataset."""
OBSERVED = "DV_OBSERVED"
"""The column DV of the events, beside the simulated one."""
_FIRST = "REP ID TIME EVID AMT CMT RATE II ADDL SS LAG DVID DV PRED IPRED MDV".split()


def nonmem_rows(run: xr.Dataset, planned: Planned, people: Individuals, equations: Equations) -> pd.DataFrame:
    """The rows, subject by subject."""
    import pandas as pd

    outputs = list(json.loads(run.attrs["provenance"])["population"]["dvid"])
    parts = [_observations(run, planned, name, k, people) for k, name in enumerate(outputs)]
    doses = _doses(run, planned, equations, people.by_rows)
    table = pd.concat([part for part in (doses, *parts) if len(part)], ignore_index=True)
    table = table.sort_values(["_run", "_time", "_place", "DVID"], kind="stable", ignore_index=True)
    empty = [name for name in ("REP", "LAG") if name not in table or not (table[name] > 0).any()]
    names = [*_FIRST, *(name for name in table if name not in _FIRST and name[0] != "_")]
    return table[[name for name in names if name in table and name not in empty]]


def _observations(
    run: xr.Dataset, planned: Planned, output: str, k: int, people: Individuals
) -> pd.DataFrame:
    import pandas as pd

    shape = run[output].shape
    times = np.broadcast_to(run["time"].values, shape)
    there = ~np.isnan(times)
    place = np.full(shape, 1 << 40)
    if people.by_rows:
        for row, each in zip(place, planned.runs, strict=True):
            assert each is not None
            row[: len(each.seen)] = each.seen

    def column(values: Any) -> Any:
        values = np.asarray(values)
        return np.broadcast_to(values[:, None] if values.ndim == 1 else values, shape)[there]

    data: dict[str, Any] = {
        "_run": column(np.arange(shape[0])),
        "_time": np.zeros(int(there.sum())) if people.by_rows else times[there],
        "_place": place[there],
        "ID": column(run["subject"].values),
        "TIME": times[there],
        "EVID": 0,
        "DVID": k + 1,
        "DV": column(run[f"{DV}{output}"].values) if f"{DV}{output}" in run else np.nan,
        "PRED": column(run[f"{PRED}{output}"].values),
        "IPRED": column(run[output].values),
        "MDV": 0,
    }
    if "replicate" in run.coords:
        data["REP"] = column(run["replicate"].values)
    for name in map(str, run.coords):
        if name not in ("subject", "time", "replicate"):
            data[_free(name)] = column(run[name].values)
    return pd.DataFrame(data)


def _free(name: str) -> str:
    return OBSERVED if name.upper() == "DV" else f"{name}_" if name in (*_FIRST, "MDV") else name


def _doses(run: xr.Dataset, planned: Planned, equations: Equations, by_rows: bool) -> pd.DataFrame:
    """The rows that are no observations; with what is known of their subject."""
    import pandas as pd

    number = {place: k for k, place in enumerate(equations.dose_targets.values(), start=1)}
    known: dict[int, pd.DataFrame] = {}
    parts = []
    fixed = [str(name) for name in run.coords if run[name].dims == ("subject",)]
    for k, each in enumerate(planned.runs):
        if each is None:
            continue
        if id(each.records) not in known:
            rows = [(r, record) for r, record in enumerate(each.records) if record.evid]
            known[id(each.records)] = pd.DataFrame(
                {
                    "_place": [r for r, _ in rows],
                    "TIME": [record.time for _, record in rows],
                    "EVID": [record.evid for _, record in rows],
                    "AMT": [record.amount if record.dosed else np.nan for _, record in rows],
                    "CMT": [
                        number.get(record.target, np.nan) if record.dosed else np.nan for _, record in rows
                    ],
                    "RATE": [record.rate for _, record in rows],
                    "II": [record.interval for _, record in rows],
                    "ADDL": [record.additional for _, record in rows],
                    "SS": [record.ss for _, record in rows],
                    "LAG": [record.lag for _, record in rows],
                    "MDV": 1,
                }
            )
        part = known[id(each.records)].assign(_run=k, ID=run["subject"].values[k])
        beside: dict[str, Any] = {
            _free(name): run[name].values[k] for name in fixed if name not in ("subject", "replicate")
        }
        part = part.assign(
            **beside, **({"REP": run["replicate"].values[k]} if "replicate" in run.coords else {})
        )
        places = part["_place"].to_numpy()
        for name, cells in each.carried.items():
            if name.upper() not in ("DV", "MDV") and _free(name) in (*map(_free, map(str, run.coords)),):
                part[_free(name)] = [_plain(cells[r]) for r in places]
        for name, values in each.varying.items():
            shown = name.removesuffix("(0)")
            if shown in run.coords:
                part[_free(shown)] = values[places]
        parts.append(part)
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"_run": []})
    times = 0.0 if by_rows else table.get("TIME", 0.0)
    return table.assign(_time=times, DVID=0)


def _plain(value: Any) -> Any:
    number = number_of(value)
    return number if number is not None else np.nan if value in (None, "", ".", "NA") else value


def write_table(table: pd.DataFrame, run: xr.Dataset, path: Path, *, force: bool = False) -> None:
    """The rows as .csv, with what is known of the run in NAME.meta.json beside it, or as .parquet, which holds both."""
    about: Mapping[str, Any] = meta(run)
    if path.suffix == ".parquet":
        if importlib.util.find_spec("pyarrow") is None:
            raise SimulationError(
                "To write .parquet, the package pyarrow is needed.",
                where=str(path),
                do='pip install "lissive[files]"',
            )
        import pyarrow as pa
        import pyarrow.parquet as pq

        with atomic_path(path) as place:
            plain = pa.Table.from_pandas(table, preserve_index=False)
            pq.write_table(plain.replace_schema_metadata({"lissive": json.dumps(about)}), place)
        return
    keep_inputs([path], reads=(), beside=written_beside(path), force=force)
    texts = {name: table[name].map(cell) for name in table if table[name].dtype == object}
    with atomic_path(path) as place:
        table.assign(**texts).to_csv(
            place, index=False, na_rep=".", float_format="%.10g", lineterminator="\n"
        )
    with atomic_path(path.with_suffix(".meta.json")) as place:
        place.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
