"""Short hashes of texts, files and folders: what a result was made from, and whether that is still so."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

DIGITS = 40


def of_texts(*parts: str) -> str:
    """A name for what follows from these texts.

    >>> of_texts("a", "b") == of_texts("a", "b"), of_texts("a", "b") == of_texts("ab")
    (True, False)
    """
    return of_bytes("\0".join(parts).encode())


def of_bytes(content: bytes, digits: int = DIGITS) -> str:
    return hashlib.sha256(content).hexdigest()[:digits]


@cache
def of_folder(place: Path, pattern: str = "*.py") -> str:
    """Names and contents of its files: what is kept depends on the code, or the tables, that made it."""
    return of_bytes(b"".join(p.name.encode() + b"\0" + p.read_bytes() for p in sorted(place.glob(pattern))))
