"""What is read of a published trial: its figures, and how sure each is; doses taken, and people who left."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist

from lissive.case.products import product
from lissive.publications import prose
from lissive.publications.arms import match_arm, split_field
from lissive.publications.entry import Entry, least_certain
from lissive.publications.plan import Plan
from lissive.publications.tables import Figure, Result, is_figure, number, plain

_NORMAL = NormalDist()
_SPRAYS = ("sprays", "sprays_day", "sprays_end", "units", "capsules", "capsules_day", "cigarettes_day")
_ARM_FIELDS = {"arm", "n", "n_randomised", "n_treated", "n_analysed", "n_enrolled", "n_completed"}


@dataclass(frozen=True)
class Observed:
    """One published figure, on the model's scale."""

    trial: str
    arm: str
    """Name of an arm of the design."""
    against: str | None
    """The control arm of a comparison; None for a figure of one arm."""
    endpoint: str
    """As `Endpoint.name`: spasticity_nrs, spasticity_nrs_responders_30pct, dizziness, dose."""
    statistic: str
    """change | end | change_sd | difference | share | odds_ratio | hazard_ratio | mean | sd (both of the dose)."""
    value: float
    """Ratings 0 to 10, Ashworth 0 to 4, shares 0 to 1, doses in units a day; a change below 0 is improvement."""
    error: float | None
    """Standard error, of the logarithm for ratios of odds and hazards; None where nothing says."""
    ci: tuple[float, float] | None
    """Published 95 % interval."""
    n: int | None
    """People that the figure is of."""
    week: float | None
    """Since randomisation; None is the end."""
    provenance: str
    """read | recalled | derived; of several that make one figure, the least certain."""
    printed: str
    """Key, arm and field in the file."""


@dataclass
class Seen:
    """The plan of a trial, and what its figures say beside themselves: filled while they are read."""

    plan: Plan
    levels: dict[str, list[tuple[int, float, float | None]]] = field(default_factory=dict)
    """Measure to people, mean and spread before treatment of each arm."""
    people: dict[tuple[str, str], int] = field(default_factory=dict)
    """Measure and arm to the people that its rows speak of, where that is not the arm's number."""
    since_screening: set[str] = field(default_factory=set)
    """Endpoints whose names say so."""
    rated_at_visits: bool = False

    def arm(self, name: object) -> str | None:
        return match_arm(name, self.plan.arms, self.plan.control)


def share_error(share: float, n: int) -> float:
    """Binomial standard error, with half a person added to each side so that nobody of 30 is not certain.

    >>> round(share_error(0.5, 100), 3), share_error(0.0, 30) > 0.02
    (0.05, True)
    """
    p = (share * n + 0.5) / (n + 1.0)
    return math.sqrt(p * (1.0 - p) / n)


# -- how sure a figure is --------------------------------------------------------------------------
def precision(
    entry: Entry, row: Result, *, n: int | None, log: bool = False
) -> tuple[float | None, tuple[float, float] | None, str]:
    """Standard error, 95 % interval and provenance, from a row's interval, its error, its spread or its p value.

    Parameters
    ----------
    n : people that a spread is of.      log : whether the value is a ratio, whose error is of its logarithm.
    """
    ends = row.ci.ends if row.ci else None
    if ends is not None and (not log or ends[0] > 0):
        width = math.log(ends[1] / ends[0]) if log else ends[1] - ends[0]
        error = width / (2 * _NORMAL.inv_cdf(0.5 + row.level / 2))
        return error or None, ends if row.level == 0.95 else None, entry.provenance(row.ci)
    se = row.se.number if row.se else None
    if row.se is not None and se is not None and se > 0:
        if not log and is_sd(row.se) and n:
            what = row.se.what.rpartition(".")[2]
            entry.assume(f"What is printed as the standard error of {what} is taken as a standard deviation.")
            se /= math.sqrt(n)
        return se, None, entry.provenance(row.se)
    value = (row.value.number if row.value else None) or 0.0
    if log:
        return _from_p(entry, row, math.log(value)) if value > 0 else (None, None, "read")
    sd = row.sd.number if row.sd else None
    if sd is not None and sd > 0 and n:
        return sd / math.sqrt(n), None, entry.provenance(row.sd)
    return _from_p(entry, row, value)


def is_sd(one: Figure) -> bool:
    """Whether what is printed as a standard error is said to be a standard deviation.

    >>> is_sd(Figure(11.1, note="printed as SE; magnitude is an SD")), is_sd(Figure(0.3))
    (True, False)
    """
    said = f"{one.note} {one.pointer}"
    return any(each in said for each in ("is an SD", "SD is meant", "SD meant", "are SDs", "is SD"))


def _from_p(entry: Entry, row: Result, effect: float) -> tuple[float | None, None, str]:
    """The error at which the effect has its two-sided p value; nothing where that is a bound or 1."""
    p = row.p.number if row.p else None
    if p is None or not 0.0 < p < 1.0 or not effect:
        return None, None, "read"
    error = abs(effect) / _NORMAL.inv_cdf(1.0 - p / 2.0)
    return error, None, least_certain(entry.provenance(row.p), "derived")


# -- doses, and people who left ---
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
        for said in row:
            if said not in _ARM_FIELDS:
                entry.skip(f"arms.{name}.{said}", "a field of an arm that is not read")
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
