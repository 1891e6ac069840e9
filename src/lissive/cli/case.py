"""`lissive case`: the main job. One person's answers on one screen, or a part of them whole."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lissive.cli.options import Force, folder
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
        typer.Option(metavar="FOLDER", help="Folder to write the report, the patient's sheet and tables to."),
    ] = None,
    force: Force = False,
    full: Annotated[bool, typer.Option("--full", help="Print the screen and every part whole.")] = False,
    access: Annotated[bool, typer.Option("--access", help="Print access whole.")] = False,
    safety: Annotated[bool, typer.Option("--safety", help="Print safety whole.")] = False,
    evidence: Annotated[bool, typer.Option("--evidence", help="Print evidence whole.")] = False,
    forecast: Annotated[bool, typer.Option("--forecast", help="Print the forecast whole.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """May this person have it, what could hurt, what do trials say, what may it do? One case, on one screen.

    Without a plan, access, safety and evidence are answered all the same.
    """
    from lissive.case import read_case

    facts = read_case(file)  # a mistake in it is said before anything heavy is loaded
    from lissive.files import Beside, keep_inputs

    folder(report, "--report", SimulationError)
    if report is not None:
        from lissive.handout import files_of

        names = files_of(report)
        keep_inputs([], reads=[file], beside=Beside(names, names[0], '"lissive_version"'), force=force)
    from lissive.case_answer import answer, gates
    from lissive.cli.progress import bar
    from lissive.forecast import ForecastAnswer

    asked = {"access": access, "safety": safety, "evidence": evidence, "forecast": forecast}
    parts = [name for name, wanted in asked.items() if wanted or full]
    whole = as_json or report is not None or "forecast" in parts
    # the screen has numbers only of what was fitted on trials: without them, nothing is simulated for it
    simulate = whole or (not parts and bool(gates(facts, None).numbers))
    with bar("simulating days", (facts.plan.weeks or 0) * 7 if simulate else 0) as tick:
        found = answer(facts, subjects=subjects, seed=seed, threads=threads, progress=tick, simulate=simulate)
    written = [] if report is None else _write(report, found)
    if as_json:
        print(json.dumps(found.to_json()))
    else:
        print("\n\n".join([_text(found, parts, full=full), *(["\n".join(written)] if written else [])]))
    if isinstance(found.forecast, ForecastAnswer) and found.forecast.failed:
        raise typer.Exit(1)


def _text(answer: CaseAnswer, parts: list[str], *, full: bool) -> str:
    """The screen, unless parts of it are asked for whole; before them where all are."""
    from lissive.report.case_parts import case_text
    from lissive.report.case_text import screen

    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    shown = [screen(answer, colour=colour)] if full or not parts else []
    return "\n\n".join([*shown, *([case_text(answer, parts)] if parts else [])])


def _write(folder: Path, answer: CaseAnswer) -> list[str]:
    """The report; what was written, and what has to be known about it."""
    from lissive.handout import write_report

    written = write_report(folder, answer)
    for note in written.notes:
        print(f"lissive: {note}", file=sys.stderr)
    return [str(path) for path in written.paths]
