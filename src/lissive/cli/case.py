"""`lissive case`: the main job. One person's answers: access, evidence and forecast; follow-up is not built yet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lissive.cli.options import Force
from lissive.errors import SimulationError

if TYPE_CHECKING:
    from lissive.case_answer import CaseAnswer


def register(app: typer.Typer) -> None:
    app.command("case")(case)


def case(
    file: Annotated[Path, typer.Argument(metavar="CASE", help="The case, a .yaml or .json file.")],
    subjects: Annotated[int, typer.Option(min=1, help="Virtual patients.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads (default: all cores).")] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder to write figures (PNG, SVG), table (CSV) and JSON to."),
    ] = None,
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """May this person have it, what do trials say, what may it do? Access, evidence and forecast for one case.

    Without a plan, access and evidence are answered all the same.
    """
    from lissive.case import read_case

    facts = read_case(file)  # a mistake in it is said before anything heavy is loaded
    from lissive.files import Beside, keep_inputs

    if report is not None and report.exists() and not report.is_dir():
        raise SimulationError(
            "--report must be a folder; this is a file.",
            where=str(report),
            allowed="a folder, existing or new.",
            do="choose another name.",
        )
    if report is not None:
        names = [report / f"forecast.{kind}" for kind in ("json", "csv", "png", "svg")]
        keep_inputs([], reads=[file], beside=Beside(names, names[0], '"lissive_version"'), force=force)
    from lissive.case_answer import answer
    from lissive.cli.progress import bar
    from lissive.forecast import ForecastAnswer

    with bar("simulating days", (facts.plan.weeks or 0) * 7) as tick:
        found = answer(facts, subjects=subjects, seed=seed, threads=threads, progress=tick)
    written = [] if report is None else _write(report, found)
    if as_json:
        print(json.dumps(found.to_json()))
    else:
        from lissive.report.case_text import case_text

        print("\n\n".join([case_text(found), *(["\n".join(map(str, written))] if written else [])]))
    if isinstance(found.forecast, ForecastAnswer) and found.forecast.failed:
        raise typer.Exit(1)


def _write(folder: Path, answer: CaseAnswer) -> list[Path]:
    """Figures, the table behind them, and the JSON; without a forecast, the JSON alone."""
    from lissive.forecast import ForecastAnswer
    from lissive.report.case_text import headline
    from lissive.report.figure import forecast_caption, forecast_figure, save
    from lissive.report.files import write_json, write_weeks

    folder.mkdir(parents=True, exist_ok=True)
    paths, forecast = [], answer.forecast
    if isinstance(forecast, ForecastAnswer):
        if forecast.failed < forecast.subjects:
            title = headline(answer.case).replace("\n", " · ")
            caption = forecast_caption(forecast, answer.provenance)
            paths += save(forecast_figure(forecast, title, caption), folder, "forecast")
        paths.append(write_weeks(forecast, folder / "forecast.csv"))
    return [*paths, write_json(answer.to_json(), folder / "forecast.json")]
