"""Checks of tables against the model's text: names, units of formulas, causes, tables that nothing reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lissive.check.shape import is_named
from lissive.check.tables import PARAMETERS, Fault, Row, Table, Tables
from lissive.errors import ModelError
from lissive.model.check import unit_findings
from lissive.model.compose import UNIT_IDS, line_of, put_together, symbol_faults
from lissive.model.parameters import MODULES

_TOP = "lissive.ant"
_IMPORT = re.compile(r'^\s*import\s+"([^"]+)"', re.MULTILINE)
_UNITS_ONLY = 1.0
"""Stands for a number that cannot be read: units do not depend on it."""


def _modules(tables: Tables) -> dict[str, str]:
    """The texts that the model is put together from, in order."""
    names = _IMPORT.findall(tables.texts.get(_TOP, ""))
    return {name: tables.texts[name] for name in names if name in tables.texts}


def _parameters(tables: Tables) -> dict[str, Row]:
    """Name to its row; the first cause's where each cause has one."""
    found: dict[str, Row] = {}
    for module in (*MODULES, "causes"):
        for row in tables.rows_of(f"{PARAMETERS}/{module}.tsv"):
            found.setdefault(row["name"], row)
    return found


def symbols(tables: Tables) -> Iterator[Fault]:
    modules, rows = _modules(tables), _parameters(tables)
    for name, place, what, _ in symbol_faults(modules, rows) if modules else ():
        yield (f"model/text/{place}" if place else rows[name].where), what


def unit_ids(tables: Tables) -> Iterator[Fault]:
    for row in _parameters(tables).values():
        if row["unit"] not in UNIT_IDS:
            yield row.where, f"the unit {row['unit']!r} of {row['name']} has no id in units.ant."


def formulas(tables: Tables) -> Iterator[Fault]:
    modules = _modules(tables)
    if modules and not list(symbols(tables)):  # else libSBML would say once more what is missing
        yield from _formulas_of_the_model(modules, _parameters(tables))
    for name, text in tables.texts.items():
        if name not in modules and name != _TOP:
            yield from _unit_faults(text, f"model/text/{name}")


def _formulas_of_the_model(modules: dict[str, str], rows: dict[str, Row]) -> Iterator[Fault]:
    known = {name: row for name, row in rows.items() if row["unit"] in UNIT_IDS}
    text = put_together(modules, [line_of(name, _UNITS_ONLY, row["unit"]) for name, row in known.items()])
    lines = text.split("\n")
    for where, what in _unit_faults(text, "model"):
        yield _origin(lines, where, known), what


def _unit_faults(text: str, name: str) -> Iterator[Fault]:
    try:
        found = unit_findings(text, name)
    except ModelError as error:
        found = [str(error)]
    for said in found:
        where, _, what = said.partition(": ")
        yield where, what


def _origin(lines: list[str], where: str, rows: dict[str, Row]) -> str:
    """The place in a module, or the row of a table, for a place in the text that was put together."""
    number = where.rpartition(":")[2]
    if not number.isdecimal():
        return where
    at = int(number) - 1
    if (match := re.match(r"(\w+) = ", lines[at])) and match[1] in rows:
        return rows[match[1]].where
    for above in range(at, -1, -1):
        if lines[above].startswith("// ---- "):
            return f"model/text/{lines[above].removeprefix('// ---- ')}:{at - above}"
    return where


_NAMED = (("bounds", "name"), ("ranges", "name"), ("interactions", "parameter"), ("fitted", "name"))
"""Tables and their columns that hold names of the model's parameters."""


def names(tables: Tables) -> Iterator[Fault]:
    known = set(_parameters(tables))
    for file, column in _NAMED:
        for row in tables.rows_of(f"{PARAMETERS}/{file}.tsv"):
            if row[column] not in known:
                yield row.where, f"{row[column]!r} is no parameter of the model."


def causes(tables: Tables) -> Iterator[Fault]:
    table = tables.get(f"{PARAMETERS}/causes.tsv")
    given: dict[str, set[str]] = {}
    for row in table.rows if table else ():
        given.setdefault(row["cause"], set()).add(row["name"])
    every = set[str]().union(*given.values())
    for cause, mine in given.items():
        if missing := sorted(every - mine):
            yield _of(table), f"{cause} gives no {', '.join(missing)}; other causes do."
    case = tables.get("case/causes.tsv")
    for row in case.rows if case and table else ():
        if row["model"] == "yes" and row["cause"] not in given:
            yield row.where, f"the model has no numbers for the cause {row['cause']!r}."
    if case and (unsaid := sorted(given.keys() - {row["cause"] for row in case.rows})):
        yield _of(case), f"no case can name the cause {unsaid[0]!r}, which the model has."


def _of(table: Table | None) -> str:
    return "" if table is None else f"{table.shown}:1"


def read(tables: Tables) -> Iterator[Fault]:
    for table in tables.folder(PARAMETERS):
        if table.name.removesuffix(".tsv") not in MODULES and not is_named(table.place):
            yield f"{table.shown}:1", "the model does not read this table."
