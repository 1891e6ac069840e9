"""SED-ML: the uniform time courses of a file, run by the engine, and the tables of its reports and plots.

The file names an algorithm; any that solves differential equations is replaced by the engine's own, at the tolerances
that the file gives (KISAO:0000209, KISAO:0000211). What is random, repeated or no time course is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np

from lissive.arrays import FloatArray
from lissive.errors import InterchangeError
from lissive.files import atomic_path, write_csv, write_rows
from lissive.fingerprint import of_bytes
from lissive.interchange import need
from lissive.interchange.record import claim, keep, whole_folder
from lissive.interchange.settable import meanings
from lissive.model.equations import Equations
from lissive.model.expression import Graph
from lissive.model.mathml import Scope, translate
from lissive.model.read import read_sbml, text_of
from lissive.simulation.solve import simulate

RTOL_ID, ATOL_ID = "KISAO:0000209", "KISAO:0000211"
OWN_ALGORITHM = "KISAO:0000033"
"""Rosenbrock method, of which RODAS is one."""
TIME_SYMBOL = "urn:sedml:symbol:time"
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

_IDS = re.compile(r"@id\s*=\s*['\"]([^'\"]+)['\"]")
_ATTRIBUTE = re.compile(r"/@(\w+)\s*$")
_SETTERS = {
    "value": "setValue",
    "size": "setSize",
    "initialConcentration": "setInitialConcentration",
    "initialAmount": "setInitialAmount",
}

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
    sed: Any
    how: Mapping[str, Any] = field(default_factory=dict)
    """Tolerances and threads that go before the file's."""
    notes: list[str] = field(default_factory=list)

    # -- what it is made of -----------------------------------------------------------------------
    @cached_property
    def tasks(self) -> dict[str, Any]:
        return {each.getId(): each for each in self.sed.getListOfTasks()}

    @cached_property
    def models(self) -> dict[str, Any]:
        return {each.getId(): each for each in self.sed.getListOfModels()}

    @cached_property
    def generators(self) -> dict[str, Any]:
        return {each.getId(): each for each in self.sed.getListOfDataGenerators()}

    @cached_property
    def files(self) -> list[Path]:
        """All that is read."""
        return [self.path, *dict.fromkeys(self._chain(name)[0] for name in self.models)]

    def wrong(self, element: Any, what: str, allowed: str = "", do: str = "") -> InterchangeError:
        line = element.getLine() if element is not None else 0
        where = f"{self.path}:{line}" if line else str(self.path)
        return InterchangeError(what, where=where, allowed=allowed, do=do)

    def _of(self, table: Mapping[str, Any], name: str, kind: str, user: Any) -> Any:
        if name not in table:
            raise self.wrong(
                user, f"there is no {kind} {name!r}.", f"{', '.join(table)}.", "correct the reference."
            )
        return table[name]

    # -- models -----------------------------------------------------------------------------------
    def _chain(self, name: str) -> tuple[Path, list[Any]]:
        """The file of a model, and the changes to it, in order."""
        changes: list[Any] = []
        seen: set[str] = set()
        while True:
            model = self._of(self.models, name, "model", None)
            changes[:0] = list(model.getListOfChanges())
            source = model.getSource()
            if name in seen:
                raise self.wrong(model, f"the model {name} is made from itself.")
            seen.add(name)
            if source.lstrip("#") not in self.models:
                break
            name = source.lstrip("#")
        if "sbml" not in model.getLanguage().lower():
            raise self.wrong(
                model, f"the model {name} is in {model.getLanguage() or 'no language'}.", "SBML."
            )
        if ":" in source:
            raise self.wrong(
                model,
                f"the model {name} is at {source}.",
                "a file beside the SED-ML file.",
                "download it, and name the file as source.",
            )
        file = self.path.parent / source
        if not file.resolve().is_relative_to(self.path.parent.resolve()) or not file.is_file():
            raise self.wrong(
                model, f"the model file {source} is not there.", "a file beside the SED-ML file, or below it."
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

    def _change(self, model: Any, change: Any) -> None:
        target = change.getTarget()
        attribute, ids = _ATTRIBUTE.search(target), _IDS.findall(target)
        if (
            change.getElementName() != "changeAttribute"
            or not attribute
            or attribute[1] not in _SETTERS
            or not ids
        ):
            raise self.wrong(
                change,
                f"the change of {target} ({change.getElementName()}) is out of scope.",
                f"changeAttribute of an element by its id: {', '.join(_SETTERS)}.",
            )
        element = model.getElementBySId(ids[0])
        if len(ids) == 2 and element is not None and element.getElementName() == "reaction":
            law = element.getKineticLaw()
            element = (law.getLocalParameter(ids[1]) or law.getParameter(ids[1])) if law else None
        setter = getattr(element, _SETTERS[attribute[1]], None)
        if setter is None:
            raise self.wrong(change, f"the model has no {attribute[1]} of {'.'.join(ids)}.")
        try:
            setter(float(change.getNewValue()))
        except ValueError:
            raise self.wrong(change, f"the new value {change.getNewValue()!r} is no number.") from None

    # -- runs -------------------------------------------------------------------------------------
    def run(self) -> list[Table]:
        """The tables of all reports; of all plots where there is no report."""
        outputs = list(self.sed.getListOfOutputs())
        reports = [each for each in outputs if each.getElementName() == "report"]
        plots = [each for each in outputs if each.getElementName() == "plot2D"]
        if not (shown := reports or plots):
            raise self.wrong(
                None, "it has no report and no plot.", "a report or a plot2D, which says what is written."
            )
        named = {each.getId(): self._labels(each) for each in shown}
        wanted: dict[str, dict[tuple[str, str], str]] = {}  # task to the key of each variable of a generator
        read: dict[str, tuple[Equations, dict[str, str]]] = {}
        for generator in {g: None for labels in named.values() for g in labels.values()}:
            for variable in self._of(self.generators, generator, "data generator", None).getListOfVariables():
                task = self._task(variable)
                if task.getId() not in read:
                    read[task.getId()] = self.model(task.getModelReference())
                key = self._key(variable, *read[task.getId()])
                wanted.setdefault(task.getId(), {})[generator, variable.getId()] = key
        runs: Runs = {}
        for name, keys in wanted.items():
            runs |= self._simulated(name, read[name][0], keys)
        return [self._table(name, labels, runs) for name, labels in named.items()]

    def _labels(self, output: Any) -> dict[str, str]:
        """Label to data generator."""
        if output.getElementName() == "report":
            return {
                each.getLabel() or each.getId(): each.getDataReference()
                for each in output.getListOfDataSets()
            }
        curves = list(output.getListOfCurves())
        names = [name for each in curves for name in (each.getXDataReference(), each.getYDataReference())]
        return {name: name for name in names}

    def _task(self, variable: Any) -> Any:
        task = self._of(self.tasks, variable.getTaskReference(), "task", variable)
        if task.getElementName() != "task":
            raise self.wrong(
                task,
                f"the {task.getElementName()} {task.getId()} is out of scope.",
                "tasks that run a model once.",
            )
        return task

    def _key(self, variable: Any, equations: Equations, meaning: Mapping[str, str]) -> str:
        """What a run has to select for a variable; empty for the time."""
        if variable.isSetSymbol():
            if variable.getSymbol() not in (TIME_SYMBOL, "KISAO:0000832"):
                raise self.wrong(
                    variable, f"the symbol {variable.getSymbol()} is out of scope.", f"{TIME_SYMBOL}."
                )
            return ""
        ids = _IDS.findall(variable.getTarget())
        key = ".".join(ids[-2:]) if len(ids) > 1 else meaning.get(ids[0], ids[0]) if ids else ""
        if key not in equations.quantities or _ATTRIBUTE.search(variable.getTarget()):
            raise self.wrong(
                variable,
                f"the target {variable.getTarget()!r} is nothing that the model {equations.name} computes.",
                "a species, parameter, compartment or reaction by its id.",
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
            raise self.wrong(simulation, f"the run of {task} ended: {data['message'].values[0]}")
        where = np.searchsorted(data["time"].values, times)
        return {name: data[key].values[0][where] if key else times for name, key in keys.items()}

    def _simulation(self, task: Any) -> Any:
        known = {each.getId(): each for each in self.sed.getListOfSimulations()}
        simulation = self._of(known, task.getSimulationReference(), "simulation", task)
        if simulation.getElementName() != "uniformTimeCourse":
            raise self.wrong(
                simulation,
                f"the {simulation.getElementName()} {simulation.getId()} is out of scope.",
                "uniformTimeCourse.",
            )
        algorithm = simulation.getAlgorithm()
        named = algorithm.getKisaoID().replace("_", ":") if algorithm is not None else OWN_ALGORITHM
        if named not in _DETERMINISTIC:
            raise self.wrong(
                simulation,
                f"the algorithm {named} is none that solves differential equations as far as is known here.",
                "KISAO:0000019 (CVODE) and its like.",
            )
        if named != OWN_ALGORITHM:
            note = f"{simulation.getId()}: {named} is named; solved by RODAS 4(3) (KISAO:0000033)."
            self.notes += [note] if note not in self.notes else []
        return simulation

    def _tolerances(self, simulation: Any) -> dict[str, float]:
        algorithm, found = simulation.getAlgorithm(), {}
        for each in algorithm.getListOfAlgorithmParameters() if algorithm is not None else ():
            name = {RTOL_ID: "rtol", ATOL_ID: "atol"}.get(each.getKisaoID().replace("_", ":"))
            if name:
                try:
                    found[name] = float(each.getValue())
                except ValueError:
                    raise self.wrong(
                        each, f"{each.getKisaoID()} is {each.getValue()!r}.", "a number."
                    ) from None
        return found

    def _times(self, simulation: Any) -> FloatArray:
        first, begin, end = (
            simulation.getInitialTime(),
            simulation.getOutputStartTime(),
            simulation.getOutputEndTime(),
        )
        steps = (
            simulation.getNumberOfSteps()
            if simulation.isSetNumberOfSteps()
            else simulation.getNumberOfPoints()
        )
        if first != 0 or not 0 <= begin <= end < np.inf or not 0 < steps <= 10_000_000:
            raise self.wrong(
                simulation,
                f"{simulation.getId()} begins at {first:g}, with outputs from {begin:g} to {end:g} in {steps} steps.",
                "initialTime 0, 0 <= outputStartTime <= outputEndTime, at least one step.",
            )
        return begin + (end - begin) * np.arange(steps + 1) / steps

    # -- tables -----------------------------------------------------------------------------------
    def _table(self, name: str, labels: Mapping[str, str], runs: Runs) -> Table:
        columns = {label: self._generated(self.generators[g], runs) for label, g in labels.items()}
        if len({column.size for column in columns.values()}) > 1:
            raise self.wrong(
                None, f"{name} has columns of different lengths.", do="write a report for each simulation."
            )
        return Table(name, columns)

    def _generated(self, generator: Any, runs: Runs) -> FloatArray:
        import libsbml
        import libsedml

        known: dict[str, Any] = {each.getId(): each.getValue() for each in generator.getListOfParameters()}
        for each in generator.getListOfVariables():
            known[each.getId()] = runs[generator.getId(), each.getId()]
        graph = Graph()

        def value(name: str, place: Any) -> int:
            if name not in known:
                raise self.wrong(
                    generator, f"{name} is no variable of the data generator {generator.getId()}."
                )
            return graph.symbol(name)

        formula = libsedml.formulaToL3String(generator.getMath()) if generator.isSetMath() else ""
        tree = libsbml.parseL3Formula(formula)
        if tree is None:
            raise self.wrong(generator, f"the mathematics of {generator.getId()} cannot be read.")
        place = f"{self.path}:{generator.getLine()}"
        scope = Scope(graph, value, value, {}, lambda: place)
        found = graph.evaluate([translate(tree, scope)], known)[0]
        shape = max((np.size(each) for each in known.values()), default=1)
        return np.broadcast_to(np.asarray(found, dtype=float), (shape,))


def read_sedml(path: Path, how: Mapping[str, Any] | None = None) -> Document:
    """A SED-ML file.

    how : rtol, atol, threads, which go before what the file says.

    Raises       InterchangeError for a file that is no SED-ML or has faults.
    """
    need("libsedml", "SED-ML files")
    import libsedml

    try:
        text = path.read_text(encoding="utf-8-sig")
        _check_depth(text)
    except (OSError, ValueError, expat.ExpatError) as fault:
        raise InterchangeError(
            f"it cannot be read ({fault}).",
            where=str(path),
            allowed="a SED-ML file, Level 1.",
            do="check the file.",
        ) from None
    sed = libsedml.readSedMLFromString(text)
    for k in range(sed.getNumErrors()):
        error = sed.getError(k)
        if error.getSeverity() >= libsedml.LIBSEDML_SEV_ERROR:
            raise InterchangeError(
                " ".join(error.getMessage().split()),
                where=f"{path}:{error.getLine()}",
                allowed="SED-ML Level 1 (sed-ml.org).",
                do="correct that line.",
            )
    return Document(path, sed, how or {})


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


def run_to_files(path: Path, out: Path, *, force: bool = False, **how: Any) -> dict[str, Any]:
    """The tables of a SED-ML file or an OMEX archive: one as a .csv, or all of them in a folder; gives what is reported."""
    from lissive.interchange.omex import open_omex

    opened = open_omex(path, how) if path.suffix.lower() == ".omex" else nullcontext(read_sedml(path, how))
    with opened as document:
        digest = of_bytes(b"\0".join(each.read_bytes() for each in document.files), 16)
        reads = [path, *document.files]
        claim(out, digest, reads=reads, force=force)
        tables = document.run()
        about = {
            "made_from": str(path),
            "tables": {each.name: list(each.columns) for each in tables},
            "rows": {each.name: len(next(iter(each.columns.values()))) for each in tables},
            "notes": document.notes,
            "solver": {"method": "RODAS 4(3)", **how},
        }
        if out.suffix != ".csv":
            with whole_folder(out, digest, about) as place:
                for each in tables:
                    write_csv(place / f"{each.name}.csv", each.rows)
            return about
        if len(tables) > 1:
            names = ", ".join(each.name for each in tables)
            raise InterchangeError(
                f"there are {len(tables)} tables ({names}), and --out is one file.",
                where=str(out),
                allowed="a folder.",
                do="name a folder.",
            )
        with atomic_path(out) as place, place.open("w", encoding="utf-8", newline="") as file:
            write_rows(file, tables[0].rows)
            keep(out, digest, about)
        return about
