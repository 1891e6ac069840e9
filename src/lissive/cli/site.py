"""`lissive site`: the answers as static pages for any host or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("site")(site)


def site(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or an empty folder.")],
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="DATE", help="Day for which the rules are answered (default: today)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier site in DIR.")] = False,
) -> None:
    """Write static pages: law by place, evidence by cause, claims, safety, products, validation.

    They work from any host or from a folder; no program runs where they are read.
    """
    from lissive.cli.access import day_of
    from lissive.cli.progress import bar
    from lissive.site.write import check, write_site

    day = day_of(on)
    check(directory, day, force=force)
    with bar("pages", 100) as progress:
        done = 0

        def told(_: str) -> None:
            nonlocal done
            done += 1
            if progress is not None:
                progress(done)

        number = write_site(directory, day, force=force, told=told)
    print(f"{number} pages: {directory / 'index.html'}")
