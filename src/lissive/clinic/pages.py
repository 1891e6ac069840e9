"""The frame of the clinic's pages, and what is said where something is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse

from lissive.clinic.rights import may
from lissive.version import __version__

NAV = (
    ("today", "Today", "today.see"),
    ("patients", "Patients", "patient.list"),
    ("users", "Users", "user.list"),
    ("audit", "Audit", "audit.see"),
)
SCRIPTS = ("htmx-4.0.1.min.js", "clinic.js")
FOOT = ("Decision support, not a prescription and not legal advice.", f"Lissive {__version__}.")


def frame(request: HttpRequest, page: str = "") -> dict[str, Any]:
    """What every page has, also those of the log-in."""
    user = request.user
    role = getattr(user, "role", "")
    nav = [
        {"href": reverse(name), "label": label, "current": "page" if name == page else "", "lang": ""}
        for name, label, right in NAV
        if role and may(role, right)
    ]
    return {
        "nav": nav,
        "home": reverse("today"),
        "assets": static(""),
        "lang": "en",
        "scripts": SCRIPTS,
        "foot": FOOT,
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
        "The page was open for too long, or cookies are refused.",
        "Go back, load the page again, and send it once more.",
    ]
    return said(request, 403, "The form was not accepted", lines)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    lines = ["There is nothing here that you may see. Correct the address, or begin at the start page."]
    return said(request, 404, "There is no such page", lines)


def fault(request: HttpRequest) -> HttpResponse:
    lines = ["The fault is in the program. What was saved before is kept. Go back and try again."]
    return said(request, 500, "Something went wrong here", lines)
