"""The page of evidence by axe-core in a browser, in light, and in dark on a telephone: it finds nothing."""

from __future__ import annotations

from typing import Any

import pytest

from lissive.evidence import shipped_studies
from lissive.report.evidence_html import write_page

from ..conftest import axe_finds, tables_that_scroll

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_page(tmp_path_factory.mktemp("axe") / "page.html", shipped_studies()).as_uri()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 390)])  # each colour and layout once
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    page: str, chromium: Any, scheme: str, width: int
) -> None:
    tab = chromium.new_page(color_scheme=scheme, viewport={"width": width, "height": 844}, offline=True)
    tab.set_default_timeout(300_000)  # on a loaded machine it takes minutes
    tab.goto(page)
    assert tab.evaluate("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]") == [
        width,
        scheme == "dark",
    ]
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert width > 390 or tables_that_scroll(tab) == []
    assert axe_finds(tab, rules=None, least=20) == []
    tab.close()
