"""`lissive bench`: how exact, how fast and how large on this machine, each beside its limit."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from lissive.cli.options import Force


def register(app: typer.Typer) -> None:
    app.command("bench")(bench)


def bench(
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few patients, short runs: under a minute instead of many.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this: accuracy, speed, threads, ready, memory, case, or a model. May be repeated.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the JSON here; a folder gets DATE-PROCESSOR.json.")
    ] = None,
    force: Force = False,
) -> None:
    """Measure accuracy, speed beside libRoadRunner, start, memory and a whole case on this machine."""
    from lissive.bench.run import bench as measure
    from lissive.bench.text import report_text
    from lissive.files import atomic_path

    out = None if out is None else _place(out, force)
    report = measure(quick=quick, only=only or (), say=_say)
    text = json.dumps(report, indent=1)
    if out is not None:
        with atomic_path(out) as place:
            place.write_text(text + "\n", encoding="utf-8")
    print(text if as_json else report_text(report))
    if not report["met"]:
        raise typer.Exit(1)


def _place(out: Path, force: bool) -> Path:
    """The file itself, or its place in a folder, named by the day and the processor: said before all is measured."""
    from datetime import UTC, datetime

    from lissive.bench.run import processor
    from lissive.errors import SimulationError
    from lissive.files import writable

    if not out.is_dir():
        return writable(out)
    words = "".join(letter if letter.isalnum() else " " for letter in processor().lower()).split()
    name = out / f"{datetime.now(UTC).date()}-{'-'.join(words)}.json"
    if name.exists() and not force:  # measurements are kept as a series
        raise SimulationError(
            "it holds what was measured before on this day.",
            where=str(name),
            allowed="a new name.",
            do="name a file, as --out FOLDER/NAME.json, or add --force to overwrite it.",
        )
    return writable(name)


def _say(what: str) -> None:
    if sys.stderr.isatty():
        print(f"... {what}", file=sys.stderr)
