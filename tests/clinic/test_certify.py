"""A certificate from the decision to its end: by POST, since a page that hides a button protects nothing."""

from __future__ import annotations

import datetime
import re
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from tests.clinic.certifying import WHY, decided, filled, issued, licensed, ready, seen, signed, text_of
from tests.clinic.conftest import PASSWORD, user, visitor

from lissive.clinic import audit, retention
from lissive.clinic.certify import form, identity, paper, proof, seal, verify
from lissive.clinic.models import Case, Certificate, Credential, Decision, Document, Entry, Visit
from lissive.clinic.visit.record import Refused
from lissive.web.guard import Bucket


@pytest.fixture
def clinic(cast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Dan seen by Ada in New York, with everything that the law asks."""
    monkeypatch.setattr("lissive.clinic.certify.paper.pdf_writer", lambda: (print, ""))
    monkeypatch.setattr("lissive.clinic.certify.paper.pdf_bytes", lambda page: (page.encode(), "", 1))
    return ready(cast)


def faults() -> list[str]:
    return [*audit.faults(), *proof.faults()]


def test_the_whole_life_of_a_certificate(clinic):
    draft = decided(clinic)
    clinic.visit.refresh_from_db()
    assert (clinic.visit.status, draft.status) == ("to_sign", "draft")
    assert visitor(clinic.dan).get(f"/certificates/{draft.pk}").status_code == 404
    assert "DRAFT, not a certification" in text_of(clinic.client.get(f"/certificates/{draft.pk}"))
    assert signed(clinic, draft).status_code == 409  # no statement is ticked
    filled(clinic, draft)
    assert (
        clinic.client.post(f"/certificates/{draft.pk}/copy", {"system": "a", "number": "b"}).status_code
        == 409
    )
    assert signed(clinic, draft, password="wrong horse battery").status_code == 409
    assert signed(clinic, draft).status_code == 302
    first = Certificate.objects.get(pk=draft.pk)
    clinic.visit.refresh_from_db()
    assert (first.status, clinic.visit.status) == ("issued", "done")
    assert first.expires == first.begins.replace(year=first.begins.year + 2)  # S3294-A: two years in New York
    assert first.pdf.is_for_patient
    assert (first.content["facts"][0]["value"], first.content["reason"]) == ("multiple sclerosis", WHY)
    assert signed(clinic, draft).status_code == 409
    assert filled(clinic, draft).status_code == 409
    assert clinic.client.post(f"/certificates/{draft.pk}/discard").status_code == 409
    page = text_of(visitor(clinic.dan).get(f"/certificates/{draft.pk}"))
    assert "not filed with the state until it is entered" in page
    assert WHY not in page
    entered = {"system": "MCDMS", "number": "NY-77", "card_expires": ""}
    assert clinic.client.post(f"/certificates/{draft.pk}/copy", entered).status_code == 302
    assert "MCDMS, NY-77" in text_of(clinic.client.get(f"/certificates/{draft.pk}"))

    clinic.client.post(f"/certificates/{draft.pk}/amend", {"why": "The address was old."})
    second = Certificate.objects.get(supersedes=first)
    assert clinic.client.post(f"/certificates/{draft.pk}/amend", {"why": "Again."}).status_code == 409
    filled(clinic, second)
    assert signed(clinic, second).status_code == 302
    first.refresh_from_db()
    assert (first.status, first.ended_kind, first.ended_why) == (
        "superseded",
        "amended",
        "The address was old.",
    )
    assert "replaced by a newer certificate" in text_of(visitor().get(f"/verify/{first.code}"))
    revoked = {"because": "error", "why": "The wrong patient has it: spasticity."}
    assert clinic.client.post(f"/certificates/{second.pk}/revoke", revoked).status_code == 302
    assert clinic.client.post(f"/certificates/{second.pk}/revoke", revoked).status_code == 409
    page = text_of(visitor().get(f"/verify/{Certificate.objects.get(pk=second.pk).code}"))
    assert "Reason: issued in error." in page
    assert "spasticity" not in page
    assert faults() == []


AGAINST = {
    "Not ticked": lambda c, d: Certificate.objects.filter(pk=d.pk).update(grounds={}),
    "no decision to certify": lambda c, d: Decision.objects.all().delete(),
    "decide again": lambda c, d: Decision.objects.update(facts=[]),
    "not that of the practitioner": lambda c, d: Decision.objects.update(by=c.ben),
    "second practitioner": lambda c, d: Decision.objects.update(second_needed="For minors."),
    "expired on": lambda c, d: Credential.objects.filter(kind="licence").update(
        expires=datetime.date(2026, 1, 1)
    ),
    "no licence to practise": lambda c, d: Credential.objects.filter(kind="licence").delete(),
    "does not match the person": lambda c, d: _record(c, "identity", matched=False),
    "Missing: DEA": lambda c, d: Credential.objects.filter(kind="controlled").update(number=""),
    "not to be signed": lambda c, d: Visit.objects.update(status="in_visit"),
    "case is closed": lambda c, d: Case.objects.update(status="closed"),
    "read it again": lambda c, d: Case.objects.update(version=9),
}
"""What is said, and what was changed after everything had been ticked."""


def _record(cast: SimpleNamespace, part: str, **more: Any) -> None:
    visit = Visit.objects.get(pk=cast.visit.pk)
    visit.record[part] |= more
    visit.save()


def test_nothing_incomplete_is_signed_by_whatever_is_sent(clinic, monkeypatch):
    draft = decided(clinic)
    filled(clinic, draft)
    good = {"password": PASSWORD, "seen": seen(clinic, draft)}
    eve = user("eve", clinic.here, "practitioner")

    def refused(client: Any = clinic.client, **given: str) -> str:
        answer = client.post(f"/certificates/{draft.pk}/sign", {**good, **given})
        assert answer.status_code == 409, text_of(answer)
        assert Certificate.objects.get(pk=draft.pk).status == "draft"
        assert not Document.objects.filter(kind="certificate.pdf").exists()
        return text_of(answer)

    assert "nobody else can sign it" in refused(visitor(eve))
    assert "Enter your password" in refused(password="")
    assert "password is wrong" in refused(password="wrong horse battery")
    assert "code" in refused(password="", code="000000")
    assert "changed since you read it" in refused(seen="0" * 64)
    for said, change in AGAINST.items():
        with transaction.atomic():
            change(clinic, draft)
            assert re.search(
                said, refused() + text_of(clinic.client.get(f"/certificates/{draft.pk}")), re.I
            ), said
            transaction.set_rollback(True)
    assert clinic.client.post(f"/certificates/{draft.pk}/sign", good).status_code == 302


def test_of_two_signatures_at_once_one_wins(clinic, monkeypatch):
    """The other signs between the first check and the lock, while the PDF is made."""
    draft = decided(clinic)
    filled(clinic, draft)
    given = {"password": PASSWORD, "code": "", "seen": seen(clinic, draft)}
    mine, other = Certificate.objects.get(pk=draft.pk), Certificate.objects.get(pk=draft.pk)
    made = paper.certificate

    def meanwhile(*args: Any) -> bytes:
        monkeypatch.setattr(paper, "certificate", made)
        seal.sign(other, clinic.ada, **given)
        return made(*args)

    monkeypatch.setattr(paper, "certificate", meanwhile)
    monkeypatch.setattr(identity, "confirmed", lambda *_: ("password", ""))  # which asks for a request
    with pytest.raises(Refused, match="signed already"):
        seal.sign(mine, clinic.ada, **given)
    assert Document.objects.filter(kind="certificate.pdf").count() == 1
    assert Entry.objects.filter(action="certificate.signed").count() == 1
    assert faults() == []


def test_what_was_signed_is_not_changed_and_a_change_is_found(clinic, monkeypatch):
    found = issued(clinic)
    rows = Certificate.objects.filter(pk=found.pk)
    for change in (
        lambda: rows.update(content={}),
        lambda: rows.update(expires=None),
        lambda: rows.update(status="draft"),
        lambda: Document.objects.filter(pk=found.pdf_id).update(content=b"x"),
    ):
        with pytest.raises(DatabaseError, match="not changed"), transaction.atomic():
            change()
    rows.update(status="revoked", ended_at=timezone.now(), ended_kind="error")
    with pytest.raises(DatabaseError, match="not changed"), transaction.atomic():
        rows.update(status="issued")
    assert faults() == []
    guards = import_module("lissive.clinic.migrations.0004_signed")
    with transaction.atomic():
        guards.unguard(connection)
        rows.update(content=found.content | {"expires": "2099-01-01"}, trail_head="0" * 63 + "1")
        said = " ".join(faults())
        transaction.set_rollback(True)
    for part in ("content is not what was signed", "not in the trail", "trigger is missing"):
        assert part in said
    with transaction.atomic():
        rows.delete()
        assert "it was deleted" in " ".join(faults())
        transaction.set_rollback(True)
    monkeypatch.setattr(retention, "why_kept", lambda _: [])
    assert retention.delete(clinic.patient, clinic.kim, "period") == []
    assert not Certificate.objects.exists()
    assert faults() == []


def test_the_page_that_verifies_says_what_holds_and_nothing_of_health(clinic, monkeypatch):
    found, anybody = issued(clinic), visitor()
    answer = anybody.get(f"/verify/{found.code.lower().replace('-', ' ')}")
    page = text_of(answer)
    for part in ("Elm Street", "Ada Lind, MD", "New York", found.sha256[:12], "is in force"):
        assert part in page
    for part in (
        "Markham",
        "1974",
        "sclerosis",
        "spas",
        "baclofen",
        "Oil",
        WHY,
        "0119998887",
        str(clinic.patient.pk),
    ):
        assert part not in page
    assert visitor(clinic.cleo).get(f"/verify/{found.code}").status_code == 200
    for content, said in (
        (bytes(found.pdf.content), "is what was issued"),
        (b"%PDF other", "differs from what was"),
    ):
        copy = SimpleUploadedFile("a.pdf", content, "application/pdf")
        assert said in text_of(anybody.post(f"/verify/{found.code}", {"copy": copy}))
    assert anybody.post(f"/verify/{found.code}").status_code == 422
    assert anybody.post("/verify", {"code": "abc"}).status_code == 422
    assert anybody.post("/verify", {"code": found.code})["Location"] == f"/verify/{found.code}"
    assert anybody.get("/verify/ABCD-EFGH-2345-6789").status_code == 404
    assert anybody.get("/verify/%00").status_code == 404
    later = found.expires + datetime.timedelta(1)
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *_: later)
    assert "It expired on" in text_of(anybody.get(f"/verify/{found.code}"))
    monkeypatch.setattr(verify, "ASKED", Bucket(most=2, rate=0.001))
    assert [anybody.get("/verify/x").status_code for _ in range(3)] == [404, 404, 429]
    assert Entry.objects.filter(thing=str(found.pk), detail__copy="differs").count() == 1


def test_who_is_declined_has_a_letter_without_anything_of_health(clinic):
    draft = decided(clinic)
    page = text_of(clinic.client.get(f"/visits/{clinic.visit.pk}/decision"))
    given = {
        "choice": "decline",
        "clause": "discretion",
        "reason": "An episode of psychosis.",
        "declined": "",
    }
    to = f"/visits/{clinic.visit.pk}/decision"
    assert clinic.client.post(to, {**given, "version": "1"}).status_code == 422
    given["declined"] = "judgement"
    assert clinic.client.post(to, {**given, "version": "0"}).status_code == 409  # begun before the decision
    eve = user("eve", clinic.here, "practitioner")
    assert visitor(eve).post(to, {**given, "version": "1"}).status_code == 409
    assert clinic.client.post(to, {**given, "version": "1"}).status_code == 302
    assert not Certificate.objects.filter(pk=draft.pk).exists()
    letter = bytes(Document.objects.get(kind="letter.pdf", is_for_patient=True).content).decode()
    assert "does not outweigh the risk" in letter
    for part in ("psychosis", "sclerosis", "spas", "baclofen"):
        assert part not in letter
    clinic.visit.refresh_from_db()
    assert clinic.visit.status == "declined"
    assert clinic.client.post(to, {**given, "choice": "certify", "version": "2"}).status_code == 409
    assert "discretion" in page


def test_a_second_practitioner_answers_where_the_law_asks(cast, monkeypatch):
    """Florida: a second physician concurs for a minor (381.986(4)(a)3); neither of the two answers for the other."""
    monkeypatch.setattr("lissive.clinic.certify.paper.pdf_writer", lambda: (print, ""))
    cast.patient.born = timezone.localdate().replace(year=timezone.localdate().year - 16)
    ready(cast, "US-FL", 16)
    _record(cast, "capacity", has=True)
    visit = Visit.objects.get(pk=cast.visit.pk)
    visit.record["minor"] = {"guardian_present": True, "guardian_name": "Gil Doe", "relation": "father"}
    visit.save()
    draft = decided(cast)
    row = Decision.objects.get(visit=cast.visit)
    assert "Second" in row.second_needed or "second" in row.second_needed
    to, given = (
        f"/visits/{cast.visit.pk}/second",
        {"agrees": "yes", "reason": "I saw the record.", "version": "1"},
    )
    assert visitor(cast.ada).post(to, given).status_code == 403
    filled(cast, draft)
    assert "second practitioner has to agree" in text_of(cast.client.get(f"/certificates/{draft.pk}/sign"))
    Decision.objects.filter(visit=cast.visit).update(by=cast.ben)
    assert visitor(cast.ben).post(to, given).status_code == 409
    Decision.objects.filter(visit=cast.visit).update(by=cast.ada)
    assert visitor(cast.ben).post(to, {**given, "reason": ""}).status_code == 422
    assert visitor(cast.ben).post(to, {**given, "agrees": "no"}).status_code == 302
    assert "does not agree" in text_of(cast.client.get(f"/certificates/{draft.pk}/sign"))
    refused = visitor(cast.ben).post(to, {**given, "version": "2"})
    assert refused.status_code == 409
    assert "not on the list of practitioners" in text_of(refused)
    held = licensed(cast.ben, "US-GA")
    assert "has no licence to practise for Florida on record" in text_of(
        visitor(cast.ben).post(to, {**given, "version": "2"})
    )
    Credential.objects.filter(pk=held.pk).update(place="US-FL")
    assert visitor(cast.ben).post(to, {**given, "version": "2"}).status_code == 302
    Credential.objects.filter(pk=held.pk).update(expires=timezone.localdate() - datetime.timedelta(days=1))
    assert "Florida expired on" in text_of(cast.client.get(f"/certificates/{draft.pk}/sign"))
    Credential.objects.filter(pk=held.pk).update(expires=timezone.localdate())
    page = text_of(cast.client.get(f"/certificates/{draft.pk}/sign"))
    assert "second practitioner" not in page.partition("What you sign")[0].lower()
    assert "Ben" in page


def test_what_is_ticked_without_its_text_read_is_marked_wherever_it_stands(clinic, monkeypatch):
    """Of New York, 9 NYCRR 113.3(a)(8) on: the field is ticked, and its text was not read."""
    pages: list[str] = []
    monkeypatch.setattr(paper, "pdf_bytes", lambda page: (pages.append(page) or page.encode(), "", 1))
    draft = decided(clinic)
    unread = [each for each in form.sheet_of(draft, timezone.localdate()).lines if each.is_unverified]
    assert [each.id for each in unread if each.kind == "tick"] == ["unread"]
    mark = "unverified"
    label = re.escape(unread[0].label)

    def is_marked(text: str) -> bool:
        return all(re.match(rf".{{0,200}}?{mark}", rest) for rest in re.split(label, text)[1:])

    shown = text_of(clinic.client.get(f"/certificates/{draft.pk}"))
    assert unread[0].label in shown
    assert is_marked(shown)
    filled(clinic, draft)
    signing = text_of(clinic.client.get(f"/certificates/{draft.pk}/sign"))
    assert is_marked(signing)
    assert signed(clinic, draft).status_code == 302
    for page in (f"/certificates/{draft.pk}", f"/certificates/{draft.pk}/copy"):
        text = text_of(clinic.client.get(page))
        assert unread[0].label in text, page
        assert is_marked(text), page
    assert pages
    assert unread[0].label in pages[-1]
    assert is_marked(re.sub(r"\s+", " ", pages[-1]))
