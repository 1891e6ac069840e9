"""Pooling against metafor, Stata, statsmodels, published reviews and closed forms."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lissive.errors import EvidenceError
from lissive.evidence.effect import Effect, effect
from lissive.evidence.pooling import ESTIMATORS, INTERVALS, difference_between, leave_one_out, pool_effects

from .published_examples import bcg, counts, lidocaine, stay


def made(y: float, v: float, k: int = 0, measure: str = "MD") -> Effect:
    return Effect(f"s{k}", f"S {k}", measure, y, v, patients=f"s{k}")


def several(pairs: list[tuple[float, float]], measure: str = "MD") -> list[Effect]:
    return [made(y, v, k, measure) for k, (y, v) in enumerate(pairs)]


SETS = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 4.0)), min_size=2, max_size=8)
WORDS = st.tuples(
    st.sampled_from(ESTIMATORS), st.sampled_from(INTERVALS), st.sampled_from(("random", "fixed"))
)


# -- other programs ------------------------------------------------------------------------------------
def test_bcg_by_reml_is_metafors():
    found = pool_effects(bcg("RR"), ci="Wald")
    assert (found.tau2, found.y, found.se) == (
        pytest.approx(0.3132, abs=5e-5),
        pytest.approx(-0.7145, abs=5e-5),
        pytest.approx(0.1798, abs=5e-5),
    )
    assert (found.q, found.i2) == (pytest.approx(152.2330, abs=5e-5), pytest.approx(92.12, abs=5e-3))


def test_bcg_by_hartung_knapp_is_metafors():
    found = pool_effects(bcg("RR"), ci="HK")
    computed = (found.se, found.low_y, found.high_y, found.p)
    assert computed == pytest.approx((0.1808, -1.1084, -0.3206, 0.0019), abs=5e-5)


def test_bcg_by_dersimonian_and_laird_is_metafors_and_statas():
    found = pool_effects(bcg("RR"), tau2="DL", ci="Wald")
    computed = (found.tau2, found.y, found.low_y, found.high_y)
    assert computed == pytest.approx((0.3088, -0.7141, -1.0644, -0.3638), abs=5e-5)
    assert found.i2 == pytest.approx(92.1173, abs=5e-5)


@pytest.mark.parametrize(
    ("measure", "y", "low", "high", "q"),
    [("RR", -0.4303, -0.5097, -0.3509, 152.2330), ("OR", -0.4361, -0.5190, -0.3533, 163.1649)],
)
def test_bcg_with_one_common_effect(measure, y, low, high, q):
    found = pool_effects(bcg(measure), model="fixed")
    assert (found.y, found.low_y, found.high_y, found.q) == pytest.approx((y, low, high, q), abs=6e-5)


@pytest.mark.parametrize(
    ("measure", "y", "low", "high", "q"),
    [
        ("RR", -0.4537, -0.5308, -0.3766, 152.5676),
        ("OR", -0.4734, -0.5538, -0.3930, 163.9426),
        ("RD", -0.0033, -0.0039, -0.0027, 386.7759),
    ],
)
def test_bcg_by_mantel_haenszel_is_metafors_and_statas(measure, y, low, high, q):
    found = pool_effects(bcg(measure), model="fixed", method="MH")
    assert (found.y, found.low_y, found.high_y) == pytest.approx((y, low, high), abs=6e-5)
    assert found.q == pytest.approx(q, abs=5e-5)


def test_interval_of_tau2_by_the_q_profile():
    """van Houwelingen and others 2002, odds ratios of BCG, in metafor: 0.1302 to 1.1812."""
    assert pool_effects(bcg("OR")).tau2_ci == pytest.approx((0.1302, 1.1812), abs=6e-5)


def test_lidocaine_shows_no_heterogeneity():
    for estimator in ("REML", "DL"):
        found = pool_effects(lidocaine(), tau2=estimator, ci="Wald")
        assert found.tau2 == 0.0
        assert 100 * found.y == pytest.approx(2.94, abs=5e-3)
        assert (100 * found.low_y, 100 * found.high_y) == pytest.approx((0.4, 5.5), abs=0.05)


@pytest.mark.parametrize(
    ("model", "estimator", "expected"),
    [
        ("fixed", "DL", (-3.49, -5.03, -1.96, 0.0)),
        ("random", "DL", (-14.10, -24.45, -3.75, 218.72)),
        ("random", "REML", (-15.12, -32.67, 2.43, 685.20)),
    ],
)
def test_length_of_stay_is_normands(model, estimator, expected):
    found = pool_effects(stay(), model=model, tau2=estimator, ci="Wald")
    assert (found.y, found.low_y, found.high_y, found.tau2) == pytest.approx(expected, abs=5.1e-3)


@settings(max_examples=60)
@given(SETS)
def test_statsmodels_agrees(pairs):
    from statsmodels.stats.meta_analysis import combine_effects

    y, v = (np.array(each) for each in zip(*pairs, strict=True))
    for ours, theirs in (("DL", "dl"), ("PM", "pm")):
        # its estimators stop at 1e-5 of their own equation
        ends = {"maxiter": 5000, "atol": 1e-7} if theirs == "pm" else {}
        with np.errstate(all="ignore"):
            peer = combine_effects(y, v, method_re=theirs, **ends)
        if not peer.tau2 >= 0:  # its moment estimate is not cut off at zero
            continue
        found = pool_effects(several(pairs), tau2=ours, ci="Wald")
        if theirs == "pm" and peer.tau2 == 0:  # also where it gave up: see the test below
            assert found.tau2 == 0 or abs(beyond(found.tau2, y, v)) < 1e-9
            continue
        assert found.tau2 == pytest.approx(peer.tau2, rel=1e-4, abs=1e-5)
        assert (found.y, found.se) == pytest.approx(
            (peer.mean_effect_re, peer.sd_eff_w_re), rel=1e-4, abs=1e-6
        )
        if peer.var_hksj_re > 1e-9:
            hartung = pool_effects(several(pairs), tau2=ours, ci="HK")
            assert hartung.se == pytest.approx(math.sqrt(peer.var_hksj_re), rel=1e-4)


def beyond(tau2: float, y: np.ndarray, v: np.ndarray) -> float:
    """Paule and Mandel's equation, which falls as τ² grows: its one root is the estimate."""
    w = 1 / (v + tau2)
    return float(w @ (y - w @ y / w.sum()) ** 2 - (len(y) - 1))


def test_paule_mandel_is_the_root_where_statsmodels_gives_up():
    """Its last step lands 1e-14 beyond the root, which it takes for no heterogeneity: τ² 0. metafor: 3.5114."""
    y = np.array([3.0, -2.0, 4.0, 3.0, 2.0, 2.0, -1.0, -1.0])
    v = np.array([0.9, 0.2, 1.9, 3.0, 2.8, 1.6, 3.6, 3.9])
    assert beyond(0.0, y, v) > 38  # no root at 0
    found = pool_effects(several(list(zip(y, v, strict=True))), tau2="PM").tau2
    assert beyond(found * (1 - 1e-6), y, v) > 0 > beyond(found * (1 + 1e-6), y, v)
    assert found == pytest.approx(3.5114, abs=5e-5)


def test_mantel_haenszel_odds_ratio_agrees_with_statsmodels():
    from statsmodels.stats.contingency_tables import StratifiedTable

    rows = [(10, 20, 5, 30), (3, 40, 0, 38), (22, 11, 15, 20)]
    peer = StratifiedTable([np.array([[a, b], [c, d]]) for a, b, c, d in rows])
    found = pool_effects(
        [effect(counts(f"s{k}", *row), "OR") for k, row in enumerate(rows)], model="fixed", method="MH"
    )
    assert (found.y, found.se) == pytest.approx((peer.logodds_pooled, peer.logodds_pooled_se))


# -- closed forms ----------------------------------------------------------------------------------------
def test_two_studies_of_equal_size_have_closed_forms():
    """Any estimator but Sidik-Jonkman's, of two steps, gives τ² = d²/2 − v, with d between the two."""
    v, d = 0.5, 4.0
    for estimator in set(ESTIMATORS) - {"SJ"}:
        found = pool_effects(several([(0.0, v), (d, v)]), tau2=estimator, ci="Wald")
        assert found.tau2 == pytest.approx(d**2 / 2 - v)
        assert (found.y, found.se) == pytest.approx((d / 2, d / 2))


def test_hartung_knapp_of_two_equal_studies_is_their_t_interval():
    found = pool_effects(several([(0.0, 0.5), (4.0, 0.5)]), ci="HK")
    assert found.high_y - found.y == pytest.approx(12.7062047 * 2.0)
    assert any("one degree" in text for text in found.notes)


def test_prediction_interval_is_on_two_degrees_less_than_studies():
    found = pool_effects(several([(0.0, 1.0), (3.0, 1.0), (6.0, 1.0), (9.0, 1.0)]), ci="Wald")
    half = 4.3026527 * math.sqrt(found.tau2 + found.se**2)
    assert found.predicted_y == pytest.approx((4.5 - half, 4.5 + half))


def test_prediction_needs_three_studies_and_a_random_model():
    assert pool_effects(several([(0.0, 1.0), (3.0, 1.0)])).predicted_y is None
    assert pool_effects(several([(0.0, 1.0), (3.0, 1.0), (2.0, 1.0)]), model="fixed").predicted_y is None


def test_default_interval_hangs_on_the_number_of_studies():
    pairs = [(0.0, 1.0), (3.0, 1.0), (2.0, 1.0)]
    assert [pool_effects(several(pairs[:k])).ci_by for k in (1, 2, 3)] == ["Wald", "Wald", "HK"]
    assert pool_effects(several(pairs), model="fixed").ci_by == "Wald"


def test_modified_hartung_knapp_is_never_narrower_than_walds_error():
    pairs = [(0.0, 1.0), (0.1, 1.0), (0.2, 1.0)]
    plain, modified = pool_effects(several(pairs), ci="HK"), pool_effects(several(pairs), ci="mHK")
    assert plain.se < modified.se == pytest.approx(math.sqrt(1 / 3))
    assert any("narrow" in text for text in plain.notes)


def test_equal_effects_still_have_an_interval():
    found = pool_effects(several([(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]))
    assert found.low_y < 1.0 < found.high_y


def test_inverse_variances_weigh():
    found = pool_effects(several([(0.0, 1.0), (3.0, 0.5)]), model="fixed")
    assert found.y == pytest.approx(2.0)
    assert found.weights == pytest.approx((100 / 3, 200 / 3))


# -- properties --------------------------------------------------------------------------------------------
@given(st.floats(-5, 5), st.floats(0.01, 4.0), WORDS)
def test_pooling_one_study_returns_it(y, v, words):
    tau2, ci, model = words
    found = pool_effects([made(y, v)], tau2=tau2, ci=ci, model=model)
    assert (found.y, found.se, found.k, found.tau2) == (pytest.approx(y), pytest.approx(math.sqrt(v)), 1, 0.0)
    assert (found.low_y, found.high_y) == pytest.approx(
        (y - 1.959964 * math.sqrt(v), y + 1.959964 * math.sqrt(v)), abs=1e-5
    )
    assert found.predicted_y is None


def test_pooling_one_study_by_mantel_haenszel_returns_it():
    for measure in ("OR", "RR", "RD"):
        one = effect(counts("a", 20, 30, 10, 40), measure)
        found = pool_effects([one], model="fixed", method="MH")
        assert (found.y, found.se) == (pytest.approx(one.y), pytest.approx(one.se, rel=2e-2))


@given(SETS, WORDS, st.randoms(use_true_random=False))
def test_order_does_not_matter(pairs, words, random):
    tau2, ci, model = words
    effects = several(pairs)
    shuffled = list(effects)
    random.shuffle(shuffled)
    one, other = (pool_effects(each, tau2=tau2, ci=ci, model=model) for each in (effects, shuffled))
    assert (one.y, one.se, one.tau2, one.q) == pytest.approx(
        (other.y, other.se, other.tau2, other.q), abs=1e-7
    )


@given(SETS, WORDS, st.sampled_from((0.001, 0.1, 10.0, 1000.0)))
def test_scaling_the_outcome_scales_the_answer(pairs, words, by):
    tau2, ci, model = words
    one = pool_effects(several(pairs), tau2=tau2, ci=ci, model=model)
    other = pool_effects(several([(y * by, v * by**2) for y, v in pairs]), tau2=tau2, ci=ci, model=model)
    assert other.y == pytest.approx(by * one.y, rel=1e-6, abs=1e-9 * by)
    assert other.tau2 == pytest.approx(by**2 * one.tau2, rel=1e-6, abs=1e-9 * by**2)
    assert (other.low_y, other.high_y) == pytest.approx(
        (by * one.low_y, by * one.high_y), rel=1e-5, abs=1e-7 * by
    )


@given(SETS)
def test_reml_is_the_highest_restricted_likelihood(pairs):
    y, v = (np.array(each) for each in zip(*pairs, strict=True))

    def height(t2: float) -> float:
        w = 1 / (v + t2)
        mean = (w * y).sum() / w.sum()
        return float(-0.5 * (np.log(v + t2).sum() + np.log(w.sum()) + (w * (y - mean) ** 2).sum()))

    best = height(pool_effects(several(pairs)).tau2)
    assert all(best >= height(t2) - 1e-9 for t2 in np.concatenate([[0.0], np.logspace(-4, 3, 200)]))


@given(SETS)
def test_interval_of_tau2_is_where_q_is_no_surprise(pairs):
    from scipy.stats import chi2

    found = pool_effects(several(pairs))
    y, v = (np.array(each) for each in zip(*pairs, strict=True))
    for end, tail in zip(found.tau2_ci, (0.975, 0.025), strict=True):
        w = 1 / (v + end)
        q = (w * (y - (w * y).sum() / w.sum()) ** 2).sum()
        bound = chi2.ppf(tail, len(pairs) - 1)
        assert q == pytest.approx(bound, rel=1e-6) or (end == 0.0 and q <= bound)


def test_reml_is_found_where_fisher_scoring_goes_to_and_fro():
    """Five alike and one that is far more certain: scoring jumps between two values and never settles."""
    found = pool_effects(several([(0.0, 0.125), *[(1.0, 1.0)] * 5])).tau2
    w = np.array([1 / (0.125 + found), *[1 / (1 + found)] * 5])
    y = np.array([0.0, 1, 1, 1, 1, 1])
    slope = -w.sum() + (w**2).sum() / w.sum() + (w**2 * (y - (w * y).sum() / w.sum()) ** 2).sum()
    assert found == pytest.approx(0.088, abs=5e-3)
    assert slope == pytest.approx(0.0, abs=1e-9)


# -- what is not pooled --------------------------------------------------------------------------------------
def test_nothing_is_answered_with_nothing():
    assert pool_effects([]) is None
    assert leave_one_out([]) == []
    assert difference_between([]) is None


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("OR", "MD", "no common scale"),
        ("OR", "RD", "a ratio and a difference|A ratio and a difference"),
        ("OR", "RR", "farther from 1"),
        ("MD", "SMD", "standard deviations"),
    ],
)
def test_different_measures_are_refused_with_the_reason(one, other, why):
    with pytest.raises(EvidenceError, match=why):
        pool_effects([made(0.1, 1.0, 0, one), made(0.1, 1.0, 1, other)])


def test_the_same_people_are_never_pooled_twice():
    twice = [made(0.1, 1.0), replace(made(0.2, 1.0, 1), patients="s0")]
    with pytest.raises(EvidenceError, match="the same participants"):
        pool_effects(twice)


def test_the_same_study_twice_is_refused_without_a_key():
    twice = [replace(made(0.1, 1.0), patients=""), replace(made(0.2, 1.0), patients="")]
    with pytest.raises(EvidenceError, match="the same participants"):
        pool_effects(twice)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"model": "mixed"}, "Allowed: random, fixed"),
        ({"tau2": "REMK"}, "Did you mean REML"),
        ({"ci": "knha"}, "Allowed: HK, mHK, Wald"),
        ({"method": "Pete"}, "Allowed: IV, MH, Peto"),
        ({"method": "Peto"}, "fixed-effect model only"),
        ({"method": "Peto", "model": "fixed"}, "Peto needs counts of events"),
        ({"level": 95.0}, "0.5 to below 1"),
        ({"method": "MH"}, "needs counts of events"),
    ],
)
def test_unknown_words_are_refused(options, why):
    with pytest.raises(EvidenceError, match=why):
        pool_effects([made(0.1, 1.0)], **options)


def test_mantel_haenszel_needs_counts_of_different_people():
    crossed = effect(counts("b", 5, 15, 3, 17, "crossover", correlation=0.3), "OR")
    with pytest.raises(EvidenceError, match="counts of two independent groups"):
        pool_effects([made(0.1, 1.0, 0, "OR"), crossed], method="MH")


def test_mantel_haenszel_without_events_on_one_side_is_refused():
    only = [effect(counts("a", 0, 20, 3, 17), "OR")]
    with pytest.raises(EvidenceError, match="not estimable"):
        pool_effects(only, method="MH", model="fixed")


def test_leaving_out_the_only_study_that_can_be_estimated_leaves_no_row():
    rows = [(3, 97, 1, 99), (2, 98, 0, 100)]
    effects = [effect(counts(f"s{k}", *row), "OR") for k, row in enumerate(rows)]
    found = leave_one_out(effects, model="fixed", method="MH")
    assert [left.study for left, _ in found] == ["s1"]


def test_two_comparisons_of_one_trial_are_refused():
    arms = [replace(made(0.1, 1.0), patients="s0/low"), replace(made(0.2, 1.0), patients="s0/high")]
    with pytest.raises(EvidenceError, match="combine several arms"):
        pool_effects(arms)


def test_leaving_one_out_pools_the_rest():
    effects = several([(0.0, 1.0), (1.0, 2.0), (5.0, 1.0)])
    found = leave_one_out(effects, model="fixed")
    assert [left.study for left, _ in found] == ["s0", "s1", "s2"]
    assert found[2][1].y == pytest.approx(pool_effects(effects[:2], model="fixed").y)


def test_difference_between_two_groups_is_the_square_of_its_z():
    one, other = pool_effects([made(0.0, 1.0)]), pool_effects([made(3.0, 0.5, 1)])
    found = difference_between([one, other])
    assert (found.q, found.df) == (pytest.approx(9.0 / 1.5), 1)
    assert found.p == pytest.approx(math.erfc(math.sqrt(6.0 / 2)))
