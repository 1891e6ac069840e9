"""How one person stands, in words: what the law's rule says, and beside it what safety and evidence say."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from markupsafe import Markup

from lissive.access.answer import Answer, Facts, Product
from lissive.access.conditions import limits
from lissive.access.decide import decide, version_on
from lissive.access.federal import medicine
from lissive.access.rule import rules
from lissive.report.access_text import PRODUCT, STATUS, procedural_text
from lissive.report.words import upper_first
from lissive.safety.rules import Caution, cautions
from lissive.site.build import joined, unverified, verdict
from lissive.site.evidence import benefit

KIND: Mapping[str, str] = MappingProxyType(
    {
        "eligible": "yes",
        "eligible_at_discretion": "maybe",
        "unknown": "unsure",
        "not_eligible": "no",
        "obtainable": "yes",
        "not_obtainable": "no",
    }
)
"""Status to kind of verdict."""


def status_text(answer: Answer) -> str:
    """The status, with the mark of a rule that was not checked.

    >>> on = datetime.date(2026, 11, 29)
    >>> status_text(decide(Facts(age=45), "IL", on))
    'not eligible (unverified)'
    """
    place = rules().get(answer.jurisdiction)
    version = version_on(place, answer.on) if place else None
    mark = unverified(version.known("logic")) if version else ""
    return f"{STATUS[answer.status]}{mark}"


def only_spasticity(facts: Facts, answer: Answer, *, brief: bool = False) -> str:
    """Said where the rule is not met with spasms, and would or may be by the same person with spasticity."""
    spasms = facts.symptoms.get("muscle_spasms")
    if answer.status != "not_eligible" or spasms is None or "spasticity" in facts.symptoms:
        return ""
    both = replace(facts, symptoms={**facts.symptoms, "spasticity": spasms})
    other = decide(both, answer.jurisdiction, answer.on)
    if other.status == "not_eligible":
        return ""
    does = "spasticity does"
    if other.status != "eligible":
        asked = (
            f" ({'; '.join(each.asks for each in other.missing[:3])})" if other.missing and not brief else ""
        )
        does = f"spasticity may, with what else the rule asks{asked}"
    return f"Muscle spasms alone do not qualify here; {does}."


SPASTICITY_IS = (
    "Spasticity is stiffness of muscles after damage to the brain or the spinal cord, which a clinician finds on "
    "examination; many people with spasms have both."
)


# -- the cells of a situation ------------------------------------------------------------------------
def rule_cell(facts: Facts, answer: Answer) -> Markup:
    """The law's answer; for a minor, beside it, what the safety tables say."""
    found = verdict(status_text(answer), KIND[answer.status])
    if answer.status != "not_eligible" and (warned := _of_minors(facts)):
        advice = " ".join(each.text.advice for each in warned)
        found = joined(
            [
                found,
                "by the law’s rule.",
                Markup("<strong>Under 18, for safety: {} A doctor must decide.</strong>").format(advice),
            ]
        )
    needs = "; ".join(each.asks for each in answer.missing[:2])
    return joined([found, f"Needed: {needs}." if needs else "", only_spasticity(facts, answer, brief=True)])


def visit_cell(facts: Facts, answer: Answer) -> str:
    if "no_programme" in answer.blocks:
        return "no programme"
    if answer.status == "not_eligible":
        return "the rule is not met"
    text = procedural_text(answer)
    if answer.procedural == "blocked" and answer.status != "unknown":
        return f"{text}: the rule covers the condition, but this visit or person cannot be certified"
    return f"in the law {text}; for safety see “is it safe”" if _of_minors(facts) else text


def _of_minors(facts: Facts) -> Sequence[Caution]:
    if facts.age is None or facts.age >= limits()["adult_age"]:
        return ()
    return [each for each in cautions() if each.about == "age_under_18" and "thc" in each.severity]


def warned(facts: Facts) -> Iterator[Markup]:
    """The warning for the person's age, which no rule of law says."""
    for each in _of_minors(facts):
        yield Markup('<strong>{}</strong> {} <a href="../safety.html#c-{}">Safety: under 18</a>.').format(
            each.text.advice, each.text.mechanism, each.id
        )


def known(cause: str) -> Markup:
    """What trials found in the cause, in plain words, with the page that has them."""
    if not cause:
        return Markup()
    page = "index" if cause == "other" else cause.replace("_", "-")
    return Markup('{} <a href="../evidence/{}.html">Evidence</a>.').format(benefit(cause), page)


_LABEL: Mapping[str | None, str] = MappingProxyType(
    {
        "off_label": "its label does not cover the person above; whether it may be prescribed beyond was not read",
        None: "whether its label covers the person above is not known",
    }
)


def product_words(found: Product, code: str, on: datetime.date) -> str:
    """The answer for a product, the same on every page; that a medicine is sold where that was read."""
    row = medicine(found.asked, code[:2], on) if found.asked else None
    if found.status == "unknown" and row and row.status == "marketed" and row.provenance == "read":
        return f"licensed and sold; {_LABEL.get(found.indication, _LABEL[None])}"
    return PRODUCT[found.status]


def bottom_line(answer: Answer, facts: Facts) -> str:
    """The first line of a page: what the rule of the day says, and whether the visit can certify."""
    read = " in what was read" if answer.procedural == "ok" else ""
    alone = only_spasticity(facts, answer)
    return (
        f"{upper_first(status_text(answer))}. {f'{alone} ' if alone else ''}Visit and practitioner requirements: "
        f"{procedural_text(answer)}{read}."
    )
