"""What somebody tries who may not, past what the pages offer; and what nobody should be able to sign."""

from __future__ import annotations

import datetime
import json
import re
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.utils import timezone
from tests.clinic.certifying import decided, filled, issued, signed, text_of
from tests.clinic.conftest import user, visitor
from tests.clinic.test_certify import clinic as clinic

from lissive.clinic.intake.questions import consents
from lissive.clinic.models import (
    Case,
    Certificate,
    Decision,
    Entry,
    Patient,
    Practitioner,
    Registration,
    Review,
    Visit,
)

pytestmark = pytest.mark.slow

DAY = datetime.timedelta(days=1)


def _ended(cast: SimpleNamespace, draft: Certificate) -> None:
    content = Certificate.objects.get(pk=draft.pk).content
    content["ends"] = (timezone.localdate() - DAY).isoformat()  # as filled some days ago
    Certificate.objects.filter(pk=draft.pk).update(content=content)


def _licensed_later(cast: SimpleNamespace, draft: Certificate) -> None:
    Visit.objects.update(day=timezone.localdate() - DAY)
    cast.practitioner.credentials.filter(kind="licence").update(issued=timezone.localdate())


def _given_on(cast: SimpleNamespace, draft: Certificate) -> None:
    """The visit went to another practitioner, who has all credentials."""
    eve = user("eve", cast.here, "practitioner")
    old = cast.practitioner
    own = {"address": old.address, "phone": old.phone, "email": old.email, "profession": old.profession}
    other = Practitioner.objects.create(organisation=cast.here, user=eve, name="Eve Other, MD", **own)
    old.credentials.update(practitioner=other)
    Visit.objects.update(practitioner=other)


def _other_case(cast: SimpleNamespace, draft: Certificate) -> None:
    Visit.objects.update(case=Case.objects.create(patient=cast.patient, data=cast.case.data))


def _other_clause(cast: SimpleNamespace, draft: Certificate) -> None:
    """The tables have other words for the rule of that name."""
    clause = Decision.objects.get().clause | {"quote": "As it was worded before."}
    Decision.objects.update(clause=clause)


def _refused(cast: SimpleNamespace, draft: Certificate) -> None:
    text = next(each for each in consents(cast.visit, "en") if each.is_required)
    cast.visit.consents.create(kind=text.kind, is_given=False, signed_name="Dan Doe", language="en")


AGAINST = {
    "The patient did not consent to": _refused,
    "It would end before it begins": _ended,
    "On the day of the visit, .* is not in force yet": _licensed_later,
    "is Eve Other, MD.*: who has it decides again": _given_on,
    "The visit has another case now": _other_case,
    "The rule, the place or a fact has changed": _other_clause,
}


def test_what_changed_after_the_draft_was_filled_is_not_signed(clinic):
    draft = decided(clinic)
    assert filled(clinic, draft).status_code == 302
    for said, change in AGAINST.items():
        with transaction.atomic():
            change(clinic, draft)
            answer = signed(clinic, draft)
            assert answer.status_code == 409, said
            assert re.search(said, text_of(answer)), text_of(answer)
            assert Certificate.objects.get(pk=draft.pk).status == "draft"
            transaction.set_rollback(True)
    entry = Entry.objects.get(action="certificate.filled")
    assert entry.detail["changed"] == ["fields", "ticks"]  # a form asks some of what it asks of the ill alone
    Case.objects.update(version=9)
    assert signed(clinic, draft).status_code == 409  # ticked for another case
    Certificate.objects.filter(pk=draft.pk).update(place="US-FL")
    assert decided(clinic, version="1").place == "US-NY"  # to decide again is the way out
    assert filled(clinic, draft).status_code == 302
    assert signed(clinic, draft).status_code == 302


def test_whom_no_clause_covers_is_declined(clinic):
    """Texas lists its conditions, and cramps at night are none of them."""
    clinic.case.data = {
        "case": "one",
        "place": {"residence": "US-TX"},
        "spasm": {"cause": "nocturnal_cramps"},
    }
    clinic.case.save()
    page = clinic.client.get(f"/visits/{clinic.visit.pk}/decision").content.decode()
    node = page.partition('name="clause" value="')[2].partition('"')[0]
    given = {
        "choice": "decline",
        "clause": node,
        "reason": "Not on the list.",
        "declined": "law",
        "version": "0",
    }
    answer = clinic.client.post(f"/visits/{clinic.visit.pk}/decision", given)
    assert answer.status_code == 302, text_of(answer)
    assert Visit.objects.get().status == "declined"
    assert Decision.objects.get().clause["what"] == "no clause of the rule is met"


def test_a_revoked_certificate_leaves_no_open_review_and_its_record_is_not_merged(clinic):
    made, one = issued(clinic), clinic.patient
    Registration.objects.create(patient=one)
    like = {"family_name": one.family_name, "given_name": one.given_name, "born": one.born}
    older = Patient.objects.create(organisation=clinic.here, residence="US-NY", **like)
    same = {"same": str(older.pk), "how": "phone"}
    answer = visitor(clinic.fay).post(f"/patients/{one.pk}/same", same)
    assert answer.status_code == 422
    assert "is signed, and stays where it is" in text_of(answer)
    revoked = {"because": "error", "why": "Another person."}
    assert clinic.client.post(f"/certificates/{made.pk}/revoke", revoked).status_code == 302
    assert Review.objects.get().status == "cancelled"
    assert clinic.client.post(f"/certificates/{made.pk}/reviews").status_code == 409


def started() -> dict[str, str]:
    """The form of the section "start", as its page has it."""
    stamps = {part: said["at"] for part, said in Visit.objects.get().record.items()}
    place = {"seen.kind": "in_person", "place.code": "US-NY"}
    return {"section": "start", **place, "stamps": json.dumps(stamps)}


def test_the_front_desk_begins_and_ends_no_visit(clinic):
    fay, path = visitor(clinic.fay), f"/visits/{clinic.visit.pk}/front"
    for do, status in (("start", "ready"), ("end", "in_visit")):
        Visit.objects.update(status=status)
        assert fay.post(path, {**started(), "do": do}).status_code == 302
        assert Visit.objects.get().status == status
    for status in ("booked", "intake"):  # the intake makes it ready, with its consents
        Visit.objects.update(status=status)
        assert fay.post(path, {"to": "ready"}).status_code == 409
        assert clinic.client.post(f"/visits/{clinic.visit.pk}/move", {"to": "ready"}).status_code == 409


def test_a_patient_does_not_take_back_a_visit_whose_time_has_come(clinic):
    Visit.objects.update(status="ready", starts=timezone.now() - datetime.timedelta(minutes=5))
    one = Visit.objects.get()
    answer = visitor(clinic.dan).post(f"/bookings/{one.pk}/cancel", {"version": str(one.version), "why": ""})
    assert answer.status_code == 409
    assert Visit.objects.get().status == "ready"


@pytest.mark.parametrize(
    "data",
    [
        {"place": "US-NY", "spasm": "yes", "person": "x"},
        {"place": {"residence": "XX-99"}, "spasm": {"cause": ["x"]}},
        {"place": {"residence": ["US-NY"]}, "spasm": {"cause": "a_later_word"}},
    ],
)
def test_a_visit_whose_case_cannot_be_read_is_shown_and_recorded(clinic, data):
    Case.objects.update(data=data)
    clinic.client.raise_request_exception = False
    here = f"/visits/{clinic.visit.pk}"
    for path in (here, f"{here}/front", f"{here}/said", "/queue", "/"):
        assert clinic.client.get(path).status_code == 200, path
    assert clinic.client.get(f"{here}/decision").status_code == 409
    assert clinic.client.post(f"{here}/record", started()).status_code == 302
    answer = clinic.client.post(f"{here}/record", {"section": "nothing"})
    assert answer.status_code == 422
    assert "Open the visit again" in text_of(answer)
