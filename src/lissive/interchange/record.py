"""What stands beside a result: how it was made, and by which it is known again.

A file NAME.tsv has NAME.meta.json beside it, a folder has run.json in it. A result is written over only where the same
run (by the hash of all that it rests on) made it, or where that is asked for; what has no such record never is in a
folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lissive.errors import InterchangeError
from lissive.files import atomic_path, keep_inputs, write_text
from lissive.fingerprint import of_bytes
from lissive.version import __version__

IN_FOLDER = "run.json"


def made_of(files: Sequence[Path], options: Mapping[str, Any]) -> str:
    """A hash of the files that a run rests on, and of its options; `threads` change nothing."""
    lasting = {name: value for name, value in options.items() if name != "threads"}
    parts = [each.read_bytes() for each in files]
    return of_bytes(b"\0".join([*parts, json.dumps(lasting, sort_keys=True).encode()]), 16)


def claim(out: Path, digest: str, *, reads: Sequence[str | Path | None], force: bool) -> None:
    """Refuse, before anything is computed, a place that is taken by something else than this run's result."""
    record = _record(out)
    if out.is_dir():
        if not any(out.iterdir()):
            return
        known = _digest(record)
        if known is None:
            raise InterchangeError(
                "the folder has files of something else.",
                where=str(out),
                allowed="a new folder, an empty one, or one that this command wrote.",
                do="name another folder.",
            )
    else:
        keep_inputs([out, record], reads=reads, force=force)
        if not os.path.lexists(out):
            return
        known = _digest(record)
    if known != digest and not force:
        raise InterchangeError(
            "there is a result of another run." if known else "there is a file of this name.",
            where=str(out),
            allowed="a new name, or the result of the same run.",
            do="name another place, or add --force to overwrite it.",
        )


def keep(out: Path, digest: str, about: Mapping[str, Any]) -> None:
    """Write the record beside a file that was written."""
    write_text(_record(out), _text(digest, about))


@contextmanager
def whole_folder(out: Path, digest: str, about: Mapping[str, Any]) -> Iterator[Path]:
    """A folder to write to, which takes the place of `out` with its record in it once it is whole."""
    with atomic_path(out, folder=True) as place:
        place.mkdir()
        yield place
        (place / IN_FOLDER).write_text(_text(digest, about), encoding="utf-8")


def _record(out: Path) -> Path:
    return out / IN_FOLDER if out.is_dir() else out.with_suffix(".meta.json")


def _text(digest: str, about: Mapping[str, Any]) -> str:
    return json.dumps({"lissive_version": __version__, "made_of": digest, **about}, indent=1) + "\n"


def _digest(record: Path) -> str | None:
    try:
        return str(json.loads(record.read_text(encoding="utf-8"))["made_of"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
