"""Estimates from data that tell little or nothing: empty arms, nothing known, no variance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.trials.estimates import NAN, arms, failures, hits, numbers, rating, spasms

from lissive.trials.estimate import ancova, odds_ratio, rate_ratio
from lissive.trials.fits import Estimate, hazard_ratio, log_rank


def says_nothing(estimate: Estimate) -> bool:
    return all(map(math.isnan, numbers(estimate))) and bool(estimate.note)


@pytest.mark.parametrize(
    ("compare", "data", "column"),
    [
        (odds_ratio, hits(), "baseline"),
        (rate_ratio, spasms(), "baseline_rate"),
        (rate_ratio, spasms(), "counts"),
        (hazard_ratio, failures(), "time"),
        (log_rank, failures(), "failed"),
    ],
)
def test_rows_with_missing_values_are_left_out(compare: Any, data: dict[str, Any], column: str) -> None:
    n = data["treated"].size
    holes = {**data, column: np.where(np.arange(n) % 7 == 0, NAN, data[column])}
    kept = {name: values[np.arange(n) % 7 != 0] for name, values in data.items()}
    assert repr(compare(**holes)) == repr(compare(**kept))


# ---- Data that say nothing ----

COMPARISONS: list[tuple[Any, dict[str, Any]]] = [
    (ancova, rating()),
    (odds_ratio, hits()),
    (rate_ratio, spasms()),
    (hazard_ratio, failures()),
    (log_rank, failures()),
]


@pytest.mark.parametrize(("compare", "data"), COMPARISONS)
@pytest.mark.parametrize("arm", [0.0, 1.0])
def test_one_arm_empty(compare: Any, data: dict[str, Any], arm: float) -> None:
    found = compare(**{**data, "treated": np.full(data["treated"].size, arm)})
    assert says_nothing(found)
    assert ("control" if arm else "treated") in found.note


@pytest.mark.parametrize(("compare", "data"), COMPARISONS)
@pytest.mark.parametrize("n", [0, 2])
def test_fewer_than_three_patients(compare: Any, data: dict[str, Any], n: int) -> None:
    rows = {name: column[[0, -1][:n]] for name, column in data.items()}
    found = compare(**rows)
    assert says_nothing(found)
    assert (found.n, found.note) == (n, "fewer than 3 patients")


@pytest.mark.parametrize(("compare", "data"), COMPARISONS)
def test_everything_missing(compare: Any, data: dict[str, Any]) -> None:
    assert says_nothing(compare(**{name: np.full(column.size, NAN) for name, column in data.items()}))


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6 / 3])
def test_changes_without_variance(value: float) -> None:
    found = ancova(**{**rating(), "change": np.full(80, value)})
    assert says_nothing(found)
    assert found.note == "no variance"


def test_more_columns_than_patients() -> None:
    found = ancova(np.array([1.0, 2, 4]), np.array([3.0, 1, 2]), np.array([0, 1, 1]))
    assert says_nothing(found)
    assert "few" in found.note


@pytest.mark.parametrize(("compare", "data", "column"), [
    (ancova, rating(), "baseline"), (odds_ratio, hits(), "baseline"), (rate_ratio, spasms(), "baseline_rate"),
])  # fmt: skip
def test_a_baseline_that_tells_the_arm(compare: Any, data: dict[str, Any], column: str) -> None:
    found = compare(**{**data, column: 3 + 2 * data["treated"]})
    assert says_nothing(found)
    assert "confounded" in found.note


@pytest.mark.parametrize(("hit", "note"), [(0.0, "no events"), (1.0, "all have the event")])
def test_nobody_or_everybody_hit(hit: float, note: str) -> None:
    found = odds_ratio(np.full(40, hit), arms(40))
    assert says_nothing(found)
    assert found.note == note


def test_no_events() -> None:
    for found in (
        rate_ratio(np.zeros(40), np.full(40, 7.0), arms(40)),
        hazard_ratio(np.full(40, 84.0), np.zeros(40), arms(40)),
        log_rank(np.full(40, 84.0), np.zeros(40), arms(40)),
    ):
        assert says_nothing(found)
        assert found.note == "no events"


def test_counts_without_variance_and_days_without_diary() -> None:
    assert says_nothing(rate_ratio(np.full(40, 3.0), np.full(40, 7.0), arms(40)))
    data = spasms()
    assert says_nothing(rate_ratio(**{**data, "days": np.zeros(200)}))
    some = {**data, "days": np.where(np.arange(200) % 10 == 0, 0, 7.0)}
    assert rate_ratio(**some).n == 180


@pytest.mark.parametrize("arm", [0.0, 1.0])
def test_counts_in_one_arm_only_give_a_p_alone(arm: float) -> None:
    data = spasms(60)
    found = rate_ratio(**{**data, "counts": np.where(data["treated"] == arm, data["counts"], 0)})
    assert math.isnan(found.value)
    assert found.p < 1e-3
    assert "score test" in found.note


def test_failures_in_one_arm_only_give_the_log_rank_p() -> None:
    data = failures()
    one = {**data, "failed": data["failed"] * data["treated"]}
    found = hazard_ratio(**one)
    assert math.isnan(found.value)
    assert found.p == log_rank(**one).p < 1e-3
    assert "log-rank" in found.note


def test_arms_that_fail_one_after_the_other() -> None:
    """All of one before any of the other: the hazard ratio has no finite estimate, though both have events."""
    found = hazard_ratio(np.arange(1.0, 21), np.ones(20), arms(20))
    assert math.isnan(found.value)
    assert found.p < 1e-4


def test_times_that_tell_nothing() -> None:
    at_once = (np.full(20, 5.0), np.ones(20), arms(20))
    apart = (np.where(arms(20) == 1, 9.0, 2.0), arms(20), arms(20))
    for compare in (hazard_ratio, log_rank):
        assert compare(*at_once).note == "all at risk fail at once"
        assert compare(*apart).note == "the arms are never at risk together"
        assert says_nothing(compare(*at_once))
        assert says_nothing(compare(*apart))
