"""The tables behind the figures, as files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lissive.files import atomic_path, write_rows


def write_weeks(forecast: Mapping[str, Any], path: Path) -> Path:
    """A row for each outcome, arm and week, with the quantiles."""
    quantiles = ["p05", "p25", "median", "p75", "p95", "mean"]
    rows: list[list[Any]] = [["outcome", "unit", "arm", "week", *quantiles]]
    for name, outcome in forecast["outcomes"].items():
        for arm in ("active", "placebo", "difference"):
            for k, week in enumerate(forecast["weeks"] if outcome[arm]["median"] else []):
                numbers = [f"{outcome[arm][q][k]:.6g}" for q in quantiles]
                rows.append([name, outcome["unit"], arm, week, *numbers])
    with atomic_path(path) as place, place.open("w", encoding="utf-8", newline="") as file:
        write_rows(file, rows)
    return path


def write_json(answer: Mapping[str, Any], path: Path) -> Path:
    """The whole answer."""
    with atomic_path(path) as place:
        place.write_text(json.dumps(answer, indent=1), encoding="utf-8")
    return path
