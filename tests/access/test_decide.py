"""What a dated rule says about one person: levels, dates, causes, adjectives, what is missing, what is doubtful."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from tests.access.asked import IDIOPATHIC, MS, ask, status

from lissive.access.answer import Facts, Level, Symptom
from lissive.access.cases import compare
from lissive.access.decide import decide, explain
from lissive.access.facts import make_facts


# -- what two popular articles say, on their dates --------------------------------------------------
@pytest.mark.parametrize("on", ["2016-06-01", "2018-01-01", "2021-12-31", "2022-01-23"])
def test_new_york_before_2022_needs_a_listed_condition_and_an_associated_one(on: str) -> None:
    listed = {"dx": ["multiple_sclerosis"]}
    assert status("US-NY", on, **listed, symptoms={"muscle_spasms": MS}) == "eligible"
    assert status("US-NY", on, **listed) == "not_eligible"  # no associated condition
    assert status("US-NY", on, symptoms={"muscle_spasms": IDIOPATHIC}) == "not_eligible"  # no listed one


@pytest.mark.parametrize(
    ("severe", "persistent", "expected"),
    [
        (True, False, "eligible"),
        (False, True, "eligible"),
        (False, False, "not_eligible"),
        (None, False, "unknown"),
    ],
)
def test_in_new_york_severe_or_persistent_was_enough(
    severe: bool | None, persistent: bool | None, expected: str
) -> None:
    spasms = {"severe": severe, "persistent": persistent, "cause": "als"}
    assert status("US-NY", "2015-01-01", dx=["als"], symptoms={"muscle_spasms": spasms}) == expected


def test_new_york_today_leaves_it_to_the_practitioner() -> None:
    for on in ("2022-01-24", "2026-11-22"):
        answer = ask("US-NY", on, symptoms={"muscle_spasms": IDIOPATHIC})
        assert answer.status == "eligible_at_discretion"
        assert answer.fired[0].quote is not None
        assert "the patient has a condition" in answer.fired[0].quote


def test_massachusetts_goes_by_the_practitioners_written_determination() -> None:
    facts = {"symptoms": {"muscle_spasms": IDIOPATHIC}}
    answer = ask("US-MA", "2024-05-01", **facts, flags={"functional_limit": True})
    assert answer.status == "eligible_at_discretion"
    assert [each.quote for each in answer.fired if each.quote] == [
        "other conditions as determined in writing by a qualifying patient’s certifying physician"
    ]
    assert status("US-MA", "2024-05-01", **facts, flags={"functional_limit": False}) == "not_eligible"
    assert status("US-MA", "2024-05-01", **facts) == "unknown"


# -- days ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "last_day", "before", "after", "facts"),
    [
        ("US-NY", "2022-01-23", "not_eligible", "eligible_at_discretion", {"muscle_spasms": IDIOPATHIC}),
        ("US-MN", "2024-06-30", "unknown", "eligible_at_discretion", {"muscle_spasms": {"persistent": True}}),
        ("US-OH", "2021-06-08", "not_eligible", "eligible", {"spasticity": {"cause": "stroke"}}),
        ("US-TX", "2019-06-13", "not_eligible", "eligible", {"spasticity": {"cause": "cerebral_palsy"}}),
        ("US-LA", "2018-07-31", "not_eligible", "eligible", {"muscle_spasms": IDIOPATHIC}),
        ("US-KY", "2024-12-31", "not_eligible", "eligible", {"muscle_spasms": {}}),
        ("US-MT", "2011-06-30", "eligible", "not_eligible", {"muscle_spasms": {**MS, "cause": "whiplash"}}),
        ("US-CA", "2003-12-31", "eligible_at_discretion", "eligible", {"muscle_spasms": IDIOPATHIC}),
    ],
)  # fmt: skip
def test_a_rule_changes_on_its_day(
    code: str, last_day: str, before: str, after: str, facts: dict[str, Any]
) -> None:
    day = datetime.date.fromisoformat(last_day)
    person = make_facts({"age": 40, "symptoms": facts})
    assert decide(person, code, day).status == before
    next_day = decide(person, code, day + datetime.timedelta(days=1))
    assert next_day.status == after
    assert "near_change" in {each.kind for each in next_day.cautions}


def test_a_clause_begins_on_its_day_within_a_version() -> None:
    facts: dict[str, Any] = {"dx": ["ptsd"], "symptoms": {"muscle_spasms": MS}}
    assert status("US-NY", "2017-11-10", **facts) == "not_eligible"
    assert status("US-NY", "2017-11-11", **facts) == "eligible"


def test_a_clause_holds_on_its_last_day() -> None:
    """New Hampshire asked until 2023-10-06 that severe pain had resisted treatment."""
    pain = {"symptoms": {"severe_pain": {}}}
    refractory = {**pain, "flags": {"pain_refractory": True}}
    treatable = {**pain, "flags": {"pain_refractory": False}}
    assert status("US-NH", "2023-10-06", **refractory) == "eligible"
    assert status("US-NH", "2023-10-06", **treatable) == "unknown"  # it may be chronic
    assert status("US-NH", "2023-10-07", **treatable) == "eligible"


def test_a_clause_of_which_only_the_year_is_known_is_taken_as_not_begun_and_said_to_be_uncertain() -> None:
    for on, expected in (
        ("2013-12-31", "not_eligible"),
        ("2014-06-01", "not_eligible"),
        ("2015-01-01", "eligible"),
    ):
        answer = ask("US-OR", on, dx=["ptsd"])
        assert answer.status == expected
        assert ("boundary_uncertain" in {each.kind for each in answer.cautions}) == (on == "2014-06-01")


@pytest.mark.parametrize(
    ("on", "expected", "uncertain"),
    [
        ("2019-12-31", "not_eligible", False),
        ("2020-06-15", "not_eligible", True),  # the year is known, the day is not
        ("2021-01-01", "eligible", False),
    ],
)
def test_within_the_window_of_a_vague_day_the_lower_result_is_given(
    on: str, expected: str, uncertain: bool
) -> None:
    answer = ask("US-OH", on, dx=["cachexia"])  # added in 2020
    assert answer.status == expected
    assert ("boundary_uncertain" in {each.kind for each in answer.cautions}) == uncertain


def test_before_the_first_rule_there_is_no_route_unless_earlier_rules_are_known_to_be_left_out() -> None:
    answer = ask("US-NY", "2014-07-04", dx=["multiple_sclerosis"])
    assert (answer.status, answer.rule) == ("not_eligible", None)
    assert {each.kind for each in answer.cautions} == {"no_rule_in_force"}
    answer = ask("US-VT", "2010-01-01", dx=["multiple_sclerosis"])
    assert (answer.status, {each.kind for each in answer.cautions}) == ("unknown", {"not_covered"})


def test_sources_that_are_older_than_180_days_are_said_to_be_old() -> None:
    def kinds(on: str) -> set[str]:
        return {each.kind for each in ask("US-PA", on, dx=["cancer"]).cautions}

    assert "law_may_have_changed" not in kinds("2025-05-01")
    assert "law_may_have_changed" in kinds("2025-05-20")  # the sources go to 2024-11-09


# -- causes and adjectives -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("cause", "arizona", "nevada", "utah"),
    [
        ("multiple_sclerosis", "eligible", "eligible", "eligible"),
        ("statin_myopathy", "eligible", "eligible", "eligible"),
        ("idiopathic", "not_eligible", "not_eligible", "eligible"),
        ("exertional_cramp", "not_eligible", "not_eligible", "eligible"),
        ("unknown", "unknown", "unknown", "eligible"),
        (None, "unknown", "unknown", "eligible"),
    ],
)
def test_an_idiopathic_cause_fails_where_a_disease_is_asked_for_and_an_unknown_one_is_unknown(
    cause: str | None, arizona: str, nevada: str, utah: str
) -> None:
    spasms = {"severe": True, "persistent": True, "debilitating": True, "cause": cause}
    for code, expected in (("US-AZ", arizona), ("US-NV", nevada), ("US-UT", utah)):
        assert status(code, "2023-01-01", age=40, symptoms={"muscle_spasms": spasms}) == expected


@pytest.mark.parametrize("code", ["US-AZ", "US-MI", "US-RI", "US-SD", "US-ND", "US-AR"])
def test_severe_and_persistent_needs_both(code: str) -> None:
    for severe, persistent, expected in (
        (True, True, "eligible"), (True, False, "not_eligible"), (False, True, "not_eligible"),
        (True, None, "unknown"), (None, None, "unknown"), (None, False, "not_eligible"),
    ):  # fmt: skip
        spasms = {"severe": severe, "persistent": persistent, "cause": "lumbar_disc_herniation"}
        assert status(code, "2024-01-01", age=40, symptoms={"muscle_spasms": spasms}) == expected


def test_moderate_is_not_read_as_severe_and_severe_is_within_moderate_to_severe() -> None:
    def britain(**spasticity: Any) -> str:
        facts = {"dx": ["MS"], "flags": {"prior_antispastic_treatment_failed": True}, "age": 40}
        return status("GB", "2015-01-01", **facts, symptoms={"spasticity": spasticity})

    assert britain(severe=True) == britain(moderate_to_severe=True) == "eligible"
    assert britain(severe=False) == britain() == "unknown"
    assert britain(moderate_to_severe=False) == "not_eligible"
    spasms = {"moderate_to_severe": True, "persistent": True, "cause": "stroke"}
    assert status("US-AZ", "2023-01-01", symptoms={"muscle_spasms": spasms}) == "unknown"


def test_spasm_and_spasticity_are_different_symptoms() -> None:
    for code, on in (("US-OH", "2022-01-01"), ("US-TX", "2022-01-01"), ("US-LA", "2017-01-01")):
        assert status(code, on, age=40, symptoms={"spasticity": {}}) == "eligible"
        assert status(code, on, age=40, symptoms={"muscle_spasms": IDIOPATHIC}) == "not_eligible"
    assert status("US-MN", "2016-01-01", symptoms={"spasticity": IDIOPATHIC}) == "not_eligible"


def test_a_qualified_diagnosis_of_which_only_the_base_is_known_is_unknown() -> None:
    def georgia(**facts: Any) -> str:
        return status("US-GA", "2024-06-01", **facts)

    stage = "multiple_sclerosis_severe_or_end_stage"
    assert georgia(dx=["multiple_sclerosis"]) == "unknown"
    assert georgia(dx=["multiple_sclerosis"], flags={stage: True}) == "eligible"
    assert georgia(dx=["multiple_sclerosis"], flags={stage: False}) == "not_eligible"
    assert georgia(dx=[stage]) == "eligible"
    assert georgia(dx=["stroke"], flags={stage: True}) == "not_eligible"  # a flag of a disease that is absent


def test_spinal_cord_damage_is_decided_by_the_spasticity_that_is_stated() -> None:
    for intractable, expected in ((True, "eligible"), (False, "not_eligible"), (None, "unknown")):
        facts = {"dx": ["spinal_cord_injury"], "symptoms": {"spasticity": {"intractable": intractable}}}
        assert status("US-CT", "2014-01-01", **facts) == expected


def test_the_words_for_pain_are_read_by_their_adjectives() -> None:
    def arizona(**pain: Any) -> str:
        return status("US-AZ", "2023-01-01", symptoms={"pain": pain})

    assert arizona(severe=True, chronic=True) == "eligible"
    assert arizona(severe=True, chronic=False) == "not_eligible"
    assert arizona(severe=True) == "unknown"
    assert status("US-AZ", "2023-01-01", symptoms={"chronic_pain": {"severe": True}}) == "eligible"


def test_texas_asks_for_more_than_ninety_days_of_pain_that_nothing_else_has_relieved() -> None:
    flags = {"pain_unrelieved_by_acute_treatment": True, "thc_viable_treatment": True}
    for length, expected in (
        ({"days": 91}, "eligible"),
        ({"days": 90}, "not_eligible"),
        ({"months": 2.957}, "not_eligible"),  # 90 days
        ({"months": 3}, "eligible"),
        ({}, "unknown"),
    ):
        pain = {"chronic_pain": {"severe": True, **length}}
        assert status("US-TX", "2025-10-01", symptoms=pain, flags=flags) == expected
    assert status("US-TX", "2025-10-01", symptoms={"chronic_pain": {"severe": True, "days": 91}}) == "unknown"


def test_an_unmapped_code_is_unknown_and_no_route_is_closed_by_it() -> None:
    answer = ask("US-NJ", "2022-01-01", dx=["Z99.9"], symptoms={"muscle_spasms": IDIOPATHIC})
    assert answer.status == "unknown"
    assert "not_in_table" in {each.kind for each in answer.cautions}


def test_a_cause_that_is_not_among_the_diagnoses_is_pointed_out() -> None:
    answer = ask("US-VT", "2024-03-01", symptoms={"muscle_spasms": MS})
    assert answer.status == "not_eligible"
    assert [each for each in answer.cautions if each.kind == "facts" and "multiple_sclerosis" in each.text]


# -- discretion, age, approval ---------------------------------------------------------------------
def test_discretion_with_an_unknown_guard_is_unknown_and_not_discretion() -> None:
    facts = {"symptoms": {"muscle_spasms": {"severe": False, "persistent": False, "cause": "stroke"}}}
    for failed, expected in ((True, "eligible_at_discretion"), (False, "not_eligible"), (None, "unknown")):
        flags = {"prior_conventional_treatment_failed": failed}
        assert status("US-MD", "2023-05-01", **facts, flags=flags) == expected


@pytest.mark.parametrize(
    ("code", "on", "age", "expected"),
    [
        ("US-DC", "2024-01-01", 21, "eligible"),
        ("US-DC", "2024-01-01", 20, "eligible_at_discretion"),
        ("US-DC", "2024-01-01", None, "eligible_at_discretion"),
        ("US-DE", "2024-09-01", 65, "eligible"),
        ("US-DE", "2024-09-01", 64, "eligible_at_discretion"),
        ("US-NH", "2025-02-01", 21, "eligible_at_discretion"),
        ("US-NH", "2025-02-01", 20, "not_eligible"),
        ("US-NH", "2025-02-01", None, "unknown"),
    ],
)
def test_ages(code: str, on: str, age: int | None, expected: str) -> None:
    answer = ask(
        code, on, age=age, symptoms={"muscle_spasms": IDIOPATHIC}, flags={"severely_debilitating": True}
    )
    assert answer.status == expected


def test_an_age_that_is_not_known_is_what_would_open_self_certification() -> None:
    answer = ask("US-DC", "2024-01-01", symptoms={"muscle_spasms": {}})
    assert [(each.fact, each.would_change_to) for each in answer.missing] == [("age", "eligible")]


def test_an_approval_is_not_given_unless_stated_and_is_shown_as_another_route() -> None:
    answer = ask("US-UT", "2023-01-01", age=19, dx=["multiple_sclerosis"])
    assert answer.status == "not_eligible"
    assert "compassionate_use_board_approval" in {each.route for each in answer.alternatives}
    flags = {"compassionate_use_board_approval": True}
    assert status("US-UT", "2023-01-01", age=19, dx=["multiple_sclerosis"], flags=flags) == "eligible"


def test_new_hampshire_takes_any_condition_that_results_in_the_symptom_and_before_2017_an_injury_alone() -> (
    None
):
    def hampshire(on: str, cause: str) -> str:
        facts = {"dx": [cause], "symptoms": {"muscle_spasms": {**MS, "cause": cause}}}
        return status("US-NH", on, **facts, flags={"severely_debilitating": True})

    assert hampshire("2019-06-01", "fibromyalgia") == "eligible"
    assert hampshire("2015-06-01", "fibromyalgia") == "not_eligible"
    assert hampshire("2015-06-01", "peripheral_nerve_injury") == "unknown"  # does it interfere significantly?
    stated = {"severely_debilitating": True, "injury_significantly_interfering_daily_activities": True}
    facts: dict[str, Any] = {"dx": [], "symptoms": {"muscle_spasms": {**MS, "cause": "whiplash"}}}
    assert status("US-NH", "2015-06-01", **facts, flags=stated) == "eligible"


# -- what is missing, other routes -----------------------------------------------------------------
def test_what_is_missing_is_answered_both_ways() -> None:
    answer = ask("US-AZ", "2023-01-01", symptoms={"muscle_spasms": {"severe": True, "cause": "stroke"}})
    (missing,) = answer.missing
    assert missing.fact == "symptoms.muscle_spasms.persistent"
    assert (missing.would_change_to, missing.if_not, missing.needs_also) == ("eligible", "not_eligible", ())


def test_a_fact_that_changes_nothing_alone_names_what_it_needs() -> None:
    answer = ask("US-MD", "2023-05-01", symptoms={"muscle_spasms": {}})
    found = {each.fact: each for each in answer.missing}
    assert found["symptoms.muscle_spasms.severe"].needs_also == ("symptoms.muscle_spasms.cause",)
    assert found["symptoms.muscle_spasms.severe"].would_change_to == "eligible"
    assert found["flags.prior_conventional_treatment_failed"].would_change_to == "eligible_at_discretion"


def test_each_missing_fact_changes_what_it_says_when_it_is_supplied() -> None:
    facts: dict[str, Any] = {"dx": ["MS"], "symptoms": {"spasticity": {}}, "age": 40}
    answer = ask("GB", "2020-06-01", **facts)
    assert answer.status == "eligible_at_discretion"
    assert {each.would_change_to for each in answer.missing} == {"eligible"}
    facts["symptoms"] = {"spasticity": {"moderate_to_severe": True}}
    facts["flags"] = {"prior_antispastic_treatment_failed": True}
    assert status("GB", "2020-06-01", **facts) == "eligible"


def test_other_routes_are_named() -> None:
    answer = ask("US-NJ", "2022-01-01", age=30, symptoms={"muscle_spasms": IDIOPATHIC})
    assert {"spasticity", "chronic_pain", "adult_use_21_plus"} <= {each.route for each in answer.alternatives}
    young = ask("US-NJ", "2022-01-01", age=20, symptoms={"muscle_spasms": IDIOPATHIC})
    assert "adult_use_21_plus" not in {each.route for each in young.alternatives}


def test_a_rule_that_begins_soon_and_says_more_is_another_route() -> None:
    answer = ask("US-NY", "2021-12-01", symptoms={"muscle_spasms": IDIOPATHIC})
    (later,) = [each for each in answer.alternatives if each.route == "later_rule"]
    assert later.status == "eligible_at_discretion"
    assert "NY-2022" in later.text


# -- the whole answer ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "on", "facts", "expires"),
    [
        ("US-NY", "2026-02-18", {}, "2027-02-18"),
        ("US-NY", "2026-02-19", {}, "2028-02-19"),
        ("US-NY", "2024-02-29", {}, "2025-02-28"),
        ("US-NY", "2026-03-01", {"ends": "2026-06-01"}, "2026-06-01"),
        ("US-NY", "2026-03-01", {"dx": ["terminal_illness"]}, None),
        ("US-FL", "2024-01-01", {"dx": ["MS"]}, "2024-07-29"),  # 210 days
        ("US-ID", "2024-01-01", {"dx": ["MS"]}, None),
    ],
)
def test_when_a_certification_runs_out(
    code: str, on: str, facts: dict[str, Any], expires: str | None
) -> None:
    found = ask(code, on, **facts).expires
    assert (None if found is None else found.isoformat()) == expires


def test_every_answer_carries_its_notice_its_day_and_when_the_rule_was_checked() -> None:
    answer = ask("US-NY", "2019-05-01", dx=["MS"], symptoms={"muscle_spasms": MS}).to_json()
    assert answer["notice"].startswith("Not legal advice")
    assert (answer["on"], answer["checked"]) == ("2019-05-01", "2026-11-29")
    keys = "jurisdiction on status procedural rule fired missing alternatives cautions expires".split()
    assert set(keys) <= set(answer)
    fired = answer["fired"][1]
    assert fired["quote"] == "severe or persistent muscle spasms"
    assert fired["citation"].startswith("Pub. Health Law §3360(7)")
    assert fired["source_url"].startswith("https://")


def test_the_explanation_has_a_verdict_and_words_for_every_node() -> None:
    facts = make_facts({"dx": ["MS"], "symptoms": {"muscle_spasms": {"severe": True, "cause": "MS"}}})
    tree = explain(facts, "US-NY", datetime.date(2016, 1, 1))
    assert tree.verdict is Level.E
    listed, associated = tree.children
    assert (listed.verdict, associated.verdict) == (Level.E, Level.E)
    spasms = associated.children[0]
    assert "severe or persistent" in spasms.text
    assert {"symptoms.muscle_spasms.severe", "symptoms.muscle_spasms.persistent"} <= set(spasms.facts)
    assert {each.verdict for each in associated.children[1:]} == {Level.N}


def test_the_explanation_asks_each_question_of_a_symptom_once() -> None:
    facts = make_facts(
        {"dx": ["stroke"], "symptoms": {"muscle_spasms": {"chronic": True, "cause": "stroke"}}}
    )
    tree = explain(facts, "US-MT", datetime.date(2015, 1, 1))
    (spasms,) = [each for each in tree.children if "central nervous system" in each.text]
    asked = [each.facts for each in spasms.children]
    assert len(asked) == len(set(asked)) == 4  # there, chronic, painful, cause
    assert "spasticity or muscle spasms, chronic and painful" in spasms.text


def test_a_duration_is_asked_for_as_the_rule_has_it() -> None:
    facts = {"age": 30, "symptoms": {"pain": True, "seizures": None}}
    assert "more than 14 days" in " ".join(each.asks for each in ask("US-UT", "2023-01-01", **facts).missing)
    assert "whether there are seizures" in {each.asks for each in ask("US-SD", "2023-01-01", **facts).missing}


@pytest.mark.parametrize(
    ("place", "on", "name", "enough", "short"),
    [
        # "pain lasting longer than two weeks"
        ("US-UT", "2023-01-01", "pain", {"days": 15}, {"days": 14}),
        ("US-UT", "2024-01-01", "pain", {"days": 15}, {"days": 14}),
        # "has not responded ... for more than six months", "for more than 3 months"
        ("US-AR", "2024-01-01", "intractable_pain", {"months": 6.5}, {"months": 6}),
        ("US-ND", "2020-01-01", "severe_debilitating_pain_refractory", {"months": 3.5}, {"months": 3}),
        ("US-DE", "2023-01-01", "severe_debilitating_pain", {"months": 3.5}, {"months": 3}),
    ],
)
def test_more_than_a_duration_is_not_met_by_that_duration(
    place: str, on: str, name: str, enough: dict[str, float], short: dict[str, float]
) -> None:
    facts = {
        "age": 40,
        "flags": {
            "conventional_treatment_failed": True,
            "prior_treatment_failed_or_serious_side_effects": True,
        },
    }
    long, brief = (
        ask(place, on, **facts, symptoms={name: {"cause": "lupus", **each}}) for each in (enough, short)
    )
    assert (long.status, brief.status) == ("eligible", "not_eligible")


@pytest.mark.parametrize("on", [datetime.date.min, datetime.date(9998, 12, 31), datetime.date.max])
def test_every_place_answers_on_every_day_that_a_calendar_has(on: datetime.date) -> None:
    who = Facts(age=45, dx=("multiple_sclerosis",), symptoms={"muscle_spasms": Symptom({"severe": True})})
    answers = compare(who, on)
    assert {each.on for each in answers} == {on}
    assert all(each.expires is None or each.expires >= on for each in answers)
