"""Published pooled results, computed again."""

from __future__ import annotations

import pytest

from lissive.evidence.reviews import Reproduced, disagrees, reproduce


@pytest.fixture(scope="module")
def found() -> dict[str, Reproduced]:
    return {each.id: each for each in reproduce()}


def test_nothing_disagrees(found):
    assert disagrees(list(found.values())) == []


def test_cochrane_2022_responders(found):
    """OR 2.51 (1.56 to 4.04), 1143 people, I² 67 %, and the τ² and Q of the table's own computation."""
    each = found["check_filippini_1_1"]
    assert (each.ok, each.status, each.provenance) == (True, "reproduced", "recalled")
    computed = each.computed
    assert (computed.estimate, *computed.ci) == pytest.approx((2.509, 1.559, 4.038), abs=5.1e-4)
    assert (computed.n, computed.n_stated_by, computed.k) == (1143, 5, 5)
    assert (computed.tau2, computed.q, computed.i2) == (
        pytest.approx(0.1921, abs=5e-5),
        pytest.approx(12.0, abs=0.05),
        pytest.approx(66.7, abs=0.05),
    )


def test_wade_2010_from_two_of_its_trials(found):
    each = found["wade_2010_pooled"]
    assert (each.ok, each.status) == (True, "approximate")
    assert (each.computed.estimate, *each.computed.ci) == pytest.approx((-0.328, -0.625, -0.03), abs=5e-4)


def test_review_of_three_trials_agrees_on_the_figure_alone(found):
    each = found["nabiximols_review_PMC7583337"]
    assert each.compared == ("estimate",)
    assert each.computed.estimate == pytest.approx(-0.52, abs=5e-3)
    assert each.computed.ci == pytest.approx([-1.12, 0.08], abs=5e-3)
    assert "intervals differ" in each.note


def test_every_analysis_of_the_cochrane_rows_is_reproduced(found):
    rows = [each for id, each in found.items() if id.startswith("cochrane_CD012182_pub3_perstudy/")]
    assert sum(len(each.checks) for each in rows) == 53
    assert all(each.ok for each in rows)


def test_pooled_figures_whose_rows_are_not_here_are_not_made_up(found):
    rows = [each for id, each in found.items() if id.startswith("cochrane_CD012182_computed_DL/")]
    assert len(rows) == 12
    assert all((each.computed, each.ok, each.status) == (None, None, "rows missing") for each in rows)


def test_the_outlier_is_rejected_with_a_reason(found):
    each = found["meta_2025_outlier"]
    assert (each.ok, each.status, each.computed) == (False, "rejected", None)
    assert "39.19 standard deviations apart" in each.note


def test_only_the_outlier_is_rejected(found):
    assert [each.id for each in found.values() if each.status == "rejected"] == ["meta_2025_outlier"]
