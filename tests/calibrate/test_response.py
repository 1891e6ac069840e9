"""The fit on trials: what it is fitted on, its emulator, its sampler, and a small one from end to end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lissive.calibrate.emulator import learn
from lissive.calibrate.response import Effort, fit_response, fitted_on, priors, response_at, sample, target_of
from lissive.calibrate.response_data import Datum, data_of, to_scale
from lissive.calibrate.tables import estimates, inference_data, write_response
from lissive.errors import StudyError
from lissive.trials.published import shipped_published

TINY = Effort(runs=(24,), patients=6, steps=60, burn=40, walkers=16, ensembles=2)
FEW = tuple(p for p in priors() if p.name in ("gain_tone", "max_placebo_spasm", "titration willing"))


@pytest.fixture(scope="module")
def trials():
    return {each.id: each for each in shipped_published().trials}


# -- what is fitted on --------------------------------------------------------------------------------
def test_only_calibration_trials_are_fitted_on(trials) -> None:
    assert {each.split for each in fitted_on(tuple(trials.values()))} == {"calibration"}
    with pytest.raises(StudyError, match="collin_2010.*split: validation"):
        data_of([trials["collin_2010"]])


def test_memory_counts_for_less_and_views_of_the_same_ratings_share_their_weight(trials) -> None:
    data = {
        (d.observed.arm, d.observed.endpoint, d.observed.statistic): d
        for d in data_of([trials["collin_2007"]])
    }
    recalled = data["placebo", "spasticity_nrs_responders_30pct", "share"]
    n, p = 64, 14 / 64
    # twice the binomial error, for memory, times root 2, as the mean change is of the same ratings; plus 0.15
    assert recalled.error == pytest.approx(
        np.hypot(2 * np.sqrt(2) / np.sqrt(n * p * (1 - p)), 0.15), rel=0.01
    )
    read = data["nabiximols", "withdrawal_adverse", "share"]
    p = 6 / 124
    assert read.error == pytest.approx(np.hypot(1 / np.sqrt(124 * p * (1 - p)), 0.15), rel=0.01)
    assert read.value == pytest.approx(np.log(6.5 / 118.5))


def test_a_difference_is_left_out_where_its_arms_are_there(trials) -> None:
    kinds = {(d.observed.endpoint, d.observed.statistic) for d in data_of([trials["collin_2007"]])}
    assert ("spasticity_nrs", "change") in kinds
    assert ("spasticity_nrs", "difference") not in kinds
    only = replace(
        trials["collin_2007"],
        observed=tuple(
            o for o in trials["collin_2007"].observed if o.statistic != "change" or o.arm != "placebo"
        ),
    )
    assert ("spasticity_nrs", "difference") in {
        (d.observed.endpoint, d.observed.statistic) for d in data_of([only])
    }


def test_what_is_left_out_or_read_otherwise_by_name(trials) -> None:
    assert not data_of([trials["wade_2004"]])
    differences = [d for d in data_of([trials["hansen_2023"]]) if d.observed.statistic == "difference"]
    assert differences
    assert all(d.value == 0.0 for d in differences)  # whose sign is not stated: fitted as none


def test_shares_of_none_and_all_stay_finite(trials) -> None:
    share = next(o for o in trials["rog_2005"].observed if o.statistic == "share")
    assert np.isfinite([to_scale(share, 0.0, 32), to_scale(share, 1.0, 32)]).all()
    assert to_scale(share, 0.0, 32) == pytest.approx(np.log(0.5 / 32.5))


# -- the emulator --------------------------------------------------------------------------------------
def test_the_emulator_learns_a_quadratic_and_knows_its_noise() -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((400, 4))
    truth = 1.0 + 2.0 * x[:, 0] - x[:, 1] * x[:, 2] + 0.5 * x[:, 3] ** 2
    emulator = learn(x, np.stack([truth + 0.3 * rng.standard_normal(400), truth], axis=1))
    new = rng.standard_normal((200, 4))
    wanted = 1.0 + 2.0 * new[:, 0] - new[:, 1] * new[:, 2] + 0.5 * new[:, 3] ** 2
    told = emulator(new)
    assert np.sqrt(np.mean((told[:, 0] - wanted) ** 2)) < 0.12
    assert np.abs(told[:, 1] - wanted).max() < 0.05
    assert emulator.noise[0] == pytest.approx(0.3, rel=0.15)
    assert emulator.error[0] == pytest.approx(np.sqrt(np.mean((told[:, 0] - wanted) ** 2)), rel=0.6)


def test_a_figure_that_is_missing_in_some_runs_is_learnt_from_the_others() -> None:
    rng = np.random.default_rng(6)
    x = rng.standard_normal((80, 2))
    y = (3.0 * x[:, :1]).copy()
    y[:10] = np.nan
    assert learn(x, y)(np.array([[1.0, 0.0]]))[0, 0] == pytest.approx(3.0, rel=0.02)


# -- the posterior --------------------------------------------------------------------------------------
def test_the_sampler_finds_a_posterior_that_has_a_closed_form(trials) -> None:
    """One figure that is 2 z of the first parameter: a normal prior and a normal error have a normal posterior."""
    datum = replace(data_of([trials["collin_2007"]])[0], value=3.0, error=0.5)
    rng = np.random.default_rng(7)
    x = rng.standard_normal((60, len(FEW)))
    emulator = learn(x, 2.0 * x[:, :1])
    emulator = replace(emulator, error=np.zeros(1))
    effort = Effort(runs=(0,), patients=0, steps=1200, burn=300, walkers=24, ensembles=2)
    z = sample([datum], FEW, emulator, 3, effort)[0].reshape(-1, len(FEW))
    precision = 1.0 + 4.0 / 0.25
    assert z[:, 0].mean() == pytest.approx((2.0 * 3.0 / 0.25) / precision, abs=0.03)
    assert z[:, 0].std() == pytest.approx(precision**-0.5, rel=0.1)
    assert z[:, 1].std() == pytest.approx(1.0, rel=0.12)


def test_what_trials_share_widens_a_trial_of_many_figures(trials) -> None:
    """With a placebo response of each trial's own, ten equal figures weigh little more than one."""
    wanted = tuple(p for p in priors() if p.name in ("max_placebo_spasm", "between placebo"))
    place = [p.name for p in wanted].index("max_placebo_spasm")
    x = np.random.default_rng(8).standard_normal((60, 2))
    one = replace(data_of([trials["collin_2007"]])[0], value=1.0, error=0.1, trial=0)
    told = x[:, [place]]
    z = np.zeros((2, 2))
    z[1, place] = 1.0

    def gain(n: int) -> float:
        emulator = learn(x, np.repeat(told, n, axis=1))
        logp = target_of([one] * n, wanted, emulator)(z)
        return float(logp[1] - logp[0])

    assert gain(10) < 1.5 * gain(1)


# -- from end to end -------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def small(trials):
    return fit_response([trials["collin_2007"], trials["svendsen_2004"]], seed=2, effort=TINY, wanted=FEW)


def test_a_small_fit_is_the_same_again_to_the_bit(small, trials) -> None:
    again = fit_response(
        [trials["collin_2007"], trials["svendsen_2004"]], seed=2, effort=TINY, wanted=FEW, threads=2
    )
    assert (again.z == small.z).all()
    assert (again.emulator.coefficients == small.emulator.coefficients).all()


def test_files_of_a_fit(small, tmp_path) -> None:
    paths = {path.name: path for path in write_response(small, tmp_path)}
    import arviz  # announced once, as the files were written

    data = arviz.from_netcdf(paths["response.nc"])
    assert set(data.posterior.data_vars) == {p.name for p in FEW}
    assert data.observed_data["figure"].size == len(small.data)
    assert {"prior", "posterior_predictive", "sample_stats"} <= set(data.groups())
    rows = paths["response_draws.csv"].read_text(encoding="utf-8").splitlines()
    assert rows[0].split(",") == [p.name for p in FEW]
    assert len(rows) == 401
    table = paths["titration.tsv"].read_text(encoding="utf-8")
    assert next(line for line in table.splitlines() if line.startswith("willing\t")).split("\t")[3] == (
        "fitted (recalled)"  # the only doses in these trials were quoted from memory
    )
    assert (
        next(line for line in table.splitlines() if line.startswith("relieved_share\t")).split("\t")[3]
        != "fitted"
    )
    estimate = {row["name"]: row for row in estimates(small)}["gain_tone"]
    assert float(estimate["lower"]) < float(estimate["estimate"]) < float(estimate["upper"])
    assert "posterior" in inference_data(small).groups()


def test_an_answer_has_the_parameters_own_units() -> None:
    z = np.zeros(len(priors()))
    values = response_at(priors(), z).values
    assert values["max_placebo_spasm"] == pytest.approx(0.12)
    assert values["titration willing"] == pytest.approx(14.0)
    assert response_at(priors(), z, centre=True).values["between placebo"] == 0.0


def test_no_figures_is_said(trials) -> None:
    nothing = replace(trials["collin_2007"], observed=())
    with pytest.raises(StudyError, match="There is no calibration figure"):
        fit_response([nothing])


def test_a_datum_says_where_its_error_was_assumed(trials) -> None:
    data = [d for d in data_of([trials["collin_2007"]]) if d.observed.statistic == "change"]
    assert all(isinstance(d, Datum) and "assumed" in d.assumed for d in data)
