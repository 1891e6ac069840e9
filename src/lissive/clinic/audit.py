"""The trail: one chain of entries, of which none can be changed, taken out or cut off unnoticed."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from lissive.clinic import anchors
from lissive.clinic.models import Entry, User
from lissive.clinic.rights import ROLES

BEGIN = "0" * 64
_LOCK = 7_402_311
"""PostgreSQL's advisory lock: one appends at a time. SQLite begins each transaction with the right to write."""


def append(
    action: str,
    user: User | None = None,
    *,
    organisation: int | None = None,
    kind: str = "",
    thing: object = "",
    patient: UUID | None = None,
    detail: Mapping[str, Any] | None = None,
) -> Entry:
    """One entry more, in the transaction that is open: what is not committed was not done, and leaves no entry."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        head = Entry.objects.order_by("-id").values_list("hash", flat=True).first() or BEGIN
        entry = Entry(
            prev=head,
            at=timezone.now(),
            organisation=organisation if user is None else user.organisation_id,
            user=None if user is None else user.pk,
            who=_name_of(user),
            role="" if user is None else user.role,
            action=action,
            kind=kind,
            thing=str(thing),
            patient=patient,
            detail=dict(detail or {}),
        )
        entry.hash = hash_of(entry)
        entry.save(force_insert=True)
        transaction.on_commit(lambda: anchors.keep(entry), robust=True)
    return entry


def _name_of(user: User | None) -> str:
    """A patient's name is not in the trail, which is kept when the record is deleted."""
    if user is None:
        return ""
    return ROLES["patient"] if user.role == "patient" else user.shown_name


def hash_of(entry: Entry) -> str:
    """SHA-256 of everything that an entry says, and of the hash before it."""
    said = {
        "prev": entry.prev,
        "at": entry.at.astimezone(datetime.UTC).isoformat(timespec="microseconds"),
        "organisation": entry.organisation,
        "user": entry.user,
        "who": entry.who,
        "role": entry.role,
        "action": entry.action,
        "kind": entry.kind,
        "thing": entry.thing,
        "patient": None if entry.patient is None else str(entry.patient),
        "detail": entry.detail,
    }
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def faults(*, every_day: bool = False) -> Iterator[str]:
    """What is wrong with the trail, entry by entry; nothing where it is whole.

    Parameters
    ----------
    every_day : whether each day that has entries must have its file of anchors; not so within a test's transaction.
    """
    before, last = BEGIN, 0
    for entry in Entry.objects.order_by("id").iterator(1000):
        if entry.prev != before and not last:
            yield f"entry {entry.pk}: the trail does not begin with it; what was before was taken out."
        elif entry.prev != before:
            yield f"entry {entry.pk}: it does not follow entry {last}; one was replaced, or one between taken out."
        if entry.hash != hash_of(entry):
            yield f"entry {entry.pk}: its content is not what was written."
        before, last = entry.hash, entry.pk
    yield from anchors.faults()
    if every_day:
        yield from anchors.without()
    yield from (
        f"{name}: this trigger is missing; the database no longer refuses to change entries or certificates."
        for name in sorted(_guards().difference(_guards_there()))
    )


def _guards() -> set[str]:
    migrations = ("0002_append_only", "0004_signed")
    return {
        name
        for each in migrations
        for name in import_module(f"lissive.clinic.migrations.{each}").GUARDS[connection.vendor]
    }


def _guards_there() -> set[str]:
    ask = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'",
    }
    with connection.cursor() as cursor:
        cursor.execute(ask[connection.vendor])
        return {name for (name,) in cursor.fetchall()}
