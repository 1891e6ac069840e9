"""What may happen to a certificate beside its signature: a draft is filled or taken back; a signed one is amended,
revoked, or noted as entered in the state's system."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from lissive.clinic import work
from lissive.clinic.certify.decision import begin
from lissive.clinic.certify.form import Sheet, ticked
from lissive.clinic.certify.seal import REASONS, Status, entry, of_now
from lissive.clinic.dates.review import cancelled_with
from lissive.clinic.forms import changed_fields
from lissive.clinic.models import Certificate, User
from lissive.clinic.visit.record import Refused

_CHANGED = "The certificate was changed meanwhile, so this was not saved."
_STANDS = "see how it stands now."


def may_write(certificate: Certificate, user: User) -> None:
    """Raises Refused where this user may not write this draft."""
    if certificate.status != Status.DRAFT:
        raise Refused(
            "It is signed, and is not changed any more.", do="amend it: a new draft that replaces it."
        )
    if certificate.practitioner.user_id != user.pk:
        raise Refused(
            f"{certificate.practitioner.name} decided it, and nobody else fills or signs it.",
            do=f"ask {certificate.practitioner.name}.",
        )


def save(
    certificate: Certificate,
    user: User,
    sheet: Sheet,
    given: Mapping[str, Any],
    ticks: list[str],
    version: int,
) -> None:
    """The draft as it was filled. Raises Refused, work.Closed."""
    with transaction.atomic():
        now = of_now(certificate)
        work.changeable(now.case)
        may_write(now, user)
        if now.version != version:
            raise Refused(_CHANGED, do="read what stands there now.")
        new = {**now.content, "typed": dict(given["typed"])}
        new |= {name: _iso(given[name]) for name in ("ends", "exam_by")}
        grounds = ticked(sheet.lines, ticks, now.grounds, user.shown_name, timezone.now().isoformat())
        fields = changed_fields(_flat(now.content, now.grounds), _flat(new, grounds))
        if not fields:
            return
        now.content, now.grounds, now.version = new, grounds, now.version + 1
        now.save(update_fields=["content", "grounds", "version"])
        entry("certificate.filled", user, now, changed=fields, version=now.version)


def _iso(day: datetime.date | None) -> str | None:
    return None if day is None else day.isoformat()


def _flat(content: Mapping[str, Any], grounds: Mapping[str, Any]) -> dict[str, Any]:
    """By the words of the trail: which field of the form it was could say something of the patient's health."""
    own = {name: content.get(name) for name in ("ends", "exam_by")}
    return {**own, "fields": content.get("typed", {}), "ticks": grounds}


def discard(certificate: Certificate, user: User) -> None:
    """Take a draft back. Raises Refused."""
    with transaction.atomic():
        now = of_now(certificate)
        may_write(now, user)
        entry("certificate.discarded", user, now)
        now.delete()


def amend(certificate: Certificate, user: User, why: str) -> Certificate:
    """A new draft, which replaces this one when it is signed. Raises Refused, work.Closed."""
    with transaction.atomic():
        now = of_now(certificate)
        work.changeable(now.case)
        if now.practitioner.user_id != user.pk:
            raise Refused(
                f"{now.practitioner.name} signed it, and nobody else amends it.", do="revoke it instead."
            )
        if now.status != Status.ISSUED:
            raise Refused(
                f"It is {now.get_status_display().lower()}, and only an issued one is amended.", do=_STANDS
            )
        if Certificate.objects.filter(supersedes=now).exists():
            raise Refused(
                "There is a draft that replaces it already.", do="fill and sign that, or discard it."
            )
        fields = {each["id"]: each["value"] for each in now.content["fields"] if each["kind"] == "input"}
        kept = {"typed": fields, "exam_by": now.content.get("exam_by"), "amends": why}
        made = begin(now.visit, content=kept, supersedes=now)
        entry("certificate.amended", user, now, by=str(made.pk))
    return made


def revoke(certificate: Certificate, user: User, kind: str, why: str) -> None:
    """It no longer holds, from now on; what was signed stays as it is. Raises Refused."""
    with transaction.atomic():
        now = of_now(certificate)
        if now.status != Status.ISSUED:
            raise Refused(
                f"It is {now.get_status_display().lower()}, and only an issued one can be revoked.",
                do=_STANDS,
            )
        now.status, now.ended_at, now.ended_by = Status.REVOKED, timezone.now(), user
        now.ended_kind, now.ended_why = kind, why
        now.save(update_fields=["status", "ended_at", "ended_by", "ended_kind", "ended_why"])
        entry("certificate.revoked", user, now, reason=REASONS[kind])
        cancelled_with(now, user)


def entered(certificate: Certificate, user: User, given: Mapping[str, Any]) -> None:
    """That it was entered in the state's system, with the number that it has there. Raises Refused."""
    with transaction.atomic():
        now = of_now(certificate)
        if now.status != Status.ISSUED:
            raise Refused(
                f"It is {now.get_status_display().lower()}: only an issued one is entered.", do=_STANDS
            )
        now.state_system, now.state_number = given["system"], given["number"]
        now.card_expires = given["card_expires"]
        now.entered_at, now.entered_by = timezone.now(), user
        fields = ["state_system", "state_number", "card_expires", "entered_at", "entered_by"]
        now.save(update_fields=fields)
        entry("certificate.entered", user, now, changed=fields[:3])
