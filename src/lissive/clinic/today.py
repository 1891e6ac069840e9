"""The start page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from lissive.clinic.access import enter
from lissive.clinic.pages import shown


def today(request: HttpRequest) -> HttpResponse:
    enter(request, "today.see", quiet=True)
    return shown(request, "today.html.j2", "Today", page="today")


urls = [path("", today, name="today")]
