"""Questions beside that about one person: worked cases, a case, every jurisdiction on a map, changes of the law."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
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
    day,
    days_later,
    span,
)
from lissive.access.decide import Rules, decide
from lissive.access.facts import FactRow, facts_of_case
from lissive.access.federal import federal_rules
from lissive.access.routes import clause_text
from lissive.access.rule import Jurisdiction, Practitioner, Version, files, read_table, rules
from lissive.access.rule import jurisdiction as find
from lissive.case import Case
from lissive.case.facts import Day
from lissive.errors import RuleError
from lissive.given import path_of
from lissive.marked import Loc, read_marked
from lissive.typed import Row, line_of, typed


# -- worked cases ----------------------------------------------------------------------------------
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


def compare_cases(path: str | Path, held: Rules | None = None) -> list[Compared]:
    """Every case of a file with the answer that the rules give."""
    return [
        Compared(each, decide(each.facts.facts(), each.jurisdiction, each.date, held), line)
        for each, line in read_cases(path)
    ]


# -- a case ----------------------------------------------------------------------------------------
def of_case(case: Case) -> Answer | None:
    """The answer where the person lives on the case's day; None where `why_not` says why."""
    if why_not(case) or case.place.residence is None or case.as_of is None:
        return None
    return decide(facts_of_case(case), case.place.residence, case.as_of)


def why_not(case: Case) -> str:
    """What keeps the question from being answered, or nothing."""
    place = case.place.residence
    if place is None:
        return "place.residence is unknown"
    if case.as_of is None:
        return "as_of, the date of the question, is unknown"
    return "" if place in files() else f"the rules of {place} are not in the data"


def code_of(said: str) -> str:
    """The code of a place by its name; what is no name stays as it is.

    >>> code_of("New York"), code_of("US-NJ"), code_of("nowhere")
    ('US-NY', 'US-NJ', 'nowhere')
    """
    if re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", said):
        return said
    try:
        return find(said, rules()).code
    except RuleError:
        return said


def flags_that_decide(case: Case) -> Iterator[tuple[str, str]]:
    """The flags on which access still depends, each with what it asks."""
    found = of_case(case)
    for each in () if found is None else found.missing:
        if each.fact.startswith("flags."):
            yield each.fact.removeprefix("flags."), each.asks[:1].upper() + each.asks[1:]


# -- tiles -----------------------------------------------------------------------------------------
GROUPS = ("state", "territory", "country")


@dataclass(frozen=True)
class Tile:
    """A square of the map, by column and row within its group."""

    code: str
    group: str
    column: int
    row: int


def read_tiles(path: Path) -> dict[str, Tile]:
    """The tiles of a table by code.

    Raises
    ------
    RuleError with file and line: a code twice, two tiles in one place, an unknown group, a place that is none.
    """
    found: dict[str, Tile] = {}
    for row in read_table(path, ("code", "group", "column", "row")):
        if row["group"] not in GROUPS:
            raise row.error(f"group is {row['group']!r}.", allowed=f"{', '.join(GROUPS)}.")
        if not (row["column"].isdecimal() and row["row"].isdecimal()):
            raise row.error("column and row are not both whole numbers of 0 or more.")
        tile = Tile(row["code"], row["group"], int(row["column"]), int(row["row"]))
        if tile.code in found:
            raise row.error(f"Duplicate code {tile.code}.", do="keep one of the two.")
        for other in found.values():
            if (other.group, other.column, other.row) == (tile.group, tile.column, tile.row):
                raise row.error(f"{tile.code} has the same place as {other.code}.", do="move one of the two.")
        found[tile.code] = tile
    return found


@cache
def tiles() -> Mapping[str, Tile]:
    """The place of every jurisdiction."""
    return MappingProxyType(read_tiles(Path(__file__).parent / "tiles.tsv"))


# -- every jurisdiction ----------------------------------------------------------------------------
def compare(facts: Facts, on: datetime.date) -> tuple[Answer, ...]:
    """What each jurisdiction's rule of that day says, by code; those of one country's states together."""
    every = rules()
    return tuple(decide(facts, code, on, every) for code in sorted(every, key=_place))


def _place(code: str) -> tuple[int, str]:
    return (_GROUPS.index(group_of(code)), code)


_GROUPS = ("state", "territory", "country")


def group_of(code: str) -> str:
    """`state`, `territory` or `country`; what has no tile goes by its code."""
    found = tiles().get(code)
    if found is not None:
        return found.group
    return "state" if "-" in code else "country"


def compared(answers: tuple[Answer, ...], on: datetime.date) -> dict[str, Any]:
    """The comparison as plain data: how many have each answer, and every answer in full."""
    counts = dict.fromkeys(("eligible", "eligible_at_discretion", "unknown", "not_eligible"), 0)
    for each in answers:
        counts[each.status] += 1
    return {
        "on": on.isoformat(),
        "counts": counts,
        "blocked": [each.jurisdiction for each in answers if each.procedural == "blocked"],
        "answers": [{**each.to_json(), "group": group_of(each.jurisdiction)} for each in answers],
        "notice": answers[0].notice if answers else "",
    }


# -- changes ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Change:
    """One change, with what it does to a person's answer where one is given."""

    on: datetime.date
    """The day, or the first of the month or year where no more is known."""
    jurisdiction: str
    rule: str
    what: str
    citation: str
    before: tuple[Status, Procedural] | None = None
    after: tuple[Status, Procedural] | None = None

    @property
    def changes_answer(self) -> bool:
        """Whether the person's answer is another one after it."""
        return self.before != self.after

    def to_json(self) -> dict[str, Any]:
        """Plain data; before and after are null where no person is given."""
        said = {
            name: None if pair is None else {"status": pair[0], "procedural": pair[1]}
            for name, pair in (("before", self.before), ("after", self.after))
        }
        return {
            "on": self.on.isoformat(),
            "jurisdiction": self.jurisdiction,
            "rule": self.rule,
            "what": self.what,
            "citation": self.citation,
            **said,
        }


def changes(since: datetime.date, until: datetime.date, facts: Facts | None = None) -> tuple[Change, ...]:
    """Every change from a day to a day, both within, in order of date; federal law is that of `US`."""
    found = [
        change
        for place in rules().values()
        for version in place.versions
        for change in _of_version(place, version, facts)
        if since <= change.on <= until
    ]
    found += [each for each in _federal() if since <= each.on <= until]
    return tuple(sorted(found, key=lambda each: (each.on, each.jurisdiction)))


def _of_version(place: Jurisdiction, version: Version, facts: Facts | None) -> Iterator[Change]:
    seen = set()
    for when, what in _dated(version):
        if when is None or (days := span(when)) is None or (days[0], what) in seen:
            continue
        on = days[0]
        own = version.begins is None or on >= day(version.begins)
        if not own or (version.ends is not None and on > day(version.ends)):
            continue  # an earlier version has it
        seen.add((on, what))
        before, after = _answers(facts, place.code, on)
        yield Change(on, place.code, version.id, what, "; ".join(version.citations), before, after)


def _dated(version: Version) -> Iterator[tuple[str | None, str]]:
    """Each day of a version, and what begins on it."""
    yield version.begins, "a new version of the rule"
    for clause in version.logic.walk():
        if clause.begins:
            yield clause.begins, f"the rule lists: {clause_text(clause)}"
    if version.telehealth and version.telehealth.initial:
        yield version.telehealth.begins, "a first visit by telehealth is allowed"
    if version.reciprocity and version.reciprocity.recognised:
        yield version.reciprocity.begins, "visitors are recognised"
    for each in version.practitioners or ():
        if isinstance(each, Practitioner):
            yield each.begins, f"{each.type} may certify"


def _answers(
    facts: Facts | None, code: str, on: datetime.date
) -> tuple[tuple[Status, Procedural] | None, tuple[Status, Procedural] | None]:
    if facts is None:
        return None, None
    found = [decide(facts, code, each) for each in (days_later(on, -1) or on, on)]
    return (found[0].status, found[0].procedural), (found[1].status, found[1].procedural)


def _federal() -> Iterator[Change]:
    for rule in federal_rules().rules:
        if rule.begins is not None:
            of = f" ({rule.of})" if rule.of else ""
            yield Change(day(rule.begins), "US", f"{rule.topic}{of}", rule.text, rule.citation)
