"""Medicines as they stand on a prescription are the same medicines, and are looked up under their names."""

from __future__ import annotations

import pytest

from lissive.case import make_case
from lissive.case.facts import as_prescribed
from lissive.case_answer import answer


@pytest.mark.parametrize(
    ("text", "name", "mg"),
    [
        ("baclofen 20 mg three times a day", "baclofen", 60.0),
        ("baclofen 20 mg TID", "baclofen", 60.0),
        ("baclofen, 20 mg po tid", "baclofen", 60.0),
        ("baclofen (20 mg bid)", "baclofen", 40.0),
        ("baclofen 60 mg/day", "baclofen", 60.0),
        ("baclofen 60 mg per day", "baclofen", 60.0),
        ("gabapentin 0.3 g q8h", "gabapentin", 900.0),
        ("warfarin 5mg daily", "warfarin", 5.0),
        ("vitamin B12 1000 mcg daily", "vitamin B12", 1.0),
    ],
)
def test_name_and_dose_of_a_day(text: str, name: str, mg: float) -> None:
    (drug,) = make_case({"case": "a", "history": {"current": [text]}}).history.current or ()
    assert drug.drug == name
    assert drug.dose_mg_per_day == pytest.approx(mg)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("warfarin 5 mg on Mondays", "warfarin"),
        ("warfarin 5 mg every other day", "warfarin"),
        ("levetiracetam 1,000 mg bid", "levetiracetam"),
        ("Sinemet 25/100 mg tid", "Sinemet"),
        ("insulin glargine 20 units at bedtime", "insulin glargine"),
        ("warfarin daily", "warfarin"),
        ("baclofen prn", "baclofen"),
        ("omega 3", "omega 3"),
        ("5-HTP", "5-HTP"),
        ("St. John's wort", "St. John's wort"),
    ],
)
def test_a_dose_that_the_text_does_not_tell_is_unknown_and_the_name_is_kept(text: str, name: str) -> None:
    assert as_prescribed(text) == (name, None)


def test_the_prescription_raises_the_flags_of_its_medicines() -> None:
    """A medicine whose dose was taken for a part of its name would be checked for nothing."""
    given = {"case": "a", "as_of": "2026-11-22", "plan": {"product": "balanced_oil"}}
    words = ["baclofen 20 mg three times a day", "warfarin 5 mg daily", "wharfarin 5 mg daily"]
    found = answer(make_case({**given, "history": {"current": words}}))
    major = {each for flag in found.safety.worst("major") for each in flag.substances}
    assert {"warfarin", "baclofen"} <= major
    assert [each.name for each in found.safety.unknown_drugs] == ["wharfarin"]
    assert any("not checked" in each.what for each in found.next)
