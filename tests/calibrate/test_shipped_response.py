"""The fit on trials that ships: it converged, its files agree with each other, and the page that shows it is of it."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest

import lissive
from lissive.calibrate.response import priors
from lissive.calibrate.tables import read_estimates
from lissive.model.parameters import load_parameters
from lissive.simulation.days import thresholds
from lissive.simulation.ratings import figures
from lissive.trials.people import BETWEEN, RATING, SPREAD, TITRATION, between_trials, draws
from lissive.trials.reproduce import stamp

FOUND = Path(str(lissive.__file__)).parent / "calibrate" / "found"
PAGE = Path(__file__).parents[2] / "docs" / "trials.md"


@pytest.fixture(scope="module")
def estimates():
    return read_estimates(FOUND / "response.tsv")


def test_every_prior_has_an_estimate_and_every_chain_agrees(estimates) -> None:
    assert list(estimates) == [p.name for p in priors()]
    for row in estimates.values():
        assert float(row["rhat"]) < 1.05
        assert float(row["ess"]) > 150


def test_the_draws_are_of_these_estimates(estimates) -> None:
    many = draws(400, 3)
    for name, row in estimates.items():
        values = np.array([each.values[name] for each in many])
        low, high = float(row["lower"]), float(row["upper"])
        if float(row["se"]) == 0.0:
            assert np.allclose(values, low, rtol=1e-3)
            continue
        assert low < np.median(values) < high
        assert 0.8 < np.mean((values > low) & (values < high)) < 0.98


def test_the_tables_hold_the_medians(estimates) -> None:
    known, prior = load_parameters(), {p.name: p for p in priors()}
    for name, row in estimates.items():
        for prefix, table in ((TITRATION, thresholds()), (RATING, figures()), (BETWEEN, between_trials())):
            if name.startswith(prefix):
                assert table[name.removeprefix(prefix)] == pytest.approx(float(row["estimate"]))
        if name.startswith(SPREAD):
            assert known[name.removeprefix(SPREAD)].spread == pytest.approx(float(row["estimate"]))
        elif name in known:
            assert known[name].value == pytest.approx(float(row["estimate"]))
            fixed = float(row["se"]) == 0.0
            if fixed and row["estimate"] == row["prior"]:  # it stays what it was, with its source
                assert known[name].source == prior[name].source
            else:
                assert known[name].provenance.startswith("assumed" if fixed else "fitted")


def test_the_posterior_opens_in_arviz() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library announces its next version
        import arviz

        data = arviz.from_netcdf(FOUND / "response.nc")
    assert {"posterior", "prior", "posterior_predictive", "observed_data", "sample_stats"} <= set(
        data.groups()
    )
    assert data.posterior.sizes["chain"] == 4
    assert set(data.posterior.data_vars) == {p.name for p in priors()}


def test_the_page_of_published_trials_is_of_these_draws() -> None:
    assert f"Made from {stamp()}." in PAGE.read_text(encoding="utf-8")


def test_no_row_of_the_page_is_lost() -> None:
    """What the page counts is what it lists."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and " to " in line]
    counted = [line for line in lines if "(split" in line and line.startswith("| ") and " of " in line]
    assert len(rows) == sum(int(line.split(" of ")[1].split(" ")[0]) for line in counted)


def test_tables_are_tables() -> None:
    with (FOUND / "response.tsv").open(encoding="utf-8", newline="") as file:
        assert all(
            None not in row and None not in row.values() for row in csv.DictReader(file, delimiter="\t")
        )
