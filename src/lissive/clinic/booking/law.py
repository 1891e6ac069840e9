"""What stops a person before anyone books: residence, the kind of visit, who may certify, minors, licences.

All of it is data of `lissive.access`, in the words that it gives with clause and source; nothing here names a place.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from django.utils import timezone

from lissive.access import Facts, jurisdiction, rules
from lissive.access.decide import version_on
from lissive.access.procedure import Procedure, procedure
from lissive.access.rule import Jurisdiction, Version
from lissive.access.visit import Step, visit_steps, visitor_step
from lissive.clinic.models import Credential, Practitioner, Slot, VisitKind

SAYS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "telehealth_initial_not_allowed": ("The first visit has to be in person.", ("visit", "relationship")),
    "telehealth_renewal_not_allowed": ("A renewal has to be in person.", ("renewal", "visit")),
    "telehealth_unknown": ("Not known whether a visit of this kind is enough.", ("visit",)),
    "waiver": ("A first visit by video needs a waiver that the practitioner holds.", ("visit",)),
    "practitioner_type": ("This practitioner may not certify there.", ("who",)),
    "practitioner_unknown": ("Not known whether this practitioner may certify there.", ("who",)),
    "guardian": ("A parent or guardian has to act for the patient.", ("minors",)),
    "second_practitioner": ("A second practitioner has to agree.", ("minors",)),
    "paediatrician": ("A paediatrician has to certify.", ("minors",)),
    "minor": ("The rule for minors is not known: ask the clinic.", ("minors",)),
}
"""What a block of `access` says to somebody who wants to book, and the kinds of step that have its clause."""
OF_KIND = ("telehealth_initial_not_allowed", "telehealth_renewal_not_allowed", "telehealth_unknown", "waiver")
LATER = ("registration", "fee", "validity")
"""Kinds of step that come after the visit, or cost something."""


@dataclass(frozen=True)
class Point:
    """One thing that the law says, with its clauses. kind: yes, no, unsure or needs."""

    kind: str
    text: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class There:
    """The rule of a place on a day."""

    place: Jurisdiction
    version: Version | None
    on: datetime.date
    steps: tuple[Step, ...]

    @property
    def has_programme(self) -> bool:
        return self.version is not None and self.version.logic.kind != "never"

    def of(self, *kinds: str) -> tuple[Step, ...]:
        return tuple(each for kind in kinds for each in self.steps if each.kind == kind)


@lru_cache(maxsize=1000)
def there(code: str, on: datetime.date) -> There:
    """Raises RuleError where there is no such place."""
    place = jurisdiction(code)
    version = version_on(place, on)
    return There(place, version, on, () if version is None else visit_steps(place, version, on))


# -- who may -----------------------------------------------------------------------------------------
def holds(one: Credential, place: str, on: datetime.date) -> bool:
    """Whether a credential holds in a place on a day; one without a place holds everywhere."""
    begun = one.issued is None or one.issued <= on
    return begun and (one.expires is None or on <= one.expires) and one.place in ("", place)


def is_licensed(who: Practitioner, place: str, on: datetime.date) -> bool:
    licences = [each for each in who.credentials.all() if each.kind == Credential.Kind.LICENCE]
    return any(each.place == place and holds(each, place, on) for each in licences)


def served(practitioners: Iterable[Practitioner], on: datetime.date) -> list[str]:
    """Codes of the places for which somebody here holds a licence that day."""
    found = {
        each.place
        for who in practitioners
        for each in who.credentials.all()
        if each.kind == Credential.Kind.LICENCE and each.place and holds(each, each.place, on)
    }
    return sorted(found)


def facts_of(who: Practitioner, place: str, on: datetime.date) -> Facts:
    """What of a practitioner matters to the rule."""
    kinds = {each.kind for each in who.credentials.all() if holds(each, place, on)}
    return Facts(
        resident=True,
        practitioner=who.profession,
        waiver=Credential.Kind.WAIVER in kinds,
        specialty=True if Credential.Kind.SPECIALTY in kinds else None,
    )


# -- a visit -----------------------------------------------------------------------------------------
def asked(facts: Facts, law: There) -> Procedure:
    assert law.version is not None
    return procedure(facts, law.version, law.on, certifies_self=False)


def _point(block: str, law: There, kind: str) -> Point:
    text, kinds = SAYS[block]
    return Point(kind, text, law.of(*kinds))


def against(
    who: Practitioner, place: str, kind: str, age: int, on: datetime.date, *, initial: bool = True
) -> tuple[Point, ...]:
    """All that speaks against a visit: points of kind no refuse the booking, the others have to be arranged."""
    return tuple(_against(who, place, kind, age, on, initial))


def _against(
    who: Practitioner, place: str, kind: str, age: int, on: datetime.date, initial: bool
) -> Iterator[Point]:
    law = there(place, on)
    if not law.has_programme:
        yield _no_programme(law)
        return
    if not is_licensed(who, place, on):
        yield Point("no", f"{who.name} holds no licence in {law.place.name} for that day.")
    facts = replace(facts_of(who, place, on), age=age, visit=kind, initial=initial)
    found = asked(facts, law)
    refuses = found.procedural == "blocked"
    for block in found.blocks:
        # whether sound without picture is enough has to be known before it is offered
        is_mere_sound = block == "telehealth_unknown" and kind == VisitKind.AUDIO
        yield _point(block, law, "no" if refuses or is_mere_sound else "needs")
    if refuses:
        # of what is only open, nothing is said beside a refusal: it is asked again without what refuses
        open_facts = replace(facts, visit=None, practitioner=None)
        yield from (_point(block, law, "needs") for block in asked(open_facts, law).blocks)


def _no_programme(law: There) -> Point:
    text = f"{law.place.name} has no programme under which a practitioner could certify."
    cited = law.version.citations[0] if law.version else ""
    url = law.version.sources[0].url if law.version and law.version.sources else None
    step = Step("who", law.place.programme or "No programme.", "read", cited, url, "")
    return Point("no", text, (step,) if law.version else ())


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


def stands(people: Sequence[Practitioner], place: str, band: Band, on: datetime.date) -> Stands:
    """The answer for a state of residence and an age, before anyone books."""
    law = there(place, on)
    name = law.place.name
    if not law.has_programme:
        return Stands(name, "no", _no_programme(law).text, (_no_programme(law),), (), ())
    licensed = [each for each in people if is_licensed(each, place, on)]
    if not licensed:
        text = f"Nobody here can certify residents of {name}: no practitioner has a licence there."
        return Stands(name, "no", text, tuple(_as_visitor(people, on)), (), ())
    points: list[Point] = []
    kinds = []
    for kind in VisitKind:
        found = [against(who, place, kind, band.age, on) for who in licensed]
        best = min(found, key=lambda each: sum(one.kind == "no" for one in each))
        refused = [each for each in best if each.kind == "no"]
        if not refused:
            kinds.append(str(kind))
        points += [replace(each, text=f"{kind.label}: {_small(each.text)}") for each in refused]
        points += [each for each in best if each.kind == "needs"]
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


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def _once(points: Iterable[Point]) -> list[Point]:
    return list(dict.fromkeys(points))


def _as_visitor(people: Sequence[Practitioner], on: datetime.date) -> Iterator[Point]:
    """Of each place that is served, what its rule says of people who live elsewhere."""
    for code in served(people, on):
        law = there(code, on)
        if law.version is None or not law.has_programme:
            continue
        found = asked(Facts(age=40, resident=False, initial=True), law)
        kind = "no" if "residency" in found.blocks and found.procedural == "blocked" else "unsure"
        word = "only residents may be certified" if kind == "no" else "visitors may be recognised"
        yield Point(kind, f"{law.place.name}: {word}.", (visitor_step(law.version),))


# -- slots -------------------------------------------------------------------------------------------
def kinds_left(slot: Slot, place: str, age: int, *, initial: bool = True) -> tuple[str, ...]:
    """The kinds of a slot that nothing refuses to a resident of that place."""
    on = timezone.localtime(slot.starts).date()
    return tuple(
        kind
        for kind in slot.kinds
        if all(
            each.kind != "no"
            for each in against(slot.practitioner, place, kind, age, on, initial=initial)
        )
    )
