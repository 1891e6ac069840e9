"""A model in libRoadRunner in a process of its own.

Its compiler has ended a process of the tests (segmentation fault while it read a model, in a process in which other
compilers had run); there a second process tries again.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

ATTEMPTS = 2


def _serve(pipe: Connection, text: str) -> None:
    import roadrunner

    # Without optimisation, which takes longer than all runs.
    roadrunner.Config.setValue(roadrunner.Config.LLVM_BACKEND, roadrunner.Config.LLJIT)
    roadrunner.Config.setValue(roadrunner.Config.LLJIT_OPTIMIZATION_LEVEL, 0)
    model = roadrunner.RoadRunner(text)
    pipe.send(None)
    while True:
        try:
            what, *given = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(_done(model, what, given))
        except RuntimeError as fault:
            pipe.send(fault)


def _done(model: Any, what: str, given: list[Any]) -> Any:
    if what == "get":
        return float(model[given[0]])
    if what == "set":
        model[given[0]] = given[1]
    elif what == "integrator":
        setattr(model.integrator, *given)
    elif what == "select":
        model.timeCourseSelections = given[0]
    elif what == "reset":
        model.resetToOrigin()
    elif what == "simulate":
        return np.array(model.simulate(*given))
    elif what == "rates":
        rates = model.getRatesOfChangeNamedArray()
        names = [name.rstrip("'") for name in rates.colnames]
        return dict(zip(names, np.ravel(rates).tolist(), strict=True))
    return None


class Model:
    """What the tests ask of a model."""

    def __init__(self, text: str) -> None:
        """
        Parameters
        ----------
        text : SBML.

        Raises       EOFError where the process ended while it read the text, each time.
        """
        for attempt in range(ATTEMPTS):
            self._pipe, theirs = multiprocessing.Pipe()
            process = multiprocessing.get_context("spawn").Process(
                target=_serve, args=(theirs, text), daemon=True
            )
            process.start()
            theirs.close()
            try:
                self._pipe.recv()
                return
            except EOFError:
                if attempt == ATTEMPTS - 1:
                    raise

    def _ask(self, *what: Any) -> Any:
        self._pipe.send(what)
        found = self._pipe.recv()
        if isinstance(found, RuntimeError):
            raise found
        return found

    def __getitem__(self, name: str) -> float:
        return float(self._ask("get", name))

    def __setitem__(self, name: str, value: float) -> None:
        self._ask("set", name, float(value))

    def tolerances(self, relative: float, absolute: float, steps: int) -> None:
        """Of the integrator, and the most steps between two outputs."""
        self._ask("integrator", "relative_tolerance", relative)
        self._ask("integrator", "absolute_tolerance", absolute)
        self._ask("integrator", "maximum_num_steps", steps)

    def reset(self) -> None:
        """To the start, with the text's own parameters."""
        self._ask("reset")

    def simulate(self, outputs: list[str], start: float, end: float, points: int) -> np.ndarray:
        """(points, outputs)"""
        self._ask("select", outputs)
        return np.asarray(self._ask("simulate", start, end, points))

    def rates(self) -> dict[str, float]:
        """Rate of change of each state that moves."""
        return dict(self._ask("rates"))
