"""Assessed before and after the dose of each day: its error in closed form, and who is moved by it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.trials.alike import assert_same, same

from lissive.errors import DesignError
from lissive.trials.conduct import conduct
from lissive.trials.design import Design, make_design
from lissive.trials.published import shipped_published

CIGARETTE = {
    "product": "flower_smoked", "thc_mg_per_unit": 32.0, "titration": "fixed", "most_per_day": 1, "doses_per_day": 1,
}  # fmt: skip
DAYS = 3


def smoked(**changes: Any) -> Design:
    """Three days, one cigarette a day."""
    data = {
        "trial": "smoked", "population": {"cause": "multiple_sclerosis"}, "patients": 30, "weeks": DAYS / 7,
        "arms": {"cigarette": CIGARETTE, "placebo": {**CIGARETTE, "placebo": True}}, "visits_weeks": [DAYS / 7],
        "endpoints": [{"measure": "ashworth"}, {"measure": "pain_nrs"}], "after_dose_h": 1,
    }  # fmt: skip
    return make_design({name: value for name, value in (data | changes).items() if value is not None})


def change(design: Design, arm: str, measure: str) -> np.ndarray[Any, Any]:
    (data,) = conduct(design, [0], all_on=arm)
    return data.values[measure][:, 0, 0] - data.baseline[measure][:, 0]


def test_without_a_drug_the_change_is_the_error_of_two_assessments_a_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On placebo the model's Ashworth score stays: the mean of three differences of two errors of 0.15."""
    monkeypatch.setattr("lissive.trials.people.Response.rating", lambda *_: FIGURES)
    found = change(smoked(patients=1000, drop_out=False), "placebo", "ashworth")
    assert abs(found.mean()) < 4 * 0.15 * np.sqrt(2 / DAYS / 1000)
    # of few the score is near 0, where no error goes below it
    assert found.std() == pytest.approx(0.15 * np.sqrt(2 / DAYS), rel=0.1)


FIGURES = {
    "course_sd": 1.4, "course_days": 50.0, "rating_sd": 1.0, "visit_sd": 1.0, "ashworth_sd": 0.45,
    "ashworth_day_sd": 0.15, "walk_sd": 0.1, "count_dispersion": 0.1, "count_course_sd": 0.3,
    "pgic_share": 0.15, "pgic_much_share": 0.4, "placebo_carry": 0.97, "run_in_belief": 1.0,
}  # fmt: skip


def test_good_and_bad_days_are_on_both_sides_of_the_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rating's stretches of weeks are the same before and after a dose: only the error of each is left."""
    monkeypatch.setattr("lissive.trials.people.Response.rating", lambda *_: FIGURES | {"course_sd": 3.0})
    population = {"cause": "multiple_sclerosis", "baseline": {"pain_nrs": {"mean": 5, "sd": 0}}}
    still = change(smoked(patients=400, population=population, drop_out=False), "placebo", "pain_nrs")
    # what is cut at 0 and 10 makes it less
    assert 0.4 < still.std() < 1.05 * np.sqrt(2 / DAYS)


def test_soon_after_the_dose_the_drug_does_most() -> None:
    everybody = {"patients": 100, "drop_out": False}
    soon, late = (
        change(smoked(after_dose_h=hours, **everybody), "cigarette", "ashworth").mean() for hours in (1, 8)
    )
    placebo = change(smoked(**everybody), "placebo", "ashworth").mean()
    assert soon < late - 0.05
    assert late < placebo


def test_whoever_is_looked_at_is_the_same_person() -> None:
    (twice,), (once,) = (conduct(smoked(after_dose_h=hours), [0]) for hours in (1, None))
    for name in ("screening_id", "group", "dose", "left", "left_why", "dizzy", "screening"):
        assert same(getattr(twice, name), getattr(once, name)), name
    assert not same(twice.values, once.values)


def test_a_crossover_in_blocks_is_that_of_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    crossed = {"sequences": [["cigarette", "placebo"], ["placebo", "cigarette"]], "washout_days": 4}
    design = smoked(crossover=crossed, patients=12)
    (whole,) = conduct(design, [1], seed=3)
    monkeypatch.setattr("lissive.trials.blocks.PATIENTS_AT_ONCE", 5)
    (parts,) = conduct(design, [1], seed=3)
    assert_same(whole, parts)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arms": {"a": {**CIGARETTE, "doses_per_day": 2}, "b": CIGARETTE}}, "a is not dosed once a day"),
        ({"arms": {"a": {**CIGARETTE, "doses_per_day": None}, "b": CIGARETTE}}, "a is not dosed once a day"),
        ({"arms": {"a": {"most_per_day": 0}, "b": {"most_per_day": 0}}}, "no arm is dosed"),
        ({"endpoints": [{"measure": "spasms_per_day"}]}, "spasms_per_day, which is counted over days"),
        ({"endpoints": [{"measure": "failure", "rises_by_pct": 20, "weeks_in_a_row": 1}], "weeks": 1}, "failure"),
        ({"after_dose_h": 0}, "above 0"),
        ({"after_dose_h": 9}, "8"),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_at_so_is_told(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DesignError, match="What to do") as found:
        smoked(**changes)
    assert said in str(found.value)


def test_the_published_trial_of_single_cigarettes_is_looked_at_so() -> None:
    """Its abstract: assessed daily before and after treatment."""
    looked = {trial.id: trial.design.after_dose_h for trial in shipped_published().trials}
    assert looked["corey_bloom_2012"] == 1.0
    assert [name for name, hours in looked.items() if hours] == ["corey_bloom_2012"]
