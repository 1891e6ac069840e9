"""The files of rules as a whole: counts of the data set that they were taken from, and what every file says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lissive.access.conditions import flags
from lissive.access.coverage import counted, coverage
from lissive.access.rule import jurisdiction, paths, read_jurisdiction, rules
from lissive.errors import RuleError

RULE = """code: US-NY
name: New York
programme: null
regulator: null
verified: 2026-11-22
programme_status: []
versions:
  - id: NY-1
    from: 2014-07-05
    to: null
    citations: [PHL]
    quote: null
    spasm_alone_sufficient: false
    logic: {dx_any: [als]}
    practitioners: [MD]
    telehealth: null
    reciprocity: null
    provenance: read
    fields_read: [logic]
    fields_recalled: []
    confidence: high
    as_of: 2024-01
    sources: [{url: "https://a.gov", title: A}]
"""


def test_all_jurisdictions_versions_and_sources_are_there() -> None:
    versions = [each for place in rules().values() for each in place.versions]
    assert (len(rules()), len(versions)) == (65, 109)
    assert sum(len(each.sources) for each in versions) >= 233
    assert len({source.url for each in versions for source in each.sources}) >= 200
    assert sum(code.startswith("US-") for code in rules()) == 56
    assert all(place.code == code for code, place in rules().items())  # a file is found by its name


def test_no_plain_loader_reads_a_word_as_a_truth_value() -> None:
    for path in paths():
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert isinstance(data["code"], str)
        assert data["code"].removeprefix("US-").lower() == path.stem
        for version in data["versions"]:
            assert isinstance(version["id"], str)


def test_the_register_agrees_with_the_files() -> None:
    said = {each.code: each for each in coverage()}
    assert list(said) == list(rules())
    for code, place in rules().items():
        entry = said[code].model_dump(by_alias=True)
        assert {name: entry[name] for name in counted(place)} == counted(place)


def test_an_absent_flag_counts_as_no_only_where_the_table_says_so() -> None:
    assert {name for name, flag in flags().items() if flag.absent_is_no} == {
        "acute_pain_opioid_generally_prescribed",
        "cannabis_is_standard_of_care",
        "compassionate_use_board_approval",
        "rare_disease_refractory",
        "treatment_side_effects",
        "veteran_self_certifies_listed_condition",
    }


def test_a_flag_about_a_diagnosis_is_open_only_where_that_diagnosis_may_be() -> None:
    assert {name: flag.about for name, flag in flags().items() if flag.about} == {
        "injury_significantly_interfering_daily_activities": "injury",
        "lennox_gastaut_dravet_or_tuberous_sclerosis": "epilepsy",
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("2014-07-05", "2014-02-30", 9, "a valid date"),
        ("dx_any:", "dx_all:", 14, "dx_all is not a known field"),
        ("{dx_any: [als]}", "{}", 14, "has no test"),
        ("{dx_any: [als]}", "{dx_any: [als], never: true}", 14, "has dx_any and never"),
        (
            "{dx_any: [als]}",
            "{dx_any: [als], severity: [severe]}",
            14,
            "limits a clause that is not about a symptom",
        ),
        ("{dx_any: [als]}", "{symptom: spasticity, severity: [bad]}", 14, "severity is 'bad'"),
        ("{dx_any: [als]}", "{symptom: spasticity, cause: any}", 14, "cause is 'any'"),
        ("[MD]", "[XX]", 15, "'XX'"),
        ("  - id: NY-1", "  - id: NY-1\n    id: NY-2", 9, "given twice"),
        ("citations: [PHL]", "citations: []", 11, "citations is empty"),
        ("https://a.gov", "a.gov", 23, "url"),
        ("2024-01", "2024-13", 22, "as_of"),
        ("    to: null\n", "", 8, "to is missing"),
    ],
)
def test_a_mistake_in_a_file_is_said_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    path = tmp_path / "ny.yaml"
    path.write_text(RULE, encoding="utf-8")
    assert read_jurisdiction(path).code == "US-NY"
    assert old in RULE
    path.write_text(RULE.replace(old, new, 1), encoding="utf-8")
    for shipped in (False, True):
        with pytest.raises(RuleError) as error:
            read_jurisdiction(path, shipped=shipped)
        assert f"ny.yaml:{line}:" in str(error.value)
        assert said in str(error.value)


@pytest.mark.parametrize(
    ("said", "meant"), [("NY", "US-NY"), ("New Yrok", "US-NY"), ("us_ny", "US-NY"), ("Germny", "DE")]
)
def test_an_unknown_jurisdiction_names_the_nearest(said: str, meant: str) -> None:
    with pytest.raises(RuleError, match=f"Did you mean {meant} "):
        jurisdiction(said)


def test_a_jurisdiction_is_found_by_code_or_name() -> None:
    assert jurisdiction("us-ny") is jurisdiction("New York") is rules()["US-NY"]
    assert (jurisdiction("CA").name, jurisdiction("US-CA").name) == ("Canada", "California")
