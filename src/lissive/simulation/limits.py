"""How much may be asked: what would not fit into the memory is refused before anything is begun."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lissive.errors import SimulationError

_CONTAINER = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory() -> int:
    """Bytes of memory that this computer, or the container, has."""
    try:
        found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, ValueError, OSError):  # not on Windows
        found = [16 * 2**30]
    for path in _CONTAINER:
        try:
            found.append(int(path.read_text()))
        except (OSError, ValueError):
            continue
    return min(found)


def disk(folder: Path) -> int:
    """Bytes that are free on the disk of a folder."""
    return shutil.disk_usage(folder).free


def afford(count: int, bytes_each: int, *, what: str, where: str, do: str) -> None:
    """Refuse to begin what would take more than the memory.

    Parameters
    ----------
    count : how many of `what` are asked for.
    bytes_each : memory that one of them takes, at the least.

    Raises       SimulationError with the memory that it would take, and how many can be had.
    """
    most = max(memory() // max(bytes_each, 1), 1)
    if count > most:
        raise SimulationError(
            f"{count} {what} would take {size(count * bytes_each)} of memory or more.",
            where=where,
            allowed=f"up to {most} here, where there are {size(memory())}.",
            do=do,
        )


def size(count: int) -> str:
    """Bytes as a reader takes them in.

    >>> size(25_769_803_776), size(10**30)
    ('24 GiB', '8.7e+11 EiB')
    """
    amount, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"):
        if amount < 1024:
            break
        amount /= 1024 if unit != "EiB" else 1
    return f"{amount:.2g} {unit}" if amount < 10 or amount >= 10_000 else f"{amount:.0f} {unit}"
