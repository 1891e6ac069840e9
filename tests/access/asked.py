"""What the tests of decide share."""

from __future__ import annotations

import datetime
from typing import Any

from lissive.access.answer import Answer
from lissive.access.decide import decide
from lissive.access.facts import make_facts

MS = {"severe": True, "persistent": True, "cause": "multiple_sclerosis"}
IDIOPATHIC = {"severe": True, "persistent": True, "cause": "idiopathic"}


def ask(code: str, on: str, **facts: Any) -> Answer:
    return decide(make_facts(facts), code, datetime.date.fromisoformat(on))


def status(code: str, on: str, **facts: Any) -> str:
    return ask(code, on, **facts).status
