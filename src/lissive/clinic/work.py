"""Work that takes longer than a page: asked once for equal inputs, done by whichever worker holds the lease.

A worker that dies leaves its lease to run out; `reap` gives the work back, and after some attempts it has failed.
What comes of it is stored in the transaction that ends it, and only by who still holds it: exactly once.
"""

from __future__ import annotations

import datetime
import json
import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone

from lissive import fingerprint
from lissive.clinic import audit, zones
from lissive.clinic.models import Case, User, Work
from lissive.errors import LissiveError

LEASE = datetime.timedelta(seconds=30)
BEAT_S = 2.0
MOST_S = 1200.0
"""A lease is not renewed beyond: the work hangs."""
ATTEMPTS = 3
LOST = "This was begun three times and did not end, as the program that did it was stopped. Ask for it again."
FAULT = "This could not be done because of a fault in the program."

Keep = Callable[[], Any]
"""Stores what was made; called in the transaction that ends the work."""
Tick = Callable[[int], None]
Do = Callable[[Work, Tick], Keep]

log = logging.getLogger(__name__)
Status = Work.Status


class Stopped(Exception):
    """The worker is to end, or has lost its lease."""


class Closed(LissiveError):
    """The case is closed. What a view does not catch of it is answered by a plain page, 409."""

    def __init__(self, what: str = "case") -> None:
        super().__init__(f"This {what} is closed: it can be read, and no longer changed.")


def changeable(case: Case) -> None:
    """In the transaction that changes anything of a case. Raises Closed."""
    if Case.objects.select_for_update().filter(pk=case.pk, status=Case.Status.CLOSED).exists():
        raise Closed


# -- asking ----------------------------------------------------------------------------------------
_OURS = Path(__file__).parent.parent
_ONLY_SHOW = {"bench", "check", "cli", "clinic", "look", "site", "web"}
"""Packages that change no answer."""


def subjects() -> int:
    """Virtual patients of each forecast; LISSIVE_SUBJECTS for another number than the command line's."""
    return max(1, int(os.environ.get("LISSIVE_SUBJECTS", "1000")))


@cache
def tables() -> str:
    """Hash of all code and tables that an answer can depend on."""
    found = []
    for path in sorted(_OURS.rglob("*")):
        name = path.relative_to(_OURS)
        if path.is_file() and path.suffix != ".pyc" and name.parts[0] not in _ONLY_SHOW:
            found += [name.as_posix(), fingerprint.of_bytes(path.read_bytes())]
    return fingerprint.of_texts(*found)


def key_of(*given: Any) -> str:
    """The name of what follows from these data by today's tables and program."""
    text = json.dumps([*given, tables()], sort_keys=True, ensure_ascii=False)
    return fingerprint.of_bytes(text.encode(), 64)


def ask(
    case: Case,
    kind: str,
    user: User,
    given: dict[str, Any],
    total: int = 0,
    *,
    done: bool = False,
    of_closed: bool = False,
) -> Work:
    """The work for these inputs: the one there is, or a new one; what has failed is begun again.

    `done`: nothing of it is left for a worker. `of_closed`: it changes nothing of the case. Raises Closed.
    """
    key = key_of(kind, str(case.pk), given)
    with transaction.atomic():
        if not of_closed:
            changeable(case)
        row, is_new = Work.objects.get_or_create(
            key=key,
            defaults={
                "kind": kind,
                "case": case,
                "given": given,
                "total": total,
                "asked_by": user,
                "status": Status.DONE if done else Status.QUEUED,
            },
        )
        failed = not is_new and row.status == Status.FAILED
        if failed:
            row.status, row.attempts, row.failed, row.done = Status.QUEUED, 0, "", 0
            row.asked, row.asked_by, row.ended = timezone.now(), user, None
            row.save()
        if is_new or failed:
            _said(row, "work.asked", user)
    return row


def _said(row: Work, action: str, user: User | None = None) -> None:
    patient = row.case.patient
    audit.append(
        action,
        user,
        organisation=patient.organisation_id,
        kind="case",
        thing=row.case_id,
        patient=patient.pk,
        detail={"work": row.kind, "key": row.key[:12]},
    )


# -- the lease -------------------------------------------------------------------------------------
def claim(holder: str) -> Work | None:
    """The oldest that waits, now leased by this holder; None where nothing waits."""
    reap()
    if not Work.objects.filter(status=Status.QUEUED).exists():  # looks without the right to write
        return None
    with transaction.atomic():
        rows = Work.objects.filter(status=Status.QUEUED).order_by("asked", "pk")
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        row = rows.first()
        if row is None:
            return None
        row.status, row.holder, row.attempts = Status.RUNNING, holder, row.attempts + 1
        row.lease_until, row.done = timezone.now() + LEASE, 0
        row.save(update_fields=["status", "holder", "attempts", "lease_until", "done"])
    return row


def reap() -> None:
    """Give back what nobody holds any more; what was begun too often has failed."""
    late = Work.objects.filter(status=Status.RUNNING, lease_until__lt=timezone.now())
    if not late.exists():
        return
    with transaction.atomic():
        for row in late.filter(attempts__gte=ATTEMPTS).select_related("case__patient"):
            if _held(row).update(status=Status.FAILED, failed=LOST, holder="", ended=timezone.now()):
                _said(row, "work.failed")
        late.filter(attempts__lt=ATTEMPTS).update(status=Status.QUEUED, holder="", lease_until=None)


def _held(row: Work) -> Any:
    return Work.objects.filter(pk=row.pk, holder=row.holder, status=Status.RUNNING)


def renew(row: Work, done: int) -> bool:
    """Whether the lease still holds; it is then renewed."""
    return bool(_held(row).update(lease_until=timezone.now() + LEASE, done=min(done, row.total)))


def finish(row: Work, keep: Keep) -> bool:
    """Store what was made; nothing is, and False, where the lease was lost to another."""
    with transaction.atomic():
        if not _held(row).update(status=Status.DONE, ended=timezone.now(), lease_until=None, done=F("total")):
            return False
        keep()
        _said(row, "work.done")
    return True


def fail(row: Work, why: str) -> None:
    with transaction.atomic():
        if _held(row).update(status=Status.FAILED, failed=why, ended=timezone.now(), lease_until=None):
            _said(row, "work.failed")


def give_back(row: Work) -> None:
    """For another worker, as if it had not been begun."""
    _held(row).update(status=Status.QUEUED, holder="", lease_until=None, attempts=F("attempts") - 1)


# -- the worker ------------------------------------------------------------------------------------
def kinds() -> dict[str, Do]:
    from lissive.clinic import answered, compare, documents
    from lissive.clinic.dates import followed

    return {
        "forecast": answered.forecast,
        "document": documents.make,
        "compare": compare.forecast,
        "review": followed.make,
    }


def do(row: Work, tick: Tick = lambda _: None) -> None:
    """One piece of work, in this thread: the libraries of the model bear one only."""
    try:
        with zones.at(row.case.patient.organisation):
            keep = kinds()[row.kind](row, tick)
        if not finish(row, keep):
            log.error("work %s was done by another worker", row.pk)
    except Stopped:
        give_back(row)
    except LissiveError as error:
        fail(row, str(error))
    except DatabaseError:
        raise  # it stays leased, and is tried again
    except Exception:
        log.exception("work %s", row.pk)
        fail(row, FAULT)


@contextmanager
def _beating(row: Work, stop: threading.Event, orphaned: Callable[[], bool]) -> Iterator[Tick]:
    """Renews the lease from a thread that touches the database alone; what is called with each day that is done."""
    ended, lost, state = threading.Event(), threading.Event(), {"done": 0}

    def beat() -> None:
        beats = 0
        while not ended.wait(BEAT_S) and beats * BEAT_S < MOST_S:
            beats += 1
            if orphaned():
                stop.set()
            try:
                if not renew(row, state["done"]):
                    lost.set()
            except DatabaseError:
                continue  # the database is busy: the lease bears some beats left out
        connection.close()

    def tick(day: int) -> None:
        state["done"] += 1
        if stop.is_set() or lost.is_set():
            raise Stopped

    thread = threading.Thread(target=beat, name="lissive-beat", daemon=True)
    thread.start()
    try:
        yield tick
    finally:
        ended.set()
        thread.join()


def _remind(done: set[datetime.date]) -> set[datetime.date]:
    """Where the day of a clinic has changed, by each worker: what another has sent is not sent again."""
    from lissive.clinic.dates import remind

    now = remind.days()
    if now == done:
        return done
    try:
        remind.run()
    except DatabaseError:
        raise
    except Exception:
        log.exception("reminders")
    return now


def loop(stop: threading.Event, *, once: bool = False, parent: int = 0) -> None:
    """Work until told to stop, until nothing waits (`once`), or until the server that started this has died."""
    holder = f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(4)}"

    def orphaned() -> bool:
        return bool(parent) and os.getppid() != parent

    reminded: set[datetime.date] = set()
    looked: datetime.datetime | None = None
    while not stop.is_set() and not orphaned():
        try:
            if looked != (hour := timezone.now().replace(minute=0, second=0, microsecond=0)):
                looked, reminded = hour, _remind(reminded)
            row = claim(holder)
            if row is not None:
                with _beating(row, stop, orphaned) as tick:
                    do(row, tick)
            elif once:
                return
            else:
                stop.wait(0.5)
        except DatabaseError as error:
            if once:
                raise
            log.error("database: %s", type(error).__name__)
            connection.close()
            stop.wait(2.0)
