"""Feedback dosing: the label's titration, and what a policy may answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from lissive.case import label_titration
from lissive.errors import SimulationError
from lissive.model import load
from lissive.simulation.engine import build
from lissive.simulation.schedule import doses
from lissive.simulation.titrate import Day, day_by_day, fixed, thresholds, titrated

CEILINGS = tuple(day.total for day in label_titration("nabiximols"))
MODEL = Path(__file__).parents[2] / "examples" / "one_compartment.ant"


def seen(harm: float, effect: float, n: int = 1) -> Mapping[str, Day]:
    return {
        "intoxication": Day(*(np.full(n, harm),) * 3),
        "NRS": Day(*(np.full(n, effect),) * 3),
    }


def follow(harm: float, effect: float, days: int, start: int = 1) -> list[int]:
    policy = titrated(CEILINGS, np.array([10.0]))
    taken = [np.array([start])]
    for day in range(1, days):
        taken.append(policy(day, taken[-1], seen(harm, effect)))
    return [int(t[0]) for t in taken]


def test_without_relief_or_harm_the_label_is_followed_to_its_end_and_held() -> None:
    assert follow(harm=0, effect=10, days=20) == [*CEILINGS, *[12] * 6]


def test_relief_halts_the_climb() -> None:
    relieved = 10 * thresholds()["relieved_share"] - 0.1
    assert follow(harm=0, effect=relieved, days=10) == [1] * 10


def test_harm_between_the_thresholds_holds_and_above_goes_down_to_none() -> None:
    limit = thresholds()
    between = (limit["raise_below"] + limit["lower_above"]) / 2
    assert follow(between, 10, 5, start=3) == [3] * 5
    assert follow(limit["lower_above"] + 1, 10, 6, start=3) == [3, 2, 1, 0, 0, 0]


def test_after_the_labels_days_nobody_goes_up() -> None:
    policy = titrated(CEILINGS, np.array([10.0]))
    assert policy(len(CEILINGS), np.array([5]), seen(0, 10)).tolist() == [5]


def test_a_closed_loop_is_the_open_loop_with_the_same_doses() -> None:
    kernel = build(load(MODEL), ["C"])
    days = [doses(np.array([8.0, 20.0][:n]), 0, 10.0) for n in range(3)]
    diary = day_by_day(kernel, 4, days, fixed(2), parameters={}, subjects=3, first_units=2)
    assert diary.taken.tolist() == [[2] * 4] * 3
    assert (diary.mean[0] == diary.mean[2]).all()
    ka, k, t = 1.2, 5 / 20, np.linspace(72, 96, 200001)
    total = np.zeros_like(t)
    for start in (24.0 * d + h for d in range(4) for h in (8.0, 20.0)):
        u = np.maximum(t - start, 0)
        total += 10 * ka / (ka - k) * (np.exp(-k * u) - np.exp(-ka * u))
    assert diary.mean[0, 3, 0] == pytest.approx(total.mean(), rel=1e-3)
    assert diary.maximum[0, 3, 0] == pytest.approx(total.max(), rel=2e-3)


def test_placebo_is_scale_zero() -> None:
    kernel = build(load(MODEL), ["C"])
    days = [doses(np.array([8.0][:n]), 0, 10.0) for n in range(2)]
    diary = day_by_day(
        kernel, 2, days, fixed(1), parameters={}, subjects=2, first_units=1, scale=np.array([1.0, 0.0])
    )
    assert diary.maximum[0].max() > 0
    assert diary.maximum[1].max() == 0


@pytest.mark.parametrize("answer", [np.array([9]), np.array([-1]), np.array([0.5])])
def test_a_policy_that_asks_for_what_there_is_not_is_refused(answer: np.ndarray) -> None:
    kernel = build(load(MODEL), ["C"])
    days = [doses(np.array([8.0][:n]), 0, 10.0) for n in range(2)]
    with pytest.raises(SimulationError, match="After day 1 the policy asks for .* 0 to 1"):
        day_by_day(kernel, 2, days, lambda day, taken, seen: answer, parameters={}, subjects=1, first_units=1)
