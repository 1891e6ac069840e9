"""Each data set has a date and a hash in one table, and every answer says which it was made from."""

from __future__ import annotations

import datetime
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lissive import versions
from lissive.cli.main import main
from lissive.follow.n_of_1 import read_plan
from lissive.versions import data_line, data_sets, data_versions, files_of, hash_of, newest, renew

EXAMPLES = Path(__file__).parents[1] / "examples"
FACTS = str(EXAMPLES / "access" / "facts.yaml")


def test_no_data_set_changes_without_a_new_date() -> None:
    moved = [name for name, each in data_sets().items() if each.hash != hash_of(name)]
    assert not moved, f"{', '.join(moved)}: python -m lissive.versions writes the new date and hash"


def test_every_file_of_data_belongs_to_one_data_set() -> None:
    of = [path for name in data_sets() for path in files_of(name)]
    assert len(of) == len(set(of))
    assert {path.suffix for path in of} == {".ant", ".csv", ".tsv", ".yaml"}
    folders = ("access", "case", "case_answer", "evidence", "follow", "forecast", "model", "safety", "trials")
    every = {
        path
        for folder in folders
        for path in (versions.PACKAGE / folder).rglob("*")
        if path.suffix in {".ant", ".csv", ".tsv", ".yaml"}
    }
    assert every - set(of) == set()


def test_dates_are_dates_of_the_past() -> None:
    for each in data_sets().values():
        assert datetime.date(2026, 11, 1) <= datetime.date.fromisoformat(each.version)
        assert datetime.date.fromisoformat(each.version) <= datetime.datetime.now(datetime.UTC).date()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the table and of the data set `safety`, which a test may change."""
    shutil.copytree(versions.PACKAGE / "safety", tmp_path / "safety")
    table = tmp_path / "versions.tsv"
    lines = versions.TABLE.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join(line for line in lines if line.startswith(("data_set", "safety"))), "utf-8")
    monkeypatch.setattr(versions, "PACKAGE", tmp_path)
    monkeypatch.setattr(versions, "TABLE", table)
    clear()
    yield tmp_path
    clear()


def clear() -> None:
    data_sets.cache_clear()
    hash_of.cache_clear()


def test_changed_data_say_so_until_they_have_a_new_date(package: Path) -> None:
    day = data_sets()["safety"].version
    assert data_line() == f"Data: safety {day} ({hash_of('safety')[:8]})."
    before, path = hash_of("safety"), package / "safety" / "drugs.tsv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    clear()
    assert hash_of("safety") == before  # ends of lines are no content
    path.write_text(path.read_text(encoding="utf-8") + "one more\n", encoding="utf-8")
    clear()
    assert hash_of("safety") != before
    assert data_versions()["safety"] == {"version": day, "hash": hash_of("safety"), "changed": True}
    assert data_line().endswith(", changed since).")
    assert newest() == f"{day}+"
    assert renew(datetime.date(2031, 5, 6)) == ["safety"]
    clear()
    assert data_versions() == {"safety": {"version": "2031-05-06", "hash": hash_of("safety")}}
    assert renew(datetime.date(2032, 1, 1)) == []


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("access", "--jurisdiction", "US-NY", "--on", "2025-05-01", "--facts", FACTS), ["rules"]),
        (("access", "history", "US-NY"), ["rules"]),
        (("access", "compare", "--facts", FACTS, "--on", "2026-11-01"), ["rules"]),
        (("evidence", "pool", "--outcome", "pain_nrs"), ["evidence"]),
        (("evidence", "claims"), ["evidence"]),
        (("evidence", "list"), ["evidence"]),
        (("evidence", "show", "collin_2010"), ["evidence"]),
        (("evidence", "under-way"), ["evidence"]),
    ],
)
def test_json_and_text_say_which_data_they_are_of(
    words: tuple[str, ...], names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(list(words))
    text = capsys.readouterr().out
    assert data_line(*names) in " ".join(text.split())
    main([*words, "--json"])
    assert json.loads(capsys.readouterr().out)["data_versions"] == data_versions(*names)


def test_a_case_says_it_on_the_screen_in_full_and_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(EXAMPLES / "cases" / "ms-new-york.yaml")

    def printed(*words: str) -> str:
        main(["case", file, "--subjects", "10", *words])
        return capsys.readouterr().out

    assert printed("--access").find(" ".join(data_line("rules").split())[:10]) > 0
    assert printed().splitlines()[-1].endswith(f"Data: {newest()}.")
    answer: dict[str, Any] = json.loads(printed("--json"))
    assert answer["provenance"]["data_versions"] == data_versions()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["access", "coverage"], {"rules"}),
        (["access", "changes", "--since", "2020-01-01"], {"rules"}),
        (["evidence", "reproduce"], {"evidence"}),
    ],
)
def test_each_row_of_a_bare_list_has_them(
    words: list[str], names: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert isinstance(rows, list)
    assert rows
    assert all(set(row["data_versions"]) == names for row in rows)


@pytest.mark.parametrize("words", [["cite", "lissive"], ["check"]])
def test_references_and_checks_say_of_which_tables(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data_versions"]["model"] == data_versions()["model"]


def test_tables_of_ones_own_are_not_the_shipped_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(versions.PACKAGE / "model" / "parameters", tmp_path / "own")
    main(["check", "--tables", str(tmp_path / "own"), "--json"])
    assert "data_versions" not in json.loads(capsys.readouterr().out)


def test_a_plan_of_an_n_of_1_trial_says_it_and_is_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case, out = str(EXAMPLES / "ms-new-york.yaml"), str(tmp_path / "out")
    assert main(["follow", "plan", case, "--n-of-1", "--start", "2026-12-07", "--out", out]) == 0
    plan = tmp_path / "out" / "plan.json"
    assert json.loads(plan.read_text())["data_versions"] == data_versions("model")
    assert json.loads(json.dumps(read_plan(plan).to_json())) == json.loads(plan.read_text())
