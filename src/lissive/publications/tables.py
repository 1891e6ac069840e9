"""The rows that publications become, those that come with Lissive and a user's: typed, frozen, one reading for all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lissive.marked import Loc

RATIOS = ("OR", "RR", "HR", "IRR", "GMR")
STATISTICS = (
    *"baseline change end mean median difference share p words other".split(),
    *RATIOS,
    "SMD",
    *(f"ln {each}" for each in RATIOS),
)
"""What a row's value is. `share`: of the participants; `p`: nothing but a p value; `other`: compared with nothing."""


@dataclass(frozen=True)
class Figure:
    """One number, interval or text of a publication, and where it comes from."""

    value: Any
    what: str = ""
    """Its place, as messages and lists call it: pain_nrs[0].change_mean."""
    provenance: str = ""
    """read, derived or recalled; empty where the file does not say."""
    url: str = ""
    pointer: str = ""
    note: str = ""

    @property
    def number(self) -> float | None:
        """The value as a number; None where it is none."""
        return number(self.value)

    @property
    def ends(self) -> tuple[float, float] | None:
        """Both ends of an interval; None where it is none."""
        ends = tuple(map(number, self.value)) if isinstance(self.value, tuple) else ()
        return (ends[0], ends[1]) if len(ends) == 2 and ends[0] is not None and ends[1] is not None else None


@dataclass(frozen=True)
class Name:
    """What the name of an outcome says. `why` and `not_modelled` say why it is of no use; empty where it is."""

    text: str
    stem: str = ""
    """The name without what says its kind: `mortality` of mortality_rr."""
    outcomes: tuple[str, ...] = ()
    """Words of outcomes.tsv, or of the user's own file."""
    measure: str = ""
    """What virtual trials measure; `relief` is what the trial's treatment is for."""
    falls_by_pct: float | None = None
    """Of responders, by how much the measure has to fall [%]."""
    kind: str = ""
    """difference, change, end, OR, RR, HR, IRR, SMD, GMR, `ln OR` and so on, p; empty where the fields say."""
    sign: float = 1.0
    """-1 where improvement is positive."""
    top: float | None = None
    """Upper end of the scale that it is printed on."""
    flipped: bool = False
    """Whether the top of the scale is the best."""
    at_visits: bool = False
    """Whether the scale is one that is asked at visits (category ratings, visual analogue scales)."""
    since_screening: bool = False
    week: float | None = None
    why: str = ""
    not_modelled: str = ""


@dataclass(frozen=True)
class Result:
    """What one arm, or the comparison of two, gave of one outcome at one time."""

    name: Name
    section: str
    """outcomes or adverse_events."""
    arm: str
    """As the file has it; empty where it does not say."""
    statistic: str
    """One of STATISTICS."""
    value: Figure | None = None
    sd: Figure | None = None
    se: Figure | None = None
    ci: Figure | None = None
    level: float = 0.95
    """Of the interval."""
    p: Figure | None = None
    iqr: Figure | None = None
    n: Figure | None = None
    """Participants."""
    events: Figure | None = None
    person_time: Figure | None = None
    week: float | None = None
    """Since randomisation; None is the end."""
    time: str = ""
    """When or under which condition, in words."""
    detail: str = ""
    """The field of the file, where it is none of the statistics."""
    subgroup: str = ""
    """Of whom, where not of all."""
    per_protocol: bool = False
    place: str = ""
    """The row as messages call it: pain_nrs.placebo."""
    line: str = ""
    """What distinguishes rows of one line of the file: pain_nrs[0]."""
    loc: Loc = ()
    """Where the line is in its entry."""


def last_visit(rows: list[Result]) -> tuple[list[Result], list[Result]]:
    """The rows of the last visit that most arms have, and all others: a trial is compared at one visit."""
    visits: dict[float, set[str]] = {}
    for row in rows:
        if row.arm or row.statistic.removeprefix("ln ") in ("difference", "SMD", *RATIOS):
            visits.setdefault(math.inf if row.week is None else row.week, set()).add(row.arm)
    if len(visits) < 2:
        return rows, []
    last = max(visits, key=lambda week: (len(visits[week]), week))
    week = None if last == math.inf else last
    return [row for row in rows if row.week == week], [row for row in rows if row.week != week]


def is_figure(node: object) -> bool:
    """Whether a mapping is one value with where it comes from, and not fields around others."""
    return (
        isinstance(node, Mapping)
        and "value" in node
        and not isinstance(node["value"], Mapping)
        and ("provenance" in node or "source_url" in node)
    )


def plain(node: object) -> Any:
    """A value without where it comes from, or the value itself.

    >>> plain({"value": 3, "provenance": "read"}), plain(3)
    (3, 3)
    """
    if isinstance(node, Mapping) and "value" in node and not isinstance(node["value"], Mapping):
        return node["value"]
    return node


def number(node: object) -> float | None:
    """The value of a node as a finite number; `true` is a word here.

    >>> number(3), number(True), number("3"), number({"value": 3, "provenance": "read"})
    (3.0, None, None, 3.0)
    """
    value = plain(node)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def text_of(node: object) -> str:
    """What a field says in words; empty where it says nothing."""
    value = plain(node)
    return "" if value is None else str(value).strip()


def figure(what: str, node: object, around: Mapping[str, Any] | None = None) -> Figure:
    """A node of a file as a figure; what it does not say of its source is taken from the row around it."""
    row = around or {}
    own: Mapping[str, Any] = node if isinstance(node, Mapping) else {}
    notes = [own.get(name) for name in ("note", "consistency_check")]
    if own.get("confidence"):
        notes.insert(0, f"confidence {own['confidence']}")
    return Figure(
        own.get("value") if own else node,
        what,
        str(own.get("provenance") or row.get("provenance") or ""),
        str(own.get("source_url") or row.get("source_url") or ""),
        str(own.get("pointer") or own.get("formula") or row.get("pointer") or row.get("formula") or ""),
        "; ".join(str(each) for each in notes if each),
    )
