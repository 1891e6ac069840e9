"""The case page: what was answered, the forecast, the reason, the documents."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from lissive.clinic import answered, audit, compare, documents, work
from lissive.clinic.access import enter
from lissive.clinic.forms import day_text
from lissive.clinic.models import Answer, Case, Document, Work
from lissive.clinic.pages import said, shown
from lissive.clinic.rights import may
from lissive.clinic.treatments import treatment_table
from lissive.errors import LissiveError
from lissive.web.pages import plainly

MOST_REASON = 10_000
RUNNING = (Work.Status.QUEUED, Work.Status.RUNNING)


# -- the page --------------------------------------------------------------------------------------
@require_safe
def case(request: HttpRequest, id: UUID) -> HttpResponse:
    """What a case is answered."""
    found: Case = enter(request, "case.see", Case, id)
    return _page(request, found)


def _page(
    request: HttpRequest, case: Case, reason: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    problem = ""
    try:
        answer = answered.answer_of(case, answered.me(request))
    except LissiveError as error:  # a case that is not yet one
        answer, problem = None, plainly(error.what)
    content = {
        **parts_of(request, case, answer),
        "problem": problem,
        "treatments": treatment_table(case.patient, may_change=may(answered.me(request).role, "case.change")),
        "reason": reason or {"text": case.reason, "version": case.version, "error": "", "kept": None},
        "before": None if answer is None else _before(answer),
    }
    return shown(request, "case.html.j2", "Case", content, page="patients", status=status)


def parts_of(request: HttpRequest, case: Case, answer: Answer | None) -> dict[str, Any]:
    """What also stands on the page of work in progress: the answer, its forecast, the documents."""
    user = answered.me(request)
    is_open = case.status == Case.Status.OPEN
    whole = None if answer is None else answered.forecast_of(answer)
    rows = list(Work.objects.filter(case=case, kind__in=("forecast", "document")).order_by("-asked")[:20])
    same = [
        row
        for row in rows
        if answer is not None and row.kind == "forecast" and row.given["data"] == answer.data
    ]
    visit = case.visits.only("day").order_by("-starts").first()
    kept = Document.objects.filter(case=case).select_related("made_by", "answer").defer("content")
    return {
        "case": case,
        "patient": case.patient,
        "born": day_text(case.patient.born),
        "visit": visit,
        "visit_day": day_text(visit.day) if visit else "",
        "is_open": is_open,
        "answer": answer,
        "made": None if answer is None else made_text(answer),
        "is_of_older_data": answer is not None and answer.data != case.data,
        "whole": whole,
        "forecast_work": None if whole is not None or not same else same[0],
        "before_this": _before_this(same[0]) if same else 0,
        "document_work": [row for row in rows if row.kind == "document" and row.status != Work.Status.DONE],
        "documents": [_shown_document(each, answer, whole) for each in kept.order_by("-made")[:50]],
        "kinds": documents.KINDS,
        "subjects": work.subjects(),
        "may_make": is_open and may(user.role, "answer.make"),
        "may_document": is_open and may(user.role, "document.make"),
        "may_change": is_open and may(user.role, "case.change"),
        "running": RUNNING,
    }


def _before_this(row: Work) -> int:
    """How many are to be done first."""
    if row.status != Work.Status.QUEUED:
        return 0
    return Work.objects.filter(status__in=RUNNING, asked__lt=row.asked).count()


def _shown_document(found: Document, answer: Answer | None, whole: Answer | None) -> dict[str, Any]:
    newest = whole or answer
    of_older = newest is not None and found.answer_id is not None and found.answer_id != newest.pk
    without = of_older and answer is not None and found.answer_id == answer.pk
    return {
        "id": found.pk,
        "kind": documents.NAMES.get(found.kind, found.kind),
        "at": answered.moment_text(found.made),
        "by": "" if found.made_by is None else found.made_by.shown_name,
        "sha256": found.sha256,
        "note": "without the forecast" if without else "of an earlier answer" if of_older else "",
    }


def _before(answer: Answer) -> dict[str, Any] | None:
    """What an earlier version answered otherwise to the same data."""
    other = answered.earlier(answer)
    if other is None:
        return None
    return {"pk": other.pk, "made": made_text(other), "changes": answered.changes(other.found, answer.found)}


def made_text(answer: Answer) -> str:
    version, _, tables = answer.lissive.partition(" ")
    return f"{answered.moment_text(answer.made)} by Lissive {version}, tables {tables}"


# -- the forecast ----------------------------------------------------------------------------------
@require_POST
def case_forecast(request: HttpRequest, id: UUID) -> HttpResponse:
    """Ask for the forecast of the answer to the case as it is."""
    found: Case = enter(request, "answer.make", Case, id)
    try:
        answer = answered.answer_of(found, answered.me(request))
        if answer is None or not answer.shown["simulates"]:
            raise LissiveError("There is no forecast of this case.", do="see under Forecast what it needs.")
        answered.ask_forecast(answer, answered.me(request), work.subjects())
    except LissiveError as error:
        return said(request, 409, plainly(error.what), [error.do or "What was answered before can be read."])
    return redirect("case-work", found.pk)


@require_safe
def case_work(request: HttpRequest, id: UUID) -> HttpResponse:
    """How far the forecast and the documents are: a page without scripts, a part of the case page with them."""
    found: Case = enter(request, "case.see", Case, id, quiet=True)
    try:
        answer = answered.answer_of(found, answered.me(request))
    except LissiveError:
        answer = None
    return shown(
        request, "case_work.html.j2", "Work in progress", parts_of(request, found, answer), page="patients"
    )


@require_safe
def case_earlier(request: HttpRequest, id: UUID, number: int) -> HttpResponse:
    """An answer as it was shown."""
    found: Case = enter(request, "case.see", Case, id)
    answer = Answer.objects.filter(case=found, pk=number, has_forecast=False).first()
    if answer is None:
        raise Http404
    content = {
        "case": found,
        "answer": answer,
        "whole": answered.forecast_of(answer),
        "made": made_text(answer),
        "patient": found.patient,
    }
    return shown(request, "case_earlier.html.j2", "An earlier answer", content, page="patients")


# -- the reason ------------------------------------------------------------------------------------
@require_POST
def case_reason(request: HttpRequest, id: UUID) -> HttpResponse:
    """Benefit and risk, in the practitioner's words."""
    found: Case = enter(request, "case.change", Case, id)
    text, version = request.POST.get("reason", "").strip(), request.POST.get("version", "")
    again = {"text": text, "version": found.version, "error": "", "kept": None}
    if len(text) > MOST_REASON:
        again["error"] = f"The text has {len(text):,} characters. Allowed: {MOST_REASON:,}."
    elif "\0" in text:  # which PostgreSQL does not hold
        again["error"] = (
            "The text has a character that cannot be kept (NUL). Type it again, or paste it as plain text."
        )
    if again["error"]:
        return _page(request, found, again, 422)
    try:
        with transaction.atomic():
            work.changeable(found)
            now = Case.objects.select_for_update().get(pk=found.pk)
            if str(now.version) != version and now.reason != text:
                again |= {"version": now.version, "kept": now.reason}
                again["error"] = (
                    "The case was changed meanwhile, so this was not saved. What is kept now stands below; "
                    "put both together and save again."
                )
                return _page(request, found, again, 409)
            if now.reason != text:
                Case.objects.filter(pk=now.pk).update(
                    reason=text, version=now.version + 1, changed=timezone.now()
                )
                audit.append(
                    "case.changed",
                    answered.me(request),
                    kind="case",
                    thing=now.pk,
                    patient=now.patient_id,
                    detail={"changed": ["reason"], "version": now.version + 1},
                )
    except work.Closed as closed:
        return said(request, 409, closed.what, [f"Not saved, so copy it from here if it is needed: {text}"])
    return redirect(f"{reverse('case', args=[found.pk])}#reason")


CASE = "cases/<uuid:id>"
urls = [
    path(CASE, case, name="case"),
    path(f"{CASE}/forecast", case_forecast, name="case-forecast"),
    path(f"{CASE}/work", case_work, name="case-work"),
    path(f"{CASE}/answers/<int:number>", case_earlier, name="case-earlier"),
    path(f"{CASE}/compare", compare.case_compare, name="case-compare"),
    path(f"{CASE}/reason", case_reason, name="case-reason"),
    path(f"{CASE}/documents", documents.case_documents, name="case-documents"),
    path("documents/<uuid:id>", documents.document, name="document"),
]
