"""`lissive serve` as far as it goes before it serves; the demonstration; a disk that is full; what is logged."""

from __future__ import annotations

import io
import logging
import os
import sys
import time

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from tests.clinic.conftest import visitor
from tests.clinic.test_login import log_in, text_of

from lissive.case import make_case
from lissive.cli.main import main
from lissive.clinic import audit, demo, start
from lissive.clinic.models import Case, Entry, Organisation, Patient, User
from lissive.clinic.place import Place, database_of, time_zone
from lissive.clinic.rights import ROLES
from lissive.errors import LissiveError
from lissive.web import guard
from lissive.web.serve import WhereAlone

LONG = "a long pass phrase"


@pytest.fixture(autouse=True)
def _nobody_tried_before(db):
    cache.clear()


@pytest.fixture(autouse=True)
def _environment_as_before():
    """What a start leaves in it is for its worker, not for the next test."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--public-url", "clinic.example.org"], "is no address of a site"),
        (["--calculator", "--demo"], "keeps nothing and has no worker"),
        (["--demo", "--public-url", "https://clinic.example.org"], "stays on this computer"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(capsys, monkeypatch, tmp_path, words, said):
    monkeypatch.setenv("LISSIVE_DATA", str(tmp_path / "none"))
    assert main(["serve", *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LISSIVE_TIME_ZONE", "Mars", "this computer's own zone"),
        ("LISSIVE_DATABASE_URL", "postgresql://h:port/n", "correct the variable, or unset it"),
        ("LISSIVE_DATABASE_URL", "postgresql://[h/n", "correct the variable, or unset it"),
        ("LISSIVE_MAIL_URL", "smtp://[h", "correct the variable, or unset it"),
        ("LISSIVE_PUBLIC_URL", "http://[x", "the address that visitors type"),
        ("LISSIVE_MAIL_URL", "imap://h", "correct the variable, or unset it"),
    ],
)
def test_a_variable_that_is_wrong_is_said_before_anything_is_made(monkeypatch, tmp_path, name, value, said):
    monkeypatch.setenv(name, value)
    with pytest.raises(LissiveError, match=f"^{name}: .+ Allowed: .+ What to do: .*{said}"):
        start.prepare(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_folder_of_a_real_clinic_never_becomes_a_demonstration(monkeypatch, tmp_path):
    (tmp_path / "clinic.sqlite3").write_text("")
    monkeypatch.setenv("LISSIVE_DATA", str(tmp_path))
    with pytest.raises(LissiveError, match="not one of a demonstration"):
        start.prepare(tmp_path, demo=True)
    found = Place(tmp_path, "", "")
    monkeypatch.setenv("LISSIVE_DEMO", "1")
    assert not found.is_demo  # asked for, but not made as one
    (tmp_path / "demo").write_text("x")
    assert found.is_demo
    assert not Place(tmp_path, "postgresql://h/n", "").is_demo
    monkeypatch.delenv("LISSIVE_DEMO")
    assert not found.is_demo  # made as one, but served as any


def test_the_folder_and_its_key_are_the_owners_alone(tmp_path):
    found = Place(tmp_path / "data", "", "")
    found.prepare()
    key = found.secret()
    found.prepare()
    assert found.secret() == key
    assert [oct((found.data / name).stat().st_mode)[-3:] for name in ("", "secret.key")] == ["700", "600"]


def test_the_first_administrator_is_asked_for_once(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    said = iter(["Elm Street", "zoe", "Elm Street", "zoe", "Elm Street", "zoe"])
    hidden = iter([LONG, "other", "short", "short", LONG, LONG])
    start.ensure_administrator(lambda _: next(said), lambda _: next(hidden))
    shown = capsys.readouterr().err
    assert "The passwords differ." in shown
    assert "at least 12 characters" in shown
    made = User.objects.get()
    assert (made.username, made.role, made.organisation.name) == ("zoe", "administrator", "Elm Street")
    assert made.check_password(LONG)
    assert Entry.objects.get().detail == {"role": "administrator", "by": "terminal"}
    start.ensure_administrator(lambda _: pytest.fail("asked again"))


def test_without_a_terminal_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(LissiveError, match="lissive web add-administrator"):
        start.ensure_administrator()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("clinic", "name", "password", "said"),
    [
        ("Elm", "zoe", "short", "at least 12"),
        ("Elm", "administrator1", "administrator1", "too similar to the username"),
        ("Elm", "two words", LONG, "valid username"),
        ("  ", "zoe", LONG, "needs a name"),
    ],
)
def test_a_wrong_administrator_is_refused(clinic, name, password, said):
    with pytest.raises(LissiveError, match=said):
        start.add_administrator(clinic, name, password)
    assert not Organisation.objects.exists()


def test_the_demonstration_has_each_role_and_cases_that_can_be_answered(tmp_path, settings):
    settings.DEMO = True
    (tmp_path / "demo").write_text("a password")
    told = demo.fill(Place(tmp_path, "", ""))
    again = demo.fill(Place(tmp_path, "", ""))
    assert told == again
    assert "Password of all: a password" in told
    assert set(User.objects.values_list("role", flat=True)) == set(ROLES)
    assert (Organisation.objects.count(), Patient.objects.count()) == (2, 16)
    for case in Case.objects.select_related("patient"):
        made = make_case(case.data)
        assert made.place.residence == case.patient.residence
        if made.person.age_years is not None:
            born = case.patient.born
            assert made.as_of.year - born.year - (
                (made.as_of.month, made.as_of.day) < (born.month, born.day)
            ) == (made.person.age_years)
    client = visitor()
    assert log_in(client, "practitioner", "a password")["Location"] == "/"
    page = client.get("/")
    assert page.status_code == 200  # no second factor here
    assert "all patients are invented" in text_of(page)
    settings.DEMO = False
    assert client.get("/").status_code == 302
    assert not list(audit.faults())


def test_the_worker_is_started_again_and_ends_with_the_server(tmp_path, capfd):
    runs = tmp_path / "runs"
    script = (
        f"import sys, time; open({str(runs)!r}, 'a').write('x')\n"
        f"if len(open({str(runs)!r}).read()) > 1: time.sleep(60)\n"
        "sys.exit(3)"
    )
    with start.kept_running([sys.executable, "-c", script], pause_s=0.01):
        for _ in range(600):
            if runs.exists() and len(runs.read_text()) == 2:
                break
            time.sleep(0.05)
    assert runs.read_text() == "xx"
    assert "The worker ended with code 3, and is started again." in capfd.readouterr().err


# -- what a database cannot do -------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_a_full_disk_is_said_and_nothing_is_acknowledged(cast):
    admin = visitor(cast.zoe)
    admin.raise_request_exception = False
    admin.get("/settings")
    entries = Entry.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
        try:
            for _ in range(200):  # until the pages that are there are full
                page = admin.post("/settings", {"name": "N" * 200, "keep_years": "10"})
                if page.status_code != 302:
                    break
            else:
                pytest.fail("never full")
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    assert page.status_code == 507
    assert "Nothing of this request was saved." in text_of(page)
    assert "free space" in text_of(page)
    assert not list(audit.faults())
    assert Entry.objects.count() >= entries


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("database or disk is full", 507, "free space"),
        ("database is locked", 503, "busy"),
        ("attempt to write a readonly database", 503, "takes no changes"),
        ("disk I/O error", 503, "takes no changes"),
        ("could not connect to server", 503, "takes no changes"),
    ],
)
def test_a_database_that_fails_gives_a_plain_page(cast, monkeypatch, text, status, said):
    client = visitor(cast.zoe)
    client.raise_request_exception = False
    client.get("/settings")

    def fail(*_, **__):
        raise OperationalError(text)

    monkeypatch.setattr(audit, "append", fail)
    page = client.post("/settings", {"name": "Other"})
    assert page.status_code == status
    assert said in text_of(page)
    cast.here.refresh_from_db()
    assert cast.here.name == "Elm Street"


def test_a_fault_is_logged_without_what_it_was_about(cast, monkeypatch):
    client = visitor(cast.zoe)
    client.raise_request_exception = False
    kept = io.StringIO()
    handler = logging.StreamHandler(kept)
    handler.setFormatter(WhereAlone())
    logging.getLogger("django.request").addHandler(handler)

    def fail(*_, **__):
        raise ValueError("Dan Doe takes baclofen")

    monkeypatch.setattr(audit, "append", fail)
    try:
        assert client.post("/settings", {"name": "Dan Doe"}).status_code == 500
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    assert "ValueError" in kept.getvalue()
    assert "Dan" not in kept.getvalue()


def test_too_many_requests_and_a_wrong_host_are_said_in_the_clinics_frame(cast, monkeypatch):
    monkeypatch.setattr(guard, "PAGES", guard.Bucket(1, 0.001))
    client = visitor()
    client.get("/account/login/")
    page = client.get("/account/login/")
    assert (page.status_code, "Too many requests" in text_of(page)) == (429, True)
    assert int(page["Retry-After"]) > 0
    monkeypatch.setattr(guard, "PAGES", guard.Bucket(1e9, 1e9))
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_an_upload_over_the_limit_is_refused(cast):
    client = visitor(cast.zoe)
    page = client.post("/settings", {"name": "x" * 3_100_000})
    assert page.status_code == 400
    assert "larger than this page takes" in text_of(page)


def test_addresses_of_databases():
    found = Place("/d", "postgresql://u%40x:p%2Fw@db:5433/clinic?sslmode=require", "")
    read = database_of(found)
    assert (read["USER"], read["PASSWORD"], read["HOST"], read["PORT"]) == ("u@x", "p/w", "db", "5433")
    assert read["OPTIONS"] == {"sslmode": "require"}
    for wrong in ("mysql://h/n", "postgresql://h", "postgresql:///"):
        with pytest.raises(LissiveError, match="no address of a database"):
            database_of(Place("/d", wrong, ""))


def test_the_zone_of_times_is_the_clinics(monkeypatch):
    monkeypatch.setenv("LISSIVE_TIME_ZONE", "America/New_York")
    assert time_zone() == "America/New_York"
    monkeypatch.setenv("LISSIVE_TIME_ZONE", "New York")
    with pytest.raises(LissiveError, match="no time zone"):
        time_zone()
