"""What was searched for the studies that come with Lissive, where and until when (data/searches.yaml).

>>> searched(shipped_studies()).startswith("Searched until 20")
True
"""

from __future__ import annotations

import re
from collections.abc import Container
from functools import cache

from pydantic import ConfigDict, Field

from lissive.errors import EvidenceError
from lissive.evidence.answer_types import Alternatives, PooledAnswer
from lissive.evidence.claim import shipped_claims
from lissive.evidence.comparing import every
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


def of_how_many(answer: PooledAnswer, controlled: Container[str]) -> int:
    """Number of controlled trials that measured the outcome, including those that are not pooled."""
    reported = {each.study for each in answer.left_out if each.text and each.study in controlled}
    return len({*answer.study_ids, *reported})


def comparable(studies: Studies, outcome: str, cause: str | None) -> Alternatives:
    """What can be asked in place of what has no comparison: outcomes of the cause, causes, claims on the outcome."""
    made = every(studies)[0]
    return Alternatives(
        outcomes=tuple(dict.fromkeys(each.outcome for each in made if cause in (None, each.cause))),
        causes=tuple(dict.fromkeys(each.cause for each in made if each.cause)),
        claims=tuple(claim.id for claim in shipped_claims() if outcome in claim.outcomes),
    )


_DATED = re.compile(r"^(?:generated|as_of): *['\"]?(\d{4}-\d\d-\d\d)", re.MULTILINE)


def as_of(studies: Studies) -> str | None:
    """The latest date stated in the files of studies; None where none is stated."""
    days = []
    for path in dict.fromkeys(each.path for each in studies):
        with path.open(encoding="utf-8") as file:
            found = _DATED.search(file.read(2000))
        days += [found[1]] if found else []
    return max(days, default=None)
