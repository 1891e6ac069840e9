"""The slow, clear way to integrate `Equations`: plain Python made from the graph, and SciPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from lissive.model.equations import TIME, Equations

_INFIX = {"add": "+", "sub": "-", "mul": "*", "lt": "<", "le": "<=", "eq": "==", "ne": "!=", "xor": "!="}
_LOGIC = {"and": "and", "or": "or"}


def _guarded(function: Callable[..., float]) -> Callable[..., float]:
    """As IEEE arithmetic has it: no exception, but not a number or infinity."""

    def call(*args: float) -> float:
        try:
            value = function(*args)
            return (
                value
                if isinstance(value, float)
                else float(value.real if not getattr(value, "imag", 0) else "nan")
            )
        except (ValueError, ZeroDivisionError):
            return math.nan
        except OverflowError:
            return math.inf

    return call


def _divide(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if a == 0.0 or a != a else math.copysign(math.inf, a)


_CALLS: dict[str, Callable[..., float]] = {
    name: _guarded(getattr(math, function))
    for name, function in {
        **{
            n: n
            for n in "exp log sqrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh pow".split()
        },
        "tgamma": "gamma",
    }.items()
}
_CALLS |= {
    "div": _divide, "abs": abs, "min": min, "max": max,
    "floor": lambda x: float(math.floor(x)) if math.isfinite(x) else x,
    "ceil": lambda x: float(math.ceil(x)) if math.isfinite(x) else x,
}  # fmt: skip


def compile_nodes(equations: Equations, roots: Sequence[int]) -> Callable[..., list[float]]:
    """A Python function (time, states, parameters by name) -> values of `roots`."""
    g = equations.graph
    place = {name: i for i, name in enumerate(equations.states)}
    lines = ["def f(t, y, p):"]
    for e in g.reachable(roots):
        op, *args = g.nodes[e]
        n = [f"n{a}" for a in g.args(e)]
        if op == "const":
            body = {"inf": "inf", "-inf": "-inf", "nan": "nan"}.get(repr(args[0]), repr(args[0]))
        elif op == "sym":
            body = (
                "t" if args[0] == TIME else f"y[{place[args[0]]}]" if args[0] in place else f"p[{args[0]!r}]"
            )
        elif op in _INFIX:
            body = f"{n[0]} {_INFIX[op]} {n[1]}"
        elif op in _LOGIC:
            body = f"{n[0]} {op} {n[1]}"
        elif op == "neg":
            body = f"-{n[0]}"
        elif op == "not":
            body = f"not {n[0]}"
        elif op in ("true", "false"):
            body = op.capitalize()
        elif op == "select":
            body = f"{n[1]} if {n[0]} else {n[2]}"
        else:
            body = f"{op}({', '.join(n)})"
        lines.append(f"    n{e} = {body}")
    lines.append(f"    return [{', '.join(f'n{e}' for e in roots)}]")
    space: dict[str, Any] = {**_CALLS, "inf": math.inf, "nan": math.nan}
    exec("\n".join(lines), space)
    function: Callable[..., list[float]] = space["f"]
    return function


def integrate(
    equations: Equations,
    times: Sequence[float],
    outputs: Sequence[str],
    *,
    parameters: Mapping[str, float] | None = None,
    add: Mapping[str, float] | None = None,
    method: str = "LSODA",
    rtol: float = 1e-9,
    atol: float | None = None,
) -> np.ndarray[Any, Any]:
    """(time, output) values from the first of `times`; `add` is added to the initial states."""
    p = {**equations.parameters, **(parameters or {})}
    start = np.array(compile_nodes(equations, equations.initial)(0.0, [], p), dtype=float)
    for name, amount in (add or {}).items():
        start[equations.dose_targets[name]] += amount
    shown = compile_nodes(equations, [equations.quantities[o] for o in outputs])
    times = np.asarray(times, dtype=float)
    if not equations.states:
        return np.array([shown(t, [], p) for t in times])
    rates = compile_nodes(equations, equations.rates)
    scale = float(np.max(np.abs(start), initial=0.0)) or 1.0
    run = solve_ivp(
        lambda t, y: rates(t, y.tolist(), p),
        (times[0], times[-1]),
        start,
        method=method,
        t_eval=times,
        rtol=rtol,
        atol=1e-10 * min(scale, 1.0) if atol is None else atol,
    )
    assert run.success, run.message
    return np.array([shown(t, y.tolist(), p) for t, y in zip(times, run.y.T, strict=True)])
