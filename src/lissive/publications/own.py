"""Outcomes that a user's own file names and the tables do not: used as the file has them.

outcomes: {tuberculosis: {better: lower}}      what a file may state of its own outcomes; the rest is inferred
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from lissive.publications.names import UNKNOWN, read_name
from lissive.publications.tables import Name
from lissive.publications.tidy import as_printed
from lissive.publications.words import Outcome, outcomes
from lissive.typed import Row

_SHARES = ("n", "events", "pct")
_MEANS = ("median", "mean", "change", "change_mean", "mean_change", "end_mean", "diff")
_RATIOS = {
    **dict.fromkeys(("OR", "RR", "HR", "IRR"), "share"),
    "GMR": "count",
    "SMD": "mean",
}


class OwnOutcome(Row):
    """What a file says of an outcome of its own."""

    label: str | None = None
    unit: str | None = None
    better: Literal["lower", "higher"] | None = None
    kind: Literal["share", "mean", "count", "scale"] | None = None
    lower: float | int | None = None
    upper: float | int | None = None


def own_outcomes(trials: Sequence[Row], stated: Mapping[str, OwnOutcome]) -> dict[str, Outcome]:
    """The outcomes that the file states, or that names.tsv does not know, by the names that they have in the file.

    A kind that is not stated is share where rows count participants, otherwise mean; "" for an unknown direction.
    """
    kinds: dict[str, str] = {}
    for name, node in _named(trials):
        key = read_name(name)
        if key.stem in stated or (key.stem not in outcomes() and _is_own(key, node)):
            kinds.setdefault(key.stem, "")
            kinds[key.stem] = kinds[key.stem] or _RATIOS.get(key.kind.removeprefix("ln "), "") or _kind(node)
    found = {}
    for word, kind in kinds.items():
        if not kind and word not in stated:  # words alone: there is nothing to compare
            continue
        own = stated.get(word, OwnOutcome())
        base = outcomes().get(word) or Outcome(
            word, word.replace("_", " "), "its own unit", "", kind or "mean", None, None, ""
        )
        found[word] = replace(base, **own.model_dump(exclude_none=True))
    return found


_OTHER = re.compile(
    r"(?:^|_)(?:hours?|hrs?|minutes?|\d+_?min|per_(?:week|month|year|night|hour)|weekly|monthly|m|met(?:re|er)s?|steps|"
    r"km|hamd|ham_d|hads|madrs|phq|cesd|cris[ie]s|attacks?|latency|onset|duration)(?:_|$)"
)
"""Parts of a name that say another unit, instrument or event than the table's: hours of sleep are no rating of it."""


def _is_own(key: Name, node: Any) -> bool:
    """Whether a name is of no outcome of the tables: unknown, of another unit, or counted where theirs is measured."""
    if key.why == UNKNOWN:
        return True
    if not key.outcomes:
        return False
    kind, known = (
        _RATIOS.get(key.kind.removeprefix("ln "), "") or _kind(node),
        outcomes()[key.outcomes[0]].kind,
    )
    return bool(_OTHER.search(key.stem)) or (bool(kind) and (kind == "share") != (known == "share"))


def _named(trials: Sequence[Row]) -> Iterator[tuple[str, Any]]:
    """Names of outcomes and what stands under them; of the explicit form, the words that its names are."""
    for row in trials:
        rows = getattr(row, "results", None)
        for section in ("outcomes", "adverse_events"):
            for name, node in (getattr(row, section, None) or {}).items():
                if rows is None:
                    yield name, node
                    continue
                mine = tuple(as_printed(each) for each in rows if each.get("of") == name)
                for word in str(node.get("is") or "").split() if isinstance(node, Mapping) else ():
                    yield word, mine


def _kind(node: Any) -> str:
    """share where rows count participants, mean where they measure, empty where they do neither."""
    rows = node if isinstance(node, tuple) else (node,)
    fields = {name for row in rows if isinstance(row, Mapping) for name in row}
    if any(name in _MEANS for name in fields):
        return "mean"
    return "share" if any(name in _SHARES or name.endswith("_pct") for name in fields) else ""
