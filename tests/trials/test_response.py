"""One answer of a calibration: what moves together."""

from __future__ import annotations

import numpy as np
import pytest

from lissive.simulation.days import next_units, thresholds
from lissive.trials.people import Response


@pytest.mark.parametrize("factor", [0.5, 1.3])
def test_both_bounds_of_intoxication_move_together(factor: float) -> None:
    """No trial tells the two apart: the upper one stays where the tables have it in proportion to the lower."""
    table = thresholds()
    moved = Response({"titration raise_below": factor * table["raise_below"]}).titration()
    assert moved["lower_above"] == pytest.approx(factor * table["lower_above"], rel=1e-3)
    assert {k: v for k, v in moved.items() if k not in ("raise_below", "lower_above")} == {
        k: v for k, v in table.items() if k not in ("raise_below", "lower_above")
    }


def test_people_hold_their_dose_between_the_bounds_and_lower_it_a_quarter_above_the_lower() -> None:
    limit = Response({"titration raise_below": 40.0}).titration()
    worst = np.array([39.0, 41.0, 49.5, 50.5, 58.0])
    units = next_units(np.full(5, 6), worst, np.ones(5), 12, limit)
    assert units.tolist() == [7, 6, 6, 5, 5]
