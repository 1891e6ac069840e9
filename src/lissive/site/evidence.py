"""Evidence: causes by complaints, a page for each cause with its forest plots, claims, articles, trials under way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from lissive.case.vocabulary import causes as case_causes
from lissive.case_answer.tables import rows as care_rows
from lissive.evidence import shipped_studies
from lissive.evidence.answer_types import PooledAnswer
from lissive.evidence.article import Registered, registered, sources, under_way
from lissive.evidence.claim import JUDGED, Claim, shipped_claims
from lissive.evidence.comparison import about
from lissive.evidence.read import Studies
from lissive.evidence.result import searched
from lissive.evidence.words import causes, near_causes, product_label
from lissive.handout.language import HERE as HANDOUT
from lissive.look import plain_svg
from lissive.report.evidence_html import (
    DRAWN_FROM,
    Cell,
    Forest,
    PageRow,
    forest_of,
    matrix,
    pooled_answers,
    study_rows,
)
from lissive.report.evidence_text import TRIAL_RESULTS, TRIAL_STATUS, value_text
from lissive.report.table import Table, table
from lissive.report.words import MARKS, count, upper_first
from lissive.site.build import Page, joined, link, unverified, verdict
from lissive.table import rows_of

ARTICLES = {
    1: ("A popular article on medical marijuana for muscle spasms", "articles/spasms.html"),
    2: ("An article by a practice in New York on medical marijuana for cramps", "articles/cramps.html"),
}
_LEFT_OUT = ("other", "motor_neuron_disease")
"""Causes of a case that are none, or that another covers."""


@dataclass(frozen=True)
class Cause:
    """One cause with what is known of it."""

    word: str
    label: str
    cells: tuple[tuple[str, Cell], ...]
    """Complaint to what trials found of it."""
    answers: tuple[PooledAnswer, ...]

    @property
    def href(self) -> str:
        """From another page of the evidence."""
        return f"{self.word.replace('_', '-')}.html"


def causes_of(base: Studies, answers: Sequence[PooledAnswer]) -> tuple[tuple[str, ...], list[Cause]]:
    """The complaints, and the causes: those with trials first, then those of a case without one."""
    topics, found = matrix(answers, base)
    words = {label: word for word, label in causes().items()}
    every = [
        Cause(
            words.get(label, label),
            label,
            tuple(zip(topics, cells, strict=True)),
            tuple(each for each in answers if each.cause == words.get(label, label)),
        )
        for label, cells in found
    ]
    there = {each.word for each in every}
    studied = {word: causes().get(word, word) for word in (about(each).cause for each in base.trials) if word}
    every += [
        Cause(word, label, (), ())
        for word, label in {**studied, **case_causes()}.items()
        if word not in there and word not in _LEFT_OUT
    ]
    return topics, every


def pages() -> Iterator[Page]:
    """All of them."""
    base = shipped_studies()
    answers = list(pooled_answers(base))
    rows = study_rows(answers, base)
    topics, every = causes_of(base, answers)
    read = f"{searched(base)}."
    yield Page("evidence/index.html", "Evidence", "evidence.html.j2", read, _index(base, topics, every, rows))
    for cause in every:
        related = [
            each
            for each in every
            if each.word in near_causes(cause.word) or cause.word in near_causes(each.word)
        ]
        yield _page(cause, rows, related, read)
    yield Page(
        "evidence/studies.html",
        "Study by study",
        "studies.html.j2",
        read,
        {
            "search": True,
            "trials": len(base.trials),
            "named": len({row.id for row in rows}),
            "table": _study_table(rows, "Every study and outcome"),
        },
    )
    trials = under_way(None, every=True)
    seen = f"Pages of registers, or copies of them, read until {max(each.read for each in trials)}."
    yield Page(
        "evidence/under-way.html",
        "Trials under way",
        "under_way.html.j2",
        seen,
        {"table": _under_way(trials), "open": sum(each.is_open for each in trials)},
    )
    claims = shipped_claims()
    yield Page(
        "claims.html",
        "Popular claims and the evidence",
        "claims.html.j2",
        read,
        {"search": True, **_claims(claims)},
    )
    for number, (title, path) in ARTICLES.items():
        yield article(number, title, path, read)


def _index(
    base: Studies, topics: Sequence[str], every: Sequence[Cause], rows: Sequence[PageRow]
) -> dict[str, Any]:
    return {
        "trials": len(base.trials),
        "causes": [
            (each, plain(each.word) or _found(_shown(each), [row for row in rows if row.cause == each.label]))
            for each in every
        ],
        "topics": topics,
        "matrix": [
            (each, [(cell.text, _href(each, cell)) for _, cell in each.cells]) for each in every if each.cells
        ],
    }


def _href(cause: Cause, cell: Cell) -> str:
    return f"{cause.href}#{cell.link}" if cell.link else ""


def benefit(cause: str, tongue: str = "en") -> str:
    """What is known of benefit, in plain words; empty where the table has nothing of the cause."""
    mine = [row for row in rows_of(HANDOUT / "benefits.tsv") if row["cause"] == cause]
    general = [row for row in mine if row["products"] in ("none", "any")]
    return general[0][tongue] if general else ""


def plain(cause: str) -> str:
    """That of a page: the sentence on low back pain is of the chronic kind, as its trial is."""
    if cause == "low_back_pain":
        return ""
    return benefit("low_back_pain" if cause == "chronic_low_back_pain" else cause)


# -- one cause --------------------------------------------------------------------------------------
def _page(cause: Cause, rows: Sequence[PageRow], related: Sequence[Cause], read: str) -> Page:
    forests = [
        forest_of(each, each.overall)
        for each in cause.answers
        if each.overall is not None and each.k >= DRAWN_FROM
    ]
    shown = _shown(cause)
    none = [topic for topic, cell in cause.cells if not cell.link]
    mine = [row for row in rows if row.cause == cause.label]
    known = plain(cause.word)
    content = {
        "related": related,
        "bottom_line": known or _found(shown, mine),
        "kind": "" if forests or known else "unsure",
        "by_product": _by_product(cause.word),
        "found": [(topic, upper_first(_in_plain_words(cell.text)), f"#{cell.link}") for topic, cell in shown],
        "no_trial": none,
        "forests": [(each, plain_svg(each.picture), _numbers(each)) for each in forests],
        "table": _study_table(mine, f"Studies in {cause.label}", with_cause=False) if mine else None,
        "care": _care(cause.word),
        "trials": _under_way(under_way(cause.word, every=True)) if _registered(cause.word) else None,
        "claims": [
            (each, claim_verdict(each), sure(each)) for each in shipped_claims() if cause.word in each.causes
        ],
        "judged": JUDGED,
    }
    return Page(f"evidence/{cause.href}", upper_first(cause.label), "cause.html.j2", read, content)


def _shown(cause: Cause) -> list[tuple[str, Cell]]:
    """The complaints of which some trial reports."""
    return [(topic, cell) for topic, cell in cause.cells if cell.link]


def _found(shown: Sequence[tuple[str, Cell]], rows: Sequence[PageRow] = ()) -> str:
    if not shown and rows:
        n = count(len({row.id for row in rows}), "study", "studies")
        return (
            f"In the data: {n}, without an estimate that can be pooled. The claims below say what was found."
        )
    if not shown:
        return (
            "No controlled trial of a cannabinoid in this cause is in the data. What helps in one cause may not "
            "help in another."
        )
    return " ".join(f"{upper_first(topic)}: {_in_plain_words(cell.text)}." for topic, cell in shown)


_PLAIN = (
    ("95 % CI includes no effect", "no clear difference"),
    (", not pooled", ", told in words only"),
    ("favours the cannabinoid", "better with the cannabinoid"),
    ("favours control", "better without the cannabinoid"),
)


def _in_plain_words(text: str) -> str:
    """A cell of the matrix for readers who do not know its terms.

    >>> _in_plain_words("95 % CI includes no effect: pain NRS (1 study)")
    'no clear difference: pain NRS (1 study)'
    """
    said = text[:1].lower() + text[1:]
    for word, instead in _PLAIN:
        said = said.replace(word, instead)
    return said


def _registered(cause: str) -> bool:
    return any(cause in each.causes for each in registered())


def _by_product(cause: str) -> list[tuple[str, str]]:
    """What is known of single products, where it differs."""
    mine = [row for row in rows_of(HANDOUT / "benefits.tsv") if row["cause"] == cause]
    named = [row for row in mine if row["products"] not in ("none", "any")]
    return [
        (upper_first(" or ".join(product_label(each) for each in row["products"].split())), row["en"])
        for row in named
    ]


def _numbers(forest: Forest) -> Table:
    one = forest.table
    return Table(f"Numbers: {forest.title}", one.head, one.rows, frozenset(one.head[1:-1]))


def _care(cause: str) -> Table | None:
    known = {row["key"]: row for row in care_rows("sources")}
    rows = [
        (
            upper_first(row["treatment"]),
            f"{upper_first(row['known'])}{unverified(row['provenance'])}",
            joined(
                (link(known[key]["citation"], known[key]["url"]) for key in row["source"].split(";")), "; "
            ),
        )
        for row in care_rows("usual_care")
        if row["cause"] == cause
    ]
    return table("Usual care, without cannabis", "treatment|what is known|source", rows) if rows else None


def _study_table(rows: Sequence[PageRow], caption: str, *, with_cause: bool = True) -> Table:
    cells = [
        (
            link(row.study, row.link or None),
            *((row.cause,) if with_cause else ()),
            row.outcome,
            row.product,
            row.design,
            "" if row.n is None else f"{row.n:g}",
            f"{row.effect}{row.mark}",
            row.paid,
            link(row.provenance, row.source or None),
        )
        for row in rows
    ]
    head = f"study|{'cause|' if with_cause else ''}outcome|product|design|participants|effect (95 % CI)|paid by|source"
    return table(caption, head, cells, "participants")


def _under_way(trials: Sequence[Registered]) -> Table:
    rows = [
        (
            link(each.id, each.source_url[0] if each.source_url else None),
            ", ".join(causes().get(word, word) for word in each.causes),
            f"{upper_first(each.about)}. {upper_first(each.product)} against {each.comparator}; {each.design}; "
            f"n: {each.n}.",
            f"{upper_first(TRIAL_STATUS[each.status])}{f' on {each.stated}' if each.stated else ', day not given'}; "
            f"{TRIAL_RESULTS[each.results]}.",
            each.read,
        )
        for each in trials
    ]
    return table("Trials under way, or ended without results", "register|cause|what|status|read", rows)


_ALSO_SAID = {"inflammation_cause": "inflammation is the main cause of spasms, the root cause of cramps."}
"""Other words in which a claim is read, for those who search."""


def claim_verdict(claim: Claim) -> Markup:
    return verdict(claim.verdict_label, claim.mark)


def sure(claim: Claim) -> str:
    """Its certainty; of what nothing tested there is nothing to be sure of."""
    return "no trial to rate" if claim.verdict == "not_tested" else claim.certainty_label


# -- claims and articles ------------------------------------------------------------------------------
def _claims(claims: Sequence[Claim]) -> dict[str, Any]:
    rows = [
        (
            joined(
                [
                    Markup('<a href="#claim-{}">{}</a>').format(each.id, each.claim),
                    f"Also: {_ALSO_SAID[each.id]}" if each.id in _ALSO_SAID else "",
                ]
            ),
            claim_verdict(each),
            each.answer.partition(". ")[0].removesuffix(".") + ".",
            sure(each),
        )
        for each in claims
    ]
    return {
        "table": table("Every claim", "claim|verdict|in short|certainty", rows),
        "claims": [(each, claim_verdict(each), sure(each), key_numbers(each.numbers)) for each in claims],
        "judged": JUDGED,
        "articles": [(title, path) for title, path in ARTICLES.values()],
    }


def key_numbers(numbers: Sequence[Any]) -> list[Markup]:
    """Each with its mark and its source."""
    return [
        joined(
            [
                f"{n.what}: {value_text(n.value)}{MARKS.get(n.provenance, '')}",
                f"({n.pointer})" if n.pointer else "",
                link("source", n.url) if n.url.startswith("http") else "",
            ]
        )
        for n in (each.cited for each in numbers)
    ]


def article(number: int, title: str, path: str, read: str) -> Page:
    doors = {each.id: each for each in sources().doors}
    claims = {each.id: each for each in shipped_claims()}
    rows: list[Mapping[str, Any]] = []
    for each in (one for one in sources().statements if one.article == number):
        door, claim = doors.get(each.door), claims.get(each.door)
        rows.append(
            {
                "statement": each,
                "verdict": claim_verdict(claim) if claim else "",
                "certainty": sure(claim) if claim else "",
                "answer": claim.answer if claim else door.answer if door else "",
                "as_of": door.as_of if door else "",
                "see": f"claims.html#claim-{claim.id}" if claim else _see(door.see if door else ""),
                "numbers": key_numbers(door.numbers) if door else [],
            }
        )
    counts = Counter(row["verdict"] for row in rows if row["verdict"])
    content = {"rows": rows, "summary": list(counts.items()), "others": len(rows) - sum(counts.values())}
    return Page(path, f"{title}, answered", "article.html.j2", read, content)


def _see(command: str) -> str:
    """The page of this site that shows what a command shows."""
    words = command.split()
    if words[1:3] == ["access", "history"]:
        return f"law/{words[3].lower()}.html"
    pages = {("access", "compare"): "law/index.html", ("evidence", "under-way"): "evidence/under-way.html",
             ("evidence", "claims"): "claims.html", ("evidence", "list"): "evidence/studies.html"}  # fmt: skip
    return pages.get(tuple(words[1:3]), "")  # type: ignore[arg-type]
