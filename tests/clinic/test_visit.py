"""A visit: how it moves on, what is kept of it, and what blocks its signature."""

from __future__ import annotations

import datetime
from types import SimpleNamespace

import pytest

from lissive.clinic.models import Case, Credential, Patient, Practitioner, Visit
from lissive.clinic.visit import law, moves, record, standing

DAY = datetime.date(2026, 11, 30)
LATER = datetime.date(2027, 12, 31)


def practitioner(cast: SimpleNamespace, *places: str, profession: str = "MD") -> Practitioner:
    """One who holds all that may be asked for in these places."""
    made, _ = Practitioner.objects.get_or_create(
        organisation=cast.here,
        user=cast.ada,
        defaults={"name": "Ada Lindqvist", "profession": profession},
    )
    for place in places:
        for kind in ("licence", "controlled", "registration", "course"):
            Credential.objects.create(practitioner=made, kind=kind, place=place, expires=LATER)
    return made


def visit(
    cast: SimpleNamespace, place: str, kind: str = "video", *, born: str = "1974-03-01", **spasm: bool
) -> Visit:
    """A visit of today of somebody with multiple sclerosis; all that is done in it is recorded."""
    patient = Patient.objects.create(
        organisation=cast.here, family_name="Doe", given_name="Jo", born=born, residence=place, sex="male"
    )
    data = {
        "case": "one",
        "as_of": DAY.isoformat(),
        "place": {"residence": place},
        "spasm": {"cause": "multiple_sclerosis", "spasms_per_day": 9, **spasm},
        "history": {"conditions": []},
    }
    made = Visit.objects.create(
        organisation=cast.here,
        patient=patient,
        case=Case.objects.create(patient=patient, data=data),
        practitioner=practitioner(cast),
        kind=kind,
        day=DAY,
        starts=datetime.datetime(2026, 11, 30, 15, Visit.objects.count(), tzinfo=datetime.UTC),
        place=place,
    )
    parts = {
        "place": {"code": place, "words": "at home"},
        "identity": {
            "document": "passport",
            "number_masked": "X1234567",
            "expires": "2030-01-01",
            "matched": True,
        },
        "pmp": {"system": "PMP", "finding": "nothing", "duty": "duty"},
        "findings": {"text": "spasms of both legs", "diagnosis": "G35"},
        "capacity": {"has": True},
    }
    made = record.write(made, parts, cast.ada)
    return Visit.objects.select_related("patient", "case", "practitioner").get(pk=made.pk)


def whys(of: Visit, on: datetime.date = DAY) -> str:
    return " | ".join(each.why for each in standing.blocks_of(of, on))


def test_blocks_are_the_data_of_the_place(cast: SimpleNamespace) -> None:
    practitioner(cast, "US-NY", "US-FL", "US-TX", "US-KY")
    assert whys(visit(cast, "US-NY")) == ""
    (florida,) = standing.blocks_of(visit(cast, "US-FL"), DAY)
    assert florida.why == "A first visit by video is not enough in Florida."
    assert "First certification in person" in florida.clause
    assert "381.986" in florida.clause
    assert florida.source.startswith("http")
    assert whys(visit(cast, "US-FL", "in_person")) == ""
    assert whys(visit(cast, "US-KY")) == "A first visit by video is not enough in Kentucky."
    (texas,) = standing.blocks_of(visit(cast, "US-TX"), DAY)
    assert "speciality" in texas.why
    assert "specialty relevant to the condition" in texas.clause


def test_statutory_adjectives_are_judged_in_the_visit(cast: SimpleNamespace) -> None:
    practitioner(cast, "US-AZ")
    of = visit(cast, "US-AZ", "in_person")
    of.case.data["spasm"] = {"spasms_per_day": 9}
    asked = whys(of)
    assert "whether the muscle spasms are severe" in asked
    fact = "symptoms.muscle_spasms."
    judged = {f"{fact}severe": {"value": True, "reason": "wakes"}, f"{fact}persistent": {"value": True}}
    of = record.write(of, {"adjectives": judged}, cast.ada)
    of = Visit.objects.get(pk=of.pk)
    of.case.data["spasm"] = {"spasms_per_day": 9}
    assert "are severe" not in whys(of)
    assert "are persistent" not in whys(of)


def test_credentials_place_and_identity_block(cast: SimpleNamespace) -> None:
    who = practitioner(cast, "US-NY")
    of = visit(cast, "US-NY")
    of = record.write(of, {"place": {"code": "US-NJ", "words": "at her sister's"}}, cast.ada)
    assert whys(of).startswith("The patient is in New Jersey during the visit. Ada Lindqvist has no licence")
    of = record.write(of, {"place": {"code": "US-NY", "words": "home"}}, cast.ada)
    who.credentials.filter(kind="licence").update(expires="2026-11-29")
    who.credentials.filter(kind="course").delete()
    of = Visit.objects.get(pk=of.pk)
    assert "expired on 29 November 2026" in whys(of)
    assert "has no course" in whys(of)
    who.credentials.filter(kind="licence").update(expires=None)
    assert "no day of expiry" in whys(Visit.objects.get(pk=of.pk))
    of = record.write(
        of, {"identity": {"document": "passport", "matched": False, "expires": "2020-01-01"}}, cast.ada
    )
    assert "does not match" in whys(of)
    assert "Passport: it expired" in whys(of)


def test_telephone_is_not_known_to_be_enough(cast: SimpleNamespace) -> None:
    practitioner(cast, "US-NY", "US-PA")
    assert "telephone" in whys(visit(cast, "US-PA", "audio")) + whys(visit(cast, "US-NY", "audio"))


def test_the_number_of_a_document_is_never_kept_whole(cast: SimpleNamespace) -> None:
    of = visit(cast, "US-NY")
    assert Visit.objects.get(pk=of.pk).record["identity"]["number_masked"] == "…4567"
    again = {**record.said(of, "identity"), "how": "held to the camera"}
    record.write(of, {"identity": again}, cast.ada)
    assert Visit.objects.get(pk=of.pk).record["identity"]["number_masked"] == "…4567"


def test_a_part_that_was_written_meanwhile_is_refused(cast: SimpleNamespace) -> None:
    of = visit(cast, "US-NY")
    was = {"findings": record.stamp(of, "findings"), "capacity": record.stamp(of, "capacity")}
    record.write(of, {"findings": {"text": "hers", "diagnosis": "G35"}}, cast.ben, was)
    with pytest.raises(record.Overtaken) as late:
        record.write(of, {"findings": {"text": "mine", "diagnosis": "G35"}}, cast.ada, was)
    assert record.said(late.value.now, "findings")["text"] == "hers"
    # another part of the same visit was not touched
    record.write(of, {"capacity": {"has": False}}, cast.ada, was)


def test_moves(cast: SimpleNamespace) -> None:
    of = visit(cast, "US-NY")
    for to in ("done", "to_sign", "declined"):
        with pytest.raises(record.Refused):
            moves.move(of, to, cast.ada)
    for to in ("intake", "ready", "in_visit", "to_sign"):
        of = moves.move(of, to, cast.ada)
        assert of.status == to
    assert None not in (of.began, of.ended)
    with pytest.raises(record.Refused, match="needs a reason"):
        moves.move(of, "declined", cast.ada)
    with pytest.raises(record.Refused, match="No certificate"):
        moves.move(of, "done", cast.ada)
    of = moves.move(of, "declined", cast.ada, "not a condition of the list")
    with pytest.raises(record.Refused, match="its record is closed"):
        record.write(of, {"findings": {"text": "x"}}, cast.ada)


def test_what_a_place_asks_of_the_practitioner_is_in_its_tables() -> None:
    """By hand from the steps and forms of each place: controlled substances, the programme's register, a course."""
    asked = {
        "US-NY": "controlled course",
        "US-FL": "course",
        "US-PA": "registration course",
        "US-MA": "controlled course",
        "US-NJ": "controlled",
        "US-IL": "controlled",
        "US-OH": "registration",
        "US-TX": "registration",
        "US-AL": "controlled registration",
        "US-CA": "",
        "GB": "",
    }
    assert {code: " ".join(law.credentials_on(code, DAY)) for code in asked} == asked
    assert law.is_lookup_duty("US-FL", DAY)
    assert law.is_lookup_duty("US-NY", datetime.date(2026, 2, 18))
    assert not law.is_lookup_duty("US-NY", DAY)
    assert law.is_lookup_duty("GB", DAY) is None
    assert law.asks_pregnancy("US-FL", DAY)
    assert law.asks_pregnancy("US-NY", DAY) is None
