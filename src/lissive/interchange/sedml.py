"""SED-ML: the uniform time courses of a file, run by the engine, and the tables of its reports and plots.

The file names an algorithm; any that solves differential equations is replaced by the engine's own, at the tolerances
that the file gives (KISAO:0000209, KISAO:0000211). What is random, repeated or no time course is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np

from lissive.arrays import FloatArray
from lissive.errors import InterchangeError, SimulationError
from lissive.interchange import need
from lissive.interchange.by_combine import ask
from lissive.interchange.settable import meanings
from lissive.model.equations import Equations
from lissive.model.expression import Graph
from lissive.model.mathml import Scope, translate
from lissive.model.read import read_sbml, text_of
from lissive.simulation.engine import METHOD, Tolerances
from lissive.simulation.solve import simulate

TOLERANCES = {"KISAO:0000209": "rtol", "KISAO:0000211": "atol"}
OWN_ALGORITHM = "KISAO:0000033"
"""Rosenbrock method, of which ours is one."""
MOST_STEPS = 10_000_000
MOST_DEPTH = 100
"""Elements in one another: libSEDML walks them by recursion."""

_DETERMINISTIC = frozenset(
    f"KISAO:{number:07d}"
    for number in (
        *(19, 30, 31, 32, 33, 64, 71, 86, 87, 88, 261, 279, 280, 281, 283, 288, 289, 301, 302, 304),
        *(321, 433, 436, 496, 560),
    )
)
"""CVODE, Euler, Runge-Kutta, Rosenbrock, LSODE, LSODA, Adams, IDA, BDF, Heun, Radau, Cash-Karp, CVODES and the like."""

_TIME = ("urn:sedml:symbol:time", "KISAO:0000832")
_IDS = re.compile(r"@id\s*=\s*['\"]([^'\"]+)['\"]")
_ATTRIBUTE = re.compile(r"/@(\w+)\s*$")
_SETTERS = {
    "value": "setValue",
    "size": "setSize",
    "initialConcentration": "setInitialConcentration",
    "initialAmount": "setInitialAmount",
}

Element = dict[str, Any]
"""As `by_combine.read` gives it."""
Runs = dict[tuple[str, str], FloatArray]
"""Data generator and variable to its values."""


@dataclass(frozen=True)
class Table:
    """One report or plot: its columns by label."""

    name: str
    columns: Mapping[str, FloatArray]

    @property
    def rows(self) -> Iterator[Sequence[Any]]:
        yield list(self.columns)
        yield from zip(*(column.tolist() for column in self.columns.values()), strict=True)


@dataclass
class Document:
    """A SED-ML file that was read, and the files that it names."""

    path: Path
    sed: Mapping[str, list[Element]]
    how: Mapping[str, Any] = field(default_factory=dict)
    """Tolerances and threads that go before the file's."""
    root: Path | None = None
    """No file outside of this folder is read."""
    notes: list[str] = field(default_factory=list)

    # -- what it is made of -----------------------------------------------------------------------
    def _by_id(self, kind: str) -> dict[str, Element]:
        return {each["id"]: each for each in self.sed[kind]}

    @cached_property
    def tasks(self) -> dict[str, Element]:
        return self._by_id("tasks")

    @cached_property
    def models(self) -> dict[str, Element]:
        return self._by_id("models")

    @cached_property
    def generators(self) -> dict[str, Element]:
        return self._by_id("generators")

    @cached_property
    def files(self) -> list[Path]:
        """All that is read."""
        return [self.path, *dict.fromkeys(self._chain(name)[0] for name in self.models)]

    def wrong(self, element: Element | None, what: str, allowed: str, do: str) -> InterchangeError:
        line = element["line"] if element else 0
        where = f"{self.path}:{line}" if line else str(self.path)
        return InterchangeError(what, where=where, allowed=allowed, do=do)

    def _of(self, table: Mapping[str, Element], name: str, kind: str, user: Element | None) -> Element:
        if name not in table:
            raise self.wrong(
                user, f"there is no {kind} {name!r}.", f"{', '.join(table)}.", "correct the reference."
            )
        return table[name]

    # -- models -----------------------------------------------------------------------------------
    def _chain(self, name: str) -> tuple[Path, list[Element]]:
        """The file of a model, and the changes to it, in order."""
        changes: list[Element] = []
        seen: set[str] = set()
        while True:
            model = self._of(self.models, name, "model", None)
            changes[:0] = model["changes"]
            source = model["source"]
            if name in seen:
                raise self.wrong(
                    model,
                    f"the model {name} is made from itself.",
                    "a file, or another model.",
                    "correct source.",
                )
            seen.add(name)
            if source.lstrip("#") not in self.models:
                break
            name = source.lstrip("#")
        if "sbml" not in model["language"].lower():
            raise self.wrong(
                model,
                f"the model {name} is in {model['language'] or 'no language'}.",
                "SBML.",
                "export the model as SBML, and name it and its language in the file.",
            )
        if ":" in source:
            raise self.wrong(
                model,
                f"the model {name} is at {source}.",
                "a file beside the SED-ML file.",
                "download it, and name the file as source.",
            )
        file = self.path.parent / source
        inside = self.root is None or file.resolve().is_relative_to(self.root.resolve())
        if not inside or not file.is_file():
            raise self.wrong(
                model,
                f"the model file {source} is not there.",
                "a file beside the SED-ML file.",
                "add it, or correct the source.",
            )
        return file, changes

    def model(self, name: str) -> tuple[Equations, dict[str, str]]:
        """The equations of a model with its changes; and what its ids mean."""
        import libsbml

        file, changes = self._chain(name)
        text, shown = text_of(file)
        if changes:
            read_sbml(text, shown)  # its faults, with their lines
            document = libsbml.readSBMLFromString(text)
            for each in changes:
                self._change(document.getModel(), each)
            text = libsbml.writeSBMLToString(document)
        return read_sbml(text, shown), meanings(text, shown)

    def _change(self, model: Any, change: Element) -> None:
        target = change["target"]
        attribute, ids = _ATTRIBUTE.search(target), _IDS.findall(target)
        if change["kind"] != "changeAttribute" or not attribute or attribute[1] not in _SETTERS or not ids:
            raise self.wrong(
                change,
                f"the change of {target} ({change['kind']}) is out of scope.",
                f"changeAttribute of an element by its id: {', '.join(_SETTERS)}.",
                "make the change in the model itself.",
            )
        element = model.getElementBySId(ids[0])
        if len(ids) == 2 and element is not None and element.getElementName() == "reaction":
            law = element.getKineticLaw()
            element = (law.getLocalParameter(ids[1]) or law.getParameter(ids[1])) if law else None
        setter = getattr(element, _SETTERS[attribute[1]], None)
        if setter is None:
            raise self.wrong(
                change,
                f"the model has no {attribute[1]} of {'.'.join(ids)}.",
                "an element of the model that has this attribute.",
                "correct target.",
            )
        try:
            setter(float(change["new"]))
        except ValueError:
            raise self.wrong(
                change, f"the new value {change['new']!r} is no number.", "a number.", "correct newValue."
            ) from None

    # -- runs -------------------------------------------------------------------------------------
    def run(self) -> list[Table]:
        """The tables of all reports; of all plots where there is no report."""
        kinds = {kind: [o for o in self.sed["outputs"] if o["kind"] == kind] for kind in ("report", "plot2D")}
        if not (shown := kinds["report"] or kinds["plot2D"]):
            raise self.wrong(
                None,
                "it has no report and no plot.",
                "a report or a plot2D, which says what is written.",
                "add a report with a data set for each result.",
            )
        wanted: dict[str, dict[tuple[str, str], str]] = {}  # task to the key of each variable of a generator
        read: dict[str, tuple[Equations, dict[str, str]]] = {}
        for name in dict.fromkeys(name for output in shown for _, name in output["columns"]):
            for variable in self._of(self.generators, name, "data generator", None)["variables"]:
                task = self._task(variable)
                if task["id"] not in read:
                    read[task["id"]] = self.model(task["model"])
                key = self._key(variable, *read[task["id"]])
                wanted.setdefault(task["id"], {})[name, variable["id"]] = key
        runs: Runs = {}
        for name, keys in wanted.items():
            runs |= self._simulated(name, read[name][0], keys)
        return [self._table(each, runs) for each in shown]

    def _task(self, variable: Element) -> Element:
        task = self._of(self.tasks, variable["task"], "task", variable)
        if task["kind"] != "task":
            raise self.wrong(
                task,
                f"the {task['kind']} {task['id']} is out of scope.",
                "tasks that run a model once.",
                "write a task for each run.",
            )
        return task

    def _key(self, variable: Element, equations: Equations, meaning: Mapping[str, str]) -> str:
        """What a run has to select for a variable; empty for the time."""
        if variable["symbol"]:
            if variable["symbol"] not in _TIME:
                raise self.wrong(
                    variable,
                    f"the symbol {variable['symbol']} is out of scope.",
                    f"{_TIME[0]}.",
                    "name what is meant by its target in the model.",
                )
            return ""
        ids = _IDS.findall(variable["target"])
        key = ".".join(ids[-2:]) if len(ids) > 1 else meaning.get(ids[0], ids[0]) if ids else ""
        if key not in equations.quantities or _ATTRIBUTE.search(variable["target"]):
            raise self.wrong(
                variable,
                f"the target {variable['target']!r} is nothing that the model {equations.name} computes.",
                "a species, parameter, compartment or reaction by its id.",
                "correct target.",
            )
        return key

    def _simulated(self, task: str, equations: Equations, keys: Mapping[tuple[str, str], str]) -> Runs:
        """Variable of a data generator to its values."""
        simulation = self._simulation(self.tasks[task])
        times = self._times(simulation)
        select = list(dict.fromkeys(key for key in keys.values() if key)) or None
        data = simulate(
            equations, times=times, select=select, **(self._tolerances(simulation) | dict(self.how))
        )
        if data["status"].values[0]:
            raise self.wrong(
                simulation,
                f"the run of {task} ended: {data['message'].values[0]}.",
                "a run that reaches its end.",
                "do what the message says, or end the simulation before that time.",
            )
        where = np.searchsorted(data["time"].values, times)
        return {name: data[key].values[0][where] if key else times for name, key in keys.items()}

    def _simulation(self, task: Element) -> Element:
        simulation = self._of(self._by_id("simulations"), task["simulation"], "simulation", task)
        name = simulation["id"]
        if simulation["kind"] != "uniformTimeCourse":
            raise self.wrong(
                simulation,
                f"the {simulation['kind']} {name} is out of scope.",
                "uniformTimeCourse.",
                "write a uniform time course.",
            )
        named = simulation.get("algorithm", OWN_ALGORITHM)
        if named not in _DETERMINISTIC:
            raise self.wrong(
                simulation,
                f"the algorithm {named} is none that solves differential equations as far as is known here.",
                "KISAO:0000019 (CVODE) and its like.",
                "name KISAO:0000019, or leave the algorithm out.",
            )
        if named != OWN_ALGORITHM:
            note = f"{name}: {named} is named; solved by {METHOD} (KISAO:0000033)."
            self.notes += [note] if note not in self.notes else []
        return simulation

    def _tolerances(self, simulation: Element) -> dict[str, float]:
        found = {}
        for kisao, value in simulation.get("parameters", {}).items():
            if kisao in TOLERANCES:
                try:
                    found[TOLERANCES[kisao]] = float(value)
                except ValueError:
                    raise self.wrong(
                        simulation, f"{kisao} is {value!r}.", "a number.", "correct the algorithm parameter."
                    ) from None
        here: dict[str, Any] = {name: value for name, value in found.items() if name not in self.how}
        try:
            Tolerances(**here)
        except SimulationError as error:
            do = f"correct the algorithm parameter, or give --{error.where}."
            raise self.wrong(simulation, error.what, error.allowed, do) from None
        return found

    def _times(self, simulation: Element) -> FloatArray:
        first, begin, end, steps = (simulation[name] for name in ("initial", "start", "end", "steps"))
        if first != 0 or not 0 <= begin <= end < np.inf or not 0 < steps <= MOST_STEPS:
            raise self.wrong(
                simulation,
                f"{simulation['id']} begins at {first:g}, with outputs from {begin:g} to {end:g} in {steps} steps.",
                f"initialTime 0, 0 <= outputStartTime <= outputEndTime, 1 to {MOST_STEPS} steps.",
                "correct the times or the number of steps.",
            )
        times: FloatArray = begin + (end - begin) * np.arange(steps + 1) / steps
        return times

    # -- tables -----------------------------------------------------------------------------------
    def _table(self, output: Element, runs: Runs) -> Table:
        named = dict(output["columns"])
        if twice := [label for label, name in output["columns"] if named[label] != name]:
            raise self.wrong(
                output,
                f"{output['id']} has two columns that are called {twice[0]!r}.",
                "each label once.",
                "give each its own label.",
            )
        columns = {label: self._generated(self.generators[name], runs) for label, name in named.items()}
        if len({column.size for column in columns.values()}) > 1:
            raise self.wrong(
                output,
                f"{output['id']} has columns of different lengths.",
                "columns of one length.",
                "write a report for each simulation.",
            )
        return Table(output["id"], columns)

    def _generated(self, generator: Element, runs: Runs) -> FloatArray:
        import libsbml

        known: dict[str, Any] = dict(generator["parameters"])
        for each in generator["variables"]:
            known[each["id"]] = runs[generator["id"], each["id"]]
        graph = Graph()

        def value(name: str, place: Any) -> int:
            if name not in known:
                raise self.wrong(
                    generator,
                    f"{name} is no variable of the data generator {generator['id']}.",
                    f"{', '.join(known) or 'numbers alone'}.",
                    "add the variable, or correct its name.",
                )
            return graph.symbol(name)

        def rate(_: int) -> int:
            raise self.wrong(
                generator,
                f"rateOf in the data generator {generator['id']} is out of scope.",
                "variables, parameters and numbers.",
                "compute the rate in the model, and refer to it.",
            )

        tree = libsbml.parseL3Formula(generator["formula"])
        if tree is None:
            raise self.wrong(
                generator,
                f"the mathematics of {generator['id']} cannot be read.",
                "MathML of one formula.",
                "correct the formula.",
            )
        place = f"{self.path}:{generator['line']}"
        scope = Scope(graph, value, rate, {}, lambda: place)
        found = graph.evaluate([translate(tree, scope)], known)[0]
        shape = max((np.size(each) for each in known.values()), default=1)
        return np.broadcast_to(np.asarray(found, dtype=float), (shape,))


def read_sedml(path: Path, how: Mapping[str, Any] | None = None, root: Path | None = None) -> Document:
    """A SED-ML file.

    how : rtol, atol, threads, which go before what the file says.
    root : no model outside of this folder is read.

    Raises       InterchangeError for a file that is no SED-ML or has faults.
    """
    need("libsedml", "SED-ML files")
    try:
        _check_depth(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, expat.ExpatError) as fault:
        raise InterchangeError(
            f"it cannot be read ({fault}).",
            where=str(path),
            allowed="a SED-ML file, Level 1.",
            do="check the file.",
        ) from None
    sed = ask("read", path=str(path))
    for line, words in sed["errors"]:
        raise InterchangeError(
            words, where=f"{path}:{line}", allowed="SED-ML Level 1 (sed-ml.org).", do="correct that line."
        )
    return Document(path, sed, how or {}, root)


def _check_depth(text: str) -> None:
    """Well-formed, and of a depth that the C++ below can take."""
    depth = 0

    def start(name: str, _: Any) -> None:
        nonlocal depth
        depth += 1
        if depth > MOST_DEPTH:
            raise ValueError(f"{name} is more than {MOST_DEPTH} elements deep")

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(text, True)
