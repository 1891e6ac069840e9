"""A clinic of twenty thousand invented patients, by hand: python -m tests.clinic.many --data DIR [--patients N]

LISSIVE_DATABASE_URL puts them on PostgreSQL. Nobody can log in with a password: `tests.clinic.load` brings sessions.
"""

from __future__ import annotations

import argparse
import copy
import datetime
import os
import random
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PATIENTS, PEOPLE, SEED = 20_000, 50, 17
ANSWERED = 21
"""Of each so many cases one has its answer kept: a kept page is large."""
DAYS = 400
VISITS = 3
"""Of each case."""
GIVEN = "Ana Ben Carla Dmitri Esra Finn Grace Hugo Inès Jamal Keiko Lars Mónica Nia Omar Petra Quinn Rosa Sven Tomás"
FAMILY = "Abbott Baker Çelik Díaz Evans Fischer García Hughes Ibrahim Jones Kovač Lopez Müller Novak O’Neill Petrov"
MORE = "Quist Reyes Smith Tanaka Usman Vega Wright Xu Young Zhang Ng Brown Clark Moore Hall Nguyen"
PLACES = ("US-NY", "GB", "US-FL", "")
CASE: dict[str, Any] = {
    "case": "calculator",
    "as_of": "2026-11-22",
    "place": {"residence": "GB"},
    "person": {"age_years": 52, "sex": "female"},
    "spasm": {"cause": "multiple_sclerosis", "spasticity_nrs": 7},
    "history": {"current": ["baclofen 60 mg/day"], "tried": ["tizanidine"]},
    "plan": {"product": "nabiximols", "titration": "label", "weeks": 4},
}

RECORD: dict[str, dict[str, Any]] = {
    "seen": {"kind": "video"},
    "place": {"code": "US-NY", "words": "at home"},
    "identity": {"document": "passport", "number_masked": "…4821", "expires": "2031-05-04", "matched": True},
    "pmp": {"system": "PMP", "duty": "duty", "finding": "Nothing of concern"},
    "findings": {
        "text": "Spasms of both legs, worse at night. " * 8,
        "diagnosis": "G35",
        "evidence": "MRI report",
    },
    "capacity": {"has": True},
}
"""What is recorded of a visit, about as long as a practitioner's."""

DATES = {"expires": 365, "apply_by": 60, "exam_by": 180, "card_expires": 400}
"""Days after the visit."""


def shapes() -> list[dict[str, Any]]:
    """Data of cases that differ in their answer: place, cause, severity."""
    found = []
    for place, cause, nrs in (
        ("GB", "multiple_sclerosis", 7),
        ("US-NY", "spinal_cord_injury", 5),
        ("US-FL", "als", 8),
        ("GB", "stroke", 4),
    ):
        data = copy.deepcopy(CASE)
        data["place"]["residence"] = place
        data["spasm"] = {"cause": cause, "spasticity_nrs": nrs}
        found.append(data)
    return found


def fill(count: int) -> str:
    """Everything in one transaction; what was written, for the terminal."""
    from django.db import connection, transaction

    from lissive.clinic.models import Case, Organisation, Patient, Treatment

    draw = random.Random(SEED)
    with transaction.atomic():
        here = Organisation.objects.create(name="Load Street", keep_years=10)
        people = list(_people(here))
        patients = list(_patients(here, count, draw))
        Patient.objects.bulk_create(patients, batch_size=1000)
        drugs = ("baclofen", "tizanidine", "gabapentin", "diazepam")
        Treatment.objects.bulk_create(
            (Treatment(patient=each, drug=draw.choice(drugs), is_current=True) for each in patients),
            batch_size=1000,
        )
        data = shapes()
        cases = [
            Case(
                id=_key(draw),
                patient=each,
                data=data[k % len(data)],
                opened_by=people[k % PEOPLE],
                opened=each.added,
                changed=each.added,
                status="closed" if draw.random() < 0.3 and k % ANSWERED else "open",
            )
            for k, each in enumerate(patients)
        ]
        Case.objects.bulk_create(cases, batch_size=1000)
        visits = _visits(here, people, cases, draw)
        answers = _answers(cases, people[0])
        entries = _trail(people, cases, draw)
    if connection.vendor == "postgresql":  # which does so by itself within a minute
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    kept = f"{answers:,} answers kept, {entries:,} entries of the trail"
    return f"{len(patients):,} patients and cases, {visits:,} visits, {kept}"


def _key(draw: random.Random) -> uuid.UUID:
    return uuid.UUID(int=draw.getrandbits(128), version=4)


def _people(here: Any) -> Iterator[Any]:
    """Fifty with a second factor: nine in ten are practitioners, the others compliance. And an administrator."""
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    from lissive.clinic.models import User

    User.objects.create(username="load-admin", password="!", organisation=here, role="administrator")
    for k in range(PEOPLE):
        role = "compliance" if k % 10 == 9 else "practitioner"
        user = User(
            username=f"load-{k:02}", organisation=here, role=role, first_name="Load", last_name=f"{k:02}"
        )
        user.set_unusable_password()
        user.save()
        TOTP.activate(user, generate_totp_secret())
        yield user


def _patients(here: Any, count: int, draw: random.Random) -> Iterator[Any]:
    from django.utils import timezone

    from lissive.clinic.models import Patient, digits, folded

    now, first = timezone.now(), datetime.date(1935, 1, 1)
    given, family = GIVEN.split(), f"{FAMILY} {MORE}".split()
    for _ in range(count):
        patient = Patient(
            id=_key(draw),
            organisation=here,
            given_name=draw.choice(given),
            family_name=f"{draw.choice(family)}-{draw.choice(family)}",
            born=first + datetime.timedelta(days=draw.randrange(25_000)),
            residence=draw.choice(PLACES),
            sex=draw.choice(("female", "male", "")),
            phone=f"020 7946 {draw.randrange(10_000):04}",
            added=now - datetime.timedelta(minutes=draw.randrange(DAYS * 1440)),
        )
        patient.sought = folded(f"{patient.family_name} {patient.given_name}")
        patient.phone_digits = digits(patient.phone)
        yield patient


def _visits(here: Any, people: list[Any], cases: list[Any], draw: random.Random) -> int:
    """Three of each case, over the days before and some to come; those of today are in every state."""
    from django.utils import timezone

    from lissive.clinic.models import Credential, Practitioner, Visit

    today = timezone.localdate()
    who = [
        Practitioner(organisation=here, user=each, name=each.shown_name, profession="MD")
        for each in people
        if each.role == "practitioner"
    ]
    Practitioner.objects.bulk_create(who)
    ends = today + datetime.timedelta(days=300)
    Credential.objects.bulk_create(
        Credential(practitioner=each, kind=kind, place=place, number="1", expires=ends)
        for each in who
        for place in ("US-NY", "US-FL", "GB")
        for kind in ("licence", "controlled", "course")
    )
    ended, open_ones = (
        ("done", "done", "done", "declined", "no_show"),
        ("booked", "intake", "ready", "in_visit", "to_sign"),
    )
    found = []
    for k in range(VISITS * len(cases)):
        case, day = cases[k % len(cases)], today + datetime.timedelta(days=draw.randrange(-DAYS, 10))
        states = ended if day < today else open_ones[:3] if day > today else (*ended, *open_ones)
        local = datetime.datetime.combine(
            day, datetime.time(8 + draw.randrange(10), draw.choice((0, 20, 40)))
        )
        visit = Visit(
            id=_key(draw),
            organisation=here,
            patient=case.patient,
            case=case,
            practitioner=draw.choice(who),
            kind=draw.choice(("video", "video", "in_person", "home")),
            status=draw.choice(states),
            day=day,
            starts=timezone.make_aware(local),
            place=case.data["place"]["residence"],
        )
        if visit.status in ("done", "in_visit", "to_sign"):
            by = {"by": visit.practitioner.name, "as": "practitioner", "at": timezone.now().isoformat()}
            visit.record = {part: {**said, **by} for part, said in RECORD.items()}
            visit.began = visit.starts
            visit.id_expires = today + datetime.timedelta(days=draw.randrange(-200, 3000))
        found.append(visit)
    Visit.objects.bulk_create(found, batch_size=500)
    _certificates([each for each in found if each.status == "done"])
    return len(found)


def _certificates(visits: list[Any]) -> None:
    """One of each visit that is done, for a year, with the dates that a state sets."""
    from django.utils import timezone

    from lissive.clinic.models import Certificate

    def of(visit: Any) -> Any:
        days = {name: visit.day + datetime.timedelta(days=n) for name, n in DATES.items()}
        return Certificate(
            organisation=visit.organisation,
            patient=visit.patient,
            case=visit.case,
            visit=visit,
            practitioner=visit.practitioner,
            status="issued",
            place=visit.place,
            content={"lines": ["as signed " * 12] * 30},
            code=visit.pk.hex[:20],
            signed_at=timezone.now(),
            **days,
        )

    Certificate.objects.bulk_create(map(of, visits), batch_size=500)


def _answers(cases: list[Any], user: Any) -> int:
    """Each shape is answered once; the others of the shape have the same kept."""
    from lissive.clinic import answered
    from lissive.clinic.models import Answer

    made: dict[str, Any] = {}
    copies = []
    for case in cases[::ANSWERED]:
        shape = str(case.data)
        if shape not in made:
            made[shape] = answered.make(case, case.data, user)
            continue
        of = made[shape]
        copies.append(
            Answer(case=case, key=of.key, data=of.data, found=of.found, shown=of.shown, lissive=of.lissive)
        )
    Answer.objects.bulk_create(copies, batch_size=50)
    return len(made) + len(copies)


def _trail(people: list[Any], cases: list[Any], draw: random.Random) -> int:
    """What the adding and some looking would have left, in one whole chain."""
    from django.utils import timezone

    from lissive.clinic import anchors, audit
    from lissive.clinic.models import Entry

    head = Entry.objects.order_by("-id").values_list("hash", flat=True).first() or audit.BEGIN
    entries = []
    for case in cases:
        for action, kind in (("patient.added", "patient"), ("case.begun", "case"), ("case.see", "case")):
            user = people[draw.randrange(PEOPLE)]
            entry = Entry(
                prev=head,
                at=timezone.now(),
                organisation=user.organisation_id,
                user=user.pk,
                who=user.shown_name,
                role=user.role,
                action=action,
                kind=kind,
                thing=str(case.patient_id if kind == "patient" else case.pk),
                patient=case.patient_id,
            )
            head = entry.hash = audit.hash_of(entry)
            entries.append(entry)
    Entry.objects.bulk_create(entries, batch_size=1000)
    anchors.keep(Entry.objects.order_by("-id")[0])
    return len(entries)


def prepare(data: Path) -> None:
    """Django in this process, with the database of this folder up to date."""
    os.environ["LISSIVE_DATA"] = str(data)
    os.environ["DJANGO_SETTINGS_MODULE"] = "lissive.clinic.settings"
    from lissive.clinic.place import place

    place().prepare()
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--data", type=Path, required=True)
    ask.add_argument("--patients", type=int, default=PATIENTS)
    asked = ask.parse_args()
    begun = time.monotonic()
    prepare(asked.data)
    print(f"{fill(asked.patients)}: {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
