"""Boundaries of group-sequential trials against published constants, and endpoints behind a gate."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lissive.trials.sequential import after_primary, boundaries, spent

FIFTHS = [0.2, 0.4, 0.6, 0.8, 1.0]


# Jennison and Turnbull 2000, and gsDesign: Lan and DeMets, five equal looks, two-sided 0.05
@pytest.mark.parametrize(
    ("spending", "z"),
    [
        ("obrien_fleming", [4.877, 3.357, 2.680, 2.290, 2.031]),
        ("pocock", [2.438, 2.427, 2.410, 2.397, 2.386]),
    ],
)
def test_boundaries_are_the_published_ones(spending: str, z: list[float]) -> None:
    assert boundaries(FIFTHS, 0.05, spending) == pytest.approx(z, abs=6e-4)


def test_one_look_at_the_end_is_the_plain_test() -> None:
    assert boundaries([1.0], 0.05, "obrien_fleming") == pytest.approx([1.959964], abs=1e-6)


@pytest.mark.parametrize("spending", ["obrien_fleming", "pocock"])
def test_looks_together_reject_a_true_null_as_often_as_alpha_says(spending: str) -> None:
    shares = [0.3, 0.7, 1.0]
    limits = boundaries(shares, 0.1, spending)
    steps = np.random.default_rng(1).normal(size=(200_000, 3)) * np.sqrt(np.diff([0.0, *shares]))
    z = np.cumsum(steps, axis=1) / np.sqrt(shares)
    assert (np.abs(z) >= limits).any(axis=1).mean() == pytest.approx(0.1, abs=0.003)
    assert (np.abs(z[:, 0]) >= limits[0]).mean() == pytest.approx(spent(0.3, 0.1, spending), abs=0.003)


def test_key_secondary_endpoints_wait_for_the_primary() -> None:
    assert after_primary(0.2, [0.001, 0.001], "holm") == [0.2, 0.2]
    assert after_primary(0.001, [0.02, 0.03, 0.5], "holm") == pytest.approx([0.06, 0.06, 0.5])
    assert after_primary(0.001, [0.02, 0.2, 0.01], "fixed_sequence") == pytest.approx([0.02, 0.2, 0.2])
    assert after_primary(math.nan, [0.001], "holm") == [1.0]
    assert after_primary(0.01, [math.nan, 0.001], "fixed_sequence") == [1.0, 1.0]
