"""What was worked out once and may be wanted again, kept in the user's cache folder by the hash of its origin.

A cache that cannot be read or written costs time, never an answer. Removing the folder is always safe.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path

_SEAL = hashlib.sha256().digest_size


def folder() -> Path:
    """LISSIVE_CACHE, else the user's cache folder."""
    base = os.environ.get("LISSIVE_CACHE")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lissive"


def stored(key: str, suffix: str) -> bytes | None:
    """What the disk has under `key`, or None; also None where it is not whole any more."""
    try:
        found = (folder() / f"{key}{suffix}").read_bytes()
    except OSError:
        return None
    seal, content = found[:_SEAL], found[_SEAL:]
    return content if seal == hashlib.sha256(content).digest() else None


def store(key: str, suffix: str, content: bytes) -> None:
    """Keep `content` with its hash before it, written beside and renamed."""
    name = None
    try:
        folder().mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder())
        with os.fdopen(handle, "wb") as f:
            f.write(hashlib.sha256(content).digest() + content)
        os.replace(name, folder() / f"{key}{suffix}")
    except OSError:
        if name is not None:
            Path(name).unlink(missing_ok=True)


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
