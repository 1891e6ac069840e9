"""The link to the questions: a random secret of which only the SHA-256 is kept. It opens nothing by itself: who has it
gives the date of birth too, and after five wrong ones it ends. A patient who is logged in needs no link."""

from __future__ import annotations

import datetime
import hashlib
import secrets

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from lissive.clinic import audit
from lissive.clinic.booking.take import AHEAD
from lissive.clinic.models import Intake, User, Visit

TRIES = 5
OPENED, OPEN_S = "intake", 30 * 60
"""In the session: the link's hash and since when it is open; as long as a log-in without a request."""


def new_link(visit: Visit, user: User) -> str:
    """The secret of a new link; earlier ones end, and so does whatever was opened with them."""
    secret = secrets.token_urlsafe(32)
    last = timezone.localtime(visit.starts).replace(hour=23, minute=59, second=59)
    with transaction.atomic():
        intake = Intake.objects.select_for_update().get(pk=visit.pk)
        intake.token, intake.token_until, intake.tries = _hash(secret), last, 0
        intake.save(update_fields=["token", "token_until", "tries"])
        audit.append("intake.linked", user, kind="visit", thing=visit.pk, patient=visit.patient_id)
    return secret


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def visit_of(secret: str) -> Visit | None:
    """The visit of a link that still works."""
    found = Intake.objects.filter(
        token=_hash(secret), token_until__gt=timezone.now(), tries__lt=TRIES, visit__status__in=AHEAD
    )
    intake = found.select_related(
        "visit__patient", "visit__practitioner__user", "visit__organisation"
    ).first()
    return None if intake is None else intake.visit


def is_open(request: HttpRequest, secret: str) -> bool:
    """Whether this browser has given the date of birth, a moment ago."""
    held, at = request.session.get(OPENED, ("", 0.0))
    now = timezone.now().timestamp()
    if held != _hash(secret) or now - at > OPEN_S:
        return False
    if now - at > 60:
        request.session[OPENED] = (held, now)
    return True


def tried(request: HttpRequest, secret: str, visit: Visit, typed: str) -> int:
    """0 where the date of birth is right, and the link is open; else how many tries are left, -1 for none."""
    with transaction.atomic():
        intake = Intake.objects.select_for_update().get(pk=visit.pk)
        if intake.tries >= TRIES:  # of several at once, too many
            return -1
        if typed == visit.patient.born.isoformat():
            intake.tries = 0
            intake.save(update_fields=["tries"])
            request.session.cycle_key()
            request.session[OPENED] = (_hash(secret), timezone.now().timestamp())
            _entry("intake.opened", visit)
            return 0
        intake.tries += 1
        intake.save(update_fields=["tries"])
        _entry("intake.refused", visit)
        return TRIES - intake.tries or -1


def _entry(action: str, visit: Visit) -> None:
    audit.append(
        action,
        organisation=visit.organisation_id,
        kind="visit",
        thing=visit.pk,
        patient=visit.patient_id,
        detail={"by": "link"},
    )


def day_of(text: str) -> str:
    """A date of birth as it is compared; what is none stays as it is."""
    try:
        return datetime.date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        return text.strip()
