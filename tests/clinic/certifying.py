"""What the tests of certify share."""

from __future__ import annotations

import datetime
import re
from types import SimpleNamespace
from typing import Any

from django.utils import timezone
from tests.clinic.conftest import PASSWORD, visitor

from lissive.clinic.models import Certificate, Credential, Practitioner, Visit

TYPED = {"f-recommendation": "Oil, 2.5 mg at night"}
WHY = "Baclofen alone leaves nine spasms a day."


def ready(cast: SimpleNamespace, residence: str = "US-NY", age: int = 52) -> SimpleNamespace:
    today = timezone.localdate()
    cast.case.data |= {
        "as_of": today.isoformat(),
        "place": {"residence": residence},
        "person": {"age_years": age, "sex": "female", "pregnancy": "none"},
    }
    cast.case.data["spasm"] |= {"severe": True, "persistent": True}
    cast.case.data["history"] |= {"tried": ["baclofen"], "current": ["baclofen 60 mg/day"]}
    cast.case.save()
    patient = cast.patient
    patient.family_name, patient.residence, patient.address = "Markham-Doe", residence, "1 Elm Street\nAlbany"
    patient.phone, patient.email = "0119998887", "mark@example.org"
    patient.save()
    cast.practitioner = Practitioner.objects.create(
        organisation=cast.here, user=cast.ada, name="Ada Lind, MD", profession="MD",
        address="2 Oak Street", phone="0117775554", email="ada@example.org",
    )  # fmt: skip
    for kind, number in (
        ("licence", "L-12345"),
        ("controlled", "AL1234567"),
        ("registration", "R-7"),
        ("course", "C-1"),
    ):
        Credential.objects.create(
            practitioner=cast.practitioner, kind=kind, place=residence, number=number, hours=10,
            issued=today - datetime.timedelta(400), expires=today + datetime.timedelta(400), checked_on=today,
            checked_how="the board's page", checked_by=cast.zoe,
        )  # fmt: skip
    cast.visit = visit_of(cast)
    cast.client = visitor(cast.ada)
    return cast


def visit_of(cast: SimpleNamespace, **more: Any) -> Visit:
    now = timezone.now()
    at = {"by": "Ada", "at": now.isoformat()}
    record = {
        "identity": {
            "document": "driving_licence",
            "number_masked": "…1234",
            "matched": True,
            "how": "seen",
            **at,
        },
        "place": {"code": cast.patient.residence, "words": "at home", **at},
        "pmp": {"system": "I-STOP", "finding": "nothing", "duty": "duty", **at},
        "findings": {"text": "Spasticity of both legs", "diagnosis": "multiple sclerosis", **at},
        "capacity": {"has": True, **at},
    }
    given = {
        "organisation": cast.here, "patient": cast.patient, "case": cast.case, "practitioner": cast.practitioner,
        "kind": "in_person", "status": "in_visit", "day": timezone.localdate(), "starts": now, "began": now,
        "place": cast.patient.residence, "record": record,
    }  # fmt: skip
    return Visit.objects.create(**{**given, **more})


def decided(cast: SimpleNamespace, **more: str) -> Certificate:
    page = cast.client.get(f"/visits/{cast.visit.pk}/decision")
    node = page.content.decode().partition('name="clause" value="')[2].partition('"')[0]
    given = {"choice": "certify", "clause": node, "reason": WHY, "version": "0", **more}
    answer = cast.client.post(f"/visits/{cast.visit.pk}/decision", given)
    assert answer.status_code == 302, answer.content.decode()
    return Certificate.objects.get(visit=cast.visit)


def ticks(cast: SimpleNamespace, draft: Certificate) -> list[str]:
    page = cast.client.get(f"/certificates/{draft.pk}").content.decode()
    return [part.partition('"')[0] for part in page.split('name="tick" value="')[1:]]


def filled(cast: SimpleNamespace, draft: Certificate, **more: Any) -> Any:
    version = Certificate.objects.get(pk=draft.pk).version
    given = {"version": str(version), "tick": ticks(cast, draft), "ends": "", "exam_by": "", **TYPED, **more}
    return cast.client.post(f"/certificates/{draft.pk}", given)


def seen(cast: SimpleNamespace, draft: Certificate) -> str:
    page = cast.client.get(f"/certificates/{draft.pk}/sign").content.decode()
    return page.partition('name="seen" value="')[2].partition('"')[0]


def signed(cast: SimpleNamespace, draft: Certificate, **more: str) -> Any:
    given = {"password": PASSWORD, "seen": seen(cast, draft), **more}
    return cast.client.post(f"/certificates/{draft.pk}/sign", given)


def issued(cast: SimpleNamespace) -> Certificate:
    draft = decided(cast)
    assert filled(cast, draft).status_code == 302
    answer = signed(cast, draft)
    assert answer.status_code == 302, answer.content.decode()
    return Certificate.objects.get(pk=draft.pk)


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def licensed(user: Any, place: str) -> Credential:
    """A second practitioner with a licence there."""
    who = Practitioner.objects.create(
        organisation=user.organisation, user=user, name=user.shown_name, profession="MD"
    )
    ends = timezone.localdate() + datetime.timedelta(days=400)
    return Credential.objects.create(
        practitioner=who, kind="licence", place=place, number="L-2", expires=ends
    )
