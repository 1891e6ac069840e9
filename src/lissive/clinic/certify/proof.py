"""Whether what was signed is still that, and still hangs in the trail: a part of `lissive web verify-audit`."""

from __future__ import annotations

from collections.abc import Iterator

from lissive.clinic import audit
from lissive.clinic.certify import paper
from lissive.clinic.certify.seal import digest
from lissive.clinic.models import Certificate, Entry


def faults() -> Iterator[str]:
    """What is wrong, certificate by certificate; nothing where all are as they were signed."""
    signed = dict(Entry.objects.filter(action="certificate.signed").values_list("thing", "detail"))
    rows = Certificate.objects.exclude(status=Certificate.Status.DRAFT).select_related("pdf")
    there = set()
    for each in rows.order_by("signed_at").iterator(200):
        there.add(str(each.pk))
        where = f"certificate {each.pk}"
        said = signed.get(str(each.pk))
        if said is None:
            yield f"{where}: the trail has no entry of its signature."
        elif said.get("sha256") != each.sha256:
            yield f"{where}: its hash is not the one that the trail has of its signature."
        if digest(each.content) != each.sha256:
            yield f"{where}: its content is not what was signed."
        if each.trail_head != audit.BEGIN and not Entry.objects.filter(hash=each.trail_head).exists():
            yield f"{where}: the entry of the trail that it carries is not in the trail."
        if each.pdf is None or paper.sha256(bytes(each.pdf.content)) != (said or {}).get("pdf"):
            yield f"{where}: its PDF is not what was issued."
    yield from _deleted(set(signed) - there)


def _deleted(gone: set[str]) -> Iterator[str]:
    """A certificate goes with the whole record of its patient, and in no other way."""
    of = Entry.objects.filter(action="certificate.signed", thing__in=gone).values_list("thing", "patient")
    deleted = set(Entry.objects.filter(action="patient.deleted").values_list("patient", flat=True))
    yield from (f"certificate {thing}: it was deleted." for thing, patient in of if patient not in deleted)
