"""Seconds a patient against error, ours and libRoadRunner's, and how many times as fast at the same error.

>>> ours, theirs = [(1e-4, 0.01), (1e-6, 0.02)], [(1e-3, 0.5), (1e-7, 8.0)]
>>> round(ratio_at_equal_error(ours, theirs)["middle"], 3)
141.421
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.bench.accuracy import Solved, our_run, rms, scale_of, scaled_error, worst
from lissive.bench.peer import EVENTS, RESTARTS, Peer

OURS, PEER = "lissive", "libroadrunner"
SHARES = (1.0, 1e-3)
"""libRoadRunner's absolute tolerance of each state, by rtol times the state's largest value."""
LEAST = 1e-30
TIGHT = (1e-12, 1e-11, 1e-10)
TRY_AT = 1e-6
POINTS = 9

Point = tuple[float, float]
"""Error and seconds."""


def frontier(points: Sequence[Point]) -> list[Point]:
    """Those that no other beats in both, by error; seconds fall as the error grows.

    >>> frontier([(1e-6, 2.0), (1e-4, 1.0), (1e-3, 1.5)])
    [(1e-06, 2.0), (0.0001, 1.0)]
    """
    best: list[Point] = []
    for error, seconds in sorted(points):
        if np.isfinite(error) and error > 0 and (not best or seconds < best[-1][1]):
            best.append((error, seconds))
    return best


def ratio_at_equal_error(ours: Sequence[Point], theirs: Sequence[Point]) -> dict[str, float] | None:
    """Their seconds by ours over the errors that both reach, between points by straight lines in logarithms.

    middle : geometric mean over these errors.    None where they share no error.
    """
    a, b = frontier(ours), frontier(theirs)
    if not a or not b:
        return None
    low, high = max(a[0][0], b[0][0]), min(a[-1][0], b[-1][0])
    if low > high:
        return None
    errors = np.geomspace(low, high, POINTS)
    ratio = _seconds(b, errors) / _seconds(a, errors)
    return {
        "middle": float(np.exp(np.log(ratio).mean())),
        "least": float(ratio.min()),
        "most": float(ratio.max()),
        "from_error": float(low),
        "to_error": float(high),
    }


def _seconds(points: Sequence[Point], errors: FloatArray) -> FloatArray:
    error, seconds = (np.log(column) for column in zip(*points, strict=True))
    return np.exp(np.interp(np.log(errors), error, seconds))


def our_table(
    solved: Solved, tolerances: Sequence[float], compared: int, repeats: int
) -> list[dict[str, Any]]:
    """One row for each tolerance: the whole batch timed, the error of the patients that both run."""
    some = slice(0, compared)
    reference = solved.reference.values[some]
    n = len(solved)
    rows = []
    for rtol in tolerances:
        runs = [our_run(solved.problem, solved.kernel, solved.patients, rtol) for _ in range(repeats)]
        error = scaled_error(runs[0][0].values[some], reference)
        rows.append(
            {
                "engine": OURS,
                "rtol": rtol,
                "atol": "1e-3 of the largest so far",
                "seconds_per_patient": min(cpu for _, _, cpu, _ in runs) / n,
                "wall_seconds_per_patient": min(wall for _, _, _, wall in runs) / n,
                "patients": n,
                "failed": int((runs[0][1] != 0).sum()),
                "max_error": worst(error),
                "rms_error": rms(error),
            }
        )
    return rows


class Comparison:
    """libRoadRunner on the first patients of a problem."""

    def __init__(self, solved: Solved, patients: int) -> None:
        self.solved, self.patients = solved, min(patients, len(solved))
        self.start = solved.kernel.start(len(solved), solved.patients).y
        self.scale = scale_of(solved.reference.values)
        self.peers: dict[str, Peer] = {}

    def run(self, way: str, patient: int, rtol: float, share: float) -> tuple[FloatArray, float, float]:
        """Scaled error (time, output), infinite where the run fails, and CPU and wall seconds."""
        if way not in self.peers:
            self.peers[way] = Peer(self.solved.problem, way)
        size = self.scale[patient, 0, : self.start.shape[1]]
        atol = np.maximum(rtol * share * size, LEAST)
        mine = {name: float(value[patient]) for name, value in self.solved.patients.items()}
        values, cpu, wall = self.peers[way].run(mine, self.start[patient], rtol, atol)
        reference = self.solved.reference.values[patient : patient + 1]
        error = scaled_error(reference * np.nan if values is None else values[None], reference)
        return error[0], cpu, wall

    def faster_way(self, repeats: int) -> tuple[str, dict[str, float]]:
        """Which way of giving the doses costs less, on the typical patient."""
        seconds = {
            way: min(self.run(way, 0, TRY_AT, SHARES[-1])[1] for _ in range(repeats))
            for way in (EVENTS, RESTARTS)
        }
        return min(seconds, key=lambda way: seconds[way]), seconds

    def table(self, way: str, tolerances: Sequence[float], repeats: int) -> list[dict[str, Any]]:
        return [self._row(way, rtol, share, repeats) for rtol in tolerances for share in SHARES]

    def _row(self, way: str, rtol: float, share: float, repeats: int) -> dict[str, Any]:
        errors, cpus, walls = [], [], []
        for patient in range(self.patients):
            runs = [self.run(way, patient, rtol, share) for _ in range(repeats)]
            if np.isfinite(runs[0][0]).all():
                errors.append(runs[0][0])
                cpus.append(min(cpu for _, cpu, _ in runs))
                walls.append(min(wall for _, _, wall in runs))
        solved = len(errors)
        return {
            "engine": PEER,
            "rtol": rtol,
            "atol": f"rtol times {share:g} of each state's largest value",
            "doses": way,
            "seconds_per_patient": float(np.mean(cpus)) if solved else None,
            "wall_seconds_per_patient": float(np.mean(walls)) if solved else None,
            "patients": self.patients,
            "failed": self.patients - solved,
            "max_error": worst(np.array(errors)) if solved else None,
            "rms_error": rms(np.array(errors)) if solved else None,
        }

    def agreement(self, way: str) -> dict[str, Any] | None:
        """The largest difference of the typical patient, libRoadRunner as tight as it works."""
        for rtol in TIGHT:
            error, _, _ = self.run(way, 0, rtol, SHARES[-1])
            if np.isfinite(error).all():
                at = np.unravel_index(np.argmax(error), error.shape)
                return {
                    "rtol": rtol,
                    "our_rtol": self.solved.reference_rtol,
                    "max_difference": worst(error),
                    "output": self.solved.problem.outputs[int(at[1])],
                    "hour": float(self.solved.problem.hours[int(at[0])]),
                }
        return None


def points(rows: Sequence[dict[str, Any]]) -> list[Point]:
    """Error and seconds of those rows in which every patient was solved."""
    return [(row["max_error"], row["seconds_per_patient"]) for row in rows if not row["failed"]]
