"""What was kept of patients, as the curves that a trial's figures show. Read from disk, so that
a resumed run shows the same as an unbroken one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.trials.design import Design
from lissive.trials.endpoint import without_gaps
from lissive.trials.measures import MEASURES
from lissive.trials.store import patients_of

FALLS = tuple(range(0, 101, 2))
"""Percent of a fall at which a responder curve is drawn."""


@dataclass(frozen=True)
class Course:
    """One measure of all patients, a row for each patient and period."""

    values: FloatArray
    """(row, visit), the baseline first; nothing where nothing was seen."""
    arm: npt.NDArray[np.object_]
    replicate: IntArray


@dataclass(frozen=True)
class Band:
    """Mean over replicates, 5th and 95th percentile, by visit, day or reduction; None where there is no figure."""

    mean: list[float | None]
    p05: list[float | None]
    p95: list[float | None]


@dataclass(frozen=True)
class Survival:
    """Proportion without treatment failure."""

    days: list[int]
    arms: Mapping[str, Band]


@dataclass(frozen=True)
class Curves:
    """What a trial's figures show; arm to its line."""

    measure: str
    weeks: list[float]
    """Visits, baseline (0) first."""
    week: float
    """Visit that the responders are of."""
    change: Mapping[str, Band]
    falls_pct: list[int]
    responders: Mapping[str, Band]
    example: Mapping[str, list[list[float | None]]]
    """Arm to (patient, visit) of the first replicate."""
    without_failure: Survival | None


def curves(folder: Path, design: Design, replicates: int) -> Curves:
    """Mean change by visit, share by size of fall, the first replicate's patients, and the share without failure."""
    measure = shown_measure(design)
    course = _course(folder, design, measure, replicates)
    base = course.values[:, 0]
    seen = without_gaps(design, course.values[:, 1:], base)
    whole = np.concatenate([base[:, None], seen], axis=1)
    first = course.replicate == course.replicate.min()
    week = _week(design, measure)
    at = [0.0, *design.visits_weeks].index(week)
    with np.errstate(divide="ignore", invalid="ignore"):
        fall = 100.0 * (base - whole[:, at]) / base
    failed = any(endpoint.measure == "failure" for endpoint in design.endpoints)
    return Curves(
        measure,
        [0.0, *design.visits_weeks],
        week,
        _by_arm(design, course, whole - base[:, None]),
        list(FALLS),
        _by_arm(design, course, _at_least(fall)),
        {
            arm: [[_plain(x) for x in row] for row in course.values[first & (course.arm == arm)]]
            for arm in design.arms
            if (first & (course.arm == arm)).any()
        },
        _survival(folder, design, replicates) if failed else None,
    )


def shown_measure(design: Design) -> str:
    """What the primary endpoint rates; what relief is judged by where it is an event or an impression."""
    name = design.endpoints[0].measure
    return name if name in MEASURES and MEASURES[name].kind != "impression" else design.relief


def _week(design: Design, measure: str) -> float:
    """The visit of the first endpoint of this measure."""
    for endpoint in design.endpoints:
        if endpoint.measure == measure and endpoint.at_week is not None:
            return endpoint.at_week
        if endpoint.measure == measure:
            break
    return design.visits_weeks[-1]


def _read(folder: Path, code: str, replicates: int) -> Any:
    """All rows of one parameter."""
    import pandas as pd

    columns = ["REPL", "USUBJID", "TRTP", "APERIOD", "AVISITN", "AVAL", "CNSR"]
    parts = [
        pd.read_parquet(path, columns=columns, filters=[("PARAMCD", "==", code)])
        for path in patients_of(folder)
    ]
    table = pd.concat(parts, ignore_index=True)
    return table[table["REPL"] <= replicates]


def _course(folder: Path, design: Design, measure: str, replicates: int) -> Course:
    """Rows come by patient, period and visit, as they were written."""
    table = _read(folder, MEASURES[measure].paramcd, replicates)
    visits = len(design.visits_weeks) + 1
    return Course(
        table["AVAL"].to_numpy(float).reshape(-1, visits),
        table["TRTP"].to_numpy(object)[::visits],
        table["REPL"].to_numpy(np.int64)[::visits],
    )


def _at_least(fall: FloatArray) -> FloatArray:
    """(row, size of fall) 1 where the fall is as large, nothing where it is unknown."""
    return np.where(np.isnan(fall)[:, None], np.nan, fall[:, None] >= np.array(FALLS)[None] - 1e-9)


def _by_arm(design: Design, course: Course, values: FloatArray) -> dict[str, Band]:
    """Arm to the mean over its patients: mean and 5th and 95th percentile over replicates, along the last axis."""
    found = {}
    for arm in design.arms:
        means = [
            _mean(values[(course.arm == arm) & (course.replicate == replicate)])
            for replicate in np.unique(course.replicate)
            if ((course.arm == arm) & (course.replicate == replicate)).any()
        ]
        if means:
            found[arm] = _over_replicates(np.array(means))
    return found


def _mean(rows: FloatArray) -> FloatArray:
    """Of those that are known, by column; nothing of none."""
    there: BoolArray = ~np.isnan(rows)
    n = there.sum(axis=0)
    total = np.where(there, rows, 0.0).sum(axis=0)
    mean: FloatArray = np.divide(total, n, out=np.full(rows.shape[1], np.nan), where=n > 0)
    return mean


def _over_replicates(means: FloatArray) -> Band:
    """(replicate, place) to what is plotted; nothing where no replicate has a mean."""
    known = [column[~np.isnan(column)] for column in means.T]
    return Band(
        [float(each.mean()) if each.size else None for each in known],
        [float(np.quantile(each, 0.05)) if each.size else None for each in known],
        [float(np.quantile(each, 0.95)) if each.size else None for each in known],
    )


def _survival(folder: Path, design: Design, replicates: int) -> Survival:
    """Share without treatment failure by day; nobody is lost to it before the end, so that it is a plain share."""
    table = _read(folder, "TTFAIL", replicates)
    days = np.arange(design.days + 1)
    when = np.where(table["CNSR"] == 1.0, np.inf, table["AVAL"].to_numpy(float))
    course = Course(when[:, None], table["TRTP"].to_numpy(object), table["REPL"].to_numpy(np.int64))
    return Survival(days.tolist(), _by_arm(design, course, (when[:, None] > days).astype(float)))


def _plain(x: float) -> float | None:
    return None if np.isnan(x) else float(x)
