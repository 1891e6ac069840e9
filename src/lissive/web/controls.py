"""How each question is put on a page: its words, what may be chosen, and what was chosen."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from lissive.access.rule import rules
from lissive.case import causes, product, products
from lissive.case.ask import Question, every_question
from lissive.case.fields import fields
from lissive.case.products import titrations
from lissive.case.vocabulary import practitioner_types, visits
from lissive.report.words import upper_first
from lissive.table import rows_of
from lissive.web.state import FLAG, State

HERE = Path(__file__).parent
Kind = Literal["choice", "several", "select", "number", "day", "list"]
Options = tuple[tuple[str, str], ...]

YES_NO: Options = (("yes", "Yes"), ("no", "No"))


@dataclass(frozen=True)
class Control:
    """One question on a page."""

    field: str
    ask: str
    hint: str
    why: str
    """What depends on it."""
    kind: Kind
    options: Options = ()
    values: tuple[str, ...] = ()
    """What is known; one text where nothing is chosen among options."""
    other: str = ""
    """Of several: what is known beside the options."""

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""

    @property
    def says_none(self) -> bool:
        return self.kind in ("list", "several")


@cache
def _rows() -> Mapping[str, Mapping[str, str]]:
    """What is said otherwise on a page than on a terminal."""
    return {row["field"]: row for row in rows_of(HERE / "questions.tsv")}


def control(one: Question, state: State, said: str | None = None) -> Control:
    """The question, with what is known; or with what was typed, where that was wrong."""
    row = _rows().get(one.field, {})
    kind, options = _kind(one, state)
    known = said if said is not None else as_said(state.value(one.field))
    if one.field == "as_of" and not known:
        known = datetime.datetime.now().astimezone().date().isoformat()
    values: tuple[str, ...] = (known,) if known else ()
    other = ""
    if kind == "several":
        chosen = [part.strip() for part in known.split(",") if part.strip()]
        values = tuple(each for each in chosen if each in dict(options))
        other = ", ".join(each for each in chosen if each not in values and each != "none")
    decides = " and ".join(one.decides) if len(one.decides) < 3 else ", ".join(one.decides)
    return Control(
        one.field,
        row.get("ask") or upper_first(one.ask),
        row.get("hint", "") or _hint(one),
        f"Decides on: {decides}.",
        kind,
        options,
        values,
        other,
    )


def asked(field: str) -> str:
    """The question of a field, in the words of a page; nothing where there is none."""
    said = next((upper_first(each.ask) for each in every_question() if each.field == field), "")
    return _rows().get(field, {}).get("ask") or said


def _hint(one: Question) -> str:
    return "" if one.field.startswith(FLAG) else _allowed(one.field) if _is_number(one.field) else ""


def _allowed(field: str) -> str:
    found = next((each for each in fields() if each.name == field), None)
    return "" if found is None else f"{upper_first(found.allowed)}{f' {found.unit}' if found.unit else ''}"


def _is_number(field: str) -> bool:
    allowed = _allowed(field)
    return bool(allowed) and any(letter.isdigit() for letter in allowed)


def as_said(value: Any) -> str:
    """A value as it would be typed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_drug, value)) if value else "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _drug(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value.get('drug', '')} {value.get('dose') or ''}".strip()
    return str(value)


def _kind(one: Question, state: State) -> tuple[Kind, Options]:
    field = one.field
    if field in (found := _choices()):
        return found[field]
    if field == "plan.titration":
        name = state.value("plan.product")
        known = titrations(product(name).name) if name else ()
        return "choice", tuple((each, upper_first(_words("titration")[each])) for each in known)
    if field.startswith(FLAG) or one.answers == "yes, no":
        return "choice", YES_NO
    if field in ("as_of", "spasm.since"):
        return "day", ()
    if field in ("history.current", "history.tried"):
        return "list", ()
    if _is_number(field):
        return "number", ()
    words = [part.strip() for part in one.answers.split(",")]
    return "choice", tuple((each, upper_first(each.replace("_", " "))) for each in words)


@cache
def _choices() -> Mapping[str, tuple[Kind, Options]]:
    places = sorted(rules().values(), key=lambda each: (not each.code.startswith("US"), each.name))
    return {
        "place.residence": ("select", (("", "Choose"), *((each.code, each.name) for each in places))),
        "spasm.cause": ("choice", _upper(causes())),
        "plan.product": ("choice", tuple((each, upper_first(product(each).label)) for each in products())),
        "place.visit": ("choice", _upper(visits())),
        "place.practitioner": ("select", (("", "Choose"), *_upper(practitioner_types()))),
        "history.conditions": ("several", _upper(_words("condition"))),
    }


def _upper(words: Mapping[str, str]) -> Options:
    return tuple((key, upper_first(label)) for key, label in words.items())


@cache
def _words(kind: str) -> Mapping[str, str]:
    return {row["word"]: row["label"] for row in rows_of(HERE / "words.tsv") if row["kind"] == kind}


def label_of(field: str, value: Any) -> str:
    """A value in the words in which it was chosen."""
    options = _choices().get(field, ("choice", ()))[1] if field != "plan.titration" else ()
    words = dict(options) | (dict(_words("titration")) if field == "plan.titration" else {})
    if isinstance(value, list | tuple):
        return ", ".join(words.get(_drug(each), _drug(each)) for each in value) if value else "None"
    said = as_said(value)
    return upper_first(words.get(said, said.replace("_", " ")))
