"""Quantities with units, read at the border; inside are plain numbers in canonical units.

There is one registry of units, made when it is first needed. An amount of substance and a mass go
together only through a molar mass, which the caller gives.

>>> magnitude("60 mg/day", "mg/day")
60.0
>>> round(to_nmol(2.7, g_per_mol=314.46), 1)
8586.1
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import TYPE_CHECKING

from lissive.errors import UnitError

if TYPE_CHECKING:
    import pint

_UNIT = r"[A-Za-zµμ]+(?:\^-?[1-9])?"
_QUANTITY = re.compile(
    rf"\s*(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{{1,3}})?)\s*(?P<unit>{_UNIT}(?:[*/]{_UNIT})*)?\s*"
)
_PER = re.compile(r"\s+per\s+")
_AROUND_SIGN = re.compile(r"\s*([*/])\s*")


@cache
def registry() -> pint.UnitRegistry[float]:
    """The one registry of units; loading it takes a moment, so it waits until it is needed."""
    import pint

    units: pint.UnitRegistry[float] = pint.UnitRegistry(cache_folder=None)
    if "mcg" not in units:
        units.define("microgram_in_prescriptions = 1e-6 gram = mcg")
    return units


def magnitude(text: str, unit: str, *, where: str = "") -> float:
    """The number in a quantity such as "60 mg/day", in `unit`.

    Parameters
    ----------
    text : a number and a unit, as a prescriber writes it.
    unit : what the number is wanted in.
    where : the field or the place in a file, for the error.

    Raises
    ------
    UnitError if `text` is not a quantity, or one of another kind ("60 ml" where a mass is meant).

    >>> magnitude("0.5 g per day", "mg/day")
    500.0
    """
    allowed = f"a number and a unit that goes with {unit}, as in {_example(unit)!r}."
    match = _QUANTITY.fullmatch(_AROUND_SIGN.sub(r"\1", _PER.sub("/", text)))
    if match is None:
        raise UnitError(
            f"{text!r} is not a valid quantity.",
            where=where,
            allowed=allowed,
            do="write one number and one unit.",
        )
    if match["unit"] is None:
        raise UnitError(f"{text!r} has no unit.", where=where, allowed=allowed, do="add the unit.")
    same = match["unit"] == unit  # most often it is, and the registry takes half a second to load
    value = float(match["number"]) * (1.0 if same else factor(match["unit"], unit, where=where, text=text))
    if not math.isfinite(value):
        raise UnitError(
            f"{text!r} is too large to be a number.",
            where=where,
            allowed=allowed,
            do="check the number's digits.",
        )
    return value


def factor(given: str, wanted: str, *, where: str = "", text: str = "") -> float:
    """What a number in `given` is multiplied by to be in `wanted`.

    >>> factor("L/h", "mL/min")
    16.666666666666668
    """
    said = text or given
    units = registry()
    try:
        source = units.parse_units(given)
    except Exception as error:  # pint raises many kinds here, some of them not its own
        raise UnitError(
            f"Unknown unit {given!r} in {said!r}.",
            where=where,
            allowed=f"a unit that goes with {wanted}.",
            do="write the unit as in mg, g, mcg, mL, h or day; tablets and drops have no fixed content.",
        ) from error
    target = units.parse_units(wanted)
    if source.dimensionality != target.dimensionality:
        raise UnitError(
            f"{said!r} is {_kind(source)}, but {wanted} is {_kind(target)}.",
            where=where,
            allowed=f"a unit that goes with {wanted}, as in {_example(wanted)!r}.",
            do="give the quantity in such a unit.",
        )
    return float(units.Quantity(1.0, source).to(target).magnitude)


def to_nmol(mg: float, *, g_per_mol: float) -> float:
    """A mass [mg] as an amount [nmol]."""
    return mg * 1e6 / _molar_mass(g_per_mol)


def _molar_mass(g_per_mol: float) -> float:
    if not (math.isfinite(g_per_mol) and g_per_mol > 0):
        raise UnitError(
            f"The molar mass is {g_per_mol:g} g/mol.",
            allowed="more than 0.",
            do="take it from the parameter table.",
        )
    return g_per_mol


def _example(unit: str) -> str:
    return f"60 {unit}"


_KINDS = {
    "[mass]": "a mass",
    "[length] ** 3": "a volume",
    "[substance]": "an amount of substance",
    "[time]": "a time",
    "[mass] / [time]": "a mass per time",
    "[length] ** 3 / [time]": "a volume per time",
    "[substance] / [time]": "an amount of substance per time",
    "[mass] / [length] ** 3": "a mass per volume",
    "[substance] / [length] ** 3": "an amount of substance per volume",
    "1 / [time]": "a rate",
    "dimensionless": "a plain number",
}


def _kind(unit: pint.Unit) -> str:
    return _KINDS.get(str(unit.dimensionality), f"of dimension {unit.dimensionality}")
