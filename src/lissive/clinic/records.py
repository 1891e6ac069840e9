"""The trail, who looked, export, legal hold, retention, deletion."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from lissive.clinic.access import enter
from lissive.clinic.pages import shown


def audit(request: HttpRequest) -> HttpResponse:
    enter(request, "audit.see")
    return shown(request, "said.html.j2", "Audit", {"head": "Audit", "lines": []}, page="audit")


urls = [path("audit", audit, name="audit")]
