"""How large a trial may be, and how often it may be carried out: beyond that it is said before anything is run."""

from __future__ import annotations

from typing import Any

from lissive.errors import DesignError
from lissive.given import whole
from lissive.simulation.limits import memory

MOST_PATIENTS = 200_000
MOST_REPLICATES = 100_000
_STREAMS = 4
"""Numbers of 8 bytes that are held at once for each patient and day, while ratings are drawn."""


def replicates_of(value: Any, least: int = 1) -> int:
    """How often a trial is carried out."""
    return whole("replicates", value, wrong=DesignError, least=least, most=MOST_REPLICATES)


def check_memory(patients: int, days: int, columns: int, where: str) -> None:
    """Refuse what this machine has no memory for.

    Parameters
    ----------
    columns : numbers that are kept of each patient and day.
    """
    needed = 8 * (_STREAMS + columns) * days * patients
    have = memory()
    if needed > have:
        raise DesignError(
            f"{patients} patients over {days} days need {needed / 1e9:.2g} GB of memory; this machine has "
            f"{have / 1e9:.2g} GB.",
            where=where,
            allowed=f"about {int(patients * have / needed)} patients of this trial.",
            do="ask for fewer patients or a shorter trial; more replicates cost no memory.",
        )
