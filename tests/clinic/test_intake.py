"""The questions before a visit: one at a time, saved at once, by log-in or link; what becomes of them."""

from __future__ import annotations

import datetime
import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.clinic.conftest import visitor
from tests.clinic.test_booking import opened, text_of

from lissive.case import make_case
from lissive.clinic import audit
from lissive.clinic.booking.take import book, when
from lissive.clinic.intake import link
from lissive.clinic.intake.done import differences
from lissive.clinic.intake.questions import HERE, answers_of, consents, items, read_consents
from lissive.clinic.models import Case, Consent, Entry, Intake, Patient, Visit
from lissive.errors import LissiveError

pytestmark = pytest.mark.slow

SAMPLES = HERE / "consents.yaml"

SAID = {
    "name": {"given": "Dan", "family": "Doe"},
    "place": {"said": "US-NY"},
    "person.sex": {"said": "male"},
    "spasm.cause": {"said": "multiple_sclerosis"},
    "history.current": {"said": "baclofen 60 mg/day, clobazam 10 mg/day"},
    "history.conditions": {"said": ["depression", "falls"]},
    "history.family_psychosis": {"said": "no"},
    "history.opioids": {"said": "none"},
    "history.alcohol": {"said": "some"},
    "person.drives": {"said": "yes"},
    "history.surgery": {"do": "pass"},
    "history.tried": {"said": "tizanidine, gabapentin"},
    "outcome:tizanidine": {"said": "not_effective"},
    "outcome:gabapentin": {"said": "not_tolerated"},
    **{
        f"consent:{kind}": {"said": "yes", "signature": "Dan Doe"}
        for kind in ("telehealth", "treatment", "privacy", "registry")
    },
    "consent:research": {"said": "no", "signature": "dan doe"},
}


@pytest.fixture
def clinic(cast: SimpleNamespace) -> SimpleNamespace:
    opened(cast)
    cast.case.delete()
    cast.visit = book(cast.patient, cast.slot.pk, "video", cast.dan)
    cast.here_asked = f"/visits/{cast.visit.pk}/questions"
    return cast


def asked_in(page: str) -> tuple[str, str]:
    """The question of a page, and what its form carries as saved."""
    return re.search(r'name="item" value="([^"]*)"', page)[1], re.search(r'name="was" value="([^"]*)"', page)[
        1
    ]  # type: ignore[index]


def answer_all(client: Client, to: str, said: dict[str, Any] = SAID) -> list[str]:
    """Question after question as the page asks them, until there is none; their names in order."""
    found = []
    page = text_of(client.get(to))
    while 'name="item"' in page:
        key, was = asked_in(page)
        found.append(key)
        answer = client.post(to, {"do": "next", "item": key, "was": was, **said[key]})
        assert answer.status_code == 302, (key, text_of(answer))
        page = text_of(client.get(answer["Location"]))
        assert len(found) < 60
    return found


def answer_most() -> None:
    """As if all had been answered but for what is signed."""
    signed = ("name", "consent")
    said = {
        key: typed_text(each) for key, each in SAID.items() if not key.startswith(signed) and "said" in each
    }
    Intake.objects.update(said=said, passed=["history.surgery"])


def typed_text(typed: dict[str, Any]) -> str:
    said = typed["said"]
    return ", ".join(said) if isinstance(said, list) else said


def test_one_question_at_a_time_then_the_case(clinic):
    client, to = visitor(clinic.dan), clinic.here_asked
    asked = answer_all(client, to)
    # names and place, then what the law asks, then safety, then what was tried, then consents
    assert asked == list(SAID)
    summary = text_of(client.get(to))
    assert "Did not help" in summary or "It did not help" in summary
    assert "Send to the clinic" in summary
    again = client.post(
        to, {"do": "next", "item": "person.drives", "was": "yes", "said": "no", "then": "all"}
    )
    assert again["Location"].endswith("?all")
    client.post(to, {"do": "send"})
    clinic.visit.refresh_from_db()
    case = clinic.visit.case
    assert clinic.visit.status == "ready"
    assert case.data["person"] == {
        "age_years": case.data["person"]["age_years"],
        "sex": "male",
        "drives": False,
    }
    assert case.data["history"]["outcome"] == {"tizanidine": "not_effective", "gabapentin": "not_tolerated"}
    assert case.data["place"] == {"residence": "US-NY", "visit": "video", "practitioner": "MD"}
    make_case(case.data)
    assert case.stated["person.drives"]["by"] == "patient"
    assert "history.surgery" not in case.stated
    assert "place.residence" not in case.stated
    given = {each.kind: (each.is_given, each.signed_as, each.language) for each in Consent.objects.all()}
    assert given == {
        **dict.fromkeys(("telehealth", "treatment", "privacy", "registry"), (True, "patient", "en")),
        "research": (False, "patient", "en"),
    }
    texts = {each.kind: each.sha256 for each in consents(clinic.visit, "en")}
    assert all(each.text_sha256 == texts[each.kind] for each in Consent.objects.all())
    assert client.post(to, {"do": "next", "item": "person.drives", "said": "yes"}).status_code == 200  # over
    clinic.visit.intake.refresh_from_db()
    assert clinic.visit.intake.said["person.drives"] == "no"
    assert differences(clinic.visit) == []
    seen = text_of(visitor(clinic.ada).get(f"/visits/{clinic.visit.pk}/said"))
    assert "Multiple sclerosis" in seen
    assert "Dan Doe" in seen
    assert list(audit.faults()) == []
    for entry in Entry.objects.filter(action__startswith="intake"):
        assert "sclerosis" not in str(entry.detail)


def test_back_and_a_wrong_answer_lose_nothing(clinic):
    client, to = visitor(clinic.dan), clinic.here_asked
    client.post(to, {"do": "next", "item": "name", **SAID["name"]})
    first = client.post(to, {"do": "back", "item": "place"})
    page = text_of(client.get(first["Location"]))
    assert 'value="Dan"' in page
    for item, typed in {
        "name": {"given": "Dan", "family": ""},
        "place": {"said": "Atlantis"},
        "history.current": {"said": "baclofen <script>"},
        "consent:privacy": {"said": "yes", "signature": "Somebody Else"},
        "consent:registry": {"said": "", "signature": "Dan Doe"},
    }.items():
        wrong = client.post(to, {"do": "next", "item": item, **typed})
        assert wrong.status_code == 422, item
        assert "<script>" not in text_of(wrong).replace("<script src", "")
    assert Intake.objects.get().said == {"name": "Dan / Doe"}
    assert not Consent.objects.exists()


def test_what_another_window_answered_is_not_written_over_unseen(clinic):
    client, to = visitor(clinic.dan), clinic.here_asked
    client.post(to, {"do": "next", "item": "place", "said": "US-NY", "was": ""})
    other = client.post(to, {"do": "next", "item": "place", "said": "US-FL", "was": ""})
    assert other.status_code == 409
    assert "New York" in text_of(other)
    assert Intake.objects.get().said["place"] == "US-NY"
    assert (
        client.post(to, {"do": "next", "item": "place", "said": "US-FL", "was": "US-NY"}).status_code == 302
    )


def test_a_patient_never_writes_over_what_a_practitioner_stated(clinic):
    stated = {"by": "Ada", "as": "practitioner", "at": timezone.now().isoformat()}
    case = Case.objects.create(
        patient=clinic.patient,
        data={
            "case": "calculator",
            "spasm": {"cause": "stroke"},
            "person": {"drives": False},
            "history": {"tried": ["baclofen"]},
        },
        stated={
            "spasm.cause": stated,
            "history.tried": stated,
            "person.drives": {"by": "patient", "as": "patient", "at": ""},
        },
    )
    Visit.objects.update(case=case)
    answer_most()
    client = visitor(clinic.dan)
    answer_all(
        client,
        clinic.here_asked,
        {
            **SAID,
            "name": {"given": "Daniel", "family": "Doe"},
            **{
                key: {**each, "signature": "Daniel Doe"}
                for key, each in SAID.items()
                if key.startswith("consent")
            },
        },
    )
    client.post(clinic.here_asked, {"do": "send"})
    case.refresh_from_db()
    assert case.data["spasm"]["cause"] == "stroke"
    assert case.data["person"]["drives"] is True  # the patient's own earlier word
    assert case.stated["spasm.cause"] == stated
    visit = Visit.objects.select_related("patient", "case", "practitioner").get()
    found = {each.field: (each.patient, each.record, each.by) for each in differences(visit)}
    assert found == {
        "name": ("Daniel Doe", "Dan Doe", "the record"),
        "spasm.cause": ("Multiple sclerosis", "Stroke", "Ada"),
        "history.tried": ("tizanidine, gabapentin", "baclofen", "Ada"),
        # an outcome is of a drug that was tried
        "history.outcome": ("tizanidine: not effective, gabapentin: not tolerated", "not stated", ""),
    }
    ada = visitor(clinic.ada)
    assert "Stroke" in text_of(ada.get(f"/visits/{visit.pk}/said"))
    ada.post(f"/visits/{visit.pk}/said/take", {"field": "spasm.cause"})
    case.refresh_from_db()
    assert case.data["spasm"]["cause"] == "multiple_sclerosis"
    assert case.stated["spasm.cause"]["as"] == "practitioner"
    assert ada.post(f"/visits/{visit.pk}/said/take", {"field": "history.outcome"}).status_code == 409
    ada.post(f"/visits/{visit.pk}/said/take", {"field": "history.tried"})
    case.refresh_from_db()
    assert case.data["history"]["outcome"] == {"tizanidine": "not_effective", "gabapentin": "not_tolerated"}
    assert case.version == 1 + Entry.objects.filter(action="case.changed").count()
    assert list(audit.faults()) == []


def test_by_link_with_the_date_of_birth_and_five_tries(clinic):
    desk = visitor(clinic.fay)
    made = text_of(desk.post(f"/visits/{clinic.visit.pk}/questions/link"))
    secret = re.search(r"/questions/([\w-]{43})", made)[1]  # type: ignore[index]
    kept = Intake.objects.get()
    assert secret not in str(vars(kept))
    to, phone = f"/questions/{secret}", visitor()
    shown = text_of(phone.get(to))
    assert "Date of birth" in shown
    assert "Doe" not in shown
    assert phone.post(to, {"born": "1974-03-02"}).status_code == 422
    assert phone.post(to, {"born": "1974-03-01"}).status_code == 302
    answer_most()
    assert answer_all(phone, to)[0] == "name"
    # a session that ends meanwhile: what was typed comes along, and is saved after the date of birth
    phone.cookies.clear()
    typed = {"do": "next", "item": "person.drives", "was": "yes", "said": "no"}
    asked = text_of(phone.post(to, typed))
    carried = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked))
    assert {key: carried[key] for key in typed} == typed
    phone.post(to, {**typed, "born": "1974-03-01"})
    assert Intake.objects.get().said["person.drives"] == "no"
    phone.post(to, {"do": "send"})
    assert Visit.objects.get().status == "ready"
    assert Case.objects.get().stated["person.drives"]["by"] == "patient"
    assert list(audit.faults()) == []


def test_a_link_ends_by_wrong_dates_by_time_and_by_another(clinic):
    other = f"/questions/{link.new_link(clinic.visit, clinic.fay)}"
    to = f"/questions/{link.new_link(clinic.visit, clinic.fay)}"
    phone = visitor()
    assert phone.get(other).status_code == 410
    assert phone.get("/questions/nothing").status_code == 410
    answers = [phone.post(to, {"born": f"1974-03-{day}"}).status_code for day in (10, 11, 12, 13, 14)]
    assert answers == [422, 422, 422, 422, 410]
    assert phone.post(to, {"born": "1974-03-01"}).status_code == 410
    new = f"/questions/{link.new_link(clinic.visit, clinic.fay)}"
    assert phone.get(new).status_code == 200
    Intake.objects.update(token_until=timezone.now() - datetime.timedelta(minutes=1))
    assert phone.get(new).status_code == 410
    assert "Doe" not in text_of(phone.get(new))


def test_a_guardian_signs_for_a_minor(clinic):
    Patient.objects.filter(pk=clinic.patient.pk).update(
        born=timezone.localdate() - datetime.timedelta(days=16 * 365)
    )
    answer_most()
    client = visitor(clinic.dan)
    signed = {
        key: {**each, "signature": "Mary Doe"} for key, each in SAID.items() if key.startswith("consent")
    }
    answer_all(client, clinic.here_asked, {**SAID, **signed})
    client.post(clinic.here_asked, {"do": "send"})
    assert set(Consent.objects.values_list("signed_name", "signed_as")) == {("Mary Doe", "guardian")}
    assert Case.objects.get().stated["spasm.cause"]["by"] == "guardian"


def test_without_a_consent_that_is_needed_the_visit_is_not_ready(clinic):
    answer_most()
    client = visitor(clinic.dan)
    answer_all(
        client, clinic.here_asked, {**SAID, "consent:treatment": {"said": "no", "signature": "Dan Doe"}}
    )
    client.post(clinic.here_asked, {"do": "send"})
    assert Visit.objects.get().status == "intake"
    assert "the clinic will call you" in text_of(client.get(clinic.here_asked))


def test_all_of_it_is_there_in_spanish(clinic):
    """Every question and every answer that can be chosen, whatever was answered before."""
    said = {"spasm.cause": "low_back_pain", "person.sex": "female", "history.tried": "tizanidine"}
    for english, spanish in zip(
        items(clinic.visit, said, "en"), items(clinic.visit, said, "es"), strict=True
    ):
        assert (english.key, english.kind) == (spanish.key, spanish.kind)
        assert english.ask != spanish.ask
        assert [key for key, _ in english.options] == [key for key, _ in spanish.options]
        assert all(text for _, text in spanish.options)
    client = visitor(clinic.dan)
    client.post(clinic.here_asked, {"do": "es"})
    page = text_of(client.get(clinic.here_asked))
    assert '<html lang="es">' in page
    assert "tal como figura en su identificación" in page
    assert answers_of(Intake.objects.get()) == {}


def test_the_clinics_own_consents_take_the_place_of_the_samples(tmp_path):
    own = tmp_path / "consents.yaml"
    own.write_text(SAMPLES.read_text().replace('version: "2026-11"', 'version: "elm-1"'))
    assert {each["version"] for each in read_consents(own).values()} == {"elm-1"}
    own.write_text("privacy: {version: 1, when: always}")
    with pytest.raises(LissiveError, match="cannot be read"):
        read_consents(own)


def test_a_day_in_spanish_has_a_spanish_month():
    at = datetime.datetime(2026, 11, 30, 14, 39, tzinfo=datetime.UTC)
    assert when(at, "es").startswith("30 de noviembre de 2026, 14:39")
    assert when(at).startswith("30 November 2026, 14:39")
