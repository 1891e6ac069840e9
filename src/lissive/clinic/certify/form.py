"""The form of the state, field by field: what the case and the records fill, what is typed, what is ticked."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from django.db import models

from lissive import fingerprint
from lissive.access import Facts
from lissive.access.certificate import Draft, Entry
from lissive.access.certificate import draft as drafted
from lissive.access.logic import person
from lissive.case import make_case
from lissive.clinic.certify.paper import part_head
from lissive.clinic.forms import day_text
from lissive.clinic.models import Certificate, Credential, Visit
from lissive.clinic.visit.record import said
from lissive.clinic.visit.standing import current, facts_of
from lissive.report.certificate_text import PARTS

Kind = Literal["value", "input", "tick", "signing", "none"]
"""Known from the case or the records; to be typed; to be ticked; made by the signature; not asked of this person."""
EDITABLE = ("recommendation", "minors")
"""Parts of a form in which the practitioner writes, whatever is known."""
CONFIRMED = frozenset(
    "unread patient_ssn patient_id acknowledgement attest_consent attest_law attest_risks hiv_consent licence_notice "
    "guardian_consent paediatric".split()
)
"""Fields for what is kept elsewhere, or entered in the state's system alone: they are ticked, not typed."""


@dataclass(frozen=True)
class Line:
    """One field of the form."""

    id: str
    part: str
    label: str
    kind: Kind
    value: str
    of: str
    """Where the value is from."""
    is_required: bool
    citation: str
    url: str
    remark: str
    ticked: Mapping[str, str] | None = None
    """Who ticked it and when."""
    is_unverified: bool = False
    """The text that asks for it was not read."""
    print: str = ""
    """Of what is ticked: its words, the rule and the case, so that a tick holds for these alone."""

    @property
    def is_missing(self) -> bool:
        if self.kind == "tick":
            return self.is_required and self.ticked is None
        return self.kind in ("value", "input") and self.is_required and not self.value


@dataclass(frozen=True)
class Sheet:
    """The whole form of a certificate on a day."""

    draft: Draft
    lines: tuple[Line, ...]
    expires: datetime.date | None
    is_expiry_known: bool

    @property
    def missing(self) -> tuple[Line, ...]:
        return tuple(each for each in self.lines if each.is_missing)

    def parts(self, *kinds: Kind) -> list[tuple[str, list[Line]]]:
        """Lines by part of the form, in its order, of these kinds alone."""
        found = []
        for part in PARTS:
            mine = [each for each in self.lines if each.part == part and (not kinds or each.kind in kinds)]
            if mine:
                found.append((part_head(part), mine))
        return found

    def to_json(self) -> list[dict[str, Any]]:
        return [{k: v for k, v in asdict(each).items() if k != "print"} for each in self.lines]


def expires_of(draft: Draft, facts: Facts, on: datetime.date) -> tuple[datetime.date | None, bool]:
    """The last day of a certificate of that day, None where it has none; and whether that is known.

    A visitor's ends with the pass. Where the table has no length, the practitioner's own end is the only one.
    """
    answer, version = draft.answer, draft.version
    ends = [each.on for each in answer.dates if each.what.startswith("visitor's pass")]
    ends += [each for each in (answer.expires, facts.ends) if each is not None]
    if ends:
        return min(ends), True
    is_terminal = any(word.startswith("terminal_") for word in person(facts, on).had)
    return None, bool(version.no_expiry_if_terminal and is_terminal)


def ends_of(certificate: Certificate) -> datetime.date | None:
    """The earlier end that the practitioner sets."""
    ends = certificate.content.get("ends")
    return datetime.date.fromisoformat(ends) if ends else None


def sheet_of(certificate: Certificate, on: datetime.date) -> Sheet:
    """The form as it would be signed on that day. Raises CaseError, or RuleError where nothing was in force."""
    visit, case = certificate.visit, certificate.case
    models.prefetch_related_objects(
        [visit.practitioner], "credentials"
    )  # which are asked for again and again
    facts = replace(facts_of(visit), ends=ends_of(certificate))
    draft = drafted(make_case(case.data), on, code=certificate.place, more=facts)
    records = Records(visit, draft.answer.jurisdiction, on, facts.ends)
    typed = certificate.content.get("typed", {})
    stamp = (draft.answer.rule or "", str(case.version))
    lines = (_line(each, records, typed, certificate.grounds, stamp) for each in draft.entries)
    return Sheet(draft, tuple(lines), *expires_of(draft, facts, on))


def _line(
    entry: Entry,
    records: Records,
    typed: Mapping[str, str],
    ticks: Mapping[str, Any],
    stamp: tuple[str, ...],
) -> Line:
    field = entry.field
    known = RECORDS[field.id](records) if field.id in RECORDS else ""
    value, of = (known, "the records") if known else (entry.value, "the case" if entry.value else "")
    kind: Kind = "value" if value and (known or entry.state == "filled") else "input"
    if entry.state == "not_applicable":
        kind, value = "none", ""
    elif field.id in ("date", "signature"):
        kind = "signing"
    elif field.part == "statements" or field.id in CONFIRMED:
        kind = "tick"
    elif field.id == "until_date":  # the earlier end, which has its own field
        kind = "value"
    elif kind == "input" or field.part in EDITABLE:
        kind = "input"
        if field.id in typed:
            value, of = typed[field.id], "the practitioner"
    print_ = fingerprint.of_texts(field.id, field.label, field.citation, *stamp)
    tick = ticks.get(field.id)
    return Line(
        field.id,
        field.part,
        field.label,
        kind,
        "" if kind == "signing" else value,
        of,
        field.need == "required" or entry.state in ("missing", "practitioner"),
        field.citation or ("" if field.source.kind == "none" else field.source.title),
        field.source.url or "",
        _remark(entry, kind),
        tick if tick and tick.get("print") == print_ else None,
        field.provenance == "recalled",
        print_,
    )


def _remark(entry: Entry, kind: Kind) -> str:
    """The draft's remark; of what is complete now, without what the case alone lacked."""
    if kind == "value" and entry.state == "missing":
        return "; ".join(each for each in entry.remark.split("; ") if not each.startswith("the case has"))
    return entry.remark


# -- what the clinic's records fill -------------------------------------------------------------------
class Records:
    """The practitioner's and the patient's own data, and the visit's."""

    def __init__(self, visit: Visit, place: str, on: datetime.date, ends: datetime.date | None) -> None:
        self.visit, self.patient, self.practitioner = visit, visit.patient, visit.practitioner
        self.place, self.on, self.ends = place, on, ends

    def contact(self, *names: str) -> str:
        """The practitioner's own, or the clinic's."""
        page = getattr(self.visit.organisation, "page", None)
        return _lines(*(getattr(self.practitioner, each) or getattr(page, each, "") for each in names))

    def number(self, kind: str) -> str:
        """Of the credential that holds there."""
        found = current(self.practitioner, kind, self.place, self.on)
        return "" if found is None else found.number

    @property
    def second(self) -> str:
        decision = getattr(self.visit, "decision", None)
        by = decision.second_by if decision is not None and decision.second_agrees else None
        return "" if by is None else by.shown_name

    @property
    def guardian(self) -> str:
        minor = said(self.visit, "minor")
        return ", ".join(str(minor[name]) for name in ("guardian_name", "relation") if minor.get(name))


def _lines(*texts: str) -> str:
    return ", ".join(", ".join(each.split("\n")).replace("\r", "") for each in texts if each)


_KIND = Credential.Kind
RECORDS: Mapping[str, Callable[[Records], str]] = {
    "practitioner_type": lambda r: r.practitioner.profession,
    "practitioner_name": lambda r: r.practitioner.name,
    "practitioner_address": lambda r: r.contact("address"),
    "practitioner_telephone": lambda r: r.contact("phone"),
    "practitioner_email": lambda r: r.contact("email"),
    "practitioner_contact": lambda r: r.contact("address", "phone", "email"),
    "practice": lambda r: r.contact("address"),
    "licence_number": lambda r: r.number(_KIND.LICENCE),
    "dea_number": lambda r: r.number(_KIND.CONTROLLED),
    "cds_number": lambda r: r.number(_KIND.CONTROLLED),
    "registration_number": lambda r: r.number(_KIND.CONTROLLED) or r.number(_KIND.REGISTRATION),
    "certificate_to_recommend": lambda r: r.number(_KIND.REGISTRATION),
    "permit": lambda r: r.number(_KIND.REGISTRATION),
    "patient_name": lambda r: r.patient.name,
    "patient_birth": lambda r: day_text(r.patient.born),
    "patient_address": lambda r: _lines(r.patient.address),
    "patient_residence": lambda r: _lines(r.patient.address),
    "patient_telephone": lambda r: r.patient.phone,
    "patient_email": lambda r: r.patient.email,
    "patient_contact": lambda r: _lines(r.patient.address, r.patient.phone, r.patient.email),
    "until_date": lambda r: day_text(r.ends),
    "examination_date": lambda r: day_text(r.visit.day),
    "second_physician": lambda r: r.second,
    "second_provider": lambda r: r.second,
    "guardian": lambda r: r.guardian,
    "responsible_person": lambda r: r.guardian,
}
"""A field of a form to what of the records fills it."""


def ticked(
    lines: Iterable[Line], chosen: Iterable[str], was: Mapping[str, Any], by: str, at: str
) -> dict[str, Any]:
    """The ticks after a form was sent: those that stood stay as they are, of who made them and when."""
    wanted = set(chosen)
    found = {}
    for each in lines:
        if each.kind == "tick" and each.id in wanted:
            found[each.id] = was[each.id] if each.ticked else {"by": by, "at": at, "print": each.print}
    return found
