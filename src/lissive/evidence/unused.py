"""What a trial says that enters no comparison: the reason, its words, its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lissive.evidence.comparison import Cited
from lissive.evidence.read import cite, dotted, is_figure, plain


@dataclass(frozen=True)
class Unused:
    """One block or figure that enters no comparison, and why."""

    study: str
    key: str
    reason: str
    outcome: str = ""
    """Empty where it is of no known outcome."""
    said: str = ""
    """What the trial says in words."""
    cited: tuple[Cited, ...] = ()


def per_protocol(study: str, name: str, outcome: str, node: Any) -> Iterator[Unused]:
    rows = node if isinstance(node, tuple) else (node,)
    fields = [f for row in rows if isinstance(row, Mapping) for f in row if "_pp" in f or f.startswith("pp_")]
    if fields:
        found = [
            each
            for k, row in enumerate(rows)
            if isinstance(row, Mapping)
            for each in (cite(dotted((name, k, f)), row[f]) for f in row if f in fields)
        ]
        yield Unused(
            study,
            name,
            f"per protocol ({', '.join(sorted(set(fields)))}): shown, not pooled",
            outcome,
            "",
            tuple(found),
        )


def words_of(node: Any) -> str:
    """What a block says in words."""
    if is_figure(node) and isinstance(plain(node), str):
        return str(plain(node))
    if isinstance(node, Mapping):
        for name in ("result", "significant"):
            if isinstance(found := plain(node.get(name)), str):
                return found
    return ""


def cited_in(name: str, node: Any) -> tuple[Cited, ...]:
    return tuple(_every(node, (name,)))


def _every(node: Any, loc: tuple[str | int, ...]) -> Iterator[Cited]:
    if is_figure(node):
        yield cite(dotted(loc), node)
    elif isinstance(node, Mapping):
        for each, value in node.items():
            yield from _every(value, (*loc, each))
    elif isinstance(node, tuple):
        for k, value in enumerate(node):
            yield from _every(value, (*loc, k))
