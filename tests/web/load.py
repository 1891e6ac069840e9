"""Fifty people at the calculator: how long their pages take. By hand: python -m tests.web.load [PEOPLE [SECONDS]]"""

from __future__ import annotations

import random
import re
import statistics
import subprocess
import sys
import threading
import time
from html import unescape
from http.client import HTTPConnection
from urllib.parse import urlencode

PORT, THINK_S = 8765, 5.0


class Person:
    """Answers questions at random, reads the answer, has a forecast made, begins again."""

    def __init__(self, seed: int, until: float, times: dict[str, list[float]]) -> None:
        self.draw, self.until, self.times = random.Random(seed), until, times
        self.cookie = self.page = ""

    def ask(self, kind: str, address: str, data: dict[str, str] | None = None) -> None:
        link = HTTPConnection("127.0.0.1", PORT, timeout=120)
        head = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        begun = time.perf_counter()
        link.request(
            "GET" if data is None else "POST", address, None if data is None else urlencode(data), head
        )
        answer = link.getresponse()
        self.page = answer.read().decode()
        self.times.setdefault(f"{kind} {answer.status}", []).append(time.perf_counter() - begun)
        self.cookie = (answer.getheader("Set-Cookie") or self.cookie).split(";")[0].strip()
        if answer.status == 303:
            self.ask("look", answer.getheader("Location") or "/")
        link.close()

    def hidden(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        return unescape(found[1]) if found else ""

    def run(self) -> None:
        time.sleep(self.draw.uniform(0, THINK_S))
        self.ask("question", "/questions")
        while time.time() < self.until:
            time.sleep(self.draw.uniform(0.6, 1.4) * THINK_S)
            given = {name: self.hidden(name) for name in ("csrfmiddlewaretoken", "case", "passed", "at")}
            options = [
                unescape(a or b)
                for a, b in re.findall(r'name="said" value="([^"]*)"|<option value="([^"]+)"', self.page)
            ]
            if 'id="question"' not in self.page:
                self.ask("forecast", "/forecast", given)
                self.ask("question", "/questions")
            elif self.draw.random() < 0.06:
                self.ask("answer", "/questions", {**given, "do": "answer"})
            elif options and self.draw.random() < 0.8:
                self.ask("question", "/questions", {**given, "do": "next", "said": self.draw.choice(options)})
            else:
                self.ask("question", "/questions", {**given, "do": "pass"})


def main(people: int = 50, seconds: float = 60.0) -> None:
    words = [sys.executable, "-m", "lissive", "serve", "--calculator", "--port", str(PORT)]
    with subprocess.Popen(words) as server:
        time.sleep(20)
        times: dict[str, list[float]] = {}
        crowd = [Person(seed, time.time() + seconds, times).run for seed in range(people)]
        threads = [threading.Thread(target=each) for each in crowd]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        server.terminate()
    every = [each for kind, found in times.items() if not kind.startswith("look") for each in found]
    for kind, found in {**times, "all pages": every}.items():
        p95 = sorted(found)[int(0.95 * (len(found) - 1))]
        print(
            f"{kind}: {len(found)} requests, median {1000 * statistics.median(found):.0f} ms, p95 {1000 * p95:.0f} ms"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
