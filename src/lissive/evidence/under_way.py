"""Trials that are under way, or that ended without results: what may still change an answer (data/under_way.tsv).

>>> [each.id for each in under_way("cerebral_palsy")]
['NCT04634136', 'NCT02470325']
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from lissive.case.vocabulary import causes, meant
from lissive.errors import EvidenceError
from lissive.evidence.read import DATA
from lissive.evidence.words import known
from lissive.table import TableRow, read_table

COLUMNS = (
    *("id", "other_id", "name", "causes", "about", "product", "comparator", "design", "n", "outcome"),
    *("status", "stated", "end", "results", "results_note", "source_url", "read", "note"),
)
OPEN = ("recruiting", "not_yet_recruiting", "by_invitation", "active_not_recruiting")
STATUS = (*OPEN, "completed", "terminated", "withdrawn", "unknown")
RESULTS = ("none_found", "reported", "unknown")


@dataclass(frozen=True)
class Registered:
    """One trial as a public register, a copy of it, or the trial's own protocol describes it.

    stated : the day that the page itself gives for the status, "" where it gives none; `read` is the day it was read.
    """

    id: str
    other_id: str
    name: str
    causes: tuple[str, ...]
    about: str
    product: str
    comparator: str
    design: str
    n: str
    outcome: str
    status: str
    stated: str
    end: str
    results: str
    results_note: str
    source_url: tuple[str, ...]
    read: str
    note: str

    @property
    def is_open(self) -> bool:
        """Whether it was still under way by the newest page that was read."""
        return self.status in OPEN

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "is_open": self.is_open}


@cache
def registered() -> tuple[Registered, ...]:
    """All of them, in the order of the file.

    Raises       EvidenceError where a row has a word that its column does not know.
    """
    return tuple(map(_row, read_table(DATA / "under_way.tsv", COLUMNS, EvidenceError, TableRow)))


def _row(row: TableRow) -> Registered:
    known = {"status": STATUS, "results": RESULTS}
    for column, allowed in known.items():
        if row[column] not in allowed:
            raise row.error(f"{column} is {row[column]!r}.", allowed=", ".join(allowed))
    if strange := [each for each in row.parts("causes") if each not in causes()]:
        raise row.error(f"the cause is {strange[0]!r}.", allowed=", ".join(causes()))
    parts = {"causes": row.parts("causes"), "source_url": row.parts("source_url", ";")}
    return Registered(**{name: parts.get(name, row[name]) for name in COLUMNS})  # type: ignore[arg-type]


def under_way(cause: str | None = None, *, every: bool = True) -> tuple[Registered, ...]:
    """Those of a cause, the open ones first.

    cause : an id of the table of causes, or a word for one (MS); None: all.
    every : False leaves out those that have ended, and those of which that is not known.

    Raises       EvidenceError for a cause that is not known, with the nearest.
    """
    if cause is not None:
        cause = meant("cause", cause, causes())
        known("cause", cause, causes())
    found = [each for each in registered() if cause is None or cause in each.causes]
    return tuple(sorted((one for one in found if every or one.is_open), key=lambda one: not one.is_open))
