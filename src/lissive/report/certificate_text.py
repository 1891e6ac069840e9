"""What is written to a file beside an answer: a draft certification, and the days that follow as a calendar.

A draft is plain text, Markdown or HTML; each says at its top and at its bottom that it is a draft.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lissive.access.answer import Answer
from lissive.access.certificate import DRAFT, SUBMITTED, Draft, Entry
from lissive.access.visit import NOTHING
from lissive.ics import calendar_text, escaped
from lissive.report.access_text import STATUS, caution_text, procedural_text
from lissive.report.table import as_markdown, table
from lissive.report.words import UNVERIFIED_MEANS, WIDTH, upper_first, wrapped

PARTS: Mapping[str, str] = {
    "practitioner": "Practitioner",
    "patient": "Patient",
    "condition": "Condition",
    "statements": "Statements, each to be made by the practitioner",
    "recommendation": "Recommendation, at the practitioner's choice",
    "minors": "Minors, and people who cannot consent",
    "form": "Form: date, signature and the rest",
}
MARKS: Mapping[str, str] = {
    "filled": "from the case",
    "missing": "MISSING",
    "practitioner": "by the practitioner",
    "optional": "optional",
    "not_applicable": "not required",
    "withheld": "not filled",
}
"""State of a field to what is said of it."""
_BOX = {"filled": "[x]"}


@dataclass(frozen=True)
class Block:
    """A heading with lines, or with rows of a table."""

    heading: str
    lines: tuple[str, ...] = ()
    rows: tuple[tuple[str, str, str, str], ...] = ()
    """State, label, value, citation with remark."""


def heading(draft: Draft) -> str:
    """What it is a draft of."""
    answer = draft.answer
    return f"Certification for medical cannabis, {answer.name} ({answer.jurisdiction}), as of {answer.on}"


def blocks(draft: Draft) -> list[Block]:
    """The whole draft, in the order in which it is read."""
    found = [Block("Answer", tuple(_answer(draft)))]
    if draft.safety:
        found.append(Block("Safety, which is no part of this form", draft.safety))
    if draft.answer.fired:
        found.append(Block("Clause relied on", tuple(_fired(draft))))
    if draft.missing:
        found.append(Block(f"Missing ({len(draft.missing)})", tuple(_missing(draft))))
    for part, said in PARTS.items():
        mine = [each for each in draft.entries if each.field.part == part]
        if mine and draft.fillable:
            found.append(Block(said, rows=tuple(_row(each) for each in mine)))
    if draft.answer.status != "not_eligible":
        found.append(Block("The visit", tuple(each.said for each in draft.steps) or (NOTHING,)))
    if draft.answer.cautions:
        found.append(Block("Cautions", tuple(map(caution_text, draft.answer.cautions))))
    if any(
        "unverified" in text for block in found for text in (*block.lines, *(row[3] for row in block.rows))
    ):
        found.append(Block("Note", (f"{upper_first(UNVERIFIED_MEANS)}.",)))
    return found


def _answer(draft: Draft) -> Iterator[str]:
    answer = draft.answer
    yield f"{upper_first(STATUS[answer.status])}, by rule {answer.rule or '(none in force)'}."
    if not draft.fillable:
        why = "a fact is missing" if answer.status == "unknown" else "no clause of the rule is met"
        yield f"The form is not filled: {why}."
        yield from (
            f"Find out {each.asks}. It would then be: {STATUS[each.would_change_to]}."
            for each in answer.missing
        )
        yield from (f"Another route: {each.text}" for each in answer.alternatives)
    if answer.procedural == "blocked":
        yield "AS THE VISIT IS PLANNED IT CANNOT BE CERTIFIED."
    yield f"Visit and practitioner requirements: {procedural_text(answer)}."
    if draft.fillable and draft.common:
        yield (
            "No form of this place and day is in the table: these are the fields that programmes share, unverified "
            "and as of the table's own date."
        )
    if draft.fillable and answer.expires is not None:
        yield f"Signed on {answer.on}, it would expire on {answer.expires}."
    checked = (
        f"the rule was last checked on {answer.checked}" if answer.checked else "no day of checking is known"
    )
    yield f"{answer.notice} It holds for {answer.on}; {checked}."


def _fired(draft: Draft) -> Iterator[str]:
    version = draft.version
    until = f"to {version.ends}" if version.ends else "on, as far as the table goes"
    yield f"Rule {version.id}, in force from {version.begins or 'the first day'} {until}."
    for each in draft.answer.fired:
        quote = f" “{each.quote}”" if each.quote else ""
        check = " (unverified)" if each.provenance == "recalled" else ""
        url = f" {each.source_url}" if each.source_url else ""
        yield f"{upper_first(each.what)}:{quote} {each.citation}{check}.{url}"


def _missing(draft: Draft) -> Iterator[str]:
    """What the case does not say, by part of the form."""
    for part, said in PARTS.items():
        labels = [each.field.label for each in draft.missing if each.field.part == part]
        if labels:
            yield f"{said.replace(':', ',').split(',')[0]}: {'; '.join(labels)}."


def _row(entry: Entry) -> tuple[str, str, str, str]:
    cited = entry.field.citation or ("" if entry.field.source.kind == "none" else entry.field.source.title)
    remark = "; ".join(each for each in (cited, entry.remark) if each)
    return entry.state, entry.field.label, entry.value, remark


def draft_text(draft: Draft) -> str:
    """The draft for a terminal."""
    rule = "=" * WIDTH
    head = f"{rule}\n{DRAFT}\n{SUBMITTED}\n{rule}"
    parts = [head, heading(draft), *map(_block_text, blocks(draft)), head]
    return "\n\n".join(parts)


def _block_text(block: Block) -> str:
    lines = [block.heading.upper()]
    lines += [wrapped(line, "  ", hanging="  ") for line in block.lines]
    for state, label, value, remark in block.rows:
        said = f"{_BOX.get(state, '[ ]')} {label}: {value or MARKS[state]}"
        if state == "missing" and value:
            said += f" - {MARKS[state]} in full"
        if state == "practitioner" and value:
            said += f" - {MARKS[state]}"
        lines.append(wrapped(said, "  ", hanging="    "))
        if remark:
            lines.append(wrapped(remark, "      "))
    return "\n".join(lines)


def draft_markdown(draft: Draft) -> str:
    """The draft as Markdown."""
    mark = f"**{DRAFT}** {SUBMITTED}"
    parts = [mark, f"# {_marked(heading(draft))}"]
    for block in blocks(draft):
        parts.append(f"## {_marked(block.heading)}")
        if block.lines:
            parts.append("\n".join(f"- {_marked(line)}" for line in block.lines))
        if block.rows:
            rows = [(label, value, MARKS[state], remark) for state, label, value, remark in block.rows]
            parts.append(as_markdown(table("", "field | from the case | state | required by", rows)))
    return "\n\n".join([*parts, mark]) + "\n"


def _marked(text: str) -> str:
    """Text in which no sign is read as Markdown or HTML; an address stays as it is."""
    return " ".join(each if each.startswith("http") else _escaped(each) for each in text.split(" "))


def _escaped(text: str) -> str:
    for sign in "\\`*_[]<>|":
        text = text.replace(sign, f"\\{sign}")
    return text


def draft_html(draft: Draft) -> str:
    """The draft as a page that stands alone."""
    from jinja2 import Environment, FileSystemLoader

    loader = FileSystemLoader(Path(__file__).parent)
    page = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return page.get_template("certificate.html.j2").render(
        heading=heading(draft), blocks=blocks(draft), draft=DRAFT, submitted=SUBMITTED, marks=MARKS
    )


def formats() -> Sequence[str]:
    """The endings that a file may have."""
    return tuple(WRITERS)


WRITERS = {".txt": draft_text, ".md": draft_markdown, ".html": draft_html}
"""Ending of a file to what writes it."""


# -- the days that follow --------------------------------------------------------------------------
def ics(answer: Answer) -> str:
    """A calendar file (iCalendar, RFC 5545): an all-day event for each day; the same answer gives the same file."""
    lines: list[str] = []
    for number, each in enumerate(answer.dates):
        after = each.on + datetime.timedelta(days=1) if each.on < datetime.date.max else each.on
        lines += [
            "BEGIN:VEVENT",
            f"UID:{answer.jurisdiction}-{answer.rule}-{answer.on:%Y%m%d}-{number}@lissive",
            f"DTSTAMP:{answer.on:%Y%m%d}T000000Z",
            f"DTSTART;VALUE=DATE:{each.on:%Y%m%d}",
            f"DTEND;VALUE=DATE:{after:%Y%m%d}",
            f"SUMMARY:{escaped(f'{answer.name}: {each.what}')}",
            f"DESCRIPTION:{escaped(f'Counted from {answer.on} by rule {answer.rule}. {answer.notice}')}",
            "END:VEVENT",
        ]
    return calendar_text("access", lines)
