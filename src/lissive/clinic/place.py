"""Where the clinic's data are, and how it is reached: from the environment, as `lissive serve` sets it."""

from __future__ import annotations

import os
import re
import secrets
import zoneinfo
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from lissive.errors import LissiveError

DATABASE = "LISSIVE_DATABASE_URL"
DATA = "LISSIVE_DATA"
PUBLIC_URL = "LISSIVE_PUBLIC_URL"
TIME_ZONE = "LISSIVE_TIME_ZONE"
MAIL = "LISSIVE_MAIL_URL"
MAIL_FROM = "LISSIVE_MAIL_FROM"
DEMO = "LISSIVE_DEMO"
PORT = "LISSIVE_PORT"
"""Set by `lissive serve`, for addresses in what is made while there is no public one."""


@dataclass(frozen=True)
class Place:
    """The folder of the data, the database, and the address that visitors use."""

    data: Path
    database: str
    public_url: str

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def host(self) -> str:
        return urlsplit(self.public_url).hostname or ""

    @property
    def address(self) -> str:
        """What an address in a certificate or a calendar begins with."""
        return self.public_url.rstrip("/") or f"http://localhost:{os.environ.get(PORT, '8000')}"

    @property
    def anchors(self) -> Path:
        """The folder of the daily files that hold the head of the trail."""
        return self.data / "anchors"

    @property
    def mail(self) -> Path:
        """The folder of what was mailed, where there is no mail server."""
        return self.data / "mail"

    @property
    def is_demo(self) -> bool:
        """Whether this is a folder of `lissive serve --demo`, asked for as that: there no second factor is demanded."""
        return bool(os.environ.get(DEMO)) and (self.data / "demo").is_file() and not self.database

    def secret(self) -> str:
        """The key of sessions and tokens, from its file; for this process alone where there is none yet."""
        file = self.data / "secret.key"
        return file.read_text().strip() if file.is_file() else secrets.token_urlsafe(48)

    def prepare(self) -> None:
        """Make the folder and the key, readable by the owner alone."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.anchors, self.mail):
            folder.mkdir(exist_ok=True, mode=0o700)
        file = self.data / "secret.key"
        try:
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(secrets.token_urlsafe(48))
        except FileExistsError:
            pass


def place() -> Place:
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    data = os.environ.get(DATA) or f"{home}/lissive"
    public_url = checked_address(os.environ.get(PUBLIC_URL, ""), PUBLIC_URL)
    return Place(Path(data).expanduser().absolute(), os.environ.get(DATABASE, ""), public_url)


def checked_address(public_url: str, where: str) -> str:
    """The address of a site, or nothing. Raises LissiveError where it is none."""
    if public_url and not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?/?", public_url):
        raise LissiveError(
            f"{public_url!r} is no address of a site.",
            where=where,
            allowed="a scheme and a host, as https://clinic.example.org.",
            do="write the address that visitors type, without a path.",
        )
    return public_url


def time_zone() -> str:
    """The zone in which times are shown: as the clinic says, else that of this computer."""
    said = os.environ.get(TIME_ZONE) or os.environ.get("TZ") or ""
    if said in zoneinfo.available_timezones():
        return said
    if os.environ.get(TIME_ZONE):
        raise LissiveError(
            f"{said!r} is no time zone.",
            where=TIME_ZONE,
            allowed="a name as America/New_York or Europe/London.",
            do="correct the variable, or unset it: then this computer's own zone is used.",
        )
    local = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    return local if local in zoneinfo.available_timezones() else "UTC"


def _parts(address: str, wrong: LissiveError) -> SplitResult:
    """Of an address; raises `wrong` where its host or port cannot be."""
    try:
        url = urlsplit(address)
        int(url.port or 0)
    except ValueError:
        raise wrong from None
    return url


def database_of(found: Place) -> dict[str, Any]:
    """Django's settings of the database: SQLite in the data folder, or the PostgreSQL of a URL."""
    if not found.database:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": found.data / "clinic.sqlite3",
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                # a transaction takes the right to write as it begins: no two build on one head of the trail
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            },
        }
    wrong = LissiveError(
        "This is no address of a database.",
        where=DATABASE,
        allowed="postgresql://user:password@host:5432/name, or nothing for SQLite in the data folder.",
        do="correct the variable, or unset it.",
    )
    url = _parts(found.database, wrong)
    if url.scheme not in ("postgresql", "postgres") or not url.path.strip("/"):
        raise wrong
    query = dict(pair.split("=", 1) for pair in url.query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.strip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(query.pop("host", "") or url.hostname or ""),
        "PORT": str(url.port or ""),
        "CONN_MAX_AGE": None,
        "OPTIONS": {name: unquote(value) for name, value in query.items()},
    }


def settings_of(found: Place) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """What Django is told of the zone of times, the database and mail; raises where one of the variables is wrong."""
    return time_zone(), database_of(found), mail_of(found)


def mail_of(found: Place) -> dict[str, Any]:
    """Django's settings of mail: a file for each in the data folder, or the SMTP server of a URL."""
    sender = os.environ.get(MAIL_FROM) or f"lissive@{found.host or 'localhost'}"
    if not os.environ.get(MAIL):
        backend = "django.core.mail.backends.filebased.EmailBackend"
        return {"EMAIL_BACKEND": backend, "EMAIL_FILE_PATH": found.mail, "DEFAULT_FROM_EMAIL": sender}
    wrong = LissiveError(
        "This is no address of a mail server.",
        where=MAIL,
        allowed="smtp://user:password@host:587 (STARTTLS), smtps://user:password@host:465, or nothing for files.",
        do="correct the variable, or unset it.",
    )
    url = _parts(os.environ[MAIL], wrong)
    if url.scheme not in ("smtp", "smtps") or not url.hostname:
        raise wrong
    is_local = url.hostname in ("localhost", "127.0.0.1", "::1")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": url.hostname,
        "EMAIL_PORT": url.port or (465 if url.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(url.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
        "EMAIL_USE_SSL": url.scheme == "smtps",
        "EMAIL_USE_TLS": url.scheme == "smtp" and not is_local,
        "EMAIL_TIMEOUT": 20,
        "DEFAULT_FROM_EMAIL": sender,
    }
