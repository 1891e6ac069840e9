"""The baseline: other tools' arithmetic, fitted on calibration figures alone, wide where it knows little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from lissive.calibrate import baseline as module
from lissive.calibrate.baseline import Widths, family_of, fit_baseline, regression, shipped_baseline
from lissive.trials.published import Observed, shipped_published

CALIBRATION = [t for t in shipped_published().trials if t.split == "calibration"]
TRIAL = next(t for t in CALIBRATION if t.id == "collin_2007")

ROWS = [
    {"level": 1.0},
    {"level": 1.0, "effect": 1.0},
    {"level": 1.0, "weeks": 0.5},
    {"level": 1.0, "weeks": 0.5, "effect": 1.0},
    {"effect": 1.0},
    {"level": 1.0, "weeks": -0.7},
]
IDS = ["a", "a", "b", "b", "c", "d"]
Y = np.array([-0.6, -1.2, -0.9, -1.9, -0.4, 0.1])
ERROR = np.array([0.2, 0.15, 0.4, 0.35, 0.25, 0.3])


def _noise(a: float, b: float):
    same = np.array([[x == y for y in IDS] for x in IDS], dtype=float)
    level, effect = (np.array([row.get(name, 0.0) for row in ROWS]) for name in ("level", "effect"))
    return np.diag(ERROR**2) + same * (a**2 * np.outer(level, level) + b**2 * np.outer(effect, effect))


def _of(name: str, value: float, **more):
    given = {"arm": "nabiximols", "against": None, "statistic": "change", "n": None, "week": None, **more}
    return Observed(
        "new", endpoint=name, value=value, error=None, ci=None, provenance="read", printed="x", **given
    )


def test_without_priors_it_is_generalised_least_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    from statsmodels.regression.linear_model import GLS

    monkeypatch.setattr(module, "LEVEL", 1e4)
    monkeypatch.setattr(module, "EFFECT", 1e4)
    found = regression(ROWS, IDS, Y, ERROR, Widths(1e4, 1e4))
    x = np.array([[row.get(name, 0.0) for name in found.names] for row in ROWS])
    for k in (0, 9, 63):
        known = GLS(Y, x, sigma=_noise(*found.between[k])).fit()
        assert found.mean[k] == pytest.approx(known.params, rel=1e-4)
        assert found.covariance[k] == pytest.approx(known.normalized_cov_params, rel=1e-3, abs=1e-6)


def test_the_weights_of_the_spreads_are_their_likelihood() -> None:
    found = regression(ROWS, IDS, Y, ERROR)
    x = np.array([[row.get(name, 0.0) for name in found.names] for row in ROWS])
    prior = np.diag(np.array([{"level": 3.0, "effect": 1.0}.get(n, 0.25) for n in found.names]) ** 2)
    logs = [
        multivariate_normal(np.zeros(6), _noise(a, b) + x @ prior @ x.T).logpdf(Y) for a, b in found.between
    ]
    assert np.log(found.weights / found.weights[0]) == pytest.approx(np.array(logs) - logs[0], abs=1e-8)


def test_one_figure_with_a_prior_is_the_textbook_shrinkage() -> None:
    """Effect 0 (sd 1) and one contrast: posterior mean y/(1 + s²), s² with what the trial adds."""
    found = regression([{"effect": 1.0}], ["a"], np.array([-2.0]), np.array([0.5]))
    s2 = 0.25 + found.between[:, 1] ** 2
    assert found.mean[:, 0] == pytest.approx(-2.0 / (1.0 + s2))
    assert found.covariance[:, 0, 0] == pytest.approx(s2 / (1.0 + s2))


def test_draws_have_the_mean_and_spread_of_the_mixture() -> None:
    found = regression(ROWS, IDS, Y, ERROR)
    x = {"level": 1.0, "effect": 1.0, "cause": 1.0}
    drawn = found.draw([x], 40_000, np.random.default_rng(1))[:, 0]
    row = np.array([x.get(name, 0.0) for name in found.names])
    means = found.mean @ row
    spread = row @ found.covariance @ row + (found.between**2).sum(axis=1) + 0.25**2  # a cause nobody studied
    mean = found.weights @ means
    assert drawn.mean() == pytest.approx(mean, abs=0.02)
    assert drawn.var() == pytest.approx(found.weights @ (spread + (means - mean) ** 2), rel=0.04)


def test_other_splits_and_the_trial_left_out_are_not_looked_at() -> None:
    absurd = replace(TRIAL, id="absurd", observed=tuple(replace(o, value=0.99) for o in TRIAL.observed))
    with_it = fit_baseline([*CALIBRATION, replace(absurd, split="validation")])
    usual = fit_baseline(CALIBRATION)
    for family, fitted in usual.of.items():
        assert np.array_equal(fitted.mean, with_it.of[family].mean)
    left_out = fit_baseline([*CALIBRATION, absurd], without="absurd")
    assert "absurd" not in left_out.trials
    assert np.array_equal(left_out.of["rating"].mean, usual.of["rating"].mean)
    assert not {"novotna_2011_phaseA", "novotna_2011_phaseB"} & {
        *fit_baseline(CALIBRATION, without="novotna_2011_phaseA").trials
    }
    assert not np.array_equal(fit_baseline([*CALIBRATION, absurd]).of["rating"].mean, usual.of["rating"].mean)


def test_a_prediction_does_not_know_the_figure() -> None:
    for one in TRIAL.observed:
        other = replace(one, value=0.0123, error=9.0, ci=None, provenance="derived")
        mine, blind = (shipped_baseline().samples(TRIAL.design, each) for each in (one, other))
        assert np.array_equal(mine, blind)


def test_every_figure_of_every_calibration_trial_is_predicted_within_its_range() -> None:
    for trial in CALIBRATION:
        for one in trial.observed:
            found = shipped_baseline().samples(trial.design, one)
            assert found is not None, one.printed
            assert np.isfinite(found).all()
            if one.statistic == "share":
                assert found.min() >= 0.0 <= 1.0 >= found.max()
                assert one.n is None or np.allclose(found * one.n, np.round(found * one.n))
            if one.statistic in ("sd", "change_sd", "mean", "odds_ratio"):
                assert found.min() > 0.0


def test_a_cause_that_no_trial_was_fitted_on_and_a_smaller_trial_are_wider() -> None:
    fitted, design = shipped_baseline(), TRIAL.design
    elsewhere = design.model_copy(
        update={"population": design.population.model_copy(update={"cause": "als"})}
    )
    one = _of("spasticity_nrs", -1.0, n=120)
    widths = [
        np.ptp(np.quantile(fitted.samples(d, o, 20_000), [0.05, 0.95]))
        for d, o in ((design, one), (elsewhere, one), (design, replace(one, n=10)))
    ]
    assert widths[1] > 1.02 * widths[0]
    assert widths[2] > 1.1 * widths[0]


def test_what_no_calibration_trial_says_is_not_predicted() -> None:
    assert family_of(_of("failure", 0.4, statistic="hazard_ratio", against="placebo")) is None
    hazard = _of("failure", 0.4, statistic="hazard_ratio", against="placebo")
    assert shipped_baseline().samples(TRIAL.design, hazard) is None
    no_level = _of("sleep_nrs", 4.0, statistic="end")
    assert shipped_baseline().samples(TRIAL.design, no_level) is None


def test_arms_of_one_trial_share_its_level() -> None:
    """The difference of two arms of one trial is surer than either."""
    arms = [_of("spasticity_nrs", 0.0, arm=arm) for arm in ("nabiximols", "placebo")]
    found = shipped_baseline().in_arms(TRIAL.design, arms, 4000)
    assert np.std(found[:, 0] - found[:, 1]) < 0.9 * np.std(found[:, 0])
    assert np.mean(found[:, 0] - found[:, 1]) < -0.3
