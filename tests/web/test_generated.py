"""Three thousand requests as people and worse would send them: none ends in a fault of the program."""

from __future__ import annotations

import json
import random
import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

import lissive
from lissive.access.rule import rules
from lissive.case import causes, products
from lissive.case.ask import every_question
from lissive.web import work

from .conftest import CASE

REQUESTS, SEEDS = 300, 10
ODD = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1e999",
        "nan",
        "NaN",
        "9" * 400,
        "2026-13-40",
        "0000-00-00",
        "9999-12-31",
        "1,5",
        "½",
    ),
    *(
        "<script>",
        "' OR 1=1",
        "\x00",
        "\ud800".encode("utf-8", "replace").decode(),
        "*1/*3",
        "none",
        "yes",
        "a" * 3000,
    ),
    *(
        "baclofen 60 mg/day",
        "baclofen 60 mg/day,,,",
        "清",
        "🜚",
        "true",
        "[1, 2]",
        "{}",
        "null",
        "today",
        "5 mg",
        "..",
        "%00",
    ),
)
FIELDS = [each.field for each in every_question()]


def value(draw: random.Random):
    kinds = [
        None,
        True,
        False,
        0,
        -1,
        5,
        1e308,
        [],
        {},
        [[]],
        {"a": []},
        *ODD,
        "multiple_sclerosis",
        "US-NY",
        "nabiximols",
    ]
    return draw.choice(kinds)


def tampered(draw: random.Random, text: str) -> str:
    """A case with something else in some place of it."""
    try:
        data = json.loads(text or "{}")
    except ValueError:
        data = {}
    if not isinstance(data, dict) or draw.random() < 0.1:
        return draw.choice(["", "{", "[]", "null", "1", '{"case":"a"}' * 2, "[" * 3000])
    part, _, name = draw.choice(
        [*FIELDS, "case", "flags.x", "diary", "plan.dose", "history.outcome"]
    ).rpartition(".")
    where = data.setdefault(part, {}) if part else data
    if isinstance(where, dict):
        where[name] = value(draw)
    return json.dumps(data)


def said(draw: random.Random, page: str) -> str:
    """One of the answers that are offered, a number, or something odd."""
    offered = re.findall(r'name="said" value="([^"]*)"|<option value="([^"]*)"', page)
    options = [unescape(a or b) for a, b in offered]
    if options and draw.random() < 0.8:
        return draw.choice(options)
    return draw.choice([str(draw.randint(0, 12)), str(draw.uniform(0, 100)), *draw.sample(ODD, 3)])


def step(draw: random.Random, visitor) -> None:
    carried = visitor.carried()
    if draw.random() < 0.15:
        carried["case"] = tampered(draw, carried["case"])
    if draw.random() < 0.05:
        carried["passed"] = draw.choice([*ODD, "flags.x plan.product"])
    do = draw.choices(["next", "pass", "none", "back", "answer", "odd"], [12, 3, 1, 2, 1, 0.3])[0]
    act = draw.random()
    if act < 0.72:
        at = visitor.at or draw.choice([*FIELDS, "flags.functional_limit", "nothing", ""])
        then = draw.choice(["", "", "answer", "odd"])
        given = {
            "at": at,
            "then": then,
            "do": do,
            "said": said(draw, visitor.page),
            "other": draw.choice(["", *ODD]),
        }
        visitor.post("/questions", **carried, **given)
    elif act < 0.80:
        place, planned = draw.choice([*rules(), *ODD]), draw.choice([*products(), *ODD])
        more = {
            "place.residence": place,
            "plan.product": planned,
            "medicine": draw.choice(ODD),
            "as_of": draw.choice(ODD),
        }
        visitor.post("/what-if", **carried, **more)
    elif act < 0.84:
        visitor.post("/answer", **carried)
    elif act < 0.88:
        body = draw.choice([tampered(draw, json.dumps(CASE)), "a: &a [*a]", "- 1", "case: a\ncase: b", *ODD])
        file = SimpleUploadedFile("case.yaml", body.encode("utf-8", "replace"))
        visitor.post("/open", **draw.choice([{"text": body}, {"file": file}]))
    elif act < 0.92:
        text = " ".join(
            draw.choice([*ODD[10:], "Cannabis", "cures", "spasms.", *causes().values()]) for _ in range(20)
        )
        visitor.post("/article", text=text)
    elif act < 0.96:
        visitor.post(draw.choice(["/file/case.yaml", "/forecast"]), **carried)
    else:
        visitor.get(
            "/"
            + draw.choice(
                ["", "questions", "about", "article", "answer", "forecast/x", "file/", "%ff", "static/x"]
            )
        )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_request_ends_in_a_fault(visitor, monkeypatch, seed):
    monkeypatch.setattr(work, "answer", lambda case, **_: lissive.answer(case, simulate=False))
    draw = random.Random(seed)
    visitor.get("/questions")
    for number in range(REQUESTS):
        step(draw, visitor)
        assert visitor.status < 500 or visitor.status == 503, (seed, number)
        if draw.random() < 0.03 or not visitor.page:
            visitor.get("/questions")
