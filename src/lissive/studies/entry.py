"""One arm of a study while it is read: the words and fields it may use, what is wrong with it, what is left out."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from lissive.errors import StudyError
from lissive.marked import Loc
from lissive.studies.observation import Skipped
from lissive.table import rows_of

NOT_MODELLED = "-"
At = Callable[[str], Loc]
"""From a field to its place in the file."""


class Word(NamedTuple):
    """What a word means; `means` is `-` where it is understood but not in the model, for the reason in `note`."""

    means: str
    note: str


class Metric(NamedTuple):
    name: str
    measure: str
    unit: str
    group: str
    note: str


class Field(NamedTuple):
    """A field of a design or of a row of results: what kind of value it takes, and up to what."""

    part: str
    field: str
    kind: str
    most: str
    many: str
    """`list` of such values, or one or a list of them (`or list`)."""
    note: str

    @property
    def allowed(self) -> str:
        ends = f" up to {float(self.most):.10g}" if self.most else ""
        listed = {"list": "a list, each ", "or list": "one or a list, each "}.get(self.many, "")
        return f"{listed}{KINDS[self.kind][0]}{ends}, or null"

    def takes(self, value: Any) -> bool:
        if self.kind == "end" and value in ("last", "inf"):
            return True
        many = isinstance(value, tuple) and bool(self.many)
        each = value if many else (value,)
        if (many != bool(self.many) and self.many != "or list") or (not each and self.kind != "text"):
            return False
        return all(KINDS[self.kind][1](x) and (not self.most or x <= float(self.most)) for x in each)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number that one can calculate with; `true` is a word here."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "positive": ("a number over 0", lambda x: is_number(x) and x > 0),
    "end": ("hours over 0, last or inf", lambda x: is_number(x) and x > 0),
    "number": ("a number from 0", lambda x: is_number(x) and x >= 0),
    "whole": ("a whole number from 1", lambda x: is_number(x) and isinstance(x, int) and x >= 1),
    "text": ("text", lambda x: isinstance(x, str | int | float)),
    "mapping": ("fields and texts", lambda x: isinstance(x, Mapping)),
    "any": ("", lambda _: True),
}
"""Kinds of values of fields.tsv beside words: what is allowed, and whether a value is one."""


@cache
def table(name: str) -> list[dict[str, str]]:
    return rows_of(Path(__file__).with_name(name))


@cache
def _words(kind: str) -> dict[str, Word]:
    rows = (row for row in table("words.tsv") if row["field"] == kind)
    return {row["word"].lower(): Word(row["means"], row["note"]) for row in rows}


@cache
def metrics() -> dict[str, Metric]:
    """Name in a file to what is computed for it."""
    return {row["name"]: Metric(**row) for row in table("metrics.tsv")}


@cache
def fields(part: str) -> dict[str, Field]:
    """Name to field of a `design`, or of a `row` of results."""
    return {row["field"]: Field(**row) for row in table("fields.tsv") if row["part"] == part}


def find(field: str, text: object) -> Word | None:
    """The meaning of a text that is one of the field's words, or starts with one and goes on in detail.

    >>> find("route", "oromucosal-buccal").means, find("stat", "range at 3 min").means
    ('spray', '-')
    >>> find("route", "inhaled-smoked / vaporised / oral brownie").note
    'several at once'
    >>> find("route", "intranasal") is None, find("analyte", "THC-glucuronide") is None
    (True, True)
    """
    said = str(text).strip().lower()
    known = _words(field)
    if said in known:
        return known[said]
    fitting = [word for word in known if said.startswith(word) and not said[len(word)].isalnum()]
    if field == "analyte":  # a glucuronide of THC is not THC; `THC (total)` is
        fitting = [word for word in fitting if said[len(word) :].lstrip().startswith("(")]
    if not fitting:
        return None
    if any(mark in said for mark in (" vs ", " / ")):
        return Word(NOT_MODELLED, "several at once")
    return known[max(fitting, key=len)]


@dataclass
class Entry:
    """One arm in the file, with the means to say where something is wrong in it."""

    base: Loc
    """The place of the study in the file; all other places are within it."""
    data: Mapping[str, Any]
    id: str
    at: At
    """From a field of the design to its place within the study."""
    path: Path
    lines: Mapping[Loc, int]
    findings: list[StudyError] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def wrong(self, loc: Loc, what: str, *, allowed: str = "", do: str = "") -> None:
        full = (*self.base, *loc)
        while full not in self.lines:
            full = full[:-1]
        field = ".".join(str(part) for part in loc)
        where = f"{self.path}:{self.lines[full]}, study {self.id}, {field}"
        self.findings.append(StudyError(what, where=where, allowed=allowed, do=do))

    def skip(self, what: str, why: str) -> None:
        self.skipped.append(Skipped(self.id, what, why))

    def word(self, field: str, text: object, loc: Loc) -> Word | None:
        """The meaning of a text, or a finding that names the nearest word."""
        found = find(field, text)
        if found is None:
            words = [row["word"] for row in table("words.tsv") if row["field"] == field]
            self.wrong(
                loc, f"{field} {text!r} is unknown.", allowed=f"{', '.join(words)}.", do=nearest(text, words)
            )
        return found

    def checked(self, part: str, given: Mapping[str, Any], at: At) -> dict[str, Any]:
        """The fields of a design or of a row that are given and right; what is wrong or unknown is a finding."""
        known, good = fields(part), {}
        for name, value in given.items():
            row = known.get(name)
            if row is None:
                self.wrong(
                    at(name),
                    f"{name} is no field of a {part}.",
                    allowed=f"{', '.join(known)}.",
                    do=nearest(name, known),
                )
            elif value is not None:
                if row.kind == "word":
                    if found := self.word(name, value, at(name)):
                        good[name] = found
                elif row.takes(value):
                    good[name] = value
                else:
                    self.wrong(at(name), f"{name} is {value!r}.", allowed=f"{row.allowed}.")
        return good


def nearest(text: object, words: Iterable[str]) -> str:
    """What to do about an unknown word: the known one that is most like it."""
    known = {word.lower(): word for word in words}
    found = difflib.get_close_matches(str(text)[:100].lower(), known, n=1)
    return f"write {known[found[0]]}, if that is meant." if found else ""
