"""Virtual trials: pairs of the same people, draws that nothing else moves, and flows that add up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.trials.alike import assert_same, same

from lissive.errors import DesignError
from lissive.simulation.engine import Tolerances
from lissive.simulation.run import Settings
from lissive.trials import rounds
from lissive.trials.conduct import conduct
from lissive.trials.design import make_design
from lissive.trials.enrol import RTOL
from lissive.trials.observe import TrialData
from lissive.trials.people import Response


# -- pairs ------------------------------------------------------------------------------------------
def test_a_pair_is_of_the_same_people(small):
    drug, placebo = (conduct(small(), [0], all_on=arm)[0] for arm in ("drug", "placebo"))
    assert same(drug.screening, placebo.screening)
    assert same(drug.baseline, placebo.baseline)
    assert same(drug.filled, placebo.filled)
    assert same(drug.screening_id, placebo.screening_id)
    assert not same(drug.values, placebo.values)


def test_with_nothing_in_it_the_drug_is_the_placebo(small, spray):
    empty = {**spray, "thc_mg_per_unit": 0.0, "cbd_mg_per_unit": 0.0}
    arms = {"drug": empty, "placebo": {**empty, "placebo": True}, "full": {**spray, "placebo": True}}
    drug, placebo, full = (conduct(small(arms=arms, weeks=3.0), [0], all_on=arm)[0] for arm in arms)
    assert_same(drug, placebo, but=("group", "treatment"))
    # a placebo of what has something in it is dosed with nothing at the same hours: as close as the solver is
    np.testing.assert_allclose(full.values["spasticity_nrs"], placebo.values["spasticity_nrs"], atol=1e-4)
    assert same(full.dose, placebo.dose)


def test_who_is_really_given_it_has_the_values_of_the_pair(small):
    design = small()
    (real,) = conduct(design, [0])
    for place, arm in enumerate(design.arms):
        (pair,) = conduct(design, [0], all_on=arm)
        mine = real.group == place
        assert same(real.values["spasticity_nrs"][mine], pair.values["spasticity_nrs"][mine])
        assert same(real.left[mine], pair.left[mine])


# -- what moves nobody's draws ----------------------------------------------------------------------
def test_another_arm_visit_or_endpoint_moves_nobody(small, spray):
    (before,) = conduct(small(), [0], all_on="drug")
    wider = small(
        arms={"third": {**spray, "most_per_day": 4}, "drug": spray, "placebo": {**spray, "placebo": True}},
        visits_weeks=[0.5, 1.0, 2.0],
        endpoints=[{"measure": "pain_nrs"}, {"measure": "spasticity_nrs"}, {"measure": "spasms_per_day"}],
    )
    (after,) = conduct(wider, [0], all_on="drug")
    for name in ("spasticity_nrs", "spasms_per_day"):
        assert same(before.values[name], after.values[name][:, :, 1:])
        assert same(before.baseline[name], after.baseline[name])
    for field in ("screening_id", "left", "left_why", "dizzy"):
        assert same(getattr(before, field), getattr(after, field)), field


def test_a_longer_trial_begins_as_the_shorter(small):
    (short,) = conduct(small(), [0])
    (longer,) = conduct(small(weeks=4.0, visits_weeks=[1.0, 2.0, 4.0]), [0])
    assert same(short.values["spasticity_nrs"], longer.values["spasticity_nrs"][:, :, :2])
    assert same(short.dose, longer.dose[:, :, :2])
    assert same(short.left, np.where(longer.left <= 14, longer.left, np.inf))


def test_more_patients_leave_the_first_as_they_were(small):
    (few,) = conduct(small(), [0], all_on="drug")
    (many,) = conduct(small(patients=20), [0], all_on="drug")
    assert same(few.values["spasticity_nrs"], many.values["spasticity_nrs"][:12])


def test_a_replicate_alone_is_the_replicate_among_others(small):
    design = small(patients=6)
    several = conduct(design, [0, 1, 2, 3], settings=Settings(Tolerances(rtol=RTOL), 2))
    (alone,) = conduct(design, [3], settings=Settings(Tolerances(rtol=RTOL), 1))
    assert_same(several[3], alone)
    assert not same(several[2].values["spasticity_nrs"], alone.values["spasticity_nrs"])


# -- who goes where -----------------------------------------------------------------------------------
def test_arms_have_the_sizes_that_the_ratio_says(small):
    (two_to_one,) = conduct(
        small(patients=18, ratio={"drug": 2, "placebo": 1}, weeks=1.0, visits_weeks=[1.0]), [0]
    )
    assert np.bincount(two_to_one.group).tolist() == [12, 6]
    (sizes,) = conduct(
        small(patients=16, ratio={"drug": 9, "placebo": 7}, weeks=1.0, visits_weeks=[1.0]), [0]
    )
    assert np.bincount(sizes.group).tolist() == [9, 7]


def test_the_flow_of_a_run_in_adds_up(small):
    keep = {"measure": "spasticity_nrs", "falls_by_pct": 10.0}
    design = small(
        run_in={"arm": "drug", "weeks": 2, "patients": 24, "keep": keep, "washout_days": 3}, patients=None
    )
    for data in conduct(design, [0, 1]):
        flow = data.flow
        assert flow.screened >= flow.entered == 24
        assert flow.entered == flow.left_run_in + flow.not_kept + flow.randomised + flow.failed
        assert flow.randomised == len(data) > 0
        assert set(data.treatment.ravel()) <= {0, 1}


def test_a_run_in_that_keeps_too_few_says_how_many_were_screened(small):
    keep = {"measure": "spasticity_nrs", "falls_by_pct": 95.0}
    design = small(run_in={"arm": "drug", "weeks": 1, "patients": 14, "keep": keep})
    with pytest.raises(
        DesignError, match=r"\d+ were screened, 14 entered .* nobody could be randomised"
    ) as found:
        conduct(design, [0])
    assert found.value.where == "run_in.keep"


def test_inclusion_that_hardly_anybody_meets_says_how_many_were_screened(small):
    population = {
        "cause": "multiple_sclerosis",
        "most_screened": 50,
        "baseline": {"spasticity_nrs": {"mean": 4.0, "sd": 0.5}},
        "inclusion": {"spasticity_nrs": {"at_least": 9.9}},
    }
    with pytest.raises(DesignError, match="50 were screened, and nobody met the criteria"):
        conduct(small(population=population), [0])


def test_screening_goes_on_until_as_many_are_randomised_as_the_design_says(small):
    """Who is randomised does not depend on how many entered at a time, and who came later was not screened."""
    keep = {"measure": "spasticity_nrs", "falls_by_pct": 20.0}
    until = conduct(small(run_in={"arm": "drug", "weeks": 1, "keep": keep}), [0, 1])
    fixed = conduct(small(run_in={"arm": "drug", "weeks": 1, "patients": 90, "keep": keep}), [0, 1])
    for one, other in zip(until, fixed, strict=True):
        assert_same(one, other)
        flow = one.flow
        assert flow.randomised == 12
        assert flow.screened == one.screening_id[-1] + 1
        assert flow.entered == flow.left_run_in + flow.not_kept + 12


def test_a_replicate_that_falls_short_is_kept_and_counted(small):
    keep = {"measure": "spasticity_nrs", "falls_by_pct": 20.0}
    population = {"cause": "multiple_sclerosis", "most_screened": 25}
    design = small(
        population=population, run_in={"arm": "drug", "weeks": 1, "keep": keep}, weeks=1.0, visits_weeks=[1.0]
    )
    for data in conduct(design, [0, 1]):
        assert 0 < data.flow.randomised < 12
        assert data.flow.screened == data.flow.entered == 25


def test_nobody_who_responds_ends_the_search_after_a_stated_number(small, monkeypatch):
    monkeypatch.setattr(rounds, "MOST_FOR_NONE", 30)
    keep = {"measure": "spasticity_nrs", "falls_by_pct": 100.0}
    with pytest.raises(
        DesignError, match=r"\d+ were screened, 1\d\d entered .* nobody could be randomised"
    ) as found:
        conduct(small(run_in={"arm": "drug", "weeks": 1, "keep": keep}), [0])
    assert found.value.where == "run_in.keep"


def test_long_use_before_a_trial_brings_those_who_went_on_with_it(small):
    """The criteria are met on the drug, and nobody is lost in a run-in, as there is none."""
    run_in = {"arm": "drug", "weeks": 8, "established": True}
    population = {"cause": "multiple_sclerosis", "inclusion": {"spasticity_nrs": {"at_most": 5.0}}}
    (data,) = conduct(small(population=population, run_in=run_in, weeks=1.0, visits_weeks=[1.0]), [0])
    assert (data.baseline["spasticity_nrs"] <= 5.0).all()
    assert (data.screening["spasticity_nrs"] > 5.0).any()
    assert (data.flow.left_run_in, data.flow.not_kept, data.flow.entered) == (0, 0, 12)
    assert data.flow.screened > 12
    assert np.nanmean(data.dose) > 3  # from the first week, the dose found before


def test_the_dose_found_in_a_run_in_is_gone_on_with(small):
    run_in = {"arm": "drug", "weeks": 1, "patients": 14}
    data = [
        conduct(small(run_in={**run_in, "keep_dose": kept}, visits_weeks=[1.0]), [0])[0]
        for kept in (True, False)
    ]
    assert np.nanmean(data[0].dose) > np.nanmean(data[1].dose) + 1


def test_in_a_crossover_each_takes_both_and_who_left_is_not_seen_again(small):
    design = small(crossover={"sequences": [["drug", "placebo"], ["placebo", "drug"]], "washout_days": 3})
    (data,) = conduct(design, [0])
    assert (np.sort(data.treatment, axis=1) == [0, 1]).all()
    assert np.bincount(data.group).tolist() == [6, 6]
    gone = data.left <= 14 + 3
    assert np.isnan(data.baseline["spasticity_nrs"][gone, 1]).all()
    assert np.isfinite(data.baseline["spasticity_nrs"][~gone, 1]).all()


# -- what trials do to those who take part -----------------------------------------------------------
def test_those_chosen_for_high_ratings_improve_without_any_effect(small, spray):
    """Regression to the mean: no drug, no placebo response, and ratings fall where there is a threshold."""
    nothing = Response({"max_placebo_spasm": 1e-9, "max_placebo_pain": 1e-9})
    population = {"cause": "multiple_sclerosis", "baseline": {"spasticity_nrs": {"mean": 6.0, "sd": 0.5}}}

    def change(least: float) -> float:
        chosen = {**population, "inclusion": {"spasticity_nrs": {"at_least": least}}}
        design = small(population=chosen, arms={"placebo": {**spray, "placebo": True}}, patients=60)
        (data,) = conduct(design, [0], responses=[nothing])
        return float(
            np.nanmean(data.values["spasticity_nrs"][:, 0, -1] - data.baseline["spasticity_nrs"][:, 0])
        )

    assert abs(change(0.0)) < 0.25
    assert change(7.0) < -0.3


def test_the_placebo_response_is_there_without_a_threshold(small, spray):
    population = {"cause": "multiple_sclerosis"}
    design = small(
        population=population, arms={"placebo": {**spray, "placebo": True}}, patients=60, weeks=3.0
    )
    (data,) = conduct(design, [0])
    assert np.nanmean(data.values["spasticity_nrs"][:, 0, -1] - data.baseline["spasticity_nrs"][:, 0]) < -0.2


def test_a_large_ratio_that_is_cut_stays_near_its_shares() -> None:
    """124 to 65 with 100 patients: both arms get their part, not the first arm all of them."""
    data = {
        "trial": "cut",
        "population": {"cause": "multiple_sclerosis"},
        "patients": 100,
        "ratio": {"a": 124, "b": 65},
        "arms": {"a": {"most_per_day": 0, "placebo": True}, "b": {"most_per_day": 0, "placebo": True}},
        "weeks": 1,
        "visits_weeks": [1],
        "endpoints": [{"measure": "spasticity_nrs"}],
    }
    counts = [int((each.group == 0).sum()) for each in conduct(make_design(data), range(4))]
    assert all(55 <= count <= 76 for count in counts)
    assert len(set(counts)) > 1


def test_who_was_dizzy_in_the_run_in_is_not_newly_dizzy_after_it() -> None:
    data = {
        "trial": "prone",
        "population": {"cause": "multiple_sclerosis"},
        "run_in": {"arm": "drug", "weeks": 2, "patients": 60},
        "arms": {
            "drug": {"product": "nabiximols", "most_per_day": 8, "titration": "fixed"},
            "placebo": {"product": "nabiximols", "placebo": True, "most_per_day": 8, "titration": "fixed"},
        },
        "weeks": 2,
        "visits_weeks": [2],
        "endpoints": [{"measure": "dizziness"}],
        "drop_out": False,
    }
    after = conduct(make_design(data), range(3), all_on="drug")
    fresh = conduct(make_design({**data, "run_in": None, "patients": 60}), range(3), all_on="drug")
    assert sum(int(d.dizzy.sum()) for d in after) < sum(int(d.dizzy.sum()) for d in fresh)


@pytest.mark.parametrize(("ratio", "block"), [({"a": 1, "b": 1}, [2, 2]), ({"a": 2, "b": 1}, [4, 2])])
def test_allocation_is_by_permuted_blocks_of_four_or_a_little_more(
    ratio: dict[str, int], block: list[int]
) -> None:
    """Each block has the ratio; a smaller part of it has not, or the last of every pair could be foretold."""
    nothing = {"most_per_day": 0, "placebo": True}
    data = {
        "trial": "blocks",
        "population": {"cause": "multiple_sclerosis"},
        "patients": 96,
        "ratio": ratio,
        "arms": {"a": nothing, "b": nothing},
        "weeks": 1,
        "visits_weeks": [1],
        "endpoints": [{"measure": "spasticity_nrs"}],
    }
    (found,) = conduct(make_design(data), [0])
    blocks = found.group.reshape(-1, sum(block))
    assert (np.sort(blocks, axis=1) == np.repeat([0, 1], block)).all()
    assert len({tuple(each) for each in blocks.tolist()}) > 2  # each in an order of its own
    halves = blocks[:, : sum(block) // 2].sum(axis=1)
    assert (halves != block[1] // 2).any()


def test_strata_are_balanced_each_for_itself() -> None:
    data = {
        "trial": "strata",
        "population": {"cause": "multiple_sclerosis"},
        "patients": 200,
        "strata": [{"measure": "spasticity_nrs", "cut": 7}],
        "arms": {"a": {"most_per_day": 0, "placebo": True}, "b": {"most_per_day": 0, "placebo": True}},
        "weeks": 1,
        "visits_weeks": [1],
        "endpoints": [{"measure": "spasticity_nrs"}],
    }
    for each in conduct(make_design(data), range(3)):
        severe = each.baseline["spasticity_nrs"][:, 0] >= 7
        assert 40 < severe.sum() < 160
        assert (each.stratum == severe).all()
        for stratum in (severe, ~severe):
            counts = np.bincount(each.group[stratum], minlength=2)
            assert abs(int(counts[0]) - int(counts[1])) <= 2


def test_failure_needs_weeks_in_a_row_and_ends_the_trial_where_the_design_says_so(small):
    def trial(**more: Any) -> TrialData:
        endpoint = {"measure": "failure", "rises_by_pct": 10, **more}
        return conduct(small(patients=90, weeks=4.0, visits_weeks=[1.0, 4.0], endpoints=[endpoint]), [0])[0]

    once, twice, leaves = trial(weeks_in_a_row=1), trial(), trial(leaves=True)
    stayed = np.isinf(once.left)
    failed = once.failed_day[stayed & np.isfinite(once.failed_day)]
    assert len(failed) > 10
    assert set(failed) <= {7.0, 14.0, 21.0, 28.0}
    assert (twice.failed_day[stayed] >= np.maximum(once.failed_day[stayed], 14)).all()
    assert np.isfinite(twice.failed_day).sum() < np.isfinite(once.failed_day).sum()
    assert same(leaves.failed_day, twice.failed_day)
    out = np.isfinite(leaves.failed_day)
    assert same(leaves.left[out], leaves.failed_day[out])
    seen = leaves.values["spasticity_nrs"][:, 0, 1]
    assert np.isnan(seen[leaves.failed_day < 28]).all()
    assert (leaves.left_why[out & (twice.left > twice.failed_day)] == 2).all()


def test_days_that_repeat_are_extrapolated_close_to_days_that_are_solved(small, monkeypatch):
    from lissive.trials import enrol

    design = small(patients=40, weeks=8.0, visits_weeks=[4.0, 8.0])
    (quick,) = conduct(design, [0])
    monkeypatch.setattr(enrol, "REPEATS", False)
    (whole,) = conduct(design, [0])
    difference = quick.values["spasticity_nrs"] - whole.values["spasticity_nrs"]
    assert np.nanmax(np.abs(difference)) < 0.05
    assert abs(np.nanmean(difference)) < 0.005
    assert not same(quick.values["spasticity_nrs"], whole.values["spasticity_nrs"])
    assert same(quick.dose[:, :, 0], whole.dose[:, :, 0])


def test_daily_counts_are_those_of_the_negative_binomial_distribution():
    from scipy.stats import nbinom

    from lissive.trials.observe import counts_of

    rng = np.random.default_rng(1)
    u, mean = rng.random((200, 7)), rng.gamma(1.0, 9.0, (200, 7))
    mean[0], u[1, 0], mean[2, 0] = 0.0, 1.0 - 1e-12, np.nan
    found = counts_of(u, mean, np.full((200, 1), 0.106))
    wanted = nbinom.ppf(u, 1 / 0.106, 1 / (1 + 0.106 * mean))
    assert same(found, wanted)


def test_a_stratum_of_nothing_known_is_refused() -> None:
    with pytest.raises(DesignError, match="stiffnes"):
        make_design({"trial": "x", "strata": [{"measure": "stiffnes", "cut": 7}]})


def test_who_is_given_nothing_has_no_response_to_being_treated() -> None:
    data = {
        "trial": "nothing",
        "population": {"cause": "multiple_sclerosis"},
        "patients": 60,
        "arms": {
            "placebo": {"product": "nabiximols", "placebo": True, "most_per_day": 8},
            "nothing": {"most_per_day": 0},
        },
        "weeks": 3,
        "visits_weeks": [3],
        "endpoints": [{"measure": "spasticity_nrs"}],
        "drop_out": False,
    }

    def change(arm: str) -> float:
        one = conduct(make_design(data), [0], all_on=arm)[0]
        return float((one.values["spasticity_nrs"][:, 0, 0] - one.baseline["spasticity_nrs"][:, 0]).mean())

    assert change("placebo") < change("nothing") - 0.3


def test_a_failure_needs_a_week_to_be_seen_in() -> None:
    with pytest.raises(DesignError, match="failure, which needs 2 weeks"):
        make_design(
            {
                "trial": "short",
                "population": {"cause": "multiple_sclerosis"},
                "patients": 10,
                "arms": {"a": {"most_per_day": 0}},
                "weeks": 0.5,
                "visits_weeks": [0.5],
                "endpoints": [{"measure": "failure", "rises_by_pct": 20}],
            }
        )


def test_what_the_machine_has_no_memory_for_is_said_before_it_is_run(small, monkeypatch):
    from lissive.trials import parts

    conduct(small(), [0])
    monkeypatch.setattr(parts, "memory", lambda: 50_000)
    with pytest.raises(DesignError, match=r"12 patients over 42 days.*GB of memory.*about \d+ patients"):
        conduct(small(), [0])
