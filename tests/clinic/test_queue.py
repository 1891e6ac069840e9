"""The queue of a day: why a visit cannot go on, for whom, and how often the database is asked."""

from __future__ import annotations

import datetime
import html
import re
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.clinic.conftest import visitor
from tests.clinic.test_visit import practitioner, visit

from lissive.clinic.models import Decision, Patient, Review, Visit
from lissive.clinic.visit import moves, record


@pytest.fixture(autouse=True)
def _on_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "localdate", lambda *_: datetime.date(2026, 11, 30))


def text_of(client, path: str = "/queue") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def test_a_block_is_a_sentence_with_its_clause(cast: SimpleNamespace) -> None:
    practitioner(cast, "US-NY", "US-FL", "US-TX")
    for place in ("US-NY", "US-FL", "US-TX"):
        moves.move(visit(cast, place), "ready", cast.ada)
    page = text_of(visitor(cast.ada))
    assert "3 visits: 3 ready; 2 blocked." in page
    assert "A first visit by video is not enough in Florida." in page
    assert "First certification in person. [Fla. Stat. 381.986] Source" in page
    assert "specialty relevant to the condition" in page


def test_the_queue_follows_what_it_rests_on(cast: SimpleNamespace) -> None:
    who = practitioner(cast, "US-NY")
    moves.move(visit(cast, "US-NY"), "ready", cast.ada)
    client = visitor(cast.ada)
    assert "1 ready" in text_of(client)
    licence = who.credentials.get(kind="licence")
    licence.expires, licence.version = datetime.date(2026, 11, 29), 2
    licence.save()
    assert "The licence to practise of Ada Lindqvist for New York expired on 29 November 2026." in text_of(
        client
    )
    (of,) = Visit.objects.all()
    assert not of.blocks[0]["is_open"]
    with CaptureQueriesContext(connection) as seen:
        text_of(client)
    assert not any("UPDATE" in each["sql"] and "clinic_visit" in each["sql"] for each in seen)


def test_the_front_desk_sees_no_reason_that_is_of_health(cast: SimpleNamespace) -> None:
    practitioner(cast, "US-PA", "US-FL")
    not_covered = visit(cast, "US-PA", "in_person")
    not_covered.case.data["spasm"] = {"cause": "exertional_cramp", "pain_nrs": 0, "spasticity_nrs": 0}
    not_covered.case.save()
    visit(cast, "US-FL")
    declined = moves.move(
        moves.move(visit(cast, "US-FL", "in_person"), "in_visit", cast.ada), "to_sign", cast.ada
    )
    moves.move(declined, "declined", cast.ada, "the pain is not severe")
    doctor, desk = text_of(visitor(cast.ada)), text_of(visitor(cast.fay))
    for page, is_whole in ((doctor, True), (desk, False)):
        assert ("does not cover" in page) is is_whole
        assert ("not severe" in page) is is_whole
        assert "A first visit by video is not enough in Florida." in page
    assert "The practitioner sees why." in desk


def test_what_else_waits_stands_in_the_queue(cast: SimpleNamespace) -> None:
    practitioner(cast, "US-NY")
    of = visit(cast, "US-NY")
    of = moves.move(moves.move(of, "in_visit", cast.ada), "to_sign", cast.ada)
    Decision.objects.create(
        visit=of, kind="certify", reason="x", second_needed="The patient is a minor.", by=cast.ada
    )
    day = datetime.date(2026, 11, 28)
    Review.objects.create(organisation=cast.here, patient=cast.patient, case=cast.case, due=day)
    Visit.objects.filter(pk=of.pk).update(day=day)
    page = text_of(visitor(cast.ada))
    assert "Earlier days, not signed yet" in page
    assert "Dan Doe due 28 November 2026" in page
    assert "The patient is a minor." in page
    assert "Earlier days" not in text_of(visitor(cast.ada), "/queue?day=2026-12-01")
    assert "Jo Doe" not in text_of(visitor(cast.cleo))
    assert "No visit is booked." in text_of(visitor(cast.ada), "/queue?day=x")


def test_the_number_of_queries_does_not_grow(cast: SimpleNamespace) -> None:
    practitioner(cast, "US-NY", "US-FL")
    client = visitor(cast.ada)

    def queries(of_new: int) -> tuple[int, int]:
        for k in range(of_new):
            moves.move(visit(cast, "US-FL" if k % 2 else "US-NY"), "ready", cast.ada)
        with CaptureQueriesContext(connection) as first:
            text_of(client)
        with CaptureQueriesContext(connection) as again:
            text_of(client)
        return len(first), len(again)

    queries(2)
    assert queries(2) == queries(12)
    assert Patient.objects.count() > 16


def test_a_visit_from_ready_to_the_signature(cast: SimpleNamespace) -> None:
    """By the forms of its page, as they are sent without a script."""
    practitioner(cast, "US-NY")
    of = moves.move(visit(cast, "US-NY"), "ready", cast.ada)
    Visit.objects.filter(pk=of.pk).update(record={})
    client = visitor(cast.ada)
    at = f"/visits/{of.pk}"
    assert "4 points open" in text_of(client, at)
    begun = {
        "section": "start",
        "do": "start",
        "seen.kind": "video",
        "place.code": "US-NY",
        "identity.matched": "yes",
    }
    answer = client.post(f"{at}/record", begun)
    assert answer.status_code == 422
    assert "choose which one was shown" in answer.content.decode()
    assert client.post(f"{at}/record", {**begun, "identity.document": "passport"}).status_code == 302
    looked = {"section": "lookup", "pmp.duty": "voluntary"}
    assert client.post(f"{at}/record", {**looked, "pmp.result": "not_done"}).status_code == 422
    client.post(f"{at}/record", {**looked, "pmp.result": "clear", "pmp.system": "PMP"})
    found = {
        "section": "findings",
        "findings.text": "spasms",
        "findings.diagnosis": "G35",
        "capacity.has": "yes",
    }
    client.post(f"{at}/record", {**found, "do": "end"})
    now = Visit.objects.get(pk=of.pk)
    assert now.status == "to_sign"
    assert record.said(now, "pmp") == {"system": "PMP", "duty": "voluntary", "finding": "Nothing of concern"}
    assert now.case.data["place"]["practitioner"] == "MD"
    assert now.case.stated["place.visit"]["as"] == "practitioner"
    assert "Nothing stands against a signature." in text_of(client, at)


def test_both_values_are_shown_where_somebody_saved_meanwhile(cast: SimpleNamespace) -> None:
    practitioner(cast, "US-NY")
    of = moves.move(visit(cast, "US-NY"), "in_visit", cast.ada)
    client = visitor(cast.ada)
    page = client.get(f"/visits/{of.pk}").content.decode()
    form = page[page.index('value="findings"') :]
    was = html.unescape(re.search(r"name=\"was\" value='([^']*)'", form)[1])
    stamps = html.unescape(re.search(r"name=\"stamps\" value='([^']*)'", form)[1])
    record.write(of, {"findings": {"text": "hers", "diagnosis": "G35"}}, cast.ben)
    sent = {
        "section": "findings",
        "was": was,
        "stamps": stamps,
        "findings.text": "mine",
        "findings.diagnosis": "G35",
    }
    answer = client.post(f"/visits/{of.pk}/record", {**sent, "capacity.has": "yes"})
    assert answer.status_code == 409
    text = html.unescape(answer.content.decode())
    assert (
        "ben saved “hers” meanwhile." in text.lower().replace("Ben", "ben")
        or "saved “hers” meanwhile" in text
    )
    assert ">mine</textarea>" in text
    assert record.said(Visit.objects.get(pk=of.pk), "findings")["text"] == "hers"


def test_the_front_desk_takes_in_and_marks_who_did_not_come(cast: SimpleNamespace) -> None:
    practitioner(cast, "US-NY")
    of = moves.move(visit(cast, "US-NY"), "ready", cast.ada)
    client = visitor(cast.fay)
    at = f"/visits/{of.pk}/front"
    assert "spasms of both legs" not in text_of(client, at)
    assert client.get(f"/visits/{of.pk}").status_code == 403
    sent = {
        "seen.kind": "in_person",
        "place.code": "US-NY",
        "identity.document": "passport",
        "identity.number_masked": "ABCD12",
    }
    assert client.post(at, sent).status_code == 422
    stamps = {"stamps": "{}"}
    assert client.post(at, {"to": "to_sign"}).status_code == 409
    client.post(at, {**sent, **stamps, "identity.number_masked": "CD12"})
    assert client.post(at, {"to": "no_show"}).status_code == 302
    assert client.post(at, {"to": "ready", "why": ""}).status_code == 409
    assert client.post(at, {"to": "ready", "why": "came late"}).status_code == 302
    assert Visit.objects.get(pk=of.pk).status == "ready"


def test_forged_forms_are_answered_and_change_nothing(cast: SimpleNamespace) -> None:
    practitioner(cast, "US-NY")
    of = moves.move(visit(cast, "US-NY"), "in_visit", cast.ada)
    Visit.objects.filter(pk=of.pk).update(record={})
    client = visitor(cast.ada)
    at = f"/visits/{of.pk}"
    forged = {"section": "findings", "stamps": '{"findings": "x"}', "findings.text": "a"}
    assert client.post(f"{at}/record", forged).status_code == 409
    assert client.post(f"{at}/record", {"section": "none"}).status_code == 422
    assert client.post(f"{at}/move", {"to": "done"}).status_code == 409
    assert client.post(f"{at}/move", {"to": "ready", "why": "a\0b"}).status_code == 409
    assert (
        client.post(f"{at}/record", {"section": "findings", "findings.evidence_date": "31/02"}).status_code
        == 422
    )
    now = Visit.objects.get(pk=of.pk)
    assert (now.record, now.status) == ({}, "in_visit")
    Visit.objects.filter(pk=of.pk).update(status="no_show")
    assert client.post(f"{at}/record", {"section": "findings", "findings.text": "a"}).status_code == 409
    assert client.post(f"{at}/move", {"to": "ready", "why": "came after all"}).status_code == 302
