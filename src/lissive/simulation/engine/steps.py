"""One attempted step as LLVM IR: what a model computes is written out once, what a method combines is a loop.

    step(Y, K, R, SEEN, T, H, TOL, YN, D1, D2, ERR, S)   one attempted step for all lanes

It calls `begin` (rates and Jacobian at the step's start), `factor` (LU), `solve`, and for each further stage
`stage` (rates at the stage's state, then the same solve). S is its scratch memory, laid out by `Space`.
The machine code is short so and stays in the processor's first cache, which a step written out whole would not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, count

from lissive.simulation.engine import tableau
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


Place = tuple[int, int]
MOST_WRITTEN, PART = 2_000, 300
"""Products to subtract: from how many on the factors are made by loops, and how many one function writes out."""


@dataclass(frozen=True)
class Rows:
    """Of each state, the others in its row of the factors: eliminated before it, and after it."""

    before: dict[int, list[int]]
    after: dict[int, list[int]]


def elimination_rows(plan: Plan) -> Rows:
    rank = {k: a for a, k in enumerate(plan.order)}
    rows = Rows({k: [] for k in rank}, {k: [] for k in rank})
    for i, j in sorted(plan.filled, key=lambda place: rank[place[1]]):
        if i != j:
            (rows.before if rank[j] < rank[i] else rows.after)[i].append(j)
    return rows


def by_loops(rows: Rows) -> bool:
    return sum(len(rows.after[k]) for before in rows.before.values() for k in before) > MOST_WRITTEN


def factor(
    plan: Plan, place: Mapping[Place, int], rows: Rows, begin: Callable[[str], Function]
) -> list[Function]:
    """LU factors of diagonal*I - J in the planned order: the functions to call, one after the other.

    Written out, or by loops over tables where that would be long. The pivots are kept as their reciprocals. Written
    out, 1,000 products take half the time to run; the time to compile grows with the square of what one function
    writes out, so there are several.
    """
    if by_loops(rows):
        return [_loops(plan, place, rows, begin("factor"))]
    functions, left = list[Function](), 0
    for i in plan.order:
        if not functions or left <= 0:
            functions.append(begin(f"factor{len(functions)}"))
            left = PART
        f = functions[-1]
        places = [(i, j) for j in (*rows.before[i], i, *rows.after[i])]
        m = {p: f.load("S", place[p]) for p in places if p in plan.jacobian or p[0] == p[1]}
        for k in rows.before[i]:
            m[i, k] = f.mul(m[i, k], f.load("S", place[k, k]))
            left -= len(rows.after[k])
            for j in rows.after[k]:
                product = f.mul(m[i, k], f.load("S", place[k, j]))
                m[i, j] = f.sub(m[i, j], product) if (i, j) in m else f.neg(product)
        m[i, i] = f.div(f.const(1.0), m[i, i])
        for p in places:
            f.store(m[p], "S", place[p])
    return functions


_LOOPS = """  br label %k
k:
  %ki = phi i64 [0, %entry], [%k.next, %k.end]
  {load_pivot}
  %one = load {vec}, ptr %pivot, align {align}
  %reciprocal = fdiv {vec} {unit}, %one
  store {vec} %reciprocal, ptr %pivot, align {align}
  %k.next = add i64 %ki, 1
  {load_a}
  {load_b}
  %some = icmp ult i64 %a, %b
  br i1 %some, label %i, label %k.end
i:
  %ii = phi i64 [%a, %k], [%i.next, %i.end]
  {load_low}
  %before = load {vec}, ptr %low, align {align}
  %share = fmul {vec} %before, %reciprocal
  store {vec} %share, ptr %low, align {align}
  %i.next = add i64 %ii, 1
  {load_c}
  {load_d}
  %any = icmp ult i64 %c, %d
  br i1 %any, label %j, label %i.end
j:
  %jj = phi i64 [%c, %i], [%j.next, %j]
  {load_to}
  {load_from}
  %x = load {vec}, ptr %from, align {align}
  %y = load {vec}, ptr %to, align {align}
  %product = fmul contract {vec} %share, %x
  %less = fsub contract {vec} %y, %product
  store {vec} %less, ptr %to, align {align}
  %j.next = add i64 %jj, 1
  %j.more = icmp ult i64 %j.next, %d
  br i1 %j.more, label %j, label %i.end
i.end:
  %i.more = icmp ult i64 %i.next, %b
  br i1 %i.more, label %i, label %k.end
k.end:
  %k.more = icmp ult i64 %k.next, {states}
  br i1 %k.more, label %k, label %done
done:"""


def _loops(plan: Plan, place: Mapping[Place, int], rows: Rows, f: Function) -> Function:
    """Column by column: the same products in the same order for each place of the factors."""
    below: dict[int, list[int]] = {k: [] for k in plan.order}
    for i in plan.order:
        for k in rows.before[i]:
            below[k].append(i)
    pairs = [(i, k) for k in plan.order for i in below[k]]
    tables: dict[str, Sequence[int]] = {
        "pivot": [place[k, k] for k in plan.order],
        "lows": list(accumulate((len(below[k]) for k in plan.order), initial=0)),
        "low": [place[p] for p in pairs],
        "parts": list(accumulate((len(rows.after[k]) for _, k in pairs), initial=0)),
        "to": [place[i, j] for i, k in pairs for j in rows.after[k]],
        "from": [place[k, j] for i, k in pairs for j in rows.after[k]],
    }
    for name, numbers in tables.items():
        listed = ", ".join(f"i32 {x}" for x in numbers)
        f.externals.add(f"@factor.{name} = internal constant [{len(numbers)} x i32] [{listed}]")

    def entry(name: str, table: str, index: str) -> str:
        return (
            f"%{name}.at = getelementptr i32, ptr @factor.{table}, i64 {index}\n"
            f"  %{name}.short = load i32, ptr %{name}.at\n  %{name} = zext i32 %{name}.short to i64"
        )

    def row(name: str, table: str, index: str) -> str:
        return f"{entry(f'{name}.row', table, index)}\n  %{name} = getelementptr {f.vec}, ptr %S, i64 %{name}.row"

    f.raw(
        _LOOPS.format(
            vec=f.vec, align=f.align, unit=f.const(1.0), states=len(plan.order),
            load_pivot=row("pivot", "pivot", "%ki"), load_a=entry("a", "lows", "%ki"),
            load_b=entry("b", "lows", "%k.next"), load_low=row("low", "low", "%ii"),
            load_c=entry("c", "parts", "%ii"), load_d=entry("d", "parts", "%i.next"),
            load_to=row("to", "to", "%jj"), load_from=row("from", "from", "%jj"),
        )
    )  # fmt: skip
    return f
