"""Visits as they are booked, moved and cancelled: by the front desk, a practitioner, or the patient."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST

from lissive.clinic import audit
from lissive.clinic.access import enter, of_clinic
from lissive.clinic.booking.law import Point, there
from lissive.clinic.booking.public import KINDS, days_of, titled, zone_text
from lissive.clinic.booking.take import (
    AHEAD,
    NotBooked,
    ahead,
    book,
    cancel,
    free_slots,
    objections,
    shift,
    when,
)
from lissive.clinic.forms import TEXTS, Choice, Form, Text, day_text, place_text, version_of
from lissive.clinic.models import Patient, Registration, Slot, User, Visit
from lissive.clinic.pages import shown
from lissive.clinic.patients import page_of, patient_link, possible_duplicates
from lissive.clinic.rights import may
from lissive.report.table import Table, table


# -- lists -------------------------------------------------------------------------------------------
def bookings(request: HttpRequest) -> HttpResponse:
    """A patient's own visits; for staff all that are to come, and who registered and was not looked at yet."""
    user: User = enter(request, "visit.book", quiet=True)
    is_mine = user.role == "patient"
    found = of_clinic(user, Visit).select_related("patient", "practitioner", "intake")
    if is_mine:
        found = found.filter(patient__user=user).order_by("-starts", "pk")
    else:
        found = found.filter(status__in=AHEAD, starts__gt=timezone.now()).order_by("starts", "pk")
    visits = page_of(found, request.GET.get("page"))
    patient = Patient.objects.filter(user=user).first() if is_mine else None
    content = {
        **TEXTS,
        "is_mine": is_mine,
        "patient": patient,
        "next": None if patient is None else ahead(patient),
        "visits": visits,
        "rows": visit_table(visits, named=not is_mine),
        "new": [] if is_mine else [(patient_link(each.patient), each) for each in unchecked(user)[:20]],
        "zone": zone_text(),
        "may": lambda right: may(user.role, right),
    }
    return shown(request, "booking_list.html.j2", "Bookings", content, page="bookings")


def visit_table(visits: Any, *, named: bool) -> Table:
    rows = [
        (
            format_html('<a href="{}">{}</a>', reverse("booking", args=[each.pk]), when(each.starts)),
            *([each.patient.name] if named else []),
            each.practitioner.name,
            each.get_kind_display(),
            each.get_status_display(),
            _questions(each),
        )
        for each in visits
    ]
    return table("Visits", f"When|{'Patient|' if named else ''}With|How|Status|Questions", rows)


def _questions(visit: Visit) -> str:
    intake = getattr(visit, "intake", None)
    if intake is None:
        return ""
    return "answered" if intake.done else "begun" if intake.begun else "not begun"


def unchecked(user: User) -> QuerySet[Registration]:
    found = Registration.objects.filter(patient__organisation=user.organisation_id, checked_at=None)
    return found.select_related("patient").order_by("at", "pk")


# -- book and move -----------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def patient_book(request: HttpRequest, id: UUID) -> HttpResponse:
    """A free time, then its confirmation."""
    patient: Patient = enter(request, "visit.book", Patient, id)
    if request.method != "POST":
        return _choose(request, patient)
    assert isinstance(request.user, User)
    try:
        made = book(patient, _key(request.POST.get("slot", "")), request.POST.get("kind", ""), request.user)
    except NotBooked as why:
        return _choose(request, patient, why=why)
    return redirect("booking", made.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def booking_move(request: HttpRequest, id: UUID) -> HttpResponse:
    visit: Visit = enter(request, "visit.book", Visit, id)
    if request.method != "POST":
        return _choose(request, visit.patient, visit)
    assert isinstance(request.user, User)
    slot, kind = _key(request.POST.get("slot", "")), request.POST.get("kind", "")
    try:
        shift(visit, version_of(request.POST), slot, kind, request.user)
    except NotBooked as why:
        visit.refresh_from_db()
        return _choose(request, visit.patient, visit, why=why)
    return redirect("booking", visit.pk)


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _choose(
    request: HttpRequest, patient: Patient, visit: Visit | None = None, *, why: NotBooked | None = None
) -> HttpResponse:
    """The free times; or one of them with how the visit may take place, what refuses it and what it needs."""
    assert isinstance(request.user, User)
    is_mine = request.user.role == "patient"
    slots = list(free_slots(patient.organisation_id, shown=is_mine))
    wanted = _key((request.POST if request.method == "POST" else request.GET).get("slot", ""))
    slot = next((each for each in slots if each.pk == wanted), None)
    if wanted is not None and slot is None and why is None:
        why = NotBooked(
            "This time was taken a moment ago, or is no longer offered.", do="choose another time."
        )
    others = [(each, each.kinds) for each in slots if each != slot]
    content = {
        **TEXTS,
        "patient": patient,
        "visit": visit,
        "is_mine": is_mine,
        "slot": slot,
        "when": when,
        "titled": titled,
        "days": days_of(others, lambda each: f"{request.path}?slot={each.pk}"),
        "zone": zone_text(),
        "why": why,
        "here": request.path,
        "other": ahead(patient) if is_mine and visit is None else None,
        "chosen": request.POST.get("kind", "") or (visit.kind if visit else ""),
        **_of_slot(patient, slot),
    }
    head = "Move the visit" if visit else "Book a visit"
    page = "bookings"
    status = 200 if why is None else 409
    return shown(request, "booking_choose.html.j2", head, {**content, "head": head}, page=page, status=status)


def _of_slot(patient: Patient, slot: Slot | None) -> dict[str, Any]:
    """The kinds of visit that may be had then, those that are refused with their reasons, and what is needed."""
    can: list[tuple[str, str]] = []
    refused: list[tuple[str, list[Point]]] = []
    needs: list[Point] = []
    missing = None
    for kind in () if slot is None else slot.kinds:
        assert slot is not None
        try:
            found = objections(patient, slot, kind)
        except NotBooked as error:
            missing = error
            break
        against = [each for each in found if each.refuses]
        if against:
            refused.append((KINDS[kind], against))
        else:
            can.append((kind, KINDS[kind]))
        needs += [each for each in found if each.kind == "needs" and each not in needs]
    return {"can": can, "refused": refused, "needs": needs, "missing": missing}


# -- one booking -------------------------------------------------------------------------------------
class CancelForm(Form):
    optional = ""
    why = Text("Reason", 300, hint="No health data: it stands in lists.")


def booking(request: HttpRequest, id: UUID) -> HttpResponse:
    """When, with whom, how and where; the questions before it; move and cancel."""
    visit: Visit = enter(request, "visit.book", Visit, id)
    return _booking(request, visit)


def _booking(
    request: HttpRequest, visit: Visit, *, why: NotBooked | None = None, link: str = ""
) -> HttpResponse:
    assert isinstance(request.user, User)
    user = request.user
    is_own = user.role == "patient" or visit.practitioner.user_id == user.pk
    page = getattr(visit.organisation, "page", None)
    facts = [
        ("When", f"{when(visit.starts)}, {visit.minutes} minutes"),
        ("How", visit.get_kind_display()),
        ("With", titled(visit.practitioner)),
        ("Status", visit.get_status_display()),
        ("Reason", visit.ended_why),
    ]
    content = {
        **TEXTS,
        "visit": visit,
        "patient": visit.patient,
        "intake": getattr(visit, "intake", None),
        "is_mine": user.role == "patient",
        "facts": [(name, text) for name, text in facts if text],
        "video": visit.practitioner.video_url if visit.kind == "video" and is_own else "",
        "page": page,
        "is_ahead": visit.status in AHEAD and visit.starts > timezone.now(),
        "is_open": visit.status in AHEAD,
        "form": CancelForm(request.POST if why else None),
        "why": why,
        "link": link,
        "zone": zone_text(),
        "law": law_steps(visit),
        "may": lambda right: may(user.role, right),
    }
    status = 200 if why is None else 409
    return shown(
        request,
        "booking.html.j2",
        "Your visit" if content["is_mine"] else "Booking",
        content,
        page="bookings",
        status=status,
    )


def law_steps(visit: Visit) -> tuple[Any, ...]:
    """What the state asks after the visit, in the words of its rule."""
    if not visit.patient.residence:
        return ()
    return there(visit.patient.residence, visit.day).of("registration", "fee")


@require_POST
def booking_cancel(request: HttpRequest, id: UUID) -> HttpResponse:
    visit: Visit = enter(request, "visit.book", Visit, id)
    assert isinstance(request.user, User)
    form = CancelForm(request.POST)
    try:
        if not form.is_valid():
            raise NotBooked(form.faults[0][1])
        cancel(visit, version_of(request.POST), form.cleaned_data["why"], request.user)
    except NotBooked as why:
        visit.refresh_from_db()
        return _booking(request, visit, why=why)
    return redirect("booking", visit.pk)


# -- who registered ----------------------------------------------------------------------------------
HOW = (
    ("", "Choose"),
    ("phone", "By phone, at the number in the older record"),
    ("document", "By an ID that was seen"),
    ("known", "The person is known here and was spoken to"),
)


class SameForm(Form):
    same = Choice("Which record is it?", list, required=True)
    how = Choice("How was it checked that it is the same person?", HOW)

    def __init__(self, found: list[Patient], *args: Any) -> None:
        super().__init__(*args)
        options = [(str(each.pk), f"{each.name}, born {day_text(each.born)}") for each in found]
        self.fields["same"].choices = [*options, ("new", "None of these: a new patient")]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("same") not in (None, "new") and not found.get("how"):
            self.add_error("how", "How was it checked that it is the same person?: choose one.")
        return found


@require_http_methods(["GET", "HEAD", "POST"])
def patient_same(request: HttpRequest, id: UUID) -> HttpResponse:
    """Who registered on the clinic's page, beside those in the records who may be the same person."""
    patient: Patient = enter(request, "patient.change", Patient, id)
    user = request.user
    assert isinstance(user, User)
    registration = Registration.objects.filter(patient=patient).first()
    if registration is None:
        return redirect("patient", patient.pk)
    typed = {name: getattr(patient, name) for name in ("family_name", "given_name", "born", "phone", "email")}
    alike = [(each, why) for each, why in possible_duplicates(user, typed) if each.pk != patient.pk]
    form = SameForm([each for each, _ in alike], request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and registration.checked_at is None:
        chosen = form.cleaned_data["same"]
        other = next((each for each, _ in alike if str(each.pk) == chosen), None)
        if other is None:
            _new_patient(registration, user)
            return redirect("patient", patient.pk)
        if patient.certificates.exclude(status="draft").exists():
            fault = "A certificate of this record is signed, and stays where it is: choose “a new patient”."
            form.add_error("same", fault)
        elif other.user_id is None:
            _merged(patient, other, form.cleaned_data["how"], user)
            return redirect("patient", other.pk)
        else:
            form.add_error(
                "same", "This record has a log-in already: end that one first, on the patient's page."
            )
    content = {
        **TEXTS,
        "patient": patient,
        "form": form,
        "checked": registration.checked_at,
        "place": place_text(patient.residence),
        "alike": [(patient_link(each), each, place_text(each.residence), why) for each, why in alike],
    }
    status = 422 if form.is_bound else 200
    return shown(request, "booking_same.html.j2", "Who registered", content, page="bookings", status=status)


def _new_patient(registration: Registration, user: User) -> None:
    with transaction.atomic():
        registration.checked_at, registration.checked_by = timezone.now(), user
        registration.save()
        pk = registration.patient_id
        audit.append("patient.checked", user, kind="patient", thing=pk, patient=pk)


def _merged(patient: Patient, other: Patient, how: str, user: User) -> None:
    """Visits, cases, treatments and log-in go to the older record, which keeps its details; the newer row goes."""
    with transaction.atomic():
        for each in Patient._meta.related_objects:
            if each.related_model is not Registration and isinstance(each.related_model, type):
                rows = each.related_model._default_manager.filter(**{each.field.name: patient})
                rows.update(**{each.field.name: other})
        login, patient.user = patient.user, None
        patient.save()
        other.user = login
        other.phone, other.email = other.phone or patient.phone, other.email or patient.email
        other.residence = other.residence or patient.residence
        other.version += 1
        other.save()
        audit.append(
            "patient.changed",
            user,
            kind="patient",
            thing=other.pk,
            patient=other.pk,
            detail={"merged": str(patient.pk), "how": how, "version": other.version},
        )
        audit.append(
            "patient.deleted",
            user,
            kind="patient",
            thing=patient.pk,
            patient=patient.pk,
            detail={"merged_into": str(other.pk), "how": how},
        )
        patient.delete()


urls = [
    path("bookings", bookings, name="bookings"),
    path("bookings/<uuid:id>", booking, name="booking"),
    path("bookings/<uuid:id>/move", booking_move, name="booking-move"),
    path("bookings/<uuid:id>/cancel", booking_cancel, name="booking-cancel"),
    path("patients/<uuid:id>/book", patient_book, name="patient-book"),
    path("patients/<uuid:id>/same", patient_same, name="patient-same"),
]
