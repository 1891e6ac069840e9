"""The words that facts may use beside conditions, and the figures of the method, from their tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from lissive.access._table import read_table
from lissive.access.conditions import conditions
from lissive.access.load import DATA
from lissive.typed import nearest


@dataclass(frozen=True)
class Flag:
    """A further fact that holds, does not hold, or is unknown."""

    name: str
    asks: str
    """What has to be found out, in words."""
    absent_is_no: bool
    """Whether it does not hold unless it is stated: a thing that is given on application, or a diagnosis."""
    about: str = ""
    """The diagnosis that it is about: without that, it does not hold unless it is stated."""


@cache
def flags() -> Mapping[str, Flag]:
    """Every flag by its name; those that say how a diagnosis is qualified are named as that diagnosis is."""
    rows = read_table(DATA / "flags.tsv", ("flag", "asks", "unless_stated", "also", "note"))
    found = {}
    for row in rows:
        unless = row["unless_stated"]
        about = "" if unless in ("no", "unknown") else unless
        if about and about not in conditions():
            allowed = "no, unknown, or a diagnosis of conditions.tsv."
            raise row.error(f"unless_stated is {about!r}.{nearest(about, conditions())}", allowed=allowed)
        found[row["flag"]] = Flag(row["flag"], row["asks"], unless == "no", about)
    for word, condition in conditions().items():
        if condition.base and condition.is_diagnosis:
            base = condition.base.replace("_", " ")
            found.setdefault(word, Flag(word, f"whether the {base} is {condition.attributes}", False))
    return MappingProxyType(found)


@cache
def flag_names() -> Mapping[str, str]:
    """Every name that a flag may be given by, to the flag's own."""
    rows = read_table(DATA / "flags.tsv", ("flag", "asks", "unless_stated", "also", "note"))
    others = {other: row["flag"] for row in rows for other in row.parts("also")}
    return MappingProxyType({**{name: name for name in flags()}, **others})


@cache
def limits() -> Mapping[str, int]:
    """The figures of the method by name; their units are in limits.tsv."""
    rows = read_table(DATA / "limits.tsv", ("name", "value", "unit", "note"))
    return MappingProxyType({row["name"]: int(row["value"]) for row in rows})
