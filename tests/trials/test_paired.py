"""Yes-or-no endpoints of a crossover, compared within patients: against Gart's and McNemar's closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from lissive.trials.estimate import paired_odds_ratio

Z = stats.norm.ppf(0.975)


def two_periods(counts: dict[tuple[str, int, int], int]) -> dict[str, np.ndarray]:
    """(sequence, hit in the first period, in the second) to how many patients, as columns of rows."""
    rows = []
    for (sequence, first, second), many in counts.items():
        for _ in range(many):
            who = len(rows) // 2
            rows += [(first, sequence[0] == "A", who, 1), (second, sequence[1] == "A", who, 2)]
    names = ("hit", "treatment", "subject", "period")
    return {
        name: np.array(column, float) for name, column in zip(names, zip(*rows, strict=True), strict=True)
    }


def test_yes_or_no_in_a_crossover_is_garts_analysis() -> None:
    """Log odds: half the difference of the sequences' log ratios of who hit in the first period alone."""
    counts = {("AB", 1, 0): 14, ("AB", 0, 1): 5, ("BA", 1, 0): 6, ("BA", 0, 1): 9,
              ("AB", 1, 1): 7, ("BA", 0, 0): 8}  # fmt: skip
    found = paired_odds_ratio(**two_periods(counts))
    log = (math.log(14 / 5) - math.log(6 / 9)) / 2
    se = math.sqrt(1 / 14 + 1 / 5 + 1 / 6 + 1 / 9) / 2
    assert found.value == pytest.approx(math.exp(log), rel=1e-4)
    assert found.se == pytest.approx(se, rel=1e-3)
    assert (found.lower, found.upper) == pytest.approx(
        (math.exp(log - Z * se), math.exp(log + Z * se)), rel=1e-3
    )
    assert found.n == 49


def test_yes_or_no_in_a_crossover_without_an_effect_of_period_is_mcnemars_ratio() -> None:
    counts = {("AB", 1, 0): 12, ("AB", 0, 1): 4, ("BA", 0, 1): 12, ("BA", 1, 0): 4}
    assert paired_odds_ratio(**two_periods(counts)).value == pytest.approx(24 / 8, rel=1e-4)


@pytest.mark.parametrize(
    "counts",
    [
        {("AB", 1, 1): 5, ("BA", 0, 0): 5},  # nobody's periods differ
        {("AB", 1, 0): 2},
    ],
)
def test_yes_or_no_in_a_crossover_that_tells_nothing_says_why(counts) -> None:
    found = paired_odds_ratio(**two_periods(counts))
    assert math.isnan(found.value)
    assert found.note


@pytest.mark.parametrize(
    ("counts", "ratio", "p"),
    [
        ({("AB", 1, 0): 3, ("BA", 0, 1): 2, ("AB", 0, 0): 9}, 5.5 / 0.5, 2 / 2**5),  # all on the same arm
        ({("AB", 1, 0): 5, ("AB", 0, 1): 5}, 1.0, 1.0),  # one sequence: treatment is period
    ],
)
def test_yes_or_no_in_a_crossover_of_few_is_mcnemars_ratio_with_its_exact_test(counts, ratio, p) -> None:
    found = paired_odds_ratio(**two_periods(counts))
    assert found.value == pytest.approx(ratio)
    assert found.p == pytest.approx(p)
    assert "0.5" in found.note


@pytest.mark.slow
def test_counts_of_two_periods_are_a_rate_ratio_within_patients() -> None:
    """Without an effect the test keeps its level; with one the ratio is found, whatever patients differ by."""
    from lissive.trials.estimate import paired_rate_ratio

    rng = np.random.default_rng(3)
    n, ratio = 30, 0.6
    subject, period = np.repeat(np.arange(n), 2), np.tile([0, 1], n)
    arm = (subject + period) % 2

    def once(effect: float):
        mean = (
            np.repeat(rng.gamma(1.5, 6.0, n), 2)
            * 7
            * np.where(arm == 1, effect, 1.0)
            * np.where(period == 1, 0.9, 1.0)
        )
        return paired_rate_ratio(
            rng.poisson(mean * rng.gamma(4.0, 0.25, 2 * n)), np.full(2 * n, 7), arm, subject, period
        )

    null = [once(1.0).p for _ in range(60)]
    assert np.mean(np.array(null) < 0.05) < 0.13
    found = [once(ratio) for _ in range(40)]
    assert np.median([each.value for each in found]) == pytest.approx(ratio, rel=0.06)
    covered = np.mean([each.lower < ratio < each.upper for each in found])
    assert covered > 0.85


def test_one_patient_with_far_more_than_the_others_leaves_a_ratio():
    """Fisher scoring with exchangeable correlation diverges on these counts."""
    from lissive.trials.estimate import paired_rate_ratio

    first = [51, 85, 19, 30, 77, 7, 42, 16, 13, 40, 23, 55, 27, 57, 164, 66, 83, 20, 14, 11, 30, 9]
    second = [64, 129, 27, 25, 62, 5, 38, 18, 25, 35, 28, 42, 16, 49, 259, 54, 92, 11, 19, 27, 39, 15]
    drug_second = [1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1]
    days = np.full((22, 2), 7)
    days[4:8] = [[7, 6], [6, 6], [6, 6], [5, 6]]
    days[8:15] = [[6, 6], [7, 7], [6, 7], [7, 6], [6, 7], [5, 6], [6, 6]]
    days[15:] = [[7, 5], [4, 6], [7, 4], [6, 7], [6, 7], [4, 6], [6, 7]]
    counts, subject = np.column_stack([first, second]).ravel(), np.repeat(np.arange(22), 2)
    period, later = np.tile([0, 1], 22), np.repeat(drug_second, 2)
    found = paired_rate_ratio(counts, days.ravel(), np.where(period == 1, later, 1 - later), subject, period)
    assert "independence" in found.note
    # each sequence's mean log ratio of its periods, half their difference: what a period does cancels out
    logs = np.log(np.array(second) / days[:, 1]) - np.log(np.array(first) / days[:, 0])
    sides = [logs[np.array(drug_second) == k].mean() for k in (1, 0)]
    assert found.lower < np.exp((sides[0] - sides[1]) / 2.0) < found.upper
    assert 0.03 < found.se < 0.3


def test_counts_that_say_nothing_of_two_periods_are_said_to() -> None:
    from lissive.trials.estimate import paired_rate_ratio

    subject, arm = np.repeat(np.arange(5), 2), np.tile([0, 1], 5)
    days = np.full(10, 7)
    assert (
        "no events in the treated arm"
        in paired_rate_ratio(np.where(arm == 1, 0, 3), days, arm, subject, arm * 0).note
    )
    assert "fewer than 3" in paired_rate_ratio([1, 2], [7, 7], [0, 1], [0, 0], [0, 1]).note
    assert "confounded" in paired_rate_ratio(np.arange(10), days, arm, subject, arm).note
