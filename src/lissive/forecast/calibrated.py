"""What a forecast may be trusted on: the complaint of each cause, and on which trials the response was fitted.

>>> complaint("als").outcome, calibration("als", "nabiximols")
('spasms_per_day', 'none')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from lissive.errors import SimulationError
from lissive.table import TableRow, read_table

Calibrated = Literal["trials", "prior", "none"]
"""The response was fitted on trials of this product in this cause; of other products in it; on none in it."""

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Complaint:
    """What people with one cause come for."""

    outcome: str
    """The outcome of a forecast that is about it."""
    label: str
    topics: tuple[str, ...]
    """Of the evidence, the complaint's first."""


ANY = Complaint("spasms_per_day", "spasms", ("spasms", "cramps", "spasticity (patient-reported)", "pain"))
"""Where the cause is not known, or is none of the table."""


@cache
def _complaints() -> Mapping[str, Complaint]:
    columns = ("cause", "outcome", "label", "topics", "note")
    rows = read_table(_HERE / "complaints.tsv", columns, SimulationError, TableRow)
    return MappingProxyType(
        {row["cause"]: Complaint(row["outcome"], row["label"], row.parts("topics", ";")) for row in rows}
    )


def complaint(cause: str | None) -> Complaint:
    """The complaint of a cause."""
    return _complaints().get(cause or "", ANY)


@cache
def _fitted() -> Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]]:
    columns = ("cause", "product", "outcome", "trials")
    found: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}
    for row in read_table(_HERE / "calibrated.tsv", columns, SimulationError, TableRow):
        found.setdefault((row["cause"], row["product"]), {})[row["outcome"]] = row.parts("trials")
    return MappingProxyType(found)


def fitted_outcomes(cause: str | None, product: str | None) -> tuple[str, ...]:
    """Outcomes for which trials of this product in this cause were fitted on."""
    return tuple(_fitted().get((cause or "", product or ""), {}))


def calibration(cause: str | None, product: str | None) -> Calibrated:
    """On what the response of a forecast rests."""
    if fitted_outcomes(cause, product):
        return "trials"
    return "prior" if any(known == cause for known, _ in _fitted()) else "none"
