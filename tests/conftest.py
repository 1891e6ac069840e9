"""What all tests share: kernels and models kept apart from the user's own cache."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("lissive", deadline=None)  # a busy machine is no fault
settings.load_profile("lissive")

AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(autouse=True, scope="session")
def cache_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One cache for the whole run, whichever worker; nothing of it stays."""
    os.environ["LISSIVE_CACHE"] = str(Path(tmp_path_factory.getbasetemp().parent) / "lissive-cache")


def campaign_size(test: int, ci: int, full: int) -> int:
    """How many random inputs a campaign draws: by LISSIVE_CAMPAIGN, which is nothing, `ci` or `full`.

    Such a test is marked `campaign`, and imports this from its conftest by `from ..conftest import`.
    """
    return {"": test, "ci": ci, "full": full}[os.environ.get("LISSIVE_CAMPAIGN", "")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Chromium of this computer, by Playwright; without either the test is skipped, and says so."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no Chromium here")
    api = pytest.importorskip("playwright.sync_api", reason="axe-playwright-python is not installed")
    with api.sync_playwright() as play:
        started = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


def tables_that_scroll(tab: Any) -> list[str]:
    """Labels of tables that are wider than their place, with what is folded away open."""
    tab.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    found = """Array.from(document.querySelectorAll('.wide')).filter((each) => each.scrollWidth > each.clientWidth + 1)
        .map((each) => each.getAttribute('aria-label'))"""
    return list(tab.evaluate(found))


def axe_finds(tab: Any, rules: list[str] | None = AXE_RULES, least: int = 5) -> list[tuple[str, str]]:
    """What axe-core objects to on a page: rule and the first element. No rules: all that it has.

    least : rules that must have been met, so that it has looked."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    # preload would fetch stylesheets by requests, which the pages' own policy forbids; of what passes one is enough
    options = {"preload": False, "resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
    response = axe.Axe().run(tab, options=options).response
    assert len(response["passes"]) > least
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in response["violations"]]
