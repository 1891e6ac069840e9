"""What a rate is divided by that is next to 0 where a run ended: the usual cause of a rate without bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from lissive.model.expression import Graph

NEAR = 1e-2
"""A divisor counts as next to 0 where its parts cancel to less than this share of their sizes."""
_LONGEST = 80
_SIGNS = {"add": (" + ", 1), "sub": (" - ", 1), "mul": ("*", 2), "div": ("/", 2), "pow": ("^", 3)}


class Pole(NamedTuple):
    """A divisor, how far it is from 0 in shares of its parts, and its value."""

    divisor: int
    share: float
    value: float


def nearest(g: Graph, rate: int, given: Mapping[str, Any], sizes: Mapping[str, float]) -> Pole | None:
    """Of all that a rate is divided by, what is nearest to 0; None where nothing is near.

    given : values of the symbols.      sizes : state to its largest size so far, by which one that is 0 is judged.
    """
    nodes = g.reachable([rate])
    values = dict(zip(nodes, (float(np.asarray(v)) for v in g.evaluate(nodes, given)), strict=True))
    found: list[Pole] = []
    for e in nodes:
        op, *args = g.nodes[e]
        if op == "div" or (op == "pow" and values[args[1]] < 0.0):
            found.append(_closest(g, args[1] if op == "div" else args[0], values, sizes))
    best = min(found, key=lambda each: each.share, default=None)
    return best if best and best.share < NEAR else None


def _closest(g: Graph, e: int, values: Mapping[int, float], sizes: Mapping[str, float]) -> Pole:
    """The sum, or the state, that makes a product or a power 0."""
    op, *args = g.nodes[e]
    if op in ("mul", "pow", "div", "neg", "sqrt"):
        parts = args[:2] if op == "mul" else args[:1]
        return min((_closest(g, a, values, sizes) for a in parts), key=lambda each: each.share)
    whole = sum(abs(values[a]) for a in _terms(g, e)) if op in ("add", "sub") else sizes.get(args[0], 0.0)
    share = abs(values[e]) / whole if whole > 0.0 else np.inf
    return Pole(e, share, values[e])


def _terms(g: Graph, e: int) -> list[int]:
    op, *args = g.nodes[e]
    return [each for a in args for each in _terms(g, a)] if op in ("add", "sub", "neg") else [e]


def written(g: Graph, e: int) -> str:
    """A formula as text; of a long one, what it rests on."""
    text = _infix(g, e)[0]
    return text if len(text) <= _LONGEST else f"a sum of {', '.join(sorted(g.symbols([e])))}"


def _plain(g: Graph, op: str, args: list[Any]) -> tuple[str, list[Any]]:
    """x*(1/y) as x/y, and x + -y as x - y."""
    for x, y in (args, reversed(args)) if op in ("mul", "add") else ():
        inside = g.nodes[y]
        if op == "mul" and inside[0] == "div" and g.value(inside[1]) == 1.0:
            return "div", [x, inside[2]]
        if op == "add" and inside[0] == "neg":
            return "sub", [x, inside[1]]
    return op, args


def _infix(g: Graph, e: int) -> tuple[str, int]:
    """The text, and how tightly its last operation binds."""
    op, *args = g.nodes[e]
    if op == "sym":
        return str(args[0]), 4
    if op == "const":
        return f"{args[0]:.6g}", 4 if args[0] >= 0 else 0
    if op == "neg":
        inside, binds = _infix(g, args[0])
        return f"-{inside if binds > 2 else f'({inside})'}", 1
    op, args = _plain(g, op, args)
    parts = [_infix(g, a) for a in args]
    if op not in _SIGNS:
        return f"{op}({', '.join(text for text, _ in parts)})", 4
    sign, binds = _SIGNS[op]
    left, right = parts
    first = left[0] if left[1] >= binds else f"({left[0]})"
    second = right[0] if right[1] > binds or (right[1] == binds and op in ("add", "mul")) else f"({right[0]})"
    return first + sign + second, binds
