"""Conditions by word, name and code: what is known, what is unknown, and that spasm is not spasticity."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lissive
from lissive.access import facts
from lissive.access.answer import Facts, Level, Symptom
from lissive.access.conditions import (
    PROVENANCE,
    complete_codes,
    conditions,
    implied,
    listed,
    read_conditions,
    recognise,
)
from lissive.access.logic import evaluate, person
from lissive.access.rule import Clause, rules
from lissive.case import causes
from lissive.errors import RuleError
from lissive.table import rows_of

HEADER = "word\tkind\tis_a\tbase\tattributes\tnames\ticd10cm\tprovenance\tsource\tnote"


def symptom_holds(word, symptoms):
    """Whether a clause that asks for the word alone is met by these symptoms and what is known of each."""
    facts = Facts(symptoms={name: Symptom(known) for name, known in symptoms.items()})
    level = evaluate(Clause(symptom=word), person(facts, datetime.date(2020, 1, 1))).level
    return {Level.N: "no", Level.U: "unknown", Level.E: "yes"}[level]


def table(tmp_path, *rows):
    path = tmp_path / "conditions.tsv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


# Titles of the code set, fiscal year 2026 (valid from 2025-10-01), as its tabular list has them.
@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("G35", "multiple_sclerosis"),  # one code until 2025-09-30
        ("G35.A", "multiple_sclerosis"),  # relapsing-remitting multiple sclerosis
        ("G35.B0", "multiple_sclerosis"),  # primary progressive, unspecified
        ("G35.C2", "multiple_sclerosis"),  # non-active secondary progressive
        ("G35.D", "multiple_sclerosis"),  # multiple sclerosis, unspecified
        ("G12.21", "als"),
        ("G12.20", "motor_neuron_disease"),
        ("G12.23", "primary_lateral_sclerosis"),
        ("M79.7", "fibromyalgia"),
        ("G80.9", "cerebral_palsy"),
        ("G24.3", "cervical_dystonia"),  # spasmodic torticollis
        ("M43.6", "torticollis"),
        ("G24.9", "dystonia"),
        ("G20", "parkinsons"),
        ("G20.A1", "parkinsons"),
        ("G40.909", "epilepsy"),
        ("G40.919", "epilepsy_intractable"),
        ("C61", "cancer"),
        ("C4A.9", "cancer"),  # Merkel cell carcinoma: letters in the category
        ("B20", "hiv_aids"),
        ("K50.90", "crohns"),
        ("F43.10", "ptsd"),
        ("G62.9", "neuropathy"),
        ("G61.81", "cidp"),
        ("G60.0", "charcot_marie_tooth"),  # hereditary motor and sensory neuropathy
        ("G62.0", "chemotherapy_neuropathy"),  # drug-induced polyneuropathy
        ("G81.90", "hemiplegia"),  # of whatever kind; G81.1 is spastic
        ("G81.10", "spastic_hemiplegia"),
        ("G04.1", "tropical_spastic_paraplegia"),  # within G04, encephalitis
        ("E71.529", "adrenoleukodystrophy"),
        ("G89.4", "chronic_pain"),
        ("S14.101A", "spinal_cord_injury"),
        ("S24.3XXA", None),  # nerves of the thorax, not the cord
        ("I69.351", "stroke"),
        ("D57.1", "sickle_cell"),
        ("D57.3", "sickle_cell_trait"),
        ("G10", "huntingtons"),
    ],
)
def test_a_code_is_the_diagnosis_of_its_title(code, word):
    assert recognise(code).diagnosis == word


@pytest.mark.parametrize("code", ["M62.83", "M62.830", "M62.831", "M62.838", "M62.83x", "M62.83-", "R25.2"])
def test_codes_of_spasm_are_spasm_and_not_spasticity(code):
    found = recognise(code)
    assert (found.diagnosis, found.symptom) == (None, "muscle_spasms")
    assert symptom_holds("spasticity", {found.symptom: {}}) == "no"
    assert symptom_holds("muscle_spasms", {"spasticity": {}}) == "no"


@pytest.mark.parametrize(
    "said", ["g1221", " G12.21 ", "als", "ALS", "Lou Gehrig's disease", "Amyotrophic lateral sclerosis"]
)
def test_how_it_is_written_does_not_matter(said):
    assert recognise(said).diagnosis == "als"


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("Crohn’s disease", "crohns"),
        ("Sjögren syndrome", "sjogrens"),
        ("Guillain-Barré syndrome", "guillain_barre"),
        ("multiple  sclerosis", "multiple_sclerosis"),
        ("PTSD", "ptsd"),
    ],
)
def test_apostrophes_accents_and_blanks_do_not_matter(said, word):
    assert recognise(said).diagnosis == word


def test_a_statutory_adjective_is_kept_and_nothing_is_read_into_it():
    spasms = recognise("severe and persistent muscle spasms")
    assert (spasms.symptom, dict(spasms.attributes)) == (
        "muscle_spasms",
        {"severe": True, "persistent": True},
    )
    assert recognise("severe fibromyalgia").diagnosis == "fibromyalgia_severe"
    moderate = recognise("moderate fibromyalgia").diagnosis
    assert moderate == "fibromyalgia"
    assert listed("fibromyalgia_severe", [moderate]) == "unknown"
    assert dict(recognise("muscle spasms").attributes) == {}


def test_a_code_that_names_two_conditions_gives_both():
    found = recognise("G80.0")  # spastic quadriplegic cerebral palsy
    assert {found.diagnosis, *found.also} == {"cerebral_palsy", "spastic_quadriplegia"}


@pytest.mark.parametrize("code", ["Z99.9", "B12", "A00.0", "X50.0XXA"])
def test_a_code_that_is_not_in_the_table_is_unknown_and_never_no(code):
    found = recognise(code)
    assert (found.how, found.known) == ("unmapped_code", False)
    assert "unknown" in found.note


def test_an_unmapped_code_comes_with_the_nearest():
    assert (
        "G24.3 (cervical_dystonia)" in recognise("G25.89").note
        or "G25.3 (myoclonus)" in recognise("G25.89").note
    )


@pytest.mark.parametrize("code", ["G3", "G-35", "M62.8383333", "G35..A", "G3.5", "G12,21"])
def test_a_malformed_code_is_told_apart_from_an_unmapped_one(code):
    found = recognise(code)
    assert found.how == "malformed_code"
    assert "The form is" in found.note


@pytest.mark.parametrize(("code", "above"), [("M79.70", "M79.7"), ("G12.211", "G12.21"), ("r52.1", "R52")])
def test_what_stands_below_a_complete_code_is_no_code(code, above):
    found = recognise(code)
    assert (found.how, found.known) == ("malformed_code", False)
    assert found.note.endswith(f"nothing stands below {above}.")


def test_a_complete_code_is_one_of_the_table_and_has_none_below_it_there():
    known = {code for each in conditions().values() for code in each.icd10cm}
    assert complete_codes() <= known
    assert not [code for code in known if any(code.startswith(each) for each in complete_codes() - {code})]


@pytest.mark.parametrize("code", ["G 35", "G 35.A", "g 12.21"])
def test_a_code_may_be_written_with_a_blank(code):
    assert recognise(code).how == "code"


def test_an_unknown_name_comes_with_the_nearest():
    found = recognise("multiple sklerosis")
    assert found.how == "unknown_name"
    assert "Did you mean multiple sclerosis?" in found.note


@pytest.mark.parametrize("said", ["practitioner_discretion", "severe", "", "   ", "xyz"])
def test_what_nobody_can_have_is_no_condition(said):
    assert recognise(said).known is False


@given(st.text(max_size=40))
def test_whatever_is_entered_is_answered(said):
    found = recognise(said)
    assert found.known == (found.how in ("word", "name", "code"))


def test_having_the_qualified_condition_is_having_the_plain_one_and_not_the_other_way():
    assert listed("multiple_sclerosis", ["multiple_sclerosis_severe_or_end_stage"]) == "yes"
    assert listed("multiple_sclerosis_severe_or_end_stage", ["multiple_sclerosis"]) == "unknown"
    assert listed("multiple_sclerosis_severe_or_end_stage", ["stroke"]) == "no"
    for each in conditions().values():
        if each.base and each.is_diagnosis and each.base != each.word:
            assert listed(each.word, [each.base]) in ("unknown", "yes")


def test_a_kind_of_a_disease_is_that_disease():
    assert listed("ibd", ["ulcerative_colitis"]) == "yes"
    assert listed("neuropathy", ["cidp"]) == "yes"
    assert listed("arthritis", ["rheumatoid_arthritis"]) == "yes"
    assert listed("cancer", ["glaucoma"]) == "no"
    assert listed("als", ["motor_neuron_disease"]) == "no"


def test_a_diagnosis_that_the_table_lacks_may_be_anything():
    assert listed("als", ["morbus_ignotus"]) == "unknown"


@given(st.lists(st.sampled_from(sorted(conditions())), max_size=4), st.sampled_from(sorted(conditions())))
def test_a_further_diagnosis_never_takes_away(diagnoses, more):
    order = ("no", "unknown", "yes")
    for word in ("ibd", "neuropathy", "multiple_sclerosis_severe_or_end_stage", more):
        assert order.index(listed(word, [*diagnoses, more])) >= order.index(listed(word, diagnoses))


# Ohio: pain that is chronic and severe, or intractable (ORC 3796.01).
@pytest.mark.parametrize(
    ("attributes", "verdict"),
    [
        ({"chronic": True, "severe": True}, "yes"),
        ({"chronic": True, "severe": False, "intractable": False}, "no"),
        ({"chronic": True, "severe": False}, "unknown"),
        ({"intractable": True}, "yes"),
        ({}, "unknown"),
    ],
)
def test_and_binds_closer_than_or(attributes, verdict):
    assert symptom_holds("chronic_and_severe_or_intractable_pain", {"pain": attributes}) == verdict


def test_every_cause_of_a_case_is_a_condition():
    no_diagnosis = {"nocturnal_cramps": "muscle_spasms", "other": None}
    for cause in causes():
        found = recognise(cause)
        if cause in no_diagnosis:
            assert (found.diagnosis, found.symptom) == (None, no_diagnosis[cause])
        else:
            assert (found.how, found.diagnosis) == ("word", cause)


def test_every_word_that_a_rule_uses_is_in_the_table():
    used = set()
    for place in rules().values():
        for version in place.versions:
            for clause in version.logic.walk():
                used |= {
                    *(clause.dx_any or ()),
                    *(clause.symptom_any or ()),
                    *(clause.cause_of_symptom or ()),
                }
                used |= {clause.symptom} if clause.symptom else set()
                used |= set(getattr(clause.cause, "listed", ()))
    assert used
    assert used - set(conditions()) == set()


def test_every_code_means_one_word_or_says_why_several():
    owners: dict[str, list[str]] = {}
    for each in conditions().values():
        for code in each.icd10cm:
            owners.setdefault(code, []).append(each.word)
    for code, words in owners.items():
        if len(words) > 1:
            assert all(conditions()[word].note.startswith("several: ") for word in words), code


def test_every_row_says_where_it_comes_from():
    for each in conditions().values():
        assert each.provenance in PROVENANCE
        assert bool(each.source) == (each.provenance == "read"), each.word
        if each.kind != "label":
            assert each.word in implied([each.word])


def test_no_condition_is_its_own_base():
    assert [each.word for each in conditions().values() if each.base == each.word] == []


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a\tillness\t\t\t\t\t\trecalled\t-\t", "kind is 'illness'"),
        ("a\tdiagnosis\t\t\t\t\t\tguessed\t-\t", "provenance is 'guessed'"),
        ("a\tdiagnosis\t\t\t\t\tG35\tread\t-\t", "no source is named"),
        ("a\tdiagnosis\t\t\t\t\tG35\tread\tnowhere\t", "source 'nowhere' is not in"),
        ("a\tdiagnosis\t\t\t\t\tG3\tread\there\t", "'G3' is not an ICD-10-CM code"),
        ("a\tdiagnosis\tb\t\t\t\t\trecalled\t-\t", "is_a names 'b'"),
        ("a\tdiagnosis\t\tb\t\t\t\trecalled\t-\t", "base names 'b'"),
        ("a\tdiagnosis\t\t\t\t\t\trecalled\t-", "The line has 9 cells"),
    ],
)
def test_a_wrong_row_is_said_with_its_line(tmp_path, row, says):
    with pytest.raises(RuleError, match=says) as caught:
        read_conditions(table(tmp_path, row), ["here"])
    assert caught.value.where.endswith("conditions.tsv:2")


def test_two_words_do_not_share_a_name(tmp_path):
    rows = ["a\tdiagnosis\t\t\t\tsame\t\trecalled\t-\t", "b\tdiagnosis\t\t\t\tSame\t\trecalled\t-\t"]
    with pytest.raises(RuleError, match="'same' is one of a as well"):
        read_conditions(table(tmp_path, *rows), [])


def test_a_word_is_there_once(tmp_path):
    row = "a\tdiagnosis\t\t\t\t\t\trecalled\t-\t"
    with pytest.raises(RuleError, match="Duplicate word a"):
        read_conditions(table(tmp_path, row, row), [])


def test_a_wrong_header_is_said(tmp_path):
    path = tmp_path / "conditions.tsv"
    path.write_text("word\n", encoding="utf-8")
    with pytest.raises(RuleError, match="The header"):
        read_conditions(path, [])


@pytest.mark.parametrize("word", ["muscle stiffness", "rigidity", "clonus", "tetany"])
def test_what_is_like_spasticity_is_neither_spasticity_nor_spasm(word: str) -> None:
    found = recognise(word).symptom
    assert found is not None
    assert not {"spasticity", "muscle_spasms"} & implied([found])


def test_the_words_of_a_law_for_spasticity_are_spasticity() -> None:
    assert listed("central_nervous_system_disorder", ["other_cns_disease"]) == "yes"
    assert "spasticity" in implied(["skeletal_muscular_spasticity"])
    assert "spasticity" not in implied(["muscle_spasms_or_spasticity"])


def test_a_box_of_the_form_is_no_misspelt_diagnosis():
    """Falls were once answered by "Did you mean als?", liver disease by "hiv disease?"."""
    words = {row["word"]: row["may_be"].split() for row in rows_of(Path(facts.__file__).parent / "broad.tsv")}
    assert {each for kinds in words.values() for each in kinds} <= {
        word for word, each in conditions().items() if each.is_diagnosis
    }
    for word, kinds in words.items():
        said = " ".join(facts._conditions((word,))[2])
        assert "Did you mean" not in said
        assert all(each.replace("_", " ") in said for each in kinds) if kinds else not said
    form = {
        row["word"]
        for row in rows_of(Path(lissive.__file__).parent / "web/words.tsv")
        if row["kind"] == "condition"
    }
    assert form == {each for each in form if recognise(each).known or each in words}
