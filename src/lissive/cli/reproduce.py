"""`lissive trial reproduce`: published trials beside virtual ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lissive.cli.options import Chunks, Cluster, Force, Resume, chunked
from lissive.versions import data_line, stamped


def reproduce(
    trials: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A file of published trials (default: those shipped with Lissive)."
        ),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this trial; may be repeated.")
    ] = None,
    replicates: Annotated[
        int, typer.Option(min=1, help="Number of simulated trials (replicates) of each.")
    ] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    docs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the results as a page of documentation.")
    ] = None,
    better: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write, by outcome, whether the model or the baseline predicts better: the table that forecasts "
            "read.",
        ),
    ] = None,
    chunks: Chunks = None,
    cluster: Cluster = None,
    resume: Resume = False,
    force: Force = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads (default: all cores).")] = None,
) -> None:
    """Simulate published trials: each published figure beside its 90 % prediction interval and the baseline's."""
    from lissive.files import atomic_path, keep_inputs
    from lissive.report.reproduce_text import reproduce_markdown, reproduce_text
    from lissive.trials.parts import replicates_of
    from lissive.trials.reproduce import LEAST_REPLICATES, stamp
    from lissive.validation.skill import reproduce as simulate_published
    from lissive.validation.skill import write_better

    replicates = replicates_of(replicates, least=LEAST_REPLICATES)
    keep_inputs([docs, better], reads=[trials], force=force)
    with chunked(cluster, resume, force, kept=chunks is not None) as how:
        found = simulate_published(
            trials,
            only=only or (),
            replicates=replicates,
            seed=seed,
            threads=threads,
            progress=how.progress,
            folder=chunks,
            how=how,
        )
    if docs is not None:
        command = "lissive trial reproduce" + (f" --trials {trials}" if trials else "")
        with atomic_path(docs) as place:
            place.write_text(reproduce_markdown(found, command, stamp()), encoding="utf-8")
    if better is not None:
        write_better(found, better)
    if as_json:
        print(json.dumps(stamped(found.to_json(), "model", "evidence"), allow_nan=False))
    else:
        print(f"{reproduce_text(found)}\n\n{data_line('model', 'evidence')}")


def predict(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="DESIGN",
            help="A protocol (trial, title, cause, not_reported, design ...) or a design; .yaml or .json.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where predictions are kept.")] = Path(
        "docs/predictions"
    ),
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Predict nothing: check the records of the folder that is named as DESIGN."
        ),
    ] = False,
    replicates: Annotated[int, typer.Option(min=1, help="Number of simulated trials (replicates).")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads (default: all cores).")] = None,
) -> None:
    """Put a prediction of a trial that has not reported on record: dated, hashed, never replaced."""
    import datetime

    from lissive.cli.progress import bar
    from lissive.report.prediction_text import prediction_markdown
    from lissive.trials.design import located
    from lissive.trials.parts import replicates_of
    from lissive.trials.reproduce import LEAST_REPLICATES
    from lissive.validation.prediction import (
        last_hash,
        predict_trial,
        read_protocol,
        refuse_to_overwrite,
        write_record,
    )

    if verify:
        _verify(file)
        return
    replicates = replicates_of(replicates, least=LEAST_REPLICATES)
    protocol, today = read_protocol(file), datetime.datetime.now(datetime.UTC).date()
    refuse_to_overwrite(out, f"{today.isoformat()}-{protocol.trial}")
    previous = last_hash(out)
    with located(file), bar("trials", 1) as progress:
        record = predict_trial(
            protocol,
            made=today,
            previous=previous,
            replicates=replicates,
            seed=seed,
            threads=threads,
            progress=progress,
        )
    written = write_record(record, out, prediction_markdown(record))
    print(json.dumps(record, allow_nan=False) if as_json else prediction_markdown(record))
    if not as_json:
        print("\n".join(map(str, written)))


def _verify(folder: Path) -> None:
    """Say that nothing was changed, or what was."""
    from lissive.errors import DesignError
    from lissive.report.prediction_text import prediction_markdown
    from lissive.validation.prediction import records, tampered

    if not folder.is_dir() or not (known := records(folder)):
        raise DesignError("There is no prediction.", where=str(folder), allowed="a folder of predictions.")
    if found := tampered(folder, prediction_markdown):
        raise DesignError.all_of(found)
    print(f"{len(known)} {'prediction is' if len(known) == 1 else 'predictions are'} as written: {folder}")
