"""What the studies say for one case: studies of its cause and product, figures, claims, and what is not known.

case_evidence(read_case("examples/ms-new-york.yaml")) -> the `evidence` of `lissive case --json`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lissive.case import Case
from lissive.errors import EvidenceError
from lissive.evidence.answer import answer_of
from lissive.evidence.catalog import claim_row, listed
from lissive.evidence.claims import Claim, shipped_claims
from lissive.evidence.comparing import every
from lissive.evidence.read import Studies, shipped_studies
from lissive.evidence.unused import Unused
from lissive.evidence.words import causes, near_causes, outcomes, products, table
from lissive.given import kind_of

_FIGURE = (
    "outcome outcome_label unit better measure measure_label k n estimate ci prediction_interval "
    "prediction_beyond_scale i2 direction by_design recalled provenance notes"
).split()
_DESIGN = (
    "design studies k n n_stated_by estimate ci prediction_interval prediction_beyond_scale i2 direction"
).split()
_ALWAYS = ("safety",)
_OF_OPIOIDS = ("opioid_instead", "opioid_sparing")


def case_evidence(case: Case, studies: Studies | None = None) -> dict[str, Any]:
    """As plain data, ready for JSON.

    Figures are of the planned product where a trial has it in this cause, and of all products where none has;
    `of_all_products` says which. Designs stand apart in `by_design`.
    """
    kind_of("case", case, Case, wrong=EvidenceError, do="read it with read_case(FILE).")
    base = shipped_studies() if studies is None else studies
    cause, product = case.spasm.cause, case.plan.product
    if cause is None:
        return _without_cause(case)
    rows = listed(base, cause=cause)
    controlled = [row for row in rows if row["kind"] == "trial" and not row["not_compared"]]
    figures = [_figure(base, word, cause, product) for word in _asked()]
    found = [each for each in figures if each is not None]
    return {
        "cause": cause,
        "cause_label": causes()[cause],
        "product": product,
        "product_label": None if product is None else products().get(product, product),
        "studies": [_study(row, product) for row in rows],
        "near_studies": [
            _study(row, product) for word in near_causes(cause) for row in listed(base, cause=word)
        ],
        "topics": _topics(),
        "pooled": found,
        "in_words": _in_words(base, controlled, product),
        "claims": [_claim(claim) for claim in shipped_claims() if _bears(claim, case)],
        "not_known": _not_known(cause, product, controlled, found),
    }


def _without_cause(case: Case) -> dict[str, Any]:
    return {
        "cause": None,
        "cause_label": None,
        "product": case.plan.product,
        "product_label": products().get(case.plan.product or ""),
        "studies": [],
        "near_studies": [],
        "topics": _topics(),
        "pooled": [],
        "in_words": [],
        "claims": [_claim(claim) for claim in shipped_claims() if _bears(claim, case)],
        "not_known": ["The case names no cause of the spasms. What trials found differs between causes."],
    }


def _asked() -> list[str]:
    return [row["outcome"] for row in table("case_outcomes") if row["figure"] == "yes"]


def _topics() -> list[str]:
    """What a case is answered on, in the order of the table; `other` last."""
    return [*dict.fromkeys(row["topic"] for row in table("case_outcomes")), "other"]


def _topic(outcome: str) -> str:
    """What an outcome is about, as a case is read; `other` where its table does not say."""
    return next((row["topic"] for row in table("case_outcomes") if row["outcome"] == outcome), "other")


def _study(row: Mapping[str, Any], product: str | None) -> dict[str, Any]:
    kept = "id label kind cause design product products people weeks outcomes in_words not_compared".split()
    return {
        **{name: row[name] for name in kept},
        "fits_product": product is not None and product in row["products"],
    }


def _figure(studies: Studies, outcome: str, cause: str, product: str | None) -> dict[str, Any] | None:
    """One outcome pooled; None where no trial of this cause has numbers of it."""
    known = product if product in products() else None
    mine: dict[str, Any] = {"k": 0}
    if known is not None:
        mine = answer_of(studies, outcome, cause=cause, product=known)
    answer = mine if mine["k"] else answer_of(studies, outcome, cause=cause)
    if not answer["k"]:
        return None
    kept = {name: answer[name] for name in _FIGURE}
    kept["by_design"] = [{name: each[name] for name in _DESIGN} for each in answer["by_design"]]
    kept["studies"] = [each["study"] for each in answer["studies"]]
    kept["products"] = _labels(each["product"] for each in answer["studies"])
    return {"topic": _topic(outcome), **kept, "of_all_products": not mine["k"]}


def _labels(words: Iterable[str]) -> list[str]:
    return [products().get(word, word) for word in dict.fromkeys(words) if word]


def _in_words(
    studies: Studies, controlled: Sequence[Mapping[str, Any]], product: str | None
) -> list[dict[str, Any]]:
    """What trials of this cause say that is in no figure: words, as most have that found nothing, p values, parts.

    Those of the planned product come first. A trial of which nothing is said anywhere has the reason.
    """
    made, unused = every(studies)
    by_id = {row["id"]: row for row in controlled}
    said: dict[tuple[str, str], Unused] = {}
    for each in unused:
        if each.study in by_id and each.said and each.outcome and _is_said(each.outcome):
            said.setdefault((each.study, each.key), each)
    shown = {study for study, _ in said} | {each.study for each in made}
    for each in unused:
        if each.study in by_id and each.study not in shown and each.cited:
            said.setdefault((each.study, each.key), replace(each, said=f"not pooled: {each.reason}"))
    rows = [_words_row(each, by_id[each.study], product) for each in said.values()]
    return sorted(rows, key=lambda row: not row["fits_product"])


def _words_row(one: Unused, study: Mapping[str, Any], product: str | None) -> dict[str, Any]:
    return {
        "study": one.study,
        "outcome": one.outcome,
        "key": one.key,
        "topic": _topic(one.outcome),
        "product": study["product"],
        "product_label": products().get(study["product"], study["product"]),
        "fits_product": product is not None and product in study["products"],
        "said": f"{one.kind}: {one.said}" if one.kind else one.said,
        "reason": one.reason,
    }


def _is_said(outcome: str) -> bool:
    """Whether words on it are shown: pain on each trial's own scale has those of pain."""
    return outcomes()[outcome].kind != "scale" or _topic(outcome) != "pain"


def _bears(claim: Claim, case: Case) -> bool:
    """Whether a claim is about this cause, or about what this person has tried or takes."""
    if claim.id in _ALWAYS:
        return True
    if claim.id in _OF_OPIOIDS:
        return case.history.opioids in ("past", "current")
    if claim.id == "after_failure" and not case.history.tried:
        return False
    return case.spasm.cause is not None and case.spasm.cause in claim.causes


def _claim(claim: Claim) -> dict[str, Any]:
    row = claim_row(claim)
    return {
        name: row[name] for name in "id claim verdict verdict_label answer certainty certainty_by".split()
    }


def _not_known(
    cause: str, product: str | None, trials: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]
) -> list[str]:
    label = causes()[cause]
    if not trials:
        near = [causes()[word] for word in near_causes(cause)]
        said = [
            f"No controlled trial of {label} is in the tables. What is planned has not been tested in it."
        ]
        return [*said, f"What was studied near it is not the same: {', '.join(near)}."] if near else said
    said = []
    if product is not None and not any(product in row["products"] for row in trials):
        name = products().get(product, product)
        said.append(f"Of {name} in {label} there is no controlled trial in the tables.")
    have = {each["outcome"] for each in found}
    core = [row["outcome"] for row in table("case_outcomes") if row["core"] == "yes"]
    lacking = [outcomes()[word].label for word in core if word not in have]
    if lacking:
        said.append(f"No figure that can be pooled, in this cause: {', '.join(lacking)}.")
    if any(each["of_all_products"] for each in found) and product is not None:
        names = ", ".join(each["outcome_label"] for each in found if each["of_all_products"])
        said.append(f"Of other products than the planned one alone: {names}.")
    recalled = sorted({study for each in found for study in each["recalled"]})
    if recalled:
        said.append(f"Figures of {', '.join(recalled)} are quoted from memory, not read.")
    said.append("How this person will respond: trials give averages of others.")
    return said
