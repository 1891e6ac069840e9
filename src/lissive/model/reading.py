"""One reading of one model: from libSBML's elements to nodes of a graph.

A species is integrated as its amount. In a formula its id means its concentration, unless it has only
substance units (or stands in a compartment of no dimensions and no size, where there is no concentration).

What does not change in a run is a parameter, under its own id; a reaction's local parameter is
`reaction.parameter`. A constant species is a parameter under the name of what the model gives for it: `[S]`
for an initial concentration, `S` for an initial amount; both `S` and `[S]` can be selected either way.
A constant with an initial assignment follows from other constants: it can be selected, and not set.
A model's own `time` goes by `time_` among the symbols, since `time` is the run's.
An initial value that a run is to set is a parameter: `S(0)` for an amount, `[S](0)` for a concentration.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from lissive.errors import ModelError
from lissive.model.content import Content, read_content
from lissive.model.equations import TIME, Equations
from lissive.model.events import read_events
from lissive.model.expression import Graph
from lissive.model.mathml import Place, Scope, translate
from lissive.model.source import Source, ignored_packages
from lissive.model.units_text import Units, over, text

_IN_PROGRESS = -1
"""In place of a node that is being worked out."""
_IGNORED = 'The SBML package {} is ignored: it is declared as optional (required="false").'
_SAID = 10
"""So many names a note has at most."""


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SAID} more" if len(names) > _SAID else ""
    return ", ".join(names[:_SAID]) + more


class Reading:
    """One reading of one model. Every quantity is worked out when first asked for, and kept."""

    def __init__(self, source: Source, free: Collection[str] = ()) -> None:
        """free : states, `S` or `[S]`, whose initial values are to be parameters."""
        self.source, self.content, self.free = source, read_content(source), free
        self.notes = (*map(_IGNORED.format, ignored_packages(source)), *self._fill())
        self.g = Graph()
        self.units = Units(source.model)
        self.parameters: dict[str, float] = {}
        self.states = {self._symbol_name(name): name for name in self._state_ids(self.content)}
        self._known: dict[tuple[str, str], int] = {}

    # -- the whole ------------------------------------------------------------------------------
    def equations(self) -> Equations:
        quantities, units, labels = self._quantities()
        rates = [self.rate(name) for name in self.states.values()]
        events = read_events(self, rates)
        initial = [self.start_of(name) for name in self.states.values()]
        model_id = self.source.model.getId()
        return Equations(
            name=model_id if model_id and model_id != "__main" else Path(self.source.name).stem,
            graph=self.g,
            states=tuple(self.states),
            rates=tuple(rates),
            initial=tuple(initial),
            parameters=self.parameters,
            quantities=quantities,
            units=units,
            labels=labels,
            time_unit=text(self.units.time) if self.units.time is not None else "",
            dose_targets={
                name: i for i, name in enumerate(self.states.values()) if name in self.content.species
            },
            events=events,
            notes=self.notes,
        )

    def _quantities(self) -> tuple[dict[str, int], dict[str, str], dict[str, str]]:
        """Everything that can be selected: its nodes, its units, its names."""
        c, u = self.content, self.units
        nodes: dict[str, int] = {}
        units: dict[str, str] = {}
        labels: dict[str, str] = {}

        def offer(key: str, node: int, unit: Any, element: Any) -> None:
            nodes[key] = node
            if unit is not None:
                units[key] = text(unit)
            if element.getName() and element.getName() != element.getIdAttribute():
                labels[key] = element.getName()

        for name, s in c.species.items():
            sized = self._has_size(s.getCompartment())
            if self._has_value(name) and (sized or self.by_amount(s) or name not in c.assigned):
                offer(name, self.amount(name), u.amount(s), s)
                if sized:
                    size = u.size(c.compartments[s.getCompartment()])
                    offer(f"[{name}]", self.concentration(name), over(u.amount(s), size), s)
        for table in (c.compartments, c.parameters, c.references):
            for name, element in table.items():
                if self._has_value(name):
                    unit = u.size(element) if table is c.compartments else None
                    unit = u.named(element.getUnits()) if table is c.parameters else unit
                    offer(name, self.value(name, str), unit, element)
        for name, element in c.reactions.items():
            if self._has_flow(name):
                offer(name, self.flow(name), u.flow, element)
                for key, node in self._local(name).items():
                    local = element.getKineticLaw().getParameter(
                        key
                    ) or element.getKineticLaw().getLocalParameter(key)
                    offer(f"{name}.{key}", node, u.named(local.getUnits()), local)
        return nodes, units, labels

    def _fill(self) -> Iterator[str]:
        """Give values that SBML lets a file leave out the default that simulators use, and say so."""
        if self.source.antimony:
            return
        c = self.content
        empty = [n for n, s in c.species.items() if not self._is_set(n) and self._given(s) is None]
        for name in empty:
            c.species[name].setInitialAmount(0.0)
        used = {s.getCompartment() for s in c.species.values() if not s.getHasOnlySubstanceUnits()}
        sizes = {
            name: c.compartments[name] for name in c.compartments if name in used and name not in c.rated
        }
        unsized = [n for n, e in sizes.items() if not self._has_size(n) and e.getSpatialDimensionsAsDouble()]
        for name in unsized:
            c.compartments[name].setSize(1.0)
        if empty:
            yield f"No initial value in the file for species {_some(empty)}: 0 was assumed."
        if unsized:
            yield f"No size in the file for compartment {_some(unsized)}: 1 was assumed."
        if still := [name for name in c.reactions if not self._has_flow(name)]:
            yield f"No rate in the file for reaction {_some(still)}: 0 was assumed."

    # -- what is what ---------------------------------------------------------------------------
    @staticmethod
    def _symbol_name(name: str) -> str:
        return "time_" if name == TIME else name

    @staticmethod
    def _state_ids(content: Content) -> Iterator[str]:
        """Ids of what is integrated: what reactions or events may change, and what has a rate rule."""
        moved = content.rated.keys() | content.jumping
        for name, s in content.species.items():
            reacting = not s.getBoundaryCondition() and not s.getConstant() and name not in content.assigned
            if reacting or name in moved:
                yield name
        for table in (content.compartments, content.parameters, content.references):
            yield from (name for name in table if name in moved)

    def by_amount(self, species: Any) -> bool:
        """Whether the species' id means its amount in a formula."""
        place = self.content.compartments[species.getCompartment()]
        dimensions = 3.0 if not place.isSetSpatialDimensions() else place.getSpatialDimensionsAsDouble()
        nowhere = dimensions == 0.0 and not self._has_size(species.getCompartment())
        return bool(species.getHasOnlySubstanceUnits()) or nowhere

    def _has_size(self, compartment: str) -> bool:
        return self._is_set(compartment) or self.content.compartments[compartment].isSetSize()

    def _is_set(self, name: str) -> bool:
        """Whether a rule or an initial assignment gives the value."""
        return name in self.content.assigned or name in self.content.initially

    def _has_value(self, name: str) -> bool:
        element = self.content.variable(name)
        moved = name in self.content.rated or name in self.content.jumping
        return self._is_set(name) or moved or self._given(element) is not None

    @staticmethod
    def _given(element: Any) -> float | None:
        """The number written at a compartment, parameter, speciesReference or species."""
        kind = element.getElementName()
        if kind == "species":
            if element.isSetInitialAmount():
                return float(element.getInitialAmount())
            return float(element.getInitialConcentration()) if element.isSetInitialConcentration() else None
        if kind == "compartment":
            return float(element.getSize()) if element.isSetSize() else None
        if kind == "speciesReference":
            if element.isSetStoichiometryMath() or (
                element.getLevel() > 2 and not element.isSetStoichiometry()
            ):
                return None
            return float(element.getStoichiometry()) / float(element.getDenominator())
        return float(element.getValue()) if element.isSetValue() else None

    # -- keeping, and finding rings ---------------------------------------------------------------
    def _once(self, kind: str, name: str, make: Callable[[], int]) -> int:
        key = (kind, name)
        if key not in self._known:
            self._known[key] = _IN_PROGRESS
            self._known[key] = make()
        elif self._known[key] == _IN_PROGRESS:
            # Keys are kept in the order in which they were asked for: the ring is the tail that is not done.
            open_keys = [k for k, node in self._known.items() if node == _IN_PROGRESS]
            ring = [n for _, n in open_keys[open_keys.index(key) :]] + [name]
            ring = [n for i, n in enumerate(ring) if i == 0 or n != ring[i - 1]]
            rule = (
                self.content.assigned.get(name)
                or self.content.initially.get(name)
                or self.content.variable(name)
            )
            shown = " -> ".join(ring if len(ring) > 1 else ring * 2)
            raise ModelError(
                f"values depend on one another in a ring: {shown}.",
                where=self.source.place(rule if rule is not None else self.content.reactions[name]),
                allowed="rules and initial assignments that can be worked out one after the other.",
                do="break the ring, for example by a rate rule for one of them.",
            )
        return self._known[key]

    def _at(self, element: Any, *patterns: str) -> Place:
        return lambda: self.source.place(element, *patterns)

    def _formula(
        self, element: Any, local: Mapping[str, int] | None = None, place: Place | None = None
    ) -> int:
        scope = Scope(
            self.g,
            self.value,
            self.total_rate,
            self.content.functions,
            place or self._at(element),
            local or {},
        )
        return translate(element.getMath(), scope)

    # -- values during a run ----------------------------------------------------------------------
    def value(self, name: str, place: Place) -> int:
        """What an id means in a formula."""
        c = self.content
        if name in c.species:
            return self.amount(name) if self.by_amount(c.species[name]) else self.concentration(name)
        if name in c.reactions and self._has_flow(name):
            return self.flow(name)
        if c.variable(name) is not None:
            return self._once("value", name, lambda: self._plain(name, place))
        what = "has no rate" if name in c.reactions else "is not defined"
        raise ModelError(
            f'"{name}" {what}.',
            where=place(),
            allowed="the ids of the model's species, compartments, parameters and reactions.",
            do=f"define {name}, or correct the id.",
        )

    def _plain(self, name: str, place: Place) -> int:
        """A compartment, a parameter or a stoichiometry."""
        c, element = self.content, self.content.variable(name)
        if name in c.assigned:
            return self._formula(c.assigned[name])
        if self._symbol_name(name) in self.states:
            return self.g.symbol(self._symbol_name(name))
        if name in c.initially:
            return self.start(self._formula(c.initially[name]))
        given = self._given(element)
        if given is not None:
            return self._parameter(name, given)
        if name in c.references and element.isSetStoichiometryMath():
            return self._formula(element.getStoichiometryMath(), place=self._at(element))
        raise self._valueless(name, element, place)

    def _parameter(self, name: str, value: float) -> int:
        self.parameters[self._symbol_name(name)] = value
        return self.g.symbol(self._symbol_name(name))

    def _valueless(self, name: str, element: Any, place: Place | None = None) -> ModelError:
        kind = {"speciesReference": "stoichiometry"}.get(element.getElementName(), element.getElementName())
        own = self.source.place(element)
        user = place() if place else ""
        needed = f" It is used at {user}." if user and user != own else ""
        return ModelError(
            f'{kind} "{name}" has no value.{needed}',
            where=own,
            allowed="a number, an initial assignment or a rule.",
            do=f"give {name} a value, or correct the name if another was meant.",
        )

    def size(self, species: str) -> int:
        """The size of the compartment that a species is in."""
        s = self.content.species[species]
        return self.value(
            s.getCompartment(), lambda: f"{self.source.place(s)}, for the concentration of {species}"
        )

    def amount(self, name: str) -> int:
        return self._once("amount", name, lambda: self._amount(name))

    def _amount(self, name: str) -> int:
        c, s = self.content, self.content.species[name]
        if name in c.assigned:
            value = self._once("rule", name, lambda: self._formula(c.assigned[name]))
            return value if self.by_amount(s) else self.g.mul(value, self.size(name))
        if self._symbol_name(name) in self.states:
            return self.g.symbol(self._symbol_name(name))
        return self.start_of(name)

    def concentration(self, name: str) -> int:
        return self._once("concentration", name, lambda: self._concentration(name))

    def _concentration(self, name: str) -> int:
        c, s = self.content, self.content.species[name]
        if name in c.assigned and not self.by_amount(s):
            return self._once("rule", name, lambda: self._formula(c.assigned[name]))
        size = self.size(name)
        constant = self._symbol_name(name) not in self.states and name not in c.assigned
        if constant and size == self.start(size) and not s.isSetInitialAmount() and not self.by_amount(s):
            return self._initial_value(name)
        return self.g.div(self.amount(name), size)

    def _has_flow(self, reaction: str) -> bool:
        element = self.content.reactions[reaction]
        return bool(element.isSetKineticLaw() and element.getKineticLaw().isSetMath())

    def flow(self, reaction: str) -> int:
        """A reaction's rate: its extent per time."""
        law = self.content.reactions[reaction].getKineticLaw()
        place = self._at(self.content.reactions[reaction], rf"\b{reaction}\s*:")
        return self._once("flow", reaction, lambda: self._formula(law, self._local(reaction), place))

    def _local(self, reaction: str) -> dict[str, int]:
        law = self.content.reactions[reaction].getKineticLaw()
        own = law.getListOfLocalParameters() if law.getLevel() > 2 else law.getListOfParameters()
        for p in own:
            if not p.isSetValue():
                raise self._valueless(f"{reaction}.{p.getId()}", p)
        return {p.getId(): self._parameter(f"{reaction}.{p.getId()}", p.getValue()) for p in own}

    # -- values at the start ------------------------------------------------------------------------
    def start(self, node: int) -> int:
        """`node` at the start of the run: over parameters only."""
        used = self.g.symbols([node])
        by = {symbol: self.start_of(self.states[symbol]) for symbol in used if symbol in self.states}
        if TIME in used:
            by[TIME] = self.g.const(0.0)
        return self.g.substitute([node], by)[0] if by else node

    def start_of(self, name: str) -> int:
        """The initial value of what is integrated, and the lasting one of a constant species (its amount)."""
        return self._once("initial value", name, lambda: self._start_of(name))

    def _start_of(self, name: str) -> int:
        s, symbol = self.content.species.get(name), self._symbol_name(name)
        if symbol in self.free:
            return self._parameter(f"{symbol}(0)", math.nan)
        if f"[{symbol}]" in self.free:
            return self.g.mul(self._parameter(f"[{symbol}](0)", math.nan), self.start(self.size(name)))
        value = self._initial_value(name)
        as_concentration = s is not None and not (
            self.by_amount(s) if name in self.content.initially else s.isSetInitialAmount()
        )
        return self.g.mul(value, self.start(self.size(name))) if as_concentration else value

    def _initial_value(self, name: str) -> int:
        """As the model gives it: a species as an amount or as a concentration."""
        if name in self.content.initially:
            return self._once(
                "assignment", name, lambda: self.start(self._formula(self.content.initially[name]))
            )
        element = self.content.variable(name)
        given = self._given(element)
        if given is None and name in self.content.jumping and name not in self.content.rated:
            given = math.nan  # until an event gives it a value
        if given is None:
            raise self._valueless(name, element)
        if self._symbol_name(name) in self.states:
            return self.g.const(given)
        return self._parameter(name if element.isSetInitialAmount() else f"[{name}]", given)

    # -- rates ------------------------------------------------------------------------------------
    def rate(self, name: str) -> int:
        """The rate of change of what is integrated: of a species, its amount."""
        return self._once("rate", name, lambda: self._rate(name))

    def _rate(self, name: str) -> int:
        g, c = self.g, self.content
        if name not in c.rated:
            reacting = name in c.species and not c.species[name].getBoundaryCondition()
            return self._rate_by_reactions(name) if reacting else g.const(0.0)
        rule = self._formula(c.rated[name])
        if name not in c.species or self.by_amount(c.species[name]):
            return rule
        # The rule is about the concentration c, and c V is integrated: d(c V)/dt = V dc/dt + c dV/dt.
        size = self.size(name)
        return g.add(g.mul(rule, size), g.mul(self.concentration(name), self.total_rate(size)))

    def _rate_by_reactions(self, name: str) -> int:
        g = self.g
        total = g.const(0.0)
        for change in self.content.changes.get(name, ()):
            if self._has_flow(change.reaction):
                moved = g.mul(
                    self._stoichiometry(change.reference, change.reaction), self.flow(change.reaction)
                )
                total = g.add(total, moved) if change.sign > 0.0 else g.sub(total, moved)
        species, model = self.content.species[name], self.source.model
        factor = species.getConversionFactor() or model.getConversionFactor()
        return g.mul(total, self.value(factor, self._at(species))) if factor else total

    def _stoichiometry(self, reference: Any, reaction: str) -> int:
        if reference.isSetId():
            return self.value(reference.getId(), self._at(reference, rf"\b{reaction}\s*:"))
        if reference.isSetStoichiometryMath():
            return self._formula(reference.getStoichiometryMath(), place=self._at(reference))
        given = self._given(reference)
        if given is None:
            raise self._valueless(f"{reference.getSpecies()} in {reaction}", reference)
        return self.g.const(given)

    def total_rate(self, node: int) -> int:
        """d(node)/d(time), by everything that it rests on."""
        g = self.g
        used = g.symbols([node])
        total = g.diff(node, g.symbol(TIME)) if TIME in used else g.const(0.0)
        by = {g.symbol(symbol): name for symbol, name in self.states.items() if symbol in used}
        for symbol, slope in g.gradient(node, list(by)).items():
            total = g.add(total, g.mul(slope, self.rate(by[symbol])))
        return total
