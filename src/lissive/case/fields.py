"""Every field of a case: what it is, its unit, what is allowed, an example. The command and the how-to print it.

>>> age = next(each for each in fields() if each.name == "person.age_years")
>>> age.what, age.unit, age.allowed, age.example
('Age', 'years', '0 to 120', '52')
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lissive.case.facts import Case
from lissive.case.products import products
from lissive.case.vocabulary import causes, practitioners, visits
from lissive.typed import allowed_of


@dataclass(frozen=True)
class FieldRow:
    """One field, by its dotted name."""

    name: str
    what: str
    unit: str
    allowed: str
    example: str


@cache
def fields() -> tuple[FieldRow, ...]:
    """All of them, in the order of the file."""
    return tuple(_fields(Case, ""))


def _fields(model: type[BaseModel], above: str) -> Iterator[FieldRow]:
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _fields(info.annotation, f"{above}{name}.")
        else:
            extra = info.json_schema_extra
            unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
            what = (info.description or "").rstrip(".")
            yield FieldRow(f"{above}{name}", what, unit, _allowed(name, info, unit), _example(info))


def _allowed(name: str, info: FieldInfo, unit: str) -> str:
    words = {
        "cause": causes(),
        "product": products(),
        "visit": visits(),
        "practitioner": dict.fromkeys(sorted(set(practitioners().values()))),
    }.get(name)
    if words is not None:
        return ", ".join(words)
    if name == "current":
        return "a list of medicines, each with its dose where known; [] is none"
    if name in ("flags", "outcome"):
        return (
            "names with true or false" if name == "flags" else "names of tried drugs, each with its outcome"
        )
    said = allowed_of(info).rstrip(".").removesuffix(f" {unit}")
    return "text" if said.startswith("text such as") else said.split(", as in [")[0]


def _example(info: FieldInfo) -> str:
    given = info.examples or []
    if given:
        return _yaml(given[0])
    words = [word for kind in get_args(info.annotation) for word in _literals(kind)]
    return words[0] if words else "false"


def _literals(kind: Any) -> tuple[str, ...]:
    inner = get_args(kind)
    if inner and all(isinstance(each, str) for each in inner):
        return inner
    return next((found for each in inner if (found := _literals(each))), ())


def _yaml(value: Any) -> str:
    """A value as a case has it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_yaml(each)}' for key, each in value.items())}}}"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) and value.startswith("*") else str(value)


def fields_markdown() -> str:
    """The table of the how-to."""
    rows = ["| field | what it is | unit | allowed | example |", "|---|---|---|---|---|"]
    for each in fields():
        allowed = each.allowed.replace("|", "\\|")
        rows.append(f"| `{each.name}` | {each.what} | {each.unit} | {allowed} | `{each.example}` |")
    return "\n".join(rows)
