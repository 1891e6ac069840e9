"""The tables behind the figures, as files."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lissive.simulate.output import atomic_path


def write_weeks(forecast: Mapping[str, Any], path: Path) -> Path:
    """A row for each outcome, arm and week, with the quantiles."""
    quantiles = ["p05", "p25", "median", "p75", "p95", "mean"]
    with atomic_path(path) as place, place.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["outcome", "unit", "arm", "week", *quantiles])
        for name, outcome in forecast["outcomes"].items():
            for arm in ("active", "placebo", "difference"):
                for k, week in enumerate(forecast["weeks"] if outcome[arm]["median"] else []):
                    numbers = [f"{outcome[arm][q][k]:.6g}" for q in quantiles]
                    rows.writerow([name, outcome["unit"], arm, week, *numbers])
    return path


def write_json(answer: Mapping[str, Any], path: Path) -> Path:
    """The whole answer."""
    with atomic_path(path) as place:
        place.write_text(json.dumps(answer, indent=1), encoding="utf-8")
    return path
