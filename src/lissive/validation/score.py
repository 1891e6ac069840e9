"""Predicted beside observed: fold errors, their summaries, why a ratio is missed, and concentration-time curves.

Field's terms: fold error = predicted / observed. AFE = geometric mean of the fold errors (bias). GMFE (AAFE) =
geometric mean of the larger of fold and 1/fold (precision). Coverage = proportion of observations inside the
prediction's 90 % interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.studies import Arm, Observation, Prediction, Studies
from lissive.studies.measures import IN_WORDS
from lissive.studies.observation import ANALYTES, PRINTED
from lissive.studies.run import simulate_arm
from lissive.table import rows_of

EXPOSURE = "exposure"
"""Cmax, AUC and concentrations: what `all` metrics means. Times, clearances and ratios are scored on their own."""
RATIO_LIMITS = (0.67, 1.5)
"""A predicted ratio is good where it is within these of the observed one."""
LIMITS = (1.25, 1.5, 2.0)
MOST_REPLICATES = 10_000
"""Of people that each arm is made of; a few thousand make every figure as sure as it can be."""


@dataclass(frozen=True)
class Row:
    """One observation beside its prediction."""

    study: str
    analyte: str
    """As printed: 11-OH-THC."""
    metric: str
    observed: float
    predicted: float
    pi90: tuple[float, float]
    """90 % prediction interval."""
    fold: float
    inside: bool
    """Whether the observed value is within the interval."""
    unit: str
    stat: str
    time_h: float | None
    group: str
    route: str
    split: str
    scored_as: str
    """split, or sibling: held out, but of a publication that was fitted on, or of a figure that the model copies."""
    provenance: str
    n: int
    assumed: tuple[str, ...]
    people_without_it: int
    """Simulated people of whom it could not be calculated."""


@dataclass(frozen=True)
class Scores:
    """Scores of some predictions; `all` stands for every analyte's route, provenance or exposure metric."""

    analyte: str
    route: str
    provenance: str
    metric: str
    n: int
    afe: float
    gmfe: float
    within_1_25: float
    within_1_5: float
    within_2: float
    coverage_90: float
    studies: int
    """Groups of people behind them."""
    gmfe_by_study: float
    """Every group of people counting alike, however many figures it has; the next one likewise."""
    coverage_by_study: float

    def to_json(self) -> dict[str, Any]:
        """With the limits as numbers: within_1.25."""
        return {name.replace("within_1_", "within_1."): value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Ratios:
    """How many held-out ratios are predicted within RATIO_LIMITS times the observed; siblings are not counted."""

    n: int
    within: int
    share: float | None
    limits: tuple[float, float]
    in_words: int
    """Held-out ratios that studies give in words only; not counted."""
    missed: tuple[Row, ...]


def row(each: Prediction) -> Row:
    """One observation beside its prediction."""
    one = each.observation
    low, high = each.interval
    return Row(
        study=one.study,
        analyte=PRINTED[one.analyte],
        metric=one.metric,
        observed=one.value,
        predicted=each.predicted,
        pi90=(low, high),
        fold=each.fold,
        inside=bool(low <= one.value <= high),
        unit=one.unit,
        stat=one.stat,
        time_h=one.time,
        group=one.group,
        route=one.arm.route,
        split=one.split,
        scored_as=one.scored_as,
        provenance=one.provenance,
        n=one.arm.n,
        assumed=one.assumed,
        people_without_it=each.failed,
    )


def summary(predictions: Sequence[Prediction]) -> tuple[Scores, ...]:
    """Scores by analyte, route, provenance and metric; `all` stands for every one of its kind."""
    found = []
    for analyte in ANALYTES:
        mine = [p for p in predictions if p.observation.analyte == analyte]
        routes = sorted({p.observation.arm.route for p in mine})
        metrics = sorted({p.observation.metric.split("[")[0] for p in mine})
        for route in ("all", *routes):
            for provenance in ("all", "read", "recalled"):
                for metric in ("all", *metrics):
                    chosen = _chosen(mine, route, provenance, metric)
                    if chosen:
                        found.append(scores(chosen, PRINTED[analyte], route, provenance, metric))
    return tuple(found)


def _chosen(predictions: Iterable[Prediction], route: str, provenance: str, metric: str) -> list[Prediction]:
    return [
        p
        for p in predictions
        if route in ("all", p.observation.arm.route)
        and provenance in ("all", p.observation.provenance)
        and (
            p.observation.group == EXPOSURE
            if metric == "all"
            else p.observation.metric.split("[")[0] == metric
        )
    ]


def scores(
    predictions: Sequence[Prediction],
    analyte: str,
    route: str = "all",
    provenance: str = "all",
    metric: str = "all",
) -> Scores:
    """Bias, precision, proportions within limits and coverage of some predictions; there is at least one."""
    folds = np.array([p.fold for p in predictions])
    logs, size = np.log(folds), np.maximum(folds, 1.0 / folds)
    inside = [p.interval[0] <= p.observation.value <= p.interval[1] for p in predictions]
    names = [p.observation.study for p in predictions]
    weights = np.array([1.0 / names.count(name) for name in names])
    close, fair, rough = (float((size <= limit).mean()) for limit in LIMITS)
    return Scores(
        analyte,
        route,
        provenance,
        metric,
        len(predictions),
        float(np.exp(logs.mean())),
        float(np.exp(np.abs(logs).mean())),
        close,
        fair,
        rough,
        float(np.mean(inside)),
        len(set(names)),
        float(np.exp(np.average(np.abs(logs), weights=weights))),
        float(np.average(inside, weights=weights)),
    )


def ratio_summary(predictions: Sequence[Prediction]) -> Ratios:
    """How many of the held-out ratios are within 0.67 to 1.5 times the observed.

    'No effect' said in words is no number: such rows are shown and not counted.
    """
    held_out = [
        p for p in predictions if p.observation.group == "ratio" and p.observation.scored_as == "validation"
    ]
    ratios = [p for p in held_out if IN_WORDS not in p.observation.assumed]
    low, high = RATIO_LIMITS
    missed = [p for p in ratios if not low <= p.fold <= high]
    good = len(ratios) - len(missed)
    return Ratios(
        n=len(ratios),
        within=good,
        share=good / len(ratios) if ratios else None,
        limits=RATIO_LIMITS,
        in_words=len(held_out) - len(ratios),
        missed=tuple(row(p) for p in missed),
    )


# -- why a ratio is missed -------------------------------------------------------------------------
NOT_EXPLAINED = "Not explained yet."


@cache
def explanations() -> dict[tuple[str, str, str], str]:
    """(study, analyte as printed, metric) to the reason."""
    return {
        (row["study"], row["analyte"], row["metric"]): row["why"]
        for row in rows_of(Path(__file__).with_name("misses.tsv"))
    }


def why_missed(study: str, analyte: str, metric: str) -> str:
    """The reason on record, or the words that there is none.

    >>> why_missed("nobody2020", "THC", "ratio_AUC")
    'Not explained yet.'
    """
    return explanations().get((study, analyte, metric), NOT_EXPLAINED)


# -- concentration over time -----------------------------------------------------------------------
# The band is between people of the arm, not of its mean: it says whom the study may have met.
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
