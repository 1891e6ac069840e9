"""Pages, and how they become files: one template each, links relative to the page, the look's files beside them."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from lissive import look
from lissive.handout.language import Tongue
from lissive.report.words import MARKS, UNVERIFIED, upper_first
from lissive.table import rows_of
from lissive.version import __version__
from lissive.versions import data_line, data_versions

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
ASSETS = "assets/"
NAV = {
    "en": (
        ("law/index.html", "Law"),
        ("evidence/index.html", "Evidence"),
        ("claims.html", "Claims"),
        ("safety.html", "Safety"),
        ("products.html", "Products"),
        ("ask.html", "How to ask"),
        ("validation.html", "Validation"),
        ("intended-use.html", "About"),
    ),
    "es": (
        ("es/causas.html", "Qué se sabe"),
        ("es/seguridad.html", "Seguridad"),
        ("es/preguntar.html", "Cómo preguntar"),
        ("es/uso-previsto.html", "Uso previsto"),
    ),
}
"""The sections, by language."""
HOME = {"en": "index.html", "es": "es/index.html"}
OTHER = {"en": ("es", "Español"), "es": ("en", "English")}
LANGUAGES: tuple[tuple[Tongue, Tongue], ...] = (("en", "es"), ("es", "en"))
"""Each, with the other one."""


@dataclass(frozen=True)
class Page:
    """One page of the site."""

    path: str
    """Below the site's folder, with slashes."""
    title: str
    template: str
    read: str
    """When what it says was read in its sources, in a sentence."""
    content: Mapping[str, Any]
    lang: str = "en"
    other: str = ""
    """The path of the same page in the other language; of its start page where there is none."""


def said_in(tongue: Tongue) -> dict[str, str]:
    """The site's own words, by key."""
    return {row["key"]: row[tongue] for row in rows_of(HERE / "words.tsv")}


# -- parts in Python ---------------------------------------------------------------------------------
def link(text: object, url: str | None) -> Markup:
    """A link to an address of the web; the text alone where there is none."""
    is_address = url is not None and url.startswith(("http://", "https://"))
    return Markup('<a href="{}">{}</a>').format(url, text) if is_address else escape(text)


def verdict(word: str, kind: str) -> Markup:
    """As the part of that name: yes, maybe, unsure or no, in sign, colour and word."""
    return Markup('<span class="verdict {}">{}</span>').format(kind, upper_first(word))


def joined(parts: Iterable[object], between: str = " ") -> Markup:
    """What says anything, escaped, in one text."""
    return Markup(between).join(escape(each) for each in parts if each)


def unverified(provenance: str) -> str:
    """What stands after a statement that was not checked against its source."""
    return " (unverified)" if provenance in ("recalled", "unverified") else ""


@cache
def _hosts() -> Mapping[str, str]:
    return {row["host"]: row["kind"] for row in rows_of(HERE / "hosts.tsv")}


def weak(title: str, url: str | None) -> str:
    """Said after a source that is neither an authority nor a journal, from its address; hosts.tsv has the others.

    >>> weak("A list of conditions", "https://clinic.example/conditions")
    ' (secondary or commercial site)'
    >>> weak("The statute", "https://law.justia.com/x"), weak("The rule", "https://health.ny.gov/y")
    (' (copy by a publisher)', '')
    """
    host = (urlsplit(url).hostname or "") if url else ""
    if not host or "secondary" in title or _GOVERNMENT.search(host):
        return ""
    parts = host.split(".")
    kinds = (_hosts().get(".".join(parts[k:])) for k in range(len(parts)))
    return {"authority": "", "journal": "", "publisher": " (copy by a publisher)"}.get(
        next(filter(None, kinds), ""), " (secondary or commercial site)"
    )


_GOVERNMENT = re.compile(
    r"\.(?:gov|mil|us|int)$|\.(?:gov|gob|gouv|gc|govt|nhs|admin)\.[a-z]{2}$|\.europa\.eu$"
)
UNVERIFIED_HERE = (
    f"{UNVERIFIED.strip()} or “unverified”: the compiler quoted this figure or rule from memory and has not yet "
    "checked it against the source."
)
"""What the sign means, in plain words."""


# -- pages into files --------------------------------------------------------------------------------
@cache
def _environment() -> Environment:
    made = look.environment(
        HERE / "templates", upper_first=upper_first, linked=link, unverified=unverified, weak=weak
    )
    made.globals |= {"marks": MARKS, "verdict": verdict}
    return made


def rendered(page: Page, on: datetime.date) -> str:
    """The text of a page. The same page on the same day has the same bytes."""
    root = "../" * page.path.count("/")
    code, name = OTHER[page.lang]
    nav = [_entry(page, path, label, root) for path, label in NAV[page.lang]]
    nav.append({"href": root + (page.other or HOME[code]), "label": name, "current": "", "lang": code})
    text = _environment().get_template(page.template)
    html = text.render(
        page.content,
        page=page,
        lang=page.lang,
        title=page.title,
        read=page.read,
        on=on,
        root=root,
        home=root + HOME[page.lang],
        nav=nav,
        assets=root + ASSETS,
        scripts=["search.js"] if page.content.get("search") else [],
        foot=list(_foot(page, on, root)),
    )
    head, begin, main = html.partition("<main")
    return (
        head + begin + "".join(each if each.startswith("<svg") else _times(each) for each in _SVG.split(main))
    )


_SVG = re.compile(r"(<svg.*?</svg>)", re.DOTALL)
_DATED = re.compile(r">[^<>]*\b\d{4}-\d\d-\d\d\b[^<>]*<")
_DATE = re.compile(r"\b(\d{4}-\d\d-\d\d)\b")


def _times(html: str) -> str:
    """Days marked up as such, so that no line ends within one.

    >>> _times('<p title="2026-01-02">On 2026-01-02.</p>')
    '<p title="2026-01-02">On <time>2026-01-02</time>.</p>'
    """
    return _DATED.sub(lambda found: _DATE.sub(r"<time>\1</time>", found[0]), html)


def _entry(page: Page, path: str, label: str, root: str) -> dict[str, str]:
    folder = path.rpartition("/")[0]
    inside = page.path.startswith(f"{folder}/") if folder and page.lang == "en" else False
    current = "page" if path == page.path else "true" if inside else ""
    return {"href": root + path, "label": label, "current": current, "lang": ""}


_SHOWN = ("rules", "evidence", "safety")
"""Data sets that the pages are made of."""
_ES = {"rules": "leyes", "evidence": "estudios", "safety": "seguridad"}


def _foot(page: Page, on: datetime.date, root: str) -> Iterator[object]:
    if page.lang == "es":
        days = {name: each["version"] for name, each in data_versions(*_SHOWN).items()}
        datos = f"Datos: {', '.join(f'{_ES[name]} {day}' for name, day in days.items())}."
        yield f"Página hecha para el {on.isoformat()} con Lissive {__version__}, un programa libre. {page.read} {datos}"
        yield "Apoyo a la decisión e investigación: no es una receta ni asesoramiento jurídico."
        return
    yield f"Made for {on.isoformat()} with Lissive {__version__}, free software. {page.read} {data_line(*_SHOWN)}"
    yield "Decision support and research software: not a prescription, and not legal advice. A clinician decides."
    yield Markup('{} <a href="{}how.html">How these pages are made</a>').format(UNVERIFIED_HERE, root)


def write_pages(
    folder: Path, pages: Iterable[Page], on: datetime.date, told: Callable[[str], None] | None = None
) -> int:
    """All pages and the look's files into a new folder; how many pages."""
    for file in (
        path for path in look.STATIC.rglob("*") if path.is_file()
    ):  # a full disk is one error, not many
        copy = folder / ASSETS / file.relative_to(look.STATIC)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    number = 0
    for page in pages:
        place = folder / page.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(rendered(page, on), encoding="utf-8")
        number += 1
        if told is not None:
            told(page.path)
    return number
