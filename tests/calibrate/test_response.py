"""The fit on trials: what it is fitted on, its emulator, its sampler, and a small one from end to end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from lissive.calibrate.emulator import learn
from lissive.calibrate.response import (
    Effort,
    fit_response,
    fitted_on,
    priors,
    refined,
    response_at,
    sample,
)
from lissive.calibrate.response_data import Datum, covariance, data_of, to_scale
from lissive.calibrate.response_likelihood import (
    Restriction,
    groups,
    likelihood_of,
    low_rank,
    retest_of,
    target_of,
)
from lissive.calibrate.structures import restriction, structures
from lissive.calibrate.tables import estimates, inference_data, write_response
from lissive.errors import StudyError
from lissive.trials.published import Observed, shipped_published

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


def figures_of(trial) -> dict[tuple[str, str, str], Datum]:
    return {(d.observed.arm, d.observed.endpoint, d.observed.statistic): d for d in data_of([trial])}


def test_memory_counts_for_less(trials) -> None:
    data = figures_of(trials["collin_2007"])
    recalled = data["placebo", "spasticity_nrs_responders_30pct", "share"]
    n, p = 64, 14 / 64
    # twice the binomial error, for memory; plus 0.15
    assert recalled.error == pytest.approx(np.hypot(2 / np.sqrt(n * p * (1 - p)), 0.15), rel=0.01)
    read = data["nabiximols", "withdrawal_adverse", "share"]
    p = 6 / 124
    assert read.error == pytest.approx(np.hypot(1 / np.sqrt(124 * p * (1 - p)), 0.15), rel=0.01)
    assert read.value == pytest.approx(np.log(6.5 / 118.5))


def test_a_comparison_enters_with_its_published_error(trials) -> None:
    """ln(4.69/1.59)/(2 × 1.96) = 0.276; (1.03 - 0.004)/(2 × 1.96) = 0.262."""
    data = figures_of(trials["novotna_2011_phaseB"])
    assert data["nabiximols", "spasticity_nrs_responders_30pct", "odds_ratio"].error == pytest.approx(
        0.276, abs=5e-4
    )
    data = figures_of(trials["collin_2007"])
    assert data["nabiximols", "spasticity_nrs", "difference"].error == pytest.approx(0.262, abs=5e-4)


def test_the_spread_of_a_change_comes_back_from_the_error_of_a_difference(trials) -> None:
    """The error of a difference is the spread times the root of 1/120 + 1/64."""
    found = figures_of(trials["collin_2007"])["nabiximols", "spasticity_nrs", "change_sd"]
    assert np.exp(found.value) == pytest.approx(0.2617 / np.sqrt(1 / 120 + 1 / 64), rel=1e-3)


def test_the_covariance_is_that_of_simulated_arms() -> None:
    """Normal changes in two arms: mean, two responder rates, difference and odds ratio, over and over."""
    rng = np.random.default_rng(3)
    n, effect, cuts = (150, 60), -0.5, (-1.2, -2.2)
    sets = 4000
    arms = [rng.normal(m, 1.7, (sets, k)) for m, k in zip((effect - 1.0, -1.0), n, strict=True)]
    means = [a.mean(axis=1) for a in arms]
    shares = [[np.clip((a <= cut).mean(axis=1), 0.01, 0.99) for cut in cuts] for a in arms]
    odds = [[np.log(p / (1 - p)) for p in each] for each in shares]
    figures = [*means, odds[0][0], odds[1][0], odds[0][1], means[0] - means[1], odds[0][0] - odds[1][0]]
    wanted = np.corrcoef(figures)
    errors = np.std(figures, axis=1)

    def datum(arm: str, against: str | None, view: str | float, error: float) -> Datum:
        observed = Observed("t", arm, against, "pain_nrs", "", 0.0, None, None, None, None, "read", "")
        share = n[1] / sum(n)
        parts = (
            {arm: error}
            if against is None
            else {arm: error * share**0.5, against: -error * (1 - share) ** 0.5}
        )
        return Datum(observed, 0, 0.0, parts, 0.0, view, "")

    p = [float(np.mean([each[k].mean() for each in shares])) for k in range(2)]
    data = [
        datum("a", None, "mean", errors[0]),
        datum("b", None, "mean", errors[1]),
        datum("a", None, p[0], errors[2]),
        datum("b", None, p[0], errors[3]),
        datum("a", None, p[1], errors[4]),
        datum("a", "b", "mean", errors[5]),
        datum("a", "b", p[0], errors[6]),
    ]
    found = covariance(data)
    sd = np.sqrt(np.diag(found))
    np.testing.assert_allclose(sd, errors, rtol=1e-9)
    np.testing.assert_allclose(found / np.outer(sd, sd), wanted, atol=0.06)


def test_figures_of_the_same_people_go_together_as_in_virtual_people() -> None:
    """Two ratings of the same people and who stops, which goes with one of them; comparisons are made of their arms."""
    rng = np.random.default_rng(11)
    n, sets = (150, 60), 4000

    def arm(people: int) -> list[np.ndarray]:
        stiff, other, third = rng.normal(size=(3, sets, people))
        pain = 0.6 * stiff + 0.8 * other
        stops = np.log(
            np.mean(stiff + 0.5 * third > 1.0, axis=1) / np.mean(stiff + 0.5 * third <= 1.0, axis=1)
        )
        return [stiff.mean(axis=1), pain.mean(axis=1), stops]

    a, b = arm(n[0]), arm(n[1])
    apart = [x - y for x, y in zip(a, b, strict=True)]
    figures = np.stack([*a, *b, *apart])
    kinds = (("spasticity_nrs", "change"), ("pain_nrs", "change"), ("withdrawal", "share"))
    between = {"change": "difference", "share": "odds_ratio"}
    data = []
    for k, errors in enumerate(figures.std(axis=1).reshape(3, 3)):
        for (endpoint, kind), error in zip(kinds, errors, strict=True):
            mine, against = ("b", None) if k == 1 else ("a", "b" if k == 2 else None)
            share = n[1] / sum(n)
            parts = {"a": error * share**0.5, "b": -error * (1 - share) ** 0.5} if against else {mine: error}
            kind = between[kind] if against else kind
            observed = Observed("t", mine, against, endpoint, kind, 0.0, None, None, None, None, "read", "")
            data.append(Datum(observed, 0, 0.0, parts, 0.0, "mean", ""))
    # what an emulator finds: the same people on every arm, so that arms are not independent in it
    every = arm(100)
    together = np.corrcoef(np.tile(every, (3, 1)))
    found = covariance(data, together)
    sd = np.sqrt(np.diag(found))
    np.testing.assert_allclose(sd, figures.std(axis=1), rtol=1e-9)
    np.testing.assert_allclose(found / np.outer(sd, sd), np.corrcoef(figures), atol=0.06)
    assert np.linalg.eigvalsh(found).min() > 0.0
    without = covariance(data)
    assert without[0, 1] == 0.0  # of two ratings nothing is known without virtual people


def test_the_emulator_keeps_how_chance_goes_together() -> None:
    rng = np.random.default_rng(12)
    x, (e, f) = rng.standard_normal((600, 2)), rng.normal(size=(2, 600))
    y = np.stack([x[:, 0] + e, x[:, 1] - 0.8 * e + 0.6 * f, x[:, 0] + f], axis=1)
    y[:50, 2] = np.nan
    found = learn(x, y).together
    np.testing.assert_allclose(found, [[1, -0.8, 0], [-0.8, 1, 0.6], [0, 0.6, 1]], atol=0.1)


def test_a_comparison_whose_sign_is_not_stated_is_left_out_where_its_arms_are_there(trials) -> None:
    kinds = {(d.observed.endpoint, d.observed.statistic) for d in data_of([trials["hansen_2023"]])}
    assert ("pain_nrs", "change") in kinds
    assert ("pain_nrs", "difference") not in kinds
    assert ("spasticity_nrs", "difference") in kinds  # of which no arm is printed


def test_a_spread_comes_from_an_interval_only_where_all_who_take_part_have_the_symptom(trials) -> None:
    """Of two groups with the same spread the standard error of a difference is sd √(1/a + 1/b). Who was randomised in a
    trial of pain or stiffness is more than who has either: pain's own printed spreads are below what that gives."""
    spread = {
        name: [
            d
            for d in data_of([trials[name]])
            if (d.view, d.observed.endpoint) == ("spread", "spasticity_nrs")
        ]
        for name in ("collin_2007", "hansen_2023")
    }
    difference = next(o for o in trials["collin_2007"].observed if o.statistic == "difference")
    (one,) = spread["collin_2007"]
    assert np.exp(one.value) == pytest.approx(difference.error / np.sqrt(1 / 120 + 1 / 64), rel=1e-6)
    assert not spread["hansen_2023"]
    pain = [o for o in trials["hansen_2023"].observed if o.endpoint == "pain_nrs"]
    printed = max(o.value for o in pain if o.statistic == "change_sd")
    assert all(o.error / np.sqrt(1 / 31 + 1 / 40) > printed for o in pain if o.statistic == "difference")


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
@pytest.mark.slow
def test_the_sampler_finds_a_posterior_that_has_a_closed_form(trials) -> None:
    """One figure that is 2 z of the first parameter: a normal prior and a normal error have a normal posterior."""
    datum = replace(data_of([trials["collin_2007"]])[0], value=3.0, sampled={"nabiximols": 0.5}, alone=0.0)
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
    one = replace(data_of([trials["collin_2007"]])[0], value=1.0, sampled={}, alone=0.1, trial=0)
    told = x[:, [place]]
    z = np.zeros((2, 2))
    z[1, place] = 1.0

    def gain(n: int) -> float:
        emulator = learn(x, np.repeat(told, n, axis=1))
        logp = target_of([one] * n, wanted, emulator)(z)
        return float(logp[1] - logp[0])

    assert gain(10) < 1.5 * gain(1)


def test_a_restricted_structure_is_the_nested_model(trials) -> None:
    """A parameter that is fixed, or follows another: the target is that of the model without it."""
    wanted = tuple(
        p for p in priors() if p.name in ("gain_tone", "gain_more", "rating visit_sd", "rating rating_sd")
    )
    names = [p.name for p in wanted]
    here = Restriction.of(wanted, {"gain_more": 1.0}, {"rating visit_sd": "rating rating_sd"})
    z = np.random.default_rng(4).standard_normal((9, 2))
    whole = here.whole(z)
    values = {n: p.at(whole[:, k]) for k, (n, p) in enumerate(zip(names, wanted, strict=True))}
    np.testing.assert_allclose(values["gain_more"], 1.0)
    np.testing.assert_allclose(values["rating visit_sd"], values["rating rating_sd"])
    x = np.random.default_rng(5).standard_normal((80, len(wanted)))
    data = data_of([trials["collin_2007"]])
    emulator = learn(x, np.repeat(x.sum(axis=1, keepdims=True), len(data), axis=1))
    free = target_of(data, wanted, emulator)(whole)
    nested = target_of(data, wanted, emulator, within=here)(z)
    prior = -0.5 * (z**2).sum(axis=1) + 0.5 * (whole**2).sum(axis=1)
    np.testing.assert_allclose(nested, free + prior)


def test_every_structure_is_nested_in_the_last() -> None:
    free = {name: len(restriction(name, priors()).slope) for name in structures()}
    assert free["doses"] == len(priors())
    assert free["whole"] == len(priors()) - 1


def test_a_trial_left_out_takes_its_likelihood_with_it(trials) -> None:
    used = [trials["collin_2007"], trials["svendsen_2004"]]
    data = data_of(used)
    x = np.random.default_rng(6).standard_normal((80, len(FEW)))
    emulator = learn(x, np.tile(x[:, :1], len(data)))
    z = np.random.default_rng(7).standard_normal((5, len(FEW)))
    both = target_of(data, FEW, emulator)(z)
    one = target_of(data, FEW, emulator, without=np.array([False, True]))(z)
    np.testing.assert_allclose(both - one, likelihood_of(data, FEW, emulator).by_trial(z)[:, 1])


def test_phases_of_one_publication_differ_from_others_as_one_trial(trials) -> None:
    """Both move by the same number: their likelihood is not that of two trials that differ by numbers of their own."""
    used = [trials["novotna_2011_phaseA"], trials["novotna_2011_phaseB"], trials["collin_2007"]]
    data = data_of(used)
    assert list(groups(data)) == ["novotna_2011", "collin_2007"]
    assert sorted(place for each in groups(data).values() for place in each) == list(range(len(data)))
    x = np.random.default_rng(6).standard_normal((80, len(FEW)))
    likelihood = likelihood_of(data, FEW, learn(x, np.tile(x[:, :1], len(data))))
    assert likelihood.by_trial(np.zeros((5, len(FEW)))).shape == (5, 2)


def test_the_low_rank_likelihood_is_the_normal_density() -> None:
    rng = np.random.default_rng(8)
    rest, shifts = rng.standard_normal((3, 6)), rng.standard_normal((2, 3, 6))
    of_trial = np.repeat(np.eye(2), 3, axis=0)
    found = low_rank(rest, shifts, of_trial)
    for w in range(3):
        for t in range(2):
            mine = of_trial[:, t] == 1
            cov = np.eye(3) + sum(np.outer(s[w, mine], s[w, mine]) for s in shifts)
            density = multivariate_normal(np.zeros(3), cov).logpdf(rest[w, mine])
            assert found[w, t] == pytest.approx(density + 1.5 * np.log(2 * np.pi))


def test_two_weeks_ratings_differ_by_their_errors_alone_where_the_course_stays() -> None:
    """A course that never changes is in both: what is left is the error of a mean of 6.3 days, 0.6 where it is 1.5."""
    wanted = tuple(
        p for p in priors() if p.name in ("rating course_sd", "rating rating_sd", "rating course_days")
    )
    names = [p.name for p in wanted]
    z = np.zeros((3, 3))
    z[:, names.index("rating course_days")] = 25.0
    target = 0.6 * np.sqrt(6.3)
    p = wanted[names.index("rating rating_sd")]
    for k, sd in enumerate((target, target * np.exp(0.25), target * np.exp(-0.5))):
        z[k, names.index("rating rating_sd")] = (np.log(sd) - np.log(p.value)) / p.sd
    np.testing.assert_allclose(retest_of(wanted)(z), [0.0, -0.5, -2.0], atol=1e-3)


def test_slopes_of_the_emulator_are_those_of_what_it_says() -> None:
    rng = np.random.default_rng(9)
    emulator = learn(rng.standard_normal((60, 3)), rng.standard_normal((60, 2)))
    x, h = rng.standard_normal((4, 3)), 1e-5
    for k in range(3):
        up, down = x.copy(), x.copy()
        up[:, k] += h
        down[:, k] -= h
        np.testing.assert_allclose(
            emulator.slopes(x, np.array([k]))[:, 0],
            (emulator(up) - emulator(down)) / (2 * h),
            rtol=1e-5,
            atol=1e-8,
        )


# -- from end to end -------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def small(trials):
    return fit_response([trials["collin_2007"], trials["svendsen_2004"]], seed=2, effort=TINY, wanted=FEW)


@pytest.mark.slow
def test_a_small_fit_is_the_same_again_to_the_bit(small, trials) -> None:
    again = fit_response(
        [trials["collin_2007"], trials["svendsen_2004"]], seed=2, effort=TINY, wanted=FEW, threads=2
    )
    assert (again.z == small.z).all()
    assert (again.emulator.coefficients == small.emulator.coefficients).all()


@pytest.mark.slow
def test_the_last_wave_is_where_the_structure_that_ships_is(small) -> None:
    """Its runs have the fixed value, and the emulator has learnt from them and from those before."""
    within = Restriction.of(FEW, {"gain_tone": 2.5}, {})
    last = refined(small, within, replace(TINY, last=10))
    place = [p.name for p in FEW].index("gain_tone")
    assert len(last.x) == len(small.x) + 10
    assert (last.x[: len(small.x)] == small.x).all()
    np.testing.assert_allclose(FEW[place].at(last.x[len(small.x) :, place]), 2.5)
    np.testing.assert_allclose(last.values[..., place], 2.5)
    again = learn(last.x, last.y)
    assert (again.coefficients == last.emulator.coefficients).all()


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
    assert values["max_placebo_spasm"] == pytest.approx(0.1)
    assert values["titration willing"] == pytest.approx(14.0)
    assert response_at(priors(), z, centre=True).values["between placebo"] == 0.0


def test_no_figures_is_said(trials) -> None:
    nothing = replace(trials["collin_2007"], observed=())
    with pytest.raises(StudyError, match="There is no calibration figure"):
        fit_response([nothing])


def test_a_datum_says_where_its_error_was_assumed(trials) -> None:
    data = [d for d in data_of([trials["collin_2007"]]) if d.observed.statistic == "change"]
    assert all(isinstance(d, Datum) and "assumed" in d.assumed for d in data)
