"""The words of a file of published trials and what they mean here, from published_words.tsv."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lissive.table import rows_of

NOT_MODELLED = "-"


class Word(NamedTuple):
    """What a word means; `means` is `-` where it is understood but not in the model, for the reason in `note`."""

    word: str
    means: str
    note: str


@cache
def table(field: str) -> tuple[Word, ...]:
    """The words of a field, the longest first."""
    rows = [row for row in rows_of(Path(__file__).parent / "published_words.tsv") if row["field"] == field]
    made = [Word(row["word"].lower(), row["means"], row["note"]) for row in rows]
    return tuple(sorted(made, key=lambda each: -len(each.word)))


def allowed(field: str) -> str:
    """The words of a field, for a message."""
    return ", ".join(sorted(each.word for each in table(field)))


def find(field: str, text: object) -> Word | None:
    """The meaning of a text that is one of the field's words, or starts with one and goes on in detail.

    >>> find("split", "held_out").means, find("split", "context (claim: neuroprotection)").means
    ('validation', 'context')
    >>> find("split", "train") is None
    True
    """
    said = str(text).strip().lower()
    return next(
        (each for each in table(field) if re.match(rf"{re.escape(each.word)}(?![a-z0-9_])", said)), None
    )


def found(field: str, text: str) -> list[Word]:
    """The field's words that a text has, in its order; of words within one another, the longest.

    >>> [each.means for each in found("cause", "MS (119) and SCI (15)")]
    ['multiple_sclerosis', 'spinal_cord_injury']
    >>> [each.word for each in found("cause", "neuropathic pain incl. MS")], found("cause", "items")
    (['incl. ms'], [])
    """
    said = text.lower()
    taken: list[tuple[int, int, Word]] = []
    for each in table(field):
        for match in re.finditer(rf"(?<![a-z0-9]){re.escape(each.word)}(?![a-z0-9])", said):
            if all(match.end() <= start or match.start() >= end for start, end, _ in taken):
                taken.append((match.start(), match.end(), each))
    return [each for _, _, each in sorted(taken, key=lambda one: one[0])]
