"""Patients: search, add, see, change."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods

from lissive.clinic import audit
from lissive.clinic.access import enter, of_clinic
from lissive.clinic.cases import case_table
from lissive.clinic.documents import NAMES
from lissive.clinic.forms import (
    TEXTS,
    PatientForm,
    SearchForm,
    Texts,
    age_on,
    alike,
    changed_fields,
    day_text,
    is_near,
    merged,
    note,
    patient_texts,
    place_text,
    version_of,
    was_of,
)
from lissive.clinic.models import Document, Entry, Patient, User, digits, folded
from lissive.clinic.pages import shown
from lissive.clinic.rights import may
from lissive.clinic.treatments import treatment_table
from lissive.clinic.visit.queue import visit_table
from lissive.clinic.zones import typed
from lissive.report.table import Table, table
from lissive.web.answers import FILES

A_PAGE = 20
MOST_ALIKE = 10
LINKS = (
    ("patient-book", "Book a visit", "visit.book"),
    ("patient-looked", "Who looked at this record", "patient.who_looked"),
    ("user-for-patient", "The patient's own log-in", "user.patient"),
    ("patient-export", "Export", "patient.export"),
    ("patient-hold", "Legal hold", "patient.hold"),
    ("patient-delete", "Delete", "patient.delete"),
)


# -- search ----------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def patients(request: HttpRequest) -> HttpResponse:
    """The search, by POST so that no name stands in an address; before one, who was changed last."""
    user = enter(request, "patient.list")
    form = SearchForm(request.POST if request.method == "POST" else None)
    found: Page[Patient] | None = None
    if form.is_bound and form.is_valid() and not form.is_empty:
        found = page_of(searched(user, form.cleaned_data), request.POST.get("page"))
    last = (
        of_clinic(user, Patient).order_by("-changed")[:A_PAGE] if not form.is_bound or form.is_empty else None
    )
    content = {
        "form": form,
        "found": found,
        "rows": None if found is None else patient_table(found, _found_text(found)),
        "last": None if last is None else patient_table(last, "Changed last"),
        "may_add": may(user.role, "patient.add"),
    }
    status = 422 if form.is_bound and not form.is_valid() else 200
    return shown(
        request, "patients.html.j2", "Patients", {**TEXTS, **content}, page="patients", status=status
    )


def searched(user: User, asked: dict[str, Any]) -> QuerySet[Patient]:
    """Patients of the clinic with every part of the name, this birth date, and a phone number with these digits."""
    found = of_clinic(user, Patient)
    for word in folded(asked["name"]).split():
        found = found.filter(sought__contains=word)
    if asked["born"]:
        found = found.filter(born=asked["born"])
    if asked["phone"]:
        # what has no digit is no number of anybody
        number = digits(asked["phone"])
        found = found.filter(phone_digits__contains=number) if number else found.none()
    return found.order_by("sought", "born", "id")


def page_of(found: QuerySet[Any], number: str | None) -> Page[Any]:
    """One page of a list; the nearest there is where the number is none."""
    return Paginator(found, A_PAGE).get_page(number)


def _found_text(found: Page[Patient]) -> str:
    count = found.paginator.count
    if count <= A_PAGE:
        return f"{count} patient{'' if count == 1 else 's'} found"
    return f"{count:,} patients found, {found.start_index()} to {found.end_index()} shown"


def patient_table(found: Iterable[Patient], caption: str) -> Table:
    today = timezone.localdate()
    rows = [
        (
            patient_link(each),
            f"{day_text(each.born)} ({age_on(each.born, today)})",
            place_text(each.residence),
            each.phone,
        )
        for each in found
    ]
    return table(caption, "Patient|Born (age)|Residence|Phone", rows)


def patient_link(patient: Patient) -> str:
    return format_html(
        '<a href="{}">{}, {}</a>',
        reverse("patient", args=[patient.pk]),
        patient.family_name,
        patient.given_name,
    )


# -- add -------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def patient_add(request: HttpRequest) -> HttpResponse:
    """A new patient; who may be the same person is shown first."""
    user = enter(request, "patient.add")
    if request.method != "POST":
        return _form(request, PatientForm(initial={"residence": ""}), "Add a patient")
    form = PatientForm(request.POST)
    if not form.is_valid():
        return _form(request, form, "Add a patient", status=422)
    seen = set(request.POST.get("another", "").split())
    with transaction.atomic():
        same = list(possible_duplicates(user, form.cleaned_data))
        if {str(each.pk) for each, _ in same} <= seen:
            patient = Patient.objects.create(organisation_id=user.organisation_id, **form.cleaned_data)
            audit.append("patient.added", user, kind="patient", thing=patient.pk, patient=patient.pk)
            return redirect("patient", patient.pk)
    return _form(request, form, "Add a patient", same=same, status=409)


def possible_duplicates(user: User, typed: dict[str, Any]) -> Iterable[tuple[Patient, str]]:
    """Patients of the clinic who may be the person that is typed, each with the reason."""
    typed = {**typed, "phone_digits": digits(typed["phone"])}
    name = folded(f"{typed['family_name']} {typed['given_name']}")
    other_way = folded(f"{typed['given_name']} {typed['family_name']}")
    may_be = (
        Q(born=typed["born"]) | Q(sought__in=(name[:260], other_way[:260])) | Q(born__in=_near(typed["born"]))
    )
    if typed["phone_digits"]:
        may_be |= Q(phone_digits=typed["phone_digits"])
    if typed["email"]:
        may_be |= Q(email__iexact=typed["email"])
    count = 0
    for patient in of_clinic(user, Patient).filter(may_be).order_by("sought", "id").iterator(200):
        if count < MOST_ALIKE and (why := alike(typed, patient)):
            count += 1
            yield patient, why


def _near(born: datetime.date) -> list[datetime.date]:
    """Days that differ from this one by one digit, or by the order of day and month."""
    text = born.isoformat()
    texts = {
        f"{text[:at]}{digit}{text[at + 1 :]}"
        for at in range(10)
        if at not in (4, 7)
        for digit in "0123456789"
    }
    texts.add(f"{text[:4]}-{text[8:]}-{text[5:7]}")
    found = []
    for each in texts:
        try:
            day = datetime.date.fromisoformat(each)
        except ValueError:
            continue
        if is_near(born, day):
            found.append(day)
    return found


# -- see -------------------------------------------------------------------------------------------
def patient(request: HttpRequest, id: UUID) -> HttpResponse:
    """Details, cases, treatments."""
    found: Patient = enter(request, "patient.see", Patient, id)
    assert isinstance(request.user, User)
    content = patient_content(request.user, found)
    if may(request.user.role, "patient.list"):
        # open ones first
        cases = page_of(found.cases.order_by("-status", "-changed"), request.GET.get("page"))
        content |= {"cases": cases, "case_rows": case_table(cases, may(request.user.role, "case.see"))}
    if may(request.user.role, "queue.see"):
        content["visits"] = visit_table(request.user, found)
    if may(request.user.role, "case.see"):
        content["treatments"] = treatment_table(found, may(request.user.role, "case.change"))
    return shown(request, "patient.html.j2", found.name, content, page="patients")


def patient_content(user: User, found: Patient) -> dict[str, Any]:
    """What is shown of a patient, to staff and to the patient."""
    documents = Document.objects.filter(case__patient=found, is_for_patient=True)
    if not may(user.role, "document.see"):
        documents = documents.none()
    facts = [
        ("Born", f"{day_text(found.born)}, {age_on(found.born, timezone.localdate())} years"),
        ("Sex", found.get_sex_display()),
        ("Residence", place_text(found.residence)),
        ("Phone", found.phone),
        ("E-mail", found.email),
        ("Address", typed(found.address)),
    ]
    return {
        **TEXTS,
        "patient": found,
        "facts": [
            (name, text or "Not stated") for name, text in facts if text or name in ("Sex", "Residence")
        ],
        "documents": documents.order_by("-made").only("id", "kind", "made")[:50]
        if may(user.role, "document.see")
        else (),
        "kinds": {**FILES, **NAMES},
        "may": lambda right: may(user.role, right),
        "links": [
            (label, reverse(name, args=[found.pk])) for name, label, right in LINKS if may(user.role, right)
        ],
        "cases": None,
        "visits": None,
        "treatments": None,
    }


# -- change ----------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def patient_change(request: HttpRequest, id: UUID) -> HttpResponse:
    """Other details; refused where somebody else saved since the form was shown, with both shown."""
    found: Patient = enter(request, "patient.change", Patient, id)
    if request.method != "POST":
        return _form(request, PatientForm(initial=patient_texts(found)), "Change details", found)
    form = PatientForm(request.POST)
    assert isinstance(request.user, User)
    with transaction.atomic():
        now = Patient.objects.select_for_update().get(pk=found.pk)
        texts = patient_texts(now)
        if now.version != version_of(request.POST):
            return _overtaken(request, form, now, texts)
        if not form.is_valid():
            return _form(request, form, "Change details", found, status=422)
        for name, value in form.cleaned_data.items():
            setattr(now, name, value)
        if fields := changed_fields(texts, patient_texts(now)):
            now.version += 1
            now.save()
            audit.append(
                "patient.changed",
                request.user,
                kind="patient",
                thing=now.pk,
                patient=now.pk,
                detail={"changed": fields, "version": now.version},
            )
    return redirect("patient", found.pk)


def _overtaken(request: HttpRequest, form: PatientForm, now: Patient, texts: Texts) -> HttpResponse:
    """The form again, with what was typed and what somebody else saved."""
    was = was_of(request.POST)
    values, kinds = merged(form.typed(), was, texts)
    who = who_changed("patient.changed", now.pk, now.pk)
    again = PatientForm(values)
    saved = {**texts, "residence": place_text(texts["residence"])}
    notes = {name: note(kind, who, was.get(name, ""), saved[name]) for name, kind in kinds.items()}
    return _form(request, again, "Change details", now, notes=notes, who=who, status=409)


def who_changed(action: str, thing: UUID, patient: UUID) -> str:
    """Who made the last change of a kind, for a form that was overtaken."""
    entry = (
        Entry.objects.filter(patient=patient, thing=str(thing), action=action)
        .order_by("-id")
        .only("who")
        .first()
    )
    return entry.who if entry is not None else "Somebody else"


def _form(
    request: HttpRequest,
    form: PatientForm,
    head: str,
    patient: Patient | None = None,
    *,
    same: Iterable[tuple[Patient, str]] = (),
    notes: dict[str, str] | None = None,
    who: str = "",
    status: int = 200,
) -> HttpResponse:
    content = {
        **TEXTS,
        "form": form,
        "head": head,
        "patient": patient,
        "was": {} if patient is None else patient_texts(patient),
        "same": [(each, patient_link(each), place_text(each.residence), why) for each, why in same],
        "notes": notes or {},
        "who": who,
    }
    return shown(request, "patient_form.html.j2", head, content, page="patients", status=status)


urls = [
    path("patients", patients, name="patients"),
    path("patients/add", patient_add, name="patient-add"),
    path("patients/<uuid:id>", patient, name="patient"),
    path("patients/<uuid:id>/change", patient_change, name="patient-change"),
]
