"""What of an answer is kept, how it is written, and what moved between two answers.

Kept are numbers, true, false, null, and ids: words without a space, as `spasticity_nrs` or `2026-11-22`. Sentences
may be worded anew at any time and are not kept, nor are versions, hashes, addresses and paths.

A number has a path, as `case-ms/forecast/outcomes/pain_nrs/active/median/3`. Where ids get other names, `renamed.tsv`
says which path is which now, so that the numbers are still compared:

    old                                     new
    */forecast/outcomes/per_day             */forecast/outcomes/spasms_per_day
    **/endpoint=per_day                     **/endpoint=spasms_per_day

`*` stands for one step of a path and `**` for any number of them; what lies below a path goes with it; `=` names a
value that is an id. Rows are applied in their order.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

Leaf = float | int | bool | str | None
Leaves = dict[str, Leaf]
Rename = tuple[str, str]

WORDS = set("label topic topics name note quote said text title what pointer sources weeks claim".split())
"""Fields of words for people, also where they have a single one."""
ORIGINS = set(
    "lissive lissive_version data_versions model_hash stamp steps url source_url citation out".split()
)
"""Fields that say what made the answer and with how much work, and where something is written."""
ID = re.compile(r"(?!/)[\w.+*/<>=|\[\]:%-]*")
WIDTH = 400


def kept(answer: Any) -> Any:
    """The answer without sentences and origins."""
    if isinstance(answer, Mapping):
        parts = {key: kept(value) for key, value in answer.items() if _counts(key, value)}
        return {key: value for key, value in parts.items() if value not in ({}, [])}
    if isinstance(answer, list | tuple):
        parts_ = [kept(each) for each in answer]
        return [] if any(isinstance(each, str) and not _is_id(each) for each in answer) else parts_
    return answer


def _counts(key: str, value: Any) -> bool:
    said = value[0] if isinstance(value, list) and value else value
    for_people = key in WORDS or key.endswith(("_label", "_words"))
    if key in ORIGINS or (for_people and isinstance(said, str | None)):
        return False
    return not isinstance(value, str) or _is_id(value)


def _is_id(text: str) -> bool:
    return ID.fullmatch(text) is not None and "://" not in text and not text.endswith((".yaml", ".tsv"))


def written(answer: Any, indent: str = "") -> str:
    """JSON with sorted keys, what is short, as a row of a table, on one line."""
    line = json.dumps(answer, sort_keys=True, ensure_ascii=False)
    if not isinstance(answer, dict | list) or (len(line) <= WIDTH and line.count("{") <= 1):
        return line
    inner = indent + " "
    if isinstance(answer, dict):
        parts = [f"{json.dumps(key)}: {written(answer[key], inner)}" for key in sorted(answer)]
        return "{\n" + ",\n".join(inner + part for part in parts) + f"\n{indent}}}"
    if not any(isinstance(each, dict | list) for each in answer):
        return line
    return "[\n" + ",\n".join(inner + written(each, inner) for each in answer) + f"\n{indent}]"


def leaves(answer: Any, path: str) -> Leaves:
    """Path to value."""
    return dict(_leaves(answer, path))


def _leaves(answer: Any, path: str) -> Iterator[tuple[str, Leaf]]:
    if isinstance(answer, dict | list):
        for key, value in answer.items() if isinstance(answer, dict) else enumerate(answer):
            yield from _leaves(value, f"{path}/{key}")
    else:
        yield path, answer


# -- other names ------------------------------------------------------------------------------------
def read_renames(path: Path) -> list[Rename]:
    """The rows of renamed.tsv."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["old"], row["new"]) for row in csv.DictReader(file, delimiter="\t")]


def renamed(old: Leaves, renames: Sequence[Rename]) -> Leaves:
    """The values by their new paths, ids by their new words.

    >>> renamed({"a/0/hits": 1, "a/0/of": "per_day"}, [("*/*/hits", "*/*/n"), ("**/of=per_day", "**/of=spasms")])
    {'a/0/n': 1, 'a/0/of': 'spasms'}
    """
    for before, after in renames:
        pattern, filled = _pattern(before), after.replace("**", "*").replace("*", "{}")
        found: Leaves = {}
        for path, value in old.items():
            said = f"{path}={value}" if "=" in before and isinstance(value, str) else path
            if match := pattern.fullmatch(said):
                *steps, below = match.groups()
                path, _, word = (filled.format(*steps) + (below or "")).partition("=")
                value = word or value
            if path in found:
                raise ValueError(f"{before} and what was there before both become {path}")
            found[path] = value
        old = found
    return old


def _pattern(path: str) -> re.Pattern[str]:
    parts = {"*": "([^/=]+)", "**": "([^=]+)"}
    middle = "".join(parts.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*)", path))
    return re.compile(middle + ("()" if "=" in path else "(/.*)?"))


# -- what moved -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Moved:
    """One value that is not what it was; `old` or `new` is MISSING where there is none."""

    path: str
    old: Leaf
    new: Leaf
    size: float
    """Relative change; infinite where it is none of a number."""

    def __str__(self) -> str:
        size = f"   {self.size:.1e}" if math.isfinite(self.size) else ""
        return f"{self.path}   {_shown(self.old)} → {_shown(self.new)}{size}"


MISSING = "(nothing)"


def moved(old: Leaves, new: Leaves, *, within: tuple[float, float] = (0.0, 0.0)) -> list[Moved]:
    """What differs, largest relative change first; numbers may differ by `within`, relative and absolute."""
    found = []
    for path in dict.fromkeys((*old, *new)):
        a, b = old.get(path, MISSING), new.get(path, MISSING)
        if not _same(a, b, within):
            found.append(Moved(path, a, b, _size(a, b)))
    return sorted(found, key=lambda each: -each.size)


def _same(a: Leaf, b: Leaf, within: tuple[float, float]) -> bool:
    relative, absolute = within
    if any(within) and _number(a) and _number(b) and math.isfinite(a) and math.isfinite(b):
        return abs(a - b) <= absolute + relative * abs(a)
    return json.dumps(a) == json.dumps(b)


def _size(a: Leaf, b: Leaf) -> float:
    if _number(a) and _number(b) and math.isfinite(a) and math.isfinite(b):
        return abs(a - b) / max(abs(a), abs(b), 1e-300)
    return math.inf


def _number(value: Leaf) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Leaf) -> str:
    return value if isinstance(value, str) else json.dumps(value)
