"""Concentration-time curves: the people of each study's arm beside the means that it published.

    for curve in curves(read_studies(path)): print(curve.study, curve.analyte, curve.median.max())

The band is between people of the arm, not of its mean: it says whom the study may have met.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lissive.arrays import FloatArray
from lissive.studies import Arm, Observation, Studies
from lissive.studies.observation import ANALYTES, PRINTED
from lissive.studies.run import simulate_arm

BAND = (5.0, 50.0, 95.0)
"""Percentiles of the people: lower end of the band, middle, upper end."""
USUAL_H = 12.0
"""How far a curve is drawn where nothing was seen later: as far as the arm was sampled, not over this,"""
MULTIPLE = 8.0
"""nor over so many times the last point's time, so that an early peak can be seen."""
BEYOND = 1.15
"""A curve goes on past its last point by this factor of the time."""
STEPS = 80


@dataclass(frozen=True)
class Point:
    """One published number that lies on a curve."""

    time: float
    """h on the study's clock."""
    value: float
    """In the unit of the curve, and in the matrix that was measured."""
    what: str
    """concentration; or peak: Cmax at Tmax, both of the group."""
    provenance: str
    split: str


@dataclass(frozen=True)
class Curve:
    """One analyte in one arm."""

    study: str
    analyte: str
    """As printed: 11-OH-THC."""
    unit: str
    times: FloatArray
    """(time,) h on the study's clock."""
    median: FloatArray
    """(time,) of the people, as are the others; in the matrix that was measured."""
    p05: FloatArray
    p95: FloatArray
    points: tuple[Point, ...]
    lloq: float
    """The least that the assay quantified; 0 where none is known."""
    people: int
    route: str


def curves(studies: Studies, *, replicates_people: int = 200, seed: int = 1, threads: int = 1) -> list[Curve]:
    """Every arm and analyte with concentrations at times, or with both Cmax and Tmax, in the order of the file.

    Parameters
    ----------
    replicates_people : how many people each arm has at least; whole repeats of the arm are run.
    """
    found = []
    for study in dict.fromkeys(one.study for one in studies.observations):
        mine = [one for one in studies.observations if one.study == study]
        points = {analyte: points_of(mine, analyte) for analyte in ANALYTES}
        points = {analyte: some for analyte, some in points.items() if some}
        if points:
            arm = next(one.arm for one in mine if one.analyte in points and one.measure in ("conc", "Cmax"))
            found += _of_arm(arm, points, replicates_people, seed, threads)
    return found


def points_of(observations: Iterable[Observation], analyte: str) -> tuple[Point, ...]:
    """What was published of one analyte of one study that lies on its curve, by time."""
    mine = [one for one in observations if one.analyte == analyte]
    found = [
        Point(one.time, one.value, "concentration", one.provenance, one.split)
        for one in mine
        if one.measure == "conc" and one.time is not None
    ]
    peaks, times = ([one for one in mine if one.measure == measure] for measure in ("Cmax", "Tmax"))
    for peak in peaks:
        if at := next((one for one in times if _same_arm(one, peak)), None):
            provenance = "recalled" if "recalled" in (peak.provenance, at.provenance) else "read"
            found.append(Point(at.value, peak.value, "peak", provenance, peak.split))
    return tuple(sorted(found, key=lambda point: point.time))


def _same_arm(one: Observation, other: Observation) -> bool:
    return one.reference is None and other.reference is None and one.arm.dose_times == other.arm.dose_times


def _of_arm(
    arm: Arm, points: dict[str, tuple[Point, ...]], people: int, seed: int, threads: int
) -> list[Curve]:
    times = times_of(arm, [point for some in points.values() for point in some])
    repeats = math.ceil(people / arm.n)
    values = simulate_arm(arm, times, repeats, seed=seed, threads=threads)
    found = []
    for analyte, some in points.items():
        mine = values[:, :, ANALYTES.index(analyte)] * arm.matrix.get(analyte, 1.0)
        solved = mine[~np.isnan(mine).any(axis=1)]
        shown = times <= _end(arm, some)
        low, middle, high = np.percentile(solved[:, shown], BAND, axis=0)
        lloq = arm.lloq.get(analyte, 0.0)
        curve = Curve(
            arm.study, PRINTED[analyte], "ng/mL", times[shown], middle, low, high, some, lloq, len(solved),
            arm.route,
        )  # fmt: skip
        found.append(curve)
    return found


def times_of(arm: Arm, points: Sequence[Point]) -> FloatArray:
    """(time,) h: dense at first, where a curve is steep, even later on, and at each point."""
    end = _end(arm, points)
    every = [np.linspace(0.0, end, STEPS + 1), np.geomspace(end / 500.0, end, STEPS)]
    return np.unique(np.concatenate([*every, [point.time for point in points]]).round(6))


def _end(arm: Arm, points: Sequence[Point]) -> float:
    """h: a little past the last point, or further."""
    last = max(point.time for point in points)
    followed = min(max(arm.sampling, default=USUAL_H), USUAL_H, MULTIPLE * last)
    return float(max(BEYOND * last, followed))
