"""The expression graph: sharing, folding, and derivatives against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lissive.model.expression import Graph

SMOOTH = "exp log sqrt sin cos tan atan sinh cosh tanh asinh".split()
BINARY = "add sub mul div pow".split()
_COMPLEX = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.power,
    "neg": np.negative, "atan": np.arctan, "asinh": np.arcsinh,
}  # fmt: skip


@st.composite
def expressions(draw: st.DrawFn) -> tuple[Graph, int]:
    """A smooth expression of x and y, built at random."""
    g = Graph()
    pool = [g.symbol("x"), g.symbol("y"), g.const(2.0), g.const(0.5)]
    for _ in range(draw(st.integers(1, 8))):
        pick = st.sampled_from(pool)
        if draw(st.booleans()):
            pool.append(getattr(g, draw(st.sampled_from(BINARY)))(draw(pick), draw(pick)))
        else:
            pool.append(g.call(draw(st.sampled_from(SMOOTH)), draw(pick)))
    return g, pool[-1]


def complex_value(g: Graph, root: int, x: complex, y: complex) -> complex:
    values: dict[int, complex] = {}
    for e in g.reachable([root]):
        op, *args = g.nodes[e]
        if op == "const":
            values[e] = complex(args[0])
        elif op == "sym":
            values[e] = {"x": x, "y": y}[args[0]]
        else:
            function = _COMPLEX.get(op) or getattr(np, op)
            values[e] = complex(function(*(np.complex128(values[a]) for a in args)))
    return values[root]


@settings(max_examples=300)
@given(expressions(), st.floats(0.2, 3.0), st.floats(0.2, 3.0))
def test_a_derivative_equals_the_complex_step(built: tuple[Graph, int], x: float, y: float) -> None:
    g, e = built
    with np.errstate(all="ignore"):
        at = complex_value(g, e, complex(x), complex(y))
        step = complex_value(g, e, complex(x, 1e-30), complex(y)).imag / 1e-30
    if not np.isfinite(at) or at.imag != 0.0 or not 1e-8 < abs(at) < 1e8 or not abs(step) < 1e8:
        return  # outside the real, or where rounding decides
    slope = float(g.evaluate([g.diff(e, g.symbol("x"))], {"x": x, "y": y})[0])
    assert slope == pytest.approx(step, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("function", ["asin", "acos", "atanh", "acosh", "abs", "floor", "ceil"])
def test_the_other_slopes_equal_finite_differences(function: str) -> None:
    g = Graph()
    x = g.symbol("x")
    e, at, h = g.call(function, x), 1.7 if function == "acosh" else 0.3, 1e-6
    low, high = (float(g.evaluate([e], {"x": at + d})[0]) for d in (-h, h))
    assert float(g.evaluate([g.diff(e, x)], {"x": at})[0]) == pytest.approx((high - low) / (2 * h), abs=1e-6)


def test_the_slope_of_a_choice_is_that_of_the_branch_taken() -> None:
    g = Graph()
    x, y = g.symbol("x"), g.symbol("y")
    e = g.select(g.compare("lt", x, y), g.mul(x, x), g.max(x, g.mul(y, x)))
    slope = g.diff(e, x)
    values = [float(g.evaluate([slope], {"x": a, "y": b})[0]) for a, b in ((1, 2), (3, 2), (3, 0.5))]
    assert values == [2.0, 2.0, 1.0]


def test_equal_expressions_are_one_node() -> None:
    g = Graph()
    x, y = g.symbol("x"), g.symbol("y")
    assert g.add(x, y) == g.add(y, x)
    assert g.mul(g.call("exp", x), y) == g.mul(y, g.call("exp", x))
    assert g.sub(x, y) != g.sub(y, x)
    assert g.compare("gt", x, y) == g.compare("lt", y, x)


def test_constants_are_folded_and_neutral_elements_vanish() -> None:
    g = Graph()
    x, zero, one = g.symbol("x"), g.const(0.0), g.const(1.0)
    assert [g.add(x, zero), g.mul(x, one), g.div(x, one), g.pow(x, one), g.neg(g.neg(x))] == [x] * 5
    assert g.value(g.mul(x, zero)) == 0.0
    assert g.value(g.pow(g.const(2.0), g.const(10.0))) == 1024.0
    assert g.value(g.call("log", one)) == 0.0
    assert g.value(g.select(g.compare("lt", zero, one), g.const(5.0), x)) == 5.0
    assert g.const(-0.0) == zero


@given(st.floats(0.1, 5.0), st.sampled_from([-3.0, -2.5, -1.0, -0.5, 0.0, 0.5, 1.5, 2.0, 3.0, 7.0, 7.5, 8.0]))
def test_small_powers_by_multiplication_are_the_power(x: float, p: float) -> None:
    g = Graph()
    e = g.pow(g.symbol("x"), g.const(p))
    assert all(g.nodes[n][0] != "pow" for n in g.reachable([e]))
    assert float(g.evaluate([e], {"x": x})[0]) == pytest.approx(x**p, rel=1e-13)


def test_arguments_come_before_what_uses_them() -> None:
    g = Graph()
    x = g.symbol("x")
    e = g.div(g.call("exp", g.add(x, g.const(1.0))), g.call("sqrt", x))
    g.diff(e, x)
    assert all(a < n for n in range(len(g.nodes)) for a in g.args(n))


def test_substitution_replaces_symbols_and_folds_again() -> None:
    g = Graph()
    x, y = g.symbol("x"), g.symbol("y")
    e = g.select(g.compare("le", x, y), g.ratio(x, y), g.min(x, y))
    new = g.substitute([e], {"x": g.const(6.0), "y": g.const(8.0)})
    assert g.value(new[0]) == 0.75
    assert g.symbols(g.substitute([e], {"y": g.symbol("z")})) == {"x", "z"}


def test_a_ratio_is_rounded_once() -> None:
    g = Graph()
    e = g.call("floor", g.ratio(g.symbol("x"), g.symbol("y")))
    assert float(g.evaluate([e], {"x": 49.0, "y": 49.0})[0]) == 1.0
    assert float(g.evaluate(g.substitute([e], {"x": g.symbol("z")}), {"z": 49.0, "y": 49.0})[0]) == 1.0
