"""`lissive follow`: a diary in; continue, change or stop, and the probability behind it; n-of-1 trials."""

from __future__ import annotations

import datetime
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from lissive.cli.options import AsJson, Chunks, Cluster, Force, Resume, chunked, folder
from lissive.errors import DiaryError

if TYPE_CHECKING:
    from lissive.follow import Diary


CASE = "case"
"""The command that is meant where the first word names none."""


class _CaseFirst(TyperGroup):
    """`lissive follow CASE ...` beside `lissive follow plan ...`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [CASE, *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        cls=_CaseFirst,
        help="Is it working for this person, and what now? lissive follow CASE --diary FILE "
        "(more: lissive follow case --help).",
        no_args_is_help=True,
    )
    group.command(CASE)(follow)
    group.command("sheet")(sheet)
    group.command("plan")(plan)
    group.command("analyse")(analyse)
    group.command("check")(check)
    app.add_typer(group, name="follow")


Case = Annotated[Path, typer.Argument(metavar="CASE", help="The case, a .yaml or .json file.")]
DiaryFile = Annotated[Path, typer.Option("--diary", metavar="FILE", help="The diary, .csv, .xlsx or .json.")]
Map = Annotated[
    str,
    typer.Option(
        "--map",
        metavar="A=date,B=spasms",
        help="Columns of the file, by the diary's names; - leaves one out.",
    ),
]
Comma = Annotated[bool, typer.Option("--decimal-comma", help="Numbers in the file are written 6,5.")]
UsDates = Annotated[
    bool, typer.Option("--us-dates", help="Days in the file are month/day/year, as 11/30/2026.")
]
Today = Annotated[
    str | None,
    typer.Option("--today", metavar="YYYY-MM-DD", help="The day that counts as today (default: today)."),
]


def follow(
    file: Case,
    diary: DiaryFile,
    weeks: Annotated[int, typer.Option(min=1, max=52, help="Weeks to look ahead.")] = 8,
    outcome: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column to judge by (default: one that trials were fitted on)."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=1.0, max=100.0, help="Reduction by the drug itself that counts as a benefit [%]."),
    ] = None,
    subjects: Annotated[int, typer.Option(min=1, help="Virtual people.")] = 4000,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads (default: all cores).")] = None,
    mapping: Map = "",
    decimal_comma: Comma = False,
    us_dates: UsDates = False,
    today: Today = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder to write figure (PNG, SVG) and JSON to.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Continue, change or stop? The person's forecast, updated by their diary."""
    from lissive.case import read_case

    facts = read_case(file)
    days = read(diary, mapping, decimal_comma=decimal_comma, us_dates=us_dates, today=today)
    from lissive.files import Beside, keep_inputs

    folder(report, "--report", DiaryError)
    if report is not None:
        names = [report / f"follow.{kind}" for kind in ("json", "png", "svg")]
        keep_inputs(
            [], reads=[file, diary], beside=Beside(names, names[0], '"probability_benefit"'), force=force
        )
    from lissive.follow import follow_up

    answer = follow_up(
        facts,
        days,
        weeks=weeks,
        outcome=outcome,
        threshold=threshold,
        subjects=subjects,
        seed=seed,
        threads=threads,
    )
    written = []
    if report is not None:
        from lissive.report.figures import save, write_json
        from lissive.report.follow_figures import follow_figure

        report.mkdir(parents=True, exist_ok=True)
        written = [
            *save(follow_figure(answer), report, "follow"),
            write_json(answer.to_json(), report / "follow.json"),
        ]
    if as_json:
        print(json.dumps(answer.to_json(), allow_nan=False))
        return
    from lissive.report.follow_text import follow_text
    from lissive.usage import text_for

    text = text_for(facts.place.residence, follow_text(answer))
    print("\n\n".join([text, *(["\n".join(map(str, written))] if written else [])]))


def read(path: Path, mapping: str, *, decimal_comma: bool, us_dates: bool, today: str | None) -> Diary:
    """The diary, by the options of the command."""
    from lissive.follow import read_diary

    pairs = [each for each in mapping.split(",") if each.strip()]
    if bad := [each for each in pairs if each.count("=") != 1]:
        raise DiaryError(
            f"--map has {bad[0]!r}.",
            where="--map",
            allowed='pairs, as "Spastik=spasticity_nrs,Tag=date".',
            do="write your column, =, and the name here; commas between pairs.",
        )
    sides = [[side.strip() for side in each.split("=")] for each in pairs]
    names = [left for left, _ in sides]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DiaryError(f"--map names the column {twice!r} twice.", where="--map", do="keep one of the two.")
    named = dict(sides)
    return read_diary(
        path,
        today=day(today, "--today"),
        mapping=named,
        decimal_comma=decimal_comma,
        us_dates=us_dates,
    )


def day(text: str | None, option: str) -> datetime.date:
    """The day of an option; today if not given."""
    if text is None:
        return datetime.date.today()  # noqa: DTZ011 the user's own calendar day
    from lissive.follow.diary import EARLIEST, LATEST

    with suppress(ValueError):
        if EARLIEST <= (found := datetime.date.fromisoformat(text)) <= LATEST:
            return found
    allowed = f"a day from {EARLIEST} to {LATEST}, as 2026-05-01."
    raise DiaryError(
        f"{option} is {text!r}.", where=option, allowed=allowed, do="write the day as year-month-day."
    )


def sheet(
    file: Case,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The page, .html or .pdf (default: diary.html)."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="YYYY-MM-DD", help="The first day on the page (default: today)."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="Days on it.")] = 35,
    force: Force = False,
) -> None:
    """Write a diary page to be printed: a week before treatment, then every day."""
    from lissive.case import product, read_case
    from lissive.files import Beside, keep_inputs, write_text
    from lissive.handout.pdf import pdf_writer
    from lissive.report.follow_figures import sheet_html

    facts = read_case(file)
    named, out = out, out or Path("diary.html")
    write_pdf, why_none = pdf_writer() if out.suffix == ".pdf" else (None, "")
    if out.suffix not in (".html", ".pdf") or why_none:
        what = why_none or f"Unsupported file extension {out.suffix!r}."
        do = f"name a file ending in .html{', or install what is missing' if why_none else ' or .pdf'}."
        raise DiaryError(what, where=f"--out {out}", allowed=".html, or .pdf with the extra `report`.", do=do)
    usual = Beside([out], out, "<title>Diary: ")  # a name that was not given
    keep_inputs([named], reads=[file], beside=None if named else usual, force=force)
    by_spray = facts.plan.product is None or product(facts.plan.product).counted_in == "spray"
    page = sheet_html(f"Diary: {facts.case}", day(start, "--from"), days, sprays=by_spray)
    if write_pdf is None:
        write_text(out, page)
    elif lost := write_pdf(out, page):
        print(f"lissive: letters that no font has: {lost}", file=sys.stderr)
    print(out)


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
    outcome: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Rating to judge by (default: the cause's complaint, or spasticity)."
        ),
    ] = None,
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
        raise DiaryError(
            "No kind of plan is named.", where="follow plan", allowed="--n-of-1.", do="add --n-of-1."
        )
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
        days,
        planned.periods,
        outcome=outcome or planned.outcome,
        threshold=planned.threshold,
        blinded=planned.blinded,
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
    people: Annotated[int, typer.Option(min=20, help="Simulated people in each set.")] = 2000,
    prior_people: Annotated[
        int, typer.Option(min=40, help="Virtual people of the prior, shared by all.")
    ] = 4000,
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
