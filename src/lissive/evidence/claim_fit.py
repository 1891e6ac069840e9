"""What a text asks of a claim that its trials did not study: another product, another condition, a size.

A verdict is of what trials studied. Which products in which conditions they were, and whether their estimates favour
the drug, is read from the entries of the trials; a favourable verdict is replaced where the text names another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from lissive.evidence.answer import answer_of
from lissive.evidence.catalog import StudyEntry, listed
from lissive.evidence.claim import FAVOURABLE, VERDICTS, Claim, shipped_claims
from lissive.evidence.claim_words import SYMPTOMS, concepts, named_products
from lissive.evidence.read import shipped_studies
from lissive.evidence.words import causes, known_products, outcomes, product_label, studied_as

_ORDER = ("not_tested", "not_shown", "partly", "supported")
_UNLISTED = {"delta_8": "delta-8-THC", "other_cannabinoid": "that cannabinoid"}


class Limit(NamedTuple):
    """Why the verdict of a claim is not the verdict on what was asked."""

    verdict: str
    reason: str


@cache
def _entries() -> Sequence[StudyEntry]:
    return [each for each in listed(shipped_studies()) if each.is_controlled]


@cache
def _outcomes(claim: Claim, asked: frozenset[str]) -> frozenset[str]:
    """Outcomes that it is about; of a claim that cannabis helps in a condition, those of all that helps in it, of the
    symptoms that the text names."""
    if not {*claim.needs} & {*claim.causes}:
        return frozenset(claim.outcomes)
    of = [
        word
        for each in shipped_claims()
        if each.verdict in FAVOURABLE and not each.of_other_treatment and {*each.causes} & {*claim.needs}
        for word in each.outcomes
    ]
    return frozenset(word for word in of if not asked or _symptoms(outcomes()[word].label) & asked)


def _symptoms(text: str) -> frozenset[str]:
    return concepts(text) & SYMPTOMS


class Asked(NamedTuple):
    """What a text names: a product, a condition, symptoms."""

    product: str | None
    cause: str | None
    symptoms: frozenset[str] = frozenset()


def tried(claim: Claim, asked: Asked) -> list[StudyEntry]:
    """The controlled trials of a product in a condition that measured what a claim is about."""
    product, cause = asked.product, asked.cause
    within, of = (cause,) if cause else claim.causes, _outcomes(claim, asked.symptoms)
    return [
        each
        for each in _entries()
        if (product is None or product in each.products)
        and (not within or each.cause in within)
        and of & {*each.outcomes, *each.in_words}
    ]


@cache
def _verdict(claim: Claim, asked: Asked) -> str:
    """What the trials of one product in one condition say to a claim: never more than its own verdict."""
    mine, of = tried(claim, asked), _outcomes(claim, asked.symptoms)
    if not mine:
        return "not_tested"
    if asked.product in claim.products and asked.cause in (None, *claim.causes):
        return claim.verdict
    pairs = sorted({(each.cause, word) for each in mine for word in of & {*each.outcomes}})
    found = list(_main_results(pairs, asked.product))
    if "benefit" not in found:
        return "not_shown"
    pooled = {each.id for each in mine if of & {*each.outcomes}}
    if {*found} != {"benefit"} or len(pooled) < len(mine):
        return min("partly", claim.verdict, key=_ORDER.index)
    return claim.verdict


def _main_results(asked: Iterable[tuple[str, str]], product: str | None) -> Iterator[str]:
    """The direction of each outcome in each condition: of parallel groups, or where there are none of other designs."""
    for cause, outcome in asked:
        by_design = answer_of(shipped_studies(), outcome, cause=cause, product=product).by_design
        parallel = [each for each in by_design if each.design == "parallel"]
        yield from (each.direction for each in parallel or by_design)


def limits(claim: Claim, text: str, named: Iterable[str]) -> list[Limit]:
    """Why a favourable verdict is not one on a text; none where its trials studied what the text names.

    named : the conditions that the text names.
    """
    if claim.verdict not in FAVOURABLE or claim.of_mechanism or claim.of_other_treatment:
        return []
    within = [each for each in named if each in causes()]
    found = []
    for product in named_products(text) or (None,):
        for cause in within or (None,):
            asked = Asked(product, cause, _symptoms(text))
            if product is None and (cause is None or cause in claim.causes):
                continue
            if cause is None and product in claim.products:
                continue
            verdict = _asked(claim, asked)
            if verdict != claim.verdict:
                found.append(Limit(verdict, _reason(claim, asked, verdict)))
    return found


def _asked(claim: Claim, asked: Asked) -> str:
    """A form of a product that trials did not give counts as not tested, whatever it is made of."""
    if asked.product is not None and studied_as(asked.product) != asked.product:
        return "not_tested"
    return _verdict(claim, asked)


def _reason(claim: Claim, asked: Asked, verdict: str) -> str:
    product = asked.product
    what = "a cannabinoid" if product is None else _UNLISTED.get(product, product_label(product))
    where = f" in {causes()[asked.cause]}" if asked.cause else ""
    if verdict == "not_tested":
        as_ = studied_as(product) if product in known_products() else product
        form = f"; {product_label(as_)} is another form" if as_ and as_ != product else ""
        return f"No included trial of {what}{where} measured what the claim is about{form}."
    ids = list(dict.fromkeys(each.label for each in tried(claim, asked)))
    of = f"{'the trial' if len(ids) == 1 else 'trials'} of {what}{where} ({', '.join(ids)})"
    if verdict == "not_shown":
        return f"Not shown in {of}."
    return f"Partly supported by {of}: not every outcome or trial shows it."


def limited(claim: Claim, found: Sequence[Limit]) -> Claim:
    """A claim with the verdict on what was asked, and what its own verdict is of."""
    if not found:
        return claim
    worst = min((each.verdict for each in found), key=_ORDER.index)
    reasons = " ".join(dict.fromkeys(each.reason for each in found))
    if worst == claim.verdict:
        return claim.model_copy(update={"answer": f"{claim.answer} {reasons}"})
    answer = f"{reasons} The claim as worded is {VERDICTS[claim.verdict]}: {claim.answer}"
    ungraded = {"certainty": "not_graded", "by_rule": "", "certainty_note": ""}
    return claim.model_copy(update={"verdict": worst, "answer": answer, **ungraded})
