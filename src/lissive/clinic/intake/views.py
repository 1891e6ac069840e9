"""The questions before a visit, on the patient's phone: by log-in, or by a link with the date of birth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from lissive.clinic import audit, zones
from lissive.clinic.access import enter
from lissive.clinic.booking.bookings import _booking
from lissive.clinic.booking.law import is_licensed
from lissive.clinic.booking.take import AHEAD, when
from lissive.clinic.forms import place_text, time_text
from lissive.clinic.intake import link
from lissive.clinic.intake.done import (
    corrections,
    differences,
    finish,
    keep_sent,
    latest_consents,
    refused,
    reopen,
    sent_of,
    take,
    told,
    unsent,
)
from lissive.clinic.intake.questions import (
    JOINT,
    NAME,
    PLACE,
    UNKNOWN,
    Item,
    NoAnswer,
    answers_of,
    ask_of,
    first_open,
    frame_words,
    items,
    needs_guardian,
    read,
    word,
    words_of,
)
from lissive.clinic.models import Case, Consent, Intake, User, Visit, folded
from lissive.clinic.pages import said as page_said
from lissive.clinic.pages import shown
from lissive.clinic.rights import may
from lissive.clinic.visit.record import FINAL, Refused, write
from lissive.clinic.visit.record import said as said_before
from lissive.clinic.visit.standing import to_compare
from lissive.errors import CaseError

ACTS = require_http_methods(["GET", "HEAD", "POST"])


# -- doors -------------------------------------------------------------------------------------------
@ACTS
def intake(request: HttpRequest, id: UUID) -> HttpResponse:
    """By log-in: the patient's own, or a practitioner beside the patient."""
    visit: Visit = enter(request, "intake.fill", Visit, id, quiet=request.method == "POST")
    assert isinstance(request.user, User)
    return _asked(request, visit, request.user, reverse("booking", args=[visit.pk]))


@ACTS
def intake_link(request: HttpRequest, secret: str) -> HttpResponse:
    """By link: first the date of birth; what was being answered when it closed comes along."""
    visit = link.visit_of(secret)
    if visit is None:
        return _page(request, "intake_ended.html.j2", "en", status=410)
    zones.use(visit.organisation)
    if request.user.is_authenticated and visit.patient.user_id == request.user.pk:
        return redirect("intake", visit.pk)
    if link.is_open(request, secret):
        return _asked(request, visit, None, "")
    tongue = visit.intake.language
    if (do := request.POST.get("do", "")) in TONGUES and "item" not in request.POST:
        Intake.objects.filter(pk=visit.pk).update(language=do)
        return redirect(request.path)
    fault, status = "", 200
    if "born" in request.POST:
        left = link.tried(request, secret, visit, link.day_of(request.POST["born"]))
        if left < 0:
            return _page(request, "intake_ended.html.j2", tongue, status=410)
        if not left:
            return _asked(request, visit, None, "") if "do" in request.POST else redirect(request.path)
        fault, status = word("frame", "birth_wrong", tongue).format(left=left), 422
    carried = [
        (name, each) for name, values in request.POST.lists() for each in values if name not in LEFT_OUT
    ]
    content = {"fault": fault, "carried": carried, "clinic": visit.organisation.name}
    return _page(request, "intake_born.html.j2", tongue, content, status=status)


TONGUES = ("en", "es")
LEFT_OUT = ("csrfmiddlewaretoken", "born")


def _page(
    request: HttpRequest,
    template: str,
    tongue: str,
    content: dict[str, Any] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    words = frame_words(tongue)
    more = {
        "w": words,
        "lang": tongue,
        "nav": [],
        "foot": [text for text in (words["foot"], words["draft"]) if text],
        "other_tongue": "es" if tongue == "en" else "en",
    }
    return shown(request, template, words["title"], {**more, **(content or {})}, status=status)


# -- one question at a time --------------------------------------------------------------------------
def _asked(request: HttpRequest, visit: Visit, user: User | None, home: str) -> HttpResponse:
    """The question that is next, or the one that is asked for; an answer is saved, and the next follows."""
    now = Intake.objects.filter(visit=visit).first() or Intake.objects.create(visit=visit)
    visit.intake = now
    is_open = visit.status in AHEAD and (not now.done or now.correcting is not None)
    if request.method == "POST" and is_open:
        return _answered(request, visit, user, home)
    if request.method == "POST" and request.POST.get("do") == "correct":
        reopen(visit, user)
        return redirect(request.path)
    if not is_open:
        return _over(request, visit, home)
    asked = items(visit, answers_of(now), now.language)
    at = _number(request.GET.get("at"), len(asked))
    if at is None:
        at = first_open(asked, answers_of(now))
    if at is None or "all" in request.GET:
        return _summary(request, visit, home)
    return _question(request, visit, asked, at, home)


def _number(text: str | None, count: int) -> int | None:
    return (
        int(text)
        if text and text.isascii() and text.isdigit() and len(text) < 4 and int(text) < count
        else None
    )


def _answered(request: HttpRequest, visit: Visit, user: User | None, home: str) -> HttpResponse:
    do, here = request.POST.get("do", ""), request.path
    if do in TONGUES:
        Intake.objects.filter(pk=visit.pk).update(language=do)
        at = _number(request.POST.get("at"), MOST_ITEMS)
        return redirect(here if at is None else f"{here}?at={at}")
    if do == "keep":
        keep_sent(visit)
        return redirect(here)
    if do == "send":
        asked = items(visit, answers_of(visit.intake), visit.intake.language)
        if first_open(asked, answers_of(visit.intake)) is None:
            finish(visit, user)
        return redirect(here)
    asked = items(visit, answers_of(visit.intake), visit.intake.language)
    at = next((k for k, each in enumerate(asked) if each.key == request.POST.get("item", "")), None)
    if at is None:
        return redirect(here)
    if do == "back":
        return redirect(f"{here}?at={max(0, at - 1)}")
    one, typed = asked[at], _typed(request, asked[at])
    try:
        _save(request, visit, one, typed, user, is_open=do == "pass")
    except NoAnswer as wrong:
        return _question(request, visit, asked, at, home, typed=typed, fault=str(wrong), status=422)
    except Meanwhile as meanwhile:
        return _question(request, visit, asked, at, home, typed=typed, fault=str(meanwhile), status=409)
    then = f"?at={at + 1}" if request.POST.get("was") and request.POST.get("then") != "all" else ""
    return redirect(f"{here}{'?all' if request.POST.get('then') == 'all' else then}")


MOST_ITEMS = 200


class Meanwhile(Exception):
    """Another window has answered this otherwise."""


def _typed(request: HttpRequest, one: Item) -> str:
    post = request.POST
    if one.kind == "name":
        return JOINT.join((post.get("given", "").strip(), post.get("family", "").strip()))
    if post.get("do") == "none":
        return "none"
    parts = [*post.getlist("said"), post.get("other", "")]
    return ", ".join(part.strip() for part in parts if part.strip())


def _save(
    request: HttpRequest, visit: Visit, one: Item, typed: str, user: User | None, *, is_open: bool
) -> None:
    """One answer, at once; what another window answered otherwise meanwhile is not written over unseen."""
    with transaction.atomic():
        now = Intake.objects.select_for_update().get(pk=visit.pk)
        if now.done and not now.correcting:
            return
        before, tongue = answers_of(now).get(one.key, ""), now.language
        if is_open and one.may_be_open:
            text = UNKNOWN
        elif one.kind == "consent":
            text = _signed(request, visit, now, one, typed, user)
        else:
            text = read(visit, now, one, typed)
        if before and before not in (request.POST.get("was", ""), text):
            shown_as = words_of(one, before, tongue)
            raise Meanwhile(word("frame", "meanwhile", tongue).format(text=shown_as))
        now.said = {key: each for key, each in now.said.items() if key != one.key} | (
            {} if text == UNKNOWN else {one.key: text}
        )
        now.passed = [each for each in now.passed if each != one.key] + ([one.key] if text == UNKNOWN else [])
        if now.begun is None:
            now.begun = timezone.now()
            _entry("intake.begun", visit, user)
        now.version += 1
        now.save(update_fields=["said", "passed", "begun", "version"])
        visit.intake = now


def _signed(request: HttpRequest, visit: Visit, now: Intake, one: Item, typed: str, user: User | None) -> str:
    """A consent given or refused, with the text's version and hash and the typed name. Raises NoAnswer."""
    assert one.consent is not None
    tongue, name = now.language, " ".join(request.POST.get("signature", "").split())
    if typed not in ("yes", "no"):
        raise NoAnswer(word("fault", "choice", tongue))
    guardian = needs_guardian(visit)
    own = now.said.get(NAME, JOINT).replace(JOINT, " ")
    if len(name) < 2 or len(name) > 200 or any(ord(each) < 32 for each in name):
        raise NoAnswer(word("fault", "signature", tongue))
    if not guardian and folded(name) != folded(own):
        raise NoAnswer(word("fault", "signature_other", tongue).format(name=own))
    Consent.objects.create(
        visit=visit,
        kind=one.consent.kind,
        text_version=one.consent.version,
        text_sha256=one.consent.sha256,
        language=tongue,
        is_given=typed == "yes",
        signed_name=name,
        signed_as="guardian" if guardian else "patient",
    )
    _entry("consent.given" if typed == "yes" else "consent.refused", visit, user, consent=one.consent.kind)
    return typed


def _entry(action: str, visit: Visit, user: User | None, **detail: str) -> None:
    of = {
        "organisation": visit.organisation_id,
        "kind": "visit",
        "thing": visit.pk,
        "patient": visit.patient_id,
    }
    audit.append(action, user, **of, detail=detail if user else {**detail, "by": "link"})  # type: ignore[arg-type]


def _question(
    request: HttpRequest,
    visit: Visit,
    asked: list[Item],
    at: int,
    home: str,
    *,
    typed: str | None = None,
    fault: str = "",
    status: int = 200,
) -> HttpResponse:
    one, tongue, said = asked[at], visit.intake.language, answers_of(visit.intake)
    was = said.get(one.key, "")
    value = was if typed is None else typed
    if one.key == PLACE and not value:
        value = visit.place
    chosen = [part.strip() for part in value.split(",")] if one.kind == "several" else [value]
    options = dict(one.options)
    content = {
        "q": replace(one, kind="select") if one.kind == "choice" and len(options) > 8 else one,
        "options": one.options
        if one.kind != "choice" or len(options) <= 8
        else (("", word("frame", "choose", tongue)), *one.options),
        "value": "" if value in ("?", "none") else value,
        "values": tuple(each for each in chosen if each in options),
        "other": ", ".join(each for each in chosen if each not in options and each not in ("?", "none")),
        "parts": [*value.split(JOINT), "", ""][:2],
        "was": was,
        "then": "all" if "then" in request.GET else request.POST.get("then", ""),
        "at": at,
        "number": at + 1,
        "total": len(asked),
        "fault": fault,
        "home": home or request.path,
        "booking": home,
        "consent_ask": ask_of("consent", tongue),
        "is_guardian": needs_guardian(visit),
        "signature": request.POST.get("signature", ""),
        "notice": _notice(visit, said, at),
    }
    return _page(request, "intake_question.html.j2", tongue, content, status=status)


def _notice(visit: Visit, said: dict[str, str], at: int) -> str:
    """After the place: that nobody may certify there."""
    place = said.get(PLACE, "")
    if (
        at > 2
        or not place
        or place == visit.patient.residence
        or is_licensed(visit.practitioner, place, visit.day)
    ):
        return ""
    return word("frame", "not_licensed", visit.intake.language).format(
        who=visit.practitioner.name, place=place_text(place), home=place_text(visit.patient.residence)
    )


def _summary(request: HttpRequest, visit: Visit, home: str) -> HttpResponse:
    tongue = visit.intake.language
    rows = told(visit, answers_of(visit.intake), tongue)
    content = {
        "rows": rows,
        "is_whole": all(text for _, _, text in rows),
        "is_correction": visit.intake.correcting is not None,
        "refused": word("frame", "refused", tongue).format(what=", ".join(no))
        if (no := refused(visit, tongue))
        else "",
        "notice": _notice(visit, answers_of(visit.intake), 0),
        "at": len(rows),
        "home": home or request.path,
        "booking": home,
    }
    return _page(request, "intake_summary.html.j2", tongue, content)


def _over(request: HttpRequest, visit: Visit, home: str) -> HttpResponse:
    tongue = visit.intake.language
    page = getattr(visit.organisation, "page", None)
    if visit.status in AHEAD:
        more = word("frame", "done_more", tongue)
    else:
        phone = "" if page is None or not page.phone else f" ({page.phone})"
        more = word("frame", "begun", tongue).format(phone=phone)
    content = {
        "when": when(visit.starts, tongue),
        "who": visit.practitioner.name,
        "refused": word("frame", "refused", tongue).format(what=", ".join(no))
        if (no := refused(visit, tongue))
        else "",
        "is_done": visit.intake.done is not None,
        "may_correct": visit.status in AHEAD,
        "more": more,
        "unsent": word("frame", "not_sent", tongue) if visit.intake.correcting else "",
        "home": home or request.path,
        "booking": home,
        "at": 0,
    }
    return _page(request, "intake_over.html.j2", tongue, content)


# -- staff -------------------------------------------------------------------------------------------
@require_POST
def intake_link_make(request: HttpRequest, id: UUID) -> HttpResponse:
    """A new link, shown once."""
    visit: Visit = enter(request, "intake.link", Visit, id)
    assert isinstance(request.user, User)
    Intake.objects.get_or_create(visit=visit)
    secret = link.new_link(visit, request.user)
    return _booking(request, visit, link=request.build_absolute_uri(reverse("intake-link", args=[secret])))


def intake_said(request: HttpRequest, id: UUID) -> HttpResponse:
    """What the patient answered and agreed to, and what differs from the record."""
    visit: Visit = enter(request, "visit.see", Visit, id)
    assert isinstance(request.user, User)
    has = hasattr(visit, "intake")
    content = {
        "visit": visit,
        "patient": visit.patient,
        "rows": told(visit, sent_of(visit.intake), "en") if has else [],
        "corrections": corrections(visit),
        "unsent": unsent(visit),
        "to_compare": to_compare(visit),
        "sent": max(1, len(visit.intake.sent)) if has else 0,
        "may_change": may(request.user.role, "visit.change") and visit.status not in FINAL,
        "intake": visit.intake if has else None,
        "consents": latest_consents(visit).values(),
        "differences": differences(visit),
        "may_take": may(request.user.role, "case.change")
        and visit.case is not None
        and visit.case.status == Case.Status.OPEN,
        "time_text": time_text,
        "place": place_text(visit.place),
    }
    return shown(request, "intake_said.html.j2", "What the patient answered", content, page="bookings")


@require_POST
def intake_take(request: HttpRequest, id: UUID) -> HttpResponse:
    """The patient's answer takes the place of what stands in the case, on the practitioner's word."""
    visit: Visit = enter(request, "case.change", Visit, id)
    assert isinstance(request.user, User)
    if visit.case_id is not None and hasattr(visit, "intake"):
        try:
            take(visit, request.POST.get("field", ""), request.user)
        except CaseError as error:
            lines = ["Nothing was changed. Change the case by hand.", *str(error).split("\n")]
            return page_said(request, 409, "This answer does not go together with the case", lines)
    return redirect("intake-said", visit.pk)


@require_POST
def intake_read(request: HttpRequest, id: UUID) -> HttpResponse:
    """The practitioner has read the corrections, or compared the answers with the case, up to the one that is named."""
    visit: Visit = enter(request, "visit.change", Visit, id)
    assert isinstance(request.user, User)
    most = len(corrections(visit)) + 1
    read, compared = (
        _number(request.POST.get(name), most + more) for name, more in (("number", 0), ("compared", 1))
    )
    if found := {name: n for name, n in (("read", read), ("compared", compared)) if n}:
        try:
            write(visit, {"corrections": said_before(visit, "corrections") | found}, request.user)
        except Refused as refused:
            return page_said(request, 409, "Not recorded", [str(refused)])
    return redirect("visit", visit.pk)


urls = [
    path("visits/<uuid:id>/questions", intake, name="intake"),
    path("visits/<uuid:id>/questions/link", intake_link_make, name="intake-link-make"),
    path("visits/<uuid:id>/said", intake_said, name="intake-said"),
    path("visits/<uuid:id>/said/read", intake_read, name="intake-read"),
    path("visits/<uuid:id>/said/take", intake_take, name="intake-take"),
    path("questions/<str:secret>", intake_link, name="intake-link"),
]
PUBLIC = frozenset({"intake-link"})
"""Addresses that ask for no log-in: this one asks for a secret and the date of birth."""
