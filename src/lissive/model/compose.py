"""The model text: the modules of `text/lissive.ant` in order, with the numbers of `parameters/*.tsv`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from lissive.errors import ParameterError
from lissive.model.parameters import DEFAULT_CAUSE, FOLDER, Parameter, load_parameters, place_of

TEXTS = Path(__file__).parent / "text"

UNIT_IDS: Mapping[str, str] = {
    "1": "dimensionless",
    "h": "hour",
    "1/h": "per_h",
    "1/day": "per_day",
    "L": "litre",
    "L/h": "L_per_h",
    "nmol": "nmol",
    "nmol/L": "nmol_per_L",
    "kg": "kg",
    "g/mol": "ng_per_nmol",
}
"""A unit as the tables write it to its id in units.ant."""

_IMPORT = re.compile(r'\s*import\s+"([^"]+)"')
_DEFINED = re.compile(r"(?:^|[;\s,])([A-Za-z_]\w*)\s*(?::=|=|'\s*=)|(?:^\s*|;\s*)([A-Za-z_]\w*)\s*:(?!=)")
_DECLARED = re.compile(r"\b(?:species|compartment|var)\b([^;=]*)")
_UNITS = re.compile(r"\b\w+\s+has\s+\w+\s*;?|^\s*unit\s.*$", re.MULTILINE)
_LITERAL = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
_BARE = re.compile(r"\s*(?:(?:var|compartment)\s+)?\w+\s*=\s*\d[\d.eE+-]*\s*$|\s*unit\s")
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_WORDS = frozenset(
    "model end species substanceOnly compartment in var const has import abs exp ln sqrt piecewise time".split()
)


@cache
def lissive_text(cause: str = DEFAULT_CAUSE, texts: Path = TEXTS, folder: Path = FOLDER) -> str:
    """The whole model as one Antimony text, with the parameters of one cause.

    Raises
    ------
    ParameterError
        If the text names a symbol that neither it nor a table defines, or a table gives one nothing uses.

    >>> "BP_THC = 0.63; BP_THC has dimensionless;" in lissive_text()
    True
    """
    rows = load_parameters(cause, folder)
    modules = dict(_modules(texts))
    check_symbols(modules, rows, folder)
    return put_together(modules, [_line(row) for row in rows.values()])


def put_together(modules: Mapping[str, str], numbers: Sequence[str]) -> str:
    """One text of the modules, each below its name, and of the lines that give the parameters their numbers."""
    body = "\n".join(f"// ---- {name}\n{_with_units(text).rstrip()}\n" for name, text in modules.items())
    return "model lissive\n\n" + body + "\n// ---- parameters\n" + "\n".join(numbers) + "\n\nend\n"


def check_symbols(modules: Mapping[str, str], rows: Mapping[str, Parameter], folder: Path = FOLDER) -> None:
    """Every symbol of the texts is defined there or in a table, once; every row of the tables is used.

    Raises ParameterError naming the place.
    """
    for name, where, what, do in symbol_faults(modules, rows):
        raise ParameterError(what, where=where or place_of(name, folder), do=do)


def symbol_faults(modules: Mapping[str, str], names: Iterable[str]) -> Iterator[tuple[str, str, str, str]]:
    """What does not go together between the texts and the names that tables give a value, all of it.

    Yields (name, `file:line` of the text or nothing where it is the table's row that is wrong, what, what to do).
    """
    defined, used, given = _defined(modules), _used(modules), list(names)
    for name, place in used.items():
        if name not in defined and name not in given:
            yield name, place, f"{name} has no value.", "Define it there or give it a row in a table."
    for name in given:
        if name in defined:
            yield name, "", f"{name} is defined in {defined[name]} too.", ""
        elif name not in used:
            yield name, "", f"{name} is not used by the model.", ""


def _modules(texts: Path) -> Iterator[tuple[str, str]]:
    for line in (texts / "lissive.ant").read_text(encoding="utf-8").splitlines():
        if match := _IMPORT.match(line):
            yield match[1], (texts / match[1]).read_text(encoding="utf-8")


def _line(row: Parameter) -> str:
    if row.unit not in UNIT_IDS:
        raise ParameterError(
            f"The unit {row.unit!r} has no id in units.ant.",
            where=place_of(row.name),
            allowed=f"{', '.join(UNIT_IDS)}.",
            do="give the value in one of these units.",
        )
    return line_of(row.name, row.value, row.unit)


def line_of(name: str, value: float, unit: str) -> str:
    """The text that gives a parameter its number; its unit is one of UNIT_IDS."""
    return f"{name} = {value!r}; {name} has {UNIT_IDS[unit]};"


def _with_units(text: str) -> str:
    """Numbers inside formulas are dimensionless and say so; else libSBML cannot check the formula's units.

    >>> _with_units("E := S/(1 + S); k = 2;  // 3 steps")
    'E := S/(1 dimensionless + S); k = 2;  // 3 steps'
    """
    return "\n".join(_line_with_units(line) for line in text.splitlines())


def _line_with_units(line: str) -> str:
    code, mark, comment = line.partition("//")
    statements = [
        part if _BARE.match(part) else _LITERAL.sub(lambda number: f"{number[0]} dimensionless", part)
        for part in code.split(";")
    ]
    return ";".join(statements) + mark + comment


def _code(modules: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Place and text of each line, without comments and units."""
    for name, text in modules.items():
        for number, line in enumerate(text.splitlines(), start=1):
            yield f"{name}:{number}", _UNITS.sub("", line.split("//")[0])


def _defined(modules: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, line in _code(modules):
        for match in _DEFINED.finditer(line):
            found.setdefault(match[1] or match[2], place)
        for match in _DECLARED.finditer(line):
            for name in _NAME.findall(match[1]):
                found.setdefault(name, place)
    return found


def _used(modules: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, line in _code(modules):
        for name in _NAME.findall(line):
            if name not in _WORDS:
                found.setdefault(name, place)
    return found
