"""A run of many subjects in chunks: each solved by itself and kept on disk, so that memory does not grow with them.

The numbers are those of one piece: a subject's random numbers depend on their place, not on the chunk.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.chunks import HERE, How, clear, run_chunks
from lissive.errors import SimulationError
from lissive.fingerprint import of_bytes, of_folder
from lissive.model import load
from lissive.simulation import limits
from lissive.simulation.output import check_writer, summed, write_parts
from lissive.simulation.population.rows import FORMATS as ROWS
from lissive.simulation.population.rows import nonmem_rows, write_table
from lissive.simulation.solve import Asked, asked, model_hash, solved, whole

if TYPE_CHECKING:
    import xarray as xr

_NUMBERS = 2_000_000
"""So many numbers of results a chunk has at most ..."""
_MOST, _LEAST = 1000, 50
"""... and so many subjects. None of this may depend on the machine: another one goes on with the run."""
WHOLE = ".nc"
"""This format is written in one piece."""


def simulate_files(
    *,
    out: Path,
    model: str | Path,
    events: Path | None = None,
    subjects: int | Path | None = None,
    until: float | None = None,
    every: float | None = None,
    times: Path | None = None,
    select: Sequence[str] | None = None,
    population: Path | None = None,
    replicates: int = 1,
    covariates: str = "nocb",
    rtol: float = 1e-6,
    atol: float = 0.0,
    threads: int | None = None,
    seed: int = 1,
    device: str = "cpu",
    force: bool = False,
    look: Callable[[xr.Dataset], None] | None = None,
    how: How = HERE,
) -> dict[str, Any]:
    """`simulate` to a file, chunk by chunk; returns its summary.

    Chunks are kept beside the file, in NAME.parts, until it is whole.

    look : is shown the run before anything is written.
    """
    run = asked(
        model, events, subjects, (until, every, times), select, None, None, population, replicates,
        covariates, (rtol, atol, threads, device), seed,
    )  # fmt: skip
    if how.cluster and device == "gpu":
        raise SimulationError(
            "A cluster's workers use their processors.",
            where="device",
            allowed="cpu with --cluster.",
            do="leave out --device or --cluster.",
        )
    rows = run.people is not None and out.suffix in ROWS
    if not rows:
        check_writer(out)
    step = chunk_size(run, _NUMBERS if device == "gpu" else _MOST)  # a GPU is filled by tens of thousands
    piece = _in_one_piece(run, out, look)
    if piece or (run.count <= step and not (how.cluster or how.resume)):
        if how.cluster or how.resume:
            raise SimulationError(
                f"{piece} is simulated in one piece.",
                where="--cluster" if how.cluster else "--resume",
                allowed="a run without events or with those of one ID, to .csv, .parquet or .zarr.",
                do="leave it out.",
            )
        data, planned = whole(run)
        if look is not None:
            look(data)
        if rows and run.people is not None:
            write_table(nonmem_rows(data, planned, run.people, load(model)), data, out, force=force)
            found = summed(iter([data]))
        else:
            found = write_parts(lambda: iter([data]), out, force=force)
    else:
        folder = out.with_name(f"{out.name}.parts")
        _afford_disk(run, out)
        paths = _chunks(run, step, folder, _inputs(run, events), how)
        found = write_parts(partial(_loaded, paths), out, force=force)
        clear(folder)
    about = found.meta["provenance"]
    return {
        "subjects": run.count // run.replicates,
        "failed": len(found.meta["failed"]),
        "failures": dict(found.failures),
        "times": found.times,
        "outputs": list(found.outputs),
        "notes": about["notes"],
        "columns": about["columns"],
    }


def _in_one_piece(run: Asked, out: Path, look: Any) -> str:
    """What of a run lets it not be cut into chunks; empty where nothing does."""
    if run.people is not None:
        return "A population"
    if look is not None:
        return "What a figure is drawn of"
    if run.table and len(run.table.subjects) > 1:
        return "A table of events with several IDs"
    return f"What is written to {WHOLE}" if out.suffix == WHOLE else ""


def chunk_size(run: Asked, most: int = _MOST) -> int:
    """How many subjects a chunk has: all chunks as many, but for the last.

    >>> from types import SimpleNamespace as Run
    >>> [chunk_size(Run(count=2100, values=n)) for n in (85, 8_500, 850_000)]
    [700, 234, 50]
    """
    most = max(_LEAST, min(most, _NUMBERS // max(run.values, 1)))
    return -(-run.count // -(-run.count // most))


def _chunks(run: Asked, step: int, folder: Path, inputs: list[Any], how: How) -> list[Path]:
    if how.cluster is not None:  # a worker has as many threads as Dask was told
        run = replace(run, settings=replace(run.settings, threads=1))
    kept = pickle.dumps(run)
    starts = range(0, run.count, step)
    digits = len(str(len(starts)))
    chunks = {
        f"{k:0{digits}d}.npz": (kept, range(start, min(start + step, run.count)))
        for k, start in enumerate(starts, start=1)
    }
    return run_chunks(_solve, chunks, folder, inputs=inputs, how=how)


def _inputs(run: Asked, events: Path | None) -> list[Any]:
    """What the numbers rest on: all but how many threads there are."""
    tables = ""
    if run.drawn:
        from lissive.model.parameters import FOLDER

        tables = of_folder(FOLDER, "*.tsv") + of_folder(Path(__file__).parent, "*.tsv")
    return [
        model_hash(run.equations),
        list(run.outputs),
        None if events is None else [of_bytes(events.read_bytes()), run.table and run.table.covariates],
        None if run.grid is None else of_bytes(run.grid.tobytes()),
        run.count,
        of_bytes(repr(run.ids).encode()),
        {name: of_bytes(np.asarray(value).tobytes()) for name, value in run.own.items()},
        dict(run.common),
        repr(replace(run.settings, threads=1)),
        run.seed,
        tables,
    ]


@lru_cache(maxsize=1)
def _kept(pickled: bytes) -> Asked:
    """The run, read once in each process, with its kernel."""
    run: Asked = pickle.loads(pickled)
    return run


def _solve(argument: tuple[bytes, range], place: Path) -> None:
    pickled, part = argument
    save(solved(_kept(pickled), part)[0], place)


def _afford_disk(run: Asked, out: Path) -> None:
    """Refuse what would fill the disk: the chunks and the result of the same size."""
    needed = 2 * 8 * run.count * (run.values + 2)
    free = limits.disk(out.parent)
    if needed > free:
        raise SimulationError(
            f"{run.count} subjects would take about {limits.size(needed)} of disk while it runs.",
            where="subjects",
            allowed=f"up to {free // (16 * (run.values + 2))} here, where {limits.size(free)} are free.",
            do="ask for fewer subjects, output times or quantities, or name another disk.",
        )


# -- a part of a run on disk: plain arrays, every bit as it was ------------------------------------------
def save(data: xr.Dataset, place: Path) -> None:
    """Write a part as .npz."""
    arrays, about = {}, {}
    for k, (name, each) in enumerate(data.variables.items()):
        text = each.dtype == object
        arrays[f"a{k}"] = each.values.astype(np.str_) if text else each.values
        about[f"a{k}"] = [str(name), each.dims, dict(each.attrs), name in data.coords, text]
    said = json.dumps({"arrays": about, "attrs": data.attrs})
    with place.open("wb") as file:
        np.savez(file, allow_pickle=False, about=np.array(said), **arrays)


def read(path: Path) -> xr.Dataset:
    """A part as it was."""
    import xarray as xr

    with np.load(path, allow_pickle=False) as kept:
        said = json.loads(str(kept["about"]))
        both: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
        for key, (name, dims, attrs, is_coord, text) in said["arrays"].items():
            values = kept[key].astype(object) if text else kept[key]
            both[is_coord][name] = (dims, values, attrs)
    return xr.Dataset(*both, said["attrs"])


def _loaded(paths: list[Path]) -> Iterator[xr.Dataset]:
    return map(read, paths)
