"""What a run rested on, kept with its results: what was looked at, dosed, given and drawn; and read from them again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lissive.fingerprint import of_bytes
from lissive.model.equations import Equations
from lissive.simulation.schedule import Schedule


def origin(
    equations: Equations,
    outputs: Iterable[str],
    dosed: Sequence[int],
    given: Mapping[str, Any],
    drawn: Iterable[str],
    cause: str = "",
) -> dict[str, Any]:
    """The part of a run's provenance that `lissive cite` needs.

    Parameters
    ----------
    dosed : places in Equations.states that are given something.
    given : parameters that the user or the case set, to a number or a value for each subject. One value for all
        is kept as it is; else null.
    drawn : parameters that were drawn from the model's tables.
    cause : whose numbers the parameters are; empty for a model that has no causes.
    """
    return {
        "cause": cause or None,
        "outputs": list(outputs),
        "dosed": [equations.states[place] for place in dosed],
        "given": {
            name: float(np.ravel(value)[0]) if np.size(value) == 1 else None for name, value in given.items()
        },
        "drawn": list(drawn),
    }


def dosed_by(schedules: Iterable[Schedule]) -> list[int]:
    """Places in Equations.states that these schedules give something."""
    return sorted({place for schedule in schedules for place in schedule.dosed})


def model_hash(equations: Equations) -> str:
    """A short hash of what a model computes and of its default numbers."""
    g = equations.graph
    events = [node for event in equations.events for node in event.nodes]
    roots = (*equations.rates, *equations.initial, *equations.quantities.values(), *events)
    nodes = [(e, g.nodes[e]) for e in g.reachable(roots)]  # not those that a solver added since
    content = [nodes, equations.states, roots, dict(equations.parameters), *equations.events]
    return of_bytes(f"({', '.join(map(repr, content))})".encode(), 16)


# -- provenance, read again -------------------------------------------------------------------------
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


PROVENANCE_READERS: Mapping[str, Callable[[Path], Any]] = {
    ".json": _from_json,
    ".csv": _from_csv,
    ".parquet": _from_parquet,
    ".nc": _from_netcdf,
    ".zarr": _from_zarr,
}
"""By ending: what a written run, or the JSON of a case, says of how it was made."""
