"""`lissive bench`: how exact, how fast and how large on this machine, each beside its limit."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lissive.cli.options import AsJson, Force, folder
from lissive.errors import SimulationError


def register(app: typer.Typer) -> None:
    app.command("bench")(bench)


def bench(
    as_json: AsJson = False,
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
    peers: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Beside other solvers instead: all, or a name (pip install 'lissive[bench]'). May be repeated.",
        ),
    ] = None,
    docs: Annotated[
        Path | None, typer.Option(help="With --peers: write the page and its plot into this folder.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="With --peers: cut the models' runs to so many days.")
    ] = None,
    petab: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="With --peers: PEtab problems, a YAML file or a folder of problems. May be repeated.",
        ),
    ] = None,
    kept: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="With --docs: write the page again from this JSON."),
    ] = None,
    ptx: Annotated[
        bool,
        typer.Option(
            "--ptx",
            help="Instead: registers and memory of the GPU's code, as NVIDIA's ptxas counts them; needs no GPU.",
        ),
    ] = False,
    force: Force = False,
) -> None:
    """Measure accuracy, speed beside libRoadRunner, start, memory and a whole case on this machine."""
    if ptx:
        return _assembled(only or [], as_json, out, force)
    if kept is not None:
        if docs is None or peers:
            raise typer.BadParameter("--from FILE needs --docs FOLDER, and no --peers: nothing is measured.")
        return _page(_read(kept), docs)
    if peers:
        days = min(days or 7, 7) if quick else days
        return _beside(peers, only or [], days, petab or [], as_json, out, docs, force)
    if petab or docs is not None or days is not None:
        raise typer.BadParameter("--petab, --docs and --days belong to --peers all.")
    return _bench(quick, only or [], as_json, out, force)


def _beside(
    peers: list[str],
    only: list[str],
    days: int | None,
    petab: list[Path],
    as_json: bool,
    out: Path | None,
    docs: Path | None,
    force: bool,
) -> None:
    from lissive.bench.beside import as_page, beside
    from lissive.files import write_text

    out = None if out is None else _place(out, force)
    folder(docs, "--docs", SimulationError)
    report = beside(peers, models=only, days=days, problems=petab, say=_say)
    text = json.dumps(report, indent=1)
    if out is not None:
        write_text(out, text + "\n")
    if docs is not None:
        _page(report, docs)
    print(text if as_json else as_page(report))


def _page(report: dict[str, Any], docs: Path) -> None:
    """The page of docs, and its plot."""
    from lissive.bench.beside import as_page, draw
    from lissive.files import atomic_path, write_text

    page = as_page(report, "images/work-precision.svg")
    (docs / "images").mkdir(parents=True, exist_ok=True)
    with atomic_path(docs / "images" / "work-precision.svg") as place:
        draw(report, place)
    write_text(docs / "benchmarks.md", page)


def _read(path: Path) -> dict[str, Any]:
    """What an earlier run with --peers wrote."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise SimulationError(
            f"it cannot be read ({' '.join(str(fault).split())}).", where=str(path), do="correct --from."
        ) from None
    if not isinstance(found, dict) or not {"models", "about", "missing", "machine"} <= set(found):
        raise SimulationError(
            "it is not the result of a comparison.",
            where=str(path),
            allowed="a JSON that `lissive bench --peers all --out FILE` wrote.",
            do="correct --from.",
        )
    return found


def _assembled(only: list[str], as_json: bool, out: Path | None, force: bool) -> None:
    from lissive.bench.assembled import as_table, assembled
    from lissive.files import write_text

    out = None if out is None else _place(out, force)
    rows = assembled(only=only, say=_say)
    text = json.dumps(rows, indent=1)
    if out is not None:
        write_text(out, text + "\n")
    print(text if as_json else as_table(rows))


def _bench(quick: bool, only: list[str], as_json: bool, out: Path | None, force: bool) -> None:
    from lissive.bench.run import bench as measure
    from lissive.bench.text import report_text
    from lissive.files import atomic_path

    out = None if out is None else _place(out, force)
    report = measure(quick=quick, only=only, say=_say)
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
