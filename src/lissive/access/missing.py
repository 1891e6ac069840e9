"""What is not known, and what it would change: each open question answered both ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lissive.access.answer import Level, Missing
from lissive.access.verdict import Verdict, fold, questions

YES, NO = Level.E, Level.N


def open_facts(verdict: Verdict) -> dict[str, str]:
    """Fact to what has to be found out, for every question that is open."""
    found: dict[str, list[str]] = {}
    for each in questions(verdict):
        if each.level is Level.U:
            asks = found.setdefault(each.fact, [])
            if each.asks not in asks:
                asks.append(each.asks)
    return {fact: "; ".join(asks) for fact, asks in found.items()}


def missing(verdict: Verdict) -> tuple[Missing, ...]:
    """The open facts that can change the level, those that change most first.

    A fact that does not reach the best alone is given with the fewest others that it takes.
    """
    if verdict.level in (Level.N, Level.E):
        return ()
    asked = open_facts(verdict)
    found = [each for fact in asked if (each := _changes(verdict, fact, asked)) is not None]
    order = [Level.E, Level.D, Level.U, Level.N]
    return tuple(
        sorted(found, key=lambda m: ([o.status for o in order].index(m.would_change_to), len(m.needs_also)))
    )


def _changes(verdict: Verdict, fact: str, asked: Mapping[str, str]) -> Missing | None:
    level = verdict.level
    without = fold(verdict, {fact: NO})
    others = [each for each in asked if each != fact]
    for target in (Level.E, Level.D):
        if target > level and (needed := _fewest(verdict, fact, others, target)) is not None:
            reached = fold(verdict, dict.fromkeys((fact, *needed), YES))
            return Missing(fact, asked[fact], reached.status, without.status, tuple(needed))
    alone = fold(verdict, {fact: YES})
    return Missing(fact, asked[fact], alone.status, without.status) if without != level else None


def _fewest(verdict: Verdict, fact: str, others: Iterable[str], target: Level) -> list[str] | None:
    """The others that this fact needs to reach a level; None where they reach it without this one, or never."""

    def reaches(facts: Iterable[str]) -> bool:
        return fold(verdict, dict.fromkeys(facts, YES)) >= target

    needed = list(others)
    if reaches((fact,)):
        return []
    if not reaches((fact, *needed)):
        return None
    for each in tuple(needed):
        fewer = [other for other in needed if other != each]
        if reaches((fact, *fewer)):
            needed = fewer
    return None if reaches(needed) else needed
