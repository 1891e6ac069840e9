"""The solver's inner functions as LLVM IR, written out for one model.

    prepare(P, K, Y0)                    once a subject: constants and initial values from parameters
    step(...)                            one attempted step for all lanes, see steps.py
    commit(Y, YN, SEEN, MASK)            take the step where MASK is 1
    observe(Y, YN, D, K, T, TH, O)       outputs inside the step, at the fraction TH of it
    gather(F0, F1, F2, F3, F4, SHARE, MEAN, TOP, LOW)   one part of a step, seen at its quarters, into its bin

All arrays are rows of `lanes` doubles, except that `prepare` is for one lane. T is the time that TH means.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lissive.errors import SimulationError
from lissive.model.equations import Equations
from lissive.simulation.engine import tableau
from lissive.simulation.engine.ir import Function, written_apart
from lissive.simulation.engine.plan import Plan
from lissive.simulation.engine.steps import step_functions
from lissive.simulation.engine.values import Begin, Evaluator, Later, evaluator

LONG, LONGEST = 30_000, 200_000
"""Instructions from which exp, log and pow are called and not written out, and from which a model is refused.

The time to compile grows with the square of what is written out, and nearly in proportion to all else."""


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
    """Refuse early what `module` would refuse: each node that moves is written at the start and for a stage."""
    if (least := 2 * len(equations.graph.reachable(equations.rates))) > LONGEST:
        raise too_long(least)


def _functions(plan: Plan, lanes: int, *, apart: bool) -> list[Function]:
    begin = partial(Function, apart=apart)
    return [
        _prepare(plan, begin),
        *step_functions(plan, lanes, begin),
        _gather(plan, lanes),
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


def _commit(plan: Plan, lanes: int) -> Function:
    f = Function("commit", ["Y", "YN", "SEEN", "MASK"], lanes)
    taken = f.compare("one", f.load("MASK", 0), f.const(0.0))

    def take(at: Callable[[str], str]) -> tuple[()]:
        old, new, seen = (f.load(at(each), 0) for each in ("Y", "YN", "SEEN"))
        f.store(f.select(taken, new, old), at("Y"), 0)
        f.store(f.select(taken, f.max(f.abs(new), seen), seen), at("SEEN"), 0)
        return ()

    f.loop(len(plan.states), take)
    return f


def _observe(plan: Plan, lanes: int, begin: Begin) -> Function:
    f = begin("observe", ["Y", "YN", "D", "K", "T", "TH", "O"], lanes)
    theta = f.load("TH", 0)
    other = f.sub(f.const(1.0), theta)
    inside = f.compare("ogt", theta, f.const(0.0))  # else D may be what another subject left

    def within(i: int) -> str:
        if i in plan.still:
            return f.load("Y", i)
        n = len(plan.states)
        inner = f.load("D", (len(tableau.DENSE) - 1) * n + i)
        for k in reversed(range(len(tableau.DENSE) - 1)):
            inner = f.fma(theta, inner, f.load("D", k * n + i))
        inner = f.fma(other, inner, f.load("YN", i))
        y0 = f.load("Y", i)
        return f.select(inside, f.fma(theta, inner, f.mul(other, y0)), y0)

    y = Later(within, len(plan.states))
    at = evaluator(plan, f, y, f.load("T", 0))
    for k, e in enumerate(plan.output_nodes):
        f.store(at.value(e), "O", k)
    return f


def _gather(plan: Plan, lanes: int) -> Function:
    """Means by Boole's rule, which is exact for the method's interpolant; extremes on the parabola through each half.

    A parabola's vertex counts where it lies within its half, but makes no change of sign. SHARE is 1/90 of the part's
    share of its bin; lanes where it is 0 stay as they are.
    """
    names = ("F0", "F1", "F2", "F3", "F4")
    f = Function("gather", [*names, "SHARE", "MEAN", "TOP", "LOW"], lanes)
    share, zero = f.load("SHARE", 0), f.const(0.0)
    asked = f.compare("ogt", share, zero)

    def vertex(a: str, b: str, c: str) -> str:
        middle, tilt = f.mul(f.const(0.5), f.add(a, c)), f.mul(f.const(0.5), f.sub(c, a))
        bend = f.sub(middle, b)
        turns = f.compare("olt", f.abs(tilt), f.mul(f.const(2.0), f.abs(bend)))
        there = f.sub(b, f.div(f.mul(f.mul(f.const(0.25), tilt), tilt), bend))
        return f.select(turns, there, b)

    def add(at: Callable[[str], str]) -> tuple[()]:
        v = [f.load(at(name), 0) for name in names]
        ends, sides = f.add(v[0], v[4]), f.add(v[1], v[3])
        total = f.fma(f.const(12.0), v[2], f.fma(f.const(32.0), sides, f.mul(f.const(7.0), ends)))
        high, low = v[0], v[0]
        for each in v[1:]:
            high, low = f.max(high, each), f.min(low, each)
        top, least = high, low
        for each in (vertex(*v[:3]), vertex(*v[2:])):
            top, least = f.max(top, each), f.min(least, each)
        top = f.select(f.compare("ole", high, zero), f.min(top, zero), top)
        least = f.select(f.compare("oge", low, zero), f.max(least, zero), least)
        mean, highest, lowest = (f.load(at(name), 0) for name in ("MEAN", "TOP", "LOW"))
        f.store(f.select(asked, f.fma(share, total, mean), mean), at("MEAN"), 0)
        f.store(f.select(asked, f.max(top, highest), highest), at("TOP"), 0)
        f.store(f.select(asked, f.min(least, lowest), lowest), at("LOW"), 0)
        return ()

    f.loop(max(len(plan.output_nodes), 1), add)
    return f
