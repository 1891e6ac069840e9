"""The questions, the answer, what if, the forecast and the files, as a visitor sees them."""

from __future__ import annotations

import base64
import json
import re
import time

import pytest

import lissive
from lissive.case import make_case
from lissive.case.ask import case_yaml
from lissive.handout.page import report_page
from lissive.report.case_text import parts_of
from lissive.report.words import upper_first
from lissive.web import answers, views, work
from lissive.web.pages import plainly
from lissive.web.state import State, questions_of

from .conftest import CASE


def test_the_answer_is_that_of_the_library(visitor):
    visitor.answered()
    found = lissive.answer(make_case(CASE), simulate=False)
    shown = visitor.text.replace(" ", "")
    parts = {part.label: part.items for part in parts_of(found)}
    assert found.access is not None
    assert parts["SAFETY"]
    said = [
        found.bottom_line.text,
        found.access.name,
        *map(plainly, parts["SAFETY"]),
        *(flag.mechanism for flag in found.safety.flags),
        *(fired.what for fired in found.access.fired),
        *(row.known for row in found.usual_care),
        *(upper_first(row.answer.outcome.label) for row in found.evidence.pooled),
    ]
    assert [each for each in said if each.replace(" ", "").replace("\n", "") not in shown] == []


TOLD = {
    "place.residence": "GB",
    "as_of": "2026-11-22",
    "person.age_years": "52",
    "person.sex": "female",
    "person.pregnancy": "none",
    "spasm.cause": "multiple_sclerosis",
    "history.current": "baclofen 60 mg/day, clobazam 10 mg/day",
    "history.conditions": "none",
    "spasm.spasticity_nrs": "7",
    "plan.product": "nabiximols",
    "plan.titration": "label",
    "plan.weeks": "2",
}


def test_what_is_told_question_by_question_is_the_case(visitor):
    asked = visitor.told(TOLD)
    assert set(TOLD) <= set(asked)
    assert len(asked) == len(set(asked))
    assert make_case(json.loads(visitor.hidden("case"))) == make_case(CASE)
    assert "Bottom line" in visitor.text


def test_only_what_still_decides_is_asked(visitor):
    def asked(residence):
        place, spasm = {"residence": residence}, {"cause": "nocturnal_cramps"}
        data = {"case": "a", "as_of": "2026-11-22", "place": place, "spasm": spasm, "person": {"sex": "male"}}
        return {each.field for each in questions_of(State(data))}

    never = {"person.pregnancy", "plan.titration", "plan.thc_mg"}
    assert not asked("US-NY") & never
    assert "spasm.severe" not in asked("US-NY")  # any condition that the practitioner records
    assert "spasm.severe" in asked("US-MD")  # severe and persistent spasms are listed


def test_what_is_not_known_stays_unknown(visitor):
    visitor.answered({"case": "calculator"})
    assert visitor.status == 200
    assert json.loads(visitor.hidden("case")) == {"case": "calculator"}
    assert "Not answered, because the place where the person lives is unknown" in visitor.text


def test_a_wrong_answer_stays_in_the_field_with_what_is_allowed(visitor):
    visitor.get("/questions")
    visitor.say("US-NY")
    visitor.say("2026-11-22")
    visitor.say("fifty <b>")
    assert visitor.at == "person.age_years"
    assert 'value="fifty &lt;b&gt;"' in visitor.page
    assert 'aria-invalid="true"' in visitor.page
    assert "Allowed: 0 to 120 years." in visitor.text
    visitor.say("")
    assert "press “I do not know”" in visitor.text
    visitor.say("52")
    assert visitor.at == "person.sex"


def test_back_shows_what_was_answered_and_it_can_be_changed(visitor):
    visitor.get("/questions")
    visitor.say("US-NY")
    visitor.say(do="back")
    assert visitor.at == "place.residence"
    assert '<option value="US-NY" selected>' in visitor.page
    visitor.say("US-NJ")
    assert json.loads(visitor.hidden("case"))["place"] == {"residence": "US-NJ"}


def test_a_change_from_the_answer_leads_back_to_it_and_takes_out_what_no_longer_applies(visitor):
    plan = {"product": "nabiximols", "titration": "fixed", "sprays_per_day": 8}
    visitor.answered({**CASE, "plan": plan})
    visitor.post("/questions", **visitor.carried(), at="person.sex", then="answer")
    assert visitor.at == "person.sex"
    visitor.say("male")
    assert "Bottom line" in visitor.text
    assert "Taken out, because it no longer applies Is the person pregnant" in visitor.text
    assert "pregnancy" not in json.loads(visitor.hidden("case"))["person"]
    visitor.post("/questions", **visitor.carried(), at="plan.product")
    visitor.say("dronabinol")
    assert "sprays_per_day" not in json.loads(visitor.hidden("case"))["plan"]
    assert "Taken out" in visitor.text
    assert "How many sprays a day?" in visitor.text


def test_what_if_changes_the_answer_and_keeps_the_case(visitor):
    visitor.answered()
    before = visitor.hidden("case")
    visitor.post("/what-if", **visitor.carried(), **{"place.residence": "US-NY", "medicine": "ketoconazole"})
    assert "United Kingdom → New York" in visitor.text
    assert "ketoconazole" in visitor.text
    assert visitor.hidden("case") == before  # the first form goes back to it
    visitor.post("/what-if", case=before, **{"as_of": "soon"})
    assert "this was not changed" in visitor.text
    assert "as_of is 'soon'" in visitor.text


def test_the_link_carries_the_case_behind_the_sign_that_is_not_sent(visitor):
    visitor.answered()
    text = visitor.hidden("case")
    found = re.search(r'href="/#case=([\w-]+)"', visitor.page)
    assert base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)).decode() == text
    others = list(re.findall(r'(?:href|action|formaction|hx-post|src)="([^"]*)"', visitor.page))
    sent = [each.partition("#")[0] for each in others if not each.startswith("http")]
    assert {each for each in sent if "?" in each or "baclofen" in each or len(each) > 60} == set()


def forecast(visitor):
    response = visitor.post("/forecast", case=json.dumps(CASE))
    assert response.status_code == 303
    address = response.headers["Location"]
    assert re.fullmatch(r"/forecast/[\w-]{20,}", address)
    until = time.monotonic() + 120
    while "how-far" in (visitor.get(address) and visitor.page) and time.monotonic() < until:
        time.sleep(0.05)


def person(found):
    return next(part for part in parts_of(found) if part.label == "THIS PERSON").items


def test_a_forecast_is_made_beside_the_pages_and_forgotten(visitor, monkeypatch):
    monkeypatch.setattr(work, "answer", lambda case, **_: lissive.answer(case, simulate=False))
    forecast(visitor)
    assert all(item in visitor.text for item in person(lissive.answer(make_case(CASE), simulate=False)))
    assert visitor.get("/forecast/nothing").status_code == 404
    assert "no longer kept" in visitor.text


@pytest.mark.slow
def test_the_forecast_is_that_of_the_library(visitor, monkeypatch):
    monkeypatch.setattr(work, "SUBJECTS", 10)
    forecast(visitor)
    shown = visitor.text.replace(" ", "")
    for item in person(lissive.answer(make_case(CASE), subjects=10, seed=work.SEED)):
        assert item.replace(" ", "") in shown
    assert "<svg" in visitor.page
    assert " style=" not in visitor.page


def test_the_case_is_a_file(visitor):
    response = visitor.post("/file/case.yaml", case=json.dumps(CASE))
    assert response.content.decode() == case_yaml(make_case(CASE))
    assert response.headers["Content-Disposition"] == 'attachment; filename="case.yaml"'
    assert visitor.post("/file/passwd", case=json.dumps(CASE)).status_code == 404


@pytest.mark.slow
def test_reports_are_those_of_the_library(visitor, monkeypatch):
    monkeypatch.setattr(answers, "SUBJECTS", 10)
    visitor.post("/file/report.html", case=json.dumps(CASE))
    assert visitor.page == report_page(
        lissive.answer(make_case(CASE), subjects=10, seed=work.SEED, threads=1)
    )
    for name in ("report.pdf", "sheet.pdf", "sheet-es.pdf"):
        assert visitor.post(f"/file/{name}", case=json.dumps(CASE)).content[:5] == b"%PDF-"


def test_a_saved_case_is_opened_and_a_wrong_one_says_where(visitor):
    visitor.answered()
    line = re.search(r"Bottom line (.*?) Law", visitor.text)[1]
    saved = visitor.post("/file/case.yaml", **visitor.carried()).content.decode()
    visitor.post("/open", text=saved)
    assert line in visitor.text
    visitor.post("/open", text="case: a\nperson: {age_years: 400}\n")
    assert "case.yaml:2" in visitor.text
    assert "person: {age_years: 400}" in visitor.text
    bomb = "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\ncase: *c\n"
    assert "could not be opened" in (visitor.post("/open", text=bomb) and visitor.text)


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"case": "a", "person": 3}', '"a"', '{"case": "' + "a" * 30_000 + '"}']
)
def test_what_is_no_case_is_said_and_breaks_nothing(visitor, text):
    for address in ("/questions", "/answer", "/what-if", "/forecast", "/file/case.yaml"):
        assert visitor.post(address, case=text).status_code == 400
    assert "Traceback" not in visitor.page


def test_a_full_queue_is_said(visitor, monkeypatch):
    monkeypatch.setattr(views, "start_forecast", lambda *_: (_ for _ in ()).throw(work.Busy("Many.")))
    assert visitor.post("/forecast", case='{"case":"a"}').status_code == 503
