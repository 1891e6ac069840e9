"""A model's own events: what happens to it where a condition comes true.

An event occurs where its trigger turns from false to true. What it assigns is then worked out, now or after a
delay, and put in place of what was there. Whatever an event may change is integrated, with a rate of zero where
nothing else moves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from typing import TYPE_CHECKING, Any

from lissive.errors import ModelError
from lissive.model.equations import TIME, Event
from lissive.model.expression import Graph
from lissive.model.mathml import Scope, condition, translate

if TYPE_CHECKING:
    from lissive.model.reading import Reading


def read_events(reading: Reading, rates: Iterable[int]) -> tuple[Event, ...]:
    """Those that can occur: with a trigger that has a formula.

    Raises       ModelError for a trigger that tests for equality what changes continuously.
    """
    if not reading.content.events:
        return ()
    g = reading.g
    states = {g.symbol(s): rate for s, rate in zip(reading.states, rates, strict=True)}
    moving = {s for s, rate in states.items() if g.value(rate) != 0.0} | {g.symbol(TIME)}
    found = []
    for number, element in enumerate(reading.content.events, start=1):
        event = _event(reading, element, number)
        place = reading.source.place(element, r"\bat\b")
        for e in _equal_while_moving(g, event.trigger, moving, states.keys()):
            raise ModelError(
                f'the trigger of event "{event.name}" tests {_said(g, e, moving)} for equality, and its value '
                "changes continuously.",
                where=place,
                allowed="<, <=, > and >= for such values; = for what only events change, and for time = constant.",
                do="use >= or <= instead.",
            )
        found.append(event)
    return tuple(found)


def _event(reading: Reading, element: Any, number: int) -> Event:
    g, c = reading.g, reading.content
    scope = Scope(g, reading.value, reading.total_rate, c.functions, lambda: reading.source.place(element))
    trigger = element.getTrigger()

    def number_of(part: Any) -> int | None:
        return translate(part.getMath(), scope) if part is not None and part.isSetMath() else None

    assigned = []
    for each in element.getListOfEventAssignments():
        if each.isSetMath():
            name = each.getVariable()
            by_amount = name not in c.species or reading.by_amount(c.species[name])
            state = list(reading.states.values()).index(name)
            size = None if by_amount else reading.size(name)
            assigned.append((state, translate(each.getMath(), scope), size))
    return Event(
        name=element.getIdAttribute() or element.getName() or f"number {number}",
        trigger=condition(trigger.getMath(), scope),
        initial=bool(trigger.getInitialValue()),
        persistent=bool(trigger.getPersistent()),
        from_trigger=bool(element.getUseValuesFromTriggerTime()),
        delay=number_of(element.getDelay()),
        priority=number_of(element.getPriority()),
        assigned=tuple(assigned),
    )


def _equal_while_moving(g: Graph, root: int, moving: Set[int], states: Set[int]) -> Iterator[int]:
    """What is compared by = though it changes continuously, so that a step would pass it by.

    Only `time = x` is met to the last digit, where x is of parameters alone.
    """
    time = g.symbol(TIME)
    steady: set[int] = set()
    for e in g.reachable([root]):
        op, args = g.nodes[e][0], g.args(e)
        if op in ("eq", "ne"):
            moves = [a for a in args if a in steady]
            others = {g.symbol(name) for a in args if a != time for name in g.symbols([a])}
            if moves and (moves != [time] or others & states):
                yield moves[0]
        elif op not in ("lt", "le", "and", "or", "xor", "not", "floor", "ceil") and (
            e in moving or any(a in steady for a in (args[1:] if op == "select" else args))
        ):
            steady.add(e)


def _said(g: Graph, e: int, moving: Set[int]) -> str:
    return " and ".join(sorted(name for name in g.symbols([e]) if g.symbol(name) in moving))
