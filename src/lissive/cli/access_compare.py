"""`lissive access compare` and `lissive access draft`: the same person everywhere; a draft of the certification."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lissive.cli.options import Force
from lissive.errors import RuleError
from lissive.files import Beside, atomic_path, keep_inputs

if TYPE_CHECKING:
    from lissive.access.answer import Answer
    from lissive.access.certificate import Draft


def register(group: typer.Typer) -> None:
    """The two commands, added to the group `access`."""
    group.command("compare")(compare)
    group.command("draft")(draft)


On = Annotated[
    str | None,
    typer.Option(
        "--on", metavar="DATE", help="The day asked for, as 2019-05-01; a worked case's own, or today."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]


def compare(
    facts: Annotated[
        Path, typer.Option("--facts", metavar="FILE", help="Facts about one person, a .yaml or .json file.")
    ],
    on: On = None,
    map_file: Annotated[
        Path | None,
        typer.Option(
            "--map", metavar="FILE.svg", help="Write a map of tiles here, and its table beside it as CSV."
        ),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the table as CSV.")] = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """The same person in every jurisdiction: who is eligible where, on one day."""
    from lissive.access.cases import read_question
    from lissive.access.compare import compare as every
    from lissive.access.compare import compared
    from lissive.cli.access import day_of
    from lissive.report.access_words import facts_said
    from lissive.report.compare_text import CSV_COLUMNS, compare_csv, compare_text

    if as_csv and as_json:
        raise RuleError("are both given.", where="--csv and --json", do="choose one of the two.")
    _check_map(map_file)
    if map_file is not None:
        table = map_file.with_suffix(".csv")
        beside = Beside([table], table, ",".join(CSV_COLUMNS))
        keep_inputs([map_file], reads=[facts], beside=beside, force=force)
    person, _, own_day = read_question(facts)
    day = own_day if on is None and own_day is not None else day_of(on)
    answers = every(person, day)
    title = f"{day}: {facts_said(person)}"
    written = [] if map_file is None else _write_map(map_file, answers, title)
    if as_json:
        print(json.dumps(compared(answers, day)))
    elif as_csv:
        print(compare_csv(answers), end="")
    else:
        print(compare_text(answers, title))
        print("".join(f"\n{path}" for path in written), end="\n" if written else "")


def draft(
    file: Annotated[Path, typer.Argument(metavar="CASE", help="The case, a .yaml or .json file.")],
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="DATE", help="The day of certifying; the case's as_of, or today."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it here: .md, .html or .txt.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """A draft of the certification, filled from the case, with what is missing. Nothing is submitted anywhere."""
    from lissive.access.certificate import draft as drafted
    from lissive.case import read_case
    from lissive.cli.access import day_of
    from lissive.report.certificate_text import draft_text

    _check_out(out)
    keep_inputs([out], reads=[file], force=force)
    case = read_case(file)
    day = case.as_of if on is None and case.as_of is not None else day_of(on)
    found = drafted(case, day)
    if out is not None:
        _write(out, found)
    print(json.dumps(found.to_json()) if as_json else draft_text(found))
    if out is not None and not as_json:
        print(f"\n{out}")
    if not found.fillable or found.answer.procedural == "blocked":
        raise typer.Exit(1)


def _check_map(path: Path | None) -> None:
    if path is not None and path.suffix.lower() != ".svg":
        raise RuleError(
            f"is {str(path)!r}.", where="--map", allowed="a file that ends in .svg.", do="rename it."
        )
    _check_folder(path, "--map")


def _check_out(path: Path | None) -> None:
    from lissive.report.certificate_text import formats

    if path is not None and path.suffix.lower() not in formats():
        raise RuleError(
            f"is {str(path)!r}.",
            where="--out",
            allowed=f"a file that ends in {', '.join(formats())}.",
            do="rename it.",
        )
    _check_folder(path, "--out")


def _check_folder(path: Path | None, option: str) -> None:
    if path is not None and not path.absolute().parent.is_dir():
        raise RuleError(
            f"is {str(path)!r}, and there is no folder {str(path.parent)!r}.",
            where=option,
            do="make the folder, or name a file elsewhere.",
        )


def _write_map(path: Path, answers: tuple[Answer, ...], title: str) -> list[Path]:
    from lissive.report.compare_text import compare_csv
    from lissive.report.tile_map import tile_map

    checked = [each.checked for each in answers if each.checked is not None]
    caption = answers[0].notice
    if checked:
        caption += f" Rules last checked on {min(checked)} or later."
    table = path.with_suffix(".csv")
    for place, text in ((path, tile_map(answers, title, caption)), (table, compare_csv(answers))):
        with atomic_path(place) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return [path, table]


def _write(path: Path, found: Draft) -> None:
    from lissive.report.certificate_text import WRITERS

    text = WRITERS[path.suffix.lower()](found)
    with atomic_path(path) as temporary:
        temporary.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
