"""Feedback dosing: the label's titration, and days in the loop against what is known in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lissive.case import label_titration
from lissive.model.equations import Equations
from lissive.model.expression import Graph
from lissive.simulation.days import Group, Running, advance_days, next_units, thresholds, willing
from lissive.simulation.engine import build
from lissive.simulation.schedule import doses

CEILINGS = tuple(day.total for day in label_titration("nabiximols"))
KA, K = 1.2, 0.25
"""Absorption and elimination [1/h]."""


def running(people: int = 1, *, nrs: float = 10.0, harm: float = 0.0, days: int = 30) -> Running:
    """People of a one-compartment model, rating `nrs` all the time and 10 before; `harm` is of one unit in blood."""
    g = Graph()
    depot, blood = g.symbol("depot"), g.symbol("blood")
    absorbed = g.mul(g.const(KA), depot)
    outputs = {"blood": blood, "intoxication": g.mul(g.const(harm), blood)}
    outputs["NRS"] = g.add(g.const(nrs), g.mul(g.const(0.0), blood))
    rates = (g.neg(absorbed), g.sub(absorbed, g.mul(g.const(K), blood)))
    model = Equations("one", g, ("depot", "blood"), rates, (g.const(0.0),) * 2, {}, outputs)
    batch = build(model, list(outputs)).start(people)
    return Running(
        batch=batch,
        relief="NRS",
        before=np.zeros((people, len(outputs))),
        baseline=np.full(people, 10.0),
        felt=np.zeros((people, days)),
        limit={name: np.full(people, value) for name, value in thresholds().items()},
        ready=np.full(people, 0.999),
    )


def taken(run: Running, group: Group, days: int) -> list[int]:
    advance_days(run, [group], np.zeros(len(run), int), days)
    return [int(units[0]) for units in run.taken]


def a_day(most: int, amount: float = 1.0) -> tuple:
    """A day of 0, 1, 2, ... units, at 8 and 20 o'clock and then each hour."""
    return tuple(doses(np.array([8.0, 20.0, *range(9, 20)][:n]), 0, amount) for n in range(most + 1))


def up_to(ceilings: tuple[int, ...], first: int = 1) -> Group:
    return Group(a_day(max(ceilings)), first, ceilings)


def test_without_relief_or_harm_the_label_is_followed_to_its_end_and_held() -> None:
    assert taken(running(), up_to(CEILINGS), 20) == [*CEILINGS, *[12] * 6]


def test_relief_halts_the_climb() -> None:
    relieved = 10 * thresholds()["relieved_share"] - 0.1
    assert taken(running(nrs=relieved), up_to(CEILINGS), 10) == [1] * 10


def test_people_go_by_what_they_feel() -> None:
    run = running(nrs=10 * thresholds()["relieved_share"] - 0.1)
    run.felt[:, 2:] = 0.2  # a bad stretch begins on the third day
    assert taken(run, Group(a_day(9), 1, (9,) * 9), 6) == [1, 1, 1, 2, 3, 4]


def test_nobody_goes_further_than_they_are_ready_to() -> None:
    run = running(2)
    run.ready = np.array([1e-30, 0.999])
    advance_days(run, [up_to((12,) * 12)], np.zeros(2, int), 12)
    assert [int(units[0]) for units in run.taken] == [1] * 12
    assert run.taken[-1][1] == 12


def test_steps_of_any_size_are_a_share_of_the_day_and_one_unit_at_least() -> None:
    run = running()
    run.limit["raise_by"], run.ready = np.array([0.5]), np.array([1.0])
    group = replace(up_to((30,) * 12, first=1), free=True)
    assert taken(run, group, 9) == [1, 2, 3, 5, 7, 11, 17, 25, 30]


@pytest.mark.parametrize("allowed", [12, 48])
def test_a_share_of_people_is_ready_for_all_that_is_allowed(allowed: int) -> None:
    """Of the others, half are ready for no more than the median of their distribution."""
    limit = {**thresholds(), "to_cap": 0.2, "willing": 5.0, "willing_spread": 0.3}
    limit |= {"cap_share": 0.0, "cap_spread": 0.0}
    most = willing((np.arange(10_000) + 0.5) / 10_000, limit, np.full(10_000, allowed))
    assert np.mean(most == allowed) == pytest.approx(0.2, abs=0.005)
    assert np.median(most[most < allowed]) == 5
    none = willing((np.arange(10_000) + 0.5) / 10_000, {**limit, "to_cap": 0.0}, allowed)
    assert np.log(none).std() == pytest.approx(0.3, abs=0.02)


def test_people_differ_the_more_in_their_doses_the_more_they_may_take() -> None:
    """With the power 1/2: where four times as much is allowed, twice the spread of the logarithm."""
    limit = {**thresholds(), "to_cap": 0.0, "willing": 400.0, "willing_spread": 0.1, "cap_share": 0.0}
    u = (np.arange(10_000) + 0.5) / 10_000
    few, many = (np.log(willing(u, {**limit, "cap_spread": 0.5}, allowed)).std() for allowed in (24, 96))
    assert few == pytest.approx(0.1, abs=0.002)
    assert many == pytest.approx(0.2, abs=0.004)


def test_nobody_goes_beyond_a_dose_that_was_once_too_much_until_they_begin_anew() -> None:
    """The first day was too much; the high is then gone, as in who gets used to it."""
    run = running()
    limit = run.limit["raise_below"][0]
    group = up_to((9,) * 9)
    run.limit["raise_below"] = np.array([-1.0])
    advance_days(run, [group], np.zeros(1, int), 1)
    run.limit["raise_below"] = np.array([limit])
    advance_days(run, [group], np.zeros(1, int), 3, keep_dose=True)
    assert [int(units[0]) for units in run.taken] == [1, 1, 1, 1]
    advance_days(run, [group], np.zeros(1, int), 3)
    assert [int(units[0]) for units in run.taken[4:]] == [1, 2, 3]


def test_harm_between_the_thresholds_holds_and_above_goes_down_to_none() -> None:
    limit = thresholds()
    between = (limit["raise_below"] + limit["lower_above"]) / 2
    relief, ceiling = np.array([1.0]), np.array([12])
    for harm, units in ((between, 3), (limit["lower_above"] + 1, 2)):
        assert next_units(np.array([3]), np.array([harm]), relief, ceiling, limit).tolist() == [units]
    assert taken(running(harm=1e6), up_to((4,) * 6, first=3), 6) == [3, 2, 1, 0, 0, 0]


def test_after_the_labels_days_nobody_goes_up() -> None:
    assert taken(running(), Group(a_day(12), 5, (6, 6)), 4) == [5, 6, 6, 6]


def test_a_fixed_dose_stays() -> None:
    assert taken(running(harm=1e6), Group(a_day(3), 2), 3) == [2, 2, 2]


def test_a_dose_is_kept_through_a_pause_or_begun_anew() -> None:
    for keep, first in ((True, 3), (False, 1)):
        run = running()
        taken(run, up_to((9,) * 9), 3)
        advance_days(run, [up_to((9,) * 9)], np.zeros(1, int), 2, keep_dose=keep)
        assert int(run.taken[3][0]) == first + keep


def test_days_decided_on_one_by_one_are_what_the_equations_say() -> None:
    run = running(3)
    maxima = []
    run.on_day = lambda seen: maxima.append(seen.maximum[:, 0, 0])
    assert taken(run, Group(a_day(2, 10.0), 2), 4) == [2] * 4
    assert (run.means[3][0] == run.means[3][2]).all()
    t = np.linspace(72, 96, 200001)
    total = np.zeros_like(t)
    for start in (24.0 * d + h for d in range(4) for h in (8.0, 20.0)):
        u = np.maximum(t - start, 0)
        total += 10 * KA / (KA - K) * (np.exp(-K * u) - np.exp(-KA * u))
    assert run.means[3][0, 0] == pytest.approx(total.mean(), rel=1e-3)
    assert maxima[3][0] == pytest.approx(total.max(), rel=2e-3)


def test_groups_have_their_own_days_and_placebo_is_without_effect() -> None:
    run = running(4)
    groups = [Group(a_day(2), 2), Group(a_day(2), 2, placebo=True), Group(a_day(0)), Group(a_day(1), 1)]
    advance_days(run, groups, np.arange(4), 1)
    assert [int(units) for units in run.taken[0]] == [2, 2, 0, 1]
    blood = run.means[0][:, 0]
    assert blood[0] > blood[3] > 0
    assert blood[1] == blood[2] == 0
