"""kill -9 of server and worker amid writes and forecasts: nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest

pytestmark = pytest.mark.slow

CASES, WRITES = 4, 200
BEGIN = f"""
import json, sys
from pathlib import Path
from lissive.clinic.start import prepare
prepare(Path(sys.argv[1]))
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from lissive.clinic.models import Case, Organisation, Patient, User
here = Organisation.objects.create(name="Elm Street")
User.objects.create_user("zoe", organisation=here, role="administrator")
ada = User.objects.create_user("ada", organisation=here, role="practitioner")
TOTP.activate(ada, generate_totp_secret())
patient = Patient.objects.create(organisation=here, family_name="Doe", given_name="Dan", born="1974-03-01")
plan = {{"product": "nabiximols", "titration": "label", "weeks": 1}}
cases = [
    Case.objects.create(patient=patient, data={{
        "case": "a", "as_of": "2026-11-22", "place": {{"residence": "GB"}}, "person": {{"age_years": 52}},
        "spasm": {{"cause": "multiple_sclerosis", "spasticity_nrs": 4 + number}}, "plan": plan,
    }})
    for number in range({CASES})
]
visitor = Client()
visitor.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
print(json.dumps([visitor.cookies["sessionid"].value, [str(each.pk) for each in cases]]))
"""


def until(holds: Callable[[], object], seconds: float = 300) -> object:
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "this takes too long"
        time.sleep(0.1)
    return found


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Clinic:
    """A data folder, its server as a process group, and a practitioner's requests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {**os.environ, "LISSIVE_DATA": str(folder), "LISSIVE_SUBJECTS": "8"}
        self.env.pop("DJANGO_SETTINGS_MODULE", None)
        begun = self.run("-c", BEGIN, str(folder))
        session, self.cases = json.loads(begun.stdout.splitlines()[-1])
        self.token = "a" * 32
        self.headers = {
            "Cookie": f"sessionid={session}; csrftoken={self.token}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words], env=self.env, capture_output=True, text=True, check=True, timeout=120
        )

    def start(self) -> None:
        self.server = subprocess.Popen(
            [sys.executable, "-m", "lissive", "serve", "--port", str(self.port)],
            env=self.env,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def post(self, path: str, **fields: str) -> int:
        """The status; asked again until the server answers, as a person would."""
        body = urlencode({"csrfmiddlewaretoken": self.token, **fields})

        def sent() -> int:
            try:
                with closing(http.client.HTTPConnection("localhost", self.port, timeout=60)) as line:
                    line.request("POST", path, body, self.headers)
                    return line.getresponse().status
            except (OSError, http.client.HTTPException):
                return 0

        return int(str(until(lambda: (status := sent()) not in (0, 429) and status)))

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.folder / "clinic.sqlite3", timeout=30)) as held:
            return held.execute(query).fetchall()

    def worker(self) -> int:
        """The living process that holds a piece of work, once one does."""

        def holder() -> int:
            held = self.rows("SELECT holder FROM clinic_work WHERE status = 'running'")
            living = [process for (name,) in held if is_alive(process := int(str(name).split(":")[1]))]
            return living[0] if living else 0

        return int(str(until(holder)))

    def leases_run_out(self) -> None:
        """Of workers that are dead: as if their 30 seconds had passed."""
        with closing(sqlite3.connect(self.folder / "clinic.sqlite3", timeout=30)) as held, held:
            held.execute("UPDATE clinic_work SET lease_until = '2000-01-01' WHERE status = 'running'")


@contextmanager
def clinic(folder: Path) -> Iterator[Clinic]:
    made = Clinic(folder)
    made.start()
    try:
        yield made
    finally:
        with suppress(ProcessLookupError):
            os.killpg(made.server.pid, signal.SIGKILL)
        made.server.wait()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="asks Linux which processes live")
def test_nothing_acknowledged_is_lost_and_every_forecast_is_made_once(tmp_path):
    with clinic(tmp_path / "data") as here:
        for each in here.cases:
            assert here.post(f"/cases/{each}/forecast") == 302
        wrong: list[int] = []

        def write() -> None:
            for number in range(WRITES):
                case, version = here.cases[number % CASES], 1 + number // CASES
                status = here.post(f"/cases/{case}/reason", reason=f"write {number}", version=str(version))
                wrong.extend([status] if status != 302 else [])

        writer = threading.Thread(target=write)
        writer.start()

        worker = here.worker()
        os.killpg(here.server.pid, signal.SIGKILL)  # both at once
        here.server.wait()
        until(lambda: not is_alive(worker))
        here.leases_run_out()
        here.start()

        worker = here.worker()
        os.kill(worker, signal.SIGKILL)  # the worker: its server starts another
        until(lambda: not is_alive(worker))
        here.leases_run_out()

        worker = here.worker()
        here.server.kill()  # the server: its worker gives back what it had begun, and ends
        here.server.wait()
        until(lambda: not is_alive(worker))
        assert not here.rows("SELECT * FROM clinic_work WHERE status = 'running'")
        here.start()

        writer.join(300)
        assert not writer.is_alive()
        assert not wrong
        until(lambda: not here.rows("SELECT * FROM clinic_work WHERE status IN ('queued', 'running')"))

        statuses = here.rows("SELECT status, COUNT(*) FROM clinic_work GROUP BY status")
        assert statuses == [("done", CASES)]
        forecasts = "SELECT COUNT(*), COUNT(DISTINCT case_id) FROM clinic_answer WHERE has_forecast"
        assert here.rows(forecasts) == [(CASES, CASES)]
        ends = "SELECT COUNT(*), COUNT(DISTINCT thing) FROM clinic_entry WHERE action = 'work.done'"
        assert here.rows(ends) == [(CASES, CASES)]
        kept = sorted(
            int(re.findall(r"\d+", str(text))[0]) for (text,) in here.rows("SELECT reason FROM clinic_case")
        )
        assert kept == list(range(WRITES - CASES, WRITES))
        changes = (
            "SELECT COUNT(*), COUNT(DISTINCT thing || detail) FROM clinic_entry WHERE action = 'case.changed'"
        )
        assert here.rows(changes) == [(WRITES, WRITES)]
        assert here.run("-m", "lissive", "web", "verify-audit").returncode == 0
