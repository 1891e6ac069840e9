"""From what a trial saw to what is compared: one value a patient and period for each endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.simulation.ratings import by_day
from lissive.trials import estimate as estimators
from lissive.trials import fits
from lissive.trials.design import MODELLED, Design
from lissive.trials.fits import Estimate
from lissive.trials.missing import imputed, mmrm
from lissive.trials.observe import ADVERSE, NO_EFFECT, OTHER, STAYED, TrialData
from lissive.trials.parts import EVENTS, IMPRESSIONS, MEASURES, Endpoint

CHANGE, BINARY, COUNT, TIME, MEAN = "change", "hit", "count", "time", "mean"
"""What a value is: a change from baseline, yes or no, a daily count, a time to failure, a level."""


@dataclass(frozen=True)
class Column:
    """One endpoint of one replicate, a row for each patient and period; NaN is missing."""

    endpoint: Endpoint
    kind: str
    week: float
    value: FloatArray
    base: FloatArray
    treatment: IntArray
    """(row,) place in `design.arms`."""
    patient: IntArray
    period: IntArray
    sequence: IntArray
    days: FloatArray
    """(row,) days of diary behind a count."""
    failed: BoolArray
    """(row,) whether a time ended in a failure."""
    strata: IntArray | None
    """(row,) number of the stratum of randomisation; None where there are none."""

    def of(self, arm: int) -> BoolArray:
        """Rows of an arm that have a value."""
        there: BoolArray = (self.treatment == arm) & np.isfinite(self.value)
        return there


@dataclass(frozen=True)
class ArmResult:
    """What one arm shows of an endpoint in one replicate."""

    kind: str
    n: int
    mean: float
    """Mean change, share of hits, mean count, mean level; share that failed."""
    sd: float
    base: float


def visit_of(design: Design, endpoint: Endpoint) -> int:
    """Place of the endpoint's visit."""
    week = design.visits_weeks[-1] if endpoint.at_week is None else endpoint.at_week
    return design.visits_weeks.index(week)


def completed(design: Design, data: TrialData, measure: str) -> FloatArray:
    """(patient, period, visit) with missing visits as the design's analysis has them."""
    return without_gaps(design, data.values[measure], data.baseline[measure])


def without_gaps(design: Design, values: FloatArray, base: FloatArray) -> FloatArray:
    """The same from arrays: values (..., visit), base (...)."""
    base = base[..., None]
    if design.analysis.missing == "baseline":
        return np.where(np.isnan(values), base, values)
    if design.analysis.missing == "locf":
        whole = np.concatenate([base, values], axis=-1)
        last = np.maximum.accumulate(np.where(np.isnan(whole), 0, np.arange(whole.shape[-1])), axis=-1)
        filled: FloatArray = np.take_along_axis(whole, last, axis=-1)[..., 1:]
        return filled
    return values


def column(design: Design, data: TrialData, endpoint: Endpoint) -> Column:
    """The endpoint's values in one replicate."""
    n, periods = len(data), data.periods
    visit = visit_of(design, endpoint)
    kind, value, base = _values(design, data, endpoint, visit)
    rows = np.arange(n * periods)
    failed = np.isfinite(data.failed_day) if kind == TIME else np.zeros(n, bool)
    return Column(
        endpoint,
        kind,
        design.visits_weeks[visit],
        np.broadcast_to(value, (n, periods)).ravel(),
        np.broadcast_to(base, (n, periods)).ravel(),
        data.treatment.ravel(),
        rows // periods,
        rows % periods,
        np.repeat(data.group, periods),
        data.filled[:, :, visit].ravel().astype(float),
        np.repeat(failed, periods),
        np.repeat(data.stratum, periods) if design.strata else None,
    )


def _values(
    design: Design, data: TrialData, endpoint: Endpoint, visit: int
) -> tuple[str, FloatArray, FloatArray]:
    """Kind, value and base, each (patient, period)."""
    name = endpoint.measure
    none = np.full(data.treatment.shape, np.nan)
    if name in ("dizziness", "withdrawal", "withdrawal_adverse"):
        return BINARY, _event(design, data, name), none
    if name == "failure":
        end = float(design.days)
        time: FloatArray = np.where(np.isfinite(data.failed_day), data.failed_day, end)
        return TIME, np.broadcast_to(np.minimum(time, end)[:, None], none.shape), none
    if name == "dose":
        return MEAN, data.dose[:, :, visit], none
    rated = design.relief if name in IMPRESSIONS else name
    value = completed(design, data, rated)[:, :, visit]
    base = data.baseline[rated]
    if endpoint.since == "screening":
        base = np.broadcast_to(data.screening[rated][:, None], value.shape)
    falls = data.impression.get(name, (endpoint.falls_by_pct or 0.0) / 100.0)
    if falls:
        unknown = np.isnan(base)
        if design.analysis.missing not in MODELLED:  # else who is not seen is no responder
            unknown = unknown | np.isnan(value)
        hit = np.where(unknown, np.nan, value <= (1.0 - falls) * base)
        return BINARY, hit, base
    if MEASURES[name].kind == "count":
        return COUNT, value, base
    return CHANGE, value - base, base


def _event(design: Design, data: TrialData, name: str) -> FloatArray:
    """(patient, period) 1 where it happened; nothing in periods that somebody left before."""
    # in a crossover somebody leaves once, in one of the periods or in the wash-out after it
    span = float(design.days) + (design.crossover.washout_days if design.crossover else 0)
    first = span * np.arange(data.periods)
    there = data.left[:, None] > first
    if name == "dizziness":
        happened = data.dizzy
    else:
        happened = there & (data.left[:, None] <= first + span)
        if name == "withdrawal_adverse":
            happened = happened & (data.left_why == ADVERSE)[:, None]
    return np.where(there, happened, np.nan)


def arm_result(col: Column, arm: int) -> ArmResult:
    """One arm of a column."""
    rows = col.of(arm)
    n = int(rows.sum())
    if not n:
        return ArmResult(col.kind, 0, np.nan, np.nan, np.nan)
    value = col.failed[rows].astype(float) if col.kind == TIME else col.value[rows]
    change = value - col.base[rows] if col.kind == COUNT else value
    sd = float(np.nanstd(change, ddof=1)) if n > 1 else np.nan
    base = col.base[rows]
    return ArmResult(
        col.kind, n, float(value.mean()), sd, float(np.nanmean(base)) if np.isfinite(base).any() else np.nan
    )


@dataclass(frozen=True)
class ArmRow:
    """One arm of one replicate."""

    replicate: int
    endpoint: str
    week: float
    arm: str
    kind: str
    result: ArmResult


@dataclass(frozen=True)
class Comparison:
    """One comparison of one replicate."""

    replicate: int
    endpoint: str
    week: float
    arm: str
    against: str
    estimate: Estimate
    look: int = 0
    """0 is the analysis at the end; 1, 2, ... are the looks before it, of the primary endpoint alone."""

    @property
    def favours_control(self) -> bool:
        """Whether the estimate is worse than no difference; of adverse events and discontinuation, never said."""
        value, measure = self.estimate.value, self.estimate.measure
        if self.endpoint in EVENTS and self.endpoint != "failure":
            return False
        if measure == "odds ratio":  # of responders
            return value < 1.0
        return value > (0.0 if measure == "difference" else 1.0)

    @property
    def p(self) -> float:
        """Two-sided p as evidence for the arm: 1 where the estimate favours the control."""
        return 1.0 if self.favours_control else self.estimate.p


@dataclass(frozen=True)
class GroupFlow:
    """What became of those randomised to one arm (in a crossover: one sequence) of one replicate."""

    replicate: int
    group: str
    """As `design.shares` has it."""
    randomised: int
    adverse: int
    no_effect: int
    other: int
    completed: int


def groups_of(design: Design, data: TrialData) -> Iterator[GroupFlow]:
    """Each arm, or each sequence of a crossover."""
    for place, name in enumerate(design.shares):
        why = data.left_why[data.group == place]
        count = [int((why == reason).sum()) for reason in (ADVERSE, NO_EFFECT, OTHER, STAYED)]
        yield GroupFlow(data.replicate, name, len(why), *count)


def every_visit(design: Design) -> tuple[Endpoint, ...]:
    """The endpoints at each visit, events once; and the dose, whether it is an endpoint or not."""
    found: dict[tuple[str, float | None], Endpoint] = {}
    for endpoint in (*design.endpoints, Endpoint(measure="dose")):
        over_time = endpoint.measure in ("dose",) or endpoint.measure not in by_end()
        weeks = design.visits_weeks if over_time else (None,)
        for week in weeks:
            at = endpoint.model_copy(update={"at_week": week})
            found.setdefault((at.name, week), at)
    return tuple(found.values())


def by_end() -> tuple[str, ...]:
    """Events that are counted once, up to the end."""
    return ("dizziness", "withdrawal", "withdrawal_adverse", "failure")


def arms_of(design: Design, data: TrialData) -> Iterator[ArmRow]:
    """Each arm at each visit."""
    for endpoint in every_visit(design):
        col = column(design, data, endpoint)
        for place, name in enumerate(design.arms):
            yield ArmRow(data.replicate, endpoint.name, col.week, name, col.kind, arm_result(col, place))


def analyse(design: Design, data: TrialData) -> list[Comparison]:
    """Each endpoint of each arm vs the control, at the endpoint's own visit; the primary one at each look, too."""
    return [each for endpoint in design.endpoints for each in against_control(design, data, endpoint)]


def against_control(design: Design, data: TrialData, endpoint: Endpoint) -> list[Comparison]:
    """One endpoint of each arm vs the control; where the design has looks at it, these too."""
    found = list(_against_control(design, data, endpoint))
    if design.analysis.interim and endpoint == design.endpoints[0]:
        planned = design.patients or len(data)
        for look, share in enumerate(design.analysis.interim.at, 1):
            part = first_of(data, round(share * planned))
            found += [replace(each, look=look) for each in _against_control(design, part, endpoint)]
    return found


def first_of(data: TrialData, n: int) -> TrialData:
    """The trial as it was with the first `n` participants, in the order of randomisation."""
    return replace(data, **data.of(np.arange(min(n, len(data)))))


def _against_control(design: Design, data: TrialData, endpoint: Endpoint) -> Iterator[Comparison]:
    arms = list(design.arms)
    control = arms.index(design.control)
    col = column(design, data, endpoint)
    for place, name in enumerate(arms):
        if place == control or col.kind == MEAN:
            continue
        for estimate in _compared(design, data, col, place, control):
            yield Comparison(data.replicate, endpoint.name, col.week, name, design.control, estimate)


def _modelled(
    design: Design, data: TrialData, endpoint: Endpoint, rows: BoolArray, treated: FloatArray
) -> Estimate:
    """A change whose missing visits are modelled, in a parallel trial."""
    plan, name = design.analysis, endpoint.measure
    base = (data.screening[name] if endpoint.since == "screening" else data.baseline[name][:, 0])[rows]
    others = fits.dummies(data.stratum[rows].astype(float)) if design.strata else []
    seen = data.values[name][rows, 0]
    given: dict[str, Any] = {"visit": visit_of(design, endpoint), "others": others, "alpha": plan.alpha}
    if plan.missing == "mmrm":
        return mmrm(seen, base, treated, **given)
    visits = len(design.visits_weeks)
    u = by_day(
        data.replicate, f"imputation: {name}", data.screening_id[rows], plan.imputations * (1 + visits)
    )
    draws = np.moveaxis(u.reshape(len(u), plan.imputations, 1 + visits), 1, 0)
    gone = data.left[rows, None] < np.array([round(week * 7) for week in design.visits_weeks])
    jumping = gone if plan.missing == "jump_to_reference" else None
    return imputed(seen, base, treated, draws=draws, jumping=jumping, **given)


def _compared(design: Design, data: TrialData, col: Column, place: int, control: int) -> Iterator[Estimate]:
    alpha, endpoint = design.analysis.alpha, col.endpoint
    # discontinuation happens once, and there is no other period to compare with
    again = not endpoint.measure.startswith("withdrawal")
    rows: BoolArray = (col.treatment == place) | (col.treatment == control)
    treated = (col.treatment[rows] == place).astype(float)
    value, base = col.value[rows], col.base[rows]
    if col.kind == TIME:
        yield fits.hazard_ratio(value, col.failed[rows], treated, alpha=alpha)
        yield fits.log_rank(value, col.failed[rows], treated)
    elif design.crossover and col.kind == COUNT:
        days = np.maximum(col.days[rows], 1.0)
        yield estimators.paired_rate_ratio(
            np.rint(value * days), days, treated, col.patient[rows], col.period[rows], alpha=alpha
        )
    elif design.crossover and col.kind == CHANGE:
        yield estimators.crossover(
            value + base, col.sequence[rows], treated, col.patient[rows], col.period[rows], alpha=alpha
        )
    elif col.kind == CHANGE and design.analysis.missing in MODELLED:
        yield _modelled(design, data, endpoint, rows, treated)
    elif col.kind == CHANGE:
        strata = None if col.strata is None else col.strata[rows]
        yield estimators.ancova(value, base, treated, strata=strata, alpha=alpha)
    elif design.crossover and col.kind == BINARY and again:
        yield estimators.paired_odds_ratio(value, treated, col.patient[rows], col.period[rows], alpha=alpha)
    elif col.kind == BINARY:
        yield estimators.odds_ratio(value, treated, alpha=alpha)
    elif col.kind == COUNT:
        days = np.maximum(col.days[rows], 1.0)
        yield estimators.rate_ratio(np.rint(value * days), days, treated, baseline_rate=base, alpha=alpha)
