"""The one way into a record: who asks, whether they may, and the line in the trail that they did."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from lissive.clinic import audit, pages, zones
from lissive.clinic.models import (
    Case,
    Certificate,
    Credential,
    Document,
    Patient,
    Practitioner,
    Review,
    Slot,
    User,
    Visit,
)
from lissive.clinic.rights import may, rights
from lissive.clinic.work import Closed

Thing = TypeVar("Thing", bound=models.Model)


class NotLoggedIn(Exception):
    """Nobody is logged in, or no longer."""


class NoSecondFactor(Exception):
    """Staff without a second factor see nothing of a patient."""


def enter(
    request: HttpRequest,
    right: str,
    model: type[Thing] | None = None,
    id: object = None,
    *,
    quiet: bool = False,
) -> Any:
    """The thing that is asked for, if this user may; the trail says so.

    The first line of every view. Without `model`, the right alone is asked. `quiet` leaves the trail out: for parts of
    a page that was entered, such as the progress of a forecast. Raises NotLoggedIn, NoSecondFactor, PermissionDenied
    (a right that the role does not have), Http404 (nothing there for this user: it may be another clinic's).
    """
    user = who(request)
    if not may(user.role, right):
        audit.append("refused", user, detail={"right": right})
        raise PermissionDenied(right)
    if model is None:
        if not quiet:
            audit.append(right, user)
        return user
    thing = _visible(user, right, model, id)
    if thing is None:
        audit.append(
            "not found", user, kind=model.__name__.lower(), thing=str(id)[:60], detail={"right": right}
        )
        raise Http404
    if not quiet:
        audit.append(right, user, kind=model.__name__.lower(), thing=thing.pk, patient=patient_of(thing))
    return thing


def who(request: HttpRequest) -> User:
    """Who is logged in, with a second factor where they are staff."""
    if not request.user.is_authenticated:
        raise NotLoggedIn
    user = request.user
    zones.use(user.organisation)
    if user.role != "patient" and not settings.DEMO and not is_mfa_enabled(user):
        raise NoSecondFactor
    return user


def of_clinic(user: User, model: type[Thing]) -> models.QuerySet[Thing]:
    """All of a kind that belongs to the user's organisation: where every list begins."""
    return model._default_manager.filter(**{_CLINIC_OF[model]: user.organisation_id})


def _visible(user: User, right: str, model: type[Thing], id: object) -> Thing | None:
    way = _PATIENT_OF.get(model)
    found = of_clinic(user, model).filter(pk=id)
    if rights()[right].get(user.role) == "own":
        if way is None:
            return None
        found = found.filter(**{f"{way}user": user})
        if model is Document:
            found = found.filter(is_for_patient=True)
    return found.select_related(*_WITH.get(model, ())).first()


_CLINIC_OF: Mapping[type[models.Model], str] = {
    Patient: "organisation",
    User: "organisation",
    Practitioner: "organisation",
    Credential: "practitioner__organisation",
    Slot: "practitioner__organisation",
    Case: "patient__organisation",
    Document: "case__patient__organisation",
    Visit: "organisation",
    Certificate: "organisation",
    Review: "organisation",
}
"""The way from each kind to its clinic."""
_PATIENT_OF: Mapping[type[models.Model], str] = {
    Patient: "",
    Case: "patient__",
    Document: "case__patient__",
    Visit: "patient__",
    Certificate: "patient__",
    Review: "patient__",
}
"""The way to the patient whose it is; what is not in it is no patient's own."""
_WITH: Mapping[type[models.Model], tuple[str, ...]] = {
    Case: ("patient",),
    Document: ("case__patient",),
    Visit: ("patient", "case", "practitioner__user"),
    Certificate: ("patient", "case", "visit", "practitioner__user"),
    Review: ("patient", "case", "certificate"),
}
"""What is loaded with it."""


def patient_of(thing: models.Model) -> UUID | None:
    match thing:
        case Patient():
            return thing.pk
        case Case() | Visit() | Certificate() | Review():
            return thing.patient_id
        case Document():
            return thing.case.patient_id
    return None


TOUCH_S = 60
"""A session is written again at most this often: most pages write nothing for it."""


def gate(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """The middleware: keeps a session that is in use, and leads anyone who is not logged in to the log-in and back."""

    def gated(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and time.time() - request.session.get("seen", 0) > TOUCH_S:
            request.session["seen"] = int(time.time())
        try:
            return _written(get_response(request))
        finally:
            zones.leave()

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Closed):
            lines = ["Nothing was changed. Begin another one for what is new."]
            return pages.said(request, 409, exception.what, lines)
        if isinstance(exception, NotLoggedIn):
            to = reverse("account_login")
        elif isinstance(exception, NoSecondFactor):
            to = reverse("mfa_activate_totp")
        else:
            return None
        if request.headers.get("HX-Request"):
            return HttpResponse(status=401, headers={"Lissive-Log-In": to})
        back = request.get_full_path() if request.method in ("GET", "HEAD") else _form_of(request)
        to = f"{to}?{urlencode({'next': back})}" if back else to
        if request.method == "POST" and isinstance(exception, NotLoggedIn):
            return pages.not_taken(request, to)
        return redirect(to)

    gated.process_exception = process_exception  # type: ignore[attr-defined]
    return gated


def _written(response: HttpResponse) -> HttpResponse:
    """A page in the usage of its clinic; one in another language, and a file, as it is."""
    is_page = not response.streaming and response.headers.get("Content-Type", "").startswith("text/html")
    if is_page and zones.here_is_us() and b'<html lang="en' in response.content[:300]:
        response.content = zones.written(response.content.decode()).encode()
    return response


def _form_of(request: HttpRequest) -> str:
    """The page that a form was sent from, where it is one of this site."""
    sent_from = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(sent_from, {request.get_host()}):
        return urlsplit(sent_from).path
    return ""
