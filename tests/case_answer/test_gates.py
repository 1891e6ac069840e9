"""The gates: what may be said of a case, what may not, and in which words."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace as Stub
from typing import Any

import pytest

from lissive.access import facts_of_case
from lissive.access.decide import decide
from lissive.calibrate.response import fitted_on
from lissive.calibrate.response_data import data_of
from lissive.case import Case, make_case
from lissive.case_answer import CaseAnswer, answer, compose
from lissive.case_answer.findings import leading
from lissive.case_answer.gates import beyond_trials, figure_of, gates, more_or_fewer
from lissive.case_answer.tables import rows
from lissive.evidence.claim import shipped_claims
from lissive.evidence.result import absolute
from lissive.evidence.words import table as evidence_table
from lissive.forecast import ForecastNeeds, calibration, complaint, fitted_outcomes, outcomes
from lissive.report.case_parts import case_text
from lissive.report.case_text import screen
from lissive.trials.published import shipped_published

MS = {
    "case": "a",
    "as_of": "2026-11-22",
    "person": {"age_years": 52, "sex": "female"},
    "place": {"residence": "GB", "visit": "in_person", "practitioner": "specialist"},
    "spasm": {"cause": "multiple_sclerosis", "spasms_per_day": 9, "spasticity_nrs": 7},
    "history": {"tried": ["baclofen"], "current": [{"drug": "tizanidine"}]},
    "plan": {"product": "nabiximols", "titration": "label", "max_sprays_per_day": 10, "weeks": 12},
}
BY_MOUTH = {"product": "dronabinol", "titration": "fixed", "dose": "6.5 mg", "doses_per_day": 2, "weeks": 3}
AGREE = {
    "small": ("supported",),
    "uncertain": ("partly",),
    "not_shown": ("not_shown", "partly", "not_tested"),
    "not_tested": ("not_tested", "not_shown"),
}
"""Benefit of a bottom line, and the verdicts of the claim that it may sum up."""
INJURY = {**MS, "spasm": {"cause": "muscle_injury", "pain_nrs": 6}}


def said_of(found: CaseAnswer) -> str:
    """Everything that is printed of a case, without the breaks of its lines."""
    return " ".join(f"{screen(found)} {case_text(found)}".split())


def without_product(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    """An answer on access that says whether the planned product can be had."""
    real = compose.of_case

    def of_case(case: Case) -> Any:
        found = real(case)
        assert found is not None
        object.__setattr__(found, "product", replace(found.product, status=status, why="", nearest=()))
        return found

    monkeypatch.setattr(compose, "of_case", of_case)


def test_the_table_of_what_was_fitted_is_what_was_fitted() -> None:
    """Outcomes, products and trials in forecast/calibrated.tsv, from the trials themselves."""
    trials = fitted_on(shipped_published().trials)
    said: dict[tuple[str, str], set[str]] = {}
    for line in (
        Path(compose.__file__).parents[1].joinpath("forecast", "calibrated.tsv").read_text().splitlines()[1:]
    ):
        cause, _, outcome, ids = line.split("\t")
        for trial in ids.split():
            said.setdefault((cause, outcome), set()).add(trial)
            assert any(each.id == trial and each.design.population.cause == cause for each in trials)
    fitted = {trials[each.trial].id for each in data_of(trials)}
    assert {trial for ids in said.values() for trial in ids} <= fitted
    measured = {(trials[each.trial].id, each.observed.endpoint) for each in data_of(trials)}
    for (_, outcome), ids in said.items():
        start = {"stopped_early": "withdrawal"}.get(outcome, outcome)
        for trial in ids:
            assert any(trial == other and endpoint.startswith(start) for other, endpoint in measured)
    assert {trials[each.trial].design.population.cause for each in data_of(trials)} == {"multiple_sclerosis"}


def test_only_what_trials_of_this_product_in_this_cause_bear_has_a_number_for_this_person() -> None:
    assert calibration("multiple_sclerosis", "nabiximols") == "trials"
    assert "spasms_per_day" not in fitted_outcomes(
        "multiple_sclerosis", "nabiximols"
    )  # no fitted trial counts them
    assert calibration("multiple_sclerosis", "flower_smoked") == "prior"
    assert calibration("als", "nabiximols") == "none"
    assert calibration(None, None) == "none"


def test_a_forecast_is_held_against_the_responders_that_the_screen_prints() -> None:
    """In MS those of individual patients, 27 to 42 of 100 on nabiximols (Wade 2010), not the wider pool."""
    found = answer(make_case(MS), simulate=False)
    leads = leading(found.trials, "responders_30pct")
    assert leads is not None
    low, high = sorted(leads.risk_ci)
    assert (round(100 * low), round(100 * high)) == (27, 42)

    def beyond(share: float, against: Any) -> bool:
        rated = Stub(difference=Stub(mean=(0.0, -0.3)))
        hit = Stub(active=share)
        made: Any = Stub(weeks=(0, 12), outcomes={"spasticity_nrs": rated}, responders={"30pct_week12": hit})
        return beyond_trials(made, found.evidence, against)

    assert not beyond(0.40, leads)
    assert beyond(high + 0.01, leads)
    assert beyond(low - 0.01, leads)
    assert not beyond(high + 0.01, None)  # the pool alone would have let it pass


def test_what_is_not_calibrated_has_no_number_on_the_screen_and_says_so_in_full() -> None:
    case = make_case({**INJURY, "plan": {**MS["plan"], "weeks": 2}})  # type: ignore[dict-item]
    found = answer(case, subjects=3, threads=1)
    assert found.forecast.calibrated == "none"
    here = screen(found)
    assert "No number: the model was fitted on no trial in this cause" in " ".join(here.split())
    assert "simulated" not in here.lower().replace("not simulated", "")
    assert "NOT CALIBRATED" in case_text(found, ["forecast"])
    assert found.to_json()["forecast"]["calibrated"] == "none"


@pytest.mark.parametrize(
    "plan",
    [
        MS["plan"],
        {"product": "dronabinol", "titration": "fixed", "dose": "6.5 mg", "doses_per_day": 2, "weeks": 3},
    ],
)
def test_no_dose_of_what_cannot_be_had_is_anywhere(plan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_case({**MS, "place": {"residence": "GB"}, "plan": plan})
    without_product(monkeypatch, "obtainable")
    assert any(word in said_of(answer(case, simulate=False)) for word in ("10 sprays", "6.5 mg"))
    without_product(monkeypatch, "not_obtainable")
    found = answer(case, subjects=3, threads=1)
    assert isinstance(found.forecast, ForecastNeeds)
    text = said_of(found)
    for word in ("sprays", "titration", "6.5 mg", "times a day"):
        assert word not in text
    assert "cannot be had" in found.bottom_line.text
    assert "sprays" not in json.dumps(found.to_json()["forecast"])
    assert found.next[-1].what == "plan a product that can be had"


def test_what_cannot_be_had_has_no_number_for_this_person() -> None:
    case, day = make_case(MS), datetime.date(2026, 11, 22)
    here = decide(facts_of_case(case), "GB", day)
    there = decide(facts_of_case(case, away=True), "US-NY", day)
    assert (here.product.status, there.product.status) == ("unknown", "not_obtainable")
    assert gates(case, here).numbers == gates(case, None).numbers != ()
    assert gates(case, there).numbers == ()


@pytest.mark.parametrize(
    ("weeks", "short"),
    [("single dose", True), ("5 days", True), (0.5, True), (1.0, False), (6.0, False), (None, False)],
)
def test_a_single_dose_or_some_days_are_no_answer_for_weeks(weeks: Any, short: bool) -> None:
    of_one = Stub(studies=("a",), design="parallel")
    pooled = [Stub(answer=Stub(outcome=Stub(word="spasticity_nrs"), by_design=[of_one]))]
    found = Stub(studies=[Stub(study=Stub(id="a", weeks=weeks))], pooled=pooled)
    assert (figure_of(found, "spasticity_nrs") is None) == short  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("place", "said"), [("GB", "Product: not known."), ("US-NY", "Product: CANNOT be had there.")]
)
def test_it_is_said_whether_the_product_can_be_had(place: str, said: str) -> None:
    found = answer(make_case({**MS, "place": {"residence": place}}), simulate=False)
    assert said in " ".join(screen(found).split())


@pytest.mark.parametrize(
    ("estimate", "ci", "baseline", "said"),
    [
        # 24 of 100; odds 0.3158 x 1.69 -> 34.8 %, x 0.97 -> 23.4 %, x 2.93 -> 48.1 %
        (1.69, (0.97, 2.93), 0.24, "1 fewer to 24 more"),
        (1.73, (1.02, 2.92), 0.042, "0 to 7 more"),
        (0.5, (0.3, 0.8), 0.40, "23 to 5 fewer"),
    ],
)  # fmt: skip
def test_a_benefit_is_of_a_hundred_people_with_its_interval_in_words(
    estimate: float, ci: tuple[float, float], baseline: float, said: str
) -> None:
    assert more_or_fewer(absolute("OR", estimate, ci, baseline, "higher")) == said


def test_the_rule_of_four_weeks_is_that_of_nabiximols_in_ms_with_its_source() -> None:
    (step,) = [each for each in answer(make_case(MS), simulate=False).next if "20 %" in each.what]
    assert (str(step.on), "sativex" in step.source.lower()) == ("2026-12-20", True)
    for other in (
        INJURY,
        {**MS, "plan": {**MS["plan"], "product": "flower_vaporised", "titration": "fixed"}},
    ):  # type: ignore[dict-item]
        if other["plan"]["product"] == "flower_vaporised":  # type: ignore[index]
            other = {**other, "plan": {"product": "flower_vaporised", "titration": "fixed", "weeks": 8}}
        step = answer(make_case(other), simulate=False).next[-1]
        assert "20 %" not in step.what
        assert "no published rule for stopping" in step.what
        assert step.to_json()["on"] == "2026-12-20"
    short = {**MS, "plan": {"product": "flower_vaporised", "titration": "fixed", "weeks": 2}}
    assert answer(make_case(short), simulate=False).next[-1].after == "2 weeks of treatment"


def test_a_single_dose_is_no_answer_for_weeks_of_treatment() -> None:
    """One trial of 20 people found 7 times the odds after one dose, and no treatment better than placebo."""
    case = make_case({**MS, "spasm": {"cause": "fibromyalgia"}, "plan": {"product": "flower_vaporised"}})
    text = " ".join(screen(answer(case, simulate=False)).split())
    assert "no treatment superior to placebo" in text
    assert "of 100" not in text.lower().split("trials")[1]


def test_every_cause_has_its_complaint_and_a_bottom_line_that_a_claim_bears() -> None:
    names = {each.name for each in outcomes()}
    topics = {row["topic"] for row in evidence_table("case_outcomes")}
    claims = {each.id: each for each in shipped_claims()}
    causes = {row["cause"] for row in rows("bottom_lines")} - {"other"}
    for cause in causes:
        mine = complaint(cause)
        assert mine.outcome in names
        assert set(mine.topics) <= topics
        assert [row for row in rows("bottom_lines") if row["cause"] == cause][-1]["products"] == "any"
        assert any(row["cause"] == cause for row in rows("usual_care"))
    for row in rows("bottom_lines"):
        if row["claim"]:
            claim = claims[row["claim"]]
            assert claim.verdict in AGREE[row["benefit"]], row["text"]
            assert row["cause"] in claim.causes, row["text"]
    pain = ("fibromyalgia", "muscle_injury")
    assert {complaint(cause).outcome for cause in pain} == {"pain_nrs"}
    assert complaint("multiple_sclerosis").outcome == complaint("als").outcome == "spasms_per_day"


def test_usual_care_tells_tried_from_taken_from_not_stated() -> None:
    found = {each.treatment: each.tried for each in answer(make_case(MS), simulate=False).usual_care}
    assert (found["baclofen"], found["tizanidine"], found["gabapentin"]) == ("tried", "taking", "not_tried")
    nothing = answer(make_case({**MS, "history": {}}), simulate=False).usual_care
    assert {each.tried for each in nothing} == {"unknown"}
    assert all(row["source"] and row["provenance"] in ("read", "recalled") for row in rows("usual_care"))


def test_the_product_alone_decides_nothing_about_numbers_where_the_cause_is_unknown() -> None:
    assert gates(make_case({"case": "a", "plan": {"product": "nabiximols"}}), None).numbers == ()


@pytest.mark.parametrize(
    ("current", "named"),
    [
        (["warfarin 5 mg/day"], ["warfarin (agree a plan with the anticoag", "measure INR within a week"]),
        (
            ["tacrolimus 4 mg/day", "warfarin 5 mg/day"],
            ["tacrolimus (involve the transplant team", "warfarin (agree a plan"],
        ),
        (
            ["clobazam 10 mg/day", "warfarin 5 mg/day", "oxycodone 20 mg/day"],
            ["major safety flags (clobazam, warfarin, oxycodone); the plan for each is under Safety"],
        ),
    ],
)  # fmt: skip
def test_what_is_next_has_the_plan_of_each_major_interaction(current: list[str], named: list[str]) -> None:
    plan = {"product": "balanced_oil", "titration": "start_low_rapid", "weeks": 12}
    found = answer(make_case({**MS, "history": {"current": current}, "plan": plan}), simulate=False)
    said = " ".join(screen(found).partition("NEXT")[2].split())
    assert not [each for each in named if each not in said], said


def test_the_bottom_line_counts_medicines_that_were_not_checked() -> None:
    """A misspelt warfarin is no warfarin: the first line may not read as if it had been looked at."""
    found = answer(make_case({**MS, "history": {"current": ["warfrin 3 mg/day"]}}), simulate=False)
    assert [each.name for each in found.safety.unknown_drugs] == ["warfrin"]
    assert "settle 1 UNCHECKED drug first" in found.bottom_line.text
    known = answer(make_case({**MS, "history": {"current": ["warfarin 3 mg/day"]}}), simulate=False)
    assert "UNCHECKED" not in known.bottom_line.text


def test_a_plan_that_is_contraindicated_has_no_forecast_and_asks_for_nothing_else() -> None:
    case = make_case({**MS, "place": {"residence": "GB"}, "history": {"conditions": ["schizophrenia"]}})
    found = answer(case, subjects=3, threads=1)
    assert isinstance(found.forecast, ForecastNeeds)
    assert found.gates.numbers == ()
    text = " ".join(screen(found).split())
    assert "No forecast: the plan is contraindicated as stated." in text
    assert [step.what for step in found.next] == ["do not start as planned: contraindicated"]
    assert "find out" not in text.partition("NEXT")[2]


@pytest.mark.parametrize(("age", "made"), [(17, False), (18, True)])
def test_no_number_of_trials_in_adults_is_for_a_child(age: int, made: bool) -> None:
    case = make_case({**MS, "place": {"residence": "GB"}, "person": {"age_years": age}})
    found = answer(case, subjects=3, threads=1)
    assert bool(found.gates.numbers) == made
    assert isinstance(found.forecast, ForecastNeeds) != made
    assert ("the model and its trials are of adults" in screen(found)) != made
    assert any("20 %" in step.what for step in found.next) == made  # the label's rule is of adults


def test_what_may_forbid_it_and_is_not_stated_is_in_the_bottom_line_and_named() -> None:
    stated = make_case(
        {
            **MS,
            "person": {"age_years": 52, "sex": "female", "pregnancy": "none", "breast_feeding": False},
            "history": {"current": [], "conditions": [], "family_psychosis": False},
        }
    )
    bare = make_case({**MS, "person": {}, "history": {}})
    assert "NOT CHECKED: 6 facts" in answer(bare, simulate=False).bottom_line.text
    assert "NOT CHECKED" not in answer(stated, simulate=False).bottom_line.text


def test_a_condition_of_no_table_is_counted_in_the_bottom_line_with_what_may_be_meant() -> None:
    said = {**MS, "place": {"residence": "GB"}, "history": {"conditions": ["schizofrenia"]}}
    found = answer(make_case(said), simulate=False)
    assert "1 condition" in found.bottom_line.text
    assert "schizofrenia (schizophrenia?)" in " ".join(screen(found).split())
    assert any("conditions that were not checked" in step.what for step in found.next)


def test_that_it_is_not_known_whether_the_product_can_be_had_is_in_the_bottom_line() -> None:
    place = {"residence": "GB", "visit": "in_person", "practitioner": "specialist"}
    found = answer(make_case({**MS, "place": place}), simulate=False)
    assert (found.access.procedural, found.gates.product) == ("ok", "unknown")
    assert (
        "whether it can be had is not known" in found.bottom_line.text
        or "product: not known" in found.bottom_line.text
    )


@pytest.mark.parametrize(
    ("product", "condition", "said"),
    [
        ("nabiximols", "psychosis", ""),  # what else can be had there has THC too
        ("flower_smoked", "asthma", "plan a product that can be had, such as vaporised cannabis"),
        ("nabiximols", "gout", "plan a product that can be had, such as oil or tincture, THC and CBD 1:1"),
    ],
)
def test_no_product_is_proposed_that_is_contraindicated(product: str, condition: str, said: str) -> None:
    place = {"residence": "US-NY" if product == "nabiximols" else "US-OH"}
    case = make_case(
        {**MS, "place": place, "history": {"conditions": [condition]}, "plan": {"product": product}}
    )
    found = [
        step.what for step in answer(case, simulate=False).next if step.what.startswith("plan a product")
    ]
    assert found == ([said] if said else [])


@pytest.mark.parametrize(
    ("product", "says", "benefit"),
    [
        ("oil", "an extract: 0.6 of 10 points less chronic pain", "uncertain"),
        ("cbd_oil", "CBD alone is not shown to help low back pain", "not_shown"),
        ("nabilone", "this product: unclear", "uncertain"),
        ("flower_smoked", "this product: unclear", "uncertain"),
    ],
)
def test_what_one_product_did_is_not_said_of_another(product: str, says: str, benefit: str) -> None:
    """VER-01, an extract, in chronic low back pain; CANBACK, CBD, in acute."""
    case = make_case({"case": "a", "spasm": {"cause": "low_back_pain"}, "plan": {"product": product}})
    found = answer(case, simulate=False).bottom_line
    assert says.lower() in found.text.lower()
    assert found.benefit == benefit
