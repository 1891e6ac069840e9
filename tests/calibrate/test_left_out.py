"""A trial predicted without it: the draws that are scored, against closed forms on an emulator that is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lissive.calibrate.emulator import Emulator, features
from lissive.calibrate.left_out import predictions
from lissive.calibrate.prior import Prior
from lissive.calibrate.response_data import data_of
from lissive.calibrate.response_likelihood import groups
from lissive.calibrate.structures import Score
from lissive.trials.published import shipped_published

TRIALS = [t for t in shipped_published().trials if t.id in ("collin_2007", "hansen_2023")]
WANTED = (Prior("gain_tone", "log", 1.0, 0.5), Prior("between effect", "log", 0.3, 0.1))
DATA = data_of(TRIALS)


def _emulator(slope: float) -> Emulator:
    """Every figure is its published value, and moves with the first parameter."""
    coefficients = np.zeros((features(np.zeros((1, 2))).shape[1], len(DATA)))
    coefficients[0] = [d.value for d in DATA]
    coefficients[1] = slope
    none = np.zeros(len(DATA))
    return Emulator(coefficients, none, none + 1.0, none, np.eye(len(none)))


def _found(slope: float, n: int = 4000):
    without = {group: np.zeros((n, 2)) for group in groups(DATA)}
    score = Score("all", dict.fromkeys(without, 0.0), without)
    return dict(predictions(score, DATA, TRIALS, WANTED, _emulator(slope)))


def test_a_mean_varies_by_who_takes_part_and_by_how_trials_differ() -> None:
    """Of 120 people whose changes have a spread of 1.7; a trial's own effect has 0.3/0.5 standard deviations."""
    one = next(d.observed for d in DATA if d.observed.statistic == "change")
    for slope in (0.0, 0.4):
        values = _found(slope)[one]
        assert values.mean() == pytest.approx(one.value, abs=0.03)
        assert values.std() == pytest.approx(np.hypot(1.7 / np.sqrt(one.n or 1), slope * 0.3 / 0.5), rel=0.05)


def test_a_share_is_one_of_whole_people() -> None:
    for one, values in _found(0.0).items():
        if one.statistic == "share" and one.n:
            assert values * one.n == pytest.approx(np.rint(values * one.n))


def test_a_difference_that_is_not_fitted_on_is_that_of_its_arms() -> None:
    found = _found(0.0)
    change = {
        o.arm: o for o in found if (o.trial, o.endpoint, o.statistic) == ("hansen_2023", "pain_nrs", "change")
    }
    for one in found:
        if (one.trial, one.endpoint, one.statistic) == ("hansen_2023", "pain_nrs", "difference"):
            assert one not in [d.observed for d in DATA]
            apart = change[one.arm].value - change[str(one.against)].value
            assert found[one].mean() == pytest.approx(apart, abs=0.03)


def test_what_was_observed_is_not_looked_at() -> None:
    """The same figures with other values and intervals are predicted alike."""
    other = [replace(t, observed=tuple(replace(o, error=9.0) for o in t.observed)) for t in TRIALS]
    data = [replace(d, observed=replace(d.observed, error=9.0)) for d in DATA]
    without = {group: np.zeros((500, 2)) for group in groups(DATA)}
    score = Score("all", dict.fromkeys(without, 0.0), without)
    both = [
        list(predictions(score, *each, WANTED, _emulator(0.2))) for each in ((DATA, TRIALS), (data, other))
    ]
    assert len(both[0]) == len(both[1]) > 30
    for (_, one), (_, two) in zip(*both, strict=True):
        assert (one == two).all()
