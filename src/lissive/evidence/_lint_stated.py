"""Reported differences checked against the trial's own groups: their sign, and the width of their interval."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from lissive.evidence._lint_figures import SIZE, Fault
from lissive.evidence.blocks import Block, blocks
from lissive.evidence.read import Located
from lissive.publications.arms import role


def against_interval(entry: Located) -> Iterator[Fault]:
    """Standard deviations too small for the interval of the difference, by about the square root of n."""
    for block, stated, (active, control) in _stated(entry):
        if stated.measure != "MD" or stated.low is None or stated.high is None:
            continue
        if not (active.n and control.n and active.sd and control.sd):
            continue
        wide = (stated.high - stated.low) / SIZE
        narrow = math.sqrt(active.sd**2 / active.n + control.sd**2 / control.n)
        if wide / narrow > math.sqrt(min(active.n, control.n)) / 2 > 1.5:
            what = (
                f"has standard deviations {active.sd:g} and {control.sd:g}, {wide / narrow:.1f} times too small for "
                "the interval of the difference: they look like standard errors."
            )
            yield Fault(
                "se", entry.id, entry.where("outcomes", block.key.text), f"outcomes.{block.key.text} {what}"
            )


def _stated(entry: Located) -> Iterator[tuple[Block, Any, tuple[Any, Any]]]:
    """Blocks with groups, each with the difference that the same trial states of the same arm and outcome."""
    if entry.kind != "trial":
        return
    found = [each for each in blocks(entry) if isinstance(each, Block)]
    for block in found:
        control = next((s.group for a, s in block.sides.items() if role(a) == "control"), None)
        for arm, side in block.sides.items():
            if control is None or role(arm) != "active":
                continue
            for other in found:
                for name, (given, _) in other.given.items():
                    if other.outcome == block.outcome and name in (arm, ""):
                        yield block, given, (side.group, control)


def signs(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """A reported difference in the opposite direction to its groups' means or proportions."""
    for entry in entries:
        if entry.row.rejected or _says_unsure(entry):
            continue
        for block, given, (active, control) in _stated(entry):
            other = _difference(given.measure, active, control)
            if other is None:
                continue
            stated = (
                math.log(given.estimate) if given.measure != "MD" and given.estimate > 0 else given.estimate
            )
            if stated * other < 0 and abs(stated - other) > _doubt(given, stated):
                what = (
                    f"is {'higher' if other > 0 else 'lower'} than control by its groups, and "
                    f"{'higher' if stated > 0 else 'lower'} by the reported difference ({given.measure} "
                    f"{given.estimate:g}); if the sign is not known, state that in sign_convention."
                )
                yield Fault(
                    "signs",
                    entry.id,
                    entry.where("outcomes", block.key.text),
                    f"outcomes.{block.key.text} {what}",
                )


def _says_unsure(entry: Located) -> bool:
    outcomes = getattr(entry.row, "outcomes", None)
    return isinstance(outcomes, Mapping) and isinstance(outcomes.get("sign_convention"), str)


def _doubt(given: Any, stated: float) -> float:
    """How far rounding and adjustment may move a difference: half a standard error."""
    if given.se is not None:
        return float(given.se) / 2
    if given.low is None or given.high is None:
        return abs(stated)
    if given.measure == "MD":
        return float(given.high - given.low) / SIZE / 2
    return math.log(given.high / given.low) / SIZE / 2 if 0 < given.low < given.high else 0.0


def _difference(measure: str, active: Any, control: Any) -> float | None:
    if measure == "MD" and active.mean is not None and control.mean is not None:
        return float(active.mean - control.mean)
    if measure in ("OR", "RR") and active.events and control.events and active.n and control.n:
        return math.log((active.events / active.n) / (control.events / control.n))
    return None
