"""Small models for the solver's tests, written as equations without any file."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lissive.model.equations import Equations
from lissive.model.expression import Graph
from lissive.simulation.engine import Doses


@pytest.fixture
def one_compartment() -> Equations:
    """Gut and blood: ka, CL, V; amounts."""
    g = Graph()
    gut, blood, ka, cl, v = (g.symbol(s) for s in ("gut", "blood", "ka", "CL", "V"))
    absorbed = g.mul(ka, gut)
    out = g.mul(g.div(cl, v), blood)
    return Equations(
        "one_compartment",
        g,
        ("gut", "blood"),
        (g.neg(absorbed), g.sub(absorbed, out)),
        (g.const(0.0), g.const(0.0)),
        {"ka": 1.2, "CL": 5.0, "V": 20.0},
        {"gut": gut, "blood": blood, "C": g.div(blood, v)},
    )


@pytest.fixture
def stiff() -> Equations:
    """Robertson's kinetics with an input and a dose target: three states, rates from 4e-2 to 3e7."""
    g = Graph()
    a, b, c = (g.symbol(s) for s in "abc")
    k1, k2, k3 = (g.symbol(s) for s in ("k1", "k2", "k3"))
    slow = g.mul(k1, a)
    fast = g.mul(k2, g.mul(b, b))
    back = g.mul(k3, g.mul(b, c))
    return Equations(
        "robertson",
        g,
        ("a", "b", "c"),
        (g.sub(back, slow), g.sub(g.sub(slow, back), fast), fast),
        (g.const(1.0), g.const(0.0), g.const(0.0)),
        {"k1": 0.04, "k2": 3e7, "k3": 1e4},
        {"a": a, "b": b, "c": c, "sum": g.add(a, g.add(b, c))},
    )


@pytest.fixture
def dose_table() -> Callable[..., Doses]:
    """One schedule for all: rows of (time, action, target, value)."""

    def make(rows: list[tuple[float, int, int, float]], subjects: int, scale: object = 1.0) -> Doses:
        time, action, target, value = (np.array(c) for c in zip(*rows, strict=True))
        return Doses(
            time.astype(float),
            action.astype(np.int64),
            target.astype(np.int64),
            value.astype(float),
            np.array([0, len(rows)]),
            np.zeros(subjects, dtype=np.int64),
            np.broadcast_to(np.asarray(scale, dtype=float), subjects).copy(),
            np.zeros(subjects),
        )

    return make
