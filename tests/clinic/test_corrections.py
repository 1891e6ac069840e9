"""What a patient corrects after sending, and what differs from the case: kept, told, and decided anew."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from django.test import Client
from django.utils import timezone
from tests.clinic.conftest import visitor
from tests.clinic.test_booking import opened, text_of
from tests.clinic.test_intake import SAID, answer_all

from lissive.case import make_case
from lissive.clinic import audit
from lissive.clinic.booking.take import book
from lissive.clinic.intake.done import differences
from lissive.clinic.intake.questions import answers_of
from lissive.clinic.models import Case, Entry, Intake, Visit
from lissive.clinic.visit.record import write
from lissive.clinic.visit.standing import blocks_of

pytestmark = pytest.mark.slow


@pytest.fixture
def clinic(cast: SimpleNamespace) -> SimpleNamespace:
    opened(cast)
    cast.case.delete()
    cast.visit = book(cast.patient, cast.slot.pk, "video", cast.dan)
    cast.here_asked = f"/visits/{cast.visit.pk}/questions"
    return cast


def correct(client: Client, to: str, **said: str) -> None:
    """What was sent is opened, answered otherwise, and sent again."""
    client.post(to, {"do": "correct"})
    for key, text in said.items():
        one = key.replace("__", ".")
        was = answers_of(Intake.objects.get())[one]
        answer = client.post(to, {"do": "next", "item": one, "was": was, "said": text, "then": "all"})
        assert answer.status_code == 302, text_of(answer)


def test_a_correction_is_decided_anew_and_the_version_before_is_kept(clinic):
    client, to = visitor(clinic.dan), clinic.here_asked
    answer_all(client, to)
    client.post(to, {"do": "send"})
    ada, page = visitor(clinic.ada), f"/visits/{clinic.visit.pk}"
    visit = Visit.objects.select_related("case").get()
    handled = {"baclofen": {"step": "followed", "reason": "", "said": ""}}
    visit = write(
        visit,
        {"safety": handled, "adjectives": {}, "findings": {"text": "Clonus.", "diagnosis": "MS"}},
        clinic.ada,
    )
    assert "Correct my answers" in text_of(client.get(to))
    correct(client, to, history__current="warfarin 5 mg/day", spasm__cause="stroke")
    # until it is sent, what was sent holds
    visit.case.refresh_from_db()
    assert visit.case.data["spasm"]["cause"] == "multiple_sclerosis"
    said = text_of(ada.get(f"{page}/said"))
    assert "what was sent before holds" in said
    version = visit.version
    client.post(to, {"do": "send"})
    visit = Visit.objects.select_related("case", "intake", "patient", "practitioner").get()
    first, second = visit.intake.sent
    assert (first["said"]["spasm.cause"], second["said"]["spasm.cause"]) == ("multiple_sclerosis", "stroke")
    assert visit.case.data["spasm"]["cause"] == "stroke"
    assert visit.case.data["history"]["current"] == ["warfarin 5 mg/day"]
    assert visit.version > version
    # the practitioner is told, and what rests on the old answers is open again
    shown = text_of(ada.get(page))
    assert "Before: Multiple sclerosis. Now: <b>Stroke</b>." in shown
    assert "Before: baclofen 60 mg/day, clobazam 10 mg/day. Now: <b>warfarin 5 mg/day</b>." in shown
    open_ = {each.part: each.why for each in blocks_of(visit, visit.day)}
    assert "read what changed" in open_["corrections"]
    assert "not written down" in open_["findings"]
    assert any("warfarin" in each.why for each in blocks_of(visit, visit.day) if each.part == "safety")
    assert "corrected answers" in text_of(ada.get(f"/queue?day={visit.day}"))
    # saved again as it was, it counts again
    visit = write(visit, {"findings": {"text": "Clonus.", "diagnosis": "MS"}}, clinic.ada)
    ada.post(f"{page}/said/read", {"number": "1"})
    visit = Visit.objects.select_related("case", "intake", "patient", "practitioner").get()
    assert not {"corrections", "findings"} & {each.part for each in blocks_of(visit, visit.day)}
    assert visit.record["corrections"]["by"] == "Ada"
    assert "Before: Multiple sclerosis" not in text_of(ada.get(page))
    assert "Before: Multiple sclerosis" in text_of(ada.get(f"{page}/said"))
    entry = Entry.objects.get(action="intake.corrected")
    assert entry.detail["answers"] == ["history.current", "spasm.cause"]
    assert "warfarin" not in str(entry.detail)
    assert list(audit.faults()) == []


def test_a_correction_that_is_not_sent_changes_nothing(clinic):
    client, to = visitor(clinic.dan), clinic.here_asked
    answer_all(client, to)
    client.post(to, {"do": "send"})
    correct(client, to, spasm__cause="stroke")
    client.post(to, {"do": "keep"})
    intake = Intake.objects.get()
    assert (len(intake.sent), intake.correcting, intake.said["spasm.cause"]) == (
        1,
        None,
        "multiple_sclerosis",
    )
    # begun, and the visit begins first
    correct(client, to, spasm__cause="stroke")
    Visit.objects.update(status="in_visit")
    assert client.post(to, {"do": "send"}).status_code == 200
    over = text_of(client.get(to))
    assert "was not sent before the visit began" in over
    assert "call the clinic" in over
    client.post(to, {"do": "correct"})
    assert len(Intake.objects.get().sent) == 1
    assert Case.objects.get().data["spasm"]["cause"] == "multiple_sclerosis"
    shown = text_of(visitor(clinic.ada).get(f"/visits/{clinic.visit.pk}"))
    assert "did not send it" in shown
    assert "Stroke" in shown


def test_an_answer_that_is_withdrawn_leaves_the_case_and_a_practitioners_stays(clinic):
    client, to = visitor(clinic.dan), clinic.here_asked
    answer_all(client, to)
    client.post(to, {"do": "send"})
    visitor(clinic.ada).post(f"/visits/{clinic.visit.pk}/said/take", {"field": "spasm.cause"})
    client.post(to, {"do": "correct"})
    for key in ("person.drives", "history.tried"):
        was = answers_of(Intake.objects.get())[key]
        client.post(to, {"do": "pass", "item": key, "was": was, "then": "all"})
    correct(client, to, spasm__cause="stroke")
    client.post(to, {"do": "send"})
    case = Case.objects.get()
    assert "drives" not in case.data["person"]
    assert not {"tried", "outcome"} & set(case.data["history"])
    assert "person.drives" not in case.stated
    assert case.data["spasm"]["cause"] == "multiple_sclerosis"
    visit = Visit.objects.select_related("patient", "case", "practitioner", "intake").get()
    assert {each.field for each in differences(visit)} == {"spasm.cause"}
    make_case(case.data)


def now_of(clinic: SimpleNamespace) -> Visit:
    loaded = Visit.objects.select_related("case", "intake", "patient", "practitioner")
    return loaded.get(pk=clinic.visit.pk)


def test_what_a_patient_answers_otherwise_than_a_practitioner_is_open_until_it_is_compared(clinic):
    """A medicine that the case does not have is not looked at by safety: nobody may sign as if there were none."""
    stated = {"by": "Ada", "as": "practitioner", "at": timezone.now().isoformat()}
    data = {"case": "calculator", "history": {"current": ["baclofen 60 mg/day"]}}
    case = Case.objects.create(patient=clinic.patient, data=data, stated={"history.current": stated})
    Visit.objects.update(case=case)
    client, to, ada = visitor(clinic.dan), clinic.here_asked, visitor(clinic.ada)
    answer_all(client, to, {**SAID, "history.current": {"said": "warfarin 5 mg/day"}})
    client.post(to, {"do": "send"})

    def why() -> list[str]:
        return [each.why for each in blocks_of(now_of(clinic), clinic.visit.day) if each.part == "answers"]

    assert "medicines" in why()[0]
    day = clinic.visit.day.isoformat()
    assert why()[0].partition("“")[2].partition("”")[0] in text_of(ada.get(f"/queue?day={day}"))
    assert "otherwise than the case" not in text_of(visitor(clinic.fay).get(f"/queue?day={day}"))
    page = text_of(ada.get(f"/visits/{clinic.visit.pk}/said"))
    number = re.search(r'name="compared" value="(\d+)"', page)[1]  # type: ignore[index]
    ada.post(f"/visits/{clinic.visit.pk}/said/read", {"compared": number})
    assert why() == []
    # what was compared is what had been sent: a correction is compared again
    correct(client, to, history__current="tacrolimus 4 mg/day")
    client.post(to, {"do": "send"})
    assert why()
    ada.post(f"/visits/{clinic.visit.pk}/said/take", {"field": "history.current"})
    assert why() == []
    assert now_of(clinic).case.data["history"]["current"] == ["tacrolimus 4 mg/day"]
