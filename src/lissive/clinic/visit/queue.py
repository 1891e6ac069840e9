"""The queue of a day: whom the clinic sees, how far each visit is, and why one cannot go on."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from lissive.clinic import work
from lissive.clinic.access import enter, of_clinic
from lissive.clinic.forms import day_text, is_day
from lissive.clinic.models import Credential, Patient, Review, User, Visit, VisitKind
from lissive.clinic.pages import shown
from lissive.clinic.rights import may
from lissive.clinic.visit.record import FINAL
from lissive.clinic.visit.standing import blocks_of
from lissive.clinic.zones import clock_text
from lissive.report.table import Table, table

S = Visit.Status
MOST = 20
"""Of reviews, second opinions and visits of earlier days that are named."""
EARLIER_DAYS = 30
STATES, WAYS = dict(S.choices), dict(VisitKind.choices)
"""In words: quicker than asking each visit."""
HEALTH = ("case", "answers", "adjectives", "findings", "pregnancy", "capacity", "safety", "minor", "")
"""Parts of the record whose blocks say something of the patient's health."""
KINDS = {S.READY: "yes", S.IN_VISIT: "maybe", S.TO_SIGN: "maybe", S.INTAKE: "unsure"}


# -- blocks, kept on the row -----------------------------------------------------------------------
Light = dict[str, Any]
"""What a row of the queue needs of a visit, by the names of LIGHT: neither the case nor the record."""
LIGHT = (
    "pk", "status", "kind", "day", "starts", "place", "blocks", "blocks_of", "ended_why", "version", "case_id",
    "patient__given_name", "patient__family_name", "patient__version", "practitioner_id", "practitioner__name",
    "practitioner__version", "case__version", "decision__version", "decision__second_agrees",
)  # fmt: skip


def with_blocks(found: QuerySet[Visit], today: datetime.date) -> list[Light]:
    """Visits whose blocks are those of today; worked out again where something they rest on has changed.

    The number of queries does not depend on the number of visits.
    """
    visits: list[Light] = list(found.values(*LIGHT))
    open_ones = [each for each in visits if each["status"] not in FINAL]
    credentials = _credentials_of(open_ones)
    keys = {each["pk"]: _key(each, credentials, today) for each in open_ones}
    late = [each for each in open_ones if each["blocks_of"] != keys[each["pk"]]]
    if late:
        held = Prefetch("practitioner__credentials", Credential.objects.order_by("pk"))
        loaded = Visit.objects.filter(pk__in=[each["pk"] for each in late])
        whole = list(
            loaded.select_related("patient", "practitioner", "case", "decision", "intake").prefetch_related(
                held
            )
        )
        for each in whole:
            each.blocks = [one.to_json() for one in blocks_of(each, on_of(each.day, today))]
            each.blocks_of = keys[each.pk]
        Visit.objects.bulk_update(whole, ["blocks", "blocks_of"], batch_size=200)
        blocks = {each.pk: each.blocks for each in whole}
        for row in late:
            row["blocks"] = blocks.get(row["pk"], [])
    return visits


def on_of(day: datetime.date, today: datetime.date) -> datetime.date:
    """The day for which a visit is judged: its own, or today where that has passed."""
    return max(day, today)


def _credentials_of(visits: Iterable[Light]) -> Mapping[Any, list[Any]]:
    """By practitioner, what changes when a credential does."""
    found: dict[Any, list[Any]] = {}
    rows = Credential.objects.filter(practitioner__in={each["practitioner_id"] for each in visits})
    for who, one, version in rows.order_by("pk").values_list("practitioner_id", "pk", "version"):
        found.setdefault(who, []).append((str(one), version))
    return found


_RESTS_ON = (
    "version", "kind", "place", "case_id", "case__version", "patient__version", "practitioner_id",
    "practitioner__version", "decision__version", "decision__second_agrees",
)  # fmt: skip


def _key(visit: Light, credentials: Mapping[Any, list[Any]], today: datetime.date) -> str:
    """Of all that the blocks rest on: another key, other blocks."""
    rests_on = [str(visit[name]) for name in _RESTS_ON]
    more = [on_of(visit["day"], today).isoformat(), work.tables(), credentials.get(visit["practitioner_id"])]
    return hashlib.sha256(json.dumps([*rests_on, *more]).encode()).hexdigest()


# -- the page --------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Row:
    """One visit of the queue."""

    visit: Light
    href: str
    clock: str
    state: str
    kind: str
    """Of the verdict."""
    blocks: Sequence[Mapping[str, Any]]
    """What stands against it."""
    to_do: int
    """Points that are open."""
    corrected: str
    """That the patient corrected answers, where nobody has read it."""
    why: str
    """Of a visit that ended."""


@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Today, or another day: who is to be seen, in order of time, and what else waits for somebody."""
    user: User = enter(request, "queue.see")
    today = timezone.localdate()
    asked = request.GET.get("day", "")
    day = datetime.date.fromisoformat(asked) if is_day(asked) else today
    mine = of_clinic(user, Visit)
    rows = [_row(user, each) for each in with_blocks(mine.filter(day=day).order_by("starts", "pk"), today)]
    waiting = [each for each in rows if each.visit["status"] not in FINAL]
    earlier: list[Row] = []
    if day == today:
        since = today - datetime.timedelta(days=EARLIER_DAYS)
        late = mine.filter(day__gte=since, day__lt=today, status__in=(S.IN_VISIT, S.TO_SIGN))
        earlier = [_row(user, each) for each in with_blocks(late.order_by("day", "starts")[:MOST], today)]
    content = {
        "day": day,
        "day_text": day_text,
        "ways": WAYS,
        "is_today": day == today,
        "before": day - datetime.timedelta(days=1),
        "after": day + datetime.timedelta(days=1),
        "now": [each for each in waiting if each.visit["status"] in (S.IN_VISIT, S.TO_SIGN)],
        "waiting": [each for each in waiting if each.visit["status"] not in (S.IN_VISIT, S.TO_SIGN)],
        "ended": [each for each in rows if each.visit["status"] in FINAL],
        "earlier": earlier,
        "in_short": in_short(rows),
        "others": _others(user, today) if day == today else [],
    }
    return shown(request, "queue.html.j2", "Queue", content, page="queue")


def _row(user: User, visit: Light) -> Row:
    whole, status = may(user.role, "visit.see"), visit["status"]
    against = [] if status in FINAL else [each for each in visit["blocks"] if not each["is_open"]]
    if not whole:
        against = [each if each["part"] not in HEALTH else _HIDDEN for each in against]
    told = ("corrections", "answers") if whole else ("corrections",)
    is_blocked, state = bool(against), STATES[status]
    is_in_hand = whole and status in (S.IN_VISIT, S.TO_SIGN)
    return Row(
        visit,
        page_of(user, visit["pk"]),
        clock_text(visit["starts"]),
        f"Blocked · {state.lower()}" if is_blocked else state,
        "no" if is_blocked else KINDS.get(S(status), ""),
        against,
        sum(each["is_open"] for each in visit["blocks"]) if is_in_hand else 0,
        " ".join(each["why"] for each in visit["blocks"] if each["part"] in told),
        visit["ended_why"] if whole else "",
    )


_HIDDEN = {"why": "The practitioner sees why.", "clause": "", "source": "", "part": "", "is_open": False}


def in_short(rows: Sequence[Row]) -> str:
    """How many visits of a day there are in each state, and how many of them are blocked."""
    blocked = sum(bool(each.blocks) for each in rows)
    said = _counted(Counter(S(each.visit["status"]) for each in rows))
    return f"{said.removesuffix('.')}; {blocked} blocked." if blocked else said


def _counted(counts: Mapping[S, int]) -> str:
    said = ", ".join(f"{counts[each]} {each.label.lower()}" for each in S if counts.get(each))
    total = sum(counts.values())
    return f"{total} visit{'' if total == 1 else 's'}: {said}." if total else "No visit is booked."


def _others(user: User, today: datetime.date) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """What waits besides visits: its heading, what it is, and a link for each patient."""
    found = []
    if may(user.role, "review.see"):
        due = (
            of_clinic(user, Review).filter(status=Review.Status.DUE, due__lte=today).select_related("patient")
        )
        rows = [
            (each.patient.name, f"due {day_text(each.due)}", link_to("review", each.pk))
            for each in due[:MOST]
        ]
        found.append(("Reviews due", rows))
    if may(user.role, "visit.see"):
        # by way of the visits of these days, of which there are few that wait
        asked = of_clinic(user, Visit).filter(
            day__gte=today - datetime.timedelta(days=EARLIER_DAYS),
            status__in=(S.IN_VISIT, S.TO_SIGN),
            decision__second_agrees=None,
            decision__isnull=False,
        )
        asked = asked.exclude(decision__second_needed="").select_related("patient", "decision")
        rows = [
            (each.patient.name, each.decision.second_needed, link_to("decision-second", each.pk))
            for each in asked.only("patient", "decision__second_needed").order_by("starts")[:MOST]
        ]
        found.append(("A second practitioner is asked", rows))
    return [each for each in found if each[1]]


def link_to(name: str, key: Any) -> str:
    try:
        return reverse(name, args=[key])
    except NoReverseMatch:
        return ""


# -- on other pages --------------------------------------------------------------------------------
def today_in_short(user: User) -> str:
    """How many visits of today there are in each state."""
    found = (
        of_clinic(user, Visit).filter(day=timezone.localdate()).values_list("status").annotate(Count("pk"))
    )
    return _counted({S(status): count for status, count in found.order_by()})


def visit_table(user: User, patient: Patient) -> Table:
    """The last visits of a patient, each with a link to what this user may see of it."""
    found = patient.visits.select_related("practitioner").defer("record", "blocks").order_by("-starts")[:MOST]
    rows = []
    for each in found:
        local = timezone.localtime(each.starts)
        text, href = f"{day_text(local.date())}, {clock_text(local)}", page_of(user, each.pk)
        link = format_html('<a href="{}">{}</a>', href, text) if href else text
        rows.append((link, each.get_kind_display(), each.practitioner.name, each.get_status_display()))
    return table("Visits", "Visit|Kind|Practitioner|State", rows)


def page_of(user: User, key: UUID) -> str:
    """The page of a visit that this user may open; empty where there is none."""
    name = "visit" if may(user.role, "visit.see") else "visit-front" if may(user.role, "visit.front") else ""
    return reverse(name, args=[key]) if name else ""


urls = [path("queue", queue, name="queue")]
