"""Facts from files and from cases: what is said, what stays unknown, what is refused."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from lissive.access.answer import Symptom, day
from lissive.access.cases import of_case, why_not
from lissive.access.conditions import conditions
from lissive.access.decide import decide
from lissive.access.facts import facts_of_case, make_facts, read_facts
from lissive.access.rule import Clause, rules
from lissive.case import make_case
from lissive.errors import CaseError, RuleError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("age: -1", r"facts.yaml:1: age is -1. Allowed: 0 to 120 years"),
        ("age: 40\nwieght: 3", r"facts.yaml:2: wieght is not a known field.*age, resident, visitor_card, dx"),
        (
            "flags:\n  functional_limits: true",
            r"facts.yaml:2: .*not a known fact. Did you mean functional_limit",
        ),
        ("symptoms:\n  muscle_spams: {}", r"facts.yaml:2: .*not a known symptom. Did you mean muscle_spasms"),
        ("symptoms:\n  muscle_spasms:\n    sever: true", r"facts.yaml:3: .*Did you mean severe"),
        ("symptoms:\n  muscle_spasms:\n    severe: 7", r"facts.yaml:3: .*severe is 7. Allowed: true, false"),
        ("symptoms:\n  chronic_pain: {months: -2}", r"months is -2. Allowed: 0 to 1500 months"),
        ("practitioner: MDD", r"practitioner is 'MDD'"),
        ("visit: 7", r"facts.yaml:1: visit is 7"),
        ("visit: vidoe", r"visit is 'vidoe'. Did you mean video\? Allowed: in_person, video"),
        ("dx: [G3]", r"facts.yaml:1: dx\[0\] is wrong: 'G3' is not an ICD-10-CM code"),
        (
            "dx: []\nsymptoms: {muscle_spasms: severe}",
            r"facts.yaml:2: .* is 'severe'. Allowed: true, false, null",
        ),
        (
            "symptoms:\n  muscle_spasms: {severe: true}\n  cramps: {severe: false}",
            r"facts.yaml:3: symptoms.cramps.severe contradicts muscle_spasms, which is the same symptom",
        ),
        ("symptoms: {muscle_spasms: true, cramps: false}", r"symptoms.cramps contradicts muscle_spasms"),
        ("resident: maybe", r"resident is 'maybe'. Allowed: true, false"),
    ],
)
def test_a_mistake_is_said_with_its_line_and_what_is_allowed(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "facts.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RuleError, match=said):
        read_facts(path)


def test_names_and_codes_mean_the_words_of_the_rules() -> None:
    facts = make_facts(
        {
            "dx": ["MS", "G12.21", "M79.7", "M62.838"],
            "symptoms": {"spasticity": {"cause": "ALS"}},
            "practitioner": "aprn",
        }
    )
    assert facts.dx == ("multiple_sclerosis", "als", "fibromyalgia")
    assert set(facts.symptoms) == {"muscle_spasms", "spasticity"}
    assert facts.symptoms["spasticity"] == Symptom({}, "als", None)
    assert facts.practitioner == "NP"


def test_a_flag_that_is_null_is_unknown() -> None:
    assert make_facts({"flags": {"functional_limit": None}}).flags == {}


def test_a_symptom_that_may_be_there_is_unknown_and_not_absent() -> None:
    on = datetime.date(2022, 1, 1)
    assert decide(make_facts({"symptoms": {"spasticity": None}}), "US-TX", on).status == "unknown"
    assert decide(make_facts({"symptoms": {}}), "US-TX", on).status == "not_eligible"


def test_true_says_that_a_symptom_is_there_and_false_that_it_is_not() -> None:
    facts = make_facts({"symptoms": {"muscle_spasms": True, "spasticity": False, "pain": None}})
    assert facts.symptoms == {"muscle_spasms": Symptom({}), "pain": None}


def test_two_names_of_one_symptom_are_one_symptom_and_nothing_that_was_said_is_lost() -> None:
    said = {"muscle_spasms": {"severe": True, "cause": "MS"}, "cramps": {"persistent": True, "months": 4}}
    for order in (said, dict(reversed(said.items()))):
        found = make_facts({"symptoms": order}).symptoms
        assert found == {
            "muscle_spasms": Symptom({"severe": True, "persistent": True}, "multiple_sclerosis", 4)
        }


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Nurse_Practitioner", "NP"),
        ("physician-assistant", "PA"),
        ("GP", "MD"),
        ("neurologist", "specialist"),
        ("RN", "nurse"),
    ],
)
def test_practitioners_go_by_many_names(said: str, kind: str) -> None:
    assert make_facts({"practitioner": said}).practitioner == kind


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"severe": True}, "eligible"),
        ({"moderate": True}, "eligible"),
        ({"moderate_to_severe": True}, "eligible"),
        ({"mild": True, "moderate": False, "severe": False}, "not_eligible"),
        ({"severe": False}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_moderate_is_never_severe_and_either_is_within_moderate_to_severe(
    known: dict[str, bool], expected: str
) -> None:
    facts = make_facts(
        {
            "age": 40,
            "dx": ["MS"],
            "symptoms": {"spasticity": known},
            "flags": {"prior_antispastic_treatment_failed": True},
        }
    )
    assert decide(facts, "GB", datetime.date(2015, 1, 1)).status == expected
    spasms = make_facts({"symptoms": {"muscle_spasms": {"moderate": True}}})
    assert decide(spasms, "US-LA", datetime.date(2019, 1, 1)).status == "unknown"


WORDS = [word for word, each in conditions().items() if each.is_symptom]


def test_every_fact_that_is_said_to_be_missing_can_be_given() -> None:
    named = set()
    for code, place in rules().items():
        on = day(place.versions[-1].begins or "2024-01-01") + datetime.timedelta(days=400)
        for word in WORDS:
            answer = decide(make_facts({"symptoms": {word: {}}}), code, on)
            named |= {each.fact for each in answer.missing}
    assert len(named) > 100
    values: dict[str, Any] = {"cause": "idiopathic", "months": 3}
    for name in sorted(named):
        kind, *rest = name.split(".")
        if kind == "flags":
            make_facts({"flags": {rest[0]: True}})
        elif kind == "symptoms" and len(rest) == 2:
            make_facts({"symptoms": {rest[0]: {rest[1]: values.get(rest[1], True)}}})
        else:
            assert kind in ("age", "dx", "symptoms"), name


BASE: dict[str, Any] = {
    "case": "a",
    "as_of": "2022-01-01",
    "place": {"residence": "US-NJ"},
    "spasm": {"cause": "multiple_sclerosis", "spasms_per_day": 3, "spasticity_nrs": 0, "pain_nrs": 0},
    "history": {"conditions": []},
}


def test_a_case_says_what_it_says_and_no_more() -> None:
    facts = facts_of_case(make_case({**BASE, "person": {"age_years": 52}}))
    assert (facts.age, facts.dx, facts.dx_complete, facts.resident) == (
        52,
        ("multiple_sclerosis",),
        True,
        True,
    )
    assert facts.symptoms == {
        "muscle_spasms": Symptom({"severe": None, "persistent": None}, "multiple_sclerosis", None)
    }
    assert facts.flags == {}


def test_further_facts_of_a_case_are_those_of_the_rules() -> None:
    facts = facts_of_case(make_case({**BASE, "flags": {"functional_limit": True, "chronic_pain": False}}))
    assert facts.flags == {"functional_limit": True, "chronic_pain": False}
    with pytest.raises(
        RuleError, match="flags.functional_limt is not a known fact. Did you mean functional_l"
    ):
        facts_of_case(make_case({**BASE, "flags": {"functional_limt": True}}))
    with pytest.raises(CaseError, match="flags.functional_limit is 3. Allowed: true, false."):
        make_case({**BASE, "flags": {"functional_limit": 3}})


@pytest.mark.parametrize(
    ("cause", "symptom"), [("other", None), ("nocturnal cramps", None), ("stroke", "stroke")]
)
def test_a_cause_that_is_no_diagnosis_stays_unknown(cause: str, symptom: str | None) -> None:
    facts = facts_of_case(make_case({**BASE, "spasm": {"cause": cause}}))
    assert facts.symptoms["muscle_spasms"] == Symptom({"severe": None, "persistent": None}, symptom, None)
    assert (facts.dx, facts.dx_complete) == (() if symptom is None else (symptom,), symptom is not None)
    assert facts.doubts == ()


@pytest.mark.parametrize(
    ("since", "expected"),
    [("2021-10-03", "eligible"), ("2021-10-04", "not_eligible"), (None, "unknown")],  # 90 days, 89, not said
)
def test_a_case_meets_a_rule_of_ninety_days_on_the_ninetieth_day_and_not_before(
    since: str | None, expected: str
) -> None:
    place = rules()["US-TX"]
    wanted = Clause(symptom="muscle_spasms", duration_days_min=90)
    asks = place.model_copy(
        update={"versions": tuple(v.model_copy(update={"logic": wanted}) for v in place.versions)}
    )
    spasm = {**BASE["spasm"], **({"since": since} if since else {})}
    facts = facts_of_case(make_case({**BASE, "spasm": spasm}))
    assert decide(facts, "US-TX", datetime.date(2022, 1, 1), {"US-TX": asks}).status == expected


def test_ratings_say_that_a_symptom_is_there_and_never_that_it_is_severe() -> None:
    spasm = {**BASE["spasm"], "spasticity_nrs": 10, "pain_nrs": None, "severity_nrs": 10}
    facts = facts_of_case(make_case({**BASE, "spasm": spasm}))
    assert facts.symptoms["spasticity"] == Symptom({}, "multiple_sclerosis")
    assert facts.symptoms["pain"] is None
    assert facts.symptoms["muscle_spasms"] == Symptom(
        {"severe": None, "persistent": None}, "multiple_sclerosis", None
    )


def test_other_diagnoses_are_unknown_in_a_case_that_does_not_list_them() -> None:
    spasm = {**BASE["spasm"], "cause": "muscle_injury"}
    known = of_case(make_case({**BASE, "spasm": spasm}))
    unknown = of_case(make_case({**BASE, "spasm": spasm, "history": {}}))
    assert known is not None
    assert unknown is not None
    assert (known.status, unknown.status) == ("not_eligible", "unknown")
    assert [each.fact for each in unknown.missing] == ["dx"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"place": {}}, "place.residence is unknown"),
        ({"as_of": None}, "as_of, the date of the question, is unknown"),
        ({"place": {"residence": "SE"}}, "the rules of SE are not in the data"),
    ],
)
def test_a_case_that_cannot_be_answered_says_why(change: dict[str, Any], why: str) -> None:
    case = make_case({**BASE, **change})
    assert (of_case(case), why_not(case)) == (None, why)
