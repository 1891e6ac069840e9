"""From a case to a forecast: who is simulated, what is given to them, and what is said of it."""

from __future__ import annotations

import json
import sys
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lissive.case import Case, make_case, read_case
from lissive.case.vocabulary import modelled_causes
from lissive.errors import CaseError
from lissive.forecast import ARMS, outcomes, predict, responders, summary
from lissive.forecast.treatment import treatment
from lissive.model import load
from lissive.report.case_parts import forecast_text
from lissive.units import to_nmol

EXAMPLE = Path(__file__).parents[2] / "examples" / "ms-new-york.yaml"


def changed(**parts: dict[str, Any]) -> Case:
    """The example with some fields changed; None takes a field out."""
    data = read_case(EXAMPLE).model_dump(mode="json", exclude_none=True)
    for part, fields in parts.items():
        data[part] = {k: v for k, v in {**data[part], **fields}.items() if v is not None}
    return make_case(data)


@pytest.fixture(scope="module")
def forecast():  # type: ignore[no-untyped-def]
    return predict(read_case(EXAMPLE), subjects=60, seed=4, threads=1)


def test_who_else_is_simulated_side_by_side_changes_nobody(forecast, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sys.modules["lissive.forecast.predict"], "AT_ONCE", 41)
    found = predict(read_case(EXAMPLE), subjects=45, seed=4, threads=1)
    assert np.array_equal(found.taken, forecast.taken[:, :45])
    for name, weekly in found.weekly.items():
        assert np.array_equal(weekly, forecast.weekly[name][:, :45], equal_nan=True), name


def test_a_mean_is_the_mean_over_people_and_a_median_the_middle_one(forecast) -> None:  # type: ignore[no-untyped-def]
    drug, placebo = forecast.weekly["spasticity_nrs"][:, forecast.good]
    row = summary(forecast).outcomes["spasticity_nrs"]
    for found, people in ((row.active, drug), (row.placebo, placebo), (row.difference, drug - placebo)):
        assert found.mean == pytest.approx(people.mean(axis=0))
        assert found.median == pytest.approx(np.median(people, axis=0))
    assert row.active.mean != pytest.approx(row.active.median, rel=1e-3)


def test_placebo_patients_get_no_drug_and_are_the_same_people(forecast) -> None:  # type: ignore[no-untyped-def]
    assert (forecast.weekly["thc_plasma_peak"][1] == 0).all()
    assert (forecast.weekly["thc_plasma_peak"][0, :, 1:] > 0).all()
    np.testing.assert_array_equal(
        forecast.weekly["sleep_nrs"][0, :, 0], forecast.weekly["sleep_nrs"][1, :, 0]
    )


def test_the_case_is_where_everybody_starts(forecast) -> None:  # type: ignore[no-untyped-def]
    for name, value in {"spasms_per_day": 9.0, "spasticity_nrs": 7.0, "pain_nrs": 5.0}.items():
        np.testing.assert_allclose(forecast.weekly[name][:, :, 0], value, rtol=1e-9)


def test_nobody_takes_more_than_the_label_allows_on_any_day(forecast) -> None:  # type: ignore[no-untyped-def]
    steps = np.array([1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    assert (forecast.taken[0, :, :14] <= steps).all()
    assert forecast.taken.max() <= 12
    assert (np.diff(forecast.taken[0], axis=1) <= 1).all()


def test_more_patients_do_not_change_those_there_are() -> None:
    case = changed(plan={"weeks": 1})
    few, many = (predict(case, subjects=n, seed=9, threads=t) for n, t in ((5, 1), (12, 2)))
    for outcome in outcomes():
        np.testing.assert_array_equal(few.weekly[outcome.name], many.weekly[outcome.name][:, :5])
    np.testing.assert_array_equal(few.taken, many.taken[:, :5])


def test_the_summary_has_the_shape_that_others_build_on(forecast) -> None:  # type: ignore[no-untyped-def]
    found = summary(forecast)
    assert found.weeks == tuple(range(13))
    assert found.subjects == 60
    assert found.failed == 0
    for name in ("spasms_per_day", "spasticity_nrs"):
        for arm in ARMS:
            q = found.outcomes[name].of(arm)
            assert all(len(row) == 13 for row in astuple(q))
            assert (np.diff([q.p05, q.p25, q.median, q.p75, q.p95], axis=0) >= 0).all()
    for name in ("20pct_week4", "30pct_week12"):
        hit = found.responders[name]
        assert hit.difference == pytest.approx(hit.active - hit.placebo)
    assert found.drawn.count("fed") == 1  # unknown in the case, so drawn, and said
    assert found.found_in_trials


def test_the_json_has_the_keys_that_others_build_on(forecast) -> None:  # type: ignore[no-untyped-def]
    data = json.loads(json.dumps(summary(forecast).to_json(), allow_nan=False))
    assert list(data) == (
        "primary calibrated fitted_outcomes weeks outcomes baseline responders dose subjects failed failures "
        "interval found_in_trials drawn notes".split()
    )
    quantiles = ["p05", "p25", "median", "p75", "p95", "mean"]
    assert list(data["outcomes"]) == [each.name for each in outcomes()]
    assert list(data["outcomes"]["pain_nrs"]) == ["label", "unit", "active", "placebo", "difference"]
    assert list(data["outcomes"]["pain_nrs"]["active"]) == quantiles
    assert data["outcomes"]["pain_nrs"]["active"]["median"][0] == 5.0
    assert list(data["dose"]) == ["unit", "active", "placebo"]
    assert len(data["dose"]["active"]["mean"]) == 12
    assert set(data["responders"]["20pct_week4"]) == {"active", "placebo", "difference"}
    assert list(data["found_in_trials"][0]) == ["product", "found", "source", "provenance"]


def test_responders_are_counted_by_the_trials_definition(forecast) -> None:  # type: ignore[no-untyped-def]
    nrs = forecast.weekly["spasticity_nrs"]
    by_hand = [float(np.mean([w[4] <= 0.8 * w[0] for w in arm])) for arm in nrs]
    got = responders(forecast, 0.20, 4)
    assert got is not None
    assert [got.active, got.placebo] == by_hand
    assert responders(forecast, 0.20, 13) is None  # the plan ends before


def test_a_plan_that_ends_before_week_four_has_no_responders() -> None:
    found = summary(predict(changed(plan={"weeks": 2}), subjects=4, threads=1))
    assert found.responders == {"20pct_week4": None, "30pct_week12": None}


@pytest.mark.parametrize("cause", modelled_causes())
def test_every_cause_runs_and_says_what_trials_found(cause: str) -> None:
    found = summary(predict(changed(spasm={"cause": cause}, plan={"weeks": 1}), subjects=6, threads=1))
    assert found.failed == 0
    assert found.found_in_trials
    last = found.outcomes["spasticity_nrs"].active.median[-1]
    assert 0 <= last <= 10


@pytest.mark.parametrize(
    ("plan", "depot", "per_day"),
    [
        ({"titration": "fixed", "sprays_per_day": 8}, "THC_spray", 8 * 2.7),
        (
            {"product": "dronabinol", "titration": "fixed", "dose": "5 mg", "doses_per_day": 2},
            "THC_oral",
            10.0,
        ),
        (
            {"product": "flower_smoked", "titration": "fixed", "dose": "20 mg", "doses_per_day": 1},
            "THC_lung",
            20.0,
        ),
        (
            {"product": "cannabidiol_solution", "titration": "fixed", "dose": "400 mg", "doses_per_day": 2},
            "CBD_oral",
            800.0,
        ),
    ],
)
def test_each_product_goes_to_its_depot_with_its_dose(
    plan: dict[str, Any], depot: str, per_day: float
) -> None:
    equations = load("lissive")
    what = treatment(changed(plan={"max_sprays_per_day": None, **plan}), equations)
    day = what.dosing.schedules[what.dosing.first]
    mine = day.value[day.target == equations.dose_targets[depot]]
    assert mine.sum() == pytest.approx(to_nmol(per_day, g_per_mol=314.46))
    assert (np.diff(day.time) >= 0).all()
    assert day.time[0] >= 0
    assert day.time[-1] < 24


def test_sprays_keep_their_distance() -> None:
    equations = load("lissive")
    case = changed(plan={"titration": "fixed", "sprays_per_day": 48, "override": "dose of an early trial"})
    day = treatment(case, equations).dosing.schedules[48]
    assert np.diff(np.unique(day.time)).min() * 60 >= 15


def test_a_higher_limit_extends_the_titration_by_one_a_day() -> None:
    case = changed(plan={"max_sprays_per_day": 16, "override": "dose of an earlier trial"})
    assert treatment(case, load("lissive")).dosing.ceilings[-5:] == (12, 13, 14, 15, 16)
    assert max(treatment(changed(plan={"max_sprays_per_day": 4}), load("lissive")).dosing.ceilings) == 4


def test_medicines_that_the_table_knows_act_and_others_are_named() -> None:
    case = changed(history={"current": [{"drug": "ketoconazole"}, {"drug": "tizanidine"}]})
    what = treatment(case, load("lissive"))
    assert what.given["cyp3a4_activity"] < 1
    assert [n.split(":")[0] for n in what.notes if ":" in n][-2:] == ["ketoconazole", "tizanidine"]
    unknown = treatment(changed(history={"current": None}), load("lissive"))
    assert any("medicines are unknown" in note for note in unknown.notes)


def test_two_medicines_on_one_enzyme_act_by_the_product_of_their_factors() -> None:
    """Of CYP3A4 fluconazole leaves 0.35 and ketoconazole 0.1, and rifampicin makes it four times as much."""

    def given(*drugs: str) -> dict[str, float]:
        case = changed(history={"current": [{"drug": drug} for drug in drugs]})
        return treatment(case, load("lissive")).given

    for drugs in (("fluconazole", "ketoconazole"), ("ketoconazole", "fluconazole")):
        assert given(*drugs)["cyp3a4_activity"] == pytest.approx(0.35 * 0.1)
        assert given(*drugs)["cyp2c9_comedication"] == pytest.approx(0.3)
    assert given("ketoconazole", "rifampicin")["cyp3a4_activity"] == pytest.approx(0.1 * 4)


def test_a_brand_acts_as_its_ingredient_and_the_same_one_by_two_names_acts_once() -> None:
    def given(*names: str) -> dict[str, float]:
        case = changed(history={"current": [{"drug": name} for name in names]})
        return dict(treatment(case, load("lissive")).given)

    plain = given("ketoconazole")["cyp3a4_activity"]
    assert plain < 1
    assert given("Nizoral")["cyp3a4_activity"] == plain
    assert given("Nizoral", "ketoconazole")["cyp3a4_activity"] == plain


def test_a_genotype_is_read_either_way_round_and_an_unlisted_one_is_drawn_and_said() -> None:
    equations = load("lissive")
    assert treatment(changed(person={"cyp2c9": "*3/*1"}), equations).given["cyp2c9_activity"] == 0.6
    what = treatment(changed(person={"cyp2c9": "*1/*8"}), equations)
    assert "cyp2c9_activity" in what.unknown
    assert any("*1/*8" in note for note in what.notes)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"spasm": {"cause": None}}, "needs spasm.cause"),
        ({"plan": {"titration": "fixed"}}, "needs plan.sprays_per_day"),
        (
            {"plan": {"product": "dronabinol", "titration": "fixed", "max_sprays_per_day": None}},
            "plan.doses_per_day",
        ),
        ({"spasm": {"spasticity_nrs": 0}}, "needs spasm.spasticity_nrs, over 0"),
    ],
)
def test_a_case_that_says_too_little_is_told_what_is_missing(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(CaseError, match=said):
        predict(changed(**parts), subjects=2)


def test_a_patient_that_cannot_be_solved_is_left_out_and_named(forecast) -> None:  # type: ignore[no-untyped-def]
    from dataclasses import replace

    status = forecast.status.copy()
    status[0, 7] = 3
    found = summary(replace(forecast, status=status))
    assert found.failed == 1
    assert list(found.failures) == [8]
    assert "not a number" in found.failures[8]
    assert list(found.to_json()["failures"]) == ["8"]
    assert summary(forecast).outcomes != found.outcomes


def test_what_the_model_does_nothing_with_is_said() -> None:
    notes = treatment(changed(history={"conditions": ["psychosis"]}), load("lissive")).notes
    assert any("not used by the forecast" in n and "age" in n and "other conditions" in n for n in notes)
    child = treatment(changed(person={"age_years": 9}), load("lissive")).notes
    assert any("not valid for a child" in n for n in child)


def test_a_forecast_in_which_every_run_failed_still_answers(forecast) -> None:  # type: ignore[no-untyped-def]
    from dataclasses import replace

    found = summary(replace(forecast, status=np.full_like(forecast.status, 2)))
    assert found.failed == found.subjects == 60
    assert found.responders == {"20pct_week4": None, "30pct_week12": None}
    assert found.outcomes["pain_nrs"].active.median == ()
    assert "No virtual patient could be simulated" in forecast_text(forecast.case, found)


def test_a_plan_longer_than_the_trials_is_said_to_extrapolate() -> None:
    case = changed(plan={"weeks": 16, "titration": "fixed", "sprays_per_day": 1})
    notes = summary(predict(case, subjects=2, threads=1)).notes
    assert any("an extrapolation" in note for note in notes)


@pytest.mark.parametrize(
    ("since", "share"),
    [
        ("2026-11-15", 1.0),  # a week old
        ("2026-10-25", 1.0),  # four weeks: still acute
        ("2026-09-27", 0.5),  # eight weeks: half way to chronic
        ("2026-08-30", 0.0),  # twelve weeks
        ("2008-01-01", 0.0),
        (None, 0.0),  # unknown: no recovery is assumed
    ],
)
def test_an_injury_heals_by_its_age_and_a_chronic_one_does_not(since: str | None, share: float) -> None:
    case = changed(spasm={"cause": "muscle_injury", "since": since})
    plan = treatment(case, load("lissive"))
    assert plan.given["healing_on"] == pytest.approx(share)
    assert any("heal" in note for note in plan.notes) == (share == 0.0)


def test_an_old_injury_is_not_gone_in_two_weeks_and_a_fresh_one_nearly_is() -> None:
    def at_week_two(since: str) -> float:
        case = changed(spasm={"cause": "muscle_injury", "since": since}, plan={"weeks": 2})
        return float(predict(case, subjects=64, threads=1).weekly["spasms_per_day"][1, :, -1].mean())

    old, fresh = at_week_two("2008-01-01"), at_week_two("2026-11-20")
    assert old > 0.8 * 9.0  # with placebo; nine a day at the start
    assert fresh < 0.3 * 9.0


def test_the_solvers_error_is_small_in_what_is_shown() -> None:
    """Against a run a thousand times closer; smoked cannabis has the sharpest peaks."""
    plan = {"product": "flower_smoked", "titration": "fixed", "dose": "20 mg", "doses_per_day": 1, "weeks": 1}
    case = changed(spasm={"cause": "muscle_injury"}, plan={**plan, "max_sprays_per_day": None})
    usual, close = (predict(case, subjects=40, seed=2, threads=1, **how) for how in ({}, {"rtol": 3e-6}))
    for name, exact in close.weekly.items():
        largest = max(np.abs(exact).max(), 1e-12)
        means = np.abs(usual.weekly[name].mean(axis=1) - exact.mean(axis=1)).max()
        assert means < 1e-3 * largest, name


def test_what_is_taken_up_differs_from_day_to_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a week's highest concentration is that of its best day, well over that of a week of days alike."""
    plan = {"weeks": 1, "product": "dronabinol", "titration": "fixed", "thc_mg": 10, "doses_per_day": 2}
    case = changed(plan=plan)

    def peak() -> float:
        weekly = predict(case, subjects=120, seed=2, threads=1).weekly["thc_plasma_peak"]
        return float(np.exp(np.log(weekly[0, :, 1]).mean()))

    with_days = peak()
    module = sys.modules["lissive.forecast.predict"]  # the function of this name hides it
    monkeypatch.setattr(module, "on_day", lambda *_, **__: {})
    assert with_days > 1.15 * peak()
