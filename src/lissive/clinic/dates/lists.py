"""The page of dates: what runs out in the next months, and to whom a reminder of it went."""

from __future__ import annotations

import datetime
from typing import Any, cast

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from lissive.clinic.access import enter
from lissive.clinic.dates.due import (
    KINDS,
    MOST,
    OF_CERTIFICATE,
    OF_CREDENTIAL,
    Due,
    Things,
    due_between,
    of_patient,
    things_of,
)
from lissive.clinic.forms import TEXTS, day_text, place_text
from lissive.clinic.models import Patient, Reminder, User, Visit
from lissive.clinic.pages import shown
from lissive.clinic.patients import patient_link
from lissive.clinic.rights import may
from lissive.clinic.zones import clock_text
from lissive.report.table import Table, table

AHEAD, BACK = 90, 30
ENDED = (Visit.Status.DONE, Visit.Status.DECLINED, Visit.Status.NO_SHOW, Visit.Status.CANCELLED)
A_PAGE = 25


def dates(request: HttpRequest) -> HttpResponse:
    user: User = enter(request, "date.see")
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    today = timezone.localdate()
    first, last = (today + datetime.timedelta(days=days) for days in (-BACK, AHEAD))
    rows = due_between(first, last, kind, user.organisation_id)
    found: Page[Due] = Paginator(cast("Any", rows), A_PAGE).get_page(request.GET.get("page"))
    past = len(due_between(first, today - datetime.timedelta(days=1), kind, user.organisation_id))
    content = {
        **TEXTS,
        "found": found,
        "rows": _table(user, found, today),
        "kinds": [("", "All"), *KINDS.items()],
        "kind": kind,
        "ahead": AHEAD,
        "first": first,
        "coming": found.paginator.count - past,
        "past": past,
        "more": f"kind={kind}&" if kind else "",
        "may_law": may(user.role, "case.see"),
    }
    return shown(request, "dates.html.j2", "Dates", content, page="dates")


def _table(user: User, found: Page[Any], today: datetime.date) -> Table:
    dues = list(found)
    things, sent = things_of(dues), _reminders(dues)
    rows = []
    for each in dues:
        if each.kind in OF_CREDENTIAL:
            held = things.credentials[each.thing]
            whose: str = format_html(
                "{}{}", held.practitioner.name, f", {place_text(held.place)}" if held.place else ""
            )
        else:
            whose = patient_link(things.patients[each.patient]) if each.patient else ""
        rows.append(
            (
                _on(each, today),
                _what(user, each, things),
                whose,
                sent.get((each.kind, str(each.thing), each.on), ""),
            )
        )
    return table("Dates", "Day|What|Whose|Reminders", rows)


def _on(each: Due, today: datetime.date) -> str:
    left = (each.on - today).days
    if left < 0:
        return format_html('{}<br><span class="verdict no">Past</span>', day_text(each.on))
    words = "today" if left == 0 else "tomorrow" if left == 1 else f"in {left} days"
    return format_html('{}<br><span class="soft small">{}</span>', day_text(each.on), words)


def _what(user: User, each: Due, things: Things) -> str:
    """With what may be done about it."""
    if each.kind == "review" and may(user.role, "review.see"):
        return format_html('<a href="{}">{}</a>', reverse("review", args=[each.thing]), each.what)
    if each.kind in OF_CERTIFICATE and each.patient and may(user.role, "case.add"):
        link = reverse("certificate-renew", args=[each.thing])
        more = format_html('<span class="only-read">, {}</span>', things.patients[each.patient].name)
        return format_html('{}<br><a class="small" href="{}">Renew{}</a>', each.what, link, more)
    return each.what


def _reminders(dues: list[Due]) -> dict[tuple[str, str, datetime.date], str]:
    """By date, to whom a mail went, when, or why not."""
    by: dict[tuple[str, str, datetime.date], list[Reminder]] = {}
    for row in Reminder.objects.filter(thing__in=[str(each.thing) for each in dues]).order_by("-days"):
        by.setdefault((row.kind, row.thing, row.due), []).append(row)
    return {
        key: format_html_join(mark_safe("<br>"), "{}", ((_words(row),) for row in rows))
        for key, rows in by.items()
    }


def _words(row: Reminder) -> str:
    head = f"{row.days} days before, to the {row.to}: "
    if row.sent:
        return f"{head}sent on {day_text(timezone.localtime(row.sent).date())}."
    failed = (
        format_html('<span class="trouble">not sent.</span> {}', row.failed)
        if row.failed
        else "not sent yet."
    )
    return format_html("{}{}", head, failed)


# -- a patient's own --------------------------------------------------------------------------------
def patient_dates(patient: Patient) -> Table:
    """Visits to come, each with a file for a calendar, and what runs out, the nearest first."""
    today = timezone.localdate()
    visits = patient.visits.filter(day__gte=today).exclude(status__in=ENDED).select_related("practitioner")
    rows = [(each.day, _visit_row(each)) for each in visits.defer("record").order_by("starts")[:MOST]]
    rows += [(each.on, (day_text(each.on), each.what)) for each in of_patient(patient, today)]
    return table("Your dates", "Day|What", [row for _, row in sorted(rows, key=lambda each: each[0])])


def _visit_row(each: Visit) -> tuple[str, str]:
    starts = timezone.localtime(each.starts)
    kind = each.get_kind_display()
    link = reverse("visit-calendar", args=[each.pk])
    what = format_html(
        'Visit, {}, {}<br><a class="small" href="{}">Add it to your calendar</a>',
        f"{kind[:1].lower()}{kind[1:]}",
        each.practitioner.name,
        link,
    )
    return f"{day_text(starts.date())}, {clock_text(starts)}", what


urls = [path("dates", dates, name="dates")]
