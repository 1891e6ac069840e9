"""An SBML model whose start can be set: chosen values become parameters of a run, whatever gave them before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lissive.errors import InterchangeError
from lissive.model.source import read_document

PREFIX = "given_"
"""Before the id of a value, the id of the parameter that gives it."""


def meanings(text: str, name: str) -> dict[str, str]:
    """Each id of a model's parameters, species and compartments, and how a run selects what it means in a formula.

    A species' id means its concentration, or its amount if it has only substance units.
    """
    model = read_document(text, name).getModel()
    found = {each.getId(): each.getId() for each in model.getListOfParameters()}
    found |= {each.getId(): each.getId() for each in model.getListOfCompartments()}
    for each in model.getListOfSpecies():
        place = model.getCompartment(each.getCompartment())
        amount = each.getHasOnlySubstanceUnits() or (
            place.getSpatialDimensionsAsDouble() == 0 and not place.isSetSize()
        )
        found[each.getId()] = each.getId() if amount else f"[{each.getId()}]"
    return found


def settable(text: str, name: str, ids: Sequence[str]) -> str:
    """SBML in which each of these values starts as the parameter PREFIX + id says; its unit stays.

    Raises       InterchangeError for a value that a rule gives at all times.
    """
    import libsbml

    document = read_document(text, name)
    model = document.getModel()
    if (document.getLevel(), document.getVersion()) < (2, 2):  # they have no initial assignments
        for each in model.getListOfCompartments() if document.getLevel() == 1 else ():
            each.setVolume(each.getVolume())
        document.setLevelAndVersion(2, 4, False)
    for each in ids:
        if model.getAssignmentRule(each) is not None:
            raise InterchangeError(
                f"{each} is given by a rule at all times, and the tables give it a value.",
                where=name,
                do="leave it out of the tables, or take the rule out of the model.",
            )
        model.removeInitialAssignment(each)
        parameter = model.createParameter()
        parameter.setId(PREFIX + each)
        parameter.setValue(0.0)
        parameter.setConstant(True)
        _unit(model, each, parameter)
        start = model.createInitialAssignment()
        start.setSymbol(each)
        start.setMath(libsbml.parseL3Formula(PREFIX + each))
    return str(libsbml.writeSBMLToString(document))


def _unit(model: Any, name: str, parameter: Any) -> None:
    found = model.getParameter(name)
    if found is not None and found.isSetUnits():
        parameter.setUnits(found.getUnits())
