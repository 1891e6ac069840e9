"""`lissive web`: what is done at the terminal for the clinic's pages."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from lissive.errors import LissiveError
from lissive.extras import need

if TYPE_CHECKING:
    from lissive.clinic.place import Place


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="The clinic's pages: check the trail, add an administrator, send reminders.",
        no_args_is_help=True,
    )
    group.command("verify-audit")(verify_audit)
    group.command("add-administrator")(add_administrator)
    group.command("remind")(remind)
    app.add_typer(group, name="web")


def verify_audit(
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="Folder of the clinic's data; without it, LISSIVE_DATA."),
    ] = None,
) -> None:
    """Check that no entry of the trail was changed, taken out or cut off, and each certificate is as it was signed.

    Exit code: 0 the trail is whole, 1 it is not (each fault is named), 2 it could not be checked.
    """
    found = _set_up(data)
    from django.db import DatabaseError

    from lissive.clinic import audit
    from lissive.clinic.certify import proof
    from lissive.clinic.models import Entry

    try:
        wrong = 0
        for fault in (*audit.faults(every_day=True), *proof.faults()):
            wrong += 1
            print(fault)
        number = Entry.objects.count()
    except DatabaseError as error:
        _refuse(f"The database could not be read: {str(error).strip()}.", found.data)
    entries = f"{number} entr{'y' if number == 1 else 'ies'}"
    if wrong:
        print(f"{entries}. The trail is not whole: {wrong} fault{'s' if wrong > 1 else ''}.")
        raise typer.Exit(1)
    print(f"{entries}. The trail is whole.")


def _set_up(data: Path | None) -> Place:
    """Django, for the data of a clinic that there is."""
    from lissive.clinic.place import DATA, DATABASE, place

    need("web", "The clinic")
    if data is not None:
        os.environ[DATA] = str(data)
    found = place()
    if not found.data.is_dir():
        _refuse("There is no such folder.", found.data)
    if not found.database and not (found.data / "clinic.sqlite3").is_file():
        _refuse(f"There is no clinic.sqlite3 in it, and {DATABASE} names no database.", found.data)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lissive.clinic.settings")
    import django

    django.setup()
    return found


def _refuse(what: str, where: Path) -> NoReturn:
    raise LissiveError(
        what, where=str(where), allowed="the data folder of a clinic.", do="correct --data or LISSIVE_DATA."
    )


def remind(
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="Folder of the clinic's data; without it, LISSIVE_DATA."),
    ] = None,
) -> None:
    """Send the reminders of today that were not sent yet; `lissive work` does the same once a day.

    Exit code: 0 all were sent, 1 some could not be, 2 the clinic's data could not be reached.
    """
    from lissive.clinic.place import MAIL

    found = _set_up(data)
    from django.db import DatabaseError

    from lissive.clinic.dates import remind as reminders

    os.umask(0o077)
    found.prepare()
    try:
        done = reminders.run()
    except DatabaseError as error:
        _refuse(f"The database could not be used: {str(error).strip()}.", found.data)
    to = MAIL if os.environ.get(MAIL) else str(found.mail)
    print(f"{done.sent} sent ({to}), {done.failed} failed, {done.without} without an e-mail address.")
    if done.failed:
        raise typer.Exit(1)


def add_administrator(
    clinic: Annotated[str, typer.Option("--clinic", metavar="NAME", help="Name of the clinic.")],
    user: Annotated[str, typer.Option("--user", metavar="NAME", help="Name to log in with.")],
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", file_okay=False, help="Folder of the clinic's data."),
    ] = None,
) -> None:
    """Add an administrator, also the first one, without questions.

    The password comes from LISSIVE_PASSWORD, or is the first line of standard input.
    """
    from lissive.clinic import start

    password = os.environ.get(start.PASSWORD) or sys.stdin.readline().rstrip("\r\n")
    start.prepare(data)
    start.add_administrator(clinic, user, password)
    print(f"{user} can log in, and is asked to set up a second factor.")
