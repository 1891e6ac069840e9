"""What a trial reports that enters no comparison: the reason, its words, its figures."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lissive.evidence.comparison import MEASURES, Cited, Comparison, Group, weakest
from lissive.evidence.read import cited
from lissive.publications.tables import Result


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


def per_protocol(study: str, outcome: str, rows: Sequence[Result]) -> Iterator[Unused]:
    """Per-protocol figures: shown, not pooled."""
    mine = [row for row in rows if row.per_protocol]
    if mine:
        reason = f"{PER_PROTOCOL} ({', '.join(sorted({row.detail for row in mine}))}): shown, not pooled"
        yield Unused(study, rows[0].name.text, reason, outcome, words_of(mine), cited_in(mine))


def of_subgroup(whose: str) -> str:
    """The reason why a subgroup's figures are not pooled."""
    return f"{SUBGROUP}, {whose.rstrip('.')}: shown, not pooled"


def words_of(rows: Sequence[Result]) -> str:
    """What rows report: their words, or otherwise their figures as words."""
    said = (row for row in rows if row.statistic == "words" and row.value is not None)
    if text := next(
        (str(row.value.value) for row in said if row.value and not row.arm and row.detail != "note"), ""
    ):
        return text
    return _joined(_line_words(list(group)) for _, group in itertools.groupby(rows, key=lambda row: row.line))


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


def _line_words(rows: Sequence[Result]) -> str:
    """One line of the file: its arm, and what was found; nothing where it has no number, or is of no arm."""
    if rows[0].time and not rows[0].arm:
        return ""
    parts = [text for row in rows if (text := _figure_words(row))]
    p = next((row.p for row in rows if row.p is not None and row.p.value is not None), None)
    parts += [f"p {_short(p.value)}"] if p else []
    return f"{rows[0].arm} {', '.join(parts)}".strip() if parts else ""


def _figure_words(row: Result) -> str:
    value = row.value.number if row.value else None
    if row.statistic == "share":
        of = f"{_short(row.events.value)} of {_short(row.n.value)}" if row.events and row.n else ""
        return ", ".join(part for part in (of, "" if value is None else f"{_short(value)} %") if part)
    if value is None:
        return ""
    ends = row.ci.ends if row.ci else None
    interval = f" ({_short(ends[0])} to {_short(ends[1])})" if ends else ""
    if row.statistic == "difference":
        return f"difference {_short(value)}{interval}"
    if row.statistic == "change":
        return _short(value) if row.arm else f"change {_short(value)}"
    if row.statistic in ("mean", "end"):
        return _short(value)
    return f"{_short(value)}{interval}" if row.statistic in MEASURES or row.detail == "value" else ""


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


_FIGURES = ("value", "events", "n", "sd", "se", "ci", "iqr", "p", "person_time")


def cited_in(rows: Sequence[Result]) -> tuple[Cited, ...]:
    """The figures of rows that say where they are from."""
    found = (one for row in rows for name in _FIGURES if (one := getattr(row, name)) is not None)
    return tuple(dict.fromkeys(cited(one) for one in found if one.provenance))
