"""Where a meta-regression predicts published trials better than the model, a forecast says so and shows its figure.

better.tsv is written by `lissive trial reproduce --better`, never by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from lissive.errors import SimulationError
from lissive.forecast.calibrated import fitted_outcomes
from lissive.table import TableRow, read_table

BETTER = Path(__file__).parent / "better.tsv"
COLUMNS = ("outcome", "better", "n", "model_crps", "baseline_crps", "basis")
ENDPOINTS = {
    "spasticity_nrs": "change",
    "pain_nrs": "change",
    "sleep_nrs": "change",
    "spasm_severity": "change",
    "ashworth": "change",
    "dizziness": "share",
    "stopped_early": "share",
}
"""Outcome of a forecast to the kind of figure that trials publish of it."""
_CALLED = {"stopped_early": "withdrawal"}
"""Where trials' endpoints have another name."""
DRAWS = 4000


@dataclass(frozen=True)
class BaselineFigure:
    """What the baseline says of one outcome: the mean difference, drug less placebo, in a new parallel trial."""

    week: int
    mean: float
    p05: float
    p95: float
    model_crps: float
    """Mean score on calibration figures of the outcome; less is better."""
    baseline_crps: float
    n: int
    """Figures that the two were compared on."""
    basis: str
    """leave_one_trial_out: each trial is predicted by a fit on the others; both_fitted: both were fitted on it."""


def forget() -> None:
    """A table was written: it is read anew."""
    _rows.cache_clear()


@cache
def _rows(path: Path) -> Mapping[str, TableRow]:
    rows = read_table(path, COLUMNS, SimulationError, TableRow)
    return MappingProxyType({row["outcome"]: row for row in rows if row["better"] == "baseline"})


def baseline_outcomes(path: Path = BETTER) -> frozenset[str]:
    """Outcomes of trials that the baseline predicts better."""
    return frozenset(_rows(path))


def baseline_figures(cause: str, product: str, weeks: int, path: Path = BETTER) -> dict[str, BaselineFigure]:
    """Outcome of a forecast to the baseline's figure, for those that the baseline predicts better.

    Only where trials of this product in this cause were fitted on: elsewhere it would lend the effect of other trials.
    """
    known = fitted_outcomes(cause, product)
    rows = {name: _rows(path).get(_CALLED.get(name, name)) for name in ENDPOINTS if name in known}
    return {
        name: BaselineFigure(
            weeks,
            *_difference(cause, product, name, weeks),
            float(row["model_crps"]),
            float(row["baseline_crps"]),
            int(row["n"]),
            row["basis"],
        )
        for name, row in rows.items()
        if row is not None
    }


def _difference(cause: str, product: str, outcome: str, weeks: int) -> tuple[float, float, float]:
    """Mean, 5th and 95th percentile."""
    from lissive.calibrate.baseline import shipped_baseline
    from lissive.trials.design import make_design
    from lissive.trials.published import Observed

    arm = {"product": product, "most_per_day": 1}
    name = _CALLED.get(outcome, outcome)
    design = make_design(
        {
            "trial": "forecast",
            "population": {"cause": cause},
            "patients": 2,
            "arms": {"drug": arm, "placebo": {**arm, "placebo": True}},
            "weeks": weeks,
            "visits_weeks": [weeks],
            "endpoints": [{"measure": name}],
        }
    )
    arms = [
        Observed("", each, None, name, ENDPOINTS[outcome], 0.0, None, None, None, None, "read", "")
        for each in ("drug", "placebo")
    ]
    drug, placebo = shipped_baseline().in_arms(design, arms, DRAWS).T
    low, high = np.quantile(drug - placebo, [0.05, 0.95])
    return float((drug - placebo).mean()), float(low), float(high)
