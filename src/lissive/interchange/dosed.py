"""A dosing table of one subject as events of the SBML model, for tools that have no dosing tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lissive.errors import EventError
from lissive.interchange.settable import meanings
from lissive.model.equations import Equations
from lissive.model.read import read_sbml
from lissive.simulation.events import read_events, regimen_of
from lissive.simulation.schedule import ADD, RATE, STOP, Schedule

INPUT = "input_into_"
"""Before the id of a species, the parameter that is its infusion's rate."""


def dosed(sbml: str, name: str, events: Path | None) -> tuple[str, Equations]:
    """SBML with these doses, if there are any, and its equations."""
    equations = read_sbml(sbml, name)
    if events is None:
        return sbml, equations
    sbml = with_doses(sbml, name, equations, events)
    return sbml, read_sbml(sbml, name)


def with_doses(sbml: str, name: str, equations: Equations, events: Path) -> str:
    """SBML Level 3 Version 2 with an event for each time at which something is given.

    equations : of this SBML

    Raises       EventError for several subjects, resets, steady states, and values that change in time.
    """
    import libsbml

    schedule = _schedule(events, equations)
    document = libsbml.readSBMLFromString(sbml)
    model = document.getModel()
    targets = {place: each for each, place in equations.dose_targets.items()}
    meaning = meanings(sbml, name)
    changes: dict[float, dict[tuple[int, str], float]] = {}
    columns = (schedule.time, schedule.action, schedule.target, schedule.value)
    for time, action, target, value in zip(*(each.tolist() for each in columns), strict=True):
        if action != STOP:
            at = changes.setdefault(time, {})
            at[action, targets[target]] = at.get((action, targets[target]), 0.0) + value
    for species in {s: None for at in changes.values() for action, s in at if action == RATE}:
        _infused(model, species)
    for k, (time, at) in enumerate(changes.items(), start=1):
        _event(model, k, time, at, meaning)
    return str(libsbml.writeSBMLToString(document))


def _schedule(events: Path, equations: Equations) -> Schedule:
    table = read_events(events, equations)
    if len(table.runs) != 1:
        raise EventError(
            f"the table has {len(table.runs)} subjects or occasions, and a model has one course.",
            where=str(events),
            allowed="the rows of one subject.",
            do="write a table for each.",
        )
    if table.varying:
        raise EventError(
            f"{table.varying[0]} changes in time.",
            where=str(events),
            allowed="columns of doses.",
            do="leave the column out.",
        )
    schedule = regimen_of(table).schedules[0]
    if schedule.steady or not set(schedule.action.tolist()) <= {ADD, RATE, STOP}:
        raise EventError(
            "steady states and resets cannot be events of a model.",
            where=str(events),
            allowed="doses and infusions, with ADDL, F, LAG and DUR.",
            do="write the doses that lead to the steady state, or a table for each part.",
        )
    if len(schedule) and schedule.time[0] < 0:
        raise EventError(
            "a dose is before time 0.",
            where=str(events),
            allowed="times from 0 on.",
            do="shift all times, so that the first dose is at 0 or later.",
        )
    return schedule


def _infused(model: Any, species: str) -> None:
    """An input of the species, at a rate that events change; at first 0."""
    import libsbml

    parameter = model.createParameter()
    parameter.setId(INPUT + species)
    parameter.setConstant(False)
    parameter.setValue(0.0)
    reaction = model.createReaction()
    reaction.setId(f"infusion_{species}")
    reaction.setReversible(False)
    product = reaction.createProduct()
    product.setSpecies(species)
    product.setStoichiometry(1.0)
    product.setConstant(True)
    reaction.createKineticLaw().setMath(libsbml.parseL3Formula(INPUT + species))


def _event(
    model: Any, k: int, time: float, changes: Mapping[tuple[int, str], float], meaning: Mapping[str, str]
) -> None:
    import libsbml

    event = model.createEvent()
    event.setId(f"given_{k}")
    event.setUseValuesFromTriggerTime(False)  # added to what the model's own events have set at this time
    trigger = event.createTrigger()
    trigger.setInitialValue(False)  # a dose at time 0 is given
    trigger.setPersistent(True)
    trigger.setMath(libsbml.parseL3Formula(f"time >= {time!r}"))
    for (action, species), value in changes.items():
        assigned = event.createEventAssignment()
        if action == RATE:
            assigned.setVariable(INPUT + species)
            formula = f"{INPUT + species} + {value!r}"
        else:
            assigned.setVariable(species)
            size = model.getSpecies(species).getCompartment()
            added = repr(value) if meaning[species] == species else f"{value!r} / {size}"
            formula = f"{species} + {added}"
        assigned.setMath(libsbml.parseL3Formula(formula))
