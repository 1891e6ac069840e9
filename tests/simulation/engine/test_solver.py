"""The solver against closed forms, SciPy, dense linear algebra and itself cut into pieces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from lissive.errors import ParameterError, SimulationError
from lissive.model.equations import TIME, Equations
from lissive.model.expression import Graph
from lissive.simulation.engine import STATUS, Doses, Tolerances, build, tableau
from lissive.simulation.engine.plan import elimination

ADD, RATE, RESET, STOP = range(4)
TIGHT = Tolerances(rtol=1e-9)
Table = Callable[..., Doses]


def oral(t: np.ndarray, dose: float, ka: float, cl: float, v: float) -> np.ndarray:
    """Amount in blood after one oral dose at 0: closed form."""
    k = cl / v
    late = np.maximum(t, 0.0)
    return np.where(t >= 0, dose * ka / (ka - k) * (np.exp(-k * late) - np.exp(-ka * late)), 0.0)


def test_repeated_oral_doses_follow_the_closed_form(one_compartment: Equations, dose_table: Table) -> None:
    kernel = build(one_compartment, ["blood", "C"])
    ka = np.linspace(0.5, 3.0, 11)
    rows = [(12.0 * i, ADD, 0, 100.0) for i in range(6)]
    times = np.linspace(0.0, 72.0, 145)
    seen = kernel.start(11, {"ka": ka}, tolerances=TIGHT).advance(72.0, dose_table(rows, 11), times=times)
    want = np.array([sum(oral(times - t, 100.0, x, 5.0, 20.0) for t, *_ in rows) for x in ka])
    np.testing.assert_allclose(seen.values[:, :, 0], want, atol=3e-6)
    np.testing.assert_allclose(seen.values[:, :, 1] * 20.0, seen.values[:, :, 0], rtol=1e-14)


def test_an_infusion_follows_the_closed_form(one_compartment: Equations, dose_table: Table) -> None:
    kernel = build(one_compartment, ["blood"], ["blood"])
    rows = [(1.0, RATE, 0, 10.0), (6.0, RATE, 0, -10.0)]
    times = np.linspace(0.0, 24.0, 49)
    seen = kernel.start(1, tolerances=TIGHT).advance(24.0, dose_table(rows, 1), times=times)
    k = 0.25

    def since(t: np.ndarray) -> np.ndarray:
        return np.where(t > 0, 10.0 / k * (1 - np.exp(-k * np.maximum(t, 0))), 0.0)

    np.testing.assert_allclose(seen.values[0, :, 0], since(times - 1) - since(times - 6), atol=1e-7)


def test_area_maximum_and_minimum_follow_the_closed_form(
    one_compartment: Equations, dose_table: Table
) -> None:
    kernel = build(one_compartment, ["C"])
    seen = kernel.start(1, tolerances=TIGHT).advance(
        400.0, dose_table([(0.0, ADD, 1, 100.0)], 1), edges=[0.0, 4.0, 400.0]
    )
    c0, k = 100.0 / 20.0, 0.25
    widths = np.array([4.0, 396.0])
    area = c0 / k * np.array([1 - np.exp(-4 * k), np.exp(-4 * k) - np.exp(-400 * k)])
    np.testing.assert_allclose(seen.mean[0, :, 0] * widths, area, rtol=1e-7)
    assert area.sum() == pytest.approx(100.0 / 5.0, rel=1e-12)  # AUC = dose / CL
    assert seen.maximum[0, 0, 0] == c0  # the peak is at the very dose
    assert seen.minimum[0, 0, 0] == pytest.approx(c0 * np.exp(-4 * k), rel=1e-7)


def test_a_peak_between_steps_is_found(one_compartment: Equations, dose_table: Table) -> None:
    ka = np.linspace(0.3, 4.0, 23)
    kernel = build(one_compartment, ["blood"])
    seen = kernel.start(23, {"ka": ka}, tolerances=Tolerances(rtol=1e-4)).advance(
        48.0, dose_table([(0.0, ADD, 0, 100.0)], 23), edges=[0.0, 48.0]
    )
    t_max = np.log(ka / 0.25) / (ka - 0.25)
    exact = np.array([oral(t, 100.0, x, 5.0, 20.0) for t, x in zip(t_max, ka, strict=True)])
    np.testing.assert_allclose(seen.maximum[:, 0, 0], exact, rtol=1e-3)
    assert (seen.minimum >= 0).all()


@pytest.mark.slow
def test_a_stiff_problem_agrees_with_scipy(stiff: Equations) -> None:
    kernel = build(stiff, ["a", "b", "c", "sum"])
    times = np.logspace(-3, 5, 33)
    seen = kernel.start(3, {"k1": np.array([0.02, 0.04, 0.08])}, tolerances=Tolerances(rtol=1e-8)).advance(
        1e5, times=times
    )
    for i, k1 in enumerate((0.02, 0.04, 0.08)):

        def rates(_: float, y: np.ndarray, k1: float = k1) -> list[float]:
            back, fast = 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
            return [back - k1 * y[0], k1 * y[0] - back - fast, fast]

        want = solve_ivp(rates, (0, 1e5), [1, 0, 0], "Radau", times, rtol=1e-11, atol=1e-16).y.T
        scale = np.abs(want).max(axis=0)
        np.testing.assert_allclose(seen.values[i, :, :3] / scale, want / scale, atol=1e-6)
    np.testing.assert_allclose(seen.values[:, :, 3], 1.0, rtol=1e-12)  # mass is kept


def test_time_in_the_equations_costs_no_order() -> None:
    g = Graph()
    y, t = g.symbol("y"), g.symbol(TIME)
    forced = Equations("forced", g, ("y",), (g.sub(g.call("sin", t), y),), (g.const(0.0),), {}, {"y": y})
    kernel = build(forced, ["y"])
    at = np.linspace(0.0, 20.0, 41)
    exact = (np.sin(at) - np.cos(at) + np.exp(-at)) / 2

    def error(rtol: float) -> tuple[float, int]:
        batch = kernel.start(1, tolerances=Tolerances(rtol=rtol))
        seen = batch.advance(20.0, times=at)
        return float(np.abs(seen.values[0, :, 0] - exact).max()), int(batch.steps[0])

    (rough, few), (fine, many) = error(1e-4), error(1e-8)
    assert rough < 1e-3
    assert fine < 1e-7
    assert many / few < 20  # order 4: ten thousand times finer for some ten times the steps


def test_a_split_run_gives_the_same_bits(stiff: Equations, dose_table: Table) -> None:
    kernel = build(stiff, ["a", "b"], ["a"])
    rows = [(3.0, ADD, 0, 1.0), (5.0, RATE, 0, 0.25), (9.5, RATE, 0, -0.25), (20.0, RESET, -1, 0.0)]
    doses, k1 = dose_table(rows, 5), np.linspace(0.01, 0.1, 5)
    times, edges = np.linspace(0.0, 30.0, 61), np.array([0.0, 7.0, 12.0, 30.0])
    whole = kernel.start(5, {"k1": k1})
    all_at_once = whole.advance(30.0, doses, times=times, edges=edges)
    cut = kernel.start(5, {"k1": k1})
    parts, previous = [], 0.0
    for k, until in enumerate((7.0, 12.0, 30.0)):
        mine = times[(times >= previous) & ((times < until) | (until == 30.0))]
        parts.append(cut.advance(until, doses, times=mine, edges=edges[k : k + 2], resume=k > 0))
        previous = until
    np.testing.assert_array_equal(np.concatenate([p.values for p in parts], axis=1), all_at_once.values)
    np.testing.assert_array_equal(np.concatenate([p.mean for p in parts], axis=1), all_at_once.mean)
    np.testing.assert_array_equal(cut.y, whole.y)
    np.testing.assert_array_equal(cut.steps, whole.steps)


def test_feedback_at_stops_equals_the_same_doses_known_beforehand(
    one_compartment: Equations, dose_table: Table
) -> None:
    kernel = build(one_compartment, ["blood"])
    known = [(24.0 * d + 8.0, ADD, 0, 10.0 * d) for d in range(5)]
    stops = [(24.0 * (d + 1), STOP, -1, 0.0) for d in range(5)]
    open_loop = kernel.start(3)
    seen = open_loop.advance(120.0, dose_table(sorted(known + stops), 3), times=24.0 * np.arange(1, 6))
    closed = kernel.start(3)
    daily = [
        closed.advance(24.0 * (d + 1), dose_table([known[d]], 3), times=[24.0 * (d + 1)], stop=True).values
        for d in range(5)
    ]
    np.testing.assert_array_equal(np.concatenate(daily, axis=1), seen.values)


def many(equations: Equations, table: Table, order: np.ndarray, threads: int, lanes: int) -> np.ndarray:
    k1 = np.geomspace(0.005, 0.5, 40)[order]
    kernel = build(equations, ["a", "b", "c"], lanes=lanes)
    doses = table([(float(t), ADD, 0, 0.5) for t in range(1, 20)], len(order), scale=10 * k1)
    return (
        kernel.start(len(order), {"k1": k1}).advance(20.0, doses, times=[5.0, 20.0], threads=threads).values
    )


def test_order_threads_and_register_width_change_nothing_to_the_bit(
    stiff: Equations, dose_table: Table
) -> None:
    natural = many(stiff, dose_table, np.arange(40), 1, 4)
    shuffled = np.random.default_rng(3).permutation(40)
    np.testing.assert_array_equal(many(stiff, dose_table, shuffled, 1, 4), natural[shuffled])
    np.testing.assert_array_equal(many(stiff, dose_table, np.arange(40), 2, 4), natural)
    np.testing.assert_array_equal(many(stiff, dose_table, np.arange(40), 1, 8), natural)
    np.testing.assert_array_equal(many(stiff, dose_table, np.arange(7), 1, 4), natural[:7])


def test_a_subject_that_fails_is_named_and_disturbs_nobody(stiff: Equations) -> None:
    kernel = build(stiff, ["a"])
    k1 = np.full(9, 0.04)
    good = kernel.start(9, {"k1": k1}).advance(100.0, times=[100.0], edges=[0.0, 100.0])
    k1[4] = np.nan
    batch = kernel.start(9, {"k1": k1})
    seen = batch.advance(100.0, times=[100.0], edges=[0.0, 100.0])
    assert batch.status.tolist() == [0, 0, 0, 0, 3, 0, 0, 0, 0]
    assert "not a number" in STATUS[3]
    assert np.isnan(seen.values[4]).all()
    assert np.isnan(seen.mean[4]).all()
    others = np.arange(9) != 4
    np.testing.assert_array_equal(seen.values[others], good.values[others])


def test_a_solution_that_blows_up_ends_with_a_status() -> None:
    g = Graph()
    y = g.symbol("y")
    blow_up = Equations("blow_up", g, ("y",), (g.mul(y, y),), (g.const(1.0),), {}, {"y": y})
    batch = build(blow_up, ["y"]).start(1)
    seen = batch.advance(2.0, times=[0.5, 2.0])
    assert batch.status[0] in (1, 2, 3)
    assert seen.values[0, 0, 0] == pytest.approx(2.0, rel=1e-3)  # what came before stands
    assert np.isnan(seen.values[0, 1, 0])


def test_too_many_steps_is_said(stiff: Equations) -> None:
    batch = build(stiff, ["a"]).start(1, tolerances=Tolerances(max_steps=5))
    batch.advance(1000.0)
    assert STATUS[int(batch.status[0])].startswith("took more steps")


def test_one_step_is_what_dense_linear_algebra_gives(stiff: Equations) -> None:
    """The unrolled sparse LU step of the first step against the method's formula with NumPy's dense solve."""
    h = 1e-3
    k = stiff.parameters

    def rates(y: np.ndarray) -> np.ndarray:
        back, fast, slow = k["k3"] * y[1] * y[2], k["k2"] * y[1] ** 2, k["k1"] * y[0]
        return np.array([back - slow, slow - back - fast, fast])

    def jacobian(y: np.ndarray) -> np.ndarray:
        b, c = k["k3"] * y[2], k["k3"] * y[1]
        f = 2 * k["k2"] * y[1]
        return np.array([[-k["k1"], b, c], [k["k1"], -b - f, -c], [0, f, 0]])

    y0 = np.array([1.0, 0.0, 0.0])
    m = np.eye(3) / (h * tableau.GAMMA) - jacobian(y0)
    u: list[np.ndarray] = []
    y = y0
    for a, c in zip(tableau.A, tableau.C, strict=True):
        y = y0 + sum((w * x for w, x in zip(a, u, strict=True)), np.zeros(3))
        right = rates(y) + sum((w * x for w, x in zip(c, u, strict=True)), np.zeros(3)) / h
        u.append(np.linalg.solve(m, right))
    want = y + u[-1]
    batch = build(stiff, ["a"]).start(1, tolerances=Tolerances(rtol=0.1, atol=1e9, first_step=h))
    batch.advance(h, stop=True)
    assert batch.steps[0] == 1
    np.testing.assert_allclose(batch.y[0], want, rtol=1e-11)


@settings(max_examples=50)
@given(st.integers(1, 12), st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=40))
def test_elimination_fills_in_just_where_numbers_can_arise(n: int, places: set[tuple[int, int]]) -> None:
    pattern = {(i % n, j % n) for i, j in places}
    order, filled = elimination(n, pattern)
    assert sorted(order) == list(range(n))
    rng = np.random.default_rng(0)
    m = np.eye(n) * 50
    for i, j in pattern:
        m[i, j] += rng.uniform(0.5, 1.0)
    for a, k in enumerate(order):
        for i in order[a + 1 :]:
            m[i, k] /= m[k, k]
            for j in order[a + 1 :]:
                m[i, j] -= m[i, k] * m[k, j]
    assert {(int(i), int(j)) for i, j in np.argwhere(m != 0)} <= filled


def test_mistakes_are_refused_by_name(one_compartment: Equations) -> None:
    with pytest.raises(SimulationError, match='"bloood" is not a quantity.*Did you mean blood'):
        build(one_compartment, ["bloood"])
    kernel = build(one_compartment, ["blood"])
    with pytest.raises(ParameterError, match="KA is not a parameter.*Allowed: ka, CL, V"):
        kernel.start(1, {"KA": 1.0})
    with pytest.raises(SimulationError, match="times run from 5 to 3"):
        kernel.start(1).advance(10.0, times=[5.0, 3.0])
    batch = kernel.start(1)
    batch.advance(10.0)
    with pytest.raises(SimulationError, match="edges run from 5"):
        batch.advance(20.0, edges=[5.0, 12.0])


def test_a_lane_that_failed_leaves_nothing_to_the_next_subject(stiff: Equations) -> None:
    k1 = np.full(40, 0.04)
    k1[3] = np.nan
    batch = build(stiff, ["a", "b"], lanes=4).start(40, {"k1": k1})
    seen = batch.advance(10.0, times=[0.0, 10.0])
    good = np.arange(40) != 3
    assert (batch.status[good] == 0).all()
    assert np.isfinite(seen.values[good]).all()


@pytest.mark.parametrize("power", [0.3, 0.8, 1.0, 2.5])
def test_a_root_may_begin_at_zero(power: float) -> None:
    g = Graph()
    c, e, n = g.symbol("c"), g.symbol("e"), g.symbol("n")
    hill = g.pow(c, n)
    effect = g.sub(g.div(hill, g.add(g.const(1.0), hill)), e)
    model = Equations("hill", g, ("c", "e"), (g.neg(c), effect), (g.const(0.0),) * 2, {"n": power}, {"e": e})
    batch = build(model, ["e"]).start(1)
    rows = Doses(
        *(np.array([x]) for x in (1.0, 0, 0, 2.0)), np.array([0, 1]), *(np.array([x]) for x in (0, 1.0, 0.0))
    )
    seen = batch.advance(5.0, rows, times=[0.5, 5.0])
    assert batch.status[0] == 0

    def rates(t: float, y: np.ndarray) -> list[float]:
        h = max(y[0], 0.0) ** power
        return [-y[0], h / (1 + h) - y[1]]

    want = solve_ivp(rates, (1, 5), [2.0, 0.0], "Radau", rtol=1e-10, atol=1e-12).y[1, -1]
    assert seen.values[0, :, 0] == pytest.approx([0.0, want], abs=1e-4)


def test_what_does_not_move_to_a_moving_power_agrees_with_scipy() -> None:
    """2^x and p^x: nothing has to be remembered of a base that is the same throughout a step."""
    g = Graph()
    x, p = g.symbol("x"), g.symbol("p")
    rate = g.sub(g.mul(g.const(0.05), g.pow(p, x)), g.mul(g.const(0.1), g.pow(g.const(2.0), x)))
    model = Equations("power", g, ("x",), (rate,), (g.const(1.0),), {"p": 3.0}, {"x": x})
    bases = np.array([1.5, 3.0, 0.2])
    seen = build(model, ["x"]).start(3, {"p": bases}, tolerances=TIGHT).advance(2.0, times=[2.0])
    for base, found in zip(bases, seen.values[:, 0, 0], strict=True):
        want = solve_ivp(
            lambda _, y, p=base: 0.05 * p**y - 0.1 * 2.0**y, (0, 2), [1.0], "DOP853", rtol=1e-12, atol=1e-13
        )
        assert found == pytest.approx(want.y[0, -1], rel=1e-8)


def test_a_table_that_points_outside_is_refused(one_compartment: Equations, dose_table: Table) -> None:
    batch = build(one_compartment, ["blood"]).start(2)
    for rows in ([(0.0, ADD, 2, 1.0)], [(0.0, ADD, -1, 1.0)], [(0.0, RATE, 0, 1.0)]):
        with pytest.raises(SimulationError, match="does not fit the model"):
            batch.advance(1.0, dose_table(rows, 2))
    with pytest.raises(SimulationError, match="does not fit the model"):
        batch.advance(1.0, dose_table([(0.0, ADD, 0, 1.0)], 3))
    batch.advance(1.0)
    with pytest.raises(SimulationError, match="until is 0.5"):
        batch.advance(0.5)


def timed(condition: Callable[[Graph, int], int], parameters: dict[str, float] | None = None) -> Equations:
    """x' = (5 where the condition holds, else 0) - x/10, x(0) = 10."""
    g = Graph()
    x, t = g.symbol("x"), g.symbol(TIME)
    rate = g.sub(g.select(condition(g, t), g.const(5.0), g.const(0.0)), g.mul(g.const(0.1), x))
    return Equations("timed", g, ("x",), (rate,), (g.const(10.0),), parameters or {}, {"x": x})


def driven(t: np.ndarray, on: list[tuple[float, float]]) -> np.ndarray:
    """Closed form of `timed` for a condition that holds in these spans."""
    x = 10 * np.exp(-0.1 * t)
    for a, b in on:
        x += np.where(t > a, 50 * (1 - np.exp(-0.1 * np.maximum(t - a, 0))), 0)
        x -= np.where(t > b, 50 * (1 - np.exp(-0.1 * np.maximum(t - b, 0))), 0)
    return x


@pytest.mark.parametrize("rtol", [1e-4, 1e-8])
def test_a_pulse_on_time_is_not_stepped_over(rtol: float) -> None:
    model = timed(
        lambda g, t: g.logic(
            "and", g.compare("ge", t, g.symbol("a")), g.compare("lt", t, g.add(g.symbol("a"), g.const(1.0)))
        ),
        {"a": 24.0},
    )
    at, begins = np.linspace(0, 48, 49), np.array([24.0, 3.3, 40.0])
    batch = build(model, ["x"]).start(3, {"a": begins}, tolerances=Tolerances(rtol=rtol))
    got = batch.advance(48.0, times=at, edges=[0.0, 48.0])
    for k, a in enumerate(begins):
        np.testing.assert_allclose(got.values[k, :, 0], driven(at, [(a, a + 1)]), atol=20 * rtol)


def test_a_periodic_condition_that_is_not_linear_is_found() -> None:
    def day(g: Graph, t: int) -> int:
        return g.compare("gt", g.call("sin", g.mul(t, g.const(2 * np.pi / 24))), g.const(0.0))

    at = np.linspace(0, 96, 97)
    got = build(timed(day), ["x"]).start(1, tolerances=Tolerances(rtol=1e-8)).advance(96.0, times=at)
    want = driven(at, [(24.0 * d, 24.0 * d + 12) for d in range(4)])
    np.testing.assert_allclose(got.values[0, :, 0], want, atol=1e-5)


def test_switches_do_not_spoil_a_split_run() -> None:
    def third(g: Graph, t: int) -> int:
        hours = g.sub(t, g.mul(g.const(3.0), g.call("floor", g.mul(t, g.const(1 / 3)))))
        return g.compare("lt", hours, g.const(1.0))

    kernel, at = build(timed(third), ["x"]), np.linspace(0, 30, 61)
    whole = kernel.start(1).advance(30.0, times=at)
    cut = kernel.start(1)
    spans = ((0.0, 10.0), (10.5, 20.0), (20.5, 30.0))
    parts = [cut.advance(b, times=at[(at >= a) & (at <= b)]) for a, b in spans]
    np.testing.assert_array_equal(np.concatenate([p.values for p in parts], axis=1), whole.values)
    np.testing.assert_allclose(
        whole.values[0, :, 0], driven(at, [(3.0 * k, 3.0 * k + 1) for k in range(11)]), atol=1e-2
    )


@pytest.mark.parametrize("rtol", [1e-4, 1e-2])
@pytest.mark.parametrize("before", [0.0, 1e-9])
def test_a_dose_after_next_to_nothing_is_not_leapt_over(
    one_compartment: Equations, dose_table: Table, before: float, rtol: float
) -> None:
    """Doses of nothing (a placebo's) say nothing of how long the first step after a real one may be."""
    kernel = build(one_compartment, ["blood"])
    rows = [
        (0.0, ADD, 0, 100.0),
        *((1000.0 + 24 * i, ADD, 0, before) for i in range(20)),
        (1480.0, ADD, 0, 100.0),
    ]
    after = np.geomspace(1e-3, 24.0, 40)
    batch = kernel.start(1, {"ka": 1e6}, tolerances=Tolerances(rtol=rtol))
    seen = batch.advance(1504.0, dose_table(rows, 1), times=1480.0 + after)
    old = sum(x * oral(1480.0 + after - t, 1.0, 1e6, 5.0, 20.0) for t, _, _, x in rows[:-1])
    np.testing.assert_allclose(
        seen.values[0, :, 0], old + oral(after, 100.0, 1e6, 5.0, 20.0), atol=100 * rtol
    )


@pytest.mark.parametrize("rtol", [1e-4, 1e-2])
def test_an_infusion_after_next_to_nothing_is_not_leapt_over(
    one_compartment: Equations, dose_table: Table, rtol: float
) -> None:
    kernel = build(one_compartment, ["gut"], ["gut"])
    nothing = [(1000.0 + 24 * i, RATE, 0, 1e-9 * (-1) ** i) for i in range(20)]
    batch = kernel.start(1, {"ka": 1e6}, tolerances=Tolerances(rtol=rtol))
    rows = [(0.0, ADD, 0, 100.0), *nothing, (1480.0, RATE, 0, 1e6)]
    seen = batch.advance(1504.0, dose_table(rows, 1), times=1480.0 + np.geomspace(1e-2, 24.0, 40))
    np.testing.assert_allclose(seen.values[0, :, 0], 1.0, atol=100 * rtol)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("rtol", [1e-6, 1e-4, 1e-2])
def test_a_fast_dose_beside_a_slow_one_is_not_leapt_over(dose_table: Table, rtol: float, first: int) -> None:
    """A slow dose given alone for weeks, then a fast one at the same time: the shorter step of the two suits."""
    g = Graph()
    fast, slow, blood = (g.symbol(s) for s in ("fast", "slow", "blood"))
    gone, slowly = g.mul(g.const(1e6), fast), g.mul(g.const(0.05), slow)
    rates = (g.neg(gone), g.neg(slowly), g.sub(gone, g.mul(g.const(0.25), blood)))
    model = Equations("two", g, ("fast", "slow", "blood"), rates, (g.const(0.0),) * 3, {}, {"blood": blood})
    both = (0, 24, 696)
    targets = {24 * day: (first, 1 - first) if 24 * day in both else (1,) for day in range(30)}
    rows = [(float(t), ADD, each, 100.0) for t, given in targets.items() for each in given]
    times = 696 + np.geomspace(1e-3, 24.0, 40)
    batch = build(model, ["blood"]).start(1, tolerances=Tolerances(rtol=rtol))
    seen = batch.advance(720.0, dose_table(rows, 1), times=times).values[0, :, 0]
    np.testing.assert_allclose(seen, sum(100 * np.exp(-0.25 * (times - t)) for t in both), atol=100 * rtol)
