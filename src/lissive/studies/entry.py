"""One study of a file while it is read: what is wrong with it, and what of it is left out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from lissive.errors import StudyError
from lissive.marked import Loc
from lissive.studies import words
from lissive.studies.observation import Skipped


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number that one can calculate with; `true` is a word here."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


class Entry:
    """One study of the file, with the means to say where something is wrong in it."""

    def __init__(self, number: int, data: Mapping[str, Any], path: Path, lines: Mapping[Loc, int]) -> None:
        self.number, self.data, self.path, self.lines = number, data, path, lines
        self.id = str(data.get("id"))
        self.findings: list[StudyError] = []
        self.skipped: list[Skipped] = []

    def wrong(self, loc: Loc, what: str, *, allowed: str = "", do: str = "") -> None:
        full = (self.number, *loc)
        while full not in self.lines:
            full = full[:-1]
        field = ".".join(str(part) for part in loc)
        where = f"{self.path}:{self.lines[full]}, study {self.id}, {field}"
        self.findings.append(StudyError(what, where=where, allowed=allowed, do=do))

    def skip(self, what: str, why: str) -> None:
        self.skipped.append(Skipped(self.id, what, why))

    def word(self, field: str, text: object, loc: Loc) -> words.Word | None:
        """The meaning of a text, or a finding."""
        found = words.find(field, text)
        if found is None:
            self.wrong(loc, f"{field} {text!r} is unknown.", allowed=f"{words.allowed(field)}.")
        return found
