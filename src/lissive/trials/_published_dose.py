"""What a published trial says of doses taken and of people who left: figures outside its outcomes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lissive.case.products import product
from lissive.trials import _published_prose as prose
from lissive.trials._published_figures import share_error
from lissive.trials._published_frame import Frame
from lissive.trials._published_parts import Entry, Figure, Observed, is_leaf, least_certain, plain
from lissive.trials._published_rows import arm_of

_SPRAYS = ("sprays", "sprays_day", "sprays_end", "units", "capsules", "capsules_day", "cigarettes_day")
_ARM_FIELDS = {"arm", "n", "n_randomised", "n_treated", "n_analysed", "n_enrolled", "n_completed"}


@dataclass(frozen=True)
class _Dose:
    arm: str
    what: str
    """units, thc, cbd or sd."""
    figure: Figure
    printed: str
    node: Any


def observe_doses(entry: Entry, frame: Frame) -> Iterator[Observed]:
    """Means and standard deviations of the dose [units a day]."""
    node = entry.data.get("mean_dose")
    if node is None:
        return
    if not isinstance(node, Mapping) or is_leaf(node):
        entry.skip("mean_dose", "its unit is not stated (sprays_day, thc_mg_day)")
        return
    doses = [dose for name in node if (dose := _dose(entry, frame, name, node[name]))]
    for arm in frame.arms:
        yield from _of_arm(entry, frame, arm, [dose for dose in doses if dose.arm == arm])


def _dose(entry: Entry, frame: Frame, name: str, value: Any) -> _Dose | None:
    printed = f"mean_dose.{name}"
    figure = entry.figure(value)
    arm, rest = arm_of(frame, name)
    if figure is None:
        entry.skip(printed, "unknown" if plain(value) is None else "no number")
        return None
    if arm is None:
        rest = name
        if len(frame.active) != 1:
            entry.skip(printed, f"the arm is not stated: {', '.join(frame.active)}")
            return None
        arm = frame.active[0]
    rest = rest.removeprefix("oral_")
    if rest == "sd" or rest.endswith("_sd"):
        return _Dose(arm, "sd", figure, printed, value)
    if rest in _SPRAYS:
        return _Dose(arm, "units", figure, printed, value)
    if found := re.fullmatch(r"(?:(thc|cbd)_)?mg(?:_day)?", rest):
        only_cbd = not frame.arms[arm].get("thc_mg_per_unit", 1.0)
        return _Dose(arm, found[1] or ("cbd" if only_cbd else "thc"), figure, printed, value)
    entry.skip(printed, "a dose that is not read")
    return None


def _of_arm(entry: Entry, frame: Frame, arm: str, doses: Sequence[_Dose]) -> Iterator[Observed]:
    """The mean in units, or from the mg of it; what says the same again is skipped."""
    means = sorted((d for d in doses if d.what != "sd"), key=lambda d: ("units", "thc", "cbd").index(d.what))
    if not means:
        for each in doses:
            entry.skip(each.printed, "an SD without its mean")
        return
    first, *again = means
    for each in again:
        entry.skip(each.printed, f"the same dose as {first.printed}")
    scale = _per_unit(frame, arm, first.what)
    if not scale:
        entry.skip(first.printed, f"a unit of {arm} has none of it")
        return
    beside = entry.figure(node.get("sd"), node) if isinstance(node := first.node, Mapping) else None
    sd = next((d.figure for d in doses if d.what == "sd"), None) or beside or _noted_sd(first.figure)
    n = frame.groups.of(arm).analysed
    error = sd.value / scale / math.sqrt(n) if sd and n else None
    mean = Observed(
        entry.id, arm, None, "dose", "mean", first.figure.value / scale, error, None, n, None,
        least_certain(first.figure.provenance, *([sd.provenance] if sd else [])), first.printed,
    )  # fmt: skip
    if first.what != "units":
        mean = replace(mean, provenance=least_certain(mean.provenance, "derived"))
    yield mean
    if sd and sd.value > 0:
        spread = sd.value / scale
        printed = next((d.printed for d in doses if d.what == "sd"), first.printed)
        error = spread / math.sqrt(2 * (n - 1)) if n and n > 1 else None
        yield replace(
            mean, statistic="sd", value=spread, error=error, provenance=sd.provenance, printed=printed
        )


def _noted_sd(figure: Figure) -> Figure | None:
    """A spread that stands in the note beside the mean."""
    value = prose.sd_in(figure.note)
    if value is None:
        return None
    provenance = "recalled" if "recalled" in figure.note else figure.provenance
    return Figure(value, provenance, "")


def _per_unit(frame: Frame, arm: str, what: str) -> float:
    """How much of what is counted is in a unit."""
    if what == "units":
        return 1.0
    fields = frame.arms[arm]
    made = product(fields["product"])
    usual = made.thc_mg_per_unit if what == "thc" else made.cbd_mg_per_unit
    return float(fields.get(f"{what}_mg_per_unit", usual or 0.0))


def observe_leaving(entry: Entry, frame: Frame) -> Iterator[Observed]:
    """The share that did not complete, of the arms that say how many did; other fields of arms are skipped."""
    rows = entry.data.get("arms")
    for row in rows if isinstance(rows, tuple) else ():
        if not isinstance(row, Mapping):
            continue
        name = str(plain(row.get("arm")))
        for field in row:
            if field not in _ARM_FIELDS:
                entry.skip(f"arms.{name}.{field}", "a field of an arm that is not read")
        arm = frame.arm(name)
        completed = entry.figure(row.get("n_completed"), row)
        started = next(
            (f for k in ("n_randomised", "n_treated", "n") if (f := entry.figure(row.get(k), row))), None
        )
        if completed is None:
            continue
        printed = f"arms.{name}.n_completed"
        if arm is None or started is None or started.value <= 0:
            entry.skip(printed, "the arm or its size is not stated")
            continue
        value, n = 1.0 - completed.value / started.value, int(started.value)
        yield Observed(
            entry.id, arm, None, "withdrawal", "share", value, share_error(value, n), None, n, None,
            least_certain(completed.provenance, started.provenance), printed,
        )  # fmt: skip
