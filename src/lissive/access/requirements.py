"""What a certification has to say and what the visit entails, by jurisdiction and day, from one dated table.

>>> from datetime import date
>>> [each.months for each in steps_of("US-NY", date(2026, 2, 18)) if each.kind == "validity"]
[12]
>>> [each.months for each in steps_of("US-NY", date(2026, 2, 19)) if each.kind == "validity"]
[24]
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar, get_args

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from lissive.errors import RuleError
from lissive.typed import Row, nearest, raise_all, read_typed, refuse

COMMON = "common"
"""The shape that the programmes share, where a place has no form of its own in the table."""

Part = Literal["practitioner", "patient", "condition", "statements", "recommendation", "minors", "form"]
Fill = Literal[
    "practitioner",
    "age",
    "residence",
    "condition",
    "symptom",
    "severity",
    "past_treatments",
    "present_treatments",
    "product",
    "visit",
]
Need = Literal["required", "optional", "where_applies"]
When = Literal["minor", "hiv", "terminal"]
StepKind = Literal[
    "who",
    "course",
    "relationship",
    "visit",
    "pmp",
    "form",
    "registration",
    "fee",
    "validity",
    "renewal",
    "supply",
    "products",
    "minors",
    "caregivers",
    "records",
    "conflicts",
]
ORDER: Sequence[StepKind] = get_args(StepKind)
"""The steps in the order of the visit."""


def _date(value: object) -> object:
    try:
        return datetime.date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise refuse(f"is {value!r}.", "a valid date, as in 2026-02-19.") from None


Day = Annotated[datetime.date, BeforeValidator(_date)]


class Dated(Row):
    """Something that held in one place from a day to a day, with where it was read."""

    place: str = Field(alias="in", pattern=r"^([A-Z]{2}(-[A-Z]{2})?|common)$", examples=["US-NY"])
    since: Day | None = None
    until: Day | None = None
    citation: str = ""
    provenance: Literal["read", "recalled"]
    source: str
    note: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since is not None and self.until is not None and self.until < self.since:
            raise refuse(f"is {self.until}, before since, {self.since}.", "a day after since.", field="until")
        return self

    def holds(self, on: datetime.date) -> bool:
        """Whether it held on that day, as far as its days are known."""
        return (self.since is None or self.since <= on) and (self.until is None or on <= self.until)


class FormField(Dated):
    """One field of a certification."""

    id: str = Field(pattern=r"^[a-z0-9_]+$", examples=["licence_number"])
    part: Part
    label: str = Field(min_length=2)
    need: Need
    when: When | None = None
    """When a field that is not always asked applies."""
    below_age: int | None = Field(default=None, ge=1, le=30, json_schema_extra={"unit": "years"})
    """Age below which it applies, of a field for minors; None: that of the table."""
    fills: Fill | None = None
    """What of a case fills it; None where the case format has it not."""


class Requirement(Dated):
    """One thing that the visit entails."""

    kind: StepKind
    text: str = Field(min_length=3)
    months: int | None = Field(default=None, ge=1, le=120, json_schema_extra={"unit": "months"})


class Origin(Row):
    """Where something was read."""

    title: str
    url: str | None = None


class Requirements(Row):
    """The whole table."""

    as_of: str = Field(pattern=r"^\d{4}-\d{2}$", examples=["2026-11"])
    minor_below: int = Field(ge=1, le=30, json_schema_extra={"unit": "years"})
    """Age below which the steps for minors are said."""
    sources: dict[str, Origin]
    fields: tuple[FormField, ...]
    steps: tuple[Requirement, ...]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        raise_all(self._wrong())
        return self

    def _wrong(self) -> Iterator[PydanticCustomError]:
        for name, rows in (("fields", self.fields), ("steps", self.steps)):
            for k, row in enumerate(rows):
                if row.source not in self.sources:
                    near = nearest(row.source, self.sources)
                    yield refuse(
                        f"is {row.source!r}, which is not in sources.{near}",
                        field=f"{name}.{k}.source",
                        do="add it there, or correct the key.",
                    )
        seen: dict[tuple[str, str], list[tuple[int, FormField]]] = {}
        for k, one in enumerate(self.fields):
            mine = seen.setdefault((one.place, one.id), [])
            for before, other in mine:
                if _overlap(one, other):
                    yield refuse(
                        f"is {one.id!r}, which fields[{before}] also defines for some of the same days.",
                        field=f"fields.{k}.id",
                        do="end the earlier one before the later one begins.",
                    )
            mine.append((k, one))


def _overlap(one: Dated, other: Dated) -> bool:
    first = max(each.since or datetime.date.min for each in (one, other))
    last = min(each.until or datetime.date.max for each in (one, other))
    return first <= last


def read_requirements(path: Path, *, shipped: bool = False) -> Requirements:
    """The table of a file; raises RuleError with file and line of each finding."""
    return read_typed(
        path,
        Requirements,
        RuleError,
        example="as_of: '2026-11'",
        thing="the table",
        shipped=shipped,
    )


@cache
def requirements() -> Requirements:
    """The table that comes with lissive."""
    return read_requirements(Path(__file__).parent / "data" / "certification.yaml", shipped=True)


D = TypeVar("D", bound=Dated)


def _there(rows: Sequence[D], place: str, on: datetime.date) -> tuple[D, ...]:
    return tuple(row for row in rows if row.place == place and row.holds(on))


def fields_of(place: str, on: datetime.date) -> tuple[FormField, ...]:
    """The fields of the certification there on that day; the common shape where the table has no form of theirs."""
    every = requirements().fields
    return _there(every, place, on) or _there(every, COMMON, on)


def steps_of(place: str, on: datetime.date) -> tuple[Requirement, ...]:
    """What the visit entails there on that day, in its order; empty where the table has nothing."""
    found = _there(requirements().steps, place, on)
    return tuple(sorted(found, key=lambda each: ORDER.index(each.kind)))


def origin(row: Dated) -> Origin:
    """Where a row was read."""
    return requirements().sources[row.source]


def dated(row: Dated, on: datetime.date) -> str:
    """A remark where it is not known whether the row held on that day; else nothing."""
    as_of = requirements().as_of
    if row.since is None and row.until is None and on.isoformat()[:7] < as_of:
        return f"as found in {as_of}; whether it held on {on} is not known"
    return ""
