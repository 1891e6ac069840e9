"""Small studies, and figures that are not to be believed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lissive.errors import EvidenceError
from lissive.evidence.effect import Effect
from lissive.evidence.heterogeneity import check_funnel, egger, why_unbelievable

from .published_examples import bcg


def even(k: int) -> list[Effect]:
    """Studies whose effect does not hang on their size, but for a wobble that is even over sizes."""
    se = [0.1 * (1 + i // 2) for i in range(k)]
    return [Effect(f"s{i}", "", "MD", 1.0 + (-1) ** i * 0.05 * s, s**2) for i, s in enumerate(se)]


def test_egger_is_the_line_by_least_squares():
    import statsmodels.api as sm

    effects = bcg("RR")
    se = np.array([each.se for each in effects])
    line = sm.OLS(np.array([each.y for each in effects]) / se, sm.add_constant(1 / se)).fit()
    found = egger(effects)
    assert (found.intercept, found.limit_y) == pytest.approx(tuple(line.params))
    assert (found.t, found.p, found.df) == (
        pytest.approx(line.tvalues[0]),
        pytest.approx(line.pvalues[0]),
        11,
    )


def test_even_funnel_has_no_intercept_and_a_bent_one_has():
    flat = even(12)
    bent = [replace(each, y=each.y + 2.0 * each.se) for each in flat]
    assert egger(flat).intercept == pytest.approx(0.0, abs=1e-9)
    assert egger(bent).intercept == pytest.approx(2.0)
    assert egger(bent).p < 1e-6


@pytest.mark.parametrize("k", [0, 1, 9])
def test_fewer_than_ten_studies_are_refused_with_the_reason(k):
    with pytest.raises(EvidenceError, match=r"too few .* fewer than 10.*publication bias"):
        egger(even(k))


def test_ten_studies_are_enough():
    check_funnel(even(10))


def test_studies_of_one_size_have_no_line():
    same = [Effect(f"s{i}", "", "MD", float(i), 0.04) for i in range(10)]
    with pytest.raises(EvidenceError, match="same standard error"):
        egger(same)


@pytest.mark.parametrize(
    ("figure", "why"),
    [
        (("SMD", 39.19, (34.32, 44.05), 100.0), "39.19 standard deviations apart"),
        (("SMD", 39.19), "changes within one group"),
        (("SMD", -6.0), "6 standard deviations"),
        (("RD", 1.2), "beyond 1"),
        (("OR", -0.5), "its odds ratio, -0.5, is impossible"),
        (("MD", 2.0, (3.0, 4.0)), "does not include it"),
        (("MD", 2.0, (1.0, 4.0), 100.0), "did not measure the same"),
    ],
)
def test_impossible_figures_are_rejected_with_the_reason(figure, why):
    assert why in why_unbelievable(*figure)


@pytest.mark.parametrize(
    "figure", [("SMD", -0.25, (-0.38, -0.13), 45.0), ("OR", 2.51, (1.56, 4.04), 67.0), ("RD", 0.1)]
)
def test_usual_figures_pass(figure):
    assert why_unbelievable(*figure) == ""
