"""`lissive follow plan | analyse | check`: an n-of-1 trial, and how far a follow-up can be trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lissive.cli.follow import Case, Comma, DiaryFile, Map, Today, UsDates, day, read
from lissive.cli.options import Chunks, Cluster, Force, Resume, chunked, folder
from lissive.errors import DiaryError

AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]


def register(group: typer.Typer) -> None:
    group.command("plan")(plan)
    group.command("analyse")(analyse)
    group.command("check")(check)


def plan(
    file: Case,
    n_of_1: Annotated[
        bool, typer.Option("--n-of-1", help="Periods with and without the drug, in random pairs.")
    ] = False,
    start: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="First day (default: today).")
    ] = None,
    pairs: Annotated[int, typer.Option(min=2, max=10, help="Pairs of periods.")] = 3,
    days: Annotated[
        int | None, typer.Option(min=1, help="Days of a period (default: the washout and 10).")
    ] = None,
    outcome: Annotated[str, typer.Option(metavar="COLUMN", help="Rating to judge by.")] = "spasticity_nrs",
    threshold: Annotated[
        float | None, typer.Option(min=1, max=100, help="Reduction to be found [%].")
    ] = None,
    blinded: Annotated[
        bool,
        typer.Option("--blinded", help="A pharmacy prepares kits: the sheet does not say which is which."),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the order.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Folder for sheet.html and plan.json (the key)."),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Plan an n-of-1 trial: random order, washout by the model, power for this person, a sheet to print."""
    if not n_of_1:
        raise DiaryError("No kind of plan is named.", where="follow plan", allowed="--n-of-1.", do="add it.")
    from lissive.case import read_case
    from lissive.files import Beside, keep_inputs, write_text
    from lissive.follow.n_of_1 import plan_n_of_1
    from lissive.report.follow_text import plan_text

    facts = read_case(file)
    folder(out, "--out", DiaryError)
    if out is not None:
        names = [out / "plan.json", out / "sheet.html"]
        keep_inputs([], reads=[file], beside=Beside(names, names[0], '"power_by_pairs"'), force=force)
    found = plan_n_of_1(
        facts,
        start=day(start, "--start"),
        pairs=pairs,
        days=days,
        outcome=outcome,
        threshold=threshold,
        blinded=blinded,
        seed=seed,
    )
    written = []
    if out is not None:
        from lissive.report.follow_figures import plan_html

        out.mkdir(parents=True, exist_ok=True)
        written = [
            write_text(out / "plan.json", json.dumps(found.to_json(), indent=1)),
            write_text(out / "sheet.html", plan_html(found)),
        ]
    print(json.dumps(found.to_json()) if as_json else "\n".join([plan_text(found), *map(str, written)]))


def analyse(
    plan_file: Annotated[
        Path, typer.Option("--plan", metavar="FILE", help="The plan.json that `follow plan` wrote.")
    ],
    diary: DiaryFile,
    outcome: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column to judge by (default: the plan's).")
    ] = None,
    mapping: Map = "",
    decimal_comma: Comma = False,
    us_dates: UsDates = False,
    today: Today = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder to write figure and JSON to.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Analyse an n-of-1 trial: the difference with and without the drug, and the probability of benefit."""
    from lissive.files import Beside, keep_inputs
    from lissive.follow.n_of_1 import read_plan
    from lissive.follow.n_of_1_analysis import analyse_n_of_1
    from lissive.report.follow_text import analysis_text

    planned = read_plan(plan_file)
    days = read(diary, mapping, decimal_comma=decimal_comma, us_dates=us_dates, today=today)
    folder(report, "--report", DiaryError)
    if report is not None:
        names = [report / f"n_of_1.{kind}" for kind in ("json", "png", "svg")]
        keep_inputs(
            [], reads=[plan_file, diary], beside=Beside(names, names[0], '"probability_better"'), force=force
        )
    found = analyse_n_of_1(
        days, planned.periods, outcome=outcome or planned.outcome, threshold=planned.threshold
    )
    written = []
    if report is not None:
        from lissive.report.figures import save, write_json
        from lissive.report.follow_figures import n_of_1_figure

        report.mkdir(parents=True, exist_ok=True)
        figure = n_of_1_figure(days, planned, found)
        written = [*save(figure, report, "n_of_1"), write_json(found.to_json(), report / "n_of_1.json")]
    print(
        json.dumps(found.to_json())
        if as_json
        else "\n".join([*days.lines, "", analysis_text(found), *map(str, written)])
    )


def check(
    people: Annotated[int, typer.Option(min=20, help="Simulated people in each set.")] = 500,
    prior_people: Annotated[
        int, typer.Option(min=40, help="Virtual people of the prior, shared by all.")
    ] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads (default: all cores).")] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder to write figure and JSON to.")
    ] = None,
    chunks: Chunks = None,
    cluster: Cluster = None,
    resume: Resume = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """How far a follow-up can be trusted: simulated people with a known truth. Takes up to half an hour."""
    from lissive.files import Beside, keep_inputs
    from lissive.follow.calibration import calibration_study
    from lissive.report.follow_text import calibration_text

    folder(report, "--report", DiaryError)
    if report is not None:
        names = [report / f"follow_check.{kind}" for kind in ("json", "png", "svg")]
        keep_inputs([], reads=[], beside=Beside(names, names[0], '"coverage_90"'), force=force)
    with chunked(cluster, resume, force, kept=chunks is not None) as how:
        found = calibration_study(
            people,
            prior_people=prior_people,
            seed=seed,
            threads=threads,
            progress=how.progress,
            folder=chunks,
            how=how,
        )
    written = []
    if report is not None:
        from lissive.report.figures import save, write_json
        from lissive.report.follow_figures import calibration_figure

        report.mkdir(parents=True, exist_ok=True)
        written = [
            *save(calibration_figure(found), report, "follow_check"),
            write_json(found.to_json(), report / "follow_check.json"),
        ]
    print(
        json.dumps(found.to_json()) if as_json else "\n".join([calibration_text(found), *map(str, written)])
    )
