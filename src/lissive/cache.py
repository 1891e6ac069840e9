"""What was worked out once and may be wanted again, kept in the user's cache folder by the hash of its origin.

A cache that cannot be read or written costs time, never an answer. Removing the folder is always safe.

What is kept may be machine code, which is run: only a folder and files of this user, which nobody else may write, are
used. Each file begins with a hash of its name and content, so that none stands for another.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path

_SEAL = hashlib.sha256().digest_size
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_NOT_FOLLOWED = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def folder() -> Path | None:
    """LISSIVE_CACHE, else the user's cache folder; None where there is no home to keep one in."""
    if base := os.environ.get("LISSIVE_CACHE"):
        return Path(base)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lissive"
    except RuntimeError:  # nobody knows this user's home
        return None


def stored(key: str, suffix: str) -> bytes | None:
    """What the disk has under `key`, or None; also None where it is not whole any more, or may be another's."""
    place, name = folder(), f"{key}{suffix}"
    try:
        if place is None or not _is_ours(os.stat(place), place):
            return None
        with os.fdopen(os.open(place / name, os.O_RDONLY | _NOT_FOLLOWED), "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode) or not _is_ours(about, place / name):
                return None
            found = file.read()
    except OSError:
        return None
    seal, content = found[:_SEAL], found[_SEAL:]
    return content if seal == _sealed(name, content) else None


def store(key: str, suffix: str, content: bytes) -> None:
    """Keep `content` under its seal, written beside and renamed."""
    place, name, beside = folder(), f"{key}{suffix}", None
    if place is None:
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.mkdir(mode=0o700, exist_ok=True)
        if not _is_ours(os.stat(place), place):
            return
        handle, beside = tempfile.mkstemp(dir=place)  # nobody else may read or write it
        with os.fdopen(handle, "wb") as file:
            file.write(_sealed(name, content) + content)
        os.replace(beside, place / name)
    except OSError:
        if beside is not None:
            Path(beside).unlink(missing_ok=True)


def _sealed(name: str, content: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + content).digest()


def _is_ours(about: os.stat_result, place: Path) -> bool:
    """Whether it belongs to this user, and nobody else may write it; said where not."""
    if not hasattr(os, "geteuid"):  # Windows, where a profile is its user's own
        return True
    if about.st_uid == os.geteuid() and not about.st_mode & _OTHERS:
        return True
    whose = "may be written by others" if about.st_uid == os.geteuid() else "belongs to another user"
    _say_once(place if stat.S_ISDIR(about.st_mode) else place.parent, whose)
    return False


@cache
def _say_once(place: Path, whose: str) -> None:
    if sys.stderr is not None:
        print(
            f"lissive: the cache {place} is not used: it or a file in it {whose}. This costs seconds at each start. "
            "What to do: set LISSIVE_CACHE to a folder that only you may write.",
            file=sys.stderr,
        )
