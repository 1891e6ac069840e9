"""`lissive access compare` and `draft`: files, formats, exit codes, and input that is wrong."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from lissive.cli.main import main

ROOT = Path(__file__).parents[2]
FACTS = str(ROOT / "examples" / "access" / "facts.yaml")
CASE = str(ROOT / "examples" / "ms-new-york.yaml")


def said(capsys, *words):
    code = main(["access", *words])
    both = capsys.readouterr()
    assert "Traceback" not in both.err
    return code, both.out, both.err


def test_compare_writes_the_map_and_the_table_behind_it(capsys, tmp_path):
    picture = tmp_path / "map.svg"
    code, out, _ = said(capsys, "compare", "--facts", FACTS, "--on", "2026-11-22", "--map", str(picture))
    assert code == 0
    assert out.endswith(f"{picture}\n{tmp_path / 'map.csv'}\n")
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    with (tmp_path / "map.csv").open(encoding="utf-8") as table:
        assert len(list(csv.DictReader(table))) == 65


def test_compare_prints_the_same_as_csv_and_as_json(capsys):
    _, table, _ = said(capsys, "compare", "--facts", FACTS, "--on", "2026-11-22", "--csv")
    _, text, _ = said(capsys, "compare", "--facts", FACTS, "--on", "2026-11-22", "--json")
    rows = {row["code"]: row for row in csv.DictReader(table.splitlines())}
    answers = {each["jurisdiction"]: each for each in json.loads(text)["answers"]}
    assert {code: row["status"] for code, row in rows.items()} == {
        code: each["status"] for code, each in answers.items()
    }


def test_without_a_day_the_day_is_said(capsys):
    code, out, _ = said(capsys, "compare", "--facts", FACTS)
    assert code == 0
    assert out[:4].isdecimal()
    assert out[4] == "-"


@pytest.mark.parametrize("ending", [".txt", ".md", ".html"])
def test_draft_writes_each_format(capsys, tmp_path, ending):
    path = tmp_path / f"draft{ending}"
    code, out, _ = said(capsys, "draft", CASE, "--out", str(path))
    assert code == 0
    assert out.endswith(f"{path}\n")
    assert "DRAFT" in path.read_text(encoding="utf-8")


def test_draft_as_json_names_what_is_missing(capsys):
    code, out, _ = said(capsys, "draft", CASE, "--json")
    found = json.loads(out)
    assert code == 0
    assert "dea_number" in found["missing"]
    assert found["access"]["rule"] == "NY-2026"


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("{residence: US-NY, visit: in_person, practitioner: MD}", 0),
        ("{residence: US-ID, visit: in_person, practitioner: MD}", 1),  # no programme
        ("{residence: US-KY, visit: video, practitioner: MD}", 1),  # blocked
    ],
)
def test_the_exit_code_says_whether_it_can_be_certified(capsys, tmp_path, place, code):
    path = tmp_path / "case.yaml"
    path.write_text(
        f"case: a\nas_of: 2026-11-22\nplace: {place}\nspasm: {{cause: multiple_sclerosis, persistent: true}}\n",
        encoding="utf-8",
    )
    assert said(capsys, "draft", str(path))[0] == code


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["compare", "--facts", FACTS, "--on", "2026-02-30"],
            "--on: is '2026-02-30'. Allowed: a valid date",
        ),
        (["compare", "--facts", "none.yaml"], "none.yaml: There is no such file."),
        (
            ["compare", "--facts", FACTS, "--map", "map.png"],
            "--map map.png: Unsupported file extension '.png'. Allowed: .svg.",
        ),
        (["compare", "--facts", FACTS, "--map", "no/map.svg"], "There is no folder no."),
        (["compare", "--facts", FACTS, "--csv", "--json"], "choose one of the two"),
        (["draft", CASE, "--out", "draft.pdf"], "Allowed: .txt, .md, .html."),
        (["draft", CASE, "--out", "no/draft.md"], "There is no folder no."),
        (["draft", CASE, "--on", "1990-01-01"], "no rule of New York was in force on that day"),
        (["draft", CASE, "--on", "soon"], "--on: is 'soon'."),
        (["draft", FACTS], "case is missing"),
    ],
)
def test_wrong_input_is_said_once_and_nothing_is_written(capsys, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    code, out, err = said(capsys, *words)
    assert (code, out) == (2, "")
    assert says in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("dx: [G3]", "not an ICD-10-CM code"),
        ("age: -1", "age is -1."),
        ("symptoms: {muscle_spazm: {}}", "symptoms.muscle_spazm is not a known symptom."),
        ("flags: {prior_treatment: true}", "is not a known fact."),
        ("practitioner: shaman", "practitioner is 'shaman'."),
        ("visits: telehealth", "visits is not a known field. Did you mean visit?"),
    ],
)
def test_wrong_facts_are_said_with_field_and_line(capsys, tmp_path, line, says):
    path = tmp_path / "facts.yaml"
    path.write_text(
        f"age: 45\n{line}\n" if not line.startswith("age") else f"dx: []\n{line}\n", encoding="utf-8"
    )
    code, _, err = said(capsys, "compare", "--facts", str(path), "--on", "2026-11-22")
    assert code == 2
    assert f"{path}:2" in err
    assert says in err
