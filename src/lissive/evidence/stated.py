"""Differences and ratios that a trial itself reports, with their uncertainty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lissive.evidence.arms import N_MEANS, people_in, role
from lissive.evidence.block import Block, ends_of, level_of, rounded, scale_note
from lissive.evidence.comparison import Given
from lissive.evidence.keys import scale_factor
from lissive.evidence.read import Located, cite, dotted, number
from lissive.evidence.words import find


def stated_effect(made: Block, name: str, node: Mapping[str, Any]) -> str:
    """A ratio, the logarithm of one, or a standardised difference; returns why it cannot be used."""
    key = made.key
    measure = key.kind.removeprefix("ln ")
    estimate = number(node.get("value"))
    if estimate is None:
        return "no estimate"
    low, high = ends_of(node.get("ci"))
    se = number(node.get("se"))
    cited = [cite(f"{name}.value", node["value"])]
    if low is not None:
        cited.append(cite(f"{name}.ci", node.get("ci")))
    elif se is None:
        return f"{_NAMED.get(measure, 'a ratio')} without its interval"
    elif measure != "SMD" and not key.kind.startswith("ln "):
        return f"a ratio with a standard error of unknown scale: give its logarithm, as {key.stem}_ln_{measure.lower()}"
    else:
        cited.append(cite(f"{name}.se", node.get("se")))
    if key.kind.startswith("ln "):
        if max(abs(each) for each in (estimate, low or 0.0, high or 0.0)) > _LARGEST_LOG:
            return f"a logarithm of {estimate:g} is no plausible ratio"
        estimate, low, high = (None if each is None else math.exp(each) for each in (estimate, low, high))
        made.notes += ("logarithm of a ratio, as reported",)
    elif measure == "SMD":
        sign = key.sign * (-1.0 if key.flipped else 1.0)
        estimate, (low, high) = estimate * sign, _turned(low, high, sign)
        made.notes += scale_note(key, 1.0, sign)
    assert estimate is not None
    se = se if low is None else None
    made.given[""] = (Given(measure, estimate, low, high, se, level_of(node)), tuple(cited))
    return ""


_NAMED = {"SMD": "a standardised difference"}
_LARGEST_LOG = 50.0


def _se_of_p(entry: Located, estimate: float, p: float) -> tuple[float | None, str]:
    """Standard error of a difference from its exact two-sided p value, by t where the participants are known."""
    from scipy.special import ndtri, stdtrit

    if not 0.0 < p < 1.0 or not estimate:
        return None, ""
    df = _df(entry)
    quantile = float(ndtri(1 - p / 2) if df is None else stdtrit(df, 1 - p / 2))
    by = "z" if df is None else f"t, {df:g} degrees of freedom"
    return abs(estimate) / quantile, f"standard error from p = {p:g} ({by}): {abs(estimate):g}/{quantile:.3f}"


def _df(entry: Located) -> float | None:
    """Of the trial's own test: participants less 2, in a crossover less 1; None where they are not known."""
    row: Any = entry.row
    design = find("designs", row.design or "")
    if design is not None and design.word == "crossover":
        n = people_in(entry, "", N_MEANS)[0]
        return None if n is None or n < 2 else n - 1
    names = [str(each.get("arm")) for each in row.arms or ()]
    sizes = [people_in(entry, name, N_MEANS)[0] for name in names if role(name) != "total"]
    known = [n for n in sizes if n is not None]
    return sum(known) - 2 if len(known) == len(sizes) == 2 and sum(known) > 2 else None


def stated_difference(
    made: Block, entry: Located, name: str, node: Mapping[str, Any], arm: str, loc: tuple[str | int, ...]
) -> str:
    estimate = number(node["diff"])
    assert estimate is not None
    low, high = ends_of(node.get("ci"))
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
    p = number(node.get("p"))
    if low is None and se is None and p is not None:
        se, note = _se_of_p(entry, estimate, p)
        if se is not None:
            used.append(replace(cite(dotted((*loc, "p")), node["p"]), provenance="derived"))
            made.notes += (note,)
    if low is None and se is None:
        return "a difference without interval, standard error or exact p value"
    values = [estimate, *(each for each in (low, high) if each is not None)]
    factor, why = scale_factor(made.key, entry.outcome(made.outcome), values)
    if why:
        return why
    if entry.outcome(made.outcome).kind == "scale":
        return "a difference without groups, not on a common scale"
    sign = made.key.sign * (-1.0 if made.key.flipped else 1.0)
    low, high = _turned(low, high, factor * sign)
    error = None if se is None else rounded(se * factor)
    given = Given("MD", rounded(estimate * factor * sign), low, high, error, level_of(node))
    made.notes += scale_note(made.key, factor, sign)
    made.given[arm] = (given, tuple(used))
    return ""


def _turned(low: float | None, high: float | None, factor: float) -> tuple[float | None, float | None]:
    ends = sorted(rounded(each * factor) for each in (low, high) if each is not None)
    return (ends[0], ends[1]) if len(ends) == 2 else (None, None)
