"""The sections of a visit's page: what each asks, what stands in it first, and what of it is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from lissive.access import Answer
from lissive.case import causes, make_case
from lissive.case.vocabulary import visits
from lissive.clinic.forms import Choice, Day, Form, Text, Texts, place_text, places
from lissive.clinic.models import Visit, VisitKind
from lissive.clinic.visit.law import (
    asks_pregnancy,
    clause_of,
    is_adjective,
    is_judged,
    is_lookup_duty,
    question_of,
    rule_on,
)
from lissive.clinic.visit.record import DOCUMENTS, is_overtaken, kind_of, said
from lissive.clinic.visit.standing import law_of, place_of, residence_of, stated_in, to_handle, where_of
from lissive.errors import CaseError
from lissive.report.words import upper_first
from lissive.safety.answer import Flag

Parts = dict[str, dict[str, Any]]
YES_NO = [("yes", "Yes"), ("no", "No")]
HOW = {VisitKind.VIDEO: "held to the camera", VisitKind.AUDIO: "read out on the telephone"}
SEEN = "seen in the original"
STEPS = [
    ("", "Choose"),
    ("followed", "Done, or agreed with the patient"),
    ("changed", "The plan was changed"),
    ("accepted", "Accepted: the benefit outweighs it"),
    ("not_so", "Does not apply to this patient"),
]
"""What is done about a safety flag."""
LOOKED = [
    ("clear", "Looked into: nothing of concern"),
    ("found", "Looked into: see the note"),
    ("not_done", "Not looked into: see the reason"),
]
CLEAR = "Nothing of concern"


@dataclass(frozen=True)
class Need:
    """A field that has to be filled in where another has one of some values."""

    where: str
    has: tuple[str, ...]
    field: str
    why: str


@dataclass
class Section:
    """One form of the page, which saves by itself."""

    name: str
    head: str
    parts: tuple[str, ...]
    """Of the record, which it writes."""
    fields: Mapping[str, forms.Field]
    values: Texts
    """What stands in the fields: what is recorded, else what is known from before."""
    kept: Callable[[Mapping[str, Any]], Parts]
    """The parts of the record from what was typed."""
    about: tuple[tuple[str, str], ...] = ()
    """Sentences above the fields, each with its source or none."""
    flags: tuple[Flag, ...] = ()
    needs: tuple[Need, ...] = ()

    def bound(self, typed: Mapping[str, str] | None) -> Form:
        made = type("SectionForm", (Form,), {**self.fields, "optional": ""})
        form: Form = made(initial=self.values) if typed is None else made(typed)
        for need in self.needs if form.is_bound and form.is_valid() else ():
            if form.cleaned_data[need.where] in need.has and not form.cleaned_data[need.field]:
                form.add_error(need.field, need.why)
        return form

    @property
    def groups(self) -> list[list[str]]:
        """Names of fields that stand together: those of one part; how and where the patient is seen are one."""
        found: dict[str, list[str]] = {}
        for name in self.fields:
            part = name.partition(".")[0]
            found.setdefault("place" if part == "seen" else part, []).append(name)
        return list(found.values())

    def is_done(self, visit: Visit) -> bool:
        return all(part in visit.record and not is_overtaken(visit, part) for part in self.parts)


class YesNo(forms.ChoiceField):
    """Two buttons of which none is pressed at first."""

    def __init__(self, label: str, hint: str = "") -> None:
        wrong = {"invalid_choice": f"{label} Choose yes or no."}
        super().__init__(choices=YES_NO, label=label, required=False, help_text=hint, error_messages=wrong)


def sections(visit: Visit, answer: Answer | None, before: Visit | None = None) -> list[Section]:
    """The sections of this visit, in order. `before`: the patient's last visit, for what seldom changes."""
    every = [start(visit, before), lookup(visit), findings(visit, answer, before)]
    if flags := _flags(visit):
        every.append(safety(visit, flags))
    return every


def _flags(visit: Visit) -> list[Flag]:
    try:
        return [] if visit.case is None else to_handle(make_case(visit.case.data))
    except CaseError:  # its page says what is wrong with it
        return []


def _bool(text: Any) -> bool | None:
    return {"yes": True, "no": False}.get(str(text))


def _text(value: Any) -> str:
    """What is kept, as it is typed."""
    return (
        ""
        if value is None
        else {True: "yes", False: "no"}.get(value, "")
        if isinstance(value, bool)
        else str(value)
    )


def _values(visit: Visit, parts: tuple[str, ...], known: Texts) -> Texts:
    """What is recorded, field by field; of a part that is not yet, what is known from before."""
    found = {name: text for name, text in known.items() if name.partition(".")[0] not in visit.record}
    for part in parts:
        found |= {f"{part}.{name}": _text(value) for name, value in said(visit, part).items()}
    return found


def _fields_of(typed: Mapping[str, Any], part: str) -> dict[str, Any]:
    """The fields of a part as they are kept: yes and no as such, days as text, nothing where nothing was said."""
    found: dict[str, Any] = {}
    for name, value in typed.items():
        if name.startswith(f"{part}.") and value not in ("", None):
            truth = _bool(value)
            found[name.partition(".")[2]] = str(value) if truth is None else truth
    return found


# -- start -----------------------------------------------------------------------------------------
def start(visit: Visit, before: Visit | None = None) -> Section:
    """How and where the patient is seen, who they are, and who acts for a minor."""
    residence, where = residence_of(visit), where_of(visit)
    fields: dict[str, forms.Field] = {
        "seen.kind": Choice("How is the patient seen?", VisitKind.choices, required=True),
        "place.code": Choice("Where is the patient now?", [("", "Choose"), *places()], required=True),
        "place.words": Text("Address or place", 200, hint="If it is not the address of the record."),
        "identity.document": Choice("Document", [("", "None yet"), *DOCUMENTS.items()]),
        "identity.number_masked": Text("Last 4 characters of its number", 5, hint="No more of it is kept."),
        "identity.expires": Day("Document expires"),
        "identity.matched": YesNo("Does it match the person?"),
        "identity.how": Text("How it was checked", 200),
    }
    parts = ["seen", "place", "identity"]
    known = {
        "seen.kind": visit.kind,
        "place.code": where or residence,
        "identity.how": HOW.get(VisitKind(kind_of(visit)), SEEN),
    }
    if before is not None:
        last = said(before, "identity")
        known |= {
            f"identity.{name}": _text(last.get(name)) for name in ("document", "number_masked", "expires")
        }
    if "programme" in visit.record or (where and residence and where != residence):
        parts.append("programme")
        choices = [("", "That of the residence")] + [
            (code, place_text(code)) for code in dict.fromkeys((where, place_of(visit)))
        ]
        fields |= {
            "programme.code": Choice(
                "Under which programme?", choices, hint="The patient is away from home."
            ),
            "programme.home_card": YesNo("Does the patient hold a card of their home?"),
            "programme.home_card_expires": Day("That card expires"),
        }
    if is_minor(visit) or said(visit, "capacity").get("has") is False:
        parts.append("minor")
        fields |= {
            "minor.guardian_present": YesNo("Is a parent or guardian present, who acts for the patient?"),
            "minor.guardian_name": Text("Parent's or guardian's name", 200),
            "minor.relation": Text("Relation to the patient", 100),
            "minor.papers": Text("Papers seen", 200),
        }

    def kept(typed: Mapping[str, Any]) -> Parts:
        found = {part: _fields_of(typed, part) for part in parts}
        if number := found["identity"].get("number_masked"):
            found["identity"]["number_masked"] = f"…{number[-4:].lstrip('…')}"
        return found

    needs = (
        Need("identity.matched", ("yes", "no"), "identity.document", "Document: choose which one was shown."),
        *((Need("minor.guardian_present", ("yes",), "minor.guardian_name", "Parent's or guardian's name: enter it."),)
          if "minor" in parts else ()),
    )  # fmt: skip
    return Section(
        "start", "Start", tuple(parts), fields, _values(visit, tuple(parts), known), kept, needs=needs
    )


def is_minor(visit: Visit) -> bool:
    """Whether somebody has to act for the patient, by the place's age."""
    from lissive.clinic.forms import age_on

    place = law_of(visit)
    rule = rule_on(place, visit.day) if place else None
    return age_on(visit.patient.born, visit.day) < (rule.minor_below if rule else 18)


# -- the look-up -----------------------------------------------------------------------------------
_SYSTEM = re.compile(r"[\w-]*[A-Z][\w-]*[A-Z][\w/-]*")


def lookup(visit: Visit) -> Section:
    """The prescription monitoring programme: what was found, or why it was not looked into."""
    place = law_of(visit)
    clause, is_duty = (
        (clause_of(place, visit.day, "pmp"), is_lookup_duty(place, visit.day)) if place else (None, None)
    )
    text = clause.text if clause else ""
    system = _SYSTEM.search(text.partition(" [")[0])
    fields: dict[str, forms.Field] = {
        "pmp.result": forms.ChoiceField(
            label="Result",
            choices=LOOKED,
            required=False,
            error_messages={"invalid_choice": "Result: choose one of the three."},
        ),
        "pmp.note": Text("Note or reason", 500),
        "pmp.system": Text("System", 120),
        "pmp.duty": Choice(
            "Was it required?", [("duty", "Required"), ("voluntary", "Voluntary")], required=True
        ),
    }
    one = said(visit, "pmp")
    finding, reason = one.get("finding", ""), one.get("not_done_reason", "")
    values = {
        "pmp.result": "clear" if finding == CLEAR else "found" if finding else "not_done" if reason else "",
        "pmp.note": reason or ("" if finding == CLEAR else finding),
        "pmp.system": one.get("system") or (system[0] if system else ""),
        "pmp.duty": one.get("duty") or ("duty" if is_duty else "voluntary"),
    }
    needs = (
        Need("pmp.result", ("found",), "pmp.note", "Note: write what was found."),
        Need("pmp.result", ("not_done",), "pmp.note", "Reason: write why it was not looked into."),
    )

    def kept(typed: Mapping[str, Any]) -> Parts:
        result, note = typed["pmp.result"], typed["pmp.note"]
        found = {"system": typed["pmp.system"], "duty": typed["pmp.duty"]}
        if result in ("clear", "found"):
            found["finding"] = note or CLEAR
        else:
            found["not_done_reason"] = note
        return {"pmp": {name: value for name, value in found.items() if value}}

    known = (
        (upper_first(text), clause.source)
        if clause and text
        else ("The tables have nothing on it there.", "")
    )
    return Section("lookup", "Prescription monitoring", ("pmp",), fields, values, kept, (known,), needs=needs)


# -- findings --------------------------------------------------------------------------------------
def judged_facts(visit: Visit, answer: Answer | None) -> list[str]:
    """The facts that the practitioner is asked to judge: what the law's answer rests on, or still lacks."""
    missing = [] if answer is None else [each.fact for each in answer.missing if is_judged(each.fact)]
    rests_on = [] if answer is None else [each for each in answer.depends_on if is_adjective(each)]
    return list(dict.fromkeys([*missing, *rests_on, *said(visit, "adjectives")]))


def label_of(fact: str) -> str:
    """A judged fact as a question.

    >>> label_of("symptoms.muscle_spasms.severe"), label_of("symptoms.pain")
    ('Are the muscle spasms severe?', 'Is there pain?')
    """
    words = question_of(fact)
    found = re.fullmatch(r"whether (the .+?|there) (is|are) (.+)", words)
    return f"{found[2].title()} {found[1]} {found[3]}?" if found else upper_first(words)


def findings(visit: Visit, answer: Answer | None, before: Visit | None = None) -> Section:
    """What was found, the diagnosis with its evidence, and what the statute asks to be judged."""
    fields: dict[str, forms.Field] = {
        "findings.text": Text("Findings", 5_000, lines=True),
        "findings.diagnosis": Text("Diagnosis", 200),
        "findings.evidence": Text(
            "Record that shows it", 300, hint="For example a neurology letter or an MRI report."
        ),
        "findings.evidence_author": Text("Author of that record", 200),
        "findings.evidence_date": Day("Date of that record"),
    }
    parts = ["findings", "adjectives"]
    known = {"findings.diagnosis": upper_first(causes().get(stated_in(visit, "spasm", "cause"), ""))}
    if before is not None:
        last = said(before, "findings")
        known |= {f"findings.{name}": _text(value) for name, value in last.items() if name != "text"}
    values = _values(visit, ("findings", "capacity"), known)
    facts = judged_facts(visit, answer)
    for fact in facts:
        one = said(visit, "adjectives").get(fact, {})
        fields[f"judged.{fact}"] = YesNo(label_of(fact))
        fields[f"reason.{fact}"] = Text("Reason", 500)
        values |= {f"judged.{fact}": _text(one.get("value")), f"reason.{fact}": one.get("reason", "")}
    about: list[tuple[str, str]] = []
    if answer is not None and facts:
        clause = clause_of(answer.jurisdiction, answer.on, "rule")
        about.append((clause.text, clause.source))
    place = law_of(visit)
    asked = asks_pregnancy(place, visit.day) if place and visit.patient.sex != "male" else None
    if asked:
        parts.append("pregnancy")
        words = [("none", "Not pregnant"), ("planned", "Planned"), ("current", "Pregnant")]
        fields["pregnancy.value"] = Choice("Pregnancy", [("", "Not asked yet"), *words])
        values |= _values(visit, ("pregnancy",), {"pregnancy.value": stated_in(visit, "person", "pregnancy")})
        about.append((asked.text, asked.source))
    if not is_minor(visit):
        parts.append("capacity")
        fields["capacity.has"] = YesNo("Can the patient consent?")
        fields["capacity.note"] = Text("Note on consent", 300)

    def kept(typed: Mapping[str, Any]) -> Parts:
        found = {part: _fields_of(typed, part) for part in parts if part != "adjectives"}
        found["adjectives"] = {
            fact: {"value": _bool(typed[f"judged.{fact}"]), "reason": typed[f"reason.{fact}"]}
            for fact in facts
            if typed[f"judged.{fact}"]
        }
        return found

    needs = tuple(
        Need(f"judged.{fact}", ("yes", "no"), f"reason.{fact}", "Reason: write on what this rests.")
        for fact in facts
    )
    return Section("findings", "Findings", tuple(parts), fields, values, kept, tuple(about), needs=needs)


# -- safety ----------------------------------------------------------------------------------------
def safety(visit: Visit, flags: list[Flag]) -> Section:
    """Each grave flag with what is done about it."""
    fields: dict[str, forms.Field] = {}
    values: Texts = {}
    for flag in flags:
        one = said(visit, "safety").get(flag.id, {})
        fields[f"step.{flag.id}"] = Choice("What is done", STEPS)
        fields[f"reason.{flag.id}"] = Text("Reason", 500)
        values |= {f"step.{flag.id}": one.get("step", ""), f"reason.{flag.id}": one.get("reason", "")}

    def kept(typed: Mapping[str, Any]) -> Parts:
        return {
            "safety": {
                flag.id: {
                    "step": typed[f"step.{flag.id}"],
                    "reason": typed[f"reason.{flag.id}"],
                    "said": flag.short,
                }
                for flag in flags
                if typed[f"step.{flag.id}"]
            }
        }

    needs = tuple(
        Need(
            f"step.{flag.id}",
            ("changed", "accepted", "not_so"),
            f"reason.{flag.id}",
            "Reason: write it down.",
        )
        for flag in flags
    )
    return Section("safety", "Safety", ("safety",), fields, values, kept, flags=tuple(flags), needs=needs)


# -- what the case is told -------------------------------------------------------------------------
_CASE_OF = {
    "symptoms.muscle_spasms.severe": "spasm.severe",
    "symptoms.muscle_spasms.persistent": "spasm.persistent",
}


def facts_for_case(visit: Visit, parts: Parts) -> dict[str, Any]:
    """What of the record is a fact of the case as well, by its field."""
    found: dict[str, Any] = {}
    for fact, one in parts.get("adjectives", {}).items():
        name = _CASE_OF.get(fact, fact if fact.startswith("flags.") else "")
        if name:
            found[name] = one["value"]
    if value := parts.get("pregnancy", {}).get("value"):
        found["person.pregnancy"] = value
    if (kind := parts.get("seen", {}).get("kind")) in visits():
        found |= {"place.visit": kind, "place.practitioner": visit.practitioner.profession}
    return found
