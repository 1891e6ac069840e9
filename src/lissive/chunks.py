"""Work in chunks: each is on disk as soon as it is done, here or on a cluster, and an interrupted run goes on.

A folder holds the chunks of one run: `run.json` says of which, by a hash of its inputs; beside each chunk stands its
checksum, which is written last. A chunk that is lost or damaged is made again.

    paths = run_chunks(work, {"00001.npz": first, ...}, folder, inputs=[...], cluster="local", resume=True)
"""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lissive.cluster import check_address, spread, worker_name
from lissive.errors import SimulationError
from lissive.files import atomic_path, clear_temporary, new_folder, write_text
from lissive.fingerprint import of_bytes
from lissive.version import __version__

MANIFEST = "run.json"
_SUM = ".sha256"

Work = Callable[[Any, Path], None]
"""Writes what comes of one argument to a place."""


@dataclass(frozen=True)
class How:
    """Where chunks are worked on, and what becomes of an earlier run's."""

    cluster: str | None = None
    """None: here, one after the other. `local`, or a scheduler's address: on Dask."""
    resume: bool = False
    force: bool = False
    progress: Callable[[float], None] | None = None
    """Called with the proportion of the chunks that is done."""
    say: Callable[[str], None] = lambda _: None


HERE = How()


def run_chunks(
    work: Work, chunks: Mapping[str, Any], folder: Path, *, inputs: Any, how: How = HERE
) -> list[Path]:
    """Make each chunk that is not there yet; gives all of them, in order.

    Parameters
    ----------
    work : a function of a module, so that it can travel.
    chunks : name of the file to what `work` is given for it.
    inputs : plain data, all that the run rests on: another run's folder is refused.

    Raises       SimulationError where the folder holds another run, or --resume was not given.
    """
    stamp = of_bytes(
        json.dumps([inputs, list(chunks), __version__], sort_keys=True, default=str).encode(), 32
    )
    if how.force and not how.resume and (folder / MANIFEST).is_file():
        clear(folder)
    with new_folder(folder), _nothing_half_made(folder):
        missing = _begin(folder, stamp, list(chunks), how)
        before = len(chunks) - len(missing)

        def done(count: int) -> None:
            if how.progress:
                how.progress((before + count) / len(chunks))

        done(0)
        task = partial(_make, work, folder, stamp)
        carry_out(task, [(name, chunks[name]) for name in missing], folder, how, partial(_any, folder), done)
    return [folder / name for name in chunks]


def carry_out(
    task: Callable[[Any], None],
    arguments: Sequence[Any],
    folder: Path,
    how: How,
    holds: Callable[[], bool],
    done: Callable[[int], None] = lambda _: None,
) -> None:
    """`task` for each argument, here or on a cluster; it writes what comes of it into `folder`.

    Parameters
    ----------
    holds : whether a finished chunk is in the folder.
    done : called with how many are done.
    """

    def kept() -> str:
        words = f"Finished chunks are in {folder}: run the same command again with --resume."
        return words if holds() else "No chunk is finished: run the same command again."

    try:
        with room_on_disk(folder, kept):
            if how.cluster is None:
                for count, each in enumerate(arguments, start=1):
                    task(each)
                    done(count)
            elif arguments:
                check_address(how.cluster)
                counted = iter(range(1, len(arguments) + 1))
                spread(
                    partial(_on_worker, task, folder.resolve()),
                    arguments,
                    how.cluster,
                    done=lambda _: done(next(counted)),
                    say=how.say,
                    kept=kept,
                )
    except KeyboardInterrupt:
        how.say(f"interrupted. {kept()}")
        raise


@contextmanager
def room_on_disk(place: Path, further: Callable[[], str] = str) -> Iterator[None]:
    """A full disk becomes one message, which says how to go on: `further`, asked then."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise SimulationError(
            "The disk is full.", where=str(place), do=f"free some space. {further()}".strip()
        ) from None


def _on_worker(task: Callable[[Any], None], folder: Path, argument: Any) -> None:
    if not folder.is_dir():
        raise SimulationError(
            f"There is no folder {folder} there.",
            where=worker_name(),
            allowed="a folder that this machine and all workers share, under the same name.",
            do="write to a folder on a shared file system.",
        )
    task(argument)


def _make(work: Work, folder: Path, stamp: str, item: tuple[str, Any]) -> None:
    """One chunk and then its checksum."""
    name, argument = item
    if _said(folder / MANIFEST).get("run") != stamp:
        raise SimulationError(
            "The folder no longer holds this run.",
            where=str(folder),
            allowed="a folder that no other run writes to.",
            do="run the same command again, with a folder of its own.",
        )
    with atomic_path(folder / name) as place:
        work(argument, place)
    write_text(folder / f"{name}{_SUM}", _sum(folder / name))


def _any(folder: Path) -> bool:
    return any(folder.glob(f"*{_SUM}"))


@contextmanager
def _nothing_half_made(folder: Path) -> Iterator[None]:
    """A run that began here and ends before its first chunk takes away what it wrote."""
    began = not any(folder.iterdir())
    try:
        yield
    except BaseException:
        if began and not _any(folder):
            clear_temporary(folder)
            (folder / MANIFEST).unlink(missing_ok=True)
        raise


def _begin(folder: Path, stamp: str, names: Sequence[str], how: How) -> list[str]:
    """The folder made ready; the chunks that are still to be made."""
    held = list(folder.iterdir())
    if not held and how.resume:
        how.say(f"{folder}: there is no run yet to go on with; from the beginning.")
    if not held:
        said = {"run": stamp, "lissive_version": __version__, "chunks": len(names)}
        write_text(folder / MANIFEST, json.dumps(said) + "\n")
        return list(names)
    run = _said(folder / MANIFEST).get("run")
    if not how.resume or run != stamp:
        raise _refused(folder, run, stamp, held)
    clear_temporary(folder)
    missing = [name for name in names if not _is_whole(folder / name)]
    if damaged := [name for name in missing if (folder / name).exists()]:
        how.say(f"{folder}: damaged, and made again: {', '.join(damaged[:5])}.")
    return missing


def _refused(folder: Path, run: Any, stamp: str, held: Sequence[Path]) -> SimulationError:
    if run is None:
        what = f"The folder is not empty, and holds no run: {held[0].name} is in it."
        return SimulationError(what, where=str(folder), do="move that, or name another place for the result.")
    if run != stamp:
        return SimulationError(
            "The folder holds chunks of another run: other inputs, seed, chunks or version.",
            where=str(folder),
            allowed="the same as now.",
            do="name another place for the result, or add --force without --resume to begin anew.",
        )
    count = sum(path.suffix == _SUM for path in held)
    return SimulationError(
        f"The folder holds {count} chunks of this run.",
        where=str(folder),
        do="add --resume to go on with it, or --force to begin anew.",
    )


def _said(manifest: Path) -> dict[str, Any]:
    """What a manifest says; nothing where it is none."""
    try:
        found = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_whole(chunk: Path) -> bool:
    try:
        return Path(f"{chunk}{_SUM}").read_text(encoding="utf-8") == _sum(chunk)
    except (OSError, ValueError):
        return False


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def clear(folder: Path) -> None:
    """Take away a run's chunks and the folder, unless something else is in it."""
    clear_temporary(folder)
    for said in folder.glob(f"*{_SUM}"):
        said.with_suffix("").unlink(missing_ok=True)
        said.unlink()
    (folder / MANIFEST).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
