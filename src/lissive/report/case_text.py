"""A case's answers as plain text, as a clinician would read them."""

from __future__ import annotations

from lissive.case import Case, causes, product
from lissive.case_answer import CaseAnswer
from lissive.report.access_text import case_section
from lissive.report.case_evidence_text import case_evidence_text
from lissive.report.forecast_text import forecast_text
from lissive.report.words import count, paragraphs, wrapped

NOT_BUILT = {
    "followup": "Follow-up (is it working, and what now)",
}
LIMITS = (
    "Decision support and research software: not a prescription. Response was fitted to published trials in multiple "
    "sclerosis (few, most of them industry-sponsored); for other causes it is assumed. The ranges show variability "
    "between virtual patients and parameter uncertainty, not model error."
)


def case_text(answer: CaseAnswer) -> str:
    """The four answers; those that do not exist yet are named as such."""
    case = answer.case
    return paragraphs(
        [
            headline(case),
            case_section(case, answer.access),
            case_evidence_text(answer.evidence),
            forecast_text(case, answer.forecast),
            f"4  {NOT_BUILT['followup']}: not built yet.",
            f"Safety ({_safety(case)}): not built yet; nothing here says that it is safe.",
            wrapped(LIMITS, "   "),
        ]
    )


def headline(case: Case) -> str:
    """Who, and what is planned."""
    person, plan = case.person, case.plan
    sex = {"female": "woman", "male": "man", None: "person"}[person.sex]
    about = [
        sex if person.age_years is None else f"{sex} aged {person.age_years:g}",
        "" if person.weight_kg is None else f"{person.weight_kg:g} kg",
        "" if case.spasm.cause is None else causes()[case.spasm.cause],
        "" if case.place.residence is None else case.place.residence,
    ]
    planned = [
        "product not stated" if plan.product is None else product(plan.product).label,
        _how(case),
        "" if plan.weeks is None else count(plan.weeks, "week"),
    ]
    over = f"\nBeyond the label; reason: {plan.override}" if plan.override else ""
    asked = "" if case.as_of is None else f", as of {case.as_of}"
    said = "none stated" if plan.product is None and not any(planned[1:]) else _listed(planned)
    return f"{case.case}{asked}: {_listed(about)}\nPlan: {said}{over}"


def _listed(parts: list[str]) -> str:
    return ", ".join(part for part in parts if part)


def _how(case: Case) -> str:
    """The dose as it is planned, as far as it is said."""
    plan = case.plan
    if plan.titration == "label":
        limit = "" if plan.max_sprays_per_day is None else f" up to {plan.max_sprays_per_day} sprays a day"
        return f"label titration{limit}"
    if plan.sprays_per_day is not None:
        return f"{plan.sprays_per_day} sprays a day"
    if plan.dose is None:
        return ""
    return plan.dose if plan.doses_per_day is None else f"{plan.dose} {plan.doses_per_day} times a day"


def _safety(case: Case) -> str:
    """What a safety check of this case would cover."""
    about = ["contraindications", "interactions", "driving"]
    return ", ".join([*about, *(f"in this case {each}" for each in case.history.conditions or ())])
