"""A model and its time course as SED-ML (Level 1 Version 4), beside it or in an OMEX archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lissive.errors import InterchangeError
from lissive.interchange import need
from lissive.interchange.sedml import ATOL_ID, OWN_ALGORITHM, RTOL_ID, TIME_SYMBOL
from lissive.interchange.settable import meanings
from lissive.model.check import to_sbml
from lissive.model.read import load, read_sbml, text_of
from lissive.simulation.planned import output_times, selected

LANGUAGE = "urn:sedml:language:sbml.level-3.version-2"
REPORT = "run"
_KINDS = {
    "species": "listOfSpecies/sbml:species",
    "parameter": "listOfParameters/sbml:parameter",
    "compartment": "listOfCompartments/sbml:compartment",
    "reaction": "listOfReactions/sbml:reaction",
}


@dataclass(frozen=True)
class Course:
    """What is to be run, and what is written of it."""

    model: str
    until: float
    every: float
    select: Sequence[str] | None = None
    rtol: float = 1e-6
    atol: float = 0.0


def course_texts(course: Course, model_file: str) -> tuple[str, str]:
    """The SED-ML of a course, and the SBML of its model, which it expects in `model_file` beside it.

    Raises       a LissiveError for what is no course, what the model does not compute, what SED-ML cannot point to.
    """
    need("libsedml", "SED-ML files")
    import libsedml

    load(course.model)
    text, name = text_of(course.model)
    sbml = to_sbml(text, name)
    equations = read_sbml(sbml, name)
    keys = selected(equations, course.select)
    times = output_times(course.until, course.every, None)
    if missing := [key for key in keys if key not in equations.quantities]:
        raise InterchangeError(
            f"the model {equations.name} does not compute {missing[0]}.",
            where="--select",
            allowed=f"{', '.join(equations.quantities)}.",
        )
    assert times is not None
    document = libsedml.SedDocument(1, 4)
    model = document.createModel()
    model.setId("model")
    model.setSource(model_file)
    model.setLanguage(LANGUAGE)
    _simulation(document, course, float(times[-1]), len(times) - 1)
    task = document.createTask()
    task.setId("task")
    task.setModelReference("model")
    task.setSimulationReference("course")
    report = document.createReport()
    report.setId(REPORT)
    _column(document, report, 0, "time", {"time": ""}, "time")
    meaning = meanings(sbml, name)
    for k, key in enumerate(keys, start=1):
        _column(document, report, k, key, *_pointed(sbml, key, meaning))
    return str(libsedml.writeSedMLToString(document)), sbml


def _simulation(document: Any, course: Course, end: float, steps: int) -> None:
    simulation = document.createUniformTimeCourse()
    simulation.setId("course")
    simulation.setInitialTime(0.0)
    simulation.setOutputStartTime(0.0)
    simulation.setOutputEndTime(end)
    simulation.setNumberOfSteps(steps)
    algorithm = simulation.createAlgorithm()
    algorithm.setKisaoID(OWN_ALGORITHM)
    for kisao, value in ((RTOL_ID, course.rtol), (ATOL_ID, course.atol)):
        given = algorithm.createAlgorithmParameter()
        given.setKisaoID(kisao)
        given.setValue(repr(float(value)))


def _column(document: Any, report: Any, k: int, label: str, variables: dict[str, str], formula: str) -> None:
    """A data generator, and the column of the report that shows it. variables : id to target; empty for the time"""
    import libsedml

    generator = document.createDataGenerator()
    generator.setId(f"generator_{k}")
    generator.setName(label)
    for each, target in variables.items():
        variable = generator.createVariable()
        variable.setId(f"{each}_{k}")
        variable.setTaskReference("task")
        if target:
            variable.setTarget(target)
        else:
            variable.setSymbol(TIME_SYMBOL)
        formula = formula.replace(each, f"{each}_{k}")
    generator.setMath(libsedml.parseL3Formula(formula))
    column = report.createDataSet()
    column.setId(f"column_{k}")
    column.setLabel(label)
    column.setDataReference(f"generator_{k}")


def _pointed(sbml: str, key: str, meaning: dict[str, str]) -> tuple[dict[str, str], str]:
    """Variables and formula of a quantity: an amount or a concentration, whichever the species' id does not mean."""
    import libsbml

    model = libsbml.readSBMLFromString(sbml).getModel()
    name = key.strip("[]")
    if "." in key:
        reaction, _, local = key.partition(".")
        target = f"{_target(_KINDS['reaction'], reaction)}/sbml:kineticLaw/sbml:listOfLocalParameters"
        return {"value": f"{target}/sbml:localParameter[@id='{local}']"}, "value"
    element = model.getElementBySId(name)
    kind = _KINDS.get(element.getElementName()) if element is not None else None
    if kind is None:
        raise InterchangeError(
            f"SED-ML cannot point to {key}.",
            where="--select",
            allowed="species, parameters, compartments, reactions.",
        )
    value = {"value": _target(kind, name)}
    if meaning.get(name, key) == key:
        return value, "value"
    size = _target(_KINDS["compartment"], element.getCompartment())
    return value | {"size": size}, "value / size" if key.startswith("[") else "value * size"


def _target(kind: str, name: str) -> str:
    return f"/sbml:sbml/sbml:model/sbml:{kind}[@id='{name}']"


def write_sedml(course: Course, out: Path) -> list[Path]:
    """NAME.sedml, and NAME.xml with the model beside it; gives both."""
    from lissive.files import write_text

    model = out.with_suffix(".xml")
    sedml, sbml = course_texts(course, model.name)
    return [write_text(model, sbml), write_text(out, sedml)]
