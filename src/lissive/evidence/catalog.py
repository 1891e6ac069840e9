"""The studies, reviews and claims as plain data: a list of them, and everything on one.

listed(shipped_studies(), cause="als")      a row for each study
whole("wade_2004")                          every number with where it comes from, what is used, and conflicts
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from lissive.errors import EvidenceError
from lissive.evidence.about import about, cause_word, label_of
from lissive.evidence.arms import role
from lissive.evidence.claims import JUDGED, VERDICTS, Claim, claim_of, shipped_claims
from lissive.evidence.comparing import every
from lissive.evidence.comparison import Comparison
from lissive.evidence.read import (
    Located,
    Studies,
    dotted,
    figures,
    is_studies,
    number,
    plain,
    shipped_reviews,
)
from lissive.evidence.unused import Unused
from lissive.evidence.words import NOT_USED, designs, known, near_causes, table
from lissive.given import text_of


def listed(
    studies: Studies, *, cause: str | None = None, outcome: str | None = None, design: str | None = None
) -> list[dict[str, Any]]:
    """A row for each study that fits, in the order of the files; studies without a control group too.

    Raises       EvidenceError for a word that is not known, with the nearest.
    """
    outcome = None if outcome is None else studies.word_of(outcome)
    cause = cause_word(studies, cause)
    for kind, word, allowed in (
        ("cause", cause, studies.causes),
        ("outcome", outcome, studies.outcomes),
        ("design", design, designs()),
    ):
        if word is not None:
            known(kind, word, allowed)
    made, unused = every(studies)
    rows = [_row(entry, made, unused) for entry in studies]
    return [
        row
        for row in rows
        if (cause is None or row["cause"] == cause)
        and (design is None or row["design"] == design)
        and (outcome is None or outcome in row["outcomes"] or outcome in row["in_words"])
    ]


def _row(entry: Located, made: list[Comparison], unused: list[Unused]) -> dict[str, Any]:
    mine = about(entry)
    with_numbers = dict.fromkeys(each.outcome for each in made if each.study == entry.id)
    other = dict.fromkeys(each.outcome for each in unused if each.study == entry.id and each.outcome)
    row: Any = entry.row
    return {
        "id": entry.id,
        "label": mine.label,
        "kind": entry.kind,
        "citation": row.citation or "",
        "doi": row.doi or "",
        "registry": row.registry or "",
        "cause": mine.cause,
        "cause_as_said": getattr(row, "cause", None) or "",
        "design": "" if mine.design == NOT_USED else mine.design,
        "product": mine.product,
        "products": _products(mine.product, (each.product for each in made if each.study == entry.id)),
        "intervention": getattr(row, "intervention", None) or "",
        "people": people(entry),
        "weeks": plain(getattr(row, "duration_weeks", None)),
        "outcomes": list(with_numbers),
        "in_words": [word for word in other if word not in with_numbers],
        "patients": mine.patients,
        "not_compared": mine.why,
        "where": entry.where("id"),
    }


def _products(first: str, arms: Iterable[str]) -> list[str]:
    """What a trial gave, as its arms have it."""
    return [word for word in dict.fromkeys((first, *arms)) if word]


def people(entry: Located) -> float | None:
    """How many people a trial has: its total, else its arms together; None where that is not known."""
    rows = getattr(entry.row, "arms", None) or ()
    fields = ("n_randomised", "n_analysed", "n_treated", "n_enrolled", "n_completed", "n")
    counted = [
        (role(str(row.get("arm"))), next((n for f in fields if (n := number(row.get(f))) is not None), None))
        for row in rows
    ]
    totals = [n for kind, n in counted if kind == "total" and n is not None]
    if totals:
        return max(totals)
    arms = [n for kind, n in counted if kind != "total"]
    return sum(n for n in arms if n is not None) if arms and None not in arms else None


def ids(studies: Studies) -> dict[str, str]:
    """Every id that can be shown, and what it is."""
    found = {entry.id: entry.kind for entry in studies}
    found |= {entry.id: "review" for entry in shipped_reviews()}
    return found | {claim.id: "claim" for claim in shipped_claims()}


def whole(id: str, studies: Studies) -> dict[str, Any]:
    """Everything on one study, review or claim.

    Raises       EvidenceError for an id that is not known, with the nearest and all that there are.
    """
    is_studies(studies)
    text_of("ID", id, wrong=EvidenceError, example="wade_2004")
    if (claim := claim_of(id)) is not None:
        return claim_row(claim)
    entry = next((each for each in (*studies, *shipped_reviews()) if each.id == id), None)
    if entry is None:
        raise _no_such(id, ids(studies))
    return _of_review(entry) if entry.kind == "review" else _of_study(entry, studies)


def _no_such(id: str, known_ids: Iterable[str]) -> EvidenceError:
    words = list(known_ids)
    folded = {word.lower(): word for word in words}
    near = [folded[each] for each in difflib.get_close_matches(id.lower(), folded, n=5, cutoff=0.5)]
    near += [word for word in words if len(id) > 2 and id.lower() in word.lower() and word not in near]
    return EvidenceError(
        f"There is no study, review or claim {id!r}.",
        where="ID",
        allowed=f"{', '.join(near[:8]) or f'one of {len(words)} ids'}.",
        do="take an id from `lissive evidence list` or `lissive evidence claims`.",
    )


def _numbers(entry: Located) -> list[dict[str, Any]]:
    return [
        {**asdict(cited), "what": dotted(loc), "where": entry.where(*loc)} for loc, cited in figures(entry)
    ]


def _common(entry: Located) -> dict[str, Any]:
    cited_by = [
        claim.id
        for claim in shipped_claims()
        if _family(entry.id) in f"{claim.reasoning} {[n.what for n in claim.numbers]}".lower()
    ]
    return {
        "id": entry.id,
        "kind": entry.kind,
        "citation": entry.row.citation or "",
        "doi": entry.row.doi or "",
        "rejected": entry.row.rejected or "",
        "note": str(entry.data.get("note") or entry.data.get("risk_of_bias_notes") or ""),
        "where": entry.where("id"),
        "numbers": _numbers(entry),
        "conflicts": conflicts_of(entry.id),
        "claims": cited_by,
    }


def _family(id: str) -> str:
    """First author and year as a claim would name them: `collin 2007`."""
    return " ".join(id.lower().split("_")[:2])


def _of_review(entry: Located) -> dict[str, Any]:
    said = [
        {name: plain(value) for name, value in row.items() if name in ("outcome", "model", "note")}
        for row in entry.data.get("outcomes") or ()
        if isinstance(row, Mapping)
    ]
    return {
        **_common(entry),
        "label": label_of(entry.id),
        "purpose": str(entry.data.get("purpose") or ""),
        "outcomes": said,
    }


def _of_study(entry: Located, studies: Studies) -> dict[str, Any]:
    made, unused = every(studies)
    row = _row(entry, made, unused)
    same = [each.id for each in studies if each.id != entry.id and about(each).patients == row["patients"]]
    return {
        **row,
        **_common(entry),
        "comparator": getattr(entry.row, "comparator", None) or "",
        "design_as_said": getattr(entry.row, "design", None) or "",
        "same_people_as": same,
        "used": [asdict(each) for each in made if each.study == entry.id],
        "left_out": [asdict(each) for each in unused if each.study == entry.id],
    }


def conflicts_of(id: str) -> list[dict[str, str]]:
    """Where sources disagree on an entry, and which is kept."""
    return [dict(row) for row in table("conflicts") if row["entry"] == id]


def claim_row(claim: Claim) -> dict[str, Any]:
    """A claim as plain data."""
    return {
        "id": claim.id,
        "kind": "claim",
        "claim": claim.claim,
        "verdict": claim.verdict,
        "verdict_label": VERDICTS[claim.verdict],
        "answer": claim.answer,
        "certainty": claim.certainty,
        "certainty_note": claim.certainty_note,
        "certainty_by": JUDGED,
        "causes": list(claim.causes),
        "outcomes": list(claim.outcomes),
        "reasoning": claim.reasoning,
        "numbers": [
            {**asdict(each.cited), "value": list(each.value) if isinstance(each.value, tuple) else each.value}
            for each in claim.numbers
        ],
        "would_change": claim.would_change,
        "conflicts": conflicts_of(claim.id),
    }


__all__ = ["claim_row", "conflicts_of", "ids", "listed", "near_causes", "people", "whole"]
