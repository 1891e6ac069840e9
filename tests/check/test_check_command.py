"""`lissive check` at the terminal."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from lissive.check import CHECKS, Finding, Tables, shipped
from lissive.cli.main import main
from lissive.model.parameters import FOLDER


@pytest.fixture
def wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the parameters in which one value has lost its decimal point; seen from beside it."""
    folder = tmp_path / "mine"
    shutil.copytree(FOLDER, folder)
    text = (folder / "thc.tsv").read_text(encoding="utf-8")
    (folder / "thc.tsv").write_text(re.sub(r"CL_THC\t[\d.]+\t", "CL_THC\t388\t", text), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return Path("mine")


def test_an_unchanged_copy_has_no_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is read as the tables that ship, in which each check finds nothing by its own test."""

    def same(tables: Tables) -> list[Finding]:
        assert {each.place: each.text for each in tables} == {each.place: each.text for each in shipped()}
        assert tables.texts == shipped().texts
        return []

    monkeypatch.setattr("lissive.check.check", same)
    shutil.copytree(FOLDER, tmp_path / "mine")
    assert main(["check", "--tables", str(tmp_path / "mine")]) == 0
    assert capsys.readouterr().out.endswith(f" rows, {len(CHECKS)} checks: no findings.\n")


def test_a_finding_is_one_line_and_exit_1_and_the_json_says_the_same(
    wrong: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--tables", str(wrong), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert [(each["where"], each["check"]) for each in answer["findings"]] == [("mine/thc.tsv:2", "ranges")]
    assert list(answer["checks"]) == [each.id for each in CHECKS]
    assert answer["tables"] > 30
    found = [Finding(**each) for each in answer["findings"]]  # not all over again for the text
    monkeypatch.setattr("lissive.check.check", lambda _: found)
    assert main(["check", "--tables", str(wrong)]) == 1
    finding, summary = capsys.readouterr().out.splitlines()
    assert finding.startswith("mine/thc.tsv:2  ranges  CL_THC = 388 L/h lies outside")
    assert summary.endswith("checks: 1 finding.")


def test_a_check_is_explained_by_both_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--explain", "measured"]) == 0
    said = capsys.readouterr().out
    assert "CL_THC | measured | heuberger2015" in said.split("Does not pass:")[0]
    assert "CL_THC | measured (recalled) | -" in said.split("Does not pass:")[1]
    assert "thc.tsv:2  measured  it is measured, and source does not name who measured it." in said


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--explain", "spelling"], "no check 'spelling'"), (["--tables", "lost"], "lost: there are no tables")],
)
def test_a_mistake_is_one_message_and_exit_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *words]) == 2
    assert said in capsys.readouterr().err
