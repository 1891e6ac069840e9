"""A day of treatment as a schedule: so many units of a product, at the times at which people take them."""

from __future__ import annotations

import numpy as np

from lissive.arrays import FloatArray
from lissive.case import Product, label_titration
from lissive.model.equations import Equations
from lissive.simulation.schedule import Schedule, doses
from lissive.units import to_nmol

ROUTES = {"oromucosal": "spray", "oral": "oral", "inhaled": "lung"}
"""A product's route to the model's depot: THC_spray, CBD_oral and so on."""


def day_of(equations: Equations, depot: str, times: FloatArray, *, thc_mg: float, cbd_mg: float) -> Schedule:
    """One day, or several, with a unit at each of `times`.

    Parameters
    ----------
    depot : where the doses go: spray, oral, lung, as ROUTES has it for a product's route.
    times : (unit,) [h from midnight].
    thc_mg, cbd_mg : content of a unit [mg].
    """
    mass = equations.parameters["M_THC"]
    parts = [doses([], 0, 0.0)]
    for drug, amount in (("THC", thc_mg), ("CBD", cbd_mg)):
        if amount and len(times):
            # THC and CBD are isomers: one molar mass serves both
            parts.append(
                doses(times, equations.dose_targets[f"{drug}_{depot}"], to_nmol(amount, g_per_mol=mass))
            )
    time, action, target, value = (
        np.concatenate([getattr(part, column) for part in parts])
        for column in ("time", "action", "target", "value")
    )
    order = np.argsort(time, kind="stable")
    return Schedule(time[order], action[order], target[order], value[order])


def clock(what: Product, units: int, doses_per_day: int | None = None) -> FloatArray:
    """(unit,) clock times [h] of `units` a day.

    As the label splits morning and evening, else through the waking day; with `doses_per_day`, several at once at
    that many times, the later ones first to get what does not go evenly.
    """
    if doses_per_day:
        occasions = _spread(8.0, 22.0, doses_per_day)
        which = doses_per_day - 1 - np.sort(np.arange(units) % doses_per_day)
        return np.sort(occasions[which])
    figure = what.figures
    if "morning_from" not in figure:
        return _spread(8.0, 22.0, units)
    edges = [figure[name].value for name in ("morning_from", "morning_to", "evening_from", "evening_to")]
    split = next((day.morning for day in label_titration(what.name) if day.total == units), None)
    if split is None:
        return _spread(edges[0], edges[3], units)
    return np.concatenate([_spread(edges[0], edges[1], split), _spread(edges[2], edges[3], units - split)])


def _spread(start: float, end: float, n: int) -> FloatArray:
    """The middles of n equal parts."""
    times: FloatArray = start + (end - start) * (np.arange(n) + 0.5) / max(n, 1)
    return times
