"""A time is taken, changed or given back: the one place where a booking is written."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from lissive.clinic import audit
from lissive.clinic.booking.law import Point, against
from lissive.clinic.forms import age_on, day_text
from lissive.clinic.models import Case, Certificate, Intake, Patient, Slot, User, Visit, VisitKind
from lissive.clinic.visit.moves import move
from lissive.clinic.zones import clock_text
from lissive.errors import LissiveError
from lissive.handout.language import Words

Status = Visit.Status
AHEAD = (Status.BOOKED, Status.INTAKE, Status.READY)
"""Of a visit that is still to come."""
DAYS = 14
"""For how long ahead times are shown."""
MOST = 200


class NotBooked(LissiveError):
    """The time is gone, or something speaks against the visit."""

    def __init__(self, what: str, points: Sequence[Point] = (), *, do: str = "") -> None:
        super().__init__(what, do=do)
        self.points = tuple(points)


GONE = "This time was taken a moment ago, or is no longer offered."
OTHER = "choose another time."


def free_slots(organisation: int, *, shown: bool = True) -> QuerySet[Slot]:
    """Times that can be booked, the next first; `shown`: of practitioners on the clinic's page alone."""
    now = timezone.now()
    found = Slot.objects.filter(
        practitioner__organisation=organisation,
        practitioner__user__is_active=True,
        visit__isnull=True,
        starts__gt=now,
        starts__lt=now + datetime.timedelta(days=DAYS),
    )
    found = found.filter(practitioner__is_shown=True) if shown else found
    found = found.select_related("practitioner").prefetch_related("practitioner__credentials")
    return found.order_by("starts", "practitioner__name", "pk")[:MOST]


def ahead(patient: Patient) -> Visit | None:
    """The patient's next visit."""
    found = patient.visits.filter(status__in=AHEAD, starts__gt=timezone.now())
    return found.order_by("starts").first()


def renewed(patient: Patient) -> Certificate | None:
    """The certificate that a visit would renew: the last that was issued for where the patient lives."""
    mine = patient.certificates.filter(status=Certificate.Status.ISSUED, place=patient.residence)
    return mine.order_by("-signed_at").first()


def objections(patient: Patient, slot: Slot, kind: str) -> tuple[Point, ...]:
    """All that the law and the licences say against this visit; raises NotBooked where the patient's place is open."""
    if not patient.residence:
        raise NotBooked(
            "The state of residence is not in the patient's details.",
            do="have it entered there first: its law decides which visit is possible.",
        )
    day = timezone.localtime(slot.starts).date()
    age = age_on(patient.born, day)
    return against(slot.practitioner, patient.residence, kind, age, day, initial=renewed(patient) is None)


def book(patient: Patient, slot_id: UUID | None, kind: str, user: User) -> Visit:
    """The visit, with questions to answer before it. Raises NotBooked."""
    slot = _slot(patient, slot_id, kind, user)
    try:
        with transaction.atomic():
            Patient.objects.select_for_update().filter(pk=patient.pk).first()  # of two at once, one waits
            if user.role == "patient" and (other := ahead(patient)) is not None:
                text = f"You have a visit already: {when(other.starts)}."
                raise NotBooked(text, do="move it, or cancel it first.")
            visit = Visit.objects.create(
                organisation_id=patient.organisation_id,
                patient=patient,
                case=patient.cases.filter(status=Case.Status.OPEN).order_by("-opened").first(),
                place=patient.residence,
                renews=renewed(patient),
                booked_by=user,
                **_of(slot, kind),
            )
            Intake.objects.create(visit=visit)
            _entry(user, "visit.booked", visit, kind=kind)
    except IntegrityError:  # of two at once, the second
        raise NotBooked(GONE, do=OTHER) from None
    return visit


def shift(visit: Visit, version: int, slot_id: UUID | None, kind: str, user: User) -> None:
    """The visit at another time, or of another kind. Raises NotBooked."""
    slot = _slot(visit.patient, slot_id, kind, user)
    try:
        with transaction.atomic():
            now = _to_come(visit, version, user)
            for name, value in _of(slot, kind).items():
                setattr(now, name, value)
            now.version += 1
            now.save()
            _entry(user, "visit.rebooked", now, kind=kind)
    except IntegrityError:
        raise NotBooked(GONE, do=OTHER) from None


def cancel(visit: Visit, version: int, why: str, user: User) -> None:
    """The visit does not take place; its time can be booked again. Raises NotBooked."""
    with transaction.atomic():
        now = _to_come(visit, version, user)
        now.slot = None
        now.save(update_fields=["slot"])
        move(now, Status.CANCELLED, user, why)


def _to_come(visit: Visit, version: int, user: User) -> Visit:
    """The visit as it is now, held until the transaction ends."""
    now = Visit.objects.select_for_update().get(pk=visit.pk)
    if now.status not in AHEAD:
        said = f"The visit is {now.get_status_display().lower()}: it can no longer be changed here."
        raise NotBooked(said, do="book another one, or call the clinic.")
    if user.role == "patient" and now.starts <= timezone.now():
        raise NotBooked("The time of this visit has come.", do="call the clinic.")
    if now.version != version:
        raise NotBooked(
            "Somebody changed this visit meanwhile.", do="look at it again, then repeat what you wanted."
        )
    return now


def _slot(patient: Patient, slot_id: UUID | None, kind: str, user: User) -> Slot:
    """A free time of the patient's clinic, for a visit that nothing refuses. Raises NotBooked."""
    found = Slot.objects.filter(
        pk=slot_id or UUID(int=0),
        practitioner__organisation=patient.organisation_id,
        practitioner__user__is_active=True,
        visit__isnull=True,
        starts__gt=timezone.now(),
    )
    found = found.filter(practitioner__is_shown=True) if user.role == "patient" else found
    slot = found.select_related("practitioner").prefetch_related("practitioner__credentials").first()
    if slot is None:
        raise NotBooked(GONE, do=OTHER)
    if kind not in slot.kinds:
        raise NotBooked("Choose how the visit takes place.", do="choose one of the list.")
    refused = [each for each in objections(patient, slot, kind) if each.refuses]
    if refused:
        label = VisitKind(kind).label.lower()
        raise NotBooked(f"This visit ({label}) cannot be booked.", refused, do=OTHER)
    return slot


def _of(slot: Slot, kind: str) -> dict[str, object]:
    return {
        "practitioner": slot.practitioner,
        "slot": slot,
        "kind": kind,
        "day": timezone.localtime(slot.starts).date(),
        "starts": slot.starts,
        "minutes": slot.minutes,
    }


def _entry(user: User, action: str, visit: Visit, **detail: str) -> None:
    audit.append(action, user, kind="visit", thing=visit.pk, patient=visit.patient_id, detail=detail)


def when(at: datetime.datetime, tongue: str = "en") -> str:
    """A time with its day and zone."""
    local = timezone.localtime(at)
    day = day_text(local.date())
    if tongue == "es":
        say = Words("es")
        day = say("day", day=local.day, month=say(f"month.{local.month}"), year=local.year)
    return f"{day}, {clock_text(at)} {local:%Z}"
