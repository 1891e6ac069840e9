"""PostgreSQL, and several processes at once on either database."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROCESSES, EACH = 4, 500
APPEND = """
import sys
import django
django.setup()
from lissive.clinic import audit
for k in range(int(sys.argv[1])):
    audit.append("case.see", detail={"k": k})
"""
TAMPER = """
from importlib import import_module
import django
django.setup()
from django.db import DatabaseError, connection, transaction
from lissive.clinic.models import Entry
entry = Entry.objects.order_by("pk")[1000]
for change in (Entry.objects.filter(pk=entry.pk).delete, lambda: Entry.objects.filter(pk=entry.pk).update(who="x")):
    try:
        with transaction.atomic():
            change()
    except DatabaseError as error:
        assert "append-only" in str(error), error
    else:
        raise SystemExit("the database let an entry be changed")
guards = import_module("lissive.clinic.migrations.0002_append_only")
guards.unguard(connection)
assert Entry.objects.filter(pk=entry.pk).update(who="x") == 1
guards.guard(connection)
print(entry.pk)
"""


LICENCES = """
import datetime
import django
django.setup()
from django.utils import timezone
from lissive.clinic.models import Credential, Organisation, Practitioner, User
clinic = Organisation.objects.create(name="Elm Street")
for k in range(40):
    user = User.objects.create(username=f"u{k}", organisation=clinic, role="practitioner")
    who = Practitioner.objects.create(
        organisation=clinic, user=user, name=f"P{k}", profession="MD", email=f"p{k}@example.org"
    )
    Credential.objects.create(
        practitioner=who, kind="licence", expires=timezone.localdate() + datetime.timedelta(days=30)
    )
"""


def binaries() -> Path | None:
    found = shutil.which("initdb")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return Path(found).resolve().parent if found else places[-1].parent if places else None


@pytest.fixture(scope="module")
def server() -> Iterator[Callable[[], str]]:
    """Makes an empty database and says its address; all are gone afterwards."""
    tools = binaries()
    if tools is None:
        pytest.skip("PostgreSQL is not installed; on Debian: apt install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="lissive-pg-", dir="/tmp"))
    as_owner = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        if shutil.which("runuser") is None:
            pytest.skip("PostgreSQL does not run as root, and there is no runuser")
        shutil.chown(folder, "postgres", "postgres")
        as_owner = ["runuser", "-u", "postgres", "--"]

    def done(tool: str, *words: str) -> None:
        command = [*as_owner, str(tools / tool), *words]
        made = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        assert made.returncode == 0, made.stderr

    quick = "-c fsync=off -c listen_addresses='' -c max_connections=30"
    done("initdb", "--no-sync", "--auth=trust", "--username=lissive", "-E", "UTF8", "-D", f"{folder}/data")
    done("pg_ctl", "-w", "-D", f"{folder}/data", "-l", f"{folder}/log", "-o", f"{quick} -k {folder}", "start")
    numbers = count(1)

    def database() -> str:
        name = f"clinic{next(numbers)}"
        done("createdb", "-h", str(folder), "-U", "lissive", name)
        return f"postgresql://lissive@/{name}?host={folder}"

    try:
        yield database
    finally:
        done("pg_ctl", "-w", "-m", "immediate", "-D", f"{folder}/data", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(server: Callable[[], str]) -> str:
    """The address of a database of this test's own: another's entries would be in its trail."""
    return server()


def ran(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_chain_does_not_fork_and_a_change_is_named(kind, request, tmp_path):
    """Four processes append at once; then the command at the terminal finds the trail whole, and a change in it."""
    url = request.getfixturevalue("postgres") if kind == "postgresql" else ""
    memory = Path("/dev/shm")
    data = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else tmp_path))
    given = {**os.environ, "DJANGO_SETTINGS_MODULE": "lissive.clinic.settings", "LISSIVE_DATABASE_URL": url}
    given["LISSIVE_DATA"] = str(data)
    verify = ("-m", "lissive", "web", "verify-audit", "--data", str(data))
    try:
        assert ran(given, "-m", "django", "migrate", "-v0").returncode == 0
        command = [sys.executable, "-c", APPEND, str(EACH)]
        several = [subprocess.Popen(command, env=given, stderr=subprocess.PIPE) for _ in range(PROCESSES)]
        for each in several:
            assert each.communicate(timeout=300)[1] == b""
        whole = ran(given, *verify)
        assert (whole.returncode, whole.stdout) == (0, f"{PROCESSES * EACH} entries. The trail is whole.\n")
        tampered = ran(given, "-c", TAMPER)
        assert tampered.returncode == 0, tampered.stdout + tampered.stderr
        broken = ran(given, *verify)
        assert broken.returncode == 1
        assert broken.stdout.splitlines()[0] == (
            f"entry {tampered.stdout.strip()}: its content is not what was written."
        )
        wrong = ran(given, *verify[:-1], str(data / "none"))
        assert wrong.returncode == 2
        assert "There is no such folder" in wrong.stderr
    finally:
        shutil.rmtree(data, ignore_errors=True)


@pytest.mark.slow
def test_several_processes_send_each_reminder_once(postgres, tmp_path):
    given = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "lissive.clinic.settings",
        "LISSIVE_DATABASE_URL": postgres,
    }
    given["LISSIVE_DATA"] = str(tmp_path)
    for each in ("LISSIVE_MAIL_URL", "LISSIVE_DEMO"):
        given.pop(each, None)
    assert ran(given, "-m", "django", "migrate", "-v0").returncode == 0
    filled = ran(given, "-c", LICENCES)
    assert filled.returncode == 0, filled.stderr
    command = [sys.executable, "-m", "lissive", "web", "remind", "--data", str(tmp_path)]
    several = [subprocess.Popen(command, env=given, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [each.communicate(timeout=300)[0] for each in several]
    assert [each.returncode for each in several] == [0, 0, 0]
    assert sum(int(each.split()[0]) for each in said) == 40
    mails = "".join(file.read_text() for file in (tmp_path / "mail").iterdir())
    assert sorted(re.findall("To: (.*)", mails)) == sorted(f"p{k}@example.org" for k in range(40))


@pytest.mark.slow
def test_the_clinics_tests_hold_on_postgresql(postgres):
    """The rights, the trail and the records, as they are tested on SQLite."""
    files = [
        str(Path(__file__).with_name(f"test_{name}.py")) for name in ("audit", "records", "access", "dates")
    ]
    options = "-q --import-mode=importlib --strict-markers --ds=tests.clinic.settings"
    words = ("-m", "pytest", "-o", f"addopts={options}", "-n", "0", "-m", "not slow and not browser", *files)
    made = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "LISSIVE_DATABASE_URL": postgres},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert made.returncode == 0, made.stdout[-6000:]
