"""What a file of published trials becomes, and one of its entries while it is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from lissive.errors import StudyError
from lissive.marked import Loc
from lissive.trials import _published_words as words
from lissive.trials.design import Design


@dataclass(frozen=True)
class Observed:
    """One published figure, on the model's scale."""

    trial: str
    arm: str
    """Name of an arm of the design."""
    against: str | None
    """The control arm of a comparison; None for a figure of one arm."""
    endpoint: str
    """As `Endpoint.name`: spasticity_nrs, spasticity_nrs_responders_30pct, dizziness, dose."""
    statistic: str
    """change | end | change_sd | difference | share | odds_ratio | hazard_ratio | mean | sd (both of the dose)."""
    value: float
    """Ratings 0 to 10, Ashworth 0 to 4, shares 0 to 1, doses in units a day; a change below 0 is improvement."""
    error: float | None
    """Standard error, of the logarithm for ratios of odds and hazards; None where nothing says."""
    ci: tuple[float, float] | None
    """Published 95 % interval."""
    n: int | None
    """People that the figure is of."""
    week: float | None
    """Since randomisation; None is the end."""
    provenance: str
    """read | recalled | derived; of several that make one figure, the least certain."""
    printed: str
    """Key, arm and field in the file."""


@dataclass(frozen=True)
class Skipped:
    """Something in the file that is not held against the model, and why."""

    trial: str
    what: str
    why: str


@dataclass(frozen=True)
class PublishedTrial:
    """A trial that can be simulated, and what it found."""

    id: str
    split: str
    """calibration | validation | context."""
    citation: str
    design: Design
    observed: tuple[Observed, ...]
    assumed: tuple[str, ...]
    """What the entry does not say and was assumed, in sentences."""


@dataclass(frozen=True)
class Published:
    """A whole file."""

    path: str
    trials: tuple[PublishedTrial, ...]
    skipped: tuple[Skipped, ...]


class CannotBuild(Exception):
    """An entry lacks something without which there is no design; its text is the reason."""


@dataclass(frozen=True)
class Figure:
    """A number of the file, with where it is from."""

    value: float
    provenance: str
    note: str


_ROW_MARKS = {"arm", "ci", "p", "n", "N", "diff", "se", "sd", "pct"}
"""Fields that a row has and one tagged value has not."""
UNTAGGED = "Figures without a provenance are taken as read from the publication."


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number that one can calculate with; `true` is a word here."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_leaf(node: object) -> bool:
    """Whether it is one value, plain or with its provenance beside it, and no row of several.

    >>> is_leaf(3), is_leaf({"value": 3, "provenance": "read"}), is_leaf({"value": 3, "ci": (1, 4)})
    (True, True, False)
    """
    if not isinstance(node, Mapping):
        return not isinstance(node, tuple) or not any(isinstance(each, Mapping) for each in node)
    return "value" in node and not isinstance(node["value"], Mapping) and not _ROW_MARKS & set(node)


def plain(node: Any) -> Any:
    """A value without its provenance, and without a spread that stands beside it."""
    if isinstance(node, Mapping) and "value" in node and not isinstance(node["value"], Mapping):
        return node["value"]
    return node


def text_of(node: Any) -> str:
    """What a field says in words; empty where it says nothing."""
    value = plain(node)
    return "" if value is None else str(value).strip()


class Entry:
    """One trial of the file, with the means to say where something is wrong in it."""

    def __init__(self, number: int, data: Mapping[str, Any], path: Path, lines: Mapping[Loc, int]) -> None:
        self.number, self.data, self.path, self.lines = number, data, path, lines
        self.id = str(data.get("id"))
        self.findings: list[StudyError] = []
        self.skipped: list[Skipped] = []
        self.assumed: list[str] = []

    def wrong(self, loc: Loc, what: str, *, allowed: str = "", do: str = "") -> None:
        full: Loc = ("trials", self.number, *loc)
        while full not in self.lines:
            full = full[:-1]
        field = ".".join(str(part) for part in loc)
        where = f"{self.path}:{self.lines[full]}, trial {self.id}, {field}"
        self.findings.append(StudyError(what, where=where, allowed=allowed, do=do))

    def skip(self, what: str, why: str) -> None:
        made = Skipped(self.id, what, why)
        if made not in self.skipped:
            self.skipped.append(made)

    def assume(self, sentence: str) -> None:
        if sentence not in self.assumed:
            self.assumed.append(sentence)

    def said(self, *fields: str) -> str:
        """The text of some fields, joined."""
        return "; ".join(said for field in fields if (said := text_of(self.data.get(field))))

    def figure(self, node: Any, row: Mapping[str, Any] | None = None) -> Figure | None:
        """A number with its provenance, its row's where it has none; None where there is no number."""
        value = plain(node)
        if not is_number(value):
            return None
        own = node if isinstance(node, Mapping) else {}
        said = own.get("provenance") or (row or {}).get("provenance")
        if said is None:
            self.assume(UNTAGGED)
        word = words.find("provenance", said) if said is not None else None
        note = f"{own.get('note') or ''} {own.get('pointer') or ''}".strip()
        return Figure(float(value), word.means if word else "read", note)


def least_certain(*provenances: str) -> str:
    """Of what several figures make: recalled before derived before read.

    >>> least_certain("read", "derived"), least_certain("derived", "recalled"), least_certain("read")
    ('derived', 'recalled', 'read')
    """
    return max(provenances, key=("read", "derived", "recalled").index)
