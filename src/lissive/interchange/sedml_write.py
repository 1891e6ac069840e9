"""A model and its time course as SED-ML (Level 1 Version 4), beside it or in an OMEX archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lissive.errors import InterchangeError
from lissive.interchange.by_combine import ask
from lissive.interchange.dosed import INPUT, dosed
from lissive.interchange.sedml import OWN_ALGORITHM, TOLERANCES
from lissive.interchange.settable import meanings
from lissive.model.check import to_sbml
from lissive.model.read import load, text_of
from lissive.simulation.engine import Tolerances
from lissive.simulation.planned import output_times, selected

LANGUAGE = "urn:sedml:language:sbml.level-3.version-2"
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
    events: Path | None = None
    """Doses of one subject, which become events of the model."""

    def __post_init__(self) -> None:
        Tolerances(rtol=self.rtol, atol=self.atol)  # raises for what no run could keep


def course_texts(course: Course, model_file: str) -> tuple[str, str]:
    """The SED-ML of a course, and the SBML of its model, which it expects in `model_file` beside it.

    Raises       a LissiveError for what is no course, what the model does not compute, what SED-ML cannot point to.
    """
    load(course.model)
    text, name = text_of(course.model)
    sbml, equations = dosed(to_sbml(text, name), name, course.events)
    keys = [key for key in selected(equations, course.select) if course.select or not key.startswith(INPUT)]
    times = output_times(course.until, course.every, None)
    if missing := [key for key in keys if key not in equations.quantities]:
        raise InterchangeError(
            f"the model {equations.name} does not compute {missing[0]}.",
            where="--select",
            allowed=f"{', '.join(equations.quantities)}.",
            do="correct the name.",
        )
    assert times is not None
    meaning = meanings(sbml, name)
    sedml = ask(
        "write",
        model=model_file,
        language=LANGUAGE,
        end=float(times[-1]),
        steps=len(times) - 1,
        algorithm=OWN_ALGORITHM,
        parameters={kisao: getattr(course, option) for kisao, option in TOLERANCES.items()},
        columns=[("time", {"time": ""}, "time"), *((key, *_pointed(sbml, key, meaning)) for key in keys)],
    )
    return str(sedml), sbml


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
            do="leave it out of --select.",
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
