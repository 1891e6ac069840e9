"""The same person in every jurisdiction, as a table for the terminal and as CSV."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Sequence

from lissive.access.answer import Answer
from lissive.access.cases import group_of
from lissive.files import write_rows
from lissive.report.access_text import CAUTIONS, STATUS, procedural_text
from lissive.report.table import as_text, table
from lissive.report.words import paragraphs, upper_first

_WHERE = {"state": "States", "territory": "Territories", "country": "Other countries"}
_WHY = 46
"""Signs that the last column takes; the whole text is in the CSV."""
_COLUMNS = "code | name | visit and practitioner | rule | why"


def compare_text(answers: Sequence[Answer], title: str) -> str:
    """The table: states, territories and countries apart, each by status from most to least."""
    parts = [title]
    for group, heading in _WHERE.items():
        mine = [each for each in answers if group_of(each.jurisdiction) == group]
        rows: list[tuple[str, ...]] = []
        for status, said in STATUS.items():
            found = [_row(each) for each in mine if each.status == status]
            if found:
                rows += [("",), (f"{upper_first(said)} ({len(found)})",), *found]
        if rows:
            lines = as_text(table(heading, _COLUMNS, rows), rule=False)
            parts.append(f"{heading.upper()}\n{lines}")
    parts += [_cautions(answers), *{each.notice for each in answers}]
    return paragraphs(parts)


def _row(answer: Answer) -> tuple[str, ...]:
    return (
        answer.jurisdiction,
        answer.name,
        procedural_text(answer),
        answer.rule or "-",
        _shortened(why(answer)),
    )


def why(answer: Answer) -> str:
    """What decided it: the wording or the clauses that are met, or what is missing.

    >>> from datetime import date
    >>> why(Answer("US-ID", "Idaho", date(2025, 6, 1), "not_eligible", "ok"))
    'no clause is met'
    """
    if answer.status == "unknown":
        facts = ", ".join(each.fact for each in answer.missing)
        return f"needs {facts}" if facts else "a fact is missing"
    if answer.status == "not_eligible":
        return "no programme" if "no_programme" in answer.blocks else "no clause is met"
    quoted = [f"“{each.quote}”" for each in answer.fired if each.quote]
    # what a list holds beside the diagnosis that is met stands in brackets: too long for a table
    met = [each.what.split(" (")[0] for each in answer.fired]
    return "; ".join(quoted or met) or "-"


def _shortened(text: str) -> str:
    """Cut where the column ends, within a word if need be: the name of a fact is one long word."""
    return text if len(text) <= _WHY else f"{text[: _WHY - 1].rstrip()}…"


def _cautions(answers: Iterable[Answer]) -> str:
    """How many answers carry each kind of caution; the words are with the answer of each place."""
    counts: dict[str, list[str]] = {}
    for each in answers:
        for kind in dict.fromkeys(caution.kind for caution in each.cautions):
            counts.setdefault(kind, []).append(each.jurisdiction)
    lines = [
        f"{CAUTIONS.get(kind, kind)} ({len(codes)}): {textwrap.shorten(', '.join(codes), 100, placeholder=' …')}"
        for kind, codes in sorted(counts.items())
    ]
    if not lines:
        return ""
    return "\n".join(
        [
            "Cautions; the text is in each jurisdiction's own answer (lissive access --jurisdiction ...):",
            *map("   {}".format, lines),
        ]
    )


CSV_COLUMNS = (
    "code",
    "name",
    "group",
    "on",
    "status",
    "procedural",
    "blocks",
    "rule",
    "why",
    "citation",
    "source_url",
    "missing",
    "cautions",
    "expires",
    "confidence",
    "checked",
)


def compare_csv(answers: Iterable[Answer]) -> str:
    """The table behind the map, a row for each jurisdiction."""
    place = io.StringIO()
    write_rows(place, [CSV_COLUMNS, *map(_csv_row, answers)])
    return place.getvalue()


def _csv_row(each: Answer) -> tuple[str | None, ...]:
    first = each.fired[0] if each.fired else None
    return (
        each.jurisdiction,
        each.name,
        group_of(each.jurisdiction),
        each.on.isoformat(),
        each.status,
        each.procedural,
        " ".join(each.blocks),
        each.rule,
        why(each),
        first.citation if first else None,
        first.source_url if first else None,
        " ".join(missing.fact for missing in each.missing),
        " ".join(dict.fromkeys(caution.kind for caution in each.cautions)),
        each.expires.isoformat() if each.expires else None,
        each.confidence,
        each.checked.isoformat() if each.checked else None,
    )
