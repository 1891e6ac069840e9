"""One attempted step as LLVM IR: what a model computes is written out once, what a method combines is a loop.

    step(Y, K, R, SEEN, T, H, TOL, YN, D1, D2, ERR, S)   one attempted step for all lanes

It calls `begin` (rates and Jacobian at the step's start), `factor` (LU), `solve`, and for each further stage
`stage` (rates at the stage's state, then the same solve). S is its scratch memory, laid out by `Space`.
The machine code is short so and stays in the processor's first cache, which a step written out whole would not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from lissive.simulation.engine import tableau
from lissive.simulation.engine.factor import Place, Rows, by_loops, elimination_rows, factor
from lissive.simulation.engine.ir import Function
from lissive.simulation.engine.plan import Plan
from lissive.simulation.engine.values import Begin, Evaluator, evaluator, moved, slope

STAGES = len(tableau.A)


@dataclass(frozen=True)
class Space:
    """Rows of the scratch memory."""

    time: int
    """Of the stage; the next row is the weight of the slopes in time."""
    factors: dict[Place, int]
    begun: dict[int, int]
    """Nodes whose value at the step's start each stage asks for: what a root is taken of."""
    slopes: dict[int, int]
    """States to h times their rate's derivative by time, where that is not 0."""
    inverse_h: int
    state: int
    """First row of the stage's state."""
    right: int
    """First row of the stage's right side, as far as it rests on earlier stages."""
    stages: int
    """First row of the stages."""
    rows: int


def space(plan: Plan) -> Space:
    n, row = len(plan.states), count()
    g = plan.graph
    once = set(plan.once)
    roots = {g.args(e)[0] for e in moved(g, plan.rates, once) if g.nodes[e][0] in ("pow", "sqrt")}
    made = sorted(roots - once)
    time = next(row)
    next(row)
    inverse_h = next(row)
    factors = {place: next(row) for place in sorted(plan.filled)}
    begun = {e: next(row) for e in made}
    slopes = {i: next(row) for i, e in enumerate(plan.time_slopes) if g.value(e) != 0.0}
    first = next(row)
    return Space(
        time, factors, begun, slopes, inverse_h, first, first + n, first + 2 * n, first + (2 + STAGES) * n
    )  # fmt: skip


def step_functions(plan: Plan, lanes: int, start: Begin) -> list[Function]:
    s, rows = space(plan), elimination_rows(plan)
    factors = factor(plan, s.factors, rows, lambda name: start(name, ["S"], lanes))
    return [
        _begin(plan, s, rows, start("begin", ["Y", "K", "R", "T", "H", "S"], lanes)),
        *factors,
        _solve(plan, s, rows, start("solve", ["S", "U"], lanes)),
        _stage(plan, s, rows, start("stage", ["Y", "K", "R", "S", "U"], lanes)),
        _step(plan, s, factors, start("step", ["Y", "K", "R", "SEEN", "T", "H", "TOL", "YN", "D", "ERR", "S"], lanes)),
    ]  # fmt: skip


def _begin(plan: Plan, s: Space, rows: Rows, f: Function) -> Function:
    y = [f.load("Y", i) for i in range(len(plan.states))]
    t, h = f.load("T", 0), f.load("H", 0)
    inverse_h = f.div(f.const(1.0), h)
    diagonal = f.mul(inverse_h, f.const(1.0 / tableau.GAMMA))
    at = evaluator(plan, f, y, t)
    if by_loops(rows):  # else places that fill in are not read before they are written
        _clear_factors(f, s)
    f.store(inverse_h, "S", s.inverse_h)
    for i, row in s.slopes.items():
        f.store(f.mul(h, slope(plan, at, plan.time_slopes[i])), "S", row)
    for place, row in s.factors.items():
        entry = plan.jacobian.get(place)
        value = None if entry is None else slope(plan, at, entry)
        if place[0] == place[1]:
            f.store(diagonal if value is None else f.sub(diagonal, value), "S", row)
        elif value is not None:
            f.store(f.neg(value), "S", row)
    at.costly(plan.rates)
    for i in plan.order:
        f.store(_right(plan, s, f, at, i, f.const(tableau.TIME_SLOPE[0])), "S", s.right + i)
    for e, row in s.begun.items():
        f.store(at.value(e), "S", row)
    return f


def _clear_factors(f: Function, s: Space) -> None:
    first = f.place("S", min(s.factors.values()))

    def clear(at: Callable[[str], str]) -> tuple[()]:
        f.store(f.const(0.0), at(first), 0)
        return ()

    f.loop(len(s.factors), clear)


def _right(plan: Plan, s: Space, f: Function, at: Evaluator, i: int, weight: str) -> str:
    """The rate of state `i`, with its input, and what its slope in time adds."""
    value = at.value(plan.rates[i])
    if i in plan.inputs:
        value = f.add(value, f.load("R", plan.inputs.index(i)))
    if i in s.slopes:
        value = f.fma(weight, f.load("S", s.slopes[i]), value)
    return value


def _substitute(plan: Plan, s: Space, rows: Rows, f: Function, right: Callable[[int], str]) -> None:
    """Solve with the factors; each right side just before it is used, which keeps it in a register."""
    x = [""] * len(plan.states)
    for i in plan.order:
        value = right(i)
        for j in rows.before[i]:
            value = f.sub(value, f.mul(f.load("S", s.factors[i, j]), x[j]))
        x[i] = value
    for i in reversed(plan.order):
        for j in rows.after[i]:
            x[i] = f.sub(x[i], f.mul(f.load("S", s.factors[i, j]), x[j]))
        x[i] = f.mul(x[i], f.load("S", s.factors[i, i]))
        f.store(x[i], "U", i)


def _solve(plan: Plan, s: Space, rows: Rows, f: Function) -> Function:
    _substitute(plan, s, rows, f, lambda i: f.load("S", s.right + i))
    return f


def _stage(plan: Plan, s: Space, rows: Rows, f: Function) -> Function:
    y = [f.load("Y", i) for i in range(len(plan.states))]

    def begun(e: int) -> str:  # what does not move is now what it was
        return f.load("S", s.begun[e]) if e in s.begun else at.value(e)

    at = evaluator(plan, f, y, f.load("S", s.time), begun=begun)
    inverse_h, weight = f.load("S", s.inverse_h), f.load("S", s.time + 1)
    at.costly(plan.rates)

    def right(i: int) -> str:
        return f.fma(inverse_h, f.load("S", s.right + i), _right(plan, s, f, at, i, weight))

    if by_loops(rows):  # a long model: what solves is written out once
        for i in plan.order:
            f.store(right(i), "S", s.right + i)
        f.call("solve", "S", "U")
    else:
        _substitute(plan, s, rows, f, right)
    return f


def _combine(f: Function, start: str, weights: Sequence[float], terms: Sequence[str]) -> str:
    for w, x in zip(weights, terms, strict=True):
        start = f.add(start, x) if w == 1.0 else f.fma(f.const(w), x, start)
    return start


def _sum(f: Function, weights: Sequence[float], terms: Sequence[str]) -> str:
    return _combine(f, f.mul(f.const(weights[0]), terms[0]), weights[1:], terms[1:])


def _step(plan: Plan, s: Space, factors: Sequence[Function], f: Function) -> Function:
    n = len(plan.states)
    f.call("begin", "Y", "K", "R", "T", "H", "S")
    for part in factors:
        f.call(part.name, "S")
    stage = [f.place("S", s.stages + q * n) for q in range(STAGES)]
    state, right = f.place("S", s.state), f.place("S", s.right)
    f.call("solve", "S", stage[0])
    t, h = f.load("T", 0), f.load("H", 0)
    for q in range(1, STAGES):
        f.store(f.fma(f.const(tableau.ALPHA[q]), h, t) if s.slopes else t, "S", s.time)
        f.store(f.const(tableau.TIME_SLOPE[q]), "S", s.time + 1)

        def combine(at: Callable[[str], str], q: int = q) -> tuple[()]:
            terms = [f.load(at(stage[p]), 0) for p in range(q)]
            f.store(_combine(f, f.load(at("Y"), 0), tableau.A[q], terms), at(state), 0)
            f.store(_sum(f, tableau.C[q], terms), at(right), 0)
            return ()

        f.loop(n, combine)
        f.call("stage", state, "K", "R", "S", stage[q])
    dense = [f.place("D", k * n) for k in range(len(tableau.DENSE))]
    rtol, atol, share = (f.splat("TOL", k) for k in range(3))

    def finish(at: Callable[[str], str], total: str) -> tuple[str]:
        terms = [f.load(at(each), 0) for each in stage]
        new = f.add(f.load(at(state), 0), terms[-1])
        f.store(new, at("YN"), 0)
        for place, weights in zip(dense, tableau.DENSE, strict=True):
            f.store(_sum(f, weights, terms[: len(weights)]), at(place), 0)
        size = f.max(f.abs(f.load(at("Y"), 0)), f.abs(new))
        size = f.max(size, f.mul(share, f.load(at("SEEN"), 0)))
        # single precision is enough for a weight; the bounds keep it a finite number there
        bounded = f.min(f.max(f.fma(rtol, size, atol), f.const(1e-30)), f.const(1e37))
        part = f.mul(terms[-1], f.rough_reciprocal(bounded))
        return (f.fma(part, part, total),)

    (total,) = f.loop(n, finish, f.const(0.0))
    moving = n - len(plan.still)
    error = f.intrinsic("sqrt", f.mul(total, f.const(1.0 / max(moving, 1))))
    f.store(error, "ERR", 0)
    f.store(f.exp(f.mul(f.log(error), f.const(-1.0 / tableau.ORDER))), "ERR", 1)
    return f
