"""A model ready to run, and a batch of subjects on their way through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from lissive.cache import store, stored
from lissive.errors import ParameterError, SimulationError
from lissive.fingerprint import of_texts
from lissive.model.equations import Equations
from lissive.simulation.engine import compile as backend
from lissive.simulation.engine.agenda import RESTING, Agenda, watched
from lissive.simulation.engine.change import notice
from lissive.simulation.engine.doses import Doses, check, no_doses
from lissive.simulation.engine.emit import check_length, module
from lissive.simulation.engine.job import ROW, Job
from lissive.simulation.engine.plan import Plan, content, make_plan, quantity
from lissive.simulation.engine.steps import space
from lissive.simulation.engine.switches import Switches
from lissive.simulation.engine.tolerances import Tolerances
from lissive.simulation.engine.why import NO_NUMBER, End, why

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """What was observed during one advance."""

    values: Array
    """(subject, time, output)"""
    mean: Array
    """(subject, bin, output) time average over each bin; times its width it is the area under the curve."""
    maximum: Array
    minimum: Array


class Kernel:
    """Machine code for one model, one choice of outputs and of infusable states.

    Threads may share it. Built by `build`.
    """

    def __init__(
        self, equations: Equations, outputs: Sequence[str], inputs: Sequence[str], lanes: int
    ) -> None:
        self.equations, self.lanes = equations, lanes
        self.outputs, self.inputs = tuple(outputs), tuple(inputs)
        watch = watched(equations)
        self.watch, self.columns = len(watch), (*outputs, *watch)
        """What is observed: the outputs, and what the model's events rest on."""
        self._observable = replace(equations, quantities={**equations.quantities, **watch})
        nodes = [quantity(self._observable, name) for name in self.columns]
        self.parameters = tuple(equations.parameters)
        self._plan: Plan | None = None
        self.switches = Switches(equations, [*equations.rates, *nodes], list(watch.values()))
        told = content(self._observable, self.columns, self.inputs)
        self.key = key = of_texts(told, str(lanes), backend.fingerprint())
        self.job: Callable[..., Job] = Job
        """Of this kernel, a batch and what an advance is asked: how it is carried out."""
        known = stored(key, ".rows")
        if known is None:
            plan = self.planned()
            known = f"{len(plan.once)} {space(plan).rows}".encode()
            store(key, ".rows", known)
        self.constants, self.space = (int(word) for word in known.split())
        code = backend.object_code(key, lambda: module(self.planned(), lanes), optimise=False)
        linked = backend.Linked(code, events=bool(watch))
        self._linked = linked  # keeps the code in memory
        self._prepare = linked.function("prepare", 3)
        self._drive = linked.function("drive", 1)

    def planned(self) -> Plan:
        """Worked out only where the disk does not have the result."""
        if self._plan is None:
            check_length(self.equations)
            self._plan = make_plan(self._observable, self.columns, self.inputs)
        return self._plan

    @property
    def states(self) -> tuple[str, ...]:
        return self.equations.states

    @cached_property
    def rests_on(self) -> list[set[str]]:
        """Of each state, the names that its rate rests on."""
        return [self.equations.graph.symbols([rate]) for rate in self.equations.rates]

    def start(
        self, subjects: int, parameters: Mapping[str, Any] | None = None, *, t0: float = 0.0,
        tolerances: Tolerances | None = None,
    ) -> Batch:  # fmt: skip
        """A batch of subjects at their initial state.

        parameters : id to one number, or to one number a subject; the others keep the model's values.
        """
        table = self._table(subjects, parameters or {})
        n = len(self.states)
        constants = np.zeros((subjects, max(self.constants, 1)))
        initial = np.zeros((subjects, n))
        rows = [(each.ctypes.data, each.strides[0]) for each in (table, constants, initial)]
        for s in range(subjects):
            self._prepare(*(first + s * step for first, step in rows))
        timing = {name: table[:, self.parameters.index(name)] for name in self.switches.parameters}
        return Batch(
            self, constants, initial, timing, float(t0), tolerances or Tolerances(), parameters or {}
        )

    def _table(self, subjects: int, given: Mapping[str, Any]) -> Array:
        unknown = [name for name in given if name not in self.equations.parameters]
        if unknown:
            raise ParameterError(
                f"{', '.join(unknown)} is not a parameter of model {self.equations.name} that a run may set.",
                where="parameters",
                allowed=f"{', '.join(self.parameters)}.",
                do="A quantity that the model computes cannot be set; set what it is computed from.",
            )
        table = np.empty((max(len(self.parameters), 1), subjects))
        for i, name in enumerate(self.parameters):
            value = given.get(name, self.equations.parameters[name])
            try:
                table[i] = np.asarray(value, dtype=float)
            except (TypeError, ValueError):
                raise ParameterError(
                    f"{name} is {value!r}.",
                    where="parameters",
                    allowed=f"a number, or {subjects} numbers, one a subject.",
                    do="give such numbers.",
                ) from None
        return np.ascontiguousarray(table.T)


_MOVING = ("y", "_seen", "_rate", "_clock", "_book", "_suit", "_last")
"""What of a batch changes on the way."""


class Batch:
    """Subjects on their way: state, clock and memory of each, and the way onward.

    Attributes
    ----------
    y : (subject, state) now       time : (subject,) now, in the model's time
    status : (subject,) see STATUS       steps, refused : (subject,) counts so far
    """

    def __init__(self, kernel: Kernel, constants: Array, initial: Array, timing: dict[str, Array], t0: float,
                 tol: Tolerances, given: Mapping[str, Any]) -> None:  # fmt: skip
        subjects, _ = initial.shape
        self._timing, self._t0, self._given = timing, t0, given
        self.kernel, self.tolerances = kernel, tol
        self._constants, self._initial = constants, initial
        self.y = initial.copy()
        self._seen = np.abs(initial)
        self._rate = np.zeros((subjects, max(len(kernel.inputs), 1)))
        self._clock = np.zeros((subjects, ROW))
        self._clock[:, :2] = t0, tol.first_step
        self._book = np.zeros((subjects, ROW), dtype=np.int64)
        if not kernel.watch:  # else an event may give a value to what has none yet
            self._book[~np.isfinite(initial).all(axis=1), 1] = NO_NUMBER
        self._suit, self._last = np.zeros((2, *initial.shape, 2))
        self._reached = t0
        self._agenda = Agenda(kernel.equations, subjects, kernel.watch) if kernel.watch else None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def time(self) -> Array:
        return self._clock[:, 0]

    @property
    def status(self) -> npt.NDArray[np.int64]:
        return self._book[:, 1]

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        return self._book[:, 4]

    @property
    def refused(self) -> npt.NDArray[np.int64]:
        return self._book[:, 5]

    @property
    def largest(self) -> Array:
        """(subject, state) the largest size of each state so far."""
        return self._seen

    def chance(self, seed: int, numbers: npt.NDArray[np.int64]) -> None:
        """What is left to chance among the model's own events; numbers : (subject,) of each in the whole run."""
        if self._agenda is not None:
            self._agenda.seed, self._agenda.number = seed, numbers

    def parameter(self, name: str, members: npt.NDArray[np.int64]) -> Any:
        """A parameter of these subjects, as a number or as one for each."""
        value = self._given.get(name, self.kernel.equations.parameters[name])
        return np.asarray(value, float)[members] if np.ndim(value) else float(value)

    def jump(self, members: npt.NDArray[np.int64]) -> None:
        """The states of these subjects were just set: go on as after a dose."""
        clock, first = self._clock[members], self.tolerances.first_step
        self._seen[members] = np.fmax(self._seen[members], np.abs(self.y[members]))
        self._clock[members, 1] = np.fmax(np.fmin(clock[:, 1], first), 4e-15 * np.abs(clock[:, 0]))
        self._book[members, 2] = 0
        self._jumped(members)

    def _jumped(self, members: Any) -> None:
        """The next step of these subjects begins anew, and says nothing of what suits after a dose."""
        self._book[members, 3], self._book[members, 6:8] = 1, 0
        self._suit[members] = np.abs(self._suit[members])

    def put(self, y: Array, *, time: float | None = None, inputs_off: bool = False) -> None:
        """Set every subject's state, as a dose does, and all clocks where `time` is given.

        y : (subject, state).
        """
        self.y[:] = y
        np.maximum(self._seen, np.abs(y), out=self._seen)
        if inputs_off:
            self._rate[:] = 0.0
        self._clock[:, 1] = np.minimum(self._clock[:, 1], self.tolerances.first_step)
        self._jumped(slice(None))
        if time is not None:
            self._clock[:, 0] = self._reached = time

    def take(self, members: npt.NDArray[np.int64]) -> Batch:
        """These subjects alone, as they are now, in this order.

        members : (subject,) places.
        """
        self._refuse_events("split into groups")
        timing = {name: values[members] for name, values in self._timing.items()}
        given = {name: v if np.ndim(v) == 0 else np.asarray(v)[members] for name, v in self._given.items()}
        part = Batch(
            self.kernel, self._constants[members], self._initial[members], timing, self._t0, self.tolerances,
            given,
        )  # fmt: skip
        for name in _MOVING:
            setattr(part, name, getattr(self, name)[members].copy())
        part._reached = self._reached
        return part

    @classmethod
    def joined(cls, parts: Sequence[Batch]) -> Batch:
        """The subjects of several batches of one kernel, as they are now, in this order."""
        first = parts[0]
        first._refuse_events("joined")

        def one(name: str) -> Any:
            return np.concatenate([getattr(each, name) for each in parts])

        def of(name: str) -> dict[str, Any]:
            return {
                key: np.concatenate([np.broadcast_to(getattr(each, name)[key], len(each)) for each in parts])
                for key in getattr(first, name)
            }

        whole = cls(
            first.kernel,
            one("_constants"),
            one("_initial"),
            of("_timing"),
            first._t0,
            first.tolerances,
            of("_given"),
        )
        for name in _MOVING:
            setattr(whole, name, one(name))
        whole._reached = max(each._reached for each in parts)
        return whole

    def move(self, members: npt.NDArray[np.int64], y: Array, time: float) -> None:
        """Put these subjects at `time` in the states `y`, by days that were not solved."""
        self._refuse_events("moved in time")
        self.y[members], self._clock[members, 0] = y, time
        self._seen[members] = np.maximum(self._seen[members], np.abs(y))
        self._reached = max(self._reached, time)

    def give(self, parameters: Mapping[str, Any]) -> None:
        """Go on with these parameters, all of them as in `Kernel.start`.

        The state stays as it is; a reset will bring it to where these parameters would have begun.
        """
        fresh = self.kernel.start(len(self), parameters, t0=self._t0, tolerances=self.tolerances)
        model = self.kernel.equations.parameters
        notice(self, np.arange(len(self)), {**model, **self._given}, {**model, **parameters})
        self._constants, self._timing, self._initial = fresh._constants, fresh._timing, fresh._initial
        self._given = dict(parameters)
        self._jumped(slice(None))

    def change(self, members: npt.NDArray[np.int64], parameters: Mapping[str, Array]) -> None:
        """As `give`, for these subjects and these parameters alone; the others stay as they are.

        members : places.      parameters : id to one number for each of `members`.
        """
        own = {n: v if np.ndim(v) == 0 else np.asarray(v)[members] for n, v in self._given.items()}
        fresh = self.kernel.start(
            len(members), own | dict(parameters), t0=self._t0, tolerances=self.tolerances
        )
        model = self.kernel.equations.parameters
        notice(self, members, {**model, **own}, {**model, **own, **parameters})
        for name, value in parameters.items():
            whole = np.broadcast_to(self._given.get(name, model[name]), len(self)).astype(float)
            whole[members] = value
            self._given = {**self._given, name: whole}
        for mine, new in ((self._constants, fresh._constants), (self._initial, fresh._initial)):
            mine[members] = new
        for name, values in fresh._timing.items():
            self._timing[name][members] = values
        self._jumped(members)

    def _refuse_events(self, what: str) -> None:
        if self._agenda is not None:
            raise SimulationError(
                f"Model {self.kernel.equations.name} has events of its own: its subjects cannot be {what}.",
                allowed="a model without events.",
                do="run it with `lissive simulate`.",
            )

    def why(self, subject: int) -> str:
        """Why the run of a subject ended, in words; "" where it goes on."""
        code = int(self.status[subject])
        if not code:
            return ""
        given = {n: float(np.broadcast_to(v, len(self))[subject]) for n, v in self._given.items()}
        y, largest = self.y[subject], self._seen[subject]
        steps = int(self.steps[subject] + self.refused[subject])
        end = End(
            code, y, largest, float(self.time[subject]), steps, self.tolerances.rtol, self.tolerances.atol
        )
        return why(self.kernel.equations, given, end)

    def advance(
        self,
        until: float,
        doses: Doses | None = None,
        *,
        times: Any = (),
        edges: Any = (),
        stop: bool = False,
        more: bool = False,
        threads: int = 1,
        resume: bool = False,
        resting: npt.NDArray[np.bool_] | None = None,
    ) -> Seen:
        """Go on to `until`, through the events of `doses`.

        times : increasing, within this advance.     edges : of bins, increasing, within this advance.
        stop : whether `until` is a stop, as a decision time is, or only a pause (the default).
        more : whether more is to happen at this stop: the model's own events wait for it.
        resume : whether `doses` is the table of the last advance, to be continued; else it starts anew.
        resting : (subject,) who stays where they are, and is not looked at: they are to be moved before they go on.
        Raises SimulationError for times or edges outside of what this advance covers.
        """
        if not until >= self._reached:
            raise SimulationError(
                f"until is {until:g}.",
                where="until",
                allowed=f"{self._reached:g} or later.",
                do="start a new batch to go back in time.",
            )
        if threads < 1:
            do = "give 1, or the number of cores."
            raise SimulationError(f"threads is {threads}.", where="threads", allowed="1 or more.", do=do)
        times, edges = self._within(times, until, "times"), self._within(edges, until, "edges")
        subjects, n_out, bins = len(self), len(self.kernel.columns), max(len(edges) - 1, 0)
        if bins:
            self._refuse_events("averaged over periods")
        doses = doses or no_doses(subjects)
        check(doses, subjects, len(self.kernel.states), len(self.kernel.inputs))
        if not resume:
            self._book[:, 0] = 0
        binned = (np.full((subjects, bins, n_out), each) for each in (0.0, -np.inf, np.inf))
        seen = Seen(np.full((subjects, len(times), n_out), np.nan), *binned)
        switches = self.kernel.switches.moments(self._timing, subjects, self._t0, float(until))
        threads = max(1, min(threads, subjects // self.kernel.lanes))
        asked = {
            "until": float(until), "stops": int(stop) + int(stop and more), "n_times": len(times), "n_bins": bins,
            "times": times, "edges": edges, "ev_time": doses.time, "ev_value": doses.value, "ev_action": doses.action,
            "ev_target": doses.target, "start": doses.start, "which": doses.which, "scale": doses.scale,
            "shift": doses.shift, "sw_time": switches[0], "sw_start": switches[1], "values": seen.values,
            "mean": seen.mean, "top": seen.maximum, "low": seen.minimum, "n_watch": self.kernel.watch,
            "flag": self._agenda.flag if self._agenda else np.zeros(1),
            "halt": self._agenda.halt if self._agenda else np.full(subjects, np.inf),
        }  # fmt: skip
        if self._agenda:
            self._agenda.begin(self)
        before = self.status.copy()
        if resting is not None:
            self.status[resting & (before == 0)] = RESTING
        job = self.kernel.job(self, asked, threads)
        # A thread even for one: the main thread stays free to be interrupted.
        pool = ThreadPoolExecutor(threads)
        try:
            pool.submit(self._rounds, job, pool).result()
        except BaseException:
            job.stop(len(self))
            raise
        finally:
            pool.shutdown()
        self._reached = float(until)
        unseen = self.status != 0
        for part in (seen.mean, seen.maximum, seen.minimum):
            part[unseen] = np.nan
        self.status[self.status == RESTING] = 0
        return replace(seen, values=seen.values[..., : len(self.kernel.outputs)]) if self._agenda else seen

    def _rounds(self, job: Job, pool: ThreadPoolExecutor) -> None:
        """The compiled loop; and again, for those on whom the model's own events have acted meanwhile."""
        while True:
            others = [pool.submit(job.run, t) for t in range(1, job.threads)]
            job.run(0)
            for running in others:
                running.result()
            if job.stopped or self._agenda is None or not self._agenda.settle(self):
                return
            job.again()

    def _within(self, points: Any, until: float, name: str) -> Array:
        given: Array = np.ascontiguousarray(points, dtype=float)
        if len(given) and (given[0] < self._reached or given[-1] > until or np.any(np.diff(given) <= 0)):
            raise SimulationError(
                f"{name} run from {given[0]:g} to {given[-1]:g}.",
                where=name,
                allowed=f"increasing values from {self._reached:g} to {until:g}, as this run does.",
                do=f"sort {name}, each once, and leave out what this run does not reach.",
            )
        return given


def build(
    equations: Equations, outputs: Sequence[str], inputs: Sequence[str] = (), *, lanes: int | None = None
) -> Kernel:
    """Machine code for `equations`, from the disk where it was made before.

    outputs : ids to observe (see Equations.quantities).
    inputs : states that may be infused.
    lanes : subjects to a register; by default what suits this processor.
    """
    return Kernel(equations, outputs, inputs, lanes or backend.native_lanes())
