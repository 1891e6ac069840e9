"""Why a subject's run ended before its time: cause, time, state, and the option that helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lissive.model.equations import TIME, Equations
from lissive.simulation.engine.pole import nearest, written

TOO_MANY, TOO_SMALL, NO_NUMBER = 1, 2, 3
HALTED, ENDLESS, NO_DELAY = 5, 6, 7
"""Halted is nobody's for good: a subject on whom the model's own events are to act."""
STATUS = {
    0: "ok",
    TOO_MANY: "took more steps than max_steps allows; raise it, or look at the model's time scales",
    TOO_SMALL: "the step became too small: the equations change faster than they can be followed here",
    NO_NUMBER: "a rate became infinite or not a number; look at divisions and logarithms in the model",
    ENDLESS: "the model's events trigger one another without end; check their triggers",
    NO_DELAY: "the delay of an event is negative or not a number; check its formula",
}
"""What a subject's status means."""

_AHEAD = (0.0, 1e-12, 1e-9, 1e-6, 1e-3)
"""How far along the slope from where a run ended a cause is looked for, in shares of the time passed."""


@dataclass(frozen=True)
class End:
    """Where one subject's run ended, and how it was followed."""

    status: int
    y: npt.NDArray[np.float64]
    largest: npt.NDArray[np.float64]
    """(state,) the largest size of each state so far."""
    time: float
    steps: int
    rtol: float
    atol: float


def why(equations: Equations, parameters: Mapping[str, float], end: End) -> str:
    """One sentence on the cause, with time and state, and one on what to do."""
    here = f"at time {end.time:.6g}{' ' + equations.time_unit if equations.time_unit else ''}"
    given = {**equations.parameters, **parameters, TIME: end.time}
    given.update(zip(equations.states, end.y, strict=True))
    lost = [f"{name} is {y:g}" for name, y in zip(equations.states, end.y, strict=True) if not np.isfinite(y)]
    if lost and not end.steps:
        return f"stopped {here}: {lost[0]} at the start; give it a finite initial value"
    if end.status in (ENDLESS, NO_DELAY):
        return f"stopped {here}: {STATUS[end.status]}"
    fault = None if end.status == TOO_MANY else _fault(equations, given, end)
    if fault:
        state, cause = fault
        return (
            f"stopped {here}: the rate of {state} is infinite or not a number ({cause}); "
            "check divisions, logarithms and roots in its equation"
        )
    if end.status == NO_NUMBER:
        return f"stopped {here}: {STATUS[NO_NUMBER]}"
    state, value, rate = _fastest(equations, given, end)
    if divided := _divided(equations, given, end, state):
        return f"stopped {here}: {divided}"
    fastest = f"{state} (now {value:.6g}, changing by {rate:.6g} per {equations.time_unit or 'unit of time'})"
    if end.status == TOO_MANY:
        return (
            f"stopped {here}: took max_steps steps ({end.steps}), mostly to follow {fastest}; "
            f"raise max_steps or rtol (now {end.rtol:g}), or check the rates of that state"
        )
    return (
        f"stopped {here}: the step became too small to follow {fastest}; if that amount is negligible, "
        f"raise atol (now {end.atol:g}), otherwise check its equation for a jump or unbounded growth"
    )


def _fault(equations: Equations, given: Mapping[str, Any], end: End) -> tuple[str, str] | None:
    """The first state whose rate is no number where the run ended or just ahead, and what makes it none."""
    g = equations.graph
    rates = np.array([float(np.asarray(r)) for r in g.evaluate(equations.rates, given)])
    slope = np.where(np.isfinite(rates), rates, 0.0)
    for share in _AHEAD:
        ahead = share * max(abs(end.time), 1e-3)
        there = {**given, TIME: end.time + ahead}
        there.update(zip(equations.states, end.y + ahead * slope, strict=True))
        for state, rate in zip(equations.states, equations.rates, strict=True):
            if not np.isfinite(g.evaluate([rate], there)[0]):
                return state, _cause(equations, rate, there)
    return None


def _cause(equations: Equations, rate: int, given: Mapping[str, Any]) -> str:
    """The first operation whose result is no number though what it is applied to are numbers."""
    g = equations.graph
    nodes = g.reachable([rate])
    values = dict(zip(nodes, (float(np.asarray(v)) for v in g.evaluate(nodes, given)), strict=True))
    for e in nodes:
        op, *rest = g.nodes[e]
        args = [values[a] for a in g.args(e)]
        if np.isfinite(values[e]) or not np.isfinite(args).all():
            continue
        if op == "sym":
            return f"{rest[0]} is {values[e]:g}"
        return _operation(op, args)
    return "no number"


def _operation(op: str, args: Sequence[float]) -> str:
    known = {"div": "division by {1:.3g}", "log": "logarithm of {0:.3g}", "sqrt": "root of {0:.3g}"}
    known |= {
        "pow": "{0:.3g} to the power {1:.3g}",
        "add": "a sum too large",
        "sub": "a difference too large",
    }
    known |= {"mul": "a product too large", "const": "an infinite constant"}
    return known.get(op, op + " of {0:.3g}").format(*args)


def _divided(equations: Equations, given: Mapping[str, Any], end: End, fastest: str) -> str:
    """What a rate is divided by that is all but 0, with the values that make it so; "" where nothing is."""
    g, sizes = equations.graph, dict(zip(equations.states, end.largest, strict=True))
    rates = dict(zip(equations.states, equations.rates, strict=True))
    for state in (fastest, *(name for name in equations.states if name != fastest)):
        pole = nearest(g, rates[state], given, sizes)
        if pole:
            names = sorted(g.symbols([pole.divisor]))
            values = ", ".join(f"{name} = {float(np.asarray(given[name])):.6g}" for name in names)
            return (
                f"the rate of {state} has no bound, since it is divided by {written(g, pole.divisor)}, "
                f"which is {pole.value:.3g} there ({values}); give values with which that does not come to 0"
            )
    return ""


def _fastest(equations: Equations, given: Mapping[str, Any], end: End) -> tuple[str, float, float]:
    """The state that changes most for its size, its value and its rate."""
    rates = np.array([float(np.asarray(r)) for r in equations.graph.evaluate(equations.rates, given)])
    size = np.maximum(np.abs(end.y), np.maximum(1e-3 * end.largest, 1e-300))
    k = int(np.argmax(np.where(np.isfinite(rates), np.abs(rates), np.inf) / size))
    return equations.states[k], float(end.y[k]), float(rates[k])
