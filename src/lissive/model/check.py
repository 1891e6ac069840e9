"""Is a model text sound? libSBML's own checks of consistency and of units, and the ways out to SBML and Antimony."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lissive.errors import ModelError
from lissive.model.equations import TIME, Equations
from lissive.model.fit_text import fit_sbml, is_sbml
from lissive.model.reading import Reading
from lissive.model.source import (
    Source,
    antimony_to_sbml,
    parse_antimony,
    parse_sbml,
    read_document,
    refuse_fast_reactions,
    sbml_to_antimony,
)


def to_sbml(text: str, source_name: str = "model.ant") -> str:
    """SBML Level 3 Version 2 of a model's text, Antimony or SBML of another level.

    Raises       ModelError where the text cannot be understood, or holds what that level does not have.
    """
    import libsbml

    if is_sbml(text):
        document = read_document(text, source_name)
        text = fit_sbml(text, source_name)
        refuse_fast_reactions(Source(source_name, document))  # they would become slow ones
    else:
        text = antimony_to_sbml(text, source_name)
        document = libsbml.readSBMLFromString(text)
    if (document.getLevel(), document.getVersion()) == (3, 2):
        return text
    if not document.setLevelAndVersion(3, 2, False):
        fault = document.getError(document.getNumErrors() - 1).getMessage()
        raise ModelError(
            f"it cannot be written as SBML Level 3 Version 2 ({' '.join(fault.split())}).",
            where=source_name,
            do="remove what that level does not have.",
        )
    return str(libsbml.writeSBMLToString(document))


def to_antimony(text: str, source_name: str = "model.xml") -> tuple[str, list[str]]:
    """Antimony of a model's text, and the ids that it does not keep (`reaction.k` becomes `reaction_k`).

    What was SBML is read again as it is written, and has to start and to change as before.

    Raises       ModelError where the text cannot be understood, or Antimony cannot say all of it.
    """
    if not is_sbml(text):
        antimony_to_sbml(text, source_name)
        return text, []
    before = Reading(parse_sbml(text, source_name)).equations()
    written = sbml_to_antimony(fit_sbml(text, source_name), source_name)
    try:
        after = Reading(parse_antimony(written, source_name)).equations()
    except ModelError as fault:
        raise _no_antimony(source_name, f"{fault.what} ({fault.where})") from None
    if _moves(before) != _moves(after):
        raise _no_antimony(source_name, "what is written would not mean the same.")
    return written, sorted(before.quantities.keys() - after.quantities.keys())


def _no_antimony(source_name: str, why: str) -> ModelError:
    return ModelError(
        f"it cannot be written as Antimony: {why}",
        where=source_name,
        do="export it as SBML, or change what Antimony does not have.",
    )


def _moves(equations: Equations) -> dict[str, tuple[str, ...]]:
    """Each state's start and, somewhat away from it, its rate of change and what events make of it; twelve digits."""
    g, given = equations.graph, {**equations.parameters, TIME: 0.0}
    start = [float(x) for x in g.evaluate(equations.initial, given)]
    away = {name: 1.25 * x + 0.5 for name, x in zip(equations.states, start, strict=True)}
    rates = [float(x) for x in g.evaluate(equations.rates, {**given, **away, TIME: 1.5})]
    found: dict[str, tuple[str, ...]] = {
        name: (f"{x:.12g}", f"{rate:.12g}")
        for name, x, rate in zip(equations.states, start, rates, strict=True)
    }
    for event in equations.events:
        plain = (
            event.initial,
            event.persistent,
            event.from_trigger,
            event.delay is None,
            event.priority is None,
        )
        numbers = [float(x) for x in g.evaluate(event.nodes, {**given, **away, TIME: 1.5})]
        found[event.name] = (str(plain), *(f"{x:.12g}" for x in numbers))
    return found


def unit_findings(text_or_sbml: str, source_name: str = "model") -> list[str]:
    """What libSBML finds wrong with a model's consistency and units, one sentence each.

    A bare number in a formula is dimensionless, and a quantity that has no unit is a finding, since it
    cannot be checked.

    >>> text = "time_unit = second; k = 1; k has metre; x := 2*k; x has second"
    >>> print(unit_findings(text)[0][:36])
    model:1: When the 'variable' in an <
    """
    import libsbml

    antimony = "" if is_sbml(text_or_sbml) else text_or_sbml
    sbml = antimony_to_sbml(antimony, source_name) if antimony else fit_sbml(text_or_sbml, source_name)
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
