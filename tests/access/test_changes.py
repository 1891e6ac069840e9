"""Which rules changed, and whose answer they change."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from lissive.access.cases import changes
from lissive.access.facts import make_facts
from lissive.cli.main import main


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def test_the_changes_of_a_time_are_those_of_states_and_of_federal_law() -> None:
    found = changes(day("2026-02-19"), day("2026-07-01"))
    assert [(each.on.isoformat(), each.jurisdiction, each.rule) for each in found] == [
        ("2026-02-19", "US-NY", "NY-2026"),
        ("2026-04-28", "US", "schedule (state_medical)"),
        ("2026-06-18", "US", "firearms"),
        ("2026-07-01", "US-GA", "GA-2026"),
    ]


def test_a_change_says_whether_it_changes_this_persons_answer() -> None:
    mild = make_facts({"age": 45, "dx": ["MS"], "flags": {"multiple_sclerosis_severe_or_end_stage": False}})
    found = {each.jurisdiction: each for each in changes(day("2026-02-01"), day("2026-07-01"), mild)}
    georgia = found["US-GA"]
    assert (georgia.before, georgia.after) == (("not_eligible", "ok"), ("eligible", "ok"))
    assert not found["US-NY"].changes_answer


def test_a_clause_within_a_version_is_a_change_of_its_own() -> None:
    found = changes(day("2023-06-01"), day("2023-06-01"))
    assert [(each.jurisdiction, "insomnia" in each.what) for each in found] == [("US-NM", True)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "2026-13-01"], "--since"),
        (["--since", "2026-07-01", "--to", "2026-06-30"], "before --since"),
    ],
)
def test_days_that_are_none_are_refused(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["access", "changes", *words]) == 2
    assert said in capsys.readouterr().err


def test_the_command_prints_each_change_with_its_citation(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    facts = tmp_path / "facts.yaml"
    facts.write_text(
        "age: 45\ndx: [MS]\nflags: {multiple_sclerosis_severe_or_end_stage: false}\n", encoding="utf-8"
    )
    words = ["access", "changes", "--since", "2026-06-19", "--to", "2026-07-01", "--facts", str(facts)]
    assert main(words) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert out.startswith(
        "Changes from 2026-06-19 to 2026-07-01: 1. Of these, 1 change this person's answer."
    )
    assert "US-GA, GA-2026: a new version of the rule. [SB 220 (2025-26); O.C.G.A. 31-2A-18]" in out
    assert "from not eligible, visit no barrier identified to eligible, visit no barrier identified" in out
