"""The linear pool against identities of mixtures, and how its weight is chosen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from lissive.calibrate.baseline import patients_of, shipped_baseline
from lissive.table import rows_of
from lissive.trials.published import shipped_published
from lissive.validation.pool import NESTED, POOL, WEIGHTS, pool_weight, pooled, write_pool
from lissive.validation.proper import crps
from lissive.validation.skill import model_left_out

TRIAL = next(t for t in shipped_published().trials if t.id == "collin_2007")
QUANTILES = norm.ppf((np.arange(4000) + 0.5) / 4000)


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.8, 1.0])
def test_the_pool_is_the_mixture(weight: float) -> None:
    """Mean and variance of a mixture of normals in closed form."""
    pool = pooled(1.0 + 0.5 * QUANTILES, -2.0 + 2.0 * QUANTILES, weight)
    mean = weight * 1.0 + (1 - weight) * -2.0
    variance = weight * (0.25 + 1.0) + (1 - weight) * (4.0 + 4.0) - mean**2
    assert pool.mean() == pytest.approx(mean, abs=0.01)
    assert pool.var() == pytest.approx(variance, rel=0.02)


@pytest.mark.parametrize("y", [-3.0, 0.0, 1.2])
def test_its_score_is_the_weighted_mean_of_both_less_how_far_they_are_apart(y: float) -> None:
    """CRPS = E|X-y| - E|X-X'|/2 is linear in the first term and concave in the second."""
    a, b, w = 1.0 + 0.5 * QUANTILES[::4], -2.0 + 2.0 * QUANTILES[::4], 0.7
    apart = np.abs(np.subtract.outer(a, b)).mean()
    within = [np.abs(np.subtract.outer(x, x)).mean() for x in (a, b)]
    wanted = w * crps(a, y) + (1 - w) * crps(b, y) - w * (1 - w) * (apart - 0.5 * sum(within))
    assert crps(pooled(a, b, w), y) == pytest.approx(wanted, abs=0.01)


def test_draws_that_are_not_finite_are_left_out() -> None:
    assert pooled(np.array([1.0, np.nan, np.inf]), np.array([1.0]), 0.5).tolist() == [1.0] * 1000


def test_the_weight_is_the_best_by_crps_and_is_scored_on_trials_that_did_not_choose_it(tmp_path) -> None:
    """The model is right on one trial and wrong on the other: each one's weight is chosen on the other."""
    one = TRIAL.observed[0]
    right, wrong = one.value + 0.1 * QUANTILES, one.value + 3.0 + 0.1 * QUANTILES
    two = [replace(one, trial="a"), replace(one, trial="b")]
    path = write_pool([(two[0], right, wrong), (two[1], wrong, right)], tmp_path)
    rows = {row["model_weight"]: row for row in rows_of(path)}
    assert float(rows["0"]["crps"]) == pytest.approx(float(rows["1"]["crps"]))
    # chosen on the other trial, the weight is the wrong one: both are predicted by what is wrong of them
    assert float(rows[NESTED]["crps"]) == pytest.approx(crps(wrong, one.value), rel=1e-3)
    sure = write_pool([(each, right, wrong) for each in two], tmp_path)
    pool_weight.cache_clear()
    assert pool_weight(sure) == 1.0


def test_the_table_that_ships_is_of_the_left_out_figures() -> None:
    rows = {row["model_weight"]: row for row in rows_of(POOL)}
    assert set(rows) == {f"{w:g}" for w in WEIGHTS} | {NESTED}
    told = list(model_left_out().values())
    shipped = rows[f"{pool_weight():g}"]
    assert int(shipped["n"]) == len(told)
    assert float(shipped["crps"]) == pytest.approx(np.mean([pool.crps for _, pool in told]), rel=1e-3)
    assert float(rows["1"]["crps"]) == pytest.approx(np.mean([mine.crps for mine, _ in told]), rel=0.01)
    trials = {key[0] for key in model_left_out()}
    assert {patients_of(each) for each in trials} == {patients_of(each) for each in shipped_baseline().trials}
    assert not {t.id for t in shipped_published().trials if t.split == "validation"} & trials
