"""From the blocks of one trial's outcomes to two groups, or to the difference that the trial reports.

A block is what an entry has under one name: rows by arm, a difference with its interval, a ratio, shares by arm, words.
Whatever is not used leaves a reason (`Unused`); nothing is dropped silently.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from statistics import NormalDist
from typing import Any

from lissive.evidence.arms import N_HARMS, N_MEANS, people_in
from lissive.evidence.block import Block, Side, ends_of, level_of, rounded, scale_note
from lissive.evidence.comparison import MEASURES, Cited, Group
from lissive.evidence.keys import parse_key, scale_factor
from lissive.evidence.read import Located, cite, dotted, is_figure, number
from lissive.evidence.stated import stated_difference, stated_effect
from lissive.evidence.unused import Unused, cited_in, of_subgroup, per_protocol, subgroup_in, words_of

_MEANS = ("change_mean", "mean_change", "mean", "change", "end_mean")
_SPREADS = {
    "change_mean": "change_sd",
    "mean_change": "change_sd",
    "mean": "sd",
    "change": "change_sd",
    "end_mean": "end_sd",
}


def blocks(entry: Located) -> Iterator[Block | Unused]:
    """Every block of a trial's outcomes and adverse events."""
    row: Any = entry.row
    for section in ("outcomes", "adverse_events"):
        found = getattr(row, section, None) or {}
        for name, node in found.items():
            yield from _block(entry, section, name, node, tuple(found))


def _block(
    entry: Located, section: str, name: str, node: Any, others: tuple[str, ...]
) -> Iterator[Block | Unused]:
    key = parse_key(name, others)
    if key.stem in (entry.own or {}):
        key = replace(key, outcomes=(key.stem,), why="")
    if key.why:
        outcome = key.outcomes[0] if key.outcomes else ""
        yield Unused(entry.id, name, key.why, outcome, words_of(node, key.kind), cited_in(name, node))
        return
    for outcome in key.outcomes:
        made = Block(key, outcome)
        reason = _fill(made, entry, section, name, node)
        if reason:
            yield Unused(entry.id, name, reason, outcome, words_of(node), cited_in(name, node))
            continue
        yield made
        yield from per_protocol(entry.id, name, outcome, node)


def _fill(made: Block, entry: Located, section: str, name: str, node: Any) -> str:
    """Fill a block; returns why it cannot be used."""
    if node is None:
        return "unknown"
    if whose := subgroup_in(node):
        return of_subgroup(whose)
    if made.key.kind == "p":
        return "only a p value"
    if is_figure(node) or not isinstance(node, Mapping | tuple):
        return "one number, without the other group" if number(node) is not None else "reported in words"
    if made.key.kind.removeprefix("ln ") in MEASURES and isinstance(node, Mapping):
        return stated_effect(made, name, node)
    if isinstance(node, tuple):
        return _rows(made, entry, section, name, node)
    if number(node.get("diff")) is not None:
        return stated_difference(made, entry, name, node, "", (name,))
    if shares := [each for each in node if re.fullmatch(r".+_(?:pct|n)", each)]:
        return _shares_by_name(made, entry, section, name, node, shares)
    if "result" in node:
        return "reported in words"
    if set(node) <= {"p", "note", "F", "interaction"}:
        return "only a p value"
    return "neither two groups nor a difference between them"


# -- rows by arm -----------------------------------------------------------------------------------
def _rows(made: Block, entry: Located, section: str, name: str, rows: tuple[Any, ...]) -> str:
    named = [(k, row) for k, row in enumerate(rows) if isinstance(row, Mapping) and row.get("arm")]
    if not named:
        return "before-after comparison without a control group"
    reasons = []
    for k, row in named:
        arm, loc = str(row["arm"]), (name, k)
        if number(row.get("diff")) is not None:
            reason = stated_difference(made, entry, name, row, arm, loc)
        else:
            reason = _side(made, entry, section, arm, row, loc)
        if reason:
            reasons.append(reason)
    if made.given or len(made.sides) > 1:
        return ""
    return reasons[0] if reasons else "one arm only"


def _side(
    made: Block, entry: Located, section: str, arm: str, row: Mapping[str, Any], loc: tuple[str | int, ...]
) -> str:
    counts = N_HARMS if section == "adverse_events" else N_MEANS
    if entry.outcome(made.outcome).kind == "share":
        side = _share(entry, arm, row, loc, counts)
        if isinstance(side, str):
            return side
        made.sides[arm] = side
        return ""
    side = _mean(made, entry, arm, row, loc, counts)
    if isinstance(side, str):
        return side
    made.sides[arm] = side
    return ""


def _share(
    entry: Located, arm: str, row: Mapping[str, Any], loc: tuple[str | int, ...], counts: tuple[str, ...]
) -> Side | str:
    counted, whole = ("events", "N" if "N" in row else "n") if "events" in row else ("n", "N")
    events, pct = number(row.get(counted)), number(row.get("pct"))
    n, where = number(row.get(whole)), cite(dotted((*loc, whole)), row.get(whole))
    time = number(row.get("person_time"))
    if events is not None and time is not None:
        both = tuple(cite(dotted((*loc, each)), row[each]) for each in (counted, "person_time"))
        return Side(Group(arm, n=n, events=events, person_time=time), both)
    if events is None and pct is None:
        if number(row.get("pct_pp")) is not None:
            return "per protocol: shown, not pooled"
        return "neither count nor percentage"
    if n is None:
        n, where = people_in(entry, arm, counts)
    if n is None:
        return f"{'a count' if pct is None else 'a percentage'} without the number of participants ({whole})"
    notes: tuple[str, ...] = ()
    if events is not None:
        used = cite(dotted((*loc, counted)), row[counted])
    else:
        assert pct is not None
        events = float(round(pct * n / 100.0))
        read = cite(dotted((*loc, "pct")), row["pct"])
        used = replace(read, provenance=_at_best_derived(read.provenance))
        notes = (f"{pct:g} % of {n:g} in {arm} is about {events:g}",)
    return Side(Group(arm, n=n, events=events), (used, where), notes, _is_split(arm, used, where))


def _at_best_derived(provenance: str) -> str:
    return "derived" if provenance == "read" else provenance


def _is_split(arm: str, *cited: Cited) -> bool:
    return "split" in arm or any("split" in f"{each.pointer} {each.note}" for each in cited)


def _mean(
    made: Block,
    entry: Located,
    arm: str,
    row: Mapping[str, Any],
    loc: tuple[str | int, ...],
    counts: tuple[str, ...],
) -> Side | str:
    name = next((each for each in _MEANS if number(row.get(each)) is not None), None)
    if name is None and number(row.get("median")) is not None:
        name = "median"
    if name is None:
        if any(each.endswith("_pp") for each in row):
            return "per protocol: shown, not pooled"
        return "no mean"
    mean = number(row[name])
    assert mean is not None
    used = [cite(dotted((*loc, name)), row[name])]
    n, where = number(row.get("N")), cite(dotted((*loc, "N")), row.get("N"))
    if n is None:
        n, where = number(row.get("n")), cite(dotted((*loc, "n")), row.get("n"))
    if n is None:
        n, where = people_in(entry, arm, counts)
    sd, notes, more = _spread(row, name, n, loc)
    used += more
    if n is not None:
        used.append(where)
    if name == "median":
        quarters = _of_quartiles(mean, row, n, loc)
        if isinstance(quarters, str):
            return quarters
        mean, sd, notes, used = quarters[0], quarters[1], (quarters[2],), [*map(_derived, used), quarters[3]]
    values = [mean, *([sd] if sd is not None else [])]
    factor, why = scale_factor(made.key, entry.outcome(made.outcome), values)
    if why:
        return why
    sign, top = made.key.sign, entry.outcome(made.outcome).upper
    mean *= factor
    if made.key.flipped and name.startswith("end") and top is not None:
        mean, notes = top - mean, (*notes, f"{made.key.text}: its maximum is the best; scale reversed")
    elif made.key.flipped:
        sign = -sign
    notes += scale_note(made.key, factor, sign)
    group = Group(arm, n=n, mean=rounded(mean * sign), sd=None if sd is None else rounded(sd * factor))
    return Side(group, tuple(used), notes, _is_split(arm, *used))


def _spread(
    row: Mapping[str, Any], mean: str, n: float | None, loc: tuple[str | int, ...]
) -> tuple[float | None, tuple[str, ...], list[Cited]]:
    """Standard deviation: as reported, or from a standard error or an interval of the mean."""
    if mean == "median":
        return None, (), []
    name = _SPREADS[mean]
    if (sd := number(row.get(name))) is not None:
        return sd, (), [cite(dotted((*loc, name)), row[name])]
    for each in (name.replace("sd", "se"), "se"):
        if n is not None and (se := number(row.get(each))) is not None:
            note = f"standard deviation from the standard error: {se:g} x sqrt({n:g})"
            return se * math.sqrt(n), (note,), [_derived(cite(dotted((*loc, each)), row[each]))]
    low, high = ends_of(row.get("ci"))
    if n is not None and n > 1 and low is not None and high is not None:
        from scipy.special import stdtrit

        level = level_of(row)
        wide = 2 * float(
            stdtrit(n - 1, 0.5 + level / 2)
        )  # the interval of a mean is of t, not of 3.92 errors
        sd = (high - low) / wide * math.sqrt(n)
        note = (
            f"standard deviation from the {100 * level:g} % interval of the mean, by t: ({high:g} - {low:g}) / "
            f"{wide:.2f} x sqrt({n:g})"
        )
        return sd, (note,), [_derived(cite(dotted((*loc, "ci")), row["ci"]))]
    return None, (), []


def _of_quartiles(
    median: float, row: Mapping[str, Any], n: float | None, loc: tuple[str | int, ...]
) -> tuple[float, float, str, Cited] | str:
    """Mean and deviation of a median with its quartiles, assuming values near normal (Wan and others 2014)."""
    low, high = ends_of(row.get("iqr"))
    if low is None or high is None or n is None:
        return "a median without quartiles (iqr) and participants"
    if not low <= median <= high or low == high:
        return f"quartiles {low:g} and {high:g} that do not fit the median {median:g}"
    mean = (low + median + high) / 3
    sd = (high - low) / (2 * NormalDist().inv_cdf((0.75 * n - 0.125) / (n + 0.25)))
    note = (
        f"mean and deviation from median {median:g} and quartiles {low:g} and {high:g} (Wan and others 2014)"
    )
    return mean, sd, note, _derived(cite(dotted((*loc, "iqr")), row["iqr"]))


def _derived(cited: Cited) -> Cited:
    return replace(cited, provenance=_at_best_derived(cited.provenance))


def _shares_by_name(
    made: Block, entry: Located, section: str, name: str, node: Mapping[str, Any], fields: list[str]
) -> str:
    """Percentages as {nabiximols_pct: 45, placebo_pct: 33}."""
    counts = N_HARMS if section == "adverse_events" else N_MEANS
    reasons = []
    for each in fields:
        arm, _, what = each.rpartition("_")
        side = _share(entry, arm, {what: node[each]}, (name,), counts)
        if isinstance(side, str):
            reasons.append(side)
        else:
            made.sides[arm] = replace(side, cited=tuple(_renamed(side.cited, name, each)))
    return "" if len(made.sides) > 1 else (reasons[0] if reasons else "one arm only")


def _renamed(cited: tuple[Cited, ...], name: str, each: str) -> Iterator[Cited]:
    for one in cited:
        yield replace(one, what=f"{name}.{each}") if one.what.startswith(f"{name}.") else one
