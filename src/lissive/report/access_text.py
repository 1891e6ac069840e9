"""Answers about access as plain text, and the words for them that screen, map and form share."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

from lissive.access.answer import Answer, Caution, Facts, Federal, Level, Node, Product
from lissive.access.facts import products
from lissive.access.routes import clause_text, said
from lissive.access.rule import Jurisdiction, Version
from lissive.case import Case
from lissive.case.vocabulary import visits
from lissive.report.table import as_text, table
from lissive.report.words import UNVERIFIED_MEANS, paragraphs, upper_first, wrapped
from lissive.versions import data_line

if TYPE_CHECKING:  # an answer is printed without these
    from lissive.access.cases import Change, Compared
    from lissive.access.coverage import Agreement, Coded, Covered

STATUS: Mapping[str, str] = {
    "eligible": "eligible",
    "eligible_at_discretion": "eligible at the practitioner's discretion",
    "unknown": "unknown",
    "not_eligible": "not eligible",
}
"""From most to least."""
PROCEDURAL: Mapping[str, str] = {
    "ok": "no barrier identified",
    "blocked": "not met",
    "unknown": "not known",
}
"""Whether the visit as it is stated can certify: its kind, the practitioner, residence."""
BLOCKS: Mapping[str, str] = {
    "no_programme": "no programme",
    "practitioner_type": "type of practitioner",
    "practitioner_unknown": "type of practitioner",
    "residency": "residence",
    "age_unknown": "age not stated",
    "guardian": "parent or guardian of a minor",
    "second_practitioner": "second practitioner",
    "paediatrician": "paediatrician for a minor",
    "waiver": "waiver for a first visit by telehealth",
    "minor": "rules for minors",
    "telehealth_initial_not_allowed": "first visit by telehealth",
    "telehealth_renewal_not_allowed": "renewal by telehealth",
    "telehealth_unknown": "telehealth",
}
"""What is not met, or not known."""
CAUTIONS: Mapping[str, str] = {
    "near_change": "rule changes near that day",
    "boundary_uncertain": "day of a change uncertain",
    "conflict": "sources disagree",
    "incomplete": "data incomplete",
    "limited": "limited protection",
    "after_last_check": "after the day of the last check",
    "moved": "certificate of another place",
    "pending_bill": "bill pending",
    "recalled_fields": "rests on unverified data",
    "law_may_have_changed": "texts read are old",
    "not_in_table": "condition not recognised",
    "facts": "cause not stated as a diagnosis",
    "no_rule_in_force": "no rule in force",
    "not_covered": "rule not in the data",
}
"""Kind of caution, where only kinds are counted."""
_BARE = ("conflict", "incomplete", "limited")
"""Cautions whose text is a note that needs its kind before it."""


def procedural_text(answer: Answer) -> str:
    """The procedural answer, with what is not met or not known.

    >>> from datetime import date
    >>> procedural_text(Answer("US-KY", "Kentucky", date(2025, 3, 1), "eligible", "blocked", ("residency",)))
    'not met (residence)'
    """
    why = ", ".join(BLOCKS.get(each, said(each)) for each in answer.blocks)
    found = PROCEDURAL[answer.procedural]
    return found if answer.procedural == "ok" or not why else f"{found} ({why})"


def visit_text(answer: Answer, case: Case) -> str:
    """The procedural answer to a case: without a visit or a practitioner, nothing says that the visit will do."""
    place = case.place
    missing = [
        name for name, said in (("visit", place.visit), ("practitioner", place.practitioner)) if not said
    ]
    if answer.procedural != "ok" or not missing or answer.status == "not_eligible":
        return procedural_text(answer)
    return f"nothing found against it; still to be arranged: {', '.join(missing)}"


def is_blocked(answer: Answer) -> bool:
    """Whether the visit is blocked, and not the lack of any programme."""
    return answer.procedural == "blocked" and "no_programme" not in answer.blocks


def caution_text(caution: Caution) -> str:
    if caution.kind in _BARE:
        return f"{upper_first(CAUTIONS[caution.kind])}: {caution.text}"
    return caution.text


def facts_text(facts: Facts) -> str:
    """Who is asked about, in a line.

    >>> facts_text(Facts(age=45, dx=("multiple_sclerosis",)))
    'aged 45; multiple sclerosis'
    """
    parts = [f"aged {facts.age:g}"] if facts.age is not None else []
    parts += [said(each) for each in facts.dx] or ["no diagnosis"]
    for name, symptom in facts.symptoms.items():
        held = [said(k) for k, v in symptom.attributes.items() if v] if symptom is not None else ["perhaps"]
        parts.append(f"{said(name)} ({', '.join(held)})" if held else said(name))
    if facts.visit is not None:
        parts.append(visits()[facts.visit])
    parts += [facts.practitioner] if facts.practitioner else []
    return "; ".join(parts)


# -- one answer ------------------------------------------------------------------------------------
def answer_text(answer: Answer, visit: str = "") -> str:
    """The whole answer, with the day that it holds for and when the rule was last checked.

    Parameters
    ----------
    visit : whether the visit can certify, where that is said otherwise than in the answer.
    """
    return _with_note([_headline(answer, visit), *_parts(answer), _footer(answer)])


def _with_note(parts: Sequence[str]) -> str:
    """The parts, and what "unverified" means where one says it."""
    text = paragraphs(parts)
    return f"{text}\n{upper_first(UNVERIFIED_MEANS)}." if "unverified" in text else text


def _headline(answer: Answer, visit: str) -> str:
    rule = f", rule {answer.rule}" if answer.rule else ""
    lines = [
        f"{answer.name} ({answer.jurisdiction}) on {answer.on.isoformat()}{rule}",
        f"{upper_first(STATUS[answer.status])}. Visit and practitioner requirements: "
        f"{visit or procedural_text(answer)}.",
    ]
    if answer.expires is not None:
        lines.append(f"A certification issued that day expires on {answer.expires.isoformat()}.")
    return "\n".join(map(wrapped, lines))


def _parts(answer: Answer) -> Iterator[str]:
    yield _section("Why", _why(answer))
    yield _section("What is not known", _missing(answer))
    yield _section("The product", product_lines(answer.product))
    yield _section("Other routes", (each.text for each in answer.alternatives))
    yield _section("Requirements of the visit", answer.requirements)
    yield _section("Next steps", answer.next_steps)
    yield _section("Days that follow", (f"{each.on.isoformat()}: {each.what}." for each in answer.dates))
    yield _section("Federal law on that day", federal_lines(answer.federal, answer.product.asked))
    yield _section("Cautions", map(caution_text, answer.cautions))


def _section(head: str, items: Iterable[str]) -> str:
    lines = [_item(each) for each in items]
    return "\n".join([f"{head}:", *lines]) if lines else ""


def _item(text: str) -> str:
    return wrapped(f"- {text}", "  ")


def _why(answer: Answer) -> Iterator[str]:
    for each in answer.fired:
        quote = f" “{each.quote}”" if each.quote else ""
        source = f" {each.source_url}" if each.source_url else ""
        yield f"{each.what}.{quote} {each.citation}{_mark(each.provenance)}.{source}"
    if answer.status == "not_eligible" and answer.rule:
        yield "No clause of the rule is met; --explain shows each."


def _missing(answer: Answer) -> Iterator[str]:
    for each in answer.missing:
        also = f" together with {', '.join(each.needs_also)}" if each.needs_also else ""
        yield (
            f"{each.asks} [{each.fact}]: if so{also}, {STATUS[each.would_change_to]}; "
            f"if not, {STATUS[each.if_not]}."
        )


PRODUCT: Mapping[str, str] = {
    "obtainable": "can be had",
    "not_obtainable": "cannot be had",
    "unknown": "not known whether it can be had",
}
ROUTE: Mapping[str, str] = {
    "prescription": "on a prescription",
    "programme": "by the programme",
    "adult_use": "as adult use",
    "over_the_counter": "over the counter",
}
_LABEL = {"labelled": "within its label", "off_label": "outside its label"}
_VIDEO = {"yes": "yes", "no": "no", "unknown": "not known"}


def product_lines(found: Product) -> Iterator[str]:
    """Whether the planned product can be had there, why, and what comes nearest."""
    if found.asked is None:
        return
    kinds = products()
    by = f", {ROUTE[found.route]}" if found.route and found.status != "not_obtainable" else ""
    label = f", {_LABEL[found.indication]}" if found.indication in _LABEL else ""
    yield f"{upper_first(kinds[found.asked].text)}: {PRODUCT[found.status]}{by}{label}. {found.why}"
    if found.schedule and kinds[found.asked].is_medicine:
        yield f"Federal schedule: {found.schedule}."
    if found.status == "obtainable":
        until = f" (until {found.until.isoformat()})" if found.until else ""
        yield f"A first visit by video: {_VIDEO[found.by_video]}{until}."
    if found.nearest:
        yield f"Nearest that can be had: {'; '.join(kinds[each].text for each in found.nearest)}."
    for source in found.sources:
        url = f" {source.url}" if source.url else ""
        yield f"Source: {source.title}{_mark(source.provenance)}{_account(source.kind)}.{url}"


_ONLY_OF = {
    "tele_prescribing": ("dronabinol", "nabilone"),
    "hemp": ("cbd_oil", "topical", "edible"),
}
"""Points that matter for some products alone."""


def federal_lines(found: Federal | None, asked: str | None = None) -> Iterator[str]:
    """The points of federal law, the schedule first; those on medicines and on hemp where they matter."""
    for each in found.points if found else ():
        if each.topic in _ONLY_OF and found and asked not in _ONLY_OF[each.topic]:
            continue
        cited = f" [{each.citation}]" if each.citation else ""
        yield f"{each.text}{cited}{_mark(each.provenance)}{_account(each.kind)}"


def _account(kind: str) -> str:
    return " (by a secondary source)" if kind == "secondary" else ""


def _footer(answer: Answer) -> str:
    sources = f" Sources read to {answer.sources_to}." if answer.sources_to else " No source is dated."
    checked = f" Rule last checked {answer.checked.isoformat()}." if answer.checked else ""
    held = f"Holds for {answer.on.isoformat()}.{checked}{sources} Confidence: {answer.confidence}."
    return wrapped(f"{held} {answer.notice} {data_line('rules')}")


def access_part(case: Case, answer: Answer | None) -> str:
    """The whole answer, as the first part of the answers for a case."""
    from lissive.access.cases import why_not

    if answer is None:
        return wrapped(f"1  Access: not answered, because {why_not(case)}.", hanging="   ")
    return f"1  Access\n{indent(answer_text(answer, visit_text(answer, case)), '   ')}"


# -- the tree --------------------------------------------------------------------------------------
_VERDICT = {Level.N: "no", Level.U: "unknown", Level.D: "discretion", Level.E: "yes"}


def tree_text(node: Node) -> str:
    """The logic with the verdict of each node before it."""
    return "\n".join(_tree(node, 0))


def _tree(node: Node, depth: int) -> Iterator[str]:
    lead = f"{_VERDICT[node.verdict]:<11}{'  ' * depth}"
    yield lead + wrapped(node.text, " " * len(lead), hanging="  ").lstrip()
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
    return _with_note(parts)


def _mark(provenance: str | None) -> str:
    return " (unverified)" if provenance == "recalled" else ""


def _version(version: Version) -> Iterator[str]:
    about = f" (to the {version.date_precision})" if version.date_precision in ("month", "year") else ""
    about = " (about)" if version.date_precision == "approx" else about
    days = f"{version.begins or '...'} to {version.ends or 'now'}{about}{_mark(version.from_provenance)}"
    yield f"{version.id}: {days}; confidence {version.confidence}"
    if version.quote:
        yield _item(f"“{version.quote}”{_mark(version.known('quote'))}")
    elif version.wording:
        yield _item(version.wording)
    for clause in version.logic.walk():
        if clause.symptom in ("muscle_spasms", "spasticity") or clause.discretion or clause.self_certify:
            yield _item(f"{clause_text(clause)}{_mark(version.known('logic'))}")
    yield _item("; ".join(version.citations))
    if version.note:
        yield _item(version.note)
    for each in version.cautions:
        yield _item(f"{CAUTIONS[each.kind]}: {each.text}")
    for bill in version.pending:
        yield _item(f"bill pending: {bill.bill} {bill.effect}.")
    for source in version.sources:
        seen = f", as of {source.source_as_of}" if source.source_as_of else ""
        yield f"    {source.title}{seen}: {source.url}"


# -- changes ---------------------------------------------------------------------------------------
def changes_text(
    found: Sequence[Change], since: datetime.date, until: datetime.date, *, asked: bool = False
) -> str:
    """A paragraph for each change; with a person, first those that change the answer."""
    lines = [f"Changes from {since} to {until}: {len(found)}."]
    if asked:
        lines[0] += f" Of these, {sum(each.changes_answer for each in found)} change this person's answer."
    lines += [_change(each) for each in sorted(found, key=lambda one: not one.changes_answer)]
    lines.append("Not legal advice. Days of which only month or year is known count from their first day.")
    return "\n".join(lines)


def _change(change: Change) -> str:
    what = change.what.removesuffix(".")
    return _item(
        f"{change.on} {change.jurisdiction}, {change.rule}: {what}. [{change.citation}]{_moved(change)}"
    )


def _moved(change: Change) -> str:
    if change.before is None or change.after is None or not change.changes_answer:
        return ""
    words = [f"{STATUS[status]}, visit {PROCEDURAL[how]}" for status, how in (change.before, change.after)]
    return f" This person: from {words[0]} to {words[1]}."


# -- coverage and worked cases ---------------------------------------------------------------------
def coverage_text(entries: Sequence[Covered]) -> str:
    """A line for each jurisdiction, and what is unsettled below."""
    head = "code | name | status | rule now | from | sources to | checked | confidence | read / unverified"
    lines = as_text(table("", head, map(_coverage_row, entries)))
    unsettled = [_item(f"{each.code}: {text}") for each in entries for text in each.open]
    total = f"{len(entries)} jurisdictions, {sum(each.versions for each in entries)} rule versions."
    return "\n".join(
        [
            lines,
            "",
            "Unsettled:",
            *unsettled,
            "",
            f"{total} Not legal advice.",
            f"{upper_first(UNVERIFIED_MEANS)}.",
        ]
    )


def _coverage_row(entry: Covered) -> list[str]:
    return [
        entry.code,
        entry.name,
        said(entry.status),
        entry.current,
        entry.begins or "-",
        entry.current_as_of or "not stated",
        entry.verified,
        entry.confidence,
        f"{entry.read} / {entry.recalled}",
    ]


def coding_text(fields: Sequence[Agreement], rows: Sequence[Coded]) -> str:
    """A line for each field; what is open, and where the rules say otherwise, below."""
    head = "field | both found | alike | kappa | of all | kappa, unknown as a code | not settled"
    right = "both found|alike|kappa|of all|kappa, unknown as a code|not settled"
    lines = table("", head, map(_agreement_row, fields), right)
    unsettled = [
        f"{each.code} {each.field}: {' or '.join(each.pair)}"
        for each in rows
        if each.settled and each.agreed == "-"
    ]
    differs = [
        f"{each.code} {each.field}, coded {each.agreed}: {each.differs}" for each in rows if each.differs
    ]
    return "\n".join(
        [
            as_text(lines),
            "",
            f"Two readers coded {len({each.code for each in rows})} jurisdictions from sources without seeing each "
            f"other's codes ({max(each.read for each in rows)}).",
            *_listed("Not settled", unsettled),
            *_listed("The rules say otherwise than the readers agreed", differs),
        ]
    )


def _listed(heading: str, items: Sequence[str]) -> Iterator[str]:
    yield f"\n{heading} ({len(items)}):"
    yield from (_item(f"{each}.") for each in items)


def _agreement_row(one: Agreement) -> list[str]:
    kappas = ["-" if each is None else f"{each:.2f}" for each in (one.kappa, one.kappa_of_all)]
    return [one.field, str(one.both), str(one.alike), kappas[0], str(one.rows), kappas[1], str(one.open)]


def cases_text(file: Path, compared: Sequence[Compared]) -> str:
    """What differs, a line each, and how many agree."""
    lines = []
    for each in compared:
        wanted, got = each.case.expected, each.answer
        where = f"{file}:{each.line}  {each.case.id}"
        for name, expected, found in wanted.differing(got):
            lines.append(f"{where}  {name} is {found}, expected {expected} ({got.jurisdiction} {got.on})")
        if each.other_rule:
            lines.append(f"{where}  note: rule is {got.rule}, expected {wanted.rule}")
    agree = sum(each.agrees for each in compared)
    lines.append(f"{agree} of {len(compared)} cases agree in level and procedural status.")
    return "\n".join(lines)
