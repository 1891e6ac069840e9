"""A case as it travels in a page: its data, and the questions that were left unanswered."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from lissive.access.cases import code_of, flags_that_decide, of_case
from lissive.case import Case, make_case
from lissive.case.ask import Question, every_question, with_answer
from lissive.errors import CaseError

NAME = "calculator"
MOST_CHARACTERS = 20_000
FLAG = "flags."
PLAN = (
    "plan.titration",
    "plan.sprays_per_day",
    "plan.thc_mg",
    "plan.cbd_mg",
    "plan.doses_per_day",
    "plan.fed",
)
"""What belongs to one product and says nothing of another."""


@dataclass(frozen=True)
class State:
    """What is known, what was passed over, and what was taken out because it no longer applies."""

    data: Mapping[str, Any] = field(default_factory=lambda: {"case": NAME})
    passed: frozenset[str] = frozenset()
    gone: tuple[str, ...] = ()

    @cached_property
    def case(self) -> Case:
        return make_case(self.data)

    @property
    def text(self) -> str:
        """The data as a form carries them."""
        return json.dumps(self.data, ensure_ascii=False, separators=(",", ":"))

    @property
    def passed_text(self) -> str:
        return " ".join(sorted(self.passed))

    def value(self, field: str) -> Any:
        """What is known of a field; None where nothing is."""
        part, _, name = field.rpartition(".")
        inside = self.data.get(part, {}) if part else self.data
        return inside.get(name) if isinstance(inside, Mapping) else None

    def is_settled(self, field: str) -> bool:
        return field in self.passed or self.value(field) is not None

    def without(self, *fields: str) -> State:
        """The same without what is known of some fields."""
        data = {key: dict(each) if isinstance(each, Mapping) else each for key, each in self.data.items()}
        for each in fields:
            part, _, name = each.rpartition(".")
            inside = data.get(part) if part else data
            if isinstance(inside, dict):
                inside.pop(name, None)
        return replace(self, data=data)

    def passing(self, field: str) -> State:
        """The same with one question left open."""
        return replace(self.without(field), passed=self.passed | {field})._tidy()

    def answering(self, field: str, said: str, *, today: datetime.date | None = None) -> State:
        """The same with one answer more. Raises CaseError where it is none. `today`: without it, this computer's."""
        state = self if field != "plan.product" else self._of_another(said)
        today = today or datetime.datetime.now().astimezone().date()
        data = with_answer(state.data, field, said, today=today, place_of=code_of)
        return replace(state, data=data, passed=state.passed - {field})._tidy()

    def _of_another(self, said: str) -> State:
        """Without the dose of a product that is no longer planned."""
        if self.value("plan.product") in (None, said):
            return self
        gone = tuple(each for each in PLAN if self.value(each) is not None)
        return replace(self.without(*gone), gone=gone, passed=self.passed - frozenset(PLAN))

    def _tidy(self) -> State:
        """Without answers to questions that no longer apply, such as pregnancy of a man."""
        case = self.case
        gone = tuple(
            each.field
            for each in every_question()
            if self.value(each.field) is not None and not each.applies(case)
        )
        return replace(self.without(*gone), gone=(*self.gone, *gone)) if gone else self


def read_state(posted: Mapping[str, str]) -> State:
    """What a form carried. Raises CaseError where it is no case."""
    text = posted.get("case", "")
    if len(text) > MOST_CHARACTERS:
        raise CaseError(
            "The case is too long.",
            allowed=f"up to {MOST_CHARACTERS:,} characters.",
            do="shorten what was typed.",
        )
    try:
        data = json.loads(text) if text else {"case": NAME}
    except (ValueError, RecursionError):
        raise CaseError(
            "The case in this page cannot be read.", do="begin again, or open a saved case."
        ) from None
    if not isinstance(data, dict):
        raise CaseError("The case in this page cannot be read.", do="begin again, or open a saved case.")
    make_case(data)
    known = {each.field for each in every_question()}
    words = posted.get("passed", "")[:MOST_CHARACTERS].split()
    return State(data, frozenset(word for word in words if word in known or word.startswith(FLAG)))


def question_of(field: str, state: State) -> Question | None:
    """The question of a field, if it applies to this case."""
    if field.startswith(FLAG):
        return next((each for each in _of_flags(state) if each.field == field), None)
    return next((each for each in every_question() if each.field == field and each.applies(state.case)), None)


def questions_of(state: State) -> list[Question]:
    """Every question of this case, in order: those that can still decide, then the facts on which access hangs."""
    case, decides = state.case, _deciding(state)
    asked = [
        each
        for each in every_question()
        if each.applies(case) and (state.is_settled(each.field) or decides.get(each.field, True))
    ]
    return [*asked, *_of_flags(state)]


def _of_flags(state: State) -> Iterator[Question]:
    asked = dict(flags_that_decide(state.case))
    for name in {**(state.data.get("flags") or {}), **asked}:
        ask = asked.get(name, f"Whether this holds: {name.replace('_', ' ')}")
        so = ask.rstrip("?").removeprefix("Whether ")
        yield Question(f"{FLAG}{name}", f"Is it so that {so}?", "yes, no", ("law",), "")


def _deciding(state: State) -> dict[str, bool]:
    """Of what only the law of some places asks: whether it does so there, on that day, of this case."""
    case = state.case
    found = None if case.spasm.cause is None else of_case(case)
    if found is None:
        return {}
    hangs_on = {*found.depends_on, *(each.fact for each in found.missing)}
    chronic = case.spasm.cause == "low_back_pain" or any("chronic" in each for each in hangs_on)
    said, data = found.to_json(), case.model_dump(mode="json", exclude_none=True)

    def changes(name: str, value: bool) -> bool:
        other = of_case(make_case({**data, "spasm": {**data["spasm"], name: value}}))
        return other is None or other.to_json() != said

    return {"spasm.since": chronic} | {
        f"spasm.{name}": any(changes(name, value) for value in (True, False))
        for name in ("severe", "persistent")
        if not state.is_settled(f"spasm.{name}")
    }


def next_question(asked: list[Question], state: State) -> Question | None:
    """The first that is not settled; None when all are."""
    return next((each for each in asked if not state.is_settled(each.field)), None)
