"""The words of files of publications and what they mean, from the tables beside this file.

outcomes.tsv has what the evidence compares, words.tsv what virtual trials can be of; names.tsv is read by names.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lissive.table import rows_of

NOT_MODELLED = "-"
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Outcome:
    """One thing that trials measure."""

    word: str
    label: str
    unit: str
    better: str
    """Which way is benefit: lower, higher."""
    kind: str
    """share (of participants), mean (of a scale), count, scale (each trial its own: standardised differences only)."""
    lower: float | None
    upper: float | None
    note: str


@cache
def outcomes() -> Mapping[str, Outcome]:
    """Word to outcome, in the order of the table."""
    return {
        row["outcome"]: Outcome(
            row["outcome"],
            row["label"],
            row["scale"],
            row["better"],
            row["kind"],
            float(row["lower"]) if row["lower"] else None,
            float(row["upper"]) if row["upper"] else None,
            row["note"],
        )
        for row in rows_of(_HERE / "outcomes.tsv")
    }


class Word(NamedTuple):
    """What a word means; `means` is `-` where it is understood but not in the model, for the reason in `note`."""

    word: str
    means: str
    note: str


@cache
def table(field: str) -> tuple[Word, ...]:
    """The words of a field of words.tsv, the longest first."""
    rows = [row for row in rows_of(_HERE / "words.tsv") if row["field"] == field]
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
