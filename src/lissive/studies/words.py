"""The words of a file of studies and what they mean here, from words.tsv, metrics.tsv and the like."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from lissive.table import rows_of

HERE = Path(__file__).parent
NOT_MODELLED = "-"


class Word(NamedTuple):
    """What a word means; `means` is `-` where it is understood but not in the model, for the reason in `note`."""

    means: str
    note: str


class Metric(NamedTuple):
    name: str
    measure: str
    unit: str
    group: str
    note: str


def table(name: str) -> list[dict[str, str]]:
    return rows_of(HERE / name)


@cache
def _words(field: str) -> dict[str, Word]:
    return {
        row["word"].lower(): Word(row["means"], row["note"])
        for row in table("words.tsv")
        if row["field"] == field
    }


@cache
def metrics() -> dict[str, Metric]:
    """Name in a file to what is computed for it."""
    return {row["name"]: Metric(**row) for row in table("metrics.tsv")}


def allowed(field: str) -> str:
    """The words of a field, for a message."""
    return ", ".join(row["word"] for row in table("words.tsv") if row["field"] == field)


def find(field: str, text: object) -> Word | None:
    """The meaning of a text that is one of the field's words, or starts with one and goes on in detail.

    >>> find("route", "oromucosal-buccal").means, find("stat", "range at 3 min").means
    ('spray', '-')
    >>> find("route", "inhaled-smoked / vaporised / oral brownie").note
    'several at once'
    >>> find("route", "intranasal") is None, find("analyte", "THC-glucuronide") is None
    (True, True)
    """
    said = str(text).strip().lower()
    known = _words(field)
    if said in known:
        return known[said]
    fitting = [word for word in known if said.startswith(word) and not said[len(word)].isalnum()]
    if field == "analyte":  # a glucuronide of THC is not THC; `THC (total)` is
        fitting = [word for word in fitting if said[len(word) :].lstrip().startswith("(")]
    if not fitting:
        return None
    if any(mark in said for mark in (" vs ", " / ")):
        return Word(NOT_MODELLED, "several at once")
    return known[max(fitting, key=len)]
