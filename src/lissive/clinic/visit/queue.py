"""The queue of a day: whom the clinic sees, how far each visit is, and why one cannot go on."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from lissive.clinic import work
from lissive.clinic.access import enter, of_clinic
from lissive.clinic.forms import day_text, is_day
from lissive.clinic.models import Credential, Decision, Patient, Review, User, Visit
from lissive.clinic.pages import shown
from lissive.clinic.rights import may
from lissive.clinic.visit.record import FINAL
from lissive.clinic.visit.standing import blocks_of
from lissive.report.table import Table, table

S = Visit.Status
MOST = 20
"""Of reviews, second opinions and visits of earlier days that are named."""
EARLIER_DAYS = 30
HEALTH = ("case", "adjectives", "findings", "pregnancy", "capacity", "safety", "minor", "")
"""Parts of the record whose blocks say something of the patient's health."""
KINDS = {S.READY: "yes", S.IN_VISIT: "maybe", S.TO_SIGN: "maybe", S.INTAKE: "unsure"}


# -- blocks, kept on the row -----------------------------------------------------------------------
LIGHT = (
    "status", "kind", "day", "starts", "place", "blocks", "blocks_of", "ended_why", "version", "organisation",
    "patient__given_name", "patient__family_name", "patient__version",
    "practitioner__name", "practitioner__version", "case__version", "decision__version",
)  # fmt: skip
"""What a row of the queue needs: neither the case nor the record."""


def with_blocks(found: QuerySet[Visit], today: datetime.date) -> list[Visit]:
    """Visits whose blocks are those of today; worked out again where something they rest on has changed.

    The number of queries does not hang on the number of visits.
    """
    visits = list(found.select_related("patient", "practitioner", "case", "decision").only(*LIGHT))
    open_ones = [each for each in visits if each.status not in FINAL]
    credentials = _credentials_of(open_ones)
    keys = {each.pk: _key(each, credentials, today) for each in open_ones}
    late = [each for each in open_ones if each.blocks_of != keys[each.pk]]
    if late:
        held = Prefetch("practitioner__credentials", Credential.objects.order_by("pk"))
        loaded = Visit.objects.filter(pk__in=[each.pk for each in late])
        whole = loaded.select_related("patient", "practitioner", "case", "decision").prefetch_related(held)
        blocks = {each.pk: [one.to_json() for one in blocks_of(each, on_of(each, today))] for each in whole}
        for each in late:
            each.blocks, each.blocks_of = blocks.get(each.pk, []), keys[each.pk]
        Visit.objects.bulk_update(late, ["blocks", "blocks_of"], batch_size=200)
    return visits


def on_of(visit: Visit, today: datetime.date) -> datetime.date:
    """The day for which a visit is judged: its own, or today where that has passed."""
    return max(visit.day, today)


def _credentials_of(visits: Iterable[Visit]) -> Mapping[Any, list[Any]]:
    """By practitioner, what changes when a credential does."""
    found: dict[Any, list[Any]] = {}
    rows = Credential.objects.filter(practitioner__in={each.practitioner_id for each in visits})
    for who, one, version in rows.order_by("pk").values_list("practitioner_id", "pk", "version"):
        found.setdefault(who, []).append((str(one), version))
    return found


def _key(visit: Visit, credentials: Mapping[Any, list[Any]], today: datetime.date) -> str:
    """Of all that the blocks rest on: another key, other blocks."""
    decision = getattr(visit, "decision", None)
    rests_on = [
        on_of(visit, today).isoformat(),
        work.tables(),
        [visit.version, visit.kind, visit.place, str(visit.case_id), visit.case.version if visit.case else 0],
        [visit.patient.version, str(visit.practitioner_id), visit.practitioner.version],
        [decision.version, 1] if decision else [],
        credentials.get(visit.practitioner_id, []),
    ]
    return hashlib.sha256(json.dumps(rests_on).encode()).hexdigest()


# -- the page --------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Row:
    """One visit of the queue."""

    visit: Visit
    href: str
    clock: str
    state: str
    kind: str
    """Of the verdict."""
    blocks: Sequence[Mapping[str, Any]]
    """What stands against it."""
    to_do: int
    """Points that are open."""
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
    waiting = [each for each in rows if each.visit.status not in FINAL]
    earlier: list[Row] = []
    if day == today:
        since = today - datetime.timedelta(days=EARLIER_DAYS)
        late = mine.filter(day__gte=since, day__lt=today, status__in=(S.IN_VISIT, S.TO_SIGN))
        earlier = [_row(user, each) for each in with_blocks(late.order_by("day", "starts")[:MOST], today)]
    content = {
        "day": day,
        "day_text": day_text,
        "is_today": day == today,
        "before": day - datetime.timedelta(days=1),
        "after": day + datetime.timedelta(days=1),
        "now": [each for each in waiting if each.visit.status in (S.IN_VISIT, S.TO_SIGN)],
        "waiting": [each for each in waiting if each.visit.status not in (S.IN_VISIT, S.TO_SIGN)],
        "ended": [each for each in rows if each.visit.status in FINAL],
        "earlier": earlier,
        "in_short": in_short(rows),
        "others": _others(user, today) if day == today else [],
    }
    return shown(request, "queue.html.j2", "Queue", content, page="queue")


def _row(user: User, visit: Visit) -> Row:
    whole = may(user.role, "visit.see")
    against = [each for each in visit.blocks if not each["is_open"]] if visit.status not in FINAL else []
    if not whole:
        against = [each if each["part"] not in HEALTH else _HIDDEN for each in against]
    is_blocked = bool(against)
    return Row(
        visit,
        page_of(user, visit),
        f"{timezone.localtime(visit.starts):%H:%M}",
        f"Blocked · {visit.get_status_display().lower()}" if is_blocked else visit.get_status_display(),
        "no" if is_blocked else KINDS.get(S(visit.status), ""),
        against,
        sum(each["is_open"] for each in visit.blocks)
        if whole and visit.status in (S.IN_VISIT, S.TO_SIGN)
        else 0,
        visit.ended_why if whole else "",
    )


_HIDDEN = {"why": "The practitioner sees why.", "clause": "", "source": "", "part": "", "is_open": False}


def in_short(rows: Sequence[Row]) -> str:
    """How many there are of each, in one sentence."""
    if not rows:
        return "No visit is booked."
    counts: dict[str, int] = {}
    for each in rows:
        state = "blocked" if each.blocks else each.visit.get_status_display().lower()
        counts[state] = counts.get(state, 0) + 1
    said = ", ".join(f"{count} {state}" for state, count in counts.items())
    return f"{len(rows)} visit{'' if len(rows) == 1 else 's'}: {said}."


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
        second = Decision.objects.filter(visit__organisation=user.organisation_id, second_agrees=None)
        second = second.exclude(second_needed="").exclude(visit__status__in=FINAL)
        rows = [
            (each.visit.patient.name, each.second_needed, link_to("decision-second", each.pk))
            for each in second.select_related("visit__patient").order_by("at")[:MOST]
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
    counts = {S(status): count for status, count in found.order_by()}
    said = ", ".join(f"{counts[each]} {each.label.lower()}" for each in S if each in counts)
    total = sum(counts.values())
    return (
        f"{total} visit{'' if total == 1 else 's'} today: {said}." if total else "No visit is booked today."
    )


def visit_table(user: User, patient: Patient) -> Table:
    """The last visits of a patient, each with a link to what this user may see of it."""
    found = patient.visits.select_related("practitioner").defer("record", "blocks").order_by("-starts")[:MOST]
    rows = []
    for each in found:
        local = timezone.localtime(each.starts)
        text, href = f"{day_text(local.date())}, {local:%H:%M}", page_of(user, each)
        link = format_html('<a href="{}">{}</a>', href, text) if href else text
        rows.append((link, each.get_kind_display(), each.practitioner.name, each.get_status_display()))
    return table("Visits", "Visit|Kind|Practitioner|State", rows)


def page_of(user: User, visit: Visit) -> str:
    """The page of a visit that this user may open; empty where there is none."""
    name = "visit" if may(user.role, "visit.see") else "visit-front" if may(user.role, "visit.front") else ""
    return reverse(name, args=[visit.pk]) if name else ""


urls = [path("queue", queue, name="queue")]
