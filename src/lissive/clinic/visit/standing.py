"""How a visit stands before the law: the facts of its case and of the visit itself, and what blocks a signature.

All that is peculiar to a place is data of `lissive.access`; nothing here names one.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from lissive.access import Answer, Facts, decide, facts_of_case, jurisdiction
from lissive.case import make_case
from lissive.clinic.models import Visit


@dataclass(frozen=True)
class Block:
    """One reason why a visit cannot go on to a signature, as a sentence with its clause."""

    why: str
    clause: str = ""
    source: str = ""

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def place_of(visit: Visit) -> str:
    """Where it is certified: where the patient lives, by the case; else by the record."""
    case = visit.case
    residence = ((case.data if case else {}).get("place") or {}).get("residence")
    return str(residence or visit.patient.residence or "")


def facts_of(visit: Visit) -> Facts:
    """What is known of the person and of this visit. Raises CaseError where this version cannot read the case."""
    assert visit.case is not None
    facts = facts_of_case(make_case(visit.case.data))
    record = visit.record
    minor, second = record.get("minor", {}), getattr(visit, "decision", None)
    return replace(
        facts,
        practitioner=visit.practitioner.profession,
        visit=visit.kind,
        initial=visit.renews_id is None,
        guardian=minor.get("guardian_present"),
        second_practitioner=None if second is None else second.second_agrees,
    )


def answer_of(visit: Visit, on: datetime.date) -> Answer:
    """What the law of the place says of this visit on that day. Raises RuleError where there is no such place."""
    return decide(facts_of(visit), jurisdiction(place_of(visit)).code, on)


def blocks_of(visit: Visit, on: datetime.date) -> tuple[Block, ...]:
    """Every reason why this visit cannot be certified on that day; nothing where there is none."""
    return tuple(_blocks(visit, on))


def _blocks(visit: Visit, on: datetime.date) -> Iterator[Block]:
    if visit.case is None:
        yield Block("There is no case yet: the intake or the practitioner begins one.")
        return
    answer = answer_of(visit, on)
    if answer.status in ("unknown", "not_eligible"):
        yield Block(f"The law does not say yes on the facts so far: {answer.status.replace('_', ' ')}.")
    if answer.procedural != "ok":
        yield from (
            Block(each.replace("_", " "))
            for each in answer.blocks or ("Not known whether this visit is enough.",)
        )
