"""Flags of a case: lists of medicines and facts with what labels say of them, names, order, and what is not known."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lissive.case import make_case, products, read_case
from lissive.case.facts import CurrentDrug, History
from lissive.errors import CaseError, SafetyError
from lissive.report.case_parts import safety_lines
from lissive.safety import SEVERITIES, judge, safety_of
from lissive.safety._table import day_read, sources
from lissive.safety.drugs import almost, drugs, drugs_of, read_drugs
from lissive.safety.rules import (
    cautions,
    conditions,
    contents,
    interactions,
    read_cautions,
    read_interactions,
    sizes,
)

ROOT = Path(__file__).parents[2]
with (Path(__file__).parent / "lists.tsv").open(encoding="utf-8") as table:
    LISTS = list(csv.DictReader(table, delimiter="\t"))

_PERSON = {"age_years", "weight_kg", "cyp2c9", "pregnancy", "breast_feeding", "drives"}


def case_of(product: str = "-", medicines: str = "-", facts: str = "-", **plan):
    """A case from cells of the table; `-` is nothing said."""
    person, history = {}, {}
    for each in [] if facts == "-" else facts.split():
        name, value = each.split("=")
        if name in ("age_years", "weight_kg"):
            value = float(value)
        elif name == "conditions":
            value = value.split(",")
        elif value == "true":
            value = True
        (person if name in _PERSON else history)[name] = value
    if medicines != "-":
        history["current"] = [{"drug": each.strip()} for each in medicines.split(";")]
    plan |= {} if product == "-" else {"product": product}
    return make_case({"case": "a", "person": person, "history": history, "plan": plan})


def flags_of(*args, **plan):
    return {flag.id: flag for flag in safety_of(case_of(*args, **plan)).flags}


# -- lists, by what labels say --------------------------------------------------------------------
@pytest.mark.parametrize("row", LISTS, ids=lambda row: f"{row['product']}: {row['medicines']} {row['facts']}")
def test_a_list_has_the_flags_that_labels_give_it(row):
    found = flags_of(row["product"], row["medicines"], row["facts"])
    for each in [] if row["expect"] == "-" else row["expect"].split():
        severity, name = each.split(":")
        assert name in found, row["label"]
        assert found[name].severity == severity
    for name in [] if row["absent"] == "-" else row["absent"].split():
        assert name not in found, row["label"]


def test_the_lists_name_rules_that_exist_and_are_at_least_sixty():
    assert len(LISTS) >= 60
    known = {each.id for each in (*interactions(), *cautions())} | {"sedation_several"}
    named = {
        word.split(":")[-1]
        for row in LISTS
        for word in f"{row['expect']} {row['absent']}".split()
        if word != "-"
    }
    assert named <= known


# -- dose and product -----------------------------------------------------------------------------
def test_a_small_dose_of_cbd_is_said_to_be_uncertain_and_a_large_one_is_not():
    small = flags_of("cannabidiol_solution", "citalopram", "weight_kg=70", dose="100 mg", doses_per_day=2)
    large = flags_of("cannabidiol_solution", "citalopram", "weight_kg=70", dose="350 mg", doses_per_day=2)
    assert (small["citalopram_cbd"].severity, large["citalopram_cbd"].severity) == ("minor", "moderate")
    assert "200 mg of CBD a day" in small["citalopram_cbd"].mechanism  # 5 mg/kg are 350 mg
    assert "uncertain" not in large["citalopram_cbd"].mechanism


def test_flower_is_said_to_have_an_unknown_amount_of_cbd():
    found = safety_of(case_of("flower_smoked", "clobazam"))
    flag = next(flag for flag in found.flags if flag.id == "clobazam_cbd")
    assert "Whether the product has CBD is not stated." in flag.mechanism
    assert "CBD content of smoked cannabis" in found.not_assessed


def test_the_model_s_size_stands_in_the_flag_where_the_model_simulates_it():
    assert "In this model, AUC with ketoconazole: THC × " in (
        flags_of("nabiximols", "Nizoral")["strong_cyp3a4_inhibitor"].mechanism
    )
    assert (
        "In this model" not in flags_of("nabiximols", "clarithromycin")["strong_cyp3a4_inhibitor"].mechanism
    )


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


# -- order, silence, text -------------------------------------------------------------------------
def test_the_most_severe_come_first():
    found = safety_of(
        case_of("nabiximols", "clobazam; ramipril; omeprazole", "conditions=psychosis age_years=70")
    )
    ranks = [SEVERITIES.index(flag.severity) for flag in found.flags]
    assert ranks == sorted(ranks)
    assert set(ranks) == {0, 1, 2, 3}
    assert found.flags[0].kind == "contraindication"


def test_what_an_empty_case_does_not_say_is_named_and_nothing_is_ok():
    found = safety_of(make_case({"case": "a"}))
    assert not found.flags
    assert {"product", "current drugs", "other conditions", "pregnancy", "breast-feeding", "age"} <= set(
        found.not_assessed
    )
    assert {"driving and machines", "alcohol", "family history of psychosis"} <= set(found.not_assessed)
    text = "\n".join(safety_lines(found))
    assert "NOT ASSESSED" in text
    assert "safe " not in text.lower()


def test_a_fact_among_the_conditions_counts_as_said_and_a_man_is_not_asked_of_pregnancy():
    said = safety_of(case_of("nabiximols", "-", "conditions=pregnant,family_history_of_schizophrenia"))
    assert "pregnancy" not in said.not_assessed
    assert "family history of psychosis" not in said.not_assessed
    assert {"pregnancy", "family_psychosis"} <= {flag.id for flag in said.flags}
    for person in ({"sex": "male"}, {"sex": "female", "age_years": 75}):
        other = safety_of(make_case({"case": "a", "person": person}))
        assert not {"pregnancy", "breast-feeding"} & set(other.not_assessed)


def test_a_condition_without_a_row_is_not_assessed_with_the_word_that_may_be_meant():
    found = safety_of(case_of("nabiximols", "-", "conditions=psycosis,gout"))
    assert "condition psycosis (no row in the tables; psychosis?)" in found.not_assessed
    assert "condition gout (no row in the tables)" in found.not_assessed


def test_the_same_ingredient_by_two_names_is_one():
    flag = flags_of("nabiximols", "baclofen; Lioresal")["sedation_muscle_relaxants"]
    assert flag.substances[0] == "baclofen (Lioresal)" or flag.substances[0] == "baclofen"
    assert "sedation_several" not in flags_of("nabiximols", "baclofen; Lioresal")


@pytest.mark.parametrize(
    "product", ["-", "nabiximols", "dronabinol", "cannabidiol_solution", "flower_smoked"]
)
def test_short_lines_fit_and_the_text_is_eighty_wide(product):
    everything = "; ".join(drugs())
    words = ",".join(
        row.about for row in cautions() if row.about in set(conditions().values()) and row.about != "drives"
    )
    found = safety_of(case_of(product, everything, f"conditions={words} drives=true age_years=70"))
    assert max(len(flag.short) for flag in found.flags) <= 60
    assert all(flag.short and "{" not in flag.short for flag in found.flags)
    assert max(len(line) for line in safety_lines(found)) <= 80
    json.dumps(found.to_json())


def test_the_json_has_the_contract_s_keys():
    flag = safety_of(read_case(ROOT / "examples" / "ms-new-york.yaml")).to_json()["flags"][0]
    keys = {"id", "kind", "substances", "severity", "mechanism", "advice", "sources", "provenance"}
    assert keys <= set(flag)


# -- where it is from -----------------------------------------------------------------------------
def test_what_is_said_to_be_read_has_a_source_with_a_day_and_the_rest_is_unverified():
    for rule in (*interactions(), *cautions()):
        assert set(rule.text.sources) <= set(sources())
        assert rule.text.provenance == "unverified" or day_read(rule.text.sources)
    found = flags_of("dronabinol", "fluconazole; zolpidem; topiramate", "conditions=stroke")
    assert found["cyp2c9_inhibitor"].provenance.startswith("read 20")
    assert found["stroke"].provenance == "unverified"


def test_a_member_of_an_enzyme_s_list_that_was_not_read_makes_its_flag_unverified():
    read = flags_of("cannabidiol_solution", "bupropion", "weight_kg=70")["cyp2b6_substrates"]
    unread = flags_of("cannabidiol_solution", "oxazepam", "weight_kg=70")["ugt_substrates"]
    assert read.provenance.startswith("read")
    assert unread.provenance == "unverified"


# -- bad input ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("history", "said"),
    [
        ({"current": [{"drug": ""}]}, "history.current[0].drug is ''"),
        ({"current": [{"drug": "a" * 81}]}, "history.current[0].drug is"),
        ({"current": [{"drug": "a\tb"}]}, "history.current[0].drug is"),
        ({"current": [7]}, "history.current[0]"),
        ({"alcohol": "much"}, "none, some, heavy"),
        ({"family_psychosis": "yes"}, "true, false"),
        ({"family_psychoses": True}, "Did you mean family_psychosis?"),
    ],
)
def test_wrong_facts_are_refused_with_what_is_allowed(history, said):
    with pytest.raises(CaseError) as error:
        make_case({"case": "a", "history": history})
    assert said in str(error.value)


def test_a_table_by_product_refuses_a_product_that_no_case_can_plan(tmp_path):
    """A product under a former name would lose its flags: smoke, ethanol, sesame oil."""
    path = tmp_path / "contents.tsv"
    path.write_text(
        "product\tcontent\tforms\tprovenance\tsource\tnote\nsmoked\tsmoke\tall\tread\tacp_smoke\t\n"
    )
    with pytest.raises(SafetyError, match="product is 'smoked'"):
        contents(path)
    path.write_text(
        "product\tmedicine\tanalyte\tvalue\tunit\tprovenance\tsource\tnote\n"
        "thc_oral\tfluconazole\tTHC\t3.59\tratio\tcalculated\tlissive_model\t\n"
    )
    with pytest.raises(SafetyError, match="product is 'thc_oral'"):
        sizes(path)


@pytest.mark.filterwarnings("ignore::lissive.case.vocabulary.FormerId")
def test_smoke_and_allergy_are_flagged_under_former_names_of_products_too():
    assert {"smoke", "age_18_to_25"} <= set(flags_of("smoked", "-", "age_years=24"))
    assert "sesame_allergy" in flags_of("thc_oral", "-", "conditions=sesame_allergy")
    assert "sesame_allergy" in flags_of("-", "-", "conditions=sesame_allergy")  # it may be one with that oil


DRUGS = "drug\tnames\tbrands\tclasses\tmetabolism\tsource\tmetabolism_unverified\n"
RULES = "id\tdrugs\twith\tseverity\tsmall\tmechanism\tadvice\twatch\tshort\tprovenance\tsource\n"
CAUTIONS = "id\tabout\tthc\tcbd\tsmoked\tmechanism\tadvice\twatch\tshort\tprovenance\tsource\n"
RULE = "a\tbaclofen\tthc\tmajor\t-\twhy\tdo\t-\tshort\tread\tstott2013\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DRUGS + "a\t\t\tother\t\t-\t\na\t\t\tother\t\t-\t\n", "drug 'a' is empty or comes twice"),
        (DRUGS + "a\t\t\tother\tcyp3a5\tstott2013\t\n", "metabolism has 'cyp3a5'"),
        (DRUGS + "a\t\t\tother\tcyp2b6_substrate\t-\t\n", "metabolism names no source"),
        (DRUGS + "a\t\t\tother\tcyp2b6_substrate\tstot2013\t\n", "Did you mean stott2013?"),
        (DRUGS + "a\t\t\tother\n", "The line has 4 cells."),
        ("drug\tnames\n", "The header is not what it should be."),
    ],
)
def test_a_wrong_table_of_drugs_is_refused_with_its_line(tmp_path, text, said):
    path = tmp_path / "drugs.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SafetyError, match=re.escape(said)) as error:
        read_drugs(path, sources())
    assert str(error.value).startswith(f"{path}:")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RULE.replace("baclofen", "bacloffen"), "the drug 'bacloffen' is in no row of drugs.tsv"),
        (RULE.replace("baclofen", "@relaxant"), "the class 'relaxant'"),
        (RULE.replace("baclofen", "#cyp3a5"), "the enzyme 'cyp3a5'"),
        (RULE.replace("thc", "thx"), "with has 'thx'"),
        (RULE.replace("major", "serious"), "severity is 'serious'"),
        (RULE.replace("major", "-"), "severity is '-'"),
        (RULE.replace("why", ""), "mechanism is empty"),
        (RULE.replace("stott2013", "judgement"), "no source has a day on which it was read"),
        (RULE.replace("read\tstott2013", "unverified\t-"), "no source is named"),
        (RULE + RULE, "id 'a' is empty or comes twice"),
    ],
)
def test_a_wrong_table_of_interactions_is_refused_with_its_line(tmp_path, text, said):
    path = tmp_path / "interactions.tsv"
    path.write_text(RULES + text, encoding="utf-8")
    with pytest.raises(SafetyError, match=re.escape(said)):
        read_interactions(path, sources(), drugs())


def test_a_caution_about_no_product_is_refused(tmp_path):
    path = tmp_path / "cautions.tsv"
    path.write_text(
        CAUTIONS + "a\tpsychosis\t-\t-\t-\twhy\tdo\t-\tshort\tread\tstott2013\n", encoding="utf-8"
    )
    with pytest.raises(SafetyError, match="no severity with any product"):
        read_cautions(path, sources())


# -- yardsticks -----------------------------------------------------------------------------------
def test_every_yardstick_names_rules_that_exist_or_a_reason_and_stands_in_the_document():
    known = {each.id for each in (*interactions(), *cautions())} | {"sedation_several"}
    document = (ROOT / "docs" / "concepts" / "safety.md").read_text(encoding="utf-8")
    with (Path(judge.__file__).parent / "yardsticks.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert {"marinol", "cesamet", "epidiolex", "nabiximols", "cann_dir"} <= {row["yardstick"] for row in rows}
    for row in rows:
        here = [] if row["here"] == "-" else row["here"].split()
        assert set(here) <= known, row["item"]
        assert here or row["reason"] != "-", row["item"]
        reason = "" if row["reason"] == "-" else row["reason"]
        assert (
            f"| {row['item']} | {', '.join(f'`{each}`' for each in here) or 'none'} | {reason} |" in document
        )


def test_every_caution_is_about_a_word_that_a_case_can_say():
    facts = {
        "age_under_18",
        "age_18_to_25",
        "age_65_and_over",
        "pregnancy",
        "pregnancy_planned",
        "breast_feeding",
        "drives",
        "family_psychosis",
        "surgery",
        "cyp2c9_low",
        "smoke",
    }
    words = set(conditions().values())
    assert {row.about for row in cautions()} <= words | facts
    assert words <= {row.about for row in cautions()}


CYP3A = {  # the table after FDA guidance that sources.tsv calls cyp3a_list, without its combinations
    "cyp3a4_strong_inhibitor": """atazanavir ceritinib clarithromycin cobicistat darunavir idelalisib indinavir
        itraconazole ketoconazole levoketoconazole lonafarnib lopinavir mifepristone nefazodone nelfinavir posaconazole
        ritonavir saquinavir telithromycin tucatinib voriconazole""",
    "cyp3a4_moderate_inhibitor": """amiodarone aprepitant berotralstat cimetidine conivaptan crizotinib cyclosporine
        diltiazem duvelisib dronedarone erythromycin fedratinib fluconazole fosamprenavir fosaprepitant fosnetupitant
        grapefruit imatinib isavuconazole lefamulin letermovir netupitant nilotinib ribociclib schisandra verapamil""",
    "cyp3a4_strong_inducer": """apalutamide carbamazepine enzalutamide fosphenytoin lumacaftor mitotane phenobarbital
        phenytoin primidone rifampin""",
    "cyp3a4_moderate_inducer": """bexarotene bosentan cenobamate dabrafenib dexamethasone dipyrone efavirenz elagolix
        eslicarbazepine etravirine lorlatinib modafinil nafcillin pexidartinib rifabutin rifapentine sotorasib
        hypericum""",
}


@pytest.mark.parametrize(("enzyme", "names"), CYP3A.items())
def test_the_members_of_a_published_list_are_members_here_with_that_source(enzyme, names):
    for name in names.split():
        (drug,) = drugs_of(name)
        assert "cyp3a_list" in drug.metabolism[enzyme], name


def test_a_drug_for_a_condition_that_is_not_stated_is_asked_about():
    def asks(current, conditions):
        said = {
            "case": "a",
            "history": {"current": [{"drug": each} for each in current], "conditions": conditions},
            "plan": {"product": "nabiximols"},
        }
        return safety_of(make_case(said)).asks

    assert asks(["clobazam"], []) == ("whether clobazam is taken for epilepsy",)
    assert asks(["clobazam"], ["seizures"]) == ()
    assert asks(["olanzapine"], []) == ("whether olanzapine is taken for psychosis",)
    assert asks(["baclofen", "gabapentin"], []) == ()


def test_opioids_come_with_advice_on_naloxone_and_its_source():
    said = {"case": "a", "history": {"current": [{"drug": "oxycodone"}]}, "plan": {"product": "nabiximols"}}
    (flag,) = [each for each in safety_of(make_case(said)).flags if each.id == "sedation_opioids"]
    assert "naloxone" in flag.advice
    assert "naloxone_fda" in flag.sources


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
