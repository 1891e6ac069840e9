"""Targets that need many people: virtual patients who titrate by the label, with the drug and with placebo.

Ratings differ from one week to the next as a person's do, so the share that reaches a threshold has the luck of one
week in it, as a trial's has.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from lissive.arrays import FloatArray
from lissive.case import make_case
from lissive.errors import SimulationError
from lissive.forecast import Forecast, predict, responders
from lissive.validation._target_measures import Measured
from lissive.validation._target_rows import Arm

SEED = 1
ENRICHED = (0.20, 4)
"""Improvement of the spasticity NRS, and the week, by which enriched trials select responders."""
PRODUCT = "nabiximols"

PatientMeasure = Callable[[Forecast, tuple[float, ...]], Measured]


@cache
def _forecast(cause: str, patients: int, weeks: int, threads: int) -> Forecast:
    plan = {"product": PRODUCT, "titration": "label", "weeks": weeks}
    case = make_case({"case": "targets", "spasm": {"cause": cause}, "plan": plan})
    return predict(case, subjects=patients, seed=SEED, threads=threads)


def forecast_of(arm: Arm, threads: int) -> Forecast:
    """The virtual patients of an arm: nothing is known of them but the cause of their spasms.

    Raises       SimulationError where the arm asks for what this does not do.
    """
    if arm.doses or arm.settings or arm.model != "lissive" or arm.days % 7:
        raise SimulationError(
            "Virtual patients follow the label and have no doses or settings of their own.",
            where=f"arm {arm.name}",
            allowed="the model lissive, a cause and whole weeks.",
        )
    return _forecast(arm.cause, arm.patients, int(arm.days) // 7, threads)


def responders_percent(forecast: Forecast, args: tuple[float, ...]) -> Measured:
    """Responders of a week by improvement of the spasticity NRS [%]. Numbers: arm (0 drug, 1 placebo), share, week."""
    found = responders(forecast, args[1], int(args[2]))
    assert found is not None
    value = 100.0 * (found.placebo if args[0] else found.active)
    error = np.sqrt(value * (100.0 - value) / int(forecast.good.sum()))
    return value, f"{int(forecast.good.sum())} virtual patients, standard error {error:.1f}"


def mean_difference(forecast: Forecast, args: tuple[float, ...]) -> Measured:
    """Spasticity NRS in a week, drug minus placebo, all patients."""
    return _difference(forecast, np.ones(int(forecast.good.sum()), bool), int(args[0]))


def enriched_difference(forecast: Forecast, args: tuple[float, ...]) -> Measured:
    """As `mean_difference`, in those who responded to the drug early."""
    return _difference(forecast, _enriched(forecast), int(args[0]))


def enriched_spasm_ratio(forecast: Forecast, args: tuple[float, ...]) -> Measured:
    """Geometric mean over early responders of a week's spasms, drug over placebo."""
    chosen = _enriched(forecast)
    spasms = _weekly(forecast, "spasms_per_day")[:, chosen, int(args[0])]
    return float(np.exp(np.log(spasms[0] / spasms[1]).mean())), _of(chosen)


def enriched_ashworth(forecast: Forecast, args: tuple[float, ...]) -> Measured:
    """Mean Ashworth in a week, drug minus placebo, in early responders."""
    chosen = _enriched(forecast)
    score = _weekly(forecast, "ashworth")[:, chosen, int(args[0])]
    return float((score[0] - score[1]).mean()), _of(chosen)


def units_a_day(forecast: Forecast, args: tuple[float, ...]) -> Measured:
    """Mean number of sprays a day in a week."""
    week = int(args[0])
    taken = forecast.taken[0, forecast.good, 7 * (week - 1) : 7 * week].mean(axis=1)
    return float(taken.mean()), f"standard deviation between patients {taken.std():.1f}"


def _weekly(forecast: Forecast, outcome: str) -> FloatArray:
    """(arm, good subject, week)"""
    return forecast.weekly[outcome][:, forecast.good]


def _enriched(forecast: Forecast) -> np.ndarray:
    share, week = ENRICHED
    nrs = _weekly(forecast, "spasticity_nrs")[0]
    chosen: np.ndarray = nrs[:, week] <= (1.0 - share) * nrs[:, 0]
    return chosen


def _difference(forecast: Forecast, chosen: np.ndarray, week: int) -> Measured:
    nrs = _weekly(forecast, "spasticity_nrs")[:, chosen, week]
    gap = nrs[0] - nrs[1]
    return float(gap.mean()), f"{_of(chosen)}, standard error {gap.std() / np.sqrt(len(gap)):.2f}"


def _of(chosen: np.ndarray) -> str:
    return f"{int(chosen.sum())} of {len(chosen)} virtual patients"


PATIENT_MEASURES: dict[str, PatientMeasure] = {
    each.__name__: each
    for each in (
        responders_percent, mean_difference, enriched_difference, enriched_spasm_ratio, enriched_ashworth,
        units_a_day,
    )
}  # fmt: skip
