"""The products that one may ask for, and the words that they go by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from lissive.access._table import read_table
from lissive.access.load import DATA
from lissive.case.vocabulary import meant, plain_word


@dataclass(frozen=True)
class Kind:
    """A licensed medicine, or a form in which programmes have products."""

    name: str
    text: str
    is_medicine: bool
    form: str
    """The form that rules speak of; of a medicine its own name."""
    nearest: tuple[str, ...]
    """What comes nearest to it, where it is not to be had."""


@cache
def products() -> Mapping[str, Kind]:
    """Every product by its name."""
    rows = read_table(DATA / "products.tsv", _COLUMNS)
    return MappingProxyType(
        {
            row["product"]: Kind(
                row["product"], row["text"], row["kind"] == "medicine", row["form"], row.parts("nearest")
            )
            for row in rows
        }
    )


_COLUMNS = ("product", "kind", "form", "text", "nearest", "also")


@cache
def product_words() -> Mapping[str, str]:
    """What access understands beside the words of a case, to the product's name; and the names."""
    rows = read_table(DATA / "products.tsv", _COLUMNS)
    found = {row["product"]: row["product"] for row in rows}
    return MappingProxyType({**{word: row["product"] for row in rows for word in row.parts("also")}, **found})


def product_of(said: str) -> str | None:
    """The product that a word means.

    >>> product_of("Sativex"), product_of("oils"), product_of("bread")
    ('nabiximols', 'thc_oil', None)
    """
    word = meant("product", said, products())
    return word if word in products() else product_words().get(plain_word(word))
