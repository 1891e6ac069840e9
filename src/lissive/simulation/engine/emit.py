"""The solver's inner functions as LLVM IR, written out for one model: no loops, no indices, no zeros.

    prepare(P, K, Y0)                    once a subject: constants and initial values from parameters
    step(Y, K, R, SEEN, T, H, TOL, YN, D1, D2, ERR)   one attempted step for all lanes
    commit(Y, YN, SEEN, MASK)            take the step where MASK is 1
    observe(Y, YN, D1, D2, K, T, TH, O)  outputs inside the step, at the fraction TH of it

All arrays are rows of `lanes` doubles, except that `prepare` is for one lane. T is the time that TH means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import partial
from typing import Any

from lissive.errors import SimulationError
from lissive.model.equations import TIME, Equations
from lissive.simulation.engine import tableau
from lissive.simulation.engine.ir import Function, written_apart
from lissive.simulation.engine.plan import Plan, is_truth

LARGEST_SLOPE = 1e100
"""A derivative from here on is one that overflowed; it would hold its state where it is."""
LONG, LONGEST = 30_000, 200_000
"""Instructions from which exp, log and pow are called and not written out, and from which a model is refused.

The time to compile grows with the square of what is written out, and nearly in proportion to all else."""
Begin = Callable[[str, Sequence[str], int], Function]
_CHAINS = ("pow", "exp", "log")
_BESIDE = 3
"""How many of these are written side by side: as many as the registers hold."""
_BINARY = {op: op for op in ("add", "sub", "mul", "div", "pow")} | {"min": "smallest", "max": "largest"}
_COMPARE = {"lt": "olt", "le": "ole", "eq": "oeq", "ne": "une"}


class Evaluator:
    """Writes graph nodes into a function, each once, from values given for symbols and constants.

    begun : of a stage inside a step, the evaluator at the step's start. What had a root there and is a little
        negative now, as an emptied state may be, has the root 0.
    """

    def __init__(
        self, plan: Plan, f: Function, known: dict[int, str], y: Sequence[str] | None = None, *,
        begun: Evaluator | None = None,
    ) -> None:  # fmt: skip
        self.begun = begun
        self.graph, self.f, self.known = plan.graph, f, dict(known)
        self.y: Sequence[str] = y if y is not None else ()
        self.places = {plan.graph.symbol(s): i for i, s in enumerate(plan.states)} if y is not None else {}
        self.rows = {e: i for i, e in enumerate(plan.once)} if y is not None else {}

    def values(self, roots: Sequence[int]) -> list[str]:
        return [self.value(e) for e in roots]

    def value(self, root: int) -> str:
        stack = [root]
        while stack:
            e = stack[-1]
            if e in self.rows and e not in self.known:
                self.known[e] = self.f.load("K", self.rows[e])
            if e in self.places and e not in self.known:
                self.known[e] = self.y[self.places[e]]
            missing = [a for a in self.graph.args(e) if a not in self.known] if e not in self.known else []
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            if e not in self.known:
                self.known[e] = self._write(e)
        return self.known[root]

    def costly(self, roots: Sequence[int]) -> None:
        """Write the powers and the like that `roots` rest on, those that do not need each other side by side.

        Each is a long chain in which every instruction waits for the last one; side by side they wait at once.
        """
        moving, stack = set[int](), list(roots)
        while stack:
            e = stack.pop()
            if e not in moving and e not in self.rows:
                moving.add(e)
                stack.extend(self.graph.args(e))
        depth: dict[int, int] = {}
        for e in sorted(moving):
            below = max((depth.get(a, 0) for a in self.graph.args(e)), default=0)
            depth[e] = below + (self.graph.nodes[e][0] in _CHAINS)
        for level in range(1, max(depth.values(), default=0) + 1):
            chains = [e for e, d in depth.items() if d == level and self.graph.nodes[e][0] in _CHAINS]
            for e in chains:
                self.values(self.graph.args(e))
            for begin in range(0, len(chains), _BESIDE):
                self.f.side_by_side([partial(self.value, e) for e in chains[begin : begin + _BESIDE]])

    def _write(self, e: int) -> str:
        f = self.f
        op, *rest = self.graph.nodes[e]
        if op == "const":
            return f.const(rest[0])
        if op in ("true", "false"):
            return f.truth(op == "true")
        if op == "sym":
            raise AssertionError(f"symbol {rest[0]} has no value here")
        a = [self.known[x] for x in rest]
        if self.begun is not None and op in ("pow", "sqrt"):
            had = f.compare("oge", self.begun.value(rest[0]), f.const(0.0))
            if op == "pow":
                return f.pow(*a, had=had)
            return f.function("sqrt", f.select(f.logic("and", had, f.negative(a[0])), f.const(0.0), a[0]))
        if op in _BINARY:
            return str(getattr(f, _BINARY[op])(*a))
        if op == "neg":
            return f.neg(a[0])
        if op in _COMPARE:
            return f.compare(_COMPARE[op], a[0], a[1])
        if op == "not":
            return f.not_(a[0])
        if op in ("and", "or", "xor"):
            return f.logic(op, a[0], a[1])
        if op == "select":
            return f.select(a[0], a[1], a[2], boolean=is_truth(self.graph, rest[1]))
        return f.function(op, a[0])


def module(plan: Plan, lanes: int) -> str:
    """All inner functions of one model as the text of an LLVM module (without the driver).

    Raises       SimulationError where the text would be too long to compile in minutes.
    """
    functions = _functions(plan, lanes, apart=False)
    if sum(map(len, functions)) > LONG:
        functions = _functions(plan, lanes, apart=True)
        if (length := sum(map(len, functions))) > LONGEST:
            raise too_long(length)
    functions += [
        written_apart(*each) for each in sorted(set[tuple[str, int]]().union(*(f.called for f in functions)))
    ]
    declarations = sorted({d for f in functions for d in f.externals})
    return "\n".join([*declarations, *(f.text() for f in functions)])


def check_length(equations: Equations) -> None:
    """Refuse early what `module` would refuse: each node that moves is written at each of six stages."""
    if (least := 6 * len(equations.graph.reachable(equations.rates))) > LONGEST:
        raise too_long(least)


def _functions(plan: Plan, lanes: int, *, apart: bool) -> list[Function]:
    begin = partial(Function, apart=apart)
    return [
        _prepare(plan, begin),
        _step(plan, lanes, begin),
        _commit(plan, lanes),
        _observe(plan, lanes, begin),
    ]


def too_long(length: int) -> SimulationError:
    return SimulationError(
        f"The model's equations come to {length} or more instructions.",
        allowed=f"up to {LONGEST}: more would take too long to compile.",
        do="Fewer terms in its rates, or a model in parts.",
    )


def _prepare(plan: Plan, begin: Begin) -> Function:
    f = begin("prepare", ["P", "K", "Y0"], 1)
    g = plan.graph
    known = {g.symbol(p): f.load("P", i) for i, p in enumerate(plan.parameters)}
    ev = Evaluator(plan, f, known)
    for i, e in enumerate(plan.once):
        f.store(ev.value(e), "K", i)
    for i, e in enumerate(plan.initial):
        f.store(ev.value(e), "Y0", i)
    return f


def _at(plan: Plan, f: Function, y: Sequence[str], t: str, *, begun: Evaluator | None = None) -> Evaluator:
    """An evaluator at states `y` and time `t`."""
    return Evaluator(plan, f, {plan.graph.symbol(TIME): t}, y, begun=begun)


def _combine(f: Function, start: str, weights: Sequence[float], terms: Sequence[str]) -> str:
    for w, x in zip(weights, terms, strict=True):
        start = f.add(start, x) if w == 1.0 else f.fma(f.const(w), x, start)
    return start


def _stage_state(
    f: Function, y: Sequence[str], weights: Sequence[float], u: Sequence[Sequence[str]], i: int
) -> str:
    """State i at a stage."""
    return _combine(f, y[i], weights, [stage[i] for stage in u])


def _step(plan: Plan, lanes: int, begin: Begin) -> Function:
    f = begin("step", ["Y", "K", "R", "SEEN", "T", "H", "TOL", "YN", "D1", "D2", "ERR"], lanes)
    n = len(plan.states)
    y = [f.load("Y", i) for i in range(n)]
    t, h = f.load("T", 0), f.load("H", 0)
    inverse_h = f.div(f.const(1.0), h)
    first = _at(plan, f, y, t)
    factors = _factorise(plan, f, first, f.mul(inverse_h, f.const(1.0 / tableau.GAMMA)))
    inputs = {state: f.load("R", k) for k, state in enumerate(plan.inputs)}
    slopes = {
        i: f.mul(h, _slope(plan, first, e))
        for i, e in enumerate(plan.time_slopes)
        if plan.graph.value(e) != 0.0
    }
    rows = _rows(plan)
    u: list[list[str]] = []
    stage_y: Sequence[str] = y
    for s in range(len(tableau.A)):
        at = first
        if s:
            stage_y = _Later(partial(_stage_state, f, y, tableau.A[s], tuple(u)), n)
            stage_t = t if not slopes else f.fma(f.const(tableau.ALPHA[s]), h, t)
            at = _at(plan, f, stage_y, stage_t, begun=first)
        at.costly(plan.rates)
        x = [""] * n
        for i in plan.order:  # each right side just before it is used, which keeps it in a register
            right = at.value(plan.rates[i])
            if i in inputs:
                right = f.add(right, inputs[i])
            if i in slopes and tableau.TIME_SLOPE[s]:
                right = f.fma(f.const(tableau.TIME_SLOPE[s]), slopes[i], right)
            if tableau.C[s]:
                terms = [u[q][i] for q in range(s)]
                summed = f.mul(f.const(tableau.C[s][0]), terms[0])
                right = f.fma(inverse_h, _combine(f, summed, tableau.C[s][1:], terms[1:]), right)
            for j in rows.before[i]:
                right = f.sub(right, f.mul(factors[i, j], x[j]))
            x[i] = right
        for i in reversed(plan.order):
            for j in rows.after[i]:
                x[i] = f.sub(x[i], f.mul(factors[i, j], x[j]))
            x[i] = f.mul(x[i], factors[i, i])
        u.append(x)
    new = [f.add(stage_y[i], u[-1][i]) for i in range(n)]
    for i in range(n):
        f.store(new[i], "YN", i)
        for name, weights in zip(("D1", "D2"), tableau.DENSE, strict=True):
            start = f.mul(f.const(weights[0]), u[0][i])
            f.store(_combine(f, start, weights[1:], [u[q][i] for q in range(1, 5)]), name, i)
    f.store(_error(f, y, new, u[-1], plan.still), "ERR", 0)
    return f


def _error(f: Function, y: Sequence[str], new: Sequence[str], error: Sequence[str], still: Set[int]) -> str:
    """Root mean square of the error in units of atol + rtol max(|y0|, |y1|, share of the largest seen)."""
    rtol, atol, share = (f.splat("TOL", k) for k in range(3))
    total = f.const(0.0)
    moving = [i for i in range(len(y)) if i not in still]
    for i in moving:
        size = f.max(f.abs(y[i]), f.abs(new[i]))
        size = f.max(size, f.mul(share, f.load("SEEN", i)))
        # single precision is enough for a weight; the bounds keep it a finite number there
        bounded = f.min(f.max(f.fma(rtol, size, atol), f.const(1e-30)), f.const(1e37))
        weight = f.rough_reciprocal(bounded)
        q = f.mul(error[i], weight)
        total = f.fma(q, q, total)
    return f.intrinsic("sqrt", f.mul(total, f.const(1.0 / max(len(moving), 1))))


Factors = dict[tuple[int, int], str]


class _Later(Sequence[str]):
    """Values that are written when they are first asked for."""

    def __init__(self, make: Callable[[int], str], size: int) -> None:
        self._make, self._known, self._size = make, dict[int, str](), size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, i: Any) -> Any:
        if i not in self._known:
            self._known[i] = self._make(i)
        return self._known[i]


@dataclass(frozen=True)
class _Rows:
    """Of each state, the others in its row of the factors: eliminated before it, and after it."""

    before: dict[int, list[int]]
    after: dict[int, list[int]]


def _rows(plan: Plan) -> _Rows:
    rank = {k: a for a, k in enumerate(plan.order)}
    rows = _Rows({k: [] for k in rank}, {k: [] for k in rank})
    for i, j in sorted(plan.filled, key=lambda place: rank[place[1]]):
        if i != j:
            (rows.before if rank[j] < rank[i] else rows.after)[i].append(j)
    return rows


def _factorise(plan: Plan, f: Function, at: Evaluator, diagonal: str) -> Factors:
    """LU factors of diagonal*I - J in the planned order; the pivots are kept as their reciprocals."""
    m: Factors = {}
    zero = f.const(0.0)
    for i, j in plan.filled:
        entry = plan.jacobian.get((i, j))
        value = None if entry is None else _slope(plan, at, entry)
        if i == j:
            m[i, j] = diagonal if value is None else f.sub(diagonal, value)
        else:
            m[i, j] = zero if value is None else f.neg(value)
    rank = {k: a for a, k in enumerate(plan.order)}
    below = _by_column(plan, rank)
    for k in plan.order:
        m[k, k] = f.div(f.const(1.0), m[k, k])
        right = [j for j in range(len(rank)) if (k, j) in plan.filled and rank[j] > rank[k]]
        for i in below[k]:
            m[i, k] = f.mul(m[i, k], m[k, k])
            for j in right:
                product = f.mul(m[i, k], m[k, j])
                m[i, j] = f.neg(product) if m[i, j] == zero else f.sub(m[i, j], product)
    return m


def _slope(plan: Plan, at: Evaluator, entry: int) -> str:
    """A derivative, or 0 where it is none: the step is then less exact, which its error tells."""
    f, value = at.f, at.value(entry)
    if entry not in plan.unsure:
        return value
    return f.select(f.compare("olt", f.abs(value), f.const(LARGEST_SLOPE)), value, f.const(0.0))


def _by_column(plan: Plan, rank: dict[int, int]) -> dict[int, list[int]]:
    below: dict[int, list[int]] = {k: [] for k in rank}
    for i, j in sorted(plan.filled):
        if rank[i] > rank[j]:
            below[j].append(i)
    return below


def _commit(plan: Plan, lanes: int) -> Function:
    f = Function("commit", ["Y", "YN", "SEEN", "MASK"], lanes)
    taken = f.compare("one", f.load("MASK", 0), f.const(0.0))
    for i in range(len(plan.states)):
        old, new, seen = f.load("Y", i), f.load("YN", i), f.load("SEEN", i)
        f.store(f.select(taken, new, old), "Y", i)
        f.store(f.select(taken, f.max(f.abs(new), seen), seen), "SEEN", i)
    return f


def _observe(plan: Plan, lanes: int, begin: Begin) -> Function:
    f = begin("observe", ["Y", "YN", "D1", "D2", "K", "T", "TH", "O"], lanes)
    theta = f.load("TH", 0)
    other = f.sub(f.const(1.0), theta)

    def within(i: int) -> str:
        if i in plan.still:
            return f.load("Y", i)
        inner = f.fma(theta, f.load("D2", i), f.load("D1", i))
        inner = f.fma(other, inner, f.load("YN", i))
        return f.fma(theta, inner, f.mul(other, f.load("Y", i)))

    y = _Later(within, len(plan.states))
    at = _at(plan, f, y, f.load("T", 0))
    for k, e in enumerate(plan.output_nodes):
        f.store(at.value(e), "O", k)
    return f
