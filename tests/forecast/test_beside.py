"""Products by mg, and the same virtual patients under two treatments."""

from typing import Any

import numpy as np
import pytest

from lissive.case import Case, Plan, make_case
from lissive.case_answer.beside import NotCompared, compared, read_plan
from lissive.errors import CaseError
from lissive.forecast import needs, predict
from lissive.forecast.beside import Difference, Side, SideBySide, beside, what_if
from lissive.forecast.treatment import treatment
from lissive.model import load
from lissive.report.beside_text import beside_text
from lissive.units import to_nmol

PEOPLE = 8


def case(plan: dict[str, Any], **parts: Any) -> Case:
    spasm = {"cause": "multiple_sclerosis", "spasticity_nrs": 6.0, "pain_nrs": 5.0, "spasms_per_day": 9}
    return make_case({"case": "a", "spasm": spasm, "plan": {"weeks": 1, **plan}, **parts})


def row(found: SideBySide, name: str) -> Difference:
    return next(each for each in found.rows if each.name == name)


# -- products by mg --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("product", "licensed"),
    [
        ({"product": "thc_oil", "thc_mg": 5, "cbd_mg": 0}, {"product": "dronabinol", "thc_mg": 5}),
        ({"product": "cbd_oil", "cbd_mg": 50}, {"product": "cannabidiol_solution", "cbd_mg": 50}),
        ({"product": "oil", "dose": "5 mg"}, {"product": "dronabinol", "dose": "5 mg"}),
    ],
)
def test_an_oil_of_one_cannabinoid_is_as_its_licensed_form(
    product: dict[str, Any], licensed: dict[str, Any]
) -> None:
    one, other = (
        predict(case({**each, "doses_per_day": 2}), subjects=PEOPLE) for each in (product, licensed)
    )
    for name, values in one.weekly.items():
        np.testing.assert_array_equal(values, other.weekly[name], err_msg=name)


def test_what_is_assumed_of_a_product_and_of_a_plan_is_written_in_the_answer() -> None:
    plan = treatment(
        case({"product": "oil", "thc_mg": 5, "doses_per_day": 2, "weeks": None}), load("lissive")
    )
    said = " ".join(plan.notes)
    for words in (
        "swallowed as a whole",
        "content of CBD is not stated",
        "does not say for how long: 12 weeks",
    ):
        assert words in said
    assert plan.weeks == 12
    balanced = treatment(case({"product": "1:1 oil", "thc_mg": 5, "doses_per_day": 2}), load("lissive"))
    assert "content of CBD, 5 mg a dose, follows from the ratio of 1:1" in " ".join(balanced.notes)


@pytest.mark.parametrize(
    ("plan", "fields"),
    [
        ({"product": "oil", "thc_mg": 2.5}, ["plan.doses_per_day"]),
        ({"product": "oil", "cbd_mg": 2.5, "doses_per_day": 2}, ["plan.thc_mg"]),
        ({"product": "cbd_oil", "titration": "fixed"}, ["plan.cbd_mg", "plan.doses_per_day"]),
        ({"product": "oil"}, ["plan.titration"]),
        ({"product": "oil", "titration": "start_low"}, []),
        ({"product": "Cesamet", "dose": "1 mg", "doses_per_day": 2}, ["plan.product"]),
    ],
)
def test_all_that_a_forecast_still_needs_is_said(plan: dict[str, Any], fields: list[str]) -> None:
    assert [each.field for each in needs(case(plan))] == fields


def test_a_published_titration_goes_up_no_faster_than_it_says() -> None:
    plan = treatment(case({"product": "oil", "titration": "start_low", "weeks": 4}), load("lissive"))
    assert plan.dosing.ceilings[:17] == (1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 5)
    assert len(plan.dosing.ceilings) == 28
    assert (plan.counted_in, plan.amounts[:7]) == ("mg THC a day", (0, 0, 0, 0, 0, 2.5, 5))
    found = predict(case({"product": "oil", "titration": "start_low", "weeks": 4}), subjects=PEOPLE)
    assert (found.taken[0] <= np.array(plan.dosing.ceilings)).all()
    assert found.weekly["thc_plasma"][0, :, 1].max() == 0
    assert found.weekly["thc_plasma"][0, :, 4].max() > 0


def test_the_mg_of_a_step_are_those_of_a_day_divided_among_its_doses() -> None:
    """Routine protocol: 5 mg of CBD twice a day, then 10 mg more every third day; THC from the fifth step on."""
    equations = load("lissive")
    plan = treatment(case({"product": "oil", "titration": "start_low"}), equations)
    for step, thc, cbd in ((1, 0, 10), (2, 0, 20), (5, 2.5, 40)):
        day = plan.dosing.schedules[step]
        for drug, mg in (("THC", thc), ("CBD", cbd)):
            mine = day.value[day.target == equations.dose_targets[f"{drug}_oral"]]
            assert len(mine) == (2 if mg else 0)
            assert mine.sum() == pytest.approx(to_nmol(mg, g_per_mol=equations.parameters["M_THC"]))


# -- two plans -------------------------------------------------------------------------------------
OIL = {"product": "oil", "thc_mg": 5, "cbd_mg": 5, "doses_per_day": 2}


def test_a_plan_beside_itself_differs_in_nothing() -> None:
    found = beside("", Side("a", case(OIL)), Side("b", case(OIL)), subjects=PEOPLE)
    assert all((each.mean, each.p05, each.p95) == (0, 0, 0) for each in found.rows)
    assert {each.favours for each in found.rows} == {"neither"}


def test_the_patients_are_those_of_the_forecast() -> None:
    more = {**OIL, "thc_mg": 10}
    found = beside("", Side("a", case(OIL)), Side("b", case(more)), subjects=PEOPLE)
    for k, plan in enumerate((OIL, more)):
        alone = predict(case(plan), subjects=PEOPLE).weekly
        for each in found.rows:
            mine = alone[each.name][0, :, -1].mean()
            assert (each.first, each.second)[k] == pytest.approx(mine, rel=1e-12), each.name
    assert row(found, "intoxication_vas").favours == "first"
    assert all(each.mean == pytest.approx(each.second - each.first) for each in found.rows)


def test_plans_of_different_length_are_compared_where_both_still_run() -> None:
    found = beside("", Side("a", case(OIL)), Side("b", case({**OIL, "weeks": 3})), subjects=2)
    assert found.week == 1
    assert "The plans take 1 and 3 weeks; both are shown at week 1." in found.notes


@pytest.mark.parametrize(
    ("better", "worse", "favours"),
    [
        (0.0, 0.0, "neither"), (0.04, 0.0, "neither"), (0.4, 0.0, "neither"), (0.9, 0.02, "second"),
        (0.02, 0.9, "first"), (0.5, 0.4, "depends"), (0.2, 0.2, "depends"), (None, None, "neither"),
    ],
)  # fmt: skip
def test_who_is_better(better: float | None, worse: float | None, favours: str) -> None:
    assert Difference("a", "A", "NRS", 1, 1, 0, 0, 0, None, better, worse).favours == favours


# -- what if: directions as published --------------------------------------------------------------
def answered(word: str, plan: dict[str, Any] = OIL) -> SideBySide:
    first, second, notes = what_if(case(plan), word)
    return beside(word, first, second, subjects=PEOPLE, notes=notes)


def test_a_meal_raises_cbd_by_mouth() -> None:
    found = answered("meal")
    ratio = row(found, "cbd_plasma").ratio
    assert ratio is not None
    assert ratio[1] > 1.2


def test_poor_metabolisers_have_about_three_times_as_much_thc_and_less_of_its_metabolite() -> None:
    """Sachse-Seeboth 2009: AUC of THC in *3/*3 about threefold that in *1/*1, of 11-OH-THC less."""
    found = answered("cyp2c9-3")
    thc, metabolite = row(found, "thc_plasma").ratio, row(found, "oh_thc_plasma").ratio
    assert thc is not None
    assert metabolite is not None
    assert 2 < thc[0] < 4.5
    assert metabolite[0] < 1


def test_ketoconazole_raises_both_and_says_that_the_size_is_not_to_be_trusted() -> None:
    found = answered("ketoconazole")
    for name in ("thc_plasma", "oh_thc_plasma", "cbd_plasma"):
        ratio = row(found, name).ratio
        assert ratio is not None
        assert ratio[1] > 1, name
    assert "not the size" in " ".join(found.notes)


def test_missed_doses_are_missed_on_the_last_day_alone() -> None:
    found = answered("missed-dose")
    ratio = row(found, "thc_plasma").ratio
    assert found.last_day
    assert ratio is not None
    assert ratio[2] < 1
    assert "last day of week 1" in " ".join(beside_text([found]).split())
    risk = row(found, "stopped_early")
    assert 0 <= risk.second <= 1


@pytest.mark.parametrize(
    ("word", "parts", "says"),
    [
        ("meal", {"plan": {"product": "vape", "thc_mg": 5, "doses_per_day": 1}}, "A meal changes nothing"),
        ("ketoconazole", {"history": {"current": ["Ketoconazole"]}}, "taken already"),
        ("cyp2c9-3", {"person": {"cyp2c9": "*3/*3"}}, "stated already"),
        ("meel", {}, "Unknown question 'meel'"),
    ],
)
def test_what_changes_nothing_is_refused(word: str, parts: dict[str, Any], says: str) -> None:
    with pytest.raises(CaseError, match=says):
        what_if(case(**{"plan": OIL, **parts}), word)


# -- the gates -------------------------------------------------------------------------------------
NEW_YORK = {"as_of": "2026-11-22", "place": {"residence": "US-NY"}, "person": {"age_years": 52}}
SPRAY = {"product": "Sativex", "sprays_per_day": 4}


def test_what_cannot_be_had_is_not_forecast_and_the_nearest_is_on_request() -> None:
    mine = case(SPRAY, **NEW_YORK)
    other, found = compared(
        mine, [Plan(product="oil", thc_mg=5.0, doses_per_day=2)], nearest=True, subjects=2
    )
    assert isinstance(other, NotCompared)
    assert "nabiximols (Sativex) cannot be had there" in other.why
    assert isinstance(found, SideBySide)
    assert found.first == "placebo"
    assert found.second == "oil or tincture, THC and CBD 1:1, 2.7 mg THC + 2.5 mg CBD, 4 times a day"
    assert found.calibrated == "prior"
    text = beside_text([other, found])
    assert "NOT CALIBRATED" in text
    assert "trials, which find small average effects, have priority" in " ".join(text.split())


def test_a_second_plan_that_cannot_be_had_is_not_forecast() -> None:
    (found,) = compared(case(OIL, **NEW_YORK), [Plan(product="nabiximols", sprays_per_day=4)], subjects=2)
    assert isinstance(found, NotCompared)
    assert found.why == "nabiximols (Sativex) cannot be had there"


def test_where_the_plan_can_be_had_there_is_no_nearest() -> None:
    (found,) = compared(case(OIL, **NEW_YORK), nearest=True, subjects=2)
    assert isinstance(found, NotCompared)
    assert "not known to be unobtainable" in found.why


def test_a_plan_that_says_too_little_says_what_is_missing() -> None:
    (found,) = compared(case(OIL), [Plan(product="oil", thc_mg=5.0)], subjects=2)
    assert isinstance(found, NotCompared)
    assert found.why == "plan.doses_per_day: the number of doses a day"


def test_the_plan_of_a_case_is_read_from_its_file_too(tmp_path: Any) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("product: oil\nthc_mg: 5\n", encoding="utf-8")
    assert read_plan(path) == Plan(product="oil", thc_mg=5.0)
    path.write_text("case: a\nplan: {product: oil, thc_mg: 5}\n", encoding="utf-8")
    assert read_plan(path) == Plan(product="oil", thc_mg=5.0)
    path.write_text("product: oil\nweeks: 0\ndoze: 5\n", encoding="utf-8")
    with pytest.raises(CaseError) as error:
        read_plan(path)
    assert len(error.value.findings) == 2
