"""Whether the visit can certify: telehealth, kinds of practitioner, residence."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from lissive.access import jurisdiction
from lissive.access.answer import Answer
from lissive.access.decide import decide
from lissive.access.facts import make_facts
from lissive.access.procedure import _after_last_check

SPASMS = {"muscle_spasms": {"severe": True, "persistent": True, "cause": "multiple_sclerosis"}}


def ask(code: str, on: str, **facts: Any) -> Answer:
    data = {"age": 40, "dx": ["multiple_sclerosis"], "symptoms": SPASMS, **facts}
    return decide(make_facts(data), code, datetime.date.fromisoformat(on))


@pytest.mark.parametrize(
    ("code", "on", "facts", "procedural", "blocks"),
    [
        ("US-KY", "2025-03-01", {"visit": "video"}, "blocked", ("telehealth_initial_not_allowed",)),
        ("US-KY", "2025-03-01", {"visit": "video", "initial": False}, "ok", ()),
        ("US-KY", "2025-03-01", {"visit": "in_person"}, "ok", ()),
        ("US-KY", "2025-03-01", {"visit": "home"}, "ok", ()),
        ("US-KY", "2025-03-01", {"visit": "audio"}, "blocked", ("telehealth_initial_not_allowed",)),
        # allowed by telehealth, which does not say that sound alone is enough
        ("US-KY", "2025-03-01", {"visit": "audio", "initial": False}, "unknown", ("telehealth_unknown",)),
        ("US-AZ", "2022-01-01", {"visit": "audio"}, "unknown", ("telehealth_unknown",)),
        ("US-FL", "2023-06-30", {"visit": "video", "initial": False}, "blocked",
         ("telehealth_renewal_not_allowed",)),
        ("US-FL", "2023-07-01", {"visit": "video", "initial": False}, "ok", ()),
        ("US-AK", "2022-01-01", {"visit": "video", "initial": False}, "unknown", ("telehealth_unknown",)),
        ("US-AZ", "2022-01-01", {"visit": "video"}, "unknown", ("telehealth_unknown",)),
        ("US-MD", "2020-04-06", {"visit": "video"}, "blocked", ("telehealth_initial_not_allowed",)),
        ("US-MD", "2020-04-07", {"visit": "video"}, "ok", ()),
        ("US-MA", "2024-05-01", {"visit": "video"}, "unknown", ("waiver",)),
        ("US-MA", "2024-05-01", {"visit": "video", "initial": False}, "ok", ()),
        ("US-NY", "2026-03-01", {"visit": "video", "initial": False}, "unknown", ("telehealth_unknown",)),
        ("US-OK", "2020-03-10", {"visit": "video"}, "unknown", ("telehealth_unknown",)),  # in that month
        ("US-NY", "2016-11-29", {"practitioner": "NP"}, "blocked", ("practitioner_type",)),
        ("US-NY", "2016-11-30", {"practitioner": "APRN"}, "ok", ()),
        ("US-NY", "2017-03-14", {"practitioner": "PA"}, "blocked", ("practitioner_type",)),
        ("US-NY", "2017-03-15", {"practitioner": "PA"}, "ok", ()),
        ("US-NY", "2024-01-01", {"practitioner": "midwife"}, "ok", ()),
        ("US-IL", "2018-05-01", {"practitioner": "NP"}, "blocked", ("practitioner_type",)),
        ("US-NM", "2018-05-01", {"practitioner": "dentist"}, "unknown", ("practitioner_unknown",)),
        ("US-CO", "2021-05-01", {"practitioner": "NP"}, "unknown", ("practitioner_unknown",)),
        ("GB", "2020-06-01", {"practitioner": "MD"}, "unknown", ("practitioner_unknown",)),
        ("GB", "2020-06-01", {"practitioner": "specialist"}, "ok", ()),
        ("US-TX", "2022-06-01", {"practitioner": "neurologist"}, "ok", ()),
        ("US-TX", "2022-06-01", {"practitioner": "MD"}, "unknown", ("practitioner_unknown",)),
        ("US-PA", "2022-06-01", {"practitioner": "neurologist"}, "ok", ()),  # a specialist is a physician
        ("US-TX", "2022-06-01", {"practitioner": "RN"}, "blocked", ("practitioner_type",)),
        ("US-NY", "2026-02-18", {"resident": False, "visitor_card": True}, "blocked", ("residency",)),
        ("US-NY", "2026-02-19", {"resident": False, "visitor_card": True}, "ok", ()),
        ("US-NY", "2026-02-19", {"resident": False, "visitor_card": False}, "blocked", ("residency",)),
        ("US-NY", "2026-02-19", {"resident": False}, "unknown", ("residency",)),
        ("US-LA", "2022-07-31", {"resident": False, "visitor_card": True}, "blocked", ("residency",)),
        ("US-LA", "2022-09-01", {"resident": False, "visitor_card": True}, "ok", ()),
        ("US-NE", "2025-06-01", {"resident": False, "visitor_card": True}, "unknown", ("residency",)),
    ],
)  # fmt: skip
def test_procedure(
    code: str, on: str, facts: dict[str, Any], procedural: str, blocks: tuple[str, ...]
) -> None:
    answer = ask(code, on, **facts)
    assert (answer.procedural, answer.blocks) == (procedural, blocks)


def test_what_stands_in_the_way_of_the_visit_does_not_change_the_level() -> None:
    for visit in ("in_person", "video"):
        assert ask("US-AK", "2022-01-01", visit=visit).status == "eligible"


def test_what_is_not_arranged_yet_blocks_nothing_and_is_said_as_a_requirement() -> None:
    answer = ask("US-KY", "2025-03-01")
    assert (answer.procedural, len(answer.requirements)) == ("ok", 2)
    assert answer.requirements[0].startswith("Visit in person")
    assert "MD, DO, NP" in answer.requirements[1]


def test_whoever_certifies_themselves_needs_neither_visit_nor_practitioner() -> None:
    answer = ask("US-DC", "2024-01-01", visit="video", practitioner="chiropractor")
    assert (answer.status, answer.procedural, answer.requirements) == ("eligible", "ok", ())


def test_a_block_that_rests_on_memory_is_said_to() -> None:
    answer = ask("US-OR", "2022-01-01", visit="video")
    assert [each for each in answer.cautions if each.kind == "recalled_fields" and "telehealth" in each.text]


def test_what_the_rule_says_of_minors_is_shown_to_minors_alone() -> None:
    assert any("Minors" in each for each in ask("US-AK", "2022-01-01", age=17).requirements)
    assert not any("Minors" in each for each in ask("US-AK", "2022-01-01", age=18).requirements)


def test_an_answer_that_is_blocked_has_no_days_and_one_that_is_open_has_all() -> None:
    assert ask("US-KY", "2026-01-01", visit="video").dates == ()
    florida = ask("US-FL", "2024-03-01", visit="in_person", practitioner="MD")
    assert [(each.what, each.on.isoformat()) for each in florida.dates] == [
        ("certification expires", "2024-09-27"),
        ("card issued that day expires", "2025-03-01"),
    ]
    minnesota = ask("US-MN", "2025-01-01", visit="in_person", practitioner="MD")
    assert [each.on.isoformat() for each in minnesota.dates] == ["2025-04-01", "2028-01-01"]


def test_a_visitor_has_a_pass_and_not_the_residents_card_fee_and_expiry() -> None:
    answer = ask("US-MS", "2025-01-01", resident=False, visitor_card=True, visit="in_person")
    assert answer.expires is None
    assert [each.on.isoformat() for each in answer.dates] == ["2025-01-16"]
    assert "15 days" in answer.next_steps[0]
    assert not any("Fee" in each or "Registry card" in each for each in answer.next_steps)


def test_a_move_with_a_certificate_is_pointed_out() -> None:
    answer = ask("US-KY", "2026-01-01", moved_from="US-NY", certified_on="2025-10-01")
    assert any(each.kind == "moved" and "US-NY" in each.text for each in answer.cautions)
    assert not any(each.kind == "moved" for each in ask("US-NY", "2026-01-01", moved_from="US-NY").cautions)


@pytest.mark.parametrize(
    ("on", "kind"), [("2026-11-29", False), ("2027-02-27", False), ("2027-02-28", True)]
)  # Kentucky's rules were last checked on the first; a check holds 90 days
def test_a_day_long_after_the_last_check_is_warned_of(on: str, kind: bool) -> None:
    assert ("after_last_check" in {each.kind for each in ask("US-KY", on).cautions}) == kind


def test_a_change_that_was_known_at_the_last_check_is_warned_of_at_once() -> None:
    place = jurisdiction("US-KY")
    later = place.model_copy(update={"verified": "2024-12-20"})  # its programme began on 2025-01-01
    found = [
        each.text
        for each in _after_last_check(later, datetime.date(2025, 1, 2))
        if each.kind == "after_last_check"
    ]
    assert found == ["The rule was to change on 2025-01-01; that it did was not checked since 2024-12-20."]
    assert not list(_after_last_check(later, datetime.date(2024, 12, 31)))


def test_sources_that_end_long_before_or_say_no_day_give_no_high_confidence() -> None:
    assert ask("US-KY", "2027-01-31").confidence == "high"  # sources to January 2025
    assert ask("US-KY", "2027-02-01").confidence == "moderate"
    assert ask("US-MI", "2026-11-22").confidence == "low"  # no source is dated


@pytest.mark.parametrize(
    ("code", "age", "facts", "procedural", "blocks"),
    [
        ("US-CO", 20, {}, "unknown", ("second_practitioner",)),
        ("US-CO", 20, {"second_practitioner": True}, "ok", ()),
        ("US-CO", 21, {}, "ok", ()),
        ("US-OK", 17, {"guardian": True}, "unknown", ("second_practitioner",)),
        ("US-PA", 17, {"guardian": True}, "unknown", ("paediatrician",)),
        ("US-KY", 17, {"guardian": False}, "blocked", ("guardian",)),
        ("US-KY", 17, {"guardian": True}, "ok", ()),
        ("US-MS", 17, {"guardian": True, "practitioner": "NP"}, "blocked", ("practitioner_type",)),
        ("US-AL", 18, {"guardian": True}, "ok", ()),  # a minor below 19
        ("GB", 17, {"practitioner": "specialist"}, "unknown", ("minor",)),  # no rule for minors is known
    ],
)
def test_the_young_need_whom_the_rule_names(
    code: str, age: int, facts: dict[str, Any], procedural: str, blocks: tuple[str, ...]
) -> None:
    answer = ask(code, "2026-10-01", age=age, **{"practitioner": "MD", "visit": "in_person", **facts})
    assert (answer.procedural, answer.blocks) == (procedural, blocks)


@pytest.mark.parametrize("code", ["US-FL", "US-NY", "US-TX", "US-CO", "US-DC", "DE"])
def test_what_a_rule_asks_for_a_minor_is_never_taken_as_met(code: str) -> None:
    young = ask(code, "2025-06-01", age=15)
    assert young.procedural != "ok"
    assert {"minor", "guardian"} & {*young.blocks}


@pytest.mark.parametrize("code", ["US-FL", "US-NY", "US-KY"])
def test_who_may_be_a_minor_is_no_surer_than_one_who_is(code: str) -> None:
    """A certificate for a person of unknown age is never said to be in order."""
    unknown, minor = (ask(code, "2025-03-01", age=age, visit="in_person") for age in (None, 15))
    assert (unknown.procedural, unknown.blocks) == ("unknown", ("age_unknown",))
    assert minor.procedural == "unknown"
    assert ask(code, "2025-03-01", age=18, visit="in_person").procedural == "ok"
    assert ask("US-KY", "2025-03-01", age=None, visit="video").procedural == "blocked"  # at any age
