"""Power by size, and draws from what a calibration left uncertain."""

from __future__ import annotations

import json

import pytest

from lissive.errors import DesignError
from lissive.trials.endpoint import Comparison
from lissive.trials.fits import Estimate
from lissive.trials.people import draws
from lissive.trials.power import chosen_endpoint, power, sized
from lissive.trials.run import run_trial
from lissive.trials.summary import comparisons, succeeded


def test_a_run_in_grows_with_the_trial(small):
    keep = {"measure": "spasticity_nrs", "falls_by_pct": 20.0}
    run_in = {"arm": "drug", "weeks": 1, "patients": 30, "keep": keep}
    twice = sized(small(run_in=run_in), 24)
    assert (twice.patients, twice.run_in and twice.run_in.patients) == (24, 60)
    open_ended = sized(small(run_in=run_in, patients=None), 45)
    assert (open_ended.patients, open_ended.run_in and open_ended.run_in.patients) == (None, 45)


def test_a_ratio_that_is_the_arms_sizes_is_shared_out_anew(small):
    design = small(patients=113, ratio={"drug": 53, "placebo": 60})
    assert sized(design, 40).ratio == {"drug": 19, "placebo": 21}
    assert sized(small(ratio={"drug": 2, "placebo": 1}), 40).ratio == {"drug": 2, "placebo": 1}


def test_what_cannot_be_sized_or_named_is_told(small):
    with pytest.raises(DesignError, match="--n: is 1, fewer than one patient for each of 2 arms"):
        sized(small(), 1)
    with pytest.raises(DesignError, match="'x' is not an endpoint.*spasticity_nrs, spasms_per_day"):
        chosen_endpoint(small(), "x")
    with pytest.raises(DesignError, match="arms: has one arm"):
        chosen_endpoint(small(arms={"drug": small().arms["drug"].model_dump()}), None)
    two = small(endpoints=[{"measure": "spasticity_nrs"}, {"measure": "spasticity_nrs", "at_week": 1.0}])
    assert chosen_endpoint(two, None).at_week is None
    assert chosen_endpoint(two, "spasticity_nrs@1").at_week == 1.0


def test_a_point_of_the_curve_is_the_trial_of_that_size(small):
    ticks: list[float] = []
    curve = power(small(), [6, 12], endpoint="spasms_per_day", replicates=3, progress=ticks.append)
    assert [(p.n, p.randomised, p.arm) for p in curve.points] == [
        (6, 6, "drug"),
        (12, 12, "drug"),
    ]
    assert ticks[-1] == 3 * 18
    whole = run_trial(small(), replicates=3)
    (row,) = [row for row in comparisons(whole) if row.endpoint == "spasms_per_day"]
    assert {**vars(curve.points[1])} == {**vars(row), "n": 12, "randomised": 12}
    plain = json.loads(json.dumps(curve.to_json(), allow_nan=False))
    assert list(plain) == (
        "trial kind design endpoint week size_is alpha assurance replicates seed points needed provenance".split()
    )
    assert list(plain["points"][0]) == (
        "n randomised endpoint week arm against method measure estimate p05 p95 ci power power_ci estimated"
        " notes power_adjusted control_better".split()
    )


@pytest.mark.parametrize(
    ("endpoint", "measure", "better", "worse"),
    [
        ("spasticity_nrs", "difference", -0.5, 0.5),
        ("spasms_per_day", "rate ratio", 0.8, 1.3),
        ("spasticity_nrs_responders_30pct", "odds ratio", 1.4, 0.8),
        ("failure", "hazard ratio", 0.8, 1.3),
        ("dizziness", "odds ratio", 1.4, None),
        ("dizziness", "odds ratio", 0.7, None),
        ("spasms_per_day", "rate ratio", float("nan"), None),
    ],
)
def test_a_trial_that_favours_the_control_has_shown_nothing_for_the_arm(
    small, endpoint, measure, better, worse
):
    """With p = 0.01; of adverse events either direction counts, and so does a test without an estimate."""

    def shown(value: float) -> dict[str, bool]:
        estimate = Estimate("m", measure, value, *(float("nan"),) * 3, 0.01, 9, "")
        return succeeded(small(), [Comparison(0, endpoint, 4.0, "drug", "placebo", estimate)])

    assert shown(better) == {"drug": True}
    assert worse is None or shown(worse) == {"drug": False}


def test_draws_are_rows_of_the_table_and_the_first_stay_the_first(tmp_path):
    path = tmp_path / "draws.tsv"
    path.write_text("max_placebo_spasm,rating rating_sd\n0.1,1\n0.2,1.5\n0.3,2\n", encoding="utf-8")
    many = draws(50, 1, path)
    assert {each.values["max_placebo_spasm"] for each in many} == {0.1, 0.2, 0.3}
    assert all(each.rating()["rating_sd"] == each.values["rating rating_sd"] for each in many)
    assert draws(5, 1, path) == many[:5]
    assert draws(50, 2, path) != many


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no posterior draws.*omit --assurance"),
        ("", "empty"),
        ("psi\n", "no draw"),
        ("psi,rating rating_sd\n1\n", "tsv:2: The row does not have a number"),
        ("psi,rating rating_sd\n1,2\n1,x\n", "tsv:3: "),
        ("psi,rating rating_sd\n1,nan\n", "tsv:2: "),
        ("psy\n1\n", "tsv:1: Unknown parameter 'psy'. Did you mean psi?"),
    ],
)
def test_a_table_of_draws_that_is_missing_or_wrong(text, said, tmp_path):
    path = tmp_path / "draws.tsv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(DesignError, match=said):
        draws(3, 1, path)


def test_the_size_for_a_power_is_found_and_its_error_with_it(small, monkeypatch):
    """Trials of which it is known by which size each shows an effect: power is the share of these."""
    import numpy as np

    from lissive.trials import power as room

    needs = np.exp(np.random.default_rng(1).normal(np.log(60.0), 0.6, 400))  # 80 % at 99.4, 90 % at 129.4

    def hits(design, endpoint, replicates, *_):
        sizes = room._grid(design)
        return sizes, {"drug": needs[:, None] <= np.array(sizes)[None]}, {"drug": np.zeros(replicates, bool)}

    monkeypatch.setattr(room, "_hits", hits)
    found = room.sample_size(small(), replicates=400)
    (eighty, ninety) = found.needed
    assert (eighty.power, ninety.power) == (0.8, 0.9)
    for each, wanted in ((eighty, 99.4), (ninety, 129.4)):
        low, high = each.ci
        assert each.n == pytest.approx(wanted, rel=0.12)
        assert low is not None
        assert low < each.n
        assert high is None or high > each.n

    def never(worse: int):
        def hits(design, *_):
            sizes = room._grid(design)
            return sizes, {"drug": np.zeros((400, len(sizes)), bool)}, {"drug": np.arange(400) < worse}

        monkeypatch.setattr(room, "_hits", hits)
        found = room.sample_size(small(), replicates=400).needed
        assert all(each.n is None for each in found)
        return found[0].largest

    assert (
        never(worse=80) == room.MOST_NEEDED
    )  # in 20 % the control may be better by chance of the replicates
    assert never(worse=130) == small().patients


def test_a_size_is_solved_for_only_where_a_number_is_randomised(small):
    from lissive.trials.power import sample_size

    run_in = {"arm": "drug", "weeks": 1, "patients": 30}
    with pytest.raises(DesignError, match="patients: is missing.*--n"):
        sample_size(small(run_in=run_in, patients=None), replicates=20)
    with pytest.raises(DesignError, match="20"):
        sample_size(small(), replicates=5)


def test_designs_side_by_side_are_their_own_runs(small):
    from lissive.report.power_text import compare_text
    from lissive.trials.side_by_side import compare
    from lissive.trials.summary import summary

    designs = [small(), small(patients=16, trial="larger")]
    both = compare(designs, replicates=2)
    assert both.answers == tuple(summary(run_trial(each, replicates=2)) for each in designs)
    text = compare_text(both)
    assert "small" in text
    assert "larger" in text
    with pytest.raises(DesignError, match="There is 1 design"):
        compare(designs[:1])


@pytest.mark.slow
def test_looks_margin_and_key_secondary_endpoints_in_the_answer(small):
    from lissive.trials.summary import summary

    endpoints = [{"measure": "spasticity_nrs"}, {"measure": "spasms_per_day"}, {"measure": "pain_nrs"}]
    analysis = {"interim": {"at": [0.5]}, "key_secondary": ["spasms_per_day", "pain_nrs"]}
    design = small(patients=24, endpoints=endpoints, analysis=analysis)
    answer = summary(run_trial(design, replicates=6))
    first, *others = answer.comparisons
    assert [each.n for each in answer.looks] == [12, 24]
    assert sum(each.stops for each in answer.looks) == pytest.approx(first.power)
    assert first.power_adjusted is None
    for each in others:
        assert each.power_adjusted is not None
        assert each.power_adjusted <= min(each.power, first.power)
    wide = small(patients=24, analysis={"non_inferiority_margin": 100.0})
    narrow = small(patients=24, analysis={"non_inferiority_margin": 0.001})
    shares = [summary(run_trial(each, replicates=6)).comparisons[0].power for each in (wide, narrow)]
    assert shares[0] == 1.0 >= shares[1]


@pytest.mark.parametrize("missing", ["mmrm", "multiple_imputation", "jump_to_reference"])
def test_missing_visits_are_modelled_where_the_design_says_so(small, missing):
    from lissive.trials.summary import summary

    endpoints = [{"measure": "spasticity_nrs"}, {"measure": "spasticity_nrs", "falls_by_pct": 30.0}]
    design = small(patients=40, endpoints=endpoints, analysis={"missing": missing, "imputations": 5})
    answer = summary(run_trial(design, replicates=2))
    first = answer.comparisons[0]
    wanted = {"mmrm": "MMRM"}.get(missing, missing.replace("_", " "))
    assert (first.method, first.estimated, first.measure) == (wanted, 2, "difference")
    assert sum(row.n or 0 for row in answer.arms if row.kind == "hit" and row.week == 2.0) == 40


def test_where_no_trial_of_the_cause_is_fitted_it_is_said(small):
    from lissive.report.trial_text import LIMITS, limits

    here = small()
    cord = here.population.model_copy(update={"cause": "spinal_cord_injury"})
    there = here.model_copy(update={"population": cord})
    assert limits(here) == LIMITS
    said = limits(here, there)
    assert said.startswith("No trial of a cannabinoid in spinal cord injury is fitted")
    assert said.endswith(LIMITS)
