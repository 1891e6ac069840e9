"""The calculator in a real browser: by keyboard alone, on three widths, light and dark, at twice the size."""

from __future__ import annotations

import base64
import json
import threading

import pytest

from lissive.web import guard, work
from lissive.web.serve import server

from ..conftest import axe_finds
from .conftest import CASE

LOOKS = [("light", 390), ("dark", 768), ("light", 1280)]
"""Each takes a minute: colours and widths that were not paired differ in nothing that axe looks at together."""
ARTICLE = "Cannabis cures spasms. In New York muscle spasms qualify. Sativex eases stiffness in MS."


@pytest.fixture
def address(monkeypatch):
    monkeypatch.setattr(work, "SUBJECTS", 10)
    monkeypatch.setattr(guard, "PAGES", guard.Bucket(1e9, 1e9))
    monkeypatch.setattr(guard, "WORK", guard.Bucket(1e9, 1e9))
    made = server(0)
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.effective_port}"
    made.close()
    thread.join(10)


class Tab:
    """A page that notes what it should not do."""

    def __init__(self, chromium, address, **look):
        self.page = chromium.new_context(**look).new_page()
        self.wrong: list[str] = []
        self.page.on(
            "console", lambda said: said.type in ("error", "warning") and self.wrong.append(said.text)
        )
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda sent: sent.url.startswith(address) or self.wrong.append(sent.url))
        self.page.set_default_timeout(60_000)


def link(address):
    text = base64.urlsafe_b64encode(json.dumps(CASE).encode()).decode().rstrip("=")
    return f"{address}/#case={text}"


def look_at(tab, width):
    assert axe_finds(tab.page) == []
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_axe_finds_nothing_nothing_is_too_wide_and_nothing_leaves_the_host(chromium, address, scheme, width):
    tab = Tab(chromium, address, color_scheme=scheme, viewport={"width": width, "height": 900})
    page = tab.page
    page.goto(f"{address}/")
    look_at(tab, width)
    page.get_by_role("link", name="Begin").click()
    look_at(tab, width)
    page.get_by_role("button", name="Next").click()
    page.locator(".error").wait_for()
    look_at(tab, width)
    page.goto(link(address))
    page.locator("#forecast-part svg").first.wait_for(state="attached")
    assert page.url == f"{address}/answer"
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    look_at(tab, width)
    page.goto(f"{address}/article")
    page.fill("#text", ARTICLE)
    page.get_by_role("button", name="Check").click()
    page.locator(".sentences").wait_for()
    look_at(tab, width)
    page.goto(f"{address}/about")
    look_at(tab, width)
    assert tab.wrong == []


@pytest.mark.browser
def test_a_case_is_told_by_keyboard_alone_and_the_browsers_back_goes_one_question_back(chromium, address):
    tab = Tab(
        chromium, address, viewport={"width": 640, "height": 450}, device_scale_factor=2
    )  # 1280 at 200 %
    page = tab.page
    page.goto(f"{address}/questions")

    def reach(said):
        """Tab to what has this name, as it would be read out."""
        for _ in range(60):
            page.keyboard.press("Tab")
            name = page.evaluate(
                "(document.activeElement.labels?.[0] || document.activeElement).innerText || ''"
            )
            if name.strip().startswith(said):
                return
        raise AssertionError(f"{said} is not reached by the keyboard")

    def expect(ask):
        page.locator("label, legend", has_text=ask).first.wait_for()

    reach("Where does the person live?")
    page.keyboard.type("New York")
    reach("Next")
    page.keyboard.press("Enter")
    expect("For which day is it asked?")
    assert page.evaluate("document.activeElement.id") == "main"
    reach("I do not know")
    page.keyboard.press("Enter")
    expect("How old is the person")
    reach("How old is the person")
    page.keyboard.type("fifty")
    page.keyboard.press("Enter")
    page.locator(".error").wait_for()
    assert page.evaluate("document.activeElement.id") == "said"
    page.keyboard.press("Control+A")
    page.keyboard.type("52")
    page.keyboard.press("Enter")
    expect("What is the person's sex?")
    page.go_back()
    expect("How old is the person")
    reach("Show the answer now")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Bottom line").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    assert "the day of the question is unknown" in page.inner_text("#law")
    assert tab.wrong == []


@pytest.mark.browser
def test_it_all_goes_without_scripts(chromium, address):
    tab = Tab(chromium, address, java_script_enabled=False)
    page = tab.page
    page.goto(f"{address}/")
    page.get_by_role("link", name="Begin").click()
    page.select_option("#said", "GB")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Show the answer now").click()
    assert "United Kingdom" in page.inner_text("#law")
    page.locator("summary", has_text="Not known").first.click()
    page.get_by_role("button", name="Answer: What causes the spasms?").click()
    page.get_by_label("Multiple sclerosis").check()
    page.get_by_role("button", name="Save").click()
    page.select_option("#plan\\.product", "nabiximols")
    page.get_by_role("button", name="Answer again").click()
    assert "What if" in page.inner_text(".callout")
    assert tab.wrong == []
