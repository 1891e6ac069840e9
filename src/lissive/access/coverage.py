"""The registers: what is covered and how well, and how two readers coded it.

>>> kappa([("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15)
0.4
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from lissive.access.rule import DATA, Day, Jurisdiction, When, read_table
from lissive.errors import RuleError
from lissive.marked import read_marked
from lissive.typed import Row, typed

# -- what is covered -------------------------------------------------------------------------------
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


# -- what was coded twice --------------------------------------------------------------------------
UNKNOWN = "unknown"
OPEN = "-"
"""The agreed code where the readers differ and it was not settled."""
ENOUGH = 0.8
"""A field of a smaller kappa is reconciled row by row."""


@dataclass(frozen=True)
class Coded:
    """What the two readers found of one field in one jurisdiction."""

    code: str
    field: str
    pair: tuple[str, str]
    agreed: str
    kinds: tuple[str, ...]
    """Of the two readers' sources: primary, secondary, or `-`."""
    read: str
    urls: tuple[str, ...]
    settled: str
    """How a difference between them was settled."""
    differs: str
    """Why the rule here says otherwise than they agreed."""


@dataclass(frozen=True)
class Agreement:
    """How far the two agree on one field."""

    field: str
    both: int
    """Jurisdictions in which both found a code."""
    alike: int
    kappa: float | None
    """Cohen's kappa of those; None where chance alone would agree."""
    rows: int
    kappa_of_all: float | None
    """With `unknown` as a code of its own."""
    open: int
    """Rows that were not settled."""


def kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa of pairs of codes: agreement beyond that of chance, as the margins give it.

    None where there are no pairs, or where both readers use one and the same code throughout.
    """
    number = len(pairs)
    margins = [Counter(codes) for codes in zip(*pairs, strict=True)]
    chance = sum(count * margins[1][code] for code, count in margins[0].items()) if pairs else 0
    if chance == number**2:
        return None
    alike = sum(one == other for one, other in pairs)
    return (alike * number - chance) / (number**2 - chance)


@cache
def coded() -> tuple[Coded, ...]:
    """Every row of the coding, by jurisdiction."""
    columns = ("code", "field", "code_1", "code_2", "agreed", "kinds", "read", "urls", "settled", "differs")
    return tuple(
        Coded(
            row["code"],
            row["field"],
            (row["code_1"], row["code_2"]),
            row["agreed"],
            row.parts("kinds"),
            row["read"],
            () if row["urls"] == "-" else row.parts("urls"),
            row["settled"],
            row["differs"],
        )
        for row in read_table(DATA / "coding.tsv", columns)
    )


def agreement() -> tuple[Agreement, ...]:
    """The agreement of each field, in the order of the codebook."""
    fields = dict.fromkeys(each.field for each in coded())
    return tuple(_agreement(field, [each for each in coded() if each.field == field]) for field in fields)


def _agreement(field: str, rows: Sequence[Coded]) -> Agreement:
    pairs = [each.pair for each in rows]
    both = [pair for pair in pairs if UNKNOWN not in pair]
    alike = sum(one == other for one, other in both)
    unsettled = sum(each.agreed == OPEN for each in rows)
    return Agreement(field, len(both), alike, kappa(both), len(rows), kappa(pairs), unsettled)
