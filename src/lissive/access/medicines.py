"""Licensed medicines by country and day, and the forms that programmes allow, from their tables."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Self

from pydantic import Field, model_validator

from lissive.access._table import read_table
from lissive.access.answer import Cited
from lissive.access.dates import has_begun
from lissive.access.load import DATA
from lissive.access.rule import Clause, Day, When
from lissive.errors import RuleError
from lissive.typed import Row, nearest, read_typed, refuse

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


class MedicineSource(Row):
    """What was read."""

    title: str = Field(min_length=1)
    url: str = Field(pattern=r"^https?://\S+$")
    kind: Literal["primary", "secondary"]


class Medicines(Row):
    """The whole table."""

    as_of: Day
    labels: dict[str, Clause]
    medicines: tuple[Medicine, ...] = Field(min_length=1)
    sources: dict[str, MedicineSource]

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
