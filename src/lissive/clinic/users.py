"""Who can log in, in which role; the settings of the clinic."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from lissive.clinic.access import enter
from lissive.clinic.pages import shown


def users(request: HttpRequest) -> HttpResponse:
    enter(request, "user.list")
    return shown(request, "said.html.j2", "Users", {"head": "Users", "lines": []}, page="users")


urls = [path("users", users, name="users")]
