"""The response to being treated from period to period, and ratings and counts: against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit

from lissive.simulation.draw import Centres, draw
from lissive.simulation.ratings import figures, stretches
from lissive.simulation.run import Settings
from lissive.trials.design import Design, make_design
from lissive.trials.enrol import begin
from lissive.trials.observe import MEASURES, in_stretches, observe_visit, observed_days, ratings_of
from lissive.trials.people import Response, recruit
from lissive.trials.placebo import renew

N = 600
ARMS = {"placebo": {"product": "nabiximols", "placebo": True, "most_per_day": 12, "titration": "self"}}


def design(**fields: object) -> Design:
    return make_design(
        {
            "trial": "t",
            "population": {"cause": "multiple_sclerosis"},
            "arms": {**ARMS, "drug": {**ARMS["placebo"], "placebo": False}},
            "weeks": 4,
            "visits_weeks": [4],
            "patients": N,
            "endpoints": [{"measure": "spasticity_nrs"}],
            **fields,
        }
    )


RUN_IN = {"run_in": {"arm": "drug", "weeks": 2, "patients": N}, "patients": None}


def by_period(values: dict[str, float], periods: int, **fields: object) -> np.ndarray:
    """(period, patient) logit of the placebo response of stiffness."""
    plan = design(**fields)
    people = recruit(plan, 0, seed=1, response=Response({"between placebo": 0.0, **values}))
    run = begin(plan, [people], Settings())
    found = [logit(run.parameters["max_placebo_spasm"])]
    for period in range(periods):
        renew(run, period)
        found.append(logit(run.parameters["max_placebo_spasm"]))
    return np.array(found)


def test_a_response_is_partly_new_in_each_period_and_as_spread_as_before() -> None:
    values = {"max_placebo_spasm": 0.1, "spread of max_placebo_spasm": 1.5, "rating placebo_carry": 0.6}
    before, first, second, third = by_period(values, 3)
    assert (before == first).all()  # nothing went before the first period
    for k, now in enumerate((second, third), 1):
        assert np.corrcoef(first, now)[0, 1] == pytest.approx(0.6**k, abs=4 / np.sqrt(N))
        assert now.mean() == pytest.approx(logit(0.1), abs=4 * 1.5 / np.sqrt(N))
        assert now.std() == pytest.approx(1.5, rel=4 / np.sqrt(2 * N))


def test_a_run_in_has_odds_of_its_own_which_do_not_outlast_it() -> None:
    lasting = {"rating run_in_belief": 2.0, "rating placebo_carry": 1.0}
    before, run_in, after = by_period(lasting, 2, **RUN_IN)
    np.testing.assert_allclose(run_in - before, np.log(2.0))
    np.testing.assert_allclose(after, before, atol=1e-9)
    assert (by_period(lasting, 2)[1:] == before).all()  # of a trial without one: nothing


def test_a_response_that_stays_is_left_as_it_is_to_the_bit() -> None:
    found = by_period({"rating placebo_carry": 1.0, "rating run_in_belief": 1.0}, 3, **RUN_IN)
    assert (found == found[0]).all()


def test_two_kinds_of_people_have_the_moments_of_a_mixture() -> None:
    n, share, more, spread = 20_000, 0.25, 5.0, 0.4
    people = draw(
        n, seed=2, own=Centres({"gain_tone": 1.2}, {"responds": share, "gain_tone": spread})
    ).columns(n)
    assert set(np.unique(people["responds"])) == {0.0, 1.0}
    gain = people["gain_tone"] * (1.0 + people["responds"] * (more - 1.0))
    first = 1.2 * np.exp(spread**2 / 2) * (1.0 + share * (more - 1.0))
    second = 1.2**2 * np.exp(2 * spread**2) * (1.0 + share * (more**2 - 1.0))
    assert gain.mean() == pytest.approx(first, rel=4 * np.sqrt(second - first**2) / first / np.sqrt(n))
    assert gain.var() == pytest.approx(second - first**2, rel=0.1)


def test_counts_have_the_moments_of_a_negative_binomial_in_lognormal_stretches() -> None:
    n, mean, k, sd = 40_000, 4.0, 0.3, 0.4
    figure = {**figures(), "count_dispersion": k, "count_course_sd": sd}
    plan = design(endpoints=[{"measure": "spasms_per_day"}])
    ratings = ratings_of(plan, 5, np.arange(n), 1, figure)
    place = slice(0, 1)
    counts = observed_days(
        MEASURES["spasms_per_day"], ratings, "spasms_per_day", np.full((n, 1), mean), place
    )
    grown = np.exp(sd**2) - 1.0  # squared coefficient of variation of the day's expected count
    variance = mean + mean**2 * (k * (1.0 + grown) + grown)
    assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / n))
    assert counts.var() == pytest.approx(variance, rel=0.06)


def test_stretches_leave_the_mean_of_counts_as_it_is() -> None:
    course = stretches(3, "count", np.arange(8000), 1, sd=0.5, memory=20.0)
    moved = in_stretches(np.full((8000, 1), 6.0), course, np.full((8000, 1), 0.5))
    assert moved.mean() == pytest.approx(6.0, rel=4 * np.sqrt(np.expm1(0.25) / 8000))


@pytest.mark.parametrize(("at_visits", "wanted"), [(True, 2.0), (False, 0.5)])
def test_a_rating_at_a_visit_has_its_own_error(at_visits: bool, wanted: float) -> None:
    plan = design(rated_at_visits=at_visits)
    figure = {**figures(), "course_sd": 1e-9, "rating_sd": 0.5, "visit_sd": 2.0}
    ratings = replace(ratings_of(plan, 5, np.arange(N), 8, figure), filled=np.ones((N, 36)))
    seen = observe_visit(plan, ratings, "spasticity_nrs", np.full((N, 1), 5.0), 6)
    assert seen.std() == pytest.approx(wanted, rel=0.15)
