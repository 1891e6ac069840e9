"""The page of evidence by axe-core in a browser, in light and dark and on a telephone: it finds nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from lissive.evidence import shipped_studies
from lissive.report.evidence_html import write_page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_page(tmp_path_factory.mktemp("axe") / "page.html", shipped_studies()).as_uri()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium to show the page")
    play = pytest.importorskip("playwright.sync_api", reason="axe-playwright-python is not installed")
    with play.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 1200), ("light", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    page: str, chromium: Any, scheme: str, width: int
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    tab = chromium.new_page(color_scheme=scheme, viewport={"width": width, "height": 844}, offline=True)
    tab.set_default_timeout(300_000)  # on a loaded machine it takes minutes
    tab.goto(page)
    assert tab.evaluate("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]") == [
        width,
        scheme == "dark",
    ]
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    found = axe.Axe().run(tab, options={"resultTypes": ["violations"]}).response
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    assert len(found["passes"]) > 20
    tab.close()
