"""The case page: what was answered, forecast, documents."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from lissive.clinic.access import enter
from lissive.clinic.models import Case, Document
from lissive.clinic.pages import said


@require_safe
def case(request: HttpRequest, id: UUID) -> HttpResponse:
    found: Case = enter(request, "case.see", Case, id)
    return said(request, 200, found.patient.name, [f"Version {found.version}, {found.status}."])


def document(request: HttpRequest, id: UUID) -> HttpResponse:
    found: Document = enter(request, "document.see", Document, id)
    return said(request, 200, found.kind, [])


urls = [
    path("cases/<uuid:id>", case, name="case"),
    path("documents/<uuid:id>", document, name="document"),
]
