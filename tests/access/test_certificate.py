"""The draft of a certification: what the case fills, what is missing, and what nobody may state for another."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest

from lissive.access.answer import Facts
from lissive.access.certificate import DRAFT, draft
from lissive.access.facts import facts_of_case, with_more
from lissive.case import make_case
from lissive.cli.main import main
from lissive.errors import CaseError, RuleError
from lissive.report.certificate_text import WRITERS, draft_html, draft_markdown, draft_text

TODAY = datetime.date(2026, 11, 22)


def case(**parts):
    base = {
        "case": "a",
        "person": {"age_years": 52},
        "place": {"residence": "US-NY", "visit": "video", "practitioner": "NP"},
        "spasm": {"cause": "multiple_sclerosis", "severe": True, "persistent": True, "spasms_per_day": 9},
        "history": {
            "tried": ("baclofen", "tizanidine"),
            "current": ({"drug": "baclofen", "dose": "60 mg/day"},),
            "conditions": (),
        },
    }
    for name, part in parts.items():
        base[name] = {**base.get(name, {}), **part} if isinstance(part, dict) else part
    return make_case(base)


def entry(found, name):
    return next(each for each in found.entries if each.field.id == name)


def test_the_case_fills_what_it_knows():
    found = draft(case(), TODAY)
    assert found.fillable
    assert entry(found, "condition").value == "multiple sclerosis, with severe and persistent muscle spasms"
    assert entry(found, "severity").value.startswith("9 spasms on an average day")
    assert entry(found, "past_treatments").value.startswith("baclofen; tizanidine")
    assert "60 mg/day" in entry(found, "present_treatments").value
    assert entry(found, "practitioner_type").value == "NP"


def test_what_a_case_never_holds_is_listed_as_missing():
    missing = {each.field.id for each in draft(case(), TODAY).missing}
    assert {
        "practitioner_name", "practitioner_address", "licence_number", "dea_number", "patient_name", "patient_birth",
        "patient_address", "patient_telephone",
    } <= missing  # fmt: skip
    assert "condition" not in missing


def test_no_statement_is_made_in_anybodys_name():
    for place in ("US-NY", "US-KY", "US-CA"):
        found = draft(case(place={"residence": place}), TODAY)
        statements = [each for each in found.entries if each.field.part == "statements"]
        assert statements
        assert {each.state for each in statements} == {"practitioner"}
        assert {entry(found, name).state for name in ("date", "signature")} == {"practitioner"}


def test_the_clause_relied_on_comes_with_quote_day_and_source():
    text = draft_text(draft(case(), TODAY))
    assert "the patient has a condition, which shall be specified" in text
    assert "Rule NY-2026, in force from 2026-02-19 on" in text
    assert "https://assembly.state.ny.us" in text


def test_it_runs_out_after_one_year_before_the_change_and_after_two_from_it():
    days = datetime.date(2026, 2, 18), datetime.date(2026, 2, 19)
    assert [draft(case(), day).answer.expires for day in days] == [
        datetime.date(2027, 2, 18),
        datetime.date(2028, 2, 19),
    ]


def test_the_old_form_is_used_on_its_days():
    found = draft(case(place={"practitioner": "MD"}), datetime.date(2016, 6, 1))
    assert entry(found, "associated_condition").value == "severe and persistent muscle spasms"
    assert not found.common


def test_who_is_not_eligible_gets_no_form():
    found = draft(case(place={"residence": "US-ID"}), TODAY)
    assert not found.fillable
    assert {each.state for each in found.entries} <= {"withheld", "not_applicable"}
    assert {each.value for each in found.entries} == {""}
    text = draft_text(found)
    assert "The form is not filled" in text
    assert "baclofen" not in text


def test_where_a_fact_is_missing_the_form_waits_and_asks_for_it():
    found = draft(case(place={"residence": "US-AK"}, spasm={"persistent": None}), TODAY)
    assert found.answer.status == "unknown"
    assert not found.fillable
    assert "Find out whether the muscle spasms are persistent. It would then be:" in draft_text(found)


def test_a_procedural_block_is_said_at_once_and_does_not_hide_the_answer():
    found = draft(case(place={"residence": "US-KY"}), TODAY)
    assert (found.answer.status, found.answer.procedural) == ("eligible", "blocked")
    assert found.fillable
    assert "AS THE VISIT IS PLANNED IT CANNOT BE CERTIFIED" in draft_text(found)


def test_a_renewal_elsewhere_is_drafted_with_what_else_is_said():
    more = Facts(initial=False, visit="in_person", practitioner="MD", resident=True, dx=("epilepsy",))
    found = draft(case(), TODAY, code="US-FL", more=more)
    assert (found.answer.jurisdiction, found.answer.procedural) == ("US-FL", "ok")
    assert entry(found, "statement_examination").value == "planned: in person, renewal"
    assert entry(found, "patient_address").value == "US-NY"  # as the case has it
    first = draft(case(), TODAY, code="US-FL", more=replace(more, initial=True, visit="video"))
    assert first.answer.procedural == "blocked"
    assert draft(case(), TODAY, code="US-FL").answer.procedural == "blocked"  # no resident of Florida


def test_further_facts_are_added_to_those_of_the_case_and_take_nothing_away():
    base = facts_of_case(case())
    assert with_more(base, Facts()) == base
    more = with_more(base, Facts(dx=("epilepsy", *base.dx), flags={"terminal_illness_6m": True}))
    assert more.dx == (*base.dx, "epilepsy")
    assert {*base.symptoms} <= {*more.symptoms}
    assert (more.age, more.visit, more.practitioner) == (base.age, base.visit, base.practitioner)


def test_unknown_treatment_is_missing_and_none_is_said_to_be_none():
    unknown = entry(draft(case(history={"tried": None}), TODAY), "past_treatments")
    none = entry(draft(case(history={"tried": ()}), TODAY), "past_treatments")
    assert (unknown.state, unknown.value) == ("missing", "")
    assert (none.state, none.value) == ("filled", "none tried")


@pytest.mark.parametrize(
    ("age", "state"), [(17, "missing"), (17.9, "missing"), (18, "not_applicable"), (None, "missing")]
)
def test_minors_are_asked_for_more(age, state):
    assert entry(draft(case(person={"age_years": age}), TODAY), "responsible_person").state == state


def test_consent_about_hiv_is_asked_where_it_is_told():
    assert entry(draft(case(), TODAY), "hiv_consent").state == "not_applicable"
    assert entry(draft(case(history={"conditions": ("hiv",)}), TODAY), "hiv_consent").state == "missing"


@pytest.mark.parametrize("ending", list(WRITERS))
@pytest.mark.parametrize("residence", ["US-NY", "US-ID", "US-KY"])
def test_every_format_says_draft_first_and_last_and_that_nothing_is_submitted(ending, residence):
    text = WRITERS[ending](draft(case(place={"residence": residence}), TODAY))
    body = text[text.index("<body>") :] if ending == ".html" else text
    assert body.count(DRAFT) == 2
    assert "Nothing has been submitted anywhere" in text
    assert body.index(DRAFT) < 150
    assert len(body) - body.rindex(DRAFT) < 350


def test_what_a_case_says_cannot_break_the_page_or_the_table():
    odd = case(history={"current": ({"drug": "a", "dose": "60 mg/day"},)}, case="a")
    page, text = draft_html(draft(odd, TODAY)), draft_markdown(draft(odd, TODAY))
    assert page.count("<table>") == page.count("</table>") > 3
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {5}


def test_the_json_has_every_field_with_its_citation_and_provenance():
    found = draft(case(), TODAY).to_json()
    assert found["fillable"] is True
    assert found["form"] == "US-NY"
    assert found["draft"].startswith("DRAFT")
    for each in found["fields"]:
        assert each["provenance"] in ("read", "recalled")
        assert each["citation"]
    assert set(found["missing"]) == {each["id"] for each in found["fields"] if each["state"] == "missing"}


def test_a_case_without_residence_is_refused():
    with pytest.raises(RuleError, match=r"place\.residence is missing"):
        draft(case(place={"residence": None}), TODAY)


def test_a_residence_without_rules_is_refused_with_the_nearest():
    with pytest.raises(RuleError, match="Unknown jurisdiction 'US-QQ'"):
        draft(case(place={"residence": "US-QQ"}), TODAY)


def test_a_day_before_the_first_rule_is_refused():
    with pytest.raises(RuleError, match="no rule of New York was in force on that day; the first is NY-2014"):
        draft(case(), datetime.date(1990, 1, 1))


def test_no_dose_stands_in_a_draft_for_a_product_that_cannot_be_had():
    plan = {"product": "nabiximols", "titration": "label", "weeks": 12}
    found = draft(case(plan=plan), TODAY)
    assert found.answer.product.status == "not_obtainable"
    text = draft_text(found)
    assert "nabiximols (Sativex)" in text
    assert "titrated by the label" not in text
    assert "12 weeks" not in text
    remarks = [each.remark for each in found.entries if "missed its endpoint" in each.remark]
    assert remarks
    assert not any(".;" in each for each in remarks)


def test_past_treatments_come_with_their_outcome_and_one_that_is_not_said_is_named():
    tried = {"tried": ("baclofen", "tizanidine"), "outcome": {"baclofen": "not_effective"}}
    value = entry(draft(case(history=tried), TODAY), "past_treatments").value
    assert value == "baclofen: not effective; tizanidine (the outcome of tizanidine is not in the case)"
    both = {**tried, "outcome": {"baclofen": "not_effective", "tizanidine": "not_tolerated"}}
    assert entry(draft(case(history=both), TODAY), "past_treatments").value.endswith(
        "tizanidine: not tolerated"
    )


def test_the_outcome_of_what_was_not_tried_is_refused():
    with pytest.raises(CaseError, match=r"history\.outcome\.gabapentin is not among history\.tried"):
        case(history={"tried": ("baclofen",), "outcome": {"gabapentin": "effective"}})


TEXAS = Facts(resident=True, visit="in_person", practitioner="specialist", specialty=True)


def test_texas_asks_for_dosage_and_means_and_they_are_filled_where_the_product_can_be_had():
    plan = {"product": "capsule", "dose": "5 mg", "doses_per_day": 2}
    found = draft(case(place={"residence": "US-TX"}, plan=plan), TODAY, more=TEXAS)
    assert entry(found, "dosage").value == "5 mg THC, 2 times a day"
    assert entry(found, "means").value == "capsule of cannabis extract"
    unplanned = draft(case(place={"residence": "US-TX"}), TODAY, more=TEXAS)
    assert (entry(unplanned, "dosage").state, entry(unplanned, "means").state) == ("missing", "missing")


def test_a_medicine_on_prescription_is_not_ticked_on_a_programme_s_form():
    plan = {"product": "dronabinol", "dose": "5 mg", "doses_per_day": 2}
    found = draft(case(place={"residence": "US-TX"}, plan=plan), TODAY, more=TEXAS)
    assert (found.answer.product.status, found.answer.product.route) == ("obtainable", "prescription")
    assert {entry(found, name).value for name in ("dosage", "means")} == {""}
    assert "dronabinol" in entry(found, "means").remark


@pytest.mark.parametrize(
    ("age", "caregiver", "state"),
    [(52, None, "optional"), (52, False, "not_applicable"), (52, True, "missing"), (12, None, "missing")],
)
def test_a_caregiver_is_asked_of_minors_and_of_who_has_one(age, caregiver, state):
    found = draft(
        case(place={"residence": "US-KY"}),
        TODAY,
        more=Facts(age=age, caregiver=caregiver, dx=("multiple_sclerosis",)),
    )
    assert entry(found, "caregiver").state == state
    assert entry(found, "guardian").state == ("missing" if age == 12 else "not_applicable")


def test_one_who_may_not_certify_there_is_not_ticked():
    found = draft(case(place={"residence": "US-FL"}), TODAY)  # a nurse practitioner
    assert found.answer.blocks[0] == "practitioner_type"
    assert entry(found, "practitioner_type").state == "missing"


def test_the_json_says_of_each_field_what_kind_of_source_it_has_and_when_it_was_read():
    fields = draft(case(place={"residence": "US-GA"}), TODAY).to_json()["fields"]
    read = [each for each in fields if each["provenance"] == "read"]
    assert {each["source_kind"] for each in read} <= {"primary", "secondary"}
    assert {each["source_seen"] for each in read} == {"2026-11-29"}


@pytest.mark.parametrize(("age", "is_said"), [(12, True), (52, False), (None, True)])
def test_what_the_visit_asks_of_minors_is_not_said_to_adults(age, is_said):
    found = draft(case(place={"residence": "US-FL"}, person={"age_years": age}), TODAY)
    assert any("second physician" in each.text for each in found.steps) == is_said


def test_a_day_is_written_as_the_place_writes_it():
    since = {"cause": "multiple_sclerosis", "since": "2021-03-01"}
    values = [each.value for each in draft(case(spasm=since), TODAY).entries]
    assert any("since March 1, 2021" in each for each in values)
    assert not any("2021-03-01" in each for each in values)


def test_a_draft_says_what_is_contraindicated(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A certification would be drawn up for a product that the person must not have."""
    for condition, said in (
        ("psychosis", "CONTRAINDICATED: psychosis: no THC"),
        ("schizofrenia", "NOT CHECKED:"),
    ):
        file = tmp_path / "case.yaml"
        text = (Path(__file__).parents[2] / "examples" / "ms-new-york.yaml").read_text(encoding="utf-8")
        file.write_text(text.replace("conditions: []", f"conditions: [{condition}]"), encoding="utf-8")
        main(["access", "draft", str(file)])
        assert said in capsys.readouterr().out
