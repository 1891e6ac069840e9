"""A model's rates as plain Python text, for solvers that call a function: what a user of theirs would write by hand.

>>> from lissive.model.expression import Graph
>>> g = Graph()
>>> x, k = g.symbol("x"), g.symbol("k")
>>> print(text(g, [g.neg(g.mul(k, x))], ("x",), ("k",)).strip())
def rates(t, y, p):
    x = y[0]
    k = p[0]
    v2 = x * k
    v3 = -v2
    return (v3,)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from lissive.model.equations import TIME
from lissive.model.expression import Graph

INFIX = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "lt": "<", "le": "<=", "eq": "==", "ne": "!=",
}  # fmt: skip
CALLS = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
}
"""As NumPy and JAX name them."""


def text(
    graph: Graph,
    roots: Sequence[int],
    states: Sequence[str],
    parameters: Sequence[str],
    *,
    arrays: bool = False,
) -> str:
    """`rates(t, y, p)`; with `arrays`, choices are `where` and truths are joined by `&`, as JAX needs it."""
    places = {name: f"y[{k}]" for k, name in enumerate(states)} | {
        name: f"p[{k}]" for k, name in enumerate(parameters)
    }
    names: dict[int, str] = {}
    lines = []
    for e in graph.reachable(roots):
        op, *args = graph.nodes[e]
        if op in ("const", "true", "false"):
            names[e] = repr(args[0]) if op == "const" else op.capitalize()
        elif op == "sym":
            names[e] = "t" if args[0] == TIME else _identifier(args[0])
            if args[0] != TIME:
                lines.append(f"{names[e]} = {places[args[0]]}")
        else:
            names[e] = f"v{e}"
            lines.append(f"v{e} = {_said(op, [names[a] for a in args], arrays)}")
    body = "\n".join(f"    {line}" for line in [*lines, f"return ({', '.join(names[e] for e in roots)},)"])
    return f"def rates(t, y, p):\n{body}\n"


def _identifier(name: str) -> str:
    return (
        name
        if name.isidentifier() and name not in ("t", "y", "p") and not name.startswith("v")
        else f"s_{name}"
    )


def _said(op: str, args: list[str], arrays: bool) -> str:
    if op in INFIX:
        return f"{args[0]} {INFIX[op]} {args[1]}"
    if op == "neg":
        return f"-{args[0]}"
    if op == "select":
        return f"where({', '.join(args)})" if arrays else f"({args[1]} if {args[0]} else {args[2]})"
    if op in ("and", "or"):
        return (
            f"{args[0]} {({'and': '&', 'or': '|'} if arrays else {'and': 'and', 'or': 'or'})[op]} {args[1]}"
        )
    if op == "xor":
        return f"{args[0]} != {args[1]}"
    if op == "not":
        return f"~{args[0]}" if arrays else f"not {args[0]}"
    if op in ("min", "max"):
        return f"{f'{op}imum' if arrays else op}({', '.join(args)})"
    return f"{CALLS.get(op, op) if arrays else op}({', '.join(args)})"


def function(source: str, names: Any = math) -> Callable[..., Any]:
    """The function of a text; what it calls is looked up in a module."""
    known = {name: getattr(names, name) for name in dir(names) if not name.startswith("_")}
    if names is math:
        known |= {"abs": abs, "min": min, "max": max, "tgamma": math.gamma}
    exec(source, known)
    found: Callable[..., Any] = known["rates"]
    return found
