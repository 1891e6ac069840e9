"""The review after four weeks: the diary, what it says, the decision."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.html import parse_html
from django.utils import timezone
from tests.clinic.conftest import visitor

from lissive.clinic import audit, work
from lissive.clinic.dates.review import review_for, reviews_due
from lissive.clinic.models import Case, Certificate, Entry, Practitioner, Review, Visit, Work

pytestmark = pytest.mark.slow

TODAY = timezone.localdate()
BEGUN = TODAY - datetime.timedelta(days=28)


def day(at: int) -> str:
    return (BEGUN + datetime.timedelta(days=at)).isoformat()


def diary(count: int = 28, **more: str) -> str:
    rows = [f"{day(at)},{7 if at < 14 else 4},8" for at in range(count)]
    return "\n".join(["date,spasticity_nrs,sprays", *rows, *more.values()]) + "\n"


@pytest.fixture
def due(cast: SimpleNamespace) -> SimpleNamespace:
    """The cast with a signed certificate and its review."""
    doctor = Practitioner.objects.create(organisation=cast.here, user=cast.ada, name="Ada", profession="MD")
    signed = timezone.now() - datetime.timedelta(days=28)
    of = {"organisation": cast.here, "patient": cast.patient, "case": cast.case, "practitioner": doctor}
    visit = Visit.objects.create(**of, kind="video", starts=signed, day=signed.date())
    cast.certificate = Certificate.objects.create(
        **of, visit=visit, status="issued", place="GB", rule="GB-1", signed_at=signed, begins=BEGUN
    )
    cast.review = review_for(cast.certificate)
    cast.page = f"/reviews/{cast.review.pk}"
    cast.client = visitor(cast.ada)
    return cast


def post(due: SimpleNamespace, do: str, **form: Any) -> Any:
    due.review.refresh_from_db()
    return due.client.post(due.page, {"do": do, "version": due.review.version, **form})


def test_a_review_is_due_four_weeks_after_the_first_dose(due):
    assert due.review.due == BEGUN + datetime.timedelta(days=28)
    assert review_for(due.certificate) == due.review
    due.review.delete()
    answer = due.client.post(f"/certificates/{due.certificate.pk}/reviews", {"first_dose": TODAY.isoformat()})
    made = Review.objects.get()
    assert answer["Location"] == f"/reviews/{made.pk}"
    assert made.due == TODAY + datetime.timedelta(days=28)
    assert list(reviews_due(due.ada, TODAY)) == []
    assert list(reviews_due(due.ada, made.due)) == [made]
    assert list(reviews_due(due.cleo, made.due)) == []
    draft = Certificate.objects.get()
    draft.pk, draft.signed_at, draft.status = uuid4(), None, "draft"
    draft.save(force_insert=True)
    assert due.client.post(f"/certificates/{draft.pk}/reviews").status_code == 409


def test_the_table_asks_what_the_case_has_and_keeps_what_was_typed(due):
    page = due.client.get(due.page).content.decode()
    assert all(
        f'name="{name}-{day(0)}"' in page for name in ("spasms", "spasticity_nrs", "sprays", "side_effects")
    )
    assert f'name="spasms-{day(27)}"' in page
    assert f'name="spasms-{day(28)}"' not in page
    typed = {
        f"spasticity_nrs-{day(0)}": "7",
        f"sprays-{day(0)}": "4",
        f"side_effects-{day(1)}": "dizzy, twice",
    }
    wrong = post(due, "table", start=day(0), days=28, **typed, **{f"spasms-{day(2)}": "many"})
    assert wrong.status_code == 422
    assert "1 day cannot be read" in wrong.content.decode()
    assert 'value="many"' in wrong.content.decode()
    due.review.refresh_from_db()
    assert due.review.diary == ""
    assert post(due, "table", start=day(0), days=28, **{f"spasms-{day(2)}": "many"}).status_code == 422
    assert post(due, "table", start=day(0), days=28).status_code == 422
    assert post(due, "table", start=day(0), days=28, **typed).status_code == 302
    due.review.refresh_from_db()
    lines = due.review.diary.splitlines()
    assert lines == [
        "date,spasms,spasticity_nrs,sprays,side_effects",
        f"{day(0)},,7,4,",
        f'{day(1)},,,,"dizzy, twice"',
    ]
    assert 'value="dizzy, twice"' in due.client.get(due.page).content.decode()
    late = due.client.post(due.page, {"do": "table", "version": 1, "start": day(0), f"spasms-{day(3)}": "2"})
    assert late.status_code == 409
    assert "is still in the fields" in late.content.decode()


def test_an_import_takes_all_rows_or_asks(due):
    text = diary(bad=f"{day(0)[:8]}99,5,8", late="2999-01-01,5,8")
    asked = post(due, "import", diary=text)
    page = asked.content.decode()
    assert asked.status_code == 422
    assert "2 rows cannot be read" in page
    assert "Row 30: date is" in page
    assert "Row 31: date is" in page
    due.review.refresh_from_db()
    assert due.review.diary == ""
    assert post(due, "import", diary=text, without="1").status_code == 422  # another text was agreed to
    assert post(due, "import", diary=text, without="2").status_code == 302
    page = due.client.get(due.page).content.decode()
    assert "28 rows used" in page
    assert "2 left out" in page
    assert "row 30 left out" in page
    due.review.refresh_from_db()
    assert due.review.diary == text
    assert Entry.objects.filter(action="review.changed").values_list("detail__changed", flat=True)[0] == [
        "diary"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "There is no diary."),
        ("a,b\n1,2\n", "Unknown column names"),
        ("date,note\n2026-01-01,x\n", "rates nothing"),
        ("date,spasms\n01/02/2026,3\n", "No row can be used"),
        ("date,spasms\n2026-01-01,6\x007\n", "cannot be printed"),
        ('date,spasms\n2026-01-01,"3\n', "not a valid CSV"),
        ("date,spasms\n" + "x" * 200_001, "200,0"),
    ],
)
def test_what_is_no_diary_is_not_imported(due, text, said):
    answer = post(due, "import", diary=text)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    due.review.refresh_from_db()
    assert due.review.diary == ""


def test_a_file_is_imported(due):
    file = SimpleUploadedFile("diary.csv", ("\ufeff" + diary()).encode(), content_type="text/csv")
    assert post(due, "import", file=file).status_code == 302
    due.review.refresh_from_db()
    assert due.review.diary == diary()
    assert post(due, "import", file=SimpleUploadedFile("d.csv", b"date,spasms\n\xff\n")).status_code == 422


def followed(due: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Work:
    monkeypatch.setenv("LISSIVE_SUBJECTS", "60")
    assert post(due, "follow").status_code == 302
    row = work.claim("me")
    assert row is not None
    work.do(row)
    row.refresh_from_db()
    return row


@pytest.mark.slow
def test_the_advice_stands_first_and_the_decision_closes_the_review(due, monkeypatch):
    due.case.status = "closed"  # as it may be by then
    due.case.save()
    assert post(due, "import", diary=diary()).status_code == 302
    row = followed(due, monkeypatch)
    assert row.status == Work.Status.DONE, row.failed
    due.review.refresh_from_db()
    found = due.review.found
    assert found["advice"] == found["answer"]["advice"]
    page = due.client.get(due.page).content.decode()
    order = [page.index(text) for text in ("What the diary says", "Does it work", "To know", 'id="decide-h"')]
    assert order == sorted(order)
    assert "<svg" in page
    parse_html(page)

    unseen = post(due, "decide", decision="continue", reason="Better.")
    assert unseen.status_code == 409
    wrong = post(due, "decide", decision="again", reason="Unclear.", seen="yes")
    assert wrong.status_code == 422
    assert "Next review: enter the day." in wrong.content.decode()
    later = TODAY + datetime.timedelta(days=30)
    assert (
        post(due, "decide", decision="again", reason="Unclear.", again_on=later, seen="yes").status_code
        == 302
    )
    due.review.refresh_from_db()
    assert (due.review.status, due.review.decision, due.review.found) == ("done", "again", found)
    assert Review.objects.get(status="due").due == later
    for do in ("table", "import", "follow", "decide", "rows"):
        assert post(due, do, diary=diary(20)).status_code == 409
    page = due.client.get(due.page).content.decode()
    assert "Review again" in page
    assert "<textarea" not in page
    due.review.refresh_from_db()
    assert due.review.diary == diary()
    assert not list(audit.faults())


def test_another_diary_ends_what_was_said_of_the_first(due):
    due.review.diary, due.review.found = diary(), {"advice": "stop"}
    due.review.save()
    assert post(due, "import", diary=diary(20)).status_code == 302
    due.review.refresh_from_db()
    assert due.review.found == {}


def test_too_little_of_a_diary_says_so_and_the_decision_is_free(due, monkeypatch):
    assert post(due, "import", diary=diary(2)).status_code == 302
    row = followed(due, monkeypatch)
    assert row.status == Work.Status.FAILED
    page = due.client.get(due.page).content.decode()
    assert "The diary says nothing yet" in page
    assert "2 of spasticity_nrs" in page
    assert post(due, "decide", decision="stop", reason="Asked to.").status_code == 302
    assert Review.objects.get().decision == "stop"
    assert Case.objects.get().version == 1


@pytest.mark.parametrize("cause", ["stroke", "fibromyalgia"])
@pytest.mark.parametrize(("note", "advice"), [("slept well", "cannot_say"), ("hearing voices", "stop")])
def test_without_a_prediction_the_page_has_alarms_and_nothing_predicted(
    due, monkeypatch, cause, note, advice
):
    due.case.data = {**due.case.data, "spasm": {"cause": cause, "spasticity_nrs": 7}}
    due.case.save()
    said = diary().replace("sprays\n", "sprays,note\n").replace(",8\n", f",8,{note}\n")
    assert post(due, "import", diary=said).status_code == 302
    row = followed(due, monkeypatch)
    assert row.status == Work.Status.DONE, row.failed
    due.review.refresh_from_db()
    assert due.review.found["advice"] == advice
    page = due.client.get(due.page).content.decode()
    parse_html(page)
    assert "<svg" in page
    assert "No probability and no weeks ahead" in page
    assert ("Weeks ahead" in page, "takes off" in page) == (False, False)
    assert ("see a clinician today" in page) == (advice == "stop")
    assert ("Stop." if advice == "stop" else "Cannot say whether it works.") in page


@pytest.mark.parametrize(
    ("fitted", "alarms", "said", "colour"),
    [
        (True, [], "Continue.", "yes"),
        (True, [{"id": "mood"}], "Continue. See the alarms.", "unsure"),
        (False, [], "Cannot say whether it works.", "unsure"),
        (False, [{"id": "mood"}], "Cannot say whether it works. See the alarms.", "unsure"),
    ],
)
def test_going_on_is_not_green_beside_an_alarm(fitted, alarms, said, colour):
    from lissive.clinic.dates.review import _advice

    answer = {"fitted": fitted, "alarms": alarms, "calibrated": "trials"}
    assert _advice({"advice": "continue", "answer": answer}) == (said, colour)
