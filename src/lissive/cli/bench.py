"""`lissive bench`: how exact, how fast and how large on this machine, each beside its limit."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


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
) -> None:
    """Measure accuracy, speed beside libRoadRunner, start, memory and a whole case on this machine."""
    from lissive.bench.run import bench as measure
    from lissive.bench.text import report_text
    from lissive.simulate.output import atomic_path

    report = measure(quick=quick, only=only or (), say=_say)
    text = json.dumps(report, indent=1)
    if out is not None:
        with atomic_path(_file(out, report["date"], report["machine"]["processor"])) as place:
            place.write_text(text + "\n", encoding="utf-8")
    print(text if as_json else report_text(report))
    if not report["met"]:
        raise typer.Exit(1)


def _file(out: Path, date: str, processor: str) -> Path:
    """The file itself, or its place in a folder, named by the day and the processor."""
    if not out.is_dir():
        return out
    words = "".join(letter if letter.isalnum() else " " for letter in processor.lower()).split()
    return out / f"{date[:10]}-{'-'.join(words)}.json"


def _say(what: str) -> None:
    if sys.stderr.isatty():
        print(f"... {what}", file=sys.stderr)
