"""The way to the mode, on problems whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from lissive.calibrate.pk import REACH, best_nearby, downhill

SLOPES = np.array([[1.0, 0.5], [0.0, 2.0], [1.0, -1.0]])
WIDE = np.full(2, -9.0), np.full(2, 9.0)


def plain(at, logs):
    return logs


class TestOneStep:
    def test_on_a_straight_line_it_ends_at_least_squares(self):
        logs = np.array([0.3, -0.2, 0.1])
        step, se = best_nearby(plain, np.zeros(2), logs, SLOPES, WIDE)
        np.testing.assert_allclose(step, np.linalg.lstsq(SLOPES, -logs)[0], atol=1e-7)
        np.testing.assert_allclose(se, np.sqrt(np.diag(np.linalg.inv(SLOPES.T @ SLOPES))), rtol=1e-5)

    def test_an_end_is_reached_and_kept(self):
        ends = np.array([-1.0, -1.0]), np.array([0.1, 1.0])
        step, _ = best_nearby(plain, np.zeros(2), np.array([-1.0, 0.0, -1.0]), SLOPES, ends)
        assert step[0] == pytest.approx(0.1, rel=1e-6)
        assert step[0] <= 0.1

    def test_it_goes_no_further_than_a_straight_line_can_be_believed(self):
        step, _ = best_nearby(plain, np.zeros(2), np.array([-50.0, 0.0, -50.0]), SLOPES, WIDE)
        assert np.abs(step).max() == pytest.approx(REACH, rel=1e-6)

    def test_a_robust_cost_is_followed_to_the_end_in_one(self):
        """The median, which a Gauss-Newton step from afar would overshoot or creep to."""
        logs = np.array([-0.30, -0.02, 0.00, 0.02, 5.0])

        def robust(at, logs):
            size = np.abs(logs / 0.01)
            return np.sign(logs) * np.sqrt(2.0 * (np.sqrt(1.0 + size**2) - 1.0))

        ends = np.array([-1.0]), np.array([1.0])
        step, _ = best_nearby(robust, np.array([0.4]), logs + 0.4, np.ones((5, 1)), ends)
        assert 0.4 + step[0] == pytest.approx(0.0, abs=5e-3)


class TestDownhill:
    def test_as_much_of_a_step_as_lowers_the_cost(self):
        found = downhill(lambda at: at - 1.0, np.zeros(2), np.full(2, 3.0), WIDE)
        np.testing.assert_allclose(found, 1.5)

    def test_none_where_none_does(self):
        found = downhill(lambda at: at, np.zeros(2), np.ones(2), WIDE)
        np.testing.assert_array_equal(found, np.zeros(2))

    def test_ends_are_kept(self):
        found = downhill(
            lambda at: at - 9.0, np.zeros(1), np.array([5.0]), (np.array([-1.0]), np.array([2.0]))
        )
        np.testing.assert_array_equal(found, [2.0])
