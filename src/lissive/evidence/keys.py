"""The name of an outcome in a file of trials, parsed: what is measured, how it is reported, on which scale.

>>> key = parse_key("ashworth_total_reduction_vs_placebo"); key.outcomes, key.kind, key.sign
(('ashworth_total',), 'difference', -1.0)
>>> parse_key("pain_vas_0_100_higher_better").top, parse_key("relief_or").kind
(100.0, 'OR')
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from lissive.evidence.words import NOT_USED, Outcome, outcomes, table

_KINDS = {
    **{f"ln {each.upper()}": rf"_(?:ln|log)_?{each}$" for each in ("or", "rr", "hr", "irr", "gmr")},
    "difference": r"_(?:between|vs_placebo|vs_control|difference|diff)$",
    "OR": r"_(?:or|odds_ratio)$",
    "RR": r"_(?:rr|risk_ratio|relative_risk)$",
    "HR": r"_(?:hr|hazard_ratio)$",
    "IRR": r"_(?:irr|rate_ratio)$",
    "SMD": r"_(?:smd|hedges_g)$",
    "GMR": r"_(?:gmr|geometric_mean_ratio|ratio)$",
    "p": r"_(?:p|p_value|pvalue)$",
}
UNKNOWN = "not an outcome of this review"
"""Why a name that no pattern matches is not used."""
_TOPS = {"nrs": 10.0, "mm": 100.0, "cm": 10.0}


@dataclass(frozen=True)
class Key:
    """One name. `why` says why it is not used; empty where it is used."""

    text: str
    stem: str = ""
    """The name without what says its kind: `mortality` of mortality_rr."""
    outcomes: tuple[str, ...] = ()
    kind: str = ""
    """difference, OR, RR, HR, IRR, SMD, GMR, `ln OR` and so on, p; empty where the fields say."""
    sign: float = 1.0
    """-1 where the name counts improvement as positive."""
    top: float | None = None
    """Upper end of the scale that it is printed on, where the name or a sibling says it."""
    flipped: bool = False
    """Whether the top of the scale is the best."""
    why: str = ""


@cache
def parse_key(text: str, others: tuple[str, ...] = ()) -> Key:
    """Parse a name; a scale that it does not state is looked up in the entry's `others`."""
    rest, kind = text.lower(), ""
    for each, pattern in _KINDS.items():
        if found := re.search(pattern, rest):
            rest, kind = rest[: found.start()], each
            break
    row = next((row for row in table("keys") if re.search(row["pattern"], rest)), None)
    words = tuple(row["outcome"].split()) if row else ()
    why = UNKNOWN if row is None else ""
    if row is not None and row["outcome"] == NOT_USED:
        words, why = (), row["note"]
    if kind == "p":
        why = "only a p value"
    words = tuple(_of_pain(word, rest, others) for word in words)
    top = _top(rest, kind, others, text)
    if words == ("ashworth_total",) and top is not None:
        words = ("ashworth",)  # a sum whose top is known is put on the scale of one item
    improves = bool(re.search(r"_(?:reduction|improvement)(?:_|$)", rest)) and not rest.endswith("_pct")
    return Key(
        text,
        rest,
        words,
        kind,
        -1.0 if improves else 1.0,
        top,
        "higher_better" in rest,
        why,
    )


def _of_pain(word: str, rest: str, others: Iterable[str]) -> str:
    """Responders without a named symptom are those of the trial's subject: pain where it measures no spasticity."""
    if not re.match(r"responders_\d", rest) or f"pain_{word}" not in outcomes():
        return word
    siblings = " ".join(others).lower()
    return (
        f"pain_{word}"
        if "pain" in siblings and not re.search(r"spastic|stiff|ashworth|nrs", siblings)
        else word
    )


def _top(rest: str, kind: str, others: Iterable[str], text: str) -> float | None:
    if found := re.search(r"_0_(\d+)(?=_|$)", rest):
        return float(found[1])
    for part in rest.split("_"):
        if part in _TOPS:
            return _TOPS[part]
    if kind == "difference":  # stiffness_between has the scale of stiffness_crs_0_10
        longer = [each for each in others if each != text and each.lower().startswith(f"{rest}_")]
        tops = {top for each in longer if (top := _top(each.lower(), "", (), each)) is not None}
        return tops.pop() if len(tops) == 1 else None
    return None


def scale_factor(key: Key, known: Outcome, values: Iterable[float]) -> tuple[float, str]:
    """Factor from the printed scale to the outcome's own, and why there is none.

    >>> scale_factor(parse_key("pain_vas_0_100"), outcomes()["pain_nrs"], [30.0])
    (0.1, '')
    >>> scale_factor(parse_key("spasm_frequency_vas"), outcomes()["spasms_per_day"], [-21.4])[1]
    'a rating, not a count'
    """
    if known.kind in ("share", "scale"):
        return 1.0, ""
    parts = key.text.lower().split("_")
    if known.kind == "count":
        return 1.0, "a rating, not a count" if {"vas", "nrs", "crs"} & set(parts) else ""
    if known.upper is None:
        return 1.0, ""
    largest = max((abs(value) for value in values), default=0.0)
    top = key.top
    if top is None and {"vas", "crs"} & set(parts):
        top = 100.0 if largest > 10.0 else 10.0
    if top is None:
        top = known.upper
    if largest > top:
        return 1.0, f"{largest:g} exceeds {top:g}, the maximum of its scale; the scale is not stated"
    return known.upper / top, ""
