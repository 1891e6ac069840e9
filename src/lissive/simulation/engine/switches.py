"""When a model's own conditions on time change: moments at which every step has to end.

A one-step method looks at the rates at a few points of a step and is blind to what switches between them.
Conditions that rest on time and parameters alone (`piecewise` on time, whole parts of time) are therefore solved
for beforehand: exactly where they are linear in time, else by looking at many points and bisecting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lissive.model.equations import TIME, Equations

Array = npt.NDArray[np.float64]

POINTS = 4001
"""How many points are looked at where a condition is not linear in time."""
MOST = 100_000
"""The most changes of one condition that are followed."""
_SMOOTH = {"const", "sym", "add", "sub", "mul", "div", "neg"}
_BESIDE = 4
"""How many units in the last place before and after a change the steps end, so that none straddles it."""


class Switches:
    """Conditions on time in a model; empty for most."""

    def __init__(self, equations: Equations, roots: Sequence[int], watched: Sequence[int] = ()) -> None:
        """watched : those of the roots that are looked at between steps: in them equalities and kinks count too."""
        g = self._graph = equations.graph
        self._items: list[tuple[int, bool, int | None]] = []  # node, whether its whole part counts, its slope
        self.parameters: tuple[str, ...] = ()
        if TIME not in g.symbols(roots):
            return
        time, states = g.symbol(TIME), {g.symbol(s) for s in equations.states}
        timed, moving = {time}, set(states)
        within = set(g.reachable(watched))
        for e in g.reachable(roots):
            args = g.args(e)
            if any(a in moving for a in args):
                moving.add(e)
            elif any(a in timed for a in args):
                timed.add(e)
                op = g.nodes[e][0]
                if op in ("lt", "le") or (op in ("eq", "ne", "min", "max") and e in within):
                    self._add(g.sub(args[0], args[1]), whole=False)
                elif op == "abs" and e in within:  # at its kink it is smallest, be it for a moment
                    self._add(args[0], whole=False)
                elif op in ("floor", "ceil"):
                    self._add(args[0], whole=True)
        names = g.symbols([node for node, *_ in self._items]) - {TIME}
        self.parameters = tuple(name for name in equations.parameters if name in names)

    def _add(self, node: int, *, whole: bool) -> None:
        slope = self._graph.diff(node, self._graph.symbol(TIME))
        smooth = {self._graph.nodes[e][0] for e in self._graph.reachable([node])} <= _SMOOTH
        linear = smooth and TIME not in self._graph.symbols([slope])
        self._items.append((node, whole, slope if linear else None))

    def __bool__(self) -> bool:
        return bool(self._items)

    def moments(
        self, given: Mapping[str, Array], subjects: int, start: float, end: float
    ) -> tuple[Array, npt.NDArray[np.int64]]:
        """Where steps have to end, from `start` to `end` and some way on: times, and where each subject's begin.

        given : parameter to (subject,) values, for those in `parameters`.
        """
        if not self:
            return np.zeros(1), np.zeros(subjects + 1, dtype=np.int64)
        rows = (
            np.stack([given[name] for name in self.parameters], axis=1)
            if self.parameters
            else np.zeros((subjects, 0))
        )
        distinct, which = (
            np.unique(rows, axis=0, return_inverse=True) if rows.size else (rows[:1], np.zeros(subjects, int))
        )
        # A step may reach past the pause, so what switches soon after it has to be known as well.
        each = [
            self._of(dict(zip(self.parameters, row, strict=True)), start, 2 * end - start) for row in distinct
        ]
        lengths = np.array([len(m) for m in each], dtype=np.int64)[which.ravel()]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return np.concatenate([*(each[w] for w in which.ravel()), np.zeros(1)]), offsets

    def _of(self, given: Mapping[str, float], start: float, end: float) -> Array:
        found: list[Array] = []
        for node, whole, slope in self._items:

            def at(t: Array | float, node: int = node) -> Array:
                value = self._graph.evaluate([node], {**given, TIME: t})[0]
                return np.broadcast_to(np.asarray(value, float), np.shape(t))

            if slope is None:
                found.append(_changes(at, start, end, whole=whole))
                continue
            rate = float(self._graph.evaluate([slope], {**given, TIME: 0.0})[0])
            found.append(_linear(float(at(0.0)), rate, start, end, whole=whole))
        moments = np.unique(np.concatenate([*found, np.zeros(0)]))
        moments = moments[np.isfinite(moments) & (moments >= start)]
        apart = _BESIDE * np.spacing(np.maximum(np.abs(moments), 1e-3))
        return np.sort(np.concatenate([moments - apart, moments + apart]))


def _linear(value: float, rate: float, start: float, end: float, *, whole: bool) -> Array:
    """Where value + rate*t crosses zero, or each whole number."""
    if rate == 0.0 or not np.isfinite(rate):
        return np.zeros(0)
    if not whole:
        return np.array([-value / rate])
    low, high = sorted((value + rate * start, value + rate * end))
    numbers = np.arange(np.ceil(low), min(np.floor(high), np.ceil(low) + MOST) + 1)
    return (numbers - value) / rate


def _changes(at: Callable[[Array], Array], start: float, end: float, *, whole: bool) -> Array:
    """Where the sign, or the whole part, of a function changes: looked for at many points, then bisected."""

    def side(t: Array) -> Array:
        return np.floor(at(t)) if whole else (at(t) < 0).astype(float)

    points = np.linspace(start, end, POINTS)
    sides = side(points)
    low, high = points[:-1][sides[1:] != sides[:-1]], points[1:][sides[1:] != sides[:-1]]
    before = side(low)
    while True:
        middle = 0.5 * (low + high)
        if not ((middle > low) & (middle < high)).any():
            found: Array = high
            return found
        same = side(middle) == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
