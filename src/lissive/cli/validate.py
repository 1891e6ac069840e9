"""`lissive validate`: predictions compared with published observations."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lissive.cli.options import AsJson, Force, folder
from lissive.versions import data_line, stamped

if TYPE_CHECKING:
    from lissive.studies import Studies
    from lissive.validation.run import Validation


def register(app: typer.Typer) -> None:
    app.command("validate")(validate)


def validate(
    studies: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A file of studies (default: those shipped with Lissive)."),
    ] = None,
    as_json: AsJson = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the report (HTML, JSON) here.")
    ] = None,
    sensitivity: Annotated[
        bool,
        typer.Option("--sensitivity", help="Also sensitivity and identifiability: some minutes more."),
    ] = False,
    replicates: Annotated[int, typer.Option(min=1, help="Number of simulated replicates of each arm.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads (default: all cores).")] = None,
    docs: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the page of documentation of this run, and nothing else."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="With --docs: write nothing; exit 1 if the page's numbers differ."),
    ] = False,
    force: Force = False,
) -> None:
    """Compare predicted with observed concentrations and with targets of the other modules."""
    from lissive.cli.progress import bars
    from lissive.errors import StudyError
    from lissive.studies import read_studies, shipped_studies
    from lissive.validation.run import validate as compare

    if check and docs is None:
        raise typer.BadParameter("--check needs --docs FILE.")
    folder(report, "--report", StudyError)
    _keep(studies, report, None if check else docs, force)
    read = shipped_studies() if studies is None else read_studies(studies)
    with bars() as progress:
        found = compare(
            read,
            replicates=replicates,
            seed=seed,
            with_targets=studies is None or report is not None or docs is not None,
            with_sensitivity=sensitivity,
            threads=threads,
            progress=progress,
        )
    if docs is not None:
        raise typer.Exit(0 if _page(docs, found, check) else 1)
    written = [] if report is None else _write(report, read, found, threads)
    print(json.dumps(_json(found)) if as_json else f"{_text(found)}\n\n{data_line('model', 'evidence')}")
    if written and not as_json:
        print("\n" + "\n".join(str(path) for path in written))


def _keep(studies: Path | None, report: Path | None, docs: Path | None, force: bool) -> None:
    from lissive.files import Beside, keep_inputs

    names = [] if report is None else [report / f"validation.{kind}" for kind in ("json", "html")]
    beside = Beside(names, names[0], '"targets"') if names else None
    keep_inputs([docs], reads=[studies], beside=beside, force=force)


def _page(path: Path, found: Validation, check: bool) -> bool:
    """Write the page, or compare the existing one with this run."""
    from lissive.files import write_text
    from lissive.report.validation_text import differences, stale, validation_markdown

    text = validation_markdown(found)
    if not check:
        write_text(path, text)
        print(path)
        return True
    old = path.read_text(encoding="utf-8")
    wrong = [*filter(None, [stale(old)]), *differences(old, text)]
    for each in wrong:
        print(f"{path}: {each}")
    if not wrong:
        print(f"{path}: its numbers agree with this run.")
    return not wrong


def _write(place: Path, read: Studies, found: Validation, threads: int | None) -> list[Path]:
    from lissive.report.figures import write_json
    from lissive.report.validation_html import write_validation
    from lissive.validation.score import curves

    place.mkdir(parents=True, exist_ok=True)
    paths = write_validation(place, found, curves(read, threads=threads or os.cpu_count() or 1))
    return [*paths, write_json(_json(found), place / "validation.json")]


def _json(found: Validation) -> dict[str, Any]:
    """With the tables of --sensitivity as text besides."""
    from lissive.report.sensitivity import dependence_text

    answer = stamped(found.to_json(), "model", "evidence")
    if found.sensitivity is not None:
        answer["sensitivity"]["text"] = dependence_text(found.sensitivity)
    return answer


def _text(found: Validation) -> str:
    from lissive.report.sensitivity import dependence_text
    from lissive.report.validation_tables import targets_text
    from lissive.report.validation_text import validation_text

    parts = [validation_text(found)]
    if found.targets:
        parts.append(targets_text(found.targets))
    if found.sensitivity is not None:
        parts.append(dependence_text(found.sensitivity))
    return "\n\n".join(parts)
