"""A forecast as numbers to read: quantiles by week, and who responds, with the drug, with placebo, the difference.

An interval says how virtual patients differ (what the tables know of that), not how sure the model is.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lissive.errors import SimulationError
from lissive.forecast.predict import ARMS, Forecast, outcomes
from lissive.forecast.treatment import limits
from lissive.given import kind_of, number_of, whole


@cache
def found(cause: str) -> tuple[Mapping[str, str], ...]:
    """What trials found in spasms of this cause, to be shown beside every forecast: found, source, provenance."""
    with (Path(__file__).parent / "found.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row.pop("cause") == cause]
    return tuple(rows)


INTERVAL = (
    "between virtual patients, with what the fit on trials left uncertain; not that the model may be wrong"
)
QUANTILES = {"p05": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}
RESPONSES = {"20pct_week4": (0.20, 4), "30pct_week12": (0.30, 12)}
"""Name to (share by which stiffness falls, week); the trials' two definitions of a responder."""


def summary(forecast: Forecast) -> dict[str, Any]:
    """The `forecast` part of `lissive case --json`."""
    _is_forecast(forecast)
    good = forecast.good
    result: dict[str, Any] = {
        "weeks": list(range(forecast.weeks + 1)),
        "outcomes": {},
        "responders": {name: responders(forecast, *what) for name, what in RESPONSES.items()},
        "dose": _dose(forecast),
        "subjects": forecast.subjects,
        "failed": int((~good).sum()),
        "failures": {str(k): v for k, v in forecast.failures().items()},
        "interval": INTERVAL,
        "found_in_trials": [dict(row) for row in found(forecast.case.spasm.cause or "")],
        "drawn": list(forecast.drawn),
        "notes": _notes(forecast),
    }
    for outcome in outcomes():
        weekly = forecast.weekly[outcome.name][:, good]
        result["outcomes"][outcome.name] = {
            "label": outcome.label,
            "unit": outcome.unit,
            **{arm: _quantiles(weekly[a]) for a, arm in enumerate(ARMS)},
            "difference": _quantiles(weekly[0] - weekly[1]),
        }
    return result


def _is_forecast(forecast: Any) -> None:
    kind_of("forecast", forecast, Forecast, wrong=SimulationError, do="make it with predict(CASE).")


def _notes(forecast: Forecast) -> list[str]:
    """What has to be known to read the numbers."""
    limit = limits()
    notes = ["Scores are those of all virtual patients, as if nobody stopped."]
    if forecast.weeks > limit["longest_trial"]:
        notes.append(
            f"Beyond the {limit['longest_trial']:g} weeks of the trial that rates of leaving and placebo response "
            "rest on, this extrapolates."
        )
    if forecast.good.sum() < limit["rough_below"]:
        notes.append(f"Fewer than {limit['rough_below']:g} virtual patients: the ranges are rough.")
    return [*notes, *forecast.treatment.notes]


def _quantiles(values: Any) -> dict[str, list[float]]:
    """(subject, week) to lists by week."""
    if not len(values):
        return {name: [] for name in [*QUANTILES, "mean"]}
    found = {name: np.quantile(values, q, axis=0).tolist() for name, q in QUANTILES.items()}
    return {**found, "mean": values.mean(axis=0).tolist()}


def responders(forecast: Forecast, share: float, week: int) -> dict[str, float] | None:
    """Probability that weekly mean stiffness falls by `share` or more by `week`; None past the plan's end."""
    _is_forecast(forecast)
    share = number_of("share", share, wrong=SimulationError, least=0.0, most=1.0)
    week = whole("week", week, wrong=SimulationError, least=0)
    if week > forecast.weeks or not forecast.good.any():
        return None
    nrs = forecast.weekly["spasticity_nrs"][:, forecast.good]
    hit = (nrs[:, :, week] <= (1.0 - share) * nrs[:, :, 0]).mean(axis=1)
    return {"active": float(hit[0]), "placebo": float(hit[1]), "difference": float(hit[0] - hit[1])}


def _dose(forecast: Forecast) -> dict[str, Any]:
    """Units a day by week: the week's mean of each patient, then quantiles over patients."""
    good = int(forecast.good.sum())
    by_week = forecast.taken[:, forecast.good].reshape(2, good, forecast.weeks, 7).mean(axis=3)
    return {
        "unit": f"{forecast.treatment.units_per_day} a day",
        **{arm: _quantiles(by_week[a]) for a, arm in enumerate(ARMS)},
    }
