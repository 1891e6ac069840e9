"""All that is kept of one patient, as a zip: data (JSON), a report (PDF), the documents, a manifest of hashes."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import models, transaction
from django.template.loader import render_to_string
from django.utils import timezone

from lissive.case.ask import every_question
from lissive.clinic import audit
from lissive.clinic.forms import day_text
from lissive.clinic.models import Case, Document, Entry, Patient, User, Visit
from lissive.clinic.rights import ROLES
from lissive.clinic.trail import action_words, day_words, role_words, time_words, together
from lissive.clinic.zones import written
from lissive.handout.pdf import pdf_bytes, pdf_writer
from lissive.version import __version__
from lissive.web.controls import control, label_of
from lissive.web.state import State
from lissive.web.work import desk

SHOWN_LOOKS = 400
"""Of who looked, in the PDF: the latest; record.json has all."""


def export(patient: Patient, user: User) -> bytes:
    """The zip; that it was made is in the trail, with its hash."""
    with transaction.atomic():
        record, documents = record_of(patient)
        looks = list(together(Entry.objects.filter(patient=patient.pk).order_by("-pk").iterator(1000)))
    files, left_out = {"record.json": _text(record), **documents}, {}
    page = written(
        render_to_string("clinic/record.html.j2", _content(patient, record, looks), using="jinja2")
    )
    writer, note = pdf_writer()
    if writer is None:
        files["record.html"], left_out = page.encode(), {"record.pdf": note}
    else:
        files["record.pdf"] = desk.made(lambda _: pdf_bytes(page)[0])
    manifest = {
        "patient": patient.pk,
        "made": timezone.now(),
        "made_by": {"name": user.shown_name, "role": ROLES[user.role], "clinic": patient.organisation.name},
        "lissive": __version__,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "left_out": left_out,
        "documents_changed_since_made": record["documents_changed_since_made"],
    }
    made = _zip({"manifest.json": _text(manifest), **files})
    audit.append(
        "patient.exported",
        user,
        kind="patient",
        thing=patient.pk,
        patient=patient.pk,
        detail={"sha256": hashlib.sha256(made).hexdigest(), "files": len(files) + 1},
    )
    return made


def record_of(patient: Patient) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Every row that belongs to the patient, and the documents' content by the names that they have in the zip."""
    documents = {
        _name_of(each): each for each in Document.objects.filter(case__patient=patient).order_by("made")
    }
    record: dict[str, Any] = {"patient": {**_row(patient), **_rows_of(patient)}}
    record["cases"] = [{**_row(each), **_rows_of(each)} for each in patient.cases.order_by("opened", "pk")]
    record["visits"] = [{**_row(each), **_rows_of(each)} for each in patient.visits.order_by("starts", "pk")]
    names = {str(each.pk): name for name, each in documents.items()}
    for case in record["cases"]:
        for each in case["documents"]:
            each["file"] = names[str(each["id"])]
    record["trail"] = [
        _row(each) for each in Entry.objects.filter(patient=patient.pk).order_by("pk").iterator(1000)
    ]
    content = {name: bytes(each.content) for name, each in documents.items()}
    record["documents_changed_since_made"] = [
        name for name, each in documents.items() if hashlib.sha256(content[name]).hexdigest() != each.sha256
    ]
    return record, content


def _name_of(document: Document) -> str:
    return f"documents/{document.pk}-{document.kind.replace('/', '-')}"


def _rows_of(owner: models.Model) -> dict[str, list[dict[str, Any]]]:
    """What refers to a patient, case or visit, by the name of the relation; the patient's own are there alone."""
    return {
        str(each.get_accessor_name()): [
            _row(row)
            for row in each.related_model._default_manager.filter(**{each.field.name: owner}).order_by("pk")
        ]
        for each in owner._meta.related_objects
        if isinstance(each.related_model, type) and each.related_model not in (Case, Visit)
        if isinstance(owner, Patient) or not hasattr(each.related_model, "patient")
    }


def _row(thing: models.Model) -> dict[str, Any]:
    """All fields of a row but content, people by name."""
    return {
        each.name: _value(thing, each)
        for each in thing._meta.concrete_fields
        if not isinstance(each, models.BinaryField)
    }


def _value(thing: models.Model, field: models.Field[Any, Any]) -> Any:
    if field.related_model is User:
        person = getattr(thing, field.name)
        return None if person is None else person.shown_name
    return getattr(thing, field.attname)


def _text(value: Any) -> bytes:
    def plain(each: Any) -> str:
        return str(each.isoformat()) if hasattr(each, "isoformat") else str(each)

    return json.dumps(value, ensure_ascii=False, indent=2, default=plain).encode() + b"\n"


def _zip(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


# -- the report to read -----------------------------------------------------------------------------
def _content(patient: Patient, record: Mapping[str, Any], looks: list[Any]) -> dict[str, Any]:
    return {
        "lang": "en",
        "patient": patient,
        "made": day_words(timezone.now()),
        "born": day_text(patient.born),
        "record": record,
        "told": {str(each["id"]): list(_told(each["data"])) for each in record["cases"]},
        "day": day_words,
        "looks": looks[:SHOWN_LOOKS],
        "more_looks": max(0, len(looks) - SHOWN_LOOKS),
        "words": action_words,
        "role": role_words,
        "time": time_words,
        "version": __version__,
    }


def _told(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The facts of a case in the words in which they were asked; what no question reads, by its name."""
    asked, state = {each.field: each for each in every_question()}, State(data)
    for part, value in data.items():
        inside = (
            {f"{part}.{name}": each for name, each in value.items()} if isinstance(value, Mapping) else {}
        )
        for field, each in (inside or {part: value}).items():
            yield control(asked[field], state).ask if field in asked else field, label_of(field, each)
