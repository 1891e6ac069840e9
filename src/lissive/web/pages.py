"""The frame of every page, the pages without a case, and what is said where something is wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from jinja2 import Environment, StrictUndefined

from lissive.case.fields import fields
from lissive.case_answer import INTENDED_USE
from lissive.forecast.answer import Need
from lissive.handout.page import bold_head, linked
from lissive.look import plain_svg
from lissive.report.words import MARKS, UNVERIFIED_NOTE
from lissive.version import __version__
from lissive.versions import data_line

NAV = (("start", "Start"), ("questions", "Calculator"), ("article", "Check an article"), ("about", "About"))
SCRIPTS = ("htmx-4.0.1.min.js", "web.js")
FOOT = (
    "Decision support, not a prescription and not legal advice.",
    f"Lissive {__version__}. {data_line()} Nothing that is entered here is stored.",
)


def environment(**options: Any) -> Environment:
    """Jinja's, for Django: a name that is not given is an error, every text is escaped."""
    made = Environment(
        **{
            **options,
            "autoescape": True,
            "undefined": StrictUndefined,
            "trim_blocks": True,
            "lstrip_blocks": True,
        }
    )
    made.filters |= {
        "bold": bold_head,
        "linked": linked,
        "drawn": plain_svg,
        "plainly": plainly,
        "needed": needed,
    }
    made.globals |= {
        "version": __version__,
        "marks": MARKS,
        "unverified_note": UNVERIFIED_NOTE,
        "url": reverse,
        "lang": "en",
        "scripts": SCRIPTS,
        "foot": FOOT,
    }
    return made


_FIELD = re.compile(
    r"\b(?:as_of(?:, the date of the question,)?"
    r"|(?:person|place|spasm|history|plan|flags|symptoms)\.[a-z_0-9]+(?:\.[a-z_]+)*)(?!\w)"
)
_FACT = re.compile(r" \[(?:flags|symptoms|dx)[^\]]*\]")
_OPTION = re.compile(r"(\d+) more: --\w+\.")
_CAPITALS = re.compile(r"^(?:CONTRAINDICATED|MAJOR|ASK)\b", re.MULTILINE)


def plainly(text: str) -> str:
    """A text of the terminal as a page says it: fields and options by plain words, nothing in capitals.

    >>> plainly("Not answered, because as_of, the date of the question, is unknown. 2 more: --access.")
    'Not answered, because the day of the question is unknown. 2 more below.'
    >>> plainly("No forecast: the case does not state plan.titration.")
    'No forecast: the case does not state how the product is taken.'
    """
    calm = _CAPITALS.sub(lambda found: found[0].capitalize(), _FACT.sub("", text))
    plain = _FIELD.sub(lambda found: _called(found[0]), calm)
    return _OPTION.sub(r"\1 more below.", plain)


def _called(field: str) -> str:
    field = field.partition(",")[0]
    own = {
        "as_of": "the day of the question",
        "place.residence": "the place where the person lives",
        "plan.titration": "how the product is taken",
    }
    what = next((each.what for each in fields() if each.name == field), field.rpartition(".")[2])
    return own.get(field) or f"“{what.replace('_', ' ')}”"


def needed(one: Need) -> str:
    """What a forecast lacks, as the question that is answered with it."""
    from lissive.web.controls import asked

    return plainly(one.what) if one.no_model else asked(one.field) or plainly(f"{one.field}: {one.what}")


def shown(
    request: HttpRequest,
    template: str,
    title: str,
    content: dict[str, Any] | None = None,
    *,
    page: str = "",
    status: int = 200,
) -> HttpResponse:
    """A page in its frame."""
    nav = [
        {"href": reverse(name), "label": label, "current": "page" if name == page else "", "lang": ""}
        for name, label in NAV
    ]
    given = {"title": title, "nav": nav, "home": reverse("start"), "assets": static(""), **(content or {})}
    return render(request, template, given, status=status, using="jinja2")


def start(request: HttpRequest) -> HttpResponse:
    return shown(request, "start.html.j2", "May it be had, is it safe, does it help?", page="start")


def about(request: HttpRequest) -> HttpResponse:
    return shown(request, "about.html.j2", "About", {"intended_use": INTENDED_USE}, page="about")


# -- where something is wrong ----------------------------------------------------------------------
def said(request: HttpRequest, status: int, head: str, lines: Sequence[str]) -> HttpResponse:
    """A plain page."""
    return shown(request, "said.html.j2", head, {"head": head, "lines": lines}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    lines = ["It is larger than this page takes, or is not what a page of this site sends."]
    return said(request, 400, "This could not be read", lines)


def forbidden(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> HttpResponse:
    lines = [
        "The page was open for too long, or cookies are refused. One cookie is needed: it says that a form comes from "
        "a page of this site, and nothing else.",
        "Allow cookies for this site, go back, load the page again, and send the form once more.",
    ]
    return said(request, 403, "The form was not accepted", lines)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return said(request, 404, "There is no such page", ["Correct the address, or begin at the start page."])


def fault(request: HttpRequest) -> HttpResponse:
    lines = [
        "The fault is in the program. What was entered is kept in the page before this one: go back to it."
    ]
    return said(request, 500, "Something went wrong here", lines)


def too_many(request: HttpRequest, wait_s: float) -> HttpResponse:
    seconds = max(1, round(wait_s))
    lines = [f"Wait {seconds} second{'' if seconds == 1 else 's'}, then go back and try again."]
    response = said(request, 429, "Too many requests from this address", lines)
    response.headers["Retry-After"] = str(seconds)
    return response
