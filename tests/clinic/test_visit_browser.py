"""The demonstration's day in a real browser: from "ready" to "signed" in few actions; axe, phone width, no scripts.

With SHOTS=DIR in the environment, each page of the walk is kept there as a picture.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.clinic.test_story import Tab

from lissive.clinic import demo
from lissive.clinic.models import Certificate, Visit
from lissive.clinic.place import Place

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MOST_ACTIONS = 25
PASSWORD = "a long password"


@pytest.fixture(scope="module", autouse=True)
def _beside_a_loop() -> Iterator[None]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright runs a loop in this thread
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(autouse=True)
def _day(settings: Any, tmp_path: Path) -> None:
    settings.DEMO = True
    (tmp_path / "demo").write_text(PASSWORD)
    demo.fill(Place(tmp_path, "", ""))


def logged_in(chromium: Any, live_server: Any, name: str, **look: Any) -> Tab:
    tab = Tab(chromium, live_server.url, f"visit-{name}", **look)
    tab.go("/account/login/")
    tab.page.fill("#login", name)
    tab.page.fill("#password", PASSWORD)
    tab.page.keyboard.press("Enter")
    tab.page.locator(".me").wait_for()
    return tab


def test_from_ready_to_signed(chromium: Any, live_server: Any) -> None:
    """By a practitioner who knows the patient: what was recorded a year ago stands in the fields."""
    tab = logged_in(chromium, live_server, "practitioner", viewport={"width": 1100, "height": 900})
    page, actions = tab.page, 0

    def act(do: Callable[..., Any], *given: Any) -> None:
        nonlocal actions
        actions += 1
        do(*given)

    def press(name: str) -> None:
        with page.expect_navigation():
            act(page.get_by_role("button", name=name, exact=True).last.click)

    tab.go("/queue")
    tab.look("queue")
    with page.expect_navigation():
        act(page.get_by_role("link", name="Rosalind Achterberg").click)
    act(page.locator('[name="identity.matched"][value=yes]').check)
    press("Save and start the visit")
    act(page.locator('[name="pmp.result"][value=clear]').check)
    press("Save and go on")
    act(page.locator('[id="findings.text"]').fill, "Spasms of both legs, worse at night.")
    act(page.locator('[name="capacity.has"][value=yes]').check)
    press("Save and end the visit")
    act(page.locator("[name=choice][value=certify]").check)
    act(page.locator("#reason").fill, "The spasms wake her, and baclofen did not help enough.")
    press("Save the decision")
    for each in page.locator("main input[type=checkbox]").all():
        act(each.check)
    press("Go to the signature")
    act(page.locator("#password").fill, PASSWORD)
    press("Sign as Ada Lindqvist, NP")
    signed = Certificate.objects.get(patient__family_name="Achterberg")
    assert (signed.status, signed.visit.status) == ("issued", "done")
    assert actions <= MOST_ACTIONS, actions
    print(f"{actions} actions from ready to signed")
    assert tab.wrong == []


def test_the_pages_of_a_visit_on_a_phone(chromium: Any, live_server: Any) -> None:
    """Queue, visit and arrival, with everything unfolded."""
    look = {"viewport": {"width": 390, "height": 800}}
    tab = logged_in(chromium, live_server, "physician", **look, color_scheme="dark")
    tab.go("/queue")
    tab.look("queue")
    for name in ("Mateo Ibarra", "Martin Boateng"):
        tab.go("/queue")
        with tab.page.expect_navigation():
            tab.page.get_by_role("link", name=name).click()
        tab.look(f"visit of {name}")
    desk = logged_in(chromium, live_server, "desk", **look, java_script_enabled=False)
    desk.go("/queue")
    desk.page.get_by_role("link", name="Delia Marsh").click()
    desk.page.get_by_role("heading", name="Delia Marsh, 55").wait_for()
    desk.page.locator('[id="identity.document"]').select_option("passport")
    desk.page.get_by_role("button", name="Save").click()
    assert Visit.objects.get(patient__family_name="Marsh").record["identity"]["document"] == "passport"
    assert tab.wrong == []
