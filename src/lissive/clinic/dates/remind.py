"""Reminders: a mail 60, 30 and 7 days before a date. It says that a date comes near, and nothing of what.

A message is taken up by one worker alone, sent, and marked as sent. Where a worker is killed between sending and
marking, the message is sent once more, and never a third time.
"""

from __future__ import annotations

import datetime
import logging
import smtplib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from lissive.clinic import audit, zones
from lissive.clinic.dates.due import OF_CREDENTIAL, Due, due_between, things_of
from lissive.clinic.models import Organisation, Reminder
from lissive.clinic.place import place

BEFORE = (7, 30, 60)
HELD = datetime.timedelta(minutes=10)
"""After that a worker that took one up is held to have died."""
TRIES = 2
NO_ADDRESS = "No e-mail address."
NOT_KNOWN = "Not known whether it was sent: the program was stopped twice while sending."

log = logging.getLogger(__name__)


@dataclass
class Counts:
    """What a run did: mails that were sent, and that were not; reminders of which nobody has an address."""

    sent: int = 0
    failed: int = 0
    without: int = 0


def run(today: datetime.date | None = None) -> Counts:
    """Make the reminders of this day, of each clinic its own, and send those that are not sent yet."""
    found = Counts()
    for clinic in Organisation.objects.order_by("pk"):
        with zones.at(clinic):
            _run(clinic, today or timezone.localdate(), found)
    return found


def days() -> set[datetime.date]:
    """The day that it is now at each clinic."""
    now = timezone.now()
    return {now.astimezone(ZoneInfo(zones.zone_of(each))).date() for each in Organisation.objects.all()}


def _run(clinic: Organisation, today: datetime.date, found: Counts) -> None:
    last = today + datetime.timedelta(days=max(BEFORE))
    dues = due_between(today, last, organisation=clinic.pk)[:]
    wanted = {key_of(each, days): each for each in dues if (days := days_before(each, today))}
    rows = _made(wanted, today, clinic)
    addresses = _addresses(wanted.values())
    to_send = dict[str, list[Reminder]]()
    for row in rows:
        if address := addresses.get((row.kind, row.thing), ""):
            to_send.setdefault(address, []).append(row)
            continue
        found.without += 1
        if row.failed != NO_ADDRESS:
            Reminder.objects.filter(pk=row.pk).update(failed=NO_ADDRESS)
    connection = get_connection()
    try:
        for address, mine in to_send.items():
            if taken := [row for row in mine if _take(row)]:
                if _send(taken, address, clinic.name, connection):
                    found.sent += 1
                else:
                    found.failed += 1
    finally:
        connection.close()


Key = tuple[str, str, datetime.date, int, str]


def key_of(due: Due, days: int) -> Key:
    return (
        due.kind,
        str(due.thing),
        due.on,
        days,
        "practitioner" if due.kind in OF_CREDENTIAL else "patient",
    )


def days_before(due: Due, today: datetime.date) -> int:
    """Which reminder of a date is to have been sent by today: 60, 30 or 7; 0 for none.

    None is sent for a term that had begun before the date was known: who was certified today needs no mail today.
    """
    left = (due.on - today).days
    days = next((each for each in BEFORE if left <= each), 0)
    known = due.since is None or due.since < due.on - datetime.timedelta(days=days)
    return days if due.kind != "review" and left >= 0 and known else 0


def _made(wanted: dict[Key, Due], today: datetime.date, clinic: Organisation) -> list[Reminder]:
    """The rows of what is wanted that are not sent; made by whichever worker is first."""
    last = today + datetime.timedelta(days=max(BEFORE))
    mine = Reminder.objects.filter(organisation=clinic, due__range=(today, last))
    there = {_key(each) for each in mine}
    new = [
        Reminder(
            kind=key[0],
            thing=key[1],
            due=key[2],
            days=key[3],
            to=key[4],
            organisation_id=due.organisation,
            patient_id=due.patient,
        )
        for key, due in wanted.items()
        if key not in there
    ]
    Reminder.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    unsent = mine.filter(sent=None, tries__lte=TRIES).order_by("pk")
    return [each for each in unsent if _key(each) in wanted and each.failed != NOT_KNOWN]


def _key(row: Reminder) -> Key:
    return (row.kind, row.thing, row.due, row.days, row.to)


def _addresses(dues: Iterable[Due]) -> dict[tuple[str, str], str]:
    found = {}
    listed = list(dues)
    things = things_of(listed)
    for each in listed:
        if each.kind in OF_CREDENTIAL:
            who = things.credentials[each.thing].practitioner
            address = who.email or who.user.email
        else:
            address = things.patients[each.patient].email if each.patient else ""
        found[each.kind, str(each.thing)] = address.strip()
    return found


# -- one message ------------------------------------------------------------------------------------
def _take(row: Reminder) -> bool:
    """Whether this worker, and no other, is to send it."""
    now = timezone.now()
    free = Reminder.objects.filter(pk=row.pk, sent=None).filter(Q(taken=None) | Q(taken__lt=now - HELD))
    if free.filter(tries__gte=TRIES).update(failed=NOT_KNOWN):
        return False
    return bool(free.update(taken=now, tries=F("tries") + 1))


def _send(rows: Sequence[Reminder], address: str, clinic: str, connection: BaseEmailBackend) -> bool:
    """One mail for all dates of which somebody is to be reminded today."""
    of = Reminder.objects.filter(pk__in=[row.pk for row in rows])
    try:
        message(address, clinic, connection).send()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        # its text may have the address
        why = f"The mail server did not take it ({type(error).__name__}). It is tried again each day."
        log.error("reminder %s: %s", rows[0].pk, type(error).__name__)
        with transaction.atomic():
            of.update(failed=why, taken=None, tries=F("tries") - 1)
            _entries(rows, "reminder.failed")
        return False
    with transaction.atomic():
        of.update(sent=timezone.now(), failed="")
        _entries(rows, "reminder.sent")
    return True


def message(address: str, clinic: str, connection: BaseEmailBackend | None = None) -> EmailMessage:
    """The mail: neither of what nor of whom the date is."""
    name = " ".join(clinic.split())
    head = f"A date of yours at {name} comes near"
    link = place().public_url.rstrip("/")
    lines = [f"{head}: log in{f' at {link}/' if link else ''} to see it, or call the clinic."]
    lines += ["", "This message was sent by a program. Answers to it are not read."]
    return EmailMessage(head, "\n".join(lines), settings.DEFAULT_FROM_EMAIL, [address], connection=connection)


def _entries(rows: Sequence[Reminder], action: str) -> None:
    for row in rows:
        detail = {"of": row.kind, "days before": row.days, "to": row.to}
        audit.append(
            action,
            organisation=row.organisation_id,
            kind="reminder",
            thing=row.pk,
            patient=row.patient_id,
            detail=detail,
        )
