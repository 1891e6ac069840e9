"""The tables behind the figures, as files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

from lissive.files import atomic_path, write_rows
from lissive.forecast.answer import ForecastAnswer, Quantiles, Side


def write_weeks(forecast: ForecastAnswer, path: Path) -> Path:
    """A row for each outcome, arm and week, with the quantiles."""
    sides: tuple[Side, ...] = ("active", "placebo", "difference")
    rows: list[list[Any]] = [["outcome", "unit", "arm", "week", *(each.name for each in fields(Quantiles))]]
    for name, outcome in forecast.outcomes.items():
        for side in sides:
            by_week = zip(*astuple(outcome.of(side)), strict=True)
            for week, numbers in zip(forecast.weeks, by_week, strict=False):  # none where no run went well
                rows.append([name, outcome.unit, side, week, *(f"{x:.6g}" for x in numbers)])
    with atomic_path(path) as place, place.open("w", encoding="utf-8", newline="") as file:
        write_rows(file, rows)
    return path


def write_json(answer: Mapping[str, Any], path: Path) -> Path:
    """The whole answer."""
    with atomic_path(path) as place:
        place.write_text(json.dumps(answer, indent=1), encoding="utf-8")
    return path
