"""The trail, who looked, export, legal hold, retention, deletion."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC
from itertools import islice
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone

from lissive.clinic import audit as trail
from lissive.clinic import retention
from lissive.clinic.access import enter, of_clinic
from lissive.clinic.export import export
from lissive.clinic.models import Entry, Patient, User, folded
from lissive.clinic.pages import said, shown
from lissive.clinic.rights import may
from lissive.clinic.trail import (
    Entries,
    Filter,
    action_words,
    day_words,
    detail_words,
    role_words,
    time_words,
    together,
    wrong_of,
)
from lissive.files import write_rows

PAGE = 50
LOOKS = 300
"""Entries of a page of who looked; many of them are shown as one."""
CSV = (
    "number",
    "time (UTC)",
    "user",
    "name",
    "role",
    "action",
    "in words",
    "of",
    "key",
    "patient",
    "detail",
    "hash",
)


# -- the trail --------------------------------------------------------------------------------------
def audit(request: HttpRequest) -> HttpResponseBase:
    user: User = enter(request, "audit.see")
    asked = Filter(request.POST.dict(), user)
    if not asked.is_valid():
        return _trail_page(request, user, asked, [], status=422)
    if request.POST.get("as") == "csv":
        trail.append(
            "audit.exported", user, detail={"filters": sorted(k for k, v in asked.cleaned_data.items() if v)}
        )
        answer = StreamingHttpResponse(_csv(asked.found()), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="audit-{timezone.localdate()}.csv"'
        return answer
    return _trail_page(request, user, asked, list(asked.found()[: PAGE + 1]))


def _trail_page(
    request: HttpRequest, user: User, asked: Filter, entries: list[Entry], status: int = 200
) -> HttpResponse:
    shown_entries = entries[:PAGE]
    names: dict[UUID | None, str] = {}
    if may(user.role, "patient.who_looked"):
        keys = {each.patient for each in shown_entries if each.patient}
        names = {each.pk: each.name for each in of_clinic(user, Patient).filter(pk__in=keys)}
    content = {
        "asked": asked,
        "typed": {name: asked.data.get(name, "") for name in asked.fields},
        "entries": [
            (
                f"{day_words(each.at)}, {time_words(each.at, seconds=True)}",
                each,
                role_words(each),
                action_words(each.action),
                detail_words(each.detail),
                names.get(each.patient, ""),
            )
            for each in shown_entries
        ],
        "older": shown_entries[-1].pk if len(entries) > PAGE else None,
        "wrong": wrong_of(asked),
        "is_filtered": any(asked.data.get(name) for name in asked.fields),
    }
    return shown(request, "audit.html.j2", "Audit", content, page="audit", status=status)


def _csv(entries: Entries) -> Iterator[str]:
    rows = (_cells(each) for each in entries.iterator(1000))
    some: list[tuple[Any, ...]] = [CSV]
    while some:
        out = io.StringIO()
        write_rows(out, some, end="\r\n")
        yield out.getvalue()
        some = list(islice(rows, 500))


def _cells(entry: Entry) -> tuple[Any, ...]:
    return (
        entry.pk,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.user,
        entry.who,
        entry.role,
        entry.action,
        action_words(entry.action),
        entry.kind,
        entry.thing,
        entry.patient or "",
        json.dumps(entry.detail, ensure_ascii=False, sort_keys=True) if entry.detail else "",
        entry.hash,
    )


# -- who looked -------------------------------------------------------------------------------------
def patient_looked(request: HttpRequest, id: UUID) -> HttpResponse:
    patient: Patient = enter(request, "patient.who_looked", Patient, id)
    every = Entry.objects.filter(patient=patient.pk).order_by("-pk")
    before = request.GET.get("before", "")
    is_first = not (before.isascii() and before.isdigit() and len(before) < 19)
    entries = list((every if is_first else every.filter(pk__lt=int(before)))[: LOOKS + 1])
    people = every.exclude(user=None)  # which is the worker
    if patient.user_id:
        people = people.exclude(user=patient.user_id)
    content = {
        "patient": patient,
        "is_own": patient.user_id == request.user.pk,
        "people": people.order_by().values("user").distinct().count(),
        "since": day_words(patient.added),
        "is_first": is_first,
        "looks": [(each, role_words(each.first)) for each in together(entries[:LOOKS])],
        "older": entries[LOOKS - 1].pk if len(entries) > LOOKS else None,
        "may_audit": may(_user(request).role, "audit.see"),
    }
    return shown(request, "looked.html.j2", "Who looked", content, page="patients")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


# -- export -----------------------------------------------------------------------------------------
def patient_export(request: HttpRequest, id: UUID) -> HttpResponse:
    patient: Patient = enter(request, "patient.export", Patient, id)
    if request.method != "POST":
        return shown(request, "export.html.j2", "Export", {"patient": patient}, page="patients")
    answer = HttpResponse(export(patient, _user(request)), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="record-{patient.pk}.zip"'
    return answer


# -- legal hold -------------------------------------------------------------------------------------
class Why(forms.Form):
    why = forms.CharField(
        max_length=500,
        error_messages={
            "required": "Give the reason.",
            "max_length": "This is too long. Allowed: 500 characters.",
        },
    )


def patient_hold(request: HttpRequest, id: UUID) -> HttpResponse:
    patient: Patient = enter(request, "patient.hold", Patient, id)
    form = Why(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        change = retention.lift_hold if request.POST.get("do") == "lift" else retention.set_hold
        if not change(patient, _user(request), form.cleaned_data["why"]):
            return _hold_page(
                request, patient, form, "It was changed meanwhile. This is how it stands now.", 409
            )
        return redirect("patient-hold", patient.pk)
    return _hold_page(request, patient, form, "", 422 if form.errors else 200)


def _hold_page(request: HttpRequest, patient: Patient, form: Why, note: str, status: int) -> HttpResponse:
    holds = list(patient.holds.select_related("set_by").order_by("-set_at"))
    content = {
        "patient": patient,
        "standing": next((each for each in holds if each.lifted_at is None), None),
        "past": [each for each in holds if each.lifted_at],
        "day": day_words,
        "typed": form.data.get("why", ""),
        "error": wrong_of(form).get("why", ""),
        "note": note,
    }
    return shown(request, "hold.html.j2", "Legal hold", content, page="patients", status=status)


# -- deletion ---------------------------------------------------------------------------------------
class Deletion(forms.Form):
    reason = forms.ChoiceField(
        choices=list(retention.REASONS.items()),
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose the reason."),
    )
    name = forms.CharField(max_length=300, error_messages={"required": "Type the patient's name."})

    def __init__(self, data: Any, patient: Patient) -> None:
        super().__init__(data)
        self.patient = patient

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if folded(name) != folded(self.patient.name):
            raise forms.ValidationError("This is another name. Allowed: the name as it stands above.")
        return name


def patient_delete(request: HttpRequest, id: UUID) -> HttpResponse:
    patient: Patient = enter(request, "patient.delete", Patient, id)
    against = retention.why_kept(patient)
    form = Deletion(request.POST if request.method == "POST" else None, patient)
    if request.method == "POST" and not against and form.is_valid():
        against = retention.delete(patient, _user(request), form.cleaned_data["reason"])
        if not against:
            lines = [
                "The patient's details, cases, answers, documents, treatments and log-in are deleted.",
                "The trail keeps who saw and changed the record, and that it was deleted. It names nobody's health.",
            ]
            return said(request, 200, "The record is deleted", lines)
    content = {
        "patient": patient,
        "against": against,
        "cases": patient.cases.count(),
        "reasons": [("", "Choose"), *retention.REASONS.items()],
        "typed": {name: form.data.get(name, "") for name in form.fields},
        "wrong": {} if against else wrong_of(form),
    }
    status = 409 if against and request.method == "POST" else 422 if form.errors else 200
    return shown(request, "delete.html.j2", "Delete", content, page="patients", status=status)


urls = [
    path("audit", audit, name="audit"),
    path("patients/<uuid:id>/looked", patient_looked, name="patient-looked"),
    path("patients/<uuid:id>/export", patient_export, name="patient-export"),
    path("patients/<uuid:id>/hold", patient_hold, name="patient-hold"),
    path("patients/<uuid:id>/delete", patient_delete, name="patient-delete"),
]
