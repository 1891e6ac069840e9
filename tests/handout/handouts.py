"""What the tests of handout share."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lissive.case import read_case
from lissive.case_answer import CaseAnswer, answer
from lissive.handout import page as of_report
from lissive.handout import sheet as of_sheet

EXAMPLES = Path(__file__).parents[2] / "examples"
UK = (EXAMPLES / "ms-uk.yaml").read_text(encoding="utf-8")
FIRST = re.compile(r'<div class="first">.*?<div class="whole">', re.DOTALL)


def once(write: Callable[..., str]) -> Callable[..., str]:
    """The same, which does not make the page of an answer again that it has made already."""
    found: dict[tuple[Any, ...], tuple[CaseAnswer, str]] = {}

    def page(given: CaseAnswer, *tongue: str) -> str:
        key = (id(given), *tongue)
        if key not in found:
            found[key] = given, write(given, *tongue)  # with the answer, whose id is then no other's
        return found[key][1]

    return page


report_page, sheet_page = once(of_report.report_page), once(of_sheet.sheet_page)


def made(text: str, tmp: Path) -> CaseAnswer:
    place = tmp / "case.yaml"
    place.write_text(text, encoding="utf-8")
    return answer(read_case(place), subjects=20, threads=1)


def obtainable(given: CaseAnswer) -> CaseAnswer:
    return replace(given, gates=replace(given.gates, product="obtainable"))


def without_flags(given: CaseAnswer) -> CaseAnswer:
    return replace(given, safety=replace(given.safety, flags=()))


def text_of(page: str) -> str:
    body = re.sub(r"<title>.*?</title>", "", page[page.index("<body>") :], flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"</(p|li|h1|h2|td|th)>", "\n", body)))


# -- the gates hold --------------------------------------------------------------------------------
def first(page: str) -> str:
    found = FIRST.search(page)
    assert found is not None
    return found[0]
