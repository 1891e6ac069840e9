"""What runs out, reminders, calendars, renewal, whose clause changed."""

from __future__ import annotations

import datetime
import re
import smtplib
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.clinic.conftest import CASE, visitor
from tests.clinic.dated import certificate_of, days, visit_of

from lissive.access import jurisdiction
from lissive.access.cases import changes
from lissive.access.decide import version_on
from lissive.clinic import audit
from lissive.clinic.dates import law, remind
from lissive.clinic.forms import day_text
from lissive.clinic.models import (
    Case,
    Certificate,
    Credential,
    Entry,
    Patient,
    Practitioner,
    Reminder,
    Visit,
)
from lissive.clinic.visit.standing import blocks_of

EXPIRES = "Certificate expires<br>"


# -- the page ---------------------------------------------------------------------------------------
def test_the_page_has_every_date_of_the_clinic_and_no_other(day):
    visit_of(day, record={"identity": {"document": "passport", "expires": days(40).isoformat()}})
    certificate_of(
        day, place="US-PA", expires=days(400), card_expires=days(11), exam_by=days(12), apply_by=days(13)
    )
    Credential.objects.create(practitioner=day.doctor, kind="course", expires=days(-3))
    there = Practitioner.objects.create(organisation=day.there, user=day.cleo, name="Cleo", profession="MD")
    Credential.objects.create(practitioner=there, kind="waiver", expires=days(5))
    page = visitor(day.fay).get("/dates").content.decode()
    told = re.findall(r"<tr role=\"row\"><th.*?</tr>", page, re.DOTALL)
    words = [re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", row)) for row in told[1:]]
    found = ["Course", "Card", "Last day for", "Certificate", "Identity", "Licence"]
    assert [row for row, text in zip(found, words, strict=True) if row in text] == found
    assert not re.search(
        "Last day to apply|Waiver", "".join(words)
    )  # with a card nobody applies; the other clinic
    assert "5 in the next 90 days" in page
    assert "1 is past" in page
    only = visitor(day.fay).get("/dates?kind=licence").content.decode()
    assert "Licence to practise expires</td>" in only
    assert "Certificate expires</td>" not in only


def test_what_was_renewed_or_revoked_runs_out_no_more(day):
    client = visitor(day.ada)
    assert EXPIRES in client.get("/dates").content.decode()
    certificate_of(day, expires=days(380))
    assert EXPIRES not in client.get("/dates").content.decode()
    Certificate.objects.exclude(pk=day.certificate.pk).update(status="revoked")
    assert EXPIRES in client.get("/dates").content.decode()


def test_a_card_and_an_examination_that_were_renewed_run_out_no_more(day):
    certificate_of(day, place="US-PA", card_expires=days(15), exam_by=days(25), expires=days(30))
    page = visitor(day.ada).get("/dates").content.decode()
    assert "Card expires<br>" in page
    assert "Last day for the next examination<br>" in page
    certificate_of(day, place="US-PA", expires=days(380))
    page = visitor(day.ada).get("/dates").content.decode()
    assert "Card expires<br>" in page  # the new one has no card yet
    certificate_of(day, place="US-PA", expires=days(380), card_expires=days(380), exam_by=days(385))
    page = visitor(day.ada).get("/dates").content.decode()
    assert "Card expires<br>" not in page
    assert "Last day for the next examination<br>" not in page


def test_a_licence_that_was_renewed_as_a_new_one_runs_out_no_more(day):
    def told() -> bool:
        return (
            "Licence to practise expires</td>" in visitor(day.fay).get("/dates?kind=licence").content.decode()
        )

    newer = Credential.objects.create(
        practitioner=day.doctor, kind="licence", place="US-PA", issued=days(50), expires=days(800)
    )
    assert told()  # of another place
    Credential.objects.filter(pk=newer.pk).update(place="US-NY", issued=days(70))
    assert told()  # a gap of ten days
    Credential.objects.filter(pk=newer.pk).update(issued=days(50))
    assert not told()


def test_the_page_asks_as_much_of_the_database_for_many_as_for_few(day):
    def asked(page: str) -> int:
        client = visitor(day.ada)
        client.get(page)
        with CaptureQueriesContext(connection) as found:
            assert client.get(page).status_code == 200
        return len(found)

    pages = ("/dates", "/dates/law")
    few = [asked(page) for page in pages]
    for at in range(30):
        patient = Patient.objects.create(
            organisation=day.here, family_name=f"P{at}", given_name="A", born="1970-01-01"
        )
        certificate_of(day, patient=patient, expires=days(30 + at), rule="US-NY-old", place="US-NY")
    assert all(asked(page) <= before for page, before in zip(pages, few, strict=True))
    assert "Page 1 of 2" in visitor(day.ada).get("/dates").content.decode()


# -- reminders --------------------------------------------------------------------------------------
def test_a_reminder_is_sent_once_and_says_nothing_of_health(day):
    found = remind.run()
    assert (found.sent, found.failed, found.without) == (2, 0, 0)
    assert {each.to[0] for each in mail.outbox} == {"mark@example.org", "ada@example.org"}
    for each in mail.outbox:
        assert each.subject == "A date of yours at Elm Street comes near"
        assert not re.search("certif|licen|cannab|doe|spasm|2026|2027", each.body + each.subject, re.I)
    assert sorted(Reminder.objects.values_list("kind", "days", "to")) == [
        ("certificate", 30, "patient"),
        ("licence", 60, "practitioner"),
    ]
    assert remind.run() == remind.Counts()
    assert len(mail.outbox) == 2
    assert Entry.objects.filter(action="reminder.sent").count() == 2
    assert remind.run(days(13)).sent == 1  # 7 days before the certificate's
    assert not list(audit.faults())


def test_one_mail_a_day_for_all_dates_of_a_person(day):
    Certificate.objects.update(card_expires=days(20))
    assert remind.run().sent == 2
    assert Reminder.objects.filter(sent=None).count() == 0
    assert Reminder.objects.count() == 3


def test_two_workers_send_one_mail(day, monkeypatch):
    """The second comes while the first has taken the message up and is sending it."""
    sent = remind._send

    def slowly(rows: list[Reminder], *given: Any) -> bool:
        monkeypatch.setattr(remind, "_send", sent)
        assert remind.run().sent == 1  # the other message; not this one
        return sent(rows, *given)

    monkeypatch.setattr(remind, "_send", slowly)
    remind.run()
    assert len(mail.outbox) == 2


def test_who_is_killed_between_sending_and_marking_sends_once_more_and_never_a_third_time(day, monkeypatch):
    day.licence.delete()

    def killed(rows: list[Reminder], address: str, clinic: str, sender: Any) -> bool:
        remind.message(address, clinic, sender).send()
        raise KeyboardInterrupt

    real = remind._send
    for attempt in (1, 2):
        monkeypatch.setattr(remind, "_send", killed)
        with pytest.raises(KeyboardInterrupt):
            remind.run()
        assert len(mail.outbox) == attempt
        monkeypatch.setattr(remind, "_send", real)
        assert remind.run().sent == 0  # it may still be on its way
        Reminder.objects.update(taken=timezone.now() - 2 * remind.HELD)
    remind.run()
    assert len(mail.outbox) == 2
    assert "Not known whether it was sent" in visitor(day.fay).get("/dates").content.decode()


def test_what_was_not_sent_is_shown_and_tried_again(day, monkeypatch):
    def refused(*_: object, **__: object) -> None:
        raise smtplib.SMTPRecipientsRefused({"mark@example.org": (550, b"no")})

    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMessage.send", refused)
        for _ in range(3):
            assert remind.run().failed == 2
    page = visitor(day.fay).get("/dates").content.decode()
    assert "not sent." in page
    assert "SMTPRecipientsRefused" in page
    assert remind.run().sent == 2
    Patient.objects.update(email="")
    Reminder.objects.all().delete()
    assert remind.run() == remind.Counts(sent=1, without=1)
    assert "No e-mail address" in visitor(day.fay).get("/dates").content.decode()
    Patient.objects.filter(pk=day.patient.pk).update(email="mark@example.org")
    assert remind.run().sent == 1


def test_no_reminder_of_a_term_that_had_begun_when_the_date_was_known(day):
    day.certificate.delete()
    day.licence.delete()
    certificate_of(day, expires=days(60), signed_at=timezone.now())
    assert remind.run().sent == 0
    assert remind.run(days(30)).sent == 1


# -- renewal ----------------------------------------------------------------------------------------
WHEN = {"visit_kind": "in_person", "day": "2033-01-05", "time": "23:30"}


def renewed(day: SimpleNamespace) -> Visit:
    day.case.stated = {"spasm.cause": {"by": "Dan", "as": "patient", "at": "2026-01-05T10:00:00+00:00"}}
    day.case.save()
    form = {**WHEN, "practitioner": str(day.doctor.pk)}
    answer = visitor(day.ada).post(f"/certificates/{day.certificate.pk}/renew", form)
    assert answer.status_code == 302, answer.content.decode()
    return Visit.objects.select_related("case", "patient").get(renews=day.certificate)


def test_a_renewal_begins_with_the_last_facts_and_without_the_ratings(day):
    day.here.zone = "America/New_York"
    day.here.save()
    visit = renewed(day)
    assert visit.starts == datetime.datetime(2033, 1, 6, 4, 30, tzinfo=datetime.UTC)
    assert visit.day == datetime.date(2033, 1, 5)
    data = visit.case.data
    assert data["spasm"] == {"cause": "multiple_sclerosis"}
    assert data["history"] == CASE["history"]
    assert data["plan"] == CASE["plan"]
    assert data["place"] == {"residence": "GB", "visit": "in_person", "practitioner": "MD"}
    assert (data["as_of"], data["person"]["age_years"]) == ("2033-01-05", 58)
    assert visit.case.stated == day.case.stated
    before = Certificate.objects.values().get(pk=day.certificate.pk)
    again = visitor(day.ada).post(
        f"/certificates/{day.certificate.pk}/renew", {**WHEN, "practitioner": str(day.doctor.pk)}
    )
    assert again["Location"] == f"/visits/{visit.pk}/renewal"
    assert Visit.objects.filter(renews=day.certificate).count() == 1
    assert Certificate.objects.values().get(pk=day.certificate.pk) == before


@pytest.mark.parametrize(
    "wrong",
    [{"day": "2001-01-05"}, {"time": "25:00"}, {"visit_kind": "fax"}, {"practitioner": "7"}, {"day": ""}],
)
def test_a_renewal_that_is_wrong_makes_nothing(day, wrong):
    form = {**WHEN, "practitioner": str(day.doctor.pk), **wrong}
    answer = visitor(day.ada).post(f"/certificates/{day.certificate.pk}/renew", form)
    assert answer.status_code == 422
    assert not Visit.objects.filter(renews=day.certificate).exists()
    assert Case.objects.count() == 1


def shown_open(page: str) -> list[str]:
    return re.search(r'name="asked" value="([^"]*)"', page)[1].split()


def test_a_renewal_asks_field_by_field_what_changed(day):
    day.case.data = {**CASE, "spasm": {**CASE["spasm"], "severe": True, "persistent": False}}
    visit = renewed(day)
    client, there = visitor(day.ada), f"/visits/{visit.pk}/renewal"
    page = client.get(there).content.decode()
    names = shown_open(page)
    assert names[:3] == ["spasm.severe", "spasm.persistent", "spasm.spasticity_nrs"]
    assert "of the renewal are open" in str(blocks_of(visit, visit.day))
    assert {"spasm.cause", "person.pregnancy", "history.current", "plan.product"} <= {*names}
    assert not {"as_of", "place.visit", "person.age_years"} & {*names}
    assert "Last time: 7" in page
    assert 'Multiple sclerosis</b> <span class="soft small">Dan' in page

    wrong = client.post(there, {"version": 1, "same": ["spasm.spasticity_nrs"]})
    assert wrong.status_code == 422
    assert "asked anew each time" in wrong.content.decode()
    wrong = client.post(there, {"version": 1, "same": ["spasm.cause"], "spasm.cause": "stroke"})
    assert wrong.status_code == 422
    assert "Both the same and another" in wrong.content.decode()
    wrong = client.post(there, {"version": 1, "spasm.spasticity_nrs": "12", "spasm.severe": "yes"})
    assert wrong.status_code == 422
    assert 'value="12"' in wrong.content.decode()
    visit.case.refresh_from_db()
    assert visit.case.version == 1

    form = {
        "version": 1,
        "spasm.spasticity_nrs": "4",
        "same": ["spasm.cause"],
        "person.pregnancy": "?",
        "spasm.severe": "no",
    }
    assert client.post(there, form).status_code == 302
    visit.case.refresh_from_db()
    data = visit.case.data
    assert data["spasm"] == {"cause": "multiple_sclerosis", "spasticity_nrs": 4, "severe": False}
    assert visit.case.passed == ["person.pregnancy"]
    assert "pregnancy" not in data["person"]
    assert {
        visit.case.stated[name]["by"] for name in ("spasm.cause", "spasm.severe", "person.pregnancy")
    } == {"Ada"}
    assert not {*shown_open(client.get(there).content.decode())} & {
        "spasm.cause",
        "spasm.severe",
        "person.pregnancy",
    }
    late = client.post(there, {"version": 1, "spasm.persistent": "no"})
    assert late.status_code == 409

    rest = client.post(there, {"version": 2, "do": "rest", "spasm.persistent": "?"})
    assert rest.status_code == 302
    page = client.get(there).content.decode()
    assert "Everything was asked" in page
    assert "of the renewal" not in str(blocks_of(Visit.objects.get(pk=visit.pk), visit.day))
    visit.case.refresh_from_db()
    assert visit.case.data["history"] == CASE["history"]
    day.case.refresh_from_db()
    assert day.case.data["spasm"]["severe"] is True
    assert day.case.version == 1
    visit.case.status = "closed"
    visit.case.save()
    assert client.post(there, {"version": 3, "spasm.severe": "yes"}).status_code == 409


def test_only_a_renewal_has_what_changed(day):
    visit = visit_of(day)
    assert visitor(day.ada).get(f"/visits/{visit.pk}/renewal").status_code == 404


# -- the law ----------------------------------------------------------------------------------------
def test_whose_clause_changed(day, monkeypatch):
    """New York's rule of 2014 was replaced; Pennsylvania's is the one in force, and by the tables of today."""
    now = {code: version_on(jurisdiction(code), days(0)).id for code in ("US-NY", "US-PA")}
    old = jurisdiction("US-NY").versions[0].id
    signed = datetime.datetime(2017, 1, 1, tzinfo=datetime.UTC)
    Certificate.objects.all().delete()
    certificate_of(day, rule=now["US-NY"], rules_sha256=law.rules_sha256(), expires=days(20))
    certificate_of(day, place="US-PA", rule=now["US-PA"], rules_sha256=law.rules_sha256())
    client = visitor(day.ada)
    assert "No certificate rests on a rule that has changed" in client.get("/dates/law").content.decode()
    for at in range(2):
        certificate_of(
            day, place="US-NY", rule=old, rules_sha256="a" * 64, signed_at=signed, expires=days(30 + at)
        )
    certificate_of(day, place="US-NY", rule=old, status="revoked")
    certificate_of(day, place="US-PA", rule=now["US-PA"], rules_sha256="b" * 64, expires=days(44))
    page = client.get("/dates/law").content.decode()
    assert "2 certificates rest on a rule" in page
    assert f"Signed under rule {old}; rule {now['US-NY']} is in force today" in page
    found = [each for each in changes(signed.date(), days(0)) if each.jurisdiction == "US-NY"]
    assert found
    assert all(day_text(each.on) in page for each in found)
    assert "Same rule, newer tables" in page
    assert f"Pennsylvania, rule {now['US-PA']}: 1" in page
    assert visitor(day.fay).get("/dates/law").status_code == 403
