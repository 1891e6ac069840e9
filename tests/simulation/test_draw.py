"""Random streams and virtual patients: who is drawn depends on seed, subject and purpose alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit
from scipy.stats import kstest

from lissive.errors import ParameterError
from lissive.model.parameters import load_bounds, load_causes, load_genotypes, load_parameters
from lissive.simulation.draw import Centres, draw, occasions, on_day
from lissive.simulation.streams import normals, uniforms


@given(st.integers(0, 2**32), st.integers(1, 50), st.integers(0, 200))
def test_a_subject_draws_the_same_in_any_chunk(seed: int, count: int, first: int) -> None:
    whole = uniforms(seed, "x", first + count)
    np.testing.assert_array_equal(uniforms(seed, "x", count, first), whole[first:])


def test_streams_are_uniform_normal_and_apart() -> None:
    u, v = uniforms(1, "a", 20000), uniforms(1, "b", 20000)
    assert kstest(u, "uniform").pvalue > 1e-3
    assert kstest(normals(2, "a", 20000), "norm").pvalue > 1e-3
    assert abs(np.corrcoef(u, v)[0, 1]) < 0.03
    assert abs(np.corrcoef(u, uniforms(2, "a", 20000))[0, 1]) < 0.03
    assert u.min() > 0
    assert u.max() < 1


def test_adding_patients_changes_nobody() -> None:
    few, many = draw(10, seed=5), draw(1000, seed=5)
    assert few.drawn == many.drawn
    for name in few.drawn:
        np.testing.assert_array_equal(few.parameters[name], many.parameters[name][:10])


def test_giving_one_fact_leaves_the_other_draws() -> None:
    free, told = draw(50, seed=5), draw(50, seed=5, given={"NRS0": 7.0})
    assert told.parameters["NRS0"] == 7.0
    assert "NRS0" not in told.drawn
    for name in told.drawn:
        np.testing.assert_array_equal(free.parameters[name], told.parameters[name])


@pytest.mark.parametrize("cause", sorted(load_causes()))
def test_draws_have_the_tables_median_and_spread_and_stay_on_the_scale(cause: str) -> None:
    rows, people = load_parameters(cause), draw(40000, seed=2, cause=cause)
    for name in people.drawn:
        row, values = rows[name], np.asarray(people.parameters[name])
        if name in ("weight", "fed", "cyp2c9_activity"):
            continue
        if row.distribution == "bernoulli":
            assert set(np.unique(values)) == {0.0, 1.0}
            assert values.mean() == pytest.approx(row.spread, abs=4 * 0.5 / np.sqrt(len(values)))
            continue
        lower, upper = load_bounds().get(name, (-np.inf, np.inf))
        assert values.min() >= lower
        assert values.max() <= upper
        if np.isinf(upper):
            scale = {
                "lognormal": np.log,
                "logitnormal": lambda x: np.log(x / (1 - x)),
                "normal": lambda x: x,
            }[row.distribution]
            assert np.median(values) == pytest.approx(row.value, rel=0.05)
            assert np.std(scale(values)) == pytest.approx(row.spread, rel=0.03)


def test_ratings_are_cut_off_at_the_end_of_the_scale_not_piled_up_there() -> None:
    ratings = np.asarray(draw(40000, seed=1, given={}).parameters["NRS0"])
    assert (ratings >= 9.9).mean() < 0.01


def test_genotypes_come_in_hardy_weinberg_shares() -> None:
    activity = np.asarray(draw(40000, seed=3).parameters["cyp2c9_activity"])
    known = load_genotypes()
    poor = known["*3/*3"].value
    assert (activity == poor).mean() == pytest.approx(0.078**2, abs=0.002)
    assert (activity == known["*1/*1"].value).mean() > 0.8  # *2 counts as full activity


def test_what_the_model_does_not_have_is_refused() -> None:
    with pytest.raises(ParameterError, match="NRS_0 is no parameter of the model"):
        draw(3, given={"NRS_0": 3.0})


def test_a_moved_centre_and_spread_keep_everybodys_place() -> None:
    """The person at a quantile of the table's distribution is at the same quantile of the moved one."""
    plain = draw(400, seed=9)
    moved = draw(400, seed=9, own=Centres({"max_placebo_spasm": 0.3}, {"Im_E": 1.6}))
    for name in ("max_placebo_spasm", "Im_E"):
        order = np.argsort(np.asarray(plain.parameters[name]))
        assert (np.diff(np.asarray(moved.parameters[name])[order]) >= 0).all()
    here, there = (logit(np.asarray(each.parameters["max_placebo_spasm"])) for each in (plain, moved))
    centre = load_parameters()["max_placebo_spasm"].value
    np.testing.assert_allclose(there - here, logit(0.3) - logit(centre), atol=1e-9)
    assert np.std(np.asarray(moved.parameters["Im_E"])) > 1.4 * np.std(np.asarray(plain.parameters["Im_E"]))
    assert (np.asarray(plain.parameters["NRS0"]) == np.asarray(moved.parameters["NRS0"])).all()


def test_patients_may_each_have_a_centre_and_spread_of_their_own() -> None:
    """As if each had been drawn among others of their centre and spread: logit-normal, bounded, lognormal and fixed."""
    low = {"max_placebo_spasm": 0.2, "NRS0": 5.0, "V1_THC": 4.0, "ugt_activity": 0.8}
    high = {"max_placebo_spasm": 0.4, "NRS0": 7.0, "V1_THC": 6.0, "ugt_activity": 1.2}
    one, other = (
        draw(40, own=Centres(typical, {"Im_E": spread})) for typical, spread in ((low, 1.2), (high, 1.6))
    )
    pick = np.arange(40) % 2 == 1
    mixed = draw(
        40,
        own=Centres(
            {name: np.where(pick, high[name], low[name]) for name in low},
            {"Im_E": np.where(pick, 1.6, 1.2)},
        ),
    )
    assert mixed.drawn == one.drawn
    for name, values in mixed.parameters.items():
        np.testing.assert_array_equal(values, np.where(pick, other.parameters[name], one.parameters[name]))


def test_a_centre_of_nothing_is_refused() -> None:
    with pytest.raises(ParameterError, match="nonsense"):
        draw(3, own=Centres({"nonsense": 1.0}))


@pytest.mark.parametrize("name", ["Fa_THC_spray", "F_CBD_oral", "F_smoked", "MTT_THC_oral"])
def test_days_of_one_person_have_their_share_of_the_variance_and_no_more(name: str) -> None:
    """Of a day: the whole variance of the table. Between two days of a person: correlated by the share that lasts."""
    people = draw(20000, seed=3, lasting=True)
    columns, row, share = people.columns(20000), load_parameters()[name], occasions()[name]
    scale = logit if row.distribution == "logitnormal" else np.log
    days = [scale(on_day(d, columns, people.drawn, seed=3)[name]) for d in (0, 1)]
    for each in days:
        assert kstest((each - scale(row.value)) / row.spread, "norm").pvalue > 1e-3
    assert np.corrcoef(*days)[0, 1] == pytest.approx(1.0 - share, abs=0.03)
    if share < 1.0:
        np.testing.assert_allclose(scale(columns[name]).std(), row.spread * np.sqrt(1.0 - share), rtol=0.03)


def test_a_person_has_the_same_day_whoever_else_there_is_and_what_is_given_stays() -> None:
    few, many = (draw(n, seed=3, lasting=True) for n in (10, 300))
    days = [on_day(5, each.columns(n), each.drawn, seed=3) for each, n in ((few, 10), (many, 300))]
    for name, values in days[0].items():
        np.testing.assert_array_equal(values, days[1][name][:10])
    told = draw(10, seed=3, given={"F_smoked": 0.1}, lasting=True)
    assert "F_smoked" not in on_day(5, told.columns(10), told.drawn, seed=3)
