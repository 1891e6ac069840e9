"""Published trials: scales and signs of what they report, and mistakes in a file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from tests.trials.publishing import changed, read, why

from lissive.errors import StudyError
from lissive.trials.published import Published, read_published


def outcome(tmp_path: Path, **outcomes: Any) -> Published:
    """The small trial with these outcomes only."""
    return read(tmp_path, changed((("outcomes",), outcomes)))


class TestScalesAndSigns:
    @pytest.mark.parametrize(
        ("name", "node", "value"),
        [
            ("spasticity_vas_0_100_between", {"diff": -20}, -2.0),
            ("spasticity_nrs_reduction_vs_placebo", {"diff": 0.5}, -0.5),
            ("modified_ashworth_sum_0_30_between", {"diff": -3}, -0.4),
            ("ashworth_total", {"diff": -3, "scale": "0-40"}, -0.3),
            ("pain_mm", {"diff": -12}, -1.2),
            ("sleep_vas", {"diff": -12}, -1.2),
            ("spasms_per_day", {"diff": -3.5}, -3.5),
            ("number_of_cramps_per_day", {"diff": -3.5}, -3.5),
            ("cramps_intensity_vas_0_100", {"diff": -12}, -1.2),
        ],
    )
    def test_figures_come_to_the_models_scale(self, tmp_path, name, node, value):
        (trial,) = outcome(tmp_path, **{name: node}).trials
        (one,) = trial.observed
        assert one.value == pytest.approx(value)

    def test_a_reduction_turns_its_interval_round(self, tmp_path):
        (trial,) = outcome(
            tmp_path, spasticity_nrs_reduction_vs_placebo={"diff": 0.5, "ci": [0.1, 0.9]}
        ).trials
        assert trial.observed[0].ci == pytest.approx((-0.9, -0.1))

    @pytest.mark.parametrize(
        ("name", "node", "reason"),
        [
            ("spasticity_p", {"value": 0.04, "provenance": "read"}, "p value"),
            ("spasticity_nrs_2", {"diff": -1}, "no such measure"),
            ("pain_vas", {"diff": -2}, "top of its scale is not stated"),
            ("spasms", {"result": "no change"}, "stated in words"),
            ("carer_gic", {"or": 2.0}, "not patient-reported"),
            ("msss88", [{"arm": "placebo", "change_mean": -1}], "no such measure"),
            ("dizziness", None, "unknown"),
        ],
    )
    def test_what_has_no_scale_is_skipped_with_its_reason(self, tmp_path, name, node, reason):
        assert reason in why(outcome(tmp_path, **{name: node, "pain_nrs": {"diff": -1}}), name)

    def test_a_standard_error_that_is_a_standard_deviation(self, tmp_path):
        se = {"value": 1.6, "provenance": "read", "note": "printed as SE; magnitude is an SD"}
        (trial,) = outcome(
            tmp_path, spasticity_nrs=[{"arm": "placebo", "change_mean": -1, "change_se": se}]
        ).trials
        assert trial.observed[0].error == pytest.approx(1.6 / math.sqrt(40))

    def test_a_row_of_no_arm_of_the_trial_is_skipped(self, tmp_path):
        made = outcome(tmp_path, pain_nrs={"diff": -1}, sleep_nrs=[{"arm": "baclofen", "change_mean": -1}])
        assert "no arm 'baclofen'" in why(made, "sleep_nrs.baclofen")

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ((("cause",), "post-stroke"), "stroke"),
            ((("cause",), "spasticity of the moon"), "no such cause"),
            ((("cause",), "MS in children"), "adults"),
            ((("intervention",), "nabilone"), "nabilone"),
            ((("intervention",), "topical CBD"), "skin"),
            ((("comparator",), "baclofen"), "comparator"),
            ((("design",), "stepped wedge"), "not understood"),
            ((("duration_weeks",), "a while"), "not a duration"),
        ],
    )
    def test_an_entry_that_is_not_of_the_model_is_skipped(self, tmp_path, change, reason):
        changes = [change]
        if change[0] == ("intervention",):
            changes.append((("arms", 0, "arm"), "active"))
        made = read(tmp_path, changed(*changes))
        assert made.trials == ()
        assert reason in why(made, "all")


class TestMistakes:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ((("id",), ...), "trials[0].id is missing"),
            ((("split",), "train"), "split 'train' is unknown"),
            ((("arms", 0, "n_randomised"), "many"), "n_randomised is 'many'"),
            ((("arms", 0, "n_randomised"), 12.5), "whole number"),
            ((("arms", 1, "arm"), "nabiximols"), "a duplicate"),
            ((("outcomes", "spasticity_nrs", 0, "change_mean"), "about two"), "change_mean is 'about two'"),
            ((("outcomes", "spasticity_nrs", 0, "change_sd"), -1.6), "change_sd is -1.6"),
            ((("outcomes", "spasticity_nrs", 0, "std"), 1.6), "std is a field that is not read"),
            ((("outcomes", "responders_30pct", 0, "n"), 50), "more than the 40 participants"),
            ((("outcomes", "responders_30pct", 0), {"arm": "nabiximols", "pct": 140}), "outside 0 to 100"),
            ((("outcomes", "responders_30pct", 0, "share"), 1.4), "outside 0 to 1"),
            ((("outcomes", "spasticity_nrs_between", "ci"), [-0.4, 0.2]), "does not include diff -0.5"),
            ((("outcomes", "spasticity_nrs_between", "ci"), [0.2, -1.2]), "the lower limit must come first"),
            ((("outcomes", "spasticity_nrs_between", "ci"), [0.2]), "two numbers"),
            ((("outcomes", "spasticity_nrs_between", "or"), -2), "must be positive"),
            ((("outcomes", "spasticity_nrs", 0, "week"), 9), "not within the trial"),
            ((("max_dose", "sprays_day"), "a dozen"), "sprays_day is 'a dozen'"),
            (
                (("outcomes", "spasticity_nrs_between", "diff"), {"value": -0.5, "provenance": "guessed"}),
                "guessed",
            ),
            ((("outcomes",), {"mas": {"diff": -6}}), "its scale is 0 to 4"),
        ],
    )
    def test_each_is_refused_with_its_line_and_field(self, tmp_path, change, said):
        with pytest.raises(StudyError, match="trials.yaml:[0-9]+: (doe2010|trials)") as refused:
            read(tmp_path, changed(change))
        assert said in str(refused.value)
        (finding,) = refused.value.findings or (refused.value,)
        assert str(change[0][0]) in finding.what

    def test_all_findings_come_at_once(self, tmp_path):
        wrong = changed(
            (("arms", 0, "n_randomised"), 1.5), (("outcomes", "spasticity_nrs", 0, "change_sd"), -1.6)
        )
        with pytest.raises(StudyError) as refused:
            read(tmp_path, wrong, changed(), changed())
        said = str(refused.value)
        assert len(refused.value.findings) == 4
        assert said.count("duplicate id") == 2
        assert "must be a whole number" in said
        assert "change_sd is -1.6" in said

    def test_a_file_without_trials_is_refused(self, tmp_path):
        path = tmp_path / "a.yaml"
        path.write_text("studies: []\n", encoding="utf-8")
        with pytest.raises(StudyError, match="trials is missing"):
            read_published(path)
