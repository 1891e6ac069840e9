"""A clinic's days and times are those of its place, whatever zone the server is in; its pages follow US usage there."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from types import SimpleNamespace

import pytest
import yaml
from django.test import override_settings
from django.utils import timezone
from tests.clinic.certifying import issued, ready
from tests.clinic.conftest import visitor
from tests.clinic.test_booking import opened, text_of

from lissive.access.rule import rules
from lissive.clinic import zones
from lissive.clinic.booking.take import book
from lissive.clinic.certify import paper
from lissive.clinic.dates import remind
from lissive.clinic.demo import HERE
from lissive.clinic.models import Intake, Organisation, Slot

pytestmark = pytest.mark.slow
LATE = datetime.datetime(2026, 11, 30, 4, 30, tzinfo=datetime.UTC)
"""23:30 of 29 November in New York; in London it is the 30th."""


@pytest.fixture
def late(cast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clinic in New York at half past eleven in the evening, on a server in UTC; the other clinic is in London."""
    with override_settings(TIME_ZONE="UTC"):
        Organisation.objects.filter(pk=cast.here.pk).update(place="US-NY")
        Organisation.objects.filter(pk=cast.there.pk).update(place="GB")
        cast.here.refresh_from_db()
        cast.there.refresh_from_db()
        opened(cast)
        cast.slot = Slot.objects.create(
            practitioner=cast.slot.practitioner,
            starts=datetime.datetime(2026, 12, 1, 3, 30, tzinfo=datetime.UTC),
            kinds=["video"],
        )
        monkeypatch.setattr(timezone, "now", lambda: LATE)
        yield cast
        zones.leave()


def test_every_place_of_the_tables_has_a_zone():
    assert set(rules()) <= set(zones.zones())
    assert set(zones.zones().values()) <= zoneinfo.available_timezones()


def test_today_ends_at_midnight_in_new_york(late):
    page = text_of(visitor(late.ada).get("/queue"))
    assert "November 29, 2026" in page
    assert "30 November" not in page
    assert "30 November 2026" in text_of(visitor(late.cleo).get("/queue"))
    # what the one request used is gone with it
    assert timezone.localdate() == datetime.date(2026, 11, 30)


def test_a_visit_is_on_the_clinics_day_and_says_its_zone(late):
    with zones.at(late.here):
        visit = book(late.patient, late.slot.pk, "video", late.dan)
    assert visit.day == datetime.date(2026, 11, 30)  # 22:30 in New York; in UTC it is December already
    page = text_of(visitor(late.dan).get(f"/bookings/{visit.pk}"))
    assert "November 30, 2026, 10:30 PM EST" in page
    # by a link, without a log-in, on a phone in another zone: the clinic's day, with its zone
    secret = f"/visits/{visit.pk}/questions/link"
    link = text_of(visitor(late.fay).post(secret)).partition("/questions/")[2][:43]
    Intake.objects.update(done=LATE)
    phone = visitor()
    phone.post(f"/questions/{link}", {"born": "1974-03-01"})
    assert "November 30, 2026, 10:30 PM EST" in text_of(phone.get(f"/questions/{link}"))


def test_what_expires_today_in_new_york_still_holds(late):
    """At 23:30 on the last day, a licence and a certificate hold; at the other clinic the next day has begun."""
    licence = late.doctor.credentials.get(place="US-NY")
    licence.expires = datetime.date(2026, 11, 29)
    licence.save()
    row = text_of(visitor(late.ada).get("/practitioners"))
    assert "expired" not in row.lower()
    with zones.at(late.there):
        assert licence.expires < timezone.localdate()
    with zones.at(late.here):
        assert licence.expires == timezone.localdate()


def test_the_worker_counts_each_clinics_days(late):
    assert remind.days() == {datetime.date(2026, 11, 29), datetime.date(2026, 11, 30)}


def test_the_clinics_own_zone_wins_over_that_of_its_state(late):
    late.here.refresh_from_db()
    assert zones.zone_of(late.here) == "America/New_York"
    zoe = visitor(late.zoe)
    answer = zoe.post("/settings", {"name": "Elm Street", "place": "US-FL", "zone": "America/Chicago"})
    assert answer.status_code == 302
    late.here.refresh_from_db()
    assert zones.zone_of(late.here) == "America/Chicago"
    wrong = zoe.post("/settings", {"name": "Elm Street", "place": "US-FL", "zone": "Mars/Base"})
    assert wrong.status_code == 422
    late.here.refresh_from_db()
    assert zones.zone_of(late.here) == "America/Chicago"


def test_a_us_clinic_reads_us_usage_and_another_does_not(late):
    url = f"/practitioners/{late.doctor.pk}/credentials/add"
    page = text_of(visitor(late.zoe).get(url))
    assert "License to practice" in page
    assert "icence" not in re.sub(r"<[^>]*>", "", page)
    assert 'value="licence"' in page  # what a form sends stays
    Organisation.objects.filter(pk=late.here.pk).update(place="GB")
    assert "Licence to practise" in text_of(visitor(late.zoe).get(url))


def test_what_a_person_wrote_is_shown_as_it_was_written(late):
    late.patient.given_name, late.patient.address = "Dan", "The Licence Centre, Albany"
    late.patient.save()
    page = text_of(visitor(late.fay).get(f"/patients/{late.patient.pk}"))
    assert "The Licence Centre, Albany" in page


def test_the_demonstration_has_the_zone_of_its_state():
    given = yaml.safe_load((HERE / "demo.yaml").read_text())
    assert [each["place"] for each in given["clinics"]] == ["US-NY", "GB"]


def test_a_certificate_signed_at_half_past_eleven_begins_on_that_day(cast, monkeypatch):
    with override_settings(TIME_ZONE="UTC"):
        monkeypatch.setattr(timezone, "now", lambda: LATE)
        monkeypatch.setattr(paper, "made", lambda template, content: b"%PDF")
        cast.here.place = "US-NY"
        cast.here.save()
        with zones.at(cast.here):
            found = issued(ready(cast))
        assert (found.begins, found.signed_zone) == (datetime.date(2026, 11, 29), "America/New_York")
        assert found.expires == datetime.date(2028, 11, 29)
        assert found.content["begins"] == "2026-11-29"
