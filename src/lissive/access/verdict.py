"""A tree of questions: folded by maximum and minimum, and once more with the open ones answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lissive.access.answer import Level
from lissive.access.rule import Clause

N, U, D, E = Level.N, Level.U, Level.D, Level.E


@dataclass(frozen=True, slots=True)
class Verdict:
    """A part of the logic with its level: a question (`ask`), or what folds others (`max`, `min`)."""

    level: Level
    op: str
    children: tuple[Verdict, ...] = ()
    clause: Clause | None = None
    path: str = ""
    fact: str = ""
    asks: str = ""
    met: str = ""
    """What of the person met it, where a clause lists several."""


def highest(
    children: Sequence[Verdict], clause: Clause | None = None, path: str = "", met: str = ""
) -> Verdict:
    """Any of them."""
    level = max((each.level for each in children), default=N)
    return Verdict(level, "max", tuple(children), clause, path, met=met)


def lowest(
    children: Sequence[Verdict], clause: Clause | None = None, path: str = "", met: str = ""
) -> Verdict:
    """All of them."""
    return Verdict(min(each.level for each in children), "min", tuple(children), clause, path, met=met)


def ask(fact: str, asks: str, holds: bool | None) -> Verdict:
    """A question with its answer; None where it is open."""
    return Verdict(U if holds is None else E if holds else N, "ask", fact=fact, asks=asks)


def fold(verdict: Verdict, answers: Mapping[str, Level]) -> Level:
    """The level if open questions were answered so.

    Parameters
    ----------
    answers : fact to level, E where it is as the rule wants it and N where it is not.
    """
    if verdict.op == "ask":
        return answers.get(verdict.fact, verdict.level) if verdict.level is U else verdict.level
    if not verdict.children:
        return verdict.level
    levels = (fold(each, answers) for each in verdict.children)
    return max(levels) if verdict.op == "max" else min(levels)


def questions(verdict: Verdict) -> Iterator[Verdict]:
    """Every question that was asked."""
    if verdict.op == "ask":
        yield verdict
    for each in verdict.children:
        yield from questions(each)
