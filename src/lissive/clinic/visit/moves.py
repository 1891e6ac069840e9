"""From one state of a visit to the next: the one place where a status changes."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from lissive.clinic import audit
from lissive.clinic.models import Certificate, User, Visit
from lissive.clinic.visit.record import FINAL, Refused, locked

S = Visit.Status
MOVES: Mapping[str, tuple[str, ...]] = {
    S.BOOKED: (S.INTAKE, S.READY, S.IN_VISIT, S.CANCELLED, S.NO_SHOW),
    S.INTAKE: (S.READY, S.IN_VISIT, S.CANCELLED, S.NO_SHOW),
    S.READY: (S.INTAKE, S.IN_VISIT, S.CANCELLED, S.NO_SHOW),
    S.IN_VISIT: (S.TO_SIGN, S.DECLINED, S.READY, S.NO_SHOW),
    S.TO_SIGN: (S.DONE, S.DECLINED, S.IN_VISIT),
    S.NO_SHOW: (S.READY,),
    S.DONE: (),
    S.DECLINED: (),
    S.CANCELLED: (),
}
"""What may follow each state."""
WITH_REASON = {
    (S.IN_VISIT, S.READY),
    (S.TO_SIGN, S.IN_VISIT),
    (S.NO_SHOW, S.READY),
    (S.IN_VISIT, S.DECLINED),
    (S.TO_SIGN, S.DECLINED),
}
"""Moves that say why."""


def may_follow(visit: Visit, to: str) -> bool:
    return to in MOVES[visit.status]


def move(visit: Visit, to: str, user: User | None, why: str = "") -> Visit:
    """The visit in its next state, with an entry in the trail.

    Parameters
    ----------
    user : None where nobody is logged in, as a patient with a link.
    why : kept in the record of a visit that ends, and of one that goes back.

    Raises Refused, with a sentence, where it may not follow; nothing is then changed.
    """
    with transaction.atomic():
        now = locked(visit)
        if now.status == to:
            return now
        _check(now, to, why.strip())
        before, now.status = now.status, S(to)
        if to == S.IN_VISIT:
            now.began, now.ended = now.began or timezone.now(), None
        elif to == S.READY:
            now.began = now.ended = None
        elif before == S.IN_VISIT and now.ended is None:
            now.ended = timezone.now()
        now.ended_why = why.strip()[:500] if to in FINAL else ""
        now.version += 1
        now.save(update_fields=["status", "began", "ended", "ended_why", "version"])
        audit.append(
            "visit.moved",
            user,
            organisation=now.organisation_id,
            kind="visit",
            thing=now.pk,
            patient=now.patient_id,
            detail={"from": before, "to": to, "version": now.version},
        )
    return now


def _check(now: Visit, to: str, why: str) -> None:
    state, wanted = now.get_status_display().lower(), S(to).label.lower()
    if not may_follow(now, to):
        after = ", ".join(S(each).label.lower() for each in MOVES[now.status]) or "nothing: it has ended"
        raise Refused(
            f"A visit that is “{state}” cannot become “{wanted}”.",
            allowed=f"{after}.",
            do="see how the visit stands now.",
        )
    if not why and (now.status, to) in WITH_REASON:
        raise Refused(f"From “{state}” to “{wanted}” needs a reason.", do="write why.")
    if to == S.IN_VISIT and now.case_id is None:
        raise Refused("There is no case for this visit yet.", do="begin one, or have the intake filled in.")
    if to == S.DONE and not now.certificates.filter(status=Certificate.Status.ISSUED).exists():
        raise Refused("No certificate was signed in this visit.", do="sign one, or decline.")
