"""A forecast as numbers to read: percentiles by week and responder rates, with drug and placebo, and their difference.

An interval shows variability between virtual patients and parameter uncertainty, not model error.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from lissive.arrays import FloatArray
from lissive.errors import SimulationError
from lissive.forecast.answer import Dose, ForecastAnswer, OutcomeByWeek, Quantiles, Responders, TrialFinding
from lissive.forecast.better import baseline_figures
from lissive.forecast.calibrated import calibration, complaint, fitted_outcomes
from lissive.forecast.predict import ARMS, Forecast, outcomes
from lissive.forecast.treatment import limits
from lissive.given import kind_of, number_of, whole
from lissive.table import rows_of


@cache
def found(cause: str) -> tuple[TrialFinding, ...]:
    """What trials found in spasms of this cause."""
    rows = [row for row in rows_of(Path(__file__).parent / "found.tsv") if row.pop("cause") == cause]
    return tuple(TrialFinding(**row) for row in rows)


INTERVAL = (
    "variability between virtual patients and parameter uncertainty of the fit; model error is not included"
)
RESPONSES = {"20pct_week4": (0.20, 4), "30pct_week12": (0.30, 12)}
"""Name to (relative reduction in spasticity NRS, week): the trials' two definitions of a responder."""


def summary(forecast: Forecast) -> ForecastAnswer:
    """The numbers of a forecast, of the patients whose two runs went well."""
    _is_forecast(forecast)
    good = forecast.good
    cause, product = forecast.case.spasm.cause, forecast.treatment.product.name
    return ForecastAnswer(
        primary=complaint(cause).outcome,
        calibrated=calibration(cause, product),
        fitted_outcomes=fitted_outcomes(cause, product),
        weeks=tuple(range(forecast.weeks + 1)),
        outcomes={
            each.name: _by_week(each.label, each.unit, forecast.weekly[each.name][:, good])
            for each in outcomes()
        },
        baseline=baseline_figures(cause or "", product, forecast.weeks),
        responders={name: responders(forecast, *definition) for name, definition in RESPONSES.items()},
        dose=_dose(forecast),
        subjects=forecast.subjects,
        failed=int((~good).sum()),
        failures=forecast.failures(),
        interval=INTERVAL,
        found_in_trials=found(forecast.case.spasm.cause or ""),
        drawn=forecast.drawn,
        notes=_notes(forecast),
    )


def _by_week(label: str, unit: str, weekly: FloatArray) -> OutcomeByWeek:
    """(arm, subject, week) to quantiles."""
    active, placebo = weekly
    return OutcomeByWeek(label, unit, *map(_quantiles, (active, placebo, active - placebo)))


def _is_forecast(forecast: object) -> None:
    kind_of("forecast", forecast, Forecast, wrong=SimulationError, do="make it with predict(CASE).")


def _notes(forecast: Forecast) -> tuple[str, ...]:
    """What has to be known to read the numbers."""
    limit = limits()
    notes = ["Scores assume no discontinuation (hypothetical estimand)."]
    if forecast.weeks > limit["longest_trial"]:
        notes.append(
            f"After week {limit['longest_trial']:g}, the length of the trial that rates of discontinuation and the "
            "placebo response were fitted to, this is an extrapolation."
        )
    if forecast.good.sum() < limit["rough_below"]:
        notes.append(
            f"Fewer than {limit['rough_below']:g} virtual patients: the 5th and 95th percentiles are imprecise."
        )
    return (*notes, *forecast.treatment.notes)


def _quantiles(values: FloatArray) -> Quantiles:
    """(subject, week) to rows by week."""
    if not len(values):
        return Quantiles((), (), (), (), (), ())
    rows = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0)
    return Quantiles(*(tuple(row.tolist()) for row in (*rows, values.mean(axis=0))))


def responders(forecast: Forecast, reduction: float, week: int) -> Responders | None:
    """Responder rate: weekly mean spasticity NRS lower by `reduction` or more; None past the plan's end."""
    _is_forecast(forecast)
    reduction = number_of("reduction", reduction, wrong=SimulationError, least=0.0, most=1.0)
    week = whole("week", week, wrong=SimulationError, least=0)
    if week > forecast.weeks or not forecast.good.any():
        return None
    nrs = forecast.weekly["spasticity_nrs"][:, forecast.good]
    active, placebo = (nrs[:, :, week] <= (1.0 - reduction) * nrs[:, :, 0]).mean(axis=1)
    return Responders(float(active), float(placebo), float(active - placebo))


def _dose(forecast: Forecast) -> Dose:
    """Units a day by week: the week's mean of each patient, then quantiles over patients."""
    good = int(forecast.good.sum())
    plan = forecast.treatment
    taken = np.array(plan.amounts)[forecast.taken[:, forecast.good]]
    by_week = taken.reshape(len(ARMS), good, forecast.weeks, 7).mean(axis=3)
    return Dose(plan.counted_in, *map(_quantiles, by_week))
