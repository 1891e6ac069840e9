"""The validation as Markdown: of the same numbers, with a stamp that tells when it is old."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lissive.report import validation_text
from lissive.report.validation_text import differences, stale, validation_markdown
from lissive.report.words import number

from .synthetic import usual, validation

PAGE = Path(__file__).parents[2] / "docs" / "validation.md"
MADE = PAGE.exists()


@pytest.fixture
def text() -> str:
    return validation_markdown(usual())


def test_every_row_is_there_and_every_table_is_even(text: str) -> None:
    for row in usual().rows:
        name = row.metric.replace("_", "\\_")
        lines = [line for line in text.splitlines() if f"| {row.analyte} | {name}" in line]
        assert any(f"| {number(row.predicted)} |" in line for line in lines), row
    for block in text.split("\n\n"):
        if block.startswith("|"):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(widths) == 1


def test_what_is_unmet_and_unexplained_is_said(text: str) -> None:
    assert "| Geometric mean fold error (GMFE) of CBD | at most 1.5 | 3.00 | 1 | not met |" in text
    assert "| not met | Not explained yet. |" in text
    assert "Of 5 aims for the pharmacokinetics 2 are met." in text


def test_an_empty_validation_has_a_page_too() -> None:
    assert "No ratio was held out" in validation_markdown(validation())


def test_a_page_is_stale_once_a_table_has_changed(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = Path("nowhere.yaml")
    assert stale(text, nowhere) is None
    studies = tmp_path / "pk.yaml"
    studies.write_text("- id: new")
    assert "the studies" in str(stale(text, studies))
    assert "parameter tables" not in str(stale(text, studies))
    monkeypatch.setattr(validation_text, "TABLES", "model/parameters/thc.tsv")
    assert "the parameter tables" in str(stale(text, nowhere))
    assert "does not say" in str(stale("# Validation"))


def test_the_last_digits_may_differ_and_nothing_else() -> None:
    old = "| THC\\_a | 1.00 (3) | stott2013 | 36 % |\n\nMade from model abc."
    assert differences(old, old.replace("1.00", "1.02").replace("abc", "def")) == []
    (said,) = differences(old, old.replace("1.00", "1.10"))
    assert "1.00 became 1.10" in said
    assert differences(old, old.replace("stott2013", "stott2014")) != []
    assert "no longer there: | THC\\_a" in differences(old, "Made from model abc.")[0]
    assert differences("a -0.50", "a 0.50") == ["line 1: -0.50 became 0.50 in: a 0.50"]
    assert differences("met", "not met") == ["no longer there: met", "new: not met"]


@pytest.mark.skipif(not MADE, reason="docs/validation.md is not made yet")
def test_the_shipped_page_is_of_the_present_tables() -> None:
    """A rerun of it, which takes a minute, is `make validation`."""
    assert stale(PAGE.read_text(encoding="utf-8")) is None
