"""The frame of the clinic's pages, and what is said where something is wrong."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse

from lissive.clinic.forms import TEXTS
from lissive.clinic.rights import may
from lissive.version import __version__
from lissive.versions import data_line

NAV = (
    ("today", "Today", "today.see"),
    ("queue", "Queue", "queue.see"),
    ("bookings", "Bookings", "visit.book"),
    ("patients", "Patients", "patient.list"),
    ("practitioners", "Practitioners", "credential.see"),
    ("dates", "Dates", "date.see"),
    ("users", "Users", "user.list"),
    ("audit", "Audit", "audit.see"),
    ("clinic-settings", "Settings", "clinic.change"),
)
SCRIPTS = ("htmx-4.0.1.min.js", "clinic.js")
FOOT = ("Decision support, not a prescription and not legal advice.", f"Lissive {__version__}. {data_line()}")


def frame(request: HttpRequest, page: str = "") -> dict[str, Any]:
    """What every page has, also those of the log-in."""
    user = getattr(request, "user", None)  # what is refused before anyone is known has none
    role = getattr(user, "role", "")
    nav = [
        {"href": reverse(name), "label": label, "current": "page" if name == page else "", "lang": ""}
        for name, label, right in NAV
        if role and may(role, right)
    ]
    return {
        **TEXTS,
        "nav": nav,
        "home": reverse("today"),
        "assets": static(""),
        "lang": "en",
        "scripts": SCRIPTS,
        "foot": ("A demonstration: all patients are invented.", *FOOT) if settings.DEMO else FOOT,
        "me": user if role else None,
    }


def shown(
    request: HttpRequest,
    template: str,
    title: str,
    content: dict[str, Any] | None = None,
    *,
    page: str = "",
    status: int = 200,
) -> HttpResponse:
    """A page in its frame."""
    given = {**frame(request, page), "title": title, **(content or {})}
    return render(request, f"clinic/{template}", given, status=status, using="jinja2")


def said(request: HttpRequest, status: int, head: str, lines: Sequence[str]) -> HttpResponse:
    return shown(request, "said.html.j2", head, {"head": head, "lines": lines}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    lines = ["It is larger than this page takes, or is not what a page of this site sends."]
    return said(request, 400, "This could not be read", lines)


def forbidden(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> HttpResponse:
    if isinstance(exception, Exception):
        lines = ["Your role does not have this right. Ask your administrator if you need it."]
        return said(request, 403, "You may not do this", lines)
    lines = [
        "You logged in or out since the page was loaded, or cookies are refused. Nothing of it was saved.",
        "Go back, load the page again, and send it once more.",
    ]
    return said(request, 403, "The form was not accepted", lines)


def not_taken(request: HttpRequest, to: str) -> HttpResponse:
    """A form that came after the log-in had ended: what was typed is shown, and held by the browser that sent it."""
    typed = [
        (name.replace("_", " ").replace(".", ", ").capitalize(), each)
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken" and "password" not in name
        for each in values
        if each.strip()
    ]
    content = {"to": to, "typed": typed, "minutes": settings.SESSION_COOKIE_AGE // 60}
    return shown(request, "not_taken.html.j2", "Your log-in had ended", content, status=401)


def too_many(request: HttpRequest, wait_s: float = 60) -> HttpResponse:
    lines = [
        f"Wait {max(1, round(wait_s))} seconds, then go back and try again. Nothing of this request was saved."
    ]
    response = said(request, 429, "Too many requests from this address", lines)
    response.headers["Retry-After"] = str(max(1, round(wait_s)))
    return response


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    lines = ["There is nothing here that you may see. Correct the address, or begin at the start page."]
    return said(request, 404, "There is no such page", lines)


NOT_STORED = (
    (
        "full",
        507,
        "The disk of the server is full",
        "Tell the person who runs the server: it needs free space.",
    ),
    ("locked", 503, "The server is busy", "Wait a moment, then go back and send it again."),
    (
        "",
        503,
        "Nothing can be saved at present",
        "Tell the person who runs the server: its database takes no changes.",
    ),
)
"""What a database that fails says, by a word in its message; the last: whatever else it says."""


def fault(request: HttpRequest) -> HttpResponse:
    error = sys.exception()
    if isinstance(error, OperationalError | InternalError):
        request.user = AnonymousUser()  # who it is may not be readable either
        text = str(error).lower()
        _, status, head, todo = next(row for row in NOT_STORED if row[0] in text)
        return said(request, status, head, ["Nothing of this request was saved.", todo])
    lines = ["The fault is in the program. What was saved before is kept. Go back and try again."]
    return said(request, 500, "Something went wrong here", lines)
