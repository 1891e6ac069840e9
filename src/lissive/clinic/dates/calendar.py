"""Calendars: a user's visits and dates at a secret address, and one visit as a file. No patient is named in them."""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import NoReverseMatch, path, reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_http_methods, require_safe

from lissive.clinic import audit, zones
from lissive.clinic.access import enter, of_clinic
from lissive.clinic.dates.due import KINDS
from lissive.clinic.forms import TEXTS, place_text
from lissive.clinic.models import Credential, Feed, User, Visit
from lissive.clinic.pages import shown
from lissive.clinic.place import place
from lissive.clinic.rights import may
from lissive.ics import calendar_text, escaped

BACK, AHEAD = 30, 366
MOST = 2_000
"""Visits of a calendar."""
ICS = "text/calendar; charset=utf-8"
UTC = "%Y%m%dT%H%M%SZ"


# -- the address ------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def calendar(request: HttpRequest) -> HttpResponse:
    """Whether there is an address; a new one, shown once; or its end."""
    user: User = enter(request, "date.see")
    address = ""
    if request.method == "POST":
        do = request.POST.get("do", "")
        with transaction.atomic():
            ended = Feed.objects.filter(user=user).delete()[0]
            if do == "make":
                secret = secrets.token_urlsafe(32)
                Feed.objects.create(user=user, secret=hashed(secret))
                address = request.build_absolute_uri(reverse("calendar-feed", args=[secret]))
            if do == "make" or ended:
                audit.append(
                    "calendar.made" if do == "make" else "calendar.ended", user, kind="user", thing=user.pk
                )
        if not address:
            return redirect("calendar")
    content = {**TEXTS, "feed": Feed.objects.filter(user=user).first(), "address": address}
    response = shown(request, "calendar.html.j2", "Your calendar", content, page="dates")
    response.headers["Cache-Control"] = "no-store"
    return response


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@require_safe
def calendar_feed(request: HttpRequest, secret: str) -> HttpResponseBase:
    """The calendar. Programs that fetch it cannot log in: who has the secret of a user that may see it, sees it."""
    feed = (
        Feed.objects.filter(secret=hashed(secret))
        .select_related("user__practitioner", "user__organisation")
        .first()
    )
    if feed is None or not feed.user.is_active or not may(feed.user.role, "date.see"):
        raise Http404
    zones.use(feed.user.organisation)
    _say(feed)
    return _file(request, calendar_of(feed.user), "lissive.ics")


def _say(feed: Feed) -> None:
    """In the trail once a day: programs fetch it every few minutes."""
    today = timezone.localdate()
    if feed.fetched == today:
        return
    with transaction.atomic():
        if Feed.objects.filter(pk=feed.pk).exclude(fetched=today).update(fetched=today):
            audit.append("calendar.fetched", feed.user, kind="user", thing=feed.user_id)


def _file(request: HttpRequest, text: str, name: str) -> HttpResponseBase:
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    response = HttpResponse(text, content_type=ICS)
    response.headers["ETag"] = etag
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-cache"
    found: HttpResponseBase = get_conditional_response(request, etag=etag, response=response) or response
    return found


# -- what is in it ----------------------------------------------------------------------------------
def calendar_of(user: User) -> str:
    """A practitioner's own visits and credentials; of who is none, those of the clinic."""
    own = getattr(user, "practitioner", None)
    today = timezone.localdate()
    first, last = (today + datetime.timedelta(days=days) for days in (-BACK, AHEAD))
    visits = of_clinic(user, Visit).filter(day__range=(first, last)).select_related("practitioner")
    held = of_clinic(user, Credential).filter(expires__range=(first, last)).select_related("practitioner")
    if own is not None:
        visits, held = visits.filter(practitioner=own), held.filter(practitioner=own)
    listed = visits.defer("record", "blocks").order_by("starts", "pk")[:MOST]
    lines = [line for each in listed for line in visit_lines(each, names=own is None)]
    lines += [line for each in held.order_by("expires", "pk") for line in _day_lines(each, names=own is None)]
    return calendar_text("clinic", lines)


def visit_lines(visit: Visit, *, names: bool = False, for_patient: bool = False) -> Iterator[str]:
    """`names`: of the practitioner; a patient is never named."""
    ends = visit.starts + datetime.timedelta(minutes=visit.minutes)
    words = f"Visit, {visit.get_kind_display()[:1].lower()}{visit.get_kind_display()[1:]}"
    gone = visit.status in (Visit.Status.CANCELLED, Visit.Status.NO_SHOW)
    yield "BEGIN:VEVENT"
    yield f"UID:visit-{visit.pk}@lissive"
    yield f"DTSTAMP:{visit.booked.astimezone(datetime.UTC):{UTC}}"
    yield f"SEQUENCE:{visit.version}"
    yield f"DTSTART:{visit.starts.astimezone(datetime.UTC):{UTC}}"
    yield f"DTEND:{ends.astimezone(datetime.UTC):{UTC}}"
    yield f"SUMMARY:{escaped(f'{words}, {visit.practitioner.name}' if names or for_patient else words)}"
    yield f"STATUS:{'CANCELLED' if gone else 'CONFIRMED'}"
    yield "CLASS:PRIVATE"
    link = (
        (visit.practitioner.video_url if visit.kind == "video" else "")
        if for_patient
        else _link("visit", visit.pk)
    )
    yield from _link_lines(link)
    yield "END:VEVENT"


def _day_lines(held: Credential, *, names: bool) -> Iterator[str]:
    assert held.expires is not None
    words = zones.said(KINDS[held.kind]) + (f", {place_text(held.place)}" if held.place else "")
    yield "BEGIN:VEVENT"
    yield f"UID:credential-{held.pk}@lissive"
    yield f"DTSTAMP:{held.checked_on or held.issued or held.expires:%Y%m%d}T000000Z"
    yield f"SEQUENCE:{held.version}"
    yield f"DTSTART;VALUE=DATE:{held.expires:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{held.expires + datetime.timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{escaped(f'{words}: {held.practitioner.name}' if names else words)}"
    yield "TRANSP:TRANSPARENT"
    yield from _link_lines(_link("dates"))
    yield "END:VEVENT"


def _link_lines(link: str) -> Iterable[str]:
    return (f"URL:{link}", f"DESCRIPTION:{escaped(link)}") if link else ()


def _link(name: str, *keys: UUID) -> str:
    """The address of a page, where it is known which address visitors use."""
    base = place().address
    try:
        return f"{base}{reverse(name, args=keys)}"
    except NoReverseMatch:
        return f"{base}/"


# -- one visit --------------------------------------------------------------------------------------
@require_safe
def visit_calendar(request: HttpRequest, id: UUID) -> HttpResponseBase:
    """One visit as a file, for the calendar of the patient or of who booked it."""
    visit: Visit = enter(request, "visit.book", Visit, id)
    assert isinstance(request.user, User)
    text = calendar_text("clinic", visit_lines(visit, for_patient=request.user.role == "patient"))
    return _file(request, text, f"visit-{timezone.localtime(visit.starts):%Y-%m-%d}.ics")


urls: list[Any] = [
    path("calendar", calendar, name="calendar"),
    path("calendar/<str:secret>.ics", calendar_feed, name="calendar-feed"),
    path("visits/<uuid:id>/calendar", visit_calendar, name="visit-calendar"),
]
