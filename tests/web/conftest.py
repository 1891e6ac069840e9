"""The calculator through Django's test client, as a visitor of localhost."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.test import Client

from lissive.web import application, guard

application()


class Visitor:
    """A person at the page: reads the form that is shown, and sends it."""

    def __init__(self) -> None:
        self.client = Client(SERVER_NAME="localhost")
        self.page = ""
        self.status = 0

    def get(self, address):
        return self._seen(self.client.get(address))

    def post(self, address, **data):
        return self._seen(self.client.post(address, data))

    def _seen(self, response):
        self.status, self.page = response.status_code, response.content.decode("utf-8", "replace")
        return response

    def hidden(self, name):
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        return html.unescape(found[1]) if found else ""

    @property
    def text(self):
        """What is read on the page."""
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", self.page)).split())

    @property
    def at(self):
        return self.hidden("at") if 'id="question"' in self.page else ""

    def carried(self):
        return {name: self.hidden(name) for name in ("case", "passed")}

    def say(self, said="", do="next", **more):
        """Answer the question that is shown."""
        given = {**self.carried(), "at": self.at, "then": self.hidden("then"), "said": said, "do": do}
        return self.post("/questions", **{**given, **more})

    def answered(self, case=None):
        """The answer to a case, without the questions."""
        return self.post("/answer", case=json.dumps(CASE if case is None else case))

    def told(self, answers):
        """Go through all questions with these answers, the others not known."""
        self.get("/questions")
        asked = []
        while self.at:
            asked.append(self.at)
            said = answers.get(self.at)
            self.say(said or "", do="pass" if said is None else "next")
        return asked


@pytest.fixture
def visitor(monkeypatch):
    monkeypatch.setattr(guard, "PAGES", guard.Bucket(1e9, 1e9))
    monkeypatch.setattr(guard, "WORK", guard.Bucket(1e9, 1e9))
    return Visitor()


CASE = {
    "case": "calculator",
    "as_of": "2026-11-22",
    "place": {"residence": "GB"},
    "person": {"age_years": 52, "sex": "female", "pregnancy": "none"},
    "spasm": {"cause": "multiple_sclerosis", "spasticity_nrs": 7},
    "history": {"current": ["baclofen 60 mg/day", "clobazam 10 mg/day"], "conditions": []},
    "plan": {"product": "nabiximols", "titration": "label", "weeks": 2},
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Forecasts go on in a thread after a test, and libAntimony and libRoadRunner bear no second thread."""
    for each in items:
        if "tests/web/" in each.path.as_posix():
            each.add_marker(pytest.mark.web)
