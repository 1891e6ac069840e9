"""A model as the solver sees it: rates of change and named quantities over one expression graph."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from lissive.model.expression import Graph

TIME = "time"
"""The symbol of the independent variable. No model id may take it."""


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


def to_json(equations: Equations) -> str:
    """Equations as text, to be kept; `from_json` gives them back."""
    plain = {name: getattr(equations, name) for name in Equations.__dataclass_fields__ if name != "graph"}
    for name, value in plain.items():
        if isinstance(value, Mapping):
            plain[name] = dict(value)
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
    for name in ("states", "rates", "initial"):
        plain[name] = tuple(plain[name])
    return Equations(graph=graph, **plain)
