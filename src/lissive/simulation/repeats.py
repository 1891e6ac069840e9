"""Days that repeat the ones before: of people on a steady dose, most days are extrapolated and not solved.

Someone who takes the same units day after day comes to days that are all but alike; what still moves (a placebo
response, tolerance) moves slowly and towards an end. After three solved days with the same units the differences from
day to day are taken to go on as a geometric series, for as many days as the series is good for; then days are solved
again. A change of units ends it at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lissive.arrays import FloatArray, IntArray
from lissive.simulation.engine import Batch, Doses, Seen

SOLVED = 3
"""Days in a row with the same units that are solved before any is extrapolated."""
BEND = 0.02
"""How much the change of the daily change may add up to, as a proportion of the largest value, until days are solved
again; what the geometric series leaves of it is far less."""
LONGEST = 28
"""The most days in a row that are extrapolated."""


@dataclass
class Repeats:
    """What is known of each person's last solved days: (person, value), the state first, then means and maxima."""

    now: FloatArray
    last: FloatArray
    """Differences of the last solved day from the one before it."""
    before: FloatArray
    """The same one day earlier."""
    units: IntArray
    alike: IntArray
    """(person,) solved days in a row with these units."""
    gone: IntArray
    """(person,) days extrapolated since the last solved one."""
    good: IntArray
    """(person,) days for which the series is good."""

    @classmethod
    def of(cls, batch: Batch) -> Repeats:
        n, width = len(batch), len(batch.kernel.states) + 2 * len(batch.kernel.outputs)
        zero, count = np.zeros((n, width)), np.zeros(n, np.int64)
        return cls(zero, zero.copy(), zero.copy(), count - 1, count.copy(), count.copy(), count.copy())

    def advance(
        self, batch: Batch, day: Doses, units: IntArray, edges: tuple[float, float], threads: int
    ) -> Seen:
        """One day of everybody, solved or extrapolated; `units` are today's."""
        same = units == self.units
        rest = same & (self.gone < self.good)
        # their days until now were extrapolated: the day to be solved begins where these ended
        back = np.flatnonzero(~rest & (self.gone > 0))
        if back.size:
            batch.move(back, self._ahead(back, slice(batch.y.shape[1])), edges[0])
        seen = batch.advance(edges[1], day, edges=edges, stop=True, threads=threads, resting=rest)
        self._solved(batch, seen, np.flatnonzero(~rest), units)
        self._rested(seen, np.flatnonzero(rest))
        return seen

    def finish(self, batch: Batch, time: float) -> None:
        """Bring everybody's state to `time`, the end of the last day."""
        back = np.flatnonzero(self.gone > 0)
        if back.size:
            batch.move(back, self._ahead(back, slice(batch.y.shape[1])), time)

    def _solved(self, batch: Batch, seen: Seen, members: IntArray, units: IntArray) -> None:
        new = np.concatenate([batch.y[members], seen.mean[members, 0], seen.maximum[members, 0]], axis=1)
        skipped = self.gone[members] > 0
        # after extrapolated days the first solved one has no day before it to differ from
        self.before[members] = self.last[members]
        self.last[members] = new - self.now[members]
        self.now[members] = new
        alike = np.where(units[members] == self.units[members], self.alike[members] + 1, 1)
        self.alike[members] = np.where(skipped, 1, alike)
        self.units[members], self.gone[members] = units[members], 0
        ready = members[(self.alike[members] >= SOLVED) & (batch.status[members] == 0)]
        self.good[members] = 0
        self.good[ready] = self._good_for(batch, ready)

    def _good_for(self, batch: Batch, members: IntArray) -> IntArray:
        """(person,) for how many days the second differences add up to no more than BEND of the largest value."""
        n = batch.y.shape[1]
        bend = np.abs(self.last[members] - self.before[members])
        scale = np.maximum(np.abs(self.now[members]), np.abs(self.now[members] - self.last[members]))
        scale[:, :n] = np.maximum(scale[:, :n], batch.largest[members])
        worst = np.divide(bend, scale, out=np.zeros_like(bend), where=scale > 0).max(axis=1)
        days = np.sqrt(2.0 * BEND / np.maximum(worst, 1e-12))
        good: IntArray = np.minimum(days, LONGEST).astype(np.int64)
        return np.where(good < 2, 0, good)

    def _rested(self, seen: Seen, members: IntArray) -> None:
        if not members.size:
            return
        self.gone[members] += 1
        outputs = seen.mean.shape[2]
        found = self._ahead(members, slice(-2 * outputs, None))
        seen.mean[members, 0], seen.maximum[members, 0] = found[:, :outputs], found[:, outputs:]

    def _ahead(self, members: IntArray, part: slice) -> FloatArray:
        """The values of this part `gone` days after the last solved one."""
        now, last, before = self.now[members, part], self.last[members, part], self.before[members, part]
        ratio = np.divide(last, before, out=np.zeros_like(last), where=before != 0)
        ratio = np.clip(ratio, 0.0, 1.0)
        even = ratio > 1.0 - 1e-9
        ratio[even] = 0.0
        k = self.gone[members][:, None]
        days = ratio * (1.0 - ratio**k) / (1.0 - ratio)
        ahead: FloatArray = now + last * np.where(even, k, days)
        return ahead
