"""The targets as a table to read in a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from lissive.validate._target_runs import recalled_constants
from lissive.validate.targets import Met

_WIDTH = 116
_OBSERVATION = 58
_INDENT = "    "
_LEGEND = (
    "Set by hand: a constant of the model was set with the observation in view, so that meeting it is no evidence. "
    "Copy: another program's figures of a published model; meeting them shows that it was copied well. "
    "a: the target itself is assumed; t: its tolerance is; "
    "r: target or figure depends on what was quoted from memory (named below the row)."
)


def targets_text(found: Sequence[Met]) -> str:
    """An aligned table, the reason under each target that is unmet or could not be held against the model."""
    rows = [["no", "target", "range", "model", "met?", ""]]
    notes: list[list[str]] = [[]]
    for each in found:
        shown = textwrap.wrap(each.observation, _OBSERVATION)
        rows.append([each.number, shown[0], _range(each), _value(each.value), _verdict(each), _marks(each)])
        notes.append([*shown[1:], *_notes(each)])
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = []
    for k, (row, under) in enumerate(zip(rows, notes, strict=True)):
        lines.append("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip())
        lines += [" " * (widths[0] + 2) + line for line in under]
        if k == 0:
            lines.append("-" * len(lines[0]))
    return "\n".join([*lines, "", *textwrap.wrap(count_text(found), _WIDTH), *textwrap.wrap(_LEGEND, _WIDTH)])


def count_text(found: Iterable[Met]) -> str:
    """How many are met, and how many of these say something about the model."""
    found = list(found)
    met = [each for each in found if each.met]
    by_hand = sum(each.set_by_hand for each in met if each.kind == "observed")
    copies = sum(each.kind == "model" for each in met)
    assumed = sum(
        not each.set_by_hand and each.kind == "observed" and each.provenance == "assumed" for each in met
    )
    unmet, unasked = (sum(each.met is verdict for each in found) for verdict in (False, None))
    return (
        f"Of {len(found)} targets {len(met)} are met, {unmet} are not and {unasked} cannot be judged. Of those met, "
        f"{copies} are copies of a published model, {by_hand} had a constant set on them and {assumed} are assumed "
        f"figures; {len(met) - copies - by_hand - assumed} are left as evidence."
    )


def _range(each: Met) -> str:
    if each.low is None or each.high is None:
        return "-"
    unit = "" if each.unit == "1" else f" {each.unit}"
    return f"{each.low:g} to {each.high:g}{unit}"


def _value(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"


def _verdict(each: Met) -> str:
    if each.met is None:
        return "cannot run" if each.value is None else "not judged"
    if not each.met:
        return "NO"
    if each.kind == "model":
        return "yes (copy)"
    return "yes (set by hand)" if each.set_by_hand else "yes"


def _marks(each: Met) -> str:
    marks = {
        "a": each.provenance == "assumed",
        "t": each.tolerance == "assumed" and each.provenance != "assumed",
        "r": each.recalled,
    }
    return " ".join(mark for mark, holds in marks.items() if holds)


def _notes(each: Met) -> list[str]:
    said = []
    if each.detail:
        said.append(f"({each.detail})")
    if each.recalled:
        what = ["the target"] if each.provenance == "recalled" else []
        said.append(f"Recalled: {', '.join([*what, *(each.recalled_constants or ())])}.")
    if each.reason:
        said.append(each.reason)
    return [_INDENT + line for text in said for line in textwrap.wrap(text, _WIDTH - 8)]


def recalled_text() -> str:
    """All constants of the model that were quoted from memory."""
    return ", ".join(recalled_constants())
