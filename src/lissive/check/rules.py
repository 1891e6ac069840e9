"""Checks of the rules of access: each can be read, is dated, has its sources, and uses known words."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lissive.access.answer import day
from lissive.access.conditions import conditions, flag_names, limits
from lissive.access.coverage import Register, counted
from lissive.access.rule import FIELDS, Clause, Jurisdiction, Version
from lissive.check.tables import Fault, Tables
from lissive.errors import RuleError
from lissive.marked import Loc, marked_text
from lissive.typed import line_of, nearest, typed

REGISTER = "access/data/coverage.yaml"


@dataclass(frozen=True)
class Read:
    """One file of rules, as far as it can be read."""

    path: str
    """In the package, as access/data/us/ny.yaml."""
    shown: str
    place: Jurisdiction | None
    lines: Mapping[Loc, int]
    faults: tuple[Fault, ...]

    def at(self, *loc: str | int) -> str:
        """`file:line` of a field."""
        return f"{self.shown}:{line_of(self.lines, loc)}"


def _files(tables: Tables) -> list[Read]:
    return [
        _read(table.place, table.shown, table.text)
        for table in tables
        if table.folder in ("access/data/us", "access/data/world")
        and table.is_yaml
        and not table.name.startswith("_")
    ]


@lru_cache(maxsize=256)
def _read(name: str, shown: str, text: str) -> Read:
    lines: Mapping[Loc, int] = {}
    path = Path(shown)
    try:
        data, lines = marked_text(text, path, wrong=RuleError, example="code: US-NY", shipped=True)
        place = typed(data, lines, path, Jurisdiction, RuleError, thing="the jurisdiction")
    except RuleError as error:
        return Read(name, shown, None, lines, tuple(_fault(each) for each in error.findings or (error,)))
    return Read(name, shown, place, lines, ())


def _fault(error: Any) -> Fault:
    text = str(error).removeprefix(f"{error.where}: ")
    return error.where, text


def _versions(tables: Tables) -> Iterator[tuple[Read, int, Version]]:
    for file in _files(tables):
        for number, version in enumerate(file.place.versions if file.place else ()):
            yield file, number, version


def readable(tables: Tables) -> Iterator[Fault]:
    for file in _files(tables):
        yield from file.faults


def days(tables: Tables) -> Iterator[Fault]:
    for file in _files(tables):
        last: datetime.date | None = datetime.date.min
        for number, version in enumerate(file.place.versions if file.place else ()):
            begins = datetime.date.min if version.begins is None else day(version.begins)
            ends = None if version.ends is None else day(version.ends)
            where = file.at("versions", number, "from")
            if number and (last is None or begins <= last):
                until = "has no end" if last is None else f"goes to {last}"
                yield where, f"{version.id} begins on {version.begins}, and the version before it {until}."
            elif number and last is not None and (begins - last).days > 1:
                gap = f"{version.id} begins on {version.begins}, and the version before it goes to {last}"
                yield (
                    where,
                    f"{gap}: between them no rule is in force. Where that is so, write it as a version.",
                )
            if ends is not None and ends < begins:
                yield file.at("versions", number, "to"), f"{version.id} ends before it begins."
            last = ends


def sources(tables: Tables) -> Iterator[Fault]:
    for file, number, version in _versions(tables):
        if version.fields_read and not version.sources:
            yield (
                file.at("versions", number, "sources"),
                f"{version.id} has fields that were read, and no source.",
            )
        if version.provenance != "recalled" and not version.sources:
            where = file.at("versions", number, "provenance")
            yield where, f"{version.id} has no source; its provenance can only be recalled."
        if version.confidence == "high" and version.known("logic") == "recalled":
            where = file.at("versions", number, "confidence")
            yield where, f"{version.id} is quoted from memory; its confidence cannot be high."
        for name in ("fields_read", "fields_recalled"):
            for field in getattr(version, name):
                if field not in FIELDS:
                    yield file.at("versions", number, name), f"{field!r} is no field.{nearest(field, FIELDS)}"
        for field in set(version.fields_read) & set(version.fields_recalled):
            yield file.at("versions", number, "fields_recalled"), f"{field} is said to be read and recalled."


def quotes(tables: Tables) -> Iterator[Fault]:
    most = limits()["quote_words"]
    for file, number, version in _versions(tables):
        where = file.at("versions", number, "quote")
        marked = any(clause.quoted for clause in version.logic.walk())
        if version.quote is not None and len(version.quote.split()) > most:
            count = len(version.quote.split())
            yield (
                where,
                f"the quote of {version.id} has {count} words; {most} at most, with ... for what is left out.",
            )
        if version.quote is not None and not marked:
            yield where, f"no clause of {version.id} has quoted: true, so that nobody sees its quote."
        if version.quote is None and marked:
            yield where, f"a clause of {version.id} has quoted: true, and there is no quote."


def words(tables: Tables) -> Iterator[Fault]:
    for file, number, version in _versions(tables):
        for loc, clause in _clauses(version.logic, ("versions", number, "logic")):
            for field, word, known in _named(clause):
                if word not in known:
                    yield file.at(*loc, field), f"{word!r} is in no table of words.{nearest(word, known)}"


def _clauses(clause: Clause, loc: Loc) -> Iterator[tuple[Loc, Clause]]:
    yield loc, clause
    for number, child in enumerate(clause.children):
        yield from _clauses(child, (*loc, clause.kind, number))


def _named(clause: Clause) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    """Field, word, and the table that it should be in."""
    causes = getattr(clause.cause, "listed", ())
    for field, named in (
        ("dx_any", clause.dx_any),
        ("symptom_any", clause.symptom_any),
        ("cause_of_symptom", clause.cause_of_symptom),
        ("symptom", (clause.symptom,) if clause.symptom else ()),
        ("cause", causes),
    ):
        for word in named or ():
            yield field, word, conditions()
    for word in (*((clause.flag,) if clause.flag else ()), *clause.requires):
        yield "flag" if word == clause.flag else "requires", word, flag_names()


def _path(code: str) -> str:
    """Where the rules of a jurisdiction stand."""
    name = f"us/{code[3:].lower()}" if code.startswith("US-") else f"world/{code.lower()}"
    return f"access/data/{name}.yaml"


def codes(tables: Tables) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for file in _files(tables):
        if file.place is None:
            continue
        code = file.place.code
        if file.path != _path(code):
            yield file.at("code"), f"the rules of {code} should stand in {_path(code)}."
        for number, version in enumerate(file.place.versions):
            where = file.at("versions", number, "id")
            if version.id in seen:
                yield where, f"there is a version {version.id} already, {seen[version.id]}."
            seen[version.id] = where


def coverage(tables: Tables) -> Iterator[Fault]:
    table = tables.get(REGISTER)
    if table is None:
        return
    path = Path(table.shown)
    try:
        data, lines = marked_text(
            table.text, path, wrong=RuleError, top=tuple, example="- code: US-NY", shipped=True
        )
        below = {("covered", *loc): line for loc, line in lines.items()}
        found = typed({"covered": data}, below, path, Register, RuleError, thing="the register")
    except RuleError as error:
        yield from (_fault(each) for each in error.findings or (error,))
        return
    files = {file.place.code: file for file in _files(tables) if file.place}
    unread = {file.path for file in _files(tables) if not file.place}
    for number, entry in enumerate(found.covered):
        if _path(entry.code) in unread:
            continue  # what is wrong with the file is said by itself
        place = files.pop(entry.code, None)
        if place is None or place.place is None:
            yield f"{path}:{line_of(lines, (number,))}", f"there is no file of rules of {entry.code}."
            continue
        said = entry.model_dump(by_alias=True)
        for name, value in counted(place.place).items():
            if said[name] != value:
                where = f"{path}:{line_of(lines, (number, name))}"
                yield where, f"{name} of {entry.code} is {said[name]!r}, and by its file {value!r}."
    for file in files.values():
        if file.place:
            yield file.at("code"), f"{file.place.code} is not in the register (coverage.yaml)."
