"""The rows of an outcome: of a list, of a mapping by arms, of one value; each with its key and its arm."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lissive.trials._published_frame import Frame
from lissive.trials._published_keys import P_ALONE, SHARES, Key, parse_key
from lissive.trials._published_parts import Entry, is_leaf, is_number, plain, text_of

CHANGE = ("change_mean", "mean_change", "change")
END = ("end_mean", "end")
DIFFERENCE = ("diff", "difference", "md", "mean_difference")
BESIDE = set(
    "arm n N ci ci_95 ci95 ci_90 ci90 ci_99 se sd p change_sd change_se end_sd end_se diff_sd diff_se note notes"
    " provenance source_url pointer confidence consistency_check formula scale week at_week baseline_mean"
    " baseline_sd definition".split()
)
"""Fields that say more of a figure and are no figure of their own."""
_COUNT_OR_PCT = "count or percent"
"""Name of a bare number of a share: which of the two it is, is not stated."""
_COMMON = ("baseline_mean", "baseline_sd", "scale", "week", "at_week", "provenance")
"""Fields beside the arms' own that hold for each of them."""
WORDS = ("result", "significant", "itt_significant", "status")
"""Fields that say something in words."""


@dataclass(frozen=True)
class Row:
    """One row of an outcome."""

    name: str
    """Key and arm as in the file."""
    arm: str | None
    fields: Mapping[str, Any]
    key: Key


_LIFTED = {**dict.fromkeys(CHANGE, "change_"), **dict.fromkeys(END, "end_"), **dict.fromkeys(DIFFERENCE, "")}


def lifted(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose spread and interval stand beside its figure, where they were written into it.

    >>> lifted({"change_mean": {"value": -1.2, "sd": 2.0}})["change_sd"]
    2.0
    """
    made = dict(fields)
    for field, prefix in _LIFTED.items():
        node = fields.get(field)
        if not isinstance(node, Mapping):
            continue
        for name in ("sd", "se", "ci", "p", "n"):
            if name in node:
                made.setdefault(f"{prefix}{name}" if name in ("sd", "se") else name, node[name])
    return made


def as_rows(name: str, node: Any) -> tuple[str, Any]:
    """dizziness_pct: 14 as the row of a share; a plain value of a ratio as its row."""
    suffix = re.fullmatch(r"(.*?)_(pct|percent)", name.lower())
    if suffix and is_leaf(node) and is_number(plain(node)) and "responder" not in name.lower():
        return suffix[1], {"pct": node}
    if suffix and isinstance(node, Mapping) and not is_leaf(node) and parse_key(suffix[1]).measure in SHARES:
        return suffix[1], {f"{arm}_pct" if is_leaf(each) else arm: each for arm, each in node.items()}
    if (
        is_leaf(node)
        and is_number(plain(node))
        and re.search(r"_(or|hr|odds_ratio|hazard_ratio)$", name.lower())
    ):
        return name, {"value": node}
    if is_leaf(node) and is_number(plain(node)) and parse_key(name).is_share:
        is_count = parse_key(name).measure in ("withdrawal", "withdrawal_adverse")
        return name, {"n" if is_count else _COUNT_OR_PCT: node}
    return name, node


def only_said(node: Any) -> str:
    """What a mapping says in words only; empty where it has a number too."""
    if not isinstance(node, Mapping):
        return ""
    if set(node) <= {"p", "note", "notes"} and "p" in node:
        return P_ALONE
    said = [text_of(node[field]) for field in WORDS if field in node]
    others = [value for field, value in node.items() if field not in WORDS and is_number(plain(value))]
    return f"stated in words: {'; '.join(said)!r}" if said and not others else ""


def rows_of(entry: Entry, frame: Frame, name: str, node: Any, key: Key) -> Iterator[Row]:
    """Rows by arm: of a list, or of a mapping whose fields or whose names of fields are arms."""
    if isinstance(node, tuple):
        for k, row in enumerate(node):
            yield from _listed(entry, frame, name, k, row, key)
        return
    if "arm" in node:
        yield from _listed(entry, frame, name, 0, node, key)
        return
    split: dict[str, dict[str, Any]] = {}
    shared: dict[str, Any] = {}
    for field, value in node.items():
        arm, rest = arm_of(frame, field)
        if arm is None:
            shared[field] = value
        elif not rest and isinstance(value, Mapping) and not is_leaf(value):
            split.setdefault(arm, {}).update(value)
        else:
            split.setdefault(arm, {})[rest or (_COUNT_OR_PCT if key.is_share else "value")] = value
    common = {field: shared[field] for field in _COMMON if field in shared}
    for arm, fields in split.items():
        fields = {**common, **fields}
        yield Row(f"{name}.{arm}", arm, lifted(fields), key)
    if shared and not (split and set(shared) <= BESIDE):
        yield Row(name, None, lifted(shared), key)


def arm_of(frame: Frame, field: str) -> tuple[str | None, str]:
    """The arm that the name of a field starts with, and the rest of the name."""
    parts = field.split("_")
    for k in range(len(parts), 0, -1):
        head = "_".join(parts[:k])
        if arm := frame.arm(head):
            return arm, "_".join(parts[k:])
    return None, field


def _listed(entry: Entry, frame: Frame, name: str, k: int, row: Any, key: Key) -> Iterator[Row]:
    if not isinstance(row, Mapping):
        entry.skip(f"{name}.{k}", "no row of an arm")
        return
    said = text_of(row.get("arm"))
    if not said:
        entry.skip(f"{name}.{k}", "a row of no arm")
        return
    arm = frame.arm(said)
    if arm is None:
        entry.skip(f"{name}.{said}", f"the trial has no arm {said!r}: {', '.join(frame.arms)}")
        return
    yield Row(f"{name}.{said}", arm, lifted(row), key)


def stated_scale(rows: Sequence[Row]) -> float | None:
    """The top of a scale that a row states, as in {scale: 0-30}."""
    said = (text_of(row.fields.get("scale")) for row in rows)
    found = (re.search(r"0\s?(?:-|–|to)\s?(\d+)", each) for each in said)
    return next((float(each[1]) for each in found if each), None)


def numbers_of(rows: Sequence[Row]) -> list[float]:
    """Figures that are on the key's scale."""
    on_scale = {*CHANGE, *END, *DIFFERENCE, "baseline_mean", "mean", "value"}
    values = [plain(row.fields.get(field)) for row in rows for field in on_scale]
    return [float(each) for each in values if is_number(each)]
