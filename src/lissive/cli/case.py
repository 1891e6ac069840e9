"""`lissive case`: the main job. One person's answers on one screen, or a part of them whole."""

from __future__ import annotations

import datetime
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lissive.cli.options import AsJson, Force, folder
from lissive.errors import CaseError, SimulationError

if TYPE_CHECKING:
    from lissive.case import Case, Plan
    from lissive.case_answer import CaseAnswer
    from lissive.case_answer.beside import NotCompared
    from lissive.follow import Diary, FollowAnswer
    from lissive.forecast.beside import SideBySide


def register(app: typer.Typer) -> None:
    app.command("case")(case)


def case(
    file: Annotated[
        Path | None, typer.Argument(metavar="CASE", help="The case, a .yaml or .json file.")
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Ask for the case, write it to CASE, answer it.")
    ] = False,
    fields: Annotated[bool, typer.Option("--fields", help="Print every field of a case, and stop.")] = False,
    subjects: Annotated[int, typer.Option(min=1, help="Virtual patients.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads (default: all cores).")] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder to write the report, the patient's sheet and tables to."),
    ] = None,
    force: Force = False,
    compare: Annotated[
        list[Path] | None,
        typer.Option("--compare", metavar="PLAN", help="Another plan (.yaml) in the same virtual patients."),
    ] = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            "--what-if", metavar="WORD", help="What would change: meal, missed-dose, ketoconazole, cyp2c9-3."
        ),
    ] = None,
    nearest: Annotated[
        bool, typer.Option("--nearest", help="Forecast the nearest product that can be had instead.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Print the screen and every part whole.")] = False,
    access: Annotated[bool, typer.Option("--access", help="Print access whole.")] = False,
    safety: Annotated[bool, typer.Option("--safety", help="Print safety whole.")] = False,
    evidence: Annotated[bool, typer.Option("--evidence", help="Print evidence whole.")] = False,
    forecast: Annotated[bool, typer.Option("--forecast", help="Print the forecast whole.")] = False,
    as_json: AsJson = False,
) -> None:
    """May this person have it, what could hurt, what do trials say, what may it do? One case, on one screen.

    Without a plan, access, safety and evidence are answered all the same.
    """
    from lissive.case import read_case

    if fields:
        print(fields_text())
        return
    plans = _plans(compare, what_if)
    folder(report, "--report", SimulationError)
    if new:
        file = new_case(file, force=force)
    if file is None:
        raise CaseError("No case is given.", do="name a file, or answer questions by lissive case --new.")
    facts = read_case(file)  # a mistake in it is said before anything heavy is loaded
    plans = [*(facts.plans or ()), *plans]
    days = None if facts.diary is None else _diary(file.parent / facts.diary)
    from lissive.files import Beside, keep_inputs

    if report is not None:
        from lissive.handout.files import files_of

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
    beside: list[SideBySide | NotCompared] = []
    if plans or what_if or nearest:
        from lissive.case_answer.beside import compared

        more = compared(
            facts, plans, what_if or (), nearest=nearest, subjects=subjects, seed=seed, threads=threads
        )
        beside = list(more)
    written = [] if report is None else _write(report, found)
    followed = None if days is None else _followed(facts, days, subjects, seed, threads)
    if as_json:
        said = {"beside": [each.to_json() for each in beside]} if beside else {}
        follow = {} if followed is None else {"follow": followed.to_json()}
        print(json.dumps({**found.to_json(), **said, **follow}))
    else:
        from lissive.report.beside_text import beside_text
        from lissive.usage import text_for

        shown = [
            _text(found, parts, full=full),
            beside_text(beside) if beside else "",
            _follow_text(followed, whole="forecast" in parts),
        ]
        text = text_for(facts.place.residence, "\n\n".join(each for each in shown if each))
        print("\n\n".join(each for each in (text, "\n".join(written)) if each))
    if isinstance(found.forecast, ForecastAnswer) and found.forecast.failed:
        raise typer.Exit(1)


def _plans(compare: list[Path] | None, what_if: list[str] | None) -> list[Plan]:
    """The other plans; a mistake in one, or in a word, is said before anything is computed."""
    if not compare and not what_if:
        return []
    from lissive.case_answer.beside import read_plan
    from lissive.forecast.beside import WHAT_IFS
    from lissive.typed import nearest

    for word in what_if or ():
        if word not in WHAT_IFS:
            raise CaseError(
                f"{word!r} is no question.{nearest(word, WHAT_IFS)}",
                where="--what-if",
                allowed=f"{', '.join(WHAT_IFS)}.",
                do="write one of these words; give --what-if again for another.",
            )
    return [read_plan(each) for each in compare or ()]


def _diary(path: Path) -> Diary:
    """The diary that the case names."""
    import datetime

    from lissive.follow import read_diary

    return read_diary(path, today=datetime.date.today())  # noqa: DTZ011 the user's own calendar day


def _followed(facts: Case, days: Diary, subjects: int, seed: int, threads: int | None) -> FollowAnswer:
    from lissive.follow.run import FOR_EACH, follow_up

    return follow_up(facts, days, subjects=FOR_EACH * subjects, seed=seed, threads=threads)


def _follow_text(followed: FollowAnswer | None, *, whole: bool) -> str:
    """The follow-up below the screen, if there is a diary; whole, also how to begin one."""
    if followed is None and not whole:
        return ""
    from lissive.report.follow_text import follow_line, follow_part

    return follow_part(followed) if whole or followed is None else follow_line(followed)


def _text(answer: CaseAnswer, parts: list[str], *, full: bool) -> str:
    """The screen, unless parts of it are asked for whole; before them where all are."""
    from lissive.report.case_parts import case_text
    from lissive.report.case_text import screen

    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    shown = [screen(answer, colour=colour)] if full or not parts else []
    return "\n\n".join([*shown, *([case_text(answer, parts)] if parts else [])])


def _write(folder: Path, answer: CaseAnswer) -> list[str]:
    """The report; what was written, and what has to be known about it."""
    from lissive.handout.files import write_report

    written = write_report(folder, answer)
    for note in written.notes:
        print(f"lissive: {note}", file=sys.stderr)
    return [str(path) for path in written.paths]


def new_case(file: Path | None, *, force: bool) -> Path:
    """Ask, and write the case; nothing is written unless the questions were gone through."""
    from lissive.access.cases import code_of, flags_that_decide
    from lissive.case.ask import ask, case_yaml
    from lissive.case.read import make_case
    from lissive.files import atomic_path, writable

    if file is None:
        file = Path(f"{_name(_read('Name of the case, as ms-new-york: ').strip() or 'case')}.yaml")
    if file.suffix.lower() not in (".yaml", ".yml"):
        raise CaseError(
            f"Unsupported file extension {file.suffix!r}.",
            where=str(file),
            allowed=".yaml.",
            do=f"name it {file.with_suffix('.yaml').name}.",
        )
    if file.exists() and not force:
        raise CaseError(
            "There is a file of this name.",
            where=str(file),
            do="name another one, or add --force to overwrite it.",
        )
    writable(file)  # said before the questions: the answers would be lost
    try:
        data = ask(
            _name(file.stem),
            read=_read,
            say=lambda line: print(line, file=sys.stderr),
            today=datetime.datetime.now().astimezone().date(),
            place_of=code_of,
            more=flags_that_decide,
        )
    except KeyboardInterrupt:
        print("\nNothing was written.", file=sys.stderr)
        raise
    text = case_yaml(make_case(data))
    with atomic_path(file) as place:
        place.write_text(text, encoding="utf-8")
    print(f"Written: {file}", file=sys.stderr)
    return file


def _name(stem: str) -> str:
    """The name of a case that a file is called after."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:80] or "case"


def _read(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        print(file=sys.stderr)
        raise CaseError(
            "The answers ended before the questions did; nothing was written.",
            where="--new",
            do="answer on, or type . to leave the rest unknown.",
        )
    return line


def fields_text() -> str:
    """Every field, each on lines of its own."""
    from lissive.case.fields import fields
    from lissive.report.words import wrapped

    blocks = []
    for each in fields():
        unit = f" [{each.unit}]" if each.unit else ""
        said = f"{each.what}. Allowed: {each.allowed}. Example: {each.example}"
        blocks.append(f"{each.name}{unit}\n{wrapped(said, '    ', width=80)}")
    return "\n".join(blocks)
