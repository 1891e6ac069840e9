"""What a trial reports that enters no comparison: the reason, its words, its figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lissive.evidence.comparison import Cited, Comparison, Group, weakest
from lissive.evidence.read import cite, dotted, is_figure, plain


@dataclass(frozen=True)
class Unused:
    """One block or figure that enters no comparison, and why."""

    study: str
    key: str
    reason: str
    outcome: str = ""
    """Empty where it is of no known outcome."""
    text: str = ""
    """What the trial reports: its words, or else its figures as words."""
    cited: tuple[Cited, ...] = ()
    either: Comparison | None = None
    """The comparison as printed, where it is left out because its sign is not known."""

    @property
    def provenance(self) -> str:
        """Of its weakest figure."""
        return weakest(tuple(each.provenance for each in self.cited))

    @property
    def kind(self) -> str:
        """per protocol, a subgroup, sign not known: shown beside the figures wherever they are shown."""
        if self.either is not None:
            return "sign not known"
        return next((word for word in (PER_PROTOCOL, SUBGROUP) if self.reason.startswith(word)), "")

    def to_json(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "key": self.key,
            "reason": self.reason,
            "outcome": self.outcome,
            "said": self.text,
            "cited": [asdict(each) for each in self.cited],
        }


def per_protocol(study: str, name: str, outcome: str, node: Any) -> Iterator[Unused]:
    """Per-protocol figures: shown, not pooled."""
    rows = node if isinstance(node, tuple) else (node,)
    mine = [
        {each: row[each] for each in row if each == "arm" or "_pp" in each or each.startswith("pp_")}
        for row in rows
        if isinstance(row, Mapping)
    ]
    found = [
        cite(dotted((name, k, each)), row[each])
        for k, row in enumerate(mine)
        for each in row
        if each != "arm"
    ]
    if found:
        fields = sorted({each for row in mine for each in row if each != "arm"})
        parts = _joined(
            _row_words({each.replace("_pp", "").replace("pp_", ""): row[each] for each in row})
            for row in mine
        )
        yield Unused(
            study,
            name,
            f"{PER_PROTOCOL} ({', '.join(fields)}): shown, not pooled",
            outcome,
            parts,
            tuple(found),
        )


def subgroup_in(node: Any) -> str:
    """Of whom the figures of a block are, where they are of a part of the trial (`subgroup: TEXT`)."""
    rows = node if isinstance(node, tuple) else (node,)
    parts = (plain(row.get("subgroup")) for row in rows if isinstance(row, Mapping))
    return next((text for text in parts if isinstance(text, str) and text), "")


def of_subgroup(whose: str) -> str:
    """The reason why a subgroup's figures are not pooled."""
    return f"{SUBGROUP}, {whose.rstrip('.')}: shown, not pooled"


def words_of(node: Any, kind: str = "") -> str:
    """What a block reports: its words, or otherwise its figures as words.

    >>> words_of(({"arm": "THC", "change_mean": -0.3}, {"arm": "placebo", "change_mean": 0.2})), words_of(0.4, "p")
    ('THC -0.3; placebo 0.2', 'p 0.4')
    """
    if is_figure(node) and isinstance(plain(node), str):
        return str(plain(node))
    if isinstance(node, Mapping) and not is_figure(node):
        for name in ("result", "significant"):
            if isinstance(found := plain(node.get(name)), str):
                return found
        return _row_words(node)
    if isinstance(node, tuple):
        return _joined(_row_words(row) for row in node if isinstance(row, Mapping) and row.get("arm"))
    value = plain(node)
    return f"p {_short(value)}" if kind == "p" and value is not None else ""


def comparison_words(one: Comparison) -> str:
    """What a comparison found: the difference that it reports, and its groups."""
    given = one.given
    stated = ""
    if given is not None:
        ends = "" if given.low is None or given.high is None else f" ({given.low:.3g} to {given.high:.3g})"
        stated = f"{given.measure} {given.estimate:.3g}{ends}"
    return _joined((stated, groups_words(one.active, one.control)))


def groups_words(active: Group | None, control: Group | None) -> str:
    """Both groups, each with its participants; nothing without their figures."""
    return _joined(_group_words(each) for each in (active, control) if each is not None)


def _group_words(group: Group) -> str:
    n = "" if group.n is None else f" (n {group.n:.4g})"
    if group.events is not None:
        return f"{group.arm} {group.events:g}{n.replace('(n', 'of').rstrip(')')}"
    return "" if group.mean is None else f"{group.arm} {group.mean:g}{n}"


PER_PROTOCOL, SUBGROUP = "per protocol", "a subgroup"
"""How the reasons begin of figures that are not of all randomised participants."""


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(part for part in parts if part)


def _row_words(row: Mapping[str, Any]) -> str:
    """One row: its arm, and what was found; nothing where it has no number."""
    parts = [text for name in row if (text := _field_words(name, row))]
    arm = f"{row['arm']} " if row.get("arm") else ""
    return f"{arm}{', '.join(parts)}" if parts else ""


def _field_words(name: str, row: Mapping[str, Any]) -> str:
    value = plain(row[name])
    if isinstance(value, bool) or not isinstance(value, int | float | str) or name == "arm":
        return ""
    if name == "p":
        return f"p {_short(value)}"
    if isinstance(value, str):
        return ""
    if name == "pct" or name.endswith("_pct"):
        whose = name.removesuffix("pct").replace("_", " ")
        return f"{whose}{_short(value)} %"
    if name in ("diff", "value"):
        ends = plain(row.get("ci"))
        interval = (
            f" ({' to '.join(map(_short, ends))})" if isinstance(ends, tuple) and len(ends) == 2 else ""
        )
        return f"{'difference ' if name == 'diff' else ''}{_short(value)}{interval}"
    if name == "n" and row.get("N") is not None:
        return f"{_short(value)} of {_short(plain(row['N']))}"
    if name in ("change", "change_mean", "mean_change"):
        return _short(value) if row.get("arm") else f"change {_short(value)}"
    return _short(value) if name in ("mean", "end_mean") else ""


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


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
