"""Flags of a case: lists of medicines and facts with what labels say of them, names, order, and what is not known."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from tests.safety.flagged import case_of, flags_of

from lissive.case import make_case, read_case
from lissive.errors import CaseError, SafetyError
from lissive.report.case_parts import safety_lines
from lissive.safety import SEVERITIES, judge, safety_of
from lissive.safety._table import day_read, sources
from lissive.safety.drugs import drugs, drugs_of, read_drugs
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
