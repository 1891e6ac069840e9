"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A place beside `out` to write to, a file or a folder; it becomes `out` once all went well.

    After an error or an interruption nothing is left, and what `out` was before it still is.
    The place has the name's ending, so a writer that goes by the ending does the same for both.

    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with whole(out) as place:
    ...     _ = place.write_text("all of it")
    >>> [p.name for p in out.parent.iterdir()]
    ['a.txt']
    """
    if not out.parent.is_dir():
        raise FileNotFoundError(2, "There is no such folder", str(out.parent))
    place = out.with_name(f".{out.stem}.{os.getpid()}{out.suffix}")
    try:
        yield place
        if out.is_dir():
            shutil.rmtree(out)
        os.replace(place, out)
    finally:
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
