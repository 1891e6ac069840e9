"""What is usual in this cause without cannabis: tried, taken, not tried, and what is known of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from lissive.case import Case
from lissive.case_answer.tables import cited, rows

Tried = Literal["taking", "tried", "not_tried", "unknown"]


@dataclass(frozen=True)
class UsualCare:
    """One treatment, and whether this person has had it."""

    treatment: str
    tried: Tried
    known: str
    source: str
    provenance: str
    """read, or recalled: unverified."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def usual_care(case: Case) -> tuple[UsualCare, ...]:
    """The usual treatments of the cause, in the order of the table; empty where it has none of it."""
    return tuple(
        UsualCare(
            row["treatment"],
            _tried(case, row.parts("names")),
            row["known"],
            cited(row["source"]),
            row["provenance"],
        )
        for row in rows("usual_care")
        if row["cause"] == case.spasm.cause
    )


def _tried(case: Case, names: tuple[str, ...]) -> Tried:
    """A list that is left out says nothing: what it would name is then unknown."""
    taken, tried = case.history.current, case.history.tried
    if any(each.drug in names for each in taken or ()):
        return "taking"
    if any(each in names for each in tried or ()):
        return "tried"
    return "unknown" if tried is None or taken is None else "not_tried"
