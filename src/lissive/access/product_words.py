"""The products that one may ask for, and the words that they go by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from lissive.access._table import read_table
from lissive.access.load import DATA


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
    """Every word for a product, in small letters, to its name."""
    rows = read_table(DATA / "products.tsv", _COLUMNS)
    found = {row["product"]: row["product"] for row in rows}
    return MappingProxyType({**{word: row["product"] for row in rows for word in row.parts("also")}, **found})


def product_of(said: str) -> str | None:
    """The product that a word means.

    >>> product_of("Sativex"), product_of("oils"), product_of("bread")
    ('nabiximols', 'thc_oil', None)
    """
    return product_words().get("_".join(said.lower().replace("-", " ").split()))
