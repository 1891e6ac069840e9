"""What a published trial says of doses taken and of people who left: figures outside its outcomes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lissive.case.products import product
from lissive.publications import prose
from lissive.publications.arms import split_field
from lissive.publications.entry import Entry, least_certain
from lissive.publications.tables import Figure, is_figure, number, plain
from lissive.trials._published_observed import Observed, Seen, share_error

_SPRAYS = ("sprays", "sprays_day", "sprays_end", "units", "capsules", "capsules_day", "cigarettes_day")
_ARM_FIELDS = {"arm", "n", "n_randomised", "n_treated", "n_analysed", "n_enrolled", "n_completed"}


@dataclass(frozen=True)
class _Dose:
    arm: str
    what: str
    """units, thc, cbd or sd."""
    figure: Figure
    sd: Figure | None
    """Where it stands within the figure."""


def observe_doses(entry: Entry, seen: Seen) -> Iterator[Observed]:
    """Means and standard deviations of the dose [units a day]."""
    node = entry.data.get("mean_dose")
    if node is None:
        return
    if not isinstance(node, Mapping) or is_figure(node):
        entry.skip("mean_dose", "its unit is not stated (sprays_day, thc_mg_day)")
        return
    doses = [dose for name in node if (dose := _dose(entry, seen, name, node[name]))]
    for arm in seen.plan.arms:
        yield from _of_arm(entry, seen, arm, [dose for dose in doses if dose.arm == arm])


def _dose(entry: Entry, seen: Seen, name: str, value: object) -> _Dose | None:
    printed = f"mean_dose.{name}"
    figure, plan = entry.figure(printed, value), seen.plan
    arm, rest = split_field(name, plan.arms, plan.control)
    if figure is None:
        entry.skip(printed, "unknown" if plain(value) is None else "no number")
        return None
    if not arm:
        if len(plan.active) != 1:
            entry.skip(printed, f"the arm is not stated: {', '.join(plan.active)}")
            return None
        arm = plan.active[0]
    rest = rest.removeprefix("oral_")
    within = entry.figure(printed, value.get("sd"), value) if isinstance(value, Mapping) else None
    if rest == "sd" or rest.endswith("_sd"):
        return _Dose(arm, "sd", figure, None)
    if rest in _SPRAYS:
        return _Dose(arm, "units", figure, within)
    if found := re.fullmatch(r"(?:(thc|cbd)_)?mg(?:_day)?", rest):
        only_cbd = not plan.arms[arm].get("thc_mg_per_unit", 1.0)
        return _Dose(arm, found[1] or ("cbd" if only_cbd else "thc"), figure, within)
    entry.skip(printed, "a dose that is not read")
    return None


def _of_arm(entry: Entry, seen: Seen, arm: str, doses: Sequence[_Dose]) -> Iterator[Observed]:
    """The mean in units, or from the mg of it; what says the same again is skipped."""
    means = sorted((d for d in doses if d.what != "sd"), key=lambda d: ("units", "thc", "cbd").index(d.what))
    if not means:
        for each in doses:
            entry.skip(each.figure.what, "an SD without its mean")
        return
    first, *again = means
    for each in again:
        entry.skip(each.figure.what, f"the same dose as {first.figure.what}")
    scale = _per_unit(seen, arm, first.what)
    if not scale:
        entry.skip(first.figure.what, f"a unit of {arm} has none of it")
        return
    sd = next((d.figure for d in doses if d.what == "sd"), None) or first.sd or _noted_sd(first.figure)
    spread = (sd.number or 0.0) / scale if sd else None
    n = seen.plan.groups.of(arm).analysed
    error = spread / math.sqrt(n) if spread is not None and n else None
    mean = Observed(
        entry.id, arm, None, "dose", "mean", (first.figure.number or 0.0) / scale, error, None, n, None,
        entry.provenance(first.figure, sd), first.figure.what,
    )  # fmt: skip
    if first.what != "units":
        mean = replace(mean, provenance=least_certain(mean.provenance, "derived"))
    yield mean
    if sd and spread:
        error = spread / math.sqrt(2 * (n - 1)) if n and n > 1 else None
        yield replace(
            mean, statistic="sd", value=spread, error=error, provenance=entry.provenance(sd), printed=sd.what
        )


def _noted_sd(figure: Figure) -> Figure | None:
    """A spread that stands in the note beside the mean."""
    note = f"{figure.note} {figure.pointer}"
    value = prose.sd_in(note)
    if value is None:
        return None
    return replace(figure, value=value, provenance="recalled" if "recalled" in note else figure.provenance)


def _per_unit(seen: Seen, arm: str, what: str) -> float:
    """How much of what is counted is in a unit."""
    if what == "units":
        return 1.0
    fields = seen.plan.arms[arm]
    made = product(fields["product"])
    usual = made.thc_mg_per_unit if what == "thc" else made.cbd_mg_per_unit
    return float(fields.get(f"{what}_mg_per_unit", usual or 0.0))


def observe_leaving(entry: Entry, seen: Seen) -> Iterator[Observed]:
    """The share that did not complete, of the arms that say how many did; other fields of arms are skipped."""
    for row in entry.data.get("arms") or ():
        name = str(plain(row.get("arm")))
        for field in row:
            if field not in _ARM_FIELDS:
                entry.skip(f"arms.{name}.{field}", "a field of an arm that is not read")
        printed, arm = f"arms.{name}.n_completed", seen.arm(name)
        completed = entry.figure(printed, row.get("n_completed"), row)
        if completed is None:
            continue
        fields = ("n_randomised", "n_treated", "n")
        started = next((f for k in fields if (f := entry.figure(k, row.get(k), row))), None)
        n = number(started.value) if started else None
        if arm is None or not n:
            entry.skip(printed, "the arm or its size is not stated")
            continue
        value = 1.0 - (completed.number or 0.0) / n
        yield Observed(
            entry.id, arm, None, "withdrawal", "share", value, share_error(value, int(n)), None, int(n), None,
            entry.provenance(completed, started), printed,
        )  # fmt: skip
