"""Federal law of the US on one day, which stands beside every state's rule."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from lissive.access.answer import Cited, Federal, Point, Said
from lissive.access.dates import day
from lissive.access.load import DATA
from lissive.access.rule import Day, When
from lissive.errors import RuleError
from lissive.typed import Row, nearest, read_typed, refuse

FILE = DATA / "us" / "_federal.yaml"
Topic = Literal[
    "schedule", "hemp", "tele_prescribing", "state_lines", "firearms", "driving_work", "federal_property"
]
STATE, ADULT = "state_medical", "adult_use"
CLASSES = {
    STATE: "cannabis of a state's medical programme",
    ADULT: "cannabis outside a state's medical programme",
    "nabiximols": "nabiximols",
    "dronabinol": "dronabinol",
    "nabilone": "nabilone",
    "cannabidiol_solution": "cannabidiol oral solution",
}
"""What a schedule is of, in words."""


class Source(Row):
    """What was read."""

    title: str = Field(min_length=1)
    url: str | None
    kind: Literal["primary", "secondary", "none"]
    as_of: When | None


class Rule(Row):
    """One rule from a day to a day, both within."""

    topic: Topic
    of: str | None = Field(default=None, alias="class")
    begins: Day | None = Field(alias="from")
    ends: Day | None = Field(alias="to")
    schedule: Literal["I", "II", "III", "IV", "V", "none"] | None = None
    allowed: bool | None = None
    text: str = Field(min_length=1)
    citation: str
    provenance: Literal["read", "recalled"]
    read_in: str
    """The source, by its key."""

    def holds(self, on: datetime.date) -> bool:
        """Whether it is in force on that day."""
        begun = self.begins is None or day(self.begins) <= on
        return begun and (self.ends is None or on <= day(self.ends))


class Doubt(Row):
    """What was not found, from a day on."""

    begins: Day = Field(alias="from")
    text: str


class FederalFile(Row):
    """The whole file."""

    country: Literal["US"]
    verified: Day
    rules: tuple[Rule, ...] = Field(min_length=1)
    sources: dict[str, Source]
    cautions: tuple[Doubt, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for number, rule in enumerate(self.rules):
            if rule.read_in not in self.sources:
                near = nearest(rule.read_in, self.sources)
                raise refuse(
                    f"is {rule.read_in!r}, which is not in sources.{near}", field=f"rules.{number}.read_in"
                )
            if rule.topic == "schedule" and (rule.of not in CLASSES or rule.schedule is None):
                raise refuse(
                    "has no class or no schedule.", ", ".join(CLASSES), field=f"rules.{number}.class"
                )
            if self.sources[rule.read_in].kind == "none" and rule.provenance == "read":
                raise refuse("is read, and its source is none.", field=f"rules.{number}.provenance")
        return self


def read_federal(path: Path = FILE) -> FederalFile:
    """The rules of a file; RuleError with file and line of what is wrong."""
    return read_typed(path, FederalFile, RuleError, example="country: US", thing="federal law", shipped=True)


@cache
def federal_rules() -> FederalFile:
    """What comes with lissive."""
    return read_federal()


def schedule_of(product_class: str, on: datetime.date) -> Rule | None:
    """The schedule of a class on that day; None where the file has none."""
    held = (each for each in federal_rules().rules if each.topic == "schedule" and each.of == product_class)
    return next((each for each in held if each.holds(on)), None)


def by_video(on: datetime.date) -> tuple[Said, Rule | None]:
    """Whether a scheduled medicine may be prescribed by video without a visit in person, and by what."""
    rule = next(
        (each for each in federal_rules().rules if each.topic == "tele_prescribing" and each.holds(on)), None
    )
    if rule is None or rule.allowed is None:
        return "unknown", rule
    return ("yes" if rule.allowed else "no"), rule


def federal(product_class: str, on: datetime.date) -> Federal:
    """All that holds on that day, the schedule first.

    >>> federal("state_medical", datetime.date(2026, 4, 27)).schedule
    'I'
    >>> federal("state_medical", datetime.date(2026, 4, 28)).schedule
    'III'
    """
    rule = schedule_of(product_class, on)
    return Federal(
        product_class,
        rule.schedule if rule else None,
        by_video(on)[0],
        tuple(_points(rule, on)),
        day(federal_rules().verified),
    )


def _points(schedule: Rule | None, on: datetime.date) -> Iterator[Point]:
    file = federal_rules()
    if schedule is not None:
        yield _point(schedule)
    for rule in file.rules:
        if rule.topic != "schedule" and rule.holds(on):
            yield _point(rule)
    for doubt in file.cautions:
        if on >= day(doubt.begins):
            yield Point("not_found", doubt.text, "", None, "read", "none", doubt.begins)


def _point(rule: Rule) -> Point:
    source = federal_rules().sources[rule.read_in]
    return Point(
        rule.topic,
        rule.text,
        rule.citation,
        source.url,
        rule.provenance,
        source.kind,
        rule.begins,
        rule.ends,
    )


def cited(rule: Rule) -> Cited:
    """The source of a rule."""
    source = federal_rules().sources[rule.read_in]
    return Cited(source.title, source.url, rule.provenance, source.kind)
