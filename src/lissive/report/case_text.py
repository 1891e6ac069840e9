"""A case's answers as plain text, as a clinician would read them."""

from __future__ import annotations

from collections.abc import Collection

from lissive.case import Case, causes, product
from lissive.case_answer import INTENDED_USE, CaseAnswer
from lissive.report.access_text import access_part
from lissive.report.case_evidence_text import case_evidence_text
from lissive.report.forecast_text import forecast_text
from lissive.report.safety_text import safety_lines
from lissive.report.words import count, paragraphs, wrapped
from lissive.safety import SafetyAnswer

LIMITS = (
    "Decision support and research software: not a prescription. Response was fitted to published trials in multiple "
    "sclerosis (few, most of them industry-sponsored); for other causes it is assumed. The ranges show variability "
    "between virtual patients and parameter uncertainty, not model error. Intended use: " + INTENDED_USE
)
PARTS = ("access", "safety", "evidence", "forecast")
"""The parts of a case that can be asked for whole, in order."""


def case_text(answer: CaseAnswer, parts: Collection[str] = PARTS) -> str:
    """These parts whole."""
    case = answer.case
    texts = {
        "access": lambda: access_part(case, answer.access),
        "safety": lambda: safety_part(answer.safety),
        "evidence": lambda: case_evidence_text(answer.evidence),
        "forecast": lambda: forecast_text(case, answer.forecast),
    }
    shown = [texts[part]() for part in PARTS if part in parts]
    return paragraphs([headline(case, may_dose=answer.gates.may_dose), *shown, wrapped(LIMITS, "   ")])


def safety_part(found: SafetyAnswer) -> str:
    """Part 2 of a case."""
    return "\n".join(["2  Safety", *(f"   {line}".rstrip() for line in safety_lines(found))])


def headline(case: Case, *, may_dose: bool = True) -> str:
    """Who, and what is planned."""
    over = f"\nBeyond the label; reason: {case.plan.override}" if case.plan.override and may_dose else ""
    return f"{who(case)}\nPlan: {plan_line(case, may_dose=may_dose)}{over}"


def who(case: Case, *, brief: bool = False) -> str:
    """Who it is about, and as of when; in brief without weight and place."""
    person = case.person
    sex = {"female": "woman", "male": "man", None: "person"}[person.sex]
    about = [
        sex if person.age_years is None else f"{sex} aged {person.age_years:g}",
        "" if person.weight_kg is None or brief else f"{person.weight_kg:g} kg",
        "" if case.spasm.cause is None else causes()[case.spasm.cause],
        "" if case.place.residence is None or brief else case.place.residence,
    ]
    asked = "" if case.as_of is None else f", as of {case.as_of}"
    return f"{case.case}{asked}: {_listed(about)}"


def plan_line(case: Case, *, may_dose: bool = True) -> str:
    """What is planned; without its dose where none may be shown."""
    plan = case.plan
    planned = [
        "product not stated" if plan.product is None else product(plan.product).label,
        _how(case) if may_dose else "",
        "" if plan.weeks is None else count(plan.weeks, "week"),
    ]
    return "none stated" if plan.product is None and not any(planned[1:]) else _listed(planned)


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
