"""Scores by hand, the shape of the answer, and `lissive validate` on a small file."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from lissive.cli.main import main
from lissive.studies import Arm, Observation, Prediction, Skipped, read_studies, shipped_studies
from lissive.validation.run import Validation, validate
from lissive.validation.score import Scores, ratio_summary, row, scores, summary

SPREAD = np.linspace(-0.5, 0.5, 101)
"""Logarithms of the replicates around the middle: 90 % of them within 0.45."""


def prediction(fold: float, observed: float = 2.0, **fields: object) -> Prediction:
    """One whose middle is `fold` times the observed, and whose 90 % interval reaches from exp(-0.45) to exp(0.45)."""
    usual = {
        "study": "doe2010",
        "analyte": "THC",
        "metric": "Cmax",
        "group": "exposure",
        "split": "validation",
    }
    given = {"provenance": "read", "unit": "ng/mL", "stat": "mean", "route": "oral"} | usual | fields
    arm = Arm(str(given["study"]), 8, str(given.pop("route")), 10.0, 0.0)
    one = Observation(measure="Cmax", value=observed, arm=arm, **given)  # type: ignore[arg-type]
    return Prediction(one, fold * observed * np.exp(SPREAD))


class TestByHand:
    folds = (0.5001, 1.9, 1.0, 1.3)

    def made(self) -> Scores:
        return scores([prediction(fold) for fold in self.folds], "THC")

    def test_bias_is_the_geometric_mean_of_the_folds(self):
        assert self.made().afe == pytest.approx((0.5001 * 1.9 * 1.0 * 1.3) ** (1 / 4))

    def test_precision_is_that_of_the_larger_of_fold_and_its_inverse(self):
        assert self.made().gmfe == pytest.approx((1.9 * 1.3 / 0.5001) ** (1 / 4))

    def test_shares_within_a_factor(self):
        made = self.made()
        assert (made.within_1_25, made.within_1_5, made.within_2) == (0.25, 0.5, 1.0)

    def test_a_limit_holds_on_both_sides(self):
        for fold in (1.25, 0.8):
            assert (
                scores([prediction(fold * (1 - math.copysign(1e-9, math.log(fold))))], "THC").within_1_25
                == 1.0
            )

    def test_coverage_is_the_share_of_observations_inside_the_interval(self):
        """Inside where |log fold| is at most 0.45: 1.0 and 1.3 are, a half and the double are not."""
        assert self.made().coverage_90 == 0.5
        assert scores([prediction(math.exp(0.449))], "THC").coverage_90 == 1.0
        assert scores([prediction(math.exp(-0.451))], "THC").coverage_90 == 0.0

    def test_right_on_the_spot(self):
        made = scores([prediction(1.0)], "THC")
        assert (made.n, made.within_1_25, made.within_1_5, made.within_2, made.coverage_90) == (1, 1, 1, 1, 1)
        assert (made.afe, made.gmfe) == pytest.approx((1.0, 1.0))

    def test_too_high_and_too_low_cancel_in_the_bias_only(self):
        made = scores([prediction(4.0), prediction(0.25)], "THC")
        assert made.afe == pytest.approx(1.0)
        assert made.gmfe == pytest.approx(4.0)

    def test_folds_do_not_depend_on_the_unit(self):
        small = scores([prediction(f, observed=1e-3) for f in self.folds], "THC")
        made = self.made()
        assert (small.afe, small.gmfe, small.coverage_90) == pytest.approx(
            (made.afe, made.gmfe, made.coverage_90)
        )


class TestSummary:
    made = (
        prediction(1.2),
        prediction(1.5, provenance="recalled"),
        prediction(2.0, metric="AUC", route="iv"),
        prediction(8.0, metric="Tmax", group="time"),
        prediction(9.0, metric="ratio_AUC[mild]", group="ratio"),
        prediction(0.5, analyte="CBD"),
    )

    def rows(self, **wanted: str) -> list[Scores]:
        return [
            r for r in summary(self.made) if all(getattr(r, key) == value for key, value in wanted.items())
        ]

    def one(self, **wanted: str) -> Scores:
        usual = {"analyte": "THC", "route": "all", "provenance": "all", "metric": "all"}
        (found,) = self.rows(**(usual | wanted))
        return found

    def test_its_columns(self):
        wanted = ["analyte", "route", "provenance", "metric", "n", "afe", "gmfe"]
        for each in summary(self.made):
            shares = ["within_1.25", "within_1.5", "within_2", "coverage_90"]
            by_study = ["studies", "gmfe_by_study", "coverage_by_study"]
            assert list(each.to_json()) == [*wanted, *shares, *by_study]

    def test_all_metrics_are_concentrations_and_areas_only(self):
        assert self.one().n == 3
        assert self.one().afe == pytest.approx((1.2 * 1.5 * 2.0) ** (1 / 3))

    def test_times_and_ratios_are_scored_on_their_own(self):
        assert self.one(metric="Tmax").afe == pytest.approx(8.0)
        assert self.one(metric="ratio_AUC").afe == pytest.approx(9.0)  # without its condition

    def test_read_and_recalled_are_apart(self):
        assert self.one(provenance="read", metric="Cmax").afe == pytest.approx(1.2)
        assert self.one(provenance="recalled", metric="Cmax").afe == pytest.approx(1.5)
        assert self.one(metric="Cmax").n == 2

    def test_analytes_and_routes_are_apart(self):
        assert self.one(analyte="CBD").n == 1
        assert self.one(route="iv").n == 1
        assert self.one(route="oral").n == 2

    def test_what_has_no_rows_is_not_there(self):
        assert self.rows(analyte="CBD", provenance="recalled") == []
        assert self.rows(analyte="11-OH-THC") == []
        assert summary([]) == ()


class TestRatios:
    def test_within_two_thirds_and_one_and_a_half(self):
        folds = (0.66, 0.68, 1.0, 1.49, 1.51)
        made = ratio_summary([prediction(f, group="ratio", metric="ratio_AUC") for f in folds])
        assert (made.n, made.within, made.share, made.limits) == (5, 3, 0.6, (0.67, 1.5))
        assert sorted(each.fold for each in made.missed) == pytest.approx([0.66, 1.51])

    def test_the_same_ratio_may_be_published_twice(self):
        twice = [prediction(2.0, group="ratio", metric="ratio_AUC") for _ in range(2)]
        assert len(ratio_summary(twice).missed) == 2

    def test_only_ratios_that_nothing_was_fitted_on(self):
        made = ratio_summary([prediction(1.0), prediction(1.0, group="ratio", split="calibration")])
        assert (made.n, made.share) == (0, None)


def test_a_row_says_what_was_seen_and_what_was_predicted():
    made = row(prediction(1.5, time=2.0, metric="C"))
    assert (made.study, made.analyte, made.metric, made.time_h) == ("doe2010", "THC", "C", 2.0)
    assert (made.observed, made.predicted, made.fold) == pytest.approx((2.0, 3.0, 1.5))
    assert made.pi90 == pytest.approx([3.0 * math.exp(-0.45), 3.0 * math.exp(0.45)])
    assert made.inside is True
    assert (made.split, made.provenance, made.n, made.route) == ("validation", "read", 8, "oral")


def test_the_splits_are_summed_up_apart():
    made = Validation("x", (prediction(1.0), prediction(3.0, split="calibration")), (), 5, 1)
    by_split = {split: rows[0].afe for split, rows in made.summary_by_split.items() if rows}
    assert by_split == pytest.approx({"validation": 1.0, "calibration": 3.0})


def test_one_rich_study_does_not_decide():
    """Nine exact rows of one study beside one that is twice too high: by study the error is the root of 2."""
    made = scores([*(prediction(1.0) for _ in range(9)), prediction(2.0, study="roe2011")], "THC")
    assert (made.studies, made.gmfe_by_study) == (2, pytest.approx(math.sqrt(2.0)))
    assert made.coverage_by_study == 0.5
    assert made.gmfe == pytest.approx(2.0**0.1)


def test_what_shares_its_publication_with_the_fit_is_a_sibling():
    """The capsule of the trial was fitted on, its solution held out; the spray with food is set on the label."""
    shipped = shipped_studies().observations
    fitted = {one.publication for one in shipped if one.split == "calibration"}
    held_out = [one for one in shipped if one.split == "validation"]
    assert {one.study for one in held_out if one.sibling} >= {
        "parikh2016_solution4.25",
        "syndros_label_food",
    }
    assert not any(one.publication in fitted for one in held_out if not one.sibling)
    assert not any(one.sibling for one in shipped if one.split != "validation")
    made = Validation("x", (prediction(1.0), prediction(3.0, sibling="why")), (), 5, 1)
    by_split = {split: rows[0].afe for split, rows in made.summary_by_split.items() if rows}
    assert by_split == pytest.approx({"validation": 1.0, "sibling": 3.0})
    assert ratio_summary([prediction(3.0, group="ratio", sibling="why")]).n == 0


def test_what_was_left_out_says_which_study_and_why():
    made = Validation("x", (), (Skipped("doe2010", "THC Cmax", "no value known"),), 5, 1).to_json()
    assert made["skipped"] == [{"study": "doe2010", "why": "THC Cmax: no value known"}]


SMALL = """\
- id: doe2010
  citation: {authors: Doe J, year: 2010}
  population: {n: 6, sex: male}
  dose: {route: oral, THC_mg: 10, CBD_mg: null, fed_state: fasted, schedule: single dose}
  matrix: plasma
  split: validation
  analytes:
  - analyte: THC
    provenance: read
    Cmax: {value: 3.0, unit: ng/mL, stat: mean}
    Tmax: {value: null, unit: h, stat: median}
  - analyte: 11-OH-THC
    provenance: recalled
    AUC: {value: 20.0, unit: ng*h/mL, stat: geomean, which: 0-t}
    food_ratio_AUC: {value: 2.0}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


class TestCommand:
    def answer(self, path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
        assert main(["validate", "--studies", str(path), "--json", "--replicates", "5", *words]) == 0
        said = capsys.readouterr()
        assert said.err == ""
        return json.loads(said.out)

    def test_json(self, small, capsys):
        made = self.answer(small, capsys)
        assert {"summary", "rows", "skipped", "summary_by_split", "ratios", "targets"} <= made.keys()
        assert [(r["study"], r["analyte"], r["metric"]) for r in made["rows"]] == [
            ("doe2010", "THC", "Cmax"),
            ("doe2010", "11-OH-THC", "AUC"),
            ("doe2010", "11-OH-THC", "food_ratio_AUC"),
        ]
        for each in made["rows"]:
            assert {"study", "analyte", "metric", "observed", "predicted", "pi90", "fold"} <= each.keys()
            assert each["fold"] == pytest.approx(each["predicted"] / each["observed"])
            assert each["pi90"][0] <= each["pi90"][1]
        assert made["skipped"] == [{"study": "doe2010", "why": "THC Tmax: no value known"}]
        assert {r["provenance"] for r in made["summary"]} == {"all", "read", "recalled"}
        assert (made["replicates"], made["seed"], made["studies"]) == (5, 1, str(small))

    def test_the_scores_are_those_of_the_rows(self, small, capsys):
        made = self.answer(small, capsys)
        fold = made["rows"][0]["fold"]
        (score,) = (
            r
            for r in made["summary"]
            if (r["analyte"], r["route"], r["provenance"], r["metric"]) == ("THC", "all", "all", "all")
        )
        assert score["afe"] == pytest.approx(fold)
        assert score["gmfe"] == pytest.approx(max(fold, 1 / fold))
        assert score["coverage_90"] == float(made["rows"][0]["inside"])

    def test_the_same_seed_is_the_same_answer_whatever_the_threads(self, small, capsys):
        one, same, other = (
            self.answer(small, capsys, *words)
            for words in (["--threads", "1"], ["--threads", "2"], ["--seed", "2"])
        )
        assert one == same
        assert one["rows"][0]["predicted"] != other["rows"][0]["predicted"]

    def test_text(self, small, capsys):
        assert main(["validate", "--studies", str(small), "--replicates", "5"]) == 0
        said = capsys.readouterr().out
        for part in ("doe2010", "3 observations, 5 replicates", "20.0†", "Held-out rows", "no value known"):
            assert part in said
        assert "Calibration rows" not in said  # there are no such rows in this file
        assert not re.search(r"\bnan\b", said)

    def test_what_nobody_could_quantify_is_listed_not_scored(self, tmp_path, capsys):
        studies = yaml.safe_load(SMALL)
        studies[0]["lloq_ng_mL"] = 1e6
        path = tmp_path / "blind.yaml"
        path.write_text(yaml.safe_dump(studies))
        made = self.answer(path, capsys)
        assert made["rows"] == []
        assert made["summary"] == []
        assert sum("enough concentrations" in each["why"] for each in made["skipped"]) == 3

    def test_a_report_that_is_a_file_is_refused_before_any_work(self, small, capsys, tmp_path):
        report = tmp_path / "report.html"
        report.write_text("mine")
        assert main(["validate", "--studies", str(small), "--report", str(report)]) == 2
        said = capsys.readouterr()
        assert (said.out, report.read_text()) == ("", "mine")
        assert f"{report}: --report must be a folder" in said.err
        assert main(["validate", "--studies", str(small), "--report", str(report / "below")]) == 2
        assert f"{report} is a file" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--check"], "--docs"),
            (["--replicates", "0"], "--replicates"),
            (["--seed", "-1"], "--seed"),
            (["--threads", "0"], "--threads"),
            (["--speed", "9"], "--speed"),
            (["--check", "--docs", "nowhere.md"], "nowhere.md"),
        ],
    )
    def test_wrong_words_are_refused(self, small, capsys, monkeypatch, tmp_path, words, said):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("lissive.validation.run.targets", lambda **_: [])
        assert main(["validate", "--studies", str(small), "--replicates", "5", *words]) == 2
        spoken = capsys.readouterr()
        assert spoken.out == ""
        assert said in spoken.err


@pytest.mark.slow
def test_a_run_says_which_rows_nothing_could_be_measured_for(small):
    found = validate(read_studies(small), replicates=3)
    assert len(found.predictions) == 3
    assert all(math.isfinite(each.predicted) for each in found.predictions)
    assert (found.replicates, found.seed, found.path) == (3, 1, str(small))
