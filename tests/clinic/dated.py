"""What the tests of dates share."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from lissive.clinic.models import Certificate, Visit

NEW_YORK = ZoneInfo("America/New_York")


def days(count: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=count)


def visit_of(cast: SimpleNamespace, **more: Any) -> Visit:
    starts = timezone.now() - datetime.timedelta(days=300)
    given = {
        "organisation": cast.here,
        "patient": cast.patient,
        "case": cast.case,
        "practitioner": cast.doctor,
        "kind": "video",
        "starts": starts,
        "day": starts.date(),
    }
    return Visit.objects.create(**{**given, **more})


def certificate_of(cast: SimpleNamespace, **more: Any) -> Certificate:
    given = {
        "organisation": cast.here,
        "patient": cast.patient,
        "case": cast.case,
        "practitioner": cast.doctor,
        "status": "issued",
        "place": "US-NY",
        "rule": "US-NY-2022",
        "signed_at": timezone.now() - datetime.timedelta(days=300),
    }
    visit = more.pop("visit", None) or visit_of(cast)
    return Certificate.objects.create(**{**given, "visit": visit, **more})
