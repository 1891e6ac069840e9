"""What is uncertain in a rule lowers what is answered, and says so."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from tests.access.asked import IDIOPATHIC, MS, ask, status

from lissive.access.answer import Answer
from lissive.access.decide import decide
from lissive.access.facts import make_facts
from lissive.access.rule import Jurisdiction, Pending, rules


# -- doubts ----------------------------------------------------------------------------------------
def with_bill(**logic: Any) -> dict[str, Jurisdiction]:
    """Georgia's first rule, without an end, beside a bill that may be in force from 2026-07-01 on."""
    bill = Pending.model_validate(
        {"bill": "A bill", "from": "2026-07-01", "effect": "would list MS", "logic": logic}
    )
    place = rules()["US-GA"]
    old = place.versions[0].model_copy(update={"ends": None, "pending": (bill,)})
    return {"US-GA": place.model_copy(update={"versions": (old,)})}


def test_a_bill_that_may_be_in_force_makes_a_no_unknown_and_nothing_else() -> None:
    held = with_bill(dx_any=("multiple_sclerosis",))

    def found(on: str, dx: str) -> Answer:
        flags = {"multiple_sclerosis_severe_or_end_stage": False}
        facts = make_facts({"dx": [dx], "flags": flags})
        return decide(facts, "US-GA", datetime.date.fromisoformat(on), held)

    assert found("2026-06-30", "MS").status == "not_eligible"
    answer = found("2026-07-01", "MS")
    assert answer.status == "unknown"
    assert "pending_bill" in {each.kind for each in answer.cautions}
    assert found("2026-07-01", "stroke").status == "not_eligible"
    assert found("2026-07-01", "crohns").status == "eligible"


def test_a_bill_under_which_it_would_be_unknown_makes_a_no_unknown_too() -> None:
    held = with_bill(flag="pain_refractory")
    day = datetime.date(2026, 7, 1)
    for stated, wanted in (({}, "unknown"), ({"pain_refractory": False}, "not_eligible")):
        facts = make_facts({"dx": ["stroke"], "dx_complete": True, "flags": stated})
        assert decide(facts, "US-GA", day, held).status == wanted


def test_sources_that_differ_are_said_to() -> None:
    answer = ask("US-OH", "2021-12-01", symptoms={"muscle_spasms": IDIOPATHIC})
    assert [each.kind for each in answer.cautions].count("conflict") == 1


def test_a_rule_from_memory_lowers_the_confidence_and_is_marked() -> None:
    answer = ask("US-DC", "2012-01-01", symptoms={"muscle_spasms": IDIOPATHIC})
    assert (answer.status, answer.confidence) == ("eligible", "low")
    assert {each.provenance for each in answer.fired} == {"recalled"}
    assert "recalled_fields" in {each.kind for each in answer.cautions}


def test_a_block_that_rests_on_memory_lowers_the_confidence() -> None:
    facts: dict[str, Any] = {"dx": ["MS"], "symptoms": {"muscle_spasms": MS}}
    assert ask("US-OR", "2022-06-01", **facts).confidence == "high"
    answer = ask("US-OR", "2022-06-01", **facts, visit="video")  # from memory
    assert (answer.procedural, answer.confidence) == ("blocked", "low")


def test_what_was_not_read_is_unknown() -> None:
    assert status("US-MP", "2020-01-01", age=18) == "unknown"
    assert status("US-MP", "2020-01-01", age=21) == "eligible_at_discretion"


@pytest.mark.parametrize(
    ("failed", "expected"), [(None, "unknown"), (True, "eligible"), (False, "not_eligible")]
)
def test_a_listed_disease_is_not_enough_where_conventional_treatment_has_to_fail(
    failed: bool | None, expected: str
) -> None:
    flags = {} if failed is None else {"conventional_treatment_failed": failed}
    assert status("US-TN", "2024-01-01", dx=["MS"], flags=flags) == expected
