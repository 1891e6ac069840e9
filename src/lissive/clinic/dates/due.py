"""Every date that comes near, from wherever it is kept, as one list."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from lissive.clinic.models import Certificate, Credential, Patient, Review, Visit

OF_CERTIFICATE: Mapping[str, tuple[str, str]] = {
    "certificate": ("expires", "Certificate expires"),
    "card": ("card_expires", "Card expires"),
    "apply_by": ("apply_by", "Last day to apply with the state"),
    "exam_by": ("exam_by", "Last day for the next examination"),
}
"""Kinds whose day is a field of a certificate."""
IN_RECORD: Mapping[str, str] = {"id": "id_expires", "home_card": "home_card_expires"}
"""Kinds whose day is in the record of a visit."""
OF_CREDENTIAL: Mapping[str, str] = {
    "licence": "Licence to practise expires",
    "controlled": "Registration for controlled substances expires",
    "registration": "Registration with the state's programme expires",
    "course": "Course expires",
    "waiver": "Waiver expires",
    "specialty": "Speciality expires",
    "interests": "Statement on conflicts of interest expires",
}
KINDS: Mapping[str, str] = {
    **{kind: words for kind, (_, words) in OF_CERTIFICATE.items()},
    "id": "Identity document expires",
    "home_card": "Card of another place expires",
    **OF_CREDENTIAL,
    "review": "Review is due",
}
MOST = 20
"""Of a patient's own dates, on their page."""


@dataclass(frozen=True)
class Due:
    """One date: of what, of whom, and since when it is known."""

    kind: str
    thing: UUID
    on: datetime.date
    patient: UUID | None
    organisation: int
    since: datetime.date | None

    @property
    def what(self) -> str:
        return KINDS[self.kind]


@dataclass(frozen=True)
class Source:
    """Rows of one table that have a day, and the names of what a date is made of."""

    kinds: Sequence[str]
    rows: QuerySet[Any]
    on: str
    since: str
    """Fields with the day that it was known from, the first that is filled; empty: it is not asked."""
    kind: str = ""
    """The field that has the kind; empty where all are of the one kind."""
    patient: str = "patient_id"
    clinic: str = "organisation_id"

    def first(self, count: int | None) -> Iterator[Due]:
        """The nearest ones, by an index of the database."""
        order = [each for each in (self.on, self.kind, "pk") if each]
        names = ["pk", self.on, self.clinic, *filter(None, (self.kind, self.patient)), *self.since.split()]
        for row in self.rows.order_by(*order).values(*names)[:count]:
            since = next((row[name] for name in self.since.split() if row[name]), None)
            if isinstance(since, datetime.datetime):
                since = timezone.localtime(since).date()
            kind = row[self.kind] if self.kind else self.kinds[0]
            patient = row[self.patient] if self.patient else None
            yield Due(kind, row["pk"], row[self.on], patient, row[self.clinic], since)


class Dues:
    """Dates of several sources in their order, counted and cut as a query is: only what a page shows is read."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self.sources = list(sources)

    def __len__(self) -> int:
        return sum(each.rows.count() for each in self.sources)

    def __getitem__(self, part: slice) -> list[Due]:
        found = (due for each in self.sources for due in each.first(part.stop))
        return sorted(found, key=lambda due: (due.on, due.kind, due.thing))[part]

    def __iter__(self) -> Iterator[Due]:
        return iter(self[:])


def due_between(
    first: datetime.date, last: datetime.date, kind: str = "", organisation: int | None = None
) -> Dues:
    """The dates from a day to a day, both within, in their order, and all open reviews."""
    of = {} if organisation is None else {"organisation": organisation}
    return Dues(each for each in _sources(first, last, kind, of) if kind in ("", *each.kinds))


def _sources(
    first: datetime.date, last: datetime.date, kind_asked: str, of: Mapping[str, Any]
) -> Iterator[Source]:
    """`of`: which organisation or patient."""
    issued = Certificate.objects.filter(status=Certificate.Status.ISSUED, **of)
    later = Certificate.objects.filter(status=Certificate.Status.ISSUED, patient=OuterRef("patient"))
    later = later.filter(place=OuterRef("place")).exclude(pk=OuterRef("pk"))
    for kind, (field, _) in OF_CERTIFICATE.items():
        found = issued.filter(**{f"{field}__range": (first, last)})
        if kind != "apply_by":  # where it was renewed, nothing runs out
            is_later = Q(**{f"{field}__gt": OuterRef(field)})
            if kind == "certificate":
                is_later |= Q(expires=None)
            found = found.filter(~Exists(later.filter(is_later)))
        if kind == "apply_by":
            found = found.filter(entered_at=None, card_expires=None)  # done: nothing is left to do by then
        yield Source((kind,), found, field, "signed_at")
    for kind, field in IN_RECORD.items():
        newer = Visit.objects.filter(patient=OuterRef("patient"), starts__gt=OuterRef("starts"))
        seen = Visit.objects.filter(**{f"{field}__range": (first, last)}, **of)
        yield Source((kind,), seen.filter(~Exists(newer.exclude(**{field: None}))), field, "day")
    if "patient" not in of:
        kinds = (kind_asked,) if kind_asked in OF_CREDENTIAL else tuple(OF_CREDENTIAL)
        held = Credential.objects.filter(kind__in=kinds, expires__range=(first, last))
        held = held.filter(**{f"practitioner__{name}": value for name, value in of.items()})
        same = Credential.objects.filter(
            **{name: OuterRef(name) for name in ("practitioner", "kind", "place")},
            expires__gt=OuterRef("expires"),
        )
        held = held.filter(
            ~Exists(same.filter(Q(issued=None) | Q(issued__lte=OuterRef("expires"))))
        )  # renewed
        clinic = "practitioner__organisation_id"
        yield Source(kinds, held, "expires", "checked_on issued", "kind", patient="", clinic=clinic)
    open_ones = Review.objects.filter(status=Review.Status.DUE, due__lte=last, **of)  # however late it is
    yield Source(("review",), open_ones, "due", "")


# -- whose they are ---------------------------------------------------------------------------------
@dataclass(frozen=True)
class Things:
    """What some dates are of, by key, loaded in a fixed number of queries."""

    patients: Mapping[UUID, Patient]
    credentials: Mapping[UUID, Credential]


def things_of(dues: Iterable[Due]) -> Things:
    listed = list(dues)
    return Things(
        _loaded(Patient.objects.all(), {each.patient for each in listed if each.patient}),
        _loaded(
            Credential.objects.select_related("practitioner__user"),
            {each.thing for each in listed if each.kind in OF_CREDENTIAL},
        ),
    )


SOME = 500
"""Keys in one query: SQLite takes no endless list."""


def _loaded(rows: QuerySet[Any], keys: set[UUID]) -> dict[UUID, Any]:
    listed: list[UUID] = sorted(keys)
    found: dict[UUID, Any] = {}
    for at in range(0, len(listed), SOME):
        found |= rows.in_bulk(listed[at : at + SOME])
    return found


def of_patient(patient: Model, first: datetime.date) -> list[Due]:
    """The dates of one patient from a day on, the nearest first."""
    mine = {*OF_CERTIFICATE, *IN_RECORD}
    sources = _sources(first, datetime.date.max, "", {"patient": patient})
    return Dues(each for each in sources if mine.issuperset(each.kinds))[:MOST]
