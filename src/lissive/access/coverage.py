"""The register of what is covered, verified when, and how well."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from lissive.access.load import DATA
from lissive.access.rule import Day, Jurisdiction, When
from lissive.errors import RuleError
from lissive.marked import read_marked
from lissive.typed import Row, typed

REGISTER = DATA / "coverage.yaml"


class Covered(Row):
    """What the register says of one jurisdiction."""

    code: str
    name: str
    status: Literal["covered", "covered_in_part", "no_programme"]
    versions: int = Field(ge=1)
    begins: Day | None = Field(alias="from")
    """The first day of the first version; null where there never was a programme."""
    current: str
    current_as_of: When | None
    """To when the sources of the current rule go; null where none says."""
    verified: Day
    confidence: Literal["high", "medium", "low"]
    read: int = Field(ge=0)
    """Fields of all versions that were read in a source."""
    recalled: int = Field(ge=0)
    """Fields that are quoted from memory: unverified."""
    sources: int = Field(ge=0)
    open: tuple[str, ...] = ()
    """What is known to be unsettled."""


class Register(Row):
    """All entries."""

    covered: tuple[Covered, ...]


@cache
def coverage(path: Path = REGISTER) -> tuple[Covered, ...]:
    """Every entry of the register, in its order."""
    data, lines = read_marked(path, wrong=RuleError, top=tuple, example="- code: US-NY", shipped=True)
    below = {("covered", *loc): line for loc, line in lines.items()}
    return typed({"covered": data}, below, path, Register, RuleError, thing="the register").covered


def counted(place: Jurisdiction) -> dict[str, object]:
    """What the register should say of a jurisdiction, as far as it can be counted."""
    last = place.versions[-1]
    return {
        "name": place.name,
        "versions": len(place.versions),
        "from": place.versions[0].begins,
        "current": last.id,
        "current_as_of": last.as_of,
        "verified": place.verified,
        "confidence": last.confidence,
        "read": sum(len(each.fields_read) for each in place.versions),
        "recalled": sum(len(each.fields_recalled) for each in place.versions),
        "sources": sum(len(each.sources) for each in place.versions),
    }
