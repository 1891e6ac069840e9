"""What accompanies a pooled estimate: trials that it does not include, alternatives, date of the data."""

from __future__ import annotations

import re
from collections.abc import Container

from lissive.evidence.answer_types import Alternatives, PooledAnswer
from lissive.evidence.claim import shipped_claims
from lissive.evidence.comparing import every
from lissive.evidence.read import Studies


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
