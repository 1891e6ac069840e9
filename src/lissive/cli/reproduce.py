"""`lissive trial reproduce`: published trials beside virtual ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lissive.cli.options import Force


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
    force: Force = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads (default: all cores).")] = None,
) -> None:
    """Simulate published trials: each published figure beside its 90 % prediction interval and the baseline's."""
    from lissive.cli.progress import bar
    from lissive.files import atomic_path, keep_inputs
    from lissive.report.reproduce_text import reproduce_markdown, reproduce_text
    from lissive.trials.parts import replicates_of
    from lissive.trials.reproduce import LEAST_REPLICATES, stamp
    from lissive.validation.skill import reproduce as simulate_published
    from lissive.validation.skill import write_better

    replicates = replicates_of(replicates, least=LEAST_REPLICATES)
    keep_inputs([docs, better], reads=[trials], force=force)
    with bar("trials", 1) as progress:
        found = simulate_published(
            trials, only=only or (), replicates=replicates, seed=seed, threads=threads, progress=progress
        )
    if docs is not None:
        command = "lissive trial reproduce" + (f" --trials {trials}" if trials else "")
        with atomic_path(docs) as place:
            place.write_text(reproduce_markdown(found, command, stamp()), encoding="utf-8")
    if better is not None:
        write_better(found, better)
    print(json.dumps(found.to_json(), allow_nan=False) if as_json else reproduce_text(found))
