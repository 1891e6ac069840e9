"""Numbers needed to treat."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lissive.errors import EvidenceError
from lissive.evidence.result import absolute


def test_risk_from_an_odds_ratio():
    """Cochrane 2022: OR 2.51 (1.56 to 4.04) at 287 of 1000 is 216 more, 99 to 332 (rounded)."""
    found = absolute("OR", 2.51, (1.56, 4.04), 0.287, "higher")
    assert 1000 * found.benefit == pytest.approx(216, abs=1)
    assert [1000 * end for end in found.benefit_ci] == pytest.approx([99, 332], abs=1)
    assert found.words() == "NNTB 5 (4 to 11)"


def test_interval_through_no_difference_runs_through_infinity():
    """The form of BMJ 1998;317:1309, where the interval holds no difference."""
    found = absolute("RD", 0.02, (-0.05, 0.10), 0.3, "higher")
    assert found.words() == "NNTB 50 (NNTB 10 to infinity to NNTH 20)"


def test_harm_is_named_so():
    found = absolute("RR", 2.0, (1.5, 3.0), 0.1, "lower")
    assert found.words() == "NNTH 10 (5 to 20)"
    assert found.nnt == pytest.approx(-10)


def test_no_difference_has_no_number():
    found = absolute("RD", 0.0, (-0.1, 0.1), 0.3, "higher")
    assert math.isinf(found.nnt)
    assert found.words() == "no difference (NNTB 10 to infinity to NNTH 10)"


def test_interval_that_touches_no_difference_ends_in_infinity():
    assert absolute("RD", 0.1, (0.0, 0.2), 0.3, "higher").words() == "NNTB 10 (NNTB 5 to infinity)"


def test_an_odds_ratio_without_end_is_a_certain_event():
    assert absolute("OR", 3.0, (1.0, math.inf), 0.2, "higher").risk_ci[1] == 1.0


@given(st.floats(0.01, 50.0), st.floats(0.01, 0.99))
def test_odds_ratio_gives_back_its_odds(odds, baseline):
    risk = absolute("OR", odds, (odds, odds), baseline, "higher").risk
    assert risk / (1 - risk) == pytest.approx(odds * baseline / (1 - baseline), rel=1e-6)


@given(st.sampled_from(("OR", "RR", "RD")), st.floats(0.05, 0.95))
def test_risks_stay_risks(measure, baseline):
    found = absolute(measure, 0.9, (0.01, 40.0), baseline, "lower")
    assert 0.0 <= found.risk_ci[0] <= found.risk_ci[1] <= 1.0


@pytest.mark.parametrize("baseline", [0.0, 1.0, 25.0, -0.1, math.nan])
def test_impossible_risks_are_refused(baseline):
    with pytest.raises(EvidenceError, match="above 0 and below 1"):
        absolute("OR", 2.0, (1.0, 3.0), baseline, "higher")


def test_a_mean_has_no_number_needed_to_treat():
    with pytest.raises(EvidenceError, match="needs a binary outcome"):
        absolute("MD", -0.5, (-1.0, 0.0), 0.3, "lower")
