"""What one name of a trial's outcomes reports, by arm: two groups, or the difference that the trial states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lissive.evidence.comparison import Cited, Given, Group
from lissive.evidence.keys import Key
from lissive.evidence.read import number, plain


@dataclass(frozen=True)
class Side:
    """One arm of one block."""

    group: Group
    cited: tuple[Cited, ...]
    notes: tuple[str, ...] = ()
    is_split: bool = False
    """Whether its participants are already a part of the arm's."""


@dataclass
class Block:
    """What one name reports of one outcome, by arm."""

    key: Key
    outcome: str
    sides: dict[str, Side] = field(default_factory=dict)
    given: dict[str, tuple[Given, tuple[Cited, ...]]] = field(default_factory=dict)
    """By active arm; `` where the trial has but one."""
    notes: tuple[str, ...] = ()


def level_of(row: Mapping[str, Any]) -> float:
    """Of a row's interval; 95 % where it states none."""
    return number(row.get("level")) or 0.95


def rounded(x: float) -> float:
    """Without the last digits that a change of scale leaves: -0.84, and not -0.8400000000000001."""
    return float(f"{x:.10g}")


def scale_note(key: Key, factor: float, sign: float) -> tuple[str, ...]:
    notes = []
    if factor != 1.0:
        notes.append(f"{key.text} times {factor:.3g}, to convert to the outcome's scale")
    if sign < 0:
        notes.append(f"{key.text} counts improvement as positive; sign reversed")
    return tuple(notes)


def ends_of(node: Any) -> tuple[float | None, float | None]:
    """Both ends of an interval, where they are two numbers."""
    ends = plain(node)
    if isinstance(ends, tuple) and len(ends) == 2 and all(isinstance(each, int | float) for each in ends):
        return float(ends[0]), float(ends[1])
    return None, None
