"""Published trials: what is built, what is observed, what is skipped and why, what is refused by line and field."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.trials.publishing import changed, read, why

from lissive.evidence import TIMECOURSE, TRIALS
from lissive.trials.published import Observed, Published, PublishedTrial, read_published, shipped_published

LIKE = Path(__file__).with_name("published_like.yaml")


def of(published: Published, id: str) -> PublishedTrial:
    (found,) = (trial for trial in published.trials if trial.id == id)
    return found


def figure(
    trial: PublishedTrial, arm: str, endpoint: str, statistic: str, week: float | None = None
) -> Observed:
    (found,) = (
        one
        for one in trial.observed
        if (one.arm, one.endpoint, one.statistic, one.week) == (arm, endpoint, statistic, week)
    )
    return found


@pytest.fixture(scope="module")
def shipped() -> Published:
    return shipped_published()


@pytest.fixture(scope="module")
def raw() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(TRIALS.read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def like() -> Published:
    return read_published(LIKE)


class TestShippedFile:
    def test_every_entry_is_built_or_skipped_with_a_reason(self, shipped, raw):
        built = {trial.id for trial in shipped.trials}
        refused = {each.trial: each.why for each in shipped.skipped if each.what == "all"}
        ids = {each["id"] for part in ("trials", "observational") for each in raw[part]}
        assert built | set(refused) == ids
        assert not built & set(refused)
        assert all(refused.values())

    def test_nothing_of_a_built_trial_vanishes(self, shipped, raw):
        entries = {each["id"]: each for each in raw["trials"]}
        for trial in shipped.trials:
            said = [one.printed for one in trial.observed]
            said += [each.what for each in shipped.skipped if each.trial == trial.id]
            for name, arm in _rows(entries[trial.id]):
                place = f"{name}.{arm}" if arm else name
                known = [each for each in said if each in (name, place) or each.startswith(f"{place}.")]
                assert known or any(each.startswith(name) for each in said if not arm), (trial.id, place)

    def test_each_observed_endpoint_is_in_its_design(self, shipped, like):
        for trial in (*shipped.trials, *like.trials):
            named = {(each.name, each.at_week) for each in trial.design.endpoints}
            assert {(one.endpoint, one.week) for one in trial.observed} == named
            arms = set(trial.design.arms)
            assert {one.arm for one in trial.observed} <= arms
            assert {one.against for one in trial.observed} <= {None, trial.design.control}

    def test_figures_are_within_their_scales(self, shipped, like):
        for one in (one for each in (shipped, like) for trial in each.trials for one in trial.observed):
            assert one.provenance in ("read", "recalled", "derived")
            assert one.error is None or one.error > 0
            if one.statistic == "share":
                assert 0 <= one.value <= 1
            if one.ci and one.statistic != "hazard_ratio":
                assert one.ci[0] <= one.value <= one.ci[1]
            if one.endpoint.endswith("_nrs"):
                assert -10 <= one.value <= 10

    def test_the_trials_that_a_calibration_needs_are_built(self, shipped):
        built = {trial.id: (trial.split, trial.design.kind) for trial in shipped.trials}
        assert built["collin_2007"] == ("calibration", "parallel")
        assert built["collin_2010"] == ("validation", "parallel")
        assert built["novotna_2011_phaseB"] == ("calibration", "withdrawal")
        assert built["corey_bloom_2012"] == ("calibration", "crossover")
        assert {"zajicek_2012_MUSEC", "zajicek_2003_CAMS", "rog_2005", "hansen_2023", "wade_2004"} <= set(
            built
        )

    @pytest.mark.parametrize(
        ("trial", "reason"),
        [
            ("marinelli_2022_SativexStroke", "stroke"),
            ("fairhurst_2020", "paediatric"),
            ("pooyania_2010", "nabilone"),
            ("nitecka_buchta_2019", "jaw"),
            ("killestein_2002", "none of its figures"),
            ("release_mss5", "duration_weeks is missing"),
            ("zajicek_2005_CAMS12", "max_dose is missing"),
            ("cupid_2013", "156 weeks"),
        ],
    )
    def test_what_cannot_be_built_says_what_is_missing(self, shipped, trial, reason):
        assert reason in why(shipped, "all", trial)

    def test_the_other_file_is_there(self):
        assert "timecourse" in yaml.safe_load(TIMECOURSE.read_text(encoding="utf-8"))


def _rows(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name, and arm where it has one, of each row."""
    for name in entry.get("outcomes") or {}:
        yield name, ""
    for row in entry.get("results") or ():
        yield row["of"], row.get("arm") or ""


class TestByHand:
    """Figures of the shipped file, worked out from it by hand."""

    def test_collin_2007(self, shipped):
        trial = of(shipped, "collin_2007")
        assert (trial.design.patients, dict(trial.design.ratio)) == (189, {"nabiximols": 124, "placebo": 65})
        assert (trial.design.weeks, trial.design.visits_weeks) == (6.0, (4.0, 6.0))
        assert trial.design.arms["nabiximols"].most_per_day == 48
        between = figure(trial, "nabiximols", "spasticity_nrs", "difference")
        assert (between.value, between.ci, between.against) == (-0.52, (-1.03, -0.004), "placebo")
        assert between.error == pytest.approx((1.03 - 0.004) / 3.92, rel=1e-3)
        share = figure(trial, "placebo", "spasticity_nrs_responders_30pct", "share")
        assert (share.value, share.n, share.provenance) == (pytest.approx(14 / 64), 64, "recalled")
        dose = figure(trial, "placebo", "dose", "mean")
        assert (dose.value, dose.error) == (14.7, pytest.approx(8.4 / 8))
        assert figure(trial, "nabiximols", "dizziness", "share").value == pytest.approx(0.323)
        assert figure(trial, "nabiximols", "withdrawal_adverse", "share").value == pytest.approx(6 / 124)
        assert "a p value" in why(shipped, "responders_p", trial.id)
        assert "the arm is not stated" in why(shipped, "ashworth.change_mean", trial.id)

    def test_novotna_run_in_alone_has_no_control(self, shipped):
        trial = of(shipped, "novotna_2011_phaseA")
        assert (list(trial.design.arms), trial.design.patients) == (["nabiximols"], 572)
        assert trial.design.population.inclusion["spasticity_nrs"].at_least == 4.0
        share = figure(trial, "nabiximols", "spasticity_nrs_responders_20pct", "share")
        assert (share.value, share.n) == (pytest.approx(272 / 572), 572)
        assert figure(trial, "nabiximols", "dose", "mean").value == 6.9
        assert figure(trial, "nabiximols", "dose", "sd").provenance == "recalled"
        assert "chosen" in why(shipped, "spasticity_nrs_randomised_subset", trial.id)

    def test_novotna_after_the_run_in(self, shipped):
        trial = of(shipped, "novotna_2011_phaseB")
        run_in = trial.design.run_in
        assert run_in is not None
        assert run_in.keep is not None
        assert (run_in.arm, run_in.weeks, run_in.patients, run_in.washout_days) == ("nabiximols", 4, 572, 0)
        assert (run_in.keep.measure, run_in.keep.falls_by_pct) == ("spasticity_nrs", 20.0)
        assert dict(trial.design.ratio) == {"nabiximols": 124, "placebo": 117}
        assert figure(trial, "placebo", "spasticity_nrs", "change").value == 0.81
        ratio = figure(trial, "nabiximols", "spasticity_nrs_responders_30pct", "odds_ratio")
        assert ratio.error == pytest.approx(math.log(4.69 / 1.59) / 3.92, rel=1e-3)
        since = {each.name: each.since for each in trial.design.endpoints}
        assert since["spasticity_nrs_responders_30pct"] == "screening"
        assert since["spasticity_nrs"] == "randomisation"
        assert "baseline" in why(shipped, "walk_10m_s_between", trial.id)
        ashworth = figure(trial, "nabiximols", "ashworth", "difference")
        assert ashworth.error == pytest.approx(0.1 / 1.6747, rel=1e-3)  # p = 0.094, two-sided

    def test_musec(self, shipped):
        trial = of(shipped, "zajicek_2012_MUSEC")
        arm = trial.design.arms["extract"]
        assert (arm.product, arm.thc_mg, arm.cbd_mg, arm.most_per_day) == ("dronabinol", 2.5, 1.25, 10)
        assert (arm.first_per_day, arm.titration_days, arm.doses_per_day) == (2, 14, 2)
        assert any("unverified" in sentence for sentence in trial.assumed)
        change = figure(trial, "extract", "spasticity_nrs", "change")
        assert (change.value, change.n) == (-1.8, 143)
        assert change.error == pytest.approx(2.6 / math.sqrt(143))
        assert figure(trial, "placebo", "spasm_severity", "change_sd").value == 2.4
        assert figure(trial, "extract", "spasm_severity", "difference").value == -0.8
        left = figure(trial, "extract", "withdrawal_adverse", "share")
        assert (left.value, left.n) == (pytest.approx(30 / 144), 144)
        assert trial.design.rated_at_visits
        assert "no such measure" in why(shipped, "mswalk12", trial.id)

    def test_cams(self, shipped):
        trial = of(shipped, "zajicek_2003_CAMS")
        assert dict(trial.design.ratio) == {"extract": 211, "THC": 206, "placebo": 213}
        assert (trial.design.arms["THC"].cbd_mg, trial.design.arms["THC"].titration_days) == (0.0, 35)
        assert "n_treated is used for the number randomised." in trial.assumed
        (endpoint,) = trial.design.endpoints
        assert [one.value for one in trial.observed] == [0.61, 0.60, 0.46]
        assert endpoint.name == "pgic"
        assert "top is not stated" in why(shipped, "ashworth_total_reduction_vs_placebo", trial.id)

    def test_rog_is_of_pain(self, shipped):
        trial = of(shipped, "rog_2005")
        assert trial.design.relief == "pain_nrs"
        change = figure(trial, "nabiximols", "pain_nrs", "change")
        assert (change.value, change.ci, change.error) == (
            -2.7,
            (-3.4, -2.0),
            pytest.approx(1.4 / 3.92, rel=1e-3),
        )
        assert figure(trial, "placebo", "dose", "sd").value == 12.9
        assert figure(trial, "nabiximols", "pain_nrs_responders_50pct", "share").value == pytest.approx(
            10 / 34
        )
        nobody = figure(trial, "placebo", "withdrawal", "share")
        assert nobody.value == 0
        assert nobody.error is not None

    def test_corey_bloom(self, shipped):
        trial = of(shipped, "corey_bloom_2012")
        assert trial.design.crossover is not None
        assert trial.design.crossover.washout_days == 11
        assert trial.design.weeks == pytest.approx(3 / 7)
        (arm,) = (arm for arm in trial.design.arms.values() if not arm.placebo)
        assert (arm.product, arm.thc_mg, arm.most_per_day, arm.titration) == (
            "flower_smoked",
            32.0,
            1,
            "fixed",
        )
        ashworth = next(one for one in trial.observed if one.endpoint == "ashworth")
        assert ashworth.value == pytest.approx(-2.74 * 4 / 30)
        assert trial.design.population.baseline["ashworth"].mean == pytest.approx(9.3 * 4 / 30)
        pain = next(one for one in trial.observed if one.endpoint == "pain_nrs")
        assert (pain.value, pain.ci) == (pytest.approx(-0.528), pytest.approx((-1.001, -0.248)))

    def test_hansen(self, shipped):
        trial = of(shipped, "hansen_2023")
        arms = trial.design.arms
        assert {
            name: (arm.thc_mg, arm.cbd_mg, arm.most_per_day) for name, arm in arms.items() if not arm.placebo
        } == {
            "THC": (2.5, 0.0, 9),
            "CBD": (0.0, 5.0, 9),
            "THC&CBD": (2.5, 5.0, 9),
        }
        assert any("Treat as null either way" in sentence for sentence in trial.assumed)
        assert any("spinal_cord_injury" in sentence for sentence in trial.assumed)
        difference = figure(trial, "CBD", "spasticity_nrs", "difference")
        assert difference.value == 0.0  # 0.46 as printed, without a word on which sign is better
        assert difference.ci == pytest.approx((-0.74 - 0.46, 1.65 - 0.46))
        assert any("0.46 as printed" in sentence for sentence in trial.assumed)
        change = figure(trial, "placebo", "pain_nrs", "change")
        # 36 were analysed; the review prints a third beside each of three arms
        assert (change.n, change.error) == (36, pytest.approx(1.6 / math.sqrt(36)))


class TestOtherFiles:
    def test_run_in_wash_out_and_randomisation_of_responders(self, like):
        trial = of(like, "savant_like")
        run_in = trial.design.run_in
        assert run_in is not None
        assert run_in.keep is not None
        assert (run_in.weeks, run_in.washout_days, run_in.patients, run_in.keep_dose) == (4, 28, 191, False)
        assert (run_in.keep.falls_by_pct, trial.design.kind, trial.design.weeks) == (20.0, "enriched", 12.0)
        assert trial.design.endpoints[0].since == "randomisation"  # a wash-out sets the rating back
        assert figure(trial, "Sativex", "spasticity_nrs", "difference", 4.0).value == -1.0
        assert figure(trial, "Sativex", "spasticity_nrs", "change").error == pytest.approx(
            1.9 / math.sqrt(53)
        )
        assert figure(trial, "Sativex", "walk_timed", "change").value == pytest.approx(-0.1)
        assert figure(trial, "Sativex", "dizziness", "share").value == pytest.approx(5 / 53)
        assert figure(trial, "Sativex", "dose", "sd").value == 2.7
        assert figure(trial, "Sativex", "withdrawal", "share").value == pytest.approx(3 / 53)
        assert "count or a percentage" in why(like, "withdrawals.Sativex", trial.id)

    def test_withdrawal_of_long_term_users(self, like):
        trial = of(like, "notcutt_like")
        run_in = trial.design.run_in
        assert run_in is not None
        assert (run_in.weeks, run_in.keep, run_in.patients, run_in.keep_dose) == (12, None, 36, True)
        assert trial.design.kind == "withdrawal"
        assert trial.design.endpoints[0].rises_by_pct == 20.0
        ratio = figure(trial, "Sativex", "failure", "hazard_ratio")
        assert (ratio.value, ratio.ci) == (0.335, None)  # an interval of 90 % is none of 95 %
        assert ratio.error == pytest.approx(math.log(0.691 / 0.162) / (2 * 1.6449), rel=1e-3)
        assert figure(trial, "placebo", "failure", "share").value == pytest.approx(17 / 18)

    def test_als_parallel(self, like):
        trial = of(like, "canals_like")
        assert (trial.design.population.cause, trial.design.kind) == ("als", "parallel")
        assert figure(trial, "nabiximols", "ashworth", "change").value == -0.11
        assert figure(trial, "nabiximols", "ashworth", "difference").ci == (-0.57, -0.069)
        assert figure(trial, "placebo", "pgic", "share").value == pytest.approx(4 / 30)
        assert figure(trial, "nabiximols", "spasms_per_day", "difference").value == 0.1
        assert trial.design.arms["nabiximols"].titration_days == 14

    def test_crossover_of_capsules(self, like):
        trial = of(like, "vaney_like")
        arm = trial.design.arms["extract"]
        assert (arm.thc_mg, arm.cbd_mg, arm.most_per_day, trial.design.weeks) == (2.5, 0.9, 12, 2.0)
        assert figure(trial, "extract", "ashworth", "difference").value == pytest.approx(-0.9 * 4 / 20)
        assert figure(trial, "placebo", "spasms_per_day", "end").value == 6
        assert "top is not stated" in why(like, "ashworth_total", trial.id)

    def test_crossover_of_cramps(self, like):
        trial = of(like, "weber_like")
        arm = trial.design.arms["THC"]
        assert (arm.most_per_day * arm.thc_mg, arm.doses_per_day, arm.titration) == (10.0, 2, "fixed")
        assert trial.design.crossover is not None
        assert trial.design.crossover.washout_days == 14
        assert figure(trial, "THC", "spasm_severity", "difference").value == 0.24

    def test_pain(self, like):
        trial = of(like, "langford_like")
        assert (trial.design.relief, trial.design.visits_weeks) == ("pain_nrs", (4.0, 10.0, 14.0))
        assert trial.design.population.inclusion["pain_nrs"].at_least == 4.0
        assert figure(trial, "THC/CBD spray", "pain_nrs_responders_30pct", "odds_ratio").value == 1.31

    def test_crossover_rated_by_clinicians(self, like):
        trial = of(like, "leocani_like")
        assert trial.design.arms["nabiximols"].titration == "label"
        assert figure(trial, "placebo", "ashworth", "end").value == 2.0
        assert figure(trial, "nabiximols", "ashworth_responders_20pct", "share").n == 34

    def test_of_a_trial_with_a_second_part_the_first_is_carried_out(self, tmp_path):
        design = "parallel, then randomised withdrawal of those who stayed"
        (trial,) = read(tmp_path, changed((("design",), design))).trials
        assert (trial.design.kind, trial.design.run_in) == ("parallel", None)
        assert any("Only the first part" in sentence for sentence in trial.assumed)

    def test_responders_of_a_trial_of_pain_are_of_pain(self, tmp_path):
        outcomes = {"responders_30pct": [{"arm": "placebo", "pct": 45}]}
        changes = ((("cause",), "MS central pain"), (("outcomes",), outcomes))
        (trial,) = read(tmp_path, changed(*changes)).trials
        assert trial.observed[0].endpoint == "pain_nrs_responders_30pct"

    def test_counts_that_a_run_in_needs_are_taken_where_they_are_not_said(self, tmp_path):
        made = read(
            tmp_path,
            changed(
                (("design",), "enriched, 4-week open-label run-in"), (("inclusion",), ">=20% improvement")
            ),
        )
        (trial,) = made.trials
        assert trial.design.run_in is not None
        assert trial.design.run_in.patients == 200
        assert any("2.5 for one" in sentence for sentence in trial.assumed)
