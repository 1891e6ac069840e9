"""An entry of a file of publications while it is read: what is not used and why, what was assumed, what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lissive.marked import Loc
from lissive.publications.tables import Figure, Result, figure, plain, text_of
from lissive.typed import dotted

UNTAGGED = "Figures without a provenance are taken as read from the publication."


@dataclass(frozen=True)
class Skipped:
    """Something in the file that is not held against the model, and why."""

    trial: str
    what: str
    why: str


class CannotBuild(Exception):
    """An entry lacks something without which there is no design; its text is the reason."""


class Entry:
    """One trial of the file."""

    def __init__(
        self,
        data: Mapping[str, Any],
        rows: Sequence[Result],
        where: Callable[..., str],
        design: object = None,
    ) -> None:
        self.data, self.rows, self._where, self.design = data, rows, where, design
        self.id = str(data.get("id"))
        self.wrong: list[tuple[str, str]] = []
        """Where, and what."""
        self.skipped: list[Skipped] = []
        self.assumed: list[str] = []

    def refuse(self, loc: Loc, what: str) -> None:
        self.wrong.append((self._where(*loc), f"{self.id}: {dotted(loc)}: {what}"))

    def skip(self, what: str, why: str) -> None:
        made = Skipped(self.id, what, why)
        if made not in self.skipped:
            self.skipped.append(made)

    def assume(self, sentence: str) -> None:
        if sentence not in self.assumed:
            self.assumed.append(sentence)

    def said(self, *fields: str) -> str:
        """The text of some fields, joined."""
        return "; ".join(said for field in fields if (said := text_of(self.data.get(field))))

    def figure(self, what: str, node: object, around: Mapping[str, Any] | None = None) -> Figure | None:
        """A number with where it is from; None where there is none."""
        one = figure(what, node, around) if plain(node) is not None else None
        return one if one is not None and one.number is not None else None

    def provenance(self, *figures: Figure | None) -> str:
        """Of what several figures make: recalled before derived before read."""
        words = [one.provenance for one in figures if one is not None]
        if "" in words:
            self.assume(UNTAGGED)
        return least_certain(*(word or "read" for word in words))


def least_certain(*provenances: str) -> str:
    """Of what several figures make: recalled before derived before read.

    >>> least_certain("read", "derived"), least_certain("derived", "recalled"), least_certain("read")
    ('derived', 'recalled', 'read')
    """
    return max(provenances, key=("read", "derived", "recalled").index, default="read")
