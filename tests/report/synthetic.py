"""A small validation of known errors."""

from __future__ import annotations

import numpy as np

from lissive.studies import Arm, Observation, Prediction, Skipped
from lissive.validation.run import Validation

ARM = Arm("study2020", 12, "oral", 10.0, 10.0)


def one(analyte: str, metric: str, observed: float, fold: float, **other: object) -> Prediction:
    """A prediction `fold` times the observed, in every replicate."""
    group = "ratio" if "ratio" in metric else "time" if metric in ("Tmax", "thalf") else "exposure"
    fields = {"provenance": "read", "split": "calibration", "arm": ARM, "study": "study2020"} | other
    unit = {"ratio": "1", "time": "h"}.get(group, "ng/mL")
    observation = Observation(
        analyte=analyte,
        metric=metric,
        measure=metric,
        group=group,
        value=observed,
        unit=unit,
        stat="mean",
        **fields,
    )  # type: ignore[arg-type]
    return Prediction(observation, np.full(20, observed * fold))


def validation(*predictions: Prediction, **other: object) -> Validation:
    return Validation(
        "nowhere.yaml",
        predictions,
        (Skipped("study2020", "CBD Vd", "which volume is <not> said"),),
        20,
        1,
        **other,
    )  # type: ignore[arg-type]


def usual(**other: object) -> Validation:
    """THC within its aim, CBD beyond, a ratio good, a ratio missed."""
    kept = {"split": "validation"}
    return validation(
        one("THC", "Cmax", 2.0, 1.2),
        one("THC", "AUC", 10.0, 1 / 1.2, provenance="recalled"),
        one("THC", "C", 3.0, 1.2, time=1.5),
        one("CBD", "Cmax", 1.0, 3.0),
        one("CBD", "Tmax", 2.0, 0.5),
        one("CBD", "AUC", 1234.5, 0.9, **kept),
        one("THC", "food_ratio_AUC", 2.0, 1.1, **kept),
        one("THC", "ddi_ratio_Cmax", 2.0, 4.0, **kept),
        **other,
    )
