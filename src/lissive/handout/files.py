"""The files of a report: which there are, and how they are written."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lissive.case import Case
from lissive.case_answer import CaseAnswer
from lissive.files import write_csv, write_text
from lissive.forecast import ForecastAnswer
from lissive.forecast.treatment import treatment
from lissive.handout.language import Tongue
from lissive.handout.page import report_page
from lissive.handout.pdf import pdf_writer, write_sheets
from lissive.handout.sheet import sheet_page
from lissive.model import load
from lissive.report.figures import write_json, write_weeks

RECORD = "case.json"
"""By which an earlier report is known."""
SHEETS: dict[str, Tongue] = {"sheet": "en", "sheet-es": "es"}
PAGES = ("report", *SHEETS)
_TABLES = ("forecast.csv", "events.csv")


@dataclass(frozen=True)
class Written:
    """What was written, and what has to be known about it."""

    paths: tuple[Path, ...]
    notes: tuple[str, ...]


def files_of(folder: Path) -> list[Path]:
    """Every file that a report may have; the first is the record."""
    pages = [f"{name}.{kind}" for name in PAGES for kind in ("html", "pdf")]
    return [folder / name for name in (RECORD, *pages, *_TABLES)]


def write_report(folder: Path, answer: CaseAnswer) -> Written:
    """The pages, each also as PDF where it can be made, and the files behind them; each whole or not at all.

    What an earlier report has left in the folder and this one has not is taken away: it is of another answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_pdf, note = pdf_writer()
    notes = [note] if note else []
    sheets = [write_text(folder / f"{name}.html", sheet_page(answer, in_)) for name, in_ in SHEETS.items()]
    # the sheets' PDFs are made by another process while this one draws the report: they take as long as it
    aside = None if write_pdf is None else _begun(sheets)
    text = report_page(answer)
    paths = [write_text(folder / "report.html", text), *sheets]
    if write_pdf is not None:
        notes += write_pdf(folder / "report.pdf", text)
        notes += _ended(aside, sheets)
        paths += [folder / f"{name}.pdf" for name in PAGES]
    forecast = answer.forecast
    if isinstance(forecast, ForecastAnswer):
        paths.append(write_weeks(forecast, folder / "forecast.csv"))
        if forecast.failed < forecast.subjects:
            paths.append(write_events(folder / "events.csv", answer.case, forecast))
    paths.append(write_json(answer.to_json(), folder / RECORD))
    for old in files_of(folder):
        if old not in paths and old.is_file():
            old.unlink()
            notes.append(f"{old} of an earlier report was removed.")
    return Written(tuple(paths), tuple(notes))


def _begun(sheets: Sequence[Path]) -> subprocess.Popen[str] | None:
    """Another process that makes PDFs of these pages; None where none can be started."""
    command = [sys.executable, "-m", "lissive.handout.pdf", *map(str, sheets)]
    try:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except OSError:
        return None


def _ended(aside: subprocess.Popen[str] | None, sheets: Sequence[Path]) -> list[str]:
    """What has to be known about the PDFs; where that process failed, they are made by this one."""
    said = "" if aside is None else aside.communicate()[0]
    if aside is None or aside.returncode != 0:
        return write_sheets(sheets)
    notes: list[str] = json.loads(said)
    return notes


WEEK = 7 * 24.0
COLUMNS = "ID TIME EVID AMT CMT II ADDL DVID DV MDV".split()


def write_events(path: Path, case: Case, forecast: ForecastAnswer) -> Path:
    """Doses [nmol] by week, and at the end of each week the mean of every outcome with the drug; TIME in h."""
    about = [
        f"# {case.plan.product} for {forecast.weeks[-1]} weeks; TIME in h; AMT in nmol; CMT of the model lissive",
        "# EVID 1: the median dose of virtual patients in each week; EVID 0: mean of virtual patients with the drug",
    ]
    rows = sorted([*_doses(case, forecast), *_predictions(forecast)], key=lambda row: float(row[1]))
    return write_csv(path, [*([line] for line in about), COLUMNS, *rows])


def _doses(case: Case, forecast: ForecastAnswer) -> Iterator[list[Any]]:
    """The day of treatment that comes nearest to the median of each week, seven times."""
    equations = load("lissive")
    plan = treatment(case, equations)
    amounts = np.array(plan.amounts)
    compartments = {place: name for name, place in equations.dose_targets.items()}
    for week, median in enumerate(forecast.dose.active.median):
        nearest = int(np.abs(amounts - median).argmin())
        day = plan.dosing.schedules[nearest]
        for at, target, nmol in zip(day.time, day.target, day.value, strict=True):
            cells = [f"{WEEK * week + at:.6g}", 1, f"{nmol:.6g}", compartments[int(target)], 24, 6]
            yield [1, *cells, ".", ".", 1]


def _predictions(forecast: ForecastAnswer) -> Iterator[list[Any]]:
    for name, outcome in forecast.outcomes.items():
        for week, mean in zip(forecast.weeks, outcome.active.mean, strict=True):
            yield [1, f"{WEEK * week:.6g}", 0, ".", ".", ".", ".", name, f"{mean:.6g}", 0]
