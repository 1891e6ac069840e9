"""A case by asking: what decides, in the order in which it decides; what is not known stays unknown.

The questions are in questions.tsv. Nothing here reads a terminal or writes a file: `ask` is given how.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lissive.case._table import read_table
from lissive.case.facts import Case
from lissive.case.fields import fields
from lissive.case.products import product, titrations
from lissive.case.read import make_case
from lissive.errors import CaseError

UNKNOWN, REST = ("", "?"), "."
HOW = "Enter or ? where it is not known; . to leave all the rest unknown."

_YES = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}
_SPASTIC = (
    "multiple_sclerosis",
    "als",
    "motor_neuron_disease",
    "spinal_cord_injury",
    "stroke",
    "cerebral_palsy",
)

Data = dict[str, Any]


def ask(
    name: str,
    *,
    read: Callable[[str], str],
    say: Callable[[str], None],
    today: datetime.date,
    place_of: Callable[[str], str],
    more: Callable[[Case], Iterable[tuple[str, str]]],
) -> Data:
    """The fields of a case, as they are answered.

    Parameters
    ----------
    read : asks with a text and gives the answer; what it raises ends the questions.      say : shows a line.
    place_of : the code of a place by its name, or the name itself.
    more : further facts that decide once the rest is known: names of `flags`, and what each asks.
    """
    data: Data = {"case": name}
    say(HOW)
    for one in every_question():
        if not one.applies(make_case(data)):
            continue
        if _asked(data, one.field, _in_words(one, data), read, say, today, place_of) == REST:
            return data
    for flag, asks in more(make_case(data)):
        if _asked(data, f"flags.{flag}", f"{asks}? yes, no", read, say, today, place_of) == REST:
            break
    return data


@dataclass(frozen=True)
class Question:
    """One row of questions.tsv."""

    field: str
    ask: str
    answers: str
    """What may be answered, in words."""
    decides: tuple[str, ...]
    """What depends on it: law, safety, evidence, usual care, forecast."""
    when: str

    def applies(self, case: Case) -> bool:
        """Whether it can decide anything after what was answered."""
        return _applies(self.when, case)


@cache
def every_question() -> tuple[Question, ...]:
    """All of them, in the order in which they decide."""
    columns = ("field", "ask", "answers", "decides", "when")
    return tuple(
        Question(row["field"], row["ask"], row["answers"], tuple(row["decides"].split(", ")), row["when"])
        for row in read_table(Path(__file__).parent / "questions.tsv", columns)
    )


def _asked(
    data: Data,
    field: str,
    question: str,
    read: Callable[[str], str],
    say: Callable[[str], None],
    today: datetime.date,
    place_of: Callable[[str], str],
) -> str:
    """One question, again until the answer is one; it is set in the data."""
    while True:
        said = read(f"{question}: ").strip()
        if said in UNKNOWN or said == REST:
            return said
        try:
            data.update(with_answer(data, field, said, today=today, place_of=place_of))
        except CaseError as error:
            for each in error.findings or (error,):
                say(
                    f"{each.what} Allowed: {each.allowed}"
                    if each.allowed
                    else f"{each.what} {each.do}".strip()
                )
            continue
        return said


def with_answer(
    data: Mapping[str, Any],
    field: str,
    said: str,
    *,
    today: datetime.date,
    place_of: Callable[[str], str],
) -> Data:
    """The data with one answer more; raises CaseError where it is none."""
    if field == "place.residence":
        said = place_of(said)
    value = today.isoformat() if field == "as_of" and said.lower() == "today" else _value(field, said)
    changed = _with(data, field, value)
    make_case(changed)
    return changed


def _with(data: Mapping[str, Any], field: str, value: Any) -> Data:
    part, _, name = field.rpartition(".")
    return {**data, part: {**data.get(part, {}), name: value}} if part else {**data, name: value}


def _value(field: str, said: str) -> Any:
    """What was typed as a case would have it; what fits nowhere stays text, and is refused as such."""
    allowed = next((each.allowed for each in fields() if each.name == field), "true, false")
    if allowed.startswith("a list"):
        return [] if said.lower() == "none" else [each.strip() for each in said.split(",") if each.strip()]
    if allowed == "true, false":
        return _YES.get(said.lower(), said)
    for kind in (int, float):
        try:
            return kind(said)
        except ValueError:
            continue
    return said


def _in_words(one: Question, data: Mapping[str, Any]) -> str:
    """With the words that are allowed."""
    plan = make_case(data).plan
    answers = one.answers
    if one.field == "plan.titration" and plan.product is not None:
        answers = ", ".join(titrations(product(plan.product).name))
    elif one.field in ("spasm.cause", "plan.product"):
        answers = next(each.allowed for each in fields() if each.name == one.field)
    joint = " " if one.ask.endswith("?") else ", " if answers.startswith("as ") else ": "
    return f"{one.ask}{joint}{answers}" if answers else one.ask


def _applies(when: str, case: Case) -> bool:
    """Whether a question can decide anything after what was answered."""
    plan = case.plan
    planned = product(plan.product) if plan.product is not None else None
    modelled = planned is not None and planned.modelled
    by_mg = (
        planned is not None and modelled and planned.counted_in == "mg" and plan.titration in (None, "fixed")
    )
    thc, cbd = plan.mg_per_unit()
    return {
        "": True,
        "not_male": case.person.sex != "male",
        "spastic": case.spasm.cause in (None, *_SPASTIC),
        "product": modelled,
        "sprays": planned is not None and planned.counted_in == "spray" and plan.titration in (None, "fixed"),
        "thc": by_mg and planned is not None and planned.counts_thc,
        "cbd": by_mg and cbd is None,
        "mg": by_mg and (thc is not None or cbd is not None),
        "swallowed": modelled and planned is not None and planned.route != "inhaled",
    }[when]


# -- as a file -------------------------------------------------------------------------------------
def case_yaml(case: Case) -> str:
    """The case as YAML, in its own order and by its ids; what is not known is left out.

    >>> print(case_yaml(make_case({"case": "a", "person": {"cyp2c9": "*1/*3"}, "history": {"current": []}})))
    case: a
    person:
      cyp2c9: "*1/*3"
    history:
      current: []
    """
    lines = []
    for name, value in case.model_dump(mode="json", exclude_none=True).items():
        if isinstance(value, Mapping):
            inner = [f"  {field}: {_scalar(each)}" for field, each in value.items()]
            lines += [f"{name}:", *inner] if inner else []
        else:
            lines.append(f"{name}: {_scalar(value)}")
    return "\n".join(lines) + "\n"


_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*|\d{4}-\d\d-\d\d")
_WORDS = frozenset({"true", "false", "null"})


def _scalar(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_scalar, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_scalar(each)}' for key, each in value.items())}}}"
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and value not in _WORDS else json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else f"{value:.12g}"
