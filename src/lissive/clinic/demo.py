"""Invented clinics to try the pages with: nobody in them lives or has lived."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import yaml
from django.contrib.auth.hashers import make_password
from django.db import transaction

from lissive.clinic import audit
from lissive.clinic.models import Case, Organisation, Patient, Treatment, User
from lissive.clinic.place import Place

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
    organisation = Organisation.objects.create(name=given["name"], keep_years=given["keep_years"])
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
            phone=row.get("phone", ""),
            user=users.get(row.get("user", "")),
        )
        for drug, dose, outcome in row.get("tried", ()):
            Treatment.objects.create(patient=patient, drug=drug, dose=dose, outcome=outcome)
        if "case" in row:
            text = (CASES / f"{row['case']}.yaml").read_text()
            data = json.loads(json.dumps(yaml.safe_load(text), default=str))
            Case.objects.create(patient=patient, data=data, opened_by=owner)
    audit.append("demonstration", organisation=organisation.pk, kind="clinic", thing=organisation.pk)
