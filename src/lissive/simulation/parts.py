"""A run of many subjects in chunks: each solved by itself and kept on disk, so that memory does not grow with them.

The numbers are those of one piece: a subject's random numbers depend on their place, not on the chunk.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.chunks import HERE, How, clear, room_on_disk, run_chunks
from lissive.errors import SimulationError
from lissive.fingerprint import of_bytes, of_folder
from lissive.model import load
from lissive.model.equations import Equations
from lissive.simulation import limits
from lissive.simulation.asked import Asked, solved, whole
from lissive.simulation.origin import model_hash
from lissive.simulation.output import Parts, check_writer, summed, write_parts
from lissive.simulation.population.result import described
from lissive.simulation.population.rows import FORMATS as ROWS
from lissive.simulation.population.rows import check_rows_writer, nonmem_rows, write_tables
from lissive.simulation.solve import Inputs, asked

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

_NUMBERS = 2_000_000
"""So many numbers of results a chunk has at most ..."""
_MOST, _LEAST = 1000, 50
"""... and so many subjects. None of this may depend on the machine: another one goes on with the run."""


def simulate_files(
    inputs: Inputs,
    out: Path,
    *,
    force: bool = False,
    look: Callable[[xr.Dataset], None] | None = None,
    how: How = HERE,
) -> dict[str, Any]:
    """`simulate` to a file, chunk by chunk; returns its summary.

    Chunks are kept beside the file, in NAME.parts, until it is whole.

    look : is shown the run before anything is written.
    """
    run, device = asked(inputs), inputs.device
    if how.cluster and device == "gpu":
        raise SimulationError(
            "A cluster's workers use their processors.",
            where="device",
            allowed="cpu with --cluster.",
            do="leave out --device or --cluster.",
        )
    rows = run.people is not None and out.suffix in ROWS
    (check_rows_writer if rows else check_writer)(out)
    if look is not None and (how.cluster or how.resume):
        raise SimulationError(
            "What a figure is drawn of is simulated in one piece.",
            where="--cluster" if how.cluster else "--resume",
            allowed="a run without --plot and --vpc.",
            do="leave it out.",
        )
    folder: Path | None = None
    pieces: Parts
    if look is None and run.count > _MOST:
        _afford_disk(run, out)
    most = _NUMBERS if device == "gpu" else _MOST  # a GPU is filled by tens of thousands
    parts = parts_of(run, most) if look is None else [range(run.count)]
    if look is not None or (len(parts) == 1 and not (how.cluster or how.resume)):
        data, _ = whole(run)
        if look is not None:
            look(data)
        pieces, parts = partial(_one, data), [range(run.count)]
    else:
        folder = out.with_name(f"{out.name}.parts")
        _afford_disk(run, out)
        pieces = partial(_loaded, _chunks(run, parts, folder, _inputs(run, inputs.events), how))
    kept = f"All chunks are in {folder}: run the same command again with --resume." if folder else ""
    with room_on_disk(out, lambda: kept):
        if rows:
            found = summed(pieces())
            tables = (
                _rows(run, part, data, load(inputs.model)) for part, data in zip(parts, pieces(), strict=True)
            )
            write_tables(tables, found.meta, out, force=force)
        else:
            found = write_parts(pieces, out, force=force)
    if folder:
        clear(folder)
    about = found.meta["provenance"]
    return {
        "subjects": run.each,
        "failed": len(found.meta["failed"]),
        "failures": dict(found.failures),
        "times": found.times,
        "outputs": list(found.outputs),
        "notes": about["notes"],
        "columns": about["columns"],
        **{name: about[name] for name in ("data_versions",) if name in about},
    }


def parts_of(run: Asked, most: int | None = None) -> list[range]:
    """Places of the subjects of each chunk: all as many, but for the last; of one replicate, or of whole ones.

    >>> from types import SimpleNamespace as Run
    >>> [len(parts_of(Run(count=2100, each=2100, kept=n))[0]) for n in (85, 8_500, 850_000)]
    [700, 234, 50]
    >>> parts_of(Run(count=1600, each=400, kept=1))
    [range(0, 800), range(800, 1600)]
    """
    most = max(_LEAST, min(most or _MOST, _NUMBERS // max(run.kept, 1)))
    if run.each > most:
        step = _step(run.each, most)
        return [
            range(first + start, first + min(start + step, run.each))
            for first in range(0, run.count, run.each)
            for start in range(0, run.each, step)
        ]
    step = run.each * _step(run.count // run.each, most // run.each)
    return [range(start, min(start + step, run.count)) for start in range(0, run.count, step)]


def _step(count: int, most: int) -> int:
    """The least that takes no more pieces than `most` does."""
    return -(-count // -(-count // most))


def _rows(run: Asked, part: range, data: xr.Dataset, equations: Equations) -> pd.DataFrame:
    """NONMEM's rows of some of the subjects."""
    mine = replace(run, **run.part(part)) if len(part) < run.count else run
    assert mine.people is not None
    return nonmem_rows(data, mine.runs() if mine.table else (), mine.people, equations, run.layout)


class _Chunk:
    """Some subjects of a run. On its way to a worker only what belongs to them goes along."""

    def __init__(self, run: Asked, part: range) -> None:
        self.run, self.part = run, part

    def solved(self) -> xr.Dataset:
        return solved(replace(self.run, **self.run.part(self.part)))[0]

    def __reduce__(self) -> Any:
        return _Arrived, (_common(self.run), pickle.dumps(self.run.part(self.part)))


class _Arrived:
    """The same on a worker."""

    def __init__(self, common: bytes, own: bytes) -> None:
        self.common, self.own = common, own

    def solved(self) -> xr.Dataset:
        return solved(replace(_kept(self.common), **pickle.loads(self.own)))[0]


@lru_cache(maxsize=1)
def _common(run: Asked) -> bytes:
    """What all chunks have."""
    return pickle.dumps(replace(run, table=None, ids=(), own={}, people=None))


@lru_cache(maxsize=1)
def _kept(common: bytes) -> Asked:
    """The run, read once in each process, with its kernel."""
    run: Asked = pickle.loads(common)
    return run


def _chunks(run: Asked, parts: Sequence[range], folder: Path, inputs: list[Any], how: How) -> list[Path]:
    if how.cluster is not None:  # a worker has as many threads as Dask was told
        run = replace(run, settings=replace(run.settings, threads=1))
    digits = len(str(len(parts)))
    chunks = {f"{k:0{digits}d}.npz": _Chunk(run, part) for k, part in enumerate(parts, start=1)}
    return run_chunks(_solve, chunks, folder, inputs=inputs, how=how)


def _solve(chunk: _Chunk | _Arrived, place: Path) -> None:
    save(chunk.solved(), place)


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
        None if run.population is None else [described(run.population, run.outputs), run.each],
        {} if run.people is None else _hashed(run.people.columns),
        of_bytes(repr(run.ids).encode()),
        _hashed(run.own),
        dict(run.common),
        repr(replace(run.settings, threads=1)),
        run.seed,
        tables,
    ]


def _hashed(columns: Mapping[str, Any]) -> dict[str, str]:
    return {name: of_bytes(np.asarray(value).tobytes()) for name, value in columns.items()}


def _afford_disk(run: Asked, out: Path) -> None:
    """Refuse what would fill the disk: the chunks and the result of the same size."""
    needed = 2 * 8 * run.count * (run.kept + 2)
    free = limits.disk(out.parent)
    if needed > free:
        raise SimulationError(
            f"{run.count} subjects would take about {limits.size(needed)} of disk while it runs.",
            where="subjects",
            allowed=f"up to {free // (16 * (run.kept + 2))} here, where {limits.size(free)} are free.",
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


def _loaded(paths: Sequence[Path]) -> Iterator[xr.Dataset]:
    return map(read, paths)


def _one(data: xr.Dataset) -> Iterator[xr.Dataset]:
    return iter([data])
