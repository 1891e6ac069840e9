"""What a fit says beside the figures of trials, against closed forms on an emulator that is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lissive.calibrate.emulator import Emulator, features
from lissive.calibrate.prior import Prior
from lissive.calibrate.reached import reached
from lissive.calibrate.response import Posterior
from lissive.calibrate.response_data import data_of
from lissive.calibrate.structures import Score
from lissive.trials.published import shipped_published

TRIALS = tuple(t for t in shipped_published().trials if t.id in ("collin_2007", "novotna_2011_phaseB"))
RATINGS = (
    Prior("rating course_sd", "log", 1e-9, 0.5),
    Prior("rating rating_sd", "log", 1.5, 0.5),
    Prior("rating course_days", "log", 28.0, 0.5),
)


def _posterior(moves: float, wanted: tuple[Prior, ...] = RATINGS) -> Posterior:
    """Every figure is its published value, and the drug's in the enriched trial moves with the last parameter."""
    data = tuple(data_of(TRIALS))
    coefficients = np.zeros((features(np.zeros((1, len(wanted)))).shape[1], len(data)))
    coefficients[0] = [d.value for d in data]
    coefficients[len(wanted)] = [moves * (d.observed.statistic == "odds_ratio") for d in data]
    none = np.zeros(len(data))
    z = np.zeros((2, 50, len(wanted)))
    emulator = Emulator(coefficients, none, none + 1.0, none, np.eye(len(none)))
    return Posterior(wanted, data, TRIALS, emulator, z, z[..., 0], none, z[None], seed=1, x=z[0], y=z[0])


def test_what_was_published_comes_back() -> None:
    """48 of 120 and 14 of 64 respond, half a patient added to each count; 2.73 in the enriched trial."""
    without = {"novotna_2011": np.tile([0.0, 0.0, 1.0], (50, 1))}
    rows = {row["name"]: row for row in reached(_posterior(0.5), [Score("all", {}, without)])}
    ratio = 2.73 / ((48.5 / 72.5) / (14.5 / 50.5))
    assert float(rows["enriched_over_parallel"]["published"]) == pytest.approx(ratio, rel=1e-3)
    assert float(rows["enriched_over_parallel"]["median"]) == pytest.approx(ratio, rel=1e-3)
    unseen = rows["enriched_unseen_over_parallel"]
    assert float(unseen["median"]) == pytest.approx(ratio * math.exp(0.5), rel=1e-3)


def test_two_weeks_are_apart_by_the_errors_of_their_days_where_nothing_else_changes() -> None:
    row = reached(_posterior(0.0), [])[0]
    assert (row["name"], row["published"], row["unit"]) == ("retest", "0.6", "NRS")
    assert float(row["median"]) == pytest.approx(1.5 / math.sqrt(6.3), rel=1e-3)


def test_what_is_not_fitted_is_not_said() -> None:
    found = reached(_posterior(0.0, (Prior("gain_tone", "log", 1.0, 0.5),)), [])
    assert [row["name"] for row in found] == ["enriched_over_parallel"]
