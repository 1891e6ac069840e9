"""Why an answer may not hold: dates, sources that differ, what is unverified, what may have changed since."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from lissive.access.answer import Caution, Facts, Level
from lissive.access.dates import day, days_later
from lissive.access.logic import evaluate, person
from lissive.access.procedure import Procedure
from lissive.access.rule import Jurisdiction, Version
from lissive.access.verdict import Verdict
from lissive.access.vocabulary import limits

Others = tuple[tuple[str, Level], ...]


def cautions(
    facts: Facts,
    place: Jurisdiction,
    version: Version,
    on: datetime.date,
    verdict: Verdict,
    how: Procedure,
    others: Others,
) -> tuple[Caution, ...]:
    """All that a reader of the answer has to know, the gravest first."""
    return (
        *boundary(others),
        *_after_last_check(place, on),
        *_moved(facts, place),
        *_near_change(facts, place, version, on, verdict),
        *_stated(version, on),
        *_recalled(version, how),
        *_stale(version, on),
        *_of_facts(facts, version, on, verdict),
    )


def boundary(others: Others) -> Iterator[Caution]:
    """What it may come to as well, where the day of a change is not known exactly."""
    if others:
        said = "; ".join(f"{name}: {level.status.replace('_', ' ')}" for name, level in others)
        text = (
            f"The exact day of a change is not known; the less favourable result is given. Otherwise: {said}."
        )
        yield Caution("boundary_uncertain", text)


def _after_last_check(place: Jurisdiction, on: datetime.date) -> Iterator[Caution]:
    if on > day(place.verified):
        text = (
            f"That day lies after {place.verified}, when the rules were last checked; they may have changed."
        )
        yield Caution("after_last_check", text)


def _moved(facts: Facts, place: Jurisdiction) -> Iterator[Caution]:
    if facts.moved_from is not None and facts.moved_from != place.code:
        since = f" of {facts.certified_on}" if facts.certified_on else ""
        text = (
            f"The certificate{since} is that of {facts.moved_from}. Anyone who has moved needs a certification here, "
            "unless the rule for visitors covers the time until then."
        )
        yield Caution("moved", text)


def _near_change(
    facts: Facts, place: Jurisdiction, version: Version, on: datetime.date, verdict: Verdict
) -> Iterator[Caution]:
    near = limits()["near_change_days"]
    for each in place.versions:
        if each.begins is None:
            continue
        begins = day(each.begins)
        if abs((on - begins).days) <= near:
            when = "changed" if begins <= on else "changes"
            memory = ", unverified date" if each.from_provenance == "recalled" else ""
            yield Caution("near_change", f"The rule {when} on {begins.isoformat()} ({each.id}{memory}).")
    if any(clause.begins for clause in version.logic.walk()):
        for shift in (-near, near):
            moved = days_later(on, shift) or on
            if evaluate(version.logic, person(facts, moved)).level != verdict.level:
                side = "after" if shift > 0 else "before"
                yield Caution(
                    "near_change", f"A clause that decides this takes effect within {near} days {side}."
                )


def _stated(version: Version, on: datetime.date) -> Iterator[Caution]:
    for each in version.cautions:
        begun = each.begins is None or on >= day(each.begins)
        if begun and (each.until is None or on <= day(each.until)):
            yield Caution(each.kind, each.text)


def _recalled(version: Version, how: Procedure) -> Iterator[Caution]:
    if version.known("logic") == "recalled":
        yield Caution("recalled_fields", "The rule itself is unverified.")
    if how.recalled:
        fields = " and ".join(dict.fromkeys(how.recalled))
        yield Caution(
            "recalled_fields", f"The requirement that is not met rests on unverified data: {fields}."
        )


def _stale(version: Version, on: datetime.date) -> Iterator[Caution]:
    if version.ends is not None:
        return
    old = limits()["stale_days"]
    if version.as_of is None:
        yield Caution("law_may_have_changed", "No source states until when this rule was in force.")
    elif (on - day(version.as_of)).days > old:
        text = (
            f"The sources date from {version.as_of}, more than {old} days earlier; the law may have changed."
        )
        yield Caution("law_may_have_changed", text)


def _of_facts(facts: Facts, version: Version, on: datetime.date, verdict: Verdict) -> Iterator[Caution]:
    for text in facts.doubts:
        yield Caution("not_in_table", text)
    causes = {symptom.cause for symptom in facts.symptoms.values() if symptom and symptom.cause}
    unlisted = tuple(sorted(causes - {*facts.dx, "idiopathic", "unknown"}))
    if unlisted and verdict.level < Level.E:
        from dataclasses import replace

        more = replace(facts, dx=(*facts.dx, *unlisted))
        if evaluate(version.logic, person(more, on)).level > verdict.level:
            names = ", ".join(unlisted)
            yield Caution(
                "facts",
                f"{names} is stated as a cause and not as a diagnosis (dx); as a diagnosis it would change this.",
            )
