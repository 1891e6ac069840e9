"""Schedules and regimens that cannot be."""

import math

import numpy as np
import pytest

from lissive.errors import EventError
from lissive.simulation.events import Regimen, Schedule, doses


@pytest.mark.parametrize(
    ("times", "amount", "says"),
    [
        ([0, 1], [1, 2, 3], "2 times and 3 amounts"),
        ([0], -1, "An amount is -1"),
        ([math.nan], 1, "no finite number"),
    ],
)
def test_impossible_doses_are_refused(times, amount, says):
    with pytest.raises(EventError, match=says):
        doses(times, 0, amount)


def test_a_schedule_does_not_change():
    times = np.array([0.0, 1.0])
    schedule = doses(times, 0, 1.0)
    times[0] = 9
    assert schedule.time[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        schedule.time[0] = 1


def test_a_schedule_out_of_order_is_refused():
    with pytest.raises(EventError, match="Time falls from 2 to 1"):
        Schedule([2.0, 1.0], [0, 0], [0, 0], [1.0, 1.0])


def test_a_regimen_names_no_schedule_that_is_not_there():
    schedule = doses([0], 0, 1)
    assert len(Regimen((schedule,), [0], [2.0], [0.0])) == 1
    with pytest.raises(EventError, match="which runs from 1 to 1"):
        Regimen((schedule,), [1], [1.0], [0.0])
    with pytest.raises(EventError, match="scale 0 or more"):
        Regimen((schedule,), [0], [-1.0], [0.0])
