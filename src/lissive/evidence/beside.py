"""What stands beside a pooled figure: how many trials it does not hold, what else can be asked, of which day it is."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lissive.evidence.read import Studies


def of_how_many(answer: Mapping[str, Any], controlled: Container[str]) -> int:
    """How many trials with a control group looked at the outcome, with those that the figure does not hold."""
    inside = {row["study"] for row in answer["studies"]}
    said = {row["study"] for row in answer["left_out"] if row["said"] and row["study"] in controlled}
    return len(inside | said)


def comparable(studies: Studies, outcome: str, cause: str | None) -> dict[str, list[str]]:
    """What can be asked in place of what has no comparison: outcomes of the cause, causes, claims on the outcome."""
    from lissive.evidence.claims import shipped_claims
    from lissive.evidence.comparing import every

    made = every(studies)[0]
    return {
        "outcomes": list(dict.fromkeys(each.outcome for each in made if cause in (None, each.cause))),
        "causes": list(dict.fromkeys(each.cause for each in made if each.cause)),
        "claims": [claim.id for claim in shipped_claims() if outcome in claim.outcomes],
    }


_DATED = re.compile(r"^(?:generated|as_of): *['\"]?(\d{4}-\d\d-\d\d)", re.MULTILINE)


def as_of(studies: Studies) -> str | None:
    """The last day that the files of the studies say they were put together on; None where none says."""
    days = []
    for path in dict.fromkeys(each.path for each in studies):
        with path.open(encoding="utf-8") as file:
            found = _DATED.search(file.read(2000))
        days += [found[1]] if found else []
    return max(days, default=None)
