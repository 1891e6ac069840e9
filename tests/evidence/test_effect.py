"""Effects of single comparisons: closed forms, a Cochrane review's own rows, and what has no effect."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import lissive.evidence
from lissive.errors import EvidenceError
from lissive.evidence.comparison import Comparison, Given, Group
from lissive.evidence.effect import NotUsable, effect

from .published_examples import comparison, counts

META = Path(lissive.evidence.__file__).parent / "data" / "meta.yaml"
TABLE = (20.0, 30.0, 10.0, 40.0)


def given(
    measure: str, estimate: float, low: float | None = None, high: float | None = None, **more: float
) -> Comparison:
    return Comparison("a", "A", "o", "c", "parallel", given=Given(measure, estimate, low, high, **more))


def means(mean: float, sd: float, n: float, other: float, sd2: float, m: float, **more: object) -> Comparison:
    return comparison(
        "a", Group("drug", n, mean=mean, sd=sd), Group("placebo", m, mean=other, sd=sd2), **more
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("measure", "y", "v"),
    [
        ("OR", math.log(20 * 40 / (30 * 10)), 1 / 20 + 1 / 30 + 1 / 10 + 1 / 40),
        ("RR", math.log(2.0), 1 / 20 - 1 / 50 + 1 / 10 - 1 / 50),
        ("RD", 0.2, 0.4 * 0.6 / 50 + 0.2 * 0.8 / 50),
    ],
)
def test_effects_of_counts_are_their_closed_forms(measure, y, v):
    found = effect(counts("a", *TABLE), measure)
    assert (found.y, found.v) == (pytest.approx(y), pytest.approx(v))
    assert found.n == 100


def test_every_row_of_a_cochrane_review_is_reproduced_from_its_counts_or_means():
    """CD012182.pub3: 53 rows of RD and SMD with intervals, four decimals, zero cells among them."""
    reviews = {each["id"]: each for each in yaml.safe_load(META.read_text(encoding="utf-8"))["reviews"]}
    rows = reviews["cochrane_CD012182_pub3_perstudy"]["per_study"]
    assert len(rows) == 53
    for row in rows:
        found = effect(
            comparison(
                row["study"],
                Group("active", row["eN"], row["e_n"], row["e_mean"], row["e_sd"]),
                Group("control", row["cN"], row["c_n"], row["c_mean"], row["c_sd"]),
            ),
            row["effect_type"],
        )
        computed = [found.y, found.y - 1.959964 * found.se, found.y + 1.959964 * found.se]
        assert computed == pytest.approx([row["effect"], *row["ci"]], abs=6e-5), row


def test_zero_cell_gets_a_half_in_each_cell_and_says_so():
    found = effect(counts("a", 0, 10, 5, 5), "OR")
    assert found.y == pytest.approx(math.log(0.5 * 5.5 / (10.5 * 5.5)))
    assert "0.5 added" in found.notes[0]


def test_half_is_added_only_where_a_cell_is_zero():
    assert effect(counts("a", 1, 9, 5, 5), "OR").notes == ()


def test_risk_difference_with_a_zero_cell_keeps_its_own_value():
    assert effect(counts("a", 0, 10, 5, 5), "RD").y == pytest.approx(-0.5)


@pytest.mark.parametrize("measure", ["OR", "RR"])
@pytest.mark.parametrize("row", [(0, 10, 0, 12), (10, 0, 12, 0)])
def test_nobody_or_everybody_in_both_groups_says_nothing_of_a_ratio(measure, row):
    with pytest.raises(NotUsable, match="a ratio is not estimable"):
        effect(counts("a", *row), measure)


def test_double_zero_still_has_a_risk_difference():
    assert effect(counts("a", 0, 10, 0, 12), "RD").y == 0.0


def test_mean_difference():
    found = effect(means(-1.2, 2.0, 40, -0.7, 1.5, 30), "MD")
    assert (found.y, found.v) == (pytest.approx(-0.5), pytest.approx(4 / 40 + 2.25 / 30))


def test_hedges_g_agrees_with_statsmodels():
    from statsmodels.stats.meta_analysis import effectsize_smd

    g, v = effectsize_smd(-1.2, 2.0, 12, -0.7, 1.5, 9)
    found = effect(means(-1.2, 2.0, 12, -0.7, 1.5, 9), "SMD")
    assert (found.y, found.v) == (pytest.approx(g), pytest.approx(v))


def test_small_sample_correction_shrinks_the_difference():
    found = effect(means(1.0, 1.0, 5, 0.0, 1.0, 5), "SMD")
    assert found.y == pytest.approx(1 - 3 / (4 * 10 - 9))


def test_standardised_difference_does_not_hang_on_the_unit():
    one, ten = means(-1.2, 2.0, 40, -0.7, 1.5, 30), means(-12.0, 20.0, 40, -7.0, 15.0, 30)
    assert effect(one, "SMD").y == pytest.approx(effect(ten, "SMD").y)
    assert effect(ten, "MD").y == pytest.approx(10 * effect(one, "MD").y)


def test_geometric_mean_ratio_of_log_normal_values():
    """Values whose logarithms have means 1.0 and 1.5 and deviation 0.8."""
    mean = [math.exp(mu + 0.8**2 / 2) for mu in (1.0, 1.5)]
    sd = [m * math.sqrt(math.exp(0.8**2) - 1) for m in mean]
    found = effect(means(mean[0], sd[0], 40, mean[1], sd[1], 50), "GMR")
    assert found.estimate == pytest.approx(math.exp(-0.5))
    assert found.v == pytest.approx(0.64 / 40 + 0.64 / 50)
    assert "log-normal" in found.notes[0]


def test_change_scores_have_no_geometric_mean():
    with pytest.raises(NotUsable, match="zero or negative"):
        effect(means(-1.2, 2.0, 40, -0.7, 1.5, 30), "GMR")


def test_stated_estimate_gives_the_standard_error_of_its_interval():
    found = effect(given("MD", -0.5, -0.5 - 1.959964, -0.5 + 1.959964), "MD")
    assert (found.y, found.se) == (pytest.approx(-0.5), pytest.approx(1.0, rel=1e-6))


def test_interval_of_a_ratio_is_read_on_the_logarithm():
    found = effect(given("OR", 2.0, 1.0, 4.0), "OR")
    assert found.y == pytest.approx(math.log(2))
    assert found.se == pytest.approx(math.log(4) / (2 * 1.959964), rel=1e-6)


def test_interval_of_another_level():
    assert effect(given("MD", 0.0, -1.644854, 1.644854, level=0.9), "MD").se == pytest.approx(1.0, rel=1e-6)


def test_own_estimate_is_preferred_and_can_be_passed_over():
    both = replace(counts("a", *TABLE), given=Given("OR", 2.0, 1.0, 4.0))
    assert effect(both, "OR").estimate == pytest.approx(2.0)
    assert effect(both, "OR", own=False).estimate == pytest.approx(800 / 300)
    assert effect(both, "RR").estimate == pytest.approx(2.0)  # another measure comes from the counts


def test_crossover_takes_the_correlation_and_says_it():
    pair = means(-1.0, 2.0, 20, -0.4, 2.5, 20, design="crossover", correlation=0.5)
    found = effect(pair, "MD")
    assert found.v == pytest.approx((4 + 6.25 - 2 * 0.5 * 5.0) / 20)
    assert found.n == 20
    assert "0.5" in found.notes[0]


def test_crossover_of_correlation_zero_is_as_two_groups():
    pair = means(-1.0, 2.0, 20, -0.4, 2.5, 20, design="crossover", correlation=0.0)
    assert effect(pair, "MD").v == pytest.approx(effect(replace(pair, design="parallel"), "MD").v)


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_paired_counts_have_the_variance_of_their_pairs(measure):
    """40 people in both periods: 8 respond in both, 12 under active alone, 2 under control alone."""
    both, one, other, neither = 8, 12, 2, 18
    n, p, q = 40, (both + one) / 40, (both + other) / 40
    r = (both / n - p * q) / math.sqrt(p * (1 - p) * q * (1 - q))
    found = effect(counts("a", 20, 20, 10, 30, "crossover", correlation=r), measure)
    covariance = (both / n - p * q) / n
    slopes = {"OR": (1 / (p * (1 - p)), 1 / (q * (1 - q))), "RR": (1 / p, 1 / q), "RD": (1.0, 1.0)}[measure]
    variance = slopes[0] ** 2 * p * (1 - p) / n + slopes[1] ** 2 * q * (1 - q) / n
    assert found.v == pytest.approx(variance - 2 * slopes[0] * slopes[1] * covariance)
    assert neither == 18


def test_crossover_without_correlation_is_not_guessed_unless_one_is_asked_for():
    pair = means(-1.0, 2.0, 20, -0.4, 2.5, 20, design="crossover")
    with pytest.raises(NotUsable, match="correlation"):
        effect(pair, "MD")
    assert "assumed (--correlation)" in effect(pair, "MD", correlation=0.5).notes[0]


@pytest.mark.parametrize("r", [-1.0, 1.0, 3.0])
def test_impossible_correlations_are_refused(r):
    pair = means(-1.0, 2.0, 20, -0.4, 2.5, 20, design="crossover", correlation=r)
    with pytest.raises(NotUsable, match="is impossible"):
        effect(pair, "MD")


@pytest.mark.parametrize(
    ("made", "measure", "why"),
    [
        (given("MD", -0.5), "MD", "without an interval"),
        (given("MD", -0.5, -1.0, 0.0), "OR", "one is of events, the other of a continuous outcome"),
        (given("OR", 2.0, 1.0, 4.0), "RR", "cannot be derived from the other"),
        (given("MD", -2.0, -1.0, 0.0), "MD", "does not include its estimate"),
        (given("MD", -0.5, 0.0, -1.0), "MD", "runs from"),
        (given("OR", 2.0, -1.0, 4.0), "OR", "a ratio must be positive"),
        (given("OR", -2.0, 1.0, 4.0), "OR", "a ratio must be positive"),
        (given("MD", -0.5, se=0.0), "MD", "without uncertainty"),
        (given("MD", -0.5, se=math.nan), "MD", "without uncertainty"),
        (counts("a", *TABLE), "MD", "counts events"),
        (means(-1.2, 2.0, 40, -0.7, 1.5, 30), "OR", "reports means"),
        (means(-1.2, None, 40, -0.7, 1.5, 30), "MD", "sd of the group drug is not reported"),  # type: ignore[arg-type]
        (means(-1.2, 0.0, 40, -0.7, 1.5, 30), "MD", "cannot be weighted"),
        (means(-1.2, 2.0, 1, -0.7, 1.5, 30), "MD", "cannot be weighted"),
        (counts("a", 20, -5, 10, 40), "OR", "is impossible"),
        (Comparison("a", "A", "o", "c", "parallel"), "MD", "neither both groups"),
        (counts("a", *TABLE, "uncontrolled"), "OR", "no control group"),
    ],
)
def test_comparisons_without_an_effect_say_why(made, measure, why):
    with pytest.raises(NotUsable, match=why):
        effect(made, measure)


def test_unknown_measure_lists_the_known():
    with pytest.raises(EvidenceError, match=r"Unknown measure 'SMDD'.*Did you mean SMD\?.*SMD"):
        effect(counts("a", *TABLE), "SMDD")
