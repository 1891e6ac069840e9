"""`lissive case`: the main job. One person's answers: access, evidence and forecast; follow-up is not built yet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lissive import __version__
from lissive.cli.options import Force
from lissive.errors import SimulationError


def register(app: typer.Typer) -> None:
    app.command("case")(case)


def case(
    file: Annotated[Path, typer.Argument(metavar="CASE", help="The case, a .yaml or .json file.")],
    subjects: Annotated[int, typer.Option(min=1, help="Virtual patients.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is drawn.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all cores if not given.")] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write figures (PNG, SVG), table and JSON here.")
    ] = None,
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """What may this treatment do for this person? Virtual patients like them, with drug and with placebo."""
    from lissive.case import read_case

    facts = read_case(file)  # a mistake in it is said before anything heavy is loaded
    from lissive.access.of_case import of_case
    from lissive.cli.progress import bar
    from lissive.evidence.case_answer import case_evidence
    from lissive.files import Beside, keep_inputs
    from lissive.forecast import predict, summary

    if report is not None and report.exists() and not report.is_dir():
        raise SimulationError(
            "it is a file.",
            where=str(report),
            allowed="a folder, there or to be made.",
            do="choose another name.",
        )
    if report is not None:
        names = [report / f"forecast.{kind}" for kind in ("json", "csv", "png", "svg")]
        keep_inputs([], reads=[file], beside=Beside(names, names[0], '"lissive_version"'), force=force)
    with bar("simulating days", (facts.plan.weeks or 0) * 7) as tick:
        forecast = predict(facts, subjects=subjects, seed=seed, threads=threads, progress=tick)
    found, evidence = summary(forecast), case_evidence(facts)
    access = of_case(facts)
    answer = {
        "case": facts.case,
        "as_of": None if facts.as_of is None else facts.as_of.isoformat(),
        "access": None if access is None else access.to_json(),
        "evidence": evidence.to_json(),
        "safety": None,
        "forecast": found,
        "provenance": {"lissive_version": __version__, **forecast.provenance},
    }
    if report is not None:
        written = _write(report, facts, answer)
    if as_json:
        print(json.dumps(answer))
    else:
        from lissive.report.text import case_text

        print(case_text(facts, found, access, evidence))
        if report is not None:
            print("\n" + "\n".join(str(path) for path in written))
    if found["failed"]:
        raise typer.Exit(1)


def _write(folder: Path, facts: Any, answer: dict[str, Any]) -> list[Path]:
    """Figures, the table behind them, and the JSON."""
    from lissive.report.figure import forecast_figure, save
    from lissive.report.files import write_json, write_weeks
    from lissive.report.text import headline

    folder.mkdir(parents=True, exist_ok=True)
    found = answer["forecast"]
    caption = (
        f"Line: median; bands: 50 % and 90 % of {found['subjects'] - found['failed']} virtual patients, the same "
        f"ones with drug and with placebo. Response fitted on trials in MS. lissive {__version__}, seed "
        f"{answer['provenance']['seed']}."
    )
    paths = []
    if found["failed"] < found["subjects"]:
        title = headline(facts).replace("\n", " · ")
        paths += save(forecast_figure(found, title, caption), folder, "forecast")
    paths.append(write_weeks(found, folder / "forecast.csv"))
    paths.append(write_json(answer, folder / "forecast.json"))
    return paths
