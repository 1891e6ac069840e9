"""What was worked out once and may be wanted again, kept in the user's cache folder by the hash of its origin.

A cache that cannot be read or written costs time, never an answer. Removing the folder is always safe.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path


def folder() -> Path:
    """LISSIVE_CACHE, else the user's cache folder."""
    base = os.environ.get("LISSIVE_CACHE")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lissive"


def stored(key: str, suffix: str) -> bytes | None:
    """What the disk has under `key`, or None."""
    try:
        return (folder() / f"{key}{suffix}").read_bytes()
    except OSError:
        return None


def store(key: str, suffix: str, content: bytes) -> None:
    """Keep `content`, written beside and renamed."""
    try:
        folder().mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder())
        with os.fdopen(handle, "wb") as f:
            f.write(content)
        os.replace(name, folder() / f"{key}{suffix}")
    except OSError:
        pass


def key_of(*parts: str) -> str:
    """A name for what follows from these texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


@cache
def source_hash(place: Path, pattern: str = "*.py") -> str:
    """Hash of the files in a folder: what is kept depends on the code, or the tables, that made it."""
    h = hashlib.sha256()
    for path in sorted(place.glob(pattern)):
        h.update(path.name.encode() + b"\0" + path.read_bytes())
    return h.hexdigest()
