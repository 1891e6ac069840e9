"""The rows of figures in an entry, each with its place: what the checks of `lint` go through, and what they find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

from lissive.evidence.read import Located
from lissive.publications.tables import dotted, is_figure, plain
from lissive.publications.tidy import as_printed, printed

SIZE = 2 * NormalDist().inv_cdf(0.975)
"""Width of a 95 % interval in standard errors."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: which check says so, of which entry, where, and what."""

    check: str
    id: str
    where: str
    what: str


@dataclass(frozen=True)
class Place:
    """One mapping of an entry whose values may be figures."""

    entry: Located
    loc: tuple[str | int, ...]
    node: Mapping[str, Any]
    block: str | None
    """Name of the outcome it belongs to; None outside the outcomes of a trial."""
    siblings: tuple[str, ...]

    def at(self, name: str) -> Place:
        """The place of one of its fields, by the name that it has in the file."""
        is_row = self.loc[:1] == ("results",)
        own = {there: here for here, there in printed(self.node).items()} if is_row else {}
        return replace(self, loc=(*self.loc, own.get(name, name)))


def places(entries: Iterable[Located]) -> Iterator[Place]:
    """Every mapping with fields of its own, from the top down; entries that are rejected are passed over."""
    for entry in entries:
        if not entry.row.rejected:
            yield from _walk(entry, entry.data, (), None, ())


def _walk(
    entry: Located, node: Any, loc: tuple[str | int, ...], block: str | None, siblings: tuple[str, ...]
) -> Iterator[Place]:
    if isinstance(node, tuple):
        for k, each in enumerate(node):
            yield from _walk(entry, each, (*loc, k), block, siblings)
    elif len(loc) == 2 and loc[0] == "results" and isinstance(node, Mapping):
        yield Place(entry, loc, as_printed(node), str(node.get("of")), tuple(entry.data["outcomes"] or ()))
    elif isinstance(node, Mapping) and not is_figure(node):
        yield Place(entry, loc, node, block, siblings)
        is_section = loc in (("outcomes",), ("adverse_events",)) and entry.kind == "trial"
        for name, each in node.items():
            yield from _walk(
                entry,
                each,
                (*loc, name),
                name if is_section else block,
                tuple(node) if is_section else siblings,
            )


def ends_of(node: Any) -> tuple[float, float] | None:
    """Both ends of an interval, where they are two numbers."""
    ends = plain(node)
    if isinstance(ends, tuple) and len(ends) == 2 and all(isinstance(each, int | float) for each in ends):
        return float(ends[0]), float(ends[1])
    return None


def fault_at(check: str, place: Place, what: str) -> Fault:
    return Fault(check, place.entry.id, place.entry.where(*place.loc), f"{dotted(place.loc)} {what}")
