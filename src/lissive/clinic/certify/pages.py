"""The certificate on the clinic's pages: filled and ticked, signed, seen, copied to the state, amended, revoked."""

from __future__ import annotations

import datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from lissive.access.certificate import DRAFT
from lissive.clinic.access import enter
from lissive.clinic.answered import me
from lissive.clinic.certify import after, identity, seal
from lissive.clinic.certify.form import Sheet, sheet_of
from lissive.clinic.certify.paper import WORDS
from lissive.clinic.dates.review import reviews_of
from lissive.clinic.forms import Choice, Day, Form, Text, day_text, merged, note, version_of, was_of
from lissive.clinic.models import Certificate
from lissive.clinic.pages import said, shown
from lissive.clinic.place import place
from lissive.clinic.rights import may
from lissive.clinic.visit.record import Refused
from lissive.clinic.work import Closed
from lissive.errors import LissiveError
from lissive.report.words import upper_first
from lissive.web.pages import plainly

Status = Certificate.Status
MOST = 500


# -- the draft -------------------------------------------------------------------------------------
class FillForm(Form):
    """What the practitioner types of the state's form, and the days that they set."""

    optional = ""

    ends = Day("Ends earlier, on", hint="Leave empty for the longest that the law allows.")
    exam_by = Day("Next examination by", hint="Where the law or you ask for one.")

    def __init__(self, data: Any, sheet: Sheet, content: dict[str, Any], on: datetime.date) -> None:
        given = {name: content.get(name) or "" for name in ("ends", "exam_by")}
        self.on, self.law = on, sheet.draft.answer.expires
        inputs = [each for each in sheet.lines if each.kind == "input"]
        super().__init__(data, initial=given | {f"f-{each.id}": each.value for each in inputs})
        for each in inputs:
            label = each.label if each.is_required else f"{each.label} (optional)"
            self.fields[f"f-{each.id}"] = Text(label, MOST, lines=len(each.label) > 60)

    def typed_values(self) -> dict[str, str]:
        return {k[2:]: v for k, v in self.cleaned_data.items() if k.startswith("f-")}

    def clean_ends(self) -> datetime.date | None:
        return self._later("ends")

    def clean_exam_by(self) -> datetime.date | None:
        return self._later("exam_by")

    def _later(self, name: str) -> datetime.date | None:
        day: datetime.date | None = self.cleaned_data[name]
        if day is not None and day < self.on:
            raise _invalid(f"{self.fields[name].label}: this day is past. Allowed: today or later.")
        return day


def _invalid(text: str) -> Exception:
    from django.core.exceptions import ValidationError

    return ValidationError(text)


@require_http_methods(["GET", "HEAD", "POST"])
def certificate(request: HttpRequest, id: UUID) -> HttpResponse:
    """A draft, to be filled and ticked; or the signed certificate as it stands."""
    found: Certificate = enter(
        request, "certificate.sign" if request.method == "POST" else "certificate.see", Certificate, id
    )
    if found.status != Status.DRAFT:
        if request.method == "POST":
            return said(
                request,
                409,
                "It is signed",
                ["Amend it: a new draft replaces it."],
            )
        return _signed_page(request, found)
    if me(request).role == "patient":
        raise Http404
    on = timezone.localdate()
    signable = seal.signable(found, on)
    sheet = signable.sheet
    if sheet is None:
        return said(request, 409, "The draft cannot be made", [plainly(each.why) for each in signable.blocks])
    form = FillForm(request.POST if request.method == "POST" else None, sheet, found.content, on)
    ticks = (
        request.POST.getlist("tick") if form.is_bound else [each.id for each in sheet.lines if each.ticked]
    )
    if form.is_bound and form.is_valid():
        given = form.cleaned_data | {"typed": form.typed_values()}
        try:
            after.save(found, me(request), sheet, given, ticks, version_of(request.POST))
        except Refused as refused:
            return _draft_page(request, found, signable, form, ticks, refused=refused, status=409)
        to = "certificate-sign" if request.POST.get("do") == "sign" else "certificate"
        return redirect(to, found.pk)
    return _draft_page(request, found, signable, form, ticks, status=422 if form.errors else 200)


def _draft_page(
    request: HttpRequest,
    found: Certificate,
    signable: seal.Signable,
    form: FillForm,
    ticks: list[str],
    *,
    refused: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    sheet = signable.sheet
    assert sheet is not None
    kept, notes = FillForm(None, sheet, found.content, form.on), {}
    texts = {name: kept.shown(name) for name in kept.fields}
    if refused is not None:  # somebody else saved: both are shown
        found.refresh_from_db(fields=["version", "content", "grounds"])
        newer = FillForm(None, sheet_of(found, form.on), found.content, form.on)
        texts = {name: newer.shown(name) for name in newer.fields}
        was = was_of(request.POST)
        _, kinds = merged(form.typed(), was, texts)
        notes = {
            name: note(kind, "Another window", was.get(name, ""), texts[name]) for name, kind in kinds.items()
        }
    mine = found.practitioner.user_id == me(request).pk and may(me(request).role, "certificate.sign")
    content = {
        **WORDS,
        "certificate": found,
        "patient": found.patient,
        "sheet": sheet,
        "answer": sheet.draft.answer,
        "form": form,
        "notes": notes,
        "was": texts,
        "ticks": ticks,
        "refused": refused,
        "may_fill": mine,
        "draft": DRAFT,
        "validity": [each.said for each in sheet.draft.steps if each.kind == "validity"],
        "blocks": signable.blocks,
    }
    return shown(request, "certify/draft.html.j2", "Draft certificate", content, page="queue", status=status)


@require_POST
def certificate_discard(request: HttpRequest, id: UUID) -> HttpResponse:
    found: Certificate = enter(request, "certificate.sign", Certificate, id)
    try:
        after.discard(found, me(request))
    except Refused as refused:
        return said(request, 409, refused.what, [upper_first(refused.do)])
    return redirect("decision", found.visit_id)


# -- the signature ---------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def certificate_sign(request: HttpRequest, id: UUID) -> HttpResponse:
    """What would be signed, whole; what is against it; and the signature."""
    found: Certificate = enter(request, "certificate.sign", Certificate, id)
    user, wrong, status = me(request), "", 200
    if request.method == "POST":
        given = {name: request.POST.get(name, "") for name in ("password", "code", "seen")}
        try:
            seal.sign(found, user, **given)
            return redirect("certificate", found.pk)
        except Refused as refused:
            wrong, status = f"{refused.what} {upper_first(refused.do)}".strip(), 409
            found = Certificate.objects.select_related("visit", "case", "patient", "practitioner__user").get(
                pk=found.pk
            )
        except Closed:
            raise
        except LissiveError as error:  # nothing writes a PDF
            return said(request, 503, "Not signed", [plainly(error.what), upper_first(error.do)])
    if found.status != Status.DRAFT:
        return said(
            request,
            409,
            "It is signed already",
            ["Nothing was changed."],
        )
    signable = seal.signable(found, timezone.localdate())
    content = {
        **WORDS,
        "certificate": found,
        "patient": found.patient,
        "signable": signable,
        "sheet": signable.sheet,
        "c": signable.content,
        "may_sign": found.practitioner.user_id == user.pk,
        "public": place().public_url,
        "has_code": identity.has_second_factor(user),
        "wrong": wrong,
        "draft": DRAFT,
    }
    return shown(request, "certify/sign.html.j2", "Sign", content, page="queue", status=status)


# -- signed ----------------------------------------------------------------------------------------
def _signed_page(request: HttpRequest, found: Certificate) -> HttpResponse:
    user = me(request)
    mine = found.practitioner.user_id == user.pk
    issued = found.status == Status.ISSUED
    replaced_by = Certificate.objects.filter(supersedes=found).first()
    content = {
        **WORDS,
        "certificate": found,
        "patient": found.patient,
        "c": found.content,
        "status": status_of(found, timezone.localdate()),
        "reasons": seal.REASONS,
        "link": seal.link_of(found.code or ""),
        "replaced_by": replaced_by,
        "may_amend": issued and mine and may(user.role, "certificate.sign") and replaced_by is None,
        "may_revoke": issued and may(user.role, "certificate.revoke"),
        "may_enter": may(user.role, "certificate.enter"),
        "may_renew": may(user.role, "case.add"),
        **reviews_of(found, user),
        "staff": user.role != "patient",
        "answer": _answer_for_sheet(found) if may(user.role, "document.make") else None,
    }
    return shown(request, "certify/certificate.html.j2", "Certificate", content, page="queue")


def _answer_for_sheet(found: Certificate) -> Any:
    """The last answer to the case, of which a patient's sheet can be made."""
    from lissive.clinic.models import Answer

    if found.case.status != "open":
        return None
    last = (
        Answer.objects.filter(case=found.case_id, has_forecast=False)
        .defer("found", "shown", "data")
        .order_by("-made")
    )
    return last.first()


def status_of(found: Certificate, on: datetime.date) -> tuple[str, str, str]:
    """Its status in a word, as a sentence, and the kind of mark: what the page that verifies it says."""
    if found.status == Status.ISSUED and found.expires is not None and found.expires < on:
        return "Expired", f"It expired on {day_text(found.expires)}.", "no"
    if found.status == Status.ISSUED:
        return "Issued", "It was issued and is in force.", "yes"
    assert found.ended_at is not None
    day = day_text(timezone.localtime(found.ended_at).date())
    why = seal.REASONS.get(found.ended_kind, seal.REASONS["other"])
    verb = "replaced by a newer certificate" if found.status == Status.SUPERSEDED else "revoked"
    return found.get_status_display(), f"It was {verb} on {day}. Reason: {why.lower()}.", "no"


class EnteredForm(Form):
    system = Text("The state's system", 120, required=True, hint="Its name, as on its page.")
    number = Text("Number that it gave", 80, required=True)
    card_expires = Day("Card expires")


@require_http_methods(["GET", "HEAD", "POST"])
def certificate_copy(request: HttpRequest, id: UUID) -> HttpResponse:
    """Each value in the order of the state's form, to be copied there; and that it was entered."""
    found: Certificate = enter(request, "certificate.enter", Certificate, id)
    if found.status == Status.DRAFT:
        return said(request, 409, "It is not signed yet", ["What is not signed is entered nowhere."])
    given = {
        "system": found.state_system,
        "number": found.state_number,
        "card_expires": "" if found.card_expires is None else found.card_expires.isoformat(),
    }
    form = EnteredForm(request.POST if request.method == "POST" else None, initial=given)
    refused, status = None, 422 if form.is_bound and not form.is_valid() else 200
    if form.is_bound and form.is_valid():
        try:
            after.entered(found, me(request), form.cleaned_data)
            return redirect("certificate", found.pk)
        except Refused as error:
            refused, status = error, 409
    content = {
        **WORDS,
        "certificate": found,
        "patient": found.patient,
        "form_fields": [each for each in found.content["fields"] if each["kind"] != "none"],
        "c": found.content,
        "form": form,
        "refused": refused,
    }
    return shown(
        request, "certify/copy.html.j2", "Enter in the state's system", content, page="queue", status=status
    )


class AmendForm(Form):
    why = Text("What is to be corrected?", MOST, required=True, lines=True, hint="It stays in the record.")


class RevokeForm(Form):
    because = Choice(
        "Reason that everybody may read",
        [("", "Choose"), *((k, v) for k, v in seal.REASONS.items() if k != "amended")],
        required=True,
    )
    why = Text("Why, in your words", MOST, required=True, lines=True, hint="It stays in the record.")


@require_http_methods(["GET", "HEAD", "POST"])
def certificate_amend(request: HttpRequest, id: UUID) -> HttpResponse:
    found: Certificate = enter(request, "certificate.sign", Certificate, id)
    form, refused = AmendForm(request.POST if request.method == "POST" else None), None
    if form.is_bound and form.is_valid():
        try:
            return redirect("certificate", after.amend(found, me(request), form.cleaned_data["why"]).pk)
        except Refused as error:
            refused = error
    return _end_page(
        request,
        found,
        form,
        refused,
        "Amend",
        "A new draft is made. When it is signed, it replaces this one.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def certificate_revoke(request: HttpRequest, id: UUID) -> HttpResponse:
    found: Certificate = enter(request, "certificate.revoke", Certificate, id)
    form, refused = RevokeForm(request.POST if request.method == "POST" else None), None
    if form.is_bound and form.is_valid():
        try:
            after.revoke(found, me(request), form.cleaned_data["because"], form.cleaned_data["why"])
            return redirect("certificate", found.pk)
        except Refused as error:
            refused = error
    line = "It cannot be undone. The state's system is told by you, not by this program."
    return _end_page(request, found, form, refused, "Revoke", line)


def _end_page(
    request: HttpRequest, found: Certificate, form: Form, refused: Refused | None, do: str, line: str
) -> HttpResponse:
    if found.status == Status.DRAFT:
        return said(request, 409, "It is not signed yet", ["Change the draft, or discard it."])
    content = {
        **WORDS,
        "certificate": found,
        "patient": found.patient,
        "form": form,
        "refused": refused,
        "do": do,
        "line": line,
    }
    status = 409 if refused else 422 if form.errors else 200
    return shown(
        request, "certify/end.html.j2", f"{do} the certificate", content, page="queue", status=status
    )


CERTIFICATE = "certificates/<uuid:id>"
urls = [
    path(CERTIFICATE, certificate, name="certificate"),
    path(f"{CERTIFICATE}/discard", certificate_discard, name="certificate-discard"),
    path(f"{CERTIFICATE}/sign", certificate_sign, name="certificate-sign"),
    path(f"{CERTIFICATE}/copy", certificate_copy, name="certificate-copy"),
    path(f"{CERTIFICATE}/amend", certificate_amend, name="certificate-amend"),
    path(f"{CERTIFICATE}/revoke", certificate_revoke, name="certificate-revoke"),
]
