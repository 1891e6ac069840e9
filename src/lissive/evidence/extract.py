"""From the blocks of one trial's outcomes to two groups, or to the difference that the trial reports.

A block is what an entry has under one name: rows by arm, a difference with its interval, a ratio, shares by arm, words.
Whatever is not used leaves a reason (`Unused`); nothing is dropped silently.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lissive.evidence.arms import N_HARMS, N_MEANS, people_in
from lissive.evidence.comparison import Cited, Given, Group
from lissive.evidence.keys import Key, parse_key, scale_factor
from lissive.evidence.read import Located, cite, dotted, is_figure, number, plain
from lissive.evidence.unused import Unused, cited_in, of_subgroup, per_protocol, subgroup_in, words_of

_MEANS = ("change_mean", "mean_change", "mean", "change", "end_mean")
_SPREADS = {
    "change_mean": "change_sd",
    "mean_change": "change_sd",
    "mean": "sd",
    "change": "change_sd",
    "end_mean": "end_sd",
}


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
    if made.key.kind == "HR":
        return "a hazard ratio, which is not pooled here"
    if is_figure(node) or not isinstance(node, Mapping | tuple):
        return "one number, without the other group" if number(node) is not None else "reported in words"
    if made.key.kind in ("OR", "RR", "GMR") and isinstance(node, Mapping):
        return _ratio(made, name, node)
    if isinstance(node, tuple):
        return _rows(made, entry, section, name, node)
    if number(node.get("diff")) is not None:
        return _difference(made, entry, name, node, "", (name,))
    if shares := [each for each in node if re.fullmatch(r".+_(?:pct|n)", each)]:
        return _shares_by_name(made, entry, section, name, node, shares)
    if "result" in node:
        return "reported in words"
    if set(node) <= {"p", "note", "F", "interaction"}:
        return "only a p value"
    return "neither two groups nor a difference between them"


# -- reported differences and ratios -----------------------------------------------------------------
def _ratio(made: Block, name: str, node: Mapping[str, Any]) -> str:
    estimate = number(node.get("value"))
    if isinstance(node.get("value"), Mapping):
        estimate = number(node["value"])
    if estimate is None:
        return "no estimate"
    low, high = _ends(node.get("ci"))
    if low is None or high is None:
        return "a ratio without its interval"
    cited = [cite(f"{name}.value", node["value"]), cite(f"{name}.ci", node.get("ci"))]
    made.given[""] = (Given(made.key.kind, estimate, low, high, level=_level(node)), tuple(cited))
    return ""


def _difference(
    made: Block, entry: Located, name: str, node: Mapping[str, Any], arm: str, loc: tuple[str | int, ...]
) -> str:
    estimate = number(node["diff"])
    assert estimate is not None
    low, high = _ends(node.get("ci"))
    used = [cite(dotted((*loc, "diff")), node["diff"])]
    if low is not None:
        used.append(cite(dotted((*loc, "ci")), node["ci"]))
    se = number(node.get("se"))
    if low is None and se is not None:
        used.append(cite(dotted((*loc, "se")), node["se"]))
    sd = number(node.get("diff_sd"))
    if low is None and se is None and sd is not None:
        n, where = people_in(entry, "", N_MEANS)
        if n is None:
            return "a standard deviation of differences without the number of participants"
        se = sd / math.sqrt(n)
        used += [cite(dotted((*loc, "diff_sd")), node["diff_sd"]), where]
        made.notes += (f"standard error from the standard deviation of the differences, {sd:g}/sqrt({n:g})",)
    if low is None and se is None:
        return "a difference without interval or standard error"
    values = [estimate, *(each for each in (low, high) if each is not None)]
    factor, why = scale_factor(made.key, entry.outcome(made.outcome), values)
    if why:
        return why
    if entry.outcome(made.outcome).kind == "scale":
        return "a difference without groups, not on a common scale"
    sign = made.key.sign * (-1.0 if made.key.flipped else 1.0)
    low, high = _turned(low, high, factor * sign)
    error = None if se is None else _round(se * factor)
    given = Given("MD", _round(estimate * factor * sign), low, high, error, _level(node))
    made.notes += _scale_note(made.key, factor, sign)
    made.given[arm] = (given, tuple(used))
    return ""


def _level(row: Mapping[str, Any]) -> float:
    """Of a row's interval; 95 % where it states none."""
    return number(row.get("level")) or 0.95


def _turned(low: float | None, high: float | None, factor: float) -> tuple[float | None, float | None]:
    ends = sorted(_round(each * factor) for each in (low, high) if each is not None)
    return (ends[0], ends[1]) if len(ends) == 2 else (None, None)


def _round(x: float) -> float:
    """Without the last digits that a change of scale leaves: -0.84, and not -0.8400000000000001."""
    return float(f"{x:.10g}")


def _scale_note(key: Key, factor: float, sign: float) -> tuple[str, ...]:
    notes = []
    if factor != 1.0:
        notes.append(f"{key.text} times {factor:.3g}, to convert to the outcome's scale")
    if sign < 0:
        notes.append(f"{key.text} counts improvement as positive; sign reversed")
    return tuple(notes)


# -- rows by arm -----------------------------------------------------------------------------------
def _rows(made: Block, entry: Located, section: str, name: str, rows: tuple[Any, ...]) -> str:
    named = [(k, row) for k, row in enumerate(rows) if isinstance(row, Mapping) and row.get("arm")]
    if not named:
        return "before-after comparison without a control group"
    reasons = []
    for k, row in named:
        arm, loc = str(row["arm"]), (name, k)
        if number(row.get("diff")) is not None:
            reason = _difference(made, entry, name, row, arm, loc)
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
    notes += _scale_note(made.key, factor, sign)
    group = Group(arm, n=n, mean=_round(mean * sign), sd=None if sd is None else _round(sd * factor))
    return Side(group, tuple(used), notes, _is_split(arm, *used))


def _spread(
    row: Mapping[str, Any], mean: str, n: float | None, loc: tuple[str | int, ...]
) -> tuple[float | None, tuple[str, ...], list[Cited]]:
    """Standard deviation: as reported, or from a standard error or an interval of the mean."""
    name = _SPREADS[mean]
    if (sd := number(row.get(name))) is not None:
        return sd, (), [cite(dotted((*loc, name)), row[name])]
    for each in (name.replace("sd", "se"), "se"):
        if n is not None and (se := number(row.get(each))) is not None:
            note = f"standard deviation from the standard error: {se:g} x sqrt({n:g})"
            return se * math.sqrt(n), (note,), [_derived(cite(dotted((*loc, each)), row[each]))]
    low, high = _ends(row.get("ci"))
    if n is not None and n > 1 and low is not None and high is not None:
        from scipy.special import stdtrit

        level = _level(row)
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


def _ends(node: Any) -> tuple[float | None, float | None]:
    """Both ends of an interval, where they are two numbers."""
    ends = plain(node)
    if isinstance(ends, tuple) and len(ends) == 2 and all(isinstance(each, int | float) for each in ends):
        return float(ends[0]), float(ends[1])
    return None, None
