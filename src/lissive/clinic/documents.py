"""Reports and sheets as they were handed over: made from a kept answer, kept with their hash, never made again."""

from __future__ import annotations

import hashlib
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_POST, require_safe

from lissive import case_answer
from lissive.case import make_case
from lissive.clinic import answered, work
from lissive.clinic.access import enter
from lissive.clinic.models import Answer, Case, Document, Patient, Work
from lissive.clinic.pages import said
from lissive.clinic.zones import written
from lissive.errors import LissiveError

KINDS = {
    "report.pdf": "Report for the clinician",
    "sheet.pdf": "Patient's sheet",
    "sheet-es.pdf": "Patient's sheet in Spanish",
}
NAMES = {**KINDS, "certificate.pdf": "Certificate", "letter.pdf": "Letter"}
"""Of every kind that is kept, also of what is not made from an answer."""
_SPANISH = {"Patient": "Paciente", "born": "fecha de nacimiento", "Made": "Hecho"}


@require_POST
def case_documents(request: HttpRequest, id: UUID) -> HttpResponse:
    """Ask for a document of the answer that is shown."""
    case: Case = enter(request, "document.make", Case, id)
    user, kind = answered.me(request), request.POST.get("kind", "")
    answer = Answer.objects.filter(case=case, pk=_number(request.POST.get("answer", ""))).first()
    if kind not in KINDS or answer is None:
        return said(
            request, 422, "This document cannot be made", ["Choose one of those that the case page names."]
        )
    whole = answered.forecast_of(answer) or answer
    given = {"kind": kind, "answer": whole.pk, "reason": case.reason if kind == "report.pdf" else ""}
    work.ask(case, "document", user, given)
    return redirect("case-work", case.pk)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


@require_safe
def document(request: HttpRequest, id: UUID) -> HttpResponse:
    """The file, byte for byte as it was made."""
    found: Document = enter(request, "document.see", Document, id)
    content = bytes(found.content)
    if hashlib.sha256(content).hexdigest() != found.sha256:
        lines = ["Its content is not what was kept: its hash differs. Tell your administrator."]
        return said(request, 500, "This document cannot be relied on", lines)
    stem, _, ending = found.kind.partition(".")
    response = HttpResponse(content, content_type=found.media_type)
    name = f"{stem}-{timezone.localtime(found.made):%Y-%m-%d}.{ending}"  # nothing of a patient
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# -- in the worker ---------------------------------------------------------------------------------
def make(row: Work, tick: work.Tick) -> work.Keep:
    """The document as PDF. Raises LissiveError where its answer is no longer that of today's program, or for no PDF."""
    from lissive.handout.pdf import pdf_bytes, pdf_writer

    kind = row.given["kind"]
    answer = Answer.objects.select_related("case__patient").get(pk=row.given["answer"])
    writer, note = pdf_writer()
    if writer is None:
        raise LissiveError(note)
    stem = kind.partition(".")[0]
    text = with_patient(page_of(answer, stem), answer, stem, row.given["reason"])
    text = text if stem == "sheet-es" else written(text)
    content = pdf_bytes(text, one_page=stem != "report")[0]

    def keep() -> None:
        Document.objects.create(
            case_id=row.case_id,
            answer=answer,
            kind=kind,
            media_type="application/pdf",
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
            is_for_patient=stem != "report",
            made_by_id=row.asked_by_id,
        )

    return keep


def page_of(answer: Answer, stem: str) -> str:
    """The page that was kept with the forecast; without one, of the same answer, which equal tables give again."""
    if answer.has_forecast:
        return str(answer.shown[stem])
    if answer.key != work.key_of(answer.data):
        raise LissiveError(
            "The tables or the program have changed since this answer was made.",
            do="open the case, which is then answered again, and ask for the document of that answer.",
        )
    return answered.page_of(case_answer.answer(make_case(answer.data), simulate=False), stem)


def with_patient(page: str, answer: Answer, stem: str, reason: str) -> str:
    """The page with whom it is about below its head, and the practitioner's reason at its end."""
    patient: Patient = answer.case.patient
    say = _SPANISH if stem == "sheet-es" else {}
    day, made = patient.born.isoformat(), timezone.localtime(answer.made).date().isoformat()
    who = format_html(
        '<p class="soft">{}: <b>{}</b>, {} {}. {}: {}.</p>\n</header>',
        say.get("Patient", "Patient"),
        patient.name,
        say.get("born", "born"),
        day,
        say.get("Made", "Made"),
        made,
    )
    page = page.replace("</header>", who, 1)
    if not reason:
        return page
    lines = format_html(
        '<section aria-labelledby="reason-h"><h2 id="reason-h">Benefit and risk, in the practitioner’s words</h2>'
        "{}</section>\n",
        _paragraphs(reason),
    )
    before, _, after = page.rpartition("</main>")
    return f"{before}{lines}</main>{after}"


def _paragraphs(text: str) -> str:
    return format_html_join(
        "\n", '<p class="as-typed">{}</p>', ((each,) for each in text.splitlines() if each.strip())
    )
