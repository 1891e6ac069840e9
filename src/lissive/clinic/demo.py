"""Invented clinics to try the pages with: nobody in them lives or has lived."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from lissive.clinic import audit, zones
from lissive.clinic.forms import age_on
from lissive.clinic.models import (
    Case,
    ClinicPage,
    Credential,
    Organisation,
    Patient,
    Practitioner,
    Slot,
    Treatment,
    User,
    Visit,
    VisitKind,
)
from lissive.clinic.place import Place
from lissive.clinic.visit import moves, record

HERE = Path(__file__).parent
CASES = next(
    folder for folder in (HERE / "examples", HERE.parents[2] / "examples" / "cases") if folder.is_dir()
)
"""In the package as it is installed, or beside the source."""


def fill(found: Place) -> str:
    """Write it, where it is not yet; how to log in, for the terminal."""
    password = (found.data / "demo").read_text().strip()
    given = yaml.safe_load((HERE / "demo.yaml").read_text())
    if not Organisation.objects.exists():
        with transaction.atomic():
            for clinic in given["clinics"]:
                _clinic(clinic, make_password(password))
    lines = [
        "A demonstration: every patient is invented, and no second factor is asked for (elsewhere it always is).",
        f"Password of all: {password}",
    ]
    for clinic in given["clinics"]:
        lines.append(f"{clinic['name']}:")
        lines += [f"  {name:14} {role.replace('_', ' ')}" for name, (role, _) in clinic["users"].items()]
    return "\n".join(lines)


def _clinic(given: dict[str, Any], password: str) -> None:
    organisation = Organisation.objects.create(
        name=given["name"], keep_years=given["keep_years"], place=given["place"]
    )
    with zones.at(organisation):
        _filled(given, organisation, password)


def _filled(given: dict[str, Any], organisation: Organisation, password: str) -> None:
    users = {}
    for name, (role, who) in given["users"].items():
        first, _, last = who.rpartition(" ")
        users[name] = User.objects.create(
            username=name,
            password=password,
            organisation=organisation,
            role=role,
            first_name=first,
            last_name=last,
        )
    owner = next(each for each in users.values() if each.role == "practitioner")
    for row in given["patients"]:
        patient = Patient.objects.create(
            organisation=organisation,
            given_name=row["given"],
            family_name=row["family"],
            born=datetime.date.fromisoformat(str(row["born"])),
            residence=row.get("residence", ""),
            sex=row.get("sex", ""),
            address=row.get("address", ""),
            email=row.get("email", ""),
            phone=row.get("phone", ""),
            user=users.get(row.get("user", "")),
        )
        for drug, dose, outcome in row.get("tried", ()):
            Treatment.objects.create(patient=patient, drug=drug, dose=dose, outcome=outcome)
        if "case" in row:
            text = (CASES / f"{row['case']}.yaml").read_text()
            data = json.loads(json.dumps(yaml.safe_load(text), default=str))
            if patient.residence:
                data["place"]["residence"] = patient.residence
            if patient.sex:
                data["person"]["sex"] = patient.sex
            if "age_years" in data["person"]:
                as_of = datetime.date.fromisoformat(data["as_of"])
                data["person"]["age_years"] = age_on(patient.born, as_of)
            Case.objects.create(patient=patient, data=data, opened_by=owner)
    _day(given, organisation, users)
    audit.append("demonstration", organisation=organisation.pk, kind="clinic", thing=organisation.pk)


# -- the clinic's day ------------------------------------------------------------------------------
def _day(given: dict[str, Any], organisation: Organisation, users: dict[str, User]) -> None:
    """What the clinic says of itself, who certifies, visits of today, free times of today and tomorrow."""
    if "page" in given:
        ClinicPage.objects.create(organisation=organisation, is_public=True, **given["page"])
    today = timezone.localdate()
    who = {}
    for row in given.get("practitioners", ()):
        said = {name: row[name] for name in ("name", "profession", "specialty", "video_url")}
        page = {name: given["page"][name] for name in ("address", "phone", "email")}
        who[row["user"]] = made = Practitioner.objects.create(
            organisation=organisation, user=users[row["user"]], **said, **page
        )
        for kind, place, number, days in row["credentials"]:
            Credential.objects.create(
                practitioner=made,
                kind=kind,
                place=place,
                number=number,
                expires=None if days is None else today + datetime.timedelta(days=days),
                checked_on=today - datetime.timedelta(days=30),
                checked_how="Looked up on the board's page",
                checked_by=users["administrator"],
            )

    def at(clock: str) -> datetime.datetime:
        return timezone.make_aware(datetime.datetime.combine(today, datetime.time.fromisoformat(clock)))

    for clock, name in given.get("slots", ()):
        for day in (0, 1):  # in the evening, those of today have passed
            starts = at(clock) + datetime.timedelta(days=day)
            Slot.objects.create(practitioner=who[name], starts=starts, kinds=list(VisitKind.values))
    for row in given.get("visits", ()):
        _visit(row, Patient.objects.get(organisation=organisation, family_name=row["of"]), who[row["by"]], at)


def _visit(
    row: dict[str, Any], patient: Patient, who: Practitioner, at: Callable[[str], datetime.datetime]
) -> None:
    starts = at(row["at"]) - datetime.timedelta(days=row.get("days", 0))
    place = row.get("place", patient.residence)
    visit = Visit.objects.create(
        organisation=patient.organisation,
        patient=patient,
        case=patient.cases.first(),
        practitioner=who,
        slot=Slot.objects.create(practitioner=who, starts=starts, kinds=list(VisitKind.values)),
        kind=row["kind"],
        day=timezone.localtime(starts).date(),
        starts=starts,
        place=place,
        booked_by=who.user,
    )
    if place != patient.residence:
        record.write(visit, {"programme": {"code": place, "home_card": row["home_card"]}}, who.user)
    if row["status"] in ("in_visit", "to_sign", "done"):
        record.write(visit, _record(row, place), who.user)
    if "days" in row:  # certified on paper: nothing of it is in this record
        Visit.objects.filter(pk=visit.pk).update(status=row["status"], began=starts, ended=starts)
        return
    # the states between are passed through, so that the trail is as it would be
    for status in {"to_sign": ("ready", "in_visit", "to_sign"), "in_visit": ("ready", "in_visit")}.get(
        row["status"], () if row["status"] == "booked" else (row["status"],)
    ):
        moves.move(visit, status, who.user, row.get("why", ""))


def _record(row: dict[str, Any], place: str) -> dict[str, dict[str, Any]]:
    """The record of a visit that has begun; of one that has ended, what was found as well."""
    begun = {
        "seen": {"kind": row["kind"]},
        "place": {"code": place, "words": row["seen"]},
        "identity": {
            "document": "driving_licence",
            "number_masked": "…4821",
            "expires": (timezone.localdate() + datetime.timedelta(days=800)).isoformat(),
            "matched": True,
            "how": "held to the camera" if row["kind"] == "video" else "seen in the original",
        },
    }
    if row["status"] == "in_visit":
        return begun
    return begun | {
        "pmp": {"system": "I-STOP/PMP", "duty": "voluntary", "finding": "Nothing of concern"},
        "findings": {
            "text": "Spasms of both legs, worse at night; clonus of the left ankle; walks with a stick.",
            "diagnosis": "Multiple sclerosis, relapsing-remitting (G35)",
            "evidence": "Neurology letter with MRI",
            "evidence_author": "M. Prentiss, MD",
            "evidence_date": "2026-08-14",
        },
        "capacity": {"has": True},
        "adjectives": {},
    }
