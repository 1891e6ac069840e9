"""A model as the solver sees it: rates of change and named quantities over one expression graph."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lissive.model.expression import Graph

TIME = "time"
"""The symbol of the independent variable. No model id may take it."""


@dataclass(frozen=True)
class Event:
    """What happens where a condition comes true."""

    name: str
    trigger: int
    """A truth; the event occurs where it turns from false to true."""
    initial: bool
    """What the trigger is taken to have been before the start."""
    persistent: bool
    """Whether it happens also where the trigger is false again before the delay is over."""
    from_trigger: bool
    """Whether what is assigned is worked out when it occurs, not when the delay is over."""
    delay: int | None
    priority: int | None
    """Of those that are due at once the highest comes first."""
    assigned: tuple[tuple[int, int, int | None], ...]
    """State, the node of its new value, and what that is to be multiplied by (a concentration by the size)."""

    @property
    def nodes(self) -> tuple[int, ...]:
        values = (node for _, value, size in self.assigned for node in (value, size))
        return tuple(e for e in (self.trigger, self.delay, self.priority, *values) if e is not None)


@dataclass(frozen=True)
class Equations:
    """Ordinary differential equations with everything that a run may ask of them.

    Symbols in `graph` are the names in `states`, the names in `parameters`, and TIME; nothing else.
    """

    name: str
    graph: Graph
    states: tuple[str, ...]
    """Ids of what is integrated. A species is integrated as its amount, whatever its equation is in."""
    rates: tuple[int, ...]
    """(state,) node of d(state)/d(time)."""
    initial: tuple[int, ...]
    """(state,) node of the state's initial value, over parameters only (TIME already replaced by its start)."""
    parameters: Mapping[str, float]
    """Constants that a run may change, with their default values."""
    quantities: Mapping[str, int]
    """Every selectable id to its node: `S` (amount), `[S]` (concentration), parameters, compartments."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Selectable id to a readable unit ("nmol", "nmol/L", "1/h"); absent where the model gives none."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Selectable id to the model's own name for it, where it has one."""
    time_unit: str = ""
    dose_targets: Mapping[str, int] = field(default_factory=dict)
    """Id that may be dosed to its place in `states` (species whose amount is integrated)."""
    events: tuple[Event, ...] = ()
    notes: tuple[str, ...] = ()
    """Which values were assumed because the model's file leaves them out."""


def only(equations: Equations, outputs: Sequence[str]) -> Equations:
    """The part of a model that these outputs depend on: fewer states, the same results for them.

    Raises       KeyError for an output that the model does not have.

    >>> g = Graph()
    >>> x, y = g.symbol("x"), g.symbol("y")
    >>> both = Equations("two", g, ("x", "y"), (g.neg(x), x), (x, y), {}, {"x": x, "y": y})
    >>> only(both, ["x"]).states, only(both, ["y"]).states
    (('x',), ('x', 'y'))
    """
    if equations.events:
        return equations  # which may make any state rest on any other
    g = equations.graph
    rate = dict(zip(equations.states, equations.rates, strict=True))
    needed: set[str] = set()
    ahead = {name for output in outputs for name in g.symbols([equations.quantities[output]])}
    while ahead:
        needed |= ahead
        ahead = {n for name in ahead if name in rate for n in g.symbols([rate[name]])} - needed
    kept = [k for k, name in enumerate(equations.states) if name in needed]
    states = tuple(equations.states[k] for k in kept)
    lost = set(equations.states) - set(states)
    return replace(
        equations,
        states=states,
        rates=tuple(equations.rates[k] for k in kept),
        initial=tuple(equations.initial[k] for k in kept),
        quantities={name: e for name, e in equations.quantities.items() if not g.symbols([e]) & lost},
        dose_targets={name: states.index(name) for name in equations.dose_targets if name in states},
    )


def to_json(equations: Equations) -> str:
    """Equations as text, to be kept; `from_json` gives them back."""
    plain = {name: getattr(equations, name) for name in Equations.__dataclass_fields__ if name != "graph"}
    for name, value in plain.items():
        if isinstance(value, Mapping):
            plain[name] = dict(value)
    plain["events"] = [vars(event) for event in equations.events]
    return json.dumps({**plain, "nodes": equations.graph.nodes})


def from_json(text: str) -> Equations:
    """Equations from the text that `to_json` wrote.

    >>> g = Graph()
    >>> x = g.symbol("x")
    >>> there = Equations("decay", g, ("x",), (g.neg(x),), (g.const(1.0),), {}, {"x": x})
    >>> from_json(to_json(there)).graph.nodes == g.nodes
    True
    """
    plain = json.loads(text)
    nodes = [tuple(node) for node in plain.pop("nodes")]
    graph = Graph.of(nodes)
    for name in ("states", "rates", "initial", "notes"):
        plain[name] = tuple(plain[name])
    for event in plain["events"]:
        event["assigned"] = tuple(tuple(each) for each in event["assigned"])
    plain["events"] = tuple(Event(**event) for event in plain["events"])
    return Equations(graph=graph, **plain)
