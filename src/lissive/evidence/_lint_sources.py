"""Whether figures state their provenance and source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lissive.evidence._lint_figures import Fault
from lissive.evidence.comparison import PROVENANCES
from lissive.evidence.read import Located
from lissive.publications.tables import dotted, is_figure, number, plain


def sources(entries: tuple[Located, ...]) -> Iterator[Fault]:
    """Figures that do not state their provenance or source."""
    for entry in entries:
        yield from _sources(entry, entry.data, (), {})
        if entry.kind != "review" and not (entry.row.citation or entry.row.doi or entry.row.registry):
            yield Fault("source", entry.id, entry.where("id"), "has no citation, DOI or registry number.")


def _sources(
    entry: Located, node: Any, loc: tuple[str | int, ...], around: Mapping[str, Any]
) -> Iterator[Fault]:
    if isinstance(node, tuple):
        for k, each in enumerate(node):
            yield from _sources(entry, each, (*loc, k), around)
        return
    if not isinstance(node, Mapping):
        return
    context = {
        **around,
        **{name: node[name] for name in ("provenance", "source_url", "pointer") if node.get(name)},
    }
    if is_figure(node) or ("provenance" in node and loc):
        for check, what in (("provenance", _word(node, context)), ("source", _unsourced(node, context))):
            if what:
                yield Fault(check, entry.id, entry.where(*loc), f"{dotted(loc)} {what}")
        return
    said = (
        "of" in node and number(node.get("value")) is None
    )  # a row that reports words, or that nothing is known
    if (
        "value" in node
        and not said
        and not isinstance(node["value"], Mapping)
        and not context.get("provenance")
    ):
        yield Fault("source", entry.id, entry.where(*loc), f"{dotted(loc)} has no provenance.")
    for name, each in node.items():
        if isinstance(each, Mapping | tuple):
            yield from _sources(entry, each, (*loc, name), context)


def _word(node: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    """What is wrong with the word of provenance."""
    word = context.get("provenance")
    if plain(node.get("value", 0)) is None and word is None:
        return ""
    if word is None:
        return f"has no provenance; one of {', '.join(PROVENANCES)}."
    if word not in PROVENANCES:
        return f"has the provenance {word!r}; one of {', '.join(PROVENANCES)}."
    return ""


def _unsourced(node: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    """What a figure lacks of its source; empty where it has all."""
    word = context.get("provenance")
    if word == "read" and not context.get("source_url"):
        return "has provenance read but no source_url."
    if word == "read" and not (context.get("pointer") or node.get("analysis")):
        return "has provenance read but no pointer (place in the source)."
    if word == "derived" and not (node.get("formula") or node.get("note")):
        return "has provenance derived but no formula."
    return ""
