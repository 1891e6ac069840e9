"""`lissive work`: what the clinic's pages leave to a process of its own."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from lissive.errors import LissiveError
from lissive.extras import need


def register(app: typer.Typer) -> None:
    app.command("work")(work)


def work(
    once: Annotated[bool, typer.Option("--once", help="Stop when nothing waits.")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Data folder of the clinic (LISSIVE_DATA).")
    ] = None,
    parent: Annotated[int, typer.Option("--parent", hidden=True)] = 0,
) -> None:
    """Make the forecasts and documents that were asked for on the clinic's pages, one after another.

    `lissive serve` starts one by itself. More than one may run, on this or another machine with the same database;
    each piece of work is done once. It ends on Ctrl-C or SIGTERM and gives back what it had begun.
    """
    need("web", "The clinic")
    if data is not None:
        os.environ["LISSIVE_DATA"] = str(data)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lissive.clinic.settings")
    import django
    from django.db import DatabaseError

    from lissive.clinic.place import place

    where = place()
    if not where.database and not (where.data / "clinic.sqlite3").is_file():
        raise LissiveError(
            "There is no clinic in this folder.",
            where=str(where.data),
            do="name its data folder with --data, or begin one with lissive serve.",
        )
    django.setup()
    from lissive.clinic.work import loop
    from lissive.web.serve import log_faults

    log_faults()
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    try:
        loop(stop, once=once, parent=parent)
    except DatabaseError as error:
        raise LissiveError(
            f"The clinic's database cannot be used ({type(error).__name__}).",
            where="LISSIVE_DATABASE_URL" if where.database else str(where.data),
            do="start lissive serve once, which prepares it; then try again.",
        ) from None
