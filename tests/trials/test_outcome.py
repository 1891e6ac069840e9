"""Who leaves a virtual trial, when and why, against what constant hazards say."""

from __future__ import annotations

import numpy as np
import pytest

from lissive.arrays import FloatArray, IntArray
from lissive.trials.observe import ADVERSE, NO_EFFECT, OTHER, STAYED, left_of

N, DAYS, HOURS = 20_000, 30, 24.0
OUTPUTS = ("leave_effect", "dropout_hazard", "leave_adverse")
ADVERSE_H, EFFECT_H, OTHER_H = 0.5e-3, 0.4e-3, 0.9e-3
"""Hazards [1/h] of leaving for side effects, for want of effect, and for anything else."""
TOTAL_H = ADVERSE_H + EFFECT_H + OTHER_H


def left(other_adverse: float) -> tuple[FloatArray, IntArray]:
    """Days and reasons, of people whose hazards stay the same."""
    everybody = np.arange(N)
    day = np.tile([EFFECT_H, TOTAL_H, ADVERSE_H], (N, 1))
    return left_of(
        [day] * DAYS, OUTPUTS, [(7, everybody)], everybody, {"other_adverse": np.full(N, other_adverse)}, 0
    )


def near(share: float, n: int) -> object:
    """Within four standard errors of a share of n."""
    return pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / n))


def test_leaving_by_a_day_follows_the_hazard() -> None:
    days, why = left(0.25)
    for day in (1, 7, DAYS):
        assert np.mean(days <= day) == near(1 - np.exp(-TOTAL_H * HOURS * day), N)
    assert ((why == STAYED) == np.isinf(days)).all()


@pytest.mark.parametrize("other_adverse", [0.25, 0.6])
def test_a_part_of_those_who_leave_for_anything_else_are_counted_as_leaving_for_side_effects(
    other_adverse: float,
) -> None:
    """Trials report withdrawals for adverse events of placebo too; `other_adverse` is the part that they are."""
    _, why = left(other_adverse)
    gone = why[why != STAYED]
    shares = {
        ADVERSE: ADVERSE_H + other_adverse * OTHER_H,
        NO_EFFECT: EFFECT_H,
        OTHER: (1 - other_adverse) * OTHER_H,
    }
    for reason, hazard in shares.items():
        assert np.mean(gone == reason) == near(hazard / TOTAL_H, len(gone))


def test_with_all_of_them_or_none_no_reason_is_left_over() -> None:
    assert OTHER not in left(1.0)[1]
    _, why = left(0.0)
    gone = why[why != STAYED]
    assert np.mean(gone == ADVERSE) == near(ADVERSE_H / TOTAL_H, len(gone))
