"""Worked cases: person, date and place with the answer that is expected, held against the rules."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from lissive.access.answer import (
    Answer,
    Confidence,
    Facts,
    Indication,
    Procedural,
    ProductStatus,
    Route,
    Said,
    Status,
)
from lissive.access.decide import Rules, decide
from lissive.access.facts import FactRow
from lissive.access.load import jurisdiction as find
from lissive.access.load import rules
from lissive.case.facts import Day
from lissive.errors import RuleError
from lissive.given import path_of
from lissive.marked import Loc, read_marked
from lissive.typed import Row, line_of, typed


class ExpectedProduct(Row):
    """What should come out of the product; what is left out is not compared."""

    status: ProductStatus | None = None
    route: Route | None = None
    indication: Indication | None = None
    schedule: str | None = None
    by_video: Said | None = None
    until: Day | None = None
    nearest: tuple[str, ...] | None = None


class Expected(Row):
    """What should come out; what is left out is not compared."""

    status: Status
    procedural: Procedural | None = None
    rule: str | None = None
    product: ExpectedProduct | None = None
    confidence_at_most: Confidence | None = None

    def differing(self, answer: Answer) -> Iterator[tuple[str, object, object]]:
        """Name, expected and found of each part that is not as it should be; the rule is not one of them."""
        if answer.status != self.status:
            yield "status", self.status, answer.status
        if self.procedural not in (None, answer.procedural):
            yield "procedural", self.procedural, answer.procedural
        if self.product is not None:
            for name in sorted(self.product.model_fields_set):
                wanted, found = getattr(self.product, name), getattr(answer.product, name)
                if wanted != found:
                    yield f"product.{name}", wanted, found
        most = self.confidence_at_most
        if most is not None and TRUST.index(answer.confidence) > TRUST.index(most):
            yield "confidence", f"{most} at most", answer.confidence


TRUST: tuple[Confidence, ...] = ("low", "moderate", "high")


class WorkedCase(Row):
    """One person at one place on one day."""

    id: str = Field(min_length=1)
    jurisdiction: str
    date: Day
    facts: FactRow
    expected: Expected
    why: str | None = None
    source: Any = None
    tags: Any = None


class Question(Row):
    """A worked case of which only the facts have to be there; what should come out is not read."""

    id: Any = None
    jurisdiction: str | None = None
    date: Day | None = None
    facts: FactRow
    expected: Any = None
    why: Any = None
    source: Any = None
    tags: Any = None


class CaseFile(Row):
    """A file of worked cases."""

    meta: Any = None
    cases: tuple[WorkedCase, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Compared:
    """A worked case with the answer that was given."""

    case: WorkedCase
    answer: Answer
    line: int

    @property
    def agrees(self) -> bool:
        """In level, and in what else is expected but for the rule."""
        return not any(self.case.expected.differing(self.answer))

    @property
    def other_rule(self) -> bool:
        """Whether another rule was named; that alone is no mismatch."""
        return self.case.expected.rule not in (None, self.answer.rule)

    def to_json(self) -> dict[str, Any]:
        """Plain data: expected, found, and whether they agree."""
        answer = self.answer
        return {
            "id": self.case.id,
            "line": self.line,
            "agrees": self.agrees,
            "expected": self.case.expected.model_dump(mode="json", exclude_unset=True),
            "found": {
                "status": answer.status,
                "procedural": answer.procedural,
                "rule": answer.rule,
                "confidence": answer.confidence,
                "product": answer.to_json()["product"],
            },
        }


def read_cases(path: str | Path) -> tuple[tuple[WorkedCase, int], ...]:
    """The cases of a file, each with its line.

    Raises       RuleError with every finding: file, line, field.
    """
    example = (
        "cases: [{id: a, jurisdiction: US-NY, date: 2019-05-01, facts: {}, expected: {status: unknown}}]"
    )
    path = path_of(path, wrong=RuleError)
    data, lines = read_marked(path, wrong=RuleError, example=example, most_fields=200_000)
    file = typed(data, lines, path, CaseFile, RuleError, thing="the file of cases")
    _check_places(file.cases, lines, path)
    return tuple((each, line_of(lines, ("cases", number))) for number, each in enumerate(file.cases))


def read_question(path: str | Path) -> tuple[Facts, str | None, datetime.date | None]:
    """The facts of a file, which may be a worked case as a whole; then also its place and its day.

    Raises       RuleError with file, line and field of each finding.
    """
    path = path_of(path, wrong=RuleError)
    data, lines = read_marked(path, wrong=RuleError, example="age: 52")
    if "cases" in data:
        raise RuleError(
            "contains several worked cases, and one person is expected.",
            where=str(path),
            do=f"run `lissive access cases {path}`, or put one of them into a file of its own.",
        )
    if "facts" not in data:
        return (
            typed(data, lines, path, FactRow, RuleError, thing="the facts").facts(),
            None,
            None,
        )
    found = typed(data, lines, path, Question, RuleError, thing="the worked case")
    return found.facts.facts(), found.jurisdiction, found.date


def _check_places(cases: Sequence[WorkedCase], lines: Mapping[Loc, int], path: Path) -> None:
    wrong = []
    known = rules()
    for number, each in enumerate(cases):
        try:
            find(each.jurisdiction, known)
        except RuleError as error:
            line = line_of(lines, ("cases", number, "jurisdiction"))
            wrong.append(RuleError(error.what, where=f"{path}:{line}", allowed=error.allowed, do=error.do))
    if wrong:
        raise RuleError.all_of(wrong)


def compare(path: str | Path, held: Rules | None = None) -> list[Compared]:
    """Every case of a file with the answer that the rules give."""
    return [
        Compared(each, decide(each.facts.facts(), each.jurisdiction, each.date, held), line)
        for each, line in read_cases(path)
    ]
