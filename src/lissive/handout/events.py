"""The dosing of a forecast and what it predicts, in the columns of NONMEM.

`lissive simulate lissive --events events.csv` reads the dosing again. Where the dose is titrated, each virtual patient
takes another one; the table has the median number of units of each week.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lissive.case import Case
from lissive.files import write_csv
from lissive.forecast import ForecastAnswer
from lissive.forecast.treatment import treatment
from lissive.model import load

WEEK = 7 * 24.0
COLUMNS = "ID TIME EVID AMT CMT II ADDL DVID DV MDV".split()


def write_events(path: Path, case: Case, forecast: ForecastAnswer) -> Path:
    """Doses [nmol] by week, and at the end of each week the mean of every outcome with the drug; TIME in h."""
    about = [
        f"# {case.plan.product} for {forecast.weeks[-1]} weeks; TIME in h; AMT in nmol; CMT of the model lissive",
        "# EVID 1: the median dose of virtual patients in each week; EVID 0: mean of virtual patients with the drug",
    ]
    rows = sorted([*_doses(case, forecast), *_predictions(forecast)], key=lambda row: float(row[1]))
    return write_csv(path, [*([line] for line in about), COLUMNS, *rows])


def _doses(case: Case, forecast: ForecastAnswer) -> Iterator[list[Any]]:
    """The day of treatment that comes nearest to the median of each week, seven times."""
    equations = load("lissive")
    plan = treatment(case, equations)
    amounts = np.array(plan.amounts)
    compartments = {place: name for name, place in equations.dose_targets.items()}
    for week, median in enumerate(forecast.dose.active.median):
        nearest = int(np.abs(amounts - median).argmin())
        day = plan.dosing.schedules[nearest]
        for at, target, nmol in zip(day.time, day.target, day.value, strict=True):
            cells = [f"{WEEK * week + at:.6g}", 1, f"{nmol:.6g}", compartments[int(target)], 24, 6]
            yield [1, *cells, ".", ".", 1]


def _predictions(forecast: ForecastAnswer) -> Iterator[list[Any]]:
    for name, outcome in forecast.outcomes.items():
        for week, mean in zip(forecast.weeks, outcome.active.mean, strict=True):
            yield [1, f"{WEEK * week:.6g}", 0, ".", ".", ".", ".", name, f"{mean:.6g}", 0]
