"""The whole answer: measure, designs apart, what is left out, few studies."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace

import pytest

from lissive.errors import EvidenceError
from lissive.evidence.answer import pooled_answer
from lissive.evidence.comparison import Comparison, Given, Group

from .published_examples import comparison, counts


@dataclass(frozen=True)
class Outcome:
    word: str = "responders_30pct"
    label: str = "better by 30 %"
    unit: str = "share"
    better: str = "higher"
    kind: str = "share"


SHARE = Outcome()
MEAN = Outcome("spasticity_nrs", "stiffness", "points of 0 to 10", "lower", "mean")
COUNT = Outcome("spasms_per_day", "spasms a day", "1/day", "lower", "count")
SCALE = Outcome("pain_any_scale", "pain", "standard deviations", "lower", "scale")
FOUR = [
    counts("collin_2007", 48, 72, 14, 50),
    counts("collin_2010", 51, 115, 42, 127),
    counts("novotna", 92, 32, 60, 57, "enriched", provenance="recalled"),
    counts("savant", 41, 12, 17, 36, "enriched", provenance="derived"),
]


def mean_of(study: str, estimate: float, low: float, high: float, **more: object) -> Comparison:
    return Comparison(study, study, "o", "c", "parallel", given=Given("MD", estimate, low, high), **more)  # type: ignore[arg-type]


def test_designs_are_answered_apart():
    """Parallel 1.69 and enriched 4.18 (1.62 to 10.8), as closed forms of two studies each by DL."""
    found = pooled_answer(FOUR, SHARE, tau2="DL", ci="Wald")
    assert [group.design for group in found.by_design] == ["parallel", "enriched"]
    assert found.by_design[1].pooled.estimate == pytest.approx(4.18, abs=5e-3)
    assert found.by_design[1].pooled.ci == pytest.approx([1.62, 10.8], abs=0.05)
    assert found.between.df == 1
    assert any("different designs" in note for note in found.notes)


def test_weakest_number_is_named():
    found = pooled_answer(FOUR, SHARE)
    assert (found.provenance, found.unverified) == ("recalled", ("novotna",))


def test_answer_is_json_with_the_agreed_names():
    answer = pooled_answer(FOUR, SHARE, cause="multiple_sclerosis")
    found = json.loads(json.dumps(answer.to_json(), allow_nan=False))
    assert {
        "outcome",
        "cause",
        "measure",
        "k",
        "n",
        "estimate",
        "ci",
        "prediction_interval",
        "tau2",
        "i2",
        "studies",
    } <= set(found)
    assert (found["k"], found["n"]) == (4, 866)
    assert len(found["prediction_interval"]) == len(found["ci"]) == 2
    assert sum(row["weight"] for row in found["studies"]) == pytest.approx(100)


def test_no_study_is_answered():
    found = pooled_answer([], MEAN).to_json()
    assert (found["k"], found["n"], found["estimate"], found["ci"], found["studies"]) == (
        0,
        0,
        None,
        None,
        [],
    )
    assert (found["direction"], found["by_design"]) == ("", [])


def test_one_study_is_answered_with_its_own_numbers():
    found = pooled_answer([mean_of("a", -0.5, -1.0, 0.0)], MEAN).to_json()
    assert (found["k"], found["tau2"], found["prediction_interval"]) == (1, 0.0, None)
    assert (found["n"], found["n_stated_by"]) == (None, 0)  # unknown is not none
    assert found["ci"] == pytest.approx([-1.0, 0.0])
    assert any("that study's own" in note for note in found["notes"])
    assert found["leave_one_out"] == []


def test_double_zero_is_left_out_of_ratios_and_said():
    found = pooled_answer([*FOUR, counts("none", 0, 20, 0, 20)], SHARE)
    assert found.measure == "OR"
    assert [row.study for row in found.left_out] == ["none"]
    assert "a ratio is not estimable" in found.left_out[0].reason
    assert pooled_answer([*FOUR, counts("none", 0, 20, 0, 20)], SHARE, measure="RD").k == 5


def test_same_people_under_two_entries_are_counted_once():
    early = replace(counts("cams_12m", 20, 30, 10, 40), patients="cams")
    late = replace(counts("cams_15w", 60, 60, 30, 90), patients="cams")
    found = pooled_answer([early, late, FOUR[0]], SHARE)
    assert found.study_ids == ("cams_15w", "collin_2007")
    assert "same participants as cams_15w" in found.left_out[0].reason


@pytest.mark.parametrize(
    ("outcome", "measure", "why"),
    [
        (MEAN, "OR", "cannot be pooled as OR.*continuous"),
        (SHARE, "MD", "cannot be pooled as MD.*binary"),
        (SCALE, "MD", "different scales"),
        (SHARE, "ARR", "Unknown measure 'ARR'"),
    ],
)
def test_a_measure_that_does_not_fit_is_refused_with_the_reason(outcome, measure, why):
    with pytest.raises(EvidenceError, match=why):
        pooled_answer(FOUR, outcome, measure=measure)


def test_studies_that_cannot_give_the_measure_are_listed():
    other = Comparison("ratio", "Ratio", "o", "c", "parallel", given=Given("GMR", 0.7, 0.5, 1.0))
    found = pooled_answer([other, mean_of("a", -1.0, -2.0, 0.0), mean_of("b", -1.5, -2.0, -1.0)], COUNT)
    assert (found.measure, found.k) == ("MD", 2)
    assert "reports a ratio of geometric means" in found.left_out[0].reason


def test_ratio_of_geometric_means_is_taken_where_most_state_it():
    ratios = [Comparison(s, s, "o", "c", "enriched", given=Given("GMR", 0.7, 0.5, 1.0)) for s in "ab"]
    found = pooled_answer([*ratios, mean_of("a2", -1.0, -2.0, 0.0)], COUNT)
    assert (found.measure, found.overall.pooled.estimate) == ("GMR", pytest.approx(0.7))


def test_standardised_difference_is_the_measure_of_mixed_scales():
    pair = comparison("a", Group("x", 20, mean=1.0, sd=1.0), Group("y", 20, mean=2.0, sd=1.0))
    assert pooled_answer([pair], SCALE).measure == "SMD"


def test_absolute_numbers_start_from_the_controls_or_as_asked():
    found = pooled_answer(FOUR, SHARE).overall.absolute
    assert found.baseline == pytest.approx((14 + 42 + 60 + 17) / (64 + 169 + 117 + 53))
    asked = pooled_answer(FOUR, SHARE, baseline_risk=0.2).overall.absolute
    assert (asked.baseline, asked.baseline_from) == (0.2, "as asked")
    assert pooled_answer([mean_of("a", -0.5, -1.0, 0.0)], MEAN).overall.absolute is None


@pytest.mark.parametrize("risk", [0.0, 1.5, -1.0, math.nan])
def test_impossible_baselines_are_refused_even_without_studies(risk):
    with pytest.raises(EvidenceError, match="above 0 and below 1"):
        pooled_answer([], SHARE, baseline_risk=risk)


def test_a_baseline_for_a_quantity_is_refused():
    with pytest.raises(EvidenceError, match="no baseline risk"):
        pooled_answer([mean_of("a", -0.5, -1.0, 0.0)], MEAN, baseline_risk=0.3)


def test_direction_hangs_on_which_way_is_better():
    pair = [mean_of("a", -0.5, -0.9, -0.1), mean_of("b", -0.6, -0.9, -0.3), mean_of("c", -0.4, -0.6, -0.2)]
    assert pooled_answer(pair, MEAN).overall.direction == "benefit"
    assert pooled_answer(pair, replace(MEAN, better="higher")).overall.direction == "harm"
    assert pooled_answer([mean_of("a", -0.5, -1.5, 0.5)], MEAN).overall.direction == "either"


def test_mantel_haenszel_weighs_counts_and_leaves_crossovers_out():
    crossed = counts("x", 5, 15, 3, 17, "crossover", correlation=0.3)
    found = pooled_answer([*FOUR, crossed], SHARE, method="MH", model="fixed")
    assert (found.k, found.overall.pooled.method) == (4, "MH")
    assert "independent groups" in found.left_out[0].reason


def test_funnel_is_refused_below_ten_and_drawn_from_ten():
    assert "too few" in pooled_answer(FOUR, SHARE).small_studies.refused
    ten = [mean_of(f"s{i}", -0.1 * i, -0.1 * i - 0.1 * (i + 1), -0.1 * i + 0.1 * (i + 1)) for i in range(10)]
    found = pooled_answer(ten, MEAN).small_studies
    assert (found.refused, found.egger.k, found.egger.df) == ("", 10, 8)


def test_an_unbelievable_figure_is_marked():
    wild = [
        comparison(s, Group("x", 50, mean=39.0, sd=1.0), Group("y", 50, mean=0.0, sd=1.0)) for s in ("a", "b")
    ]
    found = pooled_answer(wild, SCALE)
    assert "standard deviations apart" in found.rejected
    assert any("Do not use" in note for note in found.notes)
