"""What holds in a whole country: federal law of the US, licensed medicines by country; and the forms of programmes."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Self

from pydantic import Field, model_validator

from lissive.access.answer import Cited, Federal, Point, Said, day, has_begun
from lissive.access.rule import DATA, Clause, Day, When, read_table
from lissive.errors import RuleError
from lissive.typed import Row, nearest, read_typed, refuse

# -- federal law of the US -------------------------------------------------------------------------
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
    as_of: When | None = None


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


# -- licensed medicines, and forms of programmes ---------------------------------------------------
MedicineStatus = Literal["marketed", "not_authorised", "not_marketed", "not_read"]


class Medicine(Row):
    """One medicine in one country, from a day to a day."""

    product: str
    place: str = Field(alias="in", pattern=r"^[A-Z]{2}$", examples=["GB"])
    begins: When | None = Field(alias="from")
    ends: Day | None = Field(alias="to")
    status: MedicineStatus
    text: str = Field(min_length=1)
    label: str | None = None
    off_label: bool | None = None
    """Whether a prescriber may go beyond the label there; null: not read."""
    provenance: Literal["read", "recalled"]
    source: str


class Medicines(Row):
    """The whole table."""

    as_of: Day
    labels: dict[str, Clause]
    medicines: tuple[Medicine, ...] = Field(min_length=1)
    sources: dict[str, Source]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for number, each in enumerate(self.medicines):
            for name, said, known in (
                ("source", each.source, self.sources),
                ("label", each.label, self.labels),
            ):
                if said is not None and said not in known:
                    raise refuse(f"is {said!r}.{nearest(said, known)}", field=f"medicines.{number}.{name}")
        return self


def read_medicines(path: Path = DATA / "medicines.yaml") -> Medicines:
    """The table of a file; RuleError with file and line of what is wrong."""
    return read_typed(
        path, Medicines, RuleError, example="as_of: 2026-11-29", thing="the table", shipped=True
    )


@cache
def medicines() -> Medicines:
    """The table that comes with lissive."""
    return read_medicines()


def medicine(product: str, place: str, on: datetime.date) -> Medicine | None:
    """What is known of a medicine in a country on that day; None where nothing is, or the day is too vague."""
    for each in medicines().medicines:
        over = each.ends is not None and on.isoformat() > each.ends
        if each.product == product and each.place == place and has_begun(each.begins, on) and not over:
            return each
    return None


def origin(row: Medicine) -> Cited:
    """Where it was read."""
    source = medicines().sources[row.source]
    return Cited(source.title, source.url, row.provenance, source.kind)


@dataclass(frozen=True)
class Form:
    """Whether a programme has products of one form, from a day to a day."""

    begins: str
    ends: str
    allowed: bool
    thc_max_mg: float | None
    """The most THC in one dose [mg]."""
    age_min: int | None
    """[years]"""
    note: str
    source: Cited

    def holds(self, on: datetime.date) -> bool:
        """Whether the row is of that day."""
        day = on.isoformat()
        return (not self.begins or self.begins <= day) and (not self.ends or day <= self.ends)


_COLUMNS = (
    "code", "form", "from", "until", "allowed", "thc_max_mg", "age_min", "provenance", "kind", "url", "note",
)  # fmt: skip


@cache
def _forms() -> Mapping[tuple[str, str], tuple[Form, ...]]:
    found: dict[tuple[str, str], list[Form]] = {}
    for row in read_table(DATA / "forms.tsv", _COLUMNS):
        if row["allowed"] not in ("yes", "no"):
            raise row.error(f"allowed is {row['allowed']!r}.", allowed="yes, no.")
        url = None if row["url"] == "-" else row["url"]
        if row["provenance"] == "read" and url is None:
            raise row.error("provenance is read, but no source is named.", do="name it, or write recalled.")
        found.setdefault((row["code"], row["form"]), []).append(
            Form(
                row["from"],
                row["until"],
                row["allowed"] == "yes",
                float(row["thc_max_mg"]) if row["thc_max_mg"] else None,
                int(row["age_min"]) if row["age_min"] else None,
                row["note"],
                Cited(row["note"], url, row["provenance"], row["kind"]),
            )
        )
    return MappingProxyType({key: tuple(rows) for key, rows in found.items()})


def form(code: str, name: str, on: datetime.date) -> Form | None:
    """What is known of a form in a programme on that day; None where nothing is."""
    return next((each for each in _forms().get((code, name), ()) if each.holds(on)), None)
