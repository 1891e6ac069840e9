"""The files of a report: which there are, and how they are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lissive.case_answer import CaseAnswer
from lissive.files import write_text
from lissive.forecast import ForecastAnswer
from lissive.handout.events import write_events
from lissive.handout.page import report_page
from lissive.handout.pdf import pdf_writer
from lissive.handout.sheet import sheet_page
from lissive.report.figures import write_json, write_weeks

RECORD = "case.json"
"""By which an earlier report is known."""
PAGES: dict[str, Callable[[CaseAnswer], str]] = {
    "report": report_page,
    "sheet": lambda answer: sheet_page(answer, "en"),
    "sheet-es": lambda answer: sheet_page(answer, "es"),
}
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
    paths, notes = [], [note] if note else []
    for name, page in PAGES.items():
        text = page(answer)
        paths.append(write_text(folder / f"{name}.html", text))
        if write_pdf is not None:
            paths.append(folder / f"{name}.pdf")
            notes += write_pdf(paths[-1], text, one_page=name.startswith("sheet"))
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
