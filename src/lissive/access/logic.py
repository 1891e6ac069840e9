"""A rule's logic held against facts: every question with its answer, folded by minimum and maximum.

N < U < D < E. `any_of` is the maximum and `all_of` the minimum, so that a listed clause beats discretion, discretion
beats what is unknown, and what is unknown never becomes a no. The verdict keeps every question that was asked;
answering one that is open (`fold`) gives what it would change, without looking at the facts again.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lissive.access.answer import DAYS_PER_MONTH, Facts, Level, Symptom, days_later, has_begun
from lissive.access.conditions import conditions, flags, implied, listed
from lissive.access.rule import Clause, Listed
from lissive.access.spelling import spelled

# -- questions, folded -----------------------------------------------------------------------------
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


# -- facts made ready ------------------------------------------------------------------------------
UNSTATED = ("unknown", None)
IDIOPATHIC = "idiopathic"


@dataclass(frozen=True, slots=True)
class Entry:
    """One symptom that the person has, by its plain name and all that is known of it."""

    name: str
    plain: str
    known: Mapping[str, bool | None]
    symptom: Symptom | None
    """None where it is not known whether it is there."""


@dataclass(frozen=True, slots=True)
class Person:
    """Facts made ready: what the diagnoses fulfil, and the symptoms by their plain names."""

    facts: Facts
    had: frozenset[str]
    is_open: bool
    """Whether there may be diagnoses that are not known here."""
    entries: tuple[Entry, ...]
    on: datetime.date
    begun: bool
    """What is taken of a clause of which it is not known whether it had begun."""


def person(facts: Facts, on: datetime.date, *, begun: bool = True) -> Person:
    """Facts, made ready to be held against rules of one day."""
    table = conditions()
    is_open = not facts.dx_complete or any(word not in table for word in facts.dx)
    entries = tuple(_entry(name, symptom) for name, symptom in facts.symptoms.items())
    return Person(facts, implied(facts.dx), is_open, entries, on, begun)


def _entry(name: str, symptom: Symptom | None) -> Entry:
    condition = conditions().get(name)
    if condition is None or not condition.base:
        return Entry(name, name, symptom.attributes if symptom else {}, symptom)
    own = {} if " or " in condition.attributes else dict.fromkeys(condition.attributes.split(" and "), True)
    return Entry(name, condition.base, {**own, **(symptom.attributes if symptom else {})}, symptom)


# -- one node --------------------------------------------------------------------------------------
def evaluate(clause: Clause, who: Person, path: str = "") -> Verdict:
    """The verdict on a node and all below it."""
    here = f"{path}{'.' if path else ''}{clause.kind}"
    begun = has_begun(clause.begins, who.on)
    over = clause.until is not None and has_begun(clause.until, days_later(who.on, -1) or who.on) is True
    if over or begun is False or (begun is None and not who.begun):
        return Verdict(N, "max", (), clause, here)
    if clause.kind in ("any_of", "all_of"):
        children = [evaluate(each, who, f"{here}[{i}]") for i, each in enumerate(clause.children)]
        return (highest if clause.kind == "any_of" else lowest)(children, clause, here)
    own = _TESTS[clause.kind](clause, who)
    limits = [_flag(who, name) for name in clause.requires]
    if clause.age_min is not None and clause.kind != "age_min":
        limits.append(_old_enough(clause, who))
    if not limits:
        return Verdict(own.level, own.op, own.children, clause, here, own.fact, own.asks, own.met)
    return lowest([own, *limits], clause, here, own.met)


def _flag(who: Person, name: str) -> Verdict:
    value = who.facts.flags.get(name)
    known = flags().get(name)
    asks = known.asks if known else f"whether this holds: {name.replace('_', ' ')}"
    if value is None and known is not None and known.absent_is_no:
        value = False
    if value is None and known is not None and known.about and known.about not in who.had and not who.is_open:
        return highest(
            [ask("dx", f"whether there is {known.about}", False), ask(f"flags.{name}", asks, False)]
        )
    return ask(f"flags.{name}", asks, value)


def _old_enough(clause: Clause, who: Person) -> Verdict:
    age = who.facts.age
    return ask(
        "age", f"the age: {clause.age_min} or more", None if age is None else age >= (clause.age_min or 0)
    )


def _one_flag(clause: Clause, who: Person) -> Verdict:
    return _flag(who, clause.flag or "")


def _discretion(clause: Clause, who: Person) -> Verdict:
    return Verdict(D, "const")


def _self_certify(clause: Clause, who: Person) -> Verdict:
    return Verdict(E, "const")


def _never(clause: Clause, who: Person) -> Verdict:
    return Verdict(N, "const")


# -- diagnoses -------------------------------------------------------------------------------------
@lru_cache(maxsize=1024)
def _words(words: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...], tuple[str, ...]]:
    """All words of a list; those that qualify another; those that are symptoms too."""
    table = conditions()
    known = [table[word] for word in words if word in table]
    qualified = tuple(each.word for each in known if each.base and not each.is_symptom)
    return frozenset(words), qualified, tuple(each.word for each in known if each.is_symptom)


def _dx_any(clause: Clause, who: Person) -> Verdict:
    words = clause.dx_any or ()
    every, qualified, symptoms = _words(words)
    found = every & who.had
    if found:
        met = next(word for word in words if word in found)
        return Verdict(E, "ask", fact="dx", asks="the diagnosis", met=met)
    parts = [
        ask("dx", "whether there is a further diagnosis, which is listed", None if who.is_open else False)
    ]
    bases = {word: conditions()[word].base for word in qualified}
    for word in qualified:
        if bases[word] in who.had:  # it rests on the diagnosis too
            parts.append(lowest([ask("dx", "the diagnosis", True), _qualified(word, who)], met=word))
        elif _has(who, bases[word]):
            parts.append(_qualified(word, who))
    for word in symptoms:
        parts += _present(word, who)
    if len(parts) == 1:
        return parts[0]
    best = max(parts, key=lambda each: each.level)
    return highest(parts, met=best.met)


def _has(who: Person, base: str) -> bool:
    return any(base == entry.name or base in implied([entry.name]) for entry in who.entries if entry.symptom)


_WITH = re.compile(r"with (\w+) (\w+)")
_AGED = re.compile(r"aged (?:under (\d+)|(\d+) or older)")


def _qualified(word: str, who: Person) -> Verdict:
    """A qualified diagnosis of which the base is known: a flag says it, or else the age or a symptom."""
    condition = conditions()[word]
    stated = who.facts.flags.get(word)
    if stated is None and (aged := _AGED.fullmatch(condition.attributes)):
        age, under = who.facts.age, aged[1]
        limit = int(under or aged[2])
        holds = None if age is None else age < limit if under else age >= limit
        return Verdict(
            ask("", "", holds).level, "ask", fact="age", asks=f"the age: {condition.attributes}", met=word
        )
    if stated is None and (shown := _WITH.fullmatch(condition.attributes)):
        for entry in who.entries:
            if entry.symptom and entry.plain == shown[2] and entry.known.get(shown[1]) is not None:
                holds = entry.known[shown[1]]
                fact = f"symptoms.{entry.name}.{shown[1]}"
                return Verdict(E if holds else N, "ask", fact=fact, asks=condition.attributes, met=word)
    asked = ask(f"flags.{word}", flags()[word].asks, stated)
    return Verdict(asked.level, "ask", fact=asked.fact, asks=asked.asks, met=word)


# -- symptoms --------------------------------------------------------------------------------------
def _symptom(clause: Clause, who: Person) -> Verdict:
    return _any_symptom((clause.symptom or "",), clause, who)


def _symptom_any(clause: Clause, who: Person) -> Verdict:
    return _any_symptom(clause.symptom_any or (), clause, who)


def _any_symptom(words: Iterable[str], clause: Clause, who: Person) -> Verdict:
    found: list[Verdict] = []
    for word in words:
        own_words = _present(word, who, clause)
        found += own_words
        if word in who.had and not own_words:  # entered as a diagnosis, of which nothing more is known
            own = Entry(word, word, {}, Symptom())
            found.append(
                lowest([Verdict(E, "ask", fact="dx", asks="the diagnosis"), *_limits(own, clause)], met=word)
            )
    if not found:
        plain = [conditions()[word].base or word if word in conditions() else word for word in words]
        asks = " or ".join(word.replace("_", " ") for word in words)
        missing = [ask(f"symptoms.{word}", _there(asks), False) for word in dict.fromkeys(plain)]
        if any(word in conditions() and conditions()[word].is_diagnosis for word in words):
            missing.append(ask("dx", f"whether {asks} {_are(asks)} among the diagnoses", False))
        return missing[0] if len(missing) == 1 else highest(missing)
    # a symptom may meet two of the words by the same questions, which are asked but once
    found = list({tuple((q.fact, q.level) for q in questions(each)): each for each in found}.values())
    if len(found) == 1:
        return found[0]
    return highest(found, met=max(found, key=lambda each: each.level).met)


def _present(word: str, who: Person, clause: Clause | None = None) -> list[Verdict]:
    """Each symptom of the person that may be the one that a rule names, with how far it is."""
    found = []
    for entry in who.entries:
        is_it, asked = _fits(word, entry.name, entry.plain)
        if not is_it:
            continue
        if entry.symptom is None:
            found.append(ask(f"symptoms.{entry.name}", _there(word), None))
            continue
        there = Verdict(E, "ask", fact=f"symptoms.{entry.name}", asks="the symptom", met=word)
        parts = [there, *_adjectives(asked, entry), *(_limits(entry, clause) if clause else ())]
        found.append(lowest(parts, met=word) if len(parts) > 1 else there)
    return found


@lru_cache(maxsize=4096)
def _fits(word: str, name: str, plain: str) -> tuple[bool, str]:
    """Whether a symptom of this name can be the word, and what adjectives the word asks of it besides."""
    if word in implied([name]):
        return True, ""
    condition = conditions().get(word)
    if condition is not None and condition.base and condition.base in (name, plain):
        return True, condition.attributes or word
    return False, ""


def _adjectives(asked: str, entry: Entry) -> list[Verdict]:
    """What a word asks, as `chronic and severe or intractable`; `and` binds closer."""
    if not asked:
        return []
    options = []
    for each in asked.split(" or "):
        parts = [_attribute(entry, adjective) for adjective in each.split(" and ")]
        options.append(parts[0] if len(parts) == 1 else lowest(parts))
    return [options[0] if len(options) == 1 else highest(options)]


def _attribute(entry: Entry, adjective: str) -> Verdict:
    said = f"whether {_is(entry.name)} {adjective.replace('_', ' ')}"
    return ask(f"symptoms.{entry.name}.{adjective}", said, _holds(entry.known, adjective))


def _holds(known: Mapping[str, bool | None], adjective: str) -> bool | None:
    holds = known.get(adjective)
    if holds is None and adjective == "moderate_to_severe":  # either is within it
        either = (known.get("moderate"), known.get("severe"))
        return True if True in either else False if either == (False, False) else None
    return holds


def _is(name: str) -> str:
    words = name.replace("_", " ")
    return f"the {words} {_are(words)}"


def _are(words: str) -> str:
    return "are" if words.endswith("s") else "is"


def _there(name: str) -> str:
    """`whether there are muscle spasms`."""
    words = name.replace("_", " ")
    return f"whether there {_are(words)} {words}"


def _has_been(name: str) -> str:
    words = name.replace("_", " ")
    return f"{'have' if words.endswith('s') else 'has'} been {words}"


def _limits(entry: Entry, clause: Clause) -> Iterator[Verdict]:
    """Severity, cause and duration, as far as the clause asks for them."""
    symptom = entry.symptom or Symptom()
    if clause.severity:
        parts = [_attribute(entry, adjective) for adjective in clause.severity]
        yield parts[0] if len(parts) == 1 else (highest if clause.severity_logic == "or" else lowest)(parts)
    if clause.cause not in (None, "none_required"):
        asks = f"what causes {_is(entry.name).rsplit(' ', 1)[0]}: {cause_text(clause.cause)}"
        yield ask(f"symptoms.{entry.name}.cause", asks, _cause(symptom.cause, clause.cause))
    if wanted := duration_text(clause):
        asks = f"for how long there {_has_been(entry.name)}: {wanted}"
        yield ask(f"symptoms.{entry.name}.months", asks, _long_enough(symptom.months, clause))


def duration_text(clause: Clause) -> str:
    """How long a clause asks a symptom to have been there, or nothing."""
    if clause.duration_days_over:
        return f"more than {clause.duration_days_over:g} days"
    if clause.duration_months_over:
        return f"more than {clause.duration_months_over:g} months"
    if clause.duration_days_min:
        return f"{clause.duration_days_min:g} days or more"
    return f"{clause.duration_months_min:g} months or more" if clause.duration_months_min else ""


def _long_enough(months: float | None, clause: Clause) -> bool | None:
    """Whole days are compared with days, so that 90 days are not more than 90."""
    if months is None:
        return None
    days = round(months * DAYS_PER_MONTH)
    if clause.duration_days_over is not None:
        return days > clause.duration_days_over
    if clause.duration_days_min is not None:
        return days >= clause.duration_days_min
    if clause.duration_months_over is not None:
        return months > clause.duration_months_over
    return months >= (clause.duration_months_min or 0)


def cause_text(cause: str | Listed | None) -> str:
    """What is asked of a cause, in words."""
    if isinstance(cause, Listed):
        return " or ".join(map(spelled, cause.listed))
    return spelled(cause or "")


def _cause(said: str | None, asked: str | Listed | None) -> bool | None:
    """Whether a cause is what a rule asks for: a known one passes, idiopathic does not, unknown is unknown."""
    if said in UNSTATED:
        return None
    if said == IDIOPATHIC or said is None or "no_disease" in implied([said]):
        return False
    words = (
        asked.listed
        if isinstance(asked, Listed)
        else (asked,)
        if asked == "central_nervous_system_disorder"
        else ()
    )
    if not words:
        return True
    verdicts = {listed(word, [said]) for word in words}
    return True if "yes" in verdicts else None if "unknown" in verdicts else False


def _cause_of_symptom(clause: Clause, who: Person) -> Verdict:
    """An injury or condition, of whatever kind, that has resulted in one of the symptoms."""
    name = "any_injury_or_condition_resulting_in_listed_symptom"
    if name in who.facts.flags:
        return _flag(who, name)
    words = clause.cause_of_symptom or ()
    return _any_symptom(words, _CAUSED, who)


_CAUSED = Clause(symptom="any", cause="any_medical_condition_or_its_treatment")


def _unread(clause: Clause, who: Person) -> Verdict:
    return Verdict(U, "const", asks=clause.unread or "")


_TESTS = {
    "dx_any": _dx_any,
    "symptom": _symptom,
    "symptom_any": _symptom_any,
    "cause_of_symptom": _cause_of_symptom,
    "flag": _one_flag,
    "discretion": _discretion,
    "self_certify": _self_certify,
    "never": _never,
    "unread": _unread,
    "age_min": _old_enough,
}
