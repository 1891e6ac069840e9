"""What a certification asks and what the visit entails, by place and day."""

from __future__ import annotations

import datetime

import pytest

from lissive.access.answer import Answer, Facts
from lissive.access.rule import rules
from lissive.access.visit import (
    PARTS,
    Origin,
    fields_of,
    form_fields,
    next_steps,
    read_fields,
    read_steps,
    steps_of,
    visit_requirements,
    visit_steps,
)
from lissive.errors import RuleError

BEFORE, FIRST = datetime.date(2026, 2, 18), datetime.date(2026, 2, 19)  # S3294-A
OLD, NEW = datetime.date(2022, 1, 23), datetime.date(2022, 1, 24)  # from 10 NYCRR 1004.2 to Cannabis Law s.30


def of_kind(kind, on, place="US-NY"):
    return [each for each in steps_of(place, on) if each.kind == kind]


def version(code, on):
    day = on.isoformat()
    return next(
        each
        for each in rules()[code].versions
        if (each.begins or "") <= day and (each.ends is None or day <= each.ends)
    )


def test_looking_into_the_monitoring_programme_is_a_duty_until_the_day_before():
    (before,), (first,) = of_kind("pmp", BEFORE), of_kind("pmp", FIRST)
    assert "duty" in before.text
    assert "no longer a duty" in first.text
    assert before.citation == "Cannabis Law s.30(4)"


def test_a_certification_of_new_york_runs_one_year_and_then_two():
    assert [each.months for each in of_kind("validity", BEFORE)] == [12]
    assert [each.months for each in of_kind("validity", FIRST)] == [24]


@pytest.mark.parametrize(
    ("code", "on"), [("US-NY", BEFORE), ("US-NY", FIRST), ("US-NY", OLD), ("US-IL", FIRST)]
)
def test_the_table_and_the_rule_agree_on_how_long_it_is_valid(code, on):
    (step,) = of_kind("validity", on, code)
    assert step.months == version(code, on).certification_validity_months


def test_nurse_practitioners_and_physician_assistants_came_on_their_days():
    said = [
        of_kind("who", datetime.date(*day))[0].text for day in ((2016, 11, 29), (2016, 11, 30), (2017, 3, 15))
    ]
    assert ["nurse" in each for each in said] == [False, True, True]
    assert ["assistant" in each for each in said] == [False, False, True]


def test_midwives_certify_under_the_present_law_only():
    assert "midwife" not in of_kind("who", OLD)[0].text
    assert "midwife" in of_kind("who", NEW)[0].text


def test_the_old_form_asks_for_an_associated_condition_and_a_registered_practitioner():
    old = {each.id for each in fields_of("US-NY", OLD)}
    new = {each.id for each in fields_of("US-NY", NEW)}
    assert {"associated_condition", "statement_registered"} <= old
    assert not {"associated_condition", "statement_registered"} & new
    assert {"statement_benefit", "statement_qualified", "statement_continuing_care"} <= new


def test_the_form_of_new_york_has_all_that_the_regulation_lists():
    """9 NYCRR 113.3(a)(1)-(7) and Cannabis Law s.30(2)(a)-(e)."""
    asked = " ".join(each.citation for each in fields_of("US-NY", FIRST))
    for paragraph in range(1, 8):
        assert f"9 NYCRR 113.3(a)({paragraph})" in asked
    for letter in "abcde":
        assert f"s.30(2)({letter})" in asked


def test_elsewhere_the_form_is_the_common_one_and_from_memory():
    fields = fields_of("US-AZ", FIRST)
    assert {each.place for each in fields} == {"common"}
    assert {each.provenance for each in fields} == {"recalled"}


def test_every_jurisdiction_has_steps_and_each_says_how_it_is_known():
    for code, place in rules().items():
        for each in place.versions:
            if each.logic.kind == "never":
                continue
            on = datetime.date.fromisoformat(each.begins)
            steps = visit_steps(place, each, on)
            assert steps or (each.practitioners is None and each.telehealth is None and each.fee is None), (
                code
            )
            for step in steps:
                assert step.provenance in ("read", "recalled")
                assert ("unverified" in step.said) == (step.provenance == "recalled"), step


def test_what_was_found_later_does_not_pass_for_what_held_then():
    long_ago = datetime.date(2018, 1, 1)
    florida = visit_steps(rules()["US-FL"], version("US-FL", long_ago), long_ago)
    assert any("whether it held on 2018-01-01 is not known" in each.said for each in florida)


def steps_for(status="eligible", **facts):
    answer = Answer("US-MA", "Massachusetts", FIRST, status, "ok", rule="MA-2020")
    return next_steps(Facts(**facts), rules()["US-MA"], version("US-MA", FIRST), answer)


def test_what_concerns_minors_is_said_of_minors_and_where_the_age_is_not_known():
    assert [any("paediatric" in line for line in steps_for(age=age)) for age in (12, 40, None)] == [
        True,
        False,
        True,
    ]


def test_nobody_is_sent_to_a_visit_that_leads_nowhere():
    assert steps_for("not_eligible") == ()


@pytest.mark.parametrize("rows", [form_fields, visit_requirements])
def test_what_was_read_names_where_and_what_is_from_memory_does_not_pass_for_read(rows):
    for row in rows():
        assert (row.provenance == "recalled") or row.source.kind in ("primary", "secondary"), row


TWELVE = ["NY", "TX", "FL", "OH", "KY", "AL", "PA", "MA", "GA", "IL", "NJ", "MN"]


@pytest.mark.parametrize("state", TWELVE)
def test_twelve_states_have_a_form_of_their_own_and_what_was_not_read_of_it_is_said(state):
    fields = fields_of(f"US-{state}", datetime.date(2026, 11, 29))
    assert {each.place for each in fields} == {f"US-{state}"}
    assert {each.part for each in fields} >= {*PARTS} - {"recommendation"}  # Georgia asks for none
    assert sum(each.provenance == "read" for each in fields) >= 8
    assert {"past_treatments", "unread", "date", "signature"} <= {each.id for each in fields}


def test_what_the_rule_of_georgia_asks_of_the_physician_is_in_the_form():
    """Ga. Comp. R. & Regs. 360-36-.02(2)(a)-(f)."""
    asked = " ".join(each.citation for each in fields_of("US-GA", datetime.date(2026, 11, 29)))
    for letter in "abcdef":
        assert f"(2)({letter})" in asked


def test_what_texas_asks_of_a_prescription_is_in_the_form():
    """Tex. Occ. Code 169.004(a)(1)-(5)."""
    fields = fields_of("US-TX", datetime.date(2026, 11, 29))
    for number in range(1, 6):
        assert any(each.citation == f"Tex. Occ. Code 169.004(a)({number})" for each in fields)
    assert {"supply", "inhalation"} & {
        each.id for each in fields_of("US-TX", datetime.date(2025, 8, 31))
    } == set()


def caregiver_steps(code, caregiver, age=52):
    place, rule = rules()[code], version(code, datetime.date(2026, 11, 22))
    answer = Answer(code, place.name, datetime.date(2026, 11, 22), "eligible", "ok", rule=rule.id)
    return [
        line
        for line in next_steps(Facts(age=age, caregiver=caregiver), place, rule, answer)
        if "aregiver" in line
    ]


def test_a_caregiver_s_registration_is_said_of_who_has_one_and_may_have_one():
    assert "registry identification card" in caregiver_steps("US-KY", True)[-1]
    assert "registry identification card" in caregiver_steps("US-KY", None)[-1]
    assert not any("registry identification card" in line for line in caregiver_steps("US-KY", False))
    assert any("registry identification card" in line for line in caregiver_steps("US-KY", False, age=12))


def test_where_nothing_was_read_of_caregivers_it_is_said_to_who_has_one():
    assert "was not read" in caregiver_steps("US-AZ", True)[-1]
    assert not any("was not read" in line for line in caregiver_steps("US-AZ", None))


FIELD = "US-NY name patient Name required - - - 2020-01-01 - - read here -"
STEP = "US-NY pmp Look. - - - - read here -"
HERE = {"here": Origin("Here", "primary", None, None), "memory": Origin("Memory", "none", None, None)}
COLUMNS = {
    "fields": "in id part label need when below_age fills since until citation provenance source note",
    "steps": "in kind text months since until citation provenance source note",
}


def table(tmp_path, kind, *lines):
    """A table of lines in which blanks stand for tabs, and - for an empty cell."""
    path = tmp_path / f"{kind}.tsv"
    cells = [["" if cell == "-" else cell for cell in line.split(" ")] for line in lines]
    rows = [COLUMNS[kind].split(), *cells]
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read(tmp_path, kind, *lines):
    return {"fields": read_fields, "steps": read_steps}[kind](table(tmp_path, kind, *lines), HERE)


def test_a_right_table_is_read(tmp_path):
    assert read(tmp_path, "fields", FIELD)[0].label == "Name"
    assert read(tmp_path, "steps", STEP)[0].text == "Look."


@pytest.mark.parametrize(
    ("kind", "old", "new", "says"),
    [
        ("steps", " pmp ", " pmpp ", "kind is 'pmpp'. Did you mean pmp?"),
        ("steps", "Look. -", "Look. many", "months is 'many'. Allowed: 1 to 120."),
        ("fields", " here", " there", "source is 'there', which is not in visit_sources.tsv. Did you mean here?"),
        ("fields", " here", " memory", "provenance is read, and the source is none."),
        ("fields", "2020-01-01", "2020-02-30", "since is '2020-02-30'."),
        ("fields", "2020-01-01 -", "2020-01-01 2019-01-01", "until is 2019-01-01, before since"),
        ("fields", " required ", " perhaps ", "need is 'perhaps'."),
        ("fields", " patient ", " patients ", "part is 'patients'. Did you mean patient?"),
        ("fields", " here -", " here", "The line has 13 cells."),
    ],
)  # fmt: skip
def test_a_wrong_table_is_said_with_its_line(tmp_path, kind, old, new, says):
    good = {"fields": FIELD, "steps": STEP}[kind]
    assert old in good
    with pytest.raises(RuleError) as caught:
        read(tmp_path, kind, good.replace(old, new))
    assert says in str(caught.value)
    assert f"{kind}.tsv:2" in str(caught.value)


def test_two_fields_of_one_name_do_not_hold_on_the_same_day(tmp_path):
    with pytest.raises(RuleError, match=r"fields\.tsv:3.*twice for some of the same days"):
        read(tmp_path, "fields", FIELD, FIELD.replace("2020-01-01 -", "- 2020-01-01"))
    assert len(read(tmp_path, "fields", FIELD, FIELD.replace("2020-01-01 -", "- 2019-12-31"))) == 2


@pytest.mark.parametrize("code", ["US-KY", "US-AR", "US-ME", "US-OK"])
def test_a_step_from_the_rule_is_to_be_checked_only_where_its_field_was_not_read(code):
    on = datetime.date(2026, 11, 22)
    rule = version(code, on)
    fields = {"First visit": "telehealth", "Valid ": "certification_validity", "Who may": "practitioners"}
    for step in visit_steps(rules()[code], rule, on):
        for start, field in fields.items():
            if step.text.startswith(start):
                assert step.provenance == ("read" if field in rule.fields_read else "recalled"), step
    with pytest.raises(KeyError):
        rule.known("telehealth_initial")  # no field of that name


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2019-06-01", "is not allowed until 2020-03"),
        ("2020-03-10", "may be allowed"),
        ("2020-04-01", "is allowed."),
    ],
)
def test_telehealth_is_said_as_it_was_on_the_day(day, said):
    on = datetime.date.fromisoformat(day)
    steps = visit_steps(rules()["US-NH"], version("US-NH", on), on)
    assert [each.text for each in steps if said in each.text], [each.text for each in steps]


def test_who_may_certify_is_said_as_it_was_on_the_day():
    before, after = datetime.date(2019, 4, 22), datetime.date(2019, 4, 23)
    who = [
        next(
            each.text
            for each in visit_steps(rules()["US-ND"], version("US-ND", on), on)
            if each.kind == "who"
        )
        for on in (before, after)
    ]
    assert who == ["Who may certify: MD, DO, NP.", "Who may certify: MD, DO, NP, PA."]
