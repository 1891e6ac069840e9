"""What could hurt, and the products: the tables of safety and of products."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from lissive.access.answer import ProductStatus
from lissive.access.facts import products as kinds
from lissive.access.federal import medicine
from lissive.access.rule import rules
from lissive.case.products import _HERE as CASE
from lissive.case.products import Product, label_titration, products
from lissive.evidence import shipped_studies
from lissive.evidence.comparison import about
from lissive.evidence.words import causes, studied_as
from lissive.report.access_text import PRODUCT
from lissive.report.table import Table, table
from lissive.report.words import UNVERIFIED, upper_first
from lissive.safety._table import sources
from lissive.safety.answer import SEVERITIES
from lissive.safety.drugs import Drug, drugs
from lissive.safety.rules import Interaction, Text, cautions, interactions
from lissive.site.build import Page, joined, link, verdict
from lissive.site.law import KIND as KIND_OF_LAW
from lissive.site.law import STANDARD, product_answer
from lissive.table import rows_of

KIND = {"contraindicated": "no", "major": "no", "moderate": "unsure", "minor": "maybe"}
_NAMES = {"thc": "THC", "cbd": "CBD", "smoke": "smoke", "ethanol": "alcohol", "sesame_oil": "sesame oil"}


def pages(on: datetime.date) -> Iterator[Page]:
    texts = [*(each.text for each in interactions()), *(each.text for each in cautions())]
    days = [text.day for text in texts if text.day]
    read = f"Sources read until {max(days)}; what was not read says unverified."
    yield Page(
        "safety.html",
        "Safety: medicines and conditions",
        "safety.html.j2",
        read,
        {
            "search": True,
            "number": len(drugs()),
            "drugs": table(
                "Medicines, and what is flagged with cannabinoids",
                "medicine|other names, brands|flagged",
                map(_drug, drugs().values()),
            ),
            "interactions": _interactions(),
            "cautions": _cautions(),
        },
    )
    yield Page(
        "products.html",
        "Products",
        "products.html.j2",
        f"Law answered for {on}; each figure names its source.",
        {"person": STANDARD, "products": [_product(name, on) for name in kinds()]},
    )


# -- medicines --------------------------------------------------------------------------------------
def _with(rule: Interaction) -> str:
    return " or ".join(_NAMES[each] for each in sorted(rule.with_, reverse=True)) or "any product"


def _said_better(rule: Interaction, drug: Drug) -> bool:
    """A rule about an enzyme's substrates gives way to one that names the drug, as in the answer to a case."""
    return rule.by_substrate and any(
        drug.name in other.named and other.with_ & rule.with_ for other in interactions()
    )


def _drug(drug: Drug) -> tuple[str, ...]:
    met = [each for each in interactions() if each.meets(drug) and not _said_better(each, drug)]
    met.sort(key=lambda each: SEVERITIES.index(each.severity))
    flags = joined(
        (
            Markup('<a href="#i-{}">{}: {}{}</a>').format(
                each.id, _with(each), each.severity, "" if each.read_for(drug) else UNVERIFIED
            )
            for each in met
        ),
        "; ",
    )
    return (
        drug.name.replace("_", " "),
        "; ".join((*drug.names, *drug.brands)),
        flags or Markup('<span class="soft">nothing listed</span>'),
    )


def _about(rule: Interaction) -> str:
    parts = [*sorted(rule.named), *sorted(rule.classes), *sorted(rule.enzymes)]
    return ", ".join(each.replace("_", " ") for each in parts)


def _row(name: object, more: object, severity: object, text: Text) -> tuple[str, ...]:
    known = sources()
    cited = joined((link(known[key].citation, known[key].url) for key in text.sources), "; ")
    said = f"read {text.day}" if text.provenance == "read" else "unverified"
    watch = f" Watch: {text.watch}" if text.watch != "-" else ""
    return (
        str(name) if not isinstance(name, Markup) else name,
        str(more),
        severity if isinstance(severity, Markup) else str(severity),
        text.mechanism,
        f"{text.advice}{watch}",
        joined([cited, f"({said})"]),
    )


def _interactions() -> Table:
    rows = []
    for rule in sorted(interactions(), key=lambda each: SEVERITIES.index(each.severity)):
        small = f"; {rule.small} with little CBD" if rule.small != rule.severity else ""
        name = Markup('<span id="i-{}">{}</span>').format(rule.id, upper_first(_about(rule)))
        word = joined([verdict(rule.severity, KIND[rule.severity]), small], "")
        rows.append(_row(name, _with(rule), word, rule.text))
    return table(
        "Interactions, the most severe first", "medicine|with|severity|what happens|what to do|sources", rows
    )


def _cautions() -> Table:
    rows = []
    for rule in cautions():
        worst = min(rule.severity.values(), key=SEVERITIES.index)
        each = ", ".join(
            f"{_NAMES.get(kind, 'smoked')}: {severity}" for kind, severity in rule.severity.items()
        )
        rows.append(
            _row(
                Markup('<span id="c-{}">{}</span>').format(
                    rule.id, upper_first(rule.about.replace("_", " "))
                ),
                each,
                verdict(worst, KIND[worst]),
                rule.text,
            )
        )
    return table(
        "Conditions and circumstances", "condition|with|severity, the worst|why|what to do|sources", rows
    )


_SOLD = "licensed and sold; whether its label covers the person above is not known"


def _is_sold(name: str, code: str, on: datetime.date) -> bool:
    """Whether a medicine is on the market there, by a source that was read."""
    row = medicine(name, code[:2], on)
    return row is not None and row.status == "marketed" and row.provenance == "read"


# -- products ---------------------------------------------------------------------------------------
def _product(name: str, on: datetime.date) -> dict[str, Any]:
    """What it is, where it can be had, and in what it was studied."""
    one = products()[name]
    had: dict[tuple[ProductStatus, bool], list[Markup]] = {}
    for code, place in sorted(rules().items(), key=lambda each: each[1].name):
        where = Markup('<a href="law/{}.html#products">{}</a>').format(code.lower(), place.name)
        status = product_answer(name, code, on).status
        had.setdefault((status, status == "unknown" and _is_sold(name, code, on)), []).append(where)
    places = [
        (
            verdict(_SOLD if sold else PRODUCT[status], KIND_OF_LAW.get(status, "unsure")),
            len(had[status, sold]),
            joined(had[status, sold], ", "),
        )
        for status, sold in sorted(had, key=lambda each: ([*PRODUCT].index(each[0]), not each[1]))
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
