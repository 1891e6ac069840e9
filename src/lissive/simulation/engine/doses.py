"""Events of many subjects as the engine takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lissive.errors import SimulationError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Doses:
    """Events of many subjects as columns; subject s follows rows start[which[s]] to start[which[s]+1]."""

    time: Array
    action: npt.NDArray[np.int64]
    target: npt.NDArray[np.int64]
    value: Array
    start: npt.NDArray[np.int64]
    which: npt.NDArray[np.int64]
    scale: Array
    shift: Array


def check(doses: Doses, subjects: int, states: int, inputs: int) -> None:
    """Refuse a table that would have the machine code look outside its memory."""
    rows = len(doses.time)
    same = {len(doses.action), len(doses.target), len(doses.value)} == {rows}
    people = {len(doses.which), len(doses.scale), len(doses.shift)} == {subjects}
    start, which = doses.start, doses.which
    ordered = len(start) > 0 and start[0] >= 0 and start[-1] <= rows and bool(np.all(np.diff(start) >= 0))
    known = subjects == 0 or (which.min() >= 0 and which.max() < len(start) - 1)
    places = {0: states, 1: inputs}
    for action, most in places.items():
        target = (
            doses.target[: start[-1]][doses.action[: start[-1]] == action]
            if ordered and same
            else np.zeros(0)
        )
        known = known and bool(np.all((target >= 0) & (target < most)))
    if not (same and people and ordered and known):
        raise SimulationError(
            "The table of doses does not fit the model or the subjects.",
            where="doses",
            allowed="columns of one length; places of states, of inputs and of schedules that there are.",
            do="make it with lissive.simulation.schedule.Regimen.",
        )


def no_doses(subjects: int) -> Doses:
    nothing, index = np.zeros(1), np.zeros(1, dtype=np.int64)
    return Doses(
        nothing, index, index, nothing, np.zeros(2, dtype=np.int64), np.zeros(subjects, dtype=np.int64),
        np.ones(subjects), np.zeros(subjects),
    )  # fmt: skip
