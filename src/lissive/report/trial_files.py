"""A virtual trial's files: the answer, its tables, its figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lissive.files import atomic_path, write_rows
from lissive.report.figure import save
from lissive.report.files import write_json

if TYPE_CHECKING:
    from lissive.trials.run import PowerAnswer
    from lissive.trials.summary import TrialAnswer

FIGURES = "change responders patients flow failure".split()
RUN_FILES = [
    "trial.json",
    "endpoints.csv",
    *(f"{stem}.{kind}" for stem in FIGURES for kind in ("png", "svg")),
]
POWER_FILES = [f"power.{kind}" for kind in ("json", "csv", "png", "svg")]
ENDPOINTS = "endpoint week arm kind n base mean change sd p05 p95".split()
POINTS = "n randomised arm against endpoint week method measure power estimate p05 p95 estimated".split()


def write_table(rows: Iterable[object], columns: Sequence[str], path: Path) -> Path:
    """A row for each of `rows`, a column for each of these of its fields; what is None is left empty."""
    with atomic_path(path) as place, place.open("w", encoding="utf-8", newline="") as file:
        write_rows(file, [columns, *([getattr(row, name) for name in columns] for row in rows)])
    return path


def write_trial(folder: Path, answer: TrialAnswer) -> list[Path]:
    """Besides patients and replicates, which are written as the run goes: JSON, tables, figures."""
    from lissive.report import trial_figures as figures
    from lissive.report.trial_flow import flow_figure
    from lissive.trials.store import curves

    design, n = answer.design, answer.replicates
    found = curves(folder, design, n)
    look = figures.looks(list(design.arms), design.control)
    stamp = _stamp(answer)
    band = (
        f"Line: mean over {n} replicates; band: 90 % of them. {stamp}" if n > 1 else f"One replicate. {stamp}"
    )
    drawn = {
        "change": figures.change_figure(found, look, band),
        "responders": figures.responder_figure(found, look, band),
        "patients": figures.patients_figure(
            found, look, f"Each line a participant of the first replicate. {stamp}"
        ),
        "flow": flow_figure(answer, f"Mean over {n} replicates (range). {stamp}" if n > 1 else band),
    }
    if found.without_failure:
        drawn["failure"] = figures.failure_figure(found.without_failure, look, band)
    return [
        write_json(answer.to_json(), folder / "trial.json"),
        write_table(answer.arms, ENDPOINTS, folder / "endpoints.csv"),
        *(path for stem, figure in drawn.items() for path in save(figure, folder, stem)),
    ]


def write_power(folder: Path, answer: PowerAnswer) -> list[Path]:
    """The curve as JSON, table and figure."""
    from lissive.report import trial_figures as figures

    look = figures.looks(list(answer.design.arms), answer.design.control)
    note = f"{answer.replicates} replicates of each size; bars: Wilson's 95 % CI. {_stamp(answer)}"
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_json(answer.to_json(), folder / "power.json"),
        write_table(answer.points, POINTS, folder / "power.csv"),
        *save(figures.power_figure(answer, look, note), folder, "power"),
    ]


def _stamp(answer: TrialAnswer | PowerAnswer) -> str:
    return f"Simulated patients. lissive {answer.provenance.lissive}, {answer.design.trial}, random seed {answer.seed}."
