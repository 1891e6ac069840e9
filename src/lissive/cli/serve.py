"""`lissive serve`: the calculator as pages."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from lissive.errors import LissiveError


def register(app: typer.Typer) -> None:
    app.command("serve")(serve)


def serve(
    calculator: Annotated[
        bool, typer.Option("--calculator", help="Serve the calculator and the check of articles.")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 8000,
    public_url: Annotated[
        str,
        typer.Option(
            "--public-url",
            metavar="URL",
            help="Address of a TLS proxy in front, as https://calculator.example.org.",
        ),
    ] = "",
) -> None:
    """Serve pages on this computer: one case answered in a browser. Nothing that is entered is stored.

    Needs the extra web: pip install 'lissive[web]'.
    """
    if not calculator:
        raise LissiveError("Nothing to serve is named.", allowed="--calculator.", do="add --calculator.")
    if public_url and not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?/?", public_url):
        raise LissiveError(
            f"{public_url!r} is no address of a site.",
            where="--public-url",
            allowed="a scheme and a host, as https://calculator.example.org.",
        )
    from lissive.web import serve as serve_pages

    serve_pages(port, public_url)
