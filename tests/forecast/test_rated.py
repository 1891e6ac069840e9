"""Ratings in a forecast: the error of a week's rating, and good and bad stretches relative to the start."""

from __future__ import annotations

import numpy as np
import pytest

from lissive.arrays import FloatArray
from lissive.forecast.predict import _counted, _course, _rated

N, WEEKS, SD = 4000, 3, 1.4


def course(memory: float, weeks: int = WEEKS) -> FloatArray:
    """Of people whose stretches last `memory` days."""
    figures = {"course_sd": np.full(N, SD), "course_days": np.full(N, memory)}
    return _course(3, "pain_nrs", figures, weeks)


def rated(level: float, *, sd: float = SD, days: FloatArray | None = None) -> FloatArray:
    weekly = {"pain_nrs": np.full((2, N, WEEKS + 1), level)}
    days = np.zeros((N, 7 * WEEKS)) if days is None else days
    return _rated(weekly, {"pain_nrs": days}, np.full(N, sd), 3)["pain_nrs"]


def near_sd(sd: float, n: int) -> object:
    """Within four standard errors of the standard deviation of n normal numbers."""
    return pytest.approx(sd, rel=4 / np.sqrt(2 * n))


def test_a_weeks_rating_is_the_mean_of_seven_days_and_its_error_that_of_a_mean_of_seven() -> None:
    error = rated(5.0) - 5.0
    assert (error[:, :, 0] == 0).all()  # the case states it
    for week in range(1, WEEKS + 1):
        assert error[0, :, week].std() == near_sd(SD / np.sqrt(7), N)
        assert abs(error[0, :, week].mean()) < 4 * SD / np.sqrt(7 * N)
    assert abs(np.corrcoef(error[0, :, 1], error[0, :, 2])[0, 1]) < 4 / np.sqrt(N)
    assert (error[0] == error[1]).all()  # both sides of a pair share it


def test_a_weeks_rating_moves_by_the_mean_of_its_days() -> None:
    days = np.tile(np.arange(7.0 * WEEKS) / 10, (N, 1))
    moved = rated(2.0, sd=0.0, days=days)[0, 0] - 2.0
    np.testing.assert_allclose(moved, [0.0, 0.3, 1.0, 1.7])


def test_a_rating_stays_on_its_scale() -> None:
    values = rated(9.9)
    assert values.max() == 10.0
    assert values.min() >= 0.0


def test_a_stretch_that_never_ends_is_already_in_what_the_case_states() -> None:
    assert np.abs(course(memory=1e12)).max() < 1e-4


def test_days_that_are_nothing_to_each_other_differ_from_the_mean_of_the_week_before() -> None:
    """A day and a mean of seven others: variance 1 + 1/7 of a day's; two such days share the mean: 1/7 of it."""
    days = course(memory=1e-3, weeks=1)
    assert days.shape == (N, 7)
    assert days[:, 3].std() == near_sd(SD * np.sqrt(8 / 7), N)
    assert np.cov(days[:, 0], days[:, 6])[0, 1] == pytest.approx(
        SD**2 / 7, abs=4 * SD**2 * 8 / 7 / np.sqrt(N)
    )


def test_a_weeks_count_has_the_noise_of_seven_counted_days() -> None:
    """Seven days of variance m + k m²: of their mean (m + k m²)/7; both sides of a pair share the chance."""
    m, k = 4.0, 0.4
    weekly = {"spasms_per_day": np.full((2, N, WEEKS + 1), m)}
    still = {"spasms_per_day": np.zeros((N, 7 * WEEKS))}
    counts = _counted(weekly, still, np.full(N, k), 3)["spasms_per_day"]
    assert (counts[:, :, 0] == m).all()  # the case states it
    variance = (m + k * m**2) / 7
    assert counts[0, :, 1].mean() == pytest.approx(m, abs=4 * np.sqrt(variance / N))
    assert counts[0, :, 1].var() == pytest.approx(variance, rel=0.12)
    assert (counts[0] == counts[1]).all()


def test_stretches_of_counts_leave_their_mean_as_it_is() -> None:
    figures = {"count_course_sd": np.full(N, 0.5), "course_days": np.full(N, 15.0)}
    moved = np.exp(_course(3, "spasms_per_day", figures, WEEKS))
    assert moved.std(axis=0).min() > 0.2
    np.testing.assert_allclose(moved.mean(axis=0), 1.0, atol=4 * moved.std() / np.sqrt(N))
