"""The start page: for staff what is open, for a patient their own record."""

from __future__ import annotations

import datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html

from lissive.clinic.access import enter, of_clinic
from lissive.clinic.cases import case_table
from lissive.clinic.dates.lists import patient_dates
from lissive.clinic.forms import TEXTS, time_text
from lissive.clinic.models import Case, Patient, User, Work
from lissive.clinic.pages import shown
from lissive.clinic.patients import page_of, patient_content
from lissive.clinic.rights import may
from lissive.clinic.visit.queue import today_in_short
from lissive.report.table import Table, table

MOST = 20
MOST_OPEN = 1_000
"""Of the open cases, by their last change: to count them all takes longer than the rest of the page."""
WORK_DAYS = 7
"""For how many days a forecast that has ended is named."""


def today(request: HttpRequest) -> HttpResponse:
    user: User = enter(request, "today.see", quiet=True)
    mine = Patient.objects.filter(user=user).first() if user.role == "patient" else None
    if mine is not None:
        own = patient_content(user, mine) | {"dates": patient_dates(mine)}
        return shown(request, "today.html.j2", "Your record", own, page="today")
    content: dict[str, Any] = {
        **TEXTS,
        "day": timezone.localdate(),
        "patient": None,
        "may": lambda right: may(user.role, right),
        "search": may(user.role, "patient.list"),
        "queue": today_in_short(user) if may(user.role, "queue.see") else "",
        "cases": None,
        "drafts": None,
        "work": None,
    }
    if may(user.role, "case.see"):
        content |= _open(request, user)
    return shown(request, "today.html.j2", "Today", content, page="today")


def _open(request: HttpRequest, user: User) -> dict[str, Any]:
    """Open cases of the clinic, the last changed first; drafts; forecasts that have ended."""
    found = (
        of_clinic(user, Case)
        .filter(status=Case.Status.OPEN)
        .select_related("patient")
        .order_by("-changed", "pk")
    )
    cases = page_of(found[:MOST_OPEN], request.GET.get("page"))
    drafts = found.filter(draft__isnull=False)[:MOST] if may(user.role, "case.change") else ()
    since = timezone.now() - datetime.timedelta(days=WORK_DAYS)
    # by way of the work, of which there is little, and not of all cases of the clinic
    ended = Work.objects.filter(
        Exists(of_clinic(user, Case).filter(pk=OuterRef("case"), status=Case.Status.OPEN)),
        kind="forecast",
        status__in=(Work.Status.DONE, Work.Status.FAILED),
        ended__gte=since,
    )
    work = ended.select_related("case__patient").defer("given").order_by("-ended")[:MOST]
    return {
        "cases": cases,
        "most_open": MOST_OPEN,
        "case_rows": case_table(cases, True, named=True),
        "drafts": _draft_table(drafts, user),
        "work": _work_table(work),
    }


def _draft_table(drafts: Any, user: User) -> Table:
    rows = [
        (
            format_html('<a href="{}">{}</a>', reverse("case-edit", args=[each.pk]), each.patient.name),
            "You" if each.draft["user"] == user.pk else each.draft["who"],
            time_text(each.draft["at"]),
        )
        for each in drafts
    ]
    return table("Drafts not saved yet", "Patient|By|Last typed", rows)


def _work_table(work: Any) -> Table:
    rows = [
        (
            format_html('<a href="{}">{}</a>', reverse("case", args=[each.case_id]), each.case.patient.name),
            "Ready" if each.status == Work.Status.DONE else f"Failed: {each.failed}",
            time_text(each.ended),
        )
        for each in work
    ]
    return table("Forecasts", "Patient|Forecast|Ended", rows)


urls = [path("", today, name="today")]
