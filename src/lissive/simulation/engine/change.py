"""What a change of parameters means for the steps that follow.

A step that suited before a change may leap over what the change sets off, and its error estimate not show it: what
is over within a small part of a step looks settled. So the rates are compared just before and just after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.arrays import BoolArray, FloatArray, IntArray
from lissive.model.equations import TIME

if TYPE_CHECKING:
    from lissive.simulation.engine.kernel import Batch

WITHIN = 10.0
"""A step is too long for a state that settles so many times over within it."""
_NUDGE = 1e-7
"""Share of a state's size by which it is moved to see how its rate answers."""


def notice(batch: Batch, members: IntArray, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Shorten the next step of those on whom a change of parameters acts faster than it can see.

    members : places.      before, after : every parameter to one number, or one for each of `members`.
    What suited after earlier doses is kept as far as a dose would still act about as fast.
    """
    changed = {name for name, value in after.items() if not np.array_equal(before[name], value)}
    rates = [k for k, names in enumerate(batch.kernel.rests_on) if names & changed]
    if not rates or not len(members):
        return
    rate = _Rates(batch, members, rates)
    old, new = rate(before), rate(after)
    clock = batch._clock[members]
    step, sudden = clock[:, 1], _sudden(batch, members, rate, after, (old, new))
    first = np.fmax(np.fmin(step, batch.tolerances.first_step), 4e-15 * np.abs(clock[:, 0]))
    batch._clock[members, 1] = np.where(sudden, first, step)
    _relearn(batch, members, rate, (before, old), (after, new))


class _Rates:
    """Those rates that the change reaches, at the states of some subjects."""

    def __init__(self, batch: Batch, members: IntArray, rates: Sequence[int]) -> None:
        self._equations, self.states = batch.kernel.equations, rates
        self._time, self.y = batch.time[members], batch.y[members]

    def __call__(self, parameters: Mapping[str, Any], y: FloatArray | None = None) -> FloatArray:
        """(subject, rate)"""
        equations = self._equations
        given = {**parameters, TIME: self._time}
        given.update(zip(equations.states, (self.y if y is None else y).T, strict=True))
        found = equations.graph.evaluate([equations.rates[k] for k in self.states], given)
        return np.stack([np.broadcast_to(each, len(self.y)) for each in found], axis=1)


def _sudden(
    batch: Batch,
    members: IntArray,
    rate: _Rates,
    after: Mapping[str, Any],
    rates: tuple[FloatArray, FloatArray],
) -> BoolArray:
    """(subject,) with a state that its changed rate takes further than its error may be, many times over settled
    within the next step.
    """
    tol, step = batch.tolerances, batch._clock[members, 1][:, None]
    y, (old, new) = rate.y[:, rate.states], rates
    size = np.maximum(np.abs(y), tol.peak_share * batch._seen[members][:, rate.states])
    with np.errstate(all="ignore"):
        jump = new - old
        # a nudge along the jump that moves no state by more than a small share of its size, or of what it gains
        most = np.where(jump != 0.0, np.maximum(size, np.abs(jump) * step * _NUDGE) / np.abs(jump), np.inf)
        nudge = _NUDGE * most.min(axis=1, keepdims=True)
        nudge = np.where(np.isfinite(nudge), nudge, 0.0)
        moved = rate.y.copy()
        moved[:, rate.states] += nudge * jump
        per_time = np.abs((rate(after, moved) - new) / nudge / jump)
        way = np.abs(jump) / per_time
        slow = (per_time * step <= WITHIN) | (way <= tol.atol + tol.rtol * size)
    found: BoolArray = ((jump != 0.0) & ~slow).any(axis=1)  # what is no number counts as sudden
    return found


def _relearn(
    batch: Batch,
    members: IntArray,
    rate: _Rates,
    before: tuple[Mapping[str, Any], FloatArray],
    after: tuple[Mapping[str, Any], FloatArray],
) -> None:
    """Let a dose count as larger by as much as it now acts faster, so that a first step after it is found anew."""
    for state in np.flatnonzero((batch._last[members] > 0.0).any(axis=(0, 2))):
        amount = batch._last[members, state].max(axis=1)
        more = rate.y.copy()
        more[:, state] += amount
        acts = [np.abs(rate(given, more) - there).max(axis=1) for given, there in (before, after)]
        with np.errstate(all="ignore"):
            ratio = np.where(acts[0] == acts[1], 1.0, acts[0] / acts[1])
        batch._last[members, state] *= np.where(np.isfinite(ratio), ratio, 1.0)[:, None]
