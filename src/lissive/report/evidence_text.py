"""Studies, single entries and claims as text; unverified numbers have a mark, and every number its source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from lissive.evidence.answer_types import PooledAnswer
from lissive.evidence.article import Registered
from lissive.evidence.catalog import Numbered, Record, ReviewRecord, StudyEntry, StudyRecord
from lissive.evidence.claim import JUDGED, Claim, Conflict
from lissive.evidence.claim_match import Match, nearest
from lissive.evidence.claim_reading import read_as
from lissive.evidence.claim_voice import VOICES, voice
from lissive.evidence.comparison import Comparison, Given, Group, Unused
from lissive.evidence.reviews import Reproduced, participants_of
from lissive.report.effect_words import DESIGN_NAMES, interval, number, paid_by, studies, title
from lissive.report.table import as_text, table
from lissive.report.words import (
    UNVERIFIED,
    UNVERIFIED_NOTE,
    count,
    marked,
    paragraphs,
    span,
    upper_first,
    wrapped,
)

LIMITS = wrapped(
    "Mostly abstracts and single tables were read; companies that make or sell nabiximols sponsored most of its "
    "trials; "
    "psychoactive effects may unblind participants. Decision support, not a prescription."
)


def list_text(rows: Sequence[StudyEntry], asked: Mapping[str, str | None]) -> str:
    """One line for each study: id, participants, design, product, outcomes with an estimate."""
    of = ", ".join(f"{name} {word}" for name, word in asked.items() if word)
    if not rows:
        return f"No matching study{f' ({of})' if of else ''}."
    lines = [
        [
            row.id,
            "?" if row.people is None else f"{row.people:g}",
            row.cause or "?",
            row.design or "uncontrolled",
            row.product or "?",
            ", ".join(row.outcomes) or _none(row),
        ]
        for row in rows
    ]
    shown = table("", "study|n|cause|design|product|outcomes with an estimate", lines, "n")
    head = f"{count(len(rows), 'study', 'studies')}{f' ({of})' if of else ''}."
    end = "Every number of a study with its source: lissive evidence show ID."
    return paragraphs([head, as_text(shown, indent="  ", last=60), end])


def _none(row: StudyEntry) -> str:
    if row.not_compared:
        return f"- ({row.not_compared})"
    return f"- (not pooled: {', '.join(row.in_words)})" if row.in_words else "- (no extractable estimate)"


def show_text(one: StudyRecord | ReviewRecord | Claim, pooled: Sequence[PooledAnswer] = ()) -> str:
    """Everything on one study, review or claim; `pooled` is what can be pooled of the claim."""
    if isinstance(one, Claim):
        why = wrapped(f"Why: {one.reasoning}", "  ")
        return paragraphs([claim_text(one), why, _by_rule(pooled), _conflicts(one.conflicts), _note(one)])
    entry = one.entry
    head = _study_head(one) if isinstance(one, StudyRecord) else _review_head(one)
    parts = [head, _conflicts(entry.conflicts)]
    parts += [_used(one.used), _left(one.left_out)] if isinstance(one, StudyRecord) else []
    parts += [
        _numbers(entry.numbers),
        _places(entry.numbers),
        _unverified(each.cited.provenance for each in entry.numbers),
    ]
    parts += [wrapped(f"Claims based on it: {', '.join(entry.claims)}.")] if entry.claims else []
    return paragraphs(parts)


def _by_rule(pooled: Sequence[PooledAnswer]) -> str:
    """Certainty of what can be pooled here, with the reasons that lowered it."""
    lines = []
    for answer in pooled:
        for each in answer.by_design:
            if each.certainty is not None:
                down = ", ".join(reason.domain for reason in each.certainty.reasons if reason.levels)
                of = f"{title(answer)}, {DESIGN_NAMES[each.design]}, {studies(len(each.studies))}"
                lines.append(wrapped(f"- {of}: {each.certainty}{f' ({down})' if down else ''}", "  "))
    head = (
        "Certainty by rule of what can be pooled here, with what lowered it (in full: lissive evidence pool):"
    )
    return "\n".join([wrapped(head), *lines]) if lines else ""


_CONTROL = {True: "control, not stated", False: "no control"}


def _study_head(one: StudyRecord) -> str:
    study = one.study
    n = "n not reported" if study.people is None else count(round(study.people), "participant")
    lines = [
        f"{n}; {study.cause_as_said or 'cause not stated'}; {study.intervention or 'treatment not stated'} versus "
        f"{one.comparator or _CONTROL[study.is_controlled]}; {one.design_as_said or 'design not stated'}",
        f"Not pooled: {study.not_compared}." if study.not_compared else "",
        f"Sponsor or funder: {paid_by(study.funding)}.",
        f"Risk of bias: {one.risk_of_bias}.",
        f"Same participants as {', '.join(one.same_people_as)}, counted once." if one.same_people_as else "",
    ]
    return _head(one.entry, study.label, "", lines)


def _review_head(one: ReviewRecord) -> str:
    lines = [" · ".join(str(value) for value in row.values() if value) for row in one.outcomes]
    return _head(one.entry, one.label, one.purpose, lines)


def _head(entry: Record, label: str, purpose: str, lines: Iterable[str]) -> str:
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
    return "\n".join(["Conflicting sources:", *lines]) if lines else ""


def _used(rows: Sequence[Comparison]) -> str:
    if not rows:
        return "No comparison can be pooled."
    return "\n".join(["Pooled:", *map(_used_line, rows)])


def _used_line(row: Comparison) -> str:
    parts = [] if row.given is None else [_given(row.given)]
    if row.active is not None and row.control is not None:
        parts.append(f"{_group(row.active)} versus {_group(row.control)}")
    note = f" ({row.note})" if row.note else ""
    return wrapped(f"- {row.outcome}: {marked('; '.join(parts), _recalled(row.provenance))}{note}", "  ")


def _recalled(provenance: str) -> str:
    """The provenance where it has a mark here; a calculated number has its formula in the note."""
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
    sd = "" if group.sd is None else f" (SD {_short(group.sd)})"
    return f"{f'{_short(group.mean)}{sd}, ' if group.mean is not None else ''}n {n} ({group.arm})"


def _left(rows: Sequence[Unused]) -> str:
    lines = []
    for row in rows:
        quoted = any(each.value == row.text for each in row.cited)
        text = f'"{row.text}"' if quoted else row.text
        lines.append(
            wrapped(
                f"- {marked(row.key, _recalled(row.provenance))}: {row.reason}{f': {text}' if text else ''}",
                "  ",
            )
        )
    return "\n".join(["Not pooled, with the reason:", *lines]) if lines else ""


def _numbers(numbers: Sequence[Numbered]) -> str:
    """Each figure with its provenance, a number for its source, and the place in it."""
    if not numbers:
        return "None of its numbers has a source."
    urls = _urls(numbers)
    rows = [
        [
            each.cited.what,
            value_text(each.cited.value),
            f"unverified{UNVERIFIED}" if each.cited.provenance == "recalled" else each.cited.provenance,
            f"[{urls.index(each.cited.url) + 1}]" if each.cited.url else "",
            "; ".join(text for text in (each.cited.pointer, each.cited.note) if text),
        ]
        for each in numbers
    ]
    shown = table("", "number|value|provenance|source|place in the source", rows)
    return "\n".join(["All numbers:", as_text(shown, indent="  ", last=40)])


def _places(numbers: Sequence[Numbered]) -> str:
    return "\n".join(f"  [{k}] {url}" for k, url in enumerate(_urls(numbers), start=1))


def _urls(numbers: Iterable[Numbered]) -> list[str]:
    return list(dict.fromkeys(each.cited.url for each in numbers if each.cited.url))


def claim_text(one: Claim) -> str:
    """One claim: verdict, certainty, key numbers with their sources, what would change the verdict."""
    lines = [
        wrapped(f"{one.claim}  [{one.id}]"),
        wrapped(f"{one.verdict_label.upper()}. {one.answer}", "  "),
        wrapped(f"Certainty: {one.certainty_words} ({JUDGED}). {one.certainty_reason}".rstrip(), "  "),
    ]
    for each in (stated.cited for stated in one.numbers):
        value = marked(value_text(each.value), _recalled(each.provenance))
        lines.append(wrapped(f"- {each.what}: {value}", "  "))
        lines.append(f"    {each.url} ({each.pointer})" if each.url else f"    {each.pointer}")
    lines.append(wrapped(f"What would change the verdict: {one.would_change}", "  "))
    return "\n".join(lines)


def _note(*claims: Claim) -> str:
    """What the mark means, where a number of a claim has it."""
    return _unverified(number.provenance for claim in claims for number in claim.numbers)


def _unverified(provenances: Iterable[str]) -> str:
    return f"{UNVERIFIED_NOTE}." if "recalled" in provenances else ""


NEAREST = {
    False: "Nearest claim",
    True: "Nearest claim, of which the text seems to say the opposite",
}


_VERDICT_ON = {
    (False, False): "Verdict",
    (False, True): "Verdict on what you asked (the claim as worded has another)",
    (True, False): "Verdict on the claim as worded here, not on your text",
    (True, True): "Verdict on the claim for what you asked, not on your text",
}
"""By whether the text says the opposite, and whether the verdict is less than the claim's own."""


def about_text(near: Sequence[Match], about: str) -> str:
    """What was asked, the nearest claim and its verdict; that no claim fits, where none does."""
    read = "; ".join(f"“{said}” read as “{meant}”" for said, meant in read_as(about).corrected)
    asked = "\n".join(map(wrapped, [f"You asked: {about}", f"Spelling: {read}."][: 1 + bool(read)]))
    if not near:
        none = "No claim fits. That does not tell whether it is true. Every claim: lissive evidence claims."
        other = nearest(about)
        beside = "" if other is None else f"Nearest in wording, and no answer: {other.claim} [{other.id}]"
        return paragraphs([asked, wrapped(none), wrapped(beside), LIMITS])
    first = near[0]
    lines = [
        asked,
        wrapped(f"{NEAREST[first.opposed]}: {first.claim.claim}  [{first.claim.id}]"),
        wrapped(f"{_VERDICT_ON[first.opposed, first.is_less]}: {first.claim.verdict_label.upper()}"),
    ]
    lines += [VOICES[said]] if (said := voice(about)) else []
    claims = [each.claim for each in near]
    return paragraphs(["\n".join(lines), *map(claim_text, claims), _note(*claims), LIMITS])


def claims_text(every: Sequence[Claim]) -> str:
    """One line for each claim."""
    head = "Popular claims checked against trials. In full: lissive evidence show ID, or claims --about TEXT."
    return paragraphs([wrapped(head), "\n".join(map(_line, every)), LIMITS])


def _line(one: Claim) -> str:
    text = f"{one.id}: {one.claim} {one.verdict_label.upper()} (certainty {one.certainty_words})."
    return wrapped(f"- {text} {one.certainty_reason}".rstrip())


def value_text(value: object) -> str:
    """A value as printed: 2.51; an interval stays a list of two."""
    if value is None:
        return "unknown"
    if isinstance(value, list | tuple):
        return ", ".join(_short(each) for each in value)
    return _short(value)


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


# -- published beside computed ----------------------------------------------------------------------
_VERDICT = {True: "yes", False: "NO", None: "-"}


def reproduced_text(found: Sequence[Reproduced]) -> str:
    """The answer of `lissive evidence reproduce`, as text."""
    missing = [each for each in found if each.status == "rows missing"]
    shown = [each for each in found if each not in missing]
    rows = [
        [
            each.id,
            _published(each),
            _computed(each),
            ", ".join(each.compared) or "-",
            f"{_VERDICT[each.ok]}  {marked(each.status, each.provenance)}",
        ]
        for each in shown
    ]
    counts = Counter(each.status for each in found)
    return paragraphs(
        [
            wrapped(
                "Published pooled results, recomputed from their rows. For each analysis of CD012182: the largest "
                "difference over its studies' effects and limits."
            ),
            as_text(table("", "|published|recomputed|compared|", rows)),
            "\n".join(wrapped(f"- {each.id}: {each.note}") for each in shown if each.note),
            _missing(missing),
            f"{'; '.join(f'{n} {word}' for word, n in counts.items())}. {UNVERIFIED_NOTE}.",
        ]
    )


def _published(each: Reproduced) -> str:
    printed = each.published
    if printed.estimate is None:
        return studies(len(each.checks))
    return _result(printed.measure or "", printed.estimate, printed.ci, printed.n, printed.i2)


def _computed(each: Reproduced) -> str:
    if each.checks:
        return f"largest difference {each.largest_difference:.1g}"
    found = each.computed
    if found is None:
        return "-"
    return _result(found.measure, found.estimate, found.ci, participants_of(found), found.i2)


def _result(
    measure: str, estimate: float, ci: tuple[float, float] | None, n: float | None, i2: float | None
) -> str:
    size = "" if n is None else f", n {n:g}"
    ends = "" if ci is None else f" ({interval(ci)})"
    differ = "" if i2 is None else f", I² {i2:.1f} %"
    return f"{measure} {number(estimate)}{ends}{size}{differ}".strip()


def _missing(rows: Sequence[Reproduced]) -> str:
    if not rows:
        return ""
    names = "; ".join(each.id.split("/", 1)[1] for each in rows)
    return wrapped(f"Not recomputed, as not all of their rows are available: {names}. {rows[0].note}")


# -- trials under way --------------------------------------------------------------------------------
TRIAL_STATUS = {
    "recruiting": "recruiting",
    "not_yet_recruiting": "not yet recruiting",
    "by_invitation": "by invitation",
    "active_not_recruiting": "active, not recruiting",
    "completed": "completed",
    "terminated": "terminated",
    "withdrawn": "withdrawn",
    "unknown": "status unknown",
}
TRIAL_RESULTS = {
    "none_found": "no results found",
    "reported": "results reported",
    "unknown": "results: not known",
}


def under_way_text(found: Sequence[Registered], *, every: bool) -> str:
    """The open ones first; each with its status on the day that its page gives, and where that was read."""
    if not found:
        return "No such trial was found. That says how far the search went, not that there is none."
    still = sum(each.is_open for each in found)
    ended = f", {len(found) - still} that ended or of which that is not known" if every else ""
    until = max(each.read for each in found)
    return paragraphs(
        [
            wrapped(f"{count(still, 'trial')} under way{ended}, as pages read on {until} have it."),
            *map(_under_way, found),
            wrapped(
                "Copies of public registers were read, not the registers themselves; a status may have changed "
                "since the day that its page gives. Results of a trial count only where the studies list them."
            ),
        ]
    )


def _under_way(trial: Registered) -> str:
    day = f" on {trial.stated}" if trial.stated else ", day not given"
    end = "" if trial.end in ("", "unknown") else f"; end: {trial.end}"
    known = [part for part in (trial.product, trial.comparator) if part != "unknown"]
    said = [trial.about, " against ".join(known) or "product unknown", trial.design]
    lines = [
        wrapped(
            f"{trial.id}  {trial.name}: {TRIAL_STATUS[trial.status]}{day}; {TRIAL_RESULTS[trial.results]}",
            hanging="  ",
        ),
        wrapped(f"{'. '.join(map(upper_first, said))}. n: {trial.n}{end}.", "  "),
        wrapped(f"Outcome: {trial.outcome}.", "  "),
    ]
    bare = ("", "unknown", "none posted", "none found")
    notes = [upper_first(part) for part in (trial.results_note, trial.note) if part not in bare]
    return "\n".join([*lines, *(wrapped(f"{part}.", "  ") for part in notes), f"  {trial.source_url[0]}"])
