"""What stops a person before anyone books: residence, the kind of visit, who may certify, minors, licences.

All of it is data of `lissive.access`, in the words that it gives with clause and source; nothing here names a place.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from django.utils import timezone

from lissive.access import Facts, jurisdiction, rules
from lissive.access.procedure import Procedure, procedure
from lissive.access.rule import Version
from lissive.access.visit import Step, visitor_step
from lissive.clinic.models import Credential, Practitioner, Slot, VisitKind
from lissive.clinic.visit.law import block_words, rule_on, steps_on
from lissive.clinic.visit.standing import current

LATER = ("registration", "fee", "validity")
"""Kinds of step that come after the visit, or cost something."""


@dataclass(frozen=True)
class Point:
    """One thing that the law says, with its clauses."""

    kind: str
    """yes; no, or unknown, which refuse a booking; or needs: to be settled at the visit."""
    text: str
    steps: tuple[Step, ...] = ()

    @property
    def refuses(self) -> bool:
        return self.kind in ("no", "unknown")


@dataclass(frozen=True)
class There:
    """The rule of a place on a day."""

    code: str
    name: str
    version: Version | None
    on: datetime.date

    @property
    def has_programme(self) -> bool:
        return self.version is not None and self.version.logic.kind != "never"

    def of(self, *kinds: str) -> tuple[Step, ...]:
        """The clauses of some kinds of step."""
        found = steps_on(self.code, self.on)
        return tuple(each for kind in kinds for each in found if each.kind == kind)


def there(code: str, on: datetime.date) -> There:
    """Raises RuleError where there is no such place."""
    return There(code, jurisdiction(code).name, rule_on(code, on), on)


def is_licensed(who: Practitioner, place: str, on: datetime.date) -> bool:
    return current(who, Credential.Kind.LICENCE, place, on) is not None


def served(practitioners: Iterable[Practitioner], on: datetime.date) -> list[str]:
    """Codes of the places for which somebody here holds a licence that day."""
    found = {
        each.place
        for who in practitioners
        for each in who.credentials.all()
        if each.kind == Credential.Kind.LICENCE and each.place and is_licensed(who, each.place, on)
    }
    return sorted(found)


def asked(facts: Facts, law: There) -> Procedure:
    assert law.version is not None
    return procedure(facts, law.version, law.on, certifies_self=False)


# -- a visit -----------------------------------------------------------------------------------------
def against(
    who: Practitioner, place: str, kind: str, age: int, on: datetime.date, *, initial: bool = True
) -> tuple[Point, ...]:
    """All that speaks against a visit: what refuses the booking, and what is settled at the visit.

    What could not be signed for afterwards is not booked: a rule that is not known refuses as one that is not met.
    """
    return tuple(_against(who, place, kind, age, on, initial))


def _against(
    who: Practitioner, place: str, kind: str, age: int, on: datetime.date, initial: bool
) -> Iterator[Point]:
    law = there(place, on)
    if not law.has_programme:
        yield _no_programme(law)
        return
    if not is_licensed(who, place, on):
        yield Point("no", f"{who.name} has no licence in {law.name} for that day on record.")
    facts = Facts(
        age=age,
        resident=True,
        practitioner=who.profession,
        visit=kind,
        initial=initial,
        waiver=_has(who, Credential.Kind.WAIVER, place, on),
        specialty=_has(who, Credential.Kind.SPECIALTY, place, on),
    )
    found = asked(facts, law)
    yield from _points(found, facts, law, who)
    if found.procedural == "blocked":
        # beside a refusal nothing is said of what is open: it is asked again without what refuses
        rest = replace(facts, visit=None, practitioner=None)
        yield from (each for each in _points(asked(rest, law), rest, law, who) if each.kind == "needs")


def _has(who: Practitioner, kind: str, place: str, on: datetime.date) -> bool | None:
    """True where it is on record; what is not is not known, and never becomes a no."""
    return True if current(who, kind, place, on) else None


def _points(found: Procedure, facts: Facts, law: There, who: Practitioner) -> Iterator[Point]:
    for word in found.blocks:
        if word == "paediatrician" and "pediatr" in who.specialty.lower().replace("ae", "e"):
            continue
        row = block_words()[word]
        by = VisitKind(facts.visit).label.lower() if facts.visit else ""
        is_open = row["is_open"] == "yes" and found.procedural == "unknown"
        text = row["why"].format(place=law.name, visit=by, profession=who.profession)
        refuses = "no" if found.procedural == "blocked" else "unknown"
        yield Point("needs" if is_open else refuses, text, law.of(row["step"]))


def _no_programme(law: There) -> Point:
    version = law.version
    cited = () if version is None else (_ruled(version),)
    return Point("no", block_words()["no_programme"]["why"].format(place=law.name), cited)


def _ruled(version: Version) -> Step:
    url = version.sources[0].url if version.sources else None
    text = version.wording or "No clause allows a certification."
    return Step("who", text, version.known("logic"), "; ".join(version.citations), url, "")


# -- what the clinic's page says ---------------------------------------------------------------------
@dataclass(frozen=True)
class Band:
    """Ages that no rule tells apart."""

    name: str
    text: str
    age: int


@cache
def bands() -> tuple[Band, ...]:
    """By the ages that rules name, of whatever place."""
    every = [version for place in rules().values() for version in place.versions]
    below = {each.second_practitioner_below.age for each in every if each.second_practitioner_below}
    cuts = sorted({each.minor_below for each in every} | below)
    found = [Band("minor", f"under {cuts[0]}", cuts[0] - 1)]
    for low, high in zip(cuts, [*cuts[1:], None], strict=True):
        text = f"{low} or over" if high is None else f"{low}" if high == low + 1 else f"{low} to {high - 1}"
        found.append(Band(f"from-{low}", text, low))
    return tuple(found)


@dataclass(frozen=True)
class Stands:
    """What a resident of a place finds here."""

    name: str
    kind: str
    """yes, unsure or no"""
    text: str
    points: tuple[Point, ...]
    later: tuple[Step, ...]
    kinds: tuple[str, ...]
    """Kinds of first visit that nothing refuses."""


def stands(
    people: Sequence[Practitioner], place: str, band: Band, on: datetime.date, ways: Sequence[str]
) -> Stands:
    """The answer for a state of residence and an age, before anyone books.

    ways : kinds of visit that the clinic offers.
    """
    law = there(place, on)
    name = law.name
    if not law.has_programme:
        return Stands(name, "no", _no_programme(law).text, (_no_programme(law),), (), ())
    licensed = [each for each in people if is_licensed(each, place, on)]
    if not licensed:
        text = f"Nobody here can certify residents of {name}: no practitioner has a licence there."
        return Stands(name, "no", text, tuple(_as_visitor(people, on)), (), ())
    points: list[Point] = []
    kinds = []
    for kind in ways:
        found = [against(who, place, kind, band.age, on) for who in licensed]
        best = min(found, key=lambda each: sum(one.refuses for one in each))
        if not any(each.refuses for each in best):
            kinds.append(kind)
        points += best
    return Stands(
        name,
        "yes" if kinds else "no",
        _answer(name, kinds),
        (*_once(points), Point("yes", "Who may certify", law.of("who", "course", "relationship"))),
        law.of(*LATER),
        tuple(kinds),
    )


def _answer(name: str, kinds: Sequence[str]) -> str:
    if not kinds:
        return f"A first visit here is not possible for residents of {name}."
    return f"Residents of {name}: a first visit is possible {_listed([WAYS[each] for each in kinds])}."


WAYS = {"video": "by video", "audio": "by telephone", "in_person": "at the clinic", "home": "at home"}


def _listed(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _once(points: Iterable[Point]) -> list[Point]:
    return list(dict.fromkeys(points))


def _as_visitor(people: Sequence[Practitioner], on: datetime.date) -> Iterator[Point]:
    """Of each place that is served, what its rule says of people who live elsewhere."""
    for code in served(people, on):
        law = there(code, on)
        if law.version is None or not law.has_programme:
            continue
        found = asked(Facts(age=40, resident=False, initial=True), law)
        kind = "no" if "residency" in found.blocks and found.procedural == "blocked" else "unknown"
        word = "only residents may be certified" if kind == "no" else "visitors may be recognised"
        yield Point(kind, f"{law.name}: {word}.", (visitor_step(law.version),))


# -- slots -------------------------------------------------------------------------------------------
def kinds_left(slot: Slot, place: str, age: int, *, initial: bool = True) -> tuple[str, ...]:
    """The kinds of a slot that nothing refuses to a resident of that place."""
    on = timezone.localtime(slot.starts).date()
    return tuple(
        kind
        for kind in slot.kinds
        if all(not each.refuses for each in against(slot.practitioner, place, kind, age, on, initial=initial))
    )
