"""What many replicates of a trial say together: means, ranges and shares, as plain data without NaN."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lissive.errors import DesignError
from lissive.given import kind_of
from lissive.trials.analyse import ArmRow, Comparison
from lissive.trials.design import Design
from lissive.trials.endpoint import CHANGE, COUNT, TIME
from lissive.trials.estimate import power
from lissive.trials.run import Results

LEFT = ("adverse", "no_effect", "other")
STAGES = ("screened", "entered", "left_run_in", "not_kept", "randomised", "failed")


def summary(results: Results) -> dict[str, Any]:
    """The answer of `lissive trial run`, as its JSON has it."""
    kind_of("results", results, Results, wrong=DesignError, do="make them with run_trial(DESIGN).")
    design = results.design
    return {
        "trial": design.trial,
        "kind": design.kind,
        "design": design.model_dump(mode="json"),
        "replicates": results.replicates,
        "seed": results.seed,
        "flow": _flow(results),
        "arms": [row for row in _arms(results) if row["endpoint"] != "dose" or _asked(design, "dose")],
        "comparisons": comparisons(results),
        "dose": _dose(results),
        "provenance": dict(results.provenance),
    }


def _asked(design: Design, measure: str) -> bool:
    return any(endpoint.measure == measure for endpoint in design.endpoints)


# -- how many came how far -------------------------------------------------------------------------
def _flow(results: Results) -> dict[str, Any]:
    """Each number's mean and range over replicates; of each group (in a crossover: sequence) what became of it."""
    found: dict[str, Any] = {
        stage: _spread([getattr(flow, stage) for flow in results.flows.values()]) for stage in STAGES
    }
    groups = {}
    for name in results.design.shares:
        rows = [row for row in results.groups if row.group == name]
        fields = ("randomised", *LEFT, "completed")
        groups[name] = {field: _spread([getattr(row, field) for row in rows]) for field in fields}
    found["groups"] = [
        {"group": name, "label": group_label(results.design, name), **numbers}
        for name, numbers in groups.items()
        if numbers["randomised"]["max"]
    ]
    return found


def group_label(design: Design, name: str) -> str:
    """A group as a reader knows it: the arm, or the arms of a sequence in their order."""
    return " then ".join(design.crossover.sequences[int(name)]) if design.crossover else name


def _spread(values: Sequence[int]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "min": min(values), "max": max(values)}


# -- what each arm shows ---------------------------------------------------------------------------
def _arms(results: Results) -> list[dict[str, Any]]:
    """An endpoint, visit and arm a row, means over replicates; arms that nobody was put into are left out."""
    together: dict[tuple[str, float, str], list[ArmRow]] = {}
    for row in results.arms:
        together.setdefault((row.endpoint, row.week, row.arm), []).append(row)
    found = []
    for (endpoint, week, arm), rows in together.items():
        if not any(row.result.n for row in rows):
            continue
        means = [row.result.mean for row in rows]
        base = _mean(row.result.base for row in rows) if rows[0].kind != TIME else None
        found.append(
            {
                "endpoint": endpoint,
                "week": week,
                "arm": arm,
                "kind": rows[0].kind,
                "n": _mean(row.result.n for row in rows),
                "base": base,
                "mean": _mean(means),
                "change": _change(rows[0].kind, _mean(means), base),
                "sd": _mean(row.result.sd for row in rows),
                "p05": _quantile(means, 0.05),
                "p95": _quantile(means, 0.95),
            }
        )
    return found


def _change(kind: str, mean: float | None, base: float | None) -> float | None:
    """Of a count the mean is the count itself."""
    if kind == COUNT:
        return None if mean is None or base is None else mean - base
    return mean if kind == CHANGE else None


def _dose(results: Results) -> list[dict[str, Any]]:
    """Units a day, and mg of THC and CBD in them, by visit; of those who are still there."""
    found = []
    for row in _arms(results):
        if row["endpoint"] != "dose":
            continue
        arm = results.design.arms[row["arm"]]
        given = arm.product is not None and not arm.placebo
        mean = row["mean"]
        found.append(
            {
                "arm": row["arm"],
                "week": row["week"],
                "n": row["n"],
                "units": mean,
                "sd": row["sd"],
                "counted": arm.units_counted,
                "thc_mg": None if mean is None else mean * arm.thc_mg if given else 0.0,
                "cbd_mg": None if mean is None else mean * arm.cbd_mg if given else 0.0,
            }
        )
    return found


# -- arms against the control ----------------------------------------------------------------------
def comparisons(results: Results) -> list[dict[str, Any]]:
    """An endpoint, arm and method a row: what the replicates estimate, and how many would have found something."""
    there = {row["arm"] for row in _arms(results)}
    together: dict[tuple[str, float, str, str], list[Comparison]] = {}
    for row in results.comparisons:
        if row.arm in there and row.against in there:
            together.setdefault((row.endpoint, row.week, row.arm, row.estimate.method), []).append(row)
    return [_together(rows, results.design.analysis.alpha) for rows in together.values()]


def _together(rows: Sequence[Comparison], alpha: float) -> dict[str, Any]:
    """Ratios are averaged as logarithms: a ratio of 2 and one of 1/2 make 1."""
    first, every = rows[0], [row.estimate for row in rows]
    ratio = first.estimate.measure.endswith("ratio")
    values = [each.value for each in every]
    share, low, high = power([each.p for each in every], alpha)
    notes = Counter(each.note for each in every if each.note)
    return {
        "endpoint": first.endpoint,
        "week": first.week,
        "arm": first.arm,
        "against": first.against,
        "method": first.estimate.method,
        "measure": first.estimate.measure,
        "estimate": _mean(values, ratio=ratio),
        "p05": _quantile(values, 0.05),
        "p95": _quantile(values, 0.95),
        "ci": [_mean((each.lower for each in every), ratio=ratio), _mean((each.upper for each in every), ratio=ratio)],
        "power": share,
        "power_ci": [low, high],
        "estimated": sum(math.isfinite(value) for value in values),
        "notes": dict(notes.most_common()),
    }  # fmt: skip


def _mean(values: Iterable[float], *, ratio: bool = False) -> float | None:
    """Of those that are finite, ratios as logarithms; None of none."""
    known = [value for value in values if math.isfinite(value) and (value > 0 or not ratio)]
    if not known:
        return None
    return float(np.exp(np.mean(np.log(known)))) if ratio else float(np.mean(known))


def _quantile(values: Iterable[float], share: float) -> float | None:
    known = [value for value in values if math.isfinite(value)]
    return float(np.quantile(known, share)) if known else None
