"""Typical kinetics drawn from what the fit to concentrations left uncertain."""

from __future__ import annotations

import numpy as np
from scipy.special import logit

from lissive.model.parameters import load_parameters
from lissive.simulation.kinetics import covariance, fitted, kinetics, uncertainty

DRAWS = 4000


def free(name: str) -> bool:
    """Whether the plausible range hardly cuts the distribution off."""
    row = fitted()[name]
    scale = logit if row["scale"] == "logit" else np.log
    here, low, high = (scale(float(row[column])) for column in ("estimate", "lower", "upper"))
    return bool(min(here - low, high - here) > 3.0 * float(row["se"]))


def test_draws_have_the_standard_errors_and_correlations_of_the_fit() -> None:
    names, wanted = covariance()
    uncut = [k for k, name in enumerate(names) if free(name)]
    assert len(uncut) > 15
    drawn = uncertainty(DRAWS, 2)
    found = np.cov(np.stack([drawn[names[k]] for k in uncut]))
    sd = np.sqrt(np.diag(wanted)[uncut])
    # of 4000 draws a standard error is known to 1.1 %, a correlation to 0.016
    np.testing.assert_allclose(np.sqrt(np.diag(found)), sd, rtol=0.05)
    apart = found / np.outer(sd, sd) - wanted[np.ix_(uncut, uncut)] / np.outer(sd, sd)
    assert np.abs(apart).max() < 0.12


def test_no_draw_leaves_the_range_that_physiology_allows() -> None:
    drawn = kinetics(500, 3)
    for name, row in fitted().items():
        values = [each[name] for each in drawn]
        assert float(row["lower"]) * 0.999 <= min(values) < max(values) <= float(row["upper"]) * 1.001, name


def test_a_replicate_has_the_same_kinetics_to_the_bit_however_many_there_are() -> None:
    assert kinetics(3, 7) == kinetics(200, 7)[:3]
    assert kinetics(1, 8)[0] != kinetics(1, 7)[0]
    assert kinetics(0, 7) == []


def test_the_centre_is_the_table() -> None:
    rows, drawn = load_parameters(), kinetics(DRAWS, 5)
    for name in ("CL_THC", "MTT_THC_oral", "CL_OH"):
        middle, error = np.median([each[name] for each in drawn]), float(fitted()[name]["se"])
        np.testing.assert_allclose(np.log(middle / rows[name].value), 0.0, atol=4 * error / np.sqrt(DRAWS))
