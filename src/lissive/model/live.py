"""Which parameters can have had a part in what a run gave.

A parameter is live where an output depends on it, through states too, and nothing on the way is zero for good: a
state that starts at zero, gets no dose and is fed by nothing stays zero, and so does what it is multiplied by.

>>> from lissive.model.read import read_antimony
>>> two = read_antimony("J: A -> ; k*A; A = 0; K: B -> ; h*B; B = 0; sum := A + B; k = 2; h = 3")
>>> live = live_parameters(two, ["sum"], dosed=["A"], values=two.parameters)
>>> "k" in live, "h" in live
(True, False)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lissive.model.equations import Equations
from lissive.model.expression import Graph


def live_parameters(
    equations: Equations, outputs: Iterable[str], dosed: Iterable[str], values: Mapping[str, float]
) -> set[str]:
    """Parameters a change of which, alone, could have changed an output.

    Parameters
    ----------
    outputs : what was looked at, as ids of `equations.quantities`.
    dosed : states that were given something.
    values : parameters that had one value in the whole run. Those that are 0 or 1 may take away what they are
        multiplied by, as a switch does.
    """
    roots = [equations.quantities[name] for name in outputs]
    given = frozenset(dosed)
    switches = {name: value for name, value in values.items() if value in (0.0, 1.0)}
    found = _live(equations, roots, given, switches)
    for name in switches.keys() & _live(equations, roots, given, {}):
        others = {other: value for other, value in switches.items() if other != name}
        if name in _live(equations, roots, given, others):
            found.add(name)
    return found


def _live(
    equations: Equations, roots: Sequence[int], dosed: frozenset[str], constants: Mapping[str, float]
) -> set[str]:
    """Parameters that the outputs rest on once constants, and states that stay zero, are put in as numbers."""
    graph = Graph.of(equations.graph.nodes)
    n = len(equations.states)
    acts = [node for event in equations.events for node in event.nodes]
    dosed |= {equations.states[state] for event in equations.events for state, *_ in event.assigned}
    everything = [*equations.rates, *equations.initial, *roots, *acts]
    by = {name: graph.const(value) for name, value in constants.items()}
    now = graph.substitute(everything, by)
    zero = {
        state
        for state, start in zip(equations.states, now[n : 2 * n], strict=True)
        if state not in dosed and graph.value(start) == 0.0
    }
    while True:
        put_in = by | {state: graph.const(0.0) for state in zero}
        now = graph.substitute(everything, put_in)
        rates = dict(zip(equations.states, now[:n], strict=True))
        moving = {state for state in zero if graph.value(rates[state]) != 0.0}
        if not moving:
            break
        zero -= moving
    starts = dict(zip(equations.states, now[n : 2 * n], strict=True))
    return _rest_on(graph, now[2 * n :], rates, starts) & set(equations.parameters)


def _rest_on(
    graph: Graph, roots: Sequence[int], rates: Mapping[str, int], starts: Mapping[str, int]
) -> set[str]:
    """Symbols that the roots rest on, directly or through the states among them."""
    found = graph.symbols(roots)
    new = found & rates.keys()
    while new:
        more = graph.symbols([node for state in new for node in (rates[state], starts[state])])
        new = (more - found) & rates.keys()
        found |= more
    return found
