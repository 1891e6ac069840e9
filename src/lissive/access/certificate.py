"""A draft of the certification from a case: what the case fills, what is missing, what only the practitioner can say.

Nothing is submitted anywhere, and no statement is made in the practitioner's name. Of a person who is not eligible,
or of whom that is unknown, no field is filled.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lissive.access.answer import Answer, Facts
from lissive.access.conditions import implied, limits
from lissive.access.decide import decide
from lissive.access.facts import facts_of_case, product_of, products, with_more
from lissive.access.rule import Jurisdiction, Version, jurisdiction
from lissive.access.visit import COMMON, FormField, Step, concerns, dated, fields_of, visit_steps
from lissive.case import Case, causes, product
from lissive.errors import RuleError
from lissive.given import kind_of
from lissive.usage import day_text

State = Literal["filled", "missing", "practitioner", "optional", "not_applicable", "withheld"]
"""Filled from the case; missing in it; for the practitioner to state, date or sign; optional and empty; not asked
of this person; withheld because the person is not eligible."""

DRAFT = "DRAFT, not a certification: for a registered practitioner to check, complete, sign and file."
SUBMITTED = "Nothing has been submitted anywhere, and no statement is made here in a practitioner's name."


@dataclass(frozen=True)
class Entry:
    """One field of the form with what is in it."""

    field: FormField
    state: State
    value: str
    """What the case has; empty where it has nothing."""
    remark: str


@dataclass(frozen=True)
class Draft:
    """The whole draft."""

    case: str
    answer: Answer
    version: Version
    common: bool
    """The shape that programmes share is used: the table has no form of this place on this day."""
    entries: tuple[Entry, ...]
    steps: tuple[Step, ...]
    safety: tuple[str, ...] = ()
    """What speaks against the planned product for this person; no part of a form, and set by who knows it."""

    @property
    def fillable(self) -> bool:
        """Whether the person may be certified as far as the facts go."""
        return may_be_certified(self.answer)

    @property
    def missing(self) -> tuple[Entry, ...]:
        """What has to be in the form and is not in the case."""
        return tuple(each for each in self.entries if each.state == "missing")

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "draft": f"{DRAFT} {SUBMITTED}",
            "case": self.case,
            "fillable": self.fillable,
            "form": "common" if self.common else self.answer.jurisdiction,
            "access": self.answer.to_json(),
            "safety": list(self.safety),
            "fields": [
                {
                    **{
                        name: getattr(each.field, name)
                        for name in ("id", "part", "label", "need", "provenance")
                    },
                    "state": each.state,
                    "value": each.value or None,
                    "remark": each.remark,
                    "citation": each.field.citation or each.field.source.title,
                    "source_url": each.field.source.url,
                    "source_kind": each.field.source.kind,
                    "source_seen": None if (seen := each.field.source.seen) is None else seen.isoformat(),
                }
                for each in self.entries
            ],
            "missing": [each.field.id for each in self.missing],
            "visit": [asdict(each) for each in self.steps],
        }


def may_be_certified(answer: Answer) -> bool:
    """Eligible, or at the practitioner's discretion. Unknown is not enough to fill a form."""
    return answer.status in ("eligible", "eligible_at_discretion")


def draft(case: Case, on: datetime.date, *, code: str | None = None, more: Facts | None = None) -> Draft:
    """The draft for a case on one day.

    Parameters
    ----------
    code : where it is certified; the case's residence without it.
    more : what else is known of the person and the visit, as that it is a renewal.

    Raises
    ------
    RuleError where the case has no residence, or one of which there are no rules, or none on that day.
    """
    kind_of("case", case, Case, wrong=RuleError, do="read it with read_case(FILE).")
    if (code := code or case.place.residence) is None:
        raise RuleError(
            "place.residence is missing: it decides which law applies.",
            where=case.case,
            allowed="a code, as US-NY.",
            do="write it into the case.",
        )
    place = jurisdiction(code)
    facts = facts_of_case(case, away=code != case.place.residence)
    if more is not None:
        kind_of("more", more, Facts, wrong=RuleError, do="leave it out, or read it with read_facts(FILE).")
        facts = with_more(facts, more)
        at = case.place.model_copy(update={"practitioner": facts.practitioner, "visit": facts.visit})
        who = case.person.model_copy(update={"age_years": facts.age})
        case = case.model_copy(update={"place": at, "person": who})
    answer = decide(facts, place.code, on)
    version = _version(place, answer)
    if version is None:
        first = place.versions[0]
        raise RuleError(
            f"is {on}, and no rule of {place.name} was in force on that day; the first is {first.id}, "
            f"from {first.begins}.",
            where="the day of certifying",
            do=f"correct the day; `lissive access history {place.code}` shows the rules.",
        )
    fields = fields_of(place.code, on)
    entries = tuple(_entry(field, case, facts, answer) for field in fields)
    steps = tuple(each for each in visit_steps(place, version, on) if concerns(each.kind, facts))
    return Draft(case.case, answer, version, all(each.place != place.code for each in fields), entries, steps)


def _version(place: Jurisdiction, answer: Answer) -> Version | None:
    return next((each for each in place.versions if each.id == answer.rule), None)


def _entry(field: FormField, case: Case, facts: Facts, answer: Answer) -> Entry:
    remarks = [field.note]
    if (
        field.fills in ("product", "form")
        and answer.product.status != "not_asked"
        and not _by_programme(answer)
    ):
        can_be_had = answer.product.status != "not_obtainable" or case.plan.product is None
        planned = _product(case) if can_be_had else product(case.plan.product or "").label  # no dose of it
        why = answer.product.why.rstrip(".")
        remarks.append(f"planned: {planned}; {answer.product.status.replace('_', ' ')}: {why}")
    if field.place != COMMON:  # of the common shape it is said once, of the whole
        remarks.append(dated(field, answer.on))
        if field.provenance == "recalled":
            remarks.append("unverified that it is required")
        elif field.source.kind == "secondary":
            remarks.append("by a secondary source")
    state, value = _state(field, case, facts, answer)
    if state == "filled" and (less := _PARTLY.get(field.fills or "")):
        state = "missing"
        remarks.insert(0, less)
    if field.fills == "practitioner" and "practitioner_type" in answer.blocks and state == "filled":
        state = "missing"
        remarks.insert(0, "the case names one who may not certify there")
    if state != "withheld" and _is_minor(field, facts) is None:
        remarks.insert(0, "if the patient is a minor: the age is not in the case")
    elif field.when == "caregiver" and state == "optional":
        remarks.insert(0, "if there is a caregiver: the facts do not say")
    return Entry(field, state, value, "; ".join(each for each in remarks if each))


def _by_programme(answer: Answer) -> bool:
    """Whether the planned product can be had by a certification, and not on a prescription or without either."""
    return answer.product.status == "obtainable" and answer.product.route == "programme"


_PARTLY: Mapping[str, str] = {
    "residence": "the case has no more than the state or country",
    "since": "the case has when the spasms began, and not the diagnosis",
}
"""What of a case is less than the field asks."""


def _state(field: FormField, case: Case, facts: Facts, answer: Answer) -> tuple[State, str]:
    applies = _applies(field, facts)
    if applies is False:
        return "not_applicable", ""
    if not may_be_certified(answer):
        return "withheld", ""
    value = _FILLS[field.fills](case) if field.fills else ""
    if field.fills in ("product", "form", "dose") and not _by_programme(answer):
        value = ""  # nothing is ticked that is not known to be had there by this form
    if field.fills == "visit" and facts.initial is False:
        value = f"{value}, renewal" if value else "renewal"
    if field.part == "statements":  # whatever the case says, nobody states it but the practitioner
        return "practitioner", f"planned: {value}" if value else ""
    if value:
        return "filled", value
    if field.id in ("date", "signature"):
        return "practitioner", ""
    needed = field.need == "required" or (field.when and applies)
    return ("missing", "") if needed else ("optional", "")


def _applies(field: FormField, facts: Facts) -> bool | None:
    """Whether a field that is not always asked is asked of this person; None where there may be a caregiver.

    Of a person whose age is not known what is asked of minors is asked.
    """
    match field.when:
        case "":
            return True
        case "minor":
            return _is_minor(field, facts) is not False
        case "caregiver":
            return True if _is_minor(field, facts) is True else facts.caregiver
    return {"hiv": "hiv_aids", "terminal": "terminal_illness"}[field.when] in implied(facts.dx)


def _is_minor(field: FormField, facts: Facts) -> bool | None:
    """Whether the person is below the age of a field for minors, or of minors and caregivers."""
    if field.when not in ("minor", "caregiver"):
        return False
    if facts.age is None:
        return None if field.when == "minor" else False
    return facts.age < (field.below_age or limits()["minor_steps_below"])


# -- what the case says, in the words of a form -----------------------------------------------------
def _condition(case: Case) -> str:
    cause, symptom = case.spasm.cause, _symptom(case)
    if cause is None:
        return f"{symptom} (the cause is not in the case)" if symptom else ""
    return f"{causes()[cause]}{f', with {symptom}' if symptom else ''}"


def _symptom(case: Case) -> str:
    """Spasms with the adjectives that were judged, and spasticity where it is rated."""
    spasm = case.spasm
    said = [word for word in ("severe", "persistent") if getattr(spasm, word)]
    found = []
    if said or spasm.spasms_per_day or spasm.severity_nrs:
        found.append(" and ".join(said) + " muscle spasms" if said else "muscle spasms")
    if spasm.spasticity_nrs:
        found.append("spasticity")
    return " and ".join(found)


def _since(case: Case) -> str:
    """In the usage of the place."""
    us = (case.place.residence or "").startswith("US")
    return "" if case.spasm.since is None else f"since {day_text(case.spasm.since, us=us)}"


def _severity(case: Case) -> str:
    spasm = case.spasm
    judged = {True: "yes", False: "no", None: "not said"}
    parts = [
        None if spasm.spasms_per_day is None else f"{spasm.spasms_per_day:g} spasms on an average day",
        None if spasm.severity_nrs is None else f"spasm severity {spasm.severity_nrs:g} of 10",
        None if spasm.spasticity_nrs is None else f"spasticity {spasm.spasticity_nrs:g} of 10",
        None if spasm.pain_nrs is None else f"pain {spasm.pain_nrs:g} of 10",
        _since(case) or None,
        None if spasm.severe is None else f"judged severe: {judged[spasm.severe]}",
        None if spasm.persistent is None else f"judged persistent: {judged[spasm.persistent]}",
    ]
    return "; ".join(part for part in parts if part is not None)


def _past(case: Case) -> str:
    tried = case.history.tried
    if tried is None:
        return ""
    if not tried:
        return "none tried"
    outcome = case.history.outcome or {}
    said = [f"{_words(each)}: {_words(outcome[each])}" if each in outcome else _words(each) for each in tried]
    unsaid = [_words(each) for each in tried if each not in outcome]
    rest = f" (the outcome of {', '.join(unsaid)} is not in the case)" if unsaid else ""
    return f"{'; '.join(said)}{rest}"


def _present(case: Case) -> str:
    history = case.history
    parts = []
    if history.current is not None:
        drugs = [
            f"{_words(each.drug)} {each.dose}" if each.dose else _words(each.drug) for each in history.current
        ]
        parts.append(", ".join(drugs) or "no drugs")
    if history.opioids is not None:
        parts.append(f"opioids: {history.opioids}")
    return "; ".join(parts)


def _product(case: Case) -> str:
    plan = case.plan
    if plan.product is None:
        return ""
    parts = [product(plan.product).label]
    if plan.titration == "label":
        parts.append("titrated by the label")
    parts += [said] if (said := _dose(case)) else []
    if plan.weeks is not None:
        parts.append(f"for {plan.weeks} week{'' if plan.weeks == 1 else 's'}")
    return ", ".join(parts)


def _dose(case: Case) -> str:
    plan = case.plan
    parts = [
        plan.dose_text() or None,
        None if plan.max_sprays_per_day is None else f"at most {plan.max_sprays_per_day} sprays a day",
    ]
    return ", ".join(part for part in parts if part is not None)


def _form(case: Case) -> str:
    """The form of a programme's product; of a licensed medicine its name."""
    said = product_of(case.plan.product) if case.plan.product is not None else None
    return "" if said is None else products()[said].text


def _words(word: str) -> str:
    return word.replace("_", " ")


_FILLS: Mapping[str, Callable[[Case], str]] = {
    "practitioner": lambda case: case.place.practitioner or "",
    "age": lambda case: "" if case.person.age_years is None else f"{case.person.age_years:g} years",
    "residence": lambda case: case.place.residence or "",
    "condition": _condition,
    "symptom": _symptom,
    "severity": _severity,
    "past_treatments": _past,
    "present_treatments": _present,
    "product": _product,
    "form": _form,
    "dose": _dose,
    "since": _since,
    "visit": lambda case: _words(case.place.visit or ""),
}
"""What of a case fills a field, by the table's word for it."""
