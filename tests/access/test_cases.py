"""The worked cases, and the doors of the file that they stand in."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from lissive.access.cases import compare_cases, read_cases, read_question
from lissive.errors import RuleError

CASES = Path(__file__).parents[1] / "cases" / "access.yaml"


def test_every_worked_case_agrees_in_level_procedural_status_and_rule() -> None:
    compared = compare_cases(CASES)
    assert len(compared) == 60
    wrong = {each.case.id: each.answer.status for each in compared if not each.agrees or each.other_rule}
    assert wrong == {}


def test_every_case_written_from_a_source_agrees() -> None:
    compared = compare_cases(CASES.with_name("access_sources.yaml"))
    assert len(compared) >= 60
    wrong = {each.case.id: list(each.case.expected.differing(each.answer)) for each in compared}
    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ("product: {status: obtainable}", "product.status"),
        ("product: {schedule: III}", "product.schedule"),
        ("confidence_at_most: low", "confidence"),
    ],
)
def test_what_is_expected_of_product_and_confidence_is_held_against_the_answer(
    tmp_path: Path, expected: str, said: str
) -> None:
    case = "{id: A, jurisdiction: US-PA, date: 2025-02-01, facts: {dx: [als], product: {id: nabiximols}}, expected: "
    found = compare_cases(write(tmp_path, f"cases:\n- {case}{{status: eligible, {expected}}}}}\n"))[0]
    assert [name for name, _, _ in found.case.expected.differing(found.answer)] == [said]


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cases.yaml"
    path.write_text(text, encoding="utf-8")
    return path


CASE = """cases:
- id: A
  jurisdiction: US-NJ
  date: 2022-01-01
  facts: {symptoms: {muscle_spasms: {severe: true, cause: idiopathic}}}
  expected: {status: %s%s}
"""


def test_a_mismatch_is_found_in_level_and_in_procedure(tmp_path: Path) -> None:
    assert compare_cases(write(tmp_path, CASE % ("not_eligible", "")))[0].agrees
    assert not compare_cases(write(tmp_path, CASE % ("eligible", "")))[0].agrees
    assert not compare_cases(write(tmp_path, CASE % ("not_eligible", ", procedural: blocked")))[0].agrees


def test_another_rule_alone_is_no_mismatch(tmp_path: Path) -> None:
    found = compare_cases(write(tmp_path, CASE % ("not_eligible", ", rule: NJ-2010")))[0]
    assert (found.agrees, found.other_rule) == (True, True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("US-NJ", "US-NN", r"cases.yaml:3: Unknown jurisdiction 'US-NN'"),
        ("2022-01-01", "2022-02-30", r"cases.yaml:4: cases\[0\].date"),
        (
            "severe: true",
            "sever: true",
            r"cases.yaml:5: .*sever is not a known attribute. Did you mean severe",
        ),
        (
            "status: eligible",
            "status: eligible, procedurall: blocked",
            r":6: .*procedurall is not .*procedural\?",
        ),
        (
            "status: eligible",
            "status: eligible, rules: NJ-2010",
            r"cases.yaml:6: .*rules is not a known field.*rule\?",
        ),
        ("  date", "  day: 3\n  date", r"cases.yaml:4: cases\[0\].day is not a known field"),
        ("cases:\n", "case: 3\ncases:\n", r"cases.yaml:1: case is not a known field. Did you mean cases\?"),
        ("status: eligible", "status: perhaps", r"cases.yaml:6: cases\[0\].expected.status is 'perhaps'"),
    ],
)
def test_a_mistake_in_a_case_is_said_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        read_cases(write(tmp_path, (CASE % ("eligible", "")).replace(old, new)))


ONE = """id: A
jurisdiction: US-NJ
date: 2022-01-01
facts: {age: 40, symptoms: {muscle_spasms: true}}
expected: {status: eligible}
"""


def test_a_question_is_facts_alone_or_a_worked_case_with_its_place_and_day(tmp_path: Path) -> None:
    facts, place, day = read_question(write(tmp_path, "age: 40\nsymptoms: {muscle_spasms: true}"))
    assert (facts.age, place, day) == (40, None, None)
    assert read_question(write(tmp_path, ONE)) == (facts, "US-NJ", datetime.date(2022, 1, 1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ONE.replace("2022-01-01", "2022-02-30"), r"cases.yaml:3: date is '2022-02-30'"),
        (ONE.replace("age: 40", "age: -1"), r"cases.yaml:4: facts.age is -1. Allowed: 0 to 120 years"),
        (
            ONE.replace("jurisdiction", "juridiction"),
            r"cases.yaml:2: juridiction is not a known field. Did you",
        ),
        (CASE % ("eligible", ""), "contains several worked cases, and one person is expected"),
    ],
)
def test_a_mistake_in_a_question_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        read_question(write(tmp_path, text))
