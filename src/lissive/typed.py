"""A file as typed, frozen rows (pydantic), or all that is wrong with it, each finding with its line.

class Trial(Row):
    weeks: float = Field(ge=1, le=104, json_schema_extra={"unit": "weeks"})

trial = read_typed(path, Trial, DesignError, example="trial: a", thing="the design")
"""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from lissive.errors import LissiveError
from lissive.given import path_of
from lissive.marked import Loc, read_marked

LEAVE_OUT = "correct the value, or leave the field out if it is not known."

R = TypeVar("R", bound=BaseModel)


class Row(BaseModel):
    """Frozen, strict, and without keys that nobody reads."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True
    )  # what is never read is never built


def refuse(what: str, allowed: str = "", do: str = LEAVE_OUT, field: str = "") -> PydanticCustomError:
    """A finding that keeps its parts; `field` is where it is, below the place that raises it."""
    return PydanticCustomError(
        "lissive", "{what}", {"what": what, "allowed": allowed, "do": do, "field": field}
    )


def raise_all(findings: Iterator[PydanticCustomError]) -> None:
    """All findings as one error, the others as its `more`; nothing where there are none."""
    found = list(findings)
    if found:
        contexts = [each.context or {} for each in found]
        raise PydanticCustomError("lissive", "{what}", {**contexts[0], "more": contexts[1:]})


def nearest(word: object, known: Iterable[str]) -> str:
    """A sentence with the known word that is most like `word`, in any letters, or nothing.

    >>> nearest("multiple_sklerosis", ["als", "multiple_sclerosis"])
    ' Did you mean multiple_sclerosis?'
    """
    said, small = str(word).lower()[:100], {each.lower(): each for each in known}
    longer = [each for each in small if len(said) > 2 and each.startswith(said)]
    found = longer or difflib.get_close_matches(said, small, n=1, cutoff=0.6)
    return f" Did you mean {small[found[0]]}?" if found else ""


def read_typed(
    path: str | Path,
    model: type[R],
    wrong: type[LissiveError],
    *,
    example: str,
    thing: str,
    shipped: bool = False,
    thorough: bool = False,
) -> R:
    """The data of a YAML or JSON file.

    Parameters
    ----------
    wrong : what each mistake is, and all of them as one (`LissiveError.all_of`), which is raised.
    example : the shortest file that is right.      thing : what the file is, for messages.
    shipped : the file comes with lissive.
    thorough : also what is wrong between fields where others are wrong by themselves.
    """
    path = path_of(path, wrong=wrong)
    data, lines = read_marked(path, wrong=wrong, example=example, shipped=shipped)
    return typed(data, lines, path, model, wrong, thing=thing, thorough=thorough)


def typed(
    data: Any,
    lines: Mapping[Loc, int],
    path: str | Path,
    model: type[R],
    wrong: type[LissiveError],
    *,
    thing: str,
    thorough: bool = False,
) -> R:
    """The same from data that `marked` has read, with its lines."""
    checker = _Checker(model, wrong, thing, lambda loc: f"{path}:{line_of(lines, loc)}")
    made: R = _made(checker, data, lambda loc: line_of(lines, loc), thorough)
    return made


def make_typed(
    data: Mapping[str, Any],
    model: type[R],
    wrong: type[LissiveError],
    *,
    where: str = "",
    thing: str,
    thorough: bool = False,
) -> R:
    """The same from plain data, as from JSON."""
    made: R = _made(_Checker(model, wrong, thing, lambda _: where), _tuples(data), lambda _: 0, thorough)
    return made


def _made(checker: _Checker, data: Any, order: Callable[[Loc], int], thorough: bool) -> Any:
    try:
        return checker.model.model_validate(data)
    except ValidationError as error:
        every = _errors(error)
        if thorough:
            every += _behind(checker.model, data, every)
        every.sort(key=lambda each: order(_place(each)))
        raise checker.wrong.all_of([checker.finding(each) for each in every]) from None


def _errors(error: ValidationError) -> list[dict[str, Any]]:
    return _telling([each for one in error.errors(include_url=False) for each in _each(dict(one))])


def _behind(model: type[BaseModel], data: Any, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is wrong between fields, and shows only once those that are wrong by themselves are left out."""
    more: list[dict[str, Any]] = []
    left_out, newest = set[Loc](), found
    while newest and len(left_out) < _MOST_LEFT_OUT:
        places = {_place(each) for each in newest if each["type"] != "missing"} - left_out
        if not places:
            return more
        left_out |= places
        data = _without(data, (), left_out)
        try:
            model.model_validate(data)
            return more
        except ValidationError as error:
            names = {dotted(loc) for loc in left_out}
            newest = [each for each in _errors(error) if each["type"] == "lissive"]
            newest = [each for each in newest if not any(name in each["ctx"]["what"] for name in names)]
            more += newest
    return more


_MOST_LEFT_OUT = 100


def _without(data: Any, loc: Loc, places: set[Loc]) -> Any:
    """The data without these places, and without lists that have one of them within."""
    if not isinstance(data, Mapping):
        return data
    kept = {}
    for key, value in data.items():
        here = (*loc, key)
        within = {place[: len(here)] for place in places} if isinstance(value, tuple) else places
        if here not in within:
            kept[key] = _without(value, here, places)
    return kept


def _tuples(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _tuples(value) for key, value in data.items()}
    return tuple(_tuples(each) for each in data) if isinstance(data, list | tuple) else data


def line_of(lines: Mapping[Loc, int], loc: Loc) -> int:
    """The line of a field, or of the nearest that is written around it."""
    while loc and loc not in lines:
        loc = loc[:-1]
    return lines.get(loc, 1)


def _each(error: dict[str, Any]) -> list[dict[str, Any]]:
    """One error for each finding that a check of several fields had."""
    context = error.get("ctx", {})
    return [error, *({**error, "ctx": more} for more in context.get("more", ()))]


def _telling(errors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without lists that are said to be too short only because what is in them is wrong."""
    wrong = {each["loc"][:depth] for each in errors for depth in range(len(each["loc"]))}
    return [each for each in errors if each["type"] != "too_short" or each["loc"] not in wrong]


def _place(error: dict[str, Any]) -> Loc:
    below: str = error["ctx"]["field"] if error["type"] == "lissive" else ""
    # an entry of a list is known by its number
    return (*error["loc"], *(int(part) if part.isdigit() else part for part in below.split(".") if part))


@dataclass(frozen=True)
class _Checker:
    """How a mistake in one kind of file is said."""

    model: type[BaseModel]
    wrong: type[LissiveError]
    thing: str
    where: Callable[[Loc], str]

    def finding(self, error: dict[str, Any]) -> LissiveError:
        loc, kind, context = _place(error), error["type"], error.get("ctx", {})
        where = self.where(loc)
        if kind == "lissive":
            what, allowed, do = context["what"], context["allowed"], context["do"]
            return self.wrong(f"{dotted(loc)} {what}".strip(), where=where, allowed=allowed, do=do)
        if kind == "extra_forbidden":
            return self._unknown_key(loc)
        name, field = dotted(loc), _field(self.model, loc)
        allowed = allowed_of(field)
        if kind == "missing":
            return self.wrong(f"{name} is missing.", where=where, allowed=allowed, do="write it.")
        if kind == "too_short":
            return self.wrong(f"{name} is empty.", where=where, allowed="one entry or more.", do="write one.")
        if kind in ("model_type", "dict_type", "model_attributes_type"):
            return self.wrong(
                f"{name or self.thing} is {_shown(error['input'])}.",
                where=where,
                allowed="fields, as in {name: value}.",
                do="write its fields, or leave it out if nothing is known.",
            )
        return self.wrong(f"{name} is {_shown(error['input'])}.", where=where, allowed=allowed, do=LEAVE_OUT)

    def _unknown_key(self, loc: Loc) -> LissiveError:
        fields = _model(self.model, loc[:-1]).model_fields
        known = [info.alias or name for name, info in fields.items()]
        return self.wrong(
            f"{dotted(loc)} is not a known field.{nearest(loc[-1], known)}",
            where=self.where(loc),
            allowed=f"{', '.join(known)}.",
            do="correct the name, or take the line out.",
        )


def dotted(loc: Loc) -> str:
    """A place as words: outcomes.pain_nrs[0].change_mean."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 10**15:  # it may be larger than any float
        return "a number of more than 15 digits"
    if isinstance(value, int | float):
        return f"{value:.12g}"
    if isinstance(value, dict | tuple):
        return "a mapping" if isinstance(value, dict) else "a list"
    return repr(value)


# -- what a field allows, from its own declaration ------------------------------------------------
def _field(model: type[BaseModel], loc: Loc) -> FieldInfo | None:
    names = [part for part in loc if isinstance(part, str)]
    for name in names[:-1]:
        info = _named(model, name)
        if info is None:  # a name that the file chose, as that of an outcome
            continue
        found = _inner_model(info.annotation)
        if found is None:
            return info
        model = found
    return _named(model, names[-1]) if names else None


def _named(model: type[BaseModel], name: str) -> FieldInfo | None:
    """The field of this name in the file, which may be another than in the code (`from` is no name there)."""
    return next((info for own, info in model.model_fields.items() if name in (info.alias, own)), None)


def _model(model: type[BaseModel], loc: Loc) -> type[BaseModel]:
    for part in loc:
        if isinstance(part, str) and (info := _named(model, part)) is not None:
            model = _inner_model(info.annotation) or model
    return model


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _inner_model(arg))), None)


def allowed_of(field: FieldInfo | None) -> str:
    """What a field allows, from its own declaration."""
    if field is None:
        return ""
    kinds = _kinds(field.annotation)
    if words := [word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]:
        return f"{', '.join(words)}."
    unit = field.json_schema_extra.get("unit", "") if isinstance(field.json_schema_extra, dict) else ""
    low = next((f"{mark.ge}" for mark in field.metadata if isinstance(mark, Ge)), None)
    low = low or next((f"above {mark.gt}" for mark in field.metadata if isinstance(mark, Gt)), None)
    high = next((f"{mark.le}" for mark in field.metadata if isinstance(mark, Le)), None)
    high = high or next((f"below {mark.lt}" for mark in field.metadata if isinstance(mark, Lt)), None)
    if low is not None:
        whole = "a whole number, " if int in kinds else ""
        until = f" to {high}" if high is not None else "" if low.startswith("above") else " or more"
        return f"{whole}{low}{until}{f' {unit}' if unit else ''}."
    if bool in kinds or any(get_origin(kind) is dict and bool in _kinds(get_args(kind)[1]) for kind in kinds):
        return "true, false."
    if many := next((kind for kind in kinds if get_origin(kind) is tuple), None):
        if _inner_model(many) or any(get_origin(each) is Mapping for each in get_args(many)):
            return "a list, a row of fields for each."
        if {int, float} & {_plain(each) for each in get_args(many)}:
            return "a list of numbers, as in [0.5, 0.75]."
        return (
            "a list of names in small letters, words joined by _, as in [baclofen, tizanidine]; [] is none."
        )
    if "date" in str(field.annotation):
        return "a day, as in 2026-11-22."
    like = f"text such as {field.examples[0]!r}" if field.examples else "text"
    return f"{', '.join([like, *_written(field)])}."


def _written(field: FieldInfo) -> Iterator[str]:
    """How a text has to be written, where it may not be any."""
    said = {
        name: getattr(mark, name, None) for mark in field.metadata for name in _FORMS if hasattr(mark, name)
    }
    if found := re.fullmatch(r"\^\[A-Za-z0-9\]\[A-Za-z0-9(.+)\]\*\$", said.get("pattern") or ""):
        yield f"of letters a to z, digits and {found[1]!r}, a letter or digit first"
    if (said.get("min_length") or 0) > 1:
        yield f"{said['min_length']} characters or more"
    if said.get("max_length"):
        yield f"up to {said['max_length']} characters"


_FORMS = ("pattern", "min_length", "max_length")


def _kinds(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(_plain(kind) for kind in get_args(annotation) if kind is not type(None))
    return (_plain(annotation),)


def _plain(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind
