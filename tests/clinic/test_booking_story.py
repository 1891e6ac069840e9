"""A visit booked and its questions answered on a phone, in a real browser, and a link opened in Spanish.

With SHOTS=DIR in the environment, each page of the walk is kept there as a picture.
"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from tests.clinic.test_booking import REGISTRATION, opened
from tests.clinic.test_story import Mouse, head, logged_in

from lissive.clinic import audit
from lissive.clinic.booking.take import book
from lissive.clinic.models import Visit

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}}
TYPED = {"history.current": "baclofen 60 mg/day", "history.tried": "tizanidine"}
CHOSEN = {"person.sex": "female", "history.conditions": "falls", "history.surgery": "no"}
"""The first answer is chosen where nothing else is said."""


def answer(tab: Mouse, key: str, name: str) -> str:
    """One question as a finger would answer it; the button that leads on."""
    page = tab.page
    if key == "name":
        page.locator("#given").fill(name.split()[0])
        page.locator("#family").fill(name.split()[1])
    elif key.startswith("consent:"):
        page.locator('[name="said"][value="yes"]').check()
        page.locator("#signature").fill(name)
    elif key in TYPED:
        page.locator("#said").fill(TYPED[key])
    elif page.locator("select#said").count():
        page.locator("#said").select_option("US-NY" if key == "place" else "multiple_sclerosis")
    else:
        one = page.locator(f'[name="said"][value="{CHOSEN[key]}"]' if key in CHOSEN else '[name="said"]')
        one.first.check()
    return "next"


def answer_all(tab: Mouse, name: str, looked: tuple[str, ...]) -> list[str]:
    """All questions, one after the other; some are looked at closely."""
    keys = []
    while tab.page.locator('[name="item"]').count():
        keys.append(tab.page.locator('[name="item"]').input_value())
        if keys[-1] in looked:
            tab.look(f"question {keys[-1].replace(':', ' ')}")
        do = answer(tab, keys[-1], name)
        tab.page.locator(f'.actions [name="do"][value="{do}"]').click()
        tab.page.wait_for_load_state()
        assert len(keys) < 40
    return keys


def test_from_the_clinics_page_to_the_last_question(
    chromium: Any, live_server: Any, cast: SimpleNamespace
) -> None:
    cache.clear()
    opened(cast)
    tab = Mouse(chromium, live_server.url, "booking", **PHONE)
    tab.page.set_default_timeout(30_000)
    tab.refused = {422}
    tab.go("/clinics/elm-street")
    tab.look("page")
    tab.page.get_by_label("State or country where you live").select_option("US-FL")
    tab.page.get_by_label("Your age").select_option("from-26")
    tab.press("Show what applies")
    tab.page.get_by_text("a first visit is possible at the clinic").wait_for()
    tab.look("page, in person alone")
    tab.page.get_by_label("State or country where you live").select_option("US-NY")
    tab.press("Show what applies")
    tab.page.get_by_text("a first visit is possible by video").wait_for()
    tab.look("page, by video")
    tab.page.locator(".times a").first.click()
    head(tab, "Book this time")
    tab.look("time")
    tab.follow("I am new here: register")
    tab.press("Register and go on")
    tab.page.locator(".error").first.wait_for()
    tab.look("register, refused")
    for name, text in REGISTRATION.items():
        field = tab.page.locator(f"#{name}")
        field.select_option(text) if name == "residence" else field.fill(text)
    tab.press("Register and go on")
    head(tab, "Confirm the visit")
    tab.look("confirm")
    tab.page.locator('[name="kind"][value="video"]').check()
    tab.press("Book this time")
    head(tab, "Your visit")
    tab.look("booked")
    tab.follow("Answer the questions")
    looked = (
        "name",
        "place",
        "spasm.cause",
        "history.current",
        "history.conditions",
        "outcome:tizanidine",
        "consent:treatment",
    )
    keys = answer_all(tab, "Rae Winter", looked)
    assert keys[:2] == ["name", "place"]
    assert keys[-1] == "consent:research"
    head(tab, "Is everything right?")
    tab.look("summary")
    tab.page.locator("dl > div", has_text="How much alcohol").get_by_role("link").click()
    tab.page.locator('[name="said"][value="some"]').check()
    tab.press("Save")
    head(tab, "Is everything right?")
    tab.press("Send to the clinic")
    head(tab, "Thank you. The clinic has your answers.")
    tab.look("done")
    tab.follow("Back to the visit")
    tab.page.get_by_text("Everything is ready for your visit.").wait_for()
    tab.look("ready")
    visit = Visit.objects.select_related("case").get()
    assert visit.status == "ready"
    assert visit.case.data["history"]["alcohol"] == "some"
    for who, path, what in (
        (cast.ada, f"/visits/{visit.pk}/said", "practitioner, said"),
        (cast.fay, "/bookings", "desk, bookings"),
        (cast.fay, f"/bookings/{visit.pk}", "desk, booking"),
        (cast.fay, f"/patients/{visit.patient_id}/same", "desk, registered"),
        (cast.fay, "/times", "desk, times"),
        (cast.zoe, "/practitioners", "administrator, practitioners"),
        (cast.zoe, "/clinic-page", "administrator, page"),
        (cast.zoe, f"/practitioners/{cast.doctor.pk}/credentials/add", "administrator, credential"),
    ):
        logged_in(tab, who)
        tab.go(path)
        tab.look(what)
    assert tab.wrong == []
    assert list(audit.faults()) == []


def test_a_link_on_another_phone_in_spanish(chromium: Any, live_server: Any, cast: SimpleNamespace) -> None:
    opened(cast)
    visit = book(cast.patient, cast.slot.pk, "video", cast.fay)
    desk = Mouse(chromium, live_server.url, "link desk", viewport={"width": 1280, "height": 900})
    logged_in(desk, cast.fay)
    desk.go(f"/bookings/{visit.pk}")
    desk.press("Make a link to the questions")
    desk.look("desk, link")
    to = re.search(r"/questions/\S+", desk.page.locator("code.link").inner_text())
    assert to is not None
    tab = Mouse(chromium, live_server.url, "link", color_scheme="dark", **PHONE)
    tab.page.set_default_timeout(30_000)
    tab.refused = {410, 422}
    tab.go("/questions/nothing")
    tab.look("ended")
    tab.go(to[0])
    tab.page.locator("#born").fill("1974-03-02")
    tab.press("Go on")
    tab.page.get_by_text("Tries left: 4").wait_for()
    tab.look("born, wrong")
    tab.page.locator("#born").fill("1974-03-01")
    tab.press("Go on")
    tab.page.get_by_role("button", name="Español").click()
    tab.page.get_by_text("tal como figura en su identificación").wait_for()
    answer_all(tab, "Dan Doe", ("name", "history.conditions", "consent:telehealth"))
    head(tab, "¿Está todo bien?")
    tab.look("summary")
    tab.press("Enviar a la clínica")
    head(tab, "Gracias. La clínica tiene sus respuestas.")
    tab.look("done")
    assert tab.wrong == desk.wrong == []
    visit.refresh_from_db()
    assert visit.status == "ready"
    assert set(visit.consents.values_list("language", flat=True)) == {"es"}
