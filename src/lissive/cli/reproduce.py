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
            metavar="FILE", help="A file of published trials; those that come with Lissive if not given."
        ),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this trial; may be given several times.")
    ] = None,
    replicates: Annotated[int, typer.Option(min=1, help="Times that each trial is carried out.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all that is drawn.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    docs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the answer as a page of documentation.")
    ] = None,
    force: Force = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all cores if not given.")] = None,
) -> None:
    """Carry published trials out on virtual patients: each published figure beside its 90 % predictive interval."""
    from lissive.cli.progress import bar
    from lissive.files import atomic_path, keep_inputs
    from lissive.report.reproduce_text import reproduce_markdown, reproduce_text
    from lissive.trials.posterior import draws
    from lissive.trials.published import read_published, shipped_published
    from lissive.trials.reproduce import LEAST_REPLICATES, chosen, stamp, to_dict
    from lissive.trials.reproduce import reproduce as carry_out
    from lissive.trials.size import replicates_of

    replicates = replicates_of(replicates, least=LEAST_REPLICATES)
    keep_inputs([docs], reads=[trials], force=force)
    published = shipped_published() if trials is None else read_published(trials)
    published = chosen(published, only or [])
    with bar("trials", 1) as tick:
        found = carry_out(
            published,
            replicates=replicates,
            seed=seed,
            responses=draws(replicates, seed),
            threads=threads,
            progress=tick,
        )
    answer = to_dict(found)
    if docs is not None:
        command = "lissive trial reproduce" + (f" --trials {trials}" if trials else "")
        with atomic_path(docs) as place:
            place.write_text(reproduce_markdown(answer, command, stamp()), encoding="utf-8")
    print(json.dumps(answer, allow_nan=False) if as_json else reproduce_text(answer))
