"""Products as tables: what is in a spray, what the label allows, how it is titrated.

>>> nabiximols = product("nabiximols")
>>> nabiximols.thc_mg_per_unit, nabiximols.counted_in, nabiximols.label_max_per_day
(2.7, 'spray', 12.0)
>>> label_titration("nabiximols")[4]
TitrationDay(day=5, morning=1, evening=2)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from lissive.case._table import Row, read_table
from lissive.case.vocabulary import brands, meant
from lissive.errors import CaseError
from lissive.typed import nearest

_HERE = Path(__file__).parent

ROUTES = ("oromucosal", "oral", "inhaled")
"""The routes of administration in the model."""

UNITS = {
    "thc_per_unit": "mg",
    "cbd_per_unit": "mg",
    "label_max_per_day": "",
    "label_max_per_kg_per_day": "",
    "ceiling_per_day": "",
    "cbd_ceiling_per_day": "mg",
    "cbd_in_oil": "1",
    "typical_per_day": "",
    "gap_min": "min",
    "morning_from": "h",
    "morning_to": "h",
    "evening_from": "h",
    "evening_to": "h",
}
"""Figures that a product may have, and their unit; empty where it is what the product is counted in."""

_TEXTS = ("label", "route", "counted_in")
_ASSUMED = "assumed"
"""Text of a product that may be absent."""


@dataclass(frozen=True)
class Figure:
    """One number of a product, with where it comes from."""

    value: float
    unit: str
    provenance: str
    source: str
    note: str


@dataclass(frozen=True)
class Product:
    """What is taken. A figure that the table does not give is None: unknown, not zero."""

    name: str
    label: str
    route: str
    counted_in: str
    """`spray`, or `mg` of THC (of CBD where the product has no THC)."""
    figures: Mapping[str, Figure]
    """All numbers of the product, with unit and provenance."""
    assumed: str = ""
    """How it is forecast, where that is not as it was studied."""
    no_model: str = ""
    """Why the model cannot forecast it; empty where it can."""

    @property
    def modelled(self) -> bool:
        return not self.no_model

    @property
    def counts_thc(self) -> bool:
        """Whether a dose in mg is one of THC; else it is one of CBD."""
        return self.thc_mg_per_unit != 0 and not (self.thc_mg_per_unit is None and self.cbd_mg_per_unit)

    @property
    def brands(self) -> tuple[str, ...]:
        return brands(self.name)

    def figure(self, name: str) -> float | None:
        found = self.figures.get(name)
        return None if found is None else found.value

    @property
    def thc_mg_per_unit(self) -> float | None:
        return self.figure("thc_per_unit")

    @property
    def cbd_mg_per_unit(self) -> float | None:
        return self.figure("cbd_per_unit")

    @property
    def label_max_per_day(self) -> float | None:
        return self.figure("label_max_per_day")

    @property
    def ceiling_per_day(self) -> float | None:
        """Maximum daily dose that is simulated, even with a stated reason."""
        return self.figure("ceiling_per_day")

    @property
    def gap_min(self) -> float | None:
        """Minimum time between two doses [min]."""
        return self.figure("gap_min")

    def label_limit(self, weight_kg: float | None) -> float | None:
        """Maximum daily dose of the label, for a person of this weight; None where it is unknown."""
        per_kg = self.figure("label_max_per_kg_per_day")
        if per_kg is not None and weight_kg is not None:
            return per_kg * weight_kg
        return self.label_max_per_day


@dataclass(frozen=True)
class TitrationDay:
    """How often the label has the product taken on one day."""

    day: int
    morning: int
    evening: int

    @property
    def total(self) -> int:
        return self.morning + self.evening


def read_products(path: Path, sources: Mapping[str, str]) -> dict[str, Product]:
    """The products of a table by name.

    Raises
    ------
    CaseError with the file and line: a name, unit, number, provenance word or source that is wrong.
    """
    texts: dict[str, dict[str, str]] = {}
    figures: dict[str, dict[str, Figure]] = {}
    for row in read_table(path, ("product", "name", "value", "unit", "provenance", "source", "note")):
        name, mine = row["name"], row["product"]
        row.check_provenance(sources)
        if name in texts.setdefault(mine, {}) or name in figures.setdefault(mine, {}):
            raise row.error(f"Duplicate {name} of {mine}.", do="keep one of the two.")
        if name in (*_TEXTS, _ASSUMED):
            texts[mine][name] = _text(row)
        else:
            figures[mine][name] = _figure(row, texts[mine].get("counted_in", ""))
    for mine, said in texts.items():
        if missing := [name for name in _TEXTS if name not in said]:
            raise CaseError(f"{mine} has no {', '.join(missing)}.", where=str(path), do="add the rows.")
    return {
        mine: Product(
            mine,
            said["label"],
            said["route"],
            said["counted_in"],
            MappingProxyType(figures[mine]),
            said.get(_ASSUMED, ""),
        )
        for mine, said in texts.items()
    }


def _text(row: Row) -> str:
    allowed = {"route": ROUTES, "counted_in": ("spray", "mg")}.get(row["name"])
    if allowed and row["value"] not in allowed:
        raise row.error(
            f"{row['name']} is {row['value']!r}.{nearest(row['value'], allowed)}",
            allowed=f"{', '.join(allowed)}.",
        )
    return row["value"]


def _figure(row: Row, counted_in: str) -> Figure:
    name = row["name"]
    if name not in UNITS:
        known = [*_TEXTS, _ASSUMED, *UNITS]
        raise row.error(
            f"Unknown figure {name!r} of a product.{nearest(name, known)}", allowed=", ".join(known)
        )
    if row["unit"] != (unit := UNITS[name] or counted_in):
        raise row.error(f"{name} has the unit {row['unit']!r}.", allowed=f"{unit}.")
    return Figure(row.number("value"), unit, row["provenance"], row["source"], row["note"])


def read_titration(
    path: Path, known: Mapping[str, Product], sources: Mapping[str, str]
) -> dict[str, tuple[TitrationDay, ...]]:
    """The label's schedule of each product that has one."""
    days: dict[str, list[TitrationDay]] = {}
    for row in read_table(path, ("product", "day", "morning", "evening", "provenance", "source")):
        row.check_provenance(sources)
        mine = row["product"]
        if mine not in known:
            raise row.error(f"Unknown product {mine!r}.{nearest(mine, known)}", allowed=", ".join(known))
        day, morning, evening = (int(row.number(name, int)) for name in ("day", "morning", "evening"))
        so_far = days.setdefault(mine, [])
        if day != len(so_far) + 1:
            raise row.error(f"day is {day}.", allowed=f"{len(so_far) + 1}, the next day.")
        limit = known[mine].label_max_per_day
        if limit is not None and morning + evening > limit:
            raise row.error(f"Day {day} has {morning + evening}.", allowed=f"at most {limit:g} a day.")
        so_far.append(TitrationDay(day, morning, evening))
    return {name: tuple(found) for name, found in days.items()}


@cache
def sources() -> Mapping[str, str]:
    """The citation of every source of these tables, by key."""
    rows = read_table(_HERE / "sources.tsv", ("key", "citation", "url", "seen"))
    return MappingProxyType({row["key"]: row["citation"] for row in rows})


@cache
def products() -> Mapping[str, Product]:
    """Every product that a plan may name."""
    return MappingProxyType({**read_products(_HERE / "products.tsv", sources()), **_forms()})


def _forms() -> dict[str, Product]:
    """The products that can be planned, and are not in the model."""
    rows = read_table(_HERE / "forms.tsv", ("product", "label", "route", "counted_in", "note"))
    none = MappingProxyType[str, Figure]({})
    return {
        row["product"]: Product(
            row["product"], row["label"], row["route"], row["counted_in"], none, no_model=row["note"]
        )
        for row in rows
    }


@cache
def modelled_products() -> tuple[str, ...]:
    """The products that the model can forecast."""
    return tuple(name for name, each in products().items() if each.modelled)


def product(name: str) -> Product:
    """The product of this name.

    Raises
    ------
    CaseError with the known names and the nearest of them.
    """
    known = products()
    name = meant("product", name, known)
    if name not in known:
        raise CaseError(
            f"Unknown product {name!r}.{nearest(name, known)}",
            where="product",
            allowed=f"{', '.join(known)}.",
            do="write one of these names.",
        )
    return known[name]


def label_titration(name: str) -> tuple[TitrationDay, ...]:
    """The days of the label's titration; empty where the label has none."""
    return _titrations().get(product(name).name, ())


@cache
def _titrations() -> Mapping[str, tuple[TitrationDay, ...]]:
    return MappingProxyType(read_titration(_HERE / "titration.tsv", products(), sources()))


# -- start low, go slow ----------------------------------------------------------------------------
@dataclass(frozen=True)
class Step:
    """One step of a published titration: what is taken in a day, and from which day on it may be."""

    day: int
    thc_mg: float
    cbd_mg: float


@dataclass(frozen=True)
class StartLow:
    """A published titration of one product."""

    steps: tuple[Step, ...]
    doses_per_day: int
    source: str
    provenance: str


def start_low(titration: str, name: str) -> StartLow | None:
    """The steps of a published titration for a product; None where it has none for it.

    >>> [(step.day, step.thc_mg, step.cbd_mg) for step in start_low("start_low", "oil").steps[:6]]
    [(1, 0.0, 10.0), (4, 0.0, 20.0), (7, 0.0, 30.0), (10, 0.0, 40.0), (17, 2.5, 40.0), (24, 5.0, 40.0)]
    """
    rows = [row for row in _start_low() if row["titration"] == titration and name in row.parts("products")]
    steps: list[Step] = []
    day = 1
    for row in rows:
        first, step, most, every = (row.number(column) for column in ("first", "step", "most", "every_days"))
        before = steps[-1] if steps else Step(1, 0.0, 0.0)
        amount = first
        while amount <= most:
            day = day + int(every) if steps else 1
            thc = amount if row["cannabinoid"] != "cbd" else before.thc_mg
            cbd = amount if row["cannabinoid"] != "thc" else before.cbd_mg
            steps.append(Step(day, thc, cbd))
            amount = most if amount < most < amount + step else amount + step
    if not rows:
        return None
    return StartLow(
        tuple(steps), int(rows[0].number("doses_per_day", int)), rows[0]["source"], rows[0]["provenance"]
    )


def titrations(name: str) -> tuple[str, ...]:
    """The titrations that a plan of this product may name."""
    label = ("label",) if label_titration(name) else ()
    words = dict.fromkeys(row["titration"] for row in _start_low() if name in row.parts("products"))
    return (*label, "fixed", *words)


@cache
def _start_low() -> tuple[Row, ...]:
    columns = (
        "titration", "products", "cannabinoid", "first", "step", "every_days", "most", "doses_per_day",
        "provenance", "source", "note",
    )  # fmt: skip
    rows = read_table(_HERE / "start_low.tsv", columns)
    for row in rows:
        row.check_provenance(sources())
    return tuple(rows)
