"""Other solvers on the same model, patients and doses: each in a process of its own, one thread each, taken by turns.

A process loads one solver (counted as set-up), and then runs one patient at one tolerance whenever it is asked, so
that a machine that is busy for a while hurts all alike. Timed is the processor time from parameters to outputs.
Every solver is restarted at each dose, as it has no doses of its own, but COPASI, which has them as SBML events.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import numpy as np

from lissive.arrays import FloatArray
from lissive.bench.peer import RESTARTS, Peer, legs_of, with_events
from lissive.bench.problems import Problem, problem
from lissive.bench.rhs import function, text
from lissive.model.check import to_sbml

Go = Callable[[], FloatArray]
"""Solves, and gives (time, output)."""
Run = Callable[[Mapping[str, float], FloatArray, float, FloatArray], Go]
"""(patient, (state,) start, rtol, (state,) atol) to what solves it; only that is timed."""


@dataclass(frozen=True)
class Rival:
    """Another solver."""

    name: str
    module: str
    """What is imported."""
    package: str
    """What is installed, by its name there."""
    about: str
    make: Callable[[Problem], Run]
    needs: str = ""
    """What else it takes to install it."""


# -- what those that call a function share ---------------------------------------------------------
Legs = list[tuple[FloatArray, FloatArray, slice]]
"""(state,) what is added, the times to be seen from the start of the leg to its end, rows of output."""


def legs(given: Problem) -> Legs:
    """From dose to dose."""
    places = {name: k for k, name in enumerate(given.equations.states)}
    found: Legs = []
    for doses, times, _, rows in legs_of(given):
        added = np.zeros(len(places))
        for name, amount in doses:
            added[places[name]] += amount
        found.append((added, np.array(times), rows))
    return found


def _by_legs(
    given: Problem, solve: Callable[[FloatArray, FloatArray, FloatArray, float, FloatArray], FloatArray]
) -> Run:
    """`solve(y, times, p, rtol, atol)` to (time, state), leg by leg; then the outputs, all at once."""
    equations = given.equations
    defaults = equations.parameters
    roots = [equations.quantities[name] for name in given.outputs]
    course = legs(given)

    def run(patient: Mapping[str, float], start: FloatArray, rtol: float, atol: FloatArray) -> Go:
        values = {**defaults, **patient}
        return partial(go, values, np.array(list(values.values())), start, rtol, atol)

    def go(
        values: Mapping[str, float], p: FloatArray, start: FloatArray, rtol: float, atol: FloatArray
    ) -> FloatArray:
        y, seen = start.copy(), np.empty((len(given.hours), len(start)))
        for added, times, rows in course:
            states = solve(y + added, times, p, rtol, atol)
            seen[rows] = states[np.searchsorted(times, given.hours[rows])]
            y = states[-1]
        named = {name: seen[:, k] for k, name in enumerate(equations.states)}
        found = equations.graph.evaluate(roots, {**values, **named, "time": given.hours})
        return np.stack([np.broadcast_to(each, given.hours.shape) for each in found], axis=1)

    return run


def _rates(given: Problem, *, arrays: bool = False) -> str:
    return text(
        given.equations.graph,
        given.equations.rates,
        given.equations.states,
        list(given.equations.parameters),
        arrays=arrays,
    )


# -- the solvers -----------------------------------------------------------------------------------
def _scipy(method: str) -> Callable[[Problem], Run]:
    def make(given: Problem) -> Run:
        from scipy.integrate import solve_ivp

        rates = function(_rates(given))

        def solve(
            y: FloatArray, times: FloatArray, p: FloatArray, rtol: float, atol: FloatArray
        ) -> FloatArray:
            known = p.tolist()

            def call(t: float, state: FloatArray) -> Any:
                return rates(t, state.tolist(), known)

            found = solve_ivp(
                call, (times[0], times[-1]), y, method=method, t_eval=times, rtol=rtol, atol=atol
            )
            if not found.success:
                raise RuntimeError(found.message)
            return np.asarray(found.y.T)

        return _by_legs(given, solve)

    return make


def _sundae(given: Problem) -> Run:
    from sksundae.cvode import CVODE

    rates = function(_rates(given))

    def solve(y: FloatArray, times: FloatArray, p: FloatArray, rtol: float, atol: FloatArray) -> FloatArray:
        known = p.tolist()

        def call(t: float, state: FloatArray, out: FloatArray) -> None:
            out[:] = rates(t, state.tolist(), known)

        found = CVODE(call, rtol=rtol, atol=atol, max_num_steps=1_000_000).solve(_two(times), y)
        if not found.success:
            raise RuntimeError(found.message)
        return np.asarray(found.y)[-len(times) :] if len(times) == 2 else np.asarray(found.y)

    return _by_legs(given, solve)


def _two(times: FloatArray) -> FloatArray:
    """With three times at least: of two, this solver returns its own steps between them."""
    return np.array([times[0], 0.5 * (times[0] + times[-1]), times[-1]]) if len(times) == 2 else times


def _numbalsoda(given: Problem) -> Run:
    import numba
    from numbalsoda import lsoda, lsoda_sig

    rates = numba.njit(function(_rates(given)))
    size = len(given.equations.parameters)

    @numba.cfunc(lsoda_sig)  # type: ignore[untyped-decorator]
    def call(t: Any, u: Any, du: Any, p: Any) -> None:
        found = rates(t, u, numba.carray(p, (size,)))
        for k, each in enumerate(found):
            du[k] = each

    def solve(y: FloatArray, times: FloatArray, p: FloatArray, rtol: float, atol: FloatArray) -> FloatArray:
        found, is_solved = lsoda(call.address, y, times, data=p, rtol=rtol, atol=float(atol.min()))
        if not is_solved:
            raise RuntimeError("not solved")
        return np.asarray(found)

    return _by_legs(given, solve)


def _diffrax(given: Problem) -> Run:
    import diffrax
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    rates = function(_rates(given, arrays=True), jnp)
    term = diffrax.ODETerm(lambda t, y, p: jnp.stack([jnp.asarray(each, float) for each in rates(t, y, p)]))
    course = legs(given)
    most = max(len(times) for _, times, _ in course)
    padded = np.array([np.append(times, np.full(most - len(times), times[-1])) for _, times, _ in course])
    added = np.array([each for each, _, _ in course])

    @jax.jit  # type: ignore[untyped-decorator]
    def whole(start: Any, p: Any, rtol: Any, atol: Any) -> Any:
        def leg(y: Any, given_now: Any) -> Any:
            more, times = given_now
            found = diffrax.diffeqsolve(
                term,
                diffrax.Kvaerno5(),
                times[0],
                times[-1],
                None,
                y + more,
                args=p,
                saveat=diffrax.SaveAt(ts=times),
                stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
                max_steps=100_000,
            )
            return found.ys[-1], found.ys

        return jax.lax.scan(leg, start, (added, padded))[1]

    size = len(given.equations.states)
    likely = (np.ones(size), np.ones(len(given.equations.parameters)), 1e-4, np.ones(size))
    whole = whole.lower(*likely).compile()  # the compilation is set-up

    def solve_all(start: FloatArray, p: FloatArray, rtol: float, atol: FloatArray) -> FloatArray:
        return np.asarray(whole(start, p, rtol, atol))

    return _of_all_legs(given, course, solve_all)


def _of_all_legs(given: Problem, course: Legs, solve_all: Callable[..., FloatArray]) -> Run:
    state = {"leg": 0, "found": np.empty(0)}

    def solve(y: FloatArray, times: FloatArray, p: FloatArray, rtol: float, atol: FloatArray) -> FloatArray:
        if state["leg"] == 0:
            state["found"] = solve_all(y - course[0][0], p, rtol, atol)
        seen: FloatArray = state["found"][state["leg"], : len(times)]  # type: ignore[index]
        state["leg"] = (state["leg"] + 1) % len(course)  # type: ignore[operator]
        return seen

    return _by_legs(given, solve)


def _copasi(given: Problem) -> Run:
    import basico

    states, hours, equations = given.equations.states, given.hours, given.equations
    model = basico.load_model_from_string(_by_ids(to_sbml(with_events(given))))
    method = {"name": "Deterministic (LSODA)", "Max Internal Steps": 10_000_000}
    basico.set_task_settings("Time-Course", {"method": method}, model=model)
    of_parameters = set(basico.get_parameters(model=model).index)
    roots = [equations.quantities[name] for name in given.outputs]
    # a state that is no species, as an effect compartment's, has no size to be divided by
    one = equations.graph.const(1.0)
    sizes = [equations.quantities.get(f"[{name}]", one) for name in states]

    def run(patient: Mapping[str, float], start: FloatArray, rtol: float, atol: FloatArray) -> Go:
        values = {**equations.parameters, **patient}
        unit = {**values, **dict.fromkeys(states, 1.0), "time": 0.0}
        by_size = np.array([float(each) for each in equations.graph.evaluate(sizes, unit)])
        for name, value in patient.items():
            change = basico.set_parameters if name in of_parameters else basico.set_compartment
            change(name, exact=True, initial_value=float(value), model=model)
        for name, amount in zip(states, start * by_size, strict=True):
            if name in of_parameters:
                basico.set_parameters(name, exact=True, initial_value=float(amount), model=model)
            else:
                basico.set_species(name, exact=True, initial_concentration=float(amount), model=model)
        return partial(go, values, by_size, rtol, float(atol.min()))

    def go(values: Mapping[str, float], by_size: FloatArray, rtol: float, atol: float) -> FloatArray:
        found = basico.run_time_course(
            values=hours.tolist(), r_tol=rtol, a_tol=atol, model=model, start_time=0.0
        )
        columns = [f"Values[{name}]" if name in of_parameters else name for name in states]
        named = {
            name: found[column].to_numpy() / size
            for name, column, size in zip(states, columns, by_size, strict=True)
        }
        seen = equations.graph.evaluate(roots, {**values, **named, "time": hours})
        return np.stack([np.broadcast_to(each, hours.shape) for each in seen], axis=1)

    return run


def _by_ids(sbml: str) -> str:
    """Without the names for people, which COPASI would use in place of the ids."""
    import libsbml

    document = libsbml.readSBMLFromString(sbml)
    for each in document.getListOfAllElements():
        each.unsetName()
    text_of_it: str = libsbml.writeSBMLToString(document)
    return text_of_it


def _roadrunner(given: Problem) -> Run:
    peer = Peer(given, RESTARTS)

    def run(patient: Mapping[str, float], start: FloatArray, rtol: float, atol: FloatArray) -> Go:
        return partial(go, patient, start, rtol, atol)

    def go(patient: Mapping[str, float], start: FloatArray, rtol: float, atol: FloatArray) -> FloatArray:
        values, _, _ = peer.run(patient, start, rtol, atol)
        if values is None:
            raise RuntimeError("not solved")
        return values

    return run


FORTRAN = "; its source needs a Fortran compiler"
RIVALS = (
    Rival("libroadrunner", "roadrunner", "libroadrunner", "CVODE, compiled by LLVM", _roadrunner),
    Rival("copasi", "basico", "copasi-basico", "COPASI's LSODA", _copasi),
    Rival("numbalsoda", "numbalsoda", "numbalsoda", "LSODA, rates compiled by numba", _numbalsoda, FORTRAN),
    Rival("diffrax", "diffrax", "diffrax", "Kvaerno5, compiled by XLA", _diffrax),
    Rival("cvode", "sksundae", "scikit-sundae", "SUNDIALS CVODE, rates in Python", _sundae),
    Rival("lsoda", "scipy", "scipy", "SciPy's LSODA, rates in Python", _scipy("LSODA")),
    Rival("bdf", "scipy", "scipy", "SciPy's BDF, rates in Python", _scipy("BDF")),
    Rival("amici", "amici", "amici", "CVODES, compiled by a C++ compiler", lambda _: _not_yet()),
)


def _not_yet() -> Run:
    raise NotImplementedError("no adapter: it compiles each model with a C++ compiler")


def missing(rival: Rival) -> str:
    """Why it cannot be run here; nothing where it can."""
    if find_spec(rival.module) is None:
        return f"not installed (pip install {rival.package}{rival.needs})"
    return ""


def version_of(rival: Rival) -> str:
    try:
        return version(rival.package)
    except PackageNotFoundError:
        return "unknown"


# -- a process each --------------------------------------------------------------------------------
def _serve(pipe: Any, name: str, problem_name: str, days: int | None) -> None:
    """In the process: load, then answer (patient, start, rtol, atol) by (values or None, seconds)."""
    rival = next(each for each in RIVALS if each.name == name)
    given = problem(problem_name, days)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu = time.process_time()
    try:
        run = rival.make(given)
    except Exception as error:
        pipe.send({"not": _first(error)})
        return
    pipe.send({"setup_s": time.process_time() - cpu})
    while (asked := pipe.recv()) is not None:
        patient, start, rtol, atol = asked
        go = run(patient, start, rtol, atol)
        cpu = time.process_time()
        try:
            values: FloatArray | None = go()
            why = ""
        except Exception as error:
            values, why = None, _first(error)
        spent = time.process_time() - cpu
        pipe.send((values, spent, why))
    pipe.send({"mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024})


def _first(error: Exception) -> str:
    """The error in one line: of a text that holds a trace of calls its last sentence, without this computer's paths."""
    lines = [each for each in str(error).split("-----")[0].splitlines() if each.strip()]
    line = lines[-1] if "Traceback" in str(error) else " ".join(lines)
    return f"{type(error).__name__}: {' '.join(line.split())}"[:160]


SETUP_S, RUN_S = 60.0, 40.0
"""Seconds after which a set-up, or the run of one patient, is ended."""


class Process:
    """One rival, loaded with one problem, in a process of its own."""

    def __init__(self, rival: Rival, problem_name: str, days: int | None) -> None:
        self.rival = rival
        here, there = multiprocessing.get_context("spawn").Pipe()
        one = {
            "OMP_NUM_THREADS": "1",
            "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
        }
        kept = {name: os.environ.get(name) for name in one}
        os.environ.update(one)
        try:
            self.process = multiprocessing.get_context("spawn").Process(
                target=_serve, args=(there, rival.name, problem_name, days), daemon=True
            )
            self.process.start()
        finally:
            for name, value in kept.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        self.pipe = here
        self.found: dict[str, Any] = {}
        self.found = self._said(SETUP_S) or {
            "not": f"set-up took over {SETUP_S:.0f} s, or ended without a word"
        }

    def _said(self, limit: float) -> Any:
        """What the process says within so many seconds; else None, and it is ended."""
        try:
            if self.pipe.poll(limit):
                return self.pipe.recv()
        except (EOFError, ConnectionError):
            pass
        self.process.terminate()
        return None

    def run(
        self, patient: Mapping[str, float], start: FloatArray, rtol: float, atol: FloatArray
    ) -> tuple[FloatArray | None, float, str]:
        """Values or None, processor seconds, why there are none."""
        self.pipe.send((dict(patient), start, rtol, atol))
        if answer := self._said(RUN_S):
            found: tuple[FloatArray | None, float, str] = answer
            return found
        self.found["stopped"] = f"over {RUN_S:.0f} s at rtol {rtol:.0e}: asked no further"
        return None, RUN_S, self.found["stopped"]

    def end(self) -> dict[str, Any]:
        if not {"not", "stopped"} & set(self.found):
            self.pipe.send(None)
            self.found |= self._said(10) or {}
        self.process.join(10)
        return self.found


def by_turns(
    processes: Sequence[Process], tolerances: Sequence[float], repeats: int
) -> Iterator[tuple[float, Process]]:
    """Each at each tolerance, all of them before any comes again."""
    for _ in range(repeats):
        for rtol in tolerances:
            for each in processes:
                if not {"not", "stopped"} & set(each.found):
                    yield rtol, each
