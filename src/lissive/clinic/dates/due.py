"""Every date that comes near, from wherever it is kept, as one list of the database: paged there, counted there."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import (
    BigIntegerField,
    CharField,
    Exists,
    F,
    Model,
    OuterRef,
    Q,
    QuerySet,
    UUIDField,
    Value,
)
from django.db.models.functions import Cast, Coalesce, TruncDate

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
Rows = QuerySet[Any, Any]
COLUMNS = ("of_kind", "of_thing", "on", "of_patient", "of_clinic", "since")


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


def due_rows(
    first: datetime.date, last: datetime.date, kind: str = "", organisation: int | None = None
) -> Rows:
    """The dates from a day to a day, both within, in their order, and all open reviews; `dues_of` reads them."""
    of = {} if organisation is None else {"organisation": organisation}
    return _together([each for kinds, each in _sources(first, last, kind, of) if kind in ("", *kinds)])


def _together(sources: Sequence[Rows]) -> Rows:
    rows = sources[0].union(*sources[1:], all=True) if len(sources) > 1 else sources[0]
    return rows.order_by("on", "of_kind", "of_thing")


def dues_of(rows: Iterable[Mapping[str, Any]]) -> list[Due]:
    return [
        Due(
            row["of_kind"],
            row["of_thing"],
            datetime.date.fromisoformat(row["on"]),
            row["of_patient"],
            row["of_clinic"],
            datetime.date.fromisoformat(row["since"][:10]) if row["since"] else None,
        )
        for row in rows
    ]


def _sources(
    first: datetime.date, last: datetime.date, kind_asked: str, of: Mapping[str, Any]
) -> Iterator[tuple[Sequence[str], Rows]]:
    """Each source with the kinds that it has; `of`: which organisation or patient."""
    issued = Certificate.objects.filter(status=Certificate.Status.ISSUED, **of)
    later = Certificate.objects.filter(status=Certificate.Status.ISSUED, patient=OuterRef("patient"))
    later = later.filter(place=OuterRef("place")).exclude(pk=OuterRef("pk"))
    for kind, (field, _) in OF_CERTIFICATE.items():
        found = issued.filter(**{f"{field}__range": (first, last)})
        if kind == "certificate":  # where it was renewed, nothing runs out
            found = found.filter(~Exists(later.filter(Q(expires__gt=OuterRef("expires")) | Q(expires=None))))
        if kind == "apply_by":
            found = found.filter(entered_at=None, card_expires=None)  # done: nothing is left to do by then
        yield (kind,), _as_rows(found, Value(kind), field, F("organisation"), TruncDate("signed_at"))
    for kind, field in IN_RECORD.items():
        newer = Visit.objects.filter(patient=OuterRef("patient"), starts__gt=OuterRef("starts"))
        seen = Visit.objects.filter(**{f"{field}__range": (first, last)}, **of)
        seen = seen.filter(~Exists(newer.exclude(**{field: None})))
        yield (kind,), _as_rows(seen, Value(kind), field, F("organisation"), F("day"))
    if "patient" not in of:
        kinds = (kind_asked,) if kind_asked in OF_CREDENTIAL else tuple(OF_CREDENTIAL)
        held = Credential.objects.filter(kind__in=kinds, expires__range=(first, last))
        held = held.filter(**{f"practitioner__{name}": value for name, value in of.items()})
        clinic, since = F("practitioner__organisation"), Coalesce("checked_on", "issued")
        yield kinds, _as_rows(held, F("kind"), "expires", clinic, since, patient=None)
    open_ones = Review.objects.filter(status=Review.Status.DUE, due__lte=last, **of)  # however late it is
    yield ("review",), _as_rows(open_ones, Value("review"), "due", F("organisation"), Value(None))


def _as_rows(
    found: QuerySet[Any], kind: Any, on: str, clinic: Any, since: Any, *, patient: str | None = "patient"
) -> Rows:
    """Columns alike in type in all parts, so that a database can put them below each other."""
    of = F(patient) if patient else Value(None)
    return found.order_by().values(
        of_kind=Cast(kind, CharField()),
        of_thing=F("pk"),
        on=Cast(on, CharField()),
        of_patient=Cast(of, UUIDField()) if patient is None else of,
        of_clinic=Cast(clinic, BigIntegerField()),
        since=Cast(since, CharField()),
    )


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
    return dues_of(_together([each for kinds, each in sources if mine.issuperset(kinds)]))
