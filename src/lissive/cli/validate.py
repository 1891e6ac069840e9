"""`lissive validate`: published observations beside what the model says of them."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lissive.cli.options import Force

if TYPE_CHECKING:
    from lissive.validate.score import Validation


def register(app: typer.Typer) -> None:
    app.command("validate")(validate)


def validate(
    studies: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A file of studies; those that come with Lissive if not given."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the report (HTML, JSON) here.")
    ] = None,
    sensitivity: Annotated[
        bool,
        typer.Option("--sensitivity", help="Also what the clinical outputs depend on: some minutes more."),
    ] = False,
    replicates: Annotated[
        int, typer.Option(min=1, help="Times that each arm is simulated, with other people.")
    ] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is drawn.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all cores if not given.")] = None,
    docs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the page of documentation that shows this run, and nothing else."
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="With --docs: write nothing; exit 1 if the page's numbers are not these."
        ),
    ] = False,
    force: Force = False,
) -> None:
    """Predicted beside observed concentrations; targets of the other modules; sensitivity on demand."""
    from lissive.cli.progress import bar
    from lissive.studies import read_studies, shipped_studies
    from lissive.validate import score
    from lissive.validate.targets import targets

    if check and docs is None:
        raise typer.BadParameter("--check needs --docs FILE.")
    _folder(report)
    _keep(studies, report, None if check else docs, force)
    cores = threads or os.cpu_count() or 1
    read = shipped_studies() if studies is None else read_studies(studies)
    with bar("arms", len(read.observations)) as tick:
        found = score.validate(read, replicates=replicates, seed=seed, threads=cores, progress=tick)
    answer: dict[str, Any] = found.to_dict()
    met = targets(threads=cores) if studies is None or report or docs else []
    answer["targets"] = [each.to_dict() for each in met]
    deep = _sensitivity(cores, seed) if sensitivity else None
    answer["sensitivity"] = deep
    if docs is not None:
        raise typer.Exit(0 if _page(docs, found, met, check) else 1)
    written = [] if report is None else _write(report, read, found, met, deep, answer, cores)
    if as_json:
        print(json.dumps(answer))
    else:
        _say(found, met, deep, written)


def _folder(report: Path | None) -> None:
    from lissive.errors import StudyError

    if report is not None and report.exists() and not report.is_dir():
        raise StudyError(
            "It is a file.",
            where=str(report),
            allowed="a folder, there or to be made.",
            do="choose another name.",
        )


def _keep(studies: Path | None, report: Path | None, docs: Path | None, force: bool) -> None:
    from lissive.files import Beside, keep_inputs

    names = [] if report is None else [report / f"validation.{kind}" for kind in ("json", "html")]
    beside = Beside(names, names[0], '"targets"') if names else None
    keep_inputs([docs], reads=[studies], beside=beside, force=force)


def _sensitivity(threads: int, seed: int) -> dict[str, Any]:
    """Everything of --sensitivity: indices, identifiability, and what the calibration learned."""
    from lissive.calibrate.posterior import prior_errors, standard_errors
    from lissive.cli.progress import bar
    from lissive.validate.contraction import contraction
    from lissive.validate.identifiability import identifiability
    from lissive.validate.sensitivity import sensitivity

    errors = standard_errors()
    with bar("sensitivity", 100) as tick:
        global_ = sensitivity(log_sd=errors, threads=threads, seed=seed, progress=tick)
    local = identifiability(log_sd=errors, threads=threads)
    learned = contraction(prior_errors(), errors)
    return {
        "indices": global_.to_dict(),
        "identifiability": local.to_dict(),
        "contraction": [asdict(each) for each in learned],
        "text": f"{global_.text()}\n\n{local.text()}",
    }


def _page(path: Path, found: Validation, met: list[Any], check: bool) -> bool:
    """Write the page, or say whether the one that is there shows these numbers."""
    from lissive.files import atomic_path
    from lissive.report.validation_md import differences, stale, validation_markdown

    text = validation_markdown(found, met)
    if not check:
        with atomic_path(path) as place:
            place.write_text(text, encoding="utf-8")
        print(path)
        return True
    old = path.read_text(encoding="utf-8")
    wrong = [*filter(None, [stale(old)]), *differences(old, text)]
    for each in wrong:
        print(f"{path}: {each}")
    if not wrong:
        print(f"{path}: its numbers are those of this run.")
    return not wrong


def _write(
    folder: Path,
    read: Any,
    found: Validation,
    met: list[Any],
    deep: Any,
    answer: dict[str, Any],
    threads: int,
) -> list[Path]:
    from lissive.report.files import write_json
    from lissive.report.validation_html import write_validation
    from lissive.validate.curves import curves

    folder.mkdir(parents=True, exist_ok=True)
    paths = write_validation(folder, found, met, curves(read, threads=threads), deep)
    return [*paths, write_json(answer, folder / "validation.json")]


def _say(found: Validation, met: list[Any], deep: Any, written: list[Path]) -> None:
    from lissive.report.validation_text import validation_text
    from lissive.validate.targets_text import targets_text

    print(validation_text(found))
    if met:
        print("\n" + targets_text(met))
    if deep is not None:
        print("\n" + deep["text"])
    if written:
        print("\n" + "\n".join(str(path) for path in written))
