"""Renewal: a visit with a case that opens with the last facts, and a page that asks what changed, field by field.

The old certificate keeps its rule and its content. Judgements and ratings are not taken over: they are asked anew.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from lissive.case.ask import Question, every_question
from lissive.clinic import audit
from lissive.clinic.access import enter, of_clinic
from lissive.clinic.cases import stated_by
from lissive.clinic.dates.asked import ANEW, SETTLED, fields_of, is_answered, open_fields
from lissive.clinic.forms import (
    TEXTS,
    Choice,
    Day,
    Form,
    Texts,
    age_on,
    day_text,
    place_text,
    time_text,
    version_of,
)
from lissive.clinic.models import Case, Certificate, Practitioner, User, Visit, VisitKind
from lissive.clinic.pages import said, shown
from lissive.clinic.questions import UNKNOWN, Asked, Made, made, state_of, text_of, typed_in
from lissive.clinic.work import changeable
from lissive.errors import CaseError
from lissive.report.table import Table, table
from lissive.web.controls import asked, control, label_of
from lissive.web.state import FLAG, State

Status = Visit.Status


# -- the visit --------------------------------------------------------------------------------------
class RenewForm(Form):
    practitioner = Choice("Practitioner", list, required=True)
    visit_kind = Choice("Kind of visit", VisitKind.choices, required=True)
    day = Day("Day", required=True)
    time = forms.TimeField(
        label="Time",
        input_formats=["%H:%M"],
        widget=forms.TimeInput(attrs={"type": "time"}),
        error_messages={"required": "Enter the time.", "invalid": "Time: write it as 14:30."},
    )

    def __init__(self, user: User, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        of = of_clinic(user, Practitioner).order_by("name").values_list("pk", "name")
        self.fields["practitioner"].choices = [(str(key), name) for key, name in of]  # type: ignore[attr-defined]

    def clean_day(self) -> datetime.date:
        day: datetime.date = self.cleaned_data["day"]
        if day < timezone.localdate():
            raise forms.ValidationError("Day: it is past. Write today or a later day.")
        return day


@require_http_methods(["GET", "HEAD", "POST"])
def certificate_renew(request: HttpRequest, id: UUID) -> HttpResponse:
    """When and how the visit is; it then begins with the facts of the certificate's case."""
    old: Certificate = enter(request, "case.add", Certificate, id)
    assert isinstance(request.user, User)
    if old.status == Certificate.Status.DRAFT:
        return said(
            request, 409, "This certificate is a draft", ["Sign it first: there is nothing to renew."]
        )
    running = old.renewals.exclude(status__in=(Status.CANCELLED, Status.NO_SHOW, Status.DECLINED)).first()
    if running is not None and running.case_id is not None:
        return redirect("renewal", running.pk)
    now = timezone.localtime()
    first = {
        "practitioner": str(old.practitioner_id),
        "visit_kind": old.visit.kind,
        "day": now.date().isoformat(),
        "time": f"{now:%H:%M}",
    }
    form = RenewForm(request.user, request.POST if request.method == "POST" else None, initial=first)
    if request.method == "POST" and form.is_valid():
        visit = _begun(request.user, old, form.cleaned_data)
        return redirect("renewal", visit.pk)
    content = {**TEXTS, "form": form, "old": old, "patient": old.patient, "place": place_text(old.place)}
    status = 422 if form.errors else 200
    return shown(request, "renew.html.j2", "Renew a certificate", content, page="dates", status=status)


def _begun(user: User, old: Certificate, asked_for: Mapping[str, Any]) -> Visit:
    starts = timezone.make_aware(datetime.datetime.combine(asked_for["day"], asked_for["time"]))
    practitioner = of_clinic(user, Practitioner).get(pk=asked_for["practitioner"])
    with transaction.atomic():
        # who presses twice gets one visit
        Certificate.objects.select_for_update().get(pk=old.pk)
        again = old.renewals.filter(starts=starts, status=Status.BOOKED).first()
        if again is not None:
            return again
        case = renewal_case(old, asked_for["day"], asked_for["visit_kind"], practitioner, user)
        visit = Visit.objects.create(
            organisation_id=old.organisation_id,
            patient=old.patient,
            case=case,
            practitioner=practitioner,
            kind=asked_for["visit_kind"],
            day=asked_for["day"],
            starts=starts,
            place=old.visit.place,
            renews=old,
            booked_by=user,
        )
        for action, kind, thing in (("case.begun", "case", case.pk), ("visit.booked", "visit", visit.pk)):
            detail = {"renews": str(old.pk)}
            audit.append(action, user, kind=kind, thing=thing, patient=old.patient_id, detail=detail)
    return visit


def renewal_case(
    old: Certificate, on: datetime.date, kind: str, practitioner: Practitioner, user: User | None
) -> Case:
    """A case with the last facts of a certificate's case, and who stated each; what is asked anew is left out."""
    was = old.case
    state = State(was.data, frozenset(was.passed)).without(*ANEW)
    data = {**state.data, "as_of": on.isoformat()}
    data["person"] = {**data.get("person", {}), "age_years": age_on(old.patient.born, on)}
    data["place"] = {**data.get("place", {}), "visit": kind, "practitioner": practitioner.profession}
    return Case.objects.create(
        patient=old.patient,
        data=data,
        passed=sorted(set(was.passed) - set(ANEW)),
        stated={name: each for name, each in was.stated.items() if name not in (*ANEW, *SETTLED)},
        opened_by=user,
    )


# -- what changed -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Row:
    """One question of a renewal that is open: the control for a new answer, and what was answered last."""

    asked: Asked
    before: str
    by: str
    """Who stated that, and when."""
    is_anew: bool
    is_same: bool


@require_http_methods(["GET", "HEAD", "POST"])
def renewal(request: HttpRequest, id: UUID) -> HttpResponse:
    """The same, or what it is now. What is answered is saved; what is not stays open."""
    visit: Visit = enter(request, "visit.change" if request.method == "POST" else "visit.see", Visit, id)
    if visit.renews_id is None or visit.case is None:
        raise Http404
    old = Certificate.objects.select_related("case").get(pk=visit.renews_id)
    try:
        state_of(old.case)
        if request.method == "POST":
            return _saved(request, visit, visit.case, old)
        return _page(request, visit, visit.case, old, {}, frozenset(), {})
    except CaseError as error:
        return said(request, 409, "This version cannot read the case", str(error).split("\n"))


def _saved(request: HttpRequest, visit: Visit, case: Case, old: Certificate) -> HttpResponse:
    assert isinstance(request.user, User)
    typed = {name: text for name, text in typed_in(request.POST).items() if text}
    same = frozenset(request.POST.getlist("same"))
    with transaction.atomic():
        changeable(case)
        now = Case.objects.select_for_update().get(pk=case.pk)
        now.patient = visit.patient
        if now.version != version_of(request.POST):
            return _page(request, visit, now, old, typed, same, {}, status=409)
        names = open_fields(now, old.case)
        if request.POST.get("do") == "rest":
            same |= {name for name in names if name not in ANEW and name not in typed}
        found, faults = _answers(now, old.case, names, typed, same)
        if faults:
            return _page(request, visit, now, old, typed, same, faults, status=422)
        stated = [name for name in names if name in typed or name in same]
        if stated:
            now.data, now.passed = dict(found.state.data), sorted(found.state.passed)
            now.version, now.changed = now.version + 1, timezone.now()
            now.stated = now.stated | dict.fromkeys(stated, stated_by(request.user))
            now.save(update_fields=["data", "passed", "stated", "version", "changed"])
            _entry(request.user, "case.changed", now, changed=stated, version=now.version)
    return redirect("renewal", visit.pk)


def _answers(
    case: Case, old: Case, names: Sequence[str], typed: Texts, same: frozenset[str]
) -> tuple[Made, dict[str, str]]:
    """The case with the answers, and what is wrong with them by field."""
    was, texts, faults = State(old.data, frozenset(old.passed)), {}, {}
    for name in names:
        if name in same and name in typed:
            faults[name] = "Both the same and another answer are given: take out one of the two."
        elif name in same and name in ANEW:
            faults[name] = "This is asked anew each time: enter what it is today."
        elif name in same:
            texts[name] = text_of(was, name)
        elif name in typed:
            texts[name] = typed[name]
    found = made(state_of(case), texts, case.patient.born)
    return found, {**found.faults, **faults}


def _page(
    request: HttpRequest,
    visit: Visit,
    case: Case,
    old: Certificate,
    typed: Texts,
    same: frozenset[str],
    faults: Mapping[str, str],
    status: int = 200,
) -> HttpResponse:
    names = open_fields(case, old.case)
    rows = [_row(case, old.case, name, typed.get(name, ""), same, faults.get(name, "")) for name in names]
    content = {
        **TEXTS,
        "visit": visit,
        "case": case,
        "patient": visit.patient,
        "old": old,
        "place": place_text(old.place),
        "anew": [each for each in rows if each.is_anew],
        "rest": [each for each in rows if not each.is_anew],
        "done": _done_table(case, old.case),
        "is_overtaken": status == 409,
        "faults": [(name, f"{asked(name) or name}: {text}") for name, text in faults.items()],
        "may_change": case.status == Case.Status.OPEN,
    }
    return shown(request, "renewal.html.j2", "What changed", content, page="dates", status=status)


def _row(case: Case, old: Case, name: str, text: str, same: frozenset[str], fault: str) -> Row:
    was, now = State(old.data, frozenset(old.passed)), state_of(case)
    question = next((each for each in every_question() if each.field == name), None)
    if question is None:
        so = name.removeprefix(FLAG).replace("_", " ")
        question = Question(name, f"Does this hold: {so}?", "yes, no", ("law",), "")
    one = control(question, now, "" if text == UNKNOWN else text)
    is_none = one.says_none and "none" in text.split(", ")
    shown_as = Asked(one, "" if text == UNKNOWN else text, "", text == UNKNOWN, is_none, fault, "", False)
    return Row(shown_as, _words(was, name), _by(old, name), name in ANEW, name in same)


def _done_table(case: Case, old: Case) -> Table:
    """What was answered for this renewal, beside what was answered last."""
    was, now = State(old.data, frozenset(old.passed)), state_of(case)
    rows = []
    for name in fields_of(old):
        if is_answered(case, name):
            then, today = _words(was, name), _words(now, name)
            rows.append((asked(name) or name, then, "The same" if then == today else today, _by(case, name)))
    return table("Answered", "Question|Last time|Now|Stated by", rows)


def _words(state: State, name: str) -> str:
    if name in state.passed:
        return "Not known"
    value = state.value(name)
    if value is None:
        return "Not asked"
    return day_text(datetime.date.fromisoformat(value)) if name == "spasm.since" else label_of(name, value)


def _by(case: Case, name: str) -> str:
    each = case.stated.get(name, {})
    at = time_text(each["at"]) if each.get("at") else ""
    return ", ".join(part for part in (str(each.get("by", "")), at) if part)


def _entry(user: User, action: str, case: Case, **detail: Any) -> None:
    audit.append(action, user, kind="case", thing=case.pk, patient=case.patient_id, detail=detail)


urls = [
    path("certificates/<uuid:id>/renew", certificate_renew, name="certificate-renew"),
    path("visits/<uuid:id>/renewal", renewal, name="renewal"),
]
