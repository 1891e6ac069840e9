"""The clinic's day in a real browser: from a booking on a phone to a certificate, its check, its renewal and its end.

With SHOTS=DIR in the environment, each page of the walk is kept there as a picture; the tutorial has some of them.
On PostgreSQL: LISSIVE_DATABASE_URL=postgresql://… before the command.
"""

from __future__ import annotations

import datetime
import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from tests.clinic.certifying import licensed, ready
from tests.clinic.conftest import PASSWORD
from tests.clinic.test_booking import REGISTRATION, opened
from tests.clinic.test_booking_story import PHONE, answer_all
from tests.clinic.test_story import Keyboard, Mouse, head, logged_in

from lissive.clinic import audit
from lissive.clinic.certify import proof
from lissive.clinic.models import Certificate, Credential, Visit

pytestmark = pytest.mark.browser
DESK = {"viewport": {"width": 1280, "height": 900}}
MOST_ACTIONS = 25
"""From "ready" to "signed", by a practitioner who knows the patient."""
WHY = "Baclofen alone leaves many spasms. Risk of sedation was discussed."


class Practitioner(Mouse):
    """Counts what a practitioner does: presses, choices and fields that are typed in."""

    actions = 0

    def press(self, name: str) -> None:
        self.actions += 1
        super().press(name)
        self.page.wait_for_load_state()

    def follow(self, name: str) -> None:
        self.actions += 1
        super().follow(name)

    def check(self, where: str) -> None:
        self.actions += 1
        self.page.locator(where).check()

    def type(self, where: str, text: str) -> None:
        self.actions += 1
        self.page.locator(where).fill(text)

    def select(self, where: str, value: str) -> None:
        self.actions += 1
        self.page.locator(where).select_option(value)


def practitioner(chromium: Any, url: str, who: Any, name: str) -> Practitioner:
    cache.clear()
    tab = Practitioner(chromium, url, name, **DESK)
    tab.page.set_default_timeout(60_000)
    logged_in(tab, who)
    return tab


def seen(tab: Practitioner, visit: Visit, *, guardian: str = "") -> None:
    """The visit itself: start, look-up, findings, safety; then it is to be decided."""
    tab.go(f"/visits/{visit.pk}")
    tab.look("visit")
    tab.check('[name="identity.matched"][value="yes"]')
    if tab.page.locator('[name="identity.document"]').input_value() == "":
        tab.select('[name="identity.document"]', "driving_licence")
        tab.type('[name="identity.number_masked"]', "4821")
    if guardian:
        tab.check('[name="minor.guardian_present"][value="yes"]')
        tab.type('[name="minor.guardian_name"]', guardian)
    tab.press("Save and start the visit")
    tab.check('[name="pmp.result"][value="clear"]')
    tab.press("Save and go on")
    tab.type('[name="findings.text"]', "Spasticity of both legs; gait with a stick.")
    for judged in tab.page.locator('[name^="judged."][value="yes"]').all():
        tab.actions += 1
        judged.check()
        tab.actions += 1
        name = str(judged.get_attribute("name")).replace("judged.", "reason.")
        tab.page.locator(f'[name="{name}"]').fill("Daily, for years, in spite of treatment.")
    if tab.page.locator('[name="capacity.has"]').count():
        tab.check('[name="capacity.has"][value="yes"]')
    ends = tab.page.get_by_role("button", name="Save and end the visit", exact=True)
    if not ends.last.is_visible():
        tab.press("Save and go on")
        for step in tab.page.locator('select[name^="step."]').all():
            tab.actions += 1
            step.select_option("followed")
    tab.look("visit, last section")
    tab.press("Save and end the visit")
    head(tab, "Decision")


def certified(tab: Practitioner, visit: Visit) -> Certificate:
    """Decision, draft with each statement ticked, signature."""
    tab.look("decision")
    tab.check('[name="choice"][value="certify"]')
    tab.type("#reason", WHY)
    tab.press("Save the decision")
    draft = Certificate.objects.get(visit=visit, status="draft")
    filled(tab)
    return signed(tab, draft)


def filled(tab: Practitioner) -> None:
    tab.page.locator('[name="tick"]').first.wait_for()
    for tick in tab.page.locator('[name="tick"]').all():
        if not tick.is_checked():
            tab.actions += 1
            tick.check()
    for field in tab.page.locator('[name^="f-"][required], [name="f-recommendation"]').all():
        if field.input_value() == "":
            tab.actions += 1
            field.fill("Oil, 2.5 mg THC at night")
    tab.look("draft, ticked")
    tab.press("Go to the signature")


def signed(tab: Practitioner, draft: Certificate) -> Certificate:
    head(tab, "Sign")
    tab.look("sign")
    tab.type("#password", PASSWORD)
    tab.press(f"Sign as {draft.practitioner.name}")
    tab.page.get_by_text("How it is checked").wait_for()
    tab.look("certificate")
    found = Certificate.objects.get(pk=draft.pk)
    assert found.status == "issued"
    return found


def verified(chromium: Any, url: str, certificate: Certificate, says: str, name: str) -> Mouse:
    """What anybody sees who follows the QR code, on a phone."""
    tab = Mouse(chromium, url, name, **PHONE)
    tab.page.set_default_timeout(30_000)
    tab.go(f"/verify/{certificate.code}")
    tab.page.get_by_text(says).first.wait_for()
    tab.look("verify")
    body = tab.page.locator("main").inner_text()
    assert not re.search("spasm|sclerosis|baclofen|" + certificate.patient.family_name, body, re.I)
    return tab


def sound() -> None:
    assert [*audit.faults(), *proof.faults()] == []


def test_the_day_of_a_patient_who_is_certified(
    chromium: Any, live_server: Any, cast: SimpleNamespace
) -> None:
    cache.clear()
    opened(cast)
    _credentials(cast.doctor, "US-NY")
    cast.doctor.address, cast.doctor.phone, cast.doctor.email = (
        "2 Oak St, Albany",
        "5185550100",
        "a@example.org",
    )
    cast.doctor.save()
    phone = Mouse(chromium, live_server.url, "day phone", **PHONE)
    phone.page.set_default_timeout(60_000)
    phone.go("/clinics/elm-street?state=US-NY&age=from-26")
    phone.look("page")
    phone.page.locator(".times a").first.click()
    phone.follow("I am new here: register")
    for name, text in REGISTRATION.items():
        field = phone.page.locator(f"#{name}")
        field.select_option(text) if name == "residence" else field.fill(text)
    phone.press("Register and go on")
    phone.page.locator('[name="kind"][value="video"]').check()
    phone.press("Book this time")
    phone.follow("Answer the questions")
    answer_all(phone, "Rae Winter", ("spasm.cause",))
    phone.press("Send to the clinic")
    head(phone, "Thank you. The clinic has your answers.")
    visit = Visit.objects.select_related("patient").get()
    visit.patient.address = "1 Elm Street\nAlbany"
    visit.patient.save()

    tab = practitioner(chromium, live_server.url, cast.ada, "day")
    tab.go("/queue")
    tab.look("queue")
    seen(tab, visit)
    certificate = certified(tab, visit)
    print(f"actions from ready to signed: {tab.actions}")
    assert tab.actions <= MOST_ACTIONS + 5  # a first visit: document, number and statute's words are new
    check = verified(chromium, live_server.url, certificate, "valid", "day check")
    pdf = bytes(certificate.pdf.content)
    for content, says in (
        (pdf, "This copy is what was issued."),
        (pdf[:-20] + b"\n" + pdf[-20:], "This copy differs"),
    ):
        file = {"name": "copy.pdf", "mimeType": "application/pdf", "buffer": content}
        check.page.locator("#copy").set_input_files(files=[file])
        check.press("Compare")
        check.page.get_by_text(says).wait_for()
    check.look("copy differs")
    renewed(chromium, live_server.url, tab, certificate)
    tab.go(f"/certificates/{certificate.pk}/revoke")
    tab.page.locator("#because").select_option(index=1)
    tab.page.locator("#why").fill("Side effects.")
    tab.look("revoke")
    tab.press("Revoke the certificate")
    verified(chromium, live_server.url, certificate, "revoked", "day check, revoked")
    assert tab.wrong == phone.wrong == check.wrong == []
    sound()


def renewed(chromium: Any, url: str, tab: Practitioner, certificate: Certificate) -> None:
    """The renewal begins with the last facts, and asks what changed; the old certificate stays as it is."""
    before = certificate.sha256
    tab.go(f"/certificates/{certificate.pk}/renew")
    tab.page.locator("#visit_kind").select_option("video")
    tab.page.locator("#day").fill(timezone.localdate().isoformat())
    tab.page.locator("#time").fill("23:30")
    tab.look("renew")
    tab.press("Begin the renewal")
    head(tab, "What changed")
    tab.look("renewal")
    certificate.refresh_from_db()
    assert (certificate.status, certificate.sha256) == ("issued", before)
    assert certificate.renewals.count() == 1


def _credentials(who: Any, place: str) -> None:
    today, long = timezone.localdate(), datetime.timedelta(400)
    for kind in ("controlled", "registration", "course"):
        Credential.objects.create(
            practitioner=who, kind=kind, place=place, number=f"{kind}-1", hours=10, checked_how="the board's page",
            issued=today - long, expires=today + long,
        )  # fmt: skip


def waiting(cast: SimpleNamespace, **more: Any) -> Visit:
    """A patient who was seen before, ready to be seen now: what was recorded then stands in the form."""
    before = cast.visit
    before.status, before.ended = "done", timezone.now() - datetime.timedelta(days=30)
    before.day = before.day - datetime.timedelta(days=30)
    before.starts -= datetime.timedelta(days=30)
    before.save()
    now = timezone.now()
    given = {
        "organisation": cast.here, "patient": cast.patient, "case": cast.case, "practitioner": cast.practitioner,
        "kind": "in_person", "status": "ready", "day": timezone.localdate(), "starts": now,
        "place": cast.patient.residence,
    }  # fmt: skip
    return Visit.objects.create(**{**given, **more})


def test_a_patient_who_is_known_is_certified_in_few_actions(
    chromium: Any, live_server: Any, cast: SimpleNamespace
) -> None:
    visit = waiting(ready(cast))
    tab = practitioner(chromium, live_server.url, cast.ada, "known")
    seen(tab, visit)
    certified(tab, visit)
    print(f"actions from ready to signed: {tab.actions}")
    assert tab.actions <= MOST_ACTIONS
    assert tab.wrong == []
    sound()


def test_a_patient_who_is_declined_gets_a_letter(
    chromium: Any, live_server: Any, cast: SimpleNamespace
) -> None:
    visit = waiting(ready(cast))
    tab = practitioner(chromium, live_server.url, cast.ada, "decline")
    seen(tab, visit)
    tab.check('[name="choice"][value="decline"]')
    tab.type("#reason", "The risk outweighs the benefit: falls every week.")
    tab.page.locator("#declined").select_option(index=1)
    tab.press("Save the decision")
    tab.page.get_by_text("Declined on").wait_for()
    tab.look("declined")
    visit.refresh_from_db()
    assert visit.status == "declined"
    assert not Certificate.objects.exists()
    tab.page.get_by_role("link", name="Letter to the patient").wait_for()
    assert tab.wrong == []
    sound()


def test_a_minor_needs_a_guardian_and_a_second_practitioner(
    chromium: Any, live_server: Any, cast: SimpleNamespace
) -> None:
    here = ready(cast, residence="US-FL", age=16)
    cast.patient.born = timezone.localdate() - datetime.timedelta(days=16 * 365 + 30)
    cast.patient.save()
    visit = waiting(here)
    tab = practitioner(chromium, live_server.url, cast.ada, "minor")
    seen(tab, visit, guardian="Mary Doe")
    tab.check('[name="choice"][value="certify"]')
    tab.type("#reason", WHY)
    tab.press("Save the decision")
    tab.look("second needed")
    draft = Certificate.objects.get(visit=visit)
    tab.go(f"/certificates/{draft.pk}/sign")
    tab.page.get_by_text("It cannot be signed yet.").wait_for()
    tab.look("sign, second missing")
    licensed(cast.ben, "US-FL")
    second = practitioner(chromium, live_server.url, cast.ben, "minor second")
    second.go(f"/visits/{visit.pk}/second")
    second.look("second")
    second.check('[name="agrees"][value="yes"]')
    second.type("#reason", "I agree: other treatment failed.")
    second.press("Save")
    second.page.get_by_text("agrees").first.wait_for()
    second.look("second, agreed")
    visit.refresh_from_db()
    assert visit.decision.second_agrees
    assert tab.wrong == second.wrong == []
    sound()


@pytest.mark.parametrize(("kind", "place"), [("home", "US-NY"), ("in_person", "US-NY")])
def test_a_visit_at_home_and_one_at_the_clinic_end_in_a_certificate(
    chromium: Any, live_server: Any, cast: SimpleNamespace, kind: str, place: str
) -> None:
    visit = waiting(ready(cast, residence=place), kind=kind)
    tab = practitioner(chromium, live_server.url, cast.ada, kind)
    seen(tab, visit)
    certified(tab, visit)
    assert tab.wrong == []
    sound()


def test_a_first_visit_by_video_where_the_law_asks_for_the_same_room_is_stopped(
    chromium: Any, live_server: Any, cast: SimpleNamespace
) -> None:
    visit = waiting(ready(cast, residence="US-FL"), kind="video", status="booked")
    tab = practitioner(chromium, live_server.url, cast.ada, "no video")
    tab.go(f"/visits/{visit.pk}")
    tab.page.get_by_text("video is not enough in Florida").first.wait_for()
    tab.look("blocked")
    tab.go("/queue")
    tab.page.get_by_text("video is not enough in Florida").first.wait_for()
    tab.look("queue, blocked")
    assert tab.wrong == []


def test_a_visitor_is_told_what_is_missing(chromium: Any, live_server: Any, cast: SimpleNamespace) -> None:
    visit = waiting(ready(cast), place="US-NV")
    tab = practitioner(chromium, live_server.url, cast.ada, "visitor")
    tab.go(f"/visits/{visit.pk}")
    tab.page.get_by_text("What is open").first.click()
    tab.look("visitor")
    assert "Nevada" in tab.page.locator("main").inner_text()
    assert tab.wrong == []


def test_the_signature_by_keyboard_alone(chromium: Any, live_server: Any, cast: SimpleNamespace) -> None:
    visit = waiting(ready(cast), status="in_visit", record=cast.visit.record, began=timezone.now())
    tab = Keyboard(chromium, live_server.url, "keyboard", **DESK)
    tab.page.set_default_timeout(60_000)
    logged_in(tab, cast.ada)
    tab.go(f"/visits/{visit.pk}/decision")
    tab.reach("Certify", lambda: tab.page.evaluate("document.activeElement.value") == "certify")
    tab.page.keyboard.press("Space")
    tab.fill("Why, in your words", WHY)
    tab.press("Save the decision")
    tab.page.locator('[name="tick"]').first.wait_for()
    for _ in tab.page.locator('[name="tick"]').all():
        at = "document.activeElement.name === 'tick' && !document.activeElement.checked"
        tab.reach("a statement", lambda at=at: tab.page.evaluate(at))
        tab.page.keyboard.press("Space")
    tab.reach(
        "recommendation", lambda: tab.page.evaluate("document.activeElement.name") == "f-recommendation"
    )
    tab.page.keyboard.type("Oil, 2.5 mg THC at night")
    tab.press("Go to the signature")
    tab.page.locator("#password").wait_for()
    tab.reach("password", lambda: tab.page.evaluate("document.activeElement.id") == "password")
    tab.page.keyboard.type(PASSWORD)
    tab.press("Sign as")
    tab.page.get_by_text("How it is checked").wait_for()
    assert Certificate.objects.get(visit=visit).status == "issued"
    assert tab.wrong == []
