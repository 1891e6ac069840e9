"""Answers about access as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from lissive.access.answer import Answer, Level, Node
from lissive.access.cases import Compared
from lissive.access.coverage import Covered
from lissive.access.rule import Jurisdiction, Version
from lissive.access.say import clause_text, said
from lissive.case import Case

_WIDTH = 110
STATUS = {
    "eligible": "Eligible",
    "eligible_at_discretion": "Eligible at the practitioner's discretion",
    "not_eligible": "Not eligible",
    "unknown": "Unknown",
}
PROCEDURAL = {
    "ok": "Nothing that is stated about the visit stands in the way.",
    "blocked": "The visit as stated cannot certify it",
    "unknown": "Whether the visit as stated can certify it is unknown",
}
BLOCKS = {
    "telehealth_initial_not_allowed": "a first visit by telehealth is not enough",
    "telehealth_renewal_not_allowed": "a renewal by telehealth is not enough",
    "telehealth_unknown": "whether telehealth is enough is not known",
    "practitioner_type": "this kind of practitioner may not certify",
    "practitioner_unknown": "whether this kind of practitioner may certify is not known",
    "residency": "the person is not resident",
    "no_programme": "there is no programme",
}


def answer_text(answer: Answer) -> str:
    """The whole answer, with the day that it holds for and when the rule was last checked."""
    return "\n\n".join(
        [_headline(answer), *("\n".join(part) for part in _parts(answer) if part), _footer(answer)]
    )


def _headline(answer: Answer) -> str:
    rule = f", rule {answer.rule}" if answer.rule else ""
    lines = [
        f"{answer.name} ({answer.jurisdiction}) on {answer.on.isoformat()}{rule}",
        textwrap.fill(f"{STATUS[answer.status]}.  {_procedural(answer)}", _WIDTH),
    ]
    if answer.expires is not None:
        lines.append(f"A certification of that day runs out on {answer.expires.isoformat()}.")
    return "\n".join(lines)


def _procedural(answer: Answer) -> str:
    text = PROCEDURAL[answer.procedural]
    if answer.procedural == "ok":
        return text
    why = "; ".join(BLOCKS.get(each, said(each)) for each in answer.blocks)
    return f"{text}: {why}." if why else f"{text}."


def _parts(answer: Answer) -> Iterator[list[str]]:
    yield _section("Why", _why(answer))
    yield _section("What is not known", _missing(answer))
    yield _section("Other routes", (f"{said(each.route)}: {each.text}" for each in answer.alternatives))
    yield _section("The visit has to keep to", answer.requirements)
    yield _section("Next steps", answer.next_steps)
    yield _section("Cautions", (f"{said(each.kind)}: {each.text}" for each in answer.cautions))


def _section(head: str, items: Sequence[str] | Iterator[str]) -> list[str]:
    lines = [_item(each) for each in items]
    return [f"{head}:", *lines] if lines else []


def _item(text: str) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent="  - ",
        subsequent_indent="    ",
        break_on_hyphens=False,
        break_long_words=False,  # an address stays whole
    )


def _why(answer: Answer) -> Iterator[str]:
    for each in answer.fired:
        mark = "" if each.provenance == "read" else " [to be checked: quoted from memory]"
        quote = f" “{each.quote}”" if each.quote else ""
        source = f" {each.source_url}" if each.source_url else ""
        yield f"{each.what}.{quote} {each.citation}.{mark}{source}"
    if answer.status == "not_eligible" and answer.rule:
        yield "No clause of the rule is met; --explain shows each."


def _missing(answer: Answer) -> Iterator[str]:
    for each in answer.missing:
        also = f" together with {', '.join(each.needs_also)}" if each.needs_also else ""
        yield (
            f"{each.asks} [{each.fact}]: if so{also}, {said(each.would_change_to)}; "
            f"if not, {said(each.if_not)}."
        )


def _footer(answer: Answer) -> str:
    sources = f" Sources to {answer.as_of}." if answer.as_of else ""
    checked = f" Rule last checked {answer.checked.isoformat()}." if answer.checked else ""
    held = f"Holds for {answer.on.isoformat()}.{checked}{sources} Confidence: {answer.confidence}."
    return textwrap.fill(f"{held} {answer.notice}", _WIDTH)


def case_section(case: Case, answer: Answer | None) -> str:
    """The answer in a few lines, as a part of the answers for a case."""
    from lissive.access.of_case import why_not

    if answer is None:
        return f"1  Access: not answered, because {why_not(case)}."
    kinds = dict.fromkeys(said(each.kind) for each in answer.cautions)
    lines = [
        f"1  Access: {STATUS[answer.status].lower()} in {answer.name} on {answer.on.isoformat()} "
        f"(rule {answer.rule or 'none'}). {_procedural(answer)}",
        *list(_why(answer))[:2],
        *(f"Not known: {each}" for each in list(_missing(answer))[:2]),
        f"Cautions: {', '.join(kinds)}." if kinds else "",
        f"{answer.notice} All of it: lissive access, with this case.",
    ]
    first, *rest = (each for each in lines if each)
    return "\n".join(
        [textwrap.fill(first, _WIDTH, subsequent_indent="   "), *(_indented(each) for each in rest)]
    )


def _indented(text: str) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent="   ",
        subsequent_indent="   ",
        break_on_hyphens=False,
        break_long_words=False,
    )


# -- the tree --------------------------------------------------------------------------------------
_VERDICT = {Level.N: "no", Level.U: "unknown", Level.D: "discretion", Level.E: "yes"}


def tree_text(node: Node) -> str:
    """The logic with the verdict of each node before it."""
    return "\n".join(_tree(node, 0))


def _tree(node: Node, depth: int) -> Iterator[str]:
    lead = f"{_VERDICT[node.verdict]:<11}{'  ' * depth}"
    yield textwrap.fill(
        node.text,
        _WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * (len(lead) + 2),
        break_on_hyphens=False,
    )
    for each in node.children:
        yield from _tree(each, depth + 1)


# -- history ---------------------------------------------------------------------------------------
def history_text(place: Jurisdiction) -> str:
    """Every version with its days, wording, procedure and sources."""
    head = f"{place.name} ({place.code}): {place.programme or 'no programme'}"
    statuses = [
        f"  {each.begins or '...'} to {each.ends or 'now'}: {said(each.status)}{_mark(each.provenance)}"
        for each in place.programme_status
    ]
    before = [f"Before the first rule: {place.before_first}"] if place.before_first else []
    parts = [
        "\n".join([head, *statuses, *before]),
        *("\n".join(_version(each)) for each in place.versions),
        f"Checked {place.verified}. Not legal advice.",
    ]
    return "\n\n".join(parts)


def _mark(provenance: str | None) -> str:
    return " [from memory]" if provenance == "recalled" else ""


def _version(version: Version) -> Iterator[str]:
    about = f" (to the {version.date_precision})" if version.date_precision in ("month", "year") else ""
    about = " (about)" if version.date_precision == "approx" else about
    days = f"{version.begins or '...'} to {version.ends or 'now'}{about}{_mark(version.from_provenance)}"
    yield f"{version.id}: {days}; confidence {version.confidence}"
    if version.quote:
        kind = ", translated" if version.quote_kind == "translated" else ""
        yield _item(f"“{version.quote}”{kind}{_mark(version.known('quote'))}")
    elif version.wording:
        yield _item(version.wording)
    for clause in version.logic.walk():
        if clause.symptom in ("muscle_spasms", "spasticity") or clause.discretion or clause.self_certify:
            yield _item(f"{clause_text(clause)}{_mark(version.known('logic'))}")
    yield _item("; ".join(version.citations))
    if version.note:
        yield _item(version.note)
    for each in version.cautions:
        yield _item(f"{each.kind}: {each.text}")
    for bill in version.pending:
        yield _item(f"pending: {bill.bill} {bill.effect}.")
    for source in version.sources:
        seen = f", as of {source.source_as_of}" if source.source_as_of else ""
        yield f"    {source.title}{seen}: {source.url}"


# -- coverage and worked cases ---------------------------------------------------------------------
def coverage_text(entries: Sequence[Covered]) -> str:
    """A line for each jurisdiction, and what is unsettled below."""
    heads = [
        "code",
        "name",
        "status",
        "rule now",
        "from",
        "sources to",
        "verified",
        "confidence",
        "read/recalled",
    ]
    rows = [heads, *(_coverage_row(each) for each in entries)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(heads))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    unsettled = [_item(f"{each.code}: {text}") for each in entries for text in each.open]
    total = f"{len(entries)} jurisdictions, {sum(each.versions for each in entries)} rule versions."
    return "\n".join([*lines, "", "Unsettled:", *unsettled, "", f"{total} Not legal advice."])


def _coverage_row(entry: Covered) -> list[str]:
    return [
        entry.code,
        entry.name,
        said(entry.status),
        entry.current,
        entry.begins or "-",
        entry.current_as_of or "not said",
        entry.verified,
        entry.confidence,
        f"{entry.read}/{entry.recalled}",
    ]


def cases_text(file: Path, compared: Sequence[Compared]) -> str:
    """What differs, a line each, and how many agree."""
    lines = []
    for each in compared:
        wanted, got = each.case.expected, each.answer
        where = f"{file}:{each.line}  {each.case.id}"
        if got.status != wanted.status:
            lines.append(
                f"{where}  status is {got.status}, expected {wanted.status} ({got.jurisdiction} {got.on})"
            )
        if wanted.procedural not in (None, got.procedural):
            lines.append(f"{where}  procedural is {got.procedural}, expected {wanted.procedural}")
        if each.other_rule:
            lines.append(f"{where}  note: rule is {got.rule}, expected {wanted.rule}")
    agree = sum(each.agrees for each in compared)
    lines.append(f"{agree} of {len(compared)} cases agree in level and procedural status.")
    return "\n".join(lines)
