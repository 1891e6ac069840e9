"""Who can log in, in which role; the log-in of a patient; the settings of the clinic."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path

from lissive.clinic import audit, zones
from lissive.clinic.access import enter, of_clinic
from lissive.clinic.accounts import one_time_link
from lissive.clinic.forms import places
from lissive.clinic.models import Organisation, Patient, User
from lissive.clinic.pages import shown
from lissive.clinic.rights import ROLES, may

STAFF = tuple((role, label) for role, label in ROLES.items() if role != "patient")
A_PAGE = 100
LINK = "one-time link"
"""In the session between the change and the page that shows the link, once."""


class Name(forms.Form):
    """A name to log in with: nobody else's, whatever its case."""

    username = forms.CharField(label="User name", max_length=150, validators=[UnicodeUsernameValidator()])

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError("This user name is taken. Choose another one.")
        return name


class Person(Name):
    first_name = forms.CharField(label="Given name", max_length=150)
    last_name = forms.CharField(label="Family name", max_length=150)
    role = forms.ChoiceField(label="Role", choices=(("", "Choose"), *STAFF))


class Role(forms.Form):
    role = forms.ChoiceField(label="Role", choices=STAFF)


class Clinic(forms.ModelForm):  # type: ignore[type-arg]
    place = forms.ChoiceField(label="State or country of the clinic", required=False)
    zone = forms.ChoiceField(label="Time zone", required=False)
    keep_years = forms.IntegerField(
        label="Years that records are kept after their last entry", min_value=1, max_value=100, required=False
    )

    class Meta:
        model = Organisation
        fields = ("name", "place", "zone", "keep_years")
        labels: Mapping[str, str] = {"name": "Name of the clinic"}

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["place"].choices = [("", "Not stated"), *places()]  # type: ignore[attr-defined]
        every = sorted(each for each in zoneinfo.available_timezones() if "/" in each)
        own = zones.zone_of(self.instance)
        self.fields["zone"].choices = [  # type: ignore[attr-defined]
            ("", f"As the place has it (now {own})"),
            *((each, each) for each in every),
        ]


# -- staff -------------------------------------------------------------------------------------------
def users(request: HttpRequest) -> HttpResponse:
    me = enter(request, "user.list")
    found = _with_factor(of_clinic(me, User).exclude(role="patient"))
    listed = Paginator(found.order_by("-is_active", "last_name", "username"), A_PAGE)
    content = {"listed": listed.get_page(request.GET.get("page")), "can_change": may(me.role, "user.change")}
    return shown(request, "users.html.j2", "Users", content, page="users")


def user_add(request: HttpRequest) -> HttpResponse:
    me = enter(request, "user.change", quiet=request.method != "POST")
    form = Person(request.POST or None)
    if not form.is_valid():
        content = {"form": form}
        return shown(request, "user_add.html.j2", "Add a user", content, page="users", status=_status(form))
    with transaction.atomic():
        made = User(organisation=me.organisation, **form.cleaned_data)
        link = one_time_link(made)
        audit.append("user.add", me, kind="user", thing=made.pk, detail={"role": made.role})
    request.session[LINK] = [made.pk, link]
    return redirect("user", made.pk)


def user(request: HttpRequest, id: int) -> HttpResponse:
    them = enter(request, "user.list", User, id)
    return _user_page(request, them, Role(initial={"role": them.role}))


def user_change(request: HttpRequest, id: int) -> HttpResponse:
    them = enter(request, "user.change", User, id)
    if request.method != "POST":
        return redirect("user", them.pk)
    form = Role(request.POST if "role" in request.POST else {"role": them.role})
    refused = "Choose a role of the list." if not form.is_valid() else _changed(request, them, form)
    if refused:
        return _user_page(request, them, form, refused)
    return redirect("user", them.pk)


def _user_page(request: HttpRequest, them: User, form: Role, refused: str = "") -> HttpResponse:
    if them.role == "patient":  # theirs is on their record
        raise Http404
    me: Any = request.user
    content = {
        "them": _with_factor(User.objects.filter(pk=them.pk)).get(),
        "form": form,
        "refused": refused,
        "link": _link_once(request, them),
        "can_change": may(me.role, "user.change") and them.pk != me.pk,
        "is_me": them.pk == me.pk,
    }
    return shown(
        request, "user.html.j2", them.shown_name, content, page="users", status=422 if refused else 200
    )


def _changed(request: HttpRequest, them: User, form: Role) -> str:
    """Do what the button says; why it is refused, or nothing."""
    me: Any = request.user
    what, role = request.POST.get("do", ""), form.cleaned_data["role"]
    if them.role == "patient":
        raise Http404
    if them.pk == me.pk:
        return "Nobody changes their own log-in here: another administrator can."
    with transaction.atomic():
        others = User.objects.select_for_update().filter(
            organisation=me.organisation_id, role="administrator", is_active=True
        )
        is_removed = what == "end" or (what == "role" and role != "administrator")
        if is_removed and not others.exclude(pk=them.pk).exists():
            return "This is the last active administrator. Make somebody else administrator first."
        if what == "role":
            detail = {"role": {"from": them.role, "to": role}}
            User.objects.filter(pk=them.pk).update(role=role)
            audit.append("user.role", me, kind="user", thing=them.pk, detail=detail)
        elif not _log_in_changed(request, them, what):
            return "Nothing was chosen."
    return ""


def _log_in_changed(request: HttpRequest, them: User, what: str) -> bool:
    """End or restore a log-in, or give a new link, which takes the second factor and all sessions away."""
    me: Any = request.user
    if what in ("end", "restore"):
        User.objects.filter(pk=them.pk).update(is_active=what == "restore")
    elif what == "link":
        for each in Authenticator.objects.filter(user=them):
            each.delete()
        request.session[LINK] = [them.pk, one_time_link(them)]
    else:
        return False
    patient = Patient.objects.filter(user=them).values_list("pk", flat=True).first()
    audit.append(f"user.{what}", me, kind="user", thing=them.pk, patient=patient)
    return True


def _with_factor(found: QuerySet[User]) -> QuerySet[User]:
    return found.annotate(
        has_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP))
    )


def _link_once(request: HttpRequest, them: User) -> str:
    pk, link = request.session.pop(LINK, None) or (None, "")
    return request.build_absolute_uri(link) if pk == them.pk else ""


def _status(form: forms.BaseForm) -> int:
    return 422 if form.is_bound else 200


# -- a patient's own log-in --------------------------------------------------------------------------
def user_for_patient(request: HttpRequest, id: UUID) -> HttpResponse:
    patient = enter(request, "user.patient", Patient, id)
    return _patient_page(request, patient, Name())


def user_for_patient_change(request: HttpRequest, id: UUID) -> HttpResponse:
    patient = enter(request, "user.patient", Patient, id)
    if request.method != "POST":
        return redirect("user-for-patient", patient.pk)
    me: Any = request.user
    with transaction.atomic():
        patient = Patient.objects.select_for_update().get(pk=patient.pk)
        if patient.user is None:
            form = Name(request.POST)
            if not form.is_valid():
                return _patient_page(request, patient, form)
            made = User(organisation=me.organisation, role="patient", **form.cleaned_data)
            made.first_name, made.last_name = patient.given_name, patient.family_name
            link = one_time_link(made)
            request.session[LINK] = [made.pk, link]
            Patient.objects.filter(pk=patient.pk).update(user=made)
            audit.append("user.add", me, kind="user", thing=made.pk, patient=patient.pk)
        else:
            _log_in_changed(request, patient.user, request.POST.get("do", ""))
    return redirect("user-for-patient", patient.pk)


def _patient_page(request: HttpRequest, patient: Patient, form: Name) -> HttpResponse:
    them = patient.user
    content = {
        "patient": patient,
        "them": them and _with_factor(User.objects.filter(pk=them.pk)).get(),
        "form": form,
        "link": _link_once(request, them) if them else "",
    }
    return shown(
        request,
        "user_for_patient.html.j2",
        "Log-in of a patient",
        content,
        page="patients",
        status=_status(form),
    )


# -- the clinic --------------------------------------------------------------------------------------
def clinic_settings(request: HttpRequest) -> HttpResponse:
    me = enter(request, "clinic.change", quiet=request.method != "POST")
    before = {name: getattr(me.organisation, name) for name in Clinic.Meta.fields}
    form = Clinic(request.POST or None, instance=me.organisation)
    if not form.is_valid():
        content = {"form": form, "is_saved": request.session.pop("saved", False)}
        return shown(
            request,
            "clinic_settings.html.j2",
            "Settings",
            content,
            page="clinic-settings",
            status=_status(form),
        )
    with transaction.atomic():
        form.save()
        detail = {name: {"from": before[name], "to": form.cleaned_data[name]} for name in form.changed_data}
        audit.append("clinic.changed", me, kind="clinic", thing=me.organisation_id, detail=detail)
    request.session["saved"] = True
    return redirect("clinic-settings")


urls = [
    path("users", users, name="users"),
    path("users/add", user_add, name="user-add"),
    path("users/<int:id>", user, name="user"),
    path("users/<int:id>/change", user_change, name="user-change"),
    path("patients/<uuid:id>/log-in", user_for_patient, name="user-for-patient"),
    path("patients/<uuid:id>/log-in/change", user_for_patient_change, name="user-for-patient-change"),
    path("settings", clinic_settings, name="clinic-settings"),
]
