"""A virtual trial's files: the answer, its tables, its figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lissive.files import atomic_path, write_rows
from lissive.report.figure import save
from lissive.report.files import write_json

FIGURES = "change responders patients flow failure".split()
RUN_FILES = [
    "trial.json",
    "endpoints.csv",
    *(f"{stem}.{kind}" for stem in FIGURES for kind in ("png", "svg")),
]
POWER_FILES = [f"power.{kind}" for kind in ("json", "csv", "png", "svg")]
ENDPOINTS = "endpoint week arm kind n base mean change sd p05 p95".split()
POINTS = "n randomised arm against endpoint week method measure power estimate p05 p95 estimated".split()


def write_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], path: Path) -> Path:
    """A row for each of `rows`; what is None is left empty."""
    with atomic_path(path) as place, place.open("w", encoding="utf-8", newline="") as file:
        write_rows(file, [columns, *([row.get(name) for name in columns] for row in rows)])
    return path


def write_trial(folder: Path, answer: Mapping[str, Any]) -> list[Path]:
    """Beside the patients and replicates, which are there already: JSON, tables, figures."""
    from lissive.report import trial_figures as figures
    from lissive.report.trial_flow import flow_figure
    from lissive.report.trial_text import design_of
    from lissive.trials.kept import curves

    design = design_of(answer)
    found = curves(folder, design, answer["replicates"])
    look = figures.looks(list(design.arms), design.control)
    stamp = _stamp(answer)
    n = answer["replicates"]
    band = (
        f"Line: mean over {n} replicates; band: 90 % of them. {stamp}" if n > 1 else f"One replicate. {stamp}"
    )
    drawn = {
        "change": figures.change_figure(found, look, band),
        "responders": figures.responder_figure(found, look, band),
        "patients": figures.patients_figure(
            found, look, f"Each line a patient of the first replicate. {stamp}"
        ),
        "flow": flow_figure(answer, f"Mean over {n} replicates (range). {stamp}" if n > 1 else band),
    }
    if found["without_failure"]:
        drawn["failure"] = figures.failure_figure(found, look, band)
    return [
        write_json(answer, folder / "trial.json"),
        write_table(answer["arms"], ENDPOINTS, folder / "endpoints.csv"),
        *(path for stem, figure in drawn.items() for path in save(figure, folder, stem)),
    ]


def write_power(folder: Path, answer: Mapping[str, Any]) -> list[Path]:
    """The curve as JSON, table and figure."""
    from lissive.report import trial_figures as figures
    from lissive.report.trial_text import design_of

    design = design_of(answer)
    look = figures.looks(list(design.arms), design.control)
    said = f"{answer['replicates']} trials of each size; bars: Wilson's 95 % interval. {_stamp(answer)}"
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_json(answer, folder / "power.json"),
        write_table(answer["points"], POINTS, folder / "power.csv"),
        *save(figures.power_figure(answer, look, said), folder, "power"),
    ]


def _stamp(answer: Mapping[str, Any]) -> str:
    return f"Simulated patients. lissive {answer['provenance']['lissive']}, {answer['trial']}, seed {answer['seed']}."
