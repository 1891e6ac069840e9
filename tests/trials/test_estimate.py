"""Comparisons of two arms: closed forms, published examples, what swapping arms does, and data that say nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.trials.estimates import NAN, arms, failures, hits, numbers, rating, spasms

from lissive.trials.estimate import ancova, crossover, odds_ratio, power, rate_ratio
from lissive.trials.fits import Estimate, hazard_ratio, log_rank

Z = stats.norm.ppf(0.975)


# Freireich et al. 1963 (Blood 21:699): weeks in remission, 6-mercaptopurine and placebo; in every textbook since.
MP = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+".split()
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23".split()
WEEKS = np.array([float(entry.rstrip("+")) for entry in MP + PLACEBO])
RELAPSED = np.array([not entry.endswith("+") for entry in MP + PLACEBO], dtype=float)
ON_PLACEBO = np.repeat([0.0, 1.0], 21)


# Senn, Cross-over Trials in Clinical Research: peak flow, l/min, of 13 children, formoterol and salbutamol.
FIRST = [(310, 270), (310, 260), (370, 300), (410, 390), (250, 210), (380, 350), (330, 365)]
LAST = [(370, 385), (310, 400), (380, 410), (290, 320), (260, 340), (90, 220)]
PEAK_FLOW: dict[str, Any] = {
    "values": np.array([*FIRST, *LAST], dtype=float).ravel(),
    "sequence": np.repeat(["FS", "SF"], [14, 12]),
    "treatment": np.array([1, 0] * 7 + [0, 1] * 6),
    "subject": np.repeat(np.arange(13), 2),
    "period": np.tile([1, 2], 13),
}


def swapped(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "treated": 1 - data["treated"]}


def same(one: Estimate, other: Estimate, rel: float = 1e-6) -> bool:
    return bool(numbers(one) == pytest.approx(numbers(other), rel=rel, abs=1e-12))


# ---- Closed forms and published examples ----


def test_ancova_is_the_closed_form() -> None:
    """Difference of means less the pooled slope within arms times the baselines' difference (Cochran 1957)."""
    data = rating()
    y, x = ([data[name][data["treated"] == arm] for arm in (1, 0)] for name in ("change", "baseline"))
    sxx = sum(((b - b.mean()) ** 2).sum() for b in x)
    slope = sum(((b - b.mean()) * (c - c.mean())).sum() for b, c in zip(x, y, strict=True)) / sxx
    gap = x[0].mean() - x[1].mean()
    value = y[0].mean() - y[1].mean() - slope * gap
    left = sum(((c - c.mean() - slope * (b - b.mean())) ** 2).sum() for b, c in zip(x, y, strict=True))
    se = math.sqrt(left / 77 * (1 / 40 + 1 / 40 + gap**2 / sxx))
    half = stats.t.ppf(0.975, 77) * se
    expected = [value, value - half, value + half, se, 2 * stats.t.sf(abs(value / se), 77)]
    found = ancova(**data)
    assert numbers(found) == pytest.approx(expected)
    assert (found.method, found.measure, found.n, found.note) == ("ANCOVA", "difference", 80, "")


def test_without_a_baseline_that_varies_ancova_is_the_t_test() -> None:
    data = {**rating(), "baseline": np.full(80, 6.1)}
    test = stats.ttest_ind(data["change"][40:], data["change"][:40])
    found = ancova(**data, alpha=0.1)
    assert found.p == pytest.approx(test.pvalue)
    assert (found.lower, found.upper) == pytest.approx(tuple(test.confidence_interval(0.9)))


def test_ancova_of_strata_compares_within_them() -> None:
    """Arms that differ in strata, whose changes differ, and a treatment that does nothing."""
    strata = np.array(["MS", "SCI"])[(np.arange(80) % 40 > np.where(arms(80) == 1, 30, 10)).astype(int)]
    change = np.where(strata == "MS", -5.0, 0.0) + np.tile([0.1, -0.1], 40)
    baseline = np.random.default_rng(3).normal(6, 1, 80)
    assert ancova(change, baseline, arms(80)).p < 0.01
    assert abs(ancova(change, baseline, arms(80), strata=strata).value) < 0.05


def test_odds_ratio_of_a_table_has_woolfs_limits() -> None:
    """12 of 20 against 5 of 20, by hand: (12 × 15) / (8 × 5) = 4.5."""
    hit = np.repeat([1.0, 0.0, 1.0, 0.0], [12, 8, 5, 15])
    found = odds_ratio(hit, np.repeat([1, 0], 20))
    se = math.sqrt(1 / 12 + 1 / 8 + 1 / 5 + 1 / 15)
    limits = [4.5 * math.exp(-Z * se), 4.5 * math.exp(Z * se)]
    assert numbers(found) == pytest.approx(
        [4.5, *limits, se, 2 * stats.norm.sf(math.log(4.5) / se)], rel=1e-5
    )
    assert found.note == ""


def test_an_empty_cell_gets_a_half() -> None:
    hit = np.repeat([1.0, 0.0, 0.0], [6, 14, 20])
    found = odds_ratio(hit, np.repeat([1, 0], 20))
    assert found.value == pytest.approx(6.5 * 20.5 / (14.5 * 0.5))
    assert found.se == pytest.approx(math.sqrt(1 / 6.5 + 1 / 20.5 + 1 / 14.5 + 1 / 0.5))
    assert "0.5 added" in found.note
    assert "empty" in found.note


def test_hits_parted_by_the_baseline_fall_back_to_the_table() -> None:
    baseline = np.tile(np.arange(20.0), 2)
    hit = (baseline >= np.repeat([12, 8], 20)).astype(float)
    found = odds_ratio(hit, arms(40), baseline=baseline)
    assert found.value == pytest.approx((12.5 / 8.5) / (8.5 / 12.5))
    assert "baseline" in found.note
    assert "0.5 added" in found.note


def test_odds_ratio_is_where_the_score_is_zero() -> None:
    """Logistic regression with baseline: residuals are orthogonal to each column at its maximum."""
    data = hits()
    found = odds_ratio(**data)
    from scipy.optimize import root

    design = np.column_stack([np.ones(120), data["treated"], data["baseline"]])
    solved = root(lambda b: design.T @ (data["hit"] - 1 / (1 + np.exp(-design @ b))), np.zeros(3))
    assert solved.success
    assert found.value == pytest.approx(math.exp(solved.x[1]), rel=1e-5)


def test_rate_ratio_without_covariates_is_the_ratio_of_means() -> None:
    """With the same days for all; its error from the information, with the dispersion that is most likely."""
    data = spasms()
    del data["baseline_rate"]
    found = rate_ratio(**data)
    means = [data["counts"][data["treated"] == arm].mean() for arm in (1, 0)]
    assert found.value == pytest.approx(means[0] / means[1], rel=1e-4)
    assert found.note == ""

    def minus(dispersion: float) -> float:
        k = 1 / dispersion
        mean = np.where(data["treated"] == 1, *means)
        return float(-stats.nbinom.logpmf(data["counts"], k, k / (k + mean)).sum())

    from scipy.optimize import minimize_scalar

    most = minimize_scalar(minus, bounds=(0.01, 10), method="bounded").x
    assert found.se == pytest.approx(math.sqrt(sum((1 / mean + most) / 100 for mean in means)), rel=1e-3)


def test_rate_ratio_holds_the_truth() -> None:
    """Of 100 intervals of 95 %, 88 or fewer hold the truth once in 300 times."""
    found = [rate_ratio(**spasms(seed=seed)) for seed in range(100)]
    assert sum(each.lower < 0.6 < each.upper for each in found) > 88
    assert np.mean([math.log(each.value) for each in found]) == pytest.approx(math.log(0.6), abs=0.04)


def test_days_are_an_offset() -> None:
    data = spasms()
    longer = {**data, "days": data["days"] * np.where(data["treated"] == 1, 2, 1)}
    one, other = rate_ratio(**data), rate_ratio(**longer)
    assert other.value == pytest.approx(one.value / 2, rel=1e-4)


def test_counts_that_vary_too_little_fall_back_to_poisson() -> None:
    counts = np.concatenate([np.tile([9.0, 10.0, 11.0], 10), np.tile([5.0, 6.0, 7.0], 10)])
    found = rate_ratio(counts, np.full(60, 7.0), arms(60))
    assert found.value == pytest.approx(0.6, rel=1e-6)
    assert "Poisson" in found.note
    # By hand: the robust variance of a log mean is the squares' sum over the total squared; HC1 has n / (n - 2).
    variance = (20 / 300**2 + 20 / 180**2) * 60 / 58
    assert found.se == pytest.approx(math.sqrt(variance), rel=1e-6)


def test_cox_of_the_leukaemia_trial() -> None:
    """R's coxph, Efron's ties: coefficient 1.572, se 0.412; limits 2.15 and 10.8."""
    found = hazard_ratio(WEEKS, RELAPSED, ON_PLACEBO)
    assert math.log(found.value) == pytest.approx(1.572, abs=0.001)
    assert found.se == pytest.approx(0.412, abs=0.001)
    assert (found.lower, found.upper) == pytest.approx((2.147, 10.81), rel=0.002)
    assert found.p == pytest.approx(0.00014, abs=0.00001)
    assert (found.n, found.note) == (42, "")
    wider = hazard_ratio(WEEKS, RELAPSED, ON_PLACEBO, alpha=0.01)
    assert wider.lower < found.lower < found.upper < wider.upper


def test_log_rank_of_the_leukaemia_trial() -> None:
    found = log_rank(WEEKS, RELAPSED, ON_PLACEBO)
    assert stats.chi2.isf(found.p, 1) == pytest.approx(16.79, abs=0.005)
    assert (found.measure, found.note) == ("", "")
    assert math.isnan(found.value)


def test_crossover_of_the_peak_flow_trial() -> None:
    """Senn: 46.6 l/min, limits 22.9 and 70.3, 11 degrees of freedom."""
    found = crossover(**PEAK_FLOW)
    assert found.value == pytest.approx(46.607, abs=0.001)
    assert (found.lower, found.upper) == pytest.approx((22.9, 70.3), abs=0.05)
    assert found.se == pytest.approx(10.78, abs=0.01)
    assert (found.method, found.n, found.note) == ("crossover", 13, "")


def test_crossover_is_the_comparison_of_the_sequences_differences() -> None:
    gaps = PEAK_FLOW["values"].reshape(13, 2) @ [1, -1]
    test = stats.ttest_ind(gaps[:7], gaps[7:])
    found = crossover(**PEAK_FLOW)
    assert found.p == pytest.approx(test.pvalue)
    limits = tuple(np.array(test.confidence_interval()) / 2)
    assert (found.lower, found.upper) == pytest.approx(limits)


def test_crossover_without_an_effect_of_period_is_the_paired_t_test() -> None:
    """But for one degree of freedom, which the period takes."""
    rng = np.random.default_rng(5)
    gaps = rng.normal(2, 3, (2, 10))
    gaps[1] += gaps[0].mean() - gaps[1].mean()
    own = np.repeat(rng.normal(50, 10, 20), 2)
    treatment = np.array([1, 0] * 10 + [0, 1] * 10)
    found = crossover(
        own + treatment * np.repeat(gaps.ravel(), 2),
        np.repeat(["AB", "BA"], 20),
        treatment,
        np.repeat(np.arange(20), 2),
        np.tile([1, 2], 20),
    )
    test = stats.ttest_1samp(gaps.ravel(), 0)
    assert found.value == pytest.approx(gaps.mean())
    assert found.value / found.se == pytest.approx(test.statistic * math.sqrt(18 / 19))


def test_crossover_of_three_periods_is_least_squares_with_a_column_for_each_patient() -> None:
    """Two sequences, ABB and BAA; one patient leaves before the third period and one after the first."""
    rng = np.random.default_rng(6)
    subject, period = np.repeat(np.arange(12), 3), np.tile([1, 2, 3], 12)
    treatment = np.array([0, 1, 1] * 6 + [1, 0, 0] * 6)
    values = rng.normal(0, 1, 36) + rng.normal(5, 2, 12)[subject] - 1.5 * treatment + 0.3 * period
    values[[2, 34, 35]] = NAN
    sequence = np.repeat(["ABB", "BAA"], 18)
    found = crossover(values, sequence, treatment, subject, period)
    keep = np.isfinite(values) & (subject != 11)
    columns = [treatment, period == 2, period == 3, *(subject == each for each in range(11))]
    design = np.column_stack([column[keep] for column in columns]).astype(float)
    solved, (left,), _, _ = np.linalg.lstsq(design, values[keep], rcond=None)
    df = design.shape[0] - design.shape[1]
    se = math.sqrt(left / df * np.linalg.inv(design.T @ design)[0, 0])
    assert (found.value, found.se) == pytest.approx((solved[0], se))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(solved[0] / se), df))
    assert found.n == 11


def test_power_has_wilsons_limits() -> None:
    """Of 8 in 10, by hand; a p-value that equals alpha is not below it."""
    share, lower, upper = power(np.array([0.01] * 8 + [0.05, 0.5]), 0.05)
    centre = (0.8 + Z**2 / 20) / (1 + Z**2 / 10)
    half = Z * math.sqrt(0.8 * 0.2 / 10 + Z**2 / 400) / (1 + Z**2 / 10)
    assert (share, lower, upper) == pytest.approx((0.8, centre - half, centre + half))
    assert power([0.01, NAN], 0.05)[0] == 0.5
    assert all(map(math.isnan, power([], 0.05)))


# ---- Properties ----


def test_swapped_arms_negate_a_difference() -> None:
    one, other = ancova(**rating()), ancova(**swapped(rating()))
    assert (other.value, other.lower, other.upper) == pytest.approx((-one.value, -one.upper, -one.lower))
    assert (other.se, other.p) == pytest.approx((one.se, one.p))
    turned = crossover(**{**PEAK_FLOW, "treatment": 1 - PEAK_FLOW["treatment"]})
    assert turned.value == pytest.approx(-crossover(**PEAK_FLOW).value)


@pytest.mark.parametrize(
    ("compare", "data"),
    [
        (odds_ratio, hits()),
        (odds_ratio, {"hit": np.repeat([1, 0, 0], [6, 14, 20]), "treated": np.repeat([1, 0], 20)}),
        (rate_ratio, spasms()),
        (hazard_ratio, failures()),
    ],
)
def test_swapped_arms_invert_a_ratio(compare: Any, data: dict[str, Any]) -> None:
    one, other = compare(**data), compare(**swapped(data))
    assert (other.value, other.lower, other.upper) == pytest.approx(
        (1 / one.value, 1 / one.upper, 1 / one.lower), rel=1e-3
    )
    assert other.p == pytest.approx(one.p, rel=1e-2)


def test_swapped_arms_leave_the_log_rank_test() -> None:
    assert log_rank(**failures()).p == pytest.approx(log_rank(**swapped(failures())).p)


@settings(max_examples=30)
@given(shift=st.floats(-1e4, 1e4), scale=st.floats(0.01, 100))
def test_a_shift_leaves_the_difference_and_a_scale_scales_it(shift: float, scale: float) -> None:
    data = rating()
    one = ancova(**data)
    other = ancova(data["change"] * scale + shift, data["baseline"] * scale - shift, data["treated"])
    assert (other.value / scale, other.p) == pytest.approx((one.value, one.p), rel=1e-6)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 3)), max_size=12))
def test_small_trials_never_raise(rows: list[tuple[int, int, int]]) -> None:
    """pytest turns warnings to errors, so this asks for silence too."""
    arm, event, much = (np.array([row[k] for row in rows], dtype=float) for k in range(3))
    days = np.full(arm.size, 7.0)
    found = (
        ancova(much, event, arm, strata=event),
        odds_ratio(event, arm, baseline=much),
        rate_ratio(much, days, arm, baseline_rate=event),
        hazard_ratio(much, event, arm),
        log_rank(much, event, arm),
        crossover(much, event, arm, np.arange(arm.size) // 2, np.arange(arm.size) % 2),
    )
    for each in found:
        assert each.note or math.isfinite(each.p)
        assert math.isnan(each.value) or each.lower <= each.value <= each.upper


def test_data_of_poisson_give_poissons_error() -> None:
    rng = np.random.default_rng(2)
    for _ in range(10):
        counts = np.concatenate([rng.poisson(20, 150), rng.poisson(14, 150)]).astype(float)
        found = rate_ratio(counts, np.full(300, 7.0), arms(300))
        assert found.se == pytest.approx(math.sqrt(1 / 3000 + 1 / 2100), rel=0.2)
        assert found.value == pytest.approx(0.7, abs=0.1)


def test_constant_strata_and_missing_rows_change_nothing() -> None:
    data = rating()
    one = ancova(**data)
    assert same(ancova(**data, strata=np.full(80, "MS")), one)
    more = {name: np.append(column, column[:3]) for name, column in data.items()}
    more["change"][80], more["baseline"][81], more["treated"][82] = NAN, NAN, NAN
    assert ancova(**more) == one
    assert ancova(**more, strata=np.append(np.zeros(80), [NAN] * 3)).n == 80


def test_arms_may_be_true_and_false() -> None:
    data = hits()
    assert odds_ratio(data["hit"] == 1, data["treated"] == 1) == odds_ratio(data["hit"], data["treated"])
