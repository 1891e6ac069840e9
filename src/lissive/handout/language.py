"""The words of the patient's sheet, in each language of words.tsv."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from lissive.table import rows_of

HERE = Path(__file__).parent
Tongue = Literal["en", "es"]


@dataclass(frozen=True)
class Words:
    """The texts of one language."""

    tongue: Tongue

    def __call__(self, key: str, **values: object) -> str:
        return _texts(self.tongue)[key].format(**values)

    def named(self, kind: str, name: str, otherwise: str) -> str:
        """What a product, cause or the like is called; where it has no word here, its own label."""
        return _texts(self.tongue).get(f"{kind}.{name}", otherwise)

    def has(self, kind: str, name: str) -> bool:
        return f"{kind}.{name}" in _texts(self.tongue)

    def listed(self, names: Sequence[str], word: str = "and") -> str:
        """A list as it is read aloud; in Spanish y is e before the sound of i, and o is u before that of o."""
        *most, last = names
        joint = self(word)
        if self.tongue == "es" and last.lower().lstrip("h").startswith({"and": "i", "or": "o"}[word]):
            joint = {"and": "e", "or": "u"}[word]
        return f"{', '.join(most)} {joint} {last}" if most else last

    def weeks(self, n: int) -> str:
        return self("week" if n == 1 else "weeks", n=n)

    def between(self, low: int, high: int) -> str:
        """An interval of people of a hundred, in words."""
        if low < 0 <= high:
            return self("both_ways", low=-low, high=high)
        if high < 0:
            return self("fewer_both", low=-high, high=-low)
        return self("more_both", low=low, high=high)


def medicine(tongue: Tongue, name: str) -> str:
    """What a medicine of the tables of safety is called; any other word as it is, without underscores."""
    english = name.replace("_", " ")
    return english if tongue == "en" else _medicines().get(name, english)


def benefit(tongue: Tongue, cause: str | None, product: str | None) -> str:
    """What is known of benefit, in plain words: the row that bottom_lines.tsv has for the same case."""
    rows = rows_of(HERE / "benefits.tsv")
    mine = [row for row in rows if row["cause"] == cause] or [row for row in rows if row["cause"] == "other"]
    wanted = product or "none"
    return next(row[tongue] for row in mine if row["products"] == "any" or wanted in row["products"].split())


@cache
def _medicines() -> dict[str, str]:
    return {row["en"]: row["es"] for row in rows_of(HERE / "medicines_es.tsv")}


@cache
def _texts(tongue: Tongue) -> dict[str, str]:
    return {row["key"]: row[tongue] for row in rows_of(HERE / "words.tsv")}
