"""One answer of a calibration: what moves together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import logit

from lissive.model.parameters import load_parameters
from lissive.simulation.days import next_units, thresholds
from lissive.simulation.draw import occasions
from lissive.simulation.kinetics import kinetics, standard_errors
from lissive.trials.design import Design
from lissive.trials.people import Response, draws, recruit, seed_of, with_kinetics


@pytest.mark.parametrize("factor", [0.5, 1.3])
def test_both_bounds_of_intoxication_move_together(factor: float) -> None:
    """No trial tells the two apart: the upper one stays where the tables have it in proportion to the lower."""
    table = thresholds()
    moved = Response({"titration raise_below": factor * table["raise_below"]}).titration()
    assert moved["lower_above"] == pytest.approx(factor * table["lower_above"], rel=1e-3)
    assert {k: v for k, v in moved.items() if k not in ("raise_below", "lower_above")} == {
        k: v for k, v in table.items() if k not in ("raise_below", "lower_above")
    }


def test_people_hold_their_dose_between_the_bounds_and_lower_it_a_quarter_above_the_lower() -> None:
    limit = Response({"titration raise_below": 40.0}).titration()
    worst = np.array([39.0, 41.0, 49.5, 50.5, 58.0])
    units = next_units(np.full(5, 6), worst, np.ones(5), 12, limit)
    assert units.tolist() == [7, 6, 6, 5, 5]


def test_each_draw_of_the_response_has_kinetics_of_its_own_unless_it_says_them() -> None:
    few, many = draws(3, 5), draws(30, 5)
    assert few == many[:3]
    drawn = kinetics(30, 5)
    assert [each.values["CL_THC"] for each in many] == [each["CL_THC"] for each in drawn]
    (told,) = with_kinetics([Response({"CL_THC": 40.0})], 5)
    assert told.values["CL_THC"] == 40.0
    assert told.values["V1_THC"] == drawn[0]["V1_THC"]


def test_replicates_of_a_trial_differ_in_clearance_by_the_fits_standard_error(
    small: Callable[..., Design],
) -> None:
    """Log mean of n people: its variance is that of the typical value and 1/n of that between people."""
    n, replicates = 60, 80
    design = small(patients=n, population={"cause": "multiple_sclerosis"})
    row, error = load_parameters()["CL_OH"], standard_errors()["CL_OH"]
    spread = row.spread or 0.0

    def means(responses: list[Response]) -> float:
        people = [recruit(design, r, seed=2, response=each) for r, each in enumerate(responses)]
        return float(np.std([np.log(each.parameters["CL_OH"]).mean() for each in people]))

    without, within = means([Response()] * replicates), means(with_kinetics([Response()] * replicates, 2))
    assert without == pytest.approx(spread / np.sqrt(n), rel=0.3, abs=1e-9)
    assert within == pytest.approx(np.hypot(error, spread / np.sqrt(n)), rel=0.3)
    assert within > without


@pytest.mark.parametrize(
    "cause", ["als", "spinal_cord_injury", "muscle_injury", "exertional_cramp", "fibromyalgia"]
)
def test_effects_in_a_cause_without_a_trial_are_centred_on_none_and_wide(cause: str) -> None:
    """Mean 0, and 5 % beyond the effect in multiple sclerosis; of one virtual trial it is the same for all."""
    drawn = np.array([Response().typical(cause, seed)["transfer"] for seed in range(2000)])
    assert drawn.mean() == pytest.approx(0.0, abs=0.05)
    assert np.mean(drawn > 1.0) == pytest.approx(0.05, abs=0.015)
    assert np.mean(drawn < -1.0) == pytest.approx(0.05, abs=0.015)


def test_placebo_responses_of_such_a_cause_are_not_those_fitted_on_another() -> None:
    fitted = Response({"max_placebo_spasm": 0.6, "between placebo": 0.0})
    drawn = [fitted.typical("als", seed)["max_placebo_spasm"] for seed in range(500)]
    assert np.median(drawn) == pytest.approx(0.12, abs=0.02)
    assert fitted.typical("multiple_sclerosis", 1)["max_placebo_spasm"] == pytest.approx(0.6)
    assert "transfer" not in fitted.typical("multiple_sclerosis", 1)


def test_people_of_a_trial_differ_in_uptake_by_the_part_that_lasts(small: Callable[..., Design]) -> None:
    """Days on one dose repeat, so what differs between days of one person is left out, not kept for good."""
    design = small(patients=4000, population={"cause": "multiple_sclerosis"})
    people = recruit(design, 0, seed=2, response=Response())
    row = load_parameters()["Fa_THC_spray"]
    wanted = (row.spread or 0.0) * np.sqrt(1.0 - occasions()["Fa_THC_spray"])
    assert logit(people.parameters["Fa_THC_spray"]).std() == pytest.approx(wanted, rel=0.05)


def test_all_ratings_of_a_trial_fluctuate_more_or_less_together_and_differ_between_trials_as_fitted() -> None:
    answer = Response({"between noise": 0.3})
    mean = answer.rating()
    each = [answer.rating(seed_of(1, k)) for k in range(2000)]
    for name in ("course_sd", "rating_sd", "visit_sd"):
        by = np.log([one[name] / mean[name] for one in each])
        assert by.std() == pytest.approx(0.3, rel=0.06)
        assert by == pytest.approx(np.log([one["rating_sd"] / mean["rating_sd"] for one in each]))
    assert all(one["course_days"] == mean["course_days"] for one in each)
    assert Response({"between noise": 0.0}).rating(7) == Response().rating()


def test_trials_differ_in_doses_and_in_ratings_as_the_fit_says_and_a_forecast_is_of_the_mean_trial() -> None:
    """The standard deviation of the logarithm over many trials is that of the table; one of 0 leaves all as it is."""
    for name, figures in (("dose", lambda each, seed: each.titration(seed)["willing"]),
                          ("dose_spread", lambda each, seed: each.titration(seed)["willing_spread"]),
                          ("noise", lambda each, seed: each.rating(seed)["course_sd"])):  # fmt: skip
        some = Response({f"between {name}": 0.4})
        logs = np.log([figures(some, seed_of(3, trial)) for trial in range(800)])
        assert logs.mean() == pytest.approx(np.log(figures(some, None)), abs=0.05)
        assert logs.std() == pytest.approx(0.4, rel=0.08)
        none = Response({f"between {name}": 0.0})
        assert figures(none, seed_of(3, 1)) == figures(none, None)
