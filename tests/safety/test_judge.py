"""How severe a flag is of a product with little CBD."""

from __future__ import annotations

from dataclasses import replace

from lissive.case import make_case
from lissive.safety import judge
from lissive.safety.drugs import drugs
from lissive.safety.rules import interactions


def test_little_cbd_makes_nothing_milder_that_thc_does_too() -> None:
    assert {each.severity == each.small for each in interactions() if "thc" in each.with_} == {True}
    rule = next(each for each in interactions() if each.id == "warfarin_cannabinoids")
    plan = judge.planned(make_case({"case": "a", "plan": {"product": "nabiximols"}}))
    flag = judge._interaction(
        replace(rule, small="minor"), [judge.Taken(drugs()["warfarin"], "warfarin")], plan
    )
    assert (plan.small_cbd, flag.severity) == (True, "major")
