"""Is a model text sound? libSBML's own checks of consistency and of units, and the way out to SBML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lissive.errors import ModelError
from lissive.model.source import Source, antimony_to_sbml


def to_sbml(antimony_text: str, source_name: str = "model.ant") -> str:
    """SBML Level 3 Version 2 of an Antimony text.

    Raises       ModelError where the text cannot be understood.
    """
    import libsbml

    text = antimony_to_sbml(antimony_text, source_name)
    document = libsbml.readSBMLFromString(text)
    if (document.getLevel(), document.getVersion()) == (3, 2):
        return text
    if not document.setLevelAndVersion(3, 2, False):
        fault = document.getError(document.getNumErrors() - 1).getMessage()
        raise ModelError(
            f"it cannot be written as SBML Level 3 Version 2 ({fault}).",
            where=source_name,
            do="remove what that level does not have.",
        )
    return str(libsbml.writeSBMLToString(document))


def unit_findings(text_or_sbml: str, source_name: str = "model") -> list[str]:
    """What libSBML finds wrong with a model's consistency and units, one sentence each.

    A bare number in a formula is dimensionless, and a quantity that has no unit is a finding, since it
    cannot be checked.

    >>> text = "time_unit = second; k = 1; k has metre; x := 2*k; x has second"
    >>> print(unit_findings(text)[0][:36])
    model:1: When the 'variable' in an <
    """
    import libsbml

    antimony = "" if text_or_sbml.lstrip().startswith("<") else text_or_sbml
    sbml = antimony_to_sbml(antimony, source_name) if antimony else text_or_sbml
    document = libsbml.readSBMLFromString(sbml)
    if document.getModel() is not None and document.getLevel() > 2:
        for formula in _formulas(document.getModel()):
            _make_numbers_dimensionless(formula)
    for category in _categories():
        document.setConsistencyChecks(category, True)
    for category in (libsbml.LIBSBML_CAT_SBO_CONSISTENCY, libsbml.LIBSBML_CAT_MODELING_PRACTICE):
        document.setConsistencyChecks(category, False)
    document.checkConsistency()
    source = Source(source_name, document, antimony)
    errors = [document.getError(i) for i in range(document.getNumErrors())]
    return [f"{_place(error, source, sbml)}: {' '.join(str(error.getMessage()).split())}" for error in errors]


def _categories() -> tuple[int, ...]:
    import libsbml

    return (
        libsbml.LIBSBML_CAT_GENERAL_CONSISTENCY,
        libsbml.LIBSBML_CAT_IDENTIFIER_CONSISTENCY,
        libsbml.LIBSBML_CAT_MATHML_CONSISTENCY,
        libsbml.LIBSBML_CAT_UNITS_CONSISTENCY,
        libsbml.LIBSBML_CAT_OVERDETERMINED_MODEL,
    )


def _formulas(model: Any) -> Iterator[Any]:
    owners = [
        *model.getListOfRules(),
        *model.getListOfInitialAssignments(),
        *(r.getKineticLaw() for r in model.getListOfReactions() if r.isSetKineticLaw()),
    ]
    for owner in owners:
        if owner.isSetMath():
            yield owner.getMath()


def _make_numbers_dimensionless(formula: Any) -> None:
    stack = [formula]
    while stack:
        node = stack.pop()
        if node.isNumber() and not node.isSetUnits():
            node.setUnits("dimensionless")
        stack.extend(node.getChild(i) for i in range(node.getNumChildren()))


def _place(error: Any, source: Source, sbml: str) -> str:
    """`file:line`; in Antimony, the line that defines what the SBML line is about."""
    lines = sbml.splitlines()
    if not source.antimony or not 0 < error.getLine() <= len(lines):
        return f"{source.name}:{error.getLine()}"
    above = reversed(lines[: error.getLine()])  # a kineticLaw has no id: that of its reaction is above
    found = next((m for line in above if (m := re.search(r' (?:variable|symbol|id)="([^"]+)"', line))), None)
    return source.place_of(found[1]) if found else source.name
