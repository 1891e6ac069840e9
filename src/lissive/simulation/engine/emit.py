"""The solver's inner functions as LLVM IR, written out for one model.

    prepare(P, K, Y0)                    once a subject: constants and initial values from parameters
    step(...)                            one attempted step for all lanes, see steps.py
    commit(Y, YN, SEEN, MASK)            take the step where MASK is 1
    observe(Y, YN, D1, D2, K, T, TH, O)  outputs inside the step, at the fraction TH of it

All arrays are rows of `lanes` doubles, except that `prepare` is for one lane. T is the time that TH means.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lissive.errors import SimulationError
from lissive.model.equations import Equations
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
    """Refuse early what `module` would refuse: each node that moves is written at each of six stages."""
    if (least := 6 * len(equations.graph.reachable(equations.rates))) > LONGEST:
        raise too_long(least)


def _functions(plan: Plan, lanes: int, *, apart: bool) -> list[Function]:
    begin = partial(Function, apart=apart)
    return [
        _prepare(plan, begin),
        *step_functions(plan, lanes, begin),
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
    f = begin("observe", ["Y", "YN", "D1", "D2", "K", "T", "TH", "O"], lanes)
    theta = f.load("TH", 0)
    other = f.sub(f.const(1.0), theta)

    def within(i: int) -> str:
        if i in plan.still:
            return f.load("Y", i)
        inner = f.fma(theta, f.load("D2", i), f.load("D1", i))
        inner = f.fma(other, inner, f.load("YN", i))
        return f.fma(theta, inner, f.mul(other, f.load("Y", i)))

    y = Later(within, len(plan.states))
    at = evaluator(plan, f, y, f.load("T", 0))
    for k, e in enumerate(plan.output_nodes):
        f.store(at.value(e), "O", k)
    return f
