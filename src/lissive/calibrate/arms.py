"""What the model says of the observations of a fit: the same people each time, and no jumps where none need be.

A time on a grid and a sharp limit of quantification make a mean or a median jump as one person steps over it, by more
than a standard error is worth. Here peaks are looked for between times, and limits are as blurred as assays are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from lissive.arrays import FloatArray
from lissive.studies import Arm, Observation
from lissive.studies.observation import ANALYTES
from lissive.studies.run import all_times, measure, simulate_arm, statistic

SEED = 1
FINE = np.round(np.concatenate([np.arange(0.0, 0.5, 0.01), np.arange(0.5, 12.0, 0.05)]), 2)
"""Where peaks are looked for [h]; the first ones come within minutes."""
LIMITS: FloatArray = np.exp(0.2 * ndtri((np.arange(8) + 0.5) / 8))
"""Factors on a limit of quantification: there an assay may err by 20 %."""
POWER = {"Cmax": 1.0, "AUC": 1.0, "CL": -1.0}
"""What is measured goes with this power of the concentrations."""


@dataclass(frozen=True)
class _Plan:
    """An arm, when it is looked at, and what is asked of it."""

    arm: Arm
    times: FloatArray
    asked: tuple[tuple[int, Observation], ...]


def predictor(
    observations: Sequence[Observation], people: int
) -> Callable[[Mapping[str, float]], FloatArray]:
    """From typical values that take the place of the tables' to (observation,) what the model says of each."""
    plans = _plans(observations, people)

    def predict(parameters: Mapping[str, float]) -> FloatArray:
        result = np.empty(len(observations))
        for plan in plans:
            every = (
                np.union1d(plan.times, FINE) if any(o.group == "time" for _, o in plan.asked) else plan.times
            )
            values = simulate_arm(plan.arm, every, 1, seed=SEED, parameters=parameters, evenly=True)
            for k, one in plan.asked:
                each = peak_time if one.group == "time" else blurred
                wanted = np.isin(every, FINE if one.group == "time" else plan.times)
                found = each(one, plan.arm, every[wanted], values[:, wanted])
                result[k] = statistic(one.stat, found[None, :])[0]
        return result

    return predict


def _plans(observations: Sequence[Observation], people: int) -> list[_Plan]:
    asked: dict[str, list[tuple[int, Observation]]] = {}
    for k, one in enumerate(observations):
        asked.setdefault(repr(one.arm), []).append((k, one))
    plans = []
    for mine in asked.values():
        arm = mine[0][1].arm
        times = all_times(arm, [o for o in observations if o.study == arm.study])
        plans.append(_Plan(replace(arm, n=people), times, tuple(mine)))
    return plans


def blurred(one: Observation, arm: Arm, times: FloatArray, values: FloatArray) -> FloatArray:
    """(subject and limit,) what was measured, each person by each of the limits that the assay may have had."""
    if one.measure not in POWER or not arm.lloq.get(one.analyte):
        return measure(one, arm, times, values)
    scaled = (values / LIMITS[:, None, None, None]).reshape(-1, *values.shape[1:])
    back = np.repeat(LIMITS ** POWER[one.measure], len(values))
    result: FloatArray = back * measure(one, arm, times, scaled)
    return result


def peak_time(one: Observation, arm: Arm, times: FloatArray, values: FloatArray) -> FloatArray:
    """(subject and limit,) time of the highest concentration: of the top of the parabola through the highest three.

    NaN where nothing can be quantified.
    """
    c = values[:, :, ANALYTES.index(one.analyte)] * arm.matrix.get(one.analyte, 1.0)
    at = np.clip(c.argmax(axis=1), 1, len(times) - 2)
    before, here, after = (c[np.arange(len(c)), at + k] for k in (-1, 0, 1))
    t0, t1, t2 = (times[at + k] for k in (-1, 0, 1))
    rise, fall = (here - before) / (t1 - t0), (after - here) / (t2 - t1)
    curved = fall < rise
    bend = np.where(curved, fall - rise, -1.0) / (t2 - t0)
    top = np.where(curved, np.clip((t0 + t1) / 2 - rise / (2 * bend), t0, t2), t1)
    seen = c.max(axis=1) >= np.maximum(LIMITS[:, None] * arm.lloq.get(one.analyte, 0.0), 1e-12)
    return np.where(seen, top, np.nan).ravel()
