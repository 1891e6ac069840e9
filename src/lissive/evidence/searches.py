"""What was searched for the studies that come with Lissive, where and until when (data/searches.yaml).

>>> searched(shipped_studies()).startswith("Searched until 20")
True
"""

from __future__ import annotations

from functools import cache

from pydantic import ConfigDict, Field

from lissive.errors import EvidenceError
from lissive.evidence.beside import as_of
from lissive.evidence.read import DATA, Studies, marked, shipped_studies
from lissive.typed import Row, typed

SEARCHES = DATA / "searches.yaml"


class Search(Row):
    """One search."""

    what: str = Field(min_length=1)
    where: str = Field(min_length=1)
    until: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")


class SearchesFile(Row):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    searches: tuple[Search, ...] = Field(min_length=1)
    not_searched: tuple[str, ...]


@cache
def searches() -> SearchesFile:
    """The searches, in the order of the file."""
    data, lines = marked(SEARCHES, True, "searches: [{what: trials, where: PubMed, until: '2026-01-31'}]")
    return typed(data, lines, SEARCHES, SearchesFile, EvidenceError, thing="the file of searches")


def searched(studies: Studies) -> str:
    """Until when and where was searched, and what was not; of a user's own file its date, "" where it states none."""
    if studies != shipped_studies():
        day = as_of(studies)
        return f"Studies as of {day}" if day else ""
    made = searches()
    first = made.searches[0]
    return (
        f"Searched until {max(each.until for each in made.searches)}: {first.where}. "
        f"Not searched: {', '.join(made.not_searched)}; trials may be missing"
    )
