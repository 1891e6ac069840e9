"""Calendars: dates of the clinic as a file that other programs read."""

from __future__ import annotations

import datetime
import re
from types import SimpleNamespace

from django.utils import timezone
from icalendar import Calendar
from tests.clinic.conftest import visitor
from tests.clinic.dated import NEW_YORK, days, visit_of

from lissive.clinic.models import Entry, Feed


# -- calendars --------------------------------------------------------------------------------------
def feed_of(day: SimpleNamespace, who: str = "ada") -> str:
    page = visitor(getattr(day, who)).post("/calendar", {"do": "make"}).content.decode()
    return re.search(r"http://localhost(/calendar/[\w-]+\.ics)", page)[1]


def test_the_calendar_is_valid_and_names_no_patient(day):
    starts = datetime.datetime(2027, 1, 5, 23, 30, tzinfo=NEW_YORK)
    first = visit_of(day, starts=starts, day=starts.date(), minutes=40)
    summer = datetime.datetime(2027, 7, 5, 9, 0, tzinfo=NEW_YORK)
    gone = visit_of(day, starts=summer, day=summer.date(), kind="home", status="cancelled")
    answer = visitor().get(feed_of(day))
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    text = answer.content.decode()
    assert "Doe" not in text
    assert "Dan" not in text
    assert "D. D." not in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "\n" not in text.replace("\r\n", "")
    events = {str(each["UID"]): each for each in Calendar.from_ical(text).walk("VEVENT")}
    one, other = events[f"visit-{first.pk}@lissive"], events[f"visit-{gone.pk}@lissive"]
    assert one.decoded("DTSTART") == datetime.datetime(2027, 1, 6, 4, 30, tzinfo=datetime.UTC)
    assert one.decoded("DTEND") == datetime.datetime(2027, 1, 6, 5, 10, tzinfo=datetime.UTC)
    assert other.decoded("DTSTART") == datetime.datetime(2027, 7, 5, 13, 0, tzinfo=datetime.UTC)
    assert (str(one["SUMMARY"]), str(one["STATUS"])) == ("Visit, video", "CONFIRMED")
    assert (str(other["SUMMARY"]), str(other["STATUS"])) == ("Visit, at home", "CANCELLED")
    licence = events[f"credential-{day.licence.pk}@lissive"]
    assert licence.decoded("DTSTART") == days(60)
    assert all("DTSTAMP" in each for each in events.values())


def test_a_calendar_is_its_users_until_it_is_ended(day):
    there = feed_of(day)
    assert there.split("/")[2][:-4] not in str(list(Feed.objects.values()))
    anybody = visitor()
    first = anybody.get(there)
    again = anybody.get(there, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    visit_of(day, starts=timezone.now(), day=days(0))
    changed = anybody.get(there, headers={"If-None-Match": first["ETag"]})
    assert (changed.status_code, changed["ETag"] != first["ETag"]) == (200, True)
    assert Entry.objects.filter(action="calendar.fetched").count() == 1
    newer = feed_of(day)
    assert anybody.get(there).status_code == 404
    assert visitor(day.ada).post("/calendar", {"do": "end"}).status_code == 302
    assert anybody.get(newer).status_code == 404
    assert anybody.get("/calendar/x.ics").status_code == 404
    last = feed_of(day, "fay")
    day.fay.is_active = False
    day.fay.save()
    assert anybody.get(last).status_code == 404


def test_a_patient_gets_their_own_visit_as_a_file(day):
    starts = timezone.now() + datetime.timedelta(days=3)
    mine = visit_of(day, starts=starts, day=starts.date())
    day.doctor.video_url = "https://video.example/ada"
    day.doctor.save()
    client = visitor(day.dan)
    assert f"/visits/{mine.pk}/calendar" in client.get("/").content.decode()
    (event,) = Calendar.from_ical(client.get(f"/visits/{mine.pk}/calendar").content).walk("VEVENT")
    assert str(event["SUMMARY"]) == "Visit, video, Ada Lind"
    assert str(event["URL"]) == "https://video.example/ada"
    assert client.get(f"/visits/{visit_of(day, patient=day.other).pk}/calendar").status_code == 404
    assert "Certificate expires" in client.get("/").content.decode()
