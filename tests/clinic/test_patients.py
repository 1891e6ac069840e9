"""Patients: found by parts of a name, no one twice unnoticed, no change lost."""

from __future__ import annotations

import datetime

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.clinic.conftest import visitor

from lissive.clinic.models import Case, Entry, Patient, Treatment

PERSON = {
    "given_name": "Zoë",
    "family_name": "Núñez Díaz",
    "born": "1980-02-01",
    "sex": "female",
    "residence": "US-NY",
    "phone": "020 7946 0000",
    "email": "zoe@example.org",
    "address": "1 Elm Street",
}


def add(client, **other):
    return client.post("/patients/add", {**PERSON, **other})


SEARCHES = (
    ({"name": "nunez zoe"}, True),
    ({"name": "DÍAZ"}, True),
    ({"name": "zo nun"}, True),
    ({"name": "nunez ann"}, False),
    ({"born": "1980-02-01"}, True),
    ({"name": "diaz", "born": "1980-02-02"}, False),
    ({"phone": "7946 00"}, True),
    ({"phone": "(020) 7946-0000"}, True),
    ({"phone": "7947"}, False),
    ({"phone": "none"}, False),
    ({"name": "%"}, False),
    ({"name": "_"}, False),
)


def test_search_finds_by_parts(cast):
    client = visitor(cast.fay)
    assert add(client).status_code == 302
    for asked, is_found in SEARCHES:
        page = client.post("/patients", asked)
        assert page.status_code == 200
        assert ("Núñez Díaz, Zoë" in page.content.decode()) is is_found, asked
        assert "Roe" not in page.content.decode()


def test_a_list_is_paged_and_costs_the_same_at_any_length(cast):
    client = visitor(cast.ada)

    def more(count):
        for k in range(count):
            made = Patient.objects.create(
                organisation=cast.here, family_name=f"Doe{k:02}", given_name="X", born="1990-01-01"
            )
            made.treatments.create(drug="baclofen")
            Case.objects.create(
                patient=made,
                draft={
                    "said": {},
                    "who": "Ada",
                    "user": 0,
                    "at": "2026-01-01T10:00:00+00:00",
                    "tab": "a",
                    "of": 1,
                    "was": {},
                },
            )
            Case.objects.create(patient=cast.patient)
            Treatment.objects.create(patient=cast.patient, drug=f"drug {k}")

    def counts():
        found = []
        for ask in (
            lambda: client.get("/"),
            lambda: client.get("/patients"),
            lambda: client.post("/patients", {"name": "doe"}),
            lambda: client.get(f"/patients/{cast.patient.pk}"),
        ):
            with CaptureQueriesContext(
                connection,
            ) as caught:
                assert ask().status_code == 200
            found.append(len(caught))
        return found

    more(3)
    counts()  # the first writes the session
    few = counts()
    more(30)
    assert counts() == few
    assert max(few) < 25
    page = client.post("/patients", {"name": "doe", "page": "2"}).content.decode()
    assert "21 to" in page
    assert "Previous 20" in page
    assert client.post("/patients", {"name": "doe", "page": "abc"}).status_code == 200


ANN = {"given_name": "Ann", "family_name": "Lee"}
ALIKE = (
    ({"given_name": "Zoe", "family_name": "Nunez"}, "same date of birth, similar name"),
    ({"born": "1980-01-02"}, "same name, date of birth almost the same"),
    ({"born": "1988-02-01"}, "same name, date of birth almost the same"),
    ({**ANN, "born": "1950-05-05"}, "same phone"),
    ({**ANN, "born": "1950-05-05", "phone": "", "email": "ZOE@example.org"}, "same e-mail"),
    ({**ANN, "phone": "", "email": ""}, ""),
    ({"born": "1991-12-31", "phone": "", "email": ""}, ""),
)


def test_who_may_be_the_same_is_shown_before_anyone_is_added(cast):
    client = visitor(cast.fay)
    add(client)
    first = Patient.objects.get(sought="nunez diaz zoe")
    for other, why in ALIKE:
        page = add(client, **other)
        assert (page.status_code == 409) is bool(why), other
        assert Patient.objects.filter(organisation=cast.here).count() == (2 if why else 3)
        if why:
            assert why in page.content.decode()
            assert f'value="{other.get("born", PERSON["born"])}"' in page.content.decode()
            assert add(client, **other, another=str(cast.patient.pk)).status_code == 409, (
                "another one was named"
            )
            assert add(client, **other, another=f"{first.pk} ").status_code == 302
        Patient.objects.filter(organisation=cast.here).exclude(pk__in=(first.pk, cast.patient.pk)).delete()
    assert Entry.objects.filter(action="patient.added").count() == 1 + len(ALIKE)


def test_nobody_of_another_clinic_is_offered_as_the_same(cast):
    Patient.objects.create(
        organisation=cast.there, given_name="Zoë", family_name="Núñez Díaz", born="1980-02-01"
    )
    assert add(visitor(cast.fay)).status_code == 302


def test_a_change_that_was_overtaken_is_refused_with_both(cast):
    ada, fay = visitor(cast.ada), visitor(cast.fay)
    add(ada)
    patient = Patient.objects.get(sought="nunez diaz zoe")
    path = f"/patients/{patient.pk}/change"
    import json

    form = {**PERSON, "version": 1, "was": json.dumps(PERSON)}
    assert fay.post(path, {**form, "phone": "1", "address": "2 Oak Street"}).status_code == 302
    page = ada.post(path, {**form, "phone": "2"})
    text = page.content.decode()
    assert page.status_code == 409
    assert "Fay saved “1” meanwhile." in text
    assert 'value="2"' in text
    assert "2 Oak Street" in text, "what only the other changed is taken from them"
    assert "It was “1 Elm Street”." in text
    patient.refresh_from_db()
    assert (patient.phone, patient.version) == ("1", 2)
    assert ada.post(path, {**form, "phone": "2", "address": "2 Oak Street", "version": 2}).status_code == 302
    entry = Entry.objects.filter(action="patient.changed").latest("id")
    assert entry.detail == {"changed": ["phone"], "version": 3}


def test_a_day_that_is_none_is_said_at_its_field_and_kept(cast):
    client = visitor(cast.fay)
    for born in ("", "0000-00-00", "1980-13-01", "1980-02-30", "01/02/1980", "[]", "٢٠٠٠-٠١-٠١"):
        page = add(client, born=born)
        text = page.content.decode()
        assert page.status_code == 422
        assert 'id="born-error"' in text, born
        assert f'value="{born}"' in text
        assert "Núñez Díaz" in text


def test_a_birth_in_the_future_or_too_long_ago_is_said(cast):
    client, today = visitor(cast.fay), timezone.localdate()
    assert "in the future" in add(client, born=str(today + datetime.timedelta(1))).content.decode()
    assert "120 years" in add(client, born=str(today.replace(year=today.year - 121, day=1))).content.decode()
    assert add(client, born=str(today)).status_code == 302


def test_the_patient_sees_their_own_details_on_the_start_page(cast):
    page = visitor(cast.dan).get("/").content.decode()
    assert "Dan Doe" in page
    assert "Find a patient" not in page


def test_a_treatment_is_added_changed_and_removed(cast):
    client = visitor(cast.ada)
    path = f"/patients/{cast.patient.pk}/treatments"
    form = {
        "drug": "Lioresal",
        "dose": "60 mg/day",
        "is_current": "on",
        "outcome": "helped",
        "began": "2020-01-01",
    }
    assert client.post(f"{path}/add", {**form, "ended": "2019-01-01"}).status_code == 422
    assert client.post(f"{path}/add", form).status_code == 302
    assert client.post(f"{path}/add", {"drug": "gabapentine", "outcome": "not"}).status_code == 302
    page = client.get(f"/patients/{cast.patient.pk}").content.decode()
    assert ">baclofen<" in page
    assert "Did you mean gabapentin" in page
    one = Treatment.objects.get(drug="Lioresal")
    assert client.post(f"{path}/{one.pk}", {**form, "dose": "30 mg/day", "version": "abc"}).status_code == 409
    assert client.post(f"{path}/{one.pk}", {**form, "dose": "30 mg/day", "version": "1"}).status_code == 302
    assert client.post(f"{path}/{one.pk}", {**form, "do": "remove", "version": "1"}).status_code == 409
    assert client.post(f"{path}/{one.pk}", {**form, "do": "remove", "version": "2"}).status_code == 302
    actions = list(Entry.objects.filter(kind="treatment").values_list("action", "detail"))
    assert actions == [
        ("treatment.added", {}),
        ("treatment.added", {}),
        ("treatment.changed", {"changed": ["dose"], "version": 2}),
        ("treatment.removed", {}),
    ]
    other = Treatment.objects.create(patient=cast.other, drug="baclofen")
    assert client.get(f"{path}/{other.pk}").status_code == 404
