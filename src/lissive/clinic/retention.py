"""How long a record is kept, a legal hold, and deletion where both allow it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from django.db import connection, models, transaction
from django.utils import timezone

from lissive.clinic import audit
from lissive.clinic.forms import day_text
from lissive.clinic.models import Case, Document, Entry, Hold, Patient, User
from lissive.clinic.trail import day_words

REASONS = {
    "period": "The time for which the record must be kept has passed",
    "patient": "The patient asked for it after that time",
    "order": "A court or an authority ordered it",
}
"""Chosen, not typed: the trail keeps the reason, and names nothing of a patient's health."""
_ABOUT = (".see", ".list", ".who_looked", ".export", ".exported", ".delete")
"""How actions end that add nothing to a record."""


def last_entry(patient: Patient) -> datetime.datetime:
    """When something was last added to the record or changed in it; that it was looked at does not count."""
    times = [patient.added, patient.changed]
    for model, way in _parts():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.DateTimeField):
                rows = model._default_manager.filter(**{way: patient})
                times.append(rows.aggregate(last=models.Max(field.attname))["last"])
    entries = Entry.objects.filter(patient=patient.pk).exclude(action__startswith="patient.hold")
    for end in _ABOUT:
        entries = entries.exclude(action__endswith=end)
    times.append(entries.aggregate(last=models.Max("at"))["last"])
    return max(each for each in times if each)


def _parts() -> Iterator[tuple[type[models.Model], str]]:
    """What belongs to a patient or to a case, and the way from it to the patient."""
    for owner, way in ((Patient, "patient"), (Case, "case__patient")):
        for each in owner._meta.related_objects:
            if each.related_model is not Hold and isinstance(each.related_model, type):
                yield each.related_model, way.replace(way.partition("__")[0], each.field.name, 1)


def kept_until(patient: Patient) -> datetime.date | None:
    """The last day on which the record must be kept; None where the clinic has not said for how long."""
    years = patient.organisation.keep_years
    if years is None:
        return None
    last = timezone.localtime(last_entry(patient)).date()
    if last.year + years > datetime.MAXYEAR:
        return datetime.date.max
    try:
        return last.replace(year=last.year + years)
    except ValueError:  # 29 February
        return datetime.date(last.year + years, 3, 1)


def standing(patient: Patient) -> Hold | None:
    return patient.holds.filter(lifted_at=None).first()


def why_kept(patient: Patient) -> list[str]:
    """All that is against a deletion, a sentence each; nothing where it may be deleted."""
    found = []
    until = kept_until(patient)
    if until is None:
        found.append("The clinic's settings do not say for how many years a record must be kept.")
    elif timezone.localdate() <= until:
        last = day_words(last_entry(patient))
        found.append(
            f"The last entry is of {last}, and the clinic keeps records for {patient.organisation.keep_years} years "
            f"after it: until {day_text(until)}."
        )
    if hold := standing(patient):
        found.append(f"A legal hold stands since {day_words(hold.set_at)}.")
    return found


def locked(patient: Patient) -> Patient | None:
    """The patient, whom nobody else changes until the transaction ends; None if deleted meanwhile."""
    return Patient.objects.select_for_update(of=("self",)).filter(pk=patient.pk).first()


def delete(patient: Patient, user: User, reason: str) -> list[str]:
    """Everything of the patient but the trail; or what is against it, and nothing is deleted."""
    with transaction.atomic():
        now = locked(patient)
        if now is None:
            return ["The record was deleted meanwhile."]
        if against := why_kept(now):
            return against
        if connection.vendor == "sqlite":  # what is deleted is overwritten in the file as well
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA secure_delete = ON")
        counts = {"cases": now.cases.count(), "documents": Document.objects.filter(case__patient=now).count()}
        now.certificates.all().delete()  # which hold their documents
        Document.objects.filter(case__patient=now).delete()
        now.holds.all().delete()
        log_in = now.user
        now.delete()
        if log_in is not None:
            log_in.delete()
        audit.append(
            "patient.deleted",
            user,
            kind="patient",
            thing=patient.pk,
            patient=patient.pk,
            detail={"reason": reason, **counts, "log-in": log_in is not None},
        )
    return []


def set_hold(patient: Patient, user: User, why: str) -> bool:
    """Whether it was set: one may stand already."""
    with transaction.atomic():
        if locked(patient) is None or standing(patient):
            return False
        Hold.objects.create(patient=patient, why=why, set_by=user)
        _entry("patient.hold-set", user, patient)
    return True


def lift_hold(patient: Patient, user: User, why: str) -> bool:
    """Whether it was lifted: somebody may have lifted it before."""
    with transaction.atomic():
        hold = standing(patient) if locked(patient) else None
        if hold is None:
            return False
        hold.lifted_at, hold.lifted_why = timezone.now(), why
        hold.save()
        _entry("patient.hold-lifted", user, patient)
    return True


def _entry(action: str, user: User, patient: Patient) -> None:
    audit.append(
        action, user, kind="patient", thing=patient.pk, patient=patient.pk, detail={"fields": ["reason"]}
    )
