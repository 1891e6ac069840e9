"""`lissive serve`: the clinic, or the calculator, as pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lissive.errors import LissiveError


def register(app: typer.Typer) -> None:
    app.command("serve")(serve)


def serve(
    calculator: Annotated[
        bool,
        typer.Option(
            "--calculator", help="Serve the calculator and the check of articles; nothing is stored."
        ),
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 8000,
    public_url: Annotated[
        str,
        typer.Option(
            "--public-url",
            metavar="URL",
            help="Address of a TLS proxy in front, as https://clinic.example.org.",
        ),
    ] = "",
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            file_okay=False,
            help="Folder of the clinic's data; without it, LISSIVE_DATA, then ~/.local/share/lissive.",
        ),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="A clinic with invented patients, in a folder of its own.")
    ] = False,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Start no worker beside it: `lissive work` runs elsewhere.")
    ] = False,
) -> None:
    """Serve the clinic's pages on this computer: patients, cases and their answers, with a log-in for each user.

    The first time, it asks for an administrator. LISSIVE_DATABASE_URL puts the records on PostgreSQL.
    With --calculator: one case answered in a browser, without records. Needs the extra web: pip install 'lissive[web]'.
    """
    from lissive.clinic.place import checked_address

    checked_address(public_url, "--public-url")
    if not calculator:
        from lissive.clinic.start import run

        return run(port, data, public_url, demo=demo, worker=not no_worker)
    if data or demo or no_worker:
        raise LissiveError(
            "The calculator keeps nothing and has no worker.",
            where="--calculator",
            allowed="--calculator with --port and --public-url.",
            do="leave --data, --demo and --no-worker out, or --calculator to serve a clinic.",
        )
    from lissive.web import serve as serve_pages

    return serve_pages(port, public_url)
