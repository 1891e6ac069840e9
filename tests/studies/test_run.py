"""Arms simulated as they were done: against closed forms, superposition, and one another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lissive.model.parameters import load_genotypes, load_parameters, load_people
from lissive.studies import Arm, Observation, predict_studies, run
from lissive.studies.observation import ANALYTES, INFINITE, LAST, Before
from lissive.studies.run import Beside, Prediction, simulate_arm, statistic

from .small import A, changed, read

THC = ANALYTES.index("THC")
DENSE = (*np.linspace(0.05, 4, 80), *np.linspace(4.25, 24, 80), *np.linspace(25, 480, 92))


def alike(**given: float) -> dict[str, float]:
    """All that differs between people fixed at what is typical, so that everybody is the reference person."""
    rows = load_parameters()
    typical = {name: row.value for name, row in rows.items() if row.distribution != "fixed"}
    return {**typical, "cyp2c9_activity": 1.0, **given}


def arm(**fields: object) -> Arm:
    weight = load_parameters()["weight_ref"].value
    usual = {"study": "doe2010", "n": 1, "route": "iv", "thc_mg": 5.0, "cbd_mg": 0.0, "given": alike()}
    return Arm(**{**usual, "weight": (weight, 0.0), "sampling": DENSE, **fields})


def seen(one: Arm, measure: str = "AUC", analyte: str = "THC", **fields: object) -> Observation:
    usual = {"metric": measure, "group": "exposure", "value": 1.0, "unit": "1", "stat": "mean"}
    origin = {"provenance": "read", "split": "validation", "window": (0.0, INFINITE)}
    return Observation(one.study, analyte, measure=measure, arm=one, **{**usual, **origin, **fields})


def predicted(*observations: Observation, **settings: object) -> list[float]:
    made = predict_studies(observations, **{"replicates": 1, **settings})
    return [each.predicted for each in made]


def clearance(cyp2c9: float) -> float:
    """L/h of the reference person, from the well-stirred liver in blood (Rowland 1973), by hand."""
    p = {name: row.value for name, row in load_parameters().items()}
    in_blood = p["CL_THC"] / p["BP_THC"]
    intrinsic = p["Q_liver"] * in_blood / (p["Q_liver"] - in_blood)
    intrinsic *= p["fm_THC_2C9"] * cyp2c9 + 1 - p["fm_THC_2C9"]
    return p["BP_THC"] * p["Q_liver"] * intrinsic / (p["Q_liver"] + intrinsic)


class TestAgainstClosedForms:
    @pytest.mark.parametrize("pair", ["*1/*1", "*3/*3"])
    def test_the_whole_area_of_an_infusion_is_the_dose_over_the_clearance(self, pair):
        activity = load_genotypes()[pair].value
        one = arm(given=alike(cyp2c9_activity=activity), duration=0.5)
        (area,) = predicted(seen(one))
        assert area == pytest.approx(5000.0 / clearance(activity), rel=2e-3)  # ug/(L/h) is ng*h/mL

    def test_the_clearance_that_is_measured_is_the_one_put_in(self):
        (measured,) = predicted(seen(arm(duration=0.5), "CL", group="clearance"))
        assert measured == pytest.approx(load_parameters()["CL_THC"].value, rel=2e-3)

    def test_a_short_injection_is_extrapolated_back_to_its_end(self):
        """So the area is whole though the first sample comes after the peak (in a volume that shows its fall)."""
        late = tuple(t for t in arm().sampling if t > 0.05)
        (area,) = predicted(seen(arm(sampling=late, given=alike(V1_THC=8.494))))
        assert area == pytest.approx(5000.0 / load_parameters()["CL_THC"].value, rel=0.03)

    def test_a_long_infusion_has_the_same_area_as_a_short_one(self):
        """Nothing is extrapolated back to the start of an infusion that is still running."""
        short, long = predicted(*(seen(arm(study=f"{h} h", duration=h)) for h in (0.3, 3.0)))
        assert long == pytest.approx(short, rel=5e-3)

    def test_an_infusion_is_at_its_highest_when_it_ends(self):
        assert predicted(seen(arm(duration=3.0), "Tmax", group="time")) == [pytest.approx(3.0)]

    def test_twice_the_dose_is_twice_the_area(self):
        one, two = predicted(seen(arm()), seen(arm(study="b", thc_mg=10.0)))
        assert two == pytest.approx(2 * one, rel=2e-3)

    def test_heavier_people_clear_more(self):
        """Clearance goes with weight to the power of 0.75 (Anderson and Holford 2008)."""
        weight = load_parameters()["weight_ref"].value
        one, two = predicted(seen(arm()), seen(arm(study="b", weight=(1.5 * weight, 0.0))))
        assert two == pytest.approx(one / 1.5**0.75, rel=0.01)

    def test_repeated_doses_add_up_like_single_ones(self):
        """THC alone is linear: a regimen is the sum of single doses, shifted (superposition)."""
        single = arm(route="oral")
        times = np.arange(0.0, 120.01, 0.25)
        alone = simulate_arm(single, times, 1, seed=1)[0, :, THC]
        starts = tuple(12.0 * k for k in range(8))
        regimen = arm(route="oral", dose_times=starts, sampling=tuple(np.arange(0.0, 12.01, 0.25)))
        summed = sum(np.interp(times - start, times, alone, left=0.0) for start in starts)
        after = (times >= 84.0) & (times <= 96.0)
        first = np.trapezoid(alone[times <= 12.0], times[times <= 12.0])
        final = np.trapezoid(summed[after], times[after])
        accumulation = seen(regimen, "accumulation", group="ratio", window=(0.0, LAST))
        height = seen(regimen, "Cmax", window=(0.0, LAST))
        ratio, highest = predicted(accumulation, height)
        assert ratio == pytest.approx(final / first, rel=0.01)
        assert ratio > 1.1
        assert highest == pytest.approx(summed[after].max(), rel=0.01)


class TestTheStudysOwnWay:
    def test_whole_blood_holds_less_than_plasma(self, tmp_path):
        """0.63 of THC, the median that Karschner 2012 read."""
        change = ((("lloq_ng_mL",), 1e-6), ((*A, "AUC", "which"), "0-inf"))
        plasma, blood = (
            predict_studies(read(tmp_path, changed((("matrix",), kind), *change)).observations, replicates=2)
            for kind in ("plasma", "whole blood")
        )
        for one, other in zip(plasma, blood, strict=True):
            factor = 1.0 if one.observation.group == "time" else 0.63
            assert other.predicted == pytest.approx(factor * one.predicted, rel=1e-9)

    def test_a_trough_is_the_same_whatever_it_is_called(self):
        """Also where some people's is under the limit of quantification: no metric leaves them out of the mean."""
        regimen = arm(
            route="oral",
            n=40,
            dose_times=tuple(24.0 * k for k in range(5)),
            sampling=(0.5, 1.0, 2.0, 4.0, 24.0),
        )
        trough = predict_studies([seen(regimen, "conc", time=24.0)], replicates=1)[0].predicted
        blind = replace(regimen, lloq={"THC": trough})
        rows = [seen(blind, "conc", time=24.0), seen(blind, "Cmin", window=(0.0, 24.0))]
        end, lowest = predicted(*rows)
        assert end == pytest.approx(trough)
        assert lowest <= end
        assert lowest == pytest.approx(end, rel=0.1)  # the one before it is nearly as low

    def test_the_clock_may_start_when_smoking_ends(self):
        from_start = arm(route="smoked", duration=0.15)
        from_end = replace(from_start, clock_after=0.15)
        one = simulate_arm(from_start, np.array([0.15, 0.4]), 1, seed=1)
        other = simulate_arm(from_end, np.array([0.0, 0.25]), 1, seed=1)
        assert one[0, 0, THC] > 0
        np.testing.assert_allclose(other, one, rtol=1e-9)

    def test_the_clock_is_that_of_the_last_dose(self):
        """At time 0 nothing of the last dose is in, and something of the one before is."""
        twice = arm(route="oral", dose_times=(0.0, 12.0))
        before, at = simulate_arm(twice, np.array([-12.0, 0.0]), 1, seed=1)[0, :, THC]
        alone = simulate_arm(arm(route="oral"), np.array([12.0]), 1, seed=1)[0, 0, THC]
        assert before == 0.0
        assert at == pytest.approx(alone, rel=2e-3)

    @pytest.mark.parametrize("weight", [60.0, 80.0])
    def test_a_dose_per_kg_goes_with_weight(self, weight):
        per_kg = arm(thc_mg=0.1, per_kg=True, weight=(weight, 0.0))
        whole = arm(thc_mg=0.1 * weight, weight=(weight, 0.0))
        np.testing.assert_allclose(
            *(simulate_arm(a, np.array([1.0, 5.0]), 1, seed=1) for a in (per_kg, whole))
        )

    def test_a_limit_of_quantification_shortens_the_area(self):
        free, limited = predicted(
            seen(arm(), window=(0.0, LAST)),
            seen(arm(study="b", lloq=dict.fromkeys(ANALYTES, 5.0)), window=(0.0, LAST)),
        )
        assert 0.2 * free < limited < 0.9 * free

    def test_what_nobody_could_quantify_is_no_number(self):
        out_of_sight = arm(lloq=dict.fromkeys(ANALYTES, 1e9))
        (made,) = predict_studies([seen(out_of_sight)], replicates=3)
        assert np.isnan(made.predicted)
        assert made.failed == 3

    def test_cbd_at_a_high_dose_raises_thc(self):
        """A ratio is the arm over its reference: THC with 640 mg of CBD over THC alone (2.6 in Bansal 2023)."""
        with_cbd = arm(route="oral", thc_mg=20.0, cbd_mg=640.0, fed=1.0)
        ratio = seen(with_cbd, "ratio_AUC", group="ratio", reference=replace(with_cbd, cbd_mg=0.0))
        both, alone = predicted(seen(with_cbd), seen(replace(with_cbd, study="b", cbd_mg=0.0)))
        assert predicted(ratio) == [pytest.approx(both / alone, rel=1e-6)]
        assert both / alone > 1.2


class TestPeople:
    one = arm(n=6, given={}, route="oral", weight=None, sampling=(0.5, 1.0, 2.0, 4.0, 8.0))

    def area(self, **settings: object) -> np.ndarray:
        window = {"window": (0.0, LAST)}
        (made,) = predict_studies([seen(self.one, **window)], **{"replicates": 4, "seed": 7, **settings})
        return made.replicates

    def test_the_same_seed_is_the_same_result_to_the_bit(self):
        np.testing.assert_array_equal(self.area(), self.area())
        np.testing.assert_array_equal(self.area(), self.area(threads=2))

    def test_another_seed_is_other_people(self):
        assert not set(self.area()) & set(self.area(seed=8))

    def test_replicates_are_other_people(self):
        assert len(set(self.area())) == 4

    def test_more_replicates_leave_the_first_as_they_were(self):
        np.testing.assert_array_equal(self.area(replicates=6)[:4], self.area())

    def test_two_studies_have_other_people(self):
        pair = [seen(replace(self.one, study=name), window=(0.0, LAST)) for name in ("a", "b")]
        first, second = predict_studies(pair, replicates=4)
        assert not set(first.replicates) & set(second.replicates)

    def test_both_arms_of_a_ratio_are_the_same_people(self):
        """After an injection nothing differs from day to day: the ratio of two arms alike is 1 in every replicate."""
        one = replace(self.one, route="iv")
        same = seen(one, "ratio_AUC", group="ratio", window=(0.0, LAST), reference=replace(one))
        (made,) = predict_studies([same], replicates=4)
        np.testing.assert_array_equal(made.replicates, 1.0)

    def test_what_is_swallowed_differs_from_day_to_day(self):
        """The ratio of two arms alike differs from 1, and less than that of two arms of other people."""
        one = replace(self.one, route="oral", n=200)
        same = seen(one, "ratio_AUC", group="ratio", window=(0.0, LAST), reference=replace(one))
        (made,) = predict_studies([same], replicates=1)
        people, again = (run._drawn(one, 1, 1, False, k) for k in (0, 1))
        assert made.replicates[0] != 1.0
        kept = {
            n: np.corrcoef(np.log(people[n]), np.log(again[n]))[0, 1] for n in ("MTT_THC_oral", "Fa_THC_oral")
        }
        assert abs(kept["MTT_THC_oral"]) < 0.2
        assert 0.5 < kept["Fa_THC_oral"] < 0.9
        assert np.std(np.log(again["Fa_THC_oral"])) == pytest.approx(
            np.std(np.log(people["Fa_THC_oral"])), rel=0.15
        )
        np.testing.assert_array_equal(people["enzyme_THC"], again["enzyme_THC"])

    def test_thc_of_earlier_use_is_there_before_the_dose(self):
        """In equilibrium with the tissues it hardly falls within a minute; use over weeks leaves some as well."""
        one = replace(
            self.one, route="smoked", thc_mg=1e-6, cbd_mg=0.0, residual=2.0, weight=(70.0, 0.0), n=40
        )
        before = Before("smoked", 20.0, 24.0, 14, 12.0)
        at = np.array([0.0, 0.01, 4.0])
        stated, used = (
            simulate_arm(arm, at, 1, seed=1)[:, :, THC]
            for arm in (one, replace(one, residual=0.0, before=before))
        )
        assert np.median(stated[:, 1]) == pytest.approx(2.0, rel=0.25)
        assert np.median(used[:, 0]) > max(0.05, np.median(used[:, 2]))
        none = simulate_arm(replace(one, residual=0.0), at, 1, seed=1)[:, :, THC]
        assert np.all(none[:, 0] < 1e-9)

    @pytest.mark.parametrize(
        ("share", "sexes"), [(0.0, ["male"]), (1.0, ["female"]), (0.5, ["male", "female"])]
    )
    def test_men_and_women_have_their_own_weights(self, share, sexes):
        """Seen from outside: an injection per kg in people that are otherwise alike gives away their weight."""
        rows = load_people()
        n = 400
        group = arm(n=n, weight=None, female=share, per_kg=True, thc_mg=0.1)
        flat = replace(group, per_kg=False, thc_mg=1.0)
        at = np.array([1.0])
        high, low = (simulate_arm(a, at, 1, seed=3)[:, 0, THC] for a in (group, flat))
        weights = high / low / 0.1
        wanted = np.mean([rows[f"weight_{sex}"].value for sex in sexes])
        assert np.median(weights) == pytest.approx(wanted, rel=0.03)
        if len(sexes) == 1:
            spread = rows[f"weight_{sexes[0]}"].spread
            assert np.std(np.log(weights)) == pytest.approx(spread, rel=0.12)

    def test_even_people_average_to_what_many_do(self):
        many = predict_studies([seen(replace(self.one, n=4000), window=(0.0, LAST))], replicates=1)
        few = predict_studies([seen(replace(self.one, n=96), window=(0.0, LAST))], replicates=1, evenly=True)
        assert few[0].predicted == pytest.approx(many[0].predicted, rel=0.05)


class TestUncertainty:
    one = TestPeople.one

    def test_another_typical_value_moves_everybody(self):
        """Twice the absorbed share is twice the area: THC is linear."""
        rows = load_parameters()
        share = rows["F_smoked"].value
        smoked = arm(route="smoked", duration=0.15)
        (plain,), (double,) = (predicted(seen(smoked), parameters=p) for p in ({}, {"F_smoked": 2 * share}))
        assert double == pytest.approx(2 * plain, rel=2e-3)

    def test_a_shift_of_a_logarithm_is_a_factor(self):
        (made,) = predict_studies(
            [seen(arm(duration=0.5), "CL", group="clearance")],
            replicates=3,
            beside=Beside(lambda replicates, seed: {"CL_THC": np.log([1.0, 0.8, 1.1])}),
        )
        wanted = load_parameters()["CL_THC"].value * np.array([1.0, 0.8, 1.1])
        np.testing.assert_allclose(made.replicates, wanted, rtol=0.01)

    def test_a_study_has_one_level_for_all_its_concentrations_of_a_drug(self):
        observations = [seen(self.one, name, window=(0.0, LAST)) for name in ("Cmax", "AUC")]
        observations.append(seen(self.one, "Tmax", group="time"))
        plain, moved = (
            predict_studies(observations, replicates=4, beside=Beside(between_study=sd))
            for sd in ({}, {"THC": 0.4, "CBD": 0.1})
        )
        effects = [b.replicates / a.replicates for a, b in zip(plain, moved, strict=True)]
        np.testing.assert_allclose(effects[0], effects[1])
        np.testing.assert_allclose(effects[2], 1.0)  # a time has no level
        assert np.std(np.log(effects[0])) > 0.05

    def test_levels_of_studies_have_the_tails_under_which_they_are_fitted(self):
        observations, sd = [seen(self.one, "Cmax", window=(0.0, LAST))], 0.3
        (plain,), (moved,) = (
            predict_studies(observations, replicates=4000, beside=Beside(between_study=level))
            for level in ({}, {"THC": sd})
        )
        effects = np.log(moved.replicates / plain.replicates) / sd
        wanted = [-2.132, -0.741, 0.0, 0.741, 2.132]  # Student's t, 4 degrees of freedom, as in any table
        np.testing.assert_allclose(np.quantile(effects, [0.05, 0.25, 0.5, 0.75, 0.95]), wanted, atol=0.12)


class TestStatistics:
    values = np.array([[1.0, 2.0, 4.0], [3.0, np.nan, 27.0]])

    @pytest.mark.parametrize(
        ("stat", "wanted"), [("mean", [7 / 3, 15.0]), ("median", [2.0, 15.0]), ("geomean", [2.0, 9.0])]
    )
    def test_by_hand_without_those_who_have_no_value(self, stat, wanted):
        np.testing.assert_allclose(statistic(stat, self.values), wanted)

    def test_an_arm_in_which_nobody_has_a_value_is_as_the_middle_of_the_others(self):
        values = np.array([[np.nan, np.nan], [1.0, 3.0], [4.0, 4.0]])
        np.testing.assert_allclose(statistic("mean", values), [3.0, 2.0, 4.0])

    def test_fold_and_interval(self):
        replicates = np.exp(np.linspace(-1, 1, 101))
        made = Prediction(seen(arm(), value=0.5), replicates)
        assert made.predicted == pytest.approx(1.0)
        assert made.fold == pytest.approx(2.0)
        assert made.interval == pytest.approx((np.exp(-0.9), np.exp(0.9)))


def test_every_drawn_share_is_a_share():
    """What the calibration left uncertain moves a share on its logit, whatever its distribution between people."""
    from lissive.simulation.kinetics import uncertainty
    from lissive.studies.run import _moved

    rows = load_parameters()
    shifts = uncertainty(500, 1)
    for name in ("Fg_THC", "Fa_THC_oral", "F_CBD_oral", "F_vaporised"):
        drawn = _moved(rows[name], rows[name].value, shifts[name])
        assert 0.0 < drawn.min() < drawn.max() < 1.0, name
    assert (rows["CL_THC"].value * np.exp(shifts["CL_THC"])).min() >= 36.0 - 1e-9
