"""A day at the clinic in a real browser: from the log-in to the report, by mouse and by keyboard alone.

With SHOTS=DIR in the environment, each page of the walk is kept there as a picture.
"""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from tests.clinic.conftest import PASSWORD, visitor
from tests.clinic.test_login import code_of, secret_of
from tests.conftest import axe_finds

from lissive.clinic import audit, work
from lissive.clinic.models import Case, Document

pytestmark = pytest.mark.browser
LOOKS = {
    "light, 1280": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark, 390": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
}
KEYBOARD = {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2}
"""1280 at 200 %."""
ANSWERS = {
    "place.residence": "GB",
    "spasm.cause": "multiple_sclerosis",
    "spasm.spasticity_nrs": "7",
    "plan.product": "nabiximols",
}
ANSWERED = "#law details"
"""The tree of the law alone: the other sections are the calculator's, whose tests open them, and axe takes a minute."""


@pytest.fixture(autouse=True)
def _quick_and_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISSIVE_SUBJECTS", "10")
    cache.clear()


class Tab:
    """A page that notes what it should not do: errors, and requests to elsewhere."""

    def __init__(self, chromium: Any, url: str, name: str, **look: Any) -> None:
        self.page = chromium.new_context(**look).new_page()
        self.url, self.name, self.width, self.count = url, name, look["viewport"]["width"], 0
        self.wrong: list[str] = []
        self.refused: set[int] = set()
        """Statuses that are meant, which the browser also calls errors."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on(
            "request", lambda sent: sent.url.startswith((url, "data:")) or self.wrong.append(sent.url)
        )
        self.page.set_default_timeout(180_000)

    def _said(self, said: Any) -> None:
        status = re.search(r"status of (\d+)", said.text)
        if "SHOTS" in os.environ and "Applying inline style" in said.text:
            return  # Playwright hides the caret for a picture by a style, which the page's policy forbids
        if said.type in ("error", "warning") and not (status and int(status[1]) in self.refused):
            self.wrong.append(f"{self.page.url}: {said.text}")

    def go(self, path: str) -> None:
        self.page.goto(self.url + path)

    def look(self, what: str, folded: str = "details") -> None:
        """axe finds nothing, and nothing is wider than the window, with what is folded away open."""
        self.count += 1
        self.page.evaluate(f"document.querySelectorAll('{folded}').forEach((each) => {{ each.open = true }})")
        if shots := os.environ.get("SHOTS"):
            to = Path(shots) / f"{self.name}-{self.count:02} {what}.png"
            self.page.screenshot(path=str(to), full_page=True)
        assert axe_finds(self.page) == [], what
        assert self.page.evaluate("document.documentElement.scrollWidth") <= self.width, what


class Mouse(Tab):
    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).first.fill(text)

    def choose(self, field: str, value: str) -> None:
        """An answer of a question: of a list, of buttons, or typed."""
        self.settled(field)
        one = self.page.locator(f'#questions [name="{field}"]').first
        if one.evaluate("(each) => each.type") == "radio":
            self.page.locator(f'#questions [name="{field}"][value="{value}"]').check()
        elif one.evaluate("(each) => each.tagName") == "SELECT":
            one.select_option(value)
        else:
            one.fill(value)

    def settled(self, field: str) -> None:
        """A question that the patient's record answered is folded away."""
        self.page.locator(f'#questions [name="{field}"]').first.wait_for(state="attached")
        self.page.evaluate(
            "document.querySelectorAll('#questions details').forEach((each) => { each.open = true })"
        )

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).last.click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name).first.click()


class Keyboard(Mouse):
    """The same by keyboard alone."""

    NAME = """() => {
        const at = document.activeElement;
        return (at.getAttribute("aria-label") || at.labels?.[0]?.innerText || at.innerText || at.value || "").trim();
    }"""

    def reach(self, what: str, is_it: Any) -> None:
        for _ in range(150):
            self.page.keyboard.press("Tab")
            if is_it():
                return
        raise AssertionError(f"{what} is not reached by the keyboard")

    def reach_name(self, name: str, tags: tuple[str, ...]) -> None:
        tag = "document.activeElement.tagName"
        self.reach(
            name,
            lambda: (
                self.page.evaluate(tag) in tags
                and self.page.evaluate(self.NAME).split("\n")[0].startswith(name)
            ),
        )

    def fill(self, label: str, text: str) -> None:
        self.reach_name(label, ("INPUT", "TEXTAREA"))
        if self.page.evaluate("document.activeElement.type") == "date":
            year, month, day = text.split("-")
            text = f"{month}{day}{year}"  # as the browser's own language has it
        self.page.keyboard.type(text)

    def choose(self, field: str, value: str) -> None:
        self.settled(field)
        at = "document.activeElement"
        self.reach(field, lambda: self.page.evaluate(f"{at}.name") == field)
        if self.page.evaluate(f"{at}.tagName") == "SELECT":
            words = self.page.evaluate(
                f"(value) => [...{at}.options].find((each) => each.value === value).text", value
            )
            self.page.keyboard.type(words)
        elif self.page.evaluate(f"{at}.type") == "radio":
            for _ in range(40):
                self.page.keyboard.press("ArrowDown")
                if self.page.evaluate(f"{at}.value") == value:
                    break
        else:
            self.page.keyboard.type(value)

    def press(self, name: str) -> None:
        self.reach_name(name, ("BUTTON",))
        self.page.keyboard.press("Enter")

    def follow(self, name: str) -> None:
        self.reach_name(name, ("A",))
        self.page.keyboard.press("Enter")


def log_in(tab: Mouse, user: Any) -> None:
    tab.fill("User name", user.username)
    tab.fill("Password", PASSWORD)
    tab.look("log-in")
    tab.press("Log in")
    tab.page.get_by_role("heading", name="Enter your code").wait_for()
    tab.look("code")
    cache.clear()  # of codes that were used
    tab.fill("Code", code_of(secret_of(user)))
    tab.press("Log in")


def head(tab: Mouse, name: str) -> None:
    tab.page.get_by_role("heading", name=name, exact=True).first.wait_for()


def new_patient(tab: Mouse) -> None:
    tab.follow("Add a patient")
    head(tab, "Add a patient")
    tab.refused = {422}
    tab.press("Add")
    tab.page.locator(".error").first.wait_for()
    tab.look("patient, refused")
    tab.fill("Given name", "Rae")
    tab.fill("Family name", "Winter")
    tab.fill("Date of birth", "1974-03-01")
    tab.press("Add")
    head(tab, "Rae Winter")
    tab.look("patient")


def new_case(tab: Mouse) -> None:
    tab.press("Begin a case")
    head(tab, "A new case")
    tab.look("case, new")
    for field, value in ANSWERS.items():
        tab.choose(field, value)
    tab.page.locator('#questions [name="plan.titration"]').first.wait_for(state="attached")
    tab.page.locator("#draft-state", has_text="Saved as a draft").wait_for()
    tab.look("case, filled")
    tab.press("Save")
    tab.page.get_by_role("heading", name="What stands against it").wait_for()


def report(tab: Mouse) -> None:
    tab.press("Make: Report for the clinician")
    tab.page.locator("#documents-part progress, #documents-part label").first.wait_for()
    tab.look("report asked for", ANSWERED)
    work.loop(threading.Event(), once=True)
    tab.page.locator("#documents-part .files").wait_for()
    tab.look("report made", ANSWERED)
    made = Document.objects.get()
    assert bytes(made.content).startswith(b"%PDF")
    with tab.page.expect_download() as got:
        tab.page.locator("#documents-part .files a").first.click()
    assert Path(got.value.path()).read_bytes() == bytes(made.content)


def day(tab: Mouse, cast: Any) -> None:
    tab.go("/")
    log_in(tab, cast.ada)
    head(tab, "Today")
    tab.look("today")
    new_patient(tab)
    new_case(tab)
    for part in ("Forecast", "Law", "Safety", "Evidence", "Usual care"):
        assert tab.page.get_by_role("link", name=part, exact=True).count(), part
    tab.look("answers", ANSWERED)
    tab.follow("Change the case")
    head(tab, "The case")
    tab.look("case, again")
    tab.choose("spasm.spasticity_nrs", "" if isinstance(tab, Keyboard) else "6")
    tab.press("Save")
    tab.page.get_by_role("heading", name="What stands against it").wait_for()


@pytest.mark.parametrize("name", LOOKS)
def test_from_log_in_to_report_and_log_out(chromium, live_server, cast, name):
    tab = Mouse(chromium, live_server.url, name, **LOOKS[name])
    day(tab, cast)
    report(tab)
    tab.follow("Compare plans")
    head(tab, "Compare plans")
    for number, product in (("1", "nabilone"), ("2", "dronabinol")):
        tab.page.locator(f'[name="product-{number}"]').select_option(product)
    tab.press("Compare")
    plans = tab.page.get_by_role("region", name="Plans beside each other")
    plans.wait_for()
    assert plans.get_by_role("columnheader").count() == 4
    if tab.width == 390:  # a phone shows each answer below its plan's name, and no table to move sideways
        assert plans.evaluate("(each) => each.scrollWidth <= each.clientWidth")
        named = "(each) => getComputedStyle(each, '::before').content"
        assert "nabilone" in plans.get_by_role("cell").nth(1).evaluate(named).lower()
    tab.look("compare")
    tab.follow("Patients")
    head(tab, "Patients")
    tab.look("patients")
    tab.fill("Name", "winter")
    tab.press("Search")
    tab.page.get_by_role("link", name="Winter, Rae").wait_for()
    tab.look("patients, found")
    tab.page.get_by_role("link", name="Winter, Rae").click()
    tab.follow("Who looked at this record")
    tab.look("who looked")
    tab.press("Log out")
    head(tab, "Log in")
    tab.go("/patients")
    head(tab, "Log in")
    assert tab.wrong == []
    assert Case.objects.get(patient__family_name="Winter").data["spasm"] == {
        "cause": "multiple_sclerosis",
        "spasticity_nrs": 6,
    }
    assert list(audit.faults()) == []


def test_by_keyboard_alone_at_twice_the_size(chromium, live_server, cast):
    tab = Keyboard(chromium, live_server.url, "keyboard", **KEYBOARD)
    day(tab, cast)
    tab.press("Log out")
    head(tab, "Log in")
    assert tab.wrong == []


PAGES = {
    "kim": (
        "/",
        "/audit",
        "/patients/{p}/looked",
        "/patients/{p}/export",
        "/patients/{p}/hold",
        "/patients/{p}/delete",
    ),
    "zoe": ("/users", "/users/add", "/users/{ben}", "/settings", "/audit"),
    "fay": ("/", "/patients/add", "/patients/{p}", "/patients/{p}/change", "/users/for-patient/{p}"),
    "ada": (
        *("/account/", "/account/password/", "/account/2fa/totp/activate/"),
        *(
            "/cases/{c}",
            "/cases/{c}/close",
            "/cases/{c}/work",
            "/patients/{p}/treatments/add",
            "/nothing",
            "/users",
        ),
    ),
    "ben": ("/cases/{c}", "/cases/{c}/compare"),
    "dan": ("/", "/patients/{p}/looked"),
}


@pytest.mark.parametrize("name", LOOKS)
def test_every_other_page(chromium, live_server, cast, name):
    tab = Mouse(chromium, live_server.url, f"{name} others", **LOOKS[name])
    tab.refused = {403, 404}
    for who, paths in PAGES.items():
        logged_in(tab, getattr(cast, who))
        for path in paths:
            tab.go(path.format(p=cast.patient.pk, c=cast.case.pk, ben=cast.ben.pk))
            tab.look(f"{who} {path.strip('/').replace('/', ' ').format(p='', c='', ben='') or 'today'}")
    assert tab.wrong == []


def logged_in(tab: Mouse, user: Any) -> None:
    """By a session as a log-in leaves it."""
    tab.page.context.clear_cookies()
    key = visitor(user).cookies["sessionid"].value
    tab.page.context.add_cookies([{"name": "sessionid", "value": key, "url": tab.url}])


def test_what_is_answered_while_the_next_questions_are_on_their_way_is_kept(chromium, live_server, cast):
    tab = Mouse(chromium, live_server.url, "race", **LOOKS["light, 1280"])
    logged_in(tab, cast.ada)
    case = Case.objects.create(patient=cast.patient, data={"case": "calculator", "as_of": "2026-11-29"})
    held: list[Any] = []
    asks = re.compile("/edit$")
    tab.page.route(
        asks, lambda sent: held.append(sent) if sent.request.method == "POST" else sent.continue_()
    )
    tab.go(f"/cases/{case.pk}/edit")
    tab.choose("place.residence", "GB")
    tab.choose("spasm.cause", "multiple_sclerosis")
    tab.choose("spasm.spasticity_nrs", "7")
    tab.choose("plan.product", "nabiximols")
    for _ in range(50):
        tab.page.wait_for_timeout(100)
        while held:
            held.pop(0).continue_()
        if tab.page.locator('#questions [name="plan.titration"]').count():
            break
    tab.page.wait_for_timeout(300)
    assert not held
    for field, value in ANSWERS.items():
        assert tab.page.locator(f'#questions [name="{field}"]').first.input_value() == value, field
    assert tab.wrong == []


@pytest.mark.parametrize("way", ["saved", "draft"])
def test_a_log_in_that_ends_while_a_case_is_typed_loses_nothing(chromium, live_server, cast, way):
    tab = Mouse(chromium, live_server.url, f"ended, {way}", **LOOKS["light, 1280"])
    tab.refused = {401}
    tab.go(f"/cases/{cast.case.pk}/edit")
    log_in(tab, cast.ada)
    head(tab, "A new case")
    Session.objects.all().delete()
    if way == "saved":
        tab.page.evaluate("document.getElementById('case-form').removeAttribute('data-hx-post')")
    tab.choose("spasm.spasticity_nrs", "3")
    if way == "saved":
        tab.press("Save")
    head(tab, "Log in")
    log_in(tab, cast.ada)
    head(tab, "A new case")
    tab.page.get_by_text("Not saved yet", exact=True).wait_for()
    tab.look("put back")
    tab.settled("spasm.spasticity_nrs")
    assert tab.page.locator('#questions [name="spasm.spasticity_nrs"]').first.input_value() == "3"
    tab.press("Save")
    tab.page.get_by_role("heading", name="What stands against it").wait_for()
    cast.case.refresh_from_db()
    assert cast.case.data["spasm"]["spasticity_nrs"] == 3
    assert tab.wrong == []
