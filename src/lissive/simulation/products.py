"""Doses in mg by a product's name, for the shipped model: CMT `nabiximols`, AMT in mg.

AMT is mg of THC, and of CBD for products that are counted in CBD; the product's other cannabinoid comes with it, in
the product's proportion, as a row of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lissive.case.products import Product, modelled_products, product
from lissive.errors import CaseError, EventError
from lissive.model.equations import Equations
from lissive.simulation.dosing import ROUTES
from lissive.simulation.event_cells import Table, is_missing
from lissive.simulation.event_rows import id_of, number_of
from lissive.typed import nearest
from lissive.units import to_nmol

_AT_ONCE = ("RATE", "DUR")


def in_compartments(table: Table, equations: Equations) -> tuple[Table, list[str]]:
    """The table with products as doses into compartments [nmol], and what is to be said of them.

    Raises       EventError for a product that the model does not have, or a dose that it cannot be.
    """
    cells = table.columns.get("CMT", ())
    named = {
        row: _product(cell, table, row, equations) for row, cell in enumerate(cells) if isinstance(cell, str)
    }
    found = {row: what for row, what in named.items() if what is not None}
    if not found:
        return table, []
    columns: dict[str, list[Any]] = {name: [] for name in table.columns}
    others: dict[str, list[Any]] = {name: [] for name in table.others}
    where = []
    for row, at in enumerate(table.where):
        for changed in _doses(table, row, found[row], equations) if row in found else [{}]:
            for name, column in table.columns.items():
                columns[name].append(changed.get(name, column[row]))
            for name, column in table.others.items():
                others[name].append(column[row])
            where.append(at)
    for name, of in _absorption(table, found, equations).items():
        others[name] = [of.get(id_of(each), ".") for each in columns["ID"]]
    return replace(table, columns=columns, others=others, where=where), _notes(found, equations)


def _product(cell: str, table: Table, row: int, equations: Equations) -> Product | None:
    """What CMT names; None for a compartment, or for what nobody knows."""
    if is_missing(cell) or cell in equations.dose_targets or number_of(cell) is not None:
        return None
    try:
        what = product(cell)
    except CaseError:
        if like := nearest(cell, [*equations.dose_targets, *modelled_products()]):
            raise EventError(
                f"CMT {cell[:60]} is no compartment, and no product.{like}",
                where=table.where[row],
                allowed=f"{', '.join(modelled_products())}; or a compartment: {', '.join(equations.dose_targets)}.",
                do="correct CMT.",
            ) from None
        return None
    if what.no_model:
        raise EventError(
            f"{what.name} cannot be simulated: {what.no_model}.",
            where=table.where[row],
            allowed=f"{', '.join(modelled_products())}.",
            do="name another product, or leave the row out.",
        )
    return what


def _doses(table: Table, row: int, what: Product, equations: Equations) -> Iterator[dict[str, Any]]:
    """Columns that are otherwise for each cannabinoid of the dose."""
    contents = _contents(what)
    for name in (*_AT_ONCE, "SS"):
        number = number_of(table.columns[name][row]) if name in table.columns else None
        if number and (name in _AT_ONCE or len(contents) > 1):
            why = "is taken at once" if name in _AT_ONCE else "has two cannabinoids, which act on each other"
            raise EventError(
                f"{name} is {number:g} in a dose of {what.name}, which {why}.",
                where=table.where[row],
                allowed=f"{name} 0 or empty with {what.name}.",
                do="give the earlier doses as rows (ADDL)." if name == "SS" else "take it out.",
            )
    mg = number_of(table.columns["AMT"][row]) if "AMT" in table.columns else None
    for k, (drug, part) in enumerate(contents):
        changed: dict[str, Any] = {"CMT": f"{drug}_{ROUTES[what.route]}"}
        if mg is not None:
            changed["AMT"] = repr(_nmol(mg * part, equations)) if mg >= 0 else table.columns["AMT"][row]
        if k and "EVID" in table.columns and number_of(table.columns["EVID"][row]) == 4:
            changed["EVID"] = "1"  # the first has reset everything already
        yield changed


def _nmol(mg: float, equations: Equations) -> float:
    return to_nmol(mg, g_per_mol=equations.parameters["M_THC"]) if mg else 0.0


def _contents(what: Product) -> list[tuple[str, float]]:
    """Each cannabinoid, and its mg for one mg of AMT; the first is what AMT counts."""
    thc, cbd = what.thc_mg_per_unit or 0.0, what.cbd_mg_per_unit or 0.0
    if what.counts_thc:
        return [("THC", 1.0)] + ([("CBD", cbd / thc)] if cbd and thc else [])
    return [("CBD", 1.0)] + ([("THC", thc / cbd)] if cbd and thc else [])


def _absorption(
    table: Table, found: dict[int, Product], equations: Equations
) -> dict[str, dict[int | str, float]]:
    """Parameters that say how a product is taken up, by ID, where they are not the model's own."""
    there = {name.upper() for name in table.others}
    result: dict[str, dict[int | str, float]] = {}
    for row, what in found.items():
        subject = id_of(table.columns["ID"][row])
        for name, value in _taken_up(what).items():
            if name.upper() in there:
                continue
            if result.setdefault(name, {}).setdefault(subject, value) != value:
                raise EventError(
                    f"ID {subject} has two products that are taken up differently ({name} 0 and 1).",
                    where=table.where[row],
                    allowed=f"products of one kind for one subject; or a column {name}.",
                    do="simulate them as two subjects.",
                )
    return {
        name: of for name, of in result.items() if any(v != equations.parameters[name] for v in of.values())
    }


def _taken_up(what: Product) -> dict[str, float]:
    """As forecasts have it."""
    return {"smoked": float(what.name == "flower_smoked"), "oil_CBD": what.figure("cbd_in_oil") or 0.0}


def _notes(found: dict[int, Product], equations: Equations) -> list[str]:
    notes = []
    for what in {each.name: each for each in found.values()}.values():
        first, *others = _contents(what)
        text = f"AMT of {what.name} is mg of {first[0]}"
        text += "".join(f", with {part:.4g} mg of {drug} for each" for drug, part in others)
        unknown = [
            d for d, mg in (("THC", what.thc_mg_per_unit), ("CBD", what.cbd_mg_per_unit)) if mg is None
        ]
        unknown = [drug for drug in unknown if drug != first[0]]
        text += f"; its content of {unknown[0]} is not stated, and none is assumed" if unknown else ""
        notes.append(f"{text}. 1 mg is {_nmol(1.0, equations):.0f} nmol.")
        if what.assumed:
            notes.append(f"{what.name}: {what.assumed}.")
    return notes
