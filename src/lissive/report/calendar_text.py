"""The days that follow from an answer as a calendar file (iCalendar, RFC 5545)."""

from __future__ import annotations

import datetime

from lissive.access.answer import Answer


def ics(answer: Answer) -> str:
    """One all-day event for each day; the same answer gives the same file."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//lissive//access//EN"]
    for number, each in enumerate(answer.dates):
        after = each.on + datetime.timedelta(days=1) if each.on < datetime.date.max else each.on
        lines += [
            "BEGIN:VEVENT",
            f"UID:{answer.jurisdiction}-{answer.rule}-{answer.on:%Y%m%d}-{number}@lissive",
            f"DTSTAMP:{answer.on:%Y%m%d}T000000Z",
            f"DTSTART;VALUE=DATE:{each.on:%Y%m%d}",
            f"DTEND;VALUE=DATE:{after:%Y%m%d}",
            f"SUMMARY:{_text(f'{answer.name}: {each.what}')}",
            f"DESCRIPTION:{_text(f'Counted from {answer.on} by rule {answer.rule}. {answer.notice}')}",
            "END:VEVENT",
        ]
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _text(value: str) -> str:
    for sign in ("\\", ";", ","):
        value = value.replace(sign, f"\\{sign}")
    return value


def _folded(line: str) -> str:
    """At most 75 octets a line; what follows begins with a blank."""
    parts, octets = [""], 0
    for sign in line:
        size = len(sign.encode())
        if octets + size > 75:
            parts.append("")
            octets = 1
        parts[-1] += sign
        octets += size
    return "\r\n ".join(parts)
