"""Cases: what is typed is kept, what is saved is right, what another saved is not lost, what is closed stays so."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from tests.clinic.conftest import CASE, user, visitor

from lissive.case import make_case
from lissive.clinic import audit
from lissive.clinic.models import Case, Entry, Treatment

BASE = {
    "as_of": "2026-11-22",
    "place.residence": "GB",
    "person.sex": "female",
    "person.pregnancy": "none",
    "spasm.cause": "multiple_sclerosis",
    "spasm.spasticity_nrs": "7",
    "history.current": "baclofen 60 mg/day, clobazam 10 mg/day",
    "history.conditions": "none",
    "plan.product": "nabiximols",
    "plan.titration": "label",
    "plan.weeks": "2",
}


def form(client, case, **typed):
    """The form of a page as a browser would send it back, with what is typed."""
    text = client.get(f"/cases/{case.pk}/edit").content.decode()
    return {**hidden(text), **BASE, **{k.replace("__", "."): v for k, v in typed.items()}}


def hidden(text):
    import html

    found = re.findall(r"""<input type="hidden" name="(\w+)" value=(["'])(.*?)\2""", text)
    return {name: html.unescape(value) for name, _, value in found if name != "csrfmiddlewaretoken"}


def edit(client, case, data, do="save"):
    return client.post(f"/cases/{case.pk}/edit", {**data, "do": do})


@pytest.fixture
def ada(cast):
    return visitor(cast.ada)


@pytest.fixture
def eve(cast):
    """A second practitioner of the clinic who may change cases."""
    return visitor(user("eve", cast.here, "practitioner"))


def test_a_case_begins_with_what_the_record_says(cast, ada):
    cast.patient.treatments.create(drug="Lioresal", dose="60 mg/day", is_current=True)
    cast.patient.treatments.create(drug="Zanaflex", outcome="harm")
    cast.patient.treatments.create(drug="Kräutertee", dose="a cup", is_current=True)
    page = ada.post(f"/patients/{cast.patient.pk}/cases", follow=True)
    text = page.content.decode()
    case = Case.objects.exclude(pk=cast.case.pk).get()
    assert case.data["person"] == {"age_years": 52}
    assert case.data["place"] == {"residence": "GB"}
    assert case.data["history"] == {
        "current": ["Lioresal 60 mg/day"],
        "tried": ["tizanidine"],
        "outcome": {"tizanidine": "not_tolerated"},
    }
    assert "taken now: Lioresal 60 mg/day; tried before: tizanidine" in text
    assert "cannot hold it: Kräutertee" in text


def test_what_is_saved_is_the_case_and_names_what_changed(cast, ada):
    answer = edit(
        ada, cast.case, form(ada, cast.case, plan__weeks="6", person__weight_kg="70", history__alcohol="?")
    )
    assert answer.status_code == 302, answer.content.decode()
    case = Case.objects.get(pk=cast.case.pk)
    expected = json.loads(json.dumps(CASE))
    expected["plan"]["weeks"] = 6
    expected["person"]["weight_kg"] = 70
    assert case.data == expected
    assert case.passed == ["history.alcohol"]
    assert (case.version, case.draft) == (2, None)
    entry = Entry.objects.get(action="case.changed")
    assert entry.detail == {
        "changed": ["history.alcohol", "person.weight_kg", "plan.weeks"],
        "version": 2,
    }
    assert "I do not know" in ada.get(f"/cases/{case.pk}/edit").content.decode()
    again = edit(ada, case, form(ada, case, plan__weeks="6", person__weight_kg="70", history__alcohol="?"))
    assert again.status_code == 302
    assert Case.objects.get(pk=case.pk).version == 2, "nothing changed"


def test_the_age_is_that_of_the_day_that_is_asked(cast, ada):
    assert edit(ada, cast.case, form(ada, cast.case, as_of="2000-02-29")).status_code == 302
    assert Case.objects.get(pk=cast.case.pk).data["person"]["age_years"] == 25
    typed = form(ada, cast.case, as_of="2000-03-01", person__age_years="99")
    assert edit(ada, cast.case, typed).status_code == 302
    assert Case.objects.get(pk=cast.case.pk).data["person"]["age_years"] == 26, "it is not typed"


def test_every_fault_is_said_at_its_field_and_what_was_typed_stays(cast, ada):
    typed = form(
        ada,
        cast.case,
        plan__weeks="many",
        person__weight_kg="7",
        as_of="1960-01-01",
        history__current="?, baclofen",
    )
    page = edit(ada, cast.case, typed)
    text = page.content.decode()
    assert page.status_code == 422
    for field in ("plan.weeks", "person.weight_kg", "as_of", "history.current"):
        assert f'id="{field}-error"' in text, field
    assert 'value="many"' in text
    assert "before the person was born" in text
    case = Case.objects.get(pk=cast.case.pk)
    assert (case.data, case.version) == (CASE, 1)
    assert case.draft["said"]["plan.weeks"] == "many"
    assert 'value="many"' in ada.get(f"/cases/{case.pk}/edit").content.decode()
    assert "Drafts not saved yet" in ada.get("/").content.decode()


def test_a_draft_keeps_what_is_typed_and_leaves_one_entry(cast, ada):
    typed = form(ada, cast.case, plan__weeks="x")
    for weeks in ("x", "xy"):
        answer = ada.post(
            f"/cases/{cast.case.pk}/draft", {**typed, "plan.weeks": weeks}, headers={"HX-Request": "true"}
        )
        assert answer.status_code == 200
        assert re.search(r"Saved as a draft at \d\d:\d\d", answer.content.decode())
    case = Case.objects.get(pk=cast.case.pk)
    assert (case.data, case.draft["said"]["plan.weeks"]) == (CASE, "xy")
    assert Entry.objects.filter(action="draft.begun").count() == 1
    assert edit(ada, case, typed, "discard").status_code == 302
    assert Case.objects.get(pk=case.pk).draft is None


def test_a_later_save_of_an_older_version_is_refused_with_both(cast, ada, eve):
    mine, theirs = (
        form(ada, cast.case, plan__weeks="6"),
        form(eve, cast.case, plan__weeks="8", person__weight_kg="70"),
    )
    assert edit(eve, cast.case, theirs).status_code == 302
    page = edit(ada, cast.case, mine)
    text = page.content.decode()
    assert page.status_code == 409
    assert "Eve saved “8” meanwhile." in text
    assert 'name="plan.weeks" type="text" value="6"' in text
    assert 'value="70"' in text, "what only Eve changed is hers"
    assert Case.objects.get(pk=cast.case.pk).data["plan"]["weeks"] == 8
    again = {**mine, **hidden(text), "person.weight_kg": "70"}
    assert edit(ada, cast.case, again).status_code == 302
    case = Case.objects.get(pk=cast.case.pk)
    assert (case.data["plan"]["weeks"], case.data["person"]["weight_kg"], case.version) == (6, 70, 3)


def test_a_draft_of_somebody_else_is_said_and_not_written_over(cast, ada, eve):
    ada.post(f"/cases/{cast.case.pk}/draft", form(ada, cast.case, plan__weeks="6"))
    page = eve.get(f"/cases/{cast.case.pk}/edit").content.decode()
    assert re.search(r"Ada&#39;s draft of \d\d:\d\d is not saved", page)
    mine = form(eve, cast.case, person__weight_kg="70")
    answer = eve.post(f"/cases/{cast.case.pk}/draft", mine, headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert "Ada&#39;s draft" in answer.content.decode()
    assert Case.objects.get(pk=cast.case.pk).draft["who"] == "Ada"
    # Save works and leaves the draft
    assert edit(eve, cast.case, mine).status_code == 302
    case = Case.objects.get(pk=cast.case.pk)
    assert (case.draft["who"], case.data["person"]["weight_kg"]) == ("Ada", 70)
    # taken up, it is Eve's, with what both typed
    taken = edit(eve, case, form(eve, case, person__weight_kg="70", history__alcohol="some"), "take")
    assert taken.status_code == 200
    draft = Case.objects.get(pk=case.pk).draft
    assert (draft["who"], draft["said"]["plan.weeks"], draft["said"]["history.alcohol"]) == (
        "Eve",
        "6",
        "some",
    )


def test_questions_follow_the_answers_and_what_no_longer_applies_is_said(cast, ada):
    typed = form(ada, cast.case, person__sex="male")
    page = edit(ada, cast.case, typed, "update").content.decode()
    assert "No longer applies" in page
    assert 'name="person.pregnancy"' not in page
    first = edit(ada, cast.case, typed)
    assert first.status_code == 422
    assert "press Save again" in first.content.decode()
    typed = {k: v for k, v in {**typed, **hidden(first.content.decode())}.items() if k != "person.pregnancy"}
    assert edit(ada, cast.case, typed).status_code == 302
    assert "pregnancy" not in Case.objects.get(pk=cast.case.pk).data["person"]


def test_treatments_are_taken_over_on_request_beside_what_stands_there(cast, ada):
    Treatment.objects.create(patient=cast.patient, drug="gabapentin", dose="900 mg/day", is_current=True)
    Treatment.objects.create(patient=cast.patient, drug="baclofen", dose="30 mg/day", is_current=True)
    edit(ada, cast.case, form(ada, cast.case), "treatments")
    case = Case.objects.get(pk=cast.case.pk)
    assert (
        case.draft["said"]["history.current"]
        == "baclofen 60 mg/day, clobazam 10 mg/day, gabapentin 900 mg/day"
    )
    assert case.data == CASE


def test_a_closed_case_refuses_every_change(cast, ada):
    assert ada.get(f"/cases/{cast.case.pk}").status_code == 200, "so that there is an answer to be forecast"
    assert ada.post(f"/cases/{cast.case.pk}/close", {"why": " "}).status_code == 422
    ada.post(f"/cases/{cast.case.pk}/draft", form(ada, cast.case))
    assert ada.post(f"/cases/{cast.case.pk}/close", {"why": "Done"}).status_code == 409, "a draft is there"
    Case.objects.filter(pk=cast.case.pk).update(draft=None)
    assert ada.post(f"/cases/{cast.case.pk}/close", {"why": "Done"}).status_code == 302
    before = Case.objects.filter(pk=cast.case.pk).values().get()
    paths = list(paths_of_a_case(cast.case.pk))
    refused = set()
    for path in paths:
        answer = ada.post(
            path, {"do": "save", "version": "1", "why": "x", "reason": "x", "kind": "report.pdf"}
        )
        # a comparison and a document are asked of a worker, and first of all rightly
        assert answer.status_code in (405, 409, 422), path
        if answer.status_code == 409:
            assert "closed" in answer.content.decode(), path
            refused.add(path.rpartition("/")[2])
    assert {"edit", "draft", "close", "forecast", "reason"} <= refused
    assert Case.objects.filter(pk=cast.case.pk).values().get() == before
    assert not cast.case.documents.exists()
    assert not cast.case.work.exists()


def paths_of_a_case(key):
    """Every address below a case."""
    some = {"uuid": uuid.uuid4(), "int": 1, "str": "x"}

    def walk(patterns, before=""):
        for each in patterns:
            route = before + str(each.pattern)
            if isinstance(each, URLResolver):
                yield from walk(each.url_patterns, route)
            elif isinstance(each, URLPattern) and route.startswith("cases/<uuid:id>"):
                yield "/" + re.sub(
                    r"<(\w+):(\w+)>", lambda m: str(key if m[2] == "id" else some[m[1]]), route
                )

    return walk(get_resolver().url_patterns)


ODD = [
    *(
        "<script>alert(1)</script>",
        "😀" * 30,
        "x" * 100_000,
        "a\0b",
        "0000-00-00",
        "9999-12-31",
        "2026-02-30",
        "-1",
    ),
    *(
        '["a", "b"]',
        '{"a": 1}',
        "1e999",
        "nan",
        "9" * 400,
        "' OR 1=1 --",
        "?",
        "none",
        "?, none",
        ", ,",
        "\r\n",
    ),
    *(" ", "\u202etext", "ﷺ" * 100, "=1+1", "0x10", "٣", '{"plan.weeks": "\\ud800\\u0000"}'),
]


@pytest.mark.slow
def test_odd_input_is_answered_and_leaves_nothing_half_written(cast, ada):
    """200 requests: each odd text in fields of each form."""
    person = {"given_name": "Ann", "family_name": "Lee", "born": "1980-01-01"}
    treatment = {"drug": "baclofen", "outcome": "helped"}
    patient, case = f"/patients/{cast.patient.pk}", f"/cases/{cast.case.pk}"
    page = form(ada, cast.case)
    forms = [
        (
            "/patients/add",
            person,
            ("given_name", "born", "sex", "residence", "phone", "email", "address", "another"),
        ),
        ("/patients", {}, ("name", "born", "phone", "page")),
        (f"{patient}/change", {**person, "version": "1"}, ("family_name", "version", "was", "born")),
        (f"{patient}/treatments/add", treatment, ("drug", "dose", "began", "outcome", "is_current")),
        (f"{case}/edit", {**page, "version": "abc"}, (*BASE, "flags.x", "tab", "asked", "was", "do")),
        (f"{case}/edit", page, ("plan.weeks", "history.current", "as_of", "person.sex", "place.residence")),
        (f"{case}/draft", page, (*BASE, "flags.x", "tab", "over", "was")),
        (f"{case}/close", {}, ("other",)),
    ]
    kept = ("data", "version", "status", "passed")
    before = Case.objects.filter(pk=cast.case.pk).values(*kept).get()
    sent = 0
    for at, odd in enumerate(ODD):
        for path, good, fields in forms:
            some = {fields[at % len(fields)]: odd, fields[(3 * at + 1) % len(fields)]: odd}
            answer = ada.post(path, {**good, **some})
            assert answer.status_code in (200, 302, 409, 422), (path, some)
            assert "<script>alert" not in answer.content.decode()
            sent += 1
        now = Case.objects.get(pk=cast.case.pk)
        if now.version != before["version"]:  # what was right after all was saved: whole
            assert make_case(now.data)
            Case.objects.filter(pk=cast.case.pk).update(**before)
    assert sent >= 200
    assert not list(audit.faults())
