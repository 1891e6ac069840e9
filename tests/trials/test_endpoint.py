"""From what was seen to what is compared, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lissive.trials.endpoint import arm_result, column, groups_of
from lissive.trials.observe import ADVERSE, OTHER, STAYED, Flow, TrialData
from lissive.trials.parts import Endpoint

NAN = float("nan")


@pytest.fixture
def by_hand() -> TrialData:
    """Four patients, visits in weeks 1 and 2: one stays, one leaves after week 1, one before it, one misses week 2."""
    return TrialData(
        replicate=0,
        screening_id=np.arange(4),
        group=np.array([0, 0, 1, 1]),
        stratum=np.zeros(4, int),
        treatment=np.array([[0], [0], [1], [1]]),
        screening={"spasticity_nrs": np.array([9.0, 8.0, 8.0, 5.0])},
        baseline={"spasticity_nrs": np.array([[8.0], [6.0], [7.0], [5.0]])},
        values={"spasticity_nrs": np.array([[[6.0, 4.0]], [[5.0, NAN]], [[NAN, NAN]], [[4.0, NAN]]])},
        filled=np.full((4, 1, 2), 7),
        dose=np.array([[[2.0, 4.0]], [[3.0, NAN]], [[NAN, NAN]], [[1.0, 2.0]]]),
        left=np.array([np.inf, 9.0, 3.0, np.inf]),
        left_why=np.array([STAYED, ADVERSE, OTHER, STAYED]),
        dizzy=np.array([[True], [False], [False], [False]]),
        failed_day=np.array([np.inf, 9.0, 3.0, 8.0]),
        impression={"pgic": 0.18, "pgic_much": 0.4},
        flow=Flow(5, 4, 0, 0, 4, 0),
    )


@pytest.mark.parametrize(
    ("missing", "changes"),
    [
        ("locf", [-4.0, -1.0, 0.0, -1.0]),
        ("observed", [-4.0, NAN, NAN, NAN]),
        ("baseline", [-4.0, 0.0, 0.0, 0.0]),
    ],
)
def test_what_stands_for_a_missing_visit(small, by_hand, missing, changes):
    col = column(small(analysis={"missing": missing}), by_hand, Endpoint(measure="spasticity_nrs"))
    np.testing.assert_array_equal(col.value, changes)
    np.testing.assert_array_equal(col.base, [8.0, 6.0, 7.0, 5.0])


def test_the_visit_that_is_asked_for(small, by_hand):
    col = column(small(), by_hand, Endpoint(measure="spasticity_nrs", at_week=1.0))
    np.testing.assert_array_equal(col.value, [-2.0, -1.0, 0.0, -1.0])
    result = arm_result(col, 0)
    assert (result.n, result.mean, result.base) == (2, -1.5, 7.0)
    assert result.sd == pytest.approx(np.sqrt(0.5))


def test_responders_since_randomisation_and_since_screening(small, by_hand):
    since = column(small(), by_hand, Endpoint(measure="spasticity_nrs", falls_by_pct=30.0))
    np.testing.assert_array_equal(since.value, [1.0, 0.0, 0.0, 0.0])
    screening = Endpoint(measure="spasticity_nrs", falls_by_pct=30.0, since="screening")
    np.testing.assert_array_equal(column(small(), by_hand, screening).value, [1.0, 1.0, 0.0, 0.0])


def test_impressions_come_from_the_fall(small, by_hand):
    col = column(small(), by_hand, Endpoint(measure="pgic"))
    np.testing.assert_array_equal(col.value, [1.0, 0.0, 0.0, 1.0])


def test_events_and_times(small, by_hand):
    left = column(small(), by_hand, Endpoint(measure="withdrawal"))
    np.testing.assert_array_equal(left.value, [0.0, 1.0, 1.0, 0.0])
    adverse = column(small(), by_hand, Endpoint(measure="withdrawal_adverse"))
    np.testing.assert_array_equal(adverse.value, [0.0, 1.0, 0.0, 0.0])
    dizzy = column(small(), by_hand, Endpoint(measure="dizziness"))
    np.testing.assert_array_equal(dizzy.value, [1.0, 0.0, 0.0, 0.0])
    time = column(small(), by_hand, Endpoint(measure="failure", rises_by_pct=20.0))
    np.testing.assert_array_equal(time.value, [14.0, 9.0, 3.0, 8.0])
    np.testing.assert_array_equal(time.failed, [False, True, True, True])
    dose = column(small(), by_hand, Endpoint(measure="dose"))
    assert arm_result(dose, 0).mean == 4.0  # of those who are still there


def test_what_became_of_each_arm(small, by_hand):
    drug, placebo = groups_of(small(), by_hand)
    assert (drug.group, drug.randomised, drug.adverse, drug.completed) == ("drug", 2, 1, 1)
    assert (placebo.other, placebo.no_effect, placebo.completed) == (1, 0, 1)


def test_in_a_crossover_who_left_before_a_period_is_not_of_it(small, by_hand):
    """Left on day 9 of the first period (14 days): out of the second one's denominators."""
    design = small(crossover={"sequences": [["drug", "placebo"], ["placebo", "drug"]], "washout_days": 7})
    twice = {
        name: np.repeat(getattr(by_hand, name), 2, axis=1)
        for name in ("treatment", "filled", "dose", "dizzy")
    }
    twice["treatment"] = np.array([[0, 1], [0, 1], [1, 0], [1, 0]])
    values = {"spasticity_nrs": np.repeat(by_hand.values["spasticity_nrs"], 2, axis=1)}
    baseline = {"spasticity_nrs": np.array([[8.0, 8.0], [6.0, NAN], [7.0, NAN], [5.0, 5.0]])}
    data = TrialData(**{**vars(by_hand), **twice, "values": values, "baseline": baseline})
    col = column(design, data, Endpoint(measure="withdrawal"))
    np.testing.assert_array_equal(col.value, [0.0, 0.0, 1.0, NAN, 1.0, NAN, 0.0, 0.0])
    dizzy = column(design, data, Endpoint(measure="dizziness"))
    np.testing.assert_array_equal(dizzy.value, [1.0, 1.0, 0.0, NAN, 0.0, NAN, 0.0, 0.0])
