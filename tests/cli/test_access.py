"""`lissive access`: doors, exit codes, JSON, and what is said of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lissive.cli.main import main
from lissive.versions import data_line

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "examples" / "ms-new-york.yaml")
FACTS = """age: 45
dx: [multiple_sclerosis]
symptoms: {muscle_spasms: {severe: true, persistent: true, cause: multiple_sclerosis}}
practitioner: NP
visit: video
"""


@pytest.fixture
def facts(tmp_path: Path) -> str:
    path = tmp_path / "facts.yaml"
    path.write_text(FACTS, encoding="utf-8")
    return str(path)


def door(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["access", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_case_needs_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = door(capsys, EXAMPLE)
    assert code == 0
    assert out == door(capsys, "person", EXAMPLE)[1]
    assert "New York (US-NY) on 2026-11-22, rule NY-2026" in out
    assert "Eligible at the practitioner's discretion" in out
    assert "Not legal advice" in out.replace("\n", " ")
    assert "Rule last checked 2026-11-29" in out


def test_options_need_no_command_either(capsys: pytest.CaptureFixture[str], facts: str) -> None:
    words = ("--jurisdiction", "US-NY", "--on", "2019-05-01", "--facts", facts)
    code, out, _ = door(capsys, *words, "--json")
    answer = json.loads(out)
    assert code == 0
    assert (answer["status"], answer["procedural"], answer["rule"]) == ("eligible", "unknown", "NY-2018")
    assert answer["blocks"] == ["telehealth_unknown"]
    assert [each["quote"] for each in answer["fired"]] == [None, "severe or persistent muscle spasms"]
    tree = json.loads(door(capsys, *words, "--json", "--explain")[1])["explanation"]
    assert tree["verdict"] == "eligible"
    assert len(tree["children"]) == 2
    assert "all of" in door(capsys, *words, "--explain")[1]


def test_the_case_can_be_asked_about_elsewhere_and_on_another_day(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = (EXAMPLE, "--jurisdiction", "US-NJ", "--on", "2023-01-01", "--json")
    answer = json.loads(door(capsys, *words)[1])
    assert (answer["jurisdiction"], answer["on"], answer["status"]) == ("US-NJ", "2023-01-01", "eligible")
    assert answer["blocks"][0] == "residency"  # they live in New York


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--jurisdiction", "US-NX"], "Unknown jurisdiction 'US-NX'"),
        (["--jurisdiction", "NY"], "Did you mean US-NY (New York)?"),
        (
            ["--jurisdiction", "US-NY", "--on", "2014-07-04"],
            "--on: is 2014-07-04, before the first rule of New York",
        ),
        (["--jurisdiction", "US-NY", "--on", "2019-02-30"], "--on: is '2019-02-30'"),
        (["--jurisdiction", "US-NY", "--on", "2019"], "--on: is '2019'"),
        ([], "--jurisdiction: is missing"),
        ([EXAMPLE], "are both given"),
    ],
)
def test_bad_input_is_refused_with_field_and_mend(
    capsys: pytest.CaptureFixture[str], facts: str, words: list[str], said: str
) -> None:
    code, out, err = door(capsys, *words, "--facts", facts)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("text", "said"), [("age: -1", "age is -1"), ("ages: 3", "ages is not a known field. Did you mean age?")]
)
def test_bad_facts_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "facts.yaml"
    path.write_text(text, encoding="utf-8")
    code, _, err = door(capsys, "--jurisdiction", "US-NY", "--facts", str(path), "--on", "2019-05-01")
    assert code == 2
    assert f"{path}:1: {said}" in err


def test_a_case_of_which_the_place_is_unknown_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "case.yaml"
    path.write_text("case: a\nas_of: 2024-01-01\n", encoding="utf-8")
    code, _, err = door(capsys, str(path))
    assert code == 2
    assert "place.residence is missing" in err
    assert door(capsys, str(path), "--jurisdiction", "US-OK")[0] == 0


def test_a_case_before_the_first_rule_names_the_field(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "case.yaml"
    path.write_text("case: a\nas_of: 1990-01-01\nplace: {residence: US-NY}\n", encoding="utf-8")
    code, _, err = door(capsys, str(path))
    assert code == 2
    assert "case.yaml: as_of: is 1990-01-01" in err


def test_history_shows_every_version_with_words_and_sources(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = door(capsys, "history", "US-NY")
    assert code == 0
    for word in (
        "NY-2014: 2014-07-05 to 2017-03-21",
        "NY-2026: 2026-02-19 to now",
        "“severe or persistent",
        "https://",
    ):
        assert word in out
    versions = json.loads(door(capsys, "history", "US-NY", "--json")[1])["versions"]
    assert [each["id"] for each in versions] == ["NY-2014", "NY-2017", "NY-2018", "NY-2022", "NY-2026"]
    assert versions[0]["from"] == "2014-07-05"
    assert door(capsys, "history", "XX")[0] == 2


def test_coverage_prints_how_far_two_readers_agree(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = door(capsys, "coverage", "--coding")
    assert code == 0
    fields = {
        each["field"]: each
        for each in json.loads(door(capsys, "coverage", "--coding", "--json")[1])["fields"]
    }
    for name, each in fields.items():
        line = next(line for line in out.splitlines() if line.startswith(f"{name} "))
        assert line.split()[1:5] == [
            str(each["both"]),
            str(each["alike"]),
            f"{each['kappa']:.2f}",
            str(each["rows"]),
        ]
    assert f"Not settled ({sum(each['open'] for each in fields.values())}):" in out


def test_coverage_lists_every_jurisdiction(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = door(capsys, "coverage")
    assert code == 0
    assert "65 jurisdictions, 109 rule versions." in out
    rows = json.loads(door(capsys, "coverage", "--json")[1])
    assert (len(rows), rows[0]["code"], rows[0]["verified"]) == (65, "US-AK", "2026-11-22")


def test_cases_exit_0_only_if_all_agree(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = ROOT / "tests" / "cases" / "access.yaml"
    code, out, _ = door(capsys, "cases", str(file))
    said = f"60 of 60 cases agree in level and procedural status.\n\n{data_line('rules')}"
    assert (code, out.strip()) == (0, said)
    wrong = tmp_path / "wrong.yaml"
    text = file.read_text(encoding="utf-8").replace("status: not_eligible", "status: eligible", 1)
    wrong.write_text(text, encoding="utf-8")
    code, out, _ = door(capsys, "cases", str(wrong))
    assert code == 1
    assert "NY02  status is not_eligible, expected eligible" in out
    answer = json.loads(door(capsys, "cases", str(wrong), "--json")[1])
    assert (answer["cases"], answer["mismatches"]) == (60, 1)
    assert door(capsys, "cases", str(tmp_path / "none.yaml"))[0] == 2


def test_the_help_shows_how_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = door(capsys, "--help")
    assert code == 0
    assert "lissive access CASE.yaml" in out
    for command in ("person", "history", "coverage", "cases", "compare", "draft"):
        assert f"\n  {command} " in out


def test_the_days_that_follow_are_written_as_a_calendar(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts, out = tmp_path / "facts.yaml", tmp_path / "days.ics"
    facts.write_text("{age: 40, dx: [MS], practitioner: MD, visit: in_person}", encoding="utf-8")
    words = ["access", "--jurisdiction", "US-FL", "--on", "2024-03-01", "--facts", str(facts), "--ics"]
    assert main([*words, str(out)]) == 0
    text = out.read_bytes().decode()
    assert text.count("BEGIN:VEVENT") == 2
    assert "DTSTART;VALUE=DATE:20240927\r\n" in text  # 210 days
    assert "DTSTART;VALUE=DATE:20250301\r\n" in text  # the card, a year
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert main([*words, str(tmp_path / "days.txt")]) == 2
    facts.write_text("{age: 40, dx: [stroke], practitioner: NP}", encoding="utf-8")
    assert main([*words, str(tmp_path / "none.ics")]) == 2
    assert "gives no days" in capsys.readouterr().err
    assert not (tmp_path / "none.ics").exists()
