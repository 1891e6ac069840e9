"""Pooled figures and their studies as plain data, ready for JSON; None where a number is infinite or does not exist."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from statistics import NormalDist
from typing import Any

from lissive.errors import EvidenceError
from lissive.evidence.bias import egger
from lissive.evidence.comparison import Comparison
from lissive.evidence.effect import Effect, shown
from lissive.evidence.pool import Pooled
from lissive.evidence.words import assumption


def figure_data(figure: Pooled | None, most: float | None = None) -> dict[str, Any]:
    """A pooled figure; `most` is the largest difference that the outcome's scale has room for (`room_of`)."""
    if figure is None:
        names = (
            "estimate ci prediction_interval se p tau2 tau2_ci i2 q q_df q_p method model tau2_by ci_by level"
        )
        none: dict[str, Any] = {
            **dict.fromkeys(names.split()),
            "prediction_beyond_scale": False,
            "weights": [],
            "said": [],
        }
        return {"k": 0, "n": 0, "n_stated_by": 0, **none}
    return {
        "k": figure.k,
        "n": figure.n if figure.n_stated_by else None,
        "n_stated_by": figure.n_stated_by,
        **estimate_data(figure),
        "prediction_interval": None
        if figure.prediction_interval is None
        else [finite(end) for end in figure.prediction_interval],
        "prediction_beyond_scale": most is not None
        and figure.prediction_interval is not None
        and max(map(abs, figure.prediction_interval)) > most,
        "se": figure.se,
        "p": figure.p,
        "tau2": figure.tau2,
        "tau2_ci": None if figure.tau2_ci is None else [finite(end) for end in figure.tau2_ci],
        "i2": figure.i2,
        "q": figure.q,
        "q_df": figure.k - 1,
        "q_p": figure.q_p,
        "method": figure.method,
        "model": figure.model,
        "tau2_by": figure.tau2_by,
        "ci_by": figure.ci_by,
        "level": figure.level,
        "weights": list(figure.weights),
        "said": list(figure.said),
    }


def room_of(measure: str, lower: float | None, upper: float | None) -> float | None:
    """The largest difference that there can be on a scale from `lower` to `upper`; None where there is no end.

    >>> room_of("MD", 0.0, 10.0), room_of("RD", 0.0, 1.0), room_of("OR", 0.0, 1.0)
    (10.0, 1.0, None)
    """
    if measure == "SMD":
        return assumption("largest_smd")
    if measure not in ("MD", "RD") or lower is None or upper is None:
        return None
    return upper - lower


def estimate_data(figure: Pooled) -> dict[str, Any]:
    return {"estimate": finite(figure.estimate), "ci": [finite(end) for end in figure.ci]}


def finite(x: float) -> float | None:
    return x if math.isfinite(x) else None


def direction(figure: Pooled | None, better: str) -> str:
    """benefit, harm, either (the interval holds no difference), or "" without studies.

    lower, higher where nobody says which way is better.
    """
    if figure is None:
        return ""
    if figure.low_y <= 0.0 <= figure.high_y:
        return "either"
    up = figure.y > 0
    if not better:
        return "higher" if up else "lower"
    return "benefit" if up == (better == "higher") else "harm"


def studies_data(
    kept: Sequence[Comparison], effects: Sequence[Effect], figure: Pooled | None
) -> list[dict[str, Any]]:
    z = NormalDist().inv_cdf(0.975)
    weights = () if figure is None else figure.weights
    rows = []
    for comparison, each, weight in zip(kept, effects, weights, strict=True):
        active, control = comparison.active, comparison.control
        rows.append(
            {
                "study": each.study,
                "label": each.label,
                "design": each.design,
                "product": comparison.product,
                "n": each.n,
                "active": None if active is None else asdict(active),
                "control": None if control is None else asdict(control),
                "estimate": each.estimate,
                "ci": [finite(shown(each.measure, each.y + side * z * each.se)) for side in (-1, 1)],
                "y": each.y,
                "se": each.se,
                "weight": weight,
                "provenance": each.provenance,
                "patients": each.patients,
                "said": list(each.said),
                "note": comparison.note,
                "cited": [asdict(cited) for cited in comparison.cited],
            }
        )
    return rows


def small_studies_data(effects: Sequence[Effect]) -> dict[str, Any]:
    """Egger's test, or the reason why there is none."""
    try:
        found = egger(effects)
    except EvidenceError as error:
        return {"refused": error.what}
    limit = shown(effects[0].measure, found.limit_y)
    return {**asdict(found), "t": finite(found.t), "limit": finite(limit), "refused": None}
