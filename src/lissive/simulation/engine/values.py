"""Values of a model's expression graph, written into a function as instructions."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from functools import partial
from typing import Any

from lissive.model.equations import TIME
from lissive.model.expression import Graph
from lissive.simulation.engine.ir import Function
from lissive.simulation.engine.plan import Plan, is_truth

LARGEST_SLOPE = 1e100
"""A derivative from here on is one that overflowed; it would hold its state where it is."""
Begin = Callable[[str, Sequence[str], int], Function]
_CHAINS = ("pow", "exp", "log")
_BESIDE = 3
"""How many of these are written side by side: as many as the registers hold."""
_BINARY = {op: op for op in ("add", "sub", "mul", "div", "pow")} | {"min": "smallest", "max": "largest"}
_COMPARE = {"lt": "olt", "le": "ole", "eq": "oeq", "ne": "une"}


class Evaluator:
    """Writes graph nodes into a function, each once, from values given for symbols and constants.

    begun : of a stage inside a step, what a node was at the step's start. What had a root there and is a little
        negative now, as an emptied state may be, has the root 0.
    """

    def __init__(
        self, plan: Plan, f: Function, known: dict[int, str], y: Sequence[str] | None = None, *,
        begun: Callable[[int], str] | None = None,
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
        moving = moved(self.graph, roots, self.rows)
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
            had = f.compare("oge", self.begun(rest[0]), f.const(0.0))
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


def slope(plan: Plan, at: Evaluator, entry: int) -> str:
    """A derivative, or 0 where it is none: the step is then less exact, which its error tells."""
    f, value = at.f, at.value(entry)
    if entry not in plan.unsure:
        return value
    return f.select(f.compare("olt", f.abs(value), f.const(LARGEST_SLOPE)), value, f.const(0.0))


def evaluator(
    plan: Plan, f: Function, y: Sequence[str], t: str, *, begun: Callable[[int], str] | None = None
) -> Evaluator:
    """An evaluator at states `y` and time `t`."""
    return Evaluator(plan, f, {plan.graph.symbol(TIME): t}, y, begun=begun)


def moved(g: Graph, roots: Sequence[int], once: Container[int]) -> set[int]:
    """The nodes that `roots` rest on and that are not computed `once`."""
    found, stack = set[int](), list(roots)
    while stack:
        e = stack.pop()
        if e not in found and e not in once:
            found.add(e)
            stack.extend(g.args(e))
    return found


class Later(Sequence[str]):
    """Values that are written when they are first asked for."""

    def __init__(self, make: Callable[[int], str], size: int) -> None:
        self._make, self._known, self._size = make, dict[int, str](), size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, i: Any) -> Any:
        if i not in self._known:
            self._known[i] = self._make(i)
        return self._known[i]
