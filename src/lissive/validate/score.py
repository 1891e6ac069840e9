"""Predicted beside observed: fold errors, their summaries, and what could not be scored.

Field's terms: fold error = predicted / observed. AFE = geometric mean of the fold errors (bias). GMFE (AAFE) =
geometric mean of the larger of fold and 1/fold (precision). Coverage = share of observations inside the
prediction's 90 % interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lissive.calibrate.posterior import between_study, uncertainty, within_study
from lissive.errors import StudyError
from lissive.given import kind_of, whole
from lissive.studies import Prediction, Skipped, Studies, predict_studies
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
class Validation:
    """A whole run."""

    path: str
    predictions: tuple[Prediction, ...]
    skipped: tuple[Skipped, ...]
    replicates: int
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """The shape of `lissive validate --json`."""
        return {
            "summary": summary(self.predictions),
            "rows": [row(each) for each in self.predictions],
            "skipped": [{"study": s.study, "why": f"{s.what}: {s.why}"} for s in self.skipped],
            "summary_by_split": {
                split: summary([p for p in self.predictions if p.observation.split == split])
                for split in ("calibration", "validation")
            },
            "ratios": ratio_summary(self.predictions),
            "studies": self.path,
            "replicates": self.replicates,
            "seed": self.seed,
        }


def validate(
    studies: Studies,
    *,
    replicates: int = 200,
    seed: int = 1,
    threads: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Validation:
    """Simulate every observation of the studies as it was made, `replicates` times each."""
    kind_of("studies", studies, Studies, wrong=StudyError, do="read them with read_studies(FILE).")
    replicates = whole("replicates", replicates, wrong=StudyError, most=MOST_REPLICATES)
    seed = whole("seed", seed, wrong=StudyError, least=0)
    threads = whole("threads", threads, wrong=StudyError)
    predictions = predict_studies(
        studies.observations,
        replicates=replicates,
        seed=seed,
        threads=threads,
        uncertainty=uncertainty,
        between_study=between_study(),
        within_study=within_study(),
        progress=progress,
    )
    scored = [p for p in predictions if np.isfinite(p.predicted)]
    unscored = tuple(
        Skipped(p.observation.study, p.observation.metric, "no simulated person had enough concentrations")
        for p in predictions
        if not np.isfinite(p.predicted)
    )
    return Validation(studies.path, tuple(scored), (*studies.skipped, *unscored), replicates, seed)


def row(each: Prediction) -> dict[str, Any]:
    """One observation beside its prediction."""
    one = each.observation
    low, high = each.interval
    return {
        "study": one.study,
        "analyte": PRINTED[one.analyte],
        "metric": one.metric,
        "observed": one.value,
        "predicted": each.predicted,
        "pi90": [low, high],
        "fold": each.fold,
        "inside": bool(low <= one.value <= high),
        "unit": one.unit,
        "stat": one.stat,
        "time_h": one.time,
        "group": one.group,
        "route": one.arm.route,
        "split": one.split,
        "provenance": one.provenance,
        "n": one.arm.n,
        "assumed": list(one.assumed),
        "people_without_it": each.failed,
    }


def summary(predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
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
                        keys = {"analyte": PRINTED[analyte], "route": route, "provenance": provenance}
                        found.append({**keys, "metric": metric, **scores(chosen)})
    return found


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


def scores(predictions: Sequence[Prediction]) -> dict[str, float]:
    """Bias, precision, shares within limits and coverage of some predictions; there is at least one."""
    folds = np.array([p.fold for p in predictions])
    logs, size = np.log(folds), np.maximum(folds, 1.0 / folds)
    inside = [p.interval[0] <= p.observation.value <= p.interval[1] for p in predictions]
    return {
        "n": len(predictions),
        "afe": float(np.exp(logs.mean())),
        "gmfe": float(np.exp(np.abs(logs).mean())),
        **{f"within_{limit:g}": float((size <= limit).mean()) for limit in LIMITS},
        "coverage_90": float(np.mean(inside)),
    }


def ratio_summary(predictions: Sequence[Prediction]) -> dict[str, Any]:
    """How many of the ratios that nothing was fitted on are within 0.67 to 1.5 times the observed.

    'No effect' said in words is no number: such rows are shown and not counted.
    """
    kept = [p for p in predictions if p.observation.group == "ratio" and p.observation.split == "validation"]
    ratios = [p for p in kept if IN_WORDS not in p.observation.assumed]
    low, high = RATIO_LIMITS
    good = [p for p in ratios if low <= p.fold <= high]
    return {
        "n": len(ratios),
        "within": len(good),
        "share": len(good) / len(ratios) if ratios else None,
        "limits": list(RATIO_LIMITS),
        "in_words": len(kept) - len(ratios),
        "missed": [row(p) for p in ratios if not low <= p.fold <= high],
    }
