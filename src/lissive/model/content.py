"""What a model holds, as tables by id; faults that would make it mean nothing are found here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lissive.errors import ModelError
from lissive.model.source import Source

Table = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """A reaction's effect on a species: its speciesReference, taken (-1) or made (+1)."""

    reaction: str
    reference: Any
    sign: float


@dataclass(frozen=True)
class Content:
    """libSBML's elements by id. Rules and assignments without a formula have no effect, and are left out."""

    compartments: Table
    species: Table
    parameters: Table
    reactions: Table
    references: Table
    """speciesReferences that have an id, and so may be named in a formula."""
    functions: Table
    assigned: Table
    rated: Table
    initially: Table
    changes: Mapping[str, list[Change]]
    events: tuple[Any, ...]
    """Those that can occur: with a trigger that has a formula."""
    jumping: frozenset[str]
    """What they assign to."""

    def variable(self, name: str) -> Any:
        """The element that may have a value of its own, or None."""
        for table in (self.species, self.compartments, self.parameters, self.references):
            if name in table:
                return table[name]
        return None


def read_content(source: Source) -> Content:
    """The model's tables.

    Raises       ModelError where an id is used twice, a rule is about nothing, or a species has two masters.
    """
    model = source.model
    changes: dict[str, list[Change]] = defaultdict(list)
    references: dict[str, Any] = {}
    for reaction in model.getListOfReactions():
        for sign, side in ((-1.0, reaction.getListOfReactants()), (1.0, reaction.getListOfProducts())):
            for reference in side:
                changes[reference.getSpecies()].append(Change(reaction.getId(), reference, sign))
                if reference.isSetId():
                    references[reference.getId()] = reference
    events = tuple(e for e in model.getListOfEvents() if e.isSetTrigger() and e.getTrigger().isSetMath())
    assignments = [a for e in events for a in e.getListOfEventAssignments() if a.isSetMath()]
    content = Content(
        compartments=_by_id(model.getListOfCompartments()),
        species=_by_id(model.getListOfSpecies()),
        parameters=_by_id(model.getListOfParameters()),
        reactions=_by_id(model.getListOfReactions()),
        references=references,
        functions=_by_id(model.getListOfFunctionDefinitions()),
        assigned=_by_target(source, (r for r in model.getListOfRules() if r.isAssignment())),
        rated=_by_target(source, (r for r in model.getListOfRules() if r.isRate())),
        initially=_by_target(source, model.getListOfInitialAssignments()),
        changes=changes,
        events=events,
        jumping=frozenset(a.getVariable() for a in assignments),
    )
    _check_ids(source, content)
    _check_targets(source, content)
    _check_events(source, content)
    _check_species(source, content)
    return content


def _by_id(elements: Iterable[Any]) -> dict[str, Any]:
    return {e.getIdAttribute(): e for e in elements}


def _target(element: Any) -> str:
    return str(element.getSymbol() if hasattr(element, "getSymbol") else element.getVariable())


def _by_target(source: Source, elements: Iterable[Any]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for element in elements:
        if not element.isSetMath():
            continue
        name = _target(element)
        if name in table:
            raise ModelError(
                f'"{name}" is set twice by the same kind of rule.',
                where=source.place(element),
                do="keep one of the two.",
            )
        table[name] = element
    return table


def _check_ids(source: Source, content: Content) -> None:
    model = source.model
    seen: set[str] = set()
    lists = (
        model.getListOfFunctionDefinitions(), model.getListOfCompartments(), model.getListOfSpecies(),
        model.getListOfParameters(), model.getListOfReactions(), content.references.values(),
        (event for event in model.getListOfEvents() if event.isSetIdAttribute()),
    )  # fmt: skip
    for elements in lists:
        for element in elements:
            name = element.getIdAttribute()
            if not name:
                raise ModelError(
                    f"a {element.getElementName()} has no id.",
                    where=source.place(element),
                    do="give it an id.",
                )
            if name in seen:
                raise ModelError(
                    f'the id "{name}" is used twice.',
                    where=source.place(element),
                    do="rename one of the two.",
                )
            seen.add(name)


def _check_targets(source: Source, content: Content) -> None:
    """A rule is about something that exists, that may change, and that has no other rule."""
    for table, kind in ((content.assigned, "assignment rule"), (content.rated, "rate rule")):
        for name, rule in table.items():
            element = content.variable(name)
            _check_exists(source, rule, name, kind, element)
            if _is_constant(element):
                raise ModelError(
                    f'the {kind} for "{name}" would change what is declared constant.',
                    where=source.place(rule),
                    do=f'declare {name} with constant="false" (in Antimony: var), or remove the rule.',
                )
    for name, element in content.initially.items():
        _check_exists(source, element, name, "initial assignment", content.variable(name))
    for other, kind in ((content.rated, "rate rule"), (content.initially, "initial assignment")):
        for name in other.keys() & content.assigned.keys():
            raise ModelError(
                f'"{name}" has both an assignment rule and {_article(kind)}.',
                where=source.place(other[name]),
                do="keep one of the two.",
            )


def _check_events(source: Source, content: Content) -> None:
    """An event assigns to what exists, may change, has no rule, and once to each."""
    for event in content.events:
        seen: set[str] = set()
        for element in event.getListOfEventAssignments():
            if not element.isSetMath():
                continue
            name = element.getVariable()
            _check_exists(source, element, name, "event assignment", content.variable(name))
            fault = (
                "is declared constant"
                if _is_constant(content.variable(name))
                else "has an assignment rule"
                if name in content.assigned
                else "is assigned twice by one event"
                if name in seen
                else ""
            )
            if fault:
                raise ModelError(
                    f'an event would change "{name}", which {fault}.',
                    where=source.place(element, r"\bat\b"),
                    do="remove the assignment, or what stands against it.",
                )
            seen.add(name)


def _article(kind: str) -> str:
    return ("an " if kind[0] in "aeiou" else "a ") + kind


def _check_exists(source: Source, element: Any, name: str, kind: str, target: Any) -> None:
    if target is None:
        raise ModelError(
            f'the {kind} is about "{name}", which is not defined.',
            where=source.place(element),
            allowed="a compartment, species, parameter or species reference of the model.",
            do=f"declare {name}, or correct the id.",
        )


def _is_constant(element: Any) -> bool:
    # A Level 2 speciesReference has no such attribute, and libSBML calls it constant.
    return bool(element.getConstant()) if element.getElementName() != "speciesReference" else (
        element.isSetConstant() and bool(element.getConstant())
    )  # fmt: skip


def _check_species(source: Source, content: Content) -> None:
    for name, species in content.species.items():
        if species.getCompartment() not in content.compartments:
            raise ModelError(
                f'species "{name}" is in compartment "{species.getCompartment()}", which is not defined.',
                where=source.place(species),
                allowed=f"{', '.join(content.compartments) or 'none: the model has no compartment'}.",
                do="declare the compartment, or correct the id.",
            )
    for name, changes in content.changes.items():
        place = source.place(changes[0].reference, rf"\b{changes[0].reaction}\s*:")
        species = content.species.get(name)
        if species is None:
            raise ModelError(
                f'reaction "{changes[0].reaction}" is about species "{name}", which is not defined.',
                where=place,
                do=f"declare {name}, or correct the id.",
            )
        if species.getBoundaryCondition():
            continue
        fault = "is constant" if species.getConstant() else ""
        if name in content.assigned or name in content.rated:
            fault = "has a rule"
        if fault:
            raise ModelError(
                f'species "{name}" {fault}, and reaction "{changes[0].reaction}" would change it too.',
                where=place,
                do=f'declare {name} with boundaryCondition="true" (in Antimony: ${name}), or remove one.',
            )
