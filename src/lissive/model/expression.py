"""Arithmetic as a graph in which equal expressions are one node.

Every expression is an integer: its place in a `Graph`. Building an expression that exists gives the
same integer, so common sub-expressions are shared at no cost; arguments always come before what uses
them, so the integers are already in order of evaluation. Differentiation gives nodes of the same graph.

>>> g = Graph()
>>> x = g.symbol("x")
>>> y = g.mul(g.const(3.0), g.pow(x, g.const(2.0)))
>>> float(g.evaluate([g.diff(y, x)], {"x": 2.0})[0])
12.0
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

FUNCTIONS = (
    "exp log sqrt abs floor ceil sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh tgamma".split()
)
"""Real functions of one argument that a node may apply."""

COMPARISONS = ("lt", "le", "eq", "ne")
"""Nodes that hold a truth value of two numbers; with `and or xor not true false`, the only boolean ones."""

_COMMUTATIVE = {"add", "mul", "min", "max", "and", "or", "xor", "eq", "ne"}

NEAR_ZERO = 1e-12
"""Nearer to zero than this a root's slope is taken as it is here."""

Node = tuple[Any, ...]


def _gamma(x: Any) -> Any:
    def one(v: float) -> float:
        try:
            return math.gamma(v)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return np.vectorize(one, otypes=[float])(x)


_NUMPY: dict[str, Any] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.power,
    "neg": np.negative, "min": np.minimum, "max": np.maximum,
    "lt": np.less, "le": np.less_equal, "eq": np.equal, "ne": np.not_equal,
    "and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor, "not": np.logical_not,
    "select": np.where, "tgamma": _gamma,
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": np.abs, "floor": np.floor, "ceil": np.ceil,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
}  # fmt: skip


class Graph:
    """Expressions that share their common parts."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._place: dict[Node, int] = {}

    @classmethod
    def of(cls, nodes: Sequence[Node]) -> Graph:
        """A graph of these nodes, each at its place in the sequence."""
        graph = cls()
        graph.nodes = list(nodes)
        graph._place = {node: i for i, node in enumerate(graph.nodes)}
        return graph

    def _node(self, *node: Any) -> int:
        if node[0] in _COMMUTATIVE and node[1] > node[2]:
            node = (node[0], node[2], node[1])
        place = self._place.get(node)
        if place is None:
            place = self._place[node] = len(self.nodes)
            self.nodes.append(node)
        return place

    # -- leaves ---------------------------------------------------------------------------------
    def const(self, value: float) -> int:
        return self._node("const", float(value) + 0.0)  # + 0.0 turns -0.0 into 0.0

    def symbol(self, name: str) -> int:
        return self._node("sym", name)

    def value(self, e: int) -> float | None:
        """The number that `e` is, or None where it is not constant."""
        node = self.nodes[e]
        return node[1] if node[0] == "const" else None

    def args(self, e: int) -> tuple[int, ...]:
        """The nodes that `e` uses directly."""
        node = self.nodes[e]
        return () if node[0] in ("const", "sym", "true", "false") else node[1:]

    # -- arithmetic, folded where a constant makes it simpler --------------------------------------
    def _fold(self, op: str, *args: int) -> int | None:
        values = [self.value(a) for a in args]
        if any(v is None for v in values):
            return None
        with np.errstate(all="ignore"):
            return self.const(float(_NUMPY[op](*np.asarray(values, dtype=float))))

    def add(self, a: int, b: int) -> int:
        if self.value(a) == 0.0:
            return b
        if self.value(b) == 0.0:
            return a
        if self.nodes[b][0] == "neg":
            return self.sub(a, self.nodes[b][1])
        folded = self._fold("add", a, b)
        return self._node("add", a, b) if folded is None else folded

    def sub(self, a: int, b: int) -> int:
        if self.value(b) == 0.0:
            return a
        if self.value(a) == 0.0:
            return self.neg(b)
        folded = self._fold("sub", a, b)
        return self._node("sub", a, b) if folded is None else folded

    def neg(self, a: int) -> int:
        if self.nodes[a][0] == "neg":
            return int(self.nodes[a][1])
        folded = self._fold("neg", a)
        return self._node("neg", a) if folded is None else folded

    def mul(self, a: int, b: int) -> int:
        for x, y in ((a, b), (b, a)):
            v = self.value(x)
            if v == 0.0:
                return self.const(0.0)
            if v == 1.0:
                return y
            if v == -1.0:
                return self.neg(y)
        folded = self._fold("mul", a, b)
        return self._node("mul", a, b) if folded is None else folded

    def div(self, a: int, b: int) -> int:
        if self.value(b) == 1.0:
            return a
        if self.value(a) == 0.0 and self.value(b) != 0.0:
            return self.const(0.0)
        folded = self._fold("div", a, b)
        if folded is not None:
            return folded
        if self.value(a) == 1.0:
            return self._node("div", a, b)
        # One reciprocal serves every quotient by b, and a reciprocal of parameters is computed once a run.
        return self.mul(a, self._reciprocal(b))

    def ratio(self, a: int, b: int) -> int:
        """a / b rounded once. `div` goes through 1 / b, which may fall just short of a whole number."""
        folded = self._fold("div", a, b)
        return self._node("div", a, b) if folded is None else folded

    def _reciprocal(self, b: int) -> int:
        folded = self._fold("div", self.const(1.0), b)
        return self._node("div", self.const(1.0), b) if folded is None else folded

    def pow(self, a: int, b: int) -> int:
        folded = self._fold("pow", a, b)
        if folded is not None:
            return folded
        p = self.value(b)
        if p is not None and abs(p) <= 8.0 and float(2.0 * p).is_integer():
            return self._small_power(a, p)
        return self._node("pow", a, b)

    def _small_power(self, a: int, p: float) -> int:
        if p < 0.0:
            return self.div(self.const(1.0), self._small_power(a, -p))
        if p == 0.0:
            return self.const(1.0)
        if not p.is_integer():
            root = self.call("sqrt", a)
            return root if p == 0.5 else self.mul(self._small_power(a, p - 0.5), root)
        half = self._small_power(a, float(p // 2)) if p > 1.0 else a
        if p == 1.0:
            return a
        square = self.mul(half, half)
        return self.mul(square, a) if p % 2 else square

    def call(self, function: str, a: int) -> int:
        """One of FUNCTIONS applied to `a`."""
        folded = self._fold(function, a)
        return self._node(function, a) if folded is None else folded

    def min(self, a: int, b: int) -> int:
        folded = self._fold("min", a, b)
        return self._node("min", a, b) if folded is None else folded

    def max(self, a: int, b: int) -> int:
        folded = self._fold("max", a, b)
        return self._node("max", a, b) if folded is None else folded

    # -- truth ----------------------------------------------------------------------------------
    def truth(self, value: bool) -> int:
        return self._node("true" if value else "false")

    def _is(self, e: int) -> bool | None:
        return {"true": True, "false": False}.get(self.nodes[e][0])

    def compare(self, op: str, a: int, b: int) -> int:
        """`op` is one of lt, le, eq, ne, gt, ge."""
        if op in ("gt", "ge"):
            return self.compare("lt" if op == "gt" else "le", b, a)
        va, vb = self.value(a), self.value(b)
        if va is not None and vb is not None:
            return self.truth(bool(_NUMPY[op](va, vb)))
        return self._node(op, a, b)

    def not_(self, a: int) -> int:
        known = self._is(a)
        return self._node("not", a) if known is None else self.truth(not known)

    def logic(self, op: str, a: int, b: int) -> int:
        """`op` is one of and, or, xor."""
        ta, tb = self._is(a), self._is(b)
        if ta is not None and tb is not None:
            return self.truth(bool(_NUMPY[op](ta, tb)))
        return self._node(op, a, b)

    def select(self, condition: int, yes: int, no: int) -> int:
        """`yes` where `condition` holds, else `no`; both are numbers, or both are truths."""
        known = self._is(condition)
        if known is not None:
            return yes if known else no
        return yes if yes == no else self._node("select", condition, yes, no)

    # -- calculus -------------------------------------------------------------------------------
    def gradient(self, e: int, symbols: Sequence[int]) -> dict[int, int]:
        """Derivatives of `e` by each of `symbols` that it uses: {symbol: node}, zeros left out.

        Backwards from `e`, so that a long chain is multiplied out once for all symbols at its end.
        """
        wanted, involved = set(symbols), set[int]()
        order = self.reachable([e])
        for n in order:
            if n in wanted or any(a in involved for a in self.args(n)):
                involved.add(n)
        share = {e: self.const(1.0)}
        for n in reversed(order):
            if n not in share or n not in involved or n in wanted:
                continue
            for a, slope in zip(self.args(n), self._partials(n), strict=True):
                if slope is not None and a in involved:
                    term = self.mul(share[n], slope)
                    share[a] = self.add(share[a], term) if a in share else term
        return {s: d for s, d in share.items() if s in wanted and self.value(d) != 0.0}

    def diff(self, e: int, symbol: int) -> int:
        """The derivative of `e` by one symbol."""
        return self.gradient(e, [symbol]).get(symbol, self.const(0.0))

    def _partials(self, n: int) -> tuple[int | None, ...]:
        """Derivatives of node `n` by its arguments; None where it is zero."""
        op, *args = self.nodes[n]
        one = self.const(1.0)
        if op == "add":
            return one, one
        if op == "sub":
            return one, self.const(-1.0)
        if op == "mul":
            return args[1], args[0]
        if op == "neg":
            return (self.const(-1.0),)
        if op == "div":
            return self.div(one, args[1]), self.neg(self.mul(n, self.div(one, args[1])))
        if op == "pow":
            base, power = args
            root = self.compare("lt", power, one)
            by_base = self.mul(power, self.pow(self._off_zero(base, root), self.sub(power, one)))
            if self.value(power) is not None:
                return by_base, None
            return by_base, self.mul(n, self.call("log", self._off_zero(base, self.truth(False))))
        if op in ("min", "max"):
            first = self.compare("lt" if op == "min" else "gt", args[0], args[1])
            zero = self.const(0.0)
            return self.select(first, one, zero), self.select(first, zero, one)
        if op == "select":
            zero = self.const(0.0)
            return None, self.select(args[0], one, zero), self.select(args[0], zero, one)
        return (self._function_slope(op, n, args[0]),) if op in FUNCTIONS else (None,) * len(args)

    def _off_zero(self, x: int, root: int) -> int:
        """`x`, but not zero, and where `root` holds not near it.

        Where a root begins its slope is infinite. A solver needs a number there, and one that does not hold
        the state at zero: the slope at a size that hardly matters in any unit.
        """
        near = self.select(root, self.const(NEAR_ZERO), self.const(0.0))
        off = self.select(root, self.const(NEAR_ZERO), self.const(1e-30))
        return self.select(self.compare("le", self.call("abs", x), near), off, x)

    def _at_least(self, x: int, least: float) -> int:
        return self.select(self.compare("lt", x, self.const(least)), self.const(least), x)

    def _function_slope(self, op: str, n: int, a: int) -> int | None:
        one, square = self.const(1.0), self.mul(a, a)

        def inverse(x: int) -> int:
            return self.div(one, x)

        def root(x: int) -> int:
            return self.call("sqrt", x)

        table = {
            "exp": lambda: n,
            "log": lambda: inverse(a),
            "sqrt": lambda: self.div(self.const(0.5), self._at_least(n, math.sqrt(NEAR_ZERO))),
            "abs": lambda: self.select(self.compare("lt", a, self.const(0.0)), self.const(-1.0), one),
            "sin": lambda: self.call("cos", a),
            "cos": lambda: self.neg(self.call("sin", a)),
            "tan": lambda: self.add(one, self.mul(n, n)),
            "asin": lambda: inverse(root(self.sub(one, square))),
            "acos": lambda: self.neg(inverse(root(self.sub(one, square)))),
            "atan": lambda: inverse(self.add(one, square)),
            "sinh": lambda: self.call("cosh", a),
            "cosh": lambda: self.call("sinh", a),
            "tanh": lambda: self.sub(one, self.mul(n, n)),
            "asinh": lambda: inverse(root(self.add(square, one))),
            "acosh": lambda: inverse(root(self.sub(square, one))),
            "atanh": lambda: inverse(self.sub(one, square)),
        }
        # floor, ceil and the factorial are flat almost everywhere (or used on whole numbers only)
        return table[op]() if op in table else None

    # -- use ------------------------------------------------------------------------------------
    def reachable(self, roots: Iterable[int]) -> list[int]:
        """All nodes that `roots` rest on, themselves included, in order of evaluation."""
        seen: set[int] = set()
        stack = list(roots)
        while stack:
            e = stack.pop()
            if e not in seen:
                seen.add(e)
                stack.extend(self.args(e))
        return sorted(seen)

    def symbols(self, roots: Iterable[int]) -> set[str]:
        """Names of the symbols that `roots` rest on."""
        return {self.nodes[e][1] for e in self.reachable(roots) if self.nodes[e][0] == "sym"}

    def substitute(self, roots: Sequence[int], by: Mapping[str, int]) -> list[int]:
        """`roots` with each symbol named in `by` replaced by that node."""
        new: dict[int, int] = {}
        for e in self.reachable(roots):
            op, *rest = self.nodes[e]
            if op == "sym":
                new[e] = by.get(rest[0], e)
            elif op in ("const", "true", "false"):
                new[e] = e
            else:
                new[e] = self._rebuild(op, [new[a] for a in rest])
        return [new[e] for e in roots]

    def _rebuild(self, op: str, args: list[int]) -> int:
        if op in FUNCTIONS:
            return self.call(op, args[0])
        if op in COMPARISONS:
            return self.compare(op, *args)
        if op in ("and", "or", "xor"):
            return self.logic(op, *args)
        if op == "not":
            return self.not_(args[0])
        return int(self.ratio(*args) if op == "div" else getattr(self, op)(*args))

    def evaluate(self, roots: Sequence[int], given: Mapping[str, Any]) -> list[Any]:
        """Values of `roots` by plain NumPy, for symbols given as numbers or arrays. The slow, clear way."""
        values: dict[int, Any] = {}
        with np.errstate(all="ignore"):
            for e in self.reachable(roots):
                op, *args = self.nodes[e]
                if op == "const":
                    values[e] = args[0]
                elif op == "sym":
                    values[e] = np.asarray(given[args[0]], dtype=float)
                elif op in ("true", "false"):
                    values[e] = op == "true"
                else:
                    values[e] = _NUMPY[op](*(values[a] for a in args))
        return [values[e] for e in roots]
