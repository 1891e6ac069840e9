"""The questions of a case on one page: what is typed in each, which apply, what is wrong, what a case it makes.

What is typed is a text for each field, as `lissive.web.controls` would show it. "?" says that it is not known and
is none of an answer's own words; nothing says that the question was not answered.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.utils import timezone

from lissive.access.cases import code_of
from lissive.case.ask import Question, every_question, with_answer
from lissive.clinic.forms import Texts, age_on, day_text
from lissive.clinic.models import Case
from lissive.errors import CaseError
from lissive.web.controls import Control, as_said, control, label_of
from lissive.web.state import FLAG, NAME, PLAN, State, questions_of
from lissive.web.views import fault_of

UNKNOWN, NONE = "?", "none"
AGE = "person.age_years"
"""Not asked: it follows from the date of birth."""
MOST_OF_ONE = 2_000
SECTIONS = (
    ("place", "Place and day"),
    ("person", "Person"),
    ("spasm", "Spasms"),
    ("history", "History"),
    ("plan", "Plan"),
    ("flags", "Facts that the law asks"),
)
LEADS = frozenset(
    {
        "as_of", "place.residence", "place.visit", "place.practitioner", "person.sex", "spasm.cause",
        "plan.product", "plan.titration",
    }
)  # fmt: skip
"""Fields on whose answer it hangs which questions follow."""
LISTS = frozenset({"history.current", "history.tried", "history.conditions"})
_FLAG = re.compile(r"flags\.[a-z][a-z0-9_]{0,60}")


# -- what is typed ---------------------------------------------------------------------------------
def state_of(case: Case) -> State:
    """What is saved. Raises CaseError where this version reads it no more."""
    state = State(case.data or {"case": NAME}, frozenset(case.passed))
    _ = state.case
    return state


def text_of(state: State, field: str) -> str:
    return UNKNOWN if field in state.passed else as_said(state.value(field))


def texts_of(state: State) -> Texts:
    """What is known, field by field, as it would be typed."""
    names = [each.field for each in every_question()] + [
        f"{FLAG}{name}" for name in state.data.get("flags") or {}
    ]
    names += [name for name in state.passed if name.startswith(FLAG)]
    return {name: text for name in names if name != AGE and (text := text_of(state, name))}


def typed_in(posted: QueryDict) -> Texts:
    """What was typed in the questions that the page had: a box that is not ticked is not sent."""
    known = {each.field for each in every_question()} - {AGE}
    names = dict.fromkeys([*posted.get("asked", "").split(), *posted])
    return {
        name: ", ".join(part.strip() for part in posted.getlist(name) if part.strip())
        for name in names
        if name in known or _FLAG.fullmatch(name)
    }


def _plain(field: str, text: str) -> str:
    """What was typed in a form in which it can be compared: of a list, one comma after each."""
    if field in LISTS:
        return ", ".join(part.strip() for part in re.split(r"[,;\n]", text) if part.strip())
    return " ".join(text.split())


# -- what it makes ---------------------------------------------------------------------------------
@dataclass(frozen=True)
class Made:
    """The case that the texts make as far as they are right, what is wrong with the others, and what does not apply."""

    state: State
    faults: Mapping[str, str]
    gone: tuple[str, ...]


def made(base: State, texts: Mapping[str, str], born: datetime.date) -> Made:
    """What is saved, with what is typed. What stands in the form as it is saved is left as it is."""
    plain = {field: _plain(field, text) for field, text in texts.items()}
    if plain.get("plan.product", text_of(base, "plan.product")) != text_of(base, "plan.product"):
        # the dose of one product says nothing of another
        base = _without(base, *PLAN)
    changed = [field for field in _ordered(plain) if plain[field] != text_of(base, field)]
    state, faults = _without(base, *changed), {}
    for field in changed:
        try:
            state = _answered(state, field, plain[field])
        except CaseError as error:
            faults[field] = _fault(error, field, state)
    state, wrong_day = _aged(state, born)
    if wrong_day:
        faults["as_of"] = wrong_day
    applying = {each.field for each in every_question() if each.applies(state.case)}
    gone = [field for field in _ordered(plain) if plain[field] and not _applies(field, applying)]
    more = [
        each.field for each in every_question() if each.field not in applying and state.is_settled(each.field)
    ]
    return Made(
        _without(state, *gone, *more),
        {field: text for field, text in faults.items() if field not in gone},
        tuple(dict.fromkeys([*gone, *more])),
    )


def _ordered(fields: Mapping[str, str]) -> list[str]:
    order = {each.field: at for at, each in enumerate(every_question())}
    return sorted(fields, key=lambda each: (order.get(each, len(order)), each))


def _applies(field: str, applying: set[str]) -> bool:
    return field in applying or field.startswith(FLAG)


def _without(state: State, *fields: str) -> State:
    """Without some answers; the outcome of a drug goes with the drug."""
    left = state.without(*fields, *(["history.outcome"] if "history.tried" in fields else []))
    return State(left.data, state.passed - set(fields))


def _answered(state: State, field: str, text: str) -> State:
    if not text:
        return state
    parts = text.split(", ")
    if text == UNKNOWN:
        return State(state.data, state.passed | {field})
    if UNKNOWN in parts:
        raise CaseError("Both an answer and “I do not know” are given.", do="take out one of the two.")
    if field in LISTS and NONE in parts and len(parts) > 1:
        raise CaseError("Both “None” and something else are given.", do="take out one of the two.")
    if len(text) > MOST_OF_ONE or "\0" in text:
        what = (
            f"The answer has {len(text):,} characters."
            if "\0" not in text
            else "It holds a character that is none."
        )
        allowed = f"up to {MOST_OF_ONE:,}, without control characters."
        raise CaseError(what, allowed=allowed, do="shorten the answer, or type it anew.")
    data = with_answer(state.data, field, text, today=timezone.localdate(), place_of=code_of)
    return State(data, state.passed)


def _fault(error: CaseError, field: str, state: State) -> str:
    question = next((each for each in every_question() if each.field == field), None)
    return fault_of(error, question or Question(field, field, "yes, no", ("law",), ""))


def _aged(state: State, born: datetime.date) -> tuple[State, str]:
    """With the age on the day of the question; or what is wrong with that day."""
    said = state.value("as_of")
    age = age_on(born, datetime.date.fromisoformat(said) if said else timezone.localdate())
    state = state.without(AGE)
    if age < 0:
        return state, "This day is before the person was born."
    if age > 120:
        return state, f"On this day the person would be {age} years old."
    person = {**(state.data.get("person") or {}), "age_years": age}
    return State({**state.data, "person": person}, state.passed), ""


# -- as it is shown --------------------------------------------------------------------------------
@dataclass(frozen=True)
class Asked:
    """One question on the page."""

    control: Control
    text: str
    answer: str
    """The answer in words; empty where there is none."""
    is_unknown: bool
    is_none: bool
    fault: str
    note: str
    leads: bool

    @property
    def is_open(self) -> bool:
        return not self.answer or bool(self.fault or self.note)


@dataclass(frozen=True)
class Section:
    id: str
    head: str
    asked: Sequence[Asked]
    rest: Sequence[Asked]
    """What decides nothing here."""


def sections(found: Made, texts: Mapping[str, str], notes: Mapping[str, str]) -> list[Section]:
    """The questions that apply, by the parts of a case: those that decide, then the others."""
    state = found.state
    decide = questions_of(state)
    names = {each.field for each in decide}
    rest = [each for each in every_question() if each.field not in names and each.applies(state.case)]

    def shown(questions: Sequence[Question], part: str) -> list[Asked]:
        mine = [each for each in questions if _part(each.field) == part and each.field != AGE]
        return [_asked(each, found, texts.get(each.field, ""), notes.get(each.field, "")) for each in mine]

    parts = [Section(part, head, shown(decide, part), shown(rest, part)) for part, head in SECTIONS]
    return [each for each in parts if each.asked or each.rest]


def _part(field: str) -> str:
    return field.partition(".")[0] if "." in field else "place"


def _asked(one: Question, found: Made, text: str, note: str) -> Asked:
    own = (UNKNOWN, NONE) if one.field in LISTS else (UNKNOWN,)
    parts = (_plain(one.field, text) if one.field in LISTS else text).split(", ")
    typed = ", ".join(part for part in parts if part not in own)
    shown_as = control(one, found.state, typed)
    value = found.state.value(one.field)
    fault = found.faults.get(one.field, "")
    answer = "I do not know" if text == UNKNOWN else ""
    if text and value is not None and not fault:
        is_day = shown_as.kind == "day"
        answer = day_text(datetime.date.fromisoformat(value)) if is_day else label_of(one.field, value)
    says_none = one.field in LISTS and NONE in parts
    return Asked(shown_as, typed, answer, UNKNOWN in parts, says_none, fault, note, one.field in LEADS)
