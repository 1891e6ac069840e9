"""The report of a case as one page: first a page for the clinician, then the whole answer with its sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from lissive.access.cases import why_not
from lissive.case import Case
from lissive.case_answer import INTENDED_USE, CaseAnswer
from lissive.evidence.answer_types import StudyRow
from lissive.evidence.case_answer import CaseEvidence, CaseFigure
from lissive.evidence.claim import JUDGED
from lissive.evidence.words import outcomes
from lissive.forecast import ForecastAnswer
from lissive.handout.pictures import Picture, clinician_picture, main_outcome, pictures_of
from lissive.report.access_text import STATUS, caution_text, federal_lines, procedural_text, product_lines
from lissive.report.case_evidence import trials_lines
from lissive.report.case_parts import (
    LIMITS,
    NOT_CALIBRATED,
    flag_counts,
    forecast_lines,
    forecast_table,
    found_lines,
    open_lines,
    plan_line,
    weekly_table,
    who,
)
from lissive.report.case_text import parts_of
from lissive.report.effect_words import (
    DESIGN_NAMES,
    finding,
    number,
    participants,
    pooled_words,
    row_words,
    said_too_words,
)
from lissive.report.figures import RATED, SIDE_EFFECTS, visible
from lissive.report.table import Table, page, table
from lissive.report.words import MARKS, UNVERIFIED, UNVERIFIED_NOTE, count, span, upper_first
from lissive.safety import SEVERITIES
from lissive.usage import page_for

HERE = Path(__file__).parent
_HEADS = {
    "ACCESS": ("Access", "access"),
    "SAFETY": ("Safety", "safety"),
    "TRIALS": ("What trials found", "evidence"),
    "THIS PERSON": ("This person", "forecast"),
    "USUAL CARE": ("Usual care", "care"),
    "NEXT": ("Next", "care"),
    "NOT KNOWN": ("Not known", "evidence"),
}
"""Label of the short answer → its heading, and where the whole of it stands."""


@dataclass(frozen=True)
class Brief:
    """One part of the clinician's page."""

    head: str
    whole: str
    items: tuple[str, ...]


def report_page(answer: CaseAnswer, content: dict[str, Any] | None = None) -> str:
    """The page's text; from its content where that was made already."""
    said = report_content(answer) if content is None else content
    made = page("report.html.j2", "report.css", said, folder=HERE, bold=bold_head, linked=linked)
    return page_for(answer.case.place.residence, made)


def report_content(answer: CaseAnswer) -> dict[str, Any]:
    """What the page says, without its look."""
    case, forecast = answer.case, answer.forecast
    parts = {part.label: part.items for part in parts_of(answer, whole=True)}
    parts["TRIALS"] = list(trials_lines(answer, spelt=True))
    made = isinstance(forecast, ForecastAnswer) and forecast.failed < forecast.subjects
    return {
        "answer": answer,
        "case": case,
        "person": upper_first(who(case, brief=True).partition(": ")[2]) or "Person not described",
        "plan": upper_first(plan_line(case, may_dose=answer.gates.may_dose)),
        "bottom_line": answer.bottom_line,
        "briefs": {label: Brief(*_HEADS[label], tuple(parts[label])) for label in _HEADS},
        "picture": clinician_picture(answer),
        "unverified": any(UNVERIFIED in item for items in parts.values() for item in items),
        "unverified_note": UNVERIFIED_NOTE,
        "limits": LIMITS,
        "intended_use": INTENDED_USE,
        "access": _access(answer),
        "safety_head": _safety_head(answer),
        "severities": SEVERITIES,
        "topics": list(_topics(answer.evidence)),
        "judged": JUDGED,
        "forecast": _forecast(answer, forecast) if made and isinstance(forecast, ForecastAnswer) else None,
        "facts": _facts(case),
        "unknown": case.unknown(),
        "provenance": table("What made this answer", "name|value", _made_by(answer.provenance)),
    }


# -- filters ---------------------------------------------------------------------------------------
def bold_head(text: str) -> Markup:
    """What stands before the first colon in bold, so that a list can be looked through.

    >>> bold_head("Dizziness: 32 of 100 <b>")
    Markup('<b>Dizziness:</b> 32 of 100 &lt;b&gt;')
    """
    head, colon, rest = text.partition(": ")
    return (
        Markup("<b>{}:</b> {}").format(head, rest)
        if colon and len(head) < 60 and ";" not in head
        else escape(text)
    )


def linked(text: str) -> Markup:
    """A text with its addresses as links.

    >>> linked("Source: a. https://a.org/b.")
    Markup('Source: a. <a href="https://a.org/b">https://a.org/b</a>.')
    """
    words = []
    for word in text.split(" "):
        address = word.rstrip(".,;)")
        is_address = address.startswith(("http://", "https://"))
        link = Markup('<a href="{0}">{0}</a>{1}').format(address, word[len(address) :])
        words.append(link if is_address else escape(word))
    return Markup(" ").join(words)


# -- parts of the whole answer ---------------------------------------------------------------------
def _access(answer: CaseAnswer) -> Mapping[str, Any]:
    """Status in a sentence, then lists of lines under their headings."""
    found = answer.access
    if found is None:
        return {
            "status": f"Not answered, because {why_not(answer.case)}.",
            "lists": [],
            "fired": (),
            "foot": "",
        }
    missing = (
        f"{upper_first(each.asks)}: if so, {STATUS[each.would_change_to]}; if not, {STATUS[each.if_not]}."
        for each in found.missing
    )
    lists: list[tuple[str, Sequence[str]]] = [
        ("What is not known", list(missing)),
        ("The product", list(product_lines(found.product))),
        ("Other routes", [each.text for each in found.alternatives]),
        ("Requirements of the visit", found.requirements),
        ("Next steps", found.next_steps),
        ("Days that follow", [f"{each.on.isoformat()}: {each.what}." for each in found.dates]),
        ("Federal law on that day", list(federal_lines(found.federal, found.product.asked))),
        ("Cautions", [caution_text(each) for each in found.cautions]),
    ]
    checked = f" Rule last checked {found.checked.isoformat()}." if found.checked else ""
    sources = f" Sources read to {found.sources_to}." if found.sources_to else " No source is dated."
    return {
        "status": f"{found.name} on {found.on.isoformat()}: {STATUS[found.status]}. Visit and practitioner "
        f"requirements: {procedural_text(found)}.",
        "lists": [(head, lines) for head, lines in lists if lines],
        "fired": found.fired,
        "foot": f"Holds for {found.on.isoformat()}.{checked}{sources} Confidence: {found.confidence}. {found.notice}",
    }


def _safety_head(answer: CaseAnswer) -> str:
    safety = answer.safety
    if not safety.flags:
        return "No flag from what the case states; that does not show that the plan is safe."
    return f"{flag_counts(safety)}."


def _topics(found: CaseEvidence) -> Iterator[tuple[str, list[Pooled], Table | None]]:
    """Each topic with its pooled outcomes, and what single trials report."""
    labels, known = {each.study.id: each.study.label for each in found.studies}, outcomes()
    for topic in found.topics:
        figures = [_pooled(row) for row in found.pooled if row.topic == topic]
        said = [row for row in found.in_words if row.topic == topic]
        in_words = [
            (
                labels.get(row.unused.study, row.unused.study),
                row.product_label,
                known[row.unused.outcome].label if row.unused.outcome in known else "",
                row.text,
                _first_link(row.unused.cited),
            )
            for row in said
        ]
        if figures or said:
            rows = table("Reported and not pooled", "trial|product|outcome|what is reported|source", in_words)
            yield upper_first(topic), figures, rows if said else None


@dataclass(frozen=True)
class Pooled:
    """One pooled outcome, by design, with its studies."""

    head: str
    by_design: Table
    said_too: list[str]
    studies: Table


def _pooled(row: CaseFigure) -> Pooled:
    answer = row.answer
    unit = f" [{answer.outcome.unit}]" if answer.measure == "MD" else ""
    other = "Other products only. " if row.of_all_products else ""
    mark = UNVERIFIED if answer.unverified else ""
    what = f"{upper_first(answer.outcome.label)}, {answer.measure_label}{unit}{mark}"
    head = f"{what}. {other}{upper_first(', '.join(row.products))}"
    drug = "that product" if row.of_all_products else "the drug"
    designs = [
        (
            upper_first(DESIGN_NAMES.get(each.design, each.design)),
            str(each.pooled.k),
            participants(each.pooled) if each.pooled.n_stated_by else "not stated",
            pooled_words(each.pooled),
            finding(each, answer.outcome, drug),
            "" if each.absolute is None else each.absolute.words(),
            "" if each.certainty is None else str(each.certainty),
        )
        for each in answer.by_design
    ]
    columns = "design|trials|size|estimate (95 % CI)|finding|number needed to treat|certainty by rule"
    studies = [_study(each) for each in answer.studies]
    return Pooled(
        head,
        table("Pooled by design; designs answer different questions", columns, designs, "trials"),
        said_too_words(answer),
        table(
            "Studies, and where each number comes from",
            "study|participants|effect (95 % CI)|numbers",
            studies,
        ),
    )


def _study(row: StudyRow) -> tuple[str, ...]:
    low, high = (number(end, row.effect.measure) for end in row.ci)
    n = "" if row.effect.n is None else f"{row.effect.n:g}"
    shown = f"{number(row.effect.estimate, row.effect.measure)} ({span(low, high)})"
    return row.effect.label, n, shown, _numbers(row)


def _numbers(row: StudyRow) -> Markup:
    """Each number that was used, with the address at which it was read, or that it was not."""
    items = []
    for each in row.comparison.cited:
        text = f"{each.what}: {each.value}{MARKS.get(each.provenance, '')}"
        link = each.url.startswith(("http://", "https://"))
        items.append(
            Markup('{} (<a href="{}">{}</a>)').format(text, each.url, each.pointer or "source")
            if link
            else escape(f"{text} ({each.pointer})" if each.pointer else text)
        )
    return Markup("; ").join(items) or escape(row_words(row))


def _first_link(cited: Sequence[Any]) -> str | Markup:
    urls = [each.url for each in cited if each.url.startswith(("http://", "https://"))]
    unread = UNVERIFIED if any(each.provenance == "recalled" for each in cited) else ""
    return Markup('<a href="{}">source</a>').format(urls[0]) if urls else unread


@dataclass(frozen=True)
class Forecasts:
    """The forecast whole."""

    head: str
    warning: str
    pictures: tuple[Picture, ...]
    lines: tuple[str, ...]
    tables: tuple[Table, ...]
    trials: tuple[str, ...]
    notes: tuple[str, ...]


def _forecast(answer: CaseAnswer, forecast: ForecastAnswer) -> Forecasts:
    main = main_outcome(answer)
    rest = [
        forecast.outcomes[name].label
        for name in visible(forecast, (*RATED, *SIDE_EFFECTS))
        if name not in answer.gates.numbers and main is not None
    ]
    return Forecasts(
        f"{count(forecast.subjects, 'virtual patient')} with this person's starting values, each simulated with the "
        "drug and with placebo; age and sex change nothing.",
        "" if forecast.calibrated == "trials" else NOT_CALIBRATED,
        tuple(pictures_of(answer, forecast)),
        tuple(forecast_lines(forecast)),
        (forecast_table(forecast), weekly_table(forecast)),
        tuple(found_lines(forecast, answer.case.plan.product or "")),
        (
            *([f"Not calibrated, in the tables too: {', '.join(rest)}."] if rest else []),
            *open_lines(forecast),
        ),
    )


def _facts(case: Case) -> Table:
    """The case as it was stated."""
    rows = [(name, text) for name, text in _flat(case.model_dump(mode="json", exclude_none=True))]
    return table("Facts of the case", "field|value", rows)


def _made_by(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What made the answer; `case.medicines` holds only those that the model simulates, and says so."""
    named = {"case.medicines": "case.medicines, of those in the model's interaction table"}
    return [(named.get(name, name), text) for name, text in _flat(provenance)]


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Nested data as dotted names and texts."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        flat = [
            ", ".join(text for _, text in _flat(each)) if isinstance(each, Mapping) else str(each)
            for each in value
        ]
        yield name, "; ".join(flat) or "none"
    else:
        yield (
            name,
            {True: "yes", False: "no", None: "-"}.get(value, str(value))
            if isinstance(value, bool | None)
            else str(value),
        )
