"""The words that people use for causes, products and visits, and the one id that each of them means.

>>> meant("cause", "MS", causes()), meant("visit", "Phone", visits())
('multiple_sclerosis', 'audio')
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lissive.case._table import read_table

_HERE = Path(__file__).parent


class FormerId(UserWarning):
    """An id of an earlier version in a user's file: it is read as the new one."""


def plain_word(text: str) -> str:
    """Small letters, with blanks between the words.

    >>> plain_word("Nurse_Practitioner")
    'nurse practitioner'
    """
    return " ".join(text.lower().replace("_", " ").replace("-", " ").split())


def meant(kind: str, said: str, known: Iterable[str]) -> str:
    """The id that a word means; the word itself where it is not known.

    Parameters
    ----------
    kind : cause, product, visit, outcome or field.      known : the ids there are.
    """
    plain = plain_word(said)
    if found := next((word for word in known if plain_word(word) == plain), None):
        return found
    if (kind, plain) not in _words():
        return said
    means, use = _words()[kind, plain]
    if use == "former":
        warnings.warn(
            f"{kind} {said!r} is now called {means!r}; it was read as that.", FormerId, stacklevel=2
        )
    return means


def words_for(kind: str) -> tuple[str, ...]:
    """Every word of a kind beside the ids; those of earlier versions are left out."""
    return tuple(word for (mine, word), (_, use) in _words().items() if mine == kind and use != "former")


def with_present_names(kind: str, data: Any) -> Any:
    """Fields of a user's file under the names that they have now; one that is there by both names is left as it is."""
    if not isinstance(data, dict):
        return data
    former = [each for each in data if _words().get((kind, plain_word(str(each))), (each,))[0] not in data]
    return {meant(kind, each, ()) if each in former else each: value for each, value in data.items()}


def brands(product: str) -> tuple[str, ...]:
    """Brand names of a product.

    >>> brands("nabiximols")
    ('sativex',)
    """
    found = _words().items()
    return tuple(word for (_, word), (means, use) in found if (means, use) == (product, "brand"))


@cache
def _words() -> Mapping[tuple[str, str], tuple[str, str]]:
    rows = read_table(_HERE / "words.tsv", ("kind", "word", "means", "use", "source"))
    return MappingProxyType(
        {(row["kind"], plain_word(row["word"])): (row["means"], row["use"]) for row in rows}
    )


@cache
def causes() -> Mapping[str, str]:
    """Every cause of spasm that a case may name, and what it is called."""
    return MappingProxyType({row["cause"]: row["label"] for row in _causes()})


@cache
def modelled_causes() -> tuple[str, ...]:
    """The causes that the model can forecast."""
    return tuple(row["cause"] for row in _causes() if row["model"] == "yes")


@cache
def _causes() -> tuple[Mapping[str, str], ...]:
    rows = read_table(_HERE / "causes.tsv", ("cause", "label", "model", "note"))
    return tuple(MappingProxyType(row.cells) for row in rows)


@cache
def visits() -> Mapping[str, str]:
    """How a visit takes place, and what that is called."""
    rows = read_table(_HERE / "visits.tsv", ("visit", "label", "note"))
    return MappingProxyType({row["visit"]: row["label"] for row in rows})


@cache
def practitioners() -> Mapping[str, str]:
    """Word for a practitioner, as `plain_word` writes it, to the type that rules name."""
    rows = read_table(_HERE / "practitioners.tsv", ("word", "type", "text"))
    return MappingProxyType({plain_word(row["word"]): row["type"] for row in rows})


@cache
def practitioner_types() -> Mapping[str, str]:
    """Every type of practitioner that rules name, and what it is called."""
    rows = read_table(_HERE / "practitioners.tsv", ("word", "type", "text"))
    found: dict[str, str] = {}
    for row in rows:
        found.setdefault(row["type"], row["text"])
    return MappingProxyType(found)
