"""The field's words in documents, help texts and messages: none of those that docs/glossary.md replaced."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
with (Path(__file__).parent / "words_out.tsv").open(encoding="utf-8") as table:
    OUT = {row["out"]: row["instead"] for row in csv.DictReader(table, delimiter="\t")}

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
CODE = [p for p in sorted((ROOT / "src").rglob("*")) if p.suffix in (".py", ".j2")]


def found(text: str) -> list[str]:
    """What is out, with its line and what to write instead."""
    return [
        f"line {text.count(chr(10), 0, hit.start()) + 1}: {hit.group()!r}; write: {instead}"
        for out, instead in OUT.items()
        for hit in re.finditer(out.replace(" ", r"\s+"), text, re.IGNORECASE)
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_document_has_no_word_that_is_out(path):
    if path.name != "glossary.md":  # names them
        assert not found(path.read_text(encoding="utf-8"))


def test_code_texts_and_help_have_no_word_that_is_out():
    wrong = {str(p.relative_to(ROOT)): hits for p in CODE if (hits := found(p.read_text(encoding="utf-8")))}
    assert not wrong, "\n".join(f"{name}: {hit}" for name, hits in wrong.items() for hit in hits)


def test_the_list_finds_what_it_is_for():
    assert found("The seed of all\nthat is drawn.") == [
        "line 1: 'seed of all\\nthat is drawn'; write: random seed"
    ]
