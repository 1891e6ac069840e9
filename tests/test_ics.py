"""Calendar files, read by another reader."""

from __future__ import annotations

from icalendar import Calendar

from lissive.ics import calendar_text, escaped


def test_a_calendar_of_a_long_name_is_folded_between_letters():
    words = "Ärztin für Schmerz, " * 9 + "\\ ; \U0001f71a\nzwei"
    lines = ["BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", f"SUMMARY:{escaped(words)}", "END:VEVENT"]
    text = calendar_text("test", lines)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    assert str(event["SUMMARY"]) == words
