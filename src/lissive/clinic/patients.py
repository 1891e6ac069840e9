"""Patients: search, add, see, change."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from lissive.clinic.access import enter
from lissive.clinic.pages import shown


def patients(request: HttpRequest) -> HttpResponse:
    enter(request, "patient.list")
    return shown(request, "said.html.j2", "Patients", {"head": "Patients", "lines": []}, page="patients")


urls = [path("patients", patients, name="patients")]
