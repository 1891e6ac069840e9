"""From a file to a case, or to all that is wrong with it, each finding with its line."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from lissive.case._table import nearest
from lissive.case.facts import LEAVE_OUT, Case
from lissive.errors import CaseError
from lissive.marked import read_marked

Loc = tuple[str | int, ...]


class CaseFindings(CaseError):
    """All that is wrong with one case, a line for each finding."""

    def __init__(self, findings: Sequence[CaseError]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in findings))


def read_case(path: str | Path) -> Case:
    """The case in a YAML or JSON file.

    Raises
    ------
    CaseFindings (a CaseError) with every finding: file, line, field, what is allowed, what to do.
    """
    path = Path(path)
    data, lines = read_marked(path, wrong=CaseError, example="case: a")
    return _make(data, lambda loc: f"{path}:{_line(lines, loc)}", order=lambda loc: _line(lines, loc))


def make_case(data: Mapping[str, Any], *, where: str = "") -> Case:
    """The case in plain data, as from JSON; raises as `read_case` does.

    >>> make_case({"case": "a", "person": {"weight_kg": 68}}).person.weight_kg
    68.0
    """
    return _make(_tuples(data), lambda _: where)


def case_schema() -> dict[str, Any]:
    """JSON Schema of a case file, with the description and range of each field.

    >>> case_schema()["$defs"]["Person"]["properties"]["weight_kg"]["unit"]
    'kg'
    """
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Case.model_json_schema()}


Where = Callable[[Loc], str]


def _make(data: Any, where: Where, order: Callable[[Loc], int] = lambda _: 0) -> Case:
    try:
        return Case.model_validate(data)
    except ValidationError as error:
        every = [each for one in error.errors(include_url=False) for each in _each(dict(one))]
        every.sort(key=lambda each: order(_place(each)))
        findings = [_finding(each, where) for each in every]
        raise CaseFindings(findings) from None


def _tuples(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _tuples(value) for key, value in data.items()}
    return tuple(_tuples(each) for each in data) if isinstance(data, list | tuple) else data


def _line(lines: Mapping[Loc, int], loc: Loc) -> int:
    """The line of a field, or of the nearest that is written around it."""
    while loc and loc not in lines:
        loc = loc[:-1]
    return lines.get(loc, 1)


def _each(error: dict[str, Any]) -> list[dict[str, Any]]:
    """One error for each finding that a check of several fields had."""
    context = error.get("ctx", {})
    return [error, *({**error, "ctx": more} for more in context.get("more", ()))]


def _place(error: dict[str, Any]) -> Loc:
    below: str = error["ctx"]["field"] if error["type"] == "lissive" else ""
    return (*error["loc"], *(part for part in below.split(".") if part))


def _finding(error: dict[str, Any], where: Where) -> CaseError:
    loc, kind, context = _place(error), error["type"], error.get("ctx", {})
    if kind == "lissive":
        what, allowed, do = context["what"], context["allowed"], context["do"]
        return CaseError(f"{_dotted(loc)} {what}", where=where(loc), allowed=allowed, do=do)
    if kind == "extra_forbidden":
        return _unknown_key(loc, where)
    name, field = _dotted(loc), _field(Case, loc)
    allowed = _allowed(field)
    if kind == "missing":
        return CaseError(f"{name} is missing.", where=where(loc), allowed=allowed, do="write it.")
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return CaseError(
            f"{name or 'the case'} is {_shown(error['input'])}.",
            where=where(loc),
            allowed="fields, as in {name: value}.",
            do="write its fields, or leave it out if nothing is known.",
        )
    return CaseError(f"{name} is {_shown(error['input'])}.", where=where(loc), allowed=allowed, do=LEAVE_OUT)


def _unknown_key(loc: Loc, where: Where) -> CaseError:
    known = list(_model(Case, loc[:-1]).model_fields)
    return CaseError(
        f"{_dotted(loc)} is no known field.{nearest(loc[-1], known)}",
        where=where(loc),
        allowed=f"{', '.join(known)}.",
        do="correct the name, or take the line out.",
    )


def _dotted(loc: Loc) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.12g}"
    if isinstance(value, dict | tuple):
        return "a mapping" if isinstance(value, dict) else "a list"
    return repr(value)


# -- what a field allows, from its own declaration ------------------------------------------------
def _field(model: type[BaseModel], loc: Loc) -> FieldInfo | None:
    names = [part for part in loc if isinstance(part, str)]
    for name in names[:-1]:
        info = model.model_fields.get(name)
        found = _inner_model(info.annotation) if info else None
        if found is None:
            return info
        model = found
    return model.model_fields.get(names[-1]) if names else None


def _model(model: type[BaseModel], loc: Loc) -> type[BaseModel]:
    for part in loc:
        if isinstance(part, str):
            model = _inner_model(model.model_fields[part].annotation) or model
    return model


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _inner_model(arg))), None)


def _allowed(field: FieldInfo | None) -> str:
    if field is None:
        return ""
    kinds = _kinds(field.annotation)
    if words := [word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]:
        return f"{', '.join(words)}."
    unit = field.json_schema_extra.get("unit", "") if isinstance(field.json_schema_extra, dict) else ""
    low = next((mark.ge for mark in field.metadata if isinstance(mark, Ge)), None)
    high = next((mark.le for mark in field.metadata if isinstance(mark, Le)), None)
    if low is not None:
        whole = "a whole number, " if int in kinds else ""
        until = f" to {high}" if high is not None else " or more"
        return f"{whole}{low}{until}{f' {unit}' if unit else ''}."
    if bool in kinds:
        return "true, false."
    if any(get_origin(kind) is tuple for kind in kinds):
        return (
            "a list of names in small letters, words joined by _, as in [baclofen, tizanidine]; [] is none."
        )
    if field.examples:
        return f"text such as {field.examples[0]!r}."
    return "a day, as in 2026-11-22." if "date" in str(field.annotation) else "text."


def _kinds(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(kind for kind in get_args(annotation) if kind is not type(None))
    return (annotation,)
