"""From what a trial saw to what is compared: one value a patient and period for each endpoint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.trials.data import ADVERSE, TrialData
from lissive.trials.design import Design
from lissive.trials.measures import IMPRESSIONS, MEASURES
from lissive.trials.parts import Endpoint

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
        hit = np.where(np.isnan(value) | np.isnan(base), np.nan, value <= (1.0 - falls) * base)
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
