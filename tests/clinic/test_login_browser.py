"""Log-in in a real browser: what was typed outlives the end of a log-in, for the same user alone; axe; no scripts."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.contrib.sessions.models import Session
from tests.clinic.conftest import PASSWORD
from tests.clinic.test_login import code_of, secret_of

from ..conftest import axe_finds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Tab:
    """A page on the live server, which notes what it should not do."""

    def __init__(self, chromium, live_server, **look):
        self.at = live_server.url
        self.page = chromium.new_context(**{"viewport": {"width": 390, "height": 800}, **look}).new_page()
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda said: "Content Security" in said.text and self.wrong.append(said.text))
        self.page.on(
            "request", lambda sent: sent.url.startswith((self.at, "data:")) or self.wrong.append(sent.url)
        )
        self.page.set_default_timeout(60_000)

    def log_in(self, name):
        self.page.fill("#login", name)
        self.page.fill("#password", PASSWORD)
        self.page.keyboard.press("Enter")

    def code(self, user):
        self.page.locator("#code").wait_for()
        self.page.fill("#code", code_of(secret_of(user)))
        self.page.keyboard.press("Enter")
        self.page.locator(".me, .error").wait_for()
        assert self.page.locator(".error").all_inner_texts() == []

    def look(self):
        assert axe_finds(self.page) == []
        assert self.page.evaluate("document.documentElement.scrollWidth") <= self.page.viewport_size["width"]


@pytest.fixture(scope="module", autouse=True)
def _beside_a_loop() -> Iterator[None]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright runs a loop in this thread
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def no_code_was_used():
    from django.core.cache import cache

    cache.clear()


def test_what_was_typed_is_put_back_after_the_log_in(chromium, live_server, cast):
    tab = Tab(chromium, live_server)
    page = tab.page
    page.goto(f"{tab.at}/settings")
    tab.look()
    tab.log_in("zoe")
    page.locator("#code").wait_for()
    tab.look()
    tab.code(cast.zoe)
    page.wait_for_url("**/settings")
    page.fill("#name", "Elm Street and Sons")
    Session.objects.all().delete()
    no_code_was_used()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/account/login/?next=*")
    tab.log_in("zoe")
    tab.code(cast.zoe)
    page.locator(".callout").wait_for()
    assert page.url == f"{tab.at}/settings"
    assert page.input_value("#name") == "Elm Street and Sons"
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved", exact=True).wait_for()
    assert page.evaluate("sessionStorage.length") == 0
    for path in ("/users", "/users/add", f"/users/{cast.ada.pk}", "/account/", "/account/password/"):
        page.goto(tab.at + path)
        tab.look()
    # a part of a page, and then somebody else at the same browser
    page.goto(f"{tab.at}/settings")
    page.fill("#name", "Not for others")
    Session.objects.all().delete()
    no_code_was_used()
    page.evaluate("htmx.ajax('GET', '/users', '#main')")
    page.wait_for_url("**/account/login/?next=%2Fsettings")
    assert "Not for others" in page.evaluate("sessionStorage.getItem('typed')")
    tab.log_in("kim")
    tab.code(cast.kim)
    assert page.evaluate("sessionStorage.length") == 0
    page.get_by_role("button", name="Log out").click()
    page.locator("#login").wait_for()
    assert tab.wrong == []


def test_without_scripts_what_was_typed_is_shown_to_be_copied(chromium, live_server, cast):
    tab = Tab(chromium, live_server, java_script_enabled=False, color_scheme="dark")
    page = tab.page
    page.goto(f"{tab.at}/users/add")
    tab.log_in("zoe")
    tab.code(cast.zoe)
    page.fill("#username", "new.nurse")
    Session.objects.all().delete()
    page.get_by_role("button", name="Add").click()
    assert "What you sent was not saved." in page.inner_text("main")
    assert "new.nurse" in page.inner_text("main")
    page.get_by_role("link", name="Log in and go back").click()
    assert page.url.endswith("/account/login/?next=%2Fusers%2Fadd")
    assert tab.wrong == []


def test_the_second_factor_is_set_up(chromium, live_server, cast):
    cast.fay.authenticator_set.all().delete()
    tab = Tab(chromium, live_server, color_scheme="dark")
    page = tab.page
    page.goto(f"{tab.at}/")
    tab.log_in("fay")
    page.locator(".qr").wait_for()
    tab.look()
    assert page.evaluate("document.querySelector('.qr').naturalWidth") > 0
    page.get_by_text("Enter the key by hand").last.click()
    page.fill("#code", code_of(page.inner_text(".key").replace(" ", "")))
    page.keyboard.press("Enter")
    page.locator(".codes").wait_for()
    tab.look()
    page.get_by_role("link", name="Go on").click()
    page.get_by_role("heading", name="Today").wait_for()
    assert tab.wrong == []
