"""At which hours of the day units are taken."""

from __future__ import annotations

import numpy as np
import pytest

from lissive.case import product
from lissive.simulation.dosing import clock


@pytest.mark.parametrize(
    ("units", "hours"),
    [
        (0, []),
        (1, [15]),
        (2, [11.5, 18.5]),
        (4, [9.75, 13.25, 16.75, 20.25]),
        (7, [9, 11, 13, 15, 17, 19, 21]),
    ],
)
def test_doses_stand_in_the_middles_of_equal_parts_of_the_waking_day(units: int, hours: list[float]) -> None:
    np.testing.assert_allclose(clock(product("dronabinol"), units), hours)


@pytest.mark.parametrize(
    ("sprays", "morning", "evening"),
    [
        (1, [], [19]),
        (3, [10], [17.5, 20.5]),
        (8, [8 + 4 / 6, 10, 12 - 4 / 6], [16.6, 17.8, 19, 20.2, 21.4]),
        (12, [8.4, 9.2, 10, 10.8, 11.6], [16 + 6 * k / 14 for k in (1, 3, 5, 7, 9, 11, 13)]),
    ],
)
def test_sprays_are_split_between_morning_and_evening_as_the_label_has_them(
    sprays: int, morning: list[float], evening: list[float]
) -> None:
    """Sativex leaflet: waking to midday, and 4 pm to bedtime; on day 14, 5 sprays and 7."""
    np.testing.assert_allclose(clock(product("nabiximols"), sprays), [*morning, *evening])


def test_several_at_once_make_the_later_occasions_the_larger() -> None:
    np.testing.assert_allclose(
        clock(product("dronabinol"), 5, doses_per_day=2), [11.5, 11.5, 18.5, 18.5, 18.5]
    )
    np.testing.assert_allclose(clock(product("dronabinol"), 1, doses_per_day=3), [8 + 14 * 5 / 6])
