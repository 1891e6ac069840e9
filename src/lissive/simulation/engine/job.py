"""What the threads of one advance share, and how each of them calls the compiled loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.simulation.engine import tableau
from lissive.simulation.engine.work import Work

if TYPE_CHECKING:
    from lissive.simulation.engine.kernel import Batch

ROW = 16
"""Columns of `clock` and `book`, see work.py."""


class Job:
    """One advance: what its threads share, and the call of the compiled loop that each of them makes."""

    def __init__(self, batch: Batch, asked: Mapping[str, Any], threads: int) -> None:
        kernel, tol = batch.kernel, batch.tolerances
        self.threads, self.stopped = threads, False
        self._bounds = np.linspace(0, len(batch), threads + 1).astype(np.int64)
        self.queue = np.zeros(ROW * threads, dtype=np.int64)
        self.again()
        self._records: dict[int, tuple[Any, Any]] = {}
        self.lanes, self.space = kernel.lanes, kernel.space
        self.drive = kernel._drive
        self.shared: dict[str, Any] = {
            "lanes": kernel.lanes,
            "n_states": len(kernel.states),
            "n_constants": kernel.constants,
            "n_inputs": len(kernel.inputs),
            "n_outputs": len(kernel.columns),
            "threads": threads,
            "most_steps": tol.max_steps,
            "first_step": tol.first_step,
            "queue": self.queue,
            "bounds": self._bounds,
            "y": batch.y,
            "seen": batch._seen,
            "init": batch._initial,
            "k": batch._constants,
            "rate": batch._rate,
            "clock": batch._clock,
            "suit": batch._suit,
            "given": batch._last,
            "book": batch._book,
            "TOL": np.array([tol.rtol, tol.atol, tol.peak_share]),
            **asked,
        }

    def again(self) -> None:
        """All subjects are to be taken once more."""
        self.queue[::ROW] = self._bounds[:-1]

    def stop(self, subjects: int) -> None:
        """Nobody takes another subject."""
        self.stopped = True
        self.queue[:] = subjects

    def run(self, thread: int) -> None:
        """Take subjects from the queue until there are none."""
        if thread not in self._records:
            has = {**self.shared, "thread": thread}
            counts = {name: has[f"n_{name}"] for name in ("states", "constants", "inputs", "outputs")}
            rows = lane_rows(**counts, scratch=self.space)
            fresh = _aligned([each * self.lanes for each in rows.values()])
            kinds = Work.fields()
            has |= {
                name: each.view(np.int64) if kinds[name] == "whole" else each
                for name, each in zip(rows, fresh, strict=True)
            }
            self._records[thread] = Work.memory(has), has  # the arrays must be kept as long as the record
        self.drive(self._records[thread][0].ctypes.data)


def lane_rows(states: int, constants: int, inputs: int, outputs: int, scratch: int) -> dict[str, int]:
    """Of each of the lanes' arrays, how many rows it has: at least one."""
    fields = list(Work.fields())
    rows = dict.fromkeys(fields[fields.index("Y") :], 1) | {"K": constants, "R": inputs, "S": scratch}
    rows |= dict.fromkeys(("Y", "SEEN", "YN"), states)
    rows |= {"D": len(tableau.DENSE) * states, "ERR": 2}
    rows |= dict.fromkeys(("OUT", "F0", "F1", "F2", "F3", "F4", "MEAN", "TOP", "LOW"), outputs)
    del rows["TOL"]
    return {name: max(count, 1) for name, count in rows.items()}


def _aligned(sizes: Sequence[int]) -> list[FloatArray]:
    """Arrays of zeros, each from a 64-byte boundary on, as vector loads need, and apart from all other memory."""
    lengths = [-(-size // 8) * 8 for size in sizes]
    raw = np.zeros(sum(lengths) + 48)
    offset = 16 + (-raw.ctypes.data % 64) // 8
    ends = offset + np.cumsum(lengths)
    return [
        raw[end - length : end - length + size]
        for end, length, size in zip(ends, lengths, sizes, strict=True)
    ]
