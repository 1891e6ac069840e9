"""People at work in the clinic: how long its pages take. By hand, of a database that `tests.clinic.many` filled:

python -m tests.clinic.load 50 60 --data DIR --url http://localhost:8000
"""

from __future__ import annotations

import argparse
import math
import random
import re
import statistics
import threading
import time
from collections import defaultdict
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

from tests.clinic.many import FAMILY, prepare

THINK_S = 5.0
WEIGHTS = {
    **{"search": 4, "patient": 4, "case": 5, "edit": 2, "draft": 6, "looked": 1, "start": 2, "audit": 2},
    **{"queue": 4, "visit": 2, "dates": 1},
}
"""How often each page is asked for, where a role may see it."""
OF_COMPLIANCE = ("search", "patient", "case", "looked", "start", "audit", "queue")
OF_PRACTITIONER = ("search", "patient", "case", "edit", "draft", "looked", "start", "queue", "visit", "dates")
Times = dict[str, list[float]]


class Person:
    """Somebody who is logged in, and goes from page to page with a think time around five seconds."""

    def __init__(self, seed: int, host: str, cookie: str, role: str, cases: list[tuple[str, str]]) -> None:
        self.draw, self.cookie, self.role, self.cases = random.Random(seed), cookie, role, cases
        self.link = HTTPConnection(host, timeout=120)
        self.page = self.token = self.at = ""
        self.times: Times = defaultdict(list)
        self.visits: list[str] = []
        self.held: tuple[str, dict[str, str]] | None = None

    def ask(self, kind: str, address: str, data: dict[str, str] | None = None, **head: str) -> None:
        """One page to its last byte; where it leads on is part of it. Its status stands with its kind."""
        begun = time.perf_counter()
        status, to = self._sent(address, data, head)
        while status in (302, 303):
            status, to = self._sent(urljoin(address, to), None, {})
        self.times[kind if status == 200 else f"{kind} {status}"].append(time.perf_counter() - begun)

    def _sent(self, address: str, data: dict[str, str] | None, head: dict[str, str]) -> tuple[int, str]:
        cookie = f"{self.cookie}; csrftoken={self.token}"
        head = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded", **head}
        given = None if data is None else urlencode(data)
        self.link.request("GET" if data is None else "POST", address, given, head)
        answer = self.link.getresponse()
        self.page, self.at = answer.read().decode(), address
        for each in answer.headers.get_all("Set-Cookie") or ():
            if each.startswith("csrftoken="):
                self.token = each.partition("=")[2].partition(";")[0]
        return answer.status, answer.getheader("Location") or ""

    def field(self, name: str) -> str:
        found = re.search(rf'name="{name}" value=(?:"([^"]*)"|\'([^\']*)\')', self.page)
        return unescape(found[1] or found[2] or "") if found else ""

    def run(self, until: float) -> None:
        time.sleep(self.draw.uniform(0, THINK_S))
        kinds = OF_COMPLIANCE if self.role == "compliance" else OF_PRACTITIONER
        weights = [WEIGHTS[kind] for kind in kinds]
        self.ask("start", "/")
        while time.time() < until:
            time.sleep(self.draw.uniform(0.5, 1.5) * THINK_S)
            getattr(self, self.draw.choices(kinds, weights)[0])()
        self.link.close()

    def warm_up(self) -> None:
        """Every page once, which is not counted: the server has read its tables then."""
        for kind in OF_COMPLIANCE if self.role == "compliance" else OF_PRACTITIONER:
            getattr(self, kind)()
        self.times.clear()

    def start(self) -> None:
        self.ask("start", "/")

    def queue(self) -> None:
        self.ask("queue", "/queue")
        self.visits = re.findall(r'href="(/visits/[0-9a-f-]+)"', self.page)

    def visit(self) -> None:
        if not self.visits:
            return self.queue()
        return self.ask("visit", self.draw.choice(self.visits))

    def search(self) -> None:
        self.ask("search, empty", "/patients")
        name = f"{self.draw.choice(FAMILY.split())} {self.draw.choice('abcdefgh')}"
        self.ask(
            "search", "/patients", {"csrfmiddlewaretoken": self.field("csrfmiddlewaretoken"), "name": name}
        )

    def patient(self) -> None:
        self.ask("patient", f"/patients/{self.draw.choice(self.cases)[0]}")

    def case(self) -> None:
        self.ask("case", f"/cases/{self.draw.choice(self.cases)[1]}")

    def edit(self) -> None:
        address = f"/cases/{self.draw.choice(self.cases)[1]}"
        self.ask("case, edit", f"{address}/edit")
        names = ("csrfmiddlewaretoken", "version", "was", "tab", "over", "asked")
        self.held = (f"{address}/draft", {name: self.field(name) for name in names})

    def draft(self) -> None:
        if self.held is None:
            return self.edit()
        address, data = self.held
        typed = {"spasm.spasticity_nrs": str(self.draw.randrange(11))}
        return self.ask("case, draft", address, {**data, **typed}, **{"HX-Request": "true"})

    def looked(self) -> None:
        self.ask("who looked", f"/patients/{self.draw.choice(self.cases)[0]}/looked")

    def dates(self) -> None:
        self.ask("dates", "/dates")

    def audit(self) -> None:
        self.ask("audit", "/audit")


def people(count: int, host: str) -> list[Person]:
    """Logged in, each with a session of their own; each works at other cases."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from lissive.clinic.models import Answer, User

    held = Answer.objects.filter(case__status="open", case__draft__isnull=True, has_forecast=False).order_by(
        "pk"
    )
    cases = [(str(patient), str(case)) for patient, case in held.values_list("case__patient", "case")]
    found = []
    users = User.objects.filter(username__startswith="load-").order_by("username")[:count]
    for k, user in enumerate(users):
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        found.append(Person(k, host, f"sessionid={session.session_key}", user.role, cases[k::count]))
    return found


def table(every: Times) -> str:
    lines = ["| page | requests | median, ms | p95, ms | longest, ms |", "|---|---:|---:|---:|---:|"]
    whole = [each for found in every.values() for each in found]
    for kind, found in [*sorted(every.items()), ("all", whole)]:
        p95 = sorted(found)[math.ceil(0.95 * len(found)) - 1]
        numbers = (1000 * each for each in (statistics.median(found), p95, max(found)))
        lines.append(f"| {kind} | {len(found)} | {' | '.join(f'{each:.0f}' for each in numbers)} |")
    return "\n".join(lines)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("people", type=int, nargs="?", default=50)
    ask.add_argument("seconds", type=float, nargs="?", default=60.0)
    ask.add_argument("--data", type=Path, required=True)
    ask.add_argument("--url", default="http://localhost:8000")
    asked = ask.parse_args()
    prepare(asked.data)
    crowd = people(asked.people, urlsplit(asked.url).netloc)
    for each in (crowd[0], *(one for one in crowd if one.role == "compliance")):
        each.warm_up()
    until = time.time() + asked.seconds
    threads = [threading.Thread(target=each.run, args=[until]) for each in crowd]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    every: Times = defaultdict(list)
    for one in crowd:
        for kind, found in one.times.items():
            every[kind] += found
    print(table(every))


if __name__ == "__main__":
    main()
