"""The same person in every jurisdiction, and the further worked cases."""

from __future__ import annotations

import csv
import datetime
import io
from pathlib import Path

import pytest

from lissive.access.answer import Facts, Symptom
from lissive.access.cases import compare, compared, group_of
from lissive.access.decide import decide
from lissive.access.facts import make_facts
from lissive.access.rule import rules
from lissive.errors import RuleError
from lissive.marked import read_marked
from lissive.report.compare_text import CSV_COLUMNS, compare_csv, compare_text, why

ON = datetime.date(2024, 6, 1)
FOLDER = Path(__file__).parents[1] / "cases"
MORE = [
    each
    for name in ("access_more.yaml", "access_edges.yaml")
    for each in read_marked(FOLDER / name, wrong=RuleError, example="cases: []", shipped=True)[0]["cases"]
]


def person(**facts):
    spasms = Symptom({"severe": True, "persistent": True}, cause="multiple_sclerosis")
    return Facts(
        age=45, dx=("multiple_sclerosis",), symptoms={"muscle_spasms": spasms}, practitioner="MD", **facts
    )


@pytest.mark.parametrize("each", MORE, ids=[each["id"] for each in MORE])
def test_worked_case(each):
    found = decide(make_facts(each["facts"]), each["jurisdiction"], datetime.date.fromisoformat(each["date"]))
    assert {name: getattr(found, name) for name in each["expected"]} == each["expected"], each["why"]


NEAR = [each for each in MORE if each["id"] in ("CT-M1", "NH-7", "ES-1")]


@pytest.mark.parametrize("each", NEAR, ids=[each["id"] for each in NEAR])
def test_a_day_near_an_uncertain_boundary_carries_a_caution(each):
    found = decide(make_facts(each["facts"]), each["jurisdiction"], datetime.date.fromisoformat(each["date"]))
    assert "boundary_uncertain" in {caution.kind for caution in found.cautions}


def test_every_jurisdiction_is_there_once_states_before_countries():
    codes = [each.jurisdiction for each in compare(person(), ON)]
    assert sorted(codes) == sorted(rules())
    groups = [group_of(code) for code in codes]
    assert groups == sorted(groups, key=("state", "territory", "country").index)


def test_the_comparison_says_of_each_place_what_that_place_says():
    for each in compare(person(), ON):
        assert each == decide(person(), each.jurisdiction, ON)


def test_the_counts_are_those_of_the_answers():
    found = compared(compare(person(), ON), ON)
    assert sum(found["counts"].values()) == len(found["answers"]) == len(rules())
    for status, count in found["counts"].items():
        assert count == sum(each["status"] == status for each in found["answers"])
    assert "not legal advice" in found["notice"].lower()


def test_what_is_not_known_is_said_in_words():
    unknown = [each for each in compare(Facts(dx=("fibromyalgia",)), ON) if each.status == "unknown"]
    assert unknown
    for each in unknown:
        assert why(each).startswith("depends on ")
        said = compare_text([each], why(each))
        assert not any(one.fact in said for one in each.missing if "." in one.fact)


def test_the_table_groups_by_status_and_keeps_countries_apart():
    text = compare_text(compare(person(), ON), "title")
    states, countries = text.split("OTHER COUNTRIES")
    assert states.index("Eligible (") < states.index("Not eligible (")
    assert "US-NY" in states
    assert "US-NY" not in countries.split("Cautions")[0]
    assert "United Kingdom" in countries
    assert text.rstrip().endswith("a practitioner decides.")


def test_the_csv_has_a_row_for_each_and_says_what_it_rests_on():
    rows = list(csv.DictReader(io.StringIO(compare_csv(compare(person(), ON)))))
    assert list(rows[0]) == list(CSV_COLUMNS)
    assert {row["code"] for row in rows} == set(rules())
    for row in rows:
        if row["status"] in ("eligible", "eligible_at_discretion"):
            assert row["why"] not in ("", "-"), row["code"]
            assert row["citation"], row["code"]
        if row["status"] == "unknown":
            assert row["missing"], row["code"]
