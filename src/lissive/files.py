"""Files that are written: whole or not at all, never over what the same command reads, no cell a formula.

keep_inputs([out], reads=[events])       before anything is computed
with atomic_path(out) as place: ...      the one way to a file
write_rows(file, rows)                   the one way to a CSV; write_csv and write_text open the file as well
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lissive.errors import SimulationError

TEMPORARY = ".lissive-"
"""How the name of a file begins that is still being written."""
OTHERWISE = "name another file, or add --force to overwrite it."


# -- what may be written over -----------------------------------------------------------------------
@dataclass(frozen=True)
class Beside:
    """Files that a command writes although their names were not given to it."""

    paths: Sequence[Path]
    record: Path | None = None
    """The one of them by which an earlier run of the same command is known: it holds `mark`. None: not looked at."""
    mark: str = ""


def keep_inputs(
    writes: Iterable[Path | None],
    *,
    reads: Iterable[str | Path | None],
    beside: Beside | None = None,
    force: bool = False,
) -> None:
    """Refuse, before anything is computed, to write over what is read or what somebody else wrote.

    A file whose name was given (`writes`) may be there already. A file that comes `beside` may be there as well if an
    earlier run of the same command wrote it. A file that is read is kept, whatever name leads to it; with `force`
    only two results in one file are refused.
    """
    named = [path for path in writes if path is not None]
    kept = [Path(path) for path in reads if path is not None]
    for k, path in enumerate(named):
        if any(_is_same(path, other) for other in named[:k]):
            raise SimulationError(
                "two results would be written to this file.", where=str(path), do="name two files."
            )
        writable(path)
    if force:
        return
    also = list(beside.paths) if beside else []
    for path in (*named, *also):
        for read in kept:
            if _is_same(path, read):
                raise SimulationError(
                    f"this command reads {read}, and the result would be written over it.",
                    where=str(path),
                    allowed="a file that the command does not read.",
                    do=OTHERWISE,
                )
    there = [path for path in also if os.path.lexists(path)]
    if beside and beside.record and there and not _holds(beside.record, beside.mark):
        raise SimulationError(
            "there is a file of this name, which is no result of this command and would be written over.",
            where=str(there[0]),
            allowed="a new name, or the result of an earlier run.",
            do="move that file, name another place for the result, or add --force to overwrite it.",
        )


def _is_same(written: Path, read: Path) -> bool:
    """Whether both names lead to one file; also where a folder that is replaced holds the file that is read."""
    if written.is_dir() and not read.is_dir():
        return read.resolve().is_relative_to(written.resolve())
    try:
        return os.path.samefile(written, read)
    except OSError:
        return os.path.realpath(written) == os.path.realpath(read)


def _holds(record: Path, mark: str) -> bool:
    try:
        return mark in record.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False


# -- whole or not at all ----------------------------------------------------------------------------
@contextmanager
def atomic_path(path: str | Path, *, folder: bool = False) -> Iterator[Path]:
    """A place beside `path` to write to, a file or a folder; it becomes `path` once all is on the disk.

    After an error or an interruption nothing new is there, and what `path` was before it still is.
    The place has the same ending, for writers that go by it.

    Parameters
    ----------
    folder : a folder of this name may be replaced: anyone who asks has looked at what is in it.
    """
    path = writable(Path(path), folder=folder)
    place = path.with_name(f"{TEMPORARY}{uuid.uuid4().hex[:12]}{path.suffix}")
    old = place.with_name(f"{place.name}.old")
    try:
        yield place
        _to_disk(place)
        if path.is_dir():  # a folder cannot be replaced in one go: it steps aside first
            os.replace(path, old)
        elif path.exists():
            os.chmod(place, stat.S_IMODE(path.stat().st_mode))
        try:
            os.replace(place, path)
        except BaseException:
            if old.exists():
                os.replace(old, path)
            raise
        _sync(path.parent, os.O_RDONLY)
    except OSError as error:
        if error.errno and error.filename in (None, str(place)):  # a write to a full disk has no name
            error.filename = str(path)  # the name that was asked for
        raise
    finally:
        for left in (place, old):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def writable(path: Path, *, folder: bool = False) -> Path:
    """The file that a name leads to, if a result can be written there.

    Raises       SimulationError for a folder, a device, a file that is kept from being written, a folder that is
                 not there.
    """
    if path.is_symlink():
        path = Path(os.path.realpath(path))
    if path.is_dir():
        if not (folder or _is_store(path)):
            raise SimulationError(
                "there is a folder of this name.",
                where=str(path),
                allowed="a new name, a file, or a Zarr store that is to be replaced.",
                do="choose another name.",
            )
    elif path.exists() and not path.is_file():
        raise SimulationError("it is no ordinary file.", where=str(path), do="choose another name.")
    elif path.exists() and not os.access(path, os.W_OK):
        raise SimulationError(
            "the file may not be written over.",
            where=str(path),
            do="choose another name, or allow it (chmod u+w).",
        )
    if not path.parent.is_dir():
        raise SimulationError(
            f"There is no folder {path.parent}.",
            where=str(path),
            allowed="a file in a folder that is there.",
            do="make the folder, or correct the path.",
        )
    return path


def _is_store(folder: Path) -> bool:
    """Whether a folder is a Zarr store, or empty."""
    return folder.suffix == ".zarr" and (
        not any(folder.iterdir()) or any((folder / name).exists() for name in (".zgroup", "zarr.json"))
    )


def _to_disk(place: Path) -> None:
    """Wait until what was written is on the disk: a name that is given before it may lead to nothing."""
    for each in [place] if not place.is_dir() else (p for p in place.rglob("*") if p.is_file()):
        _sync(each, os.O_RDWR)


def _sync(place: Path, how: int) -> None:
    if place.is_dir() and os.name == "nt":  # Windows opens no folder
        return
    handle = os.open(place, how)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """A folder that is there while it is written to.

    After an error or an interruption, what was made of it here and holds nothing is taken away again.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for each in made:
                each.rmdir()
        raise


def clear_temporary(folder: Path) -> None:
    """Take away what an interrupted run left half-written in a folder that no other run writes to."""
    for left in folder.glob(f"{TEMPORARY}*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> Path:
    """A text, whole or not at all; gives the path."""
    with atomic_path(path) as place:
        place.write_text(text, encoding="utf-8")
    return path


def write_csv(path: Path, rows: Iterable[Sequence[Any]]) -> Path:
    """The rows as a CSV, whole or not at all; gives the path."""
    with atomic_path(path) as place, place.open("w", encoding="utf-8", newline="") as file:
        write_rows(file, rows)
    return path


# -- cells ------------------------------------------------------------------------------------------
_NUMBER = re.compile(r"[-+]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|inf|nan)")


def cell(value: Any) -> Any:
    """What stands in a cell: a text that a spreadsheet would take for a formula gets ' before it.

    >>> cell("=1+1"), cell("-1.5"), cell("@SUM(A1)"), cell("-"), cell("US-NY"), cell(-1.5)
    ("'=1+1", '-1.5', "'@SUM(A1)", '-', 'US-NY', -1.5)
    """
    if not isinstance(value, str) or value == "-" or _NUMBER.fullmatch(value):
        return value
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else value


def write_rows(file: IO[str], rows: Iterable[Iterable[Any]], *, end: str = "\n") -> None:
    """Rows as CSV, none of their cells a formula."""
    csv.writer(file, lineterminator=end).writerows(map(cell, row) for row in rows)
