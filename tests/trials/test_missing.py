"""Mixed models and imputation against nlme, closed forms and what is known of missing data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lissive.trials.estimate import ancova
from lissive.trials.missing import fit, imputed, mmrm, rubin

REFERENCE = Path(__file__).parent / "reference" / "mmrm.csv"
# reference/mmrm.R: gls() of nlme 3.1-162, corSymm and varIdent, REML
NLME = {
    0: (-0.3982199737, 0.3000205986),
    1: (-0.6180904980, 0.5098932240),
    2: (-1.1650714748, 0.6578724732),
    3: (-1.2395455173, 0.6488314248),
}


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(participant, visit) values with gaps, baseline, arm."""
    table = pd.read_csv(REFERENCE)
    change = table.pivot(index="id", columns="visit", values="change").to_numpy()
    each = table.groupby("id").first()
    base = each["base"].to_numpy()
    return change + base[:, None], base, each["treated"].to_numpy()


def test_the_mixed_model_is_that_of_nlme(data):
    values, base, arm = data
    assert np.isnan(values).sum() > 20
    change = values - base[:, None]
    x = np.column_stack([np.ones(len(arm)), arm, base])
    found = fit(change, x)
    assert found.converged
    errors = np.sqrt(np.diag(found.phi)).reshape(4, 3)[:, 1]
    for visit, (value, error) in NLME.items():
        assert found.beta[visit, 1] == pytest.approx(value, abs=1e-5)
        assert errors[visit] == pytest.approx(error, rel=1e-5)
        one = mmrm(values, base, arm, visit=visit)
        assert one.value == pytest.approx(value, abs=1e-5)
        assert (
            error * (1 - 1e-5) < one.se < 1.02 * error
        )  # Kenward and Roger's is never smaller, and little larger


def test_without_gaps_it_is_the_analysis_of_covariance(data):
    """Kenward and Roger's error and degrees of freedom are then exact."""
    _, base, arm = data
    rng = np.random.default_rng(1)
    values = base[:, None] + rng.normal(size=(len(arm), 4)).cumsum(axis=1)
    one, other = mmrm(values, base, arm), ancova(values[:, -1] - base, base, arm)
    for name in ("value", "se", "p", "lower", "upper"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-6)


def draws(n: int, visits: int, m: int = 60) -> np.ndarray:
    return np.random.default_rng(2).random((m, n, 1 + visits))


def test_imputation_at_random_agrees_with_the_mixed_model(data):
    values, base, arm = data
    one = imputed(values, base, arm, draws=draws(len(arm), 4))
    other = mmrm(values, base, arm)
    assert one.value == pytest.approx(other.value, abs=0.15)
    assert one.se == pytest.approx(other.se, rel=0.2)


def test_who_jumps_to_the_control_arm_brings_the_arms_together(data):
    values, base, arm = data
    late = np.isnan(values) & (np.cumsum(~np.isnan(values)[:, ::-1], axis=1)[:, ::-1] == 0)
    at_random = imputed(values, base, arm, draws=draws(len(arm), 4))
    jumping = imputed(values, base, arm, draws=draws(len(arm), 4), jumping=late)
    assert at_random.value < jumping.value < 0
    assert jumping.method == "jump to reference"


def test_imputation_without_gaps_is_the_analysis_of_covariance(data):
    _, base, arm = data
    values = base[:, None] + np.random.default_rng(3).normal(size=(len(arm), 2))
    one, other = (
        imputed(values, base, arm, draws=draws(len(arm), 2, 5)),
        ancova(values[:, -1] - base, base, arm),
    )
    assert (one.value, one.se) == pytest.approx((other.value, other.se), rel=1e-9)


def test_rubins_rules_of_one_answer_alone_have_its_own_error():
    value, variance, _ = rubin(np.array([2.0, 2.0]), np.array([0.5, 0.7]), 50.0)
    assert (value, variance) == (2.0, pytest.approx(0.6))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v, b, a: (v, b, a * 0), "nobody in the treated arm"),
        (lambda v, b, a: (v * np.nan, b, a), "fewer than 3 patients"),
        (lambda v, b, a: (np.column_stack([v, v[:, 0] * np.nan]), b, a), "too few participants at a visit"),
        (lambda v, b, a: (v[:4], b[:4], a[:4]), "too few participants at a visit"),
        (lambda v, b, a: (b[:, None] + 0 * np.nan_to_num(v), b, a), "."),
    ],
)
def test_what_cannot_be_modelled_is_said_and_not_raised(data, change, said):
    values, base, arm = change(*data)
    for found in (
        mmrm(values, base, arm),
        imputed(values, base, arm, draws=draws(len(arm), values.shape[1], 3)),
    ):
        assert np.isnan(found.value)
        assert found.note
        assert said == "." or said in found.note
