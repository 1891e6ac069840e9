"""The targets as a table to read in a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from lissive.report.table import Table, as_text
from lissive.report.words import UNVERIFIED, WIDTH, number, span, wrapped
from lissive.validation.targets import TargetResult

_OBSERVATION = 56
_LEGEND = (
    "Set by hand: a constant of the model was set with this observation in view, so that meeting it is no evidence. "
    "Copy: figures of another program with a published model; meeting them verifies the implementation. "
    f"a: the target itself is assumed; t: its tolerance is; {UNVERIFIED}: target or figure depends on what was quoted "
    "from memory and not checked against its source (named below the row)."
)
_NAMES = ("no", "target", "range", "model", "met?", "")


def targets_text(found: Sequence[TargetResult]) -> str:
    """A table, the reason under each target that is not met or could not be evaluated."""
    rows: list[tuple[str, ...]] = []
    for each in found:
        first, *more = textwrap.wrap(each.observation, _OBSERVATION)
        value = number(each.value)
        rows.append((each.number, first, _range(each), value, _verdict(each), _marks(each)))
        rows += [(f"     {line}",) for line in more]
        notes = [line for text in _notes(each) for line in textwrap.wrap(text, WIDTH - 9)]
        rows += [(f"         {line}",) for line in notes]
    shown = as_text(Table("", _NAMES, tuple(rows), frozenset({"model"})))
    return "\n".join([shown, "", wrapped(count_text(found)), wrapped(_LEGEND)])


def count_text(found: Iterable[TargetResult]) -> str:
    """How many are met, and how many of these say something about the model."""
    found = list(found)
    met = [each for each in found if each.met]
    by_hand = sum(each.set_by_hand for each in met if each.kind == "observed")
    copies = sum(each.kind == "model" for each in met)
    assumed = sum(
        not each.set_by_hand and each.kind == "observed" and each.provenance == "assumed" for each in met
    )
    unmet, unjudged = (sum(each.met is verdict for each in found) for verdict in (False, None))
    return (
        f"Of {len(found)} targets {len(met)} are met, {unmet} are not and {unjudged} cannot be judged. Of those met, "
        f"{copies} are copies of a published model, {by_hand} had a constant set on them and {assumed} are assumed "
        f"figures; {len(met) - copies - by_hand - assumed} remain as evidence."
    )


def _range(each: TargetResult) -> str:
    if each.low is None or each.high is None:
        return "-"
    unit = "" if each.unit == "1" else f" {each.unit}"
    return f"{span(f'{each.low:g}', f'{each.high:g}')}{unit}"


def _verdict(each: TargetResult) -> str:
    if each.met is None:
        return "cannot run" if each.value is None else "not judged"
    if not each.met:
        return "NO"
    if each.kind == "model":
        return "yes (copy)"
    return "yes (set by hand)" if each.set_by_hand else "yes"


def _marks(each: TargetResult) -> str:
    marks = {
        "a": each.provenance == "assumed",
        "t": each.tolerance == "assumed" and each.provenance != "assumed",
        UNVERIFIED: each.recalled,
    }
    return " ".join(mark for mark, holds in marks.items() if holds)


def _notes(each: TargetResult) -> list[str]:
    notes = []
    if each.detail:
        notes.append(f"({each.detail})")
    if each.recalled:
        what = ["the target"] if each.provenance == "recalled" else []
        notes.append(f"Unverified: {', '.join([*what, *each.recalled_constants])}.")
    if each.reason:
        notes.append(each.reason)
    return notes
