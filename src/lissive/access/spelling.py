"""Words of the vocabulary as a reader spells them; those that are only words with underscores are not in the table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lissive.table import rows_of


@cache
def _table() -> Mapping[str, str]:
    return {row["word"]: row["text"] for row in rows_of(Path(__file__).parent / "spelling.tsv")}


@cache
def spelled(word: str) -> str:
    """A word as one reads it; of one that has a known word at its beginning, that one is spelled.

    >>> spelled("multiple_sclerosis"), spelled("hiv_aids"), spelled("parkinsons_severe_or_end_stage")
    ('multiple sclerosis', 'HIV or AIDS', "Parkinson's disease, severe or end stage")
    """
    if word in _table():
        return _table()[word]
    first = max((each for each in _table() if word.startswith(f"{each}_")), key=len, default="")
    if first:
        return f"{_table()[first]}, {word[len(first) + 1 :].replace('_', ' ')}"
    return word.replace("_", " ")
