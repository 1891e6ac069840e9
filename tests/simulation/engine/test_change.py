"""Parameters that change on the way, against closed forms: what they set off is not leapt over."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lissive.model.equations import Equations
from lissive.model.expression import Graph
from lissive.simulation.engine import Doses, Tolerances, build
from lissive.simulation.engine.kernel import Batch

ADD, RATE = range(2)
Table = Callable[..., Doses]
AFTER = np.geomspace(1e-3, 24.0, 40)


def set_(batch: Batch, how: str, **values: float) -> None:
    if how == "give":
        batch.give(values)
    else:
        members = np.arange(len(batch))
        batch.change(members, {name: np.full(len(batch), value) for name, value in values.items()})


@pytest.mark.parametrize("how", ["give", "change"])
@pytest.mark.parametrize("rtol", [1e-6, 1e-4, 1e-2])
@pytest.mark.parametrize("slow", [0.0, 1e-9])
def test_a_rate_that_begins_is_not_leapt_over(
    one_compartment: Equations, dose_table: Table, how: str, rtol: float, slow: float
) -> None:
    kernel = build(one_compartment, ["blood"])
    batch = kernel.start(1, {"ka": slow}, tolerances=Tolerances(rtol=rtol))
    batch.advance(1000.0, dose_table([(0.0, ADD, 0, 100.0)], 1), stop=True)
    set_(batch, how, ka=1e6)
    seen = batch.advance(1024.0, times=1000 + AFTER).values[0, :, 0]
    np.testing.assert_allclose(seen, 100 * np.exp(-0.25 * AFTER), atol=100 * rtol)


@pytest.mark.parametrize("factor", [0.2, 1.3, 5.0, 50.0])
@pytest.mark.parametrize("rtol", [1e-6, 1e-4, 1e-2])
@pytest.mark.parametrize("rate", [10.0, 1e3, 1e6])
def test_an_equilibrium_that_moves_is_not_leapt_over(rate: float, rtol: float, factor: float) -> None:
    """However little the rate changes: the step in place is one that suited when all had settled."""
    g = Graph()
    a, b, on, off = (g.symbol(s) for s in ("a", "b", "on", "off"))
    flow = g.sub(g.mul(on, a), g.mul(off, b))
    model = Equations(
        "pair", g, ("a", "b"), (g.neg(flow), flow), (g.const(0.5),) * 2, {"on": rate, "off": rate}, {"a": a}
    )
    batch = build(model, ["a"]).start(1, tolerances=Tolerances(rtol=rtol))
    batch.advance(1000.0, stop=True)
    batch.give({"on": factor * rate})
    seen = batch.advance(1024.0, times=1000 + AFTER).values[0, :, 0]
    level = 1 / (1 + factor)
    expected = level + (0.5 - level) * np.exp(-(1 + factor) * rate * AFTER)
    np.testing.assert_allclose(seen, expected, atol=rtol)


@pytest.mark.parametrize("jump", [(1e6,), (1e2, 1e4, 1e6), tuple(8.0**k for k in range(1, 8))])
@pytest.mark.parametrize("rtol", [1e-4, 1e-2])
def test_a_dose_that_now_acts_faster_is_not_leapt_over(
    one_compartment: Equations, dose_table: Table, rtol: float, jump: tuple[float, ...]
) -> None:
    """While nothing is there to be taken up, a faster uptake shows in no rate: the dose after it shows it."""
    kernel = build(one_compartment, ["blood"])
    batch = kernel.start(1, {"ka": 0.5}, tolerances=Tolerances(rtol=rtol))
    rows = [(24.0 * day, ADD, 0, 100.0) for day in range(10)]
    batch.advance(2000.0, dose_table(rows, 1), stop=True)
    for at, ka in enumerate(jump, start=1):
        batch.give({"ka": ka})
        batch.advance(2000.0 + at, stop=True)
    now = 2000.0 + len(jump)
    seen = batch.advance(now + 24.0, dose_table([(now, ADD, 0, 100.0)], 1), times=now + AFTER).values[0, :, 0]
    exact = 100 * jump[-1] / (jump[-1] - 0.25) * (np.exp(-0.25 * AFTER) - np.exp(-jump[-1] * AFTER))
    np.testing.assert_allclose(seen, exact, atol=100 * rtol)


@pytest.mark.parametrize("rtol", [1e-4, 1e-2])
def test_an_input_that_now_acts_faster_is_not_leapt_over(
    one_compartment: Equations, dose_table: Table, rtol: float
) -> None:
    kernel = build(one_compartment, ["gut"], ["gut"])
    batch = kernel.start(1, {"ka": 0.5}, tolerances=Tolerances(rtol=rtol))
    batch.advance(2000.0, dose_table([(0.0, RATE, 0, 1.0), (100.0, RATE, 0, -1.0)], 1), stop=True)
    batch.give({"ka": 1e6})
    seen = batch.advance(2024.0, dose_table([(2000.0, RATE, 0, 1e6)], 1), times=2000.0 + AFTER[10:])
    np.testing.assert_allclose(seen.values[0, :, 0], 1.0, atol=100 * rtol)


def test_parameters_that_are_given_again_leave_every_bit(
    one_compartment: Equations, dose_table: Table
) -> None:
    kernel, rows = (
        build(one_compartment, ["blood"]),
        dose_table([(24.0 * i, ADD, 0, 9.0) for i in range(9)], 2),
    )
    runs = []
    for again in (False, True):
        batch = kernel.start(2, {"ka": np.array([1.0, 3.0])})
        batch.advance(100.0, rows, stop=True)
        if again:
            batch.change(np.array([1]), {"ka": np.array([3.0])})
        runs.append(batch.advance(216.0, rows, times=[150.0, 216.0], resume=True).values)
    np.testing.assert_array_equal(*runs)


def test_changes_of_two_parameters_one_after_the_other_both_hold(one_compartment: Equations) -> None:
    def ended(*changes: dict[str, float]) -> np.ndarray:
        batch = build(one_compartment, ["blood"]).start(3, tolerances=Tolerances(rtol=1e-8))
        batch.put(np.array([[100.0, 0.0]] * 3))
        for each in changes:
            batch.change(np.array([0, 2]), {name: np.full(2, value) for name, value in each.items()})
        return batch.advance(10.0, times=[10.0]).values[:, 0, 0]

    np.testing.assert_array_equal(ended({"ka": 0.3}, {"CL": 2.0}), ended({"ka": 0.3, "CL": 2.0}))
