"""The products: what is in them, where they can be had, and in what they were studied."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from lissive.access.answer import ProductStatus
from lissive.access.facts import products as kinds
from lissive.access.rule import rules
from lissive.case.products import _HERE as CASE
from lissive.case.products import Product, label_titration, products
from lissive.evidence import shipped_studies
from lissive.evidence.comparison import about
from lissive.evidence.words import causes, studied_as
from lissive.report.access_text import PRODUCT
from lissive.report.table import Table, table
from lissive.report.words import UNVERIFIED, upper_first
from lissive.site.build import Page, joined, link, verdict
from lissive.site.law import STANDARD, product_answer
from lissive.site.standing import KIND as KIND_OF_LAW
from lissive.site.standing import product_words
from lissive.table import rows_of


def pages(on: datetime.date) -> Iterator[Page]:
    checked = min(each.verified for each in rules().values())
    yield Page(
        "products.html",
        "Products",
        "products.html.j2",
        f"Law answered for {on} by rules checked on {checked} or later; each figure names its source.",
        {"person": STANDARD, "products": [_product(name, on) for name in kinds()]},
    )


def _product(name: str, on: datetime.date) -> dict[str, Any]:
    """What it is, where it can be had, and in what it was studied."""
    one = products()[name]
    had: dict[tuple[ProductStatus, str], list[Markup]] = {}
    for code, place in sorted(rules().items(), key=lambda each: each[1].name):
        where = Markup('<a href="law/{}.html#products">{}</a>').format(code.lower(), place.name)
        found = product_answer(name, code, on)
        had.setdefault((found.status, product_words(found, code, on)), []).append(where)
    places = [
        (
            verdict(word, KIND_OF_LAW.get(status, "unsure")),
            len(had[status, word]),
            joined(had[status, word], ", "),
        )
        for status, word in sorted(had, key=lambda each: ([*PRODUCT].index(each[0]), each[1]))
    ]
    trials = Counter(
        each.cause for each in map(about, shipped_studies().trials) if each.product == studied_as(name)
    )
    studied = [(cause, causes().get(cause, cause), number) for cause, number in trials.most_common() if cause]
    return {
        "name": name,
        "label": kinds()[name].text,
        "figures": _figures(one),
        "titration": _titration(one),
        "places": places,
        "studied": studied,
    }


_LABELS = {
    "thc_per_unit": "THC in one",
    "cbd_per_unit": "CBD in one",
    "label_max_per_day": "Most in a day by its label",
    "label_max_per_kg_per_day": "Most in a day by its label, for each kg of body weight",
    "typical_per_day": "Usual in a day",
    "gap_min": "Least time between two",
}
"""Figures that a reader of a page needs; the others are settings of the simulation."""
_KEY = re.compile(r" \([a-z]+_?[a-z0-9]*\)")
"""A key of a source within a note."""


def _figures(product: Product) -> Sequence[tuple[str, object]]:
    cited = {row["key"]: row for row in rows_of(CASE / "sources.tsv")}
    counted = {"spray": "sprays", "mg": "mg of THC" if product.counts_thc else "mg of CBD"}[
        product.counted_in
    ]
    rows: list[tuple[str, object]] = [("Taken", product.route), ("Counted in", counted)]
    if product.brands:
        rows.insert(0, ("Brands", ", ".join(map(upper_first, product.brands))))
    for name, label in _LABELS.items():
        if (one := product.figures.get(name)) is None or one.source == "definition":
            continue
        source = cited.get(one.source)
        doubt = UNVERIFIED if "recalled" in one.provenance else ""
        where = link(source["citation"], source["url"]) if source else "a judgement of this project"
        note = f" ({_KEY.sub('', one.note)})" if one.note else ""
        unit = "sprays" if one.unit == "spray" and one.value != 1 else one.unit
        rows.append((label, joined([f"{one.value:g} {unit}{doubt}{note}.", where])))
    if product.no_model:
        rows.append(("No forecast", upper_first(product.no_model)))
    elif product.assumed:
        rows.append(("In a forecast", upper_first(product.assumed)))
    return rows


def _titration(product: Product) -> Table | None:
    days = label_titration(product.name)
    if not days:
        return None
    rows = [(str(each.day), str(each.morning), str(each.evening), str(each.total)) for each in days]
    return table("Titration by the label", "day|morning|evening|in all", rows, "day|morning|evening|in all")
