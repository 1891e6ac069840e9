"""libRoadRunner on the same model, the same patients and the same doses.

It is used as its authors mean it, and as well as we know how: CVODE's stiff method, compiled by LLVM; an absolute
tolerance for each state, from its size; only what is asked for is recorded; loading the model is not counted. Doses
come either as SBML events, or by halting at each dose, raising the amount, and going on. Both are tried, and the
faster one is measured.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec

import numpy as np

from lissive.arrays import FloatArray
from lissive.bench.problems import DAY, Problem
from lissive.model.check import to_sbml

EVENTS, RESTARTS = "SBML events", "a halt at each dose"
MAX_STEPS = 1_000_000
NEVER = 1e30


def present() -> bool:
    return find_spec("roadrunner") is not None


class Peer:
    """One model, loaded."""

    def __init__(self, problem: Problem, way: str) -> None:
        import roadrunner

        self.problem, self.way = problem, way
        text = with_events(problem) if way == EVENTS else problem.text
        roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
        with quiet():
            self.model = roadrunner.RoadRunner(to_sbml(text))
        self.model.timeCourseSelections = list(problem.outputs)
        self.solver = self.model.getIntegrator()
        self.solver.setValue("stiff", True)
        self.solver.setValue("maximum_num_steps", MAX_STEPS)
        self.legs = legs_of(problem)

    def run(
        self, patient: Mapping[str, float], start: FloatArray, rtol: float, atol: FloatArray
    ) -> tuple[FloatArray | None, float, float]:
        """(time, output) values or None where it fails, and CPU and wall seconds.

        start, atol : (state,) amounts at time 0 and absolute tolerances.
        """
        model, states = self.model, self.problem.equations.states
        with quiet():
            model.resetAll()
            for name, value in patient.items():
                model.setValue(name, float(value))
            for name, value in zip(states, start, strict=True):
                model.setValue(name, float(value))
            if self.way == EVENTS:
                for k, dose in enumerate(self.problem.dosing):
                    model.setValue(f"next_dose_{k}", dose.hour)
            self.solver.setValue("relative_tolerance", rtol)
            self._absolute(atol)
            cpu, wall = time.process_time(), time.perf_counter()
            try:
                values = self._by_events() if self.way == EVENTS else self._by_restarts()
            except RuntimeError:
                values = None
            return values, time.process_time() - cpu, time.perf_counter() - wall

    def _absolute(self, atol: FloatArray) -> None:
        """By name: the solver has an order of its own, and zero is not allowed."""
        for name, value in zip(self.problem.equations.states, atol, strict=True):
            self.solver.setIndividualTolerance(name, float(value))

    def _by_events(self) -> FloatArray:
        return np.array(self.model.simulate(times=self.problem.hours.tolist()))

    def _by_restarts(self) -> FloatArray:
        model = self.model
        values = np.empty((len(self.problem.hours), len(self.problem.outputs)))
        for doses, times, first, rows in self.legs:
            for name, amount in doses:
                model.setValue(name, model.getValue(name) + amount)
            seen = model.simulate(times=times)
            values[rows] = seen[first : first + rows.stop - rows.start]
        return values


def legs_of(problem: Problem) -> list[tuple[list[tuple[str, float]], list[float], int, slice]]:
    """From dose to dose: what is given, the times to stop at, the first of them that is output, its rows."""
    given: dict[float, list[tuple[str, float]]] = {0.0: []}
    for day in range(problem.dosed_days):
        for dose in problem.dosing:
            given.setdefault(day * DAY + dose.hour, []).append((dose.into, dose.amount))
    starts = sorted(given)
    hours = problem.hours
    legs = []
    for start, end in zip(starts, [*starts[1:], problem.until], strict=True):
        last = end == problem.until
        inside = np.flatnonzero((hours >= start) & ((hours <= end) if last else (hours < end)))
        times = hours[inside].tolist()
        first = 0 if times and times[0] == start else 1
        times = times if first == 0 else [start, *times]
        times = times if times[-1] == end else [*times, end]
        place = int(inside[0]) if len(inside) else 0
        legs.append((given[start], times, first, slice(place, place + len(inside))))
    return legs


def with_events(problem: Problem) -> str:
    """The model's text with an event for each hour of the day that has a dose."""
    lines = []
    for k, dose in enumerate(problem.dosing):
        last = (problem.dosed_days - 1) * DAY + dose.hour
        lines.append(f"  next_dose_{k} = {dose.hour!r};")
        later = f"piecewise(next_dose_{k} + {DAY!r}, next_dose_{k} < {last!r}, {NEVER!r})"
        lines.append(
            f"  at (time >= next_dose_{k}): "
            f"{dose.into} = {dose.into} + {dose.amount!r}, next_dose_{k} = {later};"
        )
    body = problem.text.rstrip()
    if not body.endswith("end"):
        raise AssertionError("the model's text does not end with its model")
    return body.removesuffix("end") + "\n".join(lines) + "\nend\n"


def version() -> str:
    import roadrunner

    return str(roadrunner.__version__)


@contextmanager
def quiet() -> Iterator[None]:
    """CVODE writes its warnings past Python, straight to the process's own output."""
    c = ctypes.CDLL(None)
    sys.stdout.flush()
    sys.stderr.flush()
    kept, nowhere = [os.dup(1), os.dup(2)], os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        c.fflush(None)
        for number, each in zip((1, 2), kept, strict=True):
            os.dup2(each, number)
            os.close(each)
        os.close(nowhere)
