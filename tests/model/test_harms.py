"""Harms and leaving in the model against closed forms: frailty, prone people, getting used to the drug."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from lissive.arrays import FloatArray
from lissive.model import load
from lissive.model.parameters import load_parameters
from lissive.simulation.engine import Kernel, Tolerances, build
from lissive.simulation.run import to_doses
from lissive.simulation.schedule import Regimen, doses

OUTPUTS = ["dropout_cum", "dizziness_cum", "dE_brain", "habituated", "high", "intoxication", "NRS", "spasms_per_day",
           "pain", "sleep"]  # fmt: skip
TIMES = [0.0, 24.0 * 7, 24.0 * 84, 24.0 * 336]
TREATED = {"placebo_on": 1.0, "in_trial": 1.0}


@cache
def kernel() -> Kernel:
    """Compiled once for all that is looked at here."""
    return build(load("lissive"), OUTPUTS)


def at(
    times: list[float], outputs: list[str], sprays_at: Sequence[float] = (), **changes: float
) -> FloatArray:
    """(time, output) of the typical person with these changes, who takes a spray at these hours."""
    columns = {name: np.array([row.value]) for name, row in load_parameters().items()}
    columns |= {name: np.array([value]) for name, value in (TREATED | changes).items()}
    batch = kernel().start(1, columns, tolerances=Tolerances(rtol=1e-8))
    amount = 2.7e6 / load_parameters()["M_THC"].value
    taken = doses(np.array(sprays_at, float), kernel().states.index("THC_spray"), amount)
    given = to_doses(Regimen((taken,), np.zeros(1, int), np.ones(1), np.zeros(1)), kernel())
    seen: FloatArray = batch.advance(times[-1], given, times=times).values[0]
    return seen[:, [OUTPUTS.index(output) for output in outputs]]


@pytest.mark.parametrize("theta", [1e-9, 0.5, 2.0, 8.0])
def test_who_stay_are_those_of_a_gamma_frailty(theta: float) -> None:
    """Of a hazard that goes on, and of one that wears off as people are used to being treated."""
    hazard, new, k = 1e-4, 3e-4, 1 / 336
    causes = {"h_drop": hazard, "h_drop_effect": 0.0, "h_drop_nocebo": new, "k_settle": k}
    found = at(TIMES, ["dropout_cum"], theta_drop=theta, **causes)[:, 0]
    so_far = hazard * np.array(TIMES) + new / k * (1.0 - np.exp(-k * np.array(TIMES)))
    stay = (1.0 + theta * so_far) ** (-1.0 / theta)
    assert np.exp(-found) == pytest.approx(stay, rel=1e-5)


@pytest.mark.parametrize("prone", [0.1, 0.4, 0.999999])
def test_of_the_prone_as_many_as_their_hazard_says_and_nobody_else_is_dizzy(prone: float) -> None:
    hazard = 1e-3
    found = at(TIMES, ["dizziness_cum"], f_prone=prone, h_dizzy=hazard, k_settle=0.0)[:, 0]
    dizzy = prone * (1.0 - np.exp(-hazard * np.array(TIMES)))
    assert 1.0 - np.exp(-found) == pytest.approx(dizzy, rel=1e-5, abs=1e-9)


def test_what_is_new_wears_off_where_the_hazard_is_of_the_treatment_alone() -> None:
    k, hazard, prone = 1 / 336, 1e-3, 0.4
    found = at(TIMES, ["dizziness_cum"], f_prone=prone, h_dizzy=hazard, k_settle=k)[:, 0]
    so_far = hazard / k * (1.0 - np.exp(-k * np.array(TIMES)))
    assert 1.0 - np.exp(-found) == pytest.approx(prone * (1.0 - np.exp(-so_far)), rel=1e-5, abs=1e-9)


def test_people_are_used_to_the_mean_of_the_last_week_and_feel_what_is_above() -> None:
    days, k = 28, load_parameters()["k_adapt"].value
    times = np.linspace(0.0, 24.0 * days, 24 * days * 20 + 1)
    sprays = [8.0 + 24.0 * d + h for d in range(days) for h in (0.0, 4.0, 9.0)]
    outputs = ["dE_brain", "habituated", "high", "intoxication"]
    rise, used_to, high, rated = at(list(times), outputs, sprays, habit=0.9, V_placebo=2.0).T
    step = times[1] - times[0]
    expected = np.zeros_like(times)
    for i in range(1, len(times)):  # exact for an activity that is linear within a step
        mean = 0.5 * (rise[i] + rise[i - 1])
        expected[i] = expected[i - 1] * np.exp(-k * step) + 0.9 * mean * (1.0 - np.exp(-k * step))
    assert used_to == pytest.approx(expected, rel=2e-3, abs=1e-5)
    assert high[times > 24 * 21].max() < 0.6 * high.max()
    assert rated == pytest.approx(high + 2.0 * (1.0 - high / 100.0), rel=1e-9)


def test_nobody_is_high_without_a_treatment_and_a_little_on_placebo() -> None:
    assert at([0.0, 100.0], ["intoxication"], placebo_on=0.0)[:, 0].tolist() == [0.0, 0.0]
    assert at([0.0, 100.0], ["intoxication"], V_placebo=1.5)[-1, 0] == pytest.approx(1.5)


def test_where_nothing_carries_over_the_drug_does_nothing_to_symptoms() -> None:
    day = [8.0, 8.5, 12.0, 12.5, 17.0, 17.5]
    outputs = ["NRS", "spasms_per_day", "pain", "sleep", "high"]
    none, harm, mine = (at([0.0, 19.0], outputs, day, transfer=x, psi=0.0)[1] for x in (0.0, -0.5, 1.0))
    nothing = at([0.0, 19.0], outputs, psi=0.0)[1]
    # what CB2 does to inflammation, less than a thousandth, is not of CB1
    assert none[:4] == pytest.approx(nothing[:4], rel=1e-3)
    assert (harm[:3] > none[:3]).all()
    assert (mine[:3] < none[:3]).all()
    assert none[4] == pytest.approx(mine[4], rel=1e-6)
    assert none[4] > 0
