"""The ends at which a flag begins, and how severe one is of a product with little CBD."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lissive.case import make_case
from lissive.safety import judge
from lissive.safety.drugs import drugs
from lissive.safety.rules import interactions


def test_little_cbd_makes_nothing_milder_that_thc_does_too() -> None:
    assert {each.severity == each.small for each in interactions() if "thc" in each.with_} == {True}
    rule = next(each for each in interactions() if each.id == "warfarin_cannabinoids")
    plan = judge.planned(make_case({"case": "a", "plan": {"product": "nabiximols"}}))
    flag = judge._interaction(
        replace(rule, small="minor"), [judge.Taken(drugs()["warfarin"], "warfarin")], plan
    )
    assert (plan.small_cbd, flag.severity) == (True, "major")


@pytest.mark.parametrize(
    ("age", "word"),
    [
        (17.9, "age_under_18 age_under_18_cbd"),
        (18, "age_18_to_25"),
        (25.9, "age_18_to_25"),
        (26, ""),
        (64.9, ""),
        (65, "age_65_and_over"),
    ],
)
def test_a_flag_of_age_begins_on_the_birthday(age: float, word: str) -> None:
    case = make_case({"case": "a", "person": {"age_years": age}, "plan": {"product": "nabiximols"}})
    assert {each.id for each in judge.safety_of(case).flags if each.id.startswith("age_")} == set(
        word.split()
    )


@pytest.mark.parametrize(
    ("pair", "low"), [("*1/*2", False), ("*1/*3", True), ("*3/*1", True), ("*3/*3", True)]
)
def test_a_cyp2c9_of_six_tenths_is_a_slow_one(pair: str, low: bool) -> None:
    case = make_case({"case": "a", "person": {"cyp2c9": pair}, "plan": {"product": "dronabinol"}})
    assert any("cyp2c9" in each.id for each in judge.safety_of(case).flags) == low
