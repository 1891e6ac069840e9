"""A model's own events: who is due for which, and what it does to them.

The compiled loop halts a subject where one of its triggers turns and where a delay is over, and knows no more. What
was set off is kept here, for each subject, until it is carried out. One event is carried out at a time; then the
loop looks at all triggers again, at the same moment, before the next.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lissive.arrays import FloatArray, IntArray
from lissive.model.equations import TIME, Equations, Event
from lissive.model.expression import COMPARISONS
from lissive.simulation.engine.why import ENDLESS, HALTED, NO_DELAY

if TYPE_CHECKING:
    from lissive.simulation.engine.kernel import Batch

RESTING = -1
"""Status of subjects whom an advance leaves out: no end of a run, so it is nobody's afterwards."""
MOST_AT_ONCE, AT_ONCE = 2_000, 1e-9
"""More events than this within such a share of the time are taken to set one another off without end."""


def watched(equations: Equations) -> dict[str, int]:
    """Nodes that are 0 or 1: the triggers, then all that they compare, so that no short turn of one is missed."""
    g = equations.graph
    triggers = [event.trigger for event in equations.events]
    compared = [e for e in g.reachable(triggers) if g.nodes[e][0] in COMPARISONS]
    nodes = [*triggers, *(e for e in compared if e not in triggers)]
    return {f"trigger {k}": g.select(e, g.const(1.0), g.const(0.0)) for k, e in enumerate(nodes)}


class _Due(NamedTuple):
    time: float
    event: int
    values: FloatArray | None
    """(assignment,) worked out when it was set off, where the event wants it so."""


class Agenda:
    """What the events of a model still have to do, for every subject of a batch."""

    def __init__(self, equations: Equations, subjects: int, watch: int) -> None:
        self._equations = equations
        self.flag = np.full((subjects, watch), np.nan)
        self.halt = np.full(subjects, np.inf)
        self._was = np.tile(np.array([event.initial for event in equations.events]), (subjects, 1))
        self._due: list[list[_Due]] = [[] for _ in range(subjects)]
        self.seed, self.number = 0, np.arange(subjects)
        """Of what is left to chance, and each subject's number in the whole run."""
        self._dice: dict[int, np.random.Generator] = {}
        self._at, self._count = np.full(subjects, np.nan), np.zeros(subjects, np.int64)

    def begin(self, batch: Batch) -> None:
        """Before anything is given: a trigger that is still false can be turned by the first doses."""
        if np.isnan(self.flag).all():
            now = self._values(
                batch, np.arange(len(batch)), [event.trigger for event in self._equations.events]
            )
            self._was &= now > 0.5

    def settle(self, batch: Batch) -> bool:
        """Let the events act on those who have halted; whether anybody has."""
        halted = np.flatnonzero(batch.status == HALTED)
        if not len(halted):
            return False
        batch.status[batch.status == 0] = RESTING
        batch.status[halted] = 0
        self._notice(batch, halted)
        self._act(batch, halted)
        return True

    def _notice(self, batch: Batch, members: IntArray) -> None:
        """What has been set off, and what is called off, since the last look."""
        new = self.flag[members, : self._was.shape[1]] > 0.5
        was, self._was[members] = self._was[members], new
        for k, event in enumerate(self._equations.events):
            if not event.persistent:
                for s in members[was[:, k] & ~new[:, k]]:
                    self._due[s] = [due for due in self._due[s] if due.event != k]
            risen = members[new[:, k] & ~was[:, k]]
            if not len(risen):
                continue
            delay = self._values(batch, risen, [] if event.delay is None else [event.delay])
            values = self._values(batch, risen, [value for _, value, _ in event.assigned])
            for j, s in enumerate(risen):
                late = float(delay[j, 0]) if event.delay is not None else 0.0
                if not late >= 0.0:
                    batch.status[s] = NO_DELAY
                self._due[s].append(
                    _Due(float(batch.time[s]) + late, k, values[j] if event.from_trigger else None)
                )

    def _act(self, batch: Batch, members: IntArray) -> None:
        """Carry out one event of each subject who has one due, and look again at once; else wait for the next."""
        acting: dict[int, list[tuple[int, _Due]]] = defaultdict(list)
        for s in (int(s) for s in members if batch.status[s] == 0):
            now = float(batch.time[s])
            ready = [due for due in self._due[s] if due.time <= now]
            self.halt[s] = now if ready else min((due.time for due in self._due[s]), default=math.inf)
            if not ready:
                continue
            if not now - self._at[s] <= AT_ONCE * max(abs(now), 1e-3):
                self._at[s], self._count[s] = now, 0
            self._count[s] += 1
            if self._count[s] > MOST_AT_ONCE:
                batch.status[s] = ENDLESS
                continue
            first = ready[0] if len(ready) == 1 else self._first(batch, s, ready)
            self._due[s].remove(first)
            acting[first.event].append((s, first))
        for k, those in acting.items():
            self._assign(batch, self._equations.events[k], those)

    def _first(self, batch: Batch, subject: int, ready: Sequence[_Due]) -> _Due:
        """That of the highest priority as it is now, by chance among equals; those without one follow, in order."""
        ranks = []
        for due in ready:
            node = self._equations.events[due.event].priority
            rank = -math.inf
            if node is not None:
                rank = float(self._values(batch, np.array([subject]), [node])[0, 0])
            ranks.append(-math.inf if math.isnan(rank) else rank)
        highest = [due for due, rank in zip(ready, ranks, strict=True) if rank == max(ranks)]
        if len(highest) == 1 or max(ranks) == -math.inf:
            return min(highest, key=lambda due: due.event)
        if subject not in self._dice:
            self._dice[subject] = np.random.default_rng([self.seed, self.number[subject]])
        return highest[int(self._dice[subject].integers(len(highest)))]

    def _assign(self, batch: Batch, event: Event, those: Sequence[tuple[int, _Due]]) -> None:
        members = np.array([s for s, _ in those])
        nodes = [value for _, value, _ in event.assigned]
        values = (
            np.array([due.values for _, due in those])
            if event.from_trigger
            else self._values(batch, members, nodes)
        )
        for by_size in (False, True):  # a concentration by the size that the same event may have changed
            for k, (state, _, size) in enumerate(event.assigned):
                if (size is not None) == by_size:
                    factor = 1.0 if size is None else self._values(batch, members, [size])[:, 0]
                    batch.y[members, state] = values[:, k] * factor
        batch.jump(members)

    def _values(self, batch: Batch, members: IntArray, nodes: Sequence[int]) -> FloatArray:
        """(subject, node) as they are now."""
        g, states = self._equations.graph, self._equations.states
        place = {name: i for i, name in enumerate(states)}
        given: dict[str, Any] = {}
        for name in g.symbols(nodes):
            if name == TIME:
                given[name] = batch.time[members]
            elif name in place:
                given[name] = batch.y[members, place[name]]
            else:
                given[name] = batch.parameter(name, members)
        found = np.empty((len(members), len(nodes)))
        for k, value in enumerate(g.evaluate(nodes, given)):
            found[:, k] = value
        return found
