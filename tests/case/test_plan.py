"""Plans by mg of THC and CBD, published titrations, and all that is wrong with a case at once."""

import pytest

from lissive.case import Plan, make_case, product, products
from lissive.case.products import start_low, titrations
from lissive.errors import CaseError


def plan(**fields):
    return make_case({"case": "a", "plan": fields}).plan


def refused(**fields):
    with pytest.raises(CaseError) as error:
        plan(**fields)
    return str(error.value)


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"product": "tincture", "thc_mg": 2.5, "cbd_mg": 2.5}, (2.5, 2.5)),
        ({"product": "oil", "dose": "5 mg"}, (5, None)),
        ({"product": "1:1 oil", "thc_mg": 5}, (5, 5)),
        ({"product": "1:1 oil", "cbd_mg": 4}, (4, 4)),
        ({"product": "1:1 oil", "thc_mg": 10, "cbd_mg": 9}, (10, 9)),
        ({"product": "cbd_oil", "cbd_mg": 50}, (None, 50)),
        ({"product": "cbd_oil", "dose": "50 mg", "thc_mg": 1}, (1, 50)),
        ({"product": "capsule", "thc_mg": 0, "cbd_mg": 25}, (0, 25)),
        ({"product": "dronabinol", "thc_mg": 5}, (5, 0)),
        ({"product": "Epidiolex", "cbd_mg": 100}, (0, 100)),
        ({"product": "vape", "thc_mg": 10, "cbd_mg": 2}, (10, 2)),
        ({"product": "Sativex", "sprays_per_day": 4}, (2.7, 2.5)),
        ({"product": "oil"}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_what_a_dose_contains_is_as_stated_and_else_unknown(fields, content):
    assert plan(**fields).mg_per_unit() == content


def test_a_day_has_as_much_as_its_doses():
    assert plan(product="oil", thc_mg=2.5, cbd_mg=5, doses_per_day=3).most_mg_per_day() == (7.5, 15)
    assert plan(product="Sativex", sprays_per_day=10).most_mg_per_day() == (27, 25)
    assert plan(product="Sativex", sprays_per_day=4, max_sprays_per_day=10).most_mg_per_day() == (27, 25)
    assert plan(product="oil", titration="start_low").most_mg_per_day() == (40, 40)
    assert plan(product="Sativex", titration="label").most_mg_per_day() == (None, None)


def test_a_dose_without_a_titration_is_fixed():
    assert plan(product="oil", thc_mg=2.5).is_fixed
    assert plan(product="Sativex", sprays_per_day=4).is_fixed
    assert not plan(product="Sativex", max_sprays_per_day=8).is_fixed
    assert not plan(product="oil").is_fixed


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"product": "oil", "thc_mg": 5, "dose": "5 mg"}, "plan.dose is '5 mg', and thc_mg is given too."),
        ({"product": "oil", "thc_mg": 0, "cbd_mg": 25}, "write product: cbd_oil."),
        ({"product": "dronabinol", "cbd_mg": 5}, "plan.cbd_mg is 5, but oral THC (dronabinol) has none."),
        ({"product": "Sativex", "doses_per_day": 2}, "plan.doses_per_day is 2, but nabiximols is counted in spray."),
        ({"product": "dronabinol", "thc_mg": 0}, "plan.thc_mg is 0, so there is no dose. Allowed: more than 0 mg."),
        ({"product": "cbd_oil", "thc_mg": 0, "cbd_mg": 0}, "plan.cbd_mg is 0, so there is no dose."),
        ({"product": "balanced_oil", "thc_mg": 5, "cbd_mg": 0}, "has CBD. What to do: write product: thc_oil."),
        ({"product": "Sativex", "thc_mg": 5}, "plan.thc_mg is 5, but nabiximols is counted in spray."),
        ({"product": "oil", "thc_mg": 50, "doses_per_day": 3}, "plan.thc_mg is 50, 150 mg a day. Allowed: up to 120"),
        ({"product": "oil", "thc_mg": 5, "cbd_mg": 4000, "doses_per_day": 2}, "8000 mg a day. Allowed: up to 6000"),
        ({"product": "cbd_oil", "cbd_mg": -1}, "plan.cbd_mg is -1. Allowed: 0 to 6000 mg."),
        ({"product": "oil", "thc_mg": "2.5"}, "plan.thc_mg is '2.5'."),
        ({"product": "oil", "titration": "label"}, "has no label titration. Allowed: fixed, start_low,"),
        ({"product": "1:1 oil", "titration": "start_low"}, "Allowed: fixed, start_low_rapid."),
        ({"product": "vape", "titration": "start_low"}, "no published schedule of this name. Allowed: fixed."),
        ({"product": "oil", "titration": "start_low", "thc_mg": 5}, "plan.thc_mg is 5 while titration is start_low."),
        ({"product": "sativx"}, "Did you mean sativex?"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_is_refused(fields, says):
    assert says in refused(**fields)


# -- start low, go slow: the steps of Bhaskar 2021 (abstract) --------------------------------------
def test_the_routine_protocol():
    low = start_low("start_low", "oil")
    cbd = [step.cbd_mg for step in low.steps if step.thc_mg == 0]
    thc = [step.thc_mg for step in low.steps if step.thc_mg > 0]
    assert low.doses_per_day == 2
    assert cbd == [10, 20, 30, 40]
    assert thc == [2.5 * k for k in range(1, 17)]
    assert all(step.cbd_mg == 40 for step in low.steps if step.thc_mg)
    gaps = [b.day - a.day for a, b in zip(low.steps[:-1], low.steps[1:], strict=True)]
    assert set(gaps[:3]) == {3}
    assert set(gaps[3:]) == {7}


def test_the_conservative_protocol_starts_with_5_mg_once_and_adds_1_mg_of_thc_a_week():
    low = start_low("start_low_conservative", "oil")
    assert low.doses_per_day == 1
    assert [step.cbd_mg for step in low.steps[:5]] == [5, 15, 25, 35, 40]
    assert [step.thc_mg for step in low.steps[4:8]] == [0, 1, 2, 3]
    assert low.steps[-1].thc_mg == 40


def test_the_rapid_protocol_has_as_much_of_both_and_is_marked_as_not_read_to_its_end():
    low = start_low("start_low_rapid", "balanced_oil")
    assert all(step.thc_mg == step.cbd_mg for step in low.steps)
    assert (low.steps[0].thc_mg, low.steps[1].thc_mg, low.steps[-1].thc_mg) == (5, 7.5, 40)
    assert "recalled" in low.provenance


def test_of_cbd_alone_only_the_first_half_is_followed():
    assert {step.thc_mg for step in start_low("start_low", "cbd_oil").steps} == {0}
    assert start_low("start_low", "dronabinol") is None
    assert titrations("nabiximols") == ("label", "fixed")


def test_what_has_no_model_says_why():
    assert {name for name, each in products().items() if not each.modelled} == {"nabilone", "topical"}
    assert "another molecule" in product("nabilone").no_model


# -- what people write ----------------------------------------------------------------------------
def test_what_people_write_is_understood():
    case = make_case(
        {
            "case": "a",
            "person": {"sex": "Woman", "pregnancy": "no"},
            "spasm": {"cause": "MS"},
            "history": {
                "opioids": "no", "alcohol": "Never", "conditions": ["Chronic pain"],
                "current": ["baclofen 60 mg/day", "St. John's wort", {"drug": "clobazam"}],
            },
            "plan": {"product": "Tincture", "titration": "start low, go slow"},
        }
    )  # fmt: skip
    assert (case.person.sex, case.person.pregnancy, case.spasm.cause) == (
        "female",
        "none",
        "multiple_sclerosis",
    )
    assert (case.history.opioids, case.history.alcohol, case.history.conditions) == (
        "none",
        "none",
        ("chronic_pain",),
    )
    assert [(each.drug, each.dose_mg_per_day) for each in case.history.current] == [
        ("baclofen", 60), ("St. John's wort", None), ("clobazam", None)
    ]  # fmt: skip
    assert (case.plan.product, case.plan.titration) == ("oil", "start_low")


def test_what_is_wrong_between_fields_is_said_beside_what_is_wrong_with_one():
    with pytest.raises(CaseError) as error:
        make_case(
            {
                "case": "a",
                "as_of": "2020-01-01",
                "person": {"age_years": "fifty"},
                "spasm": {"since": "2021-01-01"},
                "plan": {"product": "Sativex", "titration": "label", "sprays_per_day": 40, "weeks": 300},
            }
        )
    said = [each.what for each in error.value.findings]
    assert sorted(said) == [
        "person.age_years is 'fifty'.",
        "plan.sprays_per_day is 40 while titration is label.",
        "plan.weeks is 300.",
        "spasm.since is 2021-01-01, after as_of.",
    ]


def test_what_rests_on_a_wrong_field_is_not_held_against_another():
    with pytest.raises(CaseError) as error:
        make_case({"case": "a", "history": {"tried": "baclofen", "outcome": {"baclofen": "effective"}}})
    assert [each.what for each in error.value.findings] == ["history.tried is 'baclofen'."]


def test_a_plan_says_its_dose():
    assert Plan(product="dronabinol", dose="5 mg", doses_per_day=2).dose_text() == "5 mg, 2 times a day"
    assert Plan(product="oil", dose="5 mg").dose_text() == "5 mg THC"
    assert Plan(product="nabiximols", sprays_per_day=8).dose_text() == "8 sprays a day"
    assert Plan(product="oil").dose_text() == ""


def test_several_plans_are_part_of_a_case_and_each_keeps_the_limits():
    case = {
        "case": "a",
        "plan": {"product": "nabiximols"},
        "plans": [{"product": "oil"}, {"product": "nabilone"}],
    }
    made = make_case(case)
    assert [each.product for each in made.plans] == ["oil", "nabilone"]
    assert not [each for each in made.unknown() if each.startswith("plans")]
    too_much = {**case, "plans": [{"product": "dronabinol", "thc_mg": 900, "doses_per_day": 2}]}
    with pytest.raises(CaseError, match=r"plans\[0\].thc_mg is 900, 1800 mg a day"):
        make_case(too_much)
