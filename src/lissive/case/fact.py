"""What a fact of a case is: a field that may be unknown, and words for what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BeforeValidator, Field
from pydantic.config import JsonDict

from lissive.case.vocabulary import meant, words_for
from lissive.errors import UnitError
from lissive.typed import LEAVE_OUT, Row, nearest, refuse
from lissive.units import magnitude


def fact(description: str, *, unit: str = "", choice: bool = False, **limits: Any) -> Any:
    """A field that may be unknown. A `choice` is the writer's and not a fact: absent, it is not unknown."""
    extra: JsonDict = {"unit": unit, "choice": choice}
    return Field(default=None, description=description, json_schema_extra=extra, **limits)


class Facts(Row):
    """Frozen, strict, and without keys that nobody reads."""

    def _asked(self) -> Iterator[str]:
        """The fields that are facts here and now."""
        for name, info in type(self).model_fields.items():
            extra = info.json_schema_extra
            if not (isinstance(extra, dict) and extra.get("choice")):
                yield name

    def unknown(self) -> list[str]:
        """Dotted names of the facts that are not known."""
        found = []
        for name in self._asked():
            value = getattr(self, name)
            if value is None:
                found.append(name)
            elif isinstance(value, Facts):
                found += [f"{name}.{inner}" for inner in value.unknown()]
            elif isinstance(value, tuple):
                inner_facts = [(i, each) for i, each in enumerate(value) if isinstance(each, Facts)]
                found += [f"{name}[{i}].{inner}" for i, each in inner_facts for inner in each.unknown()]
        return found


def one_of(kind: str, said: str, known: Iterable[str], do: str = LEAVE_OUT) -> str:
    """The id that a word means; refused, with the nearest, where there is none."""
    if (found := meant(kind, said, words := tuple(known))) not in words:
        raise refuse(f"is {said!r}.{nearest(said, (*words, *words_for(kind)))}", f"{', '.join(words)}.", do)
    return found


def worded(kind: str, *ids: str) -> BeforeValidator:
    """Reads other words for what a field allows, as words.tsv has them."""
    return BeforeValidator(lambda said: meant(kind, str(said), ids) if isinstance(said, str | bool) else said)


def is_mass(text: str, unit: str) -> None:
    """Refuse what is not a mass (per day) of more than 0 and less than a kilogram."""
    try:
        value = magnitude(text, unit)
    except UnitError as error:
        raise refuse(f"is wrong: {error.what}", error.allowed, error.do) from error
    if not 0 < value < 1e6:
        raise refuse(f"is {text!r}, {value:g} {unit}.", f"more than 0 and less than 1e6 {unit}.")


def brief(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value) if isinstance(value, int) else repr(value)
