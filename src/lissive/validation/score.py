"""Predicted beside observed: fold errors, their summaries, and what could not be scored.

Field's terms: fold error = predicted / observed. AFE = geometric mean of the fold errors (bias). GMFE (AAFE) =
geometric mean of the larger of fold and 1/fold (precision). Coverage = share of observations inside the
prediction's 90 % interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lissive.studies import Prediction
from lissive.studies.measures import IN_WORDS
from lissive.studies.observation import ANALYTES, PRINTED

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

    def to_json(self) -> dict[str, Any]:
        """With the limits as numbers: within_1.25."""
        return {name.replace("within_1_", "within_1."): value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Ratios:
    """How many held-out ratios are predicted within RATIO_LIMITS times the observed."""

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
    )


def ratio_summary(predictions: Sequence[Prediction]) -> Ratios:
    """How many of the held-out ratios are within 0.67 to 1.5 times the observed.

    'No effect' said in words is no number: such rows are shown and not counted.
    """
    held_out = [
        p for p in predictions if p.observation.group == "ratio" and p.observation.split == "validation"
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
