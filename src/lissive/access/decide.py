"""May this person have it, there, on that day? The rule in force, held against the facts.

>>> import datetime
>>> from lissive.access.answer import Facts, Symptom
>>> spasms = Symptom({"severe": True, "persistent": True}, cause="multiple_sclerosis")
>>> ms = Facts(age=52, dx=("multiple_sclerosis",), symptoms={"muscle_spasms": spasms})
>>> answer = decide(ms, "US-NY", datetime.date(2019, 5, 1))
>>> answer.status, answer.rule, answer.fired[-1].quote
('eligible', 'NY-2018', 'severe or persistent muscle spasms')
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lissive.access.answer import (
    Answer,
    Caution,
    Facts,
    Federal,
    Fired,
    Level,
    Missing,
    Node,
    Procedural,
    Product,
    day,
    span,
)
from lissive.access.conditions import limits
from lissive.access.federal import ADULT, STATE, federal
from lissive.access.logic import Verdict, evaluate, fold, person, questions
from lissive.access.procedure import Procedure, boundary, cautions, confidence, procedure, sources_to
from lissive.access.routes import alternatives, clause_text
from lissive.access.rule import Jurisdiction, Version
from lissive.access.rule import jurisdiction as find
from lissive.access.visit import Days, follow, next_steps
from lissive.errors import RuleError
from lissive.given import day_of, kind_of

# -- what is not known, and what it would change ---------------------------------------------------
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


# -- the answer ------------------------------------------------------------------------------------
Rules = Mapping[str, Jurisdiction]


@dataclass(frozen=True)
class Finding:
    """What one version says; a day on which no version is in force has none."""

    version: Version | None
    verdict: Verdict
    others: tuple[tuple[str, Level], ...] = ()
    """What else it may come to, where the day of a change is not known: the rule's name and its level."""
    every: tuple[Verdict, ...] = ()
    """All verdicts of which this is the lowest."""

    @property
    def level(self) -> Level:
        return self.verdict.level


NOTHING = Verdict(Level.N, "const")
NOT_HELD = Verdict(Level.U, "const")


def decide(facts: Facts, jurisdiction: str, on: datetime.date, rules: Rules | None = None) -> Answer:
    """What the rule in force on a day says about one person.

    Parameters
    ----------
    jurisdiction : code or name, as US-NY.      on : day of the certification.
    rules : jurisdictions by code; those that come with lissive if not given.

    Raises       RuleError where there is no such jurisdiction.
    """
    place = asked(facts, jurisdiction, on, rules)
    found = finding(facts, place, on)
    version = found.version
    if version is None:
        return _without_rule(facts, place, on, found)
    certifies_self = any(
        leaf.clause and leaf.clause.kind == "self_certify" for leaf in decisive(found.verdict)
    )
    how = procedure(facts, version, on, certifies_self=certifies_self and found.level is Level.E)
    if version.logic.kind == "never":
        how = Procedure("blocked", ("no_programme",), (), ())
    level, doubts, pending = _with_pending(facts, version, on, found.level)
    doubts += cautions(facts, place, version, on, found.verdict, how, found.others)
    days = follow(facts, version, on) if level > Level.U and how.procedural != "blocked" else Days()
    product = _product(facts, place, version, on, level, how)
    answer = Answer(
        jurisdiction=place.code,
        name=place.name,
        on=on,
        status=level.status,
        procedural=how.procedural,
        blocks=how.blocks,
        rule=version.id,
        fired=tuple(fired(version, found.verdict)) if level > Level.U else (),
        missing=missing(found.verdict),
        requirements=how.requirements if level > Level.N else (),
        cautions=doubts,
        expires=days.expires,
        confidence=confidence(version, on, how if level > Level.N else None),
        as_of=version.as_of,
        checked=day(place.verified),
        depends_on=depends_on(*found.every, *pending),
        product=product,
        federal=_federal(place, version, product, on),
        sources_to=sources_to(version),
        dates=days.every,
    )
    answer = replace(answer, alternatives=alternatives(facts, place, version, on, found.verdict))
    return replace(answer, next_steps=next_steps(facts, place, version, answer))


def asked(facts: Any, jurisdiction: Any, on: Any, rules: Rules | None = None) -> Jurisdiction:
    """The place that is asked for, once the question is one."""
    kind_of(
        "facts", facts, Facts, wrong=RuleError, do="read them with read_facts(FILE), or make_facts(DATA)."
    )
    day_of("on", on, wrong=RuleError)
    return find(jurisdiction, rules)


# -- which version ---------------------------------------------------------------------------------
def version_on(place: Jurisdiction, on: datetime.date) -> Version | None:
    """The version in force, as its days are written."""
    for each in place.versions:
        if (each.begins is None or day(each.begins) <= on) and (each.ends is None or on <= day(each.ends)):
            return each
    return None


def finding(facts: Facts, place: Jurisdiction, on: datetime.date) -> Finding:
    """The lowest of what may be in force; what else it may come to beside it."""
    chosen = version_on(place, on)
    candidates = [chosen, *(each for each in _near(place, on) if each is not chosen)]
    found: list[tuple[str, Version | None, Verdict]] = []
    for version in candidates:
        found += [
            (version.id if version else "no rule", version, each)
            for each in _verdicts(facts, place, version, on)
        ]
    lowest = min(verdict.level for _, _, verdict in found)
    _, version, verdict = next(each for each in found if each[2].level == lowest)
    others = tuple(dict.fromkeys((other, v.level) for other, _, v in found if v.level != lowest))
    return Finding(version, verdict, others, tuple(each for _, _, each in found))


def _verdicts(
    facts: Facts, place: Jurisdiction, version: Version | None, on: datetime.date
) -> Iterator[Verdict]:
    """The verdict; two where it is not known whether a clause of it had begun."""
    if version is None:
        yield _no_rule(place, on)
        return
    yield evaluate(version.logic, person(facts, on))
    if any(each.begins and _is_within(each.begins, on) for each in version.logic.walk()):
        yield evaluate(version.logic, person(facts, on, begun=False))


def _no_rule(place: Jurisdiction, on: datetime.date) -> Verdict:
    """No rule is no route; where rules are known to have been that are not in the tables, it is unknown."""
    first = place.versions[0].begins
    began = place.programme_status[0].begins if place.programme_status else None
    is_before = first is not None and on < day(first)
    return NOT_HELD if place.before_first and is_before and began and on >= day(began) else NOTHING


def _is_within(when: str, on: datetime.date) -> bool:
    """Whether a date of which the day is not known can be any day around this one."""
    found = span(when)
    return found is not None and found[0] != found[1] and found[0] <= on <= found[1]


def _near(place: Jurisdiction, on: datetime.date) -> Iterator[Version | None]:
    """What may be in force instead, because the day of a change is only known about."""
    for number, version in enumerate(place.versions):
        if version.begins is not None and _is_about(version, on):
            yield version
            before = place.versions[number - 1] if number else None
            follows = before is not None and before.ends is not None
            gap = day(version.begins) - day(before.ends) if follows and before and before.ends else None
            yield before if gap is not None and gap.days <= 1 else None


def _is_about(version: Version, on: datetime.date) -> bool:
    begins = day(version.begins or "")
    match version.date_precision:
        case "month":
            return (on.year, on.month) == (begins.year, begins.month)
        case "year":
            return on.year == begins.year
        case "approx":
            return abs((on - begins).days) < limits()["approx_days"]
    return False


# -- what it rests on ------------------------------------------------------------------------------
def decisive(verdict: Verdict) -> Iterator[Verdict]:
    """The nodes that make the level: of a maximum those that reach it, of a minimum all that are met."""
    if verdict.clause is not None and verdict.clause.kind not in ("any_of", "all_of"):
        yield verdict
        return
    for each in verdict.children:
        if verdict.op == "min" or each.level == verdict.level:
            yield from decisive(each)


def fired(version: Version, verdict: Verdict) -> Iterator[Fired]:
    """The clauses that are met, with their wording and their source."""
    known = version.known("logic")
    source = next((each for each in version.sources if each.read_on_page), next(iter(version.sources), None))
    for leaf in decisive(verdict):
        clause = leaf.clause
        assert clause is not None
        quote = version.quote if clause.quoted else None
        recalled = known == "recalled" or (quote is not None and version.known("quote") == "recalled")
        yield Fired(
            leaf.path,
            clause_text(clause, leaf),
            quote,
            "; ".join(version.citations),
            source.url if source else None,
            "recalled" if recalled else "read",
        )


def depends_on(*verdicts: Verdict) -> tuple[str, ...]:
    """The facts that the level rests on: no other can change it."""
    return tuple(sorted({fact for verdict in verdicts for fact in _depends(verdict)}))


def _depends(verdict: Verdict) -> Iterator[str]:
    if verdict.op == "ask" or not verdict.children:
        if verdict.op == "ask":
            yield verdict.fact
        return
    settled = Level.E if verdict.op == "max" else Level.N
    for each in verdict.children:
        if verdict.level != settled or each.level == settled:
            yield from _depends(each)


# -- the rest of the answer ------------------------------------------------------------------------
def _without_rule(facts: Facts, place: Jurisdiction, on: datetime.date, found: Finding) -> Answer:
    why = place.before_first if found.level is Level.U else "No version of the rule was in force on that day."
    kind = "not_covered" if found.level is Level.U else "no_rule_in_force"
    doubts = [Caution(kind, why or "")]
    doubts += boundary(found.others)
    procedural: Procedural = "blocked" if found.level is Level.N else "unknown"
    product = _product(facts, place, None, on, found.level, Procedure(procedural, (), (), ()))
    return Answer(
        jurisdiction=place.code,
        name=place.name,
        on=on,
        status=found.level.status,
        procedural=procedural,
        blocks=("no_programme",) if found.level is Level.N else (),
        cautions=tuple(doubts),
        checked=day(place.verified),
        alternatives=alternatives(facts, place, None, on, found.verdict),
        product=product,
        federal=_federal(place, None, product, on),
    )


def _product(
    facts: Facts,
    place: Jurisdiction,
    version: Version | None,
    on: datetime.date,
    level: Level,
    how: Procedure,
) -> Product:
    """What becomes of the product that is planned; its tables are read only where one is."""
    if facts.product is None:
        return Product()
    from lissive.access.routes import product_verdict

    return product_verdict(facts, place, version, on, level.status, how.procedural, how.blocks)


def _federal(
    place: Jurisdiction, version: Version | None, product: Product, on: datetime.date
) -> Federal | None:
    """What federal law says beside a state's rule, of the programme's cannabis or of that outside one."""
    if not place.code.startswith("US-"):
        return None
    outside = version is None or version.logic.kind == "never" or product.route == "adult_use"
    return federal(ADULT if outside else STATE, on)


def _with_pending(
    facts: Facts, version: Version, on: datetime.date, level: Level
) -> tuple[Level, tuple[Caution, ...], list[Verdict]]:
    """A bill that may be in force and would open a route makes a no unknown; enactment is never assumed."""
    doubts, rests = [], []
    for each in version.pending:
        if on < day(each.begins):
            continue
        doubts.append(Caution("pending_bill", f"{each.bill} {each.effect}."))
        if each.logic is not None:
            enacted = evaluate(each.logic, person(facts, on))
            rests.append(enacted)
            if level is Level.N and enacted.level > Level.N:
                level = Level.U
    return level, tuple(doubts), rests


# -- the tree --------------------------------------------------------------------------------------
def explain(facts: Facts, jurisdiction: str, on: datetime.date, rules: Rules | None = None) -> Node:
    """The rule's logic with the verdict of each node, down to the facts that were asked for."""
    place = asked(facts, jurisdiction, on, rules)
    found = finding(facts, place, on)
    if found.version is None:
        return Node(found.level, f"{place.code}: no rule in force on {on.isoformat()}")
    tree = _node(found.verdict)
    return Node(found.level, f"{found.version.id}: {tree.text}", tree.children, tree.facts)


def _node(verdict: Verdict) -> Node:
    clause = verdict.clause
    if clause is not None and clause.kind in ("any_of", "all_of"):
        return Node(verdict.level, clause_text(clause), tuple(_node(each) for each in verdict.children))
    asked = list(questions(verdict))
    children = tuple(
        Node(each.level, f"{each.asks} [{each.fact}]", (), (each.fact,)) for each in asked if len(asked) > 1
    )
    text = clause_text(clause, verdict) if clause is not None else verdict.asks
    return Node(verdict.level, text, children, tuple(dict.fromkeys(each.fact for each in asked)))
