"""From equations to what the solver computes: what once a run, what each step, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lissive.errors import SimulationError
from lissive.model.equations import TIME, Equations
from lissive.model.expression import FUNCTIONS, Graph


@dataclass(frozen=True)
class Plan:
    """Everything that is emitted as machine code, as places in one expression graph."""

    graph: Graph
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    outputs: tuple[str, ...]
    inputs: tuple[int, ...]
    """States that may be infused: an input rate is added to their equation."""
    still: frozenset[int]
    """States that nothing but the model's events can change: inside a step they stay as they are, to the last bit."""
    rates: tuple[int, ...]
    time_slopes: tuple[int, ...]
    jacobian: dict[tuple[int, int], int]
    unsure: frozenset[int]
    """Derivatives that may be infinite or no number where the rate is sound; they count as 0 there."""
    order: tuple[int, ...]
    """Elimination order of the states."""
    filled: frozenset[tuple[int, int]]
    """Places of the factors that are not zero."""
    initial: tuple[int, ...]
    output_nodes: tuple[int, ...]
    once: tuple[int, ...]
    """Nodes that rest on parameters alone and are used later: computed once a subject."""


def make_plan(equations: Equations, outputs: Sequence[str], inputs: Sequence[str]) -> Plan:
    """Differentiate, order, and split into what is computed once and what is computed each step."""
    g, n = equations.graph, len(equations.states)
    place = {s: i for i, s in enumerate(equations.states)}
    symbols = [g.symbol(s) for s in equations.states]
    back = {s: i for i, s in enumerate(symbols)}
    time = g.symbol(TIME)
    jacobian: dict[tuple[int, int], int] = {}
    slopes = []
    for i, rate in enumerate(equations.rates):
        row = g.gradient(rate, [*symbols, time])
        slopes.append(row.pop(time, g.const(0.0)))
        jacobian.update({(i, back[s]): d for s, d in row.items()})
    order, filled = elimination(n, set(jacobian))
    nodes = tuple(quantity(equations, name) for name in outputs)
    roots = [*equations.rates, *slopes, *jacobian.values(), *nodes]
    once = _once(g, roots, set(symbols) | {time})
    return Plan(
        graph=g,
        states=equations.states,
        parameters=tuple(equations.parameters),
        outputs=tuple(outputs),
        inputs=tuple(place[s] for s in inputs),
        still=frozenset(
            place[s]
            for s, rate in zip(equations.states, equations.rates, strict=True)
            if equations.events and g.value(rate) == 0.0 and s not in inputs
        ),
        rates=equations.rates,
        time_slopes=tuple(slopes),
        jacobian=jacobian,
        unsure=_unsure(equations, [*slopes, *jacobian.values()], set(once)),
        order=order,
        filled=filled,
        initial=equations.initial,
        output_nodes=nodes,
        once=once,
    )


def quantity(equations: Equations, name: str) -> int:
    """The node of a selectable id; SimulationError with the nearest ids where there is none."""
    if name == TIME:
        return equations.graph.symbol(TIME)
    try:
        return equations.quantities[name]
    except KeyError:
        from difflib import get_close_matches

        near = get_close_matches(name, equations.quantities, 3)
        raise SimulationError(
            f'"{name}" is not a quantity of model {equations.name}.',
            where="select",
            allowed=f"{', '.join(list(equations.quantities)[:40])}.",
            do=f"Did you mean {' or '.join(near)}?" if near else "select one of these, or correct the name.",
        ) from None


def _once(g: Graph, roots: Sequence[int], varying: set[int]) -> tuple[int, ...]:
    """Nodes free of state and time that some varying node, or a root, needs; plain numbers left out."""
    moves: set[int] = set()
    wanted: set[int] = set()
    plain = ("const", "true", "false")
    for e in g.reachable(roots):
        args = g.args(e)
        if e in varying or any(a in moves for a in args):
            moves.add(e)
            wanted.update(a for a in args if a not in moves and g.nodes[a][0] not in plain)
    wanted.update(e for e in roots if e not in moves and g.nodes[e][0] not in plain)
    return tuple(sorted(_numbers(g, wanted, moves)))


def _numbers(g: Graph, wanted: set[int], moves: set[int]) -> set[int]:
    """`wanted` with each truth replaced by the numbers that it compares: memory holds numbers only."""
    result, stack = set(), list(wanted)
    while stack:
        e = stack.pop()
        if is_truth(g, e):
            stack.extend(a for a in g.args(e) if g.nodes[a][0] not in ("const", "true", "false"))
        else:
            result.add(e)
    return result


_STEEP = {*FUNCTIONS} - {"abs", "floor", "ceil", "sqrt", "sin", "cos", "atan", "tanh", "asinh"}
_THROUGH = {"add", "sub", "mul", "neg", "min", "max", "select", "abs", "sqrt", "pow"}
_CLOSED = {*FUNCTIONS, "div", "pow"}
_CHOICE = {"select", "min", "max"}


def _unsure(equations: Equations, slopes: Sequence[int], once: set[int]) -> frozenset[int]:
    """Of these derivatives, those that may be infinite or no number where the rate is sound.

    A rate is sound where something infinite is closed in, as in 1/(1 + exp(1000)) or 1/(1 + (K/0)^2), or where
    it is in a choice not taken. The derivative is then 0 times infinity.
    """
    g = equations.graph
    empty = {**equations.parameters, **dict.fromkeys([*equations.states, TIME], 0.0)}
    moving = [e for e in g.reachable(slopes) if e not in once and g.args(e)]
    second = [e for e in moving if g.nodes[e][0] in ("div", "pow")]
    at_zero = dict(zip(second, g.evaluate([g.args(e)[1] for e in second], empty), strict=True))
    vast: set[int] = set()
    within: dict[int, set[str]] = {}  # what is in a derivative, of: vast, closed, choice
    for e in moving:
        op, args = g.nodes[e][0], g.args(e)
        kinds = within[e] = set().union(*(within.get(a, ()) for a in args))
        steep = op in _STEEP
        if op == "div":  # by what is 0 where nothing is there
            steep = not abs(at_zero[e]) > 0.0
        elif op == "pow":  # of a kind that makes usual numbers, and 0, infinite
            steep = not 0.0 < at_zero[e] < 30.0
        of_vast = any(a in vast for a in args)
        if steep or (op in _THROUGH and of_vast):
            vast.add(e)
            kinds.add("vast")
        if of_vast and op in _CLOSED:
            kinds.add("closed")
        if op in _CHOICE:
            kinds.add("choice")
    return frozenset(
        e for e in slopes if within.get(e, set()) & {"closed"} or within.get(e, set()) >= {"vast", "choice"}
    )


def is_truth(g: Graph, e: int) -> bool:
    """Whether node `e` holds a truth value rather than a number."""
    op = g.nodes[e][0]
    if op == "select":
        return is_truth(g, g.nodes[e][2])
    return op in ("lt", "le", "eq", "ne", "and", "or", "xor", "not", "true", "false")


def elimination(n: int, pattern: set[tuple[int, int]]) -> tuple[tuple[int, ...], frozenset[tuple[int, int]]]:
    """An order of elimination that fills in little (Markowitz), and the pattern of the factors with it."""
    rows: list[set[int]] = [{i} for i in range(n)]
    columns: list[set[int]] = [{i} for i in range(n)]
    for i, j in pattern:
        rows[i].add(j)
        columns[j].add(i)
    filled = {(i, j) for i in range(n) for j in rows[i]}
    left, order = set(range(n)), []
    while left:
        k = min(left, key=lambda k: ((len(rows[k]) - 1) * (len(columns[k]) - 1), k))
        order.append(k)
        left.discard(k)
        rows[k].discard(k)
        columns[k].discard(k)
        for i in columns[k]:
            rows[i].discard(k)
            for j in rows[k]:
                rows[i].add(j)
                columns[j].add(i)
                filled.add((i, j))
        for j in rows[k]:
            columns[j].discard(k)
    return tuple(order), frozenset(filled)


def content(equations: Equations, outputs: Sequence[str], inputs: Sequence[str]) -> str:
    """All of a model that its machine code depends on, as text."""
    g = equations.graph
    observed = [quantity(equations, name) for name in outputs]
    roots = [*equations.rates, *equations.initial, *observed]
    nodes = [(e, g.nodes[e]) for e in g.reachable(roots)]
    return repr((nodes, roots, equations.states, tuple(equations.parameters), outputs, inputs))
