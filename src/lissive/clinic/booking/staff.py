"""What a clinic says of itself, and who certifies there with which credentials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_slug
from django.db import IntegrityError, models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods

from lissive.case.vocabulary import practitioner_types
from lissive.clinic import audit
from lissive.clinic.access import enter, of_clinic
from lissive.clinic.booking.public import credential_table, ordered, titled
from lissive.clinic.forms import (
    Choice,
    Day,
    Form,
    Text,
    Texts,
    changed_fields,
    merged,
    note,
    places,
    version_of,
    was_of,
)
from lissive.clinic.models import ClinicPage, Credential, Practitioner, User
from lissive.clinic.pages import shown
from lissive.clinic.patients import page_of
from lissive.clinic.rights import may
from lissive.report.table import Table, table
from lissive.report.words import upper_first

GET_POST = require_http_methods(["GET", "HEAD", "POST"])


# -- forms -------------------------------------------------------------------------------------------
def _check(label: str) -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False)


class PageForm(Form):
    optional = ""
    slug = Text(
        "Name in the address", 60, required=True, hint="Small letters, digits and hyphens, as elm-street."
    )
    is_public = _check("Everybody may see the page")
    about = Text("About the clinic", 2_000, lines=True)
    address = Text("Address", 500, lines=True)
    phone = Text("Phone", 40)
    email = Text("E-mail", 200)
    fees = Text("What a visit costs", 2_000, lines=True, hint="Also what the state asks besides.")
    refund = Text(
        "Refund rule",
        2_000,
        lines=True,
        hint="What is paid back when a visit is cancelled, missed or declined.",
    )
    languages = Text("Languages spoken", 200)

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"].lower()
        try:
            validate_slug(slug)
        except ValidationError:
            raise ValidationError("Name in the address: small letters, digits and hyphens alone.") from None
        return slug

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        for name in ("fees", "refund"):
            if found.get("is_public") and not found.get(name):
                label = self.fields[name].label
                self.add_error(name, f"{label}: say it before everybody sees the page.")
        return found


class PractitionerForm(Form):
    optional = ""
    user = Choice("Log-in", list, required=True)
    name = Text("Name, as on the licence", 200, required=True)
    profession = Choice("Profession", list, required=True)
    specialty = Text("Speciality", 200)
    address = Text("Address", 500, lines=True)
    phone = Text("Phone", 40)
    email = Text("E-mail", 200)
    video_url = Text(
        "Link to your video service, where patients wait",
        500,
        hint="Shown to the patient of a video visit, and to you.",
    )
    is_shown = _check("On the clinic's page, with times to book")

    def __init__(self, users: list[User], *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        options = [(str(each.pk), each.shown_name) for each in users]
        kinds = [(key, upper_first(label)) for key, label in practitioner_types().items()]
        self.fields["user"].choices = [("", "Choose"), *options]  # type: ignore[attr-defined]
        self.fields["profession"].choices = [("", "Choose"), *kinds]  # type: ignore[attr-defined]

    def clean_video_url(self) -> str:
        url: str = self.cleaned_data["video_url"]
        if url:
            try:
                URLValidator(schemes=["https"])(url)
            except ValidationError:
                raise ValidationError("Link: write it whole, beginning with https://") from None
        return url


class CredentialForm(Form):
    optional = ""
    kind = Choice("What it is", [("", "Choose"), *Credential.Kind.choices], required=True)  # type: ignore[assignment]
    place = Choice("Where it holds", list, hint="Empty for a course or a federal registration.")
    number = Text("Number", 80)
    hours = Text("Hours of a course", 4)
    issued = Day("Issued")
    expires = Day("Expires")
    checked_on = Day("Checked on")
    checked_how = Text("Checked how", 300, hint="As: licence look-up of the state's board.")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["place"].choices = [("", "Everywhere"), *places()]  # type: ignore[attr-defined]

    def clean_hours(self) -> int | None:
        text: str = self.cleaned_data["hours"]
        if text and not (text.isascii() and text.isdigit()):
            raise ValidationError("Hours of a course: a whole number, as 4.")
        return int(text) if text else None

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("kind") == Credential.Kind.LICENCE and not found.get("place"):
            self.add_error("place", "Where it holds: a licence is of one place. Choose it.")
        issued, expires, checked = (found.get(name) for name in ("issued", "expires", "checked_on"))
        if issued and expires and expires < issued:
            self.add_error("expires", "Expires: this day is before it was issued.")
        if checked and checked > timezone.localdate():
            self.add_error("checked_on", "Checked on: this day is in the future.")
        if checked and not found.get("checked_how"):
            self.add_error("checked_how", "Checked how: say by what, as the look-up of the state's board.")
        return found


# -- what a row says as a form has it ----------------------------------------------------------------
def texts_of(form: type[Form], row: models.Model) -> Texts:
    def text(name: str) -> str:
        value = row.user_id if name == "user" and isinstance(row, Practitioner) else getattr(row, name)
        return ("on" if value else "") if isinstance(value, bool) else "" if value is None else str(value)

    return {name: text(name) for name in form.base_fields}


def _changed(
    request: HttpRequest, row: Any, form: Form, kind: str, label: Mapping[str, str] | None = None
) -> tuple[Form, dict[str, str], int] | None:
    """The row with what was typed, where nobody else changed it; else the form to be shown again, notes, status."""
    user, texts = request.user, texts_of(type(form), row)
    if row.version != version_of(request.POST):
        values, kinds = merged(form.typed(), was := was_of(request.POST), texts)
        form.data = values
        return (
            form,
            {name: note(k, "Somebody else", was.get(name, ""), texts[name]) for name, k in kinds.items()},
            409,
        )
    if not form.is_valid():
        return form, {}, 422
    for name, value in form.cleaned_data.items():
        setattr(row, "user_id" if name == "user" else name, value)
    if fields := changed_fields(texts, texts_of(type(form), row)):
        row.version += 1
        row.save()
        audit.append(f"{kind}.changed", user, kind=kind, thing=row.pk, detail={"changed": fields})  # type: ignore[arg-type]
    return None


# -- the clinic's page -------------------------------------------------------------------------------
@GET_POST
def page_change(request: HttpRequest) -> HttpResponse:
    user: User = enter(request, "page.change")
    page = ClinicPage.objects.filter(organisation=user.organisation_id).first()
    if page is None:
        name = f"clinic-{user.organisation_id}"
        page = ClinicPage(organisation=user.organisation, slug=name, version=0)
    form: Form = PageForm(initial=texts_of(PageForm, page))
    notes: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        form = PageForm(request.POST)
        try:
            with transaction.atomic():
                again = _changed(request, page, form, "page")
        except IntegrityError:
            form.add_error("slug", "Name in the address: another clinic has it. Choose another one.")
            page.refresh_from_db() if ClinicPage.objects.filter(pk=page.pk).exists() else None
            again = form, {}, 422
        if again is None:
            return redirect("page-change")
        form, notes, status = again
    content = {
        "form": form,
        "notes": notes,
        "was": texts_of(PageForm, page),
        "version": page.version,
        "address": request.build_absolute_uri(reverse("clinic-page", args=[page.slug]))
        if page.is_public
        else "",
        "head": "The clinic's page",
        "back": reverse("today"),
        "save": "Save",
    }
    return shown(
        request, "booking_form.html.j2", "The clinic's page", content, page="practitioners", status=status
    )


# -- practitioners -----------------------------------------------------------------------------------
def practitioners(request: HttpRequest) -> HttpResponse:
    user: User = enter(request, "credential.see")
    found = of_clinic(user, Practitioner).prefetch_related("credentials__checked_by").order_by("name", "pk")
    listed, today = page_of(found, request.GET.get("page")), timezone.localdate()
    content = {
        "listed": listed,
        "people": [(each, _linked(each, credential_table(each, today), user)) for each in listed],
        "may": lambda right: may(user.role, right),
        "titled": titled,
    }
    return shown(request, "booking_people.html.j2", "Practitioners", content, page="practitioners")


def _linked(who: Practitioner, found: Table, user: User) -> Table:
    """The table of credentials, each with the way to change it where the user may."""
    if not may(user.role, "credential.change"):
        return found
    rows = [
        (format_html('<a href="{}">{}</a>', reverse("credential-change", args=[one.pk]), row[0]), *row[1:])
        for one, row in zip(ordered(who), found.rows, strict=True)
    ]
    return table(found.caption, "|".join(found.head), rows)


def _users(me: User, of: Practitioner | None = None) -> list[User]:
    """Who may be entered as a practitioner: staff who are none yet."""
    found = of_clinic(me, User).filter(role__in=("practitioner", "second"))
    none = models.Q(practitioner__isnull=True) | models.Q(practitioner=of)
    return list(found.filter(none).order_by("last_name", "username")[:200])


@GET_POST
def practitioner_add(request: HttpRequest) -> HttpResponse:
    me: User = enter(request, "credential.change")
    row = Practitioner(organisation=me.organisation, version=0)
    return _row_page(request, me, row, "Add a practitioner")


@GET_POST
def practitioner_change(request: HttpRequest, id: UUID) -> HttpResponse:
    row: Practitioner = enter(request, "credential.change", Practitioner, id)
    assert isinstance(request.user, User)
    return _row_page(request, request.user, row, row.name)


def _row_page(request: HttpRequest, me: User, row: Any, head: str) -> HttpResponse:
    """Add or change a practitioner or a credential."""
    is_person = isinstance(row, Practitioner)
    kind = "practitioner" if is_person else "credential"
    more: tuple[Any, ...] = (_users(me, None if row._state.adding else row),) if is_person else ()
    form_of: Any = PractitionerForm if is_person else CredentialForm
    was = {} if row._state.adding else texts_of(form_of, row)
    form: Form = form_of(*more, initial=was or {"is_shown": "on"})
    notes: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        with transaction.atomic():
            if not row._state.adding:
                row = type(row).objects.select_for_update().get(pk=row.pk)
            elif not is_person:
                row.checked_by = None
            again = _changed(request, row, form_of(*more, request.POST), kind)
            if again is None and not is_person:
                _sign_check(row, me, was)
        if again is None:
            return redirect("practitioners")
        form, notes, status = again
    content = {
        "form": form,
        "notes": notes,
        "was": was,
        "version": row.version,
        "address": "",
        "head": head,
        "back": reverse("practitioners"),
        "save": "Save",
    }
    return shown(request, "booking_form.html.j2", head, content, page="practitioners", status=status)


def _sign_check(row: Credential, me: User, was: Texts) -> None:
    """Who says that it was checked is who entered it."""
    if row.checked_on and (was.get("checked_on"), was.get("checked_how")) != (
        str(row.checked_on),
        row.checked_how,
    ):
        row.checked_by = me
        row.save(update_fields=["checked_by"])


@GET_POST
def credential_add(request: HttpRequest, id: UUID) -> HttpResponse:
    who: Practitioner = enter(request, "credential.change", Practitioner, id)
    assert isinstance(request.user, User)
    return _row_page(
        request, request.user, Credential(practitioner=who, version=0), f"Credential of {who.name}"
    )


@GET_POST
def credential_change(request: HttpRequest, id: UUID) -> HttpResponse:
    row: Credential = enter(request, "credential.change", Credential, id)
    assert isinstance(request.user, User)
    return _row_page(request, request.user, row, f"Credential of {row.practitioner.name}")


urls = [
    path("clinic-page", page_change, name="page-change"),
    path("practitioners", practitioners, name="practitioners"),
    path("practitioners/add", practitioner_add, name="practitioner-add"),
    path("practitioners/<uuid:id>", practitioner_change, name="practitioner-change"),
    path("practitioners/<uuid:id>/credentials/add", credential_add, name="credential-add"),
    path("credentials/<uuid:id>", credential_change, name="credential-change"),
]
