"""Studies, single entries and claims as text; a number quoted from memory has a mark, and each leads to its source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lissive.evidence.catalog import Numbered, StudyEntry, Whole, WholeReview, WholeStudy
from lissive.evidence.claim import Claim, Conflict
from lissive.evidence.comparison import Comparison, Given, Group
from lissive.evidence.unused import Unused
from lissive.report.table import as_text, table
from lissive.report.words import UNVERIFIED_NOTE, count, marked, paragraphs, span, wrapped

LIMITS = wrapped(
    "Mostly abstracts and single tables were read; nearly all trials of nabiximols were run by its maker, and "
    "whoever feels the drug knows the arm. Decision support, not a prescription."
)


def list_text(rows: Sequence[StudyEntry], asked: Mapping[str, str | None]) -> str:
    """A line for each study: id, people, design, product, what it has numbers of."""
    of = ", ".join(f"{name} {word}" for name, word in asked.items() if word)
    if not rows:
        return f"No study fits{f': {of}' if of else ''}."
    lines = [
        [
            row.id,
            "?" if row.people is None else f"{row.people:g}",
            row.cause or "?",
            row.design or "no control",
            row.product or "?",
            ", ".join(row.outcomes) or _none(row),
        ]
        for row in rows
    ]
    shown = table("", "study|people|cause|design|product|numbers of", lines, "people")
    head = f"{count(len(rows), 'study', 'studies')}{f' ({of})' if of else ''}."
    end = "Every number of one with its source: lissive evidence show ID."
    return paragraphs([head, as_text(shown, indent="  ", last=60), end])


def _none(row: StudyEntry) -> str:
    if row.not_compared:
        return f"- ({row.not_compared})"
    return f"- (not pooled: {', '.join(row.in_words)})" if row.in_words else "- (none that can be compared)"


def show_text(one: WholeStudy | WholeReview | Claim) -> str:
    """Everything on one study, review or claim."""
    if isinstance(one, Claim):
        why = wrapped(f"Why: {one.reasoning}", "  ")
        return paragraphs([claim_text(one), why, _conflicts(one.conflicts), _note(one)])
    entry = one.entry
    head = _study_head(one) if isinstance(one, WholeStudy) else _review_head(one)
    parts = [head, _conflicts(entry.conflicts)]
    parts += [_used(one.used), _left(one.left_out)] if isinstance(one, WholeStudy) else []
    parts += [_numbers(entry.numbers), _places(entry.numbers)]
    parts += [wrapped(f"Claims that rest on it: {', '.join(entry.claims)}.")] if entry.claims else []
    return paragraphs(parts)


def _study_head(one: WholeStudy) -> str:
    study = one.study
    n = "an unknown number of" if study.people is None else f"{study.people:g}"
    lines = [
        f"{n} people; {study.cause_as_said or 'cause not stated'}; {study.intervention} against "
        f"{one.comparator or 'nothing'}; {one.design_as_said or 'design not stated'}",
        f"Not compared: {study.not_compared}." if study.not_compared else "",
        f"The same people as {', '.join(one.same_people_as)}; they count once." if one.same_people_as else "",
    ]
    return _head(one.entry, study.label, "", lines)


def _review_head(one: WholeReview) -> str:
    lines = [" · ".join(str(value) for value in row.values() if value) for row in one.outcomes]
    return _head(one.entry, one.label, one.purpose, lines)


def _head(entry: Whole, label: str, purpose: str, lines: Iterable[str]) -> str:
    every = [
        f"{label}  ({entry.kind}, {entry.where})",
        entry.citation,
        f"doi:{entry.doi}" if entry.doi else "",
        purpose,
        f"REJECTED: {entry.rejected}." if entry.rejected else "",
        *lines,
        f"Note: {entry.note}" if entry.note else "",
    ]
    return "\n".join(wrapped(line, "  " if k else "") for k, line in enumerate(every) if line)


def _conflicts(rows: Sequence[Conflict]) -> str:
    lines = [
        wrapped(f"- {row.about}: {row.said}; but {row.against}. Kept: {row.kept}.", "  ") for row in rows
    ]
    return "\n".join(["Sources in conflict:", *lines]) if lines else ""


def _used(rows: Sequence[Comparison]) -> str:
    if not rows:
        return "Nothing of it can be pooled."
    return "\n".join(["What is used:", *map(_used_line, rows)])


def _used_line(row: Comparison) -> str:
    parts = [] if row.given is None else [_given(row.given)]
    if row.active is not None and row.control is not None:
        parts.append(f"{_group(row.active)} against {_group(row.control)}")
    note = f" ({row.note})" if row.note else ""
    return wrapped(f"- {row.outcome}: {marked('; '.join(parts), _recalled(row.provenance))}{note}", "  ")


def _recalled(provenance: str) -> str:
    """The provenance where it has a mark here: what was calculated says so in its note."""
    return provenance if provenance == "recalled" else ""


def _given(given: Given) -> str:
    ends = "" if given.se is None else f" (SE {given.se:.3g})"
    if given.low is not None and given.high is not None:
        ends = f" ({span(_short(given.low), _short(given.high))})"
    return f"{given.measure} {_short(given.estimate)}{ends}"


def _group(group: Group) -> str:
    n = "?" if group.n is None else f"{group.n:g}"
    if group.events is not None:
        return f"{group.events:g} of {n} ({group.arm})"
    sd = "" if group.sd is None else f" ± {_short(group.sd)}"
    return f"{_short(group.mean)}{sd}, n {n} ({group.arm})"


def _left(rows: Sequence[Unused]) -> str:
    lines = []
    for row in rows:
        quoted = any(each.value == row.text for each in row.cited)
        text = f'"{row.text}"' if quoted else row.text
        lines.append(wrapped(f"- {row.key}: {row.reason}{f': {text}' if text else ''}", "  "))
    return "\n".join(["What is not pooled, and why:", *lines]) if lines else ""


def _numbers(numbers: Sequence[Numbered]) -> str:
    """Each figure with its provenance, a number for its source, and the place in it."""
    if not numbers:
        return "None of its figures says where it is from."
    urls = _urls(numbers)
    rows = [
        [
            each.cited.what,
            value_text(each.cited.value),
            "RECALLED" if each.cited.provenance == "recalled" else each.cited.provenance,
            f"[{urls.index(each.cited.url) + 1}]" if each.cited.url else "",
            "; ".join(text for text in (each.cited.pointer, each.cited.note) if text),
        ]
        for each in numbers
    ]
    shown = table("", "figure|value|how|source|where in it", rows)
    return "\n".join(["Every figure:", as_text(shown, indent="  ", last=40)])


def _places(numbers: Sequence[Numbered]) -> str:
    return "\n".join(f"  [{k}] {url}" for k, url in enumerate(_urls(numbers), start=1))


def _urls(numbers: Iterable[Numbered]) -> list[str]:
    return list(dict.fromkeys(each.cited.url for each in numbers if each.cited.url))


def claim_text(one: Claim) -> str:
    """One claim: verdict, certainty, the numbers that decide with their sources, what would change it."""
    lines = [
        wrapped(f"{one.claim}  [{one.id}]"),
        wrapped(f"{one.verdict_label.upper()}. {one.answer}", "  "),
        wrapped(f"Certainty: {one.certainty_label} (our own judgement, in the manner of GRADE).", "  "),
    ]
    for each in (number.cited for number in one.numbers):
        value = marked(value_text(each.value), _recalled(each.provenance))
        lines.append(wrapped(f"- {each.what}: {value}", "  "))
        lines.append(f"    {each.url} ({each.pointer})" if each.url else f"    {each.pointer}")
    lines.append(wrapped(f"What would change this: {one.would_change}", "  "))
    return "\n".join(lines)


def _note(*claims: Claim) -> str:
    """What the mark stands for, where a number of a claim has it."""
    numbers = (number for claim in claims for number in claim.numbers)
    return f"{UNVERIFIED_NOTE}." if any(each.provenance == "recalled" for each in numbers) else ""


def claims_text(near: Sequence[Claim], every: Sequence[Claim], about: str | None) -> str:
    """Claims that are near what was asked; where none is, that, and a line for each."""
    if about is not None and near:
        return paragraphs([*(claim_text(one) for one in near), _note(*near), LIMITS])
    if about is not None:
        head = f"No claim here is near {about!r}. That does not say whether it is true. The claims are:"
    else:
        head = "Popular claims and what trials say. One in full: lissive evidence show ID, or claims --about TEXT."
    return paragraphs([wrapped(head), "\n".join(map(_line, every)), LIMITS])


def _line(one: Claim) -> str:
    text = f"{one.id}: {one.claim} {one.verdict_label.upper()} (certainty {one.certainty_label})."
    return wrapped(f"- {text}")


def value_text(value: object) -> str:
    """A figure as it is printed: 2.51, -0.91 to -0.18 stays a list of two."""
    if value is None:
        return "unknown"
    if isinstance(value, list | tuple):
        return ", ".join(_short(each) for each in value)
    return _short(value)


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
