"""A page as PDF/UA-1: tagged, with its fonts inside, read from nothing but the page.

Two fonts are embedded, so that a page is the same on every machine: Source Sans Pro (of the package
font-source-sans-pro) and, for the letters that it has not, DejaVu Sans (which comes with matplotlib). A letter that
neither has is printed as its number, and named.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lissive.files import atomic_path

HERE = Path(__file__).parent
INSTALL = "pip install 'lissive[report]'"
_WEIGHTS = {"Regular": (400, "normal"), "Bold": (700, "normal"), "It": (400, "italic")}
_DEJAVU = {"": (400, "normal"), "-Bold": (700, "normal"), "-Oblique": (400, "italic")}

SMALLER = ("", "11pt", "10.3pt")
"""Sizes of type that are tried, one after another, where a text has to go on one page; "" is the page's own."""

Writer = Callable[..., list[str]]
"""`write_pdf`."""


def pdf_writer() -> tuple[Writer | None, str]:
    """What writes a page as PDF; or None, and what to do about it."""
    try:
        import weasyprint  # noqa: F401
    except ImportError:
        return None, f"No PDF: WeasyPrint is not installed. To get it: {INSTALL}."
    except OSError as error:  # it is there, and Pango is not
        return None, f"No PDF: WeasyPrint finds no Pango ({error}). On Debian: apt install libpango-1.0-0."
    return write_pdf, ""


def write_pdf(path: Path, page: str, *, one_page: bool = False) -> list[str]:
    """The page as PDF, whole or not at all.

    Parameters
    ----------
    one_page : whether it has to go on one page: the type is then made smaller, down to the last of SMALLER.

    Returns      What has to be known: letters that no font has, more than the one page.
    """
    made, lost, pages = pdf_bytes(page, one_page=one_page)
    with atomic_path(path) as place:
        place.write_bytes(made)
    notes = (
        [f"{path}: no font has {lost}; their numbers stand there instead, and the HTML has them."]
        if lost
        else []
    )
    if one_page and pages > 1:
        notes.append(f"{path}: {pages} pages, as the text is too long for one.")
    return notes


def write_sheets(pages: Sequence[Path]) -> list[str]:
    """PDFs of pages that have to go on one sheet each, beside them."""
    notes = []
    for page in pages:
        notes += write_pdf(page.with_suffix(".pdf"), page.read_text(encoding="utf-8"), one_page=True)
    return notes


@contextmanager
def _without_collection() -> Iterator[None]:
    """A document of some hundred thousand live objects: looking for cycles takes a third of the time, finds none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def pdf_bytes(page: str, *, one_page: bool = False) -> tuple[bytes, str, int]:
    """The PDF itself, the letters that no font has, and its pages."""
    from weasyprint import CSS, HTML

    text, lost = with_known_letters(page)
    style, fonts, fetcher = _style()
    with _without_collection():
        options = {"font_config": fonts, "pdf_variant": "pdf/ua-1"}
        for size in SMALLER if one_page else SMALLER[:1]:
            more = (
                [CSS(string=f"html {{ font-size: {size} !important }}", url_fetcher=fetcher)] if size else []
            )
            document = HTML(string=text, url_fetcher=fetcher).render(stylesheets=[style, *more], **options)
            if len(document.pages) == 1:
                break
        made: bytes = document.write_pdf(pdf_variant=options["pdf_variant"])
    return made, lost, len(document.pages)


def with_known_letters(page: str) -> tuple[str, str]:
    """The page with the number of each letter that no font has in its place, and these letters.

    >>> with_known_letters("<p>µ \\U00013080</p>")
    ('<p>µ [U+13080]</p>', '\\U00013080 (U+13080)')
    """
    unknown = {letter for letter in set(page) if ord(letter) not in _letters() and not letter.isspace()}
    for letter in unknown:
        page = page.replace(letter, f"[U+{ord(letter):04X}]")
    return page, ", ".join(f"{letter} (U+{ord(letter):04X})" for letter in sorted(unknown))


@cache
def _letters() -> frozenset[int]:
    """What the regular fonts have, by number."""
    from fontTools.ttLib import TTFont

    found: set[int] = set()
    for family in (_source_sans(), _dejavu()):
        for path, *_ in family[:1]:  # the regular one
            with TTFont(path, lazy=True) as font:
                found.update(font.getBestCmap())
    return frozenset(found)


@cache
def _style() -> tuple[Any, Any, Any]:
    """The style with the fonts, made once for all PDFs of a process, and what reads: these fonts and data:, no more."""
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    faces, files = [], {}
    for name, family in (("Report", _source_sans()), ("Report Rest", _dejavu())):
        for path, weight, style in family:
            address = f"font:{path.name}"
            files[address] = path
            faces.append(
                f'@font-face {{ font-family: "{name}"; font-weight: {weight}; font-style: {style}; '
                f'src: url("{address}"); }}'
            )

    class Fetcher(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            if url in files:
                return URLFetcherResponse(url, files[url].read_bytes(), {"Content-Type": "font/ttf"})
            return super().fetch(url, headers)

    fetcher, fonts = Fetcher(allowed_protocols=("data",), fail_on_errors=True), FontConfiguration()
    text = "\n".join([*faces, 'html, svg text { font-family: "Report", "Report Rest" !important; }'])
    return CSS(string=text, font_config=fonts, url_fetcher=fetcher), fonts, fetcher


def _source_sans() -> list[tuple[Path, int, str]]:
    """Nothing where the package is not installed: DejaVu Sans serves then alone."""
    found = find_spec("font_source_sans_pro")
    if found is None or found.origin is None:
        return []
    folder = Path(found.origin).parent / "files"
    return [(folder / f"SourceSansPro-{name}.ttf", *how) for name, how in _WEIGHTS.items()]


def _dejavu() -> list[tuple[Path, int, str]]:
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return [(folder / f"DejaVuSans{name}.ttf", *how) for name, how in _DEJAVU.items()]


if __name__ == "__main__":
    json.dump(write_sheets([Path(each) for each in sys.argv[1:]]), sys.stdout)
