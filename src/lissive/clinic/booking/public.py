"""What everybody may see of a clinic, and how somebody registers: nothing of any patient, nothing of health."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode

from lissive.clinic import audit, zones
from lissive.clinic.booking.law import Band, bands, kinds_left, served, stands
from lissive.clinic.booking.take import free_slots
from lissive.clinic.forms import (
    TEXTS,
    Choice,
    PatientForm,
    Text,
    day_text,
    place_text,
    places,
    weekday_text,
)
from lissive.clinic.models import (
    ClinicPage,
    Credential,
    Organisation,
    Patient,
    Practitioner,
    Registration,
    Slot,
    User,
    VisitKind,
)
from lissive.clinic.pages import shown, too_many
from lissive.report.table import Table, table
from lissive.web.guard import client_of

KINDS = dict(VisitKind.choices)
REGISTRATIONS, AN_HOUR = 10, 3600
"""Of one address within an hour."""


# -- the clinic's page -------------------------------------------------------------------------------
def page_of(slug: str) -> ClinicPage:
    """The page of a clinic that has one; of any other it is as if there were none."""
    found = ClinicPage.objects.filter(slug=slug, is_public=True).select_related("organisation").first()
    if found is None:
        raise Http404
    zones.use(found.organisation)
    return found


def shown_practitioners(organisation: Organisation) -> list[Practitioner]:
    found = organisation.practitioners.filter(is_shown=True, user__is_active=True)
    return list(found.prefetch_related("credentials__checked_by").order_by("name"))


def clinic_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Who certifies here, for whom, what it costs and what stops a person, before anyone books or pays."""
    page = page_of(slug)
    people = shown_practitioners(page.organisation)
    today = timezone.localdate()
    place, band = asked_of(request)
    slots = list(free_slots(page.organisation_id))
    ways = ways_of(slots) or list(VisitKind)
    found = stands(people, place, band, today, ways) if place and band else None
    query = urlencode({"state": place, "age": band.name} if place and band else {})

    def href(slot: Slot) -> str:
        return f"{reverse('clinic-slot', args=[slug, slot.pk])}{query and '?'}{query}"

    left = [(each, each.kinds if found is None else _kinds(each, place, band)) for each in slots]
    offered = [(each, kinds) for each, kinds in left if kinds]
    content = {
        **TEXTS,
        "page": page,
        "titled": titled,
        "places": [("", "Choose"), *places()],
        "bands": [("", "Choose"), *((each.name, each.text) for each in bands())],
        "place": place,
        "band": band.name if band else "",
        "half_asked": bool(request.GET) and found is None,
        "found": found,
        "days": days_of(offered, href),
        "zone": zone_text(),
        "left_out": len(slots) - len(offered),
        "served": [place_text(each) for each in served(people, today)],
        "ways": [KINDS[each] for each in ways_of(slots)],
        "practitioners": [(each, credential_table(each, today, public=True)) for each in people],
    }
    return shown(request, "booking_page.html.j2", page.organisation.name, content)


def asked_of(request: HttpRequest) -> tuple[str, Band | None]:
    """State of residence and band of age, as the form sends them; what is none is not asked."""
    place = request.GET.get("state", "")
    band = next((each for each in bands() if each.name == request.GET.get("age", "")), None)
    return (place if place in dict(places()) else ""), band


def _kinds(slot: Slot, place: str, band: Band | None) -> tuple[str, ...]:
    return () if band is None else kinds_left(slot, place, band.age)


@dataclass(frozen=True)
class Time:
    """A time as it is offered."""

    at: datetime.datetime
    text: str
    href: str


def days_of(
    offered: Iterable[tuple[Slot, Iterable[str]]], href: Callable[[Slot], str]
) -> list[tuple[str, list[Time]]]:
    """The times by day, today's first; with each the kinds of visit."""
    today = timezone.localdate()
    names = {today: "Today", today + datetime.timedelta(days=1): "Tomorrow"}
    times = [
        Time(
            timezone.localtime(slot.starts),
            f"{slot.practitioner.name}: {', '.join(KINDS[each] for each in kinds).lower()}",
            href(slot),
        )
        for slot, kinds in offered
    ]
    return [
        (", ".join(filter(None, (names.get(on, ""), weekday_text(on)))), list(of_day))
        for on, of_day in groupby(times, lambda each: each.at.date())
    ]


def zone_text() -> str:
    now = timezone.localtime()
    return ", ".join(dict.fromkeys((f"{now:%Z}", timezone.get_current_timezone_name())))


def ways_of(slots: list[Slot]) -> list[str]:
    """The kinds of visit that are offered at some time."""
    return [str(kind) for kind in VisitKind if any(str(kind) in each.kinds for each in slots)]


def titled(who: Practitioner) -> str:
    """The name with the profession, which may be in it already."""
    return (
        who.name if who.profession in who.name.replace(",", " ").split() else f"{who.name}, {who.profession}"
    )


def ordered(who: Practitioner) -> list[Credential]:
    """The licences first."""
    kinds = list(Credential.Kind)
    return sorted(who.credentials.all(), key=lambda one: (kinds.index(one.kind), one.place, str(one.pk)))  # type: ignore[arg-type]


def credential_table(who: Practitioner, today: datetime.date, *, public: bool = False) -> Table:
    """What somebody may show for it, and who checked it, when and how.

    public : without the number of a registration for controlled substances, with which prescriptions are forged.
    """
    hidden = Credential.Kind.CONTROLLED if public else None
    rows = [
        (
            Credential.Kind(each.kind).label,
            place_text(each.place),
            "" if each.kind == hidden else each.number,
            _until(each, today),
            _checked(each),
        )
        for each in ordered(who)
    ]
    return table(f"Credentials of {who.name}", "Credential|Where|Number|Valid|Checked", rows)


def _until(one: Credential, today: datetime.date) -> str:
    if one.expires is None:
        return "no end noted"
    return f"{'until' if today <= one.expires else 'ended on'} {day_text(one.expires)}"


def _checked(one: Credential) -> str:
    if one.checked_on is None:
        return "not yet"
    by = f" by {one.checked_by.shown_name}" if one.checked_by else ""
    how = f": {one.checked_how}" if one.checked_how else ""
    return f"{day_text(one.checked_on)}{by}{how}"


# -- a time -----------------------------------------------------------------------------------------
def clinic_slot(request: HttpRequest, slug: str, id: UUID) -> HttpResponse:
    """A time that was chosen: log in, or register. Who is logged in as a patient here goes on to confirm it."""
    page = page_of(slug)
    slot = _free(page, id)
    place, band = asked_of(request)
    user = request.user
    if user.is_authenticated and isinstance(user, User) and user.role == "patient":
        mine = Patient.objects.filter(user=user, organisation=page.organisation_id).first()
        if mine is not None:
            return redirect(f"{reverse('patient-book', args=[mine.pk])}?{urlencode({'slot': str(id)})}")
    query = {"state": place, "age": band.name} if place and band else {}
    content = {
        **TEXTS,
        "page": page,
        "titled": titled,
        "slot": slot,
        "kinds": [] if slot is None else [KINDS[each] for each in _left(slot, place, band)],
        "place": place_text(place),
        "zone": zone_text(),
        "back": f"{reverse('clinic-page', args=[slug])}?{urlencode(query)}",
        "log_in": f"{reverse('account_login')}?{urlencode({'next': request.path})}",
        "register": f"{reverse('clinic-register', args=[slug])}?{urlencode({'slot': str(id), **query})}",
        "is_staff": user.is_authenticated,
    }
    return shown(request, "booking_slot.html.j2", "Book", content, status=200 if slot else 409)


def _left(slot: Slot, place: str, band: Band | None) -> Any:
    return kinds_left(slot, place, band.age) if place and band else slot.kinds


def _free(page: ClinicPage, id: object) -> Slot | None:
    return next((each for each in free_slots(page.organisation_id) if each.pk == id), None)


# -- register ----------------------------------------------------------------------------------------
class RegisterForm(PatientForm):
    """Who somebody is, as on the ID, and how they log in."""

    given_name = Text("First name", 120, required=True, hint="As on your ID.")
    family_name = Text("Family name", 120, required=True, hint="As on your ID.")
    residence = Choice(
        "State of residence", list, required=True, hint="Its law decides which visit is possible."
    )
    email = Text("E-mail", 200, required=True)
    phone = Text("Phone", 40, required=True)
    username = Text("User name", 150, required=True, hint="To log in. Letters, digits and @ . + - _")
    password = forms.CharField(
        label="Password",
        max_length=200,
        strip=False,
        help_text="At least 12 characters. A sentence that you remember is a good one.",
        error_messages={"required": "Enter a password."},
    )
    sex = None  # type: ignore[assignment]
    address = None  # type: ignore[assignment]
    optional = ""

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        try:
            UnicodeUsernameValidator()(name)
        except ValidationError:
            raise ValidationError(NAME_REFUSED) from None
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError(NAME_REFUSED)
        return name

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User(username=self.cleaned_data.get("username", "")))
        return password


NAME_REFUSED = "This user name cannot be used. Choose another one: letters, digits and @ . + - _"
"""The same for a name that is taken and for one that is none."""


def clinic_register(request: HttpRequest, slug: str) -> HttpResponse:
    """A person that registers is added as a patient, whether or not somebody like them is there: nobody is told."""
    page = page_of(slug)
    slot, place = request.GET.get("slot", ""), request.GET.get("state", "")
    form = (
        RegisterForm(request.POST) if request.method == "POST" else RegisterForm(initial={"residence": place})
    )
    if form.is_bound and (wait := _too_often(request)):
        return too_many(request, wait)
    if form.is_bound and form.is_valid():
        made = _registered(page.organisation, form.cleaned_data)
        if made is not None:
            to = f"{reverse('patient-book', args=[made.pk])}?{urlencode({'slot': slot})}"
            if not _is_key(slot):
                to = reverse("bookings")
            answer: HttpResponse = perform_login(
                request, Login(user=made.user, email_verification="none", redirect_url=to, signup=True)
            )
            return answer
        form.add_error("username", NAME_REFUSED)  # of two at once, the second
    content = {**TEXTS, "page": page, "form": form, "back": reverse("clinic-page", args=[slug])}
    return shown(
        request, "booking_register.html.j2", "Register", content, status=422 if form.is_bound else 200
    )


def _is_key(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def _too_often(request: HttpRequest) -> int:
    """Seconds to wait, where this address has registered too often: 0 where it has not."""
    key = f"register:{client_of(request)}"
    cache.add(key, 0, AN_HOUR)
    try:
        return AN_HOUR if cache.incr(key) > REGISTRATIONS else 0
    except ValueError:  # it ran out between the two
        return 0


def _registered(organisation: Organisation, typed: dict[str, Any]) -> Patient | None:
    """User, patient and the note for staff to look at it; None where the user name was taken meanwhile."""
    name, password = typed["username"], typed["password"]
    details = {key: value for key, value in typed.items() if key not in ("username", "password")}
    try:
        with transaction.atomic():
            user = User(
                username=name,
                organisation=organisation,
                role="patient",
                first_name=details["given_name"],
                last_name=details["family_name"],
            )
            user.set_password(password)
            user.save()
            patient = Patient.objects.create(organisation=organisation, user=user, **details)
            Registration.objects.create(patient=patient)
            by = {"by": "registration"}
            audit.append("user.add", user, kind="user", thing=user.pk, patient=patient.pk, detail=by)
            audit.append(
                "patient.added", user, kind="patient", thing=patient.pk, patient=patient.pk, detail=by
            )
    except IntegrityError:
        return None
    return patient


urls = [
    path("clinics/<slug:slug>", clinic_page, name="clinic-page"),
    path("clinics/<slug:slug>/register", clinic_register, name="clinic-register"),
    path("clinics/<slug:slug>/times/<uuid:id>", clinic_slot, name="clinic-slot"),
]
PUBLIC = frozenset(each.name for each in urls)
"""Addresses that ask for no log-in."""
