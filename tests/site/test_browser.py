"""The site in a browser: axe finds nothing, nothing is wider than the screen, the keyboard reaches the main links."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import axe_finds, tables_that_scroll

pytestmark = pytest.mark.browser
KINDS = (
    "index.html", "law/index.html", "law/us-ny.html", "law/changes.html", "law/federal.html", "evidence/index.html",
    "evidence/als.html", "evidence/nocturnal-cramps.html", "claims.html", "articles/cramps.html", "products.html",
    "validation.html", "ask.html", "intended-use.html", "design.html", "how.html", "es/index.html", "es/causas.html",
)  # fmt: skip
"""A page of each kind but the longest, which take minutes."""


def opened(chromium, width: int, scheme: str = "light"):
    """A tab without a network, and what its console says."""
    context = chromium.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True
    )
    tab, said = context.new_page(), []
    tab.on("console", lambda each: said.append(each.text) if each.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: said.append(str(error)))
    return tab, said


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (768, "dark"), (1280, "light")])
def test_axe_finds_nothing(chromium, whole: Path, width: int, scheme: str) -> None:
    tab, said = opened(chromium, width, scheme)
    tab.set_default_timeout(120_000)
    for name in KINDS:
        tab.goto((whole / name).as_uri())
        assert (name, axe_finds(tab)) == (name, [])
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, name
    assert said == []


def test_every_page_fits_a_phone_and_a_zoom_of_200_per_cent(chromium, whole: Path) -> None:
    """A zoom of 200 % leaves half of the pixels: 640 of a screen of 1280."""
    for width, pages in ((390, sorted(whole.rglob("*.html"))), (640, [whole / each for each in KINDS])):
        tab, said = opened(chromium, width)
        for path in pages:
            tab.goto(path.as_uri())
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, path.name
            assert width > 390 or tables_that_scroll(tab) == [], path.name
        assert said == []


def test_the_keyboard_reaches_the_content_and_the_main_links(chromium, whole: Path) -> None:
    tab, _ = opened(chromium, 1280)
    tab.goto((whole / "index.html").as_uri())
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the content"
    reached = []
    for _ in range(18):
        tab.keyboard.press("Tab")
        reached.append(tab.evaluate("document.activeElement.getAttribute('href')"))
    assert {"law/index.html", "evidence/index.html", "claims.html", "safety.html", "ask.html"} <= set(reached)
    tab.goto((whole / "index.html").as_uri())
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"


def test_the_search_shows_the_rows_that_have_the_words(chromium, whole: Path) -> None:
    tab, said = opened(chromium, 1280)
    tab.goto((whole / "safety.html").as_uri())
    tab.get_by_role("searchbox", name="Find a medicine").fill("onfi")
    assert tab.locator("#drugs tbody tr:visible").count() == 1
    assert "clobazam" in tab.locator("#drugs tbody tr:visible").inner_text()
    tab.get_by_role("searchbox", name="Find a medicine").fill("no such medicine")
    assert tab.locator("#drugs tbody tr:visible").count() == 0
    assert said == []


def test_without_scripts_the_tables_are_whole(chromium, whole: Path) -> None:
    tab = chromium.new_context(java_script_enabled=False, offline=True).new_page()
    tab.goto((whole / "law" / "index.html").as_uri())
    assert tab.locator("#places tbody tr:visible").count() > 60
    assert tab.locator("form.search:visible").count() == 0
