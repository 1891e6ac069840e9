"""Readable units ("nmol/L", "1/h") from SBML's unit definitions."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

_SYMBOLS = {
    "mole": "mol", "litre": "L", "liter": "L", "second": "s", "gram": "g", "kilogram": "kg", "metre": "m",
    "meter": "m", "item": "item", "dimensionless": "", "kelvin": "K", "ampere": "A", "volt": "V",
    "joule": "J", "newton": "N", "pascal": "Pa",
    "watt": "W", "hertz": "Hz", "coulomb": "C", "farad": "F", "siemens": "S",
    "candela": "cd", "radian": "rad", "avogadro": "avogadro", "katal": "kat",
}  # fmt: skip

_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", -2: "c", -1: "d", 0: "", 3: "k", 6: "M"}
_TIMES = {1.0: "s", 60.0: "min", 3600.0: "h", 86400.0: "d", 604800.0: "week"}

Unit = dict[str, float]
"""Powers of readable symbols: {"nmol": 1, "L": -1}."""

_BUILT_IN: dict[str, Unit] = {
    "substance": {"mol": 1.0}, "volume": {"L": 1.0}, "area": {"m": 2.0}, "length": {"m": 1.0},
    "time": {"s": 1.0},
}  # fmt: skip


def _symbol(kind: str, factor: float) -> str:
    """One unit with its factor drawn in: (second, 3600) is "h", (mole, 1e-9) is "nmol"."""
    base = _SYMBOLS.get(kind, kind)
    if kind == "second" and factor in _TIMES:
        return _TIMES[factor]
    if kind == "kilogram":
        base, factor = "g", factor * 1e3
    power = round(math.log10(factor)) if factor > 0.0 else 0
    exact = math.isclose(factor, 10.0**power, rel_tol=1e-9)
    if (
        base
        and exact
        and power in _PREFIXES
        and (power == 0 or kind not in ("dimensionless", "item", "avogadro"))
    ):
        return _PREFIXES[power] + base
    if factor == 1.0:
        return base
    return f"{factor:g} {base}".strip()


class Units:
    """What the model calls its units, in readable symbols."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._own = {d.getId(): self._definition(d) for d in model.getListOfUnitDefinitions()}

    def _definition(self, definition: Any) -> Unit:
        import libsbml

        unit: Unit = defaultdict(float)
        for part in definition.getListOfUnits():
            factor = float(f"{part.getMultiplier() * 10.0 ** part.getScale():.12g}")  # 3.6e3 is 3600 exactly
            symbol = _symbol(libsbml.UnitKind_toString(part.getKind()), factor)
            if symbol:
                unit[symbol] += part.getExponentAsDouble()
        return unit

    def named(self, name: str) -> Unit | None:
        """The unit that `name` stands for: the model's own, a built-in one or a kind; or None."""
        if not name:
            return None
        if name in self._own:
            return self._own[name]
        if self._model.getLevel() < 3 and name in _BUILT_IN:
            return _BUILT_IN[name]
        if name in _SYMBOLS:
            return {_SYMBOLS[name]: 1.0} if _SYMBOLS[name] else {}
        return None

    def _default(self, what: str) -> Unit | None:
        """The model's unit of time, substance, extent, volume, area or length."""
        if self._model.getLevel() < 3:
            return self.named("substance" if what == "extent" else what)
        return self.named(str(getattr(self._model, f"get{what.capitalize()}Units")()))

    @property
    def time(self) -> Unit | None:
        return self._default("time")

    @property
    def flow(self) -> Unit | None:
        """The unit of a reaction's rate."""
        return over(self._default("extent"), self.time)

    def amount(self, species: Any) -> Unit | None:
        return self.named(species.getSubstanceUnits()) or self._default("substance")

    def size(self, compartment: Any) -> Unit | None:
        measure = {1: "length", 2: "area", 3: "volume"}.get(compartment.getSpatialDimensions())
        return self.named(compartment.getUnits()) or (self._default(measure) if measure else None)


def over(a: Unit | None, b: Unit | None) -> Unit | None:
    """The unit a/b, where both are known."""
    if a is None or b is None:
        return None
    unit: Unit = defaultdict(float, a)
    for symbol, power in b.items():
        unit[symbol] -= power
    return unit


def text(unit: Unit) -> str:
    """As a reader writes it: {"nmol": 1, "L": -1, "h": -1} is "nmol/L/h"; {} is "1"."""

    def part(symbol: str, power: float) -> str:
        power = abs(power)
        shown = f"({symbol})" if " " in symbol else symbol
        return shown if power == 1.0 else f"{shown}^{power:g}"

    above = [part(s, p) for s, p in unit.items() if p > 0.0]
    below = [part(s, p) for s, p in unit.items() if p < 0.0]
    return "/".join(["*".join(above) or "1", *below])
