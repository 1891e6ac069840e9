"""A virtual trial's files: the answer, its tables, its figures."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lissive.report.table import write_json
from lissive.simulate.output import atomic_path

ENDPOINTS = "endpoint week arm kind n base mean change sd p05 p95".split()
POINTS = "n randomised arm against endpoint week method measure power estimate p05 p95 estimated".split()


def write_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], path: Path) -> Path:
    """A row for each of `rows`; what is None is left empty."""
    with atomic_path(path) as place, place.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow(["" if row.get(name) is None else row[name] for name in columns])
    return path


def write_trial(folder: Path, answer: Mapping[str, Any]) -> list[Path]:
    """Beside the patients and replicates, which are there already: JSON, tables, figures."""
    return [
        write_json(answer, folder / "trial.json"),
        write_table(answer["arms"], ENDPOINTS, folder / "endpoints.csv"),
    ]


def write_power(folder: Path, answer: Mapping[str, Any]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_json(answer, folder / "power.json"),
        write_table(answer["points"], POINTS, folder / "power.csv"),
    ]
