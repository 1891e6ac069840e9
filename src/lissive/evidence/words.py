"""The words of evidence, from the tables beside this file: outcomes, causes, designs, products, arms.

>>> outcomes()["spasticity_nrs"].better, find("causes", "MS (severe spasticity)").word
('lower', 'multiple_sclerosis')
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lissive.case import vocabulary as case_words
from lissive.case.products import products as case_products
from lissive.errors import EvidenceError
from lissive.publications.words import Outcome as Outcome
from lissive.publications.words import outcomes as outcomes
from lissive.table import rows_of

NOT_USED = "-"
_HERE = Path(__file__).parent


class Found(NamedTuple):
    """What a text means; `word` is `-` where it is understood but not used, for the reason in `note`."""

    word: str
    note: str


@cache
def table(name: str) -> tuple[Mapping[str, str], ...]:
    """The rows of one of the tables beside this file."""
    return tuple(rows_of(_HERE / f"{name}.tsv"))


OTHER = "other"
"""The topic of outcomes that case_outcomes.tsv does not have."""


def topic_of(outcome: str) -> str:
    """The complaint that an outcome measures."""
    return next((row["topic"] for row in table("case_outcomes") if row["outcome"] == outcome), OTHER)


@cache
def causes() -> Mapping[str, str]:
    """Word to label: those of the studies, and those that a case may name."""
    return {**{row["cause"]: row["label"] for row in table("causes")}, **case_words.causes()}


@cache
def near_causes(cause: str) -> tuple[str, ...]:
    """Related causes that were studied, not equivalent to this one."""
    return tuple(row["cause"] for row in table("causes") if cause in row["near"].split())


@cache
def products() -> Mapping[str, str]:
    """Word to label; a product that studies and cases call the same has its label in the table of the case."""
    return {
        row["product"]: row["label"] or case_products()[row["product"]].label for row in table("products")
    }


@cache
def known_products() -> tuple[str, ...]:
    """The products that may be asked about: those of trials, then those that only a case may name."""
    return tuple(dict.fromkeys((*products(), *case_products())))


def studied_as(product: str) -> str:
    """The product of trials that a planned one is a form of; itself, where it has trials or none are of its kind.

    >>> studied_as("balanced_oil"), studied_as("nabiximols"), studied_as("edible")
    ('cannabis_extract', 'nabiximols', 'edible')
    """
    return next((row["product"] for row in table("products") if product in row["planned"].split()), product)


def product_label(product: str) -> str:
    """What a product is called, of the studies or of a case.

    >>> product_label("edible")
    'edible (food with cannabis extract)'
    """
    planned = case_products()
    return products().get(product) or (planned[product].label if product in planned else product)


def designs() -> tuple[str, ...]:
    """The words of designs that have a control group."""
    return tuple(dict.fromkeys(row["design"] for row in table("designs") if row["design"] != NOT_USED))


@cache
def assumption(name: str) -> float:
    """A number of assumptions.tsv."""
    return next(float(row["value"]) for row in table("assumptions") if row["name"] == name)


_MEANS = {"causes": "cause", "designs": "design", "products": "product", "comparators": "use"}


@cache
def find(name: str, text: str) -> Found | None:
    """What a text means, by the pattern that is found first in it; a word of the table is itself.

    >>> find("causes", "SCI/disease neuropathic pain (incl. MS)").word, find("products", "THC&CBD").word
    ('spinal_cord_injury', 'thc_cbd')
    """
    column, folded = _MEANS[name], text.lower().strip()
    best: tuple[int, int, Found] | None = None
    for order, row in enumerate(table(name)):
        if row[column] == folded:
            return Found(row[column], row.get("note", ""))
        found = re.search(row["match"], folded)
        first = name == "products" or (name == "designs" and row[column] not in ("parallel", "crossover"))
        at = (0 if first else found.start()) if found else -1
        if found and (best is None or (at, order) < best[:2]):
            best = (at, order, Found(row[column], row.get("note", "")))
    return best[2] if best else None


def known(kind: str, word: str, allowed: Iterable[str]) -> str:
    """The word, or EvidenceError with the known words and the nearest.

    Parameters
    ----------
    kind : what the word is: outcome, cause, design, product.
    """
    from lissive.typed import nearest

    words = list(allowed)
    if word in words:
        return word
    raise EvidenceError(
        f"Unknown {kind} {word!r}.{nearest(word, words)}",
        where=kind,
        allowed=f"{', '.join(words)}.",
        do="correct the word.",
    )


def own_causes(trials: Iterable[object]) -> dict[str, str]:
    """Word to label of the causes that no pattern of causes.tsv knows."""
    stated = [text for row in trials if (text := getattr(row, "cause", None))]
    return {slug(text): text for text in stated if find("causes", text) is None}


def slug(text: str) -> str:
    """A text as a word of the command line.

    >>> slug("Tuberculosis, latent")
    'tuberculosis_latent'
    """
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
