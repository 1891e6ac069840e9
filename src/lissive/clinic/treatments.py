"""Treatments that were tried before or are taken now: kept with the patient, taken over into a case on request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods

from lissive.case import make_case
from lissive.clinic import audit
from lissive.clinic.access import enter
from lissive.clinic.forms import (
    TEXTS,
    TreatmentForm,
    changed_fields,
    day_text,
    merged,
    note,
    treatment_texts,
    version_of,
    was_of,
)
from lissive.clinic.models import Patient, Treatment, User
from lissive.clinic.pages import shown
from lissive.errors import CaseError
from lissive.report.table import Table, table
from lissive.safety.drugs import almost, drugs_of

OUTCOMES = {
    Treatment.Outcome.HELPED: "effective",
    Treatment.Outcome.LITTLE: "partly_effective",
    Treatment.Outcome.NOT: "not_effective",
    Treatment.Outcome.HARM: "not_tolerated",
}
"""As `history.outcome` of a case has them."""


# -- shown -----------------------------------------------------------------------------------------
def treatment_table(patient: Patient, may_change: bool) -> Table:
    rows = []
    for each in _ordered(patient):
        link = reverse("treatment-change", args=[patient.pk, each.pk])
        name = format_html('<a href="{}">{}</a>', link, each.drug) if may_change else each.drug
        known = known_as(each.drug)
        drug = format_html('{}<br><span class="soft small">{}</span>', name, known) if known else name
        # "60 mg/day" is not broken
        dose = each.dose.replace(" ", "\N{NO-BREAK SPACE}") if len(each.dose) < 16 else each.dose
        rows.append((drug, dose, _when(each), each.get_outcome_display(), each.note))
    return table("Treatments", "Drug or treatment|Dose|When|Outcome|Note", rows)


def _ordered(patient: Patient) -> list[Treatment]:
    return list(patient.treatments.order_by("-is_current", "-ended", "-began", "drug", "pk"))


def known_as(drug: str) -> str:
    """What the safety tables know it as.

    >>> known_as("Lioresal"), known_as("baclofen"), known_as("gabapentine")[:40]
    ('baclofen', '', 'Not in the tables: interactions are not ')
    """
    found = [each.name.replace("_", " ") for each in drugs_of(drug)]
    if found:
        return "" if found == [drug.strip().casefold()] else " + ".join(found)
    near = " or ".join(each.replace("_", " ") for each in almost(drug))
    return f"Not in the tables: interactions are not looked up.{f' Did you mean {near}?' if near else ''}"


def _when(each: Treatment) -> str:
    began, ended = day_text(each.began), day_text(each.ended)
    if each.is_current:
        return f"since {began}" if began else "now"
    if began and ended:
        return f"{began} to {ended}"
    return f"from {began}" if began else f"until {ended}" if ended else "dates not known"


# -- into a case -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class TakenOver:
    """The part `history` of a case from the patient's treatments, and what could not be said there."""

    current: tuple[str, ...]
    tried: tuple[str, ...]
    outcome: dict[str, str]
    left: tuple[str, ...]


def taken_over(patient: Patient) -> TakenOver:
    """Current treatments with their daily doses, former ones by name with their outcome.

    A dose that is no amount a day stays in the list of treatments alone, and so does a name that no case can hold.
    """
    current: dict[str, str] = {}
    tried: dict[str, str] = {}
    left = []
    for each in _ordered(patient):
        name, dosed = " ".join(each.drug.split()), f"{each.drug} {each.dose}".strip()
        if each.is_current:
            held = next((text for text in (dosed, name) if _is_current(text, name)), None)
            if held is not None:
                current.setdefault(name.casefold(), held)
            if held is None or (each.dose and held == name):
                left.append(f"{dosed} (dose)" if held else name)
        else:
            word = "_".join(drugs_of(name)[0].name.split()) if len(drugs_of(name)) == 1 else _word(name)
            if _is_answer("history.tried", word):
                tried.setdefault(word, OUTCOMES.get(Treatment.Outcome(each.outcome), ""))
            else:
                left.append(name)
    outcome = {word: said for word, said in tried.items() if said}
    return TakenOver(tuple(current.values()), tuple(tried), outcome, tuple(left))


def _word(name: str) -> str:
    return "_".join(name.lower().split())


def _is_current(text: str, name: str) -> bool:
    """Whether a case reads the text as this drug, with or without a dose."""
    if "," in text or not _is_answer("history.current", text):
        return False
    (read,) = make_case({"case": "a", "history": {"current": [text]}}).history.current or ()
    return read.drug == name


def _is_answer(field: str, text: str) -> bool:
    if "," in text or text.casefold() == "none":
        return False
    try:
        part, _, name = field.partition(".")
        make_case({"case": "a", part: {name: [text]}})
    except CaseError:
        return False
    return True


# -- change ----------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def treatment_add(request: HttpRequest, id: UUID) -> HttpResponse:
    patient: Patient = enter(request, "case.change", Patient, id)
    if request.method != "POST":
        return _form(request, patient, TreatmentForm(initial={"outcome": Treatment.Outcome.UNKNOWN}))
    form = TreatmentForm(request.POST)
    if not form.is_valid():
        return _form(request, patient, form, status=422)
    with transaction.atomic():
        treatment = Treatment.objects.create(patient=patient, **form.cleaned_data)
        _entry(request, "treatment.added", treatment)
    return redirect("patient", patient.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def treatment_change(request: HttpRequest, id: UUID, treatment: UUID) -> HttpResponse:
    """Change it, or take it out of the list."""
    patient: Patient = enter(request, "case.change", Patient, id)
    found = get_object_or_404(Treatment, pk=treatment, patient=patient)
    if request.method != "POST":
        return _form(request, patient, TreatmentForm(initial=treatment_texts(found)), found)
    form = TreatmentForm(request.POST)
    with transaction.atomic():
        now = Treatment.objects.select_for_update().filter(pk=found.pk).first()
        if now is None:
            raise Http404
        texts = treatment_texts(now)
        if now.version != version_of(request.POST):
            values, kinds = merged(form.typed(), was_of(request.POST), texts)
            notes = {
                name: note(kind, "Somebody else", was_of(request.POST).get(name, ""), texts[name])
                for name, kind in kinds.items()
            }
            return _form(request, patient, TreatmentForm(values), now, notes=notes, status=409)
        if request.POST.get("do") == "remove":
            _entry(request, "treatment.removed", now)
            now.delete()
            return redirect("patient", patient.pk)
        if not form.is_valid():
            return _form(request, patient, form, found, status=422)
        for name, value in form.cleaned_data.items():
            setattr(now, name, value)
        if fields := changed_fields(texts, treatment_texts(now)):
            now.version += 1
            now.save()
            _entry(request, "treatment.changed", now, {"changed": fields, "version": now.version})
    return redirect("patient", patient.pk)


def _entry(request: HttpRequest, action: str, of: Treatment, detail: dict[str, Any] | None = None) -> None:
    assert isinstance(request.user, User)
    audit.append(action, request.user, kind="treatment", thing=of.pk, patient=of.patient_id, detail=detail)


def _form(
    request: HttpRequest,
    patient: Patient,
    form: TreatmentForm,
    treatment: Treatment | None = None,
    *,
    notes: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    content = {
        **TEXTS,
        "patient": patient,
        "form": form,
        "treatment": treatment,
        "was": {} if treatment is None else treatment_texts(treatment),
        "notes": notes or {},
    }
    head = "Change a treatment" if treatment else "Add a treatment"
    return shown(request, "treatment_form.html.j2", head, content, page="patients", status=status)


urls = [
    path("patients/<uuid:id>/treatments/add", treatment_add, name="treatment-add"),
    path("patients/<uuid:id>/treatments/<uuid:treatment>", treatment_change, name="treatment-change"),
]
