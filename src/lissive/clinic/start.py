"""From nothing to a running clinic: the data folder, the first administrator, the server, and its worker."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from getpass import getpass
from pathlib import Path
from typing import Any

from lissive.clinic.place import DATA, DATABASE, DEMO, PORT, PUBLIC_URL, Place, place, settings_of
from lissive.errors import LissiveError
from lissive.extras import need

WORKER = ("-m", "lissive", "work")
LONGEST_PAUSE_S = 30.0
PASSWORD = "LISSIVE_PASSWORD"
ADD = (
    f"lissive web add-administrator --clinic NAME --user NAME, with the password in {PASSWORD} "
    "or as the first line of standard input."
)


def prepare(data: Path | None = None, public_url: str = "", *, demo: bool = False) -> Place:
    """The data folder and the database, up to date; Django is set up in this process."""
    need("web", "The clinic")
    if data is not None:
        os.environ[DATA] = str(data)
    if public_url:
        os.environ[PUBLIC_URL] = public_url
    os.environ.pop(DEMO, None)
    if demo:
        os.environ[DEMO] = "1"
    os.environ["DJANGO_SETTINGS_MODULE"] = "lissive.clinic.settings"
    found = place()
    if demo and (found.database or found.public_url):
        raise LissiveError(
            "A demonstration stays on this computer, in a folder of its own.",
            where="--demo",
            allowed=f"--demo without --public-url, {PUBLIC_URL} and {DATABASE}.",
            do="leave the option out, and unset these variables.",
        )
    if demo and found.data.is_dir() and any(found.data.iterdir()) and not found.is_demo:
        raise LissiveError(
            "The folder is not one of a demonstration: nothing invented is added to it.",
            where=str(found.data),
            do="name a new folder with --data, or none.",
        )
    settings_of(found)  # raises for a variable that is wrong, before anything is made
    os.umask(0o077)  # the records are the owner's alone
    found.prepare()
    if demo and not found.is_demo:
        (found.data / "demo").write_text(secrets.token_urlsafe(9))
    import django

    django.setup()
    _migrate(found)
    return found


def _migrate(found: Place) -> None:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import call_command
    from django.db import DatabaseError

    try:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        call_command("clearsessions")
    except ImproperlyConfigured:
        raise LissiveError(
            "PostgreSQL needs a package that is not installed.", do="pip install 'lissive[postgres]'."
        ) from None
    except DatabaseError as error:
        raise LissiveError(
            f"The database cannot be used: {str(error).strip()}.",
            where=DATABASE if found.database else str(found.data),
            do="see that it runs, that its disk has space, and that this user may write to it.",
        ) from None


# -- the first administrator ---------------------------------------------------------------------------
def add_administrator(clinic: str, name: str, password: str) -> None:
    """An administrator of this clinic, which is made where there is none of the name yet."""
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError
    from django.db import transaction

    from lissive.clinic import audit
    from lissive.clinic.models import Organisation, User
    from lissive.clinic.users import Name

    form = Name({"username": name})
    if not form.is_valid():
        raise LissiveError(
            " ".join(map(str, form.errors["username"])), where="user name", do="choose another one."
        )
    if not clinic.strip() or len(clinic) > 200:
        raise LissiveError(
            "The clinic needs a name.", where="clinic", allowed="1 to 200 characters.", do="type its name."
        )
    try:
        validate_password(password, User(username=name))
    except ValidationError as error:
        raise LissiveError(" ".join(error.messages), where="password", do="choose another one.") from None
    with transaction.atomic():
        organisation, _ = Organisation.objects.get_or_create(name=clinic.strip())
        made = User.objects.create_user(
            name, password=password, organisation=organisation, role="administrator"
        )
        detail = {"role": made.role, "by": "terminal"}
        audit.append("user.add", organisation=organisation.pk, kind="user", thing=made.pk, detail=detail)


def ensure_administrator(
    ask: Callable[[str], str] = input, ask_hidden: Callable[[str], str] = getpass
) -> None:
    """Ask at the terminal for the first one; a wrong answer is asked again."""
    from lissive.clinic.models import Organisation, User

    if User.objects.filter(role="administrator", is_active=True).exists():
        return None
    if not sys.stdin.isatty():
        raise LissiveError("There is no administrator yet, and this is no terminal to ask at.", do=ADD)
    print("There is no administrator yet. Who gives log-ins to the others?", file=sys.stderr)
    while True:
        first = Organisation.objects.order_by("id").first()
        clinic = first.name if first else ask("Name of the clinic: ")
        name = ask("User name: ")
        password = ask_hidden("Password (at least 12 characters): ")
        if password != ask_hidden("Password, again: "):
            print("The passwords differ.", file=sys.stderr)
            continue
        try:
            return add_administrator(clinic, name, password)
        except LissiveError as error:
            print(error, file=sys.stderr)


# -- running -------------------------------------------------------------------------------------------
def run(
    port: int, data: Path | None = None, public_url: str = "", *, demo: bool = False, worker: bool = True
) -> None:
    """Serve the clinic until it is stopped."""
    signal.signal(signal.SIGTERM, _stop)  # so that what was begun here is ended as well
    with ExitStack() as ending:
        if demo and data is None:
            data = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="lissive-demo-")), "data")
        os.environ[PORT] = str(port)
        found = prepare(data, public_url, demo=demo)
        if demo:
            from lissive.clinic.demo import fill

            print(fill(found), file=sys.stderr)
        else:
            ensure_administrator()
        made = _server(port, found.public_url)
        print(
            f"{found.public_url.rstrip('/') or f'http://localhost:{port}'}/  (stop: Ctrl-C)",
            file=sys.stderr,
            flush=True,
        )
        if not demo:
            print(f"Data: {(found.database and DATABASE) or found.data}", file=sys.stderr, flush=True)
        with kept_running([sys.executable, *WORKER, "--parent", str(os.getpid())] if worker else []):
            made.run()


def _server(port: int, public_url: str) -> Any:
    from django.core.wsgi import get_wsgi_application

    from lissive.web.serve import log_faults, server

    log_faults()
    return server(port, public_url, get_wsgi_application())


def _stop(*_: object) -> None:
    raise SystemExit(0)


@contextmanager
def kept_running(command: list[str], pause_s: float = 1.0) -> Iterator[None]:
    """A child process for as long as this lasts, started again when it dies, at first soon, then more slowly."""
    ended = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        pause = pause_s
        while not ended.is_set():
            running[:] = [subprocess.Popen(command)]
            code = running[0].wait()
            if ended.wait(pause):
                return
            print(f"The worker ended with code {code}, and is started again.", file=sys.stderr)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    keeper = threading.Thread(target=keep, daemon=True)
    if command:
        keeper.start()
    try:
        yield
    finally:
        ended.set()
        for each in running:
            each.terminate()
            try:
                each.wait(10)
            except subprocess.TimeoutExpired:
                each.kill()
        if command:
            keeper.join(10)
