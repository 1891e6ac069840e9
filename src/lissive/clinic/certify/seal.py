"""From a draft to a signed certificate, and what may happen to it after: nothing of what was signed is overwritten."""

from __future__ import annotations

import datetime
import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from lissive.clinic import audit, work
from lissive.clinic.certify import identity, paper
from lissive.clinic.certify.form import Sheet, sheet_of
from lissive.clinic.certify.ground import clauses, facts_rested_on, ground_of, rules_sha256
from lissive.clinic.forms import day_text
from lissive.clinic.intake.done import refused
from lissive.clinic.models import Case, Certificate, Decision, Document, Entry, User, Visit
from lissive.clinic.place import place
from lissive.clinic.visit.moves import move
from lissive.clinic.visit.record import Refused
from lissive.clinic.visit.standing import Block, blocks_of
from lissive.errors import LissiveError
from lissive.report.access_text import STATUS

Status = Certificate.Status
REASONS: Mapping[str, str] = {
    "amended": "Corrected by another certificate",
    "error": "Issued in error",
    "withdrawn": "Withdrawn by the practitioner",
    "patient": "At the patient's request",
    "law": "The law has changed",
    "other": "Another reason",
}
"""Why a certificate no longer holds: shown to everybody, so none says anything of the patient's health."""
_PATIENTS = ("registration", "fee", "validity", "renewal", "supply", "products", "minors", "caregivers")
"""Kinds of step that are the patient's to know."""
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Of codes: without 0, 1, I and O, which are read for each other."""


# -- what is signed --------------------------------------------------------------------------------
@dataclass(frozen=True)
class Signable:
    """A draft as it stands on a day: what would be signed, and everything that is against it."""

    sheet: Sheet | None
    content: dict[str, Any]
    blocks: tuple[Block, ...]

    @property
    def against(self) -> tuple[Block, ...]:
        """The blocks, and what is missing of the form."""
        missing = () if self.sheet is None else self.sheet.missing
        said = ("Not ticked" if each.kind == "tick" else "Missing" for each in missing)
        more = (
            Block(f"{word}: {e.label}.", e.citation, e.url) for word, e in zip(said, missing, strict=True)
        )
        return (*self.blocks, *more)

    @property
    def seen(self) -> str:
        """What the page of the signature shows, by its hash: nothing else is signed from there."""
        return digest(self.content)


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of the content, whatever the order in which a database keeps it."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def signable(certificate: Certificate, on: datetime.date) -> Signable:
    try:
        sheet = sheet_of(certificate, on)
    except LissiveError as error:
        return Signable(None, {}, (Block(error.what),))
    decision = Decision.objects.filter(visit=certificate.visit).select_related("by", "second_by").first()
    blocks = tuple(_blocks(certificate, decision, sheet, on))
    return Signable(sheet, _content(certificate, decision, sheet, on), blocks)


def _blocks(
    certificate: Certificate, decision: Decision | None, sheet: Sheet, on: datetime.date
) -> Iterator[Block]:
    if decision is None or decision.kind != Decision.Kind.CERTIFY:
        yield Block("There is no decision to certify.")
    elif decision.by_id != certificate.practitioner.user_id:
        yield Block("The decision is not that of the practitioner who signs.")
    elif _rests_on(decision) != _rests_now(certificate, decision, on):
        yield Block("The rule, the place or a fact has changed since the decision: decide again.")
    visit = certificate.visit
    if (visit.practitioner_id, visit.case_id) != (certificate.practitioner_id, certificate.case_id):
        yield Block(
            f"The visit has another case now, or is {visit.practitioner.name}'s: who has it decides again."
        )
    if visit.status not in (Visit.Status.TO_SIGN, Visit.Status.DONE):
        yield Block(f"The visit is not to be signed: {visit.get_status_display().lower()}.")
    old = certificate.supersedes
    if old is not None and old.status != Status.ISSUED:
        yield Block(f"The certificate that it would replace is {old.get_status_display().lower()}.")
    if not sheet.is_expiry_known:
        yield Block("How long it holds is not in the table of this place: set the day on which it ends.")
    if no := refused(visit, "en"):
        yield Block(f"The patient did not consent to: {', '.join(no)}. Who agrees now needs another visit.")
    if sheet.expires is not None and sheet.expires < on:
        yield Block(f"It would end before it begins, on {day_text(sheet.expires)}: set a later end.")
    if not sheet.draft.fillable:
        yield Block(f"The law does not allow it: {STATUS[sheet.draft.answer.status]}.")
    yield from blocks_of(visit, on)


_CLAUSE = ("rule", "node", "quote", "citation", "status")
"""What a clause is: its other words say when it was looked at, and by which tables of all places."""


def _rests_on(decision: Decision) -> tuple[Any, ...]:
    clause = [decision.clause.get(name) for name in _CLAUSE]
    return clause, [(each["field"], each["value"]) for each in decision.facts]


def _rests_now(certificate: Certificate, decision: Decision, on: datetime.date) -> tuple[Any, ...]:
    """The same as it is now; nothing that can be equal where the place is another."""
    visit = certificate.visit
    found = ground_of(visit, on)
    facts = facts_rested_on(visit, found)
    same = (each for each in clauses(found) if each["node"] == decision.clause.get("node"))
    clause = next(same, None) if found.answer.jurisdiction == certificate.place else None
    return clause and [clause[name] for name in _CLAUSE], [(each["field"], each["value"]) for each in facts]


def _content(
    certificate: Certificate, decision: Decision | None, sheet: Sheet, on: datetime.date
) -> dict[str, Any]:
    """All that is signed, but the signature itself."""
    answer, who = sheet.draft.answer, certificate.practitioner
    days = {each.what: each.on for each in answer.dates}
    apply_by = next((on for what, on in days.items() if what.startswith("certification lapses")), None)
    return {
        "clinic": certificate.organisation.name,
        "practitioner": {"name": who.name, "profession": who.profession},
        "patient": {"name": certificate.patient.name, "born": certificate.patient.born.isoformat()},
        "place": answer.jurisdiction,
        "place_name": answer.name,
        "rule": answer.rule,
        "rules_sha256": rules_sha256(),
        "form": "common" if sheet.draft.common else answer.jurisdiction,
        "fields": sheet.to_json(),
        "clause": {} if decision is None else decision.clause,
        "facts": [] if decision is None else decision.facts,
        "reason": "" if decision is None else decision.reason,
        "second": _second(decision),
        "begins": on.isoformat(),
        "expires": _iso(sheet.expires),
        "apply_by": _iso(apply_by),
        "exam_by": certificate.content.get("exam_by"),
        "dates": [{"what": what, "on": day.isoformat()} for what, day in days.items()],
        "steps": [each.said for each in sheet.draft.steps if each.kind in _PATIENTS],
        "visit": {"kind": certificate.visit.kind, "day": certificate.visit.day.isoformat()},
        "supersedes": None if certificate.supersedes is None else certificate.supersedes.code,
        "amends": certificate.content.get("amends", ""),
    }


def _second(decision: Decision | None) -> dict[str, str] | None:
    if decision is None or not decision.second_agrees or decision.second_by is None:
        return None
    assert decision.second_at is not None
    return {"name": decision.second_by.shown_name, "at": decision.second_at.isoformat()}


def _iso(day: datetime.date | None) -> str | None:
    return None if day is None else day.isoformat()


# -- the signature ---------------------------------------------------------------------------------
def sign(certificate: Certificate, user: User, *, password: str, code: str, seen: str) -> Certificate:
    """Sign a draft: checked, confirmed, made as PDF, then checked again where nobody else can write.

    Raises Refused, with all that is against it; work.Closed; LissiveError where no PDF can be made.
    """
    on = timezone.localdate()
    found = _checked(certificate, user, on, seen)
    how, wrong = identity.confirmed(user, password, code)
    if not how:
        raise Refused(wrong)
    now, number = timezone.now(), _new_code()
    head = Entry.objects.order_by("-pk").values_list("hash", flat=True).first() or audit.BEGIN
    content = found.content | {
        "fields": _signed_fields(found.content, f"Signed electronically by {certificate.practitioner.name}"),
        "code": number,
        "trail_head": head,
        "signed": {
            "by": user.shown_name,
            "at": now.isoformat(timespec="seconds"),
            "zone": timezone.get_current_timezone_name(),
            "confirmed": how,
        },
    }
    sha256 = digest(content)
    pdf = paper.certificate(content, sha256, link_of(number))
    with transaction.atomic():
        held = of_now(certificate)
        work.changeable(held.case)
        _checked(held, user, on, seen)
        held.content, held.sha256, held.code, held.trail_head = content, sha256, number, head
        held.status, held.signed_at, held.signed_by, held.signed_zone = (
            Status.ISSUED,
            now,
            user,
            timezone.get_current_timezone_name(),
        )
        held.rule, held.rules_sha256, held.version = (
            content["rule"],
            content["rules_sha256"],
            held.version + 1,
        )
        for name in ("begins", "expires", "apply_by", "exam_by"):
            day = content[name]
            setattr(held, name, None if day is None else datetime.date.fromisoformat(day))
        held.pdf = _kept(held, pdf, user)
        _supersede(held, user, now)
        held.save()
        entry("certificate.signed", user, held, sha256=sha256, pdf=held.pdf.sha256, trail_head=head)
        _visit_done(held, user)
        _review(held)
    return held


def _signed_fields(content: Mapping[str, Any], signature: str) -> list[dict[str, Any]]:
    """The fields with those that the signature itself fills."""
    day = day_text(datetime.date.fromisoformat(content["begins"]))
    made = {"date": day, "signature": signature}
    fields: list[dict[str, Any]] = content["fields"]
    return [{**each, "value": made[each["id"]]} if each["kind"] == "signing" else each for each in fields]


def of_now(certificate: Certificate) -> Certificate:
    """As it is kept now, held until the transaction ends; with all that depends on it read anew."""
    rows = Certificate.objects.select_for_update(of=("self",))
    return rows.select_related("visit__patient", "visit__case", "case", "patient", "practitioner__user").get(
        pk=certificate.pk
    )


def _checked(certificate: Certificate, user: User, on: datetime.date, seen: str) -> Signable:
    if certificate.status != Status.DRAFT:
        raise Refused("It is signed already.", do="see it as it was signed.")
    if certificate.practitioner.user_id != user.pk:
        raise Refused(
            f"{certificate.practitioner.name} decided it, and nobody else can sign it.",
            do=f"ask {certificate.practitioner.name}.",
        )
    if certificate.case.status == Case.Status.CLOSED:
        raise work.Closed
    found = signable(certificate, on)
    if found.against:
        raise Refused(" ".join(each.why for each in found.against))
    if found.seen != seen:
        raise Refused("It was changed since you read it.", do="read what stands there now, and sign that.")
    return found


def _new_code() -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


def link_of(code: str) -> str:
    return f"{place().address}{reverse('verify-code', args=[code])}"


def _kept(certificate: Certificate, pdf: bytes, user: User) -> Document:
    return Document.objects.create(
        case=certificate.case,
        kind="certificate.pdf",
        media_type="application/pdf",
        content=pdf,
        sha256=paper.sha256(pdf),
        is_for_patient=True,
        made_by=user,
    )


def _supersede(certificate: Certificate, user: User, now: datetime.datetime) -> None:
    old = certificate.supersedes
    if old is None:
        return
    old.status, old.ended_at, old.ended_by, old.ended_kind = Status.SUPERSEDED, now, user, "amended"
    old.ended_why = certificate.content["amends"]
    old.save(update_fields=["status", "ended_at", "ended_by", "ended_kind", "ended_why"])
    entry("certificate.superseded", user, old, by=str(certificate.pk))


def _review(certificate: Certificate) -> None:
    """The review after some weeks; of one that was amended there is one already."""
    from lissive.clinic.dates.review import review_for

    if certificate.supersedes is None:
        review_for(certificate)


def _visit_done(certificate: Certificate, user: User) -> None:
    if certificate.visit.status == Visit.Status.TO_SIGN:
        move(certificate.visit, Visit.Status.DONE, user)


def entry(action: str, user: User | None, certificate: Certificate, **detail: Any) -> None:
    audit.append(
        action,
        user,
        organisation=certificate.organisation_id,
        kind="certificate",
        thing=certificate.pk,
        patient=certificate.patient_id,
        detail=detail,
    )
