"""All studies as one self-contained page: table, forest plots, claims.

Without JavaScript it is a plain page with plain tables; with it the table of studies can be sorted and filtered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from markupsafe import Markup

from lissive.evidence.answer import answer_of
from lissive.evidence.answer_types import LeftOut, PooledAnswer, Result, StudyRow
from lissive.evidence.article import Answered
from lissive.evidence.claim import shipped_claims
from lissive.evidence.comparing import every
from lissive.evidence.comparison import NOT_ASSESSED, about
from lissive.evidence.read import Cited, Located, Studies
from lissive.evidence.result import searched
from lissive.evidence.words import causes, products
from lissive.evidence.words import table as evidence_table
from lissive.files import write_text
from lissive.report.article_text import lines_of, summary
from lissive.report.effect_words import (
    DESIGN_NAMES,
    absolute_words,
    certainty_words,
    finding,
    left_out_words,
    number,
    paid_by,
    participants,
    pooled_words,
    row_words,
    spread,
    studies,
    title,
)
from lissive.report.evidence_text import LIMITS, value_text
from lissive.report.figures import inline_svg
from lissive.report.forest import alt_text, brief_caption, forest_figure, lines
from lissive.report.table import Table, page, table
from lissive.report.words import MARKS, marked, span, upper_first

HERE = Path(__file__).parent
_NAMED = re.compile(r" \((?:[a-z0-9]+_)+[a-z0-9]+\)")
DRAWN_FROM = 2
"""Outcomes with at least so many comparisons of one cause have a forest plot."""


@dataclass(frozen=True)
class Forest:
    """One forest plot of the page, with its words and the table behind it."""

    id: str
    title: str
    alt_text: str
    lines: tuple[str, ...]
    picture: Markup
    caption: str
    table: Table
    left_out: tuple[tuple[str, str], ...]


def write_page(path: Path, base: Studies) -> Path:
    """The page, written whole or not at all. The same studies give the same bytes."""
    return write_text(path, evidence_page(base))


def evidence_page(base: Studies) -> str:
    """The page's text."""
    answers = list(pooled_answers(base))
    rows = study_rows(answers, base)
    content = {
        "matrix": matrix(answers, base),
        "script": Markup((HERE / "evidence.js").read_text(encoding="utf-8").strip()),
        "searched": searched(base),
        "trials": len(base.trials),
        "pooled": len({id for answer in answers for id in answer.study_ids}),
        "forests": [
            forest_of(answer, answer.overall)
            for answer in answers
            if answer.overall is not None and answer.k >= DRAWN_FROM
        ],
        "rows": rows,
        "causes": sorted({row.cause for row in rows if row.cause}),
        "outcomes": sorted({row.outcome for row in rows}),
        "designs": sorted({row.design for row in rows if row.design}),
        "claims": shipped_claims(),
    }
    return page("evidence.html.j2", "evidence.css", content, value=value_text)


def pooled_answers(base: Studies) -> Iterator[PooledAnswer]:
    """One answer for each cause and outcome that some study compares: causes by studies, outcomes as in their table."""
    made = [each for each in every(base)[0] if each.cause]
    by_cause = Counter(each.cause for each in made)
    place = {word: k for k, word in enumerate(base.outcomes)}
    asked = {(each.cause, each.outcome) for each in made}
    for cause, outcome in sorted(asked, key=lambda key: (-by_cause[key[0]], key[0], place[key[1]])):
        yield answer_of(base, outcome, cause=cause)


# -- causes by complaints -----------------------------------------------------------------------------
@dataclass(frozen=True)
class Cell:
    """What trials of one cause found of one complaint, and where on the page it stands ("" for nowhere)."""

    text: str
    link: str = ""


def matrix(
    answers: Sequence[PooledAnswer], base: Studies
) -> tuple[tuple[str, ...], list[tuple[str, list[Cell]]]]:
    """The complaints of case_outcomes.tsv, and for each cause its cells; causes in the order of the answers."""
    topic_of = {row["outcome"]: row["topic"] for row in evidence_table("case_outcomes")}
    pooled: dict[tuple[str, str], list[PooledAnswer]] = {}
    for one in answers:
        if one.k and one.outcome.word in topic_of:
            pooled.setdefault((one.cause or "", topic_of[one.outcome.word]), []).append(one)
    said: dict[tuple[str, str], set[str]] = {}
    by_id = {each.id: about(each).cause for each in base}
    for each in every(base)[1]:
        if each.text and each.outcome in topic_of and each.study in by_id:
            said.setdefault((by_id[each.study], topic_of[each.outcome]), set()).add(each.study)
    seen = [cause for cause in dict.fromkeys(cause for cause, _ in (*pooled, *said)) if cause]
    topics = tuple(dict.fromkeys(topic_of.values()))
    return topics, [
        (
            causes().get(cause, cause),
            [_cell(pooled.get((cause, each), ()), said.get((cause, each), ())) for each in topics],
        )
        for cause in seen
    ]


def _cell(measures: Sequence[PooledAnswer], in_words: Collection[str]) -> Cell:
    """Whether the measures of a complaint agree, and what they find."""
    if not measures:
        return Cell(
            f"{studies(len(in_words))}, not pooled" if in_words else "no result",
            "studies" if in_words else "",
        )
    usual = [(one, each) for one in measures if (each := _of_new_patients(one)) is not None]
    shown = usual or [(one, one.by_design[0]) for one in measures]
    most = max(len(each.studies) for _, each in shown)
    widest = next(one for one, each in shown if len(each.studies) == most)
    only = "" if usual else f", {DESIGN_NAMES[widest.by_design[0].design]} only"
    found: dict[str, list[str]] = {}
    is_split = {"benefit", "harm"} <= {each.direction for _, each in shown}
    for one, each in shown:
        of = f" ({_whose(one, each)})" if is_split else ""
        found.setdefault(finding(each, one.outcome), []).append(f"{one.outcome.label}{of}")
    untold = {*in_words} - {study for one in measures for study in one.study_ids}
    more = f" + {len(untold)} without an extractable estimate" if untold else ""
    link = f"{widest.cause}-{widest.outcome.word}".replace("_", "-") if widest.k >= DRAWN_FROM else "studies"
    parts = "; ".join(f"{what}: {', '.join(labels)}" for what, labels in found.items())
    up_to = "up to " if len(shown) > 1 else ""
    size = f"{'' if is_split else f'{up_to}{studies(most)}'}{only}{more}".removeprefix(", ").removeprefix(
        " + "
    )
    return Cell(f"{upper_first(parts)}{f' ({size})' if size else ''}", link)


def _whose(answer: PooledAnswer, result: Result) -> str:
    """Of measures that favour different sides: product, studies, people, and what these say in words."""
    rows = [row for row in answer.studies if row.effect.study in result.studies]
    given = {word for row in rows for word in row.comparison.products}
    product = [products().get(word, word) for word in given] if len(given) == 1 else []
    people = [participants(result.pooled)] if result.pooled.n_stated_by == result.pooled.k else []
    told = [f"in words: {each.text}" for each in answer.said_too if each.study in result.studies]
    return ", ".join([*product, studies(len(result.studies)), *people, *told])


def _of_new_patients(answer: PooledAnswer) -> Result | None:
    """What is pooled of designs without a run-in that chose those who answered; None where there is no such trial."""
    usual = [each for each in answer.by_design if each.design not in ("enriched", "withdrawal")]
    if len(usual) == len(answer.by_design) and answer.overall is not None:
        return answer.overall
    return max(usual, key=lambda each: len(each.studies), default=None)


# -- forest plots ---------------------------------------------------------------------------------------
def forest_of(answer: PooledAnswer, overall: Result) -> Forest:
    name = f"{answer.cause}-{answer.outcome.word}".replace("_", "-")
    parts = [
        _by_design(answer),
        _overall(answer, overall),
        f"Heterogeneity: {spread(overall)}.",
        absolute_words(answer),
        *_certainty(answer, overall),
    ]
    head = f"Study|participants|cannabinoid|control|{answer.measure}|95 % CI|weight|risk of bias"
    return Forest(
        name,
        title(answer),
        alt_text(answer),
        tuple(part for part in parts if part),
        inline_svg(forest_figure(answer, narrow=True), f"f-{name}", alt_text(answer)),
        brief_caption(answer),
        table(alt_text(answer), head, _cells(answer)),
        tuple((marked(row.label, row.provenance), _left_out(row)) for row in answer.left_out),
    )


def _left_out(row: LeftOut) -> str:
    """Without the names that figures have in the entry, which say nothing to who reads a page."""
    return _NAMED.sub("", left_out_words(replace(row, key="")))


def _by_design(answer: PooledAnswer) -> str:
    if len(answer.by_design) < 2:
        return ""
    each = [
        f"{DESIGN_NAMES[group.design]} {answer.measure} {pooled_words(group.pooled)}, {studies(len(group.studies))}, "
        f"{finding(group, answer.outcome)}"
        for group in answer.by_design
    ]
    return f"By design: {'; '.join(each)}."


def _overall(answer: PooledAnswer, overall: Result) -> str:
    several = len(answer.by_design) > 1
    head = "Pooled (all designs)" if several else upper_first(finding(overall, answer.outcome))
    tail = f", {finding(overall, answer.outcome)}" if several else ""
    found = f"{answer.measure} {pooled_words(overall.pooled)}"
    return f"{head}: {found}, {studies(len(overall.studies))}, {participants(overall.pooled)}{tail}."


def _certainty(answer: PooledAnswer, overall: Result) -> Iterator[str]:
    """Of each design: the estimates over designs are not to be read first."""
    several = len(answer.by_design) > 1
    for each in answer.by_design if several else (overall,):
        of = f", {DESIGN_NAMES[each.design]}" if several else ""
        if each.certainty is not None:
            yield f"Certainty by rule{of}: {certainty_words(each.certainty)}."


def _cells(answer: PooledAnswer) -> Iterator[tuple[str, ...]]:
    """The lines of the picture as a table."""
    measure = answer.measure
    for line in lines(answer):
        if line.kind == "heading":
            continue
        alone = line.kind == "prediction" or line.low is None or line.high is None
        design = f", {DESIGN_NAMES[line.design]}" if line.kind in ("study", "together") else ""
        yield (
            f"{line.label}{design}",
            "" if line.n is None else f"{line.n:g}",
            line.active,
            line.control,
            "" if line.kind == "prediction" else number(line.estimate, measure),
            line.text if alone else span(number(line.low, measure), number(line.high, measure)),
            "" if line.weight is None else f"{line.weight:.0f} %",
            (line.risk_of_bias or NOT_ASSESSED) if line.kind == "study" else "",
        )


# -- table of studies --------------------------------------------------------------------------------------
@dataclass(frozen=True)
class PageRow:
    """One study and outcome of the table."""

    id: str
    study: str
    link: str
    cause: str
    outcome: str
    product: str
    design: str
    n: float | None
    effect: str
    provenance: str
    source: str
    mark: str = ""
    paid: str = ""


def study_rows(answers: Sequence[PooledAnswer], base: Studies) -> list[PageRow]:
    """A row for each study and outcome that is pooled or reported in words or p values, as most trials without an
    effect do; and one for each study with neither."""
    links = {each.id: _link(each.data) for each in base}
    rows = [_row(answer, row, links) for answer in answers for row in answer.studies]
    rows += _in_words(base, links)
    shown = {row.id for row in rows}
    rows += [_bare(each, links) for each in base if each.id not in shown]
    paid = {each.id: paid_by(getattr(each.row, "funding", None)) for each in base}
    rows = [replace(row, paid=paid[row.id]) for row in rows]
    return sorted(rows, key=lambda row: (row.study.lower(), row.outcome))


def _row(answer: PooledAnswer, row: StudyRow, links: Mapping[str, str]) -> PageRow:
    effect = row.effect
    return PageRow(
        id=effect.study,
        study=effect.label,
        link=links.get(effect.study, ""),
        cause=answer.cause_label,
        outcome=answer.outcome.label,
        product=", ".join(products().get(word, word) for word in row.comparison.products),
        design=DESIGN_NAMES[effect.design],
        n=effect.n,
        effect=f"{answer.measure} {row_words(row)}",
        provenance=effect.provenance,
        source="" if effect.provenance == "recalled" else _first_url(row.comparison.cited),
        mark=MARKS[effect.provenance],
    )


def _in_words(base: Studies, links: Mapping[str, str]) -> list[PageRow]:
    made, unused = every(base)
    pooled = {(each.study, each.outcome) for each in made}
    by_id = {each.id: each for each in base if not about(each).why}
    rows: dict[tuple[str, str], PageRow] = {}
    for each in unused:
        if each.study not in by_id or not each.text or not each.outcome or each.outcome == "pain_any_scale":
            continue
        text = f"{each.kind}: {each.text}" if each.kind else each.text
        key = (each.study, each.outcome)
        if key in rows:
            rows[key] = replace(rows[key], effect=f"{rows[key].effect}; {text}")
            continue
        rows[key] = replace(
            _bare(by_id[each.study], links),
            outcome=base.outcomes[each.outcome].label,
            effect=text,
            source=_first_url(one for one in each.cited if one.provenance != "recalled"),
            provenance="in addition" if key in pooled else "not pooled",
        )
    return list(rows.values())


def _bare(entry: Located, links: Mapping[str, str]) -> PageRow:
    mine = about(entry)
    return PageRow(
        id=entry.id,
        study=mine.label,
        link=links.get(entry.id, ""),
        cause=causes().get(mine.cause, mine.cause),
        outcome="no extractable estimate",
        product=products().get(mine.product, ""),
        design=DESIGN_NAMES.get(mine.design, ""),
        n=None,
        effect=mine.why,
        provenance="",
        source="",
    )


def _link(data: Mapping[str, object]) -> str:
    doi = data.get("doi")
    return f"https://doi.org/{doi}" if isinstance(doi, str) and doi.startswith("10.") else ""


def _first_url(cited: Iterable[Cited]) -> str:
    return next((each.url for each in cited if _is_address(each.url)), "")


def _is_address(url: str) -> bool:
    return url.startswith(("http://", "https://"))


# -- an article, answered sentence by sentence -----------------------------------------------------
def write_article(path: Path, name: str, rows: Sequence[Answered]) -> Path:
    """The page, written whole or not at all."""
    return write_text(path, article_page(name, rows))


def article_page(name: str, rows: Sequence[Answered]) -> str:
    """The page's text."""
    content = {"name": name, "summary": summary(rows), "rows": rows, "limits": " ".join(LIMITS.split())}
    return page("article.html.j2", "evidence.css", content, value=value_text, said=lines_of)
