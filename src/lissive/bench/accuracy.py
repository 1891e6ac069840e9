"""How far is a run from a run that is much closer to the truth?

>>> reference = np.array([[[1.0], [4.0]]])
>>> round(worst(scaled_error(reference + 0.004, reference)), 9)
0.001
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.bench.problems import Problem
from lissive.simulation.engine import Kernel, Seen, Tolerances, build


def scale_of(reference: FloatArray) -> FloatArray:
    """(subject, 1, output) largest absolute value over time."""
    largest: FloatArray = np.abs(reference).max(axis=1, keepdims=True)
    return largest


def scaled_error(values: FloatArray, reference: FloatArray, scale: FloatArray | None = None) -> FloatArray:
    """|values - reference| by each subject's and output's largest |reference| over time; (subject, time, output).

    Where the reference is always 0 it is |values| as they are. What is not a number is infinitely wrong.
    """
    scale = scale_of(reference) if scale is None else scale
    error: FloatArray = np.abs(values - reference) / np.where(scale > 0.0, scale, 1.0)
    return np.nan_to_num(error, nan=np.inf, posinf=np.inf)


def worst(error: FloatArray) -> float:
    return float(error.max(initial=0.0))


def rms(error: FloatArray) -> float:
    return float(np.sqrt(np.mean(error**2)))


@dataclass
class Solved:
    """Patients of one problem, solved by us."""

    problem: Problem
    kernel: Kernel
    patients: Mapping[str, FloatArray]
    reference_rtol: float
    reference: Seen
    seconds: dict[float, float] = field(default_factory=dict)
    """rtol to CPU seconds a patient, the best so far."""

    def __len__(self) -> int:
        return len(self.reference.values)


def our_run(
    problem: Problem,
    kernel: Kernel,
    patients: Mapping[str, FloatArray],
    rtol: float,
    *,
    threads: int = 1,
    days: bool = False,
    hours: bool = True,
) -> tuple[Seen, Any, float, float]:
    """What was seen, the status, and CPU and wall seconds from parameters to output."""
    n = len(next(iter(patients.values())))
    doses = problem.doses(kernel, n)
    cpu, wall = time.process_time(), time.perf_counter()
    batch = kernel.start(n, patients, tolerances=Tolerances(rtol=rtol))
    seen = batch.advance(
        problem.until,
        doses,
        times=problem.hours if hours else (),
        edges=problem.edges if days else (),
        threads=threads,
    )
    return seen, batch.status, time.process_time() - cpu, time.perf_counter() - wall


def solve(problem: Problem, patients: int, *, rtol: float, threads: int = 1) -> Solved:
    """The reference run."""
    kernel = build(problem.equations, problem.outputs)
    people = problem.patients(patients)
    seen, _, _, _ = our_run(problem, kernel, people, rtol, threads=threads, days=True)
    return Solved(problem, kernel, people, rtol, seen)


def accuracy(solved: Solved, tolerances: Sequence[float]) -> list[dict[str, Any]]:
    """One row for each tolerance."""
    reference = solved.reference
    scale = scale_of(reference.values)
    rows = []
    for rtol in tolerances:
        seen, status, _, _ = our_run(solved.problem, solved.kernel, solved.patients, rtol, days=True)
        hourly = scaled_error(seen.values, reference.values, scale)
        # the highest and the lowest of a day are read off a few points in each step, its mean is a quadrature
        by_day = {
            name: scaled_error(getattr(seen, name), getattr(reference, name), scale)
            for name in ("mean", "maximum", "minimum")
        }
        rows.append(
            {
                "rtol": rtol,
                "failed": int((status != 0).sum()),
                "max_error": worst(hourly),
                "max_error_over_rtol": worst(hourly) / rtol,
                "rms_error_over_rtol": rms(hourly) / rtol,
                "daily_max_error_over_rtol": worst(hourly[:, ::24]) / rtol,
                "day_mean_error_over_rtol": worst(by_day["mean"]) / rtol,
                "day_maximum_error_over_rtol": worst(by_day["maximum"]) / rtol,
                "day_minimum_error_over_rtol": worst(by_day["minimum"]) / rtol,
                "worst_at": _place(hourly, solved.problem),
                "worst_outputs": _leaders(hourly, solved.problem, rtol),
                "day_maximum_worst_outputs": _leaders(by_day["maximum"], solved.problem, rtol),
            }
        )
    return rows


def _place(error: FloatArray, problem: Problem) -> dict[str, Any]:
    subject, hour, output = (int(i) for i in np.unravel_index(np.argmax(error), error.shape))
    return {"patient": subject + 1, "hour": float(problem.hours[hour]), "output": problem.outputs[output]}


def _leaders(error: FloatArray, problem: Problem, rtol: float, count: int = 5) -> dict[str, float]:
    """The outputs with the largest errors, over rtol."""
    largest = error.max(axis=(0, 1))
    return {problem.outputs[i]: float(largest[i] / rtol) for i in np.argsort(-largest)[:count]}
