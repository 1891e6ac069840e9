"""Names of medicines and conditions: what is found, what is unknown, and what is meant by other words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.safety.flagged import case_of, flags_of

from lissive.case import make_case, products
from lissive.case.facts import CurrentDrug, History
from lissive.report.case_parts import safety_lines
from lissive.safety import safety_of
from lissive.safety.drugs import almost, drugs, drugs_of


# -- names ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "ingredients"),
    [
        ("Onfi", ["clobazam"]),
        ("Frisium", ["clobazam"]),
        ("ZANAFLEX", ["tizanidine"]),
        ("Sirdalud", ["tizanidine"]),
        ("Percocet", ["oxycodone", "paracetamol"]),
        ("acetaminophen", ["paracetamol"]),
        ("rifampin", ["rifampicin"]),
        ("cyclosporine", ["ciclosporin"]),
        ("valproic_acid", ["valproate"]),
        ("warfarin sodium", ["warfarin"]),
        ("oxycodone hydrochloride ER", ["oxycodone"]),
        ("St. John's wort", ["st_johns_wort"]),
        ("sodium valproate", ["valproate"]),
        ("xanax xr", ["alprazolam"]),
        ("nothing of the kind", []),
        ("sodium", []),
    ],
)
def test_names_brands_and_salts_lead_to_the_ingredients(said, ingredients):
    assert [drug.name for drug in drugs_of(said)] == ingredients


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("clobasam", "clobazam"),
        ("bacloffen", "baclofen"),
        ("tacrolimas", "tacrolimus"),
        ("Zanaflecks", "tizanidine"),
        ("wafarin", "warfarin"),
        ("gabapentine", "gabapentin"),
    ],
)
def test_a_misspelling_is_unknown_and_the_name_that_was_meant_is_suggested(said, meant):
    found = safety_of(case_of("nabiximols", said))
    assert [each.name for each in found.unknown_drugs] == [said]
    assert found.unknown_drugs[0].meant[0] == meant
    assert not any(said in flag.substances for flag in found.flags)


def test_a_name_that_is_like_nothing_is_unknown_without_a_suggestion():
    found = safety_of(case_of("nabiximols", "zzyzx 123"))
    assert [(each.name, each.meant) for each in found.unknown_drugs] == [("zzyzx 123", ())]
    assert "UNKNOWN DRUG zzyzx 123" in "\n".join(safety_lines(found))
    assert almost("") == ()


def test_a_drug_that_no_rule_is_about_is_named_as_such():
    found = safety_of(case_of("nabiximols", "natalizumab; baclofen"))
    assert found.without_flag == ("natalizumab",)
    assert "not proof of no interaction" in "\n".join(safety_lines(found))


@pytest.mark.parametrize("product", ["-", *products()])
def test_no_known_drug_is_passed_over_in_silence(product):
    found = safety_of(case_of(product, "; ".join(drugs())))
    said = {each for flag in found.flags for each in flag.substances} | set(found.without_flag)
    assert {name.replace("_", " ") for name in drugs()} <= said
    assert not found.unknown_drugs


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 _+.,/()'-]{0,20}", fullmatch=True))
@settings(max_examples=40)
def test_any_name_is_a_drug_or_unknown_and_nothing_between(name):
    found = safety_of(case_of().model_copy(update={"history": History(current=(CurrentDrug(drug=name),))}))
    known = drugs_of(name)
    assert [each.name for each in found.unknown_drugs] == ([] if known else [name])
    said = " ".join([*found.without_flag, *(each for flag in found.flags for each in flag.substances)])
    assert all(drug.name.replace("_", " ") in said for drug in known)


def test_there_are_two_hundred_ingredients_and_most_have_a_brand():
    assert len(drugs()) >= 200
    assert sum(1 for drug in drugs().values() if drug.brands) >= 200


# -- what is stated in other words than the tables' -------------------------------------------------
@pytest.mark.parametrize(
    ("said", "flagged"),
    [
        ("recent heart attack", {"heart_disease"}),
        ("congestive heart failure since 2019", {"heart_disease"}),
        ("history of drug-induced psychosis", {"psychosis"}),
        ("psychotic depression", {"psychosis"}),
        ("mother with schizophrenia", {"family_psychosis"}),
        ("Child-Pugh class C", {"liver_disease"}),
        ("kidney transplant", {"kidney_disease"}),
        ("planning a pregnancy soon", {"pregnancy_planned"}),
        ("no psychosis", set()),
        ("family history of epilepsy", set()),
        ("hearing aids", set()),
    ],
)
def test_a_condition_is_found_within_a_longer_name(said: str, flagged: set[str]) -> None:
    assert set(flags_of("nabiximols", "-", f"conditions={said.replace(' ', '_')}")) == flagged


def test_what_only_a_part_of_a_condition_is_flagged_for_is_not_called_checked() -> None:
    case = make_case(
        {"case": "a", "history": {"conditions": ["acne_and_recent_heart_attack", "heart_attack_in_2019"]}}
    )
    assert safety_of(case).unchecked_conditions == ("acne_and_recent_heart_attack (only as heart disease)",)


@pytest.mark.parametrize(
    ("product", "allergy", "flagged"),
    [
        ("nabiximols", "propylene_glycol_allergy", ["contraindicated"]),
        ("nabiximols", "alcohol_allergy", ["contraindicated"]),
        ("nabiximols", "sesame_allergy", []),
        ("dronabinol", "sesame_allergy", ["contraindicated"]),
        ("dronabinol", "alcohol_allergy", ["major"]),  # the oral solution has it, capsules have not
        ("cbd_oil", "sesame_allergy", ["major"]),  # no label says what an oil is made with
        ("edible", "sesame_allergy", ["major"]),
        ("flower_smoked", "sesame_allergy", []),
        ("nabilone", "sesame_allergy", []),
    ],
)
def test_an_allergy_is_held_against_what_a_product_is_made_with(
    product: str, allergy: str, flagged: list[str]
) -> None:
    found = flags_of(product, "-", f"conditions={allergy}").values()
    assert [each.severity for each in found if "allergy" in each.id] == flagged


def test_the_oral_solution_of_dronabinol_is_half_alcohol() -> None:
    """Its label contraindicates it with disulfiram and metronidazole."""
    for product in ("syndros", "dronabinol"):
        assert flags_of(product, "metronidazole")["ethanol_solution"].severity == "major"
    assert "ethanol_solution" not in flags_of("nabiximols", "metronidazole")


def test_nabilone_acts_as_thc_and_has_no_cbd() -> None:
    found = safety_of(case_of("nabilone", "valproate"))
    assert not [each for each in found.not_assessed if "CBD" in each]
    assert "valproate_cbd" not in {each.id for each in found.flags}
    assert "psychosis" in flags_of("nabilone", "-", "conditions=psychosis")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("warfarin sodium 3 mg", {"warfarin"}),
        ("Warfarin 2.5 mg daily", {"warfarin"}),
        ("nirmatrelvir/ritonavir", {"nirmatrelvir", "ritonavir"}),
        ("losartan/HCTZ", {"losartan", "hydrochlorothiazide"}),
        ("intrathecal baclofen", {"baclofen"}),
        ("fentanyl patch", {"fentanyl"}),
        ("Tylenol #3", {"codeine", "paracetamol"}),
        ("Symbyax", {"olanzapine", "fluoxetine"}),
        ("warfarin 5 mg plus aspirin 100 mg", {"warfarin", "aspirin"}),
        ("warfarin and xyzzy", set()),  # of which one is not known: all of it is asked for
        ("Tylenol 3 and something", set()),
    ],
)
def test_doses_forms_and_combinations_of_medicines_are_read(said: str, meant: set[str]) -> None:
    assert {each.name for each in drugs_of(said)} == meant


def test_sodium_oxybate_is_no_minor_sedative() -> None:
    assert flags_of("nabiximols", "Xyrem")["sedation_oxybate"].severity == "major"


def test_flower_that_is_vaporised_carries_moulds_as_well() -> None:
    for product, has in (("flower_smoked", True), ("flower_vaporised", True), ("oil", False)):
        assert ("immunosuppression" in flags_of(product, "-", "conditions=hiv")) == has


def test_a_significant_psychiatric_disorder_is_more_than_low_mood() -> None:
    """Nabiximols is contraindicated in one, save in depression from the illness itself, which a case does not say."""
    assert (
        flags_of("nabiximols", "-", "conditions=major_depressive_disorder")["psychiatric_disorder"].severity
        == "major"
    )
    assert flags_of("nabiximols", "-", "conditions=depression")["depression"].severity == "moderate"
