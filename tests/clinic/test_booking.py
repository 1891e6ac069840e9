"""A clinic's own page, and a visit booked on it: what stops a person is said first, and a time is taken once."""

from __future__ import annotations

import datetime
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from tests.clinic.conftest import PASSWORD, visitor

from lissive.clinic import audit
from lissive.clinic.models import (
    ClinicPage,
    Credential,
    Intake,
    Patient,
    Practitioner,
    Registration,
    Slot,
    User,
    Visit,
)

pytestmark = pytest.mark.slow

TODAY = timezone.localdate()
YEAR = datetime.timedelta(days=365)


def opened(cast: SimpleNamespace) -> SimpleNamespace:
    """The cast's clinic with its page, Ada with licences in two states, and two times to book."""
    cast.page = ClinicPage.objects.create(
        organisation=cast.here,
        slug="elm-street",
        is_public=True,
        about="We see people with muscle spasms.",
        fees="First visit $180. The state asks nothing.",
        refund="All of it until an hour before; nothing after a visit that was missed.",
        phone="212-555-0100",
    )
    ClinicPage.objects.create(organisation=cast.there, slug="far-away", is_public=False)
    cast.doctor = Practitioner.objects.create(
        organisation=cast.here,
        user=cast.ada,
        name="Ada Lindqvist",
        profession="MD",
        video_url="https://video.example/ada",
    )
    for place in ("US-NY", "US-FL"):
        Credential.objects.create(
            practitioner=cast.doctor,
            kind="licence",
            place=place,
            number=f"{place}-1",
            expires=TODAY + YEAR,
            checked_on=TODAY,
            checked_how="look-up of the board",
            checked_by=cast.zoe,
        )
    soon = timezone.now() + datetime.timedelta(hours=2)
    kinds = ["video", "audio", "in_person"]
    cast.slot = Slot.objects.create(practitioner=cast.doctor, starts=soon, kinds=kinds)
    cast.later = Slot.objects.create(
        practitioner=cast.doctor, starts=soon + datetime.timedelta(minutes=20), kinds=kinds
    )
    cast.patient.residence = "US-NY"
    cast.patient.save()
    cast.patient.refresh_from_db()
    return cast


@pytest.fixture
def clinic(cast: SimpleNamespace) -> SimpleNamespace:
    return opened(cast)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_page_is_for_everybody_and_says_nothing_of_patients(clinic):
    Credential.objects.create(practitioner=clinic.doctor, kind="controlled", number="ML1234563")
    answer = visitor().get("/clinics/elm-street")
    text = text_of(answer)
    assert answer.status_code == 200
    for said in ("US-NY-1", "look-up of the board", "First visit $180", "until an hour before", "New York"):
        assert said in text
    for secret in (
        "Doe",
        "ML1234563",
        "video.example",
    ):  # with a registration's number, prescriptions are forged
        assert secret not in text
    assert "ML1234563" in text_of(visitor(clinic.fay).get("/practitioners"))
    assert [visitor().get(f"/clinics/{name}").status_code for name in ("far-away", "nothing")] == [404, 404]


@pytest.mark.parametrize(
    ("state", "age", "said", "kinds"),
    [
        ("US-NY", "from-26", ("by video", "Cannabis Law s.30"), True),
        (
            "US-FL",
            "from-26",
            ("A first visit by video is not enough in Florida", "381.986", "at the clinic"),
            True,
        ),
        ("US-FL", "minor", ("A second practitioner has to agree", "381.986(4)(a)3"), True),
        ("US-NY", "minor", ("A parent or guardian has to act", "9 NYCRR 113.3"), True),
        (
            "US-PA",
            "from-26",
            ("no practitioner has a licence there", "only residents may be certified"),
            False,
        ),
        ("US-ID", "from-26", ("has no programme",), False),
    ],
)
def test_what_stops_a_person_is_said_before_anyone_books(clinic, state, age, said, kinds):
    text = text_of(visitor().get(f"/clinics/elm-street?state={state}&age={age}"))
    for each in said:
        assert each in text, each
    assert ("Free times" in text) is kinds


REGISTRATION = {
    "given_name": "Rae",
    "family_name": "Winter",
    "born": "1980-02-03",
    "residence": "US-NY",
    "phone": "212-555-0177",
    "email": "rae@example.org",
    "username": "rae",
    "password": PASSWORD,
}


def test_choose_register_confirm(clinic):
    client = visitor()
    asked = client.get(f"/clinics/elm-street/times/{clinic.slot.pk}?state=US-NY&age=from-26")
    assert "health" in text_of(asked)
    to = f"/clinics/elm-street/register?slot={clinic.slot.pk}"
    wrong = client.post(to, {**REGISTRATION, "born": "", "username": "ada"})
    assert wrong.status_code == 422
    assert "cannot be used" in text_of(wrong)
    assert 'value="Winter"' in text_of(wrong)
    assert PASSWORD not in text_of(wrong)
    made = client.post(to, REGISTRATION)
    assert made["Location"].endswith(f"/book?slot={clinic.slot.pk}")
    assert "By video" in text_of(client.get(made["Location"])) or "Video" in text_of(
        client.get(made["Location"])
    )
    booked = client.post(
        made["Location"].partition("?")[0], {"slot": clinic.slot.pk, "kind": "video"}, follow=True
    )
    assert "video.example" in text_of(booked)
    visit = Visit.objects.get(patient__family_name="Winter")
    assert (visit.status, visit.kind, visit.slot_id, visit.place) == (
        "booked",
        "video",
        clinic.slot.pk,
        "US-NY",
    )
    assert Intake.objects.filter(visit=visit).exists()
    assert visit.patient.user.role == "patient"
    assert Registration.objects.get().checked_at is None
    assert list(audit.faults()) == []
    # nobody else is offered it
    assert str(clinic.slot.pk) not in text_of(visitor().get("/clinics/elm-street"))


def test_who_is_in_the_records_already_is_not_told_and_staff_see_it_first(clinic):
    twin = {
        **REGISTRATION,
        "given_name": "Dan",
        "family_name": "Doe",
        "born": "1974-03-01",
        "username": "dan2",
    }
    client = visitor()
    made = client.post("/clinics/elm-street/register", twin, follow=True)
    assert "already" not in text_of(made)
    new = Patient.objects.get(user__username="dan2")
    desk = visitor(clinic.fay)
    assert f"/patients/{new.pk}/same" in text_of(desk.get("/bookings"))
    page = text_of(desk.get(f"/patients/{new.pk}/same"))
    assert "same date of birth, similar name" in page
    # theirs has a log-in: it is not handed over
    to = f"/patients/{new.pk}/same"
    kept = desk.post(to, {"same": clinic.patient.pk, "how": "phone"})
    assert kept.status_code == 422
    Patient.objects.filter(pk=clinic.patient.pk).update(user=None)
    client.post(f"/patients/{new.pk}/book", {"slot": clinic.slot.pk, "kind": "video"})
    assert desk.post(to, {"same": clinic.patient.pk}).status_code == 422  # how was it checked?
    assert desk.post(to, {"same": clinic.patient.pk, "how": "phone"}).status_code == 302
    visit = Visit.objects.get()
    assert (visit.patient_id, visit.patient.user.username) == (clinic.patient.pk, "dan2")
    assert not Patient.objects.filter(pk=new.pk).exists()
    assert list(audit.faults()) == []


def test_a_time_is_taken_once(clinic, monkeypatch):
    from lissive.clinic.booking import take

    here = f"/patients/{clinic.patient.pk}/book"
    mine, desk = visitor(clinic.dan), visitor(clinic.fay)
    other = Patient.objects.create(
        organisation=clinic.here, family_name="Next", given_name="Ned", born="1960-01-01", residence="US-NY"
    )
    # both look while it is free: the second write is refused by the database
    looked = take._slot
    monkeypatch.setattr(
        take,
        "_slot",
        lambda patient, slot, kind, user: (
            Slot.objects.get(pk=slot) if user.role != "patient" else looked(patient, slot, kind, user)
        ),
    )
    assert mine.post(here, {"slot": clinic.slot.pk, "kind": "video"}).status_code == 302
    second = desk.post(f"/patients/{other.pk}/book", {"slot": clinic.slot.pk, "kind": "video"})
    assert second.status_code == 409
    assert "taken a moment ago" in text_of(second)
    assert Visit.objects.count() == 1
    assert list(audit.faults()) == []


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_gets_the_time(clinic):
    """Each a patient of their own, all pressing at the same moment."""
    people = [
        Patient.objects.create(
            organisation=clinic.here,
            family_name="Next",
            given_name=f"N{k}",
            born="1960-01-01",
            residence="US-NY",
        )
        for k in range(6)
    ]
    desks = [visitor(clinic.fay) for _ in people]
    said: list[int] = []
    gate = threading.Barrier(len(people))

    def press(client: Any, patient: Patient) -> None:
        gate.wait()
        to = f"/patients/{patient.pk}/book"
        said.append(client.post(to, {"slot": clinic.slot.pk, "kind": "video"}).status_code)
        connection.close()

    threads = [threading.Thread(target=press, args=pair) for pair in zip(desks, people, strict=True)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(said) == [302] + [409] * 5
    assert Visit.objects.count() == Intake.objects.count() == 1
    assert list(audit.faults()) == []


def test_a_kind_that_the_place_does_not_allow_is_refused_with_its_clause(clinic):
    Patient.objects.filter(pk=clinic.patient.pk).update(residence="US-FL")
    client, here = visitor(clinic.dan), f"/patients/{clinic.patient.pk}/book"
    page = text_of(client.get(f"{here}?slot={clinic.slot.pk}"))
    assert 'value="video"' not in page
    assert 'value="in_person"' in page
    refused = client.post(here, {"slot": clinic.slot.pk, "kind": "video"})
    assert refused.status_code == 409
    assert "381.986" in text_of(refused)
    assert not Visit.objects.exists()
    Credential.objects.filter(place="US-FL").update(expires=TODAY - datetime.timedelta(days=1))
    lapsed = client.post(here, {"slot": clinic.slot.pk, "kind": "in_person"})
    assert "has no licence in Florida" in text_of(lapsed)
    assert not Visit.objects.exists()


def test_move_and_cancel_give_the_time_back(clinic):
    client = visitor(clinic.dan)
    client.post(f"/patients/{clinic.patient.pk}/book", {"slot": clinic.slot.pk, "kind": "video"})
    visit = Visit.objects.get()
    second = client.post(f"/patients/{clinic.patient.pk}/book", {"slot": clinic.later.pk, "kind": "video"})
    assert second.status_code == 409  # one at a time
    moved = {"slot": clinic.later.pk, "kind": "in_person", "version": 1}
    assert client.post(f"/bookings/{visit.pk}/move", moved).status_code == 302
    assert (
        client.post(f"/bookings/{visit.pk}/move", {**moved, "slot": clinic.slot.pk}).status_code == 409
    )  # overtaken
    visit.refresh_from_db()
    assert (visit.slot_id, visit.kind, visit.starts) == (clinic.later.pk, "in_person", clinic.later.starts)
    assert (
        client.post(f"/bookings/{visit.pk}/cancel", {"version": 2, "why": "Cannot come"}).status_code == 302
    )
    visit.refresh_from_db()
    assert (visit.status, visit.slot_id) == ("cancelled", None)
    assert client.post(f"/bookings/{visit.pk}/cancel", {"version": 3}).status_code == 409
    assert str(clinic.later.pk) in text_of(visitor().get("/clinics/elm-street"))
    # another patient's is not there for this one
    stranger = visitor(User.objects.create(username="eve", organisation=clinic.here, role="patient"))
    assert stranger.get(f"/bookings/{visit.pk}").status_code == 404
    assert list(audit.faults()) == []


def test_staff_keep_page_practitioners_and_times(clinic):
    zoe = visitor(clinic.zoe)
    page = {"slug": "Elm Street", "is_public": "on", "fees": "", "refund": "x", "version": 1}
    wrong = zoe.post("/clinic-page", page)
    assert wrong.status_code == 422
    assert "before everybody sees the page" in text_of(wrong)
    assert zoe.post("/clinic-page", {**page, "slug": "elm", "fees": "$100"}).status_code == 302
    assert zoe.post("/clinic-page", {**page, "slug": "elm", "fees": "$90"}).status_code == 409
    assert ClinicPage.objects.get(organisation=clinic.here).fees == "$100"
    taken = zoe.post("/clinic-page", {**page, "slug": "far-away", "fees": "$100", "version": 2})
    assert taken.status_code == 422
    person = {
        "user": clinic.ben.pk,
        "name": "Ben Castellano",
        "profession": "DO",
        "video_url": "http://x",
        "version": 0,
    }
    assert zoe.post("/practitioners/add", person).status_code == 422
    assert zoe.post("/practitioners/add", {**person, "video_url": ""}).status_code == 302
    ben = Practitioner.objects.get(user=clinic.ben)
    licence = {
        "kind": "licence",
        "number": "77",
        "checked_on": TODAY.isoformat(),
        "checked_how": "board",
        "version": 0,
    }
    to = f"/practitioners/{ben.pk}/credentials/add"
    assert zoe.post(to, licence).status_code == 422  # of which place?
    assert zoe.post(to, {**licence, "place": "US-NY"}).status_code == 302
    assert Credential.objects.get(practitioner=ben).checked_by == clinic.zoe
    desk, day = visitor(clinic.fay), (TODAY + datetime.timedelta(days=1)).isoformat()
    times = {
        "practitioner": ben.pk,
        "day": day,
        "begin": "09:00",
        "end": "10:10",
        "minutes": "20",
        "kinds": ["video"],
    }
    for expected in (3, 0):  # again: what is there stays alone
        assert f"{expected} times opened" in text_of(desk.post("/times", times, follow=True))
    starts = [
        timezone.localtime(each.starts).strftime("%H:%M")
        for each in Slot.objects.filter(practitioner=ben).order_by("starts")
    ]
    assert starts == ["09:00", "09:20", "09:40"]
    assert desk.post("/times", {**times, "end": "08:00"}).status_code == 422
    one = Slot.objects.filter(practitioner=ben).first()
    desk.post(f"/times/{one.pk}/close")
    assert Slot.objects.filter(practitioner=ben).count() == 2
    assert list(audit.faults()) == []


def test_registrations_are_limited(clinic):
    client = visitor()
    found = [
        client.post("/clinics/elm-street/register", {"username": f"u{k}"}).status_code for k in range(11)
    ]
    assert found == [422] * 10 + [429]
