"""What of a run lies on disk: of each chunk of replicates a record of what was found, and its patients as Parquet.

A record carries checksums of itself and of its patients. A chunk of which either is lost or damaged is made again.
Patients are analysis data sets in the manner of ADaM. The curves of a trial's figures are read from them, so that a
resumed run shows the same as an unbroken one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.files import atomic_path
from lissive.trials.design import Design
from lissive.trials.endpoint import without_gaps
from lissive.trials.observe import WHY_LEFT, TrialData
from lissive.trials.parts import EVENTS, MEASURES

if TYPE_CHECKING:
    import pandas as pd

RECORD, PATIENTS = "replicates", "patients"
"""Folders below --out: what was found in each chunk, and the patients of each chunk."""
PARTS = (RECORD, PATIENTS)
_NAME = re.compile(r"\d{5,}-\d{5,}")
"""Of a part: its first and its last replicate, from 1."""


def patients_of(folder: Path) -> list[Path]:
    """The files with the patients of a finished run."""
    return [patients_file(record) for record in records(folder)]


def records(folder: Path) -> Iterator[Path]:
    place = folder / RECORD
    yield from (path for path in sorted(place.glob("*.json")) if _NAME.fullmatch(path.stem))


def patients_file(record: Path) -> Path:
    return record.parents[1] / PATIENTS / f"{record.stem}.parquet"


# -- patients, one row a subject, parameter and visit ---------------------------------------------------
def patient_tables(design: Design, trials: Sequence[TrialData]) -> Iterator[pd.DataFrame]:
    """Basic data structure (BDS): STUDYID, USUBJID, REPL, TRTP, APERIOD, PARAMCD, PARAM, AVISIT, AVISITN, ADY,
    AVAL, BASE, CHG, and of each subject what ended their trial: DSDECOD, DSDY; replicate by replicate, and in each
    parameter by parameter.

    AVISITN is the week; 0 is the baseline, which repeats in BASE. AVAL is empty where nothing was seen. Where the
    design asks for treatment failure, PARAMCD TTFAIL has the days until it in AVAL; with CNSR 1 it had not come.
    """
    fails = any(endpoint.measure == "failure" for endpoint in design.endpoints)
    for data in trials:
        for each in _parameters(data):
            yield _labelled(design, data, _visits(design, data, *each))
        if fails:
            yield _labelled(design, data, _failure(design, data))


def write_patients(tables: Iterable[pd.DataFrame], path: Path) -> None:
    """The tables as one Parquet file, some rows at a time."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    with atomic_path(path) as place:
        try:
            for several in _by_rows(tables):
                whole = pa.Table.from_pandas(pd.concat(several, ignore_index=True), preserve_index=False)
                writer = writer or pq.ParquetWriter(place, whole.schema)
                writer.write_table(whole.cast(writer.schema))
        finally:
            if writer is not None:
                writer.close()


_ROWS_AT_ONCE = 500_000


def _by_rows(tables: Iterable[pd.DataFrame]) -> Iterator[list[pd.DataFrame]]:
    """Several tables together, until they have so many rows."""
    several: list[pd.DataFrame] = []
    for table in tables:
        several.append(table)
        if sum(map(len, several)) >= _ROWS_AT_ONCE:
            yield several
            several = []
    if several:
        yield several


def _labelled(design: Design, data: TrialData, table: pd.DataFrame) -> pd.DataFrame:
    table.insert(0, "STUDYID", design.trial)
    table.insert(2, "REPL", data.replicate + 1)
    table.insert(list(table.columns).index("BASE") + 1, "CHG", table["AVAL"] - table["BASE"])
    table["DSDY"] = table["DSDY"].replace(np.inf, np.nan)
    return table.astype({"AVISITN": float, "APERIOD": np.int64, "ADY": np.int64})


def _parameters(data: TrialData) -> Iterator[tuple[str, str, FloatArray, FloatArray]]:
    """Short name, label, (patient, period) baseline, (patient, period, visit) values of what is seen at visits."""
    for name, measure in MEASURES.items():
        if name in data.values:
            yield measure.paramcd, measure.label, data.baseline[name], data.values[name]
    yield "DOSE", EVENTS["dose"], np.full((len(data), data.periods), np.nan), data.dose


def _visits(
    design: Design, data: TrialData, code: str, label: str, base: FloatArray, seen: FloatArray
) -> pd.DataFrame:
    import pandas as pd

    arms = np.array(list(design.arms), dtype=object)
    weeks = (0.0, *design.visits_weeks)
    n, periods, visits = len(data), data.periods, len(weeks)
    rows = {
        "USUBJID": np.repeat(_ids(design, data), periods * visits),
        "TRTP": np.repeat(arms[data.treatment].ravel(), visits),
        "APERIOD": np.tile(np.repeat(np.arange(1, periods + 1), visits), n),
        "PARAMCD": code,
        "PARAM": label,
        "AVISIT": np.tile([f"Week {w:g}" if w else "Baseline" for w in weeks], n * periods),
        "AVISITN": np.tile(weeks, n * periods),
        "ADY": np.tile([round(w * 7) for w in weeks], n * periods),
        "AVAL": np.concatenate([base[:, :, None], seen], axis=2).ravel(),
        "BASE": np.repeat(base.ravel(), visits),
        "CNSR": np.nan,
        "DSDECOD": np.repeat(_ended(data), periods * visits),
        "DSDY": np.repeat(data.left, periods * visits),
    }
    return pd.DataFrame(rows)


def _failure(design: Design, data: TrialData) -> pd.DataFrame:
    """Time to treatment failure, a row a subject."""
    import pandas as pd

    end = float(design.days)
    failed = data.failed_day <= end
    rows = {
        "USUBJID": _ids(design, data),
        "TRTP": np.array(list(design.arms), dtype=object)[data.treatment[:, 0]],
        "APERIOD": 1,
        "PARAMCD": "TTFAIL",
        "PARAM": EVENTS["failure"],
        "AVISIT": "End",
        "AVISITN": design.weeks,
        "ADY": round(end),
        "AVAL": np.where(failed, data.failed_day, end),
        "BASE": np.nan,
        "CNSR": np.where(failed, 0.0, 1.0),
        "DSDECOD": _ended(data),
        "DSDY": data.left,
    }
    return pd.DataFrame(rows)


def _ended(data: TrialData) -> npt.NDArray[np.object_]:
    """(patient,) what ended each one's trial."""
    ended: npt.NDArray[np.object_] = np.array(
        [WHY_LEFT[why] or "completed" for why in data.left_why], dtype=object
    )
    return ended


def _ids(design: Design, data: TrialData) -> list[str]:
    return [f"{design.trial}-{data.replicate + 1:04d}-{number + 1:05d}" for number in data.screening_id]


# -- curves of what was kept --------------------------------------------------------------------------
FALLS = tuple(range(0, 101, 2))
"""Percent of a fall at which a responder curve is drawn."""


MOST_SHOWN = 1000
"""Patients of an arm whose own lines are shown."""


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
    at_risk: Mapping[str, list[int]]
    """Arm to how many are without failure on each day, rounded mean over replicates."""
    censored: Mapping[str, int]
    """Arm to how many had not failed at the end, rounded mean over replicates."""


@dataclass(frozen=True)
class Curves:
    """What a trial's figures show; arm to its line."""

    measure: str
    weeks: list[float]
    """Visits, baseline (0) first."""
    week: float
    """Visit that the responders are of."""
    change: Mapping[str, Band]
    n: Mapping[str, list[int]]
    """Arm to how many were seen at each visit, rounded mean over replicates."""
    baseline: Mapping[str, tuple[float, float]]
    """Arm to mean and SD of the baseline between participants, mean over replicates."""
    falls_pct: list[int]
    responders: Mapping[str, Band]
    example: Mapping[str, list[list[float | None]]]
    """Arm to (patient, visit) of the first replicate, at most MOST_SHOWN patients."""
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
        {
            arm: _counted(course, arm, ~np.isnan(course.values))
            for arm in design.arms
            if (course.arm == arm).any()
        },
        {arm: _baseline(course, arm) for arm in design.arms if (course.arm == arm).any()},
        list(FALLS),
        _by_arm(design, course, _at_least(fall)),
        {
            arm: [[_plain(x) for x in row] for row in course.values[first & (course.arm == arm)][:MOST_SHOWN]]
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


def _rows_of(folder: Path, code: str, replicates: int) -> Any:
    """What curves need of all rows of one parameter; names of people would be most of the memory."""
    import pandas as pd

    columns = ["REPL", "TRTP", "AVAL", "CNSR"]
    parts = [
        pd.read_parquet(path, columns=columns, filters=[("PARAMCD", "==", code)])
        for path in patients_of(folder)
    ]
    table = pd.concat(parts, ignore_index=True)
    return table[table["REPL"] <= replicates]


def _course(folder: Path, design: Design, measure: str, replicates: int) -> Course:
    """Rows come by patient, period and visit, as they were written."""
    table = _rows_of(folder, MEASURES[measure].paramcd, replicates)
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


def _counted(course: Course, arm: str, there: BoolArray) -> list[int]:
    """(visit or day,) how many of an arm, rounded mean over replicates."""
    replicates = len(np.unique(course.replicate))
    counts: list[int] = np.rint(there[course.arm == arm].sum(axis=0) / replicates).astype(int).tolist()
    return counts


def _baseline(course: Course, arm: str) -> tuple[float, float]:
    """Mean and SD between participants, mean over replicates."""
    rows = [
        course.values[(course.arm == arm) & (course.replicate == each), 0]
        for each in np.unique(course.replicate)
    ]
    known = [row[~np.isnan(row)] for row in rows]
    means = [float(row.mean()) for row in known if row.size]
    sds = [float(row.std(ddof=1)) for row in known if row.size > 1]
    return (float(np.mean(means)) if means else math.nan, float(np.mean(sds)) if sds else math.nan)


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
    table = _rows_of(folder, "TTFAIL", replicates)
    days = np.arange(design.days + 1)
    when = np.where(table["CNSR"] == 1.0, np.inf, table["AVAL"].to_numpy(float))
    course = Course(when[:, None], table["TRTP"].to_numpy(object), table["REPL"].to_numpy(np.int64))
    without = when[:, None] > days
    arms = _by_arm(design, course, without.astype(float))
    at_risk = {arm: _counted(course, arm, without) for arm in arms}
    return Survival(days.tolist(), arms, at_risk, {arm: each[-1] for arm, each in at_risk.items()})


def _plain(x: float) -> float | None:
    return None if np.isnan(x) else float(x)
