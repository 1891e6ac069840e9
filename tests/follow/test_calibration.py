"""The study of how far a follow-up can be trusted, in its small form, and its scores on data whose score is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lissive.follow.calibration import SETS, Calibration, _policies, calibration_study, ece, slope

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study() -> Calibration:
    return calibration_study(24, prior_people=120, threads=1, seed=2)


def test_chunks_on_disk_change_nothing(study: Calibration, tmp_path: Path) -> None:
    kept = calibration_study(24, prior_people=120, threads=1, seed=2, folder=tmp_path / "chunks")
    assert json.dumps(kept.to_json()) == json.dumps(study.to_json())


def test_intervals_hold_later_ratings_of_the_model_s_own_people(study: Calibration) -> None:
    model = study.sets[0]
    assert [each.name for each in study.sets] == list(SETS)
    assert model.coverage_90 > 0.7  # of 24; as few by chance in 1 of 100 where it is 90 %
    assert 0.2 <= model.coverage_50 <= 0.8
    assert model.effect_coverage_90 > 0.7


def test_who_has_no_effect_does_not_get_a_high_probability(study: Calibration) -> None:
    by_name = {each.name: each for each in study.sets}
    for name in ("no_drug_effect", "persistent_placebo"):
        assert by_name[name].benefit == 0.0
        assert by_name[name].mean_probability < by_name[name].mean_prior + 0.1
    assert by_name["no_drug_effect"].slope is None


def test_always_going_on_loses_no_benefit_and_stopping_some(study: Calibration) -> None:
    for each in study.sets:
        useless, lost = each.policies["always_continue"]
        assert (useless, lost) == (pytest.approx(12.0 * (1.0 - each.benefit)), 0.0)
        assert each.policies["four_week_rule"][0] <= useless


def test_the_slope_is_that_of_the_way_the_truth_was_drawn() -> None:
    random = np.random.default_rng(1)
    x = random.normal(-1.0, 1.5, 4000)
    truth = (random.random(4000) < 1 / (1 + np.exp(-0.6 * x))).astype(float)
    found = slope(1 / (1 + np.exp(-x)), truth)
    assert found is not None
    assert found[1] < 0.6 < found[2]
    assert found[2] - found[1] < 0.3


def test_the_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    p = np.repeat([0.1, 0.3, 0.5, 0.7, 0.9], 100)
    exact = np.concatenate([np.arange(100) < 100 * each for each in (0.1, 0.3, 0.5, 0.7, 0.9)]).astype(float)
    assert ece(p, exact, 1)[0] == pytest.approx(0.0, abs=1e-12)
    assert ece(p + 0.05, exact, 1)[0] == pytest.approx(0.05)
    estimate, low, high = ece(p + 0.05, exact, 1)
    assert low <= estimate <= high


def test_policies_count_months_after_the_decision() -> None:
    found = _policies(np.array([0.9, 0.01]), np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    month = 28 / 365.25 * 12
    assert found["four_week_rule"] == (pytest.approx(month / 2), 0.0)
    missed = _policies(np.array([0.9]), np.array([0.0]), np.array([1.0]))
    assert missed["four_week_rule"] == (0.0, pytest.approx(12 - month))
