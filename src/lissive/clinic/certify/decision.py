"""Certify or decline: what is written down, the second practitioner's word, and the letter to who is declined."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from lissive.access.certificate import may_be_certified
from lissive.clinic import audit, work
from lissive.clinic.access import enter
from lissive.clinic.answered import me
from lissive.clinic.certify import paper
from lissive.clinic.certify.ground import Ground, clauses, facts_rested_on, ground_of, second_needed
from lissive.clinic.forms import Choice, Form, Text, version_of
from lissive.clinic.models import Certificate, Decision, Document, User, Visit
from lissive.clinic.pages import said, shown
from lissive.clinic.rights import may
from lissive.clinic.visit.moves import move
from lissive.clinic.visit.record import Refused
from lissive.clinic.visit.standing import blocks_of, second_lacks
from lissive.errors import LissiveError
from lissive.report.access_text import STATUS
from lissive.web.pages import plainly

DECLINES: Mapping[str, str] = {
    "law": "On what is known today, the law of {place} does not allow it.",
    "visit": "This visit did not meet what the law of {place} asks of a visit.",
    "information": "Information or records that are needed were not available.",
    "judgement": "In the practitioner's judgement, the expected benefit does not outweigh the risk at present.",
}
"""What the letter gives as the reason: none says anything of the patient's health."""
SIGNED = ("issued", "superseded", "revoked")


class DecisionForm(Form):
    choice = Choice("Decision", Decision.Kind.choices, required=True)
    clause = Choice("Clause relied on", [], required=True)
    reason = Text(
        "Why, in your words",
        5_000,
        required=True,
        lines=True,
        hint="Benefit and risk. It stays in the record.",
    )
    declined = Choice("If declined: the reason in the letter", list)

    def __init__(self, data: Any, given: dict[str, Any], options: list[tuple[str, str]]) -> None:
        super().__init__(data, initial=given)
        reasons = [(name, text.format(place="the place")) for name, text in DECLINES.items()]
        self.fields["declined"].choices = [("", "Choose"), *reasons]  # type: ignore[attr-defined]
        self.fields["clause"].choices = options  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("choice") == "decline" and not found.get("declined"):
            self.add_error("declined", "Choose the reason that the letter gives.")
        return found


class SecondForm(Form):
    agrees = Choice("Do you agree?", [("yes", "I agree"), ("no", "I do not agree")], required=True)
    reason = Text("Why", 2_000, required=True, lines=True)


# -- what is done ----------------------------------------------------------------------------------
def decide(visit: Visit, user: User, given: Mapping[str, Any], version: int) -> Decision:
    """Write the decision; a draft of the certificate with it, or the letter. Raises Refused, work.Closed."""
    today = timezone.localdate()
    if visit.case is None:
        raise Refused("There is no case yet, and a decision rests on its facts.", do="begin the case first.")
    found = ground_of(visit, today)
    clause = next((each for each in clauses(found) if each["node"] == given["clause"]), None)
    if clause is None:
        raise Refused("What the law says has changed meanwhile, so this was not saved.", do="read it again.")
    certifies = given["choice"] == Decision.Kind.CERTIFY
    letter = None
    if not certifies:
        clause = {**clause, "declined": given["declined"]}
        letter = paper.letter(visit, _letter(visit, found, given["declined"]))
    with transaction.atomic():
        now = Visit.objects.select_for_update().get(pk=visit.pk)
        work.changeable(visit.case)
        _may_decide(now, user, found, certifies)
        row = Decision.objects.select_for_update().filter(visit=now).first()
        if (row.version if row else 0) != version:
            raise Refused(
                "The decision was changed meanwhile, so this was not saved.", do="read what is kept now."
            )
        row = row or Decision(visit=now, version=0)
        row.kind, row.reason, row.clause = given["choice"], given["reason"], clause
        row.facts = facts_rested_on(visit, found)
        row.alternatives = [
            {"route": each.route, "text": each.text, "status": each.status}
            for each in found.answer.alternatives
        ]
        row.by, row.at, row.version = user, timezone.now(), row.version + 1
        row.second_needed = second_needed(found, today) if certifies else ""
        row.second_agrees, row.second_reason, row.second_by, row.second_at = None, "", None, None
        row.save()
        entry(
            "decision.made", user, visit, decision=given["choice"], rule=clause["rule"], version=row.version
        )
        drafts = Certificate.objects.filter(visit=now, status=Certificate.Status.DRAFT)
        if certifies:
            # the draft that there is follows the decision: the place, the case or who has the visit may be another
            if not drafts.update(
                place=found.answer.jurisdiction,
                practitioner=now.practitioner,
                case=visit.case,
                version=F("version") + 1,
            ):
                begin(visit)
            if now.status == Visit.Status.IN_VISIT:
                move(now, Visit.Status.TO_SIGN, user)
        else:
            drafts.delete()
            if letter is not None:
                _keep(visit, "letter.pdf", letter, user)
            move(
                now, Visit.Status.DECLINED, user, DECLINES[given["declined"]].format(place=found.answer.name)
            )
    return row


def _may_decide(visit: Visit, user: User, found: Ground, certifies: bool) -> None:
    if visit.practitioner.user_id != user.pk:
        name = visit.practitioner.name
        raise Refused(
            f"This visit is {name}'s: nobody else decides it.", do=f"ask {name}, or book another visit."
        )
    if Certificate.objects.filter(visit=visit, status__in=SIGNED).exists():
        raise Refused("A certificate of this visit is signed.", do="amend or revoke that.")
    if visit.status not in (Visit.Status.IN_VISIT, Visit.Status.TO_SIGN):
        raise Refused(
            f"The visit is not in progress: {visit.get_status_display().lower()}.", do="begin it first."
        )
    if certifies and not may_be_certified(found.answer):
        raise Refused(
            f"The law of {found.answer.name} does not allow it: {STATUS[found.answer.status]}.",
            do="decline the visit.",
        )


def begin(visit: Visit, **more: Any) -> Certificate:
    """A draft of the certificate of a visit."""
    found = ground_of(visit, timezone.localdate())
    assert visit.case_id is not None
    return Certificate.objects.create(
        organisation_id=visit.organisation_id,
        patient_id=visit.patient_id,
        case_id=visit.case_id,
        visit_id=visit.pk,
        practitioner_id=visit.practitioner_id,
        place=found.answer.jurisdiction,
        rule=found.answer.rule or "",
        rules_sha256=clauses(found)[0]["rules_sha256"],
        **more,
    )


def second(visit: Visit, user: User, agrees: bool, reason: str, version: int) -> None:
    """The second practitioner's word. Raises Refused, work.Closed."""
    with transaction.atomic():
        assert visit.case is not None
        work.changeable(visit.case)
        row = Decision.objects.select_for_update().filter(visit=visit).first()
        if row is None or not row.second_needed:
            raise Refused("No second practitioner is asked for here.", do="go back to the visit.")
        if user.pk in (row.by_id, visit.practitioner.user_id):
            raise Refused("The second practitioner cannot be the one who decided.", do="ask another one.")
        if Certificate.objects.filter(visit=visit, status__in=SIGNED).exists():
            raise Refused("The certificate is signed.", do="amend or revoke that.")
        if row.version != version:
            raise Refused("The decision was changed meanwhile, so this was not saved.", do="read it again.")
        if agrees and (why := second_lacks(user, visit, timezone.localdate())):
            raise Refused(why, do="have the licence put on record under Practitioners, then answer again.")
        row.second_agrees, row.second_reason = agrees, reason
        row.second_by, row.second_at, row.version = user, timezone.now(), row.version + 1
        row.save()
        entry("second practitioner answered", user, visit, agrees=agrees, version=row.version)


def entry(action: str, user: User, visit: Visit, **detail: Any) -> None:
    audit.append(action, user, kind="visit", thing=visit.pk, patient=visit.patient_id, detail=detail)


def _keep(visit: Visit, kind: str, content: bytes, user: User) -> Document:
    assert visit.case_id is not None
    return Document.objects.create(
        case_id=visit.case_id,
        kind=kind,
        media_type="application/pdf",
        content=content,
        sha256=paper.sha256(content),
        is_for_patient=True,
        made_by=user,
    )


def _letter(visit: Visit, found: Ground, declined: str) -> dict[str, Any]:
    clinic = getattr(visit.organisation, "page", None)
    return {
        "why": DECLINES[declined].format(place=found.answer.name),
        "place": found.answer.name,
        "day": timezone.localtime(visit.starts).date(),
        "today": timezone.localdate(),
        "routes": [each.text for each in found.answer.alternatives],
        "clinic": clinic,
    }


# -- pages -----------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def decision(request: HttpRequest, id: UUID) -> HttpResponse:
    """What the law says of this visit, what it rests on, and the decision."""
    visit: Visit = enter(request, "decision.make" if request.method == "POST" else "visit.see", Visit, id)
    if visit.case is None:
        return said(
            request, 409, "There is no case yet", ["A decision rests on the facts of a case: begin it first."]
        )
    try:
        found = ground_of(visit, timezone.localdate())
    except LissiveError as error:
        return said(request, 409, "The law cannot be answered", [plainly(error.what), error.do or ""])
    row = Decision.objects.filter(visit=visit).select_related("by", "second_by").first()
    options = [(each["node"], _option(each)) for each in clauses(found)]
    form = DecisionForm(
        request.POST if request.method == "POST" else None, _given(visit, row, options), options
    )
    if request.method == "POST" and form.is_valid():
        try:
            decide(visit, me(request), form.cleaned_data, version_of(request.POST))
        except Refused as refused:
            return _page(request, visit, found, form, row, refused=refused, status=409)
        return redirect(_next(visit))
    return _page(request, visit, found, form, row, status=422 if form.errors else 200)


def _given(visit: Visit, row: Decision | None, options: list[tuple[str, str]]) -> dict[str, str]:
    assert visit.case is not None
    if row is None:
        return {"clause": options[0][0], "reason": visit.case.reason}
    kept = {"choice": row.kind, "reason": row.reason, "declined": row.clause.get("declined", "")}
    return {**kept, "clause": row.clause.get("node", "")}


def _option(clause: Mapping[str, Any]) -> str:
    doubt = " (unverified)" if clause["provenance"] == "recalled" else ""
    return f"{clause['what']}. {clause['citation']}{doubt}"


def _next(visit: Visit) -> str:
    from django.urls import reverse

    draft = Certificate.objects.filter(visit=visit, status=Certificate.Status.DRAFT).first()
    return reverse("decision", args=[visit.pk]) if draft is None else reverse("certificate", args=[draft.pk])


def _page(
    request: HttpRequest,
    visit: Visit,
    found: Ground,
    form: Form,
    row: Decision | None,
    *,
    refused: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    today, user = timezone.localdate(), me(request)
    kept = Document.objects.filter(case=visit.case_id, kind="letter.pdf").defer("content").order_by("-made")
    open_ = row is None or row.kind == Decision.Kind.CERTIFY
    content = {
        **paper.WORDS,
        **parts_of(visit, found, today),
        "form": form,
        "row": row,
        "version": 0 if row is None else row.version,
        "may_decide": open_ and may(user.role, "decision.make"),
        "refused": refused,
        "letter": kept.first() if row is not None and not open_ else None,
        "certificates": list(visit.certificates.order_by("-signed_at", "pk")),
    }
    return shown(request, "certify/decision.html.j2", "Decision", content, page="queue", status=status)


def parts_of(visit: Visit, found: Ground, today: datetime.date) -> dict[str, Any]:
    """What a decision rests on, as the pages of it show it."""
    return {
        "visit": visit,
        "patient": visit.patient,
        "answer": found.answer,
        "status": STATUS[found.answer.status],
        "clauses": clauses(found),
        "facts": facts_rested_on(visit, found),
        "second_needed": second_needed(found, today),
        "blocks": blocks_of(visit, today),
        "declines": DECLINES,
    }


@require_http_methods(["GET", "HEAD", "POST"])
def decision_second(request: HttpRequest, id: UUID) -> HttpResponse:
    """The decision as the second practitioner reads it, and their word."""
    visit: Visit = enter(request, "decision.second" if request.method == "POST" else "visit.see", Visit, id)
    row = Decision.objects.filter(visit=visit).select_related("by", "second_by").first()
    if row is None or not row.second_needed:
        return said(
            request, 409, "No second practitioner is asked for here", ["See the decision of the visit."]
        )
    form, refused, status = SecondForm(request.POST if request.method == "POST" else None), None, 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            given = form.cleaned_data
            try:
                second(
                    visit, me(request), given["agrees"] == "yes", given["reason"], version_of(request.POST)
                )
                return redirect("decision-second", visit.pk)
            except Refused as error:
                refused, status = error, 409
    content = {
        **paper.WORDS,
        "visit": visit,
        "patient": visit.patient,
        "row": row,
        "form": form,
        "refused": refused,
        "may_second": may(me(request).role, "decision.second") and me(request).pk != row.by_id,
        "declines": DECLINES,
    }
    return shown(
        request, "certify/second.html.j2", "Second practitioner", content, page="queue", status=status
    )


urls = [
    path("visits/<uuid:id>/decision", decision, name="decision"),
    path("visits/<uuid:id>/second", decision_second, name="decision-second"),
]
